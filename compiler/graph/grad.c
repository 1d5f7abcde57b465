/* grad.c - the reverse sweep. It walks from a result back to the values it was computed from. For
 * each value on the way it adds up the adjoint: the derivative of the result with respect to that
 * value. This file holds no mathematics: each op's record has its rule. The pass requires nothing
 * of the graph. It adds nodes and changes none.
 *
 * Masks. Nothing flows back to an operand that a choice (where, maximum, ..) does not take, and
 * this must stay so: 0 times an infinite slope is NaN. So an adjoint below a choice has a mask,
 * which is not 0 where something may flow. Where a slope may be infinite, a contribution is taken
 * only where the mask is not 0, and is 0 elsewhere. Masks are made only where there is such a slope
 * further down: a relu over finite slopes costs nothing. */
#include "graph/grad_loop.h"

#include <stdlib.h>
#include <string.h>

/* ---- a rule written in the language, as nodes ---- */

/* What the names in a rule mean. */
typedef struct Env {
    Graph *g;
    const Node *y; /* the result; its operands are a, b, c */
    Node *dy;      /* the adjoint of y */
} Env;

static Op rule_sign(const char *name, bool *swap)
{
    Op op = op_of_sign(name, swap);
    if (op == OP_COUNT)
        ngc_bug("a rule uses %s", name);
    return op;
}

static Op rule_op(const char *name, int arity)
{
    for (int op = 0; op < OP_COUNT; op++)
        if (strcmp(op_info[op]->name, name) == 0 && op_info[op]->arity == arity)
            return (Op)op;
    ngc_bug("a rule calls %s", name);
}

static Node *rule_name(const Env *e, const char *name)
{
    if (strcmp(name, "dy") == 0)
        return e->dy;
    if (strcmp(name, "y") == 0)
        return (Node *)e->y;
    if (name[1] == '\0' && name[0] >= 'a' && name[0] < 'a' + e->y->nargs)
        return e->y->arg[name[0] - 'a'];
    ngc_bug("a rule of %s uses the name %s", op_info[e->y->op]->name, name);
}

static Node *rule_build(const Env *e, const Expr *x);

static Node *rule_binary(const Env *e, const Expr *x)
{
    bool swap;
    Op op = rule_sign(x->name, &swap);
    Node *a = rule_build(e, x->a);
    Node *b = rule_build(e, x->b);

    if (swap)
        return graph_binary(e->g, op, b, a);
    return graph_binary(e->g, op, a, b);
}

static Node *rule_call(const Env *e, const Expr *x)
{
    Node *arg[3] = {0};
    int n = 0;
    for (const Arg *a = x->args; a && n < 3; a = a->next)
        arg[n++] = rule_build(e, a->value);

    Op op = rule_op(x->a->name, n);
    if (n == 1)
        return graph_unary(e->g, op, arg[0]);
    if (n == 2)
        return graph_binary(e->g, op, arg[0], arg[1]);
    return graph_where(e->g, arg[0], arg[1], arg[2]);
}

static Node *rule_build(const Env *e, const Expr *x)
{
    switch (x->kind) {
    case X_NUM: return graph_const(e->g, x->num);
    case X_NAME: return rule_name(e, x->name);
    case X_NEG: return graph_unary(e->g, OP_neg, rule_build(e, x->a));
    case X_BINARY: return rule_binary(e, x);
    case X_CALL: return rule_call(e, x);
    default: ngc_bug("a rule of %s is not an expression", op_info[e->y->op]->name);
    }
}

static const Expr *rule_parsed(Graph *g, Op op, int operand)
{
    if (!g->rule[op][operand])
        g->rule[op][operand] = parse_expr(g->ngc, op_info[op]->rule[operand]);
    return g->rule[op][operand];
}

/* ---- the range of a slope ---- */

/* Is it a*a or -a*a, where a is a name? */
static bool is_square(const Expr *x)
{
    const Expr *a = x->a->kind == X_NEG ? x->a->a : x->a;
    bool of_names = a->kind == X_NAME && x->b->kind == X_NAME;
    return *x->name == '*' && of_names && strcmp(a->name, x->b->name) == 0;
}

static Range rule_range(const Node *y, const Expr *x);

