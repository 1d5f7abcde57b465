/* lower.c - statements, executed at compile time: assignments, outputs, `if`, definitions, imports.
 *
 * In: statements. Out: nodes, names that are bound to them, and roots. */
#include "lang/lower.h"

#include <string.h>
#include <unistd.h>

/* ---- assignment ---- */

/* Gives the value its name in the user's text. In the library, a name is only for readers of the
 * library: it does not bind. */
static Value *name_value(Lower *L, Value *v, Path *path)
{
    if (v->kind != V_NODE)
        return v;

    const char *full = path_text(L, path, NULL, false);
    bool library = v->loc.file >= 0 && L->frame && loc_of_library(L->ngc, L->frame->func->def->loc);
    if (!library)
        return value_node(L, v->loc, graph_bind(L->g, v->node, full, L->from));

    Node *n = v->node;
    bool leaf = node_has(n, F_LEAF);
    if (!n->name && !n->bound && !leaf && n->op != OP_expand)
        n->name = full;
    return v;
}

/* A named value of the file is a root: `ngc run` prints it, and -O0 keeps it. If the name is
 * assigned again, the last value counts. Nothing is kept of what is only tried. */
static void root_named(Lower *L, Binding *b)
{
    Node *n = b->value->kind == V_NODE ? b->value->node : NULL;
    if (!n || L->ngc->trial || L->frame || scope_own(L->file, b->name) != b)
        return;
    if (node_has(n, F_LEAF) && !b->root)
        return;

    if (!b->root) {
        root_add(L, (Root){.kind = ROOT_NAMED, .name = b->name, .loc = b->loc, .group = -1});
        b->root = L->m->roots;
    }
    L->m->root[b->root - 1].node = n;
}

/* A file may define a library's name again. A note says so, if both are functions or both are
 * values. */
static void note_library_name(Lower *L, const char *name, Loc loc, const Value *v)
{
    if (L->frame || L->scope->kind != SCOPE_FILE || L->scope == L->library)
        return;

    const Binding *lib = scope_own(L->library, name);
    if (lib && (v->kind == V_FUNC) == (lib->value->kind == V_FUNC))
        diag(L->ngc, SEV_NOTE, ERR_LIBRARY_NAME, loc,
             "'%s' is also in the library; from here on it is yours, and the library keeps its own",
             name);
}

/* Binds the name to the value. The value gets the path as its name, unless the path is NULL. */
static void assign(Lower *L, const char *name, Loc loc, Value *v, Path *path)
{
    Binding *own = scope_own(L->scope, name);
    Binding *b = own;
    if (!own)
        b = scope_carried(L, name);
    if (name_reserved(L, name, loc))
        return;
    /* a name has one value in a scope, except in branches and passes */
    if (own && !L->branch && L->scope->kind != SCOPE_PASS) {
        declared_twice(L, name, loc, own->loc);
        return;
    }

    if (path)
        v = name_value(L, v, path);
    if (v->kind == V_LIST && !v->name && !L->frame)
        v->name = name;

    if (own && own->declared) {
        lower_error(L, ERR_ASSIGNED, loc,
                    "'%s' is a variable: 'update %s = ...' says what it becomes", name, name);
        return;
    }

    if (b) { /* assigned again */
        b->value = v;
        b->loc = loc;
    } else {
        note_library_name(L, name, loc, v);
        b = scope_bind(L, name, v, loc);
    }
    root_named(L, b);
}

/* The path of what a statement assigns to a name: below the call being expanded, with the pass of
 * each loop around the statement. */
static Path *target_path(Lower *L, const char *name)
{
    return path_passes(L, path_new(L, L->path, name));
}

/* The numbers of the calls of a statement with this target. */
static Numbers *target_calls(Lower *L)
{
    return numbers_of(L, path_text(L, L->target, L->path, true));
}

static int count_names(const Names *t)
{
    int n = 0;
    for (; t; t = t->next)
        n++;
    return n;
}

static int count_args(const Arg *a)
{
    int n = 0;
    for (; a; a = a->next)
        n++;
    return n;
}

/* The value of an expression that is assigned to this name: its calls are named by the name. */
static Value *value_for(Lower *L, const char *name, const Expr *x)
{
    L->target = target_path(L, name);
    L->calls = target_calls(L);
    return lower_expr(L, x);
}

static bool wrong_count(Lower *L, Loc loc, int names, int values)
{
    lower_error(L, ERR_NAMES_AND_VALUES, loc, "%d name%s, but %d value%s", names, plural(names),
                values, plural(values));
    return false;
}

