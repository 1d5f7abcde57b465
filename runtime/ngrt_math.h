/* ngrt_math.h - scalar functions that the C library lacks, stable where the textbook formula is
 * not; and in float some that it has, without branches, of one number and of vectors
 * (ngrt_vector.h).
 *
 * Each function stands in a section of its own, from a line "/" "*@ NAME: SECTIONS IT NEEDS" to the
 * next such line, so that ngc can copy those a model uses into a standalone file. They need
 * <math.h>, <stdint.h> and <string.h>. ngrt_float.h and ngrt_double.h have more of them.
 */
#ifndef NGRT_MATH_H
#define NGRT_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/*@ sigmoid: */
/* 1/(1 + exp(-x)); exp is taken of -|x| alone, so that it neither overflows nor cancels. */
static inline double ngrt_sigmoid(double x)
{
    double e = exp(-fabs(x));
    return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

/*@ hide: */
/* x, but no compiler sees what it is made of. So a product that something is added to is rounded
 * first (NGRT_MUL), and a text has the same bits for all kinds of processors. And Clang 14 does not
 * merge the bits of two numbers with a choice, which it does wrongly for AVX-512. */
#if defined __GNUC__ && defined __SSE2__
#define NGRT_HIDE(x) __asm__("" : "+v"(x));
#elif defined __GNUC__ && defined __aarch64__
#define NGRT_HIDE(x) __asm__("" : "+w"(x));
#elif defined __GNUC__ && (defined __FP_FAST_FMA || defined __FP_FAST_FMAF)
#define NGRT_HIDE(x) __asm__("" : "+m"(x));
#endif
#ifdef NGRT_HIDE
#define NGRT_HIDDEN(F, x)      \
    __extension__({            \
        F ngrt_hidden = x;     \
        NGRT_HIDE(ngrt_hidden) \
        ngrt_hidden;           \
    })
#else
#define NGRT_HIDDEN(F, x) (x)
#endif
#define NGRT_MUL(F, a, b) NGRT_HIDDEN(F, (a) * (b))

/* A long function of one element, for those that vectors leave over: compiled once. */
#ifdef __GNUC__
#define NGRT_ALONE static __attribute__((noinline, unused))
#else
#define NGRT_ALONE static
#endif

/*@ texts: hide */
/* The functions below are texts, NGRT_TEXT_name(F, U, y, x): y becomes the function of x. F is
 * float, or ngrt_v of ngrt_vector.h, and U the unsigned ints of its size. */
#define NGRT_IF(F, test, a, b)     NGRT_IF_##F(test, a, b)
#define NGRT_IF_float(test, a, b)  ((test) ? (a) : (b))
#define NGRT_IF_double(test, a, b) ((test) ? (a) : (b))
#define NGRT_IF_ngrt_v(test, a, b) NGRT_PICK(test, a, b)
/* y becomes x, or lo where x is less, or hi where x is more; NaN stays. */
#define NGRT_BETWEEN(F, y, x, lo, hi) NGRT_BETWEEN_##F(F, y, x, lo, hi)
#define NGRT_BETWEEN_BY_IF(F, y, x, lo, hi)                 \
    {                                                       \
        const F ngrt_above = NGRT_IF(F, (x) < (lo), lo, x); \
        y = NGRT_IF(F, ngrt_above > (hi), hi, ngrt_above);  \
    }
/* y becomes x, or hi where x is more; NaN stays. */
#define NGRT_AT_MOST(F, y, x, hi)       NGRT_AT_MOST_##F(F, y, x, hi)
#define NGRT_AT_MOST_BY_IF(F, y, x, hi) y = NGRT_IF(F, (x) > (hi), hi, x);
#define NGRT_AT_MOST_float              NGRT_AT_MOST_BY_IF
#define NGRT_BETWEEN_float              NGRT_BETWEEN_BY_IF
#define NGRT_BETWEEN_double             NGRT_BETWEEN_BY_IF
#define NGRT_IF_ngrt_w(test, a, b)                               \
    ((ngrt_w)(((ngrt_wi)(test) & (ngrt_wi)((a) - (ngrt_w){0})) | \
              (~(ngrt_wi)(test) & (ngrt_wi)((b) - (ngrt_w){0}))))
#define NGRT_BITS(F, x)         NGRT_BITS_##F(x)
#define NGRT_BITS_float(x)      ngrt_bitsf(x)
#define NGRT_BITS_ngrt_v(x)     ((ngrt_u)(x))
#define NGRT_UNBITS(F, i)       NGRT_UNBITS_##F(i)
#define NGRT_UNBITS_float(i)    ngrt_unbitsf(i)
#define NGRT_UNBITS_ngrt_v(i)   ((ngrt_v)(i))
#define NGRT_WHOLE_AS(F, i)     NGRT_WHOLE_AS_##F(i) /* signed ints as floats */
#define NGRT_WHOLE_AS_float(i)  ((float)(int32_t)(i))
#define NGRT_WHOLE_AS_ngrt_v(i) __builtin_convertvector((ngrt_i)(i), ngrt_v)
#define NGRT_ABS_AS(F, x)       NGRT_UNBITS(F, NGRT_BITS(F, x) & 0x7FFFFFFFu)
#define NGRT_POWER_AS(F, n)     NGRT_UNBITS(F, ((n) + 127u) << 23) /* 2^n for -127 < n < 128 */
/* x with the sign of s */
#define NGRT_SIGNED_AS(F, x, s) \
    NGRT_HIDDEN(F,              \
                NGRT_UNBITS(F, (NGRT_BITS(F, x) & 0x7FFFFFFFu) | (NGRT_BITS(F, s) & 0x80000000u)))

/*@ bitsf: texts */
/* A float's bits, and back. */
static inline uint32_t ngrt_bitsf(float x)
{
    uint32_t i;
    memcpy(&i, &x, sizeof i);
    return i;
}

static inline float ngrt_unbitsf(uint32_t i)
{
    float x;
    memcpy(&x, &i, sizeof x);
    return x;
}

/*@ bitsd: texts */
/* A double's bits, and back; the same words for texts in double, F being double, or ngrt_v, or in
 * kernels of floats ngrt_w. */
static inline uint64_t ngrt_bitsd(double x)
{
    uint64_t i;
    memcpy(&i, &x, sizeof i);
    return i;
}

static inline double ngrt_unbitsd(uint64_t i)
{
    double x;
    memcpy(&x, &i, sizeof x);
    return x;
}

#define NGRT_BITS_double(x)   ngrt_bitsd(x)
#define NGRT_UNBITS_double(i) ngrt_unbitsd(i)
#define NGRT_BITS_ngrt_w(x)   ((ngrt_wu)(x))
#define NGRT_UNBITS_ngrt_w(i) ((ngrt_w)(i))
#define NGRT_ABS_ASD(F, x)    NGRT_UNBITS(F, NGRT_BITS(F, x) & 0x7FFFFFFFFFFFFFFFu)
#define NGRT_POWER_ASD(F, n)  NGRT_UNBITS(F, ((n) + 1023u) << 52) /* 2^n for -1023 < n < 1024 */
#define NGRT_SIGNED_ASD(F, x, s)                                            \
    NGRT_HIDDEN(F, NGRT_UNBITS(F, (NGRT_BITS(F, x) & 0x7FFFFFFFFFFFFFFFu) | \
                                      (NGRT_BITS(F, s) & 0x8000000000000000u)))
/* x rounded to 26 bits: products of two such numbers, and of what x lacks then, are exact. */
#define NGRT_UPPER(F, x) NGRT_UNBITS(F, (NGRT_BITS(F, x) + 0x4000000u) & 0xFFFFFFFFF8000000u)
/* The whole number next to x, |x| < 2^51, is n + NGRT_NEAREST - NGRT_NEAREST; as an int k. */
#define NGRT_NEAREST 6755399441055744.0 /* 1.5*2^52 */
#define NGRT_WHOLE_OF(F, n, k, x)              \
    n = (x) + NGRT_NEAREST;                    \
    k = NGRT_BITS(F, n) - 0x4338000000000000u; \
    n = n - NGRT_NEAREST;

/*@ far: */
/* Where the test holds, y becomes f(x) of the C library. */
#define NGRT_FAR(F, y, test, f, x) NGRT_FAR_##F(y, test, f, x)
#define NGRT_FAR_float(y, test, f, x) \
    if (test)                         \
        y = f(x);
#define NGRT_FAR_double(y, test, f, x) \
    if (test)                          \
        y = f(x);
#define NGRT_FAR2(F, y, test, f, x1, x2) NGRT_FAR2_##F(y, test, f, x1, x2)
#define NGRT_FAR2_float(y, test, f, x1, x2) \
    if (test)                               \
        y = f(x1, x2);

/*@ power_cases: bitsf bitsd */
/* Does a test hold, in each lane? */
#define NGRT_EVERYWHERE(F, test)     NGRT_EVERYWHERE_##F(test)
#define NGRT_EVERYWHERE_float(test)  (test)
#define NGRT_EVERYWHERE_double(test) (test)
#define NGRT_EVERYWHERE_ngrt_v(test)             \
    __extension__({                              \
        const ngrt_i ngrt_not = ~(ngrt_i)(test); \
        !NGRT_SOME(ngrt_not);                    \
    })
/* y becomes p, the power of |x1|, with the sign of x1^x2, or what C's Annex F says. Where x1 is
 * more than 0 and both are finite, that is p. Numbers from 2^52 (2^23) on are whole, and an odd
 * number's half is not. */
#define NGRT_IS_WHOLE(a, all) ((a + all - all == a) | (a >= all))
#define NGRT_POWER_CASES(F, ABS, SIGNED, all, y, x1, x2, p)                                        \
    y = p;                                                                                         \
    if (!NGRT_EVERYWHERE(F, (x1 > 0) & (x1 + ABS(F, x2) < INFINITY))) {                            \
        const F ngrt_b1 = NGRT_HIDDEN(F, x1), ngrt_b2 = NGRT_HIDDEN(F, x2);                        \
        const F ngrt_a1 = ABS(F, ngrt_b1), ngrt_a2 = ABS(F, ngrt_b2), ngrt_half2 = ngrt_a2 / 2;    \
        const F ngrt_of0 = NGRT_IF(F, ngrt_b2 < 0, INFINITY, 0),                                   \
                ngrt_ofinf = NGRT_IF(F, ngrt_b2 < 0, 0, INFINITY);                                 \
        const F ngrt_whole = NGRT_IF(F, NGRT_IS_WHOLE(ngrt_a2, all), 1, 0),                        \
                ngrt_odd = NGRT_IF(F, NGRT_IS_WHOLE(ngrt_half2, all), 0, ngrt_whole);              \
        F ngrt_case = NGRT_IF(F, ngrt_a1 == 0, ngrt_of0, y);                                       \
        ngrt_case = NGRT_IF(F, ngrt_a1 == INFINITY, ngrt_ofinf, ngrt_case);                        \
        ngrt_case = NGRT_IF(F, ngrt_a1 == 1, 1, ngrt_case);                                        \
        const F ngrt_signed = SIGNED(F, ngrt_case, ngrt_b1);                                       \
        ngrt_case = NGRT_IF(F, ngrt_odd > 0, ngrt_signed, ngrt_case);                              \
        ngrt_case =                                                                                \
            NGRT_IF(F, (ngrt_b1 < 0) & (ngrt_a1 < INFINITY) & (ngrt_whole == 0), NAN, ngrt_case);  \
        ngrt_case =                                                                                \
            NGRT_IF(F, (ngrt_b1 != ngrt_b1) | (ngrt_b2 != ngrt_b2), ngrt_b1 + ngrt_b2, ngrt_case); \
        y = NGRT_IF(F, (ngrt_b1 == 1) | (ngrt_b2 == 0), 1, ngrt_case);                             \
    }

/*@ exp_nearf: */
/* exp(r) - 1 for |r| <= log(2)/2, by a polynomial: p is for it. */
#define NGRT_EXP_NEAR(F, p, r)                                     \
    {                                                              \
        const F ngrt_r2 = r * r;                                   \
        const F ngrt_p1 = 1.6666665459e-1f * r + 5.0000001201e-1f; \
        const F ngrt_p3 = 8.3334519073e-3f * r + 4.1665795894e-2f; \
        p = 1.9875691500e-4f * r + 1.3981999507e-3f;               \
        p = p * ngrt_r2 + ngrt_p3;                                 \
        p = p * ngrt_r2 + ngrt_p1;                                 \
        p = p * ngrt_r2 + r;                                       \
    }

/*@ expf_text: bitsf exp_nearf */
/* exp(x) within 1 unit in the last place. x = n log 2 + r, where adding 1.5*2^23 rounds x/log 2 to
 * n and log 2 is in two pieces; 2^n in two factors, as n may be 128 and the result denormal. exp is
 * 0 below -103.98; NaN passes both limits. */
#define NGRT_TEXT_expf(F, U, y, x)                                                                \
    {                                                                                             \
        F ngrt_e;                                                                                 \
        NGRT_BETWEEN(F, ngrt_e, x, -104.0f, 104.0f)                                               \
        const F ngrt_z = ngrt_e * 1.44269504f + 12582912.0f, ngrt_n = ngrt_z - 12582912.0f;       \
        const U ngrt_k = NGRT_BITS(F, ngrt_z) - 0x4B400000u,                                      \
                ngrt_half = ((ngrt_k + 256u) >> 1) - 128u;                                        \
        F ngrt_r = ngrt_e - ngrt_n * 0.693359375f, ngrt_p;                                        \
        ngrt_r = ngrt_r + ngrt_n * 2.12194440e-4f;                                                \
        NGRT_EXP_NEAR(F, ngrt_p, ngrt_r)                                                          \
        y = (ngrt_p + 1.0f) * NGRT_POWER_AS(F, ngrt_half) * NGRT_POWER_AS(F, ngrt_k - ngrt_half); \
    }

/*@ expf: expf_text */
static inline float ngrt_expf(float x)
{
    float y;
    NGRT_TEXT_expf(float, uint32_t, y, x) return y;
}

/*@ logf_text: bitsf */
/* log(x) within 1 unit in the last place. x = 2^e (1 + m) with 1 + m from sqrt(1/2) to sqrt(2);
 * log(1 + m) = m - m^2/2 + m^3 times a polynomial. Denormal numbers are multiplied by 2^23 first.
 */
#define NGRT_TEXT_logf(F, U, y, x)                                                               \
    {                                                                                            \
        const F ngrt_tiny = NGRT_IF(F, x < 1.17549435e-38f, 1.0f, 0.0f);                         \
        const F ngrt_up = NGRT_IF(F, x < 1.17549435e-38f, x * 8388608.0f, x);                    \
        const U ngrt_k =                                                                         \
            (NGRT_BITS(F, ngrt_up) + 0x00CAFB0Du) >> 23; /* 128 more than the exponent */        \
        const F ngrt_m = NGRT_UNBITS(F, NGRT_BITS(F, ngrt_up) - ((ngrt_k - 128u) << 23)) - 1.0f; \
        const F ngrt_n = NGRT_WHOLE_AS(F, ngrt_k - 128u) - 23.0f * ngrt_tiny;                    \
        F ngrt_p = 7.0376836292e-2f * ngrt_m - 1.1514610310e-1f;                                 \
        ngrt_p = ngrt_p * ngrt_m + 1.1676998740e-1f;                                             \
        ngrt_p = ngrt_p * ngrt_m - 1.2420140846e-1f;                                             \
        ngrt_p = ngrt_p * ngrt_m + 1.4249322787e-1f;                                             \
        ngrt_p = ngrt_p * ngrt_m - 1.6668057665e-1f;                                             \
        ngrt_p = ngrt_p * ngrt_m + 2.0000714765e-1f;                                             \
        ngrt_p = ngrt_p * ngrt_m - 2.4999993993e-1f;                                             \
        ngrt_p = ngrt_p * ngrt_m + 3.3333331174e-1f;                                             \
        ngrt_p = ngrt_p * ngrt_m * (ngrt_m * ngrt_m) - ngrt_n * 2.12194440e-4f;                  \
        ngrt_p = ngrt_p - 0.5f * (ngrt_m * ngrt_m);                                              \
        ngrt_p = ngrt_m + ngrt_p + ngrt_n * 0.693359375f;                                        \
        ngrt_p = NGRT_IF(F, x > 3.40282347e+38f, x, ngrt_p);                                     \
        ngrt_p = NGRT_IF(F, x > 0.0f, ngrt_p, NAN);                                              \
        y = NGRT_IF(F, x == 0.0f, -INFINITY, ngrt_p);                                            \
    }

/*@ logf: logf_text */
static inline float ngrt_logf(float x)
{
    float y;
    NGRT_TEXT_logf(float, uint32_t, y, x) return y;
}

/*@ tanhf: bitsf exp_nearf */
/* tanh(x) within 2.5 units in the last place: E/(E + 2), where E = exp(2|x|) - 1 is computed as in
 * expf, and the sign of x. */
#define NGRT_TEXT_tanhf(F, U, y, x)                                                         \
    {                                                                                       \
        const F ngrt_two = 2.0f * NGRT_ABS_AS(F, x);                                        \
        F ngrt_e;                                                                           \
        NGRT_AT_MOST(F, ngrt_e, ngrt_two, 18.2f)                                            \
        const F ngrt_z = ngrt_e * 1.44269504f + 12582912.0f, ngrt_n = ngrt_z - 12582912.0f; \
        const F ngrt_s = NGRT_POWER_AS(F, NGRT_BITS(F, ngrt_z) - 0x4B400000u);              \
        F ngrt_r = ngrt_e - ngrt_n * 0.693359375f, ngrt_p;                                  \
        ngrt_r = ngrt_r + ngrt_n * 2.12194440e-4f;                                          \
        NGRT_EXP_NEAR(F, ngrt_p, ngrt_r)                                                    \
        ngrt_p = ngrt_p * ngrt_s + (ngrt_s - 1.0f);                                         \
        ngrt_p = ngrt_p / (ngrt_p + 2.0f);                                                  \
        y = NGRT_SIGNED_AS(F, ngrt_p, x);                                                   \
    }
static inline float ngrt_tanhf(float x)
{
    float y;
    NGRT_TEXT_tanhf(float, uint32_t, y, x) return y;
}

/*@ sigmoidf: expf_text */
/* 1/(1 + exp(-x)); exp is taken of -|x| alone, so that it neither overflows nor cancels. */
#define NGRT_TEXT_sigmoidf(F, U, y, x)                                \
    {                                                                 \
        const F ngrt_far = -NGRT_ABS_AS(F, x);                        \
        F ngrt_exp;                                                   \
        NGRT_TEXT_expf(F, U, ngrt_exp, ngrt_far) y =                  \
            NGRT_IF(F, x < 0.0f, ngrt_exp, 1.0f) / (1.0f + ngrt_exp); \
    }
static inline float ngrt_sigmoidf(float x)
{
    float y;
    NGRT_TEXT_sigmoidf(float, uint32_t, y, x) return y;
}

/*@ erf_nearf: */
/* erf(x) for |x| < 0.9: x and x times a polynomial in x^2. */
#define NGRT_ERF_NEAR(F, y, x)                                            \
    {                                                                     \
        const F ngrt_square = x * x, ngrt_sq = ngrt_square * ngrt_square; \
        F ngrt_near = 8.51310469e-05f * ngrt_square - 0.000817563967f,    \
          ngrt_near2 = 0.00520385895f * ngrt_square - 0.0268605091f;      \
        ngrt_near = ngrt_near * ngrt_sq + ngrt_near2;                     \
        ngrt_near2 = 0.112837151f * ngrt_square - 0.376126349f;           \
        ngrt_near = ngrt_near * ngrt_sq + ngrt_near2;                     \
        ngrt_near = ngrt_near * ngrt_square + 0.128379226f;               \
        y = x + x * ngrt_near;                                            \
    }

/*@ restf: bitsf */
/* rest = a - q b, rounded once: by a fused operation, or exactly, if q and b are in two pieces
 * whose products are exact. */
#define NGRT_RESTF(F, rest, a, q, b) NGRT_RESTF_##F(F, rest, a, q, b)
#define NGRT_UPPERF(F, x)            NGRT_UNBITS(F, (NGRT_BITS(F, x) + 0x800u) & 0xFFFFF000u)
#define NGRT_RESTF_BY_HALVES(F, rest, a, q, b)                      \
    {                                                               \
        const F ngrt_qh = NGRT_UPPERF(F, q), ngrt_ql = q - ngrt_qh; \
        const F ngrt_bh = NGRT_UPPERF(F, b), ngrt_bl = b - ngrt_bh; \
        rest = a - ngrt_qh * ngrt_bh;                               \
        rest = rest - ngrt_qh * ngrt_bl;                            \
        rest = rest - ngrt_ql * ngrt_bh;                            \
        rest = rest - ngrt_ql * ngrt_bl;                            \
    }
#define NGRT_RESTF_float NGRT_RESTF_BY_HALVES
#if defined __GNUC__ && defined __SSE2__ && (defined __FMA__ || !defined __AVX2__)
#define NGRT_RESTF_ngrt_v(F, rest, a, q, b)                               \
    if (sizeof(ngrt_v) > 16) {                                            \
        rest = a;                                                         \
        __asm__("vfnmadd231ps %2, %1, %0" : "+v"(rest) : "v"(q), "v"(b)); \
    } else                                                                \
        NGRT_RESTF_BY_HALVES(F, rest, a, q, b)
#elif defined __GNUC__ && defined __aarch64__
#define NGRT_RESTF_ngrt_v(F, rest, a, q, b) \
    rest = a;                               \
    __asm__("fmls %0.4s, %1.4s, %2.4s" : "+w"(rest) : "w"(q), "w"(b));
#else
#define NGRT_RESTF_ngrt_v NGRT_RESTF_BY_HALVES
#endif

/*@ erfcf_text: restf exp_nearf erf_nearf */
/* 1 - erf(x) within 6.5 units in the last place. For z = |x| from 0.5 on it is exp(-z^2) times a
 * quotient of two polynomials in z: 2^-27.4. What z^2 loses is added to what expf calls r. 2^n may
 * be denormal, and 2^(n+64) is not, so the upper polynomial is times 2^-64. It is 0 above 10.06;
 * NaN passes. */
#define NGRT_TEXT_erfcf(F, U, y, x)                                                           \
    {                                                                                         \
        const F ngrt_abs = NGRT_ABS_AS(F, x);                                                 \
        F ngrt_z, ngrt_r, ngrt_p, ngrt_over, ngrt_under;                                      \
        NGRT_AT_MOST(F, ngrt_z, ngrt_abs, 10.1f)                                              \
        const F ngrt_z2 = ngrt_z * ngrt_z, ngrt_power = ngrt_z2 * -1.44269504f + 12582912.0f, \
                ngrt_n = ngrt_power - 12582912.0f, ngrt_whole = ngrt_n * -0.693359375f;       \
        const F ngrt_o2 = 1.2416145e-20f * ngrt_z + 3.96397842e-20f;                          \
        const F ngrt_u2 = 1.32466054f * ngrt_z + 2.40144563f;                                 \
        ngrt_over = 1.77582652e-21f * ngrt_z2 + ngrt_o2;                                      \
        ngrt_under = 0.0580617227f * ngrt_z + 0.405984879f;                                   \
        ngrt_over = ngrt_over * ngrt_z2 + (6.71148177e-20f * ngrt_z + 5.42101086e-20f);       \
        ngrt_under = ngrt_under * ngrt_z2 + ngrt_u2;                                          \
        ngrt_under = ngrt_under * ngrt_z2 + (2.36642957f * ngrt_z + 1.0f);                    \
        ngrt_over = ngrt_over / ngrt_under;                                                   \
        NGRT_RESTF(F, ngrt_r, ngrt_whole, ngrt_z, ngrt_z)                                     \
        ngrt_r = ngrt_r + ngrt_n * 2.12194440e-4f;                                            \
        NGRT_EXP_NEAR(F, ngrt_p, ngrt_r)                                                      \
        ngrt_p = (ngrt_over * ngrt_p + ngrt_over) *                                           \
                 NGRT_UNBITS(F, (NGRT_BITS(F, ngrt_power) - 0x4B3FFF41u) << 23);              \
        ngrt_p = NGRT_IF(F, x < 0.0f, 2.0f - ngrt_p, ngrt_p);                                 \
        NGRT_ERF_NEAR(F, ngrt_r, x)                                                           \
        y = NGRT_IF(F, ngrt_z < 0.5f, 1.0f - ngrt_r, ngrt_p);                                 \
    }

/*@ erfcf: erfcf_text */
static inline float ngrt_erfcf(float x)
{
    float y;
    NGRT_TEXT_erfcf(float, uint32_t, y, x) return y;
}

/*@ erff: erfcf_text erf_nearf */
/* erf(x) within 2.5 units in the last place. */
#define NGRT_TEXT_erff(F, U, y, x)                                            \
    {                                                                         \
        const F ngrt_far = NGRT_ABS_AS(F, x);                                 \
        F ngrt_one, ngrt_small;                                               \
        NGRT_TEXT_erfcf(F, U, ngrt_one, ngrt_far) ngrt_one = 1.0f - ngrt_one; \
        NGRT_ERF_NEAR(F, ngrt_small, x)                                       \
        ngrt_one = NGRT_SIGNED_AS(F, ngrt_one, x);                            \
        y = NGRT_IF(F, ngrt_far < 0.9f, ngrt_small, ngrt_one);                \
    }
static inline float ngrt_erff(float x)
{
    float y;
    NGRT_TEXT_erff(float, uint32_t, y, x) return y;
}

/*@ softplus: */
/* log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)); for very negative x it is exp(x) to the last
 * digits. */
static inline double ngrt_softplus(double x)
{
    return (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x)));
}

