/* table.c - a table as text, read once from its start to its end -> rows of numbers in a store.
 *
 * Only columns that are wanted are stored. A column is one of numbers or one of words, which its
 * first cell says; of words, a row holds the index. Cells without a value are counted, and the form
 * says what becomes of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

enum { MOST_NAMES = 1 << 16 }; /* different words in a column */

static int no_memory(const char *path, ngrt_message *message)
{
    return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", path);
}

/* ---- the words of a column ---- */

static uint32_t hash_of(const char *text, size_t size)
{
    uint32_t hash = 2166136261u;

    while (size-- > 0)
        hash = (hash ^ (unsigned char)*text++) * 16777619u;
    return hash;
}

/* A word as a text that ends; of two quotes one is left. NULL without memory. */
static char *copy_word(Span cell)
{
    char *text = malloc(span_length(cell) + 1);
    char *to = text;
    const char *at;

    if (!text)
        return NULL;
    for (at = cell.at; at < cell.end; at++) {
        *to++ = *at;
        if (*at == '"' && at + 1 < cell.end && at[1] == '"')
            at++;
    }
    *to = 0;
    return text;
}

/* Where a word is in the hash table, or where it would be. */
static uint32_t *find_slot(const Names *names, const char *text)
{
    size_t i = hash_of(text, strlen(text)) & (names->slots - 1);

    while (names->slot[i] && strcmp(names->name[names->slot[i] - 1].text, text) != 0)
        i = (i + 1) & (names->slots - 1);
    return &names->slot[i];
}

/* Makes room for one more word; false without memory. */
static int grow_names(Names *names)
{
    size_t room = names->room ? 2 * names->room : 16;
    size_t i;
    Name *name;

    if (names->count < names->room)
        return 1;
    name = realloc(names->name, room * sizeof *name);
    if (!name)
        return 0;
    names->name = name;
    names->room = room;

    /* open addressing needs free slots: at most half of them are used */
    free(names->slot);
    names->slots = 2 * room;
    names->slot = calloc(names->slots, sizeof *names->slot);
    if (!names->slot)
        return 0;
    for (i = 0; i < names->count; i++)
        *find_slot(names, names->name[i].text) = (uint32_t)i + 1;
    return 1;
}

/* The index of a word, which is added if it is new; -1 without memory. */
static long index_of(Names *names, const Csv *csv, Span cell)
{
    char *text = copy_word(cell);
    uint32_t *slot;

    if (!text || !grow_names(names)) {
        free(text);
        return -1;
    }
    slot = find_slot(names, text);
    if (*slot) {
        free(text);
        return (long)*slot - 1;
    }
    names->name[names->count++] = (Name){text, csv->number, ngrt_csv_column(csv, cell)};
    *slot = (uint32_t)names->count;
    return (long)names->count - 1;
}

static void free_names(Names *names)
{
    size_t i;

    for (i = 0; i < names->count; i++)
        free(names->name[i].text);
    free(names->name);
    free(names->slot);
}

/* ---- the header ---- */

/* Gives the columns the names of the line before the data. */
static int name_columns(Table *t, ngrt_message *message)
{
    const Bytes *names = &t->csv.names;
    Cells c;
    size_t i;

    if (names->size == 0)
        return NGRT_OK;
    c = (Cells){{names->at, names->at + names->size}, t->csv.separator, 0, {names->at, names->at}};
    for (i = 0; i < t->columns && ngrt_csv_cell(&c); i++) {
        t->column[i].name = copy_word(c.cell);
        if (!t->column[i].name)
            return no_memory(t->path, message);
    }
    return NGRT_OK;
}

int ngrt_table_open(Table *t, const char *path, const Form *form, ngrt_message *message)
{
    Cells c;

    memset(t, 0, sizeof *t);
    t->path = path;
    t->form = form;
    t->csv = (Csv){.path = path, .message = message, .read = ngrt_reader_read};
    t->csv.separator = form->separator;
    t->csv.no_header = form->no_header;
    ngrt_store_start(&t->store, form->limit);

    message->text[0] = 0;
    t->csv.from = ngrt_reader_open(path, message);
    if (!t->csv.from)
        return NGRT_EIO;
    if (!ngrt_csv_begin(&t->csv, form->skip) || t->csv.error) {
        if (t->csv.error)
            return t->csv.error;
        return ngrt_fail(message, NGRT_EFORMAT, "%s: holds no rows of numbers", path);
    }
    t->said = *message;
    message->text[0] = 0;

    c = ngrt_csv_cells(&t->csv);
    while (ngrt_csv_cell(&c))
        t->columns++;
    t->column = calloc(t->columns, sizeof *t->column);
    if (t->column)
        return name_columns(t, message);
    return no_memory(path, message);
}

