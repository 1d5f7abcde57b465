/* index.c - the place of an element as a function of the loop variables of a kernel: a sum of sizes
 * times variables and times ints that are loaded. A Size is never negative, so each coefficient is
 * a difference of two. */
#include "program/program.h"

Index index_zero(void)
{
    return (Index){.parts = 0};
}

Index index_axis(int axis)
{
    Index x = index_zero();
    x.axis[axis].plus = 1;
    return x;
}

bool coef_equal(Coef a, Coef b)
{
    return a.plus == b.plus && a.minus == b.minus;
}

bool coef_zero(Coef a)
{
    return a.plus == 0 && a.minus == 0;
}

bool index_equal(const Index *a, const Index *b)
{
    Index zero = index_zero();
    if (a == b)
        return true;
    if (!a)
        a = &zero;
    if (!b)
        b = &zero;

    if (!coef_equal(a->base, b->base) || a->parts != b->parts)
        return false;
    for (int i = 0; i < MAX_AXES; i++)
        if (!coef_equal(a->axis[i], b->axis[i]))
            return false;
    for (int i = 0; i < a->parts; i++)
        if (a->part[i].val != b->part[i].val || !coef_equal(a->part[i].by, b->part[i].by))
            return false;
    return true;
}

/* a + b; if both sides of the result are numbers, or equal, one of them is 0 */
static Coef coef_add(Graph *g, Coef a, Coef b)
{
    Coef c = {size_add(g, a.plus, b.plus), size_add(g, a.minus, b.minus)};
    bool numbers = c.plus >= 0 && c.minus >= 0;

    if (c.plus == c.minus)
        return (Coef){0, 0};
    if (!numbers)
        return c;
    if (c.plus > c.minus)
        return (Coef){c.plus - c.minus, 0};
    return (Coef){0, c.minus - c.plus};
}

Coef coef_mul(Graph *g, Coef a, Size by)
{
    return (Coef){size_mul(g, a.plus, by), size_mul(g, a.minus, by)};
}

void index_add(Graph *g, Index *to, const Index *from, Size by)
{
    to->base = coef_add(g, to->base, coef_mul(g, from->base, by));
    for (int i = 0; i < MAX_AXES; i++) {
        Coef c = from->axis[i];
        if (!coef_zero(c))
            to->axis[i] = coef_add(g, to->axis[i], coef_mul(g, c, by));
    }

    for (int i = 0; i < from->parts; i++) {
        if (to->parts == MAX_PARTS)
            ngc_bug("an element is found by more than %d indices", MAX_PARTS);
        int k = to->parts++;
        to->part[k].val = from->part[i].val;
        to->part[k].by = coef_mul(g, from->part[i].by, by);
    }
}

static Coef coef_negate(Coef c)
{
    return (Coef){.plus = c.minus, .minus = c.plus};
}

/* -x */
static Index index_negate(const Index *x)
{
    Index y = *x;

    y.base = coef_negate(x->base);
    for (int i = 0; i < MAX_AXES; i++)
        y.axis[i] = coef_negate(x->axis[i]);
    for (int i = 0; i < x->parts; i++)
        y.part[i].by = coef_negate(x->part[i].by);
    return y;
}

/* lo + step*x, where step may be negative */
Index index_strided(Graph *g, const Index *x, Size lo, Size step)
{
    Index y = index_zero();
    y.base.plus = lo;

    if (step < 0) {
        Index negative = index_negate(x);
        index_add(g, &y, &negative, -step);
    } else {
        index_add(g, &y, x, step);
    }
    return y;
}

static bool coef_is_number(Coef c)
{
    return c.plus >= 0 && c.minus >= 0;
}

bool index_is_within(const Kernel *k, const Index *x, Size span)
{
    if (x->parts > 0 || span < 0 || !coef_is_number(x->base))
        return false;

    Size least = x->base.plus - x->base.minus;
    Size most = least;
    for (int i = 0; i < MAX_AXES; i++) {
        Coef by = x->axis[i];
        if (coef_zero(by))
            continue;
        if (i >= k->axes || k->extent[i] < 1 || !coef_is_number(by))
            return false;
        least -= by.minus * (k->extent[i] - 1);
        most += by.plus * (k->extent[i] - 1);
    }
    return least >= 0 && most < span;
}

/* The value of v, an element of a tensor of ints, as an index. */
Index index_val(Val *v)
{
    Index x = index_zero();
    x.parts = 1;
    x.part[0].val = v;
    x.part[0].by.plus = 1;
    return x;
}

static uint64_t hash_coef(uint64_t h, Coef c)
{
    h = (h ^ (uint64_t)c.plus) * 0x9e3779b97f4a7c15u;
    return (h ^ h >> 29 ^ (uint64_t)c.minus) * 0xbf58476d1ce4e5b9u;
}

static uint64_t index_hash(const Index *x)
{
    uint64_t h = hash_coef((uint64_t)x->parts, x->base);

    for (int i = 0; i < MAX_AXES; i++)
        h = hash_coef(h, x->axis[i]);
    for (int i = 0; i < x->parts; i++)
        h = hash_coef(h ^ (uint64_t)(uintptr_t)x->part[i].val, x->part[i].by);
    return h ^ h >> 32;
}

/* The bucket of an index, or the empty one where it would be. */
static const Index **find_index(const Index **bucket, int buckets, const Index *x)
{
    uint64_t at = index_hash(x) & (uint64_t)(buckets - 1);

    while (bucket[at] && !index_equal(bucket[at], x))
        at = (at + 1) & (uint64_t)(buckets - 1);
    return &bucket[at];
}

static void grow_indices(Program *p)
{
    int had = p->index_buckets;
    const Index **old = p->index;

    if (had)
        p->index_buckets = 2 * had;
    else
        p->index_buckets = 64;
    p->index = arena_array(p->ngc, p->index_buckets, sizeof *p->index);
    for (int i = 0; i < had; i++)
        if (old[i])
            *find_index(p->index, p->index_buckets, old[i]) = old[i];
}

/* The program's one copy of it, which never changes; NULL for 0. */
const Index *index_keep(Program *p, const Index *x)
{
    if (index_equal(x, NULL))
        return NULL;
    if (2 * p->indices >= p->index_buckets)
        grow_indices(p);

    const Index **at = find_index(p->index, p->index_buckets, x);
    if (*at == NULL) {
        *at = arena_copy(p->ngc, x, sizeof *x);
        p->indices++;
    }
    return *at;
}

/* The distance in memory of idx from the first element of a dense tensor. */
Index index_of_element(Program *p, const Index *idx, Shape shape)
{
    Index at = index_zero();
    Size stride = 1;

    for (int i = shape.rank - 1; i >= 0; i--) {
        if (!size_is_one(shape.dim[i]))
            index_add(p->graph, &at, &idx[i], stride);
        stride = size_mul(p->graph, stride, shape.dim[i]);
    }
    return at;
}

const Index *index_keep_element(Program *p, const Index *idx, Shape shape)
{
    Index at = index_of_element(p, idx, shape);
    return index_keep(p, &at);
}
