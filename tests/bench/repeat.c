/* repeat.c - many calls of the function WHAT in one, so that a caller in another language is not
 * what is timed. */
#include "ngrt.h"

#ifndef WHAT
#define WHAT step
#endif

extern const ngrt_model model_model;

int repeat(long times, void *params, void *state, const void *inputs, void *work);

int repeat(long times, void *params, void *state, const void *inputs, void *work)
{
    int status = 0;
    while (times-- > 0 && status == 0)
        status = model_model.WHAT(params, state, inputs, work);
    return status;
}
