/* loops.c - what stands inside a kernel: the place of an element as a function of the loop
 * variables, and the expression that is computed there. Views are followed here, so that none of
 * them ever moves an element. */
#include "program.h"

#include <string.h>

/* ---- sizes and indices ---- */

Index index_zero(void)
{
    return (Index){.parts = 0};
}

Index index_axis(int axis)
{
    Index x = index_zero();
    x.axis[axis].plus = 1;
    return x;
}

static bool coef_equal(Coef a, Coef b)
{
    return a.plus == b.plus && a.minus == b.minus;
}

static bool coef_zero(Coef a)
{
    return a.plus == 0 && a.minus == 0;
}

bool index_equal(const Index *a, const Index *b)
{
    Index zero = index_zero();
    a = a ? a : &zero;
    b = b ? b : &zero;
    bool same = coef_equal(a->base, b->base) && a->parts == b->parts;
    for (int i = 0; i < MAX_AXES && same; i++)
        same = coef_equal(a->axis[i], b->axis[i]);
    for (int i = 0; i < a->parts && same; i++)
        same = a->part[i].val == b->part[i].val && coef_equal(a->part[i].by, b->part[i].by);
    return same;
}

/* a + b, with numbers on one side only */
static Coef coef_add(Graph *g, Coef a, Coef b)
{
    Coef c = {size_add(g, a.plus, b.plus), size_add(g, a.minus, b.minus)};
    if (c.plus >= 0 && c.minus >= 0)
        return c.plus >= c.minus ? (Coef){c.plus - c.minus, 0} : (Coef){0, c.minus - c.plus};
    return c.plus == c.minus ? (Coef){0, 0} : c;
}

static Coef coef_mul(Graph *g, Coef a, Size by)
{
    return (Coef){size_mul(g, a.plus, by), size_mul(g, a.minus, by)};
}

void index_add(Graph *g, Index *to, const Index *from, Size by)
{
    to->base = coef_add(g, to->base, coef_mul(g, from->base, by));
    for (int i = 0; i < MAX_AXES; i++)
        if (!coef_zero(from->axis[i]))
            to->axis[i] = coef_add(g, to->axis[i], coef_mul(g, from->axis[i], by));
    for (int i = 0; i < from->parts; i++) {
        if (to->parts == MAX_PARTS)
            ngc_bug("an element is found by more than %d indices", MAX_PARTS);
        to->part[to->parts].val = from->part[i].val;
        to->part[to->parts++].by = coef_mul(g, from->part[i].by, by);
    }
}

/* -x */
static Index index_negate(const Index *x)
{
    Index y = *x;
    y.base = (Coef){x->base.minus, x->base.plus};
    for (int i = 0; i < MAX_AXES; i++)
        y.axis[i] = (Coef){x->axis[i].minus, x->axis[i].plus};
    for (int i = 0; i < x->parts; i++)
        y.part[i].by = (Coef){x->part[i].by.minus, x->part[i].by.plus};
    return y;
}

/* lo + step*x, where step may be negative */
static Index index_strided(Graph *g, const Index *x, Size lo, Size step)
{
    Index y = index_zero(), turned = index_negate(x);
    y.base.plus = lo;
    index_add(g, &y, step < 0 ? &turned : x, step < 0 ? -step : step);
    return y;
}

/* A copy that lasts; NULL for 0. */
static Index *keep_index(Program *p, const Index *x)
{
    return index_equal(x, NULL) ? NULL : arena_copy(p->ngc, x, sizeof *x);
}

/* The distance in memory of idx from the first element of a dense tensor. */
static Index linear(Program *p, const Index *idx, Shape shape)
{
    Index at = index_zero();
    Size stride = 1;
    for (int i = shape.rank - 1; i >= 0; i--) {
        if (!size_is_one(shape.dim[i]))
            index_add(p->graph, &at, &idx[i], stride);
        stride = size_mul(p->graph, stride, shape.dim[i]);
    }
    return at;
}

Index *index_linear(Program *p, const Index *idx, Shape shape)
{
    Index at = linear(p, idx, shape);
    return keep_index(p, &at);
}

