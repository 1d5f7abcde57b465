/* loop.c - loops that stay loops: their leaves, what leaves them, and the records of these ops.
 *
 * A loop is a function of the values outside, written with leaves: OP_index is the number of the
 * pass, OP_carried a variable before the pass. Nothing marks the body. A node is in it if it
 * depends on a leaf, so what does not change from pass to pass is outside by itself. */
#include "graph/eval.h"

#include <string.h>

/* ---- a loop and its leaves ---- */

Loop *graph_new_loop(Graph *g, const char *name, int level, Size passes, bool down)
{
    Loop *loop = arena_alloc(g->ngc, sizeof *loop);
    Dim *dim = &g->dim[MAX_DIMS + level];
    int64_t last = size_max(g, passes) - 1;

    *loop = (Loop){.name = name,
                   .level = level,
                   .down = down,
                   .passes = passes,
                   .last = size_sub(g, passes, 1),
                   .loc = g->loc,
                   .id = g->loops++};
    dim->name = name;
    /* loops of one level share a dim for their index: its bound is that of the longest */
    if (dim->max < last)
        dim->max = last;
    return loop;
}

Node *graph_index(Graph *g, const Loop *loop)
{
    return graph_add(g, (Node){.op = OP_index, .type = T_INT, .attr.loop = loop}, NULL);
}

Node *graph_carried(Graph *g, const Loop *loop, const Node *like)
{
    Node n = {.op = OP_carried,
              .type = like->type,
              .shape = like->shape,
              .attr = {.loop = loop, .axis = g->carried++}};
    return graph_add(g, n, NULL);
}

bool loop_is_of_segments(const Loop *loop)
{
    while (loop && !loop->segments)
        loop = loop->of;
    return loop != NULL;
}

const Loop *node_loop(const Node *n)
{
    for (int l = MAX_LEVELS - 1; l >= 0; l--)
        if (n->in[l])
            return n->in[l];
    return NULL;
}

/* The number of the pass, perhaps cast; or NULL. */
static const Node *index_in(const Node *n)
{
    while (n->op == OP_cast || n->op == OP_copy)
        n = n->arg[0];
    return n->op == OP_index ? n : NULL;
}

const Loop *node_counts(const Node *n)
{
    const Node *index = index_in(n);
    if (index)
        return index->attr.loop->from == 0 ? index->attr.loop : NULL;

    if (n->op != OP_add)
        return NULL;
    for (int k = 0; k < 2; k++) {
        /* for i in a..b: i is the number of the pass + a */
        index = index_in(n->arg[k]);
        if (index && node_is(n->arg[1 - k], (double)index->attr.loop->from))
            return index->attr.loop;
    }
    return NULL;
}

/* ---- the index in sizes ---- */

int graph_indices(Graph *g, const Size *size, int count, Node **leaf)
{
    int n = 0;

    for (int l = 0; l < MAX_LEVELS; l++) {
        bool used = false;
        for (int i = 0; i < count; i++)
            used |= size_uses_dim(g, size[i], MAX_DIMS + l);
        if (!used)
            continue;
        if (!g->index[l])
            ngc_bug("a size depends on the index of no loop");
        leaf[n++] = g->index[l];
    }
    return n;
}

Indices graph_use_indices(Graph *g, Node *const *leaf, int count)
{
    Indices before;

    memcpy(before.at, g->index, sizeof before.at);
    for (int i = 0; i < count; i++)
        g->index[leaf[i]->attr.loop->level] = leaf[i];
    return before;
}

void graph_restore_indices(Graph *g, Indices before)
{
    memcpy(g->index, before.at, sizeof before.at);
}

/* ---- OP_loop ---- */

/* A variable is as risky as what a pass, or the value before the first one, makes of it. So is what
 * the body computes from it. */
