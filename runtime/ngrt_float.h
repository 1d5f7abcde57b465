/* ngrt_float.h - functions of the C library in float, without branches, as texts for one float and
 * for vectors of them (ngrt_math.h, ngrt_vector.h): within 2 units in the last place, and with the
 * same bits for every kind of vectors.
 *
 * A product that another is added to is NGRT_MUL, unless it is exact. The polynomials go through
 * the function's values at Chebyshev's nodes, computed with 120 digits; comments say how far such a
 * polynomial, its coefficients rounded, is from the function, in relative error. Sections as in
 * ngrt_math.h, which this file needs.
 */
#ifndef NGRT_FLOAT_H
#define NGRT_FLOAT_H

#include "ngrt_math.h"

/*@ exp_partsf: bitsf */
/* x = n log 2 + r + c: k is n, |r| <= log(2)/2, and c is what r lacks. log 2 is in two pieces, and
 * n times the first is exact. */
#define NGRT_EXP_PARTSF(F, k, r, c, x)             \
    r = NGRT_MUL(F, x, 1.44269504f) + 12582912.0f; \
    k = NGRT_BITS(F, r) - 0x4B400000u;             \
    r = r - 12582912.0f;                           \
    c = NGRT_MUL(F, r, 2.12194440e-4f);            \
    r = x - r * 0.693359375f;                      \
    {                                              \
        const F ngrt_high = r + c;                 \
        c = r - ngrt_high + c;                     \
        r = ngrt_high;                             \
    }

/*@ expm1f: exp_partsf */
/* exp(x) - 1 = 2^n - 1 + 2^n r + 2^n (r^2 p + c); what the first sum loses is added to the rest.
 * All of it is halved, as 2^128 is not a float. p: 2^-27.8 of 1. */
#define NGRT_TEXT_expm1f(F, U, y, x)                                            \
    {                                                                           \
        const F ngrt_low = NGRT_IF(F, x < -18.0f, -18.0f, x),                   \
                ngrt_e = NGRT_IF(F, ngrt_low > 89.0f, 89.0f, ngrt_low);         \
        F ngrt_r, ngrt_c, ngrt_p;                                               \
        U ngrt_k;                                                               \
        NGRT_EXP_PARTSF(F, ngrt_k, ngrt_r, ngrt_c, ngrt_e)                      \
        ngrt_p = NGRT_MUL(F, ngrt_r, 1.9891269e-4f) + 1.39339e-3f;              \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_r) + 8.33331048e-3f;                  \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_r) + 4.1666463e-2f;                   \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_r) + 0.166666672f;                    \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_r) + 0.5f;                            \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_r * ngrt_r) + ngrt_c;                 \
        const F ngrt_s = NGRT_POWER_AS(F, ngrt_k - 1u), ngrt_1 = ngrt_s - 0.5f; \
        const F ngrt_sr = ngrt_s * ngrt_r, ngrt_sum = ngrt_1 + ngrt_sr;         \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_s) + (ngrt_1 - ngrt_sum + ngrt_sr);   \
        ngrt_p = 2.0f * (ngrt_sum + ngrt_p);                                    \
        y = NGRT_IF(F, NGRT_ABS_AS(F, x) < 1e-10f, x, ngrt_p);                  \
    }
NGRT_ALONE float ngrt_expm1f(float x)
{
    float y;
    NGRT_TEXT_expm1f(float, uint32_t, y, x) return y;
}

/*@ log1pf: bitsf */
/* log(1 + x) = log(u) + c/u, where u + c = 1 + x, and log(u) as in logf. The polynomial: 2^-28.4.
 */
#define NGRT_TEXT_log1pf(F, U, y, x)                                                             \
    {                                                                                            \
        const F ngrt_v1 = 1.0f + x, ngrt_b = ngrt_v1 - 1.0f;                                     \
        const F ngrt_c = (x - ngrt_b + (1.0f - (ngrt_v1 - ngrt_b))) / ngrt_v1;                   \
        const U ngrt_k = (NGRT_BITS(F, ngrt_v1) + 0x00CAFB0Du) >> 23;                            \
        const F ngrt_m = NGRT_UNBITS(F, NGRT_BITS(F, ngrt_v1) - ((ngrt_k - 128u) << 23)) - 1.0f; \
        const F ngrt_n = NGRT_WHOLE_AS(F, ngrt_k - 128u);                                        \
        F ngrt_p = NGRT_MUL(F, ngrt_m, 6.97161183e-2f) - 0.114797339f;                           \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_m) + 0.116854198f;                                     \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_m) - 0.124256872f;                                     \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_m) + 0.142490581f;                                     \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_m) - 0.166678026f;                                     \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_m) + 0.200007156f;                                     \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_m) - 0.24999997f;                                      \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_m) + 0.333333313f;                                     \
        ngrt_p = NGRT_MUL(F, ngrt_p * ngrt_m, ngrt_m * ngrt_m) + ngrt_c;                         \
        ngrt_p = ngrt_p - NGRT_MUL(F, ngrt_n, 2.12194440e-4f);                                   \
        ngrt_p = ngrt_p - NGRT_MUL(F, 0.5f * ngrt_m, ngrt_m);                                    \
        ngrt_p = ngrt_m + ngrt_p + ngrt_n * 0.693359375f;                                        \
        ngrt_p = NGRT_IF(F, x > 3.40282347e+38f, x, ngrt_p);                                     \
        ngrt_p = NGRT_IF(F, x > -1.0f, ngrt_p, NAN);                                             \
        ngrt_p = NGRT_IF(F, x == -1.0f, -INFINITY, ngrt_p);                                      \
        y = NGRT_IF(F, NGRT_ABS_AS(F, x) < 1e-10f, x, ngrt_p);                                   \
    }
