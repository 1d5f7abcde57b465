/* carry.c - losses and metrics of all rows of the data, which come in batches.
 *
 * In: the graph of one batch, and its losses and metrics with training = 0. Out: what each batch
 * contributes (carriers), how contributions become totals, and the losses and metrics as functions
 * of the totals alone.
 *
 * The first run-time size, m, is the batch: inputs that have it hold m rows. Every node is one of
 * these:
 *
 * - fixed: the same for every batch (weights, scalars, constants);
 * - rows: one axis runs over the rows, and row i is computed from row i of the inputs, from fixed
 *   values and from totals;
 * - total: no axis runs over the rows, and it is computed from carriers, m and fixed values;
 * - mixed: anything else; a row of it depends on other rows of its batch.
 *
 * A carrier is a node that removes the axis of the rows. It is a sum or a matrix product over the
 * rows (totals are added up), a maximum (the largest stays), or the first or last row. m itself is
 * a total: the count of rows. Fixed values that totals are computed with are carriers too (the last
 * one stays).
 *
 * Invariants:
 *
 * - The carrier of all rows is the sum (maximum, ...) of the carriers of the batches, however the
 *   rows are divided into batches.
 * - `walk` of a node says how many times all rows must have been seen before it is known. Rows
 *   that use a total, as in (t - mean(t))^2, wait for the walk that completes the total. So a
 *   carrier belongs to walk 0 or to a later one.
 * - What is computed from totals (links into a later walk, results) uses leaves in place of the
 *   carriers, and is float. It is computed once, in double, so ints that are added up over all rows
 *   are exact up to 2^53.
 * - A loss or metric that needs a mixed node has no result. It is never replaced by an average of
 *   batches.
 *
 * Loops. A variable of a loop is what its value before the first pass is, as long as its values
 * after a pass are that too; else both together. A carrier in the body of a loop has a value in
 * each pass: what is carried is the tensor of them all, and a loop over the totals reads it. Where
 * rows use a total of the same pass, the next pass would need another walk: such a loop is
 * replaced by its passes first.
 */
#include "graph/carry.h"

/* ---- all nodes ---- */

/* Do rows use a total of the same pass? Then each pass waits for a walk. */
static const Loop *waits_in_loop(const RowClasses *a, const Node *n)
{
    for (int k = 0; k < n->nargs; k++) {
        const Node *x = n->arg[k];
        for (int l = 0; l < MAX_LEVELS && a->info[x->id].class == IS_TOTAL; l++)
            /* in the body of one loop, so the total is of this very pass */
            if (n->in[l] && n->in[l] == x->in[l])
                return n->in[l];
    }
    return NULL;
}

static bool same_info(RowInfo a, RowInfo b)
{
    return a.class == b.class && a.axis == b.axis && a.before == b.before && a.after == b.after &&
           a.alike == b.alike && a.walk == b.walk && a.varies == b.varies;
}

/* A loop in the body of this one, or itself. */
static const Loop *innermost(const LoopOrder *o, const Loop *loop)
{
    const struct LoopBody *b = &o->body[loop->id];

    for (int i = 0; i < b->count; i++)
        if (b->node[i]->op == OP_loop)
            return innermost(o, b->node[i]->attr.loop);
    return loop;
}

/* Rows of n wait for a total in each pass of this loop. */
static RowInfo info_waiting(RowClasses *a, const Node *n, const Loop *loop)
{
    loop = innermost(&a->order, loop);
    if (order_can_unroll(&a->order, loop))
        a->unrolls = loop;
    return info_mixed(n);
}

static void settle(RowClasses *a, const Node *loop);

static void find_info(void *analysis, const Node *n)
{
    RowClasses *a = analysis;
    RowInfo out = info_of_node(a, n);
    const Loop *waits = NULL;
    if (out.class == IS_ROWS && !a->at_once)
        waits = waits_in_loop(a, n);

    /* a view of a carrier is not a carrier */
    if (n->nargs > 0 && a->info[arg_id(n, 0)].class == IS_TOTAL)
        out.carried = false;
    if (waits)
        out = info_waiting(a, n, waits);
    /* a loop would count a walk for each time that it is looked at, and never settle */
    if (a->at_once && out.walk > 1)
        out.walk = 1;
    a->info[n->id] = out;

    /* the body may have been classified by variables that only now become rows or totals */
    if (n->op == OP_loop)
        settle(a, n);
}

