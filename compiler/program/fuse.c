/* fuse.c - decides which values of a program are stored, by which kernels, in which order.
 *
 * Requires: targets that are nodes of a verified graph. Gives: kernels whose loads are stored
 * before, every target reached, and no variable overwritten before its last reader. Everything that
 * is not stored is part of the expressions of its users. With p->plain (-O0) every computed value
 * is stored by a loop of its own.
 */
#include "program/program.h"

#include <string.h>

enum {
    SCALAR_OPS = 12,     /* operators: a longer expression of scalars is cut */
    LOOP_OPS = 60,       /* the same within a loop */
    SMALL_PRODUCT = 300, /* multiply-adds: a product of two matrices up to this size is loops */
    SMALL_VECTOR = 1000, /* the same for a product of a vector, or of many matrices */
    DEPTH = 100,         /* nodes inlined one in another; code that follows them is recursive */
    PART = 700,          /* statements in one function of the emitted C: calls, which are short */
    PART_PLAIN = 300,    /* at -O0: loops, with comments */
    LONG = 2,            /* a statement on numbers counts once more for each LONG values */
    LOOK_BACK = 24,      /* a kernel may be merged with one of this many kernels before it */
    MERGED_STORES = 6,   /* stores of one merged kernel, at most */
    MERGED_VALS = 150,   /* values of one merged kernel, at most */
    TILE_BATCH = 16,     /* images: from this batch on, a convolution needs no stored padding */
};

typedef struct Demand { /* how a node's users want it */
    int uses;           /* places in kernels where it is read */
    bool buffer;        /* by address: an operand of a product, the tensor under a reshape */
    bool repeated;      /* some element is read more than once */
    bool target;        /* it is a root */
    const Target *last; /* the last of its targets; those before are linked by Target.before */
} Demand;

/* Element 0 of a tensor of any rank. */
static const Index origin[MAX_RANK];

/* ---- how a node is used ---- */

/* Are its elements those of its operand, in the same order? */
static bool is_renaming(const Node *n)
{
    return n->op == OP_reshape || n->op == OP_last || node_identity(n);
}

/* Is operand k of n not a value that n reads: the loop that it leaves, the index of a place, or
 * what it is stored over? */
static bool is_no_value(const Node *n, int k)
{
    switch (n->op) {
    case OP_slice:
    case OP_pad:
    case OP_last:
    case OP_collect: return k > 0;
    case OP_assign: return k > 1;
    case OP_passes: return true;
    case OP_loop: return k < loop_variables(n) || n->arg[k]->op == OP_index; /* its leaves */
    default: return false;
    }
}

/* Is operand a, made outside of the loop, read in each pass? */
static bool is_read_in_each_pass(const Program *p, const Node *n, const Node *a)
{
    const Loop *loop = n->op == OP_collect ? n->attr.loop : node_loop(n);
    return loop && n->op != OP_loop && program_home(p, a) != loop;
}

/* Does a view show some element of its operand more than once? */
static bool view_repeats(const Node *n)
{
    return n->op == OP_gather || (n->op == OP_expand && !node_scalar(n));
}

/* Is the product computed by plain loops? Small ones are, and at -O0 all of them. */
static bool is_loop_product(const Program *p, const Node *n)
{
    int rank = n->shape.rank;
    if (rank + 1 > MAX_RANK || n->attr.chain)
        return false;
    if (p->plain)
        return true;

    int64_t most = SMALL_VECTOR;
    if (rank == 2 && n->shape.dim[0] != 1 && n->shape.dim[1] != 1)
        most = SMALL_PRODUCT;

    int64_t ops = 1;
    for (int i = 0; i < rank; i++) {
        ops *= size_max(p->graph, n->shape.dim[i]);
        if (ops > most)
            return false;
    }
    return ops * size_max(p->graph, product_of(p->graph, n).k) <= most;
}