static Range rule_range_name(const Node *y, const char *name)
{
    if (strcmp(name, "dy") == 0)
        return (Range){1, 1, RISK_NONE};
    if (strcmp(name, "y") == 0)
        return y->range;
    return y->arg[name[0] - 'a']->range;
}

static Range rule_range_binary(const Node *y, const Expr *x)
{
    bool swap;
    Op op = rule_sign(x->name, &swap);
    Range in[3] = {0};

    in[swap] = rule_range(y, x->a);
    in[!swap] = rule_range(y, x->b);
    Range r = range_apply(op, in);

    /* a*a is not negative, whatever a is. */
    if (is_square(x) && x->a->kind == X_NEG)
        r.hi = 0;
    else if (is_square(x))
        r.lo = 0;
    return r;
}

/* The range of a rule with 1 for dy, which is the range of the slope itself. */
static Range rule_range(const Node *y, const Expr *x)
{
    Range in[3] = {0};
    int n = 0;

    switch (x->kind) {
    case X_NUM: return (Range){x->num, x->num, RISK_NONE};
    case X_NAME: return rule_range_name(y, x->name);
    case X_NEG: in[0] = rule_range(y, x->a); return range_apply(OP_neg, in);
    case X_BINARY: return rule_range_binary(y, x);
    default:
        for (const Arg *a = x->args; a && n < 3; a = a->next)
            in[n++] = rule_range(y, a->value);
        return range_apply(rule_op(x->a->name, n), in);
    }
}

static bool is_conv(const Node *y)
{
    return y->op == OP_conv || y->op == OP_convk;
}

/* Is each element of y a sum of products of an element of one operand with one of the other? */
static bool is_bilinear(const Node *y)
{
    return y->op == OP_matmul || is_conv(y);
}

/* May the slope of y with respect to that operand be infinite or NaN? */
static Risk slope_risk(Graph *g, const Node *y, int operand)
{
    if (op_info[y->op]->risk)
        return op_info[y->op]->risk(y, operand);
    if (is_bilinear(y)) /* other data has already spoilt the whole of y */
        return y->arg[1 - operand]->range.risk == RISK_POLE ? RISK_POLE : RISK_NONE;
    if (op_info[y->op]->back || !op_info[y->op]->rule[operand])
        return RISK_NONE;
    return rule_range(y, rule_parsed(g, y->op, operand)).risk;
}

const char *op_rule(Ngc *ngc, const Node *y, int operand)
{
    const OpInfo *info = op_info[y->op];
    const char *said = info->said ? info->said(ngc, y, operand) : NULL;

    if (said)
        return said;
    if (operand < 3 && info->rule[operand])
        return info->rule[operand];
    return info->rule[0];
}

const char *op_teach(Ngc *ngc, const Node *n)
{
    const OpInfo *info = op_info[n->op];
    return info->taught ? info->taught(ngc, n) : info->teach;
}

/* The contribution of y = op(..) to the adjoint of an operand, by the rule of an elementwise op. */
static Node *by_rule(Graph *g, Node *y, Node *dy, int operand)
{
    Env e = {g, y, dy};
    Node *dx = rule_build(&e, rule_parsed(g, y->op, operand));
    return graph_broadcast(g, dx, y->arg[operand]->shape);
}

/* ---- masks ---- */

/* Are a and b both where(c, .., ..) of one condition c? */
static bool same_choice(const Node *a, const Node *b)
{
    return a->op == OP_where && b->op == OP_where && a->arg[0] == b->arg[0];
}

/* x where the mask is not 0, and 0 elsewhere: where(mask, x, 0). A mask that is itself a choice of
 * 1 and 0 becomes the choice of x and 0. */
static Node *mask_apply(Graph *g, Node *mask, Node *x)
{
    double v;
    if (node_const(mask, &v))
        return v != 0 ? x : graph_full(g, x->shape, 0);

    if (mask->op == OP_where && mask->type == T_FLOAT) {
        Node *yes = mask_apply(g, mask->arg[1], x);
        Node *no = mask_apply(g, mask->arg[2], x);
        return graph_where(g, mask->arg[0], yes, no);
    }
    return graph_where(g, mask, x, graph_full(g, x->shape, 0));
}