/*@ softplusf: expf_text logf_text */
/* log(1 + exp(x)) = max(x, 0) + log(1 + e), e = exp(-|x|); what 1 + e loses of e is added to the
 * logarithm. */
#define NGRT_TEXT_softplusf(F, U, y, x)                                      \
    {                                                                        \
        const F ngrt_far = -NGRT_ABS_AS(F, x);                               \
        F ngrt_exp, ngrt_sum, ngrt_log;                                      \
        NGRT_TEXT_expf(F, U, ngrt_exp, ngrt_far) ngrt_sum = 1.0f + ngrt_exp; \
        NGRT_TEXT_logf(F, U, ngrt_log, ngrt_sum) y =                         \
            NGRT_IF(F, x > 0.0f, x, 0.0f) +                                  \
            (ngrt_log + (ngrt_exp - (ngrt_sum - 1.0f)) / ngrt_sum);          \
    }
static inline float ngrt_softplusf(float x)
{
    float y;
    NGRT_TEXT_softplusf(float, uint32_t, y, x) return y;
}

/*@ roots: */
/* Without this a compiler calls the C library for the root of a negative number: to set errno. */
#ifdef __GNUC__
extern float sqrtf(float) __attribute__((const));
extern double sqrt(double) __attribute__((const));
#endif