static bool find_variable(void *analysis, const Node *leaf, const Node *init, const Node *next)
{
    RowClasses *a = analysis;
    RowInfo *x = &a->info[leaf->id];
    RowInfo was = *x;

    *x = info_either_pass(leaf, *x, a->info[init->id]);
    *x = info_either_pass(leaf, *x, a->info[next->id]);
    return !same_info(was, *x);
}

/* The variables of a loop, until they are what they become in a pass, and so is its body. */
static void settle(RowClasses *a, const Node *loop)
{
    order_settle(&a->order, loop, (Settle){a, find_variable, find_info});
    a->info[loop->id] = info_of_passes(a, loop);
}

/* Classifies what the roots need, in the graph's order. */
RowClasses row_classes(Graph *g, Node *const *root, int roots, bool at_once)
{
    RowClasses a = {.g = g, .order = loop_order(g, root, roots), .at_once = at_once};

    a.info = arena_array(g->ngc, g->count + 1, sizeof *a.info);
    for (int i = 0; i < a.order.count; i++)
        find_info(&a, a.order.node[i]);
    return a;
}

/* ---- the plan ---- */

typedef struct Plan {
    RowClasses a;
    Carry *carry;     /* the plan so far */
    Node **total;     /* by node id: what replaces it where totals are used */
    Loop **loop;      /* by Loop.id: the loop over totals in its place, or NULL */
    bool *linked;     /* by node id: it has a link */
    int carrier_room; /* allocated in carry->carrier */
    int link_room;    /* allocated in carry->link */
} Plan;

/* A leaf in place of a total. Its name says what is added up. */
static Node *total_leaf(Graph *g, const char *name, Shape shape)
{
    Var *v = arena_alloc(g->ngc, sizeof *v);
    *v = (Var){
        .kind = VAR_STATE,
        .name = name,
        .type = T_FLOAT,
        .shape = shape,
        .loc = {.file = -1},
        .index = -1,
    };
    v->node = graph_var(g, v);
    return v->node;
}

/* The loop over totals in the place of this one. Its index is not called t: in C, totals are. */
static const Loop *total_loop(Plan *p, const Loop *loop)
{
    Graph *g = p->a.g;
    Loop **of = &p->loop[loop->id];

    if (!*of) {
        Loop *made = graph_new_loop(g, loop->name, loop->level, loop->passes, loop->down);
        made->name = text_format(g->ngc, "%s_pass", loop->name);
        made->loc = loop->loc;
        made->last = loop->last;
        *of = made;
    }
    return *of;
}

/* In the body of loops, a value has many: a tensor of them all. */
typedef struct Passes {
    Node *all;
    const Loop *loop[MAX_LEVELS]; /* from the innermost on */
    Shape shape[MAX_LEVELS];      /* of what a pass of it has */
    int loops;
} Passes;

static Passes in_all_passes(const Plan *p, Node *n)
{
    Passes all = {.all = n};

    for (const Loop *loop; (loop = node_loop(all.all)) != NULL; all.loops++) {
        all.loop[all.loops] = loop;
        all.shape[all.loops] = all.all->shape;
        /* from the innermost loop outward, each adds an axis for its passes in front */
        all.all = graph_collect_all(p->a.g, p->a.order.body[loop->id].loop, all.all);
    }
    return all;
}

/* Of the totals of all passes, those of this pass of the loops over totals. */
static Node *in_this_pass(Plan *p, const Passes *all, Node *total)
{
    /* from the outermost loop inward: its axis is the first */
    for (int i = all->loops - 1; i >= 0; i--)
        total = graph_at_pass(p->a.g, total, total_loop(p, all->loop[i]), all->shape[i]);
    return total;
}

static void add_carrier(Plan *p, Node *n, CarryKind kind, int walk)
{
    Graph *g = p->a.g;
    Carry *c = p->carry;
    if (p->total[n->id])
        return;

    LIST_GROW(g->ngc, c->carrier, c->carriers, &p->carrier_room);
    Carrier *made = &c->carrier[c->carriers];
    Passes all = in_all_passes(p, n);
    const char *name = n->name;
    if (!n->name)
        name = node_text(g, n, 2);

    *made = (Carrier){.kind = kind, .walk = walk, .node = all.all};
    made->total = total_leaf(g, name, all.all->shape);
    p->total[n->id] = in_this_pass(p, &all, made->total);
    c->carriers++;
}

