/* export_pattern.c - what several nodes of the graph are together in a file: a normalisation, a
 * pooling, a convolution with its bias. In: the graph. Out: for each node that an operator of ONNX
 * gives with all that is below it, that operator and its operands. */
#include "onnx/export.h"
#include "onnx/onnx.h"

#include <math.h>
#include <string.h>

/* ---- parts ---- */

/* The node that has the same value. */
static const Node *value_of(const Node *n)
{
    while (n->op == OP_stop || n->op == OP_copy)
        n = n->arg[0];
    return n;
}

/* A tensor that is copied along these axes; NULL: it is none. */
static const Node *copied(const Node *n, uint32_t axes)
{
    double v;
    n = value_of(n);
    if (n->op != OP_expand || n->attr.axes != axes || node_const(n, &v))
        return NULL;
    return value_of(n->arg[0]);
}

/* One that is copied along all axes but one. */
static const Node *copied_but(const Node *n, int axis)
{
    return copied(n, ((1u << n->shape.rank) - 1) & ~(1u << axis));
}

/* The other operand of a sum or product with a tensor that is copied along all axes but one, which
 * *part becomes. NULL: there is none. */
static const Node *without_part(const Node *n, Op op, int axis, const Node **part)
{
    if (n->op != op)
        return NULL;
    for (int i = 0; i < 2; i++) {
        *part = copied_but(n->arg[i], axis);
        if (*part && (*part)->shape.rank == 1)
            return value_of(n->arg[1 - i]);
    }
    return NULL;
}

/* The mean along this axis of *of. */
static bool is_mean(const Export *x, const Node *n, uint32_t axes, const Node **of)
{
    double count, all = 1;
    if (n->op != OP_div || !node_const(n->arg[1], &count))
        return false;
    const Node *s = value_of(n->arg[0]);
    if (s->op != OP_sum || (axes && s->attr.axes != axes))
        return false;

    *of = value_of(s->arg[0]);
    for (int i = 0; i < (*of)->shape.rank; i++) {
        int64_t size;
        if (!(s->attr.axes >> i & 1))
            continue;
        if (!size_number(x->g, (*of)->shape.dim[i], &size))
            return false;
        all *= (double)size;
    }
    return all == count;
}

/* sqrt(*v + eps) */
static bool is_root(const Node *n, const Node **v, double *eps)
{
    if (n->op != OP_sqrt || value_of(n->arg[0])->op != OP_add)
        return false;
    const Node *sum = value_of(n->arg[0]);
    for (int i = 0; i < 2; i++)
        if (node_const(sum->arg[i], eps)) {
            *v = value_of(sum->arg[1 - i]);
            return true;
        }
    return false;
}

/* ---- normalisations ---- */

/* (y - mean)/sqrt(var + eps)*gain + bias, with a mean and a variance for each channel */
static bool find_batch_norm(const Node *n, Form *f)
{
    const Node *gain, *bias, *root, *mean, *var, *y;
    if (n->shape.rank < 2 || !(y = without_part(n, OP_add, 1, &bias)) ||
        !(y = without_part(y, OP_mul, 1, &gain)) || y->op != OP_div)
        return false;
    root = copied_but(y->arg[1], 1);
    y = value_of(y->arg[0]);
    if (!root || !is_root(root, &var, &f->eps) || y->op != OP_sub)
        return false;
    mean = copied_but(y->arg[1], 1);
    if (!mean || mean->shape.rank != 1 || var->shape.rank != 1)
        return false;

    f->op = "BatchNormalization";
    f->args = 5;
    f->arg[0] = value_of(y->arg[0]);
    f->arg[1] = gain;
    f->arg[2] = bias;
    f->arg[3] = mean;
    f->arg[4] = var;
    return true;
}

