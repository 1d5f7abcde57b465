/* emit.h - what the emit_*.c files share while they print one module as C.
 *
 * The files are a ladder, and below they are in its order: none calls a function of a file after
 * it. (tests/style/rooms.txt has the same list.) Expressions are recursive within emit_val.c: a
 * value can be a load, whose index can have values of its own.
 */
#ifndef EMIT_H
#define EMIT_H

#include "program/module.h"
#include "emit/emit_c.h"

/* ---- state ---- */

typedef struct Array { /* of constants, in the C */
    const double *data;
    Type type;
    bool wide; /* its elements are double, whatever the floats of the model are */
    int64_t count;
} Array;

typedef struct Static { /* a static function of the C */
    const char *result; /* its type */
    const char *word;   /* "sum": its name without its number */
    const char *params; /* "(size_t m, float *y0)" */
    const char *names;  /* "(m, y0)": passes them on */
    const char *body;
    int bytes;      /* of the widest vectors that it is compiled for; 0: it has none */
    bool has_sizes; /* its whole numbers are sizes, which may become parameters */

    /* emit_state.c */
    const char *real; /* the type of floats */
    const char *name; /* "sum_3" */

    /* emit_alike.c */
    const struct Static *joined; /* the function that is called instead; or NULL */
    const char *sizes;           /* the arguments that it gets before all others; "": none */
    const char *range;           /* "0, 64": its range, where one thread does all; or NULL */
} Static;

/* In a call, before a function is printed: the mark and its number are its name. */
#define STATIC_MARK '\1'

enum { RANKS_WAIT = 8 }; /* of Emit.uses_ranks */

typedef struct Emit { /* the state of the printer of one module */
    Ngc *ngc;
    Graph *graph;
    const Module *module;
    const char *real;   /* the type of floats: "float" or "double" */
    const char *suffix; /* of libm's functions for it: "f" or "" */

    /* emit_state.c: what the functions need, each printed once */
    Static *kernel; /* the static functions of kernels */
    int kernels, kernel_room;
    Table kernel_of; /* a function's text, interned: 1 + its place in `kernel` */
    Array *array;
    int arrays, array_room;
    Table array_of;       /* elements: 1 + the place of the first array of them */
    const char **section; /* names of the sections of the runtime that are used */
    int sections, section_room;

    /* which static helpers and headers are used */
    bool uses_check_labels;
    unsigned uses_ranks; /* what goes over the ranks: bits by OverRanks, and RANKS_WAIT */
    bool ready;          /* the function has called ranks_ready, and not yet ranks_wait */
    bool uses_line_start;
    bool uses_share_of; /* and NGC_SHARE */
    bool uses_meet;
    bool uses_small; /* ngrt_small.h */

    /* emit_rule.c, emit_lines.c, emit_comment.c; "by id" is by the id of a node */
    const Step **step_of;     /* by id: the last contribution to its adjoint */
    Table grad_of;            /* by Root.cname: 1 + the root */
    const Node **holder;      /* by id: the value whose adjoint its own is */
    const char **hidden_name; /* by id: its name, if it has none while a function is printed */
    bool *has_lent_name;      /* by id: has it a name only while a function is printed? */
    const Node *last_comment; /* the node that the last comment was about */
    const char **loss_names;  /* by id: the losses that it is known to be derived from, or NULL */
    const Node **first_user;  /* by id: the first value on the way to a loss that needs it */
    Table root_of;            /* by name: 1 + the root that is delivered under it */
    Table line_state;         /* by line: is a value named there? does a loss need one of those? */

    int *waiting_at; /* emit_body.c: by id, 1 + its place among the numbers that wait */
} Emit;

