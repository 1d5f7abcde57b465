/* stable_kind.c - what values are made of: may exponentials in them overflow or vanish, and is
 * there a better form? In: a node and the kinds of its operands. Out: its kind. */
#include "graph/stable.h"

#include <math.h>

bool stable_is_map(const Node *n)
{
    return node_has(n, F_VIEW) && n->type == T_FLOAT;
}

static bool is_tame(Range r)
{
    return r.lo >= 1e-30 && r.hi <= 1e30;
}

/* The kind of operand i of n. */
unsigned stable_operand(const unsigned char *kind, const Node *n, int i)
{
    if (i < n->nargs)
        return kind[arg_id(n, i)];
    return 0;
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
    if (k < 0 && a & BARE)
        return as_ratio(a);
    return a;
}

/* Is n a positive number to the power of something, which is exp(rate u)? */
bool stable_is_exp(const Node *n, double *rate)
{
    double c;
    if (n->op != OP_pow || !node_const(n->arg[0], &c) || !(c > 0 && isfinite(c)) || c == 1)
        return false;
    *rate = log(c);
    return true;
}

static Range range_times(Range r, double k)
{
    double a = r.lo * k;
    double b = r.hi * k;
    r.lo = fmin(a, b);
    r.hi = fmax(a, b);
    return r;
}

static unsigned kind_of_all(const unsigned char *kind, const Node *n)
{
    unsigned all = 0;
    for (int i = 0; i < n->nargs; i++)
        all |= kind[arg_id(n, i)];
    return all;
}

/* By the op and the kinds of the operands. */
static unsigned kind_by_op(const unsigned char *kind, const Node *n)
{
    unsigned a = stable_operand(kind, n, 0);
    unsigned b = stable_operand(kind, n, 1);
    double rate;

    switch (n->op) {
    case OP_expm1:
    case OP_sinh: return SHIFTED;
    case OP_cosh: return BARE | GROWS;
    case OP_exp: return kind_of_exp(n->arg[0]->range);
    case OP_sigmoid:
    case OP_tanh: return LOGISTIC;
    case OP_add:
    case OP_sub:
    case OP_maximum: return kind_of_sum(a, b);
    case OP_mul: return kind_of_product(a, b);
    case OP_div: return b & BARE ? as_ratio(a | b) : a | b;
    case OP_neg:
    case OP_sqrt:
    case OP_copy: return a;
    case OP_pow:
        if (stable_is_exp(n, &rate))
            return kind_of_exp(range_times(n->arg[1]->range, rate));
        return kind_of_power(n, a);
    case OP_matmul: return a | b;
    case OP_minimum: return a | b;
    case OP_where: return b | kind[arg_id(n, 2)];
    case OP_max: return a;
    case OP_sum: return node_centred(n->arg[0], n->attr.axes) ? 0 : a;
    case OP_concat: return kind_of_all(kind, n);
    default: return stable_is_map(n) ? a : 0;
    }
}

unsigned stable_kind(const unsigned char *kind, const Node *n)
{
    if (n->type != T_FLOAT || n->scaled)
        return 0;

    unsigned all = kind_by_op(kind, n);
    bool is_function = n->op == OP_exp || n->op == OP_expm1 || n->op == OP_sinh || n->op == OP_cosh;
    if (is_tame(n->range) && !is_function)
        return all & (LOGISTIC | TAIL);
    return all;
}

/* May n overflow, or is there a better form of it? */
bool stable_is_risky(const unsigned char *kind, const Node *n)
{
    unsigned a = stable_operand(kind, n, 0);
    unsigned b = stable_operand(kind, n, 1);
    unsigned either = a | b;
    unsigned both = a & b;
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
