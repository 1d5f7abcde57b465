/* op_arith.c - records of arithmetic, choice and comparison. A rule is the derivative itself, in
 * the language, from the operands a b c, the result y and its adjoint dy; the comment and the code
 * are both made from it. */
#include "graph/graph.h"

#include "../runtime/ngrt_math.h"
#include <math.h>

/* A reference value: y as a formula of the operands a, b and c. */
#define VALUE(op, formula)                             \
    static double v_##op(double a, double b, double c) \
    {                                                  \
        (void)a;                                       \
        (void)b;                                       \
        (void)c;                                       \
        return formula;                                \
    }
VALUE(add, a + b)
VALUE(sub, a - b)
VALUE(mul, a *b)
VALUE(div, a / b)
VALUE(neg, -a)
VALUE(pow, pow(a, b))
VALUE(mod, ngrt_mod(a, b))
VALUE(maximum, a > b || isnan(a) ? a : b)
VALUE(minimum, a < b || isnan(a) ? a : b)
VALUE(where, a != 0 ? b : c)
VALUE(same, a)
VALUE(as_int, ngrt_as_int(a))
VALUE(lt, a < b)
VALUE(le, a <= b)
VALUE(eq, a == b)
VALUE(ne, a != b)

/* The power rule for an exponent that is a number. */
static const char *said_pow(Ngc *ngc, const Node *y, int operand)
{
    double n;
    if (operand != 0 || !node_const(y->arg[1], &n) || n == 0)
        return NULL;

    if (n == 1)
        return "dy";
    if (n == 2)
        return "dy*2*a";
    if (n > 1)
        return text_format(ngc, "dy*%.6g*a^%.6g", n, n - 1);
    return text_format(ngc, "dy*(%.6g)*a^(%.6g)", n, n - 1);
}

/* ---- the same on other operands ---- */

static Node *copy_where(Graph *g, const Node *n, Node *const *arg)
{
    (void)n;
    return graph_where(g, arg[0], arg[1], arg[2]);
}

static Node *copy_cast(Graph *g, const Node *n, Node *const *arg)
{
    return graph_cast(g, arg[0], n->type);
}

static Node *copy_as_int(Graph *g, const Node *n, Node *const *arg)
{
    (void)n;
    return graph_as_int(g, arg[0]);
}

static Node *copy_stop(Graph *g, const Node *n, Node *const *arg)
{
    (void)n;
    return graph_stop(g, arg[0]);
}

/* The flags of the cheap ones. */
#define EW F_ELEMENTWISE | F_CHEAP

const OpInfo op_add = {.name = "add",
                       .sign = "+",
                       .arity = 2,
                       .flags = EW | F_VEC_INT | F_VEC_TO_INT | F_COMMUTATIVE | F_INT,
                       .value = v_add,
                       .js = "(a, b) => a + b",
                       .c = "$a + $b",
                       .vec = "$a + $b",
                       .prec = 12,
                       .rule = {"dy", "dy"},
                       .teach = "add: distributes"};

const OpInfo op_sub = {.name = "sub",
                       .sign = "-",
                       .arity = 2,
                       .flags = EW | F_VEC_INT | F_VEC_TO_INT | F_INT,
                       .value = v_sub,
                       .js = "(a, b) => a - b",
                       .c = "$a - $b",
                       .vec = "$a - $b",
                       .prec = 12,
                       .rule = {"dy", "-dy"},
                       .teach = "subtract: distributes, and changes the sign for the second"};

const OpInfo op_mul = {.name = "mul",
                       .sign = "*",
                       .arity = 2,
                       .flags = EW | F_VEC_INT | F_VEC_TO_INT | F_COMMUTATIVE | F_INT,
                       .value = v_mul,
                       .js = "(a, b) => a * b",
                       .c = "$a * $b",
                       .vec = "$a * $b",
                       .prec = 13,
                       .rule = {"dy*b", "dy*a"},
                       .teach = "multiply: swaps the inputs"};

const OpInfo op_div = {.name = "div",
                       .sign = "/",
                       .arity = 2,
                       .flags = EW | F_VEC_INT | F_VEC_TO_INT,
                       .value = v_div,
                       .js = "(a, b) => a / b",
                       .c = "$a / $b",
                       .vec = "$a / $b",
                       .prec = 13,
                       .rule = {"dy/b", "-dy*y/b"},
                       .teach = "quotient rule"};

const OpInfo op_neg = {.name = "neg",
                       .arity = 1,
                       .flags = EW | F_VEC_INT | F_VEC_TO_INT | F_INT,
                       .value = v_neg,
                       .js = "a => -a",
                       .c = "-$a",
                       .vec = "-$a",
                       .prec = 14,
                       .rule = {"-dy"},
                       .teach = "negate: changes the sign"};

/* At b = 0 the slope is 0 even where a^-1 is infinite. At a = 0 the power does not change with
 * b >= 0. */
const OpInfo op_pow = {.name = "pow",
                       .sign = "^",
                       .arity = 2,
                       .flags = F_ELEMENTWISE | F_MACRO,
                       .value = v_pow,
                       .js = "power",
                       .c = "pow@($a, $b)",
                       .form = {{.vec = "NGRT_OF2(powf, $a, $b)", .left = "ngrt_powf($a, $b)"},
                                {.vec = "NGRT_OF2(powd, $a, $b)", .left = "ngrt_powd($a, $b)"}},
                       .prec = 16,
                       .rule = {"where(b == 0, 0, dy*b*a^(b - 1))",
                                "where((a == 0)*(0 <= b), 0, dy*y*log(a))"},
                       .said = said_pow,
                       .teach = "power rule"};