NGRT_ALONE float ngrt_log1pf(float x)
{
    float y;
    NGRT_TEXT_log1pf(float, uint32_t, y, x) return y;
}

/*@ sinh_partsf: exp_partsf */
/* For |x| = n log 2 + r + c: up = 2^(n-3) and down = 2^(-n-3); s = sinh(r) - r + c, h = cosh(r)
 * - 1. s: 2^-27.6, h: 2^-28.3. */
#define NGRT_SINH_PARTSF(F, U, up, down, r, s, h, x)                               \
    {                                                                              \
        const F ngrt_abs = NGRT_ABS_AS(F, x),                                      \
                ngrt_e = NGRT_IF(F, ngrt_abs > 90.0f, 90.0f, ngrt_abs);            \
        F ngrt_c;                                                                  \
        U ngrt_k;                                                                  \
        NGRT_EXP_PARTSF(F, ngrt_k, r, ngrt_c, ngrt_e)                              \
        const F ngrt_tiny = NGRT_UNBITS(F, (124u - ngrt_k) << 23), ngrt_z = r * r; \
        up = NGRT_POWER_AS(F, ngrt_k - 3u);                                        \
        down = NGRT_IF(F, ngrt_e > 40.0f, 0.0f, ngrt_tiny);                        \
        s = NGRT_MUL(F, ngrt_z, 1.98914786e-4f) + 8.33331048e-3f;                  \
        s = NGRT_MUL(F, s, ngrt_z) + 0.166666672f;                                 \
        s = NGRT_MUL(F, s, ngrt_z * r) + ngrt_c;                                   \
        h = NGRT_MUL(F, ngrt_z, 1.39340898e-3f) + 4.16664593e-2f;                  \
        h = NGRT_MUL(F, h, ngrt_z) + 0.5f;                                         \
        h = h * ngrt_z;                                                            \
    }

/*@ sinhf: sinh_partsf */
/* sinh(x)/4 = b + up r + down r + a s + b h, where a = up + down and b = up - down; what the first
 * sum loses is added to the rest. */
#define NGRT_TEXT_sinhf(F, U, y, x)                                                  \
    {                                                                                \
        F ngrt_up, ngrt_down, ngrt_r, ngrt_s, ngrt_ch;                               \
        NGRT_SINH_PARTSF(F, U, ngrt_up, ngrt_down, ngrt_r, ngrt_s, ngrt_ch, x)       \
        const F ngrt_a = ngrt_up + ngrt_down, ngrt_b = ngrt_up - ngrt_down;          \
        const F ngrt_pr = ngrt_up * ngrt_r, ngrt_sum = ngrt_b + ngrt_pr;             \
        F ngrt_rest = NGRT_MUL(F, ngrt_a, ngrt_s) + NGRT_MUL(F, ngrt_b, ngrt_ch);    \
        ngrt_rest = ngrt_down * ngrt_r + ngrt_rest + (ngrt_up - ngrt_b - ngrt_down); \
        ngrt_rest = 4.0f * (ngrt_sum + (ngrt_b - ngrt_sum + ngrt_pr + ngrt_rest));   \
        ngrt_rest = NGRT_SIGNED_AS(F, ngrt_rest, x);                                 \
        y = NGRT_IF(F, NGRT_ABS_AS(F, x) < 1e-5f, x, ngrt_rest);                     \
    }
NGRT_ALONE float ngrt_sinhf(float x)
{
    float y;
    NGRT_TEXT_sinhf(float, uint32_t, y, x) return y;
}

