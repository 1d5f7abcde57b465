/* ranks.c - --ranks: the rows of each batch are divided among processes, the ranks.
 *
 * In: the roots of training. Out: the same roots, computed from a share of the rows, and from sums
 * and maxima over all ranks. carry.c classifies the nodes:
 *
 * - fixed: the same on every rank. It stays as it is;
 * - rows: each rank computes those of its own;
 * - total: the same on every rank once the carriers it is computed from have gone over all ranks.
 *   The number m of rows is that of all ranks (ALL_ROWS) in values; as the size of a tensor it
 *   remains that of the rank;
 * - mixed: an error.
 *
 * A total has two forms. The whole form is the total itself: its carriers go over all ranks at
 * once. The share is what the rank's own rows contribute: shares add up to the whole. Sums over
 * rows are shares, and what is linear in one is a share too. A gradient is computed as a share, and
 * is the last to go over the ranks (RANKS_LATER), while the gradients of earlier layers are
 * computed; unless something in forward or backward reads it. In a sum of a share and of another
 * value, such as the gradient of a penalty, each rank counts the other one by its part of the rows.
 */
#include "graph/carry.h"

enum { NEEDS_WHOLE = 1, NEEDS_SHARE = 2 };

typedef struct Ranks {
    Graph *g;
    RowClasses a;
    bool *shares;        /* by node id: it has a share */
    unsigned char *need; /* by node id: bits of NEEDS_... */
    bool *refused;       /* by node id: it, or what it is computed from, cannot be divided */
    bool *late;          /* by node id: only losses need it whole */
    bool *gradient;      /* by node id: a gradient that goes over the ranks as a share, later */
    Node **whole, **own; /* by node id: the two forms */
    bool failed;
} Ranks;

static const RowInfo *info_of(const Ranks *r, const Node *n)
{
    return &r->a.info[n->id];
}

/* ---- what has a share ---- */

static bool is_shared_sum(const Ranks *r, const Node *n)
{
    return info_of(r, n)->carried && info_of(r, n)->kind == CARRY_SUM && n->type == T_FLOAT;
}

/* Operands of n of which one must have a share: bits; 0: n has a share only as a carrier. */
static unsigned linear_operands(const Node *n)
{
    switch (n->op) {
    case OP_neg:
    case OP_stop:
    case OP_copy:
    case OP_expand:
    case OP_reshape:
    case OP_permute:
    case OP_slice:
    case OP_pad:
    case OP_sum:
    case OP_div:
    case OP_collect:
    case OP_scatter: return 1;
    case OP_gather: return 1;
    case OP_mul:
    case OP_matmul:
    case OP_add:
    case OP_sub: return 3;
    default: return 0;
    }
}

static bool is_sum(const Node *n)
{
    return n->op == OP_add || n->op == OP_sub;
}

/* Is operand k of n taken as a share, where n is? Of a product one factor is. */
static bool takes_share(const Ranks *r, const Node *n, int k)
{
    unsigned linear = linear_operands(n);

    if (!(linear >> k & 1) || !r->shares[arg_id(n, k)])
        return false;
    /* a product of two shares would not be a share: only one factor is */
    return k == 0 || is_sum(n) || !r->shares[arg_id(n, 0)];
}

static bool has_share(const Ranks *r, const Node *n)
{
    if (is_shared_sum(r, n))
        return true;
    if (info_of(r, n)->class != IS_TOTAL || n->type != T_FLOAT)
        return false;
    for (int k = 0; k < n->nargs && k < 2; k++)
        if (takes_share(r, n, k))
            return true;
    return false;
}

/* A row at the start or the end of a batch is only on one rank. */
static bool is_refused(const Ranks *r, const Node *n)
{
    const RowInfo *x = info_of(r, n);
    bool out = x->class == IS_MIXED || (x->carried && x->kind != CARRY_SUM && x->kind != CARRY_MAX);

    for (int k = 0; k < n->nargs && !out; k++)
        out = r->refused[arg_id(n, k)];
    return out;
}

/* ---- what is needed ---- */

