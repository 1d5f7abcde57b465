/* graph_view.c - builders of views and reductions: of two in a row, one is made. */
#include "graph/build.h"

#include <string.h>

/* ---- views ---- */

Node *graph_expand(Graph *g, Node *a, Shape shape, uint32_t axes)
{
    if (!shape_equal(shape_without(shape, axes), a->shape))
        ngc_bug("expand: %s without axes %x is not %s", shape_text(g, shape), axes,
                shape_text(g, a->shape));
    if (axes == 0)
        return a;

    /* Of two expands one is made: the axes of the inner one, as they are numbered in the outer. */
    if (is(g, a, OP_expand)) {
        uint32_t inner = 0;
        for (int i = 0, k = 0; i < shape.rank; i++)
            if (!(axes >> i & 1))
                inner |= (a->attr.axes >> k++ & 1) << i;
        return graph_expand(g, a->arg[0], shape, axes | inner);
    }
    return add_unary(g, OP_expand, shape, a, (struct Attr){.axes = axes});
}

Node *graph_broadcast(Graph *g, Node *a, Shape shape)
{
    uint32_t axes = 0;
    Shape kept = {0};
    if (shape_equal(a->shape, shape))
        return a;

    double v;
    if (node_const(a, &v))
        return refill(g, a, shape);

    int lead = shape.rank - a->shape.rank;
    for (int i = 0; i < shape.rank; i++) {
        if (i < lead || a->shape.dim[i - lead] != shape.dim[i])
            axes |= 1u << i;
        else
            kept.dim[kept.rank++] = shape.dim[i];
    }
    return graph_expand(g, graph_reshape(g, a, kept), shape, axes);
}

/* reshape(expand x), where the reshape only inserts and removes axes of size 1, as
 * expand(reshape x), with the inserted axes among the copies. */
static Node *reshape_expand(Graph *g, Node *a, Shape shape)
{
    Shape from = a->shape;
    Shape small = {0};
    uint32_t axes = 0;
    int i = 0;

    for (int k = 0; k < shape.rank; k++) {
        if (shape.dim[k] == 1) {
            axes |= 1u << k;
            continue;
        }
        while (from.dim[i] == 1)
            i++;
        if (a->attr.axes >> i++ & 1)
            axes |= 1u << k;
        else
            small.dim[small.rank++] = shape.dim[k];
    }
    return graph_expand(g, graph_reshape(g, a->arg[0], small), shape, axes);
}

Node *graph_reshape(Graph *g, Node *a, Shape shape)
{
    double v;
    if (shape_equal(a->shape, shape))
        return a;
    if (shape_count(g, a->shape) != shape_count(g, shape))
        ngc_bug("reshape: %s to %s", shape_text(g, a->shape), shape_text(g, shape));
    if (node_const(a, &v))
        return refill(g, a, shape);
    if (is(g, a, OP_reshape))
        return graph_reshape(g, a->arg[0], shape);
    if (is(g, a, OP_expand) && trivial(a->shape, shape))
        return reshape_expand(g, a, shape);
    return add_unary(g, OP_reshape, shape, a, (struct Attr){0});
}

/* Does the permutation move only axes of size 1? Then it moves no element. */
static bool keeps_order(Shape s, const int *perm)
{
    int last = -1; /* the last axis of another size */
    for (int i = 0; i < s.rank; i++) {
        if (s.dim[perm[i]] == 1)
            continue;
        if (perm[i] < last)
            return false;
        last = perm[i];
    }
    return true;
}

Node *graph_permute(Graph *g, Node *a, const int *perm)
{
    Shape shape = {.rank = a->shape.rank};
    bool same = true;
    double v;

    for (int i = 0; i < shape.rank; i++) {
        shape.dim[i] = a->shape.dim[perm[i]];
        same &= perm[i] == i;
    }

    if (same)
        return a;
    if (node_const(a, &v))
        return refill(g, a, shape);
    if (is(g, a, OP_permute)) {
        int both[MAX_RANK] = {0};
        for (int i = 0; i < shape.rank; i++)
            both[i] = a->attr.perm[perm[i]];
        return graph_permute(g, a->arg[0], both);
    }

    if (trivial(a->shape, shape) && keeps_order(a->shape, perm))
        return graph_reshape(g, a, shape);
    return add_unary(g, OP_permute, shape, a, (struct Attr){.perm = perm});
}

