/* ngrt_vector.h - the words in which emitted C writes loops over neighbours: vectors that the C
 * names itself. No compiler's vectoriser is asked for, or trusted.
 *
 * A kernel is NGRT_KERNEL_N(real, type, back, name, params, args, { body }), a static function
 * `type name params` whose body is compiled for vectors of up to N bytes: for any processor, and
 * where it pays for AVX2 and for AVX-512, one of which each call chooses. `back` is return where
 * the function has a value, and args passes the params on. In the body are
 *
 *     ngrt_v, ngrt_i, ngrt_u    vectors of reals, and of signed and unsigned ints of the same size
 *     ngrt_h, ngrt_w            half a vector of floats, and it in double; ngrt_wi and ngrt_wu
 *     NGRT_LANES                how many
 *     NGRT_VECTORS(loop)        loop, where there are vectors
 *     NGRT_LONG_SUM(...)        vectors of a long sum
 *     NGRT_FOUR_FOLDS(...)      vectors of a fold whose steps may be in any order
 *     NGRT_TOTAL(v)             the sum of all lanes
 *     NGRT_EVERY_LANE(...)      what is done for each lane l
 *     NGRT_WHOLE(n)             those of n elements that whole vectors hold: the loop after it does
 * the others
 *
 * Elsewhere (other compilers, no optimization, processors without vectors) the loops after it do
 * everything. Sections as in ngrt_math.h, which this file needs.
 */
#ifndef NGRT_VECTOR_H
#define NGRT_VECTOR_H

#include "ngrt_math.h"
#include <stddef.h>

/*@ vector: hide */
#if (defined __clang__ || (defined __GNUC__ && __GNUC__ >= 9)) && defined __OPTIMIZE__ && \
    (defined __SSE2__ || (defined __aarch64__ && defined __ARM_NEON))
#define NGRT_INT_float       int32_t
#define NGRT_INT_double      int64_t
#define NGRT_UNSIGNED_float  uint32_t
#define NGRT_UNSIGNED_double uint64_t
#define NGRT_PACKED(real, bytes) \
    __attribute__((vector_size(bytes), aligned(sizeof(real)), may_alias))
/* All vectors of one size, at file scope: for a type that a kernel declares with attributes, GCC
 * makes a new one each time, and compares it with all before it. */
#define NGRT_SIZED_TYPES(real, bytes)                                           \
    typedef real ngrt_v_##real##bytes NGRT_PACKED(real, bytes);                 \
    typedef NGRT_INT_##real ngrt_i_##real##bytes NGRT_PACKED(real, bytes);      \
    typedef NGRT_UNSIGNED_##real ngrt_u_##real##bytes NGRT_PACKED(real, bytes); \
    typedef float ngrt_h_##real##bytes NGRT_PACKED(real, (bytes) / 2);          \
    typedef double ngrt_w_##real##bytes NGRT_PACKED(real, bytes);               \
    typedef int64_t ngrt_wi_##real##bytes NGRT_PACKED(real, bytes);             \
    typedef uint64_t ngrt_wu_##real##bytes NGRT_PACKED(real, bytes);
NGRT_SIZED_TYPES(float, 16)
NGRT_SIZED_TYPES(float, 32)
NGRT_SIZED_TYPES(float, 64)
NGRT_SIZED_TYPES(double, 16)
NGRT_SIZED_TYPES(double, 32)
NGRT_SIZED_TYPES(double, 64)

#define NGRT_UNUSED __attribute__((unused))
#define NGRT_VECTOR_TYPES(real, bytes)                 \
    typedef ngrt_v_##real##bytes ngrt_v NGRT_UNUSED;   \
    typedef ngrt_i_##real##bytes ngrt_i NGRT_UNUSED;   \
    typedef ngrt_u_##real##bytes ngrt_u NGRT_UNUSED;   \
    typedef ngrt_v_##real##16 ngrt_x16 NGRT_UNUSED;    \
    typedef ngrt_h_##real##bytes ngrt_h NGRT_UNUSED;   \
    typedef ngrt_w_##real##bytes ngrt_w NGRT_UNUSED;   \
    typedef ngrt_wi_##real##bytes ngrt_wi NGRT_UNUSED; \
    typedef ngrt_wu_##real##bytes ngrt_wu NGRT_UNUSED; \
    enum { NGRT_LANES = (bytes) / sizeof(real) };

