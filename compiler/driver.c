/* driver.c - `ngc train`, `eval`, `predict`: compiles the emitted C with the system's compiler and
 * the runtime's host part into a program kept in the cache, and runs it in this process's place. */
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef NGC_LIBS
#define NGC_LIBS "-lm"
#endif

extern char **environ;

#define CC_OPTIONS "-std=c99 -O2 -w"

enum { WORDS = 64, LINES = 20 }; /* of a command; of what a compiler says */

typedef struct Build {        /* one program to be compiled */
    const char *key;          /* of all that it is made from */
    const char *cache, *kept; /* where it is kept, a directory and a file; or NULL */
    bool is_kept;
    const char *dir;                /* a private directory */
    const char *c, *program, *said; /* in it: the C, what is made of it, what the compiler says */
    const char *runtime;            /* the directory of the headers */
    const char *lib;                /* libngrt.a */
} Build;

/* ---- where things are ---- */

/* The directory that the running ngc is in, or NULL. */
static const char *own_directory(Ngc *ngc)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return NULL;
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    return text_format(ngc, "%.*s", (int)(slash - path), path);
}

/* The first of two directories that holds the file: the build tree's, or the installed one. */
static const char *runtime_directory(Ngc *ngc, const char *build, const char *installed,
                                     const char *file)
{
    const char *own = own_directory(ngc);
    if (!own)
        return NULL;
    const char *dir = text_format(ngc, "%s/%s", own, build);
    if (access(text_format(ngc, "%s/%s", dir, file), R_OK) == 0)
        return dir;
    dir = text_format(ngc, "%s/%s", own, installed);
    return access(text_format(ngc, "%s/%s", dir, file), R_OK) == 0 ? dir : NULL;
}

/* What $CC says, or `cc`. */
static const char *compiler_words(void)
{
    const char *cc = getenv("CC");
    return cc && cc[strspn(cc, " ")] ? cc + strspn(cc, " ") : "cc";
}

/* ---- the key ---- */

/* Adds a file's name, size and time: another file of that name gives another key. */
static void add_file(Text *t, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return;
    text_add(t, "%s %lld %lld.%09ld %llu\n", path, (long long)st.st_size,
             (long long)st.st_mtim.tv_sec, (long)st.st_mtim.tv_nsec, (unsigned long long)st.st_ino);
}

/* Adds the file that a command runs, found as execvp finds it. */
static void add_command(Ngc *ngc, Text *t, const char *words)
{
    const char *word = text_format(ngc, "%.*s", (int)strcspn(words, " "), words);
    const char *path = getenv("PATH");
    if (strchr(word, '/') || !path) {
        add_file(t, word);
        return;
    }
    for (size_t n; *path; path += n + (path[n] == ':')) {
        n = strcspn(path, ":");
        const char *file = text_format(ngc, "%.*s/%s", (int)n, path, word);
        if (access(file, X_OK) == 0) {
            add_file(t, file);
            return;
        }
    }
}

/* Adds what the processor is, where the compiler is asked to look at it. */
static void add_processor(Ngc *ngc, Text *t)
{
    struct utsname u;
    if (uname(&u) == 0)
        text_add(t, "%s %s\n", u.sysname, u.machine);
    FILE *f = strstr(compiler_words(), "native") ? fopen("/proc/cpuinfo", "r") : NULL;
    if (!f)
        return;

    /* the first processor's lines; the one of its speed, which changes, is left out */
    char *line = arena_alloc(ngc, 8192);
    while (fgets(line, 8192, f) && line[0] != '\n')
        if (!strstr(line, "MHz"))
            text_add(t, "%s", line);
    fclose(f);
}

