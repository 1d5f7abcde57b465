/* graph.h - the graph of a model: its nodes, the records of their ops, and what works on them */
#ifndef GRAPH_H
#define GRAPH_H

#include "syntax/ast.h"

enum { MAX_RANK = 8, MAX_DIMS = 8 };

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
    CALL_SIZES, /* no record has more */
};

typedef struct Graph Graph; /* nodes in order; operands precede users */
typedef struct Node Node;
typedef struct Var Var;
typedef struct Model Model;
typedef struct Eval Eval; /* eval.h */

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
#include "graph/ops.h"
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
    /* The user's text binds it to a name, so a gradient may be asked with respect to it. Until
     * Graph.final, builders neither look inside it nor find it by value: what is computed from it
     * is what the text says is computed from it. */
    bool bound;
    bool derived; /* made by a reverse sweep */
    Range range;  /* what is known of its elements */
    bool
        scaled; /* exponentials of which the largest is about 1 (stable.c): not to be taken apart */
    Loc loc;    /* the user's text it comes from */
    const struct Step *step; /* the step of the chain rule that made it, or NULL */
    const char *why;         /* the simplification that made it, or NULL */
    Node *chain;             /* next in the graph's hash bucket */
};

/* By value and value2:. */
typedef enum {
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

/* The operands for which an elementwise op is smooth: tests choose from these. */
typedef enum {
    DOMAIN_ALL,
    DOMAIN_NONZERO,
    DOMAIN_POSITIVE,
    DOMAIN_UNIT, /* between -1 and 1 */
} Domain;

/* The members of Node.attr, in the order in which they are written. */
typedef enum {
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
    Node *x;       /* ROOT_GRAD: what it is the gradient with respect to */
    Node *loss;    /* ROOT_GRAD: what of */
    Var *var;      /* ROOT_UPDATE: what gets it; ROOT_GRAD: the variable x is, or NULL */
    bool of_loss;  /* ROOT_NAMED: a loss is computed from it, as the user wrote it */
    int group;     /* ROOT_UPDATE: the number of its minimize, or -1; ROOT_LOSS of a minimize: that
                      number */
    Loc loc;
} Root;

struct Model {
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
};

/* ---- size.c: sizes and shapes; graph.c: nodes ---- */

Graph *graph_new(Ngc *);
Size size_dim(Graph *, int dim); /* the run-time dim itself */
Size size_add(Graph *, Size, Size);
Size size_sub(Graph *, Size, Size); /* may be below 0: the caller checks before use in a shape */
Size size_mul(Graph *, Size, Size);
bool size_div(Graph *, Size a, Size b, Size *quotient); /* false: not exact */
int64_t size_max(const Graph *, Size);                  /* with every dim at its bound */
int64_t size_least(const Graph *, Size);                /* with every dim at 1 */

/* s = sum of coef[k] dim^k; how many, at most 256. */
int size_powers(Graph *, Size, int dim, Size *coef);

bool size_number(const Graph *, Size, int64_t *); /* is it a number, perhaps a negative one? */
bool size_is_one(Size);
bool size_uses_dim(const Graph *, Size, int dim);
int64_t size_at(const Graph *, Size, const int64_t *dim);

/* "2*m + 1"; prefix stands before each dim's name. */
const char *size_text(const Graph *, Size, const char *prefix);

Size shape_count(Graph *, Shape); /* number of elements */
bool shape_equal(Shape, Shape);
bool shape_broadcast(Shape a, Shape b, Shape *out); /* NumPy's rule; false: they differ */
Shape shape_without(Shape, uint32_t axes);          /* what a reduction over these axes leaves */
const char *shape_text(const Graph *, Shape);       /* "[m, 784]" */

/* The next index in row-major order; false after the last. */
bool index_next(int rank, const int64_t *dim, int64_t *index);
/* An element's place in row-major order. */
int64_t index_at(int rank, const int64_t *dim, const int64_t *index);

/* attr.c: attributes of nodes, all by one table */
extern const AttrMember attr_members[A_COUNT];
bool attr_used(const Node *, AttrName);
AttrName attr_stray(const Node *); /* one that is set and not used; A_COUNT: there is none */

/* Its numbers, at most MAX_RANK; how many; 0: it is not whole. */
int attr_sizes(const Node *, AttrName, Size *out);

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

/* exp(x - max(x)), over axes that are among these? */
bool node_centred(const Node *, uint32_t axes);

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

/* Uniform in [0, 1), new at each count of draws. */
Node *graph_noise(Graph *, Shape, Node *draws, int stream);

Node *graph_iota(Graph *, Shape, int axis); /* the index along an axis, int */
Node *graph_cast(Graph *, Node *, Type);
Node *graph_unary(Graph *, Op, Node *);
Node *graph_binary(Graph *, Op, Node *, Node *);
Node *graph_where(Graph *, Node *c, Node *a, Node *b);

/* Axes: those of the result that the operand does not have. */
Node *graph_expand(Graph *, Node *, Shape, uint32_t axes);

Node *graph_broadcast(Graph *, Node *, Shape); /* NumPy's rule, by reshape and expand */
Node *graph_reshape(Graph *, Node *, Shape);
Node *graph_permute(Graph *, Node *, const int *perm);
Node *graph_transpose(Graph *, Node *); /* the last two axes */
Node *graph_slice(Graph *, Node *, const Size *lo, const Size *step, Shape);

/* The adjoint of slice. */
Node *graph_pad(Graph *, Node *, const Size *lo, const Size *step, Shape);

Node *graph_concat(Graph *, Node **, int count, int axis);
Node *graph_reduce(Graph *, Op, Node *, uint32_t axes); /* sum, max */
Node *graph_argmax(Graph *, Node *, int axis);
Node *graph_matmul(Graph *, Node *, Node *, bool ta, bool tb); /* equal batch axes, or none in b */

/* Factors [.., n, n + 1] of a [.., n, n]; no derivative of their own. */
Node *graph_lu(Graph *, Node *a);

/* x [.., n, k] with a x = b, or a' x = b. */
Node *graph_solve(Graph *, Node *a, Node *b, bool transposed);

Node *graph_det(Graph *, Op, Node *a);       /* det or logdet of a [.., n, n]: [..] */
Node *graph_lup(Graph *, Node *a);           /* factors for cof and cof2: [.., n, n + 2] */
Node *graph_cof(Graph *, Node *a);           /* cofactors of a [.., n, n]: the derivatives of det */
Node *graph_cof2(Graph *, Node *a, Node *w); /* how they change as a does by w */

/* op_conv.c: groups, steps, dilations of attr. */
Node *graph_conv(Graph *, Node *x, Node *k, const struct Attr *);

/* Its derivative with respect to k. */
Node *graph_convk(Graph *, Node *x, Node *y, const struct Attr *, Shape);

Node *graph_checked(Graph *, Node *i, Size size); /* an index, checked at run time: in [0, size) */
Node *graph_gather(Graph *, Node *x, Node *i, int axis); /* int tensor in place of one axis */

/* The adjoint of gather: adds where indices repeat. */
Node *graph_scatter(Graph *, Node *dy, Node *i, Shape, int axis);

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

/* By id: in how many places of what roots need it is an operand; roots count 1. */
int *graph_uses(Graph *, Node *const *root, int roots);

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
/* What these need; the form is in compiler/README.md. */
void graph_dump(const Graph *, Node *const *root, int roots, FILE *);

void model_dump(const Model *, FILE *);

/* "a*b + c": names where there are any, else down to depth. */
const char *node_text(const Graph *, const Node *, int depth);

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

/* The record's rule as it applies to y, or NULL. */
const char *op_rule(Ngc *, const Node *y, int operand);

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

#endif
