/* indices.c - functions of indices.ng refuse indices that are out of range, and write nothing then.
 */
#include "indices.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static indices_params params, params_before;
static indices_state state, state_before;
static indices_work work;
static int32_t s[3], t[3];
static int failed;

static indices_inputs good_inputs(void)
{
    static const double numbers[] = {1, 2, 3, 3, 2, 1, 0, 4, 0};
    static indices_inputs in = INDICES_INPUTS;
    static char z[sizeof numbers];

    for (int i = 0; i < 9; i++) {
        if (sizeof *in.z == sizeof(double))
            ((double *)z)[i] = numbers[i];
        else
            ((float *)z)[i] = (float)numbers[i];
    }
    in.z = (const void *)z;
    in.s = s;
    in.t = t;
    in.k = 1;
    s[0] = 0, s[1] = 2, s[2] = 1;
    t[0] = 2, t[1] = -100, t[2] = 0;
    state.at = 1;
    return in;
}

static void expect(int is, int wanted, const char *what)
{
    if (is == wanted)
        return;
    printf("FAIL %s: %d, not %d\n", what, is, wanted);
    failed = 1;
}

/* All functions with these inputs; bit i of reads: function i computes the index. */
static void refuse(const indices_inputs *in, const char *what, unsigned reads)
{
    params_before = params;
    state_before = state;
    work.J = 77;
    work.d1 = 88;
    work.c1[0] = 99;

    if (reads & 1)
        expect(indices_predict(&params, &state, in, &work), NGRT_ELABEL, what);
    if (reads & 2)
        expect(indices_eval(&params, &state, in, &work), NGRT_ELABEL, what);
    if (reads & 4)
        expect(indices_forward(&params, in, &work), NGRT_ELABEL, what);
    if (reads & 8)
        expect(indices_step(&params, &state, in, &work), NGRT_ELABEL, what);
    expect(memcmp(&params, &params_before, sizeof params), 0, what);
    expect(memcmp(&state, &state_before, sizeof state), 0, what);
    expect(work.J == 77 && work.d1 == 88 && work.c1[0] == 99, 1, what);
}

enum {
    PREDICT = 1,
    EVAL = 2,
    FORWARD = 4,
    STEP = 8,
    LOSS = EVAL | FORWARD | STEP,
    OUTPUT = PREDICT | EVAL
};

int main(void)
{
    indices_inputs in = good_inputs();

    indices_init(&params, &state, 1);
    for (int32_t k = 3; k <= 5; k++) {
        in.k = k;
        refuse(&in, "x[k + 1] above", OUTPUT);
        in.k = 1 - k;
        refuse(&in, "x[k + 1] below", OUTPUT);
    }
    in = good_inputs();
    in.u = 4;
    refuse(&in, "where(training, 0, u) above", OUTPUT);
    in.u = -1;
    refuse(&in, "where(training, 0, u) below", OUTPUT);
    in = good_inputs();
    s[2] = 3;
    refuse(&in, "W[2*s]", OUTPUT);
    s[2] = -2;
    refuse(&in, "W[s + 1]", LOSS);
    s[2] = INT32_MIN; /* twice that is 0 for an int32 */
    refuse(&in, "2*s goes round", OUTPUT);
    s[2] = INT32_MAX;
    refuse(&in, "s + 1 goes round", LOSS | OUTPUT);
    in = good_inputs();
    t[0] = 3;
    refuse(&in, "a label above", LOSS);
    t[0] = -1;
    refuse(&in, "a label below", LOSS);
    in = good_inputs();
    state.at = 3;
    refuse(&in, "ring[at] above", OUTPUT | STEP);
    state.at = -1;
    refuse(&in, "ring[at] below", OUTPUT | STEP);

    in = good_inputs();
    in.k = 2;
    expect(indices_predict(&params, &state, &in, &work), NGRT_OK, "predict");
    expect(fabs((double)work.d1 - 40) < 1e-3, 1, "x[3]");
    expect(fabs((double)work.e2 - 31.38629436) < 1e-4, 1, "log of two factors below 0");
    in.k = -1;
    expect(indices_eval(&params, &state, &in, &work), NGRT_OK, "eval");
    expect(fabs((double)work.d1 - 10) < 1e-3, 1, "x[0]");
    expect(fabs((double)work.J - 0.374791132) < 1e-5, 1, "J");
    expect(indices_step(&params, &state, &in, &work), NGRT_OK, "step");
    expect(state.at, 2, "at");
    puts(failed ? "failed" : "ok");
    return failed;
}
