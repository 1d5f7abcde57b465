/* carry_node.c - what is known of a node, from what is known of its operands: the rules, op by op.
 * carry.c says what the classes are. */
#include "graph/carry.h"

/* ---- one node ---- */

RowInfo info_mixed(const Node *why)
{
    return (RowInfo){.class = IS_MIXED, .why = why};
}

static int later_walk(RowInfo a, RowInfo b)
{
    return max_int(a.walk, b.walk);
}

static bool either_mixed(RowInfo a, RowInfo b)
{
    return a.class == IS_MIXED || b.class == IS_MIXED;
}

/* The one of a and b that is mixed. */
static RowInfo mixed_of(RowInfo a, RowInfo b)
{
    return a.class == IS_MIXED ? a : b;
}

/* A value without rows that is computed from a and b. */
static RowInfo info_both(RowInfo a, RowInfo b)
{
    /* fixed < total: with a total it is a total */
    RowInfo out = {.class = a.class > b.class ? a.class : b.class};
    out.walk = later_walk(a, b);
    out.varies = a.varies || b.varies;
    return out;
}

/* The only axis whose size depends on the batch; -1: none; -2: several. */
int info_row_axis(const Graph *g, Shape s)
{
    int axis = -1;
    for (int i = 0; i < s.rank; i++)
        if (size_uses_dim(g, s.dim[i], 0))
            axis = axis == -1 ? i : -2;
    return axis;
}

/* Is s = times * m, where times does not depend on m? */
static bool times_rows(Graph *g, Size s, Size *times)
{
    return size_div(g, s, size_dim(g, 0), times) && !size_uses_dim(g, *times, 0);
}

/* Rows along the only axis of n that depends on m. */
static RowInfo info_rows(const RowClasses *a, const Node *n, bool alike, int walk)
{
    RowInfo out = {.class = IS_ROWS,
                   .axis = info_row_axis(a->g, n->shape),
                   .before = 1,
                   .alike = alike,
                   .walk = walk};
    /* the axis holds `before` blocks of m rows, each row `after` places long */
    if (out.axis < 0 || !times_rows(a->g, n->shape.dim[out.axis], &out.after))
        return info_mixed(n);
    return out;
}

/* The rows of two values of equal shape, place by place. */
static RowInfo rows_both(const Node *n, RowInfo a, RowInfo b)
{
    /* rows that are alike fit any order of rows */
    RowInfo out = a.alike ? b : a;
    bool same = a.before == b.before && a.after == b.after;
    if (a.axis != b.axis || !(same || a.alike || b.alike))
        return info_mixed(n);
    out.alike = a.alike && b.alike;
    out.walk = later_walk(a, b);
    return out;
}

/* Operands of an op that works place by place: both have the rows along one axis, or neither has
 * rows. */
static RowInfo same_places(const Node *n, RowInfo a, RowInfo b)
{
    if (either_mixed(a, b))
        return mixed_of(a, b);
    if (a.class == IS_ROWS && b.class == IS_ROWS)
        return rows_both(n, a, b);
    if (a.class == IS_ROWS || b.class == IS_ROWS)
        return info_mixed(n);
    return info_both(a, b);
}

/* Rows that are computed with another value, which has no rows. */
static RowInfo rows_with(RowInfo rows, RowInfo other)
{
    rows.walk = later_walk(rows, other);
    return rows;
}

/* A node that removes the axis of the rows; it is known after the walk over them. */
static RowInfo carry(RowInfo rows, CarryKind kind)
{
    return (RowInfo){.class = IS_TOTAL, .walk = rows.walk + 1, .carried = true, .kind = kind};
}

static RowInfo at_axis(RowInfo rows, int axis)
{
    rows.axis = axis;
    return rows;
}

static RowInfo of_reduction(const Node *n, RowInfo x)
{
    int left = 0;
    uint32_t axes = n->op == OP_argmax ? 1u << n->attr.axis : n->attr.axes;

    if (x.class != IS_ROWS)
        return x;
    if (axes >> x.axis & 1) {
        /* an index of a row in its batch says nothing of all rows */
        if (n->op == OP_argmax)
            return info_mixed(n);
        return carry(x, n->op == OP_sum ? CARRY_SUM : CARRY_MAX);
    }

    /* the axis of the rows moves forward by those that are gone before it */
    for (int i = 0; i < x.axis; i++)
        left += !(axes >> i & 1);
    return at_axis(x, left);
}

