/* stable_form.c - values as n/d exp(m), where the largest exponent m is taken out of sums. In: a
 * node. Out: its form, as a node or as the log of it. */
#include "graph/stable.h"

#include <math.h>

enum {
    MAX_ADDED = 16, /* terms of a sum */
    MAX_DEPTH = 64, /* of forms */
};

static bool is_one(const Node *n)
{
    return !n || node_is(n, 1);
}

static Node *times(Stable *s, Node *a, Node *b)
{
    if (is_one(a))
        return b;
    if (is_one(b))
        return a;
    return binary(s, OP_mul, a, b);
}

/* n/d, the factor of the exponential. */
static Node *factor_of(Stable *s, const Form *f, Shape shape)
{
    Node *n = f->n;
    if (!f->n)
        n = graph_full(s->g, shape, 1);
    if (!f->d)
        return n;
    return binary(s, OP_div, n, f->d);
}

static Node *exponent_of(Stable *s, const Form *f, Shape shape)
{
    if (f->m)
        return f->m;
    return graph_full(s->g, shape, 0);
}

/* The value itself. */
Node *form_node(Stable *s, const Form *f, Shape shape)
{
    Graph *g = s->g;
    Node *m = f->m;
    Node *n = f->n;
    if (m && n && f->zeros) { /* 0 times exp(m) must not be 0 times infinity */
        Node *zero = constant(s, 0);
        Node *is_zero = binary(s, OP_eq, n, zero);
        m = graph_where(g, is_zero, binary(s, OP_minimum, m, zero), m);
    }

    if (m)
        n = times(s, n, unary(s, OP_exp, m));
    if (!n)
        n = graph_full(g, shape, 1);
    if (f->d)
        n = binary(s, OP_div, n, f->d);
    return graph_broadcast(g, n, shape);
}

/* The log of the value is m + near, where near = log(n/d). */
Node *form_log(Stable *s, const Form *f, Shape shape, Node **near)
{
    Node *n = NULL;
    Node *d = f->d;
    /* log(n/d) = log(n) - log(d) only if neither is negative */
    if (f->n && d && (f->n->range.lo < 0 || d->range.lo < 0)) {
        n = unary(s, OP_log, factor_of(s, f, shape));
        d = NULL;
    } else if (!is_one(f->n))
        n = unary(s, OP_log, f->n);
    if (d) {
        Node *below = unary(s, OP_log, d);
        if (n)
            n = binary(s, OP_sub, n, below);
        else
            n = unary(s, OP_neg, below);
    }
    if (n)
        *near = n;
    else
        *near = graph_full(s->g, shape, 0);
    return exponent_of(s, f, shape);
}

/* The view n, of x in place of its operand; NULL stays NULL. */
Node *form_mapped(Stable *s, const Node *n, Node *x)
{
    if (!x)
        return NULL;
    Node **arg = arena_array(s->g->ngc, n->nargs + 1, sizeof *arg);

    /* the others are indices: of each axis that is gathered, or of loops */
    arg[0] = x;
    for (int k = 1; k < n->nargs; k++)
        arg[k] = s->now[arg_id(n, k)];
    return graph_copy(s->g, n, arg);
}

/* May the factor be 0, so that the exponential beside it does not count? */
static bool may_be_zero(const Node *r)
{
    double v;
    if (node_const(r, &v))
        return v == 0;
    return !r->scaled && r->range.lo <= 0 && r->range.hi >= 0;
}

/* The exponent m of r exp(m) where r is not 0. */
static Node *counting(Stable *s, Node *m, Node *r)
{
    Node *none = binary(s, OP_eq, r, constant(s, 0));
    if (!may_be_zero(r))
        return m;
    return graph_where(s->g, none, constant(s, -INFINITY), m);
}

/* r exp(m - most); where r is 0, m may be far above all others. */
static Node *scaled_term(Stable *s, Node *r, Node *m, Node *most)
{
    Node *e = binary(s, OP_sub, m, most);
    /* 0 exp(m - most) must be 0, and m may be larger than most there */
    if (may_be_zero(r))
        e = binary(s, OP_minimum, e, constant(s, MOST_EXPONENT));
    return times(s, r, unary(s, OP_exp, e));
}

