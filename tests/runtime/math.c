/* math.c - the scalar functions at ordinary points, at their extremes, and with NaN and infinity.
 */
#include "check.h"
#include "ngrt.h"
#include "ngrt_vector.h"

/* |a - b| within so many units of relative error; also for infinities. */
static int near(double a, double b, double relative)
{
    return a == b || fabs(a - b) <= relative * fabs(b);
}

static void test_sigmoid(void)
{
    double x;
    CHECK(ngrt_sigmoid(0.0) == 0.5 && ngrt_sigmoidf(0.0f) == 0.5f);
    CHECK(near(ngrt_sigmoid(1.0), 0.73105857863000487925, 1e-15));
    CHECK(near(ngrt_sigmoid(-700.0), 9.8596765437597708567e-305, 1e-13));
    CHECK(near((double)ngrt_sigmoidf(-80.0f), 1.8048513878454152e-35, 1e-5));
    CHECK(ngrt_sigmoid(INFINITY) == 1.0 && ngrt_sigmoid(-INFINITY) == 0.0);
    CHECK(isnan(ngrt_sigmoid(NAN)) && isnan(ngrt_sigmoidf(NAN)));
    for (x = -30.0; x <= 30.0; x += 0.37)
        CHECK(near(ngrt_sigmoid(x), 1.0 / (1.0 + exp(-x)), 1e-15));
}

static void test_softplus(void)
{
    CHECK(near(ngrt_softplus(0.0), 0.69314718055994530942, 1e-15));
    CHECK(near(ngrt_softplus(-40.0), 4.2483542552915889953e-18, 1e-14));
    CHECK(near(ngrt_softplus(1000.0), 1000.0, 0.0));
    CHECK(near((double)ngrt_softplusf(-50.0f), 1.9287498479639178e-22, 1e-5));
    CHECK(ngrt_softplus(INFINITY) == INFINITY && ngrt_softplus(-INFINITY) == 0.0);
    CHECK(isnan(ngrt_softplus(NAN)) && isnan(ngrt_softplusf(NAN)));
}

static void test_erfinv(void)
{
    double x;
    CHECK(ngrt_erfinv(0.0) == 0.0 && ngrt_erfinv(1.0) == INFINITY &&
          ngrt_erfinv(-1.0) == -INFINITY);
    CHECK(near(ngrt_erfinv(0.5), 0.47693627620446987338, 1e-15));
    CHECK(near(ngrt_erfinv(1e-300), 8.8622692545275801365e-301, 1e-15));
    CHECK(near(ngrt_erfinv(0.999999), 3.4589107372795, 1e-11));
    CHECK(near(ngrt_erfinv(0.99999999999999989), 5.8635847487551677, 4e-16));
    CHECK(isnan(ngrt_erfinv(1.5)) && isnan(ngrt_erfinv(NAN)) && isnan(ngrt_erfinvf(-2.0f)));
    for (x = -5.8; x <= 5.8; x += 0.0173) { /* erf near 1 has fewer digits of x */
        double lost = 1e-15 * exp(x * x);
        CHECK(near(ngrt_erfinv(erf(x)), x, lost > 4e-15 ? lost : 4e-15));
    }
}

