/* warn.c - warnings about what is legal but probably a mistake: names that nothing uses, the log of
 * a softmax, C of many megabytes. */
#include "lang/lower.h"

#include <string.h>

/* ---- unused names ---- */

/* Names are followed in the text, not in what is executed: a name that is only used in the branch
 * of an `if` that is not taken is used. A def has names of its own, and all files share one scope.
 * A name that is read inside a def is looked for there and outside; in doubt it is used. */
typedef enum { N_INPUT, N_DIM, N_VALUE, N_WEIGHT, N_ARGUMENT, N_FUNCTION } NameKind;

typedef struct NameUse {
    const char *name;
    NameKind kind;
    Loc loc; /* of the definition */
    bool used;
    struct NameUse *next; /* in the order of definition */
} NameUse;

typedef struct NameScope {
    struct NameScope *up; /* the scope around it; NULL: none */
    const char *def;      /* the def whose names they are; NULL: the scope of the files */
    bool main;            /* in the file that is compiled: an imported file may serve others too */
    int branch;           /* depth of the ifs around: run may not show what they assign */
    Table at;             /* of a name: 1 + its index in `use` */
    NameUse **use;        /* several names may share one use */
    int uses;             /* their number */
    int room;             /* allocated in `use` */
    NameUse *first;       /* the list of different uses */
    NameUse **end;        /* where the next one is linked in */
} NameScope;

static NameUse *use_of(Ngc *ngc, NameScope *s, const char *name)
{
    int at = *table_at(ngc, &s->at, name);
    if (at)
        return s->use[at - 1];
    return NULL;
}

/* Defines a name. `same`, if not NULL, is a name that counts as used if this one is used. */
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
    LIST_GROW(ngc, s->use, s->uses, &s->room);
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
    size_t n = strcspn(path, ".");
    while (n > 0) {
        name_used(ngc, s, intern(ngc, path, n));
        if (path[n] == '\0')
            return;
        n += 1 + strcspn(path + n + 1, ".");
    }
}

/* The text "h.0.W" of an expression; NULL: it is not a path. */
static const char *path_of(Ngc *ngc, const Expr *x)
{
    if (x->kind == X_NAME)
        return x->name;
    const char *left = NULL;
    if (x->kind == X_FIELD)
        left = path_of(ngc, x->a);
    if (!left)
        return NULL;
    return text_format(ngc, "%s.%s", left, x->name);
}

static void names_of_args(Ngc *ngc, NameScope *s, const Arg *a);

