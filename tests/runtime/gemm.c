/* gemm.c - both matrix products against the triple loop: every transposition, shapes around the
 * tile's edges, strides longer than rows, alpha and beta, k = 0, NaN in what beta = 0 overwrites,
 * and nothing written outside C. The same of the products that are compiled for their sizes.
 * Products in parts are computed with one pair of alpha and beta in FACTORS for each shape, which
 * CHECK_SEED chooses; with CHECK_LONG, with all. Chains in parts and in shares have one's bits. */
#include <math.h>
#include <string.h>
#include <stdlib.h>

#include "check.h"
#include "ngrt.h"
#include "ngrt_small.h"

enum { ROOM = 210000 };

static double a_d[ROOM], b_d[ROOM], c_d[ROOM], c_old[ROOM];
static float a_f[ROOM], b_f[ROOM], c_f[ROOM];

typedef struct shape {
    int ta, tb, m, n, k;
    int pad; /* rows are this much longer than what is in them */
    double alpha, beta;
} shape;

/* The distances between rows as stored. */
static int lda_of(const shape *s)
{
    return (s->ta ? s->m : s->k) + s->pad;
}

static int ldb_of(const shape *s)
{
    return (s->tb ? s->k : s->n) + s->pad;
}

static int ldc_of(const shape *s)
{
    return s->n + s->pad;
}

/* Element (i, j) of the result by definition. */
static double expected(const shape *s, int i, int j)
{
    int lda = lda_of(s), ldb = ldb_of(s), p;
    double sum = 0.0;

    for (p = 0; p < s->k; p++) {
        double a = s->ta ? a_d[p * lda + i] : a_d[i * lda + p];
        double b = s->tb ? b_d[j * ldb + p] : b_d[p * ldb + j];
        sum += a * b;
    }
    sum *= s->alpha;
    if (s->beta != 0.0)
        sum += s->beta * c_old[i * ldc_of(s) + j];
    return sum;
}

/* How many elements the largest of the three matrices has, with what is checked behind C. */
static int room_of(const shape *s)
{
    int a = (s->ta ? s->k : s->m) * lda_of(s), b = (s->tb ? s->n : s->k) * ldb_of(s);
    int c = (s->m + 2) * ldc_of(s);

    if (b > a)
        a = b;
    return c > a ? c : a;
}

/* Small multiples of 1/64, so that float sums are exact for short k. C is NaN if it is only
 * overwritten. */
static void fill_exact(int room, double beta)
{
    int i;

    for (i = 0; i < room; i++) {
        a_d[i] = (double)(i * 37 % 129 - 64) / 64.0;
        b_d[i] = (double)(i * 53 % 127 - 63) / 64.0;
        c_d[i] = c_old[i] = beta == 0.0 ? NAN : (double)(i % 17);
        a_f[i] = (float)a_d[i];
        b_f[i] = (float)b_d[i];
        c_f[i] = (float)c_d[i];
    }
}

/* Is a number within the tolerance of what is wanted? */
static int is_near(double got, double want, double tolerance)
{
    if (isnan(want))
        return isnan(got);
    return fabs(got - want) <= tolerance * (1.0 + fabs(want));
}

/* Compares C, and what is around it, which must be untouched. */
static void check_result(const shape *s, int *good_d, int *good_f)
{
    int ldc = ldc_of(s), i, j;

    *good_d = *good_f = 1;
    for (i = 0; i < s->m + 2; i++)
        for (j = 0; j < ldc; j++) {
            int inside = i < s->m && j < s->n, at = i * ldc + j;
            double want = inside ? expected(s, i, j) : c_old[at];

            *good_d &= is_near(c_d[at], want, 1e-12);
            *good_f &= is_near((double)c_f[at], want, 1e-4);
        }
}