/* New axes hold copies. A new axis over the rows has rows that are alike. */
static RowInfo of_expand(const RowClasses *a, const Node *n, RowInfo x)
{
    int kept = 0;
    bool new_rows = false;
    for (int i = 0; i < n->shape.rank; i++)
        new_rows |= (n->attr.axes >> i & 1) && size_uses_dim(a->g, n->shape.dim[i], 0);

    if (x.class == IS_MIXED)
        return x;
    if (x.class != IS_ROWS)
        return new_rows ? info_rows(a, n, true, x.walk) : x;
    if (new_rows)
        return info_mixed(n);

    for (int i = 0; i < n->shape.rank; i++)
        if (!(n->attr.axes >> i & 1) && kept++ == x.axis)
            return at_axis(x, i);
    return info_mixed(n);
}

/* The elements of x before and after the index of a row are counted over all axes. The axes of the
 * result, except the axis of the rows, must divide these counts. */
static RowInfo of_reshape(const RowClasses *a, const Node *n, RowInfo x)
{
    Graph *g = a->g;
    Shape from = n->arg[0]->shape;
    Shape to = n->shape;
    if (x.class != IS_ROWS)
        return x;

    int axis = info_row_axis(g, to);
    if (axis < 0)
        return info_mixed(n);

    Size before = x.before;
    Size after = x.after;
    for (int i = 0; i < x.axis; i++)
        before = size_mul(g, before, from.dim[i]);
    for (int i = x.axis + 1; i < from.rank; i++)
        after = size_mul(g, after, from.dim[i]);

    for (int i = 0; i < to.rank; i++) {
        Size *side = i < axis ? &before : &after;
        if (i != axis && !size_div(g, *side, to.dim[i], side))
            return info_mixed(n);
    }

    /* before*m*after places along the new axis: else rows are cut in pieces */
    Size places = size_mul(g, size_mul(g, before, size_dim(g, 0)), after);
    if (places != to.dim[axis])
        return info_mixed(n);

    RowInfo out = {.class = IS_ROWS, .axis = axis, .walk = x.walk};
    out.before = before;
    out.after = after;
    out.alike = x.alike && from.dim[x.axis] == to.dim[axis];
    return out;
}

static RowInfo of_permute(const Node *n, RowInfo x)
{
    for (int i = 0; i < n->shape.rank && x.class == IS_ROWS; i++)
        if (n->attr.perm[i] == x.axis)
            return at_axis(x, i);
    return x;
}

/* All rows, the first, or the last. */
static RowInfo of_slice(const RowClasses *a, const Node *n, RowInfo x)
{
    Graph *g = a->g;
    if (x.class != IS_ROWS)
        return x;

    Size all = n->arg[0]->shape.dim[x.axis];
    Size some = n->shape.dim[x.axis];
    Size from = n->attr.lo[x.axis];

    if (some == all && from == 0 && n->attr.step[x.axis] == 1)
        return x;
    /* part of the rows of a batch is not a part of all rows */
    if (some != 1 || !(x.alike || all == size_dim(g, 0)))
        return info_mixed(n);
    if (from == 0)
        return carry(x, CARRY_FIRST);
    if (from == size_sub(g, all, 1))
        return carry(x, CARRY_LAST);
    return info_mixed(n);
}

static RowInfo of_pad(const Node *n, RowInfo x)
{
    if (x.class == IS_ROWS && n->shape.dim[x.axis] != n->arg[0]->shape.dim[x.axis])
        return info_mixed(n);
    return x;
}

/* Concatenation along another axis than the axis of the rows; or along that axis, if every operand
 * has places for all rows. */
