/* node_quantize.c - operators of quantized values: whole numbers from which a zero point is taken
 * away, times a scale. In the language they are numbers like others. */
#include "onnx/onnx.h"

/* ---- scales and zero points ---- */

/* What follows a scale or a zero point that is one number, or one for each element of an axis: an
 * index that makes it fit a tensor of this rank. */
static const char *along_axis(Import *im, Operand o, int64_t axis, int rank)
{
    if (!o.line || operand_node(o)->shape.rank != 1 || size_is_one(operand_node(o)->shape.dim[0]))
        return "";
    Text t = {.ngc = im->ngc};
    text_add(&t, "[:");
    for (int64_t i = axis + 1; i < rank; i++)
        text_add(&t, ", new");
    text_add(&t, "]");
    return axis + 1 < rank ? t.at : "";
}

/* Operand i, one number or one for each element of an axis of a tensor of this rank. */
static Operand along(Import *im, int i, int64_t axis, int rank)
{
    Operand o = operand(im, i);
    const char *index = "";
    if (!im->failed)
        index = along_axis(im, o, axis, rank);
    if (*index)
        return emit_of(im, o, BIND_ATOM, "$60%s", index);
    return o;
}

/* The whole numbers that a type has, as the bounds of clip. */
static const char *bounds(int element)
{
    switch (element) {
    case EL_INT8: return "-128, 127";
    case EL_UINT16: return "0, 65535";
    case EL_INT16: return "-32768, 32767";
    default: return "0, 255";
    }
}

/* x in steps of the scale, from operand `zero` of the node on, which may be missing. */
static void quantized(Import *im, Operand steps, int zero, int64_t axis, int rank)
{
    int element = EL_UINT8;
    if (has_input(im->at, zero))
        element = input_element(im, zero);
    Operand y = emit(im, BIND_ATOM, "round($00)", 1, steps);
    if (has_input(im->at, zero) && !im->failed)
        y = emit(im, BIND_SUM, "$20 + $31", 2, y, along(im, zero, axis, rank));
    if (im->failed)
        return;
    y = emit_of(im, y, BIND_ATOM, "clip($00, %s)", bounds(element));
    result(im, 0, y);
    if (!im->failed && wants_output(im->at, 0))
        meaning_of(im, im->at->output[0])->element = element;
}

/* Operand i less its zero point, if that is there and not 0. */
static Operand less_zero(Import *im, int i, int zero, int64_t axis)
{
    double v = 1;
    Operand x = operand(im, i);
    const Known *k = input_known(im, zero);
    if (im->failed || !has_input(im->at, zero) || (k && known_even(im->g, k, &v) && v == 0))
        return x;
    return emit(im, BIND_SUM, "$20 - $31", 2, x,
                along(im, zero, axis, operand_node(x)->shape.rank));
}

/* ---- the operators ---- */

/* The axis that scales are along; negative: after a problem. */
static int64_t scale_axis(Import *im, int *rank)
{
    *rank = input_rank(im, 0);
    if (*rank <= 1)
        return *rank < 0 ? -1 : 0;
    return axis_attribute(im, 1, *rank);
}

static void take_quantize(Import *im)
{
    int rank;
    int64_t axis = scale_axis(im, &rank);
    if (axis < 0)
        return;
    Operand x = operand(im, 0);
    Operand scale = along(im, 1, axis, rank);
    if (!im->failed)
        quantized(im, emit(im, BIND_TERM, "$30/$41", 2, x, scale), 2, axis, rank);
}

static void take_dequantize(Import *im)
{
    int rank;
    int64_t axis = scale_axis(im, &rank);
    if (axis < 0)
        return;
    Operand x = less_zero(im, 0, 2, axis);
    Operand scale = along(im, 1, axis, rank);
    result_emit(im, BIND_TERM, "$30*$41", 2, x, scale);
}

