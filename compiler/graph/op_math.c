/* op_math.c - records of the functions of one element. */
#include "graph/graph.h"

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

/* y = f(a), where f is the name of the function in C. The members that differ follow. */
#define FUNCTION(op, f, flag, ...)                         \
    const OpInfo op_##op = {.name = #op,                   \
                            .arity = 1,                    \
                            .flags = F_ELEMENTWISE | flag, \
                            .params = "x",                 \
                            .value = v_##f,                \
                            .c = #f "@($a)",               \
                            .prec = 16,                    \
                            __VA_ARGS__}
#define SMOOTH(op, f, ...) FUNCTION(op, f, 0, __VA_ARGS__)
/* The form for vectors is a macro. */
#define MACRO(op, f, ...) FUNCTION(op, f, F_MACRO, __VA_ARGS__)
/* The slope is 0 everywhere. */
#define FLAT(op, f, flag, ...) \
    FUNCTION(op, f, F_CHEAP | F_FLAT | flag, .teach = "flat: passes nothing back", __VA_ARGS__)

MACRO(exp, exp, .rule = {"dy*y"}, .js = "Math.exp", .c_float = "ngrt_expf($a)",
      .vec_float = "NGRT_OF(expf, $a)", .teach = "exp: its own slope");
SMOOTH(expm1, expm1, .rule = {"dy*exp(a)"}, .js = "Math.expm1", .teach = "exp, less 1: exp");
MACRO(log, log, .domain = DOMAIN_POSITIVE, .rule = {"dy/a"}, .js = "Math.log",
      .c_float = "ngrt_logf($a)", .vec_float = "NGRT_OF(logf, $a)",
      .teach = "log: divides by its input");
SMOOTH(log1p, log1p, .domain = DOMAIN_POSITIVE, .rule = {"dy/(1 + a)"}, .js = "Math.log1p",
       .teach = "log of 1 + a");
MACRO(sqrt, sqrt, .domain = DOMAIN_POSITIVE, .rule = {"dy/(2*y)"}, .js = "Math.sqrt",
      .vec = "NGRT_LANEWISE(sqrt@, $a)", .teach = "root: divides by twice itself");
MACRO(abs, fabs, .domain = DOMAIN_NONZERO, .rule = {"dy*sign(a)"}, .js = "Math.abs",
      .vec = "NGRT_ABS($a)", .teach = "absolute value: keeps or changes the sign");
FLAT(sign, ngrt_sign, F_MACRO, .js = "a => a > 0 ? 1 : a < 0 ? -1 : a", .vec = "NGRT_SIGN($a)");
FLAT(floor, floor, 0, .js = "Math.floor");
FLAT(ceil, ceil, 0, .js = "Math.ceil");
FLAT(round, rint, 0, .js = "roundEven");
SMOOTH(sin, sin, .rule = {"dy*cos(a)"}, .js = "Math.sin", .teach = "sine");
SMOOTH(cos, cos, .rule = {"-dy*sin(a)"}, .js = "Math.cos", .teach = "cosine");
SMOOTH(tan, tan, .domain = DOMAIN_UNIT, .rule = {"dy*(1 + y*y)"}, .js = "Math.tan",
       .teach = "tangent");
/* 1 - a^2 in the form that keeps its digits: the product near 1, the difference near 0, where it is
 * differentiated again */
#define UP_TO_ONE "sqrt(where(abs(a) < 0.5, 1 - a*a, (1 - a)*(1 + a)))"
SMOOTH(asin, asin, .domain = DOMAIN_UNIT, .rule = {"dy/" UP_TO_ONE}, .js = "Math.asin",
       .teach = "arc sine");
SMOOTH(acos, acos, .domain = DOMAIN_UNIT, .rule = {"-dy/" UP_TO_ONE}, .js = "Math.acos",
       .teach = "arc cosine");
SMOOTH(atan, atan, .rule = {"dy/(1 + a*a)"}, .js = "Math.atan", .teach = "arc tangent");
SMOOTH(sinh, sinh, .rule = {"dy*cosh(a)"}, .js = "Math.sinh", .teach = "hyperbolic sine");
SMOOTH(cosh, cosh, .rule = {"dy*sinh(a)"}, .js = "Math.cosh", .teach = "hyperbolic cosine");
MACRO(tanh, tanh, .rule = {"dy*(1 - y*y)"}, .js = "Math.tanh", .c_float = "ngrt_tanhf($a)",
      .vec_float = "NGRT_OF(tanhf, $a)", .teach = "tanh: 1 less its square");
MACRO(erf, erf, .rule = {"dy*1.1283791670955126*exp(-a*a)"}, .js = "erf",
      .c_float = "ngrt_erff($a)", .vec_float = "NGRT_OF(erff, $a)",
      .teach = "error function: 2/sqrt(pi) exp(-a^2)");
MACRO(erfc, erfc, .rule = {"-dy*1.1283791670955126*exp(-a*a)"}, .js = "erfc",
      .c_float = "ngrt_erfcf($a)", .vec_float = "NGRT_OF(erfcf, $a)",
      .teach = "1 less the error function");
MACRO(sigmoid, ngrt_sigmoid, .rule = {"dy*y*(1 - y)"}, .js = "a => 1 / (1 + Math.exp(-a))",
      .c_float = "ngrt_sigmoidf($a)", .vec_float = "NGRT_OF(sigmoidf, $a)",
      .teach = "sigmoid: y (1 - y)");
MACRO(softplus, ngrt_softplus, .rule = {"dy*sigmoid(a)"},
      .js = "a => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)))",
      .c_float = "ngrt_softplusf($a)", .vec_float = "NGRT_OF(softplusf, $a)",
      .teach = "softplus: sigmoid");

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
                         .params = "y x",
                         .value = v_atan2,
                         .js = "Math.atan2",
                         .c = "atan2@($a, $b)",
                         .prec = 16,
                         .rule = {"where(" LARGER " == 0, 0, dy*(b/" SCALE ")/" SQUARES ")",
                                  "where(" LARGER " == 0, 0, -dy*(a/" SCALE ")/" SQUARES ")"},
                         .said = said_atan2,
                         .teach = "angle of a point"};
