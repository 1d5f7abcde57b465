/* stable_fraction.c - fractions of at most a few exponentials, whose exponents are linear, and
 * their logarithms. In: a node. Out: sigmoid, tanh, exp or softplus in its place, or nothing. */
#include "graph/stable.h"

#include <math.h>
#include <string.h>

/* ---- exponents: linear in what they are made of ---- */

/* Adds k x to l; false: there are too many terms. */
static bool linear_add(Linear *l, double k, Node *x)
{
    /* terms are sorted by node, so that equal sums have equal lists */
    int i = 0;
    while (i < l->terms && l->term[i].x->id < x->id)
        i++;

    LinearTerm *t = &l->term[i];
    size_t later = (size_t)(l->terms - i) * sizeof *t;
    if (i < l->terms && t->x == x) {
        t->k += k;
        if (t->k == 0) {
            l->terms--;
            memmove(t, t + 1, later - sizeof *t);
        }
        return true;
    }

    if (l->terms == MAX_LINEAR)
        return false;
    memmove(t + 1, t, later);
    t->k = k;
    t->x = x;
    l->terms++;
    return true;
}

/* Adds k u to l, where operand i of u is the number v. *done: u is of a form that can be taken
 * apart. */
static bool linear_of_number(Stable *s, Linear *l, double k, const Node *u, int i, double v,
                             int depth, bool *done)
{
    const Node *x = u->arg[1 - i];
    bool first = i == 0;
    *done = true;
    switch (u->op) {
    case OP_add: /* k (x + v) */ l->c += k * v; return linear_of(s, l, k, x, depth - 1);
    case OP_sub: /* k (v - x) or k (x - v) */
        l->c += first ? k * v : -k * v;
        return linear_of(s, l, first ? -k : k, x, depth - 1);
    case OP_mul: return linear_of(s, l, k * v, x, depth - 1);
    case OP_div: /* k x/v */
        if (!first && v != 0)
            return linear_of(s, l, k / v, x, depth - 1);
        break;
    default: break;
    }
    *done = false;
    return false;
}

/* Adds k u to l. A sum is taken apart only if one side is a number. Other sums stay whole, as the
 * user has written them. */
bool linear_of(Stable *s, Linear *l, double k, const Node *u, int depth)
{
    double v;
    if (node_const(u, &v)) {
        l->c += k * v;
        return isfinite(l->c);
    }
    /* as one thing, with the factor k */
    if (depth == 0 || is_opaque(s, u))
        return linear_add(l, k, now_of(s, u));

    for (int i = 0; i < u->nargs && u->nargs == 2; i++) {
        if (!node_const(u->arg[i], &v) || !isfinite(v))
            continue;
        bool done;
        bool good = linear_of_number(s, l, k, u, i, v, depth, &done);
        if (done)
            return good;
    }

    if (u->op == OP_neg)
        return linear_of(s, l, -k, u->arg[0], depth - 1);
    if (u->op == OP_copy)
        return linear_of(s, l, k, u->arg[0], depth - 1);

    /* k (a - b) is -k (b - a) */
    if (u->op == OP_sub && arg_id(u, 0) > arg_id(u, 1)) {
        Node *b = now_of(s, u->arg[1]);
        Node *a = now_of(s, u->arg[0]);
        return linear_add(l, -k, binary(s, OP_sub, b, a));
    }
    return linear_add(l, k, now_of(s, u));
}

/* a + k b */
static bool linear_sum(Linear *a, double k, const Linear *b)
{
    a->c += k * b->c;
    for (int i = 0; i < b->terms; i++) {
        const LinearTerm *t = &b->term[i];
        if (!linear_add(a, k * t->k, t->x))
            return false;
    }
    return true;
}

static bool linear_equal(const Linear *a, const Linear *b)
{
    if (a->terms != b->terms || a->c != b->c)
        return false;

    for (int i = 0; i < a->terms; i++) {
        const LinearTerm *s = &a->term[i];
        const LinearTerm *t = &b->term[i];
        if (s->k != t->k || s->x != t->x)
            return false;
    }
    return true;
}

