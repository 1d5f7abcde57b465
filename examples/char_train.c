/* Trains a model of characters (char_gpt.ng, char_rnn.ng) on a text file, compares it with a table
 * of pairs, and lets it write.
 *
 *     ngc --standalone char_gpt.ng --prefix=chars -o chars.c
 *     cc -O2 char_train.c chars.c -lm -o chars
 *     ./chars FILE
 *
 * usage: chars FILE [STEPS [SEED]]; by default 1,000 steps. The table of pairs is the bigram model
 * that fits the file best: for each character, how often each other one follows it in the same
 * text. Exit status 0: the loss fell below that of the table. */
#include "chars.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = CHARS_M_MAX, SYMBOLS = 96, SAMPLE = 300, REPORT = 100 };
enum { WINDOW = sizeof((chars_work *)0)->p[0] / sizeof((chars_work *)0)->p[0][0] };

static chars_params params;
static chars_state state;
static chars_work work;

/* Printable characters are 0 to 94; all others become the newline, 95. */
static int32_t symbol(int c)
{
    return c >= 32 && c < 127 ? c - 32 : SYMBOLS - 1;
}

static char character(int32_t s)
{
    return (char)(s == SYMBOLS - 1 ? '\n' : s + 32);
}

/* The symbols of a file; NULL if it cannot be read or is shorter than a window. */
static int32_t *read_symbols(const char *path, int *count)
{
    FILE *f = fopen(path, "rb");
    int32_t *text = NULL;
    int room = 0, c;
    *count = 0;
    while (f && (c = getc(f)) != EOF) {
        if (*count == room) {
            int32_t *grown = realloc(text, (size_t)(room = 2 * room + 4096) * sizeof *text);
            if (!grown)
                break;
            text = grown;
        }
        text[(*count)++] = symbol(c);
    }
    if (f)
        fclose(f);
    return *count > WINDOW + 1 ? text : NULL;
}

/* The mean of -log(count of the pair/count of its first) over all pairs of neighbours. */
static double bigram_loss(const int32_t *text, int count)
{
    static double pair[SYMBOLS][SYMBOLS], first[SYMBOLS];
    double sum = 0;
    for (int i = 0; i + 1 < count; i++) {
        pair[text[i]][text[i + 1]]++;
        first[text[i]]++;
    }
    for (int a = 0; a < SYMBOLS; a++)
        for (int b = 0; b < SYMBOLS; b++)
            if (pair[a][b] > 0)
                sum -= pair[a][b] * log(pair[a][b] / first[a]);
    return sum / (count - 1);
}

/* A random number from 0 up to 1: Marsaglia's xorshift. */
static double draw(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (double)(*random >> 11) / 9007199254740992.0;
}

/* Trains on windows from random places. Returns the mean loss of the last REPORT steps, or fewer.
 */
static double train(const int32_t *text, int count, int steps, uint64_t *random)
{
    static int32_t x[BATCH][WINDOW], t[BATCH][WINDOW];
    const chars_inputs in = {BATCH, x[0], t[0]};
    double sum = 0, mean = INFINITY;
    for (int step = 1, since = 0; step <= steps; step++) {
        for (int row = 0; row < BATCH; row++) {
            const int32_t *from = text + (int)(draw(random) * (count - WINDOW));
            for (int i = 0; i < WINDOW; i++) {
                x[row][i] = from[i];
                t[row][i] = from[i + 1];
            }
        }
        if (chars_step(&params, &state, &in, &work) != NGRT_OK)
            return INFINITY;
        sum += (double)work.J;
        if (++since == REPORT || step == steps) {
            mean = sum / since;
            printf("step %5d  loss %.3f\n", step, mean);
            fflush(stdout);
            sum = since = 0;
        }
    }
    return mean;
}

/* Continues the first few characters of the text: each next one is drawn from the probabilities
 * that the net gives. */
static void write_sample(const int32_t *text, uint64_t *random)
{
    int32_t x[WINDOW] = {0};
    const chars_inputs in = {1, x, NULL};
    int length = 8; /* characters in the window; those after them have no influence */
    for (int i = 0; i < length; i++)
        x[i] = text[i];
    for (int n = 0; n < SAMPLE; n++) {
        if (length == WINDOW) /* drop the older half */
            for (int i = 0; i < WINDOW / 2; i++)
                x[i] = x[i + WINDOW - WINDOW / 2], length = WINDOW / 2;
        if (chars_predict(&params, &in, &work) != NGRT_OK)
            return;
        double left = draw(random);
        int32_t s = 0;
        while (s < SYMBOLS - 1 && (left -= (double)work.p[0][length - 1][s]) > 0)
            s++;
        x[length++] = s;
        putchar(character(s));
    }
    putchar('\n');
}

int main(int argc, char **argv)
{
    int count, steps = argc > 2 ? atoi(argv[2]) : 1000;
    uint64_t seed = argc > 3 ? (uint64_t)atol(argv[3]) : 1, random = 88172645463325252u + seed;
    int32_t *text = argc > 1 ? read_symbols(argv[1], &count) : NULL;
    if (!text) {
        fprintf(stderr,
                "usage: chars FILE [STEPS [SEED]]; the file must have more than %d characters\n",
                WINDOW + 1);
        return 2;
    }
    double table = bigram_loss(text, count);
    printf("%d characters; loss of the table of pairs %.3f\n", count, table);
    chars_init(&params, &state, seed);
    double loss = train(text, count, steps, &random);
    printf("loss %.3f, table of pairs %.3f\n\n", loss, table);
    write_sample(text, &random);
    free(text);
    return !(loss < table);
}