/* ---- choosing columns ---- */

typedef struct Choice {
    size_t *list, count;
    const char *path;
    size_t columns;
    const char *(*name)(const void *, size_t);
    const void *of;
    ngrt_message *message;
} Choice;

/* Does column i have this name? A column without a name has none that could be given. */
static int has_name(const Choice *c, size_t i, Span word)
{
    const char *name = c->name ? c->name(c->of, i) : NULL;

    return name && name[0] && strlen(name) == span_length(word) &&
           memcmp(name, word.at, span_length(word)) == 0;
}

/* The column from i on of this name, or their number. */
static size_t find_name(const Choice *c, Span word, size_t i)
{
    while (i < c->columns && !has_name(c, i, word))
        i++;
    return i;
}

/* Reads a whole number at *at. */
static int take_count(const char **at, const char *end, size_t *value)
{
    const char *start = *at;

    for (*value = 0; *at < end && **at >= '0' && **at <= '9' && *value < SIZE_MAX / 100; ++*at)
        *value = *value * 10 + (size_t)(**at - '0');
    return *at > start;
}

static int fail_choice(const Choice *c, Span word)
{
    char text[60];
    const char *has = c->name && c->name(c->of, 0) ? ", which its first line names" : "";

    return ngrt_fail(c->message, NGRT_EMODEL,
                     "%s: there is no column '%s'%s; it has %zu columns, 0 to %zu%s", c->path,
                     ngrt_show(word, text, sizeof text), ngrt_show_dots(word, sizeof text),
                     c->columns, c->columns - 1, has);
}

/* Refuses a name of several columns: which of them is meant, only a number says. */
static int fail_shared(const Choice *c, Span word, size_t first, size_t second)
{
    char text[60];

    return ngrt_fail(c->message, NGRT_EMODEL,
                     "%s: columns %zu and %zu are both called '%s'%s: write the number of the one "
                     "that is meant",
                     c->path, first, second, ngrt_show(word, text, sizeof text),
                     ngrt_show_dots(word, sizeof text));
}

/* Adds the columns of one word: a name, a number, or a range of numbers. */
static int choose_word(Choice *c, Span word)
{
    size_t first = find_name(c, word, 0);
    size_t last = first;
    size_t *grown;
    size_t second = first == c->columns ? first : find_name(c, word, first + 1);
    const char *at = word.at;

    if (second < c->columns)
        return fail_shared(c, word, first, second);

    /* no column has this name: then it is a number, or a range as 3-7 */
    if (first == c->columns) {
        if (!take_count(&at, word.end, &first))
            return fail_choice(c, word);
        last = first;
        if (at < word.end && *at == '-') {
            at++;
            if (!take_count(&at, word.end, &last))
                return fail_choice(c, word);
        }
        if (at < word.end || last < first || last >= c->columns)
            return fail_choice(c, word);
    }

    grown = realloc(c->list, (c->count + last - first + 1) * sizeof *grown);
    if (!grown)
        return no_memory(c->path, c->message);
    c->list = grown;
    for (; first <= last; first++)
        grown[c->count++] = first;
    return NGRT_OK;
}

int ngrt_choose_columns(const char *text, size_t columns, const char *(*name)(const void *, size_t),
                        const void *of, const char *path, size_t **list, size_t *count,
                        ngrt_message *message)
{
    Choice c = {NULL, 0, path, columns, name, of, message};
    char every[40];
    int error = NGRT_OK;
    Cells words;

    snprintf(every, sizeof every, "0-%zu", columns - 1);
    if (!text)
        text = every;
    words = (Cells){{text, text + strlen(text)}, ',', 0, {text, text}};
    if (!text[0] || (text == every && columns == 1))
        text = "0";
    while (!error && ngrt_csv_cell(&words))
        error = choose_word(&c, words.cell);
    *list = c.list;
    *count = c.count;
    return error;
}

static const char *column_name(const void *of, size_t i)
{
    const Table *t = of;
    return t->column[i].name;
}

int ngrt_table_choose(Table *t, const char *text, size_t **list, size_t *count,
                      ngrt_message *message)
{
    int error =
        ngrt_choose_columns(text, t->columns, column_name, t, t->path, list, count, message);
    size_t i;

    for (i = 0; i < *count && !error; i++)
        t->column[(*list)[i]].chosen = 1;
    return error;
}

/* ---- rows ---- */

/* What can be done about a cell that is not a number. */
static const char *hint_of(const Table *t, Span cell)
{
    if (t->form->missing == MISSING_ERROR && t->form->gap && ngrt_csv_missing(cell))
        return t->form->gap;
    return ngrt_csv_hint(cell);
}

