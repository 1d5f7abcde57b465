/* op_conv.c - records of the convolution.
 *
 * Its image has the batch as its last axis, so that neighbours in memory are treated alike; padding
 * and the usual order of axes are other nodes (prelude.ng). For X [c,h,w,b] and
 * K [o,c/groups,kh,kw]:
 *
 *   conv    Y[o,i,j,b]  = sum over c, u, v of K[o,c,u,v] X[c, i si + u di, j sj + v dj, b]
 *   convk   K[o,c,u,v]  = sum over i, j, b of X[c, i si + u di, j sj + v dj, b] Y[o,i,j,b]
 *
 * with steps s and dilations d. Both are derivatives of one form, linear in X, K and Y. The third
 * derivative, with respect to X, is made of convolutions again: conv_adjoint. */
#include "graph/eval.h"

#include <string.h>

/* The CALL_SIZES numbers for the runtime. CONV_CHANNELS and CONV_OUT are for one group. */
static void conv_sizes(Graph *g, const Node *n, Size *out)
{
    const Shape *x = &n->arg[0]->shape;
    const Shape *k = &n->arg[1]->shape;
    const Shape *y = &n->shape;
    if (n->op == OP_convk) { /* K is the result */
        k = &n->shape;
        y = &n->arg[1]->shape;
    }

    out[CONV_GROUPS] = n->attr.groups;
    out[CONV_CHANNELS] = k->dim[1];
    if (!size_div(g, k->dim[0], n->attr.groups, &out[CONV_OUT]))
        ngc_bug("%s: %d groups", op_info[n->op]->name, n->attr.groups);
    out[CONV_HEIGHT] = x->dim[1];
    out[CONV_WIDTH] = x->dim[2];
    out[CONV_BATCH] = x->dim[3];

    for (int i = 0; i < 2; i++) {
        out[CONV_KH + i] = k->dim[2 + i];
        out[CONV_OH + i] = y->dim[1 + i];
        out[CONV_SH + i] = n->attr.stride[i];
        out[CONV_DH + i] = n->attr.dilation[i];
        out[CONV_PH + i] = 0;
        out[CONV_ABOVE + i] = 0;
    }
}

static Size product(Graph *g, const Size *factor, int count)
{
    Size all = 1;
    for (int i = 0; i < count; i++)
        all = size_mul(g, all, factor[i]);
    return all;
}

static Size terms_conv(Graph *g, const Node *n)
{
    Size s[CALL_SIZES];
    conv_sizes(g, n, s);
    return product(g, (Size[]){s[CONV_CHANNELS], s[CONV_KH], s[CONV_KW]}, 3);
}

static Size terms_convk(Graph *g, const Node *n)
{
    Size s[CALL_SIZES];
    conv_sizes(g, n, s);
    return product(g, (Size[]){s[CONV_OH], s[CONV_OW], s[CONV_BATCH]}, 3);
}

/* Elements that are multiplied: one of K with a row of the batch in X and in Y. */
typedef struct Row {
    int64_t x, k, y; /* their places */
    int64_t count;   /* of the batch */
} Row;

/* What is multiplied, and where the sums are. */
typedef struct Reading {
    const double *a, *b; /* the operands of the node */
    double *out;         /* its value, which starts with zeros */
} Reading;

/* The sizes of a convolution, with those of run time as numbers. */
static void sizes_now(const Node *n, const Eval *e, int64_t *out)
{
    Size size[CALL_SIZES];

    conv_sizes(e->graph, n, size);
    for (int i = 0; i < CALL_SIZES; i++)
        out[i] = size_at(e->graph, size[i], e->dim);
}

/* Goes over all products of an element of X, of K and of Y, a row at a time. */
static void each_product(const Node *n, const Eval *e, void (*f)(Row, const Reading *),
                         const Reading *with)
{
    int64_t s[CALL_SIZES];
    sizes_now(n, e, s);

    /* the shapes of X, K and Y */
    int64_t channels = s[CONV_GROUPS] * s[CONV_CHANNELS];
    int64_t outs = s[CONV_GROUPS] * s[CONV_OUT];
    const int64_t x_dim[] = {channels, s[CONV_HEIGHT], s[CONV_WIDTH], s[CONV_BATCH]};
    const int64_t k_dim[] = {outs, s[CONV_CHANNELS], s[CONV_KH], s[CONV_KW]};
    const int64_t y_dim[] = {outs, s[CONV_OH], s[CONV_OW], s[CONV_BATCH]};

    /* the indices of the sums: those of K, and those of Y except o; the batch is in order in X and
     * in Y */
    enum { O, C, U, V, I, J, AXES };
    const int64_t dim[AXES] = {k_dim[0], k_dim[1], k_dim[2], k_dim[3], y_dim[1], y_dim[2]};
    int64_t at[AXES] = {0};
    for (int i = 0; i < AXES; i++)
        if (dim[i] == 0)
            return;

    do {
        int64_t group = at[O] / s[CONV_OUT];
        int64_t channel = group * s[CONV_CHANNELS] + at[C];
        int64_t row = at[I] * s[CONV_SH] + at[U] * s[CONV_DH];
        int64_t col = at[J] * s[CONV_SW] + at[V] * s[CONV_DW];

        int64_t x = index_at(4, x_dim, (int64_t[]){channel, row, col, 0});
        int64_t k = index_at(4, k_dim, (int64_t[]){at[O], at[C], at[U], at[V]});
        int64_t y = index_at(4, y_dim, (int64_t[]){at[O], at[I], at[J], 0});
        f((Row){x, k, y, s[CONV_BATCH]}, with);
    } while (index_next(AXES, dim, at));
}

