/* tune.c - a trained network whose last layer is trained further on the device, on what the device
 * sees: all other weights are in flash. */
#include "device.h"
#include "head.h"
#include "pictures.h"

enum { SEEN = 8, TURNS = 20 };

static head_params params;
static head_state state;
static head_work work;

/* All bits of the weights, as one number. */
static unsigned bits_of(const void *from, size_t size)
{
    const unsigned char *at = from;
    unsigned hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * 16777619u;
    return hash;
}

int main(void)
{
    head_inputs in = HEAD_INPUTS;
    head_init(&params, &state, 1);
    for (int turn = 0; turn < TURNS; turn++) {
        double loss = 0;
        for (int i = 0; i < SEEN; i++) {
            in.x = pictures[i];
            in.t = &labels[i];
            if (head_step(&params, &state, &in, &work) != NGRT_OK)
                return 1;
            loss += (double)work.J / SEEN;
        }
        if (turn == 0 || turn == TURNS - 1) {
            say(turn == 0 ? "loss: " : " to ");
            say_number(loss);
        }
    }
    say("\nbits: ");
    say_number(bits_of(&params, sizeof params));
    say("\n");
    return 0;
}
