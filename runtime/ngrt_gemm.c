/* ngrt_gemm.c - C = alpha op(A) op(B) + beta C, by CBLAS where NGRT_CBLAS is defined and it is faster, else by a kernel of its
 * own.
 *
 * The kernels stand in sections, from a line "/" "*@ NAME: SECTIONS IT NEEDS" to the next such line, so that ngc can
 * copy those a model uses into a standalone file. They need <stddef.h>, <string.h> and NGRT_FN, which is static there. The section
 * dgemm is the section sgemm with double for float and 8 for 16; tests/runtime holds them to that.
 */
#include "ngrt.h"

#include <string.h>

#ifdef NGRT_CBLAS /* the kernels below are called by the functions at the end */
#define NGRT_FN static
#define ngrt_sgemm own_sgemm
#define ngrt_dgemm own_dgemm
#else
#define NGRT_FN
#endif

/*@ sgemm: */
/* A matrix in memory: element (i, j) is at[i*row + j*col]. */
typedef struct ngrt_smatrix {
    const float *at;
    ptrdiff_t row, col;
} ngrt_smatrix;

/* A tile is 6 rows of 16 columns, or 8 of twice as many: its sums stay in registers. The depth is how much of the inner size
 * is done at a time, and so many rows of A: what is read again and again then stays in the caches. */
enum { NGRT_SROWS = 6, NGRT_SCOLS = 16, NGRT_SDEPTH = 320, NGRT_SBAND = 480, NGRT_SMORE = 8 };

/* How a tile is computed: sum[i][j] = sum over p < k of a(i, p) b[p][j], for all rows and columns of the tile; of a's rows, the last
 * of fewer stands for those missing. */
typedef struct ngrt_skernel {
    int rows, cols;
    void (*tile)(int rows, int k, ngrt_smatrix a, const float *b, float *sum);
} ngrt_skernel;

/* In C alone. */
static void ngrt_stile(int rows, int k, ngrt_smatrix a, const float *b, float *sum) {
    const float *r[NGRT_SROWS];
    int h, i, j, p;
    for (i = 0; i < NGRT_SROWS; i++)
        r[i] = a.at + (i < rows ? i : rows - 1) * a.row;
    for (h = 0; h < NGRT_SCOLS; h += 4) {
        float s[NGRT_SROWS][4] = {{0}};
        for (p = 0; p < k; p++)
            for (i = 0; i < NGRT_SROWS; i++)
                for (j = 0; j < 4; j++)
                    s[i][j] += r[i][p * a.col] * b[p * NGRT_SCOLS + h + j];
        for (i = 0; i < NGRT_SROWS; i++)
            for (j = 0; j < 4; j++)
                sum[i * NGRT_SCOLS + h + j] = s[i][j];
    }
}

#if defined __GNUC__ && defined __x86_64__
typedef float ngrt_sv __attribute__((vector_size(32), aligned(4), may_alias));

/* The same by the wider vectors and the fused multiply-add of newer x86 processors. */
__attribute__((target("avx2,fma")))
static void ngrt_stile_avx2(int rows, int k, ngrt_smatrix a, const float *b, float *sum) {
    const float *a0 = a.at;
    const float *a1 = rows > 1 ? a0 + a.row : a0, *a2 = rows > 2 ? a1 + a.row : a1, *a3 = rows > 3 ? a2 + a.row : a2;
    const float *a4 = rows > 4 ? a3 + a.row : a3, *a5 = rows > 5 ? a4 + a.row : a4;
    const ngrt_sv *v = (const ngrt_sv *)b;
    ngrt_sv *s = (ngrt_sv *)sum;
    ngrt_sv s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0};
    ngrt_sv t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0}, t4 = {0}, t5 = {0};
    ptrdiff_t at = 0;
    int p;
    for (p = 0; p < k; p++, at += a.col, v += 2) {
        ngrt_sv x = v[0], y = v[1];
        s0 += a0[at] * x, t0 += a0[at] * y;
        s1 += a1[at] * x, t1 += a1[at] * y;
        s2 += a2[at] * x, t2 += a2[at] * y;
        s3 += a3[at] * x, t3 += a3[at] * y;
        s4 += a4[at] * x, t4 += a4[at] * y;
        s5 += a5[at] * x, t5 += a5[at] * y;
    }
    s[0] = s0, s[1] = t0, s[2] = s1, s[3] = t1, s[4] = s2, s[5] = t2;
    s[6] = s3, s[7] = t3, s[8] = s4, s[9] = t4, s[10] = s5, s[11] = t5;
}

