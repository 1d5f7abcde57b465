/* graph_map.c - builders of elementwise nodes, with the identities that hold for every value. */
#include "graph/build.h"

#include <math.h>

/* ---- elementwise ---- */

Node *graph_cast(Graph *g, Node *a, Type type)
{
    double v;
    if (a->type == type)
        return a;
    if (node_const(a, &v))
        return graph_expand(g, number(g, type, v), a->shape, all_axes(a->shape));

    return graph_add(g, (Node){.op = OP_cast, .type = type, .shape = a->shape, .nargs = 1}, &a);
}

/* Is n an int, or a whole constant that is one too? */
static bool fits_int(const Node *n)
{
    double v;
    if (n->type == T_INT)
        return true;
    return node_const(n, &v) && is_int32(v);
}

/* Is n a run-time size, which beside ints is an int? (But not in a product, which may be too
 * large.) */
static bool fits_size(const Graph *g, Op op, const Node *n)
{
    while (n->op == OP_expand)
        n = n->arg[0];
    return op != OP_mul && n->op == OP_size && size_max(g, n->attr.size) < 1000000000;
}

/* Gives the operands one type, and returns it. It is int only if one is int and all fit int. */
static Type unify(Graph *g, Op op, Node **arg, int n)
{
    bool keeps = op_info[op]->flags & F_INT;
    int first = op_info[op]->flags & F_CONDITION ? 1 : 0;

    bool any_int = false, whole = true;
    for (int i = first; i < n; i++) {
        any_int |= arg[i]->type == T_INT;
        whole &= fits_int(arg[i]) || fits_size(g, op, arg[i]);
    }

    Type t = keeps && any_int && whole ? T_INT : T_FLOAT;
    for (int i = first; i < n; i++)
        arg[i] = graph_cast(g, arg[i], t);
    return t;
}

/* Is n never NaN or infinite, whatever the inputs are? Looks at most `depth` operands deep. */
static bool finite(const Node *n, int depth)
{
    double v;
    if (node_const(n, &v))
        return isfinite(v);
    if (depth == 0)
        return false;
    if (op_info[n->op]->test)
        return true;

    switch (n->op) {
    case OP_size:
    case OP_iota:
    case OP_training: return true;
    case OP_expand:
    case OP_cast:
    case OP_permute:
    case OP_reshape: return finite(n->arg[0], depth - 1);
    case OP_sub:
    case OP_mul: return finite(n->arg[0], depth - 1) && finite(n->arg[1], depth - 1);
    default: return n->type == T_INT;
    }
}

static Node *fold_add(Graph *g, Node *a, Node *b)
{
    if (node_is(b, 0))
        return a;
    if (node_is(a, 0))
        return b;

    if (is(g, b, OP_neg))
        return graph_binary(g, OP_sub, a, b->arg[0]);
    if (is(g, a, OP_neg))
        return graph_binary(g, OP_sub, b, a->arg[0]);
    return NULL;
}

static Node *fold_sub(Graph *g, Node *a, Node *b)
{
    if (node_is(b, 0))
        return a;
    if (node_is(a, 0))
        return graph_unary(g, OP_neg, b);
    if (is(g, b, OP_neg))
        return graph_binary(g, OP_add, a, b->arg[0]);
    return NULL;
}

static Node *fold_mul(Graph *g, Node *a, Node *b)
{
    double number;

    if (node_is(b, 1))
        return a;
    if (node_is(a, 1))
        return b;
    if (node_is(b, -1))
        return graph_unary(g, OP_neg, a);
    if (node_is(a, -1))
        return graph_unary(g, OP_neg, b);
    if (node_is(b, 0) && finite(a, 8))
        return b;
    if (node_is(a, 0) && finite(b, 8))
        return a;

    /* Two signs cancel, and one before a number goes into it. */
    if (is(g, a, OP_neg) && is(g, b, OP_neg))
        return graph_binary(g, OP_mul, a->arg[0], b->arg[0]);
    if (is(g, a, OP_neg) && node_const(b, &number))
        return graph_binary(g, OP_mul, a->arg[0], graph_unary(g, OP_neg, b));
    if (is(g, b, OP_neg) && node_const(a, &number))
        return graph_binary(g, OP_mul, graph_unary(g, OP_neg, a), b->arg[0]);
    return NULL;
}

