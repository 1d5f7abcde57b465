/* gemm.c - both matrix products against the triple loop: every transposition, shapes around the
 * tile's edges, strides longer than rows, alpha and beta, k = 0, NaN in what beta = 0 overwrites,
 * and nothing written outside C. The same of the products that are compiled for their sizes. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "ngrt.h"
#include "ngrt_small.h"

enum { ROOM = 120000 };

static double a_d[ROOM], b_d[ROOM], c_d[ROOM], c_old[ROOM];
static float a_f[ROOM], b_f[ROOM], c_f[ROOM];

typedef struct shape {
    int ta, tb, m, n, k, pad;
    double alpha, beta;
} shape;

/* Element (i, j) of the result by definition. */
static double expected(const shape *s, int lda, int ldb, int ldc, int i, int j)
{
    double sum = 0.0;
    int p;
    for (p = 0; p < s->k; p++)
        sum += a_d[s->ta ? p * lda + i : i * lda + p] * b_d[s->tb ? j * ldb + p : p * ldb + j];
    return s->alpha * sum + (s->beta != 0.0 ? s->beta * c_old[i * ldc + j] : 0.0);
}

/* One call of each type, or the functions for small sizes; fills are small multiples of 1/64, so
 * that float sums are exact for short k. */
static void test_shape(const shape *s, int small)
{
    int lda = (s->ta ? s->m : s->k) + s->pad, ldb = (s->tb ? s->k : s->n) + s->pad,
        ldc = s->n + s->pad;
    int i, j, good_d = 1, good_f = 1;
    for (i = 0; i < ROOM; i++) {
        a_f[i] = (float)(a_d[i] = (double)(i * 37 % 129 - 64) / 64.0);
        b_f[i] = (float)(b_d[i] = (double)(i * 53 % 127 - 63) / 64.0);
        c_f[i] = (float)(c_d[i] = c_old[i] = s->beta == 0.0 ? NAN : (double)(i % 17));
    }
    if (small) {
        ngrt_dgemm_small(s->ta, s->tb, s->m, s->n, s->k, s->alpha, a_d, b_d, s->beta, c_d);
        ngrt_sgemm_small(s->ta, s->tb, s->m, s->n, s->k, (float)s->alpha, a_f, b_f, (float)s->beta,
                         c_f);
    } else {
        ngrt_dgemm(s->ta, s->tb, s->m, s->n, s->k, s->alpha, a_d, lda, b_d, ldb, s->beta, c_d, ldc);
        ngrt_sgemm(s->ta, s->tb, s->m, s->n, s->k, (float)s->alpha, a_f, lda, b_f, ldb,
                   (float)s->beta, c_f, ldc);
    }
    for (i = 0; i < s->m + 2; i++)
        for (j = 0; j < ldc; j++) {
            int inside = i < s->m && j < s->n, at = i * ldc + j;
            double want = inside ? expected(s, lda, ldb, ldc, i, j) : c_old[at];
            good_d &=
                isnan(want) ? isnan(c_d[at]) : fabs(c_d[at] - want) <= 1e-12 * (1.0 + fabs(want));
            good_f &= isnan(want) ? isnan(c_f[at])
                                  : fabs((double)c_f[at] - want) <= 1e-4 * (1.0 + fabs(want));
        }
    if (!good_d || !good_f)
        fprintf(stderr, "%sta %d tb %d m %d n %d k %d pad %d alpha %g beta %g\n",
                small ? "small: " : "", s->ta, s->tb, s->m, s->n, s->k, s->pad, s->alpha, s->beta);
    CHECK(good_d);
    CHECK(good_f);
}

/* All shares of three products, by threads in an order that they would not keep. */
static void share_out(const shape *s, int threads, int by)
{
    static const int unit[] = {1, 48, 32};
    int n = by == 0 ? 3 : by == 1 ? s->m : s->n, pieces = (n + unit[by] - 1) / unit[by], id;
    for (id = threads - 1; id >= 0; id--) {
        int begin = pieces * id / threads * unit[by], end = pieces * (id + 1) / threads * unit[by];
        begin = begin < n ? begin : n, end = end < n ? end : n;
        ngrt_sgemm_share(threads, by, begin, end, 3, s->ta, s->tb, s->m, s->n, s->k,
                         (float)s->alpha, a_f, b_f, (float)s->beta, c_f);
        ngrt_dgemm_share(threads, by, begin, end, 3, s->ta, s->tb, s->m, s->n, s->k, s->alpha, a_d,
                         b_d, s->beta, c_d);
    }
}

