/* cost.c - what kernels cost: operations, passes, and an estimate of their time.
 *
 * In: kernels of a program. Out: numbers, with run-time sizes at their bounds. Passes decide by
 * them (share.c) and the report prints them. Nothing is changed. */
#include "program/program.h"

/* The share of a product that is computed, if the elements of a matrix [rows, columns] above a
 * diagonal are left out: whole blocks of rows are. */
static double half_share(int64_t rows, int64_t columns, int64_t diagonal, int64_t block)
{
    double done = 0;

    for (int64_t i = 0; i < rows; i += block) {
        /* rows i .. end - 1 are computed up to the diagonal of the last of them */
        int64_t end = min_int64(i + block, rows);
        int64_t most = end + diagonal;
        if (most > 0)
            done += (double)(end - i) * (double)min_int64(most, columns);
    }
    return done / ((double)rows * (double)columns);
}

/* Of the passes of the innermost loop, or of the multiply-adds of a product, those that are done.
 */
static double kernel_share(Graph *g, const Kernel *k)
{
    if (k->half == HALF_NONE)
        return 1;
    if (k->half == HALF_LOOP) {
        int64_t rows = size_max(g, k->extent[k->row]);
        int64_t columns = size_max(g, k->extent[k->axes - 1]);
        return half_share(rows, columns, k->diagonal, 1);
    }

    const Node *n = k->half == HALF_A ? k->product->arg[0] : k->product;
    const Size *size = &n->shape.dim[n->shape.rank - 2];
    return half_share(size_max(g, size[0]), size_max(g, size[1]), k->diagonal, HALF_ROWS);
}

/* Of a product or a convolution: a multiply-add for each product that is added. */
static int64_t product_flops(Graph *g, const Node *n)
{
    const OpInfo *info = op_info[n->op];
    if (!info->terms)
        return 0;
    return 2 * shape_count_max(g, n->shape) * size_max(g, info->terms(g, n));
}

/* Of a nest of loops: each value is computed once for each pass of the loops that are open where it
 * is computed, and a fold takes one operation in each pass. */
static int64_t loop_flops(Graph *g, const Kernel *k)
{
    int64_t passes[MAX_AXES + 1] = {1};
    int64_t flops = 0;

    for (int i = 0; i < k->axes; i++)
        passes[i + 1] = passes[i] * size_max(g, k->extent[i]);
    /* only the innermost loop ends early */
    passes[k->axes] = (int64_t)((double)passes[k->axes] * kernel_share(g, k));

    for (int i = 0; i < k->vals; i++) {
        const Val *v = k->val[i];
        if (v->kind == V_OP && v->op != OP_cast)
            flops += passes[v->level];
    }
    if (kernel_reduces(k))
        flops += passes[k->axes];
    return flops;
}

int64_t kernel_flops(const Program *p, const Kernel *k)
{
    Graph *g = p->graph;
    int64_t flops = 0;

    switch (k->kind) {
    case K_GEMM:
    case K_CALL: return (int64_t)((double)product_flops(g, k->product) * kernel_share(g, k));
    case K_FOR:
    case K_TEST:
    case K_NEXT:
    case K_RANDOM: return 0;
    case K_LOOP: break;
    }

    if (!k->member)
        return loop_flops(g, k);
    for (int i = 0; i < k->members; i++)
        flops += kernel_flops(p, k->member[i]);
    return flops;
}

double common_rate(const Ngc *ngc)
{
    /* as of two multiply-adds of 8 floats a cycle, at 2.5 GHz */
    return ngc->opt.real_double ? 40 : 80;
}

/* Passes of the innermost loop. */
static double kernel_passes(const Program *p, const Kernel *k)
{
    double passes = 1;

    for (int i = 0; i < k->axes; i++)
        passes *= (double)size_max(p->graph, k->extent[i]);
    return passes;
}

double kernel_time(const Program *p, const Kernel *k)
{
    enum { PER_NS = 8, DRAW = 5 }; /* elements a nanosecond; nanoseconds of a random number */
    double flops = (double)kernel_flops(p, k);
    double time = 0;

    if (k->kind == K_FOR || k->kind == K_TEST || k->kind == K_NEXT)
        return 0;
    if (k->kind == K_GEMM || k->kind == K_CALL)
        return flops / common_rate(p->ngc);
    if (k->kind == K_RANDOM)
        return DRAW * (double)shape_count_max(p->graph, k->store[0].node->shape);

    if (k->member) {
        for (int i = 0; i < k->members; i++)
            time += kernel_time(p, k->member[i]);
        return time;
    }
    int stores = k->stores ? k->stores : 1;
    /* operations, and as much for each element that is stored */
    return flops / PER_NS + kernel_passes(p, k) * stores / PER_NS;
}
