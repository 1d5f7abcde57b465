/* train.c - mini-batch training of any model by its descriptor: command line -> data files -> epochs -> results.
 *
 * The data of each set (training, validation) is bound to the model's inputs once: a Feed says which columns of which
 * file make one input. For each batch the feeds gather rows into the input's buffer, converted to its type.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ngrt_host.h"

enum { DONE = 0, FAILED = 1, USAGE = 2, FILES = 3 }; /* exit status */
enum { MAX_DIMS = 8 };
enum { SHUFFLE_STREAM = 0x40000000 }; /* plus the epoch: the stream of its order, above those of initializers */

typedef struct Source { /* a file, for one input or for all that are left */
    const ngrt_tensor *input;   /* NULL: the inputs that no file is named for */
    const char *path;
    ngrt_data data;
} Source;

typedef struct Feed { /* where an input's elements come from */
    const ngrt_tensor *input;
    const Source *source;
    int batched;        /* one of its axes runs over rows; otherwise it gets the whole file, once */
    size_t column;      /* first column of the source */
    size_t width;       /* elements that a row gives */
    size_t outer;       /* pieces of a row: the product of the axes before that of the rows */
    void *buffer;
} Feed;

typedef struct Set { /* a data set, bound to the inputs */
    const char *option; /* "--data" */
    Source *source;
    int sources;
    Feed *feed;
    int feeds;
    size_t rows;
    size_t batch;       /* rows the buffers have room for */
    char *inputs;       /* the model's inputs block */
} Set;

typedef struct Value { /* a loss or metric, gathered over batches */
    const ngrt_tensor *tensor;
    double train, val;  /* sums, weighted by rows unless NGRT_SUM; averages once finished */
} Value;

typedef struct Trainer {
    const ngrt_model *model;
    const char *program;
    Set train, val;
    char **assign;      /* NAME=value */
    int assigns;
    int size[MAX_DIMS]; /* of each run-time size; that of the batch is set for each batch */
    long epochs, batch;
    uint64_t seed;
    int shuffle, quiet;
    const char *log_path;
    FILE *log;
    char *params, *state, *work;
    Value *value;
    int values;
    size_t *order;      /* of the training rows */
    long steps;         /* done so far */
} Trainer;

static const char usage[] =
    "usage: %s [--data FILE] [options] [NAME=value ...]\n"
    "  --data FILE             the columns fill the model's inputs in the order of their declaration\n"
    "  --data NAME=FILE,...    a file for each input; CSV, IDX or NumPy, also compressed by gzip\n"
    "                          none for a model that makes its data itself: an epoch is then one step\n"
    "  --val ...               validation data in the same forms, evaluated after each epoch\n"
    "  --epochs N              passes over the data (10)\n"
    "  --batch N               rows in a step (the model's bound, or all rows if there are fewer)\n"
    "  --seed N                of the initial parameters and of the order of rows (1)\n"
    "  --no-shuffle            rows in the order of the file\n"
    "  --log=FILE.csv          the values of each epoch\n"
    "  --quiet                 nothing but results and errors\n"
    "  NAME=value              a scalar input, or a run-time size other than the batch\n";

/* Prints an error; returns the status, so that a failure is one statement. */
static int fail(const Trainer *t, int status, const char *format, ...) {
    va_list arguments;
    fprintf(stderr, "%s: error: ", t->program);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    if (status == USAGE)
        fprintf(stderr, "%s: --help shows the options\n", t->program);
    return status;
}

static int fail_memory(const Trainer *t) {
    return fail(t, FAILED, "out of memory");
}

/* Zeroed memory, also for a size of 0. */
static void *allocate(size_t count, size_t size) {
    return calloc(count ? count : 1, size ? size : 1);
}

static size_t type_size(int type) {
    return type == NGRT_F64 ? 8 : 4;
}

/* ---- the command line ------------------------------------------------------------------------------------ */

/* The input whose name is the text's part before '=', or NULL. */
static const ngrt_tensor *find_input(const ngrt_model *m, const char *text) {
    size_t length = strcspn(text, "=");
    int i;
    for (i = 0; i < m->tensors; i++) {
        const ngrt_tensor *x = &m->tensor[i];
        if (text[length] == '=' && x->role == NGRT_INPUT && strlen(x->name) == length &&
            strncmp(x->name, text, length) == 0)
            return x;
    }
    return NULL;
}