/*@ sqrt: roots */
static inline double ngrt_sqrt(double x)
{
    return sqrt(x);
}

/*@ sqrtf: roots */
static inline float ngrt_sqrtf(float x)
{
    return sqrtf(x);
}

/*@ sign: */
/* -1, 0 or 1; NaN stays. */
static inline double ngrt_sign(double x)
{
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x;
}

/*@ as_int: */
/* The whole number below x, the nearest int32 if it is none; 0 for NaN. */
static inline int32_t ngrt_as_int(double x)
{
    double y = floor(x);
    if (!(y > -2147483648.0))
        return x < 0.0 ? INT32_MIN : 0;
    return y < 2147483647.0 ? (int32_t)y : INT32_MAX;
}

/*@ pick: */
/* a if the test is true, b if not; both are there already. Without a jump, which costs more than
 * this where it is guessed wrongly. */
static inline double ngrt_pick(int test, double a, double b)
{
    const uint64_t mask = (uint64_t)0 - (uint64_t)(test != 0);
    uint64_t x, y;

    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    x = (x & mask) | (y & ~mask);
    memcpy(&a, &x, sizeof a);
    return a;
}

/*@ pickf: */
/* a if the test is true, b if not; without a jump. */
static inline float ngrt_pickf(int test, float a, float b)
{
    const uint32_t mask = (uint32_t)0 - (uint32_t)(test != 0);
    uint32_t x, y;

    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    x = (x & mask) | (y & ~mask);
    memcpy(&a, &x, sizeof a);
    return a;
}

