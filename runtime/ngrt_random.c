/* ngrt_random.c - random numbers that have the same bits on every machine.
 *
 * Each function has a section of its own, from a line "/" "*@ NAME: SECTIONS IT NEEDS" to the next
 * such line. ngc copies the sections that a model uses into a standalone file. They need <math.h>,
 * <stddef.h>, <stdint.h>, and NGRT_FN, which is static there.
 */
#include "ngrt.h"

#define NGRT_FN

/*@ exact: */
/* Arithmetic whose bits matter is in functions marked NGRT_EXACT that begin with NGRT_ROUND. There,
 * compilers may not contract a*b + c into one operation that rounds once, and x86 without SSE does
 * not use its wider registers. No caller inlines them, as there neither would hold. Those that are
 * not "used" would get their numbers in registers of SSE, and GCC refuses callers without SSE. */
#if defined __clang__
#define NGRT_EXACT
#define NGRT_ROUND _Pragma("STDC FP_CONTRACT OFF")
#elif defined __GNUC__ && defined __i386__
#define NGRT_EXACT \
    __attribute__((used, noinline, noclone, optimize("fp-contract=off"), target("sse2,fpmath=sse")))
#define NGRT_ROUND
#elif defined __GNUC__
#define NGRT_EXACT __attribute__((noinline, optimize("fp-contract=off")))
#define NGRT_ROUND
#elif defined __TINYC__ /* never contracts, and older ones do not know _Pragma */
#define NGRT_EXACT
#define NGRT_ROUND
#else
#define NGRT_EXACT
#define NGRT_ROUND _Pragma("STDC FP_CONTRACT OFF")
#endif

/*@ random_bits: */
/* A bijection in which every bit of the result depends on every bit of x. */
static uint64_t ngrt_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* 64 random bits that depend only on (seed, stream, i): SplitMix64, started at a hash of seed and
 * stream. */
NGRT_FN uint64_t ngrt_random_bits(uint64_t seed, uint32_t stream, uint64_t i)
{
    const uint64_t golden = 0x9E3779B97F4A7C15u; /* 2^64 divided by the golden ratio */
    uint64_t start = ngrt_mix(ngrt_mix(seed + golden) ^ stream);
    return ngrt_mix(start + (i + 1) * golden);
}

/*@ random_unit: random_bits */
/* Uniform in (0, 1), an odd multiple of 2^-53: never 0 or 1, and 1 - u is exact. */
static double ngrt_random_unit(uint64_t seed, uint32_t stream, uint64_t i)
{
    return (double)((ngrt_random_bits(seed, stream, i) >> 12 << 1) + 1) *
           (1.0 / 9007199254740992.0);
}

/*@ exact_log: exact */
/* log(x) for 0 < x < 1 by basic operations: x = m 2^e with m near 1, log m = 2 artanh(s) with
 * s = (m - 1)/(m + 1). */
NGRT_EXACT static double ngrt_exact_log(double x)
{
    NGRT_ROUND
    double e = 0.0, s, t, sum = 0.0;
    int k;
    for (; x < 0.000030517578125; x *= 32768.0)
        e -= 15.0;
    for (; x < 0.70710678118654752; x *= 2.0)
        e -= 1.0;
    s = (x - 1.0) / (x + 1.0);
    t = s * s;
    for (k = 21; k > 1; k -= 2) /* |s| < 0.172: the terms left out are below 2^-60 */
        sum = (sum + 1.0 / (double)k) * t;
    return 2.0 * (s + s * sum) + e * 0.69314718055994531;
}

/*@ inverse_normal: exact exact_log */
/* sum of c[i] x^i over 8 coefficients */
NGRT_EXACT static double ngrt_poly7(const double *c, double x)
{
    NGRT_ROUND
    double sum = c[7];
    int i;
    for (i = 6; i >= 0; i--)
        sum = sum * x + c[i];
    return sum;
}

/* The x with P(a standard normal number < x) = p, for 0 < p < 1: algorithm AS 241, PPND16
 * (Wichura, 1988). Each table is a rational function: the coefficients of its numerator, then of
 * its denominator. */
