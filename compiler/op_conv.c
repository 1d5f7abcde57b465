/* op_conv.c - records of the convolution. Its image has the batch as its last axis, so that what is
 * near in memory is treated alike; padding and the usual order of axes are other nodes
 * (prelude.ng). Of X [c,h,w,b] and K [o,c/groups,kh,kw]:
 *
 *   conv    Y[o,i,j,b]  = sum over c, u, v of K[o,c,u,v] X[c, i si + u di, j sj + v dj, b]
 *   convk   K[o,c,u,v]  = sum over i, j, b of X[c, i si + u di, j sj + v dj, b] Y[o,i,j,b]
 *
 * with steps s and dilations d. Both are derivatives of one form, linear in X, K and Y. The third,
 * with regard to X, is made of convolutions again: conv_adjoint. */
#include "ngc.h"

#include <string.h>

/* What the runtime is told: CALL_SIZES numbers. CONV_CHANNELS and CONV_OUT are those of one group.
 */
static void conv_sizes(Graph *g, const Node *n, Size *out)
{
    const Shape *x = &n->arg[0]->shape;
    const Shape *k = n->op == OP_conv ? &n->arg[1]->shape : &n->shape,
                *y = n->op == OP_conv ? &n->shape : &n->arg[1]->shape;
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

/* Goes over all products of an element of X, of K and of Y, and tells f where they are. */
static void each_product(const Node *n, const Eval *e,
                         void (*f)(int64_t x, int64_t k, int64_t y, void *), void *with)
{
    Size size[CALL_SIZES];
    int64_t s[CALL_SIZES], at[7] = {0};
    conv_sizes(e->graph, n, size);
    for (int i = 0; i < CALL_SIZES; i++)
        s[i] = size_at(e->graph, size[i], e->dim);
    int64_t dim[7] = {s[CONV_GROUPS] * s[CONV_OUT],
                      s[CONV_CHANNELS],
                      s[CONV_KH],
                      s[CONV_KW],
                      s[CONV_OH],
                      s[CONV_OW],
                      s[CONV_BATCH]};
    for (int i = 0; i < 7; i++)
        if (dim[i] == 0)
            return;
    do {
        int64_t c = at[0] / s[CONV_OUT] * s[CONV_CHANNELS] + at[1];
        int64_t row = at[4] * s[CONV_SH] + at[2] * s[CONV_DH],
                col = at[5] * s[CONV_SW] + at[3] * s[CONV_DW];
        f(((c * s[CONV_HEIGHT] + row) * s[CONV_WIDTH] + col) * s[CONV_BATCH] + at[6],
          ((at[0] * s[CONV_CHANNELS] + at[1]) * s[CONV_KH] + at[2]) * s[CONV_KW] + at[3],
          ((at[0] * s[CONV_OH] + at[4]) * s[CONV_OW] + at[5]) * s[CONV_BATCH] + at[6], with);
    } while (index_next(7, dim, at));
}

typedef struct Reading {
    const double *a, *b;
    double *out;
} Reading;

static void add_to_y(int64_t x, int64_t k, int64_t y, void *with)
{
    Reading *r = with;
    r->out[y] += r->a[x] * r->b[k];
}

static void add_to_k(int64_t x, int64_t k, int64_t y, void *with)
{
    Reading *r = with;
    r->out[k] += r->a[x] * r->b[y];
}

static void eval_conv(const Node *n, Eval *e, double *out)
{
    Reading r = {e->value[n->arg[0]->id], e->value[n->arg[1]->id], out};
    int64_t dim[MAX_RANK];
    memset(out, 0, (size_t)eval_shape(e, n->shape, dim) * sizeof *out);
    each_product(n, e, n->op == OP_conv ? add_to_y : add_to_k, &r);
}

/* ---- derivatives ---- */

/* The kernels with inputs and outputs exchanged, within each group. */
static Node *exchange(Graph *g, Node *k, int groups)
{
    Shape s = k->shape, split = {.rank = 5, .dim = {groups, 0, s.dim[1], s.dim[2], s.dim[3]}};
    if (!size_div(g, s.dim[0], groups, &split.dim[1]))
        ngc_bug("conv: %d groups", groups);
    Shape back = {.rank = 4,
                  .dim = {size_mul(g, groups, s.dim[1]), split.dim[1], s.dim[2], s.dim[3]}};
    if (groups == 1)
        return graph_permute(g, k, (int[]){1, 0, 2, 3});
    return graph_reshape(g, graph_permute(g, graph_reshape(g, k, split), (int[]){0, 2, 1, 3, 4}),
                         back);
}

typedef struct Phase { /* along one axis, those taps first, first + period .. that meet elements
                          first*d + step*i of X */
    Size first, count, period, distance; /* distance: of the taps, in places of Y */
} Phase;

static Size greatest_divisor(Size a, Size b)
{
    return b == 0 ? a : greatest_divisor(b, a % b);
}

static Phase phase_of(Size first, Size taps, Size step, Size dilation)
{
    Size common = greatest_divisor(step, dilation), period = step / common;
    return (Phase){first, (taps - first + period - 1) / period, period, dilation / common};
}

/* X[c, p, q, b] = sum over o, u, v, and places i si + u di = p, j sj + v dj = q, of K[o,c,u,v]
 * Y[o,i,j,b]. The taps that meet the same elements of X are a kernel of their own, which turned
 * round moves over Y, step 1, with zeros around. */
static Node *conv_adjoint(Graph *g, Node *k, Node *y, const struct Attr *at, Shape shape)
{
    Node *sum = NULL, *turned = exchange(g, k, at->groups);
    Size period[2];
    for (int a = 0; a < 2; a++)
        period[a] = phase_of(0, 1, at->stride[a], at->dilation[a]).period;
    for (Size u = 0; u < period[0] && u < k->shape.dim[2]; u++)
        for (Size v = 0; v < period[1] && v < k->shape.dim[3]; v++) {
            Phase phase[2] = {phase_of(u, k->shape.dim[2], at->stride[0], at->dilation[0]),
                              phase_of(v, k->shape.dim[3], at->stride[1], at->dilation[1])};
            Size k_lo[4] = {0}, k_step[4] = {1, 1}, y_lo[4] = {0}, one[4] = {1, 1, 1, 1},
                 x_lo[4] = {0}, x_step[4] = {1, 1, 1, 1};
            Shape part = turned->shape, padded = y->shape;
            struct Attr way = {.groups = at->groups, .stride = {1, 1}};
            for (int a = 0; a < 2; a++) {
                Phase *p = &phase[a];
                part.dim[2 + a] = p->count;
                k_lo[2 + a] = p->first + (p->count - 1) * p->period;
                k_step[2 + a] = -p->period;
                y_lo[1 + a] = (p->count - 1) * p->distance;
                padded.dim[1 + a] = size_add(g, padded.dim[1 + a], 2 * y_lo[1 + a]);
                way.dilation[a] = p->distance;
                x_lo[1 + a] = p->first * at->dilation[a];
                x_step[1 + a] = at->stride[a];
            }
            Node *around = graph_pad(g, y, y_lo, one, padded),
                 *taps = graph_slice(g, turned, k_lo, k_step, part);
            Node *some = graph_conv(g, around, taps, &way);
            some = graph_pad(g, some, x_lo, x_step, shape);
            sum = sum ? graph_binary(g, OP_add, sum, some) : some;
        }
    return sum;
}

static void back_conv(Graph *g, const Node *y, Node *dy, Node **dx)
{
    Node *x = y->arg[0], *k = y->arg[1];
    dx[0] = conv_adjoint(g, k, dy, &y->attr, x->shape);
    dx[1] = graph_convk(g, x, dy, &y->attr, k->shape);
}

static void back_convk(Graph *g, const Node *k, Node *dk, Node **dx)
{
    Node *x = k->arg[0], *y = k->arg[1];
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
                        .rule = {"dy, spread by the kernel turned round",
                                 "dy against each place that the kernel saw"},
                        .teach = "convolution: spreads back by the same kernel, turned round"};
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
