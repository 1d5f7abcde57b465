/* range.c - between which numbers a value lies, and whether it may be infinite or NaN. The range of
 * a node is computed once, when the node is made, from the ranges of its operands. The range of a
 * derivative rule is computed from the ranges of the values in it. Bounds hold for exact
 * arithmetic on finite numbers. Where a function is not defined, or infinite, that is its risk.
 *
 * Derivatives are those of training. Of where(training, x, y) they have the range of x; all else
 * has to hold in predict and eval, too. So a node has two ranges. */
#include "graph/graph.h"

#include <float.h>
#include <math.h>

static const double LEAST = DBL_TRUE_MIN; /* the lower bound of what is greater than 0 */
static const double EXP_MOST = 80;        /* exp of this is finite in float32 too */
static const double ANGLE_MOST = 3.2;     /* more than pi: the upper bound of an angle */

static const Range anything = {-INFINITY, INFINITY, RISK_NONE};

static Range range(double lo, double hi, Risk risk)
{
    return (Range){lo, hi, risk};
}

static Range number(double x)
{
    return range(x, x, isfinite(x) ? RISK_NONE : RISK_INFINITE);
}

Risk risk_worse(Risk a, Risk b)
{
    return a > b ? a : b;
}

/* The risk of a bounded function: it is NaN only if its operand is NaN or infinite data. */
static Risk only_data(Risk r)
{
    return r >= RISK_DATA ? RISK_DATA : RISK_NONE;
}

static bool has_zero(Range r)
{
    return r.lo <= 0 && r.hi >= 0;
}

/* 0 times infinity is 0 at the end of an interval. */
static double times(double a, double b)
{
    if (a == 0 || b == 0)
        return 0;
    return a * b;
}

/* A bound that is NaN says nothing. */
static Range bounded(double lo, double hi, Risk risk)
{
    if (isnan(lo))
        lo = -INFINITY;
    if (isnan(hi))
        hi = INFINITY;
    return range(lo, hi, risk);
}

static Range hull(Range a, Range b)
{
    return range(fmin(a.lo, b.lo), fmax(a.hi, b.hi), risk_worse(a.risk, b.risk));
}

static Range product(Range a, Range b)
{
    double p = times(a.lo, b.lo);
    double q = times(a.lo, b.hi);
    double r = times(a.hi, b.lo);
    double s = times(a.hi, b.hi);
    double lo = fmin(fmin(p, q), fmin(r, s));
    double hi = fmax(fmax(p, q), fmax(r, s));
    return range(lo, hi, risk_worse(a.risk, b.risk));
}

static Range quotient(Range a, Range b)
{
    /* 1/b falls, so its bounds change places */
    if (b.lo > 0 || b.hi < 0)
        return product(a, range(1 / b.hi, 1 / b.lo, b.risk));

    /* b may be 0 */
    double lo = a.lo >= 0 && b.lo >= 0 ? 0 : -INFINITY;
    return range(lo, INFINITY, RISK_POLE);
}

static Range absolute(Range a)
{
    double most = fmax(fabs(a.lo), fabs(a.hi));
    /* across 0, the least is 0 */
    double least = 0;
    if (!has_zero(a))
        least = fmin(fabs(a.lo), fabs(a.hi));
    return range(least, most, a.risk);
}

/* a^b; most exponents are one number k. */
static Range power(Range a, Range b)
{
    double k = b.lo;
    bool known = k == b.hi;
    bool whole = known && k == floor(k);
    bool even = whole && fmod(k, 2) == 0;

    bool infinite = known && k < 0 && has_zero(a);
    bool defined = whole || a.lo > 0 || (a.lo == 0 && k > 0);
    Risk risk = infinite || !defined ? RISK_POLE : risk_worse(a.risk, b.risk);

    /* x^k grows for x >= 0 */
    if (known && k > 0 && a.lo >= 0)
        return bounded(pow(a.lo, k), pow(a.hi, k), risk);
    /* x^k = abs(x)^k */
    if (even && k > 0) {
        Range size = absolute(a);
        return bounded(pow(size.lo, k), pow(size.hi, k), risk);
    }
    if (a.lo > 0 || even)
        return range(0, INFINITY, risk);
    return range(-INFINITY, INFINITY, risk);
}

