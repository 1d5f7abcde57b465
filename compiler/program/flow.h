/* flow.h - a program as kernels that read and write values, to see how much memory it needs where
 * backward computes values of forward again instead of keeping them.
 *
 * flow.c makes it and measures it, budget.c chooses the values, recompute.c changes the program.
 */
#ifndef FLOW_H
#define FLOW_H

#include "program/program.h"

enum { MAX_PIECES = 64 }; /* of one unit: bits of a set */

typedef struct Piece { /* one store of a kernel, with what it needs */
    int value;         /* the slot that is stored; -1: only the place of a target */
    int member, store; /* where it is: the member of a nest (0: no nest), and the store in it */
    int *read;         /* slots that it reads, each once */
    int reads;
    int *over; /* slots among those that the kernel reads: it may write over them */
    int overs;
    bool fixed;  /* it writes to a place that cannot be chosen */
    double time; /* estimated nanoseconds */
} Piece;

typedef struct Unit { /* one kernel, or a loop that stays a loop */
    KernelRun item;
    Kernel *kernel; /* the first of the item */
    Piece *piece;   /* of a loop: what it reads from outside, and each value that others read */
    int pieces;
    bool whole;    /* all pieces or none */
    bool repeats;  /* it may be computed again; a loop is not */
    int64_t bytes; /* of a loop: the most that live at one time of what only it uses */
} Unit;

typedef enum {
    FLOW_KEEP,  /* until backward has read it */
    FLOW_AGAIN, /* it is computed again once, with what else its kernel computes */
    FLOW_LATE,  /* the same, but not before it is needed itself */
    FLOW_BRIEF, /* it is computed again for each kernel of backward that needs it */
} FlowWay;

typedef struct FlowStep { /* a unit where it is computed */
    int unit;
    bool again;
    uint64_t pieces; /* those that are computed */
} FlowStep;

typedef struct Flow {
    Program *p;
    Unit *unit; /* those of forward, then the others, both in the program's order */
    int units, forwards;
    bool phases; /* backward is a function of its own */

    /* by slot */
    int values;
    int64_t *bytes;  /* in work.space; 0: it is elsewhere, or a number */
    bool *droppable; /* a value of forward that may be computed again */
    bool *row;       /* it exists only inside of its nest */
    int *first;      /* maker[first[v]] .. maker[first[v + 1] - 1] are the units that store v */
    int *maker;
    struct Use *use; /* flow_loop: of the values of one loop; those of all others are 0 */
    int *last_read;  /* the last unit of forward that reads it; -1: none */
    bool *saved;     /* backward reads it */

    /* the question: what becomes of each droppable value? */
    FlowWay *way;

    /* the answer of flow_schedule */
    FlowStep *step;
    int steps, step_room;
    bool *made; /* by slot: it is there again */
    int *asked; /* by slot: the last unit of backward that reads it, so far */
    int *brief; /* values that are there for one kernel of backward only */
    int briefs;
    double extra; /* nanoseconds of what is computed again */
    int64_t cost; /* slots visited so far, by all schedules and measures */

    /* the answer of flow_measure */
    int64_t peak;  /* bytes */
    double excess; /* above the room: sum over all steps */
    int *now;      /* by slot: the life of what is read as it at the step at hand */
    struct Life *life;
    int lives, life_room;
    int64_t *change; /* by step: bytes that are added there */
    int change_room;
} Flow;

/* ---- flow_order.c ---- */

/* Orders kernels and loops, of which the first are those of forward. */
void flow_order(Program *, KernelRun *, int count, int forwards);

/* Of those of backward, what makes values for others comes right before the first of these. */
void flow_order_late(Program *, KernelRun *, int count, int forwards);

/* ---- flow_loop.c ---- */

/* The kernels of a program and its loops, in order; returns their number. */
int flow_items(Program *, KernelRun *);

/* A loop as a unit. uses: by slot, the reads and stores of all kernels. */
Unit flow_loop(Flow *, KernelRun, const int *uses);

/* ---- flow.c ---- */

Flow *flow_new(Program *); /* NULL: nothing can be computed again */
void flow_schedule(Flow *);
void flow_measure(Flow *, int64_t room); /* after flow_schedule */

/* Is slot v read as it is computed again? */
bool flow_drops(const Flow *, int v);

/* Does the step begin another copy of v, which it stores? It may also add to what is there. */
bool flow_begins(const Flow *, const FlowStep *, int v);

/* ---- budget.c ---- */

/* Sets Flow.way so that the peak is at most `room` bytes and as little as possible is computed
 * again; where that cannot be, to the lowest peak that it finds. Schedules it, too. */
void budget_choose(Flow *, int64_t room);

#endif
