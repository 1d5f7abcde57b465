/* grad_loop.h - the derivative of a loop, for grad.c */
#ifndef GRAD_LOOP_H
#define GRAD_LOOP_H

#include "graph/graph.h"

/* Memory that the derivatives of several loops use, one after the other. Between them, all is NULL
 * and false. */
typedef struct BackMemory {
    Node **now;              /* by id: what has taken its place in the body that goes back */
    bool *depends, *forward; /* by id: see grad_loop.c */
    int now_room, room;
    int *moved, *marked; /* ids for which there is something */
    int moves, moved_room, marks, marked_room;
} BackMemory;

/* A loop from the last pass to the first, while it is made. */
typedef struct BackLoop {
    Graph *g;
    Node *loop; /* the one that is differentiated */
    const LoopPart *part;
    int nodes;          /* that there were before the sweep */
    int from;           /* nodes from this id on are of the body that goes back */
    const bool *wanted; /* by id */
    BackMemory *memory;

    /* nodes that the sweep through the body has given adjoints, by id */
    const int *touched;
    int touches;

    /* of the sweep that the loop is in, by id; NULL: the loop needs no masks (see grad_mask.c) */
    Node *const *masks;
    const Risk *below;

    /* by variable of the loop; NULL: nothing flows back through it */
    Node **leaf; /* the adjoint of its value after the pass: within the forward body */
    Node **init; /* after the last pass */

    /* the same for the masks of these adjoints; NULL: it has none */
    Node **mask;
    Node **mask_init;

    /* where the sweep through the body begins */
    Node **seeded, **seed, **seed_mask;
    Node **seeds_of; /* what leaves the loop there; the variable, if it is only carried on */
    int seeds;
    Step *steps; /* of the graph, before the sweep through the body */

    /* what the loop contributes to the adjoints of values outside */
    Node **x, **dx, **dx_mask;
    int *operand; /* by these: Step.operand */
    int count, room;
} BackLoop;

/* The first members are given. adjoint: by id, of the first `nodes` nodes. */
void back_loop_begin(BackLoop *, Node *const *adjoint);

/* adjoint, mask: by id, of the sweep through the body. */
void back_loop_end(BackLoop *, Node *const *adjoint, Node *const *mask);

#endif