/* Says that a column has both words and numbers. Its first word is wrong if it is alone. */
static int fail_mixed(const Table *t, const Column *c, Span cell, ngrt_message *message)
{
    static const char rule[] =
        "; a first line names the columns only if none of its cells is a number";
    const Name *first = &c->names.name[0];
    const Csv *csv = &t->csv;
    Span word = {first->text, first->text + strlen(first->text)};
    const char *more = first->line == csv->top ? rule : hint_of(t, word);
    char text[24], example[24];

    if (c->names.count > 1)
        return ngrt_fail(message, NGRT_EFORMAT,
                         "%s:%zu:%zu: '%s' is a number, but the column has words, as '%s'%s in "
                         "line %zu%s",
                         t->path, csv->number, ngrt_csv_column(csv, cell),
                         ngrt_show(cell, text, sizeof text),
                         ngrt_show(word, example, sizeof example),
                         ngrt_show_dots(word, sizeof example), first->line, hint_of(t, word));
    return ngrt_fail(message, NGRT_EFORMAT, "%s:%zu:%zu: '%s'%s is not a finite number%s", t->path,
                     first->line, first->at, ngrt_show(word, text, sizeof text),
                     ngrt_show_dots(word, sizeof text), more);
}

/* A cell that holds no number: a word, or a mistake. */
static int read_word(Table *t, Column *c, Span cell, double *value, ngrt_message *message)
{
    long index;

    if (span_length(cell) == 0 || c->numbers > 0 || ngrt_csv_is_number(cell))
        return ngrt_csv_fail(&t->csv, cell, hint_of(t, cell), message);
    index = index_of(&c->names, &t->csv, cell);
    if (index < 0)
        return no_memory(t->path, message);
    if (index >= MOST_NAMES)
        return ngrt_fail(
            message, NGRT_EFORMAT,
            "%s:%zu:%zu: the column has over %d different words; it cannot be an input", t->path,
            t->csv.number, ngrt_csv_column(&t->csv, cell), MOST_NAMES);
    *value = (double)index;
    return NGRT_OK;
}

/* Has the cell no value? */
static int is_missing(const Table *t, const Column *c, Span cell)
{
    if (t->form->missing == MISSING_ERROR)
        return 0;
    /* in a column of words only what cannot be one is missing */
    if (c->names.count > 0 && !ngrt_csv_is_number(cell))
        return ngrt_csv_no_word(cell);
    return ngrt_csv_missing(cell);
}

/* A number that would be infinite as a float. */
static int fail_too_large(const Table *t, Span cell, ngrt_message *message)
{
    char text[24];

    return ngrt_fail(message, NGRT_EFORMAT,
                     "%s:%zu:%zu: '%s'%s is too large for a float of 32 bits (--real=double)",
                     t->path, t->csv.number, ngrt_csv_column(&t->csv, cell),
                     ngrt_show(cell, text, sizeof text), ngrt_show_dots(cell, sizeof text));
}

/* Reads a cell of a column that is stored. */
static int read_cell(Table *t, Column *c, Span cell, double *value, ngrt_message *message)
{
    if (ngrt_csv_number(cell, value)) {
        c->numbers++;
        if (c->names.count > 0)
            return fail_mixed(t, c, cell, message);
        if (!t->form->wide && isinf((float)*value))
            return fail_too_large(t, cell, message);
        return NGRT_OK;
    }
    if (!is_missing(t, c, cell))
        return read_word(t, c, cell, value, message);
    /* the place is kept; the mean of the column is put there when all rows are read */
    *value = (double)NAN;
    if (t->form->missing == MISSING_MEAN && c->missing++ == 0) {
        c->missing_line = t->csv.number;
        c->missing_at = ngrt_csv_column(&t->csv, cell);
    }
    t->missing++;
    return NGRT_OK;
}

/* Reads the current line into a row. *whole: no cell of it is missing. */
static int read_row(Table *t, double *row, size_t first, int *whole, ngrt_message *message)
{
    Cells c = ngrt_csv_cells(&t->csv);
    size_t i;
    size_t before = t->missing;

    for (i = 0; ngrt_csv_cell(&c); i++) {
        Column *column = &t->column[i];
        int error;

        /* the line has more cells than the first: its own number is counted to its end */
        if (i == t->columns)
            return ngrt_csv_fail_count(&t->csv, i + 1, c.cell.at, t->columns, first, message);
        if (!column->chosen)
            continue;
        error = read_cell(t, column, c.cell, &row[column->place], message);
        if (error)
            return error;
    }
    if (i < t->columns)
        return ngrt_csv_fail_count(&t->csv, i, NULL, t->columns, first, message);
    *whole = t->missing == before;
    return NGRT_OK;
}