static void note_risks(Graph *g, const Loop *loop, Node *const *leaf, Node *const *init,
                       Node *const *next, int count)
{
    int first = g->count;

    for (int i = 0; i < count; i++) {
        Node *n = leaf[i];
        Risk risk = risk_worse(init[i]->range.risk, next[i]->range.risk);
        Risk trained = risk_worse(init[i]->trained.risk, next[i]->trained.risk);
        if (risk <= n->range.risk && trained <= n->trained.risk)
            continue;
        n->range.risk = risk_worse(n->range.risk, risk);
        n->trained.risk = risk_worse(n->trained.risk, trained);
        if (n->id < first)
            first = n->id;
    }
    if (first == g->count)
        return;

    /* ranges of the body, now that its leaves may be worse */
    for (int i = first; i < g->count; i++) {
        Node *n = g->node[i];
        if (n->in[loop->level] == loop && n->op != OP_carried)
            range_find(g, n);
    }
    /* until nothing becomes worse: risks have few steps */
    note_risks(g, loop, leaf, init, next, count);
}

/* An OP_loop. around: the indices of the loops that it is inside of. */
static Node *new_loop(Graph *g, const Loop *loop, Node *const *leaf, Node *const *init,
                      Node *const *next, int count, Node *test, Node *passes, Node *const *around,
                      int arounds)
{
    Node **arg = arena_array(g->ngc, 3 * count + 2 + arounds, sizeof *arg);
    int n = 0;

    /* the operands: [leaf.., init.., next.., test, passes, around..] */
    for (int i = 0; i < count; i++)
        arg[n++] = leaf[i];
    for (int i = 0; i < count; i++)
        arg[n++] = init[i];
    for (int i = 0; i < count; i++) {
        Shape was = leaf[i]->shape;
        Shape is = next[i]->shape;
        if (!shape_equal(is, was) || next[i]->type != leaf[i]->type)
            ngc_bug("loop: a variable becomes %s, and was %s", shape_text(g, is),
                    shape_text(g, was));
        arg[n++] = next[i];
    }
    if (test)
        arg[n++] = test;
    if (passes)
        arg[n++] = passes;
    for (int i = 0; i < arounds; i++)
        arg[n++] = around[i];

    note_risks(g, loop, leaf, init, next, count);
    int kind = 0;
    if (test)
        kind |= LOOP_WHILE;
    if (passes)
        kind |= LOOP_COUNT;
    Node made = {.op = OP_loop,
                 .type = T_INT,
                 .nargs = n,
                 .attr = {.loop = loop, .kind = kind, .axis = count}};
    return graph_add(g, made, arg);
}

Node *graph_loop(Graph *g, const Loop *loop, Node *const *leaf, Node *const *init,
                 Node *const *next, int count, Node *test, Node *passes)
{
    Node *around[MAX_LEVELS];
    int arounds = 0;

    for (int l = 0; l < loop->level; l++)
        if (g->index[l])
            around[arounds++] = g->index[l];
    return new_loop(g, loop, leaf, init, next, count, test, passes, around, arounds);
}

int loop_variables(const Node *loop)
{
    return loop->attr.axis;
}

int loop_variable(const Node *loop, const Node *leaf)
{
    for (int i = 0; i < loop_variables(loop); i++)
        if (loop_leaf(loop, i) == leaf)
            return i;
    return -1;
}

Node *loop_leaf(const Node *loop, int i)
{
    return loop->arg[i];
}

Node *loop_init(const Node *loop, int i)
{
    return loop->arg[loop_variables(loop) + i];
}

Node *loop_next(const Node *loop, int i)
{
    return loop->arg[2 * loop_variables(loop) + i];
}

/* Where its operands after the variables begin: the test, the number of passes, and the indices. */
static int after_variables(const Node *loop)
{
    return 3 * loop_variables(loop);
}

static int after_test(const Node *loop)
{
    int at = after_variables(loop);
    if (loop->attr.kind & LOOP_WHILE)
        return at + 1;
    return at;
}

