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
    return ngrt_element_size(ngrt_element_of(type));
}

static int is_target(const ngrt_tensor *x)
{
    return (x->flags & NGRT_TARGET) != 0;
}

static int has_default(const ngrt_tensor *x)
{
    return (x->flags & NGRT_DEFAULT) != 0;
}

/* ---- shapes ---- */

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

/* The length of an axis for one row, at the run-time sizes. The axis of the rows itself counts as
 * one, or as many as it has for each row. */
static size_t axis_length(const Trainer *t, const ngrt_tensor *x, int axis, int rows)
{
    const ngrt_model *m = t->model;
    int d = x->dim[axis];

    if (axis == rows)
        return m->dims ? (size_t)(x->shape[axis] / m->dim[0].max) : 1;
    if (d < 0)
        return (size_t)x->shape[axis];
    return (size_t)(x->shape[axis] / m->dim[d].max * t->size[d]);
}

/* The elements that a row gives to the first `axes` axes. */
static size_t row_width(const Trainer *t, const ngrt_tensor *x, int rows, int axes)
{
    size_t width = 1;
    int i;

    for (i = 0; i < axes; i++)
        width *= axis_length(t, x, i, rows);
    return width;
}

/* ---- sources: the files of a set ---- */

/* The file that no input is named for, or NULL. */
static const Source *shared_source(const Set *set)
{
    int i;

    for (i = 0; i < set->sources; i++)
        if (!set->source[i].input)
            return &set->source[i];
    return NULL;
}

/* The file that is named for an input, or NULL. */
static const Source *own_source(const Set *set, const ngrt_tensor *x)
{
    int i;

    for (i = 0; i < set->sources; i++)
        if (set->source[i].input == x)
            return &set->source[i];
    return NULL;
}

/* The file for an input: the one of its name, else the one without a name. */
static const Source *find_source(const Set *set, const ngrt_tensor *x)
{
    const Source *own = own_source(set, x);
    return own ? own : shared_source(set);
}

/* Adds a file for an input; false without memory. */
static int add_source(Set *set, const ngrt_tensor *x, const char *path)
{
    Source *grown = realloc(set->source, (size_t)(set->sources + 1) * sizeof *grown);

    if (!grown)
        return 0;
    set->source = grown;
    grown += set->sources++;
    memset(grown, 0, sizeof *grown);
    grown->input = x;
    grown->path = path;
    grown->may_lack = has_default(x);
    return 1;
}

/* Removes a file; the last one takes its place. */
static void drop_source(Set *set, int i)
{
    set->source[i] = set->source[--set->sources];
    memset(&set->source[set->sources], 0, sizeof *set->source);
}

/* Is the file a .npz archive? */
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

/* Has an archive without a name an array for this tensor? It has one for each input that has no
 * file of its own. */
static int takes_array(const Set *set, const ngrt_tensor *x)
{
    if (x->role != NGRT_INPUT || x->rank == 0 || own_source(set, x))
        return 0;
    return !(set->no_targets && is_target(x));
}

/* Replaces an archive without a name by a file for each input, all with the archive's path. */
static int spread_archive(const Trainer *t, Set *set)
{
    int i, k;

    for (i = 0; i < set->sources; i++)
        if (!set->source[i].input && is_archive(set->source[i].path))
            break;
    if (i == set->sources)
        return DONE;

    for (k = 0; k < t->model->tensors; k++) {
        const ngrt_tensor *x = &t->model->tensor[k];
        if (takes_array(set, x) && !add_source(set, x, set->source[i].path))
            return ngrt_trainer_no_memory(t);
    }
    drop_source(set, i);
    return DONE;
}

/* Is a file the second for its input? Then one of the two would be ignored. */
static int check_source(const Trainer *t, const Set *set, int index)
{
    const ngrt_tensor *x = set->source[index].input;
    const char *whom = x ? x->name : "the inputs that have no file of their own";
    int i;

    for (i = 0; i < index; i++)
        if (set->source[i].input == x)
            return ngrt_trainer_fail(t, USAGE, "%s: two files for %s", set->option, whom);
    if (x && x->rank == 0)
        return ngrt_trainer_fail(t, USAGE, "the input %s is a scalar: give %s=value", x->name,
                                 x->name);
    return DONE;
}

/* Reads the files of a set. An array that an archive may lack, and lacks, is not a source. */
static int read_sources(const Trainer *t, Set *set)
{
    ngrt_message message;
    int i = 0;

    while (i < set->sources) {
        Source *s = &set->source[i];
        const char *name = s->input ? s->input->name : NULL;
        int status = check_source(t, set, i), error;

        if (status)
            return status;
        error = ngrt_data_read_named(&s->data, s->path, name, &message);
        if (error == NGRT_EMODEL && s->may_lack) {
            drop_source(set, i);
            continue;
        }
        if (error)
            return ngrt_trainer_fail(t, FILES, "%s", message.text);
        if (message.text[0])
            ngrt_trainer_note(t, "%s", message.text);
        i++;
    }
    return DONE;
}

