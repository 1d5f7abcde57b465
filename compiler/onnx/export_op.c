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
    [OP_add] = "Add",           [OP_sub] = "Sub",     [OP_mul] = "Mul",
    [OP_div] = "Div",           [OP_neg] = "Neg",     [OP_pow] = "Pow",
    [OP_maximum] = "Max",       [OP_minimum] = "Min", [OP_exp] = "Exp",
    [OP_log] = "Log",           [OP_sqrt] = "Sqrt",   [OP_abs] = "Abs",
    [OP_sign] = "Sign",         [OP_floor] = "Floor", [OP_ceil] = "Ceil",
    [OP_round] = "Round",       [OP_sin] = "Sin",     [OP_cos] = "Cos",
    [OP_tan] = "Tan",           [OP_asin] = "Asin",   [OP_acos] = "Acos",
    [OP_atan] = "Atan",         [OP_sinh] = "Sinh",   [OP_cosh] = "Cosh",
    [OP_tanh] = "Tanh",         [OP_erf] = "Erf",     [OP_sigmoid] = "Sigmoid",
    [OP_softplus] = "Softplus", [OP_asinh] = "Asinh", [OP_acosh] = "Acosh",
    [OP_atanh] = "Atanh",
};

/* Are all operands numbers? Then one of them must have the shape of the result. */
static bool has_only_numbers(const Node *n)
{
    double value;

    for (int i = 0; i < n->nargs; i++)
        if (!node_const(n->arg[i], &value))
            return false;
    return true;
}

/* Operand i: a number may be a scalar, if another operand has the shape. */
static const char *operand_at(Export *x, const Node *n, int i)
{
    if (has_only_numbers(n))
        return tensor_as(x, n->arg[i], n->type);
    return operand_as(x, n->arg[i], n->type);
}

/* A comparison gives a bool, which is kept beside the number 0 or 1. */
static Placed compare(Export *x, const Node *n)
{
    const Node *a = n->arg[0];
    const Node *b = n->arg[1];
    Type type = T_FLOAT;
    if (a->type == T_INT && b->type == T_INT)
        type = T_INT;
    const char *p = operand_as(x, a, type);
    const char *q = operand_as(x, b, type);

    const char *op = "Equal"; /* of OP_ne too: a Not follows */
    if (n->op == OP_lt)
        op = "Less";
    if (n->op == OP_le)
        op = "LessOrEqual";

    Placed y = {.truth = put_binary(x, op, p, q)};
    if (n->op == OP_ne)
        y.truth = put_unary(x, "Not", y.truth);
    y.name = put_unary(x, "Cast", y.truth);
    put_int(x, "to", element_of(x, n->type));
    return y;
}

/* where(x <= 0, 0, x) */
static bool is_relu(const Node *n)
{
    const Node *c = n->arg[0];
    if (c->op != OP_le || c->arg[0] != n->arg[2])
        return false;
    return node_is(c->arg[1], 0) && node_is(n->arg[1], 0);
}

static Placed choose(Export *x, const Node *n)
{
    if (is_relu(n) && n->type == T_FLOAT)
        return plain(put_unary(x, "Relu", tensor_of(x, n->arg[2])));

    const char *c = truth_of(x, n->arg[0]);
    const char *a = operand_as(x, n->arg[1], n->type);
    const char *b = operand_as(x, n->arg[2], n->type);
    return plain(put(x, "Where", c, a, b, NULL));
}

/* a - b floor(a/b) */
static Placed modulo(Export *x, const Node *n)
{
    const char *a = operand_at(x, n, 0);
    const char *b = operand_at(x, n, 1);
    if (n->type == T_INT)
        return plain(put_binary(x, "Mod", a, b));

    const char *quotient = put_binary(x, "Div", a, b);
    const char *whole = put_unary(x, "Floor", quotient);
    const char *less = put_binary(x, "Mul", b, whole);
    return plain(put_binary(x, "Sub", a, less));
}

