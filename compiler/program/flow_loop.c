/* flow_loop.c - a loop that stays a loop, as one unit of a flow: it is not computed again, but what
 * is computed before and after it may be.
 *
 * What only the loop uses needs memory while it runs (Unit.bytes); the other values that it stores
 * live as those of other kernels.
 */
#include "program/flow.h"

#include <stdlib.h>

int flow_items(Program *p, KernelRun *item)
{
    int count = 0;

    for (int i = 0; i < p->kernels; i += item[count++].count) {
        const Kernel *k = p->kernel[i];
        int end = i;
        if (k->kind == K_FOR)
            end = program_loop(p, k->loop)->end;
        item[count] = (KernelRun){&p->kernel[i], end - i + 1};
    }
    return count;
}

/* Of the value in one slot, within the loop. */
typedef struct Use {
    int first, last; /* kernels of the item */
    int count;       /* reads and stores */
    bool stored, read;
} Use;

typedef struct Uses {
    const KernelRun *item;
    Use *use;  /* by slot */
    int *slot; /* those that are used: a loop may be one of very many */
    int slots, room;
    int at;    /* the kernel at hand */
    bool read; /* or stored */
} Uses;

/* What a pass uses, and does not make anew, lives through the whole loop, as in plan.c. */
static void live_through(const Program *p, const Uses *u, const Node *n)
{
    const Kernel *first = u->item->kernel[0];
    int start = program_loop(p, first->loop)->begin;
    Use *use = &u->use[slot_of(p, n)];
    const Loop *home = program_home(p, n);

    /* from the loop around the kernel outward to the one that makes it anew */
    for (const Loop *of = u->item->kernel[u->at]->loop; of && of != home;) {
        const struct ProgramLoop *loop = program_loop(p, of);
        int begin = loop->begin - start;
        int end = loop->end - start;
        use->first = min_int(begin, use->first);
        use->last = max_int(end, use->last);
        of = loop->outer;
    }
}

static void note_use(Program *p, const Kernel *k, const Node *n, void *with)
{
    Uses *u = with;
    Use *use = &u->use[slot_of(p, n)];
    (void)k;

    if (use->count++ == 0) {
        use->first = u->at;
        LIST_GROW(p->ngc, u->slot, u->slots, &u->room);
        u->slot[u->slots++] = slot_of(p, n);
    }
    use->last = max_int(use->last, u->at);
    use->read |= u->read;
    use->stored |= !u->read;
    live_through(p, u, n);
}

static int compare_slots(const void *x, const void *y)
{
    return *(const int *)x - *(const int *)y;
}

static Uses find_uses(Flow *f, const KernelRun *item)
{
    Program *p = f->p;

    if (!f->use)
        f->use = arena_array(p->ngc, p->nodes + 1, sizeof *f->use);
    Uses u = {.item = item, .use = f->use};

    for (u.at = 0; u.at < item->count; u.at++) {
        const Kernel *k = item->kernel[u.at];
        u.read = false;
        for (int s = 0; s < k->stores; s++)
            note_use(p, k, k->store[s].node, &u);
        u.read = true;
        kernel_each_read(p, k, note_use, &u);
    }
    if (u.slots > 0)
        qsort(u.slot, (size_t)u.slots, sizeof *u.slot, compare_slots);
    return u;
}

/* The most bytes that live at one time of values that nothing else uses. */
static int64_t most_alive(const Flow *f, const Uses *u, const int *uses)
{
    int64_t *change = arena_array(f->p->ngc, u->item->count + 2, sizeof *change);
    int64_t live = 0, most = 0;

    for (int i = 0; i < u->slots; i++) {
        int v = u->slot[i];
        const Use *use = &u->use[v];
        /* all its uses are in this loop */
        if (use->stored && use->count == uses[v]) {
            change[use->first] += f->bytes[v];
            change[use->last + 1] -= f->bytes[v];
        }
    }
    for (int i = 0; i < u->item->count; i++) {
        live += change[i];
        most = max_int64(live, most);
    }
    return most;
}

Unit flow_loop(Flow *f, KernelRun item, const int *uses)
{
    Program *p = f->p;
    Uses all = find_uses(f, &item);
    Use *use = all.use;
    Unit u = {.item = item, .kernel = item.kernel[0], .bytes = most_alive(f, &all, uses)};
    int stored = 0, read = 0;

    for (int i = 0; i < all.slots; i++) {
        int v = all.slot[i];
        bool outside = use[v].count < uses[v];
        stored += outside && use[v].stored;
        read += outside && use[v].read;
    }
    u.piece = arena_array(p->ngc, stored + 1, sizeof *u.piece);
    /* one piece for all that is read from outside, then one for each value that others read */
    Piece *reads = &u.piece[u.pieces++];
    *reads = (Piece){.value = -1, .read = arena_array(p->ngc, read + 1, sizeof(int))};

    for (int i = 0; i < all.slots; i++) {
        int v = all.slot[i];
        PlaceKind kind = p->place[v].kind;
        Use own = use[v];
        use[v] = (Use){0};
        if (own.count == uses[v])
            continue;
        if (own.read)
            reads->read[reads->reads++] = v;
        if (own.stored)
            u.piece[u.pieces++] = (Piece){.value = v, .fixed = kind == P_GRAD || kind == P_MEMBER};
    }
    return u;
}