/* One call of each type, or the functions for small sizes. */
static void test_shape(const shape *s, int small)
{
    int lda = lda_of(s), ldb = ldb_of(s), ldc = ldc_of(s), good_d, good_f;

    fill_exact(room_of(s), s->beta);
    if (small) {
        ngrt_dgemm_small(s->ta, s->tb, s->m, s->n, s->k, s->alpha, a_d, b_d, s->beta, c_d);
        ngrt_sgemm_small(s->ta, s->tb, s->m, s->n, s->k, (float)s->alpha, a_f, b_f, (float)s->beta,
                         c_f);
    } else {
        ngrt_dgemm(s->ta, s->tb, s->m, s->n, s->k, s->alpha, a_d, lda, b_d, ldb, s->beta, c_d, ldc);
        ngrt_sgemm(s->ta, s->tb, s->m, s->n, s->k, (float)s->alpha, a_f, lda, b_f, ldb,
                   (float)s->beta, c_f, ldc);
    }

    check_result(s, &good_d, &good_f);
    if (!good_d || !good_f)
        fprintf(stderr, "%sta %d tb %d m %d n %d k %d pad %d alpha %g beta %g\n",
                small ? "small: " : "", s->ta, s->tb, s->m, s->n, s->k, s->pad, s->alpha, s->beta);
    CHECK(good_d);
    CHECK(good_f);
}

/* ---- products in parts ---- */

enum { PRODUCTS = 3 };

static int at_most(int value, int limit)
{
    return value < limit ? value : limit;
}

/* All parts of three products, by threads in an order that they would not keep. */
static void compute_parts(const shape *s, int threads, int by)
{
    static const int unit[] = {1, 48, 32};
    const int sizes[] = {PRODUCTS, s->m, s->n};
    int n = sizes[by], pieces = (n + unit[by] - 1) / unit[by], id;

    for (id = threads - 1; id >= 0; id--) {
        int begin = at_most(pieces * id / threads * unit[by], n);
        int end = at_most(pieces * (id + 1) / threads * unit[by], n);

        ngrt_sgemm_share(threads, by, begin, end, PRODUCTS, s->ta, s->tb, s->m, s->n, s->k,
                         (float)s->alpha, a_f, b_f, (float)s->beta, c_f);
        ngrt_dgemm_share(threads, by, begin, end, PRODUCTS, s->ta, s->tb, s->m, s->n, s->k,
                         s->alpha, a_d, b_d, s->beta, c_d);
    }
}

/* Numbers whose sums are rounded. */
static void fill_rounded(void)
{
    int i;

    for (i = 0; i < ROOM; i++) {
        a_f[i] = (float)(i * 7919 % 100003) / 50000.0f - 1.0f;
        b_f[i] = (float)(i * 6007 % 99991) / 50000.0f - 1.0f;
        a_d[i] = (double)a_f[i];
        b_d[i] = (double)b_f[i];
    }
}

/* Three products, whole and in parts: the same bits. */
static void test_shares(const shape *s)
{
    static float want[ROOM];
    static double want_d[ROOM];
    int count = PRODUCTS * s->m * s->n, threads, by, i, wrong = 0, far = 0;

    if (PRODUCTS * s->m * s->k > ROOM || PRODUCTS * s->k * s->n > ROOM || count > ROOM)
        return;
    fill_exact(ROOM, s->beta);
    fill_rounded();

    for (threads = 1; threads <= 7; threads++)
        for (by = 0; by < 3; by++) {
            for (i = 0; i < count; i++) {
                c_d[i] = c_old[i];
                c_f[i] = (float)c_d[i];
            }
            compute_parts(s, threads, by);

            /* each against the first */
            for (i = 0; i < count && (threads > 1 || by > 0); i++) {
                wrong += want[i] != c_f[i] || want_d[i] != c_d[i];
                far += !(fabs((double)(want[i] - c_f[i])) < 1e-3);
                far += !(fabs(want_d[i] - c_d[i]) < 1e-9);
            }
            if (threads == 1 && by == 0) {
                memcpy(want, c_f, sizeof want);
                memcpy(want_d, c_d, sizeof want_d);
            }
            for (i = 0; i < s->m * s->n && threads == 2; i++)
                far += !(fabs(c_d[i] - expected(s, i / s->n, i % s->n)) < 1e-9);
        }
#ifdef NGRT_CBLAS /* whose products may be rounded otherwise */
    wrong = 0;
#endif
    CHECK(wrong == 0 && far == 0);
}

