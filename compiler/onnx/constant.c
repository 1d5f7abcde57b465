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
    double other = 0, lower, upper;
    bool zero = false, two = true;
    for (int64_t i = 0; i < k->count; i++) {
        if (fabs(x[i]) >= 1e30)
            return true;
        if (x[i] == 0)
            zero = true;
        else if (other == 0)
            other = x[i];
        two &= x[i] == 0 || x[i] == other;
    }
    if (k->count >= 4 && zero && two && other <= -50)
        return true;
    return k->count >= 9 && is_triangle(im, k, &lower, &upper) && lower == 1 && upper == 0;
}

/* Is each column of rows a sine or a cosine of the row's number? Then x[i - 1] + x[i + 1] is
 * 2 cos(w) x[i], with one w in all rows. At least one column turns, and enough elements agree. */
static bool is_angles(const double *x, int64_t rows, int64_t columns)
{
    enum { MOST = 64, AGREE = 4 }; /* rows: the angles of later ones are less exact */
    bool turns = false;
    if ((rows - 3) * columns < AGREE) /* three rows always do */
        return false;
    rows = min_int64(rows, MOST);

    for (int64_t c = 0; c < columns; c++) {
        const double *at = x + c;
        int64_t top = 1;
        for (int64_t i = 1; i < rows - 1; i++)
            top = fabs(at[i * columns]) > fabs(at[top * columns]) ? i : top;
        double most = fabs(at[top * columns]);
        double twice = (at[(top - 1) * columns] + at[(top + 1) * columns]) / at[top * columns];
        if (most == 0 || fabs(twice) > 2.0001)
            return false;
        for (int64_t i = 1; i < rows - 1; i++) {
            double sum = at[(i - 1) * columns] + at[(i + 1) * columns];
            if (!(fabs(sum - twice * at[i * columns]) <= 1e-4 * most))
                return false;
        }
        turns |= twice < 1.99;
    }
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

static bool is_constant(Import *im, const Known *k)
{
    int axis = 0;
    double *x = arena_array(im->ngc, k->count + 1, sizeof *x);
    for (int64_t i = 0; i < k->count; i++)
        known_number(im->g, k, i, &x[i]);
    while (axis < k->rank - 1 && k->dim[axis] == 1)
        axis++;
    int64_t rows = k->dim[axis];
    int64_t columns = k->count / rows;
    return is_mask(im, k, x) || is_angles(x, rows, columns) ||
           (columns == 1 && is_frequencies(x, rows));
}

void constants_find(Import *im)
{
    const Options *opt = &im->ngc->opt;
    bool *used = arena_array(im->ngc, opt->constants + 1, sizeof *used);
    for (size_t i = 0; i < im->graph->n_initializer; i++) {
        const char *name = im->graph->initializer[i]->name;
        const Meaning *m = meaning_of(im, name);
        Known *k = m ? m->known : NULL;
        bool named = false;
        for (int p = 0; k && p < opt->constants; p++)
            if (name_matches(name, opt->constant[p]))
                named = used[p] = true;
        if (!k || k->count == 0 || !is_param(im, k))
            continue;
        if (named || (k->rank > 0 && is_constant(im, k))) {
            k->called = k->name;
            k->name = NULL;
        }
    }
    for (int p = 0; p < opt->constants; p++) {
        im->failed = used[p];
        problem(im, "--constant='%s': there is no initializer of that name", opt->constant[p]);
    }
}
