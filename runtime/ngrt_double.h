/* ngrt_double.h - functions of the C library in double, as those of ngrt_float.h: within 1.5 units
 * in the last place.
 *
 * Where a result could be wrong by more, it is the sum of two numbers, of which the smaller is what
 * the larger lacks. x - n log 2, or x - n pi/2, is such a pair. The comment at a polynomial says
 * how far it is from the function. Sections as in ngrt_math.h, which this file needs.
 */
#ifndef NGRT_DOUBLE_H
#define NGRT_DOUBLE_H

#include "ngrt_float.h"

/*@ exp_partsd: bitsd */
/* x = n log 2 + r + c: k is n, |r| <= log(2)/2, and c is what r lacks. log 2 is in two pieces, and
 * n times the first is exact. */
#define NGRT_EXP_PARTSD(F, k, r, c, x)                         \
    NGRT_WHOLE_OF(F, r, k, NGRT_MUL(F, x, 1.4426950408889634)) \
    c = NGRT_MUL(F, r, -1.9082149292705877e-10);               \
    r = x - r * 0.69314718036912382;                           \
    {                                                          \
        const F ngrt_head = r + c;                             \
        c = r - ngrt_head + c;                                 \
        r = ngrt_head;                                         \
    }
/* p = (exp(r) - 1 - r)/r^2, by pairs of terms, so that few operations wait for each other; times
 * r^2 it is 2^-56 of 1 */
#define NGRT_EXP_POLYD(F, p, r, sq)                                               \
    {                                                                             \
        const F ngrt_r4 = sq * sq;                                                \
        F ngrt_p2, ngrt_p4, ngrt_p6, ngrt_p8;                                     \
        p = NGRT_MUL(F, r, 0.16666666666666669) + 0.50000000000000011;            \
        ngrt_p2 = NGRT_MUL(F, r, 0.0083333333333299887) + 0.041666666666623171;   \
        ngrt_p4 = NGRT_MUL(F, r, 0.00019841269863420349) + 0.0013888888917690603; \
        ngrt_p6 = NGRT_MUL(F, r, 2.755726789174553e-06) + 2.4801520557017829e-05; \
        ngrt_p8 = NGRT_MUL(F, r, 2.510065503606659e-08) + 2.7620438948634417e-07; \
        p = p + NGRT_MUL(F, ngrt_p2, sq);                                         \
        ngrt_p4 = ngrt_p4 + NGRT_MUL(F, ngrt_p6, sq);                             \
        ngrt_p4 = ngrt_p4 + NGRT_MUL(F, ngrt_p8, ngrt_r4);                        \
        p = p + NGRT_MUL(F, ngrt_p4, ngrt_r4);                                    \
    }
/* p = exp(r + c) - 1 - r */
#define NGRT_EXP_TAILD(F, p, r, c)       \
    {                                    \
        const F ngrt_sq = r * r;         \
        NGRT_EXP_POLYD(F, p, r, ngrt_sq) \
        p = NGRT_MUL(F, p, ngrt_sq) + c; \
    }

/*@ exp_shortd: exp_partsd */
/* The same without what r lacks, at most 2^-55: exp(x) = 2^k (1 + r + p). */
#define NGRT_EXP_SHORTD(F, k, r, p, x)                         \
    NGRT_WHOLE_OF(F, r, k, NGRT_MUL(F, x, 1.4426950408889634)) \
    p = NGRT_MUL(F, r, -1.9082149292705877e-10);               \
    r = x - r * 0.69314718036912382;                           \
    r = r + p;                                                 \
    {                                                          \
        const F ngrt_sq = r * r;                               \
        NGRT_EXP_POLYD(F, p, r, ngrt_sq)                       \
        p = NGRT_MUL(F, p, ngrt_sq);                           \
    }

/*@ exp_pairsd: exp_partsd */
/* exp(x) = 2^k (high + low), k from -1077 to 1024. NaN passes. */
#define NGRT_EXP_PAIR(F, k, high, low, x)                    \
    {                                                        \
        F ngrt_rx, ngrt_cx, ngrt_tail, ngrt_within;          \
        NGRT_BETWEEN(F, ngrt_within, x, -746.0, 710.0)       \
        NGRT_EXP_PARTSD(F, k, ngrt_rx, ngrt_cx, ngrt_within) \
        NGRT_EXP_TAILD(F, ngrt_tail, ngrt_rx, ngrt_cx)       \
        high = 1.0 + ngrt_rx;                                \
        low = 1.0 - high + ngrt_rx + ngrt_tail;              \
    }
/* 2^k y, by two factors: 2^k may be infinite or denormal */
#define NGRT_HALF(k)              (((k + 2048u) >> 1) - 1024u)
#define NGRT_SCALE(F, y, k, half) (y * NGRT_POWER_ASD(F, half) * NGRT_POWER_ASD(F, k - half))

/*@ expd: exp_pairsd exp_shortd */
#define NGRT_TEXT_expd(F, U, y, x)                              \
    {                                                           \
        U ngrt_k;                                               \
        F ngrt_within, ngrt_r, ngrt_p;                          \
        NGRT_BETWEEN(F, ngrt_within, x, -746.0, 710.0)          \
        NGRT_EXP_SHORTD(F, ngrt_k, ngrt_r, ngrt_p, ngrt_within) \
        const U ngrt_half = NGRT_HALF(ngrt_k);                  \
        y = 1.0 + (ngrt_r + ngrt_p);                            \
        y = NGRT_SCALE(F, y, ngrt_k, ngrt_half);                \
    }
NGRT_ALONE double ngrt_expd(double x)
{
    double y;
    NGRT_TEXT_expd(double, uint64_t, y, x) return y;
}

/*@ expm1d: exp_partsd */
/* As in float: 2^n - 1 + 2^n r + 2^n p, halved; what the first sum loses is added to the rest. */
#define NGRT_TEXT_expm1d(F, U, y, x)                                            \
    {                                                                           \
        const F ngrt_least = NGRT_IF(F, x < -40.0, -40.0, x),                   \
                ngrt_e = NGRT_IF(F, ngrt_least > 710.0, 710.0, ngrt_least);     \
        F ngrt_r, ngrt_c, ngrt_p;                                               \
        U ngrt_k;                                                               \
        NGRT_EXP_PARTSD(F, ngrt_k, ngrt_r, ngrt_c, ngrt_e)                      \
        NGRT_EXP_TAILD(F, ngrt_p, ngrt_r, ngrt_c)                               \
        const F ngrt_s = NGRT_POWER_ASD(F, ngrt_k - 1u), ngrt_1 = ngrt_s - 0.5; \
        const F ngrt_sr = ngrt_s * ngrt_r, ngrt_sum = ngrt_1 + ngrt_sr;         \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_s) + (ngrt_1 - ngrt_sum + ngrt_sr);   \
        ngrt_p = 2.0 * (ngrt_sum + ngrt_p);                                     \
        y = NGRT_IF(F, NGRT_ABS_ASD(F, x) < 1e-20, x, ngrt_p);                  \
    }
NGRT_ALONE double ngrt_expm1d(double x)
{
    double y;
    NGRT_TEXT_expm1d(double, uint64_t, y, x) return y;
}

/*@ log_partsd: bitsd */
/* log(x + c) = n log 2 + log(1 + m) for x = 2^n (1 + m), 1 + m from sqrt(1/2) to sqrt(2), and a
 * small c that is already divided by 2^n. log(1 + m) = m - m^2/2 + s (m^2/2 + r), where s = m/(2 +
 * m) and r is a polynomial in s^2: 2^-59.7. */
#define NGRT_LOG_EXPONENT(F, U, k, x) \
    const U k = ((NGRT_BITS(F, x) + 0x00195F619980C433u) >> 52) - 1024u;
#define NGRT_LOG_OFD(F, y, x, k, n, c)                                                         \
    {                                                                                          \
        const F ngrt_m = NGRT_UNBITS(F, NGRT_BITS(F, x) - (k << 52)) - 1.0;                    \
        const F ngrt_s = ngrt_m / (2.0 + ngrt_m), ngrt_z = ngrt_s * ngrt_s;                    \
        const F ngrt_square = 0.5 * ngrt_m * ngrt_m;                                           \
        F ngrt_p;                                                                              \
        {                                                                                      \
            const F ngrt_sq = ngrt_z * ngrt_z;                                                 \
            F ngrt_odd;                                                                        \
            ngrt_odd = NGRT_MUL(F, ngrt_sq, 0.13088034850927555) + 0.15386244737621665;        \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) + 0.22222222392581045;                   \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) + 0.40000000000000885;                   \
            ngrt_p = NGRT_MUL(F, ngrt_sq, 0.13268638369266825) + 0.18181795547521137;          \
            ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_sq) + 0.28571428570799784;                       \
            ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_sq) + 0.66666666666666663;                       \
            ngrt_p = NGRT_MUL(F, ngrt_odd, ngrt_z) + ngrt_p;                                   \
        }                                                                                      \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_z) + NGRT_HIDDEN(F, ngrt_square);                    \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_s) + (NGRT_MUL(F, n, 1.9082149292705877e-10) + (c)); \
        y = n * 0.69314718036912382 + (ngrt_m - (NGRT_HIDDEN(F, ngrt_square) - ngrt_p));       \
    }

