/* node_shape.c - operators that move elements: shapes, places, copies. */
#include "onnx/onnx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- shapes ---- */

/* Joins the axes before `axis`, and those from it on. */
static Operand flat(Import *im, Operand x, int64_t axis)
{
    Shape s = operand_node(x)->shape;
    Size dim[2] = {1, 1};
    for (int i = 0; i < s.rank; i++)
        dim[i >= axis] = size_mul(im->g, dim[i >= axis], s.dim[i]);
    if (s.rank == 2 && axis == 1)
        return x;

    /* means over all places of a channel leave nothing to join */
    const Line *l = x.line;
    bool means = l->args == 1 && same_text(l->form, "mean($00, [2, 3], keepdims = 1)");
    if (means && axis == 1)
        return emit(im, BIND_ATOM, "mean($00, [2, 3])", 1, l->arg[0]);
    if (axis == 1 && s.rank > 2)
        return emit(im, BIND_ATOM, "flatten($00)", 1, x);
    const char *form = text_format(im->ngc, "reshape($00, %s)", sizes_text(im, dim, 2));
    return emit(im, BIND_ATOM, form, 1, x);
}

static void take_flatten(Import *im)
{
    int rank = input_rank(im, 0);
    int64_t axis = attribute_int(im, "axis", 1);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    if (axis < 0)
        axis += rank;
    if (axis < 0 || axis > rank) {
        problem(im, "axis %lld of %d", (long long)axis, rank);
        return;
    }
    result(im, 0, flat(im, x, axis));
}

/* The sizes that a list asks for; -1 stays. */
static int wanted_sizes(Import *im, const Known *list, Shape s, Size *dim, int *open)
{
    Graph *g = im->g;
    *open = -1;
    if (list->rank > 1 || list->count > MAX_RANK) {
        problem(im, "the shape is not a list of at most %d sizes", MAX_RANK);
        return -1;
    }
    for (int i = 0; i < (int)list->count; i++) {
        int64_t n;
        bool number = size_number(g, known_size(g, list, i), &n);
        dim[i] = known_size(g, list, i);
        if (number && n == 0 && i < s.rank && !attribute_int(im, "allowzero", 0))
            dim[i] = s.dim[i];
        if (number && n == -1)
            *open = i;
    }
    return (int)list->count;
}

static void take_reshape(Import *im)
{
    Shape s;
    Size dim[MAX_RANK];
    int open;
    const Known *list = want_known(im, 1, "the shape");
    if (!list || !input_shape(im, 0, &s))
        return;
    Operand x = operand(im, 0);
    int rank = wanted_sizes(im, list, s, dim, &open);
    if (im->failed)
        return;

    bool rows = rank == 2 && s.rank > 2 && (dim[0] == s.dim[0] || open == 0);
    if (rows) {
        Size others = 1;
        for (int i = 1; i < s.rank; i++)
            others = size_mul(im->g, others, s.dim[i]);
        rows = (open == 1 && dim[0] == s.dim[0]) || dim[1] == others;
    }
    if (rows) {
        result(im, 0, flat(im, x, 1));
        return;
    }
    if (rank == s.rank && open < 0 && memcmp(dim, s.dim, (size_t)rank * sizeof *dim) == 0) {
        result(im, 0, x);
        return;
    }
    const char *form = text_format(im->ngc, "reshape($00, %s)", sizes_text(im, dim, rank));
    result_emit(im, BIND_ATOM, form, 1, x);
}

/* "$60[:, new, 2:4]": an index of these parts. NULL is a whole axis. */
const char *index_form(Import *im, const char *const *part, int count)
{
    Text t = {.ngc = im->ngc};
    text_add(&t, "$60[");
    for (int i = 0; i < count; i++)
        text_add(&t, "%s%s", comma_before(i), text_or(part[i], ":"));
    text_add(&t, "]");
    return t.at;
}

