/* ahead.c - a thread that gathers the next batches while the model computes, so that reading does
 * not delay the step, also where the thread gets no processor for a moment. It fills a ring of
 * buffers; a batch that is taken is exchanged with that of the inputs.
 *
 * Batches are asked for in the order in which they are taken. The thread is woken for several at
 * once, since to wake it costs as much as to copy some rows. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trainer.h"

enum {
    SLOTS = 8,             /* of the ring, at most */
    MOST_BYTES = 1 << 23,  /* of all its buffers, if it has more than one slot */
    LEAST_BYTES = 1 << 16, /* of a batch: to copy less takes no longer than to exchange it */
};

typedef struct Slot { /* a batch that is asked for, or is there */
    size_t first, count;
    int status;    /* of reading it */
    void **buffer; /* for each feed; NULL: it is not batched */
} Slot;

struct Ahead {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t work, done;
    Slot slot[SLOTS];
    int slots;
    size_t end; /* the place after all that was asked for */

    /* counts of batches since the start; slot number n is n % slots */
    size_t asked, ready, taken;
    int sleeps, waits; /* the thread; the one that trains */
    int gathers;       /* the thread is at a batch */
    int over;          /* it is to end */
    const Trainer *t;
    Set *set;
};

/* ---- the thread ---- */

static void *gather(void *argument)
{
    Ahead *a = argument;

    pthread_mutex_lock(&a->mutex);
    while (!a->over) {
        Slot *s = &a->slot[a->ready % (size_t)a->slots];

        if (a->ready == a->asked) {
            a->sleeps = 1;
            pthread_cond_wait(&a->work, &a->mutex);
            a->sleeps = 0;
            continue;
        }
        a->gathers = 1;
        /* the slot is this thread's until `ready` counts it: it is filled without the lock */
        pthread_mutex_unlock(&a->mutex);
        s->status = ngrt_rows_gather(a->t, a->set, s->first, s->count, s->buffer);
        pthread_mutex_lock(&a->mutex);
        a->gathers = 0;
        a->ready++;
        if (a->waits)
            pthread_cond_signal(&a->done);
    }
    pthread_mutex_unlock(&a->mutex);
    return NULL;
}

/* ---- its memory ---- */

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

static void free_slot(const Set *set, Slot *s)
{
    int i;

    for (i = 0; i < set->feeds && s->buffer; i++)
        free(s->buffer[i]);
    free(s->buffer);
    s->buffer = NULL;
}

/* Allocates the buffers of a slot; false without memory. */
static int make_slot(const Set *set, Slot *s)
{
    int i, good = 1;

    s->buffer = ngrt_trainer_allocate((size_t)set->feeds, sizeof *s->buffer);
    for (i = 0; i < set->feeds && s->buffer && good; i++) {
        const Feed *f = &set->feed[i];

        if (f->batched)
            s->buffer[i] =
                ngrt_trainer_allocate(set->batch * f->width, ngrt_type_size(f->input->type));
        good = !f->batched || s->buffer[i];
    }
    if (!s->buffer || !good)
        free_slot(set, s);
    return s->buffer != NULL;
}

/* As many slots as there is room for; false: not one. */
static int make_slots(const Set *set, Ahead *a)
{
    size_t most = MOST_BYTES / batch_bytes(set);

    while (a->slots < SLOTS && (a->slots == 0 || (size_t)a->slots < most) &&
           make_slot(set, &a->slot[a->slots]))
        a->slots++;
    return a->slots > 0;
}

static void free_ahead(const Set *set, Ahead *a)
{
    int i;

    for (i = 0; i < a->slots; i++)
        free_slot(set, &a->slot[i]);
    pthread_mutex_destroy(&a->mutex);
    pthread_cond_destroy(&a->work);
    pthread_cond_destroy(&a->done);
    free(a);
}