/*@ coshf: sinh_partsf */
/* cosh(x)/4 = a + up r - down r + b s + a h */
#define NGRT_TEXT_coshf(F, U, y, x)                                                  \
    {                                                                                \
        F ngrt_up, ngrt_down, ngrt_r, ngrt_s, ngrt_ch;                               \
        NGRT_SINH_PARTSF(F, U, ngrt_up, ngrt_down, ngrt_r, ngrt_s, ngrt_ch, x)       \
        const F ngrt_a = ngrt_up + ngrt_down, ngrt_b = ngrt_up - ngrt_down;          \
        const F ngrt_pr = ngrt_up * ngrt_r, ngrt_sum = ngrt_a + ngrt_pr;             \
        F ngrt_rest = NGRT_MUL(F, ngrt_b, ngrt_s) + NGRT_MUL(F, ngrt_a, ngrt_ch);    \
        ngrt_rest = ngrt_rest - ngrt_down * ngrt_r + (ngrt_up - ngrt_a + ngrt_down); \
        y = 4.0f * (ngrt_sum + (ngrt_a - ngrt_sum + ngrt_pr + ngrt_rest));           \
    }
NGRT_ALONE float ngrt_coshf(float x)
{
    float y;
    NGRT_TEXT_coshf(float, uint32_t, y, x) return y;
}

/*@ asin_nearf: bitsf sqrtf */
/* (asin(t)/t - 1)/t^2 for t^2 = z <= 1/4: 2^-26.4 */
#define NGRT_ASIN_NEARF(F, p, z)                         \
    p = NGRT_MUL(F, z, 3.36908475e-2f) + 1.71492379e-2f; \
    p = NGRT_MUL(F, p, z) + 3.11006624e-2f;              \
    p = NGRT_MUL(F, p, z) + 4.45994027e-2f;              \
    p = NGRT_MUL(F, p, z) + 7.50009418e-2f;              \
    p = NGRT_MUL(F, p, z) + 0.166666657f;
/* y = base + t + rest, where |base| >= |t| or base is 0 */
#define NGRT_SUM_OF(F, y, base, t, rest)               \
    {                                                  \
        const F ngrt_sum = base + t;                   \
        y = ngrt_sum + (base - ngrt_sum + t + (rest)); \
    }
#define NGRT_ROOT(F, x)     NGRT_ROOT_##F(x)
#define NGRT_ROOT_float(x)  ngrt_sqrtf(x)
#define NGRT_ROOT_ngrt_v(x) NGRT_SQRT(x)

/*@ asinf: asin_nearf */
/* For |x| > 1/2 it is pi/2 - 2 asin(sqrt((1 - |x|)/2)). */
#define NGRT_TEXT_asinf(F, U, y, x)                                               \
    {                                                                             \
        const F ngrt_abs = NGRT_ABS_AS(F, x), ngrt_half = 0.5f - 0.5f * ngrt_abs; \
        const F ngrt_z = NGRT_IF(F, ngrt_abs > 0.5f, ngrt_half, x * x);           \
        const F ngrt_root = -2.0f * NGRT_ROOT(F, ngrt_half),                      \
                ngrt_t = NGRT_IF(F, ngrt_abs > 0.5f, ngrt_root, ngrt_abs);        \
        const F ngrt_base = NGRT_IF(F, ngrt_abs > 0.5f, 1.57079637f, 0.0f),       \
                ngrt_less = NGRT_IF(F, ngrt_abs > 0.5f, -4.37113883e-8f, 0.0f);   \
        F ngrt_p;                                                                 \
        NGRT_ASIN_NEARF(F, ngrt_p, ngrt_z)                                        \
        ngrt_p = NGRT_MUL(F, ngrt_p * ngrt_z, ngrt_t) + ngrt_less;                \
        NGRT_SUM_OF(F, ngrt_p, ngrt_base, ngrt_t, ngrt_p)                         \
        y = NGRT_SIGNED_AS(F, ngrt_p, x);                                         \
    }
NGRT_ALONE float ngrt_asinf(float x)
{
    float y;
    NGRT_TEXT_asinf(float, uint32_t, y, x) return y;
}

/*@ acosf: asin_nearf */
/* pi/2 - asin(x); for x > 1/2 it is 2 asin(sqrt((1 - x)/2)), and below -1/2 pi less that. -2.78e-8
 * is what pi/2 and pi lack in float, as a part of them. */
#define NGRT_TEXT_acosf(F, U, y, x)                                                              \
    {                                                                                            \
        const F ngrt_abs = NGRT_ABS_AS(F, x), ngrt_half = 0.5f - 0.5f * ngrt_abs;                \
        const F ngrt_z = NGRT_IF(F, ngrt_abs > 0.5f, ngrt_half, x * x);                          \
        F ngrt_t = 2.0f * NGRT_ROOT(F, ngrt_half), ngrt_p;                                       \
        ngrt_t = NGRT_SIGNED_AS(F, ngrt_t, x);                                                   \
        ngrt_t = NGRT_IF(F, ngrt_abs > 0.5f, ngrt_t, -x);                                        \
        const F ngrt_far = NGRT_IF(F, x < 0.0f, 3.14159274f, 0.0f),                              \
                ngrt_base = NGRT_IF(F, ngrt_abs > 0.5f, ngrt_far, 1.57079637f);                  \
        NGRT_ASIN_NEARF(F, ngrt_p, ngrt_z)                                                       \
        ngrt_p = NGRT_MUL(F, ngrt_p * ngrt_z, ngrt_t) + NGRT_MUL(F, ngrt_base, -2.78275351e-8f); \
        NGRT_SUM_OF(F, y, ngrt_base, ngrt_t, ngrt_p)                                             \
    }
