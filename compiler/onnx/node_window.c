/* node_window.c - convolutions, pooling, resizing: in one to three directions. */
#include "onnx/onnx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- windows: what convolutions and pooling have in common ---- */

enum { DIRECTIONS = 3 };

typedef struct Window {
    int n; /* directions */
    int64_t size[DIRECTIONS], stride[DIRECTIONS], dilation[DIRECTIONS];
    int64_t before[DIRECTIONS], after[DIRECTIONS];
    const char *same; /* the function of the language that gives the padding, or NULL */
    bool ceil;
    Size image[DIRECTIONS];
} Window;

static bool read_each(Import *im, const char *name, int64_t *out, int n, int64_t otherwise)
{
    int64_t v[2 * DIRECTIONS];
    int count = attribute_ints(im, name, v, 2 * DIRECTIONS);
    for (int i = 0; i < n; i++)
        out[i] = count == n ? v[i] : otherwise;
    if (count == n || (count < 0 && !attribute(im, name)))
        return true;
    problem(im, "attribute '%s': there must be %d numbers", name, n);
    return false;
}

static bool is_within(int64_t v, int64_t least)
{
    return v >= least && v < 1 << 20;
}

/* Are all numbers of this direction in range? */
static bool good_direction(const Window *w, int i)
{
    if (!is_within(w->size[i], 1) || !is_within(w->stride[i], 1) || !is_within(w->dilation[i], 1))
        return false;
    return is_within(w->before[i], 0) && is_within(w->after[i], 0);
}

/* The window of the current node over its operand 0. kernel: the sizes, if no attribute has them.
 */
static bool read_window(Import *im, Window *w, const int64_t *kernel)
{
    Shape s;
    *w = (Window){0};
    if (!input_shape(im, 0, &s))
        return false;
    w->n = s.rank - 2;
    if (w->n < 1 || w->n > DIRECTIONS) {
        problem(im, "%d directions are not supported, only 1 to %d", w->n, DIRECTIONS);
        return false;
    }
    for (int i = 0; i < w->n; i++)
        w->image[i] = s.dim[2 + i];

    int64_t pads[2 * DIRECTIONS];
    if (!read_each(im, "kernel_shape", w->size, w->n, 0) ||
        !read_each(im, "strides", w->stride, w->n, 1) ||
        !read_each(im, "dilations", w->dilation, w->n, 1) ||
        !read_each(im, "pads", pads, 2 * w->n, 0))
        return false;
    for (int i = 0; i < w->n; i++) {
        if (kernel)
            w->size[i] = kernel[i];
        w->before[i] = pads[i];
        w->after[i] = pads[w->n + i];
        if (!good_direction(w, i)) {
            problem(im, "a size, stride, dilation or padding is out of range");
            return false;
        }
    }

    const char *same = attribute_text(im, "auto_pad", "NOTSET");
    bool padded = false;
    for (int i = 0; i < 2 * w->n; i++)
        padded |= pads[i] != 0;
    if (padded && !same_text(same, "NOTSET")) {
        problem(im, "attributes 'pads' and 'auto_pad' are both given");
        return false;
    }
    if (same_text(same, "SAME_UPPER"))
        w->same = "same_upper";
    else if (begins(same, "SAME"))
        w->same = "same_lower";
    w->ceil = attribute_int(im, "ceil_mode", 0);
    return true;
}

/* "3" or "[3, 5]". */
static const char *pair_text(Import *im, const int64_t *v, int n)
{
    bool same = true;
    for (int i = 1; i < n; i++)
        same &= v[i] == v[0];
    if (same)
        return text_format(im->ngc, "%lld", (long long)v[0]);
    return ints_text(im, v, n);
}

/* Adds ", NAME = 3" if that is not the default. */
static void add_pair(Import *im, Text *t, const char *name, const int64_t *v, int n, int64_t usual)
{
    for (int i = 0; i < n; i++)
        if (v[i] != usual) {
            text_add(t, ", %s = %s", name, pair_text(im, v, n));
            return;
        }
}

