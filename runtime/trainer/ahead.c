/* ahead.c - a thread that gathers the next batch while the model computes with this one, so that
 * reading does not delay the step. It fills buffers of its own; then the two are exchanged. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trainer.h"

enum {
    IDLE, /* the thread waits for work */
    ASKED,
    READY,                 /* the batch is in the spare buffers */
    OVER,                  /* the thread is to end */
    LEAST_BYTES = 1 << 16, /* of a batch: to wake a thread costs as much as to copy less */
};

struct Ahead {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int state;
    size_t first, count; /* the batch that is asked for */
    int status;          /* of reading it */
    int asked;           /* state is not IDLE; only the thread that trains uses this */
    const Trainer *t;
    Set *set;
};

static void set_state(Ahead *a, int state)
{
    pthread_mutex_lock(&a->mutex);
    if (a->state != OVER)
        a->state = state;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->mutex);
}

/* Waits while the state is this one; returns the next. */
static int wait_while(Ahead *a, int state)
{
    int now;

    pthread_mutex_lock(&a->mutex);
    while (a->state == state)
        pthread_cond_wait(&a->changed, &a->mutex);
    now = a->state;
    pthread_mutex_unlock(&a->mutex);
    return now;
}

static void *gather(void *argument)
{
    Ahead *a = argument;
    int state = IDLE;

    while (state != OVER) {
        if (state == ASKED) {
            a->status = ngrt_rows_gather(a->t, a->set, a->first, a->count, 1);
            set_state(a, READY);
            state = READY;
        }
        state = wait_while(a, state);
    }
    return NULL;
}

/* The bytes that a batch has in the buffers. */
static size_t batch_bytes(const Set *set)
{
    size_t bytes = 0;
    int i;

    for (i = 0; i < set->feeds; i++)
        if (set->feed[i].batched)
            bytes += set->batch * set->feed[i].width * ngrt_type_size(set->feed[i].input->type);
    return bytes;
}

/* Allocates the other buffers; false without memory. */
static int make_spares(Set *set)
{
    int i;

    for (i = 0; i < set->feeds; i++) {
        Feed *f = &set->feed[i];
        size_t size = ngrt_type_size(f->input->type);

        if (f->batched && !f->spare)
            f->spare = ngrt_trainer_allocate(set->batch * f->width, size);
        if (f->batched && !f->spare)
            return 0;
    }
    return 1;
}

void ngrt_ahead_start(const Trainer *t, Set *set)
{
    Ahead *a;

    if (set->ahead || set->batch >= set->rows || batch_bytes(set) < LEAST_BYTES ||
        sysconf(_SC_NPROCESSORS_ONLN) < 2 || !make_spares(set))
        return;
    a = ngrt_trainer_allocate(1, sizeof *a);
    if (!a)
        return;
    a->t = t;
    a->set = set;
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->changed, NULL);
    if (pthread_create(&a->thread, NULL, gather, a) == 0)
        set->ahead = a;
    else
        free(a); /* without it, batches are gathered when they are needed */
}

void ngrt_ahead_ask(Set *set, size_t first, size_t count)
{
    Ahead *a = set->ahead;

    if (!a)
        return;
    a->first = first;
    a->count = count;
    a->asked = 1;
    set_state(a, ASKED);
}

void ngrt_ahead_settle(Set *set)
{
    if (!set->ahead || !set->ahead->asked)
        return;
    wait_while(set->ahead, ASKED);
    set_state(set->ahead, IDLE);
    set->ahead->asked = 0;
}

/* Takes the batch, if it is the one that was asked for: it becomes that of the inputs. */
static int take(Set *set, size_t first, size_t count, int *status)
{
    Ahead *a = set->ahead;
    int i;

    if (!a || !a->asked)
        return 0;
    ngrt_ahead_settle(set);
    if (a->first != first || a->count != count)
        return 0;
    *status = a->status;
    for (i = 0; i < set->feeds; i++) {
        Feed *f = &set->feed[i];
        void *keep = f->buffer;

        if (!f->batched)
            continue;
        f->buffer = f->spare;
        f->spare = keep;
        memcpy(set->inputs + f->input->offset, &f->buffer, sizeof f->buffer);
    }
    return 1;
}

int ngrt_set_fill(const Trainer *t, Set *set, size_t first, size_t count)
{
    int rows = (int)count, status = DONE;

    if (!take(set, first, count, &status))
        status = ngrt_rows_gather(t, set, first, count, 0);
    if (t->model->dims)
        memcpy(set->inputs + t->model->dim[0].offset, &rows, sizeof rows);
    return status;
}

void ngrt_ahead_end(Set *set)
{
    Ahead *a = set->ahead;

    if (!a)
        return;
    ngrt_ahead_settle(set);
    set_state(a, OVER);
    pthread_join(a->thread, NULL);
    pthread_mutex_destroy(&a->mutex);
    pthread_cond_destroy(&a->changed);
    free(a);
    set->ahead = NULL;
}
