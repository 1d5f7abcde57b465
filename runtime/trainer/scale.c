/* scale.c - what is done to the elements of inputs before the model gets them: a missing number
 * gets its column's mean, and --scale and --standardize multiply. Means and deviations are those of
 * the training data, are saved with the weights, and then taken from there. */
#include <math.h>
#include <stdlib.h>

#include "trainer.h"

/* ---- statistics ---- */

/* Of each element of a row, over all rows that have it: sums of its differences from a value near
 * it, and of their squares. That is its first value, then its mean. So the mean of equal elements
 * is that element, and their deviation is 0. */
typedef struct Sums {
    double *near, *sum, *square;
    size_t *count;
} Sums;

static int make_sums(Sums *s, size_t width)
{
    s->near = ngrt_trainer_allocate(width, sizeof *s->near);
    s->sum = ngrt_trainer_allocate(width, sizeof *s->sum);
    s->square = ngrt_trainer_allocate(width, sizeof *s->square);
    s->count = ngrt_trainer_allocate(width, sizeof *s->count);
    return s->near && s->sum && s->square && s->count;
}

static void free_sums(Sums *s)
{
    free(s->near);
    free(s->sum);
    free(s->square);
    free(s->count);
}

/* Adds the rows of a batch. The buffer is doubles, [outer][count][piece]. */
static void add_batch(const Feed *f, size_t count, Sums *s)
{
    size_t piece = f->width / f->outer;
    size_t o, r, i;
    const double *value = f->buffer;

    for (o = 0; o < f->outer; o++)
        for (r = 0; r < count; r++)
            for (i = 0; i < piece; i++) {
                double v = value[(o * count + r) * piece + i];
                size_t e = o * piece + i;

                /* a missing number */
                if (isnan(v))
                    continue;
                if (s->count[e]++ == 0)
                    s->near[e] = v;
                s->sum[e] += v - s->near[e];
                s->square[e] += (v - s->near[e]) * (v - s->near[e]);
            }
}

/* Goes over all rows of the set once. Meanwhile the feed gets doubles, as a file may have them. */
static int add_rows(const Trainer *t, Set *set, Feed *f, Sums *s)
{
    const Feed kept = *f;
    ngrt_tensor wide = *f->input;
    size_t first, count;
    int status = ngrt_rows_begin(t, set, 0, 0);

    wide.type = NGRT_F64;
    f->input = &wide;
    f->buffer = ngrt_trainer_allocate(set->batch, f->width * sizeof(double));
    if (!f->buffer)
        status = ngrt_trainer_no_memory(t);

    for (first = 0; first < set->rows && !status; first += count) {
        count = ngrt_set_batch(set, first);
        status = ngrt_rows_gather(t, set, first, count, NULL);
        if (!status)
            add_batch(f, count, s);
    }
    free(f->buffer);
    *f = kept;
    return status;
}

/* The mean of each element, and its deviation: sqrt(mean((e - mean)^2)). */
static int find_statistics(const Trainer *t, Set *set, Feed *f, double *mean, double *spread)
{
    Sums s = {0};
    size_t i;
    int status = DONE;
    if (!make_sums(&s, f->width))
        status = ngrt_trainer_no_memory(t);

    if (!status)
        status = add_rows(t, set, f, &s);
    for (i = 0; i < f->width && !status; i++) {
        mean[i] = (double)NAN;
        if (s.count[i])
            mean[i] = s.near[i] + s.sum[i] / (double)s.count[i];
        s.near[i] = mean[i];
        s.square[i] = 0;
    }

    /* the deviations in a second walk: a sum of squares less that of means loses digits */
    if (!status)
        status = add_rows(t, set, f, &s);
    for (i = 0; i < f->width && !status; i++)
        spread[i] = sqrt(s.square[i] / (double)set->rows); /* a missing one differs by 0 */
    free_sums(&s);
    return status;
}

/* ---- what becomes of the elements of an input ---- */

static const Change *find_change(const Trainer *t, const ngrt_tensor *x)
{
    int i;

    for (i = 0; i < t->changes; i++)
        if (t->change[i].input == x)
            return &t->change[i];
    return NULL;
}

