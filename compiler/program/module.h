/* module.h - a model as a module: the functions of its interface, the blocks of memory they work
 * on, and the names, members and sizes of all that.
 *
 * module_build makes it of a model, by programs (program.h) that are planned. Nothing is printed:
 * emit_c.c prints it as C, manifest.c as JSON, report.c as counts. Another target reads it in the
 * same way (README.md, A new target). Readers change nothing in it. The C printer still leaves
 * marks for itself: Val.temp, test and ops, and the names of P_LOCAL and P_ROW.
 */
#ifndef MODULE_H
#define MODULE_H

#include "program/program.h"

typedef struct Module Module;

enum {
    LINE = 64,           /* bytes of a cache line */
    WORTH_A_LINE = 4096, /* bytes of space that is worth beginning on one */
};

/* The blocks of memory that functions take, in the order of their arguments. */
typedef enum {
    BLOCK_PARAMS,
    BLOCK_STATE,
    BLOCK_INPUTS,
    BLOCK_WORK,
    BLOCK_GRADS,
    BLOCK_TOTALS,
    BLOCK_COUNT,
    BLOCK_FROZEN = BLOCK_COUNT /* constants, which no function is given */
} Block;

/* Sets of blocks, and a seed. */
enum {
    USES_PARAMS = 1 << BLOCK_PARAMS,
    USES_STATE = 1 << BLOCK_STATE,
    USES_INPUTS = 1 << BLOCK_INPUTS,
    USES_WORK = 1 << BLOCK_WORK,
    USES_GRADS = 1 << BLOCK_GRADS,
    USES_TOTALS = 1 << BLOCK_TOTALS,
    USES_SEED = 1 << BLOCK_COUNT,
};

typedef struct BlockInfo {
    unsigned use;     /* its bit of USES_*; 0: BLOCK_FROZEN */
    const char *type; /* "inputs": its struct is MODEL_inputs */
    const char *name; /* "in": the argument */
} BlockInfo;

enum { MODEL_BLOCKS = BLOCK_TOTALS }; /* the first blocks: those that the descriptor knows */

extern const BlockInfo block_info[BLOCK_COUNT + 1];
extern const Block block_of_var[]; /* by VarKind */

/* ---- functions ---- */

/* In the order of the interface. */
typedef enum {
    FN_INIT,
    FN_PREDICT,
    FN_EVAL,
    FN_FORWARD,
    FN_BACKWARD,
    FN_UPDATE,
    FN_STEP,
    FN_GROUP, /* FN_GROUP + i: step of one minimize */
} Fn;

typedef struct Function {
    Fn fn;
    const char *name; /* "predict" */
    Program *program; /* what it computes; forward and backward share one */

    /* checks the indices that the program computes; NULL: there are none, or forward checks them */
    Program *check;

    int phase;       /* the phase of the program that it runs; -1: all of it */
    unsigned blocks; /* its arguments, as USES_* */
    unsigned writes; /* the arguments that are not const */
    unsigned dims;   /* run-time dims that it checks: a bit for each */
    bool *reads;     /* by index of Model.var: it checks and uses this variable */
    bool shared;     /* by the threads of a pool */

    /* 0, except for what metrics_add does in a later walk over the rows: that is private */
    int walk;
} Function;

/* ---- members of blocks ---- */

typedef Table Taken; /* names given out in one scope */

typedef struct Member { /* of the work struct */
    const char *name;   /* in C */
    Type type;          /* of an element */
    Shape shape;
    bool named;       /* by the user */
    int program;      /* number of the last program that took it */
    const char *note; /* the user's name */
    int next;         /* 1 + the index of the next member of its kind; 0: it is the last */
} Member;

typedef struct MemberKind { /* members of one shape, type and name: one can stand for another */
    int first, last;        /* 1 + the indices of its members, which Member.next links */
    int program;            /* number of the last program that looked for one */
    int free;               /* that program has taken those before this one */
} MemberKind;

typedef struct Total { /* a member of the totals struct, of doubles */
    const char *name;  /* in C */
    const Shape *shape;
    const char *note; /* what it holds, for a comment, or NULL */
} Total;

/* ---- losses and metrics of all rows ---- */

/* Where a carrier or a link of carry.c's plan is. */
typedef struct Gathered {
    const char *member; /* of work: for the rows of a batch */
    const char *total;  /* of totals: for all rows */
    bool own;           /* the member of work belongs to no root */
} Gathered;

typedef struct Metrics { /* what module_metrics.c makes of carry.c's plan */
    Carry *carry;
    Gathered *carrier; /* by carrier */
    Gathered *link;    /* by link */

    /* by index of Model.root */
    const char **of_root; /* its member of totals; NULL: it has none */

    /* other members of totals */
    const char *rows, *seen;   /* rows in all, rows in this walk */
    const char *walk;          /* the number of this walk */
    const char *dim[MAX_DIMS]; /* the run-time sizes after the first */

    Total *total; /* the members of totals that are doubles */
    int totals, total_room;
    Taken names; /* of all members of totals */

    Function *end;           /* by walk: what is computed when it is over */
    unsigned blocks, writes; /* of metrics_add, as USES_* */
    int64_t space, ispace;   /* elements of space that the ends need: reals and ints */
} Metrics;

/* ---- the module ---- */

