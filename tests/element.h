/* element.h - elements of a tensor of the descriptor (ngrt.h), whatever their type is. Included by
 * programs of tests/ that call emitted C. */
#ifndef ELEMENT_H
#define ELEMENT_H

#include "ngrt.h"

static inline size_t element_size(int type)
{
    return type == NGRT_F64 ? 8 : 4;
}

static inline size_t element_count(const ngrt_tensor *x)
{
    size_t n = 1;

    for (int i = 0; i < x->rank; i++)
        n *= (size_t)x->shape[i];
    return n;
}

static inline double element_get(const void *x, int type, size_t i)
{
    if (type == NGRT_F64)
        return ((const double *)x)[i];
    if (type == NGRT_F32)
        return (double)((const float *)x)[i];
    return (double)((const int32_t *)x)[i];
}

static inline void element_put(void *x, int type, size_t i, double v)
{
    if (type == NGRT_F64)
        ((double *)x)[i] = v;
    else if (type == NGRT_F32)
        ((float *)x)[i] = (float)v;
    else
        ((int32_t *)x)[i] = (int32_t)v;
}

#endif
