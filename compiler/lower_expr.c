/* lower_expr.c - expressions, indexing and calls, executed at compile time. */
#include "lower.h"

#include <math.h>
#include <string.h>

/* ---- values ---------------------------------------------------------------------------------------- */

static Value *value_new(Lower *L, ValueKind kind, Loc loc)
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

/* A tensor may hold 2^40 bytes; that is far more than a machine has and far less than arithmetic on sizes can bear. */
static bool shape_fits(Lower *L, Loc loc, Shape s)
{
    double count = 1;
    for (int i = 0; i < s.rank; i++)
        count *= (double)size_max(L->g, s.dim[i]);
    if (count <= 0x1p37)
        return true;
    lower_error(L, 321, loc, "a tensor of shape %s is larger than 2^40 bytes", shape_text(L->g, s));
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

static const char *kind_text(const Value *v)
{
    static const char *const text[] = {[V_ERROR] = "an error", [V_NODE] = "a tensor", [V_LIST] = "a list", [V_TEXT] = "a text",
                                       [V_FUNC] = "a function", [V_LAYER] = "a layer", [V_HOLE] = "an open argument",
                                       [V_ABSENT] = "nothing"};
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
static Node *new_axis(Lower *L, Node *n, int axis)
{
    Shape s = n->shape;
    memmove(s.dim + axis + 1, s.dim + axis, (size_t)(s.rank - axis) * sizeof *s.dim);
    s.dim[axis] = 1;
    s.rank++;
    return graph_reshape(L->g, n, s);
}

/* The shape that nested lists of numbers have, or false with a message. A list may stand in others many times over, so that
 * there may be more elements than fit. */
static bool list_shape(Lower *L, const Value *v, Shape *s)
{
    double count = 1;
    *s = (Shape){0};
    for (const Value *w = v; w->kind == V_LIST; w = w->item[0]) {
        if (w->count == 0 || s->rank == MAX_RANK) {
            lower_error(L, 304, v->loc, w->count == 0 ? "an empty list has no shape" : "more than %d axes", MAX_RANK);
            return false;
        }
        s->dim[s->rank++] = w->count;
        count *= w->count;
    }
    if (count <= 1e7)
        return true;
    lower_error(L, 321, v->loc, "a list of %.0f elements; %d may be written", count, 10000000);
    return false;
}

static bool list_even(Lower *L, const Value *v, Shape s, int depth)
{
    for (int i = 0; i < v->count; i++) {
        const Value *w = v->item[i];
        bool list = w->kind == V_LIST;
        if (list != (depth + 1 < s.rank) || (list && w->count != s.dim[depth + 1])) {
            lower_error(L, 304, w->loc, "a list of unequal rows: %s has %d elements, the first row has %lld", value_text(L, w),
                        list ? w->count : 1, depth + 1 < s.rank ? (long long)s.dim[depth + 1] : 1LL);
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
        return graph_data(L->g, s, T_FLOAT, data);
    }
    Node **part = arena_alloc(L->ngc, (size_t)v->count * sizeof *part);
    for (int i = 0; i < v->count; i++) {
        Node *n = want_node(L, v->item[i], "an element");
        if (!n)
            return NULL;
        if (n->shape.rank == MAX_RANK) {
            lower_error(L, 305, v->loc, "at most %d axes are allowed", MAX_RANK);
            return NULL;
        }
        part[i] = new_axis(L, n, 0);
        if (i && !shape_equal(part[i]->shape, part[0]->shape)) {
            lower_error(L, 304, v->item[i]->loc, "elements of a list differ in shape, %s and %s",
                        shape_text(L->g, shape_without(part[0]->shape, 1)), shape_text(L->g, n->shape));
            return NULL;
        }
    }
    return graph_concat(L->g, part, v->count, 0);
}

Node *want_node(Lower *L, const Value *v, const char *what)
{
    if (v->kind == V_NODE)
        return v->node;
    if (v->kind == V_LIST)
        return stack(L, v);
    if (v->kind != V_ERROR)
        lower_error(L, 401, v->loc, "%s must be a tensor, not %s", what, kind_text(v));
    return NULL;
}

bool want_number(Lower *L, const Value *v, const char *what, double *x)
{
    if (v->kind == V_NODE && v->node->shape.rank == 0 && node_const(v->node, x))
        return true;
    if (v->kind != V_ERROR)
        lower_error(L, 402, v->loc, "%s must be a number known when compiling", what);
    return false;
}

bool want_whole(Lower *L, const Value *v, const char *what, int64_t *out)
{
    double x;
    if (!want_number(L, v, what, &x))
        return false;
    if (x != floor(x) || fabs(x) > 9e15) {
        lower_error(L, 403, v->loc, "%s must be a whole number, not %.17g", what, x);
        return false;
    }
    *out = (int64_t)x;
    return true;
}

/* A run-time size at its least: every dim is 1. */
static int64_t size_least(Lower *L, Size s)
{
    int64_t one[MAX_DIMS];
    for (int i = 0; i < MAX_DIMS; i++)
        one[i] = 1;
    return size_at(L->g, s, one);
}

bool want_size(Lower *L, const Value *v, const char *what, Size *out)
{
    int64_t x;
    if (v->kind == V_NODE && v->node->op == OP_size) {
        *out = v->node->attr.size;
        if (size_least(L, *out) >= 1 && size_max(L->g, *out) >= 1)
            return true;
        lower_error(L, 404, v->loc, "%s must be at least 1; %s may be less", what, size_text(L->g, *out, ""));
        return false;
    }
    if (v->kind == V_NODE && v->node->op == OP_div && v->node->arg[0]->op == OP_size) {
        lower_error(L, 403, v->loc, "%s must be whole: %s does not divide %s exactly", what,
                    node_text(L->g, v->node->arg[1], 2), node_text(L->g, v->node->arg[0], 2));
        return false;
    }
    if (!want_whole(L, v, what, &x))
        return false;
    if (x < 1) {
        lower_error(L, 404, v->loc, "%s must be at least 1, not %lld", what, (long long)x);
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
            lower_error(L, 405, v->loc, "%s must be a list of sizes, not %s", what, kind_text(v));
        return false;
    }
    if (v->count > MAX_RANK) {
        lower_error(L, 305, v->loc, "%s has %d axes; at most %d are allowed", what, v->count, MAX_RANK);
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
        lower_error(L, 306, v->loc, "axis %lld is out of range for %d axes", (long long)x, rank);
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
            lower_error(L, 307, v->loc, "axis %d is named twice", axis);
            return false;
        }
        *axes |= 1u << axis;
    }
    return true;
}

Node *expr_node(Lower *L, const Expr *x)
{
    return want_node(L, lower_expr(L, x), "this");
}

bool expr_number(Lower *L, const Expr *x, double *out)
{
    return want_number(L, lower_expr(L, x), "this", out);
}

bool expr_size(Lower *L, const Expr *x, Size *out)
{
    return want_size(L, lower_expr(L, x), "a size", out);
}

bool expr_shape(Lower *L, const Arg *sizes, Shape *s)
{
    *s = (Shape){0};
    for (const Arg *a = sizes; a; a = a->next) {
        Value *v = lower_expr(L, a->value); /* a size, or a list of them: state v[p.shape] */
        for (int i = 0; i < (v->kind == V_LIST ? v->count : 1); i++) {
            if (s->rank == MAX_RANK) {
                lower_error(L, 305, a->loc, "at most %d axes are allowed", MAX_RANK);
                return false;
            }
            if (!want_size(L, v->kind == V_LIST ? v->item[i] : v, "a size", &s->dim[s->rank++]))
                return false;
        }
    }
    return !sizes || shape_fits(L, sizes->loc, *s);
}

/* ---- messages ---------------------------------------------------------------------------------------- */

Loc lower_site(Lower *L, Loc loc)
{
    for (Frame *f = L->frame; f && (loc.file < 0 || L->ngc->file[loc.file]->library); f = f->up)
        loc = f->call;
    return loc;
}

Diag *lower_error(Lower *L, int code, Loc loc, const char *format, ...)
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
    return diag(L->ngc, SEV_ERROR, code, site, "%s%s%s", inside ? f->func->name : "", inside ? ": " : "", text);
}

/* Shows an operand's shape under it, and where it is declared. */
static void label(Lower *L, Diag *d, const Expr *x, const Node *n, const char *fit)
{
    Loc loc = x->loc;
    diag_label(L->ngc, d, loc, "%s: %s", source_text(L->ngc, loc), shape_text(L->g, n->shape));
    if (n->op == OP_var)
        diag_note(L->ngc, d, n->attr.var->loc, "%s is declared here%s", n->attr.var->name, fit);
}

/* ---- limits: what is expanded must end, and soon ---------------------------------------------------------- */

enum { MAX_NEST = 2000, MAX_WORK = 300000, MAX_NODES = 4000000 };

static bool stop_here(Lower *L, Loc loc, const char *what, int limit)
{
    if (!L->stopped)
        lower_error(L, 221, loc, "%s: more than %d; calls and loops are written out when compiling", what, limit);
    L->stopped = true;
    return false;
}

bool lower_enter(Lower *L, Loc loc)
{
    if (L->nest >= MAX_NEST)
        stop_here(L, loc, "calls, blocks and operations inside one another", MAX_NEST);
    L->nest += !L->stopped;
    return !L->stopped;
}

bool lower_work(Lower *L, Loc loc)
{
    if (++L->work > MAX_WORK)
        stop_here(L, loc, "calls and passes of loops", MAX_WORK);
    else if (L->g->count > MAX_NODES)
        stop_here(L, loc, "operations", MAX_NODES);
    return !L->stopped;
}

/* ---- operators ----------------------------------------------------------------------------------------- */

static Node *product_error(Lower *L, const Expr *x, Node *a, Node *b, Size inner_a, Size inner_b)
{
    Diag *d = lower_error(L, 301, x->at, "matmul: inner dimensions differ, %s and %s", size_text(L->g, inner_a, ""),
                          size_text(L->g, inner_b, ""));
    Shape fit = b->shape;
    fit.dim[fit.rank > 1 ? fit.rank - 2 : 0] = inner_a;
    label(L, d, x->a, a, "");
    label(L, d, x->b, b, text_format(L->ngc, "; %s would fit", shape_text(L->g, fit)));
    return NULL;
}

/* A @ B by NumPy's rules: vectors become a row or a column for the product, and the axis is dropped again. */
static Node *product(Lower *L, const Expr *x, Node *a, Node *b)
{
    Graph *g = L->g;
    if (a->shape.rank == 0 || b->shape.rank == 0) {
        Diag *d = lower_error(L, 302, x->at, "matmul: a scalar has no matrix product; use *");
        label(L, d, x->a, a, "");
        label(L, d, x->b, b, "");
        return NULL;
    }
    bool row = a->shape.rank == 1, column = b->shape.rank == 1;
    Size inner_a = a->shape.dim[a->shape.rank - 1], inner_b = b->shape.dim[column ? 0 : b->shape.rank - 2];
    if (inner_a != inner_b)
        return product_error(L, x, a, b, inner_a, inner_b);
    if (row && column)
        return graph_reduce(g, OP_sum, graph_binary(g, OP_mul, a, b), 1);
    Node *m = row ? new_axis(L, a, 0) : a, *n = column ? new_axis(L, b, 1) : b;
    Shape ba = m->shape, bb = n->shape, batch;
    ba.rank -= 2;
    bb.rank -= 2;
    if (!shape_broadcast(ba, bb, &batch)) {
        Diag *d = lower_error(L, 303, x->at, "matmul: batch axes %s and %s do not fit", shape_text(g, ba), shape_text(g, bb));
        label(L, d, x->a, a, "");
        label(L, d, x->b, b, "");
        return NULL;
    }
    if (bb.rank > 0 && !shape_equal(ba, bb)) { /* copies of the smaller batch; a plain right matrix needs none */
        Shape s = batch, t = batch;
        s.rank = t.rank = batch.rank + 2;
        memcpy(s.dim + batch.rank, m->shape.dim + ba.rank, 2 * sizeof *s.dim);
        memcpy(t.dim + batch.rank, n->shape.dim + bb.rank, 2 * sizeof *t.dim);
        m = graph_broadcast(g, m, s);
        n = graph_broadcast(g, n, t);
    }
    Node *c = graph_matmul(g, m, n, false, false);
    Shape s = c->shape;
    if (row)
        s.dim[s.rank - 2] = s.dim[s.rank - 1];
    s.rank -= row + column;
    return graph_reshape(g, c, s);
}

static Node *binary(Lower *L, const Expr *x, Node *a, Node *b)
{
    static const struct { const char *sign; Op op; bool swap; } table[] = {
        {"+", OP_add, false}, {"-", OP_sub, false}, {"*", OP_mul, false}, {"/", OP_div, false}, {"^", OP_pow, false},
        {"<", OP_lt, false},  {"<=", OP_le, false}, {">", OP_lt, true},   {">=", OP_le, true},  {"==", OP_eq, false},
        {"!=", OP_ne, false},
    };
    Shape s;
    L->g->loc = lower_site(L, x->loc);
    if (strcmp(x->name, "@") == 0)
        return product(L, x, a, b);
    if (!shape_broadcast(a->shape, b->shape, &s)) {
        Diag *d = lower_error(L, 303, x->at, "%s: shapes %s and %s do not fit", x->name, shape_text(L->g, a->shape),
                              shape_text(L->g, b->shape));
        label(L, d, x->a, a, "");
        label(L, d, x->b, b, "");
        return NULL;
    }
    if (!shape_fits(L, x->loc, s))
        return NULL;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(x->name, table[i].sign) == 0)
            return graph_binary(L->g, table[i].op, table[i].swap ? b : a, table[i].swap ? a : b);
    ngc_bug("operator %s", x->name);
}

