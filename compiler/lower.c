/* lower.c - statements: executes a parsed file at compile time and collects the model: the graph of
 * all that is computed, and its roots. What the user asks derivatives of is differentiated here, by
 * grad.c. */
#include "lower.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- assignment ---- */

/* Gives the value its name in the user's text. In the library names are for readers of the library
 * alone. */
static Value *named(Lower *L, Value *v, const char *name, Path *path)
{
    if (v->kind != V_NODE)
        return v;
    bool library =
        v->loc.file >= 0 && L->frame && L->ngc->file[L->frame->func->def->loc.file]->library;
    const char *full = path_text(L, path, NULL, false);
    (void)name;
    if (library) {
        if (!v->node->name && !v->node->bound && !(op_info[v->node->op]->flags & F_LEAF) &&
            v->node->op != OP_expand)
            v->node->name = full;
        return v;
    }
    return value_node(L, v->loc, graph_bind(L->g, v->node, full, L->from));
}

/* A value of the file that has a name: printed by run, kept at -O0. Assigned again, the last one
 * counts. */
static void root_named(Lower *L, Binding *b)
{
    Node *n = b->value->kind == V_NODE ? b->value->node : NULL;
    if (!n || L->frame || (op_info[n->op]->flags & F_LEAF && !b->root) ||
        scope_own(L->file, b->name) != b)
        return;
    if (!b->root) {
        root_add(L, (Root){.kind = ROOT_NAMED, .name = b->name, .loc = b->loc, .group = -1});
        b->root = L->m->roots;
    }
    L->m->root[b->root - 1].node = n;
}

static void assign(Lower *L, const char *name, Loc loc, Value *v, Path *path)
{
    Binding *own = scope_own(L->scope, name), *carried = own ? NULL : scope_carried(L, name);
    if (name_reserved(L, name, loc))
        return;
    if (own && !L->branch && L->scope->kind != SCOPE_PASS) {
        declared_twice(L, name, loc, own->loc);
        return;
    }
    if (path)
        v = named(L, v, name, path);
    if (v->kind == V_LIST && !v->name && !L->frame)
        v->name = name;
    if (own && own->declared) {
        lower_error(L, ERR_ASSIGNED, loc,
                    "'%s' is a variable: 'update %s = ...' says what it becomes", name, name);
        return;
    }
    if (own || carried) {
        Binding *b = own ? own : carried;
        b->value = v;
        b->loc = loc;
        root_named(L, b);
        return;
    }
    Binding *lib = L->frame || L->scope->kind != SCOPE_FILE || L->scope == L->library
                       ? NULL
                       : scope_own(L->library, name);
    if (lib && (v->kind == V_FUNC) == (lib->value->kind == V_FUNC))
        diag(L->ngc, SEV_NOTE, ERR_LIBRARY_NAME, loc,
             "'%s' is also in the library; from here on it is yours, and the library keeps its own",
             name);
    scope_bind(L, name, v, loc);
    root_named(L, scope_own(L->scope, name));
}

/* The path of what a statement assigns to a name: below the call we are in, with the pass of each
 * for around it. */
static Path *target_path(Lower *L, const char *name)
{
    return path_passes(L, path_new(L, L->path, name));
}

/* What numbers the calls of a statement with this target. */
static int *target_calls(Lower *L)
{
    return call_count(L, path_text(L, L->target, L->path, true));
}

