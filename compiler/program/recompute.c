/* recompute.c - backward computes some values of forward again, so that they need no memory in
 * between. Their kernels are done a second time, right before the first kernel that needs them, on
 * the same values: each result has the same bits.
 *
 * Requires: finished kernels, without parts or places in memory. Keeps: what each kernel computes.
 * Gives: kernels with Kernel.again, which store copies of nodes; readers after them read these. A
 * program without a limit (Program.room) stays as it is.
 */
#include "program/flow.h"

#include <string.h>

typedef struct Copier {
    Flow *f;
    Program *p;
    Node **copy;   /* by slot: the node that is computed again; NULL: none */
    Node **inside; /* by slot: of the kernel at hand, what only it reads */
    int slot_room;
    KernelRun *item; /* in their new order */
    int items, item_room;
} Copier;

/* ---- nodes that are computed again ---- */

static void *longer(Ngc *ngc, const void *old, int count, int room, size_t item)
{
    void *now = arena_alloc(ngc, (size_t)room * item);

    memcpy(now, old, (size_t)count * item);
    return now;
}

/* The list with room for more than its `count` items, in place. */
#define LONGER(ngc, list, count, room) ((list) = longer(ngc, list, count, room, sizeof *(list)))

/* Room for one more slot in all tables. */
static void grow_slots(Copier *c)
{
    Program *p = c->p;
    int n = p->nodes;
    int room = 2 * n + 16;

    if (n < c->slot_room)
        return;
    LONGER(p->ngc, p->node, n, room);
    LONGER(p->ngc, p->place, n, room);
    LONGER(p->ngc, p->phase, n, room);
    LONGER(p->ngc, p->weight, n, room);
    LONGER(p->ngc, p->depth, n, room);
    LONGER(p->ngc, p->given, n, room);
    LONGER(p->ngc, p->readers, n, room);
    c->slot_room = room;
}

/* Makes a node of the graph of n, in this slot. */
static void adopt(Program *p, Node *n, int slot)
{
    graph_adopt(p->graph, n);
    if (n->id >= p->slots) {
        int room = 2 * n->id + 16;
        p->slot = longer(p->ngc, p->slot, p->slots, room, sizeof *p->slot);
        p->slots = room;
    }
    p->slot[n->id] = slot;
}

/* A node that is like n, but not shared with it, in this slot. */
static Node *new_node(Copier *c, const Node *n, int slot)
{
    Program *p = c->p;
    Node *copy = arena_copy(p->ngc, n, sizeof *n);

    copy->arg = LIST_COPY(p->ngc, n->arg, n->nargs);
    adopt(p, copy, slot);
    return copy;
}

/* A node that is like n, in a slot of its own. */
static Node *new_value(Copier *c, const Node *n)
{
    Program *p = c->p;
    int from = slot_of(p, n);
    int slot = p->nodes;
    grow_slots(c);

    Node *copy = new_node(c, n, slot);
    p->node[slot] = copy;
    p->place[slot] = (Place){.kind = P_SPACE, .offset = -1, .label = p->place[from].label};
    /* within a nest it stays a variable, or an array for one row */
    if (p->place[from].kind == P_ROW)
        p->place[slot] = p->place[from];
    p->phase[slot] = c->f->phases;
    p->nodes++;
    return copy;
}

/* What takes the place of the stored value n where it is read. */
static const Node *now_value(const Copier *c, const Node *n)
{
    int slot = slot_of(c->p, n);

    /* made by this pass: it is itself what is there now */
    if (slot >= c->f->values)
        return n;
    if (c->inside && c->inside[slot])
        return c->inside[slot];
    if (flow_drops(c->f, slot) && c->copy[slot])
        return c->copy[slot];
    return n;
}

/* The same for an operand of a product or a call: it may be a view of the value, or zeros around
 * it. These are copied, too, in the slots that they have. */
static Node *now_operand(Copier *c, Node *n)
{
    PlaceKind kind = program_own_place(c->p, n)->kind;

    if (kind != P_ALIAS && (kind != P_FOLDED || n->op != OP_pad))
        return (Node *)now_value(c, n);

    Node *under = now_operand(c, n->arg[0]);
    /* nothing under the view has changed */
    if (under == n->arg[0])
        return n;
    Node *copy = new_node(c, n, slot_of(c->p, n));
    copy->arg[0] = under;
    return copy;
}

