/* flow.c - which kernels a program runs where backward computes some values of forward again, and
 * how much memory it needs then.
 *
 * In: a program whose kernels are finished, and a choice of values that are kept. Out: the kernels
 * in their order, with those that are computed again right before the first that needs them; the
 * most bytes that live at one time, as plan.c would share them. The program is not changed.
 */
#include "program/flow.h"

#include <string.h>

enum {
    ALIGN = 16,         /* elements, as plan.c aligns values */
    WORTH_SPACE = 1024, /* a value of less than this part of all is not worth computing again */
};

/* ---- the values that a piece reads ---- */

typedef struct Reads { /* being gathered for one piece */
    const Program *p;
    int *slot;
    int count, room;
    bool *seen_val; /* by Val.id */
} Reads;

static void add_slot(Reads *r, int slot)
{
    for (int i = 0; i < r->count; i++)
        if (r->slot[i] == slot)
            return;
    LIST_GROW(r->p->ngc, r->slot, r->count, &r->room);
    r->slot[r->count++] = slot;
}

static void add_val(Reads *r, const Val *v);

static void add_index(Reads *r, const Index *at)
{
    for (int i = 0; at && i < at->parts; i++)
        add_val(r, at->part[i].val);
}

static void add_val(Reads *r, const Val *v)
{
    if (v == NULL || r->seen_val[v->id])
        return;
    r->seen_val[v->id] = true;

    if (v->kind == V_LOAD)
        add_slot(r, slot_of(r->p, v->node));
    add_index(r, v->at);
    for (int i = 0; i < 3; i++)
        add_val(r, v->arg[i]);
}

static void add_read(Program *p, const Kernel *k, const Node *n, void *with)
{
    (void)k;
    add_slot(with, slot_of(p, n));
}

static Reads reads_of_store(Program *p, const Kernel *k, const Store *s)
{
    Reads r = {.p = p};

    if (k->kind != K_LOOP) {
        kernel_each_read(p, k, add_read, &r);
        return r;
    }
    r.seen_val = arena_alloc(p->ngc, (size_t)(k->vals + 1));
    add_val(&r, s->val);
    add_index(&r, s->at);
    return r;
}

/* ---- units and pieces ---- */

/* The tensors that store s of kernel k may be written over, as far as sizes are concerned. */
static void find_overs(Flow *f, Unit *u, Piece *x, const Store *s)
{
    Program *p = f->p;
    Reads r = {.p = p};
    int64_t size = shape_count_max(p->graph, s->node->shape);

    kernel_each_read(p, u->kernel, add_read, &r);
    x->over = arena_array(p->ngc, r.count + 1, sizeof *x->over);
    for (int i = 0; i < r.count && x->value >= 0; i++) {
        int slot = r.slot[i];
        const Node *n = p->node[slot];
        /* the same type and size, and memory that can be shared */
        bool alike = n->type == s->node->type && shape_count_max(p->graph, n->shape) == size;
        bool fits = alike && slot != x->value && f->bytes[slot] > 0;
        if (fits && store_is_in_place(p, u->kernel, s, n))
            x->over[x->overs++] = slot;
    }
}

static void add_piece(Flow *f, Unit *u, const Kernel *in, int member, int store)
{
    Program *p = f->p;
    const Store *s = &in->store[store];
    Reads r = reads_of_store(p, in, s);
    Piece *x = &u->piece[u->pieces++];

    *x = (Piece){.value = s->target ? -1 : slot_of(p, s->node),
                 .member = member,
                 .store = store,
                 .read = r.slot,
                 .reads = r.count,
                 .time = kernel_time(p, in) / in->stores};

    if (x->value >= 0) {
        PlaceKind kind = p->place[x->value].kind;
        x->fixed = kind == P_GRAD || kind == P_MEMBER;
    }
    find_overs(f, u, x, s);
}

/* Has each operation the same result wherever it is done, alone in a loop or with others? The C of
 * a costly function may be another where the loop is done in vectors. */
static bool is_exact(const Kernel *k)
{
    for (int i = 0; i < k->vals; i++)
        if (k->val[i]->kind == V_OP && !op_has(k->val[i]->op, F_CHEAP))
            return false;
    return true;
}

