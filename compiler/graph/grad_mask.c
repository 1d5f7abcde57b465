/* grad_mask.c - masks: where something may flow back.
 *
 * Nothing flows back to an operand that a choice (where, maximum, ..) does not take, and this must
 * stay so: 0 times an infinite slope is NaN. So an adjoint below a choice has a mask, which is not
 * 0 where something may flow. Where a slope may be infinite, a contribution is taken only where the
 * mask is not 0, and is 0 elsewhere. Masks are made only where there is such a slope further down:
 * a relu over finite slopes costs nothing. */
#include "graph/grad.h"

#include <string.h>

/* ---- what a mask does ---- */

/* Are a and b both where(c, .., ..) of one condition c? */
static bool same_choice(const Node *a, const Node *b)
{
    return a->op == OP_where && b->op == OP_where && a->arg[0] == b->arg[0];
}

/* x where the mask is not 0, and 0 elsewhere: where(mask, x, 0). A mask that is itself a choice of
 * 1 and 0 becomes the choice of x and 0. */
Node *mask_apply(Graph *g, Node *mask, Node *x)
{
    double v;
    if (node_const(mask, &v))
        return v != 0 ? x : graph_full(g, x->shape, 0);

    /* one choice instead of two: no mask is computed as a number and compared again */
    if (mask->op == OP_where && mask->type == T_FLOAT) {
        Node *yes = mask_apply(g, mask->arg[1], x);
        Node *no = mask_apply(g, mask->arg[2], x);
        return graph_where(g, mask->arg[0], yes, no);
    }
    return graph_where(g, mask, x, graph_full(g, x->shape, 0));
}

/* What dy is where the mask is not 0. Both were made by the same choices, so these are left out. */
Node *mask_undone(Node *mask, Node *dy)
{
    while (same_choice(mask, dy) && !dy->bound) {
        /* where(c, dy, 0) under the mask where(c, m, 0): within the mask it is dy */
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

    /* side by side, so that the result is still a choice that mask_apply can use */
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

    /* something flows to row i of a if it flows to any y[i, j]: the sum over j of masks, which are
     * not negative, is not 0 */
    Node *some = graph_reduce(g, OP_sum, mask, 1u << gone);
    return graph_expand(g, some, x->shape, 1u << added);
}

/* The mask of an operand of a convolution. Each element has as many factors as it has places, so
 * what flows to it through a kernel (or an image) of ones is 0 where no element of y does. */
static Node *mask_conv(Graph *g, Node *y, Node *mask, int operand)
{
    Node *arg[2] = {y->arg[0], y->arg[1]};
    Node *moved[2] = {NULL, NULL};
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
    case OP_cholesky:
    case OP_solve:
    case OP_det:
    case OP_logdet:
    case OP_cof:
    case OP_cof2: return true;
    default: return false;
    }
}

/* ---- where a slope may be infinite ---- */

/* The same for what depends on them through the variables of loops. Returns whether one of these
 * is worse than it was. */