/* What dy is where the mask is not 0. Both were made by the same choices, so these are left out. */
static Node *unmasked(Node *mask, Node *dy)
{
    while (same_choice(mask, dy) && !dy->bound) {
        int taken = node_is(mask->arg[1], 0) ? 2 : 1;
        int other = 3 - taken;
        if (!node_is(mask->arg[other], 0) || !node_is(dy->arg[other], 0))
            break;
        mask = mask->arg[taken];
        dy = dy->arg[taken];
    }
    return dy;
}

/* A mask that is not 0 where a or b is not 0. */
static Node *mask_or(Graph *g, Node *a, Node *b)
{
    if (a == b)
        return a;

    if (same_choice(a, b)) {
        Node *c = a->arg[0];
        Node *yes = mask_or(g, a->arg[1], b->arg[1]);
        Node *no = mask_or(g, a->arg[2], b->arg[2]);
        return graph_where(g, c, yes, no);
    }

    if (node_is(a, 0))
        return b;
    if (node_is(b, 0) || node_is(a, 1))
        return a;
    if (node_is(b, 1))
        return b;
    return graph_binary(g, OP_add, a, b);
}

/* The mask of an operand of the product y = a b. Something flows to a row of a, or to a column of
 * b, if it flows to any element of y that this row or column is a factor of. */
static Node *mask_matmul(Graph *g, const Node *y, Node *mask, int operand)
{
    Node *x = y->arg[operand];
    int r = y->shape.rank;
    int gone = operand == 0 ? r - 1 : r - 2; /* the axis of y that x does not have */
    bool transposed = operand == 0 ? y->attr.ta : y->attr.tb;
    int added = transposed ? 2 * r - 3 - gone : gone; /* the axis of x that y does not have */

    Node *some = graph_reduce(g, OP_sum, mask, 1u << gone);
    return graph_expand(g, some, x->shape, 1u << added);
}

/* The mask of an operand of a convolution. Each element has as many factors as it has places, so
 * what flows to it through a kernel (or an image) of ones is 0 where no element of y does. */
static Node *mask_conv(Graph *g, Node *y, Node *mask, int operand)
{
    Node *arg[2] = {y->arg[0], y->arg[1]}, *moved[2] = {NULL, NULL};
    arg[1 - operand] = graph_full(g, arg[1 - operand]->shape, 1);
    op_info[y->op]->back(g, graph_copy(g, y, arg), mask, moved);
    return moved[operand];
}

/* Each element of y may depend on each of x: something flows to all of x, or nothing. */
static Node *mask_of_all(Graph *g, const Node *x, Node *mask)
{
    if (mask->shape.rank > 0)
        mask = graph_reduce(g, OP_sum, mask, (1u << mask->shape.rank) - 1);
    return graph_broadcast(g, mask, x->shape);
}

/* Determinants, factors and solutions of linear equations. */
static bool is_linear_algebra(const Node *y)
{
    switch (y->op) {
    case OP_lu:
    case OP_lup:
    case OP_solve:
    case OP_det:
    case OP_logdet:
    case OP_cof:
    case OP_cof2: return true;
    default: return false;
    }
}

/* ---- the sweep ---- */

/* Which variables a node is computed from; a set of bits. */
enum { FROM_INPUTS = 1, FROM_OTHERS = 2 };

/* What a sweep finds of a node, by id: in a loop, only of nodes before the sweep through it. */
typedef struct Found {
    Node **adjoint;
    Node **mask;  /* 0 where the adjoint is 0; NULL: nothing is known */
    int *uses;    /* contributions so far */
    int *touched; /* the nodes that have any of this */
    int touches, touched_room;
} Found;

/* One sweep from a result back to the values x that the caller asks for. */
typedef struct Sweep {
    Graph *g;
    Node *loss; /* as the user wrote it */

    bool recorded; /* the steps of this sweep are those that are explained */
    Node **first;  /* if not recorded: the adjoints of the recorded sweep, by id */
    int n_first;   /* their number */

    int from;                 /* nodes from this id on were made by this sweep */
    int *order;               /* of the nodes, by graph_order */
    int nodes;                /* those that there were before it: the length of what is by id */
    bool *wanted;             /* by id: depends on one of the x */
    Risk *below;              /* by id: the worst slope between the node and the x */
    unsigned char *from_vars; /* by id: which variables it is computed from */
    const LoopPart *part;     /* of each loop, by Loop.id */

    const Loop *within; /* only through the body of this loop; NULL: of none */
    Found *found;       /* of the sweep at hand; those of the sweeps inside follow it */
    BackMemory *back;
} Sweep;

