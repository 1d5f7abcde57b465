/* lower_grad.c - gradient, minimize, maximize and update: what is differentiated, with respect to
 * what, and how the params change. grad.c has the calculus. */
#include "lang/lower.h"

#include <string.h>

/* ---- derivatives and updates ---- */

void root_add(Lower *L, Root r)
{
    Model *m = L->m;
    LIST_GROW(L->ngc, m->root, m->roots, &L->root_room);
    m->root[m->roots++] = r;
}

/* The value that a path in `over`, `update` or `output` means. */
Value *lower_path(Lower *L, const char *path, Loc loc)
{
    const Binding *b = scope_find(L, path);
    const Var *v = NULL;
    if (!b)
        v = lower_find_var(L, path);
    if (v)
        return value_node(L, loc, v->node);
    if (!strchr(path, '.') || b) {
        Expr x = {.kind = X_NAME, .loc = loc, .at = loc, .name = path};
        return lower_expr(L, &x);
    }

    /* a value inside a layer, such as h.z: named, and bound to no name */
    for (int i = 0; i < L->g->count; i++) {
        Node *n = L->g->node[i];
        if (n->name && same_text(n->name, path))
            return value_node(L, loc, n);
    }
    lower_error(L, ERR_UNKNOWN_MEMBER, loc, "there is no '%s'", path);
    return value_error(L, loc);
}

static bool is_weight(const Var *v)
{
    return v->kind == VAR_PARAM || v->kind == VAR_FROZEN;
}

static void over_kind(Lower *L, Derivative *d, VarKind kind)
{
    for (int i = 0; i < L->m->vars; i++) {
        const Var *v = L->m->var[i];
        if (v->kind == kind && v->type == T_FLOAT)
            d->x[d->count++] = v->node;
    }
}

/* All params; if there are none, all float inputs. */
void lower_over_all(Lower *L, Derivative *d, bool params_only)
{
    over_kind(L, d, VAR_PARAM);
    if (d->count == 0 && !params_only)
        over_kind(L, d, VAR_INPUT);
}

/* May a gradient be taken with respect to the value that this name means? With a message, if not.
 */
static bool check_over(Lower *L, const Names *name, const Value *v, bool params_only)
{
    double c;
    if (v->kind == V_ERROR)
        return false;
    if (v->kind != V_NODE) {
        lower_error(L, ERR_OVER_NOT_A_TENSOR, name->loc,
                    "'%s' is not a tensor; there is no gradient with respect to it", name->name);
        return false;
    }

    const Node *x = v->node;
    bool leaf = node_has(x, F_LEAF);
    if (x->type == T_INT) {
        lower_error(L, ERR_OVER_INT, name->loc,
                    "'%s' is int; a gradient is with respect to float values", name->name);
        return false;
    }
    if (node_const(x, &c) || (leaf && x->op != OP_var)) {
        lower_error(L, ERR_OVER_INT, name->loc,
                    "'%s' is a constant; "
                    "declare it as an input to differentiate with respect to it",
                    name->name);
        return false;
    }

    if (params_only && (x->op != OP_var || !is_weight(x->attr.var))) {
        lower_error(L, ERR_OVER_NOT_A_PARAM, name->loc,
                    "'%s' is not a param; minimize changes params", name->name);
        return false;
    }
    return true;
}

/* Adds what a derivative is taken with respect to, which the text calls so, once. A constant has
 * none. */
static void over_node(Derivative *d, Node *x, const char *name)
{
    if (x->op == OP_var && x->attr.var->kind == VAR_FROZEN)
        return;
    for (int i = 0; i < d->count; i++)
        if (d->x[i] == x)
            return;
    if (x->op != OP_var)
        d->over[d->count] = name;
    d->x[d->count++] = x;
}

