/* ast.h - the syntax of a text: what the parser builds and lowering reads */
#ifndef AST_H
#define AST_H

#include "base/ngc.h"

typedef struct Expr Expr;

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
    S_FOR,      /* name in value .. to (to NULL: a list) while test (or NULL) body */
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
    Expr *test;   /* S_FOR */
    Expr *with;   /* S_MINIMIZE: the optimizer's call */
    Expr *init;   /* S_PARAM, S_STATE: the initializer's call */
    Arg *sizes;   /* declared sizes; has_sizes: x[] was written, not x */
    const char *type; /* "int", or NULL */
    Loc type_loc;
    bool bound;     /* S_DIM: <= */
    bool has_sizes; /* x[] or x[...] and not x */
    Stmt *body, *orelse;
    Stmt *backward; /* S_DEF: its backward part, a statement with names and body; or NULL */
    bool unread;    /* S_DEF of the library: only its name and its places are known */
    Stmt *next;
};

/* ---- ng.l, ng.y, ast.c: text -> syntax ---- */

/* Sets Source.body; errors are counted in Ngc.errors. The defs of the library are left unread. */
Stmt *parse(Ngc *, int file);
const Stmt *parse_def(Ngc *, const Stmt *unread);
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

/* ---- foreign.c: words of other languages -> what to write instead, or NULL ---- */

const char *foreign_statement(const char *word); /* that begins a statement */

/* a function, a method of that value. */
const char *foreign_function(Ngc *, const char *word, const char *of);

const char *foreign_constant(Ngc *, const char *word);
bool foreign_module(const char *word); /* np, torch, nn, F */

#endif