static RowInfo of_concat(const RowClasses *a, const Node *n)
{
    RowInfo out = a->info[arg_id(n, 0)];
    Size before = out.before;

    for (int i = 1; i < n->nargs; i++) {
        RowInfo x = a->info[arg_id(n, i)];
        bool both_rows = out.class == IS_ROWS && x.class == IS_ROWS;
        bool along = both_rows && out.axis == n->attr.axis && x.axis == n->attr.axis;

        if (along && !out.alike && !x.alike && out.after == x.after) {
            before = size_add(a->g, before, x.before);
            out.walk = later_walk(out, x);
        } else if (along) {
            return info_mixed(n);
        } else {
            out = same_places(n, out, x);
        }
    }
    if (out.class == IS_ROWS && out.axis == n->attr.axis)
        out.before = before;
    return out;
}

/* What an axis of an operand is in a matrix product: one of the batch of matrices, an axis of the
 * result, or the axis that is summed over. */
typedef enum { BATCH_AXIS, OUTER_AXIS, INNER_AXIS } Role;

static Role matmul_role(const Node *n, int operand, RowInfo x)
{
    int last = n->arg[operand]->shape.rank - 1;
    bool transposed = operand ? n->attr.tb : n->attr.ta;
    /* a is [.., outer, inner], b is [.., inner, outer]; a transpose exchanges them */
    bool outer_is_last = operand != transposed;

    if (x.axis < last - 1)
        return BATCH_AXIS;
    return (x.axis == last) == outer_is_last ? OUTER_AXIS : INNER_AXIS;
}

/* Both operands have rows: each row has its own product, or the product is a sum over the rows. */
static RowInfo matmul_of_rows(const Node *n, RowInfo x, RowInfo y)
{
    Role p = matmul_role(n, 0, x);
    Role q = matmul_role(n, 1, y);
    /* two outer axes would pair each row with each other row */
    if (p != q || p == OUTER_AXIS)
        return info_mixed(n);

    /* rows_both compares axes, and the inner ones are at different places */
    if (p == INNER_AXIS)
        y.axis = x.axis;
    RowInfo both = rows_both(n, x, y);
    if (both.class == IS_MIXED || p == BATCH_AXIS)
        return both;
    return carry(both, CARRY_SUM);
}

/* The rows stay if only one operand has them: rows of a matrix times a fixed matrix. */
static RowInfo of_matmul(const RowClasses *a, const Node *n)
{
    RowInfo x = a->info[arg_id(n, 0)];
    RowInfo y = a->info[arg_id(n, 1)];
    int last = n->shape.rank - 1;

    if (x.class != IS_ROWS && y.class != IS_ROWS)
        return same_places(n, x, y);
    if (either_mixed(x, y))
        return mixed_of(x, y);
    if (x.class == IS_ROWS && y.class == IS_ROWS)
        return matmul_of_rows(n, x, y);

    int operand = y.class == IS_ROWS;
    RowInfo rows = operand ? y : x;
    if (matmul_role(n, operand, rows) != OUTER_AXIS)
        return info_mixed(n);
    rows.walk = later_walk(x, y);
    return at_axis(rows, operand ? last : last - 1);
}

/* Each row has its own matrix; or, for solve, one matrix has a right side for each row. */
static RowInfo of_linear(const RowClasses *a, const Node *n)
{
    RowInfo m = a->info[arg_id(n, 0)];
    int rank = n->arg[0]->shape.rank;

    if (m.class == IS_ROWS && m.axis >= rank - 2)
        return info_mixed(n);
    if (n->op != OP_solve)
        return m;

    RowInfo b = a->info[arg_id(n, 2)];
    if (m.class == IS_ROWS || b.class != IS_ROWS)
        return same_places(n, m, b);
    if (m.class == IS_MIXED)
        return m;
    if (b.axis != rank - 1)
        return info_mixed(n);
    b.walk = later_walk(m, b);
    return b;
}

/* Images have the batch as their last axis, and kernels have no batch. convk is a sum over it. */
static RowInfo of_conv(const RowClasses *a, const Node *n)
{
    RowInfo x = a->info[arg_id(n, 0)];
    RowInfo y = a->info[arg_id(n, 1)];
    bool rows = x.class == IS_ROWS && x.axis == 3;

    if (x.class != IS_ROWS && y.class != IS_ROWS)
        return same_places(n, x, y);

    /* its result has no batch: it is the sum over the images */
    if (n->op == OP_convk) {
        RowInfo both = same_places(n, x, y);
        if (both.class == IS_ROWS && rows)
            return carry(both, CARRY_SUM);
        if (both.class == IS_MIXED)
            return both;
        return info_mixed(n);
    }

    if (either_mixed(x, y))
        return mixed_of(x, y);
    if (!rows || y.class == IS_ROWS)
        return info_mixed(n);
    x.walk = later_walk(x, y);
    return x;
}