typedef struct Body { /* of one function of the emitted C, while it is printed */
    Emit *e;
    Program *p;
    Text text;                   /* its statements */
    int temps;                   /* names t0, t1, ... that are given out */
    Taken locals;                /* names of derivatives that are given out: dJ_dz */
    unsigned blocks;             /* arguments that the text uses, as USES_* */
    unsigned dims;               /* run-time sizes that it uses: bits by index of the dim */
    size_t for_from[MAX_LEVELS]; /* where the texts of the loops over kernels begin that are open */
    int fors;
    const char **beside; /* names of indices that are declared before their loops */
    int besides, beside_room;
    bool uses_space;        /* it uses work's space that begins on a cache line */
    bool uses_id;           /* it uses the number of the thread */
    bool uses_threads;      /* and the number of threads */
    size_t one_thread_from; /* where the text begins that one thread does; 0: nowhere */
} Body;

/* ---- emit_state.c: what is printed once ---- */

Emit *emit_new(const Module *);
/* From here on floats are double, or not. */
void emit_set_real(Emit *, bool wide);
/* The shortest text that is read back as the same number. */
const char *print_shortest(Ngc *ngc, double v, bool single);
const char *emit_number(Emit *, double, Type);

/* A static function, printed once; returns the mark and its number, for a call. */
const char *emit_function(Emit *, Static);
/* What is before and after functions that are long lists of calls. */
extern const char long_begin[], long_end[];
/* The number of a constant array. */
int emit_data(Emit *, const double *data, Type, int64_t count);

/* Notes that a section of the runtime is used: one by its name, or each ngrt_ function that is
 * called in a text. */
void emit_section(Emit *, const char *name);
void emit_calls(Emit *, const char *c);
bool emit_has_section(const Emit *, const char *name);

/* ---- emit_alike.c: functions that differ only in sizes ---- */

/* The length of a name or a number: "i0", "12", "1e-05f". */
size_t token_size(const char *);
/* Joins them, when all are known. */
void alike_join(Emit *);
void alike_print(const Emit *, Text *); /* the functions */
/* A text with the names of functions and their sizes for marks. */
Text alike_calls(Emit *, const char *text);

/* ---- emit_runs.c: runs of statements that occur several times ---- */

/* The text of the functions, with a function before them for each such run. `out` gets how many
 * loops there are of runs and statements. */
Text runs_of(Emit *, const char *text, Output *out);

/* ---- emit_standalone.c: the runtime's text ---- */

void emit_runtime(Emit *, Text *);                /* the sections that are used, static */
void emit_function_headers(const Emit *, Text *); /* includes ngrt_float.h, if it is used */
void emit_types(Text *, bool ranks);              /* the descriptor's types */

/* ---- emit_words.c ---- */

/* Safe within a comment. */
const char *comment_text(Ngc *, const char *text);

/* ---- emit_comment.c ---- */

/* Before and after the printing of a function: names are lent, and restored. */
void comment_names(Emit *, Program *, bool lend);

typedef struct Comments { /* of the statements of one part */
    Emit *e;
    const Program *p;
    Text *out; /* gets them */
    int level; /* how much they say: 0 to 2 */
    int line;  /* of the model that the last one was about, by line_key; 0: none */
} Comments;

/* The lines above a statement. */
void comment_kernel(Comments *, const Kernel *);
/* Is it a number that needs no comment of its own? */
bool comment_is_helper(const Comments *, const Kernel *);
/* The one thing that is said of such a number: how it was simplified. */
void comment_helper(const Comments *, const Kernel *);

/* ---- emit_type.c: types, sizes, arguments ---- */

/* "float"; "NGRT_F32" */
const char *emit_type(const Emit *, Type);
const char *emit_type_constant(const Emit *, Type);
/* Adds the run-time dims that it uses to dims. */
const char *emit_size(Emit *, Size, unsigned *dims);
/* "[64][10]"; flat: one size, because rows have a length known only at run time. */
const char *emit_dims(Emit *, Shape, bool *flat);
/* The arguments of a function: with their types, or as they are passed on. */
const char *emit_arguments(Emit *, const Function *, bool types);
/* Declares run-time sizes, and the space of work, if the text uses them. */
void emit_run_time_sizes(Emit *, Text *, unsigned dims);
void emit_space(const Emit *, Text *, const Body *);
/* Indents the text from there on one level further: it is in braces. */
void emit_indent(Text *, size_t from);

