/* grad_loop.c - the derivative of a loop is a loop from the last pass to the first.
 *
 * Its variables are the adjoints of the loop's variables. One sweep through the body, as through
 * any other nodes, gives its body: the adjoints before a pass, from those after it, and what the
 * pass contributes to the values outside, which is summed over the passes. That body is written
 * with values of the forward pass. These are kept: each becomes an element of a tensor that the
 * forward loop collects. Views, and what does not depend on the variables, are computed again.
 *
 * The masks of grad_mask.c are carried beside the adjoints: what a later pass does not choose has
 * no slope in an earlier one. */
#include "graph/grad_loop.h"

/* ---- before the sweep through the body ---- */

static void add_seed(BackLoop *b, Node *n, Node *of, Node *seed, Node *mask)
{
    if (n->type != T_FLOAT || !b->wanted[n->id])
        return;
    b->seeded[b->seeds] = n;
    b->seed_mask[b->seeds] = mask;
    b->seeds_of[b->seeds] = of;
    b->seed[b->seeds++] = seed;
}

static Node *mask_of(const BackLoop *b, const Node *n)
{
    if (b->masks)
        return b->masks[n->id];
    return NULL;
}

/* The value n that a pass puts into y has that part of y's adjoint. */
static void seed_collect(BackLoop *b, Node *y, Node *dy)
{
    Graph *g = b->g;
    Node *index = graph_index(g, b->loop->attr.loop);

    /* the place of the part depends on the index of this pass and of loops around, so nodes made
     * here are of their bodies */
    Indices before = graph_use_indices(g, y->arg + 2, y->nargs - 2);
    graph_use_indices(g, &index, 1);
    const Size *lo = y->attr.lo;
    const Size *step = y->attr.step;
    Node *value = y->arg[0];
    Node *part = graph_slice(g, dy, lo, step, value->shape);
    Node *mask = mask_of(b, y);
    if (mask)
        mask = graph_slice(g, mask, lo, step, value->shape);
    graph_restore_indices(g, before);
    add_seed(b, value, y, part, mask);
}

/* The variable after the last pass has the adjoint of what is read there. */
static void seed_variable(BackLoop *b, int i, Node *const *adjoint)
{
    Graph *g = b->g;
    const Loop *loop = b->loop->attr.loop;
    Node *leaf = loop_leaf(b->loop, i);
    Node *init = NULL, *mask = NULL;
    Node *last = leaf;

    if (leaf->type != T_FLOAT || !b->wanted[leaf->id])
        return;

    /* what is read of it after the last pass */
    for (int k = 0; k < b->part->leaves; k++) {
        Node *n = b->part->leave[k];
        bool reads = n->op == OP_last && n->arg[1] == b->loop && n->arg[0] == leaf;
        if (!reads || adjoint[n->id] == NULL)
            continue;
        last = n;
        init = adjoint[n->id];
        mask = mask_of(b, n);
    }

    /* its adjoint is a variable of the loop that goes back; what nothing reads begins with 0 */
    bool is_read = init != NULL;
    if (!is_read)
        init = graph_full(g, leaf->shape, 0);
    b->init[i] = init;
    b->leaf[i] = graph_carried(g, loop, leaf);

    /* the mask goes back beside the adjoint: 1 where something after the loop reads the variable */
    if (b->masks && b->below[leaf->id] != RISK_NONE) {
        if (mask == NULL)
            mask = graph_full(g, leaf->shape, is_read);
        b->mask_init[i] = mask;
        b->mask[i] = graph_carried(g, loop, leaf);
    }
    add_seed(b, loop_next(b->loop, i), last, b->leaf[i], b->mask[i]);
}

static Node **room_for(const BackLoop *b, int count)
{
    return arena_array(b->g->ngc, count + 1, sizeof(Node *));
}

