/* fuse.c - decides which values of a program are stored, and by which kernels, in which order.
 *
 * Requires: targets that are nodes of a verified graph. Gives: kernels whose loads are stored
 * before, every target reached, and no variable overwritten before its last reader. Everything that
 * is not stored is part of the expressions of its users. With p->plain (-O0) every computed value
 * is stored by a loop of its own.
 */
#include "program.h"

#include <string.h>

enum {
    SCALAR_OPS = 12,     /* an expression of scalars longer than this is cut */
    LOOP_OPS = 60,       /* and this long within a loop */
    SMALL_PRODUCT = 300, /* multiply-adds up to which a product of two matrices is plain loops, */
    SMALL_VECTOR = 1000, /* and one of a vector, or of many matrices */
    DEPTH = 100,         /* nodes inlined one in another: what follows them recurses */
    PART = 300,          /* statements in one function of the emitted C */
    LOOK_BACK = 24,      /* kernels among which one to merge with is sought */
    MERGED_STORES = 6,
    MERGED_VALS = 150,
    TILE_BATCH = 16, /* images from which on a convolution does without zeros around them */
};

typedef struct Demand { /* how a node's users want it */
    int uses;           /* places in kernels where it is read */
    bool buffer;        /* by address: an operand of a product, the tensor under a reshape */
    bool repeated;      /* some element more than once */
    bool target;        /* it is a root */
    const Target *last; /* the last of its targets; those before are linked by Target.before */
} Demand;

/* ---- what is stored ---- */

/* Another tensor's elements in the same order. */
static bool is_renaming(const Node *n)
{
    return n->op == OP_reshape || node_identity(n);
}

static bool copies_axes(const Node *n)
{
    return n->op == OP_expand && !node_scalar(n);
}

/* A product that is plain loops: small, or everything at -O0. */
static bool is_loop_product(const Program *p, const Node *n)
{
    int r = n->shape.rank;
    int64_t ops = 1, most = r == 2 && n->shape.dim[0] != 1 && n->shape.dim[1] != 1 ? SMALL_PRODUCT
                                                                                   : SMALL_VECTOR;
    if (r + 1 > MAX_RANK)
        return false;
    for (int i = 0; i < r; i++)
        if (ops *= size_max(p->graph, n->shape.dim[i]), ops > most)
            return p->plain;
    return p->plain || ops * size_max(p->graph, n->arg[0]->shape.dim[r - 1 - n->attr.ta]) <= most;
}

/* Is n made by a function of the runtime? At -O0 a convolution is loops, for those who read it. */
static bool is_call(const Program *p, const Node *n)
{
    const OpInfo *info = op_info[n->op];
    return info->call && !(p->plain && info->flags & F_LOOPS_PLAIN);
}

/* What a node that only shows its operand asks of it: what is asked of itself. */
static void pass_demand(const Node *n, const Demand *d, Demand *of)
{
    bool solid = n->op == OP_reshape && !reshape_is_trivial(n->shape, n->arg[0]->shape);
    of->uses += d->uses;
    of->repeated |= d->repeated || copies_axes(n) || n->op == OP_gather;
    of->buffer |= solid || (is_renaming(n) && (d->buffer || d->target));
}

/* Users come later: from the last node to the first, each tells its operands how it reads them. */
static Demand *find_demand(Program *p)
{
    Demand *demand = arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *demand);
    for (int i = 0; i < p->targets; i++) {
        Demand *d = &demand[p->slot[p->target[i].node->id]];
        p->target[i].before = d->last;
        d->last = &p->target[i];
        d->target = true;
    }
    for (int i = p->nodes - 1; i >= 0; i--) {
        const Node *n = p->node[i];
        Demand *d = &demand[i];
        bool shows = op_info[n->op]->flags & F_VIEW || node_identity(n);
        for (int k = 0; k < n->nargs && !p->given[i]; k++) {
            Demand *of = &demand[p->slot[n->arg[k]->id]];
            if (shows && k == 0 && (is_renaming(n) || !(d->buffer || d->target))) {
                pass_demand(n, d, of);
                continue;
            }
            if (is_call(p, n) && !call_takes(n, k))
                continue;
            of->uses++;
            of->buffer |= is_call(p, n) && n->arg[k]->shape.rank > 0;
            of->buffer |= n->op == OP_matmul && !is_loop_product(p, n);
            bool one_each = op_info[n->op]->flags & F_ELEMENTWISE || n->op == OP_concat ||
                            (k == 0 && n->op == OP_scatter);
            of->repeated |= !one_each && !(op_info[n->op]->flags & F_REDUCE) &&
                            (!(op_info[n->op]->flags & F_VIEW) || k > 0 || copies_axes(n) ||
                             n->op == OP_gather);
        }
    }
    return demand;
}