/* Adds ", padding = 1", with a pair for each direction if it is uneven. */
static void add_padding(Import *im, Text *t, const Window *w)
{
    bool even = memcmp(w->before, w->after, sizeof w->before) == 0;
    if (w->same) {
        text_add(t, ", padding = %s", w->same);
        return;
    }
    if (even) {
        add_pair(im, t, "padding", w->before, w->n, 0);
        return;
    }
    text_add(t, ", padding = [");
    for (int i = 0; i < w->n; i++)
        text_add(t, "%s[%lld, %lld]", comma_before(i), (long long)w->before[i],
                 (long long)w->after[i]);
    text_add(t, "]");
}

/* ---- convolutions ---- */

/* Is the kernel one with as many axes as the image? */
static bool check_kernel(Import *im, Operand x, Shape k)
{
    int rank = operand_node(x)->shape.rank;
    if (k.rank == rank && rank >= 3)
        return true;
    problem(im, "the kernel has %d axes, the image %d", k.rank, rank);
    return false;
}

/* A layer if it has weights of its own, or the function `plain` of two operands. args: the
 * arguments that they have in common. */
static void finish_conv(Import *im, Operand x, const Window *w, const char *layer,
                        const char *plain, int64_t channels, const char *args)
{
    Ngc *ngc = im->ngc;
    bool biased = has_input(im->at, 2);
    Known *W = own_weight(im, 1, w->n + 2);
    Known *b = NULL;
    if (biased)
        b = own_weight(im, 2, 1);

    if (W && (b || !biased)) {
        const char *size = pair_text(im, w->size, w->n);
        const char *bias = text_if(!b, ", bias = 0");
        const char *form = text_format(ngc, "%s%dd($00, %lld, %s%s%s)", layer, w->n,
                                       (long long)channels, size, args, bias);
        Line *l = line_new(im, BIND_ATOM, form, 1, &x);
        line_weight(im, l, W, NULL);
        if (b)
            line_weight(im, l, b, NULL);
        result(im, 0, finish_layer(im, l, W, b));
        return;
    }

    const char *form = text_format(ngc, "%s($00, $01%s)", plain, args);
    Operand y = emit(im, BIND_ATOM, form, 2, x, operand(im, 1));
    if (biased && !im->failed) {
        Text sum = {.ngc = ngc};
        text_add(&sum, "$20 + $61[:");
        for (int i = 0; i < w->n; i++)
            text_add(&sum, ", new");
        text_add(&sum, "]");
        y = emit(im, BIND_SUM, sum.at, 2, y, operand(im, 2));
    }
    result(im, 0, y);
}

/* What all convolutions have: their arguments after the kernel. */
static void add_conv_arguments(Import *im, Text *t, const Window *w, int64_t groups)
{
    text_add(t, "%s", ""); /* a text, even if nothing follows */
    add_pair(im, t, "stride", w->stride, w->n, 1);
    add_padding(im, t, w);
    add_pair(im, t, "dilation", w->dilation, w->n, 1);
    add_pair(im, t, "groups", &groups, 1, 1);
}

static void take_conv(Import *im)
{
    Window w;
    Shape k;
    int64_t groups = attribute_int(im, "group", 1);
    Operand x = operand(im, 0);
    if (im->failed || !input_shape(im, 1, &k))
        return;
    if (!check_kernel(im, x, k) || !read_window(im, &w, k.dim + 2))
        return;

    Text t = {.ngc = im->ngc};
    add_conv_arguments(im, &t, &w, groups);
    finish_conv(im, x, &w, "conv", "conv", k.dim[0], t.at);
}