static void lower_assign(Lower *L, const Stmt *s)
{
    Path *target = L->target;
    int *calls = L->calls;
    int n = 0, k = 0, from = L->from, vars = L->var_paths;
    L->from = L->g->count;
    for (const Names *t = s->names; t; t = t->next)
        n++;
    Value **value = arena_alloc(L->ngc, (size_t)(n + 1) * sizeof *value);
    const Arg *a = s->values;
    for (const Names *t = s->names; t; t = t->next, k++) {
        if (k > 0 && s->value)
            break;
        L->target = target_path(L, t->name);
        L->calls = target_calls(L);
        value[k] = s->value ? lower_expr(L, s->value) : a ? lower_expr(L, a->value) : NULL;
        if (!s->value && value[k]) /* named before the next is made, so that the next is not made of
                                      it by chance */
            value[k] = named(L, value[k], t->name, L->target);
        a = a ? a->next : NULL;
    }
    L->target = target;
    L->calls = calls;
    Value *all = value[0];
    bool several = s->value && n > 1, fits = true;
    if (several && all->kind == V_LIST)
        fits = all->count == n;
    else if (several)
        fits = all->kind == V_ERROR;
    else
        fits = s->value || (!a && value[n - 1]);
    if (!fits)
        lower_error(L, ERR_NAMES_AND_VALUES, s->loc,
                    several && all->kind == V_LIST ? "%d names for %d values"
                                                   : "%d names, and another number of values",
                    n, several ? all->count : 0);
    k = 0;
    for (const Names *t = s->names; t; t = t->next, k++) {
        Value *v = !fits     ? value_error(L, t->loc)
                   : several ? (all->kind == V_ERROR ? all : all->item[k])
                             : value[k];
        assign(L, t->name, t->loc, v, s->value || !fits ? target_path(L, t->name) : NULL);
    }
    name_vars(L, vars);
    L->from = from;
}

/* ---- outputs ---- */

static void lower_output(Lower *L, const Stmt *s)
{
    Path *target = L->target;
    int from = L->from;
    L->from = L->g->count;
    L->target = s->value ? target_path(L, s->name) : L->path;
    L->calls = s->value ? target_calls(L) : NULL;
    Value *v = s->value ? lower_expr(L, s->value) : lower_path(L, s->name, s->at);
    L->target = target;
    L->calls = NULL;
    Node *n = want_node(L, v, "an output");
    if (L->frame) {
        L->from = from;
        lower_error(L, ERR_DECLARED_INSIDE, s->loc,
                    "outputs and metrics belong to the file, not to a def");
        return;
    }
    if (s->value) {
        assign(L, s->name, s->at, n ? value_node(L, v->loc, n) : value_error(L, s->at),
               target_path(L, s->name));
        Binding *b = scope_own(L->scope, s->name);
        n = b && b->value->kind == V_NODE ? b->value->node : n;
    }
    L->from = from;
    RootKind kind = s->kind == S_OUTPUT ? ROOT_OUTPUT : ROOT_METRIC;
    for (int i = 0; i < L->m->roots; i++)
        if (L->m->root[i].kind == kind && strcmp(L->m->root[i].name, s->name) == 0) {
            declared_twice(L, s->name, s->at, L->m->root[i].loc);
            return;
        }
    if (n)
        root_add(L, (Root){.kind = s->kind == S_OUTPUT ? ROOT_OUTPUT : ROOT_METRIC,
                           .name = s->name,
                           .node = n,
                           .loc = s->at,
                           .group = -1});
}

/* ---- control ---- */

static bool lower_pass(Lower *L, const Stmt *s, int number, Value *v, Value **result)
{
    Scope *outer = L->scope;
    L->scope = scope_new(L, SCOPE_PASS, outer);
    scope_bind(L, s->name, v, s->at);
    L->pass[L->passes++] = number;
    bool returned = lower_block(L, s->body, result);
    L->passes--;
    L->scope = outer;
    return returned;
}

static bool lower_for(Lower *L, const Stmt *s, Value **result)
{
    int64_t lo = 0, hi;
    int errors = L->ngc->errors;
    Value *list = NULL, *from = lower_expr(L, s->value);
    if (L->passes == 16) {
        lower_error(L, ERR_LOOP_NESTING, s->loc, "more than 16 loops inside each other");
        return false;
    }
    if (s->to) {
        if (!want_whole(L, from, "the start of a range", &lo) ||
            !want_whole(L, lower_expr(L, s->to), "the end of a range", &hi))
            return false;
        if (hi - lo > 100000) {
            lower_error(L, ERR_MODEL_SIZE, s->value->loc,
                        "%lld passes: a loop is written out pass by pass, so 100000 is the limit",
                        (long long)(hi - lo));
            return false;
        }
    } else if (from->kind == V_LIST) {
        list = from;
        hi = list->count;
    } else {
        if (from->kind != V_ERROR)
            lower_error(L, ERR_NOT_A_RANGE, from->loc, "for goes over a range a..b or a list");
        return false;
    }
    for (int64_t i = lo; i < hi && L->ngc->errors == errors && lower_work(L, s->loc); i++)
        if (lower_pass(L, s, (int)i, list ? list->item[i] : value_number(L, s->at, (double)i),
                       result))
            return true;
    return false;
}