NGRT_EXACT static double ngrt_inverse_normal(double p)
{
    NGRT_ROUND
    static const double center[2][8] = {
        {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
         1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
         3.3430575583588128105e4, 2.5090809287301226727e3},
        {1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
         2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
         5.2264952788528545610e3},
    };
    static const double middle[2][8] = {
        {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
         3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
         2.27238449892691845833e-2, 7.74545014278341407640e-4},
        {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
         1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
         1.05075007164441684324e-9},
    };
    static const double tail[2][8] = {
        {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
         2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
         2.71155556874348757815e-5, 2.01033439929228813265e-7},
        {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
         7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
         2.04426310338993978564e-15},
    };
    double q = p - 0.5, r, x;
    if (q >= -0.425 && q <= 0.425) {
        r = 0.180625 - q * q;
        return q * ngrt_poly7(center[0], r) / ngrt_poly7(center[1], r);
    }
    r = sqrt(-ngrt_exact_log(q < 0.0 ? p : 1.0 - p));
    if (r <= 5.0)
        x = ngrt_poly7(middle[0], r - 1.6) / ngrt_poly7(middle[1], r - 1.6);
    else
        x = ngrt_poly7(tail[0], r - 5.0) / ngrt_poly7(tail[1], r - 5.0);
    return q < 0.0 ? -x : x;
}

/*@ uniform_at: exact random_bits */
/* Element i, uniform in [lo, hi): a sum that rounds up to hi gives lo. */
NGRT_EXACT static double ngrt_uniform_at(uint64_t seed, uint32_t stream, uint64_t i, double lo,
                                         double hi)
{
    NGRT_ROUND
    double u = (double)(ngrt_random_bits(seed, stream, i) >> 11) * (1.0 / 9007199254740992.0);
    double x = lo + (hi - lo) * u;
    return x < hi ? x : lo;
}

/*@ uniform: uniform_at */
/* out[i] uniform in [lo, hi). */
NGRT_FN void ngrt_uniform(double *out, size_t n, uint64_t seed, uint32_t stream, double lo,
                          double hi)
{
    size_t i;
    for (i = 0; i < n; i++)
        out[i] = ngrt_uniform_at(seed, stream, i, lo, hi);
}

/*@ uniformf: uniform_at */
/* out[i] uniform in [lo, hi), rounded to float. */
NGRT_FN void ngrt_uniformf(float *out, size_t n, uint64_t seed, uint32_t stream, double lo,
                           double hi)
{
    size_t i;
    for (i = 0; i < n; i++)
        out[i] = (float)ngrt_uniform_at(seed, stream, i, lo, hi);
}

/*@ normal_at: exact random_unit inverse_normal */
/* Element i, normal. */
NGRT_EXACT static double ngrt_normal_at(uint64_t seed, uint32_t stream, uint64_t i, double mean,
                                        double sd)
{
    NGRT_ROUND
    return mean + sd * ngrt_inverse_normal(ngrt_random_unit(seed, stream, i));
}

/*@ normal: normal_at */
/* out[i] normal with this mean and standard deviation. */
NGRT_FN void ngrt_normal(double *out, size_t n, uint64_t seed, uint32_t stream, double mean,
                         double sd)
{
    size_t i;
    for (i = 0; i < n; i++)
        out[i] = ngrt_normal_at(seed, stream, i, mean, sd);
}

/*@ normalf: normal_at */
/* out[i] normal with this mean and standard deviation, rounded to float. */
NGRT_FN void ngrt_normalf(float *out, size_t n, uint64_t seed, uint32_t stream, double mean,
                          double sd)
{
    size_t i;
    for (i = 0; i < n; i++)
        out[i] = (float)ngrt_normal_at(seed, stream, i, mean, sd);
}

/*@ truncated_at: exact random_unit inverse_normal */
/* Element i, normal and within two deviations of the mean: the inverse of the distribution function
 * between them. */
NGRT_EXACT static double ngrt_truncated_at(uint64_t seed, uint32_t stream, uint64_t i, double mean,
                                           double sd)
{
    NGRT_ROUND
    const double below = 0.022750131948179207; /* the normal's share below -2 */
    double u = ngrt_random_unit(seed, stream, i);
    double x = ngrt_inverse_normal(below + (1.0 - 2.0 * below) * u);
    if (x < -2.0)
        x = -2.0;
    if (x > 2.0)
        x = 2.0;
    return mean + sd * x;
}

