/* set.c - data files -> batches in the memory that a model's inputs point to.
 *
 * The data of each set (training, validation) is bound to the model's inputs once: a Feed says
 * which columns of which file make one input. For each batch the feeds gather rows into the input's
 * buffer, converted to its type.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

static size_t type_size(int type)
{
    return type == NGRT_F64 ? 8 : 4;
}

/* The axis of x that runs over rows, or -1. Without run-time sizes it is the first, for a file
 * without a name. */
static int row_axis(const ngrt_model *m, const ngrt_tensor *x, int named)
{
    int i;
    if (m->dims == 0)
        return x->rank > 0 && !named ? 0 : -1;
    for (i = 0; i < x->rank; i++)
        if (x->dim[i] == 0)
            return i;
    return -1;
}

/* The length of an axis for one row (its own axis counts as one), at the run-time sizes. */
static size_t axis_length(const Trainer *t, const ngrt_tensor *x, int axis, int rows)
{
    int d = x->dim[axis];
    if (axis == rows)
        return t->model->dims ? (size_t)(x->shape[axis] / t->model->dim[0].max) : 1;
    return d < 0 ? (size_t)x->shape[axis]
                 : (size_t)(x->shape[axis] / t->model->dim[d].max * t->size[d]);
}

/* The elements that a row gives to the first axes. */
static size_t row_width(const Trainer *t, const ngrt_tensor *x, int rows, int axes)
{
    size_t width = 1;
    int i;
    for (i = 0; i < axes; i++)
        width *= axis_length(t, x, i, rows);
    return width;
}

/* The source for an input: the one of its name, else the one without a name. */
static const Source *find_source(const Set *set, const ngrt_tensor *x)
{
    const Source *rest = NULL;
    int i;
    for (i = 0; i < set->sources; i++) {
        if (set->source[i].input == x)
            return &set->source[i];
        if (!set->source[i].input)
            rest = &set->source[i];
    }
    return rest;
}

/* Says that the columns of the file without a name do not add up. */
static int fail_columns(const Trainer *t, const Set *set, const Source *s, size_t need)
{
    char text[300] = "";
    int i;
    for (i = 0; i < set->feeds; i++)
        if (set->feed[i].source == s) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s%s %zu", used ? ", " : "",
                     set->feed[i].input->name, set->feed[i].width);
        }
    return ngrt_trainer_fail(t, FILES, "%s: %zu columns, but the inputs take %zu: %s", s->path,
                             s->data.columns, need, text);
}

/* Checks that rows and columns of each source are just what its feeds take; sets the number of
 * rows. */
static int check_shapes(const Trainer *t, Set *set)
{
    const char *first = NULL;
    int i, j;
    for (i = 0; i < set->feeds; i++) {
        const Feed *f = &set->feed[i];
        const ngrt_data *d = &f->source->data;
        size_t need = 0;
        if (!f->batched && f->input->rank > 1 && d->rank > 1 &&
            d->rows != axis_length(t, f->input, 0, -1))
            return ngrt_trainer_fail(t, FILES, "%s has %zu rows, but the input %s takes %zu",
                                     f->source->path, d->rows, f->input->name,
                                     axis_length(t, f->input, 0, -1));
        if (!f->batched && d->rows * d->columns != f->width)
            return ngrt_trainer_fail(t, FILES, "%s: %zu numbers, but the input %s takes %zu",
                                     f->source->path, d->rows * d->columns, f->input->name,
                                     f->width);
        if (!f->batched)
            continue;
        for (j = 0; j < set->feeds; j++)
            need += set->feed[j].source == f->source ? set->feed[j].width : 0;
        if (need != d->columns)
            return fail_columns(t, set, f->source, need);
        if (!first)
            set->rows = d->rows, first = f->source->path;
        if (d->rows != set->rows)
            return ngrt_trainer_fail(t, FILES, "%s has %zu rows, %s has %zu", first, set->rows,
                                     f->source->path, d->rows);
        if (t->model->dims == 0 && d->rows != (size_t)f->input->shape[0])
            return ngrt_trainer_fail(t, FILES, "%s has %zu rows, but the input %s takes %d",
                                     f->source->path, d->rows, f->input->name, f->input->shape[0]);
    }
    if (!first)
        set->rows = 1;
    return DONE;
}

