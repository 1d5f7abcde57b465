/* coming.c - kernels are put into an order: which of them wait for what others store.
 *
 * An item is one kernel, or a whole loop in its own order. It can come next if nothing that it
 * reads is still to be stored by others. order.c and flow_order.c choose among those that can.
 */
#include "program/program.h"

bool store_updates(const Coming *c, const Store *s)
{
    return c->loop && s->node->op == OP_carried && s->node->attr.loop == c->loop && !s->target;
}

bool run_updates_only(const Program *p, const KernelRun *run)
{
    const Kernel *k = run->kernel[0];

    for (int s = 0; s < k->stores; s++)
        if (store_place(p, &k->store[s])->kind != P_VAR)
            return false;
    return run->count == 1 && k->stores > 0;
}

void coming_count(const Program *p, Coming *c, const KernelRun *item, int by)
{
    for (int i = 0; i < item->count; i++)
        for (int s = 0; s < item->kernel[i]->stores; s++) {
            const Store *store = &item->kernel[i]->store[s];
            if (!store->target && !store_updates(c, store))
                c->writers[slot_of(p, store->node)] += by;
        }
}

/* How many stores of the item itself are of n? */
static int own_stores(const Coming *c, const KernelRun *item, const Node *n)
{
    int count = 0;

    for (int i = 0; i < item->count; i++)
        for (int s = 0; s < item->kernel[i]->stores; s++) {
            const Store *store = &item->kernel[i]->store[s];
            count += !store->target && !store_updates(c, store) && store->node == n;
        }
    return count;
}

/* Is what the item reads computed? It may read what it stores itself. */
static void check_read(Program *p, const Kernel *k, const Node *n, void *with)
{
    Coming *c = with;
    bool whole = c->item->count > 1; /* a loop also waits for what others store of n */
    (void)k;

    if (c->writers[slot_of(p, n)] == 0)
        return;
    int own = own_stores(c, c->item, n);
    if (own == 0 || (whole && c->writers[slot_of(p, n)] > own)) {
        c->blocked = true;
        c->blocker = slot_of(p, n);
        c->own = own;
    }
}

bool coming_blocks(Program *p, Coming *c, const KernelRun *item)
{
    c->item = item;
    c->blocked = false;
    for (int i = 0; i < item->count; i++)
        kernel_each_read(p, item->kernel[i], check_read, c);

    /* what a loop adds to is there before it */
    for (int i = 0; i < item->count && item->count > 1; i++)
        for (int s = 0; s < item->kernel[i]->stores; s++)
            if (!item->kernel[i]->store[s].target)
                check_read(p, item->kernel[i], item->kernel[i]->store[s].node, c);
    return c->blocked;
}
