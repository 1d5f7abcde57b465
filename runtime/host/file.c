/* file.c - bytes from files and to files: read whole, unpacked, and written whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef NGRT_ZLIB
#include <zlib.h>
#endif

#include "host.h"

int ngrt_fail(ngrt_message *message, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message->text, sizeof message->text, format, arguments);
    va_end(arguments);
    return error;
}

/* ---- bytes in memory ---- */

int ngrt_bytes_reserve(Bytes *b, size_t more)
{
    size_t room = b->room ? b->room : 4096;
    char *at;

    if (more > SIZE_MAX / 2 - b->size - 1)
        return 0;
    /* one more byte for the NUL after the last */
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

int ngrt_bytes_add(Bytes *b, const void *at, size_t size)
{
    if (!ngrt_bytes_reserve(b, size))
        return 0;
    memcpy(b->at + b->size, at, size);
    b->size += size;
    b->at[b->size] = 0;
    return 1;
}

int ngrt_bytes_print(Bytes *b, const char *format, ...)
{
    char text[512];
    int size;
    va_list arguments;

    va_start(arguments, format);
    size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return size >= 0 && (size_t)size < sizeof text && ngrt_bytes_add(b, text, (size_t)size);
}

void ngrt_bytes_free(Bytes *b)
{
    free(b->at);
    memset(b, 0, sizeof *b);
}

void ngrt_streams_hold(void)
{
    int fd;

    for (fd = 0; fd < 3; fd++) {
        int closed = fcntl(fd, F_GETFD) < 0;

        if (closed && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            return;
    }
}

/* ---- reading ---- */

/* Reads the whole stream into b, or only its first piece where `known` does not know that. */
static int read_stream(FILE *file, Bytes *b, const char *path, int (*known)(const Bytes *),
                       ngrt_message *message)
{
    for (;;) {
        size_t got;

        if (!ngrt_bytes_reserve(b, 65536))
            return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", path);
        got = fread(b->at + b->size, 1, b->room - b->size - 1, file);
        b->size += got;
        b->at[b->size] = 0;
        if (ferror(file))
            return ngrt_fail(message, NGRT_EIO, "%s: %s", path, strerror(errno));
        if (got == 0 || (known && !known(b)))
            return NGRT_OK;
    }
}

int ngrt_file_read(Bytes *b, const char *path, ngrt_message *message)
{
    return ngrt_file_read_known(b, path, NULL, message);
}

int ngrt_file_read_known(Bytes *b, const char *path, int (*known)(const Bytes *),
                         ngrt_message *message)
{
    FILE *file = fopen(path, "rb");
    int error;

    if (!file)
        return ngrt_fail(message, NGRT_EIO, "%s: %s", path, strerror(errno));
    error = read_stream(file, b, path, known, message);
    fclose(file);
    return error;
}

/* ---- writing ---- */

int ngrt_path_ends(const char *path, const char *end)
{
    size_t n = 0;
    if (path)
        n = strlen(path);
    size_t k = strlen(end);

    return n >= k && strcmp(path + n - k, end) == 0;
}

char *ngrt_text_copy(const char *text)
{
    char *copy = malloc(strlen(text) + 1);

    if (copy)
        strcpy(copy, text);
    return copy;
}

/* Opens a new file beside the target, under a name that nobody has. Who may read and write it is as
 * of the target, or where there is none, as of any new file. False after a failure. */
static int open_temp(Writer *out)
{
    struct stat st;
    int exists = stat(out->target, &st) == 0;
    mode_t mode = 0666;
    if (exists)
        mode = st.st_mode & 0777;
    size_t room = strlen(out->target) + 40;
    int i;

    out->temp = malloc(room);
    if (!out->temp)
        return 0;
    /* another thread may be writing the same file, or an earlier process has left one */
    for (i = 0; i < 1000; i++) {
        snprintf(out->temp, room, "%s.%ld-%d.tmp", out->target, (long)getpid(), i);
        out->fd = open(out->temp, O_WRONLY | O_CREAT | O_EXCL, mode);
        if (out->fd >= 0 && exists)
            fchmod(out->fd, mode); /* the umask may have taken some of it */
        if (out->fd >= 0)
            return 1;
        if (errno != EEXIST)
            return 0;
    }
    return 0;
}

/* Opens what is written: a regular file under another name, a pipe or a device directly. False
 * after a failure. */
static int open_writer(Writer *out)
{
    struct stat st;
    int exists = stat(out->path, &st) == 0;

    if (!*out->path) { /* a new name beside it would be one in this directory */
        errno = ENOENT;
        return 0;
    }
    if (exists && !S_ISREG(st.st_mode)) {
        out->fd = open(out->path, O_WRONLY);
        return out->fd >= 0;
    }

    out->target = realpath(out->path, NULL); /* so that a link stays a link */
    if (!out->target)
        out->target = ngrt_text_copy(out->path);
    return out->target && open_temp(out);
}

static void free_names(Writer *out)
{
    free(out->target);
    free(out->temp);
}

int ngrt_file_begin(Writer *out, const char *path, ngrt_message *message)
{
    memset(out, 0, sizeof *out);
    out->path = path;
    out->fd = -1;
    if (open_writer(out))
        return NGRT_OK;

    ngrt_fail(message, NGRT_EIO, "%s: cannot write: %s", path, strerror(errno));
    free_names(out);
    return NGRT_EIO;
}

/* As many bytes as a system call or zlib takes at once. */
static unsigned at_once(size_t size)
{
    if (size < 1u << 30)
        return (unsigned)size;
    return 1u << 30;
}

/* Keeps the first failure for the end. */
static void out_failed(Writer *out)
{
    if (!out->error)
        out->error = errno ? errno : EIO;
}

void ngrt_file_put(Writer *out, const void *at, size_t size)
{
    const char *bytes = at;
    while (size > 0 && !out->error) {
        ssize_t done = write(out->fd, bytes, at_once(size));

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            out_failed(out);
            return;
        }
        bytes += done;
        size -= (size_t)done;
    }
}

/* Makes the new name last: by writing the directory that it is in. A file system that cannot do
 * that is not asked to. */
static void sync_directory(const char *target)
{
    char *slash;
    char *directory = malloc(strlen(target) + 2);
    int fd;

    if (!directory)
        return;
    strcpy(directory, target);
    slash = strrchr(directory, '/');
    if (slash)
        slash[1] = 0;
    else
        strcpy(directory, ".");

    fd = open(directory, O_RDONLY);
    free(directory);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

int ngrt_file_end(Writer *out, ngrt_message *message)
{
    int error;

    /* first on the disk, then under its name: a crash leaves the old file or the new one */
    if (!out->error && out->temp && fsync(out->fd) != 0 && errno != EINVAL)
        out_failed(out);
    /* some file systems report a full disk only here */
    if (close(out->fd) != 0)
        out_failed(out);
    if (!out->error && out->temp && rename(out->temp, out->target) != 0)
        out_failed(out);

    error = out->error;
    if (error && out->temp)
        unlink(out->temp);
    else if (out->temp)
        sync_directory(out->target);
    free_names(out);
    if (error)
        return ngrt_fail(message, NGRT_EIO, "%s: cannot write: %s", out->path, strerror(error));
    return NGRT_OK;
}

int ngrt_file_probe(const char *path, ngrt_message *message)
{
    Writer out;
    int error = ngrt_file_begin(&out, path, message);

    if (error)
        return error;
    close(out.fd);
    if (out.temp)
        unlink(out.temp);
    free_names(&out);
    return NGRT_OK;
}

int ngrt_file_is_same(const char *a, const char *b)
{
    struct stat x, y;

    if (stat(a, &x) != 0 || stat(b, &y) != 0 || !S_ISREG(x.st_mode))
        return 0;
    return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* ---- unpacking ---- */

static int is_gzip(const Bytes *b)
{
    return b->size >= 2 && (unsigned char)b->at[0] == 0x1f && (unsigned char)b->at[1] == 0x8b;
}

#ifdef NGRT_ZLIB

/* Inflates one piece: from in, of which `used` bytes are, to out, of which `made` are. Returns what
 * zlib says. */
static int inflate_piece(z_stream *z, const char *in, size_t size, size_t *used, char *out,
                         size_t room, size_t *made)
{
    uInt give = at_once(size - *used);
    uInt take = at_once(room - *made);
    int status;

    z->next_in = (Bytef *)in + *used;
    z->avail_in = give;
    z->next_out = (Bytef *)out + *made;
    z->avail_out = take;
    status = inflate(z, Z_NO_FLUSH);
    *used += give - z->avail_in;
    *made += take - z->avail_out;
    return status;
}

/* Inflates the gzip members of in, which follow each other, to the end of out. */
static int inflate_all(z_stream *z, const Bytes *in, Bytes *out, const char *path,
                       ngrt_message *message)
{
    size_t used = 0;

    for (;;) {
        int status;

        if (!ngrt_bytes_reserve(out, NGRT_PIECE))
            return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", path);
        status = inflate_piece(z, in->at, in->size, &used, out->at, out->room - 1, &out->size);
        out->at[out->size] = 0;
        /* the last member ends where the file does */
        if (status == Z_STREAM_END && used == in->size)
            return NGRT_OK;

        if (status == Z_STREAM_END)
            status = inflateReset(z);
        if (status == Z_MEM_ERROR)
            return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", path);
        /* all is used, there is room, and no end: the rest of the file is missing */
        if (status == Z_BUF_ERROR || (status == Z_OK && used == in->size && z->avail_out > 0))
            return ngrt_fail(message, NGRT_EFORMAT, "%s: the compressed data ends too early", path);
        if (status != Z_OK)
            return ngrt_fail(message, NGRT_EFORMAT, "%s: the compressed data is damaged: %s", path,
                             z->msg ? z->msg : "not in gzip format");
    }
}

int ngrt_gunzip(Bytes *b, const char *path, ngrt_message *message)
{
    enum { GZIP = 15 + 16 }; /* zlib's windowBits: the largest window, with gzip's header */
    Bytes out = {0};
    z_stream z = {0};
    int error;

    if (!is_gzip(b))
        return NGRT_OK;
    if (inflateInit2(&z, GZIP) != Z_OK)
        return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", path);
    error = inflate_all(&z, b, &out, path, message);
    inflateEnd(&z);
    ngrt_bytes_free(b);
    *b = out;
    return error;
}

int ngrt_inflate(const char *from, size_t size, char *to, size_t room, const char *what,
                 ngrt_message *message)
{
    enum { RAW = -15 }; /* zlib's windowBits: without a header */
    z_stream z = {0};
    size_t used = 0, made = 0;
    int status = Z_OK;

    if (inflateInit2(&z, RAW) != Z_OK)
        return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", what);
    while (status == Z_OK)
        status = inflate_piece(&z, from, size, &used, to, room, &made);
    inflateEnd(&z);

    /* the directory said both sizes: they must be met exactly */
    if (status != Z_STREAM_END || made != room || used != size)
        return ngrt_fail(message, NGRT_EFORMAT, "%s: the compressed data is damaged", what);
    return NGRT_OK;
}

#else

static int fail_compressed(const char *what, ngrt_message *message)
{
    return ngrt_fail(
        message, NGRT_EFORMAT,
        "%s: compressed, and this program was built without zlib (NGRT_ZLIB); unpack it first",
        what);
}

int ngrt_gunzip(Bytes *b, const char *path, ngrt_message *message)
{
    if (!is_gzip(b))
        return NGRT_OK;
    return fail_compressed(path, message);
}

int ngrt_inflate(const char *from, size_t size, char *to, size_t room, const char *what,
                 ngrt_message *message)
{
    (void)from;
    (void)size;
    (void)to;
    (void)room;
    return fail_compressed(what, message);
}

#endif
