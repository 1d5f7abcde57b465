/* plan.c - finds memory for the values of a program: scalars become variables of the function where
 * they can; tensors share one array, each from its first store to its last load; a loop writes over
 * an operand that dies in it where it reads no other element. What backward reads of forward's
 * stays as it is, so that backward may be called again.
 *
 * Requires: kernels in their final order. Keeps: everything but the places of kind P_SPACE.
 */
#include "program.h"

#include <stdlib.h>
#include <string.h>

enum {
    ALIGN = 16,  /* elements: 64 bytes of float */
    MANY = 3000, /* values from which on they are placed in their order */
};

typedef struct Life { /* of one slot */
    int first, last;  /* positions of kernels; first -1: not stored by this program */
    bool memory;      /* must have an address */
    bool crosses;     /* read in another function than the one that stores it */
    int group;        /* the slot whose memory it shares; itself for the first of them */
} Life;

typedef struct Group { /* what shares one piece of memory */
    int slot;
    int first, last;
    int64_t size; /* elements at the bound of run-time sizes */
    Type type;
    bool scalar;
    const Place *fixed; /* its piece is this target's place */
} Group;

static int64_t count_max(const Program *p, const Node *n)
{
    return size_max(p->graph, shape_count(p->graph, n->shape));
}

static bool is_scalar(const Program *p, const Node *n)
{
    return shape_count(p->graph, n->shape) == 1;
}

static void note_read(const Program *p, Life *life, const Node *n, int at, bool memory)
{
    Life *l = &life[p->slot[n->id]];
    if (l->first < 0)
        return;
    l->last = at;
    l->memory |= memory;
    l->crosses |= p->kernel[l->first]->part != p->kernel[at]->part ||
                  p->kernel[l->first]->group != p->kernel[at]->group;
    if (p->kernel[l->first]->phase != p->kernel[at]->phase)
        l->last = p->kernels;
}

static Life *find_lives(const Program *p)
{
    Life *life = arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *life);
    for (int i = 0; i < p->nodes; i++)
        life[i] = (Life){.first = -1, .last = -1, .group = i};
    for (int i = 0; i < p->kernels; i++) {
        const Kernel *k = p->kernel[i];
        for (int s = 0; s < k->stores; s++) {
            if (k->store[s].target)
                continue;
            Life *l = &life[p->slot[k->store[s].node->id]];
            l->memory |= k->kind != K_LOOP || k->store[s].add || l->first >= 0 || k->store[s].at;
            l->first = l->first < 0 ? i : l->first;
            l->last = l->last < i ? i : l->last;
        }
        for (int v = 0; v < k->vals; v++)
            if (k->val[v]->kind == V_LOAD)
                note_read(p, life, k->val[v]->node, i, k->val[v]->at != NULL);
        for (int v = 0; v < 3; v++)
            if (kernel_operand(p, k, v))
                note_read(p, life, kernel_operand(p, k, v), i, true);
    }
    return life;
}

/* Is everything that k reads of n at the very element that store s writes? */
static bool reads_in_place(const Program *p, const Kernel *k, const Store *s, const Node *n)
{
    if (k->kind == K_GEMM)
        return k->onto && program_holder(p, k->onto) == n &&
               program_holder(p, k->product->arg[0]) != n &&
               program_holder(p, k->product->arg[1]) != n;
    if (k->member)
        return kernel_reads_row(k, s, n);
    if (k->kind != K_LOOP || kernel_reduces(k))
        return false;
    for (int v = 0; v < k->vals; v++)
        if (k->val[v]->kind == V_LOAD && k->val[v]->node == n && !index_equal(k->val[v]->at, s->at))
            return false;
    return k->axes > 0 && !s->add;
}

/* The tensors that die in kernel at and could be written over by store s; the one found is joined
 * to the store's group.
 */
static void join_dying(Program *p, Life *life, Group *group, int at, const Store *s)
{
    const Kernel *k = p->kernel[at];
    int own = p->slot[s->node->id];
    Place *place = &p->place[own];
    bool fixed =
        place->kind == P_GRAD || place->kind == P_MEMBER || (p->init && place->kind == P_VAR);
    if (s->target || life[own].group != own || life[own].first != at ||
        (k->member && life[own].last == at) || (place->kind != P_SPACE && !fixed))
        return;
    for (int v = 0; v < k->vals + 1; v++) {
        const Node *n = v < k->vals ? k->val[v]->node : k->onto ? program_holder(p, k->onto) : NULL;
        if (n == NULL || (v < k->vals && k->val[v]->kind != V_LOAD))
            continue;
        int dying = p->slot[n->id];
        Group *g = &group[life[dying].group];
        if (p->place[dying].kind != P_SPACE || life[dying].first < 0 || life[dying].last != at ||
            life[dying].first == at || g->last != at || g->fixed || n->type != s->node->type ||
            p->phase[dying] != p->phase[own] || count_max(p, n) != count_max(p, s->node) ||
            is_scalar(p, n) || !reads_in_place(p, k, s, n))
            continue;
        life[own].group = life[dying].group;
        g->last = life[own].last;
        if (fixed) {
            g->fixed = place;
            g->last = p->kernels + 1; /* joined by nothing more */
        }
        return;
    }
}