/* The convolution of two operands, with the attributes of the current node. */
Operand convolution(Import *im, Operand x, Operand K)
{
    Window w;
    Shape k = operand_node(K)->shape;
    int64_t groups = attribute_int(im, "group", 1);
    if (!check_kernel(im, x, k) || !read_window(im, &w, k.dim + 2))
        return (Operand){0};
    Text t = {.ngc = im->ngc};
    text_add(&t, "conv($00, $01");
    add_conv_arguments(im, &t, &w, groups);
    text_add(&t, ")");
    return emit(im, BIND_ATOM, t.at, 2, x, K);
}

/* A given size of the result, or SAME padding, decides how much is cut off. */
static bool fit_transposed(Import *im, Window *w, int64_t *more)
{
    int64_t shape[2 + DIRECTIONS]; /* perhaps with the rows and the channels */
    int given = attribute_ints(im, "output_shape", shape, 2 + DIRECTIONS);
    bool shaped = given > 0;
    bool upper = w->same && same_text(w->same, "same_upper");
    if (shaped && given != w->n && given != 2 + w->n)
        problem(im, "attribute 'output_shape': there must be %d numbers", w->n);
    if (im->failed)
        return false;
    if (!shaped && !w->same)
        return true;

    for (int i = 0; i < w->n; i++) {
        int64_t image;
        if (!size_number(im->g, w->image[i], &image)) {
            problem(im, "the image has a run-time size");
            return false;
        }

        int64_t last = (image - 1) * w->stride[i];
        int64_t full = last + w->dilation[i] * (w->size[i] - 1) + 1 + more[i];
        int64_t kept = shaped ? shape[given - w->n + i] : image * w->stride[i];
        int64_t cut = full - kept;
        if (cut < 0) {
            more[i] -= cut;
            cut = 0;
        }
        if (upper)
            w->before[i] = cut / 2;
        else
            w->before[i] = cut - cut / 2;
        w->after[i] = cut - w->before[i];
    }
    w->same = NULL;
    return true;
}

static void take_conv_transpose(Import *im)
{
    Window w;
    Shape k;
    int64_t groups = attribute_int(im, "group", 1);
    int64_t more[DIRECTIONS];
    Operand x = operand(im, 0);
    if (im->failed || !input_shape(im, 1, &k) || !check_kernel(im, x, k) ||
        !read_window(im, &w, k.dim + 2) || !read_each(im, "output_padding", more, w.n, 0) ||
        !fit_transposed(im, &w, more))
        return;
    Text t = {.ngc = im->ngc};
    add_conv_arguments(im, &t, &w, groups);
    add_pair(im, &t, "output_padding", more, w.n, 0);
    finish_conv(im, x, &w, "conv_transpose", "conv_transpose", k.dim[1] * groups, t.at);
}

/* ---- pooling ---- */

static const char *pool_form(Import *im, const char *f, const Window *w, const char *more)
{
    Text t = {.ngc = im->ngc};
    const char *size = pair_text(im, w->size, w->n);
    text_add(&t, "%s($00, %s", f, size);
    bool apart = memcmp(w->stride, w->size, sizeof w->size) != 0;
    if (apart)
        text_add(&t, ", stride = %s", pair_text(im, w->stride, w->n));
    add_padding(im, &t, w);
    add_pair(im, &t, "dilation", w->dilation, w->n, 1);
    if (w->ceil)
        text_add(&t, ", ceil_mode = 1");
    text_add(&t, "%s)", more);
    return t.at;
}

