/* simplify.c - algebra. Rebuilds what some roots need, operands first, by the builders (which share
 * and fold), and applies rules at each node. Requires a verified graph and keeps all its
 * invariants. Old nodes stay, unused. There are two kinds of rules:
 *
 * - The sum-of-products form: simplify_sum.c.
 * - Rewrites for better values, such as the log of a sigmoid. They change the forward pass, so they
 *   wait for the last round, when no gradient with respect to a value inside can be asked any more.
 */
#include "graph/carry.h"
#include "graph/simplify.h"

/* ---- the derivative of e/sum(e) ---- */

enum { DEEP = 8 }; /* nodes on a way that is followed */

/* The divisor in x that repeats the sum of e; NULL: there is none at the ends of its sums. */
static const Node *find_total(Graph *g, const Node *x, const Node *e, int depth)
{
    if (depth > DEEP || !is_open(g, x))
        return NULL;

    switch (x->op) {
    case OP_div: return is_total(g, x->arg[1], e) ? x->arg[1] : NULL;
    case OP_neg:
    case OP_add:
    case OP_sub: return find_total(g, x->arg[0], e, depth + 1);
    case OP_mul: {
        const Node *found = find_total(g, x->arg[0], e, depth + 1);
        return found ? found : find_total(g, x->arg[1], e, depth + 1);
    }
    default: return NULL;
    }
}

/* y where x = y/total, or NULL. `total` is that of find_total, or the sums that it repeats. */
static Node *over_total(Graph *g, const Node *x, const Node *total, int depth)
{
    Node *y, *z;
    if (depth > DEEP || !is_open(g, x))
        return NULL;

    switch (x->op) {
    case OP_div: return x->arg[1] == total ? x->arg[0] : NULL;
    case OP_neg:
        y = over_total(g, x->arg[0], total, depth + 1);
        return y ? graph_unary(g, OP_neg, y) : NULL;
    case OP_add:
    case OP_sub:
        y = over_total(g, x->arg[0], total, depth + 1);
        z = y ? over_total(g, x->arg[1], total, depth + 1) : NULL;
        return z ? graph_binary(g, x->op, y, z) : NULL;
    case OP_mul:
        for (int i = 0; i < 2; i++) {
            y = over_total(g, x->arg[i], total, depth + 1);
            if (y)
                return graph_binary(g, OP_mul, y, x->arg[1 - i]);
        }
        return NULL;
    case OP_expand: /* one number for each sum */
        if (total->op != OP_expand || x->attr.axes != total->attr.axes)
            return NULL;
        y = over_total(g, x->arg[0], total->arg[0], depth + 1);
        return y ? graph_expand(g, y, x->shape, x->attr.axes) : NULL;
    default: return NULL;
    }
}

/* e*(dy/s + expand(r/s)) = (dy + expand(r))*(e/s), where s repeats the sum of e: of e, derivatives
 * need only the quotient, which the forward pass has too. So only one of the two is kept. */
static Node *simplify_share(Graph *g, Node *n)
{
    for (int i = 0; i < 2 && n->op == OP_mul && is_derived(n) && is_open(g, n); i++) {
        Node *e = n->arg[i], *x = n->arg[1 - i];
        const Node *total = find_total(g, x, e, 0);
        Node *y = total ? over_total(g, x, total, 0) : NULL;
        if (y)
            return graph_binary(g, OP_mul, y, graph_binary(g, OP_div, e, (Node *)total));
    }
    return n;
}

/* ---- reductions ---- */

/* The factor of a sum that is the same for all that is summed, as the sum's shape has it; NULL: it
 * is not. */
static Node *constant_along(Graph *g, Node *n, uint32_t axes)
{
    if (!is_open_op(g, n, OP_expand) || (n->attr.axes & axes) != axes)
        return NULL;
    uint32_t outer = 0;
    for (int i = 0, kept = 0; i < n->shape.rank; i++)
        if (!(axes >> i & 1))
            outer |= (n->attr.axes >> i & 1) << kept++;
    return graph_expand(g, n->arg[0], shape_without(n->shape, axes), outer);
}