void back_loop_begin(BackLoop *b, Node *const *adjoint)
{
    Graph *g = b->g;
    int count = loop_variables(b->loop);
    int most = count + b->part->leaves;

    b->from = g->count;
    b->steps = g->steps;
    b->leaf = room_for(b, count);
    b->init = room_for(b, count);
    b->mask = room_for(b, count);
    b->mask_init = room_for(b, count);
    b->seeded = room_for(b, most);
    b->seed = room_for(b, most);
    b->seed_mask = room_for(b, most);
    b->seeds_of = room_for(b, most);

    for (int i = 0; i < count; i++)
        seed_variable(b, i, adjoint);
    for (int k = 0; k < b->part->leaves; k++) {
        Node *n = b->part->leave[k];
        if (n->op == OP_collect && n->arg[1] == b->loop && adjoint[n->id])
            seed_collect(b, n, adjoint[n->id]);
    }
}

/* ---- values of the forward pass, in the loop that goes back ---- */

typedef struct Move { /* from the body of one loop into that of another */
    BackLoop *b;
    BackMemory *memory;
    const Loop *from, *to;
    struct Renamed {
        const Loop *from, *to;
    } renamed[MAX_LEVELS * 16]; /* loops inside that are computed again, with leaves of their own */
    int renames;
} Move;

/* Does a node of the body depend on a variable of the loop, and not only on its index? */
static bool depends(const Move *m, const Node *n)
{
    return n->id < m->b->nodes && m->memory->depends[n->id];
}

/* Does the forward pass compute it, for the variables of the loop or for what it collects? */
static bool is_forward(const Move *m, const Node *n)
{
    return n->id < m->b->nodes && m->memory->forward[n->id];
}

/* Is n, a value of the forward pass, computed again rather than kept? */
static bool is_computed_again(const Move *m, const Node *n)
{
    const OpInfo *info = op_info[n->op];
    bool cheap = info->flags & F_ELEMENTWISE && info->flags & F_CHEAP;

    /* within a segment nothing is kept but the variables at its start, so all the rest is computed
     * again */
    if (m->from->segments)
        return n->op != OP_carried || n->attr.loop != m->from;
    /* a view costs nothing, and a cast less than to keep its operand twice */
    if (n->op == OP_expand || info->flags & F_VIEW || n->op == OP_cast)
        return true;
    /* what is the same in each pass, or follows from the index alone */
    return !depends(m, n) && (cheap || info->flags & F_LEAF);
}

/* Was n made for the way back only? What leaves a loop of the forward pass was not, even if only
 * the way back reads it. */
static bool is_of_way_back(const Move *m, const Node *n)
{
    bool leaves = n->op == OP_last || n->op == OP_collect;

    /* the number of passes that a loop has made belongs to the loop */
    if (n->op == OP_passes && is_forward(m, n->arg[0]))
        return false;
    return !is_forward(m, n) && !(leaves && is_forward(m, n->arg[1]));
}

static Node *move(Move *m, Node *n);

/* What takes the place of a loop inside the body that is computed again; itself: it is not. */
static const Loop *renamed(const Move *m, const Loop *loop)
{
    for (int i = 0; i < m->renames; i++)
        if (m->renamed[i].from == loop)
            return m->renamed[i].to;
    return loop;
}

static bool is_renamed(const Move *m, const Node *n)
{
    for (int l = 0; l < MAX_LEVELS; l++)
        if (n->in[l] && renamed(m, n->in[l]) != n->in[l])
            return true;
    return false;
}

/* A loop of the forward pass that the way back computes again gets leaves of its own. */
static void rename_loop(Move *m, const Node *n)
{
    Graph *g = m->b->g;
    const Loop *from = n->attr.loop;

    if (n->op != OP_loop || !is_forward(m, n) || renamed(m, from) != from)
        return;
    if (m->renames == (int)(sizeof m->renamed / sizeof *m->renamed))
        ngc_bug("a loop has too many loops inside");

    Loop *to = graph_new_loop(g, from->name, from->level, from->passes, from->down);
    to->loc = from->loc;
    to->from = from->from;
    to->last = from->last;
    to->segments = from->segments;
    to->all = from->all;
    /* its passes compute again what the forward pass has computed, with the same bits */
    to->again = m->from->segments;
    m->renamed[m->renames++] = (struct Renamed){from, to};
}

