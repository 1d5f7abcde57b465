/* value.c - the values of expressions while a model is lowered, checks that a value is of the kind
 * wanted, and the messages if it is not. */
#include "lang/lower.h"
#include "graph/eval.h"

#include <math.h>
#include <string.h>

/* ---- values ---- */

Value *value_new(Lower *L, ValueKind kind, Loc loc)
{
    Value *v = arena_alloc(L->ngc, sizeof *v);
    v->kind = kind;
    v->loc = loc;
    return v;
}

Value *value_error(Lower *L, Loc loc)
{
    if (L->ngc->errors == 0)
        ngc_bug("an error without a message");
    return value_new(L, V_ERROR, loc);
}

/* A tensor may have 2^40 bytes, which is 2^37 doubles. That is far more memory than a machine has,
 * and small enough for the arithmetic on sizes. */
bool shape_fits(Lower *L, Loc loc, Shape s)
{
    double count = 1;
    for (int i = 0; i < s.rank; i++)
        count *= (double)size_max(L->g, s.dim[i]);
    if (count <= 0x1p37)
        return true;

    lower_error(L, ERR_TENSOR_SIZE, loc, "a tensor of shape %s is larger than 2^40 bytes",
                shape_text(L->g, s));
    return false;
}

Value *value_node(Lower *L, Loc loc, Node *n)
{
    if (n && !shape_fits(L, loc, n->shape))
        n = NULL;
    if (!n)
        return value_error(L, loc);
    Value *v = value_new(L, V_NODE, loc);
    v->node = n;
    return v;
}

Value *value_number(Lower *L, Loc loc, double x)
{
    return value_node(L, loc, graph_const(L->g, x));
}

Value *value_list(Lower *L, Loc loc, Value **item, int count)
{
    Value *v = value_new(L, V_LIST, loc);
    v->item = LIST_COPY(L->ngc, item, count);
    v->count = count;
    return v;
}

int value_items(const Value *v)
{
    return v->kind == V_LIST ? v->count : 1;
}

const Value *value_item(const Value *v, int i)
{
    if (v->kind == V_LIST)
        return v->item[i];
    return v;
}

const char *value_text(Lower *L, const Value *v)
{
    if (v->loc.file < 0)
        return "it";
    return source_text(L->ngc, v->loc);
}

const char *value_kind(const Value *v)
{
    static const char *const text[] = {
        [V_ERROR] = "an error",        [V_NODE] = "a tensor",   [V_LIST] = "a list",
        [V_TEXT] = "a text",           [V_FUNC] = "a function", [V_LAYER] = "a layer",
        [V_HOLE] = "an open argument", [V_ABSENT] = "nothing"};
    return text[v->kind];
}

/* Copies the elements of nested lists of numbers to `out` in row-major order, or only counts them
 * if out is NULL. false: not all elements are numbers. */
static bool list_numbers(const Value *v, double *out, int64_t *at)
{
    double x;
    if (v->kind == V_NODE && v->node->shape.rank == 0 && node_const(v->node, &x)) {
        /* the first walk only counts */
        if (out)
            out[*at] = x;
        ++*at;
        return true;
    }

    if (v->kind != V_LIST)
        return false;
    for (int i = 0; i < v->count; i++)
        if (!list_numbers(v->item[i], out, at))
            return false;
    return true;
}

/* Adds an axis of size 1 at a place. */
Node *node_new_axis(Lower *L, Node *n, int axis)
{
    Shape s = n->shape;
    memmove(s.dim + axis + 1, s.dim + axis, (size_t)(s.rank - axis) * sizeof *s.dim);
    s.dim[axis] = 1;
    s.rank++;
    return graph_reshape(L->g, n, s);
}

/* The shape of nested lists of numbers, by their first elements; false with a message. A list may
 * occur in others many times, so there may be more elements than fit. */
