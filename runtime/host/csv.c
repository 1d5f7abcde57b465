/* csv.c - a table of numbers as text -> doubles, row by row.
 *
 * Cells are separated by semicolons, tabs, commas or blanks; which of them, the first lines say. A
 * first line of names, or of the counts that scikit-learn writes, is skipped with a note. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* ---- lines and cells ---- */

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

/* Reads more text after what is left of it; false at the end, or after an error. */
static int read_more(Csv *csv)
{
    size_t left = span_length(csv->rest);
    size_t got = 0;

    if (!csv->from || csv->error)
        return 0;
    /* what is left of the last text, less than a line, moves to the start, if it is not there */
    if (left > 0 && csv->rest.at != csv->text.at)
        memmove(csv->text.at, csv->rest.at, left);
    csv->text.size = left;
    if (!ngrt_bytes_reserve(&csv->text, NGRT_PIECE)) {
        csv->error = ngrt_fail(csv->message, NGRT_ENOMEM, "%s: out of memory", csv->path);
        return 0;
    }

    csv->error = csv->read(csv->from, csv->text.at + left, NGRT_PIECE, &got, csv->message);
    csv->text.size += got;
    csv->rest = (Span){csv->text.at, csv->text.at + csv->text.size};
    return got > 0 && !csv->error;
}

/* The end of the line that the text begins with, from `scanned` bytes on; at the end of the text
 * that end. Reads more where the line is not whole. */
static const char *find_line_end(Csv *csv, size_t scanned)
{
    for (;;) {
        const char *from = csv->rest.at + scanned;
        const char *end =
            from < csv->rest.end ? memchr(from, '\n', (size_t)(csv->rest.end - from)) : NULL;

        if (end)
            return end;
        /* no byte is searched twice */
        scanned = span_length(csv->rest);
        if (!read_more(csv))
            return csv->rest.end;
    }
}

/* May a cell begin after this character? */
static int begins_cell(char before, char separator)
{
    if (separator)
        return separates(before, separator);
    return before == ',' || before == ';' || before == '\t';
}

typedef enum { CELL_BEGINS, IN_CELL, IN_QUOTES, AFTER_QUOTE } QuoteState;

typedef struct Quotes { /* of a line: how far it has been searched for quotes, and what is there */
    size_t at;
    QuoteState state;
} Quotes;

/* Does the text end within a cell in quotes? It is searched from q->at on. */
static int is_quote_open(Quotes *q, Span s, char separator)
{
    const char *at = s.at + q->at;

    while (at < s.end) {
        char c = *at;

        if (q->state == IN_QUOTES) { /* to the quote that may end it */
            at = memchr(at, '"', (size_t)(s.end - at));
            if (!at)
                break;
            q->state = AFTER_QUOTE;
        } else if (c == '"' && q->state != IN_CELL) {
            /* only a quote at the start of a cell opens one; two of them are one that does not
             * end it */
            q->state = IN_QUOTES;
        } else if (begins_cell(c, separator)) {
            q->state = CELL_BEGINS;
        } else if (q->state == AFTER_QUOTE || !is_blank(c, separator)) {
            q->state = IN_CELL;
        }
        at++;
    }
    q->at = span_length(s);
    return q->state == IN_QUOTES;
}

/* The end of the next line. A cell in quotes may hold ends of lines, within reason: a quote that
 * nothing closes is a character like others. */
static const char *find_end(Csv *csv)
{
    enum { LONGEST = 1 << 16 };
    const char *end = find_line_end(csv, 0);
    size_t first = (size_t)(end - csv->rest.at);
    size_t size = first;
    Quotes quotes = {0, CELL_BEGINS};

    /* most lines have no quote */
    if (!memchr(csv->rest.at, '"', first))
        return end;
    while (is_quote_open(&quotes, (Span){csv->rest.at, csv->rest.at + size}, csv->separator)) {
        if (size >= LONGEST || csv->rest.at + size == csv->rest.end)
            return csv->rest.at + first;
        size = (size_t)(find_line_end(csv, size + 1) - csv->rest.at);
    }
    return csv->rest.at + size;
}

/* Counts the lines in a text. */
static size_t count_lines(Span s)
{
    size_t lines = 0;

    while (s.at < s.end && (s.at = memchr(s.at, '\n', span_length(s)))) {
        s.at++;
        lines++;
    }
    return lines;
}