static Node *fold_div(Graph *g, Node *a, const Node *b)
{
    if (node_is(b, 1))
        return a;
    if (node_is(b, -1))
        return graph_unary(g, OP_neg, a);
    return NULL;
}

/* Small powers become products, once no more gradients can be asked for. */
static Node *fold_pow(Graph *g, Node *a, const Node *b)
{
    if (node_is(b, 1))
        return a;
    if (node_is(b, 0))
        return graph_full(g, a->shape, 1); /* as in C, NumPy and PyTorch, also for NaN */
    if (!g->final)
        return NULL;

    if (node_is(b, 2))
        return graph_binary(g, OP_mul, a, a);
    if (node_is(b, 3))
        return graph_binary(g, OP_mul, graph_binary(g, OP_mul, a, a), a);
    if (node_is(b, -1))
        return graph_binary(g, OP_div, graph_full(g, a->shape, 1), a);
    return NULL;
}

/* The identities of sums, products and powers; NULL: none applies. a and b have one shape and type.
 */
static Node *fold_binary(Graph *g, Op op, Node *a, Node *b)
{
    switch (op) {
    case OP_add: return fold_add(g, a, b);
    case OP_sub: return fold_sub(g, a, b);
    case OP_mul: return fold_mul(g, a, b);
    case OP_div: return fold_div(g, a, b);
    case OP_pow: return fold_pow(g, a, b);
    default: return NULL;
    }
}

static Node *elementwise(Graph *g, Op op, Node **arg, int n);

/* op(reshape x, reshape y) = reshape op(x, y) where the reshapes only insert axes of size 1, as
 * keepdims does: the reshape moves down to one that removes these axes, and they cancel. Operands
 * that are copies of one number take any shape. NULL: the operands are not of this form. */
static Node *fold_reshape(Graph *g, Op op, Node **arg, int n, Shape shape)
{
    Node *like = NULL; /* an operand of the reshapes */
    for (int i = 0; i < n; i++) {
        if (is(g, arg[i], OP_expand) && arg[i]->arg[0]->shape.rank == 0)
            continue;
        if (!is(g, arg[i], OP_reshape))
            return NULL;

        Node *x = arg[i]->arg[0];
        if (x->shape.rank >= shape.rank || !trivial(shape, x->shape))
            return NULL;
        if (like && !shape_equal(like->shape, x->shape))
            return NULL;
        like = x;
    }

    if (!like)
        return NULL;

    Node *in[3];
    for (int i = 0; i < n; i++) {
        in[i] = arg[i]->arg[0];
        if (arg[i]->op != OP_reshape)
            in[i] = graph_expand(g, in[i], like->shape, all_axes(like->shape));
    }
    return graph_reshape(g, elementwise(g, op, in, n), shape);
}

/* op(expand x, expand y) = expand op(x, y): computed once instead of once per copy. NULL: the
 * operands are not copies along the same axes. */
static Node *fold_expand(Graph *g, Op op, Node **arg, int n, Shape shape)
{
    uint32_t axes = 0;
    for (int i = 0; i < n; i++) {
        double v;
        if (node_const(arg[i], &v))
            continue;
        if (!is(g, arg[i], OP_expand) || (axes && arg[i]->attr.axes != axes))
            return NULL;
        axes = arg[i]->attr.axes;
    }

    if (!axes)
        return NULL;

    Node *in[3];
    Shape small = shape_without(shape, axes);
    for (int i = 0; i < n; i++) {
        double v;
        if (node_const(arg[i], &v))
            in[i] = refill(g, arg[i], small);
        else
            in[i] = arg[i]->arg[0];
    }
    return graph_expand(g, elementwise(g, op, in, n), shape, axes);
}

