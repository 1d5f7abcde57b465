/* program.h - what one function of the emitted C does: which values are stored, by which kernels,
 * in what order, where.
 *
 * program_build (passes.c) makes it from a set of targets: program.c collects the nodes, and the
 * passes (fuse.c with order.c, rows.c, recompute.c, triangle.c, share.c, plan.c, vectors.c) choose
 * kernels and places. emit_*.c print it. index.c, val.c and loops.c make what is in a kernel.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "graph/carry.h"

enum {
    MAX_AXES = 2 * MAX_RANK, /* loops of one kernel */
    MAX_PARTS = 8,           /* loaded ints in the index of one element */
    BLOCKS = 8,              /* a sum over shared rows is taken in this many blocks of rows */
    LONG_SUM = 256,          /* floats: a sum of more than this is taken in double */
    SCATTER_SUMS = 1024,     /* a scatter to at most this many elements, too */
    CACHE_LINE = 16,         /* elements: no two threads should write to the same line */
};

/* Kernel.split of a product: what threads share */
typedef enum {
    SHARE_WHOLE = 1, /* the products of a batch */
    SHARE_ROWS,      /* rows of the result */
    SHARE_COLUMNS,   /* columns of the result */
} Share;

typedef struct Val Val;
typedef struct Kernel Kernel;
typedef struct Program Program;

/* ---- places in a tensor (index.c) ---- */

typedef struct Coef { /* plus - minus, since a Size cannot be negative */
    Size plus, minus;
} Coef;

/* base + the sum of axis[i]*(loop variable i) + the sum of part[i].by*part[i].val */
typedef struct Index {
    Coef base;
    Coef axis[MAX_AXES];
    int parts;
    struct {
        Val *val; /* an int: an element of a tensor of indices, or a quotient */
        Coef by;
    } part[MAX_PARTS];
} Index;

/* ---- the value of one element (val.c) ---- */

typedef enum {
    V_CONST,    /* value */
    V_SIZE,     /* size */
    V_LOAD,     /* node[at] */
    V_INDEX,    /* at */
    V_QUOTIENT, /* at / size, rounded down */
    V_OP,       /* op of arg */
    V_GUARD,    /* arg[0] if at < span and at is a multiple of size, else 0; at wraps below 0 */
} ValKind;

/* Equal values are shared within a kernel. Arguments precede users in Kernel.val. */
struct Val {
    int id; /* its place in Kernel.val; in a nest, in that of its member */
    ValKind kind;
    Op op;
    Type type;
    const Node *node;
    Val *arg[3];
    const Index *at; /* NULL: 0 */
    double value;
    Size size, span;
    int level;        /* the number of the kernel's loops around it; 0: outside of all */
    int uses;         /* by values that are always computed; 0: only under a guard */
    bool live;        /* something that is stored needs it */
    int ops;          /* operators in its text, without those of temporaries */
    int test_level;   /* V_GUARD: the level of its test */
    const char *test; /* V_GUARD: the name of the test's result, if that is computed outside of the
                         innermost of its loops; else NULL */
    const char *temp; /* name of its temporary, or NULL */
};

/* ---- where a stored value lives ---- */

typedef enum {
    P_NONE,   /* nowhere: part of its users' expressions */
    P_VAR,    /* var */
    P_DATA,   /* a constant array; offset is its number */
    P_SPACE,  /* work: space[offset] of its type; before program_plan: stored, at no offset yet */
    P_LOCAL,  /* a const variable of the function; name */
    P_MEMBER, /* work: the member called name */
    P_GRAD,   /* grads: the member called name */
    P_ALIAS,  /* the same as that of its operand, arg[0] */
    P_ROW,    /* of a nest over rows: a variable, or an array of `offset` elements for one row at a
                 time; name */
    P_FOLDED, /* exists only as a part of another: a product that is added onto a tensor, the zeros
                 of a convolution */
} PlaceKind;

typedef struct Place {
    PlaceKind kind;
    Var *var;
    const char *name;
    const char *label; /* the user's name for it, or NULL */
    int64_t offset;
    const Shape *shape; /* P_MEMBER, P_GRAD, P_VAR: as declared */
} Place;

typedef struct Target { /* a root, and the place where its value must be stored */
    Node *node;
    Place place;
    const struct Target *before; /* another target of the same node, or NULL */
    int phase;                   /* 1: computed in backward */
    bool claimed;                /* the node's own storage is this place, so it is not copied */
} Target;

