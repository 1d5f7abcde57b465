/* lower_names.c - scopes, which say what a name means, and paths, which say how weights are called.
 */
#include "lower.h"

#include <string.h>

/* ---- scopes ---- */

Scope *scope_new(Lower *L, ScopeKind kind, Scope *up)
{
    Scope *s = arena_alloc(L->ngc, sizeof *s);
    s->kind = kind;
    s->up = up;
    s->serial = L->serial;
    s->buckets = kind == SCOPE_FILE ? 64 : 8;
    s->bucket = arena_alloc(L->ngc, (size_t)s->buckets * sizeof *s->bucket);
    return s;
}

static size_t name_hash(const char *name, int buckets)
{
    return (size_t)((uintptr_t)name >> 3) * 2654435761u % (size_t)buckets;
}

Binding *scope_own(const Scope *s, const char *name)
{
    Binding *b = s->bucket[name_hash(name, s->buckets)];
    while (b && b->name != name)
        b = b->next;
    return b;
}

/* The nearest binding; from inside a def, outer ones only if they were made above it. */
Binding *scope_find(Lower *L, const char *name)
{
    int limit = INT32_MAX;
    for (Scope *s = L->scope; s; s = s->up) {
        Binding *b = scope_own(s, name);
        if (b && b->serial < limit)
            return b;
        if (s->kind == SCOPE_CALL && s->serial < limit)
            limit = s->serial;
    }
    return NULL;
}

static void scope_grow(Lower *L, Scope *s)
{
    Scope old = *s;
    s->buckets *= 4;
    s->bucket = arena_alloc(L->ngc, (size_t)s->buckets * sizeof *s->bucket);
    for (int i = 0; i < old.buckets; i++)
        for (Binding *b = old.bucket[i], *next; b; b = next) {
            Binding **to = &s->bucket[name_hash(b->name, s->buckets)];
            next = b->next;
            b->next = *to;
            *to = b;
        }
}

Binding *scope_bind(Lower *L, const char *name, Value *v, Loc loc)
{
    Scope *s = L->scope;
    Binding **to = &s->bucket[name_hash(name, s->buckets)];
    Binding *b = arena_alloc(L->ngc, sizeof *b);
    *b = (Binding){.name = name, .value = v, .loc = loc, .serial = L->serial++, .next = *to};
    *to = b;
    if (++s->count > 2 * s->buckets)
        scope_grow(L, s);
    return b;
}

/* The binding that an assignment in a for body carries: one outside the pass, but in the same file
 * or call. */
Binding *scope_carried(Lower *L, const char *name)
{
    for (Scope *s = L->scope; s->kind == SCOPE_PASS; s = s->up) {
        Binding *b = scope_own(s->up, name);
        if (b)
            return b;
    }
    return NULL;
}

/* ---- paths: how weights are called ---- */

Path *path_new(Lower *L, Path *up, const char *name)
{
    Path *p = arena_alloc(L->ngc, sizeof *p);
    p->up = up;
    p->name = name;
    return p;
}

/* The name below `from`. Raw: with the number of every call, also where it is the only one of its
 * statement. */
const char *path_text(Lower *L, const Path *p, const Path *from, bool raw)
{
    if (!p || p == from)
        return "";
    const char *left = path_text(L, p->up, from, raw);
    const char *dot = *left ? "." : "";
    const char *name = p->var ? p->var->name : p->name;
    if (name)
        return text_format(L->ngc, "%s%s%s", left, dot, name);
    if (p->calls && *p->calls <= 1 && !raw)
        return left;
    return text_format(L->ngc, "%s%s%d", left, dot, p->number);
}

int *call_count(Lower *L, const char *key)
{
    CallCounts *c = &L->counts;
    int *at = table_at(L->ngc, &c->at, intern_str(L->ngc, key));
    if (*at)
        return c->number[*at - 1];
    c->number = arena_grow(L->ngc, c->number, c->count, &c->room, sizeof *c->number);
    c->number[c->count] = arena_alloc(L->ngc, sizeof **c->number);
    *at = ++c->count;
    return c->number[c->count - 1];
}

bool path_below(const Path *p, const Path *from)
{
    while (p && p != from)
        p = p->up;
    return p == from;
}

/* Writes the names of the variables from the one with this number on: it is known now which calls
 * share a statement. */
void name_vars(Lower *L, int from)
{
    for (; from < L->var_paths; from++)
        L->var_path[from].var->name = path_text(L, L->var_path[from].path, NULL, false);
}

/* Gives the calls that we are in their numbers: one of them declares something. */
void path_claim(Path *p)
{
    for (; p; p = p->up)
        if (p->calls && p->number < 0)
            p->number = (*p->calls)++;
}
