/* layout.c - what convolutions compute keeps their order of axes, the batch last, as far as it
 * goes: the exchange of axes behind a convolution moves past what does not care about the order,
 * where it meets the next convolution's and both vanish.
 *
 * Requires: the final graph; no gradient is asked after it. Keeps: every root's value and shape;
 * what is computed from a root that `stays` is computed from the very node. Node by node, if
 * `inner` is a value with its first axis moved behind the others, then f(turn(inner), ..) becomes
 * turn(f(inner, ..)).
 */
#include "ngc.h"

#include <string.h>

typedef struct Layout {
    Graph *g;
    Node **now;      /* by id of an old node: what stands in its place */
    Node **inner;    /* now is its turn; or NULL */
    bool *born;      /* by id of an old node: made from a convolution, in its order of axes */
    const int *uses; /* of old nodes */
} Layout;

/* The last axis comes first. */
static Node *turn(Graph *g, Node *n)
{
    int perm[MAX_RANK], r = n->shape.rank;
    for (int i = 0; i < r; i++)
        perm[i] = i == 0 ? r - 1 : i - 1;
    return graph_permute(g, n, perm);
}

/* The first axis comes last. */
static Node *turn_back(Graph *g, Node *n)
{
    int perm[MAX_RANK], r = n->shape.rank;
    for (int i = 0; i < r; i++)
        perm[i] = i == r - 1 ? 0 : i + 1;
    return graph_permute(g, n, perm);
}

static void turn_sizes(const Size *from, int rank, Size *to)
{
    for (int i = 0; i < rank; i++)
        to[i] = from[i == rank - 1 ? 0 : i + 1];
}

static uint32_t turn_axes(uint32_t axes, int rank)
{
    return axes >> 1 | (axes & 1) << (rank - 1);
}

static bool is_turn(const Node *n)
{
    int r = n->shape.rank;
    bool same = n->op == OP_permute && r > 2;
    for (int i = 0; i < r && same; i++)
        same = n->attr.perm[i] == (i == 0 ? r - 1 : i - 1);
    return same;
}

/* A product that nothing else reads, perhaps in another shape, computed the other way round: (A B)'
 * = B' A'. NULL: a is none. */
static Node *turned_product(const Layout *l, const Node *a)
{
    const Node *n = l->now[a->id], *p = n->op == OP_reshape ? n->arg[0] : n,
               *old = a->op == OP_reshape ? a->arg[0] : a;
    Shape s = {.rank = n->shape.rank};
    if (p->op != OP_matmul || p->shape.rank != 2 || p->shape.dim[0] != n->shape.dim[0] ||
        old->op != OP_matmul || l->uses[old->id] != 1)
        return NULL;
    turn_sizes(n->shape.dim, s.rank, s.dim);
    return graph_reshape(l->g, graph_matmul(l->g, p->arg[1], p->arg[0], !p->attr.tb, !p->attr.ta),
                         s);
}

/* An operand in the order of the others; those of rank 0 have none. */
static Node *operand(const Layout *l, const Node *a)
{
    if (l->inner[a->id])
        return l->inner[a->id];
    Node *product = turned_product(l, a);
    return product ? product : turn_back(l->g, l->now[a->id]);
}

static Node *pass_elements(const Layout *l, const Node *n)
{
    Node *arg[3] = {0};
    for (int k = 0; k < n->nargs; k++)
        arg[k] = operand(l, n->arg[k]);
    return graph_copy(l->g, n, arg);
}

static Node *pass_window(const Layout *l, const Node *n, Node *a)
{
    Size lo[MAX_RANK], step[MAX_RANK];
    Shape s = {.rank = n->shape.rank};
    turn_sizes(n->attr.lo, s.rank, lo);
    turn_sizes(n->attr.step, s.rank, step);
    turn_sizes(n->shape.dim, s.rank, s.dim);
    return n->op == OP_pad ? graph_pad(l->g, a, lo, step, s) : graph_slice(l->g, a, lo, step, s);
}

static Node *pass_concat(const Layout *l, const Node *n)
{
    Node **arg = arena_alloc(l->g->ngc, (size_t)n->nargs * sizeof *arg);
    for (int k = 0; k < n->nargs; k++)
        arg[k] = operand(l, n->arg[k]);
    return graph_concat(l->g, arg, n->nargs,
                        n->attr.axis == 0 ? n->shape.rank - 1 : n->attr.axis - 1);
}

/* n computed in the order of its operands' inner values, or NULL: it cares. *turned: the result is
 * to be turned too. */
