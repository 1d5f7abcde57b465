/* budget.c - which values of forward are computed again in backward, so that a program fits.
 *
 * In: a program as a Flow, and the bytes that it may use. Out: Flow.way.
 *
 * The search has several starts, and the choice that takes the least time is taken. One start keeps
 * all values that backward reads. The others cut forward into segments of about one size, where
 * little lives, and keep only what lives at a cut (Chen et al., 2016); there is one for each size
 * and each way to drop the rest. From each start, values are dropped one after another until the
 * program fits: next is the value that takes most off the excess for its time. Then values are kept
 * again as far as there is room.
 */
#include "program/flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEARCH = 100000000,     /* slots visited by a search, at most: about a second */
    LOW_SEARCH = 200000000, /* the same for the lowest peak */
    START = 10000000,       /* the same from one start */
    CUTS = 7,               /* sizes of segments that are tried, each half of the one before */
    BISECTIONS = 8,         /* of the search for the lowest peak */
    AROUND = 3,             /* searches for one limit, */
    PART = 32,              /* each for this part less */
    TRIED = 4096,           /* choices whose measures are kept */
};

/* Values that are dropped together: one, or those of one kernel. */
typedef struct Move {
    int *value;
    int values;
    double worth; /* what it took off the excess for each nanosecond, when it was last tried */
    int round;    /* of moves, when that was */
} Move;

/* A choice that was measured. Searches that begin apart often meet. */
typedef struct Tried {
    FlowWay *way; /* Flow.way; NULL: none yet */
    int64_t room, peak;
    double excess, extra;
    int64_t cost; /* slots visited: they count each time, so that a search ends at the same place */
} Tried;

typedef struct Search {
    Flow *f;
    Tried *tried; /* by hash; the last choice of each */
    Move *move;   /* all that can be done to drop values */
    int moves;
    int64_t most;  /* bytes of the peak */
    int64_t room;  /* the same, or less, which leads to other choices */
    int64_t end;   /* Flow.cost at which it ends */
    bool careful;  /* all moves are measured each time */
    FlowWay *best; /* Flow.way of the best so far */
    double time;   /* that it takes; infinite: nothing fits so far */
    FlowWay *low;  /* Flow.way with the lowest peak so far */
    int64_t peak;
} Search;

static size_t size_of_ways(const Flow *f)
{
    return (size_t)f->values * sizeof *f->way;
}

static void copy_ways(const Flow *f, FlowWay *to, const FlowWay *from)
{
    memcpy(to, from, size_of_ways(f));
}

/* Where the measures of Flow.way are kept. */
static Tried *tried_of(const Search *s)
{
    uint64_t hash = (uint64_t)s->room;

    for (int v = 0; v < s->f->values; v++)
        hash = (hash ^ (uint64_t)s->f->way[v]) * 1099511628211u;
    return &s->tried[(hash ^ hash >> 32) % TRIED];
}

static void try_anew(Search *s, Tried *t)
{
    Flow *f = s->f;
    int64_t cost = f->cost;

    flow_schedule(f);
    flow_measure(f, s->room);
    if (t->way == NULL)
        t->way = arena_alloc(f->p->ngc, size_of_ways(f));
    copy_ways(f, t->way, f->way);
    *t = (Tried){t->way, s->room, f->peak, f->excess, f->extra, f->cost - cost};
}

/* Sets the peak, the excess and the extra time of Flow.way. */
static void try_ways(Search *s)
{
    Flow *f = s->f;
    Tried *t = tried_of(s);

    if (t->way == NULL || t->room != s->room || memcmp(t->way, f->way, size_of_ways(f)) != 0) {
        try_anew(s, t);
        return;
    }
    f->peak = t->peak;
    f->excess = t->excess;
    f->extra = t->extra;
    f->cost += t->cost;
}

static bool is_over(const Search *s)
{
    return s->f->cost >= s->end;
}

/* Remembers what Flow.way is, if it is better. */
static void note_best(Search *s)
{
    Flow *f = s->f;

    try_ways(s);
    if (f->peak <= s->most && f->extra < s->time) {
        s->time = f->extra;
        copy_ways(f, s->best, f->way);
    }
    if (f->peak < s->peak) {
        s->peak = f->peak;
        copy_ways(f, s->low, f->way);
    }
}

/* ---- dropping values one after another ---- */

static void move_values(Flow *f, const Move *m, int by)
{
    for (int i = 0; i < m->values; i++)
        f->way[m->value[i]] += by;
}

/* Is none of them brief, and is each as the others? */
static bool can_move(const Flow *f, const Move *m)
{
    for (int i = 0; i < m->values; i++)
        /* a move makes each one step briefer: kept, again, brief */
        if (f->way[m->value[i]] != f->way[m->value[0]] || f->way[m->value[0]] == FLOW_BRIEF)
            return false;
    return m->values > 0;
}