/* A sum of a million terms is a million deep on its left: that side is walked, not recursed into. */
static Value *lower_binary(Lower *L, const Expr *x)
{
    int depth = 0;
    for (const Expr *e = x; e->kind == X_BINARY; e = e->a)
        depth++;
    const Expr **spine = arena_alloc(L->ngc, (size_t)depth * sizeof *spine);
    const Expr *e = x;
    for (int i = depth - 1; i >= 0; i--, e = e->a)
        spine[i] = e;
    Node *a = want_node(L, lower_expr(L, e), "an operand");
    for (int i = 0; i < depth; i++) {
        Node *b = want_node(L, lower_expr(L, spine[i]->b), "an operand");
        a = a && b ? binary(L, spine[i], a, b) : NULL;
    }
    return value_node(L, x->loc, a);
}

static Value *lower_transpose(Lower *L, const Expr *x)
{
    Node *a = expr_node(L, x->a);
    if (a && a->shape.rank < 2) {
        lower_error(L, 308, x->at, "transpose: %s has %d axes; two or more are needed", source_text(L->ngc, x->a->loc), a->shape.rank);
        a = NULL;
    }
    return value_node(L, x->loc, a ? graph_transpose(L->g, a) : NULL);
}

/* ---- names --------------------------------------------------------------------------------------------- */

