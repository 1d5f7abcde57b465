/* outline.c - what repeats becomes a def, and calls of it in a row become a loop.
 *
 * A region is a sequence of statements of which only the last is read from outside. Two regions are
 * alike if they differ only in numbers, and in which values they read from outside. The numbers
 * that differ are parameters of the def. The regions that save most lines are taken first, then
 * again those of what is left. */
#include "onnx/onnx.h"

#include <stdlib.h>
#include <string.h>

enum {
    LONGEST = 64,   /* statements of a region */
    ENTRIES = 4,    /* values that it reads from outside */
    OUTSIDE = 1000, /* in its hash: numbers of entries differ from distances */
    NUMBERS = 6,    /* that differ */
    DEFS = 20,
};

Statement *statement_now(Statement *s)
{
    while (s->moved)
        s = s->moved;
    return s;
}

/* ---- numbers in texts ---- */

/* Does a number begin here? Digits in a name, as in conv2d, are not one. */
static bool starts_number(const char *text, const char *at)
{
    return is_digit(*at) && (at == text || !(is_word_char(at[-1]) || at[-1] == '.'));
}

static int number_length(const char *at)
{
    int n = 0;
    while (is_digit(at[n]) || (at[n] == '.' && is_digit(at[n + 1])))
        n++;
    if (at[n] == 'e' && (is_digit(at[n + 1]) || at[n + 1] == '-')) {
        n += 2;
        while (is_digit(at[n]))
            n++;
    }
    return n;
}

/* A step of the hash FNV-1a. */
static uint64_t mix(uint64_t hash, int number)
{
    return (hash ^ (uint64_t)number) * 0x100000001B3u;
}

/* A hash of a text in which all numbers are the same. */
static uint64_t blind_hash(const char *text, uint64_t h)
{
    for (const char *c = text; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        if (starts_number(text, c)) {
            byte = '0';
            c += number_length(c) - 1;
        }
        h = mix(h, byte);
    }
    return h;
}

/* ---- regions ---- */

/* Statements that follow one another, and could be the body of a def. */
typedef struct Region {
    int from, count; /* statements of the page */
    uint64_t hash;   /* of what the statements are, and of what they read: equal in twins */
    Statement *entry[ENTRIES]; /* what they read from outside: parameters of the def */
    int entries;
} Region;

/* Notes where each statement is, and where it is read last. */
static void find_places(Page *p)
{
    for (int i = 0; i < p->statements; i++) {
        p->statement[i]->at = i;
        p->statement[i]->last = p->statement[i]->output ? p->statements : -1;
    }
    for (int i = 0; i < p->statements; i++)
        for (int k = 0; k < p->statement[i]->refs; k++)
            statement_now(p->statement[i]->ref[k].of)->last = i;
}

/* Adds what a statement reads. False: too much is from outside. */
static bool add_refs(Region *r, const Statement *s)
{
    for (int k = 0; k < s->refs; k++) {
        Statement *of = statement_now(s->ref[k].of);

        /* from within: how far back it is */
        if (of->at >= r->from) {
            r->hash = mix(r->hash, s->at - of->at);
            r->hash += (uint64_t)s->ref[k].part;
            continue;
        }

        /* from outside: the number of its entry */
        if (of->parts)
            return false;
        int e = 0;
        while (e < r->entries && r->entry[e] != of)
            e++;
        if (e == ENTRIES)
            return false;
        r->entry[e] = of;
        if (e == r->entries)
            r->entries = e + 1;
        r->hash = mix(r->hash, OUTSIDE + e);
    }
    return true;
}

static bool can_be_inside(const Statement *s)
{
    return s->declares != LINE_DIM && s->declares != LINE_INPUT && !s->output;
}

/* All regions, in the order of their places. */
static Region *find_regions(Import *im, const Page *p, int *count)
{
    Region *list = NULL;
    int room = 0;
    *count = 0;
    for (int from = 0; from < p->statements; from++) {
        Region r = {.from = from, .hash = 14695981039346656037u};
        int open = from; /* statements before this place are not read after the region */
        for (int n = 1; n <= LONGEST && from + n <= p->statements; n++) {
            Statement *s = p->statement[from + n - 1];
            if (!can_be_inside(s))
                break;
            r.hash = blind_hash(s->text, r.hash + (uint64_t)s->declares * 7 + (uint64_t)s->kind);
            r.hash = mix(r.hash, s->weights * 8 + s->parts);
            if (!add_refs(&r, s))
                break;
            bool closed = true;
            for (int i = open; i < from + n - 1 && closed; i++)
                closed = p->statement[i]->last < from + n;
            bool value = s->declares == LINE_VALUE && !s->parts && s->last >= from + n;
            if (n < 2 || !closed || !value || r.entries == 0)
                continue;
            LIST_GROW(im->ngc, list, *count, &room);
            r.count = n;
            list[(*count)++] = r;
        }
    }
    return list;
}