/* Is the value computed from `training` alone, so that predict and step go different ways? */
static bool is_training(Lower *L, const Node *n)
{
    bool *needed = arena_alloc(L->ngc, (size_t)n->id + 1), some = false;
    double v;
    needed[n->id] = true;
    for (int i = n->id; i >= 0; i--) {
        const Node *x = L->g->node[i];
        if (!needed[i] || node_const(x, &v))
            continue;
        if (op_info[x->op]->flags & F_LEAF && x->op != OP_training)
            return false;
        some |= x->op == OP_training;
        for (int k = 0; k < x->nargs; k++)
            needed[x->arg[k]->id] = true;
    }
    return some;
}

/* Some statements of one way of an if that depends on `training`: what they assign stays in a scope
 * of its own, and their updates are done only where `gate` is not 0. */
static void lower_way(Lower *L, Scope *way, const Stmt *body, Node *gate, Value **result)
{
    Scope *outer = L->scope;
    Node *around = L->gate;
    L->scope = way;
    L->gate = around ? graph_binary(L->g, OP_mul, around, gate) : gate;
    lower_block(L, body, result);
    L->scope = outer;
    L->gate = around;
}

static Value *choose(Lower *L, Node *c, const Value *a, const Value *b, Loc loc)
{
    Node *x = want_node(L, a, "a value"), *y = want_node(L, b, "a value");
    Shape s;
    if (!x || !y)
        return value_error(L, loc);
    if (!shape_broadcast(x->shape, y->shape, &s)) {
        lower_error(L, ERR_BRANCH_SHAPES, loc,
                    "shapes %s and %s in the two ways of an if on training",
                    shape_text(L->g, x->shape), shape_text(L->g, y->shape));
        return value_error(L, loc);
    }
    return value_node(L, loc, graph_where(L->g, c, x, y));
}

/* An if on `training`: both ways are lowered, and every name they assign becomes a choice that each
 * function of the emitted C resolves when compiling. A way that returns makes the rest of the block
 * part of the other. */
static bool lower_if_training(Lower *L, const Stmt *s, Node *c, Value **result)
{
    Value *yes = NULL, *no = NULL;
    Node *zero = graph_const(L->g, 0);
    Node *is = graph_binary(L->g, OP_ne, c, zero), *not = graph_binary(L->g, OP_eq, c, zero);
    Scope *a = scope_new(L, SCOPE_FILE, L->scope), *b = scope_new(L, SCOPE_FILE, L->scope);
    lower_way(L, a, s->body, is, &yes);
    lower_way(L, b, s->orelse, not, &no);
    if (yes || no) {
        if (!yes)
            lower_way(L, a, s->next, is, &yes);
        if (!no)
            lower_way(L, b, s->next, not, &no);
        if (!yes || !no)
            lower_error(L, ERR_NO_RETURN, s->loc,
                        "one way of an if on training returns a value, the other none");
        *result = yes && no ? choose(L, c, yes, no, s->loc) : value_error(L, s->loc);
        return true;
    }
    for (int way = 0; way < 2; way++)
        for (int i = 0; i < (way ? b : a)->buckets; i++)
            for (Binding *x = (way ? b : a)->bucket[i]; x; x = x->next) {
                Binding *other = scope_own(way ? a : b, x->name), *before = scope_find(L, x->name);
                if ((way && other) || (!other && !before))
                    continue;
                const Value *v = other ? other->value : before->value;
                L->branch++;
                assign(L, x->name, x->loc,
                       choose(L, c, way ? v : x->value, way ? x->value : v, x->loc),
                       target_path(L, x->name));
                L->branch--;
            }
    return false;
}