/* The same op on operands in the other body. */
static Node *copy_moved(Move *m, const Node *n, Node *const *arg)
{
    Node own = *n;

    if (n->op == OP_loop)
        own.attr.loop = renamed(m, n->attr.loop);
    return graph_copy(m->b->g, &own, arg);
}

static Node *move_operands(Move *m, Node *n)
{
    Graph *g = m->b->g;
    Node **arg = arena_array(g->ngc, n->nargs + 1, sizeof *arg);
    int first = g->count;
    Loc loc = g->loc;

    /* from the last to the first: of what leaves a loop, the loop comes first */
    rename_loop(m, n);
    for (int k = n->nargs - 1; k >= 0; k--)
        arg[k] = move(m, n->arg[k]);
    g->loc = n->loc;
    Node *moved = copy_moved(m, n, arg);
    g->loc = loc;
    /* a copy within a segment must round as its original did: it is simplified like the text, not
     * like a derivative */
    if (m->from->segments && is_forward(m, n) && moved->id >= first)
        moved->again = !node_is_derived(n);
    node_replaces(moved, n, first);
    return moved;
}

static Node *move_new(Move *m, Node *n)
{
    BackLoop *b = m->b;
    Graph *g = b->g;

    /* both loops count the same passes, so the index of one is that of the other */
    if (n->op == OP_index)
        return graph_index(g, n->attr.loop == m->from ? m->to : renamed(m, n->attr.loop));
    if (n->op == OP_carried && n->attr.loop != m->from) {
        Node *leaf = graph_carried(g, renamed(m, n->attr.loop), n);
        leaf->name = n->name;
        return leaf;
    }
    /* all else is kept: the forward loop collects n over its passes, and pass i reads element i */
    if (is_of_way_back(m, n) || is_computed_again(m, n))
        return move_operands(m, n);
    return graph_at_pass(g, graph_collect_all(g, b->loop, n), m->to, n->shape);
}

static void set_now(Move *m, const Node *n, Node *now)
{
    BackMemory *y = m->memory;

    LIST_GROW(m->b->g->ngc, y->moved, y->moves, &y->moved_room);
    y->moved[y->moves++] = n->id;
    y->now[n->id] = now;
}

/* n in the other body. */
static Node *move(Move *m, Node *n)
{
    /* outside of the body it is the same value in both loops */
    if (n->in[m->from->level] != m->from && !is_renamed(m, n))
        return n;
    if (!m->memory->now[n->id])
        set_now(m, n, move_new(m, n));
    return m->memory->now[n->id];
}

/* Is it in the body, or in that of a loop inside? */
static bool is_inside(const Move *m, const Node *n)
{
    for (int l = m->from->level + 1; l < MAX_LEVELS; l++)
        if (n->in[l])
            return true;
    return n->in[m->from->level] == m->from;
}

static void mark_forward(Move *m, const Node *n)
{
    BackMemory *y = m->memory;

    if (y->forward[n->id] || !is_inside(m, n))
        return;
    LIST_GROW(m->b->g->ngc, y->marked, y->marks, &y->marked_room);
    y->marked[y->marks++] = n->id;
    y->forward[n->id] = true;
}

/* The nodes of the body that the forward pass computes, for its variables and for what it collects
 * so far. (Nodes are shared: an older one may be of the way back of another sweep.) */
static void find_forward(Move *m)
{
    const Graph *g = m->b->g;
    const LoopPart *part = m->b->part;
    const Node *loop = m->b->loop;

    for (int k = 0; k < loop->nargs; k++)
        mark_forward(m, loop->arg[k]);
    for (int i = 0; i < part->leaves; i++) {
        const Node *n = part->leave[i];
        if (n->op == OP_collect && n->arg[1] == loop)
            mark_forward(m, n->arg[0]);
    }

    /* the list grows while it is walked: operands of what is marked */
    for (int i = 0; i < m->memory->marks; i++) {
        const Node *n = g->node[m->memory->marked[i]];
        for (int k = 0; k < n->nargs; k++)
            mark_forward(m, n->arg[k]);
    }
}

