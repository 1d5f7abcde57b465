/* stable.c - exponentials as they are written by hand. exp(z)/sum(exp(z)), log(1 + exp(z)) and
 * their like overflow where what they mean is small; they are found, in any spelling, and computed
 * so that nothing overflows. Goes over what some roots need and builds it again through the
 * builders; old nodes stay. What the result is worth in exact arithmetic is the same, so that it
 * may be differentiated in place of what was written: a gradient is taken of this form
 * (graph_grad), and the forward pass gets it when no gradient will be asked any more
 * (model_simplify). Names are looked through, but those of `opaque`, with respect to which a
 * gradient is asked: they stay as they are.
 *
 * Two ways, the first that fits:
 *   - fractions of at most two exponentials above and below the line are sigmoid, tanh, exp, and
 * their logarithms softplus.
 *   - else a value is kept as n/d * exp(m): products add the m, and of a sum the largest m is taken
 * out, as a constant for derivatives. So exp(z)/sum(exp(z)) becomes exp(z - M)/sum(exp(z - M)), and
 * its log (z - M) - log(sum(exp(z - M))). */
#include "ngc.h"

#include <math.h>
#include <string.h>

enum { MAX_LINEAR = 6, MAX_EXPS = 4, MAX_OTHERS = 4, MAX_ADDED = 16, MAX_DEPTH = 64 };

enum {               /* what a value is made of */
       BARE = 1,     /* exponentials that may overflow or vanish */
       GROWS = 16,   /* some that may overflow */
       RATIO = 2,    /* some, over others */
       LOGISTIC = 4, /* sigmoid or tanh: only the log of those is written otherwise */
       SHIFTED = 8, /* expm1 or sinh, which keep their digits near 0: only fractions of those are */
};

static const double MOST_EXPONENT = 80; /* exp of it is finite in float32 */

typedef struct Form { /* n/d * exp(m) */
    Node *m, *n, *d;  /* NULL: 0, 1, 1 */
    bool zeros;       /* where n is 0, m may be anything */
} Form;

typedef struct Stable {
    Graph *g;
    unsigned char *used, *kind; /* by id */
    bool *opaque;               /* by id, or NULL */
    Node **now;                 /* by id: what is computed in its place */
    Form **form[2];     /* by id; the second is for logs of sums: it minds sums that are 0 */
    Node **far, **near; /* by id: of now = far + near, near is a log that is small beside far; NULL:
                           not so */
    int count; /* of the nodes that were there; new ones and later ones stand for themselves */
    int depth;
} Stable;

static bool is_opaque(const Stable *s, const Node *n)
{
    return s->opaque && n->id < s->count && s->opaque[n->id];
}

static Node *now_of(const Stable *s, const Node *n)
{
    return n->id < s->count && s->now[n->id] ? s->now[n->id] : (Node *)n;
}

static Node *because(Node *n, const char *why)
{
    if (!n->why)
        n->why = why;
    return n;
}

static Node *constant(Stable *s, double v)
{
    return graph_const(s->g, v);
}

static Node *binary(Stable *s, Op op, Node *a, Node *b)
{
    return graph_binary(s->g, op, a, b);
}

static Node *unary(Stable *s, Op op, Node *a)
{
    return graph_unary(s->g, op, a);
}

/* ---- what values are made of ---- */

static bool is_index_map(const Node *n)
{
    return op_info[n->op]->flags & F_VIEW && n->type == T_FLOAT;
}

static bool is_tame(Range r)
{
    return r.lo >= 1e-30 && r.hi <= 1e30;
}

static unsigned kind_of(const unsigned char *kind, const Node *n)
{
    unsigned a = n->nargs > 0 ? kind[n->arg[0]->id] : 0, b = n->nargs > 1 ? kind[n->arg[1]->id] : 0,
             all = 0;
    double k;

    if (n->type != T_FLOAT || n->scaled)
        return 0;
    switch (n->op) {
    case OP_expm1:
    case OP_sinh: return SHIFTED;
    case OP_cosh: return BARE | GROWS;
    case OP_exp:
        if (n->arg[0]->range.hi > MOST_EXPONENT)
            return BARE | GROWS;
        return n->arg[0]->range.lo < -MOST_EXPONENT ? BARE : 0;
    case OP_sigmoid:
    case OP_tanh: return LOGISTIC;
    case OP_add:
    case OP_sub:
        all = a | b;
        if (!(all & GROWS) && (a ^ b) & BARE) /* it does not vanish beside something else */
            all &= ~(unsigned)BARE;
        break;
    case OP_mul: all = a | b; break;
    case OP_div: all = b & BARE ? ((a | b) & ~(unsigned)(BARE | GROWS)) | RATIO : a | b; break;
    case OP_neg:
    case OP_sqrt:
    case OP_copy: all = a; break;
    case OP_pow:
        if (!node_const(n->arg[1], &k))
            return 0;
        all = k < 0 && a & BARE ? (a & ~(unsigned)(BARE | GROWS)) | RATIO : a;
        break;
    case OP_where: all = b | kind[n->arg[2]->id]; break;
    case OP_sum: all = node_centred(n->arg[0], n->attr.axes) ? 0 : a; break;
    case OP_concat:
        for (int i = 0; i < n->nargs; i++)
            all |= kind[n->arg[i]->id];
        break;
    default: all = is_index_map(n) ? a : 0;
    }
    if (n->op == OP_mul && (a | b) & RATIO && (a ^ b) & BARE) /* exp(u) times 1/sum */
        all &= ~(unsigned)(BARE | GROWS);
    return is_tame(n->range) ? all & LOGISTIC : all;
}

