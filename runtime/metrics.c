/* metrics.c - losses and metrics of all rows of a data set: gathered batch by batch by the model's
 * own functions, named element by element, and put into text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

/* ---- the list of values ---- */

/* The length of an axis at the run-time sizes; 0: it has one place or more for each row. */
static size_t axis_length(const Trainer *t, const ngrt_tensor *x, int axis)
{
    int d = x->dim[axis];
    if (d < 0)
        return (size_t)x->shape[axis];
    return d == 0 ? 0 : (size_t)(x->shape[axis] / t->model->dim[d].max) * (size_t)t->size[d];
}

static size_t element_count(const Trainer *t, const ngrt_tensor *x)
{
    size_t count = 1;
    int i;
    for (i = 0; i < x->rank; i++)
        count *= axis_length(t, x, i);
    return count;
}

/* "J", or "c[0,1]". */
static char *element_name(const Trainer *t, const ngrt_tensor *x, size_t element)
{
    size_t place[8] = {0}, size = strlen(x->name) + 1 + 8 * 24;
    char *name = malloc(size);
    int i, used;
    if (!name)
        return NULL;
    for (i = x->rank - 1; i >= 0; i--) {
        place[i] = element % axis_length(t, x, i);
        element /= axis_length(t, x, i);
    }
    used = snprintf(name, size, "%s", x->name);
    for (i = 0; i < x->rank; i++)
        used += snprintf(name + used, size - (size_t)used, "%c%zu", i ? ',' : '[', place[i]);
    if (x->rank > 0)
        snprintf(name + used, size - (size_t)used, "]");
    return name;
}

/* Losses, then metrics: a value for each of their numbers. */
int ngrt_metrics_list(Trainer *t)
{
    const ngrt_model *m = t->model;
    size_t count = 0, k;
    int role, i;
    for (i = 0; i < m->tensors; i++)
        if (m->tensor[i].role == NGRT_LOSS || m->tensor[i].role == NGRT_METRIC)
            count += element_count(t, &m->tensor[i]);
    t->value = ngrt_trainer_allocate(count, sizeof *t->value);
    if (!t->value)
        return ngrt_trainer_no_memory(t);
    for (role = NGRT_LOSS; role <= NGRT_METRIC; role++)
        for (i = 0; i < m->tensors; i++) {
            const ngrt_tensor *x = &m->tensor[i];
            if (x->role != role)
                continue;
            if (element_count(t, x) == 0)
                ngrt_trainer_note(t, "%s has a value for each row: it is not reported", x->name);
            for (k = 0; k < element_count(t, x); k++) {
                Value *v = &t->value[t->values++];
                v->tensor = x;
                v->element = k;
                v->name = element_name(t, x, k);
                if (!v->name)
                    return ngrt_trainer_no_memory(t);
            }
        }
    t->totals = ngrt_trainer_allocate(1, m->sizeof_totals);
    return t->totals ? DONE : ngrt_trainer_no_memory(t);
}

void ngrt_metrics_free(Trainer *t)
{
    int i;
    for (i = 0; i < t->values; i++)
        free(t->value[i].name);
    free(t->value);
    free(t->totals);
}

/* ---- of one batch, of all ---- */

double ngrt_value_of_batch(const Trainer *t, const Value *v)
{
    const ngrt_tensor *x = v->tensor;
    float single;
    double wide;
    int32_t whole;
    if (x->type == NGRT_F64) {
        memcpy(&wide, t->work + x->offset + v->element * sizeof wide, sizeof wide);
        return wide;
    }
    if (x->type == NGRT_I32) {
        memcpy(&whole, t->work + x->offset + v->element * sizeof whole, sizeof whole);
        return whole;
    }
    memcpy(&single, t->work + x->offset + v->element * sizeof single, sizeof single);
    return (double)single;
}

static double value_of_all(const Trainer *t, const Value *v)
{
    double wide;
    memcpy(&wide, t->totals + v->tensor->total + v->element * sizeof wide, sizeof wide);
    return wide;
}

typedef int (*Call)(const Trainer *t, Set *set); /* of a function of the model, for a batch */

static int call_eval(const Trainer *t, Set *set)
{
    return t->model->eval(t->params, t->state, set->inputs, t->work);
}

static int call_add(const Trainer *t, Set *set)
{
    return t->model->metrics_add(t->params, t->state, set->inputs, t->work, t->totals);
}

