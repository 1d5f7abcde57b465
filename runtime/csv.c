/* csv.c - a table of numbers as text -> doubles, row by row.
 *
 * Cells are separated by semicolons, tabs, commas or blanks; which of them, the first lines say. A
 * first line of names, or of the counts that scikit-learn writes, is skipped with a note. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

typedef struct Span { /* a piece of the text */
    const char *at, *end;
} Span;

typedef struct Csv {
    const char *path;
    Span rest;         /* what has not been read */
    Span line;         /* the line read last, without blanks around it; never empty */
    const char *start; /* where that line begins in the text */
    size_t number;     /* its number, from 1 */
    size_t top;        /* the number of the first line that is not blank */
    char separator;
} Csv;

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The span without blanks at either end; a tab that separates is none. */
static Span trim(Span s, char separator)
{
    while (s.at < s.end && is_blank(*s.at) && (*s.at != separator || separator == ' '))
        s.at++;
    while (s.at < s.end && is_blank(s.end[-1]) && (s.end[-1] != separator || separator == ' '))
        s.end--;
    return s;
}

/* Reads the next line that is not blank; false at the end. */
static int next_line(Csv *csv)
{
    while (csv->rest.at < csv->rest.end) {
        const char *end = memchr(csv->rest.at, '\n', (size_t)(csv->rest.end - csv->rest.at));
        Span line = {csv->rest.at, end ? end : csv->rest.end};
        csv->start = line.at;
        csv->rest.at = end ? end + 1 : csv->rest.end;
        csv->number++;
        if (trim(line, ' ').at == trim(line, ' ').end)
            continue;
        csv->line = trim(line, csv->separator);
        return 1;
    }
    return 0;
}

/* Takes the next cell off the line, without blanks and quotes around it; false after the last.
 * *more starts as 1. */
static int next_cell(Span *line, char separator, int *more, Span *cell)
{
    const char *at = line->at;
    if (!*more)
        return 0;
    if (at < line->end && *at == '"') {
        const char *quote = memchr(at + 1, '"', (size_t)(line->end - at - 1));
        at = quote ? quote : line->end;
    }
    while (at < line->end && *at != separator && !(separator == ' ' && *at == '\t'))
        at++;
    cell->at = line->at;
    cell->end = at;
    *more = at < line->end;
    line->at = at + *more;
    while (separator == ' ' && line->at < line->end && is_blank(*line->at))
        line->at++;
    *cell = trim(*cell, separator);
    if (cell->end - cell->at >= 2 && *cell->at == '"' && cell->end[-1] == '"') {
        cell->at++;
        cell->end--;
    }
    return 1;
}

static size_t count_cells(Span line, char separator)
{
    Span cell;
    size_t count = 0;
    int more = 1;
    while (next_cell(&line, separator, &more, &cell))
        count++;
    return count;
}

enum { CELL_ROOM = 64 }; /* bytes of a number's text */

/* The cell as a text that ends; 0: it is empty, or too long for a number. */
static int read_text(Span cell, char text[CELL_ROOM])
{
    size_t size = (size_t)(cell.end - cell.at);
    if (size == 0 || size >= CELL_ROOM)
        return 0;
    memcpy(text, cell.at, size);
    text[size] = 0;
    return 1;
}

/* The cell as a finite decimal number. */
static int read_number(Span cell, double *value)
{
    char text[CELL_ROOM], *end;
    if (!read_text(cell, text))
        return 0;
    if (strspn(text, "0123456789+-.eE") != (size_t)(cell.end - cell.at))
        return 0;
    *value = strtod(text, &end);
    return *end == 0 && end != text && isfinite(*value);
}

/* The separator of a line: semicolon before tab before comma, which may be a decimal comma; blanks
 * if there is none. */
static char find_separator(Span line)
{
    size_t size = (size_t)(line.end - line.at);
    const char *s;
    for (s = ";\t,"; *s; s++)
        if (memchr(line.at, *s, size))
            return *s;
    return ' ';
}

/* Whether the cell is a number in some form, also one that no row may hold: nan, inf. */
static int is_number(Span cell)
{
    char text[CELL_ROOM], *end;
    if (!read_text(cell, text))
        return 0;
    strtod(text, &end);
    return *end == 0 && end != text;
}

/* Whether the cell says that there is no value. */
static int is_missing(Span cell)
{
    static const char *const word[] = {"",     "NA",  "N/A", "#N/A", "null",
                                       "none", "nil", "?",   "-",    "."};
    size_t i, k, size = (size_t)(cell.end - cell.at);
    for (i = 0; i < sizeof word / sizeof *word; i++) {
        if (strlen(word[i]) != size)
            continue;
        for (k = 0;
             k < size && tolower((unsigned char)word[i][k]) == tolower((unsigned char)cell.at[k]);
             k++)
            ;
        if (k == size)
            return 1;
    }
    return 0;
}

/* Whether the first line names the columns: no cell of it is a number, and some cell is a name. */
static int is_header(const Csv *csv)
{
    Span line = csv->line, cell;
    int more = 1, names = 0;
    while (next_cell(&line, csv->separator, &more, &cell)) {
        if (is_number(cell))
            return 0;
        names += !is_missing(cell);
    }
    return names > 0;
}

/* Whether the first line counts what follows, as scikit-learn's files do: just as many rows, the
 * columns but one, and the names of the classes. */
