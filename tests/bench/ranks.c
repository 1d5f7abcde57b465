/* ranks.c - the time of a step of a model, `model`, on the ranks that mpirun has started, which
 * divide its bound of rows. Prints the shortest and the middle time, and the processor time of rank
 * 0: run ROWS STEPS. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ngrt_host.h"

extern const ngrt_model model_model;

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double processor(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Random elements for an input. */
static void *draw(const ngrt_tensor *x)
{
    size_t n = 1, i;
    float *f;
    for (i = 0; i < (size_t)x->rank; i++)
        n *= (size_t)x->shape[i];
    f = malloc(n * sizeof *f);
    for (i = 0; i < n; i++)
        if (x->type == NGRT_I32)
            ((int32_t *)(void *)f)[i] = rand() % (x->limit ? x->limit : 2);
        else
            f[i] = (float)rand() / (float)RAND_MAX - 0.5f;
    return f;
}

int main(int argc, char **argv)
{
    const ngrt_model *m = &model_model;
    ngrt_group *g = ngrt_mpi_start();
    int rows = m->dim[0].max, steps = argc > 1 ? atoi(argv[1]) : 500, own, i, error = 0;
    char *params = calloc(1, m->sizeof_params + 1), *state = calloc(1, m->sizeof_state + 1);
    char *inputs = calloc(1, m->sizeof_inputs), *work = calloc(1, m->sizeof_work);
    double *time = malloc((size_t)steps * sizeof *time),
           *spent = malloc((size_t)steps * sizeof *spent);
    ngrt_ranks *of = &g->of;

    if (m->defaults)
        memcpy(inputs, m->defaults, m->sizeof_inputs);
    m->init(params, state, 1);
    own = rows * (of->rank + 1) / g->ranks - rows * of->rank / g->ranks;
    of->rows = rows;
    if (g->ranks > 1)
        memcpy(work + sizeof(void *), &of, sizeof of);
    memcpy(inputs + m->dim[0].offset, &own, sizeof own);
    for (i = 0; i < m->tensors; i++)
        if (m->tensor[i].role == NGRT_INPUT && m->tensor[i].rank > 0) {
            void *x = draw(&m->tensor[i]);
            memcpy(inputs + m->tensor[i].offset, &x, sizeof x);
        }
    for (i = 0; i < steps && !error; i++) {
        double start, used;
        MPI_Barrier(MPI_COMM_WORLD);
        start = MPI_Wtime();
        used = processor();
        error = m->step(params, state, inputs, work);
        spent[i] = processor() - used;
        time[i] = MPI_Wtime() - start;
    }
    qsort(time, (size_t)steps, sizeof *time, compare);
    qsort(spent, (size_t)steps, sizeof *spent, compare);
    if (of->rank == 0)
        printf("%.1f %.1f %.1f\n", 1e6 * time[0], 1e6 * time[steps / 2], 1e6 * spent[steps / 2]);
    ngrt_mpi_finish(g, error ? 1 : 0);
    return error != 0;
}
