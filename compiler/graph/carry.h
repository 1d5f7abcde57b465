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

/* What a node is to the rows of a batch: carry.c says more. */
typedef enum { IS_FIXED, IS_ROWS, IS_TOTAL, IS_MIXED } RowClass;

/* What is known of a node. The axis of the rows has before * m * after places. Row i is at the
 * places (a*m + i)*after + b, for all a < before and b < after. */
typedef struct RowInfo {
    RowClass class;
    int axis;        /* of the rows */
    Size before;     /* how often the rows follow each other on the axis */
    Size after;      /* how many places of a row are next to each other */
    bool alike;      /* all rows are equal, so any places will do */
    int walk;        /* how many walks must be over before it is known */
    bool varies;     /* a fixed value that is not a constant */
    bool carried;    /* it is a carrier */
    CarryKind kind;  /* of a carrier: how its total is made */
    const Node *why; /* of a mixed value: the node that mixes rows */
} RowInfo;

/* What is known of the nodes that some roots need. */
typedef struct RowClasses {
    Graph *g;
    bool at_once;        /* totals are known in the same walk: all rows are at hand, on ranks */
    RowInfo *info;       /* by node id */
    LoopOrder order;     /* of the nodes */
    const Loop *unrolls; /* a loop that must be replaced by its passes, or NULL */
} RowClasses;

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
RowClasses row_classes(Graph *, Node *const *root, int roots, bool at_once);
bool model_has_rows(const Model *); /* is there an input with rows: is the first size a batch? */
void modes_ranks(Modes *);          /* ranks.c: --ranks */
void modes_layout(Modes *);         /* layout.c: the order of axes */
void modes_sparse(Modes *);         /* sparse.c; sets Modes.step */

/* ---- carry_node.c: the rules for one node ---- */

RowInfo info_mixed(const Node *why);
int info_row_axis(const Graph *g, Shape s);
RowInfo info_of_passes(const RowClasses *a, const Node *loop);
RowInfo info_either_pass(const Node *n, RowInfo a, RowInfo b);
RowInfo info_of_node(const RowClasses *a, const Node *n);

#endif