static Linear linear_times(Linear l, double k)
{
    l.c *= k;
    for (int i = 0; i < l.terms; i++)
        l.term[i].k *= k;
    return l;
}

static Node *plus(Stable *s, Node *a, double c)
{
    if (c == 0)
        return a;
    return binary(s, OP_add, a, constant(s, c));
}

/* sum + k x, where sum may be NULL. */
static Node *node_plus_term(Stable *s, Node *sum, double k, Node *x)
{
    double size = fabs(k);
    Node *t = x;
    if (size != 1)
        t = binary(s, OP_mul, constant(s, size), x);

    if (sum)
        return binary(s, k > 0 ? OP_add : OP_sub, sum, t);
    if (k > 0)
        return t;
    return unary(s, OP_neg, t);
}

/* The node of l: first what is added, then what is subtracted. */
static Node *linear_node(Stable *s, const Linear *l)
{
    Node *sum = NULL;
    for (int i = 0; i < l->terms; i++)
        if (l->term[i].k > 0)
            sum = node_plus_term(s, sum, l->term[i].k, l->term[i].x);
    for (int i = 0; i < l->terms; i++)
        if (l->term[i].k < 0)
            sum = node_plus_term(s, sum, l->term[i].k, l->term[i].x);

    if (!sum)
        return constant(s, l->c);
    return plus(s, sum, l->c);
}

/* ---- fractions of exponentials ---- */

/* Adds c exp(u) to p; false: there are too many terms. */
static bool exps_add(Exps *p, double c, const Linear *u)
{
    if (c == 0)
        return true;

    for (int i = 0; i < p->terms; i++) {
        ExpsTerm *t = &p->term[i];
        if (!linear_equal(&t->u, u))
            continue;

        t->c += c;
        if (t->c == 0) {
            p->terms--;
            *t = p->term[p->terms];
        }
        return true;
    }

    if (p->terms == MAX_EXPS)
        return false;
    p->term[p->terms++] = (ExpsTerm){.c = c, .u = *u};
    return true;
}

/* p + c q */
static bool exps_sum(Exps *p, double c, const Exps *q)
{
    for (int i = 0; i < q->terms; i++) {
        const ExpsTerm *t = &q->term[i];
        if (!exps_add(p, c * t->c, &t->u))
            return false;
    }
    return true;
}

/* Adds c exp(u) d exp(v) = c d exp(u + v). */
static bool exps_add_product(Exps *p, const ExpsTerm *a, const ExpsTerm *b)
{
    Linear u = a->u;
    return linear_sum(&u, 1, &b->u) && exps_add(p, a->c * b->c, &u);
}

static bool exps_product(Exps *out, const Exps *p, const Exps *q)
{
    Exps r = {0};
    for (int i = 0; i < p->terms; i++)
        for (int k = 0; k < q->terms; k++)
            if (!exps_add_product(&r, &p->term[i], &q->term[k]))
                return false;
    *out = r;
    return true;
}

static bool exps_equal(const Exps *p, const Exps *q)
{
    if (p->terms != q->terms)
        return false;

    for (int i = 0; i < p->terms; i++) {
        const ExpsTerm *s = &p->term[i];
        const ExpsTerm *t = &q->term[i];
        if (s->c != t->c || !linear_equal(&s->u, &t->u))
            return false;
    }
    return true;
}

Exps exps_one(double c)
{
    Exps p = {0};
    exps_add(&p, c, &(Linear){0});
    return p;
}

/* p = c exp(k u) + d exp(l u) */
static bool exps_pair(Stable *s, Exps *p, const Node *u, double c, double k, double d, double l)
{
    Linear a = {0}, b = {0};
    *p = (Exps){0};

    if (k != 0 && !linear_of(s, &a, k, u, MAX_LOOK))
        return false;
    if (l != 0 && !linear_of(s, &b, l, u, MAX_LOOK))
        return false;
    return exps_add(p, c, &a) && exps_add(p, d, &b);
}