static bool lower_if(Lower *L, const Stmt *s, Value **result)
{
    double c;
    Value *v = lower_expr(L, s->value);
    if (v->kind == V_ERROR)
        return false;
    if (v->kind == V_NODE && v->node->shape.rank == 0 && !node_const(v->node, &c) &&
        is_training(L, v->node))
        return lower_if_training(L, s, v->node, result);
    if (v->kind == V_NODE && v->node->shape.rank == 0 && node_const(v->node, &c)) {
        L->branch++;
        bool returned = lower_block(L, c != 0 ? s->body : s->orelse, result);
        L->branch--;
        return returned;
    }
    lower_error(
        L, ERR_CONDITION, s->value->loc,
        "the condition of an if must be known when compiling, or be 'training'; where(c, a, b) chooses at run time");
    return false;
}

static void lower_return(Lower *L, const Stmt *s, Value **result)
{
    Value *item[64];
    int n = 0;
    if (!L->frame) {
        lower_error(L, ERR_RETURN_OUTSIDE, s->loc, "return outside a def");
        return;
    }
    if (s->value) {
        *result = lower_expr(L, s->value);
        return;
    }
    for (const Arg *a = s->values; a; a = a->next) {
        if (n == 64) {
            lower_error(L, ERR_NAMES_AND_VALUES, a->loc, "more than 64 values are returned");
            *result = value_error(L, s->loc);
            return;
        }
        item[n++] = lower_expr(L, a->value);
    }
    *result = value_list(L, s->loc, item, n);
}

static void lower_def(Lower *L, const Stmt *s)
{
    int params = 0;
    for (const Arg *p = s->values; p; p = p->next, params++)
        for (const Arg *q = s->values; q != p; q = q->next)
            if (q->name == p->name) {
                lower_error(L, ERR_ARGUMENT_TWICE, p->loc, "parameter '%s' is named twice",
                            p->name);
                return;
            }
    if (params > MAX_PARAMS) {
        lower_error(L, ERR_TOO_MANY_ARGUMENTS, s->at, "more than %d parameters", MAX_PARAMS);
        return;
    }
    Func *f = arena_alloc(L->ngc, sizeof *f);
    bool library =
        L->ngc->file[s->loc.file]->library; /* whose functions see each other in any order */
    *f =
        (Func){.name = s->name,
               .def = s,
               .env = L->scope,
               .serial =
                   library ? INT32_MAX
                           : L->serial +
                                 1}; /* it sees itself: to be told that recursion is not possible */
    Value *v = arena_alloc(L->ngc, sizeof *v);
    *v = (Value){.kind = V_FUNC, .loc = s->at, .func = f};
    assign(L, s->name, s->at, v, NULL);
}

/* The file that an import means: beside the importing one, or in one of the -I directories. */
static const char *import_path(Lower *L, const Stmt *s)
{
    Ngc *ngc = L->ngc;
    const char *here = ngc->file[s->loc.file]->name, *slash = strrchr(here, '/');
    if (s->name[0] == '/')
        return s->name;
    const char *name = s->name;
    while (name[0] == '.' && name[1] == '/')
        name += 2;
    const char *beside =
        slash ? text_format(ngc, "%.*s/%s", (int)(slash - here), here, name) : name;
    for (int i = -1; i < ngc->opt.includes; i++) {
        const char *path = i < 0 ? beside : text_format(ngc, "%s/%s", ngc->opt.include[i], name);
        if (access(path, F_OK) == 0)
            return path;
    }
    return beside;
}

/* A file is imported once: its statements are executed where its first import stands. */
enum { MAX_IMPORTS = 64 };

