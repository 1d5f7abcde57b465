/* program.c - a program before it has kernels: which nodes it needs, and the places of those that
 * it does not compute. Also what every pass over a program asks: where is a value, what does a
 * kernel read?
 *
 * Requires: targets that are nodes of a verified graph. Gives: the nodes in the graph's order, each
 * with a slot, a phase and a place; the place of a node that is to be computed is P_NONE until
 * program_fuse.
 */
#include "program/program.h"

#include <string.h>

/* ---- which nodes there are ---- */

/* What collect_nodes finds out about a node. */
enum {
    NEEDED = 1,
    IN_FORWARD = 2, /* a target of phase 0 needs it */
    GIVEN = 4,
};

/* Is it found where another program left it? A constant is not: it is written into the text. */
static bool is_given(const Node *n)
{
    double value;
    return !node_const(n, &value);
}

static void mark_operands(const Graph *g, unsigned char *mark)
{
    /* users before operands, so one walk is enough */
    for (int i = g->count - 1; i >= 0; i--) {
        const Node *n = g->node[i];
        bool computed = mark[i] & NEEDED && !(mark[i] & GIVEN);
        for (int k = 0; computed && k < n->nargs; k++)
            mark[arg_id(n, k)] |= mark[i] & (NEEDED | IN_FORWARD);
    }
}

/* What a loop of the forward phase collects is made there, even if only backward uses it. Marks it;
 * false: there is nothing more to mark. */
static bool mark_kept(const Graph *g, unsigned char *mark)
{
    bool found = false;

    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];
        bool leaves = n->op == OP_collect || n->op == OP_last || n->op == OP_passes;
        if (!leaves || !(mark[i] & NEEDED) || mark[i] & (GIVEN | IN_FORWARD))
            continue;
        /* its loop: operand 1, or 0 of OP_passes */
        if (mark[arg_id(n, n->op != OP_passes)] & IN_FORWARD) {
            mark[i] |= IN_FORWARD;
            found = true;
        }
    }
    return found;
}

/* What the targets need, by id: bits of the enum above. From users to operands; what is needed only
 * to compute a given node is not needed. */
static unsigned char *mark_nodes(const Program *p, const Target *given, int givens)
{
    const Graph *g = p->graph;
    unsigned char *mark = arena_alloc(p->ngc, (size_t)g->count + 1);

    for (int i = 0; i < givens; i++)
        if (is_given(given[i].node))
            mark[given[i].node->id] = GIVEN;
    for (int i = 0; i < p->targets; i++) {
        const Target *t = &p->target[i];
        mark[t->node->id] |= t->phase == 0 ? NEEDED | IN_FORWARD : NEEDED;
    }

    mark_operands(g, mark);
    /* what a loop of forward collects may need more of forward */
    while (mark_kept(g, mark))
        mark_operands(g, mark);
    return mark;
}

/* Tables by slot. order.c may add a node for each target and each variable of a loop. */
static void alloc_slots(Program *p, int nodes, int extras)
{
    Ngc *ngc = p->ngc;
    size_t room = (size_t)(nodes + extras + 1);

    p->node = arena_array(ngc, room, sizeof *p->node);
    p->place = arena_array(ngc, room, sizeof *p->place);
    p->phase = arena_alloc(ngc, room);
    p->weight = arena_alloc(ngc, room);
    p->depth = arena_alloc(ngc, room);
    p->given = arena_array(ngc, room, sizeof *p->given);
}

/* Gives a slot to each node that is needed, in an order in which each loop comes after all that it
 * reads: kernels that are merged do not wait for each other then. */
static void collect_nodes(Program *p, const Target *given, int givens)
{
    Graph *g = p->graph;
    const unsigned char *mark = mark_nodes(p, given, givens);
    const int *order = graph_order(g);
    int needed = 0;
    int extras = p->targets;

    for (int i = 0; i < g->count; i++) {
        needed += mark[i] & NEEDED;
        /* a variable of a loop may get a second place (order.c) */
        extras += g->node[i]->op == OP_carried && mark[i] & NEEDED;
    }
    alloc_slots(p, needed, extras);

    p->slots = g->count + extras + 1;
    p->slot = arena_array(p->ngc, p->slots, sizeof *p->slot);
    for (int i = 0; i < g->count; i++)
        p->slot[i] = -1;
    for (int i = 0; i < g->count; i++) {
        int id = order[i];
        if (!(mark[id] & NEEDED))
            continue;

        p->slot[id] = p->nodes;
        p->phase[p->nodes] = !(mark[id] & IN_FORWARD);
        p->node[p->nodes++] = g->node[id];
    }
}

/* Variables, constant arrays and given nodes have a place already. */
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
        int s = slot_of(p, given[i].node);
        if (s >= 0 && p->place[s].kind == P_NONE && is_given(given[i].node)) {
            p->place[s] = given[i].place;
            p->given[s] = true;
        }
    }
}

static void add_loop(Program *p, Node *n)
{
    if (program_loop(p, n->attr.loop))
        ngc_bug("program %s: two versions of one loop", p->name);
    p->loop[p->loops++] =
        (struct ProgramLoop){.of = n->attr.loop, .node = n, .outer = node_loop(n)};
}

