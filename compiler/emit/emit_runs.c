/* emit_runs.c - runs of statements that occur several times, as a block of a deep network does, are
 * a function that is called for each of them.
 *
 * In: the text of the functions, whose statements are calls of kernels and of the runtime. Out: the
 * same with fewer statements, and before them the functions of the runs. Two statements are equal
 * if they differ only in what they are given: pointers, numbers, sizes. These are the parameters.
 * Runs that save the most lines are taken first. */
#include "emit/emit_runs.h"

#include <stdlib.h>
#include <string.h>

enum {
    LONGEST = 40, /* statements in a run */
    ROOM = 100,   /* parameters of a run */
    LEAST = 8,    /* lines that a run must save */
    PERIOD = 128, /* statements of a block that is repeated */
    ROUNDS = 12,

    /* passes of a loop, at least */
    OFTEN = 6,   /* where it comes first */
    SEVERAL = 4, /* of long blocks */
    FEW = 3,
};

/* ---- repeated runs ---- */

typedef struct Repeat { /* a run that may become a function */
    int unit, units;    /* where it occurs first */
    int times;          /* without those that overlap */
    int end;            /* of the last of them */
    int64_t saves;      /* an estimate of lines */
} Repeat;

typedef struct Repeats {
    Repeat *repeat;
    int count, room;
} Repeats;

/* A number for each pair of numbers, 0 for a pair that is new. Places are compared again later, so
 * it does not matter if a key does not fit in a pointer. */
static int *pair_at(const Runs *r, Table *pairs, int a, int kind)
{
    uintptr_t key = (uintptr_t)a * ((uintptr_t)r->units + 1) + (uintptr_t)kind;
    return table_at(r->ngc, pairs, (const void *)key);
}

static int holes_of(const Runs *r, int from, int units)
{
    int holes = 0;
    for (int i = 0; i < units; i++)
        for (int h = 0; h < r->unit[from + i].holes; h++)
            /* a size is one word in a call, a pointer some three */
            holes += same_text(r->unit[from + i].hole[h].type, "size_t") ? 1 : 3;
    return holes / 3;
}

/* Notes another place of a run, unless it overlaps the last. */
static void add_place(Repeats *found, Ngc *ngc, int *at, int place, int units)
{
    if (*at == 0) {
        LIST_GROW(ngc, found->repeat, found->count, &found->room);
        found->repeat[found->count] = (Repeat){.unit = place, .units = units};
        *at = ++found->count;
    }
    Repeat *x = &found->repeat[*at - 1];
    if (place >= x->end) {
        x->end = place + units;
        x->times++;
    }
}

/* All runs of `units` statements: `found` gets them, and run[i] the number of the one that begins
 * with statement i, 0 if it is the only one. run[i] is that of a shorter run before. */
static void find_length(const Runs *r, int units, int *run, Repeats *found)
{
    Ngc *ngc = r->ngc;
    Table pairs = {0};

    for (int i = 0; i < r->units; i++) {
        int last = i + units - 1;
        /* a run that occurs once has no longer run that occurs twice */
        bool none = run[i] == 0 || last >= r->units || r->unit[last].kind < 0;
        if (none) {
            run[i] = 0;
            continue;
        }
        /* a run of n is a run of n - 1 and one more statement: two numbers name it */
        int *at = pair_at(r, &pairs, run[i], r->unit[last].kind);
        add_place(found, ngc, at, i, units);
        run[i] = *at;
    }
    for (int i = 0; i < r->units; i++)
        if (run[i] && found->repeat[run[i] - 1].times < 2)
            run[i] = 0;
}

static int compare_saved(const void *a, const void *b)
{
    const Repeat *x = a;
    const Repeat *y = b;
    if (x->saves != y->saves)
        return compare_int64(y->saves, x->saves);
    if (x->units != y->units)
        return compare_int64(x->units, y->units);
    return compare_int64(x->unit, y->unit);
}