static bool carry_risks(Sweep *s, const Node *loop)
{
    bool worse = false;

    for (int v = 0; v < loop_variables(loop); v++) {
        int leaf = loop_leaf(loop, v)->id;
        int init = loop_init(loop, v)->id;
        int next = loop_next(loop, v)->id;
        unsigned char vars = s->from_vars[init] | s->from_vars[next];
        Risk risk = risk_worse(s->below[init], s->below[next]);

        /* sets only grow, and risks only become worse, so the walks end */
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
void mask_find_risks(Sweep *s, const Node *y)
{
    bool worse = false;

    for (int i = 0; i <= y->id; i++) {
        const Node *n = s->g->node[i];
        if (n->op == OP_var)
            s->from_vars[i] = n->attr.var->kind == VAR_INPUT ? FROM_INPUTS : FROM_OTHERS;
        for (int k = 0; k < n->nargs; k++)
            s->from_vars[i] |= s->from_vars[arg_id(n, k)];

        if (n->op == OP_loop)
            worse |= carry_risks(s, n);
        if (!s->wanted[i])
            continue;
        for (int k = 0; k < n->nargs; k++) {
            int a = arg_id(n, k);
            /* a slope on the way to x: that of n itself, or one further down */
            Risk own = RISK_NONE;
            if (s->wanted[a])
                own = rule_risk(s->g, n, k);
            s->below[i] = risk_worse(s->below[i], risk_worse(own, s->below[a]));
        }
    }
    /* a variable of a loop comes before its next value, so what it now knows has to be carried
     * through the body again */
    if (worse)
        mask_find_risks(s, y);
}

/* ---- masks on the way back ---- */

/* Does operand k of y need a mask? It does if a slope further down may be infinite. A choice
 * that only the data decides may be there to leave out data that is not finite. */
bool mask_is_needed(const Sweep *s, const Node *y, int k)
{
    const Node *x = y->arg[k];
    unsigned flags = op_info[y->op]->flags;
    Risk risk = s->below[x->id];
    bool of_data = y->op == OP_where && s->from_vars[arg_id(y, 0)] == FROM_INPUTS;

    if (risk == RISK_NONE)
        return false;
    /* this choice begins a mask, whether or not one arrives */
    if (flags & F_CHOICE && (risk != RISK_DATA || of_data))
        return true;
    if (!s->found->mask[y->id])
        return false;
    /* a sum over elements mixes what is masked with what is not, so data that is not finite cannot
     * be kept out */
    if (is_bilinear(y) || is_linear_algebra(y))
        return risk != RISK_DATA;
    return flags & (F_ELEMENTWISE | F_ROUTE | F_CHOICE) || given_by_element(y, k);
}

/* The mask of operand k of a sum of products. */
static Node *mask_bilinear(Graph *g, Node *y, Node *mask, int k)
{
    if (is_conv(y))
        return mask_conv(g, y, mask, k);
    return mask_matmul(g, y, mask, k);
}

/* The masks of what flows from y to each operand: the mask of y, and the choice that y makes. */
void mask_operands(Sweep *s, Node *y, Node **mask)
{
    const OpInfo *info = op_info[y->op];
    Graph *g = s->g;
    Node *from = s->found->mask[y->id];
    Node *one = from;
    if (!from)
        one = graph_full(g, y->shape, 1);
    Node **moved = arena_array(g->ngc, y->nargs + 1, sizeof *moved);
    bool have_moved = false;

    for (int k = 0; k < y->nargs; k++) {
        Node *x = y->arg[k];
        if (!s->wanted[x->id] || !mask_is_needed(s, y, k))
            continue;

        /* A mask moves through y as an adjoint does, by the rule of the op. */
        if (info->flags & (F_ROUTE | F_CHOICE) && info->back) {
            if (!have_moved)
                info->back(g, y, one, moved);
            have_moved = true;
            mask[k] = moved[k];
        } else if (info->flags & F_CHOICE && info->rule[k]) {
            mask[k] = rule_apply(g, y, one, k);
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
bool mask_reads_pole(const Sweep *s, const Node *y, const Expr *x)
{
    switch (x->kind) {
    case X_NAME:
        /* dy has the mask already */
        if (same_text(x->name, "dy"))
            return false;
        return is_over_pole(s, same_text(x->name, "y") ? y : y->arg[x->name[0] - 'a']);
    case X_NEG: return mask_reads_pole(s, y, x->a);
    case X_BINARY: return mask_reads_pole(s, y, x->a) || mask_reads_pole(s, y, x->b);
    case X_CALL:
        for (const Arg *a = x->args; a; a = a->next)
            if (mask_reads_pole(s, y, a->value))
                return true;
        return false;
    default: return false;
    }
}

/* The sum of products y, of operands that are 0 where nothing flows to them: what an operand sends
 * to the other is not needed there, and it may be infinite, or have a slope that is. */
Node *mask_factors(Sweep *s, Node *y, Node *mask)
{
    Graph *g = s->g;
    Node *arg[2] = {y->arg[0], y->arg[1]};

    for (int k = 0; k < 2; k++) {
        bool has_pole = arg[k]->trained.risk == RISK_POLE || is_over_pole(s, arg[k]);
        if (has_pole) {
            Node *of_operand = mask_bilinear(g, y, mask, k);
            arg[k] = mask_apply(g, of_operand, arg[k]);
        }
    }
    return graph_copy(g, y, arg);
}

/* The mask of the adjoint of x with one more contribution, which has this mask or NULL. */
void mask_add(Sweep *s, const Node *x, Node *mask)
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
