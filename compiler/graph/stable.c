/* stable.c - exponentials written by hand. exp(z)/sum(exp(z)), log(1 + exp(z)) and the like
 * overflow though their value is small. The pass finds them, in any spelling, and computes them so
 * that nothing overflows. It goes over what some roots need and builds it again by the builders;
 * old nodes stay. In exact arithmetic the value is the same, so the new form may be differentiated
 * in place of what was written. A gradient is taken of this form (graph_grad), and the forward pass
 * gets it when no gradient can be asked any more (model_stable). Names are looked through, except
 * the nodes of `opaque`, with respect to which a gradient is asked: they stay as they are.
 *
 * There are two ways. The first that fits is taken:
 *
 * - Fractions of at most two exponentials above and below the line are sigmoid, tanh or exp, and
 *   their logarithms are softplus.
 * - Other values are kept as n/d * exp(m). A product adds the exponents m. A sum, also along an
 * axis or in a product of matrices, takes out the largest m, M, which is a constant for
 * derivatives. So exp(z)/sum(exp(z)) becomes exp(z - M)/sum(exp(z - M)), its log (z - M) -
 * log(sum(exp(z - M))).
 */
#include "graph/stable.h"

static Node *log_of(Stable *s, const Node *n, int depth, Node **near);

/* The log of n as the log of a fraction, or NULL. */
static Node *log_by_fraction(Stable *s, const Node *n)
{
    Fraction f;
    Node *known = NULL;
    if (fraction_of(s, n, MAX_LOOK, &f))
        known = fraction_log(s, &f, n->shape);
    if (known && n->op == OP_sub && known->why == why_log_sigmoid)
        known->why = "log(1 - sigmoid(z)) = -softplus(z)";
    return known;
}

/* log(view(x)) = view(log(x)) */
static Node *log_of_view(Stable *s, const Node *n, int depth, Node **near)
{
    Node *of_near;
    Node *far = log_of(s, n->arg[0], depth - 1, &of_near);
    if (n->op == OP_copy) {
        *near = of_near;
        return far;
    }
    *near = form_mapped(s, n, of_near);
    return form_mapped(s, n, far);
}

/* log(where(c, a, b)) = where(c, log(a), log(b)) */
static Node *log_of_choice(Stable *s, const Node *n, int depth)
{
    Node *near_a, *near_b;
    Node *a = log_of(s, n->arg[1], depth - 1, &near_a);
    Node *b = log_of(s, n->arg[2], depth - 1, &near_b);
    a = form_sum_of(s, a, near_a, OP_add);
    b = form_sum_of(s, b, near_b, OP_add);
    return graph_where(s->g, s->now[arg_id(n, 0)], a, b);
}

/* log(a b) = log(a) + log(b): of small factors, not of their product. */
static Node *log_of_product(Stable *s, const Node *n, int depth, Node **near)
{
    Op op = n->op == OP_mul ? OP_add : OP_sub;
    Node *near_a, *near_b;
    Node *a = log_of(s, n->arg[0], depth - 1, &near_a);
    Node *b = log_of(s, n->arg[1], depth - 1, &near_b);
    *near = form_sum_of(s, near_a, near_b, op);
    return binary(s, op, a, b);
}

/* Is it a product or quotient of values that are not negative, without exponentials that would
 * cancel? */
static bool is_simple_product(const Node *n, unsigned kind)
{
    if (n->op != OP_mul && n->op != OP_div)
        return false;
    if (n->arg[0]->range.lo < 0 || n->arg[1]->range.lo < 0)
        return false;
    if (n->op == OP_mul)
        return !(kind & BARE);
    return !(kind & (BARE | RATIO));
}

/* The log of n is far + near. Returns far; near may be NULL. */
static Node *log_of(Stable *s, const Node *n, int depth, Node **near)
{
    unsigned kind = s->kind[n->id];
    *near = NULL;
    if (kind == 0 || depth == 0 || is_opaque(s, n))
        return unary(s, OP_log, s->now[n->id]);

    /* softplus and the like are shorter and more exact than any form with a maximum */
    Node *known = log_by_fraction(s, n);
    if (known)
        return known;
    if (stable_is_map(n) || n->op == OP_copy)
        return log_of_view(s, n, depth, near);
    if (n->op == OP_where)
        return log_of_choice(s, n, depth);
    if (is_simple_product(n, kind))
        return log_of_product(s, n, depth, near);

    const Form *form = NULL;
    if (kind & (BARE | RATIO))
        form = form_of(s, n, kind & BARE);
    if (!form || !form->m)
        return unary(s, OP_log, s->now[n->id]);
    Node *far = form_log(s, form, n->shape, near);
    node_because(*near,
                 "the largest exponent is taken out: log(sum(exp(z))) = M + log(sum(exp(z - M)))");
    return far;
}

/* log(1 + x) */
static Node *log1p_of(Stable *s, const Node *x)
{
    Fraction f, one = {.above = exps_one(1), .below = exps_one(1)};
    if (!fraction_of(s, x, MAX_LOOK, &f) || !fraction_sum(&f, 1, &one))
        return NULL;
    return fraction_log(s, &f, x->shape);
}

