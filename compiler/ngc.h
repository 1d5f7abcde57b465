/* ngc.h - the types that all phases share, then one section of prototypes per file, in pipeline
 * order.
 *
 * text --ng.l, ng.y--> Stmt, Expr --lower--> Model: a Graph and its roots --grad (called by
 * lower)--> the same graph with derivatives --simplify--> --fuse, plan--> Program --emit_c--> C.
 */
#ifndef NGC_H
#define NGC_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "errors.h"

#define NGC_VERSION "0.1.0"

enum { MAX_RANK = 8, MAX_DIMS = 8 };

enum { /* OpInfo.sizes of a convolution, as ngrt.h has them: the height and the width of each pair
          are neighbours */
       CONV_GROUPS,
       CONV_CHANNELS,
       CONV_OUT,
       CONV_HEIGHT,
       CONV_WIDTH,
       CONV_BATCH,
       CONV_KH,
       CONV_KW,
       CONV_OH,
       CONV_OW,
       CONV_SH,
       CONV_SW,
       CONV_DH,
       CONV_DW,
       CONV_PH,
       CONV_PW,
       CALL_SIZES, /* no record has more */
};

typedef struct Ngc Ngc;     /* one compilation: arena, names, sources, messages, options */
typedef struct Graph Graph; /* nodes in order; arguments precede users */
typedef struct Node Node;
typedef struct Expr Expr;
typedef struct Stmt Stmt;
typedef struct Var Var;
typedef struct Eval Eval;

/* ---- places and messages ---- */

typedef struct Loc { /* a half-open range of bytes of one source file */
    int file;        /* index into Ngc.files; -1: no place (a command-line argument, say) */
    int at, end;
} Loc;

typedef struct Source {
    const char *name; /* as the user wrote it; "prelude.ng" for the library */
    const char *text; /* size bytes, then a NUL */
    int size;
    bool library;     /* part of ngc, not of the user's model */
    bool importing;   /* its statements are being executed */
    Stmt *body;       /* what the parser made of it */
    int *line, lines; /* where each line starts */
} Source;

typedef enum { SEV_ERROR, SEV_WARNING, SEV_NOTE } Severity;

typedef struct Label { /* text drawn under a part of the error's source line: "W2: [6, 3]" */
    Loc loc;
    const char *text;
    struct Label *next;
} Label;

typedef struct Diag { /* one message: made by diag(), enriched by diag_label() and diag_note(),
                         drawn by diag_flush() */
    Severity severity;
    ErrorCode code;   /* 301 is drawn as NG0301 */
    const char *flag; /* a warning's name for -Wname, else NULL */
    Loc loc;
    const char *text;
    Label *labels;
    struct Diag *notes; /* drawn after it, in order */
    struct Diag *next;
} Diag;

/* ---- abstract syntax ---- */

typedef enum {
    X_NUM,       /* num */
    X_STR,       /* name: the text without quotes */
    X_NAME,      /* name */
    X_FIELD,     /* a . name: x.shape, h.0.W (name is "0") */
    X_CALL,      /* a ( args ); x |> f(k) is already f(x, k) */
    X_INDEX,     /* a [ args ]: each an X_RANGE, X_NEW, X_ELLIPSIS or a value */
    X_RANGE,     /* a : b : c in an index; each may be NULL */
    X_NEW,       /* new, in an index */
    X_ELLIPSIS,  /* ..., in an index */
    X_HOLE,      /* _, an argument left open */
    X_LIST,      /* [ args ] */
    X_NEG,       /* - a */
    X_TRANSPOSE, /* a ' */
    X_BINARY,    /* a op b; name is "+" "-" "*" "/" "@" "^" "<" "<=" ">" ">=" "==" "!=" */
} ExprKind;

typedef struct Arg {
    const char *name; /* for f(name = value), else NULL */
    Loc loc;          /* of the name, or of the value */
    Expr *value;
    struct Arg *next;
} Arg;

struct Expr {
    ExprKind kind;
    int depth; /* of nested operands; a chain of left-associative operators counts once */
    Loc loc;   /* all of it */
    Loc at;    /* the operator or the name: where a caret points */
    double num;
    const char *name; /* interned */
    Expr *a, *b, *c;
    Arg *args;
};

typedef enum {
    S_IMPORT, /* name: the path */
    S_DIM,    /* name, value; bound: true for <= */
    S_INPUT,
    S_PARAM,
    S_STATE,  /* name, sizes (NULL and scalar), type, value (= expr) or init (~ call) */
    S_UPDATE, /* path = value */
    S_OUTPUT,
    S_METRIC,   /* name = value, or path alone (value is then NULL) */
    S_ASSIGN,   /* targets = values */
    S_GRADIENT, /* name (or NULL) = value over paths */
    S_MINIMIZE,
    S_MAXIMIZE, /* the same, with call */
    S_DEF,      /* name ( params ) = value, or body */
    S_FOR,      /* name in value .. to (to NULL: a list) body */
    S_IF,       /* value body orelse */
    S_RETURN,   /* values */
} StmtKind;

typedef struct Names { /* a list of names or paths, in order */
    const char *name;  /* dotted for a path: "h.0.W" */
    Loc loc;
    struct Names *next;
} Names;

struct Stmt {
    StmtKind kind;
    Loc loc; /* all of it */
    Loc at;  /* the name, or the keyword where there is none */
    const char *name;
    Names *names; /* S_ASSIGN targets; over-paths of gradient, minimize */
    Expr *value;  /* S_ASSIGN, S_RETURN with one value: that; else NULL and values */
    Arg *values;  /* S_ASSIGN, S_RETURN with several values; S_DEF parameters (value: the default or
                     NULL) */
    Expr *to;     /* S_FOR */
    Expr *with;   /* S_MINIMIZE: the optimizer's call */
    Expr *init;   /* S_PARAM, S_STATE: the initializer's call */
    Arg *sizes;   /* declared sizes; has_sizes tells x[] from x */
    const char *type; /* "int", or NULL */
    Loc type_loc;
    bool bound;     /* S_DIM: <= */
    bool has_sizes; /* x[] or x[...] and not x */
    Stmt *body, *orelse;
    Stmt *next;
};

