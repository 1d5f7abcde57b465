/* sparse.c - updates that change only some rows of a variable.
 *
 * The gradient of a gather is a scatter: zeros, except in the rows that were read. Where the new
 * value of a variable is the old one in every row that no scatter adds to, as in
 * w - lr*scatter(dy, i), only the other rows are computed:
 *
 *     last  = assign([0, 1, 2, ..], i)     of each row that is read, the last k with that i[k]
 *     slot  = last[i]                      one k for all that read the same row
 *     sum   = scatter(dy, slot)            a row for each k, instead of each row of w
 *     w     = assign(w[i] - lr*sum[slot], i), over w
 *
 * Each sum has the same terms in the same order as in the scatter, so it has the same bits. Where i
 * repeats, equal rows are stored. The sum of all elements of something that is 0 in the other rows,
 * as the norm of a gradient, becomes that over the rows of `sum`.
 *
 * The graph alone decides: nothing here knows of optimizers. Factors of a scatter are taken to be
 * finite. Where data make one infinite or NaN, rows that are not read stay as they are.
 *
 * Requires: the final graph, for modes_sparse. Keeps: the roots of learn.
 */
#include "graph/carry.h"

enum { FEW = 2 }; /* the rows that are read, times this, are at most all rows */

/* What an element of a node is in a row that no scatter adds to. */
typedef struct Rest {
    enum { REST_OTHER, REST_NUMBER, REST_NODE } kind;
    double number;
    const Node *node; /* the same element of this node */
} Rest;

/* The nodes of one row after the other: from a root down through what is done to each element. */
typedef struct Region {
    Graph *g;
    const Node *root;
    bool *in;      /* by id, of the nodes up to the root */
    Node **source; /* its scatters */
    int sources, room;

    Node *index; /* of all rows that they add to, [count] */
    Node *slot;  /* by place in index: the place that has its sums */
    Node *last;  /* by row: its last place in index */
    Size count;
} Region;

/* ---- rows that no index chooses ---- */

static Size index_count(Graph *g, const Node *scatter)
{
    return shape_count(g, scatter->arg[1]->shape);
}

static bool is_source(const Node *n)
{
    return n->op == OP_scatter && n->attr.axis == 0 && n->nargs == 2;
}

/* Does n add an axis after that of the rows, so that its rows are those of its operand? */
static bool widens_rows(const Node *n)
{
    return n->op == OP_expand && !(n->attr.axes & 1);
}

static bool is_finite_factor(const Node *n)
{
    return n->trained.risk == RISK_NONE || n->trained.risk == RISK_DATA;
}

static Rest rest_number(double x)
{
    return (Rest){.kind = REST_NUMBER, .number = x};
}

/* What n is equal to, without operations that only the compiler sees. */
static const Node *same_as(const Node *n)
{
    while (node_has(n, F_SAME))
        n = n->arg[0];
    return n;
}

static Rest rest_node(const Node *n)
{
    return (Rest){.kind = REST_NODE, .node = same_as(n)};
}

static bool rest_is_node(Rest r, const Node *n)
{
    return r.kind == REST_NODE && r.node == same_as(n);
}

static bool rest_is(Rest r, double x)
{
    return r.kind == REST_NUMBER && r.number == x;
}

/* Operations with a 0 that leave a number or an operand. */
static Rest rest_with_zero(const Node *n, const Rest *arg)
{
    const Node *a = n->arg[0];
    const Node *b = NULL;
    if (n->nargs > 1)
        b = n->arg[1];
    Rest other = {.kind = REST_OTHER};

    switch (n->op) {
    case OP_add:
        if (rest_is(arg[0], 0))
            return arg[1];
        if (rest_is(arg[1], 0))
            return arg[0];
        return other;
    case OP_sub: return rest_is(arg[1], 0) ? arg[0] : other;
    case OP_mul:
        /* 0*b = 0, unless b is infinite */
        if (rest_is(arg[0], 0) && is_finite_factor(b))
            return arg[0];
        if (rest_is(arg[1], 0) && is_finite_factor(a))
            return arg[1];
        return other;
    case OP_div:
        if (rest_is(arg[0], 0) && (b->trained.lo > 0 || b->trained.hi < 0))
            return arg[0];
        return other;
    case OP_where:
        if (arg[0].kind != REST_NUMBER)
            return other;
        if (arg[0].number != 0)
            return arg[1];
        return arg[2];
    default: return other;
    }
}

