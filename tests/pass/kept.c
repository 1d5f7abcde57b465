/* kept.c - a model whose loops stay loops, as all passes leave it, against its literal graph, where
 * they are expanded: all results in both modes, and the losses and metrics of all rows, gathered
 * from batches of 1, of 2 and of all rows. The interpreter computes both.
 *
 *     kept MODEL.ng...      prints what differs
 */
#include "graph/carry.h"
#include "tool/tool.h"

#include "../draw.h"
#include "../literal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int bad;

static Model *read_model(const char *path, bool literal)
{
    Ngc *ngc = calloc(1, sizeof *ngc);

    ngc->opt = (Options){.optimize = 2, .literal = literal, .verify = true, .unroll = 1};
    source_library(ngc);
    int file = source_read(ngc, path, (Loc){.file = -1});
    Model *m = file >= 0 ? model_compile(ngc, file) : NULL;
    if (!m)
        diag_flush(ngc, stdout);
    return m;
}

/* ---- values ---- */

static double *values(Eval *e, const Var *v, uint64_t *seed)
{
    int64_t dim[MAX_RANK], n = eval_shape(e, v->shape, dim);
    double *x = arena_alloc(e->ngc, (size_t)(n + 1) * sizeof *x);

    for (int64_t i = 0; i < n; i++) {
        int64_t limit = v->limit > 0 ? v->limit : 3;
        x[i] = v->type == T_INT ? floor(draw_unit(seed) * (double)limit) : 2 * draw_unit(seed) - 1;
    }
    return x;
}

static Eval *new_eval(Model *m, int64_t rows)
{
    Eval *e = eval_new(m->graph->ngc, m);

    for (int d = 0; d < m->graph->dims; d++)
        e->dim[d] = m->graph->dim[d].max;
    if (rows > 0)
        e->dim[0] = rows;
    return e;
}

static void compare(const char *path, const char *what, const char *name, const double *got,
                    const double *want, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double size = fabs(want[i]) > 1 ? fabs(want[i]) : 1;
        if (fabs(got[i] - want[i]) <= 1e-9 * size || (isnan(got[i]) && isnan(want[i])))
            continue;
        printf("%s: %s %s[%d] is %.15g, not %.15g\n", path, what, name, (int)i, got[i], want[i]);
        bad = 1;
        return;
    }
}

/* ---- batches ---- */

/* Rows [first, first + n) of an input's elements. */
static const double *part_of(Eval *e, const Var *v, const double *x, int64_t rows, int64_t first,
                             int64_t n)
{
    Graph *g = e->graph;
    int64_t dim[MAX_RANK], outer = 1, count = eval_shape(e, v->shape, dim);
    int axis = 0;
    if (v->kind != VAR_INPUT)
        return x;

    while (axis < v->shape.rank && !size_uses_dim(g, v->shape.dim[axis], 0))
        outer *= dim[axis++];
    if (axis == v->shape.rank)
        return x;

    double *part = arena_alloc(e->ngc, (size_t)(count + 1) * sizeof *part);
    int64_t piece = count / outer / n;
    for (int64_t o = 0; o < outer; o++)
        memcpy(part + o * n * piece, x + (o * rows + first) * piece,
               (size_t)(n * piece) * sizeof *part);
    return part;
}

typedef struct Totals {
    Model *m;
    const Carry *carry;
    double *const *value; /* by index of Model.var, of all rows */
    int64_t rows;
    Eval *e; /* of what is computed from totals */
    double **carrier;
    double rows_seen;
} Totals;

static void gather(const Carrier *c, double *total, const double *part, int64_t n, bool first)
{
    for (int64_t i = 0; i < n; i++) {
        if (first || c->kind == CARRY_LAST || c->kind == CARRY_SAME)
            total[i] = part[i];
        else if (c->kind == CARRY_SUM)
            total[i] += part[i];
        else if (c->kind == CARRY_MAX && part[i] > total[i])
            total[i] = part[i];
    }
}

/* What a batch contributes in a walk. */
static void add_batch(Totals *t, int walk, int64_t first, int64_t n)
{
    Eval *e = new_eval(t->m, n);
    int64_t dim[MAX_RANK];

    for (int i = 0; i < t->m->vars; i++)
        e->var[i] = part_of(e, t->m->var[i], t->value[i], t->rows, first, n);
    for (int i = 0; i < t->carry->links; i++) {
        const Link *link = &t->carry->link[i];
        if (link->walk > walk)
            continue;
        e->value[link->node->id] = (double *)eval_node(t->e, link->total);
        e->known[link->node->id] = true;
    }
    for (int k = 0; k < t->carry->carriers; k++) {
        const Carrier *c = &t->carry->carrier[k];
        if (c->walk == walk)
            gather(c, t->carrier[k], eval_node(e, c->node), eval_shape(e, c->node->shape, dim),
                   first == 0);
    }
}