static int by_hash(const void *a, const void *b)
{
    const Region *x = a;
    const Region *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->count != y->count)
        return compare_int64(x->count, y->count);
    return x->from - y->from;
}

/* ---- where regions come from ---- */

/* The path that all layers of a region have in common; NULL: they have none, or are not named. */
static const char *common_path(Import *im, const Page *p, const Region *r)
{
    const char *first = NULL;
    size_t n = 0;
    for (int i = r->from; i < r->from + r->count; i++) {
        const char *label = p->statement[i]->label;
        size_t same = 0;
        if (!label)
            continue;
        if (!first) {
            const char *dot = strrchr(label, '.');
            first = label;
            if (dot)
                n = (size_t)(dot - label);
            else
                n = 0;
        }
        while (same < n && label[same] == first[same])
            same++;
        bool whole = (first[same] == '.' || !first[same]) && (label[same] == '.' || !label[same]);
        while (same > 0 && !whole && first[same] != '.')
            same--;
        n = min_int64(same, n);
    }
    if (first && n > 0)
        return text_format(im->ngc, "%.*s", (int)n, first);
    return NULL;
}

/* Are all layers of this path in the region? */
static bool is_whole(const Page *p, const Region *r, const char *path)
{
    size_t n = strlen(path);
    for (int i = 0; i < p->statements; i++) {
        const char *label = p->statement[i]->label;
        bool inside = i >= r->from && i < r->from + r->count;
        if (label && !inside && strncmp(label, path, n) == 0 && (!label[n] || label[n] == '.'))
            return false;
    }
    return true;
}

/* Have the regions paths, each another one with all layers that it has, or none of them? */
static bool paths_differ(Import *im, const Page *p, const Region *const *r, int count)
{
    int named = 0;
    for (int i = 0; i < count; i++) {
        const char *a = common_path(im, p, r[i]);
        named += a != NULL;
        if (a && !is_whole(p, r[i], a))
            return false;
        for (int k = 0; k < i; k++) {
            const char *b = common_path(im, p, r[k]);
            if (a && b && same_text(a, b))
                return false;
        }
    }
    bool labelled = false;
    for (int i = r[0]->from; i < r[0]->from + r[0]->count; i++)
        labelled |= p->statement[i]->label != NULL;
    return named == count || !labelled;
}

/* ---- the numbers in which regions differ ---- */

typedef struct Literals {
    const char **value; /* of each region, one after the other */
    int count;          /* of one region */
} Literals;

static Literals literals_of(Import *im, const Page *p, const Region *r)
{
    Literals n = {0};
    int room = 0;
    for (int i = r->from; i < r->from + r->count; i++) {
        const char *text = p->statement[i]->text;
        for (const char *c = text; *c; c++) {
            if (!starts_number(text, c))
                continue;
            int length = number_length(c);
            LIST_GROW(im->ngc, n.value, n.count, &room);
            n.value[n.count++] = intern(im->ngc, c, (size_t)length);
            c += length - 1;
        }
    }
    return n;
}

/* Sets for each number the parameter that it is, or -1. Returns how many parameters there are. */
static int choose_parameters(const Literals *n, int regions, int *parameter)
{
    int count = 0;
    int places = n[0].count;
    for (int i = 0; i < places; i++) {
        bool differs = false;
        parameter[i] = -1;
        for (int r = 1; r < regions; r++)
            differs |= n[r].value[i] != n[0].value[i];
        for (int k = 0; k < i && differs && parameter[i] < 0; k++) {
            bool same = parameter[k] >= 0;
            for (int r = 0; r < regions && same; r++)
                same = n[r].value[i] == n[r].value[k];
            if (same)
                parameter[i] = parameter[k];
            else
                parameter[i] = -1;
        }
        if (differs && parameter[i] < 0)
            parameter[i] = count++;
    }
    return count;
}

