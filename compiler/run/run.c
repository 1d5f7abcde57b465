/* run.c - `ngc run` and `ngc check`: values and derivatives by the reference interpreter, in double
 * precision. In: a model, and name=value for its inputs and dims. Out: a text with the values, or a
 * comparison of each derivative with differences. */
#include "run/run.h"

#include "../runtime/ngrt.h"
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct Run {
    Ngc *ngc;
    Model *m;
    Eval *e;
    double **var;         /* by index of Model.var: room for the elements, or NULL */
    bool given[MAX_DIMS]; /* the run-time dims whose size is known */
    const char *files;    /* of data, or NULL */
    DataRows *rows;       /* what they hold */
    Text *out;            /* what is printed */
} Run;

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
        if (strcmp(name, special[i].name) == 0) {
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
    l->data = arena_alloc(ngc, (size_t)(count + 1) * sizeof *l->data);
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
        if (strcmp(m->graph->dim[d].name, name) == 0)
            return assign_dim(r, d, name, value);
    for (int i = 0; i < m->vars; i++)
        if (strcmp(m->var[i]->name, name) == 0)
            return assign_var(r, i, value);
    return assign_unknown(r, name);
}

/* ---- starting values ---- */

static Run *run_new(Ngc *ngc, Model *m)
{
    Run *r = arena_alloc(ngc, sizeof *r);
    r->ngc = ngc;
    r->m = m;
    r->e = eval_new(ngc, m);
    r->e->training = 1;
    r->e->seed = ngc->opt.seed ? ngc->opt.seed : 1;
    r->var = arena_alloc(ngc, (size_t)(m->vars + 1) * sizeof *r->var);
    return r;
}

