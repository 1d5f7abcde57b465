/* ngrt_linear.c - systems of linear equations by LU factors: solve, det, logdet, and inv as a solve
 * against eye.
 *
 * Golub and Van Loan, Matrix Computations, 3.4 (Gaussian elimination with partial pivoting). In
 * sections, as ngrt_gemm.c tells; those that start with d are those that start with s with double
 * for float. Where NGRT_CBLAS is defined, large matrices are factored by LAPACK's getrf, which
 * OpenBLAS has.
 */
#include "ngrt.h"

#include <math.h>

#define NGRT_FN

#ifdef NGRT_CBLAS
#define ngrt_slu lu_small_s /* the library picks by size: see the end */
#define ngrt_dlu lu_small_d
static void lu_small_s(int batch, int n, const float *a, float *lu);
static void lu_small_d(int batch, int n, const double *a, double *lu);
#endif

/*@ slu: */
/* The factors of n x n matrices: of the transpose, by columns, as LAPACK's getrf leaves them, which
 * is the array a as it stands. lu is [batch, n, n + 1]: in the last place of row i stands the
 * number of the row that step i exchanged with i. */
NGRT_FN void ngrt_slu(int batch, int n, const float *a, float *lu)
{
    int t, c, i, k, p;
    for (t = 0; t < batch; t++, a += (ptrdiff_t)n * n, lu += (ptrdiff_t)n * (n + 1)) {
        for (c = 0; c < n; c++)
            for (i = 0; i < n; i++)
                lu[c * (ptrdiff_t)(n + 1) + i] = a[c * (ptrdiff_t)n + i];
        for (k = 0; k < n; k++) {
            float *col = lu + k * (ptrdiff_t)(n + 1);
            for (p = k, i = k + 1; i < n; i++)
                if ((col[i] < 0 ? -col[i] : col[i]) > (col[p] < 0 ? -col[p] : col[p]))
                    p = i;
            col[n] = (float)p;
            for (c = 0; c < n && p != k; c++) {
                float *x = lu + c * (ptrdiff_t)(n + 1), swap = x[k];
                x[k] = x[p];
                x[p] = swap;
            }
            for (i = k + 1; i < n && col[k] != 0; i++) /* where it is 0, so are those below */
                col[i] /= col[k];
            for (c = k + 1; c < n; c++) {
                float *x = lu + c * (ptrdiff_t)(n + 1), top = x[k];
                for (i = k + 1; i < n; i++)
                    x[i] -= col[i] * top;
            }
        }
    }
}

/*@ ssolve: */
/* x[i] -= f y[i], a row of the right sides */
static void ngrt_srow(int k, float f, const float *y, float *x)
{
    int j;
    for (j = 0; j < k; j++)
        x[j] -= f * y[j];
}

/* Exchanges two rows of the right sides. */
static void ngrt_sswap(int k, float *x, float *y)
{
    int j;
    for (j = 0; j < k && x != y; j++) {
        float t = x[j];
        x[j] = y[j];
        y[j] = t;
    }
}

/* x with A x = b, or A' x = b where t is 1, from the factors of A; b and x are [batch, n, k]. Of a
 * singular matrix, one with a pivot of 0, x is NaN. */
