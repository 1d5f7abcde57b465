/* lower_var.c - declarations: dims, inputs, params and states, with their shapes and starting
 * values. */
#include "lang/lower.h"

#include <string.h>

/* What the statement gives as starting value: `= EXPR`, or `~ CALL`, an initializer, which is
 * called with the shape as its first argument. */
static Value *start_value(Lower *L, const Stmt *s, Shape shape)
{
    if (!s->init)
        return lower_expr(L, s->value);

    Value *size[MAX_RANK];
    for (int i = 0; i < shape.rank; i++)
        size[i] = value_node(L, s->at, graph_size(L->g, shape.dim[i]));
    Value *first = value_list(L, s->at, size, shape.rank);
    return lower_call(L, s->init, &first, 1, path_new(L, L->target, "init"));
}

/* The starting value of a param or state, broadcast to the declared shape; it gives the shape if
 * none is declared. NULL with a message. */
static Node *var_init(Lower *L, const Stmt *s, Shape *shape)
{
    Graph *g = L->g;
    if (!s->init && !s->value)
        return graph_full(g, *shape, 0);

    Value *v = start_value(L, s, *shape);
    Node *n = want_node(L, v, "a starting value");
    if (!n)
        return NULL;
    if (!s->sizes)
        *shape = n->shape;

    Shape fit;
    if (!shape_broadcast(n->shape, *shape, &fit) || !shape_equal(fit, *shape)) {
        lower_error(L, ERR_DECLARED_SHAPE, v->loc, "'%s' has shape %s, its starting value %s",
                    s->name, shape_text(g, *shape), shape_text(g, n->shape));
        return NULL;
    }
    return graph_broadcast(g, n, *shape);
}

/* Is the value of this leaf known only at run time, where n is computed? Outside a loop, its index
 * and its variables are nothing that n depends on. */
static bool is_of_run_time(const Node *n, const Node *leaf)
{
    const Loop *loop = leaf->attr.loop;

    if (leaf->op == OP_index || leaf->op == OP_carried)
        return n->in[loop->level] == loop;
    return node_has(leaf, F_RUN_TIME);
}

/* A variable, a run-time size or `training` from which the value is computed, or NULL. The walk
 * goes down from n and stops when no marked node is left. */
static const Node *depends_on(Lower *L, const Node *n)
{
    Graph *g = L->g;
    const Node *found = NULL;
    int marked = 1;
    if (L->mark_room < g->count) {
        L->mark_room = 2 * g->count;
        L->mark = arena_alloc(L->ngc, (size_t)L->mark_room);
    }

    L->mark[n->id] = true;
    /* operands have smaller numbers, so each node is met after all its users */
    for (int i = n->id; marked > 0; i--) {
        const Node *x = g->node[i];
        if (!L->mark[i])
            continue;
        L->mark[i] = false;
        marked--;

        if (is_of_run_time(n, x))
            found = x;
        for (int k = 0; k < x->nargs; k++) {
            marked += !L->mark[arg_id(x, k)];
            L->mark[arg_id(x, k)] = true;
        }
    }
    return found;
}

/* What a leaf is called in the text. */
static const char *leaf_text(Lower *L, const Node *x)
{
    if (x->op == OP_var)
        return x->attr.var->name;
    if (x->op == OP_size)
        return size_text(L->g, x->attr.size, "");
    if (x->op == OP_index || x->op == OP_carried)
        return x->attr.loop->name;
    return "training";
}

/* A starting value exists before any input or weight does. */
static bool starts_alone(Lower *L, const Stmt *s, const Node *init)
{
    const Node *x = depends_on(L, init);
    if (!x)
        return true;
    lower_error(L, ERR_START_VALUE, s->value ? s->value->loc : s->init->loc,
                "'%s' cannot start at a value computed from '%s': "
                "the weights start before there are inputs, all at once",
                s->name, leaf_text(L, x));
    return false;
}

/* Is the starting value of an int whole, as far as it is known now? lower_default.c checks the
 * others. */
static bool starts_whole(Lower *L, const Stmt *s, const Node *n)
{
    double c;
    bool good = true;
    if (n->op == OP_data) {
        int64_t count = shape_count(L->g, n->shape);
        for (int64_t i = 0; i < count; i++)
            good &= is_int32(n->attr.data[i]);
    } else if (node_const(n, &c)) {
        good = is_int32(c);
    }
    if (!good)
        lower_error(L, ERR_NOT_WHOLE, s->at, "'%s' is int; its starting value must be whole",
                    s->name);
    return good;
}

/* The path of what a declaration makes: below the call being expanded, with the pass of each loop
 * around the statement. */
static Path *declared_path(Lower *L, const Stmt *s)
{
    path_claim(L->path);
    return path_passes(L, path_new(L, L->path, s->name));
}

/* Is the param that is declared next a constant? */
static bool is_frozen(const Lower *L)
{
    const Options *opt = &L->ngc->opt;
    int number = 0;
    if (!opt->frozen)
        return false;

    for (int i = 0; i < L->m->vars; i++)
        number += L->m->var[i]->kind == VAR_PARAM || L->m->var[i]->kind == VAR_FROZEN;
    return number < opt->params && opt->frozen[number];
}

static VarKind declared_kind(const Lower *L, const Stmt *s)
{
    switch (s->kind) {
    case S_INPUT: return VAR_INPUT;
    case S_PARAM: return is_frozen(L) ? VAR_FROZEN : VAR_PARAM;
    default: return VAR_STATE;
    }
}

