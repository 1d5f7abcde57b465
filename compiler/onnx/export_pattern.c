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

/* The value of operand i. */
static const Node *arg_value(const Node *n, int i)
{
    return value_of(n->arg[i]);
}

static bool take_form(Form *f, const char *op, int args, const Node *const *arg)
{
    f->op = op;
    f->args = args;
    for (int i = 0; i < args; i++)
        f->arg[i] = arg[i];
    return true;
}

/* A tensor that is copied along these axes; NULL: it is not one. */
static const Node *copied(const Node *n, uint32_t axes)
{
    double v;
    n = value_of(n);
    if (n->op != OP_expand || n->attr.axes != axes || node_const(n, &v))
        return NULL;
    return arg_value(n, 0);
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
    const Node *s = arg_value(n, 0);
    if (s->op != OP_sum || (axes && s->attr.axes != axes))
        return false;

    *of = arg_value(s, 0);
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
    if (n->op != OP_sqrt)
        return false;
    const Node *sum = arg_value(n, 0);
    for (int i = 0; i < 2 && sum->op == OP_add; i++)
        if (node_const(sum->arg[i], eps)) {
            *v = arg_value(sum, 1 - i);
            return true;
        }
    return false;
}

/* ---- normalisations ---- */

/* The quotient in quotient*gain + bias, where these are copied along all axes but one; or NULL. */
static const Node *scaled_quotient(const Node *n, int axis, const Node **gain, const Node **bias)
{
    const Node *y = without_part(n, OP_add, axis, bias);
    if (y)
        y = without_part(y, OP_mul, axis, gain);
    return y && y->op == OP_div ? y : NULL;
}

/* (y - mean)/sqrt(var + eps)*gain + bias, with a mean and a variance for each channel */
static bool find_batch_norm(const Node *n, Form *f)
{
    const Node *gain, *bias, *var;
    if (n->shape.rank < 2)
        return false;
    const Node *quotient = scaled_quotient(n, 1, &gain, &bias);
    if (!quotient)
        return false;

    const Node *root = copied_but(quotient->arg[1], 1);
    const Node *d = arg_value(quotient, 0);
    if (!root || !is_root(root, &var, &f->eps) || d->op != OP_sub)
        return false;
    const Node *mean = copied_but(d->arg[1], 1);
    if (!mean || mean->shape.rank != 1 || var->shape.rank != 1)
        return false;
    return take_form(f, "BatchNormalization", 5,
                     (const Node *const[]){arg_value(d, 0), gain, bias, mean, var});
}

/* d = y - mean(y), d/sqrt(mean(d^2) + eps)*gain + bias, along the last axis */
static bool find_layer_norm(const Export *x, const Node *n, Form *f)
{
    int last = n->shape.rank - 1;
    const Node *gain, *bias, *variance, *square, *y;
    if (last < 0)
        return false;
    uint32_t axes = 1u << last;
    const Node *quotient = scaled_quotient(n, last, &gain, &bias);
    if (!quotient)
        return false;

    const Node *root = copied(quotient->arg[1], axes);
    const Node *d = arg_value(quotient, 0);
    if (!root || !is_root(root, &variance, &f->eps) || d->op != OP_sub)
        return false;
    if (!is_mean(x, variance, axes, &square) || square->op != OP_mul)
        return false;
    if (arg_value(square, 0) != d || arg_value(square, 1) != d)
        return false;

    const Node *mean = copied(d->arg[1], axes);
    if (!mean || !is_mean(x, mean, axes, &y) || y != arg_value(d, 0))
        return false;
    return take_form(f, "LayerNormalization", 3, (const Node *const[]){y, gain, bias});
}

/* ---- softmax ---- */

/* Is it this reduction of y along one axis? */
static bool is_reduced(const Node *n, Op op, int axis, const Node *y)
{
    return n->op == op && n->attr.axes == 1u << axis && arg_value(n, 0) == y;
}

/* y - max(y) along an axis, which *axis becomes; or NULL */
static const Node *less_largest(const Node *n, int *axis)
{
    if (n->op != OP_sub)
        return NULL;
    const Node *y = arg_value(n, 0);
    for (*axis = 0; *axis < n->shape.rank; ++*axis) {
        const Node *most = copied(n->arg[1], 1u << *axis);
        if (most && is_reduced(most, OP_max, *axis, y))
            return y;
    }
    return NULL;
}

