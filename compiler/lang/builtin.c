/* builtin.c - the functions of the language that are not written in it: thin wrappers of the
 * graph's builders. All else of the library is in prelude.ng. */
#include "lang/lower.h"

#include <math.h>
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
    if (!x || !want_axes(L, arg[1], x->shape, &axes) || !flag(L, arg[2], "keepdims", &keepdims))
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
    Node *x = want_node(L, arg[0], "what is reduced");
    if (!x)
        return value_error(L, loc);
    Value *zero = value_node(L, loc, graph_binary(L->g, OP_eq, x, graph_const(L->g, 0)));
    Value *some = reduce(L, loc, (Value *[]){zero, arg[1], arg[2]}, OP_max);
    if (some->kind != V_NODE)
        return some;
    return value_node(L, loc, graph_binary(L->g, OP_sub, graph_const(L->g, 1), some->node));
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

/* ---- shapes ---- */

/* The sizes of a reshape. One of them may be -1: it is total / known, the size that is left. */
static bool reshape_sizes(Lower *L, const Value *v, const Node *x, Shape *s)
{
    int open = -1;
    double k;
    Size known = 1, total = shape_count(L->g, x->shape);

    *s = (Shape){0};
    if (v->kind != V_LIST || v->count > MAX_RANK)
        return want_shape(L, v, "a shape", s);

    for (int i = 0; i < v->count; i++) {
        if (v->item[i]->kind == V_NODE && node_const(v->item[i]->node, &k) && k == -1 && open < 0)
            open = i;
        else if (!want_size(L, v->item[i], "a size", &s->dim[i]))
            return false;
        else
            known = size_mul(L->g, known, s->dim[i]);
    }

    s->rank = v->count;

    bool fits = known == total;
    if (open >= 0)
        fits = size_div(L->g, total, known, &s->dim[open]);
    if (!fits) {
        if (open >= 0)
            s->dim[open] = 1;
        lower_error(L, ERR_RESHAPE, v->loc, "reshape: %s elements do not fill %s%s",
                    size_text(L->g, total, ""), shape_text(L->g, *s),
                    open >= 0 ? " with a whole number in place of -1" : "");
        return false;
    }
    return true;
}

static Value *b_reshape(Lower *L, Loc loc, Value **arg)
{
    Shape s;
    Node *x = want_node(L, arg[0], "what is reshaped");
    if (!x || !reshape_sizes(L, arg[1], x, &s))
        return value_error(L, loc);
    return value_node(L, loc, graph_reshape(L->g, x, s));
}

static Value *b_permute(Lower *L, Loc loc, Value **arg)
{
    int perm[MAX_RANK];
    uint32_t seen;
    Node *x = want_node(L, arg[0], "what is permuted");

    if (!x || !want_axes(L, arg[1], x->shape, &seen))
        return value_error(L, loc);
    if (arg[1]->kind != V_LIST || arg[1]->count != x->shape.rank) {
        lower_error(L, ERR_AXIS_COUNT, arg[1]->loc, "permute: all %d axes must be listed",
                    x->shape.rank);
        return value_error(L, loc);
    }

    for (int i = 0; i < x->shape.rank; i++)
        want_axis(L, arg[1]->item[i], x->shape.rank, &perm[i]);
    return value_node(L, loc, graph_permute(L->g, x, perm));
}

static Value *b_broadcast_to(Lower *L, Loc loc, Value **arg)
{
    Shape s, fit;
    Node *x = want_node(L, arg[0], "what is copied");
    if (!x || !want_shape(L, arg[1], "a shape", &s))
        return value_error(L, loc);
    if (!shape_broadcast(x->shape, s, &fit) || !shape_equal(fit, s)) {
        lower_error(L, ERR_SHAPES, loc, "broadcast_to: %s does not fit %s",
                    shape_text(L->g, x->shape), shape_text(L->g, s));
        return value_error(L, loc);
    }
    return value_node(L, loc, graph_broadcast(L->g, x, s));
}

/* Are two shapes equal, except for the size of one axis? */
static bool joinable(Shape a, Shape b, int axis)
{
    if (a.rank == 0 || a.rank != b.rank)
        return false;
    a.dim[axis] = 1;
    b.dim[axis] = 1;
    return shape_equal(a, b);
}