/* Is n made by a function of the runtime? At -O0 a convolution is loops, for those who read it. */
static bool is_call(const Program *p, const Node *n)
{
    const OpInfo *info = op_info[n->op];
    return info->call && !(p->plain && info->flags & F_LOOPS_PLAIN);
}

/* Does n read some element of operand k more than once? */
static bool reads_repeatedly(const Node *n, int k)
{
    unsigned flags = op_info[n->op]->flags;

    if (flags & (F_ELEMENTWISE | F_REDUCE) || n->op == OP_concat)
        return false;
    if (n->op == OP_loop || n->op == OP_collect)
        return false;
    if (k == 0 && n->op == OP_scatter)
        return false;
    if (k == 0 && flags & F_VIEW)
        return view_repeats(n);
    return true;
}

/* n reads operand k in a kernel. */
static void demand_operand(const Program *p, const Node *n, int k, Demand *of)
{
    bool call = is_call(p, n);
    if (call && !call_takes(n, k))
        return;

    of->uses++;
    if (call && n->arg[k]->shape.rank > 0)
        of->buffer = true;
    if (n->op == OP_matmul && !is_loop_product(p, n))
        of->buffer = true;
    /* all rows are computed before the first is stored over what they are computed from */
    if (n->op == OP_assign && n->nargs > 2 && k == 0)
        of->buffer = true;
    if (reads_repeatedly(n, k))
        of->repeated = true;
}

/* A view n passes the demand for itself, d, on to its operand. */
static void pass_demand(const Node *n, const Demand *d, Demand *of)
{
    bool moves = n->op == OP_reshape && !reshape_is_trivial(n->shape, n->arg[0]->shape);

    of->uses += d->uses;
    if (d->repeated || view_repeats(n))
        of->repeated = true;
    if (moves || (is_renaming(n) && (d->buffer || d->target)))
        of->buffer = true;
}

/* Is n a view that needs no memory, so that its users read its operand? */
static bool is_transparent(const Node *n, const Demand *d)
{
    if (is_renaming(n))
        return true;
    return op_info[n->op]->flags & F_VIEW && !d->buffer && !d->target;
}

static void note_targets(Program *p, Demand *demand)
{
    for (int i = 0; i < p->targets; i++) {
        Target *t = &p->target[i];
        Demand *d = &demand[p->slot[t->node->id]];
        t->before = d->last;
        d->last = t;
        d->target = true;
    }
}

/* By slot. From the last node to the first, so that a node's users come before it. */
static Demand *find_demand(Program *p)
{
    Demand *demand = arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *demand);
    note_targets(p, demand);

    for (int i = p->nodes - 1; i >= 0; i--) {
        const Node *n = p->node[i];
        if (p->given[i])
            continue;

        for (int k = 0; k < n->nargs; k++) {
            Demand *of = &demand[p->slot[n->arg[k]->id]];
            if (is_no_value(n, k))
                continue;
            of->repeated |= is_read_in_each_pass(p, n, n->arg[k]);
            if (k == 0 && is_transparent(n, &demand[i]))
                pass_demand(n, &demand[i], of);
            else
                demand_operand(p, n, k, of);
        }
    }
    return demand;
}

/* ---- what is stored ---- */

/* Operators of n itself, without its operands. */
static int own_weight(const Node *n)
{
    unsigned flags = op_info[n->op]->flags;

    if (n->op == OP_pad)
        return 1;
    if (!(flags & F_ELEMENTWISE) || node_identity(n))
        return 0;
    return flags & F_CHEAP ? 1 : 4;
}

/* Operators that it costs to compute n inside its user. */
static int inline_weight(const Program *p, const Node *n)
{
    int weight = own_weight(n);

    for (int k = 0; k < n->nargs; k++)
        if (!program_stored(p, n->arg[k]))
            weight += p->weight[p->slot[n->arg[k]->id]];
    return weight > 255 ? 255 : weight;
}

