/* emit_bounds.c - which ints may leave their range: they need functions that compute with unsigned
 * ints, because overflow has no meaning in C. */
#include "emit/emit.h"

#include <math.h>

/* The bounds of an int. Labels are checked before they are read. */
typedef struct Bounds {
    double lo, hi;
} Bounds;

static const Bounds any_int = {INT32_MIN, INT32_MAX}, index_bounds = {0, 1 << 30};

/* A comparison gives 0 or 1. */
static Bounds truth_bounds(const Val *v)
{
    if (v->kind == V_OP && op_info[v->op]->test)
        return (Bounds){0, 1};
    return any_int;
}

static Bounds load_bounds(const Node *n)
{
    const Var *var = n->op == OP_var ? n->attr.var : NULL;
    /* classes, which are checked: 0 .. limit - 1 */
    if (var && var->kind == VAR_INPUT && var->limit > 0)
        return (Bounds){0, (double)var->limit - 1};
    return (Bounds){fmax(n->range.lo, any_int.lo), fmin(n->range.hi, any_int.hi)};
}

static Bounds bounds_of(const Val *v);

/* 0 is the value where a guard fails, and the sum of no terms. */
static Bounds with_zero(Bounds b)
{
    return (Bounds){fmin(b.lo, 0), fmax(b.hi, 0)};
}

/* The extrema of a product are products of extrema. */
static Bounds product_bounds(Bounds a, Bounds b)
{
    double c = a.lo * b.lo;
    double d = a.lo * b.hi;
    double e = a.hi * b.lo;
    double f = a.hi * b.hi;

    return (Bounds){fmin(fmin(c, d), fmin(e, f)), fmax(fmax(c, d), fmax(e, f))};
}

/* Before anything goes round. */
static Bounds op_bounds(const Val *v)
{
    Bounds a = any_int;
    if (v->arg[0])
        a = bounds_of(v->arg[0]);
    Bounds b = any_int;
    if (v->arg[1])
        b = bounds_of(v->arg[1]);

    switch (v->op) {
    case OP_add: return (Bounds){a.lo + b.lo, a.hi + b.hi};
    case OP_sub: return (Bounds){a.lo - b.hi, a.hi - b.lo};
    case OP_neg: return (Bounds){-a.hi, -a.lo};
    case OP_mul: return product_bounds(a, b);
    /* the remainder has the sign of the divisor */
    case OP_mod: return with_zero(b);
    case OP_maximum: return (Bounds){fmax(a.lo, b.lo), fmax(a.hi, b.hi)};
    case OP_minimum: return (Bounds){fmin(a.lo, b.lo), fmin(a.hi, b.hi)};
    case OP_where: {
        Bounds c = bounds_of(v->arg[2]);
        return (Bounds){fmin(b.lo, c.lo), fmax(b.hi, c.hi)};
    }
    default: return truth_bounds(v);
    }
}

static bool leaves_ints(Bounds b)
{
    return b.lo < any_int.lo || b.hi > any_int.hi;
}

/* What leaves the range goes round, and then may be anything. */
static Bounds wrapped(Bounds b)
{
    if (leaves_ints(b))
        return any_int;
    return b;
}

static Bounds bounds_of(const Val *v)
{
    if (v->type != T_INT)
        return truth_bounds(v);
    switch (v->kind) {
    case V_CONST: return (Bounds){v->value, v->value};
    case V_LOAD: return load_bounds(v->node);
    case V_GUARD: return with_zero(bounds_of(v->arg[0]));
    case V_OP: return wrapped(op_bounds(v));
    default: return index_bounds;
    }
}

/* The function in place of an operator on ints, if the result may leave their range. A remainder
 * of ints has a function of its own. NULL: none. */
const char *bounds_int_form(const Val *v)
{
    if (v->type == T_INT && v->op == OP_mod)
        return "ngrt_mod_int($a, $b)";
    if (v->type != T_INT || !leaves_ints(op_bounds(v)))
        return NULL;
    /* overflow of int has no meaning in C: these functions compute with unsigned ints */
    switch (v->op) {
    case OP_add: return "ngrt_add_int($a, $b)";
    case OP_sub: return "ngrt_sub_int($a, $b)";
    case OP_mul: return "ngrt_mul_int($a, $b)";
    case OP_neg: return "ngrt_sub_int(0, $a)";
    default: return NULL;
    }
}

/* May the sum of this many ints leave their range? */
bool bounds_sum_leaves(const Val *v, double terms)
{
    Bounds b = bounds_of(v);
    Bounds all = {b.lo * terms, b.hi * terms};
    return leaves_ints(with_zero(all)); /* partial sums too */
}
