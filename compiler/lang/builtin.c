/* builtin.c - the functions of the language that are not written in it: thin wrappers of the
 * graph's builders. All else of the library is in prelude.ng. */
#include "lang/builtin.h"

#include <string.h>

/* ---- arguments ---- */

/* An optional flag; false if it is not given. */
static bool flag(Lower *L, const Value *v, const char *what, bool *out)
{
    double x = 0;
    if (v->kind != V_ABSENT && !want_number(L, v, what, &x))
        return false;
    *out = x != 0;
    return true;
}

/* Puts reduced axes back with size 1. */
static Node *keep(Lower *L, Node *n, Shape before, uint32_t axes)
{
    for (int i = 0; i < before.rank; i++)
        if (axes >> i & 1)
            before.dim[i] = 1;
    return graph_reshape(L->g, n, before);
}

/* ---- reductions ---- */

static Value *reduce(Lower *L, Loc loc, Value **arg, Op op)
{
    uint32_t axes;
    bool keepdims;
    Node *x = want_node(L, arg[0], "what is reduced");
    if (!x || !want_axes(L, arg[1], x->shape, &axes))
        return value_error(L, loc);
    if (!flag(L, arg[2], "keepdims", &keepdims))
        return value_error(L, loc);

    Node *n = graph_reduce(L->g, op, x, axes);
    return value_node(L, loc, keepdims ? keep(L, n, x->shape, axes) : n);
}

static Value *b_sum(Lower *L, Loc loc, Value **arg)
{
    return reduce(L, loc, arg, OP_sum);
}

static Value *b_max(Lower *L, Loc loc, Value **arg)
{
    return reduce(L, loc, arg, OP_max);
}

/* 1 where no element is 0: 1 - max(x == 0). */
static Value *b_all(Lower *L, Loc loc, Value **arg)
{
    Graph *g = L->g;
    Node *x = want_node(L, arg[0], "what is reduced");
    if (!x)
        return value_error(L, loc);
    Node *is_zero = graph_binary(g, OP_eq, x, graph_const(g, 0));
    Value *zero = value_node(L, loc, is_zero);
    Value *some = reduce(L, loc, (Value *[]){zero, arg[1], arg[2]}, OP_max);
    if (some->kind != V_NODE)
        return some;
    Node *none = graph_binary(g, OP_sub, graph_const(g, 1), some->node);
    return value_node(L, loc, none);
}

static Value *b_argmax(Lower *L, Loc loc, Value **arg)
{
    int axis;
    bool keepdims;
    Node *x = want_node(L, arg[0], "what is searched");

    if (!x || !flag(L, arg[2], "keepdims", &keepdims))
        return value_error(L, loc);
    if (x->shape.rank == 0) {
        lower_error(L, ERR_AXIS_RANGE, arg[0]->loc, "argmax: a scalar has no axis");
        return value_error(L, loc);
    }

    axis = x->shape.rank - 1;
    if (arg[1]->kind != V_ABSENT && !want_axis(L, arg[1], x->shape.rank, &axis))
        return value_error(L, loc);

    Node *n = graph_argmax(L->g, x, axis);
    return value_node(L, loc, keepdims ? keep(L, n, x->shape, 1u << axis) : n);
}

/* The number of elements that a reduction over these axes makes into one. */
static Value *b_count(Lower *L, Loc loc, Value **arg)
{
    uint32_t axes;
    Size n = 1;
    Node *x = want_node(L, arg[0], "what is counted");
    if (!x || !want_axes(L, arg[1], x->shape, &axes))
        return value_error(L, loc);
    for (int i = 0; i < x->shape.rank; i++)
        if (axes >> i & 1)
            n = size_mul(L->g, n, x->shape.dim[i]);
    return value_node(L, loc, graph_size(L->g, n));
}

/* ---- linear equations ---- */

/* A square matrix, or a batch of them; NULL with a message. */
static Node *square(Lower *L, const Value *v)
{
    Node *a = want_node(L, v, "a matrix");
    if (!a)
        return NULL;

    int r = a->shape.rank;
    if (r < 2 || a->shape.dim[r - 1] != a->shape.dim[r - 2]) {
        lower_error(L, ERR_NOT_SQUARE, v->loc, "a square matrix is needed; %s has shape %s",
                    value_text(L, v), shape_text(L->g, a->shape));
        return NULL;
    }
    return graph_cast(L->g, a, T_FLOAT);
}