/* Is there something to be done at n? */
static bool is_risky(const unsigned char *kind, const Node *n)
{
    unsigned a = n->nargs > 0 ? kind[n->arg[0]->id] : 0, b = n->nargs > 1 ? kind[n->arg[1]->id] : 0;
    double k;
    switch (n->op) {
    case OP_log:
    case OP_log1p: return a != 0;
    case OP_div: return b & (BARE | SHIFTED) || (a & BARE && b & RATIO) || (a & b & RATIO);
    case OP_mul: return (a | b) & BARE && ((a & b & BARE && (a | b) & GROWS) || (a | b) & RATIO);
    case OP_add:
    case OP_sub: return (a | b) & RATIO;
    case OP_pow: return a & BARE && node_const(n->arg[1], &k) && k < 0;
    case OP_eq: return (a | b) & (LOGISTIC | RATIO);
    default: return false;
    }
}

/* ---- exponents: linear in what they are made of ---- */

typedef struct Linear { /* c + sum of k x */
    double c;
    int terms;
    struct {
        double k;
        Node *x;
    } term[MAX_LINEAR]; /* by rising id */
} Linear;

static bool linear_add(Linear *l, double k, Node *x)
{
    int i = 0;
    while (i < l->terms && l->term[i].x->id < x->id)
        i++;
    if (i < l->terms && l->term[i].x == x) {
        l->term[i].k += k;
        if (l->term[i].k == 0) {
            l->terms--;
            memmove(l->term + i, l->term + i + 1, (size_t)(l->terms - i) * sizeof *l->term);
        }
        return true;
    }
    if (l->terms == MAX_LINEAR)
        return false;
    memmove(l->term + i + 1, l->term + i, (size_t)(l->terms++ - i) * sizeof *l->term);
    l->term[i].k = k;
    l->term[i].x = x;
    return true;
}

/* Adds k u to l. A sum is taken apart only where one side is a number: what the user has a name for
 * stays whole. */
static bool linear_of(Stable *s, Linear *l, double k, const Node *u, int depth)
{
    double v;
    if (node_const(u, &v)) {
        l->c += k * v;
        return isfinite(l->c);
    }
    if (depth == 0 || is_opaque(s, u))
        return linear_add(l, k, now_of(s, u));

    bool sum = u->op == OP_add || u->op == OP_sub;
    for (int i = 0; i < u->nargs && u->nargs == 2; i++) {
        if (!node_const(u->arg[i], &v) || !isfinite(v))
            continue;
        double sign = u->op == OP_sub ? -1 : 1;
        if (sum) {
            l->c += i == 0 ? k * v : sign * k * v;
            return linear_of(s, l, i == 0 ? sign * k : k, u->arg[1 - i], depth - 1);
        }
        if (u->op == OP_mul)
            return linear_of(s, l, k * v, u->arg[1 - i], depth - 1);
        if (u->op == OP_div && i == 1 && v != 0)
            return linear_of(s, l, k / v, u->arg[0], depth - 1);
    }
    if (u->op == OP_neg || u->op == OP_copy)
        return linear_of(s, l, u->op == OP_neg ? -k : k, u->arg[0], depth - 1);
    if (u->op == OP_sub && u->arg[0]->id > u->arg[1]->id) { /* -(a - b) is b - a */
        Node *turned = binary(s, OP_sub, now_of(s, u->arg[1]), now_of(s, u->arg[0]));
        return linear_add(l, -k, turned);
    }
    return linear_add(l, k, now_of(s, u));
}

/* a + k b */
static bool linear_sum(Linear *a, double k, const Linear *b)
{
    a->c += k * b->c;
    for (int i = 0; i < b->terms; i++)
        if (!linear_add(a, k * b->term[i].k, b->term[i].x))
            return false;
    return true;
}

static bool linear_equal(const Linear *a, const Linear *b)
{
    bool same = a->terms == b->terms && a->c == b->c;
    for (int i = 0; i < a->terms && same; i++)
        same = a->term[i].k == b->term[i].k && a->term[i].x == b->term[i].x;
    return same;
}

static Linear linear_times(Linear l, double k)
{
    l.c *= k;
    for (int i = 0; i < l.terms; i++)
        l.term[i].k *= k;
    return l;
}

static Node *linear_node(Stable *s, const Linear *l)
{
    Node *sum = NULL;
    for (int sign = 1; sign >= -1; sign -= 2)
        for (int i = 0; i < l->terms; i++) {
            double k = l->term[i].k * sign;
            if (k <= 0)
                continue;
            Node *t = k == 1 ? l->term[i].x : binary(s, OP_mul, constant(s, k), l->term[i].x);
            if (!sum)
                sum = sign > 0 ? t : unary(s, OP_neg, t);
            else
                sum = binary(s, sign > 0 ? OP_add : OP_sub, sum, t);
        }
    if (!sum)
        return constant(s, l->c);
    return l->c == 0 ? sum : binary(s, OP_add, sum, constant(s, l->c));
}

/* ---- fractions of exponentials ---- */

typedef struct Exps { /* sum of c exp(u) */
    int terms;
    struct {
        double c;
        Linear u;
    } term[MAX_EXPS];
} Exps;

typedef struct Fraction { /* above/below, times and over factors of another kind */
    Exps above, below;
    Node *times[MAX_OTHERS], *over[MAX_OTHERS];
    int n_times, n_over;
} Fraction;