/* Is this index checked by the functions, or in range by itself? An index that uses a total is
 * known only after these checks. */
static bool index_is_safe(const Node *i, RowInfo info)
{
    while (node_has(i, F_VIEW) && i->nargs == 1)
        i = i->arg[0];
    return info.walk == 0 || i->op == OP_argmax;
}

/* The axis of n that counts all rows, which are `rows`, 0, 1, 2, ..; -1: none does. */
static int row_counter(const RowClasses *a, const Node *n, Size rows)
{
    int axis = node_counted_axis(a->g, n);

    if (axis < 0 || n->shape.dim[axis] != rows)
        return -1;
    /* copied along an axis with as many elements, it would give each row as often as there are rows
     */
    for (int i = 0; i < n->shape.rank; i++)
        if (i != axis && n->shape.dim[i] == rows)
            return -1;
    return axis;
}

/* The rows of x that are not chosen by an index, after the axes of the indices have replaced those
 * that are. */
static RowInfo beside_indices(const Node *n, RowInfo x)
{
    int count = n->nargs - 1;
    if (x.class != IS_ROWS || x.axis < n->attr.axis)
        return x;
    return at_axis(x, x.axis - count + n->arg[1]->shape.rank);
}

/* Several indices. If they choose the row of x, one of them must count the rows. */
static RowInfo of_gather_at(const RowClasses *a, const Node *n)
{
    RowInfo x = a->info[arg_id(n, 0)];
    int axis = n->attr.axis;
    int count = n->nargs - 1;
    int counter = 0;

    if (x.class == IS_MIXED)
        return x;
    RowInfo out = beside_indices(n, x);
    /* an index chooses the row: it must be that of the row itself, counted 0, 1, 2, .. */
    if (x.class == IS_ROWS && x.axis >= axis && x.axis < axis + count) {
        counter = 1 + x.axis - axis;
        int counts = row_counter(a, n->arg[counter], n->arg[0]->shape.dim[x.axis]);
        if (counts < 0)
            return info_mixed(n);
        out = at_axis(x, axis + counts);
    }

    for (int k = 1; k <= count; k++) {
        RowInfo i = a->info[arg_id(n, k)];
        if (k == counter)
            continue;
        if (i.class == IS_MIXED)
            return i;
        if (!index_is_safe(n->arg[k], i))
            return info_mixed(n);
        /* the other indices go along with the rows, or are the same for all */
        if (i.class == IS_ROWS)
            i = at_axis(i, axis + i.axis);
        if (i.class == IS_ROWS && out.class == IS_ROWS)
            out = rows_both(n, out, i);
        else if (i.class == IS_ROWS)
            out = rows_with(i, out);
        else if (out.class == IS_ROWS)
            out = rows_with(out, i);
        else
            out = info_both(out, i);
        if (out.class == IS_MIXED)
            return out;
    }
    return out;
}

/* Elements of x [.., k, ..] at the indices i [..]. Either each row has its indices into one table,
 * or each row has its table and the indices are the same. */
static RowInfo of_gather(const RowClasses *a, const Node *n)
{
    if (n->nargs > 2)
        return of_gather_at(a, n);

    RowInfo x = a->info[arg_id(n, 0)];
    RowInfo i = a->info[arg_id(n, 1)];
    int axis = n->attr.axis;

    if (either_mixed(x, i))
        return mixed_of(x, i);
    if (!index_is_safe(n->arg[1], i))
        return info_mixed(n);
    if (x.class != IS_ROWS && i.class != IS_ROWS)
        return info_both(x, i);
    /* an index among rows reads another row */
    if (x.class == IS_ROWS && (i.class == IS_ROWS || x.axis == axis))
        return info_mixed(n);

    /* The axes of the index are in place of `axis`. */
    RowInfo rows = x.class == IS_ROWS ? x : i;
    rows.walk = later_walk(x, i);
    if (i.class == IS_ROWS)
        return at_axis(rows, axis + i.axis);
    if (x.axis < axis)
        return rows;
    return at_axis(rows, x.axis - 1 + n->arg[1]->shape.rank);
}