static int after_count(const Node *loop)
{
    int at = after_test(loop);
    if (loop->attr.kind & LOOP_COUNT)
        return at + 1;
    return at;
}

/* The test of a loop with these operands, or NULL. */
static Node *test_in(const Node *loop, Node *const *arg)
{
    if (loop->attr.kind & LOOP_WHILE)
        return arg[after_variables(loop)];
    return NULL;
}

/* The number of its passes, or NULL. */
static Node *count_in(const Node *loop, Node *const *arg)
{
    if (loop->attr.kind & LOOP_COUNT)
        return arg[after_test(loop)];
    return NULL;
}

Node *loop_test(const Node *loop)
{
    return test_in(loop, loop->arg);
}

Node *loop_count(const Node *loop)
{
    return count_in(loop, loop->arg);
}

static Node *copy_loop(Graph *g, const Node *n, Node *const *arg)
{
    int count = loop_variables(n);
    int around = after_count(n);
    Node *const *leaf = arg;
    Node *const *init = leaf + count;
    Node *const *next = init + count;
    Node *test = test_in(n, arg);
    Node *passes = count_in(n, arg);

    return new_loop(g, n->attr.loop, leaf, init, next, count, test, passes, arg + around,
                    n->nargs - around);
}

/* ---- what leaves a loop ---- */

Node *graph_last(Graph *g, Node *loop, Node *leaf)
{
    int i = loop_variable(loop, leaf);

    if (i >= 0 && loop_next(loop, i) == leaf) /* it keeps its value */
        return loop_init(loop, i);
    Node n = {.op = OP_last,
              .type = leaf->type,
              .shape = leaf->shape,
              .nargs = 2,
              .attr.loop = loop->attr.loop};
    return graph_add(g, n, (Node *[]){leaf, loop});
}

static Node *copy_last(Graph *g, const Node *n, Node *const *arg)
{
    (void)n;
    return graph_last(g, arg[1], arg[0]);
}

Node *graph_passes(Graph *g, Node *loop)
{
    Node n = {.op = OP_passes, .type = T_INT, .nargs = 1, .attr.loop = loop->attr.loop};

    if (loop_count(loop))
        return loop_count(loop);
    if (!loop_test(loop))
        return graph_cast(g, graph_size(g, loop->attr.loop->passes), T_INT);
    return graph_add(g, n, &loop);
}

static Node *copy_passes(Graph *g, const Node *n, Node *const *arg)
{
    (void)n;
    return graph_passes(g, arg[0]);
}

static const Size none[MAX_RANK]; /* a place at the beginning */

/* Does a place of these sizes depend on the index of the loop? */
static bool moves_with(const Graph *g, const Loop *loop, const Size *lo, int rank)
{
    for (int i = 0; i < rank; i++)
        if (size_uses_dim(g, lo[i], index_dim(loop)))
            return true;
    return false;
}

/* Does the part fill all, from its first element on? */
static bool is_whole(const Size *lo, Shape all, Shape part)
{
    for (int i = 0; i < all.rank; i++)
        if (lo[i] != 0)
            return false;
    return shape_equal(all, part);
}

/* The parts of all passes, `run`, within zeros of that shape. Where a loop makes fewer passes than
 * it might, as that of the last segment does, the run may end outside: these rows are zeros, and
 * are cut off. */
static Node *place_run(Graph *g, Node *loop, Node *run, int axis, const Size *from, Shape shape)
{
    Size size = shape.dim[axis];
    int64_t end = size_max(g, size_add(g, from[axis], run->shape.dim[axis]));
    bool may_end_outside = loop->attr.kind & LOOP_COUNT && end > size_least(g, size);
    if (!may_end_outside)
        return graph_pad(g, run, from, size_ones, shape);

    Shape wide = shape;
    wide.dim[axis] = size_max(g, size);
    if (wide.dim[axis] < end)
        wide.dim[axis] = end;
    return graph_slice(g, graph_pad(g, run, from, size_ones, wide), none, size_ones, shape);
}