/* exp(x) - 1; near 0 it is 2 t/(1 - t) for t = tanh(x/2), which keeps the digits. */
static Placed exp_less_one(Export *x, const Node *n)
{
    const char *a = tensor_of(x, n->arg[0]);
    const char *one = number(x, 1, T_FLOAT);
    const char *half = number(x, 0.5, T_FLOAT);

    /* 2 t/(1 - t) */
    const char *t = put_unary(x, "Tanh", put_binary(x, "Mul", a, half));
    const char *less = put_binary(x, "Sub", one, t);
    const char *twice = put_binary(x, "Add", t, t);
    const char *near = put_binary(x, "Div", twice, less);

    const char *power = put_unary(x, "Exp", a);
    const char *far = put_binary(x, "Sub", power, one);
    const char *size = put_unary(x, "Abs", a);
    const char *is_near = put_binary(x, "Less", size, half);
    return plain(put(x, "Where", is_near, near, far, NULL));
}

/* log(1 + x): with u = 1 + x as it is rounded, log(u) x/(u - 1). */
static Placed log_one_more(Export *x, const Node *n)
{
    const char *a = tensor_of(x, n->arg[0]);
    const char *one = number(x, 1, T_FLOAT);
    const char *u = put_binary(x, "Add", a, one);
    const char *d = put_binary(x, "Sub", u, one);

    /* where u is 1, the result is x */
    const char *none = put_binary(x, "Equal", u, one);
    const char *divisor = put(x, "Where", none, one, d, NULL);
    const char *slope = put_binary(x, "Div", a, divisor);
    const char *log = put_unary(x, "Log", u);
    const char *far = put_binary(x, "Mul", log, slope);
    return plain(put(x, "Where", none, a, far, NULL));
}

/* atan(y/x), in the right half of the plane */
static Placed angle(Export *x, const Node *n)
{
    const double pi = 3.14159265358979323846;
    const char *a = operand_at(x, n, 0);
    const char *b = operand_at(x, n, 1);
    const char *zero = number(x, 0, T_FLOAT);

    /* -0 would be of the left half */
    const char *on_axis = put_binary(x, "Equal", b, zero);
    const char *divisor = put(x, "Where", on_axis, zero, b, NULL);
    const char *slope = put_binary(x, "Div", a, divisor);
    const char *t = put_unary(x, "Atan", slope);

    /* in the left half, pi more or less */
    const char *below = put_binary(x, "Less", a, zero);
    const char *left = put_binary(x, "Less", b, zero);
    const char *up = number(x, pi, T_FLOAT);
    const char *down = number(x, -pi, T_FLOAT);
    const char *half_turn = put(x, "Where", below, down, up, NULL);
    const char *more = put(x, "Where", left, half_turn, zero, NULL);
    const char *y = put_binary(x, "Add", t, more);

    /* 0/0 is 0 */
    const char *none = put_binary(x, "Equal", a, zero);
    const char *right = put_unary(x, "Not", left);
    const char *at_zero = put_binary(x, "And", none, right);
    return plain(put(x, "Where", at_zero, zero, y, NULL));
}

/* 1 - erf(x) */
static Placed erf_complement(Export *x, const Node *n)
{
    const char *e = put_unary(x, "Erf", tensor_of(x, n->arg[0]));
    return plain(put_binary(x, "Sub", number(x, 1, T_FLOAT), e));
}

static Placed as_int(Export *x, const Node *n)
{
    const char *floor = put_unary(x, "Floor", tensor_of(x, n->arg[0]));
    const char *whole = put_unary(x, "Cast", floor);
    put_int(x, "to", EL_INT64);
    return plain(whole);
}

static Placed cast(Export *x, const Node *n)
{
    const char *y = put_unary(x, "Cast", tensor_of(x, n->arg[0]));
    put_int(x, "to", element_of(x, n->type));
    return plain(y);
}

static Placed constant(Export *x, const Node *n)
{
    return plain(number(x, n->attr.value, n->type));
}

/* Nothing is written: it is its operand. */
static Placed same(Export *x, const Node *n)
{
    return x->place[arg_id(n, 0)];
}