/* A sum of many terms is deep on its left side, so that side is a loop. */
static void names_of_expr(Ngc *ngc, NameScope *s, const Expr *x)
{
    for (; x; x = x->a) {
        const char *path = NULL;
        if (x->kind == X_NAME || x->kind == X_FIELD)
            path = path_of(ngc, x);
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

/* The names on the left of an assignment. If one of several is used, the assignment is of use.
 * `ngc run` shows the values of the compiled file, but not those of an imported one, or of an if.
 */
static void names_assigned(Ngc *ngc, NameScope *s, const Stmt *x)
{
    NameUse *all = NULL;
    bool counts = s->def || (s->main && s->branch == 0);
    for (const Names *t = x->names; t && counts; t = t->next)
        all = name_defined(ngc, s, t->name, N_VALUE, t->loc, all);
}

/* Defines the names that a block binds, also in its ifs and loops. */
static void names_bound(Ngc *ngc, NameScope *s, const Stmt *x)
{
    for (; x; x = x->next) {
        switch (x->kind) {
        case S_DIM: name_defined(ngc, s, x->name, N_DIM, x->at, NULL); break;
        case S_INPUT: name_defined(ngc, s, x->name, N_INPUT, x->at, NULL); break;
        case S_PARAM:
        case S_STATE: name_defined(ngc, s, x->name, N_WEIGHT, x->at, NULL); break;
        case S_ASSIGN: names_assigned(ngc, s, x); break;
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

static bool is_declared_at(const Var *v, Loc loc)
{
    return v && v->loc.file == loc.file && v->loc.at == loc.at;
}

/* Does the model have the variable that is declared there, and no gradient or update of it? A
 * variable that no loss depends on is reported where it is differentiated. The variables of a def
 * that is not called do not exist. */
static bool is_idle_variable(const Model *m, Loc loc)
{
    bool exists = false;
    for (int i = 0; i < m->vars; i++)
        exists |= is_declared_at(m->var[i], loc);

    for (int i = 0; i < m->roots; i++)
        if (is_declared_at(m->root[i].var, loc))
            return false;
    return exists;
}

/* A file without variables may be there to be imported, so its functions need not be used. */
static bool is_unused(const Model *m, const NameUse *u)
{
    if (u->used)
        return false;
    switch (u->kind) {
    case N_FUNCTION: return m->vars > 0;
    case N_WEIGHT:
    case N_INPUT: return is_idle_variable(m, u->loc);
    default: return true;
    }
}

static void report_unused(Ngc *ngc, const NameScope *s, const Model *m)
{
    static const char *const kind[] = {
        [N_INPUT] = "input ", [N_DIM] = "dim ",           [N_VALUE] = "",
        [N_WEIGHT] = "",      [N_ARGUMENT] = "argument ", [N_FUNCTION] = "function "};

    for (const NameUse *u = s->first; u; u = u->next) {
        if (!is_unused(m, u))
            continue;
        const char *owner = "";
        if (u->kind == N_ARGUMENT)
            owner = text_format(ngc, " of %s", s->def);
        warn(ngc, "unused-name", ERR_UNUSED_NAME, u->loc, "%s'%s'%s is never used", kind[u->kind],
             u->name, owner);
    }
}

/* A backward part has names of its own. That of the result may be left out, and the adjoint counts
 * as used: backward(dy) = 0 stops every gradient. */
static void names_of_backward(Ngc *ngc, NameScope *def, const Stmt *part, const Model *m)
{
    NameScope s = {.up = def, .def = def->def};
    s.end = &s.first;
    for (const Names *n = part->names; n; n = n->next)
        name_defined(ngc, &s, n->name, N_ARGUMENT, n->loc, NULL);
    name_used(ngc, &s, part->names->name);
    names_bound(ngc, &s, part->body);
    names_read(ngc, &s, part->body, m);
    report_unused(ngc, &s, m);
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
    if (def->backward)
        names_of_backward(ngc, &s, def->backward, m);
    report_unused(ngc, &s, m);
}

static void names_read(Ngc *ngc, NameScope *s, const Stmt *x, const Model *m)
{
    for (; x; x = x->next) {
        if (x->kind == S_DEF) {
            names_of_def(ngc, s, x, m);
            continue;
        }

        bool is_result = x->kind == S_OUTPUT || x->kind == S_METRIC;
        if (x->kind == S_UPDATE || (is_result && !x->value))
            name_read(ngc, s, x->name);
        if (x->kind != S_ASSIGN)
            for (const Names *t = x->names; t; t = t->next)
                name_read(ngc, s, t->name);

        names_of_expr(ngc, s, x->value);
        names_of_expr(ngc, s, x->to);
        names_of_expr(ngc, s, x->test);
        names_of_expr(ngc, s, x->with);
        names_of_expr(ngc, s, x->init);
        names_of_args(ngc, s, x->values);
        names_of_args(ngc, s, x->sizes);
        names_read(ngc, s, x->body, m);
        names_read(ngc, s, x->orelse, m);
    }
}

/* file: the one that is compiled. What `ngc run` shows of it is used. */
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
    report_unused(ngc, &s, m);
}

/* ---- the log of a softmax ---- */

/* Is it label == iota, in any spelling? */
static bool is_one_hot(const Node *c)
{
    for (int i = 0; c->op == OP_eq && i < 2; i++) {
        const Node *x = c->arg[i];
        while (node_has(x, F_VIEW) || x->op == OP_cast)
            x = x->arg[0];
        if (x->op == OP_iota)
            return true;
    }
    return false;
}

/* take_along is sum(where(one_hot, x, 0)): of each row, the element of the label. Returns x, or
 * NULL. */
static const Node *taken_along(const Node *n)
{
    if (n->op != OP_sum || n->arg[0]->op != OP_where)
        return NULL;
    const Node *where = n->arg[0];
    if (!node_is(where->arg[2], 0) || !is_one_hot(where->arg[0]))
        return NULL;
    return where->arg[1];
}

/* The node that n has all or some elements of, in any order. */
static const Node *taken_from(const Node *n)
{
    for (;;) {
        const Node *along = taken_along(n);
        if (op_info[n->op]->flags & (F_VIEW | F_SAME))
            n = n->arg[0];
        else if (along)
            n = along;
        else
            return n;
    }
}

/* p of n = p + 1e-9, maximum(p, 1e-9) or clip(p, 1e-9, 1), which keep p away from 0; else NULL. A
 * choice may have p several times. */
static const Node *guarded(const Node *n)
{
    double v;
    if (n->op == OP_stop)
        return n->arg[0];
    if (n->op != OP_add && n->op != OP_maximum && n->op != OP_minimum && n->op != OP_where)
        return NULL;

    int first = n->op == OP_where ? 1 : 0;
    Node *a = n->arg[first];
    Node *b = n->arg[first + 1];
    if (node_const(a, &v))
        return b;
    if (node_const(b, &v))
        return a;

    const Node *inner = b;
    while (n->op == OP_where && inner && inner != a)
        inner = guarded(inner);
    return inner == a ? a : NULL;
}

/* exp(u) / sum(exp(u)) along some axes, also if it is written by hand. */
static bool is_softmax(const Node *n)
{
    n = taken_from(n);
    for (const Node *inner = guarded(n); inner; inner = guarded(n))
        n = taken_from(inner);

    if (n->op != OP_div)
        return false;
    const Node *e = taken_from(n->arg[0]);
    const Node *sum = taken_from(n->arg[1]);
    return e->op == OP_exp && sum->op == OP_sum && taken_from(sum->arg[0]) == e;
}

void warn_log(Ngc *ngc, Loc loc, const Node *x)
{
    if (is_softmax(x))
        warn(ngc, "log-softmax", ERR_LOG_SOFTMAX, loc,
             "the log of a softmax is log_softmax, or a part of cross_entropy; a gradient over "
             "the softmax itself has no slope where a probability rounds to 0");
}

/* ---- a product with 0 and 1 in place of a choice ---- */

/* Is n a comparison of x with a number, which is 0 where x is 0? */
static bool is_off_at_0(const Node *n, const Node *x)
{
    n = taken_from(n);
    if (n->op == OP_cast)
        n = taken_from(n->arg[0]);
    if (!op_info[n->op]->test || n->nargs != 2)
        return false;

    for (int i = 0; i < 2; i++) {
        double at[2] = {0, 0};
        if (taken_from(n->arg[i]) == x && node_const(taken_from(n->arg[1 - i]), &at[1 - i]))
            return op_info[n->op]->value(at[0], at[1], 0) == 0;
    }
    return false;
}

/* The x of sqrt(x), log(x), 1/x or x^k, whose slope is not finite at 0, if n is one; else NULL. */
static const Node *singular_at_0(const Node *n)
{
    double k;
    if (n->op == OP_sqrt || n->op == OP_log)
        return taken_from(n->arg[0]);
    if (n->op == OP_div)
        return taken_from(n->arg[1]);
    bool power = n->op == OP_pow && node_const(taken_from(n->arg[1]), &k) && k < 1 && k != 0;
    if (!power)
        return NULL;
    return taken_from(n->arg[0]);
}

/* The same for n or a factor or term of it, where the mask is 0; else NULL. */
static const Node *singular_under(const Node *n, const Node *mask, int depth)
{
    n = taken_from(n);
    const Node *x = singular_at_0(n);
    if (x && is_off_at_0(mask, x))
        return n;

    bool open =
        n->op == OP_mul || n->op == OP_div || n->op == OP_add || n->op == OP_sub || n->op == OP_neg;
    const Node *found = NULL;
    for (int i = 0; open && depth > 0 && i < n->nargs && !found; i++)
        found = singular_under(n->arg[i], mask, depth - 1);
    return found;
}

/* (x > 0)*sqrt(x) and (x != 0)/x: at 0, 0 times infinity is not a number. */
void warn_mask(Lower *L, const Expr *x, Op op, const Node *a, const Node *b)
{
    bool library = !loc_of_user(L->ngc, x->loc);
    const Node *f = NULL;
    if (library || (op != OP_mul && op != OP_div))
        return;

    if (op == OP_mul)
        f = singular_under(b, a, 3);
    if (op == OP_mul && !f)
        f = singular_under(a, b, 3);
    if (f || (op == OP_div && is_off_at_0(a, taken_from(b))))
        warn(L->ngc, "mask-product", ERR_MASK_PRODUCT, x->loc,
             "0 times infinity is not a number, so a product with a comparison does not leave "
             "out what is infinite at 0, or has an infinite slope there: "
             "where(condition, value, 0) does");
}

/* ---- probabilities for logits ---- */

/* sigmoid(x) or 1/(1 + exp(..)). */
static bool is_sigmoid(const Node *n)
{
    n = taken_from(n);
    if (n->op == OP_sigmoid)
        return true;
    if (n->op != OP_div || !node_is(taken_from(n->arg[0]), 1))
        return false;

    const Node *sum = taken_from(n->arg[1]);
    if (sum->op != OP_add)
        return false;
    for (int i = 0; i < 2; i++)
        if (taken_from(sum->arg[i])->op == OP_exp && node_is(taken_from(sum->arg[1 - i]), 1))
            return true;
    return false;
}

/* Warns if a loss is given probabilities, but takes "logits" or "log-probabilities" (`what`). */
void warn_meant(Lower *L, Loc loc, const Node *x, const char *what)
{
    Ngc *ngc = L->ngc;
    const char *is = NULL;
    if (is_softmax(x))
        is = "softmax";
    else if (is_sigmoid(x))
        is = "sigmoid";
    if (!is || !loc_of_user(ngc, loc))
        return;

    const char *loss = L->frame && L->frame->func ? L->frame->func->name : "the loss";
    if (same_text(what, "logits"))
        warn(ngc, "not-logits", ERR_NOT_LOGITS, loc,
             "%s takes logits and makes probabilities of them itself: give it what %s was given",
             loss, is);
    else
        warn(ngc, "not-logits", ERR_NOT_LOGITS, loc,
             "%s takes the logs of probabilities: log_softmax instead of %s", loss, is);
}

/* ---- a column against a row ---- */

/* The output of a layer, [n, 1], compared with labels, [n]: n^2 pairs instead of n. A column that
 * is made on purpose is a view, x[:, new]. */
void warn_each_with_each(Lower *L, const Expr *x, const Node *column, const Node *row)
{
    Graph *g = L->g;
    Shape a = column->shape;
    Shape b = row->shape;
    Shape all;
    bool library = !loc_of_user(L->ngc, x->loc);
    bool is_column = a.rank == 2 && a.dim[1] == 1 && !node_has(column, F_VIEW);
    bool is_row = b.rank == 1 && b.dim[0] != 1;
    if (library || !is_column || !is_row || a.dim[0] != b.dim[0])
        return;

    const char *name = "p";
    if (column->op == OP_var)
        name = column->attr.var->name;
    else if (column->name && !strchr(column->name, '.'))
        name = column->name;

    shape_broadcast(a, b, &all);
    warn(L->ngc, "broadcast", ERR_BROADCAST, x->at,
         "%s: shapes %s and %s give %s, each element with each: %s[:, 0] has shape %s", x->name,
         shape_text(g, a), shape_text(g, b), shape_text(g, all), name, shape_text(g, b));
}

/* ---- very large C ---- */

/* Counts the operations that the roots need and that are not derivatives: all of them, and
 * by file and by place in its text. */
static int count_operations(const Model *m, int **count)
{
    const Graph *g = m->graph;
    Ngc *ngc = g->ngc;
    const int *uses = model_uses(m);
    int all = 0;

    for (int i = 0; i < ngc->files; i++)
        count[i] = arena_array(ngc, ngc->file[i]->size + 1, sizeof **count);

    for (int i = 0; i < g->count; i++) {
        Loc loc = g->node[i]->loc;
        if (uses[i] == 0 || g->node[i]->derived || !loc_of_user(ngc, loc))
            continue;
        count[loc.file][loc.at]++;
        all++;
    }
    return all;
}

/* The line of file f with the most operations, if they are more than *most. */
static void busiest_of_file(const Source *file, int f, const int *count, int *most, Loc *best)
{
    int first = -1, sum = 0; /* of this line: the first place with an operation, and how many */

    for (int at = 0; at <= file->size; at++) {
        if (count[at] && first < 0)
            first = at;
        sum += count[at];
        if (sum > *most) {
            *most = sum;
            *best = (Loc){.file = f, .at = first, .end = at + 1};
        }
        if (file->text[at] == '\n') {
            first = -1;
            sum = 0;
        }
    }
}

/* The line of the model that makes the most operations. Counts these and all. */
static Loc busiest_line(const Model *m, int *most, int *all)
{
    Ngc *ngc = m->graph->ngc;
    int **count = arena_array(ngc, ngc->files, sizeof *count);
    Loc best = {.file = -1};

    *most = 0;
    *all = count_operations(m, count);
    for (int f = 0; f < ngc->files; f++)
        busiest_of_file(ngc->file[f], f, count[f], most, &best);
    return best;
}

/* size: of the C without the model's numbers, which a C compiler reads fast. */
void warn_large(const Model *m, size_t size)
{
    enum { LARGE = 4 << 20 };
    int most, all;
    if (size <= LARGE)
        return;

    Loc loc = busiest_line(m, &most, &all);
    warn(m->graph->ngc, "large-output", ERR_LARGE_OUTPUT, loc,
         "the C is %.1f MB, and a compiler takes long over it: this line alone makes %d of the %d "
         "operations before derivatives, as loops and calls are written out pass by pass",
         (double)size / (1 << 20), most, all);
}
