/* turns.c - steps of one loss of turns.ng against the definitions of Adam and of momentum in
 * PyTorch's manual. */
#include "turns.h"

#include <math.h>
#include <stdio.h>

static turns_params params;
static turns_state state;
static turns_work work;

/* Adam's p after some steps of (p - 3)^2 from 1. */
static double adam(int steps)
{
    double p = 1, m = 0, v = 0;
    for (int t = 1; t <= steps; t++) {
        double g = 2 * (p - 3);
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        p -= 0.1 * (m / (1 - pow(0.9, t))) / (sqrt(v / (1 - pow(0.999, t))) + 1e-8);
    }
    return p;
}

/* Momentum's p after some steps of (p + 2)^2 from 1, with a rate that falls. */
static double momentum(int steps)
{
    double p = 1, v = 0;
    for (int t = 0; t < steps; t++) {
        v = 0.9 * v + 2 * (p + 2);
        p -= 0.1 / (t + 1) * v;
    }
    return p;
}

static int near(double is, double wanted, const char *what)
{
    if (fabs(is - wanted) <= 1e-5 * (1 + fabs(wanted)))
        return 1;
    printf("FAIL %s: %.9g, not %.9g\n", what, is, wanted);
    return 0;
}

int main(void)
{
    turns_inputs in = TURNS_INPUTS;
    int good = 1, a = 0, b = 0;

    turns_init(&params, &state, 1);
    for (int i = 1; i <= 9; i++) {
        if (i % 3 == 2)
            good &= turns_step(&params, &state, &in, &work) == 0;
        else if (i % 3)
            good &= turns_step_A(&params, &state, &in, &work) == 0;
        else
            good &= turns_step_B(&params, &state, &in, &work) == 0;
        a += i % 3 != 0;
        b += i % 3 != 1;
        good &= near((double)params.a, adam(a), "a") & near((double)params.b, momentum(b), "b");
        good &= near(state.n, i, "n") &
                near((double)state.h_running_mean[0], 2 * (1 - pow(0.9, i)), "running_mean");
    }
    puts(good ? "ok" : "failed");
    return !good;
}
