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
    bool means = l->args == 1 && strcmp(l->form, "mean($00, [2, 3], keepdims = 1)") == 0;
    if (means && axis == 1)
        return emit(im, BIND_ATOM, "mean($00, [2, 3])", 1, l->arg[0]);
    if (axis == 1 && s.rank > 2)
        return emit(im, BIND_ATOM, "flatten($00)", 1, x);
    const char *form = text_format(im->ngc, "reshape($00, %s)", sizes_text(im, dim, 2));
    return emit(im, BIND_ATOM, form, 1, x);
}

static void take_flatten(Import *im, const Pb__Node *n)
{
    (void)n;
    int rank = input_rank(im, 0);
    int64_t axis = attribute_int(im, "axis", 1);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    axis = axis < 0 ? axis + rank : axis;
    if (axis < 0 || axis > rank) {
        problem(im, "axis %lld of %d", (long long)axis, rank);
        return;
    }
    result(im, 0, flat(im, x, axis));
}

/* The sizes that a list asks for; -1 stays. */
static int wanted_sizes(Import *im, const Known *list, Shape s, Size *dim, int *open)
{
    *open = -1;
    if (list->rank > 1 || list->count > MAX_RANK) {
        problem(im, "the shape is not a list of at most %d sizes", MAX_RANK);
        return -1;
    }
    for (int i = 0; i < (int)list->count; i++) {
        int64_t n;
        bool number = size_number(im->g, known_size(im->g, list, i), &n);
        dim[i] = known_size(im->g, list, i);
        if (number && n == 0 && i < s.rank && !attribute_int(im, "allowzero", 0))
            dim[i] = s.dim[i];
        if (number && n == -1)
            *open = i;
    }
    return (int)list->count;
}

static void take_reshape(Import *im, const Pb__Node *n)
{
    Shape s;
    Size dim[MAX_RANK];
    int open;
    const Known *list = want_known(im, 1, "the shape");
    if (n->n_input == 1) /* opset 1 */
        problem(im, "a shape as an attribute is not supported");
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
    result(im, 0, emit(im, BIND_ATOM, form, 1, x));
}

