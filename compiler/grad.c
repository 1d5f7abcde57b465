/* grad.c - the reverse sweep. It walks from a result back to what it was computed from and adds up,
 * for each value on the way, its adjoint: what the result changes by, per change of that value. It
 * holds no mathematics: each op's record has its rule. Requires nothing of the graph; adds nodes,
 * changes none.
 *
 * Masks. To what a choice (where, maximum, ..) does not take, nothing flows back, and it must stay
 * nothing: 0 times a slope that is infinite is NaN. So an adjoint below a choice has a mask beside
 * it, which is not 0 where something may flow. A contribution through a slope that may be infinite
 * is taken where the mask says so, and is 0 elsewhere. Masks are made only where there is such a
 * slope further down: a relu over finite slopes costs nothing. */
#include "ngc.h"

#include <string.h>

/* ---- a rule written in the language, as nodes ---- */

typedef struct Env { /* what the names in a rule mean */
    Graph *g;
    const Node *y;
    Node *dy;
} Env;

/* The signs of a rule; > and >= are < and <= with the operands exchanged. */
static const struct Sign {
    const char *sign;
    Op op;
    bool swap;
} signs[] = {
    {"+", OP_add, false}, {"-", OP_sub, false}, {"*", OP_mul, false}, {"/", OP_div, false},
    {"^", OP_pow, false}, {"<", OP_lt, false},  {"<=", OP_le, false}, {">", OP_lt, true},
    {">=", OP_le, true},  {"==", OP_eq, false}, {"!=", OP_ne, false},
};

static const struct Sign *rule_sign(const char *name)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strcmp(name, signs[i].sign) == 0)
            return &signs[i];
    ngc_bug("a rule uses %s", name);
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
    ngc_bug("a rule of %s speaks of %s", op_info[e->y->op]->name, name);
}

static Node *rule_build(const Env *e, const Expr *x);

