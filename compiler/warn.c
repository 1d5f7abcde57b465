/* warn.c - what is legal and yet hardly meant: names that nothing uses, the log of a softmax, C of
 * many megabytes. */
#include "lower.h"

#include <string.h>

/* ---- unused names ---- */

/* Names are followed in the text, not in what is executed: what only the way of an `if` that was
 * not taken uses is used. A def has names of its own; all files share one scope beside. What is
 * read inside a def is looked for there and outside, so that a doubt speaks for the name. */
typedef enum { N_INPUT, N_DIM, N_VALUE, N_WEIGHT, N_ARGUMENT, N_FUNCTION } NameKind;

typedef struct NameUse {
    const char *name;
    NameKind kind;
    Loc loc;
    bool used;
    struct NameUse *next;
} NameUse;

typedef struct NameScope {
    struct NameScope *up;
    const char *def; /* whose names they are; NULL: the files' */
    bool main;       /* the file that is compiled: what an imported one defines may serve others */
    int branch; /* depth of the ifs around: run shows some values of a file only if they are taken
                 */
    Table at;   /* a name: 1 + the place of its use below */
    NameUse **use, *first, **end;
    int uses, room;
} NameScope;

static NameUse *use_of(Ngc *ngc, NameScope *s, const char *name)
{
    int at = *table_at(ngc, &s->at, name);
    return at ? s->use[at - 1] : NULL;
}

/* A name of the scope; `same`, if not NULL, is another that is used wherever this is. */
static NameUse *name_defined(Ngc *ngc, NameScope *s, const char *name, NameKind kind, Loc loc,
                             NameUse *same)
{
    NameUse *u = use_of(ngc, s, name);
    if (u)
        return u;
    if (!same) {
        same = arena_alloc(ngc, sizeof *same);
        *same = (NameUse){.name = name, .kind = kind, .loc = loc, .used = name[0] == '_'};
        *s->end = same;
        s->end = &same->next;
    }
    s->use = arena_grow(ngc, s->use, s->uses, &s->room, sizeof(NameUse *));
    s->use[s->uses++] = same;
    *table_at(ngc, &s->at, name) = s->uses;
    return same;
}

static void name_used(Ngc *ngc, NameScope *s, const char *name)
{
    for (; s; s = s->up) {
        NameUse *u = use_of(ngc, s, name);
        if (u)
            u->used = true;
        if (u && u->kind == N_ARGUMENT)
            return;
    }
}

/* A path such as h.0.W reads h, h.0 and h.0.W: what is declared may have a path for its name. */
static void name_read(Ngc *ngc, NameScope *s, const char *path)
{
    for (size_t n = strcspn(path, "."); n > 0; n += path[n] ? 1 + strcspn(path + n + 1, ".") : 0) {
        name_used(ngc, s, intern(ngc, path, n));
        if (path[n] == '\0')
            return;
    }
}

/* "h.0.W" of the expression, or NULL where it is more than names. */
static const char *path_of(Ngc *ngc, const Expr *x)
{
    if (x->kind == X_NAME)
        return x->name;
    const char *left = x->kind == X_FIELD ? path_of(ngc, x->a) : NULL;
    return left ? text_format(ngc, "%s.%s", left, x->name) : NULL;
}

static void names_of_args(Ngc *ngc, NameScope *s, const Arg *a);

/* A sum of many terms is deep on its left: that side is walked. */
static void names_of_expr(Ngc *ngc, NameScope *s, const Expr *x)
{
    for (; x; x = x->a) {
        const char *path = x->kind == X_NAME || x->kind == X_FIELD ? path_of(ngc, x) : NULL;
        if (path)
            name_read(ngc, s, path);
        names_of_args(ngc, s, x->args);
        names_of_expr(ngc, s, x->b);
        names_of_expr(ngc, s, x->c);
    }
}

static void names_of_args(Ngc *ngc, NameScope *s, const Arg *a)
{
    for (; a; a = a->next)
        names_of_expr(ngc, s, a->value);
}

/* The names that a block binds, those of its ifs and loops among them. Of several that one
 * statement binds, any may be wanted. */
