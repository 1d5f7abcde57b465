/* node_layer.c - layers: operators whose weights become params of a layer of the library. If a
 * weight is used in several places, or is computed, the function below the layer is written
 * instead. */
#include "onnx/onnx.h"

#include <string.h>

/* A weight that a layer of its own can have, or NULL. */
Known *own_weight(Import *im, int i, int rank)
{
    Known *k = input_known(im, i);
    if (!k || k->rank != rank || !k->name || is_shared(k) || element_is_int(k->element))
        return NULL;
    return k;
}

Operand finish_layer(Import *im, Line *l, const Known *W, const Known *b)
{
    l->label = layer_label(im, W, b);
    return emit_line(im, l);
}

/* The current node as a layer of x that has a gain and a bias for each channel. */
static void result_normalized(Import *im, const char *form, Operand x, Known *gain, Known *bias)
{
    Line *l = line_new(im, BIND_ATOM, form, 1, &x);
    line_weight(im, l, gain, NULL);
    line_weight(im, l, bias, NULL);
    result(im, 0, finish_layer(im, l, gain, bias));
}

/* "2, 3": the axes from the first one on. */
static const char *axes_from(Import *im, int64_t first, int rank)
{
    Text t = {.ngc = im->ngc};
    for (int64_t i = first; i < rank; i++)
        text_add(&t, "%s%lld", text_if(i > first, ", "), (long long)i);
    return text_or(t.at, "");
}

/* ---- dense ---- */

static const int swapped[] = {1, 0};

/* x @ W for a weight [k, n], or [n, k] if it is transposed already; b may be NULL. */
static Operand dense(Import *im, Operand x, Known *W, Known *b, bool transposed)
{
    int64_t n = W->dim[transposed ? 0 : 1];
    const char *form =
        text_format(im->ngc, b ? "dense($00, %lld)" : "dense($00, %lld, bias = 0)", (long long)n);
    Line *l = line_new(im, BIND_ATOM, form, 1, &x);
    line_weight(im, l, W, transposed ? NULL : swapped);
    if (b)
        line_weight(im, l, b, NULL);
    else
        l->units = n;
    return finish_layer(im, l, W, b);
}

static void take_matmul(Import *im)
{
    Known *W = own_weight(im, 1, 2);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    if (W && W->count > 1 && operand_node(x)->shape.rank > 0) {
        result(im, 0, dense(im, x, W, NULL, false));
        return;
    }
    Operand y = operand(im, 1);
    result_emit(im, BIND_TERM, "$30 @ $41", 2, x, y);
}

/* Adding a vector to a product with weights makes it the bias of the layer. */
static bool take_bias(Import *im, int product)
{
    const Meaning *m = input_of(im, product);
    Known *b = own_weight(im, 1 - product, 1);
    const Line *l = m && !im->failed ? m->operand.line : NULL;
    if (!l || !b || l->units != b->dim[0] || uses_of(im, im->at->input[product]) != 1)
        return false;
    const Weight *W = &l->weight[0];
    Operand y = dense(im, l->arg[0], W->value, b, W->perm == NULL);
    result(im, 0, y);
    return true;
}

static void take_add(Import *im)
{
    if (im->at->n_input == 2 && (take_bias(im, 0) || take_bias(im, 1)))
        return;
    Operand a = operand(im, 0);
    Operand b = operand(im, 1);
    result_emit(im, BIND_SUM, "$20 + $31", 2, a, b);
}

