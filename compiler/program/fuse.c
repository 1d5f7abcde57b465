/* fuse.c - decides which values of a program are stored, by which kernels, in which order.
 *
 * Requires: targets that are nodes of a verified graph. Gives: kernels whose loads are stored
 * before, every target reached, and no variable overwritten before its last reader. Everything that
 * is not stored is part of the expressions of its users. With p->plain (-O0) every computed value
 * is stored by a loop of its own.
 *
 * demand.c, folded.c and stored.c decide what is stored; this file builds a kernel for each stored
 * value, and merge.c puts kernels together.
 */
#include "program/fuse.h"

/* Element 0 of a tensor of any rank. */
static const Index origin[MAX_RANK];

/* ---- kernels that compute a whole tensor ---- */

static Kernel *whole_kernel(Program *p, KernelKind kind, Node *n)
{
    Kernel *k = arena_alloc(p->ngc, sizeof *k);

    k->kind = kind;
    k->loop = program_home(p, n);
    k->phase = p->phase[slot_of(p, n)];
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
    /* x - A B = x + (-1) (A B) */
    if (!a->factor && a->minus)
        k->alpha = val_definition(p, k, graph_const(p->graph, -1), origin);
    return k;
}

static Kernel *kernel_call(Program *p, Node *n)
{
    Kernel *k = whole_kernel(p, K_CALL, n);

    k->product = n;
    /* a number is passed by value, tensors by pointers */
    for (int i = 0; i < n->nargs; i++)
        if (call_takes(n, i) && n->arg[i]->shape.rank == 0)
            k->alpha = val_of(p, k, n->arg[i], origin);
    return k;
}

/* ---- the kernels of each node ---- */

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

        int slot = slot_of(p, leaf);
        int first = made_by[slot];
        Kernel *update = kernel_put(p, leaf, loop_next(loop, i));
        update->loop = loop->attr.loop;
        add_kernel(p, update, made_by);
        /* readers after the loop must come after its first value; the update is of the loop */
        made_by[slot] = first;
    }
}

/* Zeros, to which each pass adds its part; where the parts fill it, no zeros are needed. */
static void build_collect(Program *p, Node *n, const Accumulation *sum, int *made_by)
{
    if (!collect_is_whole(p, n))
        add_kernel(p, kernel_zero(p, n), made_by);

    /* readers wait for the zeros as well as for the parts */
    int first = made_by[slot_of(p, n)];
    Node *collect = adding_collect(p, n);
    Kernel *part;
    if (sum)
        part = kernel_accumulate(p, n, sum);
    else
        part = kernel_part(p, collect);
    part->loop = collect->attr.loop;
    part->store[0].node = n;
    add_kernel(p, part, made_by);
    if (first >= 0)
        made_by[slot_of(p, n)] = first;
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
    } else if (node_has(n, F_REDUCE) && !picks_term(p, n)) {
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
        /* the value is computed right where the caller wants it, without a copy */
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
    int *made_by = arena_array(p->ngc, p->nodes + p->targets + 1, sizeof *made_by);

    for (int i = 0; i < p->nodes; i++)
        made_by[i] = -1;
    for (int i = 0; i < p->nodes; i++) {
        Node *n = p->node[i];
        PlaceKind kind = p->place[i].kind;
        bool is_stored = kind != P_NONE && kind != P_ALIAS && kind != P_FOLDED;

        if (n->op == OP_loop)
            build_loop(p, n, made_by);
        else if (is_stored && !p->given[i])
            build_node(p, n, sums[i], made_by);
    }

    /* other targets get a copy */
    for (int i = 0; i < p->targets; i++) {
        Target *t = &p->target[i];
        if (!t->claimed)
            add_kernel(p, kernel_map(p, &t->node, 1, t), made_by);
    }
}

/* ---- the passes ---- */

void program_fuse(Program *p)
{
    Demand *demand = find_demand(p);

    /* values that become parts of others first: what is left is stored or inlined */
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
        if (!p->kernel[i]->member) {
            kernel_collapse(p, p->kernel[i]);
            kernel_turn_inwards(p, p->kernel[i]);
        }
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
