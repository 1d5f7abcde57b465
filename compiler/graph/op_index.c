/* op_index.c - records of indexing by int tensors: gather reads, scatter is its adjoint and adds.
 * An index of both is an input whose range is checked, a node `checked`, or what cannot be out of
 * range. Several of them, all of one shape, are for axes that follow each other. assign is made by
 * sparse.c, after all derivatives. */
#include "graph/eval.h"

#include "../runtime/ngrt.h"

#include <string.h>

/* How a gather or a scatter walks: x has the indexed axes, y those of the index in their place. */
typedef struct Walk {
    int64_t outer;            /* elements before the indexed axes */
    int64_t rows;             /* of the indexed axes */
    int64_t inner;            /* after them */
    int64_t count;            /* of an index */
    int64_t extent[MAX_RANK]; /* of each indexed axis */
    const double *index[MAX_RANK];
    int indices;
} Walk;

/* The walk of n, where x is the shape with the indexed axes. */
static Walk walk_of(const Node *n, const Eval *e, Shape x)
{
    int64_t dim[MAX_RANK], size[MAX_RANK];
    int axis = n->attr.axis;
    Walk w = {.outer = 1, .rows = 1, .inner = 1, .indices = n->nargs - 1};

    eval_shape(e, x, dim);
    w.count = eval_shape(e, n->arg[1]->shape, size);
    for (int i = 0; i < axis; i++)
        w.outer *= dim[i];
    for (int i = 0; i < w.indices; i++) {
        w.extent[i] = dim[axis + i];
        w.rows *= w.extent[i];
        w.index[i] = e->value[arg_id(n, 1 + i)];
    }
    for (int i = axis + w.indices; i < x.rank; i++)
        w.inner *= dim[i];
    return w;
}

/* The row that element i of the indices chooses. */
static int64_t row_at(const Walk *w, int64_t i)
{
    int64_t row = 0;
    for (int k = 0; k < w->indices; k++)
        row = row * w->extent[k] + (int64_t)w->index[k][i];
    return row;
}

/* y = a, a computed index, if it is in [0, size). If not, y = 0, so that what reads by it can
 * continue, and the first such index is kept for the message. */
