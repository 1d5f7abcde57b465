/* ngrt_gemm.c - C = alpha op(A) op(B) + beta C, by CBLAS where NGRT_CBLAS is defined and it is faster, else by a kernel of its
 * own.
 *
 * The kernels stand in sections, from a line "/" "*@ NAME: SECTIONS IT NEEDS" to the next such line, so that ngc can
 * copy those a model uses into a standalone file. They need <stddef.h>, <string.h> and NGRT_FN, which is static there. The section
 * dgemm is the section sgemm with double for float and 8 for 16, and so are its parts; tests/runtime holds them to that.
 */
#include "ngrt.h"

#include <string.h>

#ifdef NGRT_CBLAS /* the kernels below are called by the functions at the end */
#define NGRT_FN static
#define ngrt_sgemm own_sgemm
#define ngrt_dgemm own_dgemm
#define ngrt_sgemm_share own_sgemm_share
#define ngrt_dgemm_share own_dgemm_share
#else
#define NGRT_FN
#endif

/*@ sgemm_part: */
/* A matrix in memory: element (i, j) is at[i*row + j*col]. */
typedef struct ngrt_smatrix {
    const float *at;
    ptrdiff_t row, col;
} ngrt_smatrix;

/* A tile is 6 rows of 16 columns, or 8 of twice as many, or half as wide: its sums stay in registers. The depth is how much of the
 * inner size is done at a time; a band is how many numbers of A: what is read again and again then stays in the caches. A block is
 * what is copied of A where the rows of a tile are not near each other in memory. */
enum { NGRT_SROWS = 6, NGRT_SCOLS = 16, NGRT_SDEPTH = 256, NGRT_SBAND = 3072 * 16, NGRT_SBLOCK = 1536 * 16, NGRT_SMORE = 8 };

/* How a tile is computed: c(i, j) = alpha (sum over p < k of a(i, p) b[p][j]) + beta c(i, j), for rows of the tile's rows and all
 * of its columns; beta = 0 overwrites. One of half the columns, or NULL. And how rows become columns: out[p][j] = from[j][p] for
 * p < k and j < cols, at least: how many columns of out's width it filled is returned. */
typedef void ngrt_stiling(int rows, int k, const float *a, ptrdiff_t row, ptrdiff_t col, const float *b, float alpha,
                          float beta, float *c, ptrdiff_t ldc);
typedef struct ngrt_skernel {
    int rows, cols;
    ngrt_stiling *tile, *half;
    int (*turn)(int cols, int k, const float *from, ptrdiff_t row, float *out, int width);
} ngrt_skernel;

/* c = alpha sum + beta c for cols numbers that are step apart; beta = 0 overwrites. */
static void ngrt_sstore(int cols, float alpha, const float *sum, float beta, float *c,
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

/* In C alone. */
static void ngrt_stile(int rows, int k, const float *a, ptrdiff_t row, ptrdiff_t col, const float *b, float alpha,
                       float beta, float *c, ptrdiff_t ldc) {
    const float *r[NGRT_SROWS];
    float sum[NGRT_SROWS * NGRT_SCOLS];
    int h, i, j, p;
    for (i = 0; i < NGRT_SROWS; i++)
        r[i] = a + (i < rows ? i : rows - 1) * row;
    for (h = 0; h < NGRT_SCOLS; h += 4) {
        float s[NGRT_SROWS][4] = {{0}};
        for (p = 0; p < k; p++)
            for (i = 0; i < NGRT_SROWS; i++)
                for (j = 0; j < 4; j++)
                    s[i][j] += r[i][p * col] * b[p * NGRT_SCOLS + h + j];
        for (i = 0; i < NGRT_SROWS; i++)
            for (j = 0; j < 4; j++)
                sum[i * NGRT_SCOLS + h + j] = s[i][j];
    }
    for (i = 0; i < rows; i++)
        ngrt_sstore(NGRT_SCOLS, alpha, sum + i * NGRT_SCOLS, beta, c + i * ldc, 1);
}

/* In C alone. Of each row as many numbers are taken as a line of the cache holds. */
static int ngrt_sturn(int cols, int k, const float *from, ptrdiff_t row, float *out, int width) {
    int j, p, q;
    for (p = 0; p < k; p += NGRT_SCOLS)
        for (j = 0; j < cols; j++) {
            int end = k - p < NGRT_SCOLS ? k : p + NGRT_SCOLS;
            for (q = p; q < end; q++)
                out[q * width + j] = from[j * row + q];
        }
    return cols;
}

#if defined __GNUC__ && defined __x86_64__
/* For one kind of processor; a*b + c is one operation there, which GCC makes of it under -std=c99 only where it is told to. */
#ifdef __clang__
#define NGRT_SFOR(isa) __attribute__((target(isa)))
#else
#define NGRT_SFOR(isa) __attribute__((target(isa), optimize("fp-contract=fast")))
#endif

/* One row of a tile goes to memory; C's lines are asked for before the sums are computed. */
#define NGRT_SPUT(vector, i, x, y) \
    if (i < rows) { \
        vector *to = (vector *)(c + i * ldc); \
        if (beta == 0.0f) \
            to[0] = alpha * x, to[1] = alpha * y; \
        else \
            to[0] = alpha * x + beta * to[0], to[1] = alpha * y + beta * to[1]; \
    }
#define NGRT_SFETCH(cols) \
    for (i = 0; i < rows; i++) { \
        __builtin_prefetch(c + i * ldc, 1); \
        __builtin_prefetch(c + i * ldc + cols - 1, 1); \
    }

typedef float ngrt_sv __attribute__((vector_size(32), aligned(4), may_alias));

/* The same by the wider vectors and the fused multiply-add of newer x86 processors. */
NGRT_SFOR("avx2,fma")
static void ngrt_stile_avx2(int rows, int k, const float *a, ptrdiff_t row, ptrdiff_t col, const float *b, float alpha,
                            float beta, float *c, ptrdiff_t ldc) {
    const float *a0 = a;
    const float *a1 = rows > 1 ? a0 + row : a0, *a2 = rows > 2 ? a1 + row : a1, *a3 = rows > 3 ? a2 + row : a2;
    const float *a4 = rows > 4 ? a3 + row : a3, *a5 = rows > 5 ? a4 + row : a4;
    const ngrt_sv *v = (const ngrt_sv *)b;
    ngrt_sv s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0};
    ngrt_sv t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0}, t4 = {0}, t5 = {0};
    ptrdiff_t at = 0;
    int i, p;
    NGRT_SFETCH(16)
    if (rows <= 4)
        for (p = 0; p < k; p++, at += col, v += 2) {
            ngrt_sv x = v[0], y = v[1];
            s0 += a0[at] * x, t0 += a0[at] * y;
            s1 += a1[at] * x, t1 += a1[at] * y;
            s2 += a2[at] * x, t2 += a2[at] * y;
            s3 += a3[at] * x, t3 += a3[at] * y;
        }
    else
        for (p = 0; p < k; p++, at += col, v += 2) {
            ngrt_sv x = v[0], y = v[1];
            s0 += a0[at] * x, t0 += a0[at] * y;
            s1 += a1[at] * x, t1 += a1[at] * y;
            s2 += a2[at] * x, t2 += a2[at] * y;
            s3 += a3[at] * x, t3 += a3[at] * y;
            s4 += a4[at] * x, t4 += a4[at] * y;
            s5 += a5[at] * x, t5 += a5[at] * y;
        }
    NGRT_SPUT(ngrt_sv, 0, s0, t0)
    NGRT_SPUT(ngrt_sv, 1, s1, t1)
    NGRT_SPUT(ngrt_sv, 2, s2, t2)
    NGRT_SPUT(ngrt_sv, 3, s3, t3)
    NGRT_SPUT(ngrt_sv, 4, s4, t4)
    NGRT_SPUT(ngrt_sv, 5, s5, t5)
}

