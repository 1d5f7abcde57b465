/* loops.c - what is inside a kernel: the place of an element as a function of the loop variables,
 * and the expression that is computed there. Views only change the place, so that none of them ever
 * moves an element. */
#include "program/program.h"

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

bool coef_equal(Coef a, Coef b)
{
    return a.plus == b.plus && a.minus == b.minus;
}

bool coef_zero(Coef a)
{
    return a.plus == 0 && a.minus == 0;
}

bool index_equal(const Index *a, const Index *b)
{
    Index zero = index_zero();
    if (a == b)
        return true;
    a = a ? a : &zero;
    b = b ? b : &zero;

    if (!coef_equal(a->base, b->base) || a->parts != b->parts)
        return false;
    for (int i = 0; i < MAX_AXES; i++)
        if (!coef_equal(a->axis[i], b->axis[i]))
            return false;
    for (int i = 0; i < a->parts; i++)
        if (a->part[i].val != b->part[i].val || !coef_equal(a->part[i].by, b->part[i].by))
            return false;
    return true;
}

/* a + b; if both sides of the result are numbers, or equal, one of them is 0 */
static Coef coef_add(Graph *g, Coef a, Coef b)
{
    Coef c = {size_add(g, a.plus, b.plus), size_add(g, a.minus, b.minus)};
    bool numbers = c.plus >= 0 && c.minus >= 0;

    if (c.plus == c.minus)
        return (Coef){0, 0};
    if (!numbers)
        return c;
    if (c.plus > c.minus)
        return (Coef){c.plus - c.minus, 0};
    return (Coef){0, c.minus - c.plus};
}

Coef coef_mul(Graph *g, Coef a, Size by)
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
        to->part[to->parts].by = coef_mul(g, from->part[i].by, by);
        to->parts++;
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
    Index y = index_zero();
    y.base.plus = lo;

    if (step < 0) {
        Index negative = index_negate(x);
        index_add(g, &y, &negative, -step);
    } else {
        index_add(g, &y, x, step);
    }
    return y;
}

/* The value of v, an element of a tensor of ints, as an index. */
static Index index_val(Val *v)
{
    Index x = index_zero();
    x.parts = 1;
    x.part[0].val = v;
    x.part[0].by.plus = 1;
    return x;
}

static uint64_t hash_coef(uint64_t h, Coef c)
{
    h = (h ^ (uint64_t)c.plus) * 0x9e3779b97f4a7c15u;
    return (h ^ h >> 29 ^ (uint64_t)c.minus) * 0xbf58476d1ce4e5b9u;
}

static uint64_t index_hash(const Index *x)
{
    uint64_t h = hash_coef((uint64_t)x->parts, x->base);

    for (int i = 0; i < MAX_AXES; i++)
        h = hash_coef(h, x->axis[i]);
    for (int i = 0; i < x->parts; i++)
        h = hash_coef(h ^ (uint64_t)(uintptr_t)x->part[i].val, x->part[i].by);
    return h ^ h >> 32;
}

/* The bucket of an index, or the empty one where it would be. */
static const Index **find_index(const Index **bucket, int buckets, const Index *x)
{
    uint64_t at = index_hash(x) & (uint64_t)(buckets - 1);

    while (bucket[at] && !index_equal(bucket[at], x))
        at = (at + 1) & (uint64_t)(buckets - 1);
    return &bucket[at];
}

static void grow_indices(Program *p)
{
    int had = p->index_buckets;
    const Index **old = p->index;

    p->index_buckets = had ? 2 * had : 64;
    p->index = arena_alloc(p->ngc, (size_t)p->index_buckets * sizeof *p->index);
    for (int i = 0; i < had; i++)
        if (old[i])
            *find_index(p->index, p->index_buckets, old[i]) = old[i];
}