/* exp(u)/sum(exp(u)), where u = y - max(y) */
static bool find_softmax(const Node *n, Form *f)
{
    if (n->op != OP_div || arg_value(n, 0)->op != OP_exp)
        return false;
    const Node *e = arg_value(n, 0);
    const Node *y = less_largest(arg_value(e, 0), &f->axis);
    if (!y)
        return false;

    const Node *sum = copied(n->arg[1], 1u << f->axis);
    if (!sum || !is_reduced(sum, OP_sum, f->axis, e))
        return false;
    return take_form(f, "Softmax", 1, &y);
}

/* u - log(sum(exp(u))) */
static bool find_log_softmax(const Node *n, Form *f)
{
    if (n->op != OP_sub)
        return false;
    const Node *u = arg_value(n, 0);
    const Node *y = less_largest(u, &f->axis);
    if (!y)
        return false;

    const Node *log = copied(n->arg[1], 1u << f->axis);
    if (!log || log->op != OP_log)
        return false;
    const Node *sum = arg_value(log, 0);
    if (sum->op != OP_sum || sum->attr.axes != 1u << f->axis)
        return false;
    const Node *e = arg_value(sum, 0);
    if (e->op != OP_exp || arg_value(e, 0) != u)
        return false;
    return take_form(f, "LogSoftmax", 1, &y);
}

static bool find_mean(const Export *x, const Node *n, Form *f)
{
    const Node *of;
    if (n->type != T_FLOAT || !is_mean(x, n, 0, &of))
        return false;
    f->axes = arg_value(n, 0)->attr.axes;
    return take_form(f, "ReduceMean", 1, &of);
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
    const Size *lo = n->attr.lo;
    const Size *step = n->attr.step;
    if (n->op != OP_slice)
        return false;

    /* all of the first two axes */
    for (int i = 0; i < 2; i++)
        if (lo[i] != 0 || step[i] != 1 || n->shape.dim[i] != n->arg[0]->shape.dim[i])
            return false;
    for (int i = 2; i < n->shape.rank; i++)
        if (!size_number(x->g, lo[i], &offset[i - 2]) || step[i] < 1)
            return false;
    return true;
}

/* The sizes and the dilations of a window whose elements are at these offsets, in row-major order.
 */