static Value *b_concat(Lower *L, Loc loc, Value **arg)
{
    const Value *list = arg[0];
    int axis = 0;
    if (list->kind != V_LIST || list->count == 0) {
        lower_error(L, ERR_NOT_A_LIST, arg[0]->loc,
                    "concat takes a list of tensors, as in concat([a, b])");
        return value_error(L, loc);
    }

    Node **x = arena_alloc(L->ngc, (size_t)list->count * sizeof *x);
    for (int i = 0; i < list->count; i++) {
        x[i] = want_node(L, list->item[i], "what is joined");
        if (!x[i])
            return value_error(L, loc);
        bool wanted = i == 0 && arg[1]->kind != V_ABSENT;
        if (wanted && !want_axis(L, arg[1], x[0]->shape.rank, &axis))
            return value_error(L, loc);

        if (!joinable(x[0]->shape, x[i]->shape, axis)) {
            lower_error(L, ERR_CONCAT, list->item[i]->loc,
                        "concat: shapes %s and %s differ in another axis than %d",
                        shape_text(L->g, x[0]->shape), shape_text(L->g, x[i]->shape), axis);
            return value_error(L, loc);
        }
    }
    return value_node(L, loc, graph_concat(L->g, x, list->count, axis));
}

/* The padding before an axis (side 0) or after it (side 1). v is a number for all axes, or a list
 * with an item for each axis: a number for both sides, or a pair [before, after]. As in NumPy, a
 * list of one pair is for all axes. For a vector, two numbers are its pair. If `after` is an
 * argument of its own, pairs are not allowed. false: after a message. */
static bool pad_of(Lower *L, const Value *v, Shape s, int axis, int side, bool pairs, int64_t *n)
{
    if (v->kind == V_LIST) {
        bool alone = v->count == 1 && v->item[0]->kind == V_LIST;
        bool pair = pairs && s.rank == 1 && v->count == 2 && v->item[0]->kind != V_LIST;
        if (v->count != s.rank && !alone && !pair) {
            lower_error(L, ERR_AXIS_COUNT, v->loc, "pad: %d numbers for %d axes", v->count, s.rank);
            return false;
        }
        if (!pair)
            v = v->item[alone ? 0 : axis];
    }

    if (v->kind == V_LIST) {
        if (!pairs) {
            lower_error(
                L, ERR_AXIS_COUNT, v->loc,
                "pad: a pair says what is before and after: there is no third argument then");
            return false;
        }
        if (v->count != 2) {
            lower_error(L, ERR_AXIS_COUNT, v->loc,
                        "pad: of an axis, a pair [before, after] is wanted, not %d numbers",
                        v->count);
            return false;
        }
        v = v->item[side];
    }

    if (!want_whole(L, v, "a pad", n))
        return false;
    if (*n < 0)
        lower_error(L, ERR_NUMBER_TOO_SMALL, v->loc, "a pad must not be negative");
    return *n >= 0;
}

/* pad(x, before, after, value): zeros around, or the value; without after, before is for both
 * sides. */
static Value *b_pad(Lower *L, Loc loc, Value **arg)
{
    Size lo[MAX_RANK] = {0}, step[MAX_RANK];
    Node *x = want_node(L, arg[0], "what is padded");
    if (!x)
        return value_error(L, loc);

    Shape s = x->shape;
    for (int i = 0; i < s.rank; i++) {
        int64_t before, after;
        bool pairs = arg[2]->kind == V_ABSENT;
        const Value *other = pairs ? arg[1] : arg[2];
        if (!pad_of(L, arg[1], x->shape, i, 0, pairs, &before) ||
            !pad_of(L, other, x->shape, i, 1, pairs, &after))
            return value_error(L, loc);
        step[i] = 1;
        lo[i] = before;
        s.dim[i] = size_add(L->g, s.dim[i], before + after);
    }
    Node *y = graph_pad(L->g, x, lo, step, s);
    if (arg[3]->kind == V_ABSENT || y == x)
        return value_node(L, loc, y);

    Node *value = want_node(L, arg[3], "a value");
    if (value && value->shape.rank != 0) {
        lower_error(L, ERR_SHAPES, arg[3]->loc, "pad: the value must be a scalar");
        value = NULL;
    }
    if (!value || node_is(value, 0))
        return value_node(L, loc, value ? y : NULL);
    Node *inside = graph_pad(L->g, graph_full(L->g, x->shape, 1), lo, step, s);
    Node *outside = graph_binary(L->g, OP_eq, inside, graph_const(L->g, 0));
    return value_node(L, loc, graph_where(L->g, outside, value, y));
}