/* The zero point is a whole number, and 0 is one of the values that can be had exactly. */
static void take_dynamic(Import *im)
{
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    Operand low = emit(im, BIND_ATOM, "minimum(min($00), 0)", 1, x);
    Operand high = emit(im, BIND_ATOM, "maximum(max($00), 0)", 1, x);
    Operand scale = emit(im, BIND_TERM, "($20 - $31)/255", 2, high, low);
    Operand zero = emit(im, BIND_ATOM, "clip(round(-$40/$41), 0, 255)", 2, low, scale);
    result_emit(im, BIND_ATOM, "clip(round($30/$41) + $32, 0, 255)", 3, x, scale, zero);
    result(im, 1, scale);
    result(im, 2, zero);
    for (int i = 0; i < 3 && !im->failed; i += 2)
        if (wants_output(im->at, i))
            meaning_of(im, im->at->output[i])->element = EL_UINT8;
}

/* x scale, zero, W scale, zero, y scale, zero: from 1 on, with the operands themselves between. */
static void take_product(Import *im)
{
    int a = input_rank(im, 0);
    int b = input_rank(im, 3);
    if (a < 0 || b < 0)
        return;
    Operand x = less_zero(im, 0, 2, a - 2);
    Operand w = less_zero(im, 3, 5, b - 1);
    Operand sx = along(im, 1, a - 2, a);
    Operand sw = along(im, 4, b - 1, b);
    Operand sy = operand(im, 6);
    if (im->failed)
        return;
    Operand y = emit(im, BIND_TERM, "$30 @ $41", 2, x, w);
    y = emit(im, BIND_TERM, "$30*($31*$42/$43)", 4, y, sx, sw, sy);
    if (!im->failed)
        quantized(im, y, 7, 0, 1);
}

static void take_conv(Import *im)
{
    const Pb__Node *n = im->at;
    int rank = input_rank(im, 0);
    if (rank < 0)
        return;
    Operand x = less_zero(im, 0, 2, 1);
    Operand w = less_zero(im, 3, 5, 0);
    Operand sx = operand(im, 1);
    Operand sw = along(im, 4, 1, rank);
    Operand sy = operand(im, 6);
    Operand y = x;
    if (!im->failed)
        y = convolution(im, x, w);
    if (has_input(n, 8) && !im->failed)
        y = emit(im, BIND_SUM, "$20 + $31", 2, y, along(im, 8, 1, rank));
    if (im->failed)
        return;
    y = emit(im, BIND_TERM, "$30*($31*$42/$43)", 4, y, sx, sw, sy);
    if (!im->failed)
        quantized(im, y, 7, 0, 1);
}

/* ConvInteger: the sums themselves. */
static void take_conv_integer(Import *im)
{
    Operand x = less_zero(im, 0, 2, 1);
    Operand w = less_zero(im, 1, 3, 0);
    if (!im->failed)
        result(im, 0, convolution(im, x, w));
}

static void take_product_integer(Import *im)
{
    int a = input_rank(im, 0);
    int b = input_rank(im, 1);
    if (a < 0 || b < 0)
        return;
    Operand x = less_zero(im, 0, 2, a - 2);
    Operand w = less_zero(im, 1, 3, b - 1);
    result_emit(im, BIND_TERM, "$30 @ $41", 2, x, w);
}

#define WINDOW "auto_pad dilations kernel_shape pads strides"

const OnnxOp onnx_quantize[] = {
    {"ConvInteger", .take = take_conv_integer, .operands = 4, .attributes = WINDOW " group",
     .says = "`conv`"},
    {"DequantizeLinear", .take = take_dequantize, .operands = 3, .typed_by = OWN_TYPE,
     .attributes = "axis", .says = "`-` and `*`"},
    {"DynamicQuantizeLinear", .take = take_dynamic, .says = "by `min`, `max`, `round` and `clip`"},
    {"MatMulInteger", .take = take_product_integer, .operands = 4, .says = "`@`"},
    {"QLinearConv", .take = take_conv, .operands = 9, .attributes = WINDOW " group",
     .says = "`conv`, `round` and `clip`"},
    {"QLinearMatMul", .take = take_product, .operands = 8, .says = "`@`, `round` and `clip`"},
    {"QuantizeLinear", .take = take_quantize, .operands = 3, .attributes = "axis saturate",
     .says = "by `round` and `clip`"},
    {NULL},
};