static void lower_import(Lower *L, const Stmt *s)
{
    Ngc *ngc = L->ngc;
    const char *path = import_path(L, s);
    int inside = 0;
    for (int i = 0; i < ngc->files; i++)
        inside += ngc->file[i]->importing;
    if (inside >= MAX_IMPORTS) {
        lower_error(L, ERR_IMPORT_CYCLE, s->loc, "more than %d imports inside one another",
                    MAX_IMPORTS);
        return;
    }
    for (int i = 0; i < ngc->files; i++)
        if (strcmp(ngc->file[i]->name, path) == 0) {
            if (ngc->file[i]->importing)
                lower_error(L, ERR_IMPORT_CYCLE, s->loc, "'%s' imports itself", s->name);
            return;
        }
    int errors = ngc->errors, file = source_read(ngc, path, s->loc);
    if (file < 0)
        return;
    Stmt *body = parse(ngc, file);
    Value *none = NULL;
    if (ngc->errors > errors)
        return;
    ngc->file[file]->importing = true;
    lower_block(L, body, &none);
    ngc->file[file]->importing = false;
}

static bool lower_statement(Lower *L, const Stmt *s, Value **result)
{
    switch (s->kind) {
    case S_IMPORT: lower_import(L, s); break;
    case S_DIM: lower_dim(L, s); break;
    case S_INPUT:
    case S_PARAM:
    case S_STATE: lower_declaration(L, s); break;
    case S_UPDATE: lower_update(L, s); break;
    case S_OUTPUT:
    case S_METRIC: lower_output(L, s); break;
    case S_ASSIGN: lower_assign(L, s); break;
    case S_GRADIENT: lower_gradient(L, s); break;
    case S_MINIMIZE:
    case S_MAXIMIZE: lower_minimize(L, s); break;
    case S_DEF: lower_def(L, s); break;
    case S_FOR: return lower_for(L, s, result);
    case S_IF: return lower_if(L, s, result);
    case S_RETURN: lower_return(L, s, result); return true;
    }
    return false;
}

bool lower_block(Lower *L, const Stmt *s, Value **result)
{
    bool returned = false;
    for (; s && !returned && lower_enter(L, s->loc); s = s->next) {
        L->g->loc = lower_site(L, s->loc);
        returned = lower_statement(L, s, result);
        L->nest--;
    }
    return returned;
}

/* ---- the model ---- */

/* Does the file declare nothing, so that unknown names are inputs? */
static bool formula_mode(const Stmt *s)
{
    for (; s; s = s->next)
        if (s->kind == S_DIM || s->kind == S_INPUT || s->kind == S_PARAM || s->kind == S_STATE ||
            s->kind == S_IMPORT)
            return false;
    return true;
}

/* How many minimize there are; in a loop, as many as there may be. */
static int count_minimize(const Stmt *s)
{
    int n = 0;
    for (; s; s = s->next) {
        n += s->kind == S_MINIMIZE || s->kind == S_MAXIMIZE;
        n += (s->kind == S_FOR ? 2 : 1) * count_minimize(s->body) + count_minimize(s->orelse);
    }
    return n;
}

/* Where all that is named is a number known now, the last one is what the file computes. */
static void deliver_constant(Lower *L)
{
    Binding *last = NULL;
    for (int i = 0; i < L->file->buckets; i++)
        for (Binding *b = L->file->bucket[i]; b; b = b->next)
            if ((b->value->kind == V_LIST ||
                 (b->value->kind == V_NODE && b->value->node->op != OP_var)) &&
                (!last || b->serial > last->serial))
                last = b;
    Node *n = last ? want_node(L, last->value, "what is computed") : NULL;
    if (n)
        root_add(L, (Root){.kind = ROOT_OUTPUT,
                           .name = last->name,
                           .node = n,
                           .loc = last->loc,
                           .group = -1});
    else if (!last)
        diag(L->ngc, SEV_ERROR, ERR_NOTHING_TO_COMPUTE, (Loc){.file = L->start, .at = 0, .end = 0},
             "there is nothing to compute: the file gives no value a name, as in J = 2*(a*b + c)");
}

/* In formula mode, or with nothing else asked: what no other value uses is delivered; a lone scalar
 * is differentiated. */
