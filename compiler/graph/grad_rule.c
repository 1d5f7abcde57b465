/* grad_rule.c - rules of derivatives, which are texts in the language: as nodes, and as the range
 * of a slope. */
#include "graph/grad.h"

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
        if (same_text(op_info[op]->name, name) && op_info[op]->arity == arity)
            return (Op)op;
    ngc_bug("a rule calls %s", name);
}

static Node *rule_name(const Env *e, const char *name)
{
    if (same_text(name, "dy"))
        return e->dy;
    if (same_text(name, "y"))
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
    /* in statements of their own: the order in which nodes are made gives them their numbers */
    Node *a = rule_build(e, x->a);
    Node *b = rule_build(e, x->b);

    if (swap)
        return graph_binary(e->g, op, b, a);
    return graph_binary(e->g, op, a, b);
}

static Node *rule_call(const Env *e, const Expr *x)
{
    Graph *g = e->g;
    Node *arg[3] = {0};
    int n = 0;
    for (const Arg *a = x->args; a && n < 3; a = a->next)
        arg[n++] = rule_build(e, a->value);

    Op op = rule_op(x->a->name, n);
    if (n == 1)
        return graph_unary(g, op, arg[0]);
    if (n == 2)
        return graph_binary(g, op, arg[0], arg[1]);
    return graph_where(g, arg[0], arg[1], arg[2]);
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

const Expr *rule_parsed(Graph *g, Op op, int operand)
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
    return *x->name == '*' && of_names && same_text(a->name, x->b->name);
}

static Range rule_range(const Node *y, const Expr *x);

static Range rule_range_name(const Node *y, const char *name)
{
    if (same_text(name, "dy"))
        return (Range){1, 1, RISK_NONE};
    if (same_text(name, "y"))
        return y->trained;
    return y->arg[name[0] - 'a']->trained;
}

static Range rule_range_binary(const Node *y, const Expr *x)
{
    bool swap;
    Op op = rule_sign(x->name, &swap);
    Range in[3] = {0};

    /* a > b is b < a: the operands change places */
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

bool is_conv(const Node *y)
{
    return y->op == OP_conv || y->op == OP_convk;
}

/* Is each element of y a sum of products of an element of one operand with one of the other? */
bool is_bilinear(const Node *y)
{
    return y->op == OP_matmul || is_conv(y);
}

/* May the slope of y with respect to that operand be infinite or NaN? */
Risk rule_risk(Graph *g, const Node *y, int operand)
{
    if (op_info[y->op]->risk)
        return op_info[y->op]->risk(y, operand);
    if (is_bilinear(y)) /* other data has already spoilt the whole of y */
        return y->arg[1 - operand]->trained.risk == RISK_POLE ? RISK_POLE : RISK_NONE;
    /* rules in C say their risk themselves, above; without, they have none */
    if (op_info[y->op]->back || !op_info[y->op]->rule[operand])
        return RISK_NONE;
    return rule_range(y, rule_parsed(g, y->op, operand)).risk;
}

const char *op_rule(Ngc *ngc, const Node *y, int operand)
{
    const OpInfo *info = op_info[y->op];
    const char *said = NULL;
    if (info->said)
        said = info->said(ngc, y, operand);

    if (said)
        return said;
    if (operand < 3 && info->rule[operand])
        return info->rule[operand];
    return info->rule[0];
}

const char *op_teach(Ngc *ngc, const Node *n)
{
    const OpInfo *info = op_info[n->op];
    if (info->taught)
        return info->taught(ngc, n);
    return info->teach;
}

/* The contribution of y = op(..) to the adjoint of an operand, by the rule of an elementwise op. */
Node *rule_apply(Graph *g, Node *y, Node *dy, int operand)
{
    Env e = {g, y, dy};
    Node *dx = rule_build(&e, rule_parsed(g, y->op, operand));
    return graph_broadcast(g, dx, y->arg[operand]->shape);
}
