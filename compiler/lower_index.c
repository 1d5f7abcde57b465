/* lower_index.c - x[i, a:b, new, ...]: an index is read part by part into a slice, a reshape and at
 * most one gather. */
#include "lower.h"

#include <string.h>

/* ---- indexing ---- */

typedef struct Index { /* an index being read, axis by axis */
    Node *x;
    int axis; /* the next of x */
    Size lo[MAX_RANK], step[MAX_RANK];
    Shape cut;    /* after the slices */
    Shape shape;  /* with single elements dropped and new axes put in */
    Node *gather; /* the int tensor */
    int at;       /* the axis of `shape` that it replaces */
    Loc loc;
} Index;

/* A place along an axis of this size: counted from the end where negative; must be within it,
 * whatever the dims. */
static bool place(Lower *L, const Value *v, Size size, bool end, Size *out)
{
    int64_t k;
    if (v->kind == V_NODE && v->node->op == OP_size) {
        *out = v->node->attr.size;
        if (size_least(L->g, size_sub(L->g, size, *out)) >= !end &&
            size_max(L->g, size_sub(L->g, size, *out)) >= !end)
            return true;
        lower_error(L, ERR_INDEX_RANGE, v->loc, "index %s may be out of range for size %s",
                    size_text(L->g, *out, ""), size_text(L->g, size, ""));
        return false;
    }
    if (!want_whole(L, v, "an index", &k))
        return false;
    int64_t least = size_least(L->g, size), far = k < 0 ? -k : end ? k : k + 1;
    if (far > least && !(end && size >= 0)) {
        lower_error(L, ERR_INDEX_RANGE, v->loc, "index %lld is out of range for size %s%s",
                    (long long)k, size_text(L->g, size, ""),
                    size < 0 ? text_format(L->ngc, ", which may be %lld", (long long)least) : "");
        return false;
    }
    if (far > least) /* the end of a slice stops at the end of the axis, as in NumPy */
        k = k < 0 ? 0 : size;
    *out = k < 0 ? size_sub(L->g, size, -k) : k;
    return true;
}

static Value *index_part(Lower *L, const Expr *x, Value *absent)
{
    return x ? lower_expr(L, x) : absent;
}

static bool index_range(Lower *L, Index *ix, const Expr *r)
{
    Graph *g = L->g;
    Size size = ix->x->shape.dim[ix->axis], lo = 0, hi = size;
    int64_t step = 1;
    Value absent = {.kind = V_ABSENT};
    Value *a = index_part(L, r->a, &absent), *b = index_part(L, r->b, &absent),
          *c = index_part(L, r->c, &absent);
    if (c->kind != V_ABSENT && !want_whole(L, c, "a step", &step))
        return false;
    if (step == 0) {
        lower_error(L, ERR_SLICE, c->loc, "a step of 0 goes nowhere");
        return false;
    }
    if (a->kind != V_ABSENT && !place(L, a, size, step > 0, &lo))
        return false;
    if (b->kind != V_ABSENT && !place(L, b, size, true, &hi))
        return false;
    Size length = size_sub(g, hi, lo);
    if (step < 0) { /* from a down to, not including, b */
        lo = a->kind == V_ABSENT ? size_sub(g, size, 1) : lo;
        length = b->kind == V_ABSENT ? size_add(g, lo, 1) : size_sub(g, lo, hi);
    }
    int64_t by = step < 0 ? -step : step;
    Size rounded = size_add(g, length, by - 1), count;
    if (rounded >= 0 || length >= 0)
        count = length > 0 ? rounded / by : 0;
    else if (!size_div(g, by == 1 ? length : rounded, by, &count)) {
        lower_error(L, ERR_SLICE, r->loc,
                    "a step of %lld along the run-time size %s: the length is not known",
                    (long long)step, size_text(g, size, ""));
        return false;
    }
    if (size_least(L->g, count) < 1) {
        lower_error(L, ERR_EMPTY_SLICE, r->loc, "an empty slice%s of an axis of size %s",
                    size < 0 ? " is possible" : "", size_text(g, size, ""));
        return false;
    }
    ix->lo[ix->axis] = lo;
    ix->step[ix->axis] = step;
    ix->cut.dim[ix->axis++] = count;
    ix->shape.dim[ix->shape.rank++] = count;
    return true;
}