/* The leaves of the totals are variables after those of the model. */
static void new_totals(Totals *t)
{
    int vars = t->m->vars, carriers = t->carry->carriers;
    Ngc *ngc = t->m->graph->ngc;
    int64_t dim[MAX_RANK];

    t->e = new_eval(t->m, t->rows);
    t->e->var = arena_alloc(ngc, (size_t)(vars + carriers + 1) * sizeof *t->e->var);
    t->carrier = arena_alloc(ngc, (size_t)(carriers + 1) * sizeof *t->carrier);
    for (int i = 0; i < vars; i++)
        t->e->var[i] = t->value[i];
    for (int k = 0; k < carriers; k++) {
        Node *leaf = t->carry->carrier[k].total;
        size_t n = (size_t)eval_shape(t->e, leaf->shape, dim) + 1;
        t->carrier[k] = arena_alloc(ngc, n * sizeof **t->carrier);
        leaf->attr.var->index = vars + k;
        t->e->var[vars + k] = t->carrier[k];
    }
    t->rows_seen = (double)t->rows;
    t->carry->rows->attr.var->index = vars + carriers;
    t->e->var[vars + carriers] = &t->rows_seen;
}

static void check_totals(const char *path, const Modes *modes, double *const *value, Eval *want,
                         const Model *literal, int64_t batch)
{
    Model *m = modes->model;
    Totals t = {.m = m, .carry = modes->carry, .value = value, .rows = m->graph->dim[0].max};
    int64_t dim[MAX_RANK];

    new_totals(&t);
    for (int walk = 0; walk < t.carry->walks; walk++) {
        for (int64_t i = 0; i < t.rows; i += batch)
            add_batch(&t, walk, i, t.rows - i < batch ? t.rows - i : batch);
        eval_forget(t.e);
    }
    for (int i = 0; i < m->roots; i++)
        if (t.carry->root[i])
            compare(path, "total", m->root[i].name, eval_node(t.e, t.carry->root[i]),
                    eval_node(want, literal->root[i].node),
                    eval_shape(want, literal->root[i].node->shape, dim));
}

/* ---- one model ---- */

static void check_mode(const char *path, Eval *e, Node *const *root, Eval *want,
                       const Model *literal, int training)
{
    int64_t dim[MAX_RANK];

    e->training = want->training = training;
    eval_forget(e);
    eval_forget(want);
    for (int i = 0; i < literal->roots; i++) {
        Node *n = literal->root[i].node;
        compare(path, training ? "learn" : "use", literal->root[i].name, eval_node(e, root[i]),
                eval_node(want, n), eval_shape(want, n->shape, dim));
    }
}

/* Is there a loop among what the roots need? */
static bool has_loop(const Modes *modes)
{
    Graph *g = modes->model->graph;
    int *uses = graph_uses(g, modes->learn, modes->model->roots);

    for (int i = 0; i < g->count; i++)
        if (uses[i] && g->node[i]->op == OP_loop)
            return true;
    return false;
}

static void check(const char *path)
{
    Model *m = read_model(path, false), *literal = m ? read_model(path, true) : NULL;
    uint64_t seed = 1;
    if (!literal) {
        bad = 1;
        return;
    }

    Modes modes = model_modes(m);
    literal_match(literal, m);
    Eval *e = new_eval(m, 0), *want = new_eval(literal, 0);
    double **value = calloc((size_t)m->vars + 1, sizeof *value);
    for (int i = 0; i < m->vars; i++)
        e->var[i] = want->var[i] = value[i] = values(e, m->var[i], &seed);

    if (!has_loop(&modes)) {
        printf("%s: no loop is left\n", path);
        bad = 1;
    }
    check_mode(path, e, modes.learn, want, literal, 1);
    check_mode(path, e, modes.use, want, literal, 0);
    for (int64_t batch = 1; modes.carry && batch < 4; batch++)
        check_totals(path, &modes, value, want, literal, batch == 3 ? 1 << 20 : batch);
    free(value);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        check(argv[i]);
    return bad;
}