/* Places among the elements of a channel, which were counted along rows, counted along columns. */
static Operand by_columns(Import *im, Operand y, const Window *w)
{
    int64_t n[DIRECTIONS], all = 1;
    Operand rest = y;
    Operand sum = {0};
    for (int i = 0; i < w->n; i++, all *= n[i - 1])
        if (!size_number(im->g, w->image[i], &n[i])) {
            problem(im, "attribute 'storage_order': only 0 is supported for run-time sizes");
            return y;
        }
    for (int i = w->n - 1; i > 0 && !im->failed; i--) {
        const char *size = text_format(im->ngc, "%lld", (long long)n[i]);
        Operand q = emit_of(im, rest, BIND_ATOM, "as_int($30/%s)", size);
        const char *form =
            text_format(im->ngc, "($20 - %s*$31)*%lld", size, (long long)(all /= n[i]));
        Operand part = emit(im, BIND_TERM, form, 2, rest, q);
        if (sum.line)
            sum = emit(im, BIND_SUM, "$20 + $31", 2, part, sum);
        else
            sum = part;
        rest = q;
    }
    if (!sum.line)
        return y;
    return emit(im, BIND_SUM, "$20 + $31", 2, rest, sum);
}

/* The places of the maxima, counted over the whole tensor. */
static Operand pool_places(Import *im, Operand x, const Window *w)
{
    Graph *g = im->g;
    Shape s = operand_node(x)->shape;
    Size area = 1;
    Size channels[MAX_RANK] = {s.dim[0], s.dim[1], 1, 1, 1};
    for (int i = 0; i < w->n; i++)
        area = size_mul(g, area, s.dim[2 + i]);
    Operand y = emit(im, BIND_ATOM, pool_form(im, "max_pool_index", w, ""), 1, x);
    if (attribute_int(im, "storage_order", 0))
        y = by_columns(im, y, w);
    if (im->failed)
        return y;

    /* before the places of a channel come those of the channels before it */
    const char *count = size_text(g, size_mul(g, s.dim[0], s.dim[1]), "");
    const char *shape = sizes_text(im, channels, w->n + 2);
    const char *each = size_text(g, area, "");
    const char *form =
        text_format(im->ngc, "$20 + (%s)*reshape(arange(%s), %s)", each, count, shape);
    return emit(im, BIND_SUM, form, 1, y);
}

static void take_max_pool(Import *im)
{
    const Pb__Node *n = im->at;
    Window w;
    Operand x = operand(im, 0);
    if (im->failed || !read_window(im, &w, NULL))
        return;
    result_emit(im, BIND_ATOM, pool_form(im, "max_pool", &w, ""), 1, x);
    if (wants_output(n, 1) && !im->failed)
        result(im, 1, pool_places(im, x, &w));
}

/* The size of axis i of the image that MaxPool read, from what its window makes of it. *more: by
 * how much the given size is larger. */
static Size unpooled_size(Import *im, const Window *w, const Known *given, Shape s, int i,
                          int64_t *more)
{
    int d = i - 2; /* an axis of the window, or before them */
    int64_t size = 0, wanted = 0;

    *more = 0;
    if (d >= 0 && !size_number(im->g, s.dim[i], &size))
        problem(im, "the image has a run-time size");
    if (given && !(given->count == s.rank && known_whole(im->g, given, i, &wanted)))
        problem(im, "the sizes do not fit the window");
    if (im->failed || d < 0)
        return s.dim[i];

    size = (size - 1) * w->stride[d] + w->size[d] - w->before[d] - w->after[d];
    if (given)
        *more = wanted - size;
    if (size < 1 || *more < 0)
        problem(im, "the sizes do not fit the window");
    return size;
}

/* The inverse of MaxPool: what comes from these places, and 0 elsewhere. A given size is larger at
 * the ends. */