/* The program's one copy of it, which never changes; NULL for 0. */
const Index *index_keep(Program *p, const Index *x)
{
    if (index_equal(x, NULL))
        return NULL;
    if (2 * p->indices >= p->index_buckets)
        grow_indices(p);

    const Index **at = find_index(p->index, p->index_buckets, x);
    if (*at == NULL) {
        *at = arena_copy(p->ngc, x, sizeof *x);
        p->indices++;
    }
    return *at;
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

static const Index *index_linear(Program *p, const Index *idx, Shape shape)
{
    Index at = linear(p, idx, shape);
    return index_keep(p, &at);
}

/* ---- values, shared within a kernel ---- */

static bool val_equal(const Val *a, const Val *b)
{
    if (a->kind != b->kind || a->op != b->op || a->type != b->type || a->node != b->node)
        return false;
    if (memcmp(a->arg, b->arg, sizeof a->arg) != 0)
        return false;
    if (memcmp(&a->value, &b->value, sizeof a->value) != 0) /* as bits: 0 is not -0 */
        return false;
    return a->size == b->size && a->span == b->span && index_equal(a->at, b->at);
}

/* The kernel's value that equals v, or v as a new one. */
static Val *add_val(Program *p, Kernel *k, Val v)
{
    for (int i = 0; i < k->vals; i++)
        if (val_equal(k->val[i], &v))
            return k->val[i];

    k->val = arena_grow(p->ngc, k->val, k->vals, &k->val_room, sizeof *k->val);
    k->val[k->vals] = arena_copy(p->ngc, &v, sizeof v);
    return k->val[k->vals++];
}

Val *val_op(Program *p, Kernel *k, Op op, Type type, Val *a, Val *b, Val *c)
{
    return add_val(p, k, (Val){.kind = V_OP, .op = op, .type = type, .arg = {a, b, c}});
}

static Val *add_const(Program *p, Kernel *k, Type type, double value)
{
    return add_val(p, k, (Val){.kind = V_CONST, .type = type, .value = value});
}

/* ---- views ---- */

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

        if (a.dim[i] != b.dim[k])
            return false;
        i++;
        k++;
    }
}

/* pad: y[i] = x[(i - lo)/step], where that is an element of x, else 0. `from` is i - lo, `inner`
 * the quotient. A guard for each axis checks `from`. */
static Val *pad_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    Graph *g = p->graph;
    const Node *x = n->arg[0];
    Index inner[MAX_RANK], from[MAX_RANK];

    for (int i = 0; i < n->shape.rank; i++) {
        Index back = index_zero();
        back.base.minus = n->attr.lo[i];
        index_add(g, &back, &idx[i], 1);
        back.base = coef_add(g, back.base, (Coef){0, 0});
        from[i] = inner[i] = back;

        if (n->attr.step[i] > 1) {
            Val quotient = {.kind = V_QUOTIENT,
                            .type = T_INT,
                            .size = n->attr.step[i],
                            .at = index_keep(p, &back)};
            inner[i] = index_val(add_val(p, k, quotient));
        }
    }

    Val *v = val_of(p, k, x, inner);
    for (int i = n->shape.rank - 1; i >= 0; i--) {
        Size step = n->attr.step[i];
        if (n->attr.lo[i] == 0 && step == 1 && x->shape.dim[i] == n->shape.dim[i])
            continue;

        /* the last element is at (count - 1)*step, so it is before count*step */
        Val guard = {.kind = V_GUARD,
                     .type = n->type,
                     .arg = {v},
                     .size = step,
                     .span = size_mul(g, x->shape.dim[i], step),
                     .at = index_keep(p, &from[i])};
        v = add_val(p, k, guard);
    }
    return v;
}

/* The place that an index of rows chooses. */
static Index row_index(Val *row)
{
    if (row->kind != V_INDEX)
        return index_val(row);
    return row->at ? *row->at : index_zero();
}

/* Where the tensor x has the element idx of y[.., i, ..] = x[.., index[i], ..], where n is that
 * gather, or the scatter that is its adjoint. The axes of an index are those of y from `axis` on.
 */
static void gather_index(Program *p, Kernel *k, const Node *n, const Node *x, const Index *idx,
                         Index *at)
{
    int axis = n->attr.axis, count = n->nargs - 1, rank = n->arg[1]->shape.rank;

    for (int i = 0; i < axis; i++)
        at[i] = idx[i];
    for (int i = 0; i < count; i++) {
        at[axis + i] = row_index(val_of(p, k, n->arg[1 + i], idx + axis));
    }
    for (int i = axis + count; i < x->shape.rank; i++)
        at[i] = idx[i + rank - count];
}

