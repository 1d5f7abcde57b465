/* node_math.c - operators on elements. Most are a form of their operands; others have a function.
 */
#include "onnx/onnx.h"

#include <math.h>
#include <string.h>

static bool is_int_operand(Operand o)
{
    return o.line && operand_node(o)->type == T_INT;
}

Operand towards_0(Import *im, Operand x)
{
    return emit(im, BIND_TERM, "sign($00)*floor(abs($00))", 1, x);
}

static void take_div(Import *im)
{
    Operand a = operand(im, 0);
    Operand b = operand(im, 1);
    if (im->failed)
        return;

    Operand q = emit(im, BIND_TERM, "$30/$41", 2, a, b);

    /* a quotient of whole numbers is rounded towards 0 */
    bool whole = element_is_int(input_element(im, 0)) && element_is_int(input_element(im, 1));
    if (whole)
        q = towards_0(im, q);
    result(im, 0, q);
}

/* Is operand i a whole number that is not negative, wherever that is known? */
static bool is_count(Import *im, int i)
{
    const Known *k = input_known(im, i);
    int64_t v;
    for (int64_t at = 0; k && at < k->count; at++)
        if (!known_whole(im->g, k, at, &v) || v < 0)
            return false;
    return k || element_is_int(input_element(im, i));
}

/* A power of a whole number is one too, whatever the exponent is. */
static void take_pow(Import *im)
{
    Operand a = operand(im, 0);
    Operand b = operand(im, 1);
    if (im->failed)
        return;

    Operand y = emit(im, BIND_POWER, "$60^$41", 2, a, b);
    if (element_is_int(input_element(im, 0)) && !is_count(im, 1))
        y = towards_0(im, y);
    result(im, 0, y);
}

/* Is operand i the number 1, and not a weight? */
static bool is_one(Import *im, int i)
{
    const Known *k = input_known(im, i);
    double value;

    if (!k || k->rank > 0 || is_param(im, k))
        return false;
    return known_number(im->g, k, 0, &value) && value == 1;
}

static void take_mul(Import *im)
{
    /* some exporters leave products with 1 */
    for (int i = 0; i < 2; i++) {
        int other = 1 - i;
        if (is_one(im, i) && !input_known(im, other)) {
            result(im, 0, operand(im, other));
            return;
        }
    }

    Operand a = operand(im, 0);
    Operand b = operand(im, 1);
    result_emit(im, BIND_TERM, "$30*$41", 2, a, b);
}

static void take_mod(Import *im)
{
    Operand a = operand(im, 0);
    Operand b = operand(im, 1);
    if (im->failed)
        return;

    /* with fmod, the result has the sign of a; otherwise, that of b */
    if (attribute_int(im, "fmod", 0))
        result_emit(im, BIND_TERM, "sign($00)*mod(abs($00), abs($01))", 2, a, b);
    else
        result_emit(im, BIND_ATOM, "mod($00, $01)", 2, a, b);
}

/* Sum, Mean, Max and Min of any number of operands: y = ((x0 + x1) + x2) + ... */
static void take_variadic(Import *im)
{
    const Pb__Node *n = im->at;
    Operand y = operand(im, 0);

    const char *form = "$20 + $31";
    Binds binds = BIND_SUM;
    if (same_text(n->op, "Max")) {
        form = "maximum($00, $01)";
        binds = BIND_ATOM;
    } else if (same_text(n->op, "Min")) {
        form = "minimum($00, $01)";
        binds = BIND_ATOM;
    }

    int count = (int)n->n_input;
    for (int i = 1; i < count && !im->failed; i++)
        y = emit(im, binds, form, 2, y, operand(im, i));
    if (same_text(n->op, "Mean") && !im->failed)
        y = emit(im, BIND_TERM, "$30/$41", 2, y, literal(im, count));
    result(im, 0, y);
}

/* A bound of Clip: an operand from opset 11 on, an attribute before. False: there is none. */
static bool take_bound(Import *im, int input, const char *name, Operand *bound)
{
    if (has_input(im->at, input))
        *bound = operand(im, input);
    else if (attribute(im, name))
        *bound = literal(im, attribute_float(im, name, 0));
    else
        return false;
    return true;
}