static void take_max_unpool(Import *im)
{
    Graph *g = im->g;
    Window w;
    const Known *given = given_known(im, 2, "the sizes");
    Operand x = operand(im, 0);
    Operand at = operand(im, 1);
    if (im->failed || !read_window(im, &w, NULL))
        return;

    Shape s = operand_node(x)->shape;
    Size dim[MAX_RANK];
    Size count = 1;
    Text ends = {.ngc = im->ngc}; /* "[0, 0], [0, 1]": zeros after each axis */
    bool pads = false;
    for (int i = 0; i < s.rank; i++) {
        int64_t more;
        dim[i] = unpooled_size(im, &w, given, s, i, &more);
        if (im->failed)
            return;
        count = size_mul(g, count, dim[i]);
        text_add(&ends, "%s[0, %lld]", comma_before(i), (long long)more);
        pads |= more > 0;
    }

    /* the elements are stored into a row of zeros, which is reshaped */
    if (operand_node(at)->type != T_INT)
        at = emit(im, BIND_ATOM, "as_int($00)", 1, at);
    Operand y = emit(im, BIND_ATOM,
                     text_format(im->ngc,
                                 "reshape(scatter_nd_set(zeros([%s]), reshape($01, [-1, 1]), "
                                 "reshape($00, [-1])), %s)",
                                 size_text(g, count, ""), sizes_text(im, dim, s.rank)),
                     2, x, at);
    if (pads && !im->failed)
        y = emit_of(im, y, BIND_ATOM, "pad($00, [%s])", ends.at);
    result(im, 0, y);
}

/* false with a problem */
static bool good_alignment(Import *im, const int64_t *size, int64_t samples)
{
    const int64_t most = 1 << 16;
    if (!same_text(attribute_text(im, "mode", "avg"), "avg"))
        problem(im, "attribute 'mode': only 'avg' is supported");
    else if (samples < 1 || samples > 64)
        problem(im, "attribute 'sampling_ratio': 0, a number that depends on the boxes, is not "
                    "supported");
    else if (size[0] < 1 || size[1] < 1 || size[0] > most || size[1] > most)
        problem(im, "attributes 'output_height' and 'output_width' are out of range");
    return !im->failed;
}

/* Parts of images, each to one size. */
static void take_roi_align(Import *im)
{
    int64_t height = attribute_int(im, "output_height", 1);
    int64_t width = attribute_int(im, "output_width", 1);
    int64_t size[] = {height, width};
    int64_t samples = attribute_int(im, "sampling_ratio", 0);
    double scale = attribute_float(im, "spatial_scale", 1);
    const char *usual = "half_pixel";
    if (im->opset < 16)
        usual = "output_half_pixel";
    const char *at = attribute_text(im, "coordinate_transformation_mode", usual);
    Operand x = operand(im, 0);
    Operand boxes = operand(im, 1);
    Operand images = operand(im, 2);
    if (im->failed || !good_alignment(im, size, samples))
        return;
    if (operand_node(images)->type != T_INT)
        images = emit(im, BIND_ATOM, "as_int($00)", 1, images);

    Text t = {.ngc = im->ngc};
    text_add(&t, "roi_align($00, $01, $02, %s", pair_text(im, size, 2));
    if (scale != 1)
        text_add(&t, ", scale = %s", number_text(im, scale));
    if (samples != 2)
        text_add(&t, ", samples = %lld", (long long)samples);
    if (!same_text(at, "half_pixel"))
        text_add(&t, ", offset = 0");
    text_add(&t, ")");
    result_emit(im, BIND_ATOM, t.at, 3, x, boxes, images);
}

static void take_avg_pool(Import *im)
{
    Window w;
    bool padded = false;
    Operand x = operand(im, 0);
    if (im->failed || !read_window(im, &w, NULL))
        return;
    for (int i = 0; i < w.n; i++)
        padded |= w.before[i] + w.after[i] > 0;
    bool counts = attribute_int(im, "count_include_pad", 0) || !(padded || w.same);
    const char *form = pool_form(im, "avg_pool", &w, text_if(!counts, ", count_include_pad = 0"));
    result_emit(im, BIND_ATOM, form, 1, x);
}

/* ---- resizing ---- */

static bool by_pytorch(const Import *im)
{
    return im->model->producer && same_text(im->model->producer, "pytorch");
}

/* The size that a scale gives an axis of n elements if it is a whole number for floats, else 0. It
 * is a quotient if the scale's digits give another one: 3*2.3333333. So a float has rounded it. */