/* The params whose names match a pattern, such as head.*; false with a message. */
static bool over_pattern(Lower *L, const Names *pattern, Derivative *d)
{
    bool found = false;
    for (int i = 0; i < L->var_paths; i++) {
        const Var *v = L->var_path[i].var;
        if (!is_weight(v) || !lower_var_matches(L, i, pattern->name))
            continue;
        found = true;
        over_node(d, v->node, v->name);
    }
    if (!found)
        lower_error(L, ERR_UNKNOWN_MEMBER, pattern->loc, "no param is called '%s'", pattern->name);
    return found;
}

/* What a name in `over` means. A variable is meant itself, as without `over`, also where a loop has
 * assigned to its name since; a warning says that this is not its value there. */
static Value *over_value(Lower *L, const Names *name, bool params_only)
{
    const Binding *b = scope_find(L, name->name);
    if (!b || !b->var)
        return lower_path(L, name->name, name->loc);

    bool same = b->again || b->value->node == b->var->node;
    if (!same && !params_only)
        warn(L->ngc, "over-variable", ERR_OVER_VARIABLE, name->loc,
             "this is with respect to the variable '%s', not to what a loop left in it; for that, "
             "write last = %s after the loop, and 'over last'",
             name->name, name->name);
    return value_node(L, name->loc, b->var->node);
}

static bool over_names(Lower *L, const Stmt *s, Derivative *d, bool params_only)
{
    for (const Names *t = s->names; t; t = t->next) {
        if (strchr(t->name, '*')) {
            if (!over_pattern(L, t, d))
                return false;
            continue;
        }
        const Value *v = over_value(L, t, params_only);
        if (!check_over(L, t, v, params_only))
            return false;
        over_node(d, v->node, t->name);
    }
    return true;
}

/* The value of the loss: a float scalar. NULL with a message. */
static Node *loss_value(Lower *L, const Stmt *s)
{
    Path *target = L->target;
    int vars = L->var_paths;
    /* not by the loss: `gradient J = mse(..)` has no J.mse */
    L->target = L->path; /* a call in it is named by its function */
    Value *v = lower_expr(L, s->value);
    L->target = target;
    name_vars(L, vars);

    Node *n = want_node(L, v, "a loss");
    if (!n)
        return NULL;
    if (n->shape.rank != 0) {
        lower_error(L, ERR_LOSS_NOT_A_NUMBER, s->value->loc,
                    "a loss must be a scalar; %s has shape %s: sum or mean makes it one",
                    value_text(L, v), shape_text(L->g, n->shape));
        return NULL;
    }
    if (n->type == T_INT) {
        lower_error(L, ERR_LOSS_INT, s->value->loc, "an int has no gradient");
        return NULL;
    }
    return n;
}

/* J of `gradient J = EXPR` or of `gradient J`; a loss without a name is called J. */
static const char *loss_name(Lower *L, const Stmt *s)
{
    if (s->name)
        return s->name;
    if (s->value->kind == X_NAME)
        return s->value->name;
    return intern_str(L->ngc, "J");
}

/* Gives the loss its name, unless it has it already. `from`: the first node that the statement
 * made. NULL with a message. */
static Node *name_loss(Lower *L, const Stmt *s, const char *name, Node *n, int from)
{
    const char *old = node_name(n);
    if (s->value->kind == X_NAME && old && same_text(old, name))
        return n;

    const Binding *used = scope_own(L->scope, name);
    if (used && s->name) {
        declared_twice(L, name, s->at, used->loc);
        return NULL;
    }
    /* the loss gets a node of its own where its value has another name */
    n = graph_bind(L->g, n, name, from);
    if (!used)
        scope_bind(L, name, value_node(L, s->value->loc, n), s->at);
    return n;
}

/* The loss of a gradient, minimize or maximize, and room for what it is differentiated with respect
 * to. */
static bool derivative_loss(Lower *L, const Stmt *s, Derivative *d)
{
    int from = L->g->count;
    *d = (Derivative){.name = loss_name(L, s), .loc = s->loc};
    Node *n = loss_value(L, s);
    if (!n)
        return false;
    d->loss = name_loss(L, s, d->name, n, from);
    if (!d->loss)
        return false;

    int names = 0;
    for (const Names *t = s->names; t; t = t->next)
        names++;
    d->x = arena_array(L->ngc, L->m->vars + names + 1, sizeof *d->x);
    d->over = arena_array(L->ngc, L->m->vars + names + 1, sizeof *d->over);
    return true;
}

