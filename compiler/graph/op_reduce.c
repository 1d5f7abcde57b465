/* op_reduce.c - records of the operations that remove axes. */
#include "graph/eval.h"

#include <math.h>

/* Folds the input elements of each output element, in row-major order. */
static void reduce(const Node *n, Eval *e, double *out, double start,
                   double (*fold)(double, double))
{
    const Node *a = n->arg[0];
    const double *in = e->value[a->id];
    int64_t dim[MAX_RANK], from[MAX_RANK], index[MAX_RANK] = {0};
    int64_t count = eval_shape(e, n->shape, dim);
    int64_t i = 0;

    for (int64_t k = 0; k < count; k++)
        out[k] = start;
    if (eval_shape(e, a->shape, from) == 0)
        return;

    do {
        int64_t at[MAX_RANK];
        for (int k = 0, j = 0; k < a->shape.rank; k++)
            if (!(n->attr.axes >> k & 1))
                at[j++] = index[k];

        double *o = &out[index_at(n->shape.rank, dim, at)];
        *o = fold(*o, in[i++]);
    } while (index_next(a->shape.rank, from, index));
}

static double fold_sum(double acc, double x)
{
    return acc + x;
}

static double fold_max(double acc, double x)
{
    return x > acc || isnan(x) ? x : acc;
}

static void eval_sum(const Node *n, Eval *e, double *out)
{
    reduce(n, e, out, 0, fold_sum);
}

static void eval_max(const Node *n, Eval *e, double *out)
{
    reduce(n, e, out, -INFINITY, fold_max);
}

/* Is x larger than the best so far? The first NaN is larger than any number. */
static bool argmax_beats(double x, double best)
{
    return x > best || (isnan(x) && !isnan(best));
}

static void eval_argmax(const Node *n, Eval *e, double *out)
{
    const Node *a = n->arg[0];
    const double *in = e->value[a->id];
    int64_t dim[MAX_RANK], outer = 1, inner = 1; /* elements before and after the axis */
    eval_shape(e, a->shape, dim);
    for (int i = 0; i < n->attr.axis; i++)
        outer *= dim[i];
    for (int i = n->attr.axis + 1; i < a->shape.rank; i++)
        inner *= dim[i];

    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++) {
            const double *x = in + o * dim[n->attr.axis] * inner + i;
            int64_t best = 0;
            for (int64_t k = 1; k < dim[n->attr.axis]; k++)
                if (argmax_beats(x[k * inner], x[best * inner]))
                    best = k;
            out[o * inner + i] = (double)best;
        }
}

/* y = sum a;  da = dy, to every term */
static void back_sum(Graph *g, const Node *y, Node *dy, Node **dx)
{
    dx[0] = graph_expand(g, dy, y->arg[0]->shape, y->attr.axes);
}

/* y = max a;  da = dy where a is the largest, shared equally by equals. Where some a are NaN, those
 * are the largest. */
static void back_max(Graph *g, const Node *y, Node *dy, Node **dx)
{
    Node *a = y->arg[0];
    uint32_t axes = y->attr.axes;

    /* 1 for each of the largest */
    Node *most = graph_expand(g, (Node *)y, a->shape, axes);
    Node *equal = graph_binary(g, OP_eq, a, most);
    Node *not_number = graph_binary(g, OP_ne, a, a);
    Node *largest = graph_binary(g, OP_add, equal, not_number);

    Node *count = graph_reduce(g, OP_sum, largest, axes);
    Node *share = graph_binary(g, OP_div, dy, count);
    Node *zero = graph_const(g, 0);
    dx[0] = graph_where(g, largest, graph_expand(g, share, a->shape, axes), zero);
}

/* ---- the same on other operands ---- */

static Node *copy_reduce(Graph *g, const Node *n, Node *const *arg)
{
    return graph_reduce(g, n->op, arg[0], n->attr.axes);
}

static Node *copy_argmax(Graph *g, const Node *n, Node *const *arg)
{
    return graph_argmax(g, arg[0], n->attr.axis);
}

const OpInfo op_sum = {.name = "sum",
                       .attrs = 1 << A_AXES,
                       .arity = 1,
                       .copy = copy_reduce,
                       .flags = F_REDUCE | F_ROUTE,
                       .eval = eval_sum,
                       .back = back_sum,
                       .init = "0",
                       .combine = "$acc + $x",
                       .combine_vec = "$acc + $x",
                       .rule = {"dy, to every term"},
                       .teach = "sum: distributes"};

const OpInfo op_max = {.name = "max",
                       .attrs = 1 << A_AXES,
                       .arity = 1,
                       .copy = copy_reduce,
                       .flags = F_REDUCE | F_CHOICE,
                       .eval = eval_max,
                       .back = back_max,
                       .init = "-INFINITY",
                       .combine = "ngrt_maximum@($acc, $x)",
                       .combine_vec = "NGRT_MAXIMUM($acc, $x)",
                       .rule = {"dy to the largest, shared by equals"},
                       .teach = "max: routes to the largest"};

const OpInfo op_argmax = {.name = "argmax",
                          .attrs = 1 << A_AXIS,
                          .arity = 1,
                          .copy = copy_argmax,
                          .flags = F_REDUCE | F_FLAT,
                          .eval = eval_argmax,
                          .teach = "argmax: flat, passes nothing back"};