/* Each label is one of the classes (checked at run time), so a row of one_hot sums to 1. */
static bool is_one_hot(const Node *n, uint32_t axes)
{
    if (n->op != OP_eq)
        return false;
    for (int i = 0; i < 2; i++) {
        const Node *k = n->arg[i], *t = n->arg[1 - i];
        if (k->op != OP_iota || axes != 1u << k->attr.axis || t->op != OP_expand ||
            t->attr.axes != axes)
            continue;
        t = t->arg[0];
        while (t->op == OP_slice || t->op == OP_reshape || t->op == OP_permute)
            t = t->arg[0];
        Size classes = k->shape.dim[k->attr.axis];
        if (t->op == OP_checked)
            return t->attr.size == classes;
        return t->op == OP_var && t->attr.var->limit > 0 && t->attr.var->limit <= classes;
    }
    return false;
}

/* What is left of a product without one factor that is the same for all that is summed; NULL: it
 * has none. A quotient inside is not taken apart: it may be one that is stored, as in a softmax. */
static Node *without_constant(Graph *g, Node *n, uint32_t axes, Node **constant, int depth)
{
    if (!is_open_op(g, n, OP_mul) || depth > DEEP)
        return NULL;

    for (int i = 0; i < 2; i++) {
        *constant = constant_along(g, n->arg[i], axes);
        bool number = n->arg[i]->op == OP_expand && n->arg[i]->arg[0]->shape.rank == 0;
        if (*constant && !node_is(*constant, 0) && (depth == 0 || !number))
            return n->arg[1 - i];
    }
    for (int i = 0; i < 2; i++) {
        Node *rest = without_constant(g, n->arg[i], axes, constant, depth + 1);
        if (rest)
            return i == 0 ? graph_binary(g, OP_mul, rest, n->arg[1])
                          : graph_binary(g, OP_mul, n->arg[0], rest);
    }
    return NULL;
}

/* x where the product n is -x; else NULL. */
static Node *positive(Graph *g, const Node *n)
{
    for (int i = 0; i < 2 && is_open_op(g, n, OP_mul); i++)
        if (is_open_op(g, n->arg[i], OP_neg))
            return graph_binary(g, OP_mul, n->arg[i]->arg[0], n->arg[1 - i]);
    return NULL;
}

/* Is n this number of elements? */
static bool is_count(const Node *n, Size count)
{
    double v;
    while (n->op == OP_expand)
        n = n->arg[0];
    if (node_const(n, &v))
        return count > 0 && v == (double)count;
    return n->op == OP_size && n->attr.size == count;
}

/* Is n = x - mean(x), so that its sum over these axes is 0? */
static bool is_deviation(Graph *g, const Node *n, uint32_t axes)
{
    if (n->op != OP_sub || n->arg[1]->op != OP_expand || n->arg[1]->attr.axes != axes)
        return false;

    const Node *mean = n->arg[1]->arg[0], *sum = mean->op == OP_div ? mean->arg[0] : mean;
    Size count = 1;
    for (int i = 0; i < n->shape.rank; i++)
        if (axes >> i & 1)
            count = size_mul(g, count, n->shape.dim[i]);
    return sum->op == OP_sum && sum->arg[0] == n->arg[0] && sum->attr.axes == axes &&
           mean->op == OP_div && is_count(mean->arg[1], count);
}

/* Is the sum of n 0, but for rounding: is n a deviation, times what is the same for all of them? */
static bool sums_to_zero(Graph *g, const Node *n, uint32_t axes)
{
    if (!is_open(g, n))
        return false;
    for (int i = 0; i < 2 && n->op == OP_mul; i++)
        if (constant_along(g, n->arg[i], axes) && is_deviation(g, n->arg[1 - i], axes))
            return true;
    return is_deviation(g, n, axes);
}

/* The sum of a: what is the same for all that is summed, and a sign, are taken out of it. */
static Node *simple_sum(Graph *g, Node *a, uint32_t axes, bool derived)
{
    Node *constant = NULL, *rest = NULL;
    Op op = OP_neg;

    if (is_open(g, a) && a->op == OP_neg) {
        rest = a->arg[0];
    } else if (is_open(g, a) && a->op == OP_div) {
        constant = constant_along(g, a->arg[1], axes);
        rest = constant && !node_is(constant, 0) ? a->arg[0] : NULL;
        op = OP_div;
    } else {
        rest = without_constant(g, a, axes, &constant, 0);
        op = rest ? OP_mul : OP_neg;
        rest = rest ? rest : positive(g, a);
    }

    if (rest) {
        Node *sum = simple_sum(g, rest, axes, derived);
        return op == OP_neg ? graph_unary(g, OP_neg, sum) : graph_binary(g, op, sum, constant);
    }
    if (derived && sums_to_zero(g, a, axes))
        return graph_full(g, shape_without(a->shape, axes), 0);
    if (derived && is_open_op(g, a, OP_add) && sums_to_zero(g, a->arg[1], axes))
        return simple_sum(g, a->arg[0], axes, derived);
    return graph_reduce(g, OP_sum, a, axes);
}

