/* explain.h - a lesson: the graph as the user wrote it, its values, and the steps that
 * differentiate it. explain_lesson.c collects it from the records and from the steps of the sweep.
 * explain_text.c, explain_json.c and the other forms print it. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "run/run.h"
#include "emit/emit_c.h"

typedef struct Pool Pool;

/* Of a tensor that is too large to keep. */
typedef struct Stats {
    bool known;
    double mean, low, high;
} Stats;

/* The value of a node in one pass of the loops around it. */
typedef struct PassValue {
    bool known;
    int64_t pass[MAX_LEVELS]; /* from the outermost loop on */
    double *value;            /* NULL: too large to keep */
    Stats stats;
} PassValue;

/* A loop that stays a loop, on the way forward or back. */
typedef struct LessonLoop {
    const Loop *loop;
    Node *node; /* its OP_loop */
    int item;   /* of that, or -1 */
    int outer;  /* the loop around it, or -1 */
    int of;     /* the loop whose derivative it is, or -1 */

    /* the nodes in its body, without the bodies of loops inside it */
    Node **body;
    int nodes, room;
} LessonLoop;

/* A value on the way forward. Constants have no item, nor have the indices of loops. */
typedef struct Item {
    Node *node;
    const char *label;     /* the user's name for it, or v1, v2, ... */
    const char *formula;   /* how it is computed from labels: "a*b"; NULL for a variable */
    const char *numbers;   /* the same with numbers, where all of them are scalars; else NULL */
    const char *math_tex;  /* the formula in TeX */
    const char *math_html; /* and in MathML */
    const char *kind;      /* input, param, state, value, data, loss, loop, carried */
    const char *teach;     /* what its operation does to a gradient, or NULL */
    Node *adjoint;         /* of the first loss with respect to it; NULL: none */
    int level;             /* the longest way here from a leaf */
    const char *group;     /* the part of the model it belongs to, "h.0.attention"; "": none */
    int loop;              /* the loop in whose body it is, or -1 */
} Item;

/* One step backward: y passes a contribution to its operand x. */
typedef struct Move {
    const Step *step;
    int x, y;         /* items */
    const char *up;   /* the gradient of y: "dJ/dv" */
    const char *down; /* the gradient of x: "dJ/da" */
    const char *rule; /* the record's, with labels in it: "dJ/dv * b" */
    const char *rule_tex, *rule_html;
    const char *local; /* the local slope: "b"; NULL where the op is not elementwise */
    double slope;      /* its value, where the op is elementwise and scalar; else NAN */

    /* the gradient of x before this contribution, to show an addition of two scalars; else NULL */
    const char *before;
    bool last; /* of the contributions to x */
    int loop;  /* the loop that goes back, in whose body it is; -1: none */
} Move;

/* One entry of a value is moved by h: what does the loss do? */
typedef struct Nudge {
    const Root *root;  /* the derivative by that value */
    const char *entry; /* "a", "W[0, 1]" */
    int64_t k;         /* the position of that entry */
    double x;          /* its value */
    double h;          /* by how much it is moved */
    double loss;       /* before, */
    double moved;      /* and after */
    double slope;      /* (moved - loss) / h */
    double derivative; /* by that entry */
} Nudge;

/* Of a named value y by a named value x that it is computed from, with all that lies between. */
typedef struct Jacobian {
    int y, x;              /* items */
    int64_t rows, columns; /* elements of y, of x */
    double *value;         /* a row for each element of y; NULL: too many to be computed */
    int64_t filled;        /* entries that are not 0 */
    const char *structure; /* "diagonal: ..."; NULL with value */

    /* the gradients of the first loss: of y (NULL: y is that loss, or none depends on y), and of x
     * by this way only (NULL: no loss depends on y) */
    const double *upstream, *downstream;

    /* back = seed times this, as a graph of its own: its nodes begin at first, and leaf[k] is what
     * it has in place of the item from[k] */
    Node *seed, *back;
    Node **leaf;
    int *from, leaves, first;
} Jacobian;

/* A Jacobian in the layout that was asked for (--layout). */
typedef struct JacobianView {
    const Jacobian *j;
    bool transposed;
    const Item *down, *across; /* whose elements the rows and the columns are */
    int64_t rows, columns;
} JacobianView;

