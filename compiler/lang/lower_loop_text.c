/* lower_loop_text.c - what the text of a loop's body says: names that it assigns, lists that it
 * appends to, statements that only an expanded loop can have. */
#include "lang/lower_loop.h"

#include <string.h>

static bool reads(const Expr *x, const char *name);

static bool args_read(const Arg *a, const char *name)
{
    for (; a; a = a->next)
        if (a->value && reads(a->value, name))
            return true;
    return false;
}

static bool reads(const Expr *x, const char *name)
{
    if (!x)
        return false;
    if (x->kind == X_NAME)
        return x->name == name;
    return reads(x->a, name) || reads(x->b, name) || reads(x->c, name) || args_read(x->args, name);
}

/* Is it `list = append(list, value)`? */
static bool appends(const Stmt *s, const char *list)
{
    const Expr *call = s->value;

    /* list = .. */
    if (s->kind != S_ASSIGN || s->names->next || s->names->name != list)
        return false;

    /* append(.., ..) */
    if (!call || call->kind != X_CALL || call->a->kind != X_NAME)
        return false;
    if (!same_text(call->a->name, "append"))
        return false;

    const Arg *first = call->args;
    bool is_list = first && first->value->kind == X_NAME && first->value->name == list;
    return is_list && !args_read(first->next, list);
}

/* Does a body use the list otherwise than to append to it? */
bool body_uses_list(const Stmt *s, const char *list)
{
    for (; s; s = s->next) {
        if (appends(s, list))
            continue;
        for (const Names *t = s->names; t; t = t->next)
            if (t->name == list)
                return true;
        if (reads(s->value, list) || reads(s->to, list) || args_read(s->values, list))
            return true;
        if (body_uses_list(s->body, list) || body_uses_list(s->orelse, list))
            return true;
    }
    return false;
}

/* The first statement that does more than give values names; NULL: there is none. */
const Stmt *body_special(const Stmt *s)
{
    for (; s; s = s->next) {
        if (s->kind != S_ASSIGN && s->kind != S_FOR && s->kind != S_IF)
            return s;
        const Stmt *inside = body_special(s->body);
        if (!inside)
            inside = body_special(s->orelse);
        if (inside)
            return inside;
    }
    return NULL;
}

static void add_carried(For *f, const char *name)
{
    Lower *L = f->L;
    Scope *outer = L->scope;

    L->scope = scope_new(L, SCOPE_PASS, outer);
    Binding *b = name == f->s->name ? NULL : scope_carried(L, name);
    L->scope = outer;
    if (!b)
        return;

    for (int i = 0; i < f->count; i++)
        if (f->carried[i].b == b)
            return;
    LIST_GROW(L->ngc, f->carried, f->count, &f->room);
    f->carried[f->count++] = (Carried){.b = b, .init = b->value};
}

void body_find_carried(For *f, const Stmt *s)
{
    for (; s; s = s->next) {
        for (const Names *t = s->kind == S_ASSIGN ? s->names : NULL; t; t = t->next)
            add_carried(f, t->name);
        body_find_carried(f, s->body);
        body_find_carried(f, s->orelse);
    }
}

/* Does the text give the name a value? */
bool body_assigns(const Stmt *s, const char *name)
{
    for (; s; s = s->next) {
        for (const Names *t = s->kind == S_ASSIGN ? s->names : NULL; t; t = t->next)
            if (t->name == name)
                return true;
        if (body_assigns(s->body, name) || body_assigns(s->orelse, name))
            return true;
    }
    return false;
}
