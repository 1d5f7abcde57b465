/* builtin_shape.c - functions of the language that change shapes, choose elements, or make tensors.
 */
#include <math.h>

#include "lang/builtin.h"

/* ---- shapes ---- */

/* The sizes of a reshape. One of them may be -1: it is total / known, the size that is left. */
static bool reshape_sizes(Lower *L, const Value *v, const Node *x, Shape *s)
{
    Graph *g = L->g;
    int open = -1;
    Size known = 1;
    Size total = shape_count(g, x->shape);

    *s = (Shape){0};
    if (v->kind != V_LIST || v->count > MAX_RANK)
        return want_shape(L, v, "a shape", s);

    for (int i = 0; i < v->count; i++) {
        const Value *item = v->item[i];
        bool minus_one = item->kind == V_NODE && node_is(item->node, -1);
        if (minus_one && open < 0)
            open = i;
        else if (!want_size(L, item, "a size", &s->dim[i]))
            return false;
        else
            known = size_mul(g, known, s->dim[i]);
    }

    s->rank = v->count;

    bool fits = known == total;
    /* total / known, if that is whole */
    if (open >= 0)
        fits = size_div(g, total, known, &s->dim[open]);
    if (!fits) {
        if (open >= 0)
            s->dim[open] = 1;
        lower_error(L, ERR_RESHAPE, v->loc, "reshape: %s elements do not fill %s%s",
                    size_text(g, total, ""), shape_text(g, *s),
                    text_if(open >= 0, " with a whole number in place of -1"));
        return false;
    }
    return true;
}

Value *b_reshape(Lower *L, Loc loc, Value **arg)
{
    Shape s;
    Node *x = want_node(L, arg[0], "what is reshaped");
    if (!x || !reshape_sizes(L, arg[1], x, &s))
        return value_error(L, loc);
    return value_node(L, loc, graph_reshape(L->g, x, s));
}

Value *b_permute(Lower *L, Loc loc, Value **arg)
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

