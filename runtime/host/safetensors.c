/* safetensors.c - the format of that name: 8 bytes with the length of a header, the header, the
 * tensors. The header is
 *
 *     {"__metadata__": {"epoch": "3", ...},
 *      "h.W": {"dtype": "F32", "shape": [8, 2], "data_offsets": [0, 64]}, ...}
 *
 * in JSON, offsets counted from the header's end. Numbers and elements are little-endian. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

static const struct {
    const char *name;
    int type;
} kinds[] = {
    {"F32", NGRT_DATA_F32},   {"F64", NGRT_DATA_F64}, {"I32", NGRT_DATA_I32},
    {"BF16", NGRT_DATA_BF16}, {"F16", NGRT_DATA_F16}, {"I64", NGRT_DATA_I64},
    {"I16", NGRT_DATA_I16},   {"I8", NGRT_DATA_I8},   {"U8", NGRT_DATA_U8},
    {"BOOL", NGRT_DATA_U8},   {"U16", NGRT_DATA_U16}, {"U32", NGRT_DATA_U32},
    {"U64", NGRT_DATA_U64},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- the header's JSON ---- */

typedef struct Json { /* a place in the header; all functions return false at what they do not
                         expect */
    const char *at, *end;
} Json;

static void skip_blanks(Json *j)
{
    while (j->at < j->end && strchr(" \t\r\n", *j->at) && *j->at)
        j->at++;
}

static int take(Json *j, char c)
{
    skip_blanks(j);
    if (j->at == j->end || *j->at != c)
        return 0;
    j->at++;
    return 1;
}

/* The value of a hexadecimal digit, or -1. */
static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Takes four hexadecimal digits. */
static int take_unit(Json *j, unsigned *unit)
{
    int i;

    *unit = 0;
    for (i = 0; i < 4; i++, j->at++) {
        int digit = -1;
        if (j->at < j->end)
            digit = digit_value(*j->at);

        if (digit < 0)
            return 0;
        *unit = *unit << 4 | (unsigned)digit;
    }
    return 1;
}

/* Appends a character as UTF-8. */
static char *put_character(char *to, unsigned c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xC0 | c >> 6);
        *to++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *to++ = (char)(0xE0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    } else {
        *to++ = (char)(0xF0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 63));
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    }
    return to;
}

/* Takes uXXXX, or a pair of them for a character above 16 bits. */
static int take_unicode(Json *j, unsigned *c)
{
    unsigned low;

    if (!take_unit(j, c) || *c == 0)
        return 0;
    if (*c < 0xD800 || *c >= 0xE000)
        return 1;

    /* the upper half of a pair; the lower must follow */
    if (*c >= 0xDC00 || j->end - j->at < 6 || j->at[0] != '\\' || j->at[1] != 'u')
        return 0;
    j->at += 2;
    if (!take_unit(j, &low) || low < 0xDC00 || low >= 0xE000)
        return 0;
    *c = 0x10000 + ((*c - 0xD800) << 10) + (low - 0xDC00);
    return 1;
}

/* Takes what follows a backslash; the character goes to *to, which moves after it. */
static int take_escape(Json *j, char **to)
{
    static const char from[] = "\"\\/bfnrt";
    static const char into[] = "\"\\/\b\f\n\r\t";
    const char *e;
    unsigned c;

    if (j->at == j->end || !*j->at)
        return 0;
    e = strchr(from, *j->at++);
    if (e) {
        *(*to)++ = into[e - from];
        return 1;
    }
    if (j->at[-1] != 'u' || !take_unicode(j, &c))
        return 0;
    *to = put_character(*to, c);
    return 1;
}

/* Takes a string, into the memory where it is: it is not longer than its text. */
static int take_string(Json *j, char **text, size_t *size)
{
    char *to;

    if (!take(j, '"'))
        return 0;
    /* an escape is at least two bytes and becomes fewer, so `to` never passes `at` */
    *text = to = (char *)j->at;
    while (j->at < j->end && *j->at != '"') {
        unsigned char c = (unsigned char)*j->at++;

        if (c < ' ')
            return 0;
        if (c != '\\')
            *to++ = (char)c;
        else if (!take_escape(j, &to))
            return 0;
    }
    *size = (size_t)(to - *text);
    return take(j, '"');
}