static void eval_checked(const Node *n, Eval *e, double *out)
{
    const double *a = e->value[arg_id(n, 0)];
    int64_t count = eval_count(e, n->shape);
    int64_t size = size_at(e->graph, n->attr.size, e->dim);

    for (int64_t i = 0; i < count; i++) {
        bool inside = a[i] >= 0 && a[i] < (double)size;
        if (inside)
            out[i] = a[i];
        else
            out[i] = 0;
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

/* y[o, i, n] = x[o, index[i], n], where index[i] may be several numbers */
static void eval_gather(const Node *n, Eval *e, double *out)
{
    const double *x = e->value[arg_id(n, 0)];
    Walk w = walk_of(n, e, n->arg[0]->shape);

    for (int64_t o = 0; o < w.outer; o++)
        for (int64_t i = 0; i < w.count; i++) {
            const double *row = x + (o * w.rows + row_at(&w, i)) * w.inner;
            double *to = out + (o * w.count + i) * w.inner;
            memcpy(to, row, (size_t)w.inner * sizeof *to);
        }
}

/* y[o, index[i], n] += a[o, i, n] */
static void eval_scatter(const Node *n, Eval *e, double *out)
{
    const double *a = e->value[arg_id(n, 0)];
    Walk w = walk_of(n, e, n->shape);
    memset(out, 0, (size_t)(w.outer * w.rows * w.inner) * sizeof *out);

    for (int64_t o = 0; o < w.outer; o++)
        for (int64_t i = 0; i < w.count; i++) {
            double *row = out + (o * w.rows + row_at(&w, i)) * w.inner;
            const double *more = a + (o * w.count + i) * w.inner;
            for (int64_t k = 0; k < w.inner; k++)
                row[k] += more[k];
        }
}

/* y = a, or zeros; y[index[i], n] = rows[i, n] */
static void eval_assign(const Node *n, Eval *e, double *out)
{
    const double *rows = e->value[arg_id(n, 0)];
    const double *index = e->value[arg_id(n, 1)];
    int64_t dim[MAX_RANK];
    int64_t count = eval_count(e, n->arg[1]->shape);
    int64_t all = eval_shape(e, n->shape, dim);
    int64_t inner = all / dim[0];
    size_t bytes = (size_t)all * sizeof *out;
    size_t row_bytes = (size_t)inner * sizeof *out;

    if (n->nargs > 2)
        memcpy(out, e->value[arg_id(n, 2)], bytes);
    else
        memset(out, 0, bytes);
    for (int64_t i = 0; i < count; i++)
        memcpy(out + (int64_t)index[i] * inner, rows + i * inner, row_bytes);
}

/* The extents for the runtime: rows, their length, and how many of each are wanted. */
static void sizes_order(Graph *g, const Node *n, Size *out)
{
    Shape s = n->arg[0]->shape;
    out[1] = s.dim[--s.rank];
    out[2] = n->shape.dim[s.rank];
    out[0] = shape_count(g, s);
}

/* y[r, i] is where the element of row r is that comes i-th, from the largest on */
static void eval_order(const Node *n, Eval *e, double *out)
{
    Graph *g = e->graph;
    Size size[CALL_SIZES];
    int s[3];

    sizes_order(g, n, size);
    for (int i = 0; i < 3; i++)
        s[i] = (int)size_at(g, size[i], e->dim);
    size_t count = (size_t)s[0] * (size_t)s[2];
    int32_t *y = arena_array(g->ngc, count + 1, sizeof *y);
    ngrt_dorder(s[0], s[1], s[2], e->value[arg_id(n, 0)], y);
    for (size_t i = 0; i < count; i++)
        out[i] = y[i];
}

/* y[o, i, n] = x[o, index[i], n];  dx[o, index[i], n] += dy[o, i, n] */
static void back_gather(Graph *g, const Node *y, Node *dy, Node **dx)
{
    dx[0] = graph_scatter_at(g, dy, y->arg + 1, y->nargs - 1, y->arg[0]->shape, y->attr.axis);
}

/* y[o, index[i], n] += a[o, i, n];  da[o, i, n] = dy[o, index[i], n] */
static void back_scatter(Graph *g, const Node *y, Node *dy, Node **dx)
{
    dx[0] = graph_gather_at(g, dy, y->arg + 1, y->nargs - 1, y->attr.axis);
}

/* ---- the same on other operands ---- */

static Node *copy_checked(Graph *g, const Node *n, Node *const *arg)
{
    return graph_checked(g, arg[0], n->attr.size);
}

static Node *copy_order(Graph *g, const Node *n, Node *const *arg)
{
    return graph_order_of(g, arg[0], n->shape.dim[n->shape.rank - 1]);
}

static Node *copy_gather(Graph *g, const Node *n, Node *const *arg)
{
    return graph_gather_at(g, arg[0], arg + 1, n->nargs - 1, n->attr.axis);
}

static Node *copy_scatter(Graph *g, const Node *n, Node *const *arg)
{
    return graph_scatter_at(g, arg[0], arg + 1, n->nargs - 1, n->shape, n->attr.axis);
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
                          .arity = -1,
                          .copy = copy_gather,
                          .flags = F_VIEW | F_ROUTE,
                          .eval = eval_gather,
                          .back = back_gather,
                          .rule = {"dy, added to the rows it came from"},
                          .teach = "gather: adds up where it was read"};

const OpInfo op_scatter = {.name = "scatter",
                           .attrs = 1 << A_AXIS,
                           .arity = -1,
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

const OpInfo op_order = {.name = "order",
                         .arity = 1,
                         .copy = copy_order,
                         .flags = F_FLAT,
                         .eval = eval_order,
                         .sizes = sizes_order,
                         .call = "ngrt_%order($0, $1, $2, $a, $y)",
                         .teach = "order: flat, passes nothing back"};