static void take_clip(Import *im)
{
    Operand x = operand(im, 0);
    Operand a = {0};
    Operand b = {0};
    bool low = take_bound(im, 1, "min", &a);
    bool high = take_bound(im, 2, "max", &b);
    if (im->failed)
        return;

    bool from_0_to_6 = low && high && same_text(a.line->form, "0") && same_text(b.line->form, "6");
    if (from_0_to_6)
        x = emit(im, BIND_ATOM, "relu6($00)", 1, x);
    else if (low && high)
        x = emit(im, BIND_ATOM, "clip($00, $01, $02)", 3, x, a, b);
    else if (low)
        x = emit(im, BIND_ATOM, "maximum($00, $01)", 2, x, a);
    else if (high)
        x = emit(im, BIND_ATOM, "minimum($00, $01)", 2, x, b);
    result(im, 0, x);
}

/* The low bits of a whole number of one type, as a number of a shorter one. */
static Operand shortened(Import *im, Operand x, int from, int to)
{
    double lo, hi;
    double least = -INFINITY;
    double most = INFINITY;
    if (im->failed || !element_is_short(to, &lo, &hi))
        return x;
    element_is_short(from, &least, &most);
    Range known = operand_node(x)->range;
    if (fmax(least, known.lo) >= lo && fmin(most, known.hi) <= hi)
        return x;

    double count = hi - lo + 1;
    if (lo == 0)
        return emit_of(im, x, BIND_ATOM, "mod($00, %.0f)", count);
    return emit_of(im, x, BIND_SUM, "mod($20 + %.0f, %.0f) - %.0f", -lo, count, -lo);
}

/* Whole numbers, truths and floats are all numbers here. */
static void take_cast(Import *im)
{
    const Pb__Node *n = im->at;
    int from = input_element(im, 0);
    int to = (int)attribute_int(im, "to", EL_FLOAT);
    Operand x = operand(im, 0);
    if (same_text(n->op, "CastLike") && input_of(im, 1))
        to = input_element(im, 1);
    if (im->failed)
        return;
    if (to == EL_STRING || from == EL_STRING) {
        problem(im, "texts are not supported");
        return;
    }

    bool may_have_fraction = !element_is_int(from) && from != EL_BOOL && !is_int_operand(x);
    if (to == EL_BOOL && from != EL_BOOL)
        x = emit(im, BIND_COMPARE, "$20 != 0", 1, x);
    else if (element_is_int(to) && may_have_fraction) /* towards 0 */
        x = emit(im, BIND_ATOM, "as_int($00)", 1, towards_0(im, x));
    else if (element_is_int(from))
        x = shortened(im, x, from, to);
    result(im, 0, x);

    if (!im->failed && wants_output(n, 0))
        meaning_of(im, n->output[0])->element = to;
}

/* Functions with parameters, which the language has under other names or with other defaults. A
 * call with the language's defaults (`usual`) is written without them. */
static void take_parameter(Import *im, const char *function, double value, bool usual)
{
    const char *form = text_format(im->ngc, "%s($00)", function);
    if (!usual)
        form = text_format(im->ngc, "%s($00, %s)", function, number_text(im, value));
    Operand x = operand(im, 0);
    result_emit(im, BIND_ATOM, form, 1, x);
}

static void take_two_parameters(Import *im, const char *function, double first, double second,
                                bool usual)
{
    const char *form = text_format(im->ngc, "%s($00)", function);
    if (!usual) {
        const char *a = number_text(im, first);
        const char *b = number_text(im, second);
        form = text_format(im->ngc, "%s($00, %s, %s)", function, a, b);
    }
    Operand x = operand(im, 0);
    result_emit(im, BIND_ATOM, form, 1, x);
}

static void take_elu(Import *im)
{
    double alpha = attribute_float(im, "alpha", 1);
    take_parameter(im, "elu", alpha, alpha == 1);
}

static void take_celu(Import *im)
{
    double alpha = attribute_float(im, "alpha", 1);
    take_parameter(im, "celu", alpha, alpha == 1);
}

