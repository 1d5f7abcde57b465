/* grad_loop.c - the derivative of a loop is a loop from the last pass to the first.
 *
 * Its variables are the adjoints of the loop's variables. One sweep through the body, as through
 * any other nodes, gives its body: the adjoints before a pass, from those after it, and what the
 * pass contributes to the values outside, which is summed over the passes. That body is written
 * with values of the forward pass. These are kept: each becomes an element of a tensor that the
 * forward loop collects. Views, and what does not depend on the variables, are computed again. */
#include "graph/grad_loop.h"

#include <string.h>

/* ---- before the sweep through the body ---- */

static void add_seed(BackLoop *b, Node *n, Node *seed)
{
    if (n->type != T_FLOAT || !b->wanted[n->id])
        return;
    b->seeded[b->seeds] = n;
    b->seed[b->seeds++] = seed;
}

/* The value n that a pass puts into y has that part of y's adjoint. */
static void seed_collect(BackLoop *b, const Node *y, Node *dy)
{
    Graph *g = b->g;
    Node *index = graph_index(g, b->loop->attr.loop);

    Indices before = graph_use_indices(g, y->arg + 2, y->nargs - 2);
    graph_use_indices(g, &index, 1);
    Node *part = graph_slice(g, dy, y->attr.lo, y->attr.step, y->arg[0]->shape);
    graph_restore_indices(g, before);
    add_seed(b, y->arg[0], part);
}

/* The variable after the last pass has the adjoint of what is read there. */
static void seed_variable(BackLoop *b, int i, Node *const *adjoint)
{
    Graph *g = b->g;
    Node *leaf = loop_leaf(b->loop, i), *init = NULL;

    if (leaf->type != T_FLOAT || !b->wanted[leaf->id])
        return;
    for (int k = b->loop->id + 1; k < b->nodes; k++) {
        const Node *n = g->node[k];
        if (n->op == OP_last && n->arg[1] == b->loop && n->arg[0] == leaf && adjoint[k])
            init = adjoint[k];
    }

    b->init[i] = init ? init : graph_full(g, leaf->shape, 0);
    b->leaf[i] = graph_carried(g, b->loop->attr.loop, leaf);
    add_seed(b, loop_next(b->loop, i), b->leaf[i]);
}

BackLoop back_loop_begin(Graph *g, Node *loop, Node *const *adjoint, const bool *wanted, int nodes)
{
    BackLoop b = {.g = g, .loop = loop, .nodes = nodes, .wanted = wanted, .from = g->count};
    int count = loop_variables(loop);
    size_t most = (size_t)(count + nodes - loop->id + 1);

    b.leaf = arena_alloc(g->ngc, (size_t)(count + 1) * sizeof *b.leaf);
    b.init = arena_alloc(g->ngc, (size_t)(count + 1) * sizeof *b.init);
    b.seeded = arena_alloc(g->ngc, most * sizeof *b.seeded);
    b.seed = arena_alloc(g->ngc, most * sizeof *b.seed);

    for (int i = 0; i < count; i++)
        seed_variable(&b, i, adjoint);
    for (int k = loop->id + 1; k < nodes; k++) {
        const Node *n = g->node[k];
        if (n->op == OP_collect && n->arg[1] == loop && adjoint[k])
            seed_collect(&b, n, adjoint[k]);
    }
    return b;
}

/* ---- values of the forward pass, in the loop that goes back ---- */

typedef struct Move { /* from the body of one loop into that of another */
    BackLoop *b;
    const Loop *from, *to;
    Node **now; /* by id: in the other body, or NULL */
    struct Renamed {
        const Loop *from, *to;
    } renamed[MAX_LEVELS * 16]; /* loops inside that are computed again, with leaves of their own */
    int renames;
    bool *depends; /* by id: on a variable of the loop */
    bool *forward; /* by id: the forward pass computes it */
} Move;

/* Is n, a value of the forward pass, computed again rather than kept? */
static bool is_computed_again(const Move *m, const Node *n)
{
    const OpInfo *info = op_info[n->op];
    bool cheap = info->flags & F_ELEMENTWISE && info->flags & F_CHEAP;

    if (m->from->segments)
        return n->op != OP_carried || n->attr.loop != m->from;
    if (n->op == OP_expand || info->flags & F_VIEW || n->op == OP_cast)
        return true;
    return !m->depends[n->id] && (cheap || info->flags & F_LEAF);
}

/* Is n only for the way back? What it reads of a loop inside the body was made for the way back
 * too, but it leaves a loop of the forward pass. */
