/* stream.c - files that are not read whole: a reader that unpacks gzip as it goes, and a store of
 * bytes that are kept in memory up to a limit and above it in a file without a name. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef NGRT_ZLIB
#include <zlib.h>
#endif

#include "table.h"

/* ---- reading ---- */

struct Reader {
    const char *path;
    int fd;
    int at_end;        /* of the file */
    size_t used, have; /* of `piece`, which the file gave last */
    unsigned char piece[NGRT_PIECE];
#ifdef NGRT_ZLIB
    int is_gzip;
    int within; /* a member of the gzip file: it must end before the file does */
    z_stream z;
#endif
};

/* Reads the next piece of the file when all of the last is used. */
static int read_piece(Reader *r, ngrt_message *message)
{
    ssize_t got;

    if (r->used < r->have || r->at_end)
        return NGRT_OK;
    do {
        got = read(r->fd, r->piece, NGRT_PIECE);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return ngrt_fail(message, NGRT_EIO, "%s: %s", r->path, strerror(errno));

    r->used = 0;
    r->have = (size_t)got;
    r->at_end = got == 0;
    return NGRT_OK;
}

/* Fills the piece from its start until it has `size` bytes or the file ends: a pipe may give less
 * at a time. */
static int read_start(Reader *r, size_t size, ngrt_message *message)
{
    while (r->have < size && !r->at_end) {
        ssize_t got = read(r->fd, r->piece + r->have, NGRT_PIECE - r->have);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ngrt_fail(message, NGRT_EIO, "%s: %s", r->path, strerror(errno));
        r->have += (size_t)got;
        r->at_end = got == 0;
    }
    return NGRT_OK;
}

#ifdef NGRT_ZLIB

static int start_unpacking(Reader *r, ngrt_message *message)
{
    enum { GZIP = 15 + 16 }; /* zlib's windowBits: the largest window, with gzip's header */

    if (inflateInit2(&r->z, GZIP) != Z_OK)
        return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", r->path);
    r->is_gzip = 1;
    return NGRT_OK;
}

/* Unpacks up to `room` bytes. Members of a gzip file follow each other. */
static int unpack(Reader *r, char *to, size_t room, size_t *got, ngrt_message *message)
{
    *got = 0;
    /* a piece of input may give no output yet: zlib takes it all in first */
    while (*got == 0) {
        int status;
        int error = read_piece(r, message);

        if (error)
            return error;
        if (r->used == r->have && r->at_end && r->within)
            return ngrt_fail(message, NGRT_EFORMAT, "%s: the compressed data ends too early",
                             r->path);
        if (r->used == r->have && r->at_end)
            return NGRT_OK;

        /* zlib moves next_in and avail_in on; what it took and gave is the difference */
        r->z.next_in = r->piece + r->used;
        r->z.avail_in = (uInt)(r->have - r->used);
        r->z.next_out = (Bytef *)to;
        r->z.avail_out = (uInt)(room < NGRT_PIECE ? room : NGRT_PIECE);
        room = r->z.avail_out;
        status = inflate(&r->z, Z_NO_FLUSH);
        r->used = r->have - r->z.avail_in;
        *got = room - r->z.avail_out;
        r->within = status != Z_STREAM_END;

        /* after a member another may begin, with a header of its own */
        if (status == Z_STREAM_END)
            status = inflateReset(&r->z);
        if (status != Z_OK && status != Z_BUF_ERROR)
            return ngrt_fail(message, NGRT_EFORMAT, "%s: the compressed data is damaged: %s",
                             r->path, r->z.msg ? r->z.msg : "not in gzip format");
    }
    return NGRT_OK;
}

#endif

/* Finds out whether the file is compressed. */
static int start(Reader *r, ngrt_message *message)
{
    int error = read_start(r, 2, message);

    if (error || r->have < 2 || r->piece[0] != 0x1f || r->piece[1] != 0x8b)
        return error;
#ifdef NGRT_ZLIB
    return start_unpacking(r, message);
#else
    return ngrt_gunzip(&(Bytes){(char *)r->piece, r->have, 0}, r->path, message);
#endif
}

Reader *ngrt_reader_open(const char *path, ngrt_message *message)
{
    Reader *r = calloc(1, sizeof *r);

    if (!r) {
        ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", path);
        return NULL;
    }
    r->path = path;
    r->fd = open(path, O_RDONLY);
    if (r->fd < 0)
        ngrt_fail(message, NGRT_EIO, "%s: %s", path, strerror(errno));
    if (r->fd >= 0 && start(r, message) == NGRT_OK)
        return r;
    ngrt_reader_close(r);
    return NULL;
}

int ngrt_reader_read(Reader *r, char *to, size_t room, size_t *got, ngrt_message *message)
{
    int error;

#ifdef NGRT_ZLIB
    if (r->is_gzip)
        return unpack(r, to, room, got, message);
#endif
    error = read_piece(r, message);
    *got = r->have - r->used;
    if (*got > room)
        *got = room;
    memcpy(to, r->piece + r->used, *got);
    r->used += *got;
    return error;
}

void ngrt_reader_close(Reader *r)
{
    if (!r)
        return;
#ifdef NGRT_ZLIB
    if (r->is_gzip)
        inflateEnd(&r->z);
#endif
    if (r->fd >= 0)
        close(r->fd);
    free(r);
}

/* ---- a store of bytes ---- */

/* Opens a file that has no name: it is gone when it is closed, however the program ends. */
static int open_unnamed(ngrt_message *message)
{
    const char *dir = getenv("TMPDIR");
    char name[300];
    int fd;

    if (!dir || !*dir || strlen(dir) > sizeof name - 20)
        /* /tmp may be memory, which is what the store must not take */
        dir = "/var/tmp";
    if (access(dir, W_OK) != 0)
        dir = "/tmp";
    snprintf(name, sizeof name, "%s/ngrt-XXXXXX", dir);
    fd = mkstemp(name);
    if (fd < 0)
        ngrt_fail(message, NGRT_EIO, "%s: cannot write: %s", name, strerror(errno));
    else
        unlink(name);
    return fd;
}

/* Writes all bytes to the store's file. */
static int write_all(Store *s, const char *at, size_t size, ngrt_message *message)
{
    while (size > 0) {
        ssize_t done = write(s->fd, at, size < 1u << 30 ? size : 1u << 30);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return ngrt_fail(message, NGRT_EIO,
                             "cannot write the %zu MB of data that are read already to a file of "
                             "TMPDIR: %s",
                             (size_t)(s->size >> 20), strerror(errno ? errno : ENOSPC));
        at += done;
        size -= (size_t)done;
    }
    return NGRT_OK;
}

/* Moves what is in memory to a file: from here on the store is there. */
static int move_to_file(Store *s, ngrt_message *message)
{
    size_t left = (size_t)s->size;
    size_t i;
    int error = NGRT_OK;

    s->fd = open_unnamed(message);
    if (s->fd < 0)
        return NGRT_EIO;
    for (i = 0; i < s->pieces && !error; i++) {
        size_t size = left < STORE_PIECE ? left : STORE_PIECE;

        error = write_all(s, s->piece[i], size, message);
        left -= size;
    }
    for (i = 0; i < s->pieces; i++)
        free(s->piece[i]);
    free(s->piece);
    s->piece = NULL;
    s->pieces = 0;
    return error;
}

/* Adds a piece of memory; false without memory. */
static int add_piece(Store *s)
{
    char **grown = realloc(s->piece, (s->pieces + 1) * sizeof *grown);

    if (!grown)
        return 0;
    s->piece = grown;
    grown[s->pieces] = malloc(STORE_PIECE);
    if (!grown[s->pieces])
        return 0;
    s->pieces++;
    return 1;
}

void ngrt_store_start(Store *s, uint64_t limit)
{
    memset(s, 0, sizeof *s);
    s->fd = -1;
    s->limit = limit;
}

int ngrt_store_add(Store *s, const void *from, size_t size, ngrt_message *message)
{
    const char *at = from;
    int error = NGRT_OK;

    /* once over the limit the store stays in the file */
    if (s->fd < 0 && s->size + size > s->limit)
        error = move_to_file(s, message);
    if (!error && s->fd >= 0)
        error = write_all(s, at, size, message);
    if (error || s->fd >= 0) {
        s->size += size;
        return error;
    }

    while (size > 0) {
        size_t used = (size_t)(s->size % STORE_PIECE);
        size_t part = STORE_PIECE - used;

        if (used == 0 && !add_piece(s))
            return ngrt_fail(message, NGRT_ENOMEM, "out of memory");
        part = part < size ? part : size;
        memcpy(s->piece[s->pieces - 1] + used, at, part);
        at += part;
        size -= part;
        s->size += part;
    }
    return NGRT_OK;
}

/* Reads bytes of the store's file. */
static int read_file(const Store *s, uint64_t from, char *to, size_t size)
{
    while (size > 0) {
        ssize_t got = pread(s->fd, to, size < 1u << 30 ? size : 1u << 30, (off_t)from);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return NGRT_EIO;
        to += got;
        from += (uint64_t)got;
        size -= (size_t)got;
    }
    return NGRT_OK;
}

int ngrt_store_read(const Store *s, uint64_t from, void *to, size_t size)
{
    char *at = to;

    if (s->fd >= 0)
        return read_file(s, s->start + from, at, size);
    while (size > 0) {
        size_t used = (size_t)(from % STORE_PIECE);
        size_t part = STORE_PIECE - used;

        part = part < size ? part : size;
        memcpy(at, s->piece[from / STORE_PIECE] + used, part);
        at += part;
        from += part;
        size -= part;
    }
    return NGRT_OK;
}

int ngrt_store_changed(const Store *s)
{
    struct stat st;

    if (s->changed.tv_sec == 0)
        return 0;
    return fstat(s->fd, &st) != 0 || (uint64_t)st.st_size != s->size ||
           st.st_mtim.tv_sec != s->changed.tv_sec || st.st_mtim.tv_nsec != s->changed.tv_nsec;
}

const char *ngrt_store_at(const Store *s, uint64_t from, size_t size)
{
    size_t used = (size_t)(from % STORE_PIECE);

    /* bytes in a file, or in two pieces, must be copied by the caller */
    if (s->fd >= 0 || used + size > STORE_PIECE)
        return NULL;
    return s->piece[from / STORE_PIECE] + used;
}

void ngrt_store_free(Store *s)
{
    size_t i;

    for (i = 0; i < s->pieces; i++)
        free(s->piece[i]);
    free(s->piece);
    if (s->fd >= 0)
        close(s->fd);
    ngrt_store_start(s, 0);
}