/* ---- sizes and shapes ---- */

/* A size. Not negative: that many. Negative: a polynomial in the model's run-time dims, kept once
 * in the graph, so that equal sizes are equal numbers. Every dim is at least 1, and no polynomial
 * is the number 1: it never broadcasts. */
typedef int64_t Size;

typedef struct Shape {
    int rank;
    Size dim[MAX_RANK];
} Shape;

typedef enum { T_FLOAT, T_INT } Type;

typedef struct Dim { /* a run-time size */
    const char *name;
    int64_t max;
    Loc loc;
} Dim;

/* ---- the graph ---- */

typedef enum Op {
#define X(name) OP_##name,
#include "ops.h"
#undef X
    OP_COUNT
} Op;

/* OpInfo.flags. */
enum {
    /* result[i] depends on operands[i] alone; all are of one shape */
    F_ELEMENTWISE = 1 << 0,
    F_COMMUTATIVE = 1 << 1,
    /* removes the axes in .axes, or .axis */
    F_REDUCE = 1 << 2,
    /* moves elements, computes nothing: an index map */
    F_VIEW = 1 << 3,
    /* no operands */
    F_LEAF = 1 << 4,
    /* elementwise and cheaper to compute again than to store and load */
    F_CHEAP = 1 << 5,
    /* derivative zero almost everywhere: nothing flows back, and a warning says so */
    F_FLAT = 1 << 6,
    /* keeps integers integer */
    F_INT = 1 << 7,
    /* takes each element from one operand, or one element, of several: to the others nothing flows
     * back */
    F_CHOICE = 1 << 8,
    /* moves, copies or adds elements: what flows back is moved, added or copied, and not scaled */
    F_ROUTE = 1 << 9,
    /* the result equals the operand; only the compiler treats it differently */
    F_SAME = 1 << 10,
    /* of operand 0 only counts whether it is 0: its type does not affect the result's, and its C
     * may be a test */
    F_CONDITION = 1 << 11,
    /* operand 0 is a matrix, which only the derivative needs; operand 1 is its factors, from which
     * the value is computed */
    F_FACTORED = 1 << 12,
    /* .call can compute a part of the result (its $p): threads can share it */
    F_PARTS = 1 << 13,
    /* at -O0 it is loops, for those who read the C, and not .call */
    F_LOOPS_PLAIN = 1 << 14,
    /* its text for vectors is a macro, which may use an operand twice */
    F_MACRO = 1 << 15,
    /* that text takes ints too, which in float32 are as wide as floats */
    F_VEC_INT = 1 << 16,
    /* that text may also give ints */
    F_VEC_TO_INT = 1 << 17,
    /* a leaf whose value is only known at run time */
    F_RUN_TIME = 1 << 18,
};

typedef enum {                /* may a value, or a slope, be infinite or not a number? */
               RISK_NONE,     /* not as long as the params are finite */
               RISK_INFINITE, /* by a constant that is infinite */
               RISK_DATA,     /* where the data is not finite */
               RISK_POLE, /* at numbers that a function is not defined for, or grows too fast at */
} Risk;

typedef struct Range { /* range.c: lo <= value <= hi, where it is a number */
    double lo, hi;
    Risk risk;
} Range;

struct Node {
    Op op;
    Type type;
    Shape shape;
    int id; /* place in the graph's order */
    int nargs;
    Node **arg;
    /* what tells nodes of one op apart: attr.c names the members, and OpInfo.attrs says which an op
     * uses; the others are zero */
    struct Attr {
        double value;       /* const; random: first parameter */
        double value2;      /* random: second parameter */
        const double *data; /* data: the elements, row-major */
        Size size;          /* size; checked: the index must be in [0, size) */
        Var *var;           /* var */
        uint32_t axes; /* reductions: axes removed from the operand; expand: axes of the result that
                          are copies */
        int axis;      /* argmax, gather, scatter, concat, iota */
        int kind;      /* random: a Random */
        int stream;    /* random, noise: number of the stream */
        const int *perm; /* permute: axis i of the result is axis perm[i] of the operand */
        const Size *lo;  /* slice: first element; pad: zeros before */
        const Size
            *step; /* slice: distance (may be negative); pad: distance between elements, >= 1 */
        Size stride[2];   /* conv, convk: by height and width */
        Size dilation[2]; /* conv, convk: the same */
        int groups;       /* conv, convk */
        bool ta, tb;      /* matmul, solve: the operand is stored transposed */
    } attr;
    /* for readers; not part of what a node is */
    const char *name; /* the user's name for it ("h.z", "dJ/dW"), or NULL */
    bool bound; /* the user's text binds it to a name, so a gradient may be asked with regard to it.
                 * Until Graph.final, builders neither look inside it nor find it by value: what is
                 * computed from it is what the text says is computed from it. */
    bool derived; /* made by a reverse sweep */
    Range range;  /* what is known of its elements */
    bool
        scaled; /* exponentials of which the largest is about 1 (stable.c): not to be taken apart */
    Loc loc;    /* the user's text it comes from */
    const struct Step *step; /* the step of the chain rule that made it, or NULL */
    const char *why;         /* the simplification that made it, or NULL */
    Node *chain;             /* next in the graph's hash bucket */
};

