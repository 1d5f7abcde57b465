/* order.c - the order of kernels: each finds its operands stored, and a variable is overwritten
 * after its last reader.
 *
 * The kernels of a loop are ordered first, those of the innermost loops before others. Then the
 * loop is one item among those around it, from its K_FOR to its K_NEXT. Within a loop, the
 * variables that it carries are those that are overwritten.
 *
 * What is computed from variables alone, such as turned weights, could come first of all, and would
 * take memory from then on. It comes right before its first reader. An update of a variable comes
 * as soon as it can: then what it is computed from, a gradient, needs no memory any more.
 *
 * Requires: kernels in any order. Gives: the order, with K_FOR, K_TEST and K_NEXT.
 */
#include "program/program.h"

enum {
    LARGE = 1024,              /* elements of a tensor that is computed late */
    LARGE_UPDATE = 128 * 1024, /* of a variable whose update comes early, */
    SHARE_OF_UPDATES = 10      /* if it is this part, a tenth, of all that is updated; others are
                                  repeated, one after another, by less C */
};

typedef struct Order {
    Coming coming; /* its loop is that whose kernels are put in order */
    KernelRun *item;
    int items, item_room;
    bool *done;         /* by item */
    int *blocker, *own; /* by item: Coming.blocker and own, when it was last looked at; -1: none */

    Kernel *test;   /* K_TEST of the loop, or NULL */
    bool *for_test; /* by slot: the test is computed from it */
    bool before_test;
    bool before_later; /* what reads a gradient that goes over the ranks comes after all else */

    Kernel **kernel; /* in their new order */
    int count, room;
    Kernel **late; /* copies to variables when all is computed */
    int lates, late_room;

    int *var_readers; /* by slot of a variable: kernels still to come that read it */

    /* items that come right before the first that reads what they store */
    int *waiting;
    int waitings;
    bool *waits;  /* by item: is it one of them? */
    int *made_by; /* by slot: 1 + the one of them that stores it, or 0; NULL if there is none */

    /* updates of variables, which come as soon as what they wait for is there */
    int *watcher; /* by slot: 1 + the last item that waits for its value, or for the readers of the
                     variable; 0: none. NULL: updates come in their order */
    int *next;    /* by item: 1 + the one before that waits for the same */
} Order;

/* ---- variables that are overwritten ---- */

/* The slot of the variable that a store overwrites; -1: none, or none that this program reads. */
static int overwritten(const Program *p, const Order *o, const Store *s)
{
    if (store_updates(&o->coming, s))
        return slot_of(p, s->node);

    const Place *place = store_place(p, s);
    if (place->kind != P_VAR || place->var->node == NULL)
        return -1;
    return slot_of(p, place->var->node);
}

/* Does the load v of k read the very element that store s overwrites, or is it read before all is
 * written? */
static bool reads_own_element(const Kernel *k, const Val *v, const Store *s)
{
    if (k->kind != K_LOOP)
        return false;
    /* scalars: all operands are read before the result is stored */
    if (k->axes == 0)
        return true;
    bool map = kernel_is_map(k) || s->target || s->node->op == OP_carried;
    return map && index_equal(v->at, s->at);
}

/* How many reads by k are of the variable in `slot` (*all), and how many of them are harmless when
 * store s overwrites it (*own)? */
static void count_own_reads(const Program *p, const Kernel *k, const Store *s, int slot, int *own,
                            int *all)
{
    const Node *var = p->node[slot];
    *own = *all = 0;

    for (int v = 0; v < k->vals; v++)
        if (k->val[v]->kind == V_LOAD && k->val[v]->node == var) {
            ++*all;
            *own += reads_own_element(k, k->val[v], s);
        }

    for (int i = 0; i < 3; i++)
        if (kernel_operand(p, k, i) == var) {
            ++*all;
            *own += k->kind == K_GEMM && i == 2; /* a product is added onto it */
        }
}