/* alpha A B + beta C, of matrices that may be transposed. */
static void take_gemm(Import *im)
{
    const Pb__Node *n = im->at;
    double alpha = attribute_float(im, "alpha", 1);
    double beta = attribute_float(im, "beta", 1);
    bool ta = attribute_int(im, "transA", 0);
    bool tb = attribute_int(im, "transB", 0);
    bool biased = has_input(n, 2);
    Known *W = own_weight(im, 1, 2);
    Known *b = NULL;
    if (biased)
        b = own_weight(im, 2, 1);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    if (ta)
        x = emit(im, BIND_ATOM, "$60'", 1, x);

    /* a layer of its own */
    int outputs = 1;
    if (tb)
        outputs = 0;
    bool fits = !biased || (b && W && b->dim[0] == W->dim[outputs]);
    if (W && fits && alpha == 1 && beta == 1) {
        result(im, 0, dense(im, x, W, b, tb));
        return;
    }

    Operand y = operand(im, 1);
    y = emit(im, BIND_TERM, tb ? "$30 @ $61'" : "$30 @ $61", 2, x, y);
    if (alpha != 1)
        y = emit_of(im, y, BIND_TERM, "%s*$40", number_text(im, alpha));
    if (biased && beta != 0) {
        Operand c = operand(im, 2);
        if (beta != 1)
            c = emit_of(im, c, BIND_TERM, "%s*$40", number_text(im, beta));
        y = emit(im, BIND_SUM, "$20 + $31", 2, y, c);
    }
    result(im, 0, y);
}

/* ---- normalisation ---- */

/* "[:, new, new]": a number for each channel of a tensor of this rank. */
static const char *channels_index(Import *im, int rank)
{
    Text t = {.ngc = im->ngc};
    text_add(&t, "[:");
    for (int i = 2; i < rank; i++)
        text_add(&t, ", new");
    text_add(&t, "]");
    return rank > 2 ? t.at : "";
}

static const char *eps_text(Import *im, const char *name, double usual, const char *before)
{
    double eps = attribute_float(im, name, usual);
    if (eps == 1e-5)
        return "";
    return text_format(im->ngc, "%seps = %s", before, number_text(im, eps));
}

/* Replaces statistics, which are operands, by those of the batch. Results 1 and 2 are what the
 * operands become after it. */
static void batch_statistics(Import *im, const Pb__Node *n, Operand x, double momentum,
                             Operand *mean, Operand *var)
{
    static const char *const functions[] = {"mean", "var"};
    Operand *of[] = {mean, var};

    /* over all axes but that of the channels */
    int rank = operand_node(x)->shape.rank;
    Text axes = {.ngc = im->ngc};
    text_add(&axes, "0");
    for (int i = 2; i < rank; i++)
        text_add(&axes, ", %d", i);

    double kept = 1 - momentum;
    const char *mixed = text_format(im->ngc, "%.9g*$30 + %.9g*$31", kept, momentum);
    for (int i = 0; i < 2 && !im->failed; i++) {
        Operand now = emit_of(im, x, BIND_ATOM, "%s($00, [%s])", functions[i], axes.at);
        if (wants_output(n, 1 + i))
            result(im, 1 + i, emit(im, BIND_SUM, mixed, 2, *of[i], now));
        *of[i] = now;
    }
}

/* false: not all four are weights that a layer of its own can have. */
static bool own_statistics(Import *im, Known **w)
{
    bool own = true;
    for (int i = 0; i < 4 && !im->failed; i++) {
        w[i] = own_weight(im, i + 1, 1);
        own &= w[i] != NULL;
    }
    return own;
}

static Operand batch_norm_layer(Import *im, Operand x, Known *const *w, double momentum)
{
    const char *m = "";
    if (momentum < 0.0999999 || momentum > 0.1000001)
        m = text_format(im->ngc, ", momentum = %.9g", momentum);
    const char *eps = eps_text(im, "epsilon", 1e-5, ", ");
    const char *form = text_format(im->ngc, "batch_norm($00%s%s)", m, eps);

    Line *l = line_new(im, BIND_ATOM, form, 1, &x);
    for (int i = 0; i < 4; i++)
        line_weight(im, l, w[i], NULL);
    l->weight[2].state = true;
    l->weight[3].state = true;
    return finish_layer(im, l, w[0], w[2]);
}

