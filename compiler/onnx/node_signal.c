/* node_signal.c - operators of signals: spectra, windows, the bands of a spectrum. A complex number
 * is a pair along the last axis, as in the format. */
#include "onnx/onnx.h"

#include <math.h>
#include <string.h>

/* ---- windows and bands ---- */

/* a - b cos(t) + c cos(2 t) */
typedef struct Window {
    const char *op;
    double a, b, c;
} Window;

static const Window *find_window(const char *op)
{
    static const Window windows[] = {
        {"HannWindow", 0.5, 0.5, 0},
        {"HammingWindow", 25.0 / 46, 21.0 / 46, 0},
        {"BlackmanWindow", 0.42, 0.5, 0.08},
    };
    const Window *w = windows;
    while (!same_text(op, w->op))
        w++;
    return w;
}

/* The windows of spectra: sums of cosines, over one period or up to the end of it. */
static void take_window(Import *im)
{
    const Pb__Node *n = im->at;
    const Known *k = want_known(im, 0, "the size");
    const Window *w = find_window(n->op);
    int64_t size;
    if (!k)
        return;
    if (!known_whole(im->g, k, 0, &size) || size < 2) {
        problem(im, "the size must be a number from 2 on");
        return;
    }

    long long period = size;
    if (!attribute_int(im, "periodic", 1))
        period--;
    const char *angles = text_format(im->ngc, "2*pi/%lld*arange(%lld)", period, (long long)size);
    Operand t = emit(im, BIND_TERM, angles, 0);

    Text form = {.ngc = im->ngc};
    text_add(&form, "%s - %s*cos($00)", number_text(im, w->a), number_text(im, w->b));
    if (w->c != 0)
        text_add(&form, " + %s*cos(2*$30)", number_text(im, w->c));
    result_emit(im, BIND_SUM, form.at, 1, t);
}

/* The operands of MelWeightMatrix. */
typedef struct Mel {
    double bands, length; /* length: of the signal, of which a spectrum has half */
    double rate;          /* samples in a second */
    double low, high;     /* frequencies */
} Mel;

static bool read_mel(Import *im, Mel *m)
{
    double *const to[] = {&m->bands, &m->length, &m->rate, &m->low, &m->high};
    for (int i = 0; i < 5; i++) {
        const Known *k = want_known(im, i, "a parameter");
        if (!k || k->count != 1 || !known_number(im->g, k, 0, to[i]))
            im->failed = true;
    }
    return !im->failed;
}

/* The elements of a spectrum, and the bands; false: they, or the frequencies, are out of range. */
static bool mel_sizes(const Mel *m, int64_t *dim)
{
    enum { MOST = 1 << 24 };
    if (!(m->length >= 0 && m->length < 1e6) || !(m->bands >= 1 && m->bands < 1e4))
        return false;
    dim[0] = (int64_t)floor(m->length / 2) + 1;
    dim[1] = (int64_t)m->bands;
    return dim[0] * dim[1] <= MOST && m->rate > 0 && m->low >= 0 && m->high > m->low;
}

/* A frequency as the ear hears it. */
static double mel_of(double frequency)
{
    return 2595 * log10(1 + frequency / 700);
}

/* Edge i of the bands, as a place in the spectrum. */
static double mel_edge(const Mel *m, int64_t i)
{
    double low = mel_of(m->low);
    double high = mel_of(m->high);
    double mel = low + (double)i * (high - low) / (m->bands + 2);
    return floor((m->length + 1) * 700 * (pow(10, mel / 2595) - 1) / m->rate);
}

/* A triangle over its three edges: 0 at the outer ones, 1 at the middle one. */
static double triangle(double at, const double *edge)
{
    if (at == edge[1])
        return 1;
    if (at >= edge[0] && at < edge[1])
        return (at - edge[0]) / (edge[1] - edge[0]);
    if (at > edge[1] && at < edge[2])
        return (edge[2] - at) / (edge[2] - edge[1]);
    return 0;
}

/* The weights with which the elements of a spectrum count in bands, whose widths grow as the ear
 * hears: triangles, each from the centre of the band before to that of the one after. */
static void take_mel(Import *im)
{
    Mel m;
    int64_t dim[2];
    if (!read_mel(im, &m))
        return;
    if (!mel_sizes(&m, dim)) {
        problem(im, "the numbers of bands and of elements, or the frequencies, are out of range");
        return;
    }

    Known *y = known_new(im->ngc, EL_FLOAT, 2, dim);
    for (int64_t b = 0; b < dim[1]; b++) {
        const double edge[3] = {mel_edge(&m, b), mel_edge(&m, b + 1), mel_edge(&m, b + 2)};
        for (int64_t k = 0; k < dim[0]; k++)
            y->number[k * dim[1] + b] = triangle((double)k, edge);
    }
    result_known(im, 0, y);
}

