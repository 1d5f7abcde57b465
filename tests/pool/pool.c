/* pool.c - a model by its descriptor, model_model, on pools of 1 to 4 threads and without one: all
 * it computes must have the same bits.
 *
 * With `cblas` a product of one thread may be CBLAS's and have other bits; with `slices` those of
 * several threads are CBLAS's too, and each number of threads has its own bits, the same each time.
 *
 *     pool [cblas|slices]
 *
 * It prints a hash of all that is computed without a pool.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../element.h"
#include "ngrt_host.h"

extern const ngrt_model model_model;

enum { STEPS = 3, THREADS = 4 };

typedef struct Blocks {
    char *params, *state, *inputs, *work, *grads;
} Blocks;

static void *room(size_t size)
{
    void *p = calloc(size + 64, 1);
    if (p == NULL)
        exit(3);
    return p;
}

/* Floats from 0 to 1, labels below their limit, sizes at their bound. */
static void fill(const ngrt_model *m, char *inputs)
{
    uint32_t seed = 1;
    for (int i = 0; i < m->dims; i++)
        memcpy(inputs + m->dim[i].offset, &m->dim[i].max, sizeof(int));
    for (int i = 0; i < m->tensors; i++) {
        const ngrt_tensor *t = &m->tensor[i];
        if (t->role != NGRT_INPUT)
            continue;
        char *at = t->rank ? room(element_count(t) * 8) : inputs + t->offset;
        for (size_t k = 0; k < element_count(t); k++) {
            seed = seed * 1664525u + 1013904223u;
            double x = (double)(seed >> 8) / 16777216.0;
            if (t->type == NGRT_I32)
                ((int32_t *)at)[k] = (int32_t)(x * (t->limit ? t->limit : 2));
            else if (t->type == NGRT_F64)
                ((double *)at)[k] = x;
            else
                ((float *)at)[k] = (float)x;
        }
        if (t->rank)
            memcpy(inputs + t->offset, &at, sizeof at);
    }
}

static Blocks start(const ngrt_model *m, ngrt_pool *pool)
{
    Blocks b = {room(m->sizeof_params), room(m->sizeof_state), room(m->sizeof_inputs),
                room(m->sizeof_work), room(m->sizeof_grads)};
    fill(m, b.inputs);
    if (m->init)
        m->init(b.params, b.state, 1);
    memcpy(b.work, &pool, sizeof pool);
    return b;
}

static void end(const ngrt_model *m, Blocks *b)
{
    for (int i = 0; i < m->tensors; i++)
        if (m->tensor[i].role == NGRT_INPUT && m->tensor[i].rank)
            free(*(void **)(b->inputs + m->tensor[i].offset));
    free(b->params), free(b->state), free(b->inputs), free(b->work), free(b->grads);
}

static uint64_t add(uint64_t hash, const char *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)at[i]) * 1099511628211u;
    return hash;
}

/* All that the descriptor knows, but for the inputs. */
static uint64_t add_blocks(uint64_t hash, const ngrt_model *m, const Blocks *b)
{
    for (int i = 0; i < m->tensors; i++) {
        const ngrt_tensor *t = &m->tensor[i];
        const char *block = t->role == NGRT_PARAM   ? b->params
                            : t->role == NGRT_STATE ? b->state
                            : t->role == NGRT_GRAD  ? b->grads
                                                    : b->work;
        if (t->role != NGRT_INPUT)
            hash = add(hash, block + t->offset, element_count(t) * element_size(t->type));
    }
    return hash;
}

/* Each function in turn; a hash of everything after each. */
static uint64_t use(const ngrt_model *m, Blocks *b)
{
    uint64_t hash = 14695981039346656037u;
    int bad = 0;
    for (int i = 0; i < STEPS; i++) {
        bad |= m->predict ? m->predict(b->params, b->state, b->inputs, b->work) : 0;
        hash = add_blocks(hash, m, b);
        bad |= m->eval ? m->eval(b->params, b->state, b->inputs, b->work) : 0;
        hash = add_blocks(hash, m, b);
        bad |= m->forward ? m->forward(b->params, b->state, b->inputs, b->work) : 0;
        hash = add_blocks(hash, m, b);
        bad |= m->backward ? m->backward(b->params, b->state, b->inputs, b->work, b->grads) : 0;
        hash = add_blocks(hash, m, b);
        bad |= m->step ? m->step(b->params, b->state, b->inputs, b->work) : 0;
        hash = add_blocks(hash, m, b);
    }
    return bad ? 0 : hash;
}

/* A label that does not exist: an error, and no thread waits for another. */
static int refuses(const ngrt_model *m, Blocks *b)
{
    int refused = 0, labels = 0;
    for (int i = 0; i < m->tensors; i++) {
        const ngrt_tensor *t = &m->tensor[i];
        if (t->role != NGRT_INPUT || t->type != NGRT_I32 || !t->limit || !t->rank || !m->forward)
            continue;
        int32_t *at = *(int32_t **)(b->inputs + t->offset), old = *at;
        *at = t->limit;
        refused += m->forward(b->params, b->state, b->inputs, b->work) == NGRT_ELABEL;
        *at = old;
        labels++;
    }
    return refused == labels &&
           (!m->forward || m->forward(b->params, b->state, b->inputs, b->work) == NGRT_OK);
}

static uint64_t run(const ngrt_model *m, int threads, int *refused)
{
    ngrt_pool *pool = threads ? ngrt_pool_create(threads) : NULL;
    Blocks b = start(m, pool);
    uint64_t hash = use(m, &b);
    *refused = refuses(m, &b);
    end(m, &b);
    ngrt_pool_destroy(pool);
    return hash;
}

int main(int argc, char **argv)
{
    int cblas = argc > 1 && strcmp(argv[1], "cblas") == 0,
        labels = argc > 1 && strcmp(argv[1], "labels") == 0, /* any int can be one */
        slices = argc > 1 && strcmp(argv[1], "slices") == 0, failed = 0, refused;
    uint64_t want[THREADS + 1] = {0};
    for (int threads = 0; threads <= THREADS; threads++) {
        int like = slices                 ? threads
                   : cblas && threads > 1 ? 2
                                          : 0; /* the number of threads that has the same bits */
        for (int again = 0; again < (slices ? 2 : 1); again++) {
            uint64_t hash = run(&model_model, threads, &refused);
            want[like] = want[like] ? want[like] : hash;
            if (hash && hash == want[like] && (refused || labels))
                continue;
            printf("%d threads: %s\n", threads,
                   hash == 0 ? "an error"
                   : refused ? "other bits"
                             : "a wrong label is taken");
            failed = 1;
        }
    }
    printf("%016llx\n", (unsigned long long)want[0]);
    return failed;
}