/* Says which value of an int input is bad, with its line or row. */
static int fail_integer(const Trainer *t, const Feed *f, size_t row, double value)
{
    const ngrt_data *d = &f->source->data;
    char range[64] = "a whole number within 32 bits";
    if (f->input->limit > 0)
        snprintf(range, sizeof range, "a whole number in [0, %d)", f->input->limit);
    return ngrt_trainer_fail(t, FILES,
                             d->line ? "%s:%zu: %s is %.9g, but must be %s"
                                     : "%s: row %zu: %s is %.9g, but must be %s",
                             f->source->path, d->line ? d->line[row] : row + 1, f->input->name,
                             value, range);
}

/* Checks that what an int input gets is whole and in its range. */
static int check_integers(const Trainer *t, const Feed *f)
{
    const ngrt_data *d = &f->source->data;
    double lo = f->input->limit > 0 ? 0.0 : -2147483648.0;
    double hi = f->input->limit > 0 ? f->input->limit - 1 : 2147483647.0;
    size_t row, i, width = f->batched ? f->width : d->columns;
    if (f->input->type != NGRT_I32)
        return DONE;
    for (row = 0; row < d->rows; row++)
        for (i = 0; i < width; i++) {
            double value = ngrt_data_value(d, row * d->columns + f->column + i);
            if (!(value >= lo && value <= hi) || value != floor(value))
                return fail_integer(t, f, row, value);
        }
    return DONE;
}

/* Whether the model's own value is used for a tensor input. */
static int keeps_default(const Trainer *t, const Set *set, const ngrt_tensor *x)
{
    const Source *s = find_source(set, x);
    if (!(x->flags & NGRT_DEFAULT) || (s && s->input))
        return 0;
    if (!s || set->no_defaults || row_axis(t->model, x, 0) < 0)
        return 1;
    return t->model->dims == 0 && (size_t)x->shape[0] != s->data.rows;
}

/* Adds the feed of a tensor input; columns of the file without a name are given out in order. */
static int add_feed(const Trainer *t, Set *set, const ngrt_tensor *x, size_t *column)
{
    Feed *f = &set->feed[set->feeds];
    int axis;
    if (set->no_targets && x->flags & NGRT_TARGET)
        return DONE;
    f->input = x;
    f->source = find_source(set, x);
    if (keeps_default(t, set, x))
        return DONE; /* it is in the inputs block, and its rows are what the model reads */
    if (!f->source)
        return ngrt_trainer_fail(t, USAGE, "the input %s has no data: give %s %s=FILE", x->name,
                                 set->option, x->name);
    axis = row_axis(t->model, x, f->source->input != NULL);
    f->batched = axis >= 0;
    if (!f->batched && !f->source->input)
        return ngrt_trainer_fail(t, USAGE, "the input %s takes a file of its own: give %s %s=FILE",
                                 x->name, set->option, x->name);
    f->width = row_width(t, x, axis, x->rank);
    f->outer = row_width(t, x, axis, axis);
    if (!f->source->input) {
        f->column = *column;
        *column += f->width;
    }
    set->feeds++;
    return DONE;
}

/* Puts the value of a scalar input into the inputs block. */
static int set_scalar(const Trainer *t, Set *set, const ngrt_tensor *x)
{
    const char *text = NULL;
    char *end, *to = set->inputs + x->offset;
    double value;
    int i;
    for (i = 0; i < t->assigns; i++)
        text = ngrt_find_input(t->model, t->assign[i]) == x ? strchr(t->assign[i], '=') + 1 : text;
    if (!text && (x->flags & NGRT_DEFAULT || (t->command == PREDICT && x->flags & NGRT_TARGET)))
        return DONE;
    if (!text)
        return ngrt_trainer_fail(t, USAGE, "the input %s has no value: give %s=value", x->name,
                                 x->name);
    value = strtod(text, &end);
    if (end == text || *end)
        return ngrt_trainer_fail(t, USAGE, "%s=%s: not a number", x->name, text);
    if (x->type == NGRT_I32 && (value != floor(value) || fabs(value) > 2147483647.0))
        return ngrt_trainer_fail(t, USAGE, "%s=%s: not a whole number", x->name, text);
    if (x->type == NGRT_I32)
        memcpy(to, &(int32_t){(int32_t)value}, 4);
    else if (x->type == NGRT_F32)
        memcpy(to, &(float){(float)value}, 4);
    else
        memcpy(to, &value, 8);
    return DONE;
}