/* f(a), where f never falls. */
static Range growing(Range a, double (*f)(double), Risk risk)
{
    return bounded(f(a.lo), f(a.hi), risk);
}

/* f(a), where f never falls and is only defined from `from` on; it may be infinite there. */
static Range growing_from(double from, Range a, double (*f)(double), Risk risk)
{
    a.lo = fmax(a.lo, from);
    a.hi = fmax(a.hi, from);
    return growing(a, f, risk);
}

static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double sign(double x)
{
    return (x > 0) - (x < 0);
}

/* Functions of two or three operands, and comparisons. */
static Range range_of_many(Op op, Range a, Range b, Range c)
{
    Risk risk = risk_worse(a.risk, b.risk);

    switch (op) {
    case OP_add: return bounded(a.lo + b.lo, a.hi + b.hi, risk);
    case OP_sub: return bounded(a.lo - b.hi, a.hi - b.lo, risk);
    case OP_mul: return product(a, b);
    case OP_div: return quotient(a, b);
    case OP_pow: return power(a, b);
    case OP_mod: return range(-INFINITY, INFINITY, has_zero(b) ? RISK_POLE : risk);
    case OP_maximum: return range(fmax(a.lo, b.lo), fmax(a.hi, b.hi), risk);
    case OP_minimum: return range(fmin(a.lo, b.lo), fmin(a.hi, b.hi), risk);
    case OP_polygamma: return range(-INFINITY, INFINITY, b.lo > 0 ? risk : RISK_POLE);
    case OP_atan2: return range(-ANGLE_MOST, ANGLE_MOST, only_data(risk));
    case OP_where: return hull(b, c);
    default: break;
    }

    /* a comparison is 0 or 1, even of NaN */
    if (op_info[op]->test)
        return range(0, 1, RISK_NONE);
    return range(-INFINITY, INFINITY, a.risk);
}

/* Functions that grow like exp: large operands overflow. */
static Range range_of_exponential(Op op, Range a)
{
    double most = a.hi;
    if (op == OP_sinh || op == OP_cosh)
        most = fmax(a.hi, -a.lo);
    Risk risk = RISK_POLE;
    if (most <= EXP_MOST)
        risk = only_data(a.risk);

    switch (op) {
    case OP_exp: return growing(a, exp, risk);
    case OP_expm1: return growing(a, expm1, risk);
    case OP_sinh: return growing(a, sinh, risk);
    default: return range(1, INFINITY, risk); /* cosh */
    }
}

/* A pole, unless the operand is where the function is defined. */
static Risk risk_unless(bool defined, Range a)
{
    return defined ? a.risk : RISK_POLE;
}

/* Functions that are only defined for some numbers. */
static Range range_of_partial(Op op, Range a)
{
    switch (op) {
    case OP_log: return growing_from(0, a, log, risk_unless(a.lo > 0, a));
    case OP_log1p: return growing_from(-1, a, log1p, risk_unless(a.lo > -1, a));
    case OP_sqrt: return growing_from(0, a, sqrt, risk_unless(a.lo >= 0, a));
    case OP_acosh: return growing_from(1, a, acosh, risk_unless(a.lo >= 1, a));
    case OP_lgamma: return range(-0.13, INFINITY, risk_unless(a.lo > 0, a));
    case OP_atanh:
    case OP_erfinv: return range(-INFINITY, INFINITY, risk_unless(a.lo > -1 && a.hi < 1, a));

    default: /* asin is in -pi/2 .. pi/2, acos in 0 .. pi */
        return range(-1.6, ANGLE_MOST, risk_unless(a.lo >= -1 && a.hi <= 1, a));
    }
}