/* Marks what the roots marked so far need. The whole form of a gradient is made of its share. */
static void mark_needs(Ranks *r)
{
    /* users before operands */
    for (int i = r->a.order.count - 1; i >= 0; i--) {
        const Node *n = r->a.order.node[i];
        unsigned char need = r->need[n->id];
        bool share = need & NEEDS_SHARE && !is_shared_sum(r, n);
        bool whole = (need & NEEDS_WHOLE && !r->gradient[n->id]) || (need && is_shared_sum(r, n));

        for (int k = 0; k < n->nargs; k++) {
            unsigned char *of = &r->need[arg_id(n, k)];
            bool as_share = share && takes_share(r, n, k);
            *of |= as_share ? NEEDS_SHARE : 0;
            *of |= whole || (share && !as_share) ? NEEDS_WHOLE : 0;
        }
    }
}

/* Marks the roots of a kind, and what they need. */
static void mark_kind(Ranks *r, const Model *m, Node *const *root, RootKind kind)
{
    for (int i = 0; i < m->roots; i++) {
        int id = root[i]->id;
        bool share = kind == ROOT_GRAD && r->shares[id];

        if (m->root[i].kind == kind && !(kind == ROOT_NAMED && r->refused[id]))
            r->need[id] |= share ? NEEDS_SHARE : NEEDS_WHOLE;
    }
    mark_needs(r);
}

/* Gradients come first: sums that only losses need, can go over the ranks later. */
static void mark_roots(Ranks *r, const Model *m, Node *const *root)
{
    mark_kind(r, m, root, ROOT_GRAD);
    /* not needed whole so far, that is by gradients */
    for (int i = 0; i < r->a.order.count; i++) {
        int id = r->a.order.node[i]->id;
        r->late[id] = !(r->need[id] & NEEDS_WHOLE);
    }
    mark_kind(r, m, root, ROOT_LOSS);
    for (int i = 0; i < m->roots; i++) {
        int id = root[i]->id;
        if (m->root[i].kind == ROOT_GRAD && r->shares[id] && !(r->need[id] & NEEDS_WHOLE))
            r->gradient[id] = true;
    }
    for (int i = 0; i < r->a.order.count; i++) {
        int id = r->a.order.node[i]->id;
        r->late[id] &= (r->need[id] & NEEDS_WHOLE) != 0;
    }
    mark_kind(r, m, root, ROOT_UPDATE);
    mark_kind(r, m, root, ROOT_NAMED);
}

/* ---- the two forms ---- */

/* The part of all rows that this rank has. */
static Node *part_of_rows(Graph *g)
{
    Node *own = graph_size(g, size_dim(g, 0));
    return graph_binary(g, OP_div, own, graph_size(g, size_dim(g, ALL_ROWS)));
}

static Node *share_of(Ranks *r, Node *n)
{
    Graph *g = r->g;
    if (is_shared_sum(r, n))
        return graph_rebuild(g, n, r->whole);

    Node **arg = graph_operands(g, n, r->whole);
    for (int k = 0; k < n->nargs; k++) {
        if (takes_share(r, n, k))
            arg[k] = r->own[arg_id(n, k)];
        else if (is_sum(n))
            /* parts of all rows add up to 1, so the shares add up to the value */
            arg[k] = graph_binary(g, OP_mul, arg[k], part_of_rows(g));
    }
    return graph_copy(g, n, arg);
}

static void refuse(Ranks *r, const Node *why)
{
    if (r->failed)
        return;
    r->failed = true;
    diag(r->g->ngc, SEV_ERROR, ERR_RANKS, why->loc,
         "this cannot be divided among ranks: it is not computed of the %s rows one by one, "
         "and of sums, products and maxima over them",
         r->g->dim[0].name);
}

/* A value of all rows from what each rank has of it. */
static Node *over_ranks(Ranks *r, Node *n)
{
    Node *own = r->own[n->id];
    if (own == NULL)
        own = graph_rebuild(r->g, n, r->whole);

    OverRanks kind = RANKS_SUM;
    if (info_of(r, n)->kind == CARRY_MAX)
        kind = RANKS_MAX;
    else if (r->late[n->id] && !n->in[0])
        kind = RANKS_LATER;
    return graph_over_ranks(r->g, own, kind);
}