/* Warns about a gradient that is 0 everywhere. */
static void warn_zero(Lower *L, const Derivative *d, const char *x, Reach reach)
{
    if (reach == REACH_NONE)
        warn(L->ngc, "zero-gradient", ERR_ZERO_GRADIENT, d->loc,
             "%s does not depend on %s: its gradient is 0", d->name, x);
    else if (reach == REACH_FLAT)
        warn(L->ngc, "zero-gradient", ERR_ONLY_THROUGH_STEPS, d->loc,
             "%s depends on %s only through functions whose slope is 0 "
             "(sign, floor, argmax, comparisons, a product with 0): its gradient is 0",
             d->name, x);
    else if (reach == REACH_CANCELS)
        warn(L->ngc, "zero-gradient", ERR_ZERO_GRADIENT, d->loc,
             "the terms of %s that depend on %s cancel each other: its gradient is 0", d->name, x);
}

/* Differentiates the loss and simplifies the derivatives. */
void lower_derive(Lower *L, Derivative *d)
{
    Ngc *ngc = L->ngc;
    Graph *g = L->g;
    int from = g->count;
    Reach *reach = arena_array(ngc, d->count + 1, sizeof *reach);
    d->dx = arena_array(ngc, d->count + 1, sizeof *d->dx);

    g->loc = d->loc;
    graph_grad(g, d->loss, NULL, d->x, d->count, d->dx, reach);
    graph_simplify(g, d->dx, d->count, from, NULL, NULL);

    if (ngc->errors) /* an error may be the cause of a 0 */
        return;
    for (int i = 0; i < d->count; i++) {
        if (reach[i] == REACH_YES && node_is(d->dx[i], 0))
            reach[i] = REACH_CANCELS;
        warn_zero(L, d, node_name(d->x[i]), reach[i]);
    }
}

/* The loss as a root. If it is one already, the group of a minimize is noted there. */
static void root_loss(Lower *L, const Derivative *d, int group)
{
    bool known = false;
    for (int i = 0; i < L->m->roots; i++) {
        Root *r = &L->m->root[i];
        if (r->kind != ROOT_LOSS || r->node != d->loss)
            continue;
        known = true;
        /* of several statements, the first that updates something says what is better */
        if (group >= 0 && r->group < 0)
            r->rises = d->rises;
        if (group >= 0)
            r->group = group;
    }
    if (!known)
        root_add(L, (Root){.kind = ROOT_LOSS,
                           .name = d->name,
                           .node = d->loss,
                           .group = group,
                           .rises = d->rises,
                           .loc = d->loc});
}

/* The name of the gradient with respect to x[i]. A variable of a loop has the name that the text
 * has after the loop: its value is c.2 where the loop was expanded, and c where it stays. */
static const char *grad_name(Lower *L, const Derivative *d, int i)
{
    const char *own = "x";
    if (node_name(d->x[i]))
        own = node_name(d->x[i]);
    const char *over = NULL;
    if (d->over)
        over = d->over[i];
    const char *name = text_format(L->ngc, "d%s/d%s", d->name, over ? over : own);

    for (int k = 0; over && k < L->m->roots; k++)
        if (same_text(L->m->root[k].name, name))
            return text_format(L->ngc, "d%s/d%s", d->name, own);
    return name;
}

