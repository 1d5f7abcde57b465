/* simplify_term.c - terms: a product or quotient as a coefficient and factors with powers. */
#include "graph/simplify.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- what may be taken apart ---- */

/* 1 + exp(w), as students write it; gives exp(w). */
Node *one_plus_exp(const Graph *g, const Node *n)
{
    if (n->op != OP_add || !is_open(g, n))
        return NULL;
    for (int i = 0; i < 2; i++)
        if (node_is(n->arg[i], 1) && is_open_op(g, n->arg[1 - i], OP_exp))
            return n->arg[1 - i];
    return NULL;
}

/* Is n = 1/(1 + exp(w))? */
bool is_logistic(const Graph *g, const Node *n)
{
    return n->op == OP_div && node_is(n->arg[0], 1) && one_plus_exp(g, n->arg[1]);
}

/* The node that is 1/s: the one that the user named, if there is one. */
static Node *logistic_of(Graph *g, Node *s)
{
    for (int i = s->id + 1; i < g->count; i++) {
        Node *n = g->node[i];
        if (n->op == OP_div && n->arg[1] == s && node_is(n->arg[0], 1))
            return n;
    }
    return graph_binary(g, OP_div, graph_const(g, 1), s);
}

bool is_total(const Graph *g, const Node *n, const Node *e)
{
    return is_open_op(g, n, OP_expand) && n->arg[0]->op == OP_sum && n->arg[0]->arg[0] == e &&
           n->arg[0]->attr.axes == n->attr.axes;
}

/* ---- terms ---- */

static void sum_atom(Sum *s, Node *n)
{
    for (int i = 0; i < s->atoms; i++)
        if (s->atom[i] == n)
            return;
    if (s->atoms == MAX_ATOMS)
        s->full = true;
    else
        s->atom[s->atoms++] = n;
}

void term_factor(Sum *s, Term *t, Node *n, int power)
{
    int i = 0;
    while (i < t->factors && t->factor[i].node->id < n->id)
        i++;
    if (i < t->factors && t->factor[i].node == n) {
        /* a factor above the line meets itself below */
        s->cancelled |= (t->factor[i].power > 0) != (power > 0);
        t->factor[i].power += power;
        return;
    }
    if (t->factors == MAX_FACTORS) {
        s->full = true;
        return;
    }
    /* sorted by id: sum_add compares lists */
    memmove(t->factor + i + 1, t->factor + i, (size_t)(t->factors++ - i) * sizeof *t->factor);
    t->factor[i] = (Factor){n, power};
}

/* The sum that n is, or shows as copies or as floats, such as 1 - y where y are int labels, or one
 * y for many examples; else NULL. */
Node *sum_inside(const Graph *g, const Node *n)
{
    /* expand(a + b) = expand(a) + expand(b) */
    while ((n->op == OP_expand || n->op == OP_cast) && is_open(g, n))
        n = n->arg[0];
    if ((n->op == OP_add || n->op == OP_sub) && is_open(g, n))
        return (Node *)n;
    return NULL;
}

bool is_sum(const Graph *g, const Node *n)
{
    return sum_inside(g, n) != NULL;
}

/* x, an operand of the sum inside n, as n shows it. */
Node *shown_like(Graph *g, const Node *n, Node *x)
{
    if (n->op == OP_expand)
        return graph_expand(g, shown_like(g, n->arg[0], x), n->shape, n->attr.axes);
    if (n->op == OP_cast)
        return graph_cast(g, shown_like(g, n->arg[0], x), n->type);
    return x;
}

static void term_negate(Term *t)
{
    t->coef = -t->coef;
}

/* Multiplies a term by n^power, and keeps n as an atom. */
static void term_atom(Sum *s, Term *t, Node *n, int power)
{
    sum_atom(s, n);
    term_factor(s, t, n, power);
}

/* x where n is -x or expand(-x), as n shows it; else NULL. */
static Node *negated(Graph *g, const Node *n)
{
    if (is_open_op(g, n, OP_neg))
        return n->arg[0];
    if (is_open_op(g, n, OP_expand) && is_open_op(g, n->arg[0], OP_neg))
        return graph_expand(g, n->arg[0]->arg[0], n->shape, n->attr.axes);
    return NULL;
}

/* term_times, for an n that is not a product, a quotient or a sign. */
static void term_times_whole(Sum *s, Term *t, Node *n, int power)
{
    Graph *g = s->g;

    /* sigmoid(-z) = 1 - sigmoid(z) */
    if (s->deep && is_open_op(g, n, OP_sigmoid) && is_open_op(g, n->arg[0], OP_neg)) {
        Node *a = graph_unary(g, OP_sigmoid, n->arg[0]->arg[0]);
        term_factor(s, t, graph_binary(g, OP_sub, graph_const(g, 1), a), power);
        return;
    }

    /* A sum is multiplied out later. */
    if (!is_sum(g, n)) {
        term_atom(s, t, n, power);
        return;
    }
    term_factor(s, t, n, power);
    if (s->wholes < MAX_ATOMS)
        s->whole[s->wholes++] = n;
}

/* Do the elements of the C have this number, with all its digits? */
static bool is_element(const Graph *g, double v)
{
    bool wide = g->ngc->opt.real_double;
    double least = wide ? DBL_MIN : FLT_MIN;
    double most = wide ? DBL_MAX : FLT_MAX;

    return fabs(v) >= least && fabs(v) <= most;
}

