/* emit.h - what the emit_*.c files share while they print one model. */
#ifndef EMIT_H
#define EMIT_H

#include "module.h"

typedef struct Emit { /* the state of the printer of one module */
    Ngc *ngc;
    Graph *graph;
    const Module *module;
    const char *real, *suffix; /* "float", "f" */

    /* what the functions need, each printed once */
    Text kernels;        /* static functions */
    const char **kernel; /* their names */
    int kernel_count, kernel_room;
    Table kernel_of; /* a function's text, interned: 1 + its place there */
    struct {
        const double *data;
        Type type;
        bool wide; /* double */
        int64_t count;
    } * data; /* constant arrays */
    int datas, data_room;
    Table data_of;        /* elements: 1 + the place of the first array of them */
    const char **section; /* of the runtime, that are used */
    int sections, section_room;
    bool labels; /* check_labels is used */
    bool lines;  /* line_start is used */
    bool shares; /* share_of, NGC_SHARE are used */
    bool meets;  /* meet is used */
    bool small;  /* ngrt_small.h is used */

    /* emit_comment.c */
    const Step **step_of; /* by id of a node, the last contribution to its adjoint */
    const Node **holder;  /* by id: the value whose adjoint its own is */
    Table grad_of;        /* by Root.cname: 1 + the root */
    const char **hidden;  /* by id: its name where that is hidden while a function is printed */
    bool *lent;           /* by id: is its name lent while a function is printed? */
    const Node *told;     /* what the last comment was about */
    const char **from;    /* by id: the losses that derivatives are recognised to be of, or NULL */
    const Node **user;    /* by id: the first value on the way to a loss that is computed from it */
    Table root_of;        /* by name: the root that is delivered under it */
    Table line_state;     /* by line: is a value named there? does a loss need one of those? */

    int *waiting; /* emit_c.c: by id, 1 + its place among the numbers that wait to be printed */
} Emit;

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

void emit_set_real(Emit *, bool wide); /* from here on floats are double, or not */
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
void emit_declarations(Emit *, Text *);
void emit_defaults(Emit *, Text *, bool define); /* the arrays of inputs' default values */
void emit_model(Emit *, Text *);                 /* the descriptor and its functions */
const char *emit_arguments(Emit *, const Function *, bool types);
const char *emit_dims(Emit *, Shape, bool *flat); /* "[64][10]" */

/* weights.c */
void emit_weights(Emit *, Text *, bool define); /* the constants of --weights */

/* emit_index.c */
/* prints what does it for a function, and says how it is called; returns what it uses, as USES_* */
unsigned emit_index_function(Emit *, const Function *, Text *out, const char **call);

/* emit_standalone.c */
void emit_runtime(Emit *, Text *); /* the sections that are used, static */
void emit_types(Text *);           /* the descriptor's types */

/* emit_metrics.c */
void metrics_declare_block(Emit *, Text *);
void metrics_declare(Emit *, Text *);
void metrics_print(Emit *, Text *);
void metrics_wrappers(Emit *, Text *);
const char *metrics_flags(Emit *, int root);
const char *metrics_offset(Emit *, int root); /* C: of its result in totals; 0: it has none */

/* emit_c.c */
Body emit_part(Emit *, const Function *, int part); /* the statements of one part */

void emit_run_time_sizes(Emit *, Text *,
                         unsigned dims);             /* declares those that the text speaks of */
void emit_space(const Emit *, Text *, const Body *); /* the same, of space */
int emit_data(Emit *, const double *data, Type, int64_t count); /* the number of a constant array */

#endif
