/* linear.c - equations solved in blocks: residuals and factors, also of Cholesky, against the
 * definitions. Sizes around those of blocks, full and triangular matrices, both transpositions, one
 * to many right sides, several matrices, singular ones; nothing is written outside x. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "ngrt.h"

enum { MOST = 100, MATRICES = 2, ROOM = MATRICES * MOST * (MOST + 1) };

static double a_d[ROOM], lu_d[ROOM], large_d[ROOM], b_d[ROOM], x_d[ROOM];
static float a_f[ROOM], lu_f[ROOM], large_f[ROOM], b_f[ROOM], x_f[ROOM];

/* Between -1 and 1. */
static double next(void)
{
    static unsigned state = 1;

    state = state * 1664525u + 1013904223u;
    return (double)(state >> 8) / (1 << 23) - 1;
}

typedef enum form { FULL, LOWER, UPPER, FORMS } form;

/* Random matrices of a form; those that are triangular have a diagonal from 2 to 4. */
static void fill(int n, form f)
{
    int i;

    for (i = 0; i < ROOM; i++) {
        const int row = i / n % n, col = i % n;
        const int zero = (f == LOWER && col > row) || (f == UPPER && col < row);

        a_d[i] = a_f[i] = zero ? 0 : (float)(next() + (f != FULL && row == col ? 3 : 0));
        b_d[i] = b_f[i] = (float)next();
    }
}

/* The largest of |op(A) X - B|, in terms of the sizes of what is added. */
static double residual(int n, int k, int t, const double *a, const double *x, const double *b)
{
    double worst = 0;
    int i, j, l;

    for (i = 0; i < n; i++)
        for (j = 0; j < k; j++) {
            double sum = -b[i * k + j], size = fabs(sum);

            for (l = 0; l < n; l++) {
                const double term = (t ? a[l * n + i] : a[i * n + l]) * x[l * k + j];
                sum += term;
                size += fabs(term);
            }
            worst = fmax(worst, fabs(sum) / size);
        }
    return worst;
}

static void check_solve(int n, int k, int t)
{
    const int size = n * k;
    int s, i;

    x_d[MATRICES * size] = x_f[MATRICES * size] = 7;
    ngrt_dsolve_large(MATRICES, n, k, t, large_d, b_d, x_d);
    ngrt_ssolve_large(MATRICES, n, k, t, large_f, b_f, x_f);
    CHECK(x_d[MATRICES * size] == 7 && x_f[MATRICES * size] == 7);

    for (s = 0; s < MATRICES; s++)
        CHECK(residual(n, k, t, a_d + s * n * n, x_d + s * size, b_d + s * size) < 1e-12);
    for (i = 0; i < MATRICES * size; i++)
        x_d[i] = (double)x_f[i];
    for (s = 0; s < MATRICES; s++)
        CHECK(residual(n, k, t, a_d + s * n * n, x_d + s * size, b_d + s * size) < 1e-4);
}

/* The large form has the pivots of the other one, and its factors but for rounding. */
static void check_factors(int n)
{
    double worst_d = 0, worst_f = 0;
    int i;

    ngrt_dlu(MATRICES, n, a_d, lu_d);
    ngrt_slu(MATRICES, n, a_f, lu_f);
    ngrt_dlu_large(MATRICES, n, a_d, large_d);
    ngrt_slu_large(MATRICES, n, a_f, large_f);

    for (i = 0; i < MATRICES * n * (n + 1); i++) {
        if (i % (n + 1) == n)
            CHECK(lu_d[i] == large_d[i]);
        worst_d = fmax(worst_d, fabs(lu_d[i] - large_d[i]));
        worst_f = fmax(worst_f, fabs((double)(lu_f[i] - large_f[i])));
    }
    CHECK(worst_d < 1e-10 && worst_f < 0.05);
}

/* L L' is A' A + 1, and 0 is above the diagonal of L. */
static void check_cholesky(int n)
{
    double worst_d = 0, worst_f = 0, most = 0;
    int i, j, k;

    for (i = 0; i < n; i++)
        for (j = 0; j < n; j++) {
            double sum = i == j;
            for (k = 0; k < n; k++)
                sum += a_d[k * n + i] * a_d[k * n + j];
            b_d[i * n + j] = sum;
            b_f[i * n + j] = (float)sum;
            most = fmax(most, fabs(sum));
        }
    ngrt_dcholesky(1, n, b_d, lu_d);
    ngrt_dcholesky_large(1, n, b_d, large_d);
    ngrt_scholesky_large(1, n, b_f, large_f);

    for (i = 0; i < n; i++)
        for (j = 0; j < n; j++) {
            double sum_d = 0, sum_f = 0;
            for (k = 0; k < n; k++) {
                sum_d += large_d[i * n + k] * large_d[j * n + k];
                sum_f += (double)large_f[i * n + k] * (double)large_f[j * n + k];
            }
            worst_d = fmax(worst_d, fabs(sum_d - b_d[i * n + j]));
            worst_f = fmax(worst_f, fabs(sum_f - b_d[i * n + j]));
            CHECK(fabs(large_d[i * n + j] - lu_d[i * n + j]) < 1e-11);
            CHECK(j <= i || (large_d[i * n + j] == 0 && large_f[i * n + j] == 0));
        }
    CHECK(worst_d < 1e-14 * n * most && worst_f < 1e-6 * n * most);

    b_d[n * n - 1] = -1; /* not positive definite at the last column, nor anywhere before it */
    ngrt_dcholesky_large(1, n, b_d, large_d);
    CHECK(isnan(large_d[n * n - 1]) && (n == 1 || large_d[0] == lu_d[0]));
}

/* A matrix of equal rows is singular; the one after it is not. */
static void check_singular(int n)
{
    int i, bad = 0;

    for (i = 0; i < n * n; i++)
        a_d[i] = 1 + i % n % 7;
    ngrt_dlu_large(MATRICES, n, a_d, large_d);
    ngrt_dsolve_large(MATRICES, n, 3, 0, large_d, b_d, x_d);
    for (i = 0; i < 2 * 3 * n; i++)
        bad += (i < 3 * n) != !!isnan(x_d[i]);
    CHECK(bad == 0);
}

int main(void)
{
    static const int sizes[] = {1, 2, 7, 8, 9, 16, 17, 31, 32, 33, 40, 47, 48, 63, 64, 65, 100};
    static const int columns[] = {1, 2, 3, 5, 8, 17};
    size_t i, j;

    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int n = sizes[i];
        form f;

        for (f = FULL; f < FORMS; f++) {
            fill(n, f);
            check_factors(n);
            for (j = 0; j < sizeof columns / sizeof *columns; j++) {
                check_solve(n, columns[j], 0);
                check_solve(n, columns[j], 1);
            }
            check_cholesky(n);
        }
        if (n > 1)
            check_singular(n);
    }
    return check_end("linear");
}