Node *graph_move_axis(Graph *g, Node *a, int from, int to)
{
    int perm[MAX_RANK];

    for (int i = 0, other = 0; i < a->shape.rank; i++) {
        other += other == from;
        if (i == to)
            perm[i] = from;
        else
            perm[i] = other++;
    }
    return graph_permute(g, a, perm);
}

Node *graph_transpose(Graph *g, Node *a)
{
    int perm[MAX_RANK];
    int r = a->shape.rank;
    for (int i = 0; i < r; i++)
        perm[i] = i < r - 2 ? i : 2 * r - 3 - i;
    return graph_permute(g, a, perm);
}

/* slice or pad: the index of each loop that lo depends on is an operand. */
static Node *add_moved(Graph *g, Op op, Shape shape, Node *a, const Size *lo, const Size *step)
{
    Node *arg[1 + MAX_LEVELS] = {a};
    int nargs = 1 + graph_indices(g, lo, shape.rank, arg + 1);

    Node n = {.op = op,
              .type = a->type,
              .shape = shape,
              .nargs = nargs,
              .attr = {.lo = lo, .step = step}};
    return graph_add(g, n, arg);
}

Node *graph_slice(Graph *g, Node *a, const Size *lo, const Size *step, Shape shape)
{
    bool all = true;
    double v;
    for (int i = 0; i < shape.rank; i++)
        all &= lo[i] == 0 && step[i] == 1 && shape.dim[i] == a->shape.dim[i];
    if (all)
        return a;
    if (node_const(a, &v))
        return refill(g, a, shape);
    return add_moved(g, OP_slice, shape, a, lo, step);
}

Node *graph_pad(Graph *g, Node *a, const Size *lo, const Size *step, Shape shape)
{
    bool all = true;
    for (int i = 0; i < shape.rank; i++)
        all &= lo[i] == 0 && step[i] == 1 && shape.dim[i] == a->shape.dim[i];
    if (all)
        return a;
    if (node_is(a, 0))
        return graph_full(g, shape, 0);
    return add_moved(g, OP_pad, shape, a, lo, step);
}

static bool same_operands(const Node *a, const Node *b)
{
    if (a->nargs != b->nargs)
        return false;
    return memcmp(a->arg, b->arg, (size_t)a->nargs * sizeof *a->arg) == 0;
}

/* Is b the slice of the same tensor that follows the slice a along this axis? */
static bool follows(Graph *g, const Node *a, const Node *b, int axis)
{
    if (!is(g, a, OP_slice) || !is(g, b, OP_slice) || !same_operands(a, b))
        return false;

    for (int i = 0; i < a->shape.rank; i++) {
        Size next = a->attr.lo[i]; /* where b begins */
        if (i == axis)
            next = size_add(g, next, a->shape.dim[i]);
        if (a->attr.step[i] != 1 || b->attr.step[i] != 1 || b->attr.lo[i] != next)
            return false;
    }
    return true;
}

/* Slices that follow each other become one. Returns how many operands are left. */
static int join_slices(Graph *g, Node **arg, int count, int axis)
{
    int kept = 0;

    for (int i = 0, end; i < count; i = end) {
        Shape shape = arg[i]->shape;
        for (end = i + 1; end < count && follows(g, arg[end - 1], arg[end], axis); end++)
            shape.dim[axis] = size_add(g, shape.dim[axis], arg[end]->shape.dim[axis]);

        Node *one = arg[i];
        if (end > i + 1) {
            Indices before = graph_use_indices(g, one->arg + 1, one->nargs - 1);
            one = graph_slice(g, one->arg[0], one->attr.lo, one->attr.step, shape);
            graph_restore_indices(g, before);
        }
        arg[kept++] = one;
    }
    return kept;
}

