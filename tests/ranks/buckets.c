/* buckets.c - the calls of ngrt_mpi.c on several processes: sums, maxima and gradients in buckets.
 * Every element of rank r is r + 1 times a number, so each sum is known. Prints what is wrong; the
 * exit status is 0 if nothing is. */
#include "ngrt_host.h"

#include "../element.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SMALL = 300, LARGE = (1 << 18) + 5, TURNS = 140 };

static int wrong;

/* The elements 1, 2, .. times a number, modulo 1000. */
static void fill(int type, void *x, size_t n, int times)
{
    for (size_t i = 0; i < n; i++)
        element_put(x, type, i, (double)(times * (int)(i % 1000 + 1)));
}

static void expect(const char *what, int type, const void *x, size_t n, int times)
{
    for (size_t i = 0; i < n; i++)
        if (element_get(x, type, i) != (double)(times * (int)(i % 1000 + 1))) {
            printf("%s, type %d: element %zu is %g\n", what, type, i, element_get(x, type, i));
            wrong++;
            return;
        }
}

/* A maximum of NaN and a number is NaN, whichever rank has it. */
static void maxima(ngrt_ranks *ranks, int ranks_count, int type)
{
    double x[8];
    int floats = type != NGRT_I32;

    fill(type, x, 8, ranks->rank + 1);
    if (floats)
        element_put(x, type, ranks->rank ? 1 : 0, NAN);
    element_put(x, type, 2, ranks->rank ? -5 : 5);
    ranks->max(ranks, type, x, 8);
    if (floats && (!isnan(element_get(x, type, 0)) || !isnan(element_get(x, type, 1)))) {
        printf("type %d: a NaN is lost\n", type);
        wrong++;
    }
    if (element_get(x, type, 2) != 5) {
        printf("type %d: a maximum of 5 and -5 is %g\n", type, element_get(x, type, 2));
        wrong++;
    }
    element_put(x, type, 0, ranks_count);
    element_put(x, type, 1, 2 * ranks_count);
    element_put(x, type, 2, 3 * ranks_count);
    expect("max", type, x, 8, ranks_count);
}

/* Many small tensors, some of them of another type, and large ones that need no bucket. */
static void gradients(ngrt_ranks *ranks, int all)
{
    static const int types[] = {NGRT_F32, NGRT_F64};
    double(*small)[7] = calloc(SMALL, sizeof *small), (*turn)[3] = calloc(TURNS, sizeof *turn);
    double *large = calloc(2 * LARGE, sizeof *large);

    if (!small || !turn || !large)
        exit(2);
    for (int i = 0; i < SMALL; i++) {
        fill(NGRT_F32, small[i], 7, ranks->rank + 1);
        ranks->ready(ranks, NGRT_F32, small[i], 7);
    }
    for (int i = 0; i < 2; i++) {
        fill(types[i], large + i * LARGE, LARGE, ranks->rank + 1);
        ranks->ready(ranks, types[i], large + i * LARGE, LARGE);
    }
    for (int i = 0; i < TURNS; i++) { /* each change of the type closes a bucket */
        fill(types[i % 2], turn[i], 3, ranks->rank + 1);
        ranks->ready(ranks, types[i % 2], turn[i], 3);
    }
    ranks->wait(ranks);

    for (int i = 0; i < SMALL; i++)
        expect("small", NGRT_F32, small[i], 7, all);
    for (int i = 0; i < 2; i++)
        expect("large", types[i], large + i * LARGE, LARGE, all);
    for (int i = 0; i < TURNS; i++)
        expect("turn", types[i % 2], turn[i], 3, all);
    free(small);
    free(turn);
    free(large);
}

int main(void)
{
    static const int types[] = {NGRT_F32, NGRT_F64, NGRT_I32};
    ngrt_group *group = ngrt_mpi_start();
    int number[64];

    if (!group || group->ranks > 64)
        return 2;
    ngrt_ranks *ranks = &group->of;
    int n = group->ranks, all = n * (n + 1) / 2;
    for (int t = 0; t < 3; t++) {
        double x[1001];
        fill(types[t], x, 1001, ranks->rank + 1);
        ranks->sum(ranks, types[t], x, 1001);
        expect("sum", types[t], x, 1001, all);
        maxima(ranks, n, types[t]);
    }
    gradients(ranks, all);
    gradients(ranks, all); /* the buckets are used again */
    group->gather(group, &ranks->rank, sizeof ranks->rank, number);
    for (int r = 0; r < n; r++)
        wrong += number[r] != r;
    ngrt_mpi_finish(group, wrong ? 1 : 0);
    return wrong > 0;
}
