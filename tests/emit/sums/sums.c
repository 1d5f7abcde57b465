/* sums.c - sums.ng in float32 against the exact sums of 0.1f: each within a millionth, a few units
 * in the last place. */
#include "sums.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int failed;

static void check(const char *name, double got, double want, double scale)
{
    if (fabs(got - want) <= 1e-6 * scale)
        return;
    printf("%s is %.9g, not %.9g\n", name, got, want);
    failed = 1;
}

static float *filled(size_t n)
{
    float *x = malloc(n * sizeof *x);

    for (size_t i = 0; x && i < n; i++)
        x[i] = 0.1f;
    return x;
}

int main(void)
{
    static sums_work work;
    static sums_params params;
    static sums_grads grads;
    const double x = 0.1f;
    sums_inputs in = SUMS_INPUTS;

    in.x = filled(1000000), in.z = filled(900000), in.w = filled(6000000);
    in.image = filled(8 * 354 * 354), in.up = filled(8 * 352 * 352);
    if (!in.x || !in.z || !in.w || !in.image || !in.up)
        return 2;
    if (sums_predict(&params, &in, &work) || sums_forward(&params, &in, &work) ||
        sums_backward(&params, &in, &work, &grads))
        return 2;

    check("total", work.total, 1e6 * x, 1e6 * x);
    check("middle", work.middle, x, x);
    check("spread", work.spread, 0, x * x);
    check("error", work.error, x * x, x * x);
    check("columns", work.columns[299], 20000 * x, 20000 * x);
    check("rows", work.rows[19999], 300 * x, 300 * x);
    check("J", work.J, 6900000 * x * x, 6900000 * x * x);
    check("dJ/db", grads.dJ_db[2], 600000 * x, 600000 * x);
    check("dJ/dc", grads.dJ_dc[299], 40000 * x, 40000 * x);
    check("dJ/dk", grads.dJ_dk[0][0][2][2], 991232 * x * x, 991232 * x * x);
    return failed;
}