/*@ logd: log_partsd */
/* A denormal number is multiplied by 2^54 first. */
#define NGRT_TEXT_logd(F, U, y, x)                                                                \
    {                                                                                             \
        const F ngrt_tiny = NGRT_IF(F, x < 2.2250738585072014e-308, 54.0, 0.0),                   \
                ngrt_x54 = x * 18014398509481984.0,                                               \
                ngrt_up = NGRT_IF(F, x < 2.2250738585072014e-308, ngrt_x54, x);                   \
        NGRT_LOG_EXPONENT(F, U, ngrt_k, ngrt_up)                                                  \
        const F ngrt_n = NGRT_UNBITS(F, ngrt_k + 0x4338000000000000u) - NGRT_NEAREST - ngrt_tiny; \
        F ngrt_log;                                                                               \
        NGRT_LOG_OFD(F, ngrt_log, ngrt_up, ngrt_k, ngrt_n, 0.0)                                   \
        ngrt_log = NGRT_IF(F, x > 1.7976931348623157e308, x, ngrt_log);                           \
        ngrt_log = NGRT_IF(F, x > 0.0, ngrt_log, NAN);                                            \
        y = NGRT_IF(F, x == 0.0, -INFINITY, ngrt_log);                                            \
    }
NGRT_ALONE double ngrt_logd(double x)
{
    double y;
    NGRT_TEXT_logd(double, uint64_t, y, x) return y;
}

/*@ log1p_ofd: log_partsd */
/* log(1 + x + less), less being smaller than what 1 + x loses, for -1 < x < infinity. What is lost
 * is divided by 1 + m to a few bits: it is times (1 - m)(1 + m^2). */
#define NGRT_LOG1P_OFD(F, U, y, x, less)                                                          \
    {                                                                                             \
        const F ngrt_1 = 1.0 + x, ngrt_back = ngrt_1 - 1.0;                                       \
        const F ngrt_lost = x - ngrt_back + (1.0 - (ngrt_1 - ngrt_back)) + less;                  \
        NGRT_LOG_EXPONENT(F, U, ngrt_k, ngrt_1)                                                   \
        const F ngrt_n = NGRT_UNBITS(F, ngrt_k + 0x4338000000000000u) - NGRT_NEAREST;             \
        const F ngrt_d = NGRT_UNBITS(F, NGRT_BITS(F, ngrt_1) - (ngrt_k << 52)) - 1.0;             \
        const F ngrt_part = ngrt_lost * NGRT_UNBITS(F, (1023u - ngrt_k) << 52) * (1.0 - ngrt_d) * \
                            (NGRT_MUL(F, ngrt_d, ngrt_d) + 1.0);                                  \
        const F ngrt_lack = NGRT_IF(F, x > 1e20, 0.0, ngrt_part);                                 \
        NGRT_LOG_OFD(F, y, ngrt_1, ngrt_k, ngrt_n, NGRT_HIDDEN(F, ngrt_lack))                     \
    }

/*@ log1pd: log1p_ofd */
#define NGRT_TEXT_log1pd(F, U, y, x)                                    \
    {                                                                   \
        F ngrt_log;                                                     \
        NGRT_LOG1P_OFD(F, U, ngrt_log, x, 0.0)                          \
        ngrt_log = NGRT_IF(F, x > 1.7976931348623157e308, x, ngrt_log); \
        ngrt_log = NGRT_IF(F, x > -1.0, ngrt_log, NAN);                 \
        ngrt_log = NGRT_IF(F, x == -1.0, -INFINITY, ngrt_log);          \
        y = NGRT_IF(F, NGRT_ABS_ASD(F, x) < 1e-20, x, ngrt_log);        \
    }
NGRT_ALONE double ngrt_log1pd(double x)
{
    double y;
    NGRT_TEXT_log1pd(double, uint64_t, y, x) return y;
}

/*@ restd: bitsd */
/* rest = a - q b, rounded once: by a fused operation, or exactly, if q and b are in two pieces
 * whose products are exact. For a q near a/b, and for an a near q b, the bits are the same. */
#define NGRT_REST(F, rest, a, q, b) NGRT_REST_##F(F, rest, a, q, b)
#define NGRT_REST_BY_HALVES(F, rest, a, q, b)                      \
    {                                                              \
        const F ngrt_qh = NGRT_UPPER(F, q), ngrt_ql = q - ngrt_qh; \
        const F ngrt_bh = NGRT_UPPER(F, b), ngrt_bl = b - ngrt_bh; \
        rest = a - ngrt_qh * ngrt_bh;                              \
        rest = rest - ngrt_qh * ngrt_bl;                           \
        rest = rest - ngrt_ql * ngrt_bh;                           \
        rest = rest - ngrt_ql * ngrt_bl;                           \
    }
#define NGRT_REST_double NGRT_REST_BY_HALVES
#if defined __GNUC__ && defined __SSE2__ && (defined __FMA__ || !defined __AVX2__)
#define NGRT_REST_ngrt_v(F, rest, a, q, b)                                \
    if (sizeof(ngrt_v) > 16) {                                            \
        rest = a;                                                         \
        __asm__("vfnmadd231pd %2, %1, %0" : "+v"(rest) : "v"(q), "v"(b)); \
    } else                                                                \
        NGRT_REST_BY_HALVES(F, rest, a, q, b)
#elif defined __GNUC__ && defined __aarch64__
#define NGRT_REST_ngrt_v(F, rest, a, q, b) \
    rest = a;                              \
    __asm__("fmls %0.2d, %1.2d, %2.2d" : "+w"(rest) : "w"(q), "w"(b));
#else
#define NGRT_REST_ngrt_v NGRT_REST_BY_HALVES
#endif

/*@ ratiod: restd */
/* q + less = (a + a2)/(b + b2) */
#define NGRT_RATIO(F, q, less, a, a2, b, b2)                    \
    {                                                           \
        const F ngrt_inverse = 1.0 / b;                         \
        q = NGRT_MUL(F, a, ngrt_inverse);                       \
        NGRT_REST(F, less, a, q, b)                             \
        less = (less + a2 - NGRT_MUL(F, q, b2)) * ngrt_inverse; \
        less = NGRT_HIDDEN(F, less);                            \
    }

/*@ sigmoidd: exp_shortd far */
/* 1/(1 + exp(-x)), exp(-x) = 2^k (1 + e + e2): 1 + 2^k is taken first. What it and the next sum
 * lack is divided by the sum afterwards. Below -700 it is exp(x). */
#define NGRT_TEXT_sigmoidd(F, U, y, x)                                                          \
    {                                                                                           \
        const F ngrt_opposite = -x;                                                             \
        F ngrt_minus, ngrt_r, ngrt_p;                                                           \
        U ngrt_k;                                                                               \
        NGRT_BETWEEN(F, ngrt_minus, ngrt_opposite, -700.0, 700.0)                               \
        NGRT_EXP_SHORTD(F, ngrt_k, ngrt_r, ngrt_p, ngrt_minus)                                  \
        const F ngrt_e = ngrt_r + ngrt_p, ngrt_e2 = ngrt_r - ngrt_e + ngrt_p;                   \
        const F ngrt_power = NGRT_POWER_ASD(F, ngrt_k), ngrt_1 = 1.0 + ngrt_power;              \
        const F ngrt_large = ngrt_power - ngrt_1 + 1.0, ngrt_small = 1.0 - ngrt_1 + ngrt_power; \
        const F ngrt_lack = NGRT_IF(F, ngrt_power > 1.0, ngrt_large, ngrt_small);               \
        const F ngrt_pe = NGRT_MUL(F, ngrt_e, ngrt_power), ngrt_sum = ngrt_1 + ngrt_pe;         \
        const F ngrt_rest = NGRT_HIDDEN(F, ngrt_lack) + NGRT_MUL(F, ngrt_e2, ngrt_power);       \
        const F ngrt_lost = ngrt_1 - ngrt_sum + ngrt_pe + ngrt_rest;                            \
        const F ngrt_q = 1.0 / ngrt_sum, ngrt_part = NGRT_MUL(F, ngrt_q, ngrt_lost);            \
        y = ngrt_q - NGRT_MUL(F, ngrt_q, ngrt_part);                                            \
        NGRT_FAR(F, y, x < -700.0, exp, x)                                                      \
    }
NGRT_ALONE double ngrt_sigmoidd(double x)
{
    double y;
    NGRT_TEXT_sigmoidd(double, uint64_t, y, x) return y;
}

