/* lower_model.c - the model that comes of a file: which values are roots where the file asks for
 * nothing, the order and the names of roots, and the steps of lowering.
 *
 * In: a parsed file. Out: a Model. */
#include "lang/lower.h"

#include <stdlib.h>
#include <string.h>
#ifndef __wasi__
#include <sys/resource.h>
#endif

/* Does the file declare nothing, so that unknown names are inputs? */
static bool formula_mode(const Stmt *s)
{
    for (; s; s = s->next)
        switch (s->kind) {
        case S_DIM:
        case S_INPUT:
        case S_PARAM:
        case S_STATE:
        case S_IMPORT: return false;
        default: break;
        }
    return true;
}

/* The number of minimize and maximize statements. One in a loop counts twice, as it may be executed
 * more than once. */
static int count_minimize(const Stmt *s)
{
    int n = 0;
    for (; s; s = s->next) {
        int times = s->kind == S_FOR ? 2 : 1;
        n += s->kind == S_MINIMIZE || s->kind == S_MAXIMIZE;
        n += times * count_minimize(s->body) + count_minimize(s->orelse);
    }
    return n;
}

static void root_output(Lower *L, const char *name, Node *n, Loc loc)
{
    root_add(L, (Root){.kind = ROOT_OUTPUT, .name = name, .node = n, .loc = loc, .group = -1});
}

/* The list or tensor of the file that was named last; variables do not count. */
static const Binding *last_named(const Lower *L)
{
    const Binding *last = NULL;
    for (int i = 0; i < L->file->buckets; i++)
        for (const Binding *b = L->file->bucket[i]; b; b = b->next) {
            const Value *v = b->value;
            bool counts = v->kind == V_LIST || (v->kind == V_NODE && v->node->op != OP_var);
            if (counts && (!last || b->serial > last->serial))
                last = b;
        }
    return last;
}

/* If all named values are compile-time constants, the file computes the last one. */
static void deliver_constant(Lower *L)
{
    const Binding *last = last_named(L);
    if (!last) {
        diag(L->ngc, SEV_ERROR, ERR_NOTHING_TO_COMPUTE, (Loc){.file = L->start, .at = 0, .end = 0},
             "there is nothing to compute: the file gives no value a name, as in J = 2*(a*b + c)");
        return;
    }
    Node *n = want_node(L, last->value, "what is computed");
    if (n)
        root_output(L, last->name, n, last->loc);
}

/* The only named value is a scalar: it is a loss, differentiated with respect to everything. */
static void deliver_loss(Lower *L, const Root *r)
{
    Derivative d = {.name = r->name, .loss = r->node, .loc = r->loc};
    d.x = arena_array(L->ngc, L->m->vars + 1, sizeof *d.x);
    lower_over_all(L, &d, false);
    lower_derive(L, &d);
    root_grads(L, &d, -1);
}

/* What a loop leaves is used if, in its expanded form, the last pass or something after it would
 * use it: a variable after a pass, if something else in the body reads it; its value before the
 * first pass, if the body reads the variable. */
static void mark_of_loop(const Node *n, bool *used)
{
    if (n->op == OP_last) {
        const Node *loop = n->arg[1];
        for (int i = 0; i < loop_variables(loop); i++)
            if (loop_leaf(loop, i) == n->arg[0])
                used[n->id] |= used[loop_next(loop, i)->id];
    }
    for (int i = 0; n->op == OP_loop && i < loop_variables(n); i++)
        used[loop_init(n, i)->id] |= used[loop_leaf(n, i)->id];
}

/* Which values do the named ones use? The answer is the same whether a loop stays a loop or not. */
static bool *mark_used(Lower *L)
{
    const Model *m = L->m;
    Graph *g = L->g;
    bool *used = arena_alloc(L->ngc, (size_t)g->count + 1);
    Node **named = arena_array(L->ngc, m->roots + 1, sizeof *named);

    for (int i = 0; i < m->roots; i++)
        named[i] = m->root[i].node;
    const int *uses = graph_uses(g, named, m->roots);

    for (int k = 0; k < g->count; k++) {
        const Node *n = g->node[k];
        if (!uses[k])
            continue;

        /* of a loop, its variables come first, which mark_of_loop decides: three operands each */
        int first = 0;
        if (n->op == OP_loop)
            first = 3 * loop_variables(n);
        for (int a = first; a < n->nargs; a++)
            used[arg_id(n, a)] = true;
    }
    for (int k = 0; k < g->count; k++)
        if (uses[k])
            mark_of_loop(g->node[k], used);
    return used;
}