/* "stride" of "..., stride = 2"; otherwise n, n2, ... */
static const char *parameter_name(Import *im, const char *text, const char *at, const char **names,
                                  int count)
{
    const char *end = at;
    const char *word = "n";
    if (at - text > 4 && begins(at - 3, " = ")) {
        end = at - 3;
        const char *start = end;
        while (start > text && is_word_char(start[-1]))
            start--;
        word = text_format(im->ngc, "%.*s", (int)(end - start), start);
    }
    const char *name = word;
    for (int i = 0, tries = 2; i < count; i++)
        if (same_text(names[i], name)) {
            name = text_format(im->ngc, "%s%d", word, tries++);
            i = -1;
        }
    return name;
}

/* ---- a def and its calls ---- */

/* A word for what has this path: "denselayer" of "features.denselayer3". */
static const char *def_word(Import *im, const char *path)
{
    const char *dot = NULL;
    if (path)
        dot = strrchr(path, '.');
    const char *word = path;
    if (dot)
        word = dot + 1;
    size_t n = 0;
    if (word)
        n = strlen(word);
    while (n > 0 && (is_digit(word[n - 1]) || word[n - 1] == '_'))
        n--;
    if (n > 2)
        return text_format(im->ngc, "%.*s", (int)n, word);
    return "block";
}

/* The statements of the first region, with parameters in place of numbers. */
static Def *make_def(Import *im, const Page *p, const Region *r, const int *parameter, int count)
{
    Ngc *ngc = im->ngc;
    Def *d = arena_alloc(ngc, sizeof *d);
    int number = 0, named = 0;
    *d = (Def){.name = def_word(im, common_path(im, p, r)),
               .count = r->count,
               .entries = r->entries,
               .numbers = count};
    d->body = arena_array(ngc, r->count, sizeof *d->body);
    d->number = arena_array(ngc, count + 1, sizeof *d->number);
    d->entry = arena_copy(ngc, r->entry, sizeof r->entry);
    for (int i = 0; i < r->count; i++) {
        Statement *s = d->body[i] = p->statement[r->from + i];
        Text t = {.ngc = ngc};
        for (const char *c = s->text; *c; c++) {
            if (!starts_number(s->text, c)) {
                text_put(&t, c, 1);
                continue;
            }
            int which = parameter[number++];
            int length = number_length(c);
            if (which == named) {
                d->number[named] = parameter_name(im, s->text, c, d->number, named);
                named++;
            }
            if (which >= 0)
                text_add(&t, "%s", d->number[which]);
            else
                text_put(&t, c, (size_t)length);
            c += length - 1;
        }
        s->text = text_or(t.at, "");
    }
    return d;
}

static void shorten_labels(Def *d, const char *path)
{
    size_t n = 0;
    if (path)
        n = strlen(path);
    for (int i = 0; i < d->count; i++) {
        Statement *s = d->body[i];
        if (s->label && n && strncmp(s->label, path, n) == 0 && s->label[n] == '.')
            s->label += n + 1;
    }
}

/* "(\1, \1, 3)": a place for each entry, then the numbers. */
static const char *call_text(Import *im, const Region *r, const Def *d, const Literals *n,
                             const int *parameter)
{
    Text t = {.ngc = im->ngc};
    text_add(&t, "(");
    for (int i = 0; i < r->entries; i++)
        text_add(&t, "%s\1", comma_before(i));
    for (int k = 0; k < d->numbers; k++) {
        int i = 0;
        while (i < n->count && parameter[i] != k)
            i++;
        if (i < n->count)
            text_add(&t, ", %s", n->value[i]);
    }
    text_add(&t, ")");
    return t.at;
}

/* The call of a def in the place of a region. */
static Statement *make_call(Import *im, const Page *p, const Region *r, Def *d, const Literals *n,
                            const int *parameter)
{
    Ngc *ngc = im->ngc;
    Statement *s = arena_alloc(ngc, sizeof *s);
    *s = (Statement){.kind = ST_CALL, .of = d, .refs = r->entries};
    s->label = common_path(im, p, r);
    s->text = call_text(im, r, d, n, parameter);
    s->ref = arena_array(ngc, r->entries, sizeof *s->ref);
    for (int i = 0; i < r->entries; i++)
        s->ref[i] = (Ref){r->entry[i], 0};

    /* it has the weights of all statements, and the users of the last */
    Statement *const *part = &p->statement[r->from];
    for (int i = 0; i < r->count; i++)
        s->weights += part[i]->weights;
    s->weight = arena_array(ngc, s->weights + 1, sizeof *s->weight);

    int k = 0;
    for (int i = 0; i < r->count; i++)
        for (int j = 0; j < part[i]->weights; j++)
            s->weight[k++] = part[i]->weight[j];
    s->uses = part[r->count - 1]->uses;
    return s;
}