struct Module {
    Ngc *ngc;
    Model *model;
    Graph *graph;
    bool plain; /* at -O0: a value that is stored is a member of work */

    /* names */
    const char *name, *upper;      /* prefix, and in capitals */
    const char *dim[MAX_DIMS];     /* the run-time dims' members of inputs */
    const char *dim_max[MAX_DIMS]; /* names of their bounds */
    const char *dim_prefix;        /* goes before a dim's name in code */

    /* functions */
    Function *function;
    int functions;
    Metrics *metrics; /* NULL: there is nothing to gather over batches */

    /* work */
    Member *member;
    int members, member_room;
    int pinned;            /* the first `pinned` members belong to roots and metrics */
    int64_t space, ispace; /* elements of the space that functions plan: reals and ints */
    int spare;             /* elements more, so that space can begin on a cache line; 0: small */
    int64_t room;          /* bytes of that for each function; -1: no limit */
    bool tight;            /* a program that does not fit becomes as small as it can */
    int temps;             /* at -O0: t0, t1, ... below this number are other names already */

    /* while it is built */
    Table member_of; /* a node, or a member's name: 1 + its place */
    MemberKind *kind;
    int kinds, kind_room;
    Table kind_of;      /* what a kind's members have in common, as interned text: 1 + its place */
    Taken member_names; /* of members of work */
    int programs;       /* those whose values have members: the last is the one at hand */
};

/* module.c */
bool function_has(const Function *, const Kernel *);
bool module_has_root(const Module *, RootKind);
bool module_has_var(const Module *, VarKind); /* run-time sizes are inputs too */

bool module_has_block(const Module *, Block);

/* module_names.c */
void module_names(Module *);

/* module_members.c, after it */
void module_members(Module *);                   /* work's members for roots */
bool module_keeps(const Module *, const Root *); /* is it a member of work? */
Member *module_add_member(Module *, Member);
void module_place_values(Module *); /* at -O0: gives every value that is stored a member of work */
Place root_place(const Root *);     /* where a root is delivered */

/* module_fit.c */
int64_t program_bytes(const Program *); /* of the values that it stores in work */

/* A program of training that needs at most Module.room bytes, or as few as can be. */
Program *program_fit(const Module *, const char *name, const Target *, int targets);

int64_t module_work_bytes(const Module *);            /* of the work struct */
void module_too_large(const Module *, int64_t least); /* an error: it cannot be made to fit */
const char *segments_text(Ngc *);                     /* the lengths of --segment in words */

/* module_metrics.c: in the order in which they are called */

/* root: by index of Model.root, with training = 0. */
void module_metrics(Module *, Carry *, Node *const *root);

/* What the program of a walk delivers besides roots. Returns how many there are. */
int metrics_targets(const Module *, int walk, Target *);

Program *metrics_walk(const Module *, int walk); /* of a walk that is not the first */
void metrics_ends(Module *);                     /* when all functions are known */

/* module_index.c: what checks the indices of a program, or NULL */
Program *index_program(const Module *, const Program *);

/* module_row.c: does a step on a batch of one row leave the state as it is, though others do not?
 */
bool module_stays_of_one_row(const Module *, const Var *);

/* module_size.c: bytes, with run-time sizes at their bounds */
typedef struct StructSize { /* of a struct, while its members are added one after another */
    int64_t size, align;
} StructSize;

int64_t struct_add(StructSize *, int64_t size, int64_t align); /* the member's offset */
int64_t struct_bytes(const StructSize *);                      /* with what is after the last */
int64_t type_size(const Ngc *, Type);                          /* bytes of an element */
int64_t module_count(const Module *, Shape);                   /* elements */
int64_t module_bytes(const Module *, Type, Shape);

/* The work struct, for pointers of this size. Writes the place of each member to offset, unless
 * that is NULL. */
StructSize module_work(const Module *, int64_t pointer, int64_t *offset);
StructSize module_totals(const Module *);          /* empty: there are none */
int64_t module_total_at(const Module *, int root); /* where a root's total is; 0: it has none */

/* module_cost.c */
typedef struct Cost { /* of a function */
    int kernels;
    int64_t flops;
    int64_t read, written; /* bytes of tensors in memory, not of a function's variables */
} Cost;

typedef struct SavedCost { /* of the values of forward that backward reads */
    int count;
    int64_t bytes;
    const Kernel **wanted; /* by slot: the first kernel of backward that reads it, or NULL */
} SavedCost;

typedef struct AgainCost { /* of the values of forward that backward computes again */
    int values, kernels;
    int64_t flops;
    double part; /* of the estimated time of all other kernels of the program */

    /* passes of loops in segments, which the way back computes again */
    int64_t loop_flops;
    double loop_part; /* of the time of all that is not computed again for that */
} AgainCost;

Cost function_cost(const Function *);
AgainCost function_again(const Function *);
SavedCost function_saved(const Function *backward); /* values of forward that it reads */
double module_time(const Module *); /* estimated nanoseconds of a call of each function */

/* cname.c */
const char *c_name(Ngc *, const char *name); /* legal in C and C++, not yet distinct */
const char *c_name_distinct(Ngc *, Taken *, const char *name);

/* module.c */
Module *module_build(Model *); /* what its functions do and where, planned */

#endif