typedef enum {                    /* by value and value2: */
               RANDOM_UNIFORM,    /* from value up to, not including, value2 */
               RANDOM_NORMAL,     /* mean value, deviation value2 */
               RANDOM_TRUNCATED,  /* the same, within two deviations */
               RANDOM_ORTHOGONAL, /* value times a matrix of value2 rows that are orthonormal, or
                                     whose columns are */
} Random;

typedef struct Step { /* one step of the reverse sweep: how the adjoint of x gets a contribution
                         from y = op(..., x, ...) */
    Node *loss;       /* what is differentiated */
    Node *x, *y;      /* forward nodes */
    Node *dy, *dx;    /* the adjoint of y, and the contribution made from it */
    int operand;      /* x is y->arg[operand] */
    Node *sum;        /* the adjoint of x with it added */
    int use; /* 0 for the first contribution to x, 1 for the next ... : "second use of x: added" */
    const struct Step *prev; /* the one before, of the same loss */
} Step;

typedef enum { /* the operands for which an elementwise op is smooth: tests choose from these */
               DOMAIN_ALL,
               DOMAIN_NONZERO,
               DOMAIN_POSITIVE,
               DOMAIN_UNIT, /* between -1 and 1 */
} Domain;

typedef enum { /* the members of Node.attr, in the order in which they are written */
               A_VALUE,
               A_VALUE2,
               A_KIND,
               A_DATA,
               A_VAR,
               A_SIZE,
               A_PERM,
               A_LO,
               A_STEP,
               A_STRIDE,
               A_DILATION,
               A_GROUPS,
               A_AXES,
               A_AXIS,
               A_STREAM,
               A_TA,
               A_TB,
               A_COUNT
} AttrName;

typedef enum {
    ATTR_REAL,    /* double */
    ATTR_INT,     /* int */
    ATTR_BOOL,    /* bool */
    ATTR_AXES,    /* uint32_t: a bit for each axis */
    ATTR_SIZE,    /* Size */
    ATTR_PAIR,    /* Size[2]: of height and width */
    ATTR_ORDER,   /* const int *: one for each axis of the result */
    ATTR_SIZES,   /* const Size *: one for each axis of the result */
    ATTR_POINTER, /* equal if it points to the same */
} AttrKind;

typedef struct AttrMember {
    const char *name; /* in a dump and in JSON; NULL: a dump writes the value alone, JSON nothing */
    AttrKind kind;
    size_t offset; /* within struct Attr */
} AttrMember;

typedef struct OpInfo {
    const char *name;
    int arity; /* -1: any number */
    unsigned flags;
    unsigned attrs; /* which members of Node.attr it uses: bits by AttrName */
    /* the same op on other operands of the same shapes, by its builder; NULL: a leaf, or
     * graph_unary or graph_binary makes it */
    Node *(*copy)(Graph *g, const Node *n, Node *const *arg);
    const char *params; /* elementwise: the parameters of the language's function of this name: "y
                           x"; NULL: there is no such function */
    Domain domain;      /* elementwise */
    double (*value)(double a, double b, double c); /* elementwise: the reference value */
    const char *js; /* elementwise: the same in JavaScript, for a lesson's page: a function, which
                       may use those that page/ops.js has for it */
    void (*eval)(const Node *n, Eval *e, double *out); /* all else but leaves */
    /* d loss / d operand in the language itself, from operands a b c, result y and its adjoint dy;
     * parsed and built by grad.c, printed by explanations. For an op with .back it is the comment
     * alone. NULL: no derivative flows there. */
    const char *rule[3];
    void (*back)(Graph *g, const Node *y, Node *dy, Node **dx); /* fills dx[i], or leaves it NULL */
    const char *(*said)(
        Ngc *, const Node *y,
        int operand); /* the rule for readers, where it depends on y; NULL: .rule as it is */
    const char *c; /* elementwise: C, with $a $b $c for operands, @ for the suffix f in float32, $t
                      for the result's type */
    const char *c_float; /* in its place in float32 code made for speed: a function without
                            branches; NULL: none */
    const char *sign;    /* the language's operator: "+"; NULL: it has none */
    const char *test;    /* comparisons, and only these: what is 1 where it holds */
    /* the same of vectors, in the words of ngrt_vector.h; $a may be a test. In float32 alone:
     * vec_float. NULL: one at a time. F_MACRO, F_VEC_INT and F_VEC_TO_INT say what it is like */
    const char *vec, *vec_float;
    int prec; /* C precedence of that text, as in C's table: 16 primary, 14 unary, 13 *, 12 +, 10 <,
                 9 ==, 3 ?: */
    /* a runtime function on whole stored operands: its C, with $y $a $b $c for the storage of
     * result and operands (a scalar operand: its value), $0 .. $3 for .sizes, $s for all of them as
     * an array, % for s or d by the float type, $k for attr.stream, $p for the part that is
     * computed and the number of them (F_PARTS) */
    const char *call;
    void (*sizes)(Graph *g, const Node *n, Size *out);
    /* sums of products: how many are added for one element of the result; NULL: it is not one */
    Size (*terms)(Graph *g, const Node *n);
    const char *init, *combine; /* reductions: C of the start value and of the step, $acc and $x */
    const char *combine_vec;    /* the step of vectors */
    const char *teach;          /* what a teacher calls it: "multiply: swaps the inputs" */
} OpInfo;

/* One record per primitive, defined in the op_*.c files. */
extern const OpInfo *const op_info[OP_COUNT];

/* The op of an operator of the language on elements; *swap: with the operands exchanged. OP_COUNT:
 * there is none. */
Op op_of_sign(const char *sign, bool *swap);

