/* loops.c - the kernels that are loops: for each node that is stored, its axes in the order that
 * walks memory, and what its innermost loop stores. */
#include "program/program.h"

/* ---- kernels ---- */

static Kernel *new_kernel(Program *p, const Node *n, int stores)
{
    Kernel *k = arena_alloc(p->ngc, sizeof *k);

    k->phase = p->phase[slot_of(p, n)];
    k->loop = program_home(p, n);
    k->store = arena_array(p->ngc, stores, sizeof *k->store);
    return k;
}

/* Adds a store of v into n, at the element idx. */
static void add_store(Program *p, Kernel *k, Node *n, Val *v, const Index *idx)
{
    const Index *at = index_keep_element(p, idx, n->shape);
    k->store[k->stores++] = (Store){.node = n, .val = v, .at = at};
}

/* A new innermost loop; returns its number. */
static int add_axis(Program *p, Kernel *k, Size extent, AxisKind kind)
{
    if (k->extent == NULL) {
        k->extent = arena_array(p->ngc, MAX_AXES, sizeof *k->extent);
        k->axis = arena_array(p->ngc, MAX_AXES, sizeof *k->axis);
    }
    k->extent[k->axes] = extent;
    k->axis[k->axes] = kind;
    return k->axes++;
}

/* The index of a new loop; an axis of size 1 needs none. */
static Index loop_over(Program *p, Kernel *k, Size extent, AxisKind kind)
{
    if (size_is_one(extent))
        return index_zero();
    return index_axis(add_axis(p, k, extent, kind));
}

/* One loop for each axis. */
static void add_axes(Program *p, Kernel *k, Shape shape, Index *idx)
{
    for (int i = 0; i < shape.rank; i++)
        idx[i] = loop_over(p, k, shape.dim[i], AX_LEAD);
}

/* Nodes of one shape, each stored by the same loops; with target, the one node is copied there. */
Kernel *kernel_map(Program *p, Node *const *node, int count, Target *target)
{
    Kernel *k = new_kernel(p, node[0], count);
    Index idx[MAX_RANK];
    add_axes(p, k, node[0]->shape, idx);

    if (target) {
        k->phase = target->phase;
        add_store(p, k, node[0], val_of(p, k, node[0], idx), idx);
        k->store[0].target = target;
        return k;
    }

    for (int i = 0; i < count; i++)
        add_store(p, k, node[i], val_definition(p, k, node[i], idx), idx);
    return k;
}

/* The axis with this number, from 0, of those that are longer than 1; rank: there is none. */
static int long_axis(Shape shape, uint32_t axes, int number)
{
    for (int i = 0; i < shape.rank; i++)
        if (axes >> i & 1 && !size_is_one(shape.dim[i]) && number-- == 0)
            return i;
    return shape.rank;
}

/* Sets up a reduction's nest over the axes of shape: lead axes, reduced axes, trailing axes. With
 * `rows`, the axes after the first reduced one are trailing: rows are added up. Otherwise each
 * result is reduced in a variable. Memory is walked in order either way; with inner >= 0, that axis
 * is the last of the reduced ones. */
static void reduction_axes(Program *p, Kernel *k, Shape shape, uint32_t axes, bool rows, int inner,
                           Index *idx)
{
    int first = long_axis(shape, axes, 0);

    for (int i = 0; i < shape.rank; i++)
        idx[i] = index_zero();
    for (int pass = AX_LEAD; pass <= AX_TRAIL; pass++)
        for (int i = 0; i < shape.rank; i++) {
            AxisKind kind = AX_LEAD;
            if (axes >> i & 1)
                kind = AX_REDUCE;
            else if (rows && i > first)
                kind = AX_TRAIL;

            if (kind == (AxisKind)pass && i != inner)
                idx[i] = loop_over(p, k, shape.dim[i], kind);
            if (pass == AX_REDUCE && i == shape.rank - 1 && inner >= 0)
                idx[inner] = loop_over(p, k, shape.dim[inner], AX_REDUCE);
        }
}

/* Is the last axis, of those longer than 1, reduced? */
static bool last_reduced(Shape shape, uint32_t axes)
{
    for (int i = shape.rank - 1; i >= 0; i--)
        if (!size_is_one(shape.dim[i]))
            return axes >> i & 1;
    return true;
}

/* The first loop over a reduced axis; there is one. */
static int first_reduced(const Kernel *k)
{
    int i = 0;
    while (k->axis[i] != AX_REDUCE)
        i++;
    return i;
}

/* Do the loads that change most go from row to row, as of a tensor whose axes were exchanged: does
 * its reduced axis step by one element, and its last one not? */