/* Is a number of the feed missing somewhere? */
static int lacks_numbers(const Feed *f)
{
    size_t i;

    for (i = 0; i < f->taken && f->piece; i++)
        if (f->piece[i].kind == PREP_NUMBER && f->source->table &&
            f->source->table->column[f->piece[i].column].missing > 0)
            return 1;
    return 0;
}

/* The means of its numbers become the values of missing ones. */
static int set_fills(const Trainer *t, Feed *f, PrepInput *x, const double *mean)
{
    size_t i, e = 0;

    for (i = 0; i < f->taken && f->piece; i++) {
        if (f->piece[i].kind == PREP_NUMBER && isnan(mean[e]))
            return ngrt_trainer_fail(t, FILES, "%s: column %zu has no values in the training data",
                                     f->source->path, f->piece[i].column);
        if (f->piece[i].kind == PREP_NUMBER)
            x->column[i].fill = f->piece[i].fill = mean[e];
        e += f->piece[i].width;
    }
    return DONE;
}

/* Sets what is subtracted and what the difference is multiplied by. Elements of words stay 0 and
 * 1, and so does what is the same in all rows. */
static void set_changes(const Feed *f, PrepInput *x, const double *mean, const double *spread)
{
    size_t i, k, e = 0;

    for (i = 0; i < (f->piece ? f->taken : f->width); i++) {
        size_t width = 1;
        if (f->piece)
            width = f->piece[i].width;

        for (k = 0; k < width; k++, e++) {
            if (f->piece && f->piece[i].kind != PREP_NUMBER)
                continue;
            x->sub[e] = mean[e];
            /* (e - mean) / deviation */
            if (spread[e] > 0)
                x->mul[e] = 1 / spread[e];
            else
                x->mul[e] = 1;
        }
    }
}

/* The preparation of an input, by statistics of the set. */
static int learn(Trainer *t, Set *set, Feed *f, PrepInput *x, const Change *c)
{
    double *mean = ngrt_trainer_allocate(f->width, sizeof *mean);
    double *spread = ngrt_trainer_allocate(f->width, sizeof *spread);
    int lacks = lacks_numbers(f);
    int status = DONE;
    size_t i;

    if (!mean || !spread || (c && !ngrt_prep_elements(x, f->width)))
        status = ngrt_trainer_no_memory(t);
    if (!status && (lacks || (c && c->scale == 0)))
        status = find_statistics(t, set, f, mean, spread);
    if (!status && lacks)
        status = set_fills(t, f, x, mean);
    if (!status && c && c->scale == 0)
        set_changes(f, x, mean, spread);
    for (i = 0; i < f->width && c && c->scale != 0 && !status; i++)
        x->mul[i] = c->scale;
    free(mean);
    free(spread);
    return status;
}

/* Can the input be changed? Labels cannot. */
static int check_change(const Trainer *t, const Feed *f, const Change *c)
{
    if (c && (f->input->type == NGRT_I32 || !f->batched))
        return ngrt_trainer_fail(t, USAGE, "the input %s has %s: it cannot be scaled",
                                 f->input->name,
                                 f->input->type == NGRT_I32 ? "whole numbers" : "no rows");
    return DONE;
}

/* Forgets what was learned of other rows. */
static void forget(Feed *f, PrepInput *x)
{
    size_t i;

    for (i = 0; i < x->columns; i++)
        x->column[i].fill = (double)NAN;
    for (i = 0; i < f->taken && f->piece; i++)
        f->piece[i].fill = (double)NAN;
    x->elements = 0;
}

/* What is done to inputs comes from a file of weights: do the options fit it? */
static int check_loaded(const Trainer *t)
{
    const char *path = t->load_path ? t->load_path : t->weights_path;
    int i;

    for (i = 0; i < t->changes; i++) {
        const char *name = t->change[i].input->name;
        const PrepInput *x = ngrt_prep_find(&t->prep, name);

        if (!x || x->elements == 0)
            return ngrt_trainer_fail(t, USAGE,
                                     "the input %s is to be scaled, but it was not in the training "
                                     "of %s, whose weights are for it as it was",
                                     name, path);
        if (!t->resume_path)
            ngrt_trainer_note(t, "%s is scaled as in the training of %s, not by the new data", name,
                              path);
    }
    return DONE;
}