static void names_bound(Ngc *ngc, NameScope *s, const Stmt *x)
{
    for (; x; x = x->next) {
        NameUse *all = NULL;
        switch (x->kind) {
        case S_DIM: name_defined(ngc, s, x->name, N_DIM, x->at, NULL); break;
        case S_INPUT: name_defined(ngc, s, x->name, N_INPUT, x->at, NULL); break;
        case S_PARAM:
        case S_STATE: name_defined(ngc, s, x->name, N_WEIGHT, x->at, NULL); break;
        case S_ASSIGN:
            for (const Names *t = x->names; t && (s->def || (s->main && s->branch == 0));
                 t = t->next)
                all = name_defined(ngc, s, t->name, N_VALUE, t->loc, all);
            break;
        case S_DEF:
            if (s->def || s->main)
                name_defined(ngc, s, x->name, N_FUNCTION, x->at, NULL);
            break;
        case S_FOR: names_bound(ngc, s, x->body); break;
        case S_IF:
            s->branch++;
            names_bound(ngc, s, x->body);
            names_bound(ngc, s, x->orelse);
            s->branch--;
            break;
        default: break;
        }
    }
}

static void names_read(Ngc *ngc, NameScope *s, const Stmt *x, const Model *m);

/* What is made and not used is told where a function of the model, or its struct, has it: a param
 * that no loss depends on is told of where it is differentiated, and one of a def that is not
 * called does not exist. */
static bool is_missing(const Model *m, Loc loc)
{
    bool there = false;
    for (int i = 0; i < m->vars; i++)
        there |= m->var[i]->loc.file == loc.file && m->var[i]->loc.at == loc.at;
    for (int i = 0; i < m->roots && there; i++)
        there = !m->root[i].var || m->root[i].var->loc.file != loc.file ||
                m->root[i].var->loc.at != loc.at;
    return there;
}

/* A file without variables may be there to be imported: its functions are not missed. */
static void tell_unused(Ngc *ngc, const NameScope *s, const Model *m)
{
    static const char *const kind[] = {
        [N_INPUT] = "input ", [N_DIM] = "dim ",           [N_VALUE] = "",
        [N_WEIGHT] = "",      [N_ARGUMENT] = "argument ", [N_FUNCTION] = "function "};
    for (const NameUse *u = s->first; u; u = u->next)
        if (!u->used && (u->kind != N_FUNCTION || m->vars) &&
            ((u->kind != N_WEIGHT && u->kind != N_INPUT) || is_missing(m, u->loc)))
            warn(ngc, "unused-name", 209, u->loc, "%s'%s'%s%s is never used", kind[u->kind],
                 u->name, u->kind == N_ARGUMENT ? " of " : "", u->kind == N_ARGUMENT ? s->def : "");
}

static void names_of_def(Ngc *ngc, NameScope *up, const Stmt *def, const Model *m)
{
    NameScope s = {.up = up, .def = def->name};
    s.end = &s.first;
    for (const Arg *a = def->values; a; a = a->next)
        name_defined(ngc, &s, a->name, N_ARGUMENT, a->loc, NULL);
    names_of_args(ngc, &s, def->values);
    names_bound(ngc, &s, def->body);
    names_of_expr(ngc, &s, def->value);
    names_read(ngc, &s, def->body, m);
    tell_unused(ngc, &s, m);
}

static void names_read(Ngc *ngc, NameScope *s, const Stmt *x, const Model *m)
{
    for (; x; x = x->next) {
        if (x->kind == S_DEF) {
            names_of_def(ngc, s, x, m);
            continue;
        }
        bool path =
            x->kind == S_UPDATE || ((x->kind == S_OUTPUT || x->kind == S_METRIC) && !x->value);
        if (path)
            name_read(ngc, s, x->name);
        for (const Names *t = x->names; t && x->kind != S_ASSIGN; t = t->next)
            name_read(ngc, s, t->name);
        names_of_expr(ngc, s, x->value);
        names_of_expr(ngc, s, x->to);
        names_of_expr(ngc, s, x->with);
        names_of_expr(ngc, s, x->init);
        names_of_args(ngc, s, x->values);
        names_of_args(ngc, s, x->sizes);
        names_read(ngc, s, x->body, m);
        names_read(ngc, s, x->orelse, m);
    }
}

