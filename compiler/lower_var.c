/* lower_var.c - declarations: dims, inputs, params and constants, their shapes and initial values.
 */
#include "lower.h"

#include <math.h>
#include <string.h>

/* The starting value of a param or state: a constant, or what its initializer makes of the shape.
 */
static Node *var_init(Lower *L, const Stmt *s, Shape *shape)
{
    Value *v;
    Node *n;
    if (s->init) {
        Value *list[MAX_RANK], *first;
        for (int i = 0; i < shape->rank; i++)
            list[i] = value_node(L, s->at, graph_size(L->g, shape->dim[i]));
        first = value_list(L, s->at, list, shape->rank);
        v = lower_call(L, s->init, &first, 1, path_new(L, L->target, "init"));
    } else if (s->value) {
        v = lower_expr(L, s->value);
    } else {
        return graph_full(L->g, *shape, 0);
    }
    n = want_node(L, v, "a starting value");
    if (n && !s->sizes)
        *shape = n->shape;
    Shape fit;
    if (n && (!shape_broadcast(n->shape, *shape, &fit) || !shape_equal(fit, *shape))) {
        lower_error(L, ERR_DECLARED_SHAPE, v->loc, "'%s' has shape %s, its starting value %s",
                    s->name, shape_text(L->g, *shape), shape_text(L->g, n->shape));
        n = NULL;
    }
    return n ? graph_broadcast(L->g, n, *shape) : NULL;
}

static bool var_type(Lower *L, const Stmt *s, Type *type)
{
    *type = T_FLOAT;
    if (!s->type || strcmp(s->type, "float") == 0)
        return true;
    *type = T_INT;
    if (strcmp(s->type, "int") == 0)
        return true;
    lower_error(L, ERR_TYPE, s->type_loc, "unknown type '%s'; a tensor is float or int", s->type);
    return false;
}

/* A variable, a run-time size or `training` that the value is computed from, or NULL. */
static const Node *depends_on(Lower *L, const Node *n)
{
    const Node *found = NULL;
    int open = 1;
    if (L->mark_room < L->g->count) {
        L->mark_room = 2 * L->g->count;
        L->mark = arena_alloc(L->ngc, (size_t)L->mark_room);
    }
    L->mark[n->id] = true;
    for (int i = n->id; open > 0; i--) {
        const Node *x = L->g->node[i];
        if (!L->mark[i])
            continue;
        L->mark[i] = false;
        open--;
        if (x->op == OP_var || x->op == OP_size || x->op == OP_training)
            found = x;
        for (int k = 0; k < x->nargs; k++) {
            open += !L->mark[x->arg[k]->id];
            L->mark[x->arg[k]->id] = true;
        }
    }
    return found;
}

/* A starting value is there before any input or weight is. */
static bool starts_alone(Lower *L, const Stmt *s, const Node *init)
{
    const Node *x = depends_on(L, init);
    if (x)
        lower_error(
            L, ERR_START_VALUE, s->value ? s->value->loc : s->init->loc,
            "'%s' cannot start at a value computed from '%s': the weights start before there are inputs, all at once",
            s->name,
            x->op == OP_var    ? x->attr.var->name
            : x->op == OP_size ? size_text(L->g, x->attr.size, "")
                               : "training");
    return !x;
}

/* Is the starting value of an int whole, as far as it is known now? lower_default.c sees the
 * others. */
static bool whole(Lower *L, const Stmt *s, const Node *n)
{
    double v;
    bool good = n->op != OP_data && (!node_const(n, &v) || (v == floor(v) && fabs(v) <= INT32_MAX));
    int64_t count = n->op == OP_data ? shape_count(L->g, n->shape) : 0;
    for (int64_t i = 0; i < count; i++)
        if (n->attr.data[i] != floor(n->attr.data[i]) || fabs(n->attr.data[i]) > INT32_MAX)
            break;
        else
            good = i == count - 1;
    if (!good)
        lower_error(L, ERR_NOT_WHOLE, s->at, "'%s' is int; its starting value must be whole",
                    s->name);
    return good;
}

/* The path of what a declaration makes: below the call we are in, with the pass of each for around
 * it. */
static Path *declared_path(Lower *L, const Stmt *s)
{
    path_claim(L->path);
    return path_passes(L, path_new(L, L->path, s->name));
}

/* The variable that a declaration makes, or that its layer made when it was called first; NULL with
 * a message. */
