/* flow_order.c - puts the kernels and the loops of a program into a new order in which nothing is
 * read before it is computed, and each variable is overwritten after its last reader.
 *
 * In: items in an order that somebody wants. Out: each as early in that order as it can be.
 * Kernels that only update variables come as soon as they can, so that gradients do not live long.
 */
#include "program/flow.h"

typedef struct Waiting {
    Program *p;
    KernelRun *left; /* no kernels: it has its place */
    int count;
    int *readers; /* by slot: kernels to come that read it */
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

    count_reads(w, item, -1);
    for (int k = 0; k < item->count; k++)
        for (int s = 0; s < item->kernel[k]->stores; s++) {
            const Place *place = store_place(w->p, &item->kernel[k]->store[s]);
            if (place->kind != P_VAR || place->var->node == NULL)
                continue;
            int slot = w->p->slot[place->var->node->id];
            early |= slot >= 0 && w->readers[slot] > 0;
        }
    count_reads(w, item, 1);
    return early;
}

static bool is_ready(Waiting *w, const KernelRun *item)
{
    return !coming_blocks(w->p, &w->coming, item) && !overwrites_early(w, item);
}

static bool only_updates(const Program *p, const KernelRun *item)
{
    const Kernel *k = item->kernel[0];

    for (int s = 0; s < k->stores; s++)
        if (store_place(p, &k->store[s])->kind != P_VAR)
            return false;
    return item->count == 1 && k->stores > 0;
}

/* The first that can come next, from `first` on; update: among those that only update. -1: none. */
static int find_ready(Waiting *w, int first, bool update)
{
    for (int i = first; i < w->count; i++)
        if (w->left[i].count && (!update || only_updates(w->p, &w->left[i])) &&
            is_ready(w, &w->left[i]))
            return i;
    return -1;
}

void flow_order(Program *p, KernelRun *item, int count, int forwards)
{
    size_t room = (size_t)(p->nodes + 1);
    Waiting w = {.p = p,
                 .left = arena_copy(p->ngc, item, (size_t)(count + 1) * sizeof *item),
                 .count = count,
                 .readers = arena_alloc(p->ngc, room * sizeof *w.readers),
                 .coming.writers = arena_alloc(p->ngc, room * sizeof *w.coming.writers)};
    int first = 0, updates = 0;

    for (int i = 0; i < count; i++) {
        count_reads(&w, &item[i], 1);
        coming_count(p, &w.coming, &item[i], 1);
        updates += i >= forwards && only_updates(p, &item[i]);
    }

    for (int ordered = 0; ordered < count; ordered++) {
        bool early = updates > 0 && ordered >= forwards;
        int i = early ? find_ready(&w, forwards, true) : -1;
        if (i < 0)
            i = find_ready(&w, first, false);
        if (i < 0)
            ngc_bug("%s: kernels wait for each other", p->name);

        count_reads(&w, &w.left[i], -1);
        coming_count(p, &w.coming, &w.left[i], -1);
        updates -= i >= forwards && only_updates(p, &w.left[i]);
        item[ordered] = w.left[i];
        w.left[i].count = 0;
        while (first < count && w.left[first].count == 0)
            first++;
    }
}
