/* range.c - between which numbers a value lies, and whether it may be infinite or NaN. Worked out
 * once for each node, from those of its operands, when it is made; and for a derivative rule, from
 * the ranges of what it speaks of. Bounds hold for exact arithmetic on numbers; what a function is
 * not defined for is its risk. */
#include "ngc.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double LEAST = DBL_TRUE_MIN; /* the lower bound of what is more than 0 */
static const double EXP_MOST = 80;        /* exp of this is finite in float32 too */

static const Range anything = {-INFINITY, INFINITY, RISK_NONE};

static Range range(double lo, double hi, Risk risk)
{
    return (Range){lo, hi, risk};
}

static Risk worse(Risk a, Risk b)
{
    return a > b ? a : b;
}

/* Of a bounded function: it is NaN only of NaN. */
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
    return a == 0 || b == 0 ? 0 : a * b;
}

/* A bound that is not a number is none. */
static Range bounded(double lo, double hi, Risk risk)
{
    return range(isnan(lo) ? -INFINITY : lo, isnan(hi) ? INFINITY : hi, risk);
}

static Range hull(Range a, Range b)
{
    return range(fmin(a.lo, b.lo), fmax(a.hi, b.hi), worse(a.risk, b.risk));
}

static Range product(Range a, Range b)
{
    double p = times(a.lo, b.lo), q = times(a.lo, b.hi), r = times(a.hi, b.lo),
           s = times(a.hi, b.hi);
    return range(fmin(fmin(p, q), fmin(r, s)), fmax(fmax(p, q), fmax(r, s)), worse(a.risk, b.risk));
}

static Range quotient(Range a, Range b)
{
    if (b.lo > 0 || b.hi < 0)
        return product(a, range(1 / b.hi, 1 / b.lo, b.risk));

    double lo = a.lo >= 0 && b.lo >= 0 ? 0 : -INFINITY;
    return range(lo, INFINITY, RISK_POLE);
}

static Range power(Range a, Range b)
{
    double k = b.lo;
    Risk risk = worse(a.risk, b.risk);
    bool whole = k == b.hi && k == floor(k), even = whole && fmod(k, 2) == 0;

    if (k == b.hi && k < 0 && has_zero(a))
        risk = RISK_POLE;
    if (!whole && !(a.lo > 0 || (a.lo == 0 && k > 0)))
        risk = RISK_POLE;
    if (k == b.hi && k > 0 && a.lo >= 0)
        return bounded(pow(a.lo, k), pow(a.hi, k), risk);
    if (even && k > 0)
        return bounded(has_zero(a) ? 0 : pow(fmin(fabs(a.lo), fabs(a.hi)), k),
                       pow(fmax(fabs(a.lo), fabs(a.hi)), k), risk);
    if (a.lo > 0)
        return range(0, INFINITY, risk);
    return range(even ? 0 : -INFINITY, INFINITY, risk);
}

/* A function that grows from `low` to `high`, of what lies between them. */
static Range growing(Range a, double (*f)(double), Risk risk)
{
    return bounded(f(a.lo), f(a.hi), risk);
}

static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