static bool list_shape(Lower *L, const Value *v, Shape *s)
{
    enum { MOST = 10000000 };
    double count = 1;
    *s = (Shape){0};
    for (const Value *w = v; w->kind == V_LIST; w = w->item[0]) {
        if (w->count == 0) {
            lower_error(L, ERR_LIST_SHAPES, v->loc, "an empty list has no shape");
            return false;
        }
        if (s->rank == MAX_RANK) {
            lower_error(L, ERR_LIST_SHAPES, v->loc, "more than %d axes", MAX_RANK);
            return false;
        }
        s->dim[s->rank++] = w->count;
        count *= w->count;
    }
    if (count <= MOST)
        return true;
    lower_error(L, ERR_TENSOR_SIZE, v->loc, "a list of %.0f elements; the limit is %d", count,
                MOST);
    return false;
}

/* Do nested lists have this shape everywhere? */
static bool list_even(Lower *L, const Value *v, Shape s, int depth)
{
    bool inner = depth + 1 < s.rank; /* the elements are lists */
    int64_t wanted = 1;
    if (inner)
        wanted = s.dim[depth + 1];
    for (int i = 0; i < v->count; i++) {
        const Value *w = v->item[i];
        bool list = w->kind == V_LIST;
        /* the first element has said what the shape is */
        if (list != inner || (list && w->count != wanted)) {
            lower_error(L, ERR_LIST_SHAPES, w->loc,
                        "a list of unequal rows: %s has %d elements, the first row has %lld",
                        value_text(L, w), list ? w->count : 1, (long long)wanted);
            return false;
        }
        if (list && !list_even(L, w, s, depth + 1))
            return false;
    }
    return true;
}

/* Lists that append made of one list may share its elements, and have more of them. */
static bool is_same_list(const Value *a, const Value *b)
{
    return a->kind == V_LIST && b->kind == V_LIST && a->item == b->item && a->count == b->count;
}

/* A list of tensors of one shape, stacked along a new first axis. */
static Node *stack_tensors(Lower *L, const Value *v)
{
    Graph *g = L->g;
    Node **part = arena_array(L->ngc, v->count, sizeof *part);
    for (int i = 0; i < v->count; i++) {
        if (i && is_same_list(v->item[i], v->item[i - 1])) {
            part[i] = part[i - 1];
            continue;
        }
        Node *n = want_node(L, v->item[i], "an element");
        if (!n)
            return NULL;
        if (n->shape.rank == MAX_RANK) {
            lower_error(L, ERR_TOO_MANY_AXES, v->loc, "at most %d axes are allowed", MAX_RANK);
            return NULL;
        }
        part[i] = node_new_axis(L, n, 0);
        if (i && !shape_equal(part[i]->shape, part[0]->shape)) {
            lower_error(L, ERR_LIST_SHAPES, v->item[i]->loc,
                        "elements of a list differ in shape, %s and %s",
                        shape_text(g, shape_without(part[0]->shape, 1)), shape_text(g, n->shape));
            return NULL;
        }
    }
    return graph_concat(g, part, v->count, 0);
}

/* A list as a tensor: nested lists of numbers are one constant. */
static Node *stack(Lower *L, const Value *v)
{
    int64_t count = 0;
    Shape s;
    if (!list_shape(L, v, &s))
        return NULL;
    /* not only numbers: elements are nodes */
    if (!list_numbers(v, NULL, &count))
        return stack_tensors(L, v);
    if (!list_even(L, v, s, 0))
        return NULL;

    double *data = arena_array(L->ngc, count, sizeof *data);
    count = 0;
    list_numbers(v, data, &count);
    Node *n = graph_data(L->g, s, T_FLOAT, data);
    if (!n->name)
        n->name = v->name;
    return n;
}

/* ---- what is known at compile time ---- */

/* Does this hold for a value and for all from which it is computed? */
bool holds_below(Lower *L, const Node *n, bool (*holds)(const Node *))
{
    bool *needed = arena_alloc(L->ngc, (size_t)n->id + 1);

    needed[n->id] = true;
    /* users before operands */
    for (int i = n->id; i >= 0; i--) {
        const Node *x = L->g->node[i];
        if (!needed[i])
            continue;
        if (!holds(x))
            return false;
        for (int k = 0; k < x->nargs; k++)
            needed[arg_id(x, k)] = true;
    }
    return true;
}