static Value *b_det(Lower *L, Loc loc, Value **arg)
{
    Node *a = square(L, arg[0]);
    if (!a)
        return value_error(L, loc);
    return value_node(L, loc, graph_det(L->g, OP_det, a));
}

static Value *b_logdet(Lower *L, Loc loc, Value **arg)
{
    Node *a = square(L, arg[0]);
    if (!a)
        return value_error(L, loc);
    return value_node(L, loc, graph_det(L->g, OP_logdet, a));
}

static Value *b_cholesky(Lower *L, Loc loc, Value **arg)
{
    Node *a = square(L, arg[0]);
    return value_node(L, loc, a ? graph_cholesky(L->g, a) : NULL);
}

/* solve(A, b): b a vector, a matrix of columns, or a batch of matrices as A is. */
static Value *b_solve(Lower *L, Loc loc, Value **arg)
{
    Graph *g = L->g;
    Node *a = square(L, arg[0]);
    Node *b = want_node(L, arg[1], "the right side");
    if (!a || !b)
        return value_error(L, loc);

    bool vector = b->shape.rank == 1;
    Shape s = b->shape;
    Shape fit = a->shape;
    if (vector)
        s = (Shape){.rank = 2, .dim = {s.dim[0], 1}};
    if (s.rank >= 2)
        fit.dim[fit.rank - 1] = s.dim[s.rank - 1];
    if (!shape_equal(s, fit)) {
        lower_error(L, ERR_SHAPES, loc,
                    "solve: a matrix of shape %s and a right side of shape %s do not fit",
                    shape_text(g, a->shape), shape_text(g, b->shape));
        return value_error(L, loc);
    }

    Node *columns = graph_reshape(g, graph_cast(g, b, T_FLOAT), s);
    Node *x = graph_solve(g, a, columns, false);
    return value_node(L, loc, graph_reshape(g, x, b->shape));
}

/* ---- convolution ---- */

/* Two whole numbers, each at least 1. */
static bool want_steps(Lower *L, const Value *v, const char *what, Size *out)
{
    Shape s;
    if (!want_shape(L, v, what, &s))
        return false;
    bool good = s.rank == 2 && s.dim[0] > 0 && s.dim[1] > 0;
    if (!good)
        lower_error(L, ERR_INDEX_RANGE, v->loc, "%s of a convolution: a number, or two, from 1 on",
                    what);
    memcpy(out, s.dim, 2 * sizeof *out);
    return good;
}

/* The number of places of a window that reaches over some of n elements. false: after a message. */
static bool want_places(Lower *L, Loc loc, Size n, Size reach, Size stride, Size *places)
{
    Graph *g = L->g;
    Size left = size_sub(g, n, reach);
    Size count;
    bool fits = left >= 0 || (size_least(g, left) >= 0 && size_max(g, left) >= 0);

    if (!fits) {
        lower_error(L, ERR_LIBRARY_ARGUMENTS, loc,
                    "the window is larger than what it moves over: it reaches over %s of %s",
                    size_text(g, reach, ""), size_text(g, n, ""));
        return false;
    }
    if (stride < 0 || !size_floor(g, left, stride, &count)) {
        lower_error(L, ERR_SLICE, loc,
                    "a stride of %s along the run-time size %s: the number of places is not known",
                    size_text(g, stride, ""), size_text(g, n, ""));
        return false;
    }
    *places = size_add(g, count, 1);
    return true;
}

/* _places(n, reach, stride) */
static Value *b_places(Lower *L, Loc loc, Value **arg)
{
    Size n, reach, stride, places;
    if (!want_size(L, arg[0], "a size", &n) || !want_size(L, arg[1], "a window", &reach))
        return value_error(L, loc);
    if (!want_size(L, arg[2], "a stride", &stride))
        return value_error(L, loc);
    if (!want_places(L, loc, n, reach, stride, &places))
        return value_error(L, loc);
    return value_node(L, loc, graph_size(L->g, places));
}

/* _conv(x, K, stride, dilation, groups): x [channels, h, w, batch]. The sizes fit: conv of
 * prelude.ng has checked them. */