/* Reads the next line; false at the end. */
static int take_line(Csv *csv)
{
    const char *end;

    if (csv->rest.at == csv->rest.end && !read_more(csv))
        return 0;
    end = find_end(csv);
    if (csv->error)
        return 0;
    csv->start = csv->rest.at;
    csv->line = (Span){csv->rest.at, end};
    if (end < csv->rest.end)
        csv->rest.at = end + 1;
    else
        csv->rest.at = end;
    /* a row's number is that of its first line */
    csv->number = ++csv->lines;
    if (memchr(csv->line.at, '\n', span_length(csv->line)))
        csv->lines += count_lines(csv->line);
    return 1;
}

/* Fails where the current line has a byte that a table cannot have there. */
static int fail_byte(Csv *csv, const char *at, const char *what)
{
    csv->error = ngrt_fail(csv->message, NGRT_EFORMAT, "%s:%zu:%zu: %s", csv->path, csv->number,
                           (size_t)(at - csv->start) + 1, what);
    return 0;
}

/* Is the current line one line of a text? A CR without LF is an end of a line for some programs:
 * other rows would be taken for cells of this one. In quotes it is a part of the cell. */
static int is_one_line(Csv *csv)
{
    Span line = csv->line;
    const char *zero = memchr(line.at, 0, span_length(line));
    const char *at = line.at;
    Quotes quotes = {0, CELL_BEGINS};

    if (zero)
        return fail_byte(csv, zero, "a byte that is 0: a table is a text");
    while ((at = memchr(at, '\r', (size_t)(line.end - at)))) {
        if (!is_quote_open(&quotes, (Span){line.at, at}, csv->separator))
            return fail_byte(csv, at,
                             "a line ends with CR alone: save the table with LF or CR LF there");
        at++;
    }
    return 1;
}

/* Reads the next line that is not blank; false at the end. */
int ngrt_csv_next(Csv *csv)
{
    while (take_line(csv))
        if (span_length(trim(csv->line, ' ')) > 0) {
            csv->line = trim(csv->line, csv->separator ? csv->separator : '\t');
            /* until the separator is known, lines are only looked at */
            return !csv->separator || is_one_line(csv);
        }
    return 0;
}

Cells ngrt_csv_cells(const Csv *csv)
{
    return (Cells){csv->line, csv->separator, 0, {csv->line.at, csv->line.at}};
}

/* The end of the cell that a line begins with. A separator between quotes does not end it. */
static const char *cell_end(Span line, char separator)
{
    const char *at = line.at;

    if (at < line.end && *at == '"') {
        do { /* two quotes are one that does not end the cell */
            const char *quote = memchr(at + 1, '"', (size_t)(line.end - at - 1));

            if (quote)
                at = quote + 1;
            else
                at = line.end;
        } while (at < line.end && *at == '"');
    }
    while (at < line.end && !separates(*at, separator))
        at++;
    return at;
}

/* Takes the next cell off the line, without blanks and quotes around it; false after the last. */
int ngrt_csv_cell(Cells *c)
{
    Span *rest = &c->rest;
    Span cell = {rest->at, cell_end(*rest, c->separator)};

    if (c->done)
        return 0;

    c->done = cell.end == rest->end; /* there is no separator, so no cell after it */
    if (c->done)
        rest->at = rest->end;
    else
        rest->at = cell.end + 1;
    /* several blanks separate once */
    while (c->separator == ' ' && rest->at < rest->end && is_blank(*rest->at, ' '))
        rest->at++;

    cell = trim(cell, c->separator);
    if (span_length(cell) >= 2 && *cell.at == '"' && cell.end[-1] == '"') {
        cell.at++;
        cell.end--;
    }
    c->cell = cell;
    return 1;
}

static size_t count_cells(const Csv *csv)
{
    Cells c = ngrt_csv_cells(csv);
    size_t count = 0;

    while (ngrt_csv_cell(&c))
        count++;
    return count;
}

/* ---- what a cell is ---- */

enum { CELL_ROOM = 64 }; /* bytes of a number's text */

/* The cell as a text that ends; 0: it is empty, or too long for a number. */
static int read_text(Span cell, char text[CELL_ROOM])
{
    size_t size = span_length(cell);

    if (size == 0 || size >= CELL_ROOM)
        return 0;
    memcpy(text, cell.at, size);
    text[size] = 0;
    return 1;
}

/* The cell as a finite decimal number, by the C library. */
static int read_slowly(Span cell, double *value)
{
    char text[CELL_ROOM], *end;

    if (!read_text(cell, text))
        return 0;
    if (strspn(text, "0123456789+-.eE") != span_length(cell))
        return 0;
    *value = strtod(text, &end);
    return *end == 0 && end != text && isfinite(*value);
}