/* Operators that computing n inside its user costs. */
static int inline_weight(const Program *p, const Node *n)
{
    const OpInfo *info = op_info[n->op];
    int w = !(info->flags & F_ELEMENTWISE) || node_identity(n) ? n->op == OP_pad
            : info->flags & F_CHEAP                            ? 1
                                                               : 4;
    for (int k = 0; k < n->nargs; k++)
        if (!program_stored(p, n->arg[k]))
            w += p->weight[p->slot[n->arg[k]->id]];
    return w > 255 ? 255 : w;
}

/* Is an elementwise value kept, rather than computed again in each of its users? */
static bool worth_storing(const Program *p, const Node *n, const Demand *d, int weight)
{
    bool scalar = node_scalar(n);
    if (d->buffer || d->target)
        return true;
    if (p->plain)
        return n->op == OP_pad || d->uses > 1 ||
               (n->type == n->arg[0]->type && !(op_info[n->op]->flags & F_FLAT && n->nargs == 2));
    if (weight > (scalar ? SCALAR_OPS : LOOP_OPS))
        return true;
    if (d->repeated)
        return scalar ? weight > 0 : weight > 1;
    return d->uses > 1 && (scalar ? weight > 0 : weight > 2 || d->uses > 3);
}

/* A mark that n is stored; where is decided later. */
static void store_node(Program *p, int slot)
{
    p->place[slot].kind = P_SPACE;
    p->place[slot].offset = -1;
}

static void decide_storage(Program *p, const Demand *demand)
{
    for (int i = 0; i < p->nodes; i++) {
        const Node *n = p->node[i];
        unsigned flags = op_info[n->op]->flags;
        if (p->given[i] || p->place[i].kind != P_NONE)
            continue;
        bool wanted = demand[i].buffer || (demand[i].target && !node_const(n, &(double){0}));
        int weight = inline_weight(p, n);
        p->weight[i] = (unsigned char)weight;
        for (int k = 0; k < n->nargs; k++)
            if (!program_stored(p, n->arg[k]) && p->depth[p->slot[n->arg[k]->id]] >= p->depth[i])
                p->depth[i] = (unsigned char)(p->depth[p->slot[n->arg[k]->id]] + 1);
        wanted |= p->depth[i] >= DEPTH && n->op != OP_expand;
        if (is_renaming(n) && program_stored(p, n->arg[0]))
            p->place[i].kind = P_ALIAS;
        else if (flags & F_VIEW || node_identity(n) || (flags & F_LEAF && n->op != OP_random)) {
            if (wanted)
                store_node(p, i);
        } else if (!(flags & F_ELEMENTWISE) && n->op != OP_pad)
            store_node(p, i);
        else if (wanted || worth_storing(p, n, &demand[i], weight))
            store_node(p, i);
    }
}

/* ---- products that add onto what is there: x + c*(A B) ---- */

typedef struct Fold {
    const Node *product, *onto, *factor;
    bool minus;
} Fold;

/* n as c * product, where c is one number. */
static bool match_scaled(const Node *n, Fold *f)
{
    f->factor = NULL;
    for (int k = 0; n->op == OP_mul && k < 2; k++) {
        const Node *c = n->arg[k];
        while (c->op == OP_expand || c->op == OP_reshape)
            c = c->arg[0];
        if (n->arg[1 - k]->op == OP_matmul && node_scalar(c)) {
            f->factor = c;
            n = n->arg[1 - k];
        }
    }
    f->product = n;
    return n->op == OP_matmul;
}

/* Is n a sum that a product can be added onto: x itself dies in it, or it is the new value of the
 * variable x? */