/* Of an elementwise op. */
static Rest rest_of_element(const Node *n, const Rest *arg)
{
    const OpInfo *info = op_info[n->op];
    double x[3] = {0};
    bool numbers = info->value != NULL;
    bool same = true;

    if (info->flags & F_SAME)
        return arg[0];

    for (int k = 0; k < n->nargs; k++) {
        numbers &= arg[k].kind == REST_NUMBER;
        /* untouched operands give the untouched value */
        same &= rest_is_node(arg[k], n->arg[k]) || node_const(n->arg[k], &x[k]);
        x[k] = arg[k].number;
    }
    if (numbers)
        return rest_number(info->value(x[0], x[1], x[2]));
    if (same)
        return rest_node(n);
    return rest_with_zero(n, arg);
}

static Rest rest_of(const Node *n, const Rest *rest)
{
    double x;
    Rest arg[3];

    if (node_const(n, &x))
        return rest_number(x);
    if (is_source(n))
        return rest_number(0);

    if (node_has(n, F_ELEMENTWISE)) {
        for (int k = 0; k < n->nargs; k++)
            arg[k] = rest[arg_id(n, k)];
        return rest_of_element(n, arg);
    }
    if (widens_rows(n)) {
        Rest r = rest[arg_id(n, 0)];
        if (r.kind == REST_NODE)
            return rest_is_node(r, n->arg[0]) ? rest_node(n) : (Rest){.kind = REST_OTHER};
        return r;
    }
    return rest_node(n);
}

/* By id; NULL: nothing is scattered. */
static Rest *find_rests(Graph *g)
{
    Rest *rest = NULL;

    for (int i = 0; i < g->count && !rest; i++)
        if (is_source(g->node[i]))
            rest = arena_array(g->ngc, g->count, sizeof *rest);
    for (int i = 0; i < g->count && rest; i++)
        rest[i] = rest_of(g->node[i], rest);
    return rest;
}

/* ---- what is computed row by row ---- */

static bool is_by_row(const Node *n)
{
    double x;
    return !node_const(n, &x) && (node_has(n, F_ELEMENTWISE) || widens_rows(n));
}

static Region region_of(Graph *g, const Node *root)
{
    Region r = {.g = g, .root = root};

    r.in = arena_alloc(g->ngc, (size_t)root->id + 1);
    r.in[root->id] = true;
    /* users before operands: the region grows downward */
    for (int i = root->id; i >= 0; i--) {
        Node *n = g->node[i];
        if (!r.in[i])
            continue;
        for (int k = 0; k < n->nargs && is_by_row(n); k++)
            r.in[arg_id(n, k)] = true;
        if (is_source(n)) {
            LIST_GROW(g->ngc, r.source, r.sources, &r.room);
            r.source[r.sources++] = n;
        }
    }
    return r;
}

static bool is_first_of_index(const Region *r, int source)
{
    for (int i = 0; i < source; i++)
        if (r->source[i]->arg[1] == r->source[source]->arg[1])
            return false;
    return true;
}

/* Do the scatters add to few of all rows, whose number is known? */
static bool reads_few_rows(const Region *r)
{
    int64_t count = 0;

    if (r->sources == 0 || r->root->shape.rank == 0)
        return false;
    for (int i = 0; i < r->sources; i++)
        if (is_first_of_index(r, i))
            count += size_max(r->g, index_count(r->g, r->source[i]));
    /* counted with repetitions, so at most that many rows */
    return count * FEW <= r->root->shape.dim[0];
}

/* ---- the same for the rows that are read ---- */

