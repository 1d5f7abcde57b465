/* demand.c - how the users of each node want it: how often, whole or element by element.
 *
 * Requires: program_new's list of nodes. Gives: a Demand for each of them. Nothing is changed but
 * Target.before.
 */
#include "program/fuse.h"

enum {
    SMALL_PRODUCT = 300, /* multiply-adds: a product of two matrices up to this size is loops */
    SMALL_VECTOR = 1000, /* the same for a product of a vector, or of many matrices */
};

/* Are its elements those of its operand, in the same order? */
bool is_renaming(const Node *n)
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
    const Loop *loop = n->attr.loop;
    if (n->op != OP_collect)
        loop = node_loop(n);
    return loop && n->op != OP_loop && program_home(p, a) != loop;
}

/* Does a view show some element of its operand more than once? */
static bool view_repeats(const Node *n)
{
    return n->op == OP_gather || (n->op == OP_expand && !node_scalar(n));
}

/* Is the product computed by plain loops? Small ones are, and at -O0 all of them. */
bool is_loop_product(const Program *p, const Node *n)
{
    Graph *g = p->graph;
    int rank = n->shape.rank;
    if (rank + 1 > MAX_RANK || n->attr.chain)
        return false;
    if (p->plain)
        return true;

    /* a call has a cost of its own, and its tiles fit matrices, not vectors */
    int64_t most = SMALL_VECTOR;
    if (rank == 2 && n->shape.dim[0] != 1 && n->shape.dim[1] != 1)
        most = SMALL_PRODUCT;

    /* m n k, without an overflow: as soon as it is too large, it is not looked at further */
    int64_t ops = 1;
    for (int i = 0; i < rank; i++) {
        ops *= size_max(g, n->shape.dim[i]);
        if (ops > most)
            return false;
    }
    return ops * size_max(g, product_of(g, n).k) <= most;
}

/* Is n made by a function of the runtime? At -O0 a convolution is loops, for those who read it. */
bool is_call(const Program *p, const Node *n)
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

/* n, which its users want so, reads operand k in a kernel. */
static void demand_operand(const Program *p, const Node *n, const Demand *d, int k, Demand *of)
{
    bool call = is_call(p, n);
    if (call && !call_takes(n, k))
        return;

    of->uses++;
    if (node_is_derived(n))
        of->back++;
    /* a value of the text whose users are derivatives, if it is computed again in them */
    else if (d->back + d->through > 0 && !d->buffer && !d->target && node_has(n, F_ELEMENTWISE))
        of->through++;
    /* functions of the runtime get pointers */
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
    of->back += d->back;
    of->through += d->through;
    if (d->repeated || view_repeats(n))
        of->repeated = true;
    /* a reshape that mixes axes has an index only in terms of memory */
    if (moves || (is_renaming(n) && (d->buffer || d->target)))
        of->buffer = true;
}

/* Is n a view that needs no memory, so that its users read its operand? */
static bool is_transparent(const Node *n, const Demand *d)
{
    if (is_renaming(n))
        return true;
    return node_has(n, F_VIEW) && !d->buffer && !d->target;
}

static void note_targets(Program *p, Demand *demand)
{
    for (int i = 0; i < p->targets; i++) {
        Target *t = &p->target[i];
        Demand *d = &demand[slot_of(p, t->node)];
        t->before = d->last;
        d->last = t;
        d->target = true;
    }
}

/* By slot. From the last node to the first, so that a node's users come before it. */
Demand *find_demand(Program *p)
{
    Demand *demand = arena_array(p->ngc, p->nodes + 1, sizeof *demand);
    note_targets(p, demand);

    for (int i = p->nodes - 1; i >= 0; i--) {
        const Node *n = p->node[i];
        if (p->given[i])
            continue;

        for (int k = 0; k < n->nargs; k++) {
            Demand *of = &demand[slot_of(p, n->arg[k])];
            if (is_no_value(n, k))
                continue;
            /* computed within the loop, it would be computed once for each pass */
            of->repeated |= is_read_in_each_pass(p, n, n->arg[k]);
            if (k == 0 && is_transparent(n, &demand[i]))
                pass_demand(n, &demand[i], of);
            else
                demand_operand(p, n, &demand[i], k, of);
        }
    }
    return demand;
}
