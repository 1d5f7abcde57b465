/* node_reduce.c - reductions, products of matrices, softmax, losses. */
#include "onnx/onnx.h"

#include <math.h>
#include <string.h>

/* ---- reductions ---- */

/* "": the axes that are reduced are left out. */
static const char *keep_text(const Import *im)
{
    return text_if(attribute_int(im, "keepdims", 1), ", keepdims = 1");
}

/* ", [2, 3], 1": the axes of a reduction and keepdims, as arguments. "" over all axes. */
static bool reduce_arguments(Import *im, const char **text, int64_t *axis, int *axes)
{
    Ngc *ngc = im->ngc;
    int rank = input_rank(im, 0);
    if (rank < 0)
        return false;

    *axes = axes_of(im, "axes", 1, axis, rank); /* an operand, or an attribute in old opsets */
    if (*axes == -2)
        return false;

    const char *kept = keep_text(im);
    if (*axes <= 0 || *axes == rank)
        *text = kept;
    else if (*axes > 1)
        *text = text_format(ngc, ", %s%s", ints_text(im, axis, *axes), kept);
    else if (axis[0] == rank - 1)
        *text = text_format(ngc, ", -1%s", kept);
    else
        *text = text_format(ngc, ", %lld%s", (long long)axis[0], kept);
    return true;
}

static void take_reduce(Import *im)
{
    const Pb__Node *n = im->at;
    static const char *const forms[][2] = {
        {"ReduceL1", "sum(abs($00)%s)"},     {"ReduceL2", "norm($00%s)"},
        {"ReduceLogSum", "log(sum($00%s))"}, {"ReduceLogSumExp", "logsumexp($00%s)"},
        {"ReduceMax", "max($00%s)"},         {"ReduceMean", "mean($00%s)"},
        {"ReduceMin", "min($00%s)"},         {"ReduceProd", "prod($00%s)"},
        {"ReduceSum", "sum($00%s)"},         {"ReduceSumSquare", "sum($60^2%s)"},
    };
    int64_t axis[MAX_RANK];
    int axes;
    const char *arguments;
    Operand x = operand(im, 0);
    if (im->failed || !reduce_arguments(im, &arguments, axis, &axes))
        return;
    if (axes <= 0 && attribute_int(im, "noop_with_empty_axes", 0)) {
        result(im, 0, x);
        return;
    }
    Operand y = x;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (same_text(n->op, forms[i][0]))
            y = emit(im, BIND_ATOM, text_format(im->ngc, forms[i][1], arguments), 1, x);

    /* of whole numbers, these are whole numbers too */
    bool whole = element_is_int(input_element(im, 0));
    if (whole && has_word("ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMean", n->op))
        y = towards_0(im, y);
    result(im, 0, y);
}

static void take_arg(Import *im)
{
    const Pb__Node *n = im->at;
    Ngc *ngc = im->ngc;
    int rank = input_rank(im, 0);
    Operand x = operand(im, 0);
    long long axis = axis_attribute(im, 0, rank);
    if (axis < 0)
        return;

    const char *f = same_text(n->op, "ArgMax") ? "argmax" : "argmin";
    const char *keep = keep_text(im);
    if (attribute_int(im, "select_last_index", 0)) {
        Size last = size_sub(im->g, operand_node(x)->shape.dim[axis], 1);
        const char *form = text_format(ngc, "%s - %s(flip($00, %lld), %lld%s)",
                                       size_text(im->g, last, ""), f, axis, axis, keep);
        result_emit(im, BIND_SUM, form, 1, x);
        return;
    }

    const char *form = text_format(ngc, "%s($00, %lld%s)", f, axis, keep);
    if (axis == rank - 1)
        form = text_format(ngc, "%s($00%s)", f, keep);
    result_emit(im, BIND_ATOM, form, 1, x);
}

