/* learn.c - training on the device: exclusive or, from random weights, and the result. */
#include "device.h"
#include "gate.h"

static const float x[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, t[4] = {0, 1, 1, 0};
static gate_params params;
static gate_state state;
static gate_work work;

int main(void)
{
    gate_inputs in = GATE_INPUTS;
    in.x = x[0];
    in.t = t;
    gate_init(&params, &state, 1);
    for (int i = 0; i < 300; i++)
        if (gate_step(&params, &state, &in, &work) != NGRT_OK)
            return 1;
    if (gate_predict(&params, &in, &work) != NGRT_OK)
        return 1;
    say("J = ");
    say_number((double)work.J);
    for (int i = 0; i < 4; i++) {
        say(i == 0 ? "\nxor: " : " ");
        say_number((double)work.p[i]);
    }
    say("\n");
    return 0;
}