/* As many rows of one vector. */
#define NGRT_SHALF(name, type, most, isa) \
    NGRT_SFOR(isa) \
    static void name(int rows, int k, const float *a, ptrdiff_t row, ptrdiff_t col, const float *b, float alpha, \
                     float beta, float *c, ptrdiff_t ldc) { \
        typedef type vector; \
        const float *a0 = a; \
        const float *a1 = rows > 1 ? a0 + row : a0, *a2 = rows > 2 ? a1 + row : a1, *a3 = rows > 3 ? a2 + row : a2; \
        const float *a4 = rows > 4 ? a3 + row : a3, *a5 = rows > 5 ? a4 + row : a4, *a6 = rows > 6 ? a5 + row : a5; \
        const float *a7 = rows > 7 ? a6 + row : a6; \
        const vector *v = (const vector *)b; \
        vector s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0}; \
        ptrdiff_t at = 0; \
        int p; \
        if (rows <= 4) \
            for (p = 0; p < k; p++, at += col, v++) \
                s0 += a0[at] * *v, s1 += a1[at] * *v, s2 += a2[at] * *v, s3 += a3[at] * *v; \
        else \
            for (p = 0; p < k; p++, at += col, v++) { \
                s0 += a0[at] * *v, s1 += a1[at] * *v, s2 += a2[at] * *v, s3 += a3[at] * *v, s4 += a4[at] * *v, s5 += a5[at] * *v; \
                if (most > 6) \
                    s6 += a6[at] * *v, s7 += a7[at] * *v; \
            } \
        NGRT_SLAY(0, s0) NGRT_SLAY(1, s1) NGRT_SLAY(2, s2) NGRT_SLAY(3, s3) \
        NGRT_SLAY(4, s4) NGRT_SLAY(5, s5) NGRT_SLAY(6, s6) NGRT_SLAY(7, s7) \
    }
#define NGRT_SLAY(i, x) \
    if (i < rows) { \
        vector *to = (vector *)(c + i * ldc); \
        *to = beta == 0.0f ? alpha * x : alpha * x + beta * *to; \
    }
NGRT_SHALF(ngrt_shalf_avx2, ngrt_sv, NGRT_SROWS, "avx2,fma")

typedef float ngrt_sx __attribute__((vector_size(4 * sizeof(float)), aligned(4), may_alias));
typedef float ngrt_sy __attribute__((vector_size(8 * sizeof(float)), aligned(4), may_alias));