#define NGRT_VECTORS(...) __VA_ARGS__
#define NGRT_WHOLE(n)     ngrt_whole(n, NGRT_LANES)
static inline size_t ngrt_whole(size_t n, size_t lanes)
{
    return n / lanes * lanes;
}

/* Has at < span the same result in all lanes? at is that of the first; from lane to lane it grows
 * by step. Below 0 it wraps. */
#define NGRT_ALIKE(at, span, step)                                                        \
    __extension__({                                                                       \
        const size_t ngrt_first = at, ngrt_last = ngrt_first + (NGRT_LANES - 1) * (step); \
        (ngrt_first < (span)) == (ngrt_last < (span)) && ngrt_first <= ngrt_last;         \
    })

/* the vector that begins with element x, to read and to write */
#define NGRT_LOAD(x)      (*(const ngrt_v *)&(x))
#define NGRT_LOAD_INT(x)  (*(const ngrt_i *)&(x))
#define NGRT_STORE(x)     (*(ngrt_v *)&(x))
#define NGRT_STORE_INT(x) (*(ngrt_i *)&(x))

/* a number in every lane; a vector stays as it is. (x - 0 keeps the sign of -0.) */
#define NGRT_EACH(x)     ((x) - (ngrt_v){0})
#define NGRT_EACH_INT(x) ((x) - (ngrt_i){0})

/* a choice that is the same for all lanes, of which only one is computed: the other may be outside
 * of a tensor. GCC 11 and 12 may join the branch with others, or move a test of vectors into it;
 * then they lose what that test is, and end with an internal error. So they are not told that the
 * test is the same as in other places, nor what the value is. */
#ifdef __clang__
#define NGRT_EITHER(test, a, b)     ((test) ? (ngrt_v)NGRT_EACH(a) : (ngrt_v)NGRT_EACH(b))
#define NGRT_EITHER_INT(test, a, b) ((test) ? (ngrt_i)NGRT_EACH_INT(a) : (ngrt_i)NGRT_EACH_INT(b))
#else
#define NGRT_EITHER(test, a, b) NGRT_GUARD(__COUNTER__, ngrt_v, test, NGRT_EACH(a), NGRT_EACH(b))
#define NGRT_EITHER_INT(test, a, b) \
    NGRT_GUARD(__COUNTER__, ngrt_i, test, NGRT_EACH_INT(a), NGRT_EACH_INT(b))