/* The value of a size, where m is the count of all rows: the sum of coef[k] m^k. */
static Node *size_of_all(Plan *p, Size s)
{
    enum { POWERS = 256 };
    Size coef[POWERS];
    Graph *g = p->a.g;
    int n = size_powers(g, s, 0, coef);
    Node *sum = graph_size(g, coef[n - 1]);
    for (int k = n - 2; k >= 0; k--) { /* Horner's rule */
        sum = graph_binary(g, OP_mul, sum, p->carry->rows);
        sum = graph_binary(g, OP_add, sum, graph_size(g, coef[k]));
    }
    return sum;
}

/* The total of n, or n itself. */
static Node *total_or_same(const Plan *p, Node *n)
{
    Node *total = p->total[n->id];
    return total ? total : n;
}

/* Operand k of n, where n is computed from totals. An index must be an int again. */
static Node *total_operand(Plan *p, const Node *n, int k)
{
    Node *x = n->arg[k];
    RowInfo info = p->a.info[x->id];
    bool index = (n->op == OP_gather || n->op == OP_scatter) && k >= 1;

    if (x->op == OP_index)
        return graph_index(p->a.g, total_loop(p, x->attr.loop));
    /* a weight read here is that of the batch: metrics_finish has no params */
    if (info.class == IS_FIXED && info.varies)
        add_carrier(p, x, CARRY_SAME, 0);

    Node *y = total_or_same(p, x);
    if (!index)
        return y;
    return graph_cast(p->a.g, y, T_INT);
}

static Node *float_operand(Plan *p, const Node *n, int k)
{
    Node *x = total_operand(p, n, k);
    return graph_cast(p->a.g, x, T_FLOAT);
}

/* The loop over totals: of the variables, those that are totals. */
static Node *total_passes(Plan *p, const Node *n)
{
    int variables = loop_variables(n);
    int count = 0;
    int room = variables + 1;
    Graph *g = p->a.g;
    Node **leaf = arena_array(g->ngc, room, sizeof *leaf);
    Node **init = arena_array(g->ngc, room, sizeof *init);
    Node **next = arena_array(g->ngc, room, sizeof *next);
    if (p->total[n->id])
        return p->total[n->id];

    /* the variables that are totals: a loop's operands are leaves, starts, next values */
    for (int i = 0; i < variables; i++) {
        int id = arg_id(n, i);
        if (p->a.info[id].class != IS_TOTAL || !p->total[id])
            continue;
        leaf[count] = p->total[id];
        init[count] = float_operand(p, n, variables + i);
        next[count++] = float_operand(p, n, 2 * variables + i);
    }

    /* what follows the variables among the operands: the test, the count, the loops around */
    int k = 3 * variables;
    Node *test = NULL, *passes = NULL;
    if (loop_test(n))
        test = total_operand(p, n, k++);
    if (loop_count(n))
        passes = total_operand(p, n, k++);

    Node *around[MAX_LEVELS];
    int arounds = 0;
    while (k < n->nargs)
        around[arounds++] = total_operand(p, n, k++);

    Indices before = graph_use_indices(g, around, arounds);
    const Loop *loop = total_loop(p, n->attr.loop);
    if (passes)
        passes = graph_cast(g, passes, T_INT);
    Node *made = graph_loop(g, loop, leaf, init, next, count, test, passes);
    graph_restore_indices(g, before);

    p->total[n->id] = made;
    return made;
}

/* What is collected of totals. */
static Node *total_collect(Plan *p, const Node *n)
{
    Graph *g = p->a.g;
    Node *part = total_operand(p, n, 0);
    Node *loop = total_passes(p, n->arg[1]);
    Node *leaf[1 + MAX_LEVELS];
    int leaves = 0;

    leaf[leaves++] = graph_index(g, loop->attr.loop);
    for (int k = 2; k < n->nargs; k++)
        leaf[leaves++] = total_operand(p, n, k);
    Indices before = graph_use_indices(g, leaf, leaves);
    Node *collect = graph_collect(g, loop, part, n->attr.lo, n->attr.step, n->shape);
    graph_restore_indices(g, before);
    return collect;
}