/* Several indices: a sum over the rows too, if they do not choose a row of the result. */
static RowInfo of_scatter_at(const RowClasses *a, const Node *n)
{
    RowInfo out = a->info[arg_id(n, 0)];
    int axis = n->attr.axis;
    int rank = n->arg[1]->shape.rank;
    bool inside = out.class == IS_ROWS && out.axis >= axis && out.axis < axis + rank;

    for (int k = 1; k < n->nargs && out.class != IS_MIXED; k++) {
        RowInfo i = a->info[arg_id(n, k)];
        if (i.class == IS_ROWS)
            i.axis += axis;
        if (!index_is_safe(n->arg[k], i))
            return info_mixed(n);
        out = same_places(n, out, i);
    }
    if (out.class != IS_ROWS)
        return out;
    if (inside && info_row_axis(a->g, n->shape) == -1)
        return carry(out, CARRY_SUM);
    return info_mixed(n);
}

/* The adjoint of gather. If each row has an index, it is a sum over the rows. */
static RowInfo of_scatter(const RowClasses *a, const Node *n)
{
    if (n->nargs > 2)
        return of_scatter_at(a, n);

    RowInfo dy = a->info[arg_id(n, 0)];
    RowInfo i = a->info[arg_id(n, 1)];
    int axis = n->attr.axis;
    int rank = n->arg[1]->shape.rank;

    if (either_mixed(dy, i))
        return mixed_of(dy, i);
    if (!index_is_safe(n->arg[1], i))
        return info_mixed(n);
    if (dy.class != IS_ROWS && i.class != IS_ROWS)
        return info_both(dy, i);
    if (dy.class != IS_ROWS)
        return info_mixed(n);

    /* rows are added where their indices say: a sum over the rows */
    if (i.class == IS_ROWS) {
        RowInfo both = rows_both(n, dy, at_axis(i, axis + i.axis));
        if (both.class != IS_ROWS)
            return both;
        return carry(both, CARRY_SUM);
    }

    /* `axis` is in place of the axes of the index. */
    if (dy.axis >= axis && dy.axis < axis + rank)
        return info_mixed(n);
    dy.walk = later_walk(dy, i);
    if (dy.axis < axis)
        return dy;
    return at_axis(dy, dy.axis + 1 - rank);
}

static RowInfo of_leaf(const RowClasses *a, const Node *n)
{
    Graph *g = a->g;
    bool rows = info_row_axis(g, n->shape) != -1;

    if (n->op == OP_size && size_uses_dim(g, n->attr.size, 0))
        return (RowInfo){.class = IS_TOTAL, .walk = 1};
    if (n->op == OP_size)
        return (RowInfo){.class = IS_FIXED};

    /* An iota over the rows holds the index of a row in its batch, which is not the index among all
     * rows. */
    if (n->op == OP_iota && rows && size_uses_dim(g, n->shape.dim[n->attr.axis], 0))
        return info_mixed(n);
    if (rows)
        return info_rows(a, n, n->op == OP_iota, 0);

    bool varies = n->op == OP_var || n->op == OP_random || n->op == OP_noise || n->op == OP_index;
    return (RowInfo){.class = IS_FIXED, .varies = varies};
}

static RowInfo of_elementwise(const RowClasses *a, const Node *n)
{
    RowInfo x = a->info[arg_id(n, 0)];
    for (int k = 1; k < n->nargs; k++)
        x = same_places(n, x, a->info[arg_id(n, k)]);
    /* f(carrier) is a total, and no longer what batches contribute */
    x.carried = false;
    return x;
}

/* An op that nothing is known of: it must not see rows. */
static RowInfo of_unknown(const RowClasses *a, const Node *n)
{
    RowInfo x = {.class = IS_FIXED};
    for (int k = 0; k < n->nargs; k++) {
        RowInfo y = a->info[arg_id(n, k)];
        if (y.class == IS_MIXED)
            return y;
        if (y.class == IS_ROWS)
            return info_mixed(n);
        x = info_both(x, y);
    }
    return x;
}

