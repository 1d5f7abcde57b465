/* lower_loop.h - a for over a range, while it is lowered: for lower_loop.c and its helpers */
#ifndef LOWER_LOOP_H
#define LOWER_LOOP_H

#include "lang/lower.h"

/* A name that the body assigns, and that has a value outside. */
typedef struct Carried {
    Binding *b;
    Value *init;  /* before the loop */
    Value *first; /* after the first pass */
    Node *leaf;   /* in the general pass; NULL: a list */
    Node *next;
} Carried;

/* A state that the passes update. */
typedef struct LoopState {
    Var *var;
    Node *init;        /* before the loop */
    Node *first;       /* after the first pass */
    Node *leaf, *next; /* in the general pass */
} LoopState;

/* A for over a range, while it is lowered. */
typedef struct For {
    Lower *L;
    const Stmt *s;
    int64_t from; /* of the first pass */
    int64_t lo;   /* of the passes that are still to be lowered */
    Size passes;
    int number;    /* of the for */
    int notes[2];  /* Model.loops before its first pass, and after it */
    int64_t start; /* lo of the first pass */
    int streams;   /* of noise, before that pass */
    int draws;     /* those of one pass */
    Carried *carried;
    int count, room;
    LoopState *state;
    int states, state_room;
    Node **before; /* by number of a root: its node before the first pass */
    int befores;
    Node *test;      /* of while, in the general pass; NULL: there is none */
    const char *why; /* its passes are not alike, or NULL */
    Loc why_loc;
} For;

enum { KEPT_LEVELS = 3 };

/* One loop, or one over the passes of each segment inside one over the segments. A segment may have
 * parts, by a loop between the two. */
typedef struct Kept {
    Loop *loop[KEPT_LEVELS]; /* from the outermost to the innermost */
    Node *index[KEPT_LEVELS];
    Node *made[KEPT_LEVELS]; /* after the body: the nodes */
    int levels;              /* how many these are; 1: no segments */
    Size rows;           /* of what is collected: with segments, there may be more than passes */
    Node *count;         /* the passes of this segment or part; NULL: all have the same number */
    Node *segments_made; /* NULL: all */
} Kept;

static inline Loop *kept_innermost(const Kept *k)
{
    return k->loop[k->levels - 1];
}

/* Lists of nodes by carried tensor. */
typedef struct Variables {
    Node **leaf, **init, **next;
    int count;
} Variables;

/* ---- lower_loop_text.c: what the text of the body says ---- */

bool body_uses_list(const Stmt *, const char *list); /* otherwise than to append to it? */
bool body_assigns(const Stmt *, const char *name);   /* does it give the name a value? */
const Stmt *body_special(const Stmt *); /* the first that is not an assignment, or NULL */
void body_find_carried(For *, const Stmt *);

/* ---- what all of them ask ---- */

/* The passes are not alike, as said. */
static inline bool for_differs(For *f, Loc loc, const char *why)
{
    f->why = why;
    f->why_loc = loc;
    return false;
}

static inline struct PassAt for_pass_at(const For *f, int64_t pass)
{
    return (struct PassAt){.number = (int)pass, .from = (int)f->from, .loop = f->number};
}

static inline bool for_is_run_time(const For *f)
{
    return f->passes < 0;
}

/* Can it not be expanded? */
static inline bool for_must_stay(const For *f)
{
    return for_is_run_time(f) || f->s->test;
}

/* ---- lower_while.c ---- */

/* The condition before a pass in which the loop's name has this value; NULL: a message was given.
 */
Node *while_test(For *, struct PassAt, Value *index);
bool while_is_always(const Node *test); /* a number that is not 0 */
bool while_begins(For *);               /* is there a first pass, as far as is known? */
void while_hide_constants(For *);

/* ---- lower_segments.c ---- */

Kept kept_new(For *);
Node *kept_pass_number(const For *, const Kept *);   /* in the user's range */
Size kept_streams_before(const For *, const Kept *); /* of noise, those of the passes before */

/* Makes the nodes of the loops. The variables become those of the outermost, which is returned. */
Node *kept_make(const For *, Kept *, Variables *);

/* n of each pass: [passes, ..]. */
Node *kept_collect(const For *, const Kept *, Node *n);

/* ---- lower_loop_state.c ---- */

void states_before(For *);
void states_of_first_pass(For *); /* notes those that it has updated */
void states_begin(For *, const Loop *);
void states_end(For *);
void states_add(const For *, Variables *);                /* after the other variables */
void states_finish(For *, Node *loop, Node *const *leaf); /* leaf: those of the states */
void states_undo(For *);

/* ---- lower_loop_grad.c ---- */

/* Is each derivative in the body, from number `from` on, one of a single pass? */
bool body_derivatives_stay(For *, const Loop *, int from);

#endif
