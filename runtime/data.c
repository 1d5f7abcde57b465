/* data.c - files of numbers -> tensors in memory: CSV, IDX and NumPy files, also compressed by gzip.
 *
 * A file is read whole into one block. IDX and NumPy elements stay in that block and in their type; CSV becomes
 * doubles. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef NGRT_ZLIB
#include <zlib.h>
#endif

#include "ngrt_host.h"

typedef struct Bytes { /* a file's content; a NUL follows it */
    char *at;
    size_t size, room;
} Bytes;

/* Sets the message; returns the error, so that a failure is one statement. */
static int fail(ngrt_message *message, int error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message->text, sizeof message->text, format, arguments);
    va_end(arguments);
    return error;
}

/* Room for more bytes and a NUL behind the content; false without memory. */
static int bytes_reserve(Bytes *b, size_t more) {
    size_t room = b->room ? b->room : 65536;
    char *at;
    if (more > SIZE_MAX / 2 - b->size - 1)
        return 0;
    while (room < b->size + more + 1)
        room *= 2;
    if (room == b->room)
        return 1;
    at = realloc(b->at, room);
    if (!at)
        return 0;
    b->at = at;
    b->room = room;
    return 1;
}

static void bytes_free(Bytes *b) {
    free(b->at);
    memset(b, 0, sizeof *b);
}

/* ---- reading and unpacking ------------------------------------------------------------------------- */

/* The whole stream into b. */
static int read_stream(FILE *file, Bytes *b, const char *path, ngrt_message *message) {
    for (;;) {
        size_t got;
        if (!bytes_reserve(b, 65536))
            return fail(message, NGRT_ENOMEM, "%s: out of memory", path);
        got = fread(b->at + b->size, 1, b->room - b->size - 1, file);
        b->size += got;
        b->at[b->size] = 0;
        if (ferror(file))
            return fail(message, NGRT_EIO, "%s: %s", path, strerror(errno));
        if (got == 0)
            return NGRT_OK;
    }
}

/* Reads the file at path into b. */
static int read_file(Bytes *b, const char *path, ngrt_message *message) {
    FILE *file = fopen(path, "rb");
    int error;
    if (!file)
        return fail(message, NGRT_EIO, "%s: %s", path, strerror(errno));
    error = read_stream(file, b, path, message);
    fclose(file);
    return error;
}

static int is_gzip(const Bytes *b) {
    return b->size >= 2 && (unsigned char)b->at[0] == 0x1f && (unsigned char)b->at[1] == 0x8b;
}

#ifdef NGRT_ZLIB

/* Inflates the gzip members of in, which follow each other, to the end of out. */
static int inflate_all(z_stream *z, const Bytes *in, Bytes *out, const char *path, ngrt_message *message) {
    size_t used = 0;
    for (;;) {
        uInt give = in->size - used < 1u << 30 ? (uInt)(in->size - used) : 1u << 30, room;
        int status;
        if (!bytes_reserve(out, 65536))
            return fail(message, NGRT_ENOMEM, "%s: out of memory", path);
        room = out->room - out->size - 1 < 1u << 30 ? (uInt)(out->room - out->size - 1) : 1u << 30;
        z->next_in = (Bytef *)in->at + used;
        z->avail_in = give;
        z->next_out = (Bytef *)out->at + out->size;
        z->avail_out = room;
        status = inflate(z, Z_NO_FLUSH);
        used += give - z->avail_in;
        out->size += room - z->avail_out;
        out->at[out->size] = 0;
        if (status == Z_STREAM_END && used == in->size)
            return NGRT_OK;
        if (status == Z_STREAM_END)
            status = inflateReset(z);
        if (status == Z_MEM_ERROR)
            return fail(message, NGRT_ENOMEM, "%s: out of memory", path);
        if (status == Z_BUF_ERROR || (status == Z_OK && used == in->size && z->avail_out > 0))
            return fail(message, NGRT_EFORMAT, "%s: the compressed data ends too early", path);
        if (status != Z_OK)
            return fail(message, NGRT_EFORMAT, "%s: the compressed data is damaged: %s", path,
                        z->msg ? z->msg : "not in gzip format");
    }
}

