/* export_op.c - the operators of ONNX for each op. */
#include "onnx/export.h"
#include "onnx/onnx.h"

#include <math.h>
#include <string.h>

static Placed plain(const char *name)
{
    return (Placed){.name = name};
}

/* ---- elementwise ---- */

/* The operators that compute just what an op does. */
static const char *const names[OP_COUNT] = {
    [OP_add] = "Add",   [OP_sub] = "Sub",     [OP_mul] = "Mul",         [OP_div] = "Div",
    [OP_neg] = "Neg",   [OP_pow] = "Pow",     [OP_maximum] = "Max",     [OP_minimum] = "Min",
    [OP_exp] = "Exp",   [OP_log] = "Log",     [OP_sqrt] = "Sqrt",       [OP_abs] = "Abs",
    [OP_sign] = "Sign", [OP_floor] = "Floor", [OP_ceil] = "Ceil",       [OP_round] = "Round",
    [OP_sin] = "Sin",   [OP_cos] = "Cos",     [OP_tan] = "Tan",         [OP_asin] = "Asin",
    [OP_acos] = "Acos", [OP_atan] = "Atan",   [OP_sinh] = "Sinh",       [OP_cosh] = "Cosh",
    [OP_tanh] = "Tanh", [OP_erf] = "Erf",     [OP_sigmoid] = "Sigmoid", [OP_softplus] = "Softplus",
};

/* Operand i: a number may be a scalar, if another operand has the shape. */
static const char *operand_at(Export *x, const Node *n, int i)
{
    double v;
    bool all = true;
    for (int k = 0; k < n->nargs; k++)
        all &= node_const(n->arg[k], &v);
    if (all)
        return tensor_as(x, n->arg[i], n->type);
    return operand_as(x, n->arg[i], n->type);
}

static Placed compare(Export *x, const Node *n)
{
    const Node *a = n->arg[0], *b = n->arg[1];
    Type type = a->type == T_INT && b->type == T_INT ? T_INT : T_FLOAT;
    const char *p = operand_as(x, a, type), *q = operand_as(x, b, type);
    Placed y = {0};
    if (n->op == OP_lt)
        y.truth = put(x, "Less", p, q, NULL);
    else if (n->op == OP_le)
        y.truth = put(x, "LessOrEqual", p, q, NULL);
    else
        y.truth = put(x, "Equal", p, q, NULL);
    if (n->op == OP_ne)
        y.truth = put(x, "Not", y.truth, NULL);
    y.name = put(x, "Cast", y.truth, NULL);
    put_int(x, "to", element_of(x, n->type));
    return y;
}

/* where(x <= 0, 0, x) */
static bool is_relu(const Node *n)
{
    const Node *c = n->arg[0];
    return c->op == OP_le && c->arg[0] == n->arg[2] && node_is(c->arg[1], 0) &&
           node_is(n->arg[1], 0);
}

static Placed choose(Export *x, const Node *n)
{
    if (is_relu(n) && n->type == T_FLOAT)
        return plain(put(x, "Relu", tensor_of(x, n->arg[2]), NULL));
    const char *c = truth_of(x, n->arg[0]);
    const char *a = operand_as(x, n->arg[1], n->type), *b = operand_as(x, n->arg[2], n->type);
    return plain(put(x, "Where", c, a, b, NULL));
}

/* a - b floor(a/b) */
static Placed modulo(Export *x, const Node *n)
{
    const char *a = operand_at(x, n, 0), *b = operand_at(x, n, 1);
    if (n->type == T_INT)
        return plain(put(x, "Mod", a, b, NULL));
    const char *q = put(x, "Floor", put(x, "Div", a, b, NULL), NULL);
    return plain(put(x, "Sub", a, put(x, "Mul", b, q, NULL), NULL));
}