/* One axis of a narrow: `length` elements from `start` on, every step-th. */
typedef struct Part {
    int axis;
    Size start, length, step;
} Part;

/* A start, which may be 0. */
static bool want_start(Lower *L, const Value *v, Size *start)
{
    double zero;
    const Node *n = v->kind == V_NODE ? v->node : NULL;

    *start = 0;
    if (n && node_const(n, &zero) && zero == 0)
        return true;
    if (n && n->op == OP_size && size_least(L->g, n->attr.size) == 0) {
        *start = n->attr.size;
        return true;
    }
    return want_size(L, v, "a start", start);
}

/* Reads the part from arguments after x; false: after a message. */
static bool want_part(Lower *L, Loc loc, Value *const *arg, const Node *x, Part *part)
{
    *part = (Part){.step = 1};

    if (!want_axis(L, arg[0], x->shape.rank, &part->axis) || !want_start(L, arg[1], &part->start) ||
        !want_size(L, arg[2], "a length", &part->length) ||
        (arg[3]->kind != V_ABSENT && !want_size(L, arg[3], "a step", &part->step)))
        return false;

    Size size = x->shape.dim[part->axis];
    Size last = size_mul(L->g, size_sub(L->g, part->length, 1), part->step);
    Size after = size_sub(L->g, size, size_add(L->g, part->start, size_add(L->g, last, 1)));
    if (size_least(L->g, after) >= 0)
        return true;
    lower_error(L, ERR_INDEX_RANGE, loc, "%s elements from %s on %s more than the axis of %s has",
                size_text(L->g, part->length, ""), size_text(L->g, part->start, ""),
                size_max(L->g, after) < 0 ? "are" : "may be", size_text(L->g, size, ""));
    return false;
}

/* narrow(x, axis, start, length, step): part of one axis; of several, if all are lists. */
static Value *b_narrow(Lower *L, Loc loc, Value **arg)
{
    Size lo[MAX_RANK] = {0}, step[MAX_RANK];
    int count = arg[1]->kind == V_LIST ? arg[1]->count : 1;
    Node *x = want_node(L, arg[0], "what is cut");
    if (!x)
        return value_error(L, loc);

    Shape s = x->shape;
    for (int i = 0; i < s.rank; i++)
        step[i] = 1;

    for (int i = 0; i < count; i++) {
        Value *one[4];
        Part part;
        for (int k = 0; k < 4; k++) {
            one[k] = arg[1 + k];
            if (one[k]->kind == V_LIST && one[k]->count != count) {
                lower_error(L, ERR_AXIS_COUNT, one[k]->loc, "narrow: %d numbers for %d axes",
                            one[k]->count, count);
                return value_error(L, loc);
            }
            if (one[k]->kind == V_LIST)
                one[k] = one[k]->item[i];
        }
        if (!want_part(L, loc, one, x, &part))
            return value_error(L, loc);
        lo[part.axis] = part.start;
        step[part.axis] = part.step;
        s.dim[part.axis] = part.length;
    }
    return value_node(L, loc, graph_slice(L->g, x, lo, step, s));
}

/* ---- new tensors ---- */

static Value *b_full(Lower *L, Loc loc, Value **arg)
{
    Shape s;
    Node *v = want_node(L, arg[1], "a value");
    if (!v || !want_shape(L, arg[0], "a shape", &s))
        return value_error(L, loc);
    if (v->shape.rank != 0) {
        lower_error(L, ERR_SHAPES, arg[1]->loc, "full: the value must be a scalar");
        return value_error(L, loc);
    }
    return value_node(L, loc, graph_broadcast(L->g, v, s));
}

/* constant(x): x, computed at compile time. */
static Value *b_constant(Lower *L, Loc loc, Value **arg)
{
    Node *x = want_node(L, arg[0], "this");
    if (!x)
        return value_error(L, loc);
    if (!is_known(L, x)) {
        lower_error(L, ERR_NOT_CONSTANT, arg[0]->loc,
                    "constant: the value is not known at compile time");
        return value_error(L, loc);
    }

    const double *v = known_value(L, x);
    if (x->shape.rank == 0)
        return value_node(L, loc, graph_cast(L->g, graph_const(L->g, *v), x->type));
    return value_node(L, loc, graph_data(L->g, x->shape, x->type, v));
}

