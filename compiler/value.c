/* value.c - what expressions of the language are worth while a model is lowered, what is wanted of
 * them, and the messages where they are something else. */
#include "lower.h"

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

/* A tensor may hold 2^40 bytes; that is far more than a machine has and far less than arithmetic on
 * sizes can bear. */
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
    v->item = arena_copy(L->ngc, item, (size_t)count * sizeof *item);
    v->count = count;
    return v;
}

const char *value_text(Lower *L, const Value *v)
{
    return v->loc.file < 0 ? "it" : source_text(L->ngc, v->loc);
}

const char *value_kind(const Value *v)
{
    static const char *const text[] = {
        [V_ERROR] = "an error",        [V_NODE] = "a tensor",   [V_LIST] = "a list",
        [V_TEXT] = "a text",           [V_FUNC] = "a function", [V_LAYER] = "a layer",
        [V_HOLE] = "an open argument", [V_ABSENT] = "nothing"};
    return text[v->kind];
}

/* Elements of nested lists of numbers, row-major, if that is all there is. */
static bool list_numbers(const Value *v, double *out, int64_t *at)
{
    double x;
    if (v->kind == V_NODE && v->node->shape.rank == 0 && node_const(v->node, &x)) {
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

/* The shape that nested lists of numbers have, or false with a message. A list may stand in others
 * many times over, so that there may be more elements than fit. */
static bool list_shape(Lower *L, const Value *v, Shape *s)
{
    double count = 1;
    *s = (Shape){0};
    for (const Value *w = v; w->kind == V_LIST; w = w->item[0]) {
        if (w->count == 0 || s->rank == MAX_RANK) {
            lower_error(L, ERR_LIST_SHAPES, v->loc,
                        w->count == 0 ? "an empty list has no shape" : "more than %d axes",
                        MAX_RANK);
            return false;
        }
        s->dim[s->rank++] = w->count;
        count *= w->count;
    }
    if (count <= 1e7)
        return true;
    lower_error(L, ERR_TENSOR_SIZE, v->loc, "a list of %.0f elements; the limit is %d", count,
                10000000);
    return false;
}

static bool list_even(Lower *L, const Value *v, Shape s, int depth)
{
    for (int i = 0; i < v->count; i++) {
        const Value *w = v->item[i];
        bool list = w->kind == V_LIST;
        if (list != (depth + 1 < s.rank) || (list && w->count != s.dim[depth + 1])) {
            lower_error(L, ERR_LIST_SHAPES, w->loc,
                        "a list of unequal rows: %s has %d elements, the first row has %lld",
                        value_text(L, w), list ? w->count : 1,
                        depth + 1 < s.rank ? (long long)s.dim[depth + 1] : 1LL);
            return false;
        }
        if (list && !list_even(L, w, s, depth + 1))
            return false;
    }
    return true;
}

static Node *stack(Lower *L, const Value *v)
{
    int64_t count = 0;
    Shape s;
    if (!list_shape(L, v, &s))
        return NULL;
    if (list_numbers(v, NULL, &count)) {
        if (!list_even(L, v, s, 0))
            return NULL;
        double *data = arena_alloc(L->ngc, (size_t)count * sizeof *data);
        count = 0;
        list_numbers(v, data, &count);
        Node *n = graph_data(L->g, s, T_FLOAT, data);
        n->name = n->name ? n->name : v->name;
        return n;
    }
    Node **part = arena_alloc(L->ngc, (size_t)v->count * sizeof *part);
    for (int i = 0; i < v->count; i++) {
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
                        shape_text(L->g, shape_without(part[0]->shape, 1)),
                        shape_text(L->g, n->shape));
            return NULL;
        }
    }
    return graph_concat(L->g, part, v->count, 0);
}

/* ---- what is known when compiling ---- */

bool shape_is_run_time(Shape s)
{
    for (int i = 0; i < s.rank; i++)
        if (s.dim[i] < 0)
            return true;
    return false;
}

