/* graph.h - the graph of a model: its nodes, the records of their ops, and what works on them */
#ifndef GRAPH_H
#define GRAPH_H

#include "syntax/ast.h"

enum {
    MAX_RANK = 8,
    MAX_DIMS = 8,                     /* run-time dims of a model */
    MAX_LEVELS = 4,                   /* loops inside each other */
    ALL_DIMS = MAX_DIMS + MAX_LEVELS, /* with the index of a loop of each level */

    /* With --ranks, a dim that no tensor has: the rows of a batch on all ranks. */
    ALL_ROWS = MAX_DIMS - 1,
};

/* OpInfo.sizes of a convolution, as ngrt.h has them: the height and the width of each pair are
 * neighbours. */
enum {
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
    CONV_ABOVE, /* rows of the image that are known to be 0: the first, and the last */
    CONV_BELOW,
    CALL_SIZES, /* no record has more */
};

typedef struct Graph Graph; /* nodes in order; operands precede users */
typedef struct Node Node;
typedef struct Var Var;
typedef struct Given Given;
typedef struct Model Model;
typedef struct Loop Loop;
typedef struct Eval Eval; /* eval.h */

/* ---- sizes and shapes ---- */

/* A size. If it is not negative, it is the number itself. If it is negative, it refers to a
 * polynomial in the model's run-time dims, which the graph keeps once: equal sizes are equal
 * numbers. Every dim is at least 1, and no polynomial is the number 1, so it never broadcasts. */
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

/* A loop that stays a loop. Its body is all nodes that depend on one of its leaves: on the number
 * of the pass (OP_index), or on the value of a carried variable before the pass (OP_carried). Nodes
 * that do not are computed once, outside. OP_loop has the leaves, their values before the first
 * pass, and their values after each pass. What leaves the loop are OP_last, a variable after the
 * last pass, and OP_collect, the sum over all passes of a value put into a larger tensor of zeros.
 *
 * In the sizes of slice, pad and collect, the number of the pass is a dim (index_dim). */
struct Loop {
    const char *name; /* of its index, in the user's text */
    int64_t from;     /* what that is in pass 0 */
    int level;        /* the number of loops around it */
    bool down;        /* from the last pass to the first */
    Size passes;      /* their number, or the most there can be */
    Loc loc;
    const Loop *of; /* the loop whose derivative it is, or NULL */
    int id;         /* its place among the loops of the graph */

    /* Each of its passes does a segment of the user's loop, or a part of a segment, by a loop
     * inside. Only what is carried into a segment is kept: the way back computes the rest again. */
    bool segments;
    Size all; /* the passes of all segments, if it makes those of one; else 0 */

    /* the way back through segments computes its passes again */
    bool again;

    /* The largest number of a pass, for the bounds of places. Places depend on the sum of what the
     * loops of segments count; so the innermost has the bound of all passes, and the others 0. */
    Size last;
};

/* Bits of Node.attr.kind of an OP_loop: the operands that it has after the variables. */
enum {
    LOOP_WHILE = 1, /* the test: a pass is made only if it is not 0 before the pass */
    LOOP_COUNT = 2, /* the number of passes */
};

/* ---- the graph ---- */

typedef enum Op {
#define X(name) OP_##name,
#include "graph/ops.h"
#undef X
    OP_COUNT
} Op;

/* OpInfo.flags. */
enum {
    /* result[i] depends only on operands[i]; all have one shape */
    F_ELEMENTWISE = 1 << 0,
    /* a op b = b op a */
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
    /* chooses each element from several operands or elements: nothing flows back to the others */
    F_CHOICE = 1 << 8,
    /* moves, copies or adds elements: what flows back is moved, added or copied, and not scaled */
    F_ROUTE = 1 << 9,
    /* the result equals the operand; only the compiler treats it differently */
    F_SAME = 1 << 10,
    /* only whether operand 0 is 0 matters: its type does not affect the type of the result, and its
     * C may be a test */
    F_CONDITION = 1 << 11,
    /* operand 0 is a matrix, which only the derivative needs; operand 1 is its factors, from which
     * the value is computed */
    F_FACTORED = 1 << 12,
    /* .call can compute a part of the result (its $p): threads can share it */
    F_PARTS = 1 << 13,
    /* at -O0 it is printed as loops, for those who read the C, and not as .call */
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

/* May a value, or a slope, be infinite or not a number? */
typedef enum {
    RISK_NONE,     /* not as long as the params are finite */
    RISK_INFINITE, /* by a constant that is infinite */
    RISK_DATA,     /* where the data is not finite */
    RISK_POLE,     /* at numbers that a function is not defined for, or grows too fast at */
} Risk;

typedef struct Range { /* range.c: lo <= value <= hi, where it is a number */
    double lo, hi;
    Risk risk;
} Range;

struct Node {
    Op op;
    Type type;
    Shape shape;

    /* its place in the graph's order */
    int id;

    int nargs;
    Node **arg;

    /* The attributes: what distinguishes nodes of one op. attr.c names the members, and
     * OpInfo.attrs says which ones an op uses; the others are zero. */
    struct Attr {
        /* const: the number; random: the first parameter */
        double value;

        /* random: the second parameter */
        double value2;