/* A product or a call on the values that are there now. */
static Node *now_product(Copier *c, Node *n)
{
    Node **arg = LIST_COPY(c->p->ngc, n->arg, n->nargs);
    bool same = true; /* as before */

    for (int i = 0; i < n->nargs; i++) {
        if (slot_of(c->p, n->arg[i]) >= 0)
            arg[i] = now_operand(c, n->arg[i]);
        same = same && arg[i] == n->arg[i];
    }
    if (same)
        return n;
    Node *copy = new_node(c, n, slot_of(c->p, n));
    copy->arg = arg;
    return copy;
}

/* ---- kernels ---- */

/* Lets a kernel of backward read what is there now. */
static void read_again(Copier *c, Kernel *k)
{
    for (int v = 0; v < k->vals; v++)
        if (k->val[v]->kind == V_LOAD)
            k->val[v]->node = now_value(c, k->val[v]->node);
    if (k->product && (k->kind == K_GEMM || k->kind == K_CALL))
        k->product = now_product(c, k->product);
    if (k->onto)
        k->onto = now_operand(c, k->onto);
}

typedef struct Vals { /* the copies of one kernel's values, by id */
    Copier *c;
    Val **copy;
} Vals;

static Val *copy_val(Vals *x, const Val *v);

static Index *copy_index(Vals *x, const Index *at)
{
    if (at == NULL)
        return NULL;

    Index *copy = arena_copy(x->c->p->ngc, at, sizeof *at);
    for (int i = 0; i < at->parts; i++)
        copy->part[i].val = copy_val(x, at->part[i].val);
    return copy;
}

static Val *copy_val(Vals *x, const Val *v)
{
    if (v == NULL)
        return NULL;
    if (x->copy[v->id])
        return x->copy[v->id];

    Val *copy = x->copy[v->id] = arena_copy(x->c->p->ngc, v, sizeof *v);
    if (v->kind == V_LOAD)
        copy->node = now_value(x->c, v->node);
    copy->at = copy_index(x, v->at);
    for (int i = 0; i < 3; i++)
        copy->arg[i] = copy_val(x, v->arg[i]);
    return copy;
}

/* The same loops, with the stores in `set`; from: the number of the first of them in the unit. */
static Kernel *copy_loops(Copier *c, const Kernel *k, uint64_t set, int from)
{
    Ngc *ngc = c->p->ngc;
    Kernel *copy = arena_copy(ngc, k, sizeof *k);
    Vals x = {.c = c, .copy = arena_array(ngc, k->vals + 1, sizeof *x.copy)};

    if (k->extent)
        copy->extent = arena_copy(ngc, k->extent, MAX_AXES * sizeof *k->extent);
    else
        copy->extent = NULL;
    if (k->axis)
        copy->axis = arena_copy(ngc, k->axis, MAX_AXES * sizeof *k->axis);
    else
        copy->axis = NULL;
    copy->store = arena_array(ngc, k->stores + 1, sizeof *k->store);
    copy->stores = copy->vals = 0;
    copy->val = arena_array(ngc, k->vals + 1, sizeof *k->val);
    /* values are copied as stores ask for them, so what only dropped stores needed is left out */
    copy->alpha = copy_val(&x, k->alpha);

    for (int s = 0; s < k->stores; s++) {
        if (!(set >> (from + s) & 1))
            continue;
        Store *store = &copy->store[copy->stores++];
        *store = k->store[s];
        store->node = c->inside[slot_of(c->p, store->node)];
        store->target = NULL;
        store->val = copy_val(&x, k->store[s].val);
        store->at = copy_index(&x, k->store[s].at);
    }

    for (int v = 0; v < k->vals; v++) /* arguments first, as before */
        if (x.copy[v])
            copy->val[copy->vals++] = x.copy[v];
    kernel_finish(c->p, copy);
    return copy;
}

/* The same nest, with the members that have a store in `set`. */
static Kernel *copy_nest(Copier *c, const Kernel *k, uint64_t set)
{
    Kernel *copy = arena_copy(c->p->ngc, k, sizeof *k);
    int from = 0;

    copy->member = arena_array(c->p->ngc, k->members + 1, sizeof *k->member);
    copy->members = 0;
    for (int m = 0; m < k->members; m++) {
        int stores = k->member[m]->stores;
        if (set >> from & ((UINT64_C(1) << stores) - 1))
            copy->member[copy->members++] = copy_loops(c, k->member[m], set, from);
        from += stores;
    }
    copy->extent = arena_copy(c->p->ngc, copy->extent, MAX_AXES * sizeof *k->extent);
    copy->axis = arena_copy(c->p->ngc, copy->axis, MAX_AXES * sizeof *k->axis);
    kernel_gather_members(c->p, copy);
    return copy;
}

