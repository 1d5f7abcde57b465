/* unroll.c - a loop that is replaced by copies of its body, one for each pass. */
#include "graph/graph.h"

enum { MOST_NODES = 100000 }; /* that copies may have */

typedef struct Unroll {
    Graph *g;
    const Loop *loop;            /* that is replaced */
    const struct LoopBody *body; /* its OP_loop, and the nodes of one pass */
    Node **now; /* by id: outside the body, what has taken its place; in it, its value in a pass */
    Node **collect; /* each OP_collect of the loop */
    int collects;
    Node **sum; /* by id of an OP_collect: its value after the passes so far */
} Unroll;

/* Only a loop whose number of passes is known, that has no loop inside, and whose copies are not
 * too many. */
bool order_can_unroll(const LoopOrder *o, const Loop *loop)
{
    const struct LoopBody *b = &o->body[loop->id];
    if (!b->loop)
        return false;

    bool ends_by_data = b->loop->attr.kind != 0;
    bool is_number = loop->passes >= 0;
    if (ends_by_data || !is_number)
        return false;

    for (int i = 0; i < b->count; i++)
        if (b->node[i]->op == OP_loop)
            return false;
    return loop->passes * b->count <= MOST_NODES;
}

/* The places of slice, pad or collect in pass t, along each axis. */
static void places_at(const Unroll *u, const Node *n, int64_t t, Size *lo)
{
    for (int i = 0; i < n->shape.rank; i++)
        lo[i] = size_replace(u->g, n->attr.lo[i], index_dim(u->loop), t);
}

/* The indices of other loops among the operands of n from `from` on: in a pass of this one, only
 * they remain. */
static int other_indices(const Unroll *u, const Node *n, int from, Node **leaf)
{
    int leaves = 0;
    for (int k = from; k < n->nargs; k++)
        if (n->arg[k]->attr.loop != u->loop)
            leaf[leaves++] = n->arg[k];
    return leaves;
}

/* A window whose place depends on the pass. */
static Node *window_at(const Unroll *u, const Node *n, int64_t t)
{
    Graph *g = u->g;
    Node *a = u->now[arg_id(n, 0)];
    Node *leaf[MAX_LEVELS];
    int leaves = other_indices(u, n, 1, leaf);
    Size lo[MAX_RANK];
    places_at(u, n, t, lo);

    Indices before = graph_use_indices(g, leaf, leaves);
    Node *made;
    if (n->op == OP_slice)
        made = graph_slice(g, a, lo, n->attr.step, n->shape);
    else
        made = graph_pad(g, a, lo, n->attr.step, n->shape);
    graph_restore_indices(g, before);
    return made;
}

/* A draw whose stream depends on the pass. */
static Node *noise_at(const Unroll *u, Node *n, int64_t t)
{
    Graph *g = u->g;
    Node *draws = u->now[arg_id(n, 0)];
    Node *leaf[MAX_LEVELS];
    int leaves = other_indices(u, n, 1, leaf);
    Size pass = size_replace(g, n->attr.size, index_dim(u->loop), t);

    Indices before = graph_use_indices(g, leaf, leaves);
    Node *noise = graph_noise(g, n->shape, draws, n->attr.stream, pass);
    graph_restore_indices(g, before);
    return noise;
}

/* The value of a node of the body in pass t. */
static Node *node_at(const Unroll *u, Node *n, int64_t t)
{
    if (n->op == OP_index && n->attr.loop == u->loop)
        return graph_int(u->g, t);
    if (n->op == OP_slice || n->op == OP_pad)
        return window_at(u, n, t);
    if (n->op == OP_noise)
        return noise_at(u, n, t);
    return graph_rebuild(u->g, n, u->now);
}

/* Adds what pass t puts among zeros; operands from 2 on are the indices of the loops around. */
static void collect_at(const Unroll *u, const Node *n, int64_t t)
{
    Graph *g = u->g;
    Node **sum = &u->sum[n->id];
    Size lo[MAX_RANK];
    places_at(u, n, t, lo);

    Indices before = graph_use_indices(g, n->arg + 2, n->nargs - 2);
    Node *part = graph_pad(g, u->now[arg_id(n, 0)], lo, n->attr.step, n->shape);
    graph_restore_indices(g, before);

    if (*sum)
        part = graph_binary(g, OP_add, *sum, part);
    *sum = part;
}