/* A total that belongs to a loop; NULL: n does not. */
static Node *total_in_loop(Plan *p, const Node *n)
{
    Graph *g = p->a.g;
    Node like = {.type = T_FLOAT, .shape = n->shape};

    switch (n->op) {
    case OP_carried: return graph_carried(g, total_loop(p, n->attr.loop), &like);
    case OP_loop: return total_passes(p, n);
    case OP_last: return graph_last(g, total_passes(p, n->arg[1]), p->total[arg_id(n, 0)]);
    case OP_passes: return graph_passes(g, total_passes(p, n->arg[0]));
    case OP_collect: return total_collect(p, n);
    default: return NULL;
    }
}

/* A copy of n that is computed from totals. */
static Node *total_of(Plan *p, Node *n)
{
    Graph *g = p->a.g;
    Node *of_loop = total_in_loop(p, n);
    if (of_loop)
        return of_loop;
    if (n->op == OP_size)
        return size_of_all(p, n->attr.size);

    Node **arg = arena_array(g->ngc, n->nargs + 1, sizeof *arg);
    for (int k = 0; k < n->nargs; k++)
        arg[k] = total_operand(p, n, k);

    /* all else is the same op on totals */
    int before = g->count;
    g->loc = n->loc;
    Node *made = graph_copy(g, n, arg);

    /* Totals are float. An op that gives an int of ints needs operands of their own type. */
    bool stays_int = made->type == T_INT && n->op != OP_argmax && n->op != OP_cast;
    for (int k = 0; k < n->nargs && stays_int; k++)
        arg[k] = graph_cast(g, arg[k], n->arg[k]->type);
    if (stays_int)
        made = graph_copy(g, n, arg);

    node_replaces(made, n, before);
    return made;
}

/* Totals among the operands of n, whose rows need them: they must be known before its walk. */
static void add_links(Plan *p, const Node *n)
{
    Carry *c = p->carry;
    for (int k = 0; k < n->nargs; k++) {
        Node *x = n->arg[k];
        RowInfo info = p->a.info[x->id];
        /* one link for each total, however many rows read it */
        if (info.class != IS_TOTAL || p->linked[x->id])
            continue;
        p->linked[x->id] = true;
        LIST_GROW(p->a.g->ngc, c->link, c->links, &p->link_room);
        c->link[c->links++] = (Link){.node = x, .walk = info.walk};
    }
}

/* Finds the carriers, links and totals among the nodes that these roots need. */
static void plan_nodes(Plan *p, Node *const *root, int roots)
{
    Graph *g = p->a.g;
    int *uses = graph_uses(g, root, roots);

    for (int i = 0; i < p->a.order.count; i++) {
        Node *n = p->a.order.node[i];
        RowInfo x = p->a.info[n->id];
        if (!uses[n->id])
            continue;

        /* operands come first, so the totals that n is computed from are there */
        if (x.carried)
            add_carrier(p, n, x.kind, x.walk - 1);
        else if (x.class == IS_TOTAL)
            p->total[n->id] = total_of(p, n);
        if (x.carried || x.class == IS_ROWS)
            add_links(p, n);
    }

    for (int i = 0; i < p->carry->links; i++) {
        Link *link = &p->carry->link[i];
        link->total = graph_cast(g, p->total[link->node->id], T_FLOAT);
    }
}

/* ---- means and sums ---- */

/* How a value of all rows grows with the number of rows. */
typedef enum {
    AS_ZERO,  /* it is 0 */
    AS_FIXED, /* it does not depend on the rows */
    AS_MEAN,  /* it is a mean over rows */
    AS_SUM,   /* it is a sum over rows */
    AS_COUNT, /* a fixed number times the count of rows */
    AS_SHARE, /* a fixed number divided by the count of rows */
    AS_OTHER,
} Growth;

/* Does it grow as the number of rows does? */
static bool is_sum(Growth a)
{
    return a == AS_SUM || a == AS_COUNT;
}

static bool is_mean(Growth a)
{
    return a == AS_MEAN || a == AS_FIXED;
}

/* The growth of a + b. */
static Growth growth_of_sum(Growth a, Growth b)
{
    /* 0 + x = x */
    if (a == AS_ZERO)
        return b;
    if (b == AS_ZERO)
        return a;

    if (a == b)
        return a;
    if (is_sum(a) && is_sum(b))
        return AS_SUM;
    /* mean(x) + c = mean(x + c) */
    return is_mean(a) && is_mean(b) ? AS_MEAN : AS_OTHER;
}