struct Graph {
    Ngc *ngc;
    Node **node; /* in order */
    int count, room;
    Node **bucket;
    int buckets;
    Dim dim[MAX_DIMS]; /* the run-time dims */
    int dims;
    struct Poly *poly; /* what negative sizes stand for */
    int polys, poly_room;
    Loc loc;           /* given to nodes that are made: the statement or operator being lowered */
    const Step *steps; /* all steps of all sweeps, last first */
    Expr *rule[OP_COUNT][3]; /* OpInfo.rule, parsed */
    bool final; /* no gradient will be asked any more: names no longer keep values apart */
};

/* ---- the model: a graph and its roots ---- */

typedef enum { VAR_INPUT, VAR_PARAM, VAR_STATE } VarKind;

struct Var {
    VarKind kind;
    const char *name;  /* "h.0.W" */
    const char *cname; /* "h_0_W": distinct, legal in C and C++; set by lower's last act */
    Type type;
    Shape shape;
    Loc loc;
    Node *node; /* the OP_var node */
    Node *init; /* param, state: the starting value as a graph expression; input: its default or
                   NULL */
    const double *standard; /* input that is a tensor: the elements of its default, at the bounds of
                               run-time sizes; NULL: none */
    int index;  /* its place in Model.var, once these are in order; -1: a leaf of carry.c, of no
                   model */
    int update; /* 1 + the place of its update in Model.root while these are collected; 0: none */
    const double *data; /* --weights: its elements, row-major; else NULL */
    int64_t limit; /* int input used as an index or label: must be in [0, limit); 0: any value */
    bool invented; /* input: nobody gave it a value, so run.c made its numbers up */
};

typedef enum { ROOT_OUTPUT, ROOT_METRIC, ROOT_LOSS, ROOT_GRAD, ROOT_UPDATE, ROOT_NAMED } RootKind;

typedef struct Root { /* something a function of the emitted C delivers */
    RootKind kind;
    const char *name;  /* "p"; ROOT_GRAD: "dJ/dW"; ROOT_UPDATE: the variable's name */
    const char *cname; /* "p", "dJ_dh_W" */
    Node *node;
    Node *written; /* the node before the last simplification: what the user wrote */
    Node *x;       /* ROOT_GRAD: what it is the gradient with regard to */
    Node *loss;    /* ROOT_GRAD: what of */
    Var *var;      /* ROOT_UPDATE: what gets it; ROOT_GRAD: the variable x is, or NULL */
    bool of_loss;  /* ROOT_NAMED: a loss is computed from it, as the user wrote it */
    int group;     /* ROOT_UPDATE: the number of its minimize, or -1; ROOT_LOSS of a minimize: that
                      number */
    Loc loc;
} Root;

typedef struct Model {
    Graph *graph;
    const char *name; /* the prefix of all that is emitted */
    Var **var;        /* inputs, params, states, each in the order of declaration */
    int vars;
    Root *root; /* in the order of the source; grads in the order and layout of the params, then the
                   others */
    int roots;
    const char **group; /* name of the loss of each minimize */
    int groups;
    Node *training; /* the leaf that is 1 in forward, backward, step and 0 in predict, eval; NULL
                       where unused */
    unsigned facts; /* what the passes have established: bits of Fact */
} Model;

/* ---- programs: what one emitted function does, in order ---- */
/* (defined where fuse.c, plan.c and emit_c.c need them: program.h) */

/* ---- one compilation ---- */

typedef struct Define {
    const char *name;
    double value;
    bool used;
} Define; /* -D NAME=INT; used: there is such a dim */

typedef enum { /* passes, in the order in which they run: passes.c says what each is */
               PASS_LOWER,
               PASS_CLOSE,
               PASS_STABLE,
               PASS_SIMPLIFY,
               PASS_TRAINING,
               PASS_CARRY,
               PASS_LAYOUT,
               PASS_FOLD,
               PASS_ZEROS,
               PASS_MERGE,
               PASS_DROP,
               PASS_FUSE,
               PASS_ROWS,
               PASS_COLLAPSE,
               PASS_FINISH,
               PASS_PARTS,
               PASS_SHARE,
               PASS_PLAN,
               PASS_WAITS,
               PASS_VECTORS,
               PASS_COUNT
} Pass;

typedef struct Options {
    int optimize; /* 0 or 2 */
    bool real_double, standalone, werror;
    int comments;       /* 0 none, 1 source, 2 derivation */
    const char *prefix; /* NULL: from the file's name */
    const char **include;
    int includes;
    Define *define;
    int defines;
    const char **keep;
    int keeps;
    const char *dump; /* letters of passes after which the graph is printed to stderr */
    int color;        /* 0 no, 1 yes; main decides auto */
    bool no_share;    /* every value has memory of its own: for tests of the memory plan */
    unsigned without; /* passes that are left out, for tests and for measuring them: bits of Pass */
    bool verify;      /* the invariants are checked after each pass, not only after the last */
    int short_row;    /* columns from which on rows make a nest; 0: as is best; for tests with small
                         models */
    int pool_from;    /* estimated nanoseconds from which on threads share work; 0: as is best; for
                         tests with small models */
    bool literal;     /* the graph is what the text says: nothing folded, shared or simplified. What
                         tests believe */
    int digits;       /* run: significant digits of a printed number */
    bool json;        /* messages as JSON, one on a line */
    const char **silent;
    int silents;             /* names of warnings that are switched off */
    const char *stdin_name;  /* what '-' is called, or NULL */
    bool jacobians, columns; /* explain: full Jacobians; in denominator layout */
    const char *weights;     /* a file of weights that become constants, or NULL */
    const char *map;         /* what they are called there, or NULL */
} Options;

