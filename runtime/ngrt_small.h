/* ngrt_small.h - C = alpha op(A) op(B) + beta C for small matrices of constant sizes, without the cost of a call that looks for the
 * best way: it is for functions that ngc emits, one for each product, and is compiled into them.
 *
 * Sections as in ngrt_math.h. They need <string.h>.
 */
#ifndef NGRT_SMALL_H
#define NGRT_SMALL_H

#include <string.h>

/*@ gemm_small: */
#if defined __GNUC__ && (defined __x86_64__ || defined __aarch64__)
/* Vectors lie along the rows of C or, if that leaves fewer of their elements over, along its columns: C' = op(B)' op(A)'. What they
 * take is x, the other operand s; their elements (p, j), (i, p) and C's (i, j) are xp, si, sp, ci and cj apart. */
#define NGRT_SMALL_INLINE static inline __attribute__((always_inline))
#define NGRT_SMALL_MOST 2048 /* of x, copied where it is not whole vectors */
#ifdef __x86_64__
#define NGRT_SMALL_BYTES 32 /* of a vector; those that are wider than the processor's GCC keeps in memory */
#else
#define NGRT_SMALL_BYTES 16
#endif

/* Up to four rows of a vector, or of two side by side (pair is 1), whose first `lanes` elements are in C. */
#define NGRT_SMALL_ADD(r) \
    if (rows > r) \
        u##r += s[r * d->si] * x0; \
    if (rows > r && pair) \
        v##r += s[r * d->si] * x1;
#define NGRT_SMALL_KEEP(r, real) \
    if (rows > r) { \
        real *to = d->c + (i + r) * d->ci + j * d->cj, sum[2 * width]; \
        vector *at = (vector *)to; \
        u##r *= d->alpha, v##r *= d->alpha; \
        if (d->cj == 1 && lanes == (1 + pair) * width) { \
            if (d->beta != (real)0) \
                u##r += d->beta * at[0], v##r += d->beta * at[pair]; \
            at[pair] = pair ? v##r : u##r; \
            at[0] = u##r; \
        } else { \
            memcpy(sum, &u##r, sizeof u##r); \
            memcpy(sum + width, &v##r, sizeof v##r); \
            for (l = 0; l < lanes; l++) \
                to[l * d->cj] = d->beta == (real)0 ? sum[l] : sum[l] + d->beta * to[l * d->cj]; \
        } \
    }
#define NGRT_SMALL_ROWS(name, count) \
    case count: ngrt_##name##small_rows(count, pair, i, j, lanes, &d); break;
#define NGRT_SMALL(name, real) \
    typedef struct ngrt_##name##small { \
        const real *x, *s; \
        int xp, si, sp, ci, cj, k; \
        real alpha, beta, *c; \
    } ngrt_##name##small; \
    NGRT_SMALL_INLINE void ngrt_##name##small_rows(const int rows, const int pair, int i, int j, const int lanes, const ngrt_##name##small *d) { \
        typedef real vector __attribute__((vector_size(NGRT_SMALL_BYTES), aligned(sizeof(real)), may_alias)); \
        enum { width = NGRT_SMALL_BYTES / sizeof(real) }; \
        const real *s = d->s + i * d->si, *x = d->x + j; \
        vector u0 = {0}, u1 = {0}, u2 = {0}, u3 = {0}, v0 = {0}, v1 = {0}, v2 = {0}, v3 = {0}; \
        int p, l; \
        for (p = 0; p < d->k; p++, x += d->xp, s += d->sp) { \
            const vector x0 = ((const vector *)x)[0], x1 = ((const vector *)x)[pair]; \
            NGRT_SMALL_ADD(0) NGRT_SMALL_ADD(1) NGRT_SMALL_ADD(2) NGRT_SMALL_ADD(3) \
        } \
        NGRT_SMALL_KEEP(0, real) NGRT_SMALL_KEEP(1, real) NGRT_SMALL_KEEP(2, real) NGRT_SMALL_KEEP(3, real) \
    } \
    NGRT_SMALL_INLINE void ngrt_##name##gemm_small(const int ta, const int tb, const int m, const int n, const int k, const real alpha, \
                                                   const real *a, const real *b, const real beta, real *c) { \
        const int width = NGRT_SMALL_BYTES / (int)sizeof(real), turned = n % width != 0 && (m % width == 0 || m > n); \
        const int nx = turned ? m : n, ns = turned ? n : m, whole = (nx + width - 1) / width * width, xj = turned ? (ta ? 1 : k) : tb ? k : 1; \
        real copy[NGRT_SMALL_MOST]; \
        int i, j, p; \
        ngrt_##name##small d; \
        d.x = turned ? a : b, d.xp = turned ? (ta ? m : 1) : tb ? 1 : n; \
        d.s = turned ? b : a, d.si = turned ? (tb ? k : 1) : ta ? 1 : k, d.sp = turned ? (tb ? 1 : n) : ta ? m : 1; \
        d.c = c, d.ci = turned ? 1 : n, d.cj = turned ? n : 1; \
        d.k = k, d.alpha = alpha, d.beta = beta; \
        if (xj != 1 || nx != whole) { \
            for (p = 0; p < k; p++) { \
                for (j = 0; j < nx; j++) \
                    copy[p * whole + j] = d.x[p * d.xp + j * xj]; \
                for (; j < whole; j++) \
                    copy[p * whole + j] = (real)0; \
            } \
            d.x = copy, d.xp = whole; \
        } \
        for (j = 0; j < whole; j += 2 * width) { \
            const int pair = j + width < whole, lanes = nx - j < (1 + pair) * width ? nx - j : (1 + pair) * width; \
            for (i = 0; i < ns; i += 4) \
                switch (ns - i) { \
                NGRT_SMALL_ROWS(name, 1) NGRT_SMALL_ROWS(name, 2) NGRT_SMALL_ROWS(name, 3) \
                default: ngrt_##name##small_rows(4, pair, i, j, lanes, &d); break; \
                } \
        } \
    }
#else
#define NGRT_SMALL(name, real) \
    static inline void ngrt_##name##gemm_small(int ta, int tb, int m, int n, int k, real alpha, const real *a, const real *b, real beta, \
                                               real *c) { \
        int i, j, p; \
        for (i = 0; i < m; i++) \
            for (j = 0; j < n; j++) { \
                real sum = 0; \
                for (p = 0; p < k; p++) \
                    sum += a[ta ? p * m + i : i * k + p] * b[tb ? j * k + p : p * n + j]; \
                c[i * n + j] = beta == 0 ? alpha * sum : alpha * sum + beta * c[i * n + j]; \
            } \
    }
#endif

/*@ sgemm_small: gemm_small */
/* Of matrices whose rows follow each other; the larger of m and n, rounded up to a multiple of 8, times k is at most 2048. */
NGRT_SMALL(s, float)

/*@ dgemm_small: gemm_small */
/* The same in double. */
NGRT_SMALL(d, double)

/*@ end: */
#endif
