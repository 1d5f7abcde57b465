/* fold_known.c - what the files that fold nodes share: results, and elements of known tensors.
 * Elements are numbers, or sizes that depend on run-time dims. */
#include "onnx/onnx.h"

Known *fold_new(Import *im, int element, int rank, const int64_t *dim, bool sizes)
{
    int64_t count = 1;
    for (int i = 0; i < rank; i++)
        if (dim[i] < 0 || (count *= dim[i]) > FOLD_MOST)
            return NULL;
    if (!sizes)
        return known_new(im->ngc, element, rank, dim);
    Known *k = known_sizes(im->ngc, rank, dim);
    k->element = element;
    return k;
}

/* Sets element i of y to element k of x. y has numbers only if all sources have. */
void fold_put(Import *im, Known *y, int64_t i, const Known *x, int64_t k)
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

bool fold_has_sizes(const Known *k)
{
    return k->size != NULL;
}

/* The shape that a known list of numbers gives; false: it is not one. */
bool fold_list(Import *im, const Known *list, int64_t *dim)
{
    if (list->rank > 1 || list->count > MAX_RANK)
        return false;
    for (int64_t i = 0; i < list->count; i++)
        if (!known_whole(im->g, list, i, &dim[i]))
            return false;
    return true;
}

/* The place in x of an element of what it is broadcast to. */
int64_t fold_place(const Known *x, int rank, const int64_t *at)
{
    int64_t p = 0;
    for (int i = 0; i < x->rank; i++) {
        int64_t k = at[rank - x->rank + i];
        p = p * x->dim[i] + (x->dim[i] == 1 ? 0 : k);
    }
    return p;
}