/* ---- kernels ---- */

typedef enum {
    K_LOOP,   /* a nest of loops with stores, or a nest over rows with members */
    K_GEMM,   /* a matrix product */
    K_RANDOM, /* a draw of random numbers */
    K_CALL,   /* the function of the runtime that the node's record has */
    K_FOR,    /* begins a loop over other kernels: product is its OP_loop */
    K_TEST,   /* ends it before its next pass, if alpha is 0 */
    K_NEXT,   /* ends one pass of it; may store the number of passes */
} KernelKind;

/* in the order of the nest */
typedef enum {
    AX_LEAD,   /* each pass computes other results */
    AX_REDUCE, /* the passes are summed, or reduced in another way */
    AX_TRAIL,  /* inside of AX_REDUCE: a row of results that rows are added to */
} AxisKind;

/* The half of a product, or of loops, that is not computed: where the column is larger than the row
 * + diagonal. */
typedef enum {
    HALF_NONE,
    HALF_A,    /* elements of A, as it is stored, are 0 */
    HALF_C,    /* those of the result are not used, and become 0 */
    HALF_LOOP, /* passes of the innermost loop: there the results of a map are 0, and a reduction
                  gains nothing */
} Half;

enum { HALF_ROWS = 96 }; /* of a product, that are computed at a time: whole tiles, see share.c */

typedef struct Store {
    Node *node;     /* what is stored */
    Target *target; /* the place, if it is not the node's own storage; or NULL */
    Val *val;
    const Index *at; /* NULL: 0 */
    bool add;        /* += */
} Store;

struct Kernel {
    KernelKind kind;
    int phase; /* 1: of backward */
    int part;  /* number of the static function that it is in */

    const Loop *loop; /* the innermost that it is done in each pass of; K_FOR and K_NEXT are in the
                         loop that they begin and end; NULL: none */
    double times;     /* how often it is done, at the bounds of all loops around it */

    /* K_LOOP */
    int axes;
    Size *extent;   /* by axis */
    AxisKind *axis; /* by axis */
    Val **val;      /* what the stores need, arguments first */
    int vals, val_room;
    Store *store; /* of every kind of kernel */
    int stores;
    Op reduce; /* with AX_REDUCE axes: the reduction */

    /* Of a scatter that may add more than LONG_SUM floats to an element, and whose sums are taken
     * in double, one at a time by one thread: the number of its elements; else 0. */
    int64_t hits;

    /* K_GEMM: onto + alpha * product, of whole stored operands; onto and alpha may be NULL.
     * K_CALL: the node is product; alpha is its scalar operand, or NULL. */
    Node *product, *onto;
    Val *alpha;

    /* K_GEMM, K_LOOP, triangle.c: what is 0, or not used, above a diagonal */
    Half half;
    int64_t diagonal;
    int row; /* HALF_LOOP: the axis of the rows */

    /* K_LOOP of rows.c: kernels that are run for each row, one after the other. The axes are those
     * of the rows, which are also the first axes of each member. val and store are those of all
     * members. */
    Kernel **member;
    int members;

    /* share.c: how the threads of a pool share it */

    /* K_LOOP: 1 + the axis whose passes threads share; of a nest it may be an axis of the members,
     * inside the rows. K_GEMM: a Share. K_CALL: 1. 0: the first thread computes all. */
    int split;
    int64_t unit;   /* passes that one thread does together */
    int64_t blocks; /* elements for the sums of each of BLOCKS ranges of rows; 0: nothing is summed
                       over rows */
    int group;      /* one number for kernels that one thread does one after the other */
    double time;    /* estimated nanoseconds */
    bool waits;     /* a barrier comes before it */

    bool again; /* recompute.c: a kernel of forward that backward does again */

    /* vectors.c */
    int vector;   /* bytes of the widest vectors of the innermost loop; 0: one element at a time */
    int grid;     /* the innermost loop, in vectors or not, is this many loops: one for the elements
                     0, grid, 2 grid, .., one for those after them, and so on; 0: it is one loop */
    bool blocked; /* the two innermost loops are done a block of both at a time */
    Val *late;    /* the stored value, if its operation is done after all loops; or NULL */
};