static Unit new_unit(Flow *f, KernelRun item)
{
    Kernel *k = item.kernel[0];
    int stores = k->stores;
    Unit u = {.item = item, .kernel = k, .repeats = k->kind != K_RANDOM};

    u.piece = arena_array(f->p->ngc, stores + 1, sizeof *u.piece);
    for (int s = 0; s < stores && !k->member; s++)
        add_piece(f, &u, k, 0, s);
    u.whole = !k->member && stores > 1 && !is_exact(k);

    for (int m = 0; m < k->members; m++) {
        const Kernel *member = k->member[m];
        for (int s = 0; s < member->stores; s++)
            add_piece(f, &u, member, m, s);
        u.whole |= member->stores > 1 && !is_exact(member);
    }
    u.repeats &= u.pieces <= MAX_PIECES;
    return u;
}

/* ---- forward and backward ---- */

static bool stores_result(const Program *p, const KernelRun *item, const bool *needed)
{
    for (int i = 0; i < item->count; i++) {
        const Kernel *k = item->kernel[i];
        for (int s = 0; s < k->stores; s++) {
            const Store *store = &k->store[s];
            if (store_place(p, store)->kind == P_MEMBER)
                return true;
            if (!store->target && needed[slot_of(p, store->node)])
                return true;
        }
    }
    return false;
}

static void mark_needed(Program *p, const Kernel *k, const Node *n, void *with)
{
    bool *needed = with;
    (void)k;
    needed[slot_of(p, n)] = true;
}

/* By item: is it of forward? Where backward is a function of its own, phases say so. Otherwise,
 * forward is what losses and other results are computed from. */
static bool *find_forward(Flow *f, const KernelRun *item, int count)
{
    Program *p = f->p;
    bool *forward = arena_alloc(p->ngc, (size_t)(count + 1));
    bool *needed = arena_alloc(p->ngc, (size_t)(p->nodes + 1));

    /* readers before writers: what a result needs is forward */
    for (int i = count - 1; i >= 0; i--) {
        f->phases |= item[i].kernel[0]->phase == 1;
        forward[i] = stores_result(p, &item[i], needed);
        for (int k = 0; k < item[i].count && forward[i]; k++)
            kernel_each_read(p, item[i].kernel[k], mark_needed, needed);
    }
    for (int i = 0; i < count && f->phases; i++)
        forward[i] = item[i].kernel[0]->phase == 0;
    return forward;
}

/* By slot: the reads and stores of all kernels. */
static int *count_uses(Program *p)
{
    int *uses = arena_array(p->ngc, p->nodes + 1, sizeof *uses);

    for (int i = 0; i < p->kernels; i++) {
        const Kernel *k = p->kernel[i];
        kernel_count_reads(p, k, uses, 1);
        for (int s = 0; s < k->stores; s++)
            uses[slot_of(p, k->store[s].node)]++;
    }
    return uses;
}

static void find_units(Flow *f)
{
    Program *p = f->p;
    size_t room = (size_t)(p->kernels + 1);
    KernelRun *all = arena_array(p->ngc, room, sizeof *all);
    KernelRun *list = arena_array(p->ngc, room, sizeof *list);
    int count = flow_items(p, all);
    const bool *forward = find_forward(f, all, count);

    /* forward first, then all of backward, each in its old order */
    for (int second = 0; second < 2; second++) {
        for (int i = 0; i < count; i++)
            if (forward[i] == !second)
                list[f->units++] = all[i];
        if (!second)
            f->forwards = f->units;
    }
    flow_order_late(p, list, f->units, f->forwards);
    flow_order(p, list, f->units, f->forwards);

    const int *uses = NULL;
    if (p->loops > 0)
        uses = count_uses(p);
    f->unit = arena_array(p->ngc, f->units + 1, sizeof *f->unit);
    for (int i = 0; i < f->units; i++)
        f->unit[i] = list[i].count > 1 ? flow_loop(f, list[i], uses) : new_unit(f, list[i]);
}

/* ---- values ---- */