static bool is_of_way_back(const Move *m, const Node *n)
{
    bool leaves = n->op == OP_last || n->op == OP_collect;

    return !m->forward[n->id] && !(leaves && m->forward[n->arg[1]->id]);
}

static Node *move(Move *m, Node *n);

/* What takes the place of a loop inside the body that is computed again; itself: it is not. */
static const Loop *renamed(const Move *m, const Loop *loop)
{
    for (int i = 0; i < m->renames; i++)
        if (m->renamed[i].from == loop)
            return m->renamed[i].to;
    return loop;
}

static bool is_renamed(const Move *m, const Node *n)
{
    for (int l = 0; l < MAX_LEVELS; l++)
        if (n->in[l] && renamed(m, n->in[l]) != n->in[l])
            return true;
    return false;
}

/* A loop of the forward pass that the way back computes again gets leaves of its own. */
static void rename_loop(Move *m, const Node *n)
{
    Graph *g = m->b->g;
    const Loop *from = n->attr.loop;

    if (n->op != OP_loop || !m->forward[n->id] || renamed(m, from) != from)
        return;
    if (m->renames == (int)(sizeof m->renamed / sizeof *m->renamed))
        ngc_bug("a loop has too many loops inside");

    Loop *to = graph_new_loop(g, from->name, from->level, from->passes, from->down);
    to->loc = from->loc;
    to->last = from->last;
    to->segments = from->segments;
    m->renamed[m->renames++] = (struct Renamed){from, to};
}

/* The same op on operands in the other body. */
static Node *copy_moved(Move *m, const Node *n, Node *const *arg)
{
    Node own = *n;

    if (n->op == OP_loop)
        own.attr.loop = renamed(m, n->attr.loop);
    return graph_copy(m->b->g, &own, arg);
}

static Node *move_operands(Move *m, Node *n)
{
    Graph *g = m->b->g;
    Node **arg = arena_alloc(g->ngc, (size_t)(n->nargs + 1) * sizeof *arg);
    int first = g->count;
    Loc loc = g->loc;

    /* from the last to the first: of what leaves a loop, the loop comes first */
    rename_loop(m, n);
    for (int k = n->nargs - 1; k >= 0; k--)
        arg[k] = move(m, n->arg[k]);
    g->loc = n->loc;
    Node *moved = copy_moved(m, n, arg);
    g->loc = loc;
    node_replaces(moved, n, first);
    return moved;
}

static Node *move_new(Move *m, Node *n)
{
    BackLoop *b = m->b;
    Graph *g = b->g;

    if (n->op == OP_index)
        return graph_index(g, n->attr.loop == m->from ? m->to : renamed(m, n->attr.loop));
    if (n->op == OP_carried && n->attr.loop != m->from) {
        Node *leaf = graph_carried(g, renamed(m, n->attr.loop), n);
        leaf->name = n->name;
        return leaf;
    }
    if (is_of_way_back(m, n) || is_computed_again(m, n))
        return move_operands(m, n);
    return graph_at_pass(g, graph_collect_all(g, b->loop, n), m->to, n->shape);
}

/* n in the other body. */
static Node *move(Move *m, Node *n)
{
    if (n->in[m->from->level] != m->from && !is_renamed(m, n))
        return n;
    if (!m->now[n->id])
        m->now[n->id] = move_new(m, n);
    return m->now[n->id];
}

/* The nodes of the body that the forward pass computes, for its variables and for what it collects
 * so far. (Nodes are shared: an older one may be of the way back of another sweep.) */
static void find_forward(Move *m)
{
    const Graph *g = m->b->g;
    const Node *loop = m->b->loop;

    for (int k = 0; k < loop->nargs; k++)
        m->forward[loop->arg[k]->id] = true;
    for (int i = loop->id + 1; i < m->b->nodes; i++)
        if (g->node[i]->op == OP_collect && g->node[i]->arg[1] == loop)
            m->forward[g->node[i]->arg[0]->id] = true;

    for (int i = g->count - 1; i >= 0; i--) {
        const Node *n = g->node[i];
        for (int k = 0; m->forward[i] && k < n->nargs; k++)
            m->forward[n->arg[k]->id] = true;
    }
}

/* Which nodes depend on a variable of the loop, and not only on its index? */
static void find_depends(Move *m)
{
    const Graph *g = m->b->g;

    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];
        if (n->in[m->from->level] != m->from)
            continue;
        m->depends[i] = n->op == OP_carried && n->attr.loop == m->from;
        for (int k = 0; k < n->nargs; k++)
            m->depends[i] |= m->depends[n->arg[k]->id];
    }
}