/* The growth of a * b. */
static Growth growth_of_product(Growth a, Growth b)
{
    if (a == AS_ZERO || b == AS_ZERO)
        return AS_ZERO;
    if (a == AS_FIXED)
        return b;
    if (b == AS_FIXED)
        return a;
    if (b == AS_SHARE && a != AS_SHARE)
        return growth_of_product(b, a);
    /* sum/m = mean */
    if (a == AS_SHARE && b == AS_SUM)
        return AS_MEAN;
    if (a == AS_SHARE && b == AS_COUNT)
        return AS_FIXED;
    return AS_OTHER;
}

/* The growth of 1/a. */
static Growth growth_of_inverse(Growth a)
{
    switch (a) {
    case AS_FIXED: return AS_FIXED;
    case AS_COUNT: return AS_SHARE;
    case AS_SHARE: return AS_COUNT;
    default: return AS_OTHER;
    }
}

static Growth growth_of_leaf(const Carry *c, const Node *n)
{
    if (n == c->rows)
        return AS_COUNT;

    for (int k = 0; k < c->carriers; k++) {
        const Carrier *carrier = &c->carrier[k];
        if (carrier->total != n || carrier->kind == CARRY_SAME)
            continue;
        /* a sum of a later walk depends on totals: it is not the sum of what batches alone give */
        bool alone = carrier->kind == CARRY_SUM && carrier->walk == 0;
        return alone ? AS_SUM : AS_OTHER;
    }
    return AS_FIXED;
}

typedef struct Grows {
    const Carry *carry;
    LoopOrder order;
    Growth *known; /* by id */
} Grows;

/* The growth of what leaves a loop: of x, its operand. */
static Growth growth_after(const Grows *w, const Node *n, const Node *loop)
{
    Growth x = w->known[arg_id(n, 0)];
    return w->known[loop->id] == AS_FIXED ? x : AS_OTHER;
}

static bool is_fixed(const Grows *w, const Node *n)
{
    Growth growth = w->known[n->id];
    return growth == AS_ZERO || growth == AS_FIXED;
}

static Growth growth_of(const Grows *w, const Node *n)
{
    Growth a = AS_FIXED;
    if (n->nargs > 0)
        a = w->known[arg_id(n, 0)];
    Growth b = AS_FIXED;
    if (n->nargs > 1)
        b = w->known[arg_id(n, 1)];

    bool fixed = true;
    for (int k = 0; k < n->nargs; k++)
        fixed &= is_fixed(w, n->arg[k]);

    switch (n->op) {
    case OP_var: return growth_of_leaf(w->carry, n);
    case OP_const: return n->attr.value == 0 ? AS_ZERO : AS_FIXED;
    case OP_carried: return w->known[n->id];
    case OP_add:
    case OP_sub: return growth_of_sum(a, b);
    case OP_mul: return growth_of_product(a, b);
    case OP_div: return growth_of_product(a, growth_of_inverse(b));
    case OP_neg:
    case OP_cast:
    case OP_stop:
    case OP_copy:
    case OP_expand:
    case OP_pad:
    case OP_sum: return a;
    case OP_last:
    case OP_collect: return growth_after(w, n, n->arg[1]);
    case OP_passes: return a;
    default: break;
    }
    if (node_has(n, F_VIEW))
        return a;
    return fixed ? AS_FIXED : AS_OTHER;
}

static void find_growth(void *grows, const Node *n);

static bool find_growth_of_variable(void *grows, const Node *leaf, const Node *init,
                                    const Node *next)
{
    const Grows *w = grows;
    Growth *x = &w->known[leaf->id];
    Growth was = *x;

    *x = growth_of_sum(*x, growth_of_sum(w->known[init->id], w->known[next->id]));
    return *x != was;
}

/* The number of passes: fixed, or not. The variables begin with nothing known of them: zero. */
static Growth growth_of_passes(const Grows *w, const Node *loop)
{
    const Node *test = loop_test(loop);
    const Node *count = loop_count(loop);
    if (test && !is_fixed(w, test))
        return AS_OTHER;
    return !count || is_fixed(w, count) ? AS_FIXED : AS_OTHER;
}

static void find_growth(void *grows, const Node *n)
{
    Grows *w = grows;

    if (n->op != OP_loop) {
        w->known[n->id] = growth_of(w, n);
        return;
    }
    order_settle(&w->order, n, (Settle){w, find_growth_of_variable, find_growth});
    w->known[n->id] = growth_of_passes(w, n);
}

