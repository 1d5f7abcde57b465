/* each.c - a command while each of its calls of the system fails in turn, while it is killed at
 * each of them, and while the disk is full at each byte: each KINDS STEP FIRST FILES COMMAND...
 *
 * KINDS is some of the letters f (a call fails), k (killed), d (the disk is full). Of the calls
 * 1, 2, ..., every STEP-th from FIRST on is tried; of the bytes, the first and the last ones, and
 * some between. FILES are the files that the command writes,
 * with commas between them; what they hold when this program starts is what they hold before each
 * run ("none": standard output only). The command's program has wrap.c.
 *
 * What must hold: each file is the old one or the whole new one. (If EACH_WHOLE is set, it may also
 * be another one that this command, of a shell, accepts: training saves several times.) Where the
 * command says that all is well, it is the new one. Otherwise the status is one of ngc's (1 to 5),
 * and a message says "error". Nothing else is left in the directory, nor a file that the patterns
 * EACH_LEFT match. EACH_BEFORE is done before each run, and EACH_AFTER, which must succeed, after
 * it. Prints the counts as a line "N passed, M failed". */
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILES_MOST = 8, SHOWN = 5, BYTES_BETWEEN = 40 };

typedef struct Bytes {
    char *at;
    size_t size; /* without the '\0' that follows */
    int there;
} Bytes;

typedef struct Watched { /* a file that the command writes */
    const char *path;
    Bytes before, after;
} Watched;

typedef struct Fault {
    char kind; /* one of f, k, d; '\0': none */
    long at;
} Fault;

static Watched watched[FILES_MOST];
static int files;
static char **command;
static int passed, failed;

static Bytes read_bytes(const char *path)
{
    Bytes b = {0};
    size_t room = 4096, n;
    FILE *f = fopen(path, "rb");

    if (!f)
        return b;
    b.there = 1;
    b.at = malloc(room);
    while ((n = fread(b.at + b.size, 1, room - b.size - 1, f)) > 0)
        if ((b.size += n) == room - 1)
            b.at = realloc(b.at, room *= 2);
    b.at[b.size] = '\0';
    fclose(f);
    return b;
}

static int same(const Bytes *a, const Bytes *b)
{
    return a->there == b->there && a->size == b->size &&
           (a->size == 0 || memcmp(a->at, b->at, a->size) == 0);
}

static void put_back(const Watched *w)
{
    FILE *f;

    unlink(w->path);
    if (!w->before.there)
        return;
    f = fopen(w->path, "wb");
    fwrite(w->before.at, 1, w->before.size, f);
    fclose(f);
}

static int matches(char *patterns)
{
    int n = 0;

    for (char *p = strtok(patterns, " "); p; p = strtok(NULL, " ")) {
        glob_t g;
        if (glob(p, 0, NULL, &g) == 0)
            n += (int)g.gl_pathc;
        globfree(&g);
    }
    return n;
}

static int entries(void)
{
    int n = 0;
    DIR *d = opendir(".");
    char patterns[200];

    while (readdir(d))
        n++;
    closedir(d);
    snprintf(patterns, sizeof patterns, "%s", getenv("EACH_LEFT") ? getenv("EACH_LEFT") : "");
    return n + matches(patterns);
}

/* A command of the environment. Returns whether it succeeds, or is not there. */
static int shell(const char *name)
{
    const char *text = getenv(name);

    return text == NULL || system(text) == 0;
}

/* Tells wrap.c, in the new process only. */
static void set_fault(const Fault *fault)
{
    char text[30];

    snprintf(text, sizeof text, "%ld", fault->kind == 'k' ? -fault->at : fault->at);
    if (fault->kind == 'f' || fault->kind == 'k')
        setenv("FAULT", text, 1);
}

/* In the new process: messages go to a file that is not here, so that a full disk has room. */
static void start(const Fault *fault)
{
    int out = open("../each.out", O_WRONLY | O_CREAT | O_TRUNC, 0666);

    dup2(out, 1);
    dup2(out, 2);
    if (fault->kind == 'd') {
        struct rlimit most = {(rlim_t)fault->at, (rlim_t)fault->at};
        setrlimit(RLIMIT_FSIZE, &most);
        signal(SIGXFSZ, SIG_IGN);
    }
    set_fault(fault);
    execvp(command[0], command);
    _exit(127);
}