static void exps_negate(Exps *p)
{
    for (int i = 0; i < p->terms; i++)
        p->term[i].c = -p->term[i].c;
}

static bool others_add(Node **list, int *count, Node *const *more, int n)
{
    if (*count + n > MAX_OTHERS)
        return false;
    memcpy(list + *count, more, (size_t)n * sizeof *more);
    *count += n;
    return true;
}

static Fraction upside_down(Fraction f)
{
    Fraction r = {.above = f.below, .below = f.above, .n_times = f.n_over, .n_over = f.n_times};
    memcpy(r.times, f.over, sizeof r.times);
    memcpy(r.over, f.times, sizeof r.over);
    return r;
}

/* f = f * b. Equal sums above and below cancel. */
static bool fraction_product(Fraction *f, const Fraction *b)
{
    /* a/q q/b = a/b: multiplied out, it would have too many exponentials */
    if (exps_equal(&f->below, &b->above)) {
        f->below = b->below;
    } else if (exps_equal(&f->above, &b->below)) {
        f->above = b->above;
    } else {
        if (!exps_product(&f->above, &f->above, &b->above))
            return false;
        if (!exps_product(&f->below, &f->below, &b->below))
            return false;
    }

    if (!others_add(f->times, &f->n_times, b->times, b->n_times))
        return false;
    return others_add(f->over, &f->n_over, b->over, b->n_over);
}

/* f = f + sign b, over the common denominator. */
bool fraction_sum(Fraction *f, double sign, const Fraction *b)
{
    if (f->n_times + f->n_over + b->n_times + b->n_over > 0)
        return false;
    if (exps_equal(&f->below, &b->below))
        return exps_sum(&f->above, sign, &b->above);

    /* a/b + c/d = (a d + c b)/(b d) */
    Exps ad, cb, below;
    if (!exps_product(&ad, &f->above, &b->below) || !exps_product(&cb, &b->above, &f->below))
        return false;
    if (!exps_product(&below, &f->below, &b->below) || !exps_sum(&ad, sign, &cb))
        return false;
    f->above = ad;
    f->below = below;
    return true;
}

/* The functions that are exponentials, as fractions. */
static bool fraction_of_function(Stable *s, Op op, const Node *u, Fraction *f)
{
    Exps *above = &f->above;
    Exps *below = &f->below;
    switch (op) {
    case OP_exp: return exps_pair(s, above, u, 1, 1, 0, 0);
    case OP_expm1: return exps_pair(s, above, u, 1, 1, -1, 0);
    case OP_sinh: return exps_pair(s, above, u, 0.5, 1, -0.5, -1);
    case OP_cosh: return exps_pair(s, above, u, 0.5, 1, 0.5, -1);
    case OP_sigmoid:
        /* 1/(1 + exp(-u)) */
        return exps_pair(s, below, u, 1, 0, 1, -1);
    case OP_tanh:
        /* (1 - exp(-2 u))/(1 + exp(-2 u)) */
        return exps_pair(s, above, u, 1, 0, -1, -2) && exps_pair(s, below, u, 1, 0, 1, -2);
    default: return false;
    }
}

/* Both operands of n as fractions. */
static bool fractions_of(Stable *s, const Node *n, int depth, Fraction *a, Fraction *b)
{
    return fraction_of(s, n->arg[0], depth - 1, a) && fraction_of(s, n->arg[1], depth - 1, b);
}

static bool fraction_of_sum(Stable *s, const Node *n, int depth, Fraction *f)
{
    Fraction b;
    if (!fractions_of(s, n, depth, f, &b))
        return false;
    return fraction_sum(f, n->op == OP_add ? 1 : -1, &b);
}