Range range_apply(Op op, const Range *in)
{
    Range a = in[0];
    Risk bounded_risk = only_data(a.risk);

    switch (op) {
    case OP_neg: return range(-a.hi, -a.lo, a.risk);
    case OP_abs: return absolute(a);
    case OP_sign: return growing(a, sign, bounded_risk);

    case OP_floor:
    case OP_ceil:
    case OP_round: return bounded(floor(a.lo), ceil(a.hi), a.risk);
    case OP_as_int: return range(fmin(floor(a.lo), 0), fmax(ceil(a.hi), 0), RISK_NONE);

    case OP_exp:
    case OP_expm1:
    case OP_sinh:
    case OP_cosh: return range_of_exponential(op, a);

    case OP_log:
    case OP_log1p:
    case OP_sqrt:
    case OP_asin:
    case OP_acos:
    case OP_acosh:
    case OP_atanh:
    case OP_erfinv:
    case OP_lgamma: return range_of_partial(op, a);

    case OP_sin:
    case OP_cos:
    case OP_tanh:
    case OP_erf: return range(-1, 1, bounded_risk);

    case OP_erfc: return range(0, 2, bounded_risk);
    case OP_atan: return range(-ANGLE_MOST, ANGLE_MOST, bounded_risk);
    case OP_sigmoid: return growing(a, sigmoid, bounded_risk);
    case OP_softplus: return growing(a, softplus, a.risk);
    case OP_asinh: return growing(a, asinh, a.risk);

    case OP_cast:
    case OP_stop:
    case OP_copy: return a;

    default: return range_of_many(op, a, in[1], in[2]);
    }
}

/* ---- nodes ---- */

/* The node whose elements n shows, through views and changes of type. */
static const Node *shown(const Node *n)
{
    while (n->op == OP_expand || n->op == OP_reshape || n->op == OP_stop || n->op == OP_copy ||
           n->op == OP_cast)
        n = n->arg[0];
    return n;
}

/* CENTRED: x - max(x); CENTRED_FINITE: with 0 in place of an infinite maximum, as in logsumexp. */
typedef enum { CENTRED_NOT, CENTRED, CENTRED_FINITE } Centred;

/* Is n = x - max(x), where the axes of the maximum are among these? */
static Centred centred(const Node *n, uint32_t axes)
{
    if (n->op != OP_sub)
        return CENTRED_NOT;

    const Node *most = shown(n->arg[1]);
    /* where(the maximum is infinite, 0, the maximum) */
    bool chosen = most->op == OP_where && node_is(most->arg[1], 0);
    if (chosen)
        most = shown(most->arg[2]);

    if (most->op != OP_max || shown(most->arg[0]) != shown(n->arg[0]))
        return CENTRED_NOT;
    if ((most->attr.axes & ~axes) != 0)
        return CENTRED_NOT;
    return chosen ? CENTRED_FINITE : CENTRED;
}

bool node_centred(const Node *n, uint32_t axes)
{
    return n->op == OP_exp && centred(n->arg[0], axes) != CENTRED_NOT;
}

/* What is known of n in all functions of the C, or in those that train. */
static Range known(const Node *n, bool training)
{
    if (training)
        return n->trained;
    return n->range;
}