static bool match_fold(const Program *p, const Node *n, const Demand *demand, Fold *f)
{
    if (p->plain || !pass_runs(p->ngc, PASS_FOLD) || (n->op != OP_add && n->op != OP_sub) ||
        n->type != T_FLOAT)
        return false;
    for (int k = 1; k >= (n->op == OP_add ? 0 : 1); k--) {
        const Node *x = n->arg[1 - k], *m = n->arg[k];
        if (!match_scaled(m, f) || f->product->shape.rank != 2 || is_loop_product(p, f->product))
            continue;
        int product = p->slot[f->product->id], scaled = p->slot[m->id], own = p->slot[n->id],
            onto = p->slot[x->id];
        if (p->given[product] || p->given[scaled] || demand[product].uses != 1 ||
            demand[product].target || demand[scaled].uses != 1 || demand[scaled].target ||
            p->phase[product] != p->phase[own])
            continue;
        bool updates = false;
        for (const Target *t = demand[own].last; t; t = t->before)
            updates |= x->op == OP_var && t->place.kind == P_VAR && t->place.var == x->attr.var;
        bool dies = x->op == OP_matmul && !p->given[onto] && x->shape.rank == 2 &&
                    demand[onto].uses == 1 && !demand[onto].target &&
                    p->phase[onto] == p->phase[own] && !is_loop_product(p, x);
        f->onto = x;
        f->minus = n->op == OP_sub;
        if (updates || dies)
            return true;
    }
    return false;
}

/* Marks the products that are folded; the sum is stored. folds: by slot of the sum, NULL where
 * there is none. */
static Fold **find_folds(Program *p, Demand *demand)
{
    Fold **folds = arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *folds), f;
    for (int i = 0; i < p->nodes; i++) {
        if (!match_fold(p, p->node[i], demand, &f) ||
            program_own_place(p, f.onto)->kind == P_FOLDED)
            continue;
        folds[i] = arena_copy(p->ngc, &f, sizeof f);
        demand[i].buffer = true;
        demand[p->slot[f.onto->id]].buffer = true;
        if (f.factor)
            demand[p->slot[f.factor->id]].repeated = true;
        program_own_place(p, f.product)->kind = P_FOLDED;
    }
    return folds;
}

/* Are the zeros around a convolution's image left to the kernel? It takes them as taps that meet
 * nothing, where the batch fills a tile (ngrt_conv_real.h). */
static bool folds_zeros(const Program *p, const Node *n, const Demand *demand)
{
    const Node *x = n->op == OP_conv ? n->arg[0] : NULL;
    if (p->plain || x == NULL || x->op != OP_pad)
        return false;
    int slot = p->slot[x->id];
    if (p->given[slot] || demand[slot].uses != 1 || demand[slot].target)
        return false;
    bool around =
        x->shape.dim[0] == x->arg[0]->shape.dim[0] && x->shape.dim[3] == x->arg[0]->shape.dim[3];
    for (int i = 1; i < 3; i++)
        around &= x->attr.step[i] == 1 && x->attr.lo[i] >= 0 && x->shape.dim[i] > 0;
    return around && x->shape.dim[3] >= TILE_BATCH && p->phase[slot] == p->phase[p->slot[n->id]];
}

static void fold_zeros(Program *p, Demand *demand)
{
    for (int i = 0; i < p->nodes && pass_runs(p->ngc, PASS_ZEROS); i++)
        if (folds_zeros(p, p->node[i], demand)) {
            Node *x = p->node[i]->arg[0];
            program_own_place(p, x)->kind = P_FOLDED;
            demand[p->slot[x->arg[0]->id]].buffer = true;
        }
}

static Kernel *kernel_fold(Program *p, Node *n, const Fold *f)
{
    Kernel *k = arena_alloc(p->ngc, sizeof *k);
    Index zero[MAX_RANK];
    k->kind = K_GEMM;
    k->phase = p->phase[p->slot[n->id]];
    k->product = (Node *)f->product;
    k->onto = (Node *)f->onto;
    for (int i = 0; i < MAX_RANK; i++)
        zero[i] = index_zero();
    if (f->factor)
        k->alpha = val_of(p, k, f->factor, zero);
    if (k->alpha && f->minus)
        k->alpha = val_op(p, k, OP_neg, T_FLOAT, k->alpha, NULL, NULL);
    if (!k->alpha && f->minus)
        k->alpha = val_definition(p, k, graph_const(p->graph, -1), zero);
    k->store = arena_alloc(p->ngc, sizeof *k->store);
    k->store[k->stores++].node = n;
    return k;
}