/* An index that inserts axes: "$60[:, new]". */
static void take_unsqueeze(Import *im, const Pb__Node *n)
{
    int64_t axis[MAX_RANK];
    int rank = input_rank(im, 0);
    int given = attribute_ints(im, "axes", axis, MAX_RANK);
    if (rank >= 0 && has_input(n, 1)) {
        const Known *k = want_known(im, 1, "the list of axes");
        given = k ? (int)k->count : -1;
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
    int last = 0;
    for (int i = 0; i < count; i++) {
        set |= 1u << axis[i];
        last = axis[i] > last ? (int)axis[i] : last;
    }
    Text t = {.ngc = im->ngc};
    bool end = count == 1 && last == rank && rank > 1; /* x[..., new] */
    text_add(&t, "$60[");
    for (int i = 0; i <= last && !end; i++)
        text_add(&t, "%s%s", i ? ", " : "", set >> i & 1 ? "new" : ":");
    text_add(&t, "%s]", end ? "..., new" : "");
    if (rank == 0)
        t = (Text){.ngc = im->ngc}, text_add(&t, "reshape($00, [%s])", count == 1 ? "1" : "1, 1");
    result(im, 0, emit(im, BIND_ATOM, t.at, 1, x));
}

static void take_squeeze(Import *im, const Pb__Node *n)
{
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

    Text t = {.ngc = im->ngc};
    int axes = 0, last = 0;
    for (int i = 0; i < s.rank; i++)
        if (set >> i & 1) {
            axes++;
            last = i;
        }
    if (axes == 1) {
        text_add(&t, "squeeze($00, %d)", last == s.rank - 1 ? -1 : last);
    } else {
        text_add(&t, "$60[");
        for (int i = 0; i <= last; i++)
            text_add(&t, "%s%s", i ? ", " : "", set >> i & 1 ? "0" : ":");
        text_add(&t, "]");
    }
    result(im, 0, axes ? emit(im, BIND_ATOM, t.at, 1, x) : x);
}

static void take_expand(Import *im, const Pb__Node *n)
{
    (void)n;
    Shape s, to = {0};
    const Known *list = want_known(im, 1, "the shape");
    if (!list || !input_shape(im, 0, &s) || list->count > MAX_RANK)
        return;
    to.rank = (int)list->count;
    for (int i = 0; i < to.rank; i++)
        to.dim[i] = known_size(im->g, list, i);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    if (!shape_broadcast(s, to, &to)) {
        problem(im, "%s cannot be expanded to %s", shape_text(im->g, s), shape_text(im->g, to));
        return;
    }
    if (!shape_equal(s, to))
        x = emit(im, BIND_ATOM,
                 text_format(im->ngc, "broadcast_to($00, %s)", shape_text(im->g, to)), 1, x);
    result(im, 0, x);
}

static void take_transpose(Import *im, const Pb__Node *n)
{
    (void)n;
    int64_t perm[MAX_RANK];
    int rank = input_rank(im, 0), given = attribute_ints(im, "perm", perm, MAX_RANK);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    if (given >= 0 && given != rank) {
        problem(im, "attribute 'perm': %d axes of %d", given, rank);
        return;
    }
    bool same = true, last = rank >= 2;
    for (int i = 0; i < rank; i++) {
        perm[i] = given < 0 ? rank - 1 - i : perm[i];
        same &= perm[i] == i;
        int64_t swapped = i < rank - 2 ? i : 2 * rank - 3 - i;
        last &= perm[i] == swapped;
    }
    if (last)
        x = emit(im, BIND_ATOM, "$60'", 1, x);
    else if (!same)
        x = emit(im, BIND_ATOM, text_format(im->ngc, "permute($00, %s)", ints_text(im, perm, rank)),
                 1, x);
    result(im, 0, x);
}

/* ---- parts ---- */

static void take_concat(Import *im, const Pb__Node *n)
{
    enum { MOST = 10 };
    Operand part[MOST], x = {0};
    int count = 0;
    int64_t axis = attribute_int(im, "axis", 1), rank = input_rank(im, 0);
    if (rank < 0 || (axis = axis_of(im, axis, (int)rank)) < 0)
        return;
    const char *where = axis == 0          ? ""
                        : axis == rank - 1 ? ", -1"
                                           : text_format(im->ngc, ", %lld", (long long)axis);
    for (int i = 0; i < (int)n->n_input && !im->failed; i++) {
        if (!has_input(n, i))
            continue;
        if (count == MOST) { /* more than a line has operands */
            Text t = {.ngc = im->ngc};
            text_add(&t, "concat([");
            for (int k = 0; k < count; k++)
                text_add(&t, "%s$0%d", k ? ", " : "", k);
            text_add(&t, "]%s)", where);
            part[0] = emit_line(im, line_new(im, BIND_ATOM, t.at, count, part));
            count = 1;
        }
        part[count++] = operand(im, i);
    }
    if (im->failed)
        return;
    Text t = {.ngc = im->ngc};
    text_add(&t, "concat([");
    for (int k = 0; k < count; k++)
        text_add(&t, "%s$0%d", k ? ", " : "", k);
    text_add(&t, "]%s)", where);
    x = count == 1 ? part[0] : emit_line(im, line_new(im, BIND_ATOM, t.at, count, part));
    result(im, 0, x);
}

/* "$60[:, 2:4]": these elements of one axis. */
static const char *range_form(Import *im, int64_t axis, const char *range)
{
    Text t = {.ngc = im->ngc};
    text_add(&t, "$60[");
    for (int64_t i = 0; i < axis; i++)
        text_add(&t, ":, ");
    text_add(&t, "%s]", range);
    return t.at;
}

static void take_split(Import *im, const Pb__Node *n)
{
    int64_t length[64], rank = input_rank(im, 0), at = 0;
    int count = (int)n->n_output, given = attribute_ints(im, "split", length, 64);
    Shape s;
    if (rank < 0 || !input_shape(im, 0, &s))
        return;
    int64_t axis = axis_of(im, attribute_int(im, "axis", 0), (int)rank), size;
    const Known *list = has_input(n, 1) ? want_known(im, 1, "the lengths") : NULL;
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    if (list && list->count <= 64)
        for (given = 0; given < (int)list->count; given++)
            if (!known_whole(im->g, list, given, &length[given]))
                length[given] = 0;
    if (count > 64 || !size_number(im->g, s.dim[axis], &size) || (given >= 0 && given != count)) {
        problem(im, "the parts do not fit, or are of an axis of run-time size");
        return;
    }
    bool even = true;
    int64_t most = (size + count - 1) / count;
    for (int i = 0; i < count; i++) {
        if (given < 0)
            length[i] = i < count - 1 ? most : size - most * (count - 1);
        even &= length[i] == length[0];
        if (length[i] <= 0 || (at += length[i]) > size) {
            problem(im, "a part is empty, or the parts are larger than the axis");
            return;
        }
    }
    if (even && count > 1 && at == size) {
        const char *form = axis == 0 ? "split($00, %d)" : "split($00, %d, %lld)";
        Line *l =
            line_new(im, BIND_ATOM,
                     text_format(im->ngc, form, count, (long long)(axis == rank - 1 ? -1 : axis)),
                     1, &x);
        l->parts = count;
        Operand parts = emit_line(im, l);
        for (int i = 0; i < count && parts.line; i++)
            result(im, i, (Operand){parts.line, i});
        return;
    }
    at = 0;
    for (int i = 0; i < count; at += length[i++]) {
        const char *range =
            text_format(im->ngc, "%lld:%lld", (long long)at, (long long)(at + length[i]));
        if (wants_output(n, i))
            result(im, i, emit(im, BIND_ATOM, range_form(im, axis, range), 1, x));
    }
}

/* One bound of a slice as text; "" where it is the end of the axis. */
static const char *bound_text(Import *im, Size bound, Size size, bool is_end, int64_t step)
{
    int64_t b, n;
    bool number = size_number(im->g, bound, &b), known = size_number(im->g, size, &n);
    if (!number)
        return bound == size && is_end && step > 0 ? "" : size_text(im->g, bound, "");
    if (step > 0 && !is_end && (b == 0 || (known && b <= -n)))
        return "";
    if (step > 0 && is_end && (known ? b >= n : b >= INT32_MAX))
        return "";
    if (step < 0 && !is_end && (b == -1 || (known ? b >= n - 1 : b >= INT32_MAX)))
        return "";
    if (step < 0 && is_end && (known ? b < -n : b <= -INT32_MAX))
        return "";
    return text_format(im->ngc, "%lld", (long long)b);
}

/* Operand i as a list, or the attribute of that name in old opsets. */
static const Known *slice_list(Import *im, int i, const char *name)
{
    int64_t v[MAX_RANK];
    if (im->opset >= 10)
        return has_input(im->at, i) ? want_known(im, i, name) : NULL;
    int64_t n = attribute_ints(im, name, v, MAX_RANK);
    if (n < 0)
        return NULL;
    Known *k = known_new(im->ngc, EL_INT64, 1, &n);
    for (int64_t j = 0; j < n; j++)
        k->number[j] = (double)v[j];
    return k;
}

static void take_slice(Import *im, const Pb__Node *n)
{
    (void)n;
    Shape s;
    const char *part[MAX_RANK] = {0};
    const Known *starts = slice_list(im, 1, "starts"), *ends = slice_list(im, 2, "ends");
    const Known *axes = slice_list(im, 3, "axes"), *steps = slice_list(im, 4, "steps");
    if (!input_shape(im, 0, &s))
        return;
    Operand x = operand(im, 0);
    if (!im->failed &&
        (!starts || !ends || starts->count != ends->count || starts->count > s.rank ||
         (axes && axes->count != starts->count) || (steps && steps->count != starts->count)))
        problem(im, "its starts, ends, axes and steps do not fit");
    if (im->failed)
        return;

    int last = -1;
    for (int i = 0; i < (int)starts->count; i++) {
        int64_t axis = i, step = 1;
        if (axes && !known_whole(im->g, axes, i, &axis))
            axis = INT32_MAX;
        if (steps && !known_whole(im->g, steps, i, &step))
            step = 0;
        axis = axis_of(im, axis, s.rank);
        if (axis < 0)
            return;
        if (step == 0) {
            problem(im, "a step of 0");
            return;
        }
        Size size = s.dim[axis];
        const char *from = bound_text(im, known_size(im->g, starts, i), size, false, step);
        const char *to = bound_text(im, known_size(im->g, ends, i), size, true, step);
        if (!*from && !*to && step == 1)
            continue;
        part[axis] =
            text_format(im->ngc, step == 1 ? "%s:%s" : "%s:%s:%lld", from, to, (long long)step);
        last = axis > last ? (int)axis : last;
    }
    if (last < 0) {
        result(im, 0, x);
        return;
    }
    Text t = {.ngc = im->ngc};
    bool end = last == s.rank - 1 && s.rank > 2;
    for (int i = 0; i < last; i++)
        end &= !part[i];
    text_add(&t, end ? "$60[..., %s]" : "$60[", part[last]);
    for (int i = 0; i <= last && !end; i++)
        text_add(&t, "%s%s", i ? ", " : "", part[i] ? part[i] : ":");
    if (!end)
        text_add(&t, "]");
    result(im, 0, emit(im, BIND_ATOM, t.at, 1, x));
}

/* A table of weights that is read by ints. */
static bool take_embedding(Import *im)
{
    const Meaning *m = input_of(im, 0), *index = input_of(im, 1);
    if (im->failed || !m->known || !m->known->name || m->known->rank != 2 || index->known ||
        attribute_int(im, "axis", 0) != 0 || element_is_int(m->known->element))
        return false;
    if (is_shared(m->known))
        return false;
    Operand i = index->operand;
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

static void take_gather(Import *im, const Pb__Node *n)
{
    (void)n;
    int rank = input_rank(im, 0);
    if (rank < 0)
        return;
    int64_t axis = axis_of(im, attribute_int(im, "axis", 0), rank), at;
    if (axis < 0 || take_embedding(im) || im->failed)
        return;
    Operand x = operand(im, 0);
    const Known *index = input_known(im, 1);
    if (index && index->rank == 0 && known_whole(im->g, index, 0, &at) && !im->failed) {
        const char *form = range_form(im, axis, text_format(im->ngc, "%lld", (long long)at));
        result(im, 0, emit(im, BIND_ATOM, form, 1, x));
        return;
    }
    int64_t first;
    bool row = index && (index->rank == 1 || (index->rank == 2 && index->dim[0] == 1 && axis == 0));
    if (row && index->count > 1 && is_row(im, index, &first)) {
        const char *range =
            text_format(im->ngc, "%lld:%lld", (long long)first, (long long)(first + index->count));
        bool whole = first == 0 && operand_node(x)->shape.dim[axis] == index->count;
        x = whole ? x : emit(im, BIND_ATOM, range_form(im, axis, range), 1, x);
        result(im, 0, index->rank == 1 ? x : emit(im, BIND_ATOM, "$60[new]", 1, x));
        return;
    }
    Operand i = operand(im, 1);
    if (!im->failed)
        result(im, 0, emit(im, BIND_ATOM, range_form(im, axis, "$01"), 2, x, i));
}

static void take_gather_elements(Import *im, const Pb__Node *n)
{
    (void)n;
    Operand x = operand(im, 0), i = operand(im, 1);
    int64_t axis = attribute_int(im, "axis", 0);
    Shape a, b;
    if (im->failed || !input_shape(im, 0, &a) || !input_shape(im, 1, &b))
        return;
    if ((axis = axis_of(im, axis, a.rank)) < 0)
        return;
    for (int k = 0; k < a.rank; k++)
        if (b.rank != a.rank || (k != axis && a.dim[k] != b.dim[k])) {
            problem(im, "the shapes %s and %s differ in more than the axis", shape_text(im->g, a),
                    shape_text(im->g, b));
            return;
        }
    const char *form = axis == a.rank - 1
                           ? "take_along($00, $01)"
                           : text_format(im->ngc, "take_along($00, $01, %lld)", (long long)axis);
    result(im, 0, emit(im, BIND_ATOM, form, 2, x, i));
}

/* ---- copies, zeros, numbers ---- */

static void take_tile(Import *im, const Pb__Node *n)
{
    (void)n;
    const Known *times = want_known(im, 1, "how often it is repeated");
    Operand x = operand(im, 0);
    int64_t k;
    for (int i = 0; !im->failed && i < (int)times->count && i < MAX_RANK; i++) {
        if (!known_whole(im->g, times, i, &k) || k < 1) {
            problem(im, "how often it is repeated is not a positive number");
            return;
        }
        if (k > 1)
            x = emit(im, BIND_ATOM,
                     text_format(im->ngc, i ? "tile($00, %lld, %d)" : "tile($00, %lld)",
                                 (long long)k, i),
                     1, x);
    }
    result(im, 0, x);
}

/* The numbers of elements before and after each axis. Returns how many there are. */
static int read_pads(Import *im, int rank, Size *pads)
{
    int64_t number[2 * MAX_RANK], axis[MAX_RANK];
    int count = attribute_ints(im, "pads", number, 2 * MAX_RANK);
    for (int i = 0; i < count; i++)
        pads[i] = size_of_number(im->g, number[i]);
    if (im->opset < 11)
        return count;

    const Known *list = want_known(im, 1, "the numbers of elements");
    if (!list || list->count > 2 * MAX_RANK)
        return -1;
    for (count = 0; count < (int)list->count; count++)
        pads[count] = known_size(im->g, list, count);
    if (!has_input(im->at, 3))
        return count;

    Size all[2 * MAX_RANK] = {0};
    int axes = axes_of(im, "axes", 3, axis, rank);
    if (axes < 0 || count != 2 * axes)
        return -1;
    for (int i = 0; i < axes; i++) {
        all[axis[i]] = pads[i];
        all[rank + axis[i]] = pads[axes + i];
    }
    memcpy(pads, all, sizeof all);
    return 2 * rank;
}

/* Elements that negative numbers take away, as an index, and zeros that others add, as a list. */
static void pad_texts(Import *im, int rank, const Size *pads, const char **cut, const char **add)
{
    Text pairs = {.ngc = im->ngc}, index = {.ngc = im->ngc};
    bool adds = false, cuts = false;
    for (int i = 0; i < rank; i++) {
        int64_t n;
        const char *zeros[2], *ends[2] = {"", ""};
        for (int k = 0; k < 2; k++) {
            Size s = pads[i + k * rank];
            bool number = size_number(im->g, s, &n), less = number && n < 0;
            adds |= !less && s != 0;
            cuts |= less;
            zeros[k] = less ? "0" : size_text(im->g, s, "");
            if (less)
                ends[k] = text_format(im->ngc, "%lld", (long long)(k ? n : -n));
        }
        text_add(&pairs, "%s[%s, %s]", i ? ", " : "", zeros[0], zeros[1]);
        text_add(&index, "%s%s:%s", i ? ", " : "", ends[0], ends[1]);
    }
    *cut = cuts ? index.at : NULL;
    *add = adds ? pairs.at : NULL;
}

static void take_pad(Import *im, const Pb__Node *n)
{
    Size pads[2 * MAX_RANK] = {0};
    const char *mode = attribute_text(im, "mode", "constant"), *cut, *add;
    double value = attribute_float(im, "value", 0);
    int rank = input_rank(im, 0), count = rank < 0 ? 0 : read_pads(im, rank, pads);
    const Known *given = has_input(n, 2) ? want_known(im, 2, "the value") : NULL;
    Operand x = operand(im, 0);
    if (!im->failed && strcmp(mode, "constant") != 0)
        problem(im, "attribute 'mode': '%s' is not supported", mode);
    if (!im->failed && count != 2 * rank)
        problem(im, "%d numbers of elements for %d axes", count, rank);
    if (!im->failed && given && (given->count != 1 || !known_number(im->g, given, 0, &value)))
        problem(im, "the value is not one number");
    if (im->failed)
        return;

    pad_texts(im, rank, pads, &cut, &add);
    if (cut)
        x = emit(im, BIND_ATOM, text_format(im->ngc, "$60[%s]", cut), 1, x);
    const char *v = number_text(im, value);
    if (add && value == 0)
        x = emit(im, BIND_ATOM, text_format(im->ngc, "pad($00, [%s])", add), 1, x);
    else if (add)
        x = emit(im, BIND_ATOM,
                 text_format(im->ngc, "where(pad(ones($00.shape), [%s]) == 0, %s, pad($00, [%s]))",
                             add, v, add),
                 1, x);
    result(im, 0, x);
}

/* ConstantOfShape with run-time sizes. */
static void take_fill(Import *im, const Pb__Node *n)
{
    (void)n;
    const char *why;
    Size dim[MAX_RANK];
    double value = 0;
    const Known *shape = want_known(im, 0, "the shape");
    const Pb__Attribute *a = attribute(im, "value");
    if (!shape || shape->count > MAX_RANK)
        return;
    Known *v = a && a->t ? known_of_tensor(im->ngc, a->t, im->folder, &why) : NULL;
    if (v && v->count == 1)
        known_number(im->g, v, 0, &value);
    for (int i = 0; i < (int)shape->count; i++)
        dim[i] = known_size(im->g, shape, i);
    const char *form = text_format(im->ngc, "full(%s, %s)", sizes_text(im, dim, (int)shape->count),
                                   number_text(im, value));
    result(im, 0, emit(im, BIND_ATOM, form, 0));
}

static void take_range(Import *im, const Pb__Node *n)
{
    (void)n;
    const Known *from = want_known(im, 0, "the start"), *to = want_known(im, 1, "the end"),
                *step = want_known(im, 2, "the step");
    int64_t a, s;
    if (im->failed)
        return;
    if (!known_whole(im->g, step, 0, &s) || s != 1 || !known_whole(im->g, from, 0, &a)) {
        problem(im, "a range of run-time size has a step of 1");
        return;
    }
    Size count = size_sub(im->g, known_size(im->g, to, 0), size_of_number(im->g, a));
    const char *form = text_format(im->ngc, "arange(%s)", size_text(im->g, count, ""));
    Operand x = emit(im, BIND_ATOM, form, 0);
    if (a != 0)
        x = emit(im, BIND_SUM, text_format(im->ngc, "$20 + %lld", (long long)a), 1, x);
    result(im, 0, x);
}

static void take_one_hot(Import *im, const Pb__Node *n)
{
    (void)n;
    const Known *depth = want_known(im, 1, "the number of classes"),
                *values = want_known(im, 2, "the values");
    Operand i = operand(im, 0);
    int rank = input_rank(im, 0);
    double off = 0, on = 1;
    int64_t k = 0;
    if (im->failed)
        return;
    int64_t axis = axis_of(im, attribute_int(im, "axis", -1), rank + 1);
    if (axis < 0 || !known_whole(im->g, depth, 0, &k) || values->count != 2)
        return;
    known_number(im->g, values, 0, &off);
    known_number(im->g, values, 1, &on);
    Operand x = emit(im, BIND_ATOM, text_format(im->ngc, "one_hot($00, %lld)", (long long)k), 1, i);
    if (off != 0 || on != 1)
        x = emit(im, BIND_ATOM,
                 text_format(im->ngc, "where($00, %s, %s)", number_text(im, on),
                             number_text(im, off)),
                 1, x);
    if (axis != rank) {
        int64_t perm[MAX_RANK];
        for (int j = 0, from = 0; j <= rank; j++)
            perm[j] = j == axis ? rank : from++;
        x = emit(im, BIND_ATOM,
                 text_format(im->ngc, "permute($00, %s)", ints_text(im, perm, rank + 1)), 1, x);
    }
    result(im, 0, x);
}

static void take_trilu(Import *im, const Pb__Node *n)
{
    int64_t k = 0;
    const Known *given = has_input(n, 1) ? want_known(im, 1, "the diagonal") : NULL;
    bool upper = attribute_int(im, "upper", 1);
    Operand x = operand(im, 0);
    if (im->failed)
        return;
    if (given && !known_whole(im->g, given, 0, &k)) {
        problem(im, "the diagonal is known only at run time");
        return;
    }
    const char *f = upper ? "triu" : "tril";
    const char *form = text_format(im->ngc, k ? "%s($00, %lld)" : "%s($00)", f, (long long)k);
    result(im, 0, emit(im, BIND_ATOM, form, 1, x));
}

static void take_eye_like(Import *im, const Pb__Node *n)
{
    (void)n;
    Shape s;
    int64_t k = attribute_int(im, "k", 0);
    if (!input_shape(im, 0, &s))
        return;
    if (k)
        result(im, 0,
               emit(im, BIND_COMPARE,
                    text_format(im->ngc, "arange(%s)[new, :] == arange(%s)[:, new] + %lld",
                                size_text(im->g, s.dim[1], ""), size_text(im->g, s.dim[0], ""),
                                (long long)k),
                    0));
    else
        result(im, 0,
               emit(im, BIND_ATOM, text_format(im->ngc, "eye(%s)", shape_text(im->g, s)), 0));
}

static void take_cumsum(Import *im, const Pb__Node *n)
{
    (void)n;
    const Known *k = want_known(im, 1, "the axis");
    int rank = input_rank(im, 0);
    bool back = attribute_int(im, "reverse", 0), exclusive = attribute_int(im, "exclusive", 0);
    int64_t axis = 0;
    Operand x = operand(im, 0);
    if (im->failed || !known_whole(im->g, k, 0, &axis) || (axis = axis_of(im, axis, rank)) < 0)
        return;
    const char *at = axis == rank - 1 ? "-1" : text_format(im->ngc, "%lld", (long long)axis);
    const char *form = "cumsum($00, %s)";
    if (back)
        form = "flip(cumsum(flip($00, %1$s), %1$s), %1$s)";
    Operand y = emit(im, BIND_ATOM, text_format(im->ngc, form, at), 1, x);
    if (exclusive)
        y = emit(im, BIND_SUM, "$20 - $31", 2, y, x);
    result(im, 0, y);
}

static void take_depth_to_space(Import *im, const Pb__Node *n)
{
    bool depth = strcmp(n->op, "DepthToSpace") == 0;
    bool crd = strcmp(attribute_text(im, "mode", "DCR"), "CRD") == 0;
    Shape s;
    int64_t b = attribute_int(im, "blocksize", 1);
    Size c = 1;
    Operand x = operand(im, 0);
    if (im->failed || !input_shape(im, 0, &s))
        return;
    Size h = b, w = b, area = b * b;
    if (b < 1 || b > 65536 || s.rank != 4 || (depth && !size_div(im->g, s.dim[1], area, &c)) ||
        (!depth && (!size_div(im->g, s.dim[2], b, &h) || !size_div(im->g, s.dim[3], b, &w)))) {
        problem(im, "the blocks do not fit into %s", shape_text(im->g, s));
        return;
    }
    Size from[6] = {s.dim[0], b, b, c, s.dim[2], s.dim[3]},
         to[4] = {s.dim[0], c, size_mul(im->g, s.dim[2], b), size_mul(im->g, s.dim[3], b)};
    const char *perm = "[0, 3, 4, 1, 5, 2]";
    if (crd) {
        Size other[6] = {s.dim[0], c, b, b, s.dim[2], s.dim[3]};
        memcpy(from, other, sizeof from);
        perm = "[0, 1, 4, 2, 5, 3]";
    }
    if (!depth) {
        Size other[6] = {s.dim[0], s.dim[1], h, b, w, b},
             image[4] = {s.dim[0], size_mul(im->g, s.dim[1], area), h, w};
        memcpy(from, other, sizeof from);
        memcpy(to, image, sizeof to);
        perm = "[0, 3, 5, 1, 2, 4]";
    }
    result(im, 0,
           emit(im, BIND_ATOM,
                text_format(im->ngc, "reshape(permute(reshape($00, %s), %s), %s)",
                            sizes_text(im, from, 6), perm, sizes_text(im, to, 4)),
                1, x));
}

const OnnxOp onnx_shape[] = {
    {"Concat", .take = take_concat, .attributes = "axis", .says = "`concat`"},
    {"Constant", .take = NULL, .form = "",
     .attributes = "value value_float value_floats value_int value_ints", .says = "numbers"},
    {"ConstantOfShape", .take = take_fill, .attributes = "value", .says = "`full`"},
    {"CumSum", .take = take_cumsum, .attributes = "exclusive reverse", .says = "`cumsum`"},
    {"DepthToSpace", .take = take_depth_to_space, .attributes = "blocksize mode",
     .says = "`reshape` and `permute`"},
    {"Expand", .take = take_expand, .says = "`broadcast_to`"},
    {"EyeLike", .take = take_eye_like, .attributes = "dtype k", .says = "`eye`"},
    {"Flatten", .take = take_flatten, .attributes = "axis", .says = "`flatten`, `reshape`"},
    {"Gather", .take = take_gather, .attributes = "axis",
     .says = "an index; of a weight `embedding`"},
    {"GatherElements", .take = take_gather_elements, .attributes = "axis", .says = "`take_along`"},
    {"OneHot", .take = take_one_hot, .attributes = "axis", .says = "`one_hot`"},
    {"Pad", .take = take_pad, .attributes = "mode pads value", .says = "`pad`"},
    {"Range", .take = take_range, .says = "`arange`"},
    {"Reshape", .take = take_reshape, .attributes = "allowzero", .says = "`reshape`, `flatten`"},
    {"Shape", .form = "", .attributes = "start end", .says = "sizes"},
    {"Size", .form = "", .says = "a size"},
    {"Slice", .take = take_slice, .attributes = "starts ends axes", .says = "an index"},
    {"SpaceToDepth", .take = take_depth_to_space, .attributes = "blocksize",
     .says = "`reshape` and `permute`"},
    {"Split", .take = take_split, .attributes = "axis split num_outputs",
     .says = "`split`, or indices"},
    {"Squeeze", .take = take_squeeze, .attributes = "axes", .says = "`squeeze`, or an index"},
    {"Tile", .take = take_tile, .says = "`tile`"},
    {"Transpose", .take = take_transpose, .attributes = "perm", .says = "`'`, `permute`"},
    {"Trilu", .take = take_trilu, .attributes = "upper", .says = "`tril`, `triu`"},
    {"Unsqueeze", .take = take_unsqueeze, .attributes = "axes", .says = "an index with `new`"},
    {NULL},
};