/* Sizes are computed as sizes as long as they are whole: m*10 is a size, m/2 is a float. */
static Node *fold_size(Graph *g, Op op, Node *a, Node *b)
{
    double v = 0;
    Size s[2];
    Node *arg[2] = {a, b};

    if (a->op != OP_size && b->op != OP_size)
        return NULL;

    for (int i = 0; i < 2; i++) {
        if (arg[i]->op == OP_size)
            s[i] = arg[i]->attr.size;
        else if (node_const(arg[i], &v) && v == floor(v) && fabs(v) < 1e15)
            s[i] = (Size)v;
        else
            return NULL;
    }

    /* A negative number is not a Size, but m + -1 is m - 1. */
    if (a->op == OP_const && s[0] < 0)
        return NULL;
    if (b->op == OP_const && s[1] < 0) {
        if (op != OP_add)
            return NULL;
        return graph_size(g, size_sub(g, s[0], -s[1]));
    }

    switch (op) {
    case OP_add: return graph_size(g, size_add(g, s[0], s[1]));
    case OP_sub: return graph_size(g, size_sub(g, s[0], s[1]));
    case OP_mul: return graph_size(g, size_mul(g, s[0], s[1]));

    case OP_div:
        if (s[1] == 0 || !size_div(g, s[0], s[1], &s[0]))
            return NULL;
        return graph_size(g, s[0]);

    default: return NULL;
    }
}

static Node *elementwise(Graph *g, Op op, Node **arg, int n)
{
    const OpInfo *info = op_info[op];
    Shape shape = arg[0]->shape;
    for (int i = 1; i < n; i++)
        if (!shape_broadcast(shape, arg[i]->shape, &shape))
            ngc_bug("%s: shapes %s and %s", info->name, shape_text(g, shape),
                    shape_text(g, arg[i]->shape));

    Type type = unify(g, op, arg, n);
    if (info->test)
        type = T_FLOAT;

    /* operands of one shape; of constants, the value is known */
    double v[3] = {0};
    bool constant = true;
    for (int i = 0; i < n; i++) {
        constant &= node_const(arg[i], &v[i]);
        arg[i] = graph_broadcast(g, arg[i], shape);
    }

    if (constant) {
        double r;
        if (type == T_INT)
            r = op_value_int(op, v);
        else
            r = info->value(v[0], v[1], v[2]);
        return graph_expand(g, number(g, type, r), shape, all_axes(shape));
    }

    /* identities, before a node is made */
    Node *folded = fold_expand(g, op, arg, n, shape);
    if (!folded)
        folded = fold_reshape(g, op, arg, n, shape);
    if (!folded && n == 2)
        folded = fold_size(g, op, arg[0], arg[1]);
    if (!folded && n == 2 && !g->ngc->opt.literal)
        folded = fold_binary(g, op, arg[0], arg[1]);
    if (folded)
        return folded;
    return graph_add(g, (Node){.op = op, .type = type, .shape = shape, .nargs = n}, arg);
}

/* floor and ceil of a size, or of a size divided by a whole number, where that is a size again;
 * else NULL. */
static Node *round_size(Graph *g, Op op, Node *a)
{
    double v;
    Size s;

    if (op != OP_floor && op != OP_ceil)
        return NULL;
    if (a->op == OP_size)
        return a;
    if (!is(g, a, OP_div) || a->arg[0]->op != OP_size || !node_const(a->arg[1], &v))
        return NULL;
    if (v < 1 || v != floor(v) || v > 1e9)
        return NULL;

    s = a->arg[0]->attr.size;
    if (op == OP_ceil)
        s = size_add(g, s, (Size)v - 1);
    if (!size_floor(g, s, (int64_t)v, &s))
        return NULL;
    return graph_size(g, s);
}

