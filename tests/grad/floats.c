/* floats.c - what the emitted C of a model, model.h, delivers, printed as `ngc run` prints it. The
 * type of its numbers is NUMBER. */
#include "model.h"

#include <stdio.h>

static model_work work;

int main(void)
{
    model_inputs in = MODEL_INPUTS;
    if (model_predict(&in, &work) != 0)
        return 1;
    for (int i = 0; i < model_model.tensors; i++) {
        const ngrt_tensor *t = &model_model.tensor[i];
        const NUMBER *x = (const NUMBER *)((const char *)&work + t->offset);
        int count = 1;
        if (t->role != NGRT_OUTPUT)
            continue;
        for (int k = 0; k < t->rank; k++)
            count *= t->shape[k];
        printf("%s = ", t->name);
        for (int k = 0; k < count; k++)
            printf("%.17g ", (double)x[k]);
        printf("\n");
    }
    return 0;
}
