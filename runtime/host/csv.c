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

typedef struct Csv {   /* a file that is being read, line by line */
    const char *path;  /* for messages */
    Span rest;         /* what has not been read */
    Span line;         /* the line read last, without blanks around it; never empty */
    const char *start; /* where that line begins in the text */
    size_t number;     /* its number, from 1 */
    size_t top;        /* the number of the first line that is not blank */
    char separator;    /* ' ': any blanks */
} Csv;

typedef struct Cells { /* the cells of a line, one after the other */
    Span rest;         /* of the line */
    char separator;
    int done; /* the last cell has been taken */
    Span cell;
} Cells;

/* ---- lines and cells ---- */

static size_t length(Span s)
{
    return (size_t)(s.end - s.at);
}

/* Is the character a blank beside a cell? A tab that separates is not. */
static int is_blank(char c, char separator)
{
    return c == ' ' || c == '\r' || (c == '\t' && separator != '\t');
}

/* Does the character end a cell? */
static int separates(char c, char separator)
{
    return c == separator || (separator == ' ' && c == '\t');
}

/* The span without blanks at either end. */
static Span trim(Span s, char separator)
{
    while (s.at < s.end && is_blank(*s.at, separator))
        s.at++;
    while (s.at < s.end && is_blank(s.end[-1], separator))
        s.end--;
    return s;
}

/* Reads the next line that is not blank; false at the end. */
static int next_line(Csv *csv)
{
    while (csv->rest.at < csv->rest.end) {
        const char *end = memchr(csv->rest.at, '\n', length(csv->rest));
        Span line = {csv->rest.at, end ? end : csv->rest.end};

        csv->start = line.at;
        csv->rest.at = end ? end + 1 : csv->rest.end;
        csv->number++;
        if (length(trim(line, ' ')) > 0) {
            csv->line = trim(line, csv->separator);
            return 1;
        }
    }
    return 0;
}

static Cells cells_of(const Csv *csv)
{
    return (Cells){csv->line, csv->separator, 0, {csv->line.at, csv->line.at}};
}

/* The end of the cell that a line begins with. A separator between quotes does not end it. */
static const char *cell_end(Span line, char separator)
{
    const char *at = line.at;

    if (at < line.end && *at == '"') {
        const char *quote = memchr(at + 1, '"', (size_t)(line.end - at - 1));
        at = quote ? quote : line.end;
    }
    while (at < line.end && !separates(*at, separator))
        at++;
    return at;
}

/* Takes the next cell off the line, without blanks and quotes around it; false after the last. */
static int next_cell(Cells *c)
{
    Span *rest = &c->rest, cell = {rest->at, cell_end(*rest, c->separator)};

    if (c->done)
        return 0;

    c->done = cell.end == rest->end; /* there is no separator, so no cell after it */
    rest->at = c->done ? rest->end : cell.end + 1;
    while (c->separator == ' ' && rest->at < rest->end && is_blank(*rest->at, ' '))
        rest->at++;

    cell = trim(cell, c->separator);
    if (length(cell) >= 2 && *cell.at == '"' && cell.end[-1] == '"') {
        cell.at++;
        cell.end--;
    }
    c->cell = cell;
    return 1;
}

static size_t count_cells(const Csv *csv)
{
    Cells c = cells_of(csv);
    size_t count = 0;

    while (next_cell(&c))
        count++;
    return count;
}

/* ---- what a cell is ---- */

enum { CELL_ROOM = 64 }; /* bytes of a number's text */

/* The cell as a text that ends; 0: it is empty, or too long for a number. */
static int read_text(Span cell, char text[CELL_ROOM])
{
    size_t size = length(cell);

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
    if (strspn(text, "0123456789+-.eE") != length(cell))
        return 0;
    *value = strtod(text, &end);
    return *end == 0 && end != text && isfinite(*value);
}

/* Is the cell a number in some form, also one that no row may hold: nan, inf? */
static int is_number(Span cell)
{
    char text[CELL_ROOM], *end;

    if (!read_text(cell, text))
        return 0;
    strtod(text, &end);
    return *end == 0 && end != text;
}

/* Is the cell this word, in letters of either case? */
static int is_word(Span cell, const char *word)
{
    size_t size = length(cell), i;

    if (strlen(word) != size)
        return 0;
    for (i = 0; i < size; i++)
        if (tolower((unsigned char)word[i]) != tolower((unsigned char)cell.at[i]))
            return 0;
    return 1;
}

/* Does the cell say that there is no value? */
static int is_missing(Span cell)
{
    static const char *const word[] = {"",     "NA",  "N/A", "#N/A", "null",
                                       "none", "nil", "?",   "-",    "."};
    size_t i;

    for (i = 0; i < sizeof word / sizeof *word; i++)
        if (is_word(cell, word[i]))
            return 1;
    return 0;
}

/* ---- the first lines ---- */

/* The separator of a line: semicolon before tab before comma, which may be a decimal comma; blanks
 * if there is none. */
static char find_separator(Span line)
{
    const char *s;

    for (s = ";\t,"; *s; s++)
        if (memchr(line.at, *s, length(line)))
            return *s;
    return ' ';
}

