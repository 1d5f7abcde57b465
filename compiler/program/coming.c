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

/* A store of a value that others wait for: not to a variable, nor the update of one. */
static bool is_awaited(const Coming *c, const Store *s)
{
    return !s->target && !store_updates(c, s);
}

void coming_count(const Program *p, Coming *c, const KernelRun *item, int by)
{
    for (int i = 0; i < item->count; i++)
        for (int s = 0; s < item->kernel[i]->stores; s++) {
            const Store *store = &item->kernel[i]->store[s];
            if (is_awaited(c, store))
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
            count += is_awaited(c, store) && store->node == n;
        }
    return count;
}

/* Is what the item reads computed? It may read what it stores itself. */
static void check_read(Program *p, const Kernel *k, const Node *n, void *with)
{
    Coming *c = with;
    int slot = slot_of(p, n);
    int writers = c->writers[slot]; /* that are still to come */
    (void)k;
    if (writers == 0)
        return;

    int own = own_stores(c, c->item, n);
    bool is_loop = c->item->count > 1; /* it also waits for what others store of n */
    if (own == 0 || (is_loop && writers > own)) {
        c->blocked = true;
        c->blocker = slot;
        c->own = own;
    }
}

bool coming_blocks(Program *p, Coming *c, const KernelRun *item)
{
    c->item = item;
    c->blocked = false;
    for (int i = 0; i < item->count; i++)
        kernel_each_read(p, item->kernel[i], check_read, c);

    /* what a loop adds to must be there before it */
    bool is_loop = item->count > 1;
    for (int i = 0; i < item->count && is_loop; i++) {
        const Kernel *k = item->kernel[i];
        for (int s = 0; s < k->stores; s++)
            if (!k->store[s].target)
                check_read(p, k, k->store[s].node, c);
    }
    return c->blocked;
}
