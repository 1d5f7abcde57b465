/* program.c - a program before it has kernels: which nodes it needs, and where those are that it
 * does not compute. Also the questions that every pass over a program asks: where is a value, what
 * does a kernel read?
 *
 * Requires: targets that are nodes of a verified graph. Gives: the nodes in the graph's order, each
 * with a slot, a phase and a place; the place of a node that is to be computed is P_NONE until
 * program_fuse.
 */
#include "program.h"

#include <string.h>

/* ---- which nodes there are ---- */

/* Is it found where another program left it? A constant stands in the text. */
static bool is_given(const Node *n)
{
    double value;
    return !node_const(n, &value);
}

/* Finds what the targets need; phase 0 is what targets of phase 0 need. */
static void collect_nodes(Program *p, const Target *given, int givens)
{
    Graph *g = p->graph;
    unsigned char *mark =
        arena_alloc(p->ngc, (size_t)g->count + 1); /* 1 needed, 2 in phase 0, 4 given */
    int needed = 0;
    for (int i = 0; i < givens; i++)
        mark[given[i].node->id] = is_given(given[i].node) ? 4 : 0;
    for (int i = 0; i < p->targets; i++)
        mark[p->target[i].node->id] |= p->target[i].phase == 0 ? 3 : 1;
    for (int i = g->count - 1; i >= 0; i--) {
        needed += mark[i] & 1;
        for (int k = 0; (mark[i] & 5) == 1 && k < g->node[i]->nargs; k++)
            mark[g->node[i]->arg[k]->id] |= mark[i] & 3;
    }
    size_t room = (size_t)(needed + p->targets + 1);
    p->node = arena_alloc(p->ngc, room * sizeof *p->node);
    p->place = arena_alloc(p->ngc, room * sizeof *p->place);
    p->phase = arena_alloc(p->ngc, room);
    p->weight = arena_alloc(p->ngc, room);
    p->depth = arena_alloc(p->ngc, room);
    p->given = arena_alloc(p->ngc, room * sizeof *p->given);
    p->slot = arena_alloc(p->ngc, (size_t)(g->count + p->targets + 1) * sizeof *p->slot);
    for (int i = 0; i < g->count; i++) {
        p->slot[i] = -1;
        if (!(mark[i] & 1))
            continue;
        p->slot[i] = p->nodes;
        p->phase[p->nodes] = !(mark[i] & 2);
        p->node[p->nodes++] = g->node[i];
    }
}

/* Variables, constant arrays and given nodes are where they are. */
static void place_leaves(Program *p, const Target *given, int givens)
{
    for (int i = 0; i < p->nodes; i++) {
        Node *n = p->node[i];
        if (n->op == OP_var && n->attr.var->index >= 0)
            p->place[i] = (Place){.kind = P_VAR, .var = n->attr.var, .shape = &n->shape};
        if (n->op == OP_data)
            p->place[i].kind = P_DATA;
        p->given[i] = p->place[i].kind != P_NONE;
    }
    for (int i = 0; i < givens; i++) {
        int s = p->slot[given[i].node->id];
        if (s >= 0 && p->place[s].kind == P_NONE && is_given(given[i].node)) {
            p->place[s] = given[i].place;
            p->given[s] = true;
        }
    }
}

Program *program_new(Ngc *ngc, Model *model, const char *name, Target *target, int targets,
                     const Target *given, int givens, bool plain)
{
    Program *p = arena_alloc(ngc, sizeof *p);
    *p = (Program){.ngc = ngc,
                   .model = model,
                   .graph = model->graph,
                   .name = name,
                   .block = strcmp(name, "metrics_finish") == 0 ? "t" : "w",
                   .plain = plain,
                   .facts = model->facts,
                   .init = strcmp(name, "init") == 0,
                   .alone = strcmp(name, "check") == 0,
                   .target = target,
                   .targets = targets};
    collect_nodes(p, given, givens);
    place_leaves(p, given, givens);
    return p;
}

/* ---- where a value is ---- */

bool node_scalar(const Node *n)
{
    for (int i = 0; i < n->shape.rank; i++)
        if (!size_is_one(n->shape.dim[i]))
            return false;
    return true;
}

Place *program_own_place(const Program *p, const Node *n)
{
    return &p->place[p->slot[n->id]];
}

bool program_stored(const Program *p, const Node *n)
{
    PlaceKind kind = program_own_place(p, n)->kind;
    return kind != P_NONE && kind != P_FOLDED;
}

const Node *program_holder(const Program *p, const Node *n)
{
    while (program_own_place(p, n)->kind == P_ALIAS)
        n = n->arg[0];
    return n;
}

Place *program_place(const Program *p, const Node *n)
{
    return program_own_place(p, program_holder(p, n));
}

Place *store_place(const Program *p, const Store *s)
{
    return s->target ? &s->target->place : program_place(p, s->node);
}

/* ---- what a kernel reads ---- */

bool call_takes(const Node *n, int operand)
{
    return operand != 0 || !(op_info[n->op]->flags & F_FACTORED);
}

/* What the runtime's function gets: of an operand that is folded into the call, what it shows. */
const Node *call_operand(const Program *p, const Node *n, int operand)
{
    const Node *a = n->arg[operand];
    return a->op == OP_pad && p->place[p->slot[a->id]].kind == P_FOLDED ? a->arg[0] : a;
}

/* Zeros around an image that are folded into the call: the image's own size, and where it begins.
 */
static void fold_zeros_in(const Program *p, const Node *conv, Size *size)
{
    const Node *padded = conv->arg[0], *own = call_operand(p, conv, 0);
    if (own == padded)
        return;

    for (int i = 0; i < 2; i++) {
        size[CONV_HEIGHT + i] = own->shape.dim[1 + i];
        size[CONV_PH + i] = padded->attr.lo[1 + i];
    }
}

void call_sizes(const Program *p, const Node *n, Size *size)
{
    op_info[n->op]->sizes(p->graph, n, size);
    if (n->op == OP_conv)
        fold_zeros_in(p, n, size);
}

const Node *kernel_operand(const Program *p, const Kernel *k, int i)
{
    const Node *n = NULL;
    if (k->kind == K_GEMM)
        n = i < 2 ? k->product->arg[i] : k->onto;
    else if (k->kind == K_CALL && i < k->product->nargs && call_takes(k->product, i) &&
             k->product->arg[i]->shape.rank > 0)
        n = call_operand(p, k->product, i);
    return n ? program_holder(p, n) : NULL;
}

void kernel_each_read(Program *p, const Kernel *k,
                      void (*f)(Program *, const Kernel *, const Node *, void *), void *with)
{
    for (int v = 0; v < k->vals; v++)
        if (k->val[v]->kind == V_LOAD)
            f(p, k, k->val[v]->node, with);
    for (int i = 0; i < 3; i++)
        if (kernel_operand(p, k, i))
            f(p, k, kernel_operand(p, k, i), with);
}