/* A variable of a loop, or its index, is known if all that the loop computes with is. */
static bool is_constant(const Node *x)
{
    bool of_loop = x->op == OP_index || x->op == OP_carried;

    if ((node_has(x, F_RUN_TIME) && !of_loop) || x->op == OP_random)
        return false;
    if (x->op == OP_loop && x->attr.loop->passes < 0)
        return false;
    return !shape_is_run_time(x->shape);
}

bool is_known(Lower *L, const Node *n)
{
    return !node_loop(n) && holds_below(L, n, is_constant);
}

const double *known_value(Lower *L, Node *n)
{
    double v;
    if (n->op == OP_data)
        return n->attr.data;
    if (n->shape.rank == 0 && node_const(n, &v))
        return arena_copy(L->ngc, &v, sizeof v);
    return eval_node(eval_new(L->ngc, L->m), n);
}

/* ---- values of a certain kind ---- */

Node *want_node(Lower *L, const Value *v, const char *what)
{
    if (v->kind == V_NODE)
        return v->node;
    if (v->kind == V_LIST)
        return stack(L, v);
    if (v->kind != V_ERROR)
        lower_error(L, ERR_NOT_A_TENSOR, v->loc, "%s must be a tensor, not %s", what,
                    value_kind(v));
    return NULL;
}

Node *want_index(Lower *L, const Value *v, const char *what)
{
    Graph *g = L->g;
    Node *n = NULL;
    if (v->kind != V_ERROR)
        n = want_node(L, v, what);
    if (!n || n->type == T_INT)
        return n;
    if (!is_known(L, n)) {
        lower_error(L, ERR_NOT_AN_INT, v->loc,
                    "%s must be int: '%s' is a float tensor; an input is declared '%s: int'", what,
                    value_text(L, v), n->op == OP_var ? n->attr.var->name : "t");
        return NULL;
    }

    const double *x = known_value(L, n);
    int64_t count = shape_count(g, n->shape);
    for (int64_t i = 0; i < count; i++) {
        if (is_int32(x[i]))
            continue;
        double shown = isnan(x[i]) ? fabs(NAN) : x[i]; /* a NaN without its sign */
        lower_error(L, ERR_NOT_WHOLE, v->loc, "%s must be whole, not %.17g", what, shown);
        return NULL;
    }
    /* whole floats become ints */
    if (n->shape.rank == 0)
        return graph_int(g, (int64_t)*x);
    return graph_data(g, n->shape, T_INT, x);
}

bool want_number(Lower *L, const Value *v, const char *what, double *x)
{
    if (v->kind == V_NODE && v->node->shape.rank == 0) {
        if (node_const(v->node, x))
            return true;
        if (is_known(L, v->node)) {
            *x = *known_value(L, v->node);
            return true;
        }
    }
    if (v->kind != V_ERROR)
        lower_error(L, ERR_NOT_CONSTANT, v->loc, "%s must be a compile-time constant", what);
    return false;
}

bool want_whole(Lower *L, const Value *v, const char *what, int64_t *out)
{
    double x;
    if (!want_number(L, v, what, &x))
        return false;
    if (x != floor(x) || fabs(x) > 9e15) {
        lower_error(L, ERR_NOT_WHOLE, v->loc, "%s must be a whole number, not %.17g", what, x);
        return false;
    }
    *out = (int64_t)x;
    return true;
}

/* A size in terms of run-time dims: at least 1, whatever they are. */
static bool want_run_time_size(Lower *L, const Value *v, const char *what, Size *out)
{
    *out = v->node->attr.size;
    if (size_least(L->g, *out) >= 1)
        return true;
    lower_error(L, ERR_NUMBER_TOO_SMALL, v->loc, "%s must be at least 1; %s may be less", what,
                size_text(L->g, *out, ""));
    return false;
}

/* The size that an operation on two such numbers gives. */
static bool index_size_of(Lower *L, Op op, Size a, Size b, Size *out)
{
    Graph *g = L->g;
    switch (op) {
    case OP_add: *out = size_add(g, a, b); return true;
    case OP_sub: *out = size_sub(g, a, b); return true;
    case OP_mul: *out = size_mul(g, a, b); return true;
    default: return false;
    }
}