/* ---- chains ---- */

static void chain(const shape *s, int m, int k, int row, int p, int down, int onto)
{
    const int at_a = s->ta ? p * s->m : row * s->k, at_b = p * s->n, at_c = row * s->n;

    ngrt_sgemm_chain(s->ta, s->tb, m, s->n, k, down, a_f + at_a, b_f + at_b, onto, c_f + at_c);
    ngrt_dgemm_chain(s->ta, s->tb, m, s->n, k, down, a_d + at_a, b_d + at_b, onto, c_d + at_c);
}

/* The rows of A' in two parts, those that come first in the chain first; or the rows of A. */
static void chain_in_parts(const shape *s, int down)
{
    const int half = s->k / 3, rows = s->m / 2;

    if (s->ta && !s->tb) {
        chain(s, s->m, down ? s->k - half : half, 0, down ? half : 0, down, 0);
        chain(s, s->m, down ? half : s->k - half, 0, down ? 0 : half, down, 1);
    } else if (!s->ta) {
        chain(s, rows, s->k, 0, 0, down, 0);
        chain(s, s->m - rows, s->k, rows, 0, down, 0);
    } else {
        chain(s, s->m, s->k, 0, 0, down, 0);
    }
}

static void chain_in_shares(const shape *s, int by, int down)
{
    const int size = by == 1 ? s->m : s->n, unit = by == 1 ? 24 : 32;

    for (int begin = 0; begin < size; begin += unit) {
        int end = at_most(begin + unit, size);
        ngrt_sgemm_chain_share(by, begin, end, s->ta, s->tb, s->m, s->n, s->k, down, a_f, b_f, 0,
                               c_f);
        ngrt_dgemm_chain_share(by, begin, end, s->ta, s->tb, s->m, s->n, s->k, down, a_d, b_d, 0,
                               c_d);
    }
}

/* A chain has the same bits in parts, and in shares. */
static void test_chains(const shape *s)
{
    static float want[ROOM];
    static double want_d[ROOM];
    const int count = s->m * s->n;
    int wrong = 0, far = 0;

    if (s->pad > 0 || s->m * s->k > ROOM || s->k * s->n > ROOM || count > ROOM)
        return;
    fill_rounded();

    for (int down = 0; down < 2; down++)
        for (int way = 0; way < 4; way++) {
            for (int i = 0; i < count; i++)
                c_d[i] = c_f[i] = -77.0f;
            if (way == 0)
                chain(s, s->m, s->k, 0, 0, down, 0);
            else if (way == 1)
                chain_in_parts(s, down);
            else
                chain_in_shares(s, way - 1, down);
            if (way == 0) {
                memcpy(want, c_f, (size_t)count * sizeof *want);
                memcpy(want_d, c_d, (size_t)count * sizeof *want_d);
            }
            for (int i = 0; i < count; i++) {
                wrong += want[i] != c_f[i] || want_d[i] != c_d[i];
                double sum = expected(s, i / s->n, i % s->n);
                far += !(fabs(c_d[i] - sum) < 1e-9) || !(fabs((double)c_f[i] - sum) < 1e-2);
            }
        }
    if (wrong || far)
        fprintf(stderr, "chain: ta %d tb %d m %d n %d k %d: %d wrong, %d far\n", s->ta, s->tb, s->m,
                s->n, s->k, wrong, far);
    CHECK(wrong == 0 && far == 0);
}

#ifndef NGRT_CBLAS /* whose sums are its own */
enum { LONG = 300000 };

/* Sums of many equal numbers in float keep their digits: a C of one row, one column, or several,
 * with A and B as they are and transposed. */
