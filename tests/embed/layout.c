/* layout.c - the layout of a model as its compiler has it, for comparison with the manifest. */
#include <stdio.h>
#ifdef STANDALONE
#include "model.h"
#else
#include "ngrt.h"
extern const ngrt_model model_model;
#endif

int main(void)
{
    static const char *const role[] = {"input",  "param", "state", "grad",
                                       "output", "loss",  "metric"};
    const ngrt_model *m = &model_model;
    printf("params %zu\nstate %zu\ninputs %zu\nwork %zu\ngrads %zu\n", m->sizeof_params,
           m->sizeof_state, m->sizeof_inputs, m->sizeof_work, m->sizeof_grads);
    for (int i = 0; i < m->dims; i++)
        printf("dim %s %d %zu\n", m->dim[i].name, m->dim[i].max, m->dim[i].offset);
    for (int i = 0; i < m->tensors; i++) {
        const ngrt_tensor *t = &m->tensor[i];
        printf("%s %s %zu", role[t->role], t->name, t->offset);
        for (int k = 0; k < t->rank; k++)
            printf(" %d", t->shape[k]);
        printf("\n");
    }
    return 0;
}