static Kernel *kernel_call(Program *p, Node *n)
{
    Kernel *k = arena_alloc(p->ngc, sizeof *k);
    Index zero[MAX_RANK];
    k->kind = K_CALL;
    k->phase = p->phase[p->slot[n->id]];
    k->product = n;
    for (int i = 0; i < MAX_RANK; i++)
        zero[i] = index_zero();
    for (int i = 0; i < n->nargs; i++)
        if (call_takes(n, i) && n->arg[i]->shape.rank == 0)
            k->alpha = val_of(p, k, n->arg[i], zero);
    k->store = arena_alloc(p->ngc, sizeof *k->store);
    k->store[k->stores++].node = n;
    return k;
}

/* ---- kernels, merged where they walk the same elements ---- */

static void add_kernel(Program *p, Kernel *k, int *def)
{
    p->kernel = arena_grow(p->ngc, p->kernel, p->kernels, &p->kernel_room, sizeof *p->kernel);
    for (int i = 0; i < k->stores; i++)
        if (!k->store[i].target)
            def[p->slot[k->store[i].node->id]] = p->kernels;
    p->kernel[p->kernels++] = k;
}

static bool is_map(const Kernel *k)
{
    if (k->kind != K_LOOP || k->axes == 0 || kernel_reduces(k))
        return false;
    for (int i = 0; i < k->axes; i++)
        if (k->axis[i] != AX_LEAD)
            return false;
    for (int i = 0; i < k->stores; i++)
        if (k->store[i].add || k->store[i].target || k->store[i].node->op == OP_concat)
            return false;
    return true;
}

/* Can k's stores stand in the loops of kernel i, which comes earlier, and do they share what they
 * read? */
static bool can_merge(const Program *p, const Kernel *k, int i, const int *def)
{
    const Kernel *into = p->kernel[i];
    bool share = false;
    if (!is_map(into) || into->phase != k->phase || into->stores >= MERGED_STORES ||
        into->vals + k->vals > MERGED_VALS ||
        !shape_equal(into->store[0].node->shape, k->store[0].node->shape))
        return false;
    for (int v = 0; v < k->vals; v++) {
        const Val *x = k->val[v];
        if (x->kind != V_LOAD)
            continue;
        if (def[p->slot[x->node->id]] == i) {
            for (int s = 0; s < into->stores; s++)
                if (into->store[s].node == x->node && !index_equal(into->store[s].at, x->at))
                    return false;
            share = true;
        }
        for (int w = 0; w < into->vals && !share; w++)
            share = into->val[w]->kind == V_LOAD && into->val[w]->node == x->node && x->at &&
                    index_equal(into->val[w]->at, x->at);
    }
    return share;
}

/* Puts k's store into the loops of an earlier kernel, if there is one that fits; else adds k. */
static void merge_kernel(Program *p, Kernel *k, int *def)
{
    int first = p->kernels - LOOK_BACK;
    if (!p->plain && pass_runs(p->ngc, PASS_MERGE) && is_map(k)) {
        for (int v = 0; v < k->vals; v++)
            if (k->val[v]->kind == V_LOAD && def[p->slot[k->val[v]->node->id]] > first)
                first = def[p->slot[k->val[v]->node->id]];
        for (int i = p->kernels - 1; i >= 0 && i >= first; i--) {
            if (!can_merge(p, k, i, def))
                continue;
            Kernel *old = p->kernel[i];
            Node *node[MERGED_STORES + 1];
            for (int s = 0; s < old->stores; s++)
                node[s] = old->store[s].node;
            node[old->stores] = k->store[0].node;
            p->kernel[i] = kernel_map(p, node, old->stores + 1, NULL);
            def[p->slot[k->store[0].node->id]] = i;
            return;
        }
    }
    add_kernel(p, k, def);
}

