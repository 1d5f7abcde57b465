/* node_layer.c - layers: operators whose weights become params of a layer of the library. If a
 * weight is used in several places, or is computed, the function below the layer is written
 * instead. */
#include "onnx/onnx.h"

#include <string.h>

/* A weight that a layer of its own can have, or NULL. */
static Known *own_weight(Import *im, int i, int rank)
{
    Known *k = input_known(im, i);
    if (!k || k->rank != rank || !k->name || is_shared(k) || element_is_int(k->element))
        return NULL;
    return k;
}

static Operand finish_layer(Import *im, Line *l, const Known *W, const Known *b)
{
    l->label = layer_label(im, W, b);
    return emit_line(im, l);
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

static void take_matmul(Import *im, const Pb__Node *n)
{
    (void)n;
    Known *W = own_weight(im, 1, 2);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    if (W && W->count > 1 && operand_node(x)->shape.rank > 0) {
        result(im, 0, dense(im, x, W, NULL, false));
        return;
    }
    Operand y = operand(im, 1);
    if (!im->failed)
        result(im, 0, emit(im, BIND_TERM, "$30 @ $41", 2, x, y));
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

static void take_add(Import *im, const Pb__Node *n)
{
    (void)n;
    if (n->n_input == 2 && (take_bias(im, 0) || take_bias(im, 1)))
        return;
    Operand a = operand(im, 0), b = operand(im, 1);
    if (!im->failed)
        result(im, 0, emit(im, BIND_SUM, "$20 + $31", 2, a, b));
}

/* alpha A B + beta C, of matrices that may be transposed. */
static void take_gemm(Import *im, const Pb__Node *n)
{
    double alpha = attribute_float(im, "alpha", 1), beta = attribute_float(im, "beta", 1);
    bool ta = attribute_int(im, "transA", 0), tb = attribute_int(im, "transB", 0);
    Known *W = own_weight(im, 1, 2), *b = has_input(n, 2) ? own_weight(im, 2, 1) : NULL;
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    if (ta)
        x = emit(im, BIND_ATOM, "$60'", 1, x);
    bool fits = b && W && b->dim[0] == W->dim[tb ? 0 : 1];
    if (W && alpha == 1 && beta == 1 && (fits || !has_input(n, 2))) {
        result(im, 0, dense(im, x, W, b, tb));
        return;
    }
    Operand y = operand(im, 1);
    y = emit(im, BIND_TERM, tb ? "$30 @ $61'" : "$30 @ $61", 2, x, y);
    if (alpha != 1)
        y = emit(im, BIND_TERM, text_format(im->ngc, "%s*$40", number_text(im, alpha)), 1, y);
    if (has_input(n, 2) && beta != 0) {
        Operand c = operand(im, 2);
        if (beta != 1)
            c = emit(im, BIND_TERM, text_format(im->ngc, "%s*$40", number_text(im, beta)), 1, c);
        y = emit(im, BIND_SUM, "$20 + $31", 2, y, c);
    }
    result(im, 0, y);
}

/* ---- windows: what convolutions and pooling have in common ---- */

enum { DIRECTIONS = 2 };

typedef struct Window {
    int n; /* directions */
    int64_t size[DIRECTIONS], stride[DIRECTIONS], dilation[DIRECTIONS];
    int64_t before[DIRECTIONS], after[DIRECTIONS];
    bool even; /* as much before as after */
    bool padded;
    bool beyond; /* by ceil_mode, the last windows end after the padding */
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

/* SAME_UPPER and SAME_LOWER: as many places as the image has elements, divided by the stride. */
static bool same_pads(Import *im, Window *w, bool upper)
{
    for (int i = 0; i < w->n; i++) {
        int64_t size;
        if (!size_number(im->g, w->image[i], &size)) {
            problem(im, "attribute 'auto_pad': the image has a run-time size");
            return false;
        }
        int64_t places = (size + w->stride[i] - 1) / w->stride[i];
        int64_t all = (places - 1) * w->stride[i] + w->dilation[i] * (w->size[i] - 1) + 1 - size;
        all = all < 0 ? 0 : all;
        w->before[i] = upper ? all / 2 : all - all / 2;
        w->after[i] = all - w->before[i];
    }
    return true;
}

/* With ceil_mode, a last window that begins inside is kept. */
static bool ceil_pads(Import *im, Window *w)
{
    for (int i = 0; i < w->n; i++) {
        int64_t size, reach = w->dilation[i] * (w->size[i] - 1) + 1;
        if (!size_number(im->g, w->image[i], &size)) {
            problem(im, "attribute 'ceil_mode': the image has a run-time size");
            return false;
        }
        int64_t room = size + w->before[i] + w->after[i] - reach;
        int64_t places = (room + w->stride[i] - 1) / w->stride[i] + 1;
        if ((places - 1) * w->stride[i] >= size + w->before[i])
            places--;
        int64_t more = (places - 1) * w->stride[i] - room;
        if (more > 0) {
            w->after[i] += more;
            w->beyond = true;
        }
    }
    return true;
}

/* The window of the current node over its operand 0. kernel: the sizes, if no attribute has them.
 */
static bool read_window(Import *im, Window *w, const int64_t *kernel)
{
    Shape s;
    int64_t pads[2 * DIRECTIONS];
    *w = (Window){0};
    if (!input_shape(im, 0, &s))
        return false;
    w->n = s.rank - 2;
    if (w->n < 1 || w->n > DIRECTIONS) {
        problem(im, "%d directions are not supported, only 1 and 2", w->n);
        return false;
    }
    for (int i = 0; i < w->n; i++)
        w->image[i] = s.dim[2 + i];
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
        int64_t most = 1 << 20;
        bool good = w->size[i] >= 1 && w->size[i] < most && w->stride[i] >= 1 &&
                    w->stride[i] < most && w->dilation[i] >= 1 && w->dilation[i] < most &&
                    w->before[i] >= 0 && w->before[i] < most && w->after[i] >= 0 &&
                    w->after[i] < most;
        if (!good) {
            problem(im, "a size, stride, dilation or padding is out of range");
            return false;
        }
    }
    const char *same = attribute_text(im, "auto_pad", "NOTSET");
    if (strncmp(same, "SAME", 4) == 0 && !same_pads(im, w, strcmp(same, "SAME_UPPER") == 0))
        return false;
    if (attribute_int(im, "ceil_mode", 0) && !ceil_pads(im, w))
        return false;
    w->even = true;
    for (int i = 0; i < w->n; i++) {
        w->even &= w->before[i] == w->after[i];
        w->padded |= w->before[i] + w->after[i] > 0;
    }
    return true;
}

/* "3" or "[3, 5]". */
static const char *pair_text(Import *im, const int64_t *v, int n)
{
    if (n == 1 || v[0] == v[1])
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

/* "[[0, 0], [0, 0], [1, 2], [1, 2]]" */
static const char *pads_text(Import *im, const Window *w)
{
    Text t = {.ngc = im->ngc};
    text_add(&t, "[[0, 0], [0, 0]");
    for (int i = 0; i < w->n; i++)
        text_add(&t, ", [%lld, %lld]", (long long)w->before[i], (long long)w->after[i]);
    text_add(&t, "]");
    return t.at;
}

/* x with zeros around it, where a layer cannot have them. */
static Operand pad_first(Import *im, Operand x, Window *w)
{
    if (!w->padded || w->even)
        return x;
    x = emit(im, BIND_ATOM, text_format(im->ngc, "pad($00, %s)", pads_text(im, w)), 1, x);
    memset(w->before, 0, sizeof w->before);
    return x;
}

/* ---- convolutions ---- */

/* Adds a number for each channel to y. */
static Operand add_channels(Import *im, Operand y, int i, int directions)
{
    Operand b = operand(im, i);
    const char *form = directions == 1 ? "$20 + $61[:, new]" : "$20 + $61[:, new, new]";
    return emit(im, BIND_SUM, form, 2, y, b);
}

static void take_conv(Import *im, const Pb__Node *n)
{
    Window w;
    Shape k;
    int64_t groups = attribute_int(im, "group", 1);
    Operand x = operand(im, 0);
    if (im->failed || !input_shape(im, 1, &k))
        return;
    int rank = operand_node(x)->shape.rank;
    if (k.rank != rank || rank < 3) {
        problem(im, "the kernel has %d axes, the image %d", k.rank, rank);
        return;
    }
    if (!read_window(im, &w, k.dim + 2))
        return;
    x = pad_first(im, x, &w);

    Known *W = own_weight(im, 1, rank), *b = has_input(n, 2) ? own_weight(im, 2, 1) : NULL;
    bool layer = W && (b || !has_input(n, 2));
    Text t = {.ngc = im->ngc};
    if (layer)
        text_add(&t, "conv%dd($00, %lld, %s", w.n, (long long)W->dim[0],
                 pair_text(im, w.size, w.n));
    else
        text_add(&t, "conv($00, $01");
    add_pair(im, &t, "stride", w.stride, w.n, 1);
    add_pair(im, &t, "padding", w.before, w.n, 0);
    add_pair(im, &t, "dilation", w.dilation, w.n, 1);
    add_pair(im, &t, "groups", &groups, 1, 1);
    text_add(&t, layer && !b ? ", bias = 0)" : ")");
    if (layer) {
        Line *l = line_new(im, BIND_ATOM, t.at, 1, &x);
        line_weight(im, l, W, NULL);
        if (b)
            line_weight(im, l, b, NULL);
        result(im, 0, finish_layer(im, l, W, b));
        return;
    }
    Operand y = emit(im, BIND_ATOM, t.at, 2, x, operand(im, 1));
    if (has_input(n, 2) && !im->failed)
        y = add_channels(im, y, 2, w.n);
    result(im, 0, y);
}

/* The full result of conv_transpose, of which the padding is cut away, or zeros are added to it. */
static Operand crop(Import *im, Operand y, const int64_t *lo, const int64_t *size, int n)
{
    Shape s = operand_node(y)->shape;
    Text cut = {.ngc = im->ngc}, pad = {.ngc = im->ngc};
    bool cuts = false, pads = false;
    text_add(&cut, "$60[:, :");
    text_add(&pad, "pad($00, [[0, 0], [0, 0]");
    for (int i = 0; i < n; i++) {
        int64_t full, end = lo[i] + size[i];
        if (!size_number(im->g, s.dim[2 + i], &full))
            full = end;
        int64_t more = end > full ? end - full : 0;
        cuts |= lo[i] > 0 || end < full;
        pads |= more > 0;
        text_add(&cut, ", %lld:%lld", (long long)lo[i], (long long)(end - more));
        text_add(&pad, ", [0, %lld]", (long long)more);
    }
    if (cuts)
        y = emit(im, BIND_ATOM, text_format(im->ngc, "%s]", cut.at), 1, y);
    if (pads)
        y = emit(im, BIND_ATOM, text_format(im->ngc, "%s])", pad.at), 1, y);
    return y;
}

/* The sizes of the result, and what is cut off before it. */
static bool transposed_sizes(Import *im, Window *w, const int64_t *more, int64_t *lo, int64_t *size)
{
    int64_t wanted[DIRECTIONS];
    const char *same = attribute_text(im, "auto_pad", "NOTSET");
    bool shaped = attribute_ints(im, "output_shape", wanted, DIRECTIONS) == w->n;
    for (int i = 0; i < w->n; i++) {
        int64_t image;
        if (!size_number(im->g, w->image[i], &image)) {
            problem(im, "the image has a run-time size");
            return false;
        }
        int64_t full = (image - 1) * w->stride[i] + w->dilation[i] * (w->size[i] - 1) + 1 + more[i];
        bool fit = shaped || strncmp(same, "SAME", 4) == 0;
        lo[i] = w->before[i];
        size[i] = full - w->before[i] - w->after[i];
        if (fit) {
            size[i] = shaped ? wanted[i] : image * w->stride[i];
            int64_t all = full - size[i] > 0 ? full - size[i] : 0;
            lo[i] = strcmp(same, "SAME_UPPER") == 0 ? all / 2 : all - all / 2;
        }
        if (size[i] < 1 || lo[i] >= full) {
            problem(im, "the padding leaves nothing");
            return false;
        }
    }
    return true;
}

static void take_conv_transpose(Import *im, const Pb__Node *n)
{
    Window w;
    Shape k;
    int64_t groups = attribute_int(im, "group", 1), more[DIRECTIONS], lo[DIRECTIONS],
            size[DIRECTIONS];
    Operand x = operand(im, 0);
    if (im->failed || !input_shape(im, 1, &k))
        return;
    int rank = operand_node(x)->shape.rank;
    if (k.rank != rank || rank < 3) {
        problem(im, "the kernel has %d axes, the image %d", k.rank, rank);
        return;
    }
    bool automatic = strncmp(attribute_text(im, "auto_pad", ""), "SAME", 4) == 0;
    if (!read_window(im, &w, k.dim + 2) || !read_each(im, "output_padding", more, w.n, 0))
        return;
    bool plain = w.even && !automatic && !attribute(im, "output_shape") && w.n == 2 && groups == 1;
    for (int i = 0; i < w.n; i++)
        plain &= more[i] == 0 && w.dilation[i] == 1;

    Known *W = own_weight(im, 1, rank), *b = has_input(n, 2) ? own_weight(im, 2, 1) : NULL;
    bool layer = plain && W && (b || !has_input(n, 2));
    Text t = {.ngc = im->ngc};
    if (layer)
        text_add(&t, "conv_transpose2d($00, %lld, %s", (long long)W->dim[1],
                 pair_text(im, w.size, w.n));
    else
        text_add(&t, "conv_transpose($00, $01");
    add_pair(im, &t, "stride", w.stride, w.n, 1);
    if (plain)
        add_pair(im, &t, "padding", w.before, w.n, 0);
    add_pair(im, &t, "dilation", w.dilation, w.n, 1);
    add_pair(im, &t, "groups", &groups, 1, 1);
    text_add(&t, layer && !b ? ", bias = 0)" : ")");
    if (layer) {
        Line *l = line_new(im, BIND_ATOM, t.at, 1, &x);
        line_weight(im, l, W, NULL);
        if (b)
            line_weight(im, l, b, NULL);
        result(im, 0, finish_layer(im, l, W, b));
        return;
    }
    if (!plain && !transposed_sizes(im, &w, more, lo, size))
        return;
    Operand y = emit(im, BIND_ATOM, t.at, 2, x, operand(im, 1));
    if (!plain && !im->failed)
        y = crop(im, y, lo, size, w.n);
    if (has_input(n, 2) && !im->failed)
        y = add_channels(im, y, 2, w.n);
    result(im, 0, y);
}

/* ---- pooling ---- */

static const char *pool_form(Import *im, const char *f, const Window *w, bool padding)
{
    Text t = {.ngc = im->ngc};
    text_add(&t, "%s($00, %s", f, pair_text(im, w->size, w->n));
    if (memcmp(w->stride, w->size, sizeof w->size) != 0)
        text_add(&t, ", stride = %s", pair_text(im, w->stride, w->n));
    if (padding)
        add_pair(im, &t, "padding", w->before, w->n, 0);
    return t.at;
}

static void take_max_pool(Import *im, const Pb__Node *n)
{
    Window w;
    Operand x = operand(im, 0);
    if (im->failed || !read_window(im, &w, NULL))
        return;
    if (wants_output(n, 1))
        problem(im, "the second result, the places of the maxima, is not supported");
    for (int i = 0; i < w.n; i++)
        if (w.dilation[i] != 1)
            problem(im, "attribute 'dilations': only 1 is supported");
    if (im->failed)
        return;
    bool simple = w.even && !w.beyond;
    for (int i = 0; i < w.n; i++)
        simple &= w.before[i] < w.size[i];
    if (!simple) {
        const char *pads = pads_text(im, &w);
        x = emit(im, BIND_ATOM,
                 text_format(im->ngc, "where(pad(ones($00.shape), %s) == 0, -inf, pad($00, %s))",
                             pads, pads),
                 1, x);
    }
    const char *form = text_format(im->ngc, "%s)", pool_form(im, "max_pool", &w, simple));
    result(im, 0, emit(im, BIND_ATOM, form, 1, x));
}

static void take_avg_pool(Import *im, const Pb__Node *n)
{
    (void)n;
    Window w;
    bool counts = attribute_int(im, "count_include_pad", 0);
    Operand x = operand(im, 0);
    if (im->failed || !read_window(im, &w, NULL))
        return;
    for (int i = 0; i < w.n; i++)
        if (w.dilation[i] != 1) {
            problem(im, "attribute 'dilations': only 1 is supported");
            return;
        }
    if (w.even && !w.beyond) {
        const char *end = w.padded && !counts ? ", count_include_pad = 0)" : ")";
        const char *form = text_format(im->ngc, "%s%s", pool_form(im, "avg_pool", &w, true), end);
        result(im, 0, emit(im, BIND_ATOM, form, 1, x));
        return;
    }

    /* a mean of zeros too, divided by the mean of 1 where an element counts */
    const char *pads = pads_text(im, &w), *pool = pool_form(im, "avg_pool", &w, false);
    Operand p = emit(im, BIND_ATOM, text_format(im->ngc, "pad($00, %s)", pads), 1, x);
    Operand y = emit(im, BIND_ATOM, text_format(im->ngc, "%s)", pool), 1, p);
    if (counts && w.beyond)
        problem(im, "attributes 'ceil_mode' and 'count_include_pad' together are not supported");
    if (!counts) {
        p = emit(im, BIND_ATOM, text_format(im->ngc, "pad(ones($00.shape), %s)", pads), 1, x);
        p = emit(im, BIND_ATOM, text_format(im->ngc, "%s)", pool), 1, p);
        y = emit(im, BIND_TERM, "$30/$41", 2, y, p);
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

static void take_batch_norm(Import *im, const Pb__Node *n)
{
    int rank = input_rank(im, 0);
    double momentum = 1 - attribute_float(im, "momentum", 0.9);
    bool own = true;
    Known *w[4];
    Operand x = operand(im, 0);
    for (int i = 0; i < 4 && !im->failed; i++)
        own &= (w[i] = own_weight(im, i + 1, 1)) != NULL;
    if (im->failed)
        return;
    if (attribute_int(im, "spatial", 1) == 0)
        problem(im, "attribute 'spatial': only 1 is supported");
    if (own) {
        const char *m = "";
        if (momentum < 0.0999999 || momentum > 0.1000001)
            m = text_format(im->ngc, ", momentum = %.9g", momentum);
        const char *form =
            text_format(im->ngc, "batch_norm($00%s%s)", m, eps_text(im, "epsilon", 1e-5, ", "));
        Line *l = line_new(im, BIND_ATOM, form, 1, &x);
        for (int i = 0; i < 4; i++)
            line_weight(im, l, w[i], NULL);
        l->weight[2].state = l->weight[3].state = true;
        result(im, 0, finish_layer(im, l, w[0], w[2]));
        return;
    }
    if (attribute_int(im, "training_mode", 0) || n->n_output > 1) {
        problem(im, "training with statistics that are not stored in the model is not supported");
        return;
    }
    const char *at = channels_index(im, rank);
    double eps = attribute_float(im, "epsilon", 1e-5);
    Operand scale = operand(im, 1), b = operand(im, 2), mean = operand(im, 3), var = operand(im, 4);
    const char *form = text_format(im->ngc, "($20 - $61%s)/sqrt($62%s + %s)*$63%s + $64%s", at, at,
                                   number_text(im, eps), at, at);
    result(im, 0, emit(im, BIND_SUM, form, 5, x, mean, var, scale, b));
}

static void take_instance_norm(Import *im, const Pb__Node *n)
{
    (void)n;
    int rank = input_rank(im, 0);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    Known *gain = own_weight(im, 1, 1), *bias = own_weight(im, 2, 1);
    Shape s = operand_node(x)->shape;
    if (gain && bias) {
        const char *form =
            text_format(im->ngc, "group_norm($00, %s%s)", size_text(im->g, s.dim[1], ""),
                        eps_text(im, "epsilon", 1e-5, ", "));
        Line *l = line_new(im, BIND_ATOM, form, 1, &x);
        line_weight(im, l, gain, NULL);
        line_weight(im, l, bias, NULL);
        result(im, 0, finish_layer(im, l, gain, bias));
        return;
    }
    Text axes = {.ngc = im->ngc};
    for (int i = 2; i < rank; i++)
        text_add(&axes, "%s%d", i > 2 ? ", " : "", i);
    const char *at = channels_index(im, rank);
    const char *form =
        text_format(im->ngc, "normalize($00, [%s]%s)*$61%s + $62%s", rank > 2 ? axes.at : "",
                    eps_text(im, "epsilon", 1e-5, ", "), at, at);
    Operand a = operand(im, 1), b = operand(im, 2);
    result(im, 0, emit(im, BIND_SUM, form, 3, x, a, b));
}

static void take_layer_norm(Import *im, const Pb__Node *n)
{
    int rank = input_rank(im, 0);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    int64_t axis = axis_of(im, attribute_int(im, "axis", -1), rank);
    if (axis < 0)
        return;
    const char *eps = eps_text(im, "epsilon", 1e-5, ", ");
    Known *gain = own_weight(im, 1, 1), *bias = has_input(n, 2) ? own_weight(im, 2, 1) : NULL;
    Text axes = {.ngc = im->ngc};
    for (int64_t i = axis; i < rank; i++)
        text_add(&axes, "%s%lld", i > axis ? ", " : "", (long long)i);
    if (wants_output(n, 1) || wants_output(n, 2)) {
        Operand m = emit(im, BIND_ATOM,
                         text_format(im->ngc, "mean($00, [%s], keepdims = 1)", axes.at), 1, x);
        Operand v = emit(im, BIND_ATOM,
                         text_format(im->ngc, "var($00, [%s], keepdims = 1)", axes.at), 1, x);
        result(im, 1, m);
        const char *eps_number = number_text(im, attribute_float(im, "epsilon", 1e-5));
        result(im, 2,
               emit(im, BIND_TERM, text_format(im->ngc, "1/sqrt($20 + %s)", eps_number), 1, v));
    }
    if (axis == rank - 1 && gain && bias) {
        Line *l = line_new(im, BIND_ATOM, text_format(im->ngc, "layer_norm($00%s)", eps), 1, &x);
        line_weight(im, l, gain, NULL);
        line_weight(im, l, bias, NULL);
        result(im, 0, finish_layer(im, l, gain, bias));
        return;
    }
    Operand g = operand(im, 1), b = has_input(n, 2) ? operand(im, 2) : (Operand){0};
    const char *form = text_format(im->ngc, "normalize($00, [%s]%s)*$41", axes.at, eps);
    Operand y = emit(im, BIND_TERM, form, 2, x, g);
    if (b.line)
        y = emit(im, BIND_SUM, "$20 + $31", 2, y, b);
    result(im, 0, y);
}

static void take_group_norm(Import *im, const Pb__Node *n)
{
    (void)n;
    Operand x = operand(im, 0);
    Known *gain = own_weight(im, 1, 1), *bias = own_weight(im, 2, 1);
    int64_t groups = attribute_int(im, "num_groups", 1);
    if (im->failed)
        return;
    Shape s = operand_node(x)->shape;
    if (!gain || !bias || s.rank < 2 || gain->dim[0] != s.dim[1]) {
        problem(im, "a scale that is not one weight for each channel is not supported");
        return;
    }
    const char *form = text_format(im->ngc, "group_norm($00, %lld%s)", (long long)groups,
                                   eps_text(im, "epsilon", 1e-5, ", "));
    Line *l = line_new(im, BIND_ATOM, form, 1, &x);
    line_weight(im, l, gain, NULL);
    line_weight(im, l, bias, NULL);
    result(im, 0, finish_layer(im, l, gain, bias));
}

static void take_mean_variance(Import *im, const Pb__Node *n)
{
    (void)n;
    int64_t axes[MAX_RANK] = {0, 2, 3};
    int rank = input_rank(im, 0), count = axes_of(im, "axes", -1, axes, rank < 0 ? 4 : rank);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    const char *form = text_format(im->ngc, "normalize($00, %s, eps = 1e-18)",
                                   ints_text(im, axes, count < 0 ? 3 : count));
    result(im, 0, emit(im, BIND_ATOM, form, 1, x));
}

/* Divides by a power of the sum of squares over neighbouring channels. */
static void take_lrn(Import *im, const Pb__Node *n)
{
    (void)n;
    int64_t size = attribute_int(im, "size", 1), channels;
    double alpha = attribute_float(im, "alpha", 1e-4), beta = attribute_float(im, "beta", 0.75);
    double bias = attribute_float(im, "bias", 1);
    int rank = input_rank(im, 0);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    if (rank < 2 || size < 1 || size > 64 ||
        !size_number(im->g, operand_node(x)->shape.dim[1], &channels)) {
        problem(im, "attribute 'size': it must be 1 to 64, and the channels a known number");
        return;
    }
    int64_t before = (size - 1) / 2, after = size - 1 - before;
    Text pads = {.ngc = im->ngc};
    text_add(&pads, "pad($60^2, [[0, 0], [%lld, %lld]", (long long)before, (long long)after);
    for (int i = 2; i < rank; i++)
        text_add(&pads, ", [0, 0]");
    text_add(&pads, "])");
    Operand squares = emit(im, BIND_ATOM, pads.at, 1, x), all = {0};
    for (int64_t i = 0; i < size; i++) {
        const char *part =
            text_format(im->ngc, "$60[:, %lld:%lld]", (long long)i, (long long)(i + channels));
        Operand p = emit(im, BIND_ATOM, part, 1, squares);
        all = i ? emit(im, BIND_SUM, "$20 + $31", 2, all, p) : p;
    }
    const char *form = text_format(im->ngc, "$30/(%s + %s*$31)^%s", number_text(im, bias),
                                   number_text(im, alpha / (double)size), number_text(im, beta));
    result(im, 0, emit(im, BIND_TERM, form, 2, x, all));
}

#define WINDOW "auto_pad dilations kernel_shape pads strides"

const OnnxOp onnx_layer[] = {
    {"Add", .take = take_add, .says = "`+`; to a product with weights: the bias of `dense`"},
    {"AveragePool", .take = take_avg_pool, .attributes = WINDOW " ceil_mode count_include_pad",
     .says = "`avg_pool`"},
    {"BatchNormalization", .take = take_batch_norm,
     .attributes = "epsilon momentum spatial training_mode", .says = "`batch_norm`"},
    {"Conv", .take = take_conv, .attributes = WINDOW " group",
     .says = "`conv1d`, `conv2d`, `conv`"},
    {"ConvTranspose", .take = take_conv_transpose,
     .attributes = WINDOW " group output_padding output_shape",
     .says = "`conv_transpose2d`, `conv_transpose`"},
    {"Gemm", .take = take_gemm, .attributes = "alpha beta transA transB", .says = "`dense`, `@`"},
    {"GroupNormalization", .take = take_group_norm, .attributes = "epsilon num_groups stash_type",
     .says = "`group_norm`"},
    {"InstanceNormalization", .take = take_instance_norm, .attributes = "epsilon",
     .says = "`group_norm`, `normalize`"},
    {"LayerNormalization", .take = take_layer_norm, .attributes = "axis epsilon stash_type",
     .says = "`layer_norm`, `normalize`"},
    {"LRN", .take = take_lrn, .attributes = "alpha beta bias size", .says = "`pad`, sums and `^`"},
    {"MatMul", .take = take_matmul, .says = "`dense`, `@`"},
    {"MaxPool", .take = take_max_pool, .attributes = WINDOW " ceil_mode storage_order",
     .says = "`max_pool`"},
    {"MeanVarianceNormalization", .take = take_mean_variance, .attributes = "axes",
     .says = "`normalize`"},
    {NULL},
};
