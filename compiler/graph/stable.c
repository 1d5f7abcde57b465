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
 * - Other values are kept as n/d * exp(m). A product adds the exponents m. A sum, also along an axis
 *   or in a product of matrices, takes out the largest m, M, which is a constant for derivatives. So
 *   exp(z)/sum(exp(z)) becomes exp(z - M)/sum(exp(z - M)), its log (z - M) - log(sum(exp(z - M))).
 */
#include "graph/graph.h"

#include <math.h>
#include <string.h>

enum {
    MAX_LINEAR = 6, /* terms of an exponent */
    MAX_EXPS = 4,   /* exponentials in a sum */
    MAX_OTHERS = 4, /* other factors of a fraction */
    MAX_ADDED = 16, /* terms of a sum */
    MAX_DEPTH = 64, /* of forms */
    MAX_LOOK = 12,  /* operations that a fraction or an exponent is looked through */
};

/* What a value is made of; a set of bits. */
enum {
    BARE = 1,     /* exponentials that may overflow or vanish */
    RATIO = 2,    /* a quotient of such exponentials */
    LOGISTIC = 4, /* sigmoid or tanh: only their log is rewritten */
    SHIFTED = 8,  /* expm1 or sinh, exact near 0: only fractions of them are rewritten */
    GROWS = 16,   /* exponentials that may overflow */
    TAIL = 32, /* exponentials that may vanish beside something else: in a log, digits are lost */
};

static const double MOST_EXPONENT = 80; /* exp of it is finite in float32 */

/* n/d * exp(m) */
typedef struct Form {
    Node *m, *n, *d; /* NULL: 0, 1, 1 */
    bool zeros;      /* n may be 0, and there m may be anything */
    bool taken;      /* m was taken out of a sum */
} Form;

typedef struct Stable {
    Graph *g;
    unsigned char *used; /* by id: does a root need it? */
    unsigned char *kind; /* by id: what it is made of */
    bool *opaque;        /* by id, or NULL: it must stay as it is */
    Node **now;          /* by id: what is computed in its place */
    Form **form[2];      /* by id; form[1] is for logs: its sums may be 0 */
    Node **far, **near;  /* by id: now = far + near, where near is a log, small compared with far;
                            NULL: it is not such a sum */
    int count;           /* of the nodes that are rewritten; later nodes are replaced by nothing */
    int depth;           /* of the forms that are being built */
} Stable;

static bool is_opaque(const Stable *s, const Node *n)
{
    return s->opaque && n->id < s->count && s->opaque[n->id];
}