/* Values of scipy.special, and what follows from the recurrence. */
static void test_polygamma(void)
{
    double x;
    int n;
    CHECK(near(ngrt_polygamma(0.0, 1.0), -0.57721566490153286061, 1e-15));
    CHECK(near(ngrt_polygamma(1.0, 1.0), 1.6449340668482264365, 1e-15));
    CHECK(near(ngrt_polygamma(2.0, 0.3), -75.27253658872601, 1e-14));
    CHECK(near(ngrt_polygamma(3.0, -3.7), 768.9946494408655, 1e-13));
    CHECK(near(ngrt_polygamma(10.0, 25.0), -4.621664515048841e-09, 1e-13));
    CHECK(near((double)ngrt_polygammaf(1.0f, -0.4f), 9.88620967, 1e-5));
    CHECK(ngrt_polygamma(0.0, 0.0) == -INFINITY && ngrt_polygamma(1.0, -2.0) == INFINITY);
    CHECK(isnan(ngrt_polygamma(0.0, -2.0)) && isnan(ngrt_polygamma(0.5, 1.0)));
    CHECK(isnan(ngrt_polygamma(-1.0, 1.0)) && isnan(ngrt_polygamma(0.0, NAN)));
    CHECK(ngrt_polygamma(0.0, INFINITY) == INFINITY && ngrt_polygamma(1.0, INFINITY) == 0.0);
    for (n = 0; n <= 20; n++)
        for (x = 0.11; x < 40.0; x += 0.87) { /* psi(x + 1) - psi(x) = (-1)^n n!/x^(n + 1) */
            double step = ngrt_polygamma(n, x + 1.0) - ngrt_polygamma(n, x);
            double exact = (n % 2 ? -1.0 : 1.0) * exp(lgamma(n + 1.0) - (n + 1.0) * log(x));
            double least = 1e-12 * fabs(ngrt_polygamma(n, x));
            CHECK(fabs(step - exact) <= least || near(step, exact, 1e-12));
        }
}

static void test_sign(void)
{
    CHECK(ngrt_sign(3.0) == 1.0 && ngrt_sign(-3.0) == -1.0 && ngrt_sign(0.0) == 0.0);
    CHECK(ngrt_signf(INFINITY) == 1.0f && ngrt_signf(-INFINITY) == -1.0f);
    CHECK(isnan(ngrt_sign(NAN)) && isnan(ngrt_signf(NAN)));
}

static void test_as_int(void)
{
    CHECK(ngrt_as_int(2.9) == 2 && ngrt_as_int(-2.1) == -3 && ngrt_as_int(NAN) == 0);
    CHECK(ngrt_as_int(1e30) == INT32_MAX && ngrt_as_int(-INFINITY) == INT32_MIN);
    CHECK(ngrt_as_int(2147483646.5) == 2147483646 && ngrt_as_int(-2147483648.5) == INT32_MIN);
}

static void test_max_min(void)
{
    CHECK(ngrt_maximum(1.0, 2.0) == 2.0 && ngrt_maximum(2.0, 1.0) == 2.0);
    CHECK(ngrt_minimum(1.0, 2.0) == 1.0 && ngrt_minimum(2.0, 1.0) == 1.0);
    CHECK(isnan(ngrt_maximum(NAN, 1.0)) && isnan(ngrt_maximum(1.0, NAN)));
    CHECK(isnan(ngrt_minimum(NAN, 1.0)) && isnan(ngrt_minimum(1.0, NAN)));
    CHECK(isnan(ngrt_maximumf(NAN, 1.0f)) && isnan(ngrt_minimumf(1.0f, NAN)));
    CHECK(isnan(ngrt_maximumf(1.0f, NAN)) && isnan(ngrt_minimumf(NAN, 1.0f)));
    CHECK(ngrt_maximumf(2.0f, 1.0f) == 2.0f && ngrt_minimumf(1.0f, 2.0f) == 1.0f);
    CHECK(ngrt_maximumf(-INFINITY, -1.0f) == -1.0f && ngrt_minimumf(INFINITY, 1.0f) == 1.0f);
}

static void test_mod(void)
{
    CHECK(ngrt_mod(5.0, 3.0) == 2.0 && ngrt_mod(-5.0, 3.0) == 1.0);
    CHECK(ngrt_mod(5.0, -3.0) == -1.0 && ngrt_mod(-5.0, -3.0) == -2.0);
    CHECK(ngrt_mod(6.0, 3.0) == 0.0 && !signbit(ngrt_mod(-6.0, 3.0)) &&
          signbit(ngrt_mod(6.0, -3.0)));
    CHECK(ngrt_modf(-0.25f, 1.0f) == 0.75f && ngrt_modf(5.0f, -3.0f) == -1.0f);
    CHECK(ngrt_modf(-5.0f, -3.0f) == -2.0f && signbit(ngrt_modf(6.0f, -3.0f)));
    CHECK(isnan(ngrt_mod(1.0, 0.0)) && isnan(ngrt_mod(NAN, 1.0)) && isnan(ngrt_mod(1.0, NAN)));
    CHECK(ngrt_mod(5.0, INFINITY) == 5.0 && ngrt_mod(-5.0, INFINITY) == INFINITY);
}

