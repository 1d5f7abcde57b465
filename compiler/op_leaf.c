/* op_leaf.c - records of the operations without operands: values that are given, not computed. */
#include "ngc.h"

#include "../runtime/ngrt.h"

static void eval_iota(const Node *n, Eval *e, double *out)
{
    int64_t dim[MAX_RANK], index[MAX_RANK] = {0}, i = 0;
    if (eval_shape(e, n->shape, dim) > 0)
        do
            out[i++] = (double)index[n->attr.axis];
        while (index_next(n->shape.rank, dim, index));
}

/* The runtime's own generator, so that the interpreter starts from the weights that the emitted C starts from. */
static void eval_random(const Node *n, Eval *e, double *out)
{
    int64_t dim[MAX_RANK];
    size_t count = (size_t)eval_shape(e, n->shape, dim);
    uint32_t stream = (uint32_t)n->attr.axis;
    switch ((Random)n->attr.kind) {
    case RANDOM_UNIFORM: ngrt_uniform(out, count, e->seed, stream, n->attr.value, n->attr.value2); break;
    case RANDOM_NORMAL: ngrt_normal(out, count, e->seed, stream, n->attr.value, n->attr.value2); break;
    case RANDOM_TRUNCATED: ngrt_truncated(out, count, e->seed, stream, n->attr.value, n->attr.value2); break;
    }
}

const OpInfo op_const = {.name = "const", .flags = F_LEAF};
const OpInfo op_size = {.name = "size", .flags = F_LEAF};
const OpInfo op_data = {.name = "data", .flags = F_LEAF};
const OpInfo op_var = {.name = "var", .flags = F_LEAF};
const OpInfo op_training = {.name = "training", .flags = F_LEAF};
const OpInfo op_iota = {.name = "iota", .flags = F_LEAF, .eval = eval_iota};
const OpInfo op_random = {.name = "random", .flags = F_LEAF, .eval = eval_random};