static void sort_repeats(Repeats *found)
{
    if (found->count > 0)
        qsort(found->repeat, (size_t)found->count, sizeof *found->repeat, compare_saved);
}

/* Blocks of statements that are repeated one after another, those that save the most first. */
static Repeats find_blocks(const Runs *r)
{
    Repeats found = {0};
    for (int units = REPEAT_PERIOD + 1; units <= PERIOD; units++) {
        int same = 0; /* statements that are like those a block before them */
        for (int i = units; i <= r->units; i++) {
            if (i < r->units && r->unit[i].kind > 0 && r->unit[i].kind == r->unit[i - units].kind) {
                same++;
                continue;
            }
            /* statements i - same .. i - 1 are like those one block earlier: same/units + 1 blocks
             * in a row */
            if (same >= units * (SEVERAL - 1)) {
                int first = i - same - units;
                int times = same / units + 1;
                LIST_GROW(r->ngc, found.repeat, found.count, &found.room);
                found.repeat[found.count++] =
                    (Repeat){first, units, .saves = (times - 1) * lines_of(r, first, units)};
            }
            same = 0;
        }
    }
    sort_repeats(&found);
    return found;
}

/* All runs, those that save the most first. */
static Repeats find_repeats(const Runs *r)
{
    Repeats found = {0};
    int *run = arena_array(r->ngc, r->units + 1, sizeof *run);
    for (int i = 0; i < r->units; i++)
        run[i] = 1;
    for (int units = 1; units <= LONGEST; units++)
        find_length(r, units, run, &found);

    for (int i = 0; i < found.count; i++) {
        Repeat *x = &found.repeat[i];
        int lines = lines_of(r, x->unit, x->units);
        int holes = holes_of(r, x->unit, x->units);
        /* all copies but one, less a call and its comment each time, less the function's head and
         * end */
        x->saves = (int64_t)(x->times - 1) * lines - (int64_t)x->times * (2 + holes / 8) - 4;
    }
    sort_repeats(&found);
    return found;
}

/* ---- the parameters of a run ---- */

typedef struct Places { /* where a run occurs */
    int *at;
    int count;
} Places;

/* Is u equal to v, and in no run yet? A call that was made in this round has no kind. */
static bool is_free_like(const Unit *u, const Unit *v)
{
    return u->kind > 0 && u->kind == v->kind && !u->gone;
}

/* The places that no other run has taken. */
static Places find_places(const Runs *r, const Repeat *x)
{
    Places p = {arena_array(r->ngc, r->units / x->units + 1, sizeof *p.at), 0};
    for (int i = 0; i + x->units <= r->units; i++) {
        int n = 0;
        while (n < x->units && is_free_like(&r->unit[i + n], &r->unit[x->unit + n]))
            n++;
        if (n < x->units)
            continue;
        p.at[p.count++] = i;
        /* no two overlap */
        i += n - 1;
    }
    return p;
}

/* What place number p gives hole h of the statement that is u after the first. */
static const Hole *hole_at(const Runs *r, const Places *p, int place, int u, int h)
{
    return &r->unit[p->at[place] + u].hole[h];
}

/* "space + 12": 12; -1: it is something else. */
static int64_t space_offset(const char *text)
{
    if (!begins(text, "space"))
        return -1;
    if (text[5] == '\0')
        return 0;
    const char *number = text + strlen("space + ");
    if (is_whole_number(number))
        return atoll(number);
    return -1;
}

typedef struct Handed { /* how a hole is filled in */
    int param;          /* -1: by its text */
    int64_t ahead;      /* elements after the parameter */
} Handed;

typedef struct Columns {        /* the parameters of a run while they are chosen */
    int unit[ROOM], hole[ROOM]; /* the first hole that each fills */
    Hole param[ROOM];
    int params;
} Columns;