/* A call takes the place of each region; it is now what the region's last statement was. */
static void put_calls(Page *p, const Region *const *r, Statement **call, int regions)
{
    int to = 0;
    int next = 0; /* region */

    for (int i = 0; i < p->statements; i++) {
        if (next == regions || i < r[next]->from) {
            p->statement[to++] = p->statement[i];
            continue;
        }
        bool is_last = i == r[next]->from + r[next]->count - 1;
        if (is_last) {
            p->statement[i]->moved = call[next];
            p->statement[to++] = call[next++];
        }
    }
    p->statements = to;
}

/* Makes a def of these regions, which are in order, and calls in their places. */
static void replace(Import *im, Page *p, const Region *const *r, const Literals *n, int regions)
{
    Ngc *ngc = im->ngc;
    int *parameter = arena_array(ngc, n[0].count + 1, sizeof *parameter);
    int count = choose_parameters(n, regions, parameter);
    const char *path = common_path(im, p, r[0]);
    Statement **call = arena_array(ngc, regions, sizeof *call);
    Def shape = {.numbers = count};
    for (int i = 0; i < regions; i++)
        call[i] = make_call(im, p, r[i], &shape, &n[i], parameter);

    Def *d = make_def(im, p, r[0], parameter, count);
    LIST_GROW(ngc, p->def, p->defs, &p->def_room);
    p->def[p->defs++] = d;
    for (int i = 0; i < regions; i++)
        call[i]->of = d;

    put_calls(p, r, call, regions);
    shorten_labels(d, path);
}

/* ---- which regions ---- */

/* Those of one kind that do not overlap. */
static int apart(const Region *list, int count, const Region **out)
{
    int n = 0, end = 0;
    for (int i = 0; i < count; i++)
        if (list[i].from >= end) {
            out[n++] = &list[i];
            end = list[i].from + list[i].count;
        }
    return n;
}

/* How many lines a def of `count` statements saves, in place of that many regions: all but one
 * region become one line, and the def itself has three more. */
static int lines_saved(int regions, int count)
{
    return (regions - 1) * (count - 1) - 3;
}

/* The same for a def that is possible; at most 0: it is not worth it. */
static int saving(Import *im, const Page *p, const Region *const *r, int regions)
{
    int saved = lines_saved(regions, r[0]->count);
    if (regions < 2 || saved <= 0 || !paths_differ(im, p, r, regions))
        return 0;
    Literals *n = arena_array(im->ngc, regions, sizeof *n);
    for (int i = 0; i < regions; i++) {
        n[i] = literals_of(im, p, r[i]);
        if (n[i].count != n[0].count || r[i]->entries != r[0]->entries)
            return 0;
    }
    int *parameter = arena_array(im->ngc, n[0].count + 1, sizeof *parameter);
    return choose_parameters(n, regions, parameter) <= NUMBERS ? saved : 0;
}

/* Makes the def that saves most. False: there is none. */
static bool make_best(Import *im, Page *p)
{
    Ngc *ngc = im->ngc;
    int count;
    find_places(p);
    Region *list = find_regions(im, p, &count);
    const Region **chosen = arena_array(ngc, count + 1, sizeof *chosen);
    const Region **kept = arena_array(ngc, count + 1, sizeof *kept);
    if (count)
        qsort(list, (size_t)count, sizeof *list, by_hash);

    /* regions of one kind follow one another now */
    int best = 0;
    int regions = 0; /* of the best kind, in `kept` */
    for (int i = 0, end; i < count; i = end) {
        end = i;
        while (end < count && list[end].hash == list[i].hash && list[end].count == list[i].count)
            end++;

        int n = apart(list + i, end - i, chosen);
        if (lines_saved(n, list[i].count) <= best)
            continue;
        int saved = saving(im, p, chosen, n);
        if (saved <= best)
            continue;
        best = saved;
        regions = n;
        memcpy(kept, chosen, (size_t)n * sizeof *kept);
    }
    if (best == 0)
        return false;

    Literals *n = arena_array(ngc, regions, sizeof *n);
    for (int i = 0; i < regions; i++)
        n[i] = literals_of(im, p, kept[i]);
    replace(im, p, kept, n, regions);
    return true;
}

