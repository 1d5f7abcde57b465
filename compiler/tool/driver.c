/* driver.c - `ngc train`, `eval`, `predict` and `library`. In: a model and the command's arguments.
 * The emitted C is compiled with the system's compiler and linked with the runtime's host part.
 * What is made is kept in the cache. A program takes the place of this process; a library is copied
 * to where the user wants it. */
#include "tool/driver.h"
#include "emit/emit_c.h"
#include "tool/options.h"
#include "tool/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef NGC_LIBS
#define NGC_LIBS "-lm"
#endif

#ifndef NGC_MPI_LIBS
#define NGC_MPI_LIBS NULL /* ngc was built without MPI */
#endif

extern char **environ;

#define CC_OPTIONS "-std=c99 -O2 -w"
#define CC_LIBRARY " -shared -fPIC" /* and these for a library */

enum {
    WORDS = 64, /* of a command */
    LINES = 20, /* of a compiler's messages that are shown */
};

/* One program, or library, to be compiled. */
typedef struct Build {
    const char *options;  /* of the C compiler, in words */
    bool alone;           /* linked with libm only: the C has what it uses of the runtime */
    const char *key;      /* of all that it is made from */
    const char *cache;    /* the directory of programs that are kept, or NULL */
    const char *kept;     /* the program's file in it, or NULL */
    bool is_kept;         /* that file is the program */
    const char *dir;      /* a private directory for the files below */
    const char *c;        /* the C */
    const char *program;  /* what is made of it */
    const char *messages; /* the compiler's messages */
    const char *runtime;  /* the directory of the headers */
    const char *lib;      /* libngrt.a */
    const char *mpi;      /* libngrt_mpi.a; NULL: the program is one process */
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
    const char *place[] = {build, installed};
    for (int i = 0; i < 2 && own; i++) {
        const char *dir = text_format(ngc, "%s/%s", own, place[i]);
        if (access(text_format(ngc, "%s/%s", dir, file), R_OK) == 0)
            return dir;
    }
    return NULL;
}

/* What $CC says, or `cc`. */
static const char *compiler_words(void)
{
    const char *cc = getenv("CC");
    if (!cc)
        return "cc";
    cc += strspn(cc, " ");
    return *cc ? cc : "cc";
}

/* The libraries besides the runtime. */
static const char *link_words(const Build *b)
{
    return b->alone ? "-lm" : NGC_LIBS;
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

    while (*path) {
        size_t n = strcspn(path, ":");
        const char *file = text_format(ngc, "%.*s/%s", (int)n, path, word);
        if (access(file, X_OK) == 0) {
            add_file(t, file);
            return;
        }
        path += n;
        path += *path == ':';
    }
}

/* Adds the system, and the processor where the compiler looks at it (-march=native). */
static void add_processor(Ngc *ngc, Text *t)
{
    struct utsname u;
    if (uname(&u) == 0)
        text_add(t, "%s %s\n", u.sysname, u.machine);
    if (!strstr(compiler_words(), "native"))
        return;
    FILE *f = fopen("/proc/cpuinfo", "r");
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
    static const char *const header[] = {"ngrt.h",        "ngrt_math.h",   "ngrt_float.h",
                                         "ngrt_double.h", "ngrt_vector.h", "ngrt_small.h",
                                         "ngrt_host.h"};
    static const char *const variable[] = {"CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH",
                                           "COMPILER_PATH", "GCC_EXEC_PREFIX"};

    /* ngc, the compiler and its options */
    Text t = {.ngc = ngc};
    const char *compiler = compiler_words();
    text_add(&t, "ngc %s\n%s\n%s %s\n", NGC_VERSION, compiler, b->options, link_words(b));
    add_command(ngc, &t, compiler);

    /* libraries and headers */
    add_file(&t, b->lib);
    if (b->mpi) {
        add_file(&t, b->mpi);
        text_add(&t, "%s\n", NGC_MPI_LIBS);
    }
    for (size_t i = 0; i < sizeof header / sizeof *header; i++)
        add_file(&t, text_format(ngc, "%s/%s", b->runtime, header[i]));
    for (size_t i = 0; i < sizeof variable / sizeof *variable; i++) {
        const char *value = getenv(variable[i]);
        text_add(&t, "%s\n", text_or(value, ""));
    }
    add_processor(ngc, &t);

    uint64_t key = hash_text(hash_text(HASH_START, c->at, c->size), t.at, t.size);
    return text_format(ngc, "%016llx", (unsigned long long)key);
}

/* ---- compiling ---- */

/* The command's process: becomes the command. Its messages go to the file `messages`, which only
 * the user can read. Where the command cannot be run, the reason goes to `report`. */