Node *graph_as_int(Graph *g, Node *a)
{
    double v;
    if (a->type == T_INT)
        return a;
    if (node_const(a, &v)) {
        double whole = op_info[OP_as_int]->value(v, 0, 0);
        return graph_expand(g, number(g, T_INT, whole), a->shape, all_axes(a->shape));
    }
    return graph_add(g, (Node){.op = OP_as_int, .type = T_INT, .shape = a->shape, .nargs = 1}, &a);
}

Node *graph_unary(Graph *g, Op op, Node *a)
{
    Node *size = round_size(g, op, a);
    if (size)
        return size;
    if (op == OP_copy)
        return a;
    if (op != OP_neg)
        return elementwise(g, op, &a, 1);

    /* -(-u) = u */
    if (is(g, a, OP_neg))
        return a->arg[0];
    /* -(u - v) = v - u */
    if (is(g, a, OP_sub))
        return graph_binary(g, OP_sub, a->arg[1], a->arg[0]);
    /* -((u - v)*w) = (v - u)*w, and the same for a quotient */
    if ((is(g, a, OP_mul) || is(g, a, OP_div)) && is(g, a->arg[0], OP_sub))
        return graph_binary(g, a->op, graph_unary(g, OP_neg, a->arg[0]), a->arg[1]);
    return elementwise(g, op, &a, 1);
}

Node *graph_binary(Graph *g, Op op, Node *a, Node *b)
{
    return elementwise(g, op, (Node *[]){a, b}, 2);
}

/* Are c and d comparisons of the same two operands of which at most one is true? */
static bool exclude_each_other(const Node *c, const Node *d)
{
    if (c->op == OP_le || c->op == OP_ne) {
        const Node *first = c;
        c = d;
        d = first;
    }
    if (c->op != OP_lt && c->op != OP_eq)
        return false;
    if (d->op != OP_lt && d->op != OP_le && d->op != OP_eq && d->op != OP_ne)
        return false;

    bool same = c->arg[0] == d->arg[0] && c->arg[1] == d->arg[1];
    bool swapped = c->arg[0] == d->arg[1] && c->arg[1] == d->arg[0];

    if (c->op == OP_eq) /* a = b, a != b */
        return d->op == OP_ne && (same || swapped);
    if (d->op == OP_eq) /* a < b, a = b */
        return same || swapped;
    return swapped && d->op != OP_ne; /* a < b, b < a or b <= a */
}

Node *graph_where(Graph *g, Node *c, Node *a, Node *b)
{
    double v;
    if (node_const(c, &v)) {
        Shape shape;
        if (!shape_broadcast(c->shape, a->shape, &shape) ||
            !shape_broadcast(shape, b->shape, &shape))
            ngc_bug("where: shapes do not fit");
        Node *arg[3] = {c, a, b};
        unify(g, OP_where, arg, 3);
        return graph_broadcast(g, v != 0 ? arg[1] : arg[2], shape);
    }

    if (a == b && shape_equal(a->shape, c->shape))
        return a;
    if (is(g, a, OP_where) && a->arg[0] == c) /* the same condition again */
        return graph_where(g, c, a->arg[1], b);
    if (is(g, b, OP_where) && b->arg[0] == c)
        return graph_where(g, c, a, b->arg[2]);
    if (is(g, b, OP_where) && b->arg[2] == a && exclude_each_other(c, b->arg[0]))
        return b;
    return elementwise(g, OP_where, (Node *[]){c, a, b}, 3);
}

Node *graph_stop(Graph *g, Node *a)
{
    double v;
    if (g->final || node_const(a, &v))
        return a;
    return graph_add(g, (Node){.op = OP_stop, .type = a->type, .shape = a->shape, .nargs = 1}, &a);
}

Node *graph_given(Graph *g, const Given *given, Node *const *arg)
{
    Node n = {.op = OP_given,
              .type = arg[0]->type,
              .shape = arg[0]->shape,
              .nargs = 1 + given->count + given->outers,
              .attr.given = given};
    return graph_add(g, n, arg);
}
