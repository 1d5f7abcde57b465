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
    if (x->dim[axis] == 0 || ngrt_axis_is_of_batch(t, x, axis))
        return 0;
    return ngrt_axis_length(t, x, axis);
}

static size_t element_count(const Trainer *t, const ngrt_tensor *x)
{
    size_t count = 1;
    int i;

    for (i = 0; i < x->rank; i++)
        count *= axis_length(t, x, i);
    return count;
}

/* "J", or "c[0,1]"; NULL without memory. */
static char *element_name(const Trainer *t, const ngrt_tensor *x, size_t element)
{
    enum { INDEX = 24 }; /* characters of an index, with its comma */
    size_t index[8] = {0};
    size_t room = strlen(x->name) + 1 + (size_t)(x->rank + 1) * INDEX;
    size_t used;
    char *name = malloc(room);
    int i;

    if (!name)
        return NULL;
    for (i = x->rank - 1; i >= 0; i--) {
        index[i] = element % axis_length(t, x, i);
        element /= axis_length(t, x, i);
    }

    used = (size_t)snprintf(name, room, "%s", x->name);
    for (i = 0; i < x->rank; i++)
        used += (size_t)snprintf(name + used, room - used, "%c%zu", i ? ',' : '[', index[i]);
    if (x->rank > 0)
        snprintf(name + used, room - used, "]");
    return name;
}

/* Adds a value for each element of a loss or metric. */
static int add_values(Trainer *t, const ngrt_tensor *x)
{
    size_t count = element_count(t, x);
    size_t i;

    if (count == 0)
        ngrt_trainer_note(t, "%s has a value for each row: it is not reported", x->name);
    for (i = 0; i < count; i++) {
        Value *v = &t->value[t->values++];

        v->tensor = x;
        v->element = i;
        v->name = element_name(t, x, i);
        if (!v->name)
            return ngrt_trainer_no_memory(t);
    }
    return DONE;
}

int ngrt_metrics_list(Trainer *t)
{
    const ngrt_model *m = t->model;
    size_t count = 0;
    int role;
    int i;
    int status = DONE;

    for (i = 0; i < m->tensors; i++)
        if (m->tensor[i].role == NGRT_LOSS || m->tensor[i].role == NGRT_METRIC)
            count += element_count(t, &m->tensor[i]);
    t->value = ngrt_trainer_allocate(count, sizeof *t->value);
    t->totals = ngrt_trainer_allocate(1, m->sizeof_totals);
    if (!t->value || !t->totals)
        return ngrt_trainer_no_memory(t);

    /* losses come first, in every line that is printed */
    for (role = NGRT_LOSS; role <= NGRT_METRIC; role++)
        for (i = 0; i < m->tensors && !status; i++)
            if (m->tensor[i].role == role)
                status = add_values(t, &m->tensor[i]);
    return status;
}

void ngrt_metrics_free(Trainer *t)
{
    int i;

    for (i = 0; i < t->values; i++)
        free(t->value[i].name);
    free(t->value);
    free(t->totals);
}

/* ---- evaluation ---- */

double ngrt_value_of_batch(const Trainer *t, const Value *v)
{
    const ngrt_tensor *x = v->tensor;
    ngrt_data data = {.type = ngrt_element_of(x->type), .at = t->work + x->offset};

    return ngrt_data_value(&data, v->element);
}

/* The value of all rows. Totals are doubles, whatever the type of the model's floats. */
static double value_of_all(const Trainer *t, const Value *v)
{
    double value;
    memcpy(&value, t->totals + v->tensor->total + v->element * sizeof value, sizeof value);
    return value;
}