static void take_batch_norm(Import *im)
{
    const Pb__Node *n = im->at;
    int rank = input_rank(im, 0);
    double momentum = 1 - attribute_float(im, "momentum", 0.9);
    Known *w[4];
    Operand x = operand(im, 0);
    bool own = own_statistics(im, w);
    if (im->failed)
        return;
    if (attribute_int(im, "spatial", 1) == 0)
        problem(im, "attribute 'spatial': only 1 is supported");
    if (own) {
        result(im, 0, batch_norm_layer(im, x, w, momentum));
        return;
    }

    bool training = attribute_int(im, "training_mode", 0) && im->opset >= 14;
    Operand mean = operand(im, 3);
    Operand var = operand(im, 4);
    if (training && !im->failed)
        batch_statistics(im, n, x, momentum, &mean, &var);

    /* (x - mean)/sqrt(var + eps)*scale + b, each along the channels */
    const char *at = channels_index(im, rank);
    const char *eps = number_text(im, attribute_float(im, "epsilon", 1e-5));
    Operand scale = operand(im, 1);
    Operand b = operand(im, 2);
    const char *form =
        text_format(im->ngc, "($20 - $61%s)/sqrt($62%s + %s)*$63%s + $64%s", at, at, eps, at, at);
    result_emit(im, BIND_SUM, form, 5, x, mean, var, scale, b);
}

static void take_instance_norm(Import *im)
{
    int rank = input_rank(im, 0);
    Operand x = operand(im, 0);
    if (im->failed)
        return;

    /* each channel is a group */
    Known *gain = own_weight(im, 1, 1);
    Known *bias = own_weight(im, 2, 1);
    const char *eps = eps_text(im, "epsilon", 1e-5, ", ");
    if (gain && bias) {
        Shape s = operand_node(x)->shape;
        const char *groups = size_text(im->g, s.dim[1], "");
        const char *form = text_format(im->ngc, "group_norm($00, %s%s)", groups, eps);
        result_normalized(im, form, x, gain, bias);
        return;
    }

    const char *at = channels_index(im, rank);
    const char *form = text_format(im->ngc, "normalize($00, [%s]%s)*$61%s + $62%s",
                                   axes_from(im, 2, rank), eps, at, at);
    Operand a = operand(im, 1);
    Operand b = operand(im, 2);
    result_emit(im, BIND_SUM, form, 3, x, a, b);
}

/* Results 1 and 2: the mean, and one over the deviation. */
static void layer_statistics(Import *im, Operand x, const char *axes)
{
    const char *eps = number_text(im, attribute_float(im, "epsilon", 1e-5));
    Operand mean = emit_of(im, x, BIND_ATOM, "mean($00, [%s], keepdims = 1)", axes);
    Operand var = emit_of(im, x, BIND_ATOM, "var($00, [%s], keepdims = 1)", axes);
    result(im, 1, mean);
    result(im, 2, emit_of(im, var, BIND_TERM, "1/sqrt($20 + %s)", eps));
}

static void take_layer_norm(Import *im)
{
    const Pb__Node *n = im->at;
    int rank = input_rank(im, 0);
    Operand x = operand(im, 0);
    int64_t axis = axis_attribute(im, -1, rank);
    if (axis < 0)
        return;

    bool biased = has_input(n, 2);
    const char *eps = eps_text(im, "epsilon", 1e-5, ", ");
    Known *gain = own_weight(im, 1, 1);
    Known *bias = NULL;
    if (biased)
        bias = own_weight(im, 2, 1);
    const char *axes = axes_from(im, axis, rank);
    if (wants_output(n, 1) || wants_output(n, 2))
        layer_statistics(im, x, axes);

    if (axis == rank - 1 && gain && bias) {
        const char *form = text_format(im->ngc, "layer_norm($00%s)", eps);
        result_normalized(im, form, x, gain, bias);
        return;
    }

    Operand g = operand(im, 1);
    Operand b = {0};
    if (biased)
        b = operand(im, 2);
    const char *form = text_format(im->ngc, "normalize($00, [%s]%s)*$41", axes, eps);
    Operand y = emit(im, BIND_TERM, form, 2, x, g);
    if (b.line)
        y = emit(im, BIND_SUM, "$20 + $31", 2, y, b);
    result(im, 0, y);
}