/* Takes digits; *digits counts them from the first that is not 0. */
static const char *take_digits(Span s, uint64_t *mantissa, int *digits)
{
    while (s.at < s.end && *s.at >= '0' && *s.at <= '9' && *digits < 19) {
        *mantissa = *mantissa * 10 + (uint64_t)(*s.at - '0');
        if (*mantissa > 0)
            ++*digits;
        s.at++;
    }
    return s.at;
}

/* A number with up to 15 digits and no exponent is its digits divided by a power of ten. Both are
 * doubles without an error, so the quotient is the double that is nearest, as that of strtod. */
int ngrt_csv_number(Span cell, double *value)
{
    static const double power[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    Span s = cell;
    uint64_t mantissa = 0;
    int negative = s.at < s.end && *s.at == '-';
    int digits = 0;
    const char *point, *end;

    if (negative)
        s.at++;
    point = end = take_digits(s, &mantissa, &digits);
    if (end < s.end && *end == '.') {
        s.at = end + 1;
        end = take_digits(s, &mantissa, &digits);
        if (end == s.at && point == cell.at + negative)
            return 0; /* a point alone */
        point = s.at;
    } else if (end == s.at) {
        return read_slowly(cell, value);
    }

    /* 10^15 < 2^53: up to there integers and powers of ten are exact */
    if (end < cell.end || digits > 15 || end - point > 15)
        return read_slowly(cell, value);
    *value = (double)mantissa / power[end - point];
    if (negative)
        *value = -*value;
    return 1;
}

/* Is the cell a number in some form, also one that no row may hold: nan, inf? */
int ngrt_csv_is_number(Span cell)
{
    char text[CELL_ROOM], *end;
    double value;

    if (ngrt_csv_number(cell, &value))
        return 1;
    if (!read_text(cell, text))
        return 0;
    strtod(text, &end);
    return *end == 0 && end != text;
}

/* Is the cell this word, in letters of either case? */
static int is_word(Span cell, const char *word)
{
    size_t size = span_length(cell);
    size_t i;

    if (strlen(word) != size)
        return 0;
    for (i = 0; i < size; i++)
        if (tolower((unsigned char)word[i]) != tolower((unsigned char)cell.at[i]))
            return 0;
    return 1;
}

/* Does the cell say that there is no value? */
int ngrt_csv_missing(Span cell)
{
    static const char *const word[] = {"",    "NA",  "N/A",  "#N/A", "null", "none",
                                       "nil", "nan", "-nan", "?",    "-",    "."};
    size_t i;

    for (i = 0; i < sizeof word / sizeof *word; i++)
        if (is_word(cell, word[i]))
            return 1;
    return 0;
}

/* Does it say so in a column of words, where none and null may be names of a class? */
int ngrt_csv_no_word(Span cell)
{
    if (span_length(cell) == 0 || *cell.at == '?')
        return 1;
    return span_length(cell) <= 4 && ngrt_csv_missing(cell) && *cell.at != 'n';
}

/* ---- the first lines ---- */

/* The separator of a line: semicolon before tab before comma, which may be a decimal comma; blanks
 * if there is none. */
static char find_separator(Span line)
{
    const char *s;

    for (s = ";\t,"; *s; s++)
        if (memchr(line.at, *s, span_length(line)))
            return *s;
    return ' ';
}

/* Does the first line name the columns? Then no cell of it is a number, and some cell is a name. */
static int is_header(const Csv *csv)
{
    Cells c = ngrt_csv_cells(csv);
    int names = 0;

    while (ngrt_csv_cell(&c)) {
        if (ngrt_csv_is_number(c.cell))
            return 0;
        if (!ngrt_csv_missing(c.cell))
            names++;
    }
    return names > 0;
}

/* Does the first line count what follows, as in scikit-learn's files? Then it has the number of
 * rows, the number of columns but one, and the names of the classes. */
static int counts_rows(Csv csv, size_t *counted)
{
    Cells c = ngrt_csv_cells(&csv);
    double rows, columns;
    size_t count = 0;
    int names = 0, streams;

    if (!ngrt_csv_cell(&c) || !ngrt_csv_number(c.cell, &rows))
        return 0;
    if (!ngrt_csv_cell(&c) || !ngrt_csv_number(c.cell, &columns))
        return 0;
    for (; ngrt_csv_cell(&c); names++)
        if (ngrt_csv_is_number(c.cell) || ngrt_csv_missing(c.cell))
            return 0;
    if (names == 0)
        return 0;

    streams = csv.from != NULL; /* then not all rows are in memory: they are counted as they come */
    csv.from = NULL;

    /* csv is a copy: to count ahead moves nothing */
    for (; ngrt_csv_next(&csv); count++)
        if (count == 0 && (double)count_cells(&csv) != columns + 1)
            return 0;
    if (streams && count > 0 && rows >= 1 && rows < 1e15)
        *counted = (size_t)rows;
    return (double)count == rows || (streams && count > 0 && rows >= 1 && rows < 1e15);
}

/* The start of a span as a text for a message; what is not printable ASCII becomes '?'. */
const char *ngrt_show(Span s, char *text, size_t room)
{
    size_t i;

    for (i = 0; i < span_length(s) && i < room - 1; i++)
        text[i] = s.at[i] >= ' ' && s.at[i] <= '~' ? s.at[i] : '?';
    text[i] = 0;
    return text;
}

/* What follows that text: "..." where the span is longer. */
const char *ngrt_show_dots(Span s, size_t room)
{
    return span_length(s) < room ? "" : "...";
}

/* Says that the first line was taken as a header, and shows where it begins. */
static void note_header(const Csv *csv, const char *as, ngrt_message *message)
{
    char text[64];

    ngrt_fail(message, NGRT_OK, "%s:%zu: taken as %s: %s%s", csv->path, csv->number, as,
              ngrt_show(csv->line, text, sizeof text), ngrt_show_dots(csv->line, sizeof text));
}

/* Reads text until two lines that are not blank are whole, or all of it. */
static void read_top(Csv *csv)
{
    size_t line = 0, scanned = 0, found = 0; /* where a line begins, and what has been searched */

    while (found < 2) {
        const char *at = csv->rest.at + scanned;
        const char *end =
            at < csv->rest.end ? memchr(at, '\n', (size_t)(csv->rest.end - at)) : NULL;

        if (end) {
            found += span_length(trim((Span){csv->rest.at + line, end}, ' ')) > 0;
            line = scanned = (size_t)(end - csv->rest.at) + 1;
        } else {
            scanned = span_length(csv->rest);
            if (!read_more(csv))
                return;
        }
    }
}

/* Chooses the separator by the first two lines. The second knows it better: the first may be words
 * with blanks. */
static void choose_separator(Csv *csv)
{
    Csv probe = *csv;

    /* it reads no more text, since the rest of csv would not know */
    probe.from = NULL;
    if (csv->separator || !ngrt_csv_next(&probe))
        return;
    csv->separator = find_separator(probe.line);
    if (ngrt_csv_next(&probe))
        csv->separator = find_separator(probe.line);
}

/* Is the first line one before the data? The message says what it was taken as. */
static int is_top(Csv *csv)
{
    if (csv->no_header)
        return 0;
    if (is_header(csv)) {
        note_header(csv, "the names of the columns", csv->message);
        if (!ngrt_bytes_add(&csv->names, csv->line.at, span_length(csv->line)))
            csv->error = ngrt_fail(csv->message, NGRT_ENOMEM, "%s: out of memory", csv->path);
        return 1;
    }
    /* no names: then it may be counts, which look like numbers and then words */
    if (!counts_rows(*csv, &csv->counted))
        return 0;
    note_header(csv, "the counts of rows and columns", csv->message);
    return 1;
}

/* Does the text begin as one in UTF-16: with its byte order mark, or with a character of ASCII? */
static int is_utf16(Span text)
{
    if (span_length(text) < 2)
        return 0;
    if (memcmp(text.at, "\xFF\xFE", 2) == 0 || memcmp(text.at, "\xFE\xFF", 2) == 0)
        return 1;
    return (text.at[0] == 0) != (text.at[1] == 0);
}

int ngrt_csv_begin(Csv *csv, size_t skip)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* UTF-8's byte order mark */

    if (!csv->rest.at)
        csv->rest = (Span){mark, mark}; /* nothing yet, but somewhere */
    read_top(csv);
    if (span_length(csv->rest) >= 3 && memcmp(csv->rest.at, mark, 3) == 0)
        csv->rest.at += 3;
    if (is_utf16(csv->rest)) {
        csv->error = ngrt_fail(csv->message, NGRT_EFORMAT,
                               "%s: a text in UTF-16: save the table in UTF-8", csv->path);
        return 0;
    }
    /* lines of remarks may have any separator: they are skipped before one is chosen */
    for (; skip > 0; skip--)
        if (!take_line(csv))
            return 0;
    read_top(csv);
    choose_separator(csv);

    if (!ngrt_csv_next(csv))
        return 0;
    csv->top = csv->number;
    if (!is_top(csv))
        return 1;
    return !csv->error && ngrt_csv_next(csv);
}