/* Is hole h of statement u, in every place of the run, equally far after parameter c? */
static bool is_ahead(const Runs *r, const Places *p, const Columns *x, int c, int u, int h,
                     int64_t *ahead)
{
    for (int i = 0; i < p->count; i++) {
        const char *text = hole_at(r, p, i, u, h)->text;
        const char *base = hole_at(r, p, i, x->unit[c], x->hole[c])->text;
        int64_t at = space_offset(text);
        int64_t from = space_offset(base);
        int64_t apart = 0;
        if (at >= 0 && from >= 0)
            apart = at - from;
        /* the same text, or both at known offsets of space */
        bool known = text == base || (at >= 0 && from >= 0);
        if (!known || (i > 0 && apart != *ahead))
            return false;
        *ahead = apart;
    }
    return true;
}

/* Is it the same number everywhere? */
static bool is_same_number(const Runs *r, const Places *p, int u, int h)
{
    const Hole *first = hole_at(r, p, 0, u, h);
    if (strchr(first->type, '*') || !is_digit(*first->text))
        return false;
    for (int i = 1; i < p->count; i++)
        if (hole_at(r, p, i, u, h)->text != first->text)
            return false;
    return true;
}

/* Finds the parameter for a hole, or makes one. false: there would be too many. */
static bool choose_param(const Runs *r, const Places *p, Columns *x, int u, int h, Handed *given)
{
    const Hole *hole = hole_at(r, p, 0, u, h);
    *given = (Handed){-1, 0};
    if (is_same_number(r, p, u, h))
        return true;

    /* a pointer at a fixed distance from another needs no parameter of its own */
    for (int c = 0; c < x->params && given->param < 0; c++)
        if (same_text(x->param[c].type, hole->type) && is_ahead(r, p, x, c, u, h, &given->ahead))
            given->param = c;
    if (given->param < 0) {
        if (x->params == ROOM)
            return false;
        given->param = x->params;
        given->ahead = 0;
        x->unit[x->params] = u;
        x->hole[x->params] = h;
        x->param[x->params++] = *hole;
    }
    /* const only if no hole that it fills is written */
    x->param[given->param].constant &= hole->constant;
    return true;
}

/* ---- text ---- */

static char type_letter(const char *type)
{
    if (strchr(type, '*'))
        return 'p';
    return same_text(type, "size_t") ? 'n' : 'v';
}

/* "p0", "n1", "v0": pointers, sizes, other numbers */
static const char *param_name(const Runs *r, const Columns *x, int param)
{
    char letter = type_letter(x->param[param].type);
    int same = 0;
    for (int i = 0; i < param; i++)
        same += type_letter(x->param[i].type) == letter;
    return text_format(r->ngc, "%c%d", letter, same);
}

/* What a run needs besides its parameters. */
typedef struct Common {
    unsigned dims;
    bool id, threads;
} Common;

static void note_common(const Emit *e, Common *common, const char *text)
{
    for (const char *c = text; *c;) {
        size_t n = word_size(c);
        int dim = -1;
        if (n)
            dim = dim_of(e, c, n);
        if (dim >= 0)
            common->dims |= 1u << dim;
        bool shares = is_word(c, n, "NGC_SHARE");
        common->id |= shares || is_word(c, n, "id");
        common->threads |= shares || is_word(c, n, "threads");
        c += n ? n : 1;
    }
}

static void add_to_list(Text *t, const char *item)
{
    text_add(t, "%s%s", text_if(t->size, ", "), item);
}

static void list_common(const Emit *e, const Common *common, bool types, Text *t)
{
    for (int i = 0; i < e->graph->dims; i++)
        if (common->dims >> i & 1)
            add_to_list(t, text_format(e->ngc, "%s%s%s", text_if(types, "size_t "),
                                       e->module->dim_prefix, e->graph->dim[i].name));
    if (common->id)
        add_to_list(t, types ? "int id" : "id");
    if (common->threads)
        add_to_list(t, types ? "int threads" : "threads");
}