/* The key of a program: all that it is made from. */
static const char *program_key(Ngc *ngc, const Build *b, const Text *c)
{
    static const char *const header[] = {"ngrt.h", "ngrt_math.h", "ngrt_vector.h", "ngrt_small.h",
                                         "ngrt_host.h"};
    static const char *const variable[] = {"CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH",
                                           "COMPILER_PATH", "GCC_EXEC_PREFIX"};
    Text t = {.ngc = ngc};
    text_add(&t, "ngc %s\n%s\n%s %s\n", NGC_VERSION, compiler_words(), CC_OPTIONS, NGC_LIBS);
    add_command(ngc, &t, compiler_words());
    add_file(&t, b->lib);
    for (size_t i = 0; i < sizeof header / sizeof *header; i++)
        add_file(&t, text_format(ngc, "%s/%s", b->runtime, header[i]));
    for (size_t i = 0; i < sizeof variable / sizeof *variable; i++)
        text_add(&t, "%s\n", getenv(variable[i]) ? getenv(variable[i]) : "");
    add_processor(ngc, &t);
    uint64_t key = hash_text(hash_text(HASH_START, c->at, c->size), t.at, t.size);
    return text_format(ngc, "%016llx", (unsigned long long)key);
}

/* ---- compiling ---- */

/* The command's process: its words go to a file, and what it writes is the user's alone. */
static _Noreturn void become(char **argv, const char *said, const sigset_t *mask, int report)
{
    int out = open(said, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (out >= 0) {
        dup2(out, 1);
        dup2(out, 2);
    }
    umask(077);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(argv[0], argv);
    int error = errno;
    (void)!write(report, &error, sizeof error);
    _exit(127);
}

/* Runs a command and waits: its status as waitpid gives it. *error: why it could not be run, or 0.
 */
static int run(char **argv, const char *said, const sigset_t *mask, int *error)
{
    int status = 0, report[2];
    *error = 0;
    if (pipe(report) != 0) {
        *error = errno;
        return 0;
    }
    fcntl(report[1], F_SETFD, FD_CLOEXEC);
    pid_t pid = fork();
    if (pid == 0)
        become(argv, said, mask, report[1]);
    if (pid < 0)
        *error = errno;
    close(report[1]);
    ssize_t n = pid < 0 ? 0 : read(report[0], error, sizeof *error);
    close(report[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            break;
    if (n > 0 && *error == 0)
        *error = ENOEXEC;
    return status;
}

/* Splits words at blanks onto an argument list. */
static int add_words(Ngc *ngc, char **argv, int n, const char *words)
{
    for (const char *p = words; *p; p += strspn(p, " ")) {
        size_t k = strcspn(p, " ");
        if (k && n < WORDS - 8)
            argv[n++] = (char *)text_format(ngc, "%.*s", (int)k, p);
        p += k;
    }
    return n;
}

/* What the compiler said, as notes. */
static void add_said(Ngc *ngc, Diag *d, const char *said)
{
    char line[1024];
    FILE *f = fopen(said, "r");
    for (int i = 0; f && i < LINES && fgets(line, sizeof line, f); i++) {
        line[strcspn(line, "\n")] = '\0';
        diag_note(ngc, d, NO_PLACE, "%s", line);
    }
    if (f)
        fclose(f);
}

static bool compile(Ngc *ngc, const Build *b, const sigset_t *mask)
{
    char *argv[WORDS];
    int error, n = add_words(ngc, argv, 0, compiler_words());
    n = add_words(ngc, argv, n, CC_OPTIONS " -I");
    argv[n++] = (char *)b->runtime;
    argv[n++] = (char *)b->c;
    argv[n++] = (char *)b->lib;
    n = add_words(ngc, argv, n, NGC_LIBS);
    argv[n++] = "-o";
    argv[n++] = (char *)b->program;
    argv[n] = NULL;

    int status = run(argv, b->said, mask, &error);
    if (status == 0 && !error)
        return true;
    const char *name = argv[0];
    Diag *d;
    if (error) {
        d = complain(ngc, "cannot run the C compiler '%s': %s", name, strerror(error));
        diag_note(ngc, d, NO_PLACE,
                  "train, eval and predict need a C compiler: install one (on Debian: "
                  "apt-get install gcc libc6-dev), or set CC to its name");
    } else if (WIFSIGNALED(status)) {
        d = complain(ngc, "the C compiler '%s' was ended by signal %d", name, WTERMSIG(status));
    } else {
        d = complain(ngc, "the C compiler '%s' failed with status %d", name, WEXITSTATUS(status));
    }
    add_said(ngc, d, b->said);
    return false;
}

/* Makes the program in a private directory, and keeps it where it can; an open file, or -1. */
static int make_program(Ngc *ngc, Build *b, const Text *c, const sigset_t *mask)
{
    size_t size;
    int fd = -1;
    b->dir = cache_private(ngc, b->cache);
    if (!b->dir)
        return -1;
    b->c = text_format(ngc, "%s/program.c", b->dir);
    b->program = text_format(ngc, "%s/program", b->dir);
    b->said = text_format(ngc, "%s/said", b->dir);

    if (!cache_create(b->c, 0600, c->at, c->size, "", 0)) {
        complain(ngc, "cannot write '%s': %s", b->c, strerror(errno));
    } else if (compile(ngc, b, mask)) {
        b->is_kept = b->kept && cache_keep(ngc, b->program, b->kept, b->key);
        fd = cache_open(b->program, &size);
        if (fd < 0)
            complain(ngc, "the C compiler left no program in '%s'", b->program);
    }
    unlink(b->c);
    unlink(b->program);
    unlink(b->said);
    rmdir(b->dir);
    return fd;
}

/* The same, but an interrupt waits until nothing is left behind. */
static int make_undisturbed(Ngc *ngc, Build *b, const Text *c)
{
    sigset_t wait, mask;
    sigemptyset(&wait);
    sigaddset(&wait, SIGINT);
    sigaddset(&wait, SIGTERM);
    sigaddset(&wait, SIGHUP);
    sigprocmask(SIG_BLOCK, &wait, &mask);
    int fd = make_program(ngc, b, c, &mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    return fd;
}

/* ---- the commands ---- */

int train_main(Ngc *ngc, Model *m, const char *command, char **argv, int argc)
{
    Output out = {.c = {.ngc = ngc}, .h = {.ngc = ngc}};
    emit_c(ngc, m, NULL, &out);
    text_add(&out.c,
             "\n#include \"ngrt_host.h\"\n\nint main(int argc, char **argv)\n{\n"
             "    return ngrt_model_main(&%s_model, argc, argv);\n}\n",
             c_name(ngc, m->name));

    Build b = {.runtime = runtime_directory(ngc, "../runtime", "../include", "ngrt.h"),
               .lib = runtime_directory(ngc, ".", "../lib", "libngrt.a")};
    if (!b.runtime || !b.lib) {
        complain(ngc, "cannot find the runtime, ngrt.h and libngrt.a, beside ngc");
        return 3;
    }
    b.lib = text_format(ngc, "%s/libngrt.a", b.lib);

    b.key = program_key(ngc, &b, &out.c);
    b.cache = cache_directory(ngc);
    b.kept = b.cache ? text_format(ngc, "%s/%s-%s", b.cache, m->name, b.key) : NULL;
    int fd = b.kept ? cache_find(ngc, b.kept, b.key) : -1;
    b.is_kept = fd >= 0;
    if (fd < 0)
        fd = make_undisturbed(ngc, &b, &out.c);
    if (fd < 0)
        return 3;

    char **args = arena_alloc(ngc, (size_t)(argc + 4) * sizeof *args);
    int n = 0;
    args[n++] = (char *)"ngc";
    args[n++] = (char *)command;
    if (ngc->opt.json)
        args[n++] = (char *)"--diagnostics=json";
    memcpy(args + n, argv, (size_t)argc * sizeof *args);
    diag_flush(ngc, stderr);
    if (b.is_kept)
        execv(b.kept, args); /* a system shows its name, which that of an open file hides */
    fexecve(fd, args, environ);
    complain(ngc, "cannot run the program that was compiled: %s", strerror(errno));
    return 3;
}