        /* data: the elements, row-major */
        const double *data;

        /* size: the size; checked: the index must be in [0, size); noise: what is added to the
         * stream, by the numbers of passes */
        Size size;

        /* var */
        Var *var;

        /* given */
        const Given *given;

        /* a bit for each axis. Reductions: the axes removed from the operand; expand: the axes of
         * the result that are copies */
        uint32_t axes;

        /* argmax, gather, scatter, concat, iota; carried: the number of the variable;
         * loop: how many it has */
        int axis;

        /* random: a Random; loop: LOOP_...; over_ranks: an OverRanks; noise: 1 if it has rows,
         * which differ from rank to rank */
        int kind;

        /* random, noise: the number of the stream */
        int stream;

        /* permute: axis i of the result is axis perm[i] of the operand */
        const int *perm;

        /* slice: the first element; pad, collect: the number of zeros before */
        const Size *lo;

        /* the distance between elements. slice: may be negative; pad: at least 1 */
        const Size *step;

        /* index, carried, loop, last, collect */
        const Loop *loop;

        /* conv, convk: by height and width */
        Size stride[2];
        Size dilation[2];

        /* conv, convk */
        int groups;

        /* matmul: the first operand, or the second, is stored transposed; solve: only ta */
        bool ta, tb;

        /* matmul: an element is one chain of sums (ngrt_gemm_chain), from its last product down */
        bool chain, down;
    } attr;

    /* The rest is for readers and for passes. It is not part of what a node is. */

    /* by level: the loop whose body it is in, or NULL */
    const Loop *in[MAX_LEVELS];

    /* the user's name for it ("h.z", "dJ/dW"), or NULL */
    const char *name;

    /* The user's text binds it to a name, so a gradient may be asked with respect to it. Until
     * Graph.final is set, builders do not look inside it and do not share it: what is computed
     * from it is what the text says. */
    bool bound;

    /* made by a reverse sweep */
    bool derived;

    /* a value of the text that the way back through segments computes again: it is simplified as
     * in the forward pass, and has its bits */
    bool again;

    /* what is known of its elements; and what is known of them in training */
    Range range, trained;

    /* exponentials of which the largest is about 1 (stable.c): not to be taken apart */
    bool scaled;

    /* made by a pass over kernels, beside an equal node: it is not shared */
    bool apart;

    /* the user's text it comes from */
    Loc loc;

    /* the step of the chain rule that made it, or NULL */
    const struct Step *step;

    /* the simplification that made it, or NULL */
    const char *why;