/* Does operand k of y need a mask? It does if a slope further down may be infinite. A choice
 * that only the data decides may be there to leave out data that is not finite. */
static bool needs_mask(const Sweep *s, const Node *y, int k)
{
    const Node *x = y->arg[k];
    unsigned flags = op_info[y->op]->flags;
    Risk risk = s->below[x->id];
    bool of_data = y->op == OP_where && s->from_vars[y->arg[0]->id] == FROM_INPUTS;

    if (risk == RISK_NONE)
        return false;
    if (flags & F_CHOICE && (risk != RISK_DATA || of_data))
        return true;
    if (!s->found->mask[y->id])
        return false;
    if (is_bilinear(y) || is_linear_algebra(y))
        return risk != RISK_DATA;
    return flags & (F_ELEMENTWISE | F_ROUTE | F_CHOICE) || given_by_element(y, k);
}

/* The mask of operand k of a sum of products. */
static Node *mask_bilinear(Graph *g, Node *y, Node *mask, int k)
{
    return is_conv(y) ? mask_conv(g, y, mask, k) : mask_matmul(g, y, mask, k);
}

/* The masks of what flows from y to each operand: the mask of y, and the choice that y makes. */
static void masks_of(Sweep *s, Node *y, Node **mask)
{
    const OpInfo *info = op_info[y->op];
    Graph *g = s->g;
    Node *from = s->found->mask[y->id];
    Node *one = from ? from : graph_full(g, y->shape, 1);
    Node **moved = arena_alloc(g->ngc, (size_t)(y->nargs + 1) * sizeof *moved);
    bool have_moved = false;

    for (int k = 0; k < y->nargs; k++) {
        Node *x = y->arg[k];
        if (!s->wanted[x->id] || !needs_mask(s, y, k))
            continue;

        /* A mask moves through y as an adjoint does, by the rule of the op. */
        if (info->flags & (F_ROUTE | F_CHOICE) && info->back) {
            if (!have_moved)
                info->back(g, y, one, moved);
            have_moved = true;
            mask[k] = moved[k];
        } else if (info->flags & F_CHOICE && info->rule[k]) {
            mask[k] = by_rule(g, y, one, k);
        } else if (is_bilinear(y)) {
            mask[k] = mask_bilinear(g, y, one, k);
        } else if (is_linear_algebra(y)) {
            mask[k] = mask_of_all(g, x, one);
        } else {
            mask[k] = from;
        }
    }
}

/* Has what this value is computed from a slope that may be infinite? */
static bool is_over_pole(const Sweep *s, const Node *n)
{
    return s->wanted[n->id] && s->below[n->id] == RISK_POLE;
}

/* Does the rule of y read a value over such a slope? Then the second derivative meets it. */
static bool reads_over_pole(const Sweep *s, const Node *y, const Expr *x)
{
    switch (x->kind) {
    case X_NAME:
        if (strcmp(x->name, "dy") == 0)
            return false;
        return is_over_pole(s, strcmp(x->name, "y") == 0 ? y : y->arg[x->name[0] - 'a']);
    case X_NEG: return reads_over_pole(s, y, x->a);
    case X_BINARY: return reads_over_pole(s, y, x->a) || reads_over_pole(s, y, x->b);
    case X_CALL:
        for (const Arg *a = x->args; a; a = a->next)
            if (reads_over_pole(s, y, a->value))
                return true;
        return false;
    default: return false;
    }
}

/* The sum of products y, of operands that are 0 where nothing flows to them: what an operand sends
 * to the other is not needed there, and it may be infinite, or have a slope that is. */