NGRT_FN void ngrt_ssolve(int batch, int n, int k, int t, const float *lu, const float *b, float *x)
{
    int s, i, r, j;
    for (s = 0; s < batch;
         s++, lu += (ptrdiff_t)n * (n + 1), b += (ptrdiff_t)n * k, x += (ptrdiff_t)n * k) {
#define NGRT_AT(row, col) lu[(col) * (ptrdiff_t)(n + 1) + (row)]
#define NGRT_ROW(row)     (x + (row) * (ptrdiff_t)k)
        int singular = 0;
        for (i = 0; i < n; i++)
            singular |= NGRT_AT(i, i) == 0;
        for (i = 0; i < n; i++)
            for (j = 0; j < k; j++)
                NGRT_ROW(i)[j] = singular ? (float)NAN : b[i * (ptrdiff_t)k + j];
        if (singular)
            continue;
        if (t) { /* exchange, then L, then U, of the factored transpose */
            for (i = 0; i < n; i++)
                ngrt_sswap(k, NGRT_ROW(i), NGRT_ROW((int)NGRT_AT(n, i)));
            for (i = 0; i < n; i++)
                for (r = i + 1; r < n; r++)
                    ngrt_srow(k, NGRT_AT(r, i), NGRT_ROW(i), NGRT_ROW(r));
            for (i = n - 1; i >= 0; i--) {
                for (j = 0; j < k; j++)
                    NGRT_ROW(i)[j] /= NGRT_AT(i, i);
                for (r = 0; r < i; r++)
                    ngrt_srow(k, NGRT_AT(r, i), NGRT_ROW(i), NGRT_ROW(r));
            }
        } else { /* the transposes of U and of L, then the exchanges backwards */
            for (i = 0; i < n; i++) {
                for (r = 0; r < i; r++)
                    ngrt_srow(k, NGRT_AT(r, i), NGRT_ROW(r), NGRT_ROW(i));
                for (j = 0; j < k; j++)
                    NGRT_ROW(i)[j] /= NGRT_AT(i, i);
            }
            for (i = n - 1; i >= 0; i--)
                for (r = i + 1; r < n; r++)
                    ngrt_srow(k, NGRT_AT(r, i), NGRT_ROW(r), NGRT_ROW(i));
            for (i = n - 1; i >= 0; i--)
                ngrt_sswap(k, NGRT_ROW(i), NGRT_ROW((int)NGRT_AT(n, i)));
        }
#undef NGRT_AT
#undef NGRT_ROW
    }
}

/*@ sdet: */
/* The determinants of the factored matrices: the product of U's diagonal, its sign turned by each
 * exchange. */
NGRT_FN void ngrt_sdet(int batch, int n, const float *lu, float *out)
{
    int t, i;
    for (t = 0; t < batch; t++, lu += (ptrdiff_t)n * (n + 1)) {
        float d = 1;
        for (i = 0; i < n; i++) {
            const float *row = lu + i * (ptrdiff_t)(n + 1);
            d *= (int)row[n] == i ? row[i] : -row[i];
        }
        out[t] = d;
    }
}

/*@ slogdet: */
/* The logarithms of the determinants, of 0 -inf and of a negative one NaN, without the overflow
 * that their product may have. */
NGRT_FN void ngrt_slogdet(int batch, int n, const float *lu, float *out)
{
    int t, i;
    for (t = 0; t < batch; t++, lu += (ptrdiff_t)n * (n + 1)) {
        float sum = 0;
        int minus = 0, singular = 0;
        for (i = 0; i < n; i++) {
            const float *row = lu + i * (ptrdiff_t)(n + 1);
            minus ^= ((int)row[n] != i) ^ (row[i] < 0);
            singular |= row[i] == 0;
            sum += logf(row[i] < 0 ? -row[i] : row[i]);
        }
        out[t] = minus && !singular ? (float)NAN : sum;
    }
}

/*@ slup: */
/* Exchanges two rows of an n x n matrix, or two columns. */
static void ngrt_srows(int n, float *x, int i, int k)
{
    int j;
    for (j = 0; j < n && i != k; j++) {
        float swap = x[i * (ptrdiff_t)n + j];
        x[i * (ptrdiff_t)n + j] = x[k * (ptrdiff_t)n + j];
        x[k * (ptrdiff_t)n + j] = swap;
    }
}

static void ngrt_scolumns(int n, float *x, int i, int k)
{
    int j;
    for (j = 0; j < n && i != k; j++) {
        float *row = x + j * (ptrdiff_t)n, swap = row[i];
        row[i] = row[k];
        row[k] = swap;
    }
}

/* Factors that show the rank: P A Q = L D U, where L and U have ones on the diagonal and no larger
 * elements, because each pivot in D is the largest element of what is left; where all that is 0, so
 * are the pivots. f is [batch, n (n + 2)]: L, D and U in one matrix, then the numbers of the rows,
 * and of the columns, that step i exchanged with i. */