static int64_t whole_size(Import *im, double scale, int64_t n, bool *quotient)
{
    float product = (float)n * (float)scale;
    double digits = strtod(text_number(im->ngc, scale, true), NULL);
    if ((double)(float)scale != scale || !(product >= 1 && product < 1 << 24) ||
        product != floorf(product))
        return 0;
    *quotient |= fabs((double)n * digits - (double)product) > 1e-12 * (double)product;
    return (int64_t)product;
}

/* Are these the sizes, or scales, of axes that stay as they are? */
static bool keeps_axes(Import *im, const Known *list, bool sizes, int axes, Shape s)
{
    for (int i = 0; i < axes; i++) {
        double scale;
        if (sizes && known_size(im->g, list, i) != s.dim[i])
            return false;
        if (!sizes && !(known_number(im->g, list, i, &scale) && scale == 1))
            return false;
    }
    return true;
}

/* ", size = [4, 6]" or ", scale = 2", from a list with a number for each axis. */
static bool resize_text(Import *im, const Known *list, bool sizes, int rank, Text *t)
{
    Graph *g = im->g;
    int64_t size[MAX_RANK], n;
    double scale[MAX_RANK];
    bool same = true, quotient = false, whole = true;
    Shape s;
    if (list->count != rank || rank < 3 || !input_shape(im, 0, &s)) {
        problem(im, "%d numbers for %d axes", (int)list->count, rank);
        return false;
    }

    bool good = keeps_axes(im, list, sizes, 2, s);
    for (int i = 2; i < rank && good; i++) {
        if (sizes) {
            good = known_whole(g, list, i, &size[i]);
            continue;
        }
        good = known_number(g, list, i, &scale[i]);
        if (!good)
            break;

        /* a size that this scale gives, if that is known */
        size[i] = 0;
        if (size_number(g, s.dim[i], &n))
            size[i] = whole_size(im, scale[i], n, &quotient);
        whole &= size[i] > 0;
        same &= scale[i] == scale[2];
    }
    if (!good) {
        problem(im, "only the axes after the first two can be resized, to known sizes");
        return false;
    }

    if (sizes || (quotient && whole)) {
        text_add(t, ", %s", pair_text(im, size + 2, rank - 2));
        return true;
    }
    if (same) {
        text_add(t, ", scale = %s", number_text(im, scale[2]));
        return true;
    }
    text_add(t, ", scale = [");
    for (int i = 2; i < rank; i++)
        text_add(t, "%s%s", comma_before(i - 2), number_text(im, scale[i]));
    text_add(t, "]");
    return true;
}

/* A part of the image: operand 1 has where it starts on each axis, then where it ends. */
static void add_crop(Import *im, Text *t)
{
    const Known *roi = want_known(im, 1, "the region");
    int rank = input_rank(im, 0);
    double from = 0, to = 1;
    double value = attribute_float(im, "extrapolation_value", 0);
    if (!im->failed && roi->count != 2 * rank)
        problem(im, "the region has %d numbers for %d axes", (int)roi->count, rank);

    for (int i = 0; !im->failed && i < rank; i++) {
        known_number(im->g, roi, i, &from);
        known_number(im->g, roi, rank + i, &to);
        if (i < 2 && (from != 0 || to != 1))
            problem(im, "only the axes after the first two can be cut");
        if (i < 2)
            continue;
        text_add(t, i == 2 ? ", at = [" : ", ");
        text_add(t, "cropped(_, _, _, _, _, %s, %s)", number_text(im, from), number_text(im, to));
    }
    text_add(t, "], outside = %s", number_text(im, value));
}

/* Where the elements are, if that is not the default. */
static void add_place_option(Import *im, Text *t, const char *at, const char *usual, bool scaled)
{
    static const char ways[] = "half_pixel pytorch_half_pixel half_pixel_symmetric align_corners "
                               "asymmetric tf_half_pixel_for_nn";
    if (same_text(at, "tf_crop_and_resize"))
        add_crop(im, t);
    else if (!has_word(ways, at))
        problem(im, "attribute 'coordinate_transformation_mode': '%s' is not supported", at);
    else if (same_text(at, "align_corners") && scaled)
        text_add(t, ", at = align_scaled");
    else if (!same_text(at, usual))
        text_add(t, ", at = %s", at);
}