/* exp(x) - 1; near 0 it is 2 t/(1 - t) for t = tanh(x/2), which keeps the digits. */
static Placed exp_less_one(Export *x, const Node *n)
{
    const char *a = tensor_of(x, n->arg[0]), *one = number(x, 1, T_FLOAT);
    const char *half = number(x, 0.5, T_FLOAT);
    const char *t = put(x, "Tanh", put(x, "Mul", a, half, NULL), NULL);
    const char *near = put(x, "Div", put(x, "Add", t, t, NULL), put(x, "Sub", one, t, NULL), NULL);
    const char *far = put(x, "Sub", put(x, "Exp", a, NULL), one, NULL);
    const char *is_near = put(x, "Less", put(x, "Abs", a, NULL), half, NULL);
    return plain(put(x, "Where", is_near, near, far, NULL));
}

/* log(1 + x): with u = 1 + x as it is rounded, log(u) x/(u - 1). */
static Placed log_one_more(Export *x, const Node *n)
{
    const char *a = tensor_of(x, n->arg[0]), *one = number(x, 1, T_FLOAT);
    const char *u = put(x, "Add", a, one, NULL), *d = put(x, "Sub", u, one, NULL);
    const char *none = put(x, "Equal", u, one, NULL);
    const char *divisor = put(x, "Where", none, one, d, NULL);
    const char *slope = put(x, "Div", a, divisor, NULL);
    const char *far = put(x, "Mul", put(x, "Log", u, NULL), slope, NULL);
    return plain(put(x, "Where", none, a, far, NULL));
}

/* atan(y/x), in the right half of the plane */
static Placed angle(Export *x, const Node *n)
{
    const double pi = 3.14159265358979323846;
    const char *a = operand_at(x, n, 0), *b = operand_at(x, n, 1), *zero = number(x, 0, T_FLOAT);
    const char *t = put(x, "Atan", put(x, "Div", a, b, NULL), NULL);
    const char *below = put(x, "Less", a, zero, NULL), *left = put(x, "Less", b, zero, NULL);
    const char *turn =
        put(x, "Where", below, number(x, -pi, T_FLOAT), number(x, pi, T_FLOAT), NULL);
    const char *y = put(x, "Add", t, put(x, "Where", left, turn, zero, NULL), NULL);
    const char *none = put(x, "Equal", a, zero, NULL);
    const char *right = put(x, "Not", left, NULL);
    return plain(put(x, "Where", put(x, "And", none, right, NULL), zero, y, NULL));
}

static Placed cast(Export *x, const Node *n)
{
    const char *y = put(x, "Cast", tensor_of(x, n->arg[0]), NULL);
    put_int(x, "to", element_of(x, n->type));
    return plain(y);
}

/* ---- shapes ---- */

static Placed expand(Export *x, const Node *n)
{
    double v;
    const Node *a = n->arg[0];
    const char *to = shape_list(x, n->shape, false);
    if (node_const(n, &v))
        return plain(put(x, "Expand", number(x, v, n->type), to, NULL));
    Shape ones = n->shape;
    for (int i = 0; i < n->shape.rank; i++)
        if (n->attr.axes >> i & 1)
            ones.dim[i] = 1;
    const char *from = tensor_of(x, a);
    if (a->shape.rank > 0)
        from = put(x, "Reshape", from, shape_list(x, ones, true), NULL);
    return plain(put(x, "Expand", from, to, NULL));
}

/* Only the order of the axes changes: nothing is written yet. */
static Placed permute(Export *x, const Node *n)
{
    const Placed *a = &x->place[arg_id(n, 0)];
    Placed y = {.name = a->name};
    for (int i = 0; i < n->shape.rank; i++) {
        int k = n->attr.perm[i];
        y.perm[i] = a->turned ? a->perm[k] : k;
        y.turned |= y.perm[i] != i;
    }
    return y;
}