/* u + softplus(-u) is softplus(u), which keeps its digits; n = a + b, or a - b. */
static Node *softplus_of(Stable *s, const Node *n)
{
    for (int i = 0; i < 2; i++) {
        const Node *p = s->now[arg_id(n, i)];
        double sign = 1; /* of the softplus in n */
        if (p->op == OP_neg) {
            p = p->arg[0];
            sign = -1;
        }
        if (i == 1 && n->op == OP_sub)
            sign = -sign;
        if (p->op != OP_softplus)
            continue;

        Linear rest = {0};
        double other = i == 0 && n->op == OP_sub ? -1 : 1;
        /* rest = the other operand + the operand of softplus: 0 if they cancel */
        bool linear = linear_of(s, &rest, other * sign, n->arg[1 - i], MAX_LOOK) &&
                      linear_of(s, &rest, 1, p->arg[0], MAX_LOOK);
        if (!linear || rest.terms > 0 || rest.c != 0)
            continue;
        Node *better = unary(s, OP_softplus, unary(s, OP_neg, p->arg[0]));
        if (sign < 0)
            return unary(s, OP_neg, better);
        return better;
    }
    return NULL;
}

static bool is_sigmoid(Stable *s, const Node *n)
{
    Fraction f;
    Known known;
    if (!fraction_of(s, n, MAX_LOOK, &f) || f.n_times + f.n_over > 0)
        return false;
    return fraction_known(&f, &known) && known.f == OP_sigmoid && known.k == 1;
}

/* Does n compare a sigmoid with a number that it never has, such as 0 or 1? */
static bool never_equal(Stable *s, const Node *n)
{
    double v;
    for (int i = 0; i < 2; i++)
        if (node_const(n->arg[i], &v) && (v <= 0 || v >= 1) && is_sigmoid(s, n->arg[1 - i]))
            return true;
    return false;
}

/* Keeps that n = far + near, and returns this sum. */
static Node *keep_apart(Stable *s, const Node *n, Node *far, Node *near)
{
    s->far[n->id] = far;
    s->near[n->id] = near;
    return binary(s, OP_add, far, near);
}

/* Is the form n/d exp(m) of a product, a quotient or a power better than what was written? */
static bool wants_form(const Stable *s, const Node *n)
{
    unsigned a = stable_operand(s->kind, n, 0);
    unsigned b = stable_operand(s->kind, n, 1);
    switch (n->op) {
    /* one factor may overflow while the other is a ratio that is small there */
    case OP_mul: return (a ^ b) & BARE && (a | b) & RATIO;
    case OP_div: return b & BARE || (a & BARE && b & RATIO);
    case OP_pow: return true;
    default: return false;
    }
}

/* n in a better form, or NULL. */
static Node *better(Stable *s, const Node *n)
{
    if (!stable_is_risky(s->kind, n))
        return NULL;

    /* a log of what overflows comes first: its operand is not needed then */
    if (n->op == OP_log) {
        Node *near;
        Node *far = log_of(s, n->arg[0], MAX_LOOK, &near);
        if (!near)
            return far;
        return keep_apart(s, n, far, near);
    }
    if (n->op == OP_log1p)
        return log1p_of(s, n->arg[0]);
    if (n->op == OP_eq)
        return never_equal(s, n) ? graph_full(s->g, n->shape, 0) : NULL;

    Fraction f;
    Known known;
    if (fraction_of(s, n, MAX_LOOK, &f) && fraction_known(&f, &known))
        return fraction_node(s, &f, &known, n->shape);

    const Form *form = NULL;
    if (wants_form(s, n))
        form = form_of(s, n, false);
    if (!form || !form->m)
        return NULL;
    return node_because(form_node(s, form, n->shape),
                        "the largest exponent is taken out: exp(z)/sum(exp(z)) = softmax(z)");
}

/* What is added first of now: far, or all of it. */
static Node *far_of(const Stable *s, int id)
{
    if (s->near[id])
        return s->far[id];
    return s->now[id];
}

/* (far + near) + b is (far + b) + near: a log that is small compared with the other part is added
 * last. NULL: n is not such a value. */
static Node *apart(Stable *s, const Node *n)
{
    int a = 0;
    if (n->nargs > 0)
        a = arg_id(n, 0);
    int b = 0;
    if (n->nargs > 1)
        b = arg_id(n, 1);

    bool is_sum = n->op == OP_add || n->op == OP_sub;
    if (is_sum && (s->near[a] || s->near[b])) {
        Node *far = binary(s, n->op, far_of(s, a), far_of(s, b));
        Node *near = form_sum_of(s, s->near[a], s->near[b], n->op);
        return keep_apart(s, n, far, near);
    }

    Node *far = s->far[a];
    Node *near = s->near[a];
    if (near == NULL)
        return NULL;
    if (n->op == OP_copy)
        return keep_apart(s, n, far, near);

    if (n->op == OP_neg) {
        far = unary(s, OP_neg, far);
        near = unary(s, OP_neg, near);
        return keep_apart(s, n, far, near);
    }

    if (!stable_is_map(n))
        return NULL;
    far = form_mapped(s, n, far);
    near = form_mapped(s, n, near);
    return keep_apart(s, n, far, near);
}