static int take_number(Json *j, uint64_t *n)
{
    char *end;

    skip_blanks(j);
    if (j->at == j->end || *j->at < '0' || *j->at > '9')
        return 0;
    errno = 0;
    *n = strtoull(j->at, &end, 10); /* the file's bytes end with a NUL */
    if (errno || end > j->end)
        return 0;
    j->at = end;
    return 1;
}

/* Takes [1, 2, 3]. Returns how many there are, or -1. */
static int take_numbers(Json *j, uint64_t *n, int room)
{
    int count = 0;

    if (!take(j, '['))
        return -1;
    if (take(j, ']'))
        return 0;
    do {
        /* a list that is too long is an error, not cut off */
        if (count == room || !take_number(j, &n[count++]))
            return -1;
    } while (take(j, ','));
    return take(j, ']') ? count : -1;
}

/* Is the text this word? */
static int is(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && memcmp(text, word, size) == 0;
}

/* ---- reading ---- */

enum { LENGTH_SIZE = 8 }; /* bytes of the number at the start of a file: the length of the header */

/* A file of another kind may begin with any number. */
static uint64_t header_length(const Bytes *b)
{
    return ngrt_get_little(b->at, LENGTH_SIZE);
}

int ngrt_is_safetensors(const Bytes *b)
{
    uint64_t length;

    if (b->size <= LENGTH_SIZE || b->at[LENGTH_SIZE] != '{')
        return 0;
    length = header_length(b);
    return length >= 2 && length >> 40 == 0;
}

/* A number in the metadata, in base 10 or 16; 0 where there is none. */
static uint64_t note_number(const char *text, size_t size, int base)
{
    char digits[24], *end;
    uint64_t n;

    if (size == 0 || size >= sizeof digits)
        return 0;
    memcpy(digits, text, size);
    digits[size] = 0;

    errno = 0;
    n = strtoull(digits, &end, base);
    if (*end || errno || digits[0] == '-')
        return 0;
    return n;
}

/* Keeps what is beside the weights: the numbers of the training, and texts. False without
 * memory. */
static int take_note(Archive *a, char *key, size_t key_size, char *text, size_t size)
{
    ngrt_about *about = &a->about;

    if (is(key, key_size, "hash") && size == 16)
        about->hash = note_number(text, size, 16);
    else if (is(key, key_size, "seed"))
        about->seed = note_number(text, size, 10);
    else if (is(key, key_size, "epoch"))
        about->epoch = (int64_t)note_number(text, size, 10);
    else if (is(key, key_size, "step"))
        about->step = (int64_t)note_number(text, size, 10);
    else if (is(key, key_size, "row"))
        about->row = (int64_t)note_number(text, size, 10);
    else {
        key[key_size] = text[size] = 0; /* where their quotes were, or what is shorter now */
        return ngrt_notes_add(&a->notes, key, text);
    }
    return 1;
}

/* Takes {"epoch": "3", ...}. */
static int take_metadata(Json *j, Archive *a)
{
    char *key, *text;
    size_t key_size, size;

    if (!take(j, '{'))
        return 0;
    if (take(j, '}'))
        return 1;
    do {
        if (!take_string(j, &key, &key_size) || !take(j, ':') || !take_string(j, &text, &size))
            return 0;
        if (!take_note(a, key, key_size, text, size))
            return 0;
    } while (take(j, ','));
    return take(j, '}');
}

typedef struct Entry { /* what the header says of a tensor */
    char *dtype;       /* NULL: not yet */
    size_t dtype_size;
    uint64_t shape[8], place[2]; /* place: the first byte, and the one after the last */
    int rank, places;            /* -1: not yet */
} Entry;

