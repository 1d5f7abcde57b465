/* run_values.c - the values that a run starts with. In: a model, and name=value for its inputs and
 * dims. Out: every variable has a value, or there is a message. */
#include "run/run_values.h"

#include "../runtime/ngrt.h"
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- values from the command line ---- */

/* What name=value says: a number, or nested lists of numbers. */
typedef struct Literal {
    Shape shape;
    double *data;
    int64_t count;
} Literal;

/* inf or nan, as `ngc run` prints them. */
static bool special_number(const char *name, double *out)
{
    static const struct {
        const char *name;
        double value;
    } special[] = {
        {"inf", INFINITY},      {"Inf", INFINITY}, {"infinity", INFINITY},
        {"Infinity", INFINITY}, {"nan", NAN},      {"NaN", NAN},
    };
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (same_text(name, special[i].name)) {
            *out = special[i].value;
            return true;
        }
    return false;
}

/* A number with or without a sign. */
static bool literal_number(const Expr *x, double *out)
{
    if (x->kind == X_NEG) {
        if (x->a->kind == X_NEG || !literal_number(x->a, out))
            return false;
        *out = -*out;
        return true;
    }
    if (x->kind == X_NUM) {
        *out = x->num;
        return true;
    }
    return x->kind == X_NAME && special_number(x->name, out);
}

/* Reads nested lists of numbers; false: it is something else, or uneven. Counts all numbers and
 * keeps the first `room` of them. */
static bool literal_read(const Expr *x, Literal *l, int depth, int64_t room)
{
    double number;
    if (literal_number(x, &number)) {
        if (l->count < room)
            l->data[l->count] = number;
        l->count++;
        return depth == l->shape.rank;
    }
    if (x->kind != X_LIST || depth == l->shape.rank)
        return false;

    int64_t n = 0;
    for (const Arg *a = x->args; a; a = a->next, n++)
        if (!literal_read(a->value, l, depth + 1, room))
            return false;
    return n == l->shape.dim[depth];
}

/* The text as an expression, or NULL. */
static const Expr *literal_parse(Ngc *ngc, const char *text)
{
    /* by the parser of the language, so numbers and lists are written as in a model */
    const char *statement = text_format(ngc, "v = %s", text);
    int errors = ngc->errors;
    int file = source_add(ngc, "the command line", statement, strlen(statement), false);
    if (file < 0)
        return NULL;
    const Stmt *s = parse(ngc, file);
    bool single = s && !s->next && s->kind == S_ASSIGN;
    return single && ngc->errors == errors ? s->value : NULL;
}

/* The sizes of nested lists, by the first of each. */
static Shape literal_shape(const Expr *x)
{
    Shape shape = {0};
    while (x->kind == X_LIST && x->args && shape.rank < MAX_RANK) {
        Size n = 0;
        for (const Arg *a = x->args; a; a = a->next)
            n++;
        shape.dim[shape.rank++] = n;
        x = x->args->value;
    }
    return shape;
}

static bool literal(Ngc *ngc, const char *text, Literal *l)
{
    const Expr *x = literal_parse(ngc, text);
    if (!x)
        return false;

    /* once to count, once to keep */
    *l = (Literal){.shape = literal_shape(x)};
    if (!literal_read(x, l, 0, 0))
        return false;
    int64_t count = l->count;
    l->data = arena_array(ngc, count + 1, sizeof *l->data);
    l->count = 0;
    return literal_read(x, l, 0, count);
}

/* Reports an error of the user's. Returns 1, the number of errors. */
__attribute__((format(printf, 2, 3))) static int usage(Run *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(r->ngc, "%s", text_vformat(r->ngc, format, args));
    va_end(args);
    return 1;
}

/* Takes the shape of a given value as the sizes of the run-time dims in the declared shape; false:
 * the ranks differ. */
static bool bind_dims(Run *r, Shape declared, Shape given)
{
    Graph *g = r->m->graph;
    if (declared.rank != given.rank)
        return false;

    for (int i = 0; i < declared.rank; i++) {
        for (int d = 0; d < g->dims; d++) {
            /* only an axis that is a dim itself, not 2*m, says its size */
            if (r->given[d] || declared.dim[i] != size_dim(g, d))
                continue;
            r->given[d] = true;
            r->e->dim[d] = given.dim[i];
        }
    }
    return true;
}

static int assign_dim(Run *r, int d, const char *name, const char *text)
{
    char *end;
    long long n = strtoll(text, &end, 10);
    if (*end || end == text || n < 1 || n > r->m->graph->dim[d].max)
        return usage(r, "%s must be a whole number from 1 to %s", name,
                     size_text(r->m->graph, r->m->graph->dim[d].max, ""));
    r->e->dim[d] = n;
    r->given[d] = true;
    return 0;
}