static void find_depends(Move *m)
{
    const LoopPart *part = m->b->part;
    bool *on = m->memory->depends;

    /* operands come first, so one walk is enough */
    for (int i = 0; i < part->count; i++) {
        const Node *n = part->node[i];
        on[n->id] = n->op == OP_carried && n->attr.loop == m->from;
        for (int k = 0; k < n->nargs; k++)
            on[n->id] |= on[arg_id(n, k)];
    }
}

/* For all nodes that there are now. */
static void begin_memory(const BackLoop *b)
{
    const Graph *g = b->g;
    BackMemory *y = b->memory;

    if (y->room == 0) {
        y->room = b->nodes;
        y->depends = arena_alloc(g->ngc, (size_t)y->room + 1);
        y->forward = arena_alloc(g->ngc, (size_t)y->room + 1);
    }
    if (y->now_room < g->count) {
        y->now_room = 2 * g->count;
        y->now = arena_array(g->ngc, y->now_room, sizeof *y->now);
    }
}

static void end_memory(const BackLoop *b)
{
    BackMemory *y = b->memory;

    for (int i = 0; i < y->moves; i++)
        y->now[y->moved[i]] = NULL;
    for (int i = 0; i < y->marks; i++)
        y->forward[y->marked[i]] = false;
    for (int i = 0; i < b->part->count; i++)
        y->depends[b->part->node[i]->id] = false;
    y->moves = y->marks = 0;
}

/* From the body of the loop into that of a new loop, which goes back. */
static Move new_move(BackLoop *b)
{
    Graph *g = b->g;
    const Loop *of = b->loop->attr.loop;
    Loop *back = graph_new_loop(g, of->name, of->level, of->passes, !of->down);

    back->of = of;
    back->loc = of->loc;
    back->from = of->from;
    back->all = of->all;

    Move m = {.b = b, .memory = b->memory, .from = of, .to = back};
    begin_memory(b);
    find_depends(&m);
    find_forward(&m);
    return m;
}

/* The steps through the body are about the loop that goes back. The first step is moved first: so
 * what is in the body of a loop inside comes before that loop. */
static void move_steps(Move *m)
{
    Graph *g = m->b->g;
    int count = 0;

    for (Step *s = g->steps; s != m->b->steps; s = s->prev)
        count++;
    Step **step = arena_array(g->ngc, count + 1, sizeof *step);
    for (Step *s = g->steps; s != m->b->steps; s = s->prev)
        step[--count] = s;

    for (int i = 0; step[i]; i++) {
        Step *s = step[i];
        s->dy = move(m, s->dy);
        s->dx = move(m, s->dx);
        s->sum = move(m, s->sum);
        if (!s->within)
            s->within = m->to;
    }
}

/* ---- after the sweep ---- */

static void add_result(BackLoop *b, Node *x, Node *dx, Node *mask, int operand)
{
    Graph *g = b->g;

    /* four arrays of one length grow together; only the last may change the room */
    if (b->count == b->room) {
        int room = b->room;
        int same = b->room;
        int again = b->room;
        LIST_GROW(g->ngc, b->x, b->count, &room);
        LIST_GROW(g->ngc, b->dx_mask, b->count, &same);
        LIST_GROW(g->ngc, b->operand, b->count, &again);
        LIST_GROW(g->ngc, b->dx, b->count, &b->room);
    }
    b->x[b->count] = x;
    b->dx_mask[b->count] = mask;
    b->operand[b->count] = operand;
    b->dx[b->count++] = dx;
}

/* Copies outside need not be summed pass by pass: what flows back to them is added up within the
 * pass. */
