/* simplify.c - algebra. Rebuilds what some roots need, operands first, by the builders (which share
 * and fold), and applies the rules below at each node. Requires a verified graph and keeps all its
 * invariants. Old nodes stay, unused. There are two kinds of rules:
 *
 * - The sum-of-products form. Products are multiplied out, like terms collected and common factors
 *   taken out. The result is used if it is shorter, and only in derivatives: what the user wrote
 *   stays. So a (1 - a) (-y/a + (1 - y)/(1 - a)) becomes a - y.
 * - Rewrites for better values, such as the log of a sigmoid. They change the forward pass, so they
 *   wait for the last round, when no gradient with respect to a value inside can be asked any more.
 *
 * What could be NaN or infinite is cancelled only if it still occurs in the result. */
#include "graph/carry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_FACTORS = 16, /* of a term */
    MAX_SUM = 12,     /* terms of a sum */
    MAX_ATOMS = 32,   /* different nodes in a sum */
    MAX_SEEN = 64,    /* nodes whose cost is counted */
    TOO_MANY = 1000,  /* the cost of more */
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

/* ---- what may be taken apart ---- */

static bool open(const Graph *g, const Node *n)
{
    return (!n->bound || g->final) && !n->scaled;
}

/* Is it of a derivative, and not of the text? */
static bool is_derived(const Node *n)
{
    return n->derived && !n->again;
}

static bool is(const Graph *g, const Node *n, Op op)
{
    return n->op == op && open(g, n);
}

/* 1 + exp(w), as students write it; gives exp(w). */
static Node *one_plus_exp(const Graph *g, const Node *n)
{
    if (n->op != OP_add || !open(g, n))
        return NULL;
    for (int i = 0; i < 2; i++)
        if (node_is(n->arg[i], 1) && is(g, n->arg[1 - i], OP_exp))
            return n->arg[1 - i];
    return NULL;
}

/* Is n = 1/(1 + exp(w))? */
static bool is_logistic(const Graph *g, const Node *n)
{
    return n->op == OP_div && node_is(n->arg[0], 1) && one_plus_exp(g, n->arg[1]);
}

/* The node that is 1/s: the one that the user named, if there is one. */
static Node *logistic_of(Graph *g, Node *s)
{
    for (int i = s->id + 1; i < g->count; i++)
        if (g->node[i]->op == OP_div && g->node[i]->arg[1] == s && node_is(g->node[i]->arg[0], 1))
            return g->node[i];
    return graph_binary(g, OP_div, graph_const(g, 1), s);
}

/* Is n = expand(sum e) over the axes it copies: the denominator of a softmax? */
static bool is_total(const Graph *g, const Node *n, const Node *e)
{
    return is(g, n, OP_expand) && n->arg[0]->op == OP_sum && n->arg[0]->arg[0] == e &&
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

static void term_factor(Sum *s, Term *t, Node *n, int power)
{
    int i = 0;
    while (i < t->factors && t->factor[i].node->id < n->id)
        i++;
    if (i < t->factors && t->factor[i].node == n) {
        s->cancelled |= (t->factor[i].power > 0) != (power > 0);
        t->factor[i].power += power;
        return;
    }
    if (t->factors == MAX_FACTORS) {
        s->full = true;
        return;
    }
    memmove(t->factor + i + 1, t->factor + i, (size_t)(t->factors++ - i) * sizeof *t->factor);
    t->factor[i] = (Factor){n, power};
}

/* The sum that n is, or shows as copies or as floats, such as 1 - y where y are int labels, or one
 * y for many examples; else NULL. */
static Node *sum_inside(const Graph *g, const Node *n)
{
    while ((n->op == OP_expand || n->op == OP_cast) && open(g, n))
        n = n->arg[0];
    return (n->op == OP_add || n->op == OP_sub) && open(g, n) ? (Node *)n : NULL;
}

static bool is_sum(const Graph *g, const Node *n)
{
    return sum_inside(g, n) != NULL;
}

/* x, an operand of the sum inside n, as n shows it. */
static Node *shown_like(Graph *g, const Node *n, Node *x)
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
    if (is(g, n, OP_neg))
        return n->arg[0];
    if (is(g, n, OP_expand) && is(g, n->arg[0], OP_neg))
        return graph_expand(g, n->arg[0]->arg[0], n->shape, n->attr.axes);
    return NULL;
}

