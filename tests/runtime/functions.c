/* functions.c - the texts of ngrt_float.h and ngrt_double.h: the stated bounds, against the C
 * library in more precision; special numbers; and the same bits by all kinds of vectors that the
 * processor has, and by one element at a time.
 *
 * Of all floats it takes one in STEP; with CHECK_LONG=1 each 251st, and with CHECK_ALL=1 all.
 */
#include "check.h"
#include "ngrt_vector.h"

#include "ngrt_double.h"
#include "ngrt_float.h"

#include <stdlib.h>

enum { MANY = 4099, STEP = 16381, WAYS = 4, PAIRS = 40 * MANY };

/* A function's kernel; where each call chooses one, also all that the processor has. */
#ifdef NGRT_HAS_AVX2
#define WAYS_OF(name)                                \
    {                                                \
        name, name##_any, name##_avx2, name##_avx512 \
    }
static int has_way(int way)
{
    return way < 2 || (way == 2 && NGRT_HAS_AVX2) || (way == 3 && NGRT_HAS_AVX512);
}
#else
#define WAYS_OF(name)          \
    {                          \
        name, NULL, NULL, NULL \
    }
static int has_way(int way)
{
    return way == 0;
}
#endif

#define KERNEL(real, f)                                                                       \
    NGRT_KERNEL_64(real, void, , all_##f, (real * y, const real *a, const real *b, size_t n), \
                   (y, a, b, n), {                                                            \
                       (void)b;                                                               \
                       NGRT_VECTORS(for (size_t i = 0; i < NGRT_WHOLE(n); i += NGRT_LANES) {  \
                           const ngrt_v t = NGRT_OF(f, NGRT_LOAD(a[i]));                      \
                           NGRT_STORE(y[i]) = t;                                              \
                       })                                                                     \
                       for (size_t i = NGRT_WHOLE(n); i < n; i++)                             \
                           y[i] = ngrt_##f(a[i]);                                             \
                   })                                                                         \
    static real one_##f(real a, real b)                                                       \
    {                                                                                         \
        (void)b;                                                                              \
        return ngrt_##f(a);                                                                   \
    }
#define KERNEL2(real, f)                                                                      \
    NGRT_KERNEL_64(real, void, , all_##f, (real * y, const real *a, const real *b, size_t n), \
                   (y, a, b, n), {                                                            \
                       NGRT_VECTORS(for (size_t i = 0; i < NGRT_WHOLE(n); i += NGRT_LANES) {  \
                           const ngrt_v t = NGRT_OF2(f, NGRT_LOAD(a[i]), NGRT_LOAD(b[i]));    \
                           NGRT_STORE(y[i]) = t;                                              \
                       })                                                                     \
                       for (size_t i = NGRT_WHOLE(n); i < n; i++)                             \
                           y[i] = ngrt_##f(a[i], b[i]);                                       \
                   })                                                                         \
    static real one_##f(real a, real b)                                                       \
    {                                                                                         \
        return ngrt_##f(a, b);                                                                \
    }