typedef float ngrt_sw __attribute__((vector_size(64), aligned(4), may_alias));

/* By vectors of 64 bytes: 8 rows of two of them. */
__attribute__((target("avx512f")))
static void ngrt_stile_avx512(int rows, int k, ngrt_smatrix a, const float *b, float *sum) {
    const float *a0 = a.at;
    const float *a1 = rows > 1 ? a0 + a.row : a0, *a2 = rows > 2 ? a1 + a.row : a1, *a3 = rows > 3 ? a2 + a.row : a2;
    const float *a4 = rows > 4 ? a3 + a.row : a3, *a5 = rows > 5 ? a4 + a.row : a4, *a6 = rows > 6 ? a5 + a.row : a5;
    const float *a7 = rows > 7 ? a6 + a.row : a6;
    const ngrt_sw *v = (const ngrt_sw *)b;
    ngrt_sw *s = (ngrt_sw *)sum;
    ngrt_sw s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
    ngrt_sw t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0}, t4 = {0}, t5 = {0}, t6 = {0}, t7 = {0};
    ptrdiff_t at = 0;
    int p;
    for (p = 0; p < k; p++, at += a.col, v += 2) {
        ngrt_sw x = v[0], y = v[1];
        s0 += a0[at] * x, t0 += a0[at] * y;
        s1 += a1[at] * x, t1 += a1[at] * y;
        s2 += a2[at] * x, t2 += a2[at] * y;
        s3 += a3[at] * x, t3 += a3[at] * y;
        s4 += a4[at] * x, t4 += a4[at] * y;
        s5 += a5[at] * x, t5 += a5[at] * y;
        s6 += a6[at] * x, t6 += a6[at] * y;
        s7 += a7[at] * x, t7 += a7[at] * y;
    }
    s[0] = s0, s[1] = t0, s[2] = s1, s[3] = t1, s[4] = s2, s[5] = t2, s[6] = s3, s[7] = t3;
    s[8] = s4, s[9] = t4, s[10] = s5, s[11] = t5, s[12] = s6, s[13] = t6, s[14] = s7, s[15] = t7;
}
#endif

