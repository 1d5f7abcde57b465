/* emit.h - what the emit_*.c files share while they print one model. */
#ifndef EMIT_H
#define EMIT_H

#include "program.h"

enum {
    LINE = 64,
    WORTH_A_LINE = 4096
}; /* bytes of a cache line; of space that is worth beginning on one */
enum {
    USES_PARAMS = 1,
    USES_STATE = 2,
    USES_INPUTS = 4,
    USES_WORK = 8,
    USES_GRADS = 16,
    USES_SEED = 32,
    USES_TOTALS = 64
};

/* The functions of the emitted C, in the order of the header. */
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
    Program *program; /* forward and backward share one */
    Program *check; /* of the indices that it computes; NULL: there are none, or forward has checked
                       them */
    int phase;      /* of the program; -1: all of it */
    unsigned blocks; /* arguments, as USES_* */
    unsigned writes; /* those that are not const */
    unsigned dims;   /* run-time dims checked */
    bool *reads;     /* by index of Model.var: checked and touched */
    bool shared;     /* by the threads of a pool */
    int walk; /* of eval: 0; else it is static, and what metrics_add does in this walk over the rows
               */
} Function;

typedef struct Member { /* of the work struct */
    const char *name;
    Type type;
    Shape shape;
    bool named;       /* by the user */
    int program;      /* last program that took it */
    const char *note; /* the user's name */
    int next;         /* 1 + the place of the next of its kind */
} Member;

typedef struct MemberKind { /* members that can stand for each other: of one shape, type and name */
    int first, last;        /* their places, from 1; linked by Member.next */
    int free, program;      /* those before are taken in the program of this number */
} MemberKind;

typedef Table Taken; /* names given out in one scope */

typedef struct Total { /* a member of the totals struct, of doubles */
    const char *name;
    const Shape *shape;
    const char *note; /* or NULL */
} Total;

typedef struct Metrics { /* what emit_metrics.c makes of carry.c's plan */
    Carry *carry;
    const char **member, **of_carrier;   /* by carrier: its members of work and of totals */
    bool *own;                           /* by carrier: its member of work is no root's */
    const char **link_member, **of_link; /* by link: the same */
    const char **of_root;    /* by index of Model.root: its member of totals; NULL: it has none */
    const char *rows, *seen; /* members of totals: rows in all, rows in this walk */
    const char *walk, *dim[MAX_DIMS]; /* its number; the other run-time sizes */
    Total *total;
    int totals, total_room;
    Taken names;               /* of members of totals */
    Function *end;             /* by walk: what is computed when it is over */
    unsigned blocks, writes;   /* of metrics_add */
    int64_t space, ispace;     /* elements that the ends need */
    const char *real, *suffix; /* Emit's own, while floats are double */
    int spare;
    bool real_double;
    int pool_from;
} Metrics;

typedef struct Emit {
    Ngc *ngc;
    Model *model;
    Graph *graph;
    const char *name, *upper;      /* prefix, and in capitals */
    const char *real, *suffix;     /* "float", "f" */
    const char *dim[MAX_DIMS];     /* names of their members of inputs */
    const char *dim_max[MAX_DIMS]; /* macros of their bounds */
    const char *dim_prefix;        /* stands before a dim's name in code */
    Text kernels;                  /* static functions, each once */
    const char **kernel;           /* their names */
    int kernel_count, kernel_room;
    Table kernel_of; /* a function's text, interned: 1 + its place there */
    struct {
        const double *data;
        Type type;
        bool wide; /* double */
        int64_t count;
    } * data;
    int datas, data_room;
    Table data_of; /* elements: 1 + the place of the first array of them */
    Member *member;
    int members, member_room, pinned; /* the first `pinned` belong to roots */
    Table member_of;                  /* a node, or a member's name: 1 + its place */
    MemberKind *kind;
    int kinds, kind_room;
    Table kind_of; /* text that tells kinds apart, interned: 1 + its place */
    Taken member_names;
    int64_t space, ispace;
    int spare; /* elements that let space begin on a cache line; 0: it is small, and begins where it
                  does */
    Function *function;
    int functions;
    Metrics *metrics; /* NULL: there is nothing to gather over batches */
    int programs;
    bool plain, labels; /* labels: check_labels is used */
    int temps;          /* at -O0: t0, t1, ... below this number are other names already */
    bool lines;         /* line_start is used */
    bool shares;        /* share_of, NGC_SHARE are used */
    bool meets;         /* meet is used */
    bool small;         /* ngrt_small.h is used */
    const Step *
        *step_of; /* emit_comment.c's: by id of a node, the last contribution to its adjoint */
    const Node **holder; /* by id: the value whose adjoint its own is */
    Table grad_of;       /* by Root.cname: 1 + the root */
    const char **hidden; /* and its name where that is hidden for the same time */
    bool *lent;          /* and whether its name is lent for the time
                          * that a function is printed */
    const Node *told;    /* what the last comment was about */
    const char **from; /* and by id the losses that derivatives are recognised to be of, or NULL */
    const Node **user; /* and by id the first value on the way to a loss that is computed from it */
    Table root_of;     /* and by name the root that is delivered under it */
    Table line_state;  /* and by line: is a value named there? does a loss need one of those? */
    int *waiting; /* emit_c.c's: by id, 1 + its place among the numbers that wait to be printed */
    const char **section; /* of the runtime, that are used */
    int sections, section_room;
} Emit;

