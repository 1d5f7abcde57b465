/* size.c - sizes and shapes: numbers known when compiling, and polynomials in the model's run-time
 * dims. */
#include "graph/eval.h"

#include <string.h>

/* ---- sizes ---- */

enum { MAX_TERMS = 8 };

/* coef * the product of dim[i]^power[i] */
typedef struct Term {
    int64_t coef;
    uint8_t power[(ALL_DIMS + 7) / 8 * 8]; /* without padding: terms are compared as bytes */
} Term;

/* A sum of terms, sorted by power, largest first. No coefficient is 0. A polynomial that is one
 * number is kept only if the number is negative. */
struct Poly {
    int terms; /* their number */
    Term term[MAX_TERMS];
};

/* The polynomial of a size. */
static struct Poly size_poly(const Graph *g, Size s)
{
    struct Poly p = {0};
    if (s < 0)
        return g->poly[~s];
    if (s > 0) {
        p.terms = 1;
        p.term[0].coef = s;
    }
    return p;
}

/* Is it a number, without any dim? */
static bool is_number(const Term *t)
{
    static const uint8_t none[sizeof t->power];
    return memcmp(t->power, none, sizeof none) == 0;
}

static bool poly_equal(const struct Poly *a, const struct Poly *b)
{
    return a->terms == b->terms && memcmp(a->term, b->term, a->terms * sizeof *a->term) == 0;
}

/* The size of a polynomial: its number, or its index in the table of polynomials. */
static Size poly_size(Graph *g, const struct Poly *p)
{
    if (p->terms == 0)
        return 0;
    if (p->terms == 1 && p->term[0].coef >= 0 && is_number(&p->term[0]))
        return p->term[0].coef;

    /* equal polynomials have one number, so sizes are compared as numbers */
    for (int i = 0; i < g->polys; i++)
        if (poly_equal(&g->poly[i], p))
            return ~(Size)i;

    LIST_GROW(g->ngc, g->poly, g->polys, &g->poly_room);
    g->poly[g->polys] = *p;
    return ~(Size)g->polys++;
}

/* Products and sums saturate instead of wrapping: lowering reports sizes over its limit. */
static int64_t multiply(int64_t a, int64_t b)
{
    int64_t r;
    if (!__builtin_mul_overflow(a, b, &r))
        return r;
    return (a < 0) != (b < 0) ? -INT64_MAX : INT64_MAX;
}

static int64_t plus(int64_t a, int64_t b)
{
    int64_t r;
    if (!__builtin_add_overflow(a, b, &r))
        return r;
    return a < 0 ? -INT64_MAX : INT64_MAX;
}

/* Removes term i. */
static void poly_remove(struct Poly *p, int i)
{
    p->terms--;
    memmove(p->term + i, p->term + i + 1, (size_t)(p->terms - i) * sizeof *p->term);
}

/* Inserts t before term i. */
static void poly_insert(const Graph *g, struct Poly *p, int i, Term t)
{
    if (p->terms == MAX_TERMS) {
        diag(g->ngc, SEV_ERROR, ERR_SIZE_TERMS, g->loc, "a size is a sum of more than %d terms",
             MAX_TERMS);
        return;
    }

    memmove(p->term + i + 1, p->term + i, (size_t)(p->terms - i) * sizeof t);
    p->term[i] = t;
    p->terms++;
}

/* Adds a term, and keeps the terms in order. */
static void poly_add(const Graph *g, struct Poly *p, Term t)
{
    int i = 0;
    while (i < p->terms && memcmp(p->term[i].power, t.power, sizeof t.power) > 0)
        i++;
    bool found = i < p->terms && memcmp(p->term[i].power, t.power, sizeof t.power) == 0;

    if (found) {
        p->term[i].coef = plus(p->term[i].coef, t.coef);
        if (p->term[i].coef == 0)
            poly_remove(p, i);
    } else if (t.coef != 0) {
        poly_insert(g, p, i, t);
    }
}

Size size_dim(Graph *g, int dim)
{
    struct Poly p = {.terms = 1, .term = {{.coef = 1}}};
    p.term[0].power[dim] = 1;
    return poly_size(g, &p);
}

Size size_add(Graph *g, Size a, Size b)
{
    if (a >= 0 && b >= 0)
        return plus(a, b);
    struct Poly p = size_poly(g, a);
    struct Poly q = size_poly(g, b);
    for (int i = 0; i < q.terms; i++)
        poly_add(g, &p, q.term[i]);
    return poly_size(g, &p);
}