/* One group for each stored value, then joined where a kernel writes over what dies in it. */
static Group *find_groups(Program *p, Life *life)
{
    Group *group = arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *group);
    for (int i = 0; i < p->nodes; i++)
        group[i] = (Group){.slot = i,
                           .first = life[i].first,
                           .last = life[i].last,
                           .size = count_max(p, p->node[i]),
                           .type = p->node[i]->type,
                           .scalar = is_scalar(p, p->node[i])};
    for (int i = 0; i < p->kernels && !p->ngc->opt.no_share; i++)
        for (int s = 0; s < p->kernel[i]->stores; s++)
            join_dying(p, life, group, i, &p->kernel[i]->store[s]);
    return group;
}

static int compare_size(const void *x, const void *y)
{
    const Group *a = *(Group *const *)x, *b = *(Group *const *)y;
    if (a->size != b->size)
        return a->size < b->size ? 1 : -1;
    return a->slot < b->slot ? -1 : a->slot > b->slot;
}

/* Offsets, the largest first: each in the lowest gap that is free while it lives. placed: those
 * done, by offset. */
static int64_t place_groups(Program *p, Group **list, int count)
{
    Group **placed = arena_alloc(p->ngc, (size_t)(count + 1) * sizeof *placed);
    int64_t top = 0;
    int n = 0;
    for (int i = 0; i < count; i++) {
        Group *g = list[i];
        int64_t size = (g->size + ALIGN - 1) / ALIGN * ALIGN, at = 0;
        int k = 0;
        for (int j = 0; j < n; j++) {
            const Group *h = placed[j];
            int64_t from = p->place[h->slot].offset,
                    end = from + (h->size + ALIGN - 1) / ALIGN * ALIGN;
            if (!p->ngc->opt.no_share && (h->first > g->last || g->first > h->last))
                continue;
            if (from >= at + size)
                break;
            at = end > at ? end : at;
        }
        while (k < n && p->place[placed[k]->slot].offset < at)
            k++;
        memmove(placed + k + 1, placed + k, (size_t)(n++ - k) * sizeof *placed);
        placed[k] = g;
        p->place[g->slot].offset = at;
        top = at + size > top ? at + size : top;
    }
    return top;
}

/* ---- the same for very many values, in time that is not their square ---- */

typedef struct Gap { /* free elements */
    int64_t at, size;
} Gap;

typedef struct Heap { /* of groups by their last use, the earliest first */
    Group **group;
    int count;
} Heap;

static void heap_push(Heap *h, Group *g)
{
    int i = h->count++;
    for (; i > 0 && h->group[(i - 1) / 2]->last > g->last; i = (i - 1) / 2)
        h->group[i] = h->group[(i - 1) / 2];
    h->group[i] = g;
}

static Group *heap_pop(Heap *h)
{
    Group *top = h->group[0], *g = h->group[--h->count];
    int i = 0, k;
    while (k = 2 * i + 1, k < h->count) {
        k += k + 1 < h->count && h->group[k + 1]->last < h->group[k]->last;
        if (h->group[k]->last >= g->last)
            break;
        h->group[i] = h->group[k];
        i = k;
    }
    h->group[i] = g;
    return top;
}

/* Gives elements back; gap: by place, none beside another, the last without an end. Returns their
 * new number. */
static int add_gap(Gap *gap, int gaps, Gap g)
{
    int i = gaps;
    while (i > 0 && gap[i - 1].at > g.at)
        i--;
    bool before = i > 0 && gap[i - 1].at + gap[i - 1].size == g.at,
         after = g.at + g.size == gap[i].at;
    if (before && after) {
        gap[i - 1].size += g.size + gap[i].size;
        memmove(gap + i, gap + i + 1, (size_t)(--gaps - i) * sizeof *gap);
    } else if (before) {
        gap[i - 1].size += g.size;
    } else if (after) {
        gap[i] = (Gap){g.at, g.size + gap[i].size};
    } else {
        memmove(gap + i + 1, gap + i, (size_t)(gaps++ - i) * sizeof *gap);
        gap[i] = g;
    }
    return gaps;
}

