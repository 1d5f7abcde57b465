/* data.c - `ngc explain --data`: files of numbers -> the model's inputs, bound as `ngc train
 * --data` binds them. FILE: its columns fill the tensor inputs in the order of their declaration.
 * NAME=FILE,NAME=FILE: each file is one input. FILE:0-3,7 takes these columns. The model is
 * explained with the first batch. All rows are kept for a page that trains. */
#include "run/run.h"

#include "../runtime/ngrt_host.h"
#include <stdlib.h>
#include <string.h>

/* A file, and the columns of it that are taken: F.csv, or F.csv:0-3,7. */
typedef struct File {
    const char *path;
    ngrt_data *data;
    const char *words; /* the columns as they were given, or NULL: all */
    int64_t *column;
    int64_t columns;
} File;

/* An input and where its numbers are. */
typedef struct Feed {
    Var *var;
    const File *file;
    bool own;       /* the file is for this input only */
    int axis;       /* runs over rows; -1: none */
    int64_t width;  /* elements in a row */
    int64_t column; /* the first of them among the columns of the file that are taken */
} Feed;

/* What --data names. */
typedef struct Files {
    Ngc *ngc;
    Model *m;
    Feed *feed;
    int feeds;
    const File *shared; /* of inputs that have no file of their own, or NULL */
} Files;

/* Reports an error. Returns the exit status. */
__attribute__((format(printf, 3, 4))) static int fail(Ngc *ngc, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(ngc, "%s", text_vformat(ngc, format, args));
    va_end(args);
    return status;
}

static Var *find_input(const Model *m, const char *name)
{
    for (int i = 0; i < m->vars; i++)
        if (m->var[i]->kind == VAR_INPUT && same_text(m->var[i]->name, name))
            return m->var[i];
    return NULL;
}

/* The length of NAME in "NAME=...", or 0. */
static size_t name_length(const char *text)
{
    size_t n = word_size(text);
    return text[n] == '=' ? n : 0;
}

/* The length of the first of several words. A comma separates words only before a NAME=. */
static size_t word_length(const char *text)
{
    const char *comma = strchr(text, ',');
    while (comma && !name_length(comma + 1))
        comma = strchr(comma + 1, ',');
    if (comma)
        return (size_t)(comma - text);
    return strlen(text);
}

/* Separates the columns from the name of a file, where no file has all of it as its name. */
static void split_columns(Ngc *ngc, File *f)
{
    const char *colon = strrchr(f->path, ':');
    FILE *whole = NULL;
    if (colon)
        whole = fopen(f->path, "rb");

    if (whole)
        fclose(whole);
    if (!colon || whole)
        return;
    f->words = colon + 1;
    f->path = text_format(ngc, "%.*s", (int)(colon - f->path), f->path);
}

/* Takes columns first to last. */
static void take_columns(Ngc *ngc, File *f, int64_t first, int64_t last)
{
    int64_t *more = arena_array(ngc, f->columns + last - first + 2, sizeof *more);
    for (int64_t i = 0; i < f->columns; i++)
        more[i] = f->column[i];
    for (int64_t i = first; i <= last; i++)
        more[f->columns++] = i;
    f->column = more;
}

/* Reads "3" or "0-3"; false: something else is there. */
static bool read_range(const char **text, int64_t *first, int64_t *last)
{
    char *end;
    if (!is_digit(**text))
        return false;
    *first = *last = strtoll(*text, &end, 10);
    if (*end == '-') {
        if (!is_digit(end[1]))
            return false;
        *last = strtoll(end + 1, &end, 10);
    }
    *text = end;
    return *end == ',' || *end == '\0';
}

/* The columns that are taken: numbers from 0, and ranges of them. Returns the exit status. */
static int choose_columns(Ngc *ngc, File *f)
{
    int64_t all = (int64_t)f->data->columns;
    const char *c = f->words;
    if (!c) {
        take_columns(ngc, f, 0, all - 1);
        return 0;
    }

    while (true) {
        int64_t first, last;
        if (!read_range(&c, &first, &last))
            return fail(ngc, 2,
                        "--data %s:%s: the columns of a lesson are numbers from 0, as in "
                        "x=%s:0-3,7",
                        f->path, f->words, f->path);
        if (first > last || last >= all)
            return fail(ngc, 3, "%s has columns 0 to %lld, not %s", f->path, (long long)all - 1,
                        f->words);
        take_columns(ngc, f, first, last);
        if (*c == '\0')
            return 0;
        c++; /* the comma */
    }
}