NGRT_FN void ngrt_slup(int batch, int n, const float *a, float *f)
{
    int t, i, j, k;
    for (t = 0; t < batch; t++, a += (ptrdiff_t)n * n, f += (ptrdiff_t)n * (n + 2)) {
        float *p = f + (ptrdiff_t)n * n, *q = p + n;
        for (i = 0; i < n; i++)
            for (j = 0; j < n; j++)
                f[i * (ptrdiff_t)n + j] = a[i * (ptrdiff_t)n + j];
        for (k = 0; k < n; k++) {
            float *top = f + k * (ptrdiff_t)n, most = -1, d;
            int row = k, column = k;
            for (i = k; i < n; i++)
                for (j = k; j < n; j++) {
                    float x = f[i * (ptrdiff_t)n + j];
                    x = x < 0 ? -x : x;
                    if (x > most || x != x) { /* NaN is the largest */
                        most = x;
                        row = i;
                        column = j;
                    }
                }
            p[k] = (float)row;
            q[k] = (float)column;
            ngrt_srows(n, f, k, row);
            ngrt_scolumns(n, f, k, column);
            d = top[k];
            for (j = k + 1; j < n && d != 0; j++)
                top[j] /= d;
            for (i = k + 1; i < n && d != 0; i++) {
                float *x = f + i * (ptrdiff_t)n, l = x[k];
                for (j = k + 1; j < n; j++)
                    x[j] -= l * top[j];
                x[k] = l / d;
            }
        }
    }
}

/*@ scof: slup */
/* The product of the pivots but those of steps i and k. */
static float ngrt_spivots(int n, const float *f, int i, int k)
{
    float all = 1;
    int j;
    for (j = 0; j < n; j++)
        if (j != i && j != k)
            all *= f[j * (ptrdiff_t)(n + 1)];
    return all;
}

/* From the cofactors x of L^-1 P A Q U^-1 those of A: det(P) det(Q) P' L'^-1 x U'^-1 Q' */
static void ngrt_sreturn(int n, const float *f, float *x)
{
    const float *p = f + (ptrdiff_t)n * n, *q = p + n;
    int i, j, k, minus = 0;
    for (i = n - 1; i >= 0; i--)
        for (k = i + 1; k < n; k++)
            for (j = 0; j < n; j++)
                x[i * (ptrdiff_t)n + j] -= f[k * (ptrdiff_t)n + i] * x[k * (ptrdiff_t)n + j];
    for (i = 0; i < n; i++) {
        float *row = x + i * (ptrdiff_t)n;
        for (j = n - 1; j >= 0; j--)
            for (k = j + 1; k < n; k++)
                row[j] -= f[j * (ptrdiff_t)n + k] * row[k];
    }
    for (i = n - 1; i >= 0; i--) {
        ngrt_srows(n, x, i, (int)p[i]);
        ngrt_scolumns(n, x, i, (int)q[i]);
        minus ^= ((int)p[i] != i) ^ ((int)q[i] != i);
    }
    for (i = 0; i < n * n && minus; i++)
        x[i] = -x[i];
}

/* The cofactors of n x n matrices, the derivatives of the determinants, from their factors f. Those
 * of D are the products of the other pivots: nothing is divided by one, so that they are right
 * where a matrix is singular. */
NGRT_FN void ngrt_scof(int batch, int n, const float *f, float *out)
{
    int t, i;
    for (t = 0; t < batch; t++, f += (ptrdiff_t)n * (n + 2), out += (ptrdiff_t)n * n) {
        for (i = 0; i < n * n; i++)
            out[i] = 0;
        for (i = 0; i < n; i++)
            out[i * (ptrdiff_t)(n + 1)] = ngrt_spivots(n, f, i, i);
        ngrt_sreturn(n, f, out);
    }
}

/*@ scof2: scof */
/* How the cofactors change as the matrix does by w: with v = L^-1 P w Q U^-1, those of D change by
 * -d v[j, i] at [i, j], d the product of the other pivots, and by the sum of d v[j, j] over j != i
 * at [i, i]. */