/*@ signf: */
/* -1, 0 or 1; NaN stays. */
static inline float ngrt_signf(float x)
{
    return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x;
}

/*@ maximum: */
/* The larger; NaN if either is. */
static inline double ngrt_maximum(double a, double b)
{
    return a > b || a != a ? a : b;
}

/*@ maximumf: */
/* The larger; NaN if either is. */
static inline float ngrt_maximumf(float a, float b)
{
    return a > b || a != a ? a : b;
}

/*@ minimum: */
/* The smaller; NaN if either is. */
static inline double ngrt_minimum(double a, double b)
{
    return a < b || a != a ? a : b;
}

/*@ minimumf: */
/* The smaller; NaN if either is. */
static inline float ngrt_minimumf(float a, float b)
{
    return a < b || a != a ? a : b;
}

/*@ erfinv: */
/* The number whose erf is x. A first guess (Winitzki, 2008) has 2 digits; each step of Halley's
 * method has three times as many: after two steps 2.6e-16 of the value are left, and next to 1,
 * where the guess is worse, after three. Near 1, 1 - |x| is compared with erfc instead. */
static inline double ngrt_erfinv(double x)
{
    double far = fabs(x), rest = 1.0 - far, low, half, y;
    int step = far < 0.999999 ? 1 : 0;

    if (!(far < 1.0))
        return far == 1.0 ? x * INFINITY : NAN;
    low = far < 0.5 ? log1p(-x * x) : log1p(far) + log1p(-far); /* log(1 - x^2) */
    half = 4.3307467507998 + 0.5 * low;
    y = sqrt(-6.802721088435374 * low / (sqrt(half * half - 6.802721088435374 * low) + half));

    for (; step < 3; step++) {
        double miss = far < 0.5 ? erf(y) - far : rest - erfc(y);
        miss *= 0.88622692545275801 * exp(y * y);
        y -= miss / (1.0 + y * miss);
    }
    return x < 0.0 ? -y : y;
}

