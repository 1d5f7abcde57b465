/* graph_index.c - builders of matrix products, linear algebra and indexing. */
#include "graph/build.h"

#include <string.h>

/* Adds a node of floats without attributes. */
static Node *add_floats(Graph *g, Op op, Shape shape, Node *const *arg, int count)
{
    return graph_add(g, (Node){.op = op, .type = T_FLOAT, .shape = shape, .nargs = count}, arg);
}

/* ---- matrix product ---- */

/* Does n exchange the last two axes of its operand, and nothing else? */
static bool is_transpose(const Graph *g, const Node *n)
{
    if (!is(g, n, OP_permute))
        return false;

    const int *perm = n->attr.perm;
    int column = n->shape.rank - 1;
    int row = column - 1;
    if (row < 0)
        return false;

    for (int i = 0; i < row; i++)
        if (perm[i] != i)
            return false;
    return perm[row] == column && perm[column] == row;
}

static Node *untranspose(const Graph *g, Node *n, bool *flag)
{
    if (!is_transpose(g, n))
        return n;
    *flag = !*flag;
    return n->arg[0];
}

static Node *matmul(Graph *g, Node *a, Node *b, struct Attr attr);

/* A batch of matrices times one matrix is one product of a taller matrix. */
static Node *matmul_flat(Graph *g, Node *a, Node *b, struct Attr attr)
{
    if (attr.ta)
        a = graph_transpose(g, a);
    attr.ta = false;

    /* [.., r, k] -> [.. * r, k] */
    Shape shape = a->shape;
    Shape flat = {.rank = 2, .dim = {1}};
    int last = shape.rank - 1;
    for (int i = 0; i < last; i++)
        flat.dim[0] = size_mul(g, flat.dim[0], shape.dim[i]);
    flat.dim[1] = shape.dim[last];

    /* [.. * r, c] -> [.., r, c] */
    Node *c = matmul(g, graph_reshape(g, a, flat), b, attr);
    shape.dim[last] = c->shape.dim[1];
    return graph_reshape(g, c, shape);
}

/* The shape with its last two axes exchanged, if they are. */
static Shape transposed(Shape s, bool exchanged)
{
    if (exchanged) {
        Size row = s.dim[s.rank - 2];
        s.dim[s.rank - 2] = s.dim[s.rank - 1];
        s.dim[s.rank - 1] = row;
    }
    return s;
}

/* A matrix as a batch of copies, as b is one. */
static Node *repeated(Graph *g, Node *a, const Node *b)
{
    Shape s = b->shape;
    Size *rows = &s.dim[s.rank - 2];

    memcpy(rows, a->shape.dim, 2 * sizeof *rows);
    return graph_broadcast(g, a, s);
}

/* The shape of a product of [.., m, k] and [.., k, n]: [.., m, n]. */
static Shape product_shape(const Graph *g, Shape a, Shape b)
{
    int column = a.rank - 1;
    int row = column - 1;

    if (b.rank != a.rank || b.dim[row] != a.dim[column])
        ngc_bug("matmul: %s and %s", shape_text(g, a), shape_text(g, b));
    a.dim[column] = b.dim[column];
    return a;
}

/* a [.., m, k] times b [.., k, n], as they are after the transposes that attr says. */
static Node *matmul(Graph *g, Node *a, Node *b, struct Attr attr)
{
    a = untranspose(g, graph_cast(g, a, T_FLOAT), &attr.ta);
    b = untranspose(g, graph_cast(g, b, T_FLOAT), &attr.tb);

    bool is_batch = a->shape.rank > 2;
    bool times_batch = b->shape.rank > 2;
    if (is_batch && !times_batch)
        return matmul_flat(g, a, b, attr);
    if (!is_batch && times_batch)
        a = repeated(g, a, b);

    Shape of_a = transposed(a->shape, attr.ta);
    Shape of_b = transposed(b->shape, attr.tb);
    Node n = {.op = OP_matmul,
              .type = T_FLOAT,
              .shape = product_shape(g, of_a, of_b),
              .nargs = 2,
              .attr = attr};
    return graph_add(g, n, (Node *[]){a, b});
}

Node *graph_matmul(Graph *g, Node *a, Node *b, bool ta, bool tb)
{
    return matmul(g, a, b, (struct Attr){.ta = ta, .tb = tb});
}

Node *graph_chain(Graph *g, Node *a, Node *b, bool ta, bool tb, bool down)
{
    return matmul(g, a, b, (struct Attr){.ta = ta, .tb = tb, .chain = true, .down = down});
}

/* ---- linear algebra ---- */

/* The derivative of these needs the matrix, the value its factors: both are operands. Equal factors
 * are shared. */

/* a matrix, and `more` columns after it */
static Shape wider(Graph *g, Shape s, int more)
{
    s.dim[s.rank - 1] = size_add(g, s.dim[s.rank - 1], more);
    return s;
}

/* [.., n, n + 1]: see ngrt_linear_real.h */
Node *graph_lu(Graph *g, Node *a)
{
    return add_floats(g, OP_lu, wider(g, a->shape, 1), &a, 1);
}

Node *graph_solve(Graph *g, Node *a, Node *b, bool transposed)
{
    Node n = {.op = OP_solve, .type = T_FLOAT, .shape = b->shape, .nargs = 3};
    n.attr.ta = transposed;
    return graph_add(g, n, (Node *[]){a, graph_lu(g, a), b});
}