static bool rows_are_columns(const Kernel *k)
{
    int last = k->axes - 1;
    bool some = false;

    if (last < 1 || k->axis[last] != AX_TRAIL)
        return false;
    int reduced = first_reduced(k);
    for (int v = 0; v < k->vals; v++) {
        const Index *at = k->val[v]->at;
        if (k->val[v]->kind != V_LOAD || at == NULL)
            continue;
        if (at->parts > 0 || at->axis[last].plus == 1)
            return false;
        some |= at->axis[reduced].plus == 1 && at->axis[last].plus > 1;
    }
    return some && k->axis[reduced + 1] != AX_REDUCE;
}

/* The loop over a reduced axis along which all loads are in order, if that is not the innermost
 * one, as of a sum over a tensor whose axes were exchanged: its number among those over reduced
 * axes, or -1. */
static int turned_loop(const Kernel *k)
{
    int last = k->axes - 1;
    uint32_t in_order = ~0u;
    bool some = false;

    if (last < 1 || k->axis[last] != AX_REDUCE)
        return -1;
    int first = first_reduced(k);
    for (int v = 0; v < k->vals; v++) {
        const Index *at = k->val[v]->at;
        if (k->val[v]->kind != V_LOAD || at == NULL)
            continue;
        if (at->parts > 0 || at->axis[last].plus == 1 || at->axis[last].minus == 1)
            return -1;
        for (int i = first; i < last; i++)
            if (at->axis[i].plus != 1)
                in_order &= ~(1u << i);
        some = true;
    }

    for (int i = first; some && i < last; i++)
        if (in_order >> i & 1)
            return i - first;
    return -1;
}

static Kernel *reduce_in_order(Program *p, Node *n, uint32_t axes, bool rows, int inner)
{
    Kernel *k = new_kernel(p, n, 1);
    const Node *x = n->arg[0];

    Index idx[MAX_RANK];
    k->reduce = n->op;
    reduction_axes(p, k, x->shape, axes, rows, inner, idx);

    Index out[MAX_RANK];
    int rank = 0;
    for (int i = 0; i < x->shape.rank; i++)
        if (!(axes >> i & 1))
            out[rank++] = idx[i];

    add_store(p, k, n, val_of(p, k, x, idx), out);
    return k;
}

Kernel *kernel_reduce(Program *p, Node *n)
{
    bool by_axis = op_info[n->op]->combine == NULL;
    uint32_t axes = by_axis ? 1u << n->attr.axis : n->attr.axes;
    bool rows =
        !by_axis && n->type == T_FLOAT && !last_reduced(n->arg[0]->shape, axes) && !p->plain;

    Kernel *k = reduce_in_order(p, n, axes, rows, -1);
    if (rows && rows_are_columns(k))
        k = reduce_in_order(p, n, axes, false, -1);

    int turned = turned_loop(k);
    if (turned >= 0 && !p->plain)
        k = reduce_in_order(p, n, axes, false, long_axis(n->arg[0]->shape, axes, turned));
    return k;
}

/* A small product: y[.., i, j] = the sum over l of a[.., i, l]*b[.., l, j]. The nest is that of a
 * reduction of axis l of [.., i, l, j]. */
Kernel *kernel_matmul(Program *p, Node *n)
{
    Kernel *k = new_kernel(p, n, 1);
    const Node *a = n->arg[0];
    const Node *b = n->arg[1];
    int rank = n->shape.rank;
    int ta = n->attr.ta;
    int tb = n->attr.tb;
    if (rank + 1 > MAX_RANK)
        ngc_bug("matmul of rank %d", rank);

    /* the axes of the nest, and the last two of each matrix */
    int axis_i = rank - 2;
    int axis_l = rank - 1;
    int axis_j = rank;
    int row = rank - 2;
    int column = rank - 1;
    Size columns = n->shape.dim[column];

    Shape shape = n->shape;
    shape.rank = rank + 1;
    shape.dim[axis_j] = columns;
    shape.dim[axis_l] = product_of(p->graph, n).k;

    Index all[MAX_RANK];
    bool rows = !tb && !size_is_one(columns) && !p->plain;
    k->reduce = OP_sum;
    reduction_axes(p, k, shape, 1u << axis_l, rows, -1, all);

    Index left[MAX_RANK], right[MAX_RANK], out[MAX_RANK];
    for (int i = 0; i < row; i++)
        left[i] = right[i] = out[i] = all[i];
    left[row + ta] = all[axis_i];
    left[column - ta] = all[axis_l];
    right[row + tb] = all[axis_l];
    right[column - tb] = all[axis_j];
    out[row] = all[axis_i];
    out[column] = all[axis_j];

    /* in statements of their own: both make values */
    Val *vb = val_of(p, k, b, right);
    Val *va = val_of(p, k, a, left);
    add_store(p, k, n, val_op(p, k, OP_mul, T_FLOAT, va, vb, NULL), out);
    return k;
}