/* The loss and its gradients, dJ/dW, as roots. A gradient that is asked for twice is one root. */
void root_grads(Lower *L, const Derivative *d, int group)
{
    Model *m = L->m;
    root_loss(L, d, group);

    Table seen = {0}; /* by x: how often its gradient was asked for */
    /* also over other statements that differentiate the same loss */
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == ROOT_GRAD && m->root[i].loss == d->loss)
            ++*table_at(L->ngc, &seen, m->root[i].x);

    for (int i = 0; i < d->count; i++) {
        Node *x = d->x[i];
        if (++*table_at(L->ngc, &seen, x) > 1)
            continue;
        root_add(L, (Root){.kind = ROOT_GRAD,
                           .name = grad_name(L, d, i),
                           .node = d->dx[i],
                           .x = x,
                           .loss = d->loss,
                           .group = group,
                           .loc = d->loc,
                           .var = x->op == OP_var ? x->attr.var : NULL});
    }
}

void lower_gradient(Lower *L, const Stmt *s)
{
    Derivative d;
    if (!derivative_loss(L, s, &d) || !over_names(L, s, &d, false))
        return;
    if (!s->names)
        lower_over_all(L, &d, false);
    lower_derive(L, &d);
    root_grads(L, &d, -1);
}

/* The counter of updates. If there are several minimize, which may be used alternately, the
 * optimizer of each counts its own updates. */
Var *lower_counter(Lower *L, Loc loc)
{
    Graph *g = L->g;
    bool own = L->several && L->group >= 0;
    Var **counter = own ? &L->counters[L->group] : &L->counter;
    if (*counter)
        return *counter;

    const char *name = "step";
    if (own)
        name = text_format(L->ngc, "step.%s", L->m->group[L->group]);
    *counter = lower_var(L, VAR_STATE, name, loc, (Shape){0}, T_INT, graph_int(g, 0));
    (*counter)->fresh = true;
    /* it counts only updates of its own minimize */
    if (own) {
        Node *next = graph_binary(g, OP_add, (*counter)->node, graph_int(g, 1));
        root_update(L, *counter, next, L->group, loc);
    }
    return *counter;
}

/* The variable that an update changes, and the binding of its name, if it has one. NULL with a
 * message. */
static Var *updated_var(Lower *L, const Stmt *s, Binding **b)
{
    *b = scope_find(L, s->name);
    Var *v = NULL;
    if (*b)
        v = (*b)->var;
    if (!v) {
        const Value *x = lower_path(L, s->name, s->at);
        if (x->kind == V_ERROR)
            return NULL;
        if (x->kind == V_NODE && x->node->op == OP_var)
            v = x->node->attr.var;
    }
    if (v && v->kind != VAR_INPUT)
        return v;
    lower_error(L, ERR_NOT_UPDATABLE, s->at, "'%s' is not a state or param; only these are updated",
                s->name);
    return NULL;
}

void root_update(Lower *L, Var *v, Node *n, int group, Loc loc)
{
    if (v->update) {
        Diag *d = lower_error(L, ERR_TWO_UPDATES, loc, "'%s' already has an update", v->name);
        diag_note(L->ngc, d, L->m->root[v->update - 1].loc, "here");
        return;
    }

    root_add(L, (Root){.kind = ROOT_UPDATE,
                       .name = v->name,
                       .node = graph_cast(L->g, n, v->type),
                       .var = v,
                       .group = group,
                       .loc = loc});
    v->update = L->m->roots;
}

void lower_update(Lower *L, const Stmt *s)
{
    Graph *g = L->g;
    if (in_backward(L)) {
        lower_error(L, ERR_DECLARED_INSIDE, s->loc, "a backward part updates nothing");
        return;
    }

    Binding *b;
    Var *v = updated_var(L, s, &b);
    Node *n = expr_node(L, s->value);
    Shape fit;
    if (!v || !n || v->kind == VAR_FROZEN) /* nothing changes a constant */
        return;
    if (!shape_broadcast(n->shape, v->shape, &fit) || !shape_equal(fit, v->shape)) {
        lower_error(L, ERR_DECLARED_SHAPE, s->value->loc, "'%s' has shape %s, its update %s",
                    s->name, shape_text(g, v->shape), shape_text(g, n->shape));
        return;
    }

    /* In another call of a layer, the update follows that of the call before. */
    bool again = b && b->again;
    Node *old = again ? L->m->root[v->update - 1].node : v->node;
    n = graph_cast(g, graph_broadcast(g, n, v->shape), v->type);
    /* in a branch on `training`: else it keeps its value */
    if (L->gate)
        n = graph_where(g, L->gate, n, old);
    if (L->lazy && shape_equal(L->lazy->shape, v->shape))
        n = graph_where(g, L->lazy, n, old);

    bool unchanged = n == old; /* as in batch_norm(x, training = 0) */
    if (unchanged && L->frame)
        return;
    if (!again) {
        v->by_call = !v->update && L->frame && b && b->declared;
        root_update(L, v, n, L->group, lower_site(L, s->loc));
        return;
    }
    L->m->root[v->update - 1].node = n;
    b->again = false;
}