/* Replaces b, in gzip format, by what it holds. */
static int unpack(Bytes *b, const char *path, ngrt_message *message) {
    Bytes out = { 0 };
    z_stream z = { 0 };
    int error;
    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return fail(message, NGRT_ENOMEM, "%s: out of memory", path);
    error = inflate_all(&z, b, &out, path, message);
    inflateEnd(&z);
    bytes_free(b);
    *b = out;
    return error;
}

#else

static int unpack(Bytes *b, const char *path, ngrt_message *message) {
    (void)b;
    return fail(message, NGRT_EFORMAT, "%s: compressed, and this program was built without zlib (NGRT_ZLIB)", path);
}

#endif

/* ---- binary formats ---------------------------------------------------------------------------------- */

static const unsigned char element_size[] = {
    [NGRT_DATA_U8] = 1, [NGRT_DATA_I8] = 1, [NGRT_DATA_I16] = 2, [NGRT_DATA_I32] = 4, [NGRT_DATA_I64] = 8,
    [NGRT_DATA_F32] = 4, [NGRT_DATA_F64] = 8,
};

/* Turns the order of bytes of each element round. */
static void swap_bytes(unsigned char *at, size_t count, size_t size) {
    size_t i, j;
    for (i = 0; i < count; i++, at += size)
        for (j = 0; j < size / 2; j++) {
            unsigned char keep = at[j];
            at[j] = at[size - 1 - j];
            at[size - 1 - j] = keep;
        }
}

/* Whether this machine keeps the low byte first. */
static int little_endian(void) {
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 1;
}

/* Takes the elements that begin at offset of b, where data has type, rank and shape by now: the bytes left must be just
 * those that the shape needs. Moves them to the block's start, for alignment, and into this machine's byte order. */
static int take_elements(ngrt_data *data, Bytes *b, size_t offset, int little, const char *path,
                         ngrt_message *message) {
    size_t size = element_size[data->type], have = b->size - offset, count = 1;
    int i, fits = have % size == 0;
    for (i = 0; i < data->rank && fits; i++) {
        if (data->shape[i] == 0)
            return fail(message, NGRT_EFORMAT, "%s: holds no elements: axis %d has size 0", path, i);
        fits = data->shape[i] <= have / size / count;
        count *= data->shape[i];
    }
    if (!fits || count != have / size)
        return fail(message, NGRT_EFORMAT, "%s: the sizes in the header do not match the %zu bytes after it", path,
                    have);
    data->rows = data->shape[0];
    data->columns = count / data->rows;
    memmove(b->at, b->at + offset, have);
    if (little != little_endian())
        swap_bytes((unsigned char *)b->at, count, size);
    data->at = data->block = b->at;
    memset(b, 0, sizeof *b);
    return NGRT_OK;
}

/* IDX: two zero bytes, a type, the rank, a big-endian 32-bit size for each axis, the elements. */
static int is_idx(const Bytes *b) {
    return b->size >= 4 && b->at[0] == 0 && b->at[1] == 0;
}

static int parse_idx(ngrt_data *data, Bytes *b, const char *path, ngrt_message *message) {
    const unsigned char *at = (const unsigned char *)b->at;
    int i, rank = at[3];
    switch (at[2]) {
    case 0x08: data->type = NGRT_DATA_U8; break;
    case 0x09: data->type = NGRT_DATA_I8; break;
    case 0x0B: data->type = NGRT_DATA_I16; break;
    case 0x0C: data->type = NGRT_DATA_I32; break;
    case 0x0D: data->type = NGRT_DATA_F32; break;
    case 0x0E: data->type = NGRT_DATA_F64; break;
    default: return fail(message, NGRT_EFORMAT, "%s: an IDX file has no element type 0x%02X", path, at[2]);
    }
    if (rank < 1 || rank > 8)
        return fail(message, NGRT_EFORMAT, "%s: an IDX file of %d axes; 1 to 8 can be read", path, rank);
    if (b->size < 4 + 4 * (size_t)rank)
        return fail(message, NGRT_EFORMAT, "%s: the IDX header ends too early", path);
    data->rank = rank;
    for (i = 0, at += 4; i < rank; i++, at += 4)
        data->shape[i] = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    return take_elements(data, b, 4 + 4 * (size_t)rank, 0, path, message);
}

