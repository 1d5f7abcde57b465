/* main.c - two models in one program, each trained in a thread of its own. */
#include <pthread.h>
#include <stdio.h>

#include "gate.h"
#include "line.h"

static gate_params gate;
static gate_state gate_moments;
static line_params line;

static void *learn_gate(void *error)
{
    static const float x[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, t[4] = {0, 1, 1, 0};
    static gate_work work;
    gate_inputs in = GATE_INPUTS;
    in.x = x[0];
    in.t = t;
    gate_init(&gate, &gate_moments, 1);
    for (int i = 0; i < 1000 && *(int *)error == 0; i++)
        *(int *)error = gate_step(&gate, &gate_moments, &in, &work);
    return NULL;
}

static void *learn_line(void *error)
{
    static const float x[] = {-1, 0, 1, 2}, y[] = {-1, 1, 3, 5};
    static line_work work;
    line_inputs in = LINE_INPUTS;
    in.n = 4;
    in.x = x;
    in.y = y;
    line_init(&line, 1);
    for (int i = 0; i < 1000 && *(int *)error == 0; i++)
        *(int *)error = line_step(&line, &in, &work);
    return NULL;
}

int main(void)
{
    pthread_t thread[2];
    int error[2] = {0, 0};
    if (pthread_create(&thread[0], NULL, learn_gate, &error[0]) ||
        pthread_create(&thread[1], NULL, learn_line, &error[1]))
        return 1;
    pthread_join(thread[0], NULL);
    pthread_join(thread[1], NULL);
    if (error[0] || error[1])
        return 1;

    static const float x[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    static gate_work work;
    gate_inputs in = GATE_INPUTS;
    in.x = x[0];
    if (gate_predict(&gate, &in, &work))
        return 1;
    printf("xor: %.0f %.0f %.0f %.0f\n", work.p[0], work.p[1], work.p[2], work.p[3]);
    printf("line: %.2f x + %.2f\n", line.a, line.b);
    return 0;
}