static Value *b_conv(Lower *L, Loc loc, Value **arg)
{
    Graph *g = L->g;
    Node *x = want_node(L, arg[0], "the images");
    Node *k = want_node(L, arg[1], "the kernels");
    Size groups;
    struct Attr at = {0};

    if (!x || !k)
        return value_error(L, loc);
    if (!want_steps(L, arg[2], "stride", at.stride))
        return value_error(L, loc);
    if (!want_steps(L, arg[3], "dilation", at.dilation))
        return value_error(L, loc);
    if (!want_size(L, arg[4], "groups", &groups))
        return value_error(L, loc);
    if (x->shape.rank != 4 || k->shape.rank != 4) {
        lower_error(L, ERR_TOO_MANY_AXES, loc,
                    "a convolution needs an image and a kernel of 4 axes, not %d and %d",
                    x->shape.rank, k->shape.rank);
        return value_error(L, loc);
    }

    at.groups = (int)groups;
    for (int i = 0; i < 2; i++) {
        Size size = x->shape.dim[1 + i];
        Size taps = k->shape.dim[2 + i];
        Size places;
        Size last_tap = size_sub(g, taps, 1);
        Size last = size_mul(g, at.dilation[i], last_tap);
        Size reach = size_add(g, last, 1);
        if (!want_places(L, loc, size, reach, at.stride[i], &places))
            return value_error(L, loc);
    }
    return value_node(L, loc, graph_conv(g, x, k, &at));
}

/* ---- derivatives ---- */

static Value *b_stop(Lower *L, Loc loc, Value **arg)
{
    Node *x = want_node(L, arg[0], "this");
    if (!x)
        return value_error(L, loc);
    return value_node(L, loc, graph_stop(L->g, x));
}

/* grad(y, x): x a value, or a list of them for a list of gradients. */
static Value *b_grad(Lower *L, Loc loc, Value **arg)
{
    Node *y = want_node(L, arg[0], "what is differentiated");
    if (!y || arg[1]->kind == V_ERROR)
        return value_error(L, loc);
    if (y->shape.rank == 0 && y->type == T_INT) {
        lower_error(L, ERR_LOSS_INT, arg[0]->loc, "grad: an int has no gradient");
        return value_error(L, loc);
    }
    if (y->shape.rank != 0) {
        lower_error(L, ERR_LOSS_NOT_A_NUMBER, arg[0]->loc,
                    "grad: a scalar is differentiated; %s has shape %s: sum or mean makes it one",
                    value_text(L, arg[0]), shape_text(L->g, y->shape));
        return value_error(L, loc);
    }
    return send_back(L, loc, arg[0], y, NULL, arg[1]);
}

/* vjp(y, x, u): the gradient of sum(u*y) with respect to x, where the upstream gradient u counts as
 * a constant. The result depends on u, and can be differentiated with respect to it. */
static Value *b_vjp(Lower *L, Loc loc, Value **arg)
{
    Graph *g = L->g;
    Node *y = want_node(L, arg[0], "what is differentiated");
    Node *u = want_node(L, arg[2], "an upstream gradient");
    Shape s;

    if (!y || !u || arg[1]->kind == V_ERROR)
        return value_error(L, loc);
    if (y->type != T_FLOAT) {
        lower_error(L, ERR_LOSS_INT, arg[0]->loc, "an int has no gradient");
        return value_error(L, loc);
    }

    if (!shape_broadcast(y->shape, u->shape, &s) || !shape_equal(s, y->shape)) {
        lower_error(L, ERR_SHAPES, arg[2]->loc,
                    "vjp: an upstream gradient of shape %s does not fit a value of shape %s",
                    shape_text(g, u->shape), shape_text(g, y->shape));
        return value_error(L, loc);
    }

    Node *seed = graph_broadcast(g, graph_cast(g, u, T_FLOAT), s);
    return send_back(L, loc, arg[0], y, seed, arg[1]);
}

/* Zeros in the shape of x that are not shared with any other node. A derivative may be taken with
 * respect to them, although their value does not matter. */
static Value *b_dual(Lower *L, Loc loc, Value **arg)
{
    Graph *g = L->g;
    Node *x = want_node(L, arg[0], "this");
    if (!x)
        return value_error(L, loc);
    static const double zero[1];
    const double *own = arena_copy(L->ngc, zero, sizeof zero);
    Node *scalar = graph_data(g, (Shape){0}, T_FLOAT, own);
    Node *z = graph_broadcast(g, scalar, x->shape);
    return value_node(L, loc, graph_bind(g, z, NULL, 0));
}

/* ---- lists, and checks of values ---- */

