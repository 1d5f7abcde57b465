/* lower_call.c - calls, executed at compile time: arguments are matched to parameters, bodies of
 * defs are expanded, and layers are made and called. */
#include "lang/lower.h"

#include <string.h>

/* Arguments, matched to the parameters of the function that is called. */
typedef struct Call {
    const char *name[MAX_PARAMS];      /* of the parameters */
    const Expr *otherwise[MAX_PARAMS]; /* the default, or NULL */
    bool optional[MAX_PARAMS];
    Value *value[MAX_PARAMS]; /* NULL: not given */
    int count;
} Call;

static void add_param(Call *c, const char *name, const Expr *otherwise, bool optional)
{
    c->name[c->count] = name;
    c->otherwise[c->count] = otherwise;
    c->optional[c->count] = optional;
    c->count++;
}

static void call_params(Lower *L, const Func *f, Call *c)
{
    c->count = 0;
    if (f->def) {
        for (const Arg *p = f->def->values; p && c->count < MAX_PARAMS; p = p->next)
            add_param(c, p->name, p->value, p->value != NULL);
        return;
    }

    /* "x axis? keepdims?" */
    for (const char *p = f->builtin->params; *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ?");
        bool optional = p[n] == '?';
        add_param(c, intern(L->ngc, p, n), NULL, optional);
        p += n + optional;
    }
}

/* For messages: "f(x, axis = ...)". */
static const char *call_form(Lower *L, const Func *f, const Call *c)
{
    Text t = {.ngc = L->ngc};
    text_add(&t, "%s(", f->name);
    for (int i = 0; i < c->count; i++)
        text_add(&t, "%s%s%s", comma_before(i), c->name[i], text_if(c->optional[i], " = ..."));
    text_add(&t, ")");
    return t.at;
}

/* Gives the parameter of that name its value; false with a message. */
static bool call_named(Lower *L, const Func *f, Call *c, const Arg *a, Value *v)
{
    for (int i = 0; i < c->count; i++) {
        if (!same_text(c->name[i], a->name))
            continue;
        if (c->value[i]) {
            lower_error(L, ERR_ARGUMENT_TWICE, a->loc, "%s: argument '%s' is given twice", f->name,
                        a->name);
            return false;
        }
        c->value[i] = v;
        return true;
    }

    const char *guess = suggest(L->ngc, a->name, c->name, c->count);
    if (guess) {
        Diag *d = lower_error(L, ERR_UNKNOWN_ARGUMENT, a->loc,
                              "%s has no argument '%s'; did you mean '%s'? It is %s", f->name,
                              a->name, guess, call_form(L, f, c));
        diag_fix(d, a->loc, guess);
    } else {
        lower_error(L, ERR_UNKNOWN_ARGUMENT, a->loc, "%s has no argument '%s': %s", f->name,
                    a->name, call_form(L, f, c));
    }
    return false;
}

/* Are all parameters given that must be? */
static bool call_complete(Lower *L, const Func *f, const Call *c, Loc loc)
{
    for (int i = 0; i < c->count; i++)
        if (!c->value[i] && !c->optional[i]) {
            lower_error(L, ERR_ARGUMENT_MISSING, loc, "%s: argument '%s' is missing: %s", f->name,
                        c->name[i], call_form(L, f, c));
            return false;
        }
    return true;
}

/* Matches arguments to parameters: first those that an optimizer is given, then those without a
 * name in order. `given` has the values of args. false with a message. */
static bool call_match(Lower *L, const Func *f, Call *c, Value **first, int firsts, const Arg *args,
                       Value **given, Loc loc)
{
    int next = 0, n = 0;
    call_params(L, f, c);
    if (firsts > c->count) {
        lower_error(L, ERR_TOO_MANY_ARGUMENTS, loc, "%s is given %d argument%s first: %s", f->name,
                    firsts, plural(firsts), call_form(L, f, c));
        return false;
    }
    for (int i = 0; i < firsts; i++)
        c->value[next++] = first[i];

    for (const Arg *a = args; a; a = a->next, n++) {
        if (given[n]->kind == V_ERROR)
            return false;
        /* named arguments leave the order of the others as it is */
        if (a->name) {
            if (!call_named(L, f, c, a, given[n]))
                return false;
            continue;
        }
        if (next >= c->count) {
            lower_error(L, ERR_TOO_MANY_ARGUMENTS, a->loc, "%s takes %d argument%s: %s", f->name,
                        c->count, plural(c->count), call_form(L, f, c));
            return false;
        }
        c->value[next++] = given[n];
    }
    return call_complete(L, f, c, loc);
}