static void find_bytes(Flow *f)
{
    const Program *p = f->p;

    for (int i = 0; i < f->values; i++) {
        const Node *n = p->node[i];
        PlaceKind kind = p->place[i].kind;
        int64_t count = shape_count_max(p->graph, n->shape);
        int64_t size = n->type == T_FLOAT && p->ngc->opt.real_double ? 8 : 4;

        f->row[i] = kind == P_ROW;
        if (kind == P_SPACE && !p->given[i] && !node_scalar(n))
            f->bytes[i] = (count + ALIGN - 1) / ALIGN * ALIGN * size;
    }
}

static void find_makers(Flow *f)
{
    int count = 0;

    for (int u = 0; u < f->units; u++) {
        const Unit *unit = &f->unit[u];
        for (int i = 0; i < unit->pieces; i++)
            if (unit->piece[i].value >= 0)
                f->first[unit->piece[i].value + 1]++;
    }

    /* counts become places: the makers of v are maker[first[v]] to maker[first[v + 1] - 1] */
    for (int v = 0; v < f->values; v++) {
        count += f->first[v + 1];
        f->first[v + 1] = count;
    }

    int *next = LIST_COPY(f->p->ngc, f->first, f->values + 1);
    f->maker = arena_array(f->p->ngc, count + 1, sizeof *f->maker);
    for (int u = 0; u < f->units; u++) {
        const Unit *unit = &f->unit[u];
        for (int i = 0; i < unit->pieces; i++)
            if (unit->piece[i].value >= 0)
                f->maker[next[unit->piece[i].value]++] = u;
    }
}

static void find_readers(Flow *f)
{
    for (int v = 0; v < f->values; v++)
        f->last_read[v] = -1;

    for (int u = 0; u < f->units; u++)
        for (int i = 0; i < f->unit[u].pieces; i++) {
            const Piece *x = &f->unit[u].piece[i];
            for (int r = 0; r < x->reads; r++)
                /* until when forward itself needs it; and whether backward reads it at all */
                if (u < f->forwards)
                    f->last_read[x->read[r]] = u;
                else
                    f->saved[x->read[r]] = true;
        }
}

/* By slot: variables that forward overwrites. What reads them cannot be computed again. */
static bool *find_overwritten(const Flow *f)
{
    const Program *p = f->p;
    bool *gone = arena_alloc(p->ngc, (size_t)(f->values + 1));

    for (int u = 0; u < f->forwards; u++) {
        const Kernel *k = f->unit[u].kernel;
        for (int s = 0; s < k->stores; s++) { /* a loop overwrites none */
            const Place *place = store_place(p, &k->store[s]);
            if (place->kind != P_VAR || place->var->node == NULL)
                continue;
            int slot = slot_of(p, place->var->node);
            if (slot >= 0)
                gone[slot] = true;
        }
    }
    return gone;
}

static void forbid_overwritten(Flow *f)
{
    const bool *gone = find_overwritten(f);

    for (int u = 0; u < f->forwards; u++) {
        Unit *unit = &f->unit[u];
        for (int i = 0; i < unit->pieces; i++) {
            const Piece *x = &unit->piece[i];
            for (int r = 0; r < x->reads; r++)
                if (gone[x->read[r]])
                    unit->repeats = false;
        }
    }
}

/* Can all of v be computed again, by the same kernels? Sums over the rows of a nest depend on what
 * else is in the nest: threads share them in another way. */
static bool can_repeat(const Flow *f, int v)
{
    for (int i = f->first[v]; i < f->first[v + 1]; i++) {
        const Unit *u = &f->unit[f->maker[i]];
        if (f->maker[i] >= f->forwards || !u->repeats)
            return false;

        Kernel *const *member = u->kernel->member;
        for (int x = 0; x < u->pieces && member; x++) {
            const Piece *piece = &u->piece[x];
            if (piece->value == v && kernel_sums_rows(member[piece->member]))
                return false;
        }
    }
    return f->first[v] < f->first[v + 1];
}

static int find_droppable(Flow *f)
{
    int64_t all = 0;
    int count = 0;

    for (int v = 0; v < f->values; v++)
        all += f->bytes[v];
    for (int v = 0; v < f->values; v++) {
        /* small values gain too little for the search to look at them */
        f->droppable[v] = f->bytes[v] > all / WORTH_SPACE && can_repeat(f, v);
        f->way[v] = f->saved[v] ? FLOW_KEEP : FLOW_AGAIN;
        count += f->droppable[v] && f->saved[v];
    }
    return count;
}