/* Is the given shape the declared one, with the sizes of run-time dims as they are known? */
static bool shape_fits(Run *r, Shape declared, Shape given)
{
    if (!bind_dims(r, declared, given))
        return false;
    for (int k = 0; k < given.rank; k++)
        if (size_at(r->m->graph, declared.dim[k], r->e->dim) != given.dim[k])
            return false;
    return true;
}

static int assign_var(Run *r, int i, const char *text)
{
    const Var *v = r->m->var[i];
    Literal l;
    if (!literal(r->ngc, text, &l))
        return usage(r, "'%s' is not a number or a list of equal rows, as in %s=[[1, 2], [3, 4]]",
                     text, v->name);
    if (!shape_fits(r, v->shape, l.shape))
        return usage(r, "%s has shape %s", v->name, shape_text(r->m->graph, v->shape));
    r->var[i] = l.data;
    return 0;
}

/* No dim and no variable has this name. */
static int assign_unknown(Run *r, const char *name)
{
    enum { MOST = 256 };
    const Model *m = r->m;
    const char *known[MOST];
    int n = 0;
    for (int d = 0; d < m->graph->dims && n < MOST; d++)
        known[n++] = m->graph->dim[d].name;
    for (int i = 0; i < m->vars && n < MOST; i++)
        known[n++] = m->var[i]->name;

    const char *guess = suggest(r->ngc, name, known, n);
    if (guess)
        return usage(r, "the model has no '%s'; did you mean '%s'?", name, guess);
    return usage(r, "the model has no '%s'", name);
}

/* name=value of a dim or a variable. Returns the number of errors. */
static int assign_one(Run *r, const char *text)
{
    const Model *m = r->m;
    const char *eq = strchr(text, '=');
    if (!eq)
        return usage(r, "'%s' is not name=value", text);
    const char *name = text_format(r->ngc, "%.*s", (int)(eq - text), text);
    const char *value = eq + 1;

    for (int d = 0; d < m->graph->dims; d++)
        if (same_text(m->graph->dim[d].name, name))
            return assign_dim(r, d, name, value);
    for (int i = 0; i < m->vars; i++)
        if (same_text(m->var[i]->name, name))
            return assign_var(r, i, value);
    return assign_unknown(r, name);
}

/* ---- starting values ---- */

Run *run_new(Ngc *ngc, Model *m)
{
    Run *r = arena_alloc(ngc, sizeof *r);
    r->ngc = ngc;
    r->m = m;
    r->e = eval_new(ngc, m);
    r->e->training = 1;
    r->e->seed = ngc->opt.seed ? ngc->opt.seed : 1;
    r->var = arena_array(ngc, m->vars + 1, sizeof *r->var);
    return r;
}

/* Params, states and inputs with a default start at their initializers. */
static void run_defaults(Run *r)
{
    for (int i = 0; i < r->m->vars; i++) {
        Var *v = r->m->var[i];
        if (r->var[i] || !v->init)
            continue;
        int64_t n = eval_count(r->e, v->shape);
        r->var[i] = arena_array(r->ngc, n + 1, sizeof **r->var);
        memcpy(r->var[i], eval_node(r->e, v->init), (size_t)n * sizeof **r->var);
    }
}

/* May a label or an index of this input be x? It is whole, and in range where one is known. */
static bool label_fits(const Var *v, double x)
{
    if (!isfinite(x) || x != floor(x))
        return false;
    return v->limit <= 0 || (x >= 0 && x < (double)v->limit);
}

static void complain_label(Run *r, const Var *v, double x)
{
    const char *range = "";
    if (v->limit)
        range = text_format(r->ngc, ", from 0 to %lld", (long long)v->limit - 1);
    usage(r, "%s holds %.9g; it must be whole%s", v->name, x, range);
}

/* What emitted code checks of labels and indices, checked here too. */
static void check_labels(Run *r)
{
    for (int i = 0; i < r->m->vars; i++) {
        Var *v = r->m->var[i];
        int64_t n = eval_count(r->e, v->shape);
        if (v->type != T_INT)
            continue;

        for (int64_t k = 0; k < n; k++) {
            if (label_fits(v, r->var[i][k]))
                continue;
            complain_label(r, v, r->var[i][k]);
            break;
        }
    }
}

/* The first computed index that is out of its range, of those that the model's results need; NULL:
 * there is none. It is out of range too if its arithmetic leaves the range of ints. */