static Node *rule_binary(const Env *e, const Expr *x)
{
    const struct Sign *sign = rule_sign(x->name);
    Node *a = rule_build(e, x->a), *b = rule_build(e, x->b);
    return graph_binary(e->g, sign->op, sign->swap ? b : a, sign->swap ? a : b);
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

/* Is it a*a or -a*a, of one name? */
static bool is_square(const Expr *x)
{
    const Expr *a = x->a->kind == X_NEG ? x->a->a : x->a;
    return *x->name == '*' && a->kind == X_NAME && x->b->kind == X_NAME &&
           strcmp(a->name, x->b->name) == 0;
}

/* The range of a rule with 1 for dy: of the slope itself. */
static Range rule_range(const Node *y, const Expr *x)
{
    Range in[3] = {{x->num, x->num, RISK_NONE}, {0}, {0}};
    const struct Sign *sign;
    int n = 0;

    switch (x->kind) {
    case X_NUM: return in[0];
    case X_NAME:
        if (strcmp(x->name, "dy") == 0)
            return (Range){1, 1, RISK_NONE};
        return strcmp(x->name, "y") == 0 ? y->range : y->arg[x->name[0] - 'a']->range;
    case X_NEG: in[0] = rule_range(y, x->a); return range_apply(OP_neg, in);
    case X_BINARY:
        sign = rule_sign(x->name);
        in[sign->swap] = rule_range(y, x->a);
        in[!sign->swap] = rule_range(y, x->b);
        in[0] = range_apply(sign->op, in);
        if (is_square(x) && x->a->kind == X_NEG)
            in[0].hi = 0;
        else if (is_square(x))
            in[0].lo = 0;
        return in[0];
    default:
        for (const Arg *a = x->args; a && n < 3; a = a->next)
            in[n++] = rule_range(y, a->value);
        return range_apply(rule_op(x->a->name, n), in);
    }
}

/* May the slope of elementwise y in that operand be infinite, or not a number? */
static Risk slope_risk(Graph *g, const Node *y, int operand)
{
    if (op_info[y->op]->back || !op_info[y->op]->rule[operand])
        return RISK_NONE;
    return rule_range(y, rule_parsed(g, y->op, operand)).risk;
}

const char *op_rule(Ngc *ngc, const Node *y, int operand)
{
    const OpInfo *info = op_info[y->op];
    const char *said = info->said ? info->said(ngc, y, operand) : NULL;
    return said ? said : operand < 3 && info->rule[operand] ? info->rule[operand] : info->rule[0];
}

/* The contribution of y = op(..) to the adjoint of an operand, by the rule of an elementwise op. */
static Node *by_rule(Graph *g, Node *y, Node *dy, int operand)
{
    Env e = {g, y, dy};
    Node *dx = rule_build(&e, rule_parsed(g, y->op, operand));
    return graph_broadcast(g, dx, y->arg[operand]->shape);
}

/* ---- masks ---- */

/* x where the mask is not 0, else 0. A mask that is a choice of 1 and 0 becomes the choice of x and
 * 0. */
static Node *mask_apply(Graph *g, Node *mask, Node *x)
{
    double v;
    if (node_const(mask, &v))
        return v != 0 ? x : graph_full(g, x->shape, 0);
    if (mask->op == OP_where && mask->type == T_FLOAT) {
        Node *yes = mask_apply(g, mask->arg[1], x), *no = mask_apply(g, mask->arg[2], x);
        return graph_where(g, mask->arg[0], yes, no);
    }
    return graph_where(g, mask, x, graph_full(g, x->shape, 0));
}

/* What dy is where the mask lets something through: the choices that made both are left out. */
static Node *unmasked(Node *mask, Node *dy)
{
    while (mask->op == OP_where && dy->op == OP_where && mask->arg[0] == dy->arg[0] && !dy->bound) {
        int way = node_is(mask->arg[1], 0) ? 2 : 1;
        if (!node_is(mask->arg[3 - way], 0) || !node_is(dy->arg[3 - way], 0))
            break;
        mask = mask->arg[way];
        dy = dy->arg[way];
    }
    return dy;
}

/* Something flows where it does by either: all of it by both ways of one choice. */
static Node *mask_or(Graph *g, Node *a, Node *b)
{
    if (a == b)
        return a;
    if (a->op == OP_where && b->op == OP_where && a->arg[0] == b->arg[0]) {
        Node *c = a->arg[0], *yes = mask_or(g, a->arg[1], b->arg[1]),
             *no = mask_or(g, a->arg[2], b->arg[2]);
        return graph_where(g, c, yes, no);
    }
    if (node_is(a, 0))
        return b;
    if (node_is(b, 0) || node_is(a, 1))
        return a;
    return node_is(b, 1) ? b : graph_binary(g, OP_add, a, b);
}

/* Where something flows to a row of a, or a column of b, of the product y = a b: where it does to
 * any element that it is in. */
static Node *mask_matmul(Graph *g, const Node *y, Node *mask, int operand)
{
    Node *x = y->arg[operand];
    int r = y->shape.rank, gone = operand == 0 ? r - 1 : r - 2;
    bool turned = operand == 0 ? y->attr.ta : y->attr.tb;
    Node *some = graph_reduce(g, OP_sum, mask, 1u << gone);
    return graph_expand(g, some, x->shape, 1u << (turned ? 2 * r - 3 - gone : gone));
}

/* ---- the sweep ---- */

typedef struct Sweep {
    Graph *g;
    Node *loss;    /* as the user wrote it */
    bool recorded; /* its steps are those that are explained */
    Node **first;  /* in the sweep that is not: the adjoints of the one that was, by id, n_first of
                      them */
    int n_first;
    int from;                 /* nodes from here on were made by this sweep */
    bool *wanted;             /* by id: depends on one of the x */
    Node **adjoint;           /* by id */
    int *uses;                /* by id: contributions so far */
    Risk *below;              /* by id: of the slopes between it and the x */
    unsigned char *from_vars; /* by id: what it is computed from */
    Node **mask; /* by id: not 0 where the adjoint may not be 0; NULL: nothing is known */
} Sweep;

enum { FROM_INPUTS = 1, FROM_OTHERS = 2 };

/* Is it worth while to know where something flows to x through y? Choices that only the data
 * decides may be there to leave out what of it is not finite. */
static bool needs_mask(const Sweep *s, const Node *y, const Node *x)
{
    unsigned flags = op_info[y->op]->flags;
    Risk risk = s->below[x->id];
    bool of_data = y->op == OP_where && s->from_vars[y->arg[0]->id] == FROM_INPUTS;
    if (flags & F_CHOICE && risk != RISK_NONE && (risk != RISK_DATA || of_data))
        return true;
    if (!s->mask[y->id] || risk == RISK_NONE)
        return false;
    if (y->op == OP_matmul)
        return risk != RISK_DATA && y->arg[0]->shape.rank == y->arg[1]->shape.rank;
    return flags & (F_ELEMENTWISE | F_ROUTE | F_CHOICE);
}

/* The masks of what flows from y to each operand: the choice itself, and what is known of y. */
static void masks_of(Sweep *s, Node *y, Node **mask)
{
    const OpInfo *info = op_info[y->op];
    Graph *g = s->g;
    Node *from = s->mask[y->id], *one = from ? from : graph_full(g, y->shape, 1);
    Node **moved = arena_alloc(g->ngc, (size_t)(y->nargs + 1) * sizeof *moved);
    bool have_moved = false;

    for (int k = 0; k < y->nargs; k++) {
        Node *x = y->arg[k];
        if (!s->wanted[x->id] || !needs_mask(s, y, x))
            continue;
        if (info->flags & (F_ROUTE | F_CHOICE) && info->back) {
            if (!have_moved)
                info->back(g, y, one, moved);
            have_moved = true;
            mask[k] = moved[k];
        } else if (info->flags & F_CHOICE && info->rule[k])
            mask[k] = by_rule(g, y, one, k);
        else if (y->op == OP_matmul)
            mask[k] = mask_matmul(g, y, one, k);
        else
            mask[k] = from;
    }
}

/* What y contributes to the adjoint of each operand that is wanted. */
static void contributions(Sweep *s, Node *y, Node **dx)
{
    const OpInfo *info = op_info[y->op];
    Graph *g = s->g;
    Node *dy = s->adjoint[y->id], *mask = s->mask[y->id];
    if (info->back) {
        info->back(g, y, dy, dx);
        return;
    }
    for (int i = 0; i < y->nargs; i++) {
        if (!s->wanted[y->arg[i]->id] || !info->rule[i])
            continue;
        if (mask && slope_risk(g, y, i) > RISK_NONE)
            dx[i] = mask_apply(g, mask, by_rule(g, y, unmasked(mask, dy), i));
        else
            dx[i] = by_rule(g, y, dy, i);
    }
}

/* Adds a contribution to the adjoint of x and writes down where it came from. */
static void contribute(Sweep *s, Node *y, int operand, Node *dx, Node *mask)
{
    Graph *g = s->g;
    Node *x = y->arg[operand], **sum = &s->adjoint[x->id];
    if (node_is(dx, 0))
        return;
    if (!*sum)
        s->mask[x->id] = mask;
    else
        s->mask[x->id] = mask && s->mask[x->id] ? mask_or(g, s->mask[x->id], mask) : NULL;
    if (s->mask[x->id] && node_is(s->mask[x->id], 1))
        s->mask[x->id] = NULL;

    Step *step = arena_alloc(g->ngc, sizeof *step);
    *step = (Step){s->loss, x, y, s->adjoint[y->id], dx, operand, NULL, s->uses[x->id]++, g->steps};
    if (s->recorded)
        g->steps = step;
    *sum = *sum ? graph_binary(g, OP_add, *sum, dx) : dx;
    step->sum = *sum;
    if (dx->id >= s->from && !dx->step)
        dx->step = step;
    if ((*sum)->id >= s->from && !(*sum)->step)
        (*sum)->step = step;
}

/* Names the adjoints of named values: dJ/dz. */
static void name_adjoint(Sweep *s, const Node *x)
{
    Node *d = s->adjoint[x->id];
    const char *name = x->op == OP_var ? x->attr.var->name : x->name;
    if (name && d->id >= s->from && !d->name)
        d->name = text_format(s->g->ngc, "d%s/d%s", s->loss->name ? s->loss->name : "J", name);
    if (name && d->id >= s->from && x->id < s->n_first && s->first[x->id] && s->first[x->id]->step)
        d->step = s->first[x->id]->step; /* it is explained by what the user wrote */
}

static void sweep(Sweep *s, const Node *from)
{
    Graph *g = s->g;
    Loc loc = g->loc;
    for (int i = from->id; i >= 0; i--) {
        Node *y = g->node[i];
        if (!s->adjoint[i] || !s->wanted[i])
            continue;
        name_adjoint(s, y);
        Node **dx = arena_alloc(g->ngc, (size_t)(y->nargs + 1) * sizeof *dx);
        Node **mask = arena_alloc(g->ngc, (size_t)(y->nargs + 1) * sizeof *mask);
        g->loc = y->loc;
        contributions(s, y, dx);
        masks_of(s, y, mask);
        for (int k = 0; k < y->nargs; k++)
            if (dx[k] && s->wanted[y->arg[k]->id] && y->arg[k]->type == T_FLOAT)
                contribute(s, y, k, dx[k], mask[k]);
    }
    g->loc = loc;
}

/* The worst slope between each node and the x, and the variables it is computed from. */
static void find_risks(Sweep *s, const Node *y)
{
    for (int i = 0; i <= y->id; i++) {
        const Node *n = s->g->node[i];
        if (n->op == OP_var)
            s->from_vars[i] = n->attr.var->kind == VAR_INPUT ? FROM_INPUTS : FROM_OTHERS;
        for (int k = 0; k < n->nargs; k++)
            s->from_vars[i] |= s->from_vars[n->arg[k]->id];
        for (int k = 0; k < n->nargs && s->wanted[i]; k++) {
            int a = n->arg[k]->id;
            Risk own = s->wanted[a] ? slope_risk(s->g, n, k) : RISK_NONE;
            Risk risk = own > s->below[a] ? own : s->below[a];
            s->below[i] = risk > s->below[i] ? risk : s->below[i];
        }
    }
}

/* The gradient of y, which is worth what the loss is; reach may be NULL. Returns the adjoints by
 * id. */
static Node **gradient(Sweep s, Node *y, Node *seed, Node *const *x, int count, Node **out,
                       Reach *reach)
{
    Graph *g = s.g;
    size_t n = (size_t)g->count;
    s.from = g->count;
    s.wanted = arena_alloc(g->ngc, n);
    s.adjoint = arena_alloc(g->ngc, n * sizeof *s.adjoint);
    s.uses = arena_alloc(g->ngc, n * sizeof *s.uses);
    s.below = arena_alloc(g->ngc, n * sizeof *s.below);
    s.from_vars = arena_alloc(g->ngc, n * sizeof *s.from_vars);
    s.mask = arena_alloc(g->ngc, n * sizeof *s.mask);
    for (int i = 0; i < count; i++)
        s.wanted[x[i]->id] = true;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < g->node[i]->nargs; k++)
            s.wanted[i] |= s.wanted[g->node[i]->arg[k]->id];
    find_risks(&s, y);
    s.adjoint[y->id] = seed ? seed : graph_full(g, y->shape, 1);
    sweep(&s, y);
    for (int i = s.from; i < g->count; i++)
        g->node[i]->derived = true;

    int *used = reach ? graph_uses(g, &y, 1) : NULL;
    for (int i = 0; i < count; i++) {
        Node *d = s.adjoint[x[i]->id];
        if (reach)
            reach[i] = d ? REACH_YES : used[x[i]->id] ? REACH_FLAT : REACH_NONE;
        out[i] = d ? d : graph_full(g, x[i]->shape, 0);
    }
    return s.adjoint;
}