Size size_sub(Graph *g, Size a, Size b)
{
    /* a number below 0 is a polynomial too */
    if (a >= b && b >= 0)
        return a - b;
    struct Poly p = size_poly(g, a);
    struct Poly q = size_poly(g, b);
    for (int i = 0; i < q.terms; i++) {
        q.term[i].coef = -q.term[i].coef;
        poly_add(g, &p, q.term[i]);
    }
    return poly_size(g, &p);
}

/* The powers of a product. No tensor has a size with a power over 255. */
static void powers(Graph *g, uint8_t *power, const uint8_t *by)
{
    for (int d = 0; d < ALL_DIMS; d++) {
        if (power[d] + by[d] > UINT8_MAX)
            diag(g->ngc, SEV_ERROR, ERR_SIZE_TERMS, g->loc, "a size is a power of more than %d",
                 UINT8_MAX);
        power[d] = (uint8_t)(power[d] + by[d]);
    }
}

Size size_mul(Graph *g, Size a, Size b)
{
    if (a >= 0 && b >= 0)
        return multiply(a, b);

    struct Poly p = {0};
    struct Poly q = size_poly(g, a);
    struct Poly r = size_poly(g, b);
    for (int i = 0; i < q.terms; i++)
        for (int j = 0; j < r.terms; j++) {
            Term t = {.coef = multiply(q.term[i].coef, r.term[j].coef)};
            memcpy(t.power, q.term[i].power, sizeof t.power);
            powers(g, t.power, r.term[j].power);
            poly_add(g, &p, t);
        }
    return poly_size(g, &p);
}

/* a / b, if b divides it. */
static bool term_div(const Term *a, const Term *b, Term *quotient)
{
    *quotient = (Term){.coef = a->coef / b->coef};
    if (a->coef % b->coef != 0)
        return false;

    for (int d = 0; d < ALL_DIMS; d++) {
        if (a->power[d] < b->power[d])
            return false;
        quotient->power[d] = (uint8_t)(a->power[d] - b->power[d]);
    }
    return true;
}

/* Subtracts t * by from p. */
static void poly_subtract(Graph *g, struct Poly *p, const Term *t, const struct Poly *by)
{
    for (int i = 0; i < by->terms; i++) {
        Term s = {.coef = -multiply(t->coef, by->term[i].coef)};
        for (int d = 0; d < ALL_DIMS; d++)
            s.power[d] = (uint8_t)(t->power[d] + by->term[i].power[d]);
        poly_add(g, p, s);
    }
}

/* Long division by the leading term of b. Shapes need only exact division. */
bool size_div(Graph *g, Size a, Size b, Size *quotient)
{
    struct Poly rest = size_poly(g, a);
    struct Poly by = size_poly(g, b);
    struct Poly out = {0};
    if (by.terms == 0)
        return false;

    for (int round = 0; rest.terms > 0 && round <= MAX_TERMS; round++) {
        Term t;
        /* the largest terms come first */
        if (!term_div(&rest.term[0], &by.term[0], &t))
            return false;
        poly_add(g, &out, t);
        poly_subtract(g, &rest, &t, &by);
    }

    *quotient = poly_size(g, &out);
    return rest.terms == 0;
}

/* s as a polynomial in one dim. coef[k] becomes the coefficient of power k, a size in the other
 * dims. Returns the number of coefficients, at most 256. */
int size_powers(Graph *g, Size s, int dim, Size *coef)
{
    struct Poly p = size_poly(g, s);
    int most = 0;
    for (int i = 0; i < p.terms; i++)
        if (p.term[i].power[dim] > most)
            most = p.term[i].power[dim];

    for (int k = 0; k <= most; k++) {
        struct Poly of_power = {0};
        for (int i = 0; i < p.terms; i++) {
            Term t = p.term[i];
            if (t.power[dim] != k)
                continue;
            t.power[dim] = 0;
            poly_add(g, &of_power, t);
        }
        coef[k] = poly_size(g, &of_power);
    }
    return most + 1;
}

const Size size_ones[MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};

Size size_replace(Graph *g, Size s, int dim, Size by)
{
    Size coef[256], power = 1, sum = 0;
    if (!size_uses_dim(g, s, dim))
        return s;

    int count = size_powers(g, s, dim, coef);
    for (int k = 0; k < count; k++) {
        sum = size_add(g, sum, size_mul(g, coef[k], power));
        power = size_mul(g, power, by);
    }
    return sum;
}