/* "h.0.W" of the expression, or NULL where it is more than names. */
static const char *dotted(Lower *L, const Expr *x)
{
    if (x->kind == X_NAME)
        return x->name;
    const char *left = x->kind == X_FIELD ? dotted(L, x->a) : NULL;
    return left ? text_format(L->ngc, "%s.%s", left, x->name) : NULL;
}

/* A name that means nothing: the nearest that would. */
static Value *unknown(Lower *L, const Expr *x, const char *what)
{
    const char *near[512];
    int n = builtin_names(near, 256);
    for (Scope *s = L->scope; s; s = s->up)
        for (int i = 0; i < s->buckets; i++)
            for (Binding *b = s->bucket[i]; b && n < 512; b = b->next)
                near[n++] = b->name;
    const char *guess = suggest(L->ngc, x->name, near, n);
    Diag *d = lower_error(L, 201, x->at, "unknown %s '%s'%s%s%s", what, x->name, guess ? "; did you mean '" : "", guess ? guess : "",
                          guess ? "'?" : "");
    Binding *b = guess ? scope_find(L, guess) : NULL;
    if (b && b->loc.file >= 0 && !L->ngc->file[b->loc.file]->library)
        diag_note(L->ngc, d, b->loc, "'%s' is defined here", guess);
    return value_error(L, x->loc);
}