static Value *b_arange(Lower *L, Loc loc, Value **arg)
{
    Shape s = {.rank = 1};
    if (!want_size(L, arg[0], "a length", &s.dim[0]))
        return value_error(L, loc);
    return value_node(L, loc, graph_iota(L->g, s, 0));
}

/* eye(n), or eye of a shape of two axes, as initializers are called. */
static Value *b_eye(Lower *L, Loc loc, Value **arg)
{
    Shape s = {.rank = 2};
    bool good;
    if (arg[0]->kind == V_LIST) {
        good = want_shape(L, arg[0], "a shape", &s);
    } else {
        good = want_size(L, arg[0], "a size", &s.dim[0]);
        s.dim[1] = s.dim[0];
    }

    if (good && s.rank != 2) {
        lower_error(L, ERR_AXIS_COUNT, arg[0]->loc, "eye: a shape of two axes is needed, not %s",
                    shape_text(L->g, s));
        good = false;
    }

    if (!good)
        return value_error(L, loc);

    Node *column = graph_iota(L->g, s, 1), *row = graph_iota(L->g, s, 0);
    return value_node(L, loc, graph_binary(L->g, OP_eq, row, column));
}

/* "t[m]": the input that the labels are views of, as it is declared, or is to be (rows, if not
 * NULL); otherwise their own text. */
static const char *labels_text(Lower *L, const Value *v, const Node *n, const Shape *rows)
{
    if (n->op == OP_var && rows)
        return text_format(L->ngc, "%s%s", n->attr.var->name,
                           rows->rank ? shape_text(L->g, *rows) : "");
    while (op_info[n->op]->flags & F_VIEW)
        n = n->arg[0];
    if (n->op != OP_var || n->shape.rank == 0)
        return n->op == OP_var ? n->attr.var->name : value_text(L, v);
    return text_format(L->ngc, "%s%s", n->attr.var->name, shape_text(L->g, n->shape));
}

/* one_hot(i, n)[.., k] = 1 where k == i[..]; labels are checked at run time. */
static Value *b_one_hot(Lower *L, Loc loc, Value **arg)
{
    Size n;
    Node *i = want_index(L, arg[0], "a label");
    if (!i || !want_size(L, arg[1], "a number of classes", &n))
        return value_error(L, loc);
    if (i->shape.rank == MAX_RANK) {
        lower_error(L, ERR_TOO_MANY_AXES, loc, "at most %d axes are allowed", MAX_RANK);
        return value_error(L, loc);
    }

    i = index_limit(L, loc, i, n);
    if (!i)
        return value_error(L, loc);

    Shape s = i->shape;
    s.dim[s.rank++] = n;
    Node *label = graph_expand(L->g, i, s, 1u << (s.rank - 1));
    return value_node(L, loc, graph_binary(L->g, OP_eq, label, graph_iota(L->g, s, s.rank - 1)));
}

static Value *scatter_error(Lower *L, Loc loc, const Node *x, const Node *i)
{
    lower_error(L, ERR_SHAPES, loc, "scatter_add: rows of shape %s do not fit indices of shape %s",
                shape_text(L->g, x->shape), shape_text(L->g, i->shape));
    return value_error(L, loc);
}

/* scatter_add(x, i, rows): each row x[k] is added to row i[k] of the result. */
static Value *b_scatter_add(Lower *L, Loc loc, Value **arg)
{
    Size rows;
    Node *x = want_node(L, arg[0], "rows"), *i = want_index(L, arg[1], "an index");
    if (!x || !i || !want_size(L, arg[2], "a number of rows", &rows))
        return value_error(L, loc);

    Shape s = {.rank = x->shape.rank - i->shape.rank + 1, .dim = {rows}}, lead = x->shape;
    lead.rank = i->shape.rank;
    if (s.rank < 1 || !shape_equal(lead, i->shape))
        return scatter_error(L, loc, x, i);

    i = index_limit(L, loc, i, rows);
    if (!i)
        return value_error(L, loc);

    for (int k = 1; k < s.rank; k++)
        s.dim[k] = x->shape.dim[k + i->shape.rank - 1];
    return value_node(L, loc, graph_scatter(L->g, x, i, s, 0));
}