void ngrt_csv_end(Csv *csv)
{
    ngrt_bytes_free(&csv->text);
    ngrt_bytes_free(&csv->names);
}

/* ---- rows ---- */

size_t ngrt_csv_column(const Csv *csv, Span cell)
{
    return (size_t)(cell.at - csv->start) + 1;
}

/* Is it a number with a decimal comma, a sign of a currency, a separator or the like? */
int ngrt_csv_nearly(Span cell)
{
    static const char others[] = "0123456789.,_'%$+ ";
    int digits = 0;
    const char *s;

    for (s = cell.at; s < cell.end; s++) {
        if (s == cell.at && *s == '-')
            continue;
        if (!memchr(others, *s, sizeof others - 1) && (unsigned char)*s < 128)
            return 0;
        digits += *s >= '0' && *s <= '9';
    }
    return digits > 0;
}

/* What to write instead of a cell that is not a number. */
const char *ngrt_csv_hint(Span cell)
{
    return ngrt_csv_nearly(cell) ? "; numbers are written as 1234.5" : "";
}

int ngrt_csv_fail(const Csv *csv, Span cell, const char *more, ngrt_message *message)
{
    static const char rule[] =
        "; a first line names the columns only if none of its cells is a number";
    size_t column = ngrt_csv_column(csv, cell);
    char text[24];

    if (csv->number == csv->top)
        more = rule;
    if (span_length(cell) == 0)
        return ngrt_fail(message, NGRT_EFORMAT, "%s:%zu:%zu: a value is missing%s", csv->path,
                         csv->number, column, more);
    return ngrt_fail(message, NGRT_EFORMAT, "%s:%zu:%zu: '%s'%s is not a finite number%s",
                     csv->path, csv->number, column, ngrt_show(cell, text, sizeof text),
                     ngrt_show_dots(cell, sizeof text), more);
}