/* a = f(x) and a, b = f(x): of several names, each gets an element of a list. */
static bool values_of_one(Lower *L, const Stmt *s, int names, Value **value)
{
    Value *all = value_for(L, s->names->name, s->value);
    /* an error is the value of each name, so that there is one message */
    bool shared = names == 1 || all->kind == V_ERROR;

    if (!shared && all->kind != V_LIST)
        return wrong_count(L, s->loc, names, 1);
    if (!shared && all->count != names)
        return wrong_count(L, s->loc, names, all->count);

    for (int k = 0; k < names; k++)
        value[k] = shared ? all : all->item[k];
    return true;
}

/* a, b = x, y: a value for each name. */
static bool values_of_each(Lower *L, const Stmt *s, int names, Value **value)
{
    int values = count_args(s->values);
    int k = 0;
    const Arg *a = s->values;

    for (const Names *t = s->names; t && a; t = t->next, a = a->next, k++) {
        value[k] = value_for(L, t->name, a->value);

        /* Named before the next one is made: the next one must not share its nodes by chance. */
        value[k] = name_value(L, value[k], L->target);
    }
    return values == names || wrong_count(L, s->loc, names, values);
}

static void lower_assign(Lower *L, const Stmt *s)
{
    Path *target = L->target;
    Numbers *calls = L->calls;
    int from = L->from;
    int vars = L->var_paths;
    int names = count_names(s->names);
    Value **value = arena_array(L->ngc, names, sizeof *value);

    L->from = L->g->count;
    bool good;
    if (s->value)
        good = values_of_one(L, s, names, value);
    else
        good = values_of_each(L, s, names, value);
    L->target = target;
    L->calls = calls;

    int k = 0;
    for (const Names *t = s->names; t; t = t->next, k++) {
        Value *v = good ? value[k] : value_error(L, t->loc);
        assign(L, t->name, t->loc, v, s->value ? target_path(L, t->name) : NULL);
    }
    name_vars(L, vars);
    L->from = from;
}

/* ---- outputs ---- */

/* The value of an output or metric: of its expression, or of the name that it delivers. */
static Value *output_value(Lower *L, const Stmt *s)
{
    Path *target = L->target;
    Value *v;

    if (s->value) {
        v = value_for(L, s->name, s->value);
    } else {
        L->target = L->path;
        L->calls = NULL;
        v = lower_path(L, s->name, s->at);
    }
    L->target = target;
    L->calls = NULL;
    return v;
}

static void lower_output(Lower *L, const Stmt *s)
{
    int from = L->from;
    L->from = L->g->count;
    Value *v = output_value(L, s);
    Node *n = want_node(L, v, "an output");
    if (L->frame) {
        L->from = from;
        lower_error(L, ERR_DECLARED_INSIDE, s->loc,
                    "outputs and metrics belong to the file, not to a def");
        return;
    }

    if (s->value) { /* it is an assignment too */
        if (n)
            v = value_node(L, v->loc, n);
        else
            v = value_error(L, s->at);
        assign(L, s->name, s->at, v, target_path(L, s->name));

        const Binding *b = scope_own(L->scope, s->name);
        if (b && b->value->kind == V_NODE)
            n = b->value->node;
    }
    L->from = from;

    RootKind kind = s->kind == S_OUTPUT ? ROOT_OUTPUT : ROOT_METRIC;
    for (int i = 0; i < L->m->roots; i++) {
        const Root *other = &L->m->root[i];
        if (other->kind == kind && same_text(other->name, s->name)) {
            declared_twice(L, s->name, s->at, other->loc);
            return;
        }
    }
    if (n)
        root_add(L, (Root){.kind = kind, .name = s->name, .node = n, .loc = s->at, .group = -1});
}

/* ---- control ---- */

/* One pass of a loop, in a scope of its own where the loop's name has this value. */
bool lower_pass(Lower *L, const Stmt *s, struct PassAt at, Value *v, Value **result)
{
    Scope *outer = L->scope;
    L->scope = scope_new(L, SCOPE_PASS, outer);
    scope_bind(L, s->name, v, s->at);

    L->pass[L->passes++] = at;
    bool returned = lower_block(L, s->body, result);
    L->passes--;
    L->scope = outer;
    return returned;
}

void lower_rebind(Lower *L, Binding *b, Value *v)
{
    b->value = v;
    root_named(L, b);
}

/* Is the value computed only from `training` and constants, so that predict and step may take
 * different branches? */
