/* plan.c - finds memory for the values of a program. Scalars become variables of the function where
 * they can. Tensors share one array, each from its first store to its last load. A loop that reads
 * no other element of an operand that dies in it writes over it. What backward reads of forward's
 * values stays as it is, so that backward may be called again.
 *
 * Requires: kernels in their final order. Keeps: everything but the places of kind P_SPACE.
 */
#include "program/program.h"

#include <stdlib.h>
#include <string.h>

enum {
    ALIGN = 16,   /* elements: 64 bytes of float */
    MANY = 3000,  /* more values than this are placed in the order of their use */
    CHANGES = 24, /* of an order of values, where memory is short */
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

static bool is_scalar(const Program *p, const Node *n)
{
    return shape_count(p->graph, n->shape) == 1;
}

static int64_t aligned(int64_t elements)
{
    return (elements + ALIGN - 1) / ALIGN * ALIGN;
}

/* Kernel `at` reads n. memory: by its address. */
static void note_read(const Program *p, Life *life, const Node *n, int at, bool memory)
{
    Life *l = &life[slot_of(p, n)];
    if (l->first < 0)
        return;

    /* a local variable is seen only within one C function, and by one thread only within one group
     */
    const Kernel *from = p->kernel[l->first];
    const Kernel *to = p->kernel[at];
    l->last = at;
    l->memory |= memory;
    l->crosses |= from->part != to->part || from->group != to->group;
    if (from->phase != to->phase)
        l->last = p->kernels; /* backward may be called again */
}

/* Kernel `at` stores s. */
static void note_store(const Program *p, Life *life, const Store *s, int at)
{
    Life *l = &life[slot_of(p, s->node)];
    bool again = l->first >= 0;

    if (s->target)
        return;
    /* stored by a call, added to, stored in several pieces, or at an index: it needs an address */
    if (p->kernel[at]->kind != K_LOOP || s->add || again || s->at)
        l->memory = true;
    if (!again)
        l->first = at;
    if (l->last < at)
        l->last = at;
}

/* What a pass uses, and does not make anew, lives through the whole loop. */
static void live_through(const Program *p, Life *life, const Kernel *k, const Node *n)
{
    Life *l = &life[slot_of(p, n)];
    const Loop *home = program_home(p, n);

    if (l->first < 0)
        return;
    /* the next pass reads it too, so its memory is not free before the loop ends */
    for (const Loop *of = k->loop; of && of != home;) {
        const struct ProgramLoop *loop = program_loop(p, of);
        if (l->first > loop->begin)
            l->first = loop->begin;
        if (l->last < loop->end)
            l->last = loop->end;
        of = loop->outer;
    }
}

static void live_through_loops(const Program *p, Life *life, int at)
{
    const Kernel *k = p->kernel[at];
    if (k->loop == NULL)
        return;

    /* what it stores, loads, and is given */
    for (int i = 0; i < k->stores; i++) {
        const Store *s = &k->store[i];
        if (!s->target)
            live_through(p, life, k, s->node);
    }
    for (int i = 0; i < k->vals; i++) {
        const Val *v = k->val[i];
        if (v->kind == V_LOAD)
            live_through(p, life, k, v->node);
    }
    for (int i = 0; i < 3; i++) {
        const Node *operand = kernel_operand(p, k, i);
        if (operand)
            live_through(p, life, k, operand);
    }
}

static Life *find_lives(const Program *p)
{
    Life *life = arena_array(p->ngc, p->nodes + 1, sizeof *life);

    for (int i = 0; i < p->nodes; i++)
        life[i] = (Life){.first = -1, .last = -1, .group = i};

    for (int i = 0; i < p->kernels; i++) {
        const Kernel *k = p->kernel[i];
        for (int s = 0; s < k->stores; s++)
            note_store(p, life, &k->store[s], i);
        for (int v = 0; v < k->vals; v++)
            if (k->val[v]->kind == V_LOAD)
                note_read(p, life, k->val[v]->node, i, k->val[v]->at != NULL);
        for (int v = 0; v < 3; v++) {
            const Node *operand = kernel_operand(p, k, v);
            if (operand)
                note_read(p, life, operand, i, true);
        }
    }
    for (int i = 0; i < p->kernels; i++)
        live_through_loops(p, life, i);
    return life;
}

/* ---- memory that is written over ---- */

/* Is n what the product is added onto, and not one of its operands? */
static bool accumulates_onto(const Program *p, const Kernel *k, const Node *n)
{
    if (!k->onto || program_holder(p, k->onto) != n)
        return false;
    return program_holder(p, k->product->arg[0]) != n && program_holder(p, k->product->arg[1]) != n;
}

/* Is everything that k reads of n at the very element that store s writes? */
bool store_is_in_place(const Program *p, const Kernel *k, const Store *s, const Node *n)
{
    if (k->kind == K_GEMM)
        return accumulates_onto(p, k, n);
    if (k->kind == K_CALL)
        return k->product->op == OP_over_ranks;
    if (k->member)
        return kernel_reads_row(k, s, n);
    if (k->kind != K_LOOP || kernel_reduces(k) || k->axes == 0 || s->add)
        return false;

    /* an element is read before the same one is written, and no other pass reads it */
    for (int v = 0; v < k->vals; v++)
        if (k->val[v]->kind == V_LOAD && k->val[v]->node == n && !index_equal(k->val[v]->at, s->at))
            return false;
    return true;
}

/* Can the node's memory not be chosen, since it is a member of a struct, or a variable? */
static bool is_fixed(const Program *p, const Place *place)
{
    return place->kind == P_GRAD || place->kind == P_MEMBER || (p->init && place->kind == P_VAR);
}

/* Can store s of kernel `at` be given the memory of a value that dies there? */
static bool may_take_over(const Program *p, const Life *life, int at, const Store *s)
{
    int own = slot_of(p, s->node);

    if (s->target || life[own].group != own || life[own].first != at)
        return false;
    if (p->kernel[at]->member && life[own].last == at)
        return false;
    return p->place[own].kind == P_SPACE || is_fixed(p, &p->place[own]);
}

/* Does n die in kernel `at`, and can store s write over it there? */
static bool dies_in_place(const Program *p, const Life *life, const Group *group, int at,
                          const Store *s, const Node *n)
{
    int dying = slot_of(p, n);
    const Life *l = &life[dying];
    const Group *g = &group[l->group];

    if (p->place[dying].kind != P_SPACE || l->first < 0 || l->first == at)
        return false;
    /* the last reader is this kernel, of it and of all that shares its memory */
    if (l->last != at || g->last != at || g->fixed)
        return false;
    /* what forward leaves for backward is not to be overwritten in backward, which may be called
     * again */
    if (n->type != s->node->type || p->phase[dying] != p->phase[slot_of(p, s->node)])
        return false;

    int64_t read = shape_count_max(p->graph, n->shape);
    int64_t written = shape_count_max(p->graph, s->node->shape);
    if (read != written || is_scalar(p, n))
        return false;
    return store_is_in_place(p, p->kernel[at], s, n);
}

/* A tensor that dies in kernel `at` and that store s can write over; NULL: there is none. */
static const Node *find_dying(const Program *p, const Life *life, const Group *group, int at,
                              const Store *s)
{
    const Kernel *k = p->kernel[at];

    for (int i = 0; i < k->vals; i++) {
        const Val *v = k->val[i];
        if (v->kind == V_LOAD && dies_in_place(p, life, group, at, s, v->node))
            return v->node;
    }

    const Node *onto = NULL;
    if (k->kind == K_CALL)
        onto = kernel_operand(p, k, 0);
    else if (k->onto)
        onto = program_holder(p, k->onto);
    if (onto && dies_in_place(p, life, group, at, s, onto))
        return onto;
    return NULL;
}

/* Joins store s to the group of a tensor that it can write over. */
static void join_dying(Program *p, Life *life, Group *group, int at, const Store *s)
{
    int own = slot_of(p, s->node);
    if (!may_take_over(p, life, at, s))
        return;
    const Node *n = find_dying(p, life, group, at, s);
    if (n == NULL)
        return;

    Group *g = &group[life[slot_of(p, n)].group];
    life[own].group = life[slot_of(p, n)].group;
    g->last = life[own].last;
    /* the whole group then lives in the member of the struct */
    if (is_fixed(p, &p->place[own])) {
        g->fixed = &p->place[own];
        g->last = p->kernels + 1; /* nothing more joins it */
    }
}

/* One group for each stored value, then joined where a kernel writes over what dies in it. */
static Group *find_groups(Program *p, Life *life)
{
    Group *group = arena_array(p->ngc, p->nodes + 1, sizeof *group);

    for (int i = 0; i < p->nodes; i++)
        group[i] = (Group){.slot = i,
                           .first = life[i].first,
                           .last = life[i].last,
                           .size = shape_count_max(p->graph, p->node[i]->shape),
                           .type = p->node[i]->type,
                           .scalar = is_scalar(p, p->node[i])};
    if (p->ngc->opt.no_share)
        return group;

    for (int i = 0; i < p->kernels; i++)
        for (int s = 0; s < p->kernel[i]->stores; s++)
            join_dying(p, life, group, i, &p->kernel[i]->store[s]);
    return group;
}

/* ---- offsets: the largest first ---- */

static int compare_slot(const Group *a, const Group *b)
{
    if (a->slot == b->slot)
        return 0;
    return compare_int64(a->slot, b->slot);
}

static int compare_size(const void *x, const void *y)
{
    const Group *a = *(Group *const *)x;
    const Group *b = *(Group *const *)y;

    if (a->size != b->size)
        return compare_int64(b->size, a->size);
    return compare_slot(a, b);
}

/* The lowest offset at which g overlaps none of the groups that live at the same time. placed:
 * those done, by offset. */
static int64_t lowest_gap(const Program *p, Group *const *placed, int count, const Group *g)
{
    int64_t at = 0;

    for (int i = 0; i < count; i++) {
        const Group *h = placed[i];
        int64_t from = p->place[h->slot].offset;
        int64_t end = from + aligned(h->size);
        bool apart = h->first > g->last || g->first > h->last;

        if (apart && !p->ngc->opt.no_share)
            continue;
        /* placed groups come by offset, so the gap before this one is the lowest that is large
         * enough */
        if (from >= at + aligned(g->size))
            break;
        if (end > at)
            at = end;
    }
    return at;
}

/* Each in the lowest gap that is free while it lives. Returns the elements that all need. */
static int64_t place_groups(Program *p, Group **list, int count)
{
    Group **placed = arena_array(p->ngc, count + 1, sizeof *placed);
    int64_t top = 0;

    for (int n = 0; n < count; n++) {
        Group *g = list[n];
        int64_t at = lowest_gap(p, placed, n, g);
        p->place[g->slot].offset = at;
        if (at + aligned(g->size) > top)
            top = at + aligned(g->size);

        /* keeps the list sorted by offset */
        int k = 0;
        while (k < n && p->place[placed[k]->slot].offset < at)
            k++;
        memmove(placed + k + 1, placed + k, (size_t)(n - k) * sizeof *placed);
        placed[k] = g;
    }
    return top;
}

/* ---- the same in several orders, where memory is short ---- */

static int64_t length_of(const Group *g)
{
    return (int64_t)g->last - g->first + 1;
}

/* The longest life first. */
static int compare_length(const void *x, const void *y)
{
    const Group *a = *(Group *const *)x;
    const Group *b = *(Group *const *)y;

    if (length_of(a) != length_of(b))
        return compare_int64(length_of(b), length_of(a));
    return compare_size(x, y);
}

/* The largest first, for its whole life. */
static int compare_area(const void *x, const void *y)
{
    const Group *a = *(Group *const *)x;
    const Group *b = *(Group *const *)y;
    int64_t in_a = a->size * length_of(a);
    int64_t in_b = b->size * length_of(b);

    if (in_a != in_b)
        return compare_int64(in_b, in_a);
    return compare_size(x, y);
}

static int compare_first(const void *x, const void *y);

/* The last to die first. */
static int compare_last(const void *x, const void *y)
{
    const Group *a = *(Group *const *)x;
    const Group *b = *(Group *const *)y;

    if (a->last != b->last)
        return compare_int64(b->last, a->last);
    return compare_size(x, y);
}

/* Puts the group that ends highest first, so that next time it has the choice. */
static void move_highest(const Program *p, Group **list, int count)
{
    int64_t top = -1;
    int highest = 0;

    for (int i = 0; i < count; i++) {
        int64_t end = p->place[list[i]->slot].offset + aligned(list[i]->size);
        if (end > top) {
            top = end;
            highest = i;
        }
    }

    Group *g = list[highest];
    memmove(list + 1, list, (size_t)highest * sizeof *list);
    list[0] = g;
}

/* The elements of all groups that live at one time, at most: less cannot be needed. */
static int64_t most_at_once(const Program *p, Group *const *list, int count)
{
    int64_t *change = arena_array(p->ngc, p->kernels + 3, sizeof *change);
    int64_t live = 0, most = 0;

    for (int i = 0; i < count; i++) {
        change[list[i]->first] += aligned(list[i]->size);
        change[list[i]->last + 1] -= aligned(list[i]->size);
    }
    for (int i = 0; i <= p->kernels + 1; i++) { /* backward's end, and a life after it */
        live += change[i];
        most = max_int64(live, most);
    }
    return most;
}

/* Several orders are tried, and small changes of each. The one in which all need least is taken. */
static int64_t place_tightly(Program *p, Group **list, int count)
{
    static int (*const order[])(const void *, const void *) = {compare_size, compare_area,
                                                               compare_length, compare_last,
                                                               compare_first};
    size_t bytes = (size_t)(count + 1) * sizeof *list;
    Group **best = arena_alloc(p->ngc, bytes);
    int64_t least = INT64_MAX;
    int64_t enough = most_at_once(p, list, count);

    for (size_t i = 0; i < sizeof order / sizeof *order && least > enough; i++) {
        qsort(list, (size_t)count, sizeof *list, order[i]);
        for (int change = 0; change < CHANGES && least > enough && count > 0; change++) {
            int64_t space = place_groups(p, list, count);
            if (space < least) {
                least = space;
                memcpy(best, list, bytes);
            }
            /* the group on top set the size of all: next time it is placed first */
            move_highest(p, list, count);
        }
    }
    return place_groups(p, best, count);
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

    while (i > 0) {
        int parent = (i - 1) / 2;
        if (h->group[parent]->last <= g->last)
            break;
        h->group[i] = h->group[parent];
        i = parent;
    }
    h->group[i] = g;
}

static Group *heap_pop(Heap *h)
{
    Group *top = h->group[0];
    Group *g = h->group[--h->count];
    int i = 0;

    while (2 * i + 1 < h->count) {
        int child = 2 * i + 1;
        if (child + 1 < h->count && h->group[child + 1]->last < h->group[child]->last)
            child++;
        if (h->group[child]->last >= g->last)
            break;
        h->group[i] = h->group[child];
        i = child;
    }
    h->group[i] = g;
    return top;
}

typedef struct Gaps {
    Gap *gap; /* by offset, no two adjacent; the last has no end */
    int count;
} Gaps;

static void remove_gap(Gaps *l, int i)
{
    l->count--;
    memmove(l->gap + i, l->gap + i + 1, (size_t)(l->count - i) * sizeof *l->gap);
}

static void insert_gap(Gaps *l, int i, Gap g)
{
    memmove(l->gap + i + 1, l->gap + i, (size_t)(l->count - i) * sizeof *l->gap);
    l->gap[i] = g;
    l->count++;
}

/* Gives elements back. They are joined to the gaps before and after them. */
static void free_gap(Gaps *l, Gap g)
{
    int i = l->count;
    while (i > 0 && l->gap[i - 1].at > g.at)
        i--;

    /* there is always a gap after it: the last one has no end */
    Gap *before = NULL;
    if (i > 0)
        before = &l->gap[i - 1];
    Gap *after = &l->gap[i];
    bool joins_before = before && before->at + before->size == g.at;
    bool joins_after = g.at + g.size == after->at;

    if (joins_before && joins_after) {
        before->size += g.size + after->size;
        remove_gap(l, i);
    } else if (joins_before) {
        before->size += g.size;
    } else if (joins_after) {
        *after = (Gap){g.at, g.size + after->size};
    } else {
        insert_gap(l, i, g);
    }
}

/* Takes elements from the smallest gap that is large enough; returns their offset. */
static int64_t take_gap(Gaps *l, int64_t size)
{
    /* the last gap is large enough for everything */
    int best = l->count - 1;
    for (int k = 0; k < l->count; k++)
        if (l->gap[k].size >= size && l->gap[k].size < l->gap[best].size)
            best = k;

    int64_t at = l->gap[best].at;
    l->gap[best].at += size;
    l->gap[best].size -= size;
    if (l->gap[best].size == 0)
        remove_gap(l, best);
    return at;
}

static int compare_first(const void *x, const void *y)
{
    const Group *a = *(Group *const *)x;
    const Group *b = *(Group *const *)y;

    if (a->first != b->first)
        return compare_int64(a->first, b->first);
    return compare_slot(a, b);
}

/* In the order of their first use, each in the smallest gap that is large enough. Returns the
 * elements that all need. */
static int64_t place_in_order(Program *p, Group **list, int count)
{
    Heap live = {arena_array(p->ngc, count + 1, sizeof *live.group), 0};
    Gaps gaps = {arena_array(p->ngc, count + 2, sizeof *gaps.gap), 1};
    int64_t top = 0;

    gaps.gap[0] = (Gap){0, INT64_MAX / 2};
    qsort(list, (size_t)count, sizeof *list, compare_first);

    for (int i = 0; i < count; i++) {
        /* what died before this group begins gives its memory back */
        while (live.count && live.group[0]->last < list[i]->first) {
            const Group *dead = heap_pop(&live);
            free_gap(&gaps, (Gap){p->place[dead->slot].offset, aligned(dead->size)});
        }

        int64_t size = aligned(list[i]->size);
        int64_t at = take_gap(&gaps, size);
        p->place[list[i]->slot].offset = at;
        if (at + size > top)
            top = at + size;
        heap_push(&live, list[i]);
    }
    return top;
}

/* ---- the pass ---- */

/* Tensors of one type, then its scalars, which are too small to be worth sharing. Returns the
 * elements that all need. */
static int64_t place_type(Program *p, Group **list, int count, Type type)
{
    Ngc *ngc = p->ngc;
    Group **tensor = arena_array(ngc, count + 1, sizeof *tensor);
    int n = 0;

    for (int i = 0; i < count; i++)
        if (list[i]->type == type && !list[i]->scalar)
            tensor[n++] = list[i];

    int64_t space;
    /* first fit compares each group with all others: n^2 */
    if (n > MANY && !ngc->opt.no_share)
        space = place_in_order(p, tensor, n);
    else if (p->room >= 0 && !ngc->opt.no_share)
        space = place_tightly(p, tensor, n);
    else
        space = place_groups(p, tensor, n);

    for (int i = 0; i < count; i++)
        if (list[i]->type == type && list[i]->scalar)
            p->place[list[i]->slot].offset = space++;
    return space;
}

/* The floats that all values would need by themselves (p->stored), and the most that live at one
 * time (p->live). */
static void measure(Program *p, Group **list, int count, const Life *life)
{
    int64_t *change = arena_array(p->ngc, p->kernels + 2, sizeof *change);
    int64_t live = 0;

    for (int i = 0; i < p->nodes; i++)
        if (p->place[i].kind == P_SPACE && life[i].first >= 0 && p->node[i]->type == T_FLOAT)
            p->stored += shape_count_max(p->graph, p->node[i]->shape);

    /* each life adds its size where it begins and takes it away after its end; sums of these
     * changes are what lives at each kernel */
    for (int i = 0; i < count; i++) {
        const Group *g = list[i];
        if (g->type != T_FLOAT || g->first < 0)
            continue;
        int64_t size = 1;
        if (!g->scalar)
            size = aligned(g->size);
        int last = min_int(g->last, p->kernels);
        change[g->first] += size;
        change[last + 1] -= size;
    }

    for (int i = 0; i < p->kernels; i++) {
        live += change[i];
        if (live > p->live)
            p->live = live;
    }
}

/* Scalars that are used in one function only, and not by address, become its variables. */
static void find_locals(Program *p, const Life *life)
{
    for (int i = 0; i < p->nodes; i++) {
        bool needs_space = life[i].memory || life[i].crosses;
        if (p->place[i].kind == P_SPACE && is_scalar(p, p->node[i]) && !needs_space)
            p->place[i].kind = P_LOCAL;
    }
}

/* The groups whose place is to be found, the largest first; returns their number. */
static int list_groups(const Program *p, const Life *life, Group *group, Group **list)
{
    int count = 0;

    for (int i = 0; i < p->nodes; i++)
        if (p->place[i].kind == P_SPACE && life[i].group == i && !group[i].fixed)
            list[count++] = &group[i];
    qsort(list, (size_t)count, sizeof *list, compare_size);
    return count;
}

/* Every value gets the place of its group. */
static void place_members(Program *p, const Life *life, const Group *group)
{
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

void program_plan(Program *p)
{
    Life *life = find_lives(p);
    find_locals(p, life);
    if (p->plain)
        return;

    Group *group = find_groups(p, life);
    Group **list = arena_array(p->ngc, p->nodes + 1, sizeof *list);
    int count = list_groups(p, life, group, list);
    measure(p, list, count, life);

    /* reals and ints are in two arrays, so neither is aliased as the other */
    p->space = place_type(p, list, count, T_FLOAT);
    p->ispace = place_type(p, list, count, T_INT);
    if (p->block_room > 0) {
        p->block_at = aligned(p->space);
        p->space = p->block_at + p->block_room;
    }
    place_members(p, life, group);
}