static bool fraction_of_product(Stable *s, const Node *n, int depth, Fraction *f)
{
    Fraction b;
    if (!fractions_of(s, n, depth, f, &b))
        return false;
    if (n->op == OP_mul)
        return fraction_product(f, &b);

    if (b.above.terms == 0) /* a division by 0 */
        return false;
    b = upside_down(b);
    return fraction_product(f, &b);
}

/* u^k, for k = -2, -1, 1, 2 */
static bool fraction_of_power(Stable *s, const Node *n, int depth, Fraction *f)
{
    double k;
    if (stable_is_exp(n, &k))
        return exps_pair(s, &f->above, n->arg[1], 1, k, 0, 0);
    if (!node_const(n->arg[1], &k) || k != floor(k) || k == 0 || fabs(k) > 2)
        return false;
    if (!fraction_of(s, n->arg[0], depth - 1, f))
        return false;

    /* f^2 = f f */
    Fraction same = *f;
    if (fabs(k) == 2 && !fraction_product(f, &same))
        return false;
    if (k > 0)
        return true;
    if (f->above.terms == 0)
        return false;
    *f = upside_down(*f);
    return true;
}

/* n as a fraction; false: it is not a fraction, or too long. */
bool fraction_of(Stable *s, const Node *n, int depth, Fraction *f)
{
    double v;
    *f = (Fraction){.above = exps_one(1), .below = exps_one(1)};
    if (node_const(n, &v)) {
        f->above = exps_one(v);
        return isfinite(v);
    }
    /* no exponential in it: a factor beside the fraction */
    if (is_opaque(s, n) || s->kind[n->id] == 0) {
        f->times[f->n_times++] = s->now[n->id];
        return true;
    }
    if (depth == 0)
        return false;

    switch (n->op) {
    case OP_copy: return fraction_of(s, n->arg[0], depth - 1, f);
    case OP_neg:
        if (!fraction_of(s, n->arg[0], depth - 1, f))
            return false;
        exps_negate(&f->above);
        return true;
    case OP_add:
    case OP_sub: return fraction_of_sum(s, n, depth, f);
    case OP_mul:
    case OP_div: return fraction_of_product(s, n, depth, f);
    case OP_pow: return fraction_of_power(s, n, depth, f);
    default: return n->nargs > 0 && fraction_of_function(s, n->op, n->arg[0], f);
    }
}

/* Is a/b the exponential of a difference?
 *
 *     c exp(u) / (d exp(v)) = c/d exp(u - v) */
static bool known_exp(const Exps *a, const Exps *b, Known *out)
{
    const ExpsTerm *up = &a->term[0];
    const ExpsTerm *down = &b->term[0];
    *out = (Known){OP_exp, up->c / down->c, up->u};
    return linear_sum(&out->w, -1, &down->u);
}

/* Is a/b, of which the first exponential of a occurs in b, a sigmoid or a tanh?
 *
 *     k exp(u) / (exp(u) + exp(v))            = k sigmoid(u - v)
 *     k (exp(u) - exp(v)) / (exp(u) + exp(v)) = k tanh((u - v)/2)
 *
 * The coefficients of exp(u) and exp(v) below the line may differ: d exp(u) = exp(u + log d). */
static bool known_sigmoid(const Exps *a, const Exps *b, Known *out)
{
    /* the last term of b that has the first exponential of a, and the other term */
    const ExpsTerm *first = &a->term[0];
    const ExpsTerm *second = &a->term[1];
    int same = -1;
    for (int i = 0; i < 2; i++)
        if (linear_equal(&first->u, &b->term[i].u))
            same = i;
    if (same < 0)
        return false;
    const ExpsTerm *u = &b->term[same];
    const ExpsTerm *v = &b->term[1 - same];

    *out = (Known){OP_sigmoid, first->c / u->c, u->u};
    if (!linear_sum(&out->w, -1, &v->u))
        return false;
    /* d exp(u)/(d exp(u) + e exp(v)) = 1/(1 + exp(v - u + log(e/d))) */
    out->w.c += log(u->c / v->c);
    if (a->terms == 1)
        return true;

    /* The second exponential of a has to be the other one of b, with the factor -k. */
    if (!linear_equal(&second->u, &v->u) || second->c / v->c != -out->k)
        return false;
    out->f = OP_tanh;
    out->w = linear_times(out->w, 0.5);
    return true;
}