static int is_npy(const Bytes *b) {
    return b->size >= 6 && memcmp(b->at, "\x93NUMPY", 6) == 0;
}

/* The value of a key in the header's Python dictionary, or NULL: "'descr': '<f4', ..." gives "'<f4', ...". */
static const char *npy_value(const char *header, const char *key) {
    const char *at = strstr(header, key);
    if (!at)
        return NULL;
    at += strlen(key);
    return at + strspn(at, " :");
}

/* Sets type, rank and shape from the header's text; says what it cannot. */
static const char *npy_header(ngrt_data *data, const char *header) {
    static const struct { const char *name; int type; } types[] = {
        { "'|u1'", NGRT_DATA_U8 }, { "'|i1'", NGRT_DATA_I8 }, { "'|b1'", NGRT_DATA_U8 }, { "'<i2'", NGRT_DATA_I16 },
        { "'<i4'", NGRT_DATA_I32 }, { "'<i8'", NGRT_DATA_I64 }, { "'<f4'", NGRT_DATA_F32 }, { "'<f8'", NGRT_DATA_F64 },
    };
    const char *descr = npy_value(header, "'descr'"), *order = npy_value(header, "'fortran_order'");
    const char *shape = npy_value(header, "'shape'");
    size_t i;
    if (!descr || !order || !shape || *shape != '(')
        return "the header lacks descr, fortran_order or shape";
    if (strncmp(order, "False", 5) != 0)
        return "the elements are in Fortran's order";
    for (i = 0; i < sizeof types / sizeof *types && strncmp(descr, types[i].name, 5) != 0; i++)
        ;
    if (i == sizeof types / sizeof *types)
        return "the element type is none of u1 i1 b1 i2 i4 i8 f4 f8, little-endian";
    data->type = types[i].type;
    for (shape++; *shape != ')'; shape += strspn(shape, ", ")) {
        char *end;
        unsigned long long size;
        if (*shape < '0' || *shape > '9' || data->rank == 8)
            return "the shape is not a list of up to 8 sizes";
        errno = 0;
        size = strtoull(shape, &end, 10);
        if (errno || size > SIZE_MAX)
            return "a size is too large";
        data->shape[data->rank++] = (size_t)size;
        shape = end;
    }
    return data->rank ? NULL : "a single number has no rows";
}

/* NumPy: magic, version (2 bytes), the header's length (2 bytes; 4 from version 2), the header, the elements. */
static int parse_npy(ngrt_data *data, Bytes *b, const char *path, ngrt_message *message) {
    const unsigned char *at = (const unsigned char *)b->at;
    size_t start, length;
    const char *wrong;
    char first;
    if (b->size < 12)
        return fail(message, NGRT_EFORMAT, "%s: the NumPy header ends too early", path);
    if (at[6] < 1 || at[6] > 3)
        return fail(message, NGRT_EFORMAT, "%s: NumPy format version %d; 1 to 3 can be read", path, at[6]);
    start = at[6] == 1 ? 10 : 12;
    length = at[8] | (size_t)at[9] << 8;
    if (at[6] > 1)
        length |= (size_t)at[10] << 16 | (size_t)at[11] << 24;
    if (length > b->size - start)
        return fail(message, NGRT_EFORMAT, "%s: the NumPy header ends too early", path);
    first = b->at[start + length];
    b->at[start + length] = 0;
    wrong = npy_header(data, b->at + start);
    b->at[start + length] = first;
    if (wrong)
        return fail(message, NGRT_EFORMAT, "%s: NumPy file: %s", path, wrong);
    return take_elements(data, b, start + length, 1, path, message);
}

/* ---- CSV ----------------------------------------------------------------------------------------------- */

typedef struct Span { /* a piece of the text */
    const char *at, *end;
} Span;

typedef struct Csv {
    const char *path;
    Span rest;          /* what has not been read */
    Span line;          /* the line read last, without blanks around it; never empty */
    const char *start;  /* where that line begins in the text */
    size_t number;      /* its number, from 1 */
    char separator;
} Csv;

static int is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* The span without blanks at either end; a tab that separates is none. */
static Span trim(Span s, char separator) {
    while (s.at < s.end && is_blank(*s.at) && (*s.at != separator || separator == ' '))
        s.at++;
    while (s.at < s.end && is_blank(s.end[-1]) && (s.end[-1] != separator || separator == ' '))
        s.end--;
    return s;
}