/* An elementwise op of one, two or three operands. */
static Value *call_elementwise(Lower *L, const Func *f, const Call *c, Loc loc)
{
    Graph *g = L->g;
    Node *arg[3];
    Shape s = {0};
    for (int i = 0; i < c->count; i++) {
        arg[i] = want_node(L, c->value[i], c->name[i]);
        if (!arg[i])
            return value_error(L, loc);

        Shape own = arg[i]->shape;
        if (!shape_broadcast(s, own, &s)) {
            lower_error(L, ERR_SHAPES, loc, "%s: shapes %s and %s do not fit", f->name,
                        shape_text(g, s), shape_text(g, own));
            return value_error(L, loc);
        }
    }

    Op op = f->builtin->op;
    if (op == OP_log && !loc_of_library(L->ngc, loc))
        warn_log(L->ngc, loc, arg[0]);
    if (c->count == 1)
        return value_node(L, loc, graph_unary(g, op, arg[0]));
    if (c->count == 2)
        return value_node(L, loc, graph_binary(g, op, arg[0], arg[1]));
    return value_node(L, loc, graph_where(g, arg[0], arg[1], arg[2]));
}

static Value *call_builtin(Lower *L, const Func *f, Call *c, Loc loc)
{
    static Value absent = {.kind = V_ABSENT, .loc = {.file = -1}};
    for (int i = 0; i < c->count; i++)
        if (!c->value[i])
            c->value[i] = &absent;

    L->g->loc = lower_site(L, loc);
    if (f->builtin->call)
        return f->builtin->call(L, loc, c->value);
    return call_elementwise(L, f, c, loc);
}

/* A parameter names its value, so the body may differentiate with respect to it. The library
 * differentiates only with respect to values that have a name already. */
static Value *parameter(Lower *L, const Func *f, Value *v)
{
    if (loc_of_library(L->ngc, f->def->loc) || v->kind != V_NODE)
        return v;
    if (v->node->bound || v->node->op == OP_var || v->node->op == OP_carried)
        return v;
    return value_node(L, v->loc, graph_bind(L->g, v->node, NULL, 0));
}

/* Enters the body of a def: it has a scope of its own, and what it declares is named below `path`.
 */
static void enter_def(Lower *L, const Func *f, Frame *frame, Path *path)
{
    L->frame = frame;
    L->scope = scope_new(L, SCOPE_CALL, f->env);
    L->scope->serial = f->serial;
    L->path = path;
    L->target = path;
    L->calls = NULL;
    L->counts = (CallCounts){0};
    L->passes = 0;
    L->branch = 0;
}

static void leave_def(Lower *L, const Lower *saved)
{
    L->frame = saved->frame;
    L->scope = saved->scope;
    L->path = saved->path;
    L->target = saved->target;
    L->calls = saved->calls;
    L->counts = saved->counts;
    L->passes = saved->passes;
    /* all of this is the caller's again */
    memcpy(L->pass, saved->pass, sizeof L->pass); /* loops of the body have overwritten them */
    L->branch = saved->branch;
}

/* Binds the parameters. Returns their values, for a backward part; NULL: there is none. */
static Value **bind_params(Lower *L, const Func *f, const Call *c)
{
    Value **param = NULL;
    if (f->def->backward)
        param = arena_array(L->ngc, c->count + 1, sizeof *param);

    for (int i = 0; i < c->count; i++) {
        /* a default is computed in the scope of the def, and may use the parameters before it */
        Value *v = c->value[i] ? c->value[i] : lower_expr(L, c->otherwise[i]);
        v = parameter(L, f, v);
        scope_bind(L, c->name[i], v, f->def->at);
        if (param)
            param[i] = v;
    }
    return param;
}

/* Are a and b the same function, or lists of the same functions? What holds no function is the same
 * as all else that holds none: another number does not end a recursion. */