static Node *simplify_reduce(Graph *g, Node *n)
{
    Node *a = n->arg[0];
    uint32_t axes = n->attr.axes;

    if (n->op != OP_sum || !is_open(g, a))
        return n;
    if (is_one_hot(a, axes))
        return graph_full(g, n->shape, 1);
    return simple_sum(g, a, axes, is_derived(n));
}

/* ---- rewrites for better values: only in the last round ---- */

/* stable.c has rewritten what may overflow. The quotients and logs here are those that cannot, as
 * the exponent is known to be small (1/(1 + exp(sin(x)))): they become shorter and more exact. */

/* 1/(1 + exp(-z)) = sigmoid(z) */
static Node *better_quotient(Graph *g, Node *n)
{
    if (!is_logistic(g, n))
        return n;
    Node *w = one_plus_exp(g, n->arg[1])->arg[0];
    return node_because(graph_unary(g, OP_sigmoid, graph_unary(g, OP_neg, w)),
                        "1/(1 + exp(-z)) = sigmoid(z)");
}

static Node *minus_softplus(Graph *g, Node *z)
{
    return graph_unary(g, OP_neg, graph_unary(g, OP_softplus, z));
}

static Node *better_log(Graph *g, Node *n)
{
    Node *a = n->arg[0];
    if (a->op == OP_sigmoid)
        return node_because(minus_softplus(g, graph_unary(g, OP_neg, a->arg[0])),
                            "log(sigmoid(z)) = -softplus(-z)");
    if (a->op == OP_sub && node_is(a->arg[0], 1) && a->arg[1]->op == OP_sigmoid)
        return node_because(minus_softplus(g, a->arg[1]->arg[0]),
                            "log(1 - sigmoid(z)) = -softplus(z)");
    if (a->op == OP_exp)
        return node_because(a->arg[0], "log(exp(u)) = u");
    if (a->op == OP_div && a->arg[0]->op == OP_exp) {
        Node *log_s = graph_unary(g, OP_log, a->arg[1]);
        return node_because(graph_binary(g, OP_sub, a->arg[0]->arg[0], log_s),
                            "log(exp(u)/s) = u - log(s)");
    }
    return n;
}

/* 1 - sigmoid(z) = sigmoid(-z) and 1 - tanh(z)^2 = 4 e/(1 + e)^2, where e = exp(-2 abs(z)), keep
 * their digits where the left side rounds to 0. Only in derivatives: a gate 1 - u that the user
 * wrote stays. */
static Node *better_difference(Graph *g, Node *n)
{
    Node *a = n->arg[1];
    if (!node_is(n->arg[0], 1) || !(is_derived(n) || is_derived(a)))
        return n;
    if (a->op == OP_sigmoid)
        return node_because(graph_unary(g, OP_sigmoid, graph_unary(g, OP_neg, a->arg[0])),
                            "1 - sigmoid(z) = sigmoid(-z)");
    if (a->op != OP_mul || a->arg[0] != a->arg[1] || a->arg[0]->op != OP_tanh)
        return n;

    Node *size = graph_unary(g, OP_abs, a->arg[0]->arg[0]);
    Node *e = graph_unary(g, OP_exp, graph_binary(g, OP_mul, graph_const(g, -2), size));
    Node *root = graph_binary(g, OP_add, graph_const(g, 1), e);
    Node *above = graph_binary(g, OP_mul, graph_const(g, 4), e);
    Node *slope = graph_binary(g, OP_div, above, graph_binary(g, OP_mul, root, root));
    slope->scaled = true;
    return node_because(slope, "1 - tanh(z)^2 = 4*e/(1 + e)^2 with e = exp(-2*abs(z))");
}

/* A choice between a finite constant and 0 by a comparison is a product. */
static Node *simplify_where(Graph *g, Node *n)
{
    Node *c = n->arg[0], *yes = n->arg[1], *no = n->arg[2];
    if (!op_info[c->op]->test || n->type != T_FLOAT || !node_is(no, 0))
        return n;
    if (yes->op == OP_expand && always_finite(yes))
        return graph_binary(g, OP_mul, c, yes);
    return n;
}

/* ---- the pass ---- */