/* Elements lo, lo + step, ... of each axis. */
static Placed slice(Export *x, const Node *n)
{
    Size start[MAX_RANK], end[MAX_RANK];
    int64_t axis[MAX_RANK], step[MAX_RANK];
    int count = 0;
    for (int i = 0; i < n->shape.rank; i++) {
        if (n->attr.lo[i] == 0 && n->attr.step[i] == 1 &&
            n->shape.dim[i] == n->arg[0]->shape.dim[i])
            continue;
        Size last = size_mul(x->g, size_of_number(x->g, n->attr.step[i]),
                             size_sub(x->g, n->shape.dim[i], 1));
        last = size_add(x->g, n->attr.lo[i], last);
        int64_t to;
        axis[count] = i;
        step[count] = n->attr.step[i];
        start[count] = n->attr.lo[i];
        end[count] = size_add(x->g, last, size_of_number(x->g, step[count] > 0 ? 1 : -1));
        if (size_number(x->g, end[count], &to) && to < 0) /* before the first one */
            end[count] = size_of_number(x->g, -INT32_MAX);
        count++;
    }
    if (count == 0)
        return x->place[arg_id(n, 0)];
    const char *from = tensor_of(x, n->arg[0]);
    const char *starts = size_list(x, start, count), *ends = size_list(x, end, count);
    return plain(put(x, "Slice", from, starts, ends, int_list(x, axis, count),
                     int_list(x, step, count), NULL));
}

/* Zeros between the elements of an axis: each becomes a row that begins with it. */
static const char *spread(Export *x, const char *from, Shape *s, int axis, int64_t step)
{
    Shape rows = *s;
    int64_t pads[2 * (MAX_RANK + 1)] = {0}, at = axis, zero = 0, one = 1;
    if (s->rank == MAX_RANK)
        return NULL;
    for (int i = s->rank; i > axis + 1; i--)
        rows.dim[i] = rows.dim[i - 1];
    rows.dim[axis + 1] = 1;
    rows.rank++;
    from = put(x, "Reshape", from, shape_list(x, rows, true), NULL);
    pads[rows.rank + axis + 1] = step - 1;
    from = put(x, "Pad", from, int_list(x, pads, 2 * rows.rank), NULL);
    Size all = size_mul(x->g, s->dim[axis], step);
    s->dim[axis] = all;
    from = put(x, "Reshape", from, shape_list(x, *s, true), NULL);
    s->dim[axis] = size_sub(x->g, all, step - 1);
    return put(x, "Slice", from, int_list(x, &zero, 1), size_list(x, &s->dim[axis], 1),
               int_list(x, &at, 1), int_list(x, &one, 1), NULL);
}

static Placed pad(Export *x, const Node *n)
{
    Shape s = n->arg[0]->shape;
    const Placed *a = &x->place[arg_id(n, 0)];
    Size pads[2 * MAX_RANK];
    bool steps = false;
    for (int i = 0; i < s.rank; i++)
        steps |= n->attr.step[i] != 1;
    Placed y = {.turned = a->turned && !steps};
    memcpy(y.perm, a->perm, sizeof y.perm);
    const char *from = a->name;
    if (!y.turned)
        from = tensor_of(x, n->arg[0]);
    for (int i = 0; i < s.rank && steps && from; i++)
        if (n->attr.step[i] > 1)
            from = spread(x, from, &s, i, n->attr.step[i]);
    if (!from) {
        cannot(x, n, "it has too many axes");
        return plain(NULL);
    }
    for (int i = 0; i < s.rank; i++) {
        int k = y.turned ? y.perm[i] : i;
        pads[k] = n->attr.lo[i];
        pads[s.rank + k] = size_sub(x->g, size_sub(x->g, n->shape.dim[i], s.dim[i]), n->attr.lo[i]);
    }
    y.name = put(x, "Pad", from, size_list(x, pads, 2 * s.rank), NULL);
    return y;
}

static Placed concat(Export *x, const Node *n)
{
    const char *all = NULL;
    for (int i = 0; i < n->nargs; i++) {
        const char *part = tensor_as(x, n->arg[i], n->type);
        if (!all) {
            all = part;
            continue;
        }
        all = put(x, "Concat", all, part, NULL);
        put_int(x, "axis", n->attr.axis);
    }
    return plain(all);
}