/* Must store s wait, because what it overwrites is still to be read? */
static bool store_waits(const Program *p, const Order *o, const Kernel *k, const Store *s)
{
    int slot = overwritten(p, o, s);
    int own;
    int all;

    if (slot < 0)
        return false;
    count_own_reads(p, k, s, slot, &own, &all);
    /* a read of another element by k itself, or any read by a kernel still to come */
    return own < all || o->var_readers[slot] > all;
}

static bool item_waits(const Program *p, const Order *o, const KernelRun *item)
{
    const Kernel *k = item->kernel[0];

    for (int s = 0; s < k->stores && item->count == 1; s++)
        if (store_waits(p, o, k, &k->store[s]))
            return true;
    return false;
}

/* ---- a value that is stored aside ---- */

/* A copy that is not a node of the graph, so that it can have a place of its own. */
static Node *extra_node(Program *p, Node *of, int phase)
{
    Node *n = arena_copy(p->ngc, of, sizeof *of);
    int extra = p->nodes;

    n->op = OP_copy;
    n->nargs = 1;
    n->arg = arena_copy(p->ngc, &of, sizeof of);
    /* ids after those of the graph, for which slots have room */
    n->id = p->graph->count + p->extras++;

    p->slot[n->id] = extra;
    p->node[extra] = n;
    p->phase[extra] = (unsigned char)phase;
    p->nodes++;
    p->place[extra] = (Place){.kind = P_SPACE, .offset = -1};
    return n;
}

/* The target whose place is the storage of n. */
static Target *claiming_target(const Program *p, const Node *n)
{
    Target *found = NULL;

    for (int i = 0; i < p->targets; i++)
        if (p->target[i].claimed && program_holder(p, p->target[i].node) == n)
            found = &p->target[i];
    return found;
}

static void add_late(Program *p, Order *o, Kernel *k)
{
    LIST_GROW(p->ngc, o->late, o->lates, &o->late_room);
    o->late[o->lates++] = k;
}

/* The next value of a variable of the loop. */
static void store_update_aside(Program *p, Order *o, Kernel *k, Store *s)
{
    Node *leaf = s->node;
    Node *own = extra_node(p, leaf, k->phase);

    s->node = own;
    o->coming.writers[slot_of(p, own)]++;
    Kernel *put = kernel_put(p, leaf, own);
    put->loop = o->coming.loop;
    add_late(p, o, put);
}

/* The value is stored in a place of its own, and copied to the variable when all is computed. */
static void store_aside(Program *p, Order *o, Kernel *k, Store *s)
{
    Target *t = s->target;

    if (store_updates(&o->coming, s)) {
        store_update_aside(p, o, k, s);
        return;
    }
    if (t) {
        s->node = extra_node(p, s->node, t->phase);
        s->target = NULL;
        o->coming.writers[slot_of(p, s->node)]++;
    } else {
        /* the target's place was to be the node's own; now it becomes a copy */
        t = claiming_target(p, s->node);
        t->claimed = false;
        Place *own = program_own_place(p, s->node);
        own->kind = P_SPACE;
        own->offset = -1;
    }
    add_late(p, o, kernel_map(p, &s->node, 1, t));
}

/* ---- the kernels of one loop, or of none ---- */

/* Does the item wait for gradients that go over the ranks? */
static bool reads_later(Program *p, const KernelRun *item)
{
    for (int i = 0; i < item->count; i++)
        if (kernel_reads_later(p, item->kernel[i]))
            return true;
    return false;
}

static void append_kernel(Program *p, Order *o, Kernel *k)
{
    LIST_GROW(p->ngc, o->kernel, o->count, &o->room);
    o->kernel[o->count++] = k;
}

static void append_item(Program *p, Order *o, int i);

/* Appends the update i, or puts it where it is woken up. */
static void try_update(Program *p, Order *o, int i)
{
    const KernelRun *item = &o->item[i];
    int slot = -1;

    if (o->done[i] || (o->before_later && reads_later(p, item)))
        return;
    /* asleep until this slot changes: each wait is looked at once for each event that can end it,
     * and not in every round */
    if (coming_blocks(p, &o->coming, item))
        slot = o->coming.blocker;
    for (int s = 0; s < item->kernel[0]->stores && slot < 0; s++)
        if (store_waits(p, o, item->kernel[0], &item->kernel[0]->store[s]))
            slot = overwritten(p, o, &item->kernel[0]->store[s]);

    if (slot < 0) {
        append_item(p, o, i);
    } else {
        o->next[i] = o->watcher[slot];
        o->watcher[slot] = i + 1;
    }
}

