/* grad.c - the reverse sweep. It walks from a result back to the values it was computed from. For
 * each value on the way it adds up the adjoint: the derivative of the result with respect to that
 * value. This file holds no mathematics: each op's record has its rule. The pass requires nothing
 * of the graph. It adds nodes and changes none. */
#include "graph/grad.h"

#include <stdlib.h>

/* ---- the sweep ---- */

/* What y contributes to the adjoint of each operand that is wanted. */
static void contributions(Sweep *s, Node *y, Node **dx)
{
    const OpInfo *info = op_info[y->op];
    Graph *g = s->g;
    Node *dy = s->found->adjoint[y->id];
    Node *mask = s->found->mask[y->id];

    /* y = sum over k of a[k]*b[k]: where the mask is 0, the other factor must not reach the
     * product, so factors are masked, not results */
    if (is_bilinear(y)) {
        info->back(g, mask ? mask_factors(s, y, mask) : y, dy, dx);
        return;
    }
    /* a rule in C gives dx of all operands at once, so a mask can only be applied afterwards: to
     * those whose slope may be infinite */
    if (info->back) {
        info->back(g, y, dy, dx);
        for (int i = 0; mask && i < y->nargs; i++)
            if (dx[i] && rule_risk(g, y, i) > RISK_NONE)
                dx[i] = mask_apply(g, mask, dx[i]);
        return;
    }

    for (int i = 0; i < y->nargs; i++) {
        if (!s->wanted[arg_id(y, i)] || !info->rule[i])
            continue;
        /* dx = dy*slope. Where the slope is infinite and dy is 0, that is NaN: then the mask
         * chooses 0 instead of the product */
        bool masked = mask && (rule_risk(g, y, i) > RISK_NONE ||
                               mask_reads_pole(s, y, rule_parsed(g, y->op, i)));
        if (masked)
            dx[i] = mask_apply(g, mask, rule_apply(g, y, mask_undone(mask, dy), i));
        else
            dx[i] = rule_apply(g, y, dy, i);
    }
}

/* n is explained by this step, if this sweep made it and no earlier step explains it. */
static void explain_by(const Sweep *s, Node *n, Step *step)
{
    if (n->id >= s->from && !n->step)
        n->step = step;
}

/* x is to have an adjoint. */
static void touch(Graph *g, Found *f, const Node *x)
{
    if (f->adjoint[x->id])
        return;
    LIST_GROW(g->ngc, f->touched, f->touches, &f->touched_room);
    f->touched[f->touches++] = x->id;
}

/* Adds the contribution dx of y, whose adjoint is dy, to the adjoint of x, and records the step.
 * Step.operand says what x is to y. */
static void contribute(Sweep *s, Node *y, Node *dy, Node *x, int operand, Node *dx, Node *mask)
{
    Graph *g = s->g;
    Node **sum = &s->found->adjoint[x->id];
    /* a contribution of 0 makes no node and no step, so no lesson shows it */
    if (node_is(dx, 0))
        return;

    /* before the adjoint changes: mask_add asks whether this contribution is the first */
    mask_add(s, x, mask);
    touch(s->g, s->found, x);

    Step *step = arena_alloc(g->ngc, sizeof *step);
    *step = (Step){
        .loss = s->loss,
        .x = x,
        .y = y,
        .dy = dy,
        .dx = dx,
        .operand = operand,
        .use = s->found->uses[x->id]++,
        .prev = g->steps,
    };
    if (s->recorded)
        g->steps = step;

    /* the chain rule for several uses: dJ/dx = the sum over uses y of dJ/dy * dy/dx */
    if (*sum)
        *sum = graph_binary(g, OP_add, *sum, dx);
    else
        *sum = dx;
    step->sum = *sum;
    explain_by(s, dx, step);
    explain_by(s, *sum, step);
}

/* Names the adjoint of a named value: dJ/dz. In a second sweep it is explained by the step of the
 * first, which is about the loss as the user wrote it. */