/* By two squares of 4 by 4 side by side, and what is left over in C. Past the last row it is read again. */
NGRT_SFOR("avx2,fma")
static int ngrt_sturn_avx2(int cols, int k, const float *from, ptrdiff_t row, float *out, int width) {
    int j = 0, p = 0;
#ifdef __has_builtin
#if __has_builtin(__builtin_shufflevector)
#define NGRT_SLINE(i) (from + (j + i < cols ? j + i : cols - 1) * row)
#define NGRT_SBOTH(r, s) __builtin_shufflevector(*(const ngrt_sx *)(r + p), *(const ngrt_sx *)(s + p), 0, 1, 2, 3, 4, 5, 6, 7)
    for (; j < cols && j + 8 <= width; j += 8) {
        const float *r0 = NGRT_SLINE(0), *r1 = NGRT_SLINE(1), *r2 = NGRT_SLINE(2), *r3 = NGRT_SLINE(3);
        const float *r4 = NGRT_SLINE(4), *r5 = NGRT_SLINE(5), *r6 = NGRT_SLINE(6), *r7 = NGRT_SLINE(7);
        for (p = 0; p + 4 <= k; p += 4) {
            float *to = out + p * width + j;
            ngrt_sy a = NGRT_SBOTH(r0, r4), b = NGRT_SBOTH(r1, r5), c = NGRT_SBOTH(r2, r6), d = NGRT_SBOTH(r3, r7), ab, cd;
            ab = __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13), cd = __builtin_shufflevector(c, d, 0, 8, 1, 9, 4, 12, 5, 13);
            *(ngrt_sy *)to = __builtin_shufflevector(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13);
            *(ngrt_sy *)(to + width) = __builtin_shufflevector(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
            ab = __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15), cd = __builtin_shufflevector(c, d, 2, 10, 3, 11, 6, 14, 7, 15);
            *(ngrt_sy *)(to + 2 * width) = __builtin_shufflevector(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13);
            *(ngrt_sy *)(to + 3 * width) = __builtin_shufflevector(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
    p = k - k % 4;
    ngrt_sturn(j < cols ? j : cols, k - p, from + p, row, out + p * width, width);
#endif
#endif
    return j < cols ? j + ngrt_sturn(cols - j, k, from + j * row, row, out + j, width) : j;
}

typedef float ngrt_sw __attribute__((vector_size(64), aligned(4), may_alias));

/* By vectors of 64 bytes: 8 rows of two of them. */
NGRT_SFOR("avx512f")
static void ngrt_stile_avx512(int rows, int k, const float *a, ptrdiff_t row, ptrdiff_t col, const float *b, float alpha,
                              float beta, float *c, ptrdiff_t ldc) {
    const float *a0 = a;
    const float *a1 = rows > 1 ? a0 + row : a0, *a2 = rows > 2 ? a1 + row : a1, *a3 = rows > 3 ? a2 + row : a2;
    const float *a4 = rows > 4 ? a3 + row : a3, *a5 = rows > 5 ? a4 + row : a4, *a6 = rows > 6 ? a5 + row : a5;
    const float *a7 = rows > 7 ? a6 + row : a6;
    const ngrt_sw *v = (const ngrt_sw *)b;
    ngrt_sw s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
    ngrt_sw t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0}, t4 = {0}, t5 = {0}, t6 = {0}, t7 = {0};
    ptrdiff_t at = 0;
    int i, p;
    NGRT_SFETCH(2 * 16)
    for (p = 0; p < k; p++, at += col, v += 2) {
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
    NGRT_SPUT(ngrt_sw, 0, s0, t0)
    NGRT_SPUT(ngrt_sw, 1, s1, t1)
    NGRT_SPUT(ngrt_sw, 2, s2, t2)
    NGRT_SPUT(ngrt_sw, 3, s3, t3)
    NGRT_SPUT(ngrt_sw, 4, s4, t4)
    NGRT_SPUT(ngrt_sw, 5, s5, t5)
    NGRT_SPUT(ngrt_sw, 6, s6, t6)
    NGRT_SPUT(ngrt_sw, 7, s7, t7)
}
NGRT_SHALF(ngrt_shalf_avx512, ngrt_sw, NGRT_SMORE, "avx512f")
#endif

/* The best kernel for this processor. */
static ngrt_skernel ngrt_schoose(void) {
    static const ngrt_skernel plain = { NGRT_SROWS, NGRT_SCOLS, ngrt_stile, NULL, ngrt_sturn };
#if defined __GNUC__ && defined __x86_64__
    static const ngrt_skernel avx2 = { NGRT_SROWS, NGRT_SCOLS, ngrt_stile_avx2, ngrt_shalf_avx2, ngrt_sturn_avx2 };
    static const ngrt_skernel avx512 = { NGRT_SMORE, 2 * NGRT_SCOLS, ngrt_stile_avx512, ngrt_shalf_avx512, ngrt_sturn_avx2 };
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return __builtin_cpu_supports("avx512f") ? avx512 : avx2;
#endif
    return plain;
}

/* Asks for a line of memory that will be read. */
#if defined __GNUC__
#define NGRT_SSOON(at) __builtin_prefetch(at)
#else
#define NGRT_SSOON(at) (void)(at)
#endif

/* Copies k rows of cols columns of b side by side, as wide as a tile; the columns missing hold other numbers. A whole row of the tile is
 * read where that stays in b. */
static void ngrt_spack(const ngrt_skernel *kernel, int cols, int k, ngrt_smatrix b, float *out) {
    int width = kernel->cols, j, p = 0, whole = 0;
    if (b.row == 1) {
        cols = kernel->turn(cols, k, b.at, b.col, out, width);
        p = cols < width ? 0 : k;
    } else if (b.col == 1) {
        whole = width - cols <= (k - 1) * b.row ? (int)(k - (width - cols + b.row - 1) / b.row) : 0;
        if (width == 2 * NGRT_SCOLS)
            for (; p < whole; p++)
                memcpy(out + p * width, b.at + p * b.row, 2 * NGRT_SCOLS * sizeof *out);
        else if (width == NGRT_SCOLS)
            for (; p < whole; p++)
                memcpy(out + p * width, b.at + p * b.row, NGRT_SCOLS * sizeof *out);
        else
            for (; p < whole; p++)
                memcpy(out + p * width, b.at + p * b.row, NGRT_SCOLS / 2 * sizeof *out);
    }
    for (; p < k; p++) {
        const float *from = b.at + p * b.row;
        float *to = out + p * width;
        for (j = 0; j < cols && b.row != 1; j++)
            to[j] = from[j * b.col];
        for (j = cols; j < width; j++)
            to[j] = 0.0f;
    }
}

/* Copies rows of a, k long, so that the numbers that a tile wants at a time are neighbours. */
static void ngrt_sblock(const ngrt_skernel *kernel, int rows, int k, ngrt_smatrix a, float *out) {
    int width = kernel->rows, i = 0, j, p;
    for (p = 0; p < k && a.row == 1; p++) {
        const float *from = a.at + p * a.col;
        float *to = out + p * width;
        for (j = 0; j < rows && p + 12 < k; j += NGRT_SCOLS)
            NGRT_SSOON(from + 12 * a.col + j);
        if (width == NGRT_SROWS)
            for (i = 0; i + NGRT_SROWS <= rows; i += NGRT_SROWS, to += k * NGRT_SROWS)
                memcpy(to, from + i, NGRT_SROWS * sizeof *to);
        else
            for (i = 0; i + NGRT_SMORE <= rows; i += NGRT_SMORE, to += k * NGRT_SMORE)
                memcpy(to, from + i, NGRT_SMORE * sizeof *to);
    }
    for (; i < rows; i += width) {
        const float *from = a.at + i * a.row;
        float *to = out + i * k;
        int own = rows - i < width ? rows - i : width;
        if (a.col == 1)
            kernel->turn(own, k, from, a.row, to, width);
        else
            for (p = 0; p < k; p++)
                for (j = 0; j < own; j++)
                    to[p * width + j] = from[j * a.row + p * a.col];
    }
}

/* A sum of more numbers, in each of its partial sums, is the sum of its halves: what is lost to rounding grows with the logarithm
 * of its length. */
enum { NGRT_SHALVED = 64 };

/* sum over p < k of x[p] y[p], in 16 partial sums that vectorise. */
static float ngrt_sdot(int k, const float *x, const float *y) {
    float s[NGRT_SCOLS] = {0}, sum = 0.0f;
    int j, p;
    if (k > NGRT_SHALVED * NGRT_SCOLS) {
        const int half = k / (2 * NGRT_SCOLS) * NGRT_SCOLS;
        return ngrt_sdot(half, x, y) + ngrt_sdot(k - half, x + half, y + half);
    }
    for (p = 0; p + NGRT_SCOLS <= k; p += NGRT_SCOLS)
        for (j = 0; j < NGRT_SCOLS; j++)
            s[j] += x[p + j] * y[p + j];
    for (j = 0; j < k % NGRT_SCOLS; j++)
        sum += x[p + j] * y[p + j];
    for (j = 0; j < NGRT_SCOLS; j++)
        sum += s[j];
    return sum;
}

/* sum[j] = sum over p < k of x[p] b(p, j) for cols columns, as many as a tile's at most. */
static void ngrt_ssums(int cols, int k, const float *x, ngrt_smatrix b, float *sum) {
    int i, p;
    if (k > NGRT_SHALVED) {
        const ngrt_smatrix rest = { b.at + k / 2 * b.row, b.row, b.col };
        float more[NGRT_SCOLS];
        ngrt_ssums(cols, k / 2, x, b, sum);
        ngrt_ssums(cols, k - k / 2, x + k / 2, rest, more);
        for (i = 0; i < cols; i++)
            sum[i] += more[i];
        return;
    }
    for (i = 0; i < cols; i++)
        sum[i] = 0.0f;
    if (cols == NGRT_SCOLS && b.col == 1)
        for (p = 0; p < k; p++)
            for (i = 0; i < NGRT_SCOLS; i++)
                sum[i] += x[p] * b.at[p * b.row + i];
    else
        for (p = 0; p < k; p++)
            for (i = 0; i < cols; i++)
                sum[i] += x[p] * b.at[p * b.row + i * b.col];
}

/* c[j step] = alpha (sum over p < k of x[p] b(p, j)) + beta c[j step] for j < n: a C of one row or column. */
static void ngrt_svector(int n, int k, float alpha, const float *x, ngrt_smatrix b, float beta, float *c,
                         ptrdiff_t step) {
    int i, j;
    for (j = 0; j < n; j += NGRT_SCOLS, b.at += NGRT_SCOLS * b.col, c += NGRT_SCOLS * step) {
        float sum[NGRT_SCOLS];
        int cols = n - j < NGRT_SCOLS ? n - j : NGRT_SCOLS;
        if (b.row == 1)
            for (i = 0; i < cols; i++)
                sum[i] = ngrt_sdot(k, x, b.at + i * b.col);
        else
            ngrt_ssums(cols, k, x, b, sum);
        ngrt_sstore(cols, alpha, sum, beta, c, step);
    }
}

/* So many pieces of at most `most` are as equal as multiples of `unit` can be. */
static int ngrt_spiece(int size, int most, int unit) {
    int pieces = (size - 1) / most + 1, piece = (size - 1) / pieces + 1;
    return (piece + unit - 1) / unit * unit;
}

/* Copies some rows of cols numbers. */
static void ngrt_scopy(int rows, int cols, const float *from, ptrdiff_t ldfrom, float *to, ptrdiff_t ldto) {
    int i, j;
    for (i = 0; i < rows; i++, from += ldfrom, to += ldto) {
        for (j = 0; j + 8 <= cols; j += 8)
            memcpy(to + j, from + j, 8 * sizeof *to);
        if (cols & 4)
            memcpy(to + j, from + j, 4 * sizeof *to), j += 4;
        if (cols & 2)
            memcpy(to + j, from + j, 2 * sizeof *to), j += 2;
        if (cols & 1)
            to[j] = from[j];
    }
}

/* The tiles of some rows of C against one panel of B; meanwhile what comes next of B is asked for. */
static void ngrt_sband(const ngrt_skernel *kernel, int rows, int cols, int k, float alpha, ngrt_smatrix a, const float *block,
                       const float *panel, ngrt_smatrix next, float beta, float *c, ptrdiff_t ldc) {
    float sum[NGRT_SMORE * 2 * NGRT_SCOLS];
    const ptrdiff_t row = block ? 1 : a.row, col = block ? kernel->rows : a.col;
    int i, r, p = 0, ahead = next.at ? k * kernel->rows / rows + 1 : 0;
    for (i = 0; i < rows; i += kernel->rows) {
        for (r = p + ahead < k ? p + ahead : k; p < r; p++)
            NGRT_SSOON(next.col == 1 ? next.at + p * next.row : next.at + p % NGRT_SCOLS * next.col + p / NGRT_SCOLS * NGRT_SCOLS);
        int own = rows - i < kernel->rows ? rows - i : kernel->rows;
        const float *at = block ? block + i * k : a.at + i * a.row;
        if (cols == kernel->cols) {
            kernel->tile(own, k, at, row, col, panel, alpha, beta, c + i * ldc, ldc);
            continue;
        }
        if (beta != 0.0f) /* less than a tile is rounded like a tile */
            memset(sum, 0, sizeof sum), ngrt_scopy(own, cols, c + i * ldc, ldc, sum, kernel->cols);
        kernel->tile(own, k, at, row, col, panel, alpha, beta, sum, kernel->cols);
        ngrt_scopy(own, cols, sum, kernel->cols, c + i * ldc, ldc);
    }
}

/* The product in general. B is taken in panels as wide as a tile, which stay in the first cache while the tiles of a band of
 * rows pass over them. A is copied to block, if there is one, where a tile's rows of it would lie far apart, or in each other's way
 * in the cache. */
static void ngrt_sproduct(int m, int n, int k, float alpha, ngrt_smatrix a, ngrt_smatrix b, float beta, float *c, ptrdiff_t ldc,
                          float *block) {
    const ngrt_skernel kernel = ngrt_schoose(), half = { kernel.rows, kernel.cols / 2, kernel.half, NULL, kernel.turn };
    float panel[NGRT_SDEPTH * 2 * NGRT_SCOLS];
    int copied = block && n > kernel.cols && (a.col != 1 || a.row % (64 * NGRT_SCOLS) == 0), room = copied ? NGRT_SBLOCK : NGRT_SBAND;
    int depth = k <= NGRT_SDEPTH ? k : ngrt_spiece(k, NGRT_SDEPTH, 1), band = m, cols, i, j, p;
    if ((ptrdiff_t)(m + kernel.rows) * depth > room)
        band = ngrt_spiece(m, room / depth / kernel.rows * kernel.rows, kernel.rows);
    for (p = 0; p < k; p += depth)
        for (i = 0; i < m; i += band) {
            int kp = k - p < depth ? k - p : depth, rows = m - i < band ? m - i : band;
            ngrt_smatrix ap = { a.at + i * a.row + p * a.col, a.row, a.col };
            if (copied)
                ngrt_sblock(&kernel, rows, kp, ap, block);
            for (j = 0; j < n; j += cols) {
                const ngrt_skernel *wide = n - j <= half.cols && half.tile ? &half : &kernel;
                ngrt_smatrix bp = { b.at + p * b.row + j * b.col, b.row, b.col };
                cols = n - j < wide->cols ? n - j : wide->cols;
                ngrt_spack(wide, cols, kp, bp, panel);
                bp.at = (b.row == 1 || b.col == 1) && j + cols + kernel.cols <= n ? bp.at + cols * b.col : NULL;
                ngrt_sband(wide, rows, cols, kp, alpha, ap, copied ? block : NULL, panel, bp, p == 0 ? beta : 1.0f,
                           c + i * ldc + j, ldc);
            }
        }
}

/* Is B that of a layer, its columns contiguous, and larger than A? Then the rows of A become columns instead, and what comes out is C
 * turned, which is small. */
static int ngrt_sturns(int m, int n, ngrt_smatrix a, ngrt_smatrix b) {
    return a.col == 1 && b.row == 1 && m % NGRT_SCOLS == 0 && m < n && (ptrdiff_t)m * n <= NGRT_SBLOCK && b.col % (32 * NGRT_SCOLS) != 0;
}

/* c = alpha (the columns of turned as rows) + beta c. The tiles, which wrote turned, were not given alpha: a share of C's columns begins
 * at another row of a tile than in the whole C. */
static void ngrt_sback(int m, int n, float alpha, float *turned, float beta, float *c, ptrdiff_t ldc) {
    int i, j = 0;
    for (i = 0; i < m * n && alpha != 1.0f; i++)
        turned[i] *= alpha;
    if (beta == 0.0f)
        j = ngrt_schoose().turn(n / 8 * 8, m, turned, m, c, (int)ldc);
    for (; j < n; j++)
        for (i = 0; i < m; i++)
            c[i * ldc + j] = beta == 0.0f ? turned[j * m + i] : turned[j * m + i] + beta * c[i * ldc + j];
}

/* Columns j0 to j1 of rows i0 to i1 of C = alpha A B + beta C. A number has the same bits in whatever share of C it is computed, if
 * shares begin where tiles do (compilers may round their rows differently); so what is chosen is chosen by the whole C. */
static void ngrt_sshare(int i0, int i1, int j0, int j1, int m, int n, int k, float alpha, ngrt_smatrix a, ngrt_smatrix b, float beta,
                        float *c, ptrdiff_t ldc) {
    float block[NGRT_SBLOCK];
    int i, j;
    a.at += i0 * a.row, b.at += j0 * b.col, c += i0 * ldc + j0;
    if (i1 <= i0 || j1 <= j0)
        return;
    if (k <= 0 || alpha == 0.0f) {
        for (i = 0; i < i1 - i0; i++)
            for (j = 0; j < j1 - j0; j++)
                c[i * ldc + j] = beta == 0.0f ? 0.0f : beta * c[i * ldc + j];
    } else if (m == 1 && a.col == 1) {
        ngrt_svector(j1 - j0, k, alpha, a.at, b, beta, c, 1);
    } else if (n == 1 && b.row == 1) {
        ngrt_smatrix t = { a.at, a.col, a.row };
        ngrt_svector(i1 - i0, k, alpha, b.at, t, beta, c, ldc);
    } else if (ngrt_sturns(m, n, a, b)) {
        ngrt_smatrix rows = { b.at, b.col, 1 }, cols = { a.at, 1, a.row };
        ngrt_sproduct(j1 - j0, i1 - i0, k, 1.0f, rows, cols, 0.0f, block, i1 - i0, NULL);
        ngrt_sback(i1 - i0, j1 - j0, alpha, block, beta, c, ldc);
    } else {
        ngrt_sproduct(i1 - i0, j1 - j0, k, alpha, a, b, beta, c, ldc, block);
    }
}

/*@ sgemm: sgemm_part */
/* C[m,n] = alpha op(A) op(B) + beta C; A is [m,k], or [k,m] if ta; B is [k,n], or [n,k] if tb; beta = 0 overwrites. */
NGRT_FN void ngrt_sgemm(int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b,
                        int ldb, float beta, float *c, int ldc) {
    ngrt_smatrix opa = { a, ta ? 1 : lda, ta ? lda : 1 }, opb = { b, tb ? 1 : ldb, tb ? ldb : 1 };
    ngrt_sshare(0, m, 0, n, m, n, k, alpha, opa, opb, beta, c, ldc);
}

/*@ sgemm_share: sgemm_part */
/* Of a product, or of `batch` of them, with rows and matrices one behind the other, what lies between begin and end: of the products (by is
 * 0), the rows of each (1) or its columns (2). */
NGRT_FN void ngrt_sgemm_share(int threads, int by, int begin, int end, int batch, int ta, int tb, int m, int n, int k, float alpha,
                              const float *a, const float *b, float beta, float *c) {
    ptrdiff_t rows = m, cols = n;
    int i, last = by == 0 ? end : batch;
    (void)threads;
    for (i = by == 0 ? begin : 0; i < last; i++) {
        ngrt_smatrix opa = { a + i * rows * k, ta ? 1 : k, ta ? m : 1 }, opb = { b + i * cols * k, tb ? 1 : n, tb ? k : 1 };
        ngrt_sshare(by == 1 ? begin : 0, by == 1 ? end : m, by == 2 ? begin : 0, by == 2 ? end : n, m, n, k, alpha, opa, opb, beta,
                    c + i * rows * cols, n);
    }
}

/*@ dgemm_part: */
/* A matrix in memory: element (i, j) is at[i*row + j*col]. */
typedef struct ngrt_dmatrix {
    const double *at;
    ptrdiff_t row, col;
} ngrt_dmatrix;

/* A tile is 6 rows of 8 columns, or 8 of twice as many, or half as wide: its sums stay in registers. The depth is how much of the
 * inner size is done at a time; a band is how many numbers of A: what is read again and again then stays in the caches. A block is
 * what is copied of A where the rows of a tile are not near each other in memory. */
enum { NGRT_DROWS = 6, NGRT_DCOLS = 8, NGRT_DDEPTH = 256, NGRT_DBAND = 3072 * 8, NGRT_DBLOCK = 1536 * 8, NGRT_DMORE = 8 };

/* How a tile is computed: c(i, j) = alpha (sum over p < k of a(i, p) b[p][j]) + beta c(i, j), for rows of the tile's rows and all
 * of its columns; beta = 0 overwrites. One of half the columns, or NULL. And how rows become columns: out[p][j] = from[j][p] for
 * p < k and j < cols, at least: how many columns of out's width it filled is returned. */
typedef void ngrt_dtiling(int rows, int k, const double *a, ptrdiff_t row, ptrdiff_t col, const double *b, double alpha,
                          double beta, double *c, ptrdiff_t ldc);
typedef struct ngrt_dkernel {
    int rows, cols;
    ngrt_dtiling *tile, *half;
    int (*turn)(int cols, int k, const double *from, ptrdiff_t row, double *out, int width);
} ngrt_dkernel;

/* c = alpha sum + beta c for cols numbers that are step apart; beta = 0 overwrites. */
static void ngrt_dstore(int cols, double alpha, const double *sum, double beta, double *c,
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

/* In C alone. */
static void ngrt_dtile(int rows, int k, const double *a, ptrdiff_t row, ptrdiff_t col, const double *b, double alpha,
                       double beta, double *c, ptrdiff_t ldc) {
    const double *r[NGRT_DROWS];
    double sum[NGRT_DROWS * NGRT_DCOLS];
    int h, i, j, p;
    for (i = 0; i < NGRT_DROWS; i++)
        r[i] = a + (i < rows ? i : rows - 1) * row;
    for (h = 0; h < NGRT_DCOLS; h += 4) {
        double s[NGRT_DROWS][4] = {{0}};
        for (p = 0; p < k; p++)
            for (i = 0; i < NGRT_DROWS; i++)
                for (j = 0; j < 4; j++)
                    s[i][j] += r[i][p * col] * b[p * NGRT_DCOLS + h + j];
        for (i = 0; i < NGRT_DROWS; i++)
            for (j = 0; j < 4; j++)
                sum[i * NGRT_DCOLS + h + j] = s[i][j];
    }
    for (i = 0; i < rows; i++)
        ngrt_dstore(NGRT_DCOLS, alpha, sum + i * NGRT_DCOLS, beta, c + i * ldc, 1);
}

/* In C alone. Of each row as many numbers are taken as a line of the cache holds. */
static int ngrt_dturn(int cols, int k, const double *from, ptrdiff_t row, double *out, int width) {
    int j, p, q;
    for (p = 0; p < k; p += NGRT_DCOLS)
        for (j = 0; j < cols; j++) {
            int end = k - p < NGRT_DCOLS ? k : p + NGRT_DCOLS;
            for (q = p; q < end; q++)
                out[q * width + j] = from[j * row + q];
        }
    return cols;
}

#if defined __GNUC__ && defined __x86_64__
/* For one kind of processor; a*b + c is one operation there, which GCC makes of it under -std=c99 only where it is told to. */
#ifdef __clang__
#define NGRT_DFOR(isa) __attribute__((target(isa)))
#else
#define NGRT_DFOR(isa) __attribute__((target(isa), optimize("fp-contract=fast")))
#endif

/* One row of a tile goes to memory; C's lines are asked for before the sums are computed. */
#define NGRT_DPUT(vector, i, x, y) \
    if (i < rows) { \
        vector *to = (vector *)(c + i * ldc); \
        if (beta == 0.0) \
            to[0] = alpha * x, to[1] = alpha * y; \
        else \
            to[0] = alpha * x + beta * to[0], to[1] = alpha * y + beta * to[1]; \
    }
#define NGRT_DFETCH(cols) \
    for (i = 0; i < rows; i++) { \
        __builtin_prefetch(c + i * ldc, 1); \
        __builtin_prefetch(c + i * ldc + cols - 1, 1); \
    }

typedef double ngrt_dv __attribute__((vector_size(32), aligned(8), may_alias));

/* The same by the wider vectors and the fused multiply-add of newer x86 processors. */
NGRT_DFOR("avx2,fma")
static void ngrt_dtile_avx2(int rows, int k, const double *a, ptrdiff_t row, ptrdiff_t col, const double *b, double alpha,
                            double beta, double *c, ptrdiff_t ldc) {
    const double *a0 = a;
    const double *a1 = rows > 1 ? a0 + row : a0, *a2 = rows > 2 ? a1 + row : a1, *a3 = rows > 3 ? a2 + row : a2;
    const double *a4 = rows > 4 ? a3 + row : a3, *a5 = rows > 5 ? a4 + row : a4;
    const ngrt_dv *v = (const ngrt_dv *)b;
    ngrt_dv s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0};
    ngrt_dv t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0}, t4 = {0}, t5 = {0};
    ptrdiff_t at = 0;
    int i, p;
    NGRT_DFETCH(8)
    if (rows <= 4)
        for (p = 0; p < k; p++, at += col, v += 2) {
            ngrt_dv x = v[0], y = v[1];
            s0 += a0[at] * x, t0 += a0[at] * y;
            s1 += a1[at] * x, t1 += a1[at] * y;
            s2 += a2[at] * x, t2 += a2[at] * y;
            s3 += a3[at] * x, t3 += a3[at] * y;
        }
    else
        for (p = 0; p < k; p++, at += col, v += 2) {
            ngrt_dv x = v[0], y = v[1];
            s0 += a0[at] * x, t0 += a0[at] * y;
            s1 += a1[at] * x, t1 += a1[at] * y;
            s2 += a2[at] * x, t2 += a2[at] * y;
            s3 += a3[at] * x, t3 += a3[at] * y;
            s4 += a4[at] * x, t4 += a4[at] * y;
            s5 += a5[at] * x, t5 += a5[at] * y;
        }
    NGRT_DPUT(ngrt_dv, 0, s0, t0)
    NGRT_DPUT(ngrt_dv, 1, s1, t1)
    NGRT_DPUT(ngrt_dv, 2, s2, t2)
    NGRT_DPUT(ngrt_dv, 3, s3, t3)
    NGRT_DPUT(ngrt_dv, 4, s4, t4)
    NGRT_DPUT(ngrt_dv, 5, s5, t5)
}

/* As many rows of one vector. */
#define NGRT_DHALF(name, type, most, isa) \
    NGRT_DFOR(isa) \
    static void name(int rows, int k, const double *a, ptrdiff_t row, ptrdiff_t col, const double *b, double alpha, \
                     double beta, double *c, ptrdiff_t ldc) { \
        typedef type vector; \
        const double *a0 = a; \
        const double *a1 = rows > 1 ? a0 + row : a0, *a2 = rows > 2 ? a1 + row : a1, *a3 = rows > 3 ? a2 + row : a2; \
        const double *a4 = rows > 4 ? a3 + row : a3, *a5 = rows > 5 ? a4 + row : a4, *a6 = rows > 6 ? a5 + row : a5; \
        const double *a7 = rows > 7 ? a6 + row : a6; \
        const vector *v = (const vector *)b; \
        vector s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0}; \
        ptrdiff_t at = 0; \
        int p; \
        if (rows <= 4) \
            for (p = 0; p < k; p++, at += col, v++) \
                s0 += a0[at] * *v, s1 += a1[at] * *v, s2 += a2[at] * *v, s3 += a3[at] * *v; \
        else \
            for (p = 0; p < k; p++, at += col, v++) { \
                s0 += a0[at] * *v, s1 += a1[at] * *v, s2 += a2[at] * *v, s3 += a3[at] * *v, s4 += a4[at] * *v, s5 += a5[at] * *v; \
                if (most > 6) \
                    s6 += a6[at] * *v, s7 += a7[at] * *v; \
            } \
        NGRT_DLAY(0, s0) NGRT_DLAY(1, s1) NGRT_DLAY(2, s2) NGRT_DLAY(3, s3) \
        NGRT_DLAY(4, s4) NGRT_DLAY(5, s5) NGRT_DLAY(6, s6) NGRT_DLAY(7, s7) \
    }
