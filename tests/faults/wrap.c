/* wrap.c - calls of the system that fail. The linker sends them here (--wrap); FAULT=N in the
 * environment makes the N-th of them fail, FAULT=-N ends the process there instead, as a crash of
 * the machine would. At exit, and where another program takes the process's place, the number of
 * calls is written to the file FAULT_COUNT. A program that tests itself includes wrap.h.
 *
 * A failing write takes a part first, as a disk that gets full does. Nothing is really
 * synchronized, which takes long and matters only to a machine that stops. */
#include "wrap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static long calls, at; /* at: the call that fails */
static int started;
static int in_pieces; /* writes take little at a time, so that there are more of them */

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
int __real_open(const char *, int, ...);
int __real_mkstemp(char *);
FILE *__real_fopen(const char *, const char *);
FILE *__real_fdopen(int, const char *);
ssize_t __real_read(int, void *, size_t);
ssize_t __real_write(int, const void *, size_t);
size_t __real_fwrite(const void *, size_t, size_t, FILE *);
int __real_fflush(FILE *);
int __real_close(int);
int __real_fclose(FILE *);
int __real_rename(const char *, const char *);
ssize_t __real_pread(int, void *, size_t, off_t);
int __real_mkdir(const char *, mode_t);
char *__real_mkdtemp(char *);
int __real_fchmod(int, mode_t);
int __real_pipe(int *);
pid_t __real_fork(void);
int __real_execv(const char *, char *const *);
int __real_fexecve(int, char *const *, char *const *);

static void count_calls(void)
{
    const char *path = getenv("FAULT_COUNT");
    FILE *f = path ? __real_fopen(path, "w") : NULL;

    if (f) {
        fprintf(f, "%ld\n", calls);
        __real_fclose(f);
    }
}

static void start(void)
{
    const char *fault = getenv("FAULT");

    started = 1;
    at = fault ? strtol(fault, NULL, 10) : 0;
    atexit(count_calls);
}

void fault_in(long n)
{
    started = 1;
    at = n > 0 ? calls + n : 0;
    in_pieces = n > 0;
}

int fault_is_left(void)
{
    return calls < at;
}

/* Is this the call that fails? */
static int fails(int error)
{
    if (!started)
        start();
    calls++;
    if (calls == -at)
        raise(SIGKILL);
    if (calls != at)
        return 0;
    errno = error;
    return 1;
}

void *__wrap_malloc(size_t n)
{
    return fails(ENOMEM) ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t m)
{
    return fails(ENOMEM) ? NULL : __real_calloc(n, m);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails(ENOMEM) ? NULL : __real_realloc(p, n);
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list a;
    int mode;

    va_start(a, flags);
    mode = flags & O_CREAT ? va_arg(a, int) : 0;
    va_end(a);
    return fails(EACCES) ? -1 : __real_open(path, flags, mode);
}

int __wrap_mkstemp(char *name)
{
    return fails(EACCES) ? -1 : __real_mkstemp(name);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
    return fails(EACCES) ? NULL : __real_fopen(path, mode);
}

FILE *__wrap_fdopen(int fd, const char *mode)
{
    return fails(ENOMEM) ? NULL : __real_fdopen(fd, mode);
}

ssize_t __wrap_read(int fd, void *to, size_t n)
{
    return fails(EIO) ? -1 : __real_read(fd, to, n);
}

ssize_t __wrap_write(int fd, const void *from, size_t n)
{
    if (in_pieces && n > 40)
        n = 40;
    if (!fails(ENOSPC))
        return __real_write(fd, from, n);
    if (n > 1 && __real_write(fd, from, n / 2) > 0)
        errno = ENOSPC;
    return -1;
}

size_t __wrap_fwrite(const void *from, size_t size, size_t n, FILE *f)
{
    size_t part;

    if (!fails(ENOSPC))
        return __real_fwrite(from, size, n, f);
    part = __real_fwrite(from, size, n / 2, f);
    errno = ENOSPC;
    return part;
}

int __wrap_fflush(FILE *f)
{
    return fails(ENOSPC) ? EOF : __real_fflush(f);
}

int __wrap_fsync(int fd)
{
    (void)fd;
    return fails(EIO) ? -1 : 0;
}

/* Also a close that fails releases what it closes. */
int __wrap_close(int fd)
{
    int failed = fails(EIO);
    int status = __real_close(fd);

    if (failed)
        errno = EIO;
    return failed ? -1 : status;
}

int __wrap_fclose(FILE *f)
{
    int failed = fails(EIO);
    int status = __real_fclose(f);

    if (failed)
        errno = EIO;
    return failed ? EOF : status;
}

int __wrap_rename(const char *from, const char *to)
{
    return fails(EIO) ? -1 : __real_rename(from, to);
}

ssize_t __wrap_pread(int fd, void *to, size_t n, off_t at_byte)
{
    return fails(EIO) ? -1 : __real_pread(fd, to, n, at_byte);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    return fails(EACCES) ? -1 : __real_mkdir(path, mode);
}

char *__wrap_mkdtemp(char *name)
{
    return fails(EACCES) ? NULL : __real_mkdtemp(name);
}

int __wrap_fchmod(int fd, mode_t mode)
{
    return fails(EPERM) ? -1 : __real_fchmod(fd, mode);
}

int __wrap_pipe(int *ends)
{
    return fails(EMFILE) ? -1 : __real_pipe(ends);
}

pid_t __wrap_fork(void)
{
    return fails(EAGAIN) ? -1 : __real_fork();
}

/* The program that takes this one's place has no faults by itself. */
int __wrap_execv(const char *path, char *const *words)
{
    if (fails(ENOEXEC))
        return -1;
    count_calls();
    return __real_execv(path, words);
}

int __wrap_fexecve(int fd, char *const *words, char *const *names)
{
    if (fails(ENOEXEC))
        return -1;
    count_calls();
    return __real_fexecve(fd, words, names);
}