/* Is this so of a value and of all that it is computed from? */
bool holds_below(Lower *L, const Node *n, bool (*holds)(const Node *))
{
    bool *needed = arena_alloc(L->ngc, (size_t)n->id + 1);

    needed[n->id] = true;
    for (int i = n->id; i >= 0; i--) {
        const Node *x = L->g->node[i];
        if (!needed[i])
            continue;
        if (!holds(x))
            return false;
        for (int k = 0; k < x->nargs; k++)
            needed[x->arg[k]->id] = true;
    }
    return true;
}

static bool is_constant(const Node *x)
{
    return x->op != OP_var && x->op != OP_size && x->op != OP_training && x->op != OP_random &&
           !shape_is_run_time(x->shape);
}

bool is_known(Lower *L, const Node *n)
{
    return holds_below(L, n, is_constant);
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

/* ---- what is wanted ---- */

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
    Node *n = v->kind == V_ERROR ? NULL : want_node(L, v, what);
    if (!n || n->type == T_INT)
        return n;
    if (!is_known(L, n)) {
        lower_error(L, ERR_NOT_AN_INT, v->loc,
                    "%s must be int: '%s' is a float tensor; an input is declared '%s: int'", what,
                    value_text(L, v), n->op == OP_var ? n->attr.var->name : "t");
        return NULL;
    }
    const double *x = known_value(L, n);
    int64_t count = shape_count(L->g, n->shape);
    for (int64_t i = 0; i < count; i++)
        if (x[i] != floor(x[i]) || fabs(x[i]) > INT32_MAX) {
            lower_error(L, ERR_NOT_WHOLE, v->loc, "%s must be whole, not %.17g", what,
                        isnan(x[i]) ? fabs(NAN) : x[i]);
            return NULL;
        }
    return n->shape.rank ? graph_data(L->g, n->shape, T_INT, x) : graph_int(L->g, (int64_t)*x);
}