static Node *masked_bilinear(Sweep *s, Node *y, Node *mask)
{
    Node *arg[2] = {y->arg[0], y->arg[1]};

    for (int k = 0; k < 2; k++)
        if (arg[k]->range.risk == RISK_POLE || is_over_pole(s, arg[k]))
            arg[k] = mask_apply(s->g, mask_bilinear(s->g, y, mask, k), arg[k]);
    return graph_copy(s->g, y, arg);
}

/* What y contributes to the adjoint of each operand that is wanted. */
static void contributions(Sweep *s, Node *y, Node **dx)
{
    const OpInfo *info = op_info[y->op];
    Graph *g = s->g;
    Node *dy = s->found->adjoint[y->id];
    Node *mask = s->found->mask[y->id];

    if (is_bilinear(y)) {
        info->back(g, mask ? masked_bilinear(s, y, mask) : y, dy, dx);
        return;
    }
    if (info->back) {
        info->back(g, y, dy, dx);
        for (int i = 0; mask && i < y->nargs; i++)
            if (dx[i] && slope_risk(g, y, i) > RISK_NONE)
                dx[i] = mask_apply(g, mask, dx[i]);
        return;
    }

    for (int i = 0; i < y->nargs; i++) {
        if (!s->wanted[y->arg[i]->id] || !info->rule[i])
            continue;
        bool masked = mask && (slope_risk(g, y, i) > RISK_NONE ||
                               reads_over_pole(s, y, rule_parsed(g, y->op, i)));
        if (masked)
            dx[i] = mask_apply(g, mask, by_rule(g, y, unmasked(mask, dy), i));
        else
            dx[i] = by_rule(g, y, dy, i);
    }
}

/* The mask of the adjoint of x with one more contribution, which has this mask or NULL. */
static void add_mask(Sweep *s, const Node *x, Node *mask)
{
    bool first = !s->found->adjoint[x->id];
    Node **of_x = &s->found->mask[x->id];

    if (first)
        *of_x = mask;
    else if (mask && *of_x)
        *of_x = mask_or(s->g, *of_x, mask);
    else
        *of_x = NULL;

    if (*of_x && node_is(*of_x, 1)) /* it excludes nothing */
        *of_x = NULL;
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
    f->touched = arena_grow(g->ngc, f->touched, f->touches, &f->touched_room, sizeof *f->touched);
    f->touched[f->touches++] = x->id;
}

/* Adds the contribution dx of y, whose adjoint is dy, to the adjoint of x, and records the step.
 * Step.operand says what x is to y. */
