/* cache.c - programs that ngc compiled, kept from one run to the next.
 *
 * In: the text of a C program and how to compile it. Out: an open file, the compiled program.
 *
 * Only the user and root may be able to change a program that is run. So a directory is used only
 * where it and all directories above it are closed to others, and a program is compiled in a new
 * private directory. A program has its key and a checksum at its end. One that was cut off,
 * replaced or damaged is not run but compiled again. When a program is added, those that were used
 * least recently are removed, up to a number, a size and an age. */
#include "tool/driver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Bytes of a program's last line: "\nngc KEY SUM\n", with blanks up to this size. */
enum { TAIL = 48 };

enum {
    MOST_PROGRAMS = 64,       /* that are kept; */
    MOST_MEGABYTES = 256,     /* of all of them; */
    MOST_DAYS = 30,           /* without use */
    LEFT_SECONDS = 24 * 3600, /* a private directory that is older was left by an ngc that ended */
};

uint64_t hash_text(uint64_t h, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001B3u;
    return h;
}

/* ---- directories ---- */

/* Is the owner the user, root, or the owner of "/" (root by another number, in a container)? */
static bool is_trusted_owner(const struct stat *st)
{
    struct stat top;
    if (st->st_uid == geteuid() || st->st_uid == 0)
        return true;
    return lstat("/", &top) == 0 && st->st_uid == top.st_uid;
}

static bool others_can_write(const struct stat *st)
{
    return st->st_mode & (S_IWGRP | S_IWOTH);
}

/* Why others could put something else in the directory's place, or NULL. In a sticky directory they
 * can change only their own files. */
static const char *why_open(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return strerror(errno);
    if (!is_trusted_owner(&st))
        return "it belongs to another user";
    if (S_ISLNK(st.st_mode))
        return NULL;
    if (!S_ISDIR(st.st_mode))
        return "it is not a directory";
    bool sticky = st.st_mode & S_ISVTX;
    if (others_can_write(&st) && !sticky)
        return "other users can write to it";
    return NULL;
}

/* The same for the directory and all above it. *which becomes the one at fault. */
static const char *why_path_open(Ngc *ngc, const char *path, const char **which)
{
    *which = path;
    const char *why = why_open(path); /* where it is a link: the link's owner */
    if (why)
        return why;

    char *real = realpath(path, NULL);
    if (!real)
        return strerror(errno);
    /* each directory above: who can rename one of them can replace all below it */
    for (size_t n = strlen(real); n > 0 && !why; n--) {
        if (real[n] != '\0' && real[n] != '/')
            continue;
        *which = text_format(ngc, "%.*s", (int)n, real);
        why = why_open(*which);
    }
    if (!why)
        why = why_open("/");
    free(real);
    return why;
}

/* Why the directory is not the user's own, or NULL. */
static const char *why_not_own(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return strerror(errno);
    if (st.st_uid != geteuid())
        return "it belongs to another user";
    return others_can_write(&st) ? "other users can write to it" : NULL;
}

/* Makes a directory unless it is there. */
static bool make_directory(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* $XDG_CACHE_HOME, or .cache in the user's home; NULL: there is none. */
static const char *cache_home(Ngc *ngc)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (cache && cache[0] == '/')
        return cache;
    if (home && home[0] == '/')
        return text_format(ngc, "%s/.cache", home);
    return NULL;
}

/* Why programs cannot be kept in a directory that is there, or NULL. */
static const char *why_unsafe(Ngc *ngc, const char *dir, const char **which)
{
    const char *why = why_path_open(ngc, dir, which);
    if (why)
        return why;
    *which = dir;
    return why_not_own(dir);
}

/* Where programs are kept; NULL: nowhere, with a warning if something is wrong there. */
const char *cache_directory(Ngc *ngc)
{
    const char *home = cache_home(ngc);
    const char *which;
    if (!home || !make_directory(home))
        return NULL;

    const char *dir = text_format(ngc, "%s/ngc", home);
    const char *why = why_path_open(ngc, home, &which);
    if (!why) {
        if (!make_directory(dir))
            return NULL;
        why = why_unsafe(ngc, dir, &which);
    }
    if (!why)
        return dir;

    Diag *d = diag(ngc, SEV_WARNING, NO_CODE, NO_PLACE, "no program is kept in '%s': '%s': %s", dir,
                   which, why);
    diag_note(ngc, d, NO_PLACE,
              "compiled programs are kept where nobody else can write; XDG_CACHE_HOME says where");
    return NULL;
}

