/* lower_names.c - scopes say what a name means; paths give the names of weights; variables are made
 * and found by their paths. */
#include "lang/lower.h"

#include <string.h>

/* ---- scopes ---- */

Scope *scope_new(Lower *L, ScopeKind kind, Scope *up)
{
    Scope *s = arena_alloc(L->ngc, sizeof *s);
    s->kind = kind;
    s->up = up;
    s->serial = L->serial;
    s->buckets = kind == SCOPE_FILE ? 64 : 8;
    s->bucket = arena_array(L->ngc, s->buckets, sizeof *s->bucket);
    return s;
}

/* Names are interned, so the address is the name. */
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

/* A def of the library is parsed when its name is first looked up. */
static void read_def(Lower *L, Value *v)
{
    if (v->kind != V_FUNC || !v->func->def || !v->func->def->unread)
        return;

    Func *f = arena_copy(L->ngc, v->func, sizeof *f);
    f->def = parse_def(L->ngc, f->def);
    v->func = f;
}

/* The nearest binding. A def sees the bindings around it that were made above it. */
Binding *scope_find(Lower *L, const char *name)
{
    int limit = INT32_MAX;
    for (Scope *s = L->scope; s; s = s->up) {
        Binding *b = scope_own(s, name);
        if (b && b->serial < limit) {
            read_def(L, b->value);
            return b;
        }
        if (s->kind == SCOPE_CALL && s->serial < limit)
            limit = s->serial;
    }
    return NULL;
}