static void find_places(Region *r)
{
    Graph *g = r->g;
    Node **part = arena_array(g->ngc, r->sources, sizeof *part);
    Shape all = {.rank = 1, .dim = {r->root->shape.dim[0]}};
    int parts = 0;

    for (int i = 0; i < r->sources; i++) {
        Shape line = {.rank = 1, .dim = {index_count(g, r->source[i])}};
        if (is_first_of_index(r, i))
            part[parts++] = graph_reshape(g, r->source[i]->arg[1], line);
    }

    r->index = graph_concat(g, part, parts, 0);
    r->count = r->index->shape.dim[0];

    /* last[index[k]] = k: later places overwrite earlier ones */
    Node *places = graph_iota(g, r->index->shape, 0);
    r->last = graph_assign(g, NULL, places, r->index, all);
    r->slot = graph_gather(g, r->last, r->index, 0);
}

/* The same scatter, with a row for each place in the index. */
static Node *sums_of(const Region *r, const Node *scatter)
{
    Graph *g = r->g;
    Shape shape = scatter->shape;

    shape.dim[0] = r->count;
    Node *slot = graph_gather(g, r->last, scatter->arg[1], 0);
    return graph_scatter(g, scatter->arg[0], slot, shape, 0);
}

/* Does a scatter of numbers above 0 have this index? */
static bool counts_index(const Region *r, const Node *index)
{
    double x;

    for (int i = 0; i < r->sources; i++)
        if (r->source[i]->arg[1] == index && node_const(r->source[i]->arg[0], &x) && x > 0)
            return true;
    return false;
}

/* Does n count how often each row is read, so that it is not 0 in any row of r? */
static bool counts_reads(const Region *r, const Node *n)
{
    Region own = region_of(r->g, n);
    double x;

    for (int i = 0; i <= n->id; i++) {
        const Node *m = r->g->node[i];
        /* sums of counts, and of numbers that are not negative, stay above 0 */
        bool grows = m->op == OP_add || m->op == OP_expand || is_source(m);
        if (node_const(m, &x))
            grows = x >= 0;
        if (own.in[i] && !grows)
            return false;
    }
    for (int i = 0; i < own.sources; i++)
        if (!counts_index(&own, own.source[i]->arg[1]))
            return false;
    for (int i = 0; i < r->sources; i++)
        if (!counts_index(&own, r->source[i]->arg[1]))
            return false;
    return true;
}

/* What n is in the rows of the index. own: of rows that are there several times, only one counts.
 */
static Node *rows_of(const Region *r, Node *n, Node *const *now, bool own)
{
    Graph *g = r->g;
    Shape shape = n->shape;
    double x;

    shape.dim[0] = r->count;
    if (node_const(n, &x))
        return graph_cast(g, graph_full(g, shape, x), n->type);
    if (is_source(n)) {
        /* by place in the index; through slot, each place has the sum of its row */
        Node *sums = sums_of(r, n);
        if (own)
            return sums;
        return graph_gather(g, sums, r->slot, 0);
    }
    if (n->op == OP_expand) {
        Node *a = widens_rows(n) ? now[arg_id(n, 0)] : n->arg[0];
        return graph_expand(g, a, shape, n->attr.axes);
    }
    /* where(reads > 0, new, old): in these rows it is the new value */
    if (n->op == OP_where && !own && counts_reads(r, n->arg[0]))
        return now[arg_id(n, 1)];
    if (is_by_row(n))
        return graph_copy(g, n, graph_operands(g, n, now));
    return graph_gather(g, n, r->index, 0);
}

/* The root of the region in these rows. */
static Node *restricted(Region *r, bool own)
{
    Graph *g = r->g;
    int count = r->root->id + 1;
    Node **now = arena_array(g->ngc, count, sizeof *now);

    find_places(r);
    for (int i = 0; i < count; i++)
        if (r->in[i])
            now[i] = rows_of(r, g->node[i], now, own);
    return now[r->root->id];
}

/* ---- sums, and updates ---- */

/* Is n the sum over the rows of something that is 0 in most of them? */
static bool sums_few_rows(Graph *g, const Node *n, const Rest *rest)
{
    if (n->op != OP_sum || !(n->attr.axes & 1) || !rest_is(rest[arg_id(n, 0)], 0))
        return false;
    Region r = region_of(g, n->arg[0]);
    return reads_few_rows(&r);
}

