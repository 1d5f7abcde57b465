/* ngrt_linear.c - systems of linear equations by LU factors: solve, det, logdet, and inv as a solve against eye.
 *
 * Golub and Van Loan, Matrix Computations, 3.4 (Gaussian elimination with partial pivoting). In sections, as ngrt_gemm.c tells;
 * those that start with d are those that start with s with double for float. Where NGRT_CBLAS is defined, large matrices are
 * factored by LAPACK's getrf, which OpenBLAS has.
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
/* The factors of n x n matrices: of the transpose, by columns, as LAPACK's getrf leaves them, which is the array a as it
 * stands. lu is [batch, n, n + 1]: in the last place of row i stands the number of the row that step i exchanged with i. */
NGRT_FN void ngrt_slu(int batch, int n, const float *a, float *lu) {
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
            for (i = k + 1; i < n; i++)
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
static void ngrt_srow(int k, float f, const float *y, float *x) {
    int j;
    for (j = 0; j < k; j++)
        x[j] -= f * y[j];
}

/* Exchanges two rows of the right sides. */
static void ngrt_sswap(int k, float *x, float *y) {
    int j;
    for (j = 0; j < k && x != y; j++) {
        float t = x[j];
        x[j] = y[j];
        y[j] = t;
    }
}

/* x with A x = b, or A' x = b where t is 1, from the factors of A; b and x are [batch, n, k]. */
NGRT_FN void ngrt_ssolve(int batch, int n, int k, int t, const float *lu, const float *b, float *x) {
    int s, i, r, j;
    for (s = 0; s < batch; s++, lu += (ptrdiff_t)n * (n + 1), b += (ptrdiff_t)n * k, x += (ptrdiff_t)n * k) {
#define NGRT_AT(row, col) lu[(col) * (ptrdiff_t)(n + 1) + (row)]
#define NGRT_ROW(row) (x + (row) * (ptrdiff_t)k)
        for (i = 0; i < n; i++)
            for (j = 0; j < k; j++)
                NGRT_ROW(i)[j] = b[i * (ptrdiff_t)k + j];
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
/* The determinants of the factored matrices: the product of U's diagonal, its sign turned by each exchange. */
NGRT_FN void ngrt_sdet(int batch, int n, const float *lu, float *out) {
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
/* The logarithms of the determinants, of a negative one NaN, without the overflow that their product may have. */
NGRT_FN void ngrt_slogdet(int batch, int n, const float *lu, float *out) {
    int t, i;
    for (t = 0; t < batch; t++, lu += (ptrdiff_t)n * (n + 1)) {
        float sum = 0;
        int minus = 0;
        for (i = 0; i < n; i++) {
            const float *row = lu + i * (ptrdiff_t)(n + 1);
            minus ^= ((int)row[n] != i) ^ (row[i] < 0);
            sum += logf(row[i] < 0 ? -row[i] : row[i]);
        }
        out[t] = minus ? (float)NAN : sum;
    }
}

/*@ dlu: */
/* The factors of n x n matrices: of the transpose, by columns, as LAPACK's getrf leaves them, which is the array a as it
 * stands. lu is [batch, n, n + 1]: in the last place of row i stands the number of the row that step i exchanged with i. */
NGRT_FN void ngrt_dlu(int batch, int n, const double *a, double *lu) {
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
            for (i = k + 1; i < n; i++)
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
static void ngrt_drow(int k, double f, const double *y, double *x) {
    int j;
    for (j = 0; j < k; j++)
        x[j] -= f * y[j];
}

/* Exchanges two rows of the right sides. */
static void ngrt_dswap(int k, double *x, double *y) {
    int j;
    for (j = 0; j < k && x != y; j++) {
        double t = x[j];
        x[j] = y[j];
        y[j] = t;
    }
}

/* x with A x = b, or A' x = b where t is 1, from the factors of A; b and x are [batch, n, k]. */
NGRT_FN void ngrt_dsolve(int batch, int n, int k, int t, const double *lu, const double *b, double *x) {
    int s, i, r, j;
    for (s = 0; s < batch; s++, lu += (ptrdiff_t)n * (n + 1), b += (ptrdiff_t)n * k, x += (ptrdiff_t)n * k) {
#define NGRT_AT(row, col) lu[(col) * (ptrdiff_t)(n + 1) + (row)]
#define NGRT_ROW(row) (x + (row) * (ptrdiff_t)k)
        for (i = 0; i < n; i++)
            for (j = 0; j < k; j++)
                NGRT_ROW(i)[j] = b[i * (ptrdiff_t)k + j];
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
/* The determinants of the factored matrices: the product of U's diagonal, its sign turned by each exchange. */
NGRT_FN void ngrt_ddet(int batch, int n, const double *lu, double *out) {
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
/* The logarithms of the determinants, of a negative one NaN, without the overflow that their product may have. */
NGRT_FN void ngrt_dlogdet(int batch, int n, const double *lu, double *out) {
    int t, i;
    for (t = 0; t < batch; t++, lu += (ptrdiff_t)n * (n + 1)) {
        double sum = 0;
        int minus = 0;
        for (i = 0; i < n; i++) {
            const double *row = lu + i * (ptrdiff_t)(n + 1);
            minus ^= ((int)row[n] != i) ^ (row[i] < 0);
            sum += log(row[i] < 0 ? -row[i] : row[i]);
        }
        out[t] = minus ? (double)NAN : sum;
    }
}

/*@ end: */

#ifdef NGRT_CBLAS
#undef ngrt_slu
#undef ngrt_dlu

enum { LAPACK_FROM = 48, LAPACK_MOST = 2048 }; /* smaller matrices are quicker by hand; the exchanges are on the stack */

extern void sgetrf_(const int *m, const int *n, float *a, const int *lda, int *ipiv, int *info);

void ngrt_slu(int batch, int n, const float *a, float *lu) {
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

void ngrt_dlu(int batch, int n, const double *a, double *lu) {
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
