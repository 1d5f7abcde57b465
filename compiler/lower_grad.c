/* lower_grad.c - gradient, minimize, maximize and update: what is differentiated, by what, and what
 * becomes of the params. */
#include "lower.h"

#include <string.h>

/* ---- derivatives and updates ---- */

void root_add(Lower *L, Root r)
{
    Model *m = L->m;
    m->root = arena_grow(L->ngc, m->root, m->roots, &L->root_room, sizeof *m->root);
    m->root[m->roots++] = r;
}

/* The value that a path in `over`, `update` or `output` means. */
Value *lower_path(Lower *L, const char *path, Loc loc)
{
    Expr x = {.kind = X_NAME, .loc = loc, .at = loc, .name = path};
    Binding *b = scope_find(L, path);
    Var *v = b ? b->var : lower_find_var(L, path);
    if (v)
        return value_node(L, loc, v->node);
    if (!strchr(path, '.') || b)
        return lower_expr(L, &x);
    for (int i = 0; i < L->g->count; i++)
        if (L->g->node[i]->name && strcmp(L->g->node[i]->name, path) == 0)
            return value_node(L, loc, L->g->node[i]);
    lower_error(L, ERR_UNKNOWN_MEMBER, loc, "there is no '%s'", path);
    return value_error(L, loc);
}

static const char *node_name(const Node *n)
{
    return n->op == OP_var ? n->attr.var->name : n->name;
}

/* All params; where there are none, all float inputs. */
void lower_over_all(Lower *L, Derivative *d, bool params_only)
{
    for (int pass = 0; pass < (params_only ? 1 : 2) && d->count == 0; pass++)
        for (int i = 0; i < L->m->vars; i++) {
            Var *v = L->m->var[i];
            if (v->kind == (pass == 0 ? VAR_PARAM : VAR_INPUT) && v->type == T_FLOAT)
                d->x[d->count++] = v->node;
        }
}

static bool over_names(Lower *L, const Stmt *s, Derivative *d, bool params_only)
{
    for (const Names *t = s->names; t; t = t->next) {
        Value *v = lower_path(L, t->name, t->loc);
        if (v->kind != V_NODE) {
            if (v->kind != V_ERROR)
                lower_error(L, ERR_OVER_NOT_A_TENSOR, t->loc,
                            "'%s' is no tensor; there is no gradient with regard to it", t->name);
            return false;
        }
        Node *x = v->node;
        double c;
        if (x->type == T_INT || node_const(x, &c) ||
            (op_info[x->op]->flags & F_LEAF && x->op != OP_var)) {
            lower_error(L, ERR_OVER_INT, t->loc,
                        x->type == T_INT
                            ? "'%s' is int; a gradient is with regard to float values"
                            : "'%s' is a constant; declare it as an input to differentiate by it",
                        t->name);
            return false;
        }
        if (params_only && (x->op != OP_var || x->attr.var->kind != VAR_PARAM)) {
            lower_error(L, ERR_OVER_NOT_A_PARAM, t->loc,
                        "'%s' is not a param; minimize changes params", t->name);
            return false;
        }
        d->x[d->count++] = x;
    }
    return true;
}

/* The loss of a gradient, minimize or maximize, by its name or as what it says. */
static bool derivative_loss(Lower *L, const Stmt *s, Derivative *d)
{
    Value *v;
    Path *target = L->target;
    int from = L->g->count, n_over = 0, vars = L->var_paths;
    *d = (Derivative){0};
    d->name = s->name                    ? s->name
              : s->value->kind == X_NAME ? s->value->name
                                         : intern_str(L->ngc, "J");
    L->target = L->path; /* a call in it is named by its function */
    v = lower_expr(L, s->value);
    L->target = target;
    name_vars(L, vars);
    Node *n = want_node(L, v, "a loss");
    if (!n)
        return false;
    if (n->shape.rank != 0) {
        lower_error(L, ERR_LOSS_NOT_A_NUMBER, s->value->loc,
                    "a loss must be a scalar; %s has shape %s: sum or mean makes it one",
                    value_text(L, v), shape_text(L->g, n->shape));
        return false;
    }
    if (n->type == T_INT) {
        lower_error(L, ERR_LOSS_INT, s->value->loc, "an int has no gradient");
        return false;
    }
    if (!(s->value->kind == X_NAME && node_name(n) && strcmp(node_name(n), d->name) == 0)) {
        bool used = scope_own(L->scope, d->name) != NULL;
        if (used && s->name) {
            declared_twice(L, d->name, s->at, scope_own(L->scope, d->name)->loc);
            return false;
        }
        n = graph_bind(L->g, n, d->name, from);
        if (!used)
            scope_bind(L, d->name, value_node(L, v->loc, n), s->at);
    }
    for (const Names *t = s->names; t; t = t->next)
        n_over++;
    d->loss = n;
    d->loc = s->loc;
    d->x = arena_alloc(L->ngc, (size_t)(L->m->vars + n_over + 1) * sizeof *d->x);
    return true;
}

