/* loop_order.c - nodes in an order that loops allow, and what is in each loop.
 *
 * Operands precede their users in the graph, but that is not all that a loop asks for. What is
 * collected from a loop is computed in its body, and may have been made after the loop. What a
 * variable begins with may have been made after the variable. */
#include "graph/graph.h"

/* ---- the order ---- */

typedef struct Sorter {
    Graph *g;
    Node **loop;      /* by Loop.id: its OP_loop, if what its variables begin with comes first */
    Node **collect;   /* by id of an OP_loop: a node that collects from it, .. */
    Node **collected; /* .. and by id of that, the next one: what they collect comes first */
    int *asked;       /* by id: how much of what must come first has been looked at */
    Node **stack;
    Node **order;
    int count;
} Sorter;

/* What must come before n and was not asked for yet; NULL: no more. */
static Node *next_before(Sorter *s, const Node *n)
{
    int k = s->asked[n->id]++;
    if (k < n->nargs)
        return n->arg[k];
    k -= n->nargs;

    if (s->loop && n->op == OP_carried) {
        const Node *loop = s->loop[n->attr.loop->id];
        int last = -1;
        if (loop)
            last = loop_variables(loop) - 1;
        if (k <= last)
            return loop_init(loop, last - k);
        return NULL;
    }

    Node *collect = NULL;
    if (s->collect)
        collect = s->collect[n->id];
    if (!collect)
        return NULL;
    s->collect[n->id] = s->collected[collect->id];
    return collect->arg[0];
}

/* Appends n, after all that must come before it. What has been asked is in the order, or waits on
 * the stack. */
static void append(Sorter *s, Node *n)
{
    int depth = 0;
    if (s->asked[n->id])
        return;

    s->stack[depth++] = n;
    while (depth > 0) {
        Node *top = s->stack[depth - 1];
        Node *first = next_before(s, top);
        if (!first) {
            s->order[s->count++] = top;
            depth--;
        } else if (s->asked[first->id] == 0) {
            s->stack[depth++] = first;
        }
    }
}

/* The nodes with a use, or all. Where there are no loops, that is the order of the ids. */
static void sort(Sorter *s, const int *uses)
{
    Graph *g = s->g;
    size_t room = (size_t)g->count + 1;

    s->order = arena_array(g->ngc, room, sizeof *s->order);
    if (g->loops > 0) {
        s->asked = arena_array(g->ngc, room, sizeof *s->asked);
        s->stack = arena_array(g->ngc, room, sizeof *s->stack);
    }

    for (int i = 0; i < g->count; i++) {
        if (uses && !uses[i])
            continue;
        if (g->loops > 0)
            append(s, g->node[i]);
        else
            s->order[s->count++] = g->node[i];
    }
}

int *graph_order(Graph *g)
{
    Ngc *ngc = g->ngc;
    size_t room = (size_t)g->count + 1;
    int *order = arena_array(ngc, room, sizeof *order);
    Sorter s = {.g = g};

    if (g->loops > 0) {
        s.collect = arena_array(ngc, room, sizeof *s.collect);
        s.collected = arena_array(ngc, room, sizeof *s.collected);
    }
    for (int i = 0; i < g->count && g->loops > 0; i++) {
        Node *n = g->node[i];
        if (n->op != OP_collect)
            continue;
        s.collected[i] = s.collect[arg_id(n, 1)];
        s.collect[arg_id(n, 1)] = n;
    }

    sort(&s, NULL);
    for (int i = 0; i < g->count; i++)
        order[i] = s.order[i]->id;
    return order;
}

/* ---- what is in each loop ---- */

LoopPart *graph_loop_parts(Graph *g, const int *order)
{
    Ngc *ngc = g->ngc;
    LoopPart *part = arena_array(ngc, g->loops + 1, sizeof *part);

    /* how many there are, for the room */
    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];
        for (int l = 0; l < MAX_LEVELS; l++)
            if (n->in[l])
                part[n->in[l]->id].count++;
        if (is_loop_result(n))
            part[n->attr.loop->id].leaves++;
    }

    for (int i = 0; i < g->loops; i++) {
        LoopPart *p = &part[i];
        p->node = arena_array(ngc, p->count + 1, sizeof *p->node);
        p->leave = arena_array(ngc, p->leaves + 1, sizeof *p->leave);
        p->count = p->leaves = 0;
    }

    /* which they are */
    for (int i = 0; i < g->count; i++) {
        Node *n = g->node[order[i]];
        Node *leave = g->node[i];
        for (int l = 0; l < MAX_LEVELS; l++) {
            LoopPart *p = NULL;
            if (n->in[l])
                p = &part[n->in[l]->id];
            if (p)
                p->node[p->count++] = n;
        }
        if (is_loop_result(leave)) {
            LoopPart *p = &part[leave->attr.loop->id];
            p->leave[p->leaves++] = leave;
        }
    }
    return part;
}

/* Calls f for each body that n is in. A variable is in none: it belongs to its loop. */
static void each_body(LoopOrder *o, Node *n, void (*f)(struct LoopBody *, Node *))
{
    for (int l = 0; l < MAX_LEVELS && n->op != OP_carried; l++)
        if (n->in[l])
            f(&o->body[n->in[l]->id], n);
}

static void count_node(struct LoopBody *b, Node *n)
{
    (void)n;
    b->count++;
}

static void add_node(struct LoopBody *b, Node *n)
{
    b->node[b->count++] = n;
}

/* The nodes of each body. */
static void fill_bodies(Graph *g, LoopOrder *o)
{
    for (int i = 0; i < o->count; i++)
        each_body(o, o->node[i], count_node);

    for (int i = 0; i < g->loops; i++) {
        struct LoopBody *b = &o->body[i];
        b->node = arena_array(g->ngc, b->count + 1, sizeof *b->node);
        b->count = 0;
    }
    for (int i = 0; i < o->count; i++)
        each_body(o, o->node[i], add_node);
}

LoopOrder loop_order(Graph *g, Node *const *root, int roots)
{
    LoopOrder o = {.body = arena_array(g->ngc, g->loops + 1, sizeof *o.body)};
    Sorter s = {.g = g, .loop = arena_array(g->ngc, g->loops + 1, sizeof *s.loop)};
    int *uses = graph_uses(g, root, roots);

    for (int i = 0; i < g->count; i++)
        if (uses[i] && g->node[i]->op == OP_loop) {
            int id = g->node[i]->attr.loop->id;
            s.loop[id] = o.body[id].loop = g->node[i];
        }

    sort(&s, uses);
    o.node = s.order;
    o.count = s.count;
    if (g->loops > 0)
        fill_bodies(g, &o);
    return o;
}

/* ---- what holds in all passes ---- */

void order_settle(const LoopOrder *o, const Node *loop, Settle s)
{
    const struct LoopBody *body = &o->body[loop->attr.loop->id];
    bool more = true;

    while (more) {
        more = false;
        for (int i = 0; i < loop_variables(loop); i++)
            more |= s.variable(s.of, loop_leaf(loop, i), loop_init(loop, i), loop_next(loop, i));
        for (int i = 0; i < body->count && more; i++)
            s.node(s.of, body->node[i]);
    }
}