static void through_copies(BackLoop *b, Node **x, Node **dx, Node **mask)
{
    for (;;) {
        const Node *n = *x;
        bool is_copy = n->op == OP_expand || n->op == OP_reshape;
        if (!is_copy || n->bound || !b->wanted[arg_id(n, 0)])
            return;

        op_info[n->op]->back(b->g, n, *dx, dx);
        if (*mask)
            op_info[n->op]->back(b->g, n, *mask, mask);
        *x = n->arg[0];
    }
}

/* What the body contributes to the values outside it: b->x and, in terms of the body, b->dx. */
static void find_captured(BackLoop *b, Node *const *adjoint, Node *const *masks)
{
    const Loop *of = b->loop->attr.loop;

    for (int i = 0; i < b->touches; i++) {
        int id = b->touched[i];
        Node *x = b->g->node[id];
        Node *dx = adjoint[id];
        Node *mask = masks[id];
        /* what is inside the body is not a value outside; its adjoint ends with the pass */
        if (!dx || x->in[of->level] == of || node_is(dx, 0))
            continue;
        if (!b->masks || b->below[id] == RISK_NONE)
            mask = NULL;
        through_copies(b, &x, &dx, &mask);
        add_result(b, x, dx, mask, b->loop->nargs);
    }
}

/* 1 where something flows to the variable from this pass on, else 0. Without a mask, all may. */
static Node *mask_before(Graph *g, const Node *leaf, const Node *adjoint, Node *mask)
{
    if (!adjoint)
        return graph_full(g, leaf->shape, 0);
    if (!mask)
        return graph_full(g, leaf->shape, 1);
    return graph_binary(g, OP_ne, mask, graph_const(g, 0));
}

/* A variable of the loop that goes back: an adjoint, or its mask. */
typedef struct BackVar {
    Node *before; /* its leaf in the forward body */
    Node *leaf;   /* in the body that goes back; NULL: it is always the same */
    Node *init, *next;
} BackVar;

/* The variables of the loop that goes back: the adjoints of the forward loop's variables, then
 * their masks. Those of variable i are at[i] and mask_at[i]. */
typedef struct BackVars {
    BackVar *var;
    int count;
    int *at, *mask_at; /* -1: there is none */
} BackVars;

static int add_variable(BackVars *v, Node *before, Node *init, Node *next)
{
    v->var[v->count] = (BackVar){.before = before, .init = init, .next = next};
    return v->count++;
}

static BackVars find_variables(BackLoop *b, Node *const *adjoint, Node *const *mask)
{
    Graph *g = b->g;
    int count = loop_variables(b->loop);
    int most = count + 1;
    BackVars v = {.var = arena_array(g->ngc, 2 * most, sizeof *v.var)};

    v.at = arena_array(g->ngc, most, sizeof *v.at);
    v.mask_at = arena_array(g->ngc, most, sizeof *v.mask_at);

    for (int i = 0; i < count; i++) {
        Node *leaf = loop_leaf(b->loop, i);
        Node *next = adjoint[leaf->id];

        /* a variable that no pass reaches has the adjoint 0 before each pass */
        if (next == NULL)
            next = graph_full(g, leaf->shape, 0);
        v.at[i] = -1;
        if (b->leaf[i])
            v.at[i] = add_variable(&v, b->leaf[i], b->init[i], next);
    }

    for (int i = 0; i < count; i++) {
        Node *leaf = loop_leaf(b->loop, i);

        v.mask_at[i] = -1;
        if (b->mask[i]) {
            Node *next = mask_before(g, leaf, adjoint[leaf->id], mask[leaf->id]);
            v.mask_at[i] = add_variable(&v, b->mask[i], b->mask_init[i], next);
        }
    }
    return v;
}

/* Each node that the body has to compute. */
static int body_results(BackLoop *b, BackVars *v, Node ***result)
{
    int n = 0;

    for (int i = 0; i < v->count; i++)
        result[n++] = &v->var[i].next;
    for (int i = 0; i < b->count; i++) {
        result[n++] = &b->dx[i];
        if (b->dx_mask[i])
            result[n++] = &b->dx_mask[i];
    }
    return n;
}