Range range_apply(Op op, const Range *in)
{
    Range a = in[0], b = in[1];
    Risk pole = a.lo > 0 ? a.risk : RISK_POLE; /* of what is defined above 0 */

    switch (op) {
    case OP_add: return bounded(a.lo + b.lo, a.hi + b.hi, worse(a.risk, b.risk));
    case OP_sub: return bounded(a.lo - b.hi, a.hi - b.lo, worse(a.risk, b.risk));
    case OP_mul: return product(a, b);
    case OP_div: return quotient(a, b);
    case OP_neg: return range(-a.hi, -a.lo, a.risk);
    case OP_pow: return power(a, b);
    case OP_mod: return range(-INFINITY, INFINITY, has_zero(b) ? RISK_POLE : worse(a.risk, b.risk));
    case OP_maximum: return range(fmax(a.lo, b.lo), fmax(a.hi, b.hi), worse(a.risk, b.risk));
    case OP_minimum: return range(fmin(a.lo, b.lo), fmin(a.hi, b.hi), worse(a.risk, b.risk));
    case OP_where: return hull(b, in[2]);
    case OP_lt:
    case OP_le:
    case OP_eq:
    case OP_ne: return range(0, 1, RISK_NONE);
    case OP_exp: return growing(a, exp, a.hi <= EXP_MOST ? only_data(a.risk) : RISK_POLE);
    case OP_expm1: return growing(a, expm1, a.hi <= EXP_MOST ? only_data(a.risk) : RISK_POLE);
    case OP_sinh:
        return growing(a, sinh, fmax(a.hi, -a.lo) <= EXP_MOST ? only_data(a.risk) : RISK_POLE);
    case OP_cosh:
        return range(1, INFINITY, fmax(a.hi, -a.lo) <= EXP_MOST ? only_data(a.risk) : RISK_POLE);
    case OP_log: return growing(range(fmax(a.lo, 0), fmax(a.hi, 0), a.risk), log, pole);
    case OP_log1p:
        return growing(range(fmax(a.lo, -1), fmax(a.hi, -1), a.risk), log1p,
                       a.lo > -1 ? a.risk : RISK_POLE);
    case OP_sqrt:
        return growing(range(fmax(a.lo, 0), fmax(a.hi, 0), a.risk), sqrt,
                       a.lo >= 0 ? a.risk : RISK_POLE);
    case OP_abs:
        return range(has_zero(a) ? 0 : fmin(fabs(a.lo), fabs(a.hi)), fmax(fabs(a.lo), fabs(a.hi)),
                     a.risk);
    case OP_sign:
        return growing(range(a.lo < 0 ? -1 : a.lo > 0, a.hi > 0 ? 1 : -(a.hi < 0), a.risk), floor,
                       only_data(a.risk));
    case OP_floor:
    case OP_ceil:
    case OP_round: return bounded(floor(a.lo), ceil(a.hi), a.risk);
    case OP_sin:
    case OP_cos: return range(-1, 1, only_data(a.risk));
    case OP_asin:
    case OP_acos: return range(-1.6, 3.2, a.lo >= -1 && a.hi <= 1 ? a.risk : RISK_POLE);
    case OP_atan:
    case OP_atan2:
        return range(-3.2, 3.2, only_data(worse(a.risk, op == OP_atan2 ? b.risk : RISK_NONE)));
    case OP_tanh:
    case OP_erf: return range(-1, 1, only_data(a.risk));
    case OP_erfc: return range(0, 2, only_data(a.risk));
    case OP_sigmoid: return growing(a, sigmoid, only_data(a.risk));
    case OP_softplus: return growing(a, softplus, a.risk);
    case OP_cast:
    case OP_stop:
    case OP_copy: return a;
    default: return range(-INFINITY, INFINITY, a.risk);
    }
}

/* ---- nodes ---- */

/* What an index map or a change of type shows. */
static const Node *shown(const Node *n)
{
    while (n->op == OP_expand || n->op == OP_reshape || n->op == OP_stop || n->op == OP_copy ||
           n->op == OP_cast)
        n = n->arg[0];
    return n;
}

typedef enum { CENTRED_NOT, CENTRED, CENTRED_FINITE } Centred;

/* Is n = x - max(x), over axes that are among these? CENTRED_FINITE: with 0 in place of a maximum
 * that is infinite, as logsumexp has it. */
static Centred centred(const Node *n, uint32_t axes)
{
    if (n->op != OP_sub)
        return CENTRED_NOT;
    const Node *most = shown(n->arg[1]);
    bool chosen = most->op == OP_where && node_is(most->arg[1], 0);
    if (chosen)
        most = shown(most->arg[2]);
    if (most->op != OP_max || shown(most->arg[0]) != shown(n->arg[0]) ||
        (most->attr.axes & ~axes) != 0)
        return CENTRED_NOT;
    return chosen ? CENTRED_FINITE : CENTRED;
}

bool node_centred(const Node *n, uint32_t axes)
{
    return n->op == OP_exp && centred(n->arg[0], axes) != CENTRED_NOT;
}

/* The range of `part`, a way of a choice, where the comparison c holds, or does not. */
static Range where_holds(const Node *c, const Node *part, bool holds)
{
    Range r = part->range;
    bool less = c->op == OP_lt || c->op == OP_le;

    for (int i = 0; i < 2 && c->nargs == 2; i++) {
        Range other = c->arg[1 - i]->range;
        if (shown(c->arg[i]) != shown(part))
            continue;
        if (less && holds == (i == 0)) /* part below the other, or not above it */
            r.hi = fmin(r.hi, other.hi);
        if (less && holds == (i == 1)) {
            bool open = (c->op == OP_lt) == holds;
            r.lo = fmax(r.lo, open && other.lo == 0 ? LEAST : other.lo);
        }
        if (((c->op == OP_eq && !holds) || (c->op == OP_ne && holds)) &&
            node_is(c->arg[1 - i], 0) && r.lo == 0)
            r.lo = LEAST;
    }
    return r;
}

