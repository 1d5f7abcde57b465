/* lower.h - what the lower*.c files, value.c, builtin.c and einsum.c share. Lowering runs the
 * program at compile time: what it computes are graph nodes. */
#ifndef LOWER_H
#define LOWER_H

#include "ngc.h"

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
    Loc loc; /* the expression it is the value of */
    Node *node;
    struct Value **item; /* V_LIST */
    int count;
    const char *name; /* V_LIST: what the model first calls it, or NULL */
    int room, *used;  /* of item, where append made it: lists share their beginnings */
    const char *text;
    const struct Func *func;
    struct Layer *layer;
} Value;

/* Where in the names of weights we are: "h.0.W" is W in call 0 of what is assigned to h. A call's
 * number is given when it first declares something, and not shown where only one call of the
 * statement did. */
typedef struct Path {
    struct Path *up;
    const char *name; /* NULL: a number */
    const Var *var;   /* or the name of this variable, whatever that will be */
    int number;       /* -1: none given yet */
    int *calls; /* of a call: how many that are numbered with it have a number; NULL: a loop's pass
                 */
} Path;

/* Calls that are numbered together, in one expansion of a def: those of all statements that assign
 * one name in one pass, and those of one function that nothing is assigned from. */
typedef struct CallCounts {
    Table at;     /* by what they have in common, interned: 1 + the place in number */
    int **number; /* how many of them have a number */
    int count, room;
} CallCounts;

typedef struct Lower Lower;

enum { MAX_PARAMS = 32 }; /* of a def */

typedef struct Builtin {
    const char *name;
    const char *params; /* "x axis? keepdims?": names in order, ? where it may be left out */
    Value *(*call)(Lower *, Loc, Value **arg);
    Op op; /* for the elementwise ones */
} Builtin;

typedef struct Func {
    const char *name;
    const Stmt *def; /* or */
    const Builtin *builtin;
    struct Scope *env; /* where the def stands */
    int serial;        /* and what it sees there: bindings made before */
    bool active;       /* being expanded: a call now is recursion */
} Func;

typedef struct Layer { /* f(_, 64): what is fixed, and the variables it has made */
    const Func *func;
    const Expr *call;
    Value **arg; /* V_HOLE where open, in the order written */
    Path *path;
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
    bool declared; /* by input, param or state: it cannot be assigned */
    Var *var;      /* what was declared, or NULL */
    bool again;    /* its layer is called again, and this call has not updated it yet: it reads what
                      the last call left */
    int root;      /* 1 + the place of its root among the model's; 0: none */
    struct Binding *next; /* in the bucket */
} Binding;

typedef enum { SCOPE_FILE, SCOPE_CALL, SCOPE_PASS } ScopeKind;

typedef struct Scope {
    ScopeKind kind;
    struct Scope *up;
    int serial; /* SCOPE_CALL: what is seen of up: bindings made before */
    Binding **bucket;
    int buckets, count;
} Scope;

typedef struct Frame { /* a call being expanded */
    struct Frame *up;
    const Func *func;
    Layer *layer; /* whose variables are used again */
    Loc call;
} Frame;

struct Lower {
    Ngc *ngc;
    Graph *g;
    Model *m;
    Scope *library, *file, *scope;
    Frame *frame;
    Path *path;        /* of the call being expanded; NULL in the file */
    Path *target;      /* of the statement being executed: what calls in it are named by */
    int *calls;        /* of that statement: calls with a number; NULL: nothing is assigned */
    CallCounts counts; /* of the def being expanded */
    Node *gate; /* 1 where the updates of this way of an if on `training` are done; NULL: always */
    int start;  /* the file that is compiled */
    bool formula;         /* nothing is declared: unknown names are scalar inputs */
    int serial;           /* of the next binding */
    int branch;           /* depth of if bodies: names may be assigned again */
    int pass[16], passes; /* numbers of the for passes being executed */
    int var_room, root_room, group_room, counter_room;
    struct VarPath {
        Var *var;
        Path *path;
    } * var_path; /* how the variables are called */
    int var_paths, var_path_room;
    int from;   /* nodes from here on were made by the statement being executed */
    bool *mark; /* by node id: depends_on's own; false between its calls */
    int mark_room;
    int nest, nest_max; /* depth of recursion, and what the stack bears */
    int work;           /* calls and passes expanded so far */
    bool stopped;       /* a limit was reached: nothing more is executed */
    Var *counter;       /* `step`, once something reads it */
    Var **counters;     /* by group: that of the optimizer of a minimize, where there are several */
    bool several;       /* minimize statements in the file: each counts its own updates */
    int group;          /* of the minimize whose optimizer is being expanded; -1: none */
    Var *draws;         /* counts what noise has been drawn for, once there is any */
    int streams;        /* of noise */
};

/* ---- value.c: values, what is wanted of them, messages ---- */

Value *value_new(Lower *, ValueKind, Loc);
Value *value_node(Lower *, Loc, Node *);
Value *value_number(Lower *, Loc, double);
Value *value_list(Lower *, Loc, Value **item, int count);
Value *value_error(Lower *, Loc);
const char *value_text(Lower *, const Value *); /* for messages: "W2: [6, 3]" without the shape */
const char *value_kind(const Value *);          /* "a list" */