/* Parts that follow each other along one axis, from a place that only loops around this one
 * determine, are put together first: the collect is a pad of all of them. NULL: it is not one. */
static Node *collect_run(Graph *g, Node *loop, Node *n, const Size *lo, const Size *step,
                         Shape shape)
{
    const Loop *l = loop->attr.loop;
    int dim = index_dim(l);
    int axis = -1;
    Size from[MAX_RANK] = {0}, within[MAX_RANK] = {0};
    Shape run = shape;

    for (int i = 0; i < shape.rank; i++) {
        Size coef[256];
        from[i] = lo[i];
        if (!size_uses_dim(g, lo[i], dim))
            continue;
        /* lo = c0 + c1*pass with c1 = the size of a part: parts follow each other without gaps */
        if (axis >= 0 || step[i] != 1)
            return NULL;
        if (size_powers(g, lo[i], dim, coef) != 2 || coef[1] != n->shape.dim[i])
            return NULL;
        axis = i;
        from[i] = coef[0];
        within[i] = size_mul(g, coef[1], size_dim(g, dim));
        run.dim[i] = size_mul(g, coef[1], l->passes);
    }
    if (axis < 0 || from[axis] >= 0)
        return NULL;

    /* the other axes are placed by the pad */
    for (int i = 0; i < shape.rank; i++)
        if (i != axis && (step[i] != 1 || lo[i] != 0))
            return NULL;
    Node *all = graph_collect(g, loop, n, within, step, run);
    return place_run(g, loop, all, axis, from, shape);
}

/* If n is what pass t reads at place t along one axis of a tensor outside: that tensor, with this
 * axis first. Else NULL. */
static Node *read_pass_by_pass(Graph *g, const Loop *l, const Node *n)
{
    const Node *slice = n;
    if (n->op == OP_reshape)
        slice = n->arg[0];
    int axis = -1;

    if (slice->op != OP_slice || slice->bound || slice->arg[0]->in[l->level])
        return NULL;
    Node *x = slice->arg[0];
    const Size *part = slice->shape.dim;
    const Size *whole = x->shape.dim;
    const Size *lo = slice->attr.lo;
    Size pass = size_dim(g, index_dim(l));

    for (int i = 0; i < x->shape.rank; i++) {
        bool of_passes = part[i] == 1 && whole[i] == l->passes;
        if (lo[i] == pass && axis < 0 && of_passes)
            axis = i;
        else if (lo[i] != 0 || part[i] != whole[i])
            return NULL;
        if (slice->attr.step[i] != 1)
            return NULL;
    }
    if (axis < 0)
        return NULL;

    return graph_move_axis(g, x, axis, 0); /* the axis of the passes first */
}

/* Is it the collect of graph_collect_all: one row for each pass? */
static bool is_of_all(Graph *g, const Loop *l, const Node *n, const Size *lo, const Size *step,
                      Shape shape)
{
    if (shape.rank == 0 || n->shape.dim[0] != 1 || shape.dim[0] != l->passes)
        return false;
    if (lo[0] != size_dim(g, index_dim(l)) || step[0] != 1)
        return false;
    for (int i = 1; i < shape.rank; i++)
        if (step[i] != 1 || lo[i] != 0 || shape.dim[i] != n->shape.dim[i])
            return false;
    return true;
}

/* Can the products A' B of all passes become one, of all rows? */
static bool is_sum_of_products(const Graph *g, const Node *loop, const Node *n)
{
    enum { FEW_ROWS = 64 };
    const Loop *l = loop->attr.loop;
    if (n->op != OP_matmul || g->ngc->opt.literal || g->ngc->opt.optimize == 0)
        return false;

    if (n->attr.chain && (loop->attr.kind || n->attr.down != l->down))
        return false;
    bool of_segments = l->segments || (l->of && l->of->segments);
    if (loop->attr.kind & LOOP_WHILE || of_segments)
        return false;
    if (n->shape.rank != 2 || !n->attr.ta || n->attr.tb)
        return false;

    for (int i = 0; i < 2; i++) {
        Shape s = n->arg[i]->shape;
        if (s.rank != 2 || size_max(g, s.dim[0]) > FEW_ROWS)
            return false;
    }
    return true;
}