/* Constants that are negative count from the end, as single ones do. */
static Node *from_end(Lower *L, Node *i, Size size)
{
    if (i->op != OP_data || size < 0)
        return i;
    int64_t count = shape_count(L->g, i->shape);
    double *x = arena_copy(L->ngc, i->attr.data, (size_t)count * sizeof *x);
    for (int64_t k = 0; k < count; k++)
        if (x[k] < 0 && x[k] + (double)size >= 0) /* others are told as they were written */
            x[k] += (double)size;
    return graph_data(L->g, i->shape, T_INT, x);
}

static bool index_one(Lower *L, Index *ix, const Expr *e)
{
    if (ix->axis == ix->x->shape.rank) {
        lower_error(L, ERR_TOO_MANY_INDICES, e->loc, "too many indices for shape %s",
                    shape_text(L->g, ix->x->shape));
        return false;
    }
    if (e->kind == X_RANGE)
        return index_range(L, ix, e);
    Value *v = lower_expr(L, e);
    Size size = ix->x->shape.dim[ix->axis];
    if (v->kind == V_ERROR)
        return false;
    double c;
    if (v->kind == V_NODE && v->node->shape.rank == 0 &&
        (v->node->type == T_FLOAT || node_const(v->node, &c))) {
        if (!place(L, v, size, false, &ix->lo[ix->axis]))
            return false;
        ix->cut.dim[ix->axis++] = 1;
        return true;
    }
    Node *i = want_index(L, v, "an index");
    if (!i)
        return false;
    if (ix->gather) {
        lower_error(L, ERR_TWO_INT_INDICES, e->loc,
                    "two int tensors in one index; take_along picks elements along an axis");
        return false;
    }
    i = index_limit(L, e->loc, from_end(L, i, size), size);
    if (!i)
        return false;
    ix->gather = i;
    ix->at = ix->shape.rank;
    ix->cut.dim[ix->axis++] = size;
    ix->shape.dim[ix->shape.rank++] = size;
    return true;
}

/* How many axes the parts of an index speak of. */
static int index_axes(const Arg *args)
{
    int n = 0;
    for (; args; args = args->next)
        n += args->value->kind != X_NEW && args->value->kind != X_ELLIPSIS;
    return n;
}

static void index_whole(Index *ix)
{
    ix->cut.dim[ix->axis] = ix->x->shape.dim[ix->axis];
    ix->shape.dim[ix->shape.rank++] = ix->x->shape.dim[ix->axis++];
}

/* The new axes and those of the tensor together are few enough. */
static bool index_rank(Lower *L, const Expr *x, const Node *a)
{
    int rank = a->shape.rank, rests = 0;
    for (const Arg *p = x->args; p; p = p->next) {
        rank += p->value->kind == X_NEW;
        rests += p->value->kind == X_ELLIPSIS;
    }
    if (rests > 1) {
        lower_error(L, ERR_TOO_MANY_INDICES, x->loc,
                    "one '...' stands for all the axes that are left");
        return false;
    }
    if (rank > MAX_RANK)
        lower_error(L, ERR_TOO_MANY_AXES, x->loc, "at most %d axes are allowed", MAX_RANK);
    return rank <= MAX_RANK;
}