struct Ngc {
    struct Arena *arena;
    struct Intern *names;
    Source **file; /* file[0] is the library */
    int files;
    Options opt;
    Diag *diags, **diag_end;
    int errors, warnings; /* with -Werror a warning looks like an error, and still counts as a
                             warning: what follows it is done */
};

/* ---- util.c: memory, names, text, options ---- */

bool pass_runs(const Ngc *, Pass); /* was it not left out? */

void *arena_alloc(Ngc *,
                  size_t size); /* zeroed; never NULL: out of memory ends ngc with status 4 */
void *arena_copy(Ngc *, const void *from, size_t size);
void arena_free(Ngc *); /* ends the compilation: all that came from the arena is gone */
void *arena_grow(Ngc *, void *old, int count, int *room,
                 size_t item);                            /* room for one more than count items */
const char *intern(Ngc *, const char *text, size_t size); /* equal texts become equal pointers */
const char *intern_str(Ngc *, const char *text);
const char *text_format(Ngc *, const char *format, ...); /* sprintf into the arena */
const char *text_vformat(Ngc *, const char *format, va_list);
/* the shortest text that is read back as the same finite number; single: as a float */
const char *text_number(Ngc *, double, bool single);

typedef struct Table { /* pointers to numbers; all zero is empty */
    struct TableSlot {
        const void *key;
        int value;
    } * slot;
    int count, room;
} Table;

int *table_at(Ngc *, Table *,
              const void *key); /* the key's number, 0 where it is new; until the next call */

typedef struct Text { /* text that grows */
    Ngc *ngc;
    char *at; /* always NUL-terminated once something was added */
    size_t size, room;
} Text;

void text_add(Text *, const char *format, ...);
void text_put(Text *, const char *bytes, size_t size);
_Noreturn void ngc_bug(const char *format, ...); /* our fault: message to stderr, exit 4 */

/* ---- source.c: input, places, messages ---- */

int source_add(Ngc *, const char *name, const char *text, size_t size,
               bool library); /* index, or -1 with a message */
int source_read(
    Ngc *, const char *path,
    Loc from); /* "-" is stdin; index, or -1 with a message; from: the import, or file -1 */
int source_line(const Ngc *, Loc, int *column); /* both from 1; column in characters */
const char *source_text(Ngc *, Loc); /* that piece of the text, on one line, shortened if long */
Diag *diag(Ngc *, Severity, ErrorCode code, Loc, const char *format, ...);
Diag *warn(Ngc *, const char *flag, ErrorCode code, Loc, const char *format, ...);
Diag *complain(Ngc *, const char *format,
               ...);           /* an error without a place or a code: of files, options */
bool diag_failed(const Ngc *); /* by errors, or warnings that are errors */
void diag_label(Ngc *, Diag *, Loc, const char *format,
                ...); /* drawn if on the line of the message */
void diag_note(Ngc *, Diag *, Loc, const char *format, ...);
void diag_flush(Ngc *, FILE *); /* draws and forgets all that was collected */
const char *suggest(Ngc *, const char *word, const char *const *among,
                    int count); /* the nearest, or NULL */

/* ---- foreign.c: words of other languages -> what to write instead, or NULL ---- */

const char *foreign_statement(const char *word); /* that begins a statement */
const char *foreign_function(Ngc *, const char *word,
                             const char *of); /* a function, a method of that value */
const char *foreign_constant(Ngc *, const char *word);
bool foreign_module(const char *word); /* np, torch, nn, F */

/* ---- ng.l, ng.y, ast.c: text -> syntax ---- */

Stmt *parse(Ngc *, int file);              /* sets Source.body; errors are counted in Ngc.errors */
Expr *parse_expr(Ngc *, const char *text); /* one expression of our own (a derivative rule) */

Expr *expr_num(Ngc *, Loc, double);
Expr *expr_str(Ngc *, Loc, const char *text);
Expr *expr_name(Ngc *, Loc, const char *name);
Expr *expr_leaf(Ngc *, Loc, ExprKind);                   /* X_NEW, X_ELLIPSIS, X_HOLE */
Expr *expr_unary(Ngc *, Loc, Loc at, ExprKind, Expr *a); /* X_NEG, X_TRANSPOSE */
Expr *expr_binary(Ngc *, Loc, Loc at, const char *op, Expr *a, Expr *b);
Expr *expr_field(Ngc *, Loc, Loc at, Expr *a, const char *name);
Expr *expr_call(Ngc *, Loc, Expr *f, Arg *args);
Expr *expr_index(Ngc *, Loc, Expr *a, Arg *args);
Expr *expr_range(Ngc *, Loc, Expr *a, Expr *b, Expr *c);
Expr *expr_list(Ngc *, Loc, Arg *args);
Expr *expr_pipe(Ngc *, Loc, Expr *x, Expr *call); /* x |> f and x |> f(k) */
Arg *arg_new(Ngc *, Loc, const char *name, Expr *value);
Stmt *stmt_new(Ngc *, StmtKind, Loc, Loc at, const char *name);
Names *names_new(Ngc *, Loc, const char *name);

/* ---- lower*.c, value.c, builtin.c, einsum.c: syntax -> model ---- */

Model *lower(Ngc *, int file); /* as the user wrote it; NULL where there were errors */
void model_names(Model *);     /* names.c: no two values share one */

/* ---- warn.c: what is legal and hardly meant ---- */

void warn_unused(const Model *,
                 int file); /* names; of the file that is compiled also its values and functions */
void warn_log(Ngc *, Loc, const Node *x);    /* is x, whose log is taken, a softmax? */
void warn_large(const Model *, size_t size); /* of the C, without constants */

/* ---- size.c: sizes and shapes; graph.c: nodes ---- */