/*@ softplusd: exp_pairsd log1p_ofd */
/* log(1 + exp(x)) = max(x, 0) + log(1 + e), e = exp(-|x|) */
#define NGRT_TEXT_softplusd(F, U, y, x)                                                       \
    {                                                                                         \
        const F ngrt_far = -NGRT_ABS_ASD(F, x);                                               \
        U ngrt_kexp;                                                                          \
        F ngrt_high, ngrt_low, ngrt_log;                                                      \
        NGRT_EXP_PAIR(F, ngrt_kexp, ngrt_high, ngrt_low, ngrt_far)                            \
        const U ngrt_half = NGRT_HALF(ngrt_kexp);                                             \
        const F ngrt_sum = ngrt_high + ngrt_low, ngrt_over = ngrt_high - ngrt_sum + ngrt_low; \
        const F ngrt_e = NGRT_SCALE(F, ngrt_sum, ngrt_kexp, ngrt_half),                       \
                ngrt_e2 = NGRT_SCALE(F, ngrt_over, ngrt_kexp, ngrt_half);                     \
        NGRT_LOG1P_OFD(F, U, ngrt_log, ngrt_e, NGRT_HIDDEN(F, ngrt_e2))                       \
        ngrt_log = NGRT_IF(F, ngrt_e < 1e-20, ngrt_e, ngrt_log);                              \
        y = NGRT_IF(F, x > 0.0, x, 0.0) + ngrt_log;                                           \
    }
NGRT_ALONE double ngrt_softplusd(double x)
{
    double y;
    NGRT_TEXT_softplusd(double, uint64_t, y, x) return y;
}

/*@ tanhd: exp_partsd ratiod */
/* E/(E + 2), E = exp(2|x|) - 1 as in expm1d, without halving, and the sign of x */
#define NGRT_TEXT_tanhd(F, U, y, x)                                                            \
    {                                                                                          \
        const F ngrt_two = 2.0 * NGRT_ABS_ASD(F, x),                                           \
                ngrt_e = NGRT_IF(F, ngrt_two > 40.0, 40.0, ngrt_two);                          \
        F ngrt_r, ngrt_c, ngrt_p, ngrt_q, ngrt_less;                                           \
        U ngrt_k;                                                                              \
        NGRT_EXP_PARTSD(F, ngrt_k, ngrt_r, ngrt_c, ngrt_e)                                     \
        NGRT_EXP_TAILD(F, ngrt_p, ngrt_r, ngrt_c)                                              \
        const F ngrt_s = NGRT_POWER_ASD(F, ngrt_k), ngrt_1 = ngrt_s - 1.0;                     \
        const F ngrt_sr = ngrt_s * ngrt_r, ngrt_sum = ngrt_1 + ngrt_sr;                        \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_s) + (ngrt_1 - ngrt_sum + ngrt_sr);                  \
        const F ngrt_up = ngrt_sum + ngrt_p, ngrt_up2 = ngrt_sum - ngrt_up + ngrt_p;           \
        const F ngrt_under = 2.0 + ngrt_up, ngrt_back = ngrt_under - ngrt_up;                  \
        const F ngrt_lost = ngrt_up - (ngrt_under - ngrt_back) + (2.0 - ngrt_back) + ngrt_up2; \
        NGRT_RATIO(F, ngrt_q, ngrt_less, ngrt_up, ngrt_up2, ngrt_under, ngrt_lost)             \
        ngrt_q = ngrt_q + ngrt_less;                                                           \
        ngrt_q = NGRT_SIGNED_ASD(F, ngrt_q, x);                                                \
        y = NGRT_IF(F, ngrt_two < 1e-10, x, ngrt_q);                                           \
    }
NGRT_ALONE double ngrt_tanhd(double x)
{
    double y;
    NGRT_TEXT_tanhd(double, uint64_t, y, x) return y;
}

/*@ sinh_partsd: exp_partsd */
/* For |x| = n log 2 + r + c: up = 2^(n-3) and down = 2^(-n-3); s = sinh(r) - r + c, h = cosh(r)
 * - 1. s: 2^-59.6, h: 2^-64.7. */
#define NGRT_SINH_PARTSD(F, U, up, down, r, s, h, x)                                \
    {                                                                               \
        const F ngrt_abs = NGRT_ABS_ASD(F, x),                                      \
                ngrt_e = NGRT_IF(F, ngrt_abs > 711.0, 711.0, ngrt_abs);             \
        F ngrt_c;                                                                   \
        U ngrt_k;                                                                   \
        NGRT_EXP_PARTSD(F, ngrt_k, r, ngrt_c, ngrt_e)                               \
        const F ngrt_tiny = NGRT_UNBITS(F, (1020u - ngrt_k) << 52), ngrt_z = r * r; \
        up = NGRT_POWER_ASD(F, ngrt_k - 3u);                                        \
        down = NGRT_IF(F, ngrt_e > 100.0, 0.0, ngrt_tiny);                          \
        s = NGRT_MUL(F, ngrt_z, 1.6086898452895123e-10) + 2.5052070359545555e-08;   \
        s = NGRT_MUL(F, s, ngrt_z) + 2.755731924790864e-06;                         \
        s = NGRT_MUL(F, s, ngrt_z) + 0.00019841269841263038;                        \
        s = NGRT_MUL(F, s, ngrt_z) + 0.0083333333333333332;                         \
        s = NGRT_MUL(F, s, ngrt_z) + 0.16666666666666666;                           \
        s = NGRT_MUL(F, s, ngrt_z * r) + ngrt_c;                                    \
        h = NGRT_MUL(F, ngrt_z, 1.149105638104736e-11) + 2.0876723098692536e-09;    \
        h = NGRT_MUL(F, h, ngrt_z) + 2.7557319252020789e-07;                        \
        h = NGRT_MUL(F, h, ngrt_z) + 2.4801587301575396e-05;                        \
        h = NGRT_MUL(F, h, ngrt_z) + 0.0013888888888888892;                         \
        h = NGRT_MUL(F, h, ngrt_z) + 0.041666666666666664;                          \
        h = NGRT_MUL(F, h, ngrt_z) + 0.5;                                           \
        h = h * ngrt_z;                                                             \
    }

/*@ sinhd: sinh_partsd */
/* As in float. */
#define NGRT_TEXT_sinhd(F, U, y, x)                                                  \
    {                                                                                \
        F ngrt_up, ngrt_down, ngrt_r, ngrt_s, ngrt_ch;                               \
        NGRT_SINH_PARTSD(F, U, ngrt_up, ngrt_down, ngrt_r, ngrt_s, ngrt_ch, x)       \
        const F ngrt_a = ngrt_up + ngrt_down, ngrt_b = ngrt_up - ngrt_down;          \
        const F ngrt_pr = ngrt_up * ngrt_r, ngrt_sum = ngrt_b + ngrt_pr;             \
        F ngrt_rest = NGRT_MUL(F, ngrt_a, ngrt_s) + NGRT_MUL(F, ngrt_b, ngrt_ch);    \
        ngrt_rest = ngrt_down * ngrt_r + ngrt_rest + (ngrt_up - ngrt_b - ngrt_down); \
        ngrt_rest = 4.0 * (ngrt_sum + (ngrt_b - ngrt_sum + ngrt_pr + ngrt_rest));    \
        ngrt_rest = NGRT_SIGNED_ASD(F, ngrt_rest, x);                                \
        y = NGRT_IF(F, NGRT_ABS_ASD(F, x) < 1e-10, x, ngrt_rest);                    \
    }
NGRT_ALONE double ngrt_sinhd(double x)
{
    double y;
    NGRT_TEXT_sinhd(double, uint64_t, y, x) return y;
}

/*@ coshd: sinh_partsd */
#define NGRT_TEXT_coshd(F, U, y, x)                                                  \
    {                                                                                \
        F ngrt_up, ngrt_down, ngrt_r, ngrt_s, ngrt_ch;                               \
        NGRT_SINH_PARTSD(F, U, ngrt_up, ngrt_down, ngrt_r, ngrt_s, ngrt_ch, x)       \
        const F ngrt_a = ngrt_up + ngrt_down, ngrt_b = ngrt_up - ngrt_down;          \
        const F ngrt_pr = ngrt_up * ngrt_r, ngrt_sum = ngrt_a + ngrt_pr;             \
        F ngrt_rest = NGRT_MUL(F, ngrt_b, ngrt_s) + NGRT_MUL(F, ngrt_a, ngrt_ch);    \
        ngrt_rest = ngrt_rest - ngrt_down * ngrt_r + (ngrt_up - ngrt_a + ngrt_down); \
        y = 4.0 * (ngrt_sum + (ngrt_a - ngrt_sum + ngrt_pr + ngrt_rest));            \
    }
NGRT_ALONE double ngrt_coshd(double x)
{
    double y;
    NGRT_TEXT_coshd(double, uint64_t, y, x) return y;
}

/*@ erfd: exp_pairsd restd */
/* Below 1, x and x times a polynomial in x^2: 2^-54 of 1. What x^2 loses is taken
 * into account. From there on, 1 - t exp(-x^2) times a polynomial in t = 1/(1 + x/2), which is
 * 2^-54 of it. */