static Value *func_value(Lower *L, Loc loc, const Func *f)
{
    Value *v = value_new(L, V_FUNC, loc);
    v->func = f;
    return v;
}

static Value *lower_name(Lower *L, const Expr *x)
{
    Binding *b = scope_find(L, x->name);
    if (b) {
        Value *v = arena_copy(L->ngc, b->value, sizeof *b->value);
        v->loc = x->loc;
        return v;
    }
    if (strcmp(x->name, "training") == 0)
        return value_node(L, x->loc, graph_training(L->g));
    if (strcmp(x->name, "step") == 0) {
        if (!L->counter)
            L->counter = lower_var(L, VAR_STATE, "step", lower_site(L, x->loc), (Shape){0}, T_INT, graph_int(L->g, 0));
        return value_node(L, x->loc, graph_cast(L->g, L->counter->node, T_FLOAT));
    }
    const Builtin *f = builtin_find(x->name);
    if (f) {
        Func *func = arena_alloc(L->ngc, sizeof *func);
        func->name = f->name;
        func->builtin = f;
        return func_value(L, x->loc, func);
    }
    if (L->formula && !L->frame) {
        Var *v = lower_var(L, VAR_INPUT, x->name, x->loc, (Shape){0}, T_FLOAT, NULL);
        Value *value = value_node(L, x->loc, v->node);
        Scope *here = L->scope;
        L->scope = L->file; /* known to the whole file, wherever it was met first */
        scope_bind(L, x->name, value, x->loc);
        L->scope = here;
        return value;
    }
    return unknown(L, x, "name");
}

static Value *shape_value(Lower *L, Loc loc, Shape s)
{
    Value *item[MAX_RANK];
    for (int i = 0; i < s.rank; i++)
        item[i] = value_node(L, loc, graph_size(L->g, s.dim[i]));
    return value_list(L, loc, item, s.rank);
}

static Value *lower_field(Lower *L, const Expr *x)
{
    if (strcmp(x->name, "shape") == 0) {
        Node *a = expr_node(L, x->a);
        return a ? shape_value(L, x->loc, a->shape) : value_error(L, x->loc);
    }
    const char *path = dotted(L, x);
    Var *v = path ? lower_find_var(L, path) : NULL;
    if (v)
        return value_node(L, x->loc, v->node);
    for (int i = 0; path && i < L->g->count; i++)
        if (L->g->node[i]->name && strcmp(L->g->node[i]->name, path) == 0)
            return value_node(L, x->loc, L->g->node[i]);
    lower_error(L, 202, x->at, "there is no '%s'; a value has .shape, and a weight is named by its path, as in h.W",
                path ? path : x->name);
    return value_error(L, x->loc);
}

/* ---- indexing -------------------------------------------------------------------------------------------- */

typedef struct Index { /* an index being read, axis by axis */
    Node *x;
    int axis;                    /* the next of x */
    Size lo[MAX_RANK], step[MAX_RANK];
    Shape cut;                   /* after the slices */
    Shape shape;                 /* with single elements dropped and new axes put in */
    Node *gather;                /* the int tensor */
    int at;                      /* the axis of `shape` that it replaces */
    Loc loc;
} Index;

/* A place along an axis of this size: counted from the end where negative; must be within it, whatever the dims. */
static bool place(Lower *L, const Value *v, Size size, bool end, Size *out)
{
    int64_t k;
    if (v->kind == V_NODE && v->node->op == OP_size) {
        *out = v->node->attr.size;
        if (size_least(L, size_sub(L->g, size, *out)) >= !end && size_max(L->g, size_sub(L->g, size, *out)) >= !end)
            return true;
        lower_error(L, 309, v->loc, "index %s may be out of range for size %s", size_text(L->g, *out, ""), size_text(L->g, size, ""));
        return false;
    }
    if (!want_whole(L, v, "an index", &k))
        return false;
    int64_t least = size_least(L, size), far = k < 0 ? -k : end ? k : k + 1;
    if (far > least && !(end && size >= 0)) {
        lower_error(L, 309, v->loc, "index %lld is out of range for size %s%s", (long long)k, size_text(L->g, size, ""),
                    size < 0 ? text_format(L->ngc, ", which may be %lld", (long long)least) : "");
        return false;
    }
    if (far > least) /* the end of a slice stops at the end of the axis, as in NumPy */
        k = k < 0 ? 0 : size;
    *out = k < 0 ? size_sub(L->g, size, -k) : k;
    return true;
}