static Node *pass_through(const Layout *l, const Node *n, bool *turned)
{
    const OpInfo *info = op_info[n->op];
    Node *a = NULL;
    int r = n->shape.rank;
    for (int k = 0; k < n->nargs; k++)
        a = a ? a : l->inner[n->arg[k]->id];
    if (a == NULL)
        return NULL;
    *turned = r > 1;
    if (info->flags & F_ELEMENTWISE)
        return pass_elements(l, n);
    if (n->op == OP_concat)
        return pass_concat(l, n);
    if (l->inner[n->arg[0]->id] == NULL)
        return NULL;
    if (n->op == OP_pad || n->op == OP_slice)
        return pass_window(l, n, a);
    if (info->flags & F_REDUCE && info->combine) {
        *turned &= !(n->attr.axes & 1);
        return graph_reduce(l->g, n->op, a, turn_axes(n->attr.axes, a->shape.rank));
    }
    Shape s = {.rank = r};
    turn_sizes(n->shape.dim, r, s.dim);
    if (n->op == OP_reshape && r > 1 && n->shape.dim[0] == n->arg[0]->shape.dim[0])
        return graph_reshape(l->g, a, s);
    if (n->op == OP_expand && !(n->attr.axes & 1))
        return graph_expand(l->g, a, s, turn_axes(n->attr.axes, r));
    return NULL;
}

static bool keeps_order(const Node *n)
{
    return op_info[n->op]->flags & F_ELEMENTWISE || n->op == OP_pad || n->op == OP_slice;
}

static void place_node(Layout *l, Node *n)
{
    bool turned = false, same = true;
    for (int k = 0; k < n->nargs; k++) {
        l->born[n->id] |= keeps_order(n) && l->born[n->arg[k]->id];
        same &= l->now[n->arg[k]->id] == n->arg[k];
    }
    l->born[n->id] |= n->op == OP_conv;
    Node *m = pass_through(l, n, &turned);
    if (m && turned) {
        l->inner[n->id] = m;
        m = turn(l->g, m);
    } else if (!m && !same) {
        Node **arg = arena_alloc(l->g->ngc, (size_t)(n->nargs + 1) * sizeof *arg);
        for (int k = 0; k < n->nargs; k++)
            arg[k] = l->now[n->arg[k]->id];
        m = graph_copy(l->g, n, arg);
    } else if (!m) {
        m = n;
    }
    if (is_turn(n) && l->born[n->arg[0]->id] && !l->inner[n->id])
        l->inner[n->id] = l->now[n->arg[0]->id];
    l->now[n->id] = m;
}

static void graph_layout(Graph *g, Node **root, int roots, const bool *stays)
{
    int count = g->count, *uses = graph_uses(g, root, roots);
    size_t room = (size_t)count + 1;
    bool *end = arena_alloc(g->ngc, room);
    for (int i = 0; i < roots; i++)
        end[root[i]->id] |= stays[i];
    Layout l = {.g = g, .uses = uses};
    l.now = arena_alloc(g->ngc, room * sizeof *l.now);
    l.inner = arena_alloc(g->ngc, room * sizeof *l.inner);
    l.born = arena_alloc(g->ngc, room);
    Loc loc = g->loc;
    for (int i = 0; i < count; i++) {
        Node *n = g->node[i];
        l.now[i] = n;
        if (!uses[i])
            continue;
        int made = g->count;
        g->loc = n->loc;
        place_node(&l, n);
        if (l.inner[i] && l.inner[i]->id >= made)
            node_replaces(l.inner[i], n, made);
        node_replaces(l.now[i], n, made);
        if (end[i])
            l.inner[i] = NULL;
    }
    g->loc = loc;
    for (int i = 0; i < roots; i++)
        root[i] = l.now[root[i]->id];
}

/* Of both modes together. What `update` is given are gradients as they are, and what walks over the
 * rows are given are totals as they are. */
void modes_layout(Modes *modes)
{
    Model *m = modes->model;
    Carry *c = modes->carry;
    Ngc *ngc = m->graph->ngc;
    int carriers = c ? c->carriers : 0, links = c ? c->links : 0, roots = 2 * m->roots;
    Node **root = arena_alloc(ngc, (size_t)(roots + carriers + links + 1) * sizeof *root);
    bool *stays = arena_alloc(ngc, (size_t)(roots + carriers + links + 1));

    for (int i = 0; i < roots; i++) {
        root[i] = i < m->roots ? modes->use[i] : modes->learn[i - m->roots];
        stays[i] = m->root[i % m->roots].kind == ROOT_GRAD;
    }
    for (int i = 0; i < carriers + links; i++) {
        root[roots + i] = i < carriers ? c->carrier[i].node : c->link[i - carriers].node;
        stays[roots + i] = true;
    }

    graph_layout(m->graph, root, roots + carriers + links, stays);
    modes->use = root;
    modes->learn = root + m->roots;
    for (int i = 0; i < carriers; i++)
        c->carrier[i].node = root[roots + i];
    for (int i = 0; i < links; i++)
        c->link[i].node = root[roots + carriers + i];
}