/* The call without this named argument, whose number becomes *value: one that every optimizer
 * accepts. */
static Expr *take_option(Lower *L, const Expr *call, const char *name, double *value, bool *given)
{
    Expr *out = arena_copy(L->ngc, call, sizeof *call);
    Arg **to = &out->args;
    out->args = NULL;
    for (const Arg *a = call->args; a; a = a->next) {
        if (a->name && same_text(a->name, name)) {
            *given = expr_number(L, a->value, value);
            if (*given && *value < 0)
                lower_error(L, ERR_NUMBER_TOO_SMALL, a->value->loc, "%s must not be negative",
                            name);
            continue;
        }
        *to = arena_copy(L->ngc, a, sizeof *a);
        (*to)->next = NULL;
        to = &(*to)->next;
    }
    return out;
}

/* g * min(1, limit / (norm + 1e-6)), where norm = sqrt(sum of g^2) over all gradients together, as
 * in PyTorch's clip_grad_norm_. */
static void clip_norm(Graph *g, Node **dx, int count, double limit)
{
    Node *sum = graph_const(g, 0);
    for (int i = 0; i < count; i++) {
        /* one number over all axes of all gradients */
        uint32_t all_axes = (1u << dx[i]->shape.rank) - 1;
        Node *square = graph_binary(g, OP_mul, dx[i], dx[i]);
        Node *own = graph_reduce(g, OP_sum, square, all_axes);
        sum = graph_binary(g, OP_add, sum, own);
    }

    Node *least = graph_const(g, 1e-6);
    Node *root = graph_unary(g, OP_sqrt, sum);
    Node *norm = graph_binary(g, OP_add, root, least);
    Node *ratio = graph_binary(g, OP_div, graph_const(g, limit), norm);
    Node *scale = graph_binary(g, OP_minimum, graph_const(g, 1), ratio);
    for (int i = 0; i < count; i++)
        dx[i] = graph_binary(g, OP_mul, dx[i], scale);
}

/* max(-limit, min(limit, g)) */
static void clip_value(Graph *g, Node **dx, int count, double limit)
{
    for (int i = 0; i < count; i++) {
        Node *below = graph_binary(g, OP_minimum, graph_const(g, limit), dx[i]);
        dx[i] = graph_binary(g, OP_maximum, graph_const(g, -limit), below);
    }
}

/* p = opt(p, g, ...); the optimizer's state is named opt.p.v. lazy: not 0 where p and its states
 * may change; NULL: everywhere. */
static bool optimize_param(Lower *L, const Stmt *s, const Expr *call, Var *p, Node *g, Node *lazy,
                           int group)
{
    const char *name = call->a->kind == X_NAME ? call->a->name : "optimizer";
    Value *first[2] = {value_node(L, s->with->loc, p->node), value_node(L, s->with->loc, g)};
    /* the optimizer's states are named by the param: adam.h.W.m */
    Path *path = path_new(L, path_new(L, NULL, name), NULL);
    path->var = p;

    L->lazy = lazy;
    Value *v = lower_call(L, call, first, 2, path);
    L->lazy = NULL;
    Node *n = NULL;
    if (v->kind != V_ERROR)
        n = want_node(L, v, "an optimizer's result");
    if (!n)
        return false;

    if (!shape_equal(n->shape, p->shape)) {
        lower_error(L, ERR_OPTIMIZER_SHAPE, s->with->loc,
                    "%s gives shape %s for param '%s' of shape %s", name,
                    shape_text(L->g, n->shape), p->name, shape_text(L->g, p->shape));
        return false;
    }
    if (lazy)
        n = graph_where(L->g, lazy, n, p->node);
    root_update(L, p, n, group, s->loc);
    return true;
}