/* How far y is from the exact value, in units in the last place of a float there. */
static double units(float y, double exact)
{
    int e;
    frexp(exact, &e);
    return fabs((double)y - exact) / ldexp(1.0, (e < -125 ? -125 : e) - 24);
}

/* The largest error over floats from lo to hi: every step-th bit pattern. */
static double worst(float (*f)(float), double (*exact)(double), float lo, float hi, uint32_t step)
{
    uint32_t i = ngrt_bitsf(lo), end = ngrt_bitsf(hi);
    double most = 0.0;
    float x;
    for (; i <= end; i += step) {
        memcpy(&x, &i, sizeof x);
        if (units(f(x), exact((double)x)) > most)
            most = units(f(x), exact((double)x));
    }
    return most;
}

/* Each float form of a vector is that of its numbers. */
#define VECTORS(f)                                                                   \
    NGRT_KERNEL_64(float, void, , vectors_##f, (float *y, const float *x), (y, x), { \
        NGRT_VECTORS(for (size_t i = 0; i < NGRT_WHOLE(MANY); i += NGRT_LANES) {     \
            const ngrt_v t = NGRT_OF(f, NGRT_LOAD(x[i]));                            \
            NGRT_STORE(y[i]) = t;                                                    \
        })                                                                           \
        for (size_t i = NGRT_WHOLE(MANY); i < MANY; i++)                             \
            y[i] = ngrt_##f(x[i]);                                                   \
    })
enum { MANY = 1027 };
VECTORS(expf)
VECTORS(logf)
VECTORS(tanhf)
VECTORS(sigmoidf)
VECTORS(softplusf)
VECTORS(erff)
VECTORS(erfcf)

static void compare_vectors(void (*vectors)(float *, const float *), float (*f)(float))
{
    static const float special[] = {0.0f,    -0.0f,  INFINITY, -INFINITY, NAN,    1e-45f,
                                    -1e-45f, 104.0f, -104.0f,  89.0f,     3.4e38f};
    float x[MANY], y[MANY];
    uint32_t bits = 1;
    int i, differ = 0;
    for (i = 0; i < MANY; i++) {
        bits = bits * 1664525u + 1013904223u;
        x[i] = i < 11  ? special[i]
               : i % 2 ? ngrt_unbitsf(bits)
                       : (float)(bits >> 8) / 400000.0f - 20.0f;
    }
    vectors(y, x);
    for (i = 0; i < MANY;
         i++) /* where a*b + c is rounded once for one of them, the last place may differ */
        differ += !(isnan(f(x[i]))
                        ? isnan(y[i])
                        : y[i] == f(x[i]) || fabsf(y[i] - f(x[i])) <= 2.5e-7f * fabsf(f(x[i])));
    CHECK(differ == 0);
    CHECK(signbit(y[1]) == signbit(f(-0.0f)));
}

static void test_vectors(void)
{
    compare_vectors(vectors_expf, ngrt_expf);
    compare_vectors(vectors_logf, ngrt_logf);
    compare_vectors(vectors_tanhf, ngrt_tanhf);
    compare_vectors(vectors_sigmoidf, ngrt_sigmoidf);
    compare_vectors(vectors_softplusf, ngrt_softplusf);
    compare_vectors(vectors_erff, ngrt_erff);
    compare_vectors(vectors_erfcf, ngrt_erfcf);
}

