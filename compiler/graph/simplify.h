/* simplify.h - shared by the files of the algebra: sums of products */
#ifndef SIMPLIFY_H
#define SIMPLIFY_H

#include "graph/graph.h"

enum {
    MAX_FACTORS = 16, /* of a term */
    MAX_SUM = 12,     /* terms of a sum */
    MAX_ATOMS = 32,   /* different nodes in a sum */
};

/* node^power */
typedef struct Factor {
    Node *node;
    int power;
} Factor;

/* coef * the product of the factors, which are sorted by the id of the node */
typedef struct Term {
    double coef;
    Factor factor[MAX_FACTORS];
    int factors;
} Term;

/* A sum of terms, while a node is taken apart. */
typedef struct Sum {
    Graph *g;
    Term term[MAX_SUM];
    int terms;
    Node *atom[MAX_ATOMS]; /* all nodes that were not taken apart */
    int atoms;
    bool full;      /* it is too long: give up */
    bool deep;      /* sums inside products are multiplied out too */
    bool cancelled; /* a factor and its inverse, or opposite terms, were cancelled */
    int depth;      /* of the product that is being taken apart */

    Node *whole[MAX_ATOMS]; /* sums that are factors of what is taken apart */
    int wholes;
    bool wholes_are_free; /* do not count what they cost */
} Sum;

/* May n be taken apart? */
static inline bool is_open(const Graph *g, const Node *n)
{
    return (!n->bound || g->final) && !n->scaled;
}

static inline bool is_open_op(const Graph *g, const Node *n, Op op)
{
    return n->op == op && is_open(g, n);
}

/* ---- simplify_term.c: products and quotients as terms ---- */

Node *one_plus_exp(const Graph *, const Node *); /* exp(w) of 1 + exp(w); NULL: it is not this */
bool is_logistic(const Graph *, const Node *);   /* is it 1/(1 + exp(w))? */
/* is n expand(sum e) over the axes it copies: the denominator of a softmax? */
bool is_total(const Graph *, const Node *n, const Node *e);
Node *sum_inside(const Graph *, const Node *);      /* the sum that it shows, or NULL */
bool is_sum(const Graph *, const Node *);           /* is there one? */
Node *shown_like(Graph *, const Node *n, Node *x);  /* x, an operand of that sum, as n shows it */
void term_times(Sum *, Term *, Node *, int power);  /* through products, quotients and signs */
void term_factor(Sum *, Term *, Node *, int power); /* multiplies it by node^power as it is */
Factor *term_find(Term *, const Node *);            /* or NULL */
void term_clean(Sum *, Term *);                     /* factors that cancel each other go */

/* ---- simplify_sum.c: the sum-of-products form ---- */

bool always_finite(const Node *);
Node *simplify_sum(Graph *, Node *); /* the form, if it is shorter; else the node */

/* ---- simplify_reduce.c: sums over axes ---- */

Node *simplify_share(Graph *, Node *);  /* of a product with e: the quotient e/sum(e) instead */
Node *simplify_reduce(Graph *, Node *); /* what is the same for all that is summed leaves the sum */

#endif