/* name: of an array in an archive; NULL: its only one. The data lives as long as the process. */
static int read_file(Ngc *ngc, const char *path, const char *name, const File **file)
{
    ngrt_message message;
    File *f = arena_alloc(ngc, sizeof *f);

    f->path = path;
    f->data = arena_alloc(ngc, sizeof *f->data);
    split_columns(ngc, f);
    output_keep(ngc, f->path);
    *file = f;
    if (ngrt_data_read_named(f->data, f->path, name, &message))
        return fail(ngc, 3, "%s", message.text);
    if (message.text[0])
        diag(ngc, SEV_NOTE, NO_CODE, (Loc){.file = -1}, "%s", message.text);
    return choose_columns(ngc, f);
}

/* Which axis runs over rows: the first whose size is known at run time. In a model without such
 * sizes the first of all, if several inputs share the file. -1: none. */
static int row_axis(const Model *m, const Feed *f)
{
    if (m->graph->dims == 0)
        return f->own ? -1 : 0;
    for (int i = 0; i < f->var->shape.rank; i++)
        if (f->var->shape.dim[i] < 0)
            return i;
    return -1;
}

/* NAME=FILE: the file of one input. */
static int add_own(Files *files, const char *word)
{
    Ngc *ngc = files->ngc;
    size_t n = name_length(word);
    Var *v = find_input(files->m, text_format(ngc, "%.*s", (int)n, word));
    if (!v)
        return fail(ngc, 2, "--data %s: the model has no input of that name", word);
    if (v->shape.rank == 0)
        return fail(ngc, 2, "--data %s: the input is a scalar: give %s=value", word, v->name);

    const File *file;
    int status = read_file(ngc, word + n + 1, v->name, &file);
    if (status != 0)
        return status;
    files->feed[files->feeds++] = (Feed){.var = v, .file = file, .own = true};
    return 0;
}

/* FILE: shared by all inputs that have none of their own. */
static int add_shared(Files *files, const char *path)
{
    const File *file;
    int status = read_file(files->ngc, path, NULL, &file);
    if (status != 0)
        return status;
    if (files->shared)
        return fail(files->ngc, 2,
                    "--data: two files for the inputs that have no file of their own");
    files->shared = file;
    return 0;
}

static bool has_feed(const Files *files, const Var *v)
{
    for (int k = 0; k < files->feeds; k++)
        if (files->feed[k].var == v)
            return true;
    return false;
}

/* Reads the files and finds out which input is fed by which. */
static int find_feeds(Files *files, const char *words)
{
    Ngc *ngc = files->ngc;
    while (*words) {
        size_t n = word_length(words);
        const char *word = text_format(ngc, "%.*s", (int)n, words);
        int status;
        if (name_length(word))
            status = add_own(files, word);
        else
            status = add_shared(files, word);
        if (status != 0)
            return status;
        words += n;
        words += *words == ',';
    }

    for (int i = 0; i < files->m->vars && files->shared; i++) {
        Var *v = files->m->var[i];
        if (v->kind == VAR_INPUT && v->shape.rank > 0 && !has_feed(files, v))
            files->feed[files->feeds++] = (Feed){.var = v, .file = files->shared};
    }
    return 0;
}

/* The elements that a row of its file gives the input. */
static int64_t row_width(const Eval *e, const Feed *f)
{
    int64_t dim[MAX_RANK];
    int64_t count = eval_shape(e, f->var->shape, dim);
    if (f->axis >= 0)
        return count / dim[f->axis];
    return count;
}

/* A file for one input that has no rows: all its numbers are the input. */
static int check_whole(Ngc *ngc, const Feed *f)
{
    int64_t numbers = (int64_t)f->file->data->rows * f->file->columns;
    if (f->own && numbers == f->width)
        return 0;
    return fail(ngc, 3, "%s: %lld numbers, but the input %s takes %lld", f->file->path,
                (long long)numbers, f->var->name, (long long)f->width);
}

/* Sets widths and columns. *shared becomes the columns that inputs of the shared file take. */
static void place_columns(const Eval *e, Files *files, int64_t *shared)
{
    *shared = 0;
    for (int i = 0; i < files->feeds; i++) {
        Feed *f = &files->feed[i];
        f->width = row_width(e, f);
        if (f->own)
            continue;
        f->column = *shared;
        *shared += f->width;
    }
}