int ngrt_scale_start(Trainer *t, Set *set)
{
    int i;
    int status = t->prep_loaded ? check_loaded(t) : DONE;

    for (i = 0; i < set->feeds && !status && !t->prep_loaded; i++) {
        Feed *f = &set->feed[i];
        const Change *c = find_change(t, f->input);
        PrepInput *x = ngrt_prep_find(&t->prep, f->input->name);

        status = check_change(t, f, c);
        if (status || (!c && !lacks_numbers(f)))
            continue;
        if (!x)
            x = ngrt_prep_add(&t->prep, f->input->name);
        if (!x)
            return ngrt_trainer_no_memory(t);
        /* in cross-validation each fold learns from its own rows */
        forget(f, x);
        status = learn(t, set, f, x, c);
    }
    if (status)
        return status;
    return ngrt_scale_apply(t, set);
}

/* ---- applying it ---- */

/* Sets the values of missing numbers from the preparation. */
static int fill_missing(const Trainer *t, Feed *f, const PrepInput *x)
{
    size_t i;

    for (i = 0; i < f->taken && f->piece && f->source->table; i++) {
        const Column *c = &f->source->table->column[f->piece[i].column];

        f->piece[i].fill = x->column[i].fill;
        if (f->piece[i].kind == PREP_NUMBER && c->missing > 0 && isnan(f->piece[i].fill))
            return ngrt_trainer_fail(
                t, FILES,
                "%s:%zu:%zu: a value is missing; none was in training, so there is no mean for it",
                f->source->path, c->missing_line, c->missing_at);
    }
    return DONE;
}

/* Makes the arrays of what is subtracted and multiplied. */
static int make_changes(const Trainer *t, Feed *f, const PrepInput *x)
{
    size_t size, i;

    if (x->elements == 0)
        return DONE;
    if (!x->same && x->elements != f->width)
        return ngrt_trainer_fail(t, FILES, "%s: %s was prepared as %zu elements, but has %zu",
                                 t->load_path, f->input->name, x->elements, f->width);
    free(f->sub);
    free(f->mul);
    f->fine = f->input->type == NGRT_F64 || ngrt_prep_is_fine(x);
    size = f->fine ? sizeof(double) : sizeof(float);
    f->sub = ngrt_trainer_allocate(f->width, size);
    f->mul = ngrt_trainer_allocate(f->width, size);
    if (!f->sub || !f->mul)
        return ngrt_trainer_no_memory(t);
    for (i = 0; i < f->width; i++) {
        double sub, mul;

        ngrt_prep_element(x, i, &sub, &mul);
        if (f->fine) {
            ((double *)f->sub)[i] = sub;
            ((double *)f->mul)[i] = mul;
        } else {
            ((float *)f->sub)[i] = (float)sub;
            ((float *)f->mul)[i] = (float)mul;
        }
    }
    return DONE;
}

int ngrt_scale_subtracts(const Trainer *t)
{
    size_t k;
    int i;

    for (i = 0; i < t->changes; i++)
        if (t->change[i].scale == 0)
            return 1;
    for (i = 0; i < t->prep.inputs; i++)
        for (k = 0; k < t->prep.input[i].elements; k++) {
            double sub, mul;

            ngrt_prep_element(&t->prep.input[i], k, &sub, &mul);
            if (sub != 0)
                return 1;
        }
    return 0;
}

int ngrt_scale_apply(const Trainer *t, Set *set)
{
    int i;
    int status = DONE;

    for (i = 0; i < set->feeds && !status; i++) {
        Feed *f = &set->feed[i];
        const PrepInput *x = ngrt_prep_find(&t->prep, f->input->name);

        if (!x || !f->batched)
            continue;
        if (x->columns > 0)
            status = fill_missing(t, f, x);
        if (!status && f->input->type != NGRT_I32)
            status = make_changes(t, f, x);
    }
    return status;
}
