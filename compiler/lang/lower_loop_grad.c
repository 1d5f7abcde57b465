/* lower_loop_grad.c - derivatives in the body of a loop.
 *
 * A derivative in a pass is that of the operations of this pass: what is carried into it is a leaf.
 * If a carried value also depends on x, the derivative with respect to x continues through the
 * passes before, whose number differs from pass to pass. */
#include "lang/lower_loop.h"

/* Marks a leaf of a loop if its value before the loop or after a pass is marked; true: it is new.
 */
static bool mark_leaf(bool *mark, const Node *leaf, const Node *init, const Node *next)
{
    if (mark[leaf->id] || !(mark[init->id] || mark[next->id]))
        return false;
    mark[leaf->id] = true;
    return true;
}

/* What depends on x, by node id, through the loops inside of this one; all: through its own passes
 * too. A leaf comes before what it becomes after a pass, so the nodes are walked until nothing new
 * is marked. */
static bool *mark_below(const For *f, const Node *x, bool all)
{
    const Graph *g = f->L->g;
    bool *mark = arena_array(g->ngc, g->count + 1, sizeof *mark);
    bool again = true;

    mark[x->id] = true;
    while (again) {
        again = false;
        for (int i = 0; i < g->count; i++) {
            const Node *n = g->node[i];
            bool is_loop = n->op == OP_loop;
            /* nothing flows back through these */
            bool holds = n->op == OP_stop || (n->type == T_INT && !is_loop);

            for (int k = 0; k < n->nargs && !holds; k++)
                mark[i] |= mark[arg_id(n, k)];
            for (int k = 0; is_loop && k < loop_variables(n); k++)
                again |= mark_leaf(mark, loop_leaf(n, k), loop_init(n, k), loop_next(n, k));
        }
        for (int i = 0; all && i < f->count; i++) {
            const Carried *c = &f->carried[i];
            if (c->leaf)
                again |= mark_leaf(mark, c->leaf, c->init->node, c->next);
        }
    }
    return mark;
}

static const Carried *carried_by(const For *f, const Node *leaf)
{
    for (int i = 0; i < f->count; i++)
        if (f->carried[i].leaf == leaf)
            return &f->carried[i];
    return NULL;
}

/* Is n of one pass of the loop, or of one pass of a loop inside of it? */
static bool is_of_pass(const Node *n, const Loop *loop)
{
    bool inside = n->in[loop->level] == loop;

    for (int l = loop->level + 1; l < MAX_LEVELS; l++)
        inside |= n->in[l] != NULL;
    return inside;
}

/* Does another carried value depend on x before the pass begins, by node id of their leaves? */
static bool *mark_before(const For *f, const Loop *loop, const Node *x)
{
    const Carried *own = carried_by(f, x);
    bool *before = arena_alloc(f->L->ngc, (size_t)f->L->g->count + 1);

    if (!own && is_of_pass(x, loop))
        return before;

    const bool *below = mark_below(f, own ? own->next : x, !own);
    const bool *first = below;
    if (own)
        first = mark_below(f, own->init->node, false);

    for (int i = 0; i < f->count; i++) {
        const Carried *c = &f->carried[i];
        if (c->leaf && c != own)
            before[c->leaf->id] = below[c->next->id] || first[c->init->node->id];
    }
    return before;
}

/* The carried value by which the derivative of y with respect to x goes back through earlier
 * passes: y depends on it, and it depended on x when the pass began. NULL: there is none. */
static const Carried *goes_back_by(const For *f, const Loop *loop, const Node *y, const Node *x)
{
    const bool *before = mark_before(f, loop, x);

    for (int i = 0; i < f->count; i++) {
        const Carried *c = &f->carried[i];
        if (c->leaf && before[c->leaf->id] && mark_below(f, c->leaf, false)[y->id])
            return c;
    }
    return NULL;
}

/* Is each derivative in the body, from number `from` on, one of a single pass? */
bool body_derivatives_stay(For *f, const Loop *loop, int from)
{
    Lower *L = f->L;

    for (int d = from; d < L->inners; d++)
        for (int k = 0; k < L->inner[d].count; k++) {
            const Carried *c = goes_back_by(f, loop, L->inner[d].y, L->inner[d].x[k]);
            if (!c)
                continue;

            const char *why = text_format(L->ngc,
                                          "a derivative in it goes back through earlier passes, by "
                                          "'%s'; stop(%s) would hold that",
                                          c->b->name, c->b->name);
            return for_differs(f, f->s->loc, why);
        }
    return true;
}
