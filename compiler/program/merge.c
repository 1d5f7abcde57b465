/* merge.c - kernels that walk the same elements become one: while they are built, each is put into
 * an earlier one where that fits. What is then read only in the loops that make it is not stored.
 *
 * Requires: a kernel for each stored value, operands before users. Gives: the same stores, in fewer
 * kernels; Program.readers.
 */
#include "program/fuse.h"

#include <string.h>

enum {
    LOOK_BACK = 24,    /* a kernel may be merged with one of this many kernels before it */
    MERGED_STORES = 6, /* stores of one merged kernel, at most */
    MERGED_VALS = 150, /* values of one merged kernel, at most */
};

/* made_by: by slot, the kernel that stores it; -1: none so far */
void add_kernel(Program *p, Kernel *k, int *made_by)
{
    for (int i = 0; i < k->stores; i++)
        if (!k->store[i].target)
            made_by[slot_of(p, k->store[i].node)] = p->kernels;

    LIST_GROW(p->ngc, p->kernel, p->kernels, &p->kernel_room);
    p->kernel[p->kernels++] = k;
}

/* May a kernel with the load x be merged into a kernel that stores x's node: is x the very element
 * that is stored in the same pass? */
static bool loads_same_element(const Kernel *into, const Val *x)
{
    for (int s = 0; s < into->stores; s++)
        if (into->store[s].node == x->node && !index_equal(into->store[s].at, x->at))
            return false;
    return true;
}

/* Does the kernel load the same element of the same tensor as x? */
static bool has_load(const Kernel *k, const Val *x)
{
    for (int v = 0; v < k->vals; v++) {
        const Val *y = k->val[v];
        if (y->kind == V_LOAD && y->node == x->node && x->at && index_equal(y->at, x->at))
            return true;
    }
    return false;
}

/* Can k's stores be in the loops of kernel i, which comes earlier, and do the two read the same
 * values, or one the other's? */
static bool can_merge(const Program *p, const Kernel *k, int i, const int *made_by)
{
    const Kernel *into = p->kernel[i];
    bool share = false;

    if (!kernel_is_map(into) || into->phase != k->phase || into->loop != k->loop)
        return false;
    /* its elements are parts of a larger tensor, so equal shapes do not say that loops are equal */
    if (into->store[0].node->op == OP_collect)
        return false;
    if (into->stores >= MERGED_STORES || into->vals + k->vals > MERGED_VALS)
        return false;
    if (!shape_equal(into->store[0].node->shape, k->store[0].node->shape))
        return false;

    for (int v = 0; v < k->vals; v++) {
        const Val *x = k->val[v];
        if (x->kind != V_LOAD)
            continue;

        /* the element is still in a register, if it is the very one that this pass has made */
        bool reads_result = made_by[slot_of(p, x->node)] == i;
        if (reads_result && !loads_same_element(into, x))
            return false;
        if (reads_result || has_load(into, x))
            share = true;
    }
    return share;
}

/* Kernel i with a store of n, too. */
static void merge_into(Program *p, int i, Node *n)
{
    const Kernel *old = p->kernel[i];
    Node *node[MERGED_STORES + 1];

    for (int s = 0; s < old->stores; s++)
        node[s] = old->store[s].node;
    node[old->stores] = n;
    /* built anew from the nodes, so that both share loads and expressions */
    p->kernel[i] = kernel_map(p, node, old->stores + 1, NULL);
}

/* The first kernel that k may be merged into: it comes after none that k reads. */
static int first_to_merge(const Program *p, const Kernel *k, const int *made_by)
{
    int first = 0;
    if (p->kernels > LOOK_BACK)
        first = p->kernels - LOOK_BACK;

    for (int v = 0; v < k->vals; v++) {
        const Val *x = k->val[v];
        if (x->kind == V_LOAD && made_by[slot_of(p, x->node)] > first)
            first = made_by[slot_of(p, x->node)];
    }
    return first;
}