/* ---- values, shared within a kernel ---- */

static bool val_equal(const Val *a, const Val *b)
{
    return a->kind == b->kind && a->op == b->op && a->type == b->type && a->node == b->node &&
           memcmp(a->arg, b->arg, sizeof a->arg) == 0 &&
           memcmp(&a->value, &b->value, sizeof a->value) == 0 && a->size == b->size &&
           a->span == b->span && index_equal(a->at, b->at);
}

static Val *add_val(Program *p, Kernel *k, Val v)
{
    for (int i = 0; i < k->vals; i++)
        if (val_equal(k->val[i], &v))
            return k->val[i];
    k->val = arena_grow(p->ngc, k->val, k->vals, &k->val_room, sizeof *k->val);
    return k->val[k->vals++] = arena_copy(p->ngc, &v, sizeof v);
}

Val *val_op(Program *p, Kernel *k, Op op, Type type, Val *a, Val *b, Val *c)
{
    return add_val(p, k, (Val){.kind = V_OP, .op = op, .type = type, .arg = {a, b, c}});
}

static Val *add_const(Program *p, Kernel *k, Type type, double value)
{
    return add_val(p, k, (Val){.kind = V_CONST, .type = type, .value = value});
}

bool node_identity(const Node *n)
{
    return op_info[n->op]->flags & F_SAME;
}

bool reshape_is_trivial(Shape a, Shape b)
{
    int i = 0, k = 0;
    for (;;) {
        while (i < a.rank && size_is_one(a.dim[i]))
            i++;
        while (k < b.rank && size_is_one(b.dim[k]))
            k++;
        if (i == a.rank || k == b.rank)
            return i == a.rank && k == b.rank;
        if (a.dim[i++] != b.dim[k++])
            return false;
    }
}

/* pad: each axis is guarded, and the index divided by the distance between elements. */
static Val *pad_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    Graph *g = p->graph;
    Index inner[MAX_RANK], from[MAX_RANK];
    const Node *a = n->arg[0];
    for (int i = 0; i < n->shape.rank; i++) {
        Index back = index_zero();
        back.base.minus = n->attr.lo[i];
        index_add(g, &back, &idx[i], 1);
        back.base = coef_add(g, back.base, (Coef){0, 0});
        from[i] = inner[i] = back;
        if (n->attr.step[i] > 1) {
            Val *q = add_val(p, k,
                             (Val){.kind = V_QUOTIENT,
                                   .type = T_INT,
                                   .size = n->attr.step[i],
                                   .at = keep_index(p, &back)});
            inner[i] = index_zero();
            inner[i].parts = 1;
            inner[i].part[0].val = q;
            inner[i].part[0].by.plus = 1;
        }
    }
    Val *v = val_of(p, k, a, inner);
    for (int i = n->shape.rank - 1; i >= 0; i--) {
        Size step = n->attr.step[i];
        if (n->attr.lo[i] == 0 && step == 1 && a->shape.dim[i] == n->shape.dim[i])
            continue;
        /* the last element is at (count - 1)*step: what lies before count*step and is a multiple of
         * step */
        Size span = size_mul(g, a->shape.dim[i], step);
        v = add_val(p, k,
                    (Val){.kind = V_GUARD,
                          .type = n->type,
                          .arg = {v},
                          .size = step,
                          .span = span,
                          .at = keep_index(p, &from[i])});
    }
    return v;
}

/* gather: the axis is found by the int tensor's value. */
static Val *gather_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    const Node *x = n->arg[0], *index = n->arg[1];
    Index at[MAX_RANK];
    int axis = n->attr.axis, rank = index->shape.rank;
    Val *row = val_of(p, k, index, idx + axis);
    for (int i = 0; i < x->shape.rank; i++)
        at[i] = i < axis ? idx[i] : idx[i + rank - 1 + (i == axis)];
    at[axis] = index_zero();
    at[axis].parts = 1;
    at[axis].part[0].val = row;
    at[axis].part[0].by.plus = 1;
    return val_of(p, k, x, at);
}