/* The number of nodes between n and stored values, if n is inlined. */
static int inline_depth(const Program *p, const Node *n)
{
    int depth = 0;

    for (int k = 0; k < n->nargs; k++) {
        int below = p->depth[p->slot[n->arg[k]->id]];
        if (!program_stored(p, n->arg[k]) && below >= depth)
            depth = below + 1;
    }
    return depth;
}

/* At -O0: is an elementwise value stored? Conversions and comparisons are not, if they are used
 * once. */
static bool worth_storing_plain(const Node *n, const Demand *d)
{
    bool converts = n->type != n->arg[0]->type;
    bool compares = op_info[n->op]->flags & F_FLAT && n->nargs == 2;

    if (n->op == OP_pad || d->uses > 1)
        return true;
    return !converts && !compares;
}

/* Is an elementwise value stored, rather than computed again in each of its users? */
static bool worth_storing(const Program *p, const Node *n, const Demand *d, int weight)
{
    bool scalar = node_scalar(n);

    if (d->buffer || d->target)
        return true;
    if (p->plain)
        return worth_storing_plain(n, d);

    if (weight > (scalar ? SCALAR_OPS : LOOP_OPS))
        return true;
    if (d->repeated)
        return weight > (scalar ? 0 : 1);
    if (d->uses <= 1)
        return false;
    if (scalar)
        return weight > 0;
    return weight > 2 || d->uses > 3;
}

/* Marks a node as stored. Where is decided later. */
static void store_node(Program *p, int slot)
{
    p->place[slot].kind = P_SPACE;
    p->place[slot].offset = -1;
}

/* Must n have memory, whatever it costs to compute it again? */
static bool needs_memory(const Program *p, const Node *n, const Demand *d)
{
    double value;

    if (d->buffer || (d->target && !node_const(n, &value)))
        return true;
    return p->depth[p->slot[n->id]] >= DEPTH && n->op != OP_expand;
}

/* Is n stored? `needed`: it must have memory. */
static bool is_stored(const Program *p, const Node *n, const Demand *d, bool needed)
{
    unsigned flags = op_info[n->op]->flags;
    bool leaf = flags & F_LEAF && n->op != OP_random;

    if (n->op == OP_loop)
        return false;
    if (needed || n->op == OP_carried)
        return true;
    if (flags & F_VIEW || node_identity(n) || leaf)
        return false;
    if (!(flags & F_ELEMENTWISE) && n->op != OP_pad)
        return true;
    return worth_storing(p, n, d, p->weight[p->slot[n->id]]);
}

static void decide_storage(Program *p, const Demand *demand)
{
    for (int i = 0; i < p->nodes; i++) {
        const Node *n = p->node[i];
        if (p->given[i] || p->place[i].kind != P_NONE)
            continue;

        p->weight[i] = (unsigned char)inline_weight(p, n);
        p->depth[i] = (unsigned char)inline_depth(p, n);

        if (is_renaming(n) && program_stored(p, n->arg[0]))
            p->place[i].kind = P_ALIAS;
        else if (is_stored(p, n, &demand[i], needs_memory(p, n, &demand[i])))
            store_node(p, i);
    }
}

/* ---- products that are added onto a tensor: y = x + c*(A B) ---- */

typedef struct Accumulation {
    const Node *product; /* A B */
    const Node *onto;    /* x */
    const Node *factor;  /* c, one number; NULL: 1 */
    bool minus;          /* x - c*(A B) */
} Accumulation;

/* n as c * product, where c is one number. */
static bool match_scaled(const Node *n, Accumulation *a)
{
    a->factor = NULL;
    for (int k = 0; n->op == OP_mul && k < 2; k++) {
        const Node *c = n->arg[k];
        while (c->op == OP_expand || c->op == OP_reshape)
            c = c->arg[0];

        if (n->arg[1 - k]->op == OP_matmul && node_scalar(c)) {
            a->factor = c;
            n = n->arg[1 - k];
        }
    }
    a->product = n;
    return n->op == OP_matmul;
}