/* The names of the files that ngc makes in a private directory. */
static const char *const private_file[] = {"program.c", "program", "program.whole", "messages"};

/* Removes a private directory with the files that ngc makes in one. */
static void remove_private(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    for (size_t i = 0; i < sizeof private_file / sizeof *private_file; i++)
        unlinkat(fd, private_file[i], 0);
    close(fd);
    unlinkat(dir, name, AT_REMOVEDIR);
}

/* Removes the private directory of this ngc, if it has one. */
void cache_remove_private(const Ngc *ngc)
{
    if (ngc->private_dir)
        remove_private(AT_FDCWD, ngc->private_dir);
}

/* A new directory that only the user can enter, in `in` or where temporary files go. NULL with a
 * message: that failed. `in` is known to be safe. cache_remove_private removes it. */
const char *cache_private(Ngc *ngc, const char *in)
{
    const char *temp = getenv("TMPDIR");
    if (temp && temp[0] != '/')
        temp = NULL;
    const char *places[] = {in, temp, "/tmp"};
    const char *why = NULL;

    for (int i = 0; i < 3; i++) {
        const char *which;
        if (!places[i])
            continue;
        if (i > 0) {
            why = why_path_open(ngc, places[i], &which);
            if (why)
                continue;
        }
        char *dir = (char *)text_format(ngc, "%s/ngc-XXXXXX", places[i]);
        if (mkdtemp(dir)) {
            ngc->private_dir = dir;
            ngc->clean_up = cache_remove_private;
            return dir;
        }
        why = strerror(errno);
    }
    complain(ngc, "cannot make a directory in '/tmp': %s; TMPDIR can name another", why);
    return NULL;
}

/* ---- programs ---- */

/* All of the file, or NULL. */
static char *read_all(Ngc *ngc, int fd, size_t size)
{
    char *text = arena_alloc(ngc, size + 1);
    for (size_t at = 0; at < size;) {
        ssize_t n = pread(fd, text + at, size - at, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return NULL;
        at += (size_t)n;
    }
    return text;
}

/* The last line of a program: its key, and a sum over key and bytes. */
static void write_tail(char tail[TAIL + 1], const char *key, const char *text, size_t size)
{
    uint64_t sum = hash_text(hash_text(HASH_START, key, strlen(key)), text, size);
    char line[TAIL];
    snprintf(line, sizeof line, "\nngc %s %016llx", key, (unsigned long long)sum);
    snprintf(tail, TAIL + 1, "%-*s\n", TAIL - 1, line);
}

/* Opens a file to run: a regular one of the user's own that no other can write to. Else -1. */
int cache_open(const char *path, size_t *size)
{
    struct stat st;
    /* what is checked is what is run: the open file, not its name. A pipe must not make ngc wait */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;

    bool own = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid();
    if (own && !others_can_write(&st) && st.st_mode & S_IXUSR) {
        *size = (size_t)st.st_size;
        return fd;
    }
    close(fd);
    return -1;
}

/* Opens the program of this key, if it is there, whole and the user's own; else -1. */
int cache_find(Ngc *ngc, const char *path, const char *key)
{
    char tail[TAIL + 1];
    size_t size;
    int fd = cache_open(path, &size);
    if (fd < 0)
        return -1;

    char *text = NULL;
    if (size > TAIL)
        text = read_all(ngc, fd, size);
    if (text) {
        write_tail(tail, key, text, size - TAIL);
        /* the key is in the sum: a program that was renamed is not found either */
        if (memcmp(text + size - TAIL, tail, TAIL) == 0) {
            futimens(fd, NULL); /* the time of its last use */
            return fd;
        }
    }
    close(fd);
    return -1;
}

/* What the compiler made, without the last line that it has in the cache; NULL: it cannot be read.
 */
const char *cache_read(Ngc *ngc, int fd, size_t *size)
{
    static const char begin[] = "\nngc ";
    struct stat st;
    char *text = NULL;
    if (fstat(fd, &st) == 0)
        text = read_all(ngc, fd, (size_t)st.st_size);
    if (!text)
        return NULL;

    *size = (size_t)st.st_size;
    if (*size > TAIL && memcmp(text + *size - TAIL, begin, sizeof begin - 1) == 0)
        *size -= TAIL;
    return text;
}

static bool write_bytes(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        size -= (size_t)n;
    }
    return true;
}