Value *b_broadcast_to(Lower *L, Loc loc, Value **arg)
{
    Graph *g = L->g;
    Shape s, fit;
    Node *x = want_node(L, arg[0], "what is copied");
    if (!x || !want_shape(L, arg[1], "a shape", &s))
        return value_error(L, loc);
    if (!shape_broadcast(x->shape, s, &fit) || !shape_equal(fit, s)) {
        lower_error(L, ERR_SHAPES, loc, "broadcast_to: %s does not fit %s", shape_text(g, x->shape),
                    shape_text(g, s));
        return value_error(L, loc);
    }
    return value_node(L, loc, graph_broadcast(g, x, s));
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

Value *b_concat(Lower *L, Loc loc, Value **arg)
{
    Graph *g = L->g;
    const Value *list = arg[0];
    bool axis_given = arg[1]->kind != V_ABSENT;
    int axis = 0;
    if (list->kind != V_LIST || list->count == 0) {
        lower_error(L, ERR_NOT_A_LIST, arg[0]->loc,
                    "concat takes a list of tensors, as in concat([a, b])");
        return value_error(L, loc);
    }

    Node **x = arena_array(L->ngc, list->count, sizeof *x);
    for (int i = 0; i < list->count; i++) {
        const Value *item = list->item[i];
        x[i] = want_node(L, item, "what is joined");
        if (!x[i])
            return value_error(L, loc);

        /* the rank of the first says which axes there are */
        Shape first = x[0]->shape;
        Shape shape = x[i]->shape;
        if (i == 0 && axis_given && !want_axis(L, arg[1], first.rank, &axis))
            return value_error(L, loc);

        if (!joinable(first, shape, axis)) {
            lower_error(L, ERR_CONCAT, item->loc,
                        "concat: shapes %s and %s differ in another axis than %d",
                        shape_text(g, first), shape_text(g, shape), axis);
            return value_error(L, loc);
        }
    }
    return value_node(L, loc, graph_concat(g, x, list->count, axis));
}

/* The padding before an axis (side 0) or after it (side 1). v is a number for all axes, or a list
 * with an item for each axis: a number for both sides, or a pair [before, after]. As in NumPy, a
 * list of one pair is for all axes. For a vector, two numbers are its pair. If `after` is an
 * argument of its own, pairs are not allowed. false: after a message. */
static bool pad_of(Lower *L, const Value *v, Shape s, int axis, int side, bool pairs, int64_t *n)
{
    /* of this axis */
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

    /* of this side */
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
Value *b_pad(Lower *L, Loc loc, Value **arg)
{
    Graph *g = L->g;
    Size lo[MAX_RANK] = {0}, step[MAX_RANK];
    Node *x = want_node(L, arg[0], "what is padded");
    if (!x)
        return value_error(L, loc);

    bool pairs = arg[2]->kind == V_ABSENT;
    const Value *other = pairs ? arg[1] : arg[2];
    Shape s = x->shape;
    for (int i = 0; i < s.rank; i++) {
        int64_t before, after;
        if (!pad_of(L, arg[1], x->shape, i, 0, pairs, &before))
            return value_error(L, loc);
        if (!pad_of(L, other, x->shape, i, 1, pairs, &after))
            return value_error(L, loc);

        step[i] = 1;
        lo[i] = before;
        s.dim[i] = size_add(g, s.dim[i], before + after);
    }

    /* with zeros */
    Node *y = graph_pad(g, x, lo, step, s);
    if (arg[3]->kind == V_ABSENT || y == x)
        return value_node(L, loc, y);

    /* another value takes the place of the zeros outside */
    Node *value = want_node(L, arg[3], "a value");
    if (value && value->shape.rank != 0) {
        lower_error(L, ERR_SHAPES, arg[3]->loc, "pad: the value must be a scalar");
        value = NULL;
    }
    if (!value)
        return value_error(L, loc);
    if (node_is(value, 0))
        return value_node(L, loc, y);

    /* 1 where x is, 0 outside */
    Node *inside = graph_pad(g, graph_full(g, x->shape, 1), lo, step, s);
    Node *outside = graph_binary(g, OP_eq, inside, graph_const(g, 0));
    return value_node(L, loc, graph_where(g, outside, value, y));
}

/* One axis of a narrow: `length` elements from `start` on, every step-th. */
typedef struct Part {
    int axis;
    Size start, length, step;
} Part;

/* A start, which may be 0. */
static bool want_start(Lower *L, const Value *v, Size *start)
{
    double x;
    const Node *n = v->kind == V_NODE ? v->node : NULL;

    *start = 0;
    if (n && node_const(n, &x) && x == 0)
        return true;
    if (n && n->op == OP_size && size_least(L->g, n->attr.size) == 0) {
        *start = n->attr.size;
        return true;
    }
    if (n && node_const(n, &x) && x < 0) {
        lower_error(L, ERR_NUMBER_TOO_SMALL, v->loc, "a start must be at least 0, not %.17g", x);
        return false;
    }
    return want_size(L, v, "a start", start);
}

/* Reads the part from arguments after x; false: after a message. */
static bool want_part(Lower *L, Loc loc, Value *const *arg, const Node *x, Part *part)
{
    Graph *g = L->g;
    bool step_given = arg[3]->kind != V_ABSENT;

    *part = (Part){.step = 1};
    if (!want_axis(L, arg[0], x->shape.rank, &part->axis))
        return false;
    if (!want_start(L, arg[1], &part->start))
        return false;
    if (!want_size(L, arg[2], "a length", &part->length))
        return false;
    if (step_given && !want_size(L, arg[3], "a step", &part->step))
        return false;

    /* the last element is at start + (length - 1)*step */
    Size size = x->shape.dim[part->axis];
    Size steps = size_sub(g, part->length, 1);
    Size last = size_add(g, part->start, size_mul(g, steps, part->step));
    Size after = size_sub(g, size, size_add(g, last, 1));
    if (size_least(g, after) >= 0)
        return true;

    const char *length = size_text(g, part->length, "");
    const char *start = size_text(g, part->start, "");
    const char *are = size_max(g, after) < 0 ? "are" : "may be";
    lower_error(L, ERR_INDEX_RANGE, loc, "%s elements from %s on %s more than the axis of %s has",
                length, start, are, size_text(g, size, ""));
    return false;
}

/* narrow(x, axis, start, length, step): part of one axis; of several, if all are lists. */
Value *b_narrow(Lower *L, Loc loc, Value **arg)
{
    Size lo[MAX_RANK] = {0}, step[MAX_RANK];
    int count = 1;
    if (arg[1]->kind == V_LIST)
        count = arg[1]->count;
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
            /* a number is for all axes */
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

Value *b_full(Lower *L, Loc loc, Value **arg)
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
Value *b_constant(Lower *L, Loc loc, Value **arg)
{
    Graph *g = L->g;
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
        return value_node(L, loc, graph_cast(g, graph_const(g, *v), x->type));
    return value_node(L, loc, graph_data(g, x->shape, x->type, v));
}

Value *b_arange(Lower *L, Loc loc, Value **arg)
{
    Shape s = {.rank = 1};
    if (!want_size(L, arg[0], "a length", &s.dim[0]))
        return value_error(L, loc);
    return value_node(L, loc, graph_iota(L->g, s, 0));
}

/* eye(n), or eye of a shape of two axes, as initializers are called. */
Value *b_eye(Lower *L, Loc loc, Value **arg)
{
    Graph *g = L->g;
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
                    shape_text(g, s));
        good = false;
    }

    if (!good)
        return value_error(L, loc);

    /* 1 where row == column */
    Node *column = graph_iota(g, s, 1);
    Node *row = graph_iota(g, s, 0);
    return value_node(L, loc, graph_binary(g, OP_eq, row, column));
}

/* "t[m]": the input that the labels are views of, as it is declared, or is to be (rows, if not
 * NULL); otherwise their own text. */
const char *labels_text(Lower *L, const Value *v, const Node *n, const Shape *rows)
{
    bool as_wanted = n->op == OP_var && rows;
    while (node_has(n, F_VIEW))
        n = n->arg[0];
    if (n->op != OP_var)
        return value_text(L, v);

    const char *name = n->attr.var->name;
    Shape shape = as_wanted ? *rows : n->shape;
    if (shape.rank == 0)
        return name;
    return text_format(L->ngc, "%s%s", name, shape_text(L->g, shape));
}

/* one_hot(i, n)[.., k] = 1 where k == i[..]; labels are checked at run time. */
Value *b_one_hot(Lower *L, Loc loc, Value **arg)
{
    Graph *g = L->g;
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
    /* each label beside all classes 0 .. n - 1 */
    Node *label = graph_expand(g, i, s, 1u << (s.rank - 1));
    return value_node(L, loc, graph_binary(g, OP_eq, label, graph_iota(g, s, s.rank - 1)));
}

static Value *scatter_error(Lower *L, Loc loc, const Node *x, const Node *i)
{
    lower_error(L, ERR_SHAPES, loc, "scatter_add: rows of shape %s do not fit indices of shape %s",
                shape_text(L->g, x->shape), shape_text(L->g, i->shape));
    return value_error(L, loc);
}

/* scatter_add(x, i, rows): each row x[k] is added to row i[k] of the result. */
Value *b_scatter_add(Lower *L, Loc loc, Value **arg)
{
    Size rows;
    Node *x = want_node(L, arg[0], "rows");
    Node *i = want_index(L, arg[1], "an index");
    if (!x || !i || !want_size(L, arg[2], "a number of rows", &rows))
        return value_error(L, loc);

    /* x [index.., columns..] -> [rows, columns..] */
    int indices = i->shape.rank;
    Shape s = {.rank = x->shape.rank - indices + 1, .dim = {rows}};
    Shape lead = x->shape;
    lead.rank = indices;
    if (s.rank < 1 || !shape_equal(lead, i->shape))
        return scatter_error(L, loc, x, i);

    i = index_limit(L, loc, i, rows);
    if (!i)
        return value_error(L, loc);

    for (int k = 1; k < s.rank; k++)
        s.dim[k] = x->shape.dim[indices + k - 1];
    return value_node(L, loc, graph_scatter(L->g, x, i, s, 0));
}

/* An index in [0, rows). Parts of one input may be for axes of different sizes, so that a part is
 * checked by itself. */
static Node *place_limit(Lower *L, Loc loc, Node *i, Size rows)
{
    const Node *n = i;
    bool part = false;

    while (node_has(n, F_VIEW) && n->nargs == 1) {
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
    Graph *g = L->g;
    Shape shape = {0};
    int count = list->kind == V_LIST ? list->count : 0;
    Node **index = arena_array(L->ngc, count + 1, sizeof *index);

    if (count == 0 || axis + count > s.rank) {
        lower_error(L, ERR_TOO_MANY_INDICES, loc, "%d indices for shape %s", count,
                    shape_text(g, s));
        return NULL;
    }

    /* ints within the axes */
    for (int i = 0; i < count; i++) {
        index[i] = want_index(L, list->item[i], "an index");
        if (!index[i])
            return NULL;
        index[i] = place_limit(L, loc, index[i], s.dim[axis + i]);
        if (!index[i])
            return NULL;
        if (!shape_broadcast(shape, index[i]->shape, &shape)) {
            lower_error(L, ERR_SHAPES, loc, "the indices have shapes %s and %s",
                        shape_text(g, shape), shape_text(g, index[i]->shape));
            return NULL;
        }
    }

    if (s.rank - count + shape.rank > MAX_RANK) {
        lower_error(L, ERR_TOO_MANY_AXES, loc, "at most %d axes are allowed", MAX_RANK);
        return NULL;
    }

    for (int i = 0; i < count; i++)
        index[i] = graph_broadcast(g, index[i], shape);
    return index;
}

/* _order(x, k): where the k largest along the last axis are, the largest first. */
Value *b_order(Lower *L, Loc loc, Value **arg)
{
    Graph *g = L->g;
    Size k;
    Node *x = want_node(L, arg[0], "what is sorted");
    if (!x || !want_size(L, arg[1], "how many are wanted", &k))
        return value_error(L, loc);
    if (x->shape.rank == 0) {
        lower_error(L, ERR_AXIS_RANGE, arg[0]->loc, "a scalar has no axis to sort");
        return value_error(L, loc);
    }

    /* n - k, which must not be below 0 for any sizes */
    Size n = x->shape.dim[x->shape.rank - 1];
    Size left = size_sub(g, n, k);
    if (left < 0 && (size_least(g, left) < 0 || size_max(g, left) < 0)) {
        lower_error(L, ERR_INDEX_RANGE, loc, "the %s largest are wanted of %s", size_text(g, k, ""),
                    size_text(g, n, ""));
        return value_error(L, loc);
    }
    return value_node(L, loc, graph_order_of(g, x, k));
}

/* _checked(i, n): an index i, checked to be in [0, n). */
Value *b_checked(Lower *L, Loc loc, Value **arg)
{
    Size n;
    Node *i = want_index(L, arg[0], "an index");
    if (!i || !want_size(L, arg[1], "a size", &n))
        return value_error(L, loc);
    return value_node(L, loc, place_limit(L, loc, i, n));
}

/* _gather(x, [i, j, ..]): x[i, j, ..], where the number of indices may vary. */
Value *b_gather(Lower *L, Loc loc, Value **arg)
{
    Node *x = want_node(L, arg[0], "what is indexed");
    Node **index = NULL;
    if (x)
        index = want_places_of(L, loc, arg[1], x->shape, 0);
    if (!index)
        return value_error(L, loc);
    return value_node(L, loc, graph_gather_at(L->g, x, index, arg[1]->count, 0));
}

/* _scatter(u, [i, j, ..], shape): zeros of that shape, to which u is added at [i, j, ..]. */
Value *b_scatter(Lower *L, Loc loc, Value **arg)
{
    Graph *g = L->g;
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
                    shape_text(g, u->shape), shape_text(g, wanted));
        return value_error(L, loc);
    }
    u = graph_broadcast(g, u, wanted);
    return value_node(L, loc, graph_scatter_at(g, u, index, count, s, 0));
}

