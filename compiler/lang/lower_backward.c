/* lower_backward.c - the backward part of a def: the derivative that the user gives.
 *
 * In: a call of a def whose body has been lowered. Out: a node `given` (op_given.c), whose operands
 * are the value of the body and the tensors that the def was called with. The backward part is
 * lowered here too, once for each call, on leaves in place of the result, its adjoint and the
 * tensors; so its mistakes are found where it is written, also if no gradient is asked for. */
#include "lang/lower.h"

#include <math.h>
#include <string.h>

/* A call of a def with a backward part. */
typedef struct Rule {
    Lower *L;
    const Func *f;
    Loc call;
    Value **param;  /* the arguments, as the body had them */
    int params;     /* their number */
    Node *value;    /* of the body */
    Given *given;   /* what is made */
    int *tensor_of; /* by parameter: 1 + its place in given->tensor; 0: it is not a tensor */
} Rule;

bool in_backward(const Lower *L)
{
    for (const Frame *f = L->frame; f; f = f->up)
        if (f->backward)
            return true;
    return false;
}

/* ---- the arguments ---- */

/* Nodes that are still to be looked at; each comes once. */
typedef struct Walk {
    Ngc *ngc;
    Table seen;
    Node **todo;
    int count, room;
} Walk;

static void walk_to(Walk *w, Node *n)
{
    if (++*table_at(w->ngc, &w->seen, n) > 1)
        return;
    LIST_GROW(w->ngc, w->todo, w->count, &w->room);
    w->todo[w->count++] = n;
}

/* Is it a variable, or does it stand for one? A scalar of data is a dual; what a loop carries may
 * be computed from variables in the passes before. */
static bool is_variable(const Node *n)
{
    bool dual = n->op == OP_data && n->shape.rank == 0;
    return n->op == OP_var || n->op == OP_noise || n->op == OP_carried || dual;
}

/* Is the argument computed from a variable, so that something may flow back to it? Ints take part
 * only inside another backward part, where they may be computed from its leaves. */
static bool is_tensor(Lower *L, const Value *v)
{
    if (v->kind != V_NODE || (v->node->type == T_INT && !in_backward(L)))
        return false;

    Walk w = {.ngc = L->ngc};
    walk_to(&w, v->node);
    while (w.count > 0) {
        const Node *n = w.todo[--w.count];
        if (is_variable(n))
            return true;
        /* down to the leaves, each once */
        for (int k = 0; k < n->nargs; k++)
            walk_to(&w, n->arg[k]);
    }
    return false;
}

static bool list_has_tensor(Lower *L, const Value *list)
{
    bool has = false;
    for (int i = 0; i < list->count && !has; i++) {
        const Value *v = list->item[i];
        if (v->kind == V_LIST)
            has = list_has_tensor(L, v);
        else
            has = is_tensor(L, v);
    }
    return has;
}

static const char *param_name(const Rule *r, int i)
{
    const Arg *p = r->f->def->values;
    while (i-- > 0)
        p = p->next;
    return p->name;
}

static Loc param_loc(const Rule *r, int i)
{
    const Arg *p = r->f->def->values;
    while (i-- > 0)
        p = p->next;
    return p->loc;
}

/* Chooses the arguments that become operands; false with a message. */
static bool find_tensors(Rule *r)
{
    Given *given = r->given;
    given->tensor = arena_array(r->L->ngc, r->params + 1, sizeof *given->tensor);
    r->tensor_of = arena_array(r->L->ngc, r->params + 1, sizeof *r->tensor_of);

    for (int i = 0; i < r->params; i++) {
        const Value *v = r->param[i];
        if (v->kind == V_LIST && list_has_tensor(r->L, v)) {
            lower_error(r->L, ERR_NO_RULE, r->call,
                        "%s: '%s' is a list, and its backward part can give an adjoint only for a "
                        "tensor: stack(...) makes one of a list",
                        r->f->name, param_name(r, i));
            return false;
        }
        if (!is_tensor(r->L, v))
            continue;
        given->tensor[given->count].name = param_name(r, i);
        r->tensor_of[i] = ++given->count;
    }
    return true;
}