#define NGRT_TEXT_erfd(F, U, y, x)                                                             \
    {                                                                                          \
        const F ngrt_abs = NGRT_ABS_ASD(F, x),                                                 \
                ngrt_end = NGRT_IF(F, ngrt_abs > 6.0, 6.0, ngrt_abs);                          \
        const F ngrt_square = NGRT_MUL(F, ngrt_end, ngrt_end);                                 \
        const F ngrt_t = 1.0 / (1.0 + 0.5 * ngrt_end);                                         \
        F ngrt_lost, ngrt_near, ngrt_far, ngrt_high, ngrt_low;                                 \
        NGRT_REST(F, ngrt_lost, ngrt_square, ngrt_end, ngrt_end)                               \
        ngrt_lost = -ngrt_lost;                                                                \
        U ngrt_k;                                                                              \
        {                                                                                      \
            const F ngrt_sq = ngrt_square * ngrt_square;                                       \
            F ngrt_odd;                                                                        \
            ngrt_odd = NGRT_MUL(F, ngrt_sq, -3.2756931982422068e-12) - 1.1894502173635332e-09; \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) - 1.6356836994794651e-07;                \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) - 1.4925599893253706e-05;                \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) - 0.00085483269569266648;                \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) - 0.026866170644980581;                  \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) - 0.37612638903183732;                   \
            ngrt_near = NGRT_MUL(F, ngrt_sq, 7.9509269674076154e-11) + 1.473560215188159e-08;  \
            ngrt_near = NGRT_MUL(F, ngrt_near, ngrt_sq) + 1.6461312961700254e-06;              \
            ngrt_near = NGRT_MUL(F, ngrt_near, ngrt_sq) + 0.00012055330760279799;              \
            ngrt_near = NGRT_MUL(F, ngrt_near, ngrt_sq) + 0.0052239776241494876;               \
            ngrt_near = NGRT_MUL(F, ngrt_near, ngrt_sq) + 0.11283791670954209;                 \
            ngrt_near = NGRT_MUL(F, ngrt_near, ngrt_sq) + 0.12837916709551259;                 \
            ngrt_near = NGRT_MUL(F, ngrt_odd, ngrt_square) + ngrt_near;                        \
        }                                                                                      \
        ngrt_near = ngrt_near - NGRT_MUL(F, ngrt_lost, 0.2);                                   \
        ngrt_near = NGRT_MUL(F, ngrt_near, x) + x;                                             \
        NGRT_EXP_PAIR(F, ngrt_k, ngrt_high, ngrt_low, -ngrt_square)                            \
        {                                                                                      \
            const F ngrt_sq = ngrt_t * ngrt_t;                                                 \
            F ngrt_odd;                                                                        \
            ngrt_odd = NGRT_MUL(F, ngrt_sq, -0.083764506372573322) - 2.0850029621040416;       \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) - 5.2861271463722268;                    \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) - 2.7295141177164099;                    \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) - 0.51900341158606822;                   \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) - 0.031840069608919941;                  \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) + 0.17579130059438883;                   \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) + 0.28209268315515074;                   \
            ngrt_far = NGRT_MUL(F, ngrt_sq, 0.62174779389838164) + 4.1275433280820346;         \
            ngrt_far = NGRT_MUL(F, ngrt_far, ngrt_sq) + 4.5447286299288443;                    \
            ngrt_far = NGRT_MUL(F, ngrt_far, ngrt_sq) + 1.2940142534038817;                    \
            ngrt_far = NGRT_MUL(F, ngrt_far, ngrt_sq) + 0.072209258801547258;                  \
            ngrt_far = NGRT_MUL(F, ngrt_far, ngrt_sq) + 0.088153987775498016;                  \
            ngrt_far = NGRT_MUL(F, ngrt_far, ngrt_sq) + 0.24687499184485062;                   \
            ngrt_far = NGRT_MUL(F, ngrt_far, ngrt_sq) + 0.28209484100474119;                   \
            ngrt_far = NGRT_MUL(F, ngrt_odd, ngrt_t) + ngrt_far;                               \
        }                                                                                      \
        ngrt_far = ngrt_far * ngrt_t * (ngrt_high + ngrt_low) * NGRT_POWER_ASD(F, ngrt_k);     \
        ngrt_far = NGRT_HIDDEN(F, ngrt_far);                                                   \
        ngrt_far = 1.0 - (ngrt_far - NGRT_MUL(F, ngrt_far, ngrt_lost));                        \
        ngrt_far = NGRT_SIGNED_ASD(F, ngrt_far, x);                                            \
        y = NGRT_IF(F, ngrt_abs < 1.0, ngrt_near, ngrt_far);                                   \
    }
NGRT_ALONE double ngrt_erfd(double x)
{
    double y;
    NGRT_TEXT_erfd(double, uint64_t, y, x) return y;
}

/*@ sin_partsd: bitsd */
/* x = n pi/2 + r + c for |x| < 2^20: k is n in its last bits, |r| <= pi/4, and c is what r lacks.
 * pi/2 is in four pieces; n times the first three is exact. What a difference loses is exact too:
 * if the second number is the larger, the difference is. */
#define NGRT_SIN_PARTSD(F, k, r, c, x)                               \
    {                                                                \
        F ngrt_n;                                                    \
        ngrt_n = NGRT_MUL(F, x, 0.63661977236758138) + NGRT_NEAREST; \
        k = NGRT_BITS(F, ngrt_n);                                    \
        ngrt_n = ngrt_n - NGRT_NEAREST;                              \
        const F ngrt_1 = x - ngrt_n * 1.5707963267341256;            \
        const F ngrt_2 = ngrt_1 - ngrt_n * 6.077100506303966e-11;    \
        r = ngrt_2 - ngrt_n * 2.0222662487111665e-21;                \
        c = (ngrt_1 - ngrt_2 - ngrt_n * 6.077100506303966e-11) +     \
            (ngrt_2 - r - ngrt_n * 2.0222662487111665e-21) -         \
            NGRT_MUL(F, ngrt_n, 8.4784276603688996e-32);             \
    }
/* s is sin(r + c) - r, and h is cos(r + c) - one, where one = 1 - r^2/2 */
#define NGRT_SIN_OFD(F, s, one, z, r, c)                                           \
    {                                                                              \
        const F ngrt_sq = z * z, ngrt_z4 = ngrt_sq * ngrt_sq;                      \
        F ngrt_s2, ngrt_s4;                                                        \
        s = NGRT_MUL(F, z, 0.0083333333333333315) - 0.16666666666666666;           \
        ngrt_s2 = NGRT_MUL(F, z, 2.7557319219320579e-06) - 0.00019841269841265041; \
        ngrt_s4 = NGRT_MUL(F, z, 1.6058530596645953e-10) - 2.5052106225994401e-08; \
        ngrt_s4 = NGRT_MUL(F, ngrt_sq, -7.5866368828251592e-13) + ngrt_s4;         \
        s = NGRT_MUL(F, ngrt_s2, ngrt_sq) + s;                                     \
        s = NGRT_MUL(F, ngrt_s4, ngrt_z4) + s;                                     \
    }                                                                              \
    one = 1.0 - 0.5 * z; /* 0.5 z is exact */                                      \
    s = NGRT_MUL(F, s, z * r) + NGRT_MUL(F, c, one);
#define NGRT_COS_OFD(F, h, one, z, r, c)                                           \
    {                                                                              \
        const F ngrt_sq = z * z, ngrt_z4 = ngrt_sq * ngrt_sq;                      \
        F ngrt_h2, ngrt_h4;                                                        \
        h = NGRT_MUL(F, z, -0.0013888888888887389) + 0.041666666666666664;         \
        ngrt_h2 = NGRT_MUL(F, z, -2.7557317265878082e-07) + 2.48015872987544e-05;  \
        ngrt_h4 = NGRT_MUL(F, z, -1.138254464534925e-11) + 2.0876145049413178e-09; \
        h = NGRT_MUL(F, ngrt_h2, ngrt_sq) + h;                                     \
        h = NGRT_MUL(F, ngrt_h4, ngrt_z4) + h;                                     \
    }                                                                              \
    h = NGRT_MUL(F, h, z * z) - NGRT_MUL(F, r, c) + (1.0 - one - 0.5 * z);

/*@ sind: sin_partsd far */
/* sin(r), cos(r), -sin(r), -cos(r), as n says */
#define NGRT_TEXT_sind(F, U, y, x)                                                        \
    {                                                                                     \
        U ngrt_k;                                                                         \
        F ngrt_r, ngrt_c, ngrt_s, ngrt_ch, ngrt_one;                                      \
        NGRT_SIN_PARTSD(F, ngrt_k, ngrt_r, ngrt_c, x)                                     \
        const F ngrt_z = NGRT_HIDDEN(F, ngrt_r * ngrt_r);                                 \
        NGRT_SIN_OFD(F, ngrt_s, ngrt_one, ngrt_z, ngrt_r, ngrt_c)                         \
        NGRT_COS_OFD(F, ngrt_ch, ngrt_one, ngrt_z, ngrt_r, ngrt_c)                        \
        ngrt_s = ngrt_r + ngrt_s;                                                         \
        ngrt_ch = ngrt_one + ngrt_ch;                                                     \
        ngrt_s = NGRT_IF(F, (ngrt_k & 1u) != 0u, ngrt_ch, ngrt_s);                        \
        y = NGRT_HIDDEN(F, NGRT_UNBITS(F, NGRT_BITS(F, ngrt_s) ^ ((ngrt_k & 2u) << 62))); \
        y = NGRT_IF(F, x == 0.0, x, y);                                                   \
        NGRT_FAR(F, y, NGRT_ABS_ASD(F, x) >= 1048576.0, sin, x)                           \
    }
