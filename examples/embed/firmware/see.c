/* see.c - a trained network on the device: weights in flash, work in RAM, and only the stack
 * besides. */
#include "device.h"
#include "net.h"
#include "picture.h"

static net_work work;

int main(void)
{
    net_inputs in = NET_INPUTS;
    in.m = 1;
    in.x = picture;
    if (net_predict(&net_weights, &in, &work) != NGRT_OK)
        return 1;
    for (int i = 0; i < 10; i++) {
        say_number((double)work.p[0][i]);
        say(i < 9 ? " " : "\n");
    }
    return 0;
}