static void take_top(Import *im)
{
    int rank = input_rank(im, 0);
    int64_t k = attribute_int(im, "k", 0);
    const Known *given = given_known(im, 1, "the number of elements");
    Operand x = operand(im, 0);
    int64_t axis = axis_attribute(im, -1, rank);
    if (axis < 0)
        return;
    if (given && (given->count != 1 || !known_whole(im->g, given, 0, &k))) {
        problem(im, "the number of elements is known only at run time");
        return;
    }
    const char *f = attribute_int(im, "largest", 1) ? "largest" : "smallest";
    const char *at = "";
    if (axis != rank - 1)
        at = text_format(im->ngc, ", %lld", (long long)axis);
    const char *form = text_format(im->ngc, "%s($00, %lld%s)", f, (long long)k, at);
    Line *l = line_new(im, BIND_ATOM, form, 1, &x);
    l->parts = 2;
    Operand y = emit_line(im, l);
    for (int i = 0; i < 2 && y.line; i++)
        result(im, i, (Operand){y.line, i});
}

/* "2, 3": the axes from the first on. */
static const char *axes_from(const Import *im, int64_t first, int rank)
{
    Text t = text_empty(im->ngc);
    for (int64_t i = first; i < rank; i++)
        text_add(&t, "%s%lld", text_if(i > first, ", "), (long long)i);
    return t.at;
}

static void take_global_pool(Import *im)
{
    const Pb__Node *n = im->at;
    int rank = input_rank(im, 0);
    Operand x = operand(im, 0);
    const char *f = "mean";
    if (im->failed)
        return;
    if (same_text(n->op, "GlobalMaxPool"))
        f = "max";
    if (same_text(n->op, "GlobalLpPool")) {
        f = "norm";
        if (attribute_int(im, "p", 2) != 2)
            problem(im, "attribute 'p': only 2 is supported");
    }
    const char *axes = axes_from(im, 2, rank);
    result_emit(im, BIND_ATOM, text_format(im->ngc, "%s($00, [%s], keepdims = 1)", f, axes), 1, x);
}

/* ---- softmax ---- */

/* 1 at the largest element along an axis, 0 elsewhere. joined: axis is -1, and all but the first
 * are one. */
static void hardmax(Import *im, Operand x, int64_t axis)
{
    Shape s = operand_node(x)->shape;
    if (axis < 0 && s.rank > 2) {
        problem(im, "it is supported from opset 13 on");
        return;
    }
    if (axis < 0)
        axis = s.rank - 1;
    const char *n = size_text(im->g, s.dim[axis], "");
    Operand y;
    if (axis == s.rank - 1)
        y = emit_of(im, x, BIND_ATOM, "one_hot(argmax($00), %s)", n);
    else
        y = emit_of(im, x, BIND_ATOM, "one_hot(argmax($00, %lld), %s)", (long long)axis, n);
    /* one_hot adds the last axis, which takes the place of this one */
    result(im, 0, last_axis_to(im, y, axis, s.rank));
}

static void take_softmax(Import *im)
{
    const Pb__Node *n = im->at;
    Ngc *ngc = im->ngc;
    int rank = input_rank(im, 0);
    Operand x = operand(im, 0);
    bool joined = im->opset < 13; /* all axes from this one on are one */
    int64_t axis = axis_attribute(im, joined ? 1 : -1, rank);
    if (axis < 0)
        return;
    const char *f = same_text(n->op, "LogSoftmax") ? "log_softmax" : "softmax";
    const char *form;
    if (same_text(n->op, "Hardmax")) {
        hardmax(im, x, joined ? -1 : axis);
        return;
    }
    if (axis == rank - 1)
        form = text_format(ngc, "%s($00)", f);
    else if (!joined)
        form = text_format(ngc, "%s($00, %lld)", f, (long long)axis);
    else
        form = text_format(ngc, "%s($00, [%s])", f, axes_from(im, axis, rank));
    result_emit(im, BIND_ATOM, form, 1, x);
}

/* ---- products ---- */

