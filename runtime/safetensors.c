/* safetensors.c - the format of that name: 8 bytes that tell the length of a header, the header,
 * the tensors.
 *
 *     {"__metadata__": {"epoch": "3", ...}, "h.W": {"dtype": "F32", "shape": [8, 2],
 * "data_offsets": [0, 64]}, ...}
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

/* Four hexadecimal digits. */
static int take_unit(Json *j, unsigned *unit)
{
    int i;
    *unit = 0;
    for (i = 0; i < 4; i++, j->at++) {
        const char *digits = "0123456789abcdef", *d;
        if (j->at == j->end || !*j->at ||
            !(d = strchr(digits, *j->at >= 'A' && *j->at <= 'F' ? *j->at + 32 : *j->at)))
            return 0;
        *unit = *unit << 4 | (unsigned)(d - digits);
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

/* What stands behind a backslash. */
static int take_escape(Json *j, char **to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    const char *e;
    unsigned unit, low;
    if (j->at == j->end || !*j->at)
        return 0;
    e = strchr(from, *j->at++);
    if (e) {
        *(*to)++ = into[e - from];
        return 1;
    }
    if (j->at[-1] != 'u' || !take_unit(j, &unit) || unit == 0 || (unit >= 0xDC00 && unit < 0xE000))
        return 0;
    if (unit >= 0xD800 && unit < 0xDC00) {
        if (j->end - j->at < 6 || *j->at++ != '\\' || *j->at++ != 'u' || !take_unit(j, &low) ||
            low < 0xDC00 || low >= 0xE000)
            return 0;
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    }
    *to = put_character(*to, unit);
    return 1;
}

/* A string, into memory that lies where it stood: it is no longer than its text. */
static int take_string(Json *j, char **text, size_t *size)
{
    char *to;
    if (!take(j, '"'))
        return 0;
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

/* [1, 2, 3]: how many, or -1. */
static int take_numbers(Json *j, uint64_t *n, int room)
{
    int count = 0;
    if (!take(j, '['))
        return -1;
    if (take(j, ']'))
        return 0;
    do
        if (count == room || !take_number(j, &n[count++]))
            return -1;
    while (take(j, ','));
    return take(j, ']') ? count : -1;
}

static int is(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && memcmp(text, word, size) == 0;
}

/* ---- reading ---- */

/* The length of the header; not a file of this kind if it is a wild number. */
static uint64_t header_length(const Bytes *b)
{
    uint64_t length = 0;
    int i;
    for (i = 8; i-- > 0;)
        length = length << 8 | (unsigned char)b->at[i];
    return length;
}

int ngrt_is_safetensors(const Bytes *b)
{
    return b->size >= 9 && b->at[8] == '{' && header_length(b) >= 2 && header_length(b) >> 40 == 0;
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
    return *end || errno || digits[0] == '-' ? 0 : n;
}

/* {"epoch": "3", ...}: what the trainer keeps beside the weights; the rest is other people's. */
static int take_metadata(Json *j, ngrt_about *about)
{
    char *key, *text;
    size_t size, length;
    if (!take(j, '{'))
        return 0;
    if (take(j, '}'))
        return 1;
    do {
        if (!take_string(j, &key, &size) || !take(j, ':') || !take_string(j, &text, &length))
            return 0;
        if (is(key, size, "hash") && length == 16)
            about->hash = note_number(text, length, 16);
        else if (is(key, size, "seed"))
            about->seed = note_number(text, length, 10);
        else if (is(key, size, "epoch"))
            about->epoch = (int64_t)note_number(text, length, 10);
        else if (is(key, size, "step"))
            about->step = (int64_t)note_number(text, length, 10);
        else if (is(key, size, "row"))
            about->row = (int64_t)note_number(text, length, 10);
    } while (take(j, ','));
    return take(j, '}');
}

typedef struct Entry { /* what the header says of a tensor */
    char *dtype;
    size_t dtype_size;
    uint64_t shape[8], place[2];
    int rank, places;
} Entry;

static int take_entry(Json *j, Entry *e)
{
    char *key;
    size_t size;
    memset(e, 0, sizeof *e);
    e->rank = e->places = -1;
    if (!take(j, '{'))
        return 0;
    do {
        if (!take_string(j, &key, &size) || !take(j, ':'))
            return 0;
        if (is(key, size, "dtype")) {
            if (e->dtype || !take_string(j, &e->dtype, &e->dtype_size))
                return 0;
        } else if (is(key, size, "shape")) {
            if (e->rank >= 0 || (e->rank = take_numbers(j, e->shape, 8)) < 0)
                return 0;
        } else if (!is(key, size, "data_offsets") || e->places >= 0 ||
                   (e->places = take_numbers(j, e->place, 2)) != 2) {
            return 0;
        }
    } while (take(j, ','));
    return e->dtype && e->rank >= 0 && e->places == 2 && take(j, '}');
}

/* The tensor that an entry tells of, after a check against the size of what follows the header. */
static int add_entry(Archive *a, const char *name, size_t size, const Entry *e, size_t start,
                     ngrt_message *message)
{
    size_t room = a->file.size - start;
    char what[300];
    Stored *s;
    int i, k, error;
    snprintf(what, sizeof what, "%s: %.*s", a->path, (int)(size < 200 ? size : 200), name);
    for (i = 0; i < a->count; i++)
        if (is(name, size, a->tensor[i].name))
            return ngrt_fail(message, NGRT_EFORMAT, "%s: is in the file twice", what);
    for (k = 0; k < KINDS && !is(e->dtype, e->dtype_size, kinds[k].name); k++)
        ;
    if (k == KINDS)
        return ngrt_fail(message, NGRT_EFORMAT, "%s: its type is '%.*s', which is not known", what,
                         (int)(e->dtype_size < 40 ? e->dtype_size : 40), e->dtype);
    if (e->place[0] > e->place[1] || e->place[1] > room)
        return ngrt_fail(message, NGRT_EFORMAT,
                         "%s: its bytes %llu to %llu are not in the %zu bytes after the header",
                         what, (unsigned long long)e->place[0], (unsigned long long)e->place[1],
                         room);
    s = ngrt_archive_add(a, name, size);
    if (!s)
        return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", what);
    s->data.type = kinds[k].type;
    s->data.rank = e->rank;
    for (i = 0; i < e->rank; i++) {
        if (e->shape[i] > SIZE_MAX)
            return ngrt_fail(message, NGRT_EFORMAT, "%s: a size is too large", what);
        s->data.shape[i] = (size_t)e->shape[i];
    }
    for (i = 0; i < e->rank; i++)
        if (e->shape[i] == 0 && e->place[0] == e->place[1])
            return NGRT_OK; /* an empty tensor, which no model wants */
    error = ngrt_data_fit(&s->data, (size_t)(e->place[1] - e->place[0]), what, message);
    s->data.at = a->file.at + start + e->place[0];
    if (!error && !ngrt_little_endian())
        ngrt_swap_bytes((char *)s->data.at, s->data.rows * s->data.columns,
                        ngrt_element_size(s->data.type));
    return error;
}

/* The entries. Anything the header should not have is reported with its place in the file. */
static int read_entries(Archive *a, size_t length, ngrt_message *message)
{
    Json j = {a->file.at + 8, a->file.at + 8 + length};
    size_t start = 8 + length, size;
    uint64_t last = 0;
    char *name;
    Entry e;
    int error = NGRT_OK, good = take(&j, '{'), more = good && !take(&j, '}');
    while (good && more && !error) {
        good = take_string(&j, &name, &size) && take(&j, ':');
        if (good && is(name, size, "__metadata__")) {
            good = take_metadata(&j, &a->about);
        } else if (good) {
            good = take_entry(&j, &e);
            error = good ? add_entry(a, name, size, &e, start, message) : NGRT_OK;
            last = good && e.place[1] > last ? e.place[1] : last;
        }
        more = good && take(&j, ',');
        good = good && (more || take(&j, '}'));
    }
    skip_blanks(&j);
    if (!error && (!good || j.at != j.end))
        return ngrt_fail(message, NGRT_EFORMAT, "%s: the safetensors header is damaged at byte %zu",
                         a->path, (size_t)(j.at - a->file.at));
    if (!error && last != a->file.size - start)
        return ngrt_fail(message, NGRT_EFORMAT,
                         "%s: %zu bytes follow the header, but its tensors end at %llu", a->path,
                         a->file.size - start, (unsigned long long)last);
    return error;
}

int ngrt_safetensors_read(Archive *a, ngrt_message *message)
{
    uint64_t length = header_length(&a->file);
    if (length > a->file.size - 8)
        return ngrt_fail(message, NGRT_EFORMAT,
                         "%s: the safetensors header has %llu bytes, but %zu follow", a->path,
                         (unsigned long long)length, a->file.size - 8);
    return read_entries(a, (size_t)length, message);
}

/* ---- writing ---- */

/* A string in JSON, in its quotes. */
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

static int add_entry_text(Bytes *b, const Stored *s, uint64_t at, uint64_t end)
{
    int i, k, good = ngrt_bytes_print(b, ",") && add_string(b, s->name);
    for (k = 0; kinds[k].type != s->data.type; k++)
        ;
    good = good && ngrt_bytes_print(b, ":{\"dtype\":\"%s\",\"shape\":[", kinds[k].name);
    for (i = 0; i < s->data.rank && good; i++)
        good = ngrt_bytes_print(b, i ? ",%zu" : "%zu", s->data.shape[i]);
    return good && ngrt_bytes_print(b, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)at,
                                    (unsigned long long)end);
}

/* The length and the header, padded to a multiple of 8 bytes. */
static int add_header(Bytes *b, const Archive *a)
{
    const ngrt_about *o = &a->about;
    uint64_t at = 0;
    int i, good = ngrt_bytes_add(b, "\0\0\0\0\0\0\0\0", 8) &&
                  ngrt_bytes_print(b, "{\"__metadata__\":{\"format\":\"pt\"");
    if (o->hash)
        good =
            good &&
            ngrt_bytes_print(
                b,
                ",\"hash\":\"%016llx\",\"seed\":\"%llu\",\"epoch\":\"%lld\",\"step\":\"%lld\",\"row\":\"%lld\"",
                (unsigned long long)o->hash, (unsigned long long)o->seed, (long long)o->epoch,
                (long long)o->step, (long long)o->row);
    good = good && ngrt_bytes_print(b, "}");
    for (i = 0; i < a->count && good; i++) {
        size_t size = ngrt_data_bytes(&a->tensor[i].data);
        good = add_entry_text(b, &a->tensor[i], at, at + size);
        at += size;
    }
    good = good && ngrt_bytes_print(b, "}");
    while (good && b->size % 8 != 0)
        good = ngrt_bytes_print(b, " ");
    for (i = 0; i < 8 && good; i++)
        b->at[i] = (char)((uint64_t)(b->size - 8) >> 8 * i & 255);
    return good;
}

/* The elements, low byte first. */
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
    if (!add_header(&head, a)) {
        error = ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", a->path);
    } else if ((error = ngrt_file_begin(&out, a->path, message)) == NGRT_OK) {
        ngrt_file_put(&out, head.at, head.size);
        for (i = 0; i < a->count; i++)
            if (!put_elements(&out, &a->tensor[i].data))
                out.error = ENOMEM;
        error = ngrt_file_end(&out, message);
    }
    ngrt_bytes_free(&head);
    return error;
}