static Value *b_append(Lower *L, Loc loc, Value **arg)
{
    Ngc *ngc = L->ngc;
    if (arg[0]->kind != V_LIST) {
        lower_error(L, ERR_NOT_A_LIST, arg[0]->loc, "append: a list is needed");
        return value_error(L, loc);
    }

    Value *v = arena_copy(ngc, arg[0], sizeof *v);
    v->loc = loc;

    /* Lists share their items. If another list has appended to the same items, this one copies. */
    if (!v->used || *v->used != v->count) {
        v->room = 0;
        v->used = arena_alloc(ngc, sizeof *v->used);
    }

    LIST_GROW(ngc, v->item, v->count, &v->room);
    v->item[v->count++] = arg[1];
    *v->used = v->count;
    return v;
}

static Value *b_len(Lower *L, Loc loc, Value **arg)
{
    if (arg[0]->kind == V_LIST)
        return value_number(L, loc, arg[0]->count);
    Node *x = want_node(L, arg[0], "this");
    if (x && x->shape.rank == 0) {
        lower_error(L, ERR_NOT_A_LIST, arg[0]->loc, "len: a scalar has no length");
        return value_error(L, loc);
    }
    if (!x)
        return value_error(L, loc);
    return value_node(L, loc, graph_size(L->g, x->shape.dim[0]));
}

/* as_int(x): the whole number below x, as an int. */
static Value *b_as_int(Lower *L, Loc loc, Value **arg)
{
    Node *x = want_node(L, arg[0], "this");
    if (!x)
        return value_error(L, loc);
    return value_node(L, loc, graph_as_int(L->g, x));
}

/* _axis(x, axis, more): the number of an axis of x, from 0 on, where x has `more` axes more. */
static Value *b_axis(Lower *L, Loc loc, Value **arg)
{
    Node *x = want_node(L, arg[0], "this");
    int64_t more = 0;
    int axis;
    if (!x || (arg[2]->kind != V_ABSENT && !want_whole(L, arg[2], "a number of axes", &more)))
        return value_error(L, loc);
    if (!want_axis(L, arg[1], x->shape.rank + (int)more, &axis))
        return value_error(L, loc);
    return value_number(L, loc, axis);
}

static Value *b_is_list(Lower *L, Loc loc, Value **arg)
{
    return value_number(L, loc, arg[0]->kind == V_LIST);
}

/* is_known(x): is x a number that is known at compile time? */
static Value *b_is_known(Lower *L, Loc loc, Value **arg)
{
    const Value *v = arg[0];
    bool scalar = v->kind == V_NODE && v->node->shape.rank == 0;
    return value_number(L, loc, scalar && is_known(L, v->node));
}

static Value *b_is_function(Lower *L, Loc loc, Value **arg)
{
    return value_number(L, loc, arg[0]->kind == V_FUNC);
}

/* same_function(f, g): are both the same function of the library or of the file? */
static Value *b_same_function(Lower *L, Loc loc, Value **arg)
{
    if (arg[0]->kind != V_FUNC || arg[1]->kind != V_FUNC)
        return value_number(L, loc, 0);

    const Func *f = arg[0]->func;
    const Func *g = arg[1]->func;
    bool same = f->def == g->def && same_text(f->name, g->name);
    return value_number(L, loc, same);
}

static bool is_trained(const Value *v)
{
    bool trained =
        v->kind == V_NODE && v->node->op == OP_var && v->node->attr.var->kind != VAR_FROZEN;
    for (int i = 0; v->kind == V_LIST && i < v->count; i++)
        trained |= is_trained(v->item[i]);
    return trained;
}

/* is_trained(p): may the param change, or one of a list of params? */
static Value *b_is_trained(Lower *L, Loc loc, Value **arg)
{
    return value_number(L, loc, is_trained(arg[0]));
}

static Value *b_is_int(Lower *L, Loc loc, Value **arg)
{
    Node *x = want_node(L, arg[0], "this");
    if (x)
        return value_number(L, loc, x->type == T_INT);
    return value_error(L, loc);
}

/* ": write p[:, 0]" where b is a without its last axis, of size 1, or "". */
static const char *without_last(Lower *L, const Node *a, const Node *b, const char *otherwise)
{
    Shape s = a->shape;
    if (s.rank == 0 || s.dim[s.rank - 1] != 1)
        return "";

    s.rank--;
    if (!shape_equal(s, b->shape))
        return "";

    const char *name = otherwise;
    if (a->op == OP_var)
        name = a->attr.var->name;
    else if (a->name && !strchr(a->name, '.'))
        name = a->name;
    return text_format(L->ngc, ": write %s[%s, 0]", name, s.rank == 1 ? ":" : "...");
}