/* The largest is a constant for derivatives; where it is infinite, nothing is taken out. */
static Node *taken_out(Stable *s, Node *most, bool guard)
{
    Node *m = graph_stop(s->g, most);
    if (!guard)
        return m;
    /* exp(m - inf) would be 0 or NaN for all terms */
    Node *infinite = binary(s, OP_eq, unary(s, OP_abs, m), constant(s, INFINITY));
    return graph_where(s->g, infinite, constant(s, 0), m);
}

/* Of a sum or a maximum along axes. */
static bool form_reduced(Stable *s, const Node *n, Form *f, bool of_log)
{
    Graph *g = s->g;
    const Node *a = n->arg[0];
    Form *of = form_of(s, a, of_log);
    if (!of->m)
        return false;
    Node *r = factor_of(s, of, a->shape);
    Node *m = of->m;
    /* the maximum of negative factors is not that with the largest exponent */
    if (n->op == OP_max && r->range.lo < 0)
        return false;

    bool zero = may_be_zero(r);
    /* M for each result, and back to the shape of the terms */
    Node *most = graph_reduce(g, OP_max, counting(s, m, r), n->attr.axes);
    f->m = taken_out(s, most, of_log || zero);
    Node *term = scaled_term(s, r, m, graph_expand(g, f->m, a->shape, n->attr.axes));
    f->n = graph_reduce(g, n->op, term, n->attr.axes);
    f->n->scaled = true;
    f->zeros = zero;
    f->taken = true;
    return true;
}

/* The terms of a sum of sums; false: there are too many. */
static bool added_terms(const Stable *s, const Node *n, double sign, const Node **term,
                        double *signs, int *count)
{
    bool open = s->kind[n->id] & BARE && !is_opaque(s, n);
    if (open && (n->op == OP_add || n->op == OP_sub))
        return added_terms(s, n->arg[0], sign, term, signs, count) &&
               added_terms(s, n->arg[1], n->op == OP_add ? sign : -sign, term, signs, count);

    /* a sum of a sum: one maximum over all terms is better than one in another */
    if (*count == MAX_ADDED)
        return false;
    term[*count] = n;
    signs[*count] = sign;
    ++*count;
    return true;
}

/* The largest exponent of the terms r exp(m) whose r is not 0; NULL: there is none. */
static Node *largest_exponent(Stable *s, Node *const *r, Node *const *m, int count)
{
    Node *most = NULL;
    for (int i = 0; i < count; i++) {
        if (node_is(r[i], 0))
            continue;
        Node *c = counting(s, m[i], r[i]);
        if (most)
            most = binary(s, OP_maximum, most, c);
        else
            most = c;
    }
    return most;
}

/* The terms of n as r exp(m). */
static void term_forms(Stable *s, const Node *n, Form *f, const Node *const *term, int count,
                       Node **r, Node **m, bool of_log)
{
    for (int i = 0; i < count; i++) {
        Form *t = form_of(s, term[i], of_log);
        m[i] = exponent_of(s, t, n->shape);
        r[i] = factor_of(s, t, n->shape);
        f->zeros |= may_be_zero(r[i]) && !node_is(r[i], 0);
    }
}

/* The sum of sign r exp(m) is the sum of sign r exp(m - M), times exp(M), where M is the largest m.
 */
static bool form_added(Stable *s, const Node *n, Form *f, bool of_log)
{
    const Node *term[MAX_ADDED];
    double sign[MAX_ADDED];
    Node *m[MAX_ADDED], *r[MAX_ADDED];
    int count = 0;
    if (!added_terms(s, n, 1, term, sign, &count))
        return false;

    term_forms(s, n, f, term, count, r, m, of_log);
    Node *most = largest_exponent(s, r, m, count);
    if (!most)
        return false;

    Node *sum = NULL;
    f->m = taken_out(s, most, true);
    for (int i = 0; i < count; i++) {
        if (node_is(r[i], 0))
            continue;
        Node *t = scaled_term(s, r[i], m[i], f->m);
        if (sign[i] < 0)
            t = unary(s, OP_neg, t);
        if (sum)
            sum = binary(s, OP_add, sum, t);
        else
            sum = t;
    }
    f->n = sum;
    sum->scaled = true;
    return true;
}