/* floor(a/b) for a whole b > 0: known if b divides what depends on the dims. */
bool size_floor(Graph *g, Size a, int64_t b, Size *quotient)
{
    static const int64_t zero[ALL_DIMS];
    int64_t number = size_at(g, a, zero); /* what does not depend on them */
    /* the remainder of what is a number, from 0 to b - 1 */
    int64_t rest = number % b < 0 ? number % b + b : number % b;

    return size_div(g, size_sub(g, a, rest), (Size)b, quotient);
}

int64_t size_at(const Graph *g, Size s, const int64_t *dim)
{
    if (s >= 0)
        return s;

    const struct Poly *p = &g->poly[~s];
    int64_t sum = 0;
    for (int i = 0; i < p->terms; i++) {
        int64_t t = p->term[i].coef;
        for (int d = 0; d < ALL_DIMS; d++)
            for (int k = 0; k < p->term[i].power[d]; k++)
                t = multiply(t, dim[d]);
        sum = plus(sum, t);
    }
    return sum;
}

/* ---- the least and the largest value ---- */

enum { TRIED = 4096 }; /* values of a dim, if its power is more than 1 */

/* The least value of a dim: an index of a loop begins with 0. */
static int64_t dim_least(int d)
{
    return d < MAX_DIMS;
}

/* Each term at the end of its dims where it is largest, or least. That is the largest sum, if no
 * dim is in terms of both signs; else it is a bound. */
static int64_t sum_of_ends(const Graph *g, const struct Poly *p, bool most)
{
    int64_t sum = 0;

    for (int i = 0; i < p->terms; i++) {
        int64_t t = p->term[i].coef;
        bool high = (t > 0) == most;
        for (int d = 0; d < ALL_DIMS; d++)
            for (int k = 0; k < p->term[i].power[d]; k++)
                t = multiply(t, high ? g->dim[d].max : dim_least(d));
        sum = plus(sum, t);
    }
    return sum;
}

/* A dim that is in terms of both signs, and its largest power; -1: there is none. */
static int dim_of_both_signs(const struct Poly *p, int *power)
{
    for (int d = 0; d < ALL_DIMS; d++) {
        bool sign[2] = {false, false};
        *power = 0;
        for (int i = 0; i < p->terms; i++) {
            int k = p->term[i].power[d];
            sign[p->term[i].coef > 0] |= k > 0;
            *power = max_int(k, *power);
        }
        if (sign[0] && sign[1])
            return d;
    }
    return -1;
}

/* p with a number in place of a dim. */
static struct Poly poly_with(const Graph *g, const struct Poly *p, int dim, int64_t value)
{
    struct Poly out = {0};

    for (int i = 0; i < p->terms; i++) {
        Term t = p->term[i];
        for (int k = 0; k < p->term[i].power[dim]; k++)
            t.coef = multiply(t.coef, value);
        t.power[dim] = 0;
        poly_add(g, &out, t);
    }
    return out;
}

/* The largest value for any values of the dims, or the least; a bound of it where a dim of many
 * values has a power. */
static int64_t extreme(const Graph *g, const struct Poly *p, bool most)
{
    int power;
    int d = dim_of_both_signs(p, &power);
    if (d < 0)
        return sum_of_ends(g, p, most);

    int64_t low = dim_least(d);
    int64_t high = g->dim[d].max;
    int64_t best = most ? -INT64_MAX : INT64_MAX;
    if (power > 1 && high - low > TRIED)
        return sum_of_ends(g, p, most);

    /* in a dim without a power, it is at one of the ends */
    int64_t step = power > 1 || high <= low ? 1 : high - low;
    /* one dim less in each call */
    for (int64_t v = low; v <= high; v += step) {
        struct Poly at = poly_with(g, p, d, v);
        int64_t here = extreme(g, &at, most);
        if (most ? here > best : here < best)
            best = here;
    }
    return best;
}

int64_t size_max(const Graph *g, Size s)
{
    if (s >= 0)
        return s;
    return extreme(g, &g->poly[~s], true);
}

int64_t size_least(const Graph *g, Size s)
{
    if (s >= 0)
        return s;
    return extreme(g, &g->poly[~s], false);
}

/* ---- numbers ---- */

bool size_number(const Graph *g, Size s, int64_t *number)
{
    if (s >= 0) {
        *number = s;
        return true;
    }

    const struct Poly *p = &g->poly[~s];
    if (p->terms != 1 || !is_number(&p->term[0]))
        return false;

    *number = p->term[0].coef;
    return true;
}

bool size_is_one(Size s)
{
    return s == 1;
}