static void name_adjoint(Sweep *s, const Node *x)
{
    Node *d = s->found->adjoint[x->id];
    const char *name = node_name(x);
    /* an older node is shared with what the user wrote, and has its own name */
    if (!name || d->id < s->from)
        return;

    if (!d->name)
        d->name = text_format(s->g->ngc, "d%s/d%s", text_or(s->loss->name, "J"), name);

    const Node *first = NULL;
    if (x->id < s->n_first)
        first = s->first[x->id];
    if (first && first->step)
        d->step = first->step;
}

static void sweep(Sweep *s);

/* Memory for the adjoints; that of an earlier sweep through a loop is used again. */
static void begin_found(Sweep *s)
{
    Ngc *ngc = s->g->ngc;
    size_t n = (size_t)s->nodes;
    Found *f = s->found;

    if (f->adjoint)
        return;
    f->adjoint = arena_array(ngc, n, sizeof *f->adjoint);
    f->uses = arena_array(ngc, n, sizeof *f->uses);
    f->mask = arena_array(ngc, n, sizeof *f->mask);
}

static void end_found(Found *f)
{
    for (int i = 0; i < f->touches; i++) {
        f->adjoint[f->touched[i]] = NULL;
        f->mask[f->touched[i]] = NULL;
        f->uses[f->touched[i]] = 0;
    }
    f->touches = 0;
}

/* Does what comes back to this loop depend on a loop that is not around it? The loop that goes back
 * would be in that one, and has no level there. */
static bool comes_from_other_loop(const Sweep *s, const Node *loop)
{
    const LoopPart *part = &s->part[loop->attr.loop->id];

    for (int k = 0; k < part->leaves; k++) {
        const Node *n = part->leave[k];
        const Node *dy = s->found->adjoint[n->id];
        for (int l = loop->attr.loop->level; l < MAX_LEVELS && n->arg[1] == loop && dy; l++)
            if (dy->in[l])
                return true;
    }
    return false;
}

/* Does the derivative of a loop need masks: has what leaves it one, or does its body choose? */
static bool loop_needs_masks(const Sweep *s, const Node *loop)
{
    const LoopPart *part = &s->part[loop->attr.loop->id];

    for (int i = 0; i < part->leaves; i++)
        if (part->leave[i]->arg[1] == loop && s->found->mask[part->leave[i]->id])
            return true;
    /* a choice within a pass, even if what leaves the loop has no mask */
    for (int i = 0; i < part->count; i++) {
        const Node *n = part->node[i];
        if (!node_has(n, F_CHOICE) || !s->wanted[n->id])
            continue;
        for (int k = 0; k < n->nargs; k++)
            if (s->wanted[arg_id(n, k)] && mask_is_needed(s, n, k))
                return true;
    }
    return false;
}