Node *graph_det(Graph *g, Op op, Node *a)
{
    Shape s = a->shape;
    s.rank -= 2;
    memset(s.dim + s.rank, 0, 2 * sizeof *s.dim);
    return add_floats(g, op, s, (Node *[]){a, graph_lu(g, a)}, 2);
}

/* It has no derivative of its own: the library's function has a rule. */
Node *graph_cholesky(Graph *g, Node *a)
{
    return add_floats(g, OP_cholesky, a->shape, &a, 1);
}

/* [.., n, n + 2]: see ngrt_linear_real.h */
Node *graph_lup(Graph *g, Node *a)
{
    return add_floats(g, OP_lup, wider(g, a->shape, 2), &a, 1);
}

Node *graph_cof(Graph *g, Node *a)
{
    return add_floats(g, OP_cof, a->shape, (Node *[]){a, graph_lup(g, a)}, 2);
}

Node *graph_cof2(Graph *g, Node *a, Node *w)
{
    return add_floats(g, OP_cof2, a->shape, (Node *[]){a, graph_lup(g, a), w}, 3);
}

/* ---- convolution ---- */

/* The number of places of a window of `taps` along an axis of n:
 * (n - dilation (taps - 1) - 1) / step + 1. */
static Size window_places(Graph *g, Size n, Size taps, Size step, Size dilation)
{
    Size reach = size_mul(g, dilation, size_sub(g, taps, 1));
    Size rest = size_sub(g, n, size_add(g, reach, 1));
    Size count;
    if (!size_floor(g, rest, step, &count))
        ngc_bug("conv: a step of %lld along an axis of unknown size", (long long)step);
    return size_add(g, count, 1);
}

Node *graph_conv(Graph *g, Node *x, Node *k, const struct Attr *at)
{
    /* x [c, h, w, b] and k [o, c/groups, kh, kw]: [o, i, j, b] */
    const Size *of_x = x->shape.dim;
    const Size *of_k = k->shape.dim;
    Shape shape = {.rank = 4, .dim = {of_k[0], 0, 0, of_x[3]}};
    for (int i = 0; i < 2; i++) {
        Size n = of_x[1 + i];
        Size taps = of_k[2 + i];
        shape.dim[1 + i] = window_places(g, n, taps, at->stride[i], at->dilation[i]);
    }

    x = graph_cast(g, x, T_FLOAT);
    k = graph_cast(g, k, T_FLOAT);
    Node n = {.op = OP_conv, .type = T_FLOAT, .shape = shape, .nargs = 2, .attr = *at};
    return graph_add(g, n, (Node *[]){x, k});
}

Node *graph_convk(Graph *g, Node *x, Node *y, const struct Attr *at, Shape shape)
{
    Node n = {.op = OP_convk, .type = T_FLOAT, .shape = shape, .nargs = 2, .attr = *at};
    return graph_add(g, n, (Node *[]){x, y});
}

/* ---- indexing ---- */

Node *graph_checked(Graph *g, Node *i, Size size)
{
    double v;
    if (node_const(i, &v) && v >= 0 && size >= 0 && v < (double)size)
        return i;

    Node n = {.op = OP_checked, .type = T_INT, .shape = i->shape, .nargs = 1, .attr.size = size};
    return graph_add(g, n, &i);
}

Node *graph_order_of(Graph *g, Node *x, Size k)
{
    Shape shape = x->shape;

    shape.dim[shape.rank - 1] = k;
    return graph_add(g, (Node){.op = OP_order, .type = T_INT, .shape = shape, .nargs = 1}, &x);
}

/* The operands of a node that reads or writes elements of x at an index for each of some axes. */
static Node **indexed(Graph *g, Node *x, Node *const *index, int count)
{
    Node **arg = arena_array(g->ngc, 1 + count, sizeof *arg);
    arg[0] = x;
    memcpy(arg + 1, index, (size_t)count * sizeof *arg);
    return arg;
}

Node *graph_gather_at(Graph *g, Node *x, Node *const *index, int count, int axis)
{
    /* The axes of the index replace `count` axes of x. */
    Shape from = x->shape;
    Shape by = index[0]->shape;
    Shape shape = {.rank = from.rank - count + by.rank};
    for (int k = 0; k < shape.rank; k++) {
        if (k < axis)
            shape.dim[k] = from.dim[k];
        else if (k < axis + by.rank)
            shape.dim[k] = by.dim[k - axis];
        else
            shape.dim[k] = from.dim[k - by.rank + count];
    }

    Node n = {.op = OP_gather, .type = x->type, .shape = shape, .nargs = 1 + count};
    n.attr.axis = axis;
    return graph_add(g, n, indexed(g, x, index, count));
}

Node *graph_gather(Graph *g, Node *x, Node *i, int axis)
{
    return graph_gather_at(g, x, &i, 1, axis);
}

Node *graph_scatter_at(Graph *g, Node *dy, Node *const *index, int count, Shape shape, int axis)
{
    Node n = {.op = OP_scatter, .type = dy->type, .shape = shape, .nargs = 1 + count};
    n.attr.axis = axis;
    return graph_add(g, n, indexed(g, dy, index, count));
}

Node *graph_scatter(Graph *g, Node *dy, Node *i, Shape shape, int axis)
{
    return graph_scatter_at(g, dy, &i, 1, shape, axis);
}

Node *graph_assign(Graph *g, Node *onto, Node *rows, Node *i, Shape shape)
{
    Node n = {.op = OP_assign, .type = rows->type, .shape = shape, .nargs = onto ? 3 : 2};
    return graph_add(g, n, (Node *[]){rows, i, onto});
}