struct Program {
    Ngc *ngc;
    Model *model;
    Graph *graph;
    const char *name;  /* "predict" */
    const char *block; /* the pointer to the struct with P_MEMBER and P_SPACE: "w"; in
                          metrics_finish "t" */
    bool plain;        /* as at -O0: every value is stored, nothing is merged */
    bool init;         /* computes the starting values of variables */
    bool alone;        /* runs before anything is written, on the caller's thread, in one piece */
    unsigned facts;    /* what the passes have established: bits of Fact */

    Target *target;
    int targets;

    Node **node; /* those that are needed, in the graph's order; their numbers are slots */
    int nodes;
    int extras;            /* of them, those that are not in the graph */
    int *slot;             /* by node id; -1: not needed */
    int slots;             /* the length of that table */
    Place *place;          /* by slot */
    unsigned char *phase;  /* by slot; 1: computed in backward */
    unsigned char *weight; /* by slot: operators if it is inlined */
    unsigned char *depth;  /* by slot: nodes between it and what is stored */
    int *readers;          /* by slot: kernels that load it */
    bool *given;           /* by slot: it is read, not computed */

    Kernel **kernel;
    int kernels, kernel_room;
    struct ProgramLoop {
        const Loop *of;
        Node *node;        /* its OP_loop */
        const Loop *outer; /* the loop around it, or NULL */
        int begin, end;    /* positions of its K_FOR and its K_NEXT */
    } * loop;              /* those inside others come first */
    int loops;
    int parts; /* functions that both phases are cut into together */

    int64_t room;  /* bytes that it should need at most for the values it stores; -1: no limit */
    int *again;    /* by slot: how often backward computes it again for that; NULL: nothing */
    int64_t whole; /* bytes that it would need without that */

    const Index **index; /* a hash table of all that occur: equal ones are one */
    int indices, index_buckets;

    int64_t space, ispace; /* elements of work.space and work.ispace that it needs */
    int64_t stored;        /* elements of all values in work.space */
    int64_t live;          /* the most of them that are needed at one time */

    bool shared;        /* by the threads of a pool, if there is one */
    double time;        /* estimated nanoseconds */
    double worth;       /* estimated nanoseconds from which on a kernel is shared */
    int64_t block_at;   /* the sums of blocks: their offset in work.space, */
    int64_t block_room; /* and their number of elements */
};

static inline int slot_of(const Program *p, const Node *n)
{
    return p->slot[n->id];
}

/* ---- program.c: what there is before kernels, and where it is ---- */

/* A program without kernels. given: nodes that are found at .place instead of being computed. */
Program *program_new(Ngc *, Model *, const char *name, Target *target, int targets,
                     const Target *given, int givens, bool plain);

/* The program's record of a loop, or NULL. */
struct ProgramLoop *program_loop(const Program *, const Loop *);

/* The innermost loop whose passes compute n anew, or NULL. */
const Loop *program_home(const Program *, const Node *);

bool node_scalar(const Node *); /* one element, whatever its rank */

Place *program_own_place(const Program *, const Node *);   /* P_ALIAS where it has its operand's */
bool program_stored(const Program *, const Node *);        /* has it a place, or its operand's? */
const Node *program_holder(const Program *, const Node *); /* the node whose place it has */
Place *program_place(const Program *, const Node *);       /* its holder's */
Place *store_place(const Program *, const Store *);        /* its target's, or its node's */

/* Of a node that a function of the runtime computes: does that function read the operand, and which
 * node does it get? */
bool call_takes(const Node *, int operand);
const Node *call_operand(const Program *, const Node *, int operand);

/* The sizes that such a function is given: OpInfo.sizes, of the operands that it reads. */
void call_sizes(const Program *, const Node *, Size *size); /* CALL_SIZES of them */

/* What holds whole operand i < 3 of a product or a call; NULL: there is none. */
const Node *kernel_operand(const Program *, const Kernel *, int i);

/* Calls f for every stored tensor that the kernel reads. */
void kernel_each_read(Program *, const Kernel *,
                      void (*f)(Program *, const Kernel *, const Node *, void *), void *with);

/* Does the kernel read a gradient that goes over the ranks later? */
bool kernel_reads_later(Program *, const Kernel *);

/* Adds `by` to the count, by slot, of each of them, once for every read. */
void kernel_count_reads(Program *, const Kernel *, int *count, int by);

/* ---- index.c: the place of an element; a pointer to 0 may be NULL ---- */

