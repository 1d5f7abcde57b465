/* data.c - `ngc explain --data`: files of numbers -> the model's inputs, as `ngc train --data`
 * binds them: FILE, whose columns fill the tensor inputs in the order of their declaration, or
 * NAME=FILE,NAME=FILE. The first batch is what the model is explained with; the rows after it are
 * kept for those who train. */
#include "ngc.h"

#include "../runtime/ngrt_host.h"
#include <ctype.h>
#include <string.h>

typedef struct Feed { /* an input and where it comes from */
    Var *var;
    const ngrt_data *data;
    const char *path;
    bool own;       /* the file is this input's alone */
    int axis;       /* runs over rows; -1: none */
    int64_t width;  /* elements that a row gives */
    int64_t column; /* the first of them in a row of the file */
} Feed;

static int fail(Ngc *ngc, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(ngc, "%s", text_vformat(ngc, format, args));
    va_end(args);
    return status;
}

static Var *find_input(const Model *m, const char *name, size_t length)
{
    for (int i = 0; i < m->vars; i++)
        if (m->var[i]->kind == VAR_INPUT && strlen(m->var[i]->name) == length &&
            strncmp(m->var[i]->name, name, length) == 0)
            return m->var[i];
    return NULL;
}

/* The length of NAME in "NAME=...", or 0. */
static size_t name_length(const char *text)
{
    size_t n = 0;
    while (isalnum((unsigned char)text[n]) || text[n] == '_')
        n++;
    return text[n] == '=' ? n : 0;
}

/* name: which array of an archive; NULL: its only one */
static int read_file(Ngc *ngc, const char *path, const char *name, ngrt_data **data)
{
    ngrt_message message;
    *data = arena_alloc(ngc, sizeof **data); /* its block lives as long as the process */
    if (ngrt_data_read_named(*data, path, name, &message))
        return fail(ngc, 3, "%s", message.text);
    if (message.text[0])
        diag(ngc, SEV_NOTE, 0, (Loc){.file = -1}, "%s", message.text);
    return 0;
}

/* Which axis runs over rows: the first whose size is known at run time; without such sizes the
 * first of all, for a file that several inputs share. */
static int row_axis(const Model *m, const Feed *f)
{
    for (int i = 0; i < f->var->shape.rank && m->graph->dims; i++)
        if (f->var->shape.dim[i] < 0)
            return i;
    return m->graph->dims || f->own ? -1 : 0;
}

/* Reads the files and says which input is fed by which. */
static int find_feeds(Ngc *ngc, Model *m, const char *files, Feed *feed, int *feeds)
{
    ngrt_data *shared = NULL;
    const char *shared_path = NULL;
    int status = 0;
    for (const char *next = files; *next && !status;) {
        const char *comma = strchr(next, ',');
        while (comma && !name_length(comma + 1)) /* a comma separates only before a NAME= */
            comma = strchr(comma + 1, ',');
        const char *word =
            text_format(ngc, "%.*s", comma ? (int)(comma - next) : (int)strlen(next), next);
        next = comma ? comma + 1 : next + strlen(next);
        size_t n = name_length(word);
        Var *v = n ? find_input(m, word, n) : NULL;
        if (n && !v)
            return fail(ngc, 2, "--data %s: the model has no input of that name", word);
        if (v && v->shape.rank == 0)
            return fail(ngc, 2, "--data %s: the input is a scalar: give %s=value", word, v->name);
        ngrt_data *data;
        if ((status = read_file(ngc, v ? word + n + 1 : word, v ? v->name : NULL, &data)) != 0)
            return status;
        if (v)
            feed[(*feeds)++] = (Feed){.var = v, .data = data, .path = word + n + 1, .own = true};
        else if (shared)
            return fail(ngc, 2, "--data: two files for the inputs that have no file of their own");
        else
            shared = data, shared_path = word;
    }
    int named = *feeds;
    for (int i = 0; i < m->vars && shared; i++) {
        bool own = m->var[i]->kind != VAR_INPUT || m->var[i]->shape.rank == 0;
        for (int k = 0; k < named; k++)
            own |= feed[k].var == m->var[i];
        if (!own)
            feed[(*feeds)++] = (Feed){.var = m->var[i], .data = shared, .path = shared_path};
    }
    return 0;
}