/* The slice that n is, or that it reshapes by axes of size 1 alone; NULL: it is neither. */
static Node *slice_of_piece(Graph *g, Node *n)
{
    if (is(g, n, OP_reshape) && trivial(n->shape, n->arg[0]->shape))
        n = n->arg[0];
    return is(g, n, OP_slice) ? n : NULL;
}

/* The axis of one element along which the slice b is the next one (by = 1) or the one before
 * (by = -1) of the same tensor as the slice a; elsewhere they are the same. -1: they are not. */
static int neighbour_axis(Graph *g, const Node *a, const Node *b, int by)
{
    const Size *from = a->attr.lo;
    const Size *to = b->attr.lo;
    int axis = -1;

    if (!same_operands(a, b) || !shape_equal(a->shape, b->shape))
        return -1;
    if (by < 0) {
        from = b->attr.lo;
        to = a->attr.lo;
    }

    for (int i = 0; i < a->shape.rank; i++) {
        if (from[i] == to[i] && a->attr.step[i] == b->attr.step[i])
            continue;
        if (axis >= 0 || a->shape.dim[i] != 1 || to[i] != size_add(g, from[i], 1))
            return -1;
        axis = i;
    }
    return axis;
}

/* Are the operands single elements of one tensor along some axis of it, one after another? Then
 * *along is that axis, and *by is 1, or -1 where they go down. */
static bool are_elements(Graph *g, Node *const *arg, int count, int *along, int *by)
{
    Node *before = slice_of_piece(g, arg[0]);
    Node *second = slice_of_piece(g, arg[1]);

    if (!before || !second)
        return false;
    *by = neighbour_axis(g, before, second, 1) >= 0 ? 1 : -1;
    *along = neighbour_axis(g, before, second, *by);

    for (int i = 1; i < count; i++) {
        Node *next = slice_of_piece(g, arg[i]);
        if (!next || !shape_equal(arg[i]->shape, arg[0]->shape))
            return false;
        int axis = neighbour_axis(g, before, next, *by);
        if (axis < 0 || axis != *along)
            return false;
        before = next;
    }
    return true;
}

/* Such elements joined along another axis: a view of the tensor, in which the first axis is where
 * the other is. NULL: they are not that. */
static Node *join_elements(Graph *g, Node *const *arg, int count, int axis)
{
    int along, by;

    if (arg[0]->shape.dim[axis] != 1 || !are_elements(g, arg, count, &along, &by))
        return NULL;

    /* one slice of all */
    Node *first = slice_of_piece(g, arg[0]);
    Shape shape = first->shape;
    Size *step = LIST_COPY(g->ngc, first->attr.step, shape.rank);
    shape.dim[along] = count;
    step[along] = by;
    Indices indices = graph_use_indices(g, first->arg + 1, first->nargs - 1);
    Node *all = graph_slice(g, first->arg[0], first->attr.lo, step, shape);
    graph_restore_indices(g, indices);

    /* by way of that axis as the first one, as reshapes keep the order of the others */
    Shape rest = shape_without(arg[0]->shape, 1u << axis);
    Shape whole = {.rank = rest.rank + 1, .dim = {count}};
    memcpy(whole.dim + 1, rest.dim, (size_t)rest.rank * sizeof *rest.dim);
    all = graph_move_axis(g, all, along, 0);
    all = graph_reshape(g, all, whole);
    return graph_move_axis(g, all, 0, axis);
}

Node *graph_concat(Graph *g, Node **arg, int count, int axis)
{
    count = join_slices(g, arg, count, axis);

    Shape shape = arg[0]->shape;
    Type type = arg[0]->type;
    for (int i = 1; i < count; i++) {
        shape.dim[axis] = size_add(g, shape.dim[axis], arg[i]->shape.dim[axis]);
        if (arg[i]->type == T_FLOAT)
            type = T_FLOAT;
    }

    if (count == 1)
        return arg[0];
    Node *joined = join_elements(g, arg, count, axis);
    if (joined)
        return joined;

    for (int i = 0; i < count; i++)
        arg[i] = graph_cast(g, arg[i], type);
    return graph_add(
        g, (Node){.op = OP_concat, .type = type, .shape = shape, .nargs = count, .attr.axis = axis},
        arg);
}