/* An index in [0, rows). Parts of one input may be for axes of different sizes, so that a part is
 * checked by itself. */
static Node *place_limit(Lower *L, Loc loc, Node *i, Size rows)
{
    const Node *n = i;
    bool part = false;

    while (op_info[n->op]->flags & F_VIEW && n->nargs == 1) {
        part |= n->op == OP_slice;
        n = n->arg[0];
    }
    if (part && n->op == OP_var && rows >= 0)
        return graph_checked(L->g, i, rows);
    return index_limit(L, loc, i, rows);
}

/* Int tensors for the axes of s from `axis` on, broadcast to one shape. NULL: after a message. */
static Node **want_places_of(Lower *L, Loc loc, const Value *list, Shape s, int axis)
{
    Shape shape = {0};
    int count = list->kind == V_LIST ? list->count : 0;
    Node **index = arena_alloc(L->ngc, (size_t)(count + 1) * sizeof *index);

    if (count == 0 || axis + count > s.rank) {
        lower_error(L, ERR_TOO_MANY_INDICES, loc, "%d indices for shape %s", count,
                    shape_text(L->g, s));
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        index[i] = want_index(L, list->item[i], "an index");
        if (!index[i])
            return NULL;
        index[i] = place_limit(L, loc, index[i], s.dim[axis + i]);
        if (!index[i])
            return NULL;
        if (!shape_broadcast(shape, index[i]->shape, &shape)) {
            lower_error(L, ERR_SHAPES, loc, "the indices have shapes %s and %s",
                        shape_text(L->g, shape), shape_text(L->g, index[i]->shape));
            return NULL;
        }
    }
    if (s.rank - count + shape.rank > MAX_RANK) {
        lower_error(L, ERR_TOO_MANY_AXES, loc, "at most %d axes are allowed", MAX_RANK);
        return NULL;
    }
    for (int i = 0; i < count; i++)
        index[i] = graph_broadcast(L->g, index[i], shape);
    return index;
}

/* _order(x, k): where the k largest along the last axis are, the largest first. */
static Value *b_order(Lower *L, Loc loc, Value **arg)
{
    Size k;
    Node *x = want_node(L, arg[0], "what is sorted");
    if (!x || !want_size(L, arg[1], "how many are wanted", &k))
        return value_error(L, loc);
    if (x->shape.rank == 0) {
        lower_error(L, ERR_AXIS_RANGE, arg[0]->loc, "a scalar has no axis to sort");
        return value_error(L, loc);
    }

    Size n = x->shape.dim[x->shape.rank - 1], left = size_sub(L->g, n, k);
    if (left < 0 && (size_least(L->g, left) < 0 || size_max(L->g, left) < 0)) {
        lower_error(L, ERR_INDEX_RANGE, loc, "the %s largest are wanted of %s",
                    size_text(L->g, k, ""), size_text(L->g, n, ""));
        return value_error(L, loc);
    }
    return value_node(L, loc, graph_order_of(L->g, x, k));
}

/* _checked(i, n): an index i, checked to be in [0, n). */
static Value *b_checked(Lower *L, Loc loc, Value **arg)
{
    Size n;
    Node *i = want_index(L, arg[0], "an index");
    if (!i || !want_size(L, arg[1], "a size", &n))
        return value_error(L, loc);
    return value_node(L, loc, place_limit(L, loc, i, n));
}

/* _gather(x, [i, j, ..]): x[i, j, ..], where the number of indices may vary. */
static Value *b_gather(Lower *L, Loc loc, Value **arg)
{
    Node *x = want_node(L, arg[0], "what is indexed");
    Node **index = x ? want_places_of(L, loc, arg[1], x->shape, 0) : NULL;
    return value_node(L, loc, index ? graph_gather_at(L->g, x, index, arg[1]->count, 0) : NULL);
}