/* One walk over the rows. */
static int walk(Trainer *t, Set *set, Call call)
{
    size_t first, count;
    for (first = 0; first < set->rows; first += count) {
        int error;
        if (ngrt_trainer_stopped())
            return STOPPED + ngrt_trainer_stopped();
        count = ngrt_set_batch(set, first);
        ngrt_set_fill(t, set, NULL, first, count);
        error = call(t, set);
        if (error)
            return ngrt_trainer_fail(t, FAILED, "evaluation: %s", ngrt_strerror(error));
    }
    return DONE;
}

static void put(Value *v, int val, double value, int known)
{
    if (val) {
        v->val = value;
        v->val_known = known;
    } else {
        v->train = value;
        v->train_known = known;
    }
}

/* What is a value of one batch is known where all rows are one. */
static void put_of_batch(Trainer *t, const Set *set, int val, int role)
{
    int i, one = set->rows <= set->batch;
    for (i = 0; i < t->values; i++) {
        Value *v = &t->value[i];
        if (v->tensor->role >= role && v->tensor->total == 0)
            put(v, val, one ? ngrt_value_of_batch(t, v) : (double)NAN, one);
    }
}

/* Says once what is not known. */
static void note_unknown(Trainer *t, const Set *set, int role)
{
    int i;
    if (set->rows <= set->batch || t->unknown_said)
        return;
    for (i = 0; i < t->values; i++) {
        const ngrt_tensor *x = t->value[i].tensor;
        if (x->role < role || x->total != 0 || t->value[i].element > 0)
            continue;
        ngrt_trainer_note(
            t, "%s is a value of one batch, and the %zu rows of %s are not one: it is not reported",
            x->name, set->rows, set->option);
        t->unknown_said = 1;
    }
}

/* Is it to be evaluated? A loss that is no mean or sum of those of steps is, where only metrics are
 * asked for. */
static int is_wanted(const Value *v, int role)
{
    return v->tensor->role >= role ||
           (v->tensor->total != 0 && !(v->tensor->flags & (NGRT_SUM | NGRT_MEAN)));
}

int ngrt_metrics_evaluate(Trainer *t, Set *set, int val, int role)
{
    const ngrt_model *m = t->model;
    int i, status, error = NGRT_AGAIN;
    if (!m->metrics_add) {
        status = set->rows <= set->batch ? walk(t, set, call_eval) : DONE;
        put_of_batch(t, set, val, role);
        note_unknown(t, set, role);
        return status;
    }
    m->metrics_start(t->totals);
    for (i = 0; error == NGRT_AGAIN; i++) {
        status = walk(t, set, call_add);
        if (status)
            return status;
        if (i == 0) /* eval has run */
            put_of_batch(t, set, val, role);
        error = m->metrics_finish(t->totals);
    }
    if (error)
        return ngrt_trainer_fail(t, FAILED, "evaluation: %s", ngrt_strerror(error));
    for (i = 0; i < t->values; i++)
        if (is_wanted(&t->value[i], role) && t->value[i].tensor->total != 0)
            put(&t->value[i], val, value_of_all(t, &t->value[i]), 1);
    note_unknown(t, set, role);
    return DONE;
}

/* ---- text ---- */

/* Whole numbers in full, others by the format. */
void ngrt_number_print(FILE *to, const char *format, double value)
{
    if (value == floor(value) && fabs(value) < 1e15)
        fprintf(to, "%.0f", value);
    else
        fprintf(to, format, value);
}

/* The number of a tensor's elements; `first` is the value of the first. */
int ngrt_value_count(const Trainer *t, int first)
{
    return (int)element_count(t, t->value[first].tensor);
}

/* "0.5", or "[[1, 0], [0, 2]]". */
void ngrt_value_print(FILE *to, const Trainer *t, int first, int val, const char *format)
{
    const ngrt_tensor *x = t->value[first].tensor;
    int i, k, count = ngrt_value_count(t, first);
    for (i = 0; i < count; i++) {
        const Value *v = &t->value[first + i];
        size_t before = (size_t)i, after = (size_t)i + 1;
        int opens = 0, closes = 0;
        for (k = x->rank - 1; k >= 0 && before % axis_length(t, x, k) == 0; k--, opens++)
            before /= axis_length(t, x, k);
        for (k = x->rank - 1; k >= 0 && after % axis_length(t, x, k) == 0; k--, closes++)
            after /= axis_length(t, x, k);
        fprintf(to, "%s%.*s", i ? ", " : "", opens, "[[[[[[[[");
        ngrt_number_print(to, format, val ? v->val : v->train);
        fprintf(to, "%.*s", closes, "]]]]]]]]");
    }
}