/* Is n computed by this program and read once only, by the node that is looked at? */
static bool is_used_up(const Program *p, const Node *n, const Demand *demand)
{
    int slot = p->slot[n->id];
    return !p->given[slot] && demand[slot].uses == 1 && !demand[slot].target;
}

static bool same_phase(const Program *p, const Node *a, const Node *b)
{
    return p->phase[p->slot[a->id]] == p->phase[p->slot[b->id]];
}

/* Is a product of two matrices made by the runtime's function? */
static bool is_gemm(const Program *p, const Node *n)
{
    return n->op == OP_matmul && n->shape.rank == 2 && !is_loop_product(p, n);
}

/* Is n the new value of the variable x? */
static bool updates(const Node *x, const Demand *n)
{
    if (x->op != OP_var)
        return false;
    for (const Target *t = n->last; t; t = t->before)
        if (t->place.kind == P_VAR && t->place.var == x->attr.var)
            return true;
    return false;
}

/* Does a collect only add up values of its own shape? */
static bool only_adds(const Node *collect)
{
    for (int i = 0; i < collect->shape.rank; i++)
        if (collect->attr.lo[i] != 0 || collect->shape.dim[i] != collect->arg[0]->shape.dim[i])
            return false;
    return true;
}

/* Is a value of each pass of the outer loop, collected by the inner one, added to the sum over the
 * outer one part by part? So it is if the outer loop is one over segments: one loop over all passes
 * adds them in the same order. If the inner one is, this loop would have one product, which is
 * added onto the sum (match_collected). */
static bool adds_parts(const Node *outer, const Node *inner)
{
    const Node *product = inner->arg[0];

    while (product->op == OP_collect)
        product = product->arg[0];
    bool chain = product->op == OP_matmul && product->attr.chain;
    return loop_is_of_segments(outer->attr.loop) ||
           (chain && loop_is_of_segments(inner->attr.loop));
}

/* With segments, sums are added up in the order in which they are without. So the length of
 * segments does not change a bit of them. */
static void find_nested_sums(Program *p, const Demand *demand)
{
    for (int i = 0; i < p->nodes; i++) {
        const Node *n = p->node[i], *part = n->op == OP_collect ? n->arg[0] : n;
        if (part == n || part->op != OP_collect || !adds_parts(n, part))
            continue;
        if (only_adds(n) && is_used_up(p, part, demand) && program_home(p, part) == n->attr.loop &&
            !collect_is_whole(p, part))
            program_own_place(p, part)->kind = P_FOLDED;
    }
}

/* The collect whose parts are added to n: itself, or that of a loop inside. */
static Node *adding_collect(const Program *p, Node *n)
{
    while (n->arg[0]->op == OP_collect && program_own_place(p, n->arg[0])->kind == P_FOLDED)
        n = n->arg[0];
    return n;
}

/* Is n the sum of a product over the passes of a loop? */
static bool match_collected(const Program *p, Node *n, const Demand *demand, Accumulation *a)
{
    const Node *part = adding_collect(p, n), *product = part->arg[0];

    if (!only_adds(part) || !is_gemm(p, product) || !is_used_up(p, product, demand) ||
        node_loop(product) != part->attr.loop)
        return false;

    *a = (Accumulation){.product = product, .onto = n};
    return true;
}

/* Is the sum n = x + c*(A B), where the product can be added onto x? x is then another product that
 * nothing else reads, or the variable that n is the new value of. */
