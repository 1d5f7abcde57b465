/* numpy.c - NumPy's files: an array (.npy), and named arrays in a zip archive (.npz).
 *
 * An array is a text that describes it and its elements. An archive is a list of files, each after
 * a header of its own, and at the end a directory of them all, by which a reader finds them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

static const struct Kind {
    char code[3]; /* as in '<f4' */
    int type;
} kinds[] = {
    {"u1", NGRT_DATA_U8},  {"i1", NGRT_DATA_I8},  {"b1", NGRT_DATA_U8},  {"i2", NGRT_DATA_I16},
    {"i4", NGRT_DATA_I32}, {"i8", NGRT_DATA_I64}, {"f4", NGRT_DATA_F32}, {"f8", NGRT_DATA_F64},
    {"u2", NGRT_DATA_U16}, {"u4", NGRT_DATA_U32}, {"u8", NGRT_DATA_U64}, {"f2", NGRT_DATA_F16},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- an array ---- */

/* An array begins with these bytes, its version in two more, and the length of its header, which
 * follows. */
#define MAGIC "\x93NUMPY"
enum { VERSION_AT = sizeof MAGIC - 1, LENGTH_AT = VERSION_AT + 2 };

int ngrt_is_npy(const Bytes *b)
{
    return b->size >= VERSION_AT && memcmp(b->at, MAGIC, VERSION_AT) == 0;
}

/* The value of a key in the header's Python dictionary, or NULL: "'descr': '<f4', ..." gives
 * "'<f4', ...". */
static const char *header_value(const char *header, const char *key)
{
    const char *at = strstr(header, key);

    if (!at)
        return NULL;
    at += strlen(key);
    return at + strspn(at, " :");
}

/* The kind of elements that "'<f4', ..." describes, or NULL. */
static const struct Kind *find_kind(const char *descr)
{
    int i;

    if (*descr != '\'' || !descr[1] || !strchr("<>|=", descr[1]))
        return NULL;
    for (i = 0; i < KINDS; i++)
        if (strncmp(descr + 2, kinds[i].code, 2) == 0 && descr[4] == '\'')
            return &kinds[i];
    return NULL;
}

/* Sets rank and shape from "(60, 4), ..."; returns what is wrong, or NULL. */
static const char *read_shape(ngrt_data *data, const char *at)
{
    at++;
    for (at += strspn(at, " "); *at != ')'; at += strspn(at, " ")) {
        char *end;
        unsigned long long size;

        if (*at < '0' || *at > '9' || data->rank == 8)
            return "the shape is not a list of up to 8 sizes";
        errno = 0;
        size = strtoull(at, &end, 10);
        if (errno || size > SIZE_MAX)
            return "a size is too large";
        data->shape[data->rank++] = (size_t)size;
        at = end + strspn(end, " ");
        if (*at == ',')
            at++;
        else if (*at != ')')
            return "the shape is not a list of up to 8 sizes";
    }
    return NULL;
}

/* Sets *yes from "True, ..."; false: it is neither True nor False. */
static int read_truth(const char *at, int *yes)
{
    size_t size = strcspn(at, " ,}");

    *yes = size == 4 && strncmp(at, "True", 4) == 0;
    return *yes || (size == 5 && strncmp(at, "False", 5) == 0);
}

/* Sets type, rank and shape from the header's text; returns what is wrong, or NULL. */
static const char *read_header(ngrt_data *data, Head *head, const char *header)
{
    const char *descr = header_value(header, "'descr'");
    const char *order = header_value(header, "'fortran_order'");
    const char *shape = header_value(header, "'shape'");
    const struct Kind *kind;

    if (!descr || !order || !shape || *shape != '(')
        return "the header lacks descr, fortran_order or shape";
    kind = find_kind(descr);
    if (!kind)
        return "the element type is none of b1 u1 i1 u2 i2 u4 i4 u8 i8 f2 f4 f8";

    /* '|' and '=' are this machine's order, so only the other sign swaps */
    data->type = kind->type;
    head->swapped = descr[1] == (ngrt_little_endian() ? '>' : '<');
    if (!read_truth(order, &head->fortran))
        return "fortran_order is neither True nor False";
    return read_shape(data, shape);
}

/* Copies elements in Fortran's order into C's. */
static void reorder(const ngrt_data *data, const char *from, char *to)
{
    size_t size = ngrt_element_size(data->type);
    size_t count = data->rows * data->columns;
    size_t i;
    size_t index[8] = {0}; /* of element i in C's order */
    int axis;

    for (i = 0; i < count; i++) {
        size_t at = 0; /* its place in Fortran's order */

        for (axis = data->rank; axis-- > 0;)
            at = at * data->shape[axis] + index[axis];
        memcpy(to + i * size, from + at * size, size);

        /* the next index: the last axis runs fastest */
        for (axis = data->rank; axis-- > 0;) {
            if (++index[axis] < data->shape[axis])
                break;
            index[axis] = 0;
        }
    }
}

/* Puts the elements after the header at the start of the block, in C's order and this machine's
 * order of bytes. Takes b's memory. */
static int take_elements(ngrt_data *data, const Head *head, Bytes *b, size_t offset,
                         const char *what, ngrt_message *message)
{
    size_t have = b->size - offset;
    int error = ngrt_data_fit(data, have, what, message);

    if (error)
        return error;
    if (head->fortran && data->rank > 1) {
        char *block = malloc(have);

        if (!block)
            return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", what);
        reorder(data, b->at + offset, block);
        free(b->at);
        b->at = block;
    } else {
        memmove(b->at, b->at + offset, have);
    }
    if (head->swapped)
        ngrt_swap_bytes(b->at, data->rows * data->columns, ngrt_element_size(data->type));
    data->at = data->block = b->at;
    memset(b, 0, sizeof *b);
    return NGRT_OK;
}

/* NumPy: magic (6 bytes), version (2), the header's length (2; 4 from version 2), the header, the
 * elements. */
int ngrt_npy_head(ngrt_data *data, Head *head, const Bytes *b, const char *what,
                  ngrt_message *message)
{
    enum { MOST_OF_LENGTH = 4 }; /* bytes */
    int version, length_size;
    size_t start, length;
    const char *wrong;
    char first;

    if (b->size < LENGTH_AT + MOST_OF_LENGTH)
        return ngrt_fail(message, NGRT_EFORMAT, "%s: the NumPy header ends too early", what);
    version = (unsigned char)b->at[VERSION_AT];
    if (version < 1 || version > 3)
        return ngrt_fail(message, NGRT_EFORMAT, "%s: NumPy format version %d; 1 to 3 can be read",
                         what, version);

    length_size = version == 1 ? 2 : MOST_OF_LENGTH;
    start = (size_t)(LENGTH_AT + length_size);
    length = (size_t)ngrt_get_little(b->at + LENGTH_AT, length_size);
    if (length > b->size - start)
        return ngrt_fail(message, NGRT_EFORMAT, "%s: the NumPy header ends too early", what);

    /* the header as a text: for now, the first element begins with a NUL */
    first = b->at[start + length];
    b->at[start + length] = 0;
    wrong = read_header(data, head, b->at + start);
    b->at[start + length] = first;
    if (wrong)
        return ngrt_fail(message, NGRT_EFORMAT, "%s: NumPy file: %s", what, wrong);
    head->offset = start + length;
    return NGRT_OK;
}

int ngrt_npy_take(ngrt_data *data, Bytes *b, const char *what, ngrt_message *message)
{
    Head head;
    int error = ngrt_npy_head(data, &head, b, what, message);

    if (error)
        return error;
    return take_elements(data, &head, b, head.offset, what, message);
}

/* The character of this machine's order of bytes, for elements of a type. */
static char order_of(int type)
{
    if (ngrt_element_size(type) == 1)
        return '|';
    return ngrt_little_endian() ? '<' : '>';
}

static const char *code_of(int type)
{
    const struct Kind *kind = kinds;

    while (kind->type != type)
        kind++;
    return kind->code;
}

/* Adds "(60, 4)", or "(60,)". */
static int add_shape(Bytes *b, const ngrt_data *data)
{
    int good = ngrt_bytes_add(b, "(", 1);
    int i;

    for (i = 0; i < data->rank && good; i++)
        good = ngrt_bytes_print(b, i ? ", %zu" : "%zu", data->shape[i]);
    return good && ngrt_bytes_print(b, data->rank == 1 ? ",)" : ")");
}

/* Adds the header of an array, such that elements after it are aligned to 64 bytes; false without
 * memory. */
static int add_header(Bytes *b, const ngrt_data *data)
{
    enum { LENGTH_SIZE = 2, PREFIX_SIZE = LENGTH_AT + LENGTH_SIZE, ALIGNED = 64 };
    size_t start = b->size;
    int good = ngrt_bytes_add(b, MAGIC "\1\0\0\0", PREFIX_SIZE) &&
               ngrt_bytes_print(b, "{'descr': '%c%s', 'fortran_order': False, 'shape': ",
                                order_of(data->type), code_of(data->type)) &&
               add_shape(b, data) && ngrt_bytes_print(b, ", }");

    while (good && (b->size + 1 - start) % ALIGNED != 0)
        good = ngrt_bytes_add(b, " ", 1);
    if (!good || !ngrt_bytes_add(b, "\n", 1))
        return 0;

    /* the length is known last: it goes into the bytes that were left for it */
    ngrt_put_little(b->at + start + LENGTH_AT, b->size - start - PREFIX_SIZE, LENGTH_SIZE);
    return 1;
}

/* Writes the archive's only tensor as a file. */
int ngrt_npy_write(const Archive *a, ngrt_message *message)
{
    const ngrt_data *data = &a->tensor[0].data;
    Bytes head = {0};
    Writer out;
    int error;

    if (a->count != 1)
        return ngrt_fail(
            message, NGRT_EMODEL,
            "%s: a .npy file holds one tensor, and here are %d: take .npz or .safetensors", a->path,
            a->count);

    if (add_header(&head, data))
        error = ngrt_file_begin(&out, a->path, message);
    else
        error = ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", a->path);
    if (!error) {
        ngrt_file_put(&out, head.at, head.size);
        ngrt_file_put(&out, data->at, ngrt_data_bytes(data));
        error = ngrt_file_end(&out, message);
    }
    ngrt_bytes_free(&head);
    return error;
}

/* ---- an archive ---- */

/* The first bytes of a record, and the size of its fixed part. */
enum {
    LOCAL = 0x04034B50, /* before each file */
    LOCAL_SIZE = 30,
    CENTRAL = 0x02014B50, /* an entry of the directory */
    CENTRAL_SIZE = 46,
    END = 0x06054B50, /* after the directory: where it is */
    END_SIZE = 22,
    LOCATOR64 = 0x07064B50, /* before END: where END64 is */
    LOCATOR64_SIZE = 20,
    END64 = 0x06064B50, /* the same as END, in 8 bytes a number */
    END64_SIZE = 56,
};

/* The checksum of more bytes; that of none is 0. */
static uint32_t crc32_of(uint32_t crc, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint32_t table[256]; /* the remainder of each byte, by the polynomial of Ethernet */
    uint32_t i, k;

    for (i = 0; i < 256; i++) {
        table[i] = i;
        for (k = 0; k < 8; k++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xEDB88320u : 0);
    }

    crc = ~crc;
    while (size-- > 0)
        crc = table[(crc ^ *at++) & 255] ^ crc >> 8;
    return ~crc;
}

int ngrt_is_zip(const Bytes *b)
{
    return b->size >= 4 && (ngrt_get_little(b->at, 4) == LOCAL || ngrt_get_little(b->at, 4) == END);
}

typedef struct Member { /* an entry of the directory */
    const char *name;
    size_t name_size;
    unsigned method, flags; /* method 0: stored as it is; 8: deflate */
    uint32_t crc;           /* of the bytes unpacked */
    uint64_t packed, size;  /* bytes in the archive, and unpacked */
    uint64_t offset;        /* of its local header */
} Member;

typedef struct Directory {
    uint64_t at, size; /* its place in the file, in bytes */
    uint64_t count;    /* of members */
} Directory;

/* The record at the end of the file, which a comment may follow; NULL: there is none. */
static const char *find_end(const Bytes *b)
{
    size_t last = b->size - END_SIZE;
    size_t i;
    size_t first = last > 65535 ? last - 65535 : 0; /* a comment has 65535 bytes at most */

    if (b->size < END_SIZE)
        return NULL;
    /* from the end back: the size of the comment must reach exactly to the end of the file */
    for (i = last + 1; i-- > first;) {
        const char *end = b->at + i;

        if (ngrt_get_little(end, 4) == END && ngrt_get_little(end + 20, 2) == last - i)
            return end;
    }
    return NULL;
}

/* The record END64 of an archive whose numbers do not fit in END; NULL: it is damaged. */
static const char *find_end64(const Bytes *b, const char *end)
{
    const char *locator;
    uint64_t at;

    if (end - b->at < LOCATOR64_SIZE)
        return NULL;
    locator = end - LOCATOR64_SIZE;
    if (ngrt_get_little(locator, 4) != LOCATOR64)
        return NULL;
    at = ngrt_get_little(locator + 8, 8);
    if (at > b->size || b->size - at < END64_SIZE || ngrt_get_little(b->at + at, 4) != END64)
        return NULL;
    return b->at + at;
}

/* Finds the directory. */
static int find_directory(const Bytes *b, Directory *d, const char *path, ngrt_message *message)
{
    const char *end = find_end(b);
    const char *end64;
    int found = 1;

    if (!end)
        return ngrt_fail(message, NGRT_EFORMAT,
                         "%s: the zip archive ends too early: it has no directory", path);
    d->count = ngrt_get_little(end + 10, 2);
    d->size = ngrt_get_little(end + 12, 4);
    d->at = ngrt_get_little(end + 16, 4);

    /* all ones: the true number is in END64 */
    if (d->count == 0xFFFF || d->size == 0xFFFFFFFF || d->at == 0xFFFFFFFF) {
        end64 = find_end64(b, end);
        found = end64 != NULL;
        d->count = d->size = d->at = 0;
        if (found) {
            d->count = ngrt_get_little(end64 + 32, 8);
            d->size = ngrt_get_little(end64 + 40, 8);
            d->at = ngrt_get_little(end64 + 48, 8);
        }
    }

    /* each member takes CENTRAL_SIZE at least, so a wild count shows here */
    if (d->at > b->size || d->size > b->size - d->at || d->count > d->size / CENTRAL_SIZE)
        found = 0;
    if (!found)
        return ngrt_fail(message, NGRT_EFORMAT,
                         "%s: the zip archive's directory is not where it says", path);
    return NGRT_OK;
}

/* Reads the sizes that do not fit in 4 bytes. They are, in this order, in an extra field. */
static void read_wide_field(Member *m, const char *at, size_t size)
{
    uint64_t *to[3] = {&m->size, &m->packed, &m->offset};
    int i;

    for (i = 0; i < 3; i++)
        if (*to[i] == 0xFFFFFFFF && size >= 8) {
            *to[i] = ngrt_get_little(at, 8);
            at += 8;
            size -= 8;
        }
}

/* Looks for that field: a field is a number for its kind (2 bytes), its size (2), its content. */
static void read_wide(Member *m, const char *extra, size_t size)
{
    enum { HEAD = 4, WIDE = 1 };

    while (size >= HEAD && ngrt_get_little(extra + 2, 2) <= size - HEAD) {
        size_t content = (size_t)ngrt_get_little(extra + 2, 2);

        if (ngrt_get_little(extra, 2) == WIDE) {
            read_wide_field(m, extra + HEAD, content);
            return;
        }
        extra += HEAD + content;
        size -= HEAD + content;
    }
}

/* Reads the entry at *at and moves after it; false if it is damaged. */
static int next_member(const char **at, const char *end, Member *m)
{
    const char *c = *at;
    size_t extra, comment;
    if (end - c < CENTRAL_SIZE || ngrt_get_little(c, 4) != CENTRAL)
        return 0;
    m->flags = (unsigned)ngrt_get_little(c + 8, 2);
    m->method = (unsigned)ngrt_get_little(c + 10, 2);
    m->crc = (uint32_t)ngrt_get_little(c + 16, 4);
    m->packed = ngrt_get_little(c + 20, 4);
    m->size = ngrt_get_little(c + 24, 4);
    m->offset = ngrt_get_little(c + 42, 4);
    m->name = c + CENTRAL_SIZE;
    m->name_size = (size_t)ngrt_get_little(c + 28, 2);
    extra = (size_t)ngrt_get_little(c + 30, 2);
    comment = (size_t)ngrt_get_little(c + 32, 2);
    if ((size_t)(end - m->name) < m->name_size + extra + comment)
        return 0;
    read_wide(m, m->name + m->name_size, extra);
    *at = m->name + m->name_size + extra + comment;
    return 1;
}

/* Can the member have these sizes? Deflate packs no better than 1032 to 1. */
static int is_possible(const Member *m)
{
    if (m->method == 0)
        return m->size == m->packed;
    /* before memory is taken for it: a wild size would take all */
    return m->size / 1040 <= m->packed;
}

/* Finds the bytes of a member in the file; checks what the directory says of it. */
static int find_member(const Bytes *file, const Member *m, const char **at, const char *what,
                       ngrt_message *message)
{
    uint64_t start = m->offset;

    if (start > file->size || file->size - start < LOCAL_SIZE ||
        ngrt_get_little(file->at + start, 4) != LOCAL)
        return ngrt_fail(message, NGRT_EFORMAT,
                         "%s: is not where the archive's directory says: at byte %llu", what,
                         (unsigned long long)m->offset);

    /* the local header has a name and an extra field of its own */
    start += LOCAL_SIZE + ngrt_get_little(file->at + start + 26, 2) +
             ngrt_get_little(file->at + start + 28, 2);
    if (start > file->size || m->packed > file->size - start)
        return ngrt_fail(message, NGRT_EFORMAT, "%s: the archive ends within it", what);
    if (m->flags & 1 || (m->method != 0 && m->method != 8))
        return ngrt_fail(message, NGRT_EFORMAT,
                         "%s: is encrypted, or compressed by other than deflate", what);
    if (!is_possible(m))
        return ngrt_fail(message, NGRT_EFORMAT, "%s: its size in the archive's directory is wrong",
                         what);
    *at = file->at + start;
    return NGRT_OK;
}

/* Unpacks a member into b, which is empty. what: its name, for messages. */
static int unpack_member(const Bytes *file, const Member *m, Bytes *b, const char *what,
                         ngrt_message *message)
{
    size_t packed = (size_t)m->packed;
    size_t size = (size_t)m->size;
    const char *at = NULL;
    int error = find_member(file, m, &at, what, message);

    if (error)
        return error;
    if (!ngrt_bytes_reserve(b, size))
        return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", what);
    if (m->method == 0)
        memcpy(b->at, at, size);
    else
        error = ngrt_inflate(at, packed, b->at, size, what, message);
    b->size = size;
    /* the header is read as a text */
    b->at[size] = 0;

    if (!error && crc32_of(0, b->at, size) != m->crc)
        error = ngrt_fail(message, NGRT_EFORMAT, "%s: damaged: its checksum differs", what);
    return error;
}

/* What the trainer keeps beside the weights: arrays of one number with names like __epoch__. */
static const struct Note {
    const char *name;
    size_t offset; /* in an ngrt_about */
    int type;
} notes[] = {
    {"__hash__", offsetof(ngrt_about, hash), NGRT_DATA_U64},
    {"__seed__", offsetof(ngrt_about, seed), NGRT_DATA_U64},
    {"__epoch__", offsetof(ngrt_about, epoch), NGRT_DATA_I64},
    {"__step__", offsetof(ngrt_about, step), NGRT_DATA_I64},
    {"__row__", offsetof(ngrt_about, row), NGRT_DATA_I64},
};
enum { NOTES = sizeof notes / sizeof *notes };

/* The note that a tensor is, or NULL. */
static const struct Note *find_note(const Stored *s)
{
    int i;

    if (s->data.rank != 0 || (s->data.type != NGRT_DATA_U64 && s->data.type != NGRT_DATA_I64))
        return NULL;
    for (i = 0; i < NOTES; i++)
        if (strcmp(s->name, notes[i].name) == 0)
            return &notes[i];
    return NULL;
}

/* Is a tensor a text, an array of bytes with a name like __data__? */
static int is_text(const Stored *s)
{
    size_t size = strlen(s->name);

    return s->data.rank == 1 && s->data.type == NGRT_DATA_U8 && size > 4 &&
           strncmp(s->name, "__", 2) == 0 && strcmp(s->name + size - 2, "__") == 0;
}

/* Keeps a text by its name without the lines around it; false without memory. */
static int take_text(Archive *a, const Stored *s)
{
    char *text = malloc(s->data.rows + 1);
    char *key = malloc(strlen(s->name));
    int good = text && key;

    if (good) {
        memcpy(text, s->data.at, s->data.rows);
        text[s->data.rows] = 0;
        snprintf(key, strlen(s->name), "%.*s", (int)strlen(s->name) - 4, s->name + 2);
        good = ngrt_notes_set(&a->notes, key, text);
    }
    free(text);
    free(key);
    return good;
}

/* Moves a note from the list's end to where it belongs; false without memory. */
static int take_note(Archive *a)
{
    Stored *s = &a->tensor[a->count - 1];
    const struct Note *note = find_note(s);

    /* its bits are in this machine's order by now */
    if (note)
        memcpy((char *)&a->about + note->offset, s->data.at, 8);
    else if (!is_text(s))
        return 1;
    else if (!take_text(a, s))
        return 0;
    free(s->name);
    ngrt_data_free(&s->data);
    a->count--;
    return 1;
}

/* The bytes of a member's name without ".npy". */
static size_t array_name_size(const Member *m)
{
    size_t size = m->name_size;

    if (size > 4 && memcmp(m->name + size - 4, ".npy", 4) == 0)
        size -= 4;
    return size;
}

/* Adds the array that a member is. */
static int read_member(Archive *a, const Member *m, ngrt_message *message)
{
    Bytes b = {0};
    char what[300];
    Stored *s;
    int error;
    size_t size = array_name_size(m);

    snprintf(what, sizeof what, "%s: %.*s", a->path, (int)(size < 200 ? size : 200), m->name);
    s = ngrt_archive_add(a, m->name, size);
    if (!s)
        return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", what);

    error = unpack_member(&a->file, m, &b, what, message);
    if (!error && !ngrt_is_npy(&b))
        error = ngrt_fail(message, NGRT_EFORMAT, "%s: is not a NumPy array", what);
    if (!error)
        error = ngrt_npy_take(&s->data, &b, what, message);
    ngrt_bytes_free(&b);
    /* numbers of the training and texts are not weights: they leave the list again */
    if (!error && !take_note(a))
        error = ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", what);
    return error;
}

/* Is the member the array of this name? */
static int is_named(const Member *m, const char *name)
{
    size_t size = strlen(name);
    return m->name_size == size + 4 && memcmp(m->name, name, size) == 0;
}

int ngrt_npz_read(Archive *a, const char *only, ngrt_message *message)
{
    Directory d = {0};
    Member m;
    const char *at, *end;
    uint64_t i;
    int error = find_directory(&a->file, &d, a->path, message);

    if (error)
        return error;
    at = a->file.at + d.at;
    end = at + d.size;
    for (i = 0; i < d.count && !error; i++) {
        if (!next_member(&at, end, &m))
            return ngrt_fail(message, NGRT_EFORMAT,
                             "%s: the zip archive's directory is damaged at byte %zu", a->path,
                             (size_t)(at - a->file.at));
        if (!only || d.count == 1 || is_named(&m, only))
            error = read_member(a, &m, message);
    }
    if (error)
        return error;
    return ngrt_archive_check(a, "archive", message);
}

/* ---- writing an archive ---- */

/* Adds a number, low byte first. There is room: see put_member. */
static void add_little(Bytes *b, uint64_t number, int bytes)
{
    ngrt_put_little(b->at + b->size, number, bytes);
    b->size += (size_t)bytes;
}

/* The fields that a member's header and the directory have in common. */
static void put_fields(Bytes *b, uint32_t crc, size_t size, size_t name_size)
{
    enum { DAY = 1 << 5 | 1 }; /* 1980-01-01: months from bit 5, years since 1980 from bit 9 */

    add_little(b, 20, 2); /* version 2.0 can read it */
    add_little(b, 0, 2);  /* no flags */
    add_little(b, 0, 2);  /* stored as it is */
    add_little(b, 0, 2);  /* midnight, so that equal weights are equal files */
    add_little(b, DAY, 2);
    add_little(b, crc, 4);
    add_little(b, size, 4); /* in the archive */
    add_little(b, size, 4); /* unpacked */
    add_little(b, name_size, 2);
    add_little(b, 0, 2); /* no extra field */
}

/* Writes an array; adds its entry to the directory. *at: its place in the file, moved after it.
 * False without memory. */
static int put_member(Writer *out, Bytes *directory, uint64_t *at, const char *name,
                      const ngrt_data *data)
{
    Bytes head = {0}, local = {0};
    size_t name_size = strlen(name) + 4;
    size_t bytes = ngrt_data_bytes(data);
    size_t size;
    uint32_t crc;
    int good = add_header(&head, data) && ngrt_bytes_reserve(&local, LOCAL_SIZE + name_size) &&
               ngrt_bytes_reserve(directory, CENTRAL_SIZE + name_size) && name_size < 65536;

    if (good) {
        size = head.size + bytes;
        crc = crc32_of(crc32_of(0, head.at, head.size), data->at, bytes);

        add_little(&local, LOCAL, 4);
        put_fields(&local, crc, size, name_size);
        good = ngrt_bytes_print(&local, "%s.npy", name);

        add_little(directory, CENTRAL, 4);
        add_little(directory, 20, 2); /* version 2.0 wrote it */
        put_fields(directory, crc, size, name_size);
        add_little(directory, 0, 10); /* no comment, first disk, no attributes */
        /* where the local header begins */
        add_little(directory, *at, 4);
        good = good && ngrt_bytes_print(directory, "%s.npy", name);

        ngrt_file_put(out, local.at, local.size);
        ngrt_file_put(out, head.at, head.size);
        ngrt_file_put(out, data->at, bytes);
        *at += local.size + size;
    }
    ngrt_bytes_free(&head);
    ngrt_bytes_free(&local);
    return good;
}

/* Adds the record after the directory: where it is, and how large. */
static int add_end(Bytes *directory, uint64_t at, uint64_t count)
{
    size_t size = directory->size;

    if (!ngrt_bytes_reserve(directory, END_SIZE))
        return 0;
    add_little(directory, END, 4);
    add_little(directory, 0, 4);     /* the first and only disk */
    add_little(directory, count, 2); /* on this disk */
    add_little(directory, count, 2);
    add_little(directory, size, 4);
    add_little(directory, at, 4);
    add_little(directory, 0, 2); /* no comment */
    return 1;
}

/* Writes a text as an array of bytes; false without memory. */
static int put_text(Writer *out, Bytes *directory, uint64_t *at, const char *key, const char *text)
{
    ngrt_data bytes = {.type = NGRT_DATA_U8, .rank = 1, .columns = 1, .at = text};
    char name[100];

    bytes.rows = bytes.shape[0] = strlen(text);
    snprintf(name, sizeof name, "__%.90s__", key);
    return bytes.rows == 0 || put_member(out, directory, at, name, &bytes);
}

/* Writes all members, the directory, and where it is; false without memory. */
static int put_archive(Writer *out, const Archive *a)
{
    Bytes directory = {0};
    uint64_t at = 0, count = 0;
    int i, good = 1;

    for (i = 0; i < NOTES && a->about.hash && good; i++, count++) {
        ngrt_data number = {.type = notes[i].type, .rows = 1, .columns = 1};

        number.at = (const char *)&a->about + notes[i].offset;
        good = put_member(out, &directory, &at, notes[i].name, &number);
    }
    for (i = 0; i < a->notes.count && good; i++, count++)
        good = put_text(out, &directory, &at, a->notes.note[i].key, a->notes.note[i].text);
    for (i = 0; i < a->count && good; i++, count++)
        good = put_member(out, &directory, &at, a->tensor[i].name, &a->tensor[i].data);

    good = good && add_end(&directory, at, count);
    if (good)
        ngrt_file_put(out, directory.at, directory.size);
    ngrt_bytes_free(&directory);
    return good;
}

int ngrt_npz_write(const Archive *a, ngrt_message *message)
{
    Writer out;
    uint64_t total = 0;
    int i, error;

    for (i = 0; i < a->count; i++)
        /* for each the name twice, and at most 600 bytes of headers */
        total += ngrt_data_bytes(&a->tensor[i].data) + 2 * strlen(a->tensor[i].name) + 600;
    if (total >= 0xFFFF0000u || a->count > 60000)
        return ngrt_fail(message, NGRT_EFORMAT,
                         "%s: over 4 GB, or 60000 tensors: take .safetensors", a->path);
    error = ngrt_file_begin(&out, a->path, message);
    if (error)
        return error;
    if (!put_archive(&out, a))
        out.error = ENOMEM;
    return ngrt_file_end(&out, message);
}