static void wake(Program *p, Order *o, int slot)
{
    int i = o->watcher[slot];

    /* the list is taken off first, since an update that still waits may put itself on it again */
    for (o->watcher[slot] = 0; i > 0;) {
        int next = o->next[i - 1];
        try_update(p, o, i - 1);
        i = next;
    }
}

static void wake_for_variable(Program *p, const Kernel *k, const Node *n, void *order)
{
    (void)k;
    if (n->op == OP_var)
        wake(p, order, slot_of(p, n));
}

/* The item has been appended: tries the updates that waited for its results, or for it to read. */
static void wake_updates(Program *p, Order *o, const KernelRun *item)
{
    for (int k = 0; k < item->count; k++) {
        const Kernel *kernel = item->kernel[k];
        for (int s = 0; s < kernel->stores; s++)
            if (!kernel->store[s].target)
                wake(p, o, slot_of(p, kernel->store[s].node));
        kernel_each_read(p, kernel, wake_for_variable, o);
    }
}

/* What has waited for a kernel that reads it comes now. */
static void append_waiting(Program *p, const Kernel *k, const Node *n, void *order)
{
    Order *o = order;
    int item = o->made_by[slot_of(p, n)] - 1;

    (void)k;
    if (item >= 0 && !o->done[item])
        append_item(p, o, item);
}

static bool loads(const Kernel *k, const Node *n)
{
    for (int v = 0; v < k->vals; v++)
        if (k->val[v]->kind == V_LOAD && k->val[v]->node == n)
            return true;
    return false;
}

/* What reads a variable that the item overwrites has waited long enough. */
static void append_readers(Program *p, Order *o, const KernelRun *item)
{
    const Kernel *k = item->kernel[0];

    for (int s = 0; o->waitings && item->count == 1 && s < k->stores; s++) {
        int slot = overwritten(p, o, &k->store[s]);
        for (int w = 0; slot >= 0 && w < o->waitings; w++) {
            int i = o->waiting[w];
            if (!o->done[i] && loads(o->item[i].kernel[0], p->node[slot]))
                append_item(p, o, i);
        }
    }
}

static void append_item(Program *p, Order *o, int i)
{
    const KernelRun *item = &o->item[i];

    /* right before its first reader comes what was kept back for it */
    for (int k = 0; o->waitings && k < item->count; k++)
        kernel_each_read(p, item->kernel[k], append_waiting, o);
    for (int k = 0; k < item->count; k++) {
        kernel_count_reads(p, item->kernel[k], o->var_readers, -1);
        append_kernel(p, o, item->kernel[k]);
    }
    /* of what waits, the stores were taken off the counts at the beginning */
    if (!o->waits[i])
        coming_count(p, &o->coming, item, -1);
    o->done[i] = true;
    if (o->watcher)
        wake_updates(p, o, item);
}

/* Does the item compute something that the test of the loop needs? */
static bool is_for_test(const Program *p, const Order *o, const KernelRun *item)
{
    for (int i = 0; i < item->count; i++)
        for (int s = 0; s < item->kernel[i]->stores; s++) {
            const Store *store = &item->kernel[i]->store[s];
            if (!store_updates(&o->coming, store) && o->for_test[slot_of(p, store->node)])
                return true;
        }
    return false;
}

static bool all_done(const Program *p, const Order *o)
{
    for (int i = 0; i < o->items; i++)
        if (!o->done[i] && !o->waits[i] && (!o->before_test || is_for_test(p, o, &o->item[i])))
            return false;
    return true;
}