static void alloc_values(Flow *f)
{
    Ngc *ngc = f->p->ngc;
    size_t n = (size_t)f->values + 2;

    f->bytes = arena_array(ngc, n, sizeof *f->bytes);
    f->droppable = arena_alloc(ngc, n);
    f->row = arena_alloc(ngc, n);
    f->first = arena_array(ngc, n, sizeof *f->first);
    f->last_read = arena_array(ngc, n, sizeof *f->last_read);
    f->saved = arena_alloc(ngc, n);
    f->way = arena_array(ngc, n, sizeof *f->way);
    f->made = arena_alloc(ngc, n);
    f->asked = arena_array(ngc, n, sizeof *f->asked);
    f->brief = arena_array(ngc, n, sizeof *f->brief);
    f->now = arena_array(ngc, n, sizeof *f->now);
}

Flow *flow_new(Program *p)
{
    Flow *f = arena_alloc(p->ngc, sizeof *f);
    *f = (Flow){.p = p, .values = p->nodes};

    alloc_values(f);
    find_bytes(f);
    find_units(f);
    find_makers(f);
    find_readers(f);
    forbid_overwritten(f);
    return find_droppable(f) > 0 ? f : NULL;
}

/* ---- what is computed again, and where ---- */

bool flow_drops(const Flow *f, int v)
{
    return f->droppable[v] && f->way[v] != FLOW_KEEP;
}

static void append_step(Flow *f, int unit, uint64_t pieces, bool again)
{
    LIST_GROW(f->p->ngc, f->step, f->steps, &f->step_room);
    f->step[f->steps++] = (FlowStep){unit, again, pieces};
}

static uint64_t all_pieces(const Unit *u)
{
    if (u->pieces >= MAX_PIECES)
        return UINT64_MAX;
    return (UINT64_C(1) << u->pieces) - 1;
}

/* Is the value of a piece computed again with it: is it dropped, and not there yet? */
static bool is_missing(const Flow *f, int v)
{
    return v >= 0 && flow_drops(f, v) && !f->made[v];
}

/* Of the same unit, the pieces that store v. */
static uint64_t pieces_of(const Unit *u, int v)
{
    uint64_t set = 0;

    for (int i = 0; i < u->pieces; i++)
        if (u->piece[i].value == v)
            set |= UINT64_C(1) << i;
    return set;
}

/* Is w computed with other values of its kernel? */
static bool comes_along(const Flow *f, int w, int reader)
{
    if (!is_missing(f, w) || f->first[w + 1] - f->first[w] != 1)
        return false;
    return f->asked[w] == reader || (f->saved[w] && f->way[w] == FLOW_AGAIN);
}

/* The pieces of unit u that are computed again where v is needed for the unit `reader`: those of v,
 * and of other values that this or other units want, with the pieces that they read. */
static uint64_t wanted_pieces(const Flow *f, const Unit *u, int v, int reader)
{
    uint64_t set = pieces_of(u, v);
    uint64_t before = 0;

    for (int i = 0; i < u->pieces; i++)
        if (comes_along(f, u->piece[i].value, reader))
            set |= UINT64_C(1) << i;
    if (u->whole)
        return all_pieces(u);

    /* what pieces of the set read from others of the same unit belongs to the set: until nothing is
     * added */
    while (set != before) {
        before = set;
        for (int i = 0; i < u->pieces; i++)
            for (int r = 0; before >> i & 1 && r < u->piece[i].reads; r++) {
                int w = u->piece[i].read[r];
                if (f->row[w] || is_missing(f, w))
                    set |= pieces_of(u, w);
            }
    }
    return set;
}

static void set_made(Flow *f, int v)
{
    if (!f->made[v] && f->way[v] == FLOW_BRIEF)
        f->brief[f->briefs++] = v;
    f->made[v] = true;
}

static void require(Flow *f, int v, int reader);

