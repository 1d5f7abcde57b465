/* carry.h - losses and metrics of all rows, which come in batches; the roots of both modes */
#ifndef CARRY_H
#define CARRY_H

#include "graph/passes.h"

/* What batches contribute, and how contributions become one. */
typedef enum {
    CARRY_SUM,   /* added up */
    CARRY_MAX,   /* the largest stays */
    CARRY_FIRST, /* that of the first batch stays */
    CARRY_LAST,  /* that of the last one stays */
    CARRY_SAME,  /* equal for all batches */
} CarryKind;

typedef struct Carrier {
    CarryKind kind;
    int walk;    /* over all rows, from 0, in which it is gathered */
    Node *node;  /* computed for one batch */
    Node *total; /* the leaf that represents the total of all rows */
} Carrier;

typedef struct Link { /* a total that rows are computed with in later walks */
    Node *node;       /* as it occurs in the graph of a batch */
    int walk;         /* the first that reads it */
    Node *total;      /* what computes it from leaves */
} Link;

/* How a loss or metric of all rows comes from those of batches. */
typedef enum {
    OF_TOTALS, /* only by its totals */
    OF_SUM,    /* it is their sum */
    OF_MEAN,   /* it is their mean, weighted by rows */
} Gathering;

typedef struct Carry {
    Carrier *carrier;
    int carriers;
    Link *link;
    int links;
    Node **root; /* by index of Model.root: the loss or metric, computed from leaves; NULL: it has
                    no total */
    Gathering *gathering; /* by index of Model.root */
    Node *rows;           /* the leaf that represents the count of all rows */
    int walks;            /* over all rows */
} Carry;

struct Modes { /* the roots of a model in its two modes, by index of Model.root */
    Model *model;
    Node **use;   /* predict, eval: `training` is 0 */
    Node **learn; /* forward, backward, update, step: `training` is 1 */
    Node **step;  /* the same for step alone; NULL: those of learn */
    Carry *carry; /* of losses and metrics over all rows; NULL: there is nothing to carry */
};

void model_run_passes(Model *); /* the passes on the graph, after lower */
Modes model_modes(Model *);     /* the passes on the roots, before code is made of them */

void modes_training(Modes *); /* simplify.c; sets Modes.use and Modes.learn */
void modes_carry(Modes *);    /* carry.c; sets Modes.carry */
void carry_check(Model *);    /* errors and warnings about what cannot be carried */
void modes_layout(Modes *);   /* layout.c: the order of axes */
void modes_sparse(Modes *);   /* sparse.c; sets Modes.step */

#endif
