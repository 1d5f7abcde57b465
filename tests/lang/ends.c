/* ends.c - hardsigmoid is 0 and 1 at its ends, and its slope is 0 there. */
#include "ends.h"

#include <stdio.h>

static ends_work work;
static ends_grads grads;

int main(void)
{
    ends_inputs in = ENDS_INPUTS;
    int status = ends_forward(&in, &work);
    double wrong = (double)work.J != 512;
    if (status == NGRT_OK)
        status = ends_backward(&in, &work, &grads);
    for (int i = 0; i < 512; i++)
        wrong += grads.dJ_dx[i] != 0 || grads.dJ_dy[i] != 0;

    if (status != NGRT_OK || wrong > 0)
        printf("status %d, %g results are wrong\n", status, wrong);
    return status != NGRT_OK || wrong > 0;
}
