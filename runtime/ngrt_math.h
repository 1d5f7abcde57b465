/* ngrt_math.h - scalar functions that the C library lacks, stable where the textbook formula is not.
 *
 * Each function stands in a section of its own, from a line "/" "*@ NAME: SECTIONS IT NEEDS" to the next such line, so
 * that ngc can copy those a model uses into a standalone file. A section needs <math.h> alone.
 */
#ifndef NGRT_MATH_H
#define NGRT_MATH_H

#include <math.h>

/*@ sigmoid: */
/* 1/(1 + exp(-x)); exp is taken of -|x| alone, so that it neither overflows nor cancels. */
static inline double ngrt_sigmoid(double x) {
    double e = exp(-fabs(x));
    return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

/*@ sigmoidf: */
/* 1/(1 + exp(-x)); exp is taken of -|x| alone, so that it neither overflows nor cancels. */
static inline float ngrt_sigmoidf(float x) {
    float e = expf(-fabsf(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

/*@ softplus: */
/* log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)); for very negative x it is exp(x) to the last digits. */
static inline double ngrt_softplus(double x) {
    return (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x)));
}

/*@ softplusf: */
/* log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)); for very negative x it is exp(x) to the last digits. */
static inline float ngrt_softplusf(float x) {
    return (x > 0.0f ? x : 0.0f) + log1pf(expf(-fabsf(x)));
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
