/* driver.c - `ngc train`, `eval`, `predict`: compiles the emitted C with the system's compiler and the runtime's host part into a program kept
 * in the cache, and runs it in this process's place. */
#include "emit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef NGC_LIBS
#define NGC_LIBS "-lm"
#endif

static int fail(const char *what, const char *detail)
{
    fprintf(stderr, "ngc: error: %s '%s': %s\n", what, detail, strerror(errno));
    return 3;
}

/* The directory that the running ngc is in. */
static const char *own_directory(Ngc *ngc)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return ".";
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    return text_format(ngc, "%.*s", (int)(slash - path), path);
}

/* The first of two directories that holds the file: the build tree's, or the installed one. */
static const char *runtime_directory(Ngc *ngc, const char *build, const char *installed, const char *file)
{
    const char *own = own_directory(ngc);
    const char *dir = text_format(ngc, "%s/%s", own, build);
    return access(text_format(ngc, "%s/%s", dir, file), R_OK) == 0 ? dir : text_format(ngc, "%s/%s", own, installed);
}

static bool make_directory(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* Where programs are kept from one run to the next. */
static const char *cache_directory(Ngc *ngc)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (!base || base[0] != '/')
        base = home && *home ? text_format(ngc, "%s/.cache", home) : "/tmp";
    const char *dir = text_format(ngc, "%s/ngc", base);
    if (make_directory(base) && make_directory(dir))
        return dir;
    dir = text_format(ngc, "/tmp/ngc-%ld", (long)getuid());
    return make_directory(dir) ? dir : NULL;
}

static uint64_t hash(uint64_t h, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001B3u;
    return h;
}

/* Runs a command and waits; its exit status, or 127. */
static int run(char **argv)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[0], argv);
        fprintf(stderr, "ngc: error: cannot run '%s': %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
        return 127;
    return WEXITSTATUS(status);
}

/* Splits words at blanks onto an argument list. */
static int add_words(Ngc *ngc, char **argv, int n, const char *words)
{
    for (const char *p = words; *p; p += strspn(p, " ")) {
        size_t k = strcspn(p, " ");
        if (k && n < 60)
            argv[n++] = (char *)text_format(ngc, "%.*s", (int)k, p);
        p += k;
    }
    return n;
}

static int compile(Ngc *ngc, const char *c, const char *program)
{
    char *argv[64];
    const char *cc = getenv("CC");
    int n = add_words(ngc, argv, 0, cc && *cc ? cc : "cc");
    n = add_words(ngc, argv, n, "-std=c99 -O2 -w -I");
    argv[n++] = (char *)runtime_directory(ngc, "../runtime", "../include", "ngrt.h");
    argv[n++] = (char *)c;
    argv[n++] = (char *)text_format(ngc, "%s/libngrt.a", runtime_directory(ngc, ".", "../lib", "libngrt.a"));
    n = add_words(ngc, argv, n, NGC_LIBS);
    argv[n++] = "-o";
    argv[n++] = (char *)program;
    argv[n] = NULL;
    int status = run(argv);
    if (status != 0)
        fprintf(stderr, "ngc: error: the C compiler '%s' failed with status %d\n", argv[0], status);
    return status;
}

int train_main(Ngc *ngc, Model *m, const char *command, char **argv, int argc)
{
    Output out = {.c = {.ngc = ngc}, .h = {.ngc = ngc}};
    char key[32];
    emit_c(ngc, m, NULL, &out);
    text_add(&out.c, "\n#include \"ngrt_host.h\"\n\nint main(int argc, char **argv)\n{\n    return ngrt_model_main(&%s_model, argc, argv);\n}\n", c_name(ngc, m->name));
    const char *dir = cache_directory(ngc), *libs = NGC_LIBS " " NGC_VERSION, *lib = text_format(ngc, "%s/libngrt.a", runtime_directory(ngc, ".", "../lib", "libngrt.a"));
    struct stat st = {0};
    if (!dir)
        return fail("cannot make the cache directory", "~/.cache/ngc");
    if (stat(lib, &st) != 0)
        return fail("cannot find the runtime", lib);
    const char *stamp = text_format(ngc, "%s %lld %lld %s", libs, (long long)st.st_mtime, (long long)st.st_size, getenv("CC") ? getenv("CC") : "");
    snprintf(key, sizeof key, "%016llx", (unsigned long long)hash(hash(0xCBF29CE484222325u, out.c.at, out.c.size), stamp, strlen(stamp)));
    const char *program = text_format(ngc, "%s/%s-%s", dir, m->name, key);
    if (access(program, X_OK) != 0) {
        const char *temp = text_format(ngc, "%s.%ld", program, (long)getpid());
        OutFile c = {.path = text_format(ngc, "%s.c", temp), .text = out.c.at, .size = out.c.size};
        if (!output_write(ngc, &c, 1))
            return 3;
        int status = compile(ngc, c.path, temp);
        unlink(c.path);
        if (status != 0)
            return 4;
        if (rename(temp, program) != 0)
            return fail("cannot write", program);
    }
    char **args = arena_alloc(ngc, (size_t)(argc + 3) * sizeof *args);
    args[0] = (char *)"ngc";
    args[1] = (char *)command;
    memcpy(args + 2, argv, (size_t)argc * sizeof *args);
    execv(program, args);
    return fail("cannot run", program);
}