static const Node *find_outside(Run *r)
{
    Graph *g = r->m->graph;
    const int *uses = model_uses(r->m);

    r->e->outside = NULL;
    /* then an int that leaves 32 bits counts as out of range */
    r->e->exact_ints = true;
    eval_forget(r->e);
    for (int i = 0; i < g->count && !r->e->outside; i++)
        if (g->node[i]->op == OP_checked && uses[i] > 0)
            eval_node(r->e, g->node[i]);
    r->e->exact_ints = false;
    eval_forget(r->e);
    return r->e->outside;
}

/* What emitted code checks of computed indices, checked here too. */
static void check_indices(Run *r)
{
    const Node *n = find_outside(r);
    if (!n)
        return;
    long long last = (long long)size_at(r->m->graph, n->attr.size, r->e->dim) - 1;
    usage(r, "the index %s is %.9g; it must be from 0 to %lld", node_text(r->m->graph, n, 2),
          r->e->outside_value, last);
}

/* Gives the interpreter the values, and makes it forget what it computed of others. */
void run_ready(Run *r)
{
    for (int i = 0; i < r->m->vars; i++)
        r->e->var[i] = r->var[i];
    eval_forget(r->e);
}

/* Invents the input i, seeded normals. Returns whether it is integers, which are still to choose.
 */
static bool invent_input(Run *r, int i)
{
    Var *v = r->m->var[i];
    int64_t n = eval_count(r->e, v->shape);
    v->invented = v->kind == VAR_INPUT;
    r->var[i] = arena_array(r->ngc, n + 1, sizeof **r->var);
    if (v->type == T_FLOAT)
        ngrt_normal(r->var[i], (size_t)n, 11, (uint32_t)i, 0, 1);
    return v->type == T_INT;
}

/* Integers below the limit that their use sets; where no limit is known, below `range`. */
static void invent_integers(Run *r, int i, int range)
{
    Var *v = r->m->var[i];
    int64_t n = eval_count(r->e, v->shape);
    int64_t limit = v->limit ? v->limit : range;
    for (int64_t k = 0; k < n; k++)
        /* no random numbers: the same labels in every run */
        r->var[i][k] = (double)((k * 7 + 3) % limit);
}

/* Invents what the user gives no value for. Indices may be computed from integers of which no range
 * is known: these are chosen from smaller and smaller ranges until all indices are right. */
static void fill_inputs(Run *r)
{
    bool *chosen = arena_alloc(r->ngc, (size_t)r->m->vars + 1);
    bool some = false;
    for (int i = 0; i < r->m->vars; i++) {
        if (r->var[i])
            continue;
        chosen[i] = invent_input(r, i);
        some |= chosen[i];
    }

    for (int range = 10; some && range > 0; range--) {
        for (int i = 0; i < r->m->vars; i++)
            if (chosen[i])
                invent_integers(r, i, range);
        run_ready(r);
        if (!find_outside(r))
            break;
    }
}

/* ---- the start of a run ---- */

/* Dims that neither the user nor a given value sets are as large as they may be. */
static void default_dims(Run *r)
{
    const Graph *g = r->m->graph;
    for (int d = 0; d < g->dims; d++)
        if (!r->given[d])
            r->e->dim[d] = g->dim[d].max;
}

/* Complains of each variable without a value. Returns the number of errors. */
static int missing_inputs(Run *r)
{
    const Model *m = r->m;
    int errors = 0;
    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];
        if (!r->var[i])
            errors += usage(r, "input %s%s is not given: give %s=VALUE", v->name,
                            v->shape.rank ? shape_text(m->graph, v->shape) : "", v->name);
    }
    return errors;
}

/* Are the values such that the model can be computed? Makes the interpreter ready for them. */
static bool values_are_right(Run *r)
{
    check_labels(r);
    if (r->ngc->errors)
        return false;
    run_ready(r);
    check_indices(r);
    return r->ngc->errors == 0;
}

/* Gives every variable a value. Returns 0, or the exit status where that failed. */
int run_start(Run *r, char **assign, int count, bool fill)
{
    int errors = 0;
    for (int i = 0; i < count; i++)
        errors += assign_one(r, assign[i]);
    if (errors)
        return 2;
    default_dims(r);

    if (r->files) {
        int status = data_bind(r->ngc, r->m, r->e, r->files, r->var, r->rows);
        if (status != 0)
            return status;
    }
    run_defaults(r);
    if (fill)
        fill_inputs(r);

    if (missing_inputs(r))
        return 2;
    return values_are_right(r) ? 0 : 1;
}
