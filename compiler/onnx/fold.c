/* fold.c - nodes whose results are known when a model is imported: constants, shapes, and what is
 * computed from them. Elements are numbers, or sizes that depend on run-time dims.
 *
 * Weights are not folded: what is computed from them is part of the model, and is trained. */
#include "onnx/onnx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 20 }; /* elements of a result */

static Known *make(Import *im, int element, int rank, const int64_t *dim, bool sizes)
{
    int64_t count = 1;
    for (int i = 0; i < rank; i++)
        if (dim[i] < 0 || (count *= dim[i]) > MOST)
            return NULL;
    if (!sizes)
        return known_new(im->ngc, element, rank, dim);
    Known *k = known_sizes(im->ngc, rank, dim);
    k->element = element;
    return k;
}

/* Sets element i of y to element k of x. y has numbers only if all sources have. */
static void put(Import *im, Known *y, int64_t i, const Known *x, int64_t k)
{
    Graph *g = im->g;
    int64_t whole;
    if (y->size && !x->size && !known_whole(g, x, k, &whole))
        problem(im, "a fraction beside a size that is known only at run time is not supported");
    if (y->size)
        y->size[i] = known_size(g, x, k);
    else
        known_number(g, x, k, &y->number[i]);
}

static bool is_sizes(const Known *k)
{
    return k->size != NULL;
}

/* ---- constants and shapes ---- */

static Known *constant_number(Import *im, int element, double value)
{
    Known *k = known_new(im->ngc, element, 0, NULL);
    k->number[0] = value;
    return k;
}

static Known *constant_ints(Import *im, const Pb__Attribute *a)
{
    int64_t n = (int64_t)a->n_ints;
    Known *k = known_new(im->ngc, EL_INT64, 1, &n);
    for (int64_t i = 0; i < n; i++)
        k->number[i] = (double)a->ints[i];
    return k;
}

static Known *constant_floats(Import *im, const Pb__Attribute *a)
{
    int64_t n = (int64_t)a->n_floats;
    Known *k = known_new(im->ngc, EL_FLOAT, 1, &n);
    for (int64_t i = 0; i < n; i++)
        k->number[i] = a->floats[i];
    return k;
}

/* NULL, perhaps with a message: ngc does not know its value. */
static Known *constant_value(Import *im, const Pb__Attribute *a, const char **why)
{
    if (a->t)
        return known_of_tensor(im->ngc, a->t, im->folder, why);
    if (a->name && same_text(a->name, "value_float"))
        return constant_number(im, EL_FLOAT, attribute_float(im, a->name, 0));
    if (a->name && same_text(a->name, "value_int"))
        return constant_number(im, EL_INT64, (double)a->i);
    if (a->n_ints)
        return constant_ints(im, a);
    if (a->n_floats)
        return constant_floats(im, a);
    return NULL;
}

static Known *fold_constant(Import *im)
{
    const char *why = "it has no value that ngc knows";
    Known *k = NULL;
    if (im->at->n_attribute)
        k = constant_value(im, im->at->attribute[0], &why);

    if (k)
        k->name = NULL;
    else
        problem(im, "%s", why);
    return k;
}

static Known *fold_shape(Import *im)
{
    Shape s;
    if (!input_shape(im, 0, &s))
        return NULL;
    int64_t from = attribute_int(im, "start", 0);
    int64_t to = attribute_int(im, "end", s.rank);
    if (from < 0)
        from += s.rank;
    if (to < 0)
        to += s.rank;
    from = max_int64(from, 0);
    to = min_int64(to, s.rank);
    int64_t n = 0;
    if (to > from)
        n = to - from;
    Known *y = known_sizes(im->ngc, 1, &n);
    for (int64_t i = 0; i < n; i++)
        y->size[i] = s.dim[from + i];
    return y;
}

static Known *fold_size(Import *im)
{
    Shape s;
    if (!input_shape(im, 0, &s))
        return NULL;
    Known *y = known_sizes(im->ngc, 0, NULL);
    y->size[0] = shape_count(im->g, s);
    return y;
}

/* The shape that a known list of numbers gives; false: it is not one. */
static bool list_dims(Import *im, const Known *list, int64_t *dim)
{
    if (list->rank > 1 || list->count > MAX_RANK)
        return false;
    for (int64_t i = 0; i < list->count; i++)
        if (!known_whole(im->g, list, i, &dim[i]))
            return false;
    return true;
}