bool shape_fits(Lower *, Loc, Shape);           /* is it of a size that can be? */
bool shape_is_run_time(Shape);                  /* is one of its sizes known at run time only? */
Node *node_new_axis(Lower *, Node *, int axis); /* of size 1 */

bool is_known(Lower *, const Node *);       /* is it computed from constants alone? */
const double *known_value(Lower *, Node *); /* the elements of such a value */
bool holds_below(Lower *, const Node *, bool (*holds)(const Node *)); /* of all it is made of? */

/* What a value must be. Each gives NULL or false with a message if it is something else. */
Node *want_node(Lower *, const Value *, const char *what);  /* lists stack */
Node *want_index(Lower *, const Value *, const char *what); /* int, or constants that are whole */
bool want_number(Lower *, const Value *, const char *what, double *);
bool want_whole(Lower *, const Value *, const char *what, int64_t *);
bool want_size(Lower *, const Value *, const char *what, Size *);
bool want_shape(Lower *, const Value *, const char *what, Shape *);
bool want_axes(Lower *, const Value *, Shape, uint32_t *); /* V_ABSENT: all */
bool want_axis(Lower *, const Value *, int rank, int *);

/* An index must be in [0, rows): it is known to be, or what comes back is checked at run time. */
Node *index_limit(Lower *, Loc, Node *index, Size rows);

/* Messages: at the place, or, inside the library, at the user's call of it. */
Loc lower_site(Lower *, Loc);
Diag *lower_error(Lower *, ErrorCode code, Loc, const char *format, ...);

/* Shows an operand's shape under it, and its declaration in a note. */
void label_operand(Lower *, Diag *, const Expr *, const Node *, const char *fit);

/* ---- warn.c ---- */

void warn_each_with_each(Lower *, const Expr *x, const Node *column, const Node *row);
void warn_meant(Lower *, Loc, const Node *x, const char *what); /* is x, "logits", a softmax? */

/* ---- lower_names.c: scopes, paths, variables by their paths ---- */

Scope *scope_new(Lower *, ScopeKind, Scope *up);
Binding *scope_own(const Scope *, const char *name); /* of this scope only */
Binding *scope_find(Lower *, const char *name);      /* the nearest that is seen from here */
Binding *scope_carried(Lower *, const char *name);   /* what a for body's assignment carries */
Binding *scope_bind(Lower *, const char *name, Value *, Loc);
bool name_reserved(Lower *, const char *name, Loc); /* with a message */
void declared_twice(Lower *, const char *name, Loc, Loc before);

Path *path_new(Lower *, Path *up, const char *name);
Path *path_passes(Lower *, Path *); /* with the pass of each for that we are in */
bool path_below(const Path *, const Path *from);
void path_claim(Path *);                   /* numbers the calls that we are in */
int *call_count(Lower *, const char *key); /* numbers the calls that have this in common */

/* The name below `from`. raw: with the number of every call. */
const char *path_text(Lower *, const Path *, const Path *from, bool raw);

Var *var_new(Lower *, VarKind, Path *, Loc, Shape, Type, Node *init);
Var *lower_var(Lower *, VarKind, const char *name, Loc, Shape, Type, Node *init);
Var *lower_find_var(Lower *, const char *path);
Var *layers_var(Lower *, const Path *); /* what a layer made when it was called first, or NULL */
void layers_note(Lower *, const Path *, Var *);
void name_vars(Lower *, int from);

/* ---- builtin.c, einsum.c ---- */

const Builtin *builtin_find(Ngc *, const char *name);
int builtin_names(const char **name, int room);
Value *builtin_einsum(Lower *, Loc, Value **arg); /* einsum.c */

/* ---- lower_default.c ---- */

void lower_defaults(Lower *); /* computes them, and checks that ints start whole */

/* ---- statements, expressions, calls ----
 *
 * The files below call each other in a ring, as the language does: a statement has expressions, an
 * expression calls a function, and the function's body is statements. lower_enter counts how deep
 * they are, so that the recursion ends with a message and not with the stack. */

/* lower.c: statements */
bool lower_block(Lower *, const Stmt *, Value **result); /* true: a return was executed */

/* lower_expr.c: expressions and calls */
bool lower_enter(Lower *, Loc); /* one level deeper, within limits; false with a message */
bool lower_work(Lower *, Loc);  /* one call or pass more */
Value *lower_expr(Lower *, const Expr *);

/* first: arguments put before its own */
Value *lower_call(Lower *, const Expr *call, Value **first, int firsts, Path *path);

Node *expr_node(Lower *, const Expr *);            /* a tensor, or NULL with a message */
bool expr_number(Lower *, const Expr *, double *); /* a number known now */
bool expr_size(Lower *, const Expr *, Size *);     /* at least 1 */
bool expr_shape(Lower *, const Arg *sizes, Shape *);

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
    int count;
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

#endif