/* The kernels that compute one stored node. */
static void build_node(Program *p, Node *n, const Fold *fold, int *def)
{
    if (fold) {
        add_kernel(p, kernel_fold(p, n, fold), def);
    } else if (n->op == OP_matmul && !is_loop_product(p, n)) {
        Kernel *k = arena_alloc(p->ngc, sizeof *k);
        k->kind = K_GEMM;
        k->phase = p->phase[p->slot[n->id]];
        k->product = n;
        k->store = arena_alloc(p->ngc, sizeof *k->store);
        k->store[k->stores++].node = n;
        add_kernel(p, k, def);
    } else if (n->op == OP_matmul) {
        add_kernel(p, kernel_matmul(p, n), def);
    } else if (op_info[n->op]->flags & F_REDUCE) {
        add_kernel(p, kernel_reduce(p, n), def);
    } else if (n->op == OP_scatter) {
        add_kernel(p, kernel_zero(p, n), def);
        add_kernel(p, kernel_scatter(p, n), def);
    } else if (n->op == OP_concat) {
        Size before = 0;
        for (int i = 0; i < n->nargs; i++) {
            add_kernel(p, kernel_piece(p, n, i, before), def);
            before = size_add(p->graph, before, n->arg[i]->shape.dim[n->attr.axis]);
        }
    } else if (is_call(p, n)) {
        add_kernel(p, kernel_call(p, n), def);
    } else if (n->op == OP_conv || n->op == OP_convk) {
        add_kernel(p, kernel_conv(p, n), def);
    } else if (n->op == OP_random) {
        Kernel *k = arena_alloc(p->ngc, sizeof *k);
        k->kind = K_RANDOM;
        k->phase = p->phase[p->slot[n->id]];
        k->store = arena_alloc(p->ngc, sizeof *k->store);
        k->store[k->stores++].node = n;
        add_kernel(p, k, def);
    } else {
        merge_kernel(p, kernel_map(p, &n, 1, NULL), def);
    }
}

/* A target's place becomes the storage of its node, if that is computed in this program's same
 * phase and is not a target already. */
static void claim_targets(Program *p)
{
    bool *taken = arena_alloc(p->ngc, (size_t)(p->nodes + 1));
    for (int i = 0; i < p->targets; i++) {
        Target *t = &p->target[i];
        int s = p->slot[program_holder(p, t->node)->id];
        if (p->given[s] || taken[s] || p->phase[s] != t->phase || p->place[s].kind != P_SPACE)
            continue;
        p->place[s] = t->place;
        t->claimed = taken[s] = true;
    }
}

static void build_kernels(Program *p, Fold *const *folds)
{
    int *def = arena_alloc(p->ngc, (size_t)(p->nodes + p->targets + 1) * sizeof *def);
    for (int i = 0; i < p->nodes; i++)
        def[i] = -1;
    for (int i = 0; i < p->nodes; i++) {
        PlaceKind kind = p->place[i].kind;
        if (!p->given[i] && kind != P_NONE && kind != P_ALIAS && kind != P_FOLDED)
            build_node(p, p->node[i], folds[i], def);
    }
    for (int i = 0; i < p->targets; i++)
        if (!p->target[i].claimed)
            add_kernel(p, kernel_map(p, &p->target[i].node, 1, &p->target[i]), def);
}

static void count_reader(Program *p, const Kernel *k, const Node *n, void *with)
{
    (void)k;
    ((int *)with)[p->slot[n->id]]++;
}

/* A value that is read only in the loops that make it needs no storage. */
static void drop_stores(Program *p)
{
    p->readers = arena_alloc(p->ngc, (size_t)(p->nodes + p->targets + 1) * sizeof *p->readers);
    for (int i = 0; i < p->kernels; i++)
        kernel_each_read(p, p->kernel[i], count_reader, p->readers);
    for (int i = 0; i < p->kernels && pass_runs(p->ngc, PASS_DROP); i++) {
        Kernel *k = p->kernel[i];
        int kept = 0;
        for (int s = 0; s < k->stores; s++) {
            Node *n = k->store[s].node;
            Place *place = program_own_place(p, n);
            bool idle = is_map(k) && k->stores > 1 && p->readers[p->slot[n->id]] == 0 &&
                        place->kind == P_SPACE;
            if (idle)
                place->kind = P_NONE;
            else
                k->store[kept++] = k->store[s];
        }
        k->stores = kept;
    }
}

/* ---- order: a variable is overwritten after its last reader ---- */

