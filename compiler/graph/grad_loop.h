/* grad_loop.h - the derivative of a loop, for grad.c */
#ifndef GRAD_LOOP_H
#define GRAD_LOOP_H

#include "graph/graph.h"

/* A loop from the last pass to the first, while it is made. */
typedef struct BackLoop {
    Graph *g;
    Node *loop;         /* the one that is differentiated */
    int nodes;          /* that there were before the sweep */
    int from;           /* nodes from this id on are of the body that goes back */
    const bool *wanted; /* by id */

    /* by variable of the loop; NULL: nothing flows back through it */
    Node **leaf; /* the adjoint of its value after the pass: within the forward body */
    Node **init; /* after the last pass */

    /* where the sweep through the body begins */
    Node **seeded, **seed;
    int seeds;

    /* what the loop contributes to the adjoints of values outside */
    Node **x, **dx;
    int count, room;
} BackLoop;

/* adjoint, wanted: by id, of the first `nodes` nodes. */
BackLoop back_loop_begin(Graph *, Node *loop, Node *const *adjoint, const bool *wanted, int nodes);

/* adjoint: by id, of the sweep through the body. */
void back_loop_end(BackLoop *, Node *const *adjoint);

#endif
