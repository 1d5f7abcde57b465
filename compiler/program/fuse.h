/* fuse.h - what the files of the pass `fuse` tell each other: how the users of a node want it, and
 * which products are added onto a tensor.
 *
 * fuse.c calls the others in this order: demand.c, folded.c, stored.c, then, while it builds
 * kernels and after that, merge.c.
 */
#ifndef FUSE_H
#define FUSE_H

#include "program/program.h"

typedef struct Demand { /* how a node's users want it */
    int uses;           /* places in kernels where it is read */
    int back;           /* of them, those of derivatives, */
    int through;        /* and those of values that derivatives use and that may be part of them */
    bool buffer;        /* by address: an operand of a product, the tensor under a reshape */
    bool repeated;      /* some element is read more than once */
    bool target;        /* it is a root */
    const Target *last; /* the last of its targets; those before are linked by Target.before */
} Demand;

typedef struct Accumulation { /* y = x + c*(A B) */
    const Node *product;      /* A B */
    const Node *onto;         /* x */
    const Node *factor;       /* c, one number; NULL: 1 */
    bool minus;               /* x - c*(A B) */
} Accumulation;

/* ---- demand.c: how a node is used ---- */

Demand *find_demand(Program *); /* by slot */

bool is_renaming(const Node *); /* are its elements its operand's, in the same order? */
bool is_loop_product(const Program *, const Node *); /* a product that plain loops compute? */
bool is_call(const Program *, const Node *);         /* is it made by the runtime's function? */

/* ---- folded.c: what exists only as a part of another ---- */

/* By slot of the sum, NULL where there is none. The sum is stored, the product is not. */
Accumulation **find_accumulations(Program *, Demand *);

void find_nested_sums(Program *, const Demand *);
Node *adding_collect(const Program *, Node *); /* the collect whose parts are added to it */
void find_implicit_padding(Program *, Demand *);

/* ---- stored.c: which values are stored ---- */

void decide_storage(Program *, const Demand *);

/* ---- merge.c: kernels that walk the same elements become one ---- */

void add_kernel(Program *, Kernel *, int *made_by);
void merge_kernel(Program *, Kernel *, int *made_by); /* adds it, or puts it into another */
void keep_where_made(Program *); /* what is kept of a pass is stored where it is made */
void drop_stores(Program *);     /* what is read only in the loops that make it is not stored */

#endif