/* _equal_shapes(a, b): a, whose shape must be that of b. */
static Value *b_equal_shapes(Lower *L, Loc loc, Value **arg)
{
    Node *a = want_node(L, arg[0], "this");
    Node *b = want_node(L, arg[1], "this");
    if (!a || !b)
        return value_error(L, loc);
    if (shape_equal(a->shape, b->shape))
        return arg[0];
    lower_error(L, ERR_SHAPES, loc, "the shapes must be equal, not %s and %s",
                shape_text(L->g, a->shape), shape_text(L->g, b->shape));
    return value_error(L, loc);
}

/* same_shape(a, b): a in the shape of b, or an error: losses never broadcast. */
static Value *b_same_shape(Lower *L, Loc loc, Value **arg)
{
    Node *a = want_node(L, arg[0], "a prediction");
    Node *b = want_node(L, arg[1], "a target");
    if (!a || !b)
        return value_error(L, loc);
    if (!shape_equal(a->shape, b->shape)) {
        const char *hint = without_last(L, a, b, "p");
        if (!*hint)
            hint = without_last(L, b, a, "t");
        lower_error(L, ERR_TARGET_SHAPE, loc, "the prediction has shape %s, the target %s%s",
                    shape_text(L->g, a->shape), shape_text(L->g, b->shape), hint);
        return value_error(L, loc);
    }
    return arg[0];
}

/* same_labels(z, t, axis): int labels t, one for each row of scores z [.., k], or an error. */
static Value *b_same_labels(Lower *L, Loc loc, Value **arg)
{
    Graph *g = L->g;
    Node *z = want_node(L, arg[0], "scores");
    Node *t = want_node(L, arg[1], "labels");
    if (!z || !t)
        return value_error(L, loc);

    Shape rows = z->shape;
    int axis = rows.rank - 1;
    bool axis_given = arg[2]->kind != V_ABSENT;
    if (axis >= 0 && axis_given && !want_axis(L, arg[2], rows.rank, &axis))
        return value_error(L, loc);
    if (axis >= 0)
        rows = shape_without(rows, 1u << axis);

    if (t->type != T_INT && !is_known(L, t)) {
        lower_error(L, ERR_NOT_AN_INT, loc, "labels must be int: declare '%s: int'",
                    labels_text(L, arg[1], t, &rows));
        return value_error(L, loc);
    }

    t = want_index(L, arg[1], "a label");
    if (!t)
        return value_error(L, loc);
    if (!shape_equal(rows, t->shape)) {
        Node *row = graph_full(g, rows, 0);
        lower_error(L, ERR_TARGET_SHAPE, loc,
                    "the prediction has shape %s, the labels %s, not %s%s", shape_text(g, z->shape),
                    shape_text(g, t->shape), shape_text(g, rows), without_last(L, t, row, "t"));
        return value_error(L, loc);
    }
    return value_node(L, loc, t);
}

/* meant_as(x, "logits"): x; a warning where it is what a softmax or a sigmoid makes of logits. */
static Value *b_meant_as(Lower *L, Loc loc, Value **arg)
{
    Node *x = want_node(L, arg[0], "a value");
    if (!x)
        return value_error(L, loc);
    warn_meant(L, lower_site(L, loc), x, arg[1]->kind == V_TEXT ? arg[1]->text : "logits");
    return arg[0];
}

static Value *b_fail(Lower *L, Loc loc, Value **arg)
{
    lower_error(L, ERR_LIBRARY_ARGUMENTS, loc, "%s",
                arg[0]->kind == V_TEXT ? arg[0]->text : "failed");
    return value_error(L, loc);
}

/* polygamma(n, x): the n-th derivative of digamma(x), which is the derivative of lgamma(x). */
static Value *b_polygamma(Lower *L, Loc loc, Value **arg)
{
    int64_t n;
    Node *x = want_node(L, arg[1], "what it is a function of");
    if (!x || !want_whole(L, arg[0], "the order of a polygamma function", &n))
        return value_error(L, loc);
    if (n < 0) {
        lower_error(L, ERR_NUMBER_TOO_SMALL, arg[0]->loc,
                    "the order of a polygamma function is 0 or more");
        return value_error(L, loc);
    }
    if (n > 20) {
        lower_error(L, ERR_LIBRARY_ARGUMENTS, arg[0]->loc,
                    "the order of a polygamma function is at most 20");
        return value_error(L, loc);
    }
    return value_node(L, loc, graph_binary(L->g, OP_polygamma, graph_const(L->g, (double)n), x));
}

