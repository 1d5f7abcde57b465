/* eval.h - the reference interpreter */
#ifndef EVAL_H
#define EVAL_H

#include "graph/graph.h"

struct Eval {
    Ngc *ngc;
    Graph *graph;
    int64_t dim[ALL_DIMS]; /* values of the run-time dims, and of the indices of loops */
    const double **var;    /* by index of Model.var: elements, row-major */
    Model *model;
    double training;
    uint64_t seed;
    double **value; /* by node id: room for the elements, or NULL */
    bool *known;    /* by node id: the room holds the value */
    bool *need;     /* by node id: eval_node's own; false between its calls */
    int *order;     /* of the nodes that there were, by graph_order; NULL: not needed yet */
    int nodes;
    struct EvalLoop **loop; /* by node id: an OP_loop that was run, or NULL */
    int round;              /* calls of eval_node so far */
    bool exact_ints;        /* ints are not taken modulo 2^32 */
    struct Held *held;      /* by node id: what an OP_stop keeps; NULL: they are computed */
    const Node *outside;    /* the first index that was out of its range, or NULL */
    double outside_value;   /* and what it was */

    /* is called in each pass of an OP_loop, when the nodes of its body have the values of this
     * pass, and dim its number; or NULL */
    void (*watch)(void *watcher, const Node *loop, const Node *const *body, int count);
    void *watcher;
};

Eval *eval_new(Ngc *, Model *);
const double *eval_node(Eval *, Node *); /* computes what it needs; remembers */

/* Computes several nodes at once, so that a loop is run once for all of them. Those in the body of
 * a loop are computed in its passes, if the loop is needed too. */
void eval_nodes(Eval *, Node *const *n, int count);

void eval_forget(Eval *); /* after a change of a variable */

/* From now on, each stop(..) keeps the values that it has first, one for each pass of a loop: what
 * is computed again after eval_forget, of the same nodes, has these values. */
void eval_hold(Eval *);
void eval_release(Eval *);
/* Is a value kept? */
bool eval_holds(const Eval *);

/* The number of elements of a shape. */
int64_t eval_count(const Eval *, Shape);
/* The same, and its extents. */
int64_t eval_shape(const Eval *, Shape, int64_t *dim);

/* Of a slice the place of element index[] in its operand; of a pad, or of what a loop collects,
 * that of its operand's element in it. */
void strided_place(const Node *, const Eval *, const int64_t *index, int64_t *at);

#endif