/* _scatter(u, [i, j, ..], shape): zeros of that shape, to which u is added at [i, j, ..]. */
static Value *b_scatter(Lower *L, Loc loc, Value **arg)
{
    Shape s, fit;
    Node *u = want_node(L, arg[0], "what is added");
    if (!u || !want_shape(L, arg[2], "a shape", &s))
        return value_error(L, loc);
    Node **index = want_places_of(L, loc, arg[1], s, 0);
    if (!index)
        return value_error(L, loc);

    int count = arg[1]->count;
    Shape wanted = index[0]->shape;
    for (int i = count; i < s.rank; i++)
        wanted.dim[wanted.rank++] = s.dim[i];
    if (!shape_broadcast(u->shape, wanted, &fit) || !shape_equal(fit, wanted)) {
        lower_error(L, ERR_SHAPES, loc, "values of shape %s do not fit: %s is needed",
                    shape_text(L->g, u->shape), shape_text(L->g, wanted));
        return value_error(L, loc);
    }
    u = graph_broadcast(L->g, u, wanted);
    return value_node(L, loc, graph_scatter_at(L->g, u, index, count, s, 0));
}

/* Random numbers are for initializers: each draw has a stream of its own, so that one model always
 * starts the same. */
static Value *random_value(Lower *L, Loc loc, Value **arg, Random kind, double a, double b)
{
    Shape s;
    if (!want_shape(L, arg[0], "a shape", &s) ||
        (arg[1]->kind != V_ABSENT && !want_number(L, arg[1], "a parameter", &a)) ||
        (arg[2]->kind != V_ABSENT && !want_number(L, arg[2], "a parameter", &b)))
        return value_error(L, loc);
    return value_node(L, loc, graph_random(L->g, s, kind, a, b, L->m->vars));
}

/* noise(shape): uniform numbers in the graph, new at each step; streams start above those of
 * initializers. */
static Value *b_noise(Lower *L, Loc loc, Value **arg)
{
    Shape s;
    if (!want_shape(L, arg[0], "a shape", &s))
        return value_error(L, loc);
    if (!L->draws) {
        L->draws = lower_var(L, VAR_STATE, "draws", lower_site(L, loc), (Shape){0}, T_INT,
                             graph_int(L->g, 0));
        L->draws->fresh = true;
    }
    return value_node(L, loc,
                      graph_noise(L->g, s, L->draws->node, 0x10000000 + L->streams++,
                                  L->pass_streams));
}

static Value *b_uniform(Lower *L, Loc loc, Value **arg)
{
    return random_value(L, loc, arg, RANDOM_UNIFORM, 0, 1);
}

static Value *b_normal(Lower *L, Loc loc, Value **arg)
{
    return random_value(L, loc, arg, RANDOM_NORMAL, 0, 1);
}

static Value *b_truncated(Lower *L, Loc loc, Value **arg)
{
    return random_value(L, loc, arg, RANDOM_TRUNCATED, 0, 1);
}

/* orthogonal(shape, gain): a matrix with a row for each element of the first axis. */
static Value *b_orthogonal(Lower *L, Loc loc, Value **arg)
{
    Shape s;
    double gain = 1;
    int64_t rows;

    if (!want_shape(L, arg[0], "a shape", &s) ||
        (arg[1]->kind != V_ABSENT && !want_number(L, arg[1], "the gain", &gain)))
        return value_error(L, loc);
    if (s.rank < 2 || !size_number(L->g, s.dim[0], &rows)) {
        lower_error(L, ERR_AXIS_COUNT, arg[0]->loc,
                    "orthogonal: a shape of two axes or more is needed, not %s",
                    shape_text(L->g, s));
        return value_error(L, loc);
    }
    return value_node(L, loc,
                      graph_random(L->g, s, RANDOM_ORTHOGONAL, gain, (double)rows, L->m->vars));
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
    return value_node(L, loc, a ? graph_det(L->g, OP_det, a) : NULL);
}

static Value *b_logdet(Lower *L, Loc loc, Value **arg)
{
    Node *a = square(L, arg[0]);
    return value_node(L, loc, a ? graph_det(L->g, OP_logdet, a) : NULL);
}