/* A statement with its holes filled in. */
static const char *filled(const Runs *r, const Places *p, const Columns *x, int u,
                          const Handed *given)
{
    Ngc *ngc = r->ngc;
    Text t = {.ngc = ngc};
    const Unit *unit = &r->unit[p->at[0] + u];
    int h = 0;
    for (const char *c = unit->text; *c; c++) {
        if (*c != HOLE) {
            text_put(&t, c, 1);
            continue;
        }
        /* a parameter and a distance, or the same text everywhere */
        const Handed *g = &given[h];
        const char *text = g->param < 0 ? unit->hole[h].text : param_name(r, x, g->param);
        if (g->ahead)
            text = text_format(ngc, "%s %c %lld", text, g->ahead < 0 ? '-' : '+',
                               (long long)llabs(g->ahead));
        add_filled(&t, text);
        h++;
    }
    return t.at;
}

typedef struct Draft { /* of a run's function */
    Text body;
    Columns x;
    Common common;
} Draft;

/* The body of a run, and its parameters. false: there are too many. */
static bool draft_run(const Runs *r, const Repeat *run, const Places *p, Draft *d)
{
    d->body = (Text){.ngc = r->ngc};
    for (int u = 0; u < run->units; u++) {
        const Unit *unit = &r->unit[p->at[0] + u];
        Handed *given = arena_array(r->ngc, unit->holes + 1, sizeof *given);
        for (int h = 0; h < unit->holes; h++)
            if (!choose_param(r, p, &d->x, u, h, &given[h]))
                return false;
        note_common(r->e, &d->common, unit->text);
        add_comments(&d->body, unit, 4);
        add_lines(&d->body, filled(r, p, &d->x, u, given), 4);
    }
    return true;
}

static Text function_text(const Runs *r, const Draft *d, int number, int times)
{
    Ngc *ngc = r->ngc;
    Text params = {.ngc = ngc};
    Text t = {.ngc = ngc};

    for (int i = 0; i < d->x.params; i++) {
        const Hole *h = &d->x.param[i];
        const char *constant = text_if(h->constant, "const ");
        const char *space = text_if(!strchr(h->type, '*'), " ");
        const char *name = param_name(r, &d->x, i);
        const char *param = text_format(ngc, "%s%s%s%s", constant, h->type, space, name);
        add_to_list(&params, param);
    }
    list_common(r->e, &d->common, true, &params);

    const char *list = text_or(params.at, "void");
    text_add(&t, "/* called %d times: the comments are those of the first */\n", times);
    add_wrapped(&t, text_format(ngc, "static void run_%d(%s)", number, list));
    text_add(&t, "{\n%s}\n\n", d->body.at);
    return t;
}

#define AND_SO_ON ", and so on"

/* The first comment of a run. */
static void add_first_comment(const Runs *r, const Repeat *run, int at, Text *t)
{
    for (int u = 0; u < run->units; u++) {
        Text all = {.ngc = r->ngc};
        add_comments(&all, &r->unit[at + u], 4);
        if (all.size == 0)
            continue;
        /* without the end of the comment, and without an "and so on" that it has from an inner run
         */
        const char *end = strstr(all.at, " */\n");
        const char *more = strstr(all.at, AND_SO_ON " */\n");
        if (more && more < end)
            end = more;
        text_add(t, "%.*s" AND_SO_ON " */\n", (int)(end - all.at), all.at);
        return;
    }
}

static Text call_text(const Runs *r, const Repeat *run, const Draft *d, const Places *p, int place,
                      int number)
{
    Ngc *ngc = r->ngc;
    Text args = {.ngc = ngc};
    Text t = {.ngc = ngc};

    for (int i = 0; i < d->x.params; i++) {
        const Hole *given = hole_at(r, p, place, d->x.unit[i], d->x.hole[i]);
        add_to_list(&args, given->text);
    }
    list_common(r->e, &d->common, false, &args);

    const char *call = text_format(ngc, "    run_%d(%s);", number, text_or(args.at, ""));
    add_first_comment(r, run, p->at[place], &t);
    add_wrapped(&t, call);
    return t;
}