/* If the file asks for nothing, it delivers the named values that no other value uses. If there is
 * one, and it is a scalar, it is differentiated too. */
static void deliver(Lower *L)
{
    Model *m = L->m;
    int named = m->roots;
    if (named == 0)
        deliver_constant(L);
    for (int i = 0; i < named; i++)
        if (m->root[i].kind != ROOT_NAMED)
            return;

    const bool *used = mark_used(L);
    int last = -1, count = 0;
    for (int i = 0; i < named; i++)
        if (!used[m->root[i].node->id]) {
            count++;
            last = i;
        }
    if (count == 1) {
        const Root *r = &m->root[last];
        if (r->node->shape.rank == 0 && r->node->type == T_FLOAT) {
            deliver_loss(L, r);
            return;
        }
    }

    for (int i = 0; i < named; i++) {
        const Root r = m->root[i]; /* a copy: adding a root moves them */
        if (!used[r.node->id])
            root_output(L, r.name, r.node, r.loc);
    }
}

static bool is_param_gradient(const Root *r)
{
    return r->kind == ROOT_GRAD && r->var && r->var->kind == VAR_PARAM;
}

/* First the roots that are not gradients; then the gradients of params, in the order of the params
 * struct; then the other gradients. Otherwise the order stays. */
static void order_roots(Lower *L)
{
    Ngc *ngc = L->ngc;
    Model *m = L->m;
    Root *old = LIST_COPY(ngc, m->root, m->roots);
    int n = 0;

    /* The gradients of each param as a chain: 1 + a place in old; 0 ends it. */
    int *first = arena_array(ngc, m->vars + 1, sizeof *first);
    int *next = arena_array(ngc, m->roots + 1, sizeof *next);
    for (int i = m->roots - 1; i >= 0; i--)
        if (is_param_gradient(&old[i])) {
            int param = old[i].var->index;
            next[i] = first[param];
            first[param] = i + 1;
        }

    /* all that are not gradients */
    for (int i = 0; i < m->roots; i++)
        if (old[i].kind != ROOT_GRAD)
            m->root[n++] = old[i];

    /* the gradients of params */
    for (int k = 0; k < m->vars; k++)
        for (int i = first[k]; i > 0; i = next[i - 1])
            m->root[n++] = old[i - 1];

    /* the other gradients */
    for (int i = 0; i < m->roots; i++)
        if (old[i].kind == ROOT_GRAD && !is_param_gradient(&old[i]))
            m->root[n++] = old[i];
}

/* By name, then in the order they were made in. */
static int compare_paths(const void *a, const void *b)
{
    const struct VarPath *x = *(const struct VarPath *const *)a;
    const struct VarPath *y = *(const struct VarPath *const *)b;
    int order = strcmp(x->var->name, y->var->name);
    if (order)
        return order;
    return (x > y) - (x < y);
}

/* Two weights must not have the same name. */
static void find_clash(Lower *L)
{
    Ngc *ngc = L->ngc;
    int n = L->var_paths;
    struct VarPath **sorted = arena_array(ngc, n + 1, sizeof *sorted);
    for (int i = 0; i < n; i++)
        sorted[i] = &L->var_path[i];
    qsort(sorted, (size_t)n, sizeof *sorted, compare_paths);

    /* The clash that was made first: names of states contain names of weights made before them. */
    int first = 0;
    for (int i = 1; i < n; i++) {
        bool clash = same_text(sorted[i - 1]->var->name, sorted[i]->var->name);
        if (clash && (first == 0 || sorted[i] < sorted[first]))
            first = i;
    }
    if (first == 0)
        return;

    const Var *a = sorted[first - 1]->var;
    const Var *b = sorted[first]->var;
    Diag *d = diag(ngc, SEV_ERROR, ERR_SAME_WEIGHT, b->loc,
                   "two weights are called '%s'; assign each call to a name of its own", b->name);
    diag_note(ngc, d, a->loc, "the other one is made here");
}

/* Roots are called after their variables, whose names may have changed since: a second call of a
 * function gives each a number. */