/* The sum over all passes of products A' B, where a pass adds few rows to the sum over k: one
 * product of all rows, added up in the order of the passes. NULL: it is not such a sum. At -O0 each
 * pass adds its own, which is easier to read. */
static Node *collect_products(Graph *g, Node *loop, Node *n)
{
    const Loop *l = loop->attr.loop;
    Node *all[2];
    if (!is_sum_of_products(g, loop, n))
        return NULL;

    /* the passes of a segment that may be the last: the same sums, pass by pass */
    if (loop->attr.kind && !l->all)
        return NULL;
    if (loop->attr.kind) {
        Node *chain = graph_chain(g, n->arg[0], n->arg[1], true, false, l->down);
        return graph_collect_sum(g, loop, chain);
    }

    /* sum over t of A[t]' B[t] = (all rows of A)' (all rows of B) */

    for (int i = 0; i < 2; i++) {
        Shape rows = n->arg[i]->shape;
        rows.dim[0] = size_mul(g, rows.dim[0], l->passes);
        all[i] = graph_reshape(g, graph_collect_all(g, loop, n->arg[i]), rows);
    }
    return graph_chain(g, all[0], all[1], true, false, l->down);
}

/* Does the place of a collect depend on a loop of this level, or on one inside? */
static bool moves_below(const Graph *g, const Node *collect, int level)
{
    for (; level < MAX_LEVELS; level++)
        for (int i = 0; i < collect->shape.rank; i++)
            if (size_uses_dim(g, collect->attr.lo[i], MAX_DIMS + level))
                return true;
    return false;
}

/* The sum over all passes, if n collects in those of one segment (of its parts, if it has any) what
 * no pass of any segment changes; outer: the loop over segments. NULL: it does not. */
static Node *fixed_in_segments(Graph *g, const Loop *outer, Node *n)
{
    const Loop *loop = n->attr.loop;
    if (n->op != OP_collect || !loop->all || moves_below(g, n, outer->level))
        return NULL;
    Node *part = n->arg[0];
    bool of_parts = part->op == OP_collect && part->attr.loop->all;
    if (!of_parts && (part->in[outer->level] || part->in[loop->level]))
        return NULL;

    Node *all;
    if (of_parts)
        all = fixed_in_segments(g, outer, part);
    else
        all = graph_binary(g, OP_mul, part, graph_size(g, loop->all));
    if (!all)
        return NULL;
    return graph_pad(g, all, n->attr.lo, n->attr.step, n->shape);
}

/* A collect that is something simpler; NULL: it is not. */
static Node *simpler_collect(Graph *g, Node *loop, Node *n, const Size *lo, const Size *step,
                             Shape shape)
{
    const Loop *l = loop->attr.loop;
    bool moves = moves_with(g, l, lo, shape.rank);

    /* adds nothing in any pass */
    if (node_is(n, 0))
        return graph_full(g, shape, 0);

    /* what does not change is added once for each pass */
    if (!loop->attr.kind && !moves && !n->in[l->level] && !l->all) {
        Node *all = graph_binary(g, OP_mul, n, graph_size(g, l->passes));
        return graph_pad(g, all, lo, step, shape);
    }
    if (loop_is_of_segments(l) && !l->all && !moves) {
        Node *all = fixed_in_segments(g, l, n);
        if (all)
            return graph_pad(g, all, lo, step, shape);
    }

    /* what a pass reads at its own place is collected to what it is read from */
    if (!loop->attr.kind && is_of_all(g, l, n, lo, step, shape)) {
        Node *from = read_pass_by_pass(g, l, n);
        if (from && shape_count(g, from->shape) == shape_count(g, shape))
            return graph_reshape(g, from, shape);
    }
    return NULL;
}