/* Takes the value of a key, which may be there once. */
static int take_member(Json *j, Entry *e, const char *key, size_t size)
{
    if (is(key, size, "dtype")) {
        if (e->dtype)
            return 0;
        return take_string(j, &e->dtype, &e->dtype_size);
    }
    if (is(key, size, "shape")) {
        if (e->rank >= 0)
            return 0;
        e->rank = take_numbers(j, e->shape, 8);
        return e->rank >= 0;
    }
    if (is(key, size, "data_offsets")) {
        if (e->places >= 0)
            return 0;
        e->places = take_numbers(j, e->place, 2);
        return e->places == 2;
    }
    return 0;
}

/* Takes {"dtype": "F32", "shape": [8, 2], "data_offsets": [0, 64]}, in any order. */
static int take_entry(Json *j, Entry *e)
{
    char *key;
    size_t size;

    memset(e, 0, sizeof *e);
    e->rank = e->places = -1;
    if (!take(j, '{'))
        return 0;
    do {
        if (!take_string(j, &key, &size) || !take(j, ':') || !take_member(j, e, key, size))
            return 0;
    } while (take(j, ','));
    return e->dtype && e->rank >= 0 && e->places == 2 && take(j, '}');
}

/* The enum ngrt_element of a type's name, or -1. */
static int find_type(const char *name, size_t size)
{
    int k;

    for (k = 0; k < KINDS; k++)
        if (is(name, size, kinds[k].name))
            return kinds[k].type;
    return -1;
}

/* Checks the type and the place of a tensor. room: the bytes after the header. */
static int check_entry(const Entry *e, size_t room, const char *what, ngrt_message *message)
{
    unsigned long long from = e->place[0];
    unsigned long long to = e->place[1];
    int i;

    if (find_type(e->dtype, e->dtype_size) < 0)
        return ngrt_fail(message, NGRT_EFORMAT, "%s: its type is '%.*s', which is not known", what,
                         (int)(e->dtype_size < 40 ? e->dtype_size : 40), e->dtype);
    if (from > to || to > room)
        return ngrt_fail(message, NGRT_EFORMAT,
                         "%s: its bytes %llu to %llu are not in the %zu bytes after the header",
                         what, from, to, room);
    for (i = 0; i < e->rank; i++)
        if (e->shape[i] > SIZE_MAX)
            return ngrt_fail(message, NGRT_EFORMAT, "%s: a size is too large", what);
    return NGRT_OK;
}

/* Has the tensor no elements, and no bytes? */
static int is_empty(const Entry *e)
{
    int i;

    for (i = 0; i < e->rank; i++)
        if (e->shape[i] == 0)
            return e->place[0] == e->place[1];
    return 0;
}

/* Adds the tensor of an entry. start: where the bytes after the header begin. */
static int add_entry(Archive *a, const char *name, size_t size, const Entry *e, size_t start,
                     ngrt_message *message)
{
    char what[300];
    Stored *s;
    int i, error;

    /* the name ends with no NUL yet: it is a part of the header's text */
    snprintf(what, sizeof what, "%s: %.*s", a->path, (int)(size < 200 ? size : 200), name);
    error = check_entry(e, a->file.size - start, what, message);
    if (error)
        return error;
    s = ngrt_archive_add(a, name, size);
    if (!s)
        return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", what);

    s->data.type = find_type(e->dtype, e->dtype_size);
    s->data.rank = e->rank;
    for (i = 0; i < e->rank; i++)
        s->data.shape[i] = (size_t)e->shape[i];
    if (is_empty(e))
        return NGRT_OK; /* no model wants it */

    error = ngrt_data_fit(&s->data, (size_t)(e->place[1] - e->place[0]), what, message);
    s->data.at = a->file.at + start + e->place[0];
    if (!error && !ngrt_little_endian())
        ngrt_swap_bytes((char *)s->data.at, s->data.rows * s->data.columns,
                        ngrt_element_size(s->data.type));
    return error;
}

/* A walk over the entries. */
typedef struct Walk {
    Json json;
    size_t start;  /* where the tensors' bytes begin in the file */
    uint64_t last; /* the end of the last tensor, from there */
    int error;     /* of a tensor; a header that is damaged is none */
} Walk;