/* The index along an axis. */
static Placed iota(Export *x, const Node *n)
{
    Shape row = n->shape;
    const char *from = number(x, 0, T_INT), *step = number(x, 1, T_INT);
    int64_t zero = 0;
    const char *count = size_list(x, &n->shape.dim[n->attr.axis], 1);
    count = put(x, "Squeeze", count, int_list(x, &zero, 1), NULL);
    const char *y = put(x, "Range", from, count, step, NULL);
    for (int i = 0; i < row.rank; i++)
        if (i != n->attr.axis)
            row.dim[i] = 1;
    if (row.rank > 1) {
        y = put(x, "Reshape", y, shape_list(x, row, true), NULL);
        y = put(x, "Expand", y, shape_list(x, n->shape, false), NULL);
    }
    return plain(y);
}

static Placed size(Export *x, const Node *n)
{
    int64_t zero = 0;
    const char *s = put(x, "Squeeze", size_list(x, &n->attr.size, 1), int_list(x, &zero, 1), NULL);
    s = put(x, "Cast", s, NULL);
    put_int(x, "to", element_of(x, n->type));
    return plain(s);
}

/* ---- reductions, products ---- */

static Placed reduce(Export *x, const Node *n)
{
    int64_t axis[MAX_RANK];
    int count = 0;
    for (int i = 0; i < n->arg[0]->shape.rank; i++)
        if (n->attr.axes >> i & 1)
            axis[count++] = i;
    const char *a = tensor_of(x, n->arg[0]), *y;
    if (n->op == OP_sum) {
        y = put(x, "ReduceSum", a, int_list(x, axis, count), NULL);
    } else {
        y = put(x, "ReduceMax", a, NULL);
        put_ints(x, "axes", axis, count);
    }
    put_int(x, "keepdims", 0);
    return plain(y);
}

static Placed largest(Export *x, const Node *n)
{
    const char *y = put(x, "ArgMax", tensor_of(x, n->arg[0]), NULL);
    put_int(x, "axis", n->attr.axis);
    put_int(x, "keepdims", 0);
    return plain(y);
}

/* Where the largest elements are, the largest first: the second result of TopK. */
static Placed places_in_order(Export *x, const Node *n)
{
    int last = n->shape.rank - 1;
    put(x, "TopK", tensor_of(x, n->arg[0]), size_list(x, &n->shape.dim[last], 1), NULL);
    put_int(x, "axis", last);

    Pb__Node *node = last_put(x);
    char **output = arena_alloc(x->ngc, 2 * sizeof *output);
    output[0] = node->output[0];
    output[1] = (char *)fresh_name(x, NULL);
    node->output = output;
    node->n_output = 2;
    return plain(output[1]);
}

/* An operand of a product; turned: it is stored transposed. */
static const char *factor(Export *x, const Node *n, bool turned)
{
    int64_t perm[MAX_RANK];
    int rank = n->shape.rank;
    const char *name = tensor_of(x, n);
    if (!turned || rank < 2)
        return name;
    for (int i = 0; i < rank; i++)
        perm[i] = i;
    perm[rank - 1] = rank - 2;
    perm[rank - 2] = rank - 1;
    name = put(x, "Transpose", name, NULL);
    put_ints(x, "perm", perm, rank);
    return name;
}

static Placed matmul(Export *x, const Node *n)
{
    const char *a = factor(x, n->arg[0], n->attr.ta), *b = factor(x, n->arg[1], n->attr.tb);
    return plain(put(x, "MatMul", a, b, NULL));
}

/* ---- convolutions: the batch is the last axis here, and the first one there ---- */