/* solve(A, b): b a vector, a matrix of columns, or a batch of matrices as A is. */
static Value *b_solve(Lower *L, Loc loc, Value **arg)
{
    Node *a = square(L, arg[0]), *b = want_node(L, arg[1], "the right side");
    if (!a || !b)
        return value_error(L, loc);

    bool vector = b->shape.rank == 1;
    Shape s = b->shape, fit = a->shape;
    if (vector)
        s = (Shape){.rank = 2, .dim = {s.dim[0], 1}};
    if (s.rank >= 2)
        fit.dim[fit.rank - 1] = s.dim[s.rank - 1];
    if (!shape_equal(s, fit)) {
        lower_error(L, ERR_SHAPES, loc,
                    "solve: a matrix of shape %s and a right side of shape %s do not fit",
                    shape_text(L->g, a->shape), shape_text(L->g, b->shape));
        return value_error(L, loc);
    }

    Node *x = graph_solve(L->g, a, graph_reshape(L->g, graph_cast(L->g, b, T_FLOAT), s), false);
    return value_node(L, loc, graph_reshape(L->g, x, b->shape));
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
    Size left = size_sub(L->g, n, reach), count;
    bool fits = left >= 0 || (size_least(L->g, left) >= 0 && size_max(L->g, left) >= 0);

    if (!fits) {
        lower_error(L, ERR_LIBRARY_ARGUMENTS, loc,
                    "the window is larger than what it moves over: it reaches over %s of %s",
                    size_text(L->g, reach, ""), size_text(L->g, n, ""));
        return false;
    }
    if (stride < 0 || !size_floor(L->g, left, stride, &count)) {
        lower_error(L, ERR_SLICE, loc,
                    "a stride of %s along the run-time size %s: the number of places is not known",
                    size_text(L->g, stride, ""), size_text(L->g, n, ""));
        return false;
    }
    *places = size_add(L->g, count, 1);
    return true;
}

/* _places(n, reach, stride) */
static Value *b_places(Lower *L, Loc loc, Value **arg)
{
    Size n, reach, stride, places;
    if (!want_size(L, arg[0], "a size", &n) || !want_size(L, arg[1], "a window", &reach) ||
        !want_size(L, arg[2], "a stride", &stride) ||
        !want_places(L, loc, n, reach, stride, &places))
        return value_error(L, loc);
    return value_node(L, loc, graph_size(L->g, places));
}

/* _conv(x, K, stride, dilation, groups): x [channels, h, w, batch]. The sizes fit: conv of
 * prelude.ng has checked them. */
static Value *b_conv(Lower *L, Loc loc, Value **arg)
{
    Node *x = want_node(L, arg[0], "the images"), *k = want_node(L, arg[1], "the kernels");
    Size groups;
    struct Attr at = {0};

    if (!x || !k || !want_steps(L, arg[2], "stride", at.stride) ||
        !want_steps(L, arg[3], "dilation", at.dilation) || !want_size(L, arg[4], "groups", &groups))
        return value_error(L, loc);
    if (x->shape.rank != 4 || k->shape.rank != 4) {
        lower_error(L, ERR_TOO_MANY_AXES, loc,
                    "a convolution needs an image and a kernel of 4 axes, not %d and %d",
                    x->shape.rank, k->shape.rank);
        return value_error(L, loc);
    }

    at.groups = (int)groups;
    for (int i = 0; i < 2; i++) {
        Size last = size_mul(L->g, at.dilation[i], size_sub(L->g, k->shape.dim[2 + i], 1)), places;
        if (!want_places(L, loc, x->shape.dim[1 + i], size_add(L->g, last, 1), at.stride[i],
                         &places))
            return value_error(L, loc);
    }
    return value_node(L, loc, graph_conv(L->g, x, k, &at));
}

/* ---- derivatives ---- */

static Value *b_stop(Lower *L, Loc loc, Value **arg)
{
    Node *x = want_node(L, arg[0], "this");
    return value_node(L, loc, x ? graph_stop(L->g, x) : NULL);
}

/* grad(y, x): x a value, or a list of them for a list of gradients. */
static Value *b_grad(Lower *L, Loc loc, Value **arg)
{
    Node *y = want_node(L, arg[0], "what is differentiated");
    if (!y || arg[1]->kind == V_ERROR)
        return value_error(L, loc);
    if (y->shape.rank != 0 || y->type != T_FLOAT) {
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
                    shape_text(L->g, u->shape), shape_text(L->g, y->shape));
        return value_error(L, loc);
    }

    Node *seed = graph_broadcast(L->g, graph_cast(L->g, u, T_FLOAT), s);
    return send_back(L, loc, arg[0], y, seed, arg[1]);
}

/* Zeros in the shape of x that are not shared with any other node. A derivative may be taken with
 * respect to them, although their value does not matter. */