static Node *simplify_node(Graph *g, Node *n)
{
    switch (n->op) {
    case OP_add: return simplify_sum(g, n);
    case OP_mul: return simplify_share(g, simplify_sum(g, n));
    case OP_sub:
        n = simplify_sum(g, n);
        return g->final && n->op == OP_sub ? better_difference(g, n) : n;
    case OP_div:
        n = simplify_sum(g, n);
        return g->final && n->op == OP_div ? better_quotient(g, n) : n;
    case OP_log: return g->final ? better_log(g, n) : n;
    case OP_where: return simplify_where(g, n);
    case OP_sum: return simplify_reduce(g, n);
    default: return n;
    }
}

/* The nodes that are simplified: those from one id on. What comes before them stays as it is. */
typedef struct Part {
    int from;
    Node **now; /* by id, less `from` */
    int *uses;  /* the same: by the roots, and by the others */
} Part;

static Node *now_of(const Part *r, Node *n)
{
    return n->id < r->from ? n : r->now[n->id - r->from];
}

static Part new_range(Graph *g, Node *const *root, int roots, int from)
{
    size_t count = (size_t)(g->count - from) + 1;
    Part r = {.from = from,
              .now = arena_alloc(g->ngc, count * sizeof *r.now),
              .uses = arena_alloc(g->ngc, count * sizeof *r.uses)};

    for (int i = 0; i < roots; i++)
        if (root[i]->id >= from)
            r.uses[root[i]->id - from]++;
    for (int i = g->count - 1; i >= from; i--)
        for (int k = 0; r.uses[i - from] && k < g->node[i]->nargs; k++)
            if (g->node[i]->arg[k]->id >= from)
                r.uses[g->node[i]->arg[k]->id - from]++;
    return r;
}

/* n with the operands as they are now, or the value of the leaf. */
static Node *rebuilt(Graph *g, Node *n, const Part *r, const Node *leaf, Node *value)
{
    int made = g->count;
    Node **arg = arena_alloc(g->ngc, (size_t)(n->nargs + 1) * sizeof *arg);

    for (int k = 0; k < n->nargs; k++)
        arg[k] = now_of(r, n->arg[k]);
    Node *m = n == leaf ? value : graph_copy(g, n, arg);
    if (m->id >= made) {
        m->derived |= n->derived;
        m->again |= n->again;
        m->scaled |= n->scaled;
    }
    return m;
}

/* Applies the rules until none changes the node. made: nodes from this id on are new. */
static Node *simplified(Graph *g, Node *m, int made)
{
    enum { ROUNDS = 4 };
    for (int round = 0; round < ROUNDS; round++) {
        Node *better = simplify_node(g, m);
        if (better == m)
            break;
        node_replaces(better, m, made);
        m = better;
    }
    return m;
}

void graph_simplify(Graph *g, Node **root, int roots, int from, Node *leaf, Node *value)
{
    bool rewrites = pass_runs(g->ngc, PASS_SIMPLIFY);
    if (g->ngc->opt.literal || (!rewrites && !leaf))
        return;

    int count = g->count;
    Part r = new_range(g, root, roots, from);
    Loc loc = g->loc;

    for (int i = from; i < count; i++) {
        Node *n = g->node[i];
        r.now[i - from] = n;
        if (!r.uses[i - from])
            continue;

        g->loc = n->loc;
        int made = g->count;
        Node *m = rebuilt(g, n, &r, leaf, value);
        if (rewrites)
            m = simplified(g, m, made);
        node_replaces(m, n, made);
        r.now[i - from] = m;
    }
    g->loc = loc;
    for (int i = 0; i < roots; i++)
        root[i] = now_of(&r, root[i]);
}

void model_simplify(Model *m)
{
    int count;
    Node **root = model_take_roots(m, &count);

    graph_simplify(m->graph, root, count, 0, NULL, NULL);
    model_put_roots(m, root);
}

/* ---- the two modes ---- */

Node **model_with_training(Model *m, double value)
{
    Node **root = arena_alloc(m->graph->ngc, (size_t)(m->roots + 1) * sizeof *root);

    for (int i = 0; i < m->roots; i++)
        root[i] = m->root[i].node;
    if (m->training)
        graph_simplify(m->graph, root, m->roots, 0, m->training, graph_const(m->graph, value));
    return root;
}

void modes_training(Modes *modes)
{
    modes->use = model_with_training(modes->model, 0);
    modes->learn = model_with_training(modes->model, 1);
}