/* Differentiates, simplifies what came out, and says which values the loss does not depend on. */
void lower_derive(Lower *L, Derivative *d)
{
    Graph *g = L->g;
    int from = g->count;
    Reach *reach = arena_alloc(L->ngc, (size_t)(d->count + 1) * sizeof *reach);
    d->dx = arena_alloc(L->ngc, (size_t)(d->count + 1) * sizeof *d->dx);
    g->loc = d->loc;
    graph_grad(g, d->loss, NULL, d->x, d->count, d->dx, reach);
    graph_simplify(g, d->dx, d->count, from, NULL, NULL);
    for (int i = 0; i < d->count && !L->ngc->errors; i++) { /* after an error it may be the cause */
        const char *x = node_name(d->x[i]);
        if (reach[i] == REACH_NONE)
            warn(L->ngc, "zero-gradient", ERR_ZERO_GRADIENT, d->loc,
                 "%s does not depend on %s: its gradient is 0", d->name, x);
        else if (reach[i] == REACH_FLAT)
            warn(
                L->ngc, "zero-gradient", ERR_ONLY_THROUGH_STEPS, d->loc,
                "%s depends on %s only through functions whose slope is 0 (sign, floor, argmax, comparisons): its gradient is 0",
                d->name, x);
    }
}

/* dJ/dW: the loss and the values it is differentiated by; twice the same is one. */
void root_grads(Lower *L, const Derivative *d, int group)
{
    Model *m = L->m;
    bool known = false;
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == ROOT_LOSS && m->root[i].node == d->loss) {
            known = true;
            m->root[i].group = group >= 0 ? group : m->root[i].group;
        }
    if (!known)
        root_add(L, (Root){.kind = ROOT_LOSS,
                           .name = d->name,
                           .node = d->loss,
                           .group = group,
                           .loc = d->loc});
    Table seen = {0};
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == ROOT_GRAD && m->root[i].loss == d->loss)
            ++*table_at(L->ngc, &seen, m->root[i].x);
    for (int i = 0; i < d->count; i++) {
        const char *name =
            text_format(L->ngc, "d%s/d%s", d->name, node_name(d->x[i]) ? node_name(d->x[i]) : "x");
        if (++*table_at(L->ngc, &seen, d->x[i]) == 1)
            root_add(L, (Root){.kind = ROOT_GRAD,
                               .name = name,
                               .node = d->dx[i],
                               .x = d->x[i],
                               .loss = d->loss,
                               .group = group,
                               .loc = d->loc,
                               .var = d->x[i]->op == OP_var ? d->x[i]->attr.var : NULL});
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

/* What counts updates: all of them, or in the optimizer of one of several minimize, which may be
 * done by turns, its own. */
Var *lower_counter(Lower *L, Loc loc)
{
    bool own = L->several && L->group >= 0;
    Var **counter = own ? &L->counters[L->group] : &L->counter;
    if (*counter)
        return *counter;

    const char *name = own ? text_format(L->ngc, "step.%s", L->m->group[L->group]) : "step";
    *counter = lower_var(L, VAR_STATE, name, loc, (Shape){0}, T_INT, graph_int(L->g, 0));
    if (own)
        root_update(L, *counter, graph_binary(L->g, OP_add, (*counter)->node, graph_int(L->g, 1)),
                    L->group, loc);
    return *counter;
}

/* The variable that an update changes, and its name's binding, if it has one. NULL with a message.
 */
static Var *updated_var(Lower *L, const Stmt *s, Binding **b)
{
    *b = scope_find(L, s->name);
    Var *v = *b ? (*b)->var : NULL;
    if (!v) {
        Value *x = lower_path(L, s->name, s->at);
        if (x->kind == V_ERROR)
            return NULL;
        v = x->kind == V_NODE && x->node->op == OP_var ? x->node->attr.var : NULL;
    }
    if (!v || v->kind == VAR_INPUT) {
        lower_error(L, ERR_NOT_UPDATABLE, s->at,
                    "'%s' is not a state or param; only these are updated", s->name);
        return NULL;
    }
    return v;
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
    Binding *b;
    Var *v = updated_var(L, s, &b);
    Node *n = expr_node(L, s->value);
    Shape fit;
    if (!v || !n)
        return;
    if (!shape_broadcast(n->shape, v->shape, &fit) || !shape_equal(fit, v->shape)) {
        lower_error(L, ERR_DECLARED_SHAPE, s->value->loc, "'%s' has shape %s, its update %s",
                    s->name, shape_text(L->g, v->shape), shape_text(L->g, n->shape));
        return;
    }
    bool again = b && b->again;
    Node *old = again ? L->m->root[v->update - 1].node : v->node;
    n = graph_cast(L->g, graph_broadcast(L->g, n, v->shape), v->type);
    if (L->gate)
        n = graph_where(L->g, L->gate, n, old);
    if (n == old &&
        L->frame) /* a layer that leaves its state alone, as batch_norm(x, training = 0) */
        return;
    if (!again) {
        root_update(L, v, n, L->group, lower_site(L, s->loc));
        return;
    }
    L->m->root[v->update - 1].node = n;
    b->again = false;
}

/* Takes a named number out of an optimizer's arguments: the clipping that every optimizer takes. */
static Expr *take_option(Lower *L, const Expr *call, const char *name, double *value, bool *given)
{
    Expr *out = arena_copy(L->ngc, call, sizeof *call);
    Arg **to = &out->args;
    out->args = NULL;
    for (const Arg *a = call->args; a; a = a->next) {
        if (a->name && strcmp(a->name, name) == 0) {
            *given = expr_number(L, a->value, value);
            continue;
        }
        *to = arena_copy(L->ngc, a, sizeof *a);
        (*to)->next = NULL;
        to = &(*to)->next;
    }
    return out;
}

/* g * min(1, limit / norm), the norm over all gradients together, as PyTorch's clip_grad_norm_
 * (which adds 1e-6). */
static void clip_norm(Graph *g, Node **dx, int count, double limit)
{
    Node *sum = graph_const(g, 0);
    for (int i = 0; i < count; i++)
        sum = graph_binary(g, OP_add, sum,
                           graph_reduce(g, OP_sum, graph_binary(g, OP_mul, dx[i], dx[i]),
                                        (1u << dx[i]->shape.rank) - 1));
    Node *least = graph_const(g, 1e-6),
         *norm = graph_binary(g, OP_add, graph_unary(g, OP_sqrt, sum), least);
    Node *ratio = graph_binary(g, OP_div, graph_const(g, limit), norm),
         *scale = graph_binary(g, OP_minimum, graph_const(g, 1), ratio);
    for (int i = 0; i < count; i++)
        dx[i] = graph_binary(g, OP_mul, dx[i], scale);
}

static void clip_value(Graph *g, Node **dx, int count, double limit)
{
    for (int i = 0; i < count; i++) {
        Node *below = graph_binary(g, OP_minimum, graph_const(g, limit), dx[i]);
        dx[i] = graph_binary(g, OP_maximum, graph_const(g, -limit), below);
    }
}

/* p = opt(p, grad, ...) for each param; the optimizer's state is named opt.p.v. */
static void optimize(Lower *L, const Stmt *s, Derivative *d, int group)
{
    double norm = 0, value = 0;
    bool by_norm = false, by_value = false;
    Expr *call = take_option(L, take_option(L, s->with, "clip_norm", &norm, &by_norm), "clip_value",
                             &value, &by_value);
    Node **g = arena_copy(L->ngc, d->dx, (size_t)d->count * sizeof *g);
    for (int i = 0; i < d->count && s->kind == S_MAXIMIZE; i++)
        g[i] = graph_unary(L->g, OP_neg, g[i]);
    if (by_value)
        clip_value(L->g, g, d->count, value);
    if (by_norm)
        clip_norm(L->g, g, d->count, norm);
    for (int i = 0; i < d->count; i++) {
        Var *p = d->x[i]->attr.var;
        const char *name = call->a->kind == X_NAME ? call->a->name : "optimizer";
        Value *first[2] = {value_node(L, s->with->loc, p->node), value_node(L, s->with->loc, g[i])};
        Path *path = path_new(L, path_new(L, NULL, name), NULL);
        path->var = p;
        Value *v = lower_call(L, call, first, 2, path);
        Node *n = v->kind == V_ERROR ? NULL : want_node(L, v, "an optimizer's result");
        if (!n)
            return;
        if (!shape_equal(n->shape, p->shape)) {
            lower_error(L, ERR_OPTIMIZER_SHAPE, s->with->loc,
                        "%s gives shape %s for param '%s' of shape %s", name,
                        shape_text(L->g, n->shape), p->name, shape_text(L->g, p->shape));
            return;
        }
        root_update(L, p, n, group, s->loc);
    }
}

void lower_minimize(Lower *L, const Stmt *s)
{
    Model *m = L->m;
    Derivative d;
    if (!derivative_loss(L, s, &d) || !over_names(L, s, &d, true))
        return;
    if (!s->names)
        lower_over_all(L, &d, true);
    if (d.count == 0) {
        lower_error(L, ERR_NO_PARAMS, s->loc, "there is no param to %s",
                    s->kind == S_MINIMIZE ? "minimize over" : "maximize over");
        return;
    }
    lower_derive(L, &d);
    m->group = arena_grow(L->ngc, m->group, m->groups, &L->group_room, sizeof *m->group);
    m->group[m->groups] = d.name;
    L->counters = arena_grow(L->ngc, L->counters, m->groups, &L->counter_room, sizeof *L->counters);
    L->counters[m->groups] = NULL;
    root_grads(L, &d, m->groups);
    L->group = m->groups;
    if (s->with)
        optimize(L, s, &d, m->groups);
    L->group = -1;
    m->groups++;
}
