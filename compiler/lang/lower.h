/* lower.h - what the lower*.c files, value.c, builtin.c and einsum.c share. Lowering runs the
 * program at compile time: what it computes are graph nodes. */
#ifndef LOWER_H
#define LOWER_H

#include "graph/graph.h"

typedef enum {
    V_ERROR, /* something was reported: say no more about it */
    V_NODE,  /* a tensor; a number is a const */
    V_LIST,
    V_TEXT,
    V_FUNC,
    V_LAYER, /* a call with arguments left open */
    V_HOLE,  /* such an argument */
    V_ABSENT /* an optional argument that was not given */
} ValueKind;

typedef struct Value {
    ValueKind kind;
    Loc loc;             /* the expression it is the value of */
    Node *node;          /* V_NODE */
    struct Value **item; /* V_LIST */
    int count;
    const char *name;        /* V_LIST: what the model first calls it, or NULL */
    int room, *used;         /* of item, if append made it: lists share their beginnings */
    const char *text;        /* V_TEXT */
    const struct Func *func; /* V_FUNC */
    struct Layer *layer;     /* V_LAYER */
} Value;

/* The numbers below one name: of its calls that declare something, and of the passes of loops that
 * assign it. What comes later continues the numbers; but loops one after the other share theirs,
 * and a loop that follows a single call begins with 0, as that call has no number. */
typedef struct Numbers {
    int calls;   /* with a number */
    int taken;   /* all numbers are below */
    int first;   /* of the first pass of a loop that comes next, if `begun` */
    bool begun;  /* a loop has begun, and no call came after it */
    bool single; /* call 0 has no number, whatever comes later */
} Numbers;

/* A place in the names of weights: "h.0.W" is W in call 0 of what is assigned to h. A call gets its
 * number when it first declares something. The number is not shown if only one call of the
 * statement has one. */
typedef struct Path {
    struct Path *up;
    const char *name; /* NULL: a number */
    const Var *var;   /* or the name of this variable, which may still change */
    int number;       /* of a call: -1: none yet */
    int loop;         /* of a pass: the number of the for that it is of; else 0 */
    Numbers *among;   /* of a number: the numbers that it is one of */
} Path;

/* The numbers in one expansion of a def. These calls are numbered together: those of all statements
 * that assign the same name in the same pass, and those of one function whose value is not
 * assigned. */
typedef struct CallCounts {
    Table at; /* by what they have in common, interned: 1 + the place in numbers */
    Numbers **numbers;
    int count, room;
} CallCounts;

typedef struct Lower Lower;

enum { MAX_PARAMS = 32 }; /* of a def */

typedef struct Builtin {
    const char *name;
    const char *params; /* "x axis? keepdims?": names in order, ? if it may be left out */
    Value *(*call)(Lower *, Loc, Value **arg); /* NULL: elementwise, */
    Op op;                                     /* by this op */
} Builtin;

typedef struct Func {
    const char *name;
    const Stmt *def;        /* the definition, or NULL */
    const Builtin *builtin; /* or NULL */
    struct Scope *env;      /* where the def is */
    int serial;             /* it sees the bindings there that were made before this */
    bool active;            /* being expanded: a call now is recursion */
    enum { DECLARES_UNKNOWN, DECLARES_NOTHING, DECLARES } declares; /* see may_declare */
} Func;

/* f(_, 64): the arguments that are fixed, and the variables that its calls have made. */
typedef struct Layer {
    const Func *func;
    const Expr *call;
    Value **arg; /* in the order written; V_HOLE: open */
    Path *path;  /* of its variables */
    struct LayerVar {
        const char *key;
        Var *var;
        struct LayerVar *next;
    } * vars;
} Layer;

typedef struct Binding {
    const char *name;
    Value *value;
    Loc loc;
    int serial;
    bool declared; /* by input, param or state: only passes of a loop can assign it */
    Var *var;      /* what was declared, or NULL */
    bool again;    /* its layer is called again, and this call has not updated it yet: the value is
                      what the last call left */
    int root;      /* 1 + the place of its root in Model.root; 0: none */
    struct Binding *next; /* in the bucket */
} Binding;

typedef enum { SCOPE_FILE, SCOPE_CALL, SCOPE_PASS } ScopeKind;

typedef struct Scope {
    ScopeKind kind;
    struct Scope *up;
    int serial; /* SCOPE_CALL: the bindings of up that were made before this are seen */
    Binding **bucket;
    int buckets, count;
} Scope;

