/* simplify_reduce.c - algebra of sums over axes: what leaves them, and their quotients in
 * derivatives. Requires and keeps what simplify.c does.
 */
#include "graph/simplify.h"

/* ---- the derivative of e/sum(e) ---- */

enum { DEEP = 8 }; /* nodes on a way that is followed */

/* The divisor in x that repeats the sum of e; NULL: there is none at the ends of its sums. */
static const Node *find_total(Graph *g, const Node *x, const Node *e, int depth)
{
    if (depth > DEEP || !is_open(g, x))
        return NULL;

    switch (x->op) {
    case OP_div: return is_total(g, x->arg[1], e) ? x->arg[1] : NULL;
    case OP_neg:
    case OP_add:
    case OP_sub: return find_total(g, x->arg[0], e, depth + 1);
    case OP_mul: {
        const Node *found = find_total(g, x->arg[0], e, depth + 1);
        if (found)
            return found;
        return find_total(g, x->arg[1], e, depth + 1);
    }
    default: return NULL;
    }
}

/* y where x = y/total, or NULL. `total` is that of find_total, or the sums that it repeats. */
static Node *over_total(Graph *g, const Node *x, const Node *total, int depth)
{
    Node *y, *z;
    if (depth > DEEP || !is_open(g, x))
        return NULL;

    switch (x->op) {
    case OP_div: return x->arg[1] == total ? x->arg[0] : NULL;
    case OP_neg:
        y = over_total(g, x->arg[0], total, depth + 1);
        if (!y)
            return NULL;
        return graph_unary(g, OP_neg, y);
    case OP_add:
    case OP_sub:
        y = over_total(g, x->arg[0], total, depth + 1);
        /* both sides must have the total as divisor, or the sum has not */
        if (y)
            z = over_total(g, x->arg[1], total, depth + 1);
        else
            z = NULL;
        if (!z)
            return NULL;
        return graph_binary(g, x->op, y, z);
    case OP_mul:
        for (int i = 0; i < 2; i++) {
            y = over_total(g, x->arg[i], total, depth + 1);
            if (y)
                return graph_binary(g, OP_mul, y, x->arg[1 - i]);
        }
        return NULL;
    case OP_expand: /* one number for each sum */
        if (total->op != OP_expand || x->attr.axes != total->attr.axes)
            return NULL;
        y = over_total(g, x->arg[0], total->arg[0], depth + 1);
        if (!y)
            return NULL;
        return graph_expand(g, y, x->shape, x->attr.axes);
    default: return NULL;
    }
}

/* e*(dy/s + expand(r/s)) = (dy + expand(r))*(e/s), where s repeats the sum of e: of e, derivatives
 * need only the quotient, which the forward pass has too. So only one of the two is kept. */
Node *simplify_share(Graph *g, Node *n)
{
    for (int i = 0; i < 2 && n->op == OP_mul && node_is_derived(n) && is_open(g, n); i++) {
        Node *e = n->arg[i];
        Node *x = n->arg[1 - i];
        const Node *total = find_total(g, x, e, 0);
        Node *y = NULL;
        if (total)
            y = over_total(g, x, total, 0);
        if (y)
            return graph_binary(g, OP_mul, y, graph_binary(g, OP_div, e, (Node *)total));
    }
    return n;
}

/* ---- reductions ---- */

/* The factor of a sum that is the same for all that is summed, as the sum's shape has it; NULL: it
 * is not. */
static Node *constant_along(Graph *g, Node *n, uint32_t axes)
{
    if (!is_open_op(g, n, OP_expand) || (n->attr.axes & axes) != axes)
        return NULL;
    uint32_t outer = 0;
    /* the axes along which it is the same, numbered as in the result, which lacks those that are
     * summed */
    for (int i = 0, kept = 0; i < n->shape.rank; i++)
        if (!(axes >> i & 1))
            outer |= (n->attr.axes >> i & 1) << kept++;
    return graph_expand(g, n->arg[0], shape_without(n->shape, axes), outer);
}

/* Each label is one of the classes (checked at run time), so a row of one_hot sums to 1. */
static bool is_one_hot(const Node *n, uint32_t axes)
{
    if (n->op != OP_eq)
        return false;
    for (int i = 0; i < 2; i++) {
        const Node *k = n->arg[i];
        const Node *t = n->arg[1 - i];
        if (k->op != OP_iota || axes != 1u << k->attr.axis || t->op != OP_expand ||
            t->attr.axes != axes)
            continue;
        /* views of labels have labels as elements */
        t = t->arg[0];
        while (t->op == OP_slice || t->op == OP_reshape || t->op == OP_permute)
            t = t->arg[0];
        Size classes = k->shape.dim[k->attr.axis];
        if (t->op == OP_checked)
            return t->attr.size == classes;
        return t->op == OP_var && t->attr.var->limit > 0 && t->attr.var->limit <= classes;
    }
    return false;
}

/* What is left of a product without one factor that is the same for all that is summed; NULL: it
 * has none. A quotient inside is not taken apart: it may be one that is stored, as in a softmax. */