/* d = y - mean(y), d/sqrt(mean(d^2) + eps)*gain + bias, along the last axis */
static bool find_layer_norm(const Export *x, const Node *n, Form *f)
{
    int last = n->shape.rank - 1;
    const Node *gain, *bias, *root, *square, *d, *of, *mean;
    if (last < 0 || !(d = without_part(n, OP_add, last, &bias)) ||
        !(d = without_part(d, OP_mul, last, &gain)) || d->op != OP_div)
        return false;
    root = copied(d->arg[1], 1u << last);
    d = value_of(d->arg[0]);
    if (!root || !is_root(root, &square, &f->eps) || d->op != OP_sub ||
        !is_mean(x, square, 1u << last, &of) || of->op != OP_mul || value_of(of->arg[0]) != d ||
        value_of(of->arg[1]) != d)
        return false;
    mean = copied(d->arg[1], 1u << last);
    if (!mean || !is_mean(x, mean, 1u << last, &of) || of != value_of(d->arg[0]))
        return false;

    f->op = "LayerNormalization";
    f->args = 3;
    f->arg[0] = of;
    f->arg[1] = gain;
    f->arg[2] = bias;
    return true;
}

/* ---- softmax ---- */

/* y - max(y) along an axis, which *axis becomes; or NULL */
static const Node *less_largest(const Node *n, int *axis)
{
    if (n->op != OP_sub)
        return NULL;
    const Node *y = value_of(n->arg[0]);
    for (*axis = 0; *axis < n->shape.rank; ++*axis) {
        const Node *most = copied(n->arg[1], 1u << *axis);
        if (most && most->op == OP_max && most->attr.axes == 1u << *axis &&
            value_of(most->arg[0]) == y)
            return y;
    }
    return NULL;
}

static bool find_softmax(const Node *n, Form *f)
{
    if (n->op != OP_div || value_of(n->arg[0])->op != OP_exp)
        return false;
    const Node *e = value_of(n->arg[0]), *y = less_largest(value_of(e->arg[0]), &f->axis);
    const Node *sum = NULL;
    if (y)
        sum = copied(n->arg[1], 1u << f->axis);
    if (!sum || sum->op != OP_sum || sum->attr.axes != 1u << f->axis || value_of(sum->arg[0]) != e)
        return false;
    f->op = "Softmax";
    f->args = 1;
    f->arg[0] = y;
    return true;
}

static bool find_log_softmax(const Node *n, Form *f)
{
    if (n->op != OP_sub)
        return false;
    const Node *u = value_of(n->arg[0]), *y = less_largest(u, &f->axis);
    const Node *log = NULL;
    if (y)
        log = copied(n->arg[1], 1u << f->axis);
    if (!log || log->op != OP_log)
        return false;
    const Node *sum = value_of(log->arg[0]);
    if (sum->op != OP_sum || sum->attr.axes != 1u << f->axis)
        return false;
    const Node *e = value_of(sum->arg[0]);
    if (e->op != OP_exp || value_of(e->arg[0]) != u)
        return false;
    f->op = "LogSoftmax";
    f->args = 1;
    f->arg[0] = y;
    return true;
}

static bool find_mean(const Export *x, const Node *n, Form *f)
{
    const Node *of;
    if (n->type != T_FLOAT || !is_mean(x, n, 0, &of))
        return false;
    f->op = "ReduceMean";
    f->args = 1;
    f->arg[0] = of;
    f->axes = value_of(n->arg[0])->attr.axes;
    return true;
}

/* ---- pooling ---- */

enum { WINDOW = 1024 }; /* elements */

/* Is it where(part > top or part is NaN, part, top)? */
static bool is_larger(const Node *n, const Node **part, const Node **top)
{
    if (n->op != OP_where || n->arg[0]->op != OP_maximum)
        return false;
    *part = n->arg[1];
    *top = n->arg[2];
    bool less = false, none = false;
    for (int i = 0; i < 2; i++) {
        const Node *c = n->arg[0]->arg[i];
        less |= c->op == OP_lt && c->arg[0] == *top && c->arg[1] == *part;
        none |= c->op == OP_ne && c->arg[0] == *part && c->arg[1] == *part;
    }
    return less && none;
}