/* reshape that only moves axes of size 1 */
static Val *reshape_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    const Node *a = n->arg[0];
    Index at[MAX_RANK];
    for (int i = 0, j = 0; i < a->shape.rank; i++) {
        at[i] = index_zero();
        if (size_is_one(a->shape.dim[i]))
            continue;
        while (size_is_one(n->shape.dim[j]))
            j++;
        at[i] = idx[j++];
    }
    return val_of(p, k, a, at);
}

/* The index maps of the views: where in its operand the element idx of n stands. */
static Val *view_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    Index at[MAX_RANK];
    const Node *a = n->arg[0];
    switch (n->op) {
    case OP_expand:
        for (int i = 0, j = 0; i < n->shape.rank; i++)
            if (!(n->attr.axes >> i & 1))
                at[j++] = idx[i];
        return val_of(p, k, a, at);
    case OP_permute:
        for (int i = 0; i < n->shape.rank; i++)
            at[n->attr.perm[i]] = idx[i];
        return val_of(p, k, a, at);
    case OP_slice:
        for (int i = 0; i < n->shape.rank; i++)
            at[i] = index_strided(p->graph, &idx[i], n->attr.lo[i], n->attr.step[i]);
        return val_of(p, k, a, at);
    case OP_gather: return gather_val(p, k, n, idx);
    case OP_reshape: return reshape_val(p, k, n, idx);
    default: ngc_bug("%s has no index map", op_info[n->op]->name);
    }
}

Val *val_definition(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    const OpInfo *info = op_info[n->op];
    double value;
    if (node_const(n, &value))
        return add_const(p, k, n->type, value);
    if (info->flags & F_VIEW)
        return view_val(p, k, n, idx);
    if (n->op == OP_pad)
        return pad_val(p, k, n, idx);
    if (n->op == OP_size)
        return add_val(p, k, (Val){.kind = V_SIZE, .type = n->type, .size = n->attr.size});
    if (n->op == OP_iota)
        return add_val(
            p, k, (Val){.kind = V_INDEX, .type = n->type, .at = keep_index(p, &idx[n->attr.axis])});
    if (!(info->flags & F_ELEMENTWISE))
        ngc_bug("%s has no value of one element", info->name);
    if (node_identity(n))
        return val_of(p, k, n->arg[0], idx);
    Val *arg[3] = {0};
    for (int i = 0; i < n->nargs; i++)
        arg[i] = val_of(p, k, n->arg[i], idx);
    return val_op(p, k, n->op, n->type, arg[0], arg[1], arg[2]);
}

Val *val_of(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    double value;
    if (!program_stored(p, n) || node_const(n, &value))
        return val_definition(p, k, n, idx);
    const Node *holder = program_holder(p, n);
    Index at = linear(p, idx, n->shape);
    for (int i = 0; i < k->stores; i++)
        if (k->store[i].node == holder && !k->store[i].target && !k->store[i].add &&
            k->store[i].val && index_equal(k->store[i].at, &at))
            return k->store[i].val;
    return add_val(
        p, k, (Val){.kind = V_LOAD, .type = n->type, .node = holder, .at = keep_index(p, &at)});
}

/* ---- kernels ---- */

static Kernel *new_kernel(Program *p, const Node *n, int stores)
{
    Kernel *k = arena_alloc(p->ngc, sizeof *k);
    k->phase = n ? p->phase[p->slot[n->id]] : 0;
    k->store = arena_alloc(p->ngc, (size_t)stores * sizeof *k->store);
    return k;
}

static int add_axis(Program *p, Kernel *k, Size extent, AxisKind kind)
{
    if (k->extent == NULL) {
        k->extent = arena_alloc(p->ngc, MAX_AXES * sizeof *k->extent);
        k->axis = arena_alloc(p->ngc, MAX_AXES * sizeof *k->axis);
    }
    k->extent[k->axes] = extent;
    k->axis[k->axes] = kind;
    return k->axes++;
}