NGRT_FN void ngrt_scof2(int batch, int n, const float *f, const float *w, float *out)
{
    int t, i, j, k;
    for (t = 0; t < batch;
         t++, f += (ptrdiff_t)n * (n + 2), w += (ptrdiff_t)n * n, out += (ptrdiff_t)n * n) {
        const float *p = f + (ptrdiff_t)n * n, *q = p + n;
        float all = 1,
              change = 0; /* of the steps before i: the product of the pivots, and how it changes */
        for (i = 0; i < n * n; i++)
            out[i] = w[i];
        for (i = 0; i < n; i++) {
            ngrt_srows(n, out, i, (int)p[i]);
            ngrt_scolumns(n, out, i, (int)q[i]);
        }
        for (i = 0; i < n; i++) {
            float *row = out + i * (ptrdiff_t)n;
            for (k = 0; k < i; k++)
                for (j = 0; j < n; j++)
                    row[j] -= f[i * (ptrdiff_t)n + k] * out[k * (ptrdiff_t)n + j];
        }
        for (i = 0; i < n; i++) {
            float *row = out + i * (ptrdiff_t)n;
            for (j = 0; j < n; j++)
                for (k = 0; k < j; k++)
                    row[j] -= row[k] * f[k * (ptrdiff_t)n + j];
        }
        for (i = 0; i < n; i++) {
            float v = out[i * (ptrdiff_t)(n + 1)], rest = all, sum = change, d;
            for (k = i + 1; k < n; k++) { /* the product rule, on through the steps after i */
                d = f[k * (ptrdiff_t)(n + 1)];
                sum = sum * d + rest * out[k * (ptrdiff_t)(n + 1)];
                rest *= d;
            }
            out[i * (ptrdiff_t)(n + 1)] = sum;
            d = f[i * (ptrdiff_t)(n + 1)];
            change = change * d + all * v;
            all *= d;
            for (j = i + 1; j < n; j++) {
                float x = out[i * (ptrdiff_t)n + j], pivots = -ngrt_spivots(n, f, i, j);
                out[i * (ptrdiff_t)n + j] = pivots * out[j * (ptrdiff_t)n + i];
                out[j * (ptrdiff_t)n + i] = pivots * x;
            }
        }
        ngrt_sreturn(n, f, out);
    }
}

/*@ dlu: */
/* The factors of n x n matrices: of the transpose, by columns, as LAPACK's getrf leaves them, which
 * is the array a as it stands. lu is [batch, n, n + 1]: in the last place of row i stands the
 * number of the row that step i exchanged with i. */
NGRT_FN void ngrt_dlu(int batch, int n, const double *a, double *lu)
{
    int t, c, i, k, p;
    for (t = 0; t < batch; t++, a += (ptrdiff_t)n * n, lu += (ptrdiff_t)n * (n + 1)) {
        for (c = 0; c < n; c++)
            for (i = 0; i < n; i++)
                lu[c * (ptrdiff_t)(n + 1) + i] = a[c * (ptrdiff_t)n + i];
        for (k = 0; k < n; k++) {
            double *col = lu + k * (ptrdiff_t)(n + 1);
            for (p = k, i = k + 1; i < n; i++)
                if ((col[i] < 0 ? -col[i] : col[i]) > (col[p] < 0 ? -col[p] : col[p]))
                    p = i;
            col[n] = (double)p;
            for (c = 0; c < n && p != k; c++) {
                double *x = lu + c * (ptrdiff_t)(n + 1), swap = x[k];
                x[k] = x[p];
                x[p] = swap;
            }
            for (i = k + 1; i < n && col[k] != 0; i++) /* where it is 0, so are those below */
                col[i] /= col[k];
            for (c = k + 1; c < n; c++) {
                double *x = lu + c * (ptrdiff_t)(n + 1), top = x[k];
                for (i = k + 1; i < n; i++)
                    x[i] -= col[i] * top;
            }
        }
    }
}

/*@ dsolve: */
/* x[i] -= f y[i], a row of the right sides */
static void ngrt_drow(int k, double f, const double *y, double *x)
{
    int j;
    for (j = 0; j < k; j++)
        x[j] -= f * y[j];
}

/* Exchanges two rows of the right sides. */
static void ngrt_dswap(int k, double *x, double *y)
{
    int j;
    for (j = 0; j < k && x != y; j++) {
        double t = x[j];
        x[j] = y[j];
        y[j] = t;
    }
}

/* x with A x = b, or A' x = b where t is 1, from the factors of A; b and x are [batch, n, k]. Of a
 * singular matrix, one with a pivot of 0, x is NaN. */
