/* Trains the OR gate of or_gate.ng with 5,000 steps of the emitted C and shows the result.
 *
 *     ngc or_gate.ng --standalone -o or_gate.c
 *     cc or_gate_train.c or_gate.c -lm -o or_gate
 *     ./or_gate
 *
 * Exit status 0: all four answers are right. */
#include "or_gate.h"

#include <stdio.h>

static const float X[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
static const float Y[4] = {0, 1, 1, 1};

int main(void)
{
    const or_gate_inputs in = {X[0], Y};
    or_gate_params params;
    or_gate_work work = {0};
    or_gate_init(&params, 1);
    for (int epoch = 1; epoch <= 5000; epoch++) {
        or_gate_step(&params, &in, &work); /* work.J is the cost before the step */
        if (epoch % 1000 == 0)
            printf("epoch %4d  J = %.6f\n", epoch, (double)work.J);
    }
    or_gate_eval(&params, &in, &work);
    printf("W = %.4f, %.4f  b = %.4f\n", (double)params.W[0], (double)params.W[1],
           (double)params.b);
    for (int i = 0; i < 4; i++)
        printf("%.0f or %.0f: %.3f\n", (double)X[i][0], (double)X[i][1], (double)work.Yhat[i]);
    printf("accuracy = %.2f\n", (double)work.accuracy);
    return work.accuracy < 1;
}