static void unroll_pass(const Unroll *u, int64_t t)
{
    Graph *g = u->g;
    const Node *loop = u->body->loop;

    for (int i = 0; i < u->body->count; i++) {
        Node *n = u->body->node[i];
        int first = g->count;
        g->loc = n->loc;
        u->now[n->id] = node_at(u, n, t);
        node_rewrites(u->now[n->id], n, first);
    }
    for (int i = 0; i < u->collects; i++)
        collect_at(u, u->collect[i], t);

    /* all variables change at once: one may become what another was */
    int variables = loop_variables(loop);
    Node **next = arena_array(g->ngc, variables + 1, sizeof *next);
    for (int i = 0; i < variables; i++)
        next[i] = u->now[loop_next(loop, i)->id];
    for (int i = 0; i < variables; i++)
        u->now[loop_leaf(loop, i)->id] = next[i];
}

/* From the first pass to the last; a loop that goes down has them in the other order. */
static void unroll_passes(const Unroll *u)
{
    const Node *loop = u->body->loop;
    int64_t passes = u->loop->passes;

    for (int i = 0; i < loop_variables(loop); i++)
        u->now[loop_leaf(loop, i)->id] = u->now[loop_init(loop, i)->id];
    for (int64_t k = 0; k < passes; k++)
        unroll_pass(u, u->loop->down ? passes - 1 - k : k);
}

/* What a node outside the body becomes. */
static Node *outside(const Unroll *u, Node *n)
{
    if (n->attr.loop != u->loop)
        return graph_rebuild(u->g, n, u->now);

    switch (n->op) {
    case OP_last: return u->now[arg_id(n, 0)];
    case OP_collect: return u->sum[n->id];
    case OP_passes: return graph_int(u->g, u->loop->passes);
    default: return graph_rebuild(u->g, n, u->now);
    }
}

static void rebuild_outside(const Unroll *u, Node *n)
{
    Graph *g = u->g;
    int first = g->count;
    bool in_body = n->in[u->loop->level] == u->loop;
    if (in_body)
        return;

    g->loc = n->loc;
    u->now[n->id] = outside(u, n);
    node_replaces(u->now[n->id], n, first);
}

static Unroll unroll_new(Graph *g, const LoopOrder *o, const Loop *loop)
{
    int room = g->count + 1;
    Unroll u = {.g = g, .loop = loop, .body = &o->body[loop->id]};

    u.now = arena_array(g->ngc, room, sizeof *u.now);
    u.sum = arena_array(g->ngc, room, sizeof *u.sum);
    u.collect = arena_array(g->ngc, room, sizeof *u.collect);
    for (int i = 0; i < o->count; i++) {
        Node *n = o->node[i];
        if (n->op == OP_collect && n->arg[1] == u.body->loop)
            u.collect[u.collects++] = n;
    }
    return u;
}

/* By id: is it computed from the loop? */
static bool *find_later(const Unroll *u, const LoopOrder *o)
{
    bool *later = arena_array(u->g->ngc, u->g->count + 1, sizeof *later);

    for (int i = 0; i < o->count; i++) {
        const Node *n = o->node[i];
        later[n->id] = n == u->body->loop;
        for (int k = 0; k < n->nargs; k++)
            later[n->id] |= later[arg_id(n, k)];
    }
    return later;
}

void graph_unroll(Graph *g, const LoopOrder *o, const Loop *loop, Node **root, int roots)
{
    Unroll u = unroll_new(g, o, loop);
    const bool *later = find_later(&u, o);
    Loc loc = g->loc;

    /* what does not need the loop: its body may read that */
    for (int i = 0; i < o->count; i++)
        if (!later[o->node[i]->id])
            rebuild_outside(&u, o->node[i]);

    unroll_passes(&u);

    /* what is computed from the loop, except the loop itself */
    for (int i = 0; i < o->count; i++) {
        Node *n = o->node[i];
        if (later[n->id] && n != u.body->loop)
            rebuild_outside(&u, n);
    }

    g->loc = loc;
    for (int i = 0; i < roots; i++)
        root[i] = u.now[root[i]->id];
}
