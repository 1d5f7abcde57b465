/* set.c - the files of a data set, bound to a model's inputs: a Feed says which columns of which
 * file make one input. All that can be wrong with the data is found here, before the work begins.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

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

    if (axis == rows)
        return m->dims ? (size_t)(x->shape[axis] / m->dim[0].max) : 1;
    return ngrt_axis_length(t, x, axis);
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

/* ---- who takes columns of the shared file ---- */

/* Does an input keep the value that the model gives it? */
static int keeps_default(const Trainer *t, const Set *set, const ngrt_tensor *x)
{
    const Source *s = ngrt_source_find(set, x);

    if (!has_default(x) || (s && s->input))
        return 0;
    if (!s || set->no_defaults || row_axis(t->model, x, 0) < 0)
        return 1;
    return t->model->dims == 0 && (size_t)x->shape[0] != s->rows;
}

/* The columns that inputs take of the shared file; SIZE_MAX: not all get what they need. */
static size_t columns_taken(const Trainer *t, const Set *set, const Source *shared)
{
    size_t taken = 0;
    int i, fits = 1;

    for (i = 0; i < t->model->tensors && fits; i++) {
        const ngrt_tensor *x = &t->model->tensor[i];
        Feed f = {.input = x, .source = shared, .first = taken};

        if (!ngrt_source_takes_array(set, x) || keeps_default(t, set, x))
            continue;
        f.taken = f.width = row_width(t, x, row_axis(t->model, x, 0), x->rank);
        /* names in the header can give a column to several inputs, or to none */
        if (shared->table)
            ngrt_columns_match(t, &f, &fits);
        taken += f.taken;
    }
    return fits ? taken : SIZE_MAX;
}

/* Chooses who takes columns by how many there are: all inputs, or all but those that have a default
 * value, or those that predict does not read, or both. */
static void choose_inputs(const Trainer *t, Set *set)
{
    const Source *shared = ngrt_source_shared(set);
    int predicts = t->command == PREDICT;
    int no_targets;
    int no_defaults;

    /* the fullest reading that fits is taken: a file of training data is read by predict too */
    for (no_targets = 0; shared && no_targets <= predicts; no_targets++)
        for (no_defaults = 0; no_defaults <= 1; no_defaults++) {
            set->no_targets = no_targets;
            set->no_defaults = no_defaults;
            if (columns_taken(t, set, shared) == shared->picks)
                return;
        }

    /* none fits: the error will be about those that are needed */
    set->no_targets = predicts;
    set->no_defaults = 1;
}

/* ---- feeds: what each input gets ---- */

/* The elements that a row of the file gives to an input. */
static size_t row_elements(const Feed *f)
{
    return f->batched ? f->width : f->source->picks;
}

/* Finds the columns that a feed takes, and what they become. One that gets a whole file takes all
 * in each row. */
static int bind_columns(Trainer *t, Feed *f)
{
    const Source *s = f->source;
    size_t width = f->width;
    int fits, status;

    f->taken = f->width = row_elements(f);
    if (!s->table && !s->pick) {
        f->width = width;
        return DONE;
    }
    if (s->table)
        ngrt_columns_match(t, f, &fits);
    else
        fits = f->first + f->taken <= s->picks;
    status = fits ? ngrt_columns_bind(t, f) : DONE; /* what does not fit, is said later */
    f->width = width;
    return status;
}

/* Adds the feed of a tensor input; columns of the shared file are given out in order. */
static int add_feed(Trainer *t, Set *set, const ngrt_tensor *x, size_t *column)
{
    Feed *f = &set->feed[set->feeds];
    int axis, named, status;

    if (set->no_targets && is_target(x))
        return DONE;
    f->input = x;
    f->source = ngrt_source_find(set, x);
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
    if (!named)
        f->first = *column;
    set->feeds++;
    status = bind_columns(t, f);
    if (!named)
        *column += f->taken;
    return status;
}

/* The text that the command line gives a scalar input: the last, or NULL. */
static const char *find_assigned(const Trainer *t, const ngrt_tensor *x)
{
    int i;

    /* the last one given holds */
    for (i = t->assigns; i-- > 0;)
        if (ngrt_find_input(t->model, t->assign[i]) == x)
            return strchr(t->assign[i], '=') + 1;
    return NULL;
}

/* Is it a number that would be infinite as a float? */
static int is_too_large(double value)
{
    return isfinite(value) && isinf((float)value);
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
    if (x->type == NGRT_F32 && is_too_large(value))
        return ngrt_trainer_fail(t, USAGE,
                                 "%s=%s: too large for a float of 32 bits (--real=double)", x->name,
                                 text);
    store_scalar(set->inputs + x->offset, x->type, value);
    return DONE;
}