/* Does the value change if only this dim changes? The numbers are large and have no relation, so
 * that a polynomial that uses the dim has another value. */
bool size_uses_dim(const Graph *g, Size s, int dim)
{
    int64_t at[ALL_DIMS];
    if (s >= 0)
        return false;
    for (int i = 0; i < ALL_DIMS; i++)
        at[i] = 1009 + 17 * i;
    int64_t before = size_at(g, s, at);
    at[dim] = 20011;
    return size_at(g, s, at) != before;
}

/* A term without its sign: 3*m*n. */
static void term_text(const Graph *g, Text *t, const Term *term, const char *prefix)
{
    int64_t coef = term->coef < 0 ? -term->coef : term->coef;
    bool any = false;

    for (int d = 0; d < ALL_DIMS; d++)
        for (int k = 0; k < term->power[d]; k++) {
            if (!any && coef != 1)
                text_add(t, "%lld*", (long long)coef);
            text_add(t, "%s%s%s", text_if(any, "*"), d < MAX_DIMS ? prefix : "", g->dim[d].name);
            any = true;
        }
    if (!any)
        text_add(t, "%lld", (long long)coef);
}

const char *size_text(const Graph *g, Size s, const char *prefix)
{
    Text t = {.ngc = g->ngc};
    if (s >= 0)
        return text_format(g->ngc, "%lld", (long long)s);

    const struct Poly *p = &g->poly[~s];
    for (int i = 0; i < p->terms; i++) {
        bool minus = p->term[i].coef < 0;
        if (i > 0)
            text_add(&t, minus ? " - " : " + ");
        else if (minus)
            text_add(&t, "-");
        term_text(g, &t, &p->term[i], prefix);
    }
    return t.at;
}

/* ---- shapes ---- */

Size shape_count(Graph *g, Shape s)
{
    Size n = 1;
    for (int i = 0; i < s.rank; i++)
        n = size_mul(g, n, s.dim[i]);
    return n;
}

int64_t shape_count_max(Graph *g, Shape s)
{
    return size_max(g, shape_count(g, s));
}

bool shape_is_run_time(Shape s)
{
    for (int i = 0; i < s.rank; i++)
        if (s.dim[i] < 0)
            return true;
    return false;
}

bool shape_equal(Shape a, Shape b)
{
    return a.rank == b.rank && memcmp(a.dim, b.dim, (size_t)a.rank * sizeof *a.dim) == 0;
}

bool shape_broadcast(Shape a, Shape b, Shape *out)
{
    Shape s = {.rank = a.rank > b.rank ? a.rank : b.rank};
    for (int i = 1; i <= s.rank; i++) { /* from the last axis */
        Size x = 1;
        if (i <= a.rank)
            x = a.dim[a.rank - i];
        Size y = 1;
        if (i <= b.rank)
            y = b.dim[b.rank - i];
        /* an axis of size 1 is copied */
        if (x != y && x != 1 && y != 1)
            return false;
        s.dim[s.rank - i] = x == 1 ? y : x;
    }

    *out = s;
    return true;
}

Shape shape_without(Shape s, uint32_t axes)
{
    Shape out = {0};
    for (int i = 0; i < s.rank; i++)
        if (!(axes >> i & 1))
            out.dim[out.rank++] = s.dim[i];
    return out;
}

const char *shape_text(const Graph *g, Shape s)
{
    Text t = {.ngc = g->ngc};
    text_add(&t, "[");
    for (int i = 0; i < s.rank; i++)
        text_add(&t, "%s%s", comma_before(i), size_text(g, s.dim[i], ""));
    text_add(&t, "]");
    return t.at;
}

/* ---- elements: sizes as numbers ---- */

int64_t eval_count(const Eval *e, Shape s)
{
    int64_t dim[MAX_RANK];
    return eval_shape(e, s, dim);
}

int64_t eval_shape(const Eval *e, Shape s, int64_t *dim)
{
    int64_t count = 1;
    for (int i = 0; i < s.rank; i++) {
        dim[i] = size_at(e->graph, s.dim[i], e->dim);
        count *= dim[i];
    }
    return count;
}

bool index_next(int rank, const int64_t *dim, int64_t *index)
{
    for (int i = rank - 1; i >= 0; i--) {
        if (++index[i] < dim[i])
            return true;
        index[i] = 0;
    }
    return false;
}

int64_t index_at(int rank, const int64_t *dim, const int64_t *index)
{
    int64_t at = 0;
    for (int i = 0; i < rank; i++)
        at = at * dim[i] + index[i];
    return at;
}