/* The larger of two values that are not negative is that of what is left of them, times exp(M). Of
 * the smaller one, M is the smallest m: the other may then be infinite. */
static bool form_larger(Stable *s, const Node *n, Form *f, bool of_log)
{
    const Node *term[2] = {n->arg[0], n->arg[1]};
    Node *m[2], *r[2];

    term_forms(s, n, f, term, 2, r, m, of_log);
    bool is_smaller = n->op == OP_minimum;
    if (is_smaller && f->zeros)
        return false;
    if (r[0]->range.lo < 0 || r[1]->range.lo < 0)
        return false;

    Node *most;
    if (is_smaller)
        most = binary(s, OP_minimum, m[0], m[1]);
    else
        most = largest_exponent(s, r, m, 2);
    if (most == NULL)
        return false;

    f->m = taken_out(s, most, true);
    for (int i = 0; i < 2; i++)
        if (!node_is(r[i], 0))
            r[i] = scaled_term(s, r[i], m[i], f->m);
    f->n = binary(s, n->op, r[0], r[1]);
    f->n->scaled = true;
    return true;
}

static void form_choice(Stable *s, const Node *n, Form *f, bool of_log)
{
    Form *a = form_of(s, n->arg[1], of_log);
    Form *b = form_of(s, n->arg[2], of_log);
    Node *c = s->now[arg_id(n, 0)];
    Node *ra = factor_of(s, a, n->shape);
    Node *rb = factor_of(s, b, n->shape);
    Node *ma = exponent_of(s, a, n->shape);
    Node *mb = exponent_of(s, b, n->shape);

    /* 0 exp(m) is 0 for any m. */
    if (node_is(ra, 0))
        ma = mb;
    if (node_is(rb, 0))
        mb = ma;
    f->m = graph_where(s->g, c, ma, mb);
    f->n = graph_where(s->g, c, ra, rb);
    f->zeros = a->zeros || b->zeros;
}

Node *form_sum_of(Stable *s, Node *a, Node *b, Op op)
{
    if (!b)
        return a;
    if (!a)
        return op == OP_add ? b : unary(s, OP_neg, b);
    return binary(s, op, a, b);
}

/* exp(m) for the largest m along an axis that a product adds up over. In a ratio, all of it is
 * taken out, as from the sum below the line. Otherwise only as much as may overflow: an element may
 * have a factor 0 in the other matrix, and does not count. */
static Node *taken_from_product(Stable *s, Node *most, bool guard, bool all)
{
    Node *m = taken_out(s, most, guard);
    if (all)
        return m;
    Node *kept = binary(s, OP_maximum, m, constant(s, -MOST_EXPONENT / 2));
    kept = binary(s, OP_minimum, kept, constant(s, MOST_EXPONENT / 2));
    return binary(s, OP_sub, m, kept);
}

/* Are these numbers of which some is 0? */
static bool has_zeros(const Stable *s, const Node *n)
{
    if (n->op != OP_data)
        return false;
    for (Size i = 0, count = shape_count(s->g, n->shape); i < count; i++)
        if (n->attr.data[i] == 0)
            return true;
    return false;
}

/* Is it another shape of a tensor, with the same rows along this axis? Then *along becomes the axis
 * of the tensor. So the exponentials of z are found again where a product needs z in one shape and
 * a sum in another. */
static bool has_rows_of(const Node *n, int *along)
{
    if (n->op != OP_reshape)
        return false;
    const Shape of = n->arg[0]->shape;
    bool last = *along == n->shape.rank - 1 || of.rank == 1;
    if (!last || of.rank == 0 || of.dim[of.rank - 1] != n->shape.dim[*along])
        return false;
    *along = of.rank - 1;
    return true;
}

