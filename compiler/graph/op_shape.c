/* op_shape.c - records of the operations that move elements. expand and sum, slice and pad are each
 * other's adjoints. */
#include "graph/eval.h"

#include <string.h>

/* ---- reference values: each output element is one input element ---- */

/* Sets at[] to where in the operand element index[] of the result is. */
typedef void Origin(const Node *n, const Eval *e, const int64_t *index, int64_t *at);

static void eval_moved(const Node *n, Eval *e, double *out, Origin *origin)
{
    const Node *a = n->arg[0];
    const double *in = e->value[a->id];
    int64_t dim[MAX_RANK], from[MAX_RANK], index[MAX_RANK] = {0}, at[MAX_RANK], i = 0;
    eval_shape(e, a->shape, from);
    if (eval_shape(e, n->shape, dim) == 0)
        return;

    do {
        origin(n, e, index, at);
        out[i++] = in[index_at(a->shape.rank, from, at)];
    } while (index_next(n->shape.rank, dim, index));
}

static void expand_origin(const Node *n, const Eval *e, const int64_t *index, int64_t *at)
{
    (void)e;
    for (int k = 0; k < n->shape.rank; k++)
        if (!(n->attr.axes >> k & 1))
            *at++ = index[k];
}

static void eval_expand(const Node *n, Eval *e, double *out)
{
    eval_moved(n, e, out, expand_origin);
}

static void eval_reshape(const Node *n, Eval *e, double *out)
{
    memcpy(out, e->value[arg_id(n, 0)], (size_t)eval_count(e, n->shape) * sizeof *out);
}

static void permute_origin(const Node *n, const Eval *e, const int64_t *index, int64_t *at)
{
    (void)e;
    for (int k = 0; k < n->shape.rank; k++)
        at[n->attr.perm[k]] = index[k];
}

static void eval_permute(const Node *n, Eval *e, double *out)
{
    eval_moved(n, e, out, permute_origin);
}

void strided_place(const Node *n, const Eval *e, const int64_t *index, int64_t *at)
{
    for (int k = 0; k < n->shape.rank; k++)
        at[k] = size_at(e->graph, n->attr.lo[k], e->dim) + n->attr.step[k] * index[k];
}

static void eval_slice(const Node *n, Eval *e, double *out)
{
    eval_moved(n, e, out, strided_place);
}

static void eval_pad(const Node *n, Eval *e, double *out)
{
    const double *in = e->value[arg_id(n, 0)];
    int64_t dim[MAX_RANK], from[MAX_RANK], index[MAX_RANK] = {0}, at[MAX_RANK], i = 0;
    int64_t count = eval_shape(e, n->shape, dim);
    memset(out, 0, (size_t)count * sizeof *out);
    if (eval_shape(e, n->arg[0]->shape, from) == 0)
        return;

    do {
        strided_place(n, e, index, at);
        out[index_at(n->shape.rank, dim, at)] = in[i++];
    } while (index_next(n->shape.rank, from, index));
}

static void eval_concat(const Node *n, Eval *e, double *out)
{
    int64_t dim[MAX_RANK], before = 0;
    eval_shape(e, n->shape, dim);
    for (int k = 0; k < n->nargs; k++) {
        const double *in = e->value[arg_id(n, k)];
        int64_t from[MAX_RANK], index[MAX_RANK] = {0};
        int64_t count = eval_shape(e, n->arg[k]->shape, from);

        for (int64_t i = 0; i < count; i++) {
            int64_t at[MAX_RANK];
            memcpy(at, index, sizeof at);
            at[n->attr.axis] += before;
            out[index_at(n->shape.rank, dim, at)] = in[i];
            index_next(n->shape.rank, from, index);
        }
        before += from[n->attr.axis];
    }
}

/* ---- derivatives ---- */

/* y[.., i, ..] = a[..] for every i;  da = sum of dy over the copied axes */
static void back_expand(Graph *g, const Node *y, Node *dy, Node **dx)
{
    dx[0] = graph_reduce(g, OP_sum, dy, y->attr.axes);
}

/* y has the elements of a in the same order;  so has da those of dy */
static void back_reshape(Graph *g, const Node *y, Node *dy, Node **dx)
{
    dx[0] = graph_reshape(g, dy, y->arg[0]->shape);
}

/* y = a with its axes in another order;  da = dy with them in the old order */
static void back_permute(Graph *g, const Node *y, Node *dy, Node **dx)
{
    int back[MAX_RANK] = {0};
    for (int i = 0; i < y->shape.rank; i++)
        back[y->attr.perm[i]] = i;
    dx[0] = graph_permute(g, dy, back);
}

/* y[i] = a[lo + step i];  da[lo + step i] = dy[i], 0 elsewhere. A pad has no negative steps: where
 * a step is negative, dy is flipped first. */
static void back_slice(Graph *g, const Node *y, Node *dy, Node **dx)
{
    Size lo[MAX_RANK] = {0}, step[MAX_RANK] = {0}, flip_lo[MAX_RANK] = {0}, flip[MAX_RANK];

    for (int i = 0; i < y->shape.rank; i++) {
        Size last = size_sub(g, y->shape.dim[i], 1);
        lo[i] = y->attr.lo[i];
        step[i] = y->attr.step[i];
        flip[i] = 1;
        if (step[i] < 0) {
            flip[i] = -1;
            flip_lo[i] = last;
            step[i] = -step[i];
            lo[i] = size_sub(g, lo[i], size_mul(g, last, step[i]));
        }
    }

    Indices before = graph_use_indices(g, y->arg + 1, y->nargs - 1);
    Node *flipped = graph_slice(g, dy, flip_lo, flip, dy->shape);
    dx[0] = graph_pad(g, flipped, lo, step, y->arg[0]->shape);
    graph_restore_indices(g, before);
}