/* ---- the table ---- */

/* Functions of tensors; those of one element are in their records (OpInfo.params). */
static const Builtin table[] = {
    {"sum", "x axis? keepdims?", b_sum, 0},
    {"max", "x axis? keepdims?", b_max, 0},
    {"all", "x axis? keepdims?", b_all, 0},
    {"argmax", "x axis? keepdims?", b_argmax, 0},
    {"count", "x axis?", b_count, 0},
    {"reshape", "x shape", b_reshape, 0},
    {"permute", "x axes", b_permute, 0},
    {"broadcast_to", "x shape", b_broadcast_to, 0},
    {"concat", "list axis?", b_concat, 0},
    {"narrow", "x axis start length step?", b_narrow, 0},
    {"pad", "x before after? value?", b_pad, 0},
    {"polygamma", "n x", b_polygamma, 0},
    {"full", "shape value", b_full, 0},
    {"arange", "n", b_arange, 0},
    {"constant", "x", b_constant, 0},
    {"eye", "n", b_eye, 0},
    {"one_hot", "i n", b_one_hot, 0},
    {"scatter_add", "x i rows", b_scatter_add, 0},
    {"_order", "x k", b_order, 0},
    {"_checked", "i n", b_checked, 0},
    {"_axis", "x axis more?", b_axis, 0},
    {"_gather", "x places", b_gather, 0},
    {"_scatter", "u places shape", b_scatter, 0},
    {"noise", "shape", b_noise, 0},
    {"uniform", "shape low? high?", b_uniform, 0},
    {"normal", "shape mean? sd?", b_normal, 0},
    {"truncated_normal", "shape mean? sd?", b_truncated, 0},
    {"orthogonal", "shape gain?", b_orthogonal, 0},
    {"det", "A", b_det, 0},
    {"logdet", "A", b_logdet, 0},
    {"solve", "A b", b_solve, 0},
    {"_cholesky", "A", b_cholesky, 0},
    {"_places", "n reach stride", b_places, 0},
    {"_conv", "x K stride dilation groups", b_conv, 0},
    {"stop", "x", b_stop, 0},
    {"grad", "y x", b_grad, 0},
    {"vjp", "y x u", b_vjp, 0},
    {"_sparse", "y x symmetric dense", builtin_sparse, 0},
    {"dual", "x", b_dual, 0},
    {"append", "list value", b_append, 0},
    {"len", "x", b_len, 0},
    {"is_int", "x", b_is_int, 0},
    {"as_int", "x", b_as_int, 0},
    {"same_labels", "z t axis?", b_same_labels, 0},
    {"meant_as", "x what", b_meant_as, 0},
    {"is_list", "x", b_is_list, 0},
    {"is_trained", "params", b_is_trained, 0},
    {"is_known", "x", b_is_known, 0},
    {"is_function", "x", b_is_function, 0},
    {"same_function", "f g", b_same_function, 0},
    {"einsum", "letters a b? c?", builtin_einsum, 0},
    {"same_shape", "prediction target", b_same_shape, 0},
    {"_equal_shapes", "a b", b_equal_shapes, 0},
    {"fail", "text", b_fail, 0},
};

/* The function that the record of an elementwise op has, or a row of the table. */
static bool find(const char *name, Builtin *found)
{
    for (int op = 0; op < OP_COUNT; op++)
        if (op_info[op]->params && same_text(op_info[op]->name, name)) {
            *found = (Builtin){op_info[op]->name, op_info[op]->params, NULL, (Op)op};
            return true;
        }

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (same_text(table[i].name, name)) {
            *found = table[i];
            return true;
        }
    return false;
}

const Builtin *builtin_find(Ngc *ngc, const char *name)
{
    Builtin found;
    if (!find(name, &found))
        return NULL;
    return arena_copy(ngc, &found, sizeof found);
}

int builtin_names(const char **name, int room)
{
    int n = 0;
    for (int op = 0; op < OP_COUNT && n < room; op++)
        if (op_info[op]->params)
            name[n++] = op_info[op]->name;

    for (size_t i = 0; i < sizeof table / sizeof *table && n < room; i++)
        name[n++] = table[i].name;
    return n;
}