static Value *index_part(Lower *L, const Expr *x, Value *absent)
{
    return x ? lower_expr(L, x) : absent;
}

static bool index_range(Lower *L, Index *ix, const Expr *r)
{
    Graph *g = L->g;
    Size size = ix->x->shape.dim[ix->axis], lo = 0, hi = size;
    int64_t step = 1;
    Value absent = {.kind = V_ABSENT};
    Value *a = index_part(L, r->a, &absent), *b = index_part(L, r->b, &absent), *c = index_part(L, r->c, &absent);
    if (c->kind != V_ABSENT && !want_whole(L, c, "a step", &step))
        return false;
    if (step == 0) {
        lower_error(L, 310, c->loc, "a step of 0 goes nowhere");
        return false;
    }
    if (a->kind != V_ABSENT && !place(L, a, size, step > 0, &lo))
        return false;
    if (b->kind != V_ABSENT && !place(L, b, size, true, &hi))
        return false;
    Size length = size_sub(g, hi, lo);
    if (step < 0) { /* from a down to, not including, b */
        lo = a->kind == V_ABSENT ? size_sub(g, size, 1) : lo;
        length = b->kind == V_ABSENT ? size_add(g, lo, 1) : size_sub(g, lo, hi);
    }
    int64_t by = step < 0 ? -step : step;
    Size rounded = size_add(g, length, by - 1), count;
    if (rounded >= 0 || length >= 0)
        count = length > 0 ? rounded / by : 0;
    else if (!size_div(g, by == 1 ? length : rounded, by, &count)) {
        lower_error(L, 310, r->loc, "a step of %lld along the run-time size %s: the length is not known", (long long)step,
                    size_text(g, size, ""));
        return false;
    }
    if (size_least(L, count) < 1) {
        lower_error(L, 311, r->loc, "an empty slice%s of an axis of size %s", size < 0 ? " is possible" : "", size_text(g, size, ""));
        return false;
    }
    ix->lo[ix->axis] = lo;
    ix->step[ix->axis] = step;
    ix->cut.dim[ix->axis++] = count;
    ix->shape.dim[ix->shape.rank++] = count;
    return true;
}

static bool index_one(Lower *L, Index *ix, const Expr *e)
{
    if (ix->axis == ix->x->shape.rank) {
        lower_error(L, 312, e->loc, "too many indices for shape %s", shape_text(L->g, ix->x->shape));
        return false;
    }
    if (e->kind == X_RANGE)
        return index_range(L, ix, e);
    Value *v = lower_expr(L, e);
    Size size = ix->x->shape.dim[ix->axis];
    Node *i = v->kind == V_ERROR ? NULL : want_node(L, v, "an index");
    if (!i)
        return false;
    if (i->shape.rank == 0 && i->type == T_FLOAT) {
        if (!place(L, v, size, false, &ix->lo[ix->axis]))
            return false;
        ix->cut.dim[ix->axis++] = 1;
        return true;
    }
    if (i->type != T_INT) {
        lower_error(L, 406, e->loc, "an index must be whole: %s is a float tensor", source_text(L->ngc, e->loc));
        return false;
    }
    if (ix->gather) {
        lower_error(L, 313, e->loc, "two int tensors in one index; take_along picks elements along an axis");
        return false;
    }
    if (!index_limit(L, e->loc, i, size))
        return false;
    ix->gather = i;
    ix->at = ix->shape.rank;
    ix->cut.dim[ix->axis++] = size;
    ix->shape.dim[ix->shape.rank++] = size;
    return true;
}

/* How many axes the parts of an index speak of. */
static int index_axes(const Arg *args)
{
    int n = 0;
    for (; args; args = args->next)
        n += args->value->kind != X_NEW && args->value->kind != X_ELLIPSIS;
    return n;
}

static void index_whole(Index *ix)
{
    ix->cut.dim[ix->axis] = ix->x->shape.dim[ix->axis];
    ix->shape.dim[ix->shape.rank++] = ix->x->shape.dim[ix->axis++];
}

/* The new axes and those of the tensor together are few enough. */
static bool index_rank(Lower *L, const Expr *x, const Node *a)
{
    int rank = a->shape.rank, rests = 0;
    for (const Arg *p = x->args; p; p = p->next) {
        rank += p->value->kind == X_NEW;
        rests += p->value->kind == X_ELLIPSIS;
    }
    if (rests > 1) {
        lower_error(L, 312, x->loc, "one '...' stands for all the axes that are left");
        return false;
    }
    if (rank > MAX_RANK)
        lower_error(L, 305, x->loc, "at most %d axes are allowed", MAX_RANK);
    return rank <= MAX_RANK;
}