NGRT_ALONE double ngrt_sind(double x)
{
    double y;
    NGRT_TEXT_sind(double, uint64_t, y, x) return y;
}

/*@ cosd: sin_partsd far */
/* the sine of one quarter more */
#define NGRT_TEXT_cosd(F, U, y, x)                                                        \
    {                                                                                     \
        U ngrt_k;                                                                         \
        F ngrt_r, ngrt_c, ngrt_s, ngrt_ch, ngrt_one;                                      \
        NGRT_SIN_PARTSD(F, ngrt_k, ngrt_r, ngrt_c, x)                                     \
        const F ngrt_z = NGRT_HIDDEN(F, ngrt_r * ngrt_r);                                 \
        NGRT_SIN_OFD(F, ngrt_s, ngrt_one, ngrt_z, ngrt_r, ngrt_c)                         \
        NGRT_COS_OFD(F, ngrt_ch, ngrt_one, ngrt_z, ngrt_r, ngrt_c)                        \
        ngrt_s = ngrt_r + ngrt_s;                                                         \
        ngrt_ch = ngrt_one + ngrt_ch;                                                     \
        ngrt_k = ngrt_k + 1u;                                                             \
        ngrt_s = NGRT_IF(F, (ngrt_k & 1u) != 0u, ngrt_ch, ngrt_s);                        \
        y = NGRT_HIDDEN(F, NGRT_UNBITS(F, NGRT_BITS(F, ngrt_s) ^ ((ngrt_k & 2u) << 62))); \
        NGRT_FAR(F, y, NGRT_ABS_ASD(F, x) >= 1048576.0, cos, x)                           \
    }
NGRT_ALONE double ngrt_cosd(double x)
{
    double y;
    NGRT_TEXT_cosd(double, uint64_t, y, x) return y;
}

/*@ tand: sin_partsd ratiod far */
/* sin(r)/cos(r), or for an odd n -cos(r)/sin(r) */
#define NGRT_TEXT_tand(F, U, y, x)                                                             \
    {                                                                                          \
        U ngrt_k;                                                                              \
        F ngrt_r, ngrt_c, ngrt_s, ngrt_ch, ngrt_one, ngrt_q, ngrt_less;                        \
        NGRT_SIN_PARTSD(F, ngrt_k, ngrt_r, ngrt_c, x)                                          \
        const F ngrt_z = NGRT_HIDDEN(F, ngrt_r * ngrt_r);                                      \
        NGRT_SIN_OFD(F, ngrt_s, ngrt_one, ngrt_z, ngrt_r, ngrt_c)                              \
        NGRT_COS_OFD(F, ngrt_ch, ngrt_one, ngrt_z, ngrt_r, ngrt_c)                             \
        const F ngrt_sine = ngrt_r + ngrt_s, ngrt_cosine = ngrt_one + ngrt_ch;                 \
        const F ngrt_sine2 = ngrt_r - ngrt_sine + ngrt_s,                                      \
                ngrt_cosine2 = ngrt_one - ngrt_cosine + ngrt_ch;                               \
        const F ngrt_up = NGRT_IF(F, (ngrt_k & 1u) != 0u, ngrt_cosine, ngrt_sine),             \
                ngrt_up2 = NGRT_IF(F, (ngrt_k & 1u) != 0u, ngrt_cosine2, ngrt_sine2),          \
                ngrt_under = NGRT_IF(F, (ngrt_k & 1u) != 0u, ngrt_sine, ngrt_cosine),          \
                ngrt_under2 = NGRT_IF(F, (ngrt_k & 1u) != 0u, ngrt_sine2, ngrt_cosine2);       \
        NGRT_RATIO(F, ngrt_q, ngrt_less, ngrt_up, ngrt_up2, ngrt_under, ngrt_under2)           \
        ngrt_q = ngrt_q + ngrt_less;                                                           \
        ngrt_q = NGRT_HIDDEN(F, NGRT_UNBITS(F, NGRT_BITS(F, ngrt_q) ^ ((ngrt_k & 1u) << 63))); \
        y = NGRT_IF(F, NGRT_ABS_ASD(F, x) < 1e-10, x, ngrt_q);                                 \
        NGRT_FAR(F, y, NGRT_ABS_ASD(F, x) >= 1048576.0, tan, x)                                \
    }
NGRT_ALONE double ngrt_tand(double x)
{
    double y;
    NGRT_TEXT_tand(double, uint64_t, y, x) return y;
}

/*@ asin_neard: restd sqrt */
/* (asin(t)/t - 1)/t^2 for t^2 = z <= 1/4: 2^-57.4 */
#define NGRT_ASIN_NEARD(F, p, z)                                                        \
    {                                                                                   \
        const F ngrt_sq = z * z;                                                        \
        F ngrt_odd;                                                                     \
        ngrt_odd = NGRT_MUL(F, ngrt_sq, -0.014851887071247204) + 0.0054575067186403581; \
        ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) + 0.011479177415184906;               \
        ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) + 0.017352392720869973;               \
        ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) + 0.030381944138531247;               \
        ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) + 0.074999999999984329;               \
        p = NGRT_MUL(F, ngrt_sq, 0.028757851367421566) + 0.017400879442694021;          \
        p = NGRT_MUL(F, p, ngrt_sq) + 0.010322814350185779;                             \
        p = NGRT_MUL(F, p, ngrt_sq) + 0.013971212973552933;                             \
        p = NGRT_MUL(F, p, ngrt_sq) + 0.022372172942149889;                             \
        p = NGRT_MUL(F, p, ngrt_sq) + 0.044642857146355429;                             \
        p = NGRT_MUL(F, p, ngrt_sq) + 0.16666666666666669;                              \
        p = NGRT_MUL(F, ngrt_odd, z) + p;                                               \
    }
/* y = base + t + rest, where |base| >= |t| or base is 0 */
#define NGRT_SUM_OFD(F, y, base, t, rest)              \
    {                                                  \
        const F ngrt_sum = base + t;                   \
        y = ngrt_sum + (base - ngrt_sum + t + (rest)); \
    }
#define NGRT_ROOTD(F, x)     NGRT_ROOTD_##F(x)
#define NGRT_ROOTD_double(x) ngrt_sqrt(x)
#define NGRT_ROOTD_ngrt_v(x) NGRT_SQRT(x)

/*@ asind: asin_neard */
/* For |x| > 1/2 it is pi/2 - 2 asin(sqrt((1 - |x|)/2)). What the root lacks counts where it is near
 * 1/2: there it is 1.06 times the rest. */
#define NGRT_TEXT_asind(F, U, y, x)                                                 \
    {                                                                               \
        const F ngrt_abs = NGRT_ABS_ASD(F, x), ngrt_half = 0.5 - 0.5 * ngrt_abs;    \
        const F ngrt_z = NGRT_IF(F, ngrt_abs > 0.5, ngrt_half, x * x);              \
        const F ngrt_root = NGRT_ROOTD(F, ngrt_half);                               \
        F ngrt_lacks;                                                               \
        NGRT_REST(F, ngrt_lacks, ngrt_half, ngrt_root, ngrt_root)                   \
        const F ngrt_t = NGRT_IF(F, ngrt_abs > 0.5, -2.0 * ngrt_root, ngrt_abs),    \
                ngrt_base = NGRT_IF(F, ngrt_abs > 0.5, 1.5707963267948966, 0.0);    \
        const F ngrt_small = 6.123233995736766e-17 - NGRT_MUL(F, ngrt_lacks, 2.12), \
                ngrt_less = NGRT_IF(F, ngrt_abs > 0.5, ngrt_small, 0.0);            \
        F ngrt_p;                                                                   \
        NGRT_ASIN_NEARD(F, ngrt_p, ngrt_z)                                          \
        ngrt_p = NGRT_MUL(F, ngrt_p * ngrt_z, ngrt_t) + ngrt_less;                  \
        NGRT_SUM_OFD(F, ngrt_p, ngrt_base, ngrt_t, ngrt_p)                          \
        y = NGRT_SIGNED_ASD(F, ngrt_p, x);                                          \
    }
NGRT_ALONE double ngrt_asind(double x)
{
    double y;
    NGRT_TEXT_asind(double, uint64_t, y, x) return y;
}