/* ---- the body ---- */

/* The value of the body: one tensor. NULL with a message. */
static Node *rule_value(const Rule *r, const Value *result)
{
    Lower *L = r->L;
    if (result->kind == V_ERROR)
        return NULL;
    if (result->kind != V_NODE) {
        lower_error(L, ERR_NO_RULE, result->loc,
                    "%s has a backward part, so its result must be one tensor, not %s", r->f->name,
                    value_kind(result));
        return NULL;
    }
    return result->node;
}

static bool check_real(const Rule *r, const Value *result)
{
    if (r->value->type != T_INT)
        return true;
    lower_error(r->L, ERR_NO_RULE, result->loc,
                "%s has a backward part, but its result is int, which has no gradient", r->f->name);
    return false;
}

/* Walks on to what a derivative of n would flow to. */
static void walk_below(Walk *w, const Node *n)
{
    if (n->op == OP_stop || node_has(n, F_FLAT))
        return;
    for (int k = n->op == OP_given ? 1 : 0; k < n->nargs; k++)
        if (n->arg[k]->type == T_FLOAT || n->arg[k]->op == OP_loop)
            walk_to(w, n->arg[k]);
}

/* A param or an input from which the value is computed, but not by the arguments; NULL: none. */
static const Var *find_unruled(const Rule *r)
{
    Walk w = {.ngc = r->L->ngc};
    for (int i = 0; i < r->params; i++)
        if (r->tensor_of[i])
            walk_to(&w, r->param[i]->node);
    w.count = 0; /* the arguments are seen, and not walked below */

    /* what is left below the value reaches a variable past the arguments */
    walk_to(&w, r->value);
    while (w.count > 0) {
        const Node *n = w.todo[--w.count];
        if (n->op == OP_var && n->attr.var->kind != VAR_STATE)
            return n->attr.var;
        walk_below(&w, n);
    }
    return NULL;
}

/* No gradient would flow to a param that the body uses on its own: it would silently not be
 * trained. */
static bool check_body(const Rule *r)
{
    const Var *v = find_unruled(r);
    if (!v)
        return true;
    const char *kind = v->kind == VAR_PARAM ? "param" : "input";
    Diag *d = lower_error(r->L, ERR_UNRULED, r->call,
                          "%s is computed from the %s '%s', for which its backward part gives no "
                          "adjoint: make it a parameter of %s, or hold it by stop(...)",
                          r->f->name, kind, v->name, r->f->name);
    diag_note(r->L->ngc, d, v->loc, "'%s' is declared here", v->name);
    return false;
}

/* ---- running the backward part ---- */

/* A leaf in place of a value. An int that is used as an index must be checked where it is a leaf no
 * more, so it is not an input. */
static Node *new_leaf(const Rule *r, const char *name, Loc loc, const Node *like)
{
    Var *v = arena_alloc(r->L->ngc, sizeof *v);
    *v = (Var){.kind = VAR_STATE,
               .name = name,
               .type = like->type,
               .shape = like->shape,
               .loc = loc,
               .index = -1};
    v->node = graph_var(r->L->g, v);
    v->node->range = like->range;
    v->node->trained = like->trained;
    return v->node;
}

/* What the names mean in the backward part: the parameters, the adjoint and the result. */
static void bind_names(const Rule *r)
{
    Lower *L = r->L;
    Given *given = r->given;
    const Names *dy = r->f->def->backward->names;
    const Names *y = dy->next;
    const Range any = {-INFINITY, INFINITY, RISK_NONE};

    given->first = L->g->count;
    for (int i = 0; i < r->params; i++) {
        const char *name = param_name(r, i);
        Loc loc = param_loc(r, i);
        Value *v = r->param[i];
        int tensor = r->tensor_of[i]; /* from 1; 0: it is not one */

        if (tensor > 0) {
            Node *leaf = new_leaf(r, name, loc, v->node);
            given->tensor[tensor - 1].leaf = leaf;
            v = value_node(L, v->loc, leaf);
        }
        scope_bind(L, name, v, loc);
    }

    given->dy = new_leaf(r, dy->name, dy->loc, r->value);
    given->dy->range = given->dy->trained = any;
    scope_bind(L, dy->name, value_node(L, dy->loc, given->dy), dy->loc);
    if (!y)
        return;
    given->y = new_leaf(r, y->name, y->loc, r->value);
    scope_bind(L, y->name, value_node(L, y->loc, given->y), y->loc);
}