/* Keeps the line of a row, unless it follows from that of the row before. */
static int keep_line(Table *t)
{
    const Jump *last = NULL;
    if (t->jumps)
        last = &t->jump[t->jumps - 1];
    Jump *grown;

    /* most lines follow each other; one jump stands for all rows up to the next */
    if (last && last->line + (t->rows - last->row) == t->csv.number)
        return 1;
    if ((t->jumps & (t->jumps - 1)) == 0) { /* the room is a power of 2 */
        grown = realloc(t->jump, (t->jumps ? 2 * t->jumps : 1) * sizeof *grown);
        if (!grown)
            return 0;
        t->jump = grown;
    }
    t->jump[t->jumps++] = (Jump){t->rows, t->csv.number};
    return 1;
}

/* Adds a row to the store, as floats or doubles. */
static int store_row(Table *t, double *row, ngrt_message *message)
{
    float *single = (float *)row;
    size_t i;

    if (!keep_line(t))
        return no_memory(t->path, message);
    t->rows++;
    if (t->form->wide)
        return ngrt_store_add(&t->store, row, t->stored * sizeof *row, message);
    for (i = 0; i < t->stored; i++) { /* in place, from the first on */
        float value = (float)row[i];
        memcpy(&single[i], &value, sizeof value);
    }
    return ngrt_store_add(&t->store, single, t->stored * sizeof *single, message);
}

static int read_rows(Table *t, double *row, ngrt_message *message)
{
    size_t first = t->csv.number;
    int error = NGRT_OK;
    int whole = 1;

    do {
        error = read_row(t, row, first, &whole, message);
        if (!error && !whole && t->form->missing == MISSING_DROP)
            t->dropped++;
        else if (!error)
            error = store_row(t, row, message);
    } while (!error && ngrt_csv_next(&t->csv));
    return error ? error : t->csv.error;
}

/* Does the number of rows differ from the one that the first line was taken for? Then it was not
 * a count, but a row, and one with words. */
static int check_count(const Table *t, ngrt_message *message)
{
    if (t->csv.counted == 0 || t->csv.counted == t->rows + t->dropped)
        return NGRT_OK;
    return ngrt_fail(message, NGRT_EFORMAT,
                     "%s:%zu: the first line says that there are %zu rows, but there are %zu; or "
                     "it is a row, and has words among its numbers",
                     t->path, t->csv.top, t->csv.counted, t->rows + t->dropped);
}

int ngrt_table_read(Table *t, ngrt_message *message)
{
    double *row;
    size_t i;
    int error;

    t->csv.message = message;
    /* chosen columns lie next to each other in a row, in the file's order */
    for (i = 0; i < t->columns; i++)
        if (t->column[i].chosen)
            t->column[i].place = t->stored++;
    row = calloc(t->stored + 1, sizeof *row);
    if (!row)
        return no_memory(t->path, message);

    error = read_rows(t, row, message);
    free(row);
    ngrt_reader_close(t->csv.from);
    t->csv.from = NULL;
    if (!error)
        error = check_count(t, message);
    if (!error && t->rows == 0)
        error = ngrt_fail(message, NGRT_EFORMAT, "%s: each of its %zu rows has missing cells",
                          t->path, t->dropped);
    return error;
}

size_t ngrt_table_line(const Table *t, size_t row)
{
    size_t low = 0;
    size_t high = t->jumps;

    while (high - low > 1) { /* the last jump that is not after the row */
        size_t middle = (low + high) / 2;
        if (t->jump[middle].row <= row)
            low = middle;
        else
            high = middle;
    }
    return t->jump[low].line + (row - t->jump[low].row);
}

size_t ngrt_table_place(const Table *t, size_t row, size_t column)
{
    size_t line = ngrt_table_line(t, row);
    size_t i, place = 0;
    ngrt_message message;
    Csv csv = {.path = t->path, .read = ngrt_reader_read, .message = &message};
    Cells c;

    csv.from = ngrt_reader_open(t->path, &message);
    csv.separator = t->csv.separator;
    while (csv.from && csv.number < line && ngrt_csv_next(&csv))
        ;
    if (csv.number == line) {
        c = ngrt_csv_cells(&csv);
        for (i = 0; i <= column && ngrt_csv_cell(&c); i++)
            place = ngrt_csv_column(&csv, c.cell);
    }
    ngrt_reader_close(csv.from);
    ngrt_csv_end(&csv);
    return place;
}

void ngrt_table_free(Table *t)
{
    size_t i;

    for (i = 0; i < t->columns && t->column; i++) {
        free(t->column[i].name);
        free_names(&t->column[i].names);
    }
    free(t->column);
    free(t->jump);
    ngrt_store_free(&t->store);
    ngrt_reader_close(t->csv.from);
    ngrt_csv_end(&t->csv);
    memset(t, 0, sizeof *t);
    t->store.fd = -1;
}