/* ---- after the sweep ---- */

static void add_result(BackLoop *b, Node *x, Node *dx)
{
    Graph *g = b->g;

    if (b->count == b->room) {
        int room = b->room;
        b->x = arena_grow(g->ngc, b->x, b->count, &room, sizeof *b->x);
        b->dx = arena_grow(g->ngc, b->dx, b->count, &b->room, sizeof *b->dx);
    }
    b->x[b->count] = x;
    b->dx[b->count++] = dx;
}

/* Copies outside need not be summed pass by pass: what flows back to them is added up within the
 * pass. */
static void through_copies(BackLoop *b, Node **x, Node **dx)
{
    while (((*x)->op == OP_expand || (*x)->op == OP_reshape) && b->wanted[(*x)->arg[0]->id] &&
           !(*x)->bound) {
        op_info[(*x)->op]->back(b->g, *x, *dx, dx);
        *x = (*x)->arg[0];
    }
}

/* What the body contributes to the values outside it: b->x and, in terms of the body, b->dx. */
static void find_captured(BackLoop *b, Node *const *adjoint)
{
    const Loop *of = b->loop->attr.loop;

    for (int i = 0; i < b->nodes; i++) {
        Node *x = b->g->node[i], *dx = adjoint[i];
        if (!dx || x->in[of->level] == of || node_is(dx, 0))
            continue;
        through_copies(b, &x, &dx);
        add_result(b, x, dx);
    }
}

/* The adjoints of the variables before a pass; then what it contributes to the values outside. */
static Node **body_results(BackLoop *b, Node *const *adjoint, int *count)
{
    Graph *g = b->g;
    int variables = loop_variables(b->loop), n = 0;
    Node **result;

    find_captured(b, adjoint);
    result = arena_alloc(g->ngc, (size_t)(variables + b->count + 1) * sizeof *result);
    for (int i = 0; i < variables; i++) {
        Node *leaf = loop_leaf(b->loop, i), *d = adjoint[leaf->id];
        if (b->leaf[i])
            result[n++] = d ? d : graph_full(g, leaf->shape, 0);
    }
    for (int i = 0; i < b->count; i++)
        result[n++] = b->dx[i];

    graph_simplify(g, result, n, b->from, NULL, NULL);
    *count = n;
    return result;
}

void back_loop_end(BackLoop *b, Node *const *adjoint)
{
    Graph *g = b->g;
    const Loop *of = b->loop->attr.loop;
    int variables = loop_variables(b->loop), results, n = 0;
    Node **result = body_results(b, adjoint, &results);
    bool counted = loop_test(b->loop) || loop_count(b->loop);

    Loop *back = graph_new_loop(g, of->name, of->level, of->passes, !of->down);
    back->of = of;

    Move m = {.b = b, .from = of, .to = back};
    m.now = arena_alloc(g->ngc, (size_t)g->count * sizeof *m.now);
    m.depends = arena_alloc(g->ngc, (size_t)g->count);
    m.forward = arena_alloc(g->ngc, (size_t)g->count);
    find_depends(&m);
    find_forward(&m);

    /* The variables, with leaves of their own. */
    Node **leaf = arena_alloc(g->ngc, (size_t)(variables + 1) * sizeof *leaf);
    Node **init = arena_alloc(g->ngc, (size_t)(variables + 1) * sizeof *init);
    for (int i = 0; i < variables; i++) {
        if (!b->leaf[i])
            continue;
        leaf[n] = m.now[b->leaf[i]->id] = graph_carried(g, back, b->leaf[i]);
        if (loop_leaf(b->loop, i)->name)
            leaf[n]->name = text_format(g->ngc, "d/d%s", loop_leaf(b->loop, i)->name);
        init[n++] = b->init[i];
    }

    for (int i = 0; i < results; i++)
        result[i] = move(&m, result[i]);
    Node *passes = counted ? graph_passes(g, b->loop) : NULL;
    Node *loop = graph_loop(g, back, leaf, init, result, n, NULL, passes);

    for (int i = 0; i < b->count; i++)
        b->dx[i] = graph_collect_sum(g, loop, result[n + i]);
    for (int i = 0, k = 0; i < variables; i++)
        if (b->leaf[i])
            add_result(b, loop_init(b->loop, i), graph_last(g, loop, leaf[k++]));
}