static void name_roots(Lower *L)
{
    for (int i = 0; i < L->m->roots; i++) {
        Root *r = &L->m->root[i];
        if (!r->var)
            continue;
        if (r->kind == ROOT_UPDATE) {
            r->name = r->var->name;
            continue;
        }
        int loss = (int)strcspn(r->name, "/"); /* dJ/dW: "dJ" */
        r->name = text_format(L->ngc, "%.*s/d%s", loss, r->name, r->var->name);
    }
}

/* `step`, if something reads it, counts updates. So does the counter of random draws. */
static void count_steps(Lower *L)
{
    Var *count[2] = {L->counter, L->draws};
    for (int i = 0; i < 2; i++) {
        if (!count[i])
            continue;
        Node *next = graph_binary(L->g, OP_add, count[i]->node, graph_int(L->g, 1));
        root_update(L, count[i], next, -1, count[i]->loc);
    }
}

/* Marks the named values from which a loss is computed. */
static void mark_named(Model *m)
{
    Node **loss = arena_array(m->graph->ngc, m->roots + 1, sizeof *loss);
    int n = 0;
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == ROOT_LOSS)
            loss[n++] = m->root[i].node;

    int *uses = graph_uses(m->graph, loss, n);
    for (int i = 0; i < m->roots; i++)
        m->root[i].of_loss = uses[m->root[i].node->id] > 0;
}

/* How much of the stack lowering may take: the rest is for what it calls at the deepest place. */
static size_t stack_room(void)
{
#ifdef __wasi__
    return 0; /* it cannot be asked for: see lower_enter */
#else
    enum { REST = 256 << 10 };
    struct rlimit stack;
    if (getrlimit(RLIMIT_STACK, &stack) != 0 || stack.rlim_cur == RLIM_INFINITY)
        return 0;
    size_t room = (size_t)stack.rlim_cur;
    if (room / 2 > REST)
        return room - REST;
    return room / 2;
#endif
}

/* In formula mode unknown names are inputs. A note lists them, so that a misspelt one is seen. */
static void note_inputs(Lower *L)
{
    Text names = {.ngc = L->ngc};
    const Var *first = NULL;
    if (!L->formula)
        return;

    for (int i = 0; i < L->m->vars; i++) {
        const Var *v = L->m->var[i];
        if (v->kind != VAR_INPUT)
            continue;
        text_add(&names, "%s%s", text_if(first, ", "), v->name);
        if (!first)
            first = v;
    }
    if (first)
        diag(L->ngc, SEV_NOTE, ERR_FORMULA_INPUTS, first->loc,
             "nothing is declared, so these are scalar inputs: %s", names.at);
}

static Lower *lower_new(Ngc *ngc)
{
    Lower *L = arena_alloc(ngc, sizeof *L);
    L->ngc = ngc;
    L->stack = stack_place();
    L->stack_room = stack_room();
    L->group = -1;
    L->most = MOST_OPERATIONS;
    L->g = graph_new(ngc);
    L->m = arena_alloc(ngc, sizeof *L->m);
    L->m->graph = L->g;
    return L;
}

Lower *lower_begin(Ngc *ngc)
{
    Lower *L = lower_new(ngc);
    Value *none = NULL;

    /* The library, which is file 0; the model is in a scope above it. */
    L->file = L->scope = L->library = scope_new(L, SCOPE_FILE, NULL);
    lower_block(L, ngc->file[0]->body, &none);
    if (ngc->opt.operations)
        L->most = L->g->count + ngc->opt.operations;
    L->file = L->scope = scope_new(L, SCOPE_FILE, L->library);
    return L;
}

const Value *lower_more(Lower *L, int file, const char *name)
{
    Value *none = NULL;
    L->start = file;
    lower_block(L, L->ngc->file[file]->body, &none);

    const Binding *b = scope_own(L->scope, name);
    return b ? b->value : NULL;
}

Model *lower(Ngc *ngc, int file)
{
    Lower *L = lower_begin(ngc);
    Value *none = NULL;

    const Stmt *body = ngc->file[file]->body;
    L->start = file;
    L->formula = formula_mode(body);
    L->several = count_minimize(body) > 1;
    ngc->file[file]->importing = true;
    lower_block(L, body, &none);
    if (ngc->errors)
        return NULL;

    /* What is delivered, under which names. */
    deliver(L);
    count_steps(L);
    name_vars(L, 0);
    name_roots(L);
    find_clash(L);
    if (ngc->errors)
        return NULL;

    model_order_vars(L->m);
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