/* Executes the backward part in a scope of its own, which sees the parameters and not the names of
 * the body. The caller, who has entered the def, leaves it. NULL with a message. */
static Value *run_backward(const Rule *r, Frame *frame)
{
    Lower *L = r->L;
    Value *result = NULL;
    int errors = L->ngc->errors;

    *frame = *L->frame;
    frame->layer = NULL;
    frame->backward = true;
    /* for messages only: its names are not seen */
    frame->body = L->scope;
    L->frame = frame;
    L->scope = scope_new(L, SCOPE_CALL, r->f->env);
    L->scope->serial = r->f->serial;
    L->target = L->path;
    L->calls = NULL;
    L->passes = 0;
    L->branch = 0;

    bind_names(r);
    lower_block(L, r->f->def->backward->body, &result);
    if (!result && L->ngc->errors == errors)
        lower_error(L, ERR_NO_RETURN, r->f->def->backward->at,
                    "the backward part of %s returns nothing", r->f->name);
    return L->ngc->errors == errors ? result : NULL;
}

/* ---- what it returns ---- */

static void note_call(const Rule *r, Diag *d)
{
    diag_note(r->L->ngc, d, r->call, "%s is called here", r->f->name);
}

/* "x, y, k" */
static const char *params_text(const Rule *r)
{
    Text t = {.ngc = r->L->ngc};
    for (const Arg *p = r->f->def->values; p; p = p->next)
        text_add(&t, "%s%s", text_if(p != r->f->def->values, ", "), p->name);
    return t.at;
}

static void wrong_count(const Rule *r, const Value *v, int count)
{
    Diag *d = lower_error(r->L, ERR_ADJOINTS, v->loc,
                          "the backward part of %s returns %d value%s for the parameter%s %s: "
                          "one adjoint for each, in their order, and 0 where there is none",
                          r->f->name, count, plural(count), plural(r->params), params_text(r));
    note_call(r, d);
}

/* Is it a float tensor, which must have an adjoint? */
static bool needs_adjoint(const Rule *r, int i)
{
    return r->tensor_of[i] && r->param[i]->node->type == T_FLOAT;
}

/* Are there adjoints for all tensors, and for nothing else? Those of parameters at the end that are
 * not tensors may be left out. */
static bool check_count(const Rule *r, const Value *v, int count)
{
    int least = r->params;
    /* those at the end that may be left out */
    while (least > 0 && !needs_adjoint(r, least - 1))
        least--;

    bool fits = count <= r->params && count >= least;
    if (!fits)
        wrong_count(r, v, count);
    return fits;
}

/* The adjoint of a parameter that is not a tensor is 0. A number may be a tensor in another call,
 * so its adjoint is ignored. */
static bool check_none(const Rule *r, int i, const Value *v)
{
    const Value *param = r->param[i];
    bool number = param->kind == V_NODE && param->node->type == T_FLOAT;
    if (v->kind == V_ERROR)
        return false;
    if (number || (v->kind == V_NODE && node_is(v->node, 0)))
        return true;

    const char *kind = "int";
    if (param->kind != V_NODE)
        kind = value_kind(param);
    Diag *d =
        lower_error(r->L, ERR_ADJOINTS, v->loc,
                    "'%s' is %s and has no adjoint: return 0 in its place", param_name(r, i), kind);
    note_call(r, d);
    return false;
}