static void repeat_unit(Flow *f, int unit, int v, int reader)
{
    const Unit *u = &f->unit[unit];
    uint64_t set = wanted_pieces(f, u, v, reader);

    /* first what the repeated pieces read */
    for (int i = 0; i < u->pieces; i++)
        for (int r = 0; set >> i & 1 && r < u->piece[i].reads; r++) {
            int w = u->piece[i].read[r];
            if (is_missing(f, w) && !(pieces_of(u, w) & set))
                require(f, w, reader);
        }

    /* only now, so that steps are in the order in which they run */
    append_step(f, unit, set, true);
    for (int i = 0; i < u->pieces; i++)
        if (set >> i & 1) {
            int w = u->piece[i].value;
            f->extra += u->piece[i].time;
            if (w >= 0 && f->first[w + 1] - f->first[w] == 1 && flow_drops(f, w))
                set_made(f, w);
        }
}

/* Computes v again, unless that is done. */
static void require(Flow *f, int v, int reader)
{
    if (!is_missing(f, v))
        return;
    for (int i = f->first[v]; i < f->first[v + 1]; i++)
        repeat_unit(f, f->maker[i], v, reader);
    set_made(f, v);
}

/* Computes again what unit u of backward reads. */
static void require_reads(Flow *f, int u)
{
    const Unit *unit = &f->unit[u];

    /* all are asked for before any is computed */
    for (int i = 0; i < unit->pieces; i++) {
        const Piece *x = &unit->piece[i];
        for (int r = 0; r < x->reads; r++)
            f->asked[x->read[r]] = u;
    }
    for (int i = 0; i < unit->pieces; i++) {
        const Piece *x = &unit->piece[i];
        for (int r = 0; r < x->reads; r++)
            require(f, x->read[r], u);
    }
}

void flow_schedule(Flow *f)
{
    f->steps = 0;
    f->extra = 0;
    memset(f->made, 0, (size_t)f->values);
    memset(f->asked, 0, (size_t)f->values * sizeof *f->asked);

    for (int u = 0; u < f->units; u++) {
        const Unit *unit = &f->unit[u];
        if (u >= f->forwards)
            require_reads(f, u);
        append_step(f, u, all_pieces(unit), false);
        /* brief values are gone after one reader, and are computed once more for the next */
        while (f->briefs > 0)
            f->made[f->brief[--f->briefs]] = false;
    }
}

/* ---- how much memory that needs ---- */

typedef struct Life { /* of one value, as it is computed first or again */
    int slot;
    int from, to; /* steps; from -1: it is not stored */
    int group;    /* the life whose memory it shares; itself for the first of them */
    int group_to; /* of a group, which is its first life: its last step */
    bool fixed;   /* of a group: its memory is the place of a target */
    bool second;  /* it is computed in backward, where that is a function of its own */
} Life;

static bool has_piece(const FlowStep *s, int i)
{
    return !s->again || s->pieces >> i & 1;
}

bool flow_begins(const Flow *f, const FlowStep *s, int v)
{
    return s->again && f->maker[f->first[v]] == s->unit;
}

static void add_life(Flow *f, int slot, bool second)
{
    int life = f->lives;

    LIST_GROW(f->p->ngc, f->life, life, &f->life_room);
    f->life[f->lives++] =
        (Life){.slot = slot, .from = -1, .to = -1, .group = life, .second = second};

    /* from here on, reads of the slot are of this life */
    f->now[slot] = life;
}

/* The life of slot v that a step reads or stores; a value that is kept has another one if the step
 * computes it by the way, and throws it away. */
static int life_of(const Flow *f, const FlowStep *s, int v, bool stores)
{
    bool later = s->again || s->unit >= f->forwards;
    if (stores)
        return s->again ? f->now[v] : v;
    if (later && flow_drops(f, v))
        return f->now[v];
    return v;
}

/* Backward may be called again, so what it reads of forward's lives to the end. */
static void note_reads(Flow *f, int t, const Piece *x)
{
    const FlowStep *s = &f->step[t];
    bool second = f->phases && (s->again || s->unit >= f->forwards);

    for (int r = 0; r < x->reads; r++) {
        Life *l = &f->life[life_of(f, s, x->read[r], false)];
        /* backward may be called again, so what forward left must still be there */
        int to = second && !l->second ? f->steps : t;
        if (l->to < to)
            l->to = to;
    }
    f->cost += x->reads + 1;
}