static void add_rounding(Text *t, const char *by)
{
    static const char *const roundings[][2] = {{"round_prefer_floor", "half_down"},
                                               {"round_prefer_ceil", "half_up"},
                                               {"ceil", "ceil"}};
    for (size_t i = 0; i < sizeof roundings / sizeof *roundings; i++)
        if (same_text(by, roundings[i][0]))
            text_add(t, ", rounding = %s", roundings[i][1]);
}

/* ", at = align_corners, rounding = half_down": what is not the default. */
static bool resize_places(Import *im, const char *mode, bool scaled, Text *t)
{
    bool old = im->opset < 11;
    bool nearest = same_text(mode, "nearest");
    const char *otherwise = "half_pixel";
    const char *rounding = "round_prefer_floor";
    if (old && (nearest || !by_pytorch(im))) /* see the manual */
        otherwise = "asymmetric";
    if (old)
        rounding = "floor";
    const char *at = attribute_text(im, "coordinate_transformation_mode", otherwise);
    const char *by = attribute_text(im, "nearest_mode", rounding);

    add_place_option(im, t, at, nearest ? "asymmetric" : "half_pixel", scaled);
    if (nearest)
        add_rounding(t, by);
    return !im->failed;
}

/* The corners of ONNX are those of an axis of a size that is a fraction, if the scale gives one.
 * PyTorch means an axis of the size that there is. */
static bool corners_scaled(Import *im, const Known *scales, int rank)
{
    Shape s;
    for (int i = 2; i < rank && !by_pytorch(im); i++) {
        int64_t n;
        double v = 0;
        if (!input_shape(im, 0, &s) || !size_number(im->g, s.dim[i], &n) ||
            !known_number(im->g, scales, i, &v) || (double)n * v != floor((double)n * v))
            return true;
    }
    return false;
}

/* The sizes, or the scales: an operand, or an attribute before opset 9. */
static const Known *resize_list(Import *im, int i, const char *what)
{
    const Pb__Attribute *a = NULL;
    if (im->opset < 9)
        a = attribute(im, "scales");
    int64_t count = 0;
    if (a)
        count = (int64_t)a->n_floats;
    if (has_input(im->at, i))
        return want_known(im, i, what);
    if (count == 0 || count > MAX_RANK) {
        problem(im, "there are no sizes and no scales");
        return NULL;
    }
    Known *k = known_new(im->ngc, EL_FLOAT, 1, &count);
    for (int64_t j = 0; j < count; j++)
        k->number[j] = a->floats[j];
    return k;
}

/* Resize, and Upsample before it. */
static void take_resize(Import *im)
{
    const Pb__Node *n = im->at;
    int rank = input_rank(im, 0);
    const char *mode = attribute_text(im, "mode", "nearest");
    Text t = {.ngc = im->ngc};
    int first = im->opset < 11 ? 1 : 2; /* the operand with the scales */
    bool sizes = has_input(n, 3);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    if (same_text(mode, "bilinear") || same_text(mode, "trilinear"))
        mode = "linear";
    const Known *list;
    if (sizes)
        list = resize_list(im, 3, "the sizes");
    else
        list = resize_list(im, first, "the scales");
    if (im->failed)
        return;
    text_add(&t, "resize_%s($00", mode);
    if (!resize_text(im, list, sizes, rank, &t) ||
        !resize_places(im, mode, !sizes && corners_scaled(im, list, rank), &t))
        return;
    if (same_text(mode, "cubic")) {
        double a = attribute_float(im, "cubic_coeff_a", -0.75);
        if (a != -0.75)
            text_add(&t, ", a = %s", number_text(im, a));
        if (attribute_int(im, "exclude_outside", 0))
            text_add(&t, ", exclude_outside = 1");
    } else if (attribute_int(im, "exclude_outside", 0)) {
        problem(im, "attribute 'exclude_outside' is supported only for cubic");
    }
    if (attribute_int(im, "antialias", 0))
        problem(im, "attribute 'antialias': only 0 is supported");
    text_add(&t, ")");
    result_emit(im, BIND_ATOM, t.at, 1, x);
}

