/* constant.c - initializers that are not trained. The format does not say which are trained: what
 * PyTorch calls a buffer is stored as its weights are. Those that the user names are constants, and
 * those with elements as no trained weight has them: masks, and tables of angles. Such a tensor
 * loses its name here, as the tensor of a Constant has none. */
#include "onnx/onnx.h"

#include <math.h>

/* Is it added to scores, so that a softmax makes 0 of some? It is 0 and one number far below, or
 * has numbers that are as good as infinite. Or it is a triangle of ones. */
static bool is_mask(Import *im, const Known *k, const double *x)
{
    enum {
        FAR_BELOW = -50,
        LEAST = 4,
        LEAST_TRIANGLE = 9
    }; /* elements: shorter ones may be weights */
    const double as_good_as_infinite = 1e30;

    double other = 0; /* the first element that is not 0 */
    bool has_zero = false;
    bool two_values = true;
    for (int64_t i = 0; i < k->count; i++) {
        if (fabs(x[i]) >= as_good_as_infinite)
            return true;
        if (x[i] == 0)
            has_zero = true;
        else if (other == 0)
            other = x[i];
        two_values &= x[i] == 0 || x[i] == other;
    }
    if (k->count >= LEAST && has_zero && two_values && other <= FAR_BELOW)
        return true;

    double lower, upper;
    if (k->count < LEAST_TRIANGLE || !is_triangle(im, k, &lower, &upper))
        return false;
    return lower == 1 && upper == 0;
}

/* Is x[i - 1] + x[i + 1] = c x[i] in this column, for one c = 2 cos(w)? Then it is a sine or a
 * cosine of w i, or 0. c is taken where |x[i]| is largest. *turns: w is not nearly 0. */
static bool is_wave(const double *x, int64_t rows, int64_t columns, bool *turns)
{
    int64_t top = 1;
    for (int64_t i = 1; i < rows - 1; i++)
        if (fabs(x[i * columns]) > fabs(x[top * columns]))
            top = i;

    double most = fabs(x[top * columns]);
    double c = (x[(top - 1) * columns] + x[(top + 1) * columns]) / x[top * columns];
    if (most == 0 || fabs(c) > 2.0001)
        return false;

    for (int64_t i = 1; i < rows - 1; i++) {
        double sum = x[(i - 1) * columns] + x[(i + 1) * columns];
        if (!(fabs(sum - c * x[i * columns]) <= 1e-4 * most))
            return false;
    }
    *turns |= c < 1.99;
    return true;
}

/* Is each column of rows a sine or a cosine of the row's number? At least one column turns, and
 * enough elements agree. */
static bool is_angles(const double *x, int64_t rows, int64_t columns)
{
    enum { MOST = 64, AGREE = 4 }; /* rows: the angles of later ones are less exact */
    bool turns = false;
    if ((rows - 3) * columns < AGREE) /* three rows always do */
        return false;

    rows = min_int64(rows, MOST);
    for (int64_t c = 0; c < columns; c++)
        if (!is_wave(x + c, rows, columns, &turns))
            return false;
    return turns;
}

/* 1, r, r^2, ..: the frequencies of such columns. */
static bool is_frequencies(const double *x, int64_t n)
{
    if (n < 4 || x[0] != 1 || !(x[1] > 0 && x[1] < 0.99))
        return false;
    for (int64_t i = 1; i < n; i++)
        if (!(fabs(x[i] - x[1] * x[i - 1]) <= 1e-5 * x[i - 1]))
            return false;
    return true;
}

/* Do its elements say that it is not trained? */
static bool is_constant(Import *im, const Known *k)
{
    double *x = arena_array(im->ngc, k->count + 1, sizeof *x);
    for (int64_t i = 0; i < k->count; i++)
        known_number(im->g, k, i, &x[i]);

    /* the rows are along its first axis that is not of size 1 */
    int axis = 0;
    while (axis < k->rank - 1 && k->dim[axis] == 1)
        axis++;
    int64_t rows = k->dim[axis];
    int64_t columns = k->count / rows;

    return is_mask(im, k, x) || is_angles(x, rows, columns) ||
           (columns == 1 && is_frequencies(x, rows));
}

/* Does an option --constant name it? Notes in `used` which ones do. */
static bool is_named(const Options *opt, const char *name, bool *used)
{
    bool named = false;

    for (int p = 0; p < opt->constants; p++)
        if (name_matches(name, opt->constant[p]))
            named = used[p] = true;
    return named;
}

void constants_find(Import *im)
{
    const Options *opt = &im->ngc->opt;
    bool *used = arena_array(im->ngc, opt->constants + 1, sizeof *used);

    for (size_t i = 0; i < im->graph->n_initializer; i++) {
        const char *name = im->graph->initializer[i]->name;
        const Meaning *m = meaning_of(im, name);
        Known *k = m ? m->known : NULL;
        if (!k)
            continue;

        bool named = is_named(opt, name, used);
        if (k->count == 0 || !is_param(im, k))
            continue;
        if (named || (k->rank > 0 && is_constant(im, k))) {
            k->called = k->name;
            k->name = NULL;
        }
    }

    for (int p = 0; p < opt->constants; p++) {
        im->failed = used[p]; /* then nothing is reported */
        problem(im, "--constant='%s': there is no initializer of that name", opt->constant[p]);
    }
}
