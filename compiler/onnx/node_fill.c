/* node_fill.c - operators that repeat, pad, fill, count and choose. */
#include "onnx/onnx.h"

#include <string.h>

/* ---- copies, zeros, numbers ---- */

static void take_tile(Import *im)
{
    const Known *times = want_known(im, 1, "how often it is repeated");
    Operand x = operand(im, 0);
    int64_t k;
    for (int i = 0; !im->failed && i < (int)times->count && i < MAX_RANK; i++) {
        if (!known_whole(im->g, times, i, &k) || k < 1) {
            problem(im, "how often it is repeated is not a positive number");
            return;
        }
        if (k > 1)
            x = emit_of(im, x, BIND_ATOM, i ? "tile($00, %lld, %d)" : "tile($00, %lld)",
                        (long long)k, i);
    }
    result(im, 0, x);
}

/* The numbers of elements before each axis, then those after each. Returns how many there are; -1:
 * it is not known. They are an attribute, and from opset 11 on an operand. */
static int read_pads(Import *im, int rank, Size *pads)
{
    int64_t number[2 * MAX_RANK], axis[MAX_RANK];
    int count = attribute_ints(im, "pads", number, 2 * MAX_RANK);
    for (int i = 0; i < count; i++)
        pads[i] = size_of_number(im->g, number[i]);
    if (im->opset < 11)
        return count;

    const Known *list = want_known(im, 1, "the numbers of elements");
    if (!list || list->count > 2 * MAX_RANK)
        return -1;
    for (count = 0; count < (int)list->count; count++)
        pads[count] = known_size(im->g, list, count);
    if (!has_input(im->at, 3))
        return count;

    /* operand 3 names the axes that the numbers are for; others have 0 */
    Size all[2 * MAX_RANK] = {0};
    int axes = axes_of(im, "axes", 3, axis, rank);
    if (axes < 0 || count != 2 * axes)
        return -1;
    for (int i = 0; i < axes; i++) {
        all[axis[i]] = pads[i];
        all[rank + axis[i]] = pads[axes + i];
    }
    memcpy(pads, all, sizeof all);
    return 2 * rank;
}

/* Elements that negative numbers take away, as an index, and zeros that others add, as a list. */
static void pad_texts(Import *im, int rank, const Size *pads, const char **cut, const char **add)
{
    Ngc *ngc = im->ngc;
    Text pairs = {.ngc = ngc};
    Text index = {.ngc = ngc};
    bool adds = false, cuts = false;
    for (int i = 0; i < rank; i++) {
        int64_t n;
        const char *zeros[2];
        const char *ends[2] = {"", ""};

        /* before the axis, then after it */
        for (int k = 0; k < 2; k++) {
            Size s = pads[i + k * rank];
            bool number = size_number(im->g, s, &n);
            bool less = number && n < 0;
            adds |= !less && s != 0;
            cuts |= less;
            if (less)
                zeros[k] = "0";
            else
                zeros[k] = size_text(im->g, s, "");
            if (less)
                ends[k] = text_format(ngc, "%lld", (long long)(k ? n : -n));
        }
        text_add(&pairs, "%s[%s, %s]", comma_before(i), zeros[0], zeros[1]);
        text_add(&index, "%s%s:%s", comma_before(i), ends[0], ends[1]);
    }
    *cut = cuts ? index.at : NULL;
    *add = adds ? pairs.at : NULL;
}