static bool match_accumulation(const Program *p, Node *n, const Demand *demand, Accumulation *a)
{
    if (p->plain || !pass_runs(p->ngc, PASS_FOLD))
        return false;
    if (n->op == OP_collect)
        return match_collected(p, n, demand, a);
    if ((n->op != OP_add && n->op != OP_sub) || n->type != T_FLOAT)
        return false;

    /* the product is the second operand; of a sum it may be the first, too */
    int last = n->op == OP_sub;
    for (int k = 1; k >= last; k--) {
        const Node *x = n->arg[1 - k], *scaled = n->arg[k];

        if (!match_scaled(scaled, a) || !is_gemm(p, a->product) || a->product->attr.chain)
            continue;
        if (!is_used_up(p, a->product, demand) || !is_used_up(p, scaled, demand) ||
            !same_phase(p, a->product, n))
            continue;

        a->onto = x;
        a->minus = n->op == OP_sub;
        bool dies =
            is_gemm(p, x) && !x->attr.chain && is_used_up(p, x, demand) && same_phase(p, x, n);
        if (dies || updates(x, &demand[p->slot[n->id]]))
            return true;
    }
    return false;
}

/* By slot of the sum, NULL where there is none. The sum is stored, the product is not. */
static Accumulation **find_accumulations(Program *p, Demand *demand)
{
    Accumulation **found = arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *found);

    for (int i = 0; i < p->nodes; i++) {
        Accumulation a;
        if (!match_accumulation(p, p->node[i], demand, &a) ||
            program_own_place(p, a.onto)->kind == P_FOLDED)
            continue;

        found[i] = arena_copy(p->ngc, &a, sizeof a);
        demand[i].buffer = true;
        demand[p->slot[a.onto->id]].buffer = true;
        if (a.factor)
            demand[p->slot[a.factor->id]].repeated = true;
        program_own_place(p, a.product)->kind = P_FOLDED;
    }
    return found;
}

/* ---- implicit padding: zeros around a convolution's images that are not stored ---- */

/* Does x add zeros around the images only, [channels, H, W, batch], and none between pixels? */
static bool pads_images(const Node *x)
{
    const Shape *from = &x->arg[0]->shape;

    if (x->shape.dim[0] != from->dim[0] || x->shape.dim[3] != from->dim[3])
        return false;
    for (int i = 1; i < 3; i++)
        if (x->attr.step[i] != 1 || x->attr.lo[i] < 0 || x->shape.dim[i] <= 0)
            return false;
    return true;
}

/* Does the convolution n skip the taps that fall on zeros? It does where the batch fills a tile
 * (ngrt_conv_real.h). */
static bool skips_padding(const Program *p, const Node *n, const Demand *demand)
{
    if (p->plain || n->op != OP_conv || n->arg[0]->op != OP_pad)
        return false;

    const Node *x = n->arg[0];
    return is_used_up(p, x, demand) && same_phase(p, x, n) && pads_images(x) &&
           x->shape.dim[3] >= TILE_BATCH;
}

static void find_implicit_padding(Program *p, Demand *demand)
{
    if (!pass_runs(p->ngc, PASS_ZEROS))
        return;

    for (int i = 0; i < p->nodes; i++)
        if (skips_padding(p, p->node[i], demand)) {
            const Node *x = p->node[i]->arg[0];
            program_own_place(p, x)->kind = P_FOLDED;
            demand[p->slot[x->arg[0]->id]].buffer = true;
        }
}

/* ---- kernels that compute a whole tensor ---- */

static Kernel *whole_kernel(Program *p, KernelKind kind, Node *n)
{
    Kernel *k = arena_alloc(p->ngc, sizeof *k);

    k->kind = kind;
    k->loop = program_home(p, n);
    k->phase = p->phase[p->slot[n->id]];
    k->store = arena_alloc(p->ngc, sizeof *k->store);
    k->store[k->stores++].node = n;
    return k;
}

static Kernel *kernel_gemm(Program *p, Node *n)
{
    Kernel *k = whole_kernel(p, K_GEMM, n);
    k->product = n;
    return k;
}