/* a = q b + y with a whole q. floor(a/b) may miss q by 1, because a/b is rounded. */
const OpInfo op_mod = {.name = "mod",
                       .arity = 2,
                       .flags = F_ELEMENTWISE | F_MACRO | F_INT,
                       .params = "a b",
                       .form = {{.vec = "NGRT_OF2(modulof, $a, $b)",
                                 .left = "ngrt_modulof($a, $b)"}},
                       .value = v_mod,
                       .js = "remainder",
                       .c = "ngrt_mod@($a, $b)",
                       .prec = 16,
                       .rule = {"dy", "-dy*where(y == b, -1, round((a - y)/b))"},
                       .teach = "remainder: passes on"};

/* If one operand is NaN, so is y, and both operands get dy: a step cannot hide it. */
const OpInfo op_maximum = {.name = "maximum",
                           .arity = 2,
                           .flags = EW | F_MACRO | F_CHOICE | F_COMMUTATIVE | F_INT,
                           .params = "a b",
                           .value = v_maximum,
                           .js = "Math.max",
                           .c = "ngrt_maximum@($a, $b)",
                           .vec = "NGRT_MAXIMUM($a, $b)",
                           .prec = 16,
                           .rule = {"where(a < b, 0, where(a == b, dy/2, dy))",
                                    "where(b < a, 0, where(a == b, dy/2, dy))"},
                           .teach = "max: routes to the larger, half each where equal"};

const OpInfo op_minimum = {.name = "minimum",
                           .arity = 2,
                           .flags = EW | F_MACRO | F_CHOICE | F_COMMUTATIVE | F_INT,
                           .params = "a b",
                           .value = v_minimum,
                           .js = "Math.min",
                           .c = "ngrt_minimum@($a, $b)",
                           .vec = "NGRT_MINIMUM($a, $b)",
                           .prec = 16,
                           .rule = {"where(b < a, 0, where(a == b, dy/2, dy))",
                                    "where(a < b, 0, where(a == b, dy/2, dy))"},
                           .teach = "min: routes to the smaller, half each where equal"};

const OpInfo op_where = {.name = "where",
                         .arity = 3,
                         .copy = copy_where,
                         .flags = EW | F_CONDITION | F_MACRO | F_VEC_INT | F_CHOICE | F_INT,
                         .params = "c a b",
                         .value = v_where,
                         .js = "(c, a, b) => c !== 0 ? a : b",
                         .c = "$a ? $b : $c",
                         .vec = "NGRT_PICK($a, $b, $c)",
                         .prec = 3,
                         .rule = {NULL, "where(a, dy, 0)", "where(a, 0, dy)"},
                         .teach = "choice: routes to the one chosen"};

const OpInfo op_cast = {.name = "cast",
                        .arity = 1,
                        .copy = copy_cast,
                        .flags = EW | F_MACRO | F_VEC_INT,
                        .value = v_same,
                        .js = "a => a",
                        .c = "($t)$a",
                        .form = {{.vec = "NGRT_CAST($a)"}},
                        .prec = 14,
                        .teach = "int to float"};

const OpInfo op_as_int = {.name = "as_int",
                          .arity = 1,
                          .copy = copy_as_int,
                          .flags = F_ELEMENTWISE | F_FLAT,
                          .value = v_as_int,
                          .js = "asInt",
                          .c = "ngrt_as_int($a)",
                          .prec = 16,
                          .teach = "whole number below: passes nothing back"};

const OpInfo op_stop = {.name = "stop",
                        .arity = 1,
                        .copy = copy_stop,
                        .flags = EW | F_SAME,
                        .value = v_same,
                        .js = "a => a",
                        .c = "$a",
                        .vec = "$a",
                        .prec = 16,
                        .teach = "stop: passes nothing back"};

const OpInfo op_copy = {.name = "copy",
                        .arity = 1,
                        .flags = EW | F_SAME,
                        .value = v_same,
                        .js = "a => a",
                        .c = "$a",
                        .vec = "$a",
                        .prec = 16,
                        .rule = {"dy"},
                        .teach = "copy: adds"};

/* is: the sign in the language and in C; same: in JavaScript */
#define COMPARE(op, is, same, flag)                                                    \
    const OpInfo op_##op = {.name = #op,                                               \
                            .arity = 2,                                                \
                            .flags = EW | F_FLAT | F_INT | F_MACRO | F_VEC_INT | flag, \
                            .sign = is,                                                \
                            .value = v_##op,                                           \
                            .js = "(a, b) => +(a " same " b)",                         \
                            .c = "$a " is " $b ? 1.0@ : 0.0@",                         \
                            .test = "$a " is " $b",                                    \
                            .vec = "NGRT_ONES($a " is " $b)",                          \
                            .prec = 3,                                                 \
                            .teach = "comparison: flat, passes nothing back"}

COMPARE(lt, "<", "<", 0);
COMPARE(le, "<=", "<=", 0);
COMPARE(eq, "==", "===", F_COMMUTATIVE);
COMPARE(ne, "!=", "!==", F_COMMUTATIVE);