/* The function of the language for a mode, or NULL. */
static const char *pad_function(const char *mode)
{
    static const char *const modes[][2] = {{"constant", "pad"},
                                           {"reflect", "pad_reflect"},
                                           {"edge", "pad_edge"},
                                           {"wrap", "pad_wrap"}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (same_text(mode, modes[i][0]))
            return modes[i][1];
    return NULL;
}

static void take_pad(Import *im)
{
    Size pads[2 * MAX_RANK] = {0};
    const char *mode = attribute_text(im, "mode", "constant");
    const char *function = pad_function(mode);
    double value = attribute_float(im, "value", 0);
    int rank = input_rank(im, 0);
    int count = 0;
    if (rank >= 0)
        count = read_pads(im, rank, pads);
    const Known *given = given_known(im, 2, "the value");
    Operand x = operand(im, 0);

    if (!im->failed && !function)
        problem(im, "attribute 'mode': '%s' is not supported", mode);
    if (!im->failed && count != 2 * rank)
        problem(im, "%d numbers of elements for %d axes", count, rank);
    if (!im->failed && given && (given->count != 1 || !known_number(im->g, given, 0, &value)))
        problem(im, "the value is not one number");
    if (im->failed)
        return;

    const char *cut, *add;
    pad_texts(im, rank, pads, &cut, &add);
    if (cut)
        x = emit_of(im, x, BIND_ATOM, "$60[%s]", cut);
    const char *with = "";
    if (value != 0)
        with = text_format(im->ngc, ", value = %s", number_text(im, value));
    if (add)
        x = emit_of(im, x, BIND_ATOM, "%s($00, [%s]%s)", function, add, with);
    result(im, 0, x);
}

/* ConstantOfShape with run-time sizes. */
static void take_fill(Import *im)
{
    const char *why;
    Size dim[MAX_RANK];
    double value = 0;
    const Known *shape = want_known(im, 0, "the shape");
    const Pb__Attribute *a = attribute(im, "value");
    if (!shape || shape->count > MAX_RANK)
        return;

    /* the value is a number, or a tensor with one element */
    value = attribute_float(im, "value", 0);
    Known *v = NULL;
    if (a && a->t)
        v = known_of_tensor(im->ngc, a->t, im->folder, &why);
    if (v && v->count == 1)
        known_number(im->g, v, 0, &value);
    for (int i = 0; i < (int)shape->count; i++)
        dim[i] = known_size(im->g, shape, i);
    const char *form = text_format(im->ngc, "full(%s, %s)", sizes_text(im, dim, (int)shape->count),
                                   number_text(im, value));
    result_emit(im, BIND_ATOM, form, 0);
}

static void take_range(Import *im)
{
    Graph *g = im->g;
    const Known *from = want_known(im, 0, "the start");
    const Known *to = want_known(im, 1, "the end");
    const Known *step = want_known(im, 2, "the step");
    int64_t a, s;
    if (im->failed)
        return;
    if (from->count != 1 || to->count != 1 || step->count != 1 || !known_whole(g, step, 0, &s) ||
        s != 1 || !known_whole(g, from, 0, &a)) {
        problem(im,
                "a range of run-time size, or of more than 2^20 elements, has whole numbers and "
                "a step of 1");
        return;
    }
    Size count = size_sub(g, known_size(g, to, 0), size_of_number(g, a));
    const char *form = text_format(im->ngc, "arange(%s)", size_text(g, count, ""));
    Operand x = emit(im, BIND_ATOM, form, 0);
    if (a != 0)
        x = emit_of(im, x, BIND_SUM, "$20 + %lld", (long long)a);
    result(im, 0, x);
}

static void take_one_hot(Import *im)
{
    Graph *g = im->g;
    const Known *depth = want_known(im, 1, "the number of classes");
    const Known *values = want_known(im, 2, "the values");
    Operand i = operand(im, 0);
    int rank = input_rank(im, 0);
    if (im->failed)
        return;

    int64_t axis = axis_attribute(im, -1, rank + 1);
    int64_t classes = 0;
    if (axis < 0 || !known_whole(g, depth, 0, &classes) || values->count != 2)
        return;
    double off = 0, on = 1;
    known_number(g, values, 0, &off);
    known_number(g, values, 1, &on);

    if (operand_node(i)->type != T_INT)
        i = emit(im, BIND_ATOM, "as_int($00)", 1, i);
    if (!im->failed && operand_node(i)->range.lo < 0)
        i = emit_of(im, i, BIND_ATOM, "from_end($00, %lld)", (long long)classes);
    Operand x = emit_of(im, i, BIND_ATOM, "one_hot($00, %lld)", (long long)classes);
    if (off != 0 || on != 1) {
        const char *yes = number_text(im, on);
        const char *no = number_text(im, off);
        x = emit_of(im, x, BIND_ATOM, "where($00, %s, %s)", yes, no);
    }
    result(im, 0, last_axis_to(im, x, axis, rank + 1));
}

static void take_trilu(Import *im)
{
    int64_t k = 0;
    const Known *given = given_known(im, 1, "the diagonal");
    bool upper = attribute_int(im, "upper", 1);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    if (given && !known_whole(im->g, given, 0, &k)) {
        problem(im, "the diagonal is known only at run time");
        return;
    }
    const char *f = upper ? "triu" : "tril";
    const char *form = text_format(im->ngc, k ? "%s($00, %lld)" : "%s($00)", f, (long long)k);
    result_emit(im, BIND_ATOM, form, 1, x);
}

static void take_eye_like(Import *im)
{
    Graph *g = im->g;
    Shape s;
    int64_t k = attribute_int(im, "k", 0);
    if (!input_shape(im, 0, &s))
        return;
    if (s.rank != 2) {
        problem(im, "its operand has %d axes, not 2", s.rank);
        return;
    }
    if (k == 0) {
        result_emit(im, BIND_ATOM, text_format(im->ngc, "eye(%s)", shape_text(g, s)), 0);
        return;
    }

    const char *rows = size_text(g, s.dim[0], "");
    const char *columns = size_text(g, s.dim[1], "");
    const char *form = text_format(im->ngc, "arange(%s)[new, :] == arange(%s)[:, new] + %lld",
                                   columns, rows, (long long)k);
    result_emit(im, BIND_COMPARE, form, 0);
}

/* Each element at the next place of an axis, or (back) at the one before, and a 0 at the end that
 * is free. */
static Operand moved(Import *im, Operand x, int64_t axis, bool back)
{
    Text pads = {.ngc = im->ngc};
    int rank = operand_node(x)->shape.rank;
    const char *zero = back ? "[0, 1]" : "[1, 0]";
    for (int i = 0; i < rank; i++)
        text_add(&pads, "%s%s", comma_before(i), i == axis ? zero : "[0, 0]");
    x = emit_of(im, x, BIND_ATOM, "pad($00, [%s])", pads.at);
    if (im->failed)
        return x;
    return emit(im, BIND_ATOM, range_form(im, axis, back ? "1:" : ":-1"), 1, x);
}

/* The sum before an element is not the sum less the element: that loses digits, or is inf - inf. */
static void take_cumsum(Import *im)
{
    const Known *k = want_known(im, 1, "the axis");
    int rank = input_rank(im, 0);
    bool back = attribute_int(im, "reverse", 0);
    bool exclusive = attribute_int(im, "exclusive", 0);
    int64_t axis = 0;
    Operand x = operand(im, 0);
    if (im->failed || !known_whole(im->g, k, 0, &axis) || (axis = axis_of(im, axis, rank)) < 0)
        return;
    const char *at = "-1";
    if (axis != rank - 1)
        at = text_format(im->ngc, "%lld", (long long)axis);
    const char *form = "cumsum($00, %s)";
    if (back)
        form = "flip(cumsum(flip($00, %1$s), %1$s), %1$s)";
    if (exclusive)
        x = moved(im, x, axis, back);
    result(im, 0, emit_of(im, x, BIND_ATOM, form, at));
}

static void take_blocks(Import *im)
{
    const Pb__Node *n = im->at;
    bool depth = same_text(n->op, "DepthToSpace");
    bool apart = !depth || same_text(attribute_text(im, "mode", "DCR"), "DCR");
    int64_t r = attribute_int(im, "blocksize", 1);
    Operand x = operand(im, 0);
    const char *form =
        text_format(im->ngc, "pixel_%s($00, %lld%s)", depth ? "shuffle" : "unshuffle", (long long)r,
                    text_if(apart, ", blocks_first = 1"));
    result_emit(im, BIND_ATOM, form, 1, x);
}

/* The elements whose condition is known to hold. */
static void take_compress(Import *im)
{
    const Known *c = want_known(im, 1, "the condition");
    int rank = input_rank(im, 0);
    int64_t axis = attribute_int(im, "axis", INT32_MAX);
    int64_t count = 0;
    Operand x = operand(im, 0);
    double v;
    if (im->failed)
        return;
    if (axis == INT32_MAX) {
        x = emit(im, BIND_ATOM, "reshape($00, [-1])", 1, x);
        axis = 0;
        rank = 1;
    }
    if ((axis = axis_of(im, axis, rank)) < 0)
        return;
    Text list = {.ngc = im->ngc};
    text_add(&list, "[");
    for (int64_t i = 0; i < c->count; i++)
        if (known_number(im->g, c, i, &v) && v != 0)
            text_add(&list, "%s%lld", comma_before(count++), (long long)i);
    text_add(&list, "]");
    if (count == 0)
        problem(im, "no element is chosen");
    else
        result_emit(im, BIND_ATOM, range_form(im, axis, list.at), 1, x);
}

/* The first lengths[b] steps in the other direction. */
static void take_reverse(Import *im)
{
    int64_t time = attribute_int(im, "time_axis", 0);
    int64_t batch = attribute_int(im, "batch_axis", 1);
    Operand x = operand(im, 0);
    Operand lengths = operand(im, 1);
    if (im->failed)
        return;
    Shape s = operand_node(x)->shape;
    if (s.rank < 2 || time + batch != 1 || time * batch != 0) {
        problem(im, "attributes 'time_axis' and 'batch_axis': they must be 0 and 1");
        return;
    }

    const char *steps = size_text(im->g, s.dim[time], "");
    const char *t = time == 0 ? "[:, new]" : "[new, :]";
    const char *b = time == 0 ? "[new, :]" : "[:, new]";
    Operand i = emit(im, BIND_ATOM, text_format(im->ngc, "arange(%s)%s", steps, t), 0);
    Operand k = emit_of(im, lengths, BIND_ATOM, "$60%s", b);
    Operand at = emit(im, BIND_ATOM, "where($20 < $21, $21 - 1 - $30, $00)", 2, i, k);
    Text form = {.ngc = im->ngc};
    text_add(&form, "take_along($00, broadcast_to($61[:, :");
    for (int a = 2; a < s.rank; a++)
        text_add(&form, ", new");
    text_add(&form, "], $00.shape), %lld)", (long long)time);
    result_emit(im, BIND_ATOM, form.at, 2, x, at);
}

const OnnxOp onnx_fill[] = {
    {"Compress", .take = take_compress, .operands = 2, .attributes = "axis", .says = "an index"},
    {"ConstantFill", .take = take_fill, .typed_by = OWN_TYPE,
     .attributes = "dtype extra_shape input_as_shape value", .says = "as ConstantOfShape"},
    {"ConstantOfShape", .take = take_fill, .typed_by = OWN_TYPE, .attributes = "value",
     .says = "`full`"},
    {"CumSum", .take = take_cumsum, .operands = 2, .attributes = "exclusive reverse",
     .says = "`cumsum`"},
    {"DepthToSpace", .take = take_blocks, .attributes = "blocksize mode", .needs = "blocksize",
     .says = "`pixel_shuffle`"},
    {"EyeLike", .take = take_eye_like, .typed_by = OWN_TYPE, .attributes = "dtype k",
     .says = "`eye`"},
    {"OneHot", .take = take_one_hot, .operands = 3, .typed_by = 2, .attributes = "axis",
     .says = "`one_hot`"},
    {"Pad", .take = take_pad, .operands = 4, .attributes = "mode pads value",
     .says = "`pad`, `pad_reflect`, `pad_edge`, `pad_wrap`"},
    {"Range", .take = take_range, .operands = 3, .says = "`arange`"},
    {"ReverseSequence", .take = take_reverse, .operands = 2, .attributes = "batch_axis time_axis",
     .says = "`take_along`"},
    {"SpaceToDepth", .take = take_blocks, .attributes = "blocksize", .needs = "blocksize",
     .says = "`pixel_unshuffle`"},
    {"Tile", .take = take_tile, .operands = 2, .says = "`tile`"},
    {"Trilu", .take = take_trilu, .operands = 2, .attributes = "upper", .says = "`tril`, `triu`"},
    {NULL},
};