/* y = x + alpha*(A B) */
static Kernel *kernel_accumulate(Program *p, Node *n, const Accumulation *a)
{
    Kernel *k = whole_kernel(p, K_GEMM, n);
    k->product = (Node *)a->product;
    k->onto = (Node *)a->onto;

    if (a->factor)
        k->alpha = val_of(p, k, a->factor, origin);
    if (a->factor && a->minus)
        k->alpha = val_op(p, k, OP_neg, T_FLOAT, k->alpha, NULL, NULL);
    if (!a->factor && a->minus)
        k->alpha = val_definition(p, k, graph_const(p->graph, -1), origin);
    return k;
}

static Kernel *kernel_call(Program *p, Node *n)
{
    Kernel *k = whole_kernel(p, K_CALL, n);

    k->product = n;
    for (int i = 0; i < n->nargs; i++)
        if (call_takes(n, i) && n->arg[i]->shape.rank == 0)
            k->alpha = val_of(p, k, n->arg[i], origin);
    return k;
}

/* ---- kernels, merged where they walk the same elements ---- */

/* made_by: by slot, the kernel that stores it; -1: none so far */
static void add_kernel(Program *p, Kernel *k, int *made_by)
{
    for (int i = 0; i < k->stores; i++)
        if (!k->store[i].target)
            made_by[p->slot[k->store[i].node->id]] = p->kernels;

    p->kernel = arena_grow(p->ngc, p->kernel, p->kernels, &p->kernel_room, sizeof *p->kernel);
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

        bool reads_result = made_by[p->slot[x->node->id]] == i;
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
    p->kernel[i] = kernel_map(p, node, old->stores + 1, NULL);
}

/* The first kernel that k may be merged into: it comes after none that k reads. */
static int first_to_merge(const Program *p, const Kernel *k, const int *made_by)
{
    int first = p->kernels > LOOK_BACK ? p->kernels - LOOK_BACK : 0;

    for (int v = 0; v < k->vals; v++) {
        const Val *x = k->val[v];
        if (x->kind == V_LOAD && made_by[p->slot[x->node->id]] > first)
            first = made_by[p->slot[x->node->id]];
    }
    return first;
}

/* Puts k's store into the loops of an earlier kernel, if there is one that fits; else adds k. */
static void merge_kernel(Program *p, Kernel *k, int *made_by)
{
    if (!p->plain && pass_runs(p->ngc, PASS_MERGE) && kernel_is_map(k)) {
        int first = first_to_merge(p, k, made_by);

        for (int i = p->kernels - 1; i >= first; i--)
            if (can_merge(p, k, i, made_by)) {
                merge_into(p, i, k->store[0].node);
                made_by[p->slot[k->store[0].node->id]] = i;
                return;
            }
    }
    add_kernel(p, k, made_by);
}

/* A concatenation: a kernel for each operand, stored after those before it. */
static void build_concat(Program *p, Node *n, int *made_by)
{
    Size before = 0;

    for (int i = 0; i < n->nargs; i++) {
        add_kernel(p, kernel_piece(p, n, i, before), made_by);
        before = size_add(p->graph, before, n->arg[i]->shape.dim[n->attr.axis]);
    }
}

/* Each variable gets its value before the loop, and its next one in each pass. */
static void build_loop(Program *p, Node *loop, int *made_by)
{
    for (int i = 0; i < loop_variables(loop); i++) {
        Node *leaf = loop_leaf(loop, i);
        add_kernel(p, kernel_put(p, leaf, loop_init(loop, i)), made_by);

        int slot = p->slot[leaf->id], first = made_by[slot];
        Kernel *update = kernel_put(p, leaf, loop_next(loop, i));
        update->loop = loop->attr.loop;
        add_kernel(p, update, made_by);
        made_by[slot] = first;
    }
}

/* Zeros, to which each pass adds its part; where the parts fill it, no zeros are needed. */
static void build_collect(Program *p, Node *n, const Accumulation *sum, int *made_by)
{
    if (!collect_is_whole(p, n))
        add_kernel(p, kernel_zero(p, n), made_by);

    int first = made_by[p->slot[n->id]];
    Node *collect = adding_collect(p, n);
    Kernel *part = sum ? kernel_accumulate(p, n, sum) : kernel_part(p, collect);
    part->loop = collect->attr.loop;
    part->store[0].node = n;
    add_kernel(p, part, made_by);
    if (first >= 0)
        made_by[p->slot[n->id]] = first;
}