static Known *fold_fill(Import *im)
{
    const char *why;
    int64_t dim[MAX_RANK];
    const Known *shape = input_known(im, 0);
    const Pb__Attribute *a = attribute(im, "value");
    Known *value = known_new(im->ngc, EL_FLOAT, 0, NULL);
    if (a && a->t) {
        value = known_of_tensor(im->ngc, a->t, im->folder, &why);
        if (!value || value->count != 1) {
            problem(im, "attribute 'value': %s", value ? "is not one number" : why);
            return NULL;
        }
    }
    if (!list_dims(im, shape, dim)) /* a tensor of run-time size: see take_fill */
        return NULL;
    Known *y = make(im, value->element, (int)shape->count, dim, false);
    for (int64_t i = 0; y && i < y->count; i++)
        put(im, y, i, value, 0);
    return y;
}

static Known *fold_range(Import *im)
{
    double v[3];
    for (int i = 0; i < 3; i++)
        if (input_known(im, i)->count != 1 || !known_number(im->g, input_known(im, i), 0, &v[i]))
            return NULL;
    double steps = ceil((v[1] - v[0]) / v[2]);
    if (!(steps <= MOST) || v[2] == 0)
        return NULL;
    int64_t n = 0;
    if (steps > 0)
        n = (int64_t)steps;
    Known *y = make(im, input_known(im, 0)->element, 1, &n, false);
    for (int64_t i = 0; i < n; i++)
        y->number[i] = v[0] + (double)i * v[2];
    return y;
}

/* ---- elements that move ---- */

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