/* Is the fraction, without its other factors, a known function? */
bool fraction_known(const Fraction *f, Known *out)
{
    const Exps *a = &f->above;
    const Exps *b = &f->below;
    if (a->terms == 1 && b->terms == 1)
        return known_exp(a, b, out);

    if (b->terms != 2 || a->terms < 1 || a->terms > 2)
        return false;

    /* With unequal signs, the sum below the line may be 0. */
    if ((b->term[0].c > 0) != (b->term[1].c > 0))
        return false;
    return known_sigmoid(a, b, out);
}

static const char *why_known(Op f)
{
    switch (f) {
    case OP_exp: return "exp(a)/exp(b) = exp(a - b)";
    case OP_tanh: return "(exp(z) - exp(-z))/(exp(z) + exp(-z)) = tanh(z)";
    default: return "1/(1 + exp(-z)) = sigmoid(z)";
    }
}

/* The known function, with the other factors of the fraction. */
Node *fraction_node(Stable *s, const Fraction *f, const Known *known, Shape shape)
{
    Node *w = linear_node(s, &known->w);
    Node *n = node_because(unary(s, known->f, w), why_known(known->f));
    if (known->k != 1)
        n = binary(s, OP_mul, constant(s, known->k), n);

    for (int i = 0; i < f->n_times; i++)
        n = binary(s, OP_mul, f->times[i], n);
    for (int i = 0; i < f->n_over; i++)
        n = binary(s, OP_div, n, f->over[i]);
    return graph_broadcast(s->g, n, shape);
}

/* ---- logarithms of fractions ---- */

/* log(cosh(u)). Near 0 it is about u^2/2, and the usual form would subtract nearly equal numbers,
 * so there it is log(1 + sinh(u)^2)/2. */
static Node *log_cosh(Stable *s, Node *u)
{
    Graph *g = s->g;
    Node *size = unary(s, OP_abs, u);
    Node *one = constant(s, 1);
    Node *near = binary(s, OP_lt, size, one);

    /* the branch that is not taken gets a harmless operand: its slope must be finite too */
    Node *small = graph_where(g, near, u, constant(s, 0));
    Node *sinh2 = binary(s, OP_pow, unary(s, OP_sinh, small), constant(s, 2));
    Node *below = binary(s, OP_mul, constant(s, 0.5), unary(s, OP_log1p, sinh2));

    /* log(cosh(u)) = abs(u) + log(1 + exp(-2 abs(u))) - log(2) */
    Node *a = unary(s, OP_abs, graph_where(g, near, one, u));
    Node *minus_2a = binary(s, OP_mul, constant(s, -2), a);
    Node *rest = unary(s, OP_softplus, minus_2a);
    Node *log2 = constant(s, log(2));
    Node *above = binary(s, OP_sub, binary(s, OP_add, a, rest), log2);

    Node *y = graph_where(g, near, below, above);
    return node_because(y, "log(cosh(u)) = abs(u) + softplus(-2*abs(u)) - log(2)");
}