NGRT_ALONE float ngrt_acosf(float x)
{
    float y;
    NGRT_TEXT_acosf(float, uint32_t, y, x) return y;
}

/*@ atan_nearf: bitsf */
/* (atan(t)/t - 1)/t^2 for t^2 = z <= 1: 2^-26 */
#define NGRT_ATAN_NEARF(F, p, z)                         \
    p = NGRT_MUL(F, z, 1.48869189e-3f) - 9.14462935e-3f; \
    p = NGRT_MUL(F, p, z) + 2.63050012e-2f;              \
    p = NGRT_MUL(F, p, z) - 4.89605144e-2f;              \
    p = NGRT_MUL(F, p, z) + 7.03191459e-2f;              \
    p = NGRT_MUL(F, p, z) - 8.9318268e-2f;               \
    p = NGRT_MUL(F, p, z) + 0.110882618f;                \
    p = NGRT_MUL(F, p, z) - 0.142840043f;                \
    p = NGRT_MUL(F, p, z) + 0.199999496f;                \
    p = NGRT_MUL(F, p, z) - 0.333333343f;

/*@ atanf: atan_nearf asin_nearf */
/* For |x| > 1 it is pi/2 - atan(1/|x|). */
#define NGRT_TEXT_atanf(F, U, y, x)                                             \
    {                                                                           \
        const F ngrt_abs = NGRT_ABS_AS(F, x);                                   \
        const F ngrt_up = NGRT_IF(F, ngrt_abs > 1.0f, -1.0f, ngrt_abs),         \
                ngrt_under = NGRT_IF(F, ngrt_abs > 1.0f, ngrt_abs, 1.0f),       \
                ngrt_base = NGRT_IF(F, ngrt_abs > 1.0f, 1.57079637f, 0.0f),     \
                ngrt_less = NGRT_IF(F, ngrt_abs > 1.0f, -4.37113883e-8f, 0.0f); \
        const F ngrt_t = ngrt_up / ngrt_under, ngrt_z = ngrt_t * ngrt_t;        \
        F ngrt_p;                                                               \
        NGRT_ATAN_NEARF(F, ngrt_p, ngrt_z)                                      \
        ngrt_p = NGRT_MUL(F, ngrt_p * ngrt_z, ngrt_t) + ngrt_less;              \
        NGRT_SUM_OF(F, ngrt_p, ngrt_base, ngrt_t, ngrt_p)                       \
        y = NGRT_SIGNED_AS(F, ngrt_p, x);                                       \
    }
NGRT_ALONE float ngrt_atanf(float x)
{
    float y;
    NGRT_TEXT_atanf(float, uint32_t, y, x) return y;
}

/*@ atan2f: atan_nearf asin_nearf */
/* The angle of the point (x2, x1): atan of the smaller size divided by the larger, taken from pi/2
 * or pi, or added to pi/2, as the point lies. */
#define NGRT_TEXT_atan2f(F, U, y, x1, x2)                                                        \
    {                                                                                            \
        const F ngrt_a1 = NGRT_ABS_AS(F, x1), ngrt_a2 = NGRT_ABS_AS(F, x2);                      \
        const F ngrt_up = NGRT_IF(F, ngrt_a1 > ngrt_a2, ngrt_a2, ngrt_a1),                       \
                ngrt_under = NGRT_IF(F, ngrt_a1 > ngrt_a2, ngrt_a1, ngrt_a2);                    \
        const F ngrt_ratio = ngrt_up / ngrt_under,                                               \
                ngrt_equal = NGRT_IF(F, ngrt_a1 == 0.0f, 0.0f, 1.0f);                            \
        F ngrt_t = NGRT_IF(F, ngrt_a1 == ngrt_a2, ngrt_equal, ngrt_ratio), ngrt_p;               \
        const F ngrt_left = NGRT_HIDDEN(F, NGRT_UNBITS(F, (NGRT_BITS(F, x2) & 0x80000000u) |     \
                                                              0x3F800000u)); /* -1 or 1 */       \
        const F ngrt_side = NGRT_IF(F, ngrt_left < 0.0f, 3.14159274f, 0.0f),                     \
                ngrt_base = NGRT_IF(F, ngrt_a1 > ngrt_a2, 1.57079637f, ngrt_side);               \
        const F ngrt_turn = NGRT_IF(F, ngrt_a1 > ngrt_a2, -ngrt_left, ngrt_left);                \
        ngrt_t = ngrt_t * ngrt_turn;                                                             \
        const F ngrt_z = ngrt_t * ngrt_t;                                                        \
        NGRT_ATAN_NEARF(F, ngrt_p, ngrt_z)                                                       \
        ngrt_p = NGRT_MUL(F, ngrt_p * ngrt_z, ngrt_t) + NGRT_MUL(F, ngrt_base, -2.78275351e-8f); \
        NGRT_SUM_OF(F, ngrt_p, ngrt_base, ngrt_t, ngrt_p)                                        \
        ngrt_p = NGRT_SIGNED_AS(F, ngrt_p, x1);                                                  \
        y = NGRT_IF(F, (x1 == x1) & (x2 == x2), ngrt_p, x1 + x2);                                \
    }
