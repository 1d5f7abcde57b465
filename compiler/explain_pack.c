/* explain_pack.c - a long text in fewer characters, for a page that unpacks it (page/lesson.js):
 * what stood in the text before is named by where and how long. Texts that a program wrote are
 * short then, and stay texts.
 *
 *     ~ddln     the n + LEAST characters that stand d characters back; d has three digits, n one,
 * of BASE each
 *     ~~        a ~
 */
#include "explain.h"

#include <string.h>

enum {
    LEAST = 7, /* characters that are worth a name */
    BASE = 90, /* digits are '#', '$', ..., '}', all but '<' and '~' */
    MOST = LEAST + BASE - 1,
    FAR = BASE * BASE * BASE, /* no further back than this */
    HASH = 1 << 15,
    TRIES = 64,
};

typedef struct Packer {
    const unsigned char *text;
    int size;
    int *last, *before; /* by hash: 1 + the last place of these first characters; by place: the one
                           before it, likewise */
    int *units;         /* by place: JavaScript's characters up to there */
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

/* UTF-8's first bytes count: as one, or as the two that UTF-16 takes for four of them. */
static void count_units(Packer *p)
{
    for (int i = 0; i < p->size; i++)
        p->units[i + 1] = p->units[i] + ((p->text[i] & 0xC0) != 0x80) + (p->text[i] >= 0xF0);
}

/* How far the texts at two places are the same, in ASCII. */
static int same_length(const Packer *p, int a, int b)
{
    int n = 0;
    while (n < MOST && b + n < p->size && p->text[b + n] < 0x80 && p->text[a + n] == p->text[b + n])
        n++;
    return n;
}

static int longest_before(const Packer *p, int at, int *from)
{
    int best = 0, tries = TRIES;
    for (int k = p->last[hash_at(p, at)];
         k && tries-- && p->units[at] - p->units[k - 1] < FAR && best < MOST;
         k = p->before[k - 1]) {
        int n = same_length(p, k - 1, at);
        if (n > best) {
            best = n;
            *from = k - 1;
        }
    }
    return best;
}

static void learn(Packer *p, int at)
{
    if (at + LEAST > p->size)
        return;
    int h = hash_at(p, at);
    p->before[at] = p->last[h];
    p->last[h] = at + 1;
}

void explain_pack(Ngc *ngc, Text *out, const char *text, size_t size)
{
    Packer p = {.text = (const unsigned char *)text, .size = (int)size};
    p.last = arena_alloc(ngc, HASH * sizeof *p.last);
    p.before = arena_alloc(ngc, (size + 1) * sizeof *p.before);
    p.units = arena_alloc(ngc, (size + 1) * sizeof *p.units);
    count_units(&p);
    for (int at = 0, from = 0; at < p.size;) {
        int n = at + LEAST <= p.size ? longest_before(&p, at, &from) : 0,
            back = p.units[at] - p.units[from];
        bool named = n >= LEAST;
        if (named) {
            const char name[] = {'~', digit(back / BASE / BASE), digit(back / BASE % BASE),
                                 digit(back % BASE), digit(n - LEAST)};
            text_put(out, name, sizeof name);
        } else {
            text_put(out, text + at, 1);
            if (text[at] == '~')
                text_put(out, "~", 1);
        }
        for (int end = at + (named ? n : 1); at < end; at++)
            learn(&p, at);
    }
}
