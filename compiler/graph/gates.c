/* gates.c - the slope of a sigmoid by one exponential. It is y (1 - y), and 1 - y, which would lose
 * its digits near 1, was made sigmoid(-z) (simplify.c): two sigmoids. In a product both are
 *
 *   sigmoid(z) sigmoid(-z) = e/(1 + e)^2   with e = exp(-abs(z))
 *
 * as in the slope of tanh. It needs z alone, so y need not be kept for it.
 *
 * Requires: the final graph; no gradient is asked after it. Keeps: the values of all roots. */
#include "graph/graph.h"

enum { FACTORS = 16 }; /* of a product, at most */

typedef struct Factors {
    Node *node[FACTORS];
    int count;
    bool all; /* there are no others */
} Factors;

/* Adds the factors of n, as far as there is room for them: a product may have thousands. */
static void take_factors(Node *n, Factors *f, int depth)
{
    if (!f->all)
        return;
    if (f->count == FACTORS || depth == FACTORS) {
        f->all = false;
    } else if (n->op == OP_mul) {
        take_factors(n->arg[0], f, depth + 1);
        take_factors(n->arg[1], f, depth + 1);
    } else {
        f->node[f->count++] = n;
    }
}

/* Are they sigmoid(z) and sigmoid(-z)? */
static bool are_pair(const Node *y, const Node *rest)
{
    return y->op == OP_sigmoid && rest->op == OP_sigmoid && rest->arg[0]->op == OP_neg &&
           rest->arg[0]->arg[0] == y->arg[0];
}

/* Finds such a pair among the factors of n; they are in y and rest then. */
static bool find_pair(Node *n, Factors *f, int *y, int *rest)
{
    *f = (Factors){.all = true};
    take_factors(n, f, 0);
    if (!f->all)
        return false;

    for (int i = 0; i < f->count; i++)
        for (int k = 0; k < f->count; k++)
            if (are_pair(f->node[i], f->node[k])) {
                *y = i;
                *rest = k;
                return true;
            }
    return false;
}

static bool has_pair(Node *n)
{
    Factors f;
    int y, rest;
    return n->op == OP_mul && find_pair(n, &f, &y, &rest);
}

static Node *slope_of(Graph *g, Node *z)
{
    Node *e = graph_unary(g, OP_exp, graph_unary(g, OP_neg, graph_unary(g, OP_abs, z)));
    Node *root = graph_binary(g, OP_add, graph_const(g, 1), e);

    return graph_binary(g, OP_div, e, graph_binary(g, OP_mul, root, root));
}

/* The product n with the slope in place of a pair; NULL: it has none, or an operand has it. */
static Node *with_slope(Graph *g, Node *n, Node *const *now, void *with)
{
    Factors f;
    int y, rest;

    (void)with;
    if (n->op != OP_mul || has_pair(n->arg[0]) || has_pair(n->arg[1]) ||
        !find_pair(n, &f, &y, &rest))
        return NULL;

    Node *product = slope_of(g, now[f.node[y]->arg[0]->id]);
    for (int i = 0; i < f.count; i++)
        if (i != y && i != rest)
            product = graph_binary(g, OP_mul, now[f.node[i]->id], product);
    return product;
}

void model_gates(Model *m)
{
    int count;
    Node **root = model_take_roots(m, &count);

    int *uses = graph_uses(m->graph, root, count);
    graph_replace(m->graph, root, count, uses, with_slope, NULL);
    model_put_roots(m, root);
}