bool want_number(Lower *L, const Value *v, const char *what, double *x)
{
    if (v->kind == V_NODE && v->node->shape.rank == 0 && node_const(v->node, x))
        return true;
    if (v->kind == V_NODE && v->node->shape.rank == 0 && is_known(L, v->node)) {
        *x = *known_value(L, v->node);
        return true;
    }
    if (v->kind != V_ERROR)
        lower_error(L, ERR_NOT_CONSTANT, v->loc, "%s must be a number known when compiling", what);
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

bool want_size(Lower *L, const Value *v, const char *what, Size *out)
{
    int64_t x;
    if (v->kind == V_NODE && v->node->op == OP_size) {
        *out = v->node->attr.size;
        if (size_least(L->g, *out) >= 1 && size_max(L->g, *out) >= 1)
            return true;
        lower_error(L, ERR_NUMBER_TOO_SMALL, v->loc, "%s must be at least 1; %s may be less", what,
                    size_text(L->g, *out, ""));
        return false;
    }
    if (v->kind == V_NODE && v->node->op == OP_div && v->node->arg[0]->op == OP_size) {
        lower_error(L, ERR_NOT_WHOLE, v->loc, "%s must be whole: %s does not divide %s exactly",
                    what, node_text(L->g, v->node->arg[1], 2), node_text(L->g, v->node->arg[0], 2));
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
    *axis = (int)(x < 0 ? x + rank : x);
    return true;
}

bool want_axes(Lower *L, const Value *v, Shape s, uint32_t *axes)
{
    int axis;
    *axes = 0;
    if (v->kind == V_ABSENT || (v->kind == V_FUNC && strcmp(v->func->name, "all") == 0)) {
        *axes = (1u << s.rank) - 1;
        return true;
    }
    for (int i = 0; i < (v->kind == V_LIST ? v->count : 1); i++) {
        if (!want_axis(L, v->kind == V_LIST ? v->item[i] : v, s.rank, &axis))
            return false;
        if (*axes >> axis & 1) {
            lower_error(L, ERR_AXIS_TWICE, v->loc, "axis %d is named twice", axis);
            return false;
        }
        *axes |= 1u << axis;
    }
    return true;
}

/* Constants are checked now. */
static Node *index_known(Lower *L, Loc loc, Node *i, const double *x, Size rows)
{
    int64_t count = shape_count(L->g, i->shape), most = size_least(L->g, rows);
    for (int64_t k = 0; k < count; k++)
        if (x[k] < 0 || x[k] >= (double)most) {
            lower_error(L, ERR_INDEX_RANGE, loc, "index %.0f is out of range for size %s%s", x[k],
                        size_text(L->g, rows, ""),
                        rows < 0 ? text_format(L->ngc, ", which may be %lld", (long long)most)
                                 : "");
            return NULL;
        }
    return i;
}

/* Places of elements go up to the size of their axis. */
static Node *index_places(Lower *L, Loc loc, Node *i, Size most, Size rows)
{
    if (most == rows || (most >= 0 && rows >= 0 && most <= rows))
        return i;
    lower_error(L, ERR_INDEX_RANGE, loc, "indices go up to %s - 1, the axis has %s elements",
                size_text(L->g, most, ""), size_text(L->g, rows, ""));
    return NULL;
}

Node *index_limit(Lower *L, Loc loc, Node *i, Size rows)
{
    const Node *n = i;
    double c;
    while (n->op == OP_slice || n->op == OP_reshape || n->op == OP_permute || n->op == OP_expand ||
           n->op == OP_gather || n->op == OP_copy)
        n = n->arg[0];

    if (i->op == OP_data || node_const(i, &c))
        return index_known(L, loc, i, known_value(L, i), rows);
    if (n->op == OP_iota)
        return index_places(L, loc, i, n->shape.dim[n->attr.axis], rows);
    if (n->op == OP_argmax)
        return index_places(L, loc, i, n->arg[0]->shape.dim[n->attr.axis], rows);
    if (rows < 0) {
        lower_error(L, ERR_RUN_TIME_INDEX, loc,
                    "an axis of run-time size cannot be indexed by a tensor");
        return NULL;
    }
    if (n->op != OP_var || n->attr.var->kind != VAR_INPUT)
        return graph_checked(L->g, i, rows);

    Var *v = n->attr.var; /* checked whole, whatever is taken of it */
    if (v->limit == 0 || rows < v->limit)
        v->limit = rows;
    return i;
}

/* ---- messages ---- */

Loc lower_site(Lower *L, Loc loc)
{
    for (Frame *f = L->frame; f && (loc.file < 0 || L->ngc->file[loc.file]->library); f = f->up)
        loc = f->call;
    return loc;
}

Diag *lower_error(Lower *L, ErrorCode code, Loc loc, const char *format, ...)
{
    Loc site = lower_site(L, loc);
    va_list ap;
    va_start(ap, format);
    const char *text = text_vformat(L->ngc, format, ap);
    va_end(ap);
    Frame *f = L->frame; /* in a library function the message says which, as the user called it */
    while (f && f->call.file >= 0 && L->ngc->file[f->call.file]->library && f->up)
        f = f->up;
    bool inside = f && loc.file >= 0 && L->ngc->file[loc.file]->library;
    return diag(L->ngc, SEV_ERROR, code, site, "%s%s%s", inside ? f->func->name : "",
                inside ? ": " : "", text);
}

/* Shows an operand's shape under it, and where it is declared. */
void label_operand(Lower *L, Diag *d, const Expr *x, const Node *n, const char *fit)
{
    Loc loc = x->loc;
    diag_label(L->ngc, d, loc, "%s: %s", source_text(L->ngc, loc), shape_text(L->g, n->shape));
    if (n->op == OP_var)
        diag_note(L->ngc, d, n->attr.var->loc, "%s is declared here%s", n->attr.var->name, fit);
}