/* ---- loops ---- */

/* Are there rows in the body of a loop? */
static bool has_rows_inside(const RowClasses *a, const Node *loop)
{
    const struct LoopBody *body = &a->order.body[loop->attr.loop->id];

    for (int i = 0; i < body->count; i++)
        if (a->info[body->node[i]->id].class == IS_ROWS)
            return true;
    return false;
}

/* The number of passes. It is the same for all rows if they do not decide it. */
RowInfo info_of_passes(const RowClasses *a, const Node *loop)
{
    const Node *test = loop_test(loop);
    const Node *count = loop_count(loop);
    RowInfo out = {.class = IS_FIXED, .varies = true};

    if (size_uses_dim(a->g, loop->attr.loop->passes, 0))
        return info_mixed(loop);
    if (test)
        out = same_places(loop, out, a->info[test->id]);
    if (count)
        out = same_places(loop, out, a->info[count->id]);
    /* rows would wait for a walk to know how many passes they make */
    if (out.class == IS_TOTAL && !a->at_once && has_rows_inside(a, loop))
        return info_mixed(loop);
    out.carried = false;
    return out;
}

/* A value that is a in one pass and b in another. */
RowInfo info_either_pass(const Node *n, RowInfo a, RowInfo b)
{
    RowInfo out = same_places(n, a, b);

    out.carried = false;
    out.varies = true;
    return out;
}

/* A variable: as far as is known, what it begins with. */
static RowInfo of_variable(const RowClasses *a, const Node *leaf)
{
    const Node *loop = a->order.body[leaf->attr.loop->id].loop;
    int i = loop_variable(loop, leaf);

    if (i < 0)
        return info_mixed(leaf);
    RowInfo init = a->info[loop_init(loop, i)->id];
    return info_either_pass(leaf, init, init);
}

/* What leaves a loop is computed in as many passes as the loop makes. */
static RowInfo with_passes(RowInfo x, RowInfo passes)
{
    if (x.class != IS_ROWS)
        return either_mixed(x, passes) ? mixed_of(x, passes) : info_both(x, passes);
    if (passes.class == IS_MIXED)
        return passes;
    x.walk = later_walk(x, passes);
    x.carried = false;
    return x;
}

static RowInfo of_collect(const RowClasses *a, const Node *n)
{
    const Node *part = n->arg[0];
    RowInfo x = a->info[part->id];

    if (x.class == IS_ROWS && n->shape.dim[x.axis] != part->shape.dim[x.axis])
        return info_mixed(n);
    x.varies = true;
    return with_passes(x, a->info[arg_id(n, 1)]);
}

RowInfo info_of_node(const RowClasses *a, const Node *n)
{
    const OpInfo *info = op_info[n->op];
    if (n->op == OP_carried)
        return of_variable(a, n);
    if (info->flags & F_LEAF || n->op == OP_noise)
        return of_leaf(a, n);
    if (info->flags & F_ELEMENTWISE)
        return of_elementwise(a, n);
    if (n->op == OP_loop)
        return info_of_passes(a, n);

    RowInfo x = a->info[arg_id(n, 0)];
    if (info->flags & F_REDUCE)
        return of_reduction(n, x);

    switch (n->op) {
    case OP_expand: return of_expand(a, n, x);
    case OP_reshape: return of_reshape(a, n, x);
    case OP_permute: return of_permute(n, x);
    case OP_slice: return of_slice(a, n, x);
    case OP_pad: return of_pad(n, x);
    case OP_concat: return of_concat(a, n);
    case OP_matmul: return of_matmul(a, n);
    case OP_lu:
    case OP_cholesky:
    case OP_solve:
    case OP_det:
    case OP_logdet: return of_linear(a, n);
    case OP_conv:
    case OP_convk: return of_conv(a, n);
    case OP_order: return x.class == IS_ROWS && x.axis == n->shape.rank - 1 ? info_mixed(n) : x;
    case OP_gather: return of_gather(a, n);
    case OP_scatter: return of_scatter(a, n);
    case OP_last: return with_passes(x, a->info[arg_id(n, 1)]);
    case OP_passes: return x;
    case OP_collect: return of_collect(a, n);
    default: return of_unknown(a, n);
    }
}
