/* course.c - what a training must be continued with, so that it ends with the same bits: the batch,
 * the order of the rows, the seed, the data. It is saved with the weights, and --resume compares.
 */
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

/* A hash of the elements of a row. */
static uint64_t hash_row(uint64_t h, const double *value, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        uint64_t bits;

        memcpy(&bits, &value[i], sizeof bits);
        h = (h ^ bits) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 29;
    }
    return h;
}

/* A hash of some rows of the training data: all of a small set, else as far from each other as can
 * be. */
static int hash_data(const Trainer *t, uint64_t *hash)
{
    enum { ROWS = 64 };
    const Set *set = &t->part[TRAINING];
    size_t count = set->rows < ROWS ? set->rows : ROWS;
    size_t k;
    int i;
    int status = DONE;

    /* rows are hashed as they are stored, so their order in a pass does not count */
    *hash = set->rows;
    for (i = 0; i < set->feeds && !status; i++) {
        const Feed *f = &set->feed[i];
        double *value = NULL;
        if (f->batched)
            value = ngrt_trainer_allocate(f->width, sizeof *value);

        if (f->batched && !value)
            return ngrt_trainer_no_memory(t);
        for (k = 0; k < count && f->batched && !status; k++) {
            size_t row = 0;
            if (count > 1)
                row = k * (set->rows - 1) / (count - 1);

            status = ngrt_rows_read(t, f, ngrt_set_row(set, row), value);
            if (!status)
                *hash = hash_row(*hash, value, f->width);
        }
        free(value);
    }
    return status;
}

/* What can differ, with the word of the option; the data is last. */
typedef struct Course {
    unsigned long long batch, accumulate, shuffle, rows, hash;
} Course;

static int find_course(const Trainer *t, Course *c)
{
    uint64_t hash;
    int status = hash_data(t, &hash);

    c->batch = t->part[TRAINING].batch;
    if (t->accumulate > 1)
        c->accumulate = (unsigned long long)t->accumulate;
    else
        c->accumulate = 1;
    c->shuffle = (unsigned long long)t->shuffle;
    c->rows = t->part[TRAINING].rows;
    c->hash = hash;
    return status;
}

int ngrt_course_find(Trainer *t)
{
    Bytes b = {0};
    Course c;
    int status = find_course(t, &c);

    if (status)
        return status;
    if (!ngrt_bytes_print(&b, "batch %llu accumulate %llu shuffle %llu rows %llu data %016llx",
                          c.batch, c.accumulate, c.shuffle, c.rows, c.hash)) {
        ngrt_bytes_free(&b);
        return ngrt_trainer_no_memory(t);
    }
    free(t->course);
    t->course = b.at;
    return DONE;
}

static int differ(const Trainer *t, const char *option, unsigned long long was,
                  unsigned long long is)
{
    return ngrt_trainer_fail(
        t, USAGE,
        "%s: its training has %s %llu, and not %llu: --resume continues it as it "
        "was; start another one with --load",
        t->load_path, option, was, is);
}

int ngrt_course_check(const Trainer *t, const char *text)
{
    Course was, is;

    if (sscanf(text, "batch %llu accumulate %llu shuffle %llu rows %llu data %llx", &was.batch,
               &was.accumulate, &was.shuffle, &was.rows, &was.hash) != 5 ||
        sscanf(t->course, "batch %llu accumulate %llu shuffle %llu rows %llu data %llx", &is.batch,
               &is.accumulate, &is.shuffle, &is.rows, &is.hash) != 5)
        return DONE;
    if (t->seeded && t->about.seed != t->loaded_seed)
        return differ(t, "--seed", (unsigned long long)t->loaded_seed,
                      (unsigned long long)t->about.seed);
    if (was.rows != is.rows)
        return differ(t, "rows of data, in number", was.rows, is.rows);
    if (was.hash != is.hash)
        return ngrt_trainer_fail(
            t, FILES,
            "%s: its training has other data, in as many rows: --resume continues "
            "it as it was; start another one with --load",
            t->load_path);
    if (was.batch != is.batch)
        return differ(t, "--batch", was.batch, is.batch);
    if (was.accumulate != is.accumulate)
        return differ(t, "--accumulate", was.accumulate, is.accumulate);
    if (was.shuffle != is.shuffle)
        return ngrt_trainer_fail(t, USAGE,
                                 "%s: its training was %s --no-shuffle, and --resume "
                                 "continues it as it was",
                                 t->load_path, was.shuffle ? "without" : "with");
    return DONE;
}