bool coef_zero(Coef a);
Coef coef_mul(Graph *g, Coef a, Size by);
bool coef_equal(Coef a, Coef b);
Index index_zero(void);
Index index_axis(int axis);
Index index_val(Val *);                                           /* the value of an int */
Index index_strided(Graph *, const Index *x, Size lo, Size step); /* lo + step*x; step may be < 0 */
bool index_equal(const Index *a, const Index *b);
void index_add(Graph *, Index *to, const Index *from, Size by); /* to += from*by */

/* Is x from 0 to span - 1 in all passes of the kernel's loops? Only numbers are known to be. */
bool index_is_within(const Kernel *, const Index *x, Size span);

/* The program's one copy of it, which never changes. */
const Index *index_keep(Program *, const Index *);

/* The distance in memory of idx, one for each axis, from the first element of a dense tensor. */
Index index_of_element(Program *, const Index *idx, Shape);
const Index *index_keep_element(Program *, const Index *idx, Shape);

/* ---- val.c: the value of an element ---- */

Val *val_of(Program *, Kernel *, const Node *n, const Index *idx); /* n read at idx */
Val *val_op(Program *, Kernel *, Op op, Type type, Val *a, Val *b, Val *c);
Val *val_const(Program *, Kernel *, Type, double value);

/* n computed at idx, stored or not. */
Val *val_definition(Program *, Kernel *, const Node *n, const Index *idx);
/* Is n a sum of which one term at most is not 0, which labels choose? Then it needs no loop. */
bool picks_term(const Program *, const Node *n);

/* `at` gets where x has the element idx of y[.., i, ..] = x[.., index[i], ..], for a gather n, or
 * the scatter that is its adjoint. */
void index_gathered(Program *, Kernel *, const Node *n, const Node *x, const Index *idx, Index *at);
Index index_row(Val *row); /* the place that an index of rows chooses */

bool node_identity(const Node *);          /* y = a, as stop and copy */
bool reshape_is_trivial(Shape a, Shape b); /* moves only axes of size 1 */

/* ---- loops.c: kernels that are loops ---- */

Kernel *kernel_map(Program *, Node *const *node, int count, Target *target);
Kernel *kernel_reduce(Program *, Node *n);
Kernel *kernel_matmul(Program *, Node *n); /* as loops */
Kernel *kernel_conv(Program *, Node *n);   /* as loops */
Kernel *kernel_zero(Program *, Node *n);
Kernel *kernel_scatter(Program *, Node *n);
Kernel *kernel_assign(Program *, Node *n); /* over the variable that n is the new value of */
Kernel *kernel_piece(Program *, Node *concat, int arg, Size before);
Kernel *kernel_part(Program *, Node *collect);         /* what one pass adds to it */
bool collect_is_whole(Program *, const Node *collect); /* does each element come from one pass? */
Kernel *kernel_put(Program *, Node *to, Node *value);  /* to, a variable of a loop, becomes value */

bool kernel_joins(Program *, const Kernel *, int axis); /* may loops axis and axis + 1 be one? */
void kernel_join(Program *, Kernel *, int axis);
void kernel_split(Program *, Kernel *, int axis, Size inner); /* into two loops */
void kernel_collapse(Program *, Kernel *);                    /* joins all that can be joined */
void kernel_turn_inwards(Program *, Kernel *);                /* a loop that is read across */
void kernel_finish(Program *, Kernel *);                      /* ids, levels, uses */

/* Loops that compute each of their elements once, on its own, so that they may go in any order? */
bool kernel_is_unordered(const Kernel *);
/* The same of every element of their results, into memory that nothing else writes? */
bool kernel_is_map(const Kernel *);
bool kernel_reduces(const Kernel *);                    /* is it a K_LOOP that reduces? */
bool kernel_sums_rows(const Kernel *);                  /* does it add rows to a row of results? */
bool kernel_sums_many(const Program *, const Kernel *); /* more than LONG_SUM floats each? */

/* Are the passes of this loop independent of each other? Those of a nest that sums over its rows
 * are so only where each range of rows has sums of its own (share.c). */
bool kernel_axis_is_free(const Kernel *, int axis);

/* Of a kernel that sums rows: elements of its row of results; -1: not known. */
int64_t kernel_columns(const Kernel *);

/* ---- coming.c: which kernels wait for others, while all are put in order ---- */

typedef struct KernelRun { /* a kernel, or a whole loop in order */
    Kernel **kernel;
    int count;
} KernelRun;