/* log(exp(a) + exp(b)), as logaddexp has it: of two equal infinities, that infinity. */
static Node *log_add(Stable *s, Node *a, Node *b)
{
    Graph *g = s->g;
    Node *equal = binary(s, OP_eq, a, b);
    Node *infinite = binary(s, OP_eq, unary(s, OP_abs, a), constant(s, INFINITY));
    Node *same = binary(s, OP_mul, equal, infinite);

    /* inf - inf would be NaN */
    Node *difference = binary(s, OP_sub, a, b);
    Node *d = graph_where(g, same, constant(s, 0), difference);

    /* the larger one is taken out, so that softplus gets a number below 0 */
    Node *over_b = binary(s, OP_add, b, unary(s, OP_softplus, d));
    Node *minus_d = unary(s, OP_neg, d);
    Node *over_a = binary(s, OP_add, a, unary(s, OP_softplus, minus_d));
    Node *larger = graph_where(g, binary(s, OP_lt, a, b), over_b, over_a);

    Node *sum = binary(s, OP_add, a, b);
    Node *mean = binary(s, OP_mul, constant(s, 0.5), sum);
    Node *y = graph_where(g, same, mean, larger);
    return node_because(y, "log(exp(a) + exp(b)) = logaddexp(a, b)");
}

/* log(exp(c) + exp(u)) = c + softplus(u - c) */
static Node *log_plus_number(Stable *s, double c, Linear u)
{
    u.c -= c;
    Node *n = unary(s, OP_softplus, linear_node(s, &u));
    return plus(s, node_because(n, "log(1 + exp(u)) = softplus(u)"), c);
}

/* log(exp(u) - exp(v)) = u + log(1 - exp(v - u)). The last has two forms: near 0, exp(v - u) - 1
 * keeps its digits, and far from it log1p does. */
static Node *log_difference(Stable *s, const Linear *u, const Linear *v)
{
    Linear between = *u;
    if (!linear_sum(&between, -1, v))
        return NULL;
    Node *w = linear_node(s, &between);
    Node *minus = unary(s, OP_neg, w);
    Node *near = binary(s, OP_lt, w, constant(s, log(2)));

    Node *below = unary(s, OP_log, unary(s, OP_neg, unary(s, OP_expm1, minus)));
    Node *above = unary(s, OP_log1p, unary(s, OP_neg, unary(s, OP_exp, minus)));
    Node *n = node_because(graph_where(s->g, near, below, above),
                           "log(1 - exp(-w)) = log(-expm1(-w)) near 0, log1p(-exp(-w)) elsewhere");
    if (u->terms == 0)
        return plus(s, n, u->c);
    return binary(s, OP_add, linear_node(s, u), n);
}

/* Is p, with positive factors, the square of a sum of two exponentials?
 *
 *     (p exp(x) + q exp(y))^2 = p^2 exp(2x) + 2 p q exp(x + y) + q^2 exp(2y) */
static bool exps_root(const Exps *p, Exps *root)
{
    if (p->terms != 3)
        return false;

    for (int i = 0; i < 3; i++) {
        const ExpsTerm *middle = &p->term[i];
        const ExpsTerm *a = &p->term[(i + 1) % 3];
        const ExpsTerm *b = &p->term[(i + 2) % 3];
        if (middle->c * middle->c != 4 * a->c * b->c)
            continue;

        Linear sum = a->u;
        Linear twice = linear_times(middle->u, 2);
        if (!linear_sum(&sum, 1, &b->u) || !linear_equal(&sum, &twice))
            continue;

        Linear half_a = linear_times(a->u, 0.5);
        Linear half_b = linear_times(b->u, 0.5);
        *root = (Exps){0};
        return exps_add(root, sqrt(a->c), &half_a) && exps_add(root, sqrt(b->c), &half_b);
    }
    return false;
}

/* u + log(c): c exp(u) is its exponential. */
static Linear exponent_of(const ExpsTerm *t)
{
    Linear u = t->u;
    u.c += log(fabs(t->c));
    return u;
}