/* How the result n is made from the results of the batches. */
static Gathering gathering_of(Graph *g, const Carry *c, Node *n)
{
    Grows w = {.carry = c, .order = loop_order(g, &n, 1)};

    w.known = arena_array(g->ngc, g->count + 1, sizeof *w.known);
    for (int i = 0; i < w.order.count; i++)
        find_growth(&w, w.order.node[i]);

    switch (w.known[n->id]) {
    case AS_SUM:
    case AS_COUNT: return OF_SUM;
    case AS_MEAN:
    case AS_FIXED:
    case AS_ZERO: return OF_MEAN;
    default: return OF_TOTALS;
    }
}

static bool is_measured(const Root *r)
{
    return r->kind == ROOT_LOSS || r->kind == ROOT_METRIC;
}

static bool has_result(const Plan *p, const Node *n)
{
    RowClass c = p->a.info[n->id].class;
    return c == IS_FIXED || c == IS_TOTAL;
}

/* Writes the losses and metrics to out and returns their number. root: by index of Model.root. */
static int measured(const Model *m, Node *const *root, Node **out)
{
    int n = 0;
    for (int i = 0; i < m->roots; i++)
        if (is_measured(&m->root[i]))
            out[n++] = root[i];
    return n;
}

/* A loop that has to be replaced by its passes: so in all roots. */
static void unroll_waiting(const Model *m, Node **root)
{
    Graph *g = m->graph;
    Node **all = arena_array(g->ngc, m->roots + 1, sizeof *all);
    RowClasses a = {0};

    do {
        a = row_classes(g, all, measured(m, root, all), false);
        LoopOrder o = loop_order(g, root, m->roots);
        /* one loop at a time, the innermost first; then all is classified anew */
        if (a.unrolls)
            graph_unroll(g, &o, a.unrolls, root, m->roots);
    } while (a.unrolls);
}

/* Is there an input with rows, so that the first run-time size is a batch? */
bool model_has_rows(const Model *m)
{
    bool any = false;
    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];
        any |= v->kind == VAR_INPUT && info_row_axis(m->graph, v->shape) != -1;
    }
    return any;
}

/* The losses and metrics as functions of totals. */
static void plan_results(Plan *p, const Model *m, Node *const *root)
{
    Graph *g = p->a.g;
    Carry *c = p->carry;
    c->root = arena_array(g->ngc, m->roots + 1, sizeof *c->root);
    c->gathering = arena_array(g->ngc, m->roots + 1, sizeof *c->gathering);

    for (int i = 0; i < m->roots; i++) {
        Node *n = root[i];
        if (!is_measured(&m->root[i]) || !has_result(p, n))
            continue;

        RowInfo x = p->a.info[n->id];
        if (x.class == IS_FIXED && x.varies)
            add_carrier(p, n, CARRY_SAME, 0);
        c->root[i] = graph_cast(g, total_or_same(p, n), T_FLOAT);

        c->gathering[i] = OF_TOTALS;
        if (m->root[i].kind == ROOT_LOSS)
            c->gathering[i] = gathering_of(g, c, c->root[i]);
        if (x.walk > c->walks)
            c->walks = x.walk;
    }
}

/* NULL: there is no loss and no metric that all rows have a value of. */
static Carry *carry_plan(Model *m, Node **root)
{
    Graph *g = m->graph;
    Node **all = arena_array(g->ngc, m->roots + 1, sizeof *all);
    int count = measured(m, root, all);
    if (!model_has_rows(m) || count == 0)
        return NULL;

    Loc loc = g->loc;
    unroll_waiting(m, root);
    count = measured(m, root, all);

    Plan p = {.a = row_classes(g, all, count, false)};
    p.total = arena_array(g->ngc, g->count + 1, sizeof *p.total);
    p.loop = arena_array(g->ngc, g->loops + 1, sizeof *p.loop);
    p.linked = arena_alloc(g->ngc, (size_t)g->count + 1);

    /* the losses and metrics of which all rows have a value */
    int good = 0;
    /* a metric that cannot be carried must not add carriers */
    for (int i = 0; i < count; i++)
        if (has_result(&p, all[i]))
            all[good++] = all[i];
    if (good == 0)
        return NULL;

    /* what batches contribute, walk by walk, and what comes of it */
    p.carry = arena_alloc(g->ngc, sizeof *p.carry);
    p.carry->walks = 1;
    p.carry->rows = total_leaf(g, g->dim[0].name, (Shape){0});
    plan_nodes(&p, all, good);
    plan_results(&p, m, root);
    g->loc = loc;
    return p.carry;
}