/* a + b*by */
static Index index_sum(Graph *g, Index a, Index b, Size by)
{
    index_add(g, &a, &b, by);
    return a;
}

/* The loops of a convolution: over channels, over the kernel's window (u, v), over the positions of
 * the result (i, j), over the batch. */
enum { C_GROUP, C_OUT, C_CHANNEL, C_U, C_V, C_I, C_J, C_BATCH, CONV_AXES };

/* Sets up the nest: first the axes of the result, then those that are summed over. Those of
 * convk's result are the kernel's. */
static void conv_axes(Program *p, Kernel *k, const Node *n, const Size *size, Index *at)
{
    static const int size_of[CONV_AXES] = {CONV_GROUPS, CONV_OUT, CONV_CHANNELS, CONV_KH,
                                           CONV_KW,     CONV_OH,  CONV_OW,       CONV_BATCH};
    bool forward = n->op == OP_conv;

    for (int pass = AX_LEAD; pass <= AX_REDUCE; pass++)
        for (int a = 0; a < CONV_AXES; a++) {
            bool of_image = a >= C_I;
            bool lead = a == C_GROUP || a == C_OUT || of_image == forward;
            if (lead == (pass == AX_LEAD))
                at[a] = loop_over(p, k, size[size_of[a]], (AxisKind)pass);
        }
}

/* A convolution, or its derivative with respect to the kernel: the sums of op_conv.c.
 *
 *     conv:   y[out, i, j, b]            = the sum over channel, u, v of kernel*x
 *     convk:  kernel[out, channel, u, v] = the sum over i, j, b of y*x
 */
Kernel *kernel_conv(Program *p, Node *n)
{
    Kernel *k = new_kernel(p, n, 1);
    Graph *g = p->graph;
    bool forward = n->op == OP_conv;

    Size size[CALL_SIZES];
    Index at[CONV_AXES];
    op_info[n->op]->sizes(g, n, size);
    k->reduce = OP_sum;
    conv_axes(p, k, n, size, at);

    /* x[channel of the group, i*stride + u*dilation, j*stride + v*dilation, b] */
    Index x[4];
    x[0] = index_sum(g, at[C_CHANNEL], at[C_GROUP], size[CONV_CHANNELS]);
    for (int i = 0; i < 2; i++) {
        x[1 + i] = index_sum(g, index_zero(), at[C_I + i], n->attr.stride[i]);
        x[1 + i] = index_sum(g, x[1 + i], at[C_U + i], n->attr.dilation[i]);
    }
    x[3] = at[C_BATCH];

    Index out = index_sum(g, at[C_OUT], at[C_GROUP], size[CONV_OUT]);
    Index kernel[4] = {out, at[C_CHANNEL], at[C_U], at[C_V]};
    Index y[4] = {out, at[C_I], at[C_J], at[C_BATCH]};

    /* one of them is read, the other is the result */
    const Index *read = y;
    const Index *made = kernel;
    if (forward) {
        read = kernel;
        made = y;
    }

    /* in statements of their own: both make values */
    Val *right = val_of(p, k, n->arg[1], read);
    Val *left = val_of(p, k, n->arg[0], x);
    Val *product = val_op(p, k, OP_mul, T_FLOAT, left, right, NULL);
    add_store(p, k, n, product, made);
    return k;
}

Kernel *kernel_zero(Program *p, Node *n)
{
    Kernel *k = new_kernel(p, n, 1);
    Index idx[MAX_RANK];

    add_axes(p, k, n->shape, idx);
    add_store(p, k, n, val_const(p, k, n->type, 0), idx);
    return k;
}

/* n[.., index[i], ..] += dy[.., i, ..] */
Kernel *kernel_scatter(Program *p, Node *n)
{
    Kernel *k = new_kernel(p, n, 1);
    const Node *dy = n->arg[0];
    Index idx[MAX_RANK], at[MAX_RANK];

    add_axes(p, k, dy->shape, idx);
    Val *v = val_of(p, k, dy, idx);
    index_gathered(p, k, n, n, idx, at);
    add_store(p, k, n, v, at);
    k->store[0].add = true;
    return k;
}

/* n[index[i], ..] = rows[i, ..] */
Kernel *kernel_assign(Program *p, Node *n)
{
    Kernel *k = new_kernel(p, n, 1);
    const Node *rows = n->arg[0];
    const Node *index = n->arg[1];
    Index idx[MAX_RANK], at[MAX_RANK];

    add_axes(p, k, rows->shape, idx);
    Val *v = val_of(p, k, rows, idx);
    at[0] = index_row(val_of(p, k, index, idx));
    for (int i = 1; i < n->shape.rank; i++)
        at[i] = idx[i + index->shape.rank - 1];
    add_store(p, k, n, v, at);
    return k;
}

