/* flow_order.c - puts the kernels and the loops of a program into a new order in which nothing is
 * read before it is computed, and each variable is overwritten after its last reader.
 *
 * In: items in an order that somebody wants. Out: each as early in that order as it can be.
 * Kernels that only update variables come as soon as they can, and so do those that only compute
 * what is for such updates: then gradients do not live long, and what they are computed of is not
 * needed once more.
 */
#include "program/flow.h"

#include <limits.h>

/* What comes before other items that can come next, too. */
typedef enum {
    NO_HASTE,
    FOR_UPDATES, /* computes what only updates read */
    UPDATES,     /* only updates variables */
} Haste;

typedef struct Waiting {
    Program *p;
    KernelRun *left; /* no kernels: it has its place */
    int count;
    int *readers; /* by slot: kernels to come that read it */
    Haste *haste; /* by item */
    Coming coming;
} Waiting;

static void count_reads(Waiting *w, const KernelRun *item, int by)
{
    for (int k = 0; k < item->count; k++)
        kernel_count_reads(w->p, item->kernel[k], w->readers, by);
}

/* Does it overwrite what others are to read? Its own reads do not count. */
static bool overwrites_early(Waiting *w, const KernelRun *item)
{
    bool early = false;

    /* without its own reads, and with them again below */
    count_reads(w, item, -1);
    for (int k = 0; k < item->count; k++)
        for (int s = 0; s < item->kernel[k]->stores; s++) {
            const Place *place = store_place(w->p, &item->kernel[k]->store[s]);
            if (place->kind != P_VAR || place->var->node == NULL)
                continue;
            int slot = slot_of(w->p, place->var->node);
            early |= slot >= 0 && w->readers[slot] > 0;
        }
    count_reads(w, item, 1);
    return early;
}

static bool is_ready(Waiting *w, const KernelRun *item)
{
    return !coming_blocks(w->p, &w->coming, item) && !overwrites_early(w, item);
}

static void mark_read(Program *p, const Kernel *k, const Node *n, void *with)
{
    bool *elsewhere = with;
    (void)k;
    elsewhere[slot_of(p, n)] = true;
}

/* Does one kernel compute values that are read by updates, and by nothing else? What is computed
 * again stays right before its reader. elsewhere: by slot, something else reads it. */
static bool is_for_updates(const Waiting *w, const KernelRun *item, const bool *elsewhere)
{
    const Kernel *k = item->kernel[0];

    if (item->count != 1 || k->stores == 0 || k->again)
        return false;
    for (int s = 0; s < k->stores; s++) {
        int slot = slot_of(w->p, k->store[s].node);
        bool read = w->readers[slot] > 0 && !elsewhere[slot];
        if (!read || k->store[s].target)
            return false;
    }
    return true;
}

/* Finds the haste of items of backward, from the last on: readers come later. Counts each. */
static void find_haste(Waiting *w, int forwards, int *count)
{
    bool *elsewhere = arena_alloc(w->p->ngc, (size_t)w->p->nodes + 1);

    w->haste = arena_array(w->p->ngc, w->count + 1, sizeof *w->haste);
    for (int i = w->count - 1; i >= forwards; i--) {
        const KernelRun *item = &w->left[i];

        if (run_updates_only(w->p, item))
            w->haste[i] = UPDATES;
        else if (is_for_updates(w, item, elsewhere))
            w->haste[i] = FOR_UPDATES;
        count[w->haste[i]]++;
        /* whatever is not an update counts as another reader */
        for (int k = 0; k < item->count && w->haste[i] != UPDATES; k++)
            kernel_each_read(w->p, item->kernel[k], mark_read, elsewhere);
    }
}

/* The first that can come next, from `first` on, of at least this haste. -1: none. */
static int find_ready(Waiting *w, int first, Haste haste)
{
    for (int i = first; i < w->count; i++)
        if (w->left[i].count && w->haste[i] >= haste && is_ready(w, &w->left[i]))
            return i;
    return -1;
}

/* ---- what backward computes just for one place comes right before it ---- */

typedef struct Late {
    Program *p;
    int *reader; /* by slot: the place of its first reader, as it will be */
    int *over;   /* by slot of a variable: the place where it is overwritten */
    int at;      /* the place of the item at hand */
    bool moves;  /* may it come later, */
    int first;   /* before this place? */
} Late;

static void note_reader(Program *p, const Kernel *k, const Node *n, void *with)
{
    Late *l = with;
    int slot = slot_of(p, n);
    (void)k;

    if (l->reader[slot] > l->at)
        l->reader[slot] = l->at;
}