/* Takes one entry: metadata, or a tensor. False if the header is damaged there. */
static int read_entry(Archive *a, Walk *w, ngrt_message *message)
{
    char *name;
    size_t size;
    Entry e;

    if (!take_string(&w->json, &name, &size) || !take(&w->json, ':'))
        return 0;
    if (is(name, size, "__metadata__"))
        return take_metadata(&w->json, a);
    if (!take_entry(&w->json, &e))
        return 0;

    w->error = add_entry(a, name, size, &e, w->start, message);
    if (e.place[1] > w->last)
        w->last = e.place[1];
    return 1;
}

/* Takes all entries, up to the first error of a tensor. False if the header is damaged. */
static int read_entries(Archive *a, Walk *w, ngrt_message *message)
{
    Json *j = &w->json;

    if (!take(j, '{'))
        return 0;
    if (!take(j, '}')) {
        do {
            if (!read_entry(a, w, message))
                return 0;
            if (w->error)
                return 1;
        } while (take(j, ','));
        if (!take(j, '}'))
            return 0;
    }
    skip_blanks(j);
    return j->at == j->end;
}

static int compare_places(const void *x, const void *y)
{
    const Stored *a = *(const Stored *const *)x;
    const Stored *b = *(const Stored *const *)y;

    return ((const char *)a->data.at > (const char *)b->data.at) -
           ((const char *)a->data.at < (const char *)b->data.at);
}

/* Has each tensor bytes of its own? A file in which two share some was written wrongly. */
static int check_apart(const Archive *a, ngrt_message *message)
{
    const Stored **list = malloc(((size_t)a->count + 1) * sizeof *list);
    int error = NGRT_OK;
    size_t count = 0, i;

    if (!list)
        return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", a->path);
    for (i = 0; i < (size_t)a->count; i++)
        if (a->tensor[i].data.at)
            list[count++] = &a->tensor[i];
    qsort(list, count, sizeof *list, compare_places);

    for (i = 1; i < count && !error; i++) {
        const Stored *before = list[i - 1];

        if ((const char *)before->data.at + ngrt_data_bytes(&before->data) >
            (const char *)list[i]->data.at)
            error = ngrt_fail(message, NGRT_EFORMAT, "%s: %.100s and %.100s have the same bytes",
                              a->path, before->name, list[i]->name);
    }
    free(list);
    return error;
}

int ngrt_safetensors_read(Archive *a, ngrt_message *message)
{
    uint64_t length = header_length(&a->file);
    size_t after = a->file.size - 8; /* bytes after the length */
    const char *header = a->file.at + 8;
    Walk w = {0};

    if (length > after)
        return ngrt_fail(message, NGRT_EFORMAT,
                         "%s: the safetensors header has %llu bytes, but %zu follow", a->path,
                         (unsigned long long)length, after);

    w.json = (Json){header, header + length};
    w.start = 8 + (size_t)length;
    if (!read_entries(a, &w, message))
        return ngrt_fail(message, NGRT_EFORMAT, "%s: the safetensors header is damaged at byte %zu",
                         a->path, (size_t)(w.json.at - a->file.at));

    if (!w.error)
        w.error = ngrt_archive_check(a, "file", message);
    if (!w.error)
        w.error = check_apart(a, message);

    /* bytes that no tensor has are those of a file cut off or written over */
    if (!w.error && w.last != a->file.size - w.start)
        return ngrt_fail(message, NGRT_EFORMAT,
                         "%s: %zu bytes follow the header, but its tensors end at %llu", a->path,
                         a->file.size - w.start, (unsigned long long)w.last);
    return w.error;
}

/* ---- writing; functions that add return false without memory ---- */

/* Adds a string in JSON, in its quotes. */
static int add_string(Bytes *b, const char *text)
{
    int good = ngrt_bytes_add(b, "\"", 1);

    for (; *text && good; text++)
        if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ')
            good = ngrt_bytes_print(b, "\\u%04x", (unsigned char)*text);
        else
            good = ngrt_bytes_add(b, text, 1);
    return good && ngrt_bytes_add(b, "\"", 1);
}