static void deliver(Lower *L)
{
    Model *m = L->m;
    int named = m->roots, last = -1, count = 0;
    bool *used = arena_alloc(L->ngc, (size_t)L->g->count + 1);
    if (named == 0)
        deliver_constant(L);
    for (int i = 0; i < named; i++)
        if (m->root[i].kind != ROOT_NAMED)
            return;
    for (int k = 0; k < L->g->count; k++)
        for (int a = 0; a < L->g->node[k]->nargs; a++)
            used[L->g->node[k]->arg[a]->id] = true;
    for (int i = 0; i < named; i++)
        if (!used[m->root[i].node->id]) {
            count++;
            last = i;
        }
    Root *r = count == 1 ? &m->root[last] : NULL;
    Derivative d = {.x = arena_alloc(L->ngc, (size_t)(m->vars + 1) * sizeof(Node *))};
    if (r && r->node->shape.rank == 0 && r->node->type == T_FLOAT) {
        d.name = r->name;
        d.loss = r->node;
        d.loc = r->loc;
        lower_over_all(L, &d, false);
        lower_derive(L, &d);
        root_grads(L, &d, -1);
        return;
    }
    for (int i = 0; i < named; i++) {
        if (!used[m->root[i].node->id])
            root_add(L, (Root){.kind = ROOT_OUTPUT,
                               .name = m->root[i].name,
                               .node = m->root[i].node,
                               .loc = m->root[i].loc,
                               .group = -1});
    }
}

/* Roots of gradients in the order and layout of the params, then the others as asked; stable. */
static void order_roots(Lower *L)
{
    Model *m = L->m;
    Root *old = arena_copy(L->ngc, m->root, (size_t)m->roots * sizeof *old);
    int *first =
        arena_alloc(L->ngc, (size_t)(m->vars + 1) *
                                sizeof *first); /* by variable: 1 + its first gradient in old */
    int *next = arena_alloc(L->ngc, (size_t)(m->roots + 1) * sizeof *next), n = 0;
    for (int i = m->roots - 1; i >= 0; i--)
        if (old[i].kind == ROOT_GRAD && old[i].var && old[i].var->kind == VAR_PARAM) {
            next[i] = first[old[i].var->index];
            first[old[i].var->index] = i + 1;
        }
    for (int i = 0; i < m->roots; i++)
        if (old[i].kind != ROOT_GRAD)
            m->root[n++] = old[i];
    for (int k = 0; k < m->vars; k++)
        for (int i = first[k]; i; i = next[i - 1])
            m->root[n++] = old[i - 1];
    for (int i = 0; i < m->roots; i++)
        if (old[i].kind == ROOT_GRAD && !(old[i].var && old[i].var->kind == VAR_PARAM))
            m->root[n++] = old[i];
}

static void order_vars(Lower *L)
{
    Model *m = L->m;
    Var **old = arena_copy(L->ngc, m->var, (size_t)m->vars * sizeof *old);
    int n = 0;
    for (VarKind k = VAR_INPUT; k <= VAR_STATE; k++)
        for (int i = 0; i < m->vars; i++)
            if (old[i]->kind == k) {
                old[i]->index = n;
                m->var[n++] = old[i];
            }
}

/* By name, then in the order they were made in. */
static int compare_paths(const void *a, const void *b)
{
    const struct VarPath *x = *(const struct VarPath *const *)a,
                         *y = *(const struct VarPath *const *)b;
    int order = strcmp(x->var->name, y->var->name);
    return order ? order : (x > y) - (x < y);
}

/* Two weights must not have one name. */
static void find_clash(Lower *L)
{
    int n = L->var_paths;
    struct VarPath **sorted = arena_alloc(L->ngc, (size_t)(n + 1) * sizeof *sorted);
    for (int i = 0; i < n; i++)
        sorted[i] = &L->var_path[i];
    qsort(sorted, (size_t)n, sizeof *sorted, compare_paths);
    int first = 0; /* the clash to tell of: other states are called after weights that were made
                      before them */
    for (int i = 1; i < n; i++)
        if (strcmp(sorted[i - 1]->var->name, sorted[i]->var->name) == 0 &&
            (first == 0 || sorted[i] < sorted[first]))
            first = i;
    if (first == 0)
        return;
    const Var *a = sorted[first - 1]->var, *b = sorted[first]->var;
    Diag *d = diag(L->ngc, SEV_ERROR, ERR_SAME_WEIGHT, b->loc,
                   "two weights are called '%s'; assign each call to a name of its own", b->name);
    diag_note(L->ngc, d, a->loc, "the other one is made here");
}