static int has_total(const Value *v)
{
    return v->tensor->total != 0;
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

/* Calls a function for each batch of the rows; divided: only of those of this rank. */
static int walk(Trainer *t, Set *set, Call call, int divided)
{
    size_t first = 0;
    size_t end = set->rows;
    size_t count;
    int status = ngrt_rows_begin(t, set, 0, 0);

    if (divided)
        ngrt_ranks_part(t, set->rows, &first, &end);
    for (; first < end && !status; first += count) {
        int error;

        /* a signal need not wait for all rows */
        if (ngrt_trainer_stopped(t))
            return STOPPED + ngrt_trainer_stopped(t);
        count = ngrt_set_batch(set, first);
        if (count > end - first)
            count = end - first;
        status = ngrt_set_fill(t, set, first, count);
        if (status)
            return status;
        ngrt_draws_shift(t, (int64_t)first);
        error = call(t, set);
        ngrt_draws_shift(t, -(int64_t)first);
        if (error)
            return ngrt_trainer_fail(t, FAILED, "evaluation: %s", ngrt_strerror(error));
    }
    return status;
}

static void put(Value *v, int part, double value, int known)
{
    v->of[part] = value;
    v->known[part] = known;
}

/* Puts what has no total. It is a value of one batch, and known if one batch is all rows. */
static void put_of_batch(const Trainer *t, const Set *set, int part, int role)
{
    int known = set->rows <= set->batch;
    int i;

    for (i = 0; i < t->values; i++) {
        Value *v = &t->value[i];

        if (v->tensor->role < role || has_total(v))
            continue;
        put(v, part, known ? ngrt_value_of_batch(t, v) : (double)NAN, known);
    }
}

/* Is the total of a value to be put? Where only metrics are asked for, a loss is too if it is not a
 * mean or a sum of those of steps. */
static int is_wanted(const Value *v, int role)
{
    if (!has_total(v))
        return 0;
    return v->tensor->role >= role || !(v->tensor->flags & (NGRT_SUM | NGRT_MEAN));
}

static void put_totals(const Trainer *t, int part, int role)
{
    int i;

    for (i = 0; i < t->values; i++)
        if (is_wanted(&t->value[i], role))
            put(&t->value[i], part, value_of_all(t, &t->value[i]), 1);
}

/* Says once what is not known. */
static void note_unknown(Trainer *t, const Set *set, int role)
{
    int i;

    if (set->rows <= set->batch || t->unknown_said)
        return;
    for (i = 0; i < t->values; i++) {
        const Value *v = &t->value[i];

        if (v->tensor->role < role || has_total(v) || v->element > 0)
            continue;
        ngrt_trainer_note(
            t, "%s is a value of one batch, and the %zu rows of %s are not one: it is not reported",
            v->tensor->name, set->rows, set->option);
        t->unknown_said = 1;
    }
}

/* Of a model without totals there is something to know only if one batch is all rows. */
static int evaluate_batch(Trainer *t, Set *set, int part, int role)
{
    int status = DONE;

    if (set->rows <= set->batch)
        status = walk(t, set, call_eval, 0);
    put_of_batch(t, set, part, role);
    return status;
}

/* Is an evaluation divided among the ranks? Not where a value is that of one batch, which all rows
 * are. */
static int is_divided(const Trainer *t, const Set *set)
{
    int i;

    for (i = 0; i < t->values && set->rows <= set->batch; i++)
        if (!has_total(&t->value[i]))
            return 0;
    return t->group != NULL;
}

/* Gathers the totals. Some need the totals of others first, a variance that of a mean: then the
 * model asks for another walk over the rows. */
static int evaluate_totals(Trainer *t, Set *set, int part, int role)
{
    const ngrt_model *m = t->model;
    int first = 1;
    int divided = is_divided(t, set);
    int error;

    m->metrics_start(t->totals);
    do {
        int status = walk(t, set, call_add, divided);

        if (!status && divided)
            status = ngrt_ranks_merge(t);

        if (status)
            return status;
        if (first) /* metrics_add has run eval */
            put_of_batch(t, set, part, role);
        first = 0;
        error = m->metrics_finish(t->totals);
    } while (error == NGRT_AGAIN);

    if (error)
        return ngrt_trainer_fail(t, FAILED, "evaluation: %s", ngrt_strerror(error));
    put_totals(t, part, role);
    return DONE;
}

int ngrt_has_part(const Trainer *t, int part)
{
    return part == TRAINING || t->part[part].sources > 0;
}

int ngrt_watched_part(const Trainer *t)
{
    return ngrt_has_part(t, VALIDATION) ? VALIDATION : TRAINING;
}

int ngrt_metrics_evaluate(Trainer *t, int part, int role)
{
    Set *set = &t->part[part];
    int has_totals = t->model->metrics_add != NULL;
    int status =
        has_totals ? evaluate_totals(t, set, part, role) : evaluate_batch(t, set, part, role);

    if (!status)
        note_unknown(t, set, role);
    return status;
}

/* ---- text ---- */

void ngrt_number_print(FILE *to, const char *format, double value)
{
    if (value == floor(value) && fabs(value) < 1e15)
        fprintf(to, "%.0f", value);
    else
        fprintf(to, format, value);
}

int ngrt_metrics_write(const Trainer *t, Bytes *b)
{
    static const char *const name[] = {"training", "validation", "test"};
    int part, i, good = 1;

    for (part = 0; part < PARTS && t->measured; part++)
        for (i = 0; i < t->values && good; i++) {
            const Value *v = &t->value[i];

            if (ngrt_has_part(t, part) && v->known[part])
                good = ngrt_bytes_print(b, "%s %.200s %.9g\n", name[part], v->name, v->of[part]);
        }
    return good;
}

int ngrt_value_count(const Trainer *t, int first)
{
    return (int)element_count(t, t->value[first].tensor);
}

/* The number of axes, from the last on, that begin with this element: that many brackets open
 * before it, and that many close after the element before it. */
static int axes_begun(const Trainer *t, const ngrt_tensor *x, size_t element)
{
    int axis = x->rank - 1;
    int count = 0;

    while (axis >= 0 && element % axis_length(t, x, axis) == 0) {
        element /= axis_length(t, x, axis);
        axis--;
        count++;
    }
    return count;
}

void ngrt_value_print(FILE *to, const Trainer *t, int first, int part, const char *format)
{
    const ngrt_tensor *x = t->value[first].tensor;
    int i;
    int count = ngrt_value_count(t, first);

    for (i = 0; i < count; i++) {
        const Value *v = &t->value[first + i];
        int opened = axes_begun(t, x, (size_t)i);
        int closed = axes_begun(t, x, (size_t)i + 1);

        fprintf(to, "%s%.*s", i ? ", " : "", opened, "[[[[[[[[");
        ngrt_number_print(to, format, v->of[part]);
        fprintf(to, "%.*s", closed, "]]]]]]]]");
    }
}