static int compare_first(const void *x, const void *y)
{
    const Group *a = *(Group *const *)x, *b = *(Group *const *)y;
    return a->first != b->first ? (a->first < b->first ? -1 : 1)
           : a->slot < b->slot  ? -1
                                : a->slot > b->slot;
}

/* In the order of their first use, each in the smallest gap that is large enough. */
static int64_t place_in_order(Program *p, Group **list, int count)
{
    Gap *gap = arena_alloc(p->ngc, (size_t)(count + 2) * sizeof *gap);
    Heap live = {arena_alloc(p->ngc, (size_t)(count + 1) * sizeof *live.group), 0};
    int gaps = 1;
    int64_t top = 0;
    gap[0] = (Gap){0, INT64_MAX / 2};
    qsort(list, (size_t)count, sizeof *list, compare_first);
    for (int i = 0; i < count; i++) {
        int64_t size = (list[i]->size + ALIGN - 1) / ALIGN * ALIGN;
        while (live.count && live.group[0]->last < list[i]->first) {
            Group *g = heap_pop(&live);
            gaps = add_gap(gap, gaps,
                           (Gap){p->place[g->slot].offset, (g->size + ALIGN - 1) / ALIGN * ALIGN});
        }
        int best = gaps - 1;
        for (int k = 0; k < gaps; k++)
            if (gap[k].size >= size && gap[k].size < gap[best].size)
                best = k;
        p->place[list[i]->slot].offset = gap[best].at;
        top = gap[best].at + size > top ? gap[best].at + size : top;
        gap[best].at += size;
        gap[best].size -= size;
        if (gap[best].size == 0)
            memmove(gap + best, gap + best + 1, (size_t)(--gaps - best) * sizeof *gap);
        heap_push(&live, list[i]);
    }
    return top;
}

/* ---- the pass ---- */

static void place_type(Program *p, Group **list, int count, Type type, int64_t *space)
{
    Group **some = arena_alloc(p->ngc, (size_t)(count + 1) * sizeof *some);
    int n = 0;
    for (int i = 0; i < count; i++)
        if (list[i]->type == type && !list[i]->scalar)
            some[n++] = list[i];
    *space =
        n > MANY && !p->ngc->opt.no_share ? place_in_order(p, some, n) : place_groups(p, some, n);
    for (int i = 0; i < count; i++) /* numbers are too small to be worth sharing */
        if (list[i]->scalar && list[i]->type == type)
            p->place[list[i]->slot].offset = (*space)++;
}

/* What the values would need by themselves, and how much of it at one time. */
static void measure(Program *p, Group **list, int count, const Life *life)
{
    int64_t *change = arena_alloc(p->ngc, (size_t)(p->kernels + 2) * sizeof *change), live = 0;
    for (int i = 0; i < p->nodes; i++)
        if (p->place[i].kind == P_SPACE && life[i].first >= 0 && p->node[i]->type == T_FLOAT)
            p->stored += count_max(p, p->node[i]);
    for (int i = 0; i < count; i++) {
        const Group *g = list[i];
        if (g->type != T_FLOAT || g->first < 0)
            continue;
        int64_t size = g->scalar ? 1 : (g->size + ALIGN - 1) / ALIGN * ALIGN;
        change[g->first] += size;
        change[(g->last < p->kernels ? g->last : p->kernels) + 1] -= size;
    }
    for (int i = 0; i < p->kernels; i++) {
        live += change[i];
        p->live = live > p->live ? live : p->live;
    }
}

void program_plan(Program *p)
{
    Life *life = find_lives(p);
    for (int i = 0; i < p->nodes; i++)
        if (p->place[i].kind == P_SPACE && is_scalar(p, p->node[i]) && !life[i].memory &&
            !life[i].crosses)
            p->place[i].kind = P_LOCAL;
    if (p->plain)
        return;
    Group *group = find_groups(p, life);
    Group **list = arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *list);
    int count = 0;
    for (int i = 0; i < p->nodes; i++)
        if (p->place[i].kind == P_SPACE && life[i].group == i && !group[i].fixed)
            list[count++] = &group[i];
    qsort(list, (size_t)count, sizeof *list, compare_size);
    measure(p, list, count, life);
    place_type(p, list, count, T_FLOAT, &p->space);
    place_type(p, list, count, T_INT, &p->ispace);
    if (p->block_room > 0) {
        p->block_at = (p->space + ALIGN - 1) / ALIGN * ALIGN;
        p->space = p->block_at + p->block_room;
    }
    for (int i = 0; i < p->nodes; i++) {
        int g = life[i].group;
        if (p->place[i].kind != P_SPACE)
            continue;
        if (group[g].fixed)
            p->place[i] = *group[g].fixed;
        else
            p->place[i].offset = p->place[g].offset;
    }
}