/* One loop for each axis that is not 1. */
static void add_axes(Program *p, Kernel *k, Shape shape, Index *idx)
{
    for (int i = 0; i < shape.rank; i++)
        idx[i] = size_is_one(shape.dim[i]) ? index_zero()
                                           : index_axis(add_axis(p, k, shape.dim[i], AX_LEAD));
}

/* Nodes of one shape, each stored by the same loops; with target, the one node is copied there. */
Kernel *kernel_map(Program *p, Node *const *node, int count, Target *target)
{
    Kernel *k = new_kernel(p, node[0], count);
    Index idx[MAX_RANK];
    if (target)
        k->phase = target->phase;
    add_axes(p, k, node[0]->shape, idx);
    for (int i = 0; i < count; i++) {
        Val *v = target ? val_of(p, k, node[i], idx) : val_definition(p, k, node[i], idx);
        k->store[k->stores++] =
            (Store){node[i], target, v, index_linear(p, idx, node[i]->shape), false};
    }
    return k;
}

/* Sets up a reduction's nest over the axes of shape. Where the last axis is reduced each result is
 * folded in a variable; otherwise rows are added up, so that memory is walked in order either way.
 */
static void reduction_axes(Program *p, Kernel *k, Shape shape, uint32_t axes, bool rows, Index *idx)
{
    int first = shape.rank;
    for (int i = shape.rank - 1; i >= 0; i--)
        if (axes >> i & 1 && !size_is_one(shape.dim[i]))
            first = i;
    for (int pass = 0; pass < 3; pass++)
        for (int i = 0; i < shape.rank; i++) {
            AxisKind kind = axes >> i & 1 ? AX_REDUCE : rows && i > first ? AX_TRAIL : AX_LEAD;
            if (size_is_one(shape.dim[i]))
                idx[i] = index_zero();
            else if (kind == (AxisKind)pass)
                idx[i] = index_axis(add_axis(p, k, shape.dim[i], kind));
        }
}

static bool last_reduced(Shape shape, uint32_t axes)
{
    for (int i = shape.rank - 1; i >= 0; i--)
        if (!size_is_one(shape.dim[i]))
            return axes >> i & 1;
    return true;
}

Kernel *kernel_reduce(Program *p, Node *n)
{
    Kernel *k = new_kernel(p, n, 1);
    const Node *x = n->arg[0];
    bool by_axis = op_info[n->op]->combine == NULL;
    uint32_t axes = by_axis ? 1u << n->attr.axis : n->attr.axes;
    bool rows = !by_axis && n->type == T_FLOAT && !last_reduced(x->shape, axes) && !p->plain;
    Index idx[MAX_RANK], out[MAX_RANK];
    int rank = 0;
    k->reduce = n->op;
    reduction_axes(p, k, x->shape, axes, rows, idx);
    for (int i = 0; i < x->shape.rank; i++)
        if (!(axes >> i & 1))
            out[rank++] = idx[i];
    Val *v = val_of(p, k, x, idx);
    k->store[k->stores++] = (Store){n, NULL, v, index_linear(p, out, n->shape), false};
    return k;
}

/* A small product: the sum over l of a[.., i, l]*b[.., l, j]. */
Kernel *kernel_matmul(Program *p, Node *n)
{
    Kernel *k = new_kernel(p, n, 1);
    const Node *a = n->arg[0], *b = n->arg[1];
    int r = n->shape.rank;
    Index all[MAX_RANK + 1], x[MAX_RANK], y[MAX_RANK];
    Shape shape = n->shape;
    if (r + 1 > MAX_RANK)
        ngc_bug("matmul of rank %d", r);
    bool rows = !n->attr.tb && !size_is_one(n->shape.dim[r - 1]) && !p->plain;
    shape.dim[r] = shape.dim[r - 1];
    shape.dim[r - 1] = product_of(p->graph, n).k;
    shape.rank = r + 1;
    k->reduce = OP_sum;
    reduction_axes(p, k, shape, 1u << (r - 1), rows, all);
    memcpy(x, all, sizeof *x * (size_t)(r - 2));
    memcpy(y, all, sizeof *y * (size_t)(r - 2));
    x[r - 2 + n->attr.ta] = all[r - 2];
    x[r - 1 - n->attr.ta] = all[r - 1];
    y[r - 2 + n->attr.tb] = all[r - 1];
    y[r - 1 - n->attr.tb] = all[r];
    all[r - 1] = all[r];
    Val *right = val_of(p, k, b, y),
        *left = val_of(p, k, a, x); /* one after the other: both make values */
    Val *v = val_op(p, k, OP_mul, T_FLOAT, left, right, NULL);
    k->store[k->stores++] = (Store){n, NULL, v, index_linear(p, all, n->shape), false};
    return k;
}