static Node *index_tensor(Lower *L, const Expr *x, Node *a)
{
    if (!index_rank(L, x, a))
        return NULL;
    Index ix = {.x = a, .cut.rank = a->shape.rank, .loc = x->loc};
    for (int i = 0; i < MAX_RANK; i++)
        ix.step[i] = 1;
    for (const Arg *p = x->args; p; p = p->next) {
        if (p->value->kind == X_ELLIPSIS) {
            for (int left = a->shape.rank - ix.axis - index_axes(p->next); left > 0; left--)
                index_whole(&ix);
        } else if (p->value->kind == X_NEW) {
            ix.shape.dim[ix.shape.rank++] = 1;
        } else if (!index_one(L, &ix, p->value)) {
            return NULL;
        }
    }
    while (ix.axis < a->shape.rank)
        index_whole(&ix);
    L->g->loc = lower_site(L, x->loc);
    Node *n = graph_reshape(L->g, graph_slice(L->g, a, ix.lo, ix.step, ix.cut), ix.shape);
    if (ix.gather && n->shape.rank - 1 + ix.gather->shape.rank > MAX_RANK) {
        lower_error(L, 305, x->loc, "at most %d axes are allowed", MAX_RANK);
        return NULL;
    }
    return ix.gather ? graph_gather(L->g, n, ix.gather, ix.at) : n;
}

static Value *index_list(Lower *L, const Expr *x, const Value *list)
{
    const Expr *e = x->args ? x->args->value : NULL;
    int64_t lo = 0, hi = list->count;
    if (e->kind == X_RANGE) {
        if ((e->a && !want_whole(L, lower_expr(L, e->a), "an index", &lo)) || (e->b && !want_whole(L, lower_expr(L, e->b), "an index", &hi)))
            return value_error(L, x->loc);
        lo += lo < 0 ? list->count : 0;
        hi += hi < 0 ? list->count : 0;
        lo = lo < 0 ? 0 : lo > list->count ? list->count : lo;
        hi = hi < lo ? lo : hi > list->count ? list->count : hi;
        return value_list(L, x->loc, list->item + lo, (int)(hi - lo));
    }
    if (!want_whole(L, lower_expr(L, e), "an index", &lo))
        return value_error(L, x->loc);
    if (lo < -list->count || lo >= list->count) {
        lower_error(L, 309, e->loc, "index %lld is out of range for a list of %d", (long long)lo, list->count);
        return value_error(L, x->loc);
    }
    Value *v = arena_copy(L->ngc, list->item[lo < 0 ? lo + list->count : lo], sizeof *v);
    v->loc = x->loc;
    return v;
}

static Value *lower_index(Lower *L, const Expr *x)
{
    Value *v = lower_expr(L, x->a);
    const Arg *part = x->args;
    if (v->kind == V_LIST && part && !part->next && part->value->kind != X_NEW && part->value->kind != X_ELLIPSIS)
        return index_list(L, x, v);
    Node *a = v->kind == V_ERROR ? NULL : want_node(L, v, "what is indexed");
    return value_node(L, x->loc, a ? index_tensor(L, x, a) : NULL);
}

/* ---- calls ------------------------------------------------------------------------------------------------- */

typedef struct Call { /* arguments, matched to the parameters of what is called */
    const char *name[MAX_PARAMS];
    const Expr *otherwise[MAX_PARAMS]; /* the default */
    bool optional[MAX_PARAMS];
    Value *value[MAX_PARAMS];
    int count;
} Call;

static void call_params(Lower *L, const Func *f, Call *c)
{
    c->count = 0;
    if (f->def) {
        for (const Arg *p = f->def->values; p && c->count < MAX_PARAMS; p = p->next) {
            c->name[c->count] = p->name;
            c->otherwise[c->count] = p->value;
            c->optional[c->count++] = p->value != NULL;
        }
        return;
    }
    for (const char *p = f->builtin->params; *p; p += strspn(p, " ")) { /* "x axis? keepdims?" */
        size_t n = strcspn(p, " ?");
        c->name[c->count] = intern(L->ngc, p, n);
        c->optional[c->count++] = p[n] == '?';
        p += n + (p[n] == '?');
    }
}

/* Puts a value at the parameter of that name, or reports that there is none. */
static bool call_named(Lower *L, const Func *f, Call *c, const Arg *a, Value *v)
{
    for (int i = 0; i < c->count; i++)
        if (strcmp(c->name[i], a->name) == 0) {
            if (c->value[i]) {
                lower_error(L, 212, a->loc, "%s: argument '%s' is given twice", f->name, a->name);
                return false;
            }
            c->value[i] = v;
            return true;
        }
    const char *guess = suggest(L->ngc, a->name, c->name, c->count);
    lower_error(L, 211, a->loc, "%s has no argument '%s'%s%s%s", f->name, a->name, guess ? "; did you mean '" : "", guess ? guess : "",
                guess ? "'?" : "");
    return false;
}

static const char *call_form(Lower *L, const Func *f, const Call *c)
{
    Text t = {.ngc = L->ngc};
    text_add(&t, "%s(", f->name);
    for (int i = 0; i < c->count; i++)
        text_add(&t, "%s%s%s", i ? ", " : "", c->name[i], c->optional[i] ? " = ..." : "");
    text_add(&t, ")");
    return t.at;
}

