/* ast.c - the constructors that the grammar calls. */
#include "syntax/ast.h"

enum { MAX_DEPTH = 1000 }; /* of an expression: later phases recurse over it */

/* ---- expressions ---- */

static Expr *new_expr(Ngc *ngc, ExprKind kind, Loc loc, Loc at)
{
    Expr *e = arena_alloc(ngc, sizeof *e);
    e->kind = kind;
    e->depth = 1;
    e->loc = loc;
    e->at = at;
    return e;
}

/* Makes e at least that deep. Only the step over the limit is reported, so that a nest is reported
 * once. */
static void set_depth(Ngc *ngc, Expr *e, int depth)
{
    if (depth <= e->depth)
        return;

    if (e->depth <= MAX_DEPTH && depth == MAX_DEPTH + 1)
        diag(ngc, SEV_ERROR, ERR_NESTING, e->at,
             "nested too deeply: more than %d operations inside one another", MAX_DEPTH);
    e->depth = depth;
}

static void set_depth_over(Ngc *ngc, Expr *e, const Arg *args)
{
    for (const Arg *arg = args; arg != NULL; arg = arg->next)
        set_depth(ngc, e, arg->value->depth + 1);
}

Expr *expr_num(Ngc *ngc, Loc loc, double num)
{
    Expr *e = new_expr(ngc, X_NUM, loc, loc);
    e->num = num;
    return e;
}

Expr *expr_str(Ngc *ngc, Loc loc, const char *text)
{
    Expr *e = new_expr(ngc, X_STR, loc, loc);
    e->name = text;
    return e;
}

Expr *expr_name(Ngc *ngc, Loc loc, const char *name)
{
    Expr *e = new_expr(ngc, X_NAME, loc, loc);
    e->name = name;
    return e;
}

Expr *expr_leaf(Ngc *ngc, Loc loc, ExprKind kind)
{
    return new_expr(ngc, kind, loc, loc);
}

Expr *expr_unary(Ngc *ngc, Loc loc, Loc at, ExprKind kind, Expr *a)
{
    Expr *e = new_expr(ngc, kind, loc, at);
    e->a = a;
    set_depth(ngc, e, a->depth + 1);
    return e;
}

/* a + b + c + ... is deep on the left; a walk over it can be a loop, so that the left side adds no
 * depth. */
Expr *expr_binary(Ngc *ngc, Loc loc, Loc at, const char *op, Expr *a, Expr *b)
{
    Expr *e = new_expr(ngc, X_BINARY, loc, at);
    e->name = intern_str(ngc, op);
    e->a = a;
    e->b = b;
    set_depth(ngc, e, a->depth + (a->kind != X_BINARY));
    set_depth(ngc, e, b->depth + 1);
    return e;
}

Expr *expr_field(Ngc *ngc, Loc loc, Loc at, Expr *a, const char *name)
{
    Expr *e = new_expr(ngc, X_FIELD, loc, at);
    e->a = a;
    e->name = name;
    set_depth(ngc, e, a->depth + 1);
    return e;
}

Expr *expr_call(Ngc *ngc, Loc loc, Expr *f, Arg *args)
{
    Expr *e = new_expr(ngc, X_CALL, loc, f->at);
    e->a = f;
    e->args = args;
    set_depth(ngc, e, f->depth + 1);
    set_depth_over(ngc, e, args);
    return e;
}

/* Messages about an index point to the brackets. */
Expr *expr_index(Ngc *ngc, Loc loc, Expr *a, Arg *args)
{
    Expr *e = new_expr(ngc, X_INDEX, loc, (Loc){loc.file, a->loc.end, loc.end});
    e->a = a;
    e->args = args;
    set_depth(ngc, e, a->depth + 1);
    set_depth_over(ngc, e, args);
    return e;
}

Expr *expr_range(Ngc *ngc, Loc loc, Expr *a, Expr *b, Expr *c)
{
    Expr *e = new_expr(ngc, X_RANGE, loc, loc);
    Expr *part[] = {a, b, c};
    e->a = a;
    e->b = b;
    e->c = c;
    for (int i = 0; i < 3; i++)
        if (part[i] != NULL)
            set_depth(ngc, e, part[i]->depth + 1);
    return e;
}

Expr *expr_list(Ngc *ngc, Loc loc, Arg *args)
{
    Expr *e = new_expr(ngc, X_LIST, loc, loc);
    e->args = args;
    set_depth_over(ngc, e, args);
    return e;
}

/* x |> f(k) is f(x, k), and x |> f is f(x). */
Expr *expr_pipe(Ngc *ngc, Loc loc, Expr *x, Expr *call)
{
    bool is_call = call->kind == X_CALL;
    if (!is_call && call->kind != X_NAME)
        diag(ngc, SEV_ERROR, ERR_CALL_NEEDED, call->loc,
             "the right side of '|>' must be a function or a call, such as relu or dense(10)");

    Arg *arg = arg_new(ngc, x->loc, NULL, x);
    if (!is_call)
        return expr_call(ngc, loc, call, arg);
    arg->next = call->args;
    return expr_call(ngc, loc, call->a, arg);
}

Arg *arg_new(Ngc *ngc, Loc loc, const char *name, Expr *value)
{
    Arg *arg = arena_alloc(ngc, sizeof *arg);
    arg->name = name;
    arg->loc = loc;
    arg->value = value;
    return arg;
}

/* ---- statements ---- */

Stmt *stmt_new(Ngc *ngc, StmtKind kind, Loc loc, Loc at, const char *name)
{
    Stmt *s = arena_alloc(ngc, sizeof *s);
    s->kind = kind;
    s->loc = loc;
    s->at = at;
    s->name = name;
    return s;
}

Names *names_new(Ngc *ngc, Loc loc, const char *name)
{
    Names *names = arena_alloc(ngc, sizeof *names);
    names->name = name;
    names->loc = loc;
    return names;
}
