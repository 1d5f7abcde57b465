/* tidy_loops.c - loops with less to do: no variables that nothing needs, none that keep the value
 * with which they begin, and no products that are the same for all passes at once.
 *
 * Requires: the final graph; no gradient is asked after it. Keeps: the values of all roots. */
#include "graph/graph.h"

typedef struct Tidy { /* by id of an old node */
    Graph *g;
    LoopOrder order;
    bool *needed;
    Node **now; /* what has taken its place */
    Node **stack;
    int depth, room;
    bool changed;
} Tidy;

/* ---- what is needed ---- */

static void need(Tidy *t, Node *n)
{
    if (t->needed[n->id])
        return;
    t->needed[n->id] = true;
    LIST_GROW(t->g->ngc, t->stack, t->depth, &t->room);
    t->stack[t->depth++] = n;
}

static bool keeps_value(const Node *loop, int i)
{
    return loop_next(loop, i) == loop_leaf(loop, i);
}

/* Of a loop, a variable is needed only if its leaf is. */
static void need_operands(Tidy *t, const Node *n)
{
    /* [leaf.., init.., next.., rest]: what belongs to variables is asked for by their leaves */
    int first = 0;
    if (n->op == OP_loop)
        first = 3 * loop_variables(n);

    for (int k = first; k < n->nargs; k++)
        need(t, n->arg[k]);
    if (n->op != OP_carried)
        return;

    Node *loop = t->order.body[n->attr.loop->id].loop;
    int i = -1;
    if (loop)
        i = loop_variable(loop, n);
    if (i < 0)
        return;
    need(t, loop_init(loop, i));
    need(t, loop_next(loop, i));
}

static void find_needed(Tidy *t, Node *const *root, int roots)
{
    for (int i = 0; i < roots; i++)
        need(t, root[i]);
    while (t->depth > 0)
        need_operands(t, t->stack[--t->depth]);
}

/* ---- products ---- */

/* The axis that moves with a loop, in a slice of one place of it and of all places of the others;
 * -1: it is another slice. */
static int moved_axis(const Node *slice)
{
    Shape all = slice->arg[0]->shape;
    int axis = -1;

    for (int i = 0; i < all.rank; i++) {
        if (slice->attr.step[i] != 1)
            return -1;
        if (slice->attr.lo[i] == 0 && slice->shape.dim[i] == all.dim[i])
            continue;
        if (axis >= 0 || slice->shape.dim[i] != 1)
            return -1;
        axis = i;
    }
    return axis;
}

/* Are there at least as many passes as places along the axis? If not, more would be computed than
 * is used. */
static bool uses_all(Graph *g, const Node *slice, int axis)
{
    Size passes = 1;

    for (int k = 1; k < slice->nargs; k++) {
        const Loop *l = slice->arg[k]->attr.loop;
        /* passes of a segment are counted by Loop.all */
        if (!loop_is_of_segments(l))
            passes = size_mul(g, passes, l->all ? l->all : l->passes);
    }
    return passes == slice->arg[0]->shape.dim[axis] ||
           (passes >= 0 && slice->arg[0]->shape.dim[axis] >= 0 &&
            passes >= slice->arg[0]->shape.dim[axis]);
}

/* Is it computed outside the loops in whose passes the slice moves? */
static bool is_outside(const Node *n, const Node *slice)
{
    for (int k = 1; k < slice->nargs; k++)
        if (n->in[slice->arg[k]->attr.loop->level])
            return false;
    return true;
}

/* With segments, whose purpose is to save memory: what the passes of one segment read of x along
 * this axis, one place in each. NULL: they read something else, or the last segment is shorter. */
static Node *rows_of_segment(Graph *g, const Node *slice, int axis)
{
    const Loop *inner = slice->arg[slice->nargs - 1]->attr.loop;
    Node *x = slice->arg[0];
    Size at = slice->attr.lo[axis];
    Size size = inner->passes;
    Size from[MAX_RANK] = {0};
    from[axis] = size_replace(g, at, index_dim(inner), 0);

    /* the rows before this segment, and those of all segments */
    Size first = 0;
    Size all = size;
    for (int k = slice->nargs - 2; k > 0; k--) {
        const Loop *outer = slice->arg[k]->attr.loop;
        Size index = size_dim(g, index_dim(outer));
        first = size_add(g, size_mul(g, all, index), first);
        all = size_mul(g, all, outer->passes);
    }

    Size in_segment = size_sub(g, at, from[axis]);
    bool in_order = in_segment == size_dim(g, index_dim(inner));
    if (!in_order || from[axis] != first || all != x->shape.dim[axis])
        return NULL;

    Shape rows = x->shape;
    rows.dim[axis] = size;
    Indices before = graph_use_indices(g, slice->arg + 1, slice->nargs - 1);
    Node *part = graph_slice(g, x, from, size_ones, rows);
    graph_restore_indices(g, before);
    return part;
}

/* The slice x[:, t] of which n is the product with w, where all passes of the loop together read
 * all of x; NULL: n is not such a product. *axis: that of t. */
static const Node *sliced_factor(Graph *g, const Node *n, int *axis)
{
    if (n->op != OP_matmul || n->attr.ta)
        return NULL;

    const Node *rows = n->arg[0];
    const Node *w = n->arg[1];
    const Node *slice = rows;
    if (rows->op == OP_reshape)
        slice = rows->arg[0];
    if (rows->shape.rank != 2 || w->shape.rank != 2 || slice->op != OP_slice || slice->nargs < 2)
        return NULL;

    /* the slice moves along an axis of x that is not the one of the sums */
    const Node *x = slice->arg[0];
    int last = x->shape.rank - 1;
    *axis = moved_axis(slice);
    if (*axis < 0 || *axis == last || rows->shape.dim[1] != x->shape.dim[last])
        return NULL;

    /* both factors must be there before the first pass */
    if (!is_outside(x, slice) || !is_outside(w, slice) || !uses_all(g, slice, *axis))
        return NULL;
    return slice;
}