/* lazy = 1: what each param's gradient says of its rows, or NULL; warns where that is nothing. */
static Node **lazy_rows(Lower *L, const Stmt *s, const Derivative *d, Node *const *g)
{
    Ngc *ngc = L->ngc;
    bool *otherwise = arena_array(ngc, d->count + 1, sizeof *otherwise);
    bool any = false;
    Node **touched = graph_touched(L->g, g, d->count, otherwise);

    for (int i = 0; i < d->count; i++) {
        any |= touched[i] || otherwise[i];
        if (otherwise[i])
            warn(ngc, "lazy", ERR_LAZY, s->with->loc,
                 "lazy changes nothing for %s: it is also used in another way than by rows",
                 d->x[i]->attr.var->name);
    }
    if (!any)
        warn(ngc, "lazy", ERR_LAZY, s->with->loc,
             "lazy changes nothing: no param of %s is read by rows", d->name);
    return touched;
}

/* minimize ... with opt(...): an update of each param. maximize goes the other way: -g. */
static void optimize(Lower *L, const Stmt *s, const Derivative *d, int group)
{
    double norm = 0, value = 0, lazy = 0;
    bool by_norm = false, by_value = false, by_row = false;
    Expr *call = take_option(L, s->with, "clip_norm", &norm, &by_norm);
    call = take_option(L, call, "clip_value", &value, &by_value);
    call = take_option(L, call, "lazy", &lazy, &by_row);

    Node **g = LIST_COPY(L->ngc, d->dx, d->count);
    if (s->kind == S_MAXIMIZE)
        for (int i = 0; i < d->count; i++)
            g[i] = graph_unary(L->g, OP_neg, g[i]);
    /* first each element, then the norm of what is left */
    if (by_value)
        clip_value(L->g, g, d->count, value);
    if (by_norm)
        clip_norm(L->g, g, d->count, norm);

    Node **touched = NULL;
    if (by_row && lazy != 0)
        touched = lazy_rows(L, s, d, g);
    for (int i = 0; i < d->count; i++) {
        Node *rows = NULL;
        if (touched)
            rows = touched[i];
        if (!optimize_param(L, s, call, d->x[i]->attr.var, g[i], rows, group))
            return;
    }
}

/* A group is the loss, gradients and updates of one minimize. */
static int add_group(Lower *L, const char *name)
{
    Model *m = L->m;
    LIST_GROW(L->ngc, m->group, m->groups, &L->group_room);
    m->group[m->groups] = name;
    LIST_GROW(L->ngc, L->counters, m->groups, &L->counter_room);
    L->counters[m->groups] = NULL;
    return m->groups++;
}

void lower_minimize(Lower *L, const Stmt *s)
{
    Derivative d;
    if (!derivative_loss(L, s, &d) || !over_names(L, s, &d, true))
        return;
    d.rises = s->kind == S_MAXIMIZE;
    L->m->over |= s->names != NULL;
    if (!s->names)
        lower_over_all(L, &d, true);
    if (d.count == 0 && L->ngc->opt.frozen) { /* all that it trains is constant: only a loss */
        root_loss(L, &d, -1);
        return;
    }
    if (d.count == 0) {
        lower_error(L, ERR_NO_PARAMS, s->loc, "there is no param to %s over",
                    s->kind == S_MINIMIZE ? "minimize" : "maximize");
        return;
    }
    lower_derive(L, &d);

    int group = add_group(L, d.name);
    root_grads(L, &d, group);
    L->group = group;
    if (s->with)
        optimize(L, s, &d, group);
    L->group = -1;
}
