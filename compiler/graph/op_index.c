/* op_index.c - records of indexing by an int tensor: gather reads, scatter is its adjoint and adds.
 * The index of both is an input whose range is checked, or a node `checked`. assign is made by
 * sparse.c, after all derivatives. */
#include "graph/eval.h"

#include <string.h>

/* The extents of x: before the indexed axis, of it, and after it. */
static void split(const Eval *e, Shape x, int axis, int64_t *outer, int64_t *rows, int64_t *inner)
{
    int64_t dim[MAX_RANK];
    eval_shape(e, x, dim);

    *outer = *inner = 1;
    *rows = dim[axis];
    for (int i = 0; i < axis; i++)
        *outer *= dim[i];
    for (int i = axis + 1; i < x.rank; i++)
        *inner *= dim[i];
}

/* y = a, a computed index, if it is in [0, size). If not, y = 0, so that what reads by it can
 * continue, and the first such index is kept for the message. */
static void eval_checked(const Node *n, Eval *e, double *out)
{
    const double *a = e->value[n->arg[0]->id];
    int64_t dim[MAX_RANK], count = eval_shape(e, n->shape, dim);
    int64_t size = size_at(e->graph, n->attr.size, e->dim);

    for (int64_t i = 0; i < count; i++) {
        bool inside = a[i] >= 0 && a[i] < (double)size;
        out[i] = inside ? a[i] : 0;
        if (inside || e->outside)
            continue;
        e->outside = n;
        e->outside_value = a[i];
    }
}

static double v_index(double a, double b, double c)
{
    (void)b;
    (void)c;
    return a;
}

/* y[o, i, n] = x[o, index[i], n] */
static void eval_gather(const Node *n, Eval *e, double *out)
{
    const double *x = e->value[n->arg[0]->id], *index = e->value[n->arg[1]->id];
    int64_t outer, rows, inner, dim[MAX_RANK], count = eval_shape(e, n->arg[1]->shape, dim);
    split(e, n->arg[0]->shape, n->attr.axis, &outer, &rows, &inner);

    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < count; i++)
            memcpy(out + (o * count + i) * inner, x + (o * rows + (int64_t)index[i]) * inner,
                   (size_t)inner * sizeof *out);
}

/* y[o, index[i], n] += a[o, i, n] */
static void eval_scatter(const Node *n, Eval *e, double *out)
{
    const double *a = e->value[n->arg[0]->id], *index = e->value[n->arg[1]->id];
    int64_t outer, rows, inner, dim[MAX_RANK], count = eval_shape(e, n->arg[1]->shape, dim);
    split(e, n->shape, n->attr.axis, &outer, &rows, &inner);
    memset(out, 0, (size_t)(outer * rows * inner) * sizeof *out);

    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < count; i++)
            for (int64_t k = 0; k < inner; k++)
                out[(o * rows + (int64_t)index[i]) * inner + k] += a[(o * count + i) * inner + k];
}

/* y = a, or zeros; y[index[i], n] = rows[i, n] */
static void eval_assign(const Node *n, Eval *e, double *out)
{
    const double *rows = e->value[n->arg[0]->id], *index = e->value[n->arg[1]->id];
    int64_t outer, all, inner, dim[MAX_RANK], count = eval_shape(e, n->arg[1]->shape, dim);
    split(e, n->shape, 0, &outer, &all, &inner);

    if (n->nargs > 2)
        memcpy(out, e->value[n->arg[2]->id], (size_t)(all * inner) * sizeof *out);
    else
        memset(out, 0, (size_t)(all * inner) * sizeof *out);
    for (int64_t i = 0; i < count; i++)
        memcpy(out + (int64_t)index[i] * inner, rows + i * inner, (size_t)inner * sizeof *out);
}

/* y[o, i, n] = x[o, index[i], n];  dx[o, index[i], n] += dy[o, i, n] */
static void back_gather(Graph *g, const Node *y, Node *dy, Node **dx)
{
    dx[0] = graph_scatter(g, dy, y->arg[1], y->arg[0]->shape, y->attr.axis);
}

/* y[o, index[i], n] += a[o, i, n];  da[o, i, n] = dy[o, index[i], n] */
static void back_scatter(Graph *g, const Node *y, Node *dy, Node **dx)
{
    dx[0] = graph_gather(g, dy, y->arg[1], y->attr.axis);
}

/* ---- the same on other operands ---- */

static Node *copy_checked(Graph *g, const Node *n, Node *const *arg)
{
    return graph_checked(g, arg[0], n->attr.size);
}

static Node *copy_gather(Graph *g, const Node *n, Node *const *arg)
{
    return graph_gather(g, arg[0], arg[1], n->attr.axis);
}

static Node *copy_scatter(Graph *g, const Node *n, Node *const *arg)
{
    return graph_scatter(g, arg[0], arg[1], n->shape, n->attr.axis);
}

static Node *copy_assign(Graph *g, const Node *n, Node *const *arg)
{
    return graph_assign(g, n->nargs > 2 ? arg[2] : NULL, arg[0], arg[1], n->shape);
}

const OpInfo op_checked = {.name = "checked",
                           .attrs = 1 << A_SIZE,
                           .arity = 1,
                           .copy = copy_checked,
                           .flags = F_ELEMENTWISE | F_CHEAP | F_FLAT | F_INT | F_SAME,
                           .value = v_index,
                           .js = "a => a",
                           .eval = eval_checked,
                           .c = "$a",
                           .prec = 16,
                           .teach = "index: passes nothing back"};

const OpInfo op_gather = {.name = "gather",
                          .attrs = 1 << A_AXIS,
                          .arity = 2,
                          .copy = copy_gather,
                          .flags = F_VIEW | F_ROUTE,
                          .eval = eval_gather,
                          .back = back_gather,
                          .rule = {"dy, added to the rows it came from"},
                          .teach = "gather: adds up where it was read"};

const OpInfo op_scatter = {.name = "scatter",
                           .attrs = 1 << A_AXIS,
                           .arity = 2,
                           .copy = copy_scatter,
                           .flags = F_ROUTE,
                           .eval = eval_scatter,
                           .back = back_scatter,
                           .rule = {"dy, read where it was added"},
                           .teach = "scatter: reads where it added"};

/* Only elements that an index chooses are stored: without operand 2, the others must not be read.
 */
const OpInfo op_assign = {.name = "assign",
                          .arity = -1,
                          .copy = copy_assign,
                          .eval = eval_assign,
                          .teach = "assign: passes nothing back"};
