/* predict.c - `predict`: the outputs of a model for all rows of the data, as CSV or in NumPy's
 * formats. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

/* An output for all rows. Its elements are `outer` pieces for each row; in the model's memory, and
 * here, piece o of all rows is one block. */
typedef struct Result {
    const ngrt_tensor *tensor;
    int axis;        /* that runs over the rows; -1: none does */
    size_t outer;    /* pieces of a row */
    size_t piece;    /* bytes of a piece */
    size_t size;     /* bytes of an element */
    size_t shape[8]; /* for all rows */
    size_t rows;     /* lines of the table: rows of the data, or those of an output without them */
    char *at;        /* the elements */
} Result;

/* ---- shapes ---- */

/* Sets the size of an axis at the run-time sizes and all rows of the data. Is it the axis of the
 * rows? Only the first that has one place for each row is. */
static int set_size(const Trainer *t, Result *r, int axis)
{
    const ngrt_tensor *x = r->tensor;
    size_t unit;

    if (x->dim[axis] != 0) {
        r->shape[axis] = ngrt_axis_length(t, x, axis);
        return 0;
    }
    /* an axis may have several places for each row, as one of 2 * B */
    unit = (size_t)(x->shape[axis] / t->model->dim[0].max);
    r->shape[axis] = unit * t->part[TRAINING].rows;
    return r->axis < 0 && unit == 1;
}

/* Finds the axis of the rows, the sizes and the pieces. False if the output is one for a whole
 * batch: it has no such axis, or another axis that depends on the batch. */
static int set_shape(const Trainer *t, Result *r)
{
    const ngrt_tensor *x = r->tensor;
    int i, by_row = 1;

    r->axis = -1;
    r->outer = r->piece = 1;
    for (i = 0; i < x->rank; i++) {
        if (set_size(t, r, i)) {
            r->axis = i;
            continue;
        }
        if (x->dim[i] == 0 || ngrt_axis_is_of_batch(t, x, i))
            by_row = 0;
        if (r->axis < 0)
            r->outer *= r->shape[i];
        else
            r->piece *= r->shape[i];
    }
    return by_row && r->axis >= 0;
}

/* Makes the result of an output. */
static int set_up(const Trainer *t, Result *r, const ngrt_tensor *x)
{
    size_t rows = t->part[TRAINING].rows;
    size_t batch = t->part[TRAINING].batch;
    size_t total = 1;
    int i;

    r->tensor = x;
    r->size = x->type == NGRT_F64 ? 8 : 4;
    if (!set_shape(t, r) && rows > batch)
        return ngrt_trainer_fail(
            t, USAGE,
            "the output %s is one for a whole batch, and the %zu rows of the data are %zu batches",
            x->name, rows, (rows + batch - 1) / batch);

    for (i = 0; i < x->rank; i++)
        total *= r->shape[i];
    if (r->axis < 0) { /* one piece; in the table a line for each of its last axis */
        if (x->rank > 1)
            r->rows = total / r->shape[x->rank - 1];
        else
            r->rows = 1;
        r->outer = 1;
        r->piece = total;
    } else {
        r->rows = rows;
    }
    r->piece *= r->size;

    r->at = ngrt_trainer_allocate(total, r->size);
    if (r->at)
        return DONE;
    return ngrt_trainer_no_memory(t);
}

/* ---- the outputs ---- */

/* Copies what predict left for `count` rows from row `first`. */
static void gather(const Trainer *t, const Result *r, size_t first, size_t count)
{
    const char *from = t->work + r->tensor->offset;
    size_t rows = t->part[TRAINING].rows;
    size_t o;

    if (r->axis < 0)
        rows = count = 1;
    /* [outer][count][piece] of the batch goes into [outer][rows][piece] of all rows */
    for (o = 0; o < r->outer; o++)
        memcpy(r->at + (o * rows + first) * r->piece, from + o * count * r->piece,
               count * r->piece);
}

static int predict_all(Trainer *t, Result *result, int results)
{
    Set *set = &t->part[TRAINING];
    size_t first, count;
    int i;
    int error;
    int status = ngrt_rows_begin(t, set, 0, 0);

    for (first = 0; first < set->rows && !status; first += count) {
        count = ngrt_set_batch(set, first);
        status = ngrt_set_fill(t, set, first, count);
        if (status)
            return status;
        ngrt_draws_shift(t, (int64_t)first);
        error = t->model->predict(t->params, t->state, set->inputs, t->work);
        ngrt_draws_shift(t, -(int64_t)first);
        if (error)
            return ngrt_trainer_fail(t, FAILED, "prediction: %s", ngrt_strerror(error));
        /* the next batch overwrites the work block */
        for (i = 0; i < results; i++)
            gather(t, &result[i], first, count);
    }
    return status;
}

/* ---- a table ---- */