Graph *graph_new(Ngc *);
Size size_dim(Graph *, int dim); /* the run-time dim itself */
Size size_add(Graph *, Size, Size);
Size size_sub(Graph *, Size, Size); /* may be below 0: the caller checks before use in a shape */
Size size_mul(Graph *, Size, Size);
bool size_div(Graph *, Size a, Size b, Size *quotient); /* false: not exact */
int64_t size_max(const Graph *, Size);                  /* with every dim at its bound */
int64_t size_least(const Graph *, Size);                /* with every dim at 1 */
int size_powers(Graph *, Size, int dim,
                Size *coef); /* s = sum of coef[k] dim^k; how many, at most 256 */
bool size_number(const Graph *, Size, int64_t *); /* is it a number, perhaps a negative one? */
bool size_is_one(Size);
bool size_uses_dim(const Graph *, Size, int dim);
int64_t size_at(const Graph *, Size, const int64_t *dim);
const char *size_text(const Graph *, Size,
                      const char *prefix); /* "2*m + 1"; prefix stands before each dim's name */
Size shape_count(Graph *, Shape);          /* number of elements */
bool shape_equal(Shape, Shape);
bool shape_broadcast(Shape a, Shape b, Shape *out); /* NumPy's rule; false: they differ */
Shape shape_without(Shape, uint32_t axes);          /* what a reduction over these axes leaves */
const char *shape_text(const Graph *, Shape);       /* "[m, 784]" */

/* The extents of a shape; returns the number of elements. */
int64_t eval_shape(const Eval *, Shape, int64_t *dim);
/* The next index in row-major order; false after the last. */
bool index_next(int rank, const int64_t *dim, int64_t *index);
/* An element's place in row-major order. */
int64_t index_at(int rank, const int64_t *dim, const int64_t *index);

/* attr.c: attributes of nodes, all by one table */
extern const AttrMember attr_members[A_COUNT];
bool attr_used(const Node *, AttrName);
AttrName attr_stray(const Node *); /* one that is set and not used; A_COUNT: there is none */
int attr_sizes(const Node *, AttrName,
               Size *out); /* its numbers, at most MAX_RANK; how many; 0: it is not whole */
uint64_t attr_hash(const Node *, uint64_t h);
bool attr_equal(const Node *, const Node *); /* of nodes of one op and shape */
void attr_keep(Ngc *, Node *);               /* lists are copied, so that they last */

/* op_linear.c: the sizes of a matrix product, y [batch, m, n] = a [batch, m, k] @ b [batch, k, n],
 * where all batch axes count as one. a and b are stored as [batch, k, m] and [batch, n, k] if the
 * node's ta and tb are set. */
typedef struct Product {
    Size batch;
    Size m, n;   /* rows and columns of the result */
    Size k;      /* the axis that is summed over */
    bool ta, tb; /* the operand is stored transposed */
} Product;

Product product_of(Graph *, const Node *matmul);

/* range.c: what is known of values */
Range range_of(const Graph *, const Node *); /* of a node, by the ranges of its operands */
Range range_apply(Op, const Range *in);      /* of an elementwise op */
bool node_centred(const Node *,
                  uint32_t axes); /* exp(x - max(x)), over axes that are among these? */

/* Builders. Operands are checked by assertion: the user's mistakes were found by then. Elementwise
 * ones broadcast. */
Node *graph_const(Graph *, double); /* a float scalar */
Node *graph_int(Graph *, int64_t);
Node *graph_size(Graph *, Size); /* a size as a float scalar; a const where it is a number */
Node *graph_data(Graph *, Shape, Type, const double *data);
Node *graph_var(Graph *, Var *);
Node *graph_full(Graph *, Shape, double); /* expand of a const */
Node *graph_training(Graph *);
Node *graph_random(Graph *, Shape, Random, double a, double b, int stream);
Node *graph_noise(Graph *, Shape, Node *draws,
                  int stream);              /* uniform in [0, 1), new at each count of draws */
Node *graph_iota(Graph *, Shape, int axis); /* the index along an axis, int */
Node *graph_cast(Graph *, Node *, Type);
Node *graph_unary(Graph *, Op, Node *);
Node *graph_binary(Graph *, Op, Node *, Node *);
Node *graph_where(Graph *, Node *c, Node *a, Node *b);
Node *graph_expand(Graph *, Node *, Shape,
                   uint32_t axes); /* axes: those of the result that the operand does not have */
Node *graph_broadcast(Graph *, Node *, Shape); /* NumPy's rule, by reshape and expand */
Node *graph_reshape(Graph *, Node *, Shape);
Node *graph_permute(Graph *, Node *, const int *perm);
Node *graph_transpose(Graph *, Node *); /* the last two axes */
Node *graph_slice(Graph *, Node *, const Size *lo, const Size *step, Shape);
Node *graph_pad(Graph *, Node *, const Size *lo, const Size *step,
                Shape); /* the adjoint of slice */
Node *graph_concat(Graph *, Node **, int count, int axis);
Node *graph_reduce(Graph *, Op, Node *, uint32_t axes); /* sum, max */
Node *graph_argmax(Graph *, Node *, int axis);
Node *graph_matmul(Graph *, Node *, Node *, bool ta, bool tb); /* equal batch axes, or none in b */
Node *graph_lu(Graph *,
               Node *a); /* factors [.., n, n + 1] of a [.., n, n]; no derivative of their own */
Node *graph_solve(Graph *, Node *a, Node *b,
                  bool transposed);          /* x [.., n, k] with a x = b, or a' x = b */
Node *graph_det(Graph *, Op, Node *a);       /* det or logdet of a [.., n, n]: [..] */
Node *graph_lup(Graph *, Node *a);           /* factors for cof and cof2: [.., n, n + 2] */
Node *graph_cof(Graph *, Node *a);           /* cofactors of a [.., n, n]: the derivatives of det */
Node *graph_cof2(Graph *, Node *a, Node *w); /* how they change as a does by w */
Node *graph_conv(Graph *, Node *x, Node *k,
                 const struct Attr *); /* op_conv.c: groups, steps, dilations of attr */