static bool is_training(Lower *L, const Node *n)
{
    bool *needed = arena_alloc(L->ngc, (size_t)n->id + 1);
    bool some = false;
    double v;

    needed[n->id] = true;
    /* users before operands: any other leaf decides against it */
    for (int i = n->id; i >= 0; i--) {
        const Node *x = L->g->node[i];
        if (!needed[i] || node_const(x, &v))
            continue;

        if (node_has(x, F_LEAF) && x->op != OP_training)
            return false;
        some |= x->op == OP_training;

        for (int k = 0; k < x->nargs; k++)
            needed[arg_id(x, k)] = true;
    }
    return some;
}

/* Statements of one branch of an if on `training`. What they assign stays in a scope of its own,
 * and their updates are done only where `gate` is not 0. */
static void lower_branch(Lower *L, Scope *branch, const Stmt *body, Node *gate, Value **result)
{
    Scope *outer = L->scope;
    Node *around = L->gate;
    L->scope = branch;
    if (around)
        L->gate = graph_binary(L->g, OP_mul, around, gate);
    else
        L->gate = gate;
    lower_block(L, body, result);
    L->scope = outer;
    L->gate = around;
}

/* where(c, a, b): the value of an if on `training` whose branches give a and b. */
static Value *choose(Lower *L, Node *c, const Value *a, const Value *b, Loc loc)
{
    Graph *g = L->g;
    Node *x = want_node(L, a, "a value");
    Node *y = want_node(L, b, "a value");
    Shape s;
    if (!x || !y)
        return value_error(L, loc);

    if (!shape_broadcast(x->shape, y->shape, &s)) {
        lower_error(L, ERR_BRANCH_SHAPES, loc,
                    "the branches of an if on training have shapes %s and %s",
                    shape_text(g, x->shape), shape_text(g, y->shape));
        return value_error(L, loc);
    }
    return value_node(L, loc, graph_where(g, c, x, y));
}

/* Every name that a branch assigns becomes a choice between its value there and its value in the
 * other branch, or before the if. `yes`: this branch is taken where c is not 0. */
static void merge_branch(Lower *L, Node *c, const Scope *branch, const Scope *other, bool yes)
{
    for (int i = 0; i < branch->buckets; i++)
        for (const Binding *b = branch->bucket[i]; b; b = b->next) {
            const Binding *there = scope_own(other, b->name);
            const Binding *before = scope_find(L, b->name);
            bool merged = !yes && there; /* with the first branch */
            if (merged || (!there && !before))
                continue;

            const Value *v = there ? there->value : before->value;
            Value *both;
            if (yes)
                both = choose(L, c, b->value, v, b->loc);
            else
                both = choose(L, c, v, b->value, b->loc);

            /* it may be assigned again, as in a branch */
            L->branch++;
            assign(L, b->name, b->loc, both, target_path(L, b->name));
            L->branch--;
        }
}

/* An if on `training`: both branches are lowered, and what they assign or return becomes a choice,
 * which each function of the emitted C resolves at compile time. If only one branch returns, the
 * rest of the block is part of the other. */
static bool lower_if_training(Lower *L, const Stmt *s, Node *c, Value **result)
{
    Graph *g = L->g;
    Value *yes = NULL, *no = NULL;
    Node *zero = graph_const(g, 0);
    Node *is = graph_binary(g, OP_ne, c, zero);
    Node *not = graph_binary(g, OP_eq, c, zero);
    /* what a branch assigns is not seen by the other */
    Scope *then = scope_new(L, SCOPE_FILE, L->scope);
    Scope *orelse = scope_new(L, SCOPE_FILE, L->scope);

    lower_branch(L, then, s->body, is, &yes);
    lower_branch(L, orelse, s->orelse, not, &no);
    if (!yes && !no) {
        merge_branch(L, c, then, orelse, true);
        merge_branch(L, c, orelse, then, false);
        return false;
    }

    /* a branch that does not return continues with what follows the if */
    if (!yes)
        lower_branch(L, then, s->next, is, &yes);
    if (!no)
        lower_branch(L, orelse, s->next, not, &no);
    if (yes && no) {
        *result = choose(L, c, yes, no, s->loc);
        return true;
    }
    lower_error(L, ERR_NO_RETURN, s->loc,
                "one branch of an if on training returns a value, the other does not");
    *result = value_error(L, s->loc);
    return true;
}