/* ---- who takes columns of the shared file ---- */

/* Does an input keep the value that the model gives it? */
static int keeps_default(const Trainer *t, const Set *set, const ngrt_tensor *x)
{
    const Source *s = find_source(set, x);

    if (!has_default(x) || (s && s->input))
        return 0;
    if (!s || set->no_defaults || row_axis(t->model, x, 0) < 0)
        return 1;
    return t->model->dims == 0 && (size_t)x->shape[0] != s->data.rows;
}

/* The columns that inputs take of the shared file. */
static size_t columns_taken(const Trainer *t, const Set *set)
{
    size_t need = 0;
    int i;

    for (i = 0; i < t->model->tensors; i++) {
        const ngrt_tensor *x = &t->model->tensor[i];

        if (takes_array(set, x) && !keeps_default(t, set, x))
            need += row_width(t, x, row_axis(t->model, x, 0), x->rank);
    }
    return need;
}

/* Chooses who takes columns by how many there are: all inputs, or all but those that have a default
 * value, or those that predict does not read, or both. */
static void choose_inputs(const Trainer *t, Set *set)
{
    const Source *shared = shared_source(set);
    int predicts = t->command == PREDICT, no_targets, no_defaults;

    for (no_targets = 0; shared && no_targets <= predicts; no_targets++)
        for (no_defaults = 0; no_defaults <= 1; no_defaults++) {
            set->no_targets = no_targets;
            set->no_defaults = no_defaults;
            if (columns_taken(t, set) == shared->data.columns)
                return;
        }

    /* none fits: the error will be about those that are needed */
    set->no_targets = predicts;
    set->no_defaults = 1;
}

/* ---- feeds: what each input gets ---- */

/* Adds the feed of a tensor input; columns of the shared file are given out in order. */
static int add_feed(const Trainer *t, Set *set, const ngrt_tensor *x, size_t *column)
{
    Feed *f = &set->feed[set->feeds];
    int axis, named;

    if (set->no_targets && is_target(x))
        return DONE;
    f->input = x;
    f->source = find_source(set, x);
    if (keeps_default(t, set, x))
        return DONE; /* it is in the inputs block, and its rows are what the model reads */
    if (!f->source)
        return ngrt_trainer_fail(t, USAGE, "the input %s has no data: give %s %s=FILE", x->name,
                                 set->option, x->name);

    named = f->source->input != NULL;
    axis = row_axis(t->model, x, named);
    f->batched = axis >= 0;
    if (!f->batched && !named)
        return ngrt_trainer_fail(t, USAGE, "the input %s takes a file of its own: give %s %s=FILE",
                                 x->name, set->option, x->name);

    f->width = row_width(t, x, axis, x->rank);
    f->outer = row_width(t, x, axis, axis);
    if (!named) {
        f->column = *column;
        *column += f->width;
    }
    set->feeds++;
    return DONE;
}

/* The text that the command line gives a scalar input: the last, or NULL. */
static const char *find_assigned(const Trainer *t, const ngrt_tensor *x)
{
    int i;

    for (i = t->assigns; i-- > 0;)
        if (ngrt_find_input(t->model, t->assign[i]) == x)
            return strchr(t->assign[i], '=') + 1;
    return NULL;
}

/* Puts a number into the inputs block, in the input's type. */
static void store_scalar(char *to, int type, double value)
{
    if (type == NGRT_I32) {
        int32_t whole = (int32_t)value;
        memcpy(to, &whole, sizeof whole);
    } else if (type == NGRT_F32) {
        float single = (float)value;
        memcpy(to, &single, sizeof single);
    } else {
        memcpy(to, &value, sizeof value);
    }
}

/* Puts the value of a scalar input into the inputs block. */
static int set_scalar(const Trainer *t, Set *set, const ngrt_tensor *x)
{
    const char *text = find_assigned(t, x);
    char *end;
    double value;

    if (!text && (has_default(x) || (t->command == PREDICT && is_target(x))))
        return DONE;
    if (!text)
        return ngrt_trainer_fail(t, USAGE, "the input %s has no value: give %s=value", x->name,
                                 x->name);

    value = strtod(text, &end);
    if (end == text || *end)
        return ngrt_trainer_fail(t, USAGE, "%s=%s: not a number", x->name, text);
    if (x->type == NGRT_I32 && (value != floor(value) || !(fabs(value) <= INT32_MAX)))
        return ngrt_trainer_fail(t, USAGE, "%s=%s: not a whole number", x->name, text);
    store_scalar(set->inputs + x->offset, x->type, value);
    return DONE;
}