/* Reads the next line that is not blank; false at the end. */
static int next_line(Csv *csv) {
    while (csv->rest.at < csv->rest.end) {
        const char *end = memchr(csv->rest.at, '\n', (size_t)(csv->rest.end - csv->rest.at));
        Span line = { csv->rest.at, end ? end : csv->rest.end };
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

/* Takes the next cell off the line, without blanks and quotes around it; false after the last. *more starts as 1. */
static int next_cell(Span *line, char separator, int *more, Span *cell) {
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

static size_t count_cells(Span line, char separator) {
    Span cell;
    size_t count = 0;
    int more = 1;
    while (next_cell(&line, separator, &more, &cell))
        count++;
    return count;
}

/* The cell as a finite decimal number. */
static int read_number(Span cell, double *value) {
    char text[64], *end;
    size_t size = (size_t)(cell.end - cell.at);
    if (size == 0 || size >= sizeof text)
        return 0;
    memcpy(text, cell.at, size);
    text[size] = 0;
    if (strspn(text, "0123456789+-.eE") != size)
        return 0;
    *value = strtod(text, &end);
    return *end == 0 && end != text && isfinite(*value);
}

/* The separator of a line: semicolon before tab before comma, which may be a decimal comma; blanks if there is none. */
static char find_separator(Span line) {
    size_t size = (size_t)(line.end - line.at);
    const char *s;
    for (s = ";\t,"; *s; s++)
        if (memchr(line.at, *s, size))
            return *s;
    return ' ';
}

/* Whether the first line is to be skipped: not all numbers, or another number of cells than the second. */
static int is_header(Csv csv) {
    Span line = csv.line, cell;
    size_t cells = count_cells(line, csv.separator);
    double value;
    int more = 1;
    while (next_cell(&line, csv.separator, &more, &cell))
        if (!read_number(cell, &value))
            return 1;
    return next_line(&csv) && count_cells(csv.line, csv.separator) != cells;
}

/* Says what is wrong with a cell, with line and column. */
static int fail_cell(const Csv *csv, Span cell, ngrt_message *message) {
    char text[24];
    size_t i, size = (size_t)(cell.end - cell.at), column = (size_t)(cell.at - csv->start) + 1;
    if (size == 0)
        return fail(message, NGRT_EFORMAT, "%s:%zu:%zu: a value is missing", csv->path, csv->number, column);
    for (i = 0; i < size && i < sizeof text - 1; i++)
        text[i] = cell.at[i] >= ' ' && cell.at[i] <= '~' ? cell.at[i] : '?';
    text[i] = 0;
    return fail(message, NGRT_EFORMAT, "%s:%zu:%zu: '%s'%s is not a finite number", csv->path, csv->number, column,
                text, i < size ? "..." : "");
}

/* The numbers of the current line into out, which has room for columns. */
static int parse_row(const Csv *csv, double *out, size_t columns, size_t first, ngrt_message *message) {
    Span line = csv->line, cell = { line.at, line.at };
    size_t count = 0;
    int more = 1;
    while (next_cell(&line, csv->separator, &more, &cell)) {
        if (count == columns)
            return fail(message, NGRT_EFORMAT, "%s:%zu:%zu: column %zu; line %zu has %zu columns", csv->path,
                        csv->number, (size_t)(cell.at - csv->start) + 1, count + 1, first, columns);
        if (!read_number(cell, &out[count]))
            return fail_cell(csv, cell, message);
        count++;
    }
    if (count < columns)
        return fail(message, NGRT_EFORMAT, "%s:%zu:%zu: %zu columns; line %zu has %zu", csv->path, csv->number,
                    (size_t)(csv->line.end - csv->start) + 1, count, first, columns);
    return NGRT_OK;
}

/* Positions csv on the first line of numbers, with its separator known; false if there is none. */
static int find_rows(Csv *csv) {
    Csv probe = *csv;
    probe.separator = '\t'; /* tabs at the ends of a line count until the separator is known */
    if (!next_line(&probe))
        return 0;
    csv->separator = find_separator(probe.line);
    if (next_line(&probe))
        csv->separator = find_separator(probe.line);
    return next_line(csv) && (!is_header(*csv) || next_line(csv));
}

/* Reads the rows from the current line on; data->block and data->line grow as they come. */
static int parse_rows(ngrt_data *data, Csv *csv, ngrt_message *message) {
    size_t room = 0, first = csv->number;
    data->columns = count_cells(csv->line, csv->separator);
    do {
        int error;
        if (data->rows == room) {
            double *block;
            size_t *line;
            room = room ? 2 * room : 256;
            if (room > SIZE_MAX / 2 / sizeof *block / data->columns)
                return fail(message, NGRT_ENOMEM, "%s: out of memory", csv->path);
            block = realloc(data->block, room * data->columns * sizeof *block);
            data->block = block ? block : data->block;
            line = realloc(data->line, room * sizeof *line);
            data->line = line ? line : data->line;
            if (!block || !line)
                return fail(message, NGRT_ENOMEM, "%s: out of memory", csv->path);
        }
        error = parse_row(csv, (double *)data->block + data->rows * data->columns, data->columns, first, message);
        if (error)
            return error;
        data->line[data->rows++] = csv->number;
    } while (next_line(csv));
    return NGRT_OK;
}

static int parse_csv(ngrt_data *data, Bytes *b, const char *path, ngrt_message *message) {
    Csv csv = { .path = path, .rest = { b->at, b->at + b->size } };
    int error;
    if (b->size >= 3 && memcmp(b->at, "\xEF\xBB\xBF", 3) == 0)
        csv.rest.at += 3;
    if (!find_rows(&csv))
        return fail(message, NGRT_EFORMAT, "%s: holds no rows of numbers", path);
    error = parse_rows(data, &csv, message);
    data->type = NGRT_DATA_F64;
    data->rank = 2;
    data->shape[0] = data->rows;
    data->shape[1] = data->columns;
    data->at = data->block;
    return error;
}

/* ---- the public functions -------------------------------------------------------------------------------- */

int ngrt_data_read(ngrt_data *data, const char *path, ngrt_message *message) {
    Bytes b = { 0 };
    int error;
    memset(data, 0, sizeof *data);
    message->text[0] = 0;
    error = read_file(&b, path, message);
    if (!error && is_gzip(&b))
        error = unpack(&b, path, message);
    if (!error && is_npy(&b))
        error = parse_npy(data, &b, path, message);
    else if (!error && is_idx(&b))
        error = parse_idx(data, &b, path, message);
    else if (!error)
        error = parse_csv(data, &b, path, message);
    bytes_free(&b);
    if (error)
        ngrt_data_free(data);
    return error;
}

double ngrt_data_value(const ngrt_data *data, size_t i) {
    switch (data->type) {
    case NGRT_DATA_U8: return ((const uint8_t *)data->at)[i];
    case NGRT_DATA_I8: return ((const int8_t *)data->at)[i];
    case NGRT_DATA_I16: return ((const int16_t *)data->at)[i];
    case NGRT_DATA_I32: return ((const int32_t *)data->at)[i];
    case NGRT_DATA_I64: return (double)((const int64_t *)data->at)[i];
    case NGRT_DATA_F32: return (double)((const float *)data->at)[i];
    default: return ((const double *)data->at)[i];
    }
}

void ngrt_data_copy(const ngrt_data *data, size_t first, size_t count, int type, void *out) {
    size_t i;
    if (type == NGRT_F32 && data->type == NGRT_DATA_U8) {
        const uint8_t *from = (const uint8_t *)data->at + first;
        for (i = 0; i < count; i++)
            ((float *)out)[i] = (float)from[i];
    } else if (type == NGRT_F32) {
        for (i = 0; i < count; i++)
            ((float *)out)[i] = (float)ngrt_data_value(data, first + i);
    } else if (type == NGRT_F64) {
        for (i = 0; i < count; i++)
            ((double *)out)[i] = ngrt_data_value(data, first + i);
    } else {
        for (i = 0; i < count; i++)
            ((int32_t *)out)[i] = (int32_t)ngrt_data_value(data, first + i);
    }
}

void ngrt_data_free(ngrt_data *data) {
    free(data->block);
    free(data->line);
    memset(data, 0, sizeof *data);
}