/* Adds an element, with as many digits as give the same bits back. */
static int add_number(Bytes *b, const Result *r, size_t element)
{
    static const char *const format[] = {
        [NGRT_F32] = "%.9g", [NGRT_F64] = "%.17g", [NGRT_I32] = "%.0f"};
    int type = r->tensor->type;
    ngrt_data data = {.type = ngrt_element_of(type), .at = r->at};

    return ngrt_bytes_print(b, format[type], ngrt_data_value(&data, element));
}

/* ---- names of classes ---- */

typedef struct Labels {    /* of the input that had words in training */
    const char *input;     /* NULL: there is none */
    const PrepColumn *of;  /* its words */
    const Result *decides; /* the output that says which word it is, by its largest element */
} Labels;

/* The elements of an output in a line of the table. */
static size_t line_elements(const Result *r)
{
    size_t elements = r->outer * (r->piece / r->size);
    if (r->axis < 0)
        return elements / r->rows;
    return elements;
}

/* Does an output say which of two words or more it is? limit: the classes of the input, or 0. */
static int decides(const Result *r, const PrepColumn *c, int limit)
{
    size_t elements = line_elements(r);

    if (r->axis < 0 || r->tensor->type == NGRT_I32)
        return r->axis >= 0 && elements == 1;
    if (elements == 1)
        return c->words == 2;
    return elements == c->words || (elements > c->words && elements == (size_t)limit);
}

/* Finds the words of the labels, and the first output that decides. */
static Labels find_labels(const Trainer *t, const Result *result, int results)
{
    Labels l = {0};
    int i, k;

    for (i = 0; i < t->prep.inputs && !l.input; i++) {
        const PrepInput *x = &t->prep.input[i];
        const ngrt_tensor *input = ngrt_find_input_name(t->model, x->name);

        if (!input || !(input->flags & NGRT_TARGET) || x->columns != 1 || x->column[0].words < 2)
            continue;
        /* a model may have scores, and then probabilities: either has its largest at the same class
         */
        for (k = 0; k < results && !l.decides; k++)
            if (decides(&result[k], &x->column[0], input->limit))
                l.decides = &result[k];
        l.of = &x->column[0];
        l.input = l.decides ? x->name : NULL;
    }
    return l;
}

/* Adds a cell of words: in quotes where it needs them. */
static int add_word(Bytes *b, const char *word)
{
    int good = 1;

    if (!strpbrk(word, ",;\"\n\t") && *word != ' ')
        return ngrt_bytes_add(b, word, strlen(word));
    good = ngrt_bytes_add(b, "\"", 1);
    for (; *word && good; word++)
        good = ngrt_bytes_add(b, "\"\"", *word == '"') && ngrt_bytes_add(b, word, 1);
    return good && ngrt_bytes_add(b, "\"", 1);
}

/* The index of the word that a line of the table is of; -1: of none. */
static long decide(const Labels *l, size_t row)
{
    const Result *r = l->decides;
    ngrt_data data = {.type = ngrt_element_of(r->tensor->type), .at = r->at};
    size_t elements = line_elements(r);
    size_t piece = elements / r->outer;
    size_t best = 0, i;
    double highest = 0;

    if (elements == 1) {
        double v = ngrt_data_value(&data, row);

        if (r->tensor->type == NGRT_I32)
            return v >= 0 && v < (double)l->of->words ? (long)v : -1;
        return v >= 0.5;
    }
    /* element i of the line is in piece i / piece, which lies with those of other rows */
    for (i = 0; i < elements; i++) {
        size_t element = (i / piece * r->rows + row) * piece + i % piece;
        double v = ngrt_data_value(&data, element);

        if (i == 0 || v > highest) {
            highest = v;
            best = i;
        }
    }
    return best < l->of->words ? (long)best : -1; /* the model may have more classes */
}

/* Adds the first line of a table with words: a name for each column. */
static int add_header(Bytes *b, const Labels *l, const Result *result, int results)
{
    int k, good = 1;
    size_t i;

    for (k = 0; k < results && good; k++) {
        size_t elements = line_elements(&result[k]);
        const char *name = result[k].tensor->name;

        for (i = 0; i < elements && good; i++) {
            if (elements == 1)
                good = ngrt_bytes_print(b, "%.400s", name);
            else if (&result[k] == l->decides && i < l->of->words)
                good = add_word(b, l->of->word[i]);
            else
                good = ngrt_bytes_print(b, "%.400s_%zu", name, i);
            good = good && ngrt_bytes_add(b, ",", 1);
        }
    }
    return good && add_word(b, *l->of->name ? l->of->name : l->input) && ngrt_bytes_add(b, "\n", 1);
}

/* Adds the last cell of a line: the word. */
static int add_label(Bytes *b, const Labels *l, size_t row)
{
    long word = decide(l, row);

    return ngrt_bytes_add(b, ",", 1) && (word < 0 || add_word(b, l->of->word[word]));
}

/* ---- lines ---- */

