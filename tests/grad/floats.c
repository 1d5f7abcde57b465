/* floats.c - what the emitted C of stability.ng delivers in float, printed as `ngc run` prints it. */
#include "stability.h"

#include <stdio.h>

static stability_work work;

int main(void)
{
    stability_inputs in = STABILITY_INPUTS;
    if (stability_predict(&in, &work) != 0)
        return 1;
    for (int i = 0; i < stability_model.tensors; i++) {
        const ngrt_tensor *t = &stability_model.tensor[i];
        const float *x = (const float *)((const char *)&work + t->offset);
        int count = 1;
        if (t->role != NGRT_OUTPUT)
            continue;
        for (int k = 0; k < t->rank; k++)
            count *= t->shape[k];
        printf("%s = ", t->name);
        for (int k = 0; k < count; k++)
            printf("%.9g ", (double)x[k]);
        printf("\n");
    }
    return 0;
}