int ngrt_csv_fail_count(const Csv *csv, size_t count, const char *at, size_t columns, size_t first,
                        ngrt_message *message)
{
    if (count > columns)
        return ngrt_fail(message, NGRT_EFORMAT, "%s:%zu:%zu: column %zu; line %zu has %zu columns",
                         csv->path, csv->number, (size_t)(at - csv->start) + 1, count, first,
                         columns);
    return ngrt_fail(message, NGRT_EFORMAT, "%s:%zu:%zu: %zu columns; line %zu has %zu", csv->path,
                     csv->number, (size_t)(csv->line.end - csv->start) + 1, count, first, columns);
}

/* Reads the numbers of the current line into out, which has room for columns. `first`: the line
 * that says how many there are. */
static int parse_row(const Csv *csv, double *out, size_t columns, size_t first,
                     ngrt_message *message)
{
    Cells c = ngrt_csv_cells(csv);
    size_t count;

    for (count = 0; ngrt_csv_cell(&c); count++) {
        if (count == columns)
            return ngrt_csv_fail_count(csv, count + 1, c.cell.at, columns, first, message);
        if (!ngrt_csv_number(c.cell, &out[count]))
            return ngrt_csv_fail(csv, c.cell, ngrt_csv_hint(c.cell), message);
    }
    if (count < columns)
        return ngrt_csv_fail_count(csv, count, NULL, columns, first, message);
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
    size_t room = 0;
    size_t first = csv->number;

    data->columns = count_cells(csv);
    do {
        double *row;
        int error;

        if (data->rows == room) {
            if (room)
                room = 2 * room;
            else
                room = 256;
            if (!grow(data, room))
                return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", csv->path);
        }
        row = (double *)data->block + data->rows * data->columns;
        error = parse_row(csv, row, data->columns, first, message);
        if (error)
            return error;
        data->line[data->rows++] = csv->number;
    } while (ngrt_csv_next(csv));
    return csv->error;
}

int ngrt_csv_parse(ngrt_data *data, const Bytes *b, const char *path, ngrt_message *message)
{
    Csv csv = {.path = path, .rest = {b->at, b->at + b->size}, .message = message};
    int error;

    if (ngrt_csv_begin(&csv, 0))
        error = parse_rows(data, &csv, message);
    else if (csv.error)
        error = csv.error;
    else
        error = ngrt_fail(message, NGRT_EFORMAT, "%s: holds no rows of numbers", path);
    ngrt_csv_end(&csv);

    data->type = NGRT_DATA_F64;
    data->rank = 2;
    data->shape[0] = data->rows;
    data->shape[1] = data->columns;
    data->at = data->block;
    return error;
}