/* A call of a run is a statement like any other, which may be in a longer run. */
static void replace_with_call(const Runs *r, Unit *u, const Draft *d, const Places *p, int place,
                              int number)
{
    Ngc *ngc = r->ngc;
    Text text = {.ngc = ngc};
    Unit call = {.text = NULL};
    for (int i = 0; i < d->x.params; i++) {
        Hole hole = d->x.param[i];
        hole.text = hole_at(r, p, place, d->x.unit[i], d->x.hole[i])->text;
        LIST_GROW(ngc, call.hole, call.holes, &call.room);
        call.hole[call.holes++] = hole;
        add_to_list(&text, text_format(ngc, "%c", HOLE));
    }
    list_common(r->e, &d->common, false, &text);
    call.text = intern_str(ngc, text_format(ngc, "run_%d(%s);\n", number, text_or(text.at, "")));
    *u = call;
}

/* Makes a function of a run, if that saves enough lines. */
static bool take_run(Runs *r, const Repeat *run, int number, Text *functions)
{
    Places p = find_places(r, run);
    Draft d = {.x.params = 0};
    if (p.count < 2 || !draft_run(r, run, &p, &d))
        return false;

    Text function = function_text(r, &d, number, p.count);
    Text *call = arena_array(r->ngc, p.count, sizeof *call);
    /* exactly, now that the texts are known */
    int saved = p.count * lines_of(r, run->unit, run->units) - count_lines(&function);
    for (int i = 0; i < p.count; i++) {
        call[i] = call_text(r, run, &d, &p, i, number);
        saved -= count_lines(&call[i]);
    }
    if (saved < LEAST)
        return false;

    text_put(functions, function.at, function.size);
    for (int i = 0; i < p.count; i++) {
        Unit *first = &r->unit[p.at[i]];
        for (int u = 0; u < run->units; u++)
            first[u].gone = true;
        replace_with_call(r, first, &d, &p, i, number);
        first->from = call[i].at;
        first->size = call[i].size;
        first->lines = count_lines(&call[i]);
    }
    return true;
}

/* One round over runs. Returns how many became functions. */
static int take_runs(Runs *r, const Repeats *found, int number, Text *functions)
{
    enum { TRIES = 1000 };
    int taken = 0;
    for (int i = 0; i < found->count && i < TRIES && found->repeat[i].saves >= LEAST; i++)
        taken += take_run(r, &found->repeat[i], number + taken, functions);
    units_remove_gone(r);
    return taken;
}

/* The functions, compiled as long lists of calls are. */
static Text long_text(Emit *e, Text functions)
{
    Text t = text_empty(e->ngc);
    if (functions.size > 0)
        text_add(&t, "%s%s%s", long_begin, functions.at, long_end);
    return t;
}

Text runs_of(Emit *e, const char *text, Output *out)
{
    Runs r = {.e = e, .ngc = e->ngc};
    Text t = {.ngc = e->ngc};
    units_read(&r, text);
    /* First what is repeated one after another: short blocks, then long ones, which become runs. */
    Repeater *repeater = repeater_new(&r, &t, out);
    repeats_of(repeater, OFTEN);
    Repeats found = find_blocks(&r);
    int runs = take_runs(&r, &found, 1, &t);
    repeats_of(repeater, FEW);

    /* calls of runs may be statements of longer runs, so it is done again until nothing is saved */
    for (int round = 0, taken = 1; round < ROUNDS && taken; round++) {
        units_number(&r);
        found = find_repeats(&r);
        taken = take_runs(&r, &found, runs + 1, &t);
        runs += taken;
    }
    repeats_of(repeater, FEW);

    bool changed = t.size > 0 || out->repeats > 0;
    t = long_text(e, t);
    for (int i = 0; i < r.units; i++)
        if (changed && r.unit[i].text)
            add_unit_text(&t, &r.unit[i]);
        else
            text_put(&t, r.unit[i].from, r.unit[i].size);
    return t;
}