/* gather: y[.., i, ..] = x[.., index[i], ..] */
static Val *gather_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    Index at[MAX_RANK];

    gather_index(p, k, n, n->arg[0], idx, at);
    return val_of(p, k, n->arg[0], at);
}

/* a reshape that only moves axes of size 1 */
static Val *reshape_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    const Node *a = n->arg[0];
    Index at[MAX_RANK];
    int j = 0;

    for (int i = 0; i < a->shape.rank; i++) {
        at[i] = index_zero();
        if (size_is_one(a->shape.dim[i]))
            continue;
        while (size_is_one(n->shape.dim[j]))
            j++;
        at[i] = idx[j++];
    }
    return val_of(p, k, a, at);
}

/* The index maps of the views: which element of its operand is the element idx of n? */
static Val *view_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    const Node *a = n->arg[0];
    Index at[MAX_RANK];
    int j = 0;

    switch (n->op) {
    case OP_expand:
        for (int i = 0; i < n->shape.rank; i++)
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

/* ---- one element of a node ---- */

static Val *iota_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    Val v = {.kind = V_INDEX, .type = n->type, .at = index_keep(p, &idx[n->attr.axis])};
    return add_val(p, k, v);
}

/* The number of the pass of a loop around the kernel. */
static Val *index_leaf_val(Program *p, Kernel *k, const Node *n)
{
    Size pass = size_dim(p->graph, MAX_DIMS + n->attr.loop->level);

    return add_val(p, k, (Val){.kind = V_SIZE, .type = n->type, .size = pass});
}

static Val *elementwise_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    Val *arg[3] = {0};

    if (!(op_info[n->op]->flags & F_ELEMENTWISE))
        ngc_bug("%s has no value of one element", op_info[n->op]->name);
    if (node_identity(n))
        return val_of(p, k, n->arg[0], idx);

    for (int i = 0; i < n->nargs; i++)
        arg[i] = val_of(p, k, n->arg[i], idx);
    return val_op(p, k, n->op, n->type, arg[0], arg[1], arg[2]);
}

Val *val_definition(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    double value;

    if (node_const(n, &value))
        return add_const(p, k, n->type, value);
    if (op_info[n->op]->flags & F_VIEW)
        return view_val(p, k, n, idx);

    switch (n->op) {
    case OP_pad: return pad_val(p, k, n, idx);
    case OP_index: return index_leaf_val(p, k, n);
    case OP_size:
        return add_val(p, k, (Val){.kind = V_SIZE, .type = n->type, .size = n->attr.size});
    case OP_iota: return iota_val(p, k, n, idx);
    default: return elementwise_val(p, k, n, idx);
    }
}

/* What the kernel itself stores at this place of the node; NULL: it does not. */
static Val *stored_val(const Kernel *k, const Node *n, const Index *at)
{
    for (int i = 0; i < k->stores; i++) {
        const Store *s = &k->store[i];
        if (s->node == n && !s->target && !s->add && s->val && index_equal(s->at, at))
            return s->val;
    }
    return NULL;
}

Val *val_of(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    double value;
    if (!program_stored(p, n) || node_const(n, &value))
        return val_definition(p, k, n, idx);

    const Node *holder = program_holder(p, n);
    Index at = linear(p, idx, n->shape);
    Val *stored = stored_val(k, holder, &at);
    if (stored)
        return stored;

    Val load = {.kind = V_LOAD, .type = n->type, .node = holder, .at = index_keep(p, &at)};
    return add_val(p, k, load);
}

/* ---- kernels ---- */

static Kernel *new_kernel(Program *p, const Node *n, int stores)
{
    Kernel *k = arena_alloc(p->ngc, sizeof *k);

    k->phase = p->phase[p->slot[n->id]];
    k->loop = program_home(p, n);
    k->store = arena_alloc(p->ngc, (size_t)stores * sizeof *k->store);
    return k;
}

