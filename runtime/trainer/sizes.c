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

/* Sets the run-time sizes from NAME=value where given, else to their bounds. */
int ngrt_trainer_sizes(Trainer *t)
{
    int i, d, status = DONE;

    for (d = 0; d < t->model->dims; d++)
        t->size[d] = t->model->dim[d].max;
    for (i = 0; i < t->assigns && !status; i++)
        status = set_size(t, t->assign[i]);
    return status;
}