/* The kernels that compute one stored node. */
static void build_node(Program *p, Node *n, const Accumulation *sum, int *made_by)
{
    if (n->op == OP_carried || n->op == OP_passes) {
        return; /* made by its loop */
    } else if (n->op == OP_collect) {
        build_collect(p, n, sum, made_by);
    } else if (sum) {
        add_kernel(p, kernel_accumulate(p, n, sum), made_by);
    } else if (n->op == OP_matmul && !is_loop_product(p, n)) {
        add_kernel(p, kernel_gemm(p, n), made_by);
    } else if (n->op == OP_matmul) {
        add_kernel(p, kernel_matmul(p, n), made_by);
    } else if (op_info[n->op]->flags & F_REDUCE) {
        add_kernel(p, kernel_reduce(p, n), made_by);
    } else if (n->op == OP_scatter) {
        add_kernel(p, kernel_zero(p, n), made_by);
        add_kernel(p, kernel_scatter(p, n), made_by);
    } else if (n->op == OP_assign) {
        add_kernel(p, kernel_assign(p, n), made_by);
    } else if (n->op == OP_concat) {
        build_concat(p, n, made_by);
    } else if (is_call(p, n)) {
        add_kernel(p, kernel_call(p, n), made_by);
    } else if (n->op == OP_conv || n->op == OP_convk) {
        add_kernel(p, kernel_conv(p, n), made_by);
    } else if (n->op == OP_random) {
        add_kernel(p, whole_kernel(p, K_RANDOM, n), made_by);
    } else {
        merge_kernel(p, kernel_map(p, &n, 1, NULL), made_by);
    }
}

/* A target's place becomes the storage of its node, if that is computed in the same phase and has
 * not become another target's. */
static void claim_targets(Program *p)
{
    bool *taken = arena_alloc(p->ngc, (size_t)(p->nodes + 1));

    for (int i = 0; i < p->targets; i++) {
        Target *t = &p->target[i];
        int s = p->slot[program_holder(p, t->node)->id];
        if (p->given[s] || taken[s] || p->phase[s] != t->phase || p->place[s].kind != P_SPACE)
            continue;

        /* a variable of the model is not changed before the loop has ended */
        if (t->place.kind == P_VAR &&
            (p->node[s]->op == OP_carried || p->node[s]->op == OP_collect))
            continue;

        p->place[s] = t->place;
        t->claimed = taken[s] = true;
    }
}

static void build_kernels(Program *p, Accumulation *const *sums)
{
    int *made_by = arena_alloc(p->ngc, (size_t)(p->nodes + p->targets + 1) * sizeof *made_by);

    for (int i = 0; i < p->nodes; i++)
        made_by[i] = -1;
    for (int i = 0; i < p->nodes; i++) {
        PlaceKind kind = p->place[i].kind;
        if (p->node[i]->op == OP_loop)
            build_loop(p, p->node[i], made_by);
        else if (!p->given[i] && kind != P_NONE && kind != P_ALIAS && kind != P_FOLDED)
            build_node(p, p->node[i], sums[i], made_by);
    }

    /* other targets get a copy */
    for (int i = 0; i < p->targets; i++)
        if (!p->target[i].claimed)
            add_kernel(p, kernel_map(p, &p->target[i].node, 1, &p->target[i]), made_by);
}

/* ---- what is kept of a pass is stored where it is made ---- */

/* The only value that a kernel loads, if it just copies that; else NULL. */
static const Val *copied(const Kernel *k)
{
    const Val *v = k->stores == 1 ? k->store[0].val : NULL;
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
    Store *store = arena_alloc(p->ngc, (size_t)(into->stores + 1) * sizeof *store);

    part.val = made->val;
    memcpy(store, into->store, (size_t)into->stores * sizeof *store);
    store[into->stores++] = part;
    into->store = store;
}