/* The adjoint of parameter i, in the shape of that; NULL with a message. */
static Node *adjoint_of(const Rule *r, int i, const Value *v)
{
    Graph *g = r->L->g;
    const Node *p = r->param[i]->node;
    Node *d = want_node(r->L, v, "an adjoint");
    Shape s;
    if (!d)
        return NULL;

    if (!shape_broadcast(d->shape, p->shape, &s) || !shape_equal(s, p->shape)) {
        /* the adjoint of a value that was copied must be summed over the copies */
        bool copied = shape_broadcast(d->shape, p->shape, &s) && shape_equal(s, d->shape);
        Diag *e =
            lower_error(r->L, ERR_ADJOINTS, v->loc,
                        "the adjoint of '%s' has shape %s, but '%s' has shape %s%s",
                        param_name(r, i), shape_text(g, d->shape), param_name(r, i),
                        shape_text(g, p->shape), text_if(copied, ": sum it over the other axes"));
        note_call(r, e);
        return NULL;
    }
    return graph_broadcast(g, graph_cast(g, d, T_FLOAT), p->shape);
}

/* The statement that returns, if it is all that the backward part has; else NULL. */
static const Stmt *only_return(const Rule *r)
{
    const Stmt *s = r->f->def->backward->body;
    return s && s->kind == S_RETURN && !s->next ? s : NULL;
}

/* The expression of the adjoint of parameter i; NULL: it is not written as one. */
static const Expr *adjoint_expr(const Rule *r, int i)
{
    const Stmt *s = only_return(r);
    if (!s)
        return NULL;
    if (s->value)
        return i == 0 && s->value->kind != X_LIST ? s->value : NULL;

    const Arg *a = s->values;
    while (a && i-- > 0)
        a = a->next;
    return a ? a->value : NULL;
}

/* A name of the backward part as rules have it: dy and y; a letter for a tensor; a number. NULL: it
 * has no such name. Operand 0, the value of the body, is a. */
static const char *rule_name(const Rule *r, const char *name)
{
    enum { LETTERS = 2 }; /* b and c: lessons know three operands */
    const Names *dy = r->f->def->backward->names;
    double number;

    if (same_text(name, dy->name))
        return "dy";
    if (dy->next && same_text(name, dy->next->name))
        return "y";

    for (int i = 0; i < r->params; i++) {
        const Value *v = r->param[i];
        if (!same_text(name, param_name(r, i)))
            continue;
        if (r->tensor_of[i] && r->tensor_of[i] <= LETTERS)
            return text_format(r->L->ngc, "%c", 'a' + r->tensor_of[i]);
        if (v->kind == V_NODE && node_const(v->node, &number) && number >= 0)
            return text_format(r->L->ngc, "%.6g", number);
        return NULL;
    }
    return NULL;
}

/* Copies an expression's text, with the names that rules have. NULL: it has other names. */
static const char *rule_text(const Rule *r, const char *text)
{
    Ngc *ngc = r->L->ngc;
    Text t = text_empty(ngc);

    for (const char *c = text; *c;) {
        size_t n = word_size(c);
        bool word = n > 0 && !is_digit(*c);
        /* names of functions stay, names of values become letters */
        bool function = c[n] == '(';
        const char *name = NULL;
        if (word && !function)
            name = rule_name(r, intern(ngc, c, n));
        if (word && !function && !name)
            return NULL;
        size_t taken = n > 0 ? n : 1;
        if (name)
            text_add(&t, "%s", name);
        else
            text_put(&t, c, taken);
        c += taken;
    }
    return t.at;
}

/* The adjoint for readers: the user's expression if it has only operators, calls and these names,
 * else words. */
static const char *adjoint_said(const Rule *r, int i)
{
    Ngc *ngc = r->L->ngc;
    const Expr *x = adjoint_expr(r, i);
    const char *text = "[";
    if (x)
        text = source_text(ngc, x->loc);
    const char *said = NULL;
    if (!strpbrk(text, "[]\".#|=<>!"))
        said = rule_text(r, text);
    if (said)
        return said;
    return text_format(ngc, "what %s makes of dy", r->f->name);
}

/* The adjoint of parameter i; v is NULL where it is left out. false with a message. */
static bool take_adjoint(const Rule *r, int i, const Value *v)
{
    bool needed = needs_adjoint(r, i);
    if (v && !needed && !check_none(r, i, v))
        return false;
    if (!r->tensor_of[i])
        return true;

    struct GivenTensor *t = &r->given->tensor[r->tensor_of[i] - 1];
    if (needed)
        t->dx = adjoint_of(r, i, v);
    else
        t->dx = graph_full(r->L->g, r->param[i]->node->shape, 0);
    t->said = adjoint_said(r, i);
    return t->dx != NULL;
}