/* Operations, about. */
typedef struct LessonCost {
    double forward; /* of the first loss */
    double both;    /* of the first loss with its derivatives */
    double numbers; /* the elements that it is differentiated by */
    double all;     /* of everything */
} LessonCost;

typedef struct Lesson {
    Ngc *ngc;
    Model *m;
    Graph *g;
    Eval *e;
    Stats *stats;  /* by node id: of values that are not kept */
    DataRows data; /* of --data */
    Output code;   /* the model as -O0 C */

    Item *item; /* operands before their users */
    int items;
    int *at;    /* by node id: 1 + its item; 0: none */
    int placed; /* the nodes that at knows: Jacobians make more of them */

    Node **loss;
    int losses;

    Move *move; /* loss by loss, in the order of the sweep */
    int moves;

    LessonLoop *loop; /* those inside others come first */
    int loops;
    PassValue **kept; /* by node id: of nodes in bodies */

    Nudge *nudge;
    int nudges;

    Jacobian *jacobian; /* the latest y first; with --jacobians only */
    int jacobians, jacobian_room;

    LessonCost cost;
} Lesson;

/* 1 + the item of a node; 0: it has none. */
static inline int lesson_at(const Lesson *l, const Node *n)
{
    return n->id < l->placed ? l->at[n->id] : 0;
}

/* ---- explain_pass.c: values of the passes of loops ---- */

/* The number of a loop, or -1. */
int lesson_find_loop(const Lesson *, const Loop *);

/* The loop in whose body a node is, or -1. */
int lesson_loop(const Lesson *, const Node *);

/* How many loops are around what is in this one; -1 is in none. */
int lesson_depth(const Lesson *, int loop);

/* From now on the values of passes are kept. */
void lesson_record(Lesson *, const int *uses);

/* What is kept of a node in a body, or NULL; some of these may not be known. depth: loops around
 * it. */
const PassValue *lesson_passes(const Lesson *, const Node *, int *count, int *depth);

/* Its value in the first pass, or in the last; NULL: there is no pass. */
const PassValue *lesson_pass(const Lesson *, const Node *, bool first);

/* "t = 19" */
const char *lesson_pass_name(const Lesson *, int loop, const PassValue *);

/* How often a node is computed: the product of the passes of the loops around it. */
double lesson_times(const Lesson *, const Node *);

Stats stats_of(const double *, int64_t count);

/* ---- explain_value.c: values, and values as text ---- */

Pool *pool_new(Ngc *);
void values_compute(Eval *, Pool *, const int *uses, const bool *keep, Stats *);
void lesson_compute(Lesson *);

/* The nodes of items, steps and roots. */
Node **lesson_nodes(const Lesson *, int *count);

Stats lesson_stats(const Lesson *, Node *);

/* The elements of a node; in the body of a loop, those of the last pass, or NULL if there are too
 * many. */
const double *lesson_elements(const Lesson *, Node *);

/* The same in the first pass, or in the last. */
const double *lesson_elements_of(const Lesson *, Node *, bool first);

/* The number of elements of a node. */
int64_t lesson_count(const Lesson *, const Node *);

/* The same, and the extents of its axes. */
int64_t lesson_dims(const Lesson *, const Node *, int64_t *dim);

/* "0.25", "-inf", "nan" */
const char *lesson_number(const Lesson *, double);

/* The same with at most this many digits. */
const char *lesson_digits(const Lesson *, double, int digits);

/* "22"; of a tensor all its elements, or its shape and statistics. In the body of a loop it is that
 * of the last pass. */
const char *lesson_value(const Lesson *, Node *);

/* The same in the first pass, or in the last. */
const char *lesson_value_of(const Lesson *, Node *, bool first);

/* The same in a pass; NULL: of a node in no loop. */
const char *lesson_value_in(const Lesson *, Node *, const PassValue *);

/* An item's label; of a constant its number. */
const char *lesson_label(const Lesson *, const Node *);

/* "[64, 784]", dims as numbers; "" for a scalar. */
const char *lesson_shape(const Lesson *, const Node *);

/* ---- explain_lesson.c: the lesson, its names and kinds ---- */

/* A lesson's items, and the pairs of values that Jacobians are asked of. */
Lesson *lesson_new(Ngc *, Model *);

/* What computing it would cost: Lesson.e is there, and nothing is computed. */
void lesson_costs(Lesson *);

/* All of it that needs values: Lesson.e is there. */
void lesson_describe(Lesson *);