/*@ acosd: asin_neard */
/* pi/2 - asin(x); for x > 1/2 it is 2 asin(sqrt((1 - x)/2)), and below -1/2 pi less that. 3.9e-17
 * is what pi/2 and pi lack in double, as a part of them. */
#define NGRT_TEXT_acosd(F, U, y, x)                                                                \
    {                                                                                              \
        const F ngrt_abs = NGRT_ABS_ASD(F, x), ngrt_half = 0.5 - 0.5 * ngrt_abs;                   \
        const F ngrt_z = NGRT_IF(F, ngrt_abs > 0.5, ngrt_half, x * x);                             \
        F ngrt_t = 2.0 * NGRT_ROOTD(F, ngrt_half), ngrt_p;                                         \
        ngrt_t = NGRT_SIGNED_ASD(F, ngrt_t, x);                                                    \
        ngrt_t = NGRT_IF(F, ngrt_abs > 0.5, ngrt_t, -x);                                           \
        const F ngrt_far = NGRT_IF(F, x < 0.0, 3.1415926535897931, 0.0),                           \
                ngrt_base = NGRT_IF(F, ngrt_abs > 0.5, ngrt_far, 1.5707963267948966);              \
        NGRT_ASIN_NEARD(F, ngrt_p, ngrt_z)                                                         \
        ngrt_p =                                                                                   \
            NGRT_MUL(F, ngrt_p * ngrt_z, ngrt_t) + NGRT_MUL(F, ngrt_base, 3.8981718325193755e-17); \
        NGRT_SUM_OFD(F, y, ngrt_base, ngrt_t, ngrt_p)                                              \
    }
NGRT_ALONE double ngrt_acosd(double x)
{
    double y;
    NGRT_TEXT_acosd(double, uint64_t, y, x) return y;
}

/*@ atan_ofd: ratiod */
/* The angle from 0 to pi/2 of a >= 0 by b > 0: up to tan(pi/8) it is that of a/b, then pi/4 and
 * that of (a - b)/(a + b), from tan(3 pi/8) on pi/2 and that of -b/a. base + t + rest + 3.9e-17
 * base, which is what pi/2 lacks in double; the polynomial: 2^-57. */
#define NGRT_ATAN_OFD(F, base, t, rest, a, b)                                                  \
    {                                                                                          \
        const F ngrt_low = NGRT_MUL(F, b, 0.41421356237309503),                                \
                ngrt_far = NGRT_MUL(F, b, 2.4142135623730949);                                 \
        const F ngrt_minus = a - b, ngrt_plus = a + b, ngrt_back1 = ngrt_minus - a,            \
                ngrt_back2 = ngrt_plus - a;                                                    \
        const F ngrt_lost1 = a - (ngrt_minus - ngrt_back1) - (b + ngrt_back1),                 \
                ngrt_lost2 = a - (ngrt_plus - ngrt_back2) + (b - ngrt_back2);                  \
        const F ngrt_above = NGRT_IF(F, a > ngrt_far, -b, ngrt_minus),                         \
                ngrt_below = NGRT_IF(F, a > ngrt_far, a, ngrt_plus),                           \
                ngrt_more = NGRT_IF(F, a > ngrt_far, 1.5707963267948966, 0.78539816339744828); \
        const F ngrt_a = NGRT_IF(F, a > ngrt_low, ngrt_above, a),                              \
                ngrt_b = NGRT_IF(F, a > ngrt_low, ngrt_below, b);                              \
        const F ngrt_one = NGRT_IF(F, (a > ngrt_low) & (a <= ngrt_far), 1.0, 0.0),             \
                ngrt_a2 = NGRT_MUL(F, ngrt_lost1, ngrt_one),                                   \
                ngrt_b2 = NGRT_MUL(F, ngrt_lost2, ngrt_one);                                   \
        F ngrt_lack, ngrt_p;                                                                   \
        base = NGRT_IF(F, a > ngrt_low, ngrt_more, 0.0);                                       \
        NGRT_RATIO(F, t, ngrt_lack, ngrt_a, ngrt_a2, ngrt_b, ngrt_b2)                          \
        const F ngrt_z = t * t;                                                                \
        {                                                                                      \
            const F ngrt_sq = ngrt_z * ngrt_z;                                                 \
            F ngrt_odd;                                                                        \
            ngrt_odd = NGRT_MUL(F, ngrt_sq, 0.039229528462738507) + 0.058581348221695848;      \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) + 0.076921830756539869;                  \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) + 0.11111111015134328;                   \
            ngrt_odd = NGRT_MUL(F, ngrt_odd, ngrt_sq) + 0.19999999999995513;                   \
            ngrt_p = NGRT_MUL(F, ngrt_sq, -0.019174278996035521) - 0.050853760082974805;       \
            ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_sq) - 0.066645098252075652;                      \
            ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_sq) - 0.090909045731658616;                      \
            ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_sq) - 0.14285714284665024;                       \
            ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_sq) - 0.33333333333333331;                       \
            ngrt_p = NGRT_MUL(F, ngrt_odd, ngrt_z) + ngrt_p;                                   \
        }                                                                                      \
        rest = NGRT_MUL(F, ngrt_p * ngrt_z, t) + ngrt_lack;                                    \
    }

/*@ atand: atan_ofd asin_neard */
#define NGRT_TEXT_atand(F, U, y, x)                                             \
    {                                                                           \
        const F ngrt_abs = NGRT_ABS_ASD(F, x),                                  \
                ngrt_end = NGRT_IF(F, ngrt_abs > 1e20, 1e20, ngrt_abs);         \
        const F ngrt_unit = 1.0 + 0.0 * ngrt_end;                               \
        F ngrt_base, ngrt_t, ngrt_rest;                                         \
        NGRT_ATAN_OFD(F, ngrt_base, ngrt_t, ngrt_rest, ngrt_end, ngrt_unit)     \
        ngrt_rest = ngrt_rest + NGRT_MUL(F, ngrt_base, 3.8981718325193755e-17); \
        NGRT_SUM_OFD(F, ngrt_rest, ngrt_base, ngrt_t, ngrt_rest)                \
        ngrt_rest = NGRT_SIGNED_ASD(F, ngrt_rest, x);                           \
        y = NGRT_IF(F, ngrt_abs < 1e-10, x, ngrt_rest);                         \
    }
NGRT_ALONE double ngrt_atand(double x)
{
    double y;
    NGRT_TEXT_atand(double, uint64_t, y, x) return y;
}

/*@ atan2d: atan_ofd asin_neard */
/* The angle of the point (x2, x1): that of atan_ofd, or pi less that. The sizes are brought near 1
 * first: next to infinity any other number is 0. A very small quotient is the angle. 3 pi/4
 * lacks 9.2e-17. */
#define NGRT_TEXT_atan2d(F, U, y, x1, x2)                                                        \
    {                                                                                            \
        const F ngrt_abs1 = NGRT_ABS_ASD(F, x1), ngrt_abs2 = NGRT_ABS_ASD(F, x2);                \
        const F ngrt_zero1 =                                                                     \
                    NGRT_IF(F, (ngrt_abs2 > 1.7976931348623157e308) & (ngrt_abs1 < ngrt_abs2),   \
                            0.0, ngrt_abs1),                                                     \
                ngrt_zero2 =                                                                     \
                    NGRT_IF(F, (ngrt_abs1 > 1.7976931348623157e308) & (ngrt_abs2 < ngrt_abs1),   \
                            0.0, ngrt_abs2);                                                     \
        const F ngrt_end1 = NGRT_IF(F, ngrt_zero1 > 1.7976931348623157e308,                      \
                                    1.7976931348623157e308, ngrt_zero1),                         \
                ngrt_end2 = NGRT_IF(F, ngrt_zero2 > 1.7976931348623157e308,                      \
                                    1.7976931348623157e308, ngrt_zero2);                         \
        const F ngrt_size = NGRT_IF(F, ngrt_end1 > ngrt_end2, ngrt_end1, ngrt_end2);             \
        const F ngrt_bring = NGRT_IF(F, ngrt_size < 1e-100, 0x1p600, 1.0),                       \
                ngrt_by = NGRT_IF(F, ngrt_size > 1e100, 0x1p-600, ngrt_bring);                   \
        const F ngrt_up = NGRT_MUL(F, ngrt_end1, ngrt_by),                                       \
                ngrt_scaled = NGRT_MUL(F, ngrt_end2, ngrt_by),                                   \
                ngrt_under = NGRT_IF(F, ngrt_size == 0.0, 1.0, ngrt_scaled);                     \
        const F ngrt_left =                                                                      \
            NGRT_HIDDEN(F, NGRT_UNBITS(F, (NGRT_BITS(F, x2) & 0x8000000000000000u) |             \
                                              0x3FF0000000000000u));                             \
        F ngrt_base, ngrt_t, ngrt_rest;                                                          \
        NGRT_ATAN_OFD(F, ngrt_base, ngrt_t, ngrt_rest, ngrt_up, ngrt_under)                      \
        const F ngrt_side = NGRT_IF(F, ngrt_base == 0.78539816339744828, 2.3561944901923448,     \
                                    3.1415926535897931),                                         \
                ngrt_half = NGRT_IF(F, ngrt_base > 1.0, ngrt_base, ngrt_side),                   \
                ngrt_start = NGRT_IF(F, ngrt_left < 0.0, ngrt_half, ngrt_base);                  \
        const F ngrt_lacks = NGRT_MUL(F, ngrt_start, 3.8981718325193755e-17);                    \
        const F ngrt_corner =                                                                    \
            NGRT_IF(F, ngrt_start == 2.3561944901923448, 9.1848509936051484e-17, ngrt_lacks);    \
        ngrt_t = ngrt_t * ngrt_left;                                                             \
        ngrt_rest = NGRT_MUL(F, ngrt_rest, ngrt_left) + ngrt_corner;                             \
        NGRT_SUM_OFD(F, ngrt_rest, ngrt_start, ngrt_t, ngrt_rest)                                \
        const F ngrt_small = ngrt_end1 / ngrt_end2;                                              \
        ngrt_rest = NGRT_IF(F, (ngrt_small < 1e-18) & (ngrt_left > 0.0), ngrt_small, ngrt_rest); \
        ngrt_rest = NGRT_SIGNED_ASD(F, ngrt_rest, x1);                                           \
        y = NGRT_IF(F, (x1 == x1) & (x2 == x2), ngrt_rest, x1 + x2);                             \
    }