static bool same_functions(const Value *a, const Value *b)
{
    static const Value none = {.kind = V_ABSENT};
    if (!a)
        a = &none;
    if (!b)
        b = &none;

    if (a->kind == V_FUNC || b->kind == V_FUNC)
        return a->func == b->func;
    if (a->kind == V_LAYER || b->kind == V_LAYER)
        return a->layer == b->layer;
    if (a->kind != V_LIST && b->kind != V_LIST)
        return true;

    /* what one list has more is compared with nothing */
    for (int i = 0; i < a->count || i < b->count; i++) {
        const Value *x = NULL;
        if (i < a->count)
            x = a->item[i];
        const Value *y = NULL;
        if (i < b->count)
            y = b->item[i];
        if (!same_functions(x, y))
            return false;
    }
    return true;
}

static bool same_call(const Frame *frame, const Call *c)
{
    for (int i = 0; i < c->count; i++)
        if (!same_functions(frame->arg[i], c->value[i]))
            return false;
    return true;
}

/* Would f expand itself without end? A call of f within f can end if it is given other functions:
 * wrap(x, g), where g calls wrap(x, tanh). But each may be given a new one, so there is a limit. */
static bool is_endless(Lower *L, const Func *f, const Call *c)
{
    enum { MAX_INSIDE = 64 };
    int inside = 0;

    for (const Frame *frame = L->frame; frame && f->active; frame = frame->up) {
        if (frame->func != f)
            continue;
        if (same_call(frame, c))
            return true;
        inside++;
    }
    /* at the limit, the calls around this one may be many more */
    L->stopped |= inside >= MAX_INSIDE;
    return inside >= MAX_INSIDE;
}

/* Expands a call of a def. layer: the one that is called, or NULL. */
static Value *call_def(Lower *L, const Func *f, const Call *c, Loc loc, Path *path, Layer *layer)
{
    Ngc *ngc = L->ngc;
    Lower saved = *L;
    Frame frame = {L->frame, f, layer, loc, .arg = c->value};
    Value *result = NULL;
    if (!lower_work(L, loc))
        return value_error(L, loc);
    if (is_endless(L, f, c)) {
        lower_error(L, ERR_RECURSION, loc,
                    "%s calls itself: calls are expanded at compile time, so recursion cannot end",
                    f->name);
        return value_error(L, loc);
    }

    /* the body, in a scope of its own */
    int errors = ngc->errors;
    /* until it returns, a call of it may be recursion */
    bool active = f->active;
    ((Func *)f)->active = true;
    enter_def(L, f, &frame, path);
    Value **param = bind_params(L, f, c);
    if (f->def->value)
        result = lower_expr(L, f->def->value);
    else
        lower_block(L, f->def->body, &result);
    if (param && result)
        result = lower_backward(L, f, param, c->count, result, loc);
    leave_def(L, &saved);
    ((Func *)f)->active = active;

    if (!result && ngc->errors == errors)
        lower_error(L, ERR_NO_RETURN, loc, "%s returns nothing", f->name);
    if (!result)
        return value_error(L, loc);

    /* the value is at the place of the call */
    result = arena_copy(ngc, result, sizeof *result);
    result->loc = loc;
    return result;
}

/* Is it a function that only the library itself calls? */
static bool is_helper(const Lower *L, const Func *f)
{
    return f->def && f->name[0] == '_' && loc_of_library(L->ngc, f->def->loc);
}

/* The name that users know: for a helper, that of the library function that calls it. */
static const char *public_name(const Lower *L, const Func *f)
{
    for (const Frame *frame = L->frame; frame && is_helper(L, f); frame = frame->up)
        f = frame->func;
    if (is_helper(L, f))
        return f->name + 1;
    return f->name;
}

/* The path of a call: a number below the assigned name, or below the function's name if nothing is
 * assigned. */
static Path *call_path(Lower *L, const Func *f)
{
    Path *above = L->target;
    /* nothing is assigned: the function's name takes the place of the target */
    if (!L->calls)
        above = path_new(L, above, public_name(L, f));

    Path *p = path_new(L, above, NULL);
    p->number = -1;
    p->among = L->calls;
    if (!p->among)
        p->among = numbers_of(L, text_format(L->ngc, "%s()", f->name));
    return p;
}

/* cell = rnn_cell(_, _, 64) */
static Value *layer_new(Lower *L, const Expr *x, const Func *f, Value **given, int count)
{
    Value *v = value_new(L, V_LAYER, x->loc);
    v->layer = arena_alloc(L->ngc, sizeof *v->layer);
    *v->layer = (Layer){.func = f,
                        .call = x,
                        .arg = LIST_COPY(L->ngc, given, count),
                        .path = call_path(L, f)};
    /* one that makes no weights leaves the numbers to those that do */
    if (may_declare(L, f))
        path_claim(v->layer->path);
    return v;
}

