/* ngrt_math.h - scalar functions that the C library lacks, stable where the textbook formula is not; and in float some that it
 * has, without branches, so that C compilers vectorise loops over them.
 *
 * Each function stands in a section of its own, from a line "/" "*@ NAME: SECTIONS IT NEEDS" to the next such line, so
 * that ngc can copy those a model uses into a standalone file. They need <math.h>, <stdint.h> and <string.h>.
 */
#ifndef NGRT_MATH_H
#define NGRT_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/*@ sigmoid: */
/* 1/(1 + exp(-x)); exp is taken of -|x| alone, so that it neither overflows nor cancels. */
static inline double ngrt_sigmoid(double x) {
    double e = exp(-fabs(x));
    return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

/*@ bitsf: */
/* A float's bits, and back. */
static inline uint32_t ngrt_bitsf(float x) {
    uint32_t i;
    memcpy(&i, &x, sizeof i);
    return i;
}

/* 2^n for -127 < n < 128 */
static inline float ngrt_powerf(uint32_t n) {
    float x;
    n = (n + 127u) << 23;
    memcpy(&x, &n, sizeof x);
    return x;
}

/*@ exp_nearf: */
/* exp(r) - 1 for |r| <= log(2)/2, by a polynomial. */
static inline float ngrt_exp_nearf(float r) {
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * (r * r) + r;
}

/*@ expf: bitsf exp_nearf */
/* exp(x) within 1 unit in the last place. x = n log 2 + r, where adding 1.5*2^23 rounds x/log 2 to n and log 2 is in two pieces;
 * 2^n in two factors, as n may be 128 and the result denormal. */
static inline float ngrt_expf(float x) {
    float z, n, r, p;
    uint32_t i, half;
    x = x < -104.0f ? -104.0f : x; /* exp is 0 below -103.98 */
    x = x > 104.0f ? 104.0f : x;   /* NaN passes both */
    z = x * 1.44269504f + 12582912.0f;
    n = z - 12582912.0f;
    i = ngrt_bitsf(z) - 0x4B400000u;
    half = (i + 256u) / 2u - 128u;
    r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    p = ngrt_exp_nearf(r) + 1.0f;
    return p * ngrt_powerf(half) * ngrt_powerf(i - half);
}

/*@ logf: bitsf */
/* log(x) within 1 unit in the last place. x = 2^e (1 + m) with 1 + m from sqrt(1/2) to sqrt(2);
 * log(1 + m) = m - m^2/2 + m^3 times a polynomial. */
static inline float ngrt_logf(float x) {
    float tiny = x < 1.17549435e-38f ? 1.0f : 0.0f, u = x < 1.17549435e-38f ? x * 8388608.0f : x, m, e, y;
    uint32_t i = ngrt_bitsf(u), n = (i + 0x00CAFB0Du) >> 23; /* 128 more than the exponent */
    i -= (n - 128u) << 23;
    memcpy(&m, &i, sizeof m);
    m -= 1.0f;
    e = (float)(int32_t)(n - 128u) - 23.0f * tiny;
    y = 7.0376836292e-2f;
    y = y * m - 1.1514610310e-1f;
    y = y * m + 1.1676998740e-1f;
    y = y * m - 1.2420140846e-1f;
    y = y * m + 1.4249322787e-1f;
    y = y * m - 1.6668057665e-1f;
    y = y * m + 2.0000714765e-1f;
    y = y * m - 2.4999993993e-1f;
    y = y * m + 3.3333331174e-1f;
    y = y * m * (m * m) - e * 2.12194440e-4f;
    y = y - 0.5f * (m * m);
    y = m + y + e * 0.693359375f;
    y = x > 3.40282347e+38f ? x : y;
    y = x > 0.0f ? y : NAN;
    return x == 0.0f ? -INFINITY : y;
}

/*@ tanhf: bitsf exp_nearf */
/* tanh(x) within 2.5 units in the last place: E/(E + 2), where E = exp(2|x|) - 1 is computed as in ngrt_expf. */
static inline float ngrt_tanhf(float x) {
    float y = 2.0f * fabsf(x), z, n, r, p, s, t;
    y = y > 18.2f ? 18.2f : y;
    z = y * 1.44269504f + 12582912.0f;
    n = z - 12582912.0f;
    r = y - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    p = ngrt_exp_nearf(r);
    s = ngrt_powerf(ngrt_bitsf(z) - 0x4B400000u);
    t = p * s + (s - 1.0f);
    return copysignf(t / (t + 2.0f), x);
}

/*@ sigmoidf: expf */
/* 1/(1 + exp(-x)); exp is taken of -|x| alone, so that it neither overflows nor cancels. */
static inline float ngrt_sigmoidf(float x) {
    float e = ngrt_expf(-fabsf(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

/*@ erf_nearf: */
/* erf(x) for |x| < 0.9: x and x times a polynomial in x^2. */
static inline float ngrt_erf_nearf(float x) {
    float u = x * x, p = 8.51310469e-05f;
    p = p * u - 0.000817563967f;
    p = p * u + 0.00520385895f;
    p = p * u - 0.0268605091f;
    p = p * u + 0.112837151f;
    p = p * u - 0.376126349f;
    p = p * u + 0.128379226f;
    return x + x * p;
}

/*@ erfcf: bitsf exp_nearf erf_nearf */
/* 1 - erf(x) within 6.5 units in the last place. For z = |x| from 0.5 on, t exp(-z^2) times a polynomial in t = 1/(1 + z/2), fitted
 * for the least relative error. Of z^2 the square of z's upper half is exact, and the rest is added to what ngrt_expf calls r. */
static inline float ngrt_erfcf(float x) {
    float z = fabsf(x), a, w, n, r, p, t, q;
    uint32_t i, half;
    z = z > 10.1f ? 10.1f : z; /* erfc is 0 above 10.06; NaN passes */
    i = ngrt_bitsf(z) & 0xFFFFF000u;
    memcpy(&a, &i, sizeof a);
    w = a * a * -1.44269504f + 12582912.0f;
    n = w - 12582912.0f;
    i = ngrt_bitsf(w) - 0x4B400000u;
    half = (i + 256u) / 2u - 128u;
    r = a * a * -1.0f - n * 0.693359375f;
    r = r + (n * 2.12194440e-4f - (z - a) * (z + a));
    p = ngrt_exp_nearf(r) + 1.0f;
    t = 1.0f / (1.0f + 0.5f * z);
    q = 0.035766989f;
    q = q * t - 0.191032663f;
    q = q * t + 0.381417662f;
    q = q * t - 0.289588839f;
    q = q * t - 0.0219633654f;
    q = q * t + 0.0354079232f;
    q = q * t + 0.0548770688f;
    q = q * t + 0.185595185f;
    q = q * t + 0.245179117f;
    q = q * t + 0.282252401f;
    q = q * t + 0.282088518f;
    p = q * t * p * ngrt_powerf(half) * ngrt_powerf(i - half);
    p = x < 0.0f ? 2.0f - p : p;
    return z < 0.5f ? 1.0f - ngrt_erf_nearf(x) : p;
}

/*@ erff: erfcf erf_nearf */
/* erf(x) within 2.5 units in the last place. */
static inline float ngrt_erff(float x) {
    float far = 1.0f - ngrt_erfcf(fabsf(x));
    return fabsf(x) < 0.9f ? ngrt_erf_nearf(x) : copysignf(far, x);
}

/*@ softplus: */
/* log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)); for very negative x it is exp(x) to the last digits. */
static inline double ngrt_softplus(double x) {
    return (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x)));
}

/*@ softplusf: expf logf */
/* log(1 + exp(x)) = max(x, 0) + log(1 + e), e = exp(-|x|); what 1 + e loses of e is added to the logarithm. */
static inline float ngrt_softplusf(float x) {
    float e = ngrt_expf(-fabsf(x)), u = 1.0f + e;
    return (x > 0.0f ? x : 0.0f) + (ngrt_logf(u) + (e - (u - 1.0f)) / u);
}

/*@ sign: */
/* -1, 0 or 1; NaN stays. */
static inline double ngrt_sign(double x) {
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x;
}

/*@ signf: */
/* -1, 0 or 1; NaN stays. */
static inline float ngrt_signf(float x) {
    return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x;
}

/*@ maximum: */
/* The larger; NaN if either is. */
static inline double ngrt_maximum(double a, double b) {
    return a > b || a != a ? a : b;
}

/*@ maximumf: */
/* The larger; NaN if either is. */
static inline float ngrt_maximumf(float a, float b) {
    return a > b || a != a ? a : b;
}

/*@ minimum: */
/* The smaller; NaN if either is. */
static inline double ngrt_minimum(double a, double b) {
    return a < b || a != a ? a : b;
}

/*@ minimumf: */
/* The smaller; NaN if either is. */
static inline float ngrt_minimumf(float a, float b) {
    return a < b || a != a ? a : b;
}

/*@ mod: */
/* a - b*floor(a/b) without its rounding errors: the remainder with the sign of b. */
static inline double ngrt_mod(double a, double b) {
    double r = fmod(a, b);
    if (r == 0.0)
        return copysign(0.0, b);
    return (r < 0.0) != (b < 0.0) ? r + b : r;
}

/*@ modf: */
/* a - b*floor(a/b) without its rounding errors: the remainder with the sign of b. */
static inline float ngrt_modf(float a, float b) {
    float r = fmodf(a, b);
    if (r == 0.0f)
        return copysignf(0.0f, b);
    return (r < 0.0f) != (b < 0.0f) ? r + b : r;
}

/*@ end: */
#endif