/* A call being expanded. */
typedef struct Frame {
    struct Frame *up;
    const Func *func;
    Layer *layer; /* the one that is called, or NULL; its variables are used again */
    Loc call;
    bool backward;      /* its backward part is executed, after its body */
    struct Scope *body; /* then: the scope of the body, which is not seen any more */
    Value *const *arg;  /* by parameter; NULL: not given */
} Frame;

/* What a node is computed from: numbers, also run-time sizes, also what the caller gives. */
typedef enum { OF_NUMBERS, OF_SIZES, OF_DATA } Origin;

struct Lower {
    Ngc *ngc;
    Graph *g;
    Model *m;
    int start;    /* the file that is compiled */
    bool formula; /* nothing is declared: unknown names are scalar inputs */
    bool several; /* the file has several minimize: each counts its own updates */

    /* Where we are. */
    Scope *library, *file, *scope;
    int serial;   /* of the next binding */
    Frame *frame; /* the innermost call being expanded; NULL in the file */
    int branch;   /* depth of if bodies: names may be assigned again */
    Node *gate;   /* not 0 where this branch of an if on `training` is taken; NULL: always */
    Node *lazy; /* in an optimizer: not 0 where states of its shape may change; NULL: everywhere */
    struct PassAt {
        int number, from; /* of the pass, and of the loop's first one */
        const char *name; /* of its index, in the general pass of a loop; else NULL */
        int loop;         /* the number of the for */
    } pass[16];           /* the loop passes being executed */
    int passes;
    int fors;                /* executed so far */
    const struct Expanding { /* the innermost loop that is expanded, or NULL */
        const char *why;     /* its passes are not alike; or NULL */
        Loc why_loc;
    } * expanding;
    int levels;     /* loops that stay loops, and whose body is being lowered */
    Origin *origin; /* by node id: the most that it is computed from */
    int origins, origin_room;
    Table unrolled; /* by Stmt: where its passes are not alike, 1 + the place of the reason */
    struct Expanding *reason;
    int reasons, reason_room;
    int from;  /* nodes from here on were made by the statement being executed */
    int group; /* of the minimize whose optimizer is being expanded; -1: none */

    /* Names of weights. */
    Path *path;        /* of the call being expanded; NULL in the file */
    Path *target;      /* of the statement being executed: its calls are named below it */
    Numbers *calls;    /* what numbers them; NULL: nothing is assigned */
    CallCounts counts; /* of the def being expanded */
    struct VarPath {
        Var *var;
        Path *path;
    } * var_path; /* the path of each variable */
    int var_paths, var_path_room;

    /* Limits. */
    int nest;          /* depth of recursion */
    const char *stack; /* where the stack was when lowering began, */
    size_t stack_room; /* and the bytes of it that recursion may take; 0: it has no limit */
    int work;          /* calls and passes expanded so far */
    int most;          /* operations of the graph, with those of the library */
    bool stopped;      /* a limit was reached: nothing more is executed */

    /* Counters. */
    Var *counter;      /* `step`, if something reads it */
    Var **counters;    /* by group: `step` of a minimize's optimizer, if there are several */
    Var *draws;        /* counts the draws of noise, if there is any */
    int streams;       /* of noise */
    Size pass_streams; /* in the general pass of a loop: those of the passes before it */
    int given;         /* calls of defs with a backward part */

    struct Inner {
        const Node *y;
        Node *const *x;
        int count;
        Loc loc;
    } * inner; /* the derivatives taken in the bodies of loops that stay loops */
    int inners, inner_room;

    bool *mark; /* by node id: only for depends_on, and false between its calls */
    int mark_room;
    int var_room, root_room, group_room, counter_room; /* of arrays of the model, and of counters */
};

/* ---- value.c: values, checks of their kind, messages ---- */

Value *value_new(Lower *, ValueKind, Loc);
Value *value_node(Lower *, Loc, Node *);
Value *value_number(Lower *, Loc, double);
Value *value_list(Lower *, Loc, Value **item, int count);

/* The items of a list; any other value is the only item. */
int value_items(const Value *);
const Value *value_item(const Value *, int i);
Value *value_error(Lower *, Loc);
const char *value_text(Lower *, const Value *); /* for messages: "W2: [6, 3]" without the shape */
const char *value_kind(const Value *);          /* "a list" */