/* A move for each value, and one for each kernel that stores several. */
static void find_moves(Search *s)
{
    const Flow *f = s->f;
    Ngc *ngc = f->p->ngc;

    s->move = arena_array(ngc, f->values + f->forwards + 1, sizeof *s->move);
    for (int u = 0; u < f->forwards; u++) {
        const Unit *unit = &f->unit[u];
        Move all = {.value = arena_array(ngc, unit->pieces + 1, sizeof *all.value)};

        for (int i = 0; i < unit->pieces; i++) {
            int v = unit->piece[i].value;
            /* each value once, with the first kernel that makes it */
            if (v < 0 || !f->droppable[v] || f->maker[f->first[v]] != u)
                continue;
            all.value[all.values] = v;
            s->move[s->moves++] = (Move){.value = &all.value[all.values++], .values = 1};
        }
        if (all.values > 1)
            s->move[s->moves++] = all;
    }
}

/* What a move takes off the excess for each nanosecond. */
static double worth_of(Search *s, const Move *m, double excess, double extra)
{
    Flow *f = s->f;

    /* tried, measured, and taken back */
    move_values(f, m, 1);
    try_ways(s);
    double gain = excess - f->excess;
    double cost = f->extra - extra;
    move_values(f, m, -1);
    /* what costs nothing is worth its whole gain */
    return gain / (cost < 1 ? 1 : cost);
}

/* The move of the most worth, as far as is known. */
static Move *likely_move(Search *s)
{
    Move *best = NULL;

    for (int i = 0; i < s->moves; i++) {
        Move *m = &s->move[i];
        if (can_move(s->f, m) && m->worth > 0 && (best == NULL || m->worth > best->worth))
            best = m;
    }
    return best;
}

/* The best move; NULL: none takes anything off. What moves were worth before the last one is a good
 * guess of what they are worth now, so mostly only the first few are measured again. */
static const Move *best_move(Search *s, int round)
{
    double excess = s->f->excess;
    double extra = s->f->extra;

    for (int i = 0; i < s->moves && s->careful; i++)
        s->move[i].worth = INFINITY;

    while (!is_over(s)) {
        Move *m = likely_move(s);
        /* measured in this round and still the best: lazily, as worths mostly fall */
        if (m == NULL || m->round == round)
            return m;
        m->worth = worth_of(s, m, excess, extra);
        m->round = round;
    }
    return NULL;
}

/* Drops values until they fit, or until no move seems worth it. Returns whether moves may be worth
 * more than they seem: some were made, and it still does not fit. */
static bool drop_some(Search *s)
{
    Flow *f = s->f;

    for (int i = 0; i < s->moves; i++)
        s->move[i].worth = INFINITY;
    try_ways(s);
    for (int round = 1; f->peak > s->room; round++) {
        const Move *m = best_move(s, round);
        if (m == NULL)
            return round > 1;
        move_values(f, m, 1);
        note_best(s);
    }
    return false;
}

static void drop_values(Search *s)
{
    while (drop_some(s))
        continue;
}

/* ---- segments ---- */

/* Bytes of the values that forward has computed by unit u and still reads after it. */
static int64_t *live_after(const Flow *f)
{
    int64_t *live = arena_array(f->p->ngc, f->units + 2, sizeof *live);
    int64_t sum = 0;

    for (int v = 0; v < f->values; v++) {
        if (!f->droppable[v] || f->last_read[v] < 0)
            continue;
        /* differences first; their sums over the units are what lives */
        live[f->maker[f->first[v]]] += f->bytes[v];
        live[f->last_read[v]] -= f->bytes[v];
    }
    for (int u = 0; u < f->forwards; u++) {
        sum += live[u];
        live[u] = sum;
    }
    return live;
}

static int64_t bytes_of_unit(const Flow *f, const Unit *u)
{
    int64_t bytes = 0;

    for (int i = 0; i < u->pieces; i++)
        if (u->piece[i].value >= 0 && f->droppable[u->piece[i].value])
            bytes += f->bytes[u->piece[i].value];
    return bytes;
}

/* Keeps what lives after unit `cut`. */
static void keep_at(Flow *f, int cut)
{
    for (int v = 0; v < f->values; v++)
        if (f->droppable[v] && f->maker[f->first[v]] <= cut && f->last_read[v] > cut)
            f->way[v] = FLOW_KEEP;
}

/* Cuts forward into segments of at most `size` bytes. Each ends, in its second half, where least
 * lives. The other values are dropped in this way. */
static void keep_cuts(Flow *f, const int64_t *live, int64_t size, FlowWay way)
{
    int64_t bytes = 0;
    int cut = -1;

    for (int v = 0; v < f->values; v++)
        f->way[v] = way;

    for (int u = 0; u < f->forwards; u++) {
        bytes += bytes_of_unit(f, &f->unit[u]);
        if (bytes >= size / 2 && (cut < 0 || live[u] <= live[cut]))
            cut = u;
        if (bytes >= size) {
            keep_at(f, cut);
            /* the next segment begins after the cut, not where the size was reached */
            u = cut;
            cut = -1;
            bytes = 0;
        }
    }
}

