/* predict.c - `predict`: the outputs of a model for all rows of the data, as CSV or in NumPy's
 * formats. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

typedef struct Result { /* an output for all rows */
    const ngrt_tensor *tensor;
    int axis;                  /* that runs over the rows; -1: none does */
    size_t outer, piece, size; /* pieces of a row, bytes of one, and of an element */
    size_t shape[8];           /* for all rows */
    size_t rows; /* lines of the table: rows of the data, or those of an output without them */
    char *at;
} Result;

/* The axis of the batch, and the sizes at the run-time sizes and all rows. */
static int set_up(const Trainer *t, Result *r, const ngrt_tensor *x)
{
    const ngrt_model *m = t->model;
    size_t batched = 1, total = 1;
    int i;
    r->tensor = x;
    r->axis = -1;
    r->outer = r->piece = 1;
    r->size = x->type == NGRT_F64 ? 8 : 4;
    for (i = 0; i < x->rank; i++) {
        int d = x->dim[i];
        size_t unit = d < 0 ? (size_t)x->shape[i] : (size_t)(x->shape[i] / m->dim[d].max);
        int rows = d == 0 && r->axis < 0 && unit == 1;
        r->shape[i] = rows     ? t->train.rows
                      : d == 0 ? unit * t->train.rows
                      : d < 0  ? unit
                               : unit * (size_t)t->size[d];
        if (d == 0 && !rows)
            batched = 0;
        if (rows)
            r->axis = i;
        else if (r->axis < 0)
            r->outer *= r->shape[i];
        else
            r->piece *= r->shape[i];
        total *= r->shape[i];
    }
    if ((r->axis < 0 || !batched) && t->train.rows > t->train.batch)
        return ngrt_trainer_fail(
            t, USAGE,
            "the output %s is one for a whole batch, and the %zu rows of the data are %zu batches",
            x->name, t->train.rows, (t->train.rows + t->train.batch - 1) / t->train.batch);
    if (r->axis < 0) {
        r->rows = x->rank > 1 ? total / r->shape[x->rank - 1] : 1;
        r->piece = total;
        r->outer = 1;
    } else {
        r->rows = t->train.rows;
    }
    r->piece *= r->size;
    r->at = ngrt_trainer_allocate(total, r->size);
    return r->at ? DONE : ngrt_trainer_no_memory(t);
}

/* Copies what predict left for count rows. */
static void gather(const Trainer *t, const Result *r, size_t first, size_t count)
{
    const char *from = t->work + r->tensor->offset;
    size_t o, rows = r->axis < 0 ? 1 : t->train.rows, n = r->axis < 0 ? 1 : count;
    for (o = 0; o < r->outer; o++)
        memcpy(r->at + (o * rows + first) * r->piece, from + o * n * r->piece, n * r->piece);
}

static int predict_all(Trainer *t, Result *result, int results)
{
    Set *set = &t->train;
    size_t first, count;
    int i, error;
    for (first = 0; first < set->rows; first += count) {
        count = ngrt_set_batch(set, first);
        ngrt_set_fill(t, set, NULL, first, count);
        error = t->model->predict(t->params, t->state, set->inputs, t->work);
        if (error)
            return ngrt_trainer_fail(t, FAILED, "prediction: %s", ngrt_strerror(error));
        for (i = 0; i < results; i++)
            gather(t, &result[i], first, count);
    }
    return DONE;
}

/* ---- writing ---- */

static int add_number(Bytes *b, const Result *r, const char *at)
{
    float single;
    double wide;
    int32_t whole;
    if (r->tensor->type == NGRT_I32)
        return memcpy(&whole, at, 4), ngrt_bytes_print(b, "%ld", (long)whole);
    if (r->tensor->type == NGRT_F32)
        return memcpy(&single, at, 4), ngrt_bytes_print(b, "%.9g", (double)single);
    return memcpy(&wide, at, 8), ngrt_bytes_print(b, "%.17g", wide);
}

/* The elements that an output has in a line of the table; the comma before them unless they are the
 * first. */