/* ---- shapes ---- */

static Placed reshape(Export *x, const Node *n)
{
    const char *from = tensor_of(x, n->arg[0]);
    return plain(put_binary(x, "Reshape", from, shape_list(x, n->shape, true)));
}

static Placed expand(Export *x, const Node *n)
{
    const Node *a = n->arg[0];
    const char *to = shape_list(x, n->shape, false);
    double value;
    if (node_const(n, &value))
        return plain(put_binary(x, "Expand", number(x, value, n->type), to));

    /* first with axes of size 1, along which it is then copied */
    Shape ones = n->shape;
    for (int i = 0; i < n->shape.rank; i++)
        if (n->attr.axes >> i & 1)
            ones.dim[i] = 1;

    const char *from = tensor_of(x, a);
    if (a->shape.rank > 0)
        from = put_binary(x, "Reshape", from, shape_list(x, ones, true));
    return plain(put_binary(x, "Expand", from, to));
}

/* Only the order of the axes changes: nothing is written yet. */
static Placed permute(Export *x, const Node *n)
{
    const Placed *a = &x->place[arg_id(n, 0)];
    Placed y = {.name = a->name};
    for (int i = 0; i < n->shape.rank; i++) {
        int k = n->attr.perm[i];
        if (a->turned)
            y.perm[i] = a->perm[k];
        else
            y.perm[i] = k;
        y.turned |= y.perm[i] != i;
    }
    return y;
}

/* Where `count` elements lo, lo + step, .. end: one beyond the last. Before the first element of an
 * axis, it is a number below all. */
static Size slice_end(Graph *g, Size lo, int64_t step, Size count)
{
    Size rest = size_mul(g, size_of_number(g, step), size_sub(g, count, 1));
    Size last = size_add(g, lo, rest);
    int64_t beyond = step > 0 ? 1 : -1;
    Size end = size_add(g, last, size_of_number(g, beyond));
    int64_t number;

    if (size_number(g, end, &number) && number < 0)
        return size_of_number(g, -INT32_MAX);
    return end;
}

/* Elements lo, lo + step, ... of each axis. */
static Placed slice(Export *x, const Node *n)
{
    Graph *g = x->g;
    const struct Attr *at = &n->attr;
    Size start[MAX_RANK], end[MAX_RANK];
    int64_t axis[MAX_RANK], step[MAX_RANK];
    int count = 0;

    for (int i = 0; i < n->shape.rank; i++) {
        Size part = n->shape.dim[i];
        Size whole = n->arg[0]->shape.dim[i];
        if (at->lo[i] == 0 && at->step[i] == 1 && part == whole)
            continue;

        axis[count] = i;
        step[count] = at->step[i];
        start[count] = at->lo[i];
        end[count] = slice_end(g, at->lo[i], at->step[i], part);
        count++;
    }
    if (count == 0)
        return x->place[arg_id(n, 0)];

    const char *from = tensor_of(x, n->arg[0]);
    const char *starts = size_list(x, start, count);
    const char *ends = size_list(x, end, count);
    const char *steps = int_list(x, step, count);
    const char *axes = int_list(x, axis, count);
    return plain(put(x, "Slice", from, starts, ends, axes, steps, NULL));
}

/* Zeros between the elements of an axis: each becomes a row that begins with it. */
static const char *spread(Export *x, const char *from, Shape *s, int axis, int64_t step)
{
    int64_t pads[2 * (MAX_RANK + 1)] = {0};
    int64_t at = axis;
    int64_t zero = 0;
    int64_t one = 1;
    if (s->rank == MAX_RANK)
        return NULL;

    /* an axis of size 1 after it, then zeros at its end */
    Shape rows = *s;
    for (int i = s->rank; i > axis + 1; i--)
        rows.dim[i] = rows.dim[i - 1];
    rows.dim[axis + 1] = 1;
    rows.rank++;

    from = put_binary(x, "Reshape", from, shape_list(x, rows, true));
    pads[rows.rank + axis + 1] = step - 1;
    from = put_binary(x, "Pad", from, int_list(x, pads, 2 * rows.rank));

    /* one axis again, without the zeros after the last element */
    Size all = size_mul(x->g, s->dim[axis], step);
    s->dim[axis] = all;
    from = put_binary(x, "Reshape", from, shape_list(x, *s, true));
    s->dim[axis] = size_sub(x->g, all, step - 1);

    const char *steps = int_list(x, &one, 1);
    const char *axes = int_list(x, &at, 1);
    const char *ends = size_list(x, &s->dim[axis], 1);
    const char *starts = int_list(x, &zero, 1);
    return put(x, "Slice", from, starts, ends, axes, steps, NULL);
}

