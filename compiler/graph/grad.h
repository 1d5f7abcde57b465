/* grad.h - shared by the files of the reverse sweep */
#ifndef GRAD_H
#define GRAD_H

#include "graph/grad_loop.h"

/* What a sweep finds of a node, by id: in a loop, only of nodes before the sweep through it. */
typedef struct Found {
    Node **adjoint;
    Node **mask;  /* 0 where the adjoint is 0; NULL: nothing is known */
    int *uses;    /* contributions so far */
    int *touched; /* the nodes that have any of this */
    int touches, touched_room;
} Found;

/* Which variables a node is computed from; a set of bits. */
enum { FROM_INPUTS = 1, FROM_OTHERS = 2 };

/* One sweep from a result back to the values x that the caller asks for. */
typedef struct Sweep {
    Graph *g;
    Node *loss; /* as the user wrote it */

    bool recorded; /* the steps of this sweep are those that are explained */
    Node **first;  /* if not recorded: the adjoints of the recorded sweep, by id */
    int n_first;   /* their number */

    int from;                 /* nodes from this id on were made by this sweep */
    int *order;               /* of the nodes, by graph_order */
    int nodes;                /* those that there were before it: the length of what is by id */
    bool *wanted;             /* by id: depends on one of the x */
    Risk *below;              /* by id: the worst slope between the node and the x */
    unsigned char *from_vars; /* by id: which variables it is computed from */
    const LoopPart *part;     /* of each loop, by Loop.id */

    const Loop *within; /* only through the body of this loop; NULL: of none */
    Found *found;       /* of the sweep at hand; those of the sweeps inside follow it */
    BackMemory *back;
} Sweep;

/* ---- grad_rule.c: rules, which are texts in the language ---- */

const Expr *rule_parsed(Graph *, Op, int operand);

/* The contribution of y = op(..) to the adjoint of an operand, by the rule of an elementwise op. */
Node *rule_apply(Graph *, Node *y, Node *dy, int operand);

/* May the slope of y with respect to that operand be infinite or NaN? */
Risk rule_risk(Graph *, const Node *y, int operand);

bool is_conv(const Node *y);
bool is_bilinear(const Node *y); /* each element is a sum of products of elements of its operands */

/* ---- grad_mask.c: where something may flow back ---- */

Node *mask_apply(Graph *, Node *mask, Node *x); /* where(mask, x, 0) */
Node *mask_undone(Node *mask, Node *dy);        /* what dy is where the mask is not 0 */

/* Sets Sweep.below and Sweep.from_vars of the nodes up to y. */
void mask_find_risks(Sweep *, const Node *y);

bool mask_is_needed(const Sweep *, const Node *y, int operand);
bool mask_reads_pole(const Sweep *, const Node *y, const Expr *rule);

/* The masks of what flows from y to each operand. */
void mask_operands(Sweep *, Node *y, Node **mask);

/* The sum of products y, of operands that are 0 where the mask is 0. */
Node *mask_factors(Sweep *, Node *y, Node *mask);

/* Another contribution to the adjoint of x has this mask, or NULL. */
void mask_add(Sweep *, const Node *x, Node *mask);

#endif