/* A kernel that only copies to what its loop collects becomes a store of the kernel before it that
 * makes the value. */
static void keep_where_made(Program *p)
{
    int kept = 0;

    for (int i = 0; i < p->kernels; i++) {
        Kernel *k = p->kernel[i];
        bool part = k->stores == 1 && k->store[0].node->op == OP_collect;
        const Val *v = part && k->loop ? copied(k) : NULL;
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
static void drop_stores(Program *p)
{
    p->readers = arena_alloc(p->ngc, (size_t)(p->nodes + p->targets + 1) * sizeof *p->readers);
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
            if (p->readers[p->slot[n->id]] == 0 && place->kind == P_SPACE)
                place->kind = P_NONE;
            else
                k->store[kept++] = k->store[s];
        }
        if (merged)
            k->stores = kept;
    }
}

/* ---- functions of the emitted C ---- */

/* At -O0: a gradient that is a number. */
static bool is_constant_gradient(const Program *p, const Kernel *k)
{
    const Store *s = &k->store[0];

    if (!p->plain || k->loop || k->stores != 1 || s->add)
        return false;
    return store_place(p, s)->kind == P_GRAD && s->val && s->val->kind == V_CONST;
}

/* Is the kernel in no loop, except one that it begins? */
static bool is_outermost(const Program *p, const Kernel *k)
{
    if (k->kind == K_FOR)
        return program_loop(p, k->loop)->outer == NULL;
    return k->loop == NULL;
}

/* A compiler takes as long over a long expression as over several short ones; over a function, its
 * time grows faster than the length. Loops are calls. */
static int statements_of(const Program *p, const Kernel *k)
{
    bool expression = !p->plain && k->kind == K_LOOP && k->axes == 0 && !k->member;

    return expression ? 1 + k->vals / LONG : 1;
}

/* The first phase comes before the second. Each is cut into functions of a size that C compilers
 * handle well. Constant gradients come first, those of the latest values before the others, as in a
 * lecture. */
void program_parts(Program *p)
{
    Kernel **order = arena_alloc(p->ngc, (size_t)(p->kernels + 1) * sizeof *order);
    int count = 0;

    int most = p->plain ? PART_PLAIN : PART;
    for (int phase = 0; phase < 2; phase++) {
        int first = count;
        for (int i = p->kernels - 1; i >= 0; i--)
            if (p->kernel[i]->phase == phase && is_constant_gradient(p, p->kernel[i]))
                order[count++] = p->kernel[i];
        for (int i = 0; i < p->kernels; i++)
            if (p->kernel[i]->phase == phase && !is_constant_gradient(p, p->kernel[i]))
                order[count++] = p->kernel[i];

        int in_part = most; /* statements; a loop is not cut */
        for (int i = first; i < count; i++) {
            if (in_part >= most && is_outermost(p, order[i])) {
                p->parts++;
                in_part = 0;
            }
            in_part += statements_of(p, order[i]);
            order[i]->part = p->parts - 1;
        }
    }
    p->kernel = order;
    program_positions(p);
}

/* ---- the passes ---- */

void program_fuse(Program *p)
{
    Demand *demand = find_demand(p);

    find_nested_sums(p, demand);
    Accumulation **sums = find_accumulations(p, demand);
    find_implicit_padding(p, demand);
    decide_storage(p, demand);
    claim_targets(p);
    build_kernels(p, sums);
    if (!p->plain && pass_runs(p->ngc, PASS_MERGE))
        keep_where_made(p);
    drop_stores(p);
    program_order(p);
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
        if (!k->member)
            kernel_finish(p, k);
        for (int m = 0; m < k->members; m++)
            kernel_finish(p, k->member[m]);
    }
}