typedef struct Order {
    bool *done;   /* by kernel */
    int *waiting; /* by slot: kernels still to come that write it */
    bool blocked;
    int *var_readers; /* by slot of an OP_var: kernels still to come that read it */
} Order;

/* The slot of the variable that a store overwrites, or -1: none, or none that this program reads.
 */
static int overwritten(const Program *p, const Store *s)
{
    Place *place = store_place(p, s);
    if (place->kind != P_VAR || place->var->node == NULL)
        return -1;
    return p->slot[place->var->node->id];
}

static void check_read(Program *p, const Kernel *k, const Node *n, void *with)
{
    Order *o = with;
    bool own = false;
    for (int s = 0; s < k->stores; s++)
        own |= !k->store[s].target && k->store[s].node == n;
    o->blocked |= !own && o->waiting[p->slot[n->id]] > 0;
}

static void forget_reader(Program *p, const Kernel *k, const Node *n, void *with)
{
    (void)k;
    ((Order *)with)->var_readers[p->slot[n->id]]--;
}

static void add_reader(Program *p, const Kernel *k, const Node *n, void *with)
{
    (void)k;
    ((Order *)with)->var_readers[p->slot[n->id]]++;
}

/* How often k reads variable slot at the very element that store s overwrites, and how often at
 * all. */
static void own_reads(const Program *p, const Kernel *k, const Store *s, int slot, int *same,
                      int *all)
{
    const Node *var = p->node[slot];
    *same = *all = 0;
    for (int v = 0; v < k->vals; v++)
        if (k->val[v]->kind == V_LOAD && k->val[v]->node == var) {
            ++*all;
            *same += k->kind == K_LOOP && is_map(k) && index_equal(k->val[v]->at, s->at);
            *same += k->kind == K_LOOP && k->axes == 0; /* read before it is written */
            *same +=
                k->kind == K_LOOP && s->target && k->axes > 0 && index_equal(k->val[v]->at, s->at);
        }
    for (int i = 0; i < 3; i++)
        if (kernel_operand(p, k, i) == var) {
            ++*all;
            *same += k->kind == K_GEMM && i == 2; /* added onto itself */
        }
}

/* Must store s wait, because another kernel has still to read what it overwrites? */
static bool store_waits(const Program *p, const Order *o, const Kernel *k, const Store *s)
{
    int slot = overwritten(p, s), same, all;
    if (slot < 0)
        return false;
    own_reads(p, k, s, slot, &same, &all);
    return same < all || o->var_readers[slot] > all;
}

/* A copy that is no node of the graph, so that it can have a place of its own. */
static Node *extra_node(Program *p, Node *of, int phase)
{
    Node *n = arena_copy(p->ngc, of, sizeof *of);
    int extra = p->nodes;
    n->op = OP_copy;
    n->nargs = 1;
    n->arg = arena_copy(p->ngc, &of, sizeof of);
    n->id = p->graph->count + p->extras++;
    p->slot[n->id] = extra;
    p->node[extra] = n;
    p->phase[extra] = (unsigned char)phase;
    p->nodes++;
    store_node(p, extra);
    return n;
}

/* The store goes to a place of its own, and from there to the variable when all is computed. */
static void store_aside(Program *p, Kernel *k, Store *s)
{
    Target *t = s->target;
    if (t) {
        s->node = extra_node(p, s->node, t->phase);
        s->target = NULL;
    } else {
        for (int i = 0; i < p->targets; i++)
            if (p->target[i].claimed && program_holder(p, p->target[i].node) == s->node)
                t = &p->target[i];
        t->claimed = false;
        store_node(p, p->slot[s->node->id]);
    }
    (void)k;
    p->late = arena_grow(p->ngc, p->late, p->lates, &p->late_room, sizeof *p->late);
    p->late[p->lates++] = kernel_map(p, &s->node, 1, t);
}