/* A tensor whose axes are in this order of those of the node. */
static const char *ordered(Export *x, const Node *n, const int *order, int rank)
{
    const Placed *p = &x->place[n->id];
    int64_t perm[MAX_RANK];
    bool same = true;
    for (int i = 0; i < rank; i++) {
        perm[i] = p->turned ? p->perm[order[i]] : order[i];
        same &= perm[i] == i;
    }
    if (same)
        return p->name;
    const char *name = put(x, "Transpose", p->name, NULL);
    put_ints(x, "perm", perm, rank);
    return name;
}

static const int batch_first[] = {3, 0, 1, 2};
static const int batch_last[] = {1, 2, 3, 0};

static void put_pairs(Export *x, const Size *stride, const Size *dilation, int groups)
{
    put_ints(x, "strides", stride, 2);
    put_ints(x, "dilations", dilation, 2);
    put_int(x, "group", groups);
}

/* Are these the zeros around images that a convolution can have itself? */
static bool is_border(Export *x, const Node *n, int64_t *pads)
{
    if (n->op != OP_pad)
        return false;
    for (int i = 0; i < 4; i++) {
        int64_t lo, hi;
        const Shape *s = &n->arg[0]->shape;
        Size after = size_sub(x->g, size_sub(x->g, n->shape.dim[i], s->dim[i]), n->attr.lo[i]);
        if (n->attr.step[i] != 1 || !size_number(x->g, n->attr.lo[i], &lo) ||
            !size_number(x->g, after, &hi) || ((i == 0 || i == 3) && lo + hi > 0))
            return false;
        if (i == 1 || i == 2) {
            pads[i - 1] = lo;
            pads[i + 1] = hi;
        }
    }
    return true;
}

/* bias: a number for each channel, or NULL */
static Placed conv(Export *x, const Node *n, const char *bias)
{
    int64_t pads[4] = {0};
    const Node *image = n->arg[0];
    if (is_border(x, image, pads))
        image = image->arg[0];
    const char *k = tensor_of(x, n->arg[1]);
    Placed y = {.turned = true};
    memcpy(y.perm, batch_last, sizeof batch_last);
    y.name = put(x, "Conv", ordered(x, image, batch_first, 4), k, bias, NULL);
    put_pairs(x, n->attr.stride, n->attr.dilation, n->attr.groups);
    put_ints(x, "pads", pads, 4);
    return y;
}

/* The derivative with respect to the kernel is a convolution of the image by the adjoint: channels
 * are its batch, the batch its channels; steps and dilations change places. Groups of channels are
 * its groups. */
static Placed convk(Export *x, const Node *n)
{
    static const int rows_of_image[] = {1, 0, 4, 2, 3}, rows_of_y[] = {0, 3, 1, 2};
    const Node *image = n->arg[0], *y = n->arg[1];
    int64_t groups = n->attr.groups, zero[4] = {0}, axis[4] = {0, 1, 2, 3};
    Size in = n->shape.dim[1];
    Shape split = {5, {groups, in, image->shape.dim[1], image->shape.dim[2], image->shape.dim[3]}};
    const char *a = put(x, "Reshape", tensor_of(x, image), shape_list(x, split, true), NULL);
    int64_t perm[5];
    for (int i = 0; i < 5; i++)
        perm[i] = rows_of_image[i];
    a = put(x, "Transpose", a, NULL);
    put_ints(x, "perm", perm, 5);
    Shape joined = {4,
                    {in, size_mul(x->g, groups, image->shape.dim[3]), image->shape.dim[1],
                     image->shape.dim[2]}};
    a = put(x, "Reshape", a, shape_list(x, joined, true), NULL);
    const char *k = put(x, "Conv", a, ordered(x, y, rows_of_y, 4), NULL);
    put_pairs(x, n->attr.dilation, n->attr.stride, (int)groups);

    /* [in, out, kh, kw], perhaps with a few places more */
    int64_t ends[4] = {in, n->shape.dim[0], n->shape.dim[2], n->shape.dim[3]};
    k = put(x, "Slice", k, int_list(x, zero, 4), int_list(x, ends, 4), int_list(x, axis, 4), NULL);
    Placed result = {.name = k, .turned = true, .perm = {1, 0, 2, 3}};
    return result;
}