/* ---- emit_bounds.c: ints ---- */

/* The function in place of an operator on ints, if the result may leave their range. A remainder
 * of ints has a function of its own. NULL: none. */
const char *bounds_int_form(const Val *);
/* May the sum of this many ints leave their range? */
bool bounds_sum_leaves(const Val *, double terms);

/* ---- emit_place.c: where a stored value is ---- */

/* The array of planned values: a member of work, or init's own. */
const char *place_space(Body *, Type);
const char *place_member(Body *, const Place *); /* "params->w" */
bool place_is_input(const Place *);
/* Has it a name and no address? */
bool place_is_number(const Place *place, const Node *n);
/* To the first element. */
const char *print_pointer(Body *b, const Place *place, const Node *n);
const char *value_pointer(Body *, const Node *); /* of a value of the program */
/* A number's own text. */
const char *print_number(Body *b, const Place *place, const Node *n);

/* ---- emit_fill.c: pieces of C text ---- */

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

typedef struct Param {  /* of a kernel's function */
    const char *base;   /* the argument for it */
    const Place *place; /* that it points to, if that is planned memory */
    const char *name;
    Type type;
    bool scalar, written;
} Param;

typedef struct Printer { /* of one kernel */
    Body *b;
    Emit *e;
    Program *p;
    const Kernel *k;
    Text *out;
    int indent;
    bool apart;                 /* the loops are in a function of their own */
    bool vector;                /* within a loop over vectors */
    int place;                  /* of the elements in Kernel.grid */
    int lead;                   /* loops over rows that enclose the members of a nest */
    const char *loop[MAX_AXES]; /* names of the loop variables */
    Param *param;               /* of the kernel's function */
    int params, param_room;
    int temps;     /* names given out in the kernel's function */
    unsigned dims; /* run-time sizes that the loops use */
} Printer;

/* One line of code. */
void print_line(Printer *pr, const char *f, ...);
/* Into the arena. */
const char *print_format(Printer *pr, const char *f, ...);
/* A size as a factor: in parentheses if it is a sum. */
const char *print_factor(Printer *pr, Size s);
/* A record's C text with $a $b $c, $x, $acc, @ and $t filled in. */
Part print_fill(Printer *pr, const char *c, int prec, Type type, const Part *arg, const char *acc,
                const char *suffix);
/* "(double)x", in parentheses where x binds less tightly. */
Part print_cast(Printer *, const char *type, Part x);

/* ---- emit_val.c: elements and expressions ---- */

const char *print_index(Printer *, const Index *);
/* The element at x of what is stored at place. */
const char *print_element(Printer *pr, const Place *place, const Node *n, const Index *x,
                          bool written);
const char *store_element(Printer *, const Store *); /* that a store writes */
const char *load_element(Printer *, const Val *);    /* that a load reads */
/* A pointer to where x starts. From here on x is relative to it. */
const char *print_shifted(Printer *pr, const Place *place, const Node *n, Index *x);
/* The parameter for a base in a place, or for a number (NULL). It is made when it is first used. */
Param *print_param(Printer *pr, const char *base, const Place *place, Type type, bool written);
/* An expression, or its temporary. */
Part print_val(Printer *pr, const Val *v);
/* The type of a value's temporary: "float", or of vectors. */
const char *print_val_type(const Printer *pr, const Val *v);
/* A vector with the number in each lane. */
const char *print_each_lane(Printer *pr, Type type, const char *number);
/* The test of a guard. */
const char *print_test(Printer *pr, const Val *v);
/* The same, or the variable that has it. */
const char *print_known_test(Printer *pr, const Val *v);
/* Does a guard give 0 for all elements of this place in the grid? */
bool print_test_fails(const Printer *, const Val *);
/* Is the test of a guard true for all elements of this place in the grid? */
bool print_test_holds(const Printer *, const Val *);

/* ---- emit_temps.c: temporaries; a level is a number of open loops ---- */