static void term_times(Sum *s, Term *t, Node *n, int power);

/* term_times, for an n that is not a product, a quotient or a sign. */
static void term_times_whole(Sum *s, Term *t, Node *n, int power)
{
    Graph *g = s->g;

    /* sigmoid(-z) = 1 - sigmoid(z) */
    if (s->deep && is(g, n, OP_sigmoid) && is(g, n->arg[0], OP_neg)) {
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

/* term_times, within its limits. */
static void term_times_parts(Sum *s, Term *t, Node *n, int power)
{
    Graph *g = s->g;

    double v;
    if (node_const(n, &v) && v != 0) {
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

    if (is(g, n, OP_mul)) {
        term_times(s, t, n->arg[0], power);
        term_times(s, t, n->arg[1], power);
    } else if (is(g, n, OP_div) && !is_total(g, n->arg[1], n->arg[0])) {
        term_times(s, t, n->arg[0], power);
        term_times(s, t, n->arg[1], -power);
    } else {
        term_times_whole(s, t, n, power);
    }
}

/* Multiplies a term by n^power, through products, quotients and signs. */
static void term_times(Sum *s, Term *t, Node *n, int power)
{
    if (s->full || s->depth > 2 * MAX_FACTORS) {
        s->full = true;
        return;
    }

    s->depth++;
    term_times_parts(s, t, n, power);
    s->depth--;
}

static Factor *term_find(Term *t, const Node *n)
{
    for (int i = 0; i < t->factors; i++)
        if (t->factor[i].node == n)
            return &t->factor[i];
    return NULL;
}

/* exp(w) a = 1 - a where a = 1/(1 + exp(w)). */
static void term_logistic(Sum *s, Term *t)
{
    for (int i = 0; i < t->factors; i++) {
        Node *a = t->factor[i].node;
        if (!is_logistic(s->g, a) || t->factor[i].power < 1)
            continue;
        Factor *e = term_find(t, one_plus_exp(s->g, a->arg[1]));
        if (!e || e->power < 1)
            continue;
        t->factor[i].power--;
        e->power--;
        for (int k = 0; k < s->atoms; k++) /* a takes the place of the exp */
            if (s->atom[k] == e->node)
                s->atom[k] = a;
        term_factor(s, t, graph_binary(s->g, OP_sub, graph_const(s->g, 1), a), 1);
        i = -1;
    }
}

/* Splits expand(q / S) in two where S is the sum of a factor e: e / expand(S) is a softmax. */
static void term_split(Sum *s, Term *t, Node *e)
{
    Graph *g = s->g;
    for (int i = 0; i < t->factors; i++) {
        Node *x = t->factor[i].node, *d = x->op == OP_expand ? x->arg[0] : NULL;
        bool minus = d && is(g, d, OP_neg);
        d = minus ? d->arg[0] : d;
        if (!d || t->factor[i].power != 1 || !is(g, d, OP_div) || d->arg[1]->op != OP_sum ||
            d->arg[1]->arg[0] != e || d->arg[1]->attr.axes != x->attr.axes)
            continue;
        t->factor[i].power = 0;
        t->coef = minus ? -t->coef : t->coef;
        for (int k = 0; k < s->atoms; k++)
            if (s->atom[k] == x)
                s->atom[k] = e;
        term_times(s, t, graph_expand(g, d->arg[0], x->shape, x->attr.axes), 1);
        term_factor(s, t, graph_expand(g, d->arg[1], x->shape, x->attr.axes), -1);
        return;
    }
}

/* Makes one factor of e and 1/expand(sum e): a softmax, shared with the forward pass. */
static void term_softmax(Sum *s, Term *t)
{
    Graph *g = s->g;
    for (int i = 0; i < t->factors; i++) {
        Node *e = t->factor[i].node, *total = NULL;
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

static void term_clean(Sum *s, Term *t)
{
    int n = 0;
    term_logistic(s, t);
    term_softmax(s, t);
    for (int i = 0; i < t->factors; i++)
        if (t->factor[i].power != 0)
            t->factor[n++] = t->factor[i];
    t->factors = n;
}

/* ---- sums ---- */

/* Is a quotient among the terms of the sum? Then it is multiplied out first, while its divisor is
 * still a factor of the term. */
static bool has_quotient(const Graph *g, const Node *n, int depth)
{
    for (int i = 0; i < n->nargs; i++) {
        const Node *a = n->arg[i];
        for (int k = 0; k < MAX_FACTORS && (is(g, a, OP_neg) || is(g, a, OP_mul)); k++)
            a = a->arg[is(g, a, OP_mul) && is(g, a->arg[1], OP_div)];
        if ((is(g, a, OP_div) && !is_logistic(g, a)) ||
            (depth > 0 && is_sum(g, a) && has_quotient(g, a, depth - 1)))
            return true;
    }
    return false;
}

static Node *next_sum(const Graph *g, const Term *t)
{
    Node *any = NULL;
    for (int i = 0; i < t->factors; i++)
        if (t->factor[i].power > 0 && is_sum(g, t->factor[i].node)) {
            any = any ? any : t->factor[i].node;
            if (has_quotient(g, t->factor[i].node, 3))
                return t->factor[i].node;
        }
    return any;
}

static void sum_add(Sum *s, const Term *t)
{
    s->full |= !isfinite(t->coef); /* inf*a + inf is not what was written */
    for (int i = 0; i < s->terms; i++) {
        Term *old = &s->term[i];
        bool same = old->factors == t->factors;
        for (int k = 0; k < t->factors && same; k++)
            same = old->factor[k].node == t->factor[k].node &&
                   old->factor[k].power == t->factor[k].power;
        if (!same)
            continue;
        old->coef += t->coef;
        s->full |= !isfinite(old->coef);
        if (old->coef == 0) {
            s->cancelled = true;
            s->term[i] = s->term[--s->terms];
        }
        return;
    }
    if (s->terms == MAX_SUM)
        s->full = true;
    else
        s->term[s->terms++] = *t;
}

/* Multiplies a term out and collects what comes of it. */
static void sum_expand(Sum *s, Term *t, int depth)
{
    term_clean(s, t);
    Node *x = next_sum(s->g, t);
    if (x && !s->deep && (t->factors != 1 || t->factor[0].power != 1 || fabs(t->coef) != 1))
        x = NULL;
    if (depth > 8)
        s->full = true;
    if (s->full)
        return;
    if (!x) {
        sum_add(s, t);
        return;
    }
    const Node *sum = sum_inside(s->g, x);
    for (int i = 0; i < 2; i++) {
        Term part = *t;
        term_find(&part, x)->power--;
        if (i == 1 && sum->op == OP_sub)
            part.coef = -part.coef;
        term_times(s, &part, shown_like(s->g, x, sum->arg[i]), 1);
        sum_expand(s, &part, depth + 1);
    }
}

/* Operations of a term. Without a factor above the line there is a 1 to divide. */
static int term_cost(const Term *t)
{
    int n = fabs(t->coef) != 1, above = n;
    for (int i = 0; i < t->factors; i++) {
        n += abs(t->factor[i].power);
        above += t->factor[i].power > 0;
    }
    return n > 0 && above > 0 ? n - 1 : n;
}

static bool same_coefficients(const Sum *s)
{
    for (int i = 1; i < s->terms; i++)
        if (fabs(s->term[i].coef) != fabs(s->term[0].coef))
            return false;
    return true;
}

/* The power of f that divides every term; 0: none. */
static int common_power(Sum *s, Factor f)
{
    for (int i = 1; i < s->terms; i++) {
        const Factor *other = term_find(&s->term[i], f.node);
        if (!other || (other->power > 0) != (f.power > 0))
            return 0;
        if (abs(other->power) < abs(f.power))
            f.power = other->power;
    }
    return f.power;
}

/* Takes out what all terms share. */
static Term common_factor(Sum *s)
{
    Term c = {.coef = 1};
    if (s->terms > 1 && same_coefficients(s))
        c.coef = fabs(s->term[0].coef);

    for (int k = 0; s->terms > 1 && k < s->term[0].factors; k++) {
        Factor f = s->term[0].factor[k];
        int power = common_power(s, f);
        if (power != 0)
            term_factor(s, &c, f.node, power);
    }

    for (int i = 0; i < s->terms; i++) {
        s->term[i].coef /= c.coef;
        for (int k = 0; k < c.factors; k++)
            term_find(&s->term[i], c.factor[k].node)->power -= c.factor[k].power;
        term_clean(s, &s->term[i]);
    }
    return c;
}

/* product * x, or product / x; NULL is 1. */
static Node *times(Graph *g, Node *product, Node *x, Op op)
{
    if (product)
        return graph_binary(g, op, product, x);
    if (op == OP_mul)
        return x;
    return graph_binary(g, OP_div, graph_const(g, 1), x);
}

/* A term as nodes, without its sign; NULL is 1. */
static Node *term_build(Graph *g, const Term *t)
{
    Node *n = fabs(t->coef) != 1 ? graph_const(g, fabs(t->coef)) : NULL;
    for (int sign = 1; sign >= -1; sign -= 2)
        for (int i = 0; i < t->factors; i++)
            for (int k = 0; k < sign * t->factor[i].power; k++)
                n = times(g, n, t->factor[i].node, sign > 0 ? OP_mul : OP_div);
    return n;
}

/* sum + t, or sum - t if `minus`; a sum that is NULL is 0. */
static Node *plus(Graph *g, Node *sum, Node *t, bool minus)
{
    if (sum)
        return graph_binary(g, minus ? OP_sub : OP_add, sum, t);
    return minus ? graph_unary(g, OP_neg, t) : t;
}

/* The sum as nodes. Terms with a plus come first. */
static Node *sum_build(Sum *s, const Term *common, Shape shape)
{
    Graph *g = s->g;
    Node *n = NULL, *c = term_build(g, common);

    for (int minus = 0; minus < 2; minus++)
        for (int i = 0; i < s->terms; i++) {
            if ((s->term[i].coef > 0) == minus)
                continue;
            Node *t = term_build(g, &s->term[i]);
            n = plus(g, n, t ? t : graph_const(g, 1), minus);
        }

    if (!n)
        return NULL;
    if (c)
        n = graph_binary(g, OP_mul, n, c);
    return graph_broadcast(g, n, shape);
}

/* Is the node a sum that was a factor, and still is? */
static bool is_kept(const Sum *s, const Term *common, const Node *n)
{
    bool found = false;
    for (int i = 0; i < s->wholes; i++)
        found |= s->whole[i] == n;
    if (!found)
        return false;

    for (int i = -1; i < s->terms; i++) {
        const Term *t = i < 0 ? common : &s->term[i];
        for (int k = 0; k < t->factors; k++)
            if (t->factor[k].node == n && t->factor[k].power != 0)
                return true;
    }
    return false;
}

/* Operations from n down to the atoms, each counted once. There is a large number for too many. */
static int cost_to_atoms(const Sum *s, const Term *common, Node *n, Node **seen, int *count)
{
    double v;
    for (int i = 0; i < s->atoms; i++)
        if (s->atom[i] == n)
            return 0;
    if (s->wholes_are_free && is_kept(s, common, n))
        return 0;
    for (int i = 0; i < *count; i++)
        if (seen[i] == n)
            return 0;

    if (*count == MAX_SEEN)
        return TOO_MANY;
    if (node_const(n, &v) || n->op == OP_expand)
        return 0;
    seen[*count] = n;
    ++*count;

    int cost = 1;
    for (int i = 0; i < n->nargs; i++)
        cost += cost_to_atoms(s, common, n->arg[i], seen, count);
    return cost;
}

static bool always_finite(const Node *n)
{
    double v;
    if (node_const(n, &v))
        return isfinite(v);

    switch (n->op) {
    case OP_expand:
    case OP_neg:
    case OP_cast: return always_finite(n->arg[0]);
    case OP_div: {
        bool by_size = n->arg[1]->op == OP_size;
        bool by_number = node_const(n->arg[1], &v) && v != 0;
        return (by_size || by_number) && always_finite(n->arg[0]);
    }
    case OP_size:
    case OP_iota: return true;
    default: return op_info[n->op]->test; /* a comparison */
    }
}

/* Is the atom a factor of the term, or an operand of a sum that is one, as in 1/(1 - a)? */
static bool term_has(const Sum *s, const Term *t, const Node *atom)
{
    for (int i = 0; i < t->factors; i++) {
        const Node *n = t->factor[i].node;
        if (n == atom)
            return true;
        if (sum_inside(s->g, n) == n && (n->arg[0] == atom || n->arg[1] == atom))
            return true;
    }
    return false;
}

/* Does every atom that could be NaN or infinite still occur? */
static bool keeps_atoms(Sum *s, const Term *common)
{
    for (int i = 0; i < s->atoms; i++) {
        const Node *atom = s->atom[i];
        bool found = always_finite(atom) || term_find((Term *)common, atom);
        for (int k = 0; k < s->terms && !found; k++)
            found = term_has(s, &s->term[k], atom);
        if (!found)
            return false;
    }
    return true;
}

/* Operations of a form: of its terms, what joins them, and the sums that are factors. */
static int sum_cost(Sum *s, const Term *common)
{
    bool has_common = common->factors > 0 || common->coef != 1;
    int cost = term_cost(common) + (s->terms - 1) + has_common;
    bool all_minus = true;
    Node *seen[MAX_SEEN];
    int count = 0;
    for (int i = -1; i < s->terms; i++) {
        const Term *t = i < 0 ? common : &s->term[i];
        cost += i < 0 ? 0 : term_cost(t);
        all_minus &= i < 0 || t->coef < 0;
        for (int k = 0; k < t->factors; k++)
            if (is_sum(s->g, t->factor[k].node))
                cost += cost_to_atoms(s, common, t->factor[k].node, seen, &count);
    }
    return cost + all_minus;
}

/* Has the form fewer operations than n? Both have the same sums as factors. Where these are too
 * long to be counted, as in a deep network, only what is above them is compared. */
static bool is_shorter(Sum *s, const Term *common, Node *n)
{
    Node *seen[MAX_SEEN];
    for (;;) {
        int count = 0;
        int old = cost_to_atoms(s, common, n, seen, &count), cost = sum_cost(s, common);
        bool counted = old < TOO_MANY && cost < TOO_MANY;
        if (counted || s->wholes_are_free)
            return cost < old;
        s->wholes_are_free = true;
    }
}

/* Puts n into the form; false: too long, or something would be lost. */
static bool sum_form(Sum *s, Node *n, Term *common)
{
    Term t = {.coef = 1};
    term_times(s, &t, n, 1);
    sum_expand(s, &t, 0);
    if (s->full || s->terms == 0)
        return false;
    *common = common_factor(s);
    return !s->full && keeps_atoms(s, common);
}

/* How a simplified value came to be, if that can be said on a line. */
static const char *shorter_than(Graph *g, const Node *n)
{
    const char *text = node_text(g, n, 8);
    return strlen(text) < 90 && !strstr(text, "...") ? text_format(g->ngc, "= %s", text)
                                                     : "multiplied out, and what cancels left out";
}

/* Are all factors of all terms single? (x - 1)(x + 1) is not to become x^2 - 1, which rounds worse.
 */
static bool is_linear(const Sum *s)
{
    for (int i = 0; i < s->terms; i++)
        for (int k = 0; k < s->term[i].factors; k++)
            if (abs(s->term[i].factor[k].power) > 1)
                return false;
    return true;
}

/* The sum-of-products form of n, if it is shorter; else n. Sums inside products are multiplied out
 * only where something cancels, and no powers come of it: all else would only round differently,
 * and perhaps worse. */
static Node *simplify_sum(Graph *g, Node *n)
{
    Node *best = n;
    if (n->type != T_FLOAT || !is_derived(n) || n->scaled) /* what the user wrote stays */
        return n;

    for (int deep = 0; deep < 2; deep++) {
        Sum s = {.g = g, .deep = deep};
        Term common;
        if (!sum_form(&s, n, &common))
            continue;
        if (deep && !(s.cancelled && is_linear(&s)))
            continue;

        if (!is_shorter(&s, &common, best))
            continue;
        Node *m = sum_build(&s, &common, n->shape);
        if (m)
            best = m;
    }
    if (best != n && !best->why && !best->name)
        best->why = shorter_than(g, n);
    return best;
}

/* ---- reductions ---- */

/* The factor of a sum that is the same for all that is summed, as the sum's shape has it; NULL: it
 * is not. */
static Node *constant_along(Graph *g, Node *n, uint32_t axes)
{
    if (!is(g, n, OP_expand) || (n->attr.axes & axes) != axes)
        return NULL;
    uint32_t outer = 0;
    for (int i = 0, kept = 0; i < n->shape.rank; i++)
        if (!(axes >> i & 1))
            outer |= (n->attr.axes >> i & 1) << kept++;
    return graph_expand(g, n->arg[0], shape_without(n->shape, axes), outer);
}

/* Each label is one of the classes (checked at run time), so a row of one_hot sums to 1. */
static bool is_one_hot(const Node *n, uint32_t axes)
{
    if (n->op != OP_eq)
        return false;
    for (int i = 0; i < 2; i++) {
        const Node *k = n->arg[i], *t = n->arg[1 - i];
        if (k->op != OP_iota || axes != 1u << k->attr.axis || t->op != OP_expand ||
            t->attr.axes != axes)
            continue;
        t = t->arg[0];
        while (t->op == OP_slice || t->op == OP_reshape || t->op == OP_permute)
            t = t->arg[0];
        Size classes = k->shape.dim[k->attr.axis];
        if (t->op == OP_checked)
            return t->attr.size == classes;
        return t->op == OP_var && t->attr.var->limit > 0 && t->attr.var->limit <= classes;
    }
    return false;
}

static Node *simplify_reduce(Graph *g, Node *n)
{
    Node *a = n->arg[0];
    uint32_t axes = n->attr.axes;
    if (n->op != OP_sum || !open(g, a))
        return n;
    if (a->op == OP_neg)
        return graph_unary(g, OP_neg, simplify_reduce(g, graph_reduce(g, OP_sum, a->arg[0], axes)));
    for (int i = 0; i < 2 && (a->op == OP_mul || (a->op == OP_div && i == 1)); i++) {
        Node *c = constant_along(g, a->arg[i], axes);
        if (c && node_is(c, 0))
            c = NULL;
        if (c)
            return graph_binary(g, a->op,
                                simplify_reduce(g, graph_reduce(g, OP_sum, a->arg[1 - i], axes)),
                                c);
    }
    if (is_one_hot(a, axes))
        return graph_full(g, n->shape, 1);
    return n;
}

/* ---- rewrites for better values: only in the last round ---- */

/* stable.c has rewritten what may overflow. The quotients and logs here are those that cannot, as
 * the exponent is known to be small (1/(1 + exp(sin(x)))): they become shorter and more exact. */

/* 1/(1 + exp(-z)) = sigmoid(z) */
static Node *better_quotient(Graph *g, Node *n)
{
    if (!is_logistic(g, n))
        return n;
    Node *w = one_plus_exp(g, n->arg[1])->arg[0];
    return node_because(graph_unary(g, OP_sigmoid, graph_unary(g, OP_neg, w)),
                        "1/(1 + exp(-z)) = sigmoid(z)");
}

static Node *minus_softplus(Graph *g, Node *z)
{
    return graph_unary(g, OP_neg, graph_unary(g, OP_softplus, z));
}

static Node *better_log(Graph *g, Node *n)
{
    Node *a = n->arg[0];
    if (a->op == OP_sigmoid)
        return node_because(minus_softplus(g, graph_unary(g, OP_neg, a->arg[0])),
                            "log(sigmoid(z)) = -softplus(-z)");
    if (a->op == OP_sub && node_is(a->arg[0], 1) && a->arg[1]->op == OP_sigmoid)
        return node_because(minus_softplus(g, a->arg[1]->arg[0]),
                            "log(1 - sigmoid(z)) = -softplus(z)");
    if (a->op == OP_exp)
        return node_because(a->arg[0], "log(exp(u)) = u");
    if (a->op == OP_div && a->arg[0]->op == OP_exp) {
        Node *log_s = graph_unary(g, OP_log, a->arg[1]);
        return node_because(graph_binary(g, OP_sub, a->arg[0]->arg[0], log_s),
                            "log(exp(u)/s) = u - log(s)");
    }
    return n;
}

/* 1 - sigmoid(z) = sigmoid(-z) and 1 - tanh(z)^2 = 4 e/(1 + e)^2, where e = exp(-2 abs(z)), keep
 * their digits where the left side rounds to 0. Only in derivatives: a gate 1 - u that the user
 * wrote stays. */
static Node *better_difference(Graph *g, Node *n)
{
    Node *a = n->arg[1];
    if (!node_is(n->arg[0], 1) || !(is_derived(n) || is_derived(a)))
        return n;
    if (a->op == OP_sigmoid)
        return node_because(graph_unary(g, OP_sigmoid, graph_unary(g, OP_neg, a->arg[0])),
                            "1 - sigmoid(z) = sigmoid(-z)");
    if (a->op != OP_mul || a->arg[0] != a->arg[1] || a->arg[0]->op != OP_tanh)
        return n;

    Node *size = graph_unary(g, OP_abs, a->arg[0]->arg[0]);
    Node *e = graph_unary(g, OP_exp, graph_binary(g, OP_mul, graph_const(g, -2), size));
    Node *root = graph_binary(g, OP_add, graph_const(g, 1), e);
    Node *above = graph_binary(g, OP_mul, graph_const(g, 4), e);
    Node *slope = graph_binary(g, OP_div, above, graph_binary(g, OP_mul, root, root));
    slope->scaled = true;
    return node_because(slope, "1 - tanh(z)^2 = 4*e/(1 + e)^2 with e = exp(-2*abs(z))");
}

/* A choice between a finite constant and 0 by a comparison is a product. */
static Node *simplify_where(Graph *g, Node *n)
{
    Node *c = n->arg[0], *yes = n->arg[1], *no = n->arg[2];
    if (!op_info[c->op]->test || n->type != T_FLOAT || !node_is(no, 0))
        return n;
    if (yes->op == OP_expand && always_finite(yes))
        return graph_binary(g, OP_mul, c, yes);
    return n;
}

/* ---- the pass ---- */

static Node *simplify_node(Graph *g, Node *n)
{
    switch (n->op) {
    case OP_add:
    case OP_mul: return simplify_sum(g, n);
    case OP_sub:
        n = simplify_sum(g, n);
        return g->final && n->op == OP_sub ? better_difference(g, n) : n;
    case OP_div:
        n = simplify_sum(g, n);
        return g->final && n->op == OP_div ? better_quotient(g, n) : n;
    case OP_log: return g->final ? better_log(g, n) : n;
    case OP_where: return simplify_where(g, n);
    case OP_sum: return simplify_reduce(g, n);
    default: return n;
    }
}

/* The nodes that are simplified: those from one id on. What comes before them stays as it is. */
typedef struct Part {
    int from;
    Node **now; /* by id, less `from` */
    int *uses;  /* the same: by the roots, and by the others */
} Part;

static Node *now_of(const Part *r, Node *n)
{
    return n->id < r->from ? n : r->now[n->id - r->from];
}

static Part new_range(Graph *g, Node *const *root, int roots, int from)
{
    size_t count = (size_t)(g->count - from) + 1;
    Part r = {.from = from,
              .now = arena_alloc(g->ngc, count * sizeof *r.now),
              .uses = arena_alloc(g->ngc, count * sizeof *r.uses)};

    for (int i = 0; i < roots; i++)
        if (root[i]->id >= from)
            r.uses[root[i]->id - from]++;
    for (int i = g->count - 1; i >= from; i--)
        for (int k = 0; r.uses[i - from] && k < g->node[i]->nargs; k++)
            if (g->node[i]->arg[k]->id >= from)
                r.uses[g->node[i]->arg[k]->id - from]++;
    return r;
}

/* n with the operands as they are now, or the value of the leaf. */
static Node *rebuilt(Graph *g, Node *n, const Part *r, const Node *leaf, Node *value)
{
    int made = g->count;
    Node **arg = arena_alloc(g->ngc, (size_t)(n->nargs + 1) * sizeof *arg);

    for (int k = 0; k < n->nargs; k++)
        arg[k] = now_of(r, n->arg[k]);
    Node *m = n == leaf ? value : graph_copy(g, n, arg);
    if (m->id >= made) {
        m->derived |= n->derived;
        m->again |= n->again;
        m->scaled |= n->scaled;
    }
    return m;
}

/* Applies the rules until none changes the node. made: nodes from this id on are new. */
static Node *simplified(Graph *g, Node *m, int made)
{
    enum { ROUNDS = 4 };
    for (int round = 0; round < ROUNDS; round++) {
        Node *better = simplify_node(g, m);
        if (better == m)
            break;
        node_replaces(better, m, made);
        m = better;
    }
    return m;
}

void graph_simplify(Graph *g, Node **root, int roots, int from, Node *leaf, Node *value)
{
    bool rewrites = pass_runs(g->ngc, PASS_SIMPLIFY);
    if (g->ngc->opt.literal || (!rewrites && !leaf))
        return;

    int count = g->count;
    Part r = new_range(g, root, roots, from);
    Loc loc = g->loc;

    for (int i = from; i < count; i++) {
        Node *n = g->node[i];
        r.now[i - from] = n;
        if (!r.uses[i - from])
            continue;

        g->loc = n->loc;
        int made = g->count;
        Node *m = rebuilt(g, n, &r, leaf, value);
        if (rewrites)
            m = simplified(g, m, made);
        node_replaces(m, n, made);
        r.now[i - from] = m;
    }
    g->loc = loc;
    for (int i = 0; i < roots; i++)
        root[i] = now_of(&r, root[i]);
}

void model_simplify(Model *m)
{
    int count;
    Node **root = model_take_roots(m, &count);

    graph_simplify(m->graph, root, count, 0, NULL, NULL);
    model_put_roots(m, root);
}

/* ---- the two modes ---- */

Node **model_with_training(Model *m, double value)
{
    Node **root = arena_alloc(m->graph->ngc, (size_t)(m->roots + 1) * sizeof *root);

    for (int i = 0; i < m->roots; i++)
        root[i] = m->root[i].node;
    if (m->training)
        graph_simplify(m->graph, root, m->roots, 0, m->training, graph_const(m->graph, value));
    return root;
}

void modes_training(Modes *modes)
{
    modes->use = model_with_training(modes->model, 0);
    modes->learn = model_with_training(modes->model, 1);
}