/* What a root says of a variable: its name may have got a number since. */
static void name_roots(Lower *L)
{
    for (int i = 0; i < L->m->roots; i++) {
        Root *r = &L->m->root[i];
        if (!r->var)
            continue;
        if (r->kind == ROOT_UPDATE)
            r->name = r->var->name;
        else
            r->name =
                text_format(L->ngc, "%.*s/d%s", (int)strcspn(r->name, "/"), r->name, r->var->name);
    }
}

/* The step counter, where a schedule reads it, counts updates; so does that of random draws. */
static void count_steps(Lower *L)
{
    Var *count[2] = {L->counter, L->draws};
    for (int i = 0; i < 2; i++)
        if (count[i])
            root_update(L, count[i], graph_binary(L->g, OP_add, count[i]->node, graph_int(L->g, 1)),
                        -1, count[i]->loc);
}

/* Marks the named values that lie on the way to a loss. */
static void mark_named(Model *m)
{
    Node **loss = arena_alloc(m->graph->ngc, (size_t)(m->roots + 1) * sizeof *loss);
    int n = 0;
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == ROOT_LOSS)
            loss[n++] = m->root[i].node;
    int *uses = graph_uses(m->graph, loss, n);
    for (int i = 0; i < m->roots; i++)
        m->root[i].of_loss = uses[m->root[i].node->id] > 0;
}

/* How deep lowering may recurse: a level takes under 2 KB of the stack. */
static int nest_max(void)
{
    enum { MOST = 2000, LEVEL = 2048 };
    struct rlimit stack;
    if (getrlimit(RLIMIT_STACK, &stack) != 0 || stack.rlim_cur == RLIM_INFINITY ||
        stack.rlim_cur / LEVEL >= MOST)
        return MOST;
    return (int)(stack.rlim_cur / LEVEL);
}

/* Formula mode took unknown names for inputs: says which, so that a misspelt one is seen. */
static void note_inputs(Lower *L)
{
    Text names = {.ngc = L->ngc};
    if (!L->formula)
        return;
    const Var *first = NULL;
    for (int i = 0; i < L->m->vars; i++) {
        const Var *v = L->m->var[i];
        if (v->kind != VAR_INPUT)
            continue;
        text_add(&names, "%s%s", first ? ", " : "", v->name);
        first = first ? first : v;
    }
    if (first)
        diag(L->ngc, SEV_NOTE, ERR_FORMULA_INPUTS, first->loc,
             "nothing is declared, so these are scalar inputs: %s", names.at);
}

Model *lower(Ngc *ngc, int file)
{
    Lower *L = arena_alloc(ngc, sizeof *L);
    Value *none = NULL;
    L->ngc = ngc;
    L->nest_max = nest_max();
    L->group = -1;
    L->g = graph_new(ngc);
    L->m = arena_alloc(ngc, sizeof *L->m);
    L->m->graph = L->g;
    L->file = L->scope = L->library = scope_new(L, SCOPE_FILE, NULL);
    lower_block(L, ngc->file[0]->body, &none);
    L->file = L->scope = scope_new(L, SCOPE_FILE, L->library);
    L->start = file;
    L->formula = formula_mode(ngc->file[file]->body);
    L->several = count_minimize(ngc->file[file]->body) > 1;
    ngc->file[file]->importing = true;
    lower_block(L, ngc->file[file]->body, &none);
    if (ngc->errors)
        return NULL;
    deliver(L);
    count_steps(L);
    name_vars(L, 0);
    name_roots(L);
    find_clash(L);
    if (ngc->errors)
        return NULL;
    order_vars(L);
    order_roots(L);
    lower_defaults(L);
    if (ngc->errors)
        return NULL;
    note_inputs(L);
    warn_unused(L->m, file);
    mark_named(L->m);
    model_names(L->m);
    return L->m;
}
