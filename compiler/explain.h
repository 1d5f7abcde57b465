/* explain.h - a lesson: the graph as the user wrote it, with values, and the steps that
 * differentiate it. explain.c collects it from the records and the steps of the sweep;
 * explain_text.c and its neighbours tell it. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "ngc.h"

typedef struct Pool Pool;

typedef struct Stats {
    bool known;
    double mean, low, high;
} Stats;

typedef struct Item { /* a value on the way forward; constants have none */
    Node *node;
    const char *label;   /* the user's name for it, or v1, v2, ... */
    const char *formula; /* how it is computed from labels: "a*b"; NULL for a variable */
    const char *numbers; /* the same with numbers, where all of them are scalars; else NULL */
    const char *math_tex, *math_html; /* the formula in TeX and MathML */
    const char *kind;                 /* input, param, state, value, loss */
    const char *teach;                /* what a teacher calls its operation, or NULL */
    Node *adjoint;                    /* of the first loss with regard to it; NULL: none */
    int level;                        /* the longest way here from a leaf */
    const char *group; /* the part of the model it belongs to, "h.0.attention"; "": none */
} Item;

typedef struct Move { /* one step backward */
    const Step *step;
    int x, y;              /* items */
    const char *up, *down; /* "dJ/dv", "dJ/da" */
    const char *rule;      /* the record's, with labels in it: "dJ/dv * b" */
    const char *rule_tex, *rule_html;
    const char *local; /* the local slope: "b"; NULL where the op is not elementwise */
    double slope;      /* its value, where the op is elementwise and scalar; else NAN */
    const char
        *before; /* what was there when an addition of two scalars is to be told; else NULL */
    bool last;   /* no more is added */
} Move;

typedef struct Nudge { /* one entry of a value is moved by h: what does the loss do? */
    const Root *root;
    const char *entry; /* "a", "W[0, 1]" */
    int64_t k;         /* the place of that entry */
    double x, h, loss, moved, derivative;
} Nudge;

typedef struct Jacobian {   /* of a named value by one that it is computed from, all between them
                               included */
    int y, x;               /* items */
    int64_t rows, columns;  /* elements of y, of x */
    double *value;          /* a row for each element of y; NULL: too many to be computed */
    int64_t filled;         /* entries that are not 0 */
    const char *structure;  /* "diagonal: ..."; NULL with value */
    const double *upstream; /* of the first loss; NULL: y is that loss, or none depends on it */
    double *downstream;     /* upstream times this; NULL: no loss depends on y */
    Node *seed,
        *back;   /* back = seed times this, as a graph of its own whose nodes start at first, */
    Node **leaf; /* with a leaf for each of the items from[] */
    int *from, leaves, first;
} Jacobian;

typedef struct Lesson {
    Ngc *ngc;
    Model *m;
    Graph *g;
    Eval *e;
    Stats *stats;  /* by node id: of values that are not kept */
    DataRows data; /* of --data */
    Output code;   /* the model as -O0 C */
    Item *item;    /* operands before their users */
    int items;
    int *at; /* by node id: 1 + its item */
    Node **loss;
    int losses;
    Move *move; /* loss by loss, in the order of the sweep */
    int moves;
    Nudge *nudge;
    int nudges;
    Jacobian *jacobian; /* of the latest y first; with --jacobians only */
    int jacobians, jacobian_room;
    struct Cost {             /* operations, about */
        double forward, both; /* of the first loss, and of it with its derivatives */
        double numbers;       /* by how many variable numbers it is differentiated */
        double all;           /* of everything */
    } cost;
} Lesson;

enum { NUDGES = 16 }; /* at most this many are told */

/* explain_value.c */
Pool *pool_new(Ngc *);
void values_compute(Eval *, Pool *, const int *uses, const bool *keep, Stats *);
Node **lesson_nodes(const Lesson *, int *count); /* those of items, steps and roots */
void lesson_compute(Lesson *);
Stats lesson_stats(const Lesson *, Node *);
int64_t lesson_count(const Lesson *, const Node *, int64_t *dim);
const char *lesson_number(const Lesson *, double);             /* "0.25", "-inf", "nan" */
const char *lesson_digits(const Lesson *, double, int digits); /* the same with so many of them */
const char *lesson_value(const Lesson *,
                         Node *); /* "22"; of a tensor its shape, then all of it or statistics */
const char *lesson_shape(const Lesson *,
                         const Node *); /* "[64, 784]", dims as numbers; "" for a scalar */

/* explain.c */
const char *lesson_label(const Lesson *,
                         const Node *);          /* an item's label; of a constant its number */
const char *lesson_nth(const Lesson *, int use); /* "second use" */
const char *lesson_kind(const Lesson *,
                        const Item *); /* "param"; "input, invented" where nobody gave its value */
const char *lesson_invented(const Lesson *); /* who they are, in a sentence; NULL: nobody */

/* explain_math.c: formulas as text, TeX and MathML */
typedef enum { M_TEXT, M_TEX, M_HTML } Math;
const char *math_formula(const Lesson *, const Node *, const char *const *operand,
                         Math); /* how node comes from operands */
const char *math_rule(const Lesson *, const Step *, const char *const *names, bool local,
                      Math);                                         /* names: of a b c y dy */
double math_value(const Expr *rule, const double *abcy);             /* at dy = 1 */
double math_slope(const Lesson *, const Step *, const double *abcy); /* the rule at dy = 1 */
bool math_rule_parses(const char *rule);
const char *math_name(const Lesson *, const char *label, Math); /* "dJ/da" as a fraction */

/* explain_jacobian.c */
void jacobians_prepare(Lesson *); /* needs items; makes nodes, so it comes before all values */
void jacobians_compute(Lesson *);
int jacobian_chain(const Lesson *,
                   int *chain); /* the longest from the first loss down: items, and how many */
void jacobian_cost(const double *sizes, int jacobians, double *naive, double *clever);
void explain_jacobians(const Lesson *, Text *);
void explain_jacobians_tex(const Lesson *, Text *);

void explain_text(const Lesson *, Text *);
const char *lesson_nudge(const Lesson *, const Nudge *, const char *entry, const char *loss,
                         double slope); /* in words */
void explain_dot(const Lesson *, Text *);
void explain_json(const Lesson *, Text *);
void explain_json_page(const Lesson *, Text *); /* without what the page computes itself */
void explain_tex(const Lesson *, Text *);
const char *tex_words(const Lesson *,
                      const char *); /* text between formulas, its special characters spelt out */
void explain_html(const Lesson *, Text *);
void explain_pack(Ngc *, Text *out, const char *text, size_t size);

#endif