static Node *without_constant(Graph *g, Node *n, uint32_t axes, Node **constant, int depth)
{
    if (!is_open_op(g, n, OP_mul) || depth > DEEP)
        return NULL;

    /* a number deep inside a product stays: it may fold with others there */
    for (int i = 0; i < 2; i++) {
        *constant = constant_along(g, n->arg[i], axes);
        bool number = n->arg[i]->op == OP_expand && n->arg[i]->arg[0]->shape.rank == 0;
        if (*constant && !node_is(*constant, 0) && (depth == 0 || !number))
            return n->arg[1 - i];
    }
    for (int i = 0; i < 2; i++) {
        Node *rest = without_constant(g, n->arg[i], axes, constant, depth + 1);
        if (rest)
            return i == 0 ? graph_binary(g, OP_mul, rest, n->arg[1])
                          : graph_binary(g, OP_mul, n->arg[0], rest);
    }
    return NULL;
}

/* x where the product n is -x; else NULL. */
static Node *positive(Graph *g, const Node *n)
{
    for (int i = 0; i < 2 && is_open_op(g, n, OP_mul); i++)
        if (is_open_op(g, n->arg[i], OP_neg))
            return graph_binary(g, OP_mul, n->arg[i]->arg[0], n->arg[1 - i]);
    return NULL;
}

/* Is n this number of elements? */
static bool is_count(const Node *n, Size count)
{
    double v;
    while (n->op == OP_expand)
        n = n->arg[0];
    if (node_const(n, &v))
        return count > 0 && v == (double)count;
    return n->op == OP_size && n->attr.size == count;
}

/* Is n = x - mean(x), so that its sum over these axes is 0? */
static bool is_deviation(Graph *g, const Node *n, uint32_t axes)
{
    if (n->op != OP_sub || n->arg[1]->op != OP_expand || n->arg[1]->attr.axes != axes)
        return false;

    /* mean = sum(x)/count over the same axes */
    const Node *mean = n->arg[1]->arg[0];
    if (mean->op != OP_div)
        return false;
    const Node *sum = mean->arg[0];
    if (sum->op != OP_sum || sum->arg[0] != n->arg[0] || sum->attr.axes != axes)
        return false;

    Size count = 1;
    for (int i = 0; i < n->shape.rank; i++)
        if (axes >> i & 1)
            count = size_mul(g, count, n->shape.dim[i]);
    return is_count(mean->arg[1], count);
}

/* Is the sum of n 0, but for rounding: is n a deviation, times what is the same for all of them? */
static bool sums_to_zero(Graph *g, const Node *n, uint32_t axes, int depth)
{
    if (is_deviation(g, n, axes))
        return true;
    if (!is_open(g, n) || depth > DEEP)
        return false;

    if (n->op == OP_neg)
        return sums_to_zero(g, n->arg[0], axes, depth + 1);
    if (n->op == OP_div)
        return constant_along(g, n->arg[1], axes) && sums_to_zero(g, n->arg[0], axes, depth + 1);
    for (int i = 0; i < 2 && n->op == OP_mul; i++)
        if (constant_along(g, n->arg[i], axes) && sums_to_zero(g, n->arg[1 - i], axes, depth + 1))
            return true;
    return false;
}

/* The sum of a: what is the same for all that is summed, and a sign, are taken out of it. */
static Node *simple_sum(Graph *g, Node *a, uint32_t axes, bool derived)
{
    Node *constant = NULL, *rest = NULL;
    Op op = OP_neg;

    if (derived && sums_to_zero(g, a, axes, 0))
        return graph_full(g, shape_without(a->shape, axes), 0);

    if (is_open(g, a) && a->op == OP_neg) {
        rest = a->arg[0];
    } else if (is_open(g, a) && a->op == OP_div) {
        constant = constant_along(g, a->arg[1], axes);
        if (constant && !node_is(constant, 0))
            rest = a->arg[0];
        else
            rest = NULL;
        op = OP_div;
    } else {
        rest = without_constant(g, a, axes, &constant, 0);
        op = rest ? OP_mul : OP_neg;
        if (!rest)
            rest = positive(g, a);
    }

    /* sum(-x) = -sum(x), sum(c*x) = c*sum(x), sum(x/c) = sum(x)/c */
    if (rest) {
        Node *sum = simple_sum(g, rest, axes, derived);
        if (op == OP_neg)
            return graph_unary(g, OP_neg, sum);
        return graph_binary(g, op, sum, constant);
    }
    if (derived && is_open_op(g, a, OP_add) && sums_to_zero(g, a->arg[1], axes, 0))
        return simple_sum(g, a->arg[0], axes, derived);
    return graph_reduce(g, OP_sum, a, axes);
}

Node *simplify_reduce(Graph *g, Node *n)
{
    Node *a = n->arg[0];
    uint32_t axes = n->attr.axes;

    if (n->op != OP_sum || !is_open(g, a))
        return n;
    if (is_one_hot(a, axes))
        return graph_full(g, n->shape, 1);
    return simple_sum(g, a, axes, node_is_derived(n));
}