static Node *now_of(const Stable *s, const Node *n)
{
    return n->id < s->count && s->now[n->id] ? s->now[n->id] : (Node *)n;
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

/* The kind of operand i of n. */
static unsigned operand_kind(const unsigned char *kind, const Node *n, int i)
{
    return i < n->nargs ? kind[n->arg[i]->id] : 0;
}

/* A kind with exponentials below the line. */
static unsigned as_ratio(unsigned kind)
{
    return (kind & ~(unsigned)(BARE | GROWS)) | RATIO;
}

static unsigned kind_of_exp(Range u)
{
    if (u.hi > MOST_EXPONENT)
        return BARE | GROWS;
    return u.lo < -MOST_EXPONENT ? BARE : 0;
}

static unsigned kind_of_sum(unsigned a, unsigned b)
{
    unsigned all = a | b;
    bool one_bare = (a ^ b) & BARE;
    if (one_bare && !(all & GROWS)) /* a sum with something else does not vanish */
        all = (all & ~(unsigned)BARE) | TAIL;
    return all;
}

static unsigned kind_of_product(unsigned a, unsigned b)
{
    unsigned all = a | b;
    bool one_bare = (a ^ b) & BARE;
    if (one_bare && all & RATIO) /* exp(u) times 1/sum */
        all &= ~(unsigned)(BARE | GROWS);
    return all;
}

static unsigned kind_of_power(const Node *n, unsigned a)
{
    double k;
    if (!node_const(n->arg[1], &k))
        return 0;
    return k < 0 && a & BARE ? as_ratio(a) : a;
}

/* Is n a positive number to the power of something, which is exp(rate u)? */
static bool is_exponential(const Node *n, double *rate)
{
    double c;
    if (n->op != OP_pow || !node_const(n->arg[0], &c) || !(c > 0 && isfinite(c)) || c == 1)
        return false;
    *rate = log(c);
    return true;
}

static Range range_times(Range r, double k)
{
    double a = r.lo * k, b = r.hi * k;
    r.lo = fmin(a, b);
    r.hi = fmax(a, b);
    return r;
}

static unsigned kind_of_all(const unsigned char *kind, const Node *n)
{
    unsigned all = 0;
    for (int i = 0; i < n->nargs; i++)
        all |= kind[n->arg[i]->id];
    return all;
}

/* By the op and the kinds of the operands. */
static unsigned kind_by_op(const unsigned char *kind, const Node *n)
{
    unsigned a = operand_kind(kind, n, 0), b = operand_kind(kind, n, 1);
    double rate;

    switch (n->op) {
    case OP_expm1:
    case OP_sinh: return SHIFTED;
    case OP_cosh: return BARE | GROWS;
    case OP_exp: return kind_of_exp(n->arg[0]->range);
    case OP_sigmoid:
    case OP_tanh: return LOGISTIC;
    case OP_add:
    case OP_sub: return kind_of_sum(a, b);
    case OP_mul: return kind_of_product(a, b);
    case OP_div: return b & BARE ? as_ratio(a | b) : a | b;
    case OP_neg:
    case OP_sqrt:
    case OP_copy: return a;
    case OP_pow:
        if (is_exponential(n, &rate))
            return kind_of_exp(range_times(n->arg[1]->range, rate));
        return kind_of_power(n, a);
    case OP_matmul: return a | b;
    case OP_where: return b | kind[n->arg[2]->id];
    case OP_sum: return node_centred(n->arg[0], n->attr.axes) ? 0 : a;
    case OP_concat: return kind_of_all(kind, n);
    default: return is_index_map(n) ? a : 0;
    }
}

static unsigned kind_of(const unsigned char *kind, const Node *n)
{
    if (n->type != T_FLOAT || n->scaled)
        return 0;

    unsigned all = kind_by_op(kind, n);
    bool is_function = n->op == OP_exp || n->op == OP_expm1 || n->op == OP_sinh || n->op == OP_cosh;
    return is_tame(n->range) && !is_function ? all & (LOGISTIC | TAIL) : all;
}

/* May n overflow, or is there a better form of it? */
static bool is_risky(const unsigned char *kind, const Node *n)
{
    unsigned a = operand_kind(kind, n, 0), b = operand_kind(kind, n, 1);
    unsigned either = a | b, both = a & b;
    double k;

    switch (n->op) {
    case OP_log:
    case OP_log1p: return a != 0;
    case OP_div: return b & (BARE | SHIFTED) || (a & BARE && b & RATIO) || both & RATIO;
    case OP_mul: return (both & BARE && either & GROWS) || (either & BARE && either & RATIO);
    case OP_add:
    case OP_sub: return either & RATIO;
    case OP_pow: return a & BARE && node_const(n->arg[1], &k) && k < 0;
    case OP_eq: return either & (LOGISTIC | RATIO);
    default: return false;
    }
}

/* ---- exponents: linear in what they are made of ---- */

/* c + the sum of k x */
typedef struct Linear {
    double c;
    int terms;
    struct {
        double k;
        Node *x;
    } term[MAX_LINEAR]; /* by rising id of x */
} Linear;

/* Adds k x to l; false: there are too many terms. */
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
    memmove(l->term + i + 1, l->term + i, (size_t)(l->terms - i) * sizeof *l->term);
    l->term[i].k = k;
    l->term[i].x = x;
    l->terms++;
    return true;
}

static bool linear_of(Stable *s, Linear *l, double k, const Node *u, int depth);

/* Adds k u to l, where operand i of u is the number v. *done: u is of a form that can be taken
 * apart. */
static bool linear_of_number(Stable *s, Linear *l, double k, const Node *u, int i, double v,
                             int depth, bool *done)
{
    const Node *x = u->arg[1 - i];
    *done = true;
    switch (u->op) {
    case OP_add: l->c += k * v; return linear_of(s, l, k, x, depth - 1);
    case OP_sub:
        l->c += i == 0 ? k * v : -k * v;
        return linear_of(s, l, i == 0 ? -k : k, x, depth - 1);
    case OP_mul: return linear_of(s, l, k * v, x, depth - 1);
    case OP_div:
        if (i == 1 && v != 0)
            return linear_of(s, l, k / v, x, depth - 1);
        break;
    default: break;
    }
    *done = false;
    return false;
}

/* Adds k u to l. A sum is taken apart only if one side is a number. Other sums stay whole, as the
 * user has written them. */