/* The loops, those inside others first. */
static void find_loops(Program *p)
{
    int count = 0;

    for (int i = 0; i < p->nodes; i++)
        count += p->node[i]->op == OP_loop;
    p->loop = arena_array(p->ngc, count + 1, sizeof *p->loop);
    /* the innermost have the highest level */
    for (int level = MAX_LEVELS - 1; level >= 0 && count > 0; level--)
        for (int i = 0; i < p->nodes; i++) {
            Node *n = p->node[i];
            if (n->op == OP_loop && n->attr.loop->level == level)
                add_loop(p, n);
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
                   .block = same_text(name, "metrics_finish") ? "t" : "w",
                   .plain = plain,
                   .facts = model->facts,
                   .room = -1,
                   .init = same_text(name, "init"),
                   .alone = same_text(name, "check"),
                   .target = target,
                   .targets = targets};
    collect_nodes(p, given, givens);
    place_leaves(p, given, givens);
    find_loops(p);
    return p;
}

/* ---- loops ---- */

struct ProgramLoop *program_loop(const Program *p, const Loop *of)
{
    for (int i = 0; i < p->loops; i++)
        if (p->loop[i].of == of)
            return &p->loop[i];
    return NULL;
}

/* A variable of a loop is made before the loop, and changed in it. */
const Loop *program_home(const Program *p, const Node *n)
{
    const Loop *loop = node_loop(n);

    /* its place is made outside, and each pass writes to it */
    if (n->op == OP_carried && loop)
        return program_loop(p, loop)->outer;
    return loop;
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
    return &p->place[slot_of(p, n)];
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
    if (s->target)
        return &s->target->place;
    return program_place(p, s->node);
}

/* ---- what a kernel reads ---- */

bool call_takes(const Node *n, int operand)
{
    if (n->arg[operand]->op == OP_index) /* it is in the sizes */
        return false;
    return operand != 0 || !node_has(n, F_FACTORED);
}

/* Padding that is part of the call is left out: the function gets what is padded. */
const Node *call_operand(const Program *p, const Node *n, int operand)
{
    const Node *a = n->arg[operand];
    bool implicit = a->op == OP_pad && program_own_place(p, a)->kind == P_FOLDED;

    if (implicit)
        return a->arg[0];
    return a;
}

/* With implicit padding: the size of the image without it, and where the image begins. */
static void implicit_padding_sizes(const Program *p, const Node *conv, Size *size)
{
    const Node *padded = conv->arg[0];
    const Node *own = call_operand(p, conv, 0);
    if (own == padded)
        return;

    /* height and width: axes 1 and 2 of [channels, H, W, batch] */
    for (int i = 0; i < 2; i++) {
        size[CONV_HEIGHT + i] = own->shape.dim[1 + i];
        size[CONV_PH + i] = padded->attr.lo[1 + i];
    }
}

/* With padding that is stored: its rows above and below the image. */
static void stored_padding_sizes(const Program *p, const Node *conv, Size *size)
{
    const Node *x = conv->arg[0];
    if (x->op != OP_pad || x != call_operand(p, conv, 0) || x->attr.step[1] != 1)
        return;

    Size all = x->shape.dim[1];
    Size own = x->arg[0]->shape.dim[1];
    Size above = x->attr.lo[1];
    if (all < 0 || own < 0 || above < 0 || all - above - own < 0)
        return;
    size[CONV_ABOVE] = above;
    size[CONV_BELOW] = all - above - own;
}

void call_sizes(const Program *p, const Node *n, Size *size)
{
    op_info[n->op]->sizes(p->graph, n, size);
    if (n->op == OP_conv) {
        implicit_padding_sizes(p, n, size);
        stored_padding_sizes(p, n, size);
    }
}

/* Does a call get its operand i as a whole tensor? */
static bool is_tensor_argument(const Node *call, int i)
{
    return i < call->nargs && call_takes(call, i) && call->arg[i]->shape.rank > 0;
}

const Node *kernel_operand(const Program *p, const Kernel *k, int i)
{
    const Node *n = NULL;

    if (k->kind == K_GEMM)
        n = i < 2 ? k->product->arg[i] : k->onto;
    else if (k->kind == K_CALL && is_tensor_argument(k->product, i))
        n = call_operand(p, k->product, i);
    if (!n)
        return NULL;
    return program_holder(p, n);
}

void kernel_each_read(Program *p, const Kernel *k,
                      void (*f)(Program *, const Kernel *, const Node *, void *), void *with)
{
    for (int v = 0; v < k->vals; v++)
        if (k->val[v]->kind == V_LOAD)
            f(p, k, k->val[v]->node, with);

    for (int i = 0; i < 3; i++) {
        const Node *operand = kernel_operand(p, k, i);
        if (operand)
            f(p, k, operand, with);
    }
}

static void find_later(Program *p, const Kernel *k, const Node *n, void *found)
{
    (void)p;
    (void)k;
    if (n->op == OP_over_ranks && n->attr.kind == RANKS_LATER)
        *(bool *)found = true;
}

bool kernel_reads_later(Program *p, const Kernel *k)
{
    bool found = false;

    kernel_each_read(p, k, find_later, &found);
    return found;
}

typedef struct ReadCount {
    int *count; /* by slot */
    int by;
} ReadCount;

static void count_read(Program *p, const Kernel *k, const Node *n, void *with)
{
    const ReadCount *c = with;
    (void)k;
    c->count[slot_of(p, n)] += c->by;
}

void kernel_count_reads(Program *p, const Kernel *k, int *count, int by)
{
    ReadCount c = {count, by};
    kernel_each_read(p, k, count_read, &c);
}