/* What pattern.c has joined. */
static void take_rms_norm(Import *im)
{
    Known *gain = own_weight(im, 1, 1);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    Shape s = operand_node(x)->shape;
    const char *eps = eps_text(im, "epsilon", 1e-5, ", ");
    if (gain && s.rank > 0 && s.dim[s.rank - 1] == gain->dim[0]) {
        Line *l = line_new(im, BIND_ATOM, text_format(im->ngc, "rms_norm($00%s)", eps), 1, &x);
        line_weight(im, l, gain, NULL);
        result(im, 0, finish_layer(im, l, gain, NULL));
        return;
    }
    const char *form = text_format(im->ngc, "$30/sqrt(mean($60^2, -1, keepdims = 1) + %s)*$41",
                                   number_text(im, attribute_float(im, "epsilon", 1e-5)));
    Operand g = operand(im, 1);
    result_emit(im, BIND_TERM, form, 2, x, g);
}

/* A weight with a number for each channel, as one that has no other axes; or NULL. */
static Known *channel_weight(Import *im, int i, Size channels)
{
    const Known *k = input_known(im, i);
    Known *own = NULL;
    if (k)
        own = own_weight(im, i, k->rank);
    if (!own || k->rank < 1 || k->dim[0] != k->count || k->count != (int64_t)channels)
        return NULL;
    if (own->rank == 1)
        return own;
    own = arena_copy(im->ngc, own, sizeof *own);
    own->rank = 1;
    return own;
}

/* pattern.c: input 3 is the shape after the normalisation. Is it that of x? */
static bool keeps_shape(Import *im, const Shape *s)
{
    const Known *shape = input_known(im, 3);
    if (!shape || shape->count != s->rank)
        return false;

    /* 0 and -1 say that a size remains */
    for (int i = 0; i < s->rank; i++) {
        Size size = known_size(im->g, shape, i);
        int64_t v = 1;
        bool remains = size_number(im->g, size, &v) && v <= 0;
        if (size != s->dim[i] && !remains)
            return false;
    }
    return true;
}

/* A normalisation of groups, with any gain and bias. */
static void groups_by_parts(Import *im, Operand x, int64_t groups, const char *eps)
{
    const char *rows = size_text(im->g, operand_node(x)->shape.dim[0], "");
    const char *form = text_format(im->ngc,
                                   "reshape(normalize(reshape($00, [%s, %lld, -1]), [2]%s), "
                                   "$00.shape)*$41 + $32",
                                   rows, (long long)groups, eps);
    Operand gain = operand(im, 1);
    Operand bias = operand(im, 2);
    result_emit(im, BIND_SUM, form, 3, x, gain, bias);
}

static void take_group_norm(Import *im)
{
    const Pb__Node *n = im->at;
    Operand x = operand(im, 0);
    int64_t groups = attribute_int(im, "num_groups", 1);
    if (im->failed)
        return;

    Shape s = operand_node(x)->shape;
    Known *gain = NULL;
    Known *bias = NULL;
    if (s.rank > 1) {
        gain = channel_weight(im, 1, s.dim[1]);
        bias = channel_weight(im, 2, s.dim[1]);
    }
    bool joined = has_input(n, 3);
    if (joined && !keeps_shape(im, &s))
        problem(im, "the shape after the normalisation is another one");
    const char *eps = eps_text(im, "epsilon", 1e-5, ", ");

    /* the numbers of a joined node are broadcast: from the last axis on */
    bool along_channels = input_rank(im, 1) == s.rank - 1 && input_rank(im, 2) == s.rank - 1;
    if (joined && !(gain && bias && along_channels)) {
        groups_by_parts(im, x, groups, eps);
        return;
    }
    if (!gain || !bias) {
        problem(im, "a scale that is not one weight for each channel is not supported");
        return;
    }

    const char *form = text_format(im->ngc, "group_norm($00, %lld%s)", (long long)groups, eps);
    result_normalized(im, form, x, gain, bias);
}