/*@ truncated: truncated_at */
/* out[i] normal with this mean and deviation, within two deviations. */
NGRT_FN void ngrt_truncated(double *out, size_t n, uint64_t seed, uint32_t stream, double mean,
                            double sd)
{
    size_t i;
    for (i = 0; i < n; i++)
        out[i] = ngrt_truncated_at(seed, stream, i, mean, sd);
}

/*@ truncatedf: truncated_at */
/* out[i] normal with this mean and deviation, within two deviations, rounded to float. */
NGRT_FN void ngrt_truncatedf(float *out, size_t n, uint64_t seed, uint32_t stream, double mean,
                             double sd)
{
    size_t i;
    for (i = 0; i < n; i++)
        out[i] = (float)ngrt_truncated_at(seed, stream, i, mean, sd);
}

/*@ orthogonal_form: exact random_unit inverse_normal */
/* The matrix of an orthogonal draw as `count` vectors of `length` elements, the longer way. Element
 * i of vector k is out[k*step + i*apart]. */
typedef struct {
    size_t count, length, step, apart;
} ngrt_vectors;

static ngrt_vectors ngrt_vectors_of(size_t n, size_t rows)
{
    size_t columns = n / rows;
    ngrt_vectors v = {rows, columns, columns, 1}; /* the rows */
    if (rows >= columns) {
        v.count = columns;
        v.length = rows;
        v.step = 1;
        v.apart = columns;
    }
    return v;
}

/* Normal vectors, made orthonormal one after the other and then multiplied by gain: all such
 * matrices are equally likely. Modified Gram-Schmidt, each vector twice, so that rounding leaves
 * nothing. */
#define NGRT_ORTHOGONAL(real)                                                                \
    NGRT_ROUND                                                                               \
    ngrt_vectors v = ngrt_vectors_of(n, (size_t)rows);                                       \
    size_t i, j, k, pass;                                                                    \
    for (k = 0; k < v.count; k++) {                                                          \
        real *x = out + k * v.step;                                                          \
        double square = 0.0, scale;                                                          \
        for (i = 0; i < v.length; i++)                                                       \
            x[i * v.apart] =                                                                 \
                (real)ngrt_inverse_normal(ngrt_random_unit(seed, stream, k * v.length + i)); \
        for (pass = 0; pass < 2; pass++)                                                     \
            for (j = 0; j < k; j++) {                                                        \
                const real *y = out + j * v.step;                                            \
                double dot = 0.0;                                                            \
                for (i = 0; i < v.length; i++)                                               \
                    dot += (double)x[i * v.apart] * (double)y[i * v.apart];                  \
                for (i = 0; i < v.length; i++)                                               \
                    x[i * v.apart] =                                                         \
                        (real)((double)x[i * v.apart] - dot * (double)y[i * v.apart]);       \
            }                                                                                \
        for (i = 0; i < v.length; i++)                                                       \
            square += (double)x[i * v.apart] * (double)x[i * v.apart];                       \
        scale = 1.0 / sqrt(square);                                                          \
        for (i = 0; i < v.length; i++)                                                       \
            x[i * v.apart] = (real)((double)x[i * v.apart] * scale);                         \
    }                                                                                        \
    for (i = 0; i < v.count * v.length; i++)                                                 \
    out[i] = (real)((double)out[i] * gain)

/*@ orthogonal: orthogonal_form */
/* out: a matrix of `rows` rows, n elements in all, whose rows (or columns, if there are fewer) are
 * orthogonal and of length gain. */
NGRT_EXACT NGRT_FN void ngrt_orthogonal(double *out, size_t n, uint64_t seed, uint32_t stream,
                                        double gain, double rows)
{
    NGRT_ORTHOGONAL(double);
}

/*@ orthogonalf: orthogonal_form */
/* The same for float, each element rounded to float. */
NGRT_EXACT NGRT_FN void ngrt_orthogonalf(float *out, size_t n, uint64_t seed, uint32_t stream,
                                         double gain, double rows)
{
    NGRT_ORTHOGONAL(float);
}

/*@ end: */
