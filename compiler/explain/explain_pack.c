/* explain_pack.c - a long text in fewer characters, for a page that unpacks it (page/lesson.js). A
 * repetition is replaced by how far back the same text is, and how long it is. The result is a text
 * again. Most of a lesson was written by a program, so it repeats itself.
 *
 *     ~dddn     the n + LEAST characters that are d characters back; d has three digits, n one,
 *               of BASE each
 *     ~~        a ~
 */
#include "explain/explain.h"

#include <string.h>

enum {
    LEAST = 7, /* characters of the shortest repetition that is replaced */
    BASE = 90, /* digits are '#', '$', ..., '}', all but '<' and '~' */
    MOST = LEAST + BASE - 1,
    FAR = BASE * BASE * BASE, /* characters back, at most */
    HASH = 1 << 15,
    TRIES = 64, /* earlier places that are compared */
};

typedef struct Packer {
    const unsigned char *text;
    int size;
    int *last;   /* by hash of LEAST bytes: 1 + the last place that has them; 0: none */
    int *before; /* by place: 1 + the place before it with the same hash; 0: none */
    int *units;  /* by place: JavaScript's characters up to there */
} Packer;

static char digit(int value)
{
    int c = '#' + value;
    return (char)(c < '<' ? c : c + 1);
}

static int hash_at(const Packer *p, int at)
{
    unsigned h = 0;
    for (int i = 0; i < LEAST; i++)
        h = h * 31 + p->text[at + i];
    return (int)(h % HASH);
}

/* The characters of UTF-16. One begins at each first byte of UTF-8; four bytes are two of them. */
static void count_units(Packer *p)
{
    for (int i = 0; i < p->size; i++)
        p->units[i + 1] = p->units[i] + ((p->text[i] & 0xC0) != 0x80) + (p->text[i] >= 0xF0);
}

/* How many bytes are the same at two places a < b, as far as they are ASCII. */
static int same_length(const Packer *p, int a, int b)
{
    int n = 0;
    while (n < MOST && b + n < p->size && p->text[b + n] < 0x80 && p->text[a + n] == p->text[b + n])
        n++;
    return n;
}

/* The longest repetition at this place, and *from where it is of. */
static int longest_before(const Packer *p, int at, int *from)
{
    int best = 0;
    int tries = TRIES;
    for (int next = p->last[hash_at(p, at)]; next && tries > 0 && best < MOST; tries--) {
        int place = next - 1;
        if (p->units[at] - p->units[place] >= FAR)
            break;
        int n = same_length(p, place, at);
        if (n > best) {
            best = n;
            *from = place;
        }
        next = p->before[place];
    }
    return best;
}

/* Remembers the place for later repetitions. */
static void learn(Packer *p, int at)
{
    if (at + LEAST > p->size)
        return;
    int h = hash_at(p, at);
    p->before[at] = p->last[h];
    p->last[h] = at + 1;
}

static void put_repetition(Text *out, int back, int n)
{
    const char name[] = {'~', digit(back / BASE / BASE), digit(back / BASE % BASE),
                         digit(back % BASE), digit(n - LEAST)};
    text_put(out, name, sizeof name);
}

void explain_pack(Ngc *ngc, Text *out, const char *text, size_t size)
{
    Packer p = {.text = (const unsigned char *)text,
                .size = (int)size,
                .last = arena_array(ngc, HASH, sizeof *p.last),
                .before = arena_array(ngc, size + 1, sizeof *p.before),
                .units = arena_array(ngc, size + 1, sizeof *p.units)};
    count_units(&p);

    int at = 0;
    while (at < p.size) {
        /* the longest text from here that was there before */
        int from = 0, n = 0;
        if (at + LEAST <= p.size)
            n = longest_before(&p, at, &from);

        if (n >= LEAST) {
            put_repetition(out, p.units[at] - p.units[from], n);
        } else {
            n = 1;
            text_put(out, text + at, 1);
            if (text[at] == '~') /* alone, it begins a repetition */
                text_put(out, "~", 1);
        }
        for (int end = at + n; at < end; at++)
            learn(&p, at);
    }
}