#define FLOAT(name)                                   \
    KERNEL(float, name##f)                            \
    static double exact_##name##f(double a, double b) \
    {                                                 \
        (void)b;                                      \
        return name(a);                               \
    }
#define FLOAT2(name)                                  \
    KERNEL2(float, name##f)                           \
    static double exact_##name##f(double a, double b) \
    {                                                 \
        return name(a, b);                            \
    }
FLOAT(expm1)
FLOAT(log1p)
FLOAT(sinh)
FLOAT(cosh)
FLOAT(asin)
FLOAT(acos)
FLOAT(atan)
FLOAT(sin)
FLOAT(cos)
FLOAT(tan)
FLOAT2(atan2)
FLOAT2(pow)
KERNEL(float, lgammaf)
static double exact_lgammaf(double a, double b)
{
    (void)b;
    return a < 0 ? (double)lgammaf((float)a) : lgamma(a);
}
KERNEL2(float, modulof)
static double exact_modulof(double a, double b)
{
    return ngrt_mod(a, b);
}
/* The order is the same in all lanes. */
#define SLOPE_OF_GAMMA(order, F, U, y, x)                     \
    {                                                         \
        const F ngrt_same = NGRT_IF(F, x == x, order, order); \
        NGRT_TEXT_slope_of_gammaf(F, U, y, ngrt_same, x)      \
    }
#define NGRT_TEXT_digammaf(F, U, y, x)  SLOPE_OF_GAMMA(0.0f, F, U, y, x)
#define NGRT_TEXT_trigammaf(F, U, y, x) SLOPE_OF_GAMMA(1.0f, F, U, y, x)
static float ngrt_digammaf(float x)
{
    return ngrt_slope_of_gammaf(0.0f, x);
}
static float ngrt_trigammaf(float x)
{
    return ngrt_slope_of_gammaf(1.0f, x);
}
static double digamma(double x)
{
    return ngrt_polygamma(0.0, x);
}
static double trigamma(double x)
{
    return ngrt_polygamma(1.0, x);
}
FLOAT(digamma)
FLOAT(trigamma)

typedef struct FloatFunction {
    const char *name;
    int operands;
    double bound; /* in units in the last place */
    void (*all[WAYS])(float *y, const float *a, const float *b, size_t n);
    float (*one)(float a, float b);
    double (*exact)(double a, double b);
} FloatFunction;

#define ROW(operands, name, bound)                                            \
    {                                                                         \
#name, operands, bound, WAYS_OF(all_##name), one_##name, exact_##name \
    }
static const FloatFunction float_function[] = {
    ROW(1, expm1f, 1.1), ROW(1, log1pf, 0.9),   ROW(1, sinhf, 1.1),  ROW(1, coshf, 1.1),
    ROW(1, asinf, 1.2),  ROW(1, acosf, 1.2),    ROW(1, atanf, 1.4),  ROW(1, sinf, 0.6),
    ROW(1, cosf, 0.6),   ROW(1, tanf, 1.5),     ROW(2, atan2f, 1.7), ROW(2, powf, 0.51),
    ROW(1, lgammaf, 2),  ROW(2, modulof, 0.51), ROW(1, digammaf, 1), ROW(1, trigammaf, 1),
};

/* How far y is from the exact value, in units in the last place of a float there; half a unit, if
 * it is the nearest float. The sign of a zero counts. Infinity takes the place of 2^128. */
static double units(float y, double exact)
{
    double of_y = isinf(y) ? copysign(0x1p128, y) : (double)y;
    int e;

    if (isnan(exact) || isnan(y))
        return isnan(exact) && isnan(y) ? 0.0 : INFINITY;
    if (y == 0.0f && exact == 0.0)
        return !signbit(y) == !signbit(exact) ? 0.0 : INFINITY;
    if (y == (float)exact)
        return 0.5;

    frexp(exact, &e);
    return fabs(of_y - exact) / ldexp(1.0, (e < -125 ? -125 : e) - 24);
}

static float a_f[MANY], b_f[MANY], y_f[MANY], way_f[MANY];

static int same_float(float x, float y)
{
    return ngrt_bitsf(x) == ngrt_bitsf(y) || (isnan(x) && isnan(y));
}

/* n points: all ways agree, and are within the bound. */
static void check_floats(const FloatFunction *f, size_t n)
{
    int way, differ = 0, far = 0;
    size_t i;
    for (i = 0; i < n; i++) {
        y_f[i] = f->one(a_f[i], b_f[i]);
        if (units(y_f[i], f->exact((double)a_f[i], (double)b_f[i])) > f->bound && !far++)
            fprintf(stderr, "%s(%a, %a) is %a\n", f->name, (double)a_f[i], (double)b_f[i],
                    (double)y_f[i]);
    }
    for (way = 0; way < WAYS; way++) {
        if (!has_way(way))
            continue;
        f->all[way](way_f, a_f, b_f, n);
        for (i = 0; i < n; i++)
            if (!same_float(y_f[i], way_f[i]) && !differ++)
                fprintf(stderr, "%s(%a, %a) is %a, by vectors (%d) %a\n", f->name, (double)a_f[i],
                        (double)b_f[i], (double)y_f[i], way, (double)way_f[i]);
    }
    CHECK(far == 0);
    CHECK(differ == 0);
}

static const float special[] = {
    0.0f,         -0.0f,       1.0f,        -1.0f,        INFINITY,    -INFINITY,   NAN,
    2.0f,         -2.0f,       3.0f,        -3.0f,        0.5f,        -0.5f,       1e-45f,
    -1e-45f,      1.1e-38f,    -1.1e-38f,   3.4e38f,      -3.4e38f,    1.5f,        -1.5f,
    8388607.0f,   8388608.0f,  16777215.0f, -16777215.0f, 16777216.0f, 0.99999994f, 1.0000001f,
    -0.99999994f, -1.0000001f, 1e6f,        1e30f,        -1e30f,      88.72284f,   88.72285f,
    89.41598f,    89.41599f,   1.5707964f,  3.1415927f,   -1.5707964f, 2097151.9f,  2097152.0f,
    1048576.0f,   0.70710677f, 0.70710683f, 1e-10f,       5.1e-5f,     -17.5f,      -104.0f,
};
enum { SPECIAL = sizeof special / sizeof *special };

/* Each with each. */
static void check_special(const FloatFunction *f)
{
    int i;
    for (i = 0; i < SPECIAL * SPECIAL; i++) {
        a_f[i] = special[i / SPECIAL];
        b_f[i] = special[i % SPECIAL];
    }
    check_floats(f, SPECIAL * SPECIAL);
}

/* One float in `step`, of both signs. */
static void check_line(const FloatFunction *f, uint64_t step)
{
    uint64_t bits = 0;
    while (bits >> 32 == 0) {
        size_t n = 0;
        for (; n < MANY && bits >> 32 == 0; n++, bits += step)
            a_f[n] = ngrt_unbitsf((uint32_t)bits);
        check_floats(f, n);
    }
}

static uint32_t seed = 1;

static uint32_t draw(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8 | seed << 24;
}

/* Pairs of any bits, of numbers of one size, and near 1 with large powers. */
static void check_pairs(const FloatFunction *f, int pairs)
{
    for (; pairs > 0; pairs -= MANY) {
        int i;
        for (i = 0; i < MANY; i++) {
            uint32_t a = draw(), b = draw();
            a_f[i] = i % 3 == 0 ? ngrt_unbitsf(a) : (float)(int32_t)a / (i % 3 == 1 ? 2e8f : 4e9f);
            b_f[i] = i % 3 == 0 ? ngrt_unbitsf(b) : (float)(int32_t)b / (i % 3 == 1 ? 2e8f : 1e7f);
            a_f[i] += i % 3 == 2 ? 1.0f : 0.0f;
        }
        check_floats(f, MANY);
    }
}

/* ---- whole numbers and roots: no texts, and exact ---- */

#define WHOLE(real, f, macro)                                                               \
    NGRT_KERNEL_64(real, void, , all_##f, (real * y, const real *a, size_t n), (y, a, n), { \
        NGRT_VECTORS(for (size_t i = 0; i < NGRT_WHOLE(n); i += NGRT_LANES) {               \
            const ngrt_v t = macro(NGRT_LOAD(a[i]));                                        \
            NGRT_STORE(y[i]) = t;                                                           \
        })                                                                                  \
        for (size_t i = NGRT_WHOLE(n); i < n; i++)                                          \
            y[i] = f(a[i]);                                                                 \
    })
WHOLE(float, floorf, NGRT_FLOOR)
WHOLE(float, ceilf, NGRT_CEIL)
WHOLE(float, rintf, NGRT_RINT)
WHOLE(float, sqrtf, NGRT_SQRT)
WHOLE(double, floor, NGRT_FLOOR)
WHOLE(double, ceil, NGRT_CEIL)
WHOLE(double, rint, NGRT_RINT)
WHOLE(double, sqrt, NGRT_SQRT)

enum { HALVES = 64 };

/* Every number, by every kind of vectors: halves around 0, and those where all numbers are whole.
 */
#define CHECK_WHOLE(real, f, same)                                                       \
    {                                                                                    \
        static void (*const all[WAYS])(real *, const real *, size_t) = WAYS_OF(all_##f); \
        int way, at;                                                                     \
        for (way = 0; way < WAYS; way++) {                                               \
            if (!has_way(way))                                                           \
                continue;                                                                \
            all[way](to, from, HALVES);                                                  \
            for (at = 0; at < HALVES; at++)                                              \
                CHECK(same(to[at], f(from[at])));                                        \
        }                                                                                \
    }

/* ---- the same in double, against long double where that is longer ---- */

#define DOUBLE(name)                                                 \
    KERNEL(double, name##d)                                          \
    static long double exact_##name##d(long double a, long double b) \
    {                                                                \
        (void)b;                                                     \
        return name##l(a);                                           \
    }
#define DOUBLE2(name)                                                \
    KERNEL2(double, name##d)                                         \
    static long double exact_##name##d(long double a, long double b) \
    {                                                                \
        return name##l(a, b);                                        \
    }
static long double sigmoidl(long double x)
{
    long double e = expl(-fabsl(x));
    return (x < 0 ? e : 1) / (1 + e);
}
static long double softplusl(long double x)
{
    return (x > 0 ? x : 0) + log1pl(expl(-fabsl(x)));
}
DOUBLE(exp)
DOUBLE(expm1)
DOUBLE(log)
DOUBLE(log1p)
DOUBLE(sinh)
DOUBLE(cosh)
DOUBLE(tanh)
DOUBLE(sigmoid)
DOUBLE(softplus)
DOUBLE(erf)
DOUBLE(asin)
DOUBLE(acos)
DOUBLE(atan)
DOUBLE(sin)
DOUBLE(cos)
DOUBLE(tan)
DOUBLE2(atan2)
DOUBLE2(pow)

typedef struct DoubleFunction {
    const char *name;
    int operands;
    double bound; /* in units in the last place */
    void (*all[WAYS])(double *y, const double *a, const double *b, size_t n);
    double (*one)(double a, double b);
    long double (*exact)(long double a, long double b);
} DoubleFunction;

static const DoubleFunction double_function[] = {
    ROW(1, expd, 1.5),      ROW(1, expm1d, 1.5), ROW(1, logd, 1.5),  ROW(1, log1pd, 1.5),
    ROW(1, sinhd, 1.5),     ROW(1, coshd, 1.5),  ROW(1, tanhd, 1.5), ROW(1, sigmoidd, 1.5),
    ROW(1, softplusd, 1.5), ROW(1, erfd, 1.7),   ROW(1, asind, 1.5), ROW(1, acosd, 1.5),
    ROW(1, atand, 1.5),     ROW(1, sind, 1.5),   ROW(1, cosd, 1.5),  ROW(1, tand, 1.5),
    ROW(2, atan2d, 1.5),    ROW(2, powd, 1.5),
};

/* As units, of a double. */
static double units_double(double y, long double exact)
{
    long double of_y = isinf(y) ? copysignl(0x1p1024L, y) : (long double)y;
    int e;

    if (isnan(exact) || isnan(y))
        return isnan(exact) && isnan(y) ? 0.0 : INFINITY;
    if (y == 0.0 && exact == 0.0L)
        return !signbit(y) == !signbit(exact) ? 0.0 : INFINITY;
    if (y == (double)exact)
        return 0.5;

    frexpl(exact, &e);
    return (double)(fabsl(of_y - exact) / ldexpl(1.0L, (e < -1021 ? -1021 : e) - 53));
}

static double a_d[MANY], b_d[MANY], y_d[MANY], way_d[MANY];

static int same_double(double x, double y)
{
    return ngrt_bitsd(x) == ngrt_bitsd(y) || (isnan(x) && isnan(y));
}

static void check_doubles(const DoubleFunction *f, size_t n)
{
    int way, differ = 0, far = 0;
    size_t i;
    for (i = 0; i < n; i++) {
        double u;
        y_d[i] = f->one(a_d[i], b_d[i]);
        u = units_double(y_d[i], f->exact((long double)a_d[i], (long double)b_d[i]));
        if (u > f->bound && !far++)
            fprintf(stderr, "%s(%a, %a) is %a\n", f->name, a_d[i], b_d[i], y_d[i]);
    }
    for (way = 0; way < WAYS; way++) {
        if (!has_way(way))
            continue;
        f->all[way](way_d, a_d, b_d, n);
        for (i = 0; i < n; i++)
            if (!same_double(y_d[i], way_d[i]) && !differ++)
                fprintf(stderr, "%s(%a, %a) is %a, by vectors (%d) %a\n", f->name, a_d[i], b_d[i],
                        y_d[i], way, way_d[i]);
    }
    CHECK(far == 0);
    CHECK(differ == 0);
}

static const double special_double[] = {
    0.0,
    -0.0,
    1.0,
    -1.0,
    INFINITY,
    -INFINITY,
    NAN,
    2.0,
    -2.0,
    3.0,
    -3.0,
    0.5,
    -0.5,
    4.9e-324,
    -4.9e-324,
    2.2e-308,
    -2.2e-308,
    1.7e308,
    -1.7e308,
    1.5,
    -1.5,
    4503599627370495.5,
    4503599627370497.0,
    9007199254740991.0,
    -9007199254740991.0,
    9007199254740992.0,
    0.99999999999999989,
    1.0000000000000002,
    -0.99999999999999989,
    -1.0000000000000002,
    1e6,
    1e30,
    -1e30,
    709.78271289338397,
    709.78271289338403,
    710.47586007394386,
    710.4758600739439,
    -745.13321910194111,
    -745.13321910194122,
    1.5707963267948966,
    3.1415926535897931,
    1048575.9,
    1048576.0,
    0.70710678118654746,
    0.70710678118654757,
    1e-20,
    1e-10,
    -708.4,
    1e300,
    -1e300,
    1e-300,
    0.41421356237309503,
    2.4142135623730949,
};
enum { SPECIAL_DOUBLE = sizeof special_double / sizeof *special_double };

static void check_special_double(const DoubleFunction *f)
{
    int i;
    for (i = 0; i < SPECIAL_DOUBLE * SPECIAL_DOUBLE; i++) {
        a_d[i] = special_double[i / SPECIAL_DOUBLE];
        b_d[i] = special_double[i % SPECIAL_DOUBLE];
    }
    check_doubles(f, SPECIAL_DOUBLE * SPECIAL_DOUBLE);
}

/* Any bits, numbers of several sizes, multiples of pi/2, and numbers near 1 with large powers. */
static void check_points(const DoubleFunction *f, int points)
{
    static const double range[6][3] = {{0},          {1, 0, 1}, {10, 0, 10},
                                       {700, 0, 20}, {0, 0, 1}, {0.3, 1, 2000}};
    for (; points > 0; points -= MANY) {
        int i;
        for (i = 0; i < MANY; i++) {
            uint64_t a = (uint64_t)draw() << 32 | draw(), b = (uint64_t)draw() << 32 | draw();
            double x = (double)(int64_t)a / 9.3e18, z = (double)(int64_t)b / 9.3e18;
            a_d[i] = range[i % 6][0] * x + range[i % 6][1];
            b_d[i] = range[i % 6][2] * z;
            if (i % 6 == 0)
                a_d[i] = ngrt_unbitsd(a), b_d[i] = ngrt_unbitsd(b);
            if (i % 6 == 4)
                a_d[i] = (double)(a >> 45) * 1.5707963267948966;
        }
        check_doubles(f, MANY);
    }
}

static void check_whole_floats(void)
{
    float from[HALVES] = {-0.0f,       INFINITY, -INFINITY, NAN,         8388607.5f,   8388608.0f,
                          -8388607.5f, 1e-45f,   -1e-45f,   0.49999997f, 2147483648.0f};
    float to[HALVES];
    int i;
    for (i = 11; i < HALVES; i++)
        from[i] = (float)(i - 37) * 0.25f;
    CHECK_WHOLE(float, floorf, same_float)
    CHECK_WHOLE(float, ceilf, same_float)
    CHECK_WHOLE(float, rintf, same_float)
    CHECK_WHOLE(float, sqrtf, same_float)
}

static void check_whole_doubles(void)
{
    double from[HALVES] = {-0.0,
                           INFINITY,
                           -INFINITY,
                           NAN,
                           4503599627370495.5,
                           4503599627370496.0,
                           -4503599627370495.5,
                           4.9e-324,
                           -4.9e-324,
                           0.49999999999999994,
                           1e18};
    double to[HALVES];
    int i;
    for (i = 11; i < HALVES; i++)
        from[i] = (double)(i - 37) * 0.25;
    CHECK_WHOLE(double, floor, same_double)
    CHECK_WHOLE(double, ceil, same_double)
    CHECK_WHOLE(double, rint, same_double)
    CHECK_WHOLE(double, sqrt, same_double)
}

static int is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value;
}

int main(void)
{
    int all = is_set("CHECK_ALL"), longer = is_set("CHECK_LONG");
    size_t i;
    for (i = 0; i < sizeof float_function / sizeof *float_function; i++) {
        const FloatFunction *f = &float_function[i];
        check_special(f);
        if (f->operands == 1)
            check_line(f, all ? 1 : longer ? 251 : STEP);
        else
            check_pairs(f, longer ? 50 * PAIRS : PAIRS);
    }
    for (i = 0; i < sizeof double_function / sizeof *double_function; i++) {
        check_special_double(&double_function[i]);
        check_points(&double_function[i], (longer ? 50 : 1) * PAIRS);
    }
    check_whole_floats();
    check_whole_doubles();
    return check_end("functions");
}