/* The range of `part`, the value of a choice where the comparison c holds, or where it does not. */
static Range where_holds(const Node *c, const Node *part, bool holds, bool training)
{
    Range r = known(part, training);
    bool less = c->op == OP_lt || c->op == OP_le;
    bool differs = holds ? c->op == OP_ne : c->op == OP_eq;

    for (int i = 0; i < 2 && c->nargs == 2; i++) {
        /* of x < y it is known on one side that x is at most y's bound, on the other that it is at
         * least y's */
        Range other = known(c->arg[1 - i], training);
        if (shown(c->arg[i]) != shown(part))
            continue;

        /* part < other, or part <= other */
        if (less && holds == (i == 0))
            r.hi = fmin(r.hi, other.hi);

        /* other < part, or other <= part */
        if (less && holds == (i == 1)) {
            bool strict = (c->op == OP_lt) == holds;
            r.lo = fmax(r.lo, strict && other.lo == 0 ? LEAST : other.lo);
        }

        /* part is at least 0 and is not 0 */
        if (differs && node_is(c->arg[1 - i], 0) && r.lo == 0)
            r.lo = LEAST;
    }
    return r;
}

enum { MANY_FACTORS = 8 };

/* The factors of a product that were met an odd number of times. */
typedef struct Odd {
    const Node *factor[MANY_FACTORS];
    int count;
} Odd;

/* Meets the factor x once more; false: there are too many. */
static bool odd_meet(Odd *odd, const Node *x)
{
    int i = 0;
    while (i < odd->count && odd->factor[i] != x)
        i++;

    /* a second time: a pair, which is a square */
    if (i < odd->count)
        odd->factor[i] = odd->factor[--odd->count];
    else if (odd->count < MANY_FACTORS)
        odd->factor[odd->count++] = x;
    else
        return false;
    return true;
}

/* The sign of a product in which each factor that is not a number occurs an even number of times.
 * 0: the sign is not known. */
static int sign_of_square(const Node *n)
{
    const Node *todo[MANY_FACTORS] = {n};
    Odd odd = {{NULL}, 0};
    int left = 1, sign = 1, looked_at = 0;

    while (left > 0) {
        const Node *x = todo[--left];
        double v;

        if (++looked_at > 8 * MANY_FACTORS) /* of a long chain, or a power of a power */
            return 0;
        if (node_const(x, &v)) {
            if (v < 0)
                sign = -sign;
            continue;
        }

        /* signs multiply through products, quotients by a number and minus */
        bool two = x->op == OP_mul || (x->op == OP_div && node_const(x->arg[1], &v));
        if (x->op == OP_neg || two) {
            if (left + 2 > MANY_FACTORS)
                return 0;
            if (x->op == OP_neg)
                sign = -sign;
            todo[left++] = x->arg[0];
            if (two)
                todo[left++] = x->arg[1];
        } else if (!odd_meet(&odd, x))
            return 0;
    }
    return odd.count == 0 ? sign : 0;
}

static Range sum_range(const Graph *g, const Node *n, bool training)
{
    const Node *a = n->arg[0];
    Range r = known(a, training);
    double most = 1; /* terms */
    for (int i = 0; i < a->shape.rank; i++)
        if (n->attr.axes >> i & 1)
            most *= (double)size_max(g, a->shape.dim[i]);

    /* n terms of at least lo are at least n*lo; a bound that is not negative holds for any number
     * of terms, as one is the least */
    if (r.lo < 0)
        r.lo = times(r.lo, most);
    if (r.hi > 0)
        r.hi = times(r.hi, most);

    /* In sum(exp(x - max(x))) the largest term is exp(0). */
    if (a->op == OP_exp && centred(a->arg[0], n->attr.axes) == CENTRED)
        r.lo = 1;
    return r;
}

/* x*x is not negative, whatever x is. */
static Range product_range(const Node *n, const Range *in)
{
    Range r = product(in[0], in[1]);
    int sign = sign_of_square(n);

    if (sign > 0)
        r.lo = fmax(r.lo, 0);
    if (sign < 0)
        r.hi = fmin(r.hi, 0);
    return r;
}

static Range choice_range(const Node *n, bool training)
{
    const Node *c = n->arg[0];
    if (training && shown(c)->op == OP_training)
        return n->arg[1]->trained;
    return hull(where_holds(c, n->arg[1], true, training),
                where_holds(c, n->arg[2], false, training));
}