/* *rows becomes the number of rows, the same in all files. */
static int check_rows(const Files *files, int64_t *rows)
{
    Ngc *ngc = files->ngc;
    const Feed *first = NULL;

    for (int i = 0; i < files->feeds; i++) {
        const Feed *f = &files->feed[i];
        if (f->axis < 0) {
            int status = check_whole(ngc, f);
            if (status != 0)
                return status;
            continue;
        }

        if (f->axis > 0)
            return fail(ngc, 2, "--data: the rows of the input %s are not its first axis",
                        f->var->name);
        if (first && (int64_t)f->file->data->rows != *rows)
            return fail(ngc, 3, "%s has %lld rows, %s has %zu", first->file->path, (long long)*rows,
                        f->file->path, f->file->data->rows);
        first = f;
        *rows = (int64_t)f->file->data->rows;
    }
    return 0;
}

static int check_columns(const Files *files, int64_t shared)
{
    for (int i = 0; i < files->feeds; i++) {
        const Feed *f = &files->feed[i];
        /* inputs of the shared file lie side by side in its rows */
        int64_t takes = f->own ? f->width : shared;
        if (f->axis >= 0 && takes != f->file->columns)
            return fail(files->ngc, 3, "%s: %lld columns, but the inputs take %lld", f->file->path,
                        (long long)f->file->columns, (long long)takes);
    }
    return 0;
}

/* Sets axes. Inputs that have a value by default keep it where the shared file has no columns for
 * them. */
static void leave_defaults(const Eval *e, Files *files)
{
    int64_t need = 0; /* columns of the shared file, if inputs with rows keep no default */
    for (int i = 0; i < files->feeds; i++) {
        Feed *f = &files->feed[i];
        f->axis = row_axis(files->m, f);
        bool keeps = f->axis < 0 && f->var->init;
        if (!f->own && !keeps)
            need += row_width(e, f);
    }

    /* the file has columns for all: then defaults give way to them */
    bool enough = files->shared && need == files->shared->columns;
    int kept = 0;
    for (int i = 0; i < files->feeds; i++) {
        const Feed *f = &files->feed[i];
        if (f->own || !f->var->init || (enough && f->axis >= 0))
            files->feed[kept++] = *f;
    }
    files->feeds = kept;
}

/* The input's elements, of all rows. */
static double *copy_elements(Ngc *ngc, const Feed *f, int64_t rows)
{
    const File *file = f->file;
    int64_t wide = (int64_t)file->data->columns;
    double *x = arena_array(ngc, rows * f->width + 1, sizeof *x);

    for (int64_t i = 0; i < rows * f->width; i++) {
        int64_t row = i / file->columns;
        int64_t column = i % file->columns;
        /* row i / width, and within it the columns from `column` on */
        if (f->axis >= 0) {
            row = i / f->width;
            column = f->column + i % f->width;
        }
        x[i] = ngrt_data_value(file->data, (size_t)(row * wide + file->column[column]));
    }
    return x;
}

/* Gives an input the first batch of its rows, or all numbers of its file. */
static int bind_feed(Ngc *ngc, const Eval *e, const Feed *f, double **var, DataRows *out)
{
    int64_t dim[MAX_RANK];
    int64_t rows = f->axis < 0 ? 1 : out->rows;
    if (eval_shape(e, f->var->shape, dim) > rows * f->width)
        return fail(ngc, 3, "%s has %lld rows, but the input %s takes %lld", f->file->path,
                    (long long)rows, f->var->name, (long long)dim[0]);

    double *x = copy_elements(ngc, f, rows);
    var[f->var->index] = x;
    if (f->axis >= 0) {
        out->all[f->var->index] = x;
        out->batch = dim[0];
    }
    return 0;
}

int data_bind(Ngc *ngc, Model *m, Eval *e, const char *words, double **var, DataRows *out)
{
    Files files = {.ngc = ngc, .m = m};
    files.feed = arena_array(ngc, m->vars + strlen(words) + 1, sizeof *files.feed);
    int status = find_feeds(&files, words);
    if (status != 0)
        return status;

    int64_t shared;
    leave_defaults(e, &files);
    place_columns(e, &files, &shared);
    status = check_rows(&files, &out->rows);
    if (status == 0)
        status = check_columns(&files, shared);
    if (status != 0)
        return status;

    /* fewer rows than a batch may have are one batch */
    if (m->graph->dims && out->rows && out->rows < e->dim[0])
        e->dim[0] = out->rows;

    out->all = arena_array(ngc, m->vars + 1, sizeof *out->all);
    for (int i = 0; i < files.feeds; i++) {
        status = bind_feed(ngc, e, &files.feed[i], var, out);
        if (status != 0)
            return status;
    }
    return 0;
}
