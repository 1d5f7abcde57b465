/* stable.h - shared by the files stable*.c, which rewrite exponentials that were written by hand.
 */
#ifndef GRAPH_STABLE_H
#define GRAPH_STABLE_H

#include "graph/graph.h"

enum {
    MAX_LINEAR = 6, /* terms of an exponent */
    MAX_EXPS = 4,   /* exponentials in a sum */
    MAX_OTHERS = 4, /* other factors of a fraction */
    MAX_LOOK = 12,  /* operations that a fraction or an exponent is looked through */
};

/* What a value is made of; a set of bits. */
enum {
    BARE = 1,     /* exponentials that may overflow or vanish */
    RATIO = 2,    /* a quotient of such exponentials */
    LOGISTIC = 4, /* sigmoid or tanh: only their log is rewritten */
    SHIFTED = 8,  /* expm1 or sinh, exact near 0: only fractions of them are rewritten */
    GROWS = 16,   /* exponentials that may overflow */
    TAIL = 32, /* exponentials that may vanish beside something else: in a log, digits are lost */
};

#define MOST_EXPONENT 80.0 /* exp of it is finite in float32 */

/* n/d * exp(m) */
typedef struct Form {
    Node *m, *n, *d; /* NULL: 0, 1, 1 */
    bool zeros;      /* n may be 0, and there m may be anything */
    bool taken;      /* m was taken out of a sum */
} Form;

typedef struct Stable {
    Graph *g;
    unsigned char *used; /* by id: does a root need it? */
    unsigned char *kind; /* by id: what it is made of */
    bool *opaque;        /* by id, or NULL: it must stay as it is */
    Node **now;          /* by id: what is computed in its place */
    Form **form[2];      /* by id; form[1] is for logs: its sums may be 0 */
    Node **far, **near;  /* by id: now = far + near, where near is a log, small compared with far;
                            NULL: it is not such a sum */
    int count;           /* of the nodes that are rewritten; later nodes are replaced by nothing */
    int depth;           /* of the forms that are being built */
} Stable;

static inline bool is_opaque(const Stable *s, const Node *n)
{
    return s->opaque && n->id < s->count && s->opaque[n->id];
}

static inline Node *now_of(const Stable *s, const Node *n)
{
    return n->id < s->count && s->now[n->id] ? s->now[n->id] : (Node *)n;
}

static inline Node *constant(Stable *s, double v)
{
    return graph_const(s->g, v);
}

static inline Node *binary(Stable *s, Op op, Node *a, Node *b)
{
    return graph_binary(s->g, op, a, b);
}

static inline Node *unary(Stable *s, Op op, Node *a)
{
    return graph_unary(s->g, op, a);
}

/* ---- stable_kind.c: what values are made of ---- */

bool stable_is_map(const Node *n);
unsigned stable_operand(const unsigned char *kind, const Node *n, int i);
bool stable_is_exp(const Node *n, double *rate);
unsigned stable_kind(const unsigned char *kind, const Node *n);
bool stable_is_risky(const unsigned char *kind, const Node *n);

/* ---- stable_fraction.c: fractions of exponentials ---- */

/* c + the sum of k x */
typedef struct LinearTerm {
    double k;
    Node *x;
} LinearTerm;

typedef struct Linear {
    double c;
    int terms;
    LinearTerm term[MAX_LINEAR]; /* by rising id of x */
} Linear;

/* The sum of c exp(u) */
typedef struct ExpsTerm {
    double c;
    Linear u;
} ExpsTerm;

typedef struct Exps {
    int terms;
    ExpsTerm term[MAX_EXPS];
} Exps;

/* above/below, with other factors */
typedef struct Fraction {
    Exps above, below;
    Node *times[MAX_OTHERS]; /* other factors above the line */
    Node *over[MAX_OTHERS];  /* other factors below the line */
    int n_times, n_over;
} Fraction;

/* k f(w), where f is exp, sigmoid or tanh */
typedef struct Known {
    Op f;
    double k;
    Linear w;
} Known;

extern const char why_log_sigmoid[]; /* for readers: of the log of a sigmoid */

bool linear_of(Stable *s, Linear *l, double k, const Node *u, int depth);
Exps exps_one(double c);
bool fraction_sum(Fraction *f, double sign, const Fraction *b);
bool fraction_of(Stable *s, const Node *n, int depth, Fraction *f);
bool fraction_known(const Fraction *f, Known *out);
Node *fraction_node(Stable *s, const Fraction *f, const Known *known, Shape shape);
Node *fraction_log(Stable *s, const Fraction *f, Shape shape);

/* ---- stable_form.c: the largest exponent taken out ---- */

Form *form_of(Stable *s, const Node *n, bool of_log);
Node *form_node(Stable *s, const Form *f, Shape shape);
Node *form_log(Stable *s, const Form *f, Shape shape, Node **near);
Node *form_mapped(Stable *s, const Node *n, Node *x);
Node *form_sum_of(Stable *s, Node *a, Node *b, Op op);

#endif