static void add_to_y(Row at, const Reading *r)
{
    const double *restrict x = r->a + at.x;
    double k = r->b[at.k];
    double *restrict y = r->out + at.y;

    for (int64_t b = 0; b < at.count; b++)
        y[b] += x[b] * k;
}

static void add_to_k(Row at, const Reading *r)
{
    const double *x = r->a + at.x;
    const double *y = r->b + at.y;
    double sum = r->out[at.k];

    for (int64_t b = 0; b < at.count; b++)
        sum += x[b] * y[b];
    r->out[at.k] = sum;
}

static void eval_conv(const Node *n, Eval *e, double *out)
{
    Reading r = {e->value[arg_id(n, 0)], e->value[arg_id(n, 1)], out};
    size_t count = (size_t)eval_count(e, n->shape);

    memset(out, 0, count * sizeof *out);
    if (n->op == OP_conv)
        each_product(n, e, add_to_y, &r);
    else
        each_product(n, e, add_to_k, &r);
}

/* ---- derivatives ---- */

/* The kernels with inputs and outputs exchanged, within each group:
 * [o, c/groups, kh, kw] -> [c, o/groups, kh, kw]. */
static Node *exchange(Graph *g, Node *k, int groups)
{
    if (groups == 1)
        return graph_permute(g, k, (int[]){1, 0, 2, 3});

    /* [groups, outs, ins, kh, kw] -> [groups, ins, outs, kh, kw] */
    const Size *dim = k->shape.dim;
    Size outs, ins = dim[1]; /* of one group */
    if (!size_div(g, dim[0], groups, &outs))
        ngc_bug("conv: %d groups", groups);
    Shape split = {.rank = 5, .dim = {groups, outs, ins, dim[2], dim[3]}};
    Shape merged = {.rank = 4, .dim = {size_mul(g, groups, ins), outs, dim[2], dim[3]}};

    Node *by_group = graph_reshape(g, k, split);
    Node *exchanged = graph_permute(g, by_group, (int[]){0, 2, 1, 3, 4});
    return graph_reshape(g, exchanged, merged);
}

/* Along one axis: the taps first, first + period, .. which read the elements first*d + step*i of X.
 */
typedef struct Phase {
    Size first, count, period; /* the taps */
    Size distance;             /* of one tap from the next, in places of Y */
} Phase;

static Size greatest_divisor(Size a, Size b)
{
    if (b == 0)
        return a;
    return greatest_divisor(b, a % b);
}

static Phase phase_of(Size first, Size taps, Size step, Size dilation)
{
    Size common = greatest_divisor(step, dilation);
    Size period = step / common;
    Size count = (taps - first + period - 1) / period;
    return (Phase){first, count, period, dilation / common};
}

/* What the taps of one phase along each axis add to X: those taps, flipped, convolved with Y with
 * zeros around it, at the elements of X that they read. */