NGRT_ALONE float ngrt_atan2f(float x1, float x2)
{
    float y;
    NGRT_TEXT_atan2f(float, uint32_t, y, x1, x2) return y;
}

/*@ doubles: bitsd */
/* Computes a text for doubles: of a float, or of the two halves of a vector of floats. */
#define NGRT_BY_DOUBLES(F, text, y, x) NGRT_BY_DOUBLES_##F(text, y, x)
#define NGRT_BY_DOUBLES_float(text, y, x)                           \
    {                                                               \
        const double ngrt_d = (double)(x);                          \
        double ngrt_of;                                             \
        text(double, uint64_t, ngrt_of, ngrt_d) y = (float)ngrt_of; \
    }
#define NGRT_BY_DOUBLES_ngrt_v(text, y, x)                                         \
    {                                                                              \
        ngrt_w ngrt_d, ngrt_other, ngrt_of;                                        \
        NGRT_HALVES(ngrt_d, ngrt_other, x)                                         \
        text(ngrt_w, ngrt_wu, ngrt_of, ngrt_d) ngrt_d = ngrt_other;                \
        ngrt_other = ngrt_of;                                                      \
        text(ngrt_w, ngrt_wu, ngrt_of, ngrt_d) NGRT_JOINED(y, ngrt_other, ngrt_of) \
    }
/* The halves of a vector of floats, as doubles, and back. They stay in registers: a vector that was
 * written to memory by halves is read late. */
#if defined __GNUC__ && defined __SSE2__
#define NGRT_HALVES(low, high, x)                                                     \
    if (sizeof(x) == 64)                                                              \
        __asm__("vextractf64x4 $1, %2, %t1\n\tvcvtps2pd %t2, %0\n\tvcvtps2pd %t1, %1" \
                : "=&v"(low), "=&v"(high)                                             \
                : "v"(x));                                                            \
    else if (sizeof(x) == 32)                                                         \
        __asm__("vextractf128 $1, %2, %x1\n\tvcvtps2pd %x2, %0\n\tvcvtps2pd %x1, %1"  \
                : "=&x"(low), "=&x"(high)                                             \
                : "x"(x));                                                            \
    else                                                                              \
        NGRT_HALVES_OF_MEMORY(low, high, x)
#define NGRT_JOINED(y, low, high)                                                               \
    {                                                                                           \
        ngrt_v ngrt_up;                                                                         \
        if (sizeof(ngrt_v) == 64)                                                               \
            __asm__("vcvtpd2ps %2, %t0\n\tvcvtpd2ps %3, %t1\n\tvinsertf64x4 $1, %t1, %0, %0"    \
                    : "=&v"(y), "=&v"(ngrt_up)                                                  \
                    : "v"(low), "v"(high));                                                     \
        else if (sizeof(ngrt_v) == 32)                                                          \
            __asm__("vcvtpd2ps %t2, %x0\n\tvcvtpd2ps %t3, %x1\n\tvinsertf128 $1, %x1, %t0, %t0" \
                    : "=&x"(y), "=&x"(ngrt_up)                                                  \
                    : "x"(low), "x"(high));                                                     \
        else                                                                                    \
            NGRT_JOINED_IN_MEMORY(y, low, high)                                                 \
    }
#else
#define NGRT_HALVES NGRT_HALVES_OF_MEMORY
#define NGRT_JOINED NGRT_JOINED_IN_MEMORY
#endif
#define NGRT_HALVES_OF_MEMORY(low, high, x)                        \
    {                                                              \
        union {                                                    \
            ngrt_v all;                                            \
            ngrt_h half[2];                                        \
        } ngrt_from;                                               \
        ngrt_from.all = x;                                         \
        low = __builtin_convertvector(ngrt_from.half[0], ngrt_w);  \
        high = __builtin_convertvector(ngrt_from.half[1], ngrt_w); \
    }