static void take_einsum(Import *im)
{
    const Pb__Node *n = im->at;
    const char *letters = attribute_text(im, "equation", "");
    Operand arg[3] = {{0}};
    int args = (int)n->n_input;
    if (args < 1 || args > 3) {
        problem(im, "%d operands; there can be 1 to 3", args);
        return;
    }
    char *clean = (char *)text_format(im->ngc, "%s", letters);
    char *to = clean;
    for (const char *c = letters; *c; c++)
        if (*c != ' ' && *c != '"' && *c != '\n' && *c != '$')
            *to++ = *c;
    *to = 0;
    for (int i = 0; i < args; i++)
        arg[i] = operand(im, i);
    if (im->failed)
        return;
    Text t = {.ngc = im->ngc};
    text_add(&t, "einsum(\"%s\"", clean);
    for (int i = 0; i < args; i++)
        text_add(&t, ", $0%d", i);
    text_add(&t, ")");
    result(im, 0, emit_line(im, line_new(im, BIND_ATOM, t.at, args, arg)));
}

static void take_det(Import *im)
{
    Operand x = operand(im, 0);
    result_emit(im, BIND_ATOM, "det($00)", 1, x);
}

/* Is the number of an attention the usual one, the root of the size of the last axis of q? */
static bool has_usual_scale(Import *im, Operand q)
{
    double v = 0;
    int64_t d = 0;
    const Known *number = input_known(im, 3);
    Shape s = operand_node(q)->shape;
    if (!number || number->count != 1 || !known_number(im->g, number, 0, &v) || !(v > 0))
        return false;
    if (!attribute_float(im, "divided", 0))
        v = 1 / v;
    return s.rank > 0 && size_number(im->g, s.dim[s.rank - 1], &d) &&
           fabs(v * v - (double)d) <= 1e-6 * (double)d;
}

/* Is the mask known, with an element in each row that is not 0? */
static bool has_full_rows(Import *im, int mask)
{
    const Known *k = input_known(im, mask);
    if (!k || k->rank < 1)
        return false;
    int64_t n = k->dim[k->rank - 1];
    int64_t last = -1; /* the row of the last such element */
    for (int64_t i = 0; i < k->count; i++) {
        double v = 0;
        known_number(im->g, k, i, &v);
        if (v != 0 && i / n > last + 1)
            return false;
        if (v != 0)
            last = i / n;
    }
    return (last + 1) * n == k->count;
}

/* softmax(q k' times a number) v, as it is written. */
static void attention_by_parts(Import *im, Operand q, Operand k, Operand v, Operand mask)
{
    Operand c = operand(im, 3);
    bool divided = attribute_float(im, "divided", 0) != 0;
    bool inside = attribute_float(im, "inside", 0) != 0;
    const char *fill = number_text(im, attribute_float(im, "fill", 0));
    Operand scores;
    if (inside) {
        q = emit(im, BIND_TERM, divided ? "$30/$41" : "$30*$41", 2, q, c);
        scores = emit(im, BIND_TERM, "$30 @ $61'", 2, q, k);
    } else {
        scores = emit(im, BIND_TERM, divided ? "$30 @ $61'/$42" : "$30 @ $61'*$42", 3, q, k, c);
    }
    if (mask.line) {
        const char *form = text_format(im->ngc, "where($00, $01, %s)", fill);
        scores = emit(im, BIND_ATOM, form, 2, mask, scores);
    }
    result_emit(im, BIND_TERM, "softmax($00) @ $41", 2, scores, v);
}

/* What pattern.c has joined. */
static void take_attention(Import *im)
{
    const Pb__Node *n = im->at;
    Operand q = operand(im, 0);
    Operand k = {0};
    Operand v = operand(im, 2);
    Operand mask = {0};
    int64_t order[MAX_RANK];
    int rank = attribute_ints(im, "perm", order, MAX_RANK);
    if (im->failed)
        return;
    bool same = true;
    for (int i = 0; i < rank; i++)
        same &= order[i] == i;
    k = operand(im, 1);
    if (!same)
        k = permuted(im, k, order, rank);
    if (has_input(n, 4))
        mask = operand(im, 4);
    if (im->failed)
        return;

    /* the library masks by -inf, which leaves nothing of a row that is masked as a whole */
    bool usual = has_usual_scale(im, q);
    if (mask.line && isfinite(attribute_float(im, "fill", 0)))
        usual &= has_full_rows(im, 4);
    if (usual && mask.line)
        result_emit(im, BIND_ATOM, "scaled_dot_attention($00, $01, $02, $03)", 4, q, k, v, mask);
    else if (usual)
        result_emit(im, BIND_ATOM, "scaled_dot_attention($00, $01, $02)", 3, q, k, v);
    if (!usual && !im->failed)
        attention_by_parts(im, q, k, v, mask);
}

