/* repeat.c - many steps in one call, so that a caller in another language is not what is timed. */
#include "ngrt.h"

extern const ngrt_model model_model;

int repeat(long times, void *params, void *state, const void *inputs, void *work);

int repeat(long times, void *params, void *state, const void *inputs, void *work)
{
    int status = 0;
    while (times-- > 0 && status == 0)
        status = model_model.step(params, state, inputs, work);
    return status;
}