/* ---- places ---- */

/* The indices of several axes side by side: [.., k]. */
static const char *index_list(Export *x, const Node *n)
{
    int64_t last = -1;
    const char *all = NULL;
    for (int i = 1; i < n->nargs; i++) {
        const char *one = tensor_as(x, n->arg[i], T_INT);
        one = put(x, "Unsqueeze", one, int_list(x, &last, 1), NULL);
        if (all) {
            one = put(x, "Concat", all, one, NULL);
            put_int(x, "axis", -1);
        }
        all = one;
    }
    return all;
}

static const char *transposed(Export *x, const char *name, const int64_t *perm, int rank)
{
    bool same = true;
    for (int i = 0; i < rank; i++)
        same &= perm[i] == i;
    if (same)
        return name;
    name = put(x, "Transpose", name, NULL);
    put_ints(x, "perm", perm, rank);
    return name;
}

/* `count` axes from `axis` on come first, then the others. */
static void axes_first(int64_t *perm, int rank, int axis, int count)
{
    int k = 0;
    for (int i = 0; i < count; i++)
        perm[k++] = axis + i;
    for (int i = 0; i < rank; i++)
        if (i < axis || i >= axis + count)
            perm[k++] = i;
}

/* The inverse of that order. */
static void axes_back(int64_t *perm, int rank, int axis, int count)
{
    int64_t order[MAX_RANK];
    axes_first(order, rank, axis, count);
    for (int i = 0; i < rank; i++)
        perm[order[i]] = i;
}

static Placed gather(Export *x, const Node *n)
{
    const char *from = tensor_of(x, n->arg[0]);
    int64_t perm[MAX_RANK];
    int axes = n->nargs - 1, axis = n->attr.axis;
    if (axes == 1) {
        const char *y = put(x, "Gather", from, tensor_as(x, n->arg[1], T_INT), NULL);
        put_int(x, "axis", axis);
        return plain(y);
    }
    axes_first(perm, n->arg[0]->shape.rank, axis, axes);
    from = transposed(x, from, perm, n->arg[0]->shape.rank);
    const char *y = put(x, "GatherND", from, index_list(x, n), NULL);
    axes_back(perm, n->shape.rank, axis, n->arg[1]->shape.rank);
    return plain(transposed(x, y, perm, n->shape.rank));
}

/* Adds rows to zeros, whose first axes are indexed. */
static Placed scatter(Export *x, const Node *n)
{
    int rank = n->shape.rank, axis = n->attr.axis, axes = n->nargs - 1;
    const Node *dy = n->arg[0];
    int64_t perm[MAX_RANK];
    Shape zeros = {.rank = rank};
    const char *a = tensor_as(x, dy, n->type);
    axes_first(perm, dy->shape.rank, axis, n->arg[1]->shape.rank);
    a = transposed(x, a, perm, dy->shape.rank);
    axes_first(perm, rank, axis, axes);
    for (int i = 0; i < rank; i++)
        zeros.dim[i] = n->shape.dim[perm[i]];
    const char *z = put(x, "Expand", number(x, 0, n->type), shape_list(x, zeros, false), NULL);
    const char *y = put(x, "ScatterND", z, index_list(x, n), a, NULL);
    put_text(x, "reduction", "add");
    axes_back(perm, rank, axis, axes);
    return plain(transposed(x, y, perm, rank));
}

/* ---- which one ---- */

/* Does operand i lack some axes of the result, along which ONNX copies it by itself? */
static bool is_copied(const Node *n, int i)
{
    double v;
    if (n->nargs != 2 || !names[n->op])
        return false;
    const Node *e = n->arg[i], *other = n->arg[1 - i];
    return e->op == OP_expand && !node_const(e, &v) && e->arg[0]->type == n->type &&
           other->op != OP_expand && !node_const(other, &v) &&
           shape_equal(other->shape, n->shape) && shape_equal(e->shape, n->shape);
}