/* a + b*by */
static Index index_sum(Graph *g, Index a, Index b, Size by)
{
    index_add(g, &a, &b, by);
    return a;
}

/* A convolution, or what changes its kernel: the sums of op_conv.c. */
Kernel *kernel_conv(Program *p, Node *n)
{
    enum { GROUP, OUT, CHANNEL, U, V, I, J, B, AXES };
    static const int size_of[AXES] = {CONV_GROUPS, CONV_OUT, CONV_CHANNELS, CONV_KH,
                                      CONV_KW,     CONV_OH,  CONV_OW,       CONV_BATCH};
    Kernel *k = new_kernel(p, n, 1);
    Graph *g = p->graph;
    Size s[CALL_SIZES];
    Index at[AXES];
    bool forward = n->op == OP_conv;
    op_info[n->op]->sizes(g, n, s);
    k->reduce = OP_sum;
    for (int pass = AX_LEAD; pass <= AX_REDUCE; pass++)
        for (int a = 0; a < AXES; a++) {
            bool lead = a == GROUP || a == OUT || (a >= I) == forward;
            Size extent = s[size_of[a]];
            if (lead == (pass == AX_LEAD))
                at[a] = size_is_one(extent) ? index_zero()
                                            : index_axis(add_axis(p, k, extent, (AxisKind)pass));
        }
    Index out = index_sum(g, at[OUT], at[GROUP], s[CONV_OUT]);
    Index x[4] = {index_sum(g, at[CHANNEL], at[GROUP], s[CONV_CHANNELS]), index_zero(),
                  index_zero(), at[B]};
    for (int i = 0; i < 2; i++)
        x[1 + i] = index_sum(g, index_sum(g, index_zero(), at[I + i], n->attr.stride[i]), at[U + i],
                             n->attr.dilation[i]);
    Index kernel[4] = {out, at[CHANNEL], at[U], at[V]}, y[4] = {out, at[I], at[J], at[B]};
    Val *right = val_of(p, k, n->arg[1], forward ? kernel : y), *left = val_of(p, k, n->arg[0], x);
    Val *v = val_op(p, k, OP_mul, T_FLOAT, left, right, NULL);
    k->store[k->stores++] =
        (Store){n, NULL, v, index_linear(p, forward ? y : kernel, n->shape), false};
    return k;
}

Kernel *kernel_zero(Program *p, Node *n)
{
    Kernel *k = new_kernel(p, n, 1);
    Index idx[MAX_RANK];
    add_axes(p, k, n->shape, idx);
    k->store[k->stores++] =
        (Store){n, NULL, add_const(p, k, n->type, 0), index_linear(p, idx, n->shape), false};
    return k;
}

/* n[.., index[i], ..] += dy[.., i, ..] */
Kernel *kernel_scatter(Program *p, Node *n)
{
    Kernel *k = new_kernel(p, n, 1);
    const Node *dy = n->arg[0], *index = n->arg[1];
    Index idx[MAX_RANK], at[MAX_RANK];
    int axis = n->attr.axis, rank = index->shape.rank;
    add_axes(p, k, dy->shape, idx);
    Val *v = val_of(p, k, dy, idx), *row = val_of(p, k, index, idx + axis);
    for (int i = 0; i < n->shape.rank; i++)
        at[i] = i < axis ? idx[i] : idx[i + rank - 1 + (i == axis)];
    at[axis] = index_zero();
    at[axis].parts = 1;
    at[axis].part[0].val = row;
    at[axis].part[0].by.plus = 1;
    k->store[k->stores++] = (Store){n, NULL, v, index_linear(p, at, n->shape), true};
    return k;
}