static int add_cells(Bytes *b, const Result *r, size_t row, int comma)
{
    size_t o, i, pieces = r->axis < 0 ? r->piece / r->size / r->rows : r->piece / r->size;
    int good = 1;
    for (o = 0; o < r->outer && good; o++)
        for (i = 0; i < pieces && good; i++, comma = 1)
            good = (!comma || ngrt_bytes_add(b, ",", 1)) &&
                   add_number(b, r, r->at + ((o * r->rows + row) * pieces + i) * r->size);
    return good;
}

/* The table: the outputs of a row side by side. */
static int write_table(const Trainer *t, const Result *result, int results)
{
    Bytes b = {0};
    Writer out;
    ngrt_message message = {"out of memory"};
    size_t row;
    int i, good = 1, error = NGRT_ENOMEM;
    for (row = 0; row < result[0].rows && good; row++) {
        for (i = 0; i < results && good; i++)
            good = add_cells(&b, &result[i], row, i > 0);
        good = good && ngrt_bytes_add(&b, "\n", 1);
    }
    if (good && t->out_path && strcmp(t->out_path, "-") != 0) {
        error = ngrt_file_begin(&out, t->out_path, &message);
        if (!error) {
            ngrt_file_put(&out, b.at, b.size);
            error = ngrt_file_end(&out, &message);
        }
    } else if (good) {
        error = fwrite(b.at, 1, b.size, stdout) == b.size && fflush(stdout) == 0
                    ? NGRT_OK
                    : ngrt_fail(&message, NGRT_EIO, "standard output: %s", strerror(errno));
    }
    ngrt_bytes_free(&b);
    return error ? ngrt_trainer_fail(t, FILES, "%s", message.text) : DONE;
}

/* An array for each output. */
static int write_arrays(const Trainer *t, const Result *result, int results,
                        int (*write)(const Archive *, ngrt_message *))
{
    static const int type[] = {
        [NGRT_F32] = NGRT_DATA_F32, [NGRT_F64] = NGRT_DATA_F64, [NGRT_I32] = NGRT_DATA_I32};
    Archive a = {.path = t->out_path};
    ngrt_message message = {"out of memory"};
    int i, k, error = NGRT_OK;
    for (i = 0; i < results && !error; i++) {
        const ngrt_tensor *x = result[i].tensor;
        Stored *s = ngrt_archive_add(&a, x->name, strlen(x->name));
        if (!s) {
            error = NGRT_ENOMEM;
            break;
        }
        s->data.type = type[x->type];
        s->data.rank = x->rank;
        s->data.rows = s->data.columns = 1;
        for (k = 0; k < x->rank; k++)
            s->data.columns *= s->data.shape[k] = result[i].shape[k];
        s->data.at = result[i].at;
    }
    if (!error)
        error = write(&a, &message);
    ngrt_archive_free(&a);
    return error ? ngrt_trainer_fail(t, FILES, "%s", message.text) : DONE;
}

static int write_results(const Trainer *t, const Result *result, int results)
{
    int i;
    if (ngrt_path_ends(t->out_path, ".npz"))
        return write_arrays(t, result, results, ngrt_npz_write);
    if (ngrt_path_ends(t->out_path, ".npy"))
        return write_arrays(t, result, results, ngrt_npy_write);
    for (i = 1; i < results; i++)
        if (result[i].rows != result[0].rows)
            return ngrt_trainer_fail(
                t, USAGE,
                "the outputs %s and %s are no table: they have %zu and %zu rows; write them to a .npz file",
                result[0].tensor->name, result[i].tensor->name, result[0].rows, result[i].rows);
    return write_table(t, result, results);
}

int ngrt_trainer_predict(Trainer *t)
{
    Result *result = ngrt_trainer_allocate((size_t)t->model->tensors, sizeof *result);
    int i, results = 0, status = DONE;
    if (!result)
        return ngrt_trainer_no_memory(t);
    for (i = 0; i < t->model->tensors && !status; i++)
        if (t->model->tensor[i].role == NGRT_OUTPUT)
            status = set_up(t, &result[results++], &t->model->tensor[i]);
    if (!status)
        status = predict_all(t, result, results);
    if (!status)
        status = write_results(t, result, results);
    for (i = 0; i < results; i++)
        free(result[i].at);
    free(result);
    return status;
}