void modes_carry(Modes *modes)
{
    modes->carry = carry_plan(modes->model, modes->use);
}

/* ---- messages ---- */

/* Do the rows of a loss or an output depend on each other? Then the first run-time size is not the
 * number of rows in a batch. */
static bool model_mixes(Model *m, Node *const *root)
{
    Node **own = arena_array(m->graph->ngc, m->roots + 1, sizeof *own);
    int n = 0;
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == ROOT_LOSS || m->root[i].kind == ROOT_OUTPUT)
            own[n++] = root[i];
    RowClasses a = row_classes(m->graph, own, n, false);
    for (int i = 0; i < n; i++)
        if (a.info[own[i]->id].class == IS_MIXED)
            return true;
    return false;
}

static const char *dim_name(const Model *m)
{
    return m->graph->dim[0].name;
}

static void report_rows(const Model *m, const Root *r)
{
    diag(m->graph->ngc, SEV_ERROR, ERR_NOT_CARRIED, r->loc,
         "the metric %s has a value for each of the %s rows: "
         "make it one of all rows (mean, sum, max), or an output",
         r->name, dim_name(m));
}

/* Shows the node that mixes rows, if it has a place in the text. */
static void note_mixing(Ngc *ngc, Diag *d, const Node *why)
{
    if (why && why->loc.file > 0)
        diag_note(ngc, d, why->loc, "rows of one batch meet here");
}

static void warn_mixed(const Model *m, const Root *r, const Node *why)
{
    Ngc *ngc = m->graph->ngc;
    Diag *d = warn(ngc, "batch-value", ERR_BATCH_VALUE, r->loc,
                   "%s is a value of one batch: its %s rows depend on each other, "
                   "so train and eval report it only where all rows of the data are one batch",
                   r->name, dim_name(m));
    note_mixing(ngc, d, why);
}

static void report_mixed(const Model *m, const Root *r, const Node *why)
{
    Ngc *ngc = m->graph->ngc;
    Diag *d = diag(ngc, SEV_ERROR, ERR_NOT_CARRIED, r->loc,
                   "the metric %s cannot be carried from batch to batch: "
                   "it is not computed of sums and extrema over the %s rows",
                   r->name, dim_name(m));
    note_mixing(ngc, d, why);
}

static void report_draws(const Model *m, const Root *r, const Node *noise)
{
    Ngc *ngc = m->graph->ngc;
    Diag *d = diag(ngc, SEV_ERROR, ERR_NOT_CARRIED, r->loc,
                   "the metric %s cannot be carried from batch to batch: random numbers are drawn "
                   "for its %s rows, and each batch draws the same ones",
                   r->name, dim_name(m));
    if (noise->loc.file > 0)
        diag_note(ngc, d, noise->loc,
                  "they are drawn here; 'if training { ... }' draws only there");
}

/* A draw for each row of a batch, from which n is computed; NULL: there is none. */
static const Node *draws_of_rows(Graph *g, Node *n)
{
    const int *uses = graph_uses(g, &n, 1);

    for (int i = 0; i <= n->id; i++)
        if (uses[i] && g->node[i]->op == OP_noise && info_row_axis(g, g->node[i]->shape) != -1)
            return g->node[i];
    return NULL;
}

/* Reports each loss and metric that has no value of all rows, and why. */
void carry_check(Model *m)
{
    Graph *g = m->graph;
    bool any = false;
    for (int i = 0; i < m->roots; i++)
        any |= is_measured(&m->root[i]);
    if (!model_has_rows(m) || !any)
        return;

    Node **root = model_with_training(m, 0);
    unroll_waiting(m, root);
    Node **all = arena_array(g->ngc, m->roots + 1, sizeof *all);
    int count = measured(m, root, all);
    RowClasses a = row_classes(g, all, count, false);
    bool mixes = model_mixes(m, root);

    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        RowInfo x = is_measured(r) ? a.info[root[i]->id] : (RowInfo){0};
        if (mixes && (x.class == IS_ROWS || x.class == IS_MIXED))
            warn_mixed(m, r, x.why);
        else if (x.class == IS_ROWS)
            report_rows(m, r);
        else if (x.class == IS_MIXED)
            report_mixed(m, r, x.why);
        else if (r->kind == ROOT_METRIC && !mixes) {
            const Node *noise = draws_of_rows(g, root[i]);
            if (noise)
                report_draws(m, r, noise);
        }
    }
}