/* ---- spectra ---- */

static void take_dft(Import *im)
{
    int rank = input_rank(im, 0);
    int64_t length = 0;
    int64_t axis = attribute_int(im, "axis", im->opset < 20 ? 1 : -2);
    const Known *given = given_known(im, 1, "the length");
    const Known *at = given_known(im, 2, "the axis");
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    if ((given && !known_whole(im->g, given, 0, &length)) ||
        (at && !known_whole(im->g, at, 0, &axis))) {
        problem(im, "the length or the axis is known only at run time");
        return;
    }
    axis = axis_of(im, axis, rank);
    if (axis < 0)
        return;

    Text t = {.ngc = im->ngc};
    text_add(&t, "dft($00, %lld", (long long)axis);
    if (length)
        text_add(&t, ", n = %lld", (long long)length);
    if (attribute_int(im, "inverse", 0))
        text_add(&t, ", inverse = 1");
    if (attribute_int(im, "onesided", 0))
        text_add(&t, ", half = 1");
    text_add(&t, ")");
    result_emit(im, BIND_ATOM, t.at, 1, x);
}

/* The pieces of a signal of `size` elements; 0: there are none, or too many. */
static int64_t count_pieces(int64_t size, int64_t length, int64_t step)
{
    enum { MOST = 1 << 24 };
    if (step < 1 || length < 1 || length > size)
        return 0;
    int64_t pieces = (size - length) / step + 1;
    return pieces <= MOST / length ? pieces : 0;
}

/* Pieces of a signal, each times a window, and their spectra. */
static void take_stft(Import *im)
{
    const Pb__Node *n = im->at;
    Graph *g = im->g;
    int64_t step = 0, length = 0, size = 0, pieces = 0;
    const Known *by = want_known(im, 1, "the step");
    const Known *given = given_known(im, 3, "the length");
    Operand x = operand(im, 0);
    Operand window = {0};
    if (im->failed)
        return;
    if (has_input(n, 2))
        window = operand(im, 2);

    Shape s = operand_node(x)->shape;
    bool good = known_whole(g, by, 0, &step) && s.rank == 3 && size_number(g, s.dim[1], &size);
    if (given)
        good &= known_whole(g, given, 0, &length);
    else if (window.line)
        good &= size_number(g, operand_node(window)->shape.dim[0], &length);
    if (good)
        pieces = count_pieces(size, length, step);
    if (pieces == 0) {
        problem(im, "the signal, its step and the length of a piece do not fit");
        return;
    }

    const char *form = text_format(im->ngc, "$60[:, %lld*arange(%lld)[:, new] + arange(%lld)]",
                                   (long long)step, (long long)pieces, (long long)length);
    x = emit(im, BIND_ATOM, form, 1, x);
    if (window.line)
        x = emit(im, BIND_TERM, "$30*$61[:, new]", 2, x, window);
    const char *half = text_if(attribute_int(im, "onesided", 1), ", half = 1");
    result_emit(im, BIND_ATOM, text_format(im->ngc, "dft($00, 2%s)", half), 1, x);
}

#define WINDOW_ATTRIBUTES "output_datatype periodic"

const OnnxOp onnx_signal[] = {
    {"BlackmanWindow", .take = take_window, .typed_by = OWN_TYPE, .attributes = WINDOW_ATTRIBUTES,
     .says = "by `cos`"},
    {"DFT", .take = take_dft, .operands = 3, .attributes = "axis inverse onesided",
     .says = "`dft`"},
    {"HammingWindow", .take = take_window, .typed_by = OWN_TYPE, .attributes = WINDOW_ATTRIBUTES,
     .says = "by `cos`"},
    {"HannWindow", .take = take_window, .typed_by = OWN_TYPE, .attributes = WINDOW_ATTRIBUTES,
     .says = "by `cos`"},
    {"MelWeightMatrix", .take = take_mel, .operands = 5, .typed_by = OWN_TYPE,
     .attributes = "output_datatype", .says = "numbers"},
    {"STFT", .take = take_stft, .operands = 4, .attributes = "onesided",
     .says = "an index and `dft`"},
    {NULL},
};
