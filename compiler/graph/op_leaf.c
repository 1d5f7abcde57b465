/* op_leaf.c - records of values that are given, not computed: operations without operands, and
 * noise. */
#include "graph/eval.h"

#include "../runtime/ngrt.h"

static void eval_iota(const Node *n, Eval *e, double *out)
{
    int64_t dim[MAX_RANK], index[MAX_RANK] = {0}, i = 0;
    if (eval_shape(e, n->shape, dim) > 0)
        do
            out[i++] = (double)index[n->attr.axis];
        while (index_next(n->shape.rank, dim, index));
}

/* The runtime's own generator, so that the interpreter starts from the weights that the emitted C
 * starts from. */
static void eval_random(const Node *n, Eval *e, double *out)
{
    size_t count = (size_t)eval_count(e, n->shape);
    uint32_t stream = (uint32_t)n->attr.stream;
    switch ((Random)n->attr.kind) {
    case RANDOM_UNIFORM:
        ngrt_uniform(out, count, e->seed, stream, n->attr.value, n->attr.value2);
        break;
    case RANDOM_NORMAL:
        ngrt_normal(out, count, e->seed, stream, n->attr.value, n->attr.value2);
        break;
    case RANDOM_TRUNCATED:
        ngrt_truncated(out, count, e->seed, stream, n->attr.value, n->attr.value2);
        break;
    case RANDOM_ORTHOGONAL:
        ngrt_orthogonal(out, count, e->seed, stream, n->attr.value, n->attr.value2);
        break;
    }
}

static void eval_noise(const Node *n, Eval *e, double *out)
{
    size_t count = (size_t)eval_count(e, n->shape);
    int64_t stream = n->attr.stream + size_at(e->graph, n->attr.size, e->dim);
    ngrt_uniform(out, count, (uint64_t)*e->value[arg_id(n, 0)], (uint32_t)stream, 0, 1);
}

static void sizes_noise(Graph *g, const Node *n, Size *out)
{
    out[0] = shape_count(g, n->shape);
}

/* ---- the same on other operands ---- */

static Node *copy_noise(Graph *g, const Node *n, Node *const *arg)
{
    Indices before = graph_use_indices(g, arg + 1, n->nargs - 1);
    Node *noise = NULL;
    if (n->attr.kind)
        noise = graph_noise_of_rows(g, n, arg[0]);
    if (!noise)
        noise = graph_noise(g, n->shape, arg[0], n->attr.stream, n->attr.size);
    graph_restore_indices(g, before);
    return noise;
}

const OpInfo op_const = {.name = "const", .attrs = 1 << A_VALUE, .flags = F_LEAF};
const OpInfo op_size = {.name = "size", .attrs = 1 << A_SIZE, .flags = F_LEAF | F_RUN_TIME};
const OpInfo op_data = {.name = "data", .attrs = 1 << A_DATA, .flags = F_LEAF};
const OpInfo op_var = {.name = "var", .attrs = 1 << A_VAR, .flags = F_LEAF | F_RUN_TIME};
const OpInfo op_training = {.name = "training", .flags = F_LEAF | F_RUN_TIME};
const OpInfo op_iota = {.name = "iota", .attrs = 1 << A_AXIS, .flags = F_LEAF, .eval = eval_iota};

const OpInfo op_random = {.name = "random",
                          .attrs = 1 << A_VALUE | 1 << A_VALUE2 | 1 << A_KIND | 1 << A_STREAM,
                          .flags = F_LEAF,
                          .eval = eval_random};

/* Uniform in [0, 1). It depends only on the count of draws, which is a state, and on the number of
 * its stream, so a step can be repeated. In a loop, each pass has a stream of its own: the index of
 * each loop is an operand. */
const OpInfo op_noise = {.name = "noise",
                         .attrs = 1 << A_STREAM | 1 << A_SIZE | 1 << A_KIND,
                         .arity = -1,
                         .copy = copy_noise,
                         .flags = F_FLAT,
                         .eval = eval_noise,
                         .sizes = sizes_noise,
                         .call = "ngrt_uniform@($y, (size_t)$0, (uint64_t)$a$r, $k, 0.0, 1.0)",
                         .teach = "random: passes nothing back"};