/* The best kernel for this processor and so many columns. */
static ngrt_skernel ngrt_schoose(int n) {
    ngrt_skernel plain = { NGRT_SROWS, NGRT_SCOLS, ngrt_stile };
#if defined __GNUC__ && defined __x86_64__
    ngrt_skernel avx2 = { NGRT_SROWS, NGRT_SCOLS, ngrt_stile_avx2 };
    ngrt_skernel avx512 = { NGRT_SMORE, 2 * NGRT_SCOLS, ngrt_stile_avx512 };
    if (n > NGRT_SCOLS && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avx512f"))
        return avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return avx2;
#endif
    (void)n;
    return plain;
}

/* Copies k rows of cols columns of b side by side, width apart, with zeros for the columns missing. Where columns are rows of
 * memory, 16 numbers of each are taken at a time. */
static void ngrt_spack(int cols, int width, int k, ngrt_smatrix b, float *restrict out) {
    int j, p, q;
    if (b.row == 1 && cols == width) {
        for (p = 0; p < k; p += NGRT_SCOLS)
            for (j = 0; j < width; j++) {
                const float *from = b.at + p + j * b.col;
                int end = k - p < NGRT_SCOLS ? k - p : NGRT_SCOLS;
                for (q = 0; q < end; q++)
                    out[(p + q) * width + j] = from[q];
            }
        return;
    }
    if (b.col == 1) {
        for (p = 0; p < k; p++) {
            const float *from = b.at + p * b.row;
            float *to = out + p * width;
            if (cols == width) {
                memcpy(to, from, (size_t)width * sizeof *to);
            } else {
                for (j = 0; j < cols; j++)
                    to[j] = from[j];
                for (; j < width; j++)
                    to[j] = 0.0f;
            }
        }
        return;
    }
    for (j = 0; j < width; j++) {
        const float *from = b.at + (j < cols ? j : 0) * b.col;
        for (p = 0; p < k; p++)
            out[p * width + j] = j < cols ? from[p * b.row] : 0.0f;
    }
}

/* c = alpha sum + beta c for cols numbers that are step apart; beta = 0 overwrites. */
static void ngrt_sstore(int cols, float alpha, const float *restrict sum, float beta, float *restrict c,
                        ptrdiff_t step) {
    int j;
    for (; cols >= NGRT_SCOLS && step == 1; cols -= NGRT_SCOLS, sum += NGRT_SCOLS, c += NGRT_SCOLS) {
        if (beta == 0.0f)
            for (j = 0; j < NGRT_SCOLS; j++)
                c[j] = alpha * sum[j];
        else
            for (j = 0; j < NGRT_SCOLS; j++)
                c[j] = alpha * sum[j] + beta * c[j];
    }
    if (beta == 0.0f)
        for (j = 0; j < cols; j++)
            c[j * step] = alpha * sum[j];
    else
        for (j = 0; j < cols; j++)
            c[j * step] = alpha * sum[j] + beta * c[j * step];
}

/* sum over p < k of x[p] y[p], in 16 partial sums that vectorise. */
static float ngrt_sdot(int k, const float *x, const float *y) {
    float s[NGRT_SCOLS] = {0}, sum = 0.0f;
    int j, p;
    for (p = 0; p + NGRT_SCOLS <= k; p += NGRT_SCOLS)
        for (j = 0; j < NGRT_SCOLS; j++)
            s[j] += x[p + j] * y[p + j];
    for (j = 0; j < k % NGRT_SCOLS; j++)
        sum += x[p + j] * y[p + j];
    for (j = 0; j < NGRT_SCOLS; j++)
        sum += s[j];
    return sum;
}

/* c[j step] = alpha (sum over p < k of x[p] b(p, j)) + beta c[j step] for j < n: a C of one row or column. */
static void ngrt_svector(int n, int k, float alpha, const float *x, ngrt_smatrix b, float beta, float *c,
                         ptrdiff_t step) {
    int i, j, p;
    for (j = 0; j < n; j += NGRT_SCOLS, b.at += NGRT_SCOLS * b.col, c += NGRT_SCOLS * step) {
        float sum[NGRT_SCOLS] = {0};
        int cols = n - j < NGRT_SCOLS ? n - j : NGRT_SCOLS;
        if (b.row == 1)
            for (i = 0; i < cols; i++)
                sum[i] = ngrt_sdot(k, x, b.at + i * b.col);
        else if (cols == NGRT_SCOLS && b.col == 1)
            for (p = 0; p < k; p++)
                for (i = 0; i < NGRT_SCOLS; i++)
                    sum[i] += x[p] * b.at[p * b.row + i];
        else
            for (p = 0; p < k; p++)
                for (i = 0; i < cols; i++)
                    sum[i] += x[p] * b.at[p * b.row + i * b.col];
        ngrt_sstore(cols, alpha, sum, beta, c, step);
    }
}

/* The product in general. B is taken in panels of 320 by a tile's columns, which stay in the first cache while the tiles of a
 * band of rows pass over them. */
static void ngrt_sproduct(int m, int n, int k, float alpha, ngrt_smatrix a, ngrt_smatrix b, float beta, float *c,
                          ptrdiff_t ldc) {
    const ngrt_skernel kernel = ngrt_schoose(n);
    float panel[NGRT_SDEPTH * 2 * NGRT_SCOLS], sum[NGRT_SMORE * 2 * NGRT_SCOLS];
    int blocks = (k - 1) / NGRT_SDEPTH + 1, depth = (k - 1) / blocks + 1, i, j, p, r, top;
    for (p = 0; p < k; p += depth)
        for (top = 0; top < m; top += NGRT_SBAND)
            for (j = 0; j < n; j += kernel.cols) {
                int kp = k - p < depth ? k - p : depth, end = m - top < NGRT_SBAND ? m : top + NGRT_SBAND;
                int cols = n - j < kernel.cols ? n - j : kernel.cols;
                ngrt_smatrix bp = { b.at + p * b.row + j * b.col, b.row, b.col };
                ngrt_spack(cols, kernel.cols, kp, bp, panel);
                for (i = top; i < end; i += kernel.rows) {
                    int rows = end - i < kernel.rows ? end - i : kernel.rows;
                    ngrt_smatrix ap = { a.at + i * a.row + p * a.col, a.row, a.col };
                    kernel.tile(rows, kp, ap, panel, sum);
                    for (r = 0; r < rows; r++)
                        ngrt_sstore(cols, alpha, sum + r * kernel.cols, p == 0 ? beta : 1.0f, c + (i + r) * ldc + j, 1);
                }
            }
}

/* C[m,n] = alpha op(A) op(B) + beta C; A is [m,k], or [k,m] if ta; B is [k,n], or [n,k] if tb; beta = 0 overwrites. */
NGRT_FN void ngrt_sgemm(int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b,
                        int ldb, float beta, float *c, int ldc) {
    ngrt_smatrix opa = { a, ta ? 1 : lda, ta ? lda : 1 }, opb = { b, tb ? 1 : ldb, tb ? ldb : 1 };
    int i, j;
    if (k <= 0 || alpha == 0.0f) {
        for (i = 0; i < m; i++)
            for (j = 0; j < n; j++)
                c[i * (ptrdiff_t)ldc + j] = beta == 0.0f ? 0.0f : beta * c[i * (ptrdiff_t)ldc + j];
    } else if (m == 1 && opa.col == 1) {
        ngrt_svector(n, k, alpha, a, opb, beta, c, 1);
    } else if (n == 1 && opb.row == 1) {
        ngrt_smatrix t = { a, opa.col, opa.row };
        ngrt_svector(m, k, alpha, b, t, beta, c, ldc);
    } else {
        ngrt_sproduct(m, n, k, alpha, opa, opb, beta, c, ldc);
    }
}

/*@ dgemm: */
/* A matrix in memory: element (i, j) is at[i*row + j*col]. */
typedef struct ngrt_dmatrix {
    const double *at;
    ptrdiff_t row, col;
} ngrt_dmatrix;

/* A tile is 6 rows of 8 columns, or 8 of twice as many: its sums stay in registers. The depth is how much of the inner size
 * is done at a time, and so many rows of A: what is read again and again then stays in the caches. */
enum { NGRT_DROWS = 6, NGRT_DCOLS = 8, NGRT_DDEPTH = 320, NGRT_DBAND = 480, NGRT_DMORE = 8 };

/* How a tile is computed: sum[i][j] = sum over p < k of a(i, p) b[p][j], for all rows and columns of the tile; of a's rows, the last
 * of fewer stands for those missing. */
typedef struct ngrt_dkernel {
    int rows, cols;
    void (*tile)(int rows, int k, ngrt_dmatrix a, const double *b, double *sum);
} ngrt_dkernel;

/* In C alone. */
static void ngrt_dtile(int rows, int k, ngrt_dmatrix a, const double *b, double *sum) {
    const double *r[NGRT_DROWS];
    int h, i, j, p;
    for (i = 0; i < NGRT_DROWS; i++)
        r[i] = a.at + (i < rows ? i : rows - 1) * a.row;
    for (h = 0; h < NGRT_DCOLS; h += 4) {
        double s[NGRT_DROWS][4] = {{0}};
        for (p = 0; p < k; p++)
            for (i = 0; i < NGRT_DROWS; i++)
                for (j = 0; j < 4; j++)
                    s[i][j] += r[i][p * a.col] * b[p * NGRT_DCOLS + h + j];
        for (i = 0; i < NGRT_DROWS; i++)
            for (j = 0; j < 4; j++)
                sum[i * NGRT_DCOLS + h + j] = s[i][j];
    }
}

#if defined __GNUC__ && defined __x86_64__
typedef double ngrt_dv __attribute__((vector_size(32), aligned(8), may_alias));

/* The same by the wider vectors and the fused multiply-add of newer x86 processors. */
__attribute__((target("avx2,fma")))
static void ngrt_dtile_avx2(int rows, int k, ngrt_dmatrix a, const double *b, double *sum) {
    const double *a0 = a.at;
    const double *a1 = rows > 1 ? a0 + a.row : a0, *a2 = rows > 2 ? a1 + a.row : a1, *a3 = rows > 3 ? a2 + a.row : a2;
    const double *a4 = rows > 4 ? a3 + a.row : a3, *a5 = rows > 5 ? a4 + a.row : a4;
    const ngrt_dv *v = (const ngrt_dv *)b;
    ngrt_dv *s = (ngrt_dv *)sum;
    ngrt_dv s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0};
    ngrt_dv t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0}, t4 = {0}, t5 = {0};
    ptrdiff_t at = 0;
    int p;
    for (p = 0; p < k; p++, at += a.col, v += 2) {
        ngrt_dv x = v[0], y = v[1];
        s0 += a0[at] * x, t0 += a0[at] * y;
        s1 += a1[at] * x, t1 += a1[at] * y;
        s2 += a2[at] * x, t2 += a2[at] * y;
        s3 += a3[at] * x, t3 += a3[at] * y;
        s4 += a4[at] * x, t4 += a4[at] * y;
        s5 += a5[at] * x, t5 += a5[at] * y;
    }
    s[0] = s0, s[1] = t0, s[2] = s1, s[3] = t1, s[4] = s2, s[5] = t2;
    s[6] = s3, s[7] = t3, s[8] = s4, s[9] = t4, s[10] = s5, s[11] = t5;
}