/*@ erfinvf: erfinv */
static inline float ngrt_erfinvf(float x)
{
    return (float)ngrt_erfinv((double)x);
}

/*@ polygamma: */
/* The n-th derivative of cot(pi x), divided by pi^n: a polynomial in c = cot(pi x), as the
 * derivative of c^k is -k pi (c^(k-1) + c^(k+1)). */
static inline double ngrt_cot_slope(int n, double x)
{
    double p[24] = {0.0, 1.0}, q[24], r = 3.14159265358979324 * (x - rint(x));
    double c = cos(r) / sin(r), y = 0.0;
    int i, k;

    for (i = 0; i < n; i++) {
        for (k = 0; k < 24; k++)
            q[k] = p[k];
        for (k = 0; k < 23; k++)
            p[k] = -(k + 1) * q[k + 1] - (k > 0 ? (k - 1) * q[k - 1] : 0.0);
    }
    for (k = n + 1; k >= 0; k--)
        y = y * c + p[k];
    return y;
}

/* The n-th derivative of digamma at x, the derivative of log gamma, for n = 0 .. 20: by its
 * asymptotic series from 15 + n on, by the recurrence below it, by the reflection below 0. */
static inline double ngrt_polygamma(double order, double x)
{
    /* B(2k)/(2k)! */
    static const double bernoulli[10] = {8.3333333333333333e-02, -1.3888888888888889e-03,
                                         3.3068783068783069e-05, -8.2671957671957672e-07,
                                         2.0876756987868099e-08, -5.2841901386874932e-10,
                                         1.3382536530684679e-11, -3.3896802963225829e-13,
                                         8.5860620562778446e-15, -2.1748686985580619e-16};
    double sum = 0.0, factorial = 1.0, sign, power, term;
    int n = order >= 0.0 && order <= 20.0 ? (int)order : -1, k;

    if (n < 0 || (double)n != order || x != x)
        return NAN;
    sign = n % 2 ? 1.0 : -1.0;
    if (x == 0.0)
        return n % 2 ? INFINITY : -1.0 / x;
    if (x < 0.0 && x == floor(x))
        return n % 2 ? INFINITY : NAN;
    if (x < 0.0)
        return -sign * ngrt_polygamma(order, 1.0 - x) -
               pow(3.14159265358979324, order + 1.0) * ngrt_cot_slope(n, x);

    for (k = 2; k <= n; k++)
        factorial *= k;
    for (; x < 15.0 + order; x += 1.0)
        sum += n == 0 ? 1.0 / x : factorial * pow(x, -order - 1.0);

    power = pow(x, -order);
    sum += 0.5 * factorial * power / x + (n == 0 ? -log(x) : factorial / order * power);
    term = factorial * (order + 1.0) * power / (x * x); /* (n + 2k - 1)!/x^(n + 2k) */
    for (k = 0; k < 10; k++) {
        sum += bernoulli[k] * term;
        term *= (order + 2 * k + 2) * (order + 2 * k + 3) / (x * x);
    }
    return sign * sum;
}