NGRT_FN void ngrt_dsolve(int batch, int n, int k, int t, const double *lu, const double *b,
                         double *x)
{
    int s, i, r, j;
    for (s = 0; s < batch;
         s++, lu += (ptrdiff_t)n * (n + 1), b += (ptrdiff_t)n * k, x += (ptrdiff_t)n * k) {
#define NGRT_AT(row, col) lu[(col) * (ptrdiff_t)(n + 1) + (row)]
#define NGRT_ROW(row)     (x + (row) * (ptrdiff_t)k)
        int singular = 0;
        for (i = 0; i < n; i++)
            singular |= NGRT_AT(i, i) == 0;
        for (i = 0; i < n; i++)
            for (j = 0; j < k; j++)
                NGRT_ROW(i)[j] = singular ? (double)NAN : b[i * (ptrdiff_t)k + j];
        if (singular)
            continue;
        if (t) { /* exchange, then L, then U, of the factored transpose */
            for (i = 0; i < n; i++)
                ngrt_dswap(k, NGRT_ROW(i), NGRT_ROW((int)NGRT_AT(n, i)));
            for (i = 0; i < n; i++)
                for (r = i + 1; r < n; r++)
                    ngrt_drow(k, NGRT_AT(r, i), NGRT_ROW(i), NGRT_ROW(r));
            for (i = n - 1; i >= 0; i--) {
                for (j = 0; j < k; j++)
                    NGRT_ROW(i)[j] /= NGRT_AT(i, i);
                for (r = 0; r < i; r++)
                    ngrt_drow(k, NGRT_AT(r, i), NGRT_ROW(i), NGRT_ROW(r));
            }
        } else { /* the transposes of U and of L, then the exchanges backwards */
            for (i = 0; i < n; i++) {
                for (r = 0; r < i; r++)
                    ngrt_drow(k, NGRT_AT(r, i), NGRT_ROW(r), NGRT_ROW(i));
                for (j = 0; j < k; j++)
                    NGRT_ROW(i)[j] /= NGRT_AT(i, i);
            }
            for (i = n - 1; i >= 0; i--)
                for (r = i + 1; r < n; r++)
                    ngrt_drow(k, NGRT_AT(r, i), NGRT_ROW(r), NGRT_ROW(i));
            for (i = n - 1; i >= 0; i--)
                ngrt_dswap(k, NGRT_ROW(i), NGRT_ROW((int)NGRT_AT(n, i)));
        }
#undef NGRT_AT
#undef NGRT_ROW
    }
}

/*@ ddet: */
/* The determinants of the factored matrices: the product of U's diagonal, its sign turned by each
 * exchange. */
NGRT_FN void ngrt_ddet(int batch, int n, const double *lu, double *out)
{
    int t, i;
    for (t = 0; t < batch; t++, lu += (ptrdiff_t)n * (n + 1)) {
        double d = 1;
        for (i = 0; i < n; i++) {
            const double *row = lu + i * (ptrdiff_t)(n + 1);
            d *= (int)row[n] == i ? row[i] : -row[i];
        }
        out[t] = d;
    }
}

/*@ dlogdet: */
/* The logarithms of the determinants, of 0 -inf and of a negative one NaN, without the overflow
 * that their product may have. */
NGRT_FN void ngrt_dlogdet(int batch, int n, const double *lu, double *out)
{
    int t, i;
    for (t = 0; t < batch; t++, lu += (ptrdiff_t)n * (n + 1)) {
        double sum = 0;
        int minus = 0, singular = 0;
        for (i = 0; i < n; i++) {
            const double *row = lu + i * (ptrdiff_t)(n + 1);
            minus ^= ((int)row[n] != i) ^ (row[i] < 0);
            singular |= row[i] == 0;
            sum += log(row[i] < 0 ? -row[i] : row[i]);
        }
        out[t] = minus && !singular ? (double)NAN : sum;
    }
}

/*@ dlup: */
/* Exchanges two rows of an n x n matrix, or two columns. */
static void ngrt_drows(int n, double *x, int i, int k)
{
    int j;
    for (j = 0; j < n && i != k; j++) {
        double swap = x[i * (ptrdiff_t)n + j];
        x[i * (ptrdiff_t)n + j] = x[k * (ptrdiff_t)n + j];
        x[k * (ptrdiff_t)n + j] = swap;
    }
}

static void ngrt_dcolumns(int n, double *x, int i, int k)
{
    int j;
    for (j = 0; j < n && i != k; j++) {
        double *row = x + j * (ptrdiff_t)n, swap = row[i];
        row[i] = row[k];
        row[k] = swap;
    }
}

/* Factors that show the rank: P A Q = L D U, where L and U have ones on the diagonal and no larger
 * elements, because each pivot in D is the largest element of what is left; where all that is 0, so
 * are the pivots. f is [batch, n (n + 2)]: L, D and U in one matrix, then the numbers of the rows,
 * and of the columns, that step i exchanged with i. */
