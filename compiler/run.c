/* run.c - `ngc run` and `ngc check`: values and derivatives by the reference interpreter, in double
 * precision. */
#include "ngc.h"

#include "../runtime/ngrt.h"
#include <math.h>
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
} Run;

/* ---- values from the command line ---- */

typedef struct Literal { /* what name=value says: a number, or nested lists */
    Shape shape;
    double *data;
    int64_t count;
} Literal;

/* Is this a number, or -, inf or nan? `ngc run` prints them so. */
static bool literal_number(const Expr *x, double *out)
{
    static const struct {
        const char *name;
        double value;
    } special[] = {
        {"inf", INFINITY},      {"Inf", INFINITY}, {"infinity", INFINITY},
        {"Infinity", INFINITY}, {"nan", NAN},      {"NaN", NAN},
    };
    double sign = 1;
    if (x->kind == X_NEG) {
        sign = -1;
        x = x->a;
    }

    if (x->kind == X_NUM) {
        *out = sign * x->num;
        return true;
    }
    for (size_t i = 0; x->kind == X_NAME && i < sizeof special / sizeof *special; i++)
        if (strcmp(x->name, special[i].name) == 0) {
            *out = sign * special[i].value;
            return true;
        }
    return false;
}

/* Reads nested lists of numbers; false: it is something else, or uneven. */
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

static bool literal(Ngc *ngc, const char *text, Literal *l)
{
    const char *statement = text_format(ngc, "v = %s", text);
    int file = source_add(ngc, "the command line", statement, strlen(statement), false);
    const Stmt *s = file < 0 ? NULL : parse(ngc, file);
    const Expr *x = s && !s->next && s->kind == S_ASSIGN && ngc->errors == 0 ? s->value : NULL;
    *l = (Literal){0};
    if (!x)
        return false;
    for (const Expr *y = x; y->kind == X_LIST && y->args && l->shape.rank < MAX_RANK;
         y = y->args->value) {
        Size n = 0;
        for (const Arg *a = y->args; a; a = a->next)
            n++;
        l->shape.dim[l->shape.rank++] = n;
    }
    if (!literal_read(x, l, 0, 0))
        return false;
    int64_t count = l->count;
    l->data = arena_alloc(ngc, (size_t)(count + 1) * sizeof *l->data);
    l->count = 0;
    return literal_read(x, l, 0, count);
}

static int usage(Run *r, const char *format, const char *a, const char *b)
{
    complain(r->ngc, format, a, b);
    return 1;
}