bool index_size(Lower *L, const Node *n, Size *out)
{
    Size a, b;
    double v;

    if (n->shape.rank > 0)
        return false;
    /* a size below 0 is a polynomial, which only size_sub makes */
    if (node_const(n, &v) && v == floor(v) && fabs(v) < 1e9) {
        if (v < 0)
            *out = size_sub(L->g, 0, (Size)-v);
        else
            *out = (Size)v;
        return true;
    }

    switch (n->op) {
    case OP_size: *out = n->attr.size; return true;
    case OP_index: *out = size_dim(L->g, MAX_DIMS + n->attr.loop->level); return true;
    case OP_cast:
    case OP_copy: return index_size(L, n->arg[0], out);
    case OP_neg: return index_size(L, n->arg[0], &b) && index_size_of(L, OP_sub, 0, b, out);
    default: break;
    }
    return n->nargs == 2 && index_size(L, n->arg[0], &a) && index_size(L, n->arg[1], &b) &&
           index_size_of(L, n->op, a, b, out);
}

bool want_size(Lower *L, const Value *v, const char *what, Size *out)
{
    const Node *n = v->kind == V_NODE ? v->node : NULL;
    int64_t x;
    if (n && n->op == OP_size)
        return want_run_time_size(L, v, what, out);
    if (n && n->op == OP_div && n->arg[0]->op == OP_size) {
        lower_error(L, ERR_NOT_WHOLE, v->loc, "%s must be whole: %s does not divide %s exactly",
                    what, node_text(L->g, n->arg[1], 2), node_text(L->g, n->arg[0], 2));
        return false;
    }
    if (!want_whole(L, v, what, &x))
        return false;
    if (x < 1) {
        lower_error(L, ERR_NUMBER_TOO_SMALL, v->loc, "%s must be at least 1, not %lld", what,
                    (long long)x);
        return false;
    }
    *out = x;
    return true;
}

bool want_shape(Lower *L, const Value *v, const char *what, Shape *s)
{
    *s = (Shape){0};
    if (v->kind != V_LIST) {
        if (v->kind != V_ERROR)
            lower_error(L, ERR_NOT_A_LIST, v->loc, "%s must be a list of sizes, not %s", what,
                        value_kind(v));
        return false;
    }

    if (v->count > MAX_RANK) {
        lower_error(L, ERR_TOO_MANY_AXES, v->loc, "%s has %d axes; at most %d are allowed", what,
                    v->count, MAX_RANK);
        return false;
    }
    for (int i = 0; i < v->count; i++)
        if (!want_size(L, v->item[i], "a size", &s->dim[s->rank++]))
            return false;
    return shape_fits(L, v->loc, *s);
}

bool want_axis(Lower *L, const Value *v, int rank, int *axis)
{
    int64_t x;
    if (!want_whole(L, v, "an axis", &x))
        return false;
    if (x < -rank || x >= rank) {
        lower_error(L, ERR_AXIS_RANGE, v->loc, "axis %lld is out of range for %d axes",
                    (long long)x, rank);
        return false;
    }
    if (x < 0)
        x += rank;
    *axis = (int)x;
    return true;
}

/* An axis, a list of axes, or all of them: `all` is a function of the library, whose name means
 * that here. */
bool want_axes(Lower *L, const Value *v, Shape s, uint32_t *axes)
{
    bool all = v->kind == V_ABSENT || (v->kind == V_FUNC && same_text(v->func->name, "all"));
    if (all) {
        *axes = (1u << s.rank) - 1;
        return true;
    }

    *axes = 0;
    for (int i = 0; i < value_items(v); i++) {
        int axis;
        if (!want_axis(L, value_item(v, i), s.rank, &axis))
            return false;
        if (*axes >> axis & 1) {
            lower_error(L, ERR_AXIS_TWICE, v->loc, "axis %d is named twice", axis);
            return false;
        }
        *axes |= 1u << axis;
    }
    return true;
}

/* ---- indices within their axis ---- */

const char *least_text(Lower *L, Size size)
{
    if (size >= 0)
        return "";
    return text_format(L->ngc, ", which may be %lld", (long long)size_least(L->g, size));
}

