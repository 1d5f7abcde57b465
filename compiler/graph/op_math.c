/* op_math.c - records of the functions of one element: exp, sin, sigmoid and the like.
 *
 * A rule is text in the language: a is the operand, y the result, dy the adjoint of y. */
#include "graph/graph.h"

#include "../runtime/ngrt_math.h"
#include <math.h>

/* The reference value v_NAME, which is that of a function of libm or of ngrt_math.h. */
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
UNARY(asinh)
UNARY(acosh)
UNARY(atanh)
UNARY(tanh)
UNARY(erf)
UNARY(erfc)
UNARY(lgamma)
UNARY(ngrt_erfinv)
UNARY(ngrt_sign)
UNARY(ngrt_sigmoid)
UNARY(ngrt_softplus)

/* those of two operands */
static double v_polygamma(double a, double b, double c)
{
    (void)c;
    return ngrt_polygamma(a, b);
}

static double v_atan2(double a, double b, double c)
{
    (void)c;
    return atan2(a, b);
}

/* ---- kinds of records ---- */

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
/* A function that is called in C by its name. */
#define SMOOTH(op, f, ...) FUNCTION(op, f, 0, __VA_ARGS__)
/* The form for vectors is a macro. */
#define MACRO(op, f, ...) FUNCTION(op, f, F_MACRO, __VA_ARGS__)
/* The texts of ngrt_math.h, ngrt_float.h and ngrt_double.h for vectors, and for the elements left
 * over: f is sinf or sind. SHORT: it is the fastest for one element, too. */
#define LONG(f)                                                 \
    {                                                           \
        .vec = "NGRT_OF(" #f ", $a)", .left = "ngrt_" #f "($a)" \
    }
#define SHORT(f)                                                                        \
    {                                                                                   \
        .vec = "NGRT_OF(" #f ", $a)", .left = "ngrt_" #f "($a)", .c = "ngrt_" #f "($a)" \
    }
#define LONG2(f)                                                         \
    {                                                                    \
        .vec = "NGRT_OF2(" #f ", $a, $b)", .left = "ngrt_" #f "($a, $b)" \
    }

/* The slope is 0 everywhere. */
#define FLAT(op, f, flag, ...) \
    FUNCTION(op, f, F_CHEAP | F_FLAT | flag, .teach = "flat: passes nothing back", __VA_ARGS__)

/* ---- exponentials, logarithms, roots ---- */

MACRO(exp, exp, .rule = {"dy*y"}, .js = "Math.exp", .form = {SHORT(expf), LONG(expd)},
      .teach = "exp: its own slope");
MACRO(expm1, expm1, .form = {LONG(expm1f), LONG(expm1d)}, .rule = {"dy*exp(a)"}, .js = "Math.expm1",
      .teach = "exp, less 1: exp");
MACRO(log, log, .domain = DOMAIN_POSITIVE, .rule = {"dy/a"}, .js = "Math.log",
      .form = {SHORT(logf), LONG(logd)}, .teach = "log: divides by its input");
MACRO(log1p, log1p, .form = {LONG(log1pf), LONG(log1pd)}, .domain = DOMAIN_POSITIVE,
      .rule = {"dy/(1 + a)"}, .js = "Math.log1p", .teach = "log of 1 + a");
MACRO(sqrt, sqrt, .domain = DOMAIN_POSITIVE, .rule = {"dy/(2*y)"}, .js = "Math.sqrt",
      .vec = "NGRT_SQRT($a)", .form = {{.c = "ngrt_sqrtf($a)"}, {.c = "ngrt_sqrt($a)"}},
      .teach = "root: divides by twice itself");

/* ---- signs and rounding ---- */

MACRO(abs, fabs, .domain = DOMAIN_NONZERO, .rule = {"dy*sign(a)"}, .js = "Math.abs",
      .vec = "NGRT_ABS($a)", .teach = "absolute value: keeps or changes the sign");
FLAT(sign, ngrt_sign, F_MACRO, .js = "a => a > 0 ? 1 : a < 0 ? -1 : a", .vec = "NGRT_SIGN($a)");
FLAT(floor, floor, F_MACRO, .js = "Math.floor", .vec = "NGRT_FLOOR($a)");
FLAT(ceil, ceil, F_MACRO, .js = "Math.ceil", .vec = "NGRT_CEIL($a)");
FLAT(round, rint, F_MACRO, .js = "roundEven", .vec = "NGRT_RINT($a)");

/* ---- circular and hyperbolic functions ---- */

MACRO(sin, sin, .form = {LONG(sinf), LONG(sind)}, .rule = {"dy*cos(a)"}, .js = "Math.sin",
      .teach = "sine");
MACRO(cos, cos, .form = {LONG(cosf), LONG(cosd)}, .rule = {"-dy*sin(a)"}, .js = "Math.cos",
      .teach = "cosine");
MACRO(tan, tan, .form = {LONG(tanf), LONG(tand)}, .domain = DOMAIN_UNIT, .rule = {"dy*(1 + y*y)"},
      .js = "Math.tan", .teach = "tangent");

/* 1 - a^2 in the form that keeps its digits: the product near 1, the difference near 0, where it is
 * differentiated again */