/* The formula of a scalar with numbers in place of labels, in the last pass of a loop or in the
 * first; NULL: it has other than scalars. */
const char *lesson_in_numbers(const Lesson *, const Item *, bool first);

/* "dJ/dh" */
const char *lesson_derivative(const Lesson *, const Node *of, const Node *by);

/* The local slope of a move, in the last pass of a loop or in the first. */
double lesson_slope(const Lesson *, const Move *, bool first);

/* "W[0, 1]" for element k of a node; a scalar's label. */
const char *lesson_entry(const Lesson *, const Node *, int64_t k);

/* The line of the user's source that a node is from; 0: none. */
int lesson_line(const Lesson *, const Node *);

/* "second use" */
const char *lesson_nth(const Lesson *, int use);

/* "param"; "input, invented" where the user gave no value. */
const char *lesson_kind(const Lesson *, const Item *);

/* The names of invented inputs, in a sentence; NULL: there are none. */
const char *lesson_invented(const Lesson *);

/* ---- explain_loop.c: loops, and what they do in words ---- */

/* The loops among the nodes that are used, and those of items. */
void lesson_loops(Lesson *, const int *uses);

/* What a reader sees as the operands of n, at most one more than it has: a variable of a loop is
 * computed from its starting value, a loop from what its body computes. Returns how many. */
int lesson_operands(const Lesson *, const Node *n, const Node **out);

/* "for t in 0..20: h.t = tanh(v4)" */
const char *lesson_loop_text(const Lesson *, const Node *loop);

/* "for t in 0..20, from the last pass to the first" */
const char *lesson_loop_back(const Lesson *, const LessonLoop *);

/* The formula of a loop, of a variable in it, and of its last value; else NULL. */
const char *lesson_loop_words(const Lesson *, const Node *);

/* ---- explain_math.c: formulas as text, TeX and MathML ---- */

typedef enum { M_TEXT, M_TEX, M_HTML } Math;

/* How the node is computed from operands of these names. */
const char *math_formula(const Lesson *, const Node *, const char *const *operand, Math);

/* The rule of a step. names: of a b c y dy. local: the rule at dy = 1. */
const char *math_rule(const Lesson *, const Step *, const char *const *names, bool local, Math);

/* The value of a rule at dy = 1. */
double math_value(const Expr *rule, const double *abcy);
double math_slope(const Lesson *, const Step *, const double *abcy);

/* A label; "dJ/da" as a fraction. */
const char *math_name(const Lesson *, const char *label, Math);

/* Text of LaTeX, or of HTML, its special characters spelt out. */
const char *tex_words(const Lesson *, const char *);
const char *html_words(const Lesson *, const char *);

/* ---- explain_jacobian.c ---- */

/* Needs items. Makes nodes, so it comes before all values. */
void jacobians_prepare(Lesson *);
void jacobians_compute(Lesson *);

JacobianView jacobian_view(const Lesson *, const Jacobian *);
double jacobian_entry(const JacobianView *, int64_t row, int64_t column);

/* The longest chain from the first loss down: its items. Returns how many. */
int jacobian_chain(const Lesson *, int *chain);
void jacobian_cost(const double *sizes, int jacobians, double *naive, double *clever);

/* ---- forms ---- */

enum { NUDGES = 16 }; /* at most this many in a lesson */

void explain_text(const Lesson *, Text *);
void explain_dot(const Lesson *, Text *);
void explain_json(const Lesson *, Text *);
void explain_json_page(const Lesson *, Text *); /* without what the page computes itself */
void explain_tex(const Lesson *, Text *);
void explain_html(const Lesson *, Text *);

/* The page of a lesson that is in this text. */
void explain_page(Text *, const char *lesson, size_t size);

/* explain_matrix.c */
void explain_jacobians(const Lesson *, Text *);
void explain_jacobians_tex(const Lesson *, Text *);

/* explain_text.c: a nudge in words */
const char *lesson_nudge(const Lesson *, const Nudge *, const char *entry, const char *loss,
                         double slope);

/* explain_pack.c */
void explain_pack(Ngc *, Text *out, const char *text, size_t size);

/* ---- the command ---- */

/* explain*.c: ngc explain. form: "text", "html", ... */
int explain_main(Ngc *, Model *, const char *form, const char *path, const char *files,
                 char **assign, int count, Text *said);

#endif