/* Marks what the roots need, and what it is made of. Is there anything to do? */
static bool look(Stable *s, Node *const *root, int roots, int count)
{
    bool any = false;
    for (int i = 0; i < roots; i++)
        s->used[root[i]->id] = true;
    for (int i = count - 1; i >= 0; i--) {
        const Node *n = s->g->node[i];
        for (int k = 0; s->used[i] && k < n->nargs; k++)
            s->used[arg_id(n, k)] = true;
    }

    /* operands first: what they are made of is known */
    for (int i = 0; i < count; i++) {
        const Node *n = s->g->node[i];
        if (!s->used[i] || (s->opaque && s->opaque[i]))
            continue;
        any |= stable_is_risky(s->kind, n);
        s->kind[i] = (unsigned char)stable_kind(s->kind, n);
    }
    return any;
}

/* An exponent u of the elementwise n, of its shape, for each element; NULL: none is found. */
static Node *exponent_in(Stable *s, const Node *n, int depth)
{
    Node *u = NULL;
    double base;
    if (n->op == OP_exp || n->op == OP_expm1)
        return s->now[arg_id(n, 0)];
    if (n->op == OP_pow && node_const(n->arg[0], &base))
        return s->now[arg_id(n, 1)];
    if (depth == 0 || !(op_info[n->op]->flags & F_ELEMENTWISE))
        return NULL;
    for (int i = 0; i < n->nargs && !u; i++)
        u = exponent_in(s, n->arg[i], depth - 1);
    return u;
}

/* All exponents have cancelled, as in exp(u)/exp(u). This is the number m only if u is a number
 * that is finite: u - u is 0 then. */
static Node *cancelled(Stable *s, const Node *n, Node *m)
{
    double v;
    Node *u = NULL;
    if (node_const(m, &v))
        u = exponent_in(s, n, MAX_LOOK);
    if (!u)
        return m;
    return binary(s, OP_add, m, binary(s, OP_sub, u, u));
}

/* What is computed in place of n. */
static Node *stable_node(Stable *s, Node *n)
{
    Node *m = better(s, n);
    if (m && n->op != OP_eq)
        m = cancelled(s, n, m);
    if (!m && (n->op == OP_add || n->op == OP_sub) && n->type == T_FLOAT)
        m = softplus_of(s, n);
    if (!m)
        m = apart(s, n);
    if (m)
        return m;
    return graph_rebuild(s->g, n, s->now);
}

static void stable_nodes(Stable *s)
{
    Graph *g = s->g;
    int first = g->count;
    size_t count = (size_t)s->count;
    Loc loc = g->loc;

    s->now = arena_array(g->ngc, count, sizeof *s->now);
    s->form[0] = arena_array(g->ngc, count, sizeof *s->form[0]);
    s->form[1] = arena_array(g->ngc, count, sizeof *s->form[1]);
    s->far = arena_array(g->ngc, count, sizeof *s->far);
    s->near = arena_array(g->ngc, count, sizeof *s->near);

    for (int i = 0; i < s->count; i++) {
        Node *n = g->node[i];
        s->now[i] = n;
        if (!s->used[i] || (s->opaque && s->opaque[i]))
            continue;

        g->loc = n->loc;
        Node *m = stable_node(s, n);
        if (g->final)
            node_replaces(m, n, first);
        else /* a gradient may still be asked of n, which keeps its name */
            node_rewrites(m, n, first);
        s->now[i] = m;
    }
    g->loc = loc;
}

bool graph_stable(Graph *g, Node **root, int roots, Node *const *opaque, int n_opaque)
{
    Ngc *ngc = g->ngc;
    int count = 0;
    for (int i = 0; i < roots; i++)
        if (root[i]->id >= count)
            count = root[i]->id + 1;

    Stable s = {.g = g, .count = count};
    s.used = arena_alloc(ngc, (size_t)count);
    s.kind = arena_alloc(ngc, (size_t)count);
    if (n_opaque > 0)
        s.opaque = arena_alloc(ngc, (size_t)count);
    for (int i = 0; i < n_opaque; i++)
        if (opaque[i]->id < count)
            s.opaque[opaque[i]->id] = true;
    if (ngc->opt.literal || !pass_runs(ngc, PASS_STABLE))
        return false;
    /* nearly all graphs have nothing to do */
    if (!look(&s, root, roots, count))
        return false;

    stable_nodes(&s);
    bool changed = false;
    for (int i = 0; i < roots; i++) {
        changed |= s.now[root[i]->id] != root[i];
        root[i] = s.now[root[i]->id];
    }
    return changed;
}

void model_stable(Model *m)
{
    int count;
    Node **root = model_take_roots(m, &count);

    graph_stable(m->graph, root, count, NULL, 0);
    model_put_roots(m, root);
}