/* Puts the arguments of a layer's call in the places that are open, in order. */
static bool layer_args(Lower *L, const Expr *x, const Layer *layer, Value **given, int count,
                       Value **arg)
{
    int n = 0, used = 0;
    for (const Arg *a = x->args; a; a = a->next)
        if (a->name || a->value->kind == X_HOLE) {
            lower_error(L, ERR_TOO_MANY_ARGUMENTS, a->loc,
                        "the open arguments of a layer are given in order and without names");
            return false;
        }

    for (const Arg *a = layer->call->args; a; a = a->next, n++) {
        arg[n] = layer->arg[n];
        /* open places are filled from left to right */
        if (arg[n]->kind == V_HOLE && used < count)
            arg[n] = given[used++];
        if (arg[n]->kind == V_HOLE) {
            lower_error(L, ERR_ARGUMENT_MISSING, x->loc,
                        "this layer of %s has more open arguments than the %d given",
                        layer->func->name, count);
            return false;
        }
    }
    if (used == count)
        return true;
    lower_error(L, ERR_TOO_MANY_ARGUMENTS, x->loc, "this layer of %s has %d open arguments, not %d",
                layer->func->name, used, count);
    return false;
}

/* cell(x, h) */
static Value *layer_call(Lower *L, const Expr *x, Layer *layer, Value **given, int count)
{
    Value *arg[MAX_PARAMS];
    Call c = {0};
    if (!layer_args(L, x, layer, given, count, arg))
        return value_error(L, x->loc);
    if (!call_match(L, layer->func, &c, NULL, 0, layer->call->args, arg, x->loc))
        return value_error(L, x->loc);

    if (layer->func->def)
        return call_def(L, layer->func, &c, x->loc, layer->path, layer);
    return call_builtin(L, layer->func, &c, x->loc);
}

/* What is called: a function, a layer, or anything else by mistake. */
static Value *called_value(Lower *L, const Expr *f)
{
    if (f->kind == X_NAME && !scope_find(L, f->name) && !builtin_find(L->ngc, f->name))
        return unknown_name(L, f, "function");
    return lower_expr(L, f);
}

/* The values of a call's arguments, V_HOLE for `_`; their number, or -1 with a message. */
static int given_values(Lower *L, const Expr *x, Value **given, bool *open)
{
    int count = 0;
    for (const Arg *a = x->args; a; a = a->next) {
        if (count == MAX_PARAMS) {
            lower_error(L, ERR_TOO_MANY_ARGUMENTS, a->loc, "more than %d arguments", MAX_PARAMS);
            return -1;
        }
        bool hole = a->value->kind == X_HOLE;
        given[count++] = hole ? value_new(L, V_HOLE, a->value->loc) : lower_expr(L, a->value);
        *open |= hole;
    }
    return count;
}

Value *lower_call(Lower *L, const Expr *x, Value **first, int firsts, Path *path)
{
    Value *given[MAX_PARAMS];
    bool open = false;
    Value *f = called_value(L, x->a);
    int count = given_values(L, x, given, &open);
    if (count < 0)
        return value_error(L, x->loc);

    if (f->kind == V_ERROR)
        return f;
    if (f->kind == V_LAYER)
        return layer_call(L, x, f->layer, given, count);
    if (f->kind != V_FUNC) {
        const char *hint = "";
        if (x->a->kind == X_NUM)
            hint = "; a product has an operator, as in 2*(a + b)";
        if (f->kind == V_TEXT)
            hint = "; a function is given by its name, without quotes: relu";
        lower_error(L, ERR_NOT_A_FUNCTION, x->loc, "%s is %s, not a function%s", value_text(L, f),
                    value_kind(f), hint);
        return value_error(L, x->loc);
    }

    /* some arguments are left open: a layer */
    if (open)
        return layer_new(L, x, f->func, given, count);

    /* a call */
    Call c = {0};
    if (!call_match(L, f->func, &c, first, firsts, x->args, given, x->loc))
        return value_error(L, x->loc);
    if (f->func->builtin)
        return call_builtin(L, f->func, &c, x->loc);
    if (!path)
        path = call_path(L, f->func);
    return call_def(L, f->func, &c, x->loc, path, NULL);
}