static void take_mean_variance(Import *im)
{
    int64_t axes[MAX_RANK] = {0, 2, 3};
    int rank = input_rank(im, 0);
    int count = axes_of(im, "axes", -1, axes, rank < 0 ? 4 : rank);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    const char *form = text_format(im->ngc, "normalize($00, %s, eps = 1e-18)",
                                   ints_text(im, axes, count < 0 ? 3 : count));
    result_emit(im, BIND_ATOM, form, 1, x);
}

/* The sum of parts of x that are next to one another along the channels. */
static Operand sum_of_parts(Import *im, Operand x, int64_t parts, int64_t channels)
{
    Operand all = {0};
    for (int64_t i = 0; i < parts; i++) {
        long long from = i;
        long long to = i + channels;
        Operand part = emit_of(im, x, BIND_ATOM, "$60[:, %lld:%lld]", from, to);
        if (i == 0)
            all = part;
        else
            all = emit(im, BIND_SUM, "$20 + $31", 2, all, part);
    }
    return all;
}

/* Divides by a power of the sum of squares over neighbouring channels. */
static void take_lrn(Import *im)
{
    int64_t size = attribute_int(im, "size", 1);
    double alpha = attribute_float(im, "alpha", 1e-4);
    double beta = attribute_float(im, "beta", 0.75);
    double bias = attribute_float(im, "bias", 1);
    int rank = input_rank(im, 0);
    Operand x = operand(im, 0);
    if (im->failed)
        return;

    int64_t channels;
    bool good = rank >= 2 && size >= 1 && size <= 64;
    if (!good || !size_number(im->g, operand_node(x)->shape.dim[1], &channels)) {
        problem(im, "attribute 'size': it must be 1 to 64, and the channels a known number");
        return;
    }

    /* zeros beside the channels */
    long long before = (size - 1) / 2;
    long long after = size - 1 - before;
    Text pads = {.ngc = im->ngc};
    text_add(&pads, "pad($60^2, [[0, 0], [%lld, %lld]", before, after);
    for (int i = 2; i < rank; i++)
        text_add(&pads, ", [0, 0]");
    text_add(&pads, "])");
    Operand squares = emit(im, BIND_ATOM, pads.at, 1, x);
    Operand all = sum_of_parts(im, squares, size, channels);

    /* x/(bias + alpha/size*all)^beta */
    const char *each = number_text(im, alpha / (double)size);
    const char *form = text_format(im->ngc, "$30/(%s + %s*$31)^%s", number_text(im, bias), each,
                                   number_text(im, beta));
    result_emit(im, BIND_TERM, form, 2, x, all);
}

const OnnxOp onnx_layer[] = {
    {"Add", .take = take_add, .operands = 2,
     .says = "`+`; to a product with weights: the bias of `dense`"},
    {"BatchNormalization", .take = take_batch_norm, .operands = 5,
     .attributes = "epsilon momentum spatial training_mode", .says = "`batch_norm`"},
    {"Gemm", .take = take_gemm, .operands = 3, .attributes = "alpha beta transA transB",
     .says = "`dense`, `@`"},
    {"GroupNormalization", .take = take_group_norm, .operands = 3,
     .attributes = "epsilon num_groups stash_type", .needs = "num_groups", .says = "`group_norm`"},
    {"InstanceNormalization", .take = take_instance_norm, .operands = 3, .attributes = "epsilon",
     .says = "`group_norm`, `normalize`"},
    {"LayerNormalization", .take = take_layer_norm, .operands = 3,
     .attributes = "axis epsilon stash_type", .says = "`layer_norm`, `normalize`"},
    {"LRN", .take = take_lrn, .attributes = "alpha beta bias size", .needs = "size",
     .says = "`pad`, sums and `^`"},
    {"MatMul", .take = take_matmul, .operands = 2, .says = "`dense`, `@`"},
    {"RmsNormalization", .take = take_rms_norm, .joined = true}, /* pattern.c */
    {"MeanVarianceNormalization", .take = take_mean_variance, .attributes = "axes",
     .says = "`normalize`"},
    {NULL},
};