/* Operand i of the product n without a factor exp(M). *m is M for each element of n, or NULL. */
static Node *form_operand(Stable *s, const Node *n, int i, bool of_log, Node **m)
{
    Graph *g = s->g;
    const Node *a = n->arg[i];
    int column = n->shape.rank - 1;
    int row = column - 1;

    /* the axis that is summed over: of a the last, of b the one before, unless transposed. M has
     * an element for each row of a, or column of b: the same along the other axis of the product */
    int along, other;
    if (i == 0) {
        along = column - n->attr.ta;
        other = column;
    } else {
        along = row + n->attr.tb;
        other = row;
    }

    Shape rows = shape_without(a->shape, 1u << along);
    const Node *x = a;
    if (has_rows_of(a, &along) && !is_opaque(s, a))
        x = a->arg[0];
    const Form *of = form_of(s, x, of_log);
    Node *r = factor_of(s, of, x->shape);
    *m = NULL;
    if (!of->m)
        return graph_reshape(g, r, a->shape);

    bool zero = may_be_zero(r);
    bool all = !of_log && !has_zeros(s, n->arg[1 - i]);
    Node *most = graph_reduce(g, OP_max, counting(s, of->m, r), 1u << along);
    most = taken_from_product(s, most, of_log || zero, all);

    *m = graph_expand(g, graph_reshape(g, most, rows), n->shape, 1u << other);
    Node *taken = graph_expand(g, most, x->shape, 1u << along);
    r = scaled_term(s, r, of->m, taken);
    return graph_reshape(g, r, a->shape);
}

/* (r exp(m)) @ b = ((r exp(m - M)) @ b) exp(M), where M is the largest m of a row. */
static bool form_matmul(Stable *s, const Node *n, Form *f, bool of_log)
{
    Node *factor[2], *m;

    for (int i = 0; i < 2; i++) {
        factor[i] = form_operand(s, n, i, of_log, &m);
        /* exp(M) of a row times exp(N) of a column */
        f->m = form_sum_of(s, f->m, m, OP_add);
    }
    if (!f->m)
        return false;
    f->n = graph_copy(s->g, n, factor);
    f->n->scaled = true;
    f->zeros = f->taken = true;
    return true;
}

/* The forms of all parts, joined. */
static void form_concat(Stable *s, const Node *n, Form *f, bool of_log)
{
    Graph *g = s->g;
    int count = n->nargs;
    int axis = n->attr.axis;
    Node **m = arena_array(g->ngc, count, sizeof *m);
    Node **r = arena_array(g->ngc, count, sizeof *r);

    for (int i = 0; i < count; i++) {
        const Node *x = n->arg[i];
        const Form *part = form_of(s, x, of_log);
        m[i] = exponent_of(s, part, x->shape);
        r[i] = factor_of(s, part, x->shape);
        f->zeros |= part->zeros;
    }
    f->m = graph_concat(g, m, count, axis);
    f->n = graph_concat(g, r, count, axis);
    f->n->scaled = true;
}

/* The exponent of a/b. What was taken out above and below the line cancels: where it is infinite,
 * the exponentials that are left are NaN. */
static Node *quotient_of(Stable *s, const Form *a, const Form *b)
{
    /* one node: the same M was taken out */
    if (a->m && a->m == b->m && a->taken && b->taken)
        return graph_full(s->g, a->m->shape, 0);
    return form_sum_of(s, a->m, b->m, OP_sub);
}

static void form_product(Stable *s, const Node *n, Form *f, bool of_log)
{
    Form *a = form_of(s, n->arg[0], of_log);
    Form *b = form_of(s, n->arg[1], of_log);
    f->zeros = a->zeros || b->zeros;

    if (n->op == OP_mul) {
        f->m = form_sum_of(s, a->m, b->m, OP_add);
        f->n = times(s, a->n, b->n);
        f->d = times(s, a->d, b->d);
    } else {
        /* (a/b)/(c/d) = a d/(b c) */
        f->m = quotient_of(s, a, b);
        f->n = times(s, a->n, b->d);
        f->d = times(s, a->d, b->n);
    }
}

static bool is_negative(const Node *n)
{
    return n && n->range.lo < 0;
}