/* The sign of a product in which each factor, but for numbers, stands an even number of times; 0:
 * it is not known. */
static int sign_of_square(const Node *n)
{
    enum { MOST = 8 };
    const Node *todo[MOST] = {n}, *odd[MOST];
    int left = 1, n_odd = 0, sign = 1;

    while (left > 0) {
        const Node *x = todo[--left];
        double v;
        int i = 0;
        if (node_const(x, &v)) {
            sign = v < 0 ? -sign : sign;
            continue;
        }
        if (x->op == OP_neg || x->op == OP_mul || (x->op == OP_div && node_const(x->arg[1], &v))) {
            if (left + 2 > MOST)
                return 0;
            sign = x->op == OP_neg ? -sign : sign;
            todo[left++] = x->arg[0];
            if (x->op != OP_neg)
                todo[left++] = x->arg[1];
            continue;
        }
        while (i < n_odd && odd[i] != x)
            i++;
        if (i < n_odd)
            odd[i] = odd[--n_odd];
        else if (n_odd == MOST)
            return 0;
        else
            odd[n_odd++] = x;
    }
    return n_odd == 0 ? sign : 0;
}

static Range sum_range(const Graph *g, const Node *n)
{
    const Node *a = n->arg[0];
    Range r = a->range;
    double most = 1;
    for (int i = 0; i < a->shape.rank; i++)
        if (n->attr.axes >> i & 1)
            most *= (double)size_max(g, a->shape.dim[i]);

    r.lo = r.lo < 0 ? times(r.lo, most) : r.lo;
    r.hi = r.hi > 0 ? times(r.hi, most) : r.hi;
    if (a->op == OP_exp && centred(a->arg[0], n->attr.axes) == CENTRED) /* the largest is exp(0) */
        r.lo = 1;
    return r;
}

static Risk worst_operand(const Node *n)
{
    Risk risk = RISK_NONE;
    for (int i = 0; i < n->nargs; i++)
        risk = worse(risk, n->arg[i]->range.risk);
    return risk;
}

Range range_of(const Graph *g, const Node *n)
{
    Range in[3] = {anything, anything, anything}, r = anything;
    int square;
    for (int i = 0; i < n->nargs && i < 3; i++)
        in[i] = n->arg[i]->range;

    switch (n->op) {
    case OP_const:
        return range(n->attr.value, n->attr.value,
                     isfinite(n->attr.value) ? RISK_NONE : RISK_INFINITE);
    case OP_size: return range(LEAST, INFINITY, RISK_NONE);
    case OP_iota:
    case OP_argmax: return range(0, INFINITY, RISK_NONE);
    case OP_training:
    case OP_noise: return range(0, 1, RISK_NONE);
    case OP_var:
        r.risk = n->attr.var->kind == VAR_INPUT && n->type == T_FLOAT ? RISK_DATA : RISK_NONE;
        return r;
    case OP_expand:
    case OP_reshape:
    case OP_permute:
    case OP_slice:
    case OP_max:
    case OP_gather: return in[0];
    case OP_pad: return hull(in[0], range(0, 0, RISK_NONE));
    case OP_sum: return sum_range(g, n);
    case OP_concat:
        r = in[0];
        for (int i = 1; i < n->nargs; i++)
            r = hull(r, n->arg[i]->range);
        return r;
    case OP_matmul:
    case OP_conv:
    case OP_convk: /* data that is not finite has spoilt all of it */
        r.risk = worst_operand(n) == RISK_POLE ? RISK_POLE : RISK_NONE;
        return r;
    case OP_logdet:
    case OP_solve: r.risk = RISK_POLE; return r;
    case OP_where:
        if (shown(n->arg[0])->op == OP_training) /* derivatives are those of training */
            return in[1];
        return hull(where_holds(n->arg[0], n->arg[1], true),
                    where_holds(n->arg[0], n->arg[2], false));
    case OP_mul:
        r = product(in[0], in[1]);
        square = sign_of_square(n);
        if (square > 0)
            r.lo = fmax(r.lo, 0);
        if (square < 0)
            r.hi = fmin(r.hi, 0);
        return r;
    case OP_sub:
        r = range_apply(OP_sub, in);
        if (centred(n, ~0u) != CENTRED_NOT)
            r.hi = fmin(r.hi, 0);
        return r;
    default: break;
    }
    if (op_info[n->op]->flags & F_ELEMENTWISE)
        return range_apply(n->op, in);
    r.risk = worst_operand(n);
    return r;
}
