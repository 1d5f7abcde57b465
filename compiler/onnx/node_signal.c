/* node_signal.c - operators of signals: spectra, windows, the bands of a spectrum. A complex number
 * is a pair along the last axis, as in the format. */
#include "onnx/onnx.h"

#include <math.h>
#include <string.h>

/* ---- windows and bands ---- */

/* The windows of spectra: sums of cosines. */
static void take_window(Import *im, const Pb__Node *n)
{
    static const struct {
        const char *op;
        double a, b, c;
    } windows[] = {{"HannWindow", 0.5, 0.5, 0},
                   {"HammingWindow", 25.0 / 46, 21.0 / 46, 0},
                   {"BlackmanWindow", 0.42, 0.5, 0.08}};
    const Known *k = want_known(im, 0, "the size");
    bool periodic = attribute_int(im, "periodic", 1);
    int64_t size;
    if (!k)
        return;
    if (!known_whole(im->g, k, 0, &size) || size < 2) {
        problem(im, "the size must be a number from 2 on");
        return;
    }
    for (int i = 0; i < 3; i++) {
        if (strcmp(n->op, windows[i].op) != 0)
            continue;
        Operand t = emit(im, BIND_TERM,
                         text_format(im->ngc, "2*pi/%lld*arange(%lld)",
                                     (long long)(periodic ? size : size - 1), (long long)size),
                         0);
        const char *form = text_format(im->ngc, "%s - %s*cos($00)", number_text(im, windows[i].a),
                                       number_text(im, windows[i].b));
        if (windows[i].c != 0)
            form = text_format(im->ngc, "%s + %s*cos(2*$30)", form, number_text(im, windows[i].c));
        result_emit(im, BIND_SUM, form, 1, t);
    }
}

/* The weights with which the elements of a spectrum count in bands, whose widths grow as the ear
 * hears: triangles, each from the centre of the band before to that of the one after. */
static void take_mel(Import *im, const Pb__Node *n)
{
    (void)n;
    double v[5];
    int64_t dim[2];
    for (int i = 0; i < 5; i++) {
        const Known *k = want_known(im, i, "a parameter");
        if (!k || k->count != 1 || !known_number(im->g, k, 0, &v[i]))
            im->failed = true;
    }
    if (im->failed)
        return;
    dim[0] = (int64_t)(v[1] >= 0 && v[1] < 1e6 ? floor(v[1] / 2) + 1 : 0);
    dim[1] = (int64_t)(v[0] >= 1 && v[0] < 1e4 ? v[0] : 0);
    if (dim[0] < 1 || dim[1] < 1 || dim[0] * dim[1] > 1 << 24 || !(v[2] > 0) || !(v[4] > v[3]) ||
        !(v[3] >= 0)) {
        problem(im, "the numbers of bands and of elements, or the frequencies, are out of range");
        return;
    }

    Known *y = known_new(im->ngc, EL_FLOAT, 2, dim);
    double low = 2595 * log10(1 + v[3] / 700), high = 2595 * log10(1 + v[4] / 700);
    for (int64_t b = 0; b < dim[1]; b++) {
        double edge[3];
        for (int i = 0; i < 3; i++) { /* as places in the spectrum */
            double mel = low + (double)(b + i) * (high - low) / (v[0] + 2);
            edge[i] = floor((v[1] + 1) * 700 * (pow(10, mel / 2595) - 1) / v[2]);
        }
        for (int64_t k = 0; k < dim[0]; k++) {
            double at = (double)k, *to = &y->number[k * dim[1] + b];
            if (at == edge[1])
                *to = 1;
            else if (at >= edge[0] && at < edge[1])
                *to = (at - edge[0]) / (edge[1] - edge[0]);
            else if (at > edge[1] && at < edge[2])
                *to = (edge[2] - at) / (edge[2] - edge[1]);
        }
    }
    result_known(im, 0, y);
}

/* ---- spectra ---- */

static void take_dft(Import *im, const Pb__Node *n)
{
    (void)n;
    int rank = input_rank(im, 0);
    int64_t length = 0, axis = attribute_int(im, "axis", im->opset < 20 ? 1 : -2);
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
    if ((axis = axis_of(im, axis, rank)) < 0)
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

/* Pieces of a signal, each times a window, and their spectra. */
static void take_stft(Import *im, const Pb__Node *n)
{
    int64_t step = 0, length = 0, size = 0;
    const Known *by = want_known(im, 1, "the step");
    const Known *given = given_known(im, 3, "the length");
    Operand x = operand(im, 0), window = {0};
    if (im->failed)
        return;
    if (has_input(n, 2))
        window = operand(im, 2);
    Shape s = operand_node(x)->shape;
    bool good =
        known_whole(im->g, by, 0, &step) && s.rank == 3 && size_number(im->g, s.dim[1], &size);
    if (given)
        good &= known_whole(im->g, given, 0, &length);
    else if (window.line)
        good &= size_number(im->g, operand_node(window)->shape.dim[0], &length);
    if (!good || step < 1 || length < 1 || length > size ||
        (size - length) / step + 1 > (1 << 24) / length) {
        problem(im, "the signal, its step and the length of a piece do not fit");
        return;
    }
    const char *form =
        text_format(im->ngc, "$60[:, %lld*arange(%lld)[:, new] + arange(%lld)]", (long long)step,
                    (long long)((size - length) / step + 1), (long long)length);
    x = emit(im, BIND_ATOM, form, 1, x);
    if (window.line)
        x = emit(im, BIND_TERM, "$30*$61[:, new]", 2, x, window);
    bool half = attribute_int(im, "onesided", 1);
    result_emit(im, BIND_ATOM, half ? "dft($00, 2, half = 1)" : "dft($00, 2)", 1, x);
}

#define WINDOW_ATTRIBUTES "output_datatype periodic"

const OnnxOp onnx_signal[] = {
    {"BlackmanWindow", .take = take_window, .attributes = WINDOW_ATTRIBUTES, .says = "by `cos`"},
    {"DFT", .take = take_dft, .attributes = "axis inverse onesided", .says = "`dft`"},
    {"HammingWindow", .take = take_window, .attributes = WINDOW_ATTRIBUTES, .says = "by `cos`"},
    {"HannWindow", .take = take_window, .attributes = WINDOW_ATTRIBUTES, .says = "by `cos`"},
    {"MelWeightMatrix", .take = take_mel, .attributes = "output_datatype", .says = "numbers"},
    {"STFT", .take = take_stft, .attributes = "onesided", .says = "an index and `dft`"},
    {NULL},
};