#define NGRT_JOINED_IN_MEMORY(y, low, high)                      \
    {                                                            \
        union {                                                  \
            ngrt_v all;                                          \
            ngrt_h half[2];                                      \
        } ngrt_to;                                               \
        ngrt_to.half[0] = __builtin_convertvector(low, ngrt_h);  \
        ngrt_to.half[1] = __builtin_convertvector(high, ngrt_h); \
        y = ngrt_to.all;                                         \
    }

/*@ doubles2: doubles */
/* The same of two operands. */
#define NGRT_BY_DOUBLES2(F, text, y, x1, x2) NGRT_BY_DOUBLES2_##F(text, y, x1, x2)
#define NGRT_BY_DOUBLES2_float(text, y, x1, x2)                               \
    {                                                                         \
        const double ngrt_d1 = (double)(x1), ngrt_d2 = (double)(x2);          \
        double ngrt_of;                                                       \
        text(double, uint64_t, ngrt_of, ngrt_d1, ngrt_d2) y = (float)ngrt_of; \
    }
#define NGRT_BY_DOUBLES2_ngrt_v(text, y, x1, x2)                                          \
    {                                                                                     \
        ngrt_w ngrt_d1, ngrt_d2, ngrt_e1, ngrt_e2, ngrt_of;                               \
        NGRT_HALVES(ngrt_d1, ngrt_e1, x1)                                                 \
        NGRT_HALVES(ngrt_d2, ngrt_e2, x2)                                                 \
        text(ngrt_w, ngrt_wu, ngrt_of, ngrt_d1, ngrt_d2) ngrt_d1 = ngrt_e1;               \
        ngrt_d2 = ngrt_e2;                                                                \
        ngrt_e1 = ngrt_of;                                                                \
        text(ngrt_w, ngrt_wu, ngrt_of, ngrt_d1, ngrt_d2) NGRT_JOINED(y, ngrt_e1, ngrt_of) \
    }

/*@ sin_by_pi: doubles far */
/* sin(n pi + r), |r| <= pi/2, for a float with |n| < 2^20: in double, where pi is in two pieces and
 * n times the first is exact. The polynomial: 2^-33.8. y is the sine with n's sign. */
#define NGRT_SIN_BY_PI(F, y, r, n)                                                        \
    {                                                                                     \
        const F ngrt_z = r * r, ngrt_sq = ngrt_z * ngrt_z;                                \
        F ngrt_p = NGRT_MUL(F, ngrt_z, -2.4079236990903226e-08) + 2.7536422355454945e-06; \
        F ngrt_q = NGRT_MUL(F, ngrt_z, -0.00019841086016215184) + 0.0083333327665083834;  \
        ngrt_q = NGRT_MUL(F, ngrt_p, ngrt_sq) + ngrt_q;                                   \
        ngrt_p = NGRT_MUL(F, ngrt_z, -0.16666666663867363) + 1.0;                         \
        ngrt_p = (NGRT_MUL(F, ngrt_q, ngrt_sq) + ngrt_p) * r;                             \
        y = NGRT_UNBITS(F, NGRT_BITS(F, ngrt_p) ^ ((n) << 63));                           \
    }
/* x - n a, where a is in two pieces */
#define NGRT_LESS(F, x, n, a, b) (x - n * a - NGRT_MUL(F, n, b))

/*@ sinf: sin_by_pi bitsf */
#define NGRT_TEXT_sin_of_float(F, U, y, x)                                                    \
    {                                                                                         \
        F ngrt_n;                                                                             \
        U ngrt_k;                                                                             \
        NGRT_WHOLE_OF(F, ngrt_n, ngrt_k, NGRT_MUL(F, x, 0.31830988618379067))                 \
        const F ngrt_r = NGRT_LESS(F, x, ngrt_n, 3.1415926534682512, 1.2154201013012384e-10); \
        NGRT_SIN_BY_PI(F, y, ngrt_r, ngrt_k)                                                  \
    }
#define NGRT_TEXT_sinf(F, U, y, x)                               \
    {                                                            \
        NGRT_BY_DOUBLES(F, NGRT_TEXT_sin_of_float, y, x)         \
        NGRT_FAR(F, y, NGRT_ABS_AS(F, x) >= 2097152.0f, sinf, x) \
    }
NGRT_ALONE float ngrt_sinf(float x)
{
    float y;
    NGRT_TEXT_sinf(float, uint32_t, y, x) return y;
}

/*@ cosf: sin_by_pi bitsf */
/* cos(x) = sin(r) (-1)^(n+1), where r = x - (n + 1/2) pi */
#define NGRT_TEXT_cos_of_float(F, U, y, x)                                                    \
    {                                                                                         \
        F ngrt_n;                                                                             \
        U ngrt_k;                                                                             \
        NGRT_WHOLE_OF(F, ngrt_n, ngrt_k, NGRT_MUL(F, x, 0.31830988618379067) - 0.5)           \
        ngrt_n = ngrt_n + 0.5;                                                                \
        const F ngrt_r = NGRT_LESS(F, x, ngrt_n, 3.1415926534682512, 1.2154201013012384e-10); \
        NGRT_SIN_BY_PI(F, y, ngrt_r, ngrt_k + 1u)                                             \
    }
