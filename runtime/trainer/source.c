/* source.c - the files of a data set: tables, which several inputs may share, and arrays. A source
 * is what one input, or those without a file of their own, get of a file. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trainer.h"

/* ---- the list ---- */

const Source *ngrt_source_shared(const Set *set)
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

const Source *ngrt_source_find(const Set *set, const ngrt_tensor *x)
{
    const Source *own = own_source(set, x);
    if (own)
        return own;
    return ngrt_source_shared(set);
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
    grown->file.fd = -1;
    grown->may_lack = (x->flags & NGRT_DEFAULT) != 0;
    return 1;
}

/* Removes a file; the last one takes its place. */
static void drop_source(Set *set, int i)
{
    set->source[i] = set->source[--set->sources];
    memset(&set->source[set->sources], 0, sizeof *set->source);
}

/* ---- formats ---- */

enum { TABLE, ARRAY, ARCHIVE };

/* What a file holds, by its first bytes. What is not a regular file is not opened twice: it is a
 * table. */
static int format_of(const char *path)
{
    struct stat st;
    ngrt_message message;
    char start[8] = "";
    Bytes b = {start, 0, 0};
    Reader *r;
    int format = TABLE;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return TABLE;
    r = ngrt_reader_open(path, &message);
    if (!r)
        return TABLE; /* where the message is given */
    if (ngrt_reader_read(r, start, sizeof start, &b.size, &message) == NGRT_OK) {
        if (ngrt_is_zip(&b))
            format = ARCHIVE;
        /* .npy begins with \x93NUMPY, the images of MNIST with two zero bytes */
        else if (b.size >= 4 && (memcmp(start, "\x93NUM", 4) == 0 || (!start[0] && !start[1])))
            format = ARRAY;
    }
    ngrt_reader_close(r);
    return format;
}

/* Would a result be written over the data? */
static int check_written(const Trainer *t, const Source *s)
{
    const char *path[] = {t->save_path,   t->log_path,      t->curve_path,
                          t->assess_path, t->boundary_path, t->out_path};
    size_t i;

    for (i = 0; i < sizeof path / sizeof *path; i++)
        if (path[i] && ngrt_file_is_same(path[i], s->path))
            return ngrt_trainer_fail(t, USAGE, "%s is data that is read; it is not overwritten",
                                     path[i]);
    return DONE;
}

/* Separates the columns from the name of a file, "F.csv:0-3", where no file has all of it as its
 * name. */
static int split_path(const Trainer *t, Source *s)
{
    const char *colon = strchr(s->path, ':');

    if (!colon || access(s->path, F_OK) == 0)
        return DONE;
    /* a path may have colons itself: the shortest that is a file is the name */
    for (; colon; colon = strchr(colon + 1, ':')) {
        size_t size = (size_t)(colon - s->path);
        char *path = malloc(size + 1);

        if (!path)
            return ngrt_trainer_no_memory(t);
        memcpy(path, s->path, size);
        path[size] = 0;
        if (size > 0 && access(path, F_OK) == 0) {
            s->path = s->own_path = path;
            s->columns = colon + 1;
            return DONE;
        }
        free(path);
    }
    return DONE; /* where it is opened, the message is given */
}

/* ---- archives ---- */

int ngrt_source_takes_array(const Set *set, const ngrt_tensor *x)
{
    if (x->role != NGRT_INPUT || x->rank == 0 || own_source(set, x))
        return 0;
    return !(set->no_targets && x->flags & NGRT_TARGET);
}

/* Replaces an archive without a name by a file for each input, all with the archive's path. */
static int spread_archive(const Trainer *t, Set *set)
{
    int i, k;

    for (i = 0; i < set->sources; i++)
        if (!set->source[i].input && format_of(set->source[i].path) == ARCHIVE)
            break;
    if (i == set->sources)
        return DONE;

    for (k = 0; k < t->model->tensors; k++) {
        const ngrt_tensor *x = &t->model->tensor[k];
        if (ngrt_source_takes_array(set, x) && !add_source(set, x, set->source[i].path))
            return ngrt_trainer_no_memory(t);
    }
    /* the archive itself is not the source of any input */
    drop_source(set, i);
    return DONE;
}

/* ---- reading ---- */

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

/* The table of this path: one that is open already, as no file is read twice, or a new one. */
static int find_table(const Trainer *t, Set *set, const char *path, Table **table)
{
    ngrt_message message;
    Table **grown;
    int i;

    for (i = 0; i < set->tables; i++)
        if (strcmp(set->table[i]->path, path) == 0) {
            *table = set->table[i];
            return DONE;
        }

    grown = realloc(set->table, (size_t)(set->tables + 1) * sizeof *grown);
    if (!grown)
        return ngrt_trainer_no_memory(t);
    set->table = grown;
    *table = grown[set->tables] = ngrt_trainer_allocate(1, sizeof **grown);
    if (!*table)
        return ngrt_trainer_no_memory(t);
    set->tables++;
    if (ngrt_table_open(*table, path, &t->form, &message))
        return ngrt_trainer_fail(t, FILES, "%s", message.text);
    if ((*table)->said.text[0])
        ngrt_trainer_note(t, "%s", (*table)->said.text);
    return DONE;
}