/* Such an operand without the axes in front along which it is copied. */
static const char *uncopied(Export *x, const Node *e)
{
    Shape s = {0};
    int first = 0;
    bool ones = false;
    while (first < e->shape.rank && e->attr.axes >> first & 1)
        first++;
    for (int i = first; i < e->shape.rank; i++) {
        bool copy = e->attr.axes >> i & 1;
        ones |= copy;
        s.dim[s.rank++] = copy ? 1 : e->shape.dim[i];
    }
    const char *name = tensor_of(x, e->arg[0]);
    if (!ones)
        return name;
    return put(x, "Reshape", name, shape_list(x, s, true), NULL);
}

static const char *side(Export *x, const Node *n, int i)
{
    if (is_copied(n, i))
        return uncopied(x, n->arg[i]);
    return operand_at(x, n, i);
}

static Placed by_name(Export *x, const Node *n)
{
    const char *a = side(x, n, 0);
    if (n->nargs == 1)
        return plain(put(x, names[n->op], a, NULL));
    return plain(put(x, names[n->op], a, side(x, n, 1), NULL));
}

/* ---- several nodes at once ---- */

/* 0.5 (y (1 + erf(y/sqrt(2)))), as exporters write it */
static Placed gelu(Export *x, const char *y)
{
    const char *e = put(x, "Erf", put(x, "Div", y, number(x, sqrt(2), T_FLOAT), NULL), NULL);
    e = put(x, "Mul", y, put(x, "Add", e, number(x, 1, T_FLOAT), NULL), NULL);
    return plain(put(x, "Mul", e, number(x, 0.5, T_FLOAT), NULL));
}

static Placed formed(Export *x, const Form *f)
{
    const char *a[5] = {NULL};
    if (strcmp(f->op, "Conv") == 0)
        return plain(conv(x, f->arg[0], tensor_of(x, f->arg[1])).name);
    if (strcmp(f->op, "Gelu") == 0)
        return gelu(x, tensor_of(x, f->arg[0]));
    if (strcmp(f->op, "MatMul") == 0) {
        const char *y = tensor_of(x, f->arg[0]);
        if (!shape_equal(f->arg[0]->shape, f->shape))
            y = put(x, "Reshape", y, shape_list(x, f->shape, true), NULL);
        return plain(put(x, "MatMul", y, factor(x, f->arg[1], f->turned), NULL));
    }
    for (int i = 0; i < f->args; i++)
        a[i] = tensor_of(x, f->arg[i]);

    const char *y = put(x, f->op, a[0], a[1], a[2], a[3], a[4], NULL);
    if (f->eps > 0)
        put_real(x, "epsilon", f->eps);
    if (strcmp(f->op, "MaxPool") == 0) {
        put_ints(x, "kernel_shape", f->size, f->axis);
        put_ints(x, "strides", f->stride, f->axis);
        put_ints(x, "dilations", f->dilation, f->axis);
        put_ints(x, "pads", f->pads, 2 * f->axis);
    } else if (strcmp(f->op, "ReduceMean") == 0) {
        int64_t axis[MAX_RANK];
        int count = 0;
        for (int i = 0; i < MAX_RANK; i++)
            if (f->axes >> i & 1)
                axis[count++] = i;
        put_ints(x, "axes", axis, count);
        put_int(x, "keepdims", 0);
    } else if (strstr(f->op, "Softmax")) {
        put_int(x, "axis", f->axis);
    }
    return plain(y);
}

/* Is a number that is an operand of this op written where it is read? */
static bool takes_numbers(const Node *n)
{
    double v;
    bool all = true;
    for (int i = 0; i < n->nargs; i++)
        all &= node_const(n->arg[i], &v);
    return !all && n->nargs > 1 &&
           (names[n->op] || n->op == OP_lt || n->op == OP_le || n->op == OP_eq || n->op == OP_ne);
}