static Node *adjoint_of_phase(Graph *g, Node *exchanged, Node *y, const struct Attr *at,
                              Shape shape, const Phase phase[2])
{
    Size k_lo[4] = {0};
    Size k_step[4] = {1, 1};
    Size y_lo[4] = {0};
    Size y_step[4] = {1, 1, 1, 1};
    Size x_lo[4] = {0};
    Size x_step[4] = {1, 1, 1, 1};
    Shape part = exchanged->shape;
    Shape padded = y->shape;
    struct Attr conv = {.groups = at->groups, .stride = {1, 1}};

    for (int a = 0; a < 2; a++) {
        const Phase *p = &phase[a];

        /* the taps, from the last to the first */
        part.dim[2 + a] = p->count;
        k_lo[2 + a] = p->first + (p->count - 1) * p->period;
        k_step[2 + a] = -p->period;

        /* zeros on both sides, so that each tap meets each element */
        y_lo[1 + a] = (p->count - 1) * p->distance;
        padded.dim[1 + a] = size_add(g, padded.dim[1 + a], 2 * y_lo[1 + a]);
        conv.dilation[a] = p->distance;

        x_lo[1 + a] = p->first * at->dilation[a];
        x_step[1 + a] = at->stride[a];
    }

    Node *around = graph_pad(g, y, y_lo, y_step, padded);
    Node *taps = graph_slice(g, exchanged, k_lo, k_step, part);
    Node *some = graph_conv(g, around, taps, &conv);
    return graph_pad(g, some, x_lo, x_step, shape);
}

/* X[c, p, q, b] = sum over o, u, v, and places i si + u di = p, j sj + v dj = q, of
 * K[o,c,u,v] Y[o,i,j,b].
 *
 * The taps that read the same elements of X form a kernel of their own. Flipped, it moves over Y
 * with step 1. */
static Node *conv_adjoint(Graph *g, Node *k, Node *y, const struct Attr *at, Shape shape)
{
    Node *sum = NULL;
    Node *exchanged = exchange(g, k, at->groups);
    const Size *taps = &k->shape.dim[2];
    const Size *step = at->stride;
    const Size *dilation = at->dilation;

    Size phases[2]; /* along each axis */
    for (int a = 0; a < 2; a++) {
        Size period = phase_of(0, 1, step[a], dilation[a]).period;
        phases[a] = min_int64(period, taps[a]);
    }

    for (Size u = 0; u < phases[0]; u++)
        for (Size v = 0; v < phases[1]; v++) {
            Phase phase[2] = {phase_of(u, taps[0], step[0], dilation[0]),
                              phase_of(v, taps[1], step[1], dilation[1])};
            Node *some = adjoint_of_phase(g, exchanged, y, at, shape, phase);
            if (sum == NULL)
                sum = some;
            else
                sum = graph_binary(g, OP_add, sum, some);
        }
    return sum;
}

/* y = conv(X, K):  dX = conv_adjoint(K, dy), dK = convk(X, dy) */
static void back_conv(Graph *g, const Node *y, Node *dy, Node **dx)
{
    Node *x = y->arg[0];
    Node *k = y->arg[1];
    dx[0] = conv_adjoint(g, k, dy, &y->attr, x->shape);
    dx[1] = graph_convk(g, x, dy, &y->attr, k->shape);
}

/* k = convk(X, Y):  dX = conv_adjoint(dk, Y), dY = conv(X, dk) */
static void back_convk(Graph *g, const Node *k, Node *dk, Node **dx)
{
    Node *x = k->arg[0];
    Node *y = k->arg[1];
    dx[0] = conv_adjoint(g, dk, y, &k->attr, x->shape);
    dx[1] = graph_conv(g, x, dk, &k->attr);
}

/* ---- the same on other operands ---- */

static Node *copy_conv(Graph *g, const Node *n, Node *const *arg)
{
    return graph_conv(g, arg[0], arg[1], &n->attr);
}

static Node *copy_convk(Graph *g, const Node *n, Node *const *arg)
{
    return graph_convk(g, arg[0], arg[1], &n->attr, n->shape);
}

const OpInfo op_conv = {.name = "conv",
                        .attrs = 1 << A_STRIDE | 1 << A_DILATION | 1 << A_GROUPS,
                        .arity = 2,
                        .copy = copy_conv,
                        .flags = F_PARTS | F_LOOPS_PLAIN,
                        .eval = eval_conv,
                        .terms = terms_conv,
                        .back = back_conv,
                        .sizes = conv_sizes,
                        .call = "ngrt_%conv($s, $a, $b, $y, $p)",
                        .rule = {"dy, spread by the flipped kernel",
                                 "dy against each place that the kernel saw"},
                        .teach = "convolution: spreads back by the same kernel, flipped"};

const OpInfo op_convk = {.name = "convk",
                         .attrs = 1 << A_STRIDE | 1 << A_DILATION | 1 << A_GROUPS,
                         .arity = 2,
                         .copy = copy_convk,
                         .flags = F_PARTS | F_LOOPS_PLAIN,
                         .eval = eval_conv,
                         .terms = terms_convk,
                         .back = back_convk,
                         .sizes = conv_sizes,
                         .call = "ngrt_%convk($s, $a, $b, $y, $p)",
                         .rule = {"the second operand, spread by dy",
                                  "the first operand, convolved with dy"},
                         .teach = "kernel of a convolution: linear in both"};