static void note_store(Flow *f, int t, int v)
{
    const FlowStep *s = &f->step[t];
    if (flow_begins(f, s, v))
        add_life(f, v, f->phases);

    Life *l = &f->life[life_of(f, s, v, true)];
    if (l->from < 0)
        l->from = t;
    if (l->to < t)
        l->to = t;
}

/* What piece x stores takes over the memory of a value that dies in the same step, as in plan.c. */
static void join_dying(Flow *f, int t, const Piece *x)
{
    const FlowStep *s = &f->step[t];
    int at = life_of(f, s, x->value, true);
    Life *own = &f->life[at];
    bool fixed = x->fixed && !s->again;

    if ((f->bytes[x->value] == 0 && !fixed) || own->from != t || own->group != at)
        return;
    /* of a nest, what is not read later has no memory of its own */
    if (f->unit[s->unit].kernel->member && own->to == t)
        return;

    for (int i = 0; i < x->overs; i++) {
        const Life *n = &f->life[life_of(f, s, x->over[i], false)];
        Life *g = &f->life[n->group];
        if (n->from < 0 || n->from == t || n->to != t)
            continue;
        if (g->group_to != t || g->fixed || n->second != own->second)
            continue;

        own->group = n->group;
        g->fixed = fixed;
        g->group_to = fixed ? f->steps : own->to;
        return;
    }
}

/* Goes through the steps; join: the lives are known, and memory is shared. */
static void walk_steps(Flow *f, bool join)
{
    int lives = f->lives;
    for (int v = 0; v < f->values; v++)
        f->now[v] = v;
    if (join)
        f->lives = f->values; /* they begin in the same order again */

    for (int t = 0; t < f->steps; t++) {
        const FlowStep *s = &f->step[t];
        const Unit *u = &f->unit[s->unit];

        /* stores before reads: a value that is read in the same step lives from this step on */
        for (int i = 0; i < u->pieces; i++) {
            int v = u->piece[i].value;
            if (!has_piece(s, i) || v < 0)
                continue;
            if (!join)
                note_store(f, t, v);
            else if (flow_begins(f, s, v))
                f->now[v] = f->lives++;
        }
        for (int i = 0; i < u->pieces; i++) {
            if (!has_piece(s, i))
                continue;
            if (!join)
                note_reads(f, t, &u->piece[i]);
            else if (u->piece[i].value >= 0)
                join_dying(f, t, &u->piece[i]);
        }
    }
    if (join && f->lives != lives)
        ngc_bug("%s: other values are computed again", f->p->name);
}

static void count_changes(Flow *f)
{
    if (f->change_room < f->steps + 2) {
        f->change_room = 2 * f->steps + 2;
        f->change = arena_array(f->p->ngc, f->change_room, sizeof *f->change);
    }
    memset(f->change, 0, (size_t)(f->steps + 2) * sizeof *f->change);

    for (int i = 0; i < f->lives; i++) {
        const Life *l = &f->life[i];
        int64_t bytes = f->bytes[l->slot];
        /* one entry for each group: its first life has the size, and its memory lasts to the end of
         * the last */
        if (bytes == 0 || l->from < 0 || l->group != i || l->fixed)
            continue;
        f->change[l->from] += bytes;
        f->change[l->group_to + 1] -= bytes;
    }

    /* what a loop needs only while it runs */
    for (int t = 0; t < f->steps; t++) {
        int64_t bytes = f->unit[f->step[t].unit].bytes;
        f->change[t] += bytes;
        f->change[t + 1] -= bytes;
    }
    f->cost += 2 * f->lives;
}

void flow_measure(Flow *f, int64_t room)
{
    int64_t live = 0;

    f->lives = 0;
    for (int v = 0; v < f->values; v++)
        add_life(f, v, f->phases && f->p->phase[v] == 1);
    walk_steps(f, false);
    for (int i = 0; i < f->lives; i++)
        f->life[i].group_to = f->life[i].to;
    walk_steps(f, true);
    count_changes(f);

    f->peak = 0;
    f->excess = 0;
    for (int t = 0; t < f->steps; t++) {
        live += f->change[t];
        if (live > f->peak)
            f->peak = live;
        /* summed over the steps: it also falls where only a part of the excess is removed, which
         * leads the search */
        if (live > room)
            f->excess += (double)(live - room);
    }
}