bool shape_fits(Lower *, Loc, Shape);           /* is it small enough? With a message */
const char *least_text(Lower *, Size);          /* of a run-time size: ", which may be 3" */
Node *node_new_axis(Lower *, Node *, int axis); /* of size 1 */

bool is_known(Lower *, const Node *);       /* is it computed only from constants? */
const double *known_value(Lower *, Node *); /* the elements of such a value */
bool holds_below(Lower *, const Node *, bool (*holds)(const Node *)); /* for it and its operands? */

/* What a value must be. Each gives NULL or false with a message if it is something else. */
Node *want_node(Lower *, const Value *, const char *what);  /* lists stack */
Node *want_index(Lower *, const Value *, const char *what); /* int, or constants that are whole */
bool want_number(Lower *, const Value *, const char *what, double *);
bool want_whole(Lower *, const Value *, const char *what, int64_t *);
bool want_size(Lower *, const Value *, const char *what, Size *);
bool index_size(Lower *, const Node *,
                Size *); /* a whole number that the index of a loop determines */
bool want_shape(Lower *, const Value *, const char *what, Shape *);
bool want_axes(Lower *, const Value *, Shape, uint32_t *); /* V_ABSENT: all */
bool want_axis(Lower *, const Value *, int rank, int *);

/* An index must be in [0, rows). If that is not known now, the result is checked at run time. */
Node *index_limit(Lower *, Loc, Node *index, Size rows);

/* The place of a message: this one, or, inside the library, the user's call of it. */
Loc lower_site(Lower *, Loc);
Diag *lower_error(Lower *, ErrorCode code, Loc, const char *format, ...);

/* Shows an operand's shape under it, and its declaration in a note. */
void label_operand(Lower *, Diag *, const Expr *, const Node *, const char *fit);

/* ---- warn.c ---- */

void warn_each_with_each(Lower *, const Expr *x, const Node *column, const Node *row);
void warn_meant(Lower *, Loc, const Node *x, const char *what); /* is x, "logits", a softmax? */

/* Unused names; of the file that is compiled also its values and functions. */
void warn_unused(const Model *, int file);

void warn_mask(Lower *, const Expr *, Op, const Node *a, const Node *b); /* (x > 0)*sqrt(x)? */
void warn_log(Ngc *, Loc, const Node *x);    /* is x, whose log is taken, a softmax? */
void warn_large(const Model *, size_t size); /* of the C, without constants */

/* ---- warn_float.c ---- */

void warn_float_range(const Model *); /* constants that are infinite or 0 as 32-bit floats */

/* ---- lower_names.c: scopes, paths, variables by their paths ---- */

Scope *scope_new(Lower *, ScopeKind, Scope *up);
Binding *scope_own(const Scope *, const char *name); /* of this scope only */
Binding *scope_find(Lower *, const char *name);      /* the nearest that is seen from here */
Binding *scope_carried(Lower *, const char *name);   /* what a for body's assignment carries */
Binding *scope_bind(Lower *, const char *name, Value *, Loc);
bool name_reserved(Lower *, const char *name, Loc); /* with a message */
void declared_twice(Lower *, const char *name, Loc, Loc before);

Path *path_new(Lower *, Path *up, const char *name);
Path *path_passes(Lower *, Path *);            /* with the pass of each for that we are in */
void path_claim(Path *);                       /* numbers the calls that we are in */
Numbers *numbers_of(Lower *, const char *key); /* of the calls that have this in common */

/* The name below `from`. raw: with the number of every call. */
const char *path_text(Lower *, const Path *, const Path *from, bool raw);

Var *var_new(Lower *, VarKind, Path *, Loc, Shape, Type, Node *init);
Var *lower_var(Lower *, VarKind, const char *name, Loc, Shape, Type, Node *init);
Var *lower_find_var(Lower *, const char *path);
bool lower_var_matches(Lower *, int i, const char *pattern); /* is L->var_path[i] meant? */
Var *layers_var(Lower *, const Path *); /* what a layer made when it was called first, or NULL */
void layers_note(Lower *, const Path *, Var *);
void name_vars(Lower *, int from);

/* May a call of the function make weights? */
bool may_declare(Lower *, const Func *); /* lower_weights.c */

/* ---- builtin.c, einsum.c ---- */