/* file: the one that is compiled. What run shows of it is used. */
void warn_unused(const Model *m, int file)
{
    Ngc *ngc = m->graph->ngc;
    NameScope s = {0};
    s.end = &s.first;
    for (int i = 0; i < ngc->files; i++) {
        s.main = i == file;
        if (!ngc->file[i]->library)
            names_bound(ngc, &s, ngc->file[i]->body);
    }
    for (int i = 0; i < m->roots; i++)
        name_read(ngc, &s, m->root[i].name);
    for (int i = 0; i < ngc->files; i++)
        if (!ngc->file[i]->library)
            names_read(ngc, &s, ngc->file[i]->body, m);
    tell_unused(ngc, &s, m);
}

/* ---- the log of a softmax ---- */

static bool is_one_hot(const Node *c)
{
    for (int i = 0; c->op == OP_eq && i < 2; i++) {
        const Node *x = c->arg[i];
        while (op_info[x->op]->flags & F_VIEW || x->op == OP_cast)
            x = x->arg[0];
        if (x->op == OP_iota)
            return true;
    }
    return false;
}

/* What it is of which n has some elements, moved about or not. */
static const Node *taken_from(const Node *n)
{
    for (;;) {
        const Node *w = n->op == OP_sum
                            ? n->arg[0]
                            : NULL; /* take_along: of each row, the element that a label means */
        if (n->op == OP_copy || n->op == OP_stop || n->op == OP_gather ||
            op_info[n->op]->flags & F_VIEW)
            n = n->arg[0];
        else if (w && w->op == OP_where && node_is(w->arg[2], 0) && is_one_hot(w->arg[0]))
            n = w->arg[1];
        else
            return n;
    }
}

/* What is kept from 0 by hand: n = p + 1e-9, maximum(p, 1e-9), clip(p, 1e-9, 1). */
static const Node *guarded(const Node *n)
{
    double v;
    int sides = n->op == OP_where ? 1 : 0; /* its operands are the second and the third */
    if (n->op != OP_add && n->op != OP_maximum && n->op != OP_minimum && n->op != OP_where)
        return NULL;
    return node_const(n->arg[sides], &v)       ? n->arg[sides + 1]
           : node_const(n->arg[sides + 1], &v) ? n->arg[sides]
                                               : NULL;
}

/* exp(u) / sum of it along some axes, written by hand too. */
static bool is_softmax(const Node *n)
{
    const Node *inner;
    for (n = taken_from(n); (inner = guarded(n)); n = taken_from(inner))
        ;
    if (n->op != OP_div)
        return false;
    const Node *e = taken_from(n->arg[0]), *sum = taken_from(n->arg[1]);
    return e->op == OP_exp && sum->op == OP_sum && taken_from(sum->arg[0]) == e;
}

void warn_log(Ngc *ngc, Loc loc, const Node *x)
{
    if (is_softmax(x))
        warn(
            ngc, "log-softmax", 410, loc,
            "the log of a softmax is log_softmax, or a part of cross_entropy; a gradient over the softmax "
            "itself has no slope where a probability rounds to 0");
}

/* ---- probabilities for logits ---- */

/* sigmoid(x), written by hand too. */
static bool is_sigmoid(const Node *n)
{
    n = taken_from(n);
    if (n->op == OP_sigmoid)
        return true;
    if (n->op != OP_div || !node_is(taken_from(n->arg[0]), 1) ||
        taken_from(n->arg[1])->op != OP_add)
        return false;
    const Node *sum = taken_from(n->arg[1]);
    for (int i = 0; i < 2; i++)
        if (taken_from(sum->arg[i])->op == OP_exp && node_is(taken_from(sum->arg[1 - i]), 1))
            return true;
    return false;
}

