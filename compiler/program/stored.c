/* stored.c - which values are stored, rather than computed again in each of their users.
 *
 * Requires: how each node is used, and which exist only as a part of another. Gives: a place of
 * kind P_SPACE, P_ALIAS or P_NONE for each node that had none, weights and depths.
 */
#include "program/fuse.h"

enum {
    SCALAR_OPS = 12, /* operators: a longer expression of scalars is cut */
    LOOP_OPS = 60,   /* the same within a loop */
    AGAIN_USES = 6,  /* before backward, and in it */
    AGAIN_OPS = 12,  /* operators: a longer expression is not computed again in backward */
    DEPTH = 100,     /* nodes inlined one in another; code that follows them is recursive */
};

/* Operators of n itself, without its operands. */
static int own_weight(const Node *n)
{
    unsigned flags = op_info[n->op]->flags;

    if (n->op == OP_pad)
        return 1;
    if (!(flags & F_ELEMENTWISE) || node_identity(n))
        return 0;
    /* what takes longer than a load and a store, as exp does */
    return flags & F_CHEAP ? 1 : 4;
}

/* Operators that it costs to compute n inside its user. */
static int inline_weight(const Program *p, const Node *n)
{
    int weight = own_weight(n);

    for (int k = 0; k < n->nargs; k++)
        if (!program_stored(p, n->arg[k]))
            weight += p->weight[slot_of(p, n->arg[k])];
    /* it is kept in a byte; so large a value is stored in any case */
    return weight > 255 ? 255 : weight;
}

/* The number of nodes between n and stored values, if n is inlined. */
static int inline_depth(const Program *p, const Node *n)
{
    int depth = 0;

    for (int k = 0; k < n->nargs; k++) {
        int below = p->depth[slot_of(p, n->arg[k])];
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
    bool compares = node_has(n, F_FLAT) && n->nargs == 2;

    if (n->op == OP_pad || d->uses > 1)
        return true;
    return !converts && !compares;
}

/* Is the stored value a there in backward anyway, because derivatives read it? One other, no larger
 * than the result n, may stay in place of it. */
static bool stays(const Program *p, const Node *n, const Node *a, const Demand *demand,
                  const Node **other)
{
    const Node *holder = program_holder(p, a);
    const Demand *d = &demand[slot_of(p, holder)];

    /* backward has it anyway, or it is one number */
    if (p->given[slot_of(p, holder)] || d->back > 0 || node_scalar(a))
        return true;
    if (d->through == 0 || (*other && *other != holder))
        return false;
    /* one tensor is exchanged for another of the same size: no memory is lost */
    *other = holder;
    return shape_equal(holder->shape, n->shape);
}

/* Is the value a, a part of n, computed by cheap operations from values that are there in backward?
 */
static bool stays_within_reach(const Program *p, const Node *n, const Node *a, const Demand *demand,
                               const Node **other)
{
    for (int k = 0; k < a->nargs; k++) {
        const Node *x = a->arg[k];
        unsigned flags = op_info[x->op]->flags;
        bool cheap = flags & F_ELEMENTWISE && flags & F_CHEAP;

        /* a stored part must stay; another one must be cheap itself, down to stored parts */
        bool reached = cheap || flags & (F_LEAF | F_VIEW) || node_identity(x);
        if (program_stored(p, x))
            reached = stays(p, n, x, demand, other);
        else
            reached = reached && stays_within_reach(p, n, x, demand, other);
        if (!reached)
            return false;
    }
    return true;
}

/* Is n, which forward and derivatives use, better computed again in backward? From one to the other
 * it would take memory, and most of the time of a cheap operation is that of its memory. */
static bool worth_again(const Program *p, const Node *n, const Demand *demand, int weight)
{
    const Demand *d = &demand[slot_of(p, n)];
    int before = d->uses - d->back;
    int back = d->back + d->through;
    const Node *other = NULL;

    if (weight > AGAIN_OPS || before > AGAIN_USES || back == 0 || back > AGAIN_USES)
        return false;
    return !node_is_derived(n) && node_has(n, F_CHEAP) &&
           stays_within_reach(p, n, n, demand, &other);
}

/* Is an elementwise value stored, rather than computed again in each of its users? */
static bool worth_storing(const Program *p, const Node *n, const Demand *demand, int weight)
{
    const Demand *d = &demand[slot_of(p, n)];
    bool scalar = node_scalar(n);

    if (d->buffer || d->target)
        return true;
    if (p->plain)
        return worth_storing_plain(n, d);

    /* long expressions are cut, also because compilers need registers for them */
    if (weight > (scalar ? SCALAR_OPS : LOOP_OPS))
        return true;
    /* each element is read several times, as in a product: one operation more for each of them
     * costs more than memory */
    if (d->repeated)
        return weight > (scalar ? 0 : 1);
    if (d->uses <= 1)
        return false;
    if (scalar)
        return weight > 0;
    /* one or two operations in two or three loops cost less than a load in each */
    return (weight > 2 || d->uses > 3) && !worth_again(p, n, demand, weight);
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
    /* an expression of this depth would overflow the stack of recursive code, ours and a compiler's
     */
    return p->depth[slot_of(p, n)] >= DEPTH && n->op != OP_expand;
}

/* Is n stored? `needed`: it must have memory. */
static bool is_stored(const Program *p, const Node *n, const Demand *demand, bool needed)
{
    unsigned flags = op_info[n->op]->flags;
    bool leaf = flags & F_LEAF && n->op != OP_random;

    if (n->op == OP_loop)
        return false;
    if (needed || n->op == OP_carried)
        return true;
    if (flags & F_VIEW || node_identity(n) || leaf)
        return false;
    /* a reduction, a product, a gather: one element of it is a loop */
    if (!(flags & F_ELEMENTWISE) && n->op != OP_pad)
        return true;
    return worth_storing(p, n, demand, p->weight[slot_of(p, n)]);
}

void decide_storage(Program *p, const Demand *demand)
{
    for (int i = 0; i < p->nodes; i++) {
        const Node *n = p->node[i];
        if (p->place[i].kind != P_NONE) /* as of what is given */
            continue;

        p->weight[i] = (unsigned char)inline_weight(p, n);
        p->depth[i] = (unsigned char)inline_depth(p, n);

        /* operands come first: whether they are stored is known here */
        if (is_renaming(n) && program_stored(p, n->arg[0]))
            p->place[i].kind = P_ALIAS;
        else if (is_stored(p, n, demand, needs_memory(p, n, &demand[i])))
            store_node(p, i);
    }
}