static void simplify_results(BackLoop *b, Node ***result, int count)
{
    Node **node = room_for(b, count);

    for (int i = 0; i < count; i++)
        node[i] = *result[i];
    graph_simplify(b->g, node, count, b->from, NULL, NULL);
    for (int i = 0; i < count; i++)
        *result[i] = node[i];
}

/* Each variable gets a leaf of its own, unless it is the same constant in all passes. */
static void move_variables(Move *m, BackVars *v)
{
    for (int i = 0; i < v->count; i++) {
        BackVar *var = &v->var[i];
        double before, after;
        /* the same constant before and after each pass, as an adjoint that stays 0: no variable is
         * needed */
        bool fixed = node_const(var->init, &before) && node_const(var->next, &after);
        if (!fixed || before != after)
            var->leaf = graph_carried(m->b->g, m->to, var->before);
        if (var->leaf)
            node_replaces(var->leaf, var->before, var->leaf->id);
        set_now(m, var->before, var->leaf ? var->leaf : var->init);
    }
}

/* An adjoint without a name is called after its variable. */
static void name_variables(const BackLoop *b, const BackVars *v)
{
    for (int i = 0; i < loop_variables(b->loop); i++) {
        const char *name = loop_leaf(b->loop, i)->name;
        Node *leaf = NULL;
        if (b->leaf[i])
            leaf = v->var[v->at[i]].leaf;
        if (leaf && !leaf->name && name)
            leaf->name = text_format(b->g->ngc, "d/d%s", name);
    }
}

static Node *make_loop(const BackLoop *b, const Loop *back, const BackVars *v)
{
    Node **leaf = room_for(b, v->count);
    Node **init = room_for(b, v->count);
    Node **next = room_for(b, v->count);
    Node *passes = NULL;
    int n = 0;

    for (int i = 0; i < v->count; i++) {
        if (!v->var[i].leaf)
            continue;
        leaf[n] = v->var[i].leaf;
        init[n] = v->var[i].init;
        next[n++] = v->var[i].next;
    }
    /* how many passes there were is known only after the forward loop */
    if (loop_test(b->loop) || loop_count(b->loop))
        passes = graph_passes(b->g, b->loop);
    return graph_loop(b->g, back, leaf, init, next, n, NULL, passes);
}

/* The variable after all passes back. */
static Node *last_of(Graph *g, Node *loop, const BackVars *v, int at)
{
    if (at < 0)
        return NULL;
    if (v->var[at].leaf)
        return graph_last(g, loop, v->var[at].leaf);
    return v->var[at].init;
}

void back_loop_end(BackLoop *b, Node *const *adjoint, Node *const *mask)
{
    Graph *g = b->g;
    int variables = loop_variables(b->loop);

    BackVars v = find_variables(b, adjoint, mask);
    find_captured(b, adjoint, mask);
    Node ***result = arena_array(g->ngc, v.count + 2 * b->count + 1, sizeof *result);
    int results = body_results(b, &v, result);
    /* while it is still in terms of the forward body: fewer values are then kept for it */
    simplify_results(b, result, results);

    /* into the body that goes back: values of the forward pass become elements that it has kept */
    Move m = new_move(b);
    move_variables(&m, &v);
    name_variables(b, &v);
    move_steps(&m);
    for (int i = 0; i < results; i++)
        *result[i] = move(&m, *result[i]);
    end_memory(b);
    Node *loop = make_loop(b, m.to, &v);

    /* what the passes contribute to values outside, and to the starting values */
    for (int i = 0; i < b->count; i++) {
        b->dx[i] = graph_collect_sum(g, loop, b->dx[i]);
        if (b->dx_mask[i])
            b->dx_mask[i] = graph_collect_sum(g, loop, b->dx_mask[i]);
    }
    for (int i = 0; i < variables; i++) {
        if (!b->leaf[i])
            continue;
        Node *last = last_of(g, loop, &v, v.at[i]);
        Node *last_mask = last_of(g, loop, &v, v.mask_at[i]);
        add_result(b, loop_init(b->loop, i), last, last_mask, variables + i);
    }
}