const Builtin *builtin_find(Ngc *, const char *name);
int builtin_names(const char **name, int room);
Value *builtin_einsum(Lower *, Loc, Value **arg); /* einsum.c */
Value *builtin_sparse(Lower *, Loc, Value **arg); /* jacobian.c */

/* The gradients of sum(seed * y) with respect to `by`: a value for a value, a list for a list. A
 * seed of NULL is 1. `of` is y, for messages. */
Value *send_back(Lower *, Loc, const Value *of, Node *y, Node *seed, const Value *by);

/* ---- lower_default.c ---- */

void lower_defaults(Lower *); /* computes them, and checks that ints start whole */

/* ---- statements, expressions, calls ----
 *
 * The files below call each other in a ring, as the language does: a statement has expressions, an
 * expression calls a function, and the function's body is statements. lower_enter counts how deep
 * they are, so that the recursion ends with a message and not with the stack. */

/* lower_loop.c: for */
bool lower_for(Lower *, const Stmt *, Value **result);

/* lower_backward.c: backward parts of defs */
bool in_backward(const Lower *);
bool check_backward(Lower *, const Stmt *def); /* its names; false with a message */

/* The value of a call, by the value of the body and the arguments as the body had them. The def has
 * been entered. */
Value *lower_backward(Lower *, const Func *, Value **param, int params, Value *result, Loc call);

/* lower.c: statements */
bool lower_pass(Lower *, const Stmt *, struct PassAt, Value *, Value **result); /* of a for */
void lower_rebind(Lower *, Binding *, Value *);          /* what a loop carries out of it */
bool lower_block(Lower *, const Stmt *, Value **result); /* true: a return was executed */

/* lower_expr.c: expressions */
enum { MOST_OPERATIONS = 4000000 }; /* of a model, unless --max-operations says another number */
const char *stack_place(void);      /* where the stack is now */
bool lower_enter(Lower *, Loc);     /* one level deeper; false with a message: too deep */
bool lower_fits(Lower *, Loc);      /* false with a message: the graph has too many operations */
bool lower_work(Lower *, Loc);      /* another call or pass; false with a message: too many */
Value *lower_expr(Lower *, const Expr *);
Value *unknown_name(Lower *, const Expr *, const char *what); /* "name" or "function": reports it */
Node *expr_node(Lower *, const Expr *);                       /* a tensor, or NULL with a message */
bool expr_number(Lower *, const Expr *, double *);            /* a number known now */
bool expr_shape(Lower *, const Arg *sizes, Shape *);

/* lower_call.c: calls and layers. first: arguments put before its own */
Value *lower_call(Lower *, const Expr *call, Value **first, int firsts, Path *path);

/* lower_index.c */
Value *lower_index(Lower *, const Expr *);

/* lower_var.c: declarations */
void lower_declaration(Lower *, const Stmt *);
void lower_dim(Lower *, const Stmt *);

/* lower_grad.c: derivatives, updates, and the roots that they and others add */

/* The loss of a gradient statement, and the values with respect to which it is differentiated. */
typedef struct Derivative {
    const char *name;
    Node *loss;
    Node **x, **dx;
    const char **over; /* what `over` calls each x, or NULL; NULL: no names are given */
    int count;
    bool rises; /* the loss is maximized */
    Loc loc;
} Derivative;

Value *lower_path(Lower *, const char *path, Loc); /* what a path in over, update, output means */
void lower_over_all(Lower *, Derivative *, bool params_only);
void lower_derive(Lower *, Derivative *);
void root_add(Lower *, Root);
void root_grads(Lower *, const Derivative *, int group);
void root_update(Lower *, Var *, Node *, int group, Loc); /* the only one that the variable has */
Var *lower_counter(Lower *, Loc);                         /* `step`, as it is meant here */
void lower_gradient(Lower *, const Stmt *);
void lower_minimize(Lower *, const Stmt *);
void lower_update(Lower *, const Stmt *);

/* ---- what other rooms call ---- */

/* lower_model.c */
Model *lower(Ngc *, int file); /* as the user wrote it; NULL where there were errors */

/* Statements one text after another, for those who ask for shapes on the way. There is no model in
 * the end. */
Lower *lower_begin(Ngc *); /* the library is parsed */
/* Executes a parsed text; what the name means after it, or NULL. */
const Value *lower_more(Lower *, int file, const char *name);

void model_names(Model *); /* names.c: no two values share one */

#endif