static void scope_grow(Lower *L, Scope *s)
{
    Scope old = *s;
    s->buckets *= 4;
    s->bucket = arena_array(L->ngc, s->buckets, sizeof *s->bucket);
    for (int i = 0; i < old.buckets; i++)
        for (Binding *b = old.bucket[i], *next; b; b = next) {
            next = b->next;

            Binding **to = &s->bucket[name_hash(b->name, s->buckets)];
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

/* The binding that an assignment in a loop's body changes: one outside the pass, but in the same
 * file or call. */
Binding *scope_carried(Lower *L, const char *name)
{
    for (Scope *s = L->scope; s->kind == SCOPE_PASS; s = s->up) {
        Binding *b = scope_own(s->up, name);
        if (b)
            return b;
    }
    return NULL;
}

/* ---- names that are refused ---- */

void declared_twice(Lower *L, const char *name, Loc loc, Loc before)
{
    Diag *d = lower_error(L, ERR_DEFINED_TWICE, loc, "'%s' is already defined", name);
    diag_note(L->ngc, d, before, "here");
}

/* `step` and `training` mean the same everywhere, and so does `.shape` after any name. */
bool name_reserved(Lower *L, const char *name, Loc loc)
{
    size_t n = strlen(name);
    const char *why = NULL;

    if (same_text(name, "step"))
        why = "it counts the updates";
    if (same_text(name, "training"))
        why = "it is 1 in training and 0 in predict and eval";
    if (n > 6 && same_text(name + n - 6, ".shape"))
        why = "x.shape is the list of the sizes of x";

    if (why)
        lower_error(L, ERR_RESERVED_NAME, loc, "'%s' is reserved: %s", name, why);
    return why != NULL;
}

/* ---- paths: the names of weights ---- */

Path *path_new(Lower *L, Path *up, const char *name)
{
    Path *p = arena_alloc(L->ngc, sizeof *p);
    p->up = up;
    p->name = name;
    return p;
}

/* Is it the number of a call that is not shown: the only one of its statement? */
static bool is_hidden(const Path *p)
{
    const Numbers *n = p->among;
    return n && p->loop == 0 && (n->calls <= 1 || (n->single && p->number == 0));
}

/* The name below `from`. raw: with the number of every call, even if it is the only one of its
 * statement. */
const char *path_text(Lower *L, const Path *p, const Path *from, bool raw)
{
    if (!p || p == from)
        return "";
    const char *left = path_text(L, p->up, from, raw);
    const char *dot = text_if(*left, ".");
    const char *name = p->var ? p->var->name : p->name;
    if (name)
        return text_format(L->ngc, "%s%s%s", left, dot, name);

    if (is_hidden(p) && !raw)
        return left;
    return text_format(L->ngc, "%s%s%d", left, dot, p->number);
}

Numbers *numbers_of(Lower *L, const char *key)
{
    Ngc *ngc = L->ngc;
    CallCounts *c = &L->counts;
    int *at = table_at(ngc, &c->at, intern_str(ngc, key));
    if (*at)
        return c->numbers[*at - 1];

    LIST_GROW(ngc, c->numbers, c->count, &c->room);
    c->numbers[c->count] = arena_alloc(ngc, sizeof **c->numbers);
    *at = ++c->count;
    return c->numbers[c->count - 1];
}

static bool path_below(const Path *p, const Path *from)
{
    while (p && p != from)
        p = p->up;
    return p == from;
}

/* The number of the first pass of a loop that comes now; 0: passes have the numbers of the loop. */
static int first_pass(const Numbers *n)
{
    if (n->begun)
        return n->first;
    return n->calls == 1 && n->taken == 1 ? 0 : n->taken;
}

Path *path_passes(Lower *L, Path *p)
{
    for (int i = 0; i < L->passes; i++) {
        Numbers *among = numbers_of(L, path_text(L, p, L->path, true));
        p = path_new(L, p, L->pass[i].name);
        p->number = L->pass[i].number;
        if (first_pass(among) > 0)
            p->number += first_pass(among) - L->pass[i].from;
        p->loop = L->pass[i].loop;
        p->among = among;
    }
    return p;
}

/* Writes the names of the variables from number `from` on: now it is known which calls share a
 * statement. */
void name_vars(Lower *L, int from)
{
    for (; from < L->var_paths; from++)
        L->var_path[from].var->name = path_text(L, L->var_path[from].path, NULL, false);
}

static void claim_call(Path *p)
{
    Numbers *n = p->among;
    if (p->number >= 0)
        return;
    p->number = n->taken++;
    n->calls++;
    n->begun = false;
}

static void claim_pass(const Path *p)
{
    Numbers *n = p->among;
    if (!n->begun) {
        n->first = first_pass(n);
        n->single |= n->first == 0 && n->calls == 1;
        n->begun = true;
    }
    if (n->taken <= p->number)
        n->taken = p->number + 1;
}

/* Takes the numbers in this path, as something is declared there. */
void path_claim(Path *p)
{
    for (; p; p = p->up)
        if (p->among && p->loop > 0)
            claim_pass(p);
        else if (p->among)
            claim_call(p);
}

/* ---- variables by their paths ---- */

/* Is the path below `from` written as the first `size` characters of text? Compared from the end.
 */
static bool path_is(const Path *p, const Path *from, const char *text, size_t size)
{
    char number[16];

    while (p && p != from && is_hidden(p))
        p = p->up;
    if (!p || p == from)
        return p == from && size == 0;

    const char *name = p->var ? p->var->name : p->name;
    if (!name) {
        snprintf(number, sizeof number, "%d", p->number);
        name = number;
    }

    size_t n = strlen(name);
    if (n > size || memcmp(text + size - n, name, n) != 0)
        return false;
    if (size == n)
        return path_is(p->up, from, text, 0);
    return text[size - n - 1] == '.' && path_is(p->up, from, text, size - n - 1);
}

Var *lower_find_var(Lower *L, const char *path)
{
    for (int i = 0; i < L->var_paths; i++)
        if (path_is(L->var_path[i].path, L->path, path, strlen(path)))
            return L->var_path[i].var;
    return NULL;
}

/* Does the pattern mean variable i, by its name below the call that we are in? */
bool lower_var_matches(Lower *L, int i, const char *pattern)
{
    const Path *path = L->var_path[i].path;
    return path_below(path, L->path) && name_matches(path_text(L, path, L->path, false), pattern);
}

/* A variable with this path. name_vars writes its final name when all paths are known. */
Var *var_new(Lower *L, VarKind kind, Path *path, Loc loc, Shape shape, Type type, Node *init)
{
    Ngc *ngc = L->ngc;
    Model *m = L->m;
    Var *v = arena_alloc(ngc, sizeof *v);
    *v = (Var){.kind = kind,
               .name = path_text(L, path, NULL, false),
               .type = type,
               .shape = shape,
               .loc = loc,
               .init = init};
    for (const Path *p = path; p; p = p->up)
        v->fresh |= p->var != NULL;
    L->g->loc = lower_site(L, loc);
    v->node = graph_var(L->g, v);

    LIST_GROW(ngc, m->var, m->vars, &L->var_room);
    m->var[m->vars++] = v;

    LIST_GROW(ngc, L->var_path, L->var_paths, &L->var_path_room);
    L->var_path[L->var_paths++] = (struct VarPath){v, path};
    return v;
}

Var *lower_var(Lower *L, VarKind kind, const char *name, Loc loc, Shape shape, Type type,
               Node *init)
{
    return var_new(L, kind, path_new(L, NULL, name), loc, shape, type, init);
}

/* The variable that the layer made in its first call, or NULL. */
static Var *layer_var(Lower *L, const Layer *layer, const Path *path)
{
    const char *key = path_text(L, path, layer->path, true);
    for (struct LayerVar *v = layer->vars; v; v = v->next)
        if (same_text(v->key, key))
            return v->var;
    return NULL;
}

/* The variable that a layer around us made in its first call, or NULL. A layer may be made and
 * called within another one. */
Var *layers_var(Lower *L, const Path *path)
{
    Var *v = NULL;
    for (Frame *f = L->frame; f && !v; f = f->up)
        if (f->layer && path_below(path, f->layer->path))
            v = layer_var(L, f->layer, path);
    return v;
}

void layers_note(Lower *L, const Path *path, Var *var)
{
    for (Frame *f = L->frame; f; f = f->up) {
        if (!f->layer || !path_below(path, f->layer->path))
            continue;
        struct LayerVar *v = arena_alloc(L->ngc, sizeof *v);
        *v = (struct LayerVar){path_text(L, path, f->layer->path, true), var, f->layer->vars};
        f->layer->vars = v;
    }
}