/* Kernels in an order in which each finds its operands stored and its variables unchanged. */
static void order_kernels(Program *p)
{
    size_t room = (size_t)(p->nodes + p->targets + 1);
    Order o = {.done = arena_alloc(p->ngc, (size_t)p->kernels + 1),
               .waiting = arena_alloc(p->ngc, room * sizeof(int)),
               .var_readers = arena_alloc(p->ngc, room * sizeof(int))};
    Kernel **order = arena_alloc(p->ngc, (size_t)(p->kernels + 1) * sizeof *order);
    int count = 0;
    for (int i = 0; i < p->kernels; i++) {
        kernel_each_read(p, p->kernel[i], add_reader, &o);
        for (int s = 0; s < p->kernel[i]->stores; s++)
            if (!p->kernel[i]->store[s].target)
                o.waiting[p->slot[p->kernel[i]->store[s].node->id]]++;
    }
    while (count < p->kernels) {
        int before = count;
        Kernel *stuck = NULL;
        for (int i = 0; i < p->kernels; i++) {
            Kernel *k = p->kernel[i];
            bool waits = false;
            if (o.done[i])
                continue;
            o.blocked = false;
            kernel_each_read(p, k, check_read, &o);
            if (o.blocked)
                continue;
            for (int s = 0; s < k->stores; s++)
                waits |= store_waits(p, &o, k, &k->store[s]);
            if (waits) {
                stuck = stuck ? stuck : k;
                continue;
            }
            kernel_each_read(p, k, forget_reader, &o);
            for (int s = 0; s < k->stores; s++)
                if (!k->store[s].target)
                    o.waiting[p->slot[k->store[s].node->id]]--;
            order[count++] = k;
            o.done[i] = true;
        }
        if (count > before)
            continue;
        if (stuck == NULL)
            ngc_bug("%s: %d kernels wait for each other", p->name, p->kernels - count);
        for (int s = 0; s < stuck->stores; s++)
            if (store_waits(p, &o, stuck, &stuck->store[s])) {
                bool had = stuck->store[s].target != NULL;
                store_aside(p, stuck, &stuck->store[s]);
                if (had)
                    o.waiting[p->slot[stuck->store[s].node->id]]++;
            }
    }
    p->kernel = order;
    p->kernel_room = p->kernels + 1;
    for (int i = 0; i < p->lates; i++) {
        p->kernel = arena_grow(p->ngc, p->kernel, p->kernels, &p->kernel_room, sizeof *p->kernel);
        p->kernel[p->kernels++] = p->late[i];
    }
}

/* A gradient that is a number: at -O0 these come first, those of the latest values before the
 * others, as a lecturer would. */
static bool is_given_gradient(const Program *p, const Kernel *k)
{
    const Store *s = &k->store[0];
    return p->plain && k->stores == 1 && !s->add && store_place(p, s)->kind == P_GRAD && s->val &&
           s->val->kind == V_CONST;
}

/* The first phase before the second; each is cut into functions of a size that C compilers like. */
void program_parts(Program *p)
{
    Kernel **order = arena_alloc(p->ngc, (size_t)(p->kernels + 1) * sizeof *order);
    int count = 0;
    for (int phase = 0; phase < 2; phase++) {
        int first = count;
        for (int i = p->kernels - 1; i >= 0; i--)
            if (p->kernel[i]->phase == phase && is_given_gradient(p, p->kernel[i]))
                order[count++] = p->kernel[i];
        for (int i = 0; i < p->kernels; i++)
            if (p->kernel[i]->phase == phase && !is_given_gradient(p, p->kernel[i]))
                order[count++] = p->kernel[i];
        for (int i = first; i < count; i++) {
            if ((i - first) % PART == 0)
                p->parts++;
            order[i]->part = p->parts - 1;
        }
    }
    p->kernel = order;
}

void program_fuse(Program *p)
{
    Demand *demand = find_demand(p);
    Fold **folds = find_folds(p, demand);

    fold_zeros(p, demand);
    decide_storage(p, demand);
    claim_targets(p);
    build_kernels(p, folds);
    drop_stores(p);
    order_kernels(p);
}

void program_collapse(Program *p)
{
    for (int i = 0; i < p->kernels; i++)
        if (!p->kernel[i]->member)
            kernel_collapse(p, p->kernel[i]);
}

void program_finish(Program *p)
{
    for (int i = 0; i < p->kernels; i++) {
        Kernel *k = p->kernel[i];
        for (int m = 0; m < k->members; m++)
            kernel_finish(p, k->member[m]);
        if (!k->member)
            kernel_finish(p, k);
    }
}