static int counts_rows(Csv csv)
{
    Span line = csv.line, cell;
    double rows, columns;
    size_t count = 0;
    int more = 1, names = 0;
    if (!next_cell(&line, csv.separator, &more, &cell) || !read_number(cell, &rows) ||
        !next_cell(&line, csv.separator, &more, &cell) || !read_number(cell, &columns))
        return 0;
    while (next_cell(&line, csv.separator, &more, &cell)) {
        if (is_number(cell) || is_missing(cell))
            return 0;
        names++;
    }
    while (names > 0 && next_line(&csv))
        if (count++ == 0 && (double)count_cells(csv.line, csv.separator) != columns + 1)
            return 0;
    return names > 0 && (double)count == rows;
}

/* Says that the first line was taken as a header, and shows where it begins. */
static void note_header(const Csv *csv, const char *as, ngrt_message *message)
{
    char text[64];
    size_t i, size = (size_t)(csv->line.end - csv->line.at);
    for (i = 0; i < size && i < sizeof text - 1; i++)
        text[i] = csv->line.at[i] >= ' ' && csv->line.at[i] <= '~' ? csv->line.at[i] : '?';
    text[i] = 0;
    ngrt_fail(message, NGRT_OK, "%s:%zu: taken as %s: %s%s", csv->path, csv->number, as, text,
              i < size ? "..." : "");
}

/* Says what is wrong with a cell, with line and column. */
static int fail_cell(const Csv *csv, Span cell, ngrt_message *message)
{
    static const char rule[] =
        "; a first line names the columns only if none of its cells is a number";
    const char *more = csv->number == csv->top ? rule : "";
    char text[24];
    size_t i, size = (size_t)(cell.end - cell.at), column = (size_t)(cell.at - csv->start) + 1;
    if (size == 0)
        return ngrt_fail(message, NGRT_EFORMAT, "%s:%zu:%zu: a value is missing%s", csv->path,
                         csv->number, column, more);
    for (i = 0; i < size && i < sizeof text - 1; i++)
        text[i] = cell.at[i] >= ' ' && cell.at[i] <= '~' ? cell.at[i] : '?';
    text[i] = 0;
    return ngrt_fail(message, NGRT_EFORMAT, "%s:%zu:%zu: '%s'%s is not a finite number%s",
                     csv->path, csv->number, column, text, i < size ? "..." : "", more);
}

/* The numbers of the current line into out, which has room for columns. */
static int parse_row(const Csv *csv, double *out, size_t columns, size_t first,
                     ngrt_message *message)
{
    Span line = csv->line, cell = {line.at, line.at};
    size_t count = 0;
    int more = 1;
    while (next_cell(&line, csv->separator, &more, &cell)) {
        if (count == columns)
            return ngrt_fail(message, NGRT_EFORMAT,
                             "%s:%zu:%zu: column %zu; line %zu has %zu columns", csv->path,
                             csv->number, (size_t)(cell.at - csv->start) + 1, count + 1, first,
                             columns);
        if (!read_number(cell, &out[count]))
            return fail_cell(csv, cell, message);
        count++;
    }
    if (count < columns)
        return ngrt_fail(message, NGRT_EFORMAT, "%s:%zu:%zu: %zu columns; line %zu has %zu",
                         csv->path, csv->number, (size_t)(csv->line.end - csv->start) + 1, count,
                         first, columns);
    return NGRT_OK;
}

/* Positions csv on the first line of numbers, with its separator known; false if there is none. The
 * message says what was taken as a header. */
static int find_rows(Csv *csv, ngrt_message *message)
{
    Csv probe = *csv;
    probe.separator = '\t'; /* tabs at the ends of a line count until the separator is known */
    if (!next_line(&probe))
        return 0;
    csv->separator = find_separator(probe.line);
    if (next_line(&probe))
        csv->separator = find_separator(probe.line);
    if (!next_line(csv))
        return 0;
    csv->top = csv->number;
    if (is_header(csv))
        note_header(csv, "the names of the columns", message);
    else if (counts_rows(*csv))
        note_header(csv, "the counts of rows and columns", message);
    else
        return 1;
    return next_line(csv);
}

/* Reads the rows from the current line on; data->block and data->line grow as they come. */
static int parse_rows(ngrt_data *data, Csv *csv, ngrt_message *message)
{
    size_t room = 0, first = csv->number;
    data->columns = count_cells(csv->line, csv->separator);
    do {
        int error;
        if (data->rows == room) {
            double *block;
            size_t *line;
            room = room ? 2 * room : 256;
            if (room > SIZE_MAX / 2 / sizeof *block / data->columns)
                return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", csv->path);
            block = realloc(data->block, room * data->columns * sizeof *block);
            data->block = block ? block : data->block;
            line = realloc(data->line, room * sizeof *line);
            data->line = line ? line : data->line;
            if (!block || !line)
                return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", csv->path);
        }
        error = parse_row(csv, (double *)data->block + data->rows * data->columns, data->columns,
                          first, message);
        if (error)
            return error;
        data->line[data->rows++] = csv->number;
    } while (next_line(csv));
    return NGRT_OK;
}

int ngrt_csv_parse(ngrt_data *data, const Bytes *b, const char *path, ngrt_message *message)
{
    Csv csv = {.path = path, .rest = {b->at, b->at + b->size}};
    int error;
    if (b->size >= 3 && memcmp(b->at, "\xEF\xBB\xBF", 3) == 0)
        csv.rest.at += 3;
    if (!find_rows(&csv, message))
        return ngrt_fail(message, NGRT_EFORMAT, "%s: holds no rows of numbers", path);
    error = parse_rows(data, &csv, message);
    data->type = NGRT_DATA_F64;
    data->rank = 2;
    data->shape[0] = data->rows;
    data->shape[1] = data->columns;
    data->at = data->block;
    return error;
}
