/* output.c - files that ngc writes: all of it or nothing. Text goes to a temporary file beside its
 * destination, which is renamed when everything has been written; a destination that is no regular
 * file is written directly. */
#include "ngc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reports a failed step and removes the temporary file. */
static bool failed(Ngc *ngc, const char *what, const char *path, const char *temp)
{
    if (strcmp(path, "-") == 0)
        complain(ngc, "cannot %s standard output: %s", what, strerror(errno));
    else
        complain(ngc, "cannot %s '%s': %s", what, path, strerror(errno));
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

static bool write_direct(Ngc *ngc, const OutFile *o)
{
    FILE *f = fopen(o->path, "w");
    return f && write_all(f, o->text, o->size) ? true : failed(ngc, "write", o->path, NULL);
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
        return failed(ngc, "write", o->path, NULL);
    FILE *f = fdopen(fd, "w");
    if (!f || fchmod(fd, 0666 & ~mask) != 0) {
        close(fd);
        return failed(ngc, "write", o->path, temp);
    }
    if (!write_all(f, o->text, o->size))
        return failed(ngc, "write", o->path, temp);
    o->temp = temp;
    return true;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    if (strcmp(a, "-") == 0 || strcmp(b, "-") == 0)
        return false;
    if (strcmp(a, b) == 0)
        return true;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

/* Is something written over a file that the model was read from, or over what is written too? */
bool output_clash(Ngc *ngc, const OutFile *file, int count)
{
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < ngc->files; k++)
            if (!ngc->file[k]->library && same_file(file[i].path, ngc->file[k]->name)) {
                complain(ngc, "'%s' is the model itself; it is not overwritten", file[i].path);
                return true;
            }
        for (int k = 0; k < i; k++)
            if (same_file(file[i].path, file[k].path)) {
                complain(ngc, "the C and the header would be the same file '%s'", file[i].path);
                return true;
            }
    }
    return false;
}

/* Is the file of a kind that ngc writes there, as far as its beginning says? An empty one holds
 * nothing to be lost. */
static bool is_ours(const OutFile *o)
{
    char start[1024];
    FILE *f = fopen(o->path, "rb");
    size_t size = f ? fread(start, 1, sizeof start - 1, f) : 0;
    if (f)
        fclose(f);
    start[size] = '\0';
    size_t line = strcspn(start, "\n");
    if (o->ours.first_line)
        start[line] = '\0';
    return size == 0 || (strncmp(start, o->ours.begins, strlen(o->ours.begins)) == 0 &&
                         strstr(start, o->ours.holds));
}

/* Is there a file of another's where nobody said that ngc is to write? */
bool output_foreign(Ngc *ngc, const OutFile *file, int count)
{
    for (int i = 0; i < count; i++) {
        struct stat st;
        const OutFile *o = &file[i];
        if (!o->ours.begins || stat(o->path, &st) != 0 || !S_ISREG(st.st_mode) || is_ours(o))
            continue;
        complain(
            ngc,
            "'%s' is there already, and ngc did not write it: -o FILE names another file, or -o %s overwrites this one",
            o->path, file[0].path);
        return true;
    }
    return false;
}

bool output_write(Ngc *ngc, OutFile *file, int count)
{
    bool good = true;
    for (int i = 0; i < count && good; i++) {
        struct stat st;
        OutFile *o = &file[i];
        if (strcmp(o->path, "-") == 0)
            good = fwrite(o->text, 1, o->size, stdout) == o->size && fflush(stdout) == 0
                       ? true
                       : failed(ngc, "write", "-", NULL);
        else if (stat(o->path, &st) == 0 && !S_ISREG(st.st_mode))
            good = S_ISDIR(st.st_mode) ? (errno = EISDIR, failed(ngc, "write", o->path, NULL))
                                       : write_direct(ngc, o);
        else
            good = write_temp(ngc, o);
    }
    for (int i = 0; i < count; i++) {
        OutFile *o = &file[i];
        if (o->temp && !good)
            unlink(o->temp);
        else if (o->temp && rename(o->temp, o->target) != 0)
            good = failed(ngc, "write", o->path, o->temp);
    }
    return good;
}