/* Sets axes, widths, columns; *rows is the number of rows, the same in all files. */
static int measure(Ngc *ngc, Model *m, const Eval *e, Feed *feed, int feeds, int64_t *rows)
{
    int64_t column = 0, dim[MAX_RANK];
    const char *first = NULL;
    for (int i = 0; i < feeds; i++) {
        Feed *f = &feed[i];
        f->axis = row_axis(m, f);
        f->width = eval_shape(e, f->var->shape, dim);
        if (f->axis >= 0)
            f->width /= dim[f->axis];
        f->column = f->own ? 0 : column;
        column += f->own ? 0 : f->width;
        if (f->axis < 0 && (!f->own || (int64_t)(f->data->rows * f->data->columns) != f->width))
            return fail(ngc, 3, "%s: %zu numbers, but the input %s takes %lld", f->path,
                        f->data->rows * f->data->columns, f->var->name, (long long)f->width);
        if (f->axis > 0)
            return fail(ngc, 2, "--data: the rows of the input %s are not its first axis",
                        f->var->name);
        if (f->axis == 0 && first && (int64_t)f->data->rows != *rows)
            return fail(ngc, 3, "%s has %lld rows, %s has %zu", first, (long long)*rows, f->path,
                        f->data->rows);
        if (f->axis == 0) {
            first = f->path;
            *rows = (int64_t)f->data->rows;
        }
    }
    for (int i = 0; i < feeds; i++) {
        int64_t takes = feed[i].own ? feed[i].width : column;
        if (feed[i].axis >= 0 && takes != (int64_t)feed[i].data->columns)
            return fail(ngc, 3, "%s: %zu columns, but the inputs take %lld", feed[i].path,
                        feed[i].data->columns, (long long)takes);
    }
    return 0;
}

/* The elements that a row of its file gives the input. */
static int64_t row_width(const Eval *e, const Feed *f)
{
    int64_t dim[MAX_RANK], width = eval_shape(e, f->var->shape, dim);
    return f->axis >= 0 ? width / dim[f->axis] : width;
}

/* Inputs that have a value by default keep it where the shared file has no columns for them. */
static int leave_defaults(const Model *m, const Eval *e, Feed *feed, int feeds)
{
    int64_t need = 0;
    const ngrt_data *shared = NULL;
    int kept = 0;
    for (int i = 0; i < feeds; i++) {
        Feed *f = &feed[i];
        f->axis = row_axis(m, f);
        if (f->own)
            continue;
        shared = f->data;
        need += f->axis < 0 && f->var->init ? 0 : row_width(e, f);
    }

    bool all = shared && need == (int64_t)shared->columns;
    for (int i = 0; i < feeds; i++)
        if (feed[i].own || !feed[i].var->init || (all && feed[i].axis >= 0))
            feed[kept++] = feed[i];
    return kept;
}

int data_bind(Ngc *ngc, Model *m, Eval *e, const char *files, double **var, DataRows *out)
{
    Feed *feed = arena_alloc(ngc, (size_t)(m->vars + strlen(files) + 1) * sizeof *feed);
    int feeds = 0, status;
    int64_t dim[MAX_RANK];
    if ((status = find_feeds(ngc, m, files, feed, &feeds)) != 0)
        return status;
    feeds = leave_defaults(m, e, feed, feeds);
    if ((status = measure(ngc, m, e, feed, feeds, &out->rows)) != 0)
        return status;
    if (m->graph->dims && out->rows && out->rows < e->dim[0])
        e->dim[0] = out->rows;
    out->all = arena_alloc(ngc, (size_t)(m->vars + 1) * sizeof *out->all);
    for (int i = 0; i < feeds; i++) {
        Feed *f = &feed[i];
        int64_t rows = f->axis < 0 ? 1 : out->rows, count = eval_shape(e, f->var->shape, dim);
        double *x = arena_alloc(ngc, (size_t)(rows * f->width + 1) * sizeof *x);
        if (count > rows * f->width)
            return fail(ngc, 3, "%s has %lld rows, but the input %s takes %lld", f->path,
                        (long long)rows, f->var->name, (long long)dim[0]);
        for (int64_t r = 0; r < rows; r++)
            for (int64_t k = 0; k < f->width; k++)
                x[r * f->width + k] =
                    ngrt_data_value(f->data, (size_t)(f->axis < 0 ? k
                                                                  : r * (int64_t)f->data->columns +
                                                                        f->column + k));
        var[f->var->index] = x;
        out->all[f->var->index] = f->axis < 0 ? NULL : x;
        out->batch = f->axis < 0 ? out->batch : dim[0];
    }
    return 0;
}
