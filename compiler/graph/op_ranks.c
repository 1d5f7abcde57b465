/* op_ranks.c - the record of what is summed up over all ranks, the processes that share the rows of
 * a batch (ranks.c). On one rank it is its operand. */
#include "graph/eval.h"

#include <string.h>

static void eval_over_ranks(const Node *n, Eval *e, double *out)
{
    int64_t count = eval_count(e, n->shape);

    memcpy(out, e->value[arg_id(n, 0)], (size_t)count * sizeof *out);
}

static Node *copy_over_ranks(Graph *g, const Node *n, Node *const *arg)
{
    return graph_over_ranks(g, arg[0], (OverRanks)n->attr.kind);
}

static void sizes_over_ranks(Graph *g, const Node *n, Size *out)
{
    out[0] = shape_count(g, n->shape);
}

Node *graph_over_ranks(Graph *g, Node *x, OverRanks kind)
{
    Node n = {.op = OP_over_ranks,
              .type = x->type,
              .shape = x->shape,
              .nargs = 1,
              .attr.kind = (int)kind};
    return graph_add(g, n, &x);
}

/* emit_call.c prints it. */
const OpInfo op_over_ranks = {.name = "over_ranks",
                              .attrs = 1 << A_KIND,
                              .arity = 1,
                              .copy = copy_over_ranks,
                              .eval = eval_over_ranks,
                              .sizes = sizes_over_ranks,
                              .call = "over_ranks($a, $y)",
                              .teach = "over ranks: the sum of what all ranks have"};