/* Adds a store of v into n, at the element idx. */
static void add_store(Program *p, Kernel *k, Node *n, Val *v, const Index *idx)
{
    const Index *at = index_linear(p, idx, n->shape);
    k->store[k->stores++] = (Store){.node = n, .val = v, .at = at};
}

/* A new innermost loop; returns its number. */
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

/* The first of the axes that is longer than 1; rank: there is none. */
static int first_axis(Shape shape, uint32_t axes)
{
    for (int i = 0; i < shape.rank; i++)
        if (axes >> i & 1 && !size_is_one(shape.dim[i]))
            return i;
    return shape.rank;
}

/* Sets up a reduction's nest over the axes of shape: lead axes, reduced axes, trailing axes. With
 * `rows`, the axes after the first reduced one are trailing: rows are added up. Otherwise each
 * result is reduced in a variable. Memory is walked in order either way. */
static void reduction_axes(Program *p, Kernel *k, Shape shape, uint32_t axes, bool rows, Index *idx)
{
    int first = first_axis(shape, axes);

    for (int i = 0; i < shape.rank; i++)
        idx[i] = index_zero();
    for (int pass = AX_LEAD; pass <= AX_TRAIL; pass++)
        for (int i = 0; i < shape.rank; i++) {
            AxisKind kind = AX_LEAD;
            if (axes >> i & 1)
                kind = AX_REDUCE;
            else if (rows && i > first)
                kind = AX_TRAIL;

            if (kind == (AxisKind)pass)
                idx[i] = loop_over(p, k, shape.dim[i], kind);
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

/* Do the loads that change most go from row to row, as of a tensor whose axes were exchanged: does
 * its reduced axis step by one element, and its last one not? */
static bool rows_are_columns(const Kernel *k)
{
    int reduced = 0, last = k->axes - 1;
    bool some = false;

    if (last < 1 || k->axis[last] != AX_TRAIL)
        return false;
    while (k->axis[reduced] != AX_REDUCE)
        reduced++;
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

static Kernel *reduce_in_order(Program *p, Node *n, uint32_t axes, bool rows)
{
    Kernel *k = new_kernel(p, n, 1);
    const Node *x = n->arg[0];

    Index idx[MAX_RANK];
    k->reduce = n->op;
    reduction_axes(p, k, x->shape, axes, rows, idx);

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

    Kernel *k = reduce_in_order(p, n, axes, rows);
    if (rows && rows_are_columns(k))
        k = reduce_in_order(p, n, axes, false);
    return k;
}

/* A small product: y[.., i, j] = the sum over l of a[.., i, l]*b[.., l, j]. The nest is that of a
 * reduction of axis l of [.., i, l, j]. */
Kernel *kernel_matmul(Program *p, Node *n)
{
    Kernel *k = new_kernel(p, n, 1);
    const Node *a = n->arg[0], *b = n->arg[1];
    int rank = n->shape.rank, ta = n->attr.ta, tb = n->attr.tb;
    if (rank + 1 > MAX_RANK)
        ngc_bug("matmul of rank %d", rank);
    int axis_i = rank - 2, axis_l = rank - 1, axis_j = rank;

    Shape shape = n->shape;
    shape.rank = rank + 1;
    shape.dim[axis_j] = n->shape.dim[rank - 1];
    shape.dim[axis_l] = product_of(p->graph, n).k;

    Index all[MAX_RANK];
    bool rows = !tb && !size_is_one(n->shape.dim[rank - 1]) && !p->plain;
    k->reduce = OP_sum;
    reduction_axes(p, k, shape, 1u << axis_l, rows, all);

    Index left[MAX_RANK], right[MAX_RANK], out[MAX_RANK];
    for (int i = 0; i < rank - 2; i++)
        left[i] = right[i] = out[i] = all[i];
    left[rank - 2 + ta] = all[axis_i];
    left[rank - 1 - ta] = all[axis_l];
    right[rank - 2 + tb] = all[axis_l];
    right[rank - 1 - tb] = all[axis_j];
    out[rank - 2] = all[axis_i];
    out[rank - 1] = all[axis_j];

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

    /* in statements of their own: both make values */
    Val *right = val_of(p, k, n->arg[1], forward ? kernel : y);
    Val *left = val_of(p, k, n->arg[0], x);
    Val *product = val_op(p, k, OP_mul, T_FLOAT, left, right, NULL);
    add_store(p, k, n, product, forward ? y : kernel);
    return k;
}

Kernel *kernel_zero(Program *p, Node *n)
{
    Kernel *k = new_kernel(p, n, 1);
    Index idx[MAX_RANK];

    add_axes(p, k, n->shape, idx);
    add_store(p, k, n, add_const(p, k, n->type, 0), idx);
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
    gather_index(p, k, n, n, idx, at);
    add_store(p, k, n, v, at);
    k->store[0].add = true;
    return k;
}

/* n[index[i], ..] = rows[i, ..] */
Kernel *kernel_assign(Program *p, Node *n)
{
    Kernel *k = new_kernel(p, n, 1);
    const Node *rows = n->arg[0], *index = n->arg[1];
    Index idx[MAX_RANK], at[MAX_RANK];

    add_axes(p, k, rows->shape, idx);
    Val *v = val_of(p, k, rows, idx);
    at[0] = row_index(val_of(p, k, index, idx));
    for (int i = 1; i < n->shape.rank; i++)
        at[i] = idx[i + index->shape.rank - 1];
    add_store(p, k, n, v, at);
    return k;
}

/* One operand of a concatenation, stored after those before it. */
Kernel *kernel_piece(Program *p, Node *concat, int arg, Size before)
{
    Kernel *k = new_kernel(p, concat, 1);
    Node *a = concat->arg[arg];
    Index idx[MAX_RANK];
    add_axes(p, k, a->shape, idx);
    Val *v = val_of(p, k, a, idx);

    Index shift = index_zero();
    shift.base.plus = before;
    index_add(p->graph, &idx[concat->attr.axis], &shift, 1);

    /* an operand's axis of size 1 still has an index in the result */
    Index at = index_zero();
    Size stride = 1;
    for (int i = concat->shape.rank - 1; i >= 0; i--) {
        index_add(p->graph, &at, &idx[i], stride);
        stride = size_mul(p->graph, stride, concat->shape.dim[i]);
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
    Size pass = size_dim(g, MAX_DIMS + loop->level);
    int moving = 0;

    for (int i = 0; i < collect->shape.rank; i++) {
        Size part = a->shape.dim[i], all = collect->shape.dim[i];
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
    Kernel *k = new_kernel(p, collect, 1);
    Node *a = collect->arg[0];
    Index idx[MAX_RANK], at = index_zero();
    Size stride = 1;

    k->loop = collect->attr.loop;
    add_axes(p, k, a->shape, idx);
    Val *v = val_of(p, k, a, idx);

    for (int i = collect->shape.rank - 1; i >= 0; i--) {
        Index place = index_strided(p->graph, &idx[i], collect->attr.lo[i], collect->attr.step[i]);
        index_add(p->graph, &at, &place, stride);
        stride = size_mul(p->graph, stride, collect->shape.dim[i]);
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

bool kernel_is_map(const Kernel *k)
{
    if (k->kind != K_LOOP || k->axes == 0 || kernel_reduces(k))
        return false;

    for (int i = 0; i < k->axes; i++)
        if (k->axis[i] != AX_LEAD)
            return false;
    for (int i = 0; i < k->stores; i++)
        if (k->store[i].add || k->store[i].target || k->store[i].node->op == OP_concat ||
            k->store[i].node->op == OP_carried || k->store[i].node->op == OP_assign)
            return false;
    return true;
}

/* ---- independent passes ---- */

/* Of a kernel that stores at computed places: do different passes over this axis store to different
 * elements? They do where the computed index chooses a row, and the axis is the place in the row.
 */
static bool stores_apart(const Kernel *k, int axis)
{
    const Index *at = k->store[0].at;
    return at && at->axis[axis].plus == 1 && at->axis[axis].minus == 0 && at->parts == 1 &&
           at->part[0].by.minus == 0 && at->part[0].by.plus == k->extent[axis];
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