/* Pads are all before, then all after; those of an operand that is still to be transposed are in
 * the order of its own axes. */
static Placed pad(Export *x, const Node *n)
{
    const Placed *a = &x->place[arg_id(n, 0)];
    const struct Attr *at = &n->attr;
    Shape s = n->arg[0]->shape;

    bool steps = false;
    for (int i = 0; i < s.rank; i++)
        steps |= at->step[i] != 1;

    Placed y = {.turned = a->turned && !steps};
    memcpy(y.perm, a->perm, sizeof y.perm);
    const char *from = a->name;
    if (!y.turned)
        from = tensor_of(x, n->arg[0]);

    for (int i = 0; i < s.rank && steps && from; i++)
        if (at->step[i] > 1)
            from = spread(x, from, &s, i, at->step[i]);
    if (!from) {
        cannot(x, n, "it has too many axes");
        return plain(NULL);
    }

    Size pads[2 * MAX_RANK];
    for (int i = 0; i < s.rank; i++) {
        int k = i;
        if (y.turned)
            k = y.perm[i];

        Size more = size_sub(x->g, n->shape.dim[i], s.dim[i]);
        pads[k] = at->lo[i];
        pads[s.rank + k] = size_sub(x->g, more, at->lo[i]);
    }
    y.name = put_binary(x, "Pad", from, size_list(x, pads, 2 * s.rank));
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
        all = put_binary(x, "Concat", all, part);
        put_int(x, "axis", n->attr.axis);
    }
    return plain(all);
}

/* The index along an axis. */
static Placed iota(Export *x, const Node *n)
{
    int axis = n->attr.axis;
    int64_t zero = 0;
    const char *from = number(x, 0, T_INT);
    const char *step = number(x, 1, T_INT);

    /* the count as a scalar */
    const char *count = size_list(x, &n->shape.dim[axis], 1);
    count = put_binary(x, "Squeeze", count, int_list(x, &zero, 1));

    const char *y = put(x, "Range", from, count, step, NULL);
    if (n->shape.rank <= 1)
        return plain(y);

    /* along its axis, and copied along all others */
    Shape row = n->shape;
    for (int i = 0; i < row.rank; i++)
        if (i != axis)
            row.dim[i] = 1;
    y = put_binary(x, "Reshape", y, shape_list(x, row, true));
    y = put_binary(x, "Expand", y, shape_list(x, n->shape, false));
    return plain(y);
}

static Placed size(Export *x, const Node *n)
{
    int64_t zero = 0;
    const char *axis = int_list(x, &zero, 1);
    const char *list = size_list(x, &n->attr.size, 1);
    const char *s = put_binary(x, "Squeeze", list, axis);
    s = put_unary(x, "Cast", s);
    put_int(x, "to", element_of(x, n->type));
    return plain(s);
}

/* ---- reductions, products ---- */

/* The axes are an operand of ReduceSum, and an attribute of ReduceMax. */
static Placed reduce(Export *x, const Node *n)
{
    int64_t axis[MAX_RANK];
    int count = 0;
    for (int i = 0; i < n->arg[0]->shape.rank; i++)
        if (n->attr.axes >> i & 1)
            axis[count++] = i;

    const char *a = tensor_of(x, n->arg[0]);
    const char *y;
    if (n->op == OP_sum) {
        y = put_binary(x, "ReduceSum", a, int_list(x, axis, count));
    } else {
        y = put_unary(x, "ReduceMax", a);
        put_ints(x, "axes", axis, count);
    }
    put_int(x, "keepdims", 0);
    return plain(y);
}