/* Reads the files of a set; a file that is named twice is an error, for then one would be ignored.
 */
static int read_sources(const Trainer *t, Set *set)
{
    ngrt_message message;
    int i, j, error;
    for (i = 0; i < set->sources; i++) {
        Source *s = &set->source[i];
        for (j = 0; j < i; j++)
            if (set->source[j].input == s->input)
                return ngrt_trainer_fail(t, USAGE, "%s: two files for %s", set->option,
                                         s->input ? s->input->name
                                                  : "the inputs that have no file of their own");
        if (s->input && s->input->rank == 0)
            return ngrt_trainer_fail(t, USAGE, "the input %s is a scalar: give %s=value",
                                     s->input->name, s->input->name);
        error = ngrt_data_read_named(&s->data, s->path, s->input ? s->input->name : NULL, &message);
        if (error == NGRT_EMODEL && s->may_lack) {
            *s = set->source[--set->sources];
            memset(&set->source[set->sources], 0, sizeof *s);
            i--;
            continue;
        }
        if (error)
            return ngrt_trainer_fail(t, FILES, "%s", message.text);
        if (message.text[0])
            ngrt_trainer_note(t, "%s", message.text);
    }
    return DONE;
}

/* Whether the file is a .npz archive. */
static int is_archive(const char *path)
{
    char start[4];
    Bytes b = {start, 0, 0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    b.size = fread(start, 1, sizeof start, file);
    fclose(file);
    return ngrt_is_zip(&b);
}

/* An archive without a name has an array for each input that has no file of its own. */
static int spread_archives(const Trainer *t, Set *set)
{
    int i, k, given = set->sources;
    for (i = 0; i < given; i++) {
        if (set->source[i].input || !is_archive(set->source[i].path))
            continue;
        for (k = 0; k < t->model->tensors; k++) {
            const ngrt_tensor *x = &t->model->tensor[k];
            const Source *own = find_source(set, x);
            Source *grown;
            if (x->role != NGRT_INPUT || x->rank == 0 || (own && own->input) ||
                (set->no_targets && x->flags & NGRT_TARGET))
                continue;
            grown = realloc(set->source, (size_t)(set->sources + 1) * sizeof *grown);
            if (!grown)
                return ngrt_trainer_no_memory(t);
            set->source = grown;
            memset(&grown[set->sources], 0, sizeof *grown);
            grown[set->sources].input = x;
            grown[set->sources].may_lack = x->flags & NGRT_DEFAULT;
            grown[set->sources++].path = grown[i].path;
        }
        set->source[i] = set->source[--set->sources]; /* the archive itself is none */
        return DONE;
    }
    return DONE;
}

/* The file that no input is named for, or NULL. */
static const Source *shared_source(const Set *set)
{
    int i;
    for (i = 0; i < set->sources; i++)
        if (!set->source[i].input)
            return &set->source[i];
    return NULL;
}

/* The columns that inputs take of the shared file. */
static size_t columns_taken(const Trainer *t, const Set *set)
{
    size_t need = 0;
    int i;
    for (i = 0; i < t->model->tensors; i++) {
        const ngrt_tensor *x = &t->model->tensor[i];
        const Source *s = x->role == NGRT_INPUT && x->rank > 0 ? find_source(set, x) : NULL;
        if (!s || s->input || (set->no_targets && x->flags & NGRT_TARGET) ||
            keeps_default(t, set, x))
            continue;
        need += row_width(t, x, row_axis(t->model, x, 0), x->rank);
    }
    return need;
}

/* Chooses who takes columns of the shared file by how many there are: all inputs, or all but those
 * that have a value by default, or that predict does not read. */
static void choose_inputs(const Trainer *t, Set *set)
{
    const Source *shared = shared_source(set);
    int targets = t->command == PREDICT, k;
    for (k = 0; shared && k <= 2 * targets + 1; k++) {
        set->no_targets = k >= 2;
        set->no_defaults = k % 2;
        if (columns_taken(t, set) == shared->data.columns)
            return;
    }
    set->no_targets = targets;
    set->no_defaults = 1;
}

/* Makes the buffers, puts their addresses into the inputs block, and fills those that stay as they
 * are. */
static int make_buffers(const Trainer *t, Set *set)
{
    int i;
    for (i = 0; i < set->feeds; i++) {
        Feed *f = &set->feed[i];
        size_t rows = f->batched ? set->batch : 1, size = type_size(f->input->type);
        if (f->width > SIZE_MAX / size / rows ||
            !(f->buffer = ngrt_trainer_allocate(rows * f->width, size)))
            return ngrt_trainer_no_memory(t);
        memcpy(set->inputs + f->input->offset, &f->buffer, sizeof f->buffer);
        if (!f->batched)
            ngrt_data_copy(&f->source->data, 0, f->width, f->input->type, f->buffer);
    }
    for (i = 0; i < t->model->dims; i++)
        memcpy(set->inputs + t->model->dim[i].offset, &t->size[i], sizeof(int));
    return DONE;
}

/* Rows of a batch: as asked for, else as many as the model takes; never more than there are. */
static size_t batch_rows(const Trainer *t, const Set *set, long asked)
{
    size_t most = t->model->dims ? (size_t)t->model->dim[0].max : set->rows;
    if (asked > 0 && (size_t)asked < most)
        most = (size_t)asked;
    return set->rows < most ? set->rows : most;
}

int ngrt_set_bind(const Trainer *t, Set *set, long batch)
{
    const ngrt_model *m = t->model;
    size_t column = 0;
    int i, status;
    set->no_targets = t->command == PREDICT;
    status = spread_archives(t, set);
    if (!status)
        status = read_sources(t, set);
    if (!status)
        choose_inputs(t, set);
    set->feed = ngrt_trainer_allocate((size_t)m->tensors, sizeof *set->feed);
    set->inputs = ngrt_trainer_allocate(1, m->sizeof_inputs);
    if (!set->feed || !set->inputs)
        return ngrt_trainer_no_memory(t);
    if (m->defaults)
        memcpy(set->inputs, m->defaults, m->sizeof_inputs);
    for (i = 0; i < m->tensors && !status; i++) {
        const ngrt_tensor *x = &m->tensor[i];
        if (x->role == NGRT_INPUT)
            status = x->rank > 0 ? add_feed(t, set, x, &column) : set_scalar(t, set, x);
    }
    if (!status)
        status = check_shapes(t, set);
    for (i = 0; i < set->feeds && !status; i++)
        status = check_integers(t, &set->feed[i]);
    set->batch = batch_rows(t, set, batch);
    return status ? status : make_buffers(t, set);
}

size_t ngrt_set_batch(const Set *set, size_t first)
{
    size_t left = set->rows - first;
    return left < set->batch ? left : set->batch;
}

void ngrt_set_free(Set *set)
{
    int i;
    for (i = 0; i < set->feeds; i++)
        free(set->feed[i].buffer);
    for (i = 0; i < set->sources; i++)
        ngrt_data_free(&set->source[i].data);
    free(set->source);
    free(set->feed);
    free(set->inputs);
}

/* Gathers count rows, from place first of the order (NULL: as in the file), into the buffers.
 * A row is outer pieces; in the buffer, piece o of all rows stands together. */
void ngrt_set_fill(const Trainer *t, Set *set, const size_t *order, size_t first, size_t count)
{
    int rows = (int)count, i;
    size_t r, o;
    for (i = 0; i < set->feeds; i++) {
        Feed *f = &set->feed[i];
        const ngrt_data *d = &f->source->data;
        size_t piece = f->width / f->outer, size = piece * type_size(f->input->type);
        for (r = 0; f->batched && r < count; r++) {
            size_t from = (order ? order[first + r] : first + r) * d->columns + f->column;
            for (o = 0; o < f->outer; o++)
                ngrt_data_copy(d, from + o * piece, piece, f->input->type,
                               (char *)f->buffer + (o * count + r) * size);
        }
    }
    if (t->model->dims)
        memcpy(set->inputs + t->model->dim[0].offset, &rows, sizeof rows);
}