Node *graph_convk(Graph *, Node *x, Node *y, const struct Attr *,
                  Shape);                         /* its derivative with regard to k */
Node *graph_checked(Graph *, Node *i, Size size); /* an index, checked at run time: in [0, size) */
Node *graph_gather(Graph *, Node *x, Node *i, int axis); /* int tensor in place of one axis */
Node *graph_scatter(Graph *, Node *dy, Node *i, Shape,
                    int axis); /* the adjoint of gather: adds where indices repeat */
Node *graph_stop(Graph *, Node *);
/* Gives a value a name that gradients may refer to. Where it has one, or is older than node `from`,
 * so that something else may be computed from it, a copy gets the name. */
Node *graph_bind(Graph *, Node *, const char *name, int from);
/* The same op on other operands of the same shapes: OpInfo.copy. */
Node *graph_copy(Graph *, const Node *, Node *const *arg);
const char *node_name(const Node *);          /* a variable's name, or the user's, or NULL */
bool node_const(const Node *, double *value); /* a const, or an expand of one */
bool node_is(const Node *, double value);
bool node_is_turned(const Node *); /* a reshape that is the transpose of a row or column */
int *graph_uses(
    Graph *, Node *const *root,
    int roots); /* by id: in how many places of what roots need it is an operand; roots count 1 */

/* All roots of a model and the starting values of its variables, for a pass that rewrites them. */
Node **model_take_roots(const Model *, int *count);
void model_put_roots(Model *, Node *const *root);

/* Provenance. A pass that puts m in the place of n says so by node_replaces, whether it made m or
 * found it: m takes n's name and place in the text, if it has no name. If m is new (its id is at
 * least first), readers are told the same of it as of n: the step of a sweep, the rewrite that made
 * it. node_rewrites does only this, for an m beside which n stays and keeps its name. */
void node_replaces(Node *m, const Node *n, int first);
void node_rewrites(Node *m, const Node *n, int first);

void graph_verify(const Graph *); /* ends ngc with status 4 where an invariant is broken */

/* dump.c: a graph for people. */
void graph_dump(const Graph *, Node *const *root, int roots,
                FILE *); /* what these need; the form is in compiler/README.md */
void model_dump(const Model *, FILE *);
const char *node_text(const Graph *, const Node *,
                      int depth); /* "a*b + c": names where there are any, else down to depth */

/* ---- grad.c: the reverse sweep ---- */

typedef enum {
    REACH_NONE,
    REACH_FLAT,
    REACH_YES
} Reach; /* y does not use x; only through ops of slope zero; yes */

/* g[i] = sum over y's elements of seed * dy/dx[i], in the shape of x[i]; a seed of NULL is 1 and
 * wants a scalar y. What y does not depend on gets zeros. reach[i] tells how y depends on x[i]. The
 * cost is one visit to each node between the x and y. */
void graph_grad(Graph *, Node *y, Node *seed, Node *const *x, int count, Node **g, Reach *reach);

const char *op_rule(Ngc *, const Node *y,
                    int operand); /* the record's rule as it applies to y, or NULL */

/* ---- stable.c: exponentials written by hand ---- */

/* Rewrites what roots need, in place, so that nothing overflows; opaque nodes stay. Was anything
 * changed? */
bool graph_stable(Graph *, Node **root, int roots, Node *const *opaque, int n_opaque);

void model_stable(Model *); /* the pass: of all that the roots need */

/* ---- simplify.c: algebra ---- */

/* Rewrites what roots need, in place. Nodes with id < from stand as they are (a sweep's result is
 * simplified over the nodes it differentiated); from = 0 rewrites all. subst: leaf -> value, or
 * NULL. */
void graph_simplify(Graph *, Node **root, int roots, int from, Node *leaf, Node *value);
void model_simplify(Model *); /* the last round, over everything: no gradient is asked after it */

/* The roots' nodes with this number in place of `training`. */
Node **model_with_training(Model *, double value);

/* ---- carry.c: losses and metrics of all rows, which come in batches ---- */

typedef enum {              /* what batches contribute, and how contributions become one */
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
    Node *total; /* the leaf that stands for that of all rows */
} Carrier;

typedef struct Link { /* a total that rows are computed with in later walks */
    Node *node;       /* as it occurs in the graph of a batch */
    int walk;         /* the first that reads it */
    Node *total;      /* what computes it from leaves */
} Link;

typedef enum {            /* how a loss or metric of all rows comes from those of batches */
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
    Node *rows;           /* the leaf that stands for the count of all rows */
    int walks;            /* over all rows */
} Carry;

/* ---- passes.c: the list of passes ---- */

typedef struct Modes { /* the roots of a model in its two modes, by index of Model.root */
    Model *model;
    Node **use;   /* predict, eval: `training` is 0 */
    Node **learn; /* forward, backward, update, step: `training` is 1 */
    Carry *carry; /* of losses and metrics over all rows; NULL: there is nothing to carry */
} Modes;

struct Program;

/* What one pass establishes and a later one relies on. The runner asks for what a pass requires
 * before it runs it; with --verify each fact is checked again after every pass. */
typedef enum {
    FACT_CLOSED = 1,  /* no gradient is asked any more: Graph.final */
    FACT_MODES = 2,   /* the roots of both modes need no `training` */
    FACT_CARRIED = 4, /* the losses and metrics of all rows are known */
    FACT_KERNELS = 8, /* each kernel finds what it reads, and every target is stored */
    FACT_LEVELS = 16, /* levels and uses of values are those of their kernel's loops */
    FACT_PARTS = 32,  /* each kernel is in a function; forward's are before backward's */
    FACT_PLACES = 64, /* values that live at the same time do not overlap */
} Fact;