/* Params are float. The sizes of params and states are known at compile time. */
static bool check_weight(Lower *L, const Stmt *s, Shape shape, Type type)
{
    if (s->kind == S_PARAM && type == T_INT) {
        lower_error(L, ERR_TYPE, s->at, "param '%s' must be float: an int has no gradient",
                    s->name);
        return false;
    }
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] < 0) {
            lower_error(L, ERR_RUN_TIME_WEIGHT, s->at,
                        "'%s' has the run-time size %s; "
                        "the sizes of weights and states must be known at compile time",
                        s->name, size_text(L->g, shape.dim[i], ""));
            return false;
        }
    return true;
}

/* Makes the variable; NULL with a message. */
static Var *declare_new(Lower *L, const Stmt *s, Path *path, Shape shape, Type type)
{
    Node *init = NULL;
    if (s->kind != S_INPUT || s->value || s->init) {
        init = var_init(L, s, &shape);
        if (!init)
            return NULL;
        if (type == T_INT && !starts_whole(L, s, init))
            return NULL;
        if (!starts_alone(L, s, init))
            return NULL;
    }
    Var *v = var_new(L, declared_kind(L, s), path, lower_site(L, s->at), shape, type, init);
    layers_note(L, path, v);
    return v;
}

/* The variable that a declaration makes, or the one that its layer made in its first call: then
 * *again is true. NULL with a message. */
static Var *declare(Lower *L, const Stmt *s, bool *again)
{
    Shape shape;
    Type type = s->type ? T_INT : T_FLOAT;
    if (!expr_shape(L, s->sizes, &shape))
        return NULL;
    if (s->kind != S_INPUT && !check_weight(L, s, shape, type))
        return NULL;

    Path *path = declared_path(L, s);
    Var *v = layers_var(L, path);
    *again = v != NULL;
    /* the layer's first call */
    if (!v)
        return declare_new(L, s, path, shape, type);

    if (s->sizes && !shape_equal(v->shape, shape)) {
        lower_error(L, ERR_DECLARED_SHAPE, s->at,
                    "this layer's '%s' has shape %s; this call wants %s", s->name,
                    shape_text(L->g, v->shape), shape_text(L->g, shape));
        return NULL;
    }
    return v;
}

/* Gives a declared variable its name in the text. If its layer is called again, a state has the
 * value that the last call left: the updates follow one another in the order of the calls. All
 * other updates are simultaneous. */
static void bind_var(Lower *L, const Stmt *s, Var *v, bool again)
{
    Node *n = v ? v->node : NULL;
    again &= v && v->update && v->by_call;
    /* the next call of the layer begins with what this one leaves */
    if (again)
        n = L->m->root[v->update - 1].node;

    Binding *b = scope_bind(L, s->name, v ? value_node(L, s->at, n) : value_error(L, s->at), s->at);
    b->declared = true;
    b->var = v;
    b->again = again;
}

/* Is the name free? With a message, if it is not. */
static bool is_free(Lower *L, const Stmt *s)
{
    const Binding *old = scope_own(L->scope, s->name);
    if (old) {
        declared_twice(L, s->name, s->at, old->loc);
        return false;
    }
    return !name_reserved(L, s->name, s->at);
}

void lower_declaration(Lower *L, const Stmt *s)
{
    if (s->kind == S_INPUT && L->frame) {
        lower_error(L, ERR_DECLARED_INSIDE, s->loc,
                    "an input is declared in the file, not in a def");
        return;
    }
    if (s->kind != S_INPUT && in_backward(L)) {
        lower_error(L, ERR_DECLARED_INSIDE, s->loc,
                    "a backward part has no params and states of its own");
        /* bound to an error, so that its uses give no further messages */
        bind_var(L, s, NULL, false);
        return;
    }
    if (s->kind == S_INPUT && s->init)
        lower_error(L, ERR_PLACE, s->init->loc,
                    "'~' starts a param or a state; "
                    "an input is fed by the caller, and '=' gives it a default");
    if (!is_free(L, s))
        return;

    bool again = false;
    Var *v = declare(L, s, &again);
    bind_var(L, s, v, again);
}

/* The value of a dim: that of -D NAME=INT, if there is one. */
static Value *dim_value(Lower *L, const Stmt *s)
{
    Options *opt = &L->ngc->opt;
    Value *v = lower_expr(L, s->value);
    for (int i = 0; i < opt->defines; i++)
        if (same_text(opt->define[i].name, s->name)) {
            v = value_number(L, s->at, opt->define[i].value);
            opt->define[i].used = true;
        }
    return v;
}

/* dim n = 3, or dim m <= 64 */
static bool check_dim(Lower *L, const Stmt *s, const Value *v, int64_t *n)
{
    if (!want_whole(L, v, "a dim", n))
        return false;
    if (*n < 1 || *n > INT32_MAX) {
        lower_error(L, ERR_NUMBER_TOO_SMALL, s->value->loc,
                    "a dim must be between 1 and %d, not %lld", INT32_MAX, (long long)*n);
        return false;
    }
    if (s->bound && L->g->dims == MAX_DIMS) {
        lower_error(L, ERR_TOO_MANY_DIMS, s->at, "more than %d run-time dims", MAX_DIMS);
        return false;
    }
    return true;
}

void lower_dim(Lower *L, const Stmt *s)
{
    Graph *g = L->g;
    int64_t n;
    if (L->scope != L->file) {
        lower_error(L, ERR_DECLARED_INSIDE, s->loc,
                    "a dim is declared in the file, not in a def or a loop");
        return;
    }
    if (!is_free(L, s))
        return;

    Value *v = dim_value(L, s);
    if (!check_dim(L, s, v, &n)) {
        v = value_error(L, s->at);
    } else if (s->bound) {
        g->dim[g->dims] = (Dim){s->name, n, s->at};
        v = value_node(L, s->at, graph_size(g, size_dim(g, g->dims++)));
    } else {
        v = value_number(L, s->at, (double)n);
    }
    scope_bind(L, s->name, v, s->at);
}