/* Three products, whole and in shares: the same bits. */
static void test_shares(const shape *s)
{
    static float want[ROOM];
    static double want_d[ROOM];
    int count = 3 * s->m * s->n, threads, by, i, wrong = 0, far = 0;
    if (3 * s->m * s->k > ROOM || 3 * s->k * s->n > ROOM || count > ROOM)
        return;
    for (i = 0; i < ROOM; i++) { /* sums that are rounded */
        a_d[i] = a_f[i] = (float)sin(i);
        b_d[i] = b_f[i] = (float)cos(1.7 * i);
    }
    for (threads = 1; threads <= 7; threads++)
        for (by = 0; by < 3; by++) {
            for (i = 0; i < count; i++)
                c_f[i] = (float)(c_d[i] = c_old[i]);
            share_out(s, threads, by);
            for (i = 0; i < count; i++) {
                int first = threads == 1 && by == 0;
                wrong += !first && (want[i] != c_f[i] || want_d[i] != c_d[i]);
                far += !first && !(fabs((double)(want[i] - c_f[i])) < 1e-3 &&
                                   fabs(want_d[i] - c_d[i]) < 1e-9);
                want[i] = first ? c_f[i] : want[i];
                want_d[i] = first ? c_d[i] : want_d[i];
            }
            for (i = 0; i < s->m * s->n && threads == 2; i++)
                far += !(fabs(c_d[i] - expected(s, s->ta ? s->m : s->k, s->tb ? s->k : s->n, s->n,
                                                i / s->n, i % s->n)) < 1e-9);
        }
#ifdef NGRT_CBLAS /* whose products may be rounded otherwise */
    wrong = 0;
#endif
    CHECK(wrong == 0 && far == 0);
}

#ifndef NGRT_CBLAS /* whose sums are its own */
/* Sums of 100,000 numbers in float keep their digits: one row or column of C, B either way round.
 */
static void test_long(void)
{
    enum { LONG = 100000 };
    static float x[LONG], b[3 * LONG], c[3];
    const double want = (double)0.1f * LONG;
    int i, t;
    for (i = 0; i < 3 * LONG; i++)
        b[i] = 1.0f;
    for (i = 0; i < LONG; i++)
        x[i] = 0.1f;
    for (t = 0; t < 2; t++) {
        ngrt_sgemm(0, t, 1, 3, LONG, 1.0f, x, LONG, b, t ? LONG : 3, 0.0f, c, 3);
        CHECK(fabs((double)c[0] - want) < 2e-6 * want && c[1] == c[0] && c[2] == c[0]);
        ngrt_sgemm(t, 0, 3, 1, LONG, 1.0f, b, t ? 3 : LONG, x, 1, 0.0f, c, 1);
        CHECK(fabs((double)c[0] - want) < 2e-6 * want && c[1] == c[0] && c[2] == c[0]);
    }
}
#endif

int main(void)
{
    static const int sizes[][3] = {{1, 1, 1},      {1, 1, 0},      {3, 5, 0},    {0, 4, 3},
                                   {4, 0, 3},      {2, 2, 2},      {1, 7, 5},    {1, 33, 40},
                                   {7, 1, 5},      {40, 1, 33},    {5, 15, 3},   {6, 16, 8},
                                   {7, 17, 9},     {12, 32, 1},    {13, 31, 64}, {11, 24, 319},
                                   {6, 8, 320},    {8, 16, 321},   {5, 9, 700},  {200, 49, 257},
                                   {101, 65, 300}, {22, 64, 1024}, {1, 18, 641}, {17, 1, 641},
                                   {16, 39, 300},  {48, 53, 20},   {16, 23, 5}};
    static const int small[][3] = {{1, 1, 1},   {2, 3, 1},   {4, 8, 5},   {8, 4, 5},
                                   {5, 7, 50},  {32, 3, 16}, {3, 16, 32}, {16, 16, 16},
                                   {32, 20, 4}, {20, 32, 4}, {9, 24, 10}, {10, 30, 10},
                                   {31, 6, 7},  {6, 31, 7},  {2, 2, 256}, {64, 64, 1},
                                   {48, 2, 42}};
    static const double factors[][2] = {{1, 0}, {1, 1}, {-0.5, 2}, {0, 0}, {0, 3}, {0.7, 1.3}};
    size_t i, f;
    int t, pad;
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (t = 0; t < 4; t++)
            for (pad = 0; pad < 4; pad += 3)
                for (f = 0; f < sizeof factors / sizeof *factors; f++) {
                    shape s = {t & 1, t >> 1, 0, 0, 0, 0, 0, 0};
                    s.m = sizes[i][0], s.n = sizes[i][1], s.k = sizes[i][2];
                    s.pad = pad, s.alpha = factors[f][0], s.beta = factors[f][1];
                    test_shape(&s, 0);
                    if (pad == 0)
                        test_shares(&s);
                }
    for (i = 0; i < sizeof small / sizeof *small; i++)
        for (t = 0; t < 4; t++)
            for (f = 0; f < sizeof factors / sizeof *factors; f++) {
                shape s = {t & 1,       t >> 1, small[i][0],   small[i][1],
                           small[i][2], 0,      factors[f][0], factors[f][1]};
                test_shape(&s, 1);
            }
#ifndef NGRT_CBLAS
    test_long();
#endif
    return check_end("gemm");
}