/* Puts k's store into the loops of an earlier kernel, if there is one that fits; else adds k. */
void merge_kernel(Program *p, Kernel *k, int *made_by)
{
    if (!p->plain && pass_runs(p->ngc, PASS_MERGE) && kernel_is_map(k)) {
        int first = first_to_merge(p, k, made_by);

        /* the nearest first: values stay in the cache for the shortest time */
        for (int i = p->kernels - 1; i >= first; i--)
            if (can_merge(p, k, i, made_by)) {
                merge_into(p, i, k->store[0].node);
                made_by[slot_of(p, k->store[0].node)] = i;
                return;
            }
    }
    add_kernel(p, k, made_by);
}

/* ---- what is kept of a pass is stored where it is made ---- */

/* The only value that a kernel loads, if it just copies that; else NULL. */
static const Val *copied(const Kernel *k)
{
    const Val *v = NULL;
    if (k->stores == 1)
        v = k->store[0].val;
    return v && v->kind == V_LOAD && k->vals == 1 && !k->store[0].add ? v : NULL;
}

/* Is it stored by one kernel, once? */
static bool is_stored_once(const Node *n)
{
    return n->op != OP_collect && n->op != OP_carried && n->op != OP_scatter && n->op != OP_concat;
}

/* The store in `into` of the same element in the same pass; NULL: there is none. */
static const Store *made_in(const Kernel *into, const Kernel *k, const Val *v)
{
    if (into->loop != k->loop || into->phase != k->phase || into->axes != k->axes ||
        !kernel_is_map(into) || into->stores >= MERGED_STORES)
        return NULL;
    /* the same loops, not only as many of them */
    for (int i = 0; i < k->axes; i++)
        if (into->extent[i] != k->extent[i])
            return NULL;
    for (int s = 0; s < into->stores; s++)
        if (into->store[s].node == v->node && is_stored_once(v->node) &&
            index_equal(into->store[s].at, v->at))
            return &into->store[s];
    return NULL;
}

static void add_part(Program *p, Kernel *into, const Store *made, Store part)
{
    Store *store = arena_array(p->ngc, into->stores + 1, sizeof *store);

    part.val = made->val;
    memcpy(store, into->store, (size_t)into->stores * sizeof *store);
    store[into->stores++] = part;
    into->store = store;
}

/* A kernel that only copies to what its loop collects becomes a store of the kernel before it that
 * makes the value. */
void keep_where_made(Program *p)
{
    int kept = 0;

    for (int i = 0; i < p->kernels; i++) {
        Kernel *k = p->kernel[i];
        bool part = k->stores == 1 && k->store[0].node->op == OP_collect;
        const Val *v = NULL;
        if (part && k->loop)
            v = copied(k);
        const Store *made = NULL;

        for (int j = kept - 1; v && j >= 0 && j >= kept - LOOK_BACK && !made; j--) {
            made = made_in(p->kernel[j], k, v);
            if (made)
                add_part(p, p->kernel[j], made, k->store[0]);
        }
        if (!made)
            p->kernel[kept++] = k;
    }
    p->kernels = kept;
}

static void count_number(Program *p, const Node *n)
{
    if (n && program_stored(p, n))
        p->readers[p->slot[program_holder(p, n)->id]]++;
}

/* A value that is read only in the loops that make it needs no storage. */
void drop_stores(Program *p)
{
    p->readers = arena_array(p->ngc, p->nodes + p->targets + 1, sizeof *p->readers);
    for (int i = 0; i < p->kernels; i++)
        kernel_count_reads(p, p->kernel[i], p->readers, 1);
    for (int i = 0; i < p->loops; i++) { /* order.c makes what reads these */
        count_number(p, loop_test(p->loop[i].node));
        count_number(p, loop_count(p->loop[i].node));
    }
    if (!pass_runs(p->ngc, PASS_DROP))
        return;

    for (int i = 0; i < p->kernels; i++) {
        Kernel *k = p->kernel[i];
        bool merged = kernel_is_map(k) && k->stores > 1;
        int kept = 0;

        for (int s = 0; merged && s < k->stores; s++) {
            const Node *n = k->store[s].node;
            Place *place = program_own_place(p, n);
            /* the merged kernel that makes it has its value in a variable, and nothing else loads
             * it */
            if (p->readers[slot_of(p, n)] == 0 && place->kind == P_SPACE)
                place->kind = P_NONE;
            else
                k->store[kept++] = k->store[s];
        }
        if (merged)
            k->stores = kept;
    }
}