static void take_leaky(Import *im)
{
    double alpha = attribute_float(im, "alpha", 0.01);
    take_parameter(im, "leaky_relu", alpha, alpha == 0.01);
}

/* Files have these constants as floats, with or without all of their digits. */
static void take_selu(Import *im)
{
    double alpha = attribute_float(im, "alpha", 1.67326324);
    double gamma = attribute_float(im, "gamma", 1.05070102);
    bool usual = fabs(alpha - 1.6732632) < 1e-6 && fabs(gamma - 1.0507010) < 1e-6;

    take_two_parameters(im, "selu", alpha, gamma, usual);
}

static void take_hard_sigmoid(Import *im)
{
    double alpha = attribute_float(im, "alpha", 0.2);
    double beta = attribute_float(im, "beta", 0.5);
    bool usual = fabs(alpha - 1.0 / 6) <= 1e-7 && beta == 0.5;

    take_two_parameters(im, "hardsigmoid", alpha, beta, usual);
}

/* A shift of a whole number that is not negative is a product with a power of 2, or a quotient. */
static void take_shift(Import *im)
{
    bool left = same_text(attribute_text(im, "direction", "LEFT"), "LEFT");
    Operand x = operand(im, 0);
    Operand k = operand(im, 1);
    int element = input_element(im, 0);
    if (im->failed)
        return;
    if (left)
        result(im, 0, shortened(im, emit(im, BIND_TERM, "$30*2^$41", 2, x, k), EL_INT64, element));
    else
        result_emit(im, BIND_ATOM, "floor($30/2^$41)", 2, x, k);
}

static void take_thresholded(Import *im)
{
    const char *alpha = number_text(im, attribute_float(im, "alpha", 1));
    Operand x = operand(im, 0);
    result_emit(im, BIND_ATOM, text_format(im->ngc, "where($20 > %s, $00, 0)", alpha), 1, x);
}

/* y = x + bias below -lambda, x - bias above lambda, else 0 */
static void take_shrink(Import *im)
{
    const char *bias = number_text(im, attribute_float(im, "bias", 0));
    const char *lambda = number_text(im, attribute_float(im, "lambd", 0.5));
    const char *right = text_format(im->ngc, "where($20 > %s, $20 - %s, 0)", lambda, bias);
    const char *form = text_format(im->ngc, "where($20 < -%s, $20 + %s, %s)", lambda, bias, right);
    Operand x = operand(im, 0);
    result_emit(im, BIND_ATOM, form, 1, x);
}

static void take_gelu(Import *im)
{
    bool by_tanh = same_text(attribute_text(im, "approximate", "none"), "tanh");
    Operand x = operand(im, 0);
    result_emit(im, BIND_ATOM, by_tanh ? "gelu_tanh($00)" : "gelu($00)", 1, x);
}

/* May the slope be a weight of the layer? Then it is one number for each channel (axis 1 of a
 * tensor of shape s, to which it is broadcast), or one for all. */
static bool is_slope(const Import *im, const Known *k, Shape s, bool *channels)
{
    *channels = false;
    if (!k || !is_param(im, k) || is_shared(k))
        return false;

    if (s.rank > 1 && k->count == s.dim[1] && k->rank >= s.rank - 1) {
        int axis = k->rank - s.rank + 1; /* of the slope, that of the channels */
        *channels = k->dim[axis] == k->count;
    }
    return *channels || k->count == 1;
}

/* A layer with its own slope, or else an expression of two operands. */
static void take_prelu(Import *im)
{
    Known *k = input_known(im, 1);
    Operand x = operand(im, 0);
    if (im->failed)
        return;

    bool channels;
    if (is_slope(im, k, operand_node(x)->shape, &channels)) {
        Known *slope = arena_copy(im->ngc, k, sizeof *k);
        slope->rank = channels;
        slope->dim[0] = k->count;

        const char *form = channels ? "prelu($00, channels = 1)" : "prelu($00)";
        Line *l = line_new(im, BIND_ATOM, form, 1, &x);
        l->label = layer_label(im, k, NULL);
        line_weight(im, l, slope, NULL);
        result(im, 0, emit_line(im, l));
        return;
    }

    Operand slope = operand(im, 1);
    result_emit(im, BIND_ATOM, "where($20 > 0, $00, $31*$30)", 2, x, slope);
}