/* x[:, t] @ w for each t is (x @ w)[:, t]: one product for all passes; NULL: n is not such a
 * product. */
static Node *product_of_all(Graph *g, const Node *n)
{
    int axis;
    const Node *slice = sliced_factor(g, n, &axis);
    if (!slice)
        return NULL;

    Node *rows = n->arg[0];
    Node *w = n->arg[1];
    Node *x = slice->arg[0];
    int last = x->shape.rank - 1;

    /* the row of this pass in the product of all; with segments, of all passes of one */
    Size at[MAX_RANK] = {0};
    at[axis] = slice->attr.lo[axis];
    if (g->ngc->opt.segment > 0) {
        const Loop *innermost = slice->arg[slice->nargs - 1]->attr.loop;
        x = rows_of_segment(g, slice, axis);
        at[axis] = size_dim(g, index_dim(innermost));
    }
    if (!x) {
        /* pass by pass, with the bits of one product */
        if (n->attr.chain)
            return NULL;
        return graph_chain(g, rows, w, false, n->attr.tb, false);
    }

    Node *all = graph_chain(g, x, w, false, n->attr.tb, false);
    Shape part = slice->shape;
    part.dim[last] = n->shape.dim[1];

    Indices before = graph_use_indices(g, slice->arg + 1, slice->nargs - 1);
    Node *one = graph_slice(g, all, at, size_ones, part);
    graph_restore_indices(g, before);
    return node_because(graph_reshape(g, one, n->shape), "one product for all passes");
}

/* ---- the nodes again ---- */

/* The loop with the variables that are needed and change. */
static Node *tidy_loop(Tidy *t, Node *n)
{
    Graph *g = t->g;
    int variables = loop_variables(n);
    int count = 0;
    int k = 3 * variables;
    size_t room = (size_t)variables + 1;
    Node **leaf = arena_array(g->ngc, room, sizeof *leaf);
    Node **init = arena_array(g->ngc, room, sizeof *init);
    Node **next = arena_array(g->ngc, room, sizeof *next);

    for (int i = 0; i < variables; i++) {
        if (!t->needed[loop_leaf(n, i)->id] || keeps_value(n, i))
            continue;
        leaf[count] = loop_leaf(n, i);
        init[count] = t->now[loop_init(n, i)->id];
        next[count++] = t->now[loop_next(n, i)->id];
    }
    if (count == variables)
        return graph_rebuild(g, n, t->now);

    /* what follows the variables among the operands: the test, the count, the loops around */
    t->changed = true;
    Node *test = NULL;
    if (loop_test(n))
        test = t->now[arg_id(n, k++)];
    Node *passes = NULL;
    if (loop_count(n))
        passes = t->now[arg_id(n, k++)];
    Indices before = graph_use_indices(g, n->arg + k, n->nargs - k);
    Node *loop = graph_loop(g, n->attr.loop, leaf, init, next, count, test, passes);
    graph_restore_indices(g, before);
    return loop;
}

/* A variable; the value with which it begins if it keeps that. */
static Node *tidy_variable(Tidy *t, Node *leaf)
{
    const Node *loop = t->order.body[leaf->attr.loop->id].loop;
    int i = -1;
    if (loop)
        i = loop_variable(loop, leaf);

    if (i >= 0 && keeps_value(loop, i))
        return t->now[loop_init(loop, i)->id];
    return leaf;
}

static Node *tidy_node(Tidy *t, Node *n)
{
    if (n->op == OP_loop)
        return tidy_loop(t, n);
    if (n->op == OP_carried)
        return tidy_variable(t, n);
    if (n->op == OP_last && t->now[arg_id(n, 0)] != n->arg[0])
        return t->now[arg_id(n, 0)];

    Node *m = graph_rebuild(t->g, n, t->now);
    Node *product = product_of_all(t->g, m);
    t->changed |= product != NULL;
    return product ? product : m;
}

/* Once over all that the roots need. Returns whether anything changed. */
static bool tidy_once(Graph *g, Node **root, int roots)
{
    size_t room = (size_t)g->count + 1;
    Tidy t = {.g = g, .order = loop_order(g, root, roots)};
    Loc loc = g->loc;

    t.needed = arena_array(g->ngc, room, sizeof *t.needed);
    t.now = arena_array(g->ngc, room, sizeof *t.now);
    find_needed(&t, root, roots);
    for (int i = 0; i < t.order.count; i++) {
        Node *n = t.order.node[i];
        int first = g->count;
        /* what only a dropped variable needed is left behind */
        if (!t.needed[n->id])
            continue;
        g->loc = n->loc;
        t.now[n->id] = tidy_node(&t, n);
        node_replaces(t.now[n->id], n, first);
    }

    g->loc = loc;
    for (int i = 0; i < roots; i++)
        root[i] = t.now[root[i]->id];
    return t.changed;
}

/* In all that the roots need, in place. */
static void tidy(Graph *g, Node **root, int roots)
{
    enum { ROUNDS = 8 };

    /* a variable that is gone may have been all that another was for */
    for (int i = 0; g->loops > 0 && i < ROUNDS && tidy_once(g, root, roots); i++)
        ;
}

void model_tidy_loops(Model *m)
{
    int count;
    Node **root = model_take_roots(m, &count);

    tidy(m->graph, root, count);
    model_put_roots(m, root);
}