static void test_long(void)
{
    static float x[2 * LONG], b[3 * LONG], c[6];
    const double want = (double)0.1f * LONG;
    int i, m, n, t;

    for (i = 0; i < 3 * LONG; i++)
        b[i] = 1.0f;
    for (i = 0; i < 2 * LONG; i++)
        x[i] = 0.1f;

    for (t = 0; t < 4; t++)
        for (m = 1; m <= 2; m++)
            for (n = 1; n <= 3; n++) {
                const int ta = t & 1, tb = t >> 1;
                ngrt_sgemm(ta, tb, m, n, LONG, 1.0f, x, ta ? m : LONG, b, tb ? LONG : n, 0.0f, c,
                           n);
                for (i = 0; i < m * n; i++)
                    CHECK(fabs((double)c[i] - want) < 3e-6 * want);
            }
}

/* Long sums for more elements of C than are summed at a time, whole and in shares. */
static void test_long_blocks(void)
{
    enum { M = 100, N = 67, K = 16500 };
    static float a[M * K], b[K * N], c[M * N], parts[M * N];
    int i, j, p, wrong = 0;

    for (i = 0; i < M * K; i++)
        a[i] = (float)(i * 37 % 129 - 64) / 64.0f;
    for (i = 0; i < K * N; i++)
        b[i] = (float)(i * 53 % 127 - 63) / 64.0f;
    for (i = 0; i < M * N; i++)
        c[i] = parts[i] = (float)(i % 17);

    ngrt_sgemm(0, 0, M, N, K, 0.5f, a, K, b, N, 2.0f, c, N);
    for (i = 0; i < M; i++)
        for (j = 0; j < N; j++) {
            double sum = 0;
            for (p = 0; p < K; p++)
                sum += (double)(a[i * K + p] * b[p * N + j]);
            wrong += !is_near((double)c[i * N + j], 0.5 * sum + 2 * ((i * N + j) % 17), 1e-4);
        }
    for (p = 0; p < 2; p++)
        ngrt_sgemm_share(2, 1, p * 48, p == 0 ? 48 : M, 1, 0, 0, M, N, K, 0.5f, a, b, 2.0f, parts);
    CHECK(wrong == 0 && memcmp(c, parts, sizeof c) == 0);
}
#endif

/* Products with a B that is larger than a cache, both ways of it. */
static void test_large(void)
{
    enum { M = 9, N = 700, K = 720 };
    static float a[M * K], b[K * N], c[M * N];
    int i, j, p, t, wrong = 0;

    for (i = 0; i < M * K; i++)
        a[i] = (float)(i * 37 % 129 - 64) / 64.0f;
    for (i = 0; i < K * N; i++)
        b[i] = (float)(i * 53 % 127 - 63) / 64.0f;

    for (t = 0; t < 2; t++) {
        ngrt_sgemm(0, t, M, N, K, 1.0f, a, K, b, t ? K : N, 0.0f, c, N);
        for (i = 0; i < M; i++)
            for (j = 0; j < N; j++) {
                double sum = 0;
                for (p = 0; p < K; p++)
                    sum += (double)(a[i * K + p] * b[t ? j * K + p : p * N + j]);
                wrong += !is_near((double)c[i * N + j], sum, 1e-4);
            }
    }
    CHECK(wrong == 0);
}