/* Writes a new file, text and tail; false where there is one of that name already. */
bool cache_create(const char *path, mode_t mode, const char *text, size_t size, const char *tail,
                  size_t more)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return false;

    bool good = write_bytes(fd, text, size) && write_bytes(fd, tail, more);
    int error = errno;
    good = close(fd) == 0 && good;
    if (!good) {
        unlink(path);
        errno = error;
    }
    return good;
}

/* Keeps a program that was just compiled under its key; false where it cannot. */
bool cache_keep(Ngc *ngc, const char *built, const char *path, const char *key)
{
    char tail[TAIL + 1];
    size_t size;
    int fd = cache_open(built, &size);
    if (fd < 0)
        return false;
    char *text = read_all(ngc, fd, size);
    close(fd);
    if (!text)
        return false;

    const char *whole = text_format(ngc, "%s.whole", built); /* in the same private directory */
    write_tail(tail, key, text, size);
    if (!cache_create(whole, 0700, text, size, tail, TAIL))
        return false;
    /* another ngc sees all of it or nothing */
    bool good = rename(whole, path) == 0;
    if (!good)
        unlink(whole);
    return good;
}

/* ---- removing what is old ---- */

typedef struct Old { /* a program in the directory */
    const char *name;
    double size;
    time_t used; /* the last time */
} Old;

/* NAME-KEY, where the key has 16 hexadecimal digits */
static bool is_program_name(const char *name)
{
    size_t n = strlen(name);
    return n > 17 && name[n - 17] == '-' && strspn(name + n - 16, "0123456789abcdef") == 16;
}

/* The user's own programs in the directory; on the way, removes directories that were left. */
static int find_old(Ngc *ngc, DIR *d, time_t now, Old **list)
{
    const struct dirent *entry;
    struct stat st;
    int count = 0, room = 0;

    while ((entry = readdir(d))) {
        bool known = fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0;
        if (!known || st.st_uid != geteuid())
            continue;

        bool left = S_ISDIR(st.st_mode) && begins(entry->d_name, "ngc-");
        /* a young one may belong to an ngc that runs */
        if (left && now - st.st_mtime > LEFT_SECONDS)
            remove_private(dirfd(d), entry->d_name);
        if (!S_ISREG(st.st_mode) || !is_program_name(entry->d_name))
            continue;

        LIST_GROW(ngc, *list, count, &room);
        (*list)[count++] =
            (Old){text_format(ngc, "%s", entry->d_name), (double)st.st_size, st.st_mtime};
    }
    return count;
}

/* Those used last come first; then by name. */
static int compare_old(const void *a, const void *b)
{
    const Old *x = a;
    const Old *y = b;
    if (x->used != y->used)
        return x->used < y->used ? 1 : -1;
    return strcmp(x->name, y->name);
}

/* Removes programs beyond the limits, but not `keep`, which was just added. An ngc that is about to
 * run one of them has it open. */
void cache_clear(Ngc *ngc, const char *path, const char *keep)
{
    Old *old = NULL;
    time_t now = time(NULL);
    double bytes = 0;
    DIR *d = opendir(path);
    if (!d)
        return;

    int count = find_old(ngc, d, now, &old);
    if (count > 0)
        qsort(old, (size_t)count, sizeof *old, compare_old);

    for (int i = 0; i < count; i++) {
        bytes += old[i].size;
        bool goes = i >= MOST_PROGRAMS || bytes > MOST_MEGABYTES * 1e6 ||
                    difftime(now, old[i].used) > MOST_DAYS * 86400.0;
        if (goes && !same_text(old[i].name, keep))
            unlinkat(dirfd(d), old[i].name, 0);
    }
    closedir(d);
}