/* Runs the command, and returns its status as a shell has it. */
static int run(const Fault *fault)
{
    int status;
    pid_t child;

    for (int i = 0; i < files; i++)
        put_back(&watched[i]);
    shell("EACH_BEFORE");
    child = fork();
    if (child == 0)
        start(fault);
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Is a file that is neither the old one nor the new one whole nevertheless? */
static int is_whole(void)
{
    return getenv("EACH_WHOLE") && shell("EACH_WHOLE");
}

/* Is each file the old one or the new one? Returns how many are new, or -1. */
static int new_files(void)
{
    int n = 0;

    for (int i = 0; i < files; i++) {
        Bytes now = read_bytes(watched[i].path);
        int is_new = same(&now, &watched[i].after), is_old = same(&now, &watched[i].before);

        free(now.at);
        if (!is_new && !is_old && !is_whole())
            return -1;
        /* a log has the time that an epoch took, so a new one may have other bytes */
        n += is_new || !is_old;
    }
    return n;
}

/* What is wrong after a run, or NULL. */
static const char *wrong(const Fault *fault, int status, int left)
{
    int news = new_files();

    if (news < 0)
        return "a file is neither the old one nor the new one";
    if (left && fault->kind != 'k')
        return "a temporary file is left";
    if (!shell("EACH_AFTER"))
        return "what is done after it fails";
    if (status == 0)
        return news == files ? NULL : "it says that all is well, but a file is the old one";
    if (fault->kind == 'k')
        return status == 128 + SIGKILL ? NULL : "it ended in another way";
    if (status > 5)
        return "not a status of ngc's";

    Bytes said = read_bytes("../each.out");
    int error = said.at && (strstr(said.at, "error") || strstr(said.at, "cannot"));
    /* a message that is longer than the limit, or whose own call failed, may be cut off */
    int cut = fault->kind == 'd' && said.size >= (size_t)fault->at;
    free(said.at);
    return error || cut ? NULL : "no message says so";
}

/* Removes what a killed process left. */
static void remove_left(const char *pattern)
{
    char command_text[200];

    snprintf(command_text, sizeof command_text, "rm -f %s", pattern);
    if (system(command_text) != 0)
        perror("each");
}

static void try(const Fault *fault, int there)
{
    int status = run(fault);
    int news = 0;

    for (int i = 0; i < files; i++)
        news += access(watched[i].path, F_OK) == 0;
    int olds = 0;
    for (int i = 0; i < files; i++)
        olds += watched[i].before.there;

    const char *what = wrong(fault, status, entries() != there + news - olds);
    if (!what) {
        passed++;
    } else if (failed++ < SHOWN) {
        printf("FAIL %s %s, %c at %ld, status %d: %s\n", command[0], command[1], fault->kind,
               fault->at, status, what);
        if (system("head -3 ../each.out") != 0)
            perror("each");
    }
    if (fault->kind == 'k')
        remove_left("*.?????? *.tmp");
}

/* The disk is full after some numbers of bytes: the first and last four, and BYTES_BETWEEN others.
 */
static void try_bytes(long bytes, long step, long first, int there)
{
    long stride = bytes / BYTES_BETWEEN + 1;

    for (long at = first; at < bytes; at += step)
        if (at < 4 || at >= bytes - 4 || at % stride < step)
            try(&(Fault){'d', at}, there);
}

static long count_of_calls(void)
{
    Bytes b = read_bytes("../each.count");
    long n = b.at ? strtol(b.at, NULL, 10) : 0;

    free(b.at);
    return n;
}

int main(int argc, char **argv)
{
    const Fault none = {'\0', 0};

    if (argc < 6) {
        fprintf(stderr, "usage: each KINDS STEP FIRST FILES COMMAND...\n");
        return 2;
    }
    command = argv + 5;
    for (char *path = strtok(argv[4], ","); path && strcmp(path, "none"); path = strtok(NULL, ","))
        watched[files++] = (Watched){path, read_bytes(path), {0}};

    /* once without a fault: what the files become, and how many calls there are */
    setenv("FAULT_COUNT", "../each.count", 1);
    int there = entries(), status = run(&none);
    long calls = count_of_calls(), bytes = 0;
    for (int i = 0; i < files; i++) {
        watched[i].after = read_bytes(watched[i].path);
        if (bytes < (long)watched[i].after.size)
            bytes = (long)watched[i].after.size;
    }
    if (status != 0 || calls == 0) {
        printf("FAIL %s %s ends with %d without a fault\n0 passed, 1 failed\n", command[0],
               command[1], status);
        return 1;
    }
    unsetenv("FAULT_COUNT");

    long step = strtol(argv[2], NULL, 10), first = strtol(argv[3], NULL, 10) % step;
    for (const char *kind = argv[1]; *kind; kind++)
        if (*kind == 'd')
            try_bytes(bytes, step, first, there);
        else
            for (long at = first + 1; at <= calls; at += step)
                try(&(Fault){*kind, at}, there);

    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