    /* the next node in the graph's hash bucket */
    Node *chain;
};

/* How a random tensor is drawn, by attr.value and attr.value2. */
typedef enum {
    RANDOM_UNIFORM,   /* in [value, value2) */
    RANDOM_NORMAL,    /* mean value, standard deviation value2 */
    RANDOM_TRUNCATED, /* the same, within two standard deviations */

    /* value times a matrix of value2 rows; its rows, or its columns, are orthonormal */
    RANDOM_ORTHOGONAL,
} Random;

/* How a value of all ranks comes from those of each: Node.attr.kind of over_ranks. */
typedef enum {
    RANKS_SUM,
    RANKS_MAX,
    RANKS_LATER, /* a sum that may be made while other values are computed, until it is read */
} OverRanks;

/* One step of the reverse sweep: y = op(.., x, ..) contributes to the adjoint of x. */
typedef struct Step {
    Node *loss; /* what is differentiated */

    /* Forward nodes. If y is a loop, x is something that its body uses; if y leaves a loop, x is in
     * the body. */
    Node *x, *y;

    /* x is y->arg[operand]; of a loop, y->nargs: its body uses x */
    int operand;

    /* the loop that goes back, in whose body the adjoints are; NULL: in none. They are those of
     * one pass. */
    const Loop *within;

    Node *dy;  /* the adjoint of y */
    Node *dx;  /* the contribution made from it */
    Node *sum; /* the adjoint of x after dx is added */

    /* 0 for the first contribution to x, 1 for the second: "second use of x: added" */
    int use;

    struct Step *prev; /* the step before, of the same loss */
} Step;

/* The operands for which an elementwise op is smooth: tests choose from these. */
typedef enum {
    DOMAIN_ALL,
    DOMAIN_NONZERO,
    DOMAIN_POSITIVE,
    DOMAIN_UNIT, /* between -1 and 1 */
    DOMAIN_ABOVE_ONE,
} Domain;

/* The members of Node.attr, in the order in which they are written. */
typedef enum {
    A_VALUE,
    A_VALUE2,
    A_KIND,
    A_DATA,
    A_VAR,
    A_LOOP,
    A_GIVEN,
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
    A_CHAIN,
    A_DOWN,
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

/* All that ngc knows about an op. */
typedef struct OpInfo {
    const char *name;

    /* the number of operands; -1: any number */
    int arity;

    /* F_... */
    unsigned flags;

    /* the members of Node.attr that it uses: bits by AttrName */
    unsigned attrs;

    /* Makes the same op on other operands of the same shapes. NULL: a leaf, or an op that
     * graph_unary or graph_binary makes. */
    Node *(*copy)(Graph *g, const Node *n, Node *const *arg);

    /* ---- the reference value ---- */

    /* elementwise: the parameters of the language's function of this name: "y x"; NULL: there is no
     * such function */
    const char *params;

    /* elementwise */
    Domain domain;

    /* elementwise: the value */
    double (*value)(double a, double b, double c);

    /* elementwise: the value in JavaScript, for a lesson's page; it may use the functions of
     * page/math.js */
    const char *js;

    /* other ops, except leaves: the value */
    void (*eval)(const Node *n, Eval *e, double *out);

    /* ---- the derivative ---- */

    /* d loss / d operand in the language itself: from operands a b c, the result y and its adjoint
     * dy. grad_rule.c parses and builds it, explanations print it. For an op with .back it is only
     * a comment. NULL: no derivative flows to that operand. */
    const char *rule[3];

    /* sets dx[i] for each operand, or leaves it NULL */
    void (*back)(Graph *g, const Node *y, Node *dy, Node **dx);

    /* the rule for readers, where it depends on y; NULL: .rule as it is */
    const char *(*said)(Ngc *, const Node *y, int operand);

    /* May the slope by .back be infinite or NaN, where a mask can help? NULL: no. */
    Risk (*risk)(const Node *y, int operand);

    /* ---- the C of an elementwise op ---- */

    /* $a $b $c are the operands, @ is the suffix f in float32, $t is the result's type */
    const char *c;

    /* the language's operator: "+"; NULL: it has none */
    const char *sign;

    /* comparisons, and only these: the condition under which the value is 1 */
    const char *test;

    /* .c for vectors, by the macros of ngrt_vector.h; $a may be a test. NULL: one element at a
     * time. F_MACRO, F_VEC_INT and F_VEC_TO_INT describe it. */
    const char *vec;

    /* what replaces .c and .vec in code made for speed, in float32 and in float64 */
    struct FastForm {
        const char *c;    /* anywhere; NULL: .c */
        const char *vec;  /* for vectors; NULL: .vec */
        const char *left; /* for elements left over: with the bits of .vec; NULL: .c */
    } form[2];

    /* the precedence of .c in C: 16 primary, 14 unary, 13 *, 12 +, 10 <, 9 ==, 3 ?: */
    int prec;

    /* ---- the C of other ops ---- */

    /* A call of a runtime function on whole stored operands:
     *   $y $a $b $c  the storage of the result and the operands (a scalar operand: its value)
     *   $0 .. $3     .sizes, and $s all of them as an array
     *   %            s or d, by the float type
     *   $l           _large, where $1 rows and columns are worth products of blocks
     *   $k           attr.stream
     *   $r           what is added to the count of draws on other ranks
     *   $p           the part that is computed, and the number of parts (F_PARTS) */
    const char *call;

    /* the sizes for .call */
    void (*sizes)(Graph *g, const Node *n, Size *out);

    /* sums of products: the number of terms for one element of the result; NULL: it is not one */
    Size (*terms)(Graph *g, const Node *n);

    /* reductions: the start value and the step, with $acc and $x */
    const char *init, *combine;

    /* the step for vectors */
    const char *combine_vec;

    /* ---- for lessons ---- */

    /* what a teacher calls it: "multiply: swaps the inputs" */
    const char *teach;

    /* the same, where it depends on the node */
    const char *(*taught)(Ngc *, const Node *);
} OpInfo;

/* One record per primitive, defined in the op_*.c files. */
extern const OpInfo *const op_info[OP_COUNT];

/* Is this one of OpInfo.flags set? */
static inline bool op_has(Op op, unsigned flag)
{
    return op_info[op]->flags & flag;
}

static inline bool node_has(const Node *n, unsigned flag)
{
    return op_has(n->op, flag);
}

/* The id of operand k: many lists are by id. */
static inline int arg_id(const Node *n, int k)
{
    return n->arg[k]->id;
}

/* The dim that is the number of the loop's pass in sizes. */
static inline int index_dim(const Loop *loop)
{
    return MAX_DIMS + loop->level;
}

/* The op of an operator of the language on elements; *swap: with the operands exchanged. OP_COUNT:
 * there is none. */
Op op_of_sign(const char *sign, bool *swap);

double int_around(double x);                     /* the int32 that is x modulo 2^32 */
double op_value_int(Op, const double *operands); /* the value of an int op, modulo 2^32 */

struct Graph {
    Ngc *ngc;

    /* the nodes in order */
    Node **node;
    int count, room;

    /* the hash table that finds equal nodes */
    Node **bucket;
    int buckets;

    /* the run-time dims; from MAX_DIMS on, the index of the last loop of each level */
    Dim dim[ALL_DIMS];
    int dims;

    /* by level: the leaf that the index means in the sizes of new nodes */
    Node *index[MAX_LEVELS];
    int loops, carried; /* loops, and variables of loops, so far */

    /* the polynomials that negative sizes refer to */
    struct Poly *poly;
    int polys, poly_room;

    /* given to new nodes: the statement or operator that is being lowered */
    Loc loc;

    /* all steps of all sweeps, the last first */
    Step *steps;

    /* the warning about a third derivative of det was given */
    bool warned_of_det;

    /* OpInfo.rule, parsed */
    Expr *rule[OP_COUNT][3];

    /* no more gradients will be asked for: names no longer keep values apart */
    bool final;
};

/* ---- the model: a graph and its roots ---- */

typedef enum {
    VAR_INPUT,
    VAR_PARAM,
    VAR_STATE,
    VAR_FROZEN, /* a param or a state that is a constant, with the elements in Var.data */
    VAR_KINDS
} VarKind;

struct Var {
    VarKind kind;

    /* "h.0.W" */
    const char *name;

    /* "h_0_W": unique, legal in C and C++; set at the end of lowering */
    const char *cname;

    Type type;
    Shape shape;
    Loc loc;

    /* the OP_var node */
    Node *node;

    /* param, state: the starting value; input: the default value, or NULL */
    Node *init;

    /* an input that is a tensor: the elements of its default value, with every run-time size at its
     * bound; NULL: none */
    const double *standard;

    /* its place in Model.var, once these are in order; -1: a leaf of carry.c, which is in no
     * model */
    int index;

    /* 1 + the place of its update in Model.root, while roots are collected; 0: none */
    int update;

    /* a call of its layer made that update, and the next call reads what it leaves; false: it is
     * of a minimize or of the file, and no call sees it */
    bool by_call;

    /* --weights: its elements in that file, row-major; else NULL */
    const double *data;

    /* an int input used as an index or label must be in [0, limit); 0: any value */
    int64_t limit;

    /* a state of an optimizer, or a counter of steps or draws: it starts anew with training */
    bool fresh;

    /* the counter of random draws */
    bool draws;

    /* input: the user gave no value, so run_values.c made up its numbers */
    bool invented;
};

/* A derivative that the user gives: the backward part of a def, lowered once for a call. Its nodes
 * are computed from leaves in place of the result, its adjoint and the tensors that the def was
 * called with. A reverse sweep copies them onto what these leaves mean. */
struct Given {
    const char *name; /* of the def */
    Loc loc;          /* of the backward part */
    const char *text; /* of it, on one line */

    Node *dy, *y; /* the leaves of the adjoint and of the result */
    int count;    /* tensors: operands 1 to count of a node `given` */

    struct GivenTensor {
        const char *name; /* of the parameter */
        Node *leaf;
        Node *dx;         /* its adjoint, in its shape */
        const char *said; /* the same for readers, as OpInfo.said */
        bool by_element;  /* an element of dx is computed from only that element of dy */
    } * tensor;

    int first, end; /* the ids of its nodes: first <= id < end */

    /* what it uses of the loops that the call is in: further operands */
    Node **outer;
    int outers, outer_room;
};

typedef enum { ROOT_OUTPUT, ROOT_METRIC, ROOT_LOSS, ROOT_GRAD, ROOT_UPDATE, ROOT_NAMED } RootKind;

/* A value that a function of the emitted C computes for its caller. */
typedef struct Root {
    RootKind kind;

    /* "p"; ROOT_GRAD: "dJ/dW"; ROOT_UPDATE: the variable's name */
    const char *name;

    /* "p", "dJ_dh_W" */
    const char *cname;

    Node *node;

    /* the node before the last simplification: what the user wrote */
    Node *written;

    /* ROOT_GRAD: the gradient of loss with respect to x */
    Node *loss, *x;

    /* ROOT_UPDATE: the variable that is updated; ROOT_GRAD: the variable that x is, or NULL */
    Var *var;

    /* ROOT_NAMED: a loss is computed from it, in the user's text */
    bool of_loss;

    /* ROOT_LOSS: it is maximized */
    bool rises;

    /* ROOT_UPDATE: the number of its minimize, or -1; ROOT_LOSS of a minimize: that number */
    int group;

    Loc loc;
} Root;

struct Model {
    Graph *graph;

    /* the prefix of every emitted name */
    const char *name;

    /* inputs, params, states, frozen ones, each in the order of declaration */
    Var **var;
    int vars;

    /* in the order of the source. Gradients: first those of params, in the order and layout of the
     * params, then the others. */
    Root *root;
    int roots;

    /* the name of the loss of each minimize */
    const char **group;
    int groups;

    /* a minimize says what it is over */
    bool over;

    /* it has only outputs, and all its weights are constants */
    bool constant;

    /* the leaf that is 1 in forward, backward, step and 0 in predict, eval; NULL: unused */
    Node *training;

    /* what became of the loops over a range in the text, for --report */
    struct LoopNote {
        Loc loc;
        int64_t passes; /* at most */
        bool stays;
        const char *why; /* not; NULL: it stays */
        Loc why_loc;
    } * loop;
    int loops, loop_room;

    /* what the passes have established: bits of Fact */
    unsigned facts;
};

/* ---- size.c: sizes and shapes ---- */

Size size_dim(Graph *, int dim); /* the run-time dim itself */
Size size_add(Graph *, Size, Size);
Size size_sub(Graph *, Size, Size); /* may be below 0: the caller checks before use in a shape */
Size size_mul(Graph *, Size, Size);
bool size_div(Graph *, Size a, Size b, Size *quotient);      /* false: not exact */
bool size_floor(Graph *, Size a, int64_t b, Size *quotient); /* rounded down; false: not known */
int64_t size_max(const Graph *, Size);   /* no value of the dims makes it larger */
int64_t size_least(const Graph *, Size); /* or less */

/* s = sum of coef[k] dim^k. Returns the number of coefficients, at most 256. */
int size_powers(Graph *, Size, int dim, Size *coef);

/* The step of a slice, pad or collect of neighbours. */
extern const Size size_ones[MAX_RANK];

/* A size with a number, or another size, in place of a dim. */
Size size_replace(Graph *, Size, int dim, Size by);

bool size_number(const Graph *, Size, int64_t *); /* is it a number, perhaps a negative one? */
bool size_is_one(Size);
bool size_uses_dim(const Graph *, Size, int dim);
int64_t size_at(const Graph *, Size, const int64_t *dim);

/* "2*m + 1", with prefix before the name of each dim. */
const char *size_text(const Graph *, Size, const char *prefix);

Size shape_count(Graph *, Shape);        /* number of elements */
int64_t shape_count_max(Graph *, Shape); /* the same at the bounds of run-time sizes */
bool shape_is_run_time(Shape);           /* is one of its sizes known only at run time? */
bool shape_equal(Shape, Shape);
bool shape_broadcast(Shape a, Shape b, Shape *out); /* NumPy's rule; false: they differ */
Shape shape_without(Shape, uint32_t axes);          /* what a reduction over these axes leaves */
const char *shape_text(const Graph *, Shape);       /* "[m, 784]" */

/* The next index in row-major order; false after the last. */
bool index_next(int rank, const int64_t *dim, int64_t *index);
/* An element's place in row-major order. */
int64_t index_at(int rank, const int64_t *dim, const int64_t *index);

/* ---- attr.c: attributes of nodes, all by one table ---- */

extern const AttrMember attr_members[A_COUNT];
bool attr_used(const Node *, AttrName);
AttrName attr_stray(const Node *); /* one that is set but not used; A_COUNT: there is none */

/* Writes its whole numbers to out, at most MAX_RANK. Returns how many; 0: they are not whole. */
int attr_sizes(const Node *, AttrName, Size *out);

uint64_t attr_hash(const Node *, uint64_t h);
bool attr_equal(const Node *, const Node *); /* of nodes of one op and shape */
void attr_keep(Ngc *, Node *);               /* lists are copied, so that they last */

/* ---- op_linear.c ---- */

/* The sizes of a matrix product, y [batch, m, n] = a [batch, m, k] @ b [batch, k, n],
 * where all batch axes count as one. a and b are stored as [batch, k, m] and [batch, n, k] if the
 * node's ta and tb are set. */
typedef struct Product {
    Size batch;
    Size m, n;   /* rows and columns of the result */
    Size k;      /* the axis that is summed over */
    bool ta, tb; /* the operand is stored transposed */
} Product;

Product product_of(Graph *, const Node *matmul);

/* ---- range.c: what is known of values ---- */

void range_find(const Graph *, Node *); /* of a node, by the ranges of its operands */
Range range_apply(Op, const Range *in); /* of an elementwise op */
Risk risk_worse(Risk, Risk);

/* exp(x - max(x)), over axes that are among these? */
bool node_centred(const Node *, uint32_t axes);

/* ---- graph.c: nodes, leaves, rebuilding ---- */

Graph *graph_new(Ngc *);

/* Builders. Operands are checked by assertions: the user's mistakes were found before. Elementwise
 * builders broadcast. */
Node *graph_const(Graph *, double); /* a float scalar */
Node *graph_int(Graph *, int64_t);
Node *graph_size(Graph *, Size); /* a size as a float scalar; a const where it is a number */
Node *graph_data(Graph *, Shape, Type, const double *data);
Node *graph_var(Graph *, Var *);
Node *graph_full(Graph *, Shape, double); /* expand of a const */
Node *graph_training(Graph *);
Node *graph_random(Graph *, Shape, Random, double a, double b, int stream);

/* Uniform in [0, 1), new at each count of draws. */
Node *graph_noise(Graph *, Shape, Node *draws, int stream, Size pass); /* stream + pass */

Node *graph_iota(Graph *, Shape, int axis); /* the index along an axis, int */

/* The sum or the maximum of a value over all ranks. */
Node *graph_over_ranks(Graph *, Node *, OverRanks);

/* Noise in whose shape there are rows: other numbers on each rank. */
Node *graph_noise_of_rows(Graph *, const Node *noise, Node *draws);

/* Any node: for loop.c, which has builders of its own. */
Node *graph_add(Graph *, Node, Node *const *arg);

/* Gives a value a name that gradients may refer to. Where it has one, or is older than node `from`,
 * so that something else may be computed from it, a copy gets the name. */
Node *graph_bind(Graph *, Node *, const char *name, int from);

/* The same op on other operands of the same shapes: OpInfo.copy. */
Node *graph_copy(Graph *, const Node *, Node *const *arg);

/* Makes n, which a pass over kernels has copied from another node, the last node of the graph. It
 * is not shared with equal nodes. */
void graph_adopt(Graph *, Node *n);

/* What has taken the place of each operand of n; now is by id. */
Node **graph_operands(Graph *, const Node *n, Node *const *now);

/* The same op on these; n itself if none of them is another node. */
Node *graph_rebuild(Graph *, Node *n, Node *const *now);

const char *node_name(const Node *);          /* a variable's name, or the user's, or NULL */
bool node_const(const Node *, double *value); /* a const, or an expand of one */
bool node_is(const Node *, double value);

/* Is it of a derivative, and not of the text, nor the text computed again? */
static inline bool node_is_derived(const Node *n)
{
    return n->derived && !n->again;
}
bool node_is_turned(const Node *); /* a reshape that is the transpose of a row or column */

/* For each id: how often the node is an operand, among the nodes that roots need. Being a root
 * counts 1. */
int *graph_uses(Graph *, Node *const *root, int roots);

Node **model_roots(const Model *); /* the nodes of its roots */
int *model_uses(const Model *);    /* graph_uses of these */

/* All roots of a model and the starting values of its variables, for a pass that rewrites them. */
Node **model_take_roots(const Model *, int *count);
void model_order_vars(Model *); /* inputs, params, states, frozen ones; sets Var.index */
void model_put_roots(Model *, Node *const *root);

/* Provenance. A pass that puts m in the place of n calls node_replaces, whether it made m or found
 * it. If m has no name, it takes n's name and place in the text. If m is new (its id is at least
 * first), it also takes what explains n to readers: the step of a sweep, the rewrite that made it.
 * node_rewrites does only the last, where n remains in use beside m and keeps its name. */
void node_replaces(Node *m, const Node *n, int first);
void node_rewrites(Node *m, const Node *n, int first);

/* What a pass puts in the place of n; `now` has what it put in the place of the nodes before, by
 * id. NULL: nothing else, n is built again from its new operands. */
typedef Node *Better(Graph *, Node *n, Node *const *now, void *with);

/* Goes through the nodes that are used (graph_uses), operands first, and puts what is better in
 * their places and in those of the roots. */
void graph_replace(Graph *, Node **root, int roots, const int *uses, Better *, void *with);

/* Says why a rewrite made n, unless that is known already; returns n. */
Node *node_because(Node *n, const char *why);

void graph_verify(const Graph *); /* ends ngc with status 4 if an invariant is broken */

/* ---- graph_map.c: elementwise nodes ---- */

Node *graph_cast(Graph *, Node *, Type);
Node *graph_as_int(Graph *, Node *); /* the whole number below, as an int */
Node *graph_unary(Graph *, Op, Node *);
Node *graph_binary(Graph *, Op, Node *, Node *);
Node *graph_where(Graph *, Node *c, Node *a, Node *b);

Node *graph_stop(Graph *, Node *);

/* arg[0], whose derivative with respect to arg[1], .. is given. */
Node *graph_given(Graph *, const Given *, Node *const *arg);

/* ---- graph_view.c: views and reductions ---- */

/* Axes: those of the result that the operand does not have. */
Node *graph_expand(Graph *, Node *, Shape, uint32_t axes);

Node *graph_broadcast(Graph *, Node *, Shape); /* NumPy's rule, by reshape and expand */
Node *graph_reshape(Graph *, Node *, Shape);
Node *graph_permute(Graph *, Node *, const int *perm);
Node *graph_transpose(Graph *, Node *);                   /* the last two axes */
Node *graph_move_axis(Graph *, Node *, int from, int to); /* the others keep their order */
Node *graph_slice(Graph *, Node *, const Size *lo, const Size *step, Shape);

/* The adjoint of slice. */
Node *graph_pad(Graph *, Node *, const Size *lo, const Size *step, Shape);

Node *graph_concat(Graph *, Node **, int count, int axis);
Node *graph_reduce(Graph *, Op, Node *, uint32_t axes); /* sum, max */
Node *graph_argmax(Graph *, Node *, int axis);

/* The axis along which n counts 0, 1, 2, .., the same along all others; -1: there is none. */
int node_counted_axis(Graph *, const Node *);

/* ---- graph_index.c: matrix products, linear algebra, indexing ---- */

Node *graph_matmul(Graph *, Node *, Node *, bool ta, bool tb); /* equal batch axes, or none in b */
Node *graph_chain(Graph *, Node *, Node *, bool ta, bool tb, bool down); /* see Node.attr.chain */

/* Factors [.., n, n + 1] of a [.., n, n]; no derivative of their own. */
Node *graph_lu(Graph *, Node *a);

/* x [.., n, k] with a x = b, or a' x = b. */
Node *graph_solve(Graph *, Node *a, Node *b, bool transposed);

Node *graph_det(Graph *, Op, Node *a);       /* det or logdet of a [.., n, n]: [..] */
Node *graph_cholesky(Graph *, Node *a);      /* L of L L' = a [.., n, n] */
Node *graph_lup(Graph *, Node *a);           /* factors for cof and cof2: [.., n, n + 2] */
Node *graph_cof(Graph *, Node *a);           /* cofactors of a [.., n, n]: the derivatives of det */
Node *graph_cof2(Graph *, Node *a, Node *w); /* how they change as a does by w */

/* op_conv.c: groups, steps, dilations of attr. */
Node *graph_conv(Graph *, Node *x, Node *k, const struct Attr *);

/* Its derivative with respect to k. */
Node *graph_convk(Graph *, Node *x, Node *y, const struct Attr *, Shape);

Node *graph_checked(Graph *, Node *i, Size size); /* an index, checked at run time: in [0, size) */
Node *graph_gather(Graph *, Node *x, Node *i, int axis); /* int tensor in place of one axis */

/* Where the k largest along the last axis are, the largest first. */
Node *graph_order_of(Graph *, Node *x, Size k);

/* Int tensors of one shape in place of the axes from `axis` on: their axes, once. */
Node *graph_gather_at(Graph *, Node *x, Node *const *index, int count, int axis);

/* The adjoint of gather: adds where indices repeat. */
Node *graph_scatter(Graph *, Node *dy, Node *i, Shape, int axis);
Node *graph_scatter_at(Graph *, Node *dy, Node *const *index, int count, Shape, int axis);

/* onto, with rows[k] in place of its row i[k]; where i repeats, the last one is taken. If onto is
 * NULL, the other rows must not be read. */
Node *graph_assign(Graph *, Node *onto, Node *rows, Node *i, Shape);

/* ---- loop.c: loops that stay loops ---- */

/* The leaves of the indices that these sizes depend on. Returns how many. */
int graph_indices(Graph *, const Size *, int count, Node **leaf);

/* A loop at this level; then its leaves, what is computed from them, and last the OP_loop. */
Loop *graph_new_loop(Graph *, const char *name, int level, Size passes, bool down);

Node *graph_index(Graph *, const Loop *);                     /* the number of the pass, an int */
Node *graph_carried(Graph *, const Loop *, const Node *like); /* a variable before the pass */

/* The OP_loop of variables `leaf` [count], with their values `init` before the first pass and
 * `next` after each. `test`: no further pass is made if it is 0; NULL: there is none. `passes`, an
 * int: how many there are; NULL: Loop.passes. The loop is inside those whose indices new nodes have
 * now, also where only what is collected from it depends on them. */
Node *graph_loop(Graph *, const Loop *, Node *const *leaf, Node *const *init, Node *const *next,
                 int count, Node *test, Node *passes);

int loop_variables(const Node *loop);                  /* the number of carried variables */
int loop_variable(const Node *loop, const Node *leaf); /* the number of this one, or -1 */
Node *loop_leaf(const Node *loop, int i);
Node *loop_init(const Node *loop, int i);
Node *loop_next(const Node *loop, int i);
Node *loop_test(const Node *loop);  /* or NULL */
Node *loop_count(const Node *loop); /* or NULL */
bool is_loop_result(const Node *);  /* is it OP_last or OP_collect? */

Node *graph_last(Graph *, Node *loop, Node *leaf); /* that variable after the last pass */
Node *graph_passes(Graph *, Node *loop);           /* the number of passes that were made */

/* The sum over all passes of n, put into zeros of this shape as pad does; lo may depend on the
 * index. */
Node *graph_collect(Graph *, Node *loop, Node *n, const Size *lo, const Size *step, Shape);
Node *graph_collect_sum(Graph *, Node *loop, Node *n); /* in the shape of n */
Node *graph_collect_all(Graph *, Node *loop, Node *n); /* [passes, ..]: its value in each pass */
Node *graph_at_pass(Graph *, Node *all, const Loop *, Shape); /* of such a tensor: this pass */

bool loop_is_of_segments(const Loop *); /* is it one over segments, or a derivative of one? */
const Loop *node_loop(const Node *);    /* the innermost loop whose body n is in, or NULL */

/* The loop whose index, as it is in the user's text, n is; or NULL. */
const Loop *node_counts(const Node *);

/* The indices that the sizes of n refer to become those of new nodes; returns those that were. */
typedef struct Indices {
    Node *at[MAX_LEVELS];
} Indices;

Indices graph_use_indices(Graph *, Node *const *leaf, int count);
void graph_restore_indices(Graph *, Indices);

/* ---- loop_order.c: nodes in an order that loops allow ---- */

/* All ids, so that each node comes after its operands, and a loop after all that its body uses,
 * also for what is collected from it. Where there are no loops, that is the order of the ids. */
int *graph_order(Graph *);

/* Of one loop: the nodes that are in its body, also in bodies of loops inside, and what leaves it.
 */
typedef struct LoopPart {
    Node **node, **leave; /* leave: OP_last and OP_collect */
    int count, leaves;
} LoopPart;

/* By Loop.id, of all nodes: `node` in this order, `leave` by id. */
LoopPart *graph_loop_parts(Graph *, const int *order);

/* Nodes that some roots need, so that what a loop begins with comes before its variables. */
typedef struct LoopOrder {
    Node **node;
    int count;

    /* by Loop.id */
    struct LoopBody {
        Node **node; /* what is in it, without its variables; what leaves loops inside it, too */
        int count;
        Node *loop; /* its OP_loop, or NULL: no root needs it */
    } * body;
} LoopOrder;

LoopOrder loop_order(Graph *, Node *const *root, int roots);

/* Finds what holds in all passes: goes over the body of a loop until `variable` is false for each
 * variable of it. `variable` adds to what is known of the leaf what holds of the other two nodes;
 * true: it is more now. `node` finds out what is known of a node of the body. */
typedef struct Settle {
    void *of;
    bool (*variable)(void *of, const Node *leaf, const Node *init, const Node *next);
    void (*node)(void *of, const Node *);
} Settle;

void order_settle(const LoopOrder *, const Node *loop, Settle);

/* ---- unroll.c: copies of a body in place of a loop ---- */

/* Can it be replaced by one copy of its body for each pass? Not if there is a loop in its body. */
bool order_can_unroll(const LoopOrder *, const Loop *);

/* Does that, in what the roots need. */
void graph_unroll(Graph *, const LoopOrder *, const Loop *, Node **root, int roots);

/* ---- dump.c: a graph as text for people ---- */

/* The nodes that these roots need; compiler/README.md describes the form. */
void graph_dump(const Graph *, Node *const *root, int roots, FILE *);

void model_dump(const Model *, FILE *);

/* "a*b + c": names where there are any, else down to depth. */
const char *node_text(const Graph *, const Node *, int depth);

/* ---- grad.c: the reverse sweep ---- */

/* Does y depend on x? */
typedef enum {
    REACH_NONE,    /* y does not use x */
    REACH_FLAT,    /* only through ops of slope zero */
    REACH_CANCELS, /* through slopes whose sum is zero */
    REACH_YES,
} Reach;

/* g[i] = sum over y's elements of seed * dy/dx[i], in the shape of x[i]. A seed of NULL is 1; then
 * y must be a scalar. g[i] is zeros where y does not depend on x[i]; reach[i] says how it depends.
 * Each node between the x and y is visited once. */
void graph_grad(Graph *, Node *y, Node *seed, Node *const *x, int count, Node **g, Reach *reach);

/* ---- grad_rule.c: rules of derivatives ---- */

/* The record's rule as it applies to y, or NULL. */
const char *op_rule(Ngc *, const Node *y, int operand);

/* What a teacher says of the op of n, or NULL. */
const char *op_teach(Ngc *, const Node *n);

/* ---- op_given.c: derivatives that the user gives ---- */

/* Ends a backward part, whose leaves and adjoints are set: its nodes are those from `first` on. */
void given_close(Graph *, Given *);

/* Is the contribution of y = given(..) to operand k by element? Then a mask of dy is one of it. */
bool given_by_element(const Node *y, int k);

/* The defs by whose backward parts a derivative of y with respect to x is computed: "that the user
 * gives in ste, root". NULL: by none. *first: the place of the first of these parts. */
const char *given_names(Graph *, Node *y, const Node *x, Loc *first);

/* Takes the backward parts out of what roots need: no gradient is asked for any more. */
void graph_drop_given(Graph *, Node **root, int roots);

/* ---- sparse.c: gradients with few rows ---- */

/* For each dx, a tensor of its shape that is 0 in the rows that no gather has read; NULL: all rows
 * of dx may be other than 0. */
Node **graph_touched(Graph *, Node *const *dx, int count, bool *otherwise);

/* ---- nonzeros.c: which elements of a Jacobian may be other than 0 ---- */

typedef struct Pattern { /* of dy/dx, both as one row of elements */
    int rows, columns;   /* elements of y and of x */
    int *first;          /* by row: its first place; first[rows] is their number */
    int *column;         /* by place, ascending in a row */

    /* set by graph_colour */
    int *colour; /* by row; colours in all: */
    int colours;
    int *place; /* by place: where it is in the sums of the rows of each colour, [colours, columns]
                 */
} Pattern;

/* False: it is not known, as there are run-time sizes or loops that stay, or it is too large. */
bool graph_pattern(Graph *, const Node *y, const Node *x, Pattern *);

/* symmetric: the values are. False: the sums are too large. */
bool graph_colour(Graph *, Pattern *, bool symmetric);

/* ---- stable.c: exponentials written by hand ---- */

/* Rewrites what roots need, in place, so that nothing overflows; opaque nodes stay. Returns whether
 * anything changed. */
bool graph_stable(Graph *, Node **root, int roots, Node *const *opaque, int n_opaque);

void model_stable(Model *); /* the pass: of all that the roots need */

/* ---- simplify.c: algebra ---- */

/* Rewrites what roots need, in place. Nodes with id < from stay as they are: a sweep's result is
 * simplified, but not the nodes it differentiated; from = 0 rewrites all. If leaf is not NULL, it
 * is replaced by value. */
void graph_simplify(Graph *, Node **root, int roots, int from, Node *leaf, Node *value);
void model_simplify(Model *); /* the last round, over everything: no gradient is asked after it */

/* The roots' nodes with this number in place of `training`. */
Node **model_with_training(Model *, double value);

/* ---- tidy_loops.c: loops with less to do ---- */

void model_tidy_loops(Model *); /* the pass: in all that the roots need */

/* ---- crop.c: convolutions compute only what is read of them ---- */

void model_crop(Model *); /* the pass: in all that the roots need */

/* ---- join.c: pieces side by side ---- */

void model_join(Model *); /* the pass: in all that the roots need */

/* ---- gates.c: slopes of sigmoids ---- */

void model_gates(Model *); /* the pass: in all that the roots need */

#endif
