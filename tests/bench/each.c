/* each.c - for functions.py: many calls of a model's functions in one call, and the same function
 * of many elements by SLEEF's vectors. SLEEF is the name of its function without the number of
 * lanes, Sleef_sin; undefined, there is none. DOUBLE: the elements are doubles.
 */
#include "ngrt.h"

extern const ngrt_model model_model;

int repeat_value(long times, const void *inputs, void *work);
int repeat_slope(long times, const void *inputs, void *work, void *grads);

int repeat_value(long times, const void *inputs, void *work)
{
    int status = 0;
    while (times-- > 0 && status == 0)
        status = model_model.predict(NULL, NULL, inputs, work);
    return status;
}

int repeat_slope(long times, const void *inputs, void *work, void *grads)
{
    int status = 0;
    while (times-- > 0 && status == 0) {
        status = model_model.forward(NULL, NULL, inputs, work);
        if (status == 0)
            status = model_model.backward(NULL, NULL, inputs, work, grads);
    }
    return status;
}

#ifdef SLEEF
#include <immintrin.h>
#include <sleef.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#if defined __AVX512F__ && defined DOUBLE
enum { LANES = 8 };
typedef double real;
typedef __m512d vector;
#define OF   JOIN(SLEEF, d8_u10avx512f)
#define LOAD _mm512_loadu_pd
#define KEEP _mm512_storeu_pd
#elif defined __AVX512F__
enum { LANES = 16 };
typedef float real;
typedef __m512 vector;
#define OF   JOIN(SLEEF, f16_u10avx512f)
#define LOAD _mm512_loadu_ps
#define KEEP _mm512_storeu_ps
#elif defined DOUBLE
enum { LANES = 4 };
typedef double real;
typedef __m256d vector;
#define OF   JOIN(SLEEF, d4_u10avx2)
#define LOAD _mm256_loadu_pd
#define KEEP _mm256_storeu_pd
#else
enum { LANES = 8 };
typedef float real;
typedef __m256 vector;
#define OF   JOIN(SLEEF, f8_u10avx2)
#define LOAD _mm256_loadu_ps
#define KEEP _mm256_storeu_ps
#endif
#ifdef TWO
#define VALUE(i) OF(LOAD(a + i), LOAD(b + i))
#else
#define VALUE(i) OF(LOAD(a + i))
#endif

void repeat_sleef(long times, real *y, const real *a, const real *b, long n);

void repeat_sleef(long times, real *y, const real *a, const real *b, long n)
{
    (void)b;
    while (times-- > 0)
        for (long i = 0; i < n; i += LANES)
            KEEP(y + i, VALUE(i));
}
#endif
