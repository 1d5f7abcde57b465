/* ranks.c - a training on several ranks: processes that divide the rows of each batch among them.
 *
 * All ranks do the same, with the same params and the same losses, each on its part of the rows.
 * So all that a training decides by its values, all ranks decide alike. What one rank alone knows,
 * a signal or the time, they agree on now and then. Rank 0 writes the files and prints. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trainer.h"

int ngrt_ranks_number(const Trainer *t)
{
    return t->group ? t->group->of.rank : 0;
}

/* ---- who prints ---- */

int ngrt_ranks_start(Trainer *t)
{
    if (ngrt_ranks_number(t) == 0)
        return DONE;

    /* its errors are still of interest */
    t->errors = fdopen(dup(STDERR_FILENO), "w");
    if (!t->errors || !freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
        return FAILED;
    return DONE;
}

/* ---- the rows of a rank ---- */

static size_t part(const ngrt_group *g, size_t rows, int rank)
{
    return (size_t)((uint64_t)rows * (uint64_t)rank / (uint64_t)g->ranks);
}

void ngrt_ranks_part(const Trainer *t, size_t rows, size_t *first, size_t *end)
{
    *first = 0;
    *end = rows;
    if (!t->group)
        return;
    *first = part(t->group, rows, t->group->of.rank);
    *end = part(t->group, rows, t->group->of.rank + 1);
}

void ngrt_ranks_share(const Trainer *t, size_t *first, size_t *count)
{
    size_t begin, end;

    if (!t->group || *count < (size_t)t->group->ranks)
        return;
    ngrt_ranks_part(t, *count, &begin, &end);
    *first += begin;
    *count = end - begin;
}

void ngrt_ranks_take(Trainer *t, size_t *first, size_t *count)
{
    size_t all = *count;
    ngrt_ranks *of = NULL;

    if (!t->group)
        return;
    ngrt_ranks_share(t, first, count);
    if (*count < all)
        of = &t->group->of;
    t->group->of.rows = (int)all;
    memcpy(t->work + sizeof t->pool, &of, sizeof of);
}

/* ---- totals ---- */

int ngrt_ranks_merge(Trainer *t)
{
    size_t size = t->model->sizeof_totals;
    char *all;
    int k;
    int error = NGRT_OK;

    if (!t->group)
        return DONE;
    all = ngrt_trainer_allocate((size_t)t->group->ranks, size);
    if (!all)
        return ngrt_trainer_no_memory(t);
    t->group->gather(t->group, t->totals, size, all);
    memcpy(t->totals, all, size);
    for (k = 1; k < t->group->ranks && !error; k++)
        error = t->group->merge(t->totals, all + (size_t)k * size);
    free(all);
    if (error)
        return ngrt_trainer_fail(t, FAILED, "evaluation: %s", ngrt_strerror(error));
    return DONE;
}

/* ---- what ranks agree on ---- */

typedef struct Word { /* what a rank knows */
    int32_t signal, over;
    int64_t every; /* steps until the next time */
} Word;

/* About 50 times a second: more often costs time, less often makes an interrupt wait. */
static int64_t steps_between(const Trainer *t)
{
    enum { MOST = 1 << 14 };
    double seconds = ngrt_trainer_seconds() - t->agreed_at;
    double steps = (double)(t->about.step - t->agreed_step);
    double every = 1;
    if (seconds > 0)
        every = 0.02 * steps / seconds;

    if (every > (double)MOST)
        return MOST;
    if (every > 1)
        return (int64_t)every;
    return 1;
}

int ngrt_ranks_agree(Trainer *t, int now, int over)
{
    Word own = {ngrt_trainer_signal(), over, 1}, *all;
    int k;

    if (!t->group) {
        t->agreed_stop = own.signal;
        t->agreed_over = over;
        return DONE;
    }
    if (!now && t->about.step - t->agreed_step < t->agree_every)
        return DONE;

    all = ngrt_trainer_allocate((size_t)t->group->ranks, sizeof *all);
    if (!all)
        return ngrt_trainer_no_memory(t);
    own.every = steps_between(t);
    t->group->gather(t->group, &own, sizeof own, all);
    for (k = 0; k < t->group->ranks && !t->agreed_stop; k++)
        t->agreed_stop = all[k].signal;
    t->agreed_over = all[0].over;
    t->agree_every = all[0].every;
    t->agreed_step = (long)t->about.step;
    t->agreed_at = ngrt_trainer_seconds();
    free(all);
    return DONE;
}

static uint64_t hash_words(uint64_t h, const void *at, size_t size)
{
    const unsigned char *c = at;
    uint64_t word;

    for (; size >= sizeof word; size -= sizeof word, c += sizeof word) {
        memcpy(&word, c, sizeof word);
        h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 32;
    }
    for (; size > 0; size--, c++)
        h = (h ^ *c) * UINT64_C(0x100000001B3);
    return h;
}

int ngrt_ranks_check(Trainer *t)
{
    uint64_t own, *all;
    size_t rows = t->part[TRAINING].rows;
    int k, differs = 0;

    if (!t->group)
        return DONE;
    own = hash_words(rows, t->params, t->model->sizeof_params);
    own = hash_words(own, t->state, t->model->sizeof_state);
    own = hash_words(own, &t->about, sizeof t->about);
    all = ngrt_trainer_allocate((size_t)t->group->ranks, sizeof *all);
    if (!all)
        return ngrt_trainer_no_memory(t);
    t->group->gather(t->group, &own, sizeof own, all);
    for (k = 1; k < t->group->ranks && !differs; k++)
        differs = all[k] != all[0] ? k : 0;
    free(all);
    if (differs)
        return ngrt_trainer_fail(
            t, FAILED,
            "step %lld: rank %d has other weights or other data than rank 0: all must see the same "
            "files, on processors of one kind",
            (long long)t->about.step, differs);
    return DONE;
}