/* A product or a call stores one value. */
static Kernel *copy_call(Copier *c, const Kernel *k, uint64_t set)
{
    Kernel *copy = copy_loops(c, k, set, 0);

    if (k->product) {
        copy->product = now_product(c, k->product);
        /* the product is the result: its copy has the slot of the new result */
        if (k->product == k->store[0].node) {
            if (copy->product == k->product)
                copy->product = new_node(c, k->product, -1);
            c->p->slot[copy->product->id] = slot_of(c->p, copy->store[0].node);
        }
    }
    if (k->onto)
        copy->onto = now_operand(c, k->onto);
    return copy;
}

/* A node for each value that the step stores: one that later kernels read, or one for this kernel
 * only. */
static void make_values(Copier *c, const FlowStep *s)
{
    const Unit *u = &c->f->unit[s->unit];

    for (int i = 0; i < u->pieces; i++) {
        int v = u->piece[i].value;
        if (!(s->pieces >> i & 1) || c->inside[v])
            continue;

        if (flow_begins(c->f, s, v) || !c->copy[v])
            c->copy[v] = new_value(c, c->p->node[v]);
        c->inside[v] = c->copy[v];
    }
}

static Kernel *repeat_kernel(Copier *c, const FlowStep *s)
{
    const Kernel *k = c->f->unit[s->unit].kernel;

    c->inside = arena_array(c->p->ngc, c->f->values + 1, sizeof *c->inside);
    make_values(c, s);

    Kernel *copy;
    if (k->member)
        copy = copy_nest(c, k, s->pieces);
    else
        copy = copy_call(c, k, s->pieces);
    copy->phase = c->f->phases;
    copy->again = true;
    for (int m = 0; m < copy->members; m++)
        copy->member[m]->phase = copy->phase;
    c->inside = NULL;
    return copy;
}

static void append_item(Copier *c, KernelRun item)
{
    LIST_GROW(c->p->ngc, c->item, c->items, &c->item_room);
    c->item[c->items++] = item;
}

static void copy_program(Copier *c)
{
    Flow *f = c->f;

    for (int i = 0; i < f->steps; i++) {
        const FlowStep *s = &f->step[i];
        KernelRun item = f->unit[s->unit].item;
        if (s->again) {
            Kernel *k = repeat_kernel(c, s);
            item = (KernelRun){arena_copy(c->p->ngc, &k, sizeof k), 1};
        }
        /* forward reads the values themselves, backward what was computed again */
        for (int k = 0; k < item.count && !s->again && s->unit >= f->forwards; k++)
            read_again(c, item.kernel[k]);
        append_item(c, item);
    }
}

/* The kernels of all items. */
static void set_kernels(Program *p, const KernelRun *item, int items)
{
    int count = 0;

    for (int i = 0; i < items; i++)
        count += item[i].count;
    Kernel **kernel = arena_array(p->ngc, count + 1, sizeof *kernel);

    p->kernels = 0;
    for (int i = 0; i < items; i++)
        for (int k = 0; k < item[i].count; k++)
            kernel[p->kernels++] = item[i].kernel[k];
    p->kernel = kernel;
    p->kernel_room = count;
    program_positions(p);
}

/* ---- the pass ---- */

/* What the report says. */
static void count_repeats(Program *p, const Flow *f)
{
    for (int i = 0; i < f->steps; i++) {
        const FlowStep *s = &f->step[i];
        const Unit *u = &f->unit[s->unit];
        for (int x = 0; x < u->pieces && s->again; x++) {
            int v = u->piece[x].value;
            bool is_made = s->pieces >> x & 1;
            if (is_made && f->bytes[v] > 0)
                p->again[v] += f->maker[f->first[v]] == s->unit;
        }
    }
}

void program_recompute(Program *p)
{
    Flow *f = NULL;
    if (p->room >= 0)
        f = flow_new(p);
    if (f == NULL)
        return;

    budget_choose(f, p->room);

    Copier c = {.f = f, .p = p, .slot_room = p->nodes};
    c.copy = arena_array(p->ngc, f->values + 1, sizeof *c.copy);
    for (int i = p->nodes - p->extras; i < p->nodes; i++)
        adopt(p, p->node[i], i); /* fuse.c has numbered them as the next nodes of the graph */
    copy_program(&c);
    /* once more: with copies, updates may come earlier */
    flow_order(p, c.item, c.items, f->forwards);

    p->again = arena_array(p->ngc, p->nodes + 1, sizeof *p->again);
    count_repeats(p, f);
    set_kernels(p, c.item, c.items);
}