static Value *b_dual(Lower *L, Loc loc, Value **arg)
{
    Node *x = want_node(L, arg[0], "this");
    if (!x)
        return value_error(L, loc);
    static const double zero[1];
    const double *own = arena_copy(L->ngc, zero, sizeof zero);
    Node *scalar = graph_data(L->g, (Shape){0}, T_FLOAT, own);
    Node *z = graph_broadcast(L->g, scalar, x->shape);
    return value_node(L, loc, graph_bind(L->g, z, NULL, 0));
}

/* ---- lists, and checks of values ---- */

static Value *b_append(Lower *L, Loc loc, Value **arg)
{
    if (arg[0]->kind != V_LIST) {
        lower_error(L, ERR_NOT_A_LIST, arg[0]->loc, "append: a list is needed");
        return value_error(L, loc);
    }

    Value *v = arena_copy(L->ngc, arg[0], sizeof *v);
    v->loc = loc;

    /* Lists share their items. If another list has appended to the same items, this one copies. */
    if (!v->used || *v->used != v->count) {
        v->room = 0;
        v->used = arena_alloc(L->ngc, sizeof *v->used);
    }

    v->item = arena_grow(L->ngc, v->item, v->count, &v->room, sizeof *v->item);
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
    return value_node(L, loc, x ? graph_size(L->g, x->shape.dim[0]) : NULL);
}

/* as_int(x): the whole number below x, as an int. */
static Value *b_as_int(Lower *L, Loc loc, Value **arg)
{
    Node *x = want_node(L, arg[0], "this");
    return value_node(L, loc, x ? graph_as_int(L->g, x) : NULL);
}

static Value *b_is_list(Lower *L, Loc loc, Value **arg)
{
    return value_number(L, loc, arg[0]->kind == V_LIST);
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
    const Func *f = arg[0]->func, *g = arg[1]->func;
    return value_number(L, loc, f->def == g->def && strcmp(f->name, g->name) == 0);
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
    return x ? value_number(L, loc, x->type == T_INT) : value_error(L, loc);
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

/* same_shape(a, b): a in the shape of b, or an error: losses never broadcast. */
static Value *b_same_shape(Lower *L, Loc loc, Value **arg)
{
    Node *a = want_node(L, arg[0], "a prediction"), *b = want_node(L, arg[1], "a target");
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
    Node *z = want_node(L, arg[0], "scores"), *t = want_node(L, arg[1], "labels");
    if (!z || !t)
        return value_error(L, loc);

    int axis = z->shape.rank - 1;
    if (axis >= 0 && arg[2]->kind != V_ABSENT && !want_axis(L, arg[2], z->shape.rank, &axis))
        return value_error(L, loc);
    Shape rows = axis < 0 ? z->shape : shape_without(z->shape, 1u << axis);
    if (t->type != T_INT && !is_known(L, t)) {
        lower_error(L, ERR_NOT_AN_INT, loc, "labels must be int: declare '%s: int'",
                    labels_text(L, arg[1], t, &rows));
        return value_error(L, loc);
    }

    t = want_index(L, arg[1], "a label");
    if (!t)
        return value_error(L, loc);
    if (!shape_equal(rows, t->shape)) {
        Node *row = graph_full(L->g, rows, 0);
        lower_error(L, ERR_TARGET_SHAPE, loc,
                    "the prediction has shape %s, the labels %s, not %s%s",
                    shape_text(L->g, z->shape), shape_text(L->g, t->shape), shape_text(L->g, rows),
                    without_last(L, t, row, "t"));
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
    {"is_function", "x", b_is_function, 0},
    {"same_function", "f g", b_same_function, 0},
    {"einsum", "letters a b? c?", builtin_einsum, 0},
    {"same_shape", "prediction target", b_same_shape, 0},
    {"fail", "text", b_fail, 0},
};

/* The function that the record of an elementwise op has, or a row of the table. */
static bool find(const char *name, Builtin *found)
{
    for (int op = 0; op < OP_COUNT; op++)
        if (op_info[op]->params && strcmp(op_info[op]->name, name) == 0) {
            *found = (Builtin){op_info[op]->name, op_info[op]->params, NULL, (Op)op};
            return true;
        }

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, name) == 0) {
            *found = table[i];
            return true;
        }
    return false;
}

const Builtin *builtin_find(Ngc *ngc, const char *name)
{
    Builtin found;
    return find(name, &found) ? arena_copy(ngc, &found, sizeof found) : NULL;
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