/* What a loss is given that is meant as "logits" or as "log-probabilities". */
void warn_meant(Lower *L, Loc loc, const Node *x, const char *what)
{
    bool logits = strcmp(what, "logits") == 0;
    const char *is = is_softmax(x) ? "softmax" : is_sigmoid(x) ? "sigmoid" : NULL;
    if (!is || loc.file < 0 || L->ngc->file[loc.file]->library)
        return;
    const char *loss = L->frame && L->frame->func ? L->frame->func->name : "the loss";
    if (logits)
        warn(L->ngc, "not-logits", 411, loc,
             "%s takes logits and makes probabilities of them itself: give it what %s was given",
             loss, is);
    else
        warn(L->ngc, "not-logits", 411, loc,
             "%s takes the logs of probabilities: log_softmax instead of %s", loss, is);
}

/* ---- a column against a row ---- */

/* What a layer makes, [n, 1], compared with labels [n]: of n pairs are made n^2. A column that is
 * made on purpose is a view: x[:, new]. */
void warn_each_with_each(Lower *L, const Expr *x, const Node *column, const Node *row)
{
    Shape all;
    bool library = x->loc.file < 0 || L->ngc->file[x->loc.file]->library;
    bool fit = column->shape.rank == 2 && row->shape.rank == 1 && column->shape.dim[1] == 1 &&
               row->shape.dim[0] != 1;
    if (library || !fit || column->shape.dim[0] != row->shape.dim[0] ||
        op_info[column->op]->flags & F_VIEW)
        return;
    shape_broadcast(column->shape, row->shape, &all);
    const char *name = column->op == OP_var                         ? column->attr.var->name
                       : column->name && !strchr(column->name, '.') ? column->name
                                                                    : "p";
    warn(L->ngc, "broadcast", 412, x->at,
         "%s: shapes %s and %s give %s, each element with each: %s[:, 0] has shape %s", x->name,
         shape_text(L->g, column->shape), shape_text(L->g, row->shape), shape_text(L->g, all), name,
         shape_text(L->g, row->shape));
}

/* ---- very large C ---- */

/* The line of the model from which most of what the roots need comes: any place on it. Counts those
 * operations and all. */
static Loc busiest_line(const Model *m, int *most, int *all)
{
    const Graph *g = m->graph;
    Ngc *ngc = g->ngc;
    Node **root = arena_alloc(ngc, (size_t)(m->roots + 1) * sizeof *root);
    int **count = arena_alloc(ngc, (size_t)ngc->files * sizeof *count);
    Loc best = {.file = -1};
    for (int i = 0; i < m->roots; i++)
        root[i] = m->root[i].node;
    int *uses = graph_uses(m->graph, root, m->roots);
    for (int i = 0; i < ngc->files; i++)
        count[i] = arena_alloc(ngc, ((size_t)ngc->file[i]->size + 1) * sizeof **count);
    *most = *all = 0;
    for (int i = 0; i < g->count; i++) {
        Loc loc = g->node[i]->loc;
        if (uses[i] == 0 || g->node[i]->derived || loc.file < 0 || ngc->file[loc.file]->library)
            continue;
        count[loc.file][loc.at]++;
        ++*all;
    }
    for (int f = 0; f < ngc->files; f++)
        for (int at = 0, first = -1, sum = 0; at <= ngc->file[f]->size; at++) {
            if (count[f][at] && first < 0)
                first = at;
            sum += count[f][at];
            if (sum > *most) {
                *most = sum;
                best = (Loc){.file = f, .at = first, .end = at + 1};
            }
            if (ngc->file[f]->text[at] == '\n') {
                first = -1;
                sum = 0;
            }
        }
    return best;
}

/* Numbers of the model, which a C compiler reads fast, are not meant. */
void warn_large(const Model *m, size_t size)
{
    enum { LARGE = 4 << 20 };
    Ngc *ngc = m->graph->ngc;
    int most, all;
    if (size <= LARGE)
        return;
    Loc loc = busiest_line(m, &most, &all);
    warn(
        ngc, "large-output", 602, loc,
        "the C is %.1f MB, and a compiler takes long over it: this line alone makes %d of the %d operations "
        "before derivatives, as loops and calls are written out pass by pass",
        (double)size / (1 << 20), most, all);
}