/* Whether text begins NAME=, of letters, digits and underscores. */
static int has_name(const char *text) {
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    return length > 0 && text[length] == '=';
}

/* Adds the files of one --data or --val: FILE, or NAME=FILE,NAME=FILE. A comma separates only before a NAME=. */
static int add_sources(Trainer *t, Set *set, char *text) {
    while (text) {
        char *next = text;
        Source *grown = realloc(set->source, (size_t)(set->sources + 1) * sizeof *grown), source = { 0 };
        if (!grown)
            return fail_memory(t);
        set->source = grown;
        do
            next = strchr(next, ',');
        while (next && !has_name(++next));
        if (next)
            next[-1] = 0;
        source.input = find_input(t->model, text);
        if (!source.input && has_name(text) && access(text, F_OK) != 0)
            return fail(t, USAGE, "%s %s: the model %s has no input of that name", set->option, text, t->model->name);
        source.path = source.input ? strchr(text, '=') + 1 : text;
        set->source[set->sources++] = source;
        text = next;
    }
    return DONE;
}

/* A whole number from 0 on; false otherwise. */
static int read_count(const char *text, long *value) {
    char *end;
    errno = 0;
    *value = strtol(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == 0 && !errno;
}

/* If arg is the option name, sets *value to what follows it, as --name=value or as the next argument. */
static int take_option(const char *name, int argc, char **argv, int *i, char **value) {
    size_t length = strlen(name);
    if (strncmp(argv[*i], name, length) != 0)
        return 0;
    if (argv[*i][length] == '=') {
        *value = argv[*i] + length + 1;
        return 1;
    }
    if (argv[*i][length] != 0)
        return 0;
    *value = *i + 1 < argc ? argv[++*i] : NULL;
    return 1;
}

/* One option that takes a number. */
static int set_number(Trainer *t, const char *name, const char *text, long least, long *number) {
    if (!text || !read_count(text, number) || *number < least)
        return fail(t, USAGE, "%s takes a whole number from %ld on", name, least);
    return DONE;
}

/* One argument, and the one that belongs to it. */
static int parse_argument(Trainer *t, int argc, char **argv, int *i) {
    char *value = NULL;
    long number = 0;
    int status;
    if (take_option("--data", argc, argv, i, &value))
        return value ? add_sources(t, &t->train, value) : fail(t, USAGE, "--data takes a file");
    if (take_option("--val", argc, argv, i, &value))
        return value ? add_sources(t, &t->val, value) : fail(t, USAGE, "--val takes a file");
    if (take_option("--epochs", argc, argv, i, &value))
        return set_number(t, "--epochs", value, 0, &t->epochs);
    if (take_option("--batch", argc, argv, i, &value))
        return set_number(t, "--batch", value, 1, &t->batch);
    if (take_option("--seed", argc, argv, i, &value)) {
        status = set_number(t, "--seed", value, 0, &number);
        t->seed = (uint64_t)number;
        return status;
    }
    if (take_option("--log", argc, argv, i, &value)) {
        t->log_path = value;
        return value ? DONE : fail(t, USAGE, "--log takes a file");
    }
    if (strcmp(argv[*i], "--no-shuffle") == 0)
        return t->shuffle = 0, DONE;
    if (strcmp(argv[*i], "--quiet") == 0)
        return t->quiet = 1, DONE;
    if (argv[*i][0] == '-' || !has_name(argv[*i]))
        return fail(t, USAGE, "unknown argument: %s", argv[*i]);
    t->assign[t->assigns++] = argv[*i];
    return DONE;
}

/* Whether there is an input that gets its elements from a file. */
static int takes_data(const ngrt_model *m) {
    int i;
    for (i = 0; i < m->tensors; i++)
        if (m->tensor[i].role == NGRT_INPUT && m->tensor[i].rank > 0)
            return 1;
    return 0;
}

static int parse_arguments(Trainer *t, int argc, char **argv) {
    int i, status = DONE;
    for (i = 1; i < argc && !status; i++)
        status = parse_argument(t, argc, argv, &i);
    if (!status && !t->train.sources && takes_data(t->model))
        status = fail(t, USAGE, "no data: give --data FILE");
    return status;
}

/* Sets the run-time sizes from NAME=value where given, else to their bounds; checks the names of all assignments. */
static int set_sizes(Trainer *t) {
    const ngrt_model *m = t->model;
    int i, d;
    for (d = 0; d < m->dims; d++)
        t->size[d] = m->dim[d].max;
    for (i = 0; i < t->assigns; i++) {
        const char *text = t->assign[i], *value = strchr(text, '=') + 1;
        const ngrt_tensor *x = find_input(m, text);
        long size;
        for (d = 0; d < m->dims; d++)
            if (strlen(m->dim[d].name) == (size_t)(value - text - 1) &&
                strncmp(m->dim[d].name, text, (size_t)(value - text - 1)) == 0)
                break;
        if (d == 0 && m->dims > 0)
            return fail(t, USAGE, "%s: the batch is set by --batch", text);
        if (d < m->dims && (!read_count(value, &size) || size < 1 || size > m->dim[d].max))
            return fail(t, USAGE, "%s: must be from 1 to %d", text, m->dim[d].max);
        if (d < m->dims)
            t->size[d] = (int)size;
        else if (!x || x->rank > 0)
            return fail(t, USAGE, "%s: the model %s has no scalar input or run-time size of that name", text, m->name);
    }
    return DONE;
}

/* ---- binding data to inputs -------------------------------------------------------------------------------- */

/* The axis of x that runs over rows, or -1. Without run-time sizes it is the first, for a file without a name. */
static int row_axis(const ngrt_model *m, const ngrt_tensor *x, int named) {
    int i;
    if (m->dims == 0)
        return x->rank > 0 && !named ? 0 : -1;
    for (i = 0; i < x->rank; i++)
        if (x->dim[i] == 0)
            return i;
    return -1;
}

/* The length of an axis for one row (its own axis counts as one), at the run-time sizes. */
static size_t axis_length(const Trainer *t, const ngrt_tensor *x, int axis, int rows) {
    int d = x->dim[axis];
    if (axis == rows)
        return t->model->dims ? (size_t)(x->shape[axis] / t->model->dim[0].max) : 1;
    return d < 0 ? (size_t)x->shape[axis] : (size_t)(x->shape[axis] / t->model->dim[d].max * t->size[d]);
}

/* The source for an input: the one of its name, else the one without a name. */
static const Source *find_source(const Set *set, const ngrt_tensor *x) {
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
static int fail_columns(const Trainer *t, const Set *set, const Source *s, size_t need) {
    char text[300] = "";
    int i;
    for (i = 0; i < set->feeds; i++)
        if (set->feed[i].source == s) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s%s %zu", used ? ", " : "", set->feed[i].input->name,
                     set->feed[i].width);
        }
    return fail(t, FILES, "%s: %zu columns, but the inputs take %zu: %s", s->path, s->data.columns, need, text);
}