/* Refuses bounds that are infinite or exchanged, and deviations below 0. */
static bool random_fits(Lower *L, Loc loc, Random kind, double a, double b)
{
    if (!isfinite(a) || !isfinite(b))
        lower_error(L, ERR_LIBRARY_ARGUMENTS, loc, "random numbers need finite bounds");
    else if (kind == RANDOM_UNIFORM && a > b)
        lower_error(L, ERR_LIBRARY_ARGUMENTS, loc, "the lower bound %g is above the upper one, %g",
                    a, b);
    else if (kind != RANDOM_UNIFORM && b < 0)
        lower_error(L, ERR_LIBRARY_ARGUMENTS, loc, "a standard deviation must not be negative");
    else
        return true;
    return false;
}

/* Random numbers are for initializers: each draw has a stream of its own, so that one model always
 * starts the same. */
static Value *random_value(Lower *L, Loc loc, Value **arg, Random kind, double a, double b)
{
    Shape s;
    bool a_given = arg[1]->kind != V_ABSENT;
    bool b_given = arg[2]->kind != V_ABSENT;
    if (!want_shape(L, arg[0], "a shape", &s))
        return value_error(L, loc);
    if (a_given && !want_number(L, arg[1], "a parameter", &a))
        return value_error(L, loc);
    if (b_given && !want_number(L, arg[2], "a parameter", &b))
        return value_error(L, loc);
    if (!random_fits(L, loc, kind, a, b))
        return value_error(L, loc);
    return value_node(L, loc, graph_random(L->g, s, kind, a, b, L->m->vars));
}

