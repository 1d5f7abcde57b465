/* data.c - files of numbers -> tensors in memory: CSV, IDX and NumPy files, also compressed by
 * gzip.
 *
 * A file is read whole into one block. IDX and NumPy elements stay in that block and in their type;
 * CSV becomes doubles. */
#include <stdlib.h>
#include <string.h>

#include "host.h"

/* ---- IDX ---- */

/* IDX: two zero bytes, a type, the rank, a big-endian 32-bit size for each axis, the elements. */
int ngrt_is_idx(const Bytes *b)
{
    return b->size >= 4 && b->at[0] == 0 && b->at[1] == 0;
}

/* Moves the elements after the header to the block's start, for alignment, and into this machine's
 * order of bytes. Takes b's memory. */
static int take_elements(ngrt_data *data, Bytes *b, size_t offset, const char *path,
                         ngrt_message *message)
{
    size_t have = b->size - offset;
    int error = ngrt_data_fit(data, have, path, message);

    if (error)
        return error;
    memmove(b->at, b->at + offset, have);
    if (ngrt_little_endian())
        ngrt_swap_bytes(b->at, data->rows * data->columns, ngrt_element_size(data->type));
    data->at = data->block = b->at;
    memset(b, 0, sizeof *b);
    return NGRT_OK;
}

/* The enum ngrt_element of an IDX type, or -1. */
static int idx_element(int type)
{
    switch (type) {
    case 0x08: return NGRT_DATA_U8;
    case 0x09: return NGRT_DATA_I8;
    case 0x0B: return NGRT_DATA_I16;
    case 0x0C: return NGRT_DATA_I32;
    case 0x0D: return NGRT_DATA_F32;
    case 0x0E: return NGRT_DATA_F64;
    default: return -1;
    }
}

int ngrt_idx_head(ngrt_data *data, Head *head, const Bytes *b, const char *path,
                  ngrt_message *message)
{
    const unsigned char *at = (const unsigned char *)b->at;
    int type = at[2];
    int rank = at[3];
    int i;
    size_t header = 4 + 4 * (size_t)rank;

    data->type = idx_element(type);
    if (data->type < 0)
        return ngrt_fail(message, NGRT_EFORMAT, "%s: an IDX file has no element type 0x%02X", path,
                         type);
    if (rank < 1 || rank > 8)
        return ngrt_fail(message, NGRT_EFORMAT, "%s: an IDX file of %d axes; 1 to 8 can be read",
                         path, rank);
    if (b->size < header)
        return ngrt_fail(message, NGRT_EFORMAT, "%s: the IDX header ends too early", path);

    data->rank = rank;
    for (i = 0; i < rank; i++) {
        at += 4;
        data->shape[i] = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    }
    *head = (Head){header, ngrt_little_endian(), 0};
    return NGRT_OK;
}

static int parse_idx(ngrt_data *data, Bytes *b, const char *path, ngrt_message *message)
{
    Head head;
    int error = ngrt_idx_head(data, &head, b, path, message);

    if (error)
        return error;
    return take_elements(data, b, head.offset, path, message);
}

/* ---- any format ---- */

/* The array of a .npz archive that is called name, or, unless exact, its only one. Takes b's
 * memory. */
static int read_member(ngrt_data *data, Bytes *b, const char *path, const char *name, int exact,
                       ngrt_message *message)
{
    Archive a = {.path = path, .file = *b};
    int error;

    memset(b, 0, sizeof *b);
    error = ngrt_npz_read(&a, name, message);
    if (!error && a.count == 1 && (!exact || strcmp(a.tensor[0].name, name) == 0)) {
        *data = a.tensor[0].data;
        memset(&a.tensor[0].data, 0, sizeof *data);
    } else if (!error && name) {
        error = ngrt_fail(message, NGRT_EMODEL, "%s: holds no array '%s'", path, name);
    } else if (!error) {
        error = ngrt_fail(message, NGRT_EFORMAT, "%s: holds %d arrays, not one", path, a.count);
    }
    ngrt_archive_free(&a);
    return error;
}

int ngrt_data_parse(ngrt_data *data, Bytes *b, const char *path, const char *name, int exact,
                    ngrt_message *message)
{
    if (ngrt_is_npy(b))
        return ngrt_npy_take(data, b, path, message);
    if (ngrt_is_zip(b))
        return read_member(data, b, path, name, exact, message);
    if (ngrt_is_idx(b))
        return parse_idx(data, b, path, message);
    return ngrt_csv_parse(data, b, path, message);
}

int ngrt_data_read_exactly(ngrt_data *data, const char *path, const char *name, int exact,
                           ngrt_message *message)
{
    Bytes b = {0};
    int error;

    memset(data, 0, sizeof *data);
    message->text[0] = 0;

    error = ngrt_file_read(&b, path, message);
    if (!error)
        error = ngrt_gunzip(&b, path, message);
    if (!error)
        error = ngrt_data_parse(data, &b, path, name, exact, message);
    ngrt_bytes_free(&b);

    if (!error && data->rank == 0)
        error =
            ngrt_fail(message, NGRT_EFORMAT, "%s: NumPy file: a single number has no rows", path);
    if (error)
        ngrt_data_free(data);
    return error;
}

int ngrt_data_read_named(ngrt_data *data, const char *path, const char *name, ngrt_message *message)
{
    return ngrt_data_read_exactly(data, path, name, 0, message);
}

int ngrt_data_read(ngrt_data *data, const char *path, ngrt_message *message)
{
    return ngrt_data_read_named(data, path, NULL, message);
}

int ngrt_data_write(const ngrt_data *data, const char *path, ngrt_message *message)
{
    Stored one = {NULL, *data};
    Archive a = {.path = path, .count = 1, .tensor = &one};

    return ngrt_npy_write(&a, message);
}