/* cname.c */
const char *c_name(Ngc *, const char *name); /* legal in C and C++, not yet distinct */
const char *c_name_distinct(Ngc *, Taken *, const char *name);

/* emit_comment.c */
const char *comment_text(Ngc *, const char *text); /* safe within a comment */
const char *comment_label(Emit *, const Node *);   /* "h", "dJ/dh", or what it is computed from */
void comment_names(Emit *, Program *, bool lend);  /* around the printing of a function */
void comment_kernel(Emit *, Text *, const Program *, const Kernel *, int level,
                    int *line); /* the lines above a statement */
bool comment_is_helper(
    Emit *, const Program *,
    const Kernel *); /* a number that nothing is to be said of but for what it is needed */
void comment_helper(Emit *, Text *, const Kernel *,
                    int level); /* what is said of it all the same: how it was simplified */

typedef struct Body { /* of one function of the emitted C, while it is printed */
    Emit *e;
    Program *p;
    Text text;
    int temps;             /* names given out */
    Taken locals;          /* the same, of derivatives: dJ_dz */
    unsigned blocks, dims; /* what the text speaks of */
    bool space;            /* the same, of work's space that begins on a cache line */
    bool id, threads;      /* the same, where threads share a function */
    size_t alone;          /* where what one thread does begins in the text; 0: nowhere */
} Body;

/* emit_kernel.c */
/* Its name; printed once. Params and args are lists in their parentheses; args passes the params
 * on. Bytes are those of the widest vectors that it is compiled for; 0: it has none. */
const char *emit_function(Emit *, const char *result, const char *word, const char *params,
                          const char *args, const char *body, int bytes);

/* emit_val.c */
/* Precedences of C expressions. */
enum {
    PREC_CHOICE = 3, /* ?: */
    PREC_LOGIC = 4,  /* || and above */
    PREC_SUM = 12,
    PREC_PRODUCT = 13,
    PREC_UNARY = 14, /* casts, a minus */
    PREC_CALL = 16,  /* calls, elements, names */
};

/* A piece of C text. */
typedef struct Part {
    const char *text;
    int prec; /* how tightly it binds; see above, and OpInfo.prec */
} Part;

typedef struct Param { /* of a kernel's function */
    const char *base, *name;
    Type type;
    bool scalar, written;
} Param;

typedef struct Printer {
    Body *b;
    Emit *e;
    const Kernel *k;
    Text *out;
    int indent;
    bool apart;  /* in a function of its own */
    bool vector; /* within a loop over vectors */
    int lead;    /* loops over rows that the members of a nest stand in */
    const char *loop[MAX_AXES];
    Param *param;
    int params, param_room;
    int temps; /* within the kernel's function */
    unsigned dims;
} Printer;

/* one line of code */
void print_line(Printer *pr, const char *f, ...);
/* into the arena */
const char *print_format(Printer *pr, const char *f, ...);
/* a record's C text with $a $b $c, $x, $acc, @ and $t filled in */
Part print_fill(Printer *pr, const char *c, int prec, Type type, const Part *arg, const char *acc,
                const char *suffix);
/* the element at x of what lives at place */
const char *print_element(Printer *pr, const Place *place, const Node *n, const Index *x,
                          bool written);
/* has it a name and no address? */
bool place_is_number(const Place *place, const Node *n);
/* to the first element */
const char *print_pointer(Body *b, const Place *place, const Node *n);
/* a number's own text */
const char *print_number(Body *b, const Place *place, const Node *n);
/* a pointer to where x starts, which x then counts from */
const char *print_shifted(Printer *pr, const Place *place, const Node *n, Index *x);
/* the parameter for a base; made when first met */
Param *print_param(Printer *pr, const char *base, Type type, bool scalar, bool written);
/* "float" */
const char *print_type(const Emit *e, Type type);
/* a size as a factor */
const char *print_factor(Printer *pr, Size s);
/* the shortest text that is read back as the same number */
const char *print_shortest(Ngc *ngc, double v, bool single);
/* an expression, or its temporary */
Part print_val(Printer *pr, const Val *v);
/* the type of a value's temporary: "float", or of vectors */
const char *print_val_type(const Printer *pr, const Val *v);
const char *print_test(Printer *pr, const Val *v); /* what a guard asks */