typedef double ngrt_dw __attribute__((vector_size(64), aligned(8), may_alias));

/* By vectors of 64 bytes: 8 rows of two of them. */
__attribute__((target("avx512f")))
static void ngrt_dtile_avx512(int rows, int k, ngrt_dmatrix a, const double *b, double *sum) {
    const double *a0 = a.at;
    const double *a1 = rows > 1 ? a0 + a.row : a0, *a2 = rows > 2 ? a1 + a.row : a1, *a3 = rows > 3 ? a2 + a.row : a2;
    const double *a4 = rows > 4 ? a3 + a.row : a3, *a5 = rows > 5 ? a4 + a.row : a4, *a6 = rows > 6 ? a5 + a.row : a5;
    const double *a7 = rows > 7 ? a6 + a.row : a6;
    const ngrt_dw *v = (const ngrt_dw *)b;
    ngrt_dw *s = (ngrt_dw *)sum;
    ngrt_dw s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
    ngrt_dw t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0}, t4 = {0}, t5 = {0}, t6 = {0}, t7 = {0};
    ptrdiff_t at = 0;
    int p;
    for (p = 0; p < k; p++, at += a.col, v += 2) {
        ngrt_dw x = v[0], y = v[1];
        s0 += a0[at] * x, t0 += a0[at] * y;
        s1 += a1[at] * x, t1 += a1[at] * y;
        s2 += a2[at] * x, t2 += a2[at] * y;
        s3 += a3[at] * x, t3 += a3[at] * y;
        s4 += a4[at] * x, t4 += a4[at] * y;
        s5 += a5[at] * x, t5 += a5[at] * y;
        s6 += a6[at] * x, t6 += a6[at] * y;
        s7 += a7[at] * x, t7 += a7[at] * y;
    }
    s[0] = s0, s[1] = t0, s[2] = s1, s[3] = t1, s[4] = s2, s[5] = t2, s[6] = s3, s[7] = t3;
    s[8] = s4, s[9] = t4, s[10] = s5, s[11] = t5, s[12] = s6, s[13] = t6, s[14] = s7, s[15] = t7;
}
#endif

