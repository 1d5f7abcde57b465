/* folded.c - values that exist only as a part of another: products that are added onto a tensor,
 * y = x + c*(A B), and zeros around the images of a convolution.
 *
 * Requires: how each node is used, before it is decided what is stored. Gives: places of kind
 * P_FOLDED; what such a part is made of is wanted by address from then on.
 */
#include "program/fuse.h"

enum {
    TILE_BATCH = 16, /* images: from this batch on, a convolution needs no stored padding */
};

/* ---- products that are added onto a tensor ---- */

/* n as c * product, where c is one number. */
static bool match_scaled(const Node *n, Accumulation *a)
{
    a->factor = NULL;
    for (int k = 0; n->op == OP_mul && k < 2; k++) {
        const Node *c = n->arg[k];
        /* one number, spread over the product's shape */
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

/* Is n computed by this program and read once only, by the node that is looked at? What a given
 * value was computed from is not known here. */
static bool is_used_up(const Program *p, const Node *n, const Demand *demand)
{
    int slot = slot_of(p, n);
    return slot >= 0 && !p->given[slot] && demand[slot].uses == 1 && !demand[slot].target;
}

static bool same_phase(const Program *p, const Node *a, const Node *b)
{
    return p->phase[slot_of(p, a)] == p->phase[slot_of(p, b)];
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
void find_nested_sums(Program *p, const Demand *demand)
{
    for (int i = 0; i < p->nodes; i++) {
        const Node *n = p->node[i];
        const Node *part = n;
        if (n->op == OP_collect)
            part = n->arg[0];
        if (part == n || part->op != OP_collect || !adds_parts(n, part))
            continue;
        if (only_adds(n) && is_used_up(p, part, demand) && program_home(p, part) == n->attr.loop &&
            !collect_is_whole(p, part))
            program_own_place(p, part)->kind = P_FOLDED;
    }
}

/* The collect whose parts are added to n: itself, or that of a loop inside. */
Node *adding_collect(const Program *p, Node *n)
{
    while (n->arg[0]->op == OP_collect && program_own_place(p, n->arg[0])->kind == P_FOLDED)
        n = n->arg[0];
    return n;
}

/* Is n the sum of a product over the passes of a loop? */
static bool match_collected(const Program *p, Node *n, const Demand *demand, Accumulation *a)
{
    const Node *part = adding_collect(p, n);
    const Node *product = part->arg[0];

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
        const Node *x = n->arg[1 - k];
        const Node *scaled = n->arg[k];

        if (!match_scaled(scaled, a) || !is_gemm(p, a->product) || a->product->attr.chain)
            continue;
        if (!is_used_up(p, a->product, demand) || !is_used_up(p, scaled, demand) ||
            !same_phase(p, a->product, n))
            continue;

        a->onto = x;
        a->minus = n->op == OP_sub;
        /* x is overwritten: nobody else may read it, or it is the variable that becomes n */
        bool dies =
            is_gemm(p, x) && !x->attr.chain && is_used_up(p, x, demand) && same_phase(p, x, n);
        if (dies || updates(x, &demand[slot_of(p, n)]))
            return true;
    }
    return false;
}

/* By slot of the sum, NULL where there is none. The sum is stored, the product is not. */
Accumulation **find_accumulations(Program *p, Demand *demand)
{
    Accumulation **found = arena_array(p->ngc, p->nodes + 1, sizeof *found);

    for (int i = 0; i < p->nodes; i++) {
        Accumulation a;
        /* x + a product that is itself added onto something: only one of the two can be */
        if (p->given[i] || !match_accumulation(p, p->node[i], demand, &a) ||
            program_own_place(p, a.onto)->kind == P_FOLDED)
            continue;

        found[i] = arena_copy(p->ngc, &a, sizeof a);
        demand[i].buffer = true;
        demand[slot_of(p, a.onto)].buffer = true;
        if (a.factor)
            /* it becomes a number that the call gets: stored, not computed in a loop */
            demand[slot_of(p, a.factor)].repeated = true;
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
    /* nobody else reads the padded images */
    return is_used_up(p, x, demand) && same_phase(p, x, n) && pads_images(x) &&
           x->shape.dim[3] >= TILE_BATCH;
}

void find_implicit_padding(Program *p, Demand *demand)
{
    if (!pass_runs(p->ngc, PASS_ZEROS))
        return;

    for (int i = 0; i < p->nodes; i++)
        if (skips_padding(p, p->node[i], demand)) {
            const Node *x = p->node[i]->arg[0];
            program_own_place(p, x)->kind = P_FOLDED;
            demand[slot_of(p, x->arg[0])].buffer = true;
        }
}