static int compare_ids(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* A loop: one sweep through its body becomes the body of a loop that goes back. */
static void sweep_loop(Sweep *s, Node *loop)
{
    Graph *g = s->g;
    const Loop *of = loop->attr.loop;
    Found *found = s->found;
    BackLoop b = {.g = g,
                  .loop = loop,
                  .part = &s->part[of->id],
                  .nodes = s->nodes,
                  .wanted = s->wanted,
                  .memory = s->back};
    Node *index = graph_index(g, of);

    if (comes_from_other_loop(s, loop)) { /* lowering expands that loop then */
        diag(g->ngc, SEV_ERROR, ERR_LOOP_NESTING, g->loc,
             "a gradient in it goes through a loop outside");
        return;
    }
    if (loop_needs_masks(s, loop)) {
        b.masks = found->mask;
        b.below = s->below;
    }

    /* where the sweep through the body begins: at what has an adjoint after the loop */
    back_loop_begin(&b, found->adjoint);
    Sweep body = *s;
    body.within = of;
    body.found = found + 1;
    begin_found(&body);

    /* the sweep through the body; what it makes is of one pass */
    Indices before = graph_use_indices(g, &index, 1);
    for (int i = 0; i < b.seeds; i++) {
        Node *y = b.seeds_of[i];
        Node *dy = found->adjoint[y->id];
        if (dy == NULL)
            dy = b.seed[i];
        contribute(&body, y, dy, b.seeded[i], 0, b.seed[i], b.seed_mask[i]);
    }
    sweep(&body);
    graph_restore_indices(g, before);

    /* what it has found becomes the body of the loop that goes back */
    Found *inside = body.found;
    if (inside->touches > 0)
        qsort(inside->touched, (size_t)inside->touches, sizeof(int), compare_ids);
    b.touched = inside->touched;
    b.touches = inside->touches;
    back_loop_end(&b, inside->adjoint, inside->mask);
    end_found(inside);

    /* what that loop sends to values outside */
    Node *dy = found->adjoint[loop->id];
    for (int i = 0; i < b.count; i++)
        if (s->wanted[b.x[i]->id])
            contribute(s, loop, dy, b.x[i], b.operand[i], b.dx[i], b.dx_mask[i]);
}

/* Is y on the way back: has it an adjoint, and is it in the body that this sweep goes through? */
static bool is_on_the_way(const Sweep *s, const Node *y)
{
    if (!s->found->adjoint[y->id] || !s->wanted[y->id])
        return false;
    return !s->within || y->in[s->within->level] == s->within;
}

/* What y contributes to its operands. */
static void sweep_node(Sweep *s, Node *y)
{
    Graph *g = s->g;
    Node **dx = arena_array(g->ngc, y->nargs + 1, sizeof *dx);
    Node **mask = arena_array(g->ngc, y->nargs + 1, sizeof *mask);

    contributions(s, y, dx);
    mask_operands(s, y, mask);
    for (int k = 0; k < y->nargs; k++) {
        Node *x = y->arg[k];
        if (dx[k] && s->wanted[x->id] && x->type == T_FLOAT)
            contribute(s, y, s->found->adjoint[y->id], x, k, dx[k], mask[k]);
    }
}

/* Operands come before their users, and what a loop uses before the loop. So all contributions to y
 * are there when the walk comes to y. */
static void sweep(Sweep *s)
{
    Graph *g = s->g;
    const LoopPart *part = NULL;
    if (s->within)
        part = &s->part[s->within->id];
    Loc loc = g->loc;

    for (int i = (part ? part->count : s->nodes) - 1; i >= 0; i--) {
        Node *y = part ? part->node[i] : g->node[s->order[i]];
        if (!is_on_the_way(s, y))
            continue;

        /* what the rules build belongs to the place of y, so messages about a derivative point to
         * the user's text */
        g->loc = y->loc;
        if (y->op == OP_loop) {
            sweep_loop(s, y);
            continue;
        }
        name_adjoint(s, y);
        /* What leaves a loop passes its adjoint on to the loop, which is differentiated as a whole.
         */
        if (is_loop_result(y)) {
            touch(g, s->found, y->arg[1]);
            s->found->adjoint[arg_id(y, 1)] = s->found->adjoint[y->id];
            s->wanted[arg_id(y, 1)] = true;
        } else {
            sweep_node(s, y);
        }
    }
    g->loc = loc;
}

/* Memory for what is known by id. */
static void sweep_arrays(Sweep *s)
{
    Graph *g = s->g;
    Ngc *ngc = g->ngc;
    size_t n = (size_t)g->count;
    s->from = s->nodes = g->count;
    s->order = graph_order(g);
    s->wanted = arena_alloc(ngc, n);
    s->below = arena_array(ngc, n, sizeof *s->below);
    s->from_vars = arena_array(ngc, n, sizeof *s->from_vars);
    if (g->loops > 0)
        s->part = graph_loop_parts(g, s->order);
    else
        s->part = NULL;
    s->found = arena_array(ngc, MAX_LEVELS + 1, sizeof *s->found);
    s->back = arena_alloc(ngc, sizeof *s->back);
    begin_found(s);
}

/* Marks n if an operand of it is marked, and the variables of a loop whose first or next value is
 * marked. These come before the loop, so their users have to be seen again: true. */
static bool mark_wanted(Sweep *s, const Node *n)
{
    bool again = false;

    for (int k = 0; k < n->nargs; k++)
        s->wanted[n->id] |= s->wanted[arg_id(n, k)];
    /* a variable is wanted if its value before the loop, or after a pass, is */
    for (int v = 0; n->op == OP_loop && v < loop_variables(n); v++) {
        bool *leaf = &s->wanted[loop_leaf(n, v)->id];
        bool some = s->wanted[loop_init(n, v)->id] || s->wanted[loop_next(n, v)->id];
        again |= some && !*leaf;
        *leaf |= some;
    }
    return again;
}

/* Marks what depends on one of the x, also from pass to pass of a loop. */
static void find_wanted(Sweep *s, Node *const *x, int count)
{
    bool again = true;

    for (int i = 0; i < count; i++)
        s->wanted[x[i]->id] = true;
    while (again) {
        again = false;
        for (int i = 0; i < s->g->count; i++)
            again |= mark_wanted(s, s->g->node[i]);
    }
}

/* By id, what values are computed from whose contributions have cancelled each other. */
static const int *below_zeros(Sweep *s)
{
    Graph *g = s->g;
    Node **zero = arena_array(g->ngc, s->nodes + 1, sizeof *zero);
    int count = 0;

    for (int i = 0; i < s->nodes; i++) {
        const Node *d = s->found->adjoint[i];
        if (d && node_is(d, 0))
            zero[count++] = g->node[i];
    }
    return graph_uses(g, zero, count);
}

/* How y reaches each x. */
static void find_reach(Sweep *s, Node *y, Node *const *x, int count, Reach *reach)
{
    const int *used = graph_uses(s->g, &y, 1);
    const int *cancelled = below_zeros(s);

    for (int i = 0; i < count; i++) {
        int id = x[i]->id;
        reach[i] = REACH_NONE;
        if (s->found->adjoint[id])
            reach[i] = REACH_YES;
        else if (used[id] && cancelled[id])
            reach[i] = REACH_CANCELS;
        else if (used[id])
            reach[i] = REACH_FLAT;
    }
}

/* The gradient of y, which has the value of the loss, with respect to each x. Returns the adjoints
 * by id. reach may be NULL. */
static Node **gradient(Sweep s, Node *y, Node *seed, Node *const *x, int count, Node **out,
                       Reach *reach)
{
    Graph *g = s.g;
    sweep_arrays(&s);
    find_wanted(&s, x, count);
    mask_find_risks(&s, y);
    if (seed)
        s.found->adjoint[y->id] = seed;
    else
        s.found->adjoint[y->id] = graph_full(g, y->shape, 1);
    sweep(&s);
    /* only what the sweep made: nodes that it shares with the text stay the user's */
    for (int i = s.from; i < g->count; i++)
        g->node[i]->derived = true;

    if (reach)
        find_reach(&s, y, x, count, reach);
    for (int i = 0; i < count; i++) {
        Node *d = s.found->adjoint[x[i]->id];
        if (d)
            out[i] = d;
        else
            out[i] = graph_full(g, x[i]->shape, 0);
    }
    return s.found->adjoint;
}

/* What would overflow is differentiated a second time, in a form that does not overflow, and the
 * second result is taken. Two such forms are needed if some x are values inside the loss: with
 * respect to these the form must keep them (`held`). Variables need the form that looks through
 * names (`open`), as the values may be asked for only to be seen. */
void graph_grad(Graph *g, Node *y, Node *seed, Node *const *x, int count, Node **out, Reach *reach)
{
    Node *held = y;
    Node *open = y;
    Node **inner = arena_array(g->ngc, count + 1, sizeof *inner);
    Node **by_open = arena_array(g->ngc, count + 1, sizeof *by_open);
    int n_inner = 0;

    /* the first sweep is of the text as it is written; it gives the lesson its steps */
    Sweep written = {.g = g, .loss = y, .recorded = true};
    Sweep again = {.g = g, .loss = y, .n_first = g->count};
    again.first = gradient(written, y, seed, x, count, out, reach);

    /* values inside the loss are to be kept as they are: the stable form may not look through them
     */
    for (int i = 0; i < count; i++)
        if (x[i]->op != OP_var)
            inner[n_inner++] = x[i];
    if (graph_stable(g, &held, 1, inner, n_inner))
        gradient(again, held, seed, x, count, out, NULL);

    /* one form served all x */
    if (n_inner == 0 || n_inner == count)
        return;
    if (!graph_stable(g, &open, 1, NULL, 0) || open == held)
        return;
    gradient(again, open, seed, x, count, by_open, NULL);
    for (int i = 0; i < count; i++)
        if (x[i]->op == OP_var)
            out[i] = by_open[i];
}