typedef struct PassInfo {
    const char *name;                  /* --without=NAME leaves it out */
    char letter;                       /* -d LETTER prints what it leaves; 0: no letter */
    bool needed;                       /* it cannot be left out */
    bool plain;                        /* it runs at -O0 too */
    unsigned requires;                 /* facts that must hold before it */
    unsigned gives;                    /* facts that hold after it */
    unsigned breaks;                   /* facts that need not hold after it */
    void (*model)(Model *);            /* its function, on the graph */
    void (*modes)(Modes *);            /* or on the roots of both modes */
    void (*program)(struct Program *); /* or on the program of one function */
} PassInfo;

extern const PassInfo pass_table[PASS_COUNT];
extern const char pass_words[]; /* names of those that can be left out, separated by blanks */

int pass_find(const char *name); /* a pass that can be left out, or -1 */
const char *pass_letters(Ngc *); /* that -d knows */

void model_run_passes(Model *); /* the passes on the graph, after lower */
Modes model_modes(Model *);     /* the passes on the roots, before code is made of them */

/* ---- compile.c: from a text to a model ---- */

int source_library(Ngc *);             /* adds the library, before any other text; as source_add */
Model *model_compile(Ngc *, int file); /* after source_library; NULL: there were errors */

void modes_training(Modes *); /* simplify.c; sets Modes.use and Modes.learn */
void modes_carry(Modes *);    /* carry.c; sets Modes.carry */
void carry_check(Model *);    /* errors and warnings about what cannot be carried */

/* ---- eval.c: the reference interpreter ---- */

struct Eval {
    Ngc *ngc;
    Graph *graph;
    int64_t dim[MAX_DIMS]; /* values of the run-time dims */
    const double **var;    /* by index of Model.var: elements, row-major */
    Model *model;
    double training;
    uint64_t seed;
    double **value;       /* by node id: room for the elements, or NULL */
    bool *known;          /* by node id: the room holds the value */
    bool *need;           /* by node id: eval_node's own; false between its calls */
    const Node *outside;  /* the first index that was out of its range, or NULL */
    double outside_value; /* and what it was */
};

Eval *eval_new(Ngc *, Model *);
const double *eval_node(Eval *, Node *); /* computes what it needs; remembers */
void eval_forget(Eval *);                /* after a change of a variable */

/* ---- run.c: ngc run, ngc check ---- */

typedef struct DataRows { /* what files hold for the inputs */
    int64_t rows, batch;  /* of the files; as many as the model takes at once */
    double **all;         /* by index of Model.var: all rows, or NULL */
} DataRows;

/* data.c: gives inputs the first rows of files; the exit status, or 0. Dims not given must stand at
 * their bounds. */
int data_bind(Ngc *, Model *, Eval *, const char *files, double **var, DataRows *);
int run_main(Ngc *, Model *, char **assign, int count,
             bool fill); /* fill: inputs not given get seeded values */
int check_main(Ngc *, Model *, char **assign, int count);
Eval *run_eval(Ngc *, Model *, char **assign, int count, const char *files, DataRows *,
               int *status); /* every variable has a value; NULL with an exit status */

/* explain*.c: ngc explain. form: "text", "html", ... */
int explain_main(Ngc *, Model *, const char *form, const char *path, const char *files,
                 char **assign, int count);

/* ---- module.c (with fuse.c, plan.c) ---- */

typedef struct Module Module; /* module.h */

Module *module_build(Model *);               /* what its functions do and where, planned */
void report(const Module *, FILE *);         /* report.c */
void manifest_write(const Module *, Text *); /* manifest.c */

/* ---- emit_c.c ---- */

typedef struct Variable { /* of the C at -O0 */
    const char *name;     /* "h.z", "dJ/dh.z": the value's */
    const char *text;     /* "w->h_z"; of a function's own "forward t7" */
} Variable;

typedef struct Output {
    Text c, h;
    size_t numbers; /* bytes of c that are the elements of constants */
    Variable *variable;
    int variables;
} Output;

/* header: name of the header to include, or NULL to have the declarations in the C itself */
void emit_c(const Module *, const char *header, Output *);
void emit_model_c(Model *, const char *header, Output *); /* of its module */

/* ---- layout.c: order of axes ---- */

void modes_layout(Modes *);

/* ---- weights.c: --weights ---- */

int weights_freeze(Ngc *, Model *); /* cuts the model down to its outputs; 0, or the exit status */

/* ---- json.c, deps.c: what build tools read ---- */

void json_string(Text *, const char *); /* in quotes */
bool deps_write(Ngc *, Text *, const char *given, const char *const *target, int targets,
                const char *extra);

/* ---- output.c, driver.c ---- */

typedef struct OutFile {
    const char *path; /* "-" is standard output */
    const char *text;
    size_t size;
    struct { /* how a file of ngc's begins, where the user did not name this one; begins: NULL where
                he did */
        const char *begins, *holds;
        bool first_line; /* holds is in its first line */
    } ours;
    const char *target, *temp; /* output_write's own */
} OutFile;

bool output_clash(Ngc *, const OutFile *,
                  int count); /* with a message: it would overwrite the model, or itself */
bool output_foreign(Ngc *, const OutFile *,
                    int count); /* with a message: it would overwrite what ngc did not write */
bool output_write(Ngc *, OutFile *, int count); /* all of them, or none with a message */
int train_main(Ngc *, Model *, const char *command, char **argv,
               int argc); /* does not return where the program could be started */

#endif