/* Does the item still wait for the store that it waited for when it was last looked at? */
static bool is_still_blocked(const Order *o, int i)
{
    return o->blocker[i] >= 0 && o->coming.writers[o->blocker[i]] > o->own[i];
}

/* Appends every item that can come next, in one walk over those that are left. Returns the first
 * kernel that waits only because it overwrites a variable; NULL: there is none. */
static Kernel *append_ready(Program *p, Order *o, bool *some)
{
    Kernel *stuck = NULL;

    *some = false;
    for (int i = 0; i < o->items; i++) {
        const KernelRun *item = &o->item[i];
        if (o->done[i] || o->waits[i] || (o->before_test && !is_for_test(p, o, item)))
            continue;
        /* a cheap test first: most items wait for the same store as in the last round */
        if (is_still_blocked(o, i) || (o->before_later && reads_later(p, item)))
            continue;
        if (coming_blocks(p, &o->coming, item)) {
            o->blocker[i] = o->coming.blocker;
            o->own[i] = o->coming.own;
            continue;
        }
        /* before the variable is overwritten, its kept-back readers must have come */
        append_readers(p, o, item);
        /* the last of them has woken this update up */
        if (o->done[i]) {
            *some = true;
            continue;
        }
        if (item_waits(p, o, item)) {
            if (!stuck)
                stuck = item->kernel[0];
            continue;
        }
        append_item(p, o, i);
        *some = true;
    }
    return stuck;
}

/* Appends all items, or all that the test needs. */
static void append_all(Program *p, Order *o)
{
    while (!all_done(p, o)) {
        bool some;
        Kernel *stuck = append_ready(p, o, &some);
        if (some)
            continue;

        /* a ring of kernels that overwrite what others read: one of them stores aside */
        if (stuck == NULL)
            ngc_bug("%s: kernels wait for each other", p->name);
        for (int s = 0; s < stuck->stores; s++)
            if (store_waits(p, o, stuck, &stuck->store[s]))
                store_aside(p, o, stuck, &stuck->store[s]);
    }
}

/* Appends what need not wait for gradients that go over the ranks. */
static void append_before_later(Program *p, Order *o)
{
    bool some = p->ngc->opt.ranks && !o->coming.loop;

    o->before_later = some;
    while (some)
        append_ready(p, o, &some);
    o->before_later = false;
}

/* Is the item a large tensor that is computed from variables alone? */
static bool may_wait(const Program *p, const Order *o, const KernelRun *item)
{
    const Kernel *k = item->kernel[0];
    bool reads = false;

    if (item->count != 1 || !kernel_is_map(k))
        return false;
    for (int s = 0; s < k->stores; s++) {
        int slot = slot_of(p, k->store[s].node);
        /* stored here only, in memory that is planned, and large enough to matter */
        if (k->store[s].target || p->place[slot].kind != P_SPACE || o->coming.writers[slot] != 1 ||
            shape_count_max(p->graph, k->store[s].node->shape) < LARGE)
            return false;
    }
    for (int v = 0; v < k->vals; v++)
        if (k->val[v]->kind == V_LOAD) {
            reads = true;
            if (k->val[v]->node->op != OP_var)
                return false;
        }
    return reads;
}

/* Items that wait store nothing that is still to come: it comes when it is read. */
static void find_waiting(Program *p, Order *o)
{
    size_t slots = (size_t)(p->nodes + p->targets + p->kernels + 1);

    for (int i = 0; i < o->items; i++) {
        const KernelRun *item = &o->item[i];
        if (!may_wait(p, o, item))
            continue;

        if (!o->made_by) {
            o->made_by = arena_array(p->ngc, slots, sizeof *o->made_by);
            o->waiting = arena_array(p->ngc, o->items, sizeof *o->waiting);
        }
        o->waiting[o->waitings++] = i;
        o->waits[i] = true;
        coming_count(p, &o->coming, item, -1);
        for (int s = 0; s < item->kernel[0]->stores; s++)
            o->made_by[slot_of(p, item->kernel[0]->store[s].node)] = i + 1;
    }
}