/* Takes the shape of a given value as the sizes of the run-time dims in the declared one. */
static bool bind_dims(Run *r, Shape declared, Shape given)
{
    Graph *g = r->m->graph;
    if (declared.rank != given.rank)
        return false;
    for (int i = 0; i < declared.rank; i++) {
        for (int d = 0; d < g->dims; d++)
            if (declared.dim[i] == size_dim(g, d) && !r->given[d]) {
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

static int assign_one(Run *r, char *text)
{
    Ngc *ngc = r->ngc;
    Model *m = r->m;
    char *eq = strchr(text, '=');
    if (!eq)
        return usage(r, "'%s' is not name=value%s", text, "");
    const char *name = text_format(ngc, "%.*s", (int)(eq - text), text), *known[256];
    int n = 0;
    for (int d = 0; d < m->graph->dims; d++) {
        if (strcmp(m->graph->dim[d].name, name) == 0)
            return assign_dim(r, d, name, eq + 1);
        known[n++] = m->graph->dim[d].name;
    }
    for (int i = 0; i < m->vars; i++) {
        Literal l;
        if (n < 256)
            known[n++] = m->var[i]->name;
        if (strcmp(m->var[i]->name, name) != 0)
            continue;
        if (!literal(ngc, eq + 1, &l))
            return usage(r,
                         "'%s' is not a number or a list of equal rows, as in %s=[[1, 2], [3, 4]]",
                         eq + 1, name);
        if (!bind_dims(r, m->var[i]->shape, l.shape))
            return usage(r, "%s has shape %s", name, shape_text(m->graph, m->var[i]->shape));
        for (int k = 0; k < l.shape.rank; k++)
            if (size_at(m->graph, m->var[i]->shape.dim[k], r->e->dim) != l.shape.dim[k])
                return usage(r, "%s has shape %s", name, shape_text(m->graph, m->var[i]->shape));
        r->var[i] = l.data;
        return 0;
    }
    const char *guess = suggest(ngc, name, known, n);
    return usage(r, guess ? "the model has no '%s'; did you mean '%s'?" : "the model has no '%s'%s",
                 name, guess ? guess : "");
}

/* ---- starting values ---- */

static Run *run_new(Ngc *ngc, Model *m)
{
    Run *r = arena_alloc(ngc, sizeof *r);
    r->ngc = ngc;
    r->m = m;
    r->e = eval_new(ngc, m);
    r->e->training = 1;
    r->e->seed = 1;
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

/* Labels and indices must be whole and in range: what emitted code checks, checked here too. */
static void check_labels(Run *r)
{
    for (int i = 0; i < r->m->vars; i++) {
        Var *v = r->m->var[i];
        int64_t dim[MAX_RANK], n = eval_shape(r->e, v->shape, dim);
        for (int64_t k = 0; v->type == T_INT && k < n; k++) {
            double x = r->var[i][k];
            if (!isfinite(x) || x != floor(x) ||
                (v->limit > 0 && (x < 0 || x >= (double)v->limit))) {
                usage(r, "%s holds %s", v->name,
                      text_format(r->ngc, "%.9g; it must be whole%s", x,
                                  v->limit ? text_format(r->ngc, ", from 0 to %lld",
                                                         (long long)v->limit - 1)
                                           : ""));
                break;
            }
        }
    }
}

/* The first computed index that is out of its range, of those that the model's results need; NULL:
 * there is none. */
static const Node *find_outside(Run *r)
{
    Graph *g = r->m->graph;
    Node **root = arena_alloc(r->ngc, (size_t)(r->m->roots + 1) * sizeof *root);

    for (int i = 0; i < r->m->roots; i++)
        root[i] = r->m->root[i].node;
    const int *uses = graph_uses(g, root, r->m->roots);
    r->e->outside = NULL;
    for (int i = 0; i < g->count && !r->e->outside; i++)
        if (g->node[i]->op == OP_checked && uses[i] > 0)
            eval_node(r->e, g->node[i]);
    return r->e->outside;
}

/* What emitted code checks before it computes anything, checked here too. */
static void check_indices(Run *r)
{
    const Node *n = find_outside(r);
    if (n)
        usage(r, "the index %s is %s", node_text(r->m->graph, n, 2),
              text_format(r->ngc, "%.9g; it must be from 0 to %lld", r->e->outside_value,
                          (long long)size_at(r->m->graph, n->attr.size, r->e->dim) - 1));
}

static void run_ready(Run *r)
{
    for (int i = 0; i < r->m->vars; i++)
        r->e->var[i] = r->var[i];
    eval_forget(r->e);
}

/* What the user gives no value for: seeded normals, and integers within the range their use allows.
 * Where nothing is known of the range, and indices are computed from them, they are taken from
 * smaller and smaller ones until these are right. */
static void fill_inputs(Run *r)
{
    bool *free = arena_alloc(r->ngc, (size_t)r->m->vars + 1), some = false;
    for (int i = 0; i < r->m->vars; i++) {
        Var *v = r->m->var[i];
        int64_t dim[MAX_RANK], n = eval_shape(r->e, v->shape, dim);
        if (r->var[i])
            continue;
        v->invented = v->kind == VAR_INPUT;
        r->var[i] = arena_alloc(r->ngc, (size_t)(n + 1) * sizeof **r->var);
        if (v->type == T_FLOAT)
            ngrt_normal(r->var[i], (size_t)n, 11, (uint32_t)i, 0, 1);
        free[i] = v->type == T_INT;
        some |= free[i];
    }

    for (int range = 10; some && range > 0; range--) {
        for (int i = 0; i < r->m->vars; i++) {
            Var *v = r->m->var[i];
            int64_t dim[MAX_RANK], n = eval_shape(r->e, v->shape, dim);
            for (int64_t k = 0; free[i] && k < n; k++)
                r->var[i][k] = (double)((k * 7 + 3) % (v->limit ? v->limit : range));
        }
        run_ready(r);
        if (!find_outside(r))
            break;
    }
}

/* ---- printing ---- */

static void print_rows(const double *x, const int64_t *dim, int rank, int indent, int digits)
{
    int64_t inner = 1;
    if (rank == 0) {
        printf("%.*g", digits, *x == 0 ? 0 : isnan(*x) ? fabs(NAN) : *x); /* no -0, no -nan */
        return;
    }
    for (int i = 1; i < rank; i++)
        inner *= dim[i];
    printf("[");
    for (int64_t i = 0; i < dim[0]; i++) {
        if (i && rank > 1)
            printf(",\n%*s", indent + 1, "");
        else if (i)
            printf(", ");
        print_rows(x + i * inner, dim + 1, rank - 1, indent + 1, digits);
    }
    printf("]");
}

static void print_value(Run *r, const char *before, const char *name, Node *n)
{
    int64_t dim[MAX_RANK];
    eval_shape(r->e, n->shape, dim);
    int width = printf("%s%s = ", before, name);
    print_rows(eval_node(r->e, n), dim, n->shape.rank, width, r->ngc->opt.digits);
    printf("\n");
}

static void print_input(Run *r, int i)
{
    int64_t dim[MAX_RANK];
    Var *v = r->m->var[i];
    eval_shape(r->e, v->shape, dim);
    int width = printf("%s = ", v->name);
    print_rows(r->var[i], dim, v->shape.rank, width, r->ngc->opt.digits);
    printf("\n");
}

/* Gives every variable a value; NULL with the exit status where that failed. */
static Run *run_start(Run *r, char **assign, int count, bool fill, int *status)
{
    Ngc *ngc = r->ngc;
    Model *m = r->m;
    int errors = 0;
    *status = 2;
    for (int i = 0; i < count; i++)
        errors += assign_one(r, assign[i]);
    if (errors)
        return NULL;
    for (int d = 0; d < m->graph->dims; d++)
        if (!r->given[d])
            r->e->dim[d] = m->graph->dim[d].max;
    if (r->files && (*status = data_bind(ngc, m, r->e, r->files, r->var, r->rows)) != 0)
        return NULL;
    run_defaults(r);
    if (fill)
        fill_inputs(r);
    for (int i = 0; i < m->vars; i++)
        if (!r->var[i])
            errors += usage(r, "input %s%s is not given: name=value gives it", m->var[i]->name,
                            m->var[i]->shape.rank ? shape_text(m->graph, m->var[i]->shape) : "");
    if (errors)
        return NULL;
    *status = 1;
    check_labels(r);
    if (ngc->errors)
        return NULL;
    run_ready(r);
    check_indices(r);
    if (ngc->errors)
        return NULL;
    *status = 0;
    return r;
}

Eval *run_eval(Ngc *ngc, Model *m, char **assign, int count, const char *files, DataRows *rows,
               int *status)
{
    Run *r = run_new(ngc, m);
    r->files = files;
    r->rows = rows;
    return run_start(r, assign, count, true, status) ? r->e : NULL;
}

int run_main(Ngc *ngc, Model *m, char **assign, int count, bool fill)
{
    static const RootKind order[] = {ROOT_NAMED, ROOT_OUTPUT, ROOT_METRIC,
                                     ROOT_LOSS,  ROOT_GRAD,   ROOT_UPDATE};
    int status;
    Run *r = run_start(run_new(ngc, m), assign, count, fill, &status);
    if (!r)
        return status;
    for (int i = 0; i < m->vars && fill; i++)
        if (m->var[i]->kind == VAR_INPUT)
            print_input(r, i);
    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        for (int i = 0; i < m->roots; i++) {
            Root *root = &m->root[i];
            bool again = root->kind != order[k];
            for (int j = 0; j < i && !again;
                 j++) /* a named value that is also an output is printed once */
                again = strcmp(m->root[j].name, root->name) == 0 &&
                        m->root[j].kind != ROOT_UPDATE && root->kind != ROOT_UPDATE;
            for (size_t q = 0; q < k && !again && root->kind != ROOT_UPDATE; q++)
                for (int j = i + 1; j < m->roots; j++)
                    again |=
                        m->root[j].kind == order[q] && strcmp(m->root[j].name, root->name) == 0;
            if (!again)
                print_value(r, root->kind == ROOT_UPDATE ? "next " : "", root->name, root->node);
        }
    return 0;
}

/* ---- check: derivatives against differences ---- */

typedef struct Probe { /* one gradient being checked: J as a function of x along a direction */
    Run *r;
    const Root *root;
    double *x, *at; /* the value, and a copy of it to go from */
    double *direction;
    double loss; /* at x */
    int64_t count;
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
    double up = probe_loss(p, h) - p->loss, far_up = probe_loss(p, 2 * h) - p->loss;
    double down = p->loss - probe_loss(p, -h), far_down = p->loss - probe_loss(p, -2 * h);
    double one = (up + down) / (2 * h), two = (far_up + far_down) / (4 * h);
    side[LEFT] = (4 * down - far_down) / (2 * h);
    side[RIGHT] = (4 * up - far_up) / (2 * h);
    return (4 * one - two) / 3;
}

/* Is the slope at the smaller step the gradient, or nearer to it than that at the larger one? */
static bool approaches(double wide, double close, double gradient, double slack)
{
    return fabs(close - gradient) <= slack || fabs(close - gradient) <= 0.5 * fabs(wide - gradient);
}

/* Is the place a kink, a jump or the edge of what the loss is defined on, and the gradient one that
 * belongs there? At a kink it is between the slopes to the two sides. At an edge or a jump it is
 * the slope to the other side, or infinite as a slope is; where both sides jump, nothing is known
 * of it. */
static bool probe_is_kink(Probe *p, double gradient, double scale)
{
    double wide[2], close[2], loss = p->loss, slack = 1e-6 * scale + 1e-9 * fabs(loss);
    bool away[2]; /* undefined, or larger and larger as h shrinks */
    if (isinf(loss))
        return true;
    if (isnan(loss) || isnan(gradient))
        return false;
    probe_slope(p, 1e-4, wide);
    probe_slope(p, 1e-5, close);
    for (int side = LEFT; side <= RIGHT; side++)
        away[side] = isnan(close[side]) ||
                     (fabs(close[side]) > slack && fabs(close[side]) > 2 * fabs(wide[side]));

    if (away[LEFT] && away[RIGHT])
        return !isnan(close[LEFT]) || !isnan(close[RIGHT]);
    for (int side = LEFT; side <= RIGHT; side++)
        if (away[side])
            return approaches(wide[!side], close[!side], gradient, slack);

    /* where there is one slope, the two sides approach it as h shrinks */
    double apart = fabs(close[RIGHT] - close[LEFT]);
    if (!(apart > slack) || !(apart > 0.3 * fabs(wide[RIGHT] - wide[LEFT])))
        return false;
    return gradient >= fmin(close[LEFT], close[RIGHT]) - slack &&
           gradient <= fmax(close[LEFT], close[RIGHT]) + slack;
}

/* Does the slope agree with the gradient, by one of three steps? Near a kink only the small ones
 * do, and next to a jump of the curvature the slopes to both sides. Raises the largest error, but
 * not by that at a kink. */
static enum Verdict probe_judge(Probe *p, double gradient, double scale, double *worst)
{
    double best = INFINITY, side[2];
    scale = fmax(scale, 1e-12);
    for (double h = 1e-3; h > 1e-8; h *= 0.03) {
        double slope = probe_slope(p, h, side), error = fabs(slope - gradient) / scale;
        double apart = fmax(fabs(side[LEFT] - gradient), fabs(side[RIGHT] - gradient)) / scale;
        bool smooth = apart <= 1e-5 && !isnan(side[LEFT]) && !isnan(side[RIGHT]);
        if (isnan(slope) && isnan(gradient))
            error = 0;
        else if (h == 1e-3 && !smooth && probe_is_kink(p, gradient, scale))
            return KINK;
        best = fmin(best, smooth ? fmin(error, apart) : error);
        if (best < 1e-7)
            break;
    }
    *worst = fmax(*worst, best);
    return best < 1e-6 ? GOOD : WRONG;
}

enum { SAMPLES = 24 };

typedef struct Count { /* what came of one gradient's places */
    int of[KINK + 1];  /* by verdict */
    double worst;      /* the largest relative error */
} Count;

/* Compares a gradient at sampled elements, all of them in a small tensor, and along one random
 * direction. */
static Count check_root(Run *r, const Root *root)
{
    Count count = {0};
    int64_t dim[MAX_RANK];
    Eval *e = r->e;
    Node *x = root->x;
    run_ready(r);
    Probe p = {.r = r, .root = root, .count = eval_shape(e, x->shape, dim)};
    double *gradient =
        arena_copy(r->ngc, eval_node(e, root->node), (size_t)p.count * sizeof *gradient);
    p.loss = *eval_node(e, root->loss);
    double scale = 0, dot = 0;
    p.x = p.at = (double *)eval_node(e, x);
    for (int i = 0; i < r->m->vars && x->op == OP_var; i++)
        if (r->m->var[i] == x->attr.var)
            p.x = r->var[i];
    if (x->op != OP_var)
        p.x = arena_alloc(r->ngc, (size_t)p.count * sizeof *p.x);
    p.at = arena_copy(r->ngc, p.at, (size_t)p.count * sizeof *p.at);
    double *room = e->value[x->id];
    p.direction = arena_alloc(r->ngc, (size_t)p.count * sizeof *p.direction);
    for (int64_t i = 0; i < p.count; i++)
        if (isfinite(gradient[i]))
            scale = fmax(scale, fabs(gradient[i]));
    scale = fmax(scale, 1e-6 * fabs(p.loss));
    for (int64_t k = 0; k < p.count && k < SAMPLES; k++) {
        int64_t i =
            p.count <= SAMPLES ? k : (int64_t)((uint64_t)k * 2654435761u % (uint64_t)p.count);
        p.direction[i] = 1;
        count.of[probe_judge(&p, gradient[i], scale, &count.worst)]++;
        p.direction[i] = 0;
    }
    if (p.count > SAMPLES) {
        ngrt_normal(p.direction, (size_t)p.count, 7, 0, 0, 1);
        for (int64_t i = 0; i < p.count; i++)
            dot += gradient[i] * p.direction[i];
        count.of[probe_judge(&p, dot, fmax(scale, fabs(dot)), &count.worst)]++;
    }
    memcpy(p.x, p.at, (size_t)p.count * sizeof *p.x);
    e->value[x->id] = room;
    return count;
}

static void print_count(const char *name, const Count *c)
{
    int smooth = c->of[GOOD] + c->of[WRONG];
    printf("%s: ", name);
    if (c->of[WRONG])
        printf("WRONG at %d of %d places", c->of[WRONG], smooth);
    else
        printf("ok");
    printf(", largest relative error %.1e", c->worst);
    if (!c->of[WRONG])
        printf(" at %d places", smooth);
    if (c->of[KINK])
        printf(", %d at a kink", c->of[KINK]);
    printf("\n");
}

int check_main(Ngc *ngc, Model *m, char **assign, int count)
{
    Run *r = run_new(ngc, m);
    int failed = 0, derivatives = 0;
    for (int i = 0; i < count; i++)
        if (assign_one(r, assign[i]))
            return 2;
    for (int d = 0; d < m->graph->dims; d++)
        if (!r->given[d])
            r->e->dim[d] = m->graph->dim[d].max;
    run_defaults(r);
    fill_inputs(r);
    check_labels(r);
    if (ngc->errors)
        return 1;
    run_ready(r);
    check_indices(r);
    if (ngc->errors)
        return 1;
    for (int i = 0; i < m->roots; i++) {
        if (m->root[i].kind != ROOT_GRAD)
            continue;
        Count c = check_root(r, &m->root[i]);
        derivatives++;
        failed += c.of[WRONG] > 0;
        print_count(m->root[i].name, &c);
    }
    if (!derivatives)
        diag(ngc, SEV_NOTE, 0, (Loc){.file = -1}, "the model asks for no derivative");
    printf("%d derivatives, %d wrong\n", derivatives, failed);
    return failed ? 1 : 0;
}
