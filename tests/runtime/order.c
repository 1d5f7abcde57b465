/* order.c - the order of elements against the C library's qsort, which compares them: rows of many
 * lengths, with equal elements, infinities, NaN and both zeros, wholly sorted and only the first.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/ngrt.h"
#include "check.h"

enum { LONGEST = 20000, KINDS = 9 };

static double d[LONGEST];
static float f[LONGEST];
static int32_t v[LONGEST];
static uint32_t seed = 1;

static uint32_t draw(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* Element i of a row of n. */
static double element(int kind, int i)
{
    const double some = ((double)draw() - 8388608) / 1000;

    switch (kind) {
    case 1: return (double)(draw() % 3) - 1;
    case 2: return 0;
    case 3: return i;
    case 4: return -i;
    case 5: return draw() % 5 ? NAN : some;
    case 6: return draw() % 2 ? -0.0 : 0.0;
    case 7: {
        const double far[4] = {INFINITY, -INFINITY, -NAN, some};
        return far[draw() % 4];
    }
    case 8: return ldexp(some, (int)(draw() % 200) - 100);
    default: return some;
    }
}

static void make_row(int kind, int n)
{
    int i;

    for (i = 0; i < n; i++) {
        d[i] = element(kind, i);
        f[i] = (float)d[i];
        v[i] = (int32_t)(draw() << 8 ^ draw()); /* the whole range */
        if (fabs(d[i]) < 1e6)
            v[i] = (int32_t)d[i];
        if (d[i] > 1e9)
            v[i] = INT32_MAX;
        if (d[i] < -1e9)
            v[i] = INT32_MIN;
    }
}

static double of_double(int i)
{
    return d[i];
}

static double of_float(int i)
{
    return (double)f[i];
}

static double of_int(int i)
{
    return (double)v[i];
}

static double (*of)(int);

/* The larger comes first, then the earlier; NaN is larger than any number. */
static int compare(const void *a, const void *b)
{
    const int i = *(const int32_t *)a, k = *(const int32_t *)b;
    const double x = of(i), y = of(k);

    if (isnan(x) != isnan(y))
        return isnan(x) ? -1 : 1;
    if (x > y)
        return -1;
    if (x < y)
        return 1;
    return i < k ? -1 : i > k;
}

static void expect(int n, int k, double (*value)(int), const int32_t *got)
{
    static int32_t want[LONGEST];
    int i;

    of = value;
    for (i = 0; i < n; i++)
        want[i] = i;
    qsort(want, (size_t)n, sizeof *want, compare);
    CHECK(memcmp(got, want, (size_t)k * sizeof *want) == 0);
}

static void test_row(int kind, int n, int k)
{
    static int32_t place[LONGEST];

    make_row(kind, n);
    ngrt_sorder(1, n, k, f, place);
    expect(n, k, of_float, place);
    ngrt_dorder(1, n, k, d, place);
    expect(n, k, of_double, place);
    ngrt_iorder(1, n, k, v, place);
    expect(n, k, of_int, place);
}

static void test_rows(void)
{
    static const float x[2][3] = {{1, 3, 2}, {5, 4, 6}};
    int32_t y[2][3];

    ngrt_sorder(2, 3, 2, x[0], y[0]);
    CHECK(y[0][0] == 1 && y[0][1] == 2 && y[0][2] == 2 && y[1][0] == 0);
    ngrt_sorder(2, 3, 3, x[0], y[0]);
    CHECK(y[0][2] == 0 && y[1][0] == 2 && y[1][1] == 0 && y[1][2] == 1);
}

int main(void)
{
    static const int length[] = {1, 2, 3, 39, 40, 41, 100, 257, 2047, 2048, 2049, 5000, LONGEST};
    int kind, i;

    for (kind = 0; kind < KINDS; kind++)
        for (i = 0; i < (int)(sizeof length / sizeof *length); i++) {
            const int n = length[i];
            test_row(kind, n, n);
            test_row(kind, n, 1 + (int)(draw() % (uint32_t)n));
            test_row(kind, n, (n + 9) / 10);
        }
    test_rows();
    return check_end("order");
}