static int conv_operands(Export *x, const Node *n, const Node **operand)
{
    int64_t pads[4];
    const Node *image = n->arg[0];
    operand[0] = is_border(x, image, pads) ? image->arg[0] : image;
    operand[1] = n->arg[1];
    return 2;
}

int export_operands(Export *x, const Node *n, const Node **operand)
{
    const Form *f = x->form[n->id];
    int count = 0;
    double v;
    if (f && strcmp(f->op, "Conv") == 0) {
        count = conv_operands(x, f->arg[0], operand);
        operand[count++] = f->arg[1];
        return count;
    }
    for (int i = 0; f && i < f->args; i++)
        operand[count++] = f->arg[i];
    if (f)
        return count;
    if (n->op == OP_conv)
        return conv_operands(x, n, operand);

    for (int i = 0; i < n->nargs; i++) {
        if (takes_numbers(n) && node_const(n->arg[i], &v))
            continue;
        operand[count++] = is_copied(n, i) ? n->arg[i]->arg[0] : n->arg[i];
    }
    return count;
}

static Placed no_form(Export *x, const Node *n)
{
    const char *why = "ONNX has no operator for it";
    if (n->op == OP_loop || n->op == OP_last || n->op == OP_collect || n->op == OP_carried ||
        n->op == OP_index || n->op == OP_passes)
        why = "its loop ends by data, or by a size known at run time";
    if (n->op == OP_noise || n->op == OP_random)
        why = "it is random";
    cannot(x, n, why);
    return plain(NULL);
}

Placed export_node(Export *x, const Node *n)
{
    const Node **operand = arena_array(x->ngc, n->nargs + 3, sizeof *operand);
    int count = export_operands(x, n, operand);
    for (int i = 0; i < count; i++)
        if (!*x->place[operand[i]->id].name)
            return plain(NULL); /* what it needs was reported */
    if (x->form[n->id])
        return formed(x, x->form[n->id]);
    if (names[n->op])
        return by_name(x, n);

    switch (n->op) {
    case OP_const: return plain(number(x, n->attr.value, n->type));
    case OP_size: return size(x, n);
    case OP_iota: return iota(x, n);
    case OP_lt:
    case OP_le:
    case OP_eq:
    case OP_ne: return compare(x, n);
    case OP_where: return choose(x, n);
    case OP_mod: return modulo(x, n);
    case OP_expm1: return exp_less_one(x, n);
    case OP_log1p: return log_one_more(x, n);
    case OP_erfc: {
        const char *e = put(x, "Erf", tensor_of(x, n->arg[0]), NULL);
        return plain(put(x, "Sub", number(x, 1, T_FLOAT), e, NULL));
    }
    case OP_as_int: {
        const char *floor = put(x, "Floor", tensor_of(x, n->arg[0]), NULL);
        floor = put(x, "Cast", floor, NULL);
        put_int(x, "to", EL_INT64);
        return plain(floor);
    }
    case OP_atan2: return angle(x, n);
    case OP_cast: return cast(x, n);
    case OP_stop:
    case OP_copy:
    case OP_checked: return x->place[arg_id(n, 0)];
    case OP_expand: return expand(x, n);
    case OP_reshape:
        return plain(
            put(x, "Reshape", tensor_of(x, n->arg[0]), shape_list(x, n->shape, true), NULL));
    case OP_permute: return permute(x, n);
    case OP_slice: return slice(x, n);
    case OP_pad: return pad(x, n);
    case OP_concat: return concat(x, n);
    case OP_sum:
    case OP_max: return reduce(x, n);
    case OP_argmax: return largest(x, n);
    case OP_order: return places_in_order(x, n);
    case OP_matmul: return matmul(x, n);
    case OP_det: return plain(put(x, "Det", tensor_of(x, n->arg[0]), NULL));
    case OP_conv: return conv(x, n, NULL);
    case OP_convk: return convk(x, n);
    case OP_gather: return gather(x, n);
    case OP_scatter: return scatter(x, n);
    default: return no_form(x, n);
    }
}