/* Gives each input what it gets: a feed, or a number. */
static int bind_inputs(const Trainer *t, Set *set)
{
    const ngrt_model *m = t->model;
    size_t column = 0;
    int i, status = DONE;

    for (i = 0; i < m->tensors && !status; i++) {
        const ngrt_tensor *x = &m->tensor[i];

        if (x->role != NGRT_INPUT)
            continue;
        if (x->rank > 0)
            status = add_feed(t, set, x, &column);
        else
            status = set_scalar(t, set, x);
    }
    return status;
}

/* ---- checks of the data ---- */

/* Says that the columns of the shared file do not add up. */
static int fail_columns(const Trainer *t, const Set *set, const Source *s, size_t need)
{
    const ngrt_model *m = t->model;
    char text[300] = "";
    size_t used = 0;
    int i;

    for (i = 0; i < set->feeds; i++) {
        const Feed *f = &set->feed[i];

        if (f->source != s)
            continue;
        snprintf(text + used, sizeof text - used, "%s%s %zu", used ? ", " : "", f->input->name,
                 f->width);
        used = strlen(text);
    }

    /* sizes other than the batch may be why */
    for (i = 1; i < m->dims; i++) {
        snprintf(text + used, sizeof text - used, "%s%s=%d", i > 1 ? " " : "; with ",
                 m->dim[i].name, t->size[i]);
        used = strlen(text);
    }
    return ngrt_trainer_fail(t, FILES, "%s: %zu columns, but the inputs take %zu: %s", s->path,
                             s->data.columns, need, text);
}

/* Checks a file that is one input, whole. */
static int check_whole(const Trainer *t, const Feed *f)
{
    const ngrt_tensor *x = f->input;
    const ngrt_data *d = &f->source->data;
    const char *path = f->source->path;

    if (x->rank > 1 && d->rank > 1 && d->rows != axis_length(t, x, 0, -1))
        return ngrt_trainer_fail(t, FILES, "%s has %zu rows, but the input %s takes %zu", path,
                                 d->rows, x->name, axis_length(t, x, 0, -1));
    if (d->rows * d->columns != f->width)
        return ngrt_trainer_fail(t, FILES, "%s: %zu numbers, but the input %s takes %zu", path,
                                 d->rows * d->columns, x->name, f->width);
    return DONE;
}

/* Checks that the inputs that a file feeds take all its columns. */
static int check_columns(const Trainer *t, const Set *set, const Feed *f)
{
    size_t need = 0;
    int i;

    for (i = 0; i < set->feeds; i++)
        if (set->feed[i].source == f->source)
            need += set->feed[i].width;
    return need == f->source->data.columns ? DONE : fail_columns(t, set, f->source, need);
}

/* Checks that rows and columns of each file are just what its feeds take; sets the number of
 * rows. */
static int check_shapes(const Trainer *t, Set *set)
{
    const Source *first = NULL; /* whose rows all others must have */
    int i, status = DONE;

    for (i = 0; i < set->feeds && !status; i++) {
        const Feed *f = &set->feed[i];
        size_t rows = f->source->data.rows;

        if (!f->batched) {
            status = check_whole(t, f);
            continue;
        }
        status = check_columns(t, set, f);
        if (status)
            return status;

        if (!first) {
            first = f->source;
            set->rows = rows;
        }
        if (rows != set->rows)
            return ngrt_trainer_fail(t, FILES, "%s has %zu rows, %s has %zu", first->path,
                                     set->rows, f->source->path, rows);
        if (t->model->dims == 0 && rows != (size_t)f->input->shape[0])
            return ngrt_trainer_fail(t, FILES, "%s has %zu rows, but the input %s takes %d",
                                     f->source->path, rows, f->input->name, f->input->shape[0]);
    }
    if (!first)
        set->rows = 1;
    return status;
}

/* Says which value of an int input is bad, with its line or row. */
static int fail_integer(const Trainer *t, const Feed *f, size_t row, double value)
{
    const ngrt_data *d = &f->source->data;
    char range[64] = "a whole number within 32 bits", place[40];

    if (f->input->limit > 0)
        snprintf(range, sizeof range, "a whole number in [0, %d)", f->input->limit);
    if (d->line)
        snprintf(place, sizeof place, "%zu", d->line[row]);
    else
        snprintf(place, sizeof place, " row %zu", row + 1);
    return ngrt_trainer_fail(t, FILES, "%s:%s: %s is %.9g, but must be %s", f->source->path, place,
                             f->input->name, value, range);
}