/* Params, states and inputs with a default start at their initializers. */
static void run_defaults(Run *r)
{
    for (int i = 0; i < r->m->vars; i++) {
        Var *v = r->m->var[i];
        if (r->var[i] || !v->init)
            continue;
        int64_t dim[MAX_RANK], n = eval_shape(r->e, v->shape, dim);
        r->var[i] = arena_alloc(r->ngc, (size_t)(n + 1) * sizeof **r->var);
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
        int64_t dim[MAX_RANK];
        int64_t n = eval_shape(r->e, v->shape, dim);
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
    Node **root = arena_alloc(r->ngc, (size_t)(r->m->roots + 1) * sizeof *root);
    for (int i = 0; i < r->m->roots; i++)
        root[i] = r->m->root[i].node;
    const int *uses = graph_uses(g, root, r->m->roots);

    r->e->outside = NULL;
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
static void run_ready(Run *r)
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
    int64_t dim[MAX_RANK];
    int64_t n = eval_shape(r->e, v->shape, dim);
    v->invented = v->kind == VAR_INPUT;
    r->var[i] = arena_alloc(r->ngc, (size_t)(n + 1) * sizeof **r->var);
    if (v->type == T_FLOAT)
        ngrt_normal(r->var[i], (size_t)n, 11, (uint32_t)i, 0, 1);
    return v->type == T_INT;
}

/* Integers below the limit that their use sets; where no limit is known, below `range`. */
static void invent_integers(Run *r, int i, int range)
{
    Var *v = r->m->var[i];
    int64_t dim[MAX_RANK];
    int64_t n = eval_shape(r->e, v->shape, dim);
    int64_t limit = v->limit ? v->limit : range;
    for (int64_t k = 0; k < n; k++)
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

/* ---- printing ---- */

enum { INT_DIGITS = 10 };

/* A number as all C libraries print it: no -0, no -nan. */
static void print_number(Text *out, double x, int digits)
{
    if (x == 0)
        x = 0;
    if (isnan(x))
        text_add(out, "nan");
    else
        text_add(out, "%.*g", digits, x);
}

/* Nested lists; the rows of a matrix one below the other. */
static void print_rows(Text *out, const double *x, const int64_t *dim, int rank, int indent,
                       int digits)
{
    if (rank == 0) {
        print_number(out, *x, digits);
        return;
    }

    int64_t inner = 1;
    for (int i = 1; i < rank; i++)
        inner *= dim[i];
    text_add(out, "[");
    for (int64_t i = 0; i < dim[0]; i++) {
        if (i && rank > 1)
            text_add(out, ",\n%*s", indent + 1, "");
        else if (i)
            text_add(out, ", ");
        print_rows(out, x + i * inner, dim + 1, rank - 1, indent + 1, digits);
    }
    text_add(out, "]");
}

/* "next W = [...]"; ints with all their digits. */
static void print_value(Run *r, const char *before, const char *name, Shape shape, Type type,
                        const double *x)
{
    int64_t dim[MAX_RANK];
    eval_shape(r->e, shape, dim);
    int digits = r->ngc->opt.digits;
    if (type == T_INT && digits < INT_DIGITS)
        digits = INT_DIGITS;

    size_t start = r->out->size;
    text_add(r->out, "%s%s = ", before, name);
    print_rows(r->out, x, dim, shape.rank, (int)(r->out->size - start), digits);
    text_add(r->out, "\n");
}

static void print_root(Run *r, const Root *root)
{
    const char *before = root->kind == ROOT_UPDATE ? "next " : "";
    print_value(r, before, root->name, root->node->shape, root->node->type,
                eval_node(r->e, root->node));
}

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
static int run_start(Run *r, char **assign, int count, bool fill)
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

Eval *run_eval(Ngc *ngc, Model *m, char **assign, int count, const char *files, DataRows *rows,
               int *status)
{
    Run *r = run_new(ngc, m);
    r->files = files;
    r->rows = rows;
    *status = run_start(r, assign, count, true);
    return *status == 0 ? r->e : NULL;
}

/* Is the value printed already? One that has a name and is also an output has two roots. rank: the
 * place of each kind in the order of printing. */
static bool is_printed(const Model *m, int root, const int *rank)
{
    const Root *r = &m->root[root];
    if (r->kind == ROOT_UPDATE)
        return false;
    for (int j = 0; j < m->roots; j++) {
        const Root *other = &m->root[j];
        bool before = j < root || rank[other->kind] < rank[r->kind];
        if (j != root && before && other->kind != ROOT_UPDATE && strcmp(other->name, r->name) == 0)
            return true;
    }
    return false;
}

int run_main(Ngc *ngc, Model *m, char **assign, int count, bool fill, Text *out)
{
    static const int rank[] = {[ROOT_NAMED] = 0, [ROOT_OUTPUT] = 1, [ROOT_METRIC] = 2,
                               [ROOT_LOSS] = 3,  [ROOT_GRAD] = 4,   [ROOT_UPDATE] = 5};
    enum { KINDS = sizeof rank / sizeof *rank };
    Run *r = run_new(ngc, m);
    r->out = out;
    int status = run_start(r, assign, count, fill);
    if (status != 0)
        return status;

    for (int i = 0; i < m->vars && fill; i++)
        if (m->var[i]->kind == VAR_INPUT)
            print_value(r, "", m->var[i]->name, m->var[i]->shape, m->var[i]->type, r->var[i]);

    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < m->roots; i++)
            if (rank[m->root[i].kind] == k && !is_printed(m, i, rank))
                print_root(r, &m->root[i]);
    return 0;
}

/* ---- check: derivatives against differences ---- */

/* One gradient being checked: J as a function of x along a direction. */
typedef struct Probe {
    Run *r;
    const Root *root;
    double *x;         /* where the interpreter reads x */
    double *at;        /* a copy of x as it was given */
    double *direction; /* of the step from there */
    double *gradient;  /* of J by x, there */
    double loss;       /* J there */
    double scale;      /* of errors: the largest slope by one element */
    int64_t count;     /* elements of x */
} Probe;

/* The loss with x moved by h along the direction. The graph as the user wrote it is evaluated, not
 * the simplified one. */
static double probe_loss(Probe *p, double h)
{
    Eval *e = p->r->e;
    Node *x = p->root->x;
    eval_forget(e);
    for (int64_t i = 0; i < p->count; i++)
        p->x[i] = p->at[i] + h * p->direction[i];

    if (x->op != OP_var) { /* a value in the middle: given, not computed */
        e->value[x->id] = p->x;
        e->known[x->id] = true;
    }
    return *eval_node(e, p->root->loss);
}

enum Verdict { GOOD, WRONG, KINK };
enum Side { LEFT, RIGHT };

/* Central differences with steps h and 2h, combined so that the error is of fourth order
 * (Richardson); and the slopes to the two sides by the same points, with errors of second order. */
static double probe_slope(Probe *p, double h, double side[2])
{
    double up = probe_loss(p, h) - p->loss;
    double far_up = probe_loss(p, 2 * h) - p->loss;
    double down = p->loss - probe_loss(p, -h);
    double far_down = p->loss - probe_loss(p, -2 * h);

    double one = (up + down) / (2 * h);
    double two = (far_up + far_down) / (4 * h);
    side[LEFT] = (4 * down - far_down) / (2 * h);
    side[RIGHT] = (4 * up - far_up) / (2 * h);
    return (4 * one - two) / 3;
}

/* Is the slope at the smaller step the gradient, or nearer to it than the slope at the larger step?
 */
static bool approaches(double wide, double close, double gradient, double slack)
{
    double error = fabs(close - gradient);
    return error <= slack || error <= 0.5 * fabs(wide - gradient);
}

/* Is a slope to one side undefined, or larger and larger as h shrinks? */
static bool diverges(double wide, double close, double slack)
{
    return isnan(close) || (fabs(close) > slack && fabs(close) > 2 * fabs(wide));
}

/* Are there two slopes, and the gradient between them? Where there is only one slope, the two sides
 * approach it as h shrinks. */
static bool is_between(const double *wide, const double *close, double gradient, double slack)
{
    double apart = fabs(close[RIGHT] - close[LEFT]);
    if (!(apart > slack) || !(apart > 0.3 * fabs(wide[RIGHT] - wide[LEFT])))
        return false;
    return gradient >= fmin(close[LEFT], close[RIGHT]) - slack &&
           gradient <= fmax(close[LEFT], close[RIGHT]) + slack;
}

/* Is this a kink, a jump or the edge of what the loss is defined on, and is the gradient right for
 * it? At a kink the gradient is between the slopes to the two sides. At an edge or a jump it is the
 * slope to the other side, or infinite as a slope is. Where both sides jump, any gradient is right.
 */
static bool probe_is_kink(Probe *p, double gradient, double scale)
{
    double slack = 1e-6 * scale + 1e-9 * fabs(p->loss);
    if (isinf(p->loss))
        return true;
    if (isnan(p->loss) || isnan(gradient))
        return false;

    double wide[2], close[2];
    bool away[2];
    probe_slope(p, 1e-4, wide);
    probe_slope(p, 1e-5, close);
    for (int side = LEFT; side <= RIGHT; side++)
        away[side] = diverges(wide[side], close[side], slack);

    if (away[LEFT] && away[RIGHT])
        return !isnan(close[LEFT]) || !isnan(close[RIGHT]);
    if (away[LEFT])
        return approaches(wide[RIGHT], close[RIGHT], gradient, slack);
    if (away[RIGHT])
        return approaches(wide[LEFT], close[LEFT], gradient, slack);
    return is_between(wide, close, gradient, slack);
}

/* Does the slope agree with the gradient, by one of three steps? Near a kink only the small ones
 * do, and next to a jump of the curvature the slopes to both sides. Raises *worst to the error,
 * except at a kink. */
static enum Verdict probe_judge(Probe *p, double gradient, double scale, double *worst)
{
    double best = INFINITY;
    scale = fmax(scale, 1e-12);

    for (double h = 1e-3; h > 1e-8; h *= 0.03) {
        double side[2];
        double slope = probe_slope(p, h, side);
        double error = fabs(slope - gradient) / scale;
        double left = fabs(side[LEFT] - gradient) / scale;
        double right = fabs(side[RIGHT] - gradient) / scale;
        bool smooth = left <= 1e-5 && right <= 1e-5;

        if (isnan(slope) && isnan(gradient))
            error = 0;
        else if (h == 1e-3 && !smooth && probe_is_kink(p, gradient, scale))
            return KINK;
        best = fmin(best, error);
        if (smooth)
            best = fmin(best, fmax(left, right));
        if (best < 1e-7)
            break;
    }
    *worst = fmax(*worst, best);
    return best < 1e-6 ? GOOD : WRONG;
}

enum { SAMPLES = 24 };

/* What came of one gradient's places. */
typedef struct Count {
    int of[KINK + 1]; /* by verdict */
    double worst;     /* the largest relative error */
} Count;

static Probe probe_new(Run *r, const Root *root)
{
    Eval *e = r->e;
    Node *x = root->x;
    int64_t dim[MAX_RANK];
    Probe p = {.r = r, .root = root, .count = eval_shape(e, x->shape, dim)};
    size_t size = (size_t)p.count * sizeof(double);

    run_ready(r);
    p.gradient = arena_copy(r->ngc, eval_node(e, root->node), size);
    p.loss = *eval_node(e, root->loss);
    p.at = arena_copy(r->ngc, eval_node(e, x), size);
    p.direction = arena_alloc(r->ngc, size);
    p.x = x->op == OP_var ? r->var[x->attr.var->index] : arena_alloc(r->ngc, size);

    p.scale = 1e-6 * fabs(p.loss);
    for (int64_t i = 0; i < p.count; i++)
        if (isfinite(p.gradient[i]))
            p.scale = fmax(p.scale, fabs(p.gradient[i]));
    return p;
}

/* Compares the gradient at sampled elements, in a small tensor at all of them. */
static void check_elements(Probe *p, Count *count)
{
    for (int64_t k = 0; k < p->count && k < SAMPLES; k++) {
        int64_t i = k;
        if (p->count > SAMPLES)
            i = (int64_t)((uint64_t)k * 2654435761u % (uint64_t)p->count);
        p->direction[i] = 1;
        count->of[probe_judge(p, p->gradient[i], p->scale, &count->worst)]++;
        p->direction[i] = 0;
    }
}

/* Compares the gradient along one random direction. */
static void check_direction(Probe *p, Count *count)
{
    double slope = 0;
    ngrt_normal(p->direction, (size_t)p->count, 7, 0, 0, 1);
    for (int64_t i = 0; i < p->count; i++)
        slope += p->gradient[i] * p->direction[i];
    count->of[probe_judge(p, slope, fmax(p->scale, fabs(slope)), &count->worst)]++;
}

static Count check_root(Run *r, const Root *root)
{
    Count count = {0};
    Probe p = probe_new(r, root);
    double *room = r->e->value[root->x->id];

    check_elements(&p, &count);
    if (p.count > SAMPLES)
        check_direction(&p, &count);

    memcpy(p.x, p.at, (size_t)p.count * sizeof *p.x);
    r->e->value[root->x->id] = room;
    return count;
}

/* given: rules of the user are in it, which need not be slopes */
static void print_count(Text *out, const char *name, const Count *c, bool given)
{
    int smooth = c->of[GOOD] + c->of[WRONG];
    text_add(out, "%s: ", name);
    if (c->of[WRONG] && given)
        text_add(out, "not the slope at %d of %d places", c->of[WRONG], smooth);
    else if (c->of[WRONG])
        text_add(out, "WRONG at %d of %d places", c->of[WRONG], smooth);
    else
        text_add(out, "ok");
    text_add(out, ", largest relative error %.1e", c->worst);
    if (!c->of[WRONG])
        text_add(out, " at %d places", smooth);
    if (c->of[KINK])
        text_add(out, ", %d at a kink", c->of[KINK]);
    text_add(out, "\n");
}

/* A derivative differs from differences. If a def gives a rule that is in it, this is for the user
 * to judge: says so. Else it is a fault of ngc. */
static bool is_given(const Run *r, const Root *root)
{
    Loc first;
    const char *names = given_names(r->m->graph, root->loss, root->x, &first);
    if (names)
        diag(r->ngc, SEV_NOTE, NO_CODE, first,
             "%s follows the rules %s, and is not the slope of differences", root->name, names);
    return names != NULL;
}

int check_main(Ngc *ngc, Model *m, char **assign, int count, Text *out)
{
    Run *r = run_new(ngc, m);
    r->out = out;
    int failed = 0, derivatives = 0, given = 0;
    int status = run_start(r, assign, count, true);
    if (status != 0)
        return status;

    for (int i = 0; i < m->roots; i++) {
        if (m->root[i].kind != ROOT_GRAD)
            continue;
        Count c = check_root(r, &m->root[i]);
        bool by_user = c.of[WRONG] > 0 && is_given(r, &m->root[i]);
        derivatives++;
        given += by_user;
        failed += c.of[WRONG] > 0 && !by_user;
        print_count(out, m->root[i].name, &c, by_user);
    }

    if (!derivatives)
        diag(ngc, SEV_NOTE, NO_CODE, (Loc){.file = -1}, "the model asks for no derivative");
    text_add(out, "%d derivatives, %d wrong", derivatives, failed);
    if (given)
        text_add(out, ", %d by rules of defs", given);
    text_add(out, "\n");
    return failed ? 1 : 0;
}