NGRT_ALONE double ngrt_atan2d(double x1, double x2)
{
    double y;
    NGRT_TEXT_atan2d(double, uint64_t, y, x1, x2) return y;
}

/*@ powd: exp_pairsd ratiod power_cases */
/* low = a b - p, for p = a b rounded */
#define NGRT_LACKS(F, low, p, a, b) NGRT_REST(F, low, p, a, b) low = -low;
/* x1 to the power x2 = exp(x2 log|x1|), the logarithm being a pair of about 2^-66 of it. log(m), m
 * from sqrt(1/2) to sqrt(2), is 2s + s z (2/3 + z p), where s = (m - 1)/(m + 1) and z = s^2 are
 * pairs too; the polynomial p: 2^-65 of 2/3. */
#define NGRT_TEXT_powd(F, U, y, x1, x2)                                                            \
    {                                                                                              \
        const F ngrt_abs = NGRT_ABS_ASD(F, x1);                                                    \
        const F ngrt_tiny = NGRT_IF(F, ngrt_abs < 2.2250738585072014e-308, 54.0, 0.0),             \
                ngrt_x54 = ngrt_abs * 18014398509481984.0,                                         \
                ngrt_normal = NGRT_IF(F, ngrt_abs < 2.2250738585072014e-308, ngrt_x54, ngrt_abs);  \
        const U ngrt_e = ((NGRT_BITS(F, ngrt_normal) + 0x00195F619980C433u) >> 52) - 1024u;        \
        const F ngrt_n = NGRT_UNBITS(F, ngrt_e + 0x4338000000000000u) - NGRT_NEAREST - ngrt_tiny;  \
        const F ngrt_m = NGRT_UNBITS(F, NGRT_BITS(F, ngrt_normal) - (ngrt_e << 52)) - 1.0;         \
        const F ngrt_plus = 2.0 + ngrt_m, ngrt_lost = 2.0 - ngrt_plus + ngrt_m;                    \
        F ngrt_s, ngrt_s2, ngrt_z, ngrt_z2, ngrt_p, ngrt_t, ngrt_t2, ngrt_v1, ngrt_v2, ngrt_l,     \
            ngrt_l2;                                                                               \
        NGRT_RATIO(F, ngrt_s, ngrt_s2, ngrt_m, 0.0, ngrt_plus, ngrt_lost)                          \
        ngrt_z = NGRT_MUL(F, ngrt_s, ngrt_s);                                                      \
        NGRT_LACKS(F, ngrt_z2, ngrt_z, ngrt_s, ngrt_s)                                             \
        ngrt_z2 = ngrt_z2 + NGRT_MUL(F, 2.0 * ngrt_s, ngrt_s2);                                    \
        {                                                                                          \
            const F ngrt_sq = ngrt_z * ngrt_z, ngrt_z4 = ngrt_sq * ngrt_sq;                        \
            F ngrt_p2, ngrt_p4, ngrt_p6;                                                           \
            ngrt_p = NGRT_MUL(F, ngrt_z, 0.28571428571429369) + 0.40000000000000002;               \
            ngrt_p2 = NGRT_MUL(F, ngrt_z, 0.18181818336099848) + 0.22222222221652765;              \
            ngrt_p4 = NGRT_MUL(F, ngrt_z, 0.13334808798812339) + 0.1538459488700718;               \
            ngrt_p6 = NGRT_MUL(F, ngrt_z, 0.11724327060846747) + 0.11706126464563398;              \
            ngrt_p = NGRT_MUL(F, ngrt_p2, ngrt_sq) + ngrt_p;                                       \
            ngrt_p4 = NGRT_MUL(F, ngrt_p6, ngrt_sq) + ngrt_p4;                                     \
            ngrt_p = NGRT_MUL(F, ngrt_p4, ngrt_z4) + ngrt_p;                                       \
        }                                                                                          \
        ngrt_p = NGRT_MUL(F, ngrt_p, ngrt_z);                                                      \
        ngrt_t = 0.66666666666666663 + ngrt_p;                                                     \
        ngrt_t2 = 0.66666666666666663 - ngrt_t + ngrt_p + 3.7007434154171883e-17;                  \
        ngrt_l = NGRT_MUL(F, ngrt_z, ngrt_t);                                                      \
        NGRT_LACKS(F, ngrt_l2, ngrt_l, ngrt_z, ngrt_t)                                             \
        ngrt_l2 = ngrt_l2 + NGRT_MUL(F, ngrt_z, ngrt_t2) + NGRT_MUL(F, ngrt_z2, ngrt_t);           \
        ngrt_v1 = NGRT_MUL(F, ngrt_s, ngrt_l);                                                     \
        NGRT_LACKS(F, ngrt_v2, ngrt_v1, ngrt_s, ngrt_l)                                            \
        ngrt_v2 =                                                                                  \
            ngrt_v2 + NGRT_MUL(F, ngrt_s, ngrt_l2) + NGRT_MUL(F, ngrt_s2, ngrt_l) + 2.0 * ngrt_s2; \
        const F ngrt_whole2 = ngrt_n * 0.69314718036912382, ngrt_twice = 2.0 * ngrt_s;             \
        const F ngrt_sum = ngrt_whole2 + ngrt_twice, ngrt_sum2 = ngrt_sum + ngrt_v1;               \
        ngrt_l2 = ngrt_whole2 - ngrt_sum + ngrt_twice + (ngrt_sum - ngrt_sum2 + ngrt_v1) +         \
                  (ngrt_v2 + NGRT_MUL(F, ngrt_n, 1.9082149292705877e-10));                         \
        ngrt_l = ngrt_sum2 + ngrt_l2;                                                              \
        ngrt_l2 = ngrt_sum2 - ngrt_l + ngrt_l2;                                                    \
        const F ngrt_least = NGRT_IF(F, x2 < -1e20, -1e20, x2),                                    \
                ngrt_power = NGRT_IF(F, ngrt_least > 1e20, 1e20, ngrt_least);                      \
        ngrt_t = NGRT_MUL(F, ngrt_power, ngrt_l);                                                  \
        NGRT_LACKS(F, ngrt_t2, ngrt_t, ngrt_power, ngrt_l)                                         \
        ngrt_t2 = ngrt_t2 + NGRT_MUL(F, ngrt_power, ngrt_l2);                                      \
        ngrt_t2 = NGRT_IF(F, NGRT_ABS_ASD(F, ngrt_t) > 760.0, 0.0, ngrt_t2);                       \
        ngrt_t = NGRT_IF(F, ngrt_t < -746.0, -746.0, ngrt_t);                                      \
        ngrt_t = NGRT_IF(F, ngrt_t > 710.0, 710.0, ngrt_t);                                        \
        U ngrt_k;                                                                                  \
        NGRT_WHOLE_OF(F, ngrt_z, ngrt_k, NGRT_MUL(F, ngrt_t, 1.4426950408889634))                  \
        ngrt_z2 = ngrt_t2 - NGRT_MUL(F, ngrt_z, 1.9082149292705877e-10);                           \
        ngrt_z = ngrt_t - ngrt_z * 0.69314718036912382;                                            \
        ngrt_t = ngrt_z + ngrt_z2; /* exp of that and t2 */                                        \
        ngrt_t2 = ngrt_z - ngrt_t + ngrt_z2;                                                       \
        NGRT_EXP_TAILD(F, ngrt_p, ngrt_t, ngrt_t2)                                                 \
        ngrt_z = 1.0 + ngrt_t;                                                                     \
        ngrt_z = ngrt_z + (1.0 - ngrt_z + ngrt_t + ngrt_p);                                        \
        const U ngrt_half = NGRT_HALF(ngrt_k);                                                     \
        ngrt_p = NGRT_SCALE(F, ngrt_z, ngrt_k, ngrt_half);                                         \
        NGRT_POWER_CASES(F, NGRT_ABS_ASD, NGRT_SIGNED_ASD, 4503599627370496.0, y, x1, x2, ngrt_p)  \
    }