#define NGRT_GUARD(n, ...) NGRT_GUARD_OF(n, __VA_ARGS__)
#define NGRT_GUARD_OF(n, type, test, a, b)                    \
    __extension__({                                           \
        int ngrt_test##n = (test) != 0;                       \
        type ngrt_value##n;                                   \
        __asm__("" : "+r"(ngrt_test##n));                     \
        ngrt_value##n = ngrt_test##n ? (type)(a) : (type)(b); \
        NGRT_HIDE(ngrt_value##n)                              \
        ngrt_value##n;                                        \
    })
#endif

/* A test of vectors has all bits of a lane set where it holds. What is written twice here is a name
 * or a short text. */
#define NGRT_PICK(test, a, b) \
    ((ngrt_v)(((ngrt_i)(test) & (ngrt_i)NGRT_EACH(a)) | (~(ngrt_i)(test) & (ngrt_i)NGRT_EACH(b))))
/* A test that is the same for all lanes, without a branch: where GCC 11 and 12 join branches, they
 * lose what a test of vectors between them is, and end with an internal error. */
#define NGRT_ALL(test)     NGRT_EACH_INT(-((test) != 0))
#define NGRT_ONES(test)    ((ngrt_v)((ngrt_i)(test) & (ngrt_i)NGRT_EACH(1)))
#define NGRT_MAXIMUM(a, b) NGRT_PICK((NGRT_EACH(a) > (b)) | (NGRT_EACH(a) != (a)), a, b)
#define NGRT_MINIMUM(a, b) NGRT_PICK((NGRT_EACH(a) < (b)) | (NGRT_EACH(a) != (a)), a, b)
#define NGRT_ABS(x)        ((ngrt_v)((ngrt_u)(x) & ((ngrt_u){0} - 1) >> 1))
#define NGRT_SIGN(x)       NGRT_PICK((x) > 0, 1, NGRT_PICK((x) < 0, -1, x))
#define NGRT_CAST(x)       __builtin_convertvector(x, ngrt_v)
/* 0, 1, ...: the number of each lane */
static const int32_t ngrt_lane[16]
    __attribute__((unused)) = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#define NGRT_LANE NGRT_LOAD_INT(ngrt_lane[0])

/* The passes of a long sum from `from` up to `end`, by whole vectors: in each, the last argument
 * adds to the lanes. They take only 16 floats each before they go to the sum, which is a double. */
#define NGRT_LONG_SUM(i, from, end, sum, lanes, ...)                             \
    for (size_t ngrt_j = (from); ngrt_j < (end); ngrt_j += 16 * NGRT_LANES) {    \
        const size_t ngrt_until =                                                \
            ngrt_j + 16 * NGRT_LANES < (end) ? ngrt_j + 16 * NGRT_LANES : (end); \
        ngrt_v lanes = NGRT_EACH(0);                                             \
        for (size_t i = ngrt_j; i < ngrt_until; i += NGRT_LANES) {               \
            __VA_ARGS__                                                          \
        }                                                                        \
        NGRT_EVERY_LANE(sum += (double)lanes[l];)                                \
    }

/* The same for a fold whose steps may be in any order: four folds that begin with `start`, as a
 * step of one waits for the step before it. They are lanes_a to lanes_d. */
#define NGRT_FOLD_STEP(i, at, lanes, fold, ...) \
    {                                           \
        const size_t i = at;                    \
        ngrt_v lanes = fold;                    \
        __VA_ARGS__                             \
        fold = lanes;                           \
    }
#define NGRT_FOUR_FOLDS(i, from, end, lanes, start, ...)                              \
    ngrt_v lanes##_a = NGRT_EACH(start), lanes##_b = lanes##_a;                       \
    ngrt_v lanes##_c = lanes##_a, lanes##_d = lanes##_a;                              \
    size_t lanes##_at = from;                                                         \
    for (; lanes##_at + 3 * NGRT_LANES < (end); lanes##_at += 4 * NGRT_LANES) {       \
        NGRT_FOLD_STEP(i, lanes##_at, lanes, lanes##_a, __VA_ARGS__)                  \
        NGRT_FOLD_STEP(i, lanes##_at + NGRT_LANES, lanes, lanes##_b, __VA_ARGS__)     \
        NGRT_FOLD_STEP(i, lanes##_at + 2 * NGRT_LANES, lanes, lanes##_c, __VA_ARGS__) \
        NGRT_FOLD_STEP(i, lanes##_at + 3 * NGRT_LANES, lanes, lanes##_d, __VA_ARGS__) \
    }                                                                                 \
    for (; lanes##_at < (end); lanes##_at += NGRT_LANES)                              \
    NGRT_FOLD_STEP(i, lanes##_at, lanes, lanes##_a, __VA_ARGS__)

/* The sum of all lanes, by halves. */
#define NGRT_TOTAL(v)                                                                         \
    __extension__({                                                                           \
        const ngrt_v ngrt_all = v;                                                            \
        const ngrt_x16 *ngrt_part = (const ngrt_x16 *)&ngrt_all;                              \
        ngrt_x16 ngrt_sum = ngrt_part[0];                                                     \
        if (sizeof ngrt_all == 32)                                                            \
            ngrt_sum += ngrt_part[1];                                                         \
        if (sizeof ngrt_all == 64)                                                            \
            ngrt_sum = (ngrt_sum + ngrt_part[1]) + (ngrt_part[2] + ngrt_part[3]);             \
        sizeof ngrt_sum[0] == 4 ? (ngrt_sum[0] + ngrt_sum[2 * (sizeof ngrt_sum[0] == 4)]) +   \
                                      (ngrt_sum[1] + ngrt_sum[3 * (sizeof ngrt_sum[0] == 4)]) \
                                : ngrt_sum[0] + ngrt_sum[1];                                  \
    })

/* The vector of elements that are `step` apart, the first of which is x. */
#define NGRT_LOAD_EVERY(x, step)                                 \
    __extension__({                                              \
        const __typeof__(x) *ngrt_from = &(x);                   \
        ngrt_v ngrt_loaded = NGRT_EACH(0);                       \
        NGRT_EVERY_LANE(ngrt_loaded[l] = ngrt_from[l * (step)];) \
        ngrt_loaded;                                             \
    })
/* Stores each lane; they are `step` elements apart. */
#define NGRT_STORE_EVERY(x, step, v)                           \
    {                                                          \
        const ngrt_v ngrt_stored = v;                          \
        __typeof__(x) *ngrt_to = &(x);                         \
        NGRT_EVERY_LANE(ngrt_to[l * (step)] = ngrt_stored[l];) \
    }

/* What is done for each lane l, each in its place: a loop would keep the vector in memory. */
#define NGRT_LANE_AT(n, ...)           \
    if (n < NGRT_LANES) {              \
        enum { l = (n) % NGRT_LANES }; \
        __VA_ARGS__                    \
    }
#define NGRT_FOUR_LANES(n, ...)        \
    NGRT_LANE_AT(n, __VA_ARGS__)       \
    NGRT_LANE_AT((n) + 1, __VA_ARGS__) \
    NGRT_LANE_AT((n) + 2, __VA_ARGS__) \
    NGRT_LANE_AT((n) + 3, __VA_ARGS__)
#define NGRT_EVERY_LANE(...)        \
    NGRT_FOUR_LANES(0, __VA_ARGS__) \
    NGRT_FOUR_LANES(4, __VA_ARGS__) \
    NGRT_FOUR_LANES(8, __VA_ARGS__) \
    NGRT_FOUR_LANES(12, __VA_ARGS__)

/* a function of ngrt_math.h that is a text for one float and for vectors of them */
#define NGRT_OF(f, x)                                         \
    __extension__({                                           \
        const ngrt_v ngrt_x = NGRT_EACH(x);                   \
        ngrt_v ngrt_y;                                        \
        NGRT_TEXT_##f(ngrt_v, ngrt_u, ngrt_y, ngrt_x) ngrt_y; \
    })
#define NGRT_OF2(f, x1, x2)                                             \
    __extension__({                                                     \
        const ngrt_v ngrt_x1 = NGRT_EACH(x1), ngrt_x2 = NGRT_EACH(x2);  \
        ngrt_v ngrt_y;                                                  \
        NGRT_TEXT_##f(ngrt_v, ngrt_u, ngrt_y, ngrt_x1, ngrt_x2) ngrt_y; \
    })

/* Lanes that a text does not compute: f(x) of the C library is put into y where the test holds. */
#define NGRT_FAR_ngrt_v(y, test, f, ...)                           \
    {                                                              \
        const ngrt_i ngrt_far_off = (ngrt_i)(test);                \
        if (NGRT_SOME(ngrt_far_off)) {                             \
            NGRT_IN_MEMORY(ngrt_off, ngrt_i, ngrt_far_off)         \
            NGRT_IN_MEMORY(ngrt_of_x, ngrt_v, __VA_ARGS__)         \
            NGRT_IN_MEMORY(ngrt_of_y, ngrt_v, y)                   \
            for (size_t ngrt_l = 0; ngrt_l < NGRT_LANES; ngrt_l++) \
                if (ngrt_off[ngrt_l])                              \
                    ngrt_of_y[ngrt_l] = f(ngrt_of_x[ngrt_l]);      \
            y = ngrt_of_y;                                         \
        }                                                          \
    }
#define NGRT_FAR2_ngrt_v(y, test, f, x1, x2)                                       \
    {                                                                              \
        const ngrt_i ngrt_far_off = (ngrt_i)(test);                                \
        if (NGRT_SOME(ngrt_far_off)) {                                             \
            NGRT_IN_MEMORY(ngrt_off, ngrt_i, ngrt_far_off)                         \
            NGRT_IN_MEMORY(ngrt_of_x1, ngrt_v, x1)                                 \
            NGRT_IN_MEMORY(ngrt_of_x2, ngrt_v, x2)                                 \
            NGRT_IN_MEMORY(ngrt_of_y, ngrt_v, y)                                   \
            for (size_t ngrt_l = 0; ngrt_l < NGRT_LANES; ngrt_l++)                 \
                if (ngrt_off[ngrt_l])                                              \
                    ngrt_of_y[ngrt_l] = f(ngrt_of_x1[ngrt_l], ngrt_of_x2[ngrt_l]); \
            y = ngrt_of_y;                                                         \
        }                                                                          \
    }
/* A copy whose lanes are read and written one by one: only there is it in memory. */
#define NGRT_IN_MEMORY(copy, type, x) \
    type copy = x;                    \
    __asm__("" : "+m"(copy));
/* Does a test hold in some lane? */
#ifdef __SSE2__
#ifdef __AVX__
#define NGRT_VEX "v"
#else
#define NGRT_VEX ""
#endif
#define NGRT_SOME(test)                                                        \
    __extension__({                                                            \
        int ngrt_some;                                                         \
        if (sizeof(test) == 16)                                                \
            __asm__(NGRT_VEX "pmovmskb %1, %0" : "=r"(ngrt_some) : "x"(test)); \
        else if (sizeof(test) == 32)                                           \
            __asm__("vptest %1, %1" : "=@ccnz"(ngrt_some) : "x"(test));        \
        else                                                                   \
            __asm__("vptestmd %1, %1, %%k1\n\tkmovw %%k1, %0"                  \
                    : "=r"(ngrt_some)                                          \
                    : "v"(test)                                                \
                    : "k1");                                                   \
        ngrt_some != 0;                                                        \
    })
/* The root of each lane. */
#define NGRT_SQRT(x)                                                              \
    __extension__({                                                               \
        const ngrt_v ngrt_sq = NGRT_EACH(x);                                      \
        ngrt_v ngrt_sqrt_v;                                                       \
        if (sizeof ngrt_sq > 16 && sizeof ngrt_sq[0] == 4)                        \
            __asm__("vsqrtps %1, %0" : "=v"(ngrt_sqrt_v) : "v"(ngrt_sq));         \
        else if (sizeof ngrt_sq > 16)                                             \
            __asm__("vsqrtpd %1, %0" : "=v"(ngrt_sqrt_v) : "v"(ngrt_sq));         \
        else if (sizeof ngrt_sq[0] == 4)                                          \
            __asm__(NGRT_VEX "sqrtps %1, %0" : "=x"(ngrt_sqrt_v) : "x"(ngrt_sq)); \
        else                                                                      \
            __asm__(NGRT_VEX "sqrtpd %1, %0" : "=x"(ngrt_sqrt_v) : "x"(ngrt_sq)); \
        ngrt_sqrt_v;                                                              \
    })
/* Of two numbers, vmax and vmin give the second one if one is NaN. */
#define NGRT_AT_MOST_ngrt_v(F, y, x, hi)                                   \
    {                                                                      \
        const F ngrt_hi = (hi) - (F){0};                                   \
        if (sizeof ngrt_hi > 16)                                           \
            __asm__("vminps %1, %2, %0" : "=v"(y) : "v"(x), "v"(ngrt_hi)); \
        else                                                               \
            NGRT_AT_MOST_BY_IF(F, y, x, hi)                                \
    }
#define NGRT_BETWEEN_ngrt_w NGRT_BETWEEN_ngrt_v
#define NGRT_BETWEEN_ngrt_v(F, y, x, lo, hi)                      \
    {                                                             \
        const F ngrt_lo = (lo) - (F){0}, ngrt_hi = (hi) - (F){0}; \
        if (sizeof ngrt_lo > 16 && sizeof ngrt_lo[0] == 4)        \
            __asm__("vmaxps %1, %2, %0\n\tvminps %0, %3, %0"      \
                    : "=&v"(y)                                    \
                    : "v"(x), "v"(ngrt_lo), "v"(ngrt_hi));        \
        else if (sizeof ngrt_lo > 16)                             \
            __asm__("vmaxpd %1, %2, %0\n\tvminpd %0, %3, %0"      \
                    : "=&v"(y)                                    \
                    : "v"(x), "v"(ngrt_lo), "v"(ngrt_hi));        \
        else                                                      \
            NGRT_BETWEEN_BY_IF(F, y, x, lo, hi)                   \
    }
#else
#define NGRT_AT_MOST_ngrt_v NGRT_AT_MOST_BY_IF
#define NGRT_BETWEEN_ngrt_v NGRT_BETWEEN_BY_IF
#define NGRT_BETWEEN_ngrt_w NGRT_BETWEEN_BY_IF
#define NGRT_SOME(test)                               \
    __extension__({                                   \
        int64_t ngrt_some[2];                         \
        memcpy(ngrt_some, &(test), sizeof ngrt_some); \
        (ngrt_some[0] | ngrt_some[1]) != 0;           \
    })
#define NGRT_SQRT(x)                                                          \
    __extension__({                                                           \
        const ngrt_v ngrt_sq = NGRT_EACH(x);                                  \
        ngrt_v ngrt_sqrt_v;                                                   \
        if (sizeof ngrt_sq[0] == 4)                                           \
            __asm__("fsqrt %0.4s, %1.4s" : "=w"(ngrt_sqrt_v) : "w"(ngrt_sq)); \
        else                                                                  \
            __asm__("fsqrt %0.2d, %1.2d" : "=w"(ngrt_sqrt_v) : "w"(ngrt_sq)); \
        ngrt_sqrt_v;                                                          \
    })
#endif

/* Whole numbers. Up to 2^23 (2^52), x is one after that number is added to it; larger ones are. */
#define NGRT_WHOLES(x) NGRT_EACH(sizeof(x)[0] == 4 ? 8388608 : 4503599627370496)
#define NGRT_SIGNED(x, s)                                                  \
    NGRT_HIDDEN(ngrt_v, ((ngrt_v)(((ngrt_u)(x) & ((ngrt_u){0} - 1) >> 1) | \
                                  ((ngrt_u)(s) & ~(((ngrt_u){0} - 1) >> 1)))))
#define NGRT_WHOLE_NEAR(r, x)                                                          \
    const ngrt_v ngrt_abs = NGRT_ABS(x);                                               \
    const ngrt_v ngrt_near = ngrt_abs + NGRT_WHOLES(x) - NGRT_WHOLES(x);               \
    const ngrt_v ngrt_far = NGRT_PICK(ngrt_abs < NGRT_WHOLES(x), ngrt_near, ngrt_abs); \
    const ngrt_v r = NGRT_SIGNED(ngrt_far, x);
/* ngrt_r is ngrt_x, rounded in this mode, where there is an instruction; else what follows. */
#ifdef __SSE2__
#define NGRT_ROUND_BY(mode)                                                    \
    if (sizeof ngrt_x == 64 && sizeof ngrt_x[0] == 4)                          \
        __asm__("vrndscaleps $" mode ", %1, %0" : "=v"(ngrt_r) : "v"(ngrt_x)); \
    else if (sizeof ngrt_x == 64)                                              \
        __asm__("vrndscalepd $" mode ", %1, %0" : "=v"(ngrt_r) : "v"(ngrt_x)); \
    else if (sizeof ngrt_x == 32 && sizeof ngrt_x[0] == 4)                     \
        __asm__("vroundps $" mode ", %1, %0" : "=x"(ngrt_r) : "x"(ngrt_x));    \
    else if (sizeof ngrt_x == 32)                                              \
        __asm__("vroundpd $" mode ", %1, %0" : "=x"(ngrt_r) : "x"(ngrt_x));    \
    else
#else
#define NGRT_ROUND_BY(mode)
#endif
#define NGRT_RINT(x)                                           \
    __extension__({                                            \
        const ngrt_v ngrt_x = NGRT_EACH(x);                    \
        ngrt_v ngrt_r;                                         \
        NGRT_ROUND_BY("12")                                    \
        {                                                      \
            NGRT_WHOLE_NEAR(ngrt_of, ngrt_x) ngrt_r = ngrt_of; \
        }                                                      \
        ngrt_r;                                                \
    })
#define NGRT_FLOOR(x)                                       \
    __extension__({                                         \
        const ngrt_v ngrt_x = NGRT_EACH(x);                 \
        ngrt_v ngrt_r;                                      \
        NGRT_ROUND_BY("9")                                  \
        {                                                   \
            NGRT_WHOLE_NEAR(ngrt_of, ngrt_x)                \
            ngrt_r = ngrt_of - NGRT_ONES(ngrt_of > ngrt_x); \
        }                                                   \
        ngrt_r;                                             \
    })
#define NGRT_CEIL(x)                                                      \
    __extension__({                                                       \
        const ngrt_v ngrt_x = NGRT_EACH(x);                               \
        ngrt_v ngrt_r;                                                    \
        NGRT_ROUND_BY("10")                                               \
        {                                                                 \
            NGRT_WHOLE_NEAR(ngrt_of, ngrt_x)                              \
            const ngrt_v ngrt_up = ngrt_of + NGRT_ONES(ngrt_of < ngrt_x); \
            ngrt_r = NGRT_SIGNED(ngrt_up, ngrt_x);                        \
        }                                                                 \
        ngrt_r;                                                           \
    })

#define NGRT_ONE(real, bytes, type, name, params, ...) \
    static type name params                            \
    {                                                  \
        NGRT_VECTOR_TYPES(real, bytes)                 \
        __VA_ARGS__                                    \
    }
#define NGRT_KERNEL_16(real, type, back, name, params, args, ...) \
    NGRT_ONE(real, 16, type, name, params, __VA_ARGS__)
#if defined __x86_64__ && !defined _WIN32 && !defined __AVX2__
#define NGRT_FOR(isa, real, bytes, type, name, params, ...) \
    __attribute__((noinline, target(isa))) NGRT_ONE(real, bytes, type, name, params, __VA_ARGS__)
/* Without AVX2, for processors of before 2013: such a kernel is compiled fast. */
#if defined __clang__
#define NGRT_ANY __attribute__((noinline))
#else
#define NGRT_ANY __attribute__((noinline, optimize("O1")))
#endif
#define NGRT_HAS_AVX2   (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#define NGRT_HAS_AVX512 (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma"))
#define NGRT_KERNEL_32(real, type, back, name, params, args, ...)      \
    NGRT_ANY NGRT_ONE(real, 16, type, name##_any, params, __VA_ARGS__) \
        NGRT_FOR("avx2,fma", real, 32, type, name##_avx2, params,      \
                 __VA_ARGS__) static type name params                  \
    {                                                                  \
        if (NGRT_HAS_AVX2)                                             \
            back name##_avx2 args;                                     \
        else                                                           \
            back name##_any args;                                      \
    }
#define NGRT_KERNEL_64(real, type, back, name, params, args, ...)                        \
    NGRT_ANY NGRT_ONE(real, 16, type, name##_any, params, __VA_ARGS__)                   \
        NGRT_FOR("avx2,fma", real, 32, type, name##_avx2, params, __VA_ARGS__)           \
            NGRT_FOR("avx2,fma,avx512f,avx512vl", real, 64, type, name##_avx512, params, \
                     __VA_ARGS__) static type name params                                \
    {                                                                                    \
        if (NGRT_HAS_AVX512)                                                             \
            back name##_avx512 args;                                                     \
        else if (NGRT_HAS_AVX2)                                                          \
            back name##_avx2 args;                                                       \
        else                                                                             \
            back name##_any args;                                                        \
    }
#elif defined __AVX512F__ && defined __AVX512VL__
#define NGRT_KERNEL_32(real, type, back, name, params, args, ...) \
    NGRT_ONE(real, 32, type, name, params, __VA_ARGS__)
#define NGRT_KERNEL_64(real, type, back, name, params, args, ...) \
    NGRT_ONE(real, 64, type, name, params, __VA_ARGS__)
#elif defined __AVX2__
#define NGRT_KERNEL_32(real, type, back, name, params, args, ...) \
    NGRT_ONE(real, 32, type, name, params, __VA_ARGS__)
#define NGRT_KERNEL_64 NGRT_KERNEL_32
#else
#define NGRT_KERNEL_32 NGRT_KERNEL_16
#define NGRT_KERNEL_64 NGRT_KERNEL_16
#endif
#else
#define NGRT_KERNEL_16(real, type, back, name, params, args, ...) \
    static type name params __VA_ARGS__
#define NGRT_KERNEL_32 NGRT_KERNEL_16
#define NGRT_KERNEL_64 NGRT_KERNEL_16
#define NGRT_VECTORS(...)
#define NGRT_LONG_SUM(...)
#define NGRT_FOUR_FOLDS(...)
#define NGRT_WHOLE(n) ((size_t)0)
#endif

/*@ upto: */
/* Elements of a row that are computed, if all from the n-th on are 0: n, rounded up to vectors. */
static inline size_t ngrt_upto(size_t n, size_t row)
{
    n = (n + 15) / 16 * 16;
    return n < row ? n : row;
}

/*@ turn: */
#if defined __GNUC__ && defined __has_builtin
#if __has_builtin(__builtin_shufflevector)
#define NGRT_TURN_FOUR
typedef float ngrt_four __attribute__((vector_size(16), aligned(sizeof(float)), may_alias));

/* y[i*from_y + j] = x[j*from_x + i], for 4 rows i and columns j. */
static inline void ngrt_turn_four(float *y, size_t from_y, const float *x, size_t from_x)
{
    const ngrt_four a = *(const ngrt_four *)x;
    const ngrt_four b = *(const ngrt_four *)(x + from_x);
    const ngrt_four c = *(const ngrt_four *)(x + 2 * from_x);
    const ngrt_four d = *(const ngrt_four *)(x + 3 * from_x);
    const ngrt_four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const ngrt_four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const ngrt_four ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const ngrt_four cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);

    *(ngrt_four *)y = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    *(ngrt_four *)(y + from_y) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    *(ngrt_four *)(y + 2 * from_y) = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
    *(ngrt_four *)(y + 3 * from_y) = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
}
#endif
#endif

/* y[i*from_y + j] = x[j*from_x + i], for rows i and columns j of a block. They are counted by ints:
 * GCC 12 warns of a loop that it takes for endless if they are of type size_t. */
static inline void ngrt_turn(int rows, int columns, float *y, size_t from_y, const float *x,
                             size_t from_x)
{
    int i = 0, j;

#ifdef NGRT_TURN_FOUR
    for (; i + 4 <= rows; i += 4) {
        float *to = y + (size_t)i * from_y;

        for (j = 0; j + 4 <= columns; j += 4)
            ngrt_turn_four(to + j, from_y, x + (size_t)j * from_x + i, from_x);
        for (; j < columns; j++) {
            const float *from = x + (size_t)j * from_x + i;
            to[j] = from[0];
            to[from_y + (size_t)j] = from[1];
            to[2 * from_y + (size_t)j] = from[2];
            to[3 * from_y + (size_t)j] = from[3];
        }
    }
#endif
    for (; i < rows; i++)
        for (j = 0; j < columns; j++)
            y[(size_t)i * from_y + (size_t)j] = x[(size_t)j * from_x + (size_t)i];
}

/* y[i*from_y + j] = 0 */
static inline void ngrt_zero_rows(int rows, int columns, float *y, size_t from_y)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            y[(size_t)i * from_y + (size_t)j] = 0.0f;
}

/* How many rows from this one on, at most `most`, have its result of at < span. From row to row at
 * grows by one; below 0 it wraps. */
static inline size_t ngrt_rows_alike(size_t at, size_t span, size_t most)
{
    const size_t n = at < span ? span - at : 0 - at;

    /* n = 0: as at is 0, so is span, and nothing is below it */
    return n > 0 && n < most ? n : most;
}

/*@ end: */
#endif
