/* flow_order.c - puts the kernels of a program without loops into a new order in which nothing is
 * read before it is computed, and each variable is overwritten after its last reader.
 *
 * In: kernels in an order that somebody wants. Out: each as early in that order as it can be.
 * Kernels that only update variables come as soon as they can, so that gradients do not live long.
 */
#include "program/flow.h"

typedef struct Waiting {
    Program *p;
    Kernel **left; /* NULL: it has its place */
    int count;
    int *readers; /* by slot: kernels to come that read it */
    int *writers; /* by slot: kernels to come that store it */
    bool blocked; /* check_read: the kernel at hand reads what is to come */
} Waiting;

static void add_writers(Waiting *w, const Kernel *k, int by)
{
    for (int s = 0; s < k->stores; s++)
        if (!k->store[s].target)
            w->writers[w->p->slot[k->store[s].node->id]] += by;
}

static bool stores_node(const Kernel *k, const Node *n)
{
    for (int s = 0; s < k->stores; s++)
        if (!k->store[s].target && k->store[s].node == n)
            return true;
    return false;
}

static void check_read(Program *p, const Kernel *k, const Node *n, void *with)
{
    Waiting *w = with;
    w->blocked |= w->writers[p->slot[n->id]] > 0 && !stores_node(k, n);
}

/* Does it overwrite what others are to read? Its own reads do not count. */
static bool overwrites_early(Waiting *w, const Kernel *k)
{
    bool early = false;

    kernel_count_reads(w->p, k, w->readers, -1);
    for (int s = 0; s < k->stores; s++) {
        const Place *place = store_place(w->p, &k->store[s]);
        if (place->kind != P_VAR || place->var->node == NULL)
            continue;
        int slot = w->p->slot[place->var->node->id];
        early |= slot >= 0 && w->readers[slot] > 0;
    }
    kernel_count_reads(w->p, k, w->readers, 1);
    return early;
}

static bool is_ready(Waiting *w, const Kernel *k)
{
    w->blocked = false;
    kernel_each_read(w->p, k, check_read, w);
    return !w->blocked && !overwrites_early(w, k);
}

static bool only_updates(const Program *p, const Kernel *k)
{
    for (int s = 0; s < k->stores; s++)
        if (store_place(p, &k->store[s])->kind != P_VAR)
            return false;
    return k->stores > 0;
}

/* The first that can come next, from `first` on; update: among those that only update. -1: none. */
static int find_ready(Waiting *w, int first, bool update)
{
    for (int i = first; i < w->count; i++)
        if (w->left[i] && (!update || only_updates(w->p, w->left[i])) && is_ready(w, w->left[i]))
            return i;
    return -1;
}

void flow_order(Program *p, Kernel **kernel, int count, int forwards)
{
    size_t room = (size_t)(p->nodes + 1);
    Waiting w = {.p = p,
                 .left = arena_copy(p->ngc, kernel, (size_t)(count + 1) * sizeof *kernel),
                 .count = count,
                 .readers = arena_alloc(p->ngc, room * sizeof *w.readers),
                 .writers = arena_alloc(p->ngc, room * sizeof *w.writers)};
    int first = 0, updates = 0;

    for (int i = 0; i < count; i++) {
        kernel_count_reads(p, kernel[i], w.readers, 1);
        add_writers(&w, kernel[i], 1);
        updates += i >= forwards && only_updates(p, kernel[i]);
    }

    for (int ordered = 0; ordered < count; ordered++) {
        bool early = updates > 0 && ordered >= forwards;
        int i = early ? find_ready(&w, forwards, true) : -1;
        if (i < 0)
            i = find_ready(&w, first, false);
        if (i < 0)
            ngc_bug("%s: kernels wait for each other", p->name);

        kernel_count_reads(p, w.left[i], w.readers, -1);
        add_writers(&w, w.left[i], -1);
        updates -= i >= forwards && only_updates(p, w.left[i]);
        kernel[ordered] = w.left[i];
        w.left[i] = NULL;
        while (first < count && w.left[first] == NULL)
            first++;
    }
}