/* Constants are checked at compile time. */
static Node *index_known(Lower *L, Loc loc, Node *i, const double *x, Size rows)
{
    Graph *g = L->g;
    int64_t count = shape_count(g, i->shape);
    int64_t most = size_least(g, rows);
    for (int64_t k = 0; k < count; k++)
        if (x[k] < 0 || x[k] >= (double)most) {
            lower_error(L, ERR_INDEX_RANGE, loc, "index %.0f is out of range for size %s%s", x[k],
                        size_text(g, rows, ""), least_text(L, rows));
            return NULL;
        }
    return i;
}

/* Places along an axis, of iota and argmax, are less than the size of the axis, `most`. */
static Node *index_places(Lower *L, Loc loc, Node *i, Size most, Size rows)
{
    Graph *g = L->g;
    long long top = (long long)size_max(g, most);
    if (top <= size_least(g, rows) || size_least(g, size_sub(g, rows, most)) >= 0)
        return i;
    const char *bound = "";
    if (most < 0)
        bound = text_format(L->ngc, ", which may be %lld", top - 1);
    lower_error(L, ERR_INDEX_RANGE, loc,
                "indices go up to %s - 1%s, but the axis has %s elements%s", size_text(g, most, ""),
                bound, size_text(g, rows, ""), least_text(L, rows));
    return NULL;
}

/* The node from which the elements of n are copied. */
static const Node *source_of(const Node *n)
{
    while (node_has(n, F_VIEW) || n->op == OP_copy)
        n = n->arg[0];
    return n;
}

Node *index_limit(Lower *L, Loc loc, Node *i, Size rows)
{
    Graph *g = L->g;
    const Node *n = source_of(i);
    double c;

    if (i->op == OP_data || node_const(i, &c))
        return index_known(L, loc, i, known_value(L, i), rows);
    if (n->op == OP_iota)
        return index_places(L, loc, i, n->shape.dim[n->attr.axis], rows);
    if (n->op == OP_argmax)
        return index_places(L, loc, i, n->arg[0]->shape.dim[n->attr.axis], rows);
    /* bounds are known, as of mod(i, n) */
    double least = (double)size_least(g, rows);
    bool is_inside = i->range.lo >= 0 && i->range.hi < least;
    if (is_inside && size_max(g, rows) > 0)
        return i;
    if (rows < 0) /* the caller's size is not known before the call */
        return graph_checked(g, i, rows);
    if (n->op != OP_var || n->attr.var->kind != VAR_INPUT)
        return graph_checked(g, i, rows);

    /* All elements of an input are checked, even if only some are used. */
    Var *v = n->attr.var;
    if (v->limit == 0 || rows < v->limit)
        v->limit = rows;
    return i;
}

/* ---- messages ---- */

static bool in_library(const Lower *L, Loc loc)
{
    return loc_of_library(L->ngc, loc);
}

Loc lower_site(Lower *L, Loc loc)
{
    for (const Frame *f = L->frame; f && (loc.file < 0 || in_library(L, loc)); f = f->up)
        loc = f->call;
    return loc;
}

Diag *lower_error(Lower *L, ErrorCode code, Loc loc, const char *format, ...)
{
    Ngc *ngc = L->ngc;
    Loc site = lower_site(L, loc);
    va_list ap;
    va_start(ap, format);
    const char *text = text_vformat(ngc, format, ap);
    va_end(ap);

    const Frame *f = L->frame;
    if (!f || !in_library(L, loc))
        return diag(ngc, SEV_ERROR, code, site, "%s", text);

    /* Inside the library, the message begins with the function that the user called. */
    while (f->up && in_library(L, f->call))
        f = f->up;
    return diag(ngc, SEV_ERROR, code, site, "%s: %s", f->func->name, text);
}

void label_operand(Lower *L, Diag *d, const Expr *x, const Node *n, const char *fit)
{
    Ngc *ngc = L->ngc;
    const char *text = source_text(ngc, x->loc);
    diag_label(ngc, d, x->loc, "%s: %s", text, shape_text(L->g, n->shape));
    if (n->op == OP_var) {
        const Var *v = n->attr.var;
        diag_note(ngc, d, v->loc, "%s is declared here%s", v->name, fit);
    }
}