/* The elements of the variables of the model that the item overwrites, if it does nothing else. */
static int64_t updated(const Program *p, const KernelRun *item)
{
    const Kernel *k = item->kernel[0];
    int64_t count = 0;

    if (!run_updates_only(p, item))
        return 0;
    for (int s = 0; s < k->stores; s++)
        count += shape_count_max(p->graph, k->store[s].node->shape);
    return count;
}

static void find_updates(Program *p, Order *o)
{
    size_t slots = (size_t)(p->nodes + p->targets + p->kernels + 1);
    int64_t all = 0;

    for (int i = 0; i < o->items; i++)
        all += updated(p, &o->item[i]);

    o->watcher = arena_array(p->ngc, slots, sizeof *o->watcher);
    o->next = arena_array(p->ngc, o->items + 1, sizeof *o->next);
    for (int i = 0; i < o->items; i++) {
        int64_t count = updated(p, &o->item[i]);
        /* one large update early frees its gradient; many small ones stay side by side, where equal
         * statements become a loop */
        if (count >= LARGE_UPDATE && count >= all / SHARE_OF_UPDATES)
            try_update(p, o, i);
    }
}

static void order_items(Program *p, Order *o)
{
    Ngc *ngc = p->ngc;
    size_t room = (size_t)o->items + 1;

    o->done = arena_alloc(ngc, room);
    o->waits = arena_alloc(ngc, room);
    o->own = arena_array(ngc, room, sizeof *o->own);
    o->blocker = arena_array(ngc, room, sizeof *o->blocker);
    for (int i = 0; i < o->items; i++) {
        o->blocker[i] = -1;
        for (int k = 0; k < o->item[i].count; k++)
            kernel_count_reads(p, o->item[i].kernel[k], o->var_readers, 1);
        coming_count(p, &o->coming, &o->item[i], 1);
    }

    /* at -O0 statements keep the order of the text */
    if (!p->plain && !p->init && !o->coming.loop) {
        find_waiting(p, o);
        find_updates(p, o);
    }

    /* the test decides whether this pass is done, so nothing that a pass changes may come before it
     */
    o->before_test = o->test != NULL;
    if (o->test) {
        append_all(p, o);
        append_kernel(p, o, o->test);
        o->before_test = false;
    }
    /* while gradients travel between the ranks, all else is computed */
    append_before_later(p, o);
    append_all(p, o);
    for (int w = 0; w < o->waitings; w++)
        if (!o->done[o->waiting[w]])
            append_item(p, o, o->waiting[w]);
    for (int i = 0; i < o->lates; i++)
        append_kernel(p, o, o->late[i]);
}

/* ---- all loops ---- */

static void add_item(Program *p, Order *o, Kernel **kernel, int count)
{
    LIST_GROW(p->ngc, o->item, o->items, &o->item_room);
    o->item[o->items++] = (KernelRun){kernel, count};
}

static Kernel *mark_kernel(Program *p, KernelKind kind, const struct ProgramLoop *l)
{
    Kernel *k = arena_alloc(p->ngc, sizeof *k);

    k->kind = kind;
    k->loop = l->of;
    k->phase = p->phase[slot_of(p, l->node)];
    k->product = l->node;
    k->store = arena_alloc(p->ngc, sizeof *k->store);
    return k;
}

/* The value of a number that K_FOR or K_TEST reads. */
static void read_number(Program *p, Kernel *k, Node *n)
{
    static const Index origin[MAX_RANK];

    if (n)
        k->alpha = val_of(p, k, n, origin);
}

/* The node that has the number of passes of this loop, or NULL. */
static Node *passes_node(const Program *p, const Node *loop)
{
    for (int i = loop_test(loop) ? 0 : p->nodes; i < p->nodes; i++)
        if (p->node[i]->op == OP_passes && p->node[i]->arg[0] == loop)
            return p->node[i];
    return NULL;
}