static bool lower_if(Lower *L, const Stmt *s, Value **result)
{
    double c;
    Value *v = lower_expr(L, s->value);
    if (v->kind == V_ERROR)
        return false;

    bool scalar = v->kind == V_NODE && v->node->shape.rank == 0;
    /* known now: the other branch is not even looked at */
    if (scalar && node_const(v->node, &c)) {
        L->branch++;
        bool returned = lower_block(L, c != 0 ? s->body : s->orelse, result);
        L->branch--;
        return returned;
    }
    if (scalar && is_training(L, v->node))
        return lower_if_training(L, s, v->node, result);

    lower_error(L, ERR_CONDITION, s->value->loc,
                "the condition of an if must be a compile-time constant or 'training'; "
                "where(c, a, b) chooses at run time");
    return false;
}

static void lower_return(Lower *L, const Stmt *s, Value **result)
{
    enum { MAX_VALUES = 64 };
    Value *item[MAX_VALUES];
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
        if (n == MAX_VALUES) {
            lower_error(L, ERR_NAMES_AND_VALUES, a->loc, "more than %d values are returned",
                        MAX_VALUES);
            *result = value_error(L, s->loc);
            return;
        }
        item[n++] = lower_expr(L, a->value);
    }
    *result = value_list(L, s->loc, item, n);
}

/* Are the parameters of a def few enough, and are their names different? */
static bool check_params(Lower *L, const Stmt *s)
{
    if (count_args(s->values) > MAX_PARAMS) {
        lower_error(L, ERR_TOO_MANY_ARGUMENTS, s->at, "more than %d parameters", MAX_PARAMS);
        return false;
    }
    for (const Arg *p = s->values; p; p = p->next)
        for (const Arg *q = s->values; q != p; q = q->next)
            if (q->name == p->name) {
                lower_error(L, ERR_ARGUMENT_TWICE, p->loc, "parameter '%s' is named twice",
                            p->name);
                return false;
            }
    return true;
}

static void lower_def(Lower *L, const Stmt *s)
{
    if (!check_params(L, s) || !check_backward(L, s))
        return;

    Func *f = arena_alloc(L->ngc, sizeof *f);
    *f = (Func){.name = s->name, .def = s, .env = L->scope};

    /* The library's functions see each other in any order. Another function sees what is above it,
     * and itself, so that a message can say that recursion is not possible. */
    if (loc_of_library(L->ngc, s->loc))
        f->serial = INT32_MAX;
    else
        f->serial = L->serial + 1;

    Value *v = value_new(L, V_FUNC, s->at);
    v->func = f;
    assign(L, s->name, s->at, v, NULL);
}

/* The file that an import means: next to the importing one, or in one of the -I directories. */
static const char *import_path(Lower *L, const Stmt *s)
{
    Ngc *ngc = L->ngc;
    const char *name = s->name;
    if (name[0] == '/')
        return name;
    while (name[0] == '.' && name[1] == '/')
        name += 2;

    const char *here = ngc->file[s->loc.file]->name;
    const char *slash = strrchr(here, '/');
    const char *beside = name;
    if (slash)
        beside = text_format(ngc, "%.*s/%s", (int)(slash - here), here, name);
    if (access(beside, F_OK) == 0)
        return beside;

    for (int i = 0; i < ngc->opt.includes; i++) {
        const char *path = text_format(ngc, "%s/%s", ngc->opt.include[i], name);
        if (access(path, F_OK) == 0)
            return path;
    }
    return beside; /* the message that it cannot be read names this one */
}

/* Was the file imported before, or is it being imported now? */
static bool is_imported(Lower *L, const Stmt *s, const char *path)
{
    Ngc *ngc = L->ngc;
    for (int i = 0; i < ngc->files; i++) {
        if (!same_text(ngc->file[i]->name, path))
            continue;
        /* it is among those around this one */
        if (ngc->file[i]->importing)
            lower_error(L, ERR_IMPORT_CYCLE, s->loc, "'%s' imports itself", s->name);
        return true;
    }
    return false;
}

/* A file is imported once: its statements are executed where its first import is. */
static void lower_import(Lower *L, const Stmt *s)
{
    enum { MAX_IMPORTS = 64 };
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
    if (is_imported(L, s, path))
        return;

    int errors = ngc->errors;
    int file = source_read(ngc, path, s->loc);
    if (file < 0)
        return;
    Stmt *body = parse(ngc, file);
    if (ngc->errors > errors)
        return;

    Value *none = NULL;
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
        /* nodes belong to the user's line, also in a def of the library */
        L->g->loc = lower_site(L, s->loc);
        returned = lower_statement(L, s, result);
        lower_fits(L, s->loc);
        L->nest--;
    }
    return returned;
}