static Node *form_part_power(Stable *s, Node *part, Op op, double k)
{
    if (!part)
        return NULL;
    return binary(s, op, part, constant(s, k));
}

/* (n/d exp(m))^k = n^k/d^k exp(k m) */
static bool form_power(Stable *s, const Node *n, Form *f, bool of_log)
{
    const Form *a = form_of(s, n->arg[0], of_log);
    double k = 0.5; /* of sqrt */
    if (n->op == OP_pow && !node_const(n->arg[1], &k))
        return false;

    bool whole = k == floor(k);
    if (a->zeros || (!whole && (is_negative(a->n) || is_negative(a->d))))
        return false;
    f->m = form_part_power(s, a->m, OP_mul, k);
    f->n = form_part_power(s, a->n, OP_pow, k);
    f->d = form_part_power(s, a->d, OP_pow, k);
    return true;
}

/* cosh(u) = (exp(u - M) + exp(-(u + M)))/2 exp(M), where M = abs(u) */
static void form_cosh(Stable *s, Node *u, Form *f)
{
    f->m = taken_out(s, unary(s, OP_abs, u), true);

    Node *above = binary(s, OP_add, u, f->m);
    Node *minus = unary(s, OP_exp, unary(s, OP_neg, above));
    Node *below = binary(s, OP_sub, u, f->m);
    Node *sum = binary(s, OP_add, unary(s, OP_exp, below), minus);
    f->n = binary(s, OP_mul, sum, constant(s, 0.5));
    f->n->scaled = true;
}

static bool form_view(Stable *s, const Node *n, Form *f, bool of_log)
{
    if (!stable_is_map(n))
        return false;
    const Form *a = form_of(s, n->arg[0], of_log);
    *f = (Form){form_mapped(s, n, a->m), form_mapped(s, n, a->n), form_mapped(s, n, a->d), a->zeros,
                a->taken};
    return true;
}

/* The form of n by the forms of its operands; false: n has none. */
static bool form_build(Stable *s, const Node *n, Form *f, bool of_log)
{
    double rate;
    switch (n->op) {
    case OP_exp: f->m = s->now[arg_id(n, 0)]; return true;
    case OP_matmul: return form_matmul(s, n, f, of_log);
    case OP_concat: form_concat(s, n, f, of_log); return true;
    case OP_copy: *f = *form_of(s, n->arg[0], of_log); return true;
    case OP_mul:
    case OP_div: form_product(s, n, f, of_log); return true;
    case OP_neg:
        *f = *form_of(s, n->arg[0], of_log);
        if (f->n)
            f->n = unary(s, OP_neg, f->n);
        else
            f->n = graph_full(s->g, n->shape, -1);
        return true;
    case OP_pow:
        if (stable_is_exp(n, &rate)) {
            f->m = binary(s, OP_mul, s->now[arg_id(n, 1)], constant(s, rate));
            return true;
        }
        return form_power(s, n, f, of_log);
    case OP_sqrt: return form_power(s, n, f, of_log);
    case OP_add:
    case OP_sub: return form_added(s, n, f, of_log);
    case OP_maximum:
    case OP_minimum: return form_larger(s, n, f, of_log);
    case OP_cosh: form_cosh(s, s->now[arg_id(n, 0)], f); return true;
    case OP_sum:
    case OP_max: return form_reduced(s, n, f, of_log);
    case OP_where: form_choice(s, n, f, of_log); return true;
    default: return form_view(s, n, f, of_log);
    }
}

Form *form_of(Stable *s, const Node *n, bool of_log)
{
    Form **at = &s->form[of_log][n->id];
    if (*at)
        return *at;
    Form *f = arena_alloc(s->g->ngc, sizeof *f);
    bool leaf = !(s->kind[n->id] & (BARE | RATIO)) || is_opaque(s, n) || s->depth >= MAX_DEPTH;
    s->depth++;
    if (leaf || !form_build(s, n, f, of_log))
        *f = (Form){.n = s->now[n->id]};
    s->depth--;
    /* each node has two forms: one that keeps its log, and one that keeps its value */
    *at = f;
    return f;
}
