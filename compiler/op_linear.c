/* op_linear.c - the record of the matrix product. */
#include "ngc.h"

static void eval_matmul(const Node *n, Eval *e, double *out)
{
    const Node *a = n->arg[0], *b = n->arg[1];
    int64_t dim[MAX_RANK], da[MAX_RANK], batch = 1;
    int r = n->shape.rank;
    bool ta = n->attr.ta, tb = n->attr.tb;
    eval_shape(e, n->shape, dim);
    eval_shape(e, a->shape, da);
    int64_t m = dim[r - 2], p = dim[r - 1], k = da[r - 1 - ta];
    for (int i = 0; i < r - 2; i++)
        batch *= dim[i];
    for (int64_t t = 0; t < batch; t++)
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < p; j++) {
                const double *x = e->value[a->id] + t * m * k, *w = e->value[b->id] + t * k * p;
                double sum = 0;
                for (int64_t l = 0; l < k; l++)
                    sum += x[ta ? l * m + i : i * k + l] * w[tb ? j * k + l : l * p + j];
                out[(t * m + i) * p + j] = sum;
            }
}

/* y = A B;  dA = dy B', dB = A' dy.  Where an operand is stored transposed, so is its gradient: the same two products in
 * the other order. No transpose is ever computed. */
static void back_matmul(Graph *g, const Node *y, Node *dy, Node **dx)
{
    Node *a = y->arg[0], *b = y->arg[1];
    bool ta = y->attr.ta, tb = y->attr.tb;
    dx[0] = ta ? graph_matmul(g, b, dy, tb, true) : graph_matmul(g, dy, b, false, !tb);
    dx[1] = tb ? graph_matmul(g, dy, a, true, ta) : graph_matmul(g, a, dy, !ta, false);
}

const OpInfo op_matmul = {.name = "matmul", .arity = 2, .eval = eval_matmul, .back = back_matmul,
                          .rule = {"dy @ b'", "a' @ dy"}, .teach = "matrix product: the other operand, transposed"};