/* Adds the elements that an output has in a line of the table. `comma`: others are before them. */
static int add_cells(Bytes *b, const Result *r, size_t row, int comma)
{
    size_t elements = line_elements(r) / r->outer; /* of a piece in a line */
    size_t o, i;

    for (o = 0; o < r->outer; o++)
        for (i = 0; i < elements; i++) {
            size_t element = (o * r->rows + row) * elements + i;

            if (comma && !ngrt_bytes_add(b, ",", 1))
                return 0;
            if (!add_number(b, r, element))
                return 0;
            comma = 1;
        }
    return 1;
}

/* Adds all lines: the outputs of a row side by side. Where labels are words, there is a first line
 * with names, and a last column with the word. */
static int add_table(Bytes *b, const Trainer *t, const Result *result, int results)
{
    Labels l = find_labels(t, result, results);
    size_t row;
    int i;

    if (l.input && !add_header(b, &l, result, results))
        return 0;
    for (row = 0; row < result[0].rows; row++) {
        for (i = 0; i < results; i++)
            if (!add_cells(b, &result[i], row, i > 0))
                return 0;
        if (l.input && !add_label(b, &l, row))
            return 0;
        if (!ngrt_bytes_add(b, "\n", 1))
            return 0;
    }
    return 1;
}

/* Writes bytes to a file, or to standard output. */
static int put_bytes(const Bytes *b, const char *path, ngrt_message *message)
{
    Writer out;
    int error;

    if (!path || strcmp(path, "-") == 0) {
        if (fwrite(b->at, 1, b->size, stdout) == b->size && fflush(stdout) == 0)
            return NGRT_OK;
        return ngrt_fail(message, NGRT_EIO, "standard output: %s", strerror(errno));
    }
    error = ngrt_file_begin(&out, path, message);
    if (error)
        return error;
    ngrt_file_put(&out, b->at, b->size);
    return ngrt_file_end(&out, message);
}

static int write_table(const Trainer *t, const Result *result, int results)
{
    Bytes b = {0};
    ngrt_message message = {"out of memory"};
    int i;
    int error = NGRT_ENOMEM;

    for (i = 1; i < results; i++)
        if (result[i].rows != result[0].rows)
            return ngrt_trainer_fail(
                t, USAGE,
                "the outputs %s and %s do not make a table: they have %zu and %zu rows; write them "
                "to a .npz file",
                result[0].tensor->name, result[i].tensor->name, result[0].rows, result[i].rows);

    if (add_table(&b, t, result, results))
        error = put_bytes(&b, t->out_path, &message);
    ngrt_bytes_free(&b);
    if (error)
        return ngrt_trainer_fail(t, FILES, "%s", message.text);
    return DONE;
}

/* ---- arrays ---- */

/* Adds an output to an archive, where its elements are; false without memory. */
static int add_array(Archive *a, const Result *r)
{
    const ngrt_tensor *x = r->tensor;
    Stored *s = ngrt_archive_add(a, x->name, strlen(x->name));
    int i;

    if (!s)
        return 0;
    s->data.type = ngrt_element_of(x->type);
    s->data.rank = x->rank;
    s->data.rows = s->data.columns = 1;
    for (i = 0; i < x->rank; i++) {
        s->data.shape[i] = r->shape[i];
        s->data.columns *= r->shape[i];
    }
    s->data.at = r->at;
    return 1;
}

/* Writes an array for each output. */
static int write_arrays(const Trainer *t, const Result *result, int results,
                        int (*write)(const Archive *, ngrt_message *))
{
    Archive a = {.path = t->out_path};
    ngrt_message message = {"out of memory"};
    int i;
    int error = NGRT_OK;

    for (i = 0; i < results && !error; i++)
        if (!add_array(&a, &result[i]))
            error = NGRT_ENOMEM;
    if (!error)
        error = write(&a, &message);
    ngrt_archive_free(&a);
    if (error)
        return ngrt_trainer_fail(t, FILES, "%s", message.text);
    return DONE;
}

/* ---- the command ---- */

static int write_results(const Trainer *t, const Result *result, int results)
{
    if (ngrt_path_ends(t->out_path, ".npz"))
        return write_arrays(t, result, results, ngrt_npz_write);
    if (ngrt_path_ends(t->out_path, ".npy"))
        return write_arrays(t, result, results, ngrt_npy_write);
    return write_table(t, result, results);
}

int ngrt_trainer_predict(Trainer *t)
{
    const ngrt_model *m = t->model;
    Result *result = ngrt_trainer_allocate((size_t)m->tensors, sizeof *result);
    int i;
    int results = 0;
    int status = DONE;

    if (!result)
        return ngrt_trainer_no_memory(t);

    for (i = 0; i < m->tensors && !status; i++)
        if (m->tensor[i].role == NGRT_OUTPUT)
            status = set_up(t, &result[results++], &m->tensor[i]);
    if (!status)
        status = predict_all(t, result, results);
    if (!status)
        status = write_results(t, result, results);

    for (i = 0; i < results; i++)
        free(result[i].at);
    free(result);
    return status;
}