NGRT_FN void ngrt_dlup(int batch, int n, const double *a, double *f)
{
    int t, i, j, k;
    for (t = 0; t < batch; t++, a += (ptrdiff_t)n * n, f += (ptrdiff_t)n * (n + 2)) {
        double *p = f + (ptrdiff_t)n * n, *q = p + n;
        for (i = 0; i < n; i++)
            for (j = 0; j < n; j++)
                f[i * (ptrdiff_t)n + j] = a[i * (ptrdiff_t)n + j];
        for (k = 0; k < n; k++) {
            double *top = f + k * (ptrdiff_t)n, most = -1, d;
            int row = k, column = k;
            for (i = k; i < n; i++)
                for (j = k; j < n; j++) {
                    double x = f[i * (ptrdiff_t)n + j];
                    x = x < 0 ? -x : x;
                    if (x > most || x != x) { /* NaN is the largest */
                        most = x;
                        row = i;
                        column = j;
                    }
                }
            p[k] = (double)row;
            q[k] = (double)column;
            ngrt_drows(n, f, k, row);
            ngrt_dcolumns(n, f, k, column);
            d = top[k];
            for (j = k + 1; j < n && d != 0; j++)
                top[j] /= d;
            for (i = k + 1; i < n && d != 0; i++) {
                double *x = f + i * (ptrdiff_t)n, l = x[k];
                for (j = k + 1; j < n; j++)
                    x[j] -= l * top[j];
                x[k] = l / d;
            }
        }
    }
}

/*@ dcof: dlup */
/* The product of the pivots but those of steps i and k. */
static double ngrt_dpivots(int n, const double *f, int i, int k)
{
    double all = 1;
    int j;
    for (j = 0; j < n; j++)
        if (j != i && j != k)
            all *= f[j * (ptrdiff_t)(n + 1)];
    return all;
}

/* From the cofactors x of L^-1 P A Q U^-1 those of A: det(P) det(Q) P' L'^-1 x U'^-1 Q' */
static void ngrt_dreturn(int n, const double *f, double *x)
{
    const double *p = f + (ptrdiff_t)n * n, *q = p + n;
    int i, j, k, minus = 0;
    for (i = n - 1; i >= 0; i--)
        for (k = i + 1; k < n; k++)
            for (j = 0; j < n; j++)
                x[i * (ptrdiff_t)n + j] -= f[k * (ptrdiff_t)n + i] * x[k * (ptrdiff_t)n + j];
    for (i = 0; i < n; i++) {
        double *row = x + i * (ptrdiff_t)n;
        for (j = n - 1; j >= 0; j--)
            for (k = j + 1; k < n; k++)
                row[j] -= f[j * (ptrdiff_t)n + k] * row[k];
    }
    for (i = n - 1; i >= 0; i--) {
        ngrt_drows(n, x, i, (int)p[i]);
        ngrt_dcolumns(n, x, i, (int)q[i]);
        minus ^= ((int)p[i] != i) ^ ((int)q[i] != i);
    }
    for (i = 0; i < n * n && minus; i++)
        x[i] = -x[i];
}

/* The cofactors of n x n matrices, the derivatives of the determinants, from their factors f. Those
 * of D are the products of the other pivots: nothing is divided by one, so that they are right
 * where a matrix is singular. */
NGRT_FN void ngrt_dcof(int batch, int n, const double *f, double *out)
{
    int t, i;
    for (t = 0; t < batch; t++, f += (ptrdiff_t)n * (n + 2), out += (ptrdiff_t)n * n) {
        for (i = 0; i < n * n; i++)
            out[i] = 0;
        for (i = 0; i < n; i++)
            out[i * (ptrdiff_t)(n + 1)] = ngrt_dpivots(n, f, i, i);
        ngrt_dreturn(n, f, out);
    }
}

/*@ dcof2: dcof */
/* How the cofactors change as the matrix does by w: with v = L^-1 P w Q U^-1, those of D change by
 * -d v[j, i] at [i, j], d the product of the other pivots, and by the sum of d v[j, j] over j != i
 * at [i, i]. */