/* Chooses all temporaries of the kernel and declares those of level 0. */
void print_temps(Printer *);
void temps_declare(Printer *, int level);
/* They belonged to another copy of the loops. */
void temps_forget(Printer *, int level);
/* Has the level temporaries to declare? */
bool temps_any(const Printer *, int level);
/* A name. */
const char *temp_new(Printer *);

/* ---- emit_share.c: functions that threads share ---- */

/* Two arguments: where a thread's share begins and ends. */
const char *share_range(Body *, Size n, int64_t unit);
/* The first of them, or that of the next thread. */
const char *share_begin(Body *, const char *n, int64_t unit, bool next);
/* A barrier. */
void share_meet(Body *, Text *);
/* Before a kernel is printed, and after the last of a part. */
void share_kernel(Body *, const Kernel *);
void share_end(Body *);
/* Prints the task of a function, with the statements of the body, which becomes a call of it. */
void share_function(Emit *, const Function *, Body *, Text *out);
void share_helpers(const Emit *, Text *);

/* ---- emit_passes.c, emit_columns.c: see emit_loops.h ---- */

/* acc = combine(acc, x), by the kernel's reduction */
void print_combine(Printer *, const char *acc, Part x, Type);

/* ---- emit_loops.c ---- */

/* All loops of a K_LOOP. */
void print_loops(Printer *);

/* ---- emit_call.c: calls of the runtime ---- */

void print_gemm(Body *, const Kernel *);
void print_random(Body *, const Kernel *);
void print_call(Body *, const Kernel *);
extern const char *const ranks_word[]; /* by OverRanks: the member of ngrt_ranks */
/* Waits for what is to go over the ranks, before k reads it; k is NULL: at the end. */
void print_wait(Body *, const Kernel *k);

/* ---- emit_kernel.c: a K_LOOP, in the function's text or as a function of its own ---- */

void print_here(Body *, const Kernel *);
void print_apart(Body *, const Kernel *);

/* ---- emit_for.c: loops over kernels ---- */

void print_for(Body *, const Kernel *);
void print_for_test(Body *, const Kernel *);
void print_for_end(Body *, const Kernel *);

/* ---- emit_body.c: statements ---- */

/* A kernel of any kind. */
void emit_kernel(Body *, const Kernel *);
/* The statements of one part. */
Body emit_part(Emit *, const Function *, int part);
/* How much the comments in a function say: 0 to 2. */
int emit_comment_level(const Emit *, const Function *);

/* ---- emit_index.c ---- */

/* Prints the check of a function's indices, and gives the call of it. Returns the arguments that it
 * uses, as USES_*. */
unsigned emit_index_function(Emit *, const Function *, Text *out, const char **call);

/* ---- emit_metrics.c ---- */

void metrics_declare_block(Emit *, Text *);
void metrics_declare(Emit *, Text *);
void metrics_print(Emit *, Text *);
void metrics_wrappers(Emit *, Text *);
const char *metrics_flags(Emit *, int root);
/* C: where its result is in totals; 0: it has none. */
const char *metrics_offset(Emit *, int root);

/* ---- emit_interface.c ---- */

/* The functions of the interface. */
void emit_functions(Emit *, Text *);

/* ---- emit_constants.c: arrays of numbers ---- */

void emit_arrays(Emit *, Text *);
/* Of inputs' default values. */
void emit_defaults(Emit *, Text *, bool define);
const double *default_data(const Var *); /* NULL: the caller gives the elements */
/* Of --weights, and of it with --train. */
void emit_weights(Emit *, Text *, bool define);
void emit_frozen(Emit *, Text *);

/* ---- emit_all.c ---- */

/* All blocks in one struct. */
void emit_all(Emit *, Text *);

/* ---- emit_header.c ---- */

void emit_vars(Emit *, Text *, VarKind, const char *what); /* the struct of variables */
void emit_declarations(Emit *, Text *, bool is_header);

/* ---- emit_descriptor.c ---- */

void emit_model(Emit *, Text *);

/* emit_c.c has emit_c and emit_model_c of ngc.h. */

#endif