/* Checks that what an int input gets is whole and in its range. */
static int check_integers(const Trainer *t, const Feed *f)
{
    const ngrt_data *d = &f->source->data;
    double lowest = INT32_MIN, highest = INT32_MAX;
    size_t width = f->batched ? f->width : d->columns, row, i;

    if (f->input->type != NGRT_I32)
        return DONE;
    if (f->input->limit > 0) {
        lowest = 0;
        highest = f->input->limit - 1;
    }

    for (row = 0; row < d->rows; row++)
        for (i = 0; i < width; i++) {
            double value = ngrt_data_value(d, row * d->columns + f->column + i);
            int in_range = value >= lowest && value <= highest; /* NaN is not */

            if (!in_range || value != floor(value))
                return fail_integer(t, f, row, value);
        }
    return DONE;
}

/* ---- batches ---- */

/* Rows of a batch: as asked for, else as many as the model takes; never more than there are. */
static size_t batch_rows(const Trainer *t, const Set *set, long asked)
{
    size_t most = set->rows;

    if (t->model->dims && (size_t)t->model->dim[0].max < most)
        most = (size_t)t->model->dim[0].max;
    if (asked > 0 && (size_t)asked < most)
        most = (size_t)asked;
    return most;
}

/* Makes the buffer of an input, and fills it if it stays as it is. False without memory. */
static int make_buffer(const Set *set, Feed *f)
{
    size_t rows = f->batched ? set->batch : 1, size = type_size(f->input->type);

    if (f->width > SIZE_MAX / size / rows)
        return 0;
    f->buffer = ngrt_trainer_allocate(rows * f->width, size);
    if (!f->buffer)
        return 0;
    if (!f->batched)
        ngrt_data_copy(&f->source->data, 0, f->width, f->input->type, f->buffer);
    return 1;
}

/* Makes the buffers, and puts their addresses and the run-time sizes into the inputs block. */
static int make_buffers(const Trainer *t, Set *set)
{
    const ngrt_model *m = t->model;
    int i;

    for (i = 0; i < set->feeds; i++) {
        Feed *f = &set->feed[i];

        if (!make_buffer(set, f))
            return ngrt_trainer_no_memory(t);
        memcpy(set->inputs + f->input->offset, &f->buffer, sizeof f->buffer);
    }
    for (i = 0; i < m->dims; i++)
        memcpy(set->inputs + m->dim[i].offset, &t->size[i], sizeof(int));
    return DONE;
}

/* Allocates the inputs block, which starts with the default values, and the list of feeds. */
static int allocate(const Trainer *t, Set *set)
{
    const ngrt_model *m = t->model;

    set->feed = ngrt_trainer_allocate((size_t)m->tensors, sizeof *set->feed);
    set->inputs = ngrt_trainer_allocate(1, m->sizeof_inputs);
    if (!set->feed || !set->inputs)
        return ngrt_trainer_no_memory(t);
    if (m->defaults)
        memcpy(set->inputs, m->defaults, m->sizeof_inputs);
    return DONE;
}

int ngrt_set_bind(const Trainer *t, Set *set, long batch)
{
    int i, status;

    set->no_targets = t->command == PREDICT;
    status = spread_archive(t, set);
    if (!status)
        status = read_sources(t, set);
    if (!status)
        status = allocate(t, set);
    if (status)
        return status;

    choose_inputs(t, set);
    status = bind_inputs(t, set);
    if (!status)
        status = check_shapes(t, set);
    for (i = 0; i < set->feeds && !status; i++)
        status = check_integers(t, &set->feed[i]);
    if (status)
        return status;

    set->batch = batch_rows(t, set, batch);
    return make_buffers(t, set);
}

size_t ngrt_set_batch(const Set *set, size_t first)
{
    size_t left = set->rows - first;
    return left < set->batch ? left : set->batch;
}

/* A row is `outer` pieces. In the buffer, piece o of all rows is one block:
 * [outer][count][piece]. */
void ngrt_set_fill(const Trainer *t, Set *set, const size_t *order, size_t first, size_t count)
{
    int rows = (int)count, i;
    size_t r, o;

    for (i = 0; i < set->feeds; i++) {
        Feed *f = &set->feed[i];
        const ngrt_data *d = &f->source->data;
        size_t piece = f->width / f->outer, bytes = piece * type_size(f->input->type);

        for (r = 0; f->batched && r < count; r++) {
            size_t row = order ? order[first + r] : first + r;
            size_t from = row * d->columns + f->column;
            char *to = (char *)f->buffer + r * bytes;

            for (o = 0; o < f->outer; o++)
                ngrt_data_copy(d, from + o * piece, piece, f->input->type, to + o * count * bytes);
        }
    }
    if (t->model->dims)
        memcpy(set->inputs + t->model->dim[0].offset, &rows, sizeof rows);
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