/*@ polygammaf: polygamma */
static inline float ngrt_polygammaf(float order, float x)
{
    return (float)ngrt_polygamma((double)order, (double)x);
}

/*@ mod: */
/* a - b*floor(a/b) without its rounding errors: the remainder with the sign of b. */
static inline double ngrt_mod(double a, double b)
{
    double r = fmod(a, b);
    if (r == 0.0)
        return copysign(0.0, b);
    return (r < 0.0) != (b < 0.0) ? r + b : r;
}

/*@ modf: */
/* a - b*floor(a/b) without its rounding errors: the remainder with the sign of b. */
static inline float ngrt_modf(float a, float b)
{
    float r = fmodf(a, b);
    if (r == 0.0f)
        return copysignf(0.0f, b);
    return (r < 0.0f) != (b < 0.0f) ? r + b : r;
}

/*@ add_int: */
/* a + b of ints goes round where it leaves their range, which in plain C is undefined. */
static inline int32_t ngrt_add_int(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

/*@ sub_int: */
/* a - b of ints goes round where it leaves their range, which in plain C is undefined. */
static inline int32_t ngrt_sub_int(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

/*@ sum_int: */
/* A sum of ints, added up in a double: it goes round where it leaves their range. */
static inline int32_t ngrt_sum_int(double sum)
{
    return (int32_t)(uint32_t)(int64_t)sum;
}

/*@ mul_int: */
/* a*b of ints goes round where it leaves their range, which in plain C is undefined. */
static inline int32_t ngrt_mul_int(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a * (uint32_t)b);
}

/*@ mod_int: */
/* The remainder of a/b with the sign of b; 0 if b is 0. (In plain C, both a % 0 and the least int
 * % -1 are undefined.) */
static inline int32_t ngrt_mod_int(int32_t a, int32_t b)
{
    int32_t r;

    if (b == 0 || b == -1)
        return 0;
    r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/*@ end: */
#endif