static void contribute(Sweep *s, Node *y, Node *dy, Node *x, int operand, Node *dx, Node *mask)
{
    Graph *g = s->g;
    Node **sum = &s->found->adjoint[x->id];
    if (node_is(dx, 0))
        return;

    add_mask(s, x, mask);
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

    *sum = *sum ? graph_binary(g, OP_add, *sum, dx) : dx;
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
    if (!name || d->id < s->from)
        return;

    if (!d->name)
        d->name = text_format(s->g->ngc, "d%s/d%s", s->loss->name ? s->loss->name : "J", name);
    if (x->id < s->n_first && s->first[x->id] && s->first[x->id]->step)
        d->step = s->first[x->id]->step;
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
    f->adjoint = arena_alloc(ngc, n * sizeof *f->adjoint);
    f->uses = arena_alloc(ngc, n * sizeof *f->uses);
    f->mask = arena_alloc(ngc, n * sizeof *f->mask);
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
        const Node *n = part->leave[k], *dy = s->found->adjoint[n->id];
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
    for (int i = 0; i < part->count; i++) {
        const Node *n = part->node[i];
        if (!(op_info[n->op]->flags & F_CHOICE) || !s->wanted[n->id])
            continue;
        for (int k = 0; k < n->nargs; k++)
            if (s->wanted[n->arg[k]->id] && needs_mask(s, n, k))
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
    BackLoop b = {.g = s->g,
                  .loop = loop,
                  .part = &s->part[loop->attr.loop->id],
                  .nodes = s->nodes,
                  .wanted = s->wanted,
                  .memory = s->back};
    Sweep body = *s;
    Node *index = graph_index(s->g, loop->attr.loop);

    if (comes_from_other_loop(s, loop)) { /* lowering expands that loop then */
        diag(s->g->ngc, SEV_ERROR, ERR_LOOP_NESTING, s->g->loc,
             "a gradient in it goes through a loop outside");
        return;
    }
    if (loop_needs_masks(s, loop)) {
        b.masks = s->found->mask;
        b.below = s->below;
    }
    back_loop_begin(&b, s->found->adjoint);
    body.within = loop->attr.loop;
    body.found = s->found + 1;
    begin_found(&body);

    Indices before = graph_use_indices(s->g, &index, 1);
    for (int i = 0; i < b.seeds; i++) {
        Node *y = b.seeds_of[i], *dy = s->found->adjoint[y->id];
        contribute(&body, y, dy ? dy : b.seed[i], b.seeded[i], 0, b.seed[i], b.seed_mask[i]);
    }
    sweep(&body);
    graph_restore_indices(s->g, before);

    qsort(body.found->touched, (size_t)body.found->touches, sizeof(int), compare_ids);
    b.touched = body.found->touched;
    b.touches = body.found->touches;
    back_loop_end(&b, body.found->adjoint, body.found->mask);
    end_found(body.found);
    for (int i = 0; i < b.count; i++)
        if (s->wanted[b.x[i]->id])
            contribute(s, loop, s->found->adjoint[loop->id], b.x[i], b.operand[i], b.dx[i],
                       b.dx_mask[i]);
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
    Node **dx = arena_alloc(g->ngc, (size_t)(y->nargs + 1) * sizeof *dx);
    Node **mask = arena_alloc(g->ngc, (size_t)(y->nargs + 1) * sizeof *mask);

    contributions(s, y, dx);
    masks_of(s, y, mask);
    for (int k = 0; k < y->nargs; k++)
        if (dx[k] && s->wanted[y->arg[k]->id] && y->arg[k]->type == T_FLOAT)
            contribute(s, y, s->found->adjoint[y->id], y->arg[k], k, dx[k], mask[k]);
}

/* Operands come before their users, and what a loop uses before the loop. So all contributions to y
 * are there when the walk comes to y. */
static void sweep(Sweep *s)
{
    Graph *g = s->g;
    const LoopPart *part = s->within ? &s->part[s->within->id] : NULL;
    Loc loc = g->loc;

    for (int i = (part ? part->count : s->nodes) - 1; i >= 0; i--) {
        Node *y = part ? part->node[i] : g->node[s->order[i]];
        if (!is_on_the_way(s, y))
            continue;

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
            s->found->adjoint[y->arg[1]->id] = s->found->adjoint[y->id];
            s->wanted[y->arg[1]->id] = true;
        } else {
            sweep_node(s, y);
        }
    }
    g->loc = loc;
}

/* The same for what depends on them through the variables of loops. Returns whether one of these
 * is worse than it was. */
static bool carry_risks(Sweep *s, const Node *loop)
{
    bool worse = false;

    for (int v = 0; v < loop_variables(loop); v++) {
        int leaf = loop_leaf(loop, v)->id, init = loop_init(loop, v)->id;
        int next = loop_next(loop, v)->id;
        unsigned char vars = s->from_vars[init] | s->from_vars[next];
        Risk risk = risk_worse(s->below[init], s->below[next]);

        worse |= (vars & ~s->from_vars[leaf]) != 0;
        s->from_vars[leaf] |= vars;
        if (!s->wanted[leaf])
            continue;
        worse |= risk_worse(risk, s->below[leaf]) != s->below[leaf];
        s->below[leaf] = risk_worse(risk, s->below[leaf]);
    }
    return worse;
}

/* For each node up to y: the worst slope between it and the x, and which variables it is computed
 * from. */
static void find_risks(Sweep *s, const Node *y)
{
    bool worse = false;

    for (int i = 0; i <= y->id; i++) {
        const Node *n = s->g->node[i];
        if (n->op == OP_var)
            s->from_vars[i] = n->attr.var->kind == VAR_INPUT ? FROM_INPUTS : FROM_OTHERS;
        for (int k = 0; k < n->nargs; k++)
            s->from_vars[i] |= s->from_vars[n->arg[k]->id];

        if (n->op == OP_loop)
            worse |= carry_risks(s, n);
        if (!s->wanted[i])
            continue;
        for (int k = 0; k < n->nargs; k++) {
            int a = n->arg[k]->id;
            Risk own = s->wanted[a] ? slope_risk(s->g, n, k) : RISK_NONE;
            s->below[i] = risk_worse(s->below[i], risk_worse(own, s->below[a]));
        }
    }
    if (worse)
        find_risks(s, y);
}