/* One operand of a concatenation, stored after those before it. */
Kernel *kernel_piece(Program *p, Node *concat, int arg, Size before)
{
    Graph *g = p->graph;
    Kernel *k = new_kernel(p, concat, 1);
    Node *a = concat->arg[arg];
    Index idx[MAX_RANK];
    add_axes(p, k, a->shape, idx);
    Val *v = val_of(p, k, a, idx);

    Index shift = index_zero();
    shift.base.plus = before;
    index_add(g, &idx[concat->attr.axis], &shift, 1);

    /* an operand's axis of size 1 still has an index in the result */
    Index at = index_zero();
    Size stride = 1;
    for (int i = concat->shape.rank - 1; i >= 0; i--) {
        index_add(g, &at, &idx[i], stride);
        stride = size_mul(g, stride, concat->shape.dim[i]);
    }
    k->store[k->stores++] = (Store){.node = concat, .val = v, .at = index_keep(p, &at)};
    return k;
}

/* ---- what a loop over kernels carries and collects ---- */

Kernel *kernel_put(Program *p, Node *to, Node *value)
{
    Kernel *k = new_kernel(p, to, 1);
    Index idx[MAX_RANK];

    add_axes(p, k, to->shape, idx);
    add_store(p, k, to, val_of(p, k, value, idx), idx);
    return k;
}

bool collect_is_whole(Program *p, const Node *collect)
{
    Graph *g = p->graph;
    const Loop *loop = collect->attr.loop;
    const Node *a = collect->arg[0];
    Size pass = size_dim(g, index_dim(loop));
    int moving = 0;

    for (int i = 0; i < collect->shape.rank; i++) {
        Size part = a->shape.dim[i];
        Size all = collect->shape.dim[i];
        bool moves = collect->attr.lo[i] == size_mul(g, pass, part) &&
                     all == size_mul(g, loop->passes, part);
        if (collect->attr.step[i] != 1)
            return false;
        if (!moves && (collect->attr.lo[i] != 0 || all != part))
            return false;
        moving += moves;
    }
    return moving == 1;
}

Kernel *kernel_part(Program *p, Node *collect)
{
    Graph *g = p->graph;
    Kernel *k = new_kernel(p, collect, 1);
    Node *a = collect->arg[0];
    Index idx[MAX_RANK];
    Index at = index_zero();
    Size stride = 1;

    k->loop = collect->attr.loop;
    add_axes(p, k, a->shape, idx);
    Val *v = val_of(p, k, a, idx);

    for (int i = collect->shape.rank - 1; i >= 0; i--) {
        Index place = index_strided(g, &idx[i], collect->attr.lo[i], collect->attr.step[i]);
        index_add(g, &at, &place, stride);
        stride = size_mul(g, stride, collect->shape.dim[i]);
    }
    k->store[k->stores++] = (Store){.node = collect,
                                    .val = v,
                                    .at = index_keep(p, &at),
                                    .add = !collect_is_whole(p, collect)};
    return k;
}

/* ---- maps ---- */

bool kernel_reduces(const Kernel *k)
{
    return op_info[k->reduce]->flags & F_REDUCE;
}

bool kernel_is_unordered(const Kernel *k)
{
    if (k->kind != K_LOOP || k->axes == 0 || kernel_reduces(k))
        return false;

    for (int i = 0; i < k->axes; i++)
        if (k->axis[i] != AX_LEAD)
            return false;
    for (int i = 0; i < k->stores; i++) {
        Op op = k->store[i].node->op;
        if (k->store[i].add || op == OP_carried || op == OP_assign)
            return false;
    }
    return true;
}

bool kernel_is_map(const Kernel *k)
{
    for (int i = 0; i < k->stores; i++)
        if (k->store[i].target || k->store[i].node->op == OP_concat)
            return false;
    return kernel_is_unordered(k);
}

/* ---- independent passes ---- */

/* Of a kernel that stores at computed places: do different passes over this axis store to different
 * elements? They do where the computed index chooses a row, and the axis is the place in the row.
 */
static bool stores_apart(const Kernel *k, int axis)
{
    const Index *at = k->store[0].at;
    if (at == NULL || at->parts != 1)
        return false;

    Coef by = at->axis[axis];
    Coef row = at->part[0].by;
    bool is_place = by.plus == 1 && by.minus == 0;
    return is_place && row.minus == 0 && row.plus == k->extent[axis];
}

bool kernel_axis_is_free(const Kernel *k, int axis)
{
    if (k->member)
        return true;
    if (k->hits > 0 || (k->half == HALF_LOOP && axis == k->axes - 1))
        return false;
    for (int i = 0; i < k->stores; i++)
        if (k->store[i].add || k->store[i].node->op == OP_assign)
            return stores_apart(k, axis);
    return !kernel_reduces(k) || k->axis[axis] != AX_REDUCE;
}