/* Does the first line name the columns? Then no cell of it is a number, and some cell is a name. */
static int is_header(const Csv *csv)
{
    Cells c = cells_of(csv);
    int names = 0;

    while (next_cell(&c)) {
        if (is_number(c.cell))
            return 0;
        if (!is_missing(c.cell))
            names++;
    }
    return names > 0;
}

/* Does the first line count what follows, as in scikit-learn's files? Then it has the number of
 * rows, the number of columns but one, and the names of the classes. */
static int counts_rows(Csv csv)
{
    Cells c = cells_of(&csv);
    double rows, columns;
    size_t count = 0;
    int names = 0;

    if (!next_cell(&c) || !read_number(c.cell, &rows))
        return 0;
    if (!next_cell(&c) || !read_number(c.cell, &columns))
        return 0;
    for (; next_cell(&c); names++)
        if (is_number(c.cell) || is_missing(c.cell))
            return 0;
    if (names == 0)
        return 0;

    for (; next_line(&csv); count++)
        if (count == 0 && (double)count_cells(&csv) != columns + 1)
            return 0;
    return (double)count == rows;
}

/* The start of a span as a text for a message; what is not printable ASCII becomes '?'. */
static const char *show(Span s, char *text, size_t room)
{
    size_t i;

    for (i = 0; i < length(s) && i < room - 1; i++)
        text[i] = s.at[i] >= ' ' && s.at[i] <= '~' ? s.at[i] : '?';
    text[i] = 0;
    return text;
}

/* What follows that text: "..." where the span is longer. */
static const char *dots(Span s, size_t room)
{
    return length(s) < room ? "" : "...";
}

/* Says that the first line was taken as a header, and shows where it begins. */
static void note_header(const Csv *csv, const char *as, ngrt_message *message)
{
    char text[64];

    ngrt_fail(message, NGRT_OK, "%s:%zu: taken as %s: %s%s", csv->path, csv->number, as,
              show(csv->line, text, sizeof text), dots(csv->line, sizeof text));
}

/* Positions csv on the first line of numbers, with its separator known; false if there is none. The
 * message says what was taken as a header. */
static int find_rows(Csv *csv, ngrt_message *message)
{
    Csv probe = *csv;

    /* the second line knows the separator better: the first may be words with blanks */
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

/* ---- rows ---- */

/* Says what is wrong with a cell, with line and column. */
static int fail_cell(const Csv *csv, Span cell, ngrt_message *message)
{
    static const char rule[] =
        "; a first line names the columns only if none of its cells is a number";
    const char *more = csv->number == csv->top ? rule : "";
    size_t column = (size_t)(cell.at - csv->start) + 1;
    char text[24];

    if (length(cell) == 0)
        return ngrt_fail(message, NGRT_EFORMAT, "%s:%zu:%zu: a value is missing%s", csv->path,
                         csv->number, column, more);
    return ngrt_fail(message, NGRT_EFORMAT, "%s:%zu:%zu: '%s'%s is not a finite number%s",
                     csv->path, csv->number, column, show(cell, text, sizeof text),
                     dots(cell, sizeof text), more);
}

/* Reads the numbers of the current line into out, which has room for columns. `first`: the line
 * that says how many there are. */
static int parse_row(const Csv *csv, double *out, size_t columns, size_t first,
                     ngrt_message *message)
{
    Cells c = cells_of(csv);
    size_t count;

    for (count = 0; next_cell(&c); count++) {
        if (count == columns)
            return ngrt_fail(message, NGRT_EFORMAT,
                             "%s:%zu:%zu: column %zu; line %zu has %zu columns", csv->path,
                             csv->number, (size_t)(c.cell.at - csv->start) + 1, count + 1, first,
                             columns);
        if (!read_number(c.cell, &out[count]))
            return fail_cell(csv, c.cell, message);
    }
    if (count < columns)
        return ngrt_fail(message, NGRT_EFORMAT, "%s:%zu:%zu: %zu columns; line %zu has %zu",
                         csv->path, csv->number, (size_t)(csv->line.end - csv->start) + 1, count,
                         first, columns);
    return NGRT_OK;
}

/* Makes data->block and data->line as large as `room` rows need; false without memory. */
static int grow(ngrt_data *data, size_t room)
{
    double *block;
    size_t *line;

    if (room > SIZE_MAX / 2 / sizeof *block / data->columns)
        return 0;
    block = realloc(data->block, room * data->columns * sizeof *block);
    if (!block)
        return 0;
    data->block = block;
    line = realloc(data->line, room * sizeof *line);
    if (!line)
        return 0;
    data->line = line;
    return 1;
}

/* Reads the rows from the current line on. */
static int parse_rows(ngrt_data *data, Csv *csv, ngrt_message *message)
{
    size_t room = 0, first = csv->number;

    data->columns = count_cells(csv);
    do {
        double *row;
        int error;

        if (data->rows == room) {
            room = room ? 2 * room : 256;
            if (!grow(data, room))
                return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", csv->path);
        }
        row = (double *)data->block + data->rows * data->columns;
        error = parse_row(csv, row, data->columns, first, message);
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
        csv.rest.at += 3; /* UTF-8's byte order mark */
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