/* The body's nodes that the test is computed from. */
static void find_for_test(Program *p, const struct ProgramLoop *l, Order *o)
{
    const Node *test = loop_test(l->node);
    o->for_test = arena_array(p->ngc, p->nodes + 1, sizeof *o->for_test);
    o->for_test[p->slot[test->id]] = true;

    /* users before operands */
    for (int i = p->nodes - 1; i >= 0; i--) {
        const Node *n = p->node[i];
        if (!o->for_test[i] || n->in[l->of->level] != l->of)
            continue;
        for (int k = 0; k < n->nargs; k++)
            o->for_test[slot_of(p, n->arg[k])] = true;
    }
}

/* The kernels of the loop in order, from K_FOR to K_NEXT; the test comes before anything that a
 * pass changes. */
static KernelRun order_loop(Program *p, const struct ProgramLoop *l, Order *o)
{
    Order whole = {0};
    Kernel *begin = mark_kernel(p, K_FOR, l);
    Kernel *end = mark_kernel(p, K_NEXT, l);
    Node *passes = passes_node(p, l->node);

    if (loop_test(l->node)) {
        o->test = mark_kernel(p, K_TEST, l);
        read_number(p, o->test, loop_test(l->node));
        find_for_test(p, l, o);
    }
    order_items(p, o);

    read_number(p, begin, loop_count(l->node));
    if (passes)
        end->store[end->stores++] = (Store){.node = passes};

    append_kernel(p, &whole, begin);
    for (int i = 0; i < o->count; i++)
        append_kernel(p, &whole, o->kernel[i]);
    append_kernel(p, &whole, end);
    return (KernelRun){whole.kernel, whole.count};
}

void program_positions(Program *p)
{
    for (int i = 0; i < p->kernels; i++) {
        const Kernel *k = p->kernel[i];
        if (k->kind == K_FOR)
            program_loop(p, k->loop)->begin = i;
        if (k->kind == K_NEXT)
            program_loop(p, k->loop)->end = i;
    }
}

/* How often each kernel is done. */
static void find_times(Program *p)
{
    for (int i = 0; i < p->kernels; i++) {
        p->kernel[i]->times = 1;
        for (const Loop *l = p->kernel[i]->loop; l; l = program_loop(p, l)->outer)
            p->kernel[i]->times *= (double)size_max(p->graph, l->passes);
    }
}

/* An Order for each loop, and one for what is outside of all. */
static Order *orders_new(Program *p)
{
    Ngc *ngc = p->ngc;
    Order *of = arena_array(ngc, p->loops + 1, sizeof *of);

    /* Counts are 0 again when all items of a loop are in order, so all loops share them. A variable
     * may get a node for a value that is stored aside. */
    size_t room = (size_t)(p->nodes + p->targets + p->kernels + 1);
    int *writers = arena_array(ngc, room, sizeof *writers);
    int *var_readers = arena_array(ngc, room, sizeof *var_readers);
    for (int i = 0; i <= p->loops; i++) {
        of[i].coming.writers = writers;
        of[i].var_readers = var_readers;
    }
    for (int i = 0; i < p->loops; i++)
        of[i].coming.loop = p->loop[i].of;
    return of;
}

/* The Order of the kernels in a loop, or outside of all (NULL). */
static Order *order_of(const Program *p, Order *of, const Loop *loop)
{
    if (loop)
        return &of[program_loop(p, loop) - p->loop];
    return &of[p->loops];
}

void program_order(Program *p)
{
    Order *of = orders_new(p);
    Order *outside = order_of(p, of, NULL);
    for (int i = 0; i < p->kernels; i++)
        add_item(p, order_of(p, of, p->kernel[i]->loop), &p->kernel[i], 1);

    /* inner loops come first in p->loop, so each is a finished item when the loop around it is put
     * in order */
    for (int i = 0; i < p->loops; i++) {
        KernelRun item = order_loop(p, &p->loop[i], &of[i]);
        add_item(p, order_of(p, of, p->loop[i].outer), item.kernel, item.count);
    }
    order_items(p, outside);

    p->kernel = outside->kernel;
    p->kernels = outside->count;
    p->kernel_room = outside->room;
    program_positions(p);
    if (p->plain) {
        program_sink(p);
        program_positions(p);
    }
    find_times(p);
}
