/* grad.c - the reverse sweep. It walks from a result back to what it was computed from and adds up, for each value on the
 * way, its adjoint: what the result changes by, per change of that value. It holds no mathematics: each op's record has its
 * rule. Requires nothing of the graph; adds nodes, changes none. */
#include "ngc.h"

#include <string.h>

/* ---- a rule written in the language, as nodes ------------------------------------------------------ */

typedef struct Env { /* what the names in a rule mean */
    Graph *g;
    const Node *y;
    Node *dy;
} Env;

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
    static const struct { const char *sign; Op op; bool swap; } table[] = {
        {"+", OP_add, false}, {"-", OP_sub, false}, {"*", OP_mul, false}, {"/", OP_div, false}, {"^", OP_pow, false},
        {"<", OP_lt, false},  {"<=", OP_le, false}, {">", OP_lt, true},   {">=", OP_le, true},  {"==", OP_eq, false},
        {"!=", OP_ne, false},
    };
    Node *a = rule_build(e, x->a), *b = rule_build(e, x->b);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(x->name, table[i].sign) == 0)
            return graph_binary(e->g, table[i].op, table[i].swap ? b : a, table[i].swap ? a : b);
    ngc_bug("a rule uses %s", x->name);
}

static Node *rule_call(const Env *e, const Expr *x)
{
    Node *arg[3] = {0};
    int n = 0;
    for (const Arg *a = x->args; a && n < 3; a = a->next)
        arg[n++] = rule_build(e, a->value);
    for (int op = 0; op < OP_COUNT; op++)
        if (strcmp(op_info[op]->name, x->a->name) == 0 && op_info[op]->arity == n)
            return n == 1 ? graph_unary(e->g, (Op)op, arg[0])
                 : n == 2 ? graph_binary(e->g, (Op)op, arg[0], arg[1]) : graph_where(e->g, arg[0], arg[1], arg[2]);
    ngc_bug("a rule calls %s", x->a->name);
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

const char *op_rule(Ngc *ngc, const Node *y, int operand)
{
    const OpInfo *info = op_info[y->op];
    const char *said = info->said ? info->said(ngc, y, operand) : NULL;
    return said ? said : operand < 3 && info->rule[operand] ? info->rule[operand] : info->rule[0];
}

/* The contribution of y = op(..) to the adjoint of each operand that is wanted. */
static void contributions(Graph *g, Node *y, Node *dy, const bool *wanted, Node **dx)
{
    const OpInfo *info = op_info[y->op];
    if (info->back) {
        info->back(g, y, dy, dx);
        return;
    }
    for (int i = 0; i < y->nargs; i++) {
        if (!wanted[y->arg[i]->id] || !info->rule[i])
            continue;
        if (!g->rule[y->op][i])
            g->rule[y->op][i] = parse_expr(g->ngc, info->rule[i]);
        Env e = {g, y, dy};
        dx[i] = graph_broadcast(g, rule_build(&e, g->rule[y->op][i]), y->arg[i]->shape);
    }
}

/* ---- the sweep --------------------------------------------------------------------------------------- */

typedef struct Sweep {
    Graph *g;
    Node *loss;
    int from;      /* nodes from here on were made by this sweep */
    bool *wanted;  /* by id: depends on one of the x */
    Node **adjoint; /* by id */
    int *uses;     /* by id: contributions so far */
} Sweep;

/* Adds a contribution to the adjoint of x and writes down where it came from. */
static void contribute(Sweep *s, Node *y, int operand, Node *dx)
{
    Graph *g = s->g;
    Node *x = y->arg[operand], **sum = &s->adjoint[x->id];
    if (node_is(dx, 0))
        return;
    Step *step = arena_alloc(g->ngc, sizeof *step);
    *step = (Step){s->loss, x, y, s->adjoint[y->id], dx, operand, NULL, s->uses[x->id]++, g->steps};
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
}

static void sweep(Sweep *s)
{
    Graph *g = s->g;
    Loc loc = g->loc;
    for (int i = s->loss->id; i >= 0; i--) {
        Node *y = g->node[i];
        if (!s->adjoint[i] || !s->wanted[i])
            continue;
        name_adjoint(s, y);
        Node **dx = arena_alloc(g->ngc, (size_t)(y->nargs + 1) * sizeof *dx);
        g->loc = y->loc;
        contributions(g, y, s->adjoint[i], s->wanted, dx);
        for (int k = 0; k < y->nargs; k++)
            if (dx[k] && s->wanted[y->arg[k]->id] && y->arg[k]->type == T_FLOAT)
                contribute(s, y, k, dx[k]);
    }
    g->loc = loc;
}

void graph_grad(Graph *g, Node *y, Node *seed, Node *const *x, int count, Node **out, Reach *reach)
{
    size_t n = (size_t)g->count;
    Sweep s = {g, y, g->count, arena_alloc(g->ngc, n), arena_alloc(g->ngc, n * sizeof(Node *)),
               arena_alloc(g->ngc, n * sizeof(int))};
    for (int i = 0; i < count; i++)
        s.wanted[x[i]->id] = true;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < g->node[i]->nargs; k++)
            s.wanted[i] |= s.wanted[g->node[i]->arg[k]->id];
    s.adjoint[y->id] = seed ? seed : graph_full(g, y->shape, 1);
    sweep(&s);
    for (int i = s.from; i < g->count; i++)
        g->node[i]->derived = true;
    int *used = graph_uses(g, &y, 1);
    for (int i = 0; i < count; i++) {
        Node *d = s.adjoint[x[i]->id];
        reach[i] = d ? REACH_YES : used[x[i]->id] ? REACH_FLAT : REACH_NONE;
        out[i] = d ? d : graph_full(g, x[i]->shape, 0);
    }
}