/* ---- losses ---- */

/* Scores [m, k, ..], labels [m, ..], and a weight for each class. */
static void take_loss(Import *im)
{
    const Pb__Node *n = im->at;
    bool logits = same_text(n->op, "SoftmaxCrossEntropyLoss");
    const char *reduction = attribute_text(im, "reduction", "mean");
    const Pb__Attribute *ignore = attribute(im, "ignore_index");
    Operand arg[3] = {operand(im, 0), operand(im, 1)};
    int args = 2;
    int rank = input_rank(im, 0);
    Text t = {.ngc = im->ngc};
    if (im->failed)
        return;
    text_add(&t, "%s($00, $01", logits ? "cross_entropy" : "nll");
    if (same_text(reduction, "sum"))
        text_add(&t, ", sum");
    else if (!same_text(reduction, "mean"))
        text_add(&t, ", identity");
    if (has_input(n, 2)) {
        text_add(&t, ", weight = $02");
        arg[args++] = operand(im, 2);
    }
    if (ignore)
        text_add(&t, ", ignore = %lld", (long long)ignore->i);
    text_add(&t, "%s)", text_if(rank > 2, ", axis = 1"));
    result(im, 0, emit_line(im, line_new(im, BIND_ATOM, t.at, args, arg)));

    if (logits && wants_output(n, 1)) {
        const char *form = rank > 2 ? "log_softmax($00, 1)" : "log_softmax($00)";
        result(im, 1, emit(im, BIND_ATOM, form, 1, arg[0]));
    }
}

#define REDUCE(op, words)                                                     \
    {                                                                         \
        op, .take = take_reduce, .operands = 2,                               \
            .attributes = "axes keepdims noop_with_empty_axes", .says = words \
    }

const OnnxOp onnx_reduce[] = {
    {"Attention", .take = take_attention, .joined = true}, /* pattern.c */
    {"ArgMax", .take = take_arg, .attributes = "axis keepdims select_last_index",
     .says = "`argmax`"},
    {"ArgMin", .take = take_arg, .attributes = "axis keepdims select_last_index",
     .says = "`argmin`"},
    {"Det", .take = take_det, .says = "`det`"},
    {"Einsum", .take = take_einsum, .operands = ANY_NUMBER, .attributes = "equation",
     .needs = "equation", .says = "`einsum`"},
    {"GlobalAveragePool", .take = take_global_pool, .says = "`mean` over the places"},
    {"GlobalLpPool", .take = take_global_pool, .attributes = "p", .says = "`norm` over the places"},
    {"GlobalMaxPool", .take = take_global_pool, .says = "`max` over the places"},
    {"Hardmax", .take = take_softmax, .attributes = "axis", .says = "`one_hot` of `argmax`"},
    {"LogSoftmax", .take = take_softmax, .attributes = "axis", .says = "`log_softmax`"},
    {"NegativeLogLikelihoodLoss", .take = take_loss, .operands = 3,
     .attributes = "ignore_index reduction", .says = "`nll`"},
    REDUCE("ReduceL1", "`sum` of `abs`"),
    REDUCE("ReduceL2", "`norm`"),
    REDUCE("ReduceLogSum", "`log` of `sum`"),
    REDUCE("ReduceLogSumExp", "`logsumexp`"),
    REDUCE("ReduceMax", "`max`"),
    REDUCE("ReduceMean", "`mean`"),
    REDUCE("ReduceMin", "`min`"),
    REDUCE("ReduceProd", "`prod`"),
    REDUCE("ReduceSum", "`sum`"),
    REDUCE("ReduceSumSquare", "`sum` of squares"),
    {"Softmax", .take = take_softmax, .attributes = "axis", .says = "`softmax`"},
    {"TopK", .take = take_top, .operands = 2, .attributes = "axis k largest sorted",
     .says = "`largest`, `smallest`"},
    {"SoftmaxCrossEntropyLoss", .take = take_loss, .operands = 3,
     .attributes = "ignore_index reduction", .says = "`cross_entropy`"},
    {NULL},
};