static Node *whole_of(Ranks *r, Node *n)
{
    Graph *g = r->g;
    const RowInfo *x = info_of(r, n);

    /* computed as a share, and on its way while others are computed */
    if (r->gradient[n->id])
        return graph_over_ranks(g, r->own[n->id], RANKS_LATER);
    if (x->class == IS_MIXED || (x->carried && is_refused(r, n))) {
        refuse(r, x->why ? x->why : n);
        return n;
    }
    if (x->carried)
        return over_ranks(r, n);
    if (n->op == OP_size)
        return graph_size(g, size_replace(g, n->attr.size, 0, size_dim(g, ALL_ROWS)));
    if (n->op == OP_noise && x->class == IS_ROWS)
        return graph_noise_of_rows(g, n, r->whole[arg_id(n, 0)]);
    return graph_rebuild(g, n, r->whole);
}

static void build(Ranks *r)
{
    Graph *g = r->g;
    Loc loc = g->loc;

    for (int i = 0; i < r->a.order.count; i++) {
        Node *n = r->a.order.node[i];
        int first = g->count;
        bool whole = r->need[n->id] & NEEDS_WHOLE || r->gradient[n->id];

        g->loc = n->loc;
        if (r->need[n->id] & NEEDS_SHARE) {
            r->own[n->id] = share_of(r, n);
            node_rewrites(r->own[n->id], n, first);
        }
        if (whole) {
            r->whole[n->id] = whole_of(r, n);
            node_replaces(r->whole[n->id], n, first);
        }
    }
    g->loc = loc;
}

/* ---- the pass ---- */

/* A model whose batches can be divided, or an error. */
static bool can_divide(const Model *m)
{
    Graph *g = m->graph;
    const Loc nowhere = {.file = -1};

    if (!model_has_rows(m))
        diag(g->ngc, SEV_ERROR, ERR_RANKS, nowhere,
             "%s has no run-time size that is a batch of rows: there is nothing to divide among "
             "ranks",
             m->name);
    else if (g->dims > ALL_ROWS)
        diag(g->ngc, SEV_ERROR, ERR_RANKS, nowhere, "--ranks: over %d run-time sizes", ALL_ROWS);
    else
        return true;
    return false;
}

void modes_ranks(Modes *modes)
{
    const Model *m = modes->model;
    Graph *g = m->graph;
    Ranks r = {.g = g};

    if (!g->ngc->opt.ranks || g->ngc->opt.weights || !can_divide(m))
        return;

    const Dim *rows = &g->dim[0];
    const char *name = text_format(g->ngc, "all_%s", rows->name);
    g->dim[ALL_ROWS] = (Dim){.name = name, .max = INT32_MAX, .loc = rows->loc};

    r.a = row_classes(g, modes->learn, m->roots, true);
    int room = g->count + 1;
    r.shares = arena_array(g->ngc, room, sizeof *r.shares);
    r.need = arena_array(g->ngc, room, sizeof *r.need);
    r.late = arena_array(g->ngc, room, sizeof *r.late);
    r.gradient = arena_array(g->ngc, room, sizeof *r.gradient);
    r.whole = arena_array(g->ngc, room, sizeof *r.whole);
    r.own = arena_array(g->ngc, room, sizeof *r.own);
    r.refused = arena_array(g->ngc, room, sizeof *r.refused);

    /* what is only a share of a sum over all rows, and what depends on rows that one rank has */
    for (int i = 0; i < r.a.order.count; i++) {
        const Node *n = r.a.order.node[i];
        r.shares[n->id] = has_share(&r, n);
        r.refused[n->id] = is_refused(&r, n);
    }

    /* what the roots need as a whole */
    mark_roots(&r, m, modes->learn);
    build(&r);
    for (int i = 0; i < m->roots; i++) {
        Node *whole = r.whole[modes->learn[i]->id];
        if (whole)
            modes->learn[i] = whole;
    }
}
