/* expect.c - runs ngc as .expect files say and compares the numbers it prints with the wanted ones.
 *
 * usage: NGC=build/ngc expect FILE.expect ...     from the top directory; exit 1 where anything
 * differs
 *
 * A file is blocks separated by blank lines; # starts a comment line. A block is a command, run by
 * /bin/sh with $NGC in the place of its first word, and what must come of it:
 *
 *   ngc run examples/chain.ng a=3.1
 *   tolerance 1e-6 relative        for the values below: of the largest wanted element; or
 * absolute. At first: 1e-9 J = 22.4                       a value as `ngc run` prints it; lists
 * over several lines prints parameters: 13          standard output has this line warning
 * zero-gradient          a warning has this in its line; a warning that is not wanted is a failure
 *   error NG0301                   an error has this in its line
 *   exit 1                         the exit status, 0 where it is not told
 */
#include "values.h"

#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Block { /* one command, and what is seen of it */
    const char *file;
    int line; /* of the command */
    char command[4096];
    Values got;
    char *out, *err;
    int status;
    int wanted_status;
    int checks; /* things compared */
    int failures;
    double tolerance;
    bool relative;
    bool warned, failed; /* the block wants a warning, an error */
} Block;

static void complain(Block *b, const char *format, ...)
{
    va_list args;
    if (b->failures++ == 0)
        printf("%s:%d: %s\n", b->file, b->line, b->command);
    va_start(args, format);
    printf("  ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

/* Runs the command, keeping what it writes. `run` is told to print all digits. */
static void block_run(Block *b)
{
    char out[] = "/tmp/expect_out.XXXXXX", err[] = "/tmp/expect_err.XXXXXX",
         text[sizeof b->command + 256];
    int o = mkstemp(out), e = mkstemp(err);
    const char *rest = b->command + strlen("ngc ");
    bool run = strncmp(rest, "run ", 4) == 0;
    if (o < 0 || e < 0) {
        perror("/tmp");
        exit(3);
    }
    close(o);
    close(e);
    snprintf(text, sizeof text, "$NGC %s %s >%s 2>%s </dev/null", run ? "run --digits=17" : "",
             run ? rest + 4 : rest, out, err);
    int status = system(text);
    b->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    b->out = values_file(out);
    b->err = values_file(err);
    remove(out);
    remove(err);
    if (!b->out || !b->err)
        exit(3);
    b->got = values_of(b->out);
}

/* Has a line of the text both words? */
static bool has_line(const char *text, const char *word, const char *other)
{
    for (const char *s = text; *s; s += strcspn(s, "\n"), s += *s == '\n') {
        size_t n = strcspn(s, "\n");
        const char *a = strstr(s, word), *b = strstr(s, other);
        if (a && b && a < s + n && b < s + n)
            return true;
    }
    return false;
}

/* Is this a line of the text? Blanks at its start do not count. */
static bool has_whole_line(const char *text, const char *line)
{
    size_t size = strlen(line);
    for (const char *s = text; *s; s += strcspn(s, "\n"), s += *s == '\n') {
        s += strspn(s, " ");
        if (strcspn(s, "\n") == size && strncmp(s, line, size) == 0)
            return true;
    }
    return false;
}

/* The place of an element in its tensor: "[2, 0]". */
static const char *place(const Value *v, size_t i, char *text, size_t size)
{
    size_t at[VALUE_RANK], used = 0;
    for (int k = v->rank - 1; k >= 0; k--) {
        at[k] = i % v->shape[k];
        i /= v->shape[k];
    }
    text[0] = '\0';
    for (int k = 0; k < v->rank && used < size; k++)
        used += (size_t)snprintf(text + used, size - used, "%s%zu", k ? ", " : "[", at[k]);
    if (v->rank > 0 && used < size)
        snprintf(text + used, size - used, "]");
    return text;
}

static void check_value(Block *b, const Value *want)
{
    const Value *got = values_find(&b->got, want->name);
    char text[128];
    int shown = 0;
    b->checks++;
    if (!got) {
        complain(b, "%s: not printed", want->name);
        return;
    }
    if (got->rank != want->rank || memcmp(got->shape, want->shape, sizeof got->shape) != 0) {
        complain(b, "%s: got %zu elements in %d axes, wanted %zu in %d, or other sizes", want->name,
                 got->count, got->rank, want->count, want->rank);
        return;
    }
    double bound = value_bound(want);
    for (size_t i = 0; i < want->count; i++)
        if (!value_near(got->at[i], want->at[i], bound) && shown++ < 5)
            complain(b, "%s%s: got %.17g, wanted %.17g, may differ by %.2g", want->name,
                     place(want, i, text, sizeof text), got->at[i], want->at[i], bound);
}

static void check_tolerance(Block *b, const char *text)
{
    char kind[16];
    bool read = sscanf(text, "%lf %15s", &b->tolerance, kind) == 2;
    b->relative = read && strcmp(kind, "relative") == 0;
    if (!read || (!b->relative && strcmp(kind, "absolute") != 0))
        complain(b, "tolerance wants a number and 'relative' or 'absolute', not '%s'", text);
}

/* One line that is not a value: a word, and what it is about. */
static void check_word(Block *b, const char *word, const char *text)
{
    b->checks++;
    if (strcmp(word, "tolerance") == 0) {
        b->checks--;
        check_tolerance(b, text);
    } else if (strcmp(word, "prints") == 0) {
        if (!has_whole_line(b->out, text))
            complain(b, "no line '%s'", text);
    } else if (strcmp(word, "warning") == 0) {
        b->warned = true;
        if (!has_line(b->err, "warning:", text))
            complain(b, "no warning has '%s'", text);
    } else if (strcmp(word, "error") == 0) {
        b->failed = true;
        if (!has_line(b->err, "error:", text))
            complain(b, "no error has '%s'", text);
    } else if (strcmp(word, "exit") == 0) {
        b->wanted_status = atoi(text);
    } else {
        complain(b, "what does '%s' want?", word);
    }
}

static void block_end(Block *b)
{
    if (b->status != b->wanted_status)
        complain(b, "exit status %d, wanted %d", b->status, b->wanted_status);
    if (!b->warned && strstr(b->err, "warning:"))
        complain(b, "an unwanted warning: %.300s", b->err);
    if (!b->failed && strstr(b->err, "error:"))
        complain(b, "an unwanted error: %.300s", b->err);
    if (b->checks == 0)
        complain(b, "the block checks nothing");
    values_free(&b->got);
    free(b->out);
    free(b->err);
}

/* Runs the block at s; gives its end. */
static const char *block(Block *b, const char *s, int *line)
{
    size_t n = strcspn(s, "\n");
    snprintf(b->command, sizeof b->command, "%.*s", (int)n, s);
    b->line = *line;
    if (strncmp(b->command, "ngc ", 4) != 0 || n >= sizeof b->command) {
        complain(b, "a block starts with a command: ngc ...");
        exit(2);
    }
    block_run(b);
    s += n;
    while (*s == '\n' && s[1] != '\n' && s[1] != '\0') {
        Value want;
        char word[16], text[1024];
        const char *end = value_read(&want, ++s);
        n = strcspn(s, "\n");
        if (end) {
            want.tolerance = b->tolerance;
            want.relative = b->relative;
            check_value(b, &want);
            free(want.at);
            s = end + strcspn(end, "\n");
        } else if (*s != '#') {
            int used = 0;
            snprintf(text, sizeof text, "%.*s", (int)n, s);
            if (sscanf(text, "%15[a-z] %n", word, &used) != 1 || !text[used])
                complain(b, "cannot read the line '%s'", text);
            else
                check_word(b, word, text + used);
            s += n;
        } else {
            s += n;
        }
    }
    block_end(b);
    return s;
}

/* Runs all blocks of a file; gives how many failed, and adds to *passed. */
static int file(const char *path, int *passed)
{
    char *text = values_file(path);
    int failed = 0, blocks = 0, line = 1;
    if (!text)
        return 1;
    for (const char *s = text; *s;) {
        if (*s == '\n' || *s == '#') {
            s += strcspn(s, "\n");
            line += *s == '\n';
            s += *s == '\n';
            continue;
        }
        Block b = {.file = path, .tolerance = 1e-9, .relative = true};
        const char *end = block(&b, s, &line);
        for (; s < end; s++)
            line += *s == '\n';
        blocks++;
        failed += b.failures > 0;
        *passed += b.failures == 0;
    }
    if (blocks == 0) {
        printf("%s: checks nothing\n", path);
        failed++;
    }
    free(text);
    return failed;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0;
    if (!getenv("NGC") || argc < 2) {
        fprintf(stderr, "usage: NGC=build/ngc %s FILE.expect ...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++)
        failed += file(argv[i], &passed);
    printf("expect: %d passed, %d failed\n", passed, failed);
    return failed || !passed;
}