static Placed largest(Export *x, const Node *n)
{
    const char *y = put_unary(x, "ArgMax", tensor_of(x, n->arg[0]));
    put_int(x, "axis", n->attr.axis);
    put_int(x, "keepdims", 0);
    return plain(y);
}

/* Where the largest elements are, the largest first: the second result of TopK. */
static Placed places_in_order(Export *x, const Node *n)
{
    int last = n->shape.rank - 1;
    const char *count = size_list(x, &n->shape.dim[last], 1);
    put_binary(x, "TopK", tensor_of(x, n->arg[0]), count);
    put_int(x, "axis", last);

    /* a node has one result when it is put; this one gets its second */
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

    /* the last two axes change places */
    for (int i = 0; i < rank; i++)
        perm[i] = i;
    perm[rank - 1] = rank - 2;
    perm[rank - 2] = rank - 1;
    return put_transposed(x, name, perm, rank);
}

static Placed matmul(Export *x, const Node *n)
{
    const char *a = factor(x, n->arg[0], n->attr.ta);
    const char *b = factor(x, n->arg[1], n->attr.tb);
    return plain(put_binary(x, "MatMul", a, b));
}

/* ---- places ---- */

/* The indices of several axes side by side: [.., k]. */
static const char *index_list(Export *x, const Node *n)
{
    int64_t last = -1;
    const char *all = NULL;
    for (int i = 1; i < n->nargs; i++) {
        const char *one = tensor_as(x, n->arg[i], T_INT);
        one = put_binary(x, "Unsqueeze", one, int_list(x, &last, 1));
        if (all) {
            one = put_binary(x, "Concat", all, one);
            put_int(x, "axis", -1);
        }
        all = one;
    }
    return all;
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
    const Node *a = n->arg[0];
    const Node *index = n->arg[1];
    int axes = n->nargs - 1;
    int axis = n->attr.axis;
    const char *from = tensor_of(x, a);
    if (axes == 1) {
        const char *rows = put_binary(x, "Gather", from, tensor_as(x, index, T_INT));
        put_int(x, "axis", axis);
        return plain(rows);
    }

    /* GatherND has the axes of the indices first, in its operand and in its result */
    int64_t perm[MAX_RANK];
    axes_first(perm, a->shape.rank, axis, axes);
    from = put_transposed(x, from, perm, a->shape.rank);
    const char *y = put_binary(x, "GatherND", from, index_list(x, n));
    axes_back(perm, n->shape.rank, axis, index->shape.rank);
    return plain(put_transposed(x, y, perm, n->shape.rank));
}

/* Adds rows to zeros, whose first axes are indexed. */
static Placed scatter(Export *x, const Node *n)
{
    int rank = n->shape.rank;
    int axis = n->attr.axis;
    int axes = n->nargs - 1;
    const Node *dy = n->arg[0];
    const Node *index = n->arg[1];
    int64_t perm[MAX_RANK];

    /* the rows */
    const char *a = tensor_as(x, dy, n->type);
    axes_first(perm, dy->shape.rank, axis, index->shape.rank);
    a = put_transposed(x, a, perm, dy->shape.rank);

    /* the zeros */
    Shape zeros = {.rank = rank};
    axes_first(perm, rank, axis, axes);
    for (int i = 0; i < rank; i++)
        zeros.dim[i] = n->shape.dim[perm[i]];
    const char *shape = shape_list(x, zeros, false);
    const char *z = put_binary(x, "Expand", number(x, 0, n->type), shape);

    const char *y = put(x, "ScatterND", z, index_list(x, n), a, NULL);
    put_text(x, "reduction", "add");
    axes_back(perm, rank, axis, axes);
    return plain(put_transposed(x, y, perm, rank));
}

/* ---- which one ---- */