static void take_is_inf(Import *im)
{
    bool up = attribute_int(im, "detect_positive", 1);
    bool down = attribute_int(im, "detect_negative", 1);
    const char *form = up ? "$20 == inf" : "$20 == -inf";
    Operand x = operand(im, 0);
    if (up && down)
        form = "abs($00) == inf";
    if (up || down)
        result_emit(im, BIND_COMPARE, form, 1, x);
    else
        result_emit(im, BIND_ATOM, "zeros($00.shape)", 1, x);
}

static void take_round(Import *im)
{
    Operand x = operand(im, 0);
    result_emit(im, BIND_ATOM, "round($00)", 1, x);
}

/* Dropout is part of the model: predict leaves it out. */
static void take_dropout(Import *im)
{
    const Pb__Node *n = im->at;
    double ratio = attribute_float(im, "ratio", 0.5);
    const Known *given = given_known(im, 1, "the ratio");
    if (given)
        known_number(im->g, given, 0, &ratio);
    Operand x = operand(im, 0);
    if (im->failed)
        return;

    if (ratio > 0) {
        const char *form = text_format(im->ngc, "dropout($00, %s)", number_text(im, ratio));
        x = emit(im, BIND_ATOM, form, 1, x);
    }
    result(im, 0, x);
    if (wants_output(n, 1))
        result(im, 1, emit(im, BIND_ATOM, "ones($00.shape)", 1, operand(im, 0)));
}

static void take_identity(Import *im)
{
    result(im, 0, operand(im, 0));
}