/* Checks that rows and columns of each source are just what its feeds take; sets the number of rows. */
static int check_shapes(const Trainer *t, Set *set) {
    const char *first = NULL;
    int i, j;
    for (i = 0; i < set->feeds; i++) {
        const Feed *f = &set->feed[i];
        const ngrt_data *d = &f->source->data;
        size_t need = 0;
        if (!f->batched && f->input->rank > 1 && d->rank > 1 && d->rows != axis_length(t, f->input, 0, -1))
            return fail(t, FILES, "%s has %zu rows, but the input %s takes %zu", f->source->path, d->rows,
                        f->input->name, axis_length(t, f->input, 0, -1));
        if (!f->batched && d->rows * d->columns != f->width)
            return fail(t, FILES, "%s: %zu numbers, but the input %s takes %zu", f->source->path, d->rows * d->columns,
                        f->input->name, f->width);
        if (!f->batched)
            continue;
        for (j = 0; j < set->feeds; j++)
            need += set->feed[j].source == f->source ? set->feed[j].width : 0;
        if (need != d->columns)
            return fail_columns(t, set, f->source, need);
        if (!first)
            set->rows = d->rows, first = f->source->path;
        if (d->rows != set->rows)
            return fail(t, FILES, "%s has %zu rows, %s has %zu", first, set->rows, f->source->path, d->rows);
        if (t->model->dims == 0 && d->rows != (size_t)f->input->shape[0])
            return fail(t, FILES, "%s has %zu rows, but the input %s takes %d", f->source->path, d->rows,
                        f->input->name, f->input->shape[0]);
    }
    if (!first)
        set->rows = 1;
    return DONE;
}