typedef struct Coming {
    const Loop *loop;      /* whose kernels are put in order; NULL: those of no loop */
    int *writers;          /* by slot: items still to come that store it */
    const KernelRun *item; /* coming_blocks: the item whose operands are looked for, */
    bool blocked;          /* and whether one of them is still to come */
    int blocker, own;      /* then: its slot, and how many of its writers the item itself has */
} Coming;

bool store_updates(const Coming *, const Store *); /* is it the next value of a loop's variable? */
bool run_updates_only(const Program *,
                      const KernelRun *); /* one kernel, of variables of the model? */
void coming_count(const Program *, Coming *, const KernelRun *, int by); /* the stores of an item */
bool coming_blocks(Program *, Coming *,
                   const KernelRun *); /* does it wait for what others store? */

/* ---- order.c: kernels in an order in which operands are stored before they are read ---- */

void program_order(Program *);     /* puts them in order, with K_FOR, K_TEST and K_NEXT of loops */
void program_sink(Program *);      /* moves local slopes to what reads them */
void program_positions(Program *); /* of loops, after the order of kernels has changed */

/* ---- fuse.c ---- */

void program_fuse(Program *);     /* which values are stored, by which loops, in which order */
void program_collapse(Program *); /* loops over adjacent axes become one */
void program_finish(Program *);   /* what printing needs to know of each kernel */

/* ---- parts.c ---- */

void program_parts(Program *); /* functions of a size that C compilers like */

/* ---- recompute.c: backward computes values of forward again where memory is short ---- */

void program_recompute(Program *); /* so that the program fits into Program.room */

/* ---- rows.c: loops over the same rows become one nest ---- */

void program_rows(Program *);
void kernel_gather_members(Program *, Kernel *); /* its val and store: those of all members */
bool kernel_reads_row(const Kernel *, const Store *,
                      const Node *n); /* may the store overwrite n? */

/* ---- vectors.c: which innermost loops are done in vectors; after plan.c ---- */

void program_vectors(Program *);
bool val_is_inner(const Kernel *, const Val *); /* does it change in the innermost loop? */
/* By how many elements an index moves from pass to pass of the innermost loop: 2 or somewhat more,
 * else 0. */
int index_step(const Kernel *, const Index *);
/* Is it a transposition of floats and no more, by its two innermost loops? Guards may leave out
 * rows of it. */
bool kernel_turns(const Program *, const Kernel *);
const Val *val_guarded(const Val *); /* within all guards */
/* Is the test of a guard of the innermost loop? */
bool guard_is_inner(const Kernel *, const Val *);
const char *op_vec(const Program *, const Val *v); /* its text for vectors; NULL: it has none */
const struct FastForm *op_form(const Program *, Op op);

/* ---- triangle.c: products of which nearly one half need not be computed ---- */

void program_triangles(Program *);

/* ---- share.c: what the threads of a pool share ---- */

void program_share(Program *); /* before plan.c */
void program_waits(Program *); /* after plan.c */

/* Elements of the sums of one block; those of the next block follow them. */
int64_t share_block(const Program *, const Kernel *member);

/* ---- cost.c ---- */

/* A product counts two operations for each multiply-add, any other operator one for each element.
 */
int64_t kernel_flops(const Program *, const Kernel *);
double kernel_time(const Program *, const Kernel *); /* about, in nanoseconds on one thread */
double common_rate(const Ngc *); /* operations a nanosecond of one core of a common machine */

/* ---- plan.c: places in work.space ---- */

void program_plan(Program *);

/* Is everything that the kernel reads of n at the very element that its store writes? */
bool store_is_in_place(const Program *, const Kernel *, const Store *, const Node *n);

/* ---- dump_program.c ---- */

void program_dump(const Program *, FILE *);

/* ---- verify.c ---- */

void program_verify(Program *); /* ends ngc with status 4 where a fact of Program.facts is false */

/* ---- passes.c ---- */

/* The program of one function, with all passes run; arguments as those of program_new. */
Program *program_build(Ngc *, Model *, const char *name, Target *target, int targets,
                       const Target *given, int givens, bool plain);

/* The same, with nothing given and not plain: one that needs at most `room` bytes for what it
 * stores, or as few as can be. */
Program *program_build_within(Ngc *, Model *, const char *name, Target *target, int targets,
                              int64_t room);

#endif