/* One operand of a concatenation, stored behind those before it. */
Kernel *kernel_piece(Program *p, Node *concat, int arg, Size before)
{
    Kernel *k = new_kernel(p, concat, 1);
    Node *a = concat->arg[arg];
    Index idx[MAX_RANK], shift = index_zero();
    add_axes(p, k, a->shape, idx);
    Val *v = val_of(p, k, a, idx);
    shift.base.plus = before;
    index_add(p->graph, &idx[concat->attr.axis], &shift, 1);
    Index at = index_zero();
    Size stride = 1; /* an operand's axis of size 1 still has its place in the whole */
    for (int i = concat->shape.rank - 1; i >= 0; i--) {
        index_add(p->graph, &at, &idx[i], stride);
        stride = size_mul(p->graph, stride, concat->shape.dim[i]);
    }
    k->store[k->stores++] = (Store){concat, NULL, v, keep_index(p, &at), false};
    return k;
}

/* ---- last changes: fewer loops, levels, uses ---- */

/* May loops i and i + 1 be one, as far as x goes: does it step through both at one distance? */
static bool steps_evenly(Graph *g, const Index *x, int i, Size inner)
{
    return x == NULL || coef_equal(x->axis[i], coef_mul(g, x->axis[i + 1], inner));
}

static void drop_axis(Index *x, int i)
{
    if (x == NULL)
        return;
    memmove(x->axis + i, x->axis + i + 1, (MAX_AXES - 1 - (size_t)i) * sizeof *x->axis);
    x->axis[MAX_AXES - 1] = (Coef){0, 0};
}

bool kernel_joins(Program *p, const Kernel *k, int i)
{
    bool even = k->axis[i] == k->axis[i + 1] &&
                !(k->axis[i] == AX_REDUCE && op_info[k->reduce]->combine == NULL);
    for (int s = 0; s < k->stores; s++)
        even = even && steps_evenly(p->graph, k->store[s].at, i, k->extent[i + 1]);
    for (int v = 0; v < k->vals; v++)
        even = even && steps_evenly(p->graph, k->val[v]->at, i, k->extent[i + 1]);
    return even;
}

void kernel_join(Program *p, Kernel *k, int i)
{
    for (int s = 0; s < k->stores; s++)
        drop_axis(k->store[s].at, i);
    for (int v = 0; v < k->vals; v++)
        drop_axis(k->val[v]->at, i);
    k->extent[i + 1] = size_mul(p->graph, k->extent[i], k->extent[i + 1]);
    memmove(k->extent + i, k->extent + i + 1, (size_t)(k->axes - 1 - i) * sizeof *k->extent);
    memmove(k->axis + i, k->axis + i + 1, (size_t)(k->axes - 1 - i) * sizeof *k->axis);
    k->axes--;
}

/* i becomes i*inner + the next */
static void split_axis(Graph *g, Index *x, int i, Size inner)
{
    if (x == NULL)
        return;
    memmove(x->axis + i + 1, x->axis + i, (MAX_AXES - 1 - (size_t)i) * sizeof *x->axis);
    x->axis[i] = coef_mul(g, x->axis[i + 1], inner);
}

void kernel_split(Program *p, Kernel *k, int i, Size inner)
{
    for (int s = 0; s < k->stores; s++)
        split_axis(p->graph, k->store[s].at, i, inner);
    for (int v = 0; v < k->vals; v++)
        split_axis(p->graph, k->val[v]->at, i, inner);
    memmove(k->extent + i + 1, k->extent + i, (size_t)(k->axes - i) * sizeof *k->extent);
    memmove(k->axis + i + 1, k->axis + i, (size_t)(k->axes - i) * sizeof *k->axis);
    k->extent[i + 1] = inner;
    k->extent[i] /= inner;
    k->axes++;
}