static bool find_window(Form *f, int64_t (*offset)[MAX_RANK], int count, int axes)
{
    int inner = 1;
    for (int a = axes - 1; a >= 0; a--) {
        int64_t step = 0;
        if (inner < count)
            step = offset[inner][a];
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

/* Is it pad(image), where another pad, of ones, is not 0, else -inf? */
static bool is_padded(const Node *y)
{
    double v;
    if (y->op != OP_where || !node_const(y->arg[1], &v) || v != -INFINITY)
        return false;
    const Node *test = y->arg[0];
    const Node *p = y->arg[2];
    if (p->op != OP_pad || test->op != OP_eq || !node_is(test->arg[1], 0))
        return false;

    /* the pad of ones is 0 where the image is not */
    const Node *ones = test->arg[0];
    if (ones->op != OP_pad || !node_is(ones->arg[0], 1))
        return false;
    if (!shape_equal(ones->arg[0]->shape, p->arg[0]->shape))
        return false;
    for (int i = 0; i < p->shape.rank; i++)
        if (p->attr.step[i] != 1 || ones->attr.lo[i] != p->attr.lo[i])
            return false;
    return true;
}

/* An image with -inf around it: its places, which the pooling has itself. */
static const Node *padded(const Export *x, const Node *y, int64_t *pads)
{
    Graph *g = x->g;
    int axes = y->shape.rank - 2;
    if (!is_padded(y))
        return y;

    const Node *p = y->arg[2];
    for (int i = 0; i < p->shape.rank; i++) {
        int64_t lo, hi;
        Size grown = size_sub(g, p->shape.dim[i], p->arg[0]->shape.dim[i]);
        if (!size_number(g, p->attr.lo[i], &lo))
            return y;
        if (!size_number(g, size_sub(g, grown, lo), &hi))
            return y;

        if (i < 2 && lo + hi > 0)
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
        int64_t in, out;
        int64_t before = f->pads[a];
        int64_t after = f->pads[a + axes];
        int64_t reach = f->dilation[a] * (f->size[a] - 1) + 1;
        if (!size_number(x->g, image->shape.dim[2 + a], &in))
            return false;
        if (!size_number(x->g, n->shape.dim[2 + a], &out))
            return false;
        if (out != (in + before + after - reach) / f->stride[a] + 1)
            return false;
        if (before >= reach || after >= reach)
            return false;
    }
    return true;
}

static bool find_max_pool(const Export *x, const Node *n, Form *f)
{
    static const int most = WINDOW;
    const Node *part;
    const Node *top = n;
    const Node *slice[WINDOW];
    int64_t offset[WINDOW][MAX_RANK];
    int count = 0;
    int axes = n->shape.rank - 2;
    if (n->op != OP_where || axes < 1 || axes > 3)
        return false;

    for (; count < most - 1 && is_larger(top, &part, &top); count++)
        slice[count] = part;
    slice[count++] = top;

    /* the first element of a window is the last in the chain */
    size_t steps = (size_t)n->shape.rank * sizeof *top->attr.step;
    for (int i = 0; i < count; i++) {
        const Node *s = slice[count - 1 - i];
        if (!slice_offset(x, s, offset[i]) || s->arg[0] != top->arg[0])
            return false;
        if (!shape_equal(s->shape, n->shape) || memcmp(s->attr.step, top->attr.step, steps) != 0)
            return false;
    }
    if (count < 2 || !find_window(f, offset, count, axes))
        return false;

    for (int a = 0; a < axes; a++)
        f->stride[a] = top->attr.step[2 + a];
    f->axis = axes;
    const Node *image = padded(x, top->arg[0], f->pads);
    take_form(f, "MaxPool", 1, &image);
    return fits(x, n, image, f, axes);
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
    const Node *bias;
    const Node *y = without_part(n, OP_add, 1, &bias);
    if (!y)
        return false;
    const Node *c = conv_of(y);
    if (!c)
        return false;
    return take_form(f, "Conv", 2, (const Node *const[]){c, bias});
}

/* ---- products with weights, and gelu ---- */

/* Rows of x times W', and the rows are put back: a product of the tensors themselves. */
static bool find_linear(const Node *n, Form *f)
{
    if (n->op != OP_reshape || arg_value(n, 0)->op != OP_matmul)
        return false;
    const Node *product = arg_value(n, 0);
    const Node *rows = arg_value(product, 0);
    const Node *weight = arg_value(product, 1);
    if (rows->op != OP_reshape || product->attr.ta || product->shape.rank != 2)
        return false;

    int last = n->shape.rank - 1;
    if (last < 1 || n->shape.dim[last] != product->shape.dim[1])
        return false;
    f->shape = n->shape;
    f->shape.dim[last] = rows->shape.dim[1];
    f->turned = product->attr.tb;
    return take_form(f, "MatMul", 2, (const Node *const[]){arg_value(rows, 0), weight});
}

/* Is it -sqrt(0.5) y? */
static bool is_gelu_operand(const Node *n, const Node *y)
{
    double v;
    for (int i = 0; i < 2 && n->op == OP_mul; i++)
        if (arg_value(n, 1 - i) == y && node_const(n->arg[i], &v) && fabs(v + sqrt(0.5)) < 1e-12)
            return true;
    return false;
}

/* 0.5 y erfc(-sqrt(0.5) y) */
static bool find_gelu(const Node *n, Form *f)
{
    for (int i = 0; i < 2 && n->op == OP_mul; i++) {
        const Node *tail = arg_value(n, i);
        const Node *half = arg_value(n, 1 - i);
        if (tail->op != OP_erfc || half->op != OP_mul)
            continue;

        bool first = node_is(half->arg[0], 0.5);
        if (!first && !node_is(half->arg[1], 0.5))
            continue;
        const Node *y = arg_value(half, first ? 1 : 0);
        if (is_gelu_operand(arg_value(tail, 0), y))
            return take_form(f, "Gelu", 1, &y);
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
    Graph *g = x->g;
    x->form = arena_array(x->ngc, g->count + 1, sizeof *x->form);
    for (int i = 0; i < g->count; i++) {
        Form f = {0};
        if (uses[i] && find_form(x, g->node[i], &f))
            x->form[i] = arena_copy(x->ngc, &f, sizeof f);
    }
}