/* Does operand i lack some axes of the result, along which ONNX copies it by itself? */
static bool is_copied(const Node *n, int i)
{
    double v;
    if (n->nargs != 2 || !names[n->op])
        return false;

    const Node *e = n->arg[i];
    const Node *other = n->arg[1 - i];
    if (e->op != OP_expand || other->op == OP_expand || e->arg[0]->type != n->type)
        return false;
    if (node_const(e, &v) || node_const(other, &v))
        return false;
    return shape_equal(other->shape, n->shape) && shape_equal(e->shape, n->shape);
}

/* Such an operand without the axes in front along which it is copied. */
static const char *uncopied(Export *x, const Node *e)
{
    int first = 0;
    while (first < e->shape.rank && e->attr.axes >> first & 1)
        first++;

    /* an axis between others along which it is copied has size 1 */
    Shape s = {0};
    bool ones = false;
    for (int i = first; i < e->shape.rank; i++) {
        bool copy = e->attr.axes >> i & 1;
        ones |= copy;
        s.dim[s.rank++] = copy ? 1 : e->shape.dim[i];
    }

    const char *name = tensor_of(x, e->arg[0]);
    if (!ones)
        return name;
    return put_binary(x, "Reshape", name, shape_list(x, s, true));
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
        return plain(put_unary(x, names[n->op], a));
    return plain(put_binary(x, names[n->op], a, side(x, n, 1)));
}

/* ---- several nodes at once ---- */

/* 0.5 (y (1 + erf(y/sqrt(2)))), as exporters write it */
static Placed gelu(Export *x, const char *y)
{
    const char *e = put_binary(x, "Div", y, number(x, sqrt(2), T_FLOAT));
    e = put_unary(x, "Erf", e);
    e = put_binary(x, "Add", e, number(x, 1, T_FLOAT));
    e = put_binary(x, "Mul", y, e);
    return plain(put_binary(x, "Mul", e, number(x, 0.5, T_FLOAT)));
}

/* The product of a reshaped operand. */
static Placed formed_matmul(Export *x, const Form *f)
{
    const Node *a = f->arg[0];
    const char *y = tensor_of(x, a);
    if (!shape_equal(a->shape, f->shape))
        y = put_binary(x, "Reshape", y, shape_list(x, f->shape, true));
    return plain(put_binary(x, "MatMul", y, factor(x, f->arg[1], f->turned)));
}

static void put_axes(Export *x, uint32_t axes)
{
    int64_t axis[MAX_RANK];
    int count = 0;
    for (int i = 0; i < MAX_RANK; i++)
        if (axes >> i & 1)
            axis[count++] = i;
    put_ints(x, "axes", axis, count);
}

/* The attributes of the node that was put last. */
static void put_attributes(Export *x, const Form *f)
{
    if (f->eps > 0)
        put_real(x, "epsilon", f->eps);

    if (same_text(f->op, "MaxPool")) {
        put_ints(x, "kernel_shape", f->size, f->axis);
        put_ints(x, "strides", f->stride, f->axis);
        put_ints(x, "dilations", f->dilation, f->axis);
        put_ints(x, "pads", f->pads, 2 * f->axis);
    } else if (same_text(f->op, "ReduceMean")) {
        put_axes(x, f->axes);
        put_int(x, "keepdims", 0);
    } else if (strstr(f->op, "Softmax")) {
        put_int(x, "axis", f->axis);
    }
}

static Placed formed(Export *x, const Form *f)
{
    if (same_text(f->op, "Conv"))
        return plain(export_conv(x, f->arg[0], tensor_of(x, f->arg[1])).name);
    if (same_text(f->op, "Gelu"))
        return gelu(x, tensor_of(x, f->arg[0]));
    if (same_text(f->op, "MatMul"))
        return formed_matmul(x, f);

    const char *a[5] = {NULL};
    for (int i = 0; i < f->args; i++)
        a[i] = tensor_of(x, f->arg[i]);
    const char *y = put(x, f->op, a[0], a[1], a[2], a[3], a[4], NULL);
    put_attributes(x, f);
    return plain(y);
}