int ngrt_set_scalars(const Trainer *t, Set *set)
{
    int i;
    int status = DONE;

    for (i = 0; i < t->model->tensors && !status; i++)
        if (t->model->tensor[i].role == NGRT_INPUT && t->model->tensor[i].rank == 0)
            status = set_scalar(t, set, &t->model->tensor[i]);
    return status;
}

/* Gives each input what it gets: a feed, or a number. */
static int bind_inputs(Trainer *t, Set *set)
{
    const ngrt_model *m = t->model;
    size_t column = 0;
    int i;
    int status = DONE;

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

static Span span_of(const char *text)
{
    return (Span){text, text + strlen(text)};
}

/* Says that the columns of a file do not add up. Words may give several elements. */
static int fail_columns(const Trainer *t, const Set *set, const Source *s)
{
    const ngrt_model *m = t->model;
    char text[300] = "", words[240] = "";
    size_t used = 0, need = 0, i;
    int k;

    for (k = 0; k < set->feeds; k++) {
        const Feed *f = &set->feed[k];

        if (f->source != s)
            continue;
        need += f->width;
        snprintf(text + used, sizeof text - used, "%s%s %zu", used ? ", " : "", f->input->name,
                 f->width);
        used = strlen(text);
    }

    /* sizes other than the batch may be why */
    for (k = 1; k < m->dims; k++) {
        snprintf(text + used, sizeof text - used, "%s%s=%d", k > 1 ? " " : "; with ",
                 m->dim[k].name, t->size[k]);
        used = strlen(text);
    }

    /* a column of words that was meant as numbers is the likeliest mistake */
    for (i = 0; i < s->picks && s->table && !words[0]; i++) {
        size_t column = s->pick[i];
        const Names *names = &s->table->column[column].names;

        if (names->count > 0)
            snprintf(words, sizeof words,
                     "; column %zu has words, '%.40s' in line %zu, and gives as many numbers as "
                     "it has different words: %zu%s",
                     column, names->name[0].text, names->name[0].line, names->count,
                     ngrt_csv_hint(span_of(names->name[0].text)));
    }
    return ngrt_trainer_fail(t, FILES, "%s: %zu columns, but the inputs take %zu: %s%s", s->path,
                             s->picks, need, text, words);
}

/* Checks a file that is one input, whole. */
static int check_whole(const Trainer *t, const Set *set, const Feed *f)
{
    const ngrt_tensor *x = f->input;
    const Source *s = f->source;
    int rank = s->table ? 2 : s->data.rank;
    size_t numbers = s->rows * s->picks;

    if (x->rank > 1 && rank > 1) {
        size_t rows = axis_length(t, x, 0, -1);
        if (s->rows != rows)
            return ngrt_trainer_fail(t, FILES, "%s has %zu rows, but the input %s takes %zu",
                                     s->path, s->rows, x->name, rows);
    }
    if ((s->table || s->pick) && !f->piece)
        return fail_columns(t, set, s);
    if (numbers != f->width)
        return ngrt_trainer_fail(t, FILES, "%s: %zu numbers, but the input %s takes %zu", s->path,
                                 numbers, x->name, f->width);
    return DONE;
}

/* Checks that the inputs that a file feeds take all its columns. */
static int check_columns(const Trainer *t, const Set *set, const Feed *f)
{
    const Source *s = f->source;
    size_t taken = 0;
    int i, bound = 1;

    for (i = 0; i < set->feeds; i++)
        if (set->feed[i].source == s) {
            taken += set->feed[i].taken;
            bound = bound && (set->feed[i].piece || (!s->table && !s->pick));
        }
    if (bound && taken == s->picks)
        return DONE;
    return fail_columns(t, set, s);
}

/* Says where a word may have been meant as a number, or as no value. True if it may. */
static int note_word(const Trainer *t, const Source *s, size_t column, const Name *word)
{
    Span text = span_of(word->text);

    if (ngrt_csv_nearly(text))
        ngrt_trainer_note(t,
                          "%s: column %zu is taken as words: '%.40s' in line %zu is not a number",
                          s->path, column, word->text, word->line);
    else if (t->form.missing == MISSING_ERROR && ngrt_csv_no_word(text))
        ngrt_trainer_note(t,
                          "%s: column %zu is taken as words, one of them '%.40s' in line %zu; with "
                          "--missing, a value is missing there",
                          s->path, column, word->text, word->line);
    else
        return 0;
    return 1;
}

/* Says where the words of a column may have been meant as something else, once for each column. */
static void note_words(const Trainer *t, const Source *s)
{
    size_t i, k;

    for (i = 0; s->table && i < s->picks; i++) {
        const Names *names = &s->table->column[s->pick[i]].names;

        for (k = 0; k < names->count; k++)
            if (note_word(t, s, s->pick[i], &names->name[k]))
                break;
    }
}

/* Checks that rows and columns of each file are just what its feeds take; sets the number of
 * rows. */
static int check_shapes(const Trainer *t, Set *set)
{
    const Source *first = NULL; /* whose rows all others must have */
    const char *name = NULL;    /* of its input */
    int i;
    int status = DONE;

    for (i = 0; i < set->feeds && !status; i++) {
        const Feed *f = &set->feed[i];
        size_t rows = f->source->rows;

        if (!f->batched) {
            status = check_whole(t, set, f);
            continue;
        }
        status = check_columns(t, set, f);
        if (status)
            return status;
        if (i == 0 || set->feed[i - 1].source != f->source)
            note_words(t, f->source);

        /* the first file says how many rows there are */
        if (!first) {
            first = f->source;
            name = f->input->name;
            set->rows = rows;
        }
        if (rows != set->rows && strcmp(first->path, f->source->path) == 0)
            return ngrt_trainer_fail(t, FILES, "%s: %s has %zu rows, %s has %zu", first->path, name,
                                     set->rows, f->input->name, rows);
        if (rows != set->rows)
            return ngrt_trainer_fail(t, FILES, "%s has %zu rows, %s has %zu", first->path,
                                     set->rows, f->source->path, rows);
        if (t->model->dims == 0 && rows != (size_t)f->input->shape[0])
            return ngrt_trainer_fail(t, FILES, "%s has %zu rows, but the input %s takes %d",
                                     f->source->path, rows, f->input->name, f->input->shape[0]);
    }
    if (!first)
        set->rows = 1;
    if (!status && set->rows > UINT32_MAX)
        status = ngrt_trainer_fail(t, FILES, "%s: over 2^32 rows", first->path);
    return status;
}

/* Is a value one that an input of whole numbers can have? */
static int is_in_range(const ngrt_tensor *x, double value)
{
    double lowest = INT32_MIN;
    double highest = INT32_MAX;

    if (x->limit > 0) {
        lowest = 0;
        highest = x->limit - 1;
    }
    return value >= lowest && value <= highest && value == floor(value); /* NaN is not */
}

/* Says which value of an int input is bad, with its place. */
static int fail_integer(const Trainer *t, const Feed *f, size_t row, size_t i, double value)
{
    char range[64] = "a whole number within 32 bits";

    if (f->input->limit > 0)
        snprintf(range, sizeof range, "a whole number in [0, %d)", f->input->limit);
    if (isnan(value) && f->source->table)
        return ngrt_columns_fail(t, f, row, i, "a value of %s is missing, and has no mean",
                                 f->input->name);
    return ngrt_columns_fail(t, f, row, i, "%s is %.9g, but must be %s", f->input->name, value,
                             range);
}

/* Can a file hold what an input cannot? A table that is kept as floats has refused what is too
 * large for them. */
static int may_misfit(const Trainer *t, const Feed *f)
{
    if (f->input->type == NGRT_F32 && f->source->table)
        return t->form.wide;
    if (f->input->type == NGRT_F32)
        return f->source->data.type == NGRT_DATA_F64;
    return f->input->type == NGRT_I32;
}

static int check_value(const Trainer *t, const Feed *f, size_t row, size_t i, double value)
{
    if (f->input->type == NGRT_I32 && !is_in_range(f->input, value))
        return fail_integer(t, f, row, i, value);
    if (f->input->type == NGRT_F32 && is_too_large(value))
        return ngrt_columns_fail(t, f, row, i,
                                 "%s is %.9g, too large for a float of 32 bits (--real=double)",
                                 f->input->name, value);
    return DONE;
}

/* Checks that what an int input gets is whole and in its range, and that numbers for floats are not
 * too large. Classes are whole, but a missing one is not. */
static int check_values(const Trainer *t, const Feed *f)
{
    size_t width = row_elements(f);
    size_t row;
    size_t i;
    Feed each = *f;
    double *value;
    int status = DONE;

    if (!may_misfit(t, f))
        return DONE;
    value = ngrt_trainer_allocate(width, sizeof *value);
    if (!value)
        return ngrt_trainer_no_memory(t);
    /* all elements of a row at once, also of an input that takes a whole file */
    each.width = width;
    for (row = 0; row < f->source->rows && !status; row++) {
        status = ngrt_rows_read(t, &each, row, value);
        for (i = 0; i < width && !status; i++)
            status = check_value(t, f, row, i, value[i]);
    }
    free(value);
    return status;
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

/* Fills the buffer of an input that gets a whole file. */
static int fill_whole(const Trainer *t, Feed *f)
{
    const Source *s = f->source;
    Feed row = *f;
    size_t i, k;
    size_t size = ngrt_type_size(f->input->type);
    double *value;
    int status = DONE;

    if (!s->table && s->data.at && !s->pick) {
        ngrt_data_copy(&s->data, 0, f->width, f->input->type, f->buffer);
        return DONE;
    }
    /* row by row: words become numbers, and columns are picked */
    row.width = s->picks;
    value = ngrt_trainer_allocate(s->picks, sizeof *value);
    if (!value)
        return ngrt_trainer_no_memory(t);
    for (i = 0; i < s->rows && !status; i++) {
        ngrt_data data = {.type = NGRT_DATA_F64, .at = value};

        status = ngrt_rows_read(t, &row, i, value);
        for (k = 0; k < s->picks && !status; k++)
            ngrt_data_copy(&data, k, 1, f->input->type,
                           (char *)f->buffer + (i * s->picks + k) * size);
    }
    free(value);
    return status;
}

/* Makes the buffer of an input, and fills it if it stays as it is. */
static int make_buffer(const Trainer *t, const Set *set, Feed *f)
{
    size_t rows = f->batched ? set->batch : 1;
    size_t size = ngrt_type_size(f->input->type);

    if (f->width > SIZE_MAX / size / rows)
        return ngrt_trainer_no_memory(t);
    f->buffer = ngrt_trainer_allocate(rows * f->width, size);
    f->row = ngrt_trainer_allocate(f->width, sizeof(double));
    if (!f->buffer || !f->row)
        return ngrt_trainer_no_memory(t);
    if (f->batched)
        return DONE;
    return fill_whole(t, f);
}

/* Makes the buffers, and puts their addresses and the run-time sizes into the inputs block. */
static int make_buffers(const Trainer *t, Set *set)
{
    const ngrt_model *m = t->model;
    int i;

    for (i = 0; i < set->feeds; i++) {
        Feed *f = &set->feed[i];

        int status = make_buffer(t, set, f);

        if (status)
            return status;
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

int ngrt_set_bind(Trainer *t, Set *set, long batch)
{
    int i, status;

    set->no_targets = t->command == PREDICT;
    status = ngrt_source_read(t, set);
    if (!status)
        status = allocate(t, set);
    if (status)
        return status;
    for (i = 0; i < set->sources; i++)
        set->source[i].in_order = (size_t)i;

    /* who takes columns is known first; then the feeds, and then their rows are checked */
    choose_inputs(t, set);
    status = bind_inputs(t, set);
    if (!status)
        status = check_shapes(t, set);
    for (i = 0; i < set->feeds && !status; i++)
        status = check_values(t, &set->feed[i]);
    if (status)
        return status;

    set->batch = batch_rows(t, set, batch);
    return make_buffers(t, set);
}

int ngrt_set_part(const Trainer *t, const Set *whole, Set *part, uint32_t *index, size_t rows,
                  long batch)
{
    size_t bytes = (size_t)t->model->tensors * sizeof *part->feed;
    int i;

    /* files and columns are the whole's; rows, buffers and the pass are its own */
    *part = *whole;
    part->borrowed = 1;
    part->index = index;
    part->rows = rows;
    part->ahead = NULL;
    memset(&part->pass, 0, sizeof part->pass);
    part->feed = NULL;
    part->inputs = ngrt_trainer_allocate(1, t->model->sizeof_inputs);
    if (part->inputs)
        part->feed = ngrt_trainer_allocate(1, bytes);
    if (!part->feed)
        return ngrt_trainer_no_memory(t);
    memcpy(part->inputs, whole->inputs, t->model->sizeof_inputs);
    memcpy(part->feed, whole->feed, bytes);
    for (i = 0; i < part->feeds; i++) {
        part->feed[i].buffer = part->feed[i].row = NULL;
        part->feed[i].sub = part->feed[i].mul = NULL;
        part->feed[i].fine = 0;
    }
    part->batch = batch_rows(t, part, batch);
    return make_buffers(t, part);
}

static void free_pieces(Feed *f)
{
    size_t i;

    for (i = 0; i < f->taken && f->piece; i++)
        free(f->piece[i].index);
    free(f->piece);
}

void ngrt_set_free(Set *set)
{
    int i;

    ngrt_ahead_end(set);
    for (i = 0; i < set->feeds && set->feed; i++) {
        free(set->feed[i].buffer);
        free(set->feed[i].row);
        free(set->feed[i].sub);
        free(set->feed[i].mul);
        if (!set->borrowed)
            free_pieces(&set->feed[i]);
    }
    ngrt_rows_free(set);
    if (!set->borrowed)
        ngrt_source_free(set);
    free(set->feed);
    free(set->inputs);
    free(set->index);
    memset(set, 0, sizeof *set);
}