/* noise(shape): uniform numbers in the graph, new at each step; streams start above those of
 * initializers. */
Value *b_noise(Lower *L, Loc loc, Value **arg)
{
    Shape s;
    if (!want_shape(L, arg[0], "a shape", &s))
        return value_error(L, loc);
    if (!L->draws) {
        Node *zero = graph_int(L->g, 0);
        Loc at = lower_site(L, loc);
        L->draws = lower_var(L, VAR_STATE, "draws", at, (Shape){0}, T_INT, zero);
        L->draws->fresh = true;
        L->draws->draws = true;
    }
    int stream = 0x10000000 + L->streams++;
    return value_node(L, loc, graph_noise(L->g, s, L->draws->node, stream, L->pass_streams));
}

Value *b_uniform(Lower *L, Loc loc, Value **arg)
{
    return random_value(L, loc, arg, RANDOM_UNIFORM, 0, 1);
}

Value *b_normal(Lower *L, Loc loc, Value **arg)
{
    return random_value(L, loc, arg, RANDOM_NORMAL, 0, 1);
}

Value *b_truncated(Lower *L, Loc loc, Value **arg)
{
    return random_value(L, loc, arg, RANDOM_TRUNCATED, 0, 1);
}

/* orthogonal(shape, gain): a matrix with a row for each element of the first axis. */
Value *b_orthogonal(Lower *L, Loc loc, Value **arg)
{
    Graph *g = L->g;
    Shape s;
    double gain = 1;
    int64_t rows;

    bool gain_given = arg[1]->kind != V_ABSENT;
    if (!want_shape(L, arg[0], "a shape", &s))
        return value_error(L, loc);
    if (gain_given && !want_number(L, arg[1], "the gain", &gain))
        return value_error(L, loc);
    if (s.rank < 2 || !size_number(g, s.dim[0], &rows)) {
        lower_error(L, ERR_AXIS_COUNT, arg[0]->loc,
                    "orthogonal: a shape of two axes or more is needed, not %s", shape_text(g, s));
        return value_error(L, loc);
    }
    return value_node(L, loc,
                      graph_random(g, s, RANDOM_ORTHOGONAL, gain, (double)rows, L->m->vars));
}