/* The adjoints of the tensors; false with a message. */
static bool take_adjoints(const Rule *r, const Value *v)
{
    int count = value_items(v);
    if (!check_count(r, v, count))
        return false;

    for (int i = 0; i < r->params; i++) {
        const Value *one = NULL;
        if (i < count)
            one = value_item(v, i);
        if (!take_adjoint(r, i, one))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

/* The backward part on one line: "backward(dy, y) { return dy/(2*y) }". */
static const char *part_text(const Rule *r)
{
    Ngc *ngc = r->L->ngc;
    const Stmt *part = r->f->def->backward;
    if (only_return(r))
        return source_text(ngc, part->loc);

    Text t = {.ngc = ngc};
    text_add(&t, "backward(");
    for (const Names *n = part->names; n; n = n->next)
        text_add(&t, "%s%s", text_if(n != part->names, ", "), n->name);
    text_add(&t, ") { ");
    for (const Stmt *s = part->body; s; s = s->next)
        text_add(&t, "%s%s", source_text(ngc, s->loc), s->next ? "; " : " }");
    return t.at;
}

static Value *rule_node(const Rule *r)
{
    Lower *L = r->L;
    Given *given = r->given;

    given_close(L->g, given);
    /* [value, tensors, what the backward part reads from outside] */
    size_t most = 1 + (size_t)given->count + (size_t)given->outers;
    Node **arg = arena_array(L->ngc, most, sizeof *arg);
    arg[0] = r->value;
    for (int i = 0; i < r->params; i++)
        if (r->tensor_of[i])
            arg[r->tensor_of[i]] = r->param[i]->node;
    for (int i = 0; i < given->outers; i++)
        arg[1 + given->count + i] = given->outer[i];

    L->g->loc = lower_site(L, r->call);
    return value_node(L, r->call, graph_given(L->g, given, arg));
}

Value *lower_backward(Lower *L, const Func *f, Value **param, int params, Value *result, Loc call)
{
    Rule r = {.L = L, .f = f, .call = call, .param = param, .params = params};
    L->given++;
    r.given = arena_alloc(L->ngc, sizeof *r.given);
    *r.given = (Given){.name = f->name, .loc = f->def->backward->loc};

    r.value = rule_value(&r, result);
    if (!r.value || !find_tensors(&r))
        return value_error(L, call);
    if (r.given->count == 0) /* of numbers and ints, there is nothing to differentiate */
        return result;
    if (!check_real(&r, result) || !check_body(&r))
        return value_error(L, call);

    Frame frame;
    Value *v = run_backward(&r, &frame);
    if (!v || v->kind == V_ERROR || !take_adjoints(&r, v))
        return value_error(L, call);
    r.given->text = part_text(&r);
    return rule_node(&r);
}

/* ---- the definition ---- */

static bool named_twice(Lower *L, const Names *name)
{
    lower_error(L, ERR_ARGUMENT_TWICE, name->loc, "'%s' is named twice", name->name);
    return false;
}

bool check_backward(Lower *L, const Stmt *def)
{
    const Stmt *part = def->backward;
    if (!part)
        return true;
    if (in_backward(L)) {
        lower_error(L, ERR_PLACE, part->loc,
                    "a def inside a backward part has no backward part of its own: define %s above",
                    def->name);
        return false;
    }

    const Names *dy = part->names;
    const Names *y = dy->next;
    if (y && y->next) {
        lower_error(L, ERR_TOO_MANY_ARGUMENTS, y->next->loc,
                    "a backward part names the adjoint of the result, and the result: "
                    "backward(dy, y)");
        return false;
    }
    for (const Names *n = dy; n; n = n->next)
        for (const Arg *p = def->values; p; p = p->next)
            if (p->name == n->name)
                return named_twice(L, n);
    if (y && y->name == dy->name)
        return named_twice(L, y);
    return true;
}