static _Noreturn void become(char **argv, const char *messages, const sigset_t *mask, int report)
{
    int out = open(messages, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
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
 * The pipe `report` closes when the command begins to run, and carries errno where it does not. */
static int run(char **argv, const char *messages, const sigset_t *mask, int *error)
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
        become(argv, messages, mask, report[1]);
    if (pid < 0)
        *error = errno;
    close(report[1]);

    ssize_t n = 0;
    if (pid > 0)
        n = read(report[0], error, sizeof *error);
    close(report[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            break;
    if (n > 0 && *error == 0)
        *error = ENOEXEC;
    return status;
}

/* Adds words, separated by blanks, to an argument list. Returns its new length. */
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

/* Adds the compiler's messages as notes. */
static void add_messages(Ngc *ngc, Diag *d, const char *messages)
{
    char line[1024];
    FILE *f = fopen(messages, "r");
    if (!f)
        return;
    for (int i = 0; i < LINES && fgets(line, sizeof line, f); i++) {
        line[strcspn(line, "\n")] = '\0';
        diag_note(ngc, d, NO_PLACE, "%s", line);
    }
    fclose(f);
}

/* Why there is no program: the compiler could not be run, or it failed. */
static void complain_compiler(Ngc *ngc, const Build *b, const char *name, int error, int status)
{
    Diag *d;
    if (error) {
        d = complain(ngc, "cannot run the C compiler '%s': %s", name, strerror(error));
        diag_note(ngc, d, NO_PLACE,
                  "train, eval, predict and library need a C compiler: install one (on Debian: "
                  "apt-get install gcc libc6-dev), or set CC to its name");
    } else if (WIFSIGNALED(status)) {
        d = complain(ngc, "the C compiler '%s' was ended by signal %d", name, WTERMSIG(status));
    } else {
        d = complain(ngc, "the C compiler '%s' failed with status %d", name, WEXITSTATUS(status));
    }
    add_messages(ngc, d, b->messages);
}

static bool compile(Ngc *ngc, const Build *b, const sigset_t *mask)
{
    char *argv[WORDS];
    int n = add_words(ngc, argv, 0, compiler_words());
    n = add_words(ngc, argv, n, b->options);
    argv[n++] = "-I";
    argv[n++] = (char *)b->runtime;
    argv[n++] = (char *)b->c;
    if (b->mpi)
        argv[n++] = (char *)b->mpi;
    if (!b->alone)
        argv[n++] = (char *)b->lib;
    if (b->mpi)
        n = add_words(ngc, argv, n, NGC_MPI_LIBS);
    n = add_words(ngc, argv, n, link_words(b));
    argv[n++] = "-o";
    argv[n++] = (char *)b->program;
    argv[n] = NULL;

    int error;
    int status = run(argv, b->messages, mask, &error);
    if (status == 0 && !error)
        return true;
    complain_compiler(ngc, b, argv[0], error, status);
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
    b->messages = text_format(ngc, "%s/messages", b->dir);

    if (!cache_create(b->c, 0600, c->at, c->size, "", 0)) {
        complain(ngc, "cannot write '%s': %s", b->c, strerror(errno));
    } else if (compile(ngc, b, mask)) {
        b->is_kept = b->kept && cache_keep(ngc, b->program, b->kept, b->key);
        if (b->is_kept)
            cache_clear(ngc, b->cache, b->kept + strlen(b->cache) + 1);
        fd = cache_open(b->program, &size);
        if (fd < 0)
            complain(ngc, "the C compiler left no program in '%s'", b->program);
    }

    cache_remove_private(ngc);
    ngc->private_dir = NULL;
    return fd;
}

/* The same. A signal that would end ngc waits until the private directory is removed. */
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

/* ---- ranks ---- */

/* A number that the program which starts ranks puts into the environment; -1: it has not. */
static long environment_number(const char *const *name)
{
    for (; *name; name++) {
        const char *value = getenv(*name);
        if (value && *value >= '0' && *value <= '9')
            return strtol(value, NULL, 10);
    }
    return -1;
}

/* The number of this process among several that mpirun has started; -1: it is the only one. */
static long rank_of_several(void)
{
    static const char *const size[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", NULL};
    static const char *const rank[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", NULL};

    if (environment_number(size) > 1)
        return environment_number(rank);
    return -1;
}

void rank_messages(Ngc *ngc)
{
    enum { SECONDS = 2 };

    if (rank_of_several() > 0 && ngc->errors == 0)
        return;
    if (rank_of_several() > 0)
        sleep(SECONDS);
    diag_flush(ngc, stderr);
}

/* Sets the options of a program for ranks, or says why there can be none. */
static bool start_ranks(Ngc *ngc, const char *command)
{
    if (rank_of_several() < 0)
        return true;
    if (!same_text(command, "train")) {
        complain(ngc, "%s is one process: start it without mpirun", command);
        return false;
    }
    if (!NGC_MPI_LIBS) {
        complain(ngc, "this ngc was built without MPI: install it (on Debian: apt-get install "
                      "libopenmpi-dev openmpi-bin), and build ngc again");
        return false;
    }
    options_ranks(&ngc->opt);
    return true;
}

/* The ranks of a machine compile one after another: the first does, and the others find what it has
 * kept. The lock ends with the process. */
static void wait_for_others(const Build *b)
{
    int fd = open(b->cache, O_RDONLY | O_CLOEXEC);

    if (fd >= 0)
        flock(fd, LOCK_EX);
}

/* ---- the commands ---- */

/* Says that a program is compiled, which takes a moment, and which no later run does. */
static void announce(const Ngc *ngc, const Model *m, const char *command, char **argv, int argc)
{
    for (int i = 0; i < argc; i++)
        if (same_text(argv[i], "--quiet"))
            return;
    if (!ngc->opt.json && rank_of_several() <= 0)
        fprintf(
            stderr,
            "ngc %s: note: compiling the model %s with %s; once, as long as it stays the same\n",
            command, m->name, compiler_words());
}

/* A main for one of several ranks. */
static void add_main_of_ranks(Ngc *ngc, const Module *m, Text *c)
{
    const char *name = c_name(ngc, m->name);

    if (m->metrics)
        text_add(c,
                 "\nstatic int merge(void *totals, const void *other)\n{\n"
                 "    return %s_metrics_merge(totals, other);\n}\n",
                 name);
    text_add(c,
             "\nint main(int argc, char **argv)\n{\n"
             "    ngrt_group *group = ngrt_mpi_start();\n    int status;\n\n"
             "    if (!group)\n        return 1;\n    group->merge = %s;\n"
             "    argv[1] = (char *)\"ngc train\";\n"
             "    status = ngrt_train_on_ranks(&%s_model, group, argc - 1, argv + 1);\n"
             "    ngrt_mpi_finish(group, status);\n    return status;\n}\n",
             m->metrics ? "merge" : "NULL", name);
}

/* The C of the model, with a main that is the runtime's. */
static Text program_text(Ngc *ngc, Model *m)
{
    Output out = {.c = {.ngc = ngc}, .h = {.ngc = ngc}};
    Module *module = module_build(m);

    ngc->opt.bytes = true;
    emit_c(module, NULL, &out);
    text_add(&out.c, "\n#include \"ngrt_host.h\"\n");
    if (ngc->opt.ranks)
        add_main_of_ranks(ngc, module, &out.c);
    else
        text_add(&out.c,
                 "\nint main(int argc, char **argv)\n{\n"
                 "    return ngrt_model_main(&%s_model, argc, argv);\n}\n",
                 c_name(ngc, m->name));
    return out.c;
}

/* Finds the runtime's headers and library. */
static bool find_runtime(Ngc *ngc, Build *b)
{
    b->runtime = runtime_directory(ngc, "../runtime", "../include", "ngrt.h");
    const char *dir = runtime_directory(ngc, ".", "../lib", "libngrt.a");
    if (!b->runtime || !dir) {
        complain(ngc, "cannot find the runtime, ngrt.h and libngrt.a, beside ngc");
        return false;
    }
    b->lib = text_format(ngc, "%s/libngrt.a", dir);
    if (ngc->opt.ranks)
        b->mpi = text_format(ngc, "%s/libngrt_mpi.a", dir);
    return true;
}

/* What the cache keeps: an open file, or -1. */
static int find_kept(Ngc *ngc, Build *b)
{
    int fd = cache_find(ngc, b->kept, b->key);

    b->is_kept = fd >= 0;
    return fd;
}

/* The program from the cache: an open file, or -1. Sets where it is, or would be. */
static int find_program(Ngc *ngc, Build *b, const Model *m, const Text *c)
{
    if (!find_runtime(ngc, b))
        return -1;

    b->key = program_key(ngc, b, c);
    b->cache = cache_directory(ngc);
    if (!b->cache)
        return -1;
    b->kept = text_format(ngc, "%s/%s-%s", b->cache, m->name, b->key);
    return find_kept(ngc, b);
}

/* What is made of the C: from the cache, or compiled now. An open file, or -1 with a message. */
static int obtain_program(Ngc *ngc, Build *b, const Model *m, const Text *c, const char *command,
                          char **argv, int argc)
{
    int fd = find_program(ngc, b, m, c);
    if (fd < 0 && b->mpi && b->kept) {
        wait_for_others(b);
        fd = find_kept(ngc, b);
    }
    if (fd >= 0 || !b->key)
        return fd;
    announce(ngc, m, command, argv, argc);
    return make_undisturbed(ngc, b, c);
}

/* Would the program write over the model or its weights? It does not know their files. */
static bool writes_over(Ngc *ngc, char **argv, int argc)
{
    static const char *const option[] = {"--save",   "--resume",   "--log", "--curve",
                                         "--assess", "--boundary", "-o"};
    for (int i = 0; i < argc; i++)
        for (size_t k = 0; k < sizeof option / sizeof *option; k++) {
            size_t size = strlen(option[k]);
            OutFile file = {0};
            if (strncmp(argv[i], option[k], size) != 0)
                continue;
            if (argv[i][size] == '=')
                file.path = argv[i] + size + 1;
            else if (argv[i][size] == 0 && i + 1 < argc)
                file.path = argv[i + 1];
            if (file.path && output_clash(ngc, &file, 1))
                return true;
        }
    return false;
}

int train_main(Ngc *ngc, Model *m, const char *command, char **argv, int argc)
{
    Build b = {.options = CC_OPTIONS};
    if (writes_over(ngc, argv, argc))
        return 2;
    if (!start_ranks(ngc, command))
        return 2;
    Text c = program_text(ngc, m);
    if (ngc->errors)
        return 1;
    int fd = obtain_program(ngc, &b, m, &c, command, argv, argc);
    if (fd < 0)
        return 3;

    char **args = arena_array(ngc, argc + 4, sizeof *args);
    int n = 0;
    args[n++] = (char *)"ngc";
    args[n++] = (char *)command;
    if (ngc->opt.json)
        args[n++] = (char *)"--diagnostics=json";
    memcpy(args + n, argv, (size_t)argc * sizeof *args);

    rank_messages(ngc);
    if (b.is_kept)
        execv(b.kept, args); /* `ps` shows its name, which that of an open file hides */
    fexecve(fd, args, environ);
    complain(ngc, "cannot run the program that was compiled: %s", strerror(errno));
    return 3;
}

/* ---- a library ---- */

/* A text as a string literal, a line of it on each line. */
static void put_literal(Text *t, const char *text)
{
    text_add(t, "    \"");
    for (const char *c = text; *c; c++)
        if (*c == '\n')
            text_add(t, "\\n\"\n    \"");
        else if (*c == '"' || *c == '\\' || *c == '?')
            text_add(t, "\\%c", *c);
        else
            text_put(t, c, 1);
    text_add(t, "\"");
}

/* Links what users of a library call of the runtime besides the model: a table of it. */
static const char host_text[] =
    "\n#include \"ngrt_host.h\"\n\n"
    "const struct {\n"
    "    ngrt_pool *(*create)(int);\n"
    "    void (*destroy)(ngrt_pool *);\n"
    "    int (*save)(const ngrt_model *, const void *, const void *, const ngrt_about *,\n"
    "                const char *, const char *, ngrt_message *);\n"
    "    int (*load)(const ngrt_model *, void *, void *, ngrt_about *, const char *,\n"
    "                const char *, ngrt_message *);\n"
    "} ngc_host = {ngrt_pool_create, ngrt_pool_destroy, ngrt_weights_save, ngrt_weights_load};\n";

/* The C of the model, its manifest, and what its users call of the runtime's host part. */
static Text library_text(Ngc *ngc, Model *m)
{
    Output out = {.c = {.ngc = ngc}, .h = {.ngc = ngc}};
    Text manifest = {.ngc = ngc};
    const Module *module = module_build(m);
    if (ngc->errors)
        return out.c;

    emit_c(module, NULL, &out);
    manifest_write(module, &manifest);
    text_add(&out.c, "\nextern const char ngc_manifest[];\nconst char ngc_manifest[] =\n");
    put_literal(&out.c, manifest.at);
    text_add(&out.c, ";\n");

    if (!ngc->opt.standalone)
        text_add(&out.c, "%s", host_text);
    return out.c;
}

int library_main(Ngc *ngc, Model *m, const char *output)
{
    if (!output) {
        complain(ngc, "-o names the library that is written");
        return 2;
    }
    if (ngc->opt.weights && !ngc->opt.frozen) {
        int status = weights_freeze(ngc, m);
        if (status)
            return status;
    }

    Build b = {.options = CC_OPTIONS CC_LIBRARY, .alone = ngc->opt.standalone};
    Text c = library_text(ngc, m);
    if (ngc->errors)
        return 1;
    OutFile file = {.path = output};
    if (output_clash(ngc, &file, 1))
        return 2;

    int fd = obtain_program(ngc, &b, m, &c, "library", NULL, 0);
    if (fd < 0)
        return 3;
    file.text = cache_read(ngc, fd, &file.size);
    close(fd);
    if (!file.text) {
        complain(ngc, "cannot read the library that was compiled: %s", strerror(errno));
        return 3;
    }
    return output_write(ngc, &file, 1) ? 0 : 3;
}