/* Is the file for another input too? Then an archive must have an array for each. */
static int is_shared(const Set *set, const Source *s)
{
    int i;

    for (i = 0; i < set->sources; i++)
        if (&set->source[i] != s && set->source[i].input &&
            strcmp(set->source[i].path, s->path) == 0)
            return s->input != NULL;
    return 0;
}

/* Reads an array, and chooses its columns. NGRT_EMODEL: the archive does not have it. */
static int read_array(const Trainer *t, const Set *set, Source *s, ngrt_message *message)
{
    const char *name = s->input ? s->input->name : NULL;
    int error = ngrt_data_read_large(&s->data, &s->file, &s->swapped, s->path, name,
                                     is_shared(set, s), t->form.limit, message);

    if (!error && s->columns)
        error = ngrt_choose_columns(s->columns, s->data.columns, NULL, NULL, s->path, &s->pick,
                                    &s->picks, message);
    s->rows = s->data.rows;
    if (!s->pick)
        s->picks = s->data.columns;
    return error;
}

/* Opens a source; a table is read later, when all its columns are known. *lacks: an archive does
 * not have what it need not have. */
static int open_source(const Trainer *t, Set *set, Source *s, int *lacks)
{
    ngrt_message message;
    int status = split_path(t, s);
    int error;

    *lacks = 0;
    if (!status)
        status = check_written(t, s);
    if (status)
        return status;
    message.text[0] = 0;
    if (format_of(s->path) == TABLE) {
        status = find_table(t, set, s->path, &s->table);
        if (status)
            return status;
        error = ngrt_table_choose(s->table, s->columns, &s->pick, &s->picks, &message);
    } else {
        error = read_array(t, set, s, &message);
        /* an input with a default keeps it, unless columns are asked of the file */
        *lacks = error == NGRT_EMODEL && s->may_lack && !s->columns;
        if (*lacks)
            return DONE;
    }
    if (error)
        return ngrt_trainer_fail(t, FILES, "%s", message.text);
    if (message.text[0])
        ngrt_trainer_note(t, "%s", message.text);
    return DONE;
}

/* Says what became of missing cells, and where the rows of a large table are. */
static void note_table(const Trainer *t, const Table *table)
{
    if (table->dropped > 0)
        ngrt_trainer_note(t, "%s: %zu of %zu rows have missing cells and are left out", table->path,
                          table->dropped, table->rows + table->dropped);
    else if (table->missing > 0)
        ngrt_trainer_note(t, "%s: %zu cells are missing; each gets its column's mean", table->path,
                          table->missing);
}

static int read_tables(const Trainer *t, Set *set)
{
    ngrt_message message;
    int i;

    for (i = 0; i < set->tables; i++) {
        if (ngrt_table_read(set->table[i], &message))
            return ngrt_trainer_fail(t, FILES, "%s", message.text);
        note_table(t, set->table[i]);
    }
    /* several sources may be columns of one table */
    for (i = 0; i < set->sources; i++)
        if (set->source[i].table)
            set->source[i].rows = set->source[i].table->rows;
    return DONE;
}

/* Is the source for an input that the command does not read? */
static int is_idle(const Set *set, const Source *s)
{
    return set->no_targets && s->input && s->input->flags & NGRT_TARGET;
}

int ngrt_source_read(const Trainer *t, Set *set)
{
    int i = 0, lacks;
    int status = spread_archive(t, set);

    while (i < set->sources && !status) {
        status = check_source(t, set, i);
        if (!status && is_idle(set, &set->source[i])) {
            /* the last one took place i, so i is looked at again */
            drop_source(set, i);
            continue;
        }
        if (!status)
            status = open_source(t, set, &set->source[i], &lacks);
        if (!status && lacks)
            drop_source(set, i);
        else
            i++;
    }
    if (status)
        return status;
    return read_tables(t, set);
}

int ngrt_source_on_disk(const Source *s)
{
    if (s->table)
        return s->table->store.fd >= 0;
    return !s->data.at;
}

size_t ngrt_source_row_bytes(const Trainer *t, const Source *s)
{
    if (s->table)
        return s->table->stored * (t->form.wide ? sizeof(double) : sizeof(float));
    return s->data.columns * ngrt_element_size(s->data.type);
}

void ngrt_source_free(Set *set)
{
    int i;

    for (i = 0; i < set->tables; i++) {
        ngrt_table_free(set->table[i]);
        free(set->table[i]);
    }
    for (i = 0; i < set->sources; i++) {
        ngrt_data_free(&set->source[i].data);
        ngrt_store_free(&set->source[i].file);
        free(set->source[i].own_path);
        free(set->source[i].pick);
    }
    free(set->table);
    free(set->source);
}