/* Is a number that is an operand of this op written where it is read? */
static bool takes_numbers(const Node *n)
{
    if (has_only_numbers(n) || n->nargs <= 1)
        return false;

    bool compares = n->op == OP_lt || n->op == OP_le || n->op == OP_eq || n->op == OP_ne;
    return names[n->op] || compares;
}

/* The operands of a convolution, which may have the zeros around its images itself. */
static int conv_operands(Export *x, const Node *n, const Node **operand)
{
    int64_t pads[4];
    const Node *image = n->arg[0];
    if (export_is_border(x, image, pads))
        operand[0] = image->arg[0];
    else
        operand[0] = image;
    operand[1] = n->arg[1];
    return 2;
}

/* Those of a form; of a convolution with a bias, those of the convolution and the bias. */
static int form_operands(Export *x, const Form *f, const Node **operand)
{
    if (same_text(f->op, "Conv")) {
        int count = conv_operands(x, f->arg[0], operand);
        operand[count] = f->arg[1];
        return count + 1;
    }

    for (int i = 0; i < f->args; i++)
        operand[i] = f->arg[i];
    return f->args;
}

int export_operands(Export *x, const Node *n, const Node **operand)
{
    if (x->form[n->id])
        return form_operands(x, x->form[n->id], operand);
    if (n->op == OP_conv)
        return conv_operands(x, n, operand);
    if (n->op == OP_det) { /* not the factors */
        operand[0] = n->arg[0];
        return 1;
    }

    int count = 0;
    double value;
    for (int i = 0; i < n->nargs; i++) {
        if (takes_numbers(n) && node_const(n->arg[i], &value))
            continue;
        operand[count++] = is_copied(n, i) ? n->arg[i]->arg[0] : n->arg[i];
    }
    return count;
}

/* Reports why it cannot be written. */
static Placed no_operator(Export *x, const Node *n)
{
    const char *why = "ONNX has no operator for it";
    switch (n->op) {
    case OP_loop:
    case OP_last:
    case OP_collect:
    case OP_carried:
    case OP_index:
    case OP_passes: why = "its loop ends by data, or by a size known at run time"; break;
    case OP_noise:
    case OP_random: why = "it is random"; break;
    default: break;
    }
    cannot(x, n, why);
    return plain(NULL);
}

static Placed determinant(Export *x, const Node *n)
{
    return plain(put_unary(x, "Det", tensor_of(x, n->arg[0])));
}

static Placed conv(Export *x, const Node *n)
{
    return export_conv(x, n, NULL);
}

/* The ops that are more than an operator of another name. */
static Placed (*const writer[OP_COUNT])(Export *, const Node *) = {
    [OP_const] = constant,
    [OP_size] = size,
    [OP_iota] = iota,
    [OP_lt] = compare,
    [OP_le] = compare,
    [OP_eq] = compare,
    [OP_ne] = compare,
    [OP_where] = choose,
    [OP_mod] = modulo,
    [OP_expm1] = exp_less_one,
    [OP_log1p] = log_one_more,
    [OP_erfc] = erf_complement,
    [OP_as_int] = as_int,
    [OP_atan2] = angle,
    [OP_cast] = cast,
    [OP_stop] = same,
    [OP_copy] = same,
    [OP_checked] = same,
    [OP_expand] = expand,
    [OP_reshape] = reshape,
    [OP_permute] = permute,
    [OP_slice] = slice,
    [OP_pad] = pad,
    [OP_concat] = concat,
    [OP_sum] = reduce,
    [OP_max] = reduce,
    [OP_argmax] = largest,
    [OP_order] = places_in_order,
    [OP_matmul] = matmul,
    [OP_det] = determinant,
    [OP_conv] = conv,
    [OP_convk] = export_convk,
    [OP_gather] = gather,
    [OP_scatter] = scatter,
};

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
    if (writer[n->op])
        return writer[n->op](x, n);
    return no_operator(x, n);
}
