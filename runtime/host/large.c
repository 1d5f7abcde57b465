/* large.c - arrays that are larger than what may be in memory. A plain file is read where it is;
 * one that is compressed is unpacked into a store. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table.h"

enum { START = 1 << 16 }; /* bytes in which the header is */

/* Makes a plain file the store. */
static int open_plain(Store *file, const char *path, ngrt_message *message)
{
    struct stat st;

    file->fd = open(path, O_RDONLY);
    if (file->fd < 0 || fstat(file->fd, &st) != 0)
        return ngrt_fail(message, NGRT_EIO, "%s: %s", path, strerror(errno));
    file->size = (uint64_t)st.st_size;
    file->changed = st.st_mtim;
    return NGRT_OK;
}

/* Unpacks a file: into b up to the limit, all of it into the store if it is larger. */
static int unpack(Store *file, Bytes *b, const char *path, ngrt_message *message)
{
    Reader *r = ngrt_reader_open(path, message);
    size_t got = 1;
    int error = r ? NGRT_OK : NGRT_EIO;

    while (!error && got > 0) {
        if (!ngrt_bytes_reserve(b, START))
            error = ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", path);
        if (!error)
            error = ngrt_reader_read(r, b->at + b->size, START, &got, message);
        if (error)
            break;
        b->size += got;
        b->at[b->size] = 0;
        if (file->size > 0 || b->size > file->limit) {
            error = ngrt_store_add(file, b->at, b->size, message);
            b->size = 0;
        }
    }
    ngrt_reader_close(r);
    return error;
}

/* Reads the header of the array that the store holds. */
static int read_head(ngrt_data *data, Store *file, int *swapped, const char *path,
                     ngrt_message *message)
{
    char at[START + 1];
    size_t size = START;
    if (file->size < START)
        size = (size_t)file->size;
    Bytes start = {at, size, 0};
    Head head = {0};
    int error;

    if (ngrt_store_read(file, 0, at, size))
        return ngrt_fail(message, NGRT_EIO, "%s: cannot be read", path);
    if (ngrt_is_npy(&start))
        error = ngrt_npy_head(data, &head, &start, path, message);
    else if (ngrt_is_idx(&start))
        error = ngrt_idx_head(data, &head, &start, path, message);
    else
        error = ngrt_fail(message, NGRT_EFORMAT, "%s: neither a NumPy file nor an IDX file", path);
    if (!error && head.fortran && data->rank > 1)
        error = ngrt_fail(message, NGRT_EFORMAT,
                          "%s: %llu MB in Fortran's order, which cannot be read row by row; allow "
                          "them in memory, or save the array in C's order",
                          path, (unsigned long long)(file->size >> 20));
    if (!error)
        error = ngrt_data_fit(data, (size_t)(file->size - head.offset), path, message);
    file->start = head.offset;
    *swapped = head.swapped;
    return error;
}

int ngrt_data_read_large(ngrt_data *data, Store *file, int *swapped, const char *path,
                         const char *name, int exact, uint64_t limit, ngrt_message *message)
{
    struct stat st;
    unsigned char start[2] = {0, 0};
    Bytes b = {0};
    int fd = open(path, O_RDONLY);
    int plain;
    int error;

    ngrt_store_start(file, limit);
    *swapped = 0;
    if (fd < 0 || fstat(fd, &st) != 0 || read(fd, start, 2) != 2)
        start[0] = 0;
    if (fd >= 0)
        close(fd);
    plain = start[0] != 0x1f || start[1] != 0x8b;
    if (fd < 0 || (plain && (start[0] == 'P' || (uint64_t)st.st_size <= limit)))
        return ngrt_data_read_exactly(data, path, name, exact, message);

    memset(data, 0, sizeof *data);
    message->text[0] = 0;
    if (plain)
        error = open_plain(file, path, message);
    else
        error = unpack(file, &b, path, message);
    if (!error && file->size == 0)
        error = ngrt_data_parse(data, &b, path, name, exact, message);
    else if (!error)
        error = read_head(data, file, swapped, path, message);
    ngrt_bytes_free(&b);
    if (error)
        ngrt_data_free(data);
    return error;
}