/* The best kernel for this processor and so many columns. */
static ngrt_dkernel ngrt_dchoose(int n) {
    ngrt_dkernel plain = { NGRT_DROWS, NGRT_DCOLS, ngrt_dtile };
#if defined __GNUC__ && defined __x86_64__
    ngrt_dkernel avx2 = { NGRT_DROWS, NGRT_DCOLS, ngrt_dtile_avx2 };
    ngrt_dkernel avx512 = { NGRT_DMORE, 2 * NGRT_DCOLS, ngrt_dtile_avx512 };
    if (n > NGRT_DCOLS && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avx512f"))
        return avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return avx2;
#endif
    (void)n;
    return plain;
}

/* Copies k rows of cols columns of b side by side, width apart, with zeros for the columns missing. Where columns are rows of
 * memory, 8 numbers of each are taken at a time. */
static void ngrt_dpack(int cols, int width, int k, ngrt_dmatrix b, double *restrict out) {
    int j, p, q;
    if (b.row == 1 && cols == width) {
        for (p = 0; p < k; p += NGRT_DCOLS)
            for (j = 0; j < width; j++) {
                const double *from = b.at + p + j * b.col;
                int end = k - p < NGRT_DCOLS ? k - p : NGRT_DCOLS;
                for (q = 0; q < end; q++)
                    out[(p + q) * width + j] = from[q];
            }
        return;
    }
    if (b.col == 1) {
        for (p = 0; p < k; p++) {
            const double *from = b.at + p * b.row;
            double *to = out + p * width;
            if (cols == width) {
                memcpy(to, from, (size_t)width * sizeof *to);
            } else {
                for (j = 0; j < cols; j++)
                    to[j] = from[j];
                for (; j < width; j++)
                    to[j] = 0.0;
            }
        }
        return;
    }
    for (j = 0; j < width; j++) {
        const double *from = b.at + (j < cols ? j : 0) * b.col;
        for (p = 0; p < k; p++)
            out[p * width + j] = j < cols ? from[p * b.row] : 0.0;
    }
}

/* c = alpha sum + beta c for cols numbers that are step apart; beta = 0 overwrites. */
static void ngrt_dstore(int cols, double alpha, const double *restrict sum, double beta, double *restrict c,
                        ptrdiff_t step) {
    int j;
    for (; cols >= NGRT_DCOLS && step == 1; cols -= NGRT_DCOLS, sum += NGRT_DCOLS, c += NGRT_DCOLS) {
        if (beta == 0.0)
            for (j = 0; j < NGRT_DCOLS; j++)
                c[j] = alpha * sum[j];
        else
            for (j = 0; j < NGRT_DCOLS; j++)
                c[j] = alpha * sum[j] + beta * c[j];
    }
    if (beta == 0.0)
        for (j = 0; j < cols; j++)
            c[j * step] = alpha * sum[j];
    else
        for (j = 0; j < cols; j++)
            c[j * step] = alpha * sum[j] + beta * c[j * step];
}

/* sum over p < k of x[p] y[p], in 8 partial sums that vectorise. */
static double ngrt_ddot(int k, const double *x, const double *y) {
    double s[NGRT_DCOLS] = {0}, sum = 0.0;
    int j, p;
    for (p = 0; p + NGRT_DCOLS <= k; p += NGRT_DCOLS)
        for (j = 0; j < NGRT_DCOLS; j++)
            s[j] += x[p + j] * y[p + j];
    for (j = 0; j < k % NGRT_DCOLS; j++)
        sum += x[p + j] * y[p + j];
    for (j = 0; j < NGRT_DCOLS; j++)
        sum += s[j];
    return sum;
}

/* c[j step] = alpha (sum over p < k of x[p] b(p, j)) + beta c[j step] for j < n: a C of one row or column. */
static void ngrt_dvector(int n, int k, double alpha, const double *x, ngrt_dmatrix b, double beta, double *c,
                         ptrdiff_t step) {
    int i, j, p;
    for (j = 0; j < n; j += NGRT_DCOLS, b.at += NGRT_DCOLS * b.col, c += NGRT_DCOLS * step) {
        double sum[NGRT_DCOLS] = {0};
        int cols = n - j < NGRT_DCOLS ? n - j : NGRT_DCOLS;
        if (b.row == 1)
            for (i = 0; i < cols; i++)
                sum[i] = ngrt_ddot(k, x, b.at + i * b.col);
        else if (cols == NGRT_DCOLS && b.col == 1)
            for (p = 0; p < k; p++)
                for (i = 0; i < NGRT_DCOLS; i++)
                    sum[i] += x[p] * b.at[p * b.row + i];
        else
            for (p = 0; p < k; p++)
                for (i = 0; i < cols; i++)
                    sum[i] += x[p] * b.at[p * b.row + i * b.col];
        ngrt_dstore(cols, alpha, sum, beta, c, step);
    }
}

/* The product in general. B is taken in panels of 320 by a tile's columns, which stay in the first cache while the tiles of a
 * band of rows pass over them. */
static void ngrt_dproduct(int m, int n, int k, double alpha, ngrt_dmatrix a, ngrt_dmatrix b, double beta, double *c,
                          ptrdiff_t ldc) {
    const ngrt_dkernel kernel = ngrt_dchoose(n);
    double panel[NGRT_DDEPTH * 2 * NGRT_DCOLS], sum[NGRT_DMORE * 2 * NGRT_DCOLS];
    int blocks = (k - 1) / NGRT_DDEPTH + 1, depth = (k - 1) / blocks + 1, i, j, p, r, top;
    for (p = 0; p < k; p += depth)
        for (top = 0; top < m; top += NGRT_DBAND)
            for (j = 0; j < n; j += kernel.cols) {
                int kp = k - p < depth ? k - p : depth, end = m - top < NGRT_DBAND ? m : top + NGRT_DBAND;
                int cols = n - j < kernel.cols ? n - j : kernel.cols;
                ngrt_dmatrix bp = { b.at + p * b.row + j * b.col, b.row, b.col };
                ngrt_dpack(cols, kernel.cols, kp, bp, panel);
                for (i = top; i < end; i += kernel.rows) {
                    int rows = end - i < kernel.rows ? end - i : kernel.rows;
                    ngrt_dmatrix ap = { a.at + i * a.row + p * a.col, a.row, a.col };
                    kernel.tile(rows, kp, ap, panel, sum);
                    for (r = 0; r < rows; r++)
                        ngrt_dstore(cols, alpha, sum + r * kernel.cols, p == 0 ? beta : 1.0, c + (i + r) * ldc + j, 1);
                }
            }
}

/* C[m,n] = alpha op(A) op(B) + beta C; A is [m,k], or [k,m] if ta; B is [k,n], or [n,k] if tb; beta = 0 overwrites. */
NGRT_FN void ngrt_dgemm(int ta, int tb, int m, int n, int k, double alpha, const double *a, int lda, const double *b,
                        int ldb, double beta, double *c, int ldc) {
    ngrt_dmatrix opa = { a, ta ? 1 : lda, ta ? lda : 1 }, opb = { b, tb ? 1 : ldb, tb ? ldb : 1 };
    int i, j;
    if (k <= 0 || alpha == 0.0) {
        for (i = 0; i < m; i++)
            for (j = 0; j < n; j++)
                c[i * (ptrdiff_t)ldc + j] = beta == 0.0 ? 0.0 : beta * c[i * (ptrdiff_t)ldc + j];
    } else if (m == 1 && opa.col == 1) {
        ngrt_dvector(n, k, alpha, a, opb, beta, c, 1);
    } else if (n == 1 && opb.row == 1) {
        ngrt_dmatrix t = { a, opa.col, opa.row };
        ngrt_dvector(m, k, alpha, b, t, beta, c, ldc);
    } else {
        ngrt_dproduct(m, n, k, alpha, opa, opb, beta, c, ldc);
    }
}

/*@ end: */
#ifdef NGRT_CBLAS
#undef ngrt_sgemm
#undef ngrt_dgemm

#include <cblas.h>

#if defined __GNUC__ && defined __x86_64__
/* OpenBLAS has these; another CBLAS need not. */
int openblas_get_num_threads(void) __attribute__((weak));
char *openblas_get_corename(void) __attribute__((weak));

/* Is the kernel of 64-byte vectors the faster one? Not for small or narrow products, nor where CBLAS has such a kernel itself or several
 * threads with enough to do. */
static int is_own(int tb, int m, int n, int k) {
    double work = (double)m * n * k;
    const char *core;
    if (m < 8 || n < 32 || k < 16 || work < (tb ? 262144.0 : 65536.0) || !__builtin_cpu_supports("avx512f"))
        return 0;
    if (!openblas_get_corename || !openblas_get_num_threads || (openblas_get_num_threads() > 1 && work > 1048576.0))
        return 0;
    core = openblas_get_corename();
    return strcmp(core, "Haswell") == 0 || strcmp(core, "Zen") == 0;
}
#else
static int is_own(int tb, int m, int n, int k) {
    (void)tb, (void)m, (void)n, (void)k;
    return 0;
}
#endif

/* The call with sizes that CBLAS accepts: it wants row lengths of at least 1. */
void ngrt_sgemm(int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb,
                float beta, float *c, int ldc) {
    if (is_own(tb, m, n, k))
        own_sgemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    else if (m > 0 && n > 0)
        cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n, k, alpha, a,
                    lda > 0 ? lda : 1, b, ldb > 0 ? ldb : 1, beta, c, ldc);
}

/* The same in double. */
void ngrt_dgemm(int ta, int tb, int m, int n, int k, double alpha, const double *a, int lda, const double *b, int ldb,
                double beta, double *c, int ldc) {
    if (is_own(tb, m, n, k))
        own_dgemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    else if (m > 0 && n > 0)
        cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n, k, alpha, a,
                    lda > 0 ? lda : 1, b, ldb > 0 ? ldb : 1, beta, c, ldc);
}
#endif