/* Memory for what is known by id. */
static void sweep_arrays(Sweep *s)
{
    Ngc *ngc = s->g->ngc;
    size_t n = (size_t)s->g->count;
    s->from = s->nodes = s->g->count;
    s->order = graph_order(s->g);
    s->wanted = arena_alloc(ngc, n);
    s->below = arena_alloc(ngc, n * sizeof *s->below);
    s->from_vars = arena_alloc(ngc, n * sizeof *s->from_vars);
    s->part = s->g->loops > 0 ? graph_loop_parts(s->g, s->order) : NULL;
    s->found = arena_alloc(ngc, (MAX_LEVELS + 1) * sizeof *s->found);
    s->back = arena_alloc(ngc, sizeof *s->back);
    begin_found(s);
}

/* Marks n if an operand of it is marked, and the variables of a loop whose first or next value is
 * marked. These come before the loop, so their users have to be seen again: true. */
static bool mark_wanted(Sweep *s, const Node *n)
{
    bool again = false;

    for (int k = 0; k < n->nargs; k++)
        s->wanted[n->id] |= s->wanted[n->arg[k]->id];
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

/* How y reaches x, whose adjoint is d, or NULL; used: by id, what y is computed from. */
static Reach reach_of(const Node *x, const Node *d, const int *used)
{
    if (d)
        return REACH_YES;
    return used[x->id] ? REACH_FLAT : REACH_NONE;
}

/* The gradient of y, which has the value of the loss, with respect to each x. Returns the adjoints
 * by id. reach may be NULL. */
static Node **gradient(Sweep s, Node *y, Node *seed, Node *const *x, int count, Node **out,
                       Reach *reach)
{
    Graph *g = s.g;
    sweep_arrays(&s);
    find_wanted(&s, x, count);
    find_risks(&s, y);
    s.found->adjoint[y->id] = seed ? seed : graph_full(g, y->shape, 1);
    sweep(&s);
    for (int i = s.from; i < g->count; i++)
        g->node[i]->derived = true;

    int *used = reach ? graph_uses(g, &y, 1) : NULL;
    for (int i = 0; i < count; i++) {
        Node *d = s.found->adjoint[x[i]->id];
        if (reach)
            reach[i] = reach_of(x[i], d, used);
        out[i] = d ? d : graph_full(g, x[i]->shape, 0);
    }
    return s.found->adjoint;
}

/* What would overflow is differentiated a second time, in a form that does not overflow, and the
 * second result is taken. Two such forms are needed if some x are values inside the loss: with
 * respect to these the form must keep them (`held`). Variables need the form that looks through
 * names (`open`), as the values may be asked for only to be seen. */
void graph_grad(Graph *g, Node *y, Node *seed, Node *const *x, int count, Node **out, Reach *reach)
{
    Node *held = y, *open = y;
    Node **inner = arena_alloc(g->ngc, (size_t)(count + 1) * sizeof *inner);
    Node **by_open = arena_alloc(g->ngc, (size_t)(count + 1) * sizeof *by_open);
    int n_inner = 0;

    Sweep written = {.g = g, .loss = y, .recorded = true};
    Sweep again = {.g = g, .loss = y, .n_first = g->count};
    again.first = gradient(written, y, seed, x, count, out, reach);

    for (int i = 0; i < count; i++)
        if (x[i]->op != OP_var)
            inner[n_inner++] = x[i];
    if (graph_stable(g, &held, 1, inner, n_inner))
        gradient(again, held, seed, x, count, out, NULL);

    if (n_inner == 0 || n_inner == count)
        return;
    if (!graph_stable(g, &open, 1, NULL, 0) || open == held)
        return;
    gradient(again, open, seed, x, count, by_open, NULL);
    for (int i = 0; i < count; i++)
        if (x[i]->op == OP_var)
            out[i] = by_open[i];
}