/* log(c exp(u) + d exp(v)), with positive factors. */
static Node *log_of_two(Stable *s, const ExpsTerm *first, const ExpsTerm *second)
{
    Linear a = exponent_of(first);
    Linear b = exponent_of(second);
    if (b.terms == 0)
        return log_plus_number(s, b.c, a);
    if (a.terms == 0)
        return log_plus_number(s, a.c, b);

    /* exp(u) + exp(-u) = 2 cosh(u) */
    const Linear *u = &first->u;
    Linear minus_v = linear_times(second->u, -1);
    if (linear_equal(u, &minus_v) && first->c == second->c)
        return plus(s, log_cosh(s, linear_node(s, u)), log(2 * first->c));

    Node *x = linear_node(s, &a);
    Node *y = linear_node(s, &b);
    return log_add(s, x, y);
}

/* The log of a sum or difference of two exponentials, of one, or of a square of a sum; NULL: it is
 * another sum. */
static Node *log_exps(Stable *s, const Exps *p)
{
    int negative = 0, last = 0;
    for (int i = 0; i < p->terms; i++)
        if (p->term[i].c <= 0) {
            negative++;
            last = i;
        }

    if (negative == 1 && p->terms == 2) {
        Linear from = exponent_of(&p->term[1 - last]);
        Linear off = exponent_of(&p->term[last]);
        return log_difference(s, &from, &off);
    }
    if (negative > 0)
        return NULL;

    Exps root;
    const ExpsTerm *first = &p->term[0];
    if (p->terms == 1)
        return plus(s, linear_node(s, &first->u), log(first->c));
    if (exps_root(p, &root))
        return binary(s, OP_mul, constant(s, 2), log_exps(s, &root));
    if (p->terms != 2)
        return NULL;
    return log_of_two(s, first, first + 1);
}

const char why_log_sigmoid[] = "log(sigmoid(z)) = -softplus(-z)";

/* log(k sigmoid(w)) = log(k) - softplus(-w) */
static Node *log_sigmoid(Stable *s, const Known *known)
{
    Linear w = linear_times(known->w, -1);
    Node *n = unary(s, OP_neg, unary(s, OP_softplus, linear_node(s, &w)));
    return plus(s, node_because(n, why_log_sigmoid), log(known->k));
}

/* The log of the fraction without its other factors. */
static Node *log_quotient(Stable *s, const Fraction *f)
{
    Known known;
    if (fraction_known(f, &known) && known.f == OP_sigmoid && known.k > 0)
        return log_sigmoid(s, &known);

    Exps above = f->above;
    Exps below = f->below;
    const ExpsTerm *first = &below.term[0];
    /* -a/-b = a/b */
    if (below.terms > 0 && first->c < 0) {
        exps_negate(&above);
        exps_negate(&below);
    }

    if (below.terms == 1) { /* a sum of c/d exp(u - v) */
        for (int i = 0; i < above.terms; i++) {
            above.term[i].c /= first->c;
            if (!linear_sum(&above.term[i].u, -1, &first->u))
                return NULL;
        }
        return log_exps(s, &above);
    }

    if (above.terms != 1)
        return NULL;
    Node *up = log_exps(s, &above);
    if (!up)
        return NULL;
    Node *down = log_exps(s, &below);
    if (!down)
        return NULL;
    return binary(s, OP_sub, up, down);
}

static bool any_negative(Node *const *factor, int n)
{
    for (int i = 0; i < n; i++)
        if (factor[i]->range.lo < 0)
            return true;
    return false;
}

/* The log of the fraction; NULL: it has no better form. */
Node *fraction_log(Stable *s, const Fraction *f, Shape shape)
{
    /* log(a b) = log(a) + log(b) only for factors that are not negative */
    if (any_negative(f->times, f->n_times) || any_negative(f->over, f->n_over))
        return NULL;

    Node *n = log_quotient(s, f);
    if (!n)
        return NULL;
    for (int i = 0; i < f->n_times; i++)
        n = binary(s, OP_add, n, unary(s, OP_log, f->times[i]));
    for (int i = 0; i < f->n_over; i++)
        n = binary(s, OP_sub, n, unary(s, OP_log, f->over[i]));
    return graph_broadcast(s->g, n, shape);
}