static Known *fold_to_shape(Import *im)
{
    int64_t dim[MAX_RANK];
    Known *x = input_known(im, 0);
    const Known *list = input_known(im, 1);
    int64_t open = -1, count = 1;
    if (!list_dims(im, list, dim))
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

static Known *fold_concat(Import *im)
{
    const Known *first = input_known(im, 0);
    int64_t dim[MAX_RANK], axis = axis_attribute(im, 0, first->rank);
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
        sizes |= is_sizes(x);
    }
    Known *y = make(im, first->element, first->rank, dim, sizes);

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
                put(im, y, o * row + done + k, x, o * part + k);
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
static Known *fold_gather(Import *im)
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

    Known *y = make(im, x->element, rank, dim, is_sizes(x));
    int64_t to = 0;
    for (int64_t o = 0; y && o < outer; o++)
        for (int64_t k = 0; k < index->count; k++) {
            int64_t place;
            if (!place_of_index(im, index, k, n, &place))
                return NULL;

            int64_t from = (o * n + place) * inner;
            for (int64_t i = 0; i < inner; i++)
                put(im, y, to++, x, from + i);
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
    return *count == k->count && list_dims(im, k, out);
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

static Known *fold_slice(Import *im)
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
        if (k < 0 || s.step[i] == 0 || s.step[i] < -MOST)
            return NULL;

        step[k] = min_int64(s.step[i], MOST);
        from[k] = s.start[i];
        dim[k] = slice_axis(x->dim[k], &from[k], s.end[i], step[k]);
    }

    /* element `at` of y is element from + at*step of x */
    Known *y = make(im, x->element, x->rank, dim, is_sizes(x));
    int64_t at[MAX_RANK] = {0};
    int64_t in[MAX_RANK];
    for (int64_t i = 0; y && i < y->count; i++) {
        for (int k = 0; k < x->rank; k++)
            in[k] = from[k] + at[k] * step[k];
        put(im, y, i, x, index_at(x->rank, x->dim, in));
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

static Known *fold_transpose(Import *im)
{
    const Known *x = input_known(im, 0);
    int64_t perm[MAX_RANK], dim[MAX_RANK];
    if (!read_order(im, x->rank, perm))
        return NULL;
    for (int i = 0; i < x->rank; i++)
        dim[i] = x->dim[perm[i]];

    Known *y = make(im, x->element, x->rank, dim, is_sizes(x));
    int64_t at[MAX_RANK] = {0};
    int64_t from[MAX_RANK];
    for (int64_t i = 0; y && i < y->count; i++) {
        for (int k = 0; k < x->rank; k++)
            from[perm[k]] = at[k];
        put(im, y, i, x, index_at(x->rank, x->dim, from));
        index_next(x->rank, dim, at);
    }
    return y;
}

/* ---- arithmetic ---- */

/* The result's shape by NumPy's rule. */
static bool broadcast(const Known *a, const Known *b, int *rank, int64_t *dim)
{
    *rank = max_int(a->rank, b->rank);
    for (int i = 0; i < *rank; i++) {
        int ia = i - (*rank - a->rank);
        int ib = i - (*rank - b->rank);
        int64_t x = 1;
        if (ia >= 0)
            x = a->dim[ia];
        int64_t y = 1;
        if (ib >= 0)
            y = b->dim[ib];
        if (x != y && x != 1 && y != 1)
            return false;
        dim[i] = x == 1 ? y : x;
    }
    return true;
}

/* The place in x of an element of what it is broadcast to. */
static int64_t place(const Known *x, int rank, const int64_t *at)
{
    int64_t p = 0;
    for (int i = 0; i < x->rank; i++) {
        int64_t k = at[rank - x->rank + i];
        p = p * x->dim[i] + (x->dim[i] == 1 ? 0 : k);
    }
    return p;
}

static bool number_of(const char *op, double a, double b, bool whole, double *y)
{
    if (same_text(op, "Add"))
        *y = a + b;
    else if (same_text(op, "Sub"))
        *y = a - b;
    else if (same_text(op, "Mul"))
        *y = a * b;
    else if (same_text(op, "Div"))
        *y = whole ? trunc(a / b) : a / b;
    else if (same_text(op, "Mod"))
        *y = a - b * floor(a / b);
    else if (same_text(op, "fmod"))
        *y = fmod(a, b);
    else if (same_text(op, "Pow"))
        *y = pow(a, b);
    else if (same_text(op, "Max"))
        *y = a > b ? a : b;
    else if (same_text(op, "Min"))
        *y = a < b ? a : b;
    else if (same_text(op, "Equal"))
        *y = a == b;
    else if (same_text(op, "Less"))
        *y = a < b;
    else if (same_text(op, "LessOrEqual"))
        *y = a <= b;
    else if (same_text(op, "Greater"))
        *y = a > b;
    else if (same_text(op, "GreaterOrEqual"))
        *y = a >= b;
    else if (same_text(op, "And"))
        *y = a != 0 && b != 0;
    else if (same_text(op, "Or"))
        *y = a != 0 || b != 0;
    else
        return false;
    return true;
}

/* The quotient, if it is exact, or of whole numbers. */
static bool divide(Graph *g, Size a, Size b, bool whole, Size *y)
{
    int64_t n, k;
    if (size_number(g, b, &k) && k == 0)
        return false;
    if (size_number(g, a, &n) && size_number(g, b, &k) && (whole || n % k == 0)) {
        *y = size_of_number(g, n / k);
        return true;
    }
    return size_div(g, a, b, y);
}

/* Are two sizes different whatever the run-time sizes are? No such size is -1 or 0, for example. */
static bool size_apart(Graph *g, Size a, Size b)
{
    Size by = size_sub(g, a, b);
    return size_max(g, by) < 0 || size_least(g, by) > 0;
}

static bool size_of(Import *im, const char *op, Size a, Size b, bool whole, Size *y)
{
    Graph *g = im->g;
    int64_t apart;
    bool compared = size_number(g, size_sub(g, a, b), &apart);
    if (same_text(op, "Add"))
        *y = size_add(g, a, b);
    else if (same_text(op, "Sub"))
        *y = size_sub(g, a, b);
    else if (same_text(op, "Mul"))
        *y = size_mul(g, a, b);
    else if (same_text(op, "Div"))
        return divide(g, a, b, whole, y);
    else if (same_text(op, "Equal") && (compared || size_apart(g, a, b)))
        *y = compared && apart == 0;
    else if (compared && same_text(op, "Max"))
        *y = apart > 0 ? a : b;
    else if (compared && same_text(op, "Min"))
        *y = apart < 0 ? a : b;
    else if (compared && same_text(op, "Less"))
        *y = apart < 0;
    else if (compared && same_text(op, "Greater"))
        *y = apart > 0;
    else
        return false;
    return true;
}

/* Sizes that are all numbers, as numbers. */
static const Known *as_numbers(Import *im, const Known *k)
{
    double v;
    if (!k->size)
        return k;
    Known *y = known_new(im->ngc, k->element, k->rank, k->dim);
    for (int64_t i = 0; i < k->count; i++, y->number[i - 1] = v)
        if (!known_number(im->g, k, i, &v))
            return k;
    return y;
}

/* Is an element a size, or a whole number? */
static bool is_size(Import *im, const Known *k, int64_t i)
{
    int64_t n;
    return k->size || known_whole(im->g, k, i, &n);
}

static Known *fold_two(Import *im, const Known *a, const Known *b)
{
    Graph *g = im->g;
    a = as_numbers(im, a);
    b = as_numbers(im, b);
    const char *op = attribute_int(im, "fmod", 0) ? "fmod" : im->at->op;
    int rank;
    int64_t dim[MAX_RANK], at[MAX_RANK] = {0};
    bool sizes = is_sizes(a) || is_sizes(b);
    bool whole = element_is_int(a->element);
    if (!broadcast(a, b, &rank, dim))
        return NULL;

    int element = a->element;
    if (has_word("Equal Less LessOrEqual Greater GreaterOrEqual And Or", op))
        element = EL_BOOL;
    Known *y = make(im, element, rank, dim, sizes);
    for (int64_t i = 0; y && i < y->count; i++, index_next(rank, dim, at)) {
        int64_t ka = place(a, rank, at);
        int64_t kb = place(b, rank, at);

        if (sizes) {
            if (!is_size(im, a, ka) || !is_size(im, b, kb))
                return NULL;
            Size u = known_size(g, a, ka);
            Size v = known_size(g, b, kb);
            if (!size_of(im, op, u, v, whole, &y->size[i]))
                return NULL;
            continue;
        }

        double u = 0, v = 0;
        if (!known_number(g, a, ka, &u) || !known_number(g, b, kb, &v))
            return NULL;
        if (!number_of(op, u, v, whole, &y->number[i]))
            return NULL;
    }
    return y;
}

static Known *fold_binary(Import *im)
{
    Known *y = input_known(im, 0);
    for (int i = 1; y && i < (int)im->at->n_input; i++)
        y = fold_two(im, y, input_known(im, i));
    return y;
}

static Known *fold_where(Import *im)
{
    const Known *c = input_known(im, 0);
    const Known *a = input_known(im, 1);
    const Known *b = input_known(im, 2);
    int rank, rank2;
    int64_t dim[MAX_RANK], at[MAX_RANK] = {0};
    if (!broadcast(a, b, &rank2, dim))
        return NULL;
    Known like = {.rank = rank2};
    memcpy(like.dim, dim, sizeof dim);
    if (!broadcast(c, &like, &rank, dim))
        return NULL;
    Known *y = make(im, a->element, rank, dim, is_sizes(a) || is_sizes(b));
    for (int64_t i = 0; y && i < y->count; i++, index_next(rank, dim, at)) {
        double v;
        if (!known_number(im->g, c, place(c, rank, at), &v))
            return NULL;
        const Known *from = v != 0 ? a : b;
        put(im, y, i, from, place(from, rank, at));
    }
    return y;
}

static Known *fold_unary(Import *im)
{
    const Known *x = as_numbers(im, input_known(im, 0));
    const char *op = im->at->op;
    if (is_sizes(x))
        return NULL;
    bool is_not = same_text(op, "Not");
    Known *y = make(im, is_not ? EL_BOOL : x->element, x->rank, x->dim, false);
    for (int64_t i = 0; y && i < y->count; i++) {
        double v = 0;
        known_number(im->g, x, i, &v);
        if (same_text(op, "Neg"))
            v = -v;
        else if (same_text(op, "Floor"))
            v = floor(v);
        else if (same_text(op, "Ceil"))
            v = ceil(v);
        else if (same_text(op, "Sqrt"))
            v = sqrt(v);
        else if (same_text(op, "Reciprocal"))
            v = 1 / v;
        else if (same_text(op, "Abs"))
            v = fabs(v);
        else if (same_text(op, "Relu"))
            v = v < 0 ? 0 : v;
        else if (is_not)
            v = v == 0;
        y->number[i] = v;
    }
    return y;
}

static Known *fold_cast(Import *im)
{
    Known *x = input_known(im, 0);
    int to = (int)attribute_int(im, "to", EL_FLOAT);
    if (same_text(im->at->op, "CastLike"))
        to = input_element(im, 1);
    if (to == EL_STRING || x->element == EL_STRING)
        return NULL;
    bool whole = element_is_int(to);
    if (is_sizes(x)) {
        Known *same = arena_copy(im->ngc, x, sizeof *x);
        same->element = to;
        return to == EL_BOOL ? NULL : same;
    }
    Known *y = make(im, to, x->rank, x->dim, false);
    for (int64_t i = 0; y && i < y->count; i++) {
        double v = 0;
        known_number(im->g, x, i, &v);
        if (to == EL_BOOL)
            v = v != 0;
        if (whole)
            y->number[i] = trunc(v);
        else
            y->number[i] = v;
    }
    return y;
}

static Known *fold_expand(Import *im)
{
    const Known *x = input_known(im, 0);
    const Known *list = input_known(im, 1);
    Known like = {.rank = (int)list->count};
    int rank;
    int64_t dim[MAX_RANK], at[MAX_RANK] = {0};
    if (!list_dims(im, list, like.dim) || !broadcast(x, &like, &rank, dim))
        return NULL;
    Known *y = make(im, x->element, rank, dim, is_sizes(x));
    for (int64_t i = 0; y && i < y->count; i++, index_next(rank, dim, at))
        put(im, y, i, x, place(x, rank, at));
    return y;
}

/* The product, or the sum, of all elements of a list. */
static Known *fold_reduce(Import *im)
{
    Graph *g = im->g;
    Known *x = input_known(im, 0);
    const Known *axes = input_known(im, 1);
    bool product = same_text(im->at->op, "ReduceProd");
    int64_t one = 1;
    if (x->rank != 1 || !element_is_int(x->element))
        return NULL;
    if (attribute_int(im, "noop_with_empty_axes", 0) && (!axes || axes->count == 0))
        return x;
    Known *y = known_sizes(im->ngc, attribute_int(im, "keepdims", 1) ? 1 : 0, &one);
    y->size[0] = product;
    for (int64_t i = 0; i < x->count; i++) {
        Size s = known_size(g, x, i);
        if (product)
            y->size[0] = size_mul(g, y->size[0], s);
        else
            y->size[0] = size_add(g, y->size[0], s);
    }
    return y;
}

static Known *fold_same(Import *im)
{
    return input_known(im, 0);
}

static Known *fold_unsqueeze(Import *im)
{
    return fold_axes(im, true);
}

static Known *fold_squeeze(Import *im)
{
    return fold_axes(im, false);
}

/* ---- which node ---- */

static const struct Fold {
    const char *op;
    Known *(*fold)(Import *);
    bool any;     /* its operands need not be known */
    bool weights; /* and may be weights */
    int least;    /* operands that it must have, if more than one */
} folds[] = {
    {"Constant", fold_constant, .any = true},
    {"Shape", fold_shape, .any = true},
    {"Size", fold_size, .any = true},
    {"Identity", fold_same, .weights = true},
    {"ConstantOfShape", fold_fill},
    {"Range", fold_range, .least = 3},
    {"Gather", fold_gather, .least = 2},
    {"Slice", fold_slice},
    {"Concat", fold_concat},
    {"Unsqueeze", fold_unsqueeze},
    {"Squeeze", fold_squeeze},
    {"Reshape", fold_to_shape, .least = 2},
    {"Transpose", fold_transpose},
    {"Cast", fold_cast},
    {"CastLike", fold_cast},
    {"Expand", fold_expand, .least = 2},
    {"Where", fold_where, .least = 3},
    {"ReduceProd", fold_reduce},
    {"ReduceSum", fold_reduce},
    {"Add", fold_binary},
    {"Sub", fold_binary},
    {"Mul", fold_binary},
    {"Div", fold_binary},
    {"Mod", fold_binary},
    {"Pow", fold_binary},
    {"Max", fold_binary},
    {"Min", fold_binary},
    {"Equal", fold_binary},
    {"Less", fold_binary},
    {"LessOrEqual", fold_binary},
    {"Greater", fold_binary},
    {"GreaterOrEqual", fold_binary},
    {"And", fold_binary},
    {"Or", fold_binary},
    {"Neg", fold_unary},
    {"Not", fold_unary},
    {"Floor", fold_unary},
    {"Ceil", fold_unary},
    {"Sqrt", fold_unary},
    {"Abs", fold_unary},
    {"Relu", fold_unary},
    {"ScatterND", fold_scatter},
    {"NonZero", fold_nonzero},
    {"Unique", fold_unique},
    {"NonMaxSuppression", fold_suppression},
    {"Reciprocal", fold_unary},
};

bool fold(Import *im, const Pb__Node *n)
{
    const struct Fold *f = NULL;
    for (size_t i = 0; i < sizeof folds / sizeof *folds && !f; i++)
        if (same_text(n->op, folds[i].op))
            f = &folds[i];
    if (!f || (!f->any && n->n_input == 0))
        return false;

    /* all operands must be known, and be constants */
    for (int i = 0; i < (int)n->n_input && !f->any; i++) {
        const Known *k = NULL;
        if (has_input(n, i))
            k = input_known(im, i);
        if (has_input(n, i) && (!k || (is_param(im, k) && !f->weights)))
            return false;
        if (!k && (i < 2 || i < f->least))
            return false;
    }
    if ((int)n->n_input < f->least)
        return false;

    Known *y = f->fold(im);
    if (im->failed)
        return true;
    if (y)
        result_known(im, 0, y);
    return y != NULL;
}