void ngrt_ahead_start(const Trainer *t, Set *set)
{
    Ahead *a;

    /* with one batch in all there is no next one */
    if (set->ahead || set->batch >= set->rows || batch_bytes(set) < LEAST_BYTES ||
        sysconf(_SC_NPROCESSORS_ONLN) < 2)
        return;
    a = ngrt_trainer_allocate(1, sizeof *a);
    if (!a)
        return;
    a->t = t;
    a->set = set;
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->work, NULL);
    pthread_cond_init(&a->done, NULL);
    if (make_slots(set, a) && pthread_create(&a->thread, NULL, gather, a) == 0)
        set->ahead = a;
    else
        free_ahead(set, a); /* without it, batches are gathered when they are needed */
}

/* ---- the thread that trains ---- */

int ngrt_ahead_has_room(const Set *set)
{
    const Ahead *a = set->ahead;
    return a && a->asked - a->taken < (size_t)a->slots;
}

size_t ngrt_ahead_next(const Set *set, size_t place)
{
    const Ahead *a = set->ahead;
    return a && a->asked > a->taken ? a->end : place;
}

void ngrt_ahead_ask(Set *set, size_t first, size_t count, size_t end)
{
    Ahead *a = set->ahead;
    Slot *s = &a->slot[a->asked % (size_t)a->slots];

    s->first = first;
    s->count = count;
    a->end = end;
    pthread_mutex_lock(&a->mutex);
    a->asked++;
    /* woken when half of the ring is asked for, or the last batch is */
    if (a->sleeps && (2 * (a->asked - a->ready) >= (size_t)a->slots || end == set->rows))
        pthread_cond_signal(&a->work);
    pthread_mutex_unlock(&a->mutex);
}

/* Waits until the batch after those that are taken is there. */
static void wait_for_next(Ahead *a)
{
    pthread_mutex_lock(&a->mutex);
    a->waits = 1;
    while (a->ready == a->taken) {
        pthread_cond_signal(&a->work);
        pthread_cond_wait(&a->done, &a->mutex);
    }
    a->waits = 0;
    pthread_mutex_unlock(&a->mutex);
}

void ngrt_ahead_settle(Set *set)
{
    Ahead *a = set->ahead;

    if (!a)
        return;
    pthread_mutex_lock(&a->mutex);
    a->waits = 1;
    while (a->gathers) {
        a->asked = a->ready + 1; /* the one that it is at is the last */
        pthread_cond_wait(&a->done, &a->mutex);
    }
    a->waits = 0;
    a->asked = a->ready = a->taken = 0;
    pthread_mutex_unlock(&a->mutex);
}

/* Takes the batch, if it is the next that was asked for: it becomes that of the inputs. */
static int take(Set *set, size_t first, size_t count, int *status)
{
    Ahead *a = set->ahead;
    Slot *s;
    int i;

    if (!a || a->asked == a->taken)
        return 0;
    s = &a->slot[a->taken % (size_t)a->slots];
    /* another pass has begun, or its sizes changed: what was asked for is of no use */
    if (s->first != first || s->count != count) {
        ngrt_ahead_settle(set);
        return 0;
    }
    /* buffers are exchanged, so the inputs' old one is what is filled next */
    wait_for_next(a);
    *status = s->status;
    for (i = 0; i < set->feeds; i++) {
        Feed *f = &set->feed[i];
        void *keep = f->buffer;

        if (!f->batched)
            continue;
        f->buffer = s->buffer[i];
        s->buffer[i] = keep;
        memcpy(set->inputs + f->input->offset, &f->buffer, sizeof f->buffer);
    }
    a->taken++;
    return 1;
}

int ngrt_set_fill(const Trainer *t, Set *set, size_t first, size_t count)
{
    int rows = (int)count;
    int status = DONE;

    if (!take(set, first, count, &status))
        status = ngrt_rows_gather(t, set, first, count, NULL);
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
    pthread_mutex_lock(&a->mutex);
    a->over = 1;
    pthread_cond_signal(&a->work);
    pthread_mutex_unlock(&a->mutex);
    pthread_join(a->thread, NULL);
    free_ahead(set, a);
    set->ahead = NULL;
}
