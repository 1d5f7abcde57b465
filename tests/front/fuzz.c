/* fuzz.c - parses mutations of the files named, for SECONDS of processor time: fuzz SECONDS SEED
 * FILE... Built with the sanitizers it ends at the first fault, or when a text takes over 5 s; that
 * text is then in the file fuzz-input. */
#include "syntax/ast.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

enum { SIZE = 1 << 14 };

static const char *const word[] = {
    "import ",   "dim ",      "input ",    "param ",   "state ", "update ", "output ",   "metric ",
    "gradient ", "minimize ", "maximize ", "def ",     "for ",   "if ",     "return ",   " over ",
    " with ",    " in ",      " else ",    " while ",  "(",      ")",       "[",         "]",
    "{",         "}",         "|>",        "..",       "...",    "<=",      "==",        "=",
    ",",         ";",         "\n",        ":",        "~",      "'",       "\"",        "^",
    "-",         "@",         ".",         "#",        "new",    "_",       "1e999",     ".5",
    "1.",        "0..3",      "x",         "\xc3\xa9", "\xff",   "\r\n",    "\n    |> ", "h.0.W",
    " = ",       "backward",  "(dy)",
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int pick(uint64_t *state, int below)
{
    return below <= 0 ? 0 : (int)(next_random(state) % (uint64_t)below);
}

static int insert(char *text, int size, int at, const char *what, int n)
{
    if (size + n > SIZE)
        return size;
    memmove(text + at + n, text + at, (size_t)(size - at));
    memcpy(text + at, what, (size_t)n);
    return size + n;
}

static int cut(char *text, int size, int at, int n)
{
    n = n > size - at ? size - at : n;
    memmove(text + at, text + at + n, (size_t)(size - at - n));
    return size - n;
}

static int mutate(char *text, int size, uint64_t *r)
{
    char piece[64];
    int at = pick(r, size + 1), n = 1 + pick(r, 40);
    switch (pick(r, 6)) {
    case 0: return cut(text, size, at, 1 + pick(r, 4));
    case 1: return cut(text, size, at, n);
    case 2:
        n = n > size - at ? size - at : n;
        memcpy(piece, text + at, (size_t)n);
        return insert(text, size, pick(r, size + 1), piece, n);
    case 3:
        if (size > 0)
            text[at % size] = (char)pick(r, pick(r, 4) == 0 ? 256 : 128);
        return size;
    default: {
        const char *w = word[pick(r, (int)(sizeof word / sizeof word[0]))];
        return insert(text, size, at, w, (int)strlen(w));
    }
    }
}

static int read_file(const char *path, char *text)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return 0;
    int size = (int)fread(text, 1, SIZE, f);
    fclose(f);
    return size;
}

static void parse_text(const char *text, int size, FILE *sink)
{
    FILE *keep = fopen("fuzz-input", "wb");
    if (keep != NULL) {
        fwrite(text, 1, (size_t)size, keep);
        fclose(keep);
    }
    Ngc ngc = {0};
    int file = source_add(&ngc, "fuzz.ng", text, (size_t)size, false);
    if (file >= 0)
        parse(&ngc, file);
    diag_flush(&ngc, sink);
    arena_free(&ngc);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    static char text[SIZE];
    uint64_t r = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
    FILE *sink = fopen("/dev/null", "w");
    clock_t end = (clock_t)atoi(argv[1]) * CLOCKS_PER_SEC;
    long runs = 0;
    for (; clock() < end; runs++) {
        int size = read_file(argv[3 + pick(&r, argc - 3)], text);
        for (int n = 1 + pick(&r, 12); n > 0; n--)
            size = mutate(text, size, &r);
        setitimer(ITIMER_VIRTUAL, &(struct itimerval){.it_value.tv_sec = 5}, NULL);
        parse_text(text, size, sink);
    }
    fclose(sink);
    remove("fuzz-input");
    printf("%ld inputs\n", runs);
    return 0;
}
