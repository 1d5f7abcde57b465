/* op_math.c - records of the functions of one element. */
#include "ngc.h"

#include "../runtime/ngrt_math.h"
#include <math.h>

#define UNARY(name)                                      \
    static double v_##name(double a, double b, double c) \
    {                                                    \
        (void)b;                                         \
        (void)c;                                         \
        return name(a);                                  \
    }
UNARY(exp)
UNARY(expm1)
UNARY(log)
UNARY(log1p)
UNARY(sqrt)
UNARY(fabs)
UNARY(floor)
UNARY(ceil)
UNARY(rint)
UNARY(sin)
UNARY(cos)
UNARY(tan)
UNARY(asin)
UNARY(acos)
UNARY(atan)
UNARY(sinh)
UNARY(cosh)
UNARY(tanh)
UNARY(erf)
UNARY(erfc)
UNARY(ngrt_sign)
UNARY(ngrt_sigmoid)
UNARY(ngrt_softplus)
static double v_atan2(double a, double b, double c)
{
    (void)c;
    return atan2(a, b);
}

/* y = f(a); slope: d loss / d a */
#define RECORD(op, f, slope, words)                 \
    const OpInfo op_##op = {.name = #op,            \
                            .arity = 1,             \
                            .flags = F_ELEMENTWISE, \
                            .value = v_##f,         \
                            .c = #f "@($a)",        \
                            .prec = 16,             \
                            .rule = {slope},        \
                            .teach = words}
/* the same with what is quick in float32: one at a time, and of vectors */
#define RECORD_FLOAT(op, f, fast, many, slope, words) \
    const OpInfo op_##op = {.name = #op,              \
                            .arity = 1,               \
                            .flags = F_ELEMENTWISE,   \
                            .value = v_##f,           \
                            .c = #f "@($a)",          \
                            .c_float = fast,          \
                            .vec_float = many,        \
                            .prec = 16,               \
                            .rule = {slope},          \
                            .teach = words}
#define RECORD_VEC(op, f, many, slope, words)       \
    const OpInfo op_##op = {.name = #op,            \
                            .arity = 1,             \
                            .flags = F_ELEMENTWISE, \
                            .value = v_##f,         \
                            .c = #f "@($a)",        \
                            .vec = many,            \
                            .prec = 16,             \
                            .rule = {slope},        \
                            .teach = words}
#define FLAT(op, f)                                                    \
    const OpInfo op_##op = {.name = #op,                               \
                            .arity = 1,                                \
                            .flags = F_ELEMENTWISE | F_CHEAP | F_FLAT, \
                            .value = v_##f,                            \
                            .c = #f "@($a)",                           \
                            .prec = 16,                                \
                            .teach = "flat: passes nothing back"}
#define FLAT_VEC(op, f, many)                                          \
    const OpInfo op_##op = {.name = #op,                               \
                            .arity = 1,                                \
                            .flags = F_ELEMENTWISE | F_CHEAP | F_FLAT, \
                            .value = v_##f,                            \
                            .c = #f "@($a)",                           \
                            .vec = many,                               \
                            .prec = 16,                                \
                            .teach = "flat: passes nothing back"}

RECORD_FLOAT(exp, exp, "ngrt_expf($a)", "NGRT_OF(expf, $a)", "dy*y", "exp: its own slope");
RECORD(expm1, expm1, "dy*exp(a)", "exp, less 1: exp");
RECORD_FLOAT(log, log, "ngrt_logf($a)", "NGRT_OF(logf, $a)", "dy/a", "log: divides by its input");
RECORD(log1p, log1p, "dy/(1 + a)", "log of 1 + a");
RECORD_VEC(sqrt, sqrt, "NGRT_LANEWISE(sqrt@, $a)", "dy/(2*y)", "root: divides by twice itself");
RECORD_VEC(abs, fabs, "NGRT_ABS($a)", "dy*sign(a)", "absolute value: keeps or turns the sign");
FLAT_VEC(sign, ngrt_sign, "NGRT_SIGN($a)");
FLAT(floor, floor);
FLAT(ceil, ceil);
FLAT(round, rint);
RECORD(sin, sin, "dy*cos(a)", "sine");
RECORD(cos, cos, "-dy*sin(a)", "cosine");
RECORD(tan, tan, "dy*(1 + y*y)", "tangent");
/* 1 - a^2 in the form that keeps its digits: the product near 1, the difference near 0, where it is
 * differentiated again */
#define UP_TO_ONE "sqrt(where(abs(a) < 0.5, 1 - a*a, (1 - a)*(1 + a)))"
RECORD(asin, asin, "dy/" UP_TO_ONE, "arc sine");
RECORD(acos, acos, "-dy/" UP_TO_ONE, "arc cosine");
RECORD(atan, atan, "dy/(1 + a*a)", "arc tangent");
RECORD(sinh, sinh, "dy*cosh(a)", "hyperbolic sine");
RECORD(cosh, cosh, "dy*sinh(a)", "hyperbolic cosine");
RECORD_FLOAT(tanh, tanh, "ngrt_tanhf($a)", "NGRT_OF(tanhf, $a)", "dy*(1 - y*y)",
             "tanh: 1 less its square");
RECORD_FLOAT(erf, erf, "ngrt_erff($a)", "NGRT_OF(erff, $a)", "dy*1.1283791670955126*exp(-a*a)",
             "error function: 2/sqrt(pi) exp(-a^2)");
RECORD_FLOAT(erfc, erfc, "ngrt_erfcf($a)", "NGRT_OF(erfcf, $a)", "-dy*1.1283791670955126*exp(-a*a)",
             "1 less the error function");
RECORD_FLOAT(sigmoid, ngrt_sigmoid, "ngrt_sigmoidf($a)", "NGRT_OF(sigmoidf, $a)", "dy*y*(1 - y)",
             "sigmoid: y (1 - y)");
RECORD_FLOAT(softplus, ngrt_softplus, "ngrt_softplusf($a)", "NGRT_OF(softplusf, $a)",
             "dy*sigmoid(a)", "softplus: sigmoid");

/* The angle of the point (b, a), as C's atan2(y, x). Its slopes b/(a^2 + b^2) and -a/(a^2 + b^2)
 * are computed from numbers near 1, so that the squares neither overflow nor vanish; at (0, 0) they
 * are 0. */
#define LARGER  "maximum(abs(a), abs(b))"
#define SCALE   "stop(where((0 < " LARGER ")*(" LARGER " - " LARGER " == 0), " LARGER ", 1))"
#define SQUARES "(a/" SCALE "*a + b/" SCALE "*b + (" LARGER " == 0))"

static const char *said_atan2(Ngc *ngc, const Node *y, int operand)
{
    (void)ngc;
    (void)y;
    return operand == 0 ? "dy*b/(a*a + b*b)" : "-dy*a/(a*a + b*b)";
}

const OpInfo op_atan2 = {.name = "atan2",
                         .arity = 2,
                         .flags = F_ELEMENTWISE,
                         .value = v_atan2,
                         .c = "atan2@($a, $b)",
                         .prec = 16,
                         .rule = {"where(" LARGER " == 0, 0, dy*(b/" SCALE ")/" SQUARES ")",
                                  "where(" LARGER " == 0, 0, -dy*(a/" SCALE ")/" SQUARES ")"},
                         .said = said_atan2,
                         .teach = "angle of a point"};