/* A variable is read before it is overwritten. */
static void check_read(Program *p, const Kernel *k, const Node *n, void *with)
{
    Late *l = with;
    PlaceKind kind = program_place(p, n)->kind;
    int over = l->over[slot_of(p, n)];
    (void)k;

    l->moves &= kind == P_SPACE || kind == P_DATA || kind == P_VAR;
    l->first = min_int(over, l->first);
}

static void note_overwritten(Late *l, const Kernel *k)
{
    for (int s = 0; s < k->stores; s++) {
        const Place *to = store_place(l->p, &k->store[s]);
        int slot = -1;
        if (to->kind == P_VAR && to->var->node)
            slot = slot_of(l->p, to->var->node);
        if (slot >= 0 && l->at < l->over[slot])
            l->over[slot] = l->at;
    }
}

/* Where the item comes: right before its first reader, if it is one kernel that makes values for
 * backward and nothing else. */
static int late_place(Late *l, const KernelRun *item, const int *writers, int place)
{
    const Kernel *k = item->kernel[0];

    l->first = INT_MAX;
    l->moves = item->count == 1 && k->stores > 0 && k->kind != K_RANDOM;
    for (int i = 0; i < k->stores && l->moves; i++) {
        const Store *s = &k->store[i];
        int slot = slot_of(l->p, s->node);

        /* memory of its own, stored once: no order with other stores is to be kept */
        bool has_own = store_place(l->p, s)->kind == P_SPACE && !s->target;
        l->moves = has_own && !s->add && writers[slot] == 1;
        l->first = min_int(l->reader[slot], l->first);
    }
    if (l->moves)
        kernel_each_read(l->p, k, check_read, l);

    bool is_read = l->first < INT_MAX;
    if (l->moves && is_read && l->first > place)
        return l->first;
    return place;
}

void flow_order_late(Program *p, KernelRun *item, int count, int forwards)
{
    Ngc *ngc = p->ngc;
    int slots = p->nodes;
    int room = count + 1;
    Late l = {.p = p,
              .reader = arena_array(ngc, slots, sizeof *l.reader),
              .over = arena_array(ngc, slots, sizeof *l.over)};
    Coming coming = {.writers = arena_array(ngc, slots, sizeof *coming.writers)};

    int *place = arena_array(ngc, room, sizeof *place);     /* by item: where it comes */
    int *begin = arena_array(ngc, room + 1, sizeof *begin); /* by place: how many do */
    KernelRun *old = LIST_COPY(ngc, item, room);

    for (int i = 0; i < p->nodes; i++)
        l.reader[i] = l.over[i] = INT_MAX;
    for (int i = 0; i < count; i++)
        coming_count(p, &coming, &item[i], 1);

    /* readers have their places before what they read */
    for (int i = count - 1; i >= forwards; i--) {
        l.at = place[i] = late_place(&l, &item[i], coming.writers, i);
        begin[l.at]++;
        for (int k = 0; k < item[i].count; k++) {
            kernel_each_read(p, item[i].kernel[k], note_reader, &l);
            note_overwritten(&l, item[i].kernel[k]);
        }
    }

    /* those of one place in the order in which they were: begin becomes where each place begins */
    int done = forwards;
    for (int i = forwards; i < count; i++) {
        int here = begin[i];
        begin[i] = done;
        done += here;
    }
    for (int i = forwards; i < count; i++)
        item[begin[place[i]]++] = old[i];
}

void flow_order(Program *p, KernelRun *item, int count, int forwards)
{
    Ngc *ngc = p->ngc;
    size_t room = (size_t)p->nodes;
    Waiting w = {.p = p,
                 .left = LIST_COPY(ngc, item, count + 1),
                 .count = count,
                 .readers = arena_array(ngc, room, sizeof *w.readers),
                 .coming.writers = arena_array(ngc, room, sizeof *w.coming.writers)};
    int first = 0, hasty[UPDATES + 1] = {0};

    for (int i = 0; i < count; i++) {
        count_reads(&w, &item[i], 1);
        coming_count(p, &w.coming, &item[i], 1);
    }
    find_haste(&w, forwards, hasty);

    /* takes one that is ready, again and again; updates as early as they can be in backward */
    for (int ordered = 0; ordered < count; ordered++) {
        int i = -1;
        for (Haste h = UPDATES; h > NO_HASTE && i < 0 && ordered >= forwards; h--)
            if (hasty[h] > 0)
                i = find_ready(&w, forwards, h);
        if (i < 0)
            i = find_ready(&w, first, NO_HASTE);
        if (i < 0)
            ngc_bug("%s: kernels wait for each other", p->name);

        count_reads(&w, &w.left[i], -1);
        coming_count(p, &w.coming, &w.left[i], -1);
        hasty[w.haste[i]]--;

        item[ordered] = w.left[i];
        w.left[i].count = 0;
        /* the search need not look again at what has its place */
        while (first < count && w.left[first].count == 0)
            first++;
    }
}