/* The float forms, without branches: the stated bounds, and what lies outside the ordinary. */
static void test_floats(void)
{
    CHECK(worst(ngrt_expf, exp, 1e-30f, 88.7f, 499) <= 1.0 &&
          worst(ngrt_expf, exp, -1e-30f, -103.9f, 499) <= 1.0);
    CHECK(worst(ngrt_logf, log, 1e-45f, 3.4e38f, 997) <= 1.0 &&
          worst(ngrt_logf, log, 0.5f, 2.0f, 31) <= 1.0);
    CHECK(worst(ngrt_tanhf, tanh, 1e-45f, 20.0f, 997) <= 2.5 &&
          worst(ngrt_tanhf, tanh, -0.01f, -9.5f, 97) <= 2.5);
    CHECK(worst(ngrt_sigmoidf, ngrt_sigmoid, 1e-30f, 90.0f, 499) <= 2.5);
    CHECK(worst(ngrt_sigmoidf, ngrt_sigmoid, -1e-30f, -90.0f, 499) <= 2.5);
    CHECK(worst(ngrt_softplusf, ngrt_softplus, 1e-30f, 1e30f, 997) <= 2.5);
    CHECK(worst(ngrt_softplusf, ngrt_softplus, -1e-30f, -90.0f, 499) <= 2.5);
    CHECK(worst(ngrt_erff, erf, 1e-45f, 0.5f, 997) <= 2.5 &&
          worst(ngrt_erff, erf, 0.5f, 5.0f, 97) <= 2.5);
    CHECK(worst(ngrt_erff, erf, -0.01f, -1000.0f, 499) <= 2.5 &&
          worst(ngrt_erfcf, erfc, -1e-45f, -20.0f, 997) <= 2.5);
    CHECK(worst(ngrt_erfcf, erfc, 1e-30f, 0.5f, 499) <= 2.5 &&
          worst(ngrt_erfcf, erfc, 0.5f, 11.0f, 97) <= 6.5);
    CHECK(ngrt_erff(0.0f) == 0.0f && signbit(ngrt_erff(-0.0f)) && ngrt_erff(INFINITY) == 1.0f &&
          ngrt_erff(-INFINITY) == -1.0f);
    CHECK(ngrt_erfcf(0.0f) == 1.0f && ngrt_erfcf(INFINITY) == 0.0f &&
          ngrt_erfcf(-INFINITY) == 2.0f && ngrt_erfcf(10.1f) == 0.0f);
    CHECK(isnan(ngrt_erff(NAN)) && isnan(ngrt_erfcf(NAN)));
    CHECK(ngrt_expf(0.0f) == 1.0f && ngrt_expf(89.0f) == INFINITY &&
          ngrt_expf(INFINITY) == INFINITY);
    CHECK(ngrt_expf(-104.0f) == 0.0f && ngrt_expf(-INFINITY) == 0.0f && isnan(ngrt_expf(NAN)));
    CHECK(ngrt_logf(1.0f) == 0.0f && ngrt_logf(0.0f) == -INFINITY && ngrt_logf(-0.0f) == -INFINITY);
    CHECK(isnan(ngrt_logf(-1.0f)) && isnan(ngrt_logf(-INFINITY)) && isnan(ngrt_logf(NAN)) &&
          isnan(ngrt_logf(-1e-45f)));
    CHECK(ngrt_logf(INFINITY) == INFINITY && ngrt_tanhf(INFINITY) == 1.0f &&
          ngrt_tanhf(-INFINITY) == -1.0f);
    CHECK(ngrt_tanhf(0.0f) == 0.0f && signbit(ngrt_tanhf(-0.0f)) && isnan(ngrt_tanhf(NAN)) &&
          ngrt_tanhf(1e-45f) == 1e-45f);
    CHECK(ngrt_sigmoidf(INFINITY) == 1.0f && ngrt_sigmoidf(-INFINITY) == 0.0f &&
          ngrt_softplusf(INFINITY) == INFINITY);
    CHECK(ngrt_softplusf(-INFINITY) == 0.0f);
}

/* Each code has a text of its own. */
static void test_messages(void)
{
    for (int a = NGRT_EMODEL; a <= NGRT_AGAIN; a++)
        for (int b = NGRT_EMODEL; b < a; b++)
            CHECK(strcmp(ngrt_strerror(a), ngrt_strerror(b)) != 0);
    CHECK(strcmp(ngrt_strerror(12345), "unknown error") == 0);
    CHECK(strcmp(ngrt_strerror(NGRT_AGAIN), "unknown error") != 0);
}

int main(void)
{
    test_floats();
    test_vectors();
    test_sigmoid();
    test_softplus();
    test_erfinv();
    test_polygamma();
    test_sign();
    test_as_int();
    test_max_min();
    test_mod();
    test_messages();
    return check_end("math");
}
