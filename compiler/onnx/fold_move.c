/* fold_move.c - nodes that move elements of known tensors: gathers, slices, concats, reshapes. */
#include "onnx/onnx.h"

#include <string.h>

static Known *fold_reshape(Import *im, Known *x, int rank, const int64_t *dim)
{
    int64_t count = 1;
    for (int i = 0; i < rank; i++)
        if (dim[i] < 0 || __builtin_mul_overflow(count, dim[i], &count))
            return NULL;
    if (count != x->count)
        return NULL;
    Known *y = arena_copy(im->ngc, x, sizeof *x);
    y->rank = rank;
    for (int i = 0; i < rank; i++)
        y->dim[i] = dim[i];
    y->name = NULL;
    return y;
}

Known *fold_to_shape(Import *im)
{
    int64_t dim[MAX_RANK];
    Known *x = input_known(im, 0);
    const Known *list = input_known(im, 1);
    int64_t open = -1, count = 1;
    if (!fold_list(im, list, dim))
        return NULL;
    for (int64_t i = 0; i < list->count; i++) {
        if (dim[i] == 0 && i < x->rank && !attribute_int(im, "allowzero", 0))
            dim[i] = x->dim[i];
        if (dim[i] == -1)
            open = i;
        else if (dim[i] < 0 || __builtin_mul_overflow(count, dim[i], &count))
            return NULL;
    }
    if (open >= 0 && count <= 0)
        return NULL;
    if (open >= 0)
        dim[open] = x->count / count;
    return fold_reshape(im, x, (int)list->count, dim);
}

/* Unsqueeze and Squeeze. */
static Known *fold_axes(Import *im, bool insert)
{
    Known *x = input_known(im, 0);
    int64_t axis[MAX_RANK], dim[MAX_RANK];
    int given = attribute_ints(im, "axes", axis, MAX_RANK);
    int list = 0;
    if (given < 0 && has_input(im->at, 1))
        given = (int)input_known(im, 1)->count;
    int rank = insert ? x->rank + given : x->rank;
    if (rank > MAX_RANK)
        return NULL;
    list = axes_of(im, "axes", has_input(im->at, 1) ? 1 : -1, axis, rank);
    if (list == -2)
        return NULL;

    unsigned set = 0;
    for (int i = 0; i < list; i++)
        set |= 1u << axis[i];
    for (int i = 0; !insert && list < 0 && i < x->rank; i++)
        set |= (unsigned)(x->dim[i] == 1) << i;
    int n = 0, from = 0;
    for (int i = 0; i < rank; i++) {
        if (insert)
            dim[n++] = set >> i & 1 ? 1 : x->dim[from++];
        else if (!(set >> i & 1))
            dim[n++] = x->dim[i];
    }
    return fold_reshape(im, x, n, dim);
}

Known *fold_concat(Import *im)
{
    const Known *first = input_known(im, 0);
    int64_t dim[MAX_RANK];
    int64_t axis = axis_attribute(im, 0, first->rank);
    bool sizes = false;
    if (axis < 0)
        return NULL;

    /* the shape: along the axis, the sum of all sizes */
    memcpy(dim, first->dim, sizeof dim);
    dim[axis] = 0;
    for (int i = 0; i < (int)im->at->n_input; i++) {
        const Known *x = input_known(im, i);
        if (x->rank != first->rank)
            return NULL;
        dim[axis] += x->dim[axis];
        sizes |= fold_has_sizes(x);
    }
    Known *y = fold_new(im, first->element, first->rank, dim, sizes);

    /* elements before and after the axis */
    int64_t inner = 1, outer = 1;
    for (int i = 0; i < first->rank; i++) {
        if (i < axis)
            outer *= dim[i];
        if (i > axis)
            inner *= dim[i];
    }

    /* each operand gives a part of each row */
    int64_t row = dim[axis] * inner;
    int64_t done = 0;
    for (int i = 0; y && i < (int)im->at->n_input; i++) {
        const Known *x = input_known(im, i);
        int64_t part = x->dim[axis] * inner;
        if (part * outer != x->count)
            return NULL;
        for (int64_t o = 0; o < outer; o++)
            for (int64_t k = 0; k < part; k++)
                fold_put(im, y, o * row + done + k, x, o * part + k);
        done += part;
    }
    return y;
}

/* An index counts from the end where it is negative. */
static bool place_of_index(Import *im, const Known *index, int64_t i, int64_t n, int64_t *place)
{
    if (!known_whole(im->g, index, i, place) || *place < -n || *place >= n) {
        problem(im, "an index is out of range");
        return false;
    }
    if (*place < 0)
        *place += n;
    return true;
}

/* [outer, n, inner] -> [outer, index.., inner] */
Known *fold_gather(Import *im)
{
    const Known *x = input_known(im, 0);
    const Known *index = input_known(im, 1);
    int64_t axis = axis_attribute(im, 0, x->rank);
    if (axis < 0 || x->rank - 1 + index->rank > MAX_RANK)
        return NULL;

    int64_t dim[MAX_RANK];
    int rank = 0;
    int64_t outer = 1, inner = 1;
    int64_t n = x->dim[axis];
    for (int i = 0; i < axis; i++)
        outer *= dim[rank++] = x->dim[i];
    for (int i = 0; i < index->rank; i++)
        dim[rank++] = index->dim[i];
    for (int i = (int)axis + 1; i < x->rank; i++)
        inner *= dim[rank++] = x->dim[i];

    Known *y = fold_new(im, x->element, rank, dim, fold_has_sizes(x));
    int64_t to = 0;
    for (int64_t o = 0; y && o < outer; o++)
        for (int64_t k = 0; k < index->count; k++) {
            int64_t place;
            if (!place_of_index(im, index, k, n, &place))
                return NULL;

            int64_t from = (o * n + place) * inner;
            for (int64_t i = 0; i < inner; i++)
                fold_put(im, y, to++, x, from + i);
        }
    return y;
}

