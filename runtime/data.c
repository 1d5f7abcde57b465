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
static int is_idx(const Bytes *b)
{
    return b->size >= 4 && b->at[0] == 0 && b->at[1] == 0;
}

/* Moves the elements behind the header to the block's start, for alignment, and into this machine's
 * order of bytes. */
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

static int parse_idx(ngrt_data *data, Bytes *b, const char *path, ngrt_message *message)
{
    const unsigned char *at = (const unsigned char *)b->at;
    int i, rank = at[3];
    switch (at[2]) {
    case 0x08: data->type = NGRT_DATA_U8; break;
    case 0x09: data->type = NGRT_DATA_I8; break;
    case 0x0B: data->type = NGRT_DATA_I16; break;
    case 0x0C: data->type = NGRT_DATA_I32; break;
    case 0x0D: data->type = NGRT_DATA_F32; break;
    case 0x0E: data->type = NGRT_DATA_F64; break;
    default:
        return ngrt_fail(message, NGRT_EFORMAT, "%s: an IDX file has no element type 0x%02X", path,
                         at[2]);
    }
    if (rank < 1 || rank > 8)
        return ngrt_fail(message, NGRT_EFORMAT, "%s: an IDX file of %d axes; 1 to 8 can be read",
                         path, rank);
    if (b->size < 4 + 4 * (size_t)rank)
        return ngrt_fail(message, NGRT_EFORMAT, "%s: the IDX header ends too early", path);
    data->rank = rank;
    for (i = 0, at += 4; i < rank; i++, at += 4)
        data->shape[i] = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    return take_elements(data, b, 4 + 4 * (size_t)rank, path, message);
}

/* ---- the public functions ---- */

/* The array of a .npz archive that is called name, or its only one. */
static int read_member(ngrt_data *data, Bytes *b, const char *path, const char *name,
                       ngrt_message *message)
{
    Archive a = {.path = path, .file = *b};
    int error;
    memset(b, 0, sizeof *b);
    error = ngrt_npz_read(&a, name, message);
    if (!error && a.count != 1)
        error =
            name ? ngrt_fail(message, NGRT_EMODEL, "%s: holds no array '%s'", path, name)
                 : ngrt_fail(message, NGRT_EFORMAT, "%s: holds %d arrays, not one", path, a.count);
    if (!error) {
        *data = a.tensor[0].data;
        memset(&a.tensor[0].data, 0, sizeof *data);
    }
    ngrt_archive_free(&a);
    return error;
}

int ngrt_data_read_named(ngrt_data *data, const char *path, const char *name, ngrt_message *message)
{
    Bytes b = {0};
    int error;
    memset(data, 0, sizeof *data);
    message->text[0] = 0;
    error = ngrt_file_read(&b, path, message);
    if (!error)
        error = ngrt_gunzip(&b, path, message);
    if (!error && ngrt_is_npy(&b))
        error = ngrt_npy_take(data, &b, path, message);
    else if (!error && ngrt_is_zip(&b))
        error = read_member(data, &b, path, name, message);
    else if (!error && is_idx(&b))
        error = parse_idx(data, &b, path, message);
    else if (!error)
        error = ngrt_csv_parse(data, &b, path, message);
    ngrt_bytes_free(&b);
    if (!error && data->rank == 0)
        error =
            ngrt_fail(message, NGRT_EFORMAT, "%s: NumPy file: a single number has no rows", path);
    if (error)
        ngrt_data_free(data);
    return error;
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