/* ---- loops ---- */

/* The number at the end of a path, "h.0" or "layer_0", or -1. *stem: the length before it. */
static int path_number(const char *path, int *stem)
{
    size_t n = 0;
    if (path)
        n = strlen(path);
    size_t digits = 0;
    while (digits < n && is_digit(path[n - 1 - digits]))
        digits++;
    if (digits == 0 || digits > 6 || digits + 2 > n || !strchr("._", path[n - 1 - digits]))
        return -1;
    *stem = (int)(n - digits - 1);
    return atoi(path + n - digits);
}

/* Is b the next pass of what a begins? It reads a, and nothing else does. */
static bool continues(const Statement *a, const Statement *b, const Statement *first, int passes)
{
    if (a->kind != ST_CALL || b->kind != ST_CALL || a->of != b->of || a->output)
        return false;
    if (!same_text(a->text, b->text) || statement_now(b->ref[0].of) != a)
        return false;

    /* the other operands are the same in all passes */
    for (int i = 1; i < b->refs; i++) {
        const Statement *x = statement_now(b->ref[i].of);
        if (x == a || x != statement_now(first->ref[i].of))
            return false;
    }

    /* the labels count the passes: h.0, h.1, .. */
    if (!first->label && !b->label)
        return true;
    int stem_a = 0, stem_b = 0;
    int x = path_number(first->label, &stem_a);
    int y = path_number(b->label, &stem_b);
    if (x != 0 || y != passes || stem_a != stem_b)
        return false;
    return strncmp(first->label, b->label, (size_t)stem_a) == 0;
}

/* How many calls from this place on are the passes of a loop. */
static int count_passes(const Page *p, int at)
{
    Statement *const *s = &p->statement[at];
    int n = 1;
    while (at + n < p->statements && s[n - 1]->last == at + n && continues(s[n - 1], s[n], s[0], n))
        n++;
    return n;
}

/* The weights of all passes, in order. */
static void collect_loop_weights(Import *im, Statement *loop, Statement *const *pass, int passes)
{
    int weights = 0;
    for (int k = 0; k < passes; k++)
        weights += pass[k]->weights;

    loop->weight = arena_array(im->ngc, weights + 1, sizeof *loop->weight);
    loop->weights = 0;
    for (int k = 0; k < passes; k++)
        for (int j = 0; j < pass[k]->weights; j++)
            loop->weight[loop->weights++] = pass[k]->weight[j];
}

/* Can the statement have the name of the loop that reads it, at this place? */
static bool can_begin_loop(const Statement *s, int at)
{
    if (s->kind != ST_LINE || s->declares != LINE_VALUE || s->label)
        return false;
    return s->last == at && !s->weights && !s->parts;
}

/* The calls from this place on as one loop. */
static Statement *make_loop(Import *im, Statement *const *pass, int passes, int at)
{
    Statement *loop = arena_copy(im->ngc, pass[0], sizeof *loop);
    loop->kind = ST_LOOP;
    loop->passes = passes;
    collect_loop_weights(im, loop, pass, passes);
    for (int k = 0; k < passes; k++)
        pass[k]->moved = loop;

    int stem = 0;
    if (path_number(pass[0]->label, &stem) == 0)
        loop->label = text_format(im->ngc, "%.*s", stem, pass[0]->label);
    Statement *before = statement_now(pass[0]->ref[0].of);
    if (can_begin_loop(before, at)) {
        before->label = loop->label;
        loop->before = before;
    }
    loop->output = pass[passes - 1]->output;
    loop->moved = NULL;
    return loop;
}

static void make_loops(Import *im, Page *p)
{
    int to = 0;
    find_places(p);
    for (int i = 0; i < p->statements;) {
        Statement *s = p->statement[i];
        int passes = count_passes(p, i);
        if (passes > 1)
            s = make_loop(im, &p->statement[i], passes, i);
        p->statement[to++] = s;
        i += passes;
    }
    p->statements = to;
}

void outline(Import *im, Page *p)
{
    while (p->defs < DEFS && make_best(im, p))
        ;
    make_loops(im, p);
}
