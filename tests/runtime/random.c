/* random.c - the random numbers: the same bits everywhere (golden values), each element on its own,
 * moments, and the inverse of the normal distribution function against the C library's erfc. The
 * generator is included, to reach its inner functions. */
#include <string.h>

#include "../../runtime/ngrt_random.c"
#include "check.h"

enum { N = 200000 };

static double d[N];
static float f[N];

static uint64_t bits(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

/* A hash of all bits of d, for one golden value in place of N. */
static uint64_t hash(void)
{
    uint64_t h = 0;
    size_t i;
    for (i = 0; i < N; i++)
        h = ngrt_mix(h ^ bits(d[i]));
    return h;
}

/* The values of the first release: models drawn from a seed must come out the same for ever. */
static void test_golden(void)
{
    CHECK(ngrt_random_bits(1, 0, 0) == 0x6ec85f1f8547bc0cu);
    ngrt_normal(d, 4, 1, 0, 0.0, 1.0);
    CHECK(d[0] == -0x1.5ae92aa9f2dc9p-3 && d[1] == -0x1.8002da9e78ef6p-3);
    CHECK(d[2] == 0x1.97f5126ed6ddfp-4 && d[3] == 0x1.cf53ed33b4e2ap-1);
    ngrt_uniform(d, N, 1, 0, -0.05, 0.05);
    CHECK(hash() == 0x38100d3017922c7fu);
    ngrt_normal(d, N, 1, 0, 0.0, 0.01);
    CHECK(hash() == 0x90cb0389a1fe5fe8u);
    ngrt_truncated(d, N, 1, 0, 0.0, 0.02);
    CHECK(hash() == 0x4b4f9478c4a01896u);
}

/* Element i does not depend on how many are asked for; seeds and streams differ; float is double
 * rounded. */
static void test_elements(void)
{
    double one[5];
    size_t i, same = 0;
    ngrt_normal(one, 5, 7, 3, 1.0, 2.0);
    ngrt_normal(d, N, 7, 3, 1.0, 2.0);
    CHECK(memcmp(one, d, sizeof one) == 0);
    ngrt_normalf(f, N, 7, 3, 1.0, 2.0);
    for (i = 0; i < N; i++)
        same += f[i] == (float)d[i];
    CHECK(same == N);
    for (i = 0, same = 0; i < 1000; i++)
        same += ngrt_random_bits(7, 3, i) == ngrt_random_bits(7, 4, i) ||
                ngrt_random_bits(7, 3, i) == ngrt_random_bits(8, 3, i);
    CHECK(same == 0);
}

/* Mean, deviation, skewness and kurtosis of d against those given, each within 5 standard errors.
 */
static void check_moments(double mean, double sd, double skew, double kurt)
{
    double m = 0.0, s2 = 0.0, s3 = 0.0, s4 = 0.0;
    size_t i;
    for (i = 0; i < N; i++)
        m += d[i] / N;
    for (i = 0; i < N; i++) {
        double x = d[i] - m;
        s2 += x * x / N, s3 += x * x * x / N, s4 += x * x * x * x / N;
    }
    CHECK(fabs(m - mean) < 5.0 * sd / sqrt((double)N));
    CHECK(fabs(sqrt(s2) - sd) < 5.0 * sd / sqrt(2.0 * N));
    CHECK(fabs(s3 / pow(s2, 1.5) - skew) < 5.0 * sqrt(6.0 / N));
    CHECK(fabs(s4 / (s2 * s2) - kurt) < 5.0 * sqrt(24.0 / N));
}

static void test_moments(void)
{
    size_t i, in = 0, pairs = 0;
    ngrt_uniform(d, N, 42, 5, 2.0, 6.0);
    check_moments(4.0, 4.0 / sqrt(12.0), 0.0, 1.8);
    for (i = 0; i < N; i++)
        in += d[i] >= 2.0 && d[i] < 6.0;
    CHECK(in == N);
    ngrt_normal(d, N, 42, 5, -1.0, 0.5);
    check_moments(-1.0, 0.5, 0.0, 3.0);
    for (i = 1; i < N; i++)
        pairs += (d[i] > -1.0) == (d[i - 1] > -1.0);
    CHECK(fabs((double)pairs - N / 2.0) < 5.0 * sqrt(N / 4.0));
    ngrt_truncated(d, N, 42, 5, 3.0, 2.0);
    for (i = 0, in = 0; i < N; i++)
        in += fabs(d[i] - 3.0) <= 4.0;
    CHECK(in == N);
    check_moments(3.0, 2.0 * 0.87962566103423978, 0.0, 2.3655);
}

/* Phi(inverse(p)) = p; x is good to 9e-16, which the tail magnifies by x^2. */
static void test_inverse(void)
{
    double p;
    CHECK(ngrt_inverse_normal(0.5) == 0.0);
    CHECK(fabs(ngrt_inverse_normal(0.975) - 1.9599639845400542355) < 1e-15);
    for (p = 1.0 / 9007199254740992.0; p < 0.5; p *= 1.0625) {
        double x = ngrt_inverse_normal(p), back = 0.5 * erfc(-x / sqrt(2.0));
        CHECK(fabs(back - p) < 1e-15 * (2.0 + x * x) * p);
        CHECK(1.0 - p == 1.0 || p < 1e-9 ||
              fabs(ngrt_inverse_normal(1.0 - p) + x) < 1e-6 * fabs(x));
    }
    for (p = 1e-16; p < 0.3; p *= 1.4)
        CHECK(fabs(ngrt_exact_log(p) - log(p)) <= 4e-16 * -log(p));
}

static void test_edges(void)
{
    ngrt_uniform(d, 3, 1, 1, 5.0, 5.0);
    CHECK(d[0] == 5.0 && d[2] == 5.0);
    ngrt_normal(d, 3, 1, 1, 2.0, 0.0);
    CHECK(d[0] == 2.0 && d[2] == 2.0);
    ngrt_uniformf(f, 0, 1, 1, 0.0, 1.0);
    ngrt_truncatedf(f, 2, 1, 1, 0.0, 1.0);
    CHECK(fabsf(f[0]) <= 2.0f);
}

/* The rows of an orthogonal draw, or its columns, whichever are fewer, are orthogonal and of length
 * gain; both types agree. */
static void test_orthogonal(void)
{
    static const int sizes[][2] = {{1, 1}, {3, 5}, {5, 3}, {20, 20}, {1, 40}, {64, 31}};
    size_t s;
    for (s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int rows = sizes[s][0], columns = sizes[s][1], across = rows < columns;
        int count = across ? rows : columns, length = across ? columns : rows, i, j, k;
        ngrt_orthogonal(d, (size_t)(rows * columns), 7, 2, 1.5, rows);
        ngrt_orthogonalf(f, (size_t)(rows * columns), 7, 2, 1.5, rows);
        for (i = 0; i < count; i++)
            for (j = 0; j <= i; j++) {
                double dot = 0, dotf = 0;
                for (k = 0; k < length; k++) {
                    int a = across ? i * columns + k : k * columns + i,
                        b = across ? j * columns + k : k * columns + j;
                    dot += d[a] * d[b];
                    dotf += (double)f[a] * (double)f[b];
                }
                CHECK(fabs(dot - (i == j ? 2.25 : 0.0)) < 1e-14);
                CHECK(fabs(dotf - (i == j ? 2.25 : 0.0)) < 1e-6);
            }
        for (i = 0; i < rows * columns; i++)
            CHECK(fabs(d[i] - (double)f[i]) < 1e-4);
    }
}

int main(void)
{
    test_golden();
    test_elements();
    test_moments();
    test_inverse();
    test_edges();
    test_orthogonal();
    return check_end("random");
}