void graph_grad(Graph *g, Node *y, Node *seed, Node *const *x, int count, Node **out, Reach *reach)
{
    Node *held = y, *open = y;
    Node **inner = arena_alloc(g->ngc, (size_t)(count + 1) * sizeof *inner);
    Node **by_open = arena_alloc(g->ngc, (size_t)(count + 1) * sizeof *by_open);
    int n_inner = 0;
    Sweep again = {.g = g, .loss = y, .n_first = g->count};
    again.first =
        gradient((Sweep){.g = g, .loss = y, .recorded = true}, y, seed, x, count, out, reach);

    /* What would overflow is differentiated in the form that does not. A value inside, by which is
     * differentiated, is not looked through; for the variables it is, as it may be asked for only
     * to be seen. */
    for (int i = 0; i < count; i++)
        if (x[i]->op != OP_var)
            inner[n_inner++] = x[i];
    if (graph_stable(g, &held, 1, inner, n_inner))
        gradient(again, held, seed, x, count, out, NULL);
    if (n_inner == 0 || n_inner == count || !graph_stable(g, &open, 1, NULL, 0) || open == held)
        return;
    gradient(again, open, seed, x, count, by_open, NULL);
    for (int i = 0; i < count; i++)
        out[i] = x[i]->op == OP_var ? by_open[i] : out[i];
}