/* The offset of a slice along the axes of a window: which elements of a window it has. */
static bool slice_offset(const Export *x, const Node *n, int64_t *offset)
{
    if (n->op != OP_slice || n->attr.lo[0] != 0 || n->attr.lo[1] != 0 || n->attr.step[0] != 1 ||
        n->attr.step[1] != 1 || n->shape.dim[0] != n->arg[0]->shape.dim[0] ||
        n->shape.dim[1] != n->arg[0]->shape.dim[1])
        return false;
    for (int i = 2; i < n->shape.rank; i++)
        if (!size_number(x->g, n->attr.lo[i], &offset[i - 2]) || n->attr.step[i] < 1)
            return false;
    return true;
}

/* The sizes and the dilations of a window whose elements are at these offsets, in row-major order.
 */
static bool find_window(Form *f, int64_t (*offset)[MAX_RANK], int count, int axes)
{
    int inner = 1;
    for (int a = axes - 1; a >= 0; a--) {
        int64_t step = inner < count ? offset[inner][a] : 0;
        int n = 1;
        while (step > 0 && n * inner < count && offset[n * inner][a] == n * step &&
               (a == 0 || offset[n * inner][a - 1] == 0))
            n++;
        f->size[a] = n;
        f->dilation[a] = n > 1 ? step : 1;
        inner *= n;
    }
    if (inner != count)
        return false;
    for (int i = 0; i < count; i++) {
        int rest = i;
        for (int a = axes - 1; a >= 0; a--) {
            if (offset[i][a] != rest % f->size[a] * f->dilation[a])
                return false;
            rest /= (int)f->size[a];
        }
    }
    return true;
}

/* An image with -inf around it: its places, which the pooling has itself. */
static const Node *padded(const Export *x, const Node *y, int64_t *pads)
{
    double v;
    int axes = y->shape.rank - 2;
    if (y->op != OP_where || !node_const(y->arg[1], &v) || v != -INFINITY ||
        y->arg[2]->op != OP_pad || y->arg[0]->op != OP_eq)
        return y;

    /* the pad of ones is 0 where the image is not */
    const Node *p = y->arg[2], *ones = y->arg[0]->arg[0];
    if (ones->op != OP_pad || !node_is(ones->arg[0], 1) || !node_is(y->arg[0]->arg[1], 0) ||
        !shape_equal(ones->arg[0]->shape, p->arg[0]->shape))
        return y;
    for (int i = 0; i < p->shape.rank; i++) {
        int64_t lo, hi;
        Size grown = size_sub(x->g, p->shape.dim[i], p->arg[0]->shape.dim[i]);
        if (p->attr.step[i] != 1 || ones->attr.lo[i] != p->attr.lo[i] ||
            !size_number(x->g, p->attr.lo[i], &lo) ||
            !size_number(x->g, size_sub(x->g, grown, lo), &hi) || (i < 2 && lo + hi > 0))
            return y;
        if (i >= 2) {
            pads[i - 2] = lo;
            pads[i - 2 + axes] = hi;
        }
    }
    return p->arg[0];
}

/* Has the pooling as many windows as a file's would have? */
static bool fits(const Export *x, const Node *n, const Node *image, const Form *f, int axes)
{
    for (int a = 0; a < axes; a++) {
        int64_t in, out, reach = f->dilation[a] * (f->size[a] - 1) + 1;
        if (!size_number(x->g, image->shape.dim[2 + a], &in) ||
            !size_number(x->g, n->shape.dim[2 + a], &out) ||
            out != (in + f->pads[a] + f->pads[a + axes] - reach) / f->stride[a] + 1 ||
            f->pads[a] >= reach || f->pads[a + axes] >= reach)
            return false;
    }
    return true;
}

static bool find_max_pool(const Export *x, const Node *n, Form *f)
{
    static const int most = WINDOW;
    const Node *part, *top = n, *slice[WINDOW];
    int64_t offset[WINDOW][MAX_RANK];
    int count = 0, axes = n->shape.rank - 2;
    if (n->op != OP_where || axes < 1 || axes > 3)
        return false;

    for (; count < most - 1 && is_larger(top, &part, &top); count++)
        slice[count] = part;
    slice[count++] = top;
    for (int i = 0; i < count; i++) { /* the first element of a window is the last in the chain */
        const Node *s = slice[count - 1 - i];
        if (!slice_offset(x, s, offset[i]) || s->arg[0] != top->arg[0] ||
            !shape_equal(s->shape, n->shape) ||
            memcmp(s->attr.step, top->attr.step, sizeof *s->attr.step * (size_t)n->shape.rank) != 0)
            return false;
    }
    if (count < 2 || !find_window(f, offset, count, axes))
        return false;

    for (int a = 0; a < axes; a++)
        f->stride[a] = top->attr.step[2 + a];
    f->op = "MaxPool";
    f->args = 1;
    f->arg[0] = padded(x, top->arg[0], f->pads);
    f->axis = axes;
    return fits(x, n, f->arg[0], f, axes);
}