#define LESS_SQUARE "where(abs(a) < 0.5, 1 - a*a, (1 - a)*(1 + a))"
#define UP_TO_ONE   "sqrt(" LESS_SQUARE ")"
MACRO(asin, asin, .form = {LONG(asinf), LONG(asind)}, .domain = DOMAIN_UNIT,
      .rule = {"dy/" UP_TO_ONE}, .js = "Math.asin", .teach = "arc sine");
MACRO(acos, acos, .form = {LONG(acosf), LONG(acosd)}, .domain = DOMAIN_UNIT,
      .rule = {"-dy/" UP_TO_ONE}, .js = "Math.acos", .teach = "arc cosine");
MACRO(atan, atan, .form = {LONG(atanf), LONG(atand)}, .rule = {"dy/(1 + a*a)"}, .js = "Math.atan",
      .teach = "arc tangent");
MACRO(sinh, sinh, .form = {LONG(sinhf), LONG(sinhd)}, .rule = {"dy*cosh(a)"}, .js = "Math.sinh",
      .teach = "hyperbolic sine");
MACRO(cosh, cosh, .form = {LONG(coshf), LONG(coshd)}, .rule = {"dy*sinh(a)"}, .js = "Math.cosh",
      .teach = "hyperbolic cosine");

/* From 1e8 on, the root of 1 + a^2 is |a|, and a^2 might overflow. */
static const char *said_asinh(Ngc *ngc, const Node *y, int operand)
{
    (void)ngc;
    (void)y;
    (void)operand;
    return "dy/sqrt(a*a + 1)";
}

SMOOTH(asinh, asinh, .rule = {"dy/where(abs(a) < 1e8, sqrt(a*a + 1), abs(a))"}, .said = said_asinh,
       .js = "Math.asinh", .teach = "inverse hyperbolic sine");
SMOOTH(acosh, acosh, .domain = DOMAIN_ABOVE_ONE, .rule = {"dy/(sqrt(a - 1)*sqrt(a + 1))"},
       .js = "Math.acosh", .teach = "inverse hyperbolic cosine");
SMOOTH(atanh, atanh, .domain = DOMAIN_UNIT, .rule = {"dy/" LESS_SQUARE}, .js = "Math.atanh",
       .teach = "inverse hyperbolic tangent");
MACRO(tanh, tanh, .rule = {"dy*(1 - y*y)"}, .js = "Math.tanh", .form = {SHORT(tanhf), LONG(tanhd)},
      .teach = "tanh: 1 less its square");

/* ---- the error function, the gamma function, sigmoid ---- */

MACRO(erf, erf, .rule = {"dy*1.1283791670955126*exp(-a*a)"}, .js = "erf",
      .form = {SHORT(erff), LONG(erfd)}, .teach = "error function: 2/sqrt(pi) exp(-a^2)");
MACRO(erfc, erfc, .rule = {"-dy*1.1283791670955126*exp(-a*a)"}, .js = "erfc",
      .form = {SHORT(erfcf)}, .teach = "1 less the error function");
SMOOTH(erfinv, ngrt_erfinv, .domain = DOMAIN_UNIT, .rule = {"dy*0.886226925452758*exp(y*y)"},
       .js = "erfinv", .teach = "inverse of the error function: sqrt(pi)/2 exp(y^2)");
MACRO(lgamma, lgamma, .form = {LONG(lgammaf)}, .domain = DOMAIN_POSITIVE,
      .rule = {"dy*polygamma(0, a)"}, .js = "lgamma",
      .teach = "log of the gamma function: digamma");
MACRO(sigmoid, ngrt_sigmoid, .rule = {"dy*y*(1 - y)"}, .js = "a => 1 / (1 + Math.exp(-a))",
      .form = {SHORT(sigmoidf), LONG(sigmoidd)}, .teach = "sigmoid: y (1 - y)");
MACRO(softplus, ngrt_softplus, .rule = {"dy*sigmoid(a)"},
      .js = "a => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)))",
      .form = {SHORT(softplusf), LONG(softplusd)}, .teach = "softplus: sigmoid");

/* ---- two operands ---- */

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
                         .flags = F_ELEMENTWISE | F_MACRO,
                         .params = "y x",
                         .value = v_atan2,
                         .js = "Math.atan2",
                         .c = "atan2@($a, $b)",
                         .form = {LONG2(atan2f), LONG2(atan2d)},
                         .prec = 16,
                         .rule = {"where(" LARGER " == 0, 0, dy*(b/" SCALE ")/" SQUARES ")",
                                  "where(" LARGER " == 0, 0, -dy*(a/" SCALE ")/" SQUARES ")"},
                         .said = said_atan2,
                         .teach = "angle of a point"};

/* The derivative a times more of digamma(b); a is a whole number. The language's function checks
 * that (builtin.c), so there are no params. */
const OpInfo op_polygamma = {.name = "polygamma",
                             .arity = 2,
                             .flags = F_ELEMENTWISE | F_MACRO,
                             .domain = DOMAIN_POSITIVE,
                             .form = {LONG2(slope_of_gammaf)},
                             .value = v_polygamma,
                             .js = "polygamma",
                             .c = "ngrt_polygamma@($a, $b)",
                             .prec = 16,
                             .rule = {NULL, "dy*polygamma(a + 1, b)"},
                             .teach = "polygamma: the next one"};