static bool exps_add(Exps *p, double c, const Linear *u)
{
    if (c == 0)
        return true;
    for (int i = 0; i < p->terms; i++)
        if (linear_equal(&p->term[i].u, u)) {
            p->term[i].c += c;
            if (p->term[i].c == 0)
                p->term[i] = p->term[--p->terms];
            return true;
        }
    if (p->terms == MAX_EXPS)
        return false;
    p->term[p->terms].c = c;
    p->term[p->terms++].u = *u;
    return true;
}

static bool exps_sum(Exps *p, double c, const Exps *q)
{
    for (int i = 0; i < q->terms; i++)
        if (!exps_add(p, c * q->term[i].c, &q->term[i].u))
            return false;
    return true;
}

static bool exps_product(Exps *out, const Exps *p, const Exps *q)
{
    Exps r = {0};
    for (int i = 0; i < p->terms; i++)
        for (int k = 0; k < q->terms; k++) {
            Linear u = p->term[i].u;
            if (!linear_sum(&u, 1, &q->term[k].u) || !exps_add(&r, p->term[i].c * q->term[k].c, &u))
                return false;
        }
    *out = r;
    return true;
}

static bool exps_equal(const Exps *p, const Exps *q)
{
    bool same = p->terms == q->terms;
    for (int i = 0; i < p->terms && same; i++)
        same = p->term[i].c == q->term[i].c && linear_equal(&p->term[i].u, &q->term[i].u);
    return same;
}

static Exps exps_one(double c)
{
    Exps p = {0};
    exps_add(&p, c, &(Linear){0});
    return p;
}