/* y[lo + step i] = a[i], 0 elsewhere;  da[i] = dy[lo + step i] */
static void back_pad(Graph *g, const Node *y, Node *dy, Node **dx)
{
    Indices before = graph_use_indices(g, y->arg + 1, y->nargs - 1);
    dx[0] = graph_slice(g, dy, y->attr.lo, y->attr.step, y->arg[0]->shape);
    graph_restore_indices(g, before);
}

/* y = a0, a1, .. along one axis;  dak = the slice of dy at its place */
static void back_concat(Graph *g, const Node *y, Node *dy, Node **dx)
{
    int axis = y->attr.axis;
    Size lo[MAX_RANK] = {0};

    for (int k = 0; k < y->nargs; k++) {
        Shape part = y->arg[k]->shape;
        dx[k] = graph_slice(g, dy, lo, size_ones, part);
        lo[axis] = size_add(g, lo[axis], part.dim[axis]);
    }
}

/* The derivative of the transpose of a matrix, or of a reshape of a row to a column, is dy'. */
static const char *said_transpose(Ngc *ngc, const Node *y, int operand)
{
    (void)ngc;
    (void)operand;
    bool transposes = y->op == OP_permute && y->shape.rank == 2;
    return transposes || node_is_turned(y) ? "dy'" : NULL;
}

/* ---- the same on other operands ---- */

static Node *copy_expand(Graph *g, const Node *n, Node *const *arg)
{
    return graph_expand(g, arg[0], n->shape, n->attr.axes);
}

static Node *copy_reshape(Graph *g, const Node *n, Node *const *arg)
{
    return graph_reshape(g, arg[0], n->shape);
}

static Node *copy_permute(Graph *g, const Node *n, Node *const *arg)
{
    return graph_permute(g, arg[0], n->attr.perm);
}

static Node *copy_slice(Graph *g, const Node *n, Node *const *arg)
{
    Indices before = graph_use_indices(g, arg + 1, n->nargs - 1);
    Node *slice = graph_slice(g, arg[0], n->attr.lo, n->attr.step, n->shape);
    graph_restore_indices(g, before);
    return slice;
}

static Node *copy_pad(Graph *g, const Node *n, Node *const *arg)
{
    Indices before = graph_use_indices(g, arg + 1, n->nargs - 1);
    Node *pad = graph_pad(g, arg[0], n->attr.lo, n->attr.step, n->shape);
    graph_restore_indices(g, before);
    return pad;
}

static Node *copy_concat(Graph *g, const Node *n, Node *const *arg)
{
    size_t count = (size_t)n->nargs;
    Node **own = arena_copy(g->ngc, arg, count * sizeof *own); /* the builder may cast them */
    return graph_concat(g, own, n->nargs, n->attr.axis);
}

const OpInfo op_expand = {.name = "expand",
                          .attrs = 1 << A_AXES,
                          .arity = 1,
                          .copy = copy_expand,
                          .flags = F_VIEW | F_ROUTE,
                          .eval = eval_expand,
                          .back = back_expand,
                          .rule = {"dy, summed over the copies"},
                          .teach = "copy: adds"};

const OpInfo op_reshape = {.name = "reshape",
                           .arity = 1,
                           .copy = copy_reshape,
                           .flags = F_VIEW | F_ROUTE,
                           .eval = eval_reshape,
                           .back = back_reshape,
                           .said = said_transpose,
                           .rule = {"dy, in the shape of a"},
                           .teach = "reshape: reshapes back"};

const OpInfo op_permute = {.name = "permute",
                           .attrs = 1 << A_PERM,
                           .arity = 1,
                           .copy = copy_permute,
                           .flags = F_VIEW | F_ROUTE,
                           .eval = eval_permute,
                           .back = back_permute,
                           .said = said_transpose,
                           .rule = {"dy, its axes put back"},
                           .teach = "transpose: transposes back"};

/* slice and pad: where the place depends on the index of a loop, that is an operand too */
const OpInfo op_slice = {.name = "slice",
                         .attrs = 1 << A_LO | 1 << A_STEP,
                         .arity = -1,
                         .copy = copy_slice,
                         .flags = F_VIEW | F_ROUTE,
                         .eval = eval_slice,
                         .back = back_slice,
                         .rule = {"dy in its place, 0 elsewhere"},
                         .teach = "slice: puts back in place"};

const OpInfo op_pad = {.name = "pad",
                       .attrs = 1 << A_LO | 1 << A_STEP,
                       .arity = -1,
                       .copy = copy_pad,
                       .flags = F_ROUTE,
                       .eval = eval_pad,
                       .back = back_pad,
                       .rule = {"the part of dy that shows a"},
                       .teach = "pad: cuts out"};

const OpInfo op_concat = {.name = "concat",
                          .attrs = 1 << A_AXIS,
                          .arity = -1,
                          .copy = copy_concat,
                          .flags = F_ROUTE,
                          .eval = eval_concat,
                          .back = back_concat,
                          .rule = {"the part of dy that shows a"},
                          .teach = "concatenate: cuts apart"};