/* ---- keeping values again ---- */

typedef struct Choice { /* a value that might be kept */
    int value;
    double worth; /* nanoseconds a byte */
} Choice;

static int compare_worth(const void *x, const void *y)
{
    const Choice *a = x;
    const Choice *b = y;

    if (a->worth != b->worth)
        return a->worth < b->worth ? 1 : -1;
    return compare_int64(a->value, b->value);
}

static double time_to_make(const Flow *f, int v)
{
    double time = 0;

    for (int i = f->first[v]; i < f->first[v + 1]; i++) {
        const Unit *u = &f->unit[f->maker[i]];
        for (int x = 0; x < u->pieces; x++)
            if (u->piece[x].value == v)
                time += u->piece[x].time;
    }
    return time;
}

/* What is computed again now, the most worth first. */
static int list_choices(const Flow *f, Choice *list)
{
    int count = 0;

    for (int v = 0; v < f->values; v++)
        if (flow_drops(f, v))
            list[count++] = (Choice){v, time_to_make(f, v) / (double)f->bytes[v]};
    qsort(list, (size_t)count, sizeof *list, compare_worth);
    return count;
}

/* Keeps each value with which it still fits and takes less time. */
static bool keep_more(Search *s, Choice *list)
{
    Flow *f = s->f;
    bool found = false;

    try_ways(s);
    double time = f->extra;
    int count = list_choices(f, list);

    for (int i = 0; i < count && !is_over(s); i++) {
        FlowWay *way = &f->way[list[i].value];
        FlowWay before = *way;
        /* kept if that fits, else at least computed again once instead of for each reader */
        for (*way = FLOW_KEEP; *way < before; ++*way) {
            try_ways(s);
            if (f->peak <= s->room && f->extra < time)
                break;
        }
        if (*way < before) {
            time = f->extra;
            found = true;
        }
    }
    return found;
}

static void improve(Search *s, Choice *list)
{
    note_best(s);
    if (s->f->peak > s->room) {
        drop_values(s);
        try_ways(s);
    }
    if (s->f->peak > s->room)
        return;

    while (keep_more(s, list) && !is_over(s))
        continue;
    note_best(s);
}

/* ---- the search ---- */

/* The ways that Flow.way has now are improved. */
static void search_from(Search *s, Choice *list)
{
    int64_t end = s->end;

    if (s->f->cost + START < end)
        s->end = s->f->cost + START;
    improve(s, list);
    s->end = end;
}

/* Every start is tried for this room. */
static void search(Search *s, int64_t room)
{
    Flow *f = s->f;
    Choice *list = arena_array(f->p->ngc, f->values + 1, sizeof *list);
    const int64_t *live = live_after(f);
    int64_t size = 0;

    s->room = room;
    for (int v = 0; v < f->values; v++)
        f->way[v] = f->saved[v] ? FLOW_KEEP : FLOW_AGAIN;
    search_from(s, list);

    for (int u = 0; u < f->forwards; u++)
        size += bytes_of_unit(f, &f->unit[u]);
    /* from one segment, which is all of forward, to many */
    for (int i = 0; i < CUTS && size > 0; i++, size /= 2)
        for (FlowWay way = FLOW_AGAIN; way <= FLOW_BRIEF && !is_over(s); way++) {
            keep_cuts(f, live, size, way);
            search_from(s, list);
        }
}

/* The lowest peak: a search for a room that is halved again and again. */
static void search_low(Search *s)
{
    int64_t below = 0;
    int64_t room = s->peak;

    for (int i = 0; i < BISECTIONS && room > below && !is_over(s); i++) {
        int64_t middle = below + (room - below) / 2;
        search(s, middle);
        /* not reached: what can be is above */
        if (s->peak > middle)
            below = middle + 1;
        if (s->peak < room)
            room = s->peak;
    }
}

/* Each search ends where nothing better is near. So some are for a little less room: where they
 * end, less may be computed again. */
static void search_around(Search *s)
{
    for (int i = 0; i < AROUND && !is_over(s); i++)
        search(s, s->most - s->most / PART * i);
}

void budget_choose(Flow *f, int64_t room)
{
    size_t size = (size_t)(f->values + 1);
    Search s = {.f = f,
                .tried = arena_array(f->p->ngc, TRIED, sizeof *s.tried),
                .best = arena_array(f->p->ngc, size, sizeof *s.best),
                .low = arena_array(f->p->ngc, size, sizeof *s.low),
                .most = room,
                .time = INFINITY,
                .peak = INT64_MAX};

    find_moves(&s);
    s.end = f->cost + (room > 0 ? SEARCH : LOW_SEARCH);
    for (int careful = 0; careful < 2; careful++) {
        s.careful = careful;
        search_around(&s);
        if (room == 0)
            search_low(&s);
    }
    /* if nothing fits, the lowest peak: the message can then say how much is needed */
    copy_ways(f, f->way, s.time < INFINITY ? s.best : s.low);
    flow_schedule(f);
    flow_measure(f, room);
}