const char *emit_number(Emit *, double, Type);
const char *emit_size(Emit *, Size, unsigned *dims);
void emit_section(Emit *, const char *name); /* notes that the runtime's function is used */
bool emit_has_section(const Emit *, const char *name);
void emit_calls(Emit *, const char *c); /* the same for each ngrt_ function called in a text */

/* emit_kernel.c */
void emit_kernel(Body *, const Kernel *);

/* emit_loops.c */
void print_loops(Printer *); /* all of a K_LOOP's */
void print_combine(Printer *, const char *acc, Part x,
                   Type); /* acc takes in x, by the kernel's reduction */
void print_temps(
    Printer *); /* temporaries of what is the same in every pass; chooses those of the loops */

/* emit_call.c */
void print_gemm(Body *, const Kernel *);
void print_random(Body *, const Kernel *);
void print_call(Body *, const Kernel *);

/* emit_share.c */
const char *share_range(Body *, Size n,
                        int64_t unit); /* two arguments: where a thread's share begins and ends */
const char *share_begin(Body *, const char *n, int64_t unit,
                        bool next);        /* the first, or that of the next thread */
void share_meet(Body *, Text *);           /* all threads wait for each other */
void share_kernel(Body *, const Kernel *); /* before a kernel is printed */
void share_end(Body *);                    /* behind the last of a part */
void share_function(Emit *, const Function *, Body *,
                    Text *out); /* the task of a function whose statements are the body, which
                                   becomes a call of it */
void share_helpers(const Emit *, Text *);

/* emit_header.c */
int64_t type_size(const Ngc *, Type); /* bytes of an element in C */
void emit_names(Emit *);
void emit_members(Emit *);                     /* work's members for roots */
bool emit_keeps(const Emit *, const Root *);   /* is it a member of work? */
Member *emit_member(Emit *, const char *name); /* of that C name, or NULL */
Member *emit_add_member(Emit *, Member);
MemberKind *emit_member_kind(Emit *, Type, Shape, const char *name); /* name: the user's, or NULL */
Place emit_root_place(Emit *, const Root *);
void emit_declarations(Emit *, Text *);
void emit_defaults(Emit *, Text *, bool define); /* the arrays of inputs' default values */
void emit_model(Emit *, Text *);                 /* the descriptor and its functions */
const char *emit_arguments(Emit *, const Function *, bool types);
const char *emit_dims(Emit *, Shape, bool *flat); /* "[64][10]" */

/* weights.c */
void emit_weights(Emit *, Text *, bool define); /* the constants of --weights */

/* emit_index.c */
Program *emit_index_program(Emit *,
                            const Program *); /* what checks the indices of a program, or NULL */
/* prints what does it for a function, and says how it is called; returns what it uses, as USES_* */
unsigned emit_index_function(Emit *, const Function *, Text *out, const char **call);

/* emit_standalone.c */
void emit_runtime(Emit *, Text *); /* the sections that are used, static */
void emit_types(Text *);           /* the descriptor's types */

/* emit_metrics.c: in the order in which they are called */
void metrics_members(Emit *, Carry *,
                     Node *const *root); /* root: by index of Model.root, with training = 0 */
int metrics_targets(Emit *, int walk,
                    Target *);           /* what its program delivers besides roots; how many */
Program *metrics_walk(Emit *, int walk); /* of a walk that is not the first */
void metrics_ends(Emit *);               /* when all functions are known */
void metrics_declare_block(Emit *, Text *);
void metrics_declare(Emit *, Text *);
void metrics_print(Emit *, Text *);
void metrics_wrappers(Emit *, Text *);
const char *metrics_flags(Emit *, int root);
const char *metrics_offset(Emit *, int root); /* C: of its result in totals; 0: it has none */

/* emit_c.c */
Body emit_part(Emit *, const Function *, int part); /* the statements of one part */
Emit *emit_prepare(Ngc *, Model *); /* programs and functions, planned; nothing printed */
bool emit_in_function(const Function *, const Kernel *);

/* report_cost.c: lines of --report */
void report_moves(const Function *, int64_t flops, FILE *);
void report_passes(const Function *, FILE *);
void report_saved(const Function *backward, FILE *);
void emit_run_time_sizes(Emit *, Text *,
                         unsigned dims); /* declares those that the text speaks of */
int64_t emit_work_size(const Emit *,
                       int64_t pointer); /* bytes of work, where a pointer has so many */
int64_t emit_totals_size(const Emit *);  /* bytes of totals; 0: there are none */
void emit_space(const Emit *, Text *, const Body *);            /* the same, of space */
int emit_data(Emit *, const double *data, Type, int64_t count); /* the number of a constant array */

#endif