/* term_times, within its limits. */
static void term_times_parts(Sum *s, Term *t, Node *n, int power)
{
    Graph *g = s->g;

    double v;
    /* numbers go to the coefficient; 0 stays a factor, as 0 times infinity is NaN */
    if (node_const(n, &v) && v != 0 && is_element(g, t->coef * pow(v, power))) {
        t->coef *= pow(v, power);
        return;
    }

    /* 1/(1 + exp(w)) is a sigmoid, which is not taken apart; 1 + exp(w) is its inverse. */
    if (one_plus_exp(g, n)) {
        term_atom(s, t, logistic_of(g, n), -power);
        return;
    }
    if (is_logistic(g, n)) {
        term_atom(s, t, n, power);
        return;
    }

    /* (-x)^power = -(x^power) if power is odd */
    Node *x = negated(g, n);
    if (x) {
        if (power & 1)
            term_negate(t);
        term_times(s, t, x, power);
        return;
    }

    /* (a b)^p = a^p b^p, (a/b)^p = a^p b^-p; a softmax e/sum(e) stays whole */
    if (is_open_op(g, n, OP_mul)) {
        term_times(s, t, n->arg[0], power);
        term_times(s, t, n->arg[1], power);
    } else if (is_open_op(g, n, OP_div) && !is_total(g, n->arg[1], n->arg[0])) {
        term_times(s, t, n->arg[0], power);
        term_times(s, t, n->arg[1], -power);
    } else {
        term_times_whole(s, t, n, power);
    }
}

/* Multiplies a term by n^power, through products, quotients and signs. */
void term_times(Sum *s, Term *t, Node *n, int power)
{
    if (s->full || s->depth > 2 * MAX_FACTORS) {
        s->full = true;
        return;
    }

    s->depth++;
    term_times_parts(s, t, n, power);
    s->depth--;
}

Factor *term_find(Term *t, const Node *n)
{
    for (int i = 0; i < t->factors; i++)
        if (t->factor[i].node == n)
            return &t->factor[i];
    return NULL;
}

/* exp(w) a = 1 - a where a = 1/(1 + exp(w)). */
static void term_logistic(Sum *s, Term *t)
{
    Graph *g = s->g;
    for (int i = 0; i < t->factors; i++) {
        Node *a = t->factor[i].node;
        if (!is_logistic(g, a) || t->factor[i].power < 1)
            continue;
        Factor *e = term_find(t, one_plus_exp(g, a->arg[1]));
        if (!e || e->power < 1)
            continue;
        t->factor[i].power--;
        e->power--;
        for (int k = 0; k < s->atoms; k++) /* a takes the place of the exp */
            if (s->atom[k] == e->node)
                s->atom[k] = a;
        term_factor(s, t, graph_binary(g, OP_sub, graph_const(g, 1), a), 1);
        /* the new factor may give another such pair */
        i = -1;
    }
}

/* Splits expand(q / S) in two where S is the sum of a factor e: e / expand(S) is a softmax. */
static void term_split(Sum *s, Term *t, Node *e)
{
    Graph *g = s->g;

    for (int i = 0; i < t->factors; i++) {
        Node *x = t->factor[i].node;
        if (x->op != OP_expand || t->factor[i].power != 1)
            continue;

        uint32_t axes = x->attr.axes;
        Node *quotient = x->arg[0];
        bool minus = is_open_op(g, quotient, OP_neg);
        if (minus)
            quotient = quotient->arg[0];
        if (!is_open_op(g, quotient, OP_div))
            continue;

        Node *q = quotient->arg[0];
        Node *sum = quotient->arg[1];
        if (sum->op != OP_sum || sum->arg[0] != e || sum->attr.axes != axes)
            continue;

        /* its parts take its place; term_clean removes it */
        t->factor[i].power = 0;
        if (minus)
            t->coef = -t->coef;
        for (int k = 0; k < s->atoms; k++)
            if (s->atom[k] == x)
                s->atom[k] = e;
        term_times(s, t, graph_expand(g, q, x->shape, axes), 1);
        term_factor(s, t, graph_expand(g, sum, x->shape, axes), -1);
        return;
    }
}

/* Makes one factor of e and 1/expand(sum e): a softmax, shared with the forward pass. */
static void term_softmax(Sum *s, Term *t)
{
    Graph *g = s->g;
    for (int i = 0; i < t->factors; i++) {
        Node *e = t->factor[i].node;
        Node *total = NULL;
        if (e->op != OP_exp || t->factor[i].power < 1)
            continue;
        term_split(s, t, e);
        for (int k = 0; k < t->factors; k++)
            if (t->factor[k].power < 0 && is_total(g, t->factor[k].node, e))
                total = t->factor[k].node;
        if (!total)
            continue;
        Node *p = graph_binary(g, OP_div, e, total);
        term_find(t, e)->power--;
        term_find(t, total)->power++;
        for (int k = 0; k < s->atoms; k++)
            if (s->atom[k] == e || s->atom[k] == total)
                s->atom[k] = p;
        sum_atom(s, p);
        term_factor(s, t, p, 1);
        i = -1;
    }
}

void term_clean(Sum *s, Term *t)
{
    int n = 0;
    term_logistic(s, t);
    term_softmax(s, t);
    for (int i = 0; i < t->factors; i++)
        if (t->factor[i].power != 0)
            t->factor[n++] = t->factor[i];
    t->factors = n;
}
