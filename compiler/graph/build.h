/* build.h - what the files of builders share: graph.c, graph_map.c, graph_view.c, graph_index.c. */
#ifndef BUILD_H
#define BUILD_H

#include "graph/graph.h"

#include <math.h>

static inline uint32_t all_axes(Shape s)
{
    return (1u << s.rank) - 1;
}

/* May a builder look at the operands of n? Only if no gradient with respect to n can be asked for.
 */
static inline bool may_open(const Graph *g, const Node *n)
{
    return (!n->bound || g->final) && !g->ngc->opt.literal;
}

static inline bool is(const Graph *g, const Node *n, Op op)
{
    return n->op == op && may_open(g, n);
}

static inline Node *add_unary(Graph *g, Op op, Shape shape, Node *a, struct Attr attr)
{
    return graph_add(g, (Node){.op = op, .type = a->type, .shape = shape, .nargs = 1, .attr = attr},
                     &a);
}

static inline Node *number(Graph *g, Type type, double v)
{
    if (type == T_INT)
        v = trunc(v);
    return graph_add(g, (Node){.op = OP_const, .type = type, .attr.value = v}, NULL);
}

/* The number that a constant of any shape holds, in another shape. */
static inline Node *refill(Graph *g, const Node *a, Shape shape)
{
    double v = 0;
    node_const(a, &v);
    return graph_expand(g, number(g, a->type, v), shape, all_axes(shape));
}

/* Does the reshape from a to b only insert and remove axes of size 1? */
static inline bool trivial(Shape a, Shape b)
{
    int i = 0, k = 0;
    for (;;) {
        while (i < a.rank && a.dim[i] == 1)
            i++;
        while (k < b.rank && b.dim[k] == 1)
            k++;
        if (i == a.rank || k == b.rank)
            return i == a.rank && k == b.rank;
        if (a.dim[i++] != b.dim[k++])
            return false;
    }
}

#endif