#define NGRT_TEXT_cosf(F, U, y, x)                               \
    {                                                            \
        NGRT_BY_DOUBLES(F, NGRT_TEXT_cos_of_float, y, x)         \
        NGRT_FAR(F, y, NGRT_ABS_AS(F, x) >= 2097152.0f, cosf, x) \
    }
NGRT_ALONE float ngrt_cosf(float x)
{
    float y;
    NGRT_TEXT_cosf(float, uint32_t, y, x) return y;
}

/*@ tanf: sin_by_pi bitsf */
/* tan(n pi/2 + r), |r| <= pi/4: sin(r)/cos(r), or for an odd n -cos(r)/sin(r). Sine: 2^-35.7,
 * cosine: 2^-42. */
#define NGRT_TEXT_tan_of_float(F, U, y, x)                                                    \
    {                                                                                         \
        F ngrt_n;                                                                             \
        U ngrt_k;                                                                             \
        NGRT_WHOLE_OF(F, ngrt_n, ngrt_k, NGRT_MUL(F, x, 0.63661977236758138))                 \
        const F ngrt_r = NGRT_LESS(F, x, ngrt_n, 1.5707963267341256, 6.0771005065061922e-11); \
        const F ngrt_z = ngrt_r * ngrt_r;                                                     \
        F ngrt_s = NGRT_MUL(F, ngrt_z, 2.7249620080075331e-06) - 0.00019840084376422702;      \
        ngrt_s = NGRT_MUL(F, ngrt_s, ngrt_z) + 0.0083333318703413487;                         \
        ngrt_s = NGRT_MUL(F, ngrt_s, ngrt_z) - 0.16666666663844049;                           \
        ngrt_s = (NGRT_MUL(F, ngrt_s, ngrt_z) + 1.0) * ngrt_r;                                \
        F ngrt_c = NGRT_MUL(F, ngrt_z, -2.7236822001886194e-07) + 2.4799858750748857e-05;     \
        ngrt_c = NGRT_MUL(F, ngrt_c, ngrt_z) - 0.001388888508002599;                          \
        ngrt_c = NGRT_MUL(F, ngrt_c, ngrt_z) + 0.041666666637279061;                          \
        ngrt_c = NGRT_MUL(F, ngrt_c, ngrt_z) - 0.49999999999963712;                           \
        ngrt_c = NGRT_MUL(F, ngrt_c, ngrt_z) + 1.0;                                           \
        const F ngrt_up = NGRT_IF(F, (ngrt_k & 1u) != 0u, -ngrt_c, ngrt_s),                   \
                ngrt_under = NGRT_IF(F, (ngrt_k & 1u) != 0u, ngrt_s, ngrt_c);                 \
        y = ngrt_up / ngrt_under;                                                             \
    }
#define NGRT_TEXT_tanf(F, U, y, x)                               \
    {                                                            \
        NGRT_BY_DOUBLES(F, NGRT_TEXT_tan_of_float, y, x)         \
        NGRT_FAR(F, y, NGRT_ABS_AS(F, x) >= 1048576.0f, tanf, x) \
    }
NGRT_ALONE float ngrt_tanf(float x)
{
    float y;
    NGRT_TEXT_tanf(float, uint32_t, y, x) return y;
}

/*@ powf: doubles2 power_cases */
/* x1 to the power x2 = 2^(x2 log2 |x1|), and the sign of x1 if x2 is odd. log2(m), m from sqrt(1/2)
 * to sqrt(2), by a polynomial in s = (m - 1)/(m + 1): 2^-43.5; 2^f, |f| <= 1/2: 2^-34.5. */