/* What the second column has for this word, or NULL. */
static const char *second_for(const char *const (*pair)[2], size_t pairs, const char *word)
{
    for (size_t i = 0; i < pairs; i++)
        if (same_text(word, pair[i][0]))
            return pair[i][1];
    return NULL;
}

static void take_grid_sample(Import *im)
{
    static const char *const degrees[][2] = {
        {"nearest", ", 0"}, {"bilinear", ""}, {"linear", ""}, {"bicubic", ", 3"}, {"cubic", ", 3"}};
    static const char *const outsides[][2] = {{"zeros", ""},
                                              {"border", ", outside = pad_edge"},
                                              {"reflection", ", outside = pad_reflect"}};
    const char *mode = attribute_text(im, "mode", "bilinear");
    const char *padding = attribute_text(im, "padding_mode", "zeros");
    const char *degree = second_for(degrees, sizeof degrees / sizeof *degrees, mode);
    const char *outside = second_for(outsides, sizeof outsides / sizeof *outsides, padding);
    Operand x = operand(im, 0);
    Operand grid = operand(im, 1);
    if (!im->failed && (!degree || !outside))
        problem(im, "the mode '%s' with '%s' is not supported", mode, padding);
    if (im->failed)
        return;

    const char *corners = text_if(attribute_int(im, "align_corners", 0), ", align_corners = 1");
    const char *form =
        text_format(im->ngc, "grid_sample($00, $01%s%s%s)", degree, outside, corners);
    result_emit(im, BIND_ATOM, form, 2, x, grid);
}

#define WINDOW "auto_pad dilations kernel_shape pads strides"

const OnnxOp onnx_window[] = {
    {"AveragePool", .take = take_avg_pool, .attributes = WINDOW " ceil_mode count_include_pad",
     .needs = "kernel_shape", .says = "`avg_pool`"},
    {"Conv", .take = take_conv, .operands = 3, .attributes = WINDOW " group",
     .says = "`conv1d`, `conv2d`, `conv3d`, `conv`"},
    {"ConvTranspose", .take = take_conv_transpose, .operands = 3,
     .attributes = WINDOW " group output_padding output_shape",
     .says = "`conv_transpose1d` and so on, `conv_transpose`"},
    {"GridSample", .take = take_grid_sample, .operands = 2,
     .attributes = "align_corners mode padding_mode", .says = "`grid_sample`"},
    {"MaxUnpool", .take = take_max_unpool, .operands = 3, .attributes = "kernel_shape pads strides",
     .needs = "kernel_shape", .says = "`scatter_nd_set`"},
    {"RoiAlign", .take = take_roi_align, .operands = 3,
     .attributes =
         "coordinate_transformation_mode mode output_height output_width sampling_ratio spatial_scale",
     .says = "`roi_align`"},
    {"MaxPool", .take = take_max_pool, .attributes = WINDOW " ceil_mode storage_order",
     .needs = "kernel_shape", .says = "`max_pool`, `max_pool_index`"},
    {"Resize", .take = take_resize, .operands = 4,
     .attributes =
         "antialias coordinate_transformation_mode cubic_coeff_a exclude_outside extrapolation_value mode nearest_mode",
     .says = "`resize_nearest`, `resize_linear`, `resize_cubic`"},
    {"Upsample", .take = take_resize, .operands = 2, .attributes = "mode scales",
     .says = "`resize_nearest`, `resize_linear`"},
    {NULL},
};