/* The axes that are new if x is an index that has inserted some, and is read only here: x becomes
 * what that index is of. */
static unsigned join_axes(Import *im, unsigned set, int rank, Operand *x)
{
    const Line *l = x->line;
    if (!l->new_axes || uses_of(im, im->at->input[0]) != 1)
        return set;
    unsigned all = set;
    for (int i = 0, from = 0; i < rank; i++)
        if (!(set >> i & 1))
            all |= (l->new_axes >> from++ & 1) << i;
    *x = l->arg[0];
    return all;
}

/* An index that inserts this set of axes: "$60[:, new]". A number has no index. */
static const char *new_axes_form(Import *im, unsigned set, int count, Operand x)
{
    static const Size ones[MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
    const char *part[MAX_RANK] = {0};
    int rank = operand_node(x)->shape.rank;
    int last = 0;
    for (int i = 0; i < MAX_RANK; i++)
        if (set >> i & 1) {
            part[i] = "new";
            last = i;
        }
    if (rank == 0)
        return text_format(im->ngc, "reshape($00, %s)", sizes_text(im, ones, count));
    if (count == 1 && last == rank && rank > 1)
        return "$60[..., new]";
    return index_form(im, part, last + 1);
}

static void take_unsqueeze(Import *im)
{
    const Pb__Node *n = im->at;
    int64_t axis[MAX_RANK];
    int rank = input_rank(im, 0);
    int given = attribute_ints(im, "axes", axis, MAX_RANK);
    if (rank >= 0 && has_input(n, 1)) {
        const Known *k = want_known(im, 1, "the list of axes");
        if (k)
            given = (int)k->count;
        else
            given = -1;
    }
    if (im->failed)
        return;
    if (given < 0 || rank + given > MAX_RANK) {
        problem(im, "the axes are not given, or there are too many");
        return;
    }
    int count = axes_of(im, "axes", has_input(n, 1) ? 1 : -1, axis, rank + given);
    Operand x = operand(im, 0);
    if (im->failed)
        return;

    unsigned set = 0;
    for (int i = 0; i < count; i++)
        set |= 1u << axis[i];
    set = join_axes(im, set, rank + count, &x);
    count = rank + count - operand_node(x)->shape.rank;
    Operand y = emit(im, BIND_ATOM, new_axes_form(im, set, count, x), 1, x);
    if (y.line)
        y.line->new_axes = set;
    result(im, 0, y);
}

static void take_squeeze(Import *im)
{
    const Pb__Node *n = im->at;
    int64_t axis[MAX_RANK];
    Shape s;
    if (!input_shape(im, 0, &s))
        return;
    int count = axes_of(im, "axes", has_input(n, 1) ? 1 : -1, axis, s.rank);
    unsigned set = 0;
    for (int i = 0; i < count; i++)
        set |= 1u << axis[i];
    for (int i = 0; count == -1 && i < s.rank; i++)
        set |= (unsigned)size_is_one(s.dim[i]) << i;
    Operand x = operand(im, 0);
    if (im->failed)
        return;

    const char *part[MAX_RANK] = {0};
    int axes = 0, last = 0;
    for (int i = 0; i < s.rank; i++)
        if (set >> i & 1) {
            if (!size_is_one(s.dim[i])) {
                problem(im, "axis %d has the size %s, not 1", i, size_text(im->g, s.dim[i], ""));
                return;
            }
            part[i] = "0";
            axes++;
            last = i;
        }
    const char *form = index_form(im, part, last + 1);
    if (axes == 1)
        form = text_format(im->ngc, "squeeze($00, %d)", last == s.rank - 1 ? -1 : last);
    result(im, 0, axes ? emit(im, BIND_ATOM, form, 1, x) : x);
}

static void take_expand(Import *im)
{
    Graph *g = im->g;
    Shape s, to = {0};
    const Known *list = want_known(im, 1, "the shape");
    if (!list || !input_shape(im, 0, &s) || list->count > MAX_RANK)
        return;
    to.rank = (int)list->count;
    for (int i = 0; i < to.rank; i++)
        to.dim[i] = known_size(g, list, i);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    if (!shape_broadcast(s, to, &to)) {
        problem(im, "%s cannot be expanded to %s", shape_text(g, s), shape_text(g, to));
        return;
    }
    if (!shape_equal(s, to))
        x = emit_of(im, x, BIND_ATOM, "broadcast_to($00, %s)", shape_text(g, to));
    result(im, 0, x);
}

static void take_transpose(Import *im)
{
    int64_t perm[MAX_RANK];
    int rank = input_rank(im, 0);
    int given = attribute_ints(im, "perm", perm, MAX_RANK);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    if (given >= 0 && given != rank) {
        problem(im, "attribute 'perm': %d axes of %d", given, rank);
        return;
    }
    bool same = true;
    bool last = rank >= 2;
    for (int i = 0; i < rank; i++) {
        if (given < 0)
            perm[i] = rank - 1 - i;
        same &= perm[i] == i;
        int64_t swapped = i;
        if (i >= rank - 2)
            swapped = 2 * rank - 3 - i;
        last &= perm[i] == swapped;
    }
    if (last)
        x = emit(im, BIND_ATOM, "$60'", 1, x);
    else if (!same)
        x = permuted(im, x, perm, rank);
    result(im, 0, x);
}

/* ---- parts ---- */

/* One line for several parts. */
static Operand concat_parts(Import *im, const Operand *part, int count, const char *where)
{
    if (count == 1)
        return part[0];
    Text t = {.ngc = im->ngc};
    text_add(&t, "concat([");
    for (int k = 0; k < count; k++)
        text_add(&t, "%s$0%d", comma_before(k), k);
    text_add(&t, "]%s)", where);
    return emit_line(im, line_new(im, BIND_ATOM, t.at, count, part));
}

static void take_concat(Import *im)
{
    const Pb__Node *n = im->at;
    enum { MOST = 10 };
    Operand part[MOST];
    int count = 0;
    int64_t axis = attribute_int(im, "axis", 1);
    int rank = input_rank(im, 0);
    if (rank < 0)
        return;
    axis = axis_of(im, axis, rank);
    if (axis < 0)
        return;

    const char *where = "";
    if (axis > 0 && axis == rank - 1)
        where = ", -1";
    else if (axis > 0)
        where = text_format(im->ngc, ", %lld", (long long)axis);

    for (int i = 0; i < (int)n->n_input && !im->failed; i++) {
        if (!has_input(n, i) || is_empty(input_known(im, i)))
            continue;
        if (count == MOST) { /* more than a line has operands */
            part[0] = concat_parts(im, part, count, where);
            count = 1;
        }
        part[count++] = operand(im, i);
    }
    if (!im->failed)
        result(im, 0, concat_parts(im, part, count, where));
}

/* "$60[:, 2:4]": these elements of one axis. */
const char *range_form(Import *im, int64_t axis, const char *range)
{
    const char *part[MAX_RANK] = {0};
    part[axis] = range;
    return index_form(im, part, (int)axis + 1);
}

enum { MOST_PARTS = 64 };

/* The lengths of the parts of an axis of this size: those that are given, or as even as can be. The
 * sum of them, or -1 with a problem. */
static int64_t split_lengths(Import *im, int count, Size axis, int64_t *length)
{
    int64_t size;
    int64_t all = 0;
    int64_t given = attribute_ints(im, "split", length, MOST_PARTS);
    const Known *list = given_known(im, 1, "the lengths");
    if (list && list->count <= MOST_PARTS)
        for (given = 0; given < list->count; given++)
            if (!known_whole(im->g, list, given, &length[given]))
                length[given] = 0;
    if (count < 1 || count > MOST_PARTS || !size_number(im->g, axis, &size) ||
        (given >= 0 && given != count)) {
        problem(im, "the parts do not fit, or are of an axis of run-time size");
        return -1;
    }

    int64_t most = (size + count - 1) / count;
    for (int i = 0; i < count; i++) {
        if (given < 0)
            length[i] = i < count - 1 ? most : size - most * (count - 1);
        if (length[i] < 0 || (all += length[i]) > size) {
            problem(im, "the parts are larger than the axis");
            return -1;
        }
    }
    return all;
}

/* All parts of x at once: they have the same length. */
static void split_even(Import *im, Operand x, int64_t axis, int count)
{
    const char *form = axis == 0 ? "split($00, %d)" : "split($00, %d, %lld)";
    long long last = operand_node(x)->shape.rank - 1;
    long long where = axis == last ? -1 : axis;
    Line *l = line_new(im, BIND_ATOM, text_format(im->ngc, form, count, where), 1, &x);
    l->parts = count;
    Operand parts = emit_line(im, l);
    for (int i = 0; i < count && parts.line; i++)
        result(im, i, (Operand){parts.line, i});
}

static void take_split(Import *im)
{
    const Pb__Node *n = im->at;
    int64_t length[MOST_PARTS], at = 0;
    int count = (int)n->n_output;
    Shape s;
    if (!input_shape(im, 0, &s))
        return;
    int64_t axis = axis_attribute(im, 0, s.rank);
    bool nothing = is_empty(input_known(im, 0));
    bool even = true;
    Operand x;
    if (nothing)
        x = (Operand){0};
    else
        x = operand(im, 0);
    int64_t all = -1;
    if (!im->failed)
        all = split_lengths(im, count, s.dim[axis], length);
    if (im->failed || all < 0)
        return;

    for (int i = 0; i < count; i++) {
        Shape part = s;
        part.dim[axis] = length[i];
        if (nothing || length[i] == 0)
            result_empty(im, i, input_element(im, 0), &part);
        even &= length[i] > 0 && length[i] == length[0];
    }
    if (nothing || im->failed)
        return;
    if (even && count > 1 && s.dim[axis] == all) {
        split_even(im, x, axis, count);
        return;
    }
    for (int i = 0; i < count; at += length[i++]) {
        const char *range =
            text_format(im->ngc, "%lld:%lld", (long long)at, (long long)(at + length[i]));
        if (wants_output(n, i) && length[i] > 0)
            result(im, i, emit(im, BIND_ATOM, range_form(im, axis, range), 1, x));
    }
}

/* One bound of a slice as text; "" where it is the end of the axis. */
static const char *bound_text(Import *im, Size bound, Size size, bool is_end, int64_t step)
{
    Graph *g = im->g;
    int64_t b, n;
    bool number = size_number(g, bound, &b);
    bool known = size_number(g, size, &n);
    bool up = step > 0;
    if (!number) {
        bool is_whole = bound == size && is_end && up;
        if (is_whole)
            return "";
        return size_text(g, bound, "");
    }

    /* an axis of a run-time size is shorter than these */
    int64_t above = INT32_MAX;
    int64_t below = -INT32_MAX;
    if (known) {
        above = n;
        below = -n;
        if (!up) {
            above--;
            below--;
        }
    }

    bool left_out;
    if (is_end)
        left_out = up ? b >= above : b <= below;
    else if (up)
        left_out = b == 0 || (known && b <= below);
    else
        left_out = b == -1 || b >= above;
    if (left_out)
        return "";
    return text_format(im->ngc, "%lld", (long long)b);
}

/* Operand i as a list, or the attribute of that name in old opsets. */
static const Known *slice_list(Import *im, int i, const char *name)
{
    int64_t v[MAX_RANK];
    if (im->opset >= 10)
        return given_known(im, i, name);
    int64_t n = attribute_ints(im, name, v, MAX_RANK);
    if (n < 0)
        return NULL;
    Known *k = known_new(im->ngc, EL_INT64, 1, &n);
    for (int64_t j = 0; j < n; j++)
        k->number[j] = (double)v[j];
    return k;
}

/* Does a slice of an axis have no elements? */
static bool is_nothing(Import *im, Size from, Size to, Size size, int64_t step)
{
    Graph *g = im->g;
    int64_t a, b, n;
    if (!size_number(g, from, &a) || !size_number(g, to, &b) || !size_number(g, size, &n))
        return false;
    if (a < 0)
        a += n;
    if (b < 0)
        b += n;
    if (step > 0)
        return a >= n || b <= 0 || a >= b;
    return n == 0 || a < 0 || (a < n ? a : n - 1) <= b;
}

/* "$60[..., 2:4]", or an index of each axis up to the last one that has a part. */
static const char *slice_form(Import *im, const char *const *part, int last, int rank)
{
    bool alone = last == rank - 1 && rank > 2;
    for (int i = 0; i < last; i++)
        alone &= !part[i];
    if (alone)
        return text_format(im->ngc, "$60[..., %s]", part[last]);
    return index_form(im, part, last + 1);
}

typedef struct Slice { /* the lists that say what it takes, of the same length */
    const Known *starts, *ends;
    const Known *axes, *steps; /* or NULL: the first axes, and steps of 1 */
} Slice;

static bool slice_lists(Import *im, int rank, Slice *l)
{
    l->starts = slice_list(im, 1, "starts");
    l->ends = slice_list(im, 2, "ends");
    l->axes = slice_list(im, 3, "axes");
    l->steps = slice_list(im, 4, "steps");
    if (im->failed)
        return false;
    int64_t count = l->starts ? l->starts->count : -1;
    if (!l->starts || !l->ends || l->ends->count != count || count > rank ||
        (l->axes && l->axes->count != count) || (l->steps && l->steps->count != count))
        problem(im, "its starts, ends, axes and steps do not fit");
    return !im->failed;
}

/* The axis that place i of the lists is for, and its step; -1 with a problem. */
static int64_t slice_axis(Import *im, const Slice *l, int i, int rank, int64_t *step)
{
    int64_t axis = i;
    *step = 1;
    if (l->axes && !known_whole(im->g, l->axes, i, &axis))
        axis = INT32_MAX;
    if (l->steps && !known_whole(im->g, l->steps, i, step))
        *step = 0;
    if (*step == 0)
        problem(im, "a step of 0");
    if (im->failed)
        return -1;
    return axis_of(im, axis, rank);
}

static void take_slice(Import *im)
{
    Shape s;
    Slice l;
    const char *part[MAX_RANK] = {0};
    if (!input_shape(im, 0, &s))
        return;
    Shape part_shape = s;
    bool nothing = false;
    Operand x = operand(im, 0);
    if (im->failed || !slice_lists(im, s.rank, &l))
        return;
    if (x.line->kind ==
        LINE_LITERAL) /* a list has no run-time bounds, and no elements of type int */
        x = declare(im, input_known(im, 0), NULL);

    int last = -1;
    for (int i = 0; i < (int)l.starts->count; i++) {
        int64_t step;
        int64_t axis = slice_axis(im, &l, i, s.rank, &step);
        if (axis < 0)
            return;
        Size from = known_size(im->g, l.starts, i);
        Size to = known_size(im->g, l.ends, i);
        if (is_nothing(im, from, to, s.dim[axis], step)) {
            part_shape.dim[axis] = 0;
            nothing = true;
            continue;
        }
        const char *first = bound_text(im, from, s.dim[axis], false, step);
        const char *end = bound_text(im, to, s.dim[axis], true, step);
        if (!*first && !*end && step == 1)
            continue;
        part[axis] =
            text_format(im->ngc, step == 1 ? "%s:%s" : "%s:%s:%lld", first, end, (long long)step);
        if (axis > last)
            last = (int)axis;
    }
    if (nothing && last >= 0)
        problem(im, "a slice without elements that cuts another axis too is not supported");
    else if (nothing)
        result_empty(im, 0, input_element(im, 0), &part_shape);
    else
        result(im, 0, last < 0 ? x : emit(im, BIND_ATOM, slice_form(im, part, last, s.rank), 1, x));
}

/* A table of weights that is read by ints. */
static bool take_embedding(Import *im)
{
    const Meaning *m = input_of(im, 0);
    const Meaning *index = input_of(im, 1);
    if (im->failed || !m->known || !m->known->name || m->known->rank != 2 || index->known ||
        attribute_int(im, "axis", 0) != 0 || element_is_int(m->known->element))
        return false;
    if (is_shared(m->known))
        return false;
    Operand i = index->operand;
    if (operand_node(i)->type != T_INT)
        i = emit(im, BIND_ATOM, "as_int($00)", 1, i);
    Line *l = line_new(im, BIND_ATOM,
                       text_format(im->ngc, "embedding($00, %lld, %lld)",
                                   (long long)m->known->dim[0], (long long)m->known->dim[1]),
                       1, &i);
    l->label = layer_label(im, m->known, NULL);
    line_weight(im, l, m->known, NULL);
    result(im, 0, emit_line(im, l));
    return true;
}

/* Are these the numbers first, first + 1, ...? */
static bool is_row(Import *im, const Known *index, int64_t *first)
{
    int64_t at;
    if (!known_whole(im->g, index, 0, first) || *first < 0)
        return false;
    for (int64_t i = 1; i < index->count; i++)
        if (!known_whole(im->g, index, i, &at) || at != *first + i)
            return false;
    return true;
}

/* Known places in axes of these sizes, the last axis of which has one for each of them if there are
 * several: negative ones count from the end. */
static Known *known_places(Import *im, Known *k, const Size *size, int sizes)
{
    bool below = false;
    Known *y = known_new(im->ngc, EL_INT64, k->rank, k->dim);
    for (int64_t i = 0; i < k->count; i++) {
        int64_t n, at;
        if (!known_whole(im->g, k, i, &at))
            return k;
        below |= at < 0;
        y->number[i] = (double)at;
        if (at < 0 && size_number(im->g, size[i % sizes], &n))
            y->number[i] = (double)(at + n);
    }
    return below ? y : k;
}

/* Operand i says where to read or write in axes of these sizes, as above. If it is computed,
 * arithmetic with numbers has made a float of it, and it may be negative. */
static Operand places(Import *im, int i, const Size *size, int sizes)
{
    Known *k = input_known(im, i);
    if (k && !im->failed) {
        Known *y = known_places(im, k, size, sizes);
        if (y == k)
            return operand(im, i);
        return operand_of_known(im, y);
    }
    Operand o = operand(im, i);
    if (im->failed || !o.line)
        return o;
    if (operand_node(o)->type != T_INT)
        o = emit(im, BIND_ATOM, "as_int($00)", 1, o);
    const Known *table = input_known(im, 0); /* the rows of a weight are counted from the first */
    if (im->failed || operand_node(o)->range.lo >= 0 || (table && is_param(im, table)))
        return o;
    const char *n;
    if (sizes == 1)
        n = size_text(im->g, size[0], "");
    else
        n = sizes_text(im, size, sizes);
    return emit_of(im, o, BIND_ATOM, "from_end($00, %s)", n);
}

/* How many of the first axes the rows of operand i are places in; 0 with a problem. */
static int place_axes(Import *im, int i, int64_t batch, Size *size)
{
    Shape x, at;
    int64_t n = 0;
    if (!input_shape(im, 0, &x) || !input_shape(im, i, &at))
        return 0;
    bool good = at.rank > 0 && size_number(im->g, at.dim[at.rank - 1], &n) && n >= 1 &&
                batch >= 0 && batch < x.rank && n <= x.rank - batch;
    for (int64_t a = 0; good && a < n; a++)
        size[a] = x.dim[batch + a];
    if (!good)
        problem(im, "its indices do not fit the axes of what they are for");
    if (!good)
        return 0;
    return (int)n;
}

/* Elements `range` of this axis. */
static Operand ranged(Import *im, Operand x, int64_t axis, const char *range)
{
    return emit(im, BIND_ATOM, range_form(im, axis, range), 1, x);
}

/* The `count` elements from `first` on; x itself, if these are all. */
static Operand run_of_axis(Import *im, Operand x, int64_t axis, int64_t first, int64_t count)
{
    if (first == 0 && operand_node(x)->shape.dim[axis] == count)
        return x;
    long long from = first;
    long long to = first + count;
    return ranged(im, x, axis, text_format(im->ngc, "%lld:%lld", from, to));
}

/* Is it a list, or for the first axis a list in a row? */
static bool is_index_list(const Known *index, int64_t axis)
{
    if (index->rank == 2)
        return index->dim[0] == 1 && axis == 0;
    return index->rank == 1;
}

static void take_gather(Import *im)
{
    int rank = input_rank(im, 0);
    if (rank < 0)
        return;
    int64_t axis = axis_attribute(im, 0, rank);
    if (axis < 0 || take_embedding(im) || im->failed)
        return;

    /* one known place */
    Operand x = operand(im, 0);
    const Known *index = input_known(im, 1);
    int64_t at;
    if (index && index->rank == 0 && known_whole(im->g, index, 0, &at) && !im->failed) {
        result(im, 0, ranged(im, x, axis, text_format(im->ngc, "%lld", (long long)at)));
        return;
    }

    /* places in a row */
    int64_t first;
    bool list = index && index->count > 1 && is_index_list(index, axis);
    if (list && is_row(im, index, &first)) {
        int64_t n;
        if (size_number(im->g, operand_node(x)->shape.dim[axis], &n) && first + index->count > n) {
            problem(im, "an index is out of range");
            return;
        }
        x = run_of_axis(im, x, axis, first, index->count);
        if (index->rank == 2)
            x = emit(im, BIND_ATOM, "$60[new]", 1, x);
        result(im, 0, x);
        return;
    }
    if (im->failed)
        return;

    Operand i = places(im, 1, &operand_node(x)->shape.dim[axis], 1);
    result_emit(im, BIND_ATOM, range_form(im, axis, "$01"), 2, x, i);
}

static void take_gather_elements(Import *im)
{
    int rank = input_rank(im, 0);
    Operand x = operand(im, 0);
    int64_t axis = axis_attribute(im, 0, rank);
    if (axis < 0)
        return;
    Operand i = places(im, 1, &operand_node(x)->shape.dim[axis], 1);
    const char *at = "";
    if (axis)
        at = text_format(im->ngc, ", %lld", (long long)axis);
    const char *form = text_format(im->ngc, "gather_elements($00, $01%s)", at);
    result_emit(im, BIND_ATOM, form, 2, x, i);
}

static void take_gather_nd(Import *im)
{
    int64_t batch = attribute_int(im, "batch_dims", 0);
    Size size[MAX_RANK];
    Operand x = operand(im, 0);
    Operand i = {0};
    int sizes = 0;
    if (!im->failed)
        sizes = place_axes(im, 1, batch, size);
    if (sizes)
        i = places(im, 1, size, sizes);
    const char *more = "";
    if (batch)
        more = text_format(im->ngc, ", %lld", (long long)batch);
    result_emit(im, BIND_ATOM, text_format(im->ngc, "gather_nd($00, $01%s)", more), 2, x, i);
}

/* ScatterND, and Scatter and ScatterElements along an axis. */
static void take_scatter(Import *im)
{
    const Pb__Node *n = im->at;
    static const char *const ways[] = {"add", "mul", "max", "min"};
    bool nd = same_text(n->op, "ScatterND");
    const char *reduction = attribute_text(im, "reduction", "none");
    const char *way = NULL;
    int rank = input_rank(im, 0);
    int sizes = 1;
    Size size[MAX_RANK];
    Operand x = operand(im, 0);
    int64_t axis = im->failed || nd ? 0 : axis_attribute(im, 0, rank);
    if (im->failed || axis < 0)
        return;
    if (same_text(reduction, "none"))
        way = "set";
    for (int i = 0; i < 4; i++)
        if (same_text(reduction, ways[i]))
            way = ways[i];
    if (!way) {
        problem(im, "attribute 'reduction': '%s' is not supported", reduction);
        return;
    }
    size[0] = operand_node(x)->shape.dim[axis];
    if (nd && !(sizes = place_axes(im, 1, 0, size)))
        return;
    Operand i = places(im, 1, size, sizes);
    Operand u = operand(im, 2);
    if (im->failed)
        return;
    const char *at = "";
    if (axis)
        at = text_format(im->ngc, ", %lld", (long long)axis);
    const char *form =
        text_format(im->ngc, "scatter_%s_%s($00, $01, $02%s)", nd ? "nd" : "elements", way, at);
    result_emit(im, BIND_ATOM, form, 3, x, i, u);
}

const OnnxOp onnx_shape[] = {
    {"Concat", .take = take_concat, .operands = ANY_NUMBER, .attributes = "axis", .needs = "axis",
     .says = "`concat`"},
    {"Constant", .take = NULL, .form = "",
     .attributes = "value value_float value_floats value_int value_ints", .says = "numbers"},
    {"Expand", .take = take_expand, .operands = 2, .says = "`broadcast_to`"},
    {"Flatten", .take = take_flatten, .attributes = "axis", .says = "`flatten`, `reshape`"},
    {"Gather", .take = take_gather, .operands = 2, .attributes = "axis",
     .says = "an index; of a weight `embedding`"},
    {"GatherElements", .take = take_gather_elements, .operands = 2, .attributes = "axis",
     .says = "`gather_elements`"},
    {"GatherND", .take = take_gather_nd, .operands = 2, .attributes = "batch_dims",
     .says = "`gather_nd`"},
    {"Scatter", .take = take_scatter, .operands = 3, .attributes = "axis",
     .says = "`scatter_elements_set`"},
    {"ScatterElements", .take = take_scatter, .operands = 3, .attributes = "axis reduction",
     .says = "`scatter_elements_set`, `..._add`, `..._mul`, `..._max`, `..._min`"},
    {"ScatterND", .take = take_scatter, .operands = 3, .attributes = "reduction",
     .says = "`scatter_nd_set`, `..._add`, `..._mul`, `..._max`, `..._min`"},
    {"Reshape", .take = take_reshape, .operands = 2, .attributes = "allowzero",
     .says = "`reshape`, `flatten`"},
    {"Shape", .form = "", .typed_by = OWN_TYPE, .attributes = "start end", .says = "sizes"},
    {"Size", .form = "", .typed_by = OWN_TYPE, .says = "a size"},
    {"Slice", .take = take_slice, .operands = 5, .attributes = "starts ends axes",
     .says = "an index"},
    {"Split", .take = take_split, .operands = 2, .attributes = "axis split num_outputs",
     .says = "`split`, or indices"},
    {"Squeeze", .take = take_squeeze, .operands = 2, .attributes = "axes",
     .says = "`squeeze`, or an index"},
    {"Transpose", .take = take_transpose, .attributes = "perm", .says = "`'`, `permute`"},
    {"Unsqueeze", .take = take_unsqueeze, .operands = 2, .attributes = "axes",
     .says = "an index with `new`"},
    {NULL},
};
