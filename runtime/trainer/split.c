/* split.c - the rows of a data set, divided into parts for training, validation and test, or into
 * folds. What becomes of a row depends on the seed. Each class is divided alike. */
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

enum { SPLIT_STREAM = 0x3FFFFFFF }; /* of random bits: one that no epoch has */

typedef struct Row {
    double label; /* its class; 0 where there are none */
    uint64_t key; /* random */
    uint32_t number;
} Row;

static int compare_rows(const void *a, const void *b)
{
    const Row *x = a;
    const Row *y = b;

    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* The input whose value is the class of a row: a label for each row, if possible one that predict
 * does not read. NULL: there are no classes. */
static const Feed *find_labels(const Set *set)
{
    const Feed *found = NULL;
    int i;

    for (i = 0; i < set->feeds; i++) {
        const Feed *f = &set->feed[i];
        int classes = f->input->type == NGRT_I32 || (f->piece && f->piece[0].kind != PREP_NUMBER);

        if (!f->batched || f->width != 1 || !classes)
            continue;
        if (f->input->flags & NGRT_TARGET)
            return f;
        if (!found)
            found = f;
    }
    return found;
}

/* The rows in a random order, but class after class. NULL after an error. */
static Row *sort_rows(const Trainer *t, const Set *set)
{
    const Feed *labels = find_labels(set);
    Row *row = ngrt_trainer_allocate(set->rows, sizeof *row);
    size_t i;
    int status = DONE;
    if (!row)
        status = ngrt_trainer_no_memory(t);

    for (i = 0; i < set->rows && !status; i++) {
        row[i].number = (uint32_t)i;
        /* equal seeds give equal parts, on every machine */
        row[i].key = ngrt_random_bits(t->seed, SPLIT_STREAM, i);
        if (labels)
            status = ngrt_rows_read(t, labels, i, &row[i].label);
    }
    if (!status) {
        qsort(row, set->rows, sizeof *row, compare_rows);
        return row;
    }
    free(row);
    return NULL;
}

/* Deals the rows out: each goes to the part that is furthest behind its share. So each class is
 * divided by the shares, to within a row, and so is the whole. The last "part" is of no use. */
static void deal(const Row *row, size_t rows, const double *share, int parts, unsigned char *to)
{
    double have[MAX_FOLDS] = {0};
    size_t i;
    int p;

    for (i = 0; i < rows; i++) {
        int best = 0;
        for (p = 1; p < parts; p++)
            /* what the part should have of i + 1 rows, less what it has */
            if (share[p] * (double)(i + 1) - have[p] >
                share[best] * (double)(i + 1) - have[best] + 1e-9)
                best = p;
        have[best]++;
        to[row[i].number] = (unsigned char)best;
    }
}

/* Makes a set of the rows whose part is `only`, or (`others`) of all others. */
static int make_part(Trainer *t, int part, const unsigned char *to, int only, int others)
{
    const Set *whole = &t->whole;
    uint32_t *index = ngrt_trainer_allocate(whole->rows, sizeof *index);
    size_t count = 0, i;

    if (!index)
        return ngrt_trainer_no_memory(t);
    for (i = 0; i < whole->rows; i++)
        if ((to[i] == only) != others)
            index[count++] = (uint32_t)i;
    if (count == 0) {
        free(index);
        return ngrt_trainer_fail(t, USAGE, "--data has %zu rows: too few to be split so",
                                 whole->rows);
    }
    return ngrt_set_part(t, whole, &t->part[part], index, count, part == TRAINING ? t->batch : 0);
}

/* Does any input of the set get rows, and not a whole file? */
static int has_rows(const Set *set)
{
    int i;

    for (i = 0; i < set->feeds; i++)
        if (set->feed[i].batched)
            return 1;
    return 0;
}

/* Can the data be split? The whole set moves out of the way, once. */
static int start(Trainer *t)
{
    if (t->whole.sources > 0)
        return DONE;
    if (t->model->dims == 0 || !has_rows(&t->part[TRAINING]))
        return ngrt_trainer_fail(t, USAGE,
                                 "the data cannot be split: the model %s takes all rows at once",
                                 t->model->name);
    /* the folds without rows would be the last ones: the others would be trained in vain */
    if (t->part[TRAINING].rows < (size_t)t->folds)
        return ngrt_trainer_fail(t, USAGE, "--data has %zu rows: too few for %ld folds",
                                 t->part[TRAINING].rows, t->folds);
    t->whole = t->part[TRAINING];
    memset(&t->part[TRAINING], 0, sizeof t->part[TRAINING]);
    return DONE;
}

/* Sets the part of each row, of those that the shares say, or of the folds. */
static int assign_rows(const Trainer *t, unsigned char *to)
{
    double share[MAX_FOLDS];
    int parts = t->folds ? (int)t->folds : PARTS + 1;
    int i;
    Row *row = sort_rows(t, &t->whole);

    if (!row)
        return FAILED;
    share[PARTS] = 1;
    for (i = 0; i < parts && t->folds; i++)
        share[i] = 1.0 / (double)parts;
    for (i = 0; i < PARTS && !t->folds; i++) {
        share[i] = t->split[i];
        /* rows that no part gets */
        share[PARTS] -= t->split[i];
    }
    deal(row, t->whole.rows, share, parts, to);
    free(row);
    return DONE;
}

int ngrt_split(Trainer *t, int fold)
{
    unsigned char *to;
    int i, status;

    if (t->folds == 0 && t->split[TRAINING] == 0)
        return DONE;
    status = start(t);
    if (status)
        return status;
    to = ngrt_trainer_allocate(t->whole.rows, 1);
    if (to)
        status = assign_rows(t, to);
    else
        status = ngrt_trainer_no_memory(t);

    for (i = 0; i < PARTS && !status; i++) {
        ngrt_set_free(&t->part[i]);
        /* training has all folds but one, validation that one */
        if (t->folds && i < TESTING)
            status = make_part(t, i, to, fold, i == TRAINING);
        else if (!t->folds && t->split[i] > 0)
            status = make_part(t, i, to, i, 0);
    }
    free(to);
    return status;
}