/* ---- convolutions ---- */

/* A convolution whose batch is moved to the front again. */
static const Node *conv_of(const Node *n)
{
    static const int front[] = {3, 0, 1, 2};
    n = value_of(n);
    if (n->op != OP_permute || n->shape.rank != 4 || n->arg[0]->op != OP_conv)
        return NULL;
    for (int i = 0; i < 4; i++)
        if (n->attr.perm[i] != front[i])
            return NULL;
    return n->arg[0];
}

static bool find_conv(const Node *n, Form *f)
{
    const Node *bias, *y = without_part(n, OP_add, 1, &bias);
    const Node *c = NULL;
    if (y)
        c = conv_of(y);
    if (!c)
        return false;
    f->op = "Conv";
    f->args = 2;
    f->arg[0] = c;
    f->arg[1] = bias;
    return true;
}

/* ---- products with weights, and gelu ---- */

/* Rows of x times W', and the rows are put back: a product of the tensors themselves. */
static bool find_linear(const Node *n, Form *f)
{
    if (n->op != OP_reshape || value_of(n->arg[0])->op != OP_matmul)
        return false;
    const Node *product = value_of(n->arg[0]), *rows = value_of(product->arg[0]);
    if (rows->op != OP_reshape || product->attr.ta || product->shape.rank != 2)
        return false;

    int last = n->shape.rank - 1;
    if (last < 1 || n->shape.dim[last] != product->shape.dim[1])
        return false;
    f->shape = n->shape;
    f->shape.dim[last] = rows->shape.dim[1];
    f->op = "MatMul";
    f->args = 2;
    f->arg[0] = value_of(rows->arg[0]);
    f->arg[1] = value_of(product->arg[1]);
    f->turned = product->attr.tb;
    return true;
}

/* 0.5 y erfc(-y/sqrt(2)) */
static bool find_gelu(const Node *n, Form *f)
{
    double v;
    for (int i = 0; i < 2 && n->op == OP_mul; i++) {
        const Node *tail = value_of(n->arg[i]), *half = value_of(n->arg[1 - i]);
        if (tail->op != OP_erfc || half->op != OP_mul)
            continue;
        const Node *inner = value_of(tail->arg[0]);
        const Node *y = node_is(half->arg[0], 0.5) ? half->arg[1] : half->arg[0];
        bool halves = node_is(half->arg[0], 0.5) || node_is(half->arg[1], 0.5);
        if (!halves || inner->op != OP_div || value_of(inner->arg[0])->op != OP_neg ||
            value_of(value_of(inner->arg[0])->arg[0]) != value_of(y) ||
            !node_const(inner->arg[1], &v) || fabs(v - sqrt(2)) > 1e-12)
            continue;
        f->op = "Gelu";
        f->args = 1;
        f->arg[0] = value_of(y);
        return true;
    }
    return false;
}

/* ---- all ---- */

static bool find_form(const Export *x, const Node *n, Form *f)
{
    return find_conv(n, f) || find_batch_norm(n, f) || find_layer_norm(x, n, f) ||
           find_softmax(n, f) || find_log_softmax(n, f) || find_mean(x, n, f) ||
           find_max_pool(x, n, f) || find_linear(n, f) || find_gelu(n, f);
}

void forms_find(Export *x, const int *uses)
{
    x->form = arena_array(x->ngc, x->g->count + 1, sizeof *x->form);
    for (int i = 0; i < x->g->count; i++) {
        Form f = {0};
        if (uses[i] && find_form(x, x->g->node[i], &f))
            x->form[i] = arena_copy(x->ngc, &f, sizeof f);
    }
}