static Var *declare(Lower *L, const Stmt *s, bool *again)
{
    VarKind kind = s->kind == S_INPUT ? VAR_INPUT : s->kind == S_PARAM ? VAR_PARAM : VAR_STATE;
    Shape shape;
    Type type;
    if (!expr_shape(L, s->sizes, &shape) || !var_type(L, s, &type))
        return NULL;
    if (kind == VAR_PARAM && type == T_INT) {
        lower_error(L, ERR_TYPE, s->at, "param '%s' must be float: an int has no gradient",
                    s->name);
        return NULL;
    }
    for (int i = 0; i < shape.rank && kind != VAR_INPUT; i++)
        if (shape.dim[i] < 0) {
            lower_error(
                L, ERR_RUN_TIME_WEIGHT, s->at,
                "'%s' has the run-time size %s; weights and states have sizes known when compiling",
                s->name, size_text(L->g, shape.dim[i], ""));
            return NULL;
        }
    Path *path = declared_path(L, s);
    Var *v = layers_var(L, path);
    *again = v != NULL;
    if (v && !shape_equal(v->shape, shape) && s->sizes) {
        lower_error(L, ERR_DECLARED_SHAPE, s->at,
                    "this layer's '%s' has shape %s; this call wants %s", s->name,
                    shape_text(L->g, v->shape), shape_text(L->g, shape));
        return NULL;
    }
    if (v)
        return v;
    bool given = kind != VAR_INPUT || s->value || s->init;
    Node *init = given ? var_init(L, s, &shape) : NULL;
    if ((given && !init) || (init && type == T_INT && !whole(L, s, init)))
        return NULL;
    if (init && !starts_alone(L, s, init))
        return NULL;
    v = var_new(L, kind, path, lower_site(L, s->at), shape, type, init);
    layers_note(L, path, v);
    return v;
}

/* Gives a declared variable its name in the text. In a layer that is called again, a state that was
 * updated is what the last call left of it: the updates follow one another in the order of the
 * calls. */
static void bind_var(Lower *L, const Stmt *s, Var *v, bool again)
{
    again &= v && v->update;
    Node *n = again ? L->m->root[v->update - 1].node : v ? v->node : NULL;
    Binding *b = scope_bind(L, s->name, v ? value_node(L, s->at, n) : value_error(L, s->at), s->at);
    b->declared = true;
    b->var = v;
    b->again = again;
}

void lower_declaration(Lower *L, const Stmt *s)
{
    if (s->kind == S_INPUT && L->frame) {
        lower_error(L, ERR_DECLARED_INSIDE, s->loc,
                    "an input is declared in the file, not in a def");
        return;
    }
    if (s->kind == S_INPUT && s->init)
        lower_error(
            L, ERR_PLACE, s->init->loc,
            "'~' starts a param or a state; an input is fed by the caller, and '=' gives it a default");
    Binding *old = scope_own(L->scope, s->name);
    if (old)
        declared_twice(L, s->name, s->at, old->loc);
    if (old || name_reserved(L, s->name, s->at))
        return;
    bool again = false;
    Var *v = declare(L, s, &again);
    bind_var(L, s, v, again);
}

void lower_dim(Lower *L, const Stmt *s)
{
    Graph *g = L->g;
    int64_t n;
    Binding *old = scope_own(L->scope, s->name);
    if (L->scope != L->file) {
        lower_error(L, ERR_DECLARED_INSIDE, s->loc,
                    "a dim is declared in the file, not in a def or a loop");
        return;
    }
    if (old)
        declared_twice(L, s->name, s->at, old->loc);
    if (old || name_reserved(L, s->name, s->at))
        return;
    Value *v = lower_expr(L, s->value);
    for (int i = 0; i < L->ngc->opt.defines; i++)
        if (strcmp(L->ngc->opt.define[i].name, s->name) == 0) {
            v = value_number(L, s->at, L->ngc->opt.define[i].value);
            L->ngc->opt.define[i].used = true;
        }
    bool good = want_whole(L, v, "a dim", &n);
    if (good && (n < 1 || n > INT32_MAX)) {
        lower_error(L, ERR_NUMBER_TOO_SMALL, s->value->loc,
                    "a dim must be between 1 and %d, not %lld", INT32_MAX, (long long)n);
        good = false;
    }
    if (good && s->bound && g->dims == MAX_DIMS) {
        lower_error(L, ERR_TOO_MANY_DIMS, s->at, "more than %d run-time dims", MAX_DIMS);
        good = false;
    }
    if (!good)
        v = value_error(L, s->at);
    else if (!s->bound)
        v = value_number(L, s->at, (double)n);
    else {
        g->dim[g->dims] = (Dim){s->name, n, s->at};
        v = value_node(L, s->at, graph_size(g, size_dim(g, g->dims++)));
    }
    scope_bind(L, s->name, v, s->at);
}