/* Matches arguments to parameters; holes of a layer take the positional arguments in order. */
static bool call_match(Lower *L, const Func *f, Call *c, Value **first, int firsts, const Arg *args, Value **given, Loc loc)
{
    int next = 0, n = 0;
    call_params(L, f, c);
    if (firsts > c->count) {
        lower_error(L, 213, loc, "%s is given %d argument%s first: %s", f->name, firsts, firsts == 1 ? "" : "s", call_form(L, f, c));
        return false;
    }
    for (int i = 0; i < firsts; i++)
        c->value[next++] = first[i];
    for (const Arg *a = args; a; a = a->next, n++) {
        Value *v = given[n];
        if (v->kind == V_ERROR)
            return false;
        if (a->name) {
            if (!call_named(L, f, c, a, v))
                return false;
        } else if (next >= c->count) {
            lower_error(L, 213, a->loc, "%s takes %d argument%s: %s", f->name, c->count, c->count == 1 ? "" : "s", call_form(L, f, c));
            return false;
        } else {
            c->value[next++] = v;
        }
    }
    for (int i = 0; i < c->count; i++)
        if (!c->value[i] && !c->optional[i]) {
            lower_error(L, 214, loc, "%s: argument '%s' is missing: %s", f->name, c->name[i], call_form(L, f, c));
            return false;
        }
    return true;
}

static Value *call_builtin(Lower *L, const Func *f, Call *c, Loc loc)
{
    static Value absent = {.kind = V_ABSENT, .loc = {.file = -1}};
    for (int i = 0; i < c->count; i++)
        if (!c->value[i])
            c->value[i] = &absent;
    L->g->loc = lower_site(L, loc);
    if (f->builtin->call)
        return f->builtin->call(L, loc, c->value);
    Node *arg[3];
    Shape s = {0};
    for (int i = 0; i < c->count; i++) {
        arg[i] = want_node(L, c->value[i], c->name[i]);
        if (!arg[i])
            return value_error(L, loc);
        if (!shape_broadcast(s, arg[i]->shape, &s)) {
            lower_error(L, 303, loc, "%s: shapes %s and %s do not fit", f->name, shape_text(L->g, s), shape_text(L->g, arg[i]->shape));
            return value_error(L, loc);
        }
    }
    Op op = f->builtin->op;
    return value_node(L, loc, c->count == 1 ? graph_unary(L->g, op, arg[0]) : c->count == 2 ? graph_binary(L->g, op, arg[0], arg[1])
                                                                                       : graph_where(L->g, arg[0], arg[1], arg[2]));
}

/* Executes the body of a def in a scope of its own; what it declares is named below `path`. */
static Value *call_def(Lower *L, const Func *f, Call *c, Loc loc, Path *path, Layer *layer)
{
    Lower saved = *L;
    Frame frame = {L->frame, f, layer, loc};
    Value *result = NULL;
    if (!lower_work(L, loc))
        return value_error(L, loc);
    if (f->active) {
        lower_error(L, 215, loc, "%s calls itself: everything is expanded when compiling, so recursion cannot end", f->name);
        return value_error(L, loc);
    }
    int errors = L->ngc->errors;
    ((Func *)f)->active = true;
    L->frame = &frame;
    L->scope = scope_new(L, SCOPE_CALL, f->env);
    L->scope->serial = f->serial;
    L->path = path;
    L->target = path;
    L->calls = NULL;
    L->passes = 0;
    L->branch = 0;
    for (int i = 0; i < c->count; i++)
        scope_bind(L, c->name[i], c->value[i] ? c->value[i] : lower_expr(L, c->otherwise[i]), f->def->at);
    if (f->def->value)
        result = lower_expr(L, f->def->value);
    else
        lower_block(L, f->def->body, &result);
    ((Func *)f)->active = false;
    L->frame = saved.frame;
    L->scope = saved.scope;
    L->path = saved.path;
    L->target = saved.target;
    L->calls = saved.calls;
    L->passes = saved.passes;
    L->branch = saved.branch;
    if (!result && L->ngc->errors == errors)
        lower_error(L, 216, loc, "%s returns nothing", f->name);
    if (!result)
        return value_error(L, loc);
    result = arena_copy(L->ngc, result, sizeof *result);
    result->loc = loc;
    return result;
}

/* The path of a call: a number under the assigned name, or the function's name where nothing is assigned. */
static Path *call_path(Lower *L, const Func *f)
{
    if (!L->calls)
        return path_new(L, L->target, f->name);
    Path *p = path_new(L, L->target, NULL);
    p->number = -1;
    p->calls = L->calls;
    return p;
}

static Value *layer_new(Lower *L, const Expr *x, const Func *f, Value **given, int count)
{
    Value *v = value_new(L, V_LAYER, x->loc);
    v->layer = arena_alloc(L->ngc, sizeof *v->layer);
    *v->layer = (Layer){.func = f, .call = x, .arg = arena_copy(L->ngc, given, (size_t)count * sizeof *given), .path = call_path(L, f)};
    if (v->layer->path->calls)
        v->layer->path->number = (*v->layer->path->calls)++;
    return v;
}