#define NGRT_DLAY(i, x) \
    if (i < rows) { \
        vector *to = (vector *)(c + i * ldc); \
        *to = beta == 0.0 ? alpha * x : alpha * x + beta * *to; \
    }
NGRT_DHALF(ngrt_dhalf_avx2, ngrt_dv, NGRT_DROWS, "avx2,fma")

typedef double ngrt_dx __attribute__((vector_size(4 * sizeof(double)), aligned(8), may_alias));
typedef double ngrt_dy __attribute__((vector_size(8 * sizeof(double)), aligned(8), may_alias));

/* By two squares of 4 by 4 side by side, and what is left over in C. Past the last row it is read again. */
NGRT_DFOR("avx2,fma")
static int ngrt_dturn_avx2(int cols, int k, const double *from, ptrdiff_t row, double *out, int width) {
    int j = 0, p = 0;
#ifdef __has_builtin
#if __has_builtin(__builtin_shufflevector)
#define NGRT_DLINE(i) (from + (j + i < cols ? j + i : cols - 1) * row)
#define NGRT_DBOTH(r, s) __builtin_shufflevector(*(const ngrt_dx *)(r + p), *(const ngrt_dx *)(s + p), 0, 1, 2, 3, 4, 5, 6, 7)
    for (; j < cols && j + 8 <= width; j += 8) {
        const double *r0 = NGRT_DLINE(0), *r1 = NGRT_DLINE(1), *r2 = NGRT_DLINE(2), *r3 = NGRT_DLINE(3);
        const double *r4 = NGRT_DLINE(4), *r5 = NGRT_DLINE(5), *r6 = NGRT_DLINE(6), *r7 = NGRT_DLINE(7);
        for (p = 0; p + 4 <= k; p += 4) {
            double *to = out + p * width + j;
            ngrt_dy a = NGRT_DBOTH(r0, r4), b = NGRT_DBOTH(r1, r5), c = NGRT_DBOTH(r2, r6), d = NGRT_DBOTH(r3, r7), ab, cd;
            ab = __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13), cd = __builtin_shufflevector(c, d, 0, 8, 1, 9, 4, 12, 5, 13);
            *(ngrt_dy *)to = __builtin_shufflevector(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13);
            *(ngrt_dy *)(to + width) = __builtin_shufflevector(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
            ab = __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15), cd = __builtin_shufflevector(c, d, 2, 10, 3, 11, 6, 14, 7, 15);
            *(ngrt_dy *)(to + 2 * width) = __builtin_shufflevector(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13);
            *(ngrt_dy *)(to + 3 * width) = __builtin_shufflevector(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
    p = k - k % 4;
    ngrt_dturn(j < cols ? j : cols, k - p, from + p, row, out + p * width, width);
#endif
#endif
    return j < cols ? j + ngrt_dturn(cols - j, k, from + j * row, row, out + j, width) : j;
}

typedef double ngrt_dw __attribute__((vector_size(64), aligned(8), may_alias));

/* By vectors of 64 bytes: 8 rows of two of them. */
NGRT_DFOR("avx512f")
static void ngrt_dtile_avx512(int rows, int k, const double *a, ptrdiff_t row, ptrdiff_t col, const double *b, double alpha,
                              double beta, double *c, ptrdiff_t ldc) {
    const double *a0 = a;
    const double *a1 = rows > 1 ? a0 + row : a0, *a2 = rows > 2 ? a1 + row : a1, *a3 = rows > 3 ? a2 + row : a2;
    const double *a4 = rows > 4 ? a3 + row : a3, *a5 = rows > 5 ? a4 + row : a4, *a6 = rows > 6 ? a5 + row : a5;
    const double *a7 = rows > 7 ? a6 + row : a6;
    const ngrt_dw *v = (const ngrt_dw *)b;
    ngrt_dw s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
    ngrt_dw t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0}, t4 = {0}, t5 = {0}, t6 = {0}, t7 = {0};
    ptrdiff_t at = 0;
    int i, p;
    NGRT_DFETCH(2 * 8)
    for (p = 0; p < k; p++, at += col, v += 2) {
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
    NGRT_DPUT(ngrt_dw, 0, s0, t0)
    NGRT_DPUT(ngrt_dw, 1, s1, t1)
    NGRT_DPUT(ngrt_dw, 2, s2, t2)
    NGRT_DPUT(ngrt_dw, 3, s3, t3)
    NGRT_DPUT(ngrt_dw, 4, s4, t4)
    NGRT_DPUT(ngrt_dw, 5, s5, t5)
    NGRT_DPUT(ngrt_dw, 6, s6, t6)
    NGRT_DPUT(ngrt_dw, 7, s7, t7)
}
NGRT_DHALF(ngrt_dhalf_avx512, ngrt_dw, NGRT_DMORE, "avx512f")
#endif

/* The best kernel for this processor. */
static ngrt_dkernel ngrt_dchoose(void) {
    static const ngrt_dkernel plain = { NGRT_DROWS, NGRT_DCOLS, ngrt_dtile, NULL, ngrt_dturn };
#if defined __GNUC__ && defined __x86_64__
    static const ngrt_dkernel avx2 = { NGRT_DROWS, NGRT_DCOLS, ngrt_dtile_avx2, ngrt_dhalf_avx2, ngrt_dturn_avx2 };
    static const ngrt_dkernel avx512 = { NGRT_DMORE, 2 * NGRT_DCOLS, ngrt_dtile_avx512, ngrt_dhalf_avx512, ngrt_dturn_avx2 };
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return __builtin_cpu_supports("avx512f") ? avx512 : avx2;
#endif
    return plain;
}

/* Asks for a line of memory that will be read. */
#if defined __GNUC__
#define NGRT_DSOON(at) __builtin_prefetch(at)
#else
#define NGRT_DSOON(at) (void)(at)
#endif

/* Copies k rows of cols columns of b side by side, as wide as a tile; the columns missing hold other numbers. A whole row of the tile is
 * read where that stays in b. */
static void ngrt_dpack(const ngrt_dkernel *kernel, int cols, int k, ngrt_dmatrix b, double *out) {
    int width = kernel->cols, j, p = 0, whole = 0;
    if (b.row == 1) {
        cols = kernel->turn(cols, k, b.at, b.col, out, width);
        p = cols < width ? 0 : k;
    } else if (b.col == 1) {
        whole = width - cols <= (k - 1) * b.row ? (int)(k - (width - cols + b.row - 1) / b.row) : 0;
        if (width == 2 * NGRT_DCOLS)
            for (; p < whole; p++)
                memcpy(out + p * width, b.at + p * b.row, 2 * NGRT_DCOLS * sizeof *out);
        else if (width == NGRT_DCOLS)
            for (; p < whole; p++)
                memcpy(out + p * width, b.at + p * b.row, NGRT_DCOLS * sizeof *out);
        else
            for (; p < whole; p++)
                memcpy(out + p * width, b.at + p * b.row, NGRT_DCOLS / 2 * sizeof *out);
    }
    for (; p < k; p++) {
        const double *from = b.at + p * b.row;
        double *to = out + p * width;
        for (j = 0; j < cols && b.row != 1; j++)
            to[j] = from[j * b.col];
        for (j = cols; j < width; j++)
            to[j] = 0.0;
    }
}

/* Copies rows of a, k long, so that the numbers that a tile wants at a time are neighbours. */
static void ngrt_dblock(const ngrt_dkernel *kernel, int rows, int k, ngrt_dmatrix a, double *out) {
    int width = kernel->rows, i = 0, j, p;
    for (p = 0; p < k && a.row == 1; p++) {
        const double *from = a.at + p * a.col;
        double *to = out + p * width;
        for (j = 0; j < rows && p + 12 < k; j += NGRT_DCOLS)
            NGRT_DSOON(from + 12 * a.col + j);
        if (width == NGRT_DROWS)
            for (i = 0; i + NGRT_DROWS <= rows; i += NGRT_DROWS, to += k * NGRT_DROWS)
                memcpy(to, from + i, NGRT_DROWS * sizeof *to);
        else
            for (i = 0; i + NGRT_DMORE <= rows; i += NGRT_DMORE, to += k * NGRT_DMORE)
                memcpy(to, from + i, NGRT_DMORE * sizeof *to);
    }
    for (; i < rows; i += width) {
        const double *from = a.at + i * a.row;
        double *to = out + i * k;
        int own = rows - i < width ? rows - i : width;
        if (a.col == 1)
            kernel->turn(own, k, from, a.row, to, width);
        else
            for (p = 0; p < k; p++)
                for (j = 0; j < own; j++)
                    to[p * width + j] = from[j * a.row + p * a.col];
    }
}

/* A sum of more numbers, in each of its partial sums, is the sum of its halves: what is lost to rounding grows with the logarithm
 * of its length. */
enum { NGRT_DHALVED = 64 };

/* sum over p < k of x[p] y[p], in 8 partial sums that vectorise. */
static double ngrt_ddot(int k, const double *x, const double *y) {
    double s[NGRT_DCOLS] = {0}, sum = 0.0;
    int j, p;
    if (k > NGRT_DHALVED * NGRT_DCOLS) {
        const int half = k / (2 * NGRT_DCOLS) * NGRT_DCOLS;
        return ngrt_ddot(half, x, y) + ngrt_ddot(k - half, x + half, y + half);
    }
    for (p = 0; p + NGRT_DCOLS <= k; p += NGRT_DCOLS)
        for (j = 0; j < NGRT_DCOLS; j++)
            s[j] += x[p + j] * y[p + j];
    for (j = 0; j < k % NGRT_DCOLS; j++)
        sum += x[p + j] * y[p + j];
    for (j = 0; j < NGRT_DCOLS; j++)
        sum += s[j];
    return sum;
}

/* sum[j] = sum over p < k of x[p] b(p, j) for cols columns, as many as a tile's at most. */
static void ngrt_dsums(int cols, int k, const double *x, ngrt_dmatrix b, double *sum) {
    int i, p;
    if (k > NGRT_DHALVED) {
        const ngrt_dmatrix rest = { b.at + k / 2 * b.row, b.row, b.col };
        double more[NGRT_DCOLS];
        ngrt_dsums(cols, k / 2, x, b, sum);
        ngrt_dsums(cols, k - k / 2, x + k / 2, rest, more);
        for (i = 0; i < cols; i++)
            sum[i] += more[i];
        return;
    }
    for (i = 0; i < cols; i++)
        sum[i] = 0.0;
    if (cols == NGRT_DCOLS && b.col == 1)
        for (p = 0; p < k; p++)
            for (i = 0; i < NGRT_DCOLS; i++)
                sum[i] += x[p] * b.at[p * b.row + i];
    else
        for (p = 0; p < k; p++)
            for (i = 0; i < cols; i++)
                sum[i] += x[p] * b.at[p * b.row + i * b.col];
}

/* c[j step] = alpha (sum over p < k of x[p] b(p, j)) + beta c[j step] for j < n: a C of one row or column. */
static void ngrt_dvector(int n, int k, double alpha, const double *x, ngrt_dmatrix b, double beta, double *c,
                         ptrdiff_t step) {
    int i, j;
    for (j = 0; j < n; j += NGRT_DCOLS, b.at += NGRT_DCOLS * b.col, c += NGRT_DCOLS * step) {
        double sum[NGRT_DCOLS];
        int cols = n - j < NGRT_DCOLS ? n - j : NGRT_DCOLS;
        if (b.row == 1)
            for (i = 0; i < cols; i++)
                sum[i] = ngrt_ddot(k, x, b.at + i * b.col);
        else
            ngrt_dsums(cols, k, x, b, sum);
        ngrt_dstore(cols, alpha, sum, beta, c, step);
    }
}

/* So many pieces of at most `most` are as equal as multiples of `unit` can be. */
static int ngrt_dpiece(int size, int most, int unit) {
    int pieces = (size - 1) / most + 1, piece = (size - 1) / pieces + 1;
    return (piece + unit - 1) / unit * unit;
}

/* Copies some rows of cols numbers. */
static void ngrt_dcopy(int rows, int cols, const double *from, ptrdiff_t ldfrom, double *to, ptrdiff_t ldto) {
    int i, j;
    for (i = 0; i < rows; i++, from += ldfrom, to += ldto) {
        for (j = 0; j + 8 <= cols; j += 8)
            memcpy(to + j, from + j, 8 * sizeof *to);
        if (cols & 4)
            memcpy(to + j, from + j, 4 * sizeof *to), j += 4;
        if (cols & 2)
            memcpy(to + j, from + j, 2 * sizeof *to), j += 2;
        if (cols & 1)
            to[j] = from[j];
    }
}

/* The tiles of some rows of C against one panel of B; meanwhile what comes next of B is asked for. */
static void ngrt_dband(const ngrt_dkernel *kernel, int rows, int cols, int k, double alpha, ngrt_dmatrix a, const double *block,
                       const double *panel, ngrt_dmatrix next, double beta, double *c, ptrdiff_t ldc) {
    double sum[NGRT_DMORE * 2 * NGRT_DCOLS];
    const ptrdiff_t row = block ? 1 : a.row, col = block ? kernel->rows : a.col;
    int i, r, p = 0, ahead = next.at ? k * kernel->rows / rows + 1 : 0;
    for (i = 0; i < rows; i += kernel->rows) {
        for (r = p + ahead < k ? p + ahead : k; p < r; p++)
            NGRT_DSOON(next.col == 1 ? next.at + p * next.row : next.at + p % NGRT_DCOLS * next.col + p / NGRT_DCOLS * NGRT_DCOLS);
        int own = rows - i < kernel->rows ? rows - i : kernel->rows;
        const double *at = block ? block + i * k : a.at + i * a.row;
        if (cols == kernel->cols) {
            kernel->tile(own, k, at, row, col, panel, alpha, beta, c + i * ldc, ldc);
            continue;
        }
        if (beta != 0.0) /* less than a tile is rounded like a tile */
            memset(sum, 0, sizeof sum), ngrt_dcopy(own, cols, c + i * ldc, ldc, sum, kernel->cols);
        kernel->tile(own, k, at, row, col, panel, alpha, beta, sum, kernel->cols);
        ngrt_dcopy(own, cols, sum, kernel->cols, c + i * ldc, ldc);
    }
}

/* The product in general. B is taken in panels as wide as a tile, which stay in the first cache while the tiles of a band of
 * rows pass over them. A is copied to block, if there is one, where a tile's rows of it would lie far apart, or in each other's way
 * in the cache. */
static void ngrt_dproduct(int m, int n, int k, double alpha, ngrt_dmatrix a, ngrt_dmatrix b, double beta, double *c, ptrdiff_t ldc,
                          double *block) {
    const ngrt_dkernel kernel = ngrt_dchoose(), half = { kernel.rows, kernel.cols / 2, kernel.half, NULL, kernel.turn };
    double panel[NGRT_DDEPTH * 2 * NGRT_DCOLS];
    int copied = block && n > kernel.cols && (a.col != 1 || a.row % (64 * NGRT_DCOLS) == 0), room = copied ? NGRT_DBLOCK : NGRT_DBAND;
    int depth = k <= NGRT_DDEPTH ? k : ngrt_dpiece(k, NGRT_DDEPTH, 1), band = m, cols, i, j, p;
    if ((ptrdiff_t)(m + kernel.rows) * depth > room)
        band = ngrt_dpiece(m, room / depth / kernel.rows * kernel.rows, kernel.rows);
    for (p = 0; p < k; p += depth)
        for (i = 0; i < m; i += band) {
            int kp = k - p < depth ? k - p : depth, rows = m - i < band ? m - i : band;
            ngrt_dmatrix ap = { a.at + i * a.row + p * a.col, a.row, a.col };
            if (copied)
                ngrt_dblock(&kernel, rows, kp, ap, block);
            for (j = 0; j < n; j += cols) {
                const ngrt_dkernel *wide = n - j <= half.cols && half.tile ? &half : &kernel;
                ngrt_dmatrix bp = { b.at + p * b.row + j * b.col, b.row, b.col };
                cols = n - j < wide->cols ? n - j : wide->cols;
                ngrt_dpack(wide, cols, kp, bp, panel);
                bp.at = (b.row == 1 || b.col == 1) && j + cols + kernel.cols <= n ? bp.at + cols * b.col : NULL;
                ngrt_dband(wide, rows, cols, kp, alpha, ap, copied ? block : NULL, panel, bp, p == 0 ? beta : 1.0,
                           c + i * ldc + j, ldc);
            }
        }
}

/* Is B that of a layer, its columns contiguous, and larger than A? Then the rows of A become columns instead, and what comes out is C
 * turned, which is small. */
static int ngrt_dturns(int m, int n, ngrt_dmatrix a, ngrt_dmatrix b) {
    return a.col == 1 && b.row == 1 && m % NGRT_DCOLS == 0 && m < n && (ptrdiff_t)m * n <= NGRT_DBLOCK && b.col % (32 * NGRT_DCOLS) != 0;
}

/* c = alpha (the columns of turned as rows) + beta c. The tiles, which wrote turned, were not given alpha: a share of C's columns begins
 * at another row of a tile than in the whole C. */
static void ngrt_dback(int m, int n, double alpha, double *turned, double beta, double *c, ptrdiff_t ldc) {
    int i, j = 0;
    for (i = 0; i < m * n && alpha != 1.0; i++)
        turned[i] *= alpha;
    if (beta == 0.0)
        j = ngrt_dchoose().turn(n / 8 * 8, m, turned, m, c, (int)ldc);
    for (; j < n; j++)
        for (i = 0; i < m; i++)
            c[i * ldc + j] = beta == 0.0 ? turned[j * m + i] : turned[j * m + i] + beta * c[i * ldc + j];
}

/* Columns j0 to j1 of rows i0 to i1 of C = alpha A B + beta C. A number has the same bits in whatever share of C it is computed, if
 * shares begin where tiles do (compilers may round their rows differently); so what is chosen is chosen by the whole C. */
static void ngrt_dshare(int i0, int i1, int j0, int j1, int m, int n, int k, double alpha, ngrt_dmatrix a, ngrt_dmatrix b, double beta,
                        double *c, ptrdiff_t ldc) {
    double block[NGRT_DBLOCK];
    int i, j;
    a.at += i0 * a.row, b.at += j0 * b.col, c += i0 * ldc + j0;
    if (i1 <= i0 || j1 <= j0)
        return;
    if (k <= 0 || alpha == 0.0) {
        for (i = 0; i < i1 - i0; i++)
            for (j = 0; j < j1 - j0; j++)
                c[i * ldc + j] = beta == 0.0 ? 0.0 : beta * c[i * ldc + j];
    } else if (m == 1 && a.col == 1) {
        ngrt_dvector(j1 - j0, k, alpha, a.at, b, beta, c, 1);
    } else if (n == 1 && b.row == 1) {
        ngrt_dmatrix t = { a.at, a.col, a.row };
        ngrt_dvector(i1 - i0, k, alpha, b.at, t, beta, c, ldc);
    } else if (ngrt_dturns(m, n, a, b)) {
        ngrt_dmatrix rows = { b.at, b.col, 1 }, cols = { a.at, 1, a.row };
        ngrt_dproduct(j1 - j0, i1 - i0, k, 1.0, rows, cols, 0.0, block, i1 - i0, NULL);
        ngrt_dback(i1 - i0, j1 - j0, alpha, block, beta, c, ldc);
    } else {
        ngrt_dproduct(i1 - i0, j1 - j0, k, alpha, a, b, beta, c, ldc, block);
    }
}

/*@ dgemm: dgemm_part */
/* C[m,n] = alpha op(A) op(B) + beta C; A is [m,k], or [k,m] if ta; B is [k,n], or [n,k] if tb; beta = 0 overwrites. */
NGRT_FN void ngrt_dgemm(int ta, int tb, int m, int n, int k, double alpha, const double *a, int lda, const double *b,
                        int ldb, double beta, double *c, int ldc) {
    ngrt_dmatrix opa = { a, ta ? 1 : lda, ta ? lda : 1 }, opb = { b, tb ? 1 : ldb, tb ? ldb : 1 };
    ngrt_dshare(0, m, 0, n, m, n, k, alpha, opa, opb, beta, c, ldc);
}

/*@ dgemm_share: dgemm_part */
/* Of a product, or of `batch` of them, with rows and matrices one behind the other, what lies between begin and end: of the products (by is
 * 0), the rows of each (1) or its columns (2). */
NGRT_FN void ngrt_dgemm_share(int threads, int by, int begin, int end, int batch, int ta, int tb, int m, int n, int k, double alpha,
                              const double *a, const double *b, double beta, double *c) {
    ptrdiff_t rows = m, cols = n;
    int i, last = by == 0 ? end : batch;
    (void)threads;
    for (i = by == 0 ? begin : 0; i < last; i++) {
        ngrt_dmatrix opa = { a + i * rows * k, ta ? 1 : k, ta ? m : 1 }, opb = { b + i * cols * k, tb ? 1 : n, tb ? k : 1 };
        ngrt_dshare(by == 1 ? begin : 0, by == 1 ? end : m, by == 2 ? begin : 0, by == 2 ? end : n, m, n, k, alpha, opa, opb, beta,
                    c + i * rows * cols, n);
    }
}

/*@ end: */
#ifdef NGRT_CBLAS
#undef ngrt_sgemm
#undef ngrt_dgemm
#undef ngrt_sgemm_share
#undef ngrt_dgemm_share

#include <cblas.h>

#if defined __GNUC__ && defined __x86_64__
/* OpenBLAS has these; another CBLAS need not. */
int openblas_get_num_threads(void) __attribute__((weak));
int openblas_get_parallel(void) __attribute__((weak));
char *openblas_get_corename(void) __attribute__((weak));

/* Is the own kernel the faster one? It is where B's rows are whole tiles or many and the inner size is one that stays in the
 * caches, and A need not be copied; in double only by a little. With 64-byte vectors it is for all but products that are narrow, or
 * flat and not of whole vectors, or small, in double, and with B turned. CBLAS is where it has several threads with enough to do, or such vectors itself. Measured against
 * OpenBLAS's kernels for AVX2. */
static int is_own(int wide, int ta, int tb, int m, int n, int k) {
    double work = (double)m * n * k;
    const char *core;
    if (!openblas_get_corename || !openblas_get_num_threads || (openblas_get_num_threads() > 1 && work > 1048576.0))
        return 0;
    core = openblas_get_corename();
    if (strcmp(core, "Haswell") != 0 && strcmp(core, "Zen") != 0)
        return 0;
    if (__builtin_cpu_supports("avx512f"))
        return wide && tb ? m >= 8 && n >= 32 && k >= 16 && work >= 262144.0 : m >= 3 && n > 8 && (k >= 16 || (n % 16 == 0 && k >= 3));
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || n < 16 || (n < 48 && n % 16 != 0) || work > 67108864.0)
        return 0;
    if (wide)
        return !ta && k <= 256;
    return ta ? m >= 32 && work <= 262144.0 : k <= 800;
}

/* May several threads call CBLAS, each of which does what it is asked for by itself? It is known of OpenBLAS that is made for threads and told to
 * use one. */
static int is_quiet(void) {
    return openblas_get_num_threads && openblas_get_parallel && openblas_get_num_threads() == 1 && openblas_get_parallel() == 1;
}
#else
static int is_own(int wide, int ta, int tb, int m, int n, int k) {
    (void)wide, (void)ta, (void)tb, (void)m, (void)n, (void)k;
    return 0;
}

static int is_quiet(void) {
    return 0;
}
#endif

/* The call with sizes that CBLAS accepts: it wants row lengths of at least 1. */
void ngrt_sgemm(int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb,
                float beta, float *c, int ldc) {
    if (is_own(0, ta, tb, m, n, k))
        own_sgemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    else if (m > 0 && n > 0)
        cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n, k, alpha, a,
                    lda > 0 ? lda : 1, b, ldb > 0 ? ldb : 1, beta, c, ldc);
}