static bool linear_of(Stable *s, Linear *l, double k, const Node *u, int depth)
{
    double v;
    if (node_const(u, &v)) {
        l->c += k * v;
        return isfinite(l->c);
    }
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
    if (u->op == OP_sub && u->arg[0]->id > u->arg[1]->id) { /* k (a - b) is -k (b - a) */
        Node *swapped = binary(s, OP_sub, now_of(s, u->arg[1]), now_of(s, u->arg[0]));
        return linear_add(l, -k, swapped);
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

/* The node of l: first what is added, then what is subtracted. */
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

/* The sum of c exp(u) */
typedef struct Exps {
    int terms;
    struct {
        double c;
        Linear u;
    } term[MAX_EXPS];
} Exps;

/* above/below, with other factors */
typedef struct Fraction {
    Exps above, below;
    Node *times[MAX_OTHERS]; /* other factors above the line */
    Node *over[MAX_OTHERS];  /* other factors below the line */
    int n_times, n_over;
} Fraction;

/* Adds c exp(u) to p; false: there are too many terms. */
static bool exps_add(Exps *p, double c, const Linear *u)
{
    if (c == 0)
        return true;

    for (int i = 0; i < p->terms; i++) {
        if (!linear_equal(&p->term[i].u, u))
            continue;
        p->term[i].c += c;
        if (p->term[i].c == 0) {
            p->terms--;
            p->term[i] = p->term[p->terms];
        }
        return true;
    }

    if (p->terms == MAX_EXPS)
        return false;
    p->term[p->terms].c = c;
    p->term[p->terms].u = *u;
    p->terms++;
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
    if (exps_equal(&f->below, &b->above)) {
        f->below = b->below;
    } else if (exps_equal(&f->above, &b->below)) {
        f->above = b->above;
    } else {
        if (!exps_product(&f->above, &f->above, &b->above) ||
            !exps_product(&f->below, &f->below, &b->below))
            return false;
    }
    return others_add(f->times, &f->n_times, b->times, b->n_times) &&
           others_add(f->over, &f->n_over, b->over, b->n_over);
}

/* f = f + sign b, over the common denominator. */
static bool fraction_sum(Fraction *f, double sign, const Fraction *b)
{
    Exps p, q, below;
    if (f->n_times + f->n_over + b->n_times + b->n_over > 0)
        return false;
    if (exps_equal(&f->below, &b->below))
        return exps_sum(&f->above, sign, &b->above);

    bool good = exps_product(&p, &f->above, &b->below) && exps_product(&q, &b->above, &f->below) &&
                exps_product(&below, &f->below, &b->below) && exps_sum(&p, sign, &q);
    if (!good)
        return false;
    f->above = p;
    f->below = below;
    return true;
}

static bool fraction_of(Stable *s, const Node *n, int depth, Fraction *f);

/* The functions that are exponentials, as fractions. */
static bool fraction_of_function(Stable *s, Op op, const Node *u, Fraction *f)
{
    Exps *above = &f->above, *below = &f->below;
    switch (op) {
    case OP_exp: return exps_pair(s, above, u, 1, 1, 0, 0);
    case OP_expm1: return exps_pair(s, above, u, 1, 1, -1, 0);
    case OP_sinh: return exps_pair(s, above, u, 0.5, 1, -0.5, -1);
    case OP_cosh: return exps_pair(s, above, u, 0.5, 1, 0.5, -1);
    case OP_sigmoid: return exps_pair(s, below, u, 1, 0, 1, -1); /* 1/(1 + exp(-u)) */
    case OP_tanh:                                                /* the same with exp(-2 u) */
        return exps_pair(s, above, u, 1, 0, -1, -2) && exps_pair(s, below, u, 1, 0, 1, -2);
    default: return false;
    }
}

static bool fraction_of_sum(Stable *s, const Node *n, int depth, Fraction *f)
{
    Fraction b;
    if (!fraction_of(s, n->arg[0], depth - 1, f) || !fraction_of(s, n->arg[1], depth - 1, &b))
        return false;
    return fraction_sum(f, n->op == OP_add ? 1 : -1, &b);
}

static bool fraction_of_product(Stable *s, const Node *n, int depth, Fraction *f)
{
    Fraction b;
    if (!fraction_of(s, n->arg[0], depth - 1, f) || !fraction_of(s, n->arg[1], depth - 1, &b))
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
    if (is_exponential(n, &k))
        return exps_pair(s, &f->above, n->arg[1], 1, k, 0, 0);
    if (!node_const(n->arg[1], &k) || k != floor(k) || k == 0 || fabs(k) > 2)
        return false;
    if (!fraction_of(s, n->arg[0], depth - 1, f))
        return false;

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
static bool fraction_of(Stable *s, const Node *n, int depth, Fraction *f)
{
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

/* k f(w), where f is exp, sigmoid or tanh */
typedef struct Known {
    Op f;
    double k;
    Linear w;
} Known;

/* Is a/b the exponential of a difference?
 *
 *     c exp(u) / (d exp(v)) = c/d exp(u - v) */
static bool known_exp(const Exps *a, const Exps *b, Known *out)
{
    *out = (Known){OP_exp, a->term[0].c / b->term[0].c, a->term[0].u};
    return linear_sum(&out->w, -1, &b->term[0].u);
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
    int u = -1;
    for (int i = 0; i < 2; i++)
        if (linear_equal(&a->term[0].u, &b->term[i].u))
            u = i;
    if (u < 0)
        return false;
    int v = 1 - u;

    *out = (Known){OP_sigmoid, a->term[0].c / b->term[u].c, b->term[u].u};
    if (!linear_sum(&out->w, -1, &b->term[v].u))
        return false;
    out->w.c += log(b->term[u].c / b->term[v].c);
    if (a->terms == 1)
        return true;

    /* The second exponential of a has to be the other one of b, with the factor -k. */
    if (!linear_equal(&a->term[1].u, &b->term[v].u))
        return false;
    if (a->term[1].c / b->term[v].c != -out->k)
        return false;
    out->f = OP_tanh;
    out->w = linear_times(out->w, 0.5);
    return true;
}

/* Is the fraction, without its other factors, a known function? */
static bool fraction_known(const Fraction *f, Known *out)
{
    const Exps *a = &f->above, *b = &f->below;
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
static Node *fraction_node(Stable *s, const Fraction *f, const Known *known, Shape shape)
{
    Node *n = node_because(unary(s, known->f, linear_node(s, &known->w)), why_known(known->f));
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
    Node *size = unary(s, OP_abs, u);
    Node *one = constant(s, 1);
    Node *near = binary(s, OP_lt, size, one);

    Node *small = graph_where(s->g, near, u, constant(s, 0));
    Node *sinh2 = binary(s, OP_pow, unary(s, OP_sinh, small), constant(s, 2));
    Node *below = binary(s, OP_mul, constant(s, 0.5), unary(s, OP_log1p, sinh2));

    Node *a = unary(s, OP_abs, graph_where(s->g, near, one, u));
    Node *rest = unary(s, OP_softplus, binary(s, OP_mul, constant(s, -2), a));
    Node *above = binary(s, OP_sub, binary(s, OP_add, a, rest), constant(s, log(2)));
    return node_because(graph_where(s->g, near, below, above),
                        "log(cosh(u)) = abs(u) + softplus(-2*abs(u)) - log(2)");
}

/* log(exp(a) + exp(b)), as logaddexp has it. */
static Node *log_add(Stable *s, Node *a, Node *b)
{
    Node *over_b = binary(s, OP_add, b, unary(s, OP_softplus, binary(s, OP_sub, a, b)));
    Node *over_a = binary(s, OP_add, a, unary(s, OP_softplus, binary(s, OP_sub, b, a)));
    return node_because(graph_where(s->g, binary(s, OP_lt, a, b), over_b, over_a),
                        "log(exp(a) + exp(b)) = logaddexp(a, b)");
}

static Node *plus(Stable *s, Node *a, double c)
{
    return c == 0 ? a : binary(s, OP_add, a, constant(s, c));
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
    Node *w = linear_node(s, &between), *minus = unary(s, OP_neg, w);
    Node *near = binary(s, OP_lt, w, constant(s, log(2)));

    Node *below = unary(s, OP_log, unary(s, OP_neg, unary(s, OP_expm1, minus)));
    Node *above = unary(s, OP_log1p, unary(s, OP_neg, unary(s, OP_exp, minus)));
    Node *n = node_because(graph_where(s->g, near, below, above),
                           "log(1 - exp(-w)) = log(-expm1(-w)) near 0, log1p(-exp(-w)) elsewhere");
    if (u->terms == 0)
        return plus(s, n, u->c);
    return binary(s, OP_add, linear_node(s, u), n);
}

/* Is p, with positive factors, the square of a sum of two exponentials? */
static bool exps_root(const Exps *p, Exps *root)
{
    for (int middle = 0; middle < 3 && p->terms == 3; middle++) {
        int a = (middle + 1) % 3, b = (middle + 2) % 3;
        double c = p->term[middle].c;
        Linear u = p->term[a].u, twice = linear_times(p->term[middle].u, 2);
        if (c * c != 4 * p->term[a].c * p->term[b].c)
            continue;
        if (!linear_sum(&u, 1, &p->term[b].u) || !linear_equal(&u, &twice))
            continue;

        Linear half_a = linear_times(p->term[a].u, 0.5), half_b = linear_times(p->term[b].u, 0.5);
        *root = (Exps){0};
        return exps_add(root, sqrt(p->term[a].c), &half_a) &&
               exps_add(root, sqrt(p->term[b].c), &half_b);
    }
    return false;
}

/* The log of a sum or difference of two exponentials, of one, or of a square of a sum; NULL: it is
 * another sum. */
static Node *log_exps(Stable *s, const Exps *p)
{
    Exps root;
    int negative = 0, last = 0;
    for (int i = 0; i < p->terms; i++)
        if (p->term[i].c <= 0) {
            negative++;
            last = i;
        }
    if (negative == 1 && p->terms == 2) {
        Linear from = p->term[1 - last].u, off = p->term[last].u;
        from.c += log(p->term[1 - last].c);
        off.c += log(-p->term[last].c);
        return log_difference(s, &from, &off);
    }
    if (negative > 0)
        return NULL;
    if (p->terms == 1)
        return plus(s, linear_node(s, &p->term[0].u), log(p->term[0].c));
    if (exps_root(p, &root))
        return binary(s, OP_mul, constant(s, 2), log_exps(s, &root));
    if (p->terms != 2)
        return NULL;

    /* c exp(u) is exp(u + log(c)). */
    Linear u = p->term[0].u, v = p->term[1].u;
    Linear a = u, b = v;
    a.c += log(p->term[0].c);
    b.c += log(p->term[1].c);
    if (b.terms == 0)
        return log_plus_number(s, b.c, a);
    if (a.terms == 0)
        return log_plus_number(s, a.c, b);

    Linear minus_v = linear_times(v, -1);
    if (linear_equal(&u, &minus_v) && p->term[0].c == p->term[1].c)
        return plus(s, log_cosh(s, linear_node(s, &u)), log(2 * p->term[0].c));

    Node *x = linear_node(s, &a), *y = linear_node(s, &b);
    return log_add(s, x, y);
}

static const char why_log[] = "log(sigmoid(z)) = -softplus(-z)";

/* log(k sigmoid(w)) = log(k) - softplus(-w) */
static Node *log_sigmoid(Stable *s, const Known *known)
{
    Linear w = linear_times(known->w, -1);
    Node *n = unary(s, OP_neg, unary(s, OP_softplus, linear_node(s, &w)));
    return plus(s, node_because(n, why_log), log(known->k));
}

/* The log of the fraction without its other factors. */
static Node *log_quotient(Stable *s, const Fraction *f)
{
    Known known;
    if (fraction_known(f, &known) && known.f == OP_sigmoid && known.k > 0)
        return log_sigmoid(s, &known);

    Exps above = f->above, below = f->below;
    if (below.terms > 0 && below.term[0].c < 0) {
        exps_negate(&above);
        exps_negate(&below);
    }

    if (below.terms == 1) { /* a sum of c/d exp(u - v) */
        for (int i = 0; i < above.terms; i++) {
            above.term[i].c /= below.term[0].c;
            if (!linear_sum(&above.term[i].u, -1, &below.term[0].u))
                return NULL;
        }
        return log_exps(s, &above);
    }

    if (above.terms != 1)
        return NULL;
    Node *up = log_exps(s, &above), *down = up ? log_exps(s, &below) : NULL;
    return down ? binary(s, OP_sub, up, down) : NULL;
}

static bool any_negative(Node *const *factor, int n)
{
    for (int i = 0; i < n; i++)
        if (factor[i]->range.lo < 0)
            return true;
    return false;
}

/* The log of the fraction; NULL: it has no better form. */
static Node *log_fraction(Stable *s, const Fraction *f, Shape shape)
{
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

/* n/d, the factor of the exponential. */
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
    if (m && n && f->zeros) { /* 0 times exp(m) must not be 0 times infinity */
        Node *zero = constant(s, 0);
        Node *is_zero = binary(s, OP_eq, n, zero);
        m = graph_where(s->g, is_zero, binary(s, OP_minimum, m, zero), m);
    }

    if (m)
        n = times(s, n, unary(s, OP_exp, m));
    if (!n)
        n = graph_full(s->g, shape, 1);
    if (f->d)
        n = binary(s, OP_div, n, f->d);
    return graph_broadcast(s->g, n, shape);
}

/* The log of the value is m + near, where near = log(n/d). */
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

/* The view n, of x in place of its operand; NULL stays NULL. */
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
    f->taken = true;
}

/* The terms of a sum of sums; false: there are too many. */
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
    signs[*count] = sign;
    ++*count;
    return true;
}

/* The sum of sign r exp(m) is the sum of sign r exp(m - M), times exp(M), where M is the largest m.
 */
static bool form_added(Stable *s, const Node *n, Form *f, bool of_log)
{
    const Node *term[MAX_ADDED];
    double sign[MAX_ADDED];
    Node *m[MAX_ADDED], *r[MAX_ADDED];
    int count = 0;
    if (!added_terms(s, n, 1, term, sign, &count))
        return false;

    Node *most = NULL;
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

    Node *sum = NULL;
    f->m = taken_out(s, most, true);
    for (int i = 0; i < count; i++) {
        if (node_is(r[i], 0))
            continue;
        Node *t = scaled_term(s, r[i], m[i], f->m);
        if (sign[i] < 0)
            t = unary(s, OP_neg, t);
        sum = sum ? binary(s, OP_add, sum, t) : t;
    }
    f->n = sum;
    sum->scaled = true;
    return true;
}

static void form_choice(Stable *s, const Node *n, Form *f, bool of_log)
{
    Form *a = form_of(s, n->arg[1], of_log);
    Form *b = form_of(s, n->arg[2], of_log);
    Node *c = s->now[n->arg[0]->id];
    Node *ra = factor_of(s, a, n->shape), *rb = factor_of(s, b, n->shape);
    Node *ma = exponent_of(s, a, n->shape), *mb = exponent_of(s, b, n->shape);

    /* 0 exp(m) is 0 for any m. */
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

/* exp(m) for the largest m along an axis that a product adds up over. In a ratio, all of it is
 * taken out, as from the sum below the line. Otherwise only as much as may overflow: an element may
 * have a factor 0 in the other matrix, and does not count. */
static Node *taken_from_product(Stable *s, Node *most, bool guard, bool all)
{
    Node *m = taken_out(s, most, guard);
    if (all)
        return m;
    Node *kept = binary(s, OP_maximum, m, constant(s, -MOST_EXPONENT / 2));
    kept = binary(s, OP_minimum, kept, constant(s, MOST_EXPONENT / 2));
    return binary(s, OP_sub, m, kept);
}

/* (r exp(m)) @ b = ((r exp(m - M)) @ b) exp(M), where M is the largest m of a row. */
static bool form_matmul(Stable *s, const Node *n, Form *f, bool of_log)
{
    int rank = n->shape.rank;
    Node *factor[2];
    for (int i = 0; i < 2; i++) {
        const Node *a = n->arg[i];
        const Form *of = form_of(s, a, of_log);
        int along = i == 0 ? rank - 1 - n->attr.ta : rank - 2 + n->attr.tb;
        uint32_t axes = 1u << along;

        factor[i] = factor_of(s, of, a->shape);
        if (!of->m)
            continue;
        bool zero = may_be_zero(factor[i]);
        Node *most = graph_reduce(s->g, OP_max, counting(s, of->m, factor[i]), axes);
        bool all = !of_log && n->arg[1 - i]->op != OP_data;
        most = taken_from_product(s, most, of_log || zero, all);
        Node *each = graph_expand(s->g, most, a->shape, axes);
        factor[i] = scaled_term(s, factor[i], of->m, each);
        Node *m = graph_expand(s->g, most, n->shape, 1u << (i == 0 ? rank - 1 : rank - 2));
        f->m = sum_of(s, f->m, m, OP_add);
    }
    if (!f->m)
        return false;
    f->n = graph_matmul(s->g, factor[0], factor[1], n->attr.ta, n->attr.tb);
    f->n->scaled = true;
    f->zeros = f->taken = true;
    return true;
}

/* The forms of all parts, joined. */
static void form_concat(Stable *s, const Node *n, Form *f, bool of_log)
{
    size_t count = (size_t)n->nargs;
    Node **m = arena_alloc(s->g->ngc, count * sizeof *m);
    Node **r = arena_alloc(s->g->ngc, count * sizeof *r);
    for (int i = 0; i < n->nargs; i++) {
        const Form *part = form_of(s, n->arg[i], of_log);
        m[i] = exponent_of(s, part, n->arg[i]->shape);
        r[i] = factor_of(s, part, n->arg[i]->shape);
        f->zeros |= part->zeros;
    }
    f->m = graph_concat(s->g, m, n->nargs, n->attr.axis);
    f->n = graph_concat(s->g, r, n->nargs, n->attr.axis);
    f->n->scaled = true;
}

/* The exponent of a/b. What was taken out above and below the line cancels: where it is infinite,
 * the exponentials that are left are NaN. */
static Node *quotient_of(Stable *s, const Form *a, const Form *b)
{
    if (a->m && a->m == b->m && a->taken && b->taken)
        return graph_full(s->g, a->m->shape, 0);
    return sum_of(s, a->m, b->m, OP_sub);
}

static void form_product(Stable *s, const Node *n, Form *f, bool of_log)
{
    Form *a = form_of(s, n->arg[0], of_log);
    Form *b = form_of(s, n->arg[1], of_log);
    f->zeros = a->zeros || b->zeros;

    if (n->op == OP_mul) {
        f->m = sum_of(s, a->m, b->m, OP_add);
        f->n = times(s, a->n, b->n);
        f->d = times(s, a->d, b->d);
    } else {
        f->m = quotient_of(s, a, b);
        f->n = times(s, a->n, b->d);
        f->d = times(s, a->d, b->n);
    }
}

static bool is_negative(const Node *n)
{
    return n && n->range.lo < 0;
}

static Node *form_part_power(Stable *s, Node *part, Op op, double k)
{
    return part ? binary(s, op, part, constant(s, k)) : NULL;
}

/* (n/d exp(m))^k = n^k/d^k exp(k m) */
static bool form_power(Stable *s, const Node *n, Form *f, bool of_log)
{
    const Form *a = form_of(s, n->arg[0], of_log);
    double k = 0.5; /* of sqrt */
    if (n->op == OP_pow && !node_const(n->arg[1], &k))
        return false;

    bool whole = k == floor(k);
    if (a->zeros || (!whole && (is_negative(a->n) || is_negative(a->d))))
        return false;
    f->m = form_part_power(s, a->m, OP_mul, k);
    f->n = form_part_power(s, a->n, OP_pow, k);
    f->d = form_part_power(s, a->d, OP_pow, k);
    return true;
}

/* cosh(u) = (exp(u - M) + exp(-(u + M)))/2 exp(M), where M = abs(u) */
static void form_cosh(Stable *s, Node *u, Form *f)
{
    f->m = taken_out(s, unary(s, OP_abs, u), true);

    Node *minus = unary(s, OP_exp, unary(s, OP_neg, binary(s, OP_add, u, f->m)));
    Node *other = unary(s, OP_exp, binary(s, OP_sub, u, f->m));
    Node *sum = binary(s, OP_add, other, minus);
    f->n = binary(s, OP_mul, sum, constant(s, 0.5));
    f->n->scaled = true;
}

static bool form_view(Stable *s, const Node *n, Form *f, bool of_log)
{
    if (!is_index_map(n))
        return false;
    const Form *a = form_of(s, n->arg[0], of_log);
    *f = (Form){mapped(s, n, a->m), mapped(s, n, a->n), mapped(s, n, a->d), a->zeros, a->taken};
    return true;
}

/* The form of n by the forms of its operands; false: n has none. */
static bool form_build(Stable *s, const Node *n, Form *f, bool of_log)
{
    double rate;
    switch (n->op) {
    case OP_exp: f->m = s->now[n->arg[0]->id]; return true;
    case OP_matmul: return form_matmul(s, n, f, of_log);
    case OP_concat: form_concat(s, n, f, of_log); return true;
    case OP_copy: *f = *form_of(s, n->arg[0], of_log); return true;
    case OP_mul:
    case OP_div: form_product(s, n, f, of_log); return true;
    case OP_neg:
        *f = *form_of(s, n->arg[0], of_log);
        f->n = f->n ? unary(s, OP_neg, f->n) : graph_full(s->g, n->shape, -1);
        return true;
    case OP_pow:
        if (is_exponential(n, &rate)) {
            f->m = binary(s, OP_mul, s->now[n->arg[1]->id], constant(s, rate));
            return true;
        }
        return form_power(s, n, f, of_log);
    case OP_sqrt: return form_power(s, n, f, of_log);
    case OP_add:
    case OP_sub: return form_added(s, n, f, of_log);
    case OP_cosh: form_cosh(s, s->now[n->arg[0]->id], f); return true;
    case OP_sum: form_sum(s, n, f, of_log); return true;
    case OP_where: form_choice(s, n, f, of_log); return true;
    default: return form_view(s, n, f, of_log);
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

static Node *log_of(Stable *s, const Node *n, int depth, Node **near);

/* The log of n as the log of a fraction, or NULL. */
static Node *log_by_fraction(Stable *s, const Node *n)
{
    Fraction f;
    Node *known = fraction_of(s, n, MAX_LOOK, &f) ? log_fraction(s, &f, n->shape) : NULL;
    if (known && n->op == OP_sub && known->why == why_log)
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
    *near = mapped(s, n, of_near);
    return mapped(s, n, far);
}

/* log(where(c, a, b)) = where(c, log(a), log(b)) */
static Node *log_of_choice(Stable *s, const Node *n, int depth)
{
    Node *near_a, *near_b;
    Node *a = log_of(s, n->arg[1], depth - 1, &near_a);
    Node *b = log_of(s, n->arg[2], depth - 1, &near_b);
    a = sum_of(s, a, near_a, OP_add);
    b = sum_of(s, b, near_b, OP_add);
    return graph_where(s->g, s->now[n->arg[0]->id], a, b);
}

/* log(a b) = log(a) + log(b): of small factors, not of their product. */
static Node *log_of_product(Stable *s, const Node *n, int depth, Node **near)
{
    Op op = n->op == OP_mul ? OP_add : OP_sub;
    Node *near_a, *near_b;
    Node *a = log_of(s, n->arg[0], depth - 1, &near_a);
    Node *b = log_of(s, n->arg[1], depth - 1, &near_b);
    *near = sum_of(s, near_a, near_b, op);
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
    return n->op == OP_mul ? !(kind & BARE) : !(kind & (BARE | RATIO));
}

/* The log of n is far + near. Returns far; near may be NULL. */
static Node *log_of(Stable *s, const Node *n, int depth, Node **near)
{
    unsigned kind = s->kind[n->id];
    *near = NULL;
    if (kind == 0 || depth == 0 || is_opaque(s, n))
        return unary(s, OP_log, s->now[n->id]);

    Node *known = log_by_fraction(s, n);
    if (known)
        return known;
    if (is_index_map(n) || n->op == OP_copy)
        return log_of_view(s, n, depth, near);
    if (n->op == OP_where)
        return log_of_choice(s, n, depth);
    if (is_simple_product(n, kind))
        return log_of_product(s, n, depth, near);

    const Form *form = kind & (BARE | RATIO) ? form_of(s, n, kind & BARE) : NULL;
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
        bool linear = linear_of(s, &rest, other * sign, n->arg[1 - i], MAX_LOOK) &&
                      linear_of(s, &rest, 1, p->arg[0], MAX_LOOK);
        if (!linear || rest.terms > 0 || rest.c != 0)
            continue;
        Node *better = unary(s, OP_softplus, unary(s, OP_neg, p->arg[0]));
        return sign < 0 ? unary(s, OP_neg, better) : better;
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
    unsigned a = operand_kind(s->kind, n, 0), b = operand_kind(s->kind, n, 1);
    switch (n->op) {
    case OP_mul: return (a ^ b) & BARE && (a | b) & RATIO;
    case OP_div: return b & BARE || (a & BARE && b & RATIO);
    case OP_pow: return true;
    default: return false;
    }
}

/* n in a better form, or NULL. */
static Node *better(Stable *s, const Node *n)
{
    if (!is_risky(s->kind, n))
        return NULL;

    if (n->op == OP_log) {
        Node *near, *far = log_of(s, n->arg[0], MAX_LOOK, &near);
        return near ? keep_apart(s, n, far, near) : far;
    }
    if (n->op == OP_log1p)
        return log1p_of(s, n->arg[0]);
    if (n->op == OP_eq)
        return never_equal(s, n) ? graph_full(s->g, n->shape, 0) : NULL;

    Fraction f;
    Known known;
    if (fraction_of(s, n, MAX_LOOK, &f) && fraction_known(&f, &known))
        return fraction_node(s, &f, &known, n->shape);

    const Form *form = wants_form(s, n) ? form_of(s, n, false) : NULL;
    if (!form || !form->m)
        return NULL;
    return node_because(form_node(s, form, n->shape),
                        "the largest exponent is taken out: exp(z)/sum(exp(z)) = softmax(z)");
}

/* What is added first of now: far, or all of it. */
static Node *far_of(const Stable *s, int id)
{
    return s->near[id] ? s->far[id] : s->now[id];
}

/* (far + near) + b is (far + b) + near: a log that is small compared with the other part is added
 * last. NULL: n is not such a value. */
static Node *apart(Stable *s, const Node *n)
{
    int a = n->nargs > 0 ? n->arg[0]->id : 0, b = n->nargs > 1 ? n->arg[1]->id : 0;

    if ((n->op == OP_add || n->op == OP_sub) && (s->near[a] || s->near[b])) {
        Node *far = binary(s, n->op, far_of(s, a), far_of(s, b));
        Node *near = sum_of(s, s->near[a], s->near[b], n->op);
        return keep_apart(s, n, far, near);
    }

    if (!s->near[a])
        return NULL;
    if (n->op == OP_copy)
        return keep_apart(s, n, s->far[a], s->near[a]);
    if (n->op == OP_neg) {
        Node *far = unary(s, OP_neg, s->far[a]);
        return keep_apart(s, n, far, unary(s, OP_neg, s->near[a]));
    }
    if (!is_index_map(n))
        return NULL;
    Node *far = mapped(s, n, s->far[a]);
    return keep_apart(s, n, far, mapped(s, n, s->near[a]));
}

/* n with the operands as they are now. It is n itself if they have not changed. */
/* Marks what the roots need, and what it is made of. Is there anything to do? */
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

/* What is computed in place of n. */
static Node *stable_node(Stable *s, Node *n)
{
    Node *m = better(s, n);
    if (!m && (n->op == OP_add || n->op == OP_sub) && n->type == T_FLOAT)
        m = softplus_of(s, n);
    if (!m)
        m = apart(s, n);
    return m ? m : graph_rebuild(s->g, n, s->now);
}

static void stable_nodes(Stable *s)
{
    Graph *g = s->g;
    int first = g->count;
    size_t count = (size_t)s->count;
    Loc loc = g->loc;

    s->now = arena_alloc(g->ngc, count * sizeof *s->now);
    s->form[0] = arena_alloc(g->ngc, count * sizeof *s->form[0]);
    s->form[1] = arena_alloc(g->ngc, count * sizeof *s->form[1]);
    s->far = arena_alloc(g->ngc, count * sizeof *s->far);
    s->near = arena_alloc(g->ngc, count * sizeof *s->near);

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
    int count = 0;
    for (int i = 0; i < roots; i++)
        if (root[i]->id >= count)
            count = root[i]->id + 1;

    Stable s = {.g = g, .count = count};
    s.used = arena_alloc(g->ngc, (size_t)count);
    s.kind = arena_alloc(g->ngc, (size_t)count);
    if (n_opaque > 0)
        s.opaque = arena_alloc(g->ngc, (size_t)count);
    for (int i = 0; i < n_opaque; i++)
        if (opaque[i]->id < count)
            s.opaque[opaque[i]->id] = true;
    if (g->ngc->opt.literal || !pass_runs(g->ngc, PASS_STABLE))
        return false;
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