const OnnxOp onnx_math[] = {
    {"Sub", "$20 - $31", BIND_SUM, .says = "`-`"},
    {"Mul", .take = take_mul, .operands = 2, .says = "`*`"},
    {"Div", .take = take_div, .operands = 2, .says = "`/`; of whole numbers towards 0"},
    {"Mod", .take = take_mod, .operands = 2, .attributes = "fmod", .says = "`mod`"},
    {"Pow", .take = take_pow, .operands = 2, .says = "`^`; of a whole number towards 0"},
    {"Neg", "-$40", BIND_NEG, .says = "`-`"},
    {"Equal", "$20 == $21", BIND_COMPARE, .says = "`==`"},
    {"Less", "$20 < $21", BIND_COMPARE, .says = "`<`"},
    {"LessOrEqual", "$20 <= $21", BIND_COMPARE, .says = "`<=`"},
    {"Greater", "$20 > $21", BIND_COMPARE, .says = "`>`"},
    {"GreaterOrEqual", "$20 >= $21", BIND_COMPARE, .says = "`>=`"},
    {"And", "and($00, $01)", BIND_ATOM, .says = "`and`"},
    {"Or", "or($00, $01)", BIND_ATOM, .says = "`or`"},
    {"Xor", "($20 != 0) != ($21 != 0)", BIND_COMPARE, .says = "`!=`"},
    {"Not", "not($00)", BIND_ATOM, .says = "`not`"},
    {"Where", "where($00, $01, $02)", BIND_ATOM, .typed_by = 1, .says = "`where`"},
    {"Sum", .take = take_variadic, .operands = ANY_NUMBER, .says = "`+`"},
    {"Mean", .take = take_variadic, .operands = ANY_NUMBER, .says = "`+` and `/`"},
    {"Max", .take = take_variadic, .operands = ANY_NUMBER, .says = "`maximum`"},
    {"Min", .take = take_variadic, .operands = ANY_NUMBER, .says = "`minimum`"},
    {"Abs", "abs($00)", BIND_ATOM, .says = "`abs`"},
    {"Acos", "acos($00)", BIND_ATOM, .says = "`acos`"},
    {"Acosh", "acosh($00)", BIND_ATOM, .says = "`acosh`"},
    {"Asin", "asin($00)", BIND_ATOM, .says = "`asin`"},
    {"Asinh", "asinh($00)", BIND_ATOM, .says = "`asinh`"},
    {"Atan", "atan($00)", BIND_ATOM, .says = "`atan`"},
    {"Atanh", "atanh($00)", BIND_ATOM, .says = "`atanh`"},
    {"BitShift", .take = take_shift, .operands = 2, .attributes = "direction", .needs = "direction",
     .says = "by `2^`"},
    {"Ceil", "ceil($00)", BIND_ATOM, .says = "`ceil`"},
    {"Celu", .take = take_celu, .attributes = "alpha", .says = "`celu`"},
    {"Cos", "cos($00)", BIND_ATOM, .says = "`cos`"},
    {"Cosh", "cosh($00)", BIND_ATOM, .says = "`cosh`"},
    {"Elu", .take = take_elu, .attributes = "alpha", .says = "`elu`"},
    {"Erf", "erf($00)", BIND_ATOM, .says = "`erf`"},
    {"Exp", "exp($00)", BIND_ATOM, .says = "`exp`"},
    {"Floor", "floor($00)", BIND_ATOM, .says = "`floor`"},
    {"Gelu", .take = take_gelu, .attributes = "approximate", .says = "`gelu`, `gelu_tanh`"},
    {"HardSigmoid", .take = take_hard_sigmoid, .attributes = "alpha beta", .says = "`hardsigmoid`"},
    {"HardSwish", "hardswish($00)", BIND_ATOM, .says = "`hardswish`"},
    {"Identity", .take = take_identity, .says = "its operand"},
    {"IsInf", .take = take_is_inf, .attributes = "detect_positive detect_negative",
     .says = "`== inf`"},
    {"IsNaN", "$20 != $20", BIND_COMPARE, .says = "`!=`"},
    {"LeakyRelu", .take = take_leaky, .attributes = "alpha", .says = "`leaky_relu`"},
    {"Log", "log($00)", BIND_ATOM, .says = "`log`"},
    {"Mish", "mish($00)", BIND_ATOM, .says = "`mish`"},
    {"PRelu", .take = take_prelu, .operands = 2, .says = "`prelu`, or by `where`"},
    {"Reciprocal", "1/$40", BIND_TERM, .says = "`/`"},
    {"Relu", "relu($00)", BIND_ATOM, .says = "`relu`"},
    {"Round", .take = take_round, .says = "`round`"},
    {"Selu", .take = take_selu, .attributes = "alpha gamma", .says = "`selu`"},
    {"Shrink", .take = take_shrink, .attributes = "bias lambd", .says = "by `where`"},
    {"Sigmoid", "sigmoid($00)", BIND_ATOM, .says = "`sigmoid`"},
    {"Sign", "sign($00)", BIND_ATOM, .says = "`sign`"},
    {"Silu", "silu($00)", BIND_ATOM, .joined = true}, /* pattern.c */
    {"GeluTanh", "gelu_tanh($00)", BIND_ATOM, .joined = true},
    {"Sin", "sin($00)", BIND_ATOM, .says = "`sin`"},
    {"Sinh", "sinh($00)", BIND_ATOM, .says = "`sinh`"},
    {"Softplus", "softplus($00)", BIND_ATOM, .says = "`softplus`"},
    {"Softsign", "softsign($00)", BIND_ATOM, .says = "`softsign`"},
    {"Sqrt", "sqrt($00)", BIND_ATOM, .says = "`sqrt`"},
    {"Tan", "tan($00)", BIND_ATOM, .says = "`tan`"},
    {"Tanh", "tanh($00)", BIND_ATOM, .says = "`tanh`"},
    {"ThresholdedRelu", .take = take_thresholded, .attributes = "alpha", .says = "by `where`"},
    {"Cast", .take = take_cast, .typed_by = OWN_TYPE, .attributes = "to saturate", .needs = "to",
     .says = "its operand; from a fraction to a whole number by `as_int`, to a truth by `!= 0`"},
    {"CastLike", .take = take_cast, .operands = 2, .typed_by = OWN_TYPE, .attributes = "saturate",
     .says = "as Cast"},
    {"Clip", .take = take_clip, .operands = 3, .attributes = "min max",
     .says = "`clip`, `relu6`, `maximum`, `minimum`"},
    {"Dropout", .take = take_dropout, .operands = 3, .attributes = "ratio seed is_test",
     .says = "`dropout`"},
    {NULL},
};