static const int sizes[][3] = {{1, 1, 1},      {1, 1, 0},      {3, 5, 0},    {0, 4, 3},
                               {4, 0, 3},      {2, 2, 2},      {1, 7, 5},    {1, 33, 40},
                               {7, 1, 5},      {40, 1, 33},    {5, 15, 3},   {6, 16, 8},
                               {7, 17, 9},     {12, 32, 1},    {13, 31, 64}, {11, 24, 319},
                               {6, 8, 320},    {8, 16, 321},   {5, 9, 700},  {200, 49, 257},
                               {101, 65, 300}, {22, 64, 1024}, {1, 18, 641}, {17, 1, 641},
                               {16, 39, 300},  {48, 53, 20},   {16, 23, 5},  {1, 83, 200},
                               {92, 1, 70},    {37, 45, 1},    {1, 700, 70}, {290, 1, 3},
                               {7, 70, 40},                    /* one tile of rows */
                               {200, 70, 300}, {400, 70, 130}, /* one band of rows; several */
                               {16, 3100, 64},                 /* by columns, some at a time */
                               {2, 5, 67},     {3, 6, 101},    {4, 7, 133},  {6, 10, 389},
                               {8, 9, 515},    {2, 11, 2051}}; /* few rows */
static const int small[][3] = {{1, 1, 1},   {2, 3, 1},    {4, 8, 5},    {8, 4, 5},   {5, 7, 50},
                               {32, 3, 16}, {3, 16, 32},  {16, 16, 16}, {32, 20, 4}, {20, 32, 4},
                               {9, 24, 10}, {10, 30, 10}, {31, 6, 7},   {6, 31, 7},  {2, 2, 256},
                               {64, 64, 1}, {48, 2, 42}};
static const double factors[][2] = {{1, 0}, {1, 1}, {-0.5, 2}, {0, 0}, {0, 3}, {0.7, 1.3}};
enum {
    SIZES = sizeof sizes / sizeof *sizes,
    SMALL = sizeof small / sizeof *small,
    FACTORS = sizeof factors / sizeof *factors
};

/* A shape from the tables; t: which of A and B are transposed. */
static shape shape_of(const int size[3], const double factor[2], int t, int pad)
{
    shape s;

    s.ta = t & 1;
    s.tb = t >> 1;
    s.m = size[0];
    s.n = size[1];
    s.k = size[2];
    s.pad = pad;
    s.alpha = factor[0];
    s.beta = factor[1];
    return s;
}

/* A product of few rows, whose last elements are read twice and counted once: an element that is
 * not finite is in the sums of its row alone. */
static void test_few_infinite(void)
{
    enum { M = 4, N = 6, K = 133 };
    static float a[M * K], b[N * K], c[M * N];
    int i, p, wrong = 0;

    for (i = 0; i < N * K; i++)
        b[i] = 1;
    for (p = K - 8; p < K; p++) {
        for (i = 0; i < M * K; i++)
            a[i] = 1;
        a[K + p] = (float)INFINITY;
        ngrt_sgemm(0, 1, M, N, K, 1, a, K, b, K, 0, c, N);
        for (i = 0; i < M * N; i++)
            wrong += i / N == 1 ? !isinf(c[i]) : c[i] != K;
    }
    CHECK(wrong == 0);
}

/* Is number `index` in this run, if the share is one in `every`? As in_share of suite.sh. */
static int in_share(int every, int index)
{
    const char *all = getenv("CHECK_LONG"), *seed = getenv("CHECK_SEED");

    return (all && *all) || (index + (seed ? atoi(seed) : 1)) % every == 0;
}

int main(void)
{
    int i, f, t, pad;

    for (i = 0; i < SIZES; i++)
        for (t = 0; t < 4; t++)
            for (pad = 0; pad < 4; pad += 3)
                for (f = 0; f < FACTORS; f++) {
                    shape s = shape_of(sizes[i], factors[f], t, pad);

                    test_shape(&s, 0);
                    if (pad == 0 && in_share(FACTORS, i + t + f))
                        test_shares(&s);
                    if (pad == 0 && f == 0) /* alpha 1, beta 0 */
                        test_chains(&s);
                }
    for (i = 0; i < SMALL; i++)
        for (t = 0; t < 4; t++)
            for (f = 0; f < FACTORS; f++) {
                shape s = shape_of(small[i], factors[f], t, 0);

                test_shape(&s, 1);
            }
    test_large();
    test_few_infinite();
#ifndef NGRT_CBLAS
    test_long();
    test_long_blocks();
#endif
    return check_end("gemm");
}