/* c exp(k u) + d exp(l u) */
static bool exps_pair(Stable *s, Exps *p, const Node *u, double c, double k, double d, double l)
{
    Linear a = {0}, b = {0};
    *p = (Exps){0};
    return (k == 0 || linear_of(s, &a, k, u, 12)) && (l == 0 || linear_of(s, &b, l, u, 12)) &&
           exps_add(p, c, &a) && exps_add(p, d, &b);
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

static bool fraction_product(Fraction *f, const Fraction *b)
{
    if (exps_equal(&f->below, &b->above)) {
        f->below = b->below;
    } else if (exps_equal(&f->above, &b->below)) {
        f->above = b->above;
    } else if (!exps_product(&f->above, &f->above, &b->above) ||
               !exps_product(&f->below, &f->below, &b->below))
        return false;
    return others_add(f->times, &f->n_times, b->times, b->n_times) &&
           others_add(f->over, &f->n_over, b->over, b->n_over);
}

static bool fraction_sum(Fraction *f, double sign, const Fraction *b)
{
    Exps p, q, below;
    if (f->n_times + f->n_over + b->n_times + b->n_over > 0)
        return false;
    if (exps_equal(&f->below, &b->below))
        return exps_sum(&f->above, sign, &b->above);
    if (!exps_product(&p, &f->above, &b->below) || !exps_product(&q, &b->above, &f->below) ||
        !exps_product(&below, &f->below, &b->below) || !exps_sum(&p, sign, &q))
        return false;
    f->above = p;
    f->below = below;
    return true;
}

/* n as a fraction; false: it is not one, or a long one. */
static bool fraction_of(Stable *s, const Node *n, int depth, Fraction *f)
{
    Fraction b;
    double v;
    *f = (Fraction){.above = exps_one(1), .below = exps_one(1)};
    if (node_const(n, &v)) {
        f->above = exps_one(v);
        return isfinite(v);
    }
    if (is_opaque(s, n) || s->kind[n->id] == 0) {
        f->times[f->n_times++] = s->now[n->id];
        return true;
    }
    if (depth == 0)
        return false;
    const Node *u = n->arg[0];
    switch (n->op) {
    case OP_exp: return exps_pair(s, &f->above, u, 1, 1, 0, 0);
    case OP_expm1: return exps_pair(s, &f->above, u, 1, 1, -1, 0);
    case OP_sinh: return exps_pair(s, &f->above, u, 0.5, 1, -0.5, -1);
    case OP_cosh: return exps_pair(s, &f->above, u, 0.5, 1, 0.5, -1);
    case OP_sigmoid: return exps_pair(s, &f->below, u, 1, 0, 1, -1);
    case OP_tanh:
        return exps_pair(s, &f->above, u, 1, 0, -1, -2) && exps_pair(s, &f->below, u, 1, 0, 1, -2);
    case OP_copy: return fraction_of(s, u, depth - 1, f);
    case OP_neg:
        if (!fraction_of(s, u, depth - 1, f))
            return false;
        for (int i = 0; i < f->above.terms; i++)
            f->above.term[i].c = -f->above.term[i].c;
        return true;
    case OP_add:
    case OP_sub:
        return fraction_of(s, u, depth - 1, f) && fraction_of(s, n->arg[1], depth - 1, &b) &&
               fraction_sum(f, n->op == OP_add ? 1 : -1, &b);
    case OP_mul:
    case OP_div:
        if (!fraction_of(s, u, depth - 1, f) || !fraction_of(s, n->arg[1], depth - 1, &b))
            return false;
        if (n->op == OP_div && b.above.terms == 0)
            return false;
        b = n->op == OP_div ? upside_down(b) : b;
        return fraction_product(f, &b);
    case OP_pow:
        if (!node_const(n->arg[1], &v) || v != floor(v) || v == 0 || fabs(v) > 2 ||
            !fraction_of(s, u, depth - 1, f))
            return false;
        b = *f;
        if (fabs(v) == 2 && !fraction_product(f, &b))
            return false;
        if (v < 0 && f->above.terms == 0)
            return false;
        *f = v < 0 ? upside_down(*f) : *f;
        return true;
    default: return false;
    }
}

typedef struct Known { /* k f(w), f an exp, sigmoid or tanh */
    Op f;
    double k;
    Linear w;
} Known;

/* Is the fraction, its other factors aside, a function that is known? */
static bool fraction_known(const Fraction *f, Known *out)
{
    const Exps *a = &f->above, *b = &f->below;
    if (b->terms == 1 && a->terms == 1) {
        *out = (Known){OP_exp, a->term[0].c / b->term[0].c, a->term[0].u};
        return linear_sum(&out->w, -1, &b->term[0].u);
    }
    if (b->terms != 2 || (b->term[0].c > 0) != (b->term[1].c > 0) || a->terms < 1 || a->terms > 2)
        return false;

    int to = -1; /* the exponential below that the first above is equal to */
    for (int i = 0; i < 2; i++)
        if (linear_equal(&a->term[0].u, &b->term[i].u))
            to = i;
    if (to < 0)
        return false;
    *out = (Known){OP_sigmoid, a->term[0].c / b->term[to].c, b->term[to].u};
    if (!linear_sum(&out->w, -1, &b->term[1 - to].u))
        return false;
    out->w.c += log(b->term[to].c / b->term[1 - to].c);
    if (a->terms == 1)
        return true;
    if (!linear_equal(&a->term[1].u, &b->term[1 - to].u) ||
        a->term[1].c / b->term[1 - to].c != -out->k)
        return false;
    out->f = OP_tanh;
    out->w = linear_times(out->w, 0.5);
    return true;
}

static Node *fraction_node(Stable *s, const Fraction *f, const Known *known, Shape shape)
{
    static const char *const why_sigmoid = "1/(1 + exp(-z)) = sigmoid(z)",
                             *const why_tanh = "(exp(z) - exp(-z))/(exp(z) + exp(-z)) = tanh(z)",
                             *const why_exp = "exp(a)/exp(b) = exp(a - b)";
    Node *n = unary(s, known->f, linear_node(s, &known->w));
    n = because(n, known->f == OP_exp ? why_exp : known->f == OP_tanh ? why_tanh : why_sigmoid);
    n = known->k == 1 ? n : binary(s, OP_mul, constant(s, known->k), n);
    for (int i = 0; i < f->n_times; i++)
        n = binary(s, OP_mul, f->times[i], n);
    for (int i = 0; i < f->n_over; i++)
        n = binary(s, OP_div, n, f->over[i]);
    return graph_broadcast(s->g, n, shape);
}

/* ---- logarithms of fractions ---- */

/* log(cosh(u)): u^2/2 near 0, where the other form would subtract nearly equal numbers. */
static Node *log_cosh(Stable *s, Node *u)
{
    Node *size = unary(s, OP_abs, u), *one = constant(s, 1), *near = binary(s, OP_lt, size, one);
    Node *small = graph_where(s->g, near, u, constant(s, 0));
    Node *sinh2 = binary(s, OP_pow, unary(s, OP_sinh, small), constant(s, 2));
    Node *below = binary(s, OP_mul, constant(s, 0.5), unary(s, OP_log1p, sinh2));
    Node *a = unary(s, OP_abs, graph_where(s->g, near, one, u));
    Node *rest = unary(s, OP_softplus, binary(s, OP_mul, constant(s, -2), a));
    Node *above = binary(s, OP_sub, binary(s, OP_add, a, rest), constant(s, log(2)));
    return because(graph_where(s->g, near, below, above),
                   "log(cosh(u)) = abs(u) + softplus(-2*abs(u)) - log(2)");
}

/* log(exp(a) + exp(b)), as logaddexp has it. */
static Node *log_add(Stable *s, Node *a, Node *b)
{
    Node *over_b = binary(s, OP_add, b, unary(s, OP_softplus, binary(s, OP_sub, a, b)));
    Node *over_a = binary(s, OP_add, a, unary(s, OP_softplus, binary(s, OP_sub, b, a)));
    return because(graph_where(s->g, binary(s, OP_lt, a, b), over_b, over_a),
                   "log(exp(a) + exp(b)) = logaddexp(a, b)");
}

static Node *plus(Stable *s, Node *a, double c)
{
    return c == 0 ? a : binary(s, OP_add, a, constant(s, c));
}

/* log of a sum of one or two exponentials with factors above 0; NULL: it is another. */
static Node *log_exps(Stable *s, const Exps *p)
{
    for (int i = 0; i < p->terms; i++)
        if (p->term[i].c <= 0)
            return NULL;
    if (p->terms == 1)
        return plus(s, linear_node(s, &p->term[0].u), log(p->term[0].c));
    if (p->terms != 2)
        return NULL;

    Linear a = p->term[0].u, b = p->term[1].u, turned = linear_times(b, -1);
    a.c += log(p->term[0].c);
    b.c += log(p->term[1].c);
    if (b.terms == 0) { /* a number and an exponential */
        Linear t = a;
        a = b;
        b = t;
    }
    if (a.terms == 0) {
        double c = a.c;
        b.c -= c;
        return plus(s,
                    because(unary(s, OP_softplus, linear_node(s, &b)),
                            "log(1 + exp(u)) = softplus(u)"),
                    c);
    }
    if (linear_equal(&p->term[0].u, &turned) && p->term[0].c == p->term[1].c) {
        Linear u = p->term[0].u;
        return plus(s, log_cosh(s, linear_node(s, &u)), log(2 * p->term[0].c));
    }
    Node *x = linear_node(s, &a), *y = linear_node(s, &b);
    return log_add(s, x, y);
}

static const char why_log[] = "log(sigmoid(z)) = -softplus(-z)";

/* The log of the fraction; NULL: it has no better form. */
static Node *log_fraction(Stable *s, const Fraction *f, Shape shape)
{
    Known known;
    Node *n = NULL;
    Exps above = f->above, below = f->below;
    if (below.terms > 0 && below.term[0].c < 0)
        for (int i = 0; i < MAX_EXPS; i++) {
            above.term[i].c = -above.term[i].c;
            below.term[i].c = -below.term[i].c;
        }
    for (int i = 0; i < f->n_times; i++)
        if (f->times[i]->range.lo < 0)
            return NULL;
    for (int i = 0; i < f->n_over; i++)
        if (f->over[i]->range.lo < 0)
            return NULL;

    if (fraction_known(f, &known) && known.f == OP_sigmoid && known.k > 0) {
        Linear w = linear_times(known.w, -1);
        n = because(unary(s, OP_neg, unary(s, OP_softplus, linear_node(s, &w))), why_log);
        n = plus(s, n, log(known.k));
    } else if (below.terms == 1) {
        Linear v = below.term[0].u;
        for (int i = 0; i < above.terms; i++) {
            above.term[i].c /= below.term[0].c;
            if (!linear_sum(&above.term[i].u, -1, &v))
                return NULL;
        }
        n = log_exps(s, &above);
    } else if (above.terms == 1) {
        Node *up = log_exps(s, &above), *down = up ? log_exps(s, &below) : NULL;
        n = down ? binary(s, OP_sub, up, down) : NULL;
    }
    for (int i = 0; i < f->n_times && n; i++)
        n = binary(s, OP_add, n, unary(s, OP_log, f->times[i]));
    for (int i = 0; i < f->n_over && n; i++)
        n = binary(s, OP_sub, n, unary(s, OP_log, f->over[i]));
    return n ? graph_broadcast(s->g, n, shape) : NULL;
}

/* ---- the largest exponent taken out ---- */

static Form *form_of(Stable *s, const Node *n, bool of_log);

static bool is_one(const Node *n)
{
    return !n || node_is(n, 1);
}

static Node *times(Stable *s, Node *a, Node *b)
{
    if (is_one(a))
        return b;
    return is_one(b) ? a : binary(s, OP_mul, a, b);
}

/* The factor beside the exponential. */
static Node *factor_of(Stable *s, const Form *f, Shape shape)
{
    Node *n = f->n ? f->n : graph_full(s->g, shape, 1);
    return f->d ? binary(s, OP_div, n, f->d) : n;
}

static Node *exponent_of(Stable *s, const Form *f, Shape shape)
{
    return f->m ? f->m : graph_full(s->g, shape, 0);
}

/* The value itself. */
static Node *form_node(Stable *s, const Form *f, Shape shape)
{
    Node *m = f->m, *n = f->n;
    if (m && n && f->zeros) {
        Node *zero = constant(s, 0), *none = binary(s, OP_eq, n, zero);
        m = graph_where(s->g, none, binary(s, OP_minimum, m, zero), m);
    }
    n = m ? times(s, n, unary(s, OP_exp, m)) : n;
    n = n ? n : graph_full(s->g, shape, 1);
    return graph_broadcast(s->g, f->d ? binary(s, OP_div, n, f->d) : n, shape);
}

/* Its logarithm. */
static Node *form_log(Stable *s, const Form *f, Shape shape, Node **near)
{
    Node *n = NULL, *d = f->d;
    if (f->n && d && (f->n->range.lo < 0 || d->range.lo < 0)) {
        n = unary(s, OP_log, factor_of(s, f, shape));
        d = NULL;
    } else if (!is_one(f->n))
        n = unary(s, OP_log, f->n);
    if (d) {
        Node *below = unary(s, OP_log, d);
        n = n ? binary(s, OP_sub, n, below) : unary(s, OP_neg, below);
    }
    *near = n ? n : graph_full(s->g, shape, 0);
    return exponent_of(s, f, shape);
}

/* An index map of n, laid over x; NULL stays. */
static Node *mapped(Stable *s, const Node *n, Node *x)
{
    if (!x)
        return NULL;
    Node *arg[2] = {x, n->nargs > 1 ? s->now[n->arg[1]->id] : NULL};
    return graph_copy(s->g, n, arg);
}

/* May the factor be 0, so that the exponential beside it does not count? */
static bool may_be_zero(const Node *r)
{
    double v;
    if (node_const(r, &v))
        return v == 0;
    return !r->scaled && r->range.lo <= 0 && r->range.hi >= 0;
}

/* The exponent m of r exp(m) where r is not 0. */
static Node *counting(Stable *s, Node *m, Node *r)
{
    Node *none = binary(s, OP_eq, r, constant(s, 0));
    return may_be_zero(r) ? graph_where(s->g, none, constant(s, -INFINITY), m) : m;
}

/* r exp(m - most); where r is 0, m may be far above all others. */
static Node *scaled_term(Stable *s, Node *r, Node *m, Node *most)
{
    Node *e = binary(s, OP_sub, m, most);
    if (may_be_zero(r))
        e = binary(s, OP_minimum, e, constant(s, MOST_EXPONENT));
    return times(s, r, unary(s, OP_exp, e));
}

/* The largest is a constant for derivatives; where it is infinite, nothing is taken out. */
static Node *taken_out(Stable *s, Node *most, bool guard)
{
    Node *m = graph_stop(s->g, most);
    if (!guard)
        return m;
    Node *infinite = binary(s, OP_eq, unary(s, OP_abs, m), constant(s, INFINITY));
    return graph_where(s->g, infinite, constant(s, 0), m);
}

static void form_sum(Stable *s, const Node *n, Form *f, bool of_log)
{
    const Node *a = n->arg[0];
    Form *of = form_of(s, a, of_log);
    if (!of->m) {
        f->n = s->now[n->id];
        return;
    }
    Node *r = factor_of(s, of, a->shape), *m = of->m;
    bool zero = may_be_zero(r);
    Node *most = graph_reduce(s->g, OP_max, counting(s, m, r), n->attr.axes);
    f->m = taken_out(s, most, of_log || zero);
    Node *term = scaled_term(s, r, m, graph_expand(s->g, f->m, a->shape, n->attr.axes));
    f->n = graph_reduce(s->g, OP_sum, term, n->attr.axes);
    f->n->scaled = true;
    f->zeros = zero;
}

/* The terms of a sum, its sums taken apart; false: too many. */
static bool added_terms(const Stable *s, const Node *n, double sign, const Node **term,
                        double *signs, int *count)
{
    bool open = s->kind[n->id] & BARE && !is_opaque(s, n);
    if (open && (n->op == OP_add || n->op == OP_sub))
        return added_terms(s, n->arg[0], sign, term, signs, count) &&
               added_terms(s, n->arg[1], n->op == OP_add ? sign : -sign, term, signs, count);
    if (*count == MAX_ADDED)
        return false;
    term[*count] = n;
    signs[(*count)++] = sign;
    return true;
}

static bool form_added(Stable *s, const Node *n, Form *f, bool of_log)
{
    const Node *term[MAX_ADDED];
    double sign[MAX_ADDED];
    Node *m[MAX_ADDED], *r[MAX_ADDED], *most = NULL, *sum = NULL;
    int count = 0;
    if (!added_terms(s, n, 1, term, sign, &count))
        return false;
    for (int i = 0; i < count; i++) {
        Form *t = form_of(s, term[i], of_log);
        m[i] = exponent_of(s, t, n->shape);
        r[i] = factor_of(s, t, n->shape);
        if (node_is(r[i], 0))
            continue;
        Node *c = counting(s, m[i], r[i]);
        most = most ? binary(s, OP_maximum, most, c) : c;
        f->zeros |= may_be_zero(r[i]);
    }
    if (!most)
        return false;
    f->m = taken_out(s, most, true);
    for (int i = 0; i < count; i++) {
        if (node_is(r[i], 0))
            continue;
        Node *t = scaled_term(s, r[i], m[i], f->m);
        t = sign[i] < 0 ? unary(s, OP_neg, t) : t;
        sum = sum ? binary(s, OP_add, sum, t) : t;
    }
    f->n = sum;
    sum->scaled = true;
    return true;
}

static void form_choice(Stable *s, const Node *n, Form *f, bool of_log)
{
    Form *a = form_of(s, n->arg[1], of_log), *b = form_of(s, n->arg[2], of_log);
    Node *c = s->now[n->arg[0]->id], *ra = factor_of(s, a, n->shape),
         *rb = factor_of(s, b, n->shape);
    Node *ma = exponent_of(s, a, n->shape), *mb = exponent_of(s, b, n->shape);
    if (node_is(ra, 0))
        ma = mb;
    if (node_is(rb, 0))
        mb = ma;
    f->m = graph_where(s->g, c, ma, mb);
    f->n = graph_where(s->g, c, ra, rb);
    f->zeros = a->zeros || b->zeros;
}

static Node *sum_of(Stable *s, Node *a, Node *b, Op op)
{
    if (!b)
        return a;
    if (!a)
        return op == OP_add ? b : unary(s, OP_neg, b);
    return binary(s, op, a, b);
}

/* n, which is no leaf of the form, by the forms of its operands; false: it has none. */
static bool form_build(Stable *s, const Node *n, Form *f, bool of_log)
{
    Form *a, *b;
    double k;
    switch (n->op) {
    case OP_exp: f->m = s->now[n->arg[0]->id]; return true;
    case OP_copy: *f = *form_of(s, n->arg[0], of_log); return true;
    case OP_mul:
    case OP_div:
        a = form_of(s, n->arg[0], of_log);
        b = form_of(s, n->arg[1], of_log);
        f->m = sum_of(s, a->m, b->m, n->op == OP_mul ? OP_add : OP_sub);
        f->n = times(s, a->n, n->op == OP_mul ? b->n : b->d);
        f->d = times(s, a->d, n->op == OP_mul ? b->d : b->n);
        f->zeros = a->zeros || b->zeros;
        return true;
    case OP_neg:
        *f = *form_of(s, n->arg[0], of_log);
        f->n = f->n ? unary(s, OP_neg, f->n) : graph_full(s->g, n->shape, -1);
        return true;
    case OP_pow:
    case OP_sqrt:
        a = form_of(s, n->arg[0], of_log);
        k = 0.5;
        if (n->op == OP_pow && !node_const(n->arg[1], &k))
            return false;
        if (a->zeros ||
            (k != floor(k) && ((a->n && a->n->range.lo < 0) || (a->d && a->d->range.lo < 0))))
            return false;
        f->m = a->m ? binary(s, OP_mul, a->m, constant(s, k)) : NULL;
        f->n = a->n ? binary(s, OP_pow, a->n, constant(s, k)) : NULL;
        f->d = a->d ? binary(s, OP_pow, a->d, constant(s, k)) : NULL;
        return true;
    case OP_add:
    case OP_sub: return form_added(s, n, f, of_log);
    case OP_cosh:
        a = arena_alloc(s->g->ngc, sizeof *a);
        b = arena_alloc(s->g->ngc, sizeof *b);
        f->m = taken_out(s, unary(s, OP_abs, s->now[n->arg[0]->id]), true);
        f->n = binary(s, OP_add, unary(s, OP_exp, binary(s, OP_sub, s->now[n->arg[0]->id], f->m)),
                      unary(s, OP_exp,
                            unary(s, OP_neg, binary(s, OP_add, s->now[n->arg[0]->id], f->m))));
        f->n = binary(s, OP_mul, f->n, constant(s, 0.5));
        f->n->scaled = true;
        return true;
    case OP_sum: form_sum(s, n, f, of_log); return true;
    case OP_where: form_choice(s, n, f, of_log); return true;
    default:
        if (!is_index_map(n))
            return false;
        a = form_of(s, n->arg[0], of_log);
        *f = (Form){mapped(s, n, a->m), mapped(s, n, a->n), mapped(s, n, a->d), a->zeros};
        return true;
    }
}

static Form *form_of(Stable *s, const Node *n, bool of_log)
{
    Form **at = &s->form[of_log][n->id];
    if (*at)
        return *at;
    Form *f = arena_alloc(s->g->ngc, sizeof *f);
    bool leaf = !(s->kind[n->id] & (BARE | RATIO)) || is_opaque(s, n) || s->depth >= MAX_DEPTH;
    s->depth++;
    if (leaf || !form_build(s, n, f, of_log))
        *f = (Form){.n = s->now[n->id]};
    s->depth--;
    *at = f;
    return f;
}

/* ---- the pass ---- */

/* The log of n, as far + near; near may be NULL. */
static Node *log_of(Stable *s, const Node *n, int depth, Node **near)
{
    unsigned kind = s->kind[n->id];
    Fraction f;
    *near = NULL;
    if (kind == 0 || depth == 0 || is_opaque(s, n))
        return unary(s, OP_log, s->now[n->id]);
    Node *known = fraction_of(s, n, 12, &f) ? log_fraction(s, &f, n->shape) : NULL;
    if (known && n->op == OP_sub && known->why == why_log)
        known->why = "log(1 - sigmoid(z)) = -softplus(z)";
    if (known)
        return known;

    Node *a, *b, *na = NULL, *nb = NULL;
    bool positive = n->nargs == 2 && n->arg[0]->range.lo >= 0 && n->arg[1]->range.lo >= 0;
    if (is_index_map(n) || n->op == OP_copy) {
        a = log_of(s, n->arg[0], depth - 1, &na);
        *near = n->op == OP_copy ? na : mapped(s, n, na);
        return n->op == OP_copy ? a : mapped(s, n, a);
    }
    if (n->op == OP_where) {
        a = log_of(s, n->arg[1], depth - 1, &na);
        b = log_of(s, n->arg[2], depth - 1, &nb);
        a = sum_of(s, a, na, OP_add);
        return graph_where(s->g, s->now[n->arg[0]->id], a, sum_of(s, b, nb, OP_add));
    }
    bool simple = n->op == OP_mul && positive && !(kind & BARE);
    simple |= n->op == OP_div && positive && !(kind & (BARE | RATIO));
    if (simple) { /* of small factors, not of their product */
        a = log_of(s, n->arg[0], depth - 1, &na);
        b = log_of(s, n->arg[1], depth - 1, &nb);
        *near = sum_of(s, na, nb, n->op == OP_mul ? OP_add : OP_sub);
        return binary(s, n->op == OP_mul ? OP_add : OP_sub, a, b);
    }
    if (!(kind & (BARE | RATIO)))
        return unary(s, OP_log, s->now[n->id]);
    Form *form = form_of(s, n, kind & BARE);
    if (!form->m)
        return unary(s, OP_log, s->now[n->id]);
    a = form_log(s, form, n->shape, near);
    because(*near,
            "the largest exponent is taken out: log(sum(exp(z))) = M + log(sum(exp(z - M)))");
    return a;
}

/* log(1 + x) */
static Node *log1p_of(Stable *s, const Node *x)
{
    Fraction f, one = {.above = exps_one(1), .below = exps_one(1)};
    if (!fraction_of(s, x, 12, &f) || !fraction_sum(&f, 1, &one))
        return NULL;
    return log_fraction(s, &f, x->shape);
}

/* u + softplus(-u) is softplus(u), which keeps its digits; n = a + b, or a - b. */
static Node *softplus_of(Stable *s, const Node *n)
{
    for (int i = 0; i < 2; i++) {
        const Node *p = s->now[n->arg[i]->id];
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
        if (!linear_of(s, &rest, other * sign, n->arg[1 - i], 12) ||
            !linear_of(s, &rest, 1, p->arg[0], 12) || rest.terms > 0 || rest.c != 0)
            continue;
        Node *better = unary(s, OP_softplus, unary(s, OP_neg, p->arg[0]));
        return sign < 0 ? unary(s, OP_neg, better) : better;
    }
    return NULL;
}

/* Is n a question whether a sigmoid is 0 or 1? It never is. */
static bool never_equal(Stable *s, const Node *n)
{
    Fraction f;
    Known known;
    double v;
    for (int i = 0; i < 2; i++)
        if (node_const(n->arg[i], &v) && (v <= 0 || v >= 1) &&
            fraction_of(s, n->arg[1 - i], 12, &f) && f.n_times + f.n_over == 0 &&
            fraction_known(&f, &known) && known.f == OP_sigmoid && known.k == 1)
            return true;
    return false;
}

/* n in a better form, or NULL. */
static Node *better(Stable *s, const Node *n)
{
    Fraction f;
    Known known;
    if (!is_risky(s->kind, n))
        return NULL;
    if (n->op == OP_log) {
        Node *near, *far = log_of(s, n->arg[0], 12, &near);
        if (!near)
            return far;
        s->far[n->id] = far;
        s->near[n->id] = near;
        return binary(s, OP_add, far, near);
    }
    if (n->op == OP_log1p)
        return log1p_of(s, n->arg[0]);
    if (n->op == OP_eq)
        return never_equal(s, n) ? graph_full(s->g, n->shape, 0) : NULL;
    if (fraction_of(s, n, 12, &f) && fraction_known(&f, &known))
        return fraction_node(s, &f, &known, n->shape);

    unsigned a = s->kind[n->arg[0]->id], b = n->nargs > 1 ? s->kind[n->arg[1]->id] : 0;
    bool two = n->op == OP_mul ? ((a ^ b) & BARE) && (a | b) & RATIO
                               : n->op == OP_div && (b & BARE || (a & BARE && b & RATIO));
    if (!two && n->op != OP_pow)
        return NULL;
    Form *form = form_of(s, n, false);
    if (!form->m)
        return NULL;
    return because(form_node(s, form, n->shape),
                   "the largest exponent is taken out: exp(z)/sum(exp(z)) = softmax(z)");
}

/* Sums with a log that is small beside its other part: the other parts are added first. */
static Node *apart(Stable *s, const Node *n)
{
    int a = n->nargs > 0 ? n->arg[0]->id : 0, b = n->nargs > 1 ? n->arg[1]->id : 0;
    bool two = (n->op == OP_add || n->op == OP_sub) && (s->near[a] || s->near[b]);
    if (!two && !((n->op == OP_neg || n->op == OP_copy || is_index_map(n)) && s->near[a]))
        return NULL;
    Node *far = s->near[a] ? s->far[a] : s->now[a], *near = s->near[a];
    if (two) {
        far = binary(s, n->op, far, s->near[b] ? s->far[b] : s->now[b]);
        near = sum_of(s, near, s->near[b], n->op);
    } else if (n->op == OP_neg) {
        far = unary(s, OP_neg, far);
        near = unary(s, OP_neg, near);
    } else if (n->op != OP_copy) {
        far = mapped(s, n, far);
        near = mapped(s, n, near);
    }
    s->far[n->id] = far;
    s->near[n->id] = near;
    return binary(s, OP_add, far, near);
}

/* n of what its operands are now; n itself where they are what they were. */
static Node *rebuilt(Stable *s, Node *n)
{
    bool same = true;
    Node **arg = arena_alloc(s->g->ngc, (size_t)(n->nargs + 1) * sizeof *arg);
    for (int k = 0; k < n->nargs; k++) {
        arg[k] = s->now[n->arg[k]->id];
        same &= arg[k] == n->arg[k];
    }
    return same ? n : graph_copy(s->g, n, arg);
}

/* Marks what the roots need, and what it is made of; is anything to be done? */
static bool look(Stable *s, Node *const *root, int roots, int count)
{
    bool any = false;
    for (int i = 0; i < roots; i++)
        s->used[root[i]->id] = true;
    for (int i = count - 1; i >= 0; i--)
        for (int k = 0; s->used[i] && k < s->g->node[i]->nargs; k++)
            s->used[s->g->node[i]->arg[k]->id] = true;
    for (int i = 0; i < count; i++) {
        if (!s->used[i] || (s->opaque && s->opaque[i]))
            continue;
        any |= is_risky(s->kind, s->g->node[i]);
        s->kind[i] = (unsigned char)kind_of(s->kind, s->g->node[i]);
    }
    return any;
}

bool graph_stable(Graph *g, Node **root, int roots, Node *const *opaque, int n_opaque)
{
    size_t count = 0;
    for (int i = 0; i < roots; i++)
        count = (size_t)root[i]->id >= count ? (size_t)root[i]->id + 1 : count;
    Stable s = {.g = g,
                .count = (int)count,
                .used = arena_alloc(g->ngc, count),
                .kind = arena_alloc(g->ngc, count)};
    if (n_opaque > 0)
        s.opaque = arena_alloc(g->ngc, count);
    for (int i = 0; i < n_opaque; i++)
        if ((size_t)opaque[i]->id < count)
            s.opaque[opaque[i]->id] = true;
    if (g->ngc->opt.literal || !pass_runs(g->ngc, PASS_STABLE) ||
        !look(&s, root, roots, (int)count))
        return false;

    int first = g->count;
    bool changed = false;
    Loc loc = g->loc;
    s.now = arena_alloc(g->ngc, count * sizeof *s.now);
    s.form[0] = arena_alloc(g->ngc, count * sizeof *s.form[0]);
    s.form[1] = arena_alloc(g->ngc, count * sizeof *s.form[1]);
    s.far = arena_alloc(g->ngc, count * sizeof *s.far);
    s.near = arena_alloc(g->ngc, count * sizeof *s.near);
    for (size_t i = 0; i < count; i++) {
        Node *n = g->node[i];
        s.now[i] = n;
        if (!s.used[i] || (s.opaque && s.opaque[i]))
            continue;
        g->loc = n->loc;
        Node *m = better(&s, n);
        if (!m && (n->op == OP_add || n->op == OP_sub) && n->type == T_FLOAT)
            m = softplus_of(&s, n);
        m = m ? m : apart(&s, n);
        m = m ? m : rebuilt(&s, n);
        if (g->final)
            node_replaces(m, n, first);
        else /* a gradient may still be asked of n, which keeps its name */
            node_rewrites(m, n, first);
        s.now[i] = m;
    }
    g->loc = loc;
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
