/* output.c - files that ngc writes: all of them or none. Text goes to a temporary file beside its
 * destination, which is renamed when everything is written. A destination that is not a regular
 * file is written directly. */
#include "base/ngc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reports a failed step and removes the temporary file. */
static bool failed(Ngc *ngc, const char *what, const char *path, const char *temp)
{
    if (same_text(path, "-"))
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
    if (f && write_all(f, o->text, o->size))
        return true;
    return failed(ngc, "write", o->path, NULL);
}

/* The destination of a symbolic link, so that the link stays. */
static const char *real_path(Ngc *ngc, const char *path)
{
    char *to = realpath(path, NULL);
    const char *out = path;
    if (to)
        out = text_format(ngc, "%s", to);
    free(to);
    return out;
}

/* Who may read and write the file: as before, if it is there, otherwise as the umask says. */
static mode_t mode_for(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0)
        return st.st_mode & 0777;

    mode_t mask = umask(0); /* the only way to read it */
    umask(mask);
    return 0666 & ~mask;
}

/* Writes the temporary file, o->temp. */
static bool write_temp(Ngc *ngc, OutFile *o)
{
    o->target = real_path(ngc, o->path);
    char *temp = (char *)text_format(ngc, "%s.XXXXXX", o->target);
    int fd = mkstemp(temp);
    if (fd < 0)
        return failed(ngc, "write", o->path, NULL);

    FILE *f = fdopen(fd, "w");
    if (!f || fchmod(fd, mode_for(o->target)) != 0) {
        close(fd);
        return failed(ngc, "write", o->path, temp);
    }
    if (!write_all(f, o->text, o->size))
        return failed(ngc, "write", o->path, temp);
    o->temp = temp;
    return true;
}

bool output_is_same(const char *a, const char *b)
{
    struct stat x, y;
    if (same_text(a, "-") || same_text(b, "-"))
        return false;
    if (same_text(a, b))
        return true;
    if (stat(a, &x) != 0 || stat(b, &y) != 0 || !S_ISREG(x.st_mode))
        return false;
    return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Would the path overwrite a file that the model was read from? */
static bool is_source(const Ngc *ngc, const char *path)
{
    for (int k = 0; k < ngc->files; k++)
        if (!ngc->file[k]->library && output_is_same(path, ngc->file[k]->name))
            return true;
    return false;
}

/* Would the path overwrite a file that the weights were read from? */
static bool is_weights(const Ngc *ngc, const char *path)
{
    const Options *opt = &ngc->opt;
    if (opt->weights && output_is_same(path, opt->weights))
        return true;
    for (int k = 0; k < opt->overlays; k++)
        if (output_is_same(path, opt->overlay[k]))
            return true;
    return false;
}

void output_keep(Ngc *ngc, const char *path)
{
    LIST_GROW(ngc, ngc->kept, ngc->keeps, &ngc->keep_room);
    ngc->kept[ngc->keeps++] = path;
}

static bool is_kept(const Ngc *ngc, const char *path)
{
    for (int k = 0; k < ngc->keeps; k++)
        if (output_is_same(path, ngc->kept[k]))
            return true;
    return false;
}

/* Would a file overwrite the model, what else was read, or another file that is written? */
bool output_clash(Ngc *ngc, const OutFile *file, int count)
{
    for (int i = 0; i < count; i++) {
        const char *path = file[i].path;
        if (is_source(ngc, path)) {
            complain(ngc, "'%s' is the model itself; it is not overwritten", path);
            return true;
        }
        if (is_weights(ngc, path)) {
            complain(ngc, "'%s' is a file of --weights; it is not overwritten", path);
            return true;
        }
        if (is_kept(ngc, path)) {
            complain(ngc, "'%s' is a file that is read; it is not overwritten", path);
            return true;
        }
        for (int k = 0; k < i; k++) {
            if (!output_is_same(path, file[k].path))
                continue;
            complain(ngc, "two results would be written to the same file '%s'", path);
            return true;
        }
    }
    return false;
}

/* Did ngc write the file that is there, as far as its beginning says? An empty file has nothing
 * that could be lost. */
static bool is_ours(const OutFile *o)
{
    char start[1024];
    size_t size = 0;
    FILE *f = fopen(o->path, "rb");
    if (f) {
        size = fread(start, 1, sizeof start - 1, f);
        fclose(f);
    }
    if (size == 0)
        return true;

    start[size] = '\0';
    if (o->ours.first_line)
        start[strcspn(start, "\n")] = '\0';
    return begins(start, o->ours.begins) && strstr(start, o->ours.holds);
}

/* Would ngc overwrite a file that it did not write, at a path that nobody gave? */
bool output_foreign(Ngc *ngc, const OutFile *file, int count)
{
    for (int i = 0; i < count; i++) {
        const OutFile *o = &file[i];
        struct stat st;
        bool given = o->ours.begins == NULL;
        if (given || stat(o->path, &st) != 0 || !S_ISREG(st.st_mode) || is_ours(o))
            continue;
        complain(ngc,
                 "'%s' is there already, and ngc did not write it: "
                 "-o FILE names another file, or -o %s overwrites this one",
                 o->path, file[0].path);
        return true;
    }
    return false;
}

static bool write_standard_output(Ngc *ngc, const OutFile *o)
{
    if (fwrite(o->text, 1, o->size, stdout) == o->size && fflush(stdout) == 0)
        return true;
    return failed(ngc, "write", "-", NULL);
}

/* Writes one file. A regular one is still under its temporary name then. */
static bool write_one(Ngc *ngc, OutFile *o)
{
    struct stat st;
    if (stat(o->path, &st) != 0 || S_ISREG(st.st_mode))
        return write_temp(ngc, o);
    if (S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return failed(ngc, "write", o->path, NULL);
    }
    return write_direct(ngc, o);
}

bool output_write(Ngc *ngc, OutFile *file, int count)
{
    bool good = true;
    /* standard output first: a pipe that nobody reads ends ngc, and no file may be left then */
    for (int i = 0; i < count && good; i++)
        if (same_text(file[i].path, "-"))
            good = write_standard_output(ngc, &file[i]);
    for (int i = 0; i < count && good; i++)
        if (!same_text(file[i].path, "-"))
            good = write_one(ngc, &file[i]);

    for (int i = 0; i < count; i++) {
        const OutFile *o = &file[i];
        if (!o->temp)
            continue;
        if (!good)
            unlink(o->temp);
        else if (rename(o->temp, o->target) != 0)
            good = failed(ngc, "write", o->path, o->temp);
    }
    return good;
}