/* Is it put into zeros, and perhaps cut, at places that no pass changes? */
static bool is_placed(const Node *n)
{
    if (n->op == OP_pad)
        return true;
    return n->op == OP_slice && n->nargs == 1 && is_placed(n->arg[0]);
}

/* With segments, a sum over the passes of one, or a sum of such sums: each is added up by itself,
 * as in one loop over all passes. */
static bool has_sum(const Loop *l, const Node *n)
{
    if (!loop_is_of_segments(l))
        return false;
    if (n->op == OP_add)
        return has_sum(l, n->arg[0]) || has_sum(l, n->arg[1]);
    return n->op == OP_collect;
}

/* The sum over all passes of n, in its own shape, if it is better taken otherwise; NULL: it is not.
 */
static Node *collect_whole(Graph *g, Node *loop, Node *n)
{
    if (n->bound)
        return NULL;

    /* what is put into zeros in each pass is put into those of the sum */
    const struct Attr *place = &n->attr;
    if (n->op == OP_pad) {
        Indices before = graph_use_indices(g, n->arg + 1, n->nargs - 1);
        Node *all = graph_collect(g, loop, n->arg[0], place->lo, place->step, n->shape);
        graph_restore_indices(g, before);
        return all;
    }
    if (n->op == OP_slice && is_placed(n)) {
        Node *all = graph_collect_sum(g, loop, n->arg[0]);
        return graph_slice(g, all, place->lo, place->step, n->shape);
    }

    /* the sum of a + b is the sum of a + the sum of b, if one of them is better by itself */
    if (n->op == OP_add) {
        bool better = is_placed(n->arg[0]) || is_placed(n->arg[1]);
        if (better || has_sum(loop->attr.loop, n)) {
            Node *a = graph_collect_sum(g, loop, n->arg[0]);
            Node *b = graph_collect_sum(g, loop, n->arg[1]);
            return graph_binary(g, OP_add, a, b);
        }
    }
    return collect_products(g, loop, n);
}

Node *graph_collect(Graph *g, Node *loop, Node *n, const Size *lo, const Size *step, Shape shape)
{
    const Loop *l = loop->attr.loop;

    /* from the simplest form to the most general */
    Node *other = simpler_collect(g, loop, n, lo, step, shape);
    if (!other && is_whole(lo, shape, n->shape))
        other = collect_whole(g, loop, n);
    if (!other)
        other = collect_run(g, loop, n, lo, step, shape);
    if (other)
        return other;

    /* The index of this loop is bound; those of loops around it are operands. */
    Node *arg[2 + MAX_LEVELS] = {n, loop};
    Node *leaf[MAX_LEVELS];
    int leaves = graph_indices(g, lo, shape.rank, leaf);
    int nargs = 2;
    for (int i = 0; i < leaves; i++)
        if (leaf[i]->attr.loop != l)
            arg[nargs++] = leaf[i];

    Node collect = {.op = OP_collect,
                    .type = n->type,
                    .shape = shape,
                    .nargs = nargs,
                    .attr = {.loop = l, .lo = lo, .step = step}};
    return graph_add(g, collect, arg);
}

static Node *copy_collect(Graph *g, const Node *n, Node *const *arg)
{
    const Loop *loop = arg[1]->attr.loop;
    Indices before = graph_use_indices(g, arg + 2, n->nargs - 2);

    g->index[loop->level] = graph_index(g, loop);
    Node *collect = graph_collect(g, arg[1], arg[0], n->attr.lo, n->attr.step, n->shape);
    graph_restore_indices(g, before);
    return collect;
}

Node *graph_collect_sum(Graph *g, Node *loop, Node *n)
{
    return graph_collect(g, loop, n, none, size_ones, n->shape);
}

