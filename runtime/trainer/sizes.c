/* sizes.c - the run-time sizes of a model: from NAME=value, or their bounds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

/* Reads a whole number that is not negative; false if the text is not one. */
int ngrt_read_count(const char *text, long *value)
{
    char *end;

    errno = 0;
    *value = strtol(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == 0 && !errno;
}

/* The run-time size that NAME=value is for, or their number. */
static int find_size(const ngrt_model *m, const char *text)
{
    size_t length = strcspn(text, "=");
    int d;

    for (d = 0; d < m->dims; d++)
        if (strlen(m->dim[d].name) == length && strncmp(m->dim[d].name, text, length) == 0)
            break;
    return d;
}

/* Sets the size that NAME=value is for, or checks that it is for a scalar input. */
static int set_size(Trainer *t, const char *text)
{
    const ngrt_model *m = t->model;
    const ngrt_tensor *x = ngrt_find_input(m, text);
    int d = find_size(m, text);
    long size;

    if (d == m->dims) {
        if (x && x->rank == 0)
            return DONE;
        return ngrt_trainer_fail(
            t, USAGE, "%s: the model %s has no scalar input or run-time size of that name", text,
            m->name);
    }
    if (d == 0)
        return ngrt_trainer_fail(t, USAGE, "%s: the batch is set by --batch", text);

    if (!ngrt_read_count(strchr(text, '=') + 1, &size) || size < 1 || size > m->dim[d].max)
        return ngrt_trainer_fail(t, USAGE, "%s: must be from 1 to %d", text, m->dim[d].max);
    t->size[d] = (int)size;
    return DONE;
}

size_t ngrt_axis_length(const Trainer *t, const ngrt_tensor *x, int axis)
{
    const ngrt_model *m = t->model;
    int d = x->dim[axis];

    if (d == -2)
        return (size_t)m->axis_length((int)(x - m->tensor), axis, t->size);
    if (d == -1)
        return (size_t)x->shape[axis];
    return (size_t)(x->shape[axis] / m->dim[d].max) * (size_t)t->size[d];
}

/* Does the length depend on the size of a batch, and is not a multiple of it? */
int ngrt_axis_is_of_batch(const Trainer *t, const ngrt_tensor *x, int axis)
{
    Trainer other = *t;
    int i;
    int most = t->model->dims ? t->model->dim[0].max : 1;
    size_t first;

    if (x->dim[axis] != -2)
        return 0;
    other.size[0] = most;
    first = ngrt_axis_length(&other, x, axis);
    for (i = 1; i < most && i < 4; i++) {
        other.size[0] = i;
        if (ngrt_axis_length(&other, x, axis) != first)
            return 1;
    }
    return 0;
}

/* Inputs have a number of places for each row of the batch, or as many in every batch. */
static int check_inputs(const Trainer *t)
{
    int i, k;

    for (i = 0; i < t->model->tensors; i++) {
        const ngrt_tensor *x = &t->model->tensor[i];
        for (k = 0; x->role == NGRT_INPUT && k < x->rank; k++)
            if (ngrt_axis_is_of_batch(t, x, k))
                return ngrt_trainer_fail(t, USAGE,
                                         "the input %s has a length that is not a multiple of the "
                                         "batch %s, so its rows cannot come from a file",
                                         x->name, t->model->dim[0].name);
    }
    return DONE;
}

/* Sets the run-time sizes from NAME=value where given, else to their bounds. */
int ngrt_trainer_sizes(Trainer *t)
{
    int i, d;
    int status = DONE;

    for (d = 0; d < t->model->dims; d++)
        t->size[d] = t->model->dim[d].max;
    for (i = 0; i < t->assigns && !status; i++)
        status = set_size(t, t->assign[i]);
    if (status)
        return status;
    return check_inputs(t);
}
