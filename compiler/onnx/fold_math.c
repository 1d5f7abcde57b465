/* fold_math.c - arithmetic on known tensors, by the rules of broadcasting. */
#include "onnx/onnx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
        *y = whole ? trunc(pow(a, b)) : pow(a, b);
    else if (same_text(op, "Max"))
        *y = a > b || isnan(a) ? a : b;
    else if (same_text(op, "Min"))
        *y = a < b || isnan(a) ? a : b;
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
    bool sizes = fold_has_sizes(a) || fold_has_sizes(b);
    bool whole = element_is_int(a->element);
    if (!broadcast(a, b, &rank, dim))
        return NULL;

    int element = a->element;
    if (has_word("Equal Less LessOrEqual Greater GreaterOrEqual And Or", op))
        element = EL_BOOL;
    Known *y = fold_new(im, element, rank, dim, sizes);
    for (int64_t i = 0; y && i < y->count; i++, index_next(rank, dim, at)) {
        int64_t ka = fold_place(a, rank, at);
        int64_t kb = fold_place(b, rank, at);

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

Known *fold_binary(Import *im)
{
    Known *y = input_known(im, 0);
    for (int i = 1; y && i < (int)im->at->n_input; i++)
        y = fold_two(im, y, input_known(im, i));
    return y;
}

Known *fold_where(Import *im)
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
    Known *y = fold_new(im, a->element, rank, dim, fold_has_sizes(a) || fold_has_sizes(b));
    for (int64_t i = 0; y && i < y->count; i++, index_next(rank, dim, at)) {
        double v;
        if (!known_number(im->g, c, fold_place(c, rank, at), &v))
            return NULL;
        const Known *from = v != 0 ? a : b;
        fold_put(im, y, i, from, fold_place(from, rank, at));
    }
    return y;
}

Known *fold_unary(Import *im)
{
    const Known *x = as_numbers(im, input_known(im, 0));
    const char *op = im->at->op;
    if (fold_has_sizes(x))
        return NULL;
    bool is_not = same_text(op, "Not");
    Known *y = fold_new(im, is_not ? EL_BOOL : x->element, x->rank, x->dim, false);
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

Known *fold_cast(Import *im)
{
    Known *x = input_known(im, 0);
    int to = (int)attribute_int(im, "to", EL_FLOAT);
    if (same_text(im->at->op, "CastLike"))
        to = input_element(im, 1);
    if (to == EL_STRING || x->element == EL_STRING)
        return NULL;
    bool whole = element_is_int(to);
    if (fold_has_sizes(x)) {
        Known *same = arena_copy(im->ngc, x, sizeof *x);
        same->element = to;
        return to == EL_BOOL ? NULL : same;
    }
    double lo, hi;
    bool cut = element_is_int(x->element) && element_is_short(to, &lo, &hi);
    Known *y = fold_new(im, to, x->rank, x->dim, false);
    for (int64_t i = 0; y && i < y->count; i++) {
        double v = 0;
        known_number(im->g, x, i, &v);
        if (to == EL_BOOL)
            v = v != 0;
        if (whole)
            v = trunc(v);
        if (cut) /* its low bits */
            v -= floor((v - lo) / (hi - lo + 1)) * (hi - lo + 1);
        y->number[i] = v;
    }
    return y;
}

Known *fold_expand(Import *im)
{
    const Known *x = input_known(im, 0);
    const Known *list = input_known(im, 1);
    Known like = {.rank = (int)list->count};
    int rank;
    int64_t dim[MAX_RANK], at[MAX_RANK] = {0};
    if (!fold_list(im, list, like.dim) || !broadcast(x, &like, &rank, dim))
        return NULL;
    Known *y = fold_new(im, x->element, rank, dim, fold_has_sizes(x));
    for (int64_t i = 0; y && i < y->count; i++, index_next(rank, dim, at))
        fold_put(im, y, i, x, fold_place(x, rank, at));
    return y;
}

/* The product, or the sum, of all elements of a list. */
Known *fold_reduce(Import *im)
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

Known *fold_same(Import *im)
{
    return input_known(im, 0);
}