/* [1, ..]: where there is no axis left for the passes, all others are one. */
static Shape of_one_pass(Graph *g, Shape s)
{
    Shape one = {.rank = 1, .dim = {1}};

    if (s.rank == MAX_RANK) {
        one.rank = 2;
        one.dim[1] = shape_count(g, s);
        return one;
    }
    memcpy(one.dim + 1, s.dim, (size_t)s.rank * sizeof *s.dim);
    one.rank += s.rank;
    return one;
}

Node *graph_collect_all(Graph *g, Node *loop, Node *n)
{
    const Loop *l = loop->attr.loop;
    Size lo[MAX_RANK] = {size_dim(g, index_dim(l))};
    Shape one = of_one_pass(g, n->shape);
    Shape all = one;
    Node *index = graph_index(g, l);

    all.dim[0] = l->passes;
    Indices before = graph_use_indices(g, &index, 1);
    Node *collect = graph_collect(g, loop, graph_reshape(g, n, one), lo, size_ones, all);
    graph_restore_indices(g, before);
    return collect;
}

Node *graph_at_pass(Graph *g, Node *all, const Loop *loop, Shape shape)
{
    Size lo[MAX_RANK] = {size_dim(g, index_dim(loop))};
    Node *index = graph_index(g, loop);

    Indices before = graph_use_indices(g, &index, 1);
    Node *slice = graph_slice(g, all, lo, size_ones, of_one_pass(g, shape));
    graph_restore_indices(g, before);
    return graph_reshape(g, slice, shape);
}

bool is_loop_result(const Node *n)
{
    return n->op == OP_last || n->op == OP_collect;
}

/* ---- records ---- */

/* grad.c differentiates a loop with all that leaves it as a whole. */
static void back_whole(Graph *g, const Node *y, Node *dy, Node **dx)
{
    (void)g;
    (void)dy;
    (void)dx;
    ngc_bug("%s has no derivative apart from its loop", op_info[y->op]->name);
}

const OpInfo op_index = {.name = "index",
                         .attrs = 1 << A_LOOP,
                         .flags = F_LEAF | F_RUN_TIME,
                         .teach = "index"};

const OpInfo op_carried = {.name = "carried",
                           .attrs = 1 << A_LOOP | 1 << A_AXIS,
                           .flags = F_LEAF | F_RUN_TIME,
                           .rule = {"what the pass after it sends back"},
                           .teach = "the value before this pass"};

/* of a starting value, and of what the body uses */
static const char *said_loop(Ngc *ngc, const Node *y, int operand)
{
    (void)ngc;
    return operand < y->nargs ? "what the first pass sends back" : "the sum over the passes";
}

const OpInfo op_loop = {.name = "loop",
                        .attrs = 1 << A_LOOP | 1 << A_KIND | 1 << A_AXIS,
                        .arity = -1,
                        .copy = copy_loop,
                        .back = back_whole,
                        .rule = {"from the last pass to the first"},
                        .said = said_loop,
                        .teach = "loop: goes back, pass by pass"};

const OpInfo op_last = {.name = "last",
                        .attrs = 1 << A_LOOP,
                        .arity = 2,
                        .copy = copy_last,
                        .back = back_whole,
                        .rule = {"dy in the last pass, what the next one sends back in others"},
                        .teach = "last value: enters the loop back"};

const OpInfo op_passes = {.name = "passes",
                          .attrs = 1 << A_LOOP,
                          .arity = 1,
                          .copy = copy_passes,
                          .flags = F_FLAT,
                          .teach = "passes: passes nothing back"};

const OpInfo op_collect = {.name = "collect",
                           .attrs = 1 << A_LOOP | 1 << A_LO | 1 << A_STEP,
                           .arity = -1,
                           .copy = copy_collect,
                           .back = back_whole,
                           .rule = {"the part of dy for this pass"},
                           .teach = "collect: gives each pass its part"};