/* One of the lists of a slice: an operand, or an attribute in old opsets. False: it is not there.
 */
static bool slice_numbers(Import *im, int i, const char *name, int64_t *out, int *count)
{
    if (im->opset < 10) {
        *count = attribute_ints(im, name, out, MAX_RANK);
        return *count >= 0;
    }
    if (!has_input(im->at, i))
        return false;
    const Known *k = input_known(im, i);
    if (k->rank <= 1 && k->count <= MAX_RANK)
        *count = (int)k->count;
    else
        *count = 0;
    return *count == k->count && fold_list(im, k, out);
}

/* The elements from, from + step, ... of an axis of n; returns how many. */
static int64_t slice_axis(int64_t n, int64_t *from, int64_t to, int64_t step)
{
    if (*from < 0)
        *from += n;
    if (to < 0)
        to += n;

    /* from the first place to the one after the last; down, to the one before the first */
    int64_t low = 0;
    int64_t high = n;
    if (step < 0) {
        low = -1;
        high = n - 1;
    }
    *from = min_int64(max_int64(*from, low), high);
    to = min_int64(max_int64(to, low), high);

    int64_t count;
    if (step > 0)
        count = (to - *from + step - 1) / step;
    else
        count = (*from - to - step - 1) / -step;
    return max_int64(count, 0);
}

typedef struct SliceNumbers { /* by number of the axis that is cut */
    int64_t start[MAX_RANK], end[MAX_RANK];
    int64_t axis[MAX_RANK], step[MAX_RANK];
    int count;
} SliceNumbers;

/* false: they are not known, or do not belong together. */
static bool read_slice(Import *im, int rank, SliceNumbers *s)
{
    int ends, axes, steps;
    if (!slice_numbers(im, 1, "starts", s->start, &s->count) || s->count > rank)
        return false;
    if (!slice_numbers(im, 2, "ends", s->end, &ends) || ends != s->count)
        return false;

    if (!slice_numbers(im, 3, "axes", s->axis, &axes)) {
        for (int i = 0; i < s->count; i++)
            s->axis[i] = i;
    } else if (axes != s->count) {
        return false;
    }

    if (im->opset < 10 || !slice_numbers(im, 4, "steps", s->step, &steps)) {
        for (int i = 0; i < s->count; i++)
            s->step[i] = 1;
    } else if (steps != s->count) {
        return false;
    }
    return true;
}

Known *fold_slice(Import *im)
{
    const Known *x = input_known(im, 0);
    SliceNumbers s;
    if (!read_slice(im, x->rank, &s))
        return NULL;

    /* axes that are not named are whole */
    int64_t dim[MAX_RANK];
    int64_t from[MAX_RANK] = {0};
    int64_t step[MAX_RANK];
    for (int i = 0; i < x->rank; i++) {
        dim[i] = x->dim[i];
        step[i] = 1;
    }
    for (int i = 0; i < s.count; i++) {
        int64_t k = axis_of(im, s.axis[i], x->rank);
        if (k < 0 || s.step[i] == 0 || s.step[i] < -FOLD_MOST)
            return NULL;

        step[k] = min_int64(s.step[i], FOLD_MOST);
        from[k] = s.start[i];
        dim[k] = slice_axis(x->dim[k], &from[k], s.end[i], step[k]);
    }

    /* element `at` of y is element from + at*step of x */
    Known *y = fold_new(im, x->element, x->rank, dim, fold_has_sizes(x));
    int64_t at[MAX_RANK] = {0};
    int64_t in[MAX_RANK];
    for (int64_t i = 0; y && i < y->count; i++) {
        for (int k = 0; k < x->rank; k++)
            in[k] = from[k] + at[k] * step[k];
        fold_put(im, y, i, x, index_at(x->rank, x->dim, in));
        index_next(x->rank, dim, at);
    }
    return y;
}

/* The order of axes that the node names; the reverse one, if it names none. */
static bool read_order(Import *im, int rank, int64_t *perm)
{
    int given = attribute_ints(im, "perm", perm, MAX_RANK);
    if (given < 0) {
        for (int i = 0; i < rank; i++)
            perm[i] = rank - 1 - i;
        return true;
    }

    if (given != rank)
        return false;
    for (int i = 0; i < rank; i++)
        if (perm[i] < 0 || perm[i] >= rank)
            return false;
    return true;
}

Known *fold_transpose(Import *im)
{
    const Known *x = input_known(im, 0);
    int64_t perm[MAX_RANK], dim[MAX_RANK];
    if (!read_order(im, x->rank, perm))
        return NULL;
    for (int i = 0; i < x->rank; i++)
        dim[i] = x->dim[perm[i]];

    Known *y = fold_new(im, x->element, x->rank, dim, fold_has_sizes(x));
    int64_t at[MAX_RANK] = {0};
    int64_t from[MAX_RANK];
    for (int64_t i = 0; y && i < y->count; i++) {
        for (int k = 0; k < x->rank; k++)
            from[perm[k]] = at[k];
        fold_put(im, y, i, x, index_at(x->rank, x->dim, from));
        index_next(x->rank, dim, at);
    }
    return y;
}

Known *fold_unsqueeze(Import *im)
{
    return fold_axes(im, true);
}

Known *fold_squeeze(Import *im)
{
    return fold_axes(im, false);
}
