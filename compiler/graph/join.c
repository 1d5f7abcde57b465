/* join.c - pieces side by side. What flows back to parts of a row, such as the gates of an LSTM, is
 * a sum of these parts, each with zeros around it. Where they follow one another along the last
 * axis and fill it, the sum is their concat, and nothing is added:
 *
 *   pad(a, at 0) + pad(b, at 256) + .. = concat(a, b, ..)
 *
 * A loop over the sum would ask for each element which part it is in, and have no vectors. This is
 * not done for short parts, whose sum can be fused with what reads it, nor along other axes, where
 * the loop asks once for a row.
 *
 * Requires: the final graph; no gradient is asked after it. Keeps: the values of all roots. */
#include "graph/graph.h"

enum {
    PIECES = 32, /* at most */
    SHORT = 64   /* elements of a piece that are too few */
};

typedef struct Pieces {
    Node *pad[PIECES];
    int count;
} Pieces;

/* Is n a piece of its last axis, with zeros before and after it? */
static bool is_piece(const Node *n)
{
    int last = n->shape.rank - 1;
    if (n->op != OP_pad || n->nargs > 1 || last < 0)
        return false;

    const Size *lo = n->attr.lo;
    const Size *step = n->attr.step;
    const Size *whole = n->shape.dim;
    const Size *piece = n->arg[0]->shape.dim;
    for (int i = 0; i < last; i++)
        if (lo[i] != 0 || step[i] != 1 || whole[i] != piece[i])
            return false;

    bool is_known = lo[last] >= 0 && whole[last] >= 0;
    return is_known && step[last] == 1 && piece[last] >= SHORT;
}

/* The number of pieces that n is the sum of; 0: it has other terms, or too many. `pieces` has those
 * of its operands. */
static int count_pieces(const Node *n, const int *pieces)
{
    if (n->op != OP_add)
        return is_piece(n);

    int first = pieces[n->arg[0]->id];
    int second = pieces[n->arg[1]->id];
    if (first == 0 || second == 0 || first + second > PIECES)
        return 0;
    return first + second;
}

/* The pieces of a sum that has no other terms. */
static void take_pieces(Node *n, Pieces *p)
{
    if (n->op == OP_add) {
        take_pieces(n->arg[0], p);
        take_pieces(n->arg[1], p);
        return;
    }
    p->pad[p->count++] = n;
}

/* The piece that begins at this place, or NULL. */
static Node *piece_at(const Pieces *p, Size place)
{
    for (int i = 0; i < p->count; i++)
        if (p->pad[i]->attr.lo[p->pad[i]->shape.rank - 1] == place)
            return p->pad[i];
    return NULL;
}

/* The concat that a sum of pieces is, or NULL. */
static Node *join(Graph *g, Node *n, Node *const *now)
{
    Pieces p = {0};
    Node *arg[PIECES];
    int last = n->shape.rank - 1;
    Size end = 0;

    take_pieces(n, &p);
    for (int i = 0; i < p.count; i++) {
        const Node *pad = piece_at(&p, end);
        if (pad == NULL)
            return NULL;
        arg[i] = now[pad->arg[0]->id];
        end += pad->arg[0]->shape.dim[last];
    }
    if (end != n->shape.dim[last])
        return NULL;
    return graph_concat(g, arg, p.count, last);
}

static Node *joined(Graph *g, Node *n, Node *const *now, void *with)
{
    int *pieces = with;

    pieces[n->id] = count_pieces(n, pieces);
    if (pieces[n->id] > 1)
        return join(g, n, now);
    return NULL;
}

void model_join(Model *m)
{
    Graph *g = m->graph;
    int count;
    Node **root = model_take_roots(m, &count);

    int *uses = graph_uses(g, root, count);
    int *pieces = arena_array(g->ngc, g->count + 1, sizeof *pieces);
    graph_replace(g, root, count, uses, joined, pieces);
    model_put_roots(m, root);
}