static Risk worst_operand(const Node *n, bool training)
{
    Risk risk = RISK_NONE;
    for (int i = 0; i < n->nargs; i++)
        risk = risk_worse(risk, known(n->arg[i], training).risk);
    return risk;
}

/* Weights are finite; float data may be anything. */
static Range var_range(const Node *n)
{
    Range r = anything;
    if (n->attr.var->kind == VAR_INPUT && n->type == T_FLOAT)
        r.risk = RISK_DATA;
    return r;
}

static Range concat_range(const Node *n, bool training)
{
    Range r = known(n->arg[0], training);
    for (int i = 1; i < n->nargs; i++)
        r = hull(r, known(n->arg[i], training));
    return r;
}

/* A sum of products. A mask would not help against data that is not finite: it has already spoilt
 * the whole result. So only a pole counts. */
static Range products_range(const Node *n, bool training)
{
    Range r = anything;
    if (worst_operand(n, training) == RISK_POLE)
        r.risk = RISK_POLE;
    return r;
}

/* x - max(x) is at most 0. */
static Range difference_range(const Node *n, const Range *in)
{
    Range r = range_apply(OP_sub, in);
    if (centred(n, ~0u) != CENTRED_NOT)
        r.hi = fmin(r.hi, 0);
    return r;
}

static Range range_of(const Graph *g, const Node *n, bool training)
{
    Range in[3] = {anything, anything, anything};
    for (int i = 0; i < n->nargs && i < 3; i++)
        in[i] = known(n->arg[i], training);

    switch (n->op) {
    case OP_const: return number(n->attr.value);
    case OP_size: return range(LEAST, INFINITY, RISK_NONE);
    case OP_var: return var_range(n);
    case OP_index: return range(0, INFINITY, RISK_NONE);
    case OP_passes: return range(0, INFINITY, RISK_NONE);

    /* it may grow from pass to pass; graph_loop says if a pass makes it worse */
    case OP_carried: return range(-INFINITY, INFINITY, RISK_DATA);
    case OP_last:
    case OP_collect: return range(-INFINITY, INFINITY, risk_worse(RISK_DATA, in[0].risk));

    case OP_iota:
    case OP_argmax: return range(0, INFINITY, RISK_NONE);

    case OP_training:
    case OP_noise: return range(0, 1, RISK_NONE);

    case OP_order: {
        const Shape *s = &n->arg[0]->shape;
        return range(0, (double)size_max(g, s->dim[s->rank - 1]) - 1, RISK_NONE);
    }

    case OP_expand:
    case OP_reshape:
    case OP_permute:
    case OP_slice:
    case OP_max:
    case OP_gather:
    case OP_given: return in[0];

    case OP_pad: return hull(in[0], number(0));
    case OP_concat: return concat_range(n, training);
    case OP_sum: return sum_range(g, n, training);

    case OP_matmul:
    case OP_conv:
    case OP_convk: return products_range(n, training);

    /* infinite where the matrix has no inverse */
    case OP_logdet:
    case OP_solve: return range(-INFINITY, INFINITY, RISK_POLE);

    case OP_where: return choice_range(n, training);
    case OP_mul: return product_range(n, in);
    case OP_sub: return difference_range(n, in);
    default: break;
    }

    if (node_has(n, F_ELEMENTWISE))
        return range_apply(n->op, in);
    return range(-INFINITY, INFINITY, worst_operand(n, training));
}

static bool same_range(Range a, Range b)
{
    return a.lo == b.lo && a.hi == b.hi && a.risk == b.risk;
}

void range_find(const Graph *g, Node *n)
{
    bool same = n->op != OP_where || shown(n->arg[0])->op != OP_training;

    for (int i = 0; i < n->nargs && same; i++)
        same = same_range(n->arg[i]->range, n->arg[i]->trained);
    n->range = range_of(g, n, false);
    n->trained = n->range;
    if (!same)
        n->trained = range_of(g, n, true);
}
