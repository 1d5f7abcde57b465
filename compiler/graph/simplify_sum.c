/* simplify_sum.c - the sum-of-products form of a node. Products are multiplied out, like terms
 * collected and common factors taken out. The result is used if it is shorter, and only in
 * derivatives: what the user wrote stays. So a (1 - a) (-y/a + (1 - y)/(1 - a)) becomes a - y.
 *
 * What could be NaN or infinite is cancelled only if it still occurs in the result. */
#include "graph/simplify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_SEEN = 64,   /* nodes whose cost is counted */
    TOO_MANY = 1000, /* the cost of more */
};

/* Is a quotient among the terms of the sum? Then it is multiplied out first, while its divisor is
 * still a factor of the term. */
static bool has_quotient(const Graph *g, const Node *n, int depth)
{
    for (int i = 0; i < n->nargs; i++) {
        const Node *a = n->arg[i];
        /* through signs and products down to a factor; of a product, a quotient on the right is
         * looked at first */
        for (int k = 0; k < MAX_FACTORS && (is_open_op(g, a, OP_neg) || is_open_op(g, a, OP_mul));
             k++)
            a = a->arg[is_open_op(g, a, OP_mul) && is_open_op(g, a->arg[1], OP_div)];
        if ((is_open_op(g, a, OP_div) && !is_logistic(g, a)) ||
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
            /* the first, unless one with a quotient follows */
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
        /* factors are sorted, so like terms have the same factors at the same places */
        bool same = old->factors == t->factors;
        for (int k = 0; k < t->factors && same; k++)
            same = old->factor[k].node == t->factor[k].node &&
                   old->factor[k].power == t->factor[k].power;
        if (!same)
            continue;
        old->coef += t->coef;
        s->full |= !isfinite(old->coef);
        /* the term is gone; keeps_atoms asks later whether that was allowed */
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
    Graph *g = s->g;
    term_clean(s, t);
    Node *x = next_sum(g, t);
    /* without `deep`, only a sum that is not a factor is opened: a product of sums stays */
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
    const Node *sum = sum_inside(g, x);
    /* t*(a + b) = t*a + t*b, t*(a - b) = t*a - t*b */
    for (int i = 0; i < 2; i++) {
        Term part = *t;
        term_find(&part, x)->power--;
        if (i == 1 && sum->op == OP_sub)
            part.coef = -part.coef;
        term_times(s, &part, shown_like(g, x, sum->arg[i]), 1);
        sum_expand(s, &part, depth + 1);
    }
}

/* Operations of a term. Without a factor above the line there is a 1 to divide. */
static int term_cost(const Term *t)
{
    int n = fabs(t->coef) != 1;
    int above = n;
    for (int i = 0; i < t->factors; i++) {
        /* f^p as p products; one operation joins two factors, so one less than there are */
        n += abs(t->factor[i].power);
        above += t->factor[i].power > 0;
    }
    if (n > 0 && above > 0)
        return n - 1;
    return n;
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
        /* x^2 and x^-1 have nothing in common */
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

    /* each term divided by it */
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
    Node *n = NULL;
    if (fabs(t->coef) != 1)
        n = graph_const(g, fabs(t->coef));
    /* products first, then quotients: a/b instead of 1/b*a */
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
    if (!minus)
        return t;
    return graph_unary(g, OP_neg, t);
}

/* The sum as nodes. Terms with a plus come first. */
static Node *sum_build(Sum *s, const Term *common, Shape shape)
{
    Graph *g = s->g;
    Node *n = NULL;
    Node *c = term_build(g, common);

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
        const Term *t = common;
        if (i >= 0)
            t = &s->term[i];
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
    /* the same sum is a factor of both forms, so it does not decide which one is shorter */
    if (s->wholes_are_free && is_kept(s, common, n))
        return 0;
    for (int i = 0; i < *count; i++)
        if (seen[i] == n)
            return 0;

    if (*count == MAX_SEEN)
        return TOO_MANY;
    /* numbers, and what is the same along an axis, cost nothing for each element */
    if (node_const(n, &v) || n->op == OP_expand)
        return 0;
    seen[*count] = n;
    ++*count;

    int cost = 1;
    for (int i = 0; i < n->nargs; i++)
        cost += cost_to_atoms(s, common, n->arg[i], seen, count);
    return cost;
}

bool always_finite(const Node *n)
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
        const Term *t = common;
        if (i >= 0)
            t = &s->term[i];
        cost += i < 0 ? 0 : term_cost(t);
        all_minus &= i < 0 || t->coef < 0;
        for (int k = 0; k < t->factors; k++)
            if (is_sum(s->g, t->factor[k].node))
                cost += cost_to_atoms(s, common, t->factor[k].node, seen, &count);
    }
    /* without a plus the sum begins with a minus of its own */
    return cost + all_minus;
}

/* Has the form fewer operations than n? Both have the same sums as factors. Where these are too
 * long to be counted, as in a deep network, only what is above them is compared. */
static bool is_shorter(Sum *s, const Term *common, Node *n)
{
    Node *seen[MAX_SEEN];
    for (;;) {
        int count = 0;
        /* both are counted in the same way: to the atoms, or only to the sums that both have */
        int old = cost_to_atoms(s, common, n, seen, &count);
        int cost = sum_cost(s, common);
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
    if (strlen(text) < 90 && !strstr(text, "..."))
        return text_format(g->ngc, "= %s", text);
    return "multiplied out, and what cancels left out";
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
Node *simplify_sum(Graph *g, Node *n)
{
    Node *best = n;
    if (n->type != T_FLOAT || !node_is_derived(n) || n->scaled) /* what the user wrote stays */
        return n;

    for (int deep = 0; deep < 2; deep++) {
        Sum s = {.g = g, .deep = deep};
        Term common;
        if (!sum_form(&s, n, &common))
            continue;
        /* multiplied out, but nothing has cancelled: it only rounds differently */
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