void kernel_collapse(Program *p, Kernel *k)
{
    for (int i = k->axes - 2; i >= 0; i--)
        if (kernel_joins(p, k, i))
            kernel_join(p, k, i);
}

static int index_level(const Index *x)
{
    int level = 0;
    for (int i = 0; x && i < MAX_AXES; i++)
        if (!coef_zero(x->axis[i]))
            level = i + 1;
    for (int i = 0; x && i < x->parts; i++)
        if (x->part[i].val->level > level)
            level = x->part[i].val->level;
    return level;
}

/* Counts a use of v. What a guard protects is not used until the guard has been passed: it gets no
 * temporary. */
static void count_use(Val *v)
{
    if (v == NULL || v->uses++ > 0)
        return;
    for (int i = 0; v->at && i < v->at->parts; i++)
        count_use(v->at->part[i].val);
    if (v->kind == V_GUARD)
        return;
    for (int i = 0; i < 3; i++)
        count_use(v->arg[i]);
}

static void mark_live(Val *v)
{
    if (v == NULL || v->live)
        return;
    v->live = true;
    for (int i = 0; v->at && i < v->at->parts; i++)
        mark_live(v->at->part[i].val);
    for (int i = 0; i < 3; i++)
        mark_live(v->arg[i]);
}

static void note_use(Val *v)
{
    count_use(v);
    mark_live(v);
}

bool kernel_reduces(const Kernel *k)
{
    return op_info[k->reduce]->flags & F_REDUCE;
}

bool kernel_sums_rows(const Kernel *k)
{
    return kernel_reduces(k) && k->axes > 0 && k->axis[k->axes - 1] == AX_TRAIL;
}

/* Of many floats, each addition would lose what is below the last place of the sum so far. */
bool kernel_sums_many(const Program *p, const Kernel *k)
{
    int64_t terms = 1;

    if (k->reduce != OP_sum || k->store[0].node->type != T_FLOAT || p->ngc->opt.real_double)
        return false;

    for (int i = 0; i < k->axes && terms <= LONG_SUM; i++)
        if (k->axis[i] == AX_REDUCE)
            terms *= size_max(p->graph, k->extent[i]);
    return terms > LONG_SUM;
}

int64_t kernel_columns(const Kernel *k)
{
    int64_t n = 1;

    for (int i = 0; i < k->axes; i++)
        if (k->axis[i] == AX_TRAIL) {
            if (k->extent[i] < 0)
                return -1;
            n *= k->extent[i];
        }
    return n;
}

void kernel_finish(Program *p, Kernel *k)
{
    (void)p;
    for (int i = 0; i < k->vals; i++) {
        Val *v = k->val[i];
        v->id = i;
        v->uses = 0;
        v->live = false;
        v->level = v->test_level = index_level(v->at);
        for (int a = 0; a < 3; a++)
            if (v->arg[a] && v->arg[a]->level > v->level)
                v->level = v->arg[a]->level;
    }
    for (int i = 0; i < k->stores; i++) {
        note_use(k->store[i].val);
        for (int j = 0; k->store[i].at && j < k->store[i].at->parts; j++)
            note_use(k->store[i].at->part[j].val);
    }
    note_use(k->alpha);
}

/* ---- independent passes ---- */

/* Of a kernel that adds to computed places: do different passes over this axis add to different
 * elements? They do where the computed index chooses a row, and the axis is the place in the row.
 */
static bool adds_apart(const Kernel *k, int axis)
{
    const Index *at = k->store[0].at;
    return at && at->axis[axis].plus == 1 && at->axis[axis].minus == 0 && at->parts == 1 &&
           at->part[0].by.minus == 0 && at->part[0].by.plus == k->extent[axis];
}

bool kernel_axis_is_free(const Kernel *k, int axis)
{
    if (k->member)
        return true;
    for (int i = 0; i < k->stores; i++)
        if (k->store[i].add)
            return adds_apart(k, axis);
    return !kernel_reduces(k) || k->axis[axis] != AX_REDUCE;
}
