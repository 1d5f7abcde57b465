/* output.c - files that ngc writes: all of it or nothing. Text goes to a temporary file beside its destination, which is
 * renamed when everything has been written; a destination that is no regular file is written directly. */
#include "ngc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reports a failed step and removes the temporary file. */
static bool failed(const char *what, const char *path, const char *temp)
{
    fprintf(stderr, "ngc: error: cannot %s '%s': %s\n", what, path, strerror(errno));
    if (temp)
        unlink(temp);
    return false;
}

static bool write_all(FILE *f, const char *text, size_t size)
{
    bool good = fwrite(text, 1, size, f) == size && fflush(f) == 0;
    int error = errno;
    good = fclose(f) == 0 && good;
    errno = good ? 0 : error;
    return good;
}

static bool write_direct(const OutFile *o)
{
    FILE *f = fopen(o->path, "w");
    return f && write_all(f, o->text, o->size) ? true : failed("write", o->path, NULL);
}

/* The destination of a symbolic link, so that the link stays. */
static const char *real_path(Ngc *ngc, const char *path)
{
    char *to = realpath(path, NULL);
    const char *out = to ? text_format(ngc, "%s", to) : path;
    free(to);
    return out;
}

/* Writes the temporary file; its name into *temp. */
static bool write_temp(Ngc *ngc, OutFile *o)
{
    mode_t mask = umask(0);
    umask(mask);
    o->target = real_path(ngc, o->path);
    char *temp = (char *)text_format(ngc, "%s.XXXXXX", o->target);
    int fd = mkstemp(temp);
    if (fd < 0)
        return failed("write", o->path, NULL);
    FILE *f = fdopen(fd, "w");
    if (!f || fchmod(fd, 0666 & ~mask) != 0) {
        close(fd);
        return failed("write", o->path, temp);
    }
    if (!write_all(f, o->text, o->size))
        return failed("write", o->path, temp);
    o->temp = temp;
    return true;
}

bool output_write(Ngc *ngc, OutFile *file, int count)
{
    bool good = true;
    for (int i = 0; i < count && good; i++) {
        struct stat st;
        OutFile *o = &file[i];
        if (strcmp(o->path, "-") == 0)
            good = fwrite(o->text, 1, o->size, stdout) == o->size && fflush(stdout) == 0 ? true : failed("write", "standard output", NULL);
        else if (stat(o->path, &st) == 0 && !S_ISREG(st.st_mode))
            good = S_ISDIR(st.st_mode) ? (errno = EISDIR, failed("write", o->path, NULL)) : write_direct(o);
        else
            good = write_temp(ngc, o);
    }
    for (int i = 0; i < count; i++) {
        OutFile *o = &file[i];
        if (o->temp && !good)
            unlink(o->temp);
        else if (o->temp && rename(o->temp, o->target) != 0)
            good = failed("write", o->path, o->temp);
    }
    return good;
}