/* The same in double. */
void ngrt_dgemm(int ta, int tb, int m, int n, int k, double alpha, const double *a, int lda, const double *b, int ldb,
                double beta, double *c, int ldc) {
    if (is_own(1, ta, tb, m, n, k))
        own_dgemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    else if (m > 0 && n > 0)
        cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n, k, alpha, a,
                    lda > 0 ? lda : 1, b, ldb > 0 ? ldb : 1, beta, c, ldc);
}

/* A share by CBLAS where it keeps to the calling thread. */
void ngrt_sgemm_share(int threads, int by, int begin, int end, int batch, int ta, int tb, int m, int n, int k, float alpha, const float *a,
                      const float *b, float beta, float *c) {
    ptrdiff_t rows = m, cols = n, i0 = by == 1 ? begin : 0, j0 = by == 2 ? begin : 0;
    int i, last = by == 0 ? end : batch;
    if (threads > 1 && (!is_quiet() || is_own(0, ta, tb, m, n, k))) {
        own_sgemm_share(threads, by, begin, end, batch, ta, tb, m, n, k, alpha, a, b, beta, c);
        return;
    }
    for (i = by == 0 ? begin : 0; i < last; i++)
        ngrt_sgemm(ta, tb, by == 1 ? end - begin : m, by == 2 ? end - begin : n, k, alpha, a + i * rows * k + i0 * (ta ? 1 : k), ta ? m : k,
                   b + i * cols * k + j0 * (tb ? k : 1), tb ? k : n, beta, c + i * rows * cols + i0 * cols + j0, n);
}

/* A share by CBLAS where it keeps to the calling thread. */
void ngrt_dgemm_share(int threads, int by, int begin, int end, int batch, int ta, int tb, int m, int n, int k, double alpha, const double *a,
                      const double *b, double beta, double *c) {
    ptrdiff_t rows = m, cols = n, i0 = by == 1 ? begin : 0, j0 = by == 2 ? begin : 0;
    int i, last = by == 0 ? end : batch;
    if (threads > 1 && (!is_quiet() || is_own(1, ta, tb, m, n, k))) {
        own_dgemm_share(threads, by, begin, end, batch, ta, tb, m, n, k, alpha, a, b, beta, c);
        return;
    }
    for (i = by == 0 ? begin : 0; i < last; i++)
        ngrt_dgemm(ta, tb, by == 1 ? end - begin : m, by == 2 ? end - begin : n, k, alpha, a + i * rows * k + i0 * (ta ? 1 : k), ta ? m : k,
                   b + i * cols * k + j0 * (tb ? k : 1), tb ? k : n, beta, c + i * rows * cols + i0 * cols + j0, n);
}
#endif
