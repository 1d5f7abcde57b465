/* simplify.c - algebra. Rebuilds what some roots need, operands first, by the builders (which share
 * and fold), and applies rules at each node. Requires a verified graph and keeps all its
 * invariants. Old nodes stay, unused. There are two kinds of rules:
 *
 * - The sum-of-products form: simplify_sum.c. Sums over axes: simplify_reduce.c.
 * - Rewrites for better values, such as the log of a sigmoid. They change the forward pass, so they
 *   wait for the last round, when no gradient with respect to a value inside can be asked any more.
 */
#include "graph/carry.h"
#include "graph/simplify.h"

/* ---- rewrites for better values: only in the last round ---- */

/* stable.c has rewritten what may overflow. The quotients and logs here are those that cannot, as
 * the exponent is known to be small (1/(1 + exp(sin(x)))): they become shorter and more exact. */

/* 1/(1 + exp(-z)) = sigmoid(z) */
static Node *better_quotient(Graph *g, Node *n)
{
    if (!is_logistic(g, n))
        return n;
    /* 1 + exp(w) is the divisor, and w = -z */
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
    /* as in a softmax: exp(u) rounds to 0 where u is far below 0, and its log would be -inf */
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
    bool is_derived = node_is_derived(n) || node_is_derived(a);
    if (!node_is(n->arg[0], 1) || !is_derived)
        return n;

    if (a->op == OP_sigmoid) {
        Node *minus = graph_unary(g, OP_neg, a->arg[0]);
        return node_because(graph_unary(g, OP_sigmoid, minus), "1 - sigmoid(z) = sigmoid(-z)");
    }

    bool is_square = a->op == OP_mul && a->arg[0] == a->arg[1];
    if (!is_square || a->arg[0]->op != OP_tanh)
        return n;

    /* the exponent is never above 0, so e cannot overflow */
    Node *size = graph_unary(g, OP_abs, a->arg[0]->arg[0]);
    Node *exponent = graph_binary(g, OP_mul, graph_const(g, -2), size);
    Node *e = graph_unary(g, OP_exp, exponent);
    Node *root = graph_binary(g, OP_add, graph_const(g, 1), e);
    Node *above = graph_binary(g, OP_mul, graph_const(g, 4), e);
    Node *below = graph_binary(g, OP_mul, root, root);
    Node *slope = graph_binary(g, OP_div, above, below);

    /* stable: it is not to be multiplied out again */
    slope->scaled = true;
    return node_because(slope, "1 - tanh(z)^2 = 4*e/(1 + e)^2 with e = exp(-2*abs(z))");
}

/* A choice between a finite constant and 0 by a comparison is a product. */
static Node *simplify_where(Graph *g, Node *n)
{
    Node *c = n->arg[0];
    Node *yes = n->arg[1];
    Node *no = n->arg[2];
    if (!op_info[c->op]->test || n->type != T_FLOAT || !node_is(no, 0))
        return n;
    /* 0 times a finite number is 0, so where(c, v, 0) = c*v, which fuses with products around it */
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
        if (g->final && n->op == OP_sub)
            return better_difference(g, n);
        return n;
    case OP_div:
        n = simplify_sum(g, n);
        if (g->final && n->op == OP_div)
            return better_quotient(g, n);
        return n;
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
    if (n->id < r->from)
        return n;
    return r->now[n->id - r->from];
}

static Part new_range(Graph *g, Node *const *root, int roots, int from)
{
    int count = g->count - from + 1;
    Part r = {.from = from,
              .now = arena_array(g->ngc, count, sizeof *r.now),
              .uses = arena_array(g->ngc, count, sizeof *r.uses)};

    for (int i = 0; i < roots; i++)
        if (root[i]->id >= from)
            r.uses[root[i]->id - from]++;

    /* users before operands: what no root needs has no uses, and gives none */
    for (int i = g->count - 1; i >= from; i--) {
        const Node *n = g->node[i];
        for (int k = 0; r.uses[i - from] && k < n->nargs; k++)
            if (arg_id(n, k) >= from)
                r.uses[arg_id(n, k) - from]++;
    }
    return r;
}

/* n with the operands as they are now, or the value of the leaf. */
static Node *rebuilt(Graph *g, Node *n, const Part *r, const Node *leaf, Node *value)
{
    int made = g->count;
    Node **arg = arena_array(g->ngc, n->nargs + 1, sizeof *arg);

    for (int k = 0; k < n->nargs; k++)
        arg[k] = now_of(r, n->arg[k]);
    Node *m = value;
    if (n != leaf)
        m = graph_copy(g, n, arg);
    /* a node that was there before keeps its own marks */
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
    /* each rule makes the node shorter or reaches a form that no rule changes; the bound is for
     * rules that disagree */
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
    Node **root = model_roots(m);

    if (m->training)
        graph_simplify(m->graph, root, m->roots, 0, m->training, graph_const(m->graph, value));
    return root;
}

void modes_training(Modes *modes)
{
    modes->use = model_with_training(modes->model, 0);
    modes->learn = model_with_training(modes->model, 1);
}