NGRT_FN void ngrt_dcof2(int batch, int n, const double *f, const double *w, double *out)
{
    int t, i, j, k;
    for (t = 0; t < batch;
         t++, f += (ptrdiff_t)n * (n + 2), w += (ptrdiff_t)n * n, out += (ptrdiff_t)n * n) {
        const double *p = f + (ptrdiff_t)n * n, *q = p + n;
        double all = 1,
               change =
                   0; /* of the steps before i: the product of the pivots, and how it changes */
        for (i = 0; i < n * n; i++)
            out[i] = w[i];
        for (i = 0; i < n; i++) {
            ngrt_drows(n, out, i, (int)p[i]);
            ngrt_dcolumns(n, out, i, (int)q[i]);
        }
        for (i = 0; i < n; i++) {
            double *row = out + i * (ptrdiff_t)n;
            for (k = 0; k < i; k++)
                for (j = 0; j < n; j++)
                    row[j] -= f[i * (ptrdiff_t)n + k] * out[k * (ptrdiff_t)n + j];
        }
        for (i = 0; i < n; i++) {
            double *row = out + i * (ptrdiff_t)n;
            for (j = 0; j < n; j++)
                for (k = 0; k < j; k++)
                    row[j] -= row[k] * f[k * (ptrdiff_t)n + j];
        }
        for (i = 0; i < n; i++) {
            double v = out[i * (ptrdiff_t)(n + 1)], rest = all, sum = change, d;
            for (k = i + 1; k < n; k++) { /* the product rule, on through the steps after i */
                d = f[k * (ptrdiff_t)(n + 1)];
                sum = sum * d + rest * out[k * (ptrdiff_t)(n + 1)];
                rest *= d;
            }
            out[i * (ptrdiff_t)(n + 1)] = sum;
            d = f[i * (ptrdiff_t)(n + 1)];
            change = change * d + all * v;
            all *= d;
            for (j = i + 1; j < n; j++) {
                double x = out[i * (ptrdiff_t)n + j], pivots = -ngrt_dpivots(n, f, i, j);
                out[i * (ptrdiff_t)n + j] = pivots * out[j * (ptrdiff_t)n + i];
                out[j * (ptrdiff_t)n + i] = pivots * x;
            }
        }
        ngrt_dreturn(n, f, out);
    }
}

/*@ end: */

#ifdef NGRT_CBLAS
#undef ngrt_slu
#undef ngrt_dlu

enum {
    LAPACK_FROM = 48,
    LAPACK_MOST = 2048
}; /* smaller matrices are quicker by hand; the exchanges are on the stack */

extern void sgetrf_(const int *m, const int *n, float *a, const int *lda, int *ipiv, int *info);

void ngrt_slu(int batch, int n, const float *a, float *lu)
{
    int ipiv[LAPACK_MOST], info, lda = n + 1, t, i, k;
    if (n < LAPACK_FROM || n > LAPACK_MOST) {
        lu_small_s(batch, n, a, lu);
        return;
    }
    for (t = 0; t < batch; t++, a += (ptrdiff_t)n * n, lu += (ptrdiff_t)n * (n + 1)) {
        for (i = 0; i < n; i++)
            for (k = 0; k < n; k++)
                lu[i * (ptrdiff_t)(n + 1) + k] = a[i * (ptrdiff_t)n + k];
        sgetrf_(&n, &n, lu, &lda, ipiv, &info);
        for (i = 0; i < n; i++)
            lu[i * (ptrdiff_t)(n + 1) + n] = (float)(ipiv[i] - 1);
    }
}

extern void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *ipiv, int *info);

void ngrt_dlu(int batch, int n, const double *a, double *lu)
{
    int ipiv[LAPACK_MOST], info, lda = n + 1, t, i, k;
    if (n < LAPACK_FROM || n > LAPACK_MOST) {
        lu_small_d(batch, n, a, lu);
        return;
    }
    for (t = 0; t < batch; t++, a += (ptrdiff_t)n * n, lu += (ptrdiff_t)n * (n + 1)) {
        for (i = 0; i < n; i++)
            for (k = 0; k < n; k++)
                lu[i * (ptrdiff_t)(n + 1) + k] = a[i * (ptrdiff_t)n + k];
        dgetrf_(&n, &n, lu, &lda, ipiv, &info);
        for (i = 0; i < n; i++)
            lu[i * (ptrdiff_t)(n + 1) + n] = (double)(ipiv[i] - 1);
    }
}

#endif