NGRT_ALONE double ngrt_powd(double x1, double x2)
{
    double y;
    NGRT_TEXT_powd(double, uint64_t, y, x1, x2) return y;
}

/* ---- in float, computed in double ---- */

/*@ gamma_shiftf: bitsd */
/* The series of log gamma and of its slopes are for large numbers: z is x, or x + 8 where x is
 * below
 * 8. product is x (x + 1) .. (x + 7) there, else 1. */
#define NGRT_GAMMA_SHIFT(F, z, product, x)                                                        \
    {                                                                                             \
        const F ngrt_two = x * (x + 7.0); /* x (x + 7), (x + 1) (x + 6), ... differ by numbers */ \
        const F ngrt_all = ngrt_two * (ngrt_two + 6.0) * ((ngrt_two + 10.0) * (ngrt_two + 12.0)); \
        z = x + NGRT_IF(F, x < 8.0, 8.0, 0.0);                                                    \
        product = NGRT_IF(F, x < 8.0, ngrt_all, 1.0);                                             \
    }

/*@ lgammaf: gamma_shiftf doubles far logd */
/* Below 0 it is that of the C library. From 8 on, log gamma(z) is (z - 1/2) log z - z + log(2 pi)/2
 * and a series in 1/z, which ends with 1/z^15. */
#define NGRT_TEXT_lgamma_of_float(F, U, y, x)                                                      \
    {                                                                                              \
        F ngrt_far_up, ngrt_product, ngrt_log1, ngrt_log2;                                         \
        NGRT_GAMMA_SHIFT(F, ngrt_far_up, ngrt_product, x)                                          \
        NGRT_TEXT_logd(F, U, ngrt_log1, ngrt_far_up) NGRT_TEXT_logd(F, U, ngrt_log2, ngrt_product) \
            const F ngrt_1z = 1.0 / ngrt_far_up,                                                   \
                    ngrt_w1 = ngrt_1z * ngrt_1z;                                                   \
        F ngrt_q = NGRT_MUL(F, ngrt_w1, -0.029550653594771242) + 6.4102564102564103e-3;            \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) - 1.9175269175269175e-3;                             \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) + 8.4175084175084175e-4;                             \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) - 5.9523809523809524e-4;                             \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) + 7.9365079365079365e-4;                             \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) - 2.7777777777777778e-3;                             \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) + 8.3333333333333333e-2;                             \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_1z) + 0.41893853320467274;                               \
        ngrt_q = NGRT_MUL(F, ngrt_far_up - 0.5, ngrt_log1 - 1.0) + (ngrt_q - ngrt_log2);           \
        y = NGRT_IF(F, (x == 1.0) | (x == 2.0), 0.0, ngrt_q);                                      \
    }
#define NGRT_TEXT_lgammaf(F, U, y, x)                       \
    {                                                       \
        NGRT_BY_DOUBLES(F, NGRT_TEXT_lgamma_of_float, y, x) \
        NGRT_FAR(F, y, x < 0.0f, lgammaf, x)                \
    }
NGRT_ALONE float ngrt_lgammaf(float x)
{
    float y;
    NGRT_TEXT_lgammaf(float, uint32_t, y, x) return y;
}

/*@ slope_of_gammaf: gamma_shiftf doubles far logd polygammaf */
/* digamma(z) is log z - 1/(2z) and a series in 1/z^2, which ends with 1/z^16. The sum of 1/x ..
 * 1/(x + 7) is the derivative of their product by it: with t = x (x + 7), that is the product of t,
 * t + 6, t + 10 and t + 12. */
#define NGRT_TEXT_digamma_of_float(F, U, y, x)                                              \
    {                                                                                       \
        F ngrt_far_up, ngrt_product, ngrt_log1;                                             \
        NGRT_GAMMA_SHIFT(F, ngrt_far_up, ngrt_product, x)                                   \
        NGRT_TEXT_logd(F, U, ngrt_log1, ngrt_far_up)                                        \
            const F ngrt_t = x * (x + 7.0),                                                 \
                    ngrt_low = ngrt_t * (ngrt_t + 6.0),                                     \
                    ngrt_high = (ngrt_t + 10.0) * (ngrt_t + 12.0);                          \
        const F ngrt_slope =                                                                \
            (NGRT_MUL(F, ngrt_t + 3.0, ngrt_high) + NGRT_MUL(F, ngrt_t + 11.0, ngrt_low)) * \
            (4.0 * x + 14.0);                                                               \
        const F ngrt_sum = NGRT_IF(F, x < 8.0, ngrt_slope / ngrt_product, 0.0);             \
        const F ngrt_1z = 1.0 / ngrt_far_up, ngrt_w1 = ngrt_1z * ngrt_1z;                   \
        F ngrt_q = NGRT_MUL(F, ngrt_w1, 0.44325980392156863) - 8.3333333333333333e-2;       \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) + 2.1092796092796093e-2;                      \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) - 7.5757575757575758e-3;                      \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) + 4.1666666666666667e-3;                      \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) - 3.9682539682539683e-3;                      \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) + 8.3333333333333333e-3;                      \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) - 8.3333333333333333e-2;                      \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) - 0.5 * ngrt_1z;                              \
        y = ngrt_log1 + (ngrt_q - ngrt_sum);                                                \
    }
/* The sum of 1/x^2 .. 1/(x + 7)^2, in pairs; then the slope of that series. */
#define NGRT_TEXT_trigamma_of_float(F, U, y, x)                                         \
    {                                                                                   \
        const F ngrt_far_up = x + NGRT_IF(F, x < 8.0, 8.0, 0.0);                        \
        F ngrt_sum = 0.0 * x;                                                           \
        NGRT_TWO_SQUARES(F, ngrt_sum, x, x + 1.0)                                       \
        NGRT_TWO_SQUARES(F, ngrt_sum, x + 2.0, x + 3.0)                                 \
        NGRT_TWO_SQUARES(F, ngrt_sum, x + 4.0, x + 5.0)                                 \
        NGRT_TWO_SQUARES(F, ngrt_sum, x + 6.0, x + 7.0)                                 \
        ngrt_sum = NGRT_IF(F, x < 8.0, ngrt_sum, 0.0);                                  \
        const F ngrt_1z = 1.0 / ngrt_far_up, ngrt_w1 = ngrt_1z * ngrt_1z;               \
        F ngrt_q = NGRT_MUL(F, ngrt_w1, 7.5757575757575758e-2) - 3.3333333333333333e-2; \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) + 2.3809523809523810e-2;                  \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) - 3.3333333333333333e-2;                  \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_w1) + 0.16666666666666667;                    \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_1z) + 0.5;                                    \
        ngrt_q = NGRT_MUL(F, ngrt_q, ngrt_1z) + 1.0;                                    \
        y = NGRT_MUL(F, ngrt_q, ngrt_1z) + ngrt_sum;                                    \
    }
#define NGRT_TWO_SQUARES(F, sum, a, b)                                                         \
    {                                                                                          \
        const F ngrt_a2 = (a) * (a), ngrt_b2 = (b) * (b);                                      \
        sum = sum + (NGRT_HIDDEN(F, ngrt_a2) + NGRT_HIDDEN(F, ngrt_b2)) / (ngrt_a2 * ngrt_b2); \
    }
/* The x1-th derivative of digamma at x2, where x1 is the same in all lanes: digamma and its slope;
 * others, and those below 0, one at a time. */
#define NGRT_TEXT_slope_of_gammaf(F, U, y, x1, x2)                       \
    {                                                                    \
        F ngrt_order = x1;                                               \
        if (NGRT_FIRST_##F(ngrt_order) == 0.0f) {                        \
            NGRT_BY_DOUBLES(F, NGRT_TEXT_digamma_of_float, y, x2)        \
            ngrt_order = NGRT_IF(F, x2 < 0.0f, 1.0f, 0.0f);              \
        } else {                                                         \
            NGRT_BY_DOUBLES(F, NGRT_TEXT_trigamma_of_float, y, x2)       \
            ngrt_order = NGRT_IF(F, x2 < 0.0f, 2.0f, ngrt_order) - 1.0f; \
        }                                                                \
        NGRT_FAR2(F, y, ngrt_order > 0.0f, ngrt_polygammaf, x1, x2)      \
    }
#define NGRT_FIRST_float(x)  (x)
#define NGRT_FIRST_ngrt_v(x) (x)[0]
NGRT_ALONE float ngrt_slope_of_gammaf(float x1, float x2)
{
    float y;
    NGRT_TEXT_slope_of_gammaf(float, uint32_t, y, x1, x2) return y;
}

/*@ end: */
#endif