/* cell(x, h): the open arguments of the layer, in order. */
static Value *layer_call(Lower *L, const Expr *x, Layer *layer, Value **given, int count)
{
    Value *arg[MAX_PARAMS];
    int n = 0, used = 0;
    for (const Arg *a = x->args; a; a = a->next)
        if (a->name || a->value->kind == X_HOLE) {
            lower_error(L, 213, a->loc, "the open arguments of a layer are given in order and without names");
            return value_error(L, x->loc);
        }
    for (const Arg *a = layer->call->args; a; a = a->next, n++) {
        arg[n] = layer->arg[n];
        if (arg[n]->kind == V_HOLE && used < count)
            arg[n] = given[used++];
        if (arg[n]->kind == V_HOLE) {
            lower_error(L, 214, x->loc, "this layer of %s has more open arguments than the %d given", layer->func->name, count);
            return value_error(L, x->loc);
        }
    }
    if (used < count) {
        lower_error(L, 213, x->loc, "this layer of %s has %d open arguments, not %d", layer->func->name, used, count);
        return value_error(L, x->loc);
    }
    Call c = {0};
    if (!call_match(L, layer->func, &c, NULL, 0, layer->call->args, arg, x->loc))
        return value_error(L, x->loc);
    return layer->func->def ? call_def(L, layer->func, &c, x->loc, layer->path, layer) : call_builtin(L, layer->func, &c, x->loc);
}

Value *lower_call(Lower *L, const Expr *x, Value **first, int firsts, Path *path)
{
    Value *given[MAX_PARAMS], *f;
    int count = 0;
    bool open = false;
    if (x->a->kind == X_NAME && !scope_find(L, x->a->name) && !builtin_find(x->a->name)) {
        f = unknown(L, x->a, "function");
    } else {
        f = lower_expr(L, x->a);
    }
    for (const Arg *a = x->args; a; a = a->next) {
        if (count == MAX_PARAMS) {
            lower_error(L, 213, a->loc, "more than %d arguments", MAX_PARAMS);
            return value_error(L, x->loc);
        }
        bool hole = a->value->kind == X_HOLE;
        given[count++] = hole ? value_new(L, V_HOLE, a->value->loc) : lower_expr(L, a->value);
        open |= hole;
    }
    if (f->kind == V_ERROR)
        return f;
    if (f->kind == V_LAYER)
        return layer_call(L, x, f->layer, given, count);
    if (f->kind != V_FUNC) {
        lower_error(L, 217, x->loc, "%s is %s, not a function", value_text(L, f), kind_text(f));
        return value_error(L, x->loc);
    }
    if (open)
        return layer_new(L, x, f->func, given, count);
    Call c = {0};
    if (!call_match(L, f->func, &c, first, firsts, x->args, given, x->loc))
        return value_error(L, x->loc);
    if (f->func->builtin)
        return call_builtin(L, f->func, &c, x->loc);
    return call_def(L, f->func, &c, x->loc, path ? path : call_path(L, f->func), NULL);
}

/* ---- expressions --------------------------------------------------------------------------------------------- */

static Value *lower_list(Lower *L, const Expr *x)
{
    int n = 0;
    for (const Arg *a = x->args; a; a = a->next)
        n++;
    Value **item = arena_alloc(L->ngc, (size_t)(n + 1) * sizeof *item);
    n = 0;
    for (const Arg *a = x->args; a; a = a->next) {
        item[n] = lower_expr(L, a->value);
        if (item[n++]->kind == V_ERROR)
            return value_error(L, x->loc);
    }
    return value_list(L, x->loc, item, n);
}

static Value *expr_value(Lower *L, const Expr *x)
{
    Value *v;
    Node *n;
    switch (x->kind) {
    case X_NUM: return value_number(L, x->loc, x->num);
    case X_STR:
        v = value_new(L, V_TEXT, x->loc);
        v->text = x->name;
        return v;
    case X_NAME: return lower_name(L, x);
    case X_FIELD: return lower_field(L, x);
    case X_CALL: return lower_call(L, x, NULL, 0, NULL);
    case X_INDEX: return lower_index(L, x);
    case X_LIST: return lower_list(L, x);
    case X_NEG:
        n = expr_node(L, x->a);
        L->g->loc = lower_site(L, x->loc);
        return value_node(L, x->loc, n ? graph_unary(L->g, OP_neg, n) : NULL);
    case X_TRANSPOSE: return lower_transpose(L, x);
    case X_BINARY: return lower_binary(L, x);
    case X_HOLE:
        lower_error(L, 110, x->loc, "'_' stands for an argument of a call that is left open, as in cell = rnn_cell(_, _, 64)");
        return value_error(L, x->loc);
    case X_RANGE: case X_NEW: case X_ELLIPSIS: break;
    }
    lower_error(L, 110, x->loc, "this belongs inside an index");
    return value_error(L, x->loc);
}

Value *lower_expr(Lower *L, const Expr *x)
{
    if (!lower_enter(L, x->loc))
        return value_error(L, x->loc);
    Value *v = expr_value(L, x);
    L->nest--;
    return v;
}