/* ---- reductions ---- */

/* The sum of an expand: copies become a factor, the other axes are summed in the small operand. */
static Node *sum_expand(Graph *g, Node *a, uint32_t axes)
{
    Size copies = 1;
    uint32_t inner = 0, outer = 0;
    for (int i = 0, k = 0, kept = 0; i < a->shape.rank; i++) {
        bool copy = a->attr.axes >> i & 1;
        bool gone = axes >> i & 1;
        if (copy && gone)
            copies = size_mul(g, copies, a->shape.dim[i]);
        if (!copy)
            inner |= (uint32_t)gone << k++;
        if (!gone)
            outer |= (uint32_t)copy << kept++;
    }

    Node *times = graph_size(g, copies);
    Node *s = graph_binary(g, OP_mul, graph_reduce(g, OP_sum, a->arg[0], inner), times);
    return graph_expand(g, s, shape_without(a->shape, axes), outer);
}

Node *graph_reduce(Graph *g, Op op, Node *a, uint32_t axes)
{
    Shape shape = shape_without(a->shape, axes);
    bool ones = true;
    if (axes == 0)
        return a;

    for (int i = 0; i < a->shape.rank; i++)
        ones &= !(axes >> i & 1) || a->shape.dim[i] == 1;
    if (ones)
        return graph_reshape(g, a, shape);
    if (is(g, a, OP_expand) && op == OP_sum)
        return sum_expand(g, a, axes);
    if (is(g, a, OP_expand) && (a->attr.axes & axes) == axes) { /* the largest of equal copies */
        uint32_t outer = 0;
        for (int i = 0, kept = 0; i < a->shape.rank; i++)
            if (!(axes >> i & 1))
                outer |= (a->attr.axes >> i & 1) << kept++;
        return graph_expand(g, a->arg[0], shape, outer);
    }
    return graph_add(
        g, (Node){.op = op, .type = a->type, .shape = shape, .nargs = 1, .attr.axes = axes}, &a);
}

Node *graph_argmax(Graph *g, Node *a, int axis)
{
    if (a->shape.dim[axis] == 1 && !g->ngc->opt.literal)
        return graph_as_int(g, graph_full(g, shape_without(a->shape, 1u << axis), 0));

    Node n = {.op = OP_argmax,
              .type = T_INT,
              .shape = shape_without(a->shape, 1u << axis),
              .nargs = 1,
              .attr.axis = axis};
    return graph_add(g, n, &a);
}

/* ---- what counts along an axis ---- */

/* The axis of an expand that is axis `inner` of its operand. */
static int axis_of_expand(const Node *n, int inner)
{
    int axis = -1;

    while (inner >= 0)
        if (!(n->attr.axes >> ++axis & 1))
            inner--;
    return axis;
}

/* The axis of a reshape that is axis `inner` of its operand: it has the same size, and the axes
 * before it have as many elements. -1: elements of that axis go to several. */
static int axis_of_reshape(Graph *g, const Node *n, int inner)
{
    Shape from = n->arg[0]->shape;
    Size before = 1, here = 1;

    for (int i = 0; i < inner; i++)
        before = size_mul(g, before, from.dim[i]);
    for (int i = 0; i < n->shape.rank; i++) {
        if (here == before && n->shape.dim[i] == from.dim[inner])
            return i;
        here = size_mul(g, here, n->shape.dim[i]);
    }
    return -1;
}

int node_counted_axis(Graph *g, const Node *n)
{
    if (n->op == OP_iota)
        return n->attr.axis;
    if (n->op != OP_expand && n->op != OP_reshape)
        return -1;

    int inner = node_counted_axis(g, n->arg[0]);
    if (inner < 0)
        return -1;
    if (n->op == OP_expand)
        return axis_of_expand(n, inner);
    return axis_of_reshape(g, n, inner);
}