static Node *index_tensor(Lower *L, const Expr *x, Node *a)
{
    if (!index_rank(L, x, a))
        return NULL;
    Index ix = {.x = a, .cut.rank = a->shape.rank, .loc = x->loc};
    for (int i = 0; i < MAX_RANK; i++)
        ix.step[i] = 1;
    for (const Arg *p = x->args; p; p = p->next) {
        if (p->value->kind == X_ELLIPSIS) {
            for (int left = a->shape.rank - ix.axis - index_axes(p->next); left > 0; left--)
                index_whole(&ix);
        } else if (p->value->kind == X_NEW) {
            ix.shape.dim[ix.shape.rank++] = 1;
        } else if (!index_one(L, &ix, p->value)) {
            return NULL;
        }
    }
    while (ix.axis < a->shape.rank)
        index_whole(&ix);
    L->g->loc = lower_site(L, x->loc);
    Node *n = graph_reshape(L->g, graph_slice(L->g, a, ix.lo, ix.step, ix.cut), ix.shape);
    if (ix.gather && n->shape.rank - 1 + ix.gather->shape.rank > MAX_RANK) {
        lower_error(L, ERR_TOO_MANY_AXES, x->loc, "at most %d axes are allowed", MAX_RANK);
        return NULL;
    }
    return ix.gather ? graph_gather(L->g, n, ix.gather, ix.at) : n;
}

/* Several places, or one that is known at run time only? */
static bool is_int_tensor(Lower *L, const Value *v)
{
    if (v->kind == V_LIST)
        return true;
    return v->kind == V_NODE && v->node->type == T_INT &&
           (v->node->shape.rank > 0 || !is_known(L, v->node));
}

/* A list at such places is a tensor. */
static Value *list_gather(Lower *L, const Expr *x, const Value *list, const Value *at)
{
    Node *a = want_node(L, list, "what is indexed"), *i = a ? want_index(L, at, "an index") : NULL;
    if (i)
        i = index_limit(L, at->loc, from_end(L, i, a->shape.dim[0]), a->shape.dim[0]);
    if (i && a->shape.rank - 1 + i->shape.rank > MAX_RANK) {
        lower_error(L, ERR_TOO_MANY_AXES, x->loc, "at most %d axes are allowed", MAX_RANK);
        i = NULL;
    }
    return value_node(L, x->loc, i ? graph_gather(L->g, a, i, 0) : NULL);
}

static Value *index_list(Lower *L, const Expr *x, const Value *list)
{
    const Expr *e = x->args ? x->args->value : NULL;
    int64_t lo = 0, hi = list->count;
    if (e->kind == X_RANGE) {
        if ((e->a && !want_whole(L, lower_expr(L, e->a), "an index", &lo)) ||
            (e->b && !want_whole(L, lower_expr(L, e->b), "an index", &hi)))
            return value_error(L, x->loc);
        lo += lo < 0 ? list->count : 0;
        hi += hi < 0 ? list->count : 0;
        lo = lo < 0 ? 0 : lo > list->count ? list->count : lo;
        hi = hi < lo ? lo : hi > list->count ? list->count : hi;
        return value_list(L, x->loc, list->item + lo, (int)(hi - lo));
    }
    const Value *at = lower_expr(L, e);
    if (is_int_tensor(L, at))
        return list_gather(L, x, list, at);
    if (!want_whole(L, at, "an index", &lo))
        return value_error(L, x->loc);
    if (lo < -list->count || lo >= list->count) {
        lower_error(L, ERR_INDEX_RANGE, e->loc, "index %lld is out of range for a list of %d",
                    (long long)lo, list->count);
        return value_error(L, x->loc);
    }
    Value *v = arena_copy(L->ngc, list->item[lo < 0 ? lo + list->count : lo], sizeof *v);
    v->loc = x->loc;
    return v;
}

Value *lower_index(Lower *L, const Expr *x)
{
    Value *v = lower_expr(L, x->a);
    const Arg *part = x->args;
    if (v->kind == V_LIST && part && !part->next && part->value->kind != X_NEW &&
        part->value->kind != X_ELLIPSIS)
        return index_list(L, x, v);
    Node *a = v->kind == V_ERROR ? NULL : want_node(L, v, "what is indexed");
    return value_node(L, x->loc, a ? index_tensor(L, x, a) : NULL);
}
