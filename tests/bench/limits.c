/* limits.c - measures the peak of one thread's arithmetic, and its bandwidth. */
#include "limits.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the peak: sums in enough registers to hide the latency ---- */

enum { CHAINS = 12 };
#define NEXT(s) s = s * x + x;
#define SUMS(name, bytes)                                                                      \
    static double name(long times)                                                             \
    {                                                                                          \
        typedef float vector __attribute__((vector_size(bytes)));                              \
        vector s0 = {0}, s1 = s0 + 1, s2 = s0 + 2, s3 = s0 + 3, s4 = s0 + 4, s5 = s0 + 5,      \
               s6 = s0 + 6, s7 = s0 + 7;                                                       \
        vector s8 = s0 + 8, s9 = s0 + 9, s10 = s0 + 10, s11 = s0 + 11, x = s0 + 0.5f;          \
        double t = now();                                                                      \
        while (times-- > 0) {                                                                  \
            __asm__ volatile("" : "+x"(x));                                                    \
            NEXT(s0)                                                                           \
            NEXT(s1)                                                                           \
            NEXT(s2)                                                                           \
            NEXT(s3) NEXT(s4) NEXT(s5) NEXT(s6) NEXT(s7) NEXT(s8) NEXT(s9) NEXT(s10) NEXT(s11) \
        }                                                                                      \
        t = now() - t;                                                                         \
        s0 += s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9 + s10 + s11;                          \
        return s0[0] < 0 ? 0 : t;                                                              \
    }
#ifdef __x86_64__
__attribute__((target("avx512f"))) SUMS(sums_avx512, 64)
__attribute__((target("avx2,fma"))) SUMS(sums_avx2, 32)
SUMS(sums_plain, 16)

double limit_flops(void)
{
    const long times = 200000;
    double t;
    int wide = 16;

    if (__builtin_cpu_supports("avx512f")) {
        wide = 64;
        t = sums_avx512(times);
    } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        wide = 32;
        t = sums_avx2(times);
    } else {
        t = sums_plain(times);
    }
    return 2.0 * CHAINS * wide / 4 * (double)times / (t * 1e6);
}
#else
double limit_flops(void)
{
    return INFINITY;
}
#endif

/* ---- the bandwidth ---- */

enum { LENGTH = 8 << 20 }; /* 32 MiB an array */

double limit_bytes(void)
{
    typedef float vector __attribute__((vector_size(16)));
    vector *x = NULL;
    double t;
    long i, n = LENGTH / 4;

    if (posix_memalign((void **)&x, 64, 3 * (size_t)LENGTH * sizeof(float)) != 0)
        return 0;
    for (i = 0; i < 3 * n; i++)
        x[i] = (vector){1, 2, 3, 4};

    t = now();
    for (i = 0; i < n; i++)
        x[i] = x[n + i] + 2 * x[2 * n + i];
    t = now() - t;

    __asm__ volatile("" : : "r"(x) : "memory");
    free(x);
    return 3.0 * LENGTH * sizeof(float) / (t * 1e6);
}