/* Says which value of an int input is bad, with its line or row. */
static int fail_integer(const Trainer *t, const Feed *f, size_t row, double value) {
    const ngrt_data *d = &f->source->data;
    char range[64] = "a whole number within 32 bits";
    if (f->input->limit > 0)
        snprintf(range, sizeof range, "a whole number in [0, %d)", f->input->limit);
    return fail(t, FILES, d->line ? "%s:%zu: %s is %.9g, but must be %s" : "%s: row %zu: %s is %.9g, but must be %s",
                f->source->path, d->line ? d->line[row] : row + 1, f->input->name, value, range);
}

/* Checks that what an int input gets is whole and in its range. */
static int check_integers(const Trainer *t, const Feed *f) {
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

/* Adds the feed of a tensor input; columns of the file without a name are given out in order. */
static int add_feed(const Trainer *t, Set *set, const ngrt_tensor *x, size_t *column) {
    Feed *f = &set->feed[set->feeds];
    int axis, i;
    f->input = x;
    f->source = find_source(set, x);
    if (!f->source)
        return fail(t, USAGE, "the input %s has no data: give %s %s=FILE", x->name, set->option, x->name);
    axis = row_axis(t->model, x, f->source->input != NULL);
    f->batched = axis >= 0;
    if (!f->batched && !f->source->input)
        return fail(t, USAGE, "the input %s takes a file of its own: give %s %s=FILE", x->name, set->option, x->name);
    f->width = f->outer = 1;
    for (i = 0; i < x->rank; i++) {
        f->width *= axis_length(t, x, i, axis);
        f->outer *= i < axis ? axis_length(t, x, i, axis) : 1;
    }
    if (!f->source->input) {
        f->column = *column;
        *column += f->width;
    }
    set->feeds++;
    return DONE;
}

/* Puts the value of a scalar input into the inputs block. */
static int set_scalar(const Trainer *t, Set *set, const ngrt_tensor *x) {
    const char *text = NULL;
    char *end, *to = set->inputs + x->offset;
    double value;
    int i;
    for (i = 0; i < t->assigns; i++)
        text = find_input(t->model, t->assign[i]) == x ? strchr(t->assign[i], '=') + 1 : text;
    if (!text)
        return fail(t, USAGE, "the input %s has no value: give %s=value", x->name, x->name);
    value = strtod(text, &end);
    if (end == text || *end)
        return fail(t, USAGE, "%s=%s: not a number", x->name, text);
    if (x->type == NGRT_I32 && (value != floor(value) || fabs(value) > 2147483647.0))
        return fail(t, USAGE, "%s=%s: not a whole number", x->name, text);
    if (x->type == NGRT_I32)
        memcpy(to, &(int32_t){ (int32_t)value }, 4);
    else if (x->type == NGRT_F32)
        memcpy(to, &(float){ (float)value }, 4);
    else
        memcpy(to, &value, 8);
    return DONE;
}

/* Reads the files of a set; a file that is named twice is an error, for then one would be ignored. */
static int read_sources(const Trainer *t, Set *set) {
    ngrt_message message;
    int i, j;
    for (i = 0; i < set->sources; i++) {
        Source *s = &set->source[i];
        for (j = 0; j < i; j++)
            if (set->source[j].input == s->input)
                return fail(t, USAGE, "%s: two files for %s", set->option,
                            s->input ? s->input->name : "the inputs that have no file of their own");
        if (s->input && s->input->rank == 0)
            return fail(t, USAGE, "the input %s is a scalar: give %s=value", s->input->name, s->input->name);
        if (ngrt_data_read(&s->data, s->path, &message))
            return fail(t, FILES, "%s", message.text);
    }
    return DONE;
}

/* Makes the buffers, puts their addresses into the inputs block, and fills those that stay as they are. */
static int make_buffers(const Trainer *t, Set *set) {
    int i;
    for (i = 0; i < set->feeds; i++) {
        Feed *f = &set->feed[i];
        size_t rows = f->batched ? set->batch : 1, size = type_size(f->input->type);
        if (f->width > SIZE_MAX / size / rows || !(f->buffer = allocate(rows * f->width, size)))
            return fail_memory(t);
        memcpy(set->inputs + f->input->offset, &f->buffer, sizeof f->buffer);
        if (!f->batched)
            ngrt_data_copy(&f->source->data, 0, f->width, f->input->type, f->buffer);
    }
    for (i = 0; i < t->model->dims; i++)
        memcpy(set->inputs + t->model->dim[i].offset, &t->size[i], sizeof(int));
    return DONE;
}

/* Rows of a batch: as asked for, else as many as the model takes; never more than there are. */
static size_t batch_rows(const Trainer *t, const Set *set, long asked) {
    size_t most = t->model->dims ? (size_t)t->model->dim[0].max : set->rows;
    if (asked > 0 && (size_t)asked < most)
        most = (size_t)asked;
    return set->rows < most ? set->rows : most;
}

/* Reads a set's files and binds them to the model's inputs. */
static int bind_set(const Trainer *t, Set *set, long batch) {
    const ngrt_model *m = t->model;
    size_t column = 0;
    int i, status = read_sources(t, set);
    set->feed = allocate((size_t)m->tensors, sizeof *set->feed);
    set->inputs = allocate(1, m->sizeof_inputs);
    if (!set->feed || !set->inputs)
        return fail_memory(t);
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

static void free_set(Set *set) {
    int i;
    for (i = 0; i < set->feeds; i++)
        free(set->feed[i].buffer);
    for (i = 0; i < set->sources; i++)
        ngrt_data_free(&set->source[i].data);
    free(set->source);
    free(set->feed);
    free(set->inputs);
}

/* ---- running --------------------------------------------------------------------------------------------------- */

/* Gathers count rows, from place first of the order (NULL: as in the file), into the buffers.
 * A row is outer pieces; in the buffer, piece o of all rows stands together. */
static void fill_batch(const Trainer *t, Set *set, const size_t *order, size_t first, size_t count) {
    int rows = (int)count, i;
    size_t r, o;
    for (i = 0; i < set->feeds; i++) {
        Feed *f = &set->feed[i];
        const ngrt_data *d = &f->source->data;
        size_t piece = f->width / f->outer, size = piece * type_size(f->input->type);
        for (r = 0; f->batched && r < count; r++) {
            size_t from = (order ? order[first + r] : first + r) * d->columns + f->column;
            for (o = 0; o < f->outer; o++)
                ngrt_data_copy(d, from + o * piece, piece, f->input->type, (char *)f->buffer + (o * count + r) * size);
        }
    }
    if (t->model->dims)
        memcpy(set->inputs + t->model->dim[0].offset, &rows, sizeof rows);
}

/* A loss or metric as the model left it. */
static double read_value(const Trainer *t, const Value *v) {
    float value;
    double wide;
    if (v->tensor->type == NGRT_F64) {
        memcpy(&wide, t->work + v->tensor->offset, sizeof wide);
        return wide;
    }
    memcpy(&value, t->work + v->tensor->offset, sizeof value);
    return (double)value;
}

/* What a batch adds to the gathered value: weighted by its share of the rows, or as it is where batches are summed. */
static double share(const Trainer *t, const Value *v, size_t count, size_t rows) {
    double value = read_value(t, v);
    return v->tensor->flags & NGRT_SUM ? value : value * ((double)count / (double)rows);
}

/* Fisher and Yates's shuffle; its order depends on seed and epoch alone. (The remainder's bias is below rows/2^64.) */
static void shuffle(Trainer *t, long epoch) {
    size_t i;
    for (i = 0; i < t->train.rows; i++)
        t->order[i] = i;
    for (i = t->train.rows - 1; t->shuffle && t->train.batch < t->train.rows && i > 0; i--) {
        uint64_t bits = ngrt_random_bits(t->seed, SHUFFLE_STREAM + (uint32_t)epoch, i);
        size_t j = (size_t)(bits % (i + 1)), keep = t->order[i];
        t->order[i] = t->order[j];
        t->order[j] = keep;
    }
}

/* One pass of steps over the training data; gathers the losses that the steps return. */
static int train_epoch(Trainer *t, long epoch) {
    Set *set = &t->train;
    size_t first, count;
    int i, error;
    shuffle(t, epoch);
    for (i = 0; i < t->values; i++)
        t->value[i].train = 0.0;
    for (first = 0; first < set->rows; first += count) {
        count = set->rows - first < set->batch ? set->rows - first : set->batch;
        fill_batch(t, set, t->order, first, count);
        error = t->model->step(t->params, t->state, set->inputs, t->work);
        t->steps++;
        if (error)
            return fail(t, FAILED, "step %ld: %s", t->steps, ngrt_strerror(error));
        for (i = 0; i < t->values; i++) {
            Value *v = &t->value[i];
            if (v->tensor->role != NGRT_LOSS)
                continue;
            if (!isfinite(read_value(t, v)))
                return fail(t, FAILED, "step %ld (epoch %ld): %s is %g; training stopped", t->steps, epoch,
                            v->tensor->name, read_value(t, v));
            v->train += share(t, v, count, set->rows);
        }
    }
    return DONE;
}

/* Evaluates a set: into .val, or into .train those of the given role and above (losses come before metrics). */
static int evaluate(Trainer *t, Set *set, int val, int role) {
    size_t first, count;
    int i, error;
    for (i = 0; i < t->values; i++)
        if (val)
            t->value[i].val = 0.0;
        else if (t->value[i].tensor->role >= role)
            t->value[i].train = 0.0;
    for (first = 0; first < set->rows; first += count) {
        count = set->rows - first < set->batch ? set->rows - first : set->batch;
        fill_batch(t, set, NULL, first, count);
        error = t->model->eval(t->params, t->state, set->inputs, t->work);
        if (error)
            return fail(t, FAILED, "evaluation: %s", ngrt_strerror(error));
        for (i = 0; i < t->values; i++)
            if (val)
                t->value[i].val += share(t, &t->value[i], count, set->rows);
            else if (t->value[i].tensor->role >= role)
                t->value[i].train += share(t, &t->value[i], count, set->rows);
    }
    return DONE;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* " - name: 0.1234"; small values with an exponent, as Keras prints them. */
static void print_value(const char *prefix, const char *name, double value) {
    fprintf(stderr, fabs(value) >= 1e-3 || value == 0.0 ? " - %s%s: %.4f" : " - %s%s: %.4e", prefix, name, value);
}

/* The line of an epoch, in the log and on stderr; there, of many epochs, of every tenth, hundredth and so on. */
static int report_epoch(Trainer *t, long epoch, double time) {
    long every = 1;
    int i;
    while (t->epochs / every > 100)
        every *= 10;
    if (!t->quiet && (epoch % every == 0 || epoch == t->epochs)) {
        fprintf(stderr, "Epoch %ld/%ld - %.1fs", epoch, t->epochs, time);
        for (i = 0; i < t->values; i++)
            print_value("", t->value[i].tensor->name, t->value[i].train);
        for (i = 0; i < t->values && t->val.sources; i++)
            print_value("val_", t->value[i].tensor->name, t->value[i].val);
        fputc('\n', stderr);
    }
    if (!t->log)
        return DONE;
    fprintf(t->log, "%ld,%.3f", epoch, time);
    for (i = 0; i < t->values; i++)
        fprintf(t->log, ",%.9g", t->value[i].train);
    for (i = 0; i < t->values && t->val.sources; i++)
        fprintf(t->log, ",%.9g", t->value[i].val);
    if (fputc('\n', t->log) == EOF || fflush(t->log) != 0)
        return fail(t, FILES, "%s: %s", t->log_path, strerror(errno));
    return DONE;
}

static int open_log(Trainer *t) {
    int i;
    if (!t->log_path)
        return DONE;
    t->log = fopen(t->log_path, "w");
    if (!t->log)
        return fail(t, FILES, "%s: %s", t->log_path, strerror(errno));
    fprintf(t->log, "epoch,seconds");
    for (i = 0; i < t->values; i++)
        fprintf(t->log, ",%s", t->value[i].tensor->name);
    for (i = 0; i < t->values && t->val.sources; i++)
        fprintf(t->log, ",val_%s", t->value[i].tensor->name);
    fputc('\n', t->log);
    return DONE;
}

/* All epochs. The training data is evaluated after each for its metrics, if anyone will read them. */
static int train_epochs(Trainer *t) {
    long epoch;
    int status = DONE;
    for (epoch = 1; epoch <= t->epochs && !status; epoch++) {
        double start = seconds();
        int seen = !t->quiet || t->log;
        status = train_epoch(t, epoch);
        if (!status && seen)
            status = evaluate(t, &t->train, 0, NGRT_METRIC);
        if (!status && seen && t->val.sources)
            status = evaluate(t, &t->val, 1, NGRT_LOSS);
        if (!status)
            status = report_epoch(t, epoch, seconds() - start);
    }
    return status;
}

/* Losses and metrics of the trained model on the validation data, or else on the training data, to stdout. */
static int print_results(Trainer *t) {
    int val = t->val.sources > 0, i, status = evaluate(t, val ? &t->val : &t->train, val, NGRT_LOSS);
    for (i = 0; i < t->values && !status; i++)
        printf("%s: %.6g\n", t->value[i].tensor->name, val ? t->value[i].val : t->value[i].train);
    if (!status && (fflush(stdout) != 0 || ferror(stdout)))
        status = fail(t, FILES, "standard output: %s", strerror(errno));
    return status;
}

/* Allocates what the model needs, and lists its losses, then its metrics, that are scalars. */
static int prepare(Trainer *t) {
    const ngrt_model *m = t->model;
    int role, i;
    t->params = allocate(1, m->sizeof_params);
    t->state = allocate(1, m->sizeof_state);
    t->work = allocate(1, m->sizeof_work);
    t->value = allocate((size_t)m->tensors, sizeof *t->value);
    t->order = allocate(t->train.rows, sizeof *t->order);
    if (!t->params || !t->state || !t->work || !t->value || !t->order)
        return fail_memory(t);
    for (role = NGRT_LOSS; role <= NGRT_METRIC; role++)
        for (i = 0; i < m->tensors; i++)
            if (m->tensor[i].role == role && m->tensor[i].rank == 0)
                t->value[t->values++].tensor = &m->tensor[i];
    if (m->init)
        m->init(t->params, t->state, t->seed);
    return open_log(t);
}

/* What the model does not allow. */
static int check_model(const Trainer *t) {
    const ngrt_model *m = t->model;
    if (m->version != NGRT_MODEL_VERSION)
        return fail(t, USAGE, "the model has descriptor version %d, not %d", m->version, NGRT_MODEL_VERSION);
    if (!m->step || !m->eval)
        return fail(t, USAGE, "the model %s has nothing to train: no minimize or update", m->name);
    if (m->dims > MAX_DIMS)
        return fail(t, USAGE, "the model %s has over %d run-time sizes", m->name, MAX_DIMS);
    return DONE;
}

/* Whether the batch asked for fits the model. */
static int check_batch(const Trainer *t) {
    if (t->batch > 0 && t->model->dims == 0)
        return fail(t, USAGE, "--batch: the model %s has no run-time size; each step takes all rows", t->model->name);
    if (t->batch > 0 && t->batch > t->model->dim[0].max)
        return fail(t, USAGE, "--batch %ld is over the model's bound: %s <= %d", t->batch, t->model->dim[0].name,
                    t->model->dim[0].max);
    return DONE;
}

/* The steps of the program, up to the first that fails. */
static int run(Trainer *t, int argc, char **argv) {
    int status = check_model(t);
    if (!status)
        status = parse_arguments(t, argc, argv);
    if (!status)
        status = set_sizes(t);
    if (!status)
        status = check_batch(t);
    if (!status)
        status = bind_set(t, &t->train, t->batch);
    if (!status && t->val.sources)
        status = bind_set(t, &t->val, 0);
    if (!status)
        status = prepare(t);
    if (!status)
        status = train_epochs(t);
    return status ? status : print_results(t);
}

int ngrt_train_main(const ngrt_model *model, int argc, char **argv) {
    Trainer t = { .model = model, .program = argc > 0 ? argv[0] : model->name, .epochs = 10, .seed = 1, .shuffle = 1 };
    int i, status;
    for (i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            printf(usage, t.program);
            return fflush(stdout) == 0 ? DONE : FILES;
        }
    t.train.option = "--data";
    t.val.option = "--val";
    t.assign = allocate((size_t)argc, sizeof *t.assign);
    status = t.assign ? run(&t, argc, argv) : fail_memory(&t);
    if (t.log && fclose(t.log) != 0 && !status)
        status = fail(&t, FILES, "%s: %s", t.log_path, strerror(errno));
    free_set(&t.train);
    free_set(&t.val);
    free(t.assign);
    free(t.params);
    free(t.state);
    free(t.work);
    free(t.value);
    free(t.order);
    return status;
}