#define NGRT_TEXT_pow_of_floats(F, U, y, x1, x2)                                             \
    {                                                                                        \
        const F ngrt_a = NGRT_ABS_ASD(F, x1);                                                \
        const U ngrt_e = (NGRT_BITS(F, ngrt_a) + 0x00195F619980C433u) >> 52;                 \
        const F ngrt_m = NGRT_UNBITS(F, NGRT_BITS(F, ngrt_a) - ((ngrt_e - 1024u) << 52)),    \
                ngrt_exponent = NGRT_UNBITS(F, ngrt_e + 0x4337FFFFFFFFFC00u) - NGRT_NEAREST; \
        const F ngrt_s = (ngrt_m - 1.0) / (ngrt_m + 1.0), ngrt_z = ngrt_s * ngrt_s;          \
        const F ngrt_z2 = ngrt_z * ngrt_z;                                                   \
        F ngrt_p = NGRT_MUL(F, ngrt_z, 0.28290661659068111) + 0.31990537392276169,           \
          ngrt_p2 = NGRT_MUL(F, ngrt_z, 0.412209256786155) + 0.57707794235945908, ngrt_p4;   \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_z2) + ngrt_p2;                                     \
        ngrt_p2 = NGRT_MUL(F, ngrt_z, 0.96179669411321267) + 2.8853900817778499;             \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_z2) + ngrt_p2;                                     \
        ngrt_p4 = (NGRT_MUL(F, ngrt_p, ngrt_s) + ngrt_exponent) * x2;                        \
        NGRT_BETWEEN(F, ngrt_p, ngrt_p4, -200.0, 200.0)                                      \
        F ngrt_n;                                                                            \
        U ngrt_k;                                                                            \
        NGRT_WHOLE_OF(F, ngrt_n, ngrt_k, ngrt_p)                                             \
        ngrt_n = ngrt_p - ngrt_n;                                                            \
        const F ngrt_n2 = ngrt_n * ngrt_n;                                                   \
        ngrt_p = NGRT_MUL(F, ngrt_n, 1.5303700711365693e-05) + 0.00015469729214118296;       \
        ngrt_p2 = NGRT_MUL(F, ngrt_n, 0.0013333478473685416) + 0.009618025613318034;         \
        ngrt_p2 = NGRT_MUL(F, ngrt_p, ngrt_n2) + ngrt_p2;                                    \
        ngrt_p4 = NGRT_MUL(F, ngrt_n, 0.055504109063258665) + 0.24022651213498092;           \
        ngrt_p = NGRT_MUL(F, ngrt_n, 0.69314718055683244) + 0.99999999995956179;             \
        ngrt_p = NGRT_MUL(F, ngrt_p4, ngrt_n2) + ngrt_p;                                     \
        ngrt_p = NGRT_MUL(F, ngrt_p2, ngrt_n2 * ngrt_n2) + ngrt_p;                           \
        y = ngrt_p * NGRT_POWER_ASD(F, ngrt_k);                                              \
    }
#define NGRT_TEXT_powf(F, U, y, x1, x2)                                                     \
    {                                                                                       \
        F ngrt_power;                                                                       \
        NGRT_BY_DOUBLES2(F, NGRT_TEXT_pow_of_floats, ngrt_power, x1, x2)                    \
        NGRT_POWER_CASES(F, NGRT_ABS_AS, NGRT_SIGNED_AS, 8388608.0f, y, x1, x2, ngrt_power) \
    }
NGRT_ALONE float ngrt_powf(float x1, float x2)
{
    float y;
    NGRT_TEXT_powf(float, uint32_t, y, x1, x2) return y;
}

/*@ modulof: doubles2 far bitsf modf */
/* x1 - n x2 is exact in double, if n is the whole number next to x1/x2 and less than 2^29; then it
 * gets the sign of x2. Other numbers are done one at a time. */
#define NGRT_TEXT_mod_of_floats(F, U, y, x1, x2)                                 \
    {                                                                            \
        F ngrt_n;                                                                \
        U ngrt_k;                                                                \
        NGRT_WHOLE_OF(F, ngrt_n, ngrt_k, x1 / x2)                                \
        (void)ngrt_k;                                                            \
        const F ngrt_r = x1 - ngrt_n * x2, ngrt_turned = ngrt_r + x2;            \
        const F ngrt_back = NGRT_IF(F, x2 < 0.0, -ngrt_r, ngrt_r);               \
        const F ngrt_mod = NGRT_IF(F, ngrt_back < 0.0, ngrt_turned, ngrt_r);     \
        y = NGRT_IF(F, ngrt_r == 0.0, NGRT_SIGNED_ASD(F, ngrt_r, x2), ngrt_mod); \
    }
#define NGRT_TEXT_modulof(F, U, y, x1, x2)                                        \
    {                                                                             \
        NGRT_BY_DOUBLES2(F, NGRT_TEXT_mod_of_floats, y, x1, x2)                   \
        const F ngrt_q = NGRT_ABS_AS(F, x1 / x2);                                 \
        const F ngrt_far = NGRT_IF(F, ngrt_q < 2.68435456e8f, 0.0f, 1.0f) +       \
                           NGRT_IF(F, NGRT_ABS_AS(F, x2) < INFINITY, 0.0f, 1.0f); \
        NGRT_FAR2(F, y, ngrt_far > 0.0f, ngrt_modf, x1, x2)                       \
    }
NGRT_ALONE float ngrt_modulof(float x1, float x2)
{
    float y;
    NGRT_TEXT_modulof(float, uint32_t, y, x1, x2) return y;
}

/*@ end: */
#endif