static const char *type_name(int type)
{
    int k = 0;

    while (kinds[k].type != type)
        k++;
    return kinds[k].name;
}

/* Adds the entry of a tensor whose bytes are from `at` to `end`. */
static int add_entry_text(Bytes *b, const Stored *s, uint64_t at, uint64_t end)
{
    int i;
    int good = ngrt_bytes_print(b, ",") && add_string(b, s->name);

    good = good && ngrt_bytes_print(b, ":{\"dtype\":\"%s\",\"shape\":[", type_name(s->data.type));
    for (i = 0; i < s->data.rank && good; i++)
        good = ngrt_bytes_print(b, i ? ",%zu" : "%zu", s->data.shape[i]);
    return good && ngrt_bytes_print(b, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)at,
                                    (unsigned long long)end);
}

static int add_metadata(Bytes *b, const ngrt_about *about, const Notes *notes)
{
    int i;
    int good = ngrt_bytes_print(b, "\"__metadata__\":{\"format\":\"pt\"");

    if (about->hash)
        good = good && ngrt_bytes_print(b,
                                        ",\"hash\":\"%016llx\",\"seed\":\"%llu\","
                                        "\"epoch\":\"%lld\",\"step\":\"%lld\",\"row\":\"%lld\"",
                                        (unsigned long long)about->hash,
                                        (unsigned long long)about->seed, (long long)about->epoch,
                                        (long long)about->step, (long long)about->row);
    for (i = 0; i < notes->count && good; i++)
        if (strcmp(notes->note[i].key, "format") != 0)
            good = ngrt_bytes_add(b, ",", 1) && add_string(b, notes->note[i].key) &&
                   ngrt_bytes_add(b, ":", 1) && add_string(b, notes->note[i].text);
    return good && ngrt_bytes_print(b, "}");
}

/* Adds the length and the header, padded with blanks to a multiple of 8 bytes. */
static int add_header(Bytes *b, const Archive *a)
{
    static const char no_length[LENGTH_SIZE];
    uint64_t at = 0;
    int i;
    int good = ngrt_bytes_add(b, no_length, LENGTH_SIZE) && ngrt_bytes_print(b, "{") &&
               add_metadata(b, &a->about, &a->notes);

    for (i = 0; i < a->count && good; i++) {
        size_t size = ngrt_data_bytes(&a->tensor[i].data);

        good = add_entry_text(b, &a->tensor[i], at, at + size);
        at += size;
    }
    good = good && ngrt_bytes_print(b, "}");
    while (good && b->size % 8 != 0)
        good = ngrt_bytes_print(b, " ");

    /* the length is known last: it goes where zeros were put */
    if (good)
        ngrt_put_little(b->at, b->size - LENGTH_SIZE, LENGTH_SIZE);
    return good;
}

/* Writes the elements, low byte first; false without memory. */
static int put_elements(Writer *out, const ngrt_data *data)
{
    size_t size = ngrt_data_bytes(data);
    char *copy;

    if (ngrt_little_endian()) {
        ngrt_file_put(out, data->at, size);
        return 1;
    }
    copy = malloc(size);
    if (!copy)
        return 0;
    memcpy(copy, data->at, size);
    ngrt_swap_bytes(copy, data->rows * data->columns, ngrt_element_size(data->type));
    ngrt_file_put(out, copy, size);
    free(copy);
    return 1;
}

int ngrt_safetensors_write(const Archive *a, ngrt_message *message)
{
    Bytes head = {0};
    Writer out;
    int i, error;

    if (add_header(&head, a))
        error = ngrt_file_begin(&out, a->path, message);
    else
        error = ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", a->path);
    if (!error) {
        ngrt_file_put(&out, head.at, head.size);
        for (i = 0; i < a->count; i++)
            if (!put_elements(&out, &a->tensor[i].data))
                out.error = ENOMEM;
        error = ngrt_file_end(&out, message);
    }
    ngrt_bytes_free(&head);
    return error;
}
