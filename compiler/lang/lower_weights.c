/* lower_weights.c - which functions may make weights. A layer of one that makes none, as
 * leaky_relu(_, 0.2), takes no number among the calls of its statement. Nothing is executed: the
 * text of the function decides, and of what it calls. */
#include "lang/lower.h"

typedef struct Search {
    Lower *L;
    const Func *func; /* whose text is searched */
    int depth;
} Search;

static bool func_declares(Lower *L, const Func *f, int depth);
static bool stmts_declare(Search *s, const Stmt *body);

static bool is_param(const Func *f, const char *name)
{
    for (const Arg *a = f->def->values; a; a = a->next)
        if (a->name == name)
            return true;
    return false;
}

/* A name in the text: of a function that declares, or, where it is called, of one that is not known
 * before the call. */
static bool name_declares(Search *s, const char *name, bool called)
{
    if (is_param(s->func, name))
        return called;

    Lower *L = s->L;
    Scope *scope = L->scope;
    L->scope = scope_new(L, SCOPE_CALL, s->func->env);
    L->scope->serial = s->func->serial;
    const Binding *b = scope_find(L, name);
    L->scope = scope;

    if (!b)
        return called && !builtin_find(L->ngc, name);
    if (b->value->kind == V_FUNC)
        return func_declares(L, b->value->func, s->depth + 1);
    return called || b->value->kind == V_LAYER;
}

static bool args_declare(Search *s, const Arg *a);

static bool expr_declares(Search *s, const Expr *x)
{
    if (!x)
        return false;
    if (x->kind == X_NAME)
        return name_declares(s, x->name, false);
    if (x->kind == X_CALL) {
        if (x->a->kind != X_NAME || name_declares(s, x->a->name, true))
            return true;
        return args_declare(s, x->args);
    }
    return expr_declares(s, x->a) || expr_declares(s, x->b) || expr_declares(s, x->c) ||
           args_declare(s, x->args);
}

static bool args_declare(Search *s, const Arg *a)
{
    for (; a; a = a->next)
        if (expr_declares(s, a->value))
            return true;
    return false;
}

static bool stmts_declare(Search *s, const Stmt *body)
{
    for (; body; body = body->next) {
        if (body->kind == S_PARAM || body->kind == S_STATE || body->kind == S_DEF)
            return true;
        if (expr_declares(s, body->value) || args_declare(s, body->values) ||
            expr_declares(s, body->to) || expr_declares(s, body->test))
            return true;
        if (stmts_declare(s, body->body) || stmts_declare(s, body->orelse))
            return true;
    }
    return false;
}

/* depth: of functions that call each other; beyond a limit, one may declare anything. */
static bool func_declares(Lower *L, const Func *f, int depth)
{
    enum { MOST_DEPTH = 100 };

    if (f->builtin)
        return false;
    if (!f->def || depth > MOST_DEPTH)
        return true;
    if (f->declares)
        return f->declares == DECLARES;

    Search s = {L, f, depth};
    bool found = args_declare(&s, f->def->values) || expr_declares(&s, f->def->value) ||
                 stmts_declare(&s, f->def->body);
    ((Func *)f)->declares = DECLARES_NOTHING;
    if (found)
        ((Func *)f)->declares = DECLARES;
    return found;
}

bool may_declare(Lower *L, const Func *f)
{
    return func_declares(L, f, 0);
}