static Node *sum_of_few(Graph *g, Node *n)
{
    Region r = region_of(g, n->arg[0]);
    Node *m = graph_reduce(g, n->op, restricted(&r, true), n->attr.axes);

    return node_because(m, "the rows that are read");
}

/* Puts such sums into what the roots are computed from. */
static void sparse_sums(Graph *g, Node **root, int roots)
{
    int count = g->count;
    const Rest *rest = find_rests(g);
    int *uses = graph_uses(g, root, roots);
    Node **now = arena_array(g->ngc, count, sizeof *now);

    for (int i = 0; i < count; i++) {
        Node *n = g->node[i];
        int made = g->count;
        now[i] = n;
        if (uses[i] == 0)
            continue;
        if (sums_few_rows(g, n, rest))
            now[i] = sum_of_few(g, n);
        else
            now[i] = graph_rebuild(g, n, now);
        node_replaces(now[i], n, made);
    }
    for (int i = 0; i < roots; i++)
        root[i] = now[root[i]->id];
}

/* The new value of a variable as one that is stored over the old; NULL: other rows change, too. */
static Node *sparse_update(Graph *g, Node *n, const Var *v, const Rest *rest)
{
    int made = g->count;

    /* rows that no scatter adds to must keep the variable's value, bit by bit */
    if (n == v->node || !rest_is_node(rest[n->id], v->node))
        return NULL;
    Region r = region_of(g, n);
    if (!reads_few_rows(&r))
        return NULL;

    Node *rows = restricted(&r, false);
    Node *m = graph_assign(g, v->node, rows, r.index, n->shape);
    node_replaces(m, n, made);
    return m;
}

void modes_sparse(Modes *modes)
{
    Model *m = modes->model;
    Graph *g = m->graph;
    Node **update = arena_array(g->ngc, m->roots + 1, sizeof *update);
    int *of = arena_array(g->ngc, m->roots + 1, sizeof *of);
    int updates = 0;
    bool scattered = false;

    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == ROOT_UPDATE) {
            of[updates] = i;
            update[updates++] = modes->learn[i];
        }

    const int *uses = graph_uses(g, update, updates);
    /* most models scatter nothing */
    for (int i = 0; i < g->count; i++)
        scattered |= uses[i] > 0 && is_source(g->node[i]);
    if (!scattered)
        return;

    sparse_sums(g, update, updates);
    const Rest *rest = find_rests(g);
    modes->step = LIST_COPY(g->ngc, modes->learn, m->roots);
    for (int i = 0; i < updates; i++) {
        Node *sparse = sparse_update(g, update[i], m->root[of[i]].var, rest);
        if (sparse)
            modes->step[of[i]] = sparse;
        else
            modes->step[of[i]] = update[i];
    }
}

/* ---- for optimizers that leave other rows as they are, on request ---- */

/* How often each row of a region is read, in each element of the row. */
static Node *times_read(Graph *g, const Region *r, Shape shape)
{
    Shape rows = {.rank = 1, .dim = {shape.dim[0]}};
    Node *times = graph_full(g, rows, 0);

    for (int s = 0; s < r->sources; s++) {
        Node *index = r->source[s]->arg[1];
        Node *one = graph_full(g, index->shape, 1);
        if (is_first_of_index(r, s)) {
            Node *reads = graph_scatter(g, one, index, rows, 0);
            times = graph_binary(g, OP_add, times, reads);
        }
    }

    uint32_t columns = (1u << shape.rank) - 2; /* all axes but the first */
    return graph_expand(g, times, shape, columns);
}

Node **graph_touched(Graph *g, Node *const *dx, int count, bool *otherwise)
{
    Node **touched = arena_array(g->ngc, count + 1, sizeof *touched);
    const Rest *rest = find_rests(g);

    for (int i = 0; i < count && rest; i++) {
        const Node *n = dx[i];
        Region r = region_of(g, dx[i]);
        otherwise[i] = r.sources > 0 && !rest_is(rest[n->id], 0);
        if (r.sources > 0 && !otherwise[i])
            touched[i] = times_read(g, &r, n->shape);
    }
    return touched;
}
