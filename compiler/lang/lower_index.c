/* lower_index.c - x[i, a:b, new, ...]: an index is read part by part into a slice, a reshape and at
 * most one gather, which may have several int tensors. */
#include "lang/lower.h"

/* ---- indexing ---- */

/* An index being read, axis by axis. */
typedef struct Index {
    Node *x;                           /* what is indexed */
    int axis;                          /* the next of x */
    Size lo[MAX_RANK], step[MAX_RANK]; /* the slice along each axis of x */
    Shape cut;                         /* after the slices */
    Shape shape;                       /* with single elements dropped and new axes added */
    Node *gather[MAX_RANK];            /* the int tensors */
    int gathers;
    int at; /* the axis of `shape` that the first replaces; the others follow it */
    Loc loc;
} Index;

/* A place that is a run-time size: it must be within the axis, whatever the dims are. If it is
 * always negative, it counts from the end. */
static bool place_run_time(Lower *L, const Value *v, Size size, bool end, Size *out)
{
    Graph *g = L->g;
    *out = v->node->attr.size;
    if (size_max(g, *out) < 0)
        *out = size_add(g, size, *out);
    /* size - place, which must be at least 1, or 0 at the end of a slice */
    Size left = size_sub(g, size, *out);
    int64_t least = end ? 0 : 1; /* the end of a slice may be the end of the axis */
    if (size_least(g, *out) >= 0 && size_least(g, left) >= least)
        return true;
    lower_error(L, ERR_INDEX_RANGE, v->loc, "index %s may be out of range for size %s",
                size_text(g, *out, ""), size_text(g, size, ""));
    return false;
}

/* A size where the loop has a pass: one that goes from the second pass of m on has none for m = 1,
 * so m + 1 is in place of m. */
static Size with_a_pass(Graph *g, Size s, Size passes)
{
    int64_t missing = 1 - size_least(g, passes);

    for (int d = 0; d < g->dims && missing > 0; d++)
        if (size_uses_dim(g, passes, d))
            s = size_replace(g, s, d, size_add(g, size_dim(g, d), missing));
    return s;
}

/* A size with the first or the last pass of every loop around. */
static Size at_an_end(Lower *L, Size s, bool last)
{
    Graph *g = L->g;

    /* inner loops first: their bounds may depend on the index of outer ones */
    for (int l = L->levels - 1; l >= 0; l--) {
        Size end = g->index[l]->attr.loop->last;
        s = size_replace(g, s, MAX_DIMS + l, last ? end : 0);
    }
    for (int l = 0; l < L->levels; l++)
        s = with_a_pass(g, s, size_add(g, g->index[l]->attr.loop->last, 1));
    return s;
}

/* Does a place count from the end of the axis in each pass? */
static bool is_negative(Lower *L, Size place)
{
    Graph *g = L->g;
    Size back = size_sub(g, 0, place);

    return size_least(g, at_an_end(L, back, false)) >= 1 &&
           size_least(g, at_an_end(L, back, true)) >= 1;
}

/* The same for a place that is at least 0. */
static bool is_from_zero(Lower *L, Size place)
{
    return size_least(L->g, at_an_end(L, place, false)) >= 0 &&
           size_least(L->g, at_an_end(L, place, true)) >= 0;
}

/* Does a place that has an index more than once as a factor, as i*(T - i), move only up, or only
 * down, from pass to pass? */
static bool is_monotone(Lower *L, Size place)
{
    Graph *g = L->g;

    for (int l = 0; l < L->levels; l++) {
        Size coef[256];
        Size index = size_dim(g, MAX_DIMS + l);
        if (size_powers(g, place, MAX_DIMS + l, coef) <= 2)
            continue;
        /* place(i + 1) - place(i), which must keep its sign */
        Size next = size_replace(g, place, MAX_DIMS + l, size_add(g, index, 1));
        Size step = size_sub(g, next, place);
        if (!is_monotone(L, step))
            return false;
        if (!is_from_zero(L, step) && !is_from_zero(L, size_sub(g, 0, step)))
            return false;
    }
    return true;
}

/* A place that the index of a loop determines: within the axis in each pass, if it is in the first
 * and in the last. (The first pass of each loop was lowered by itself: so places at the first of
 * one loop and the last of another have been looked at.) */
static bool place_in_loop(Lower *L, const Value *v, Size size, bool end, Size *out)
{
    Graph *g = L->g;
    int64_t least = end ? 0 : 1;
    bool fits = is_monotone(L, *out);

    if (is_negative(L, *out))
        *out = size_add(g, size, *out);
    Size left = size_sub(g, size, *out);
    for (int last = 0; last < 2; last++)
        fits &= size_least(g, at_an_end(L, *out, last)) >= 0 &&
                size_least(g, at_an_end(L, left, last)) >= least;
    if (!fits)
        lower_error(L, ERR_INDEX_RANGE, v->loc, "index %s may be out of range for size %s",
                    size_text(g, *out, ""), size_text(g, size, ""));
    return fits;
}

/* Is the value a place that changes from pass to pass of a loop? */
static bool is_loop_place(Lower *L, const Value *v, Size *out)
{
    return v->kind == V_NODE && node_loop(v->node) && index_size(L, v->node, out);
}

/* A place along an axis of this size; a negative one counts from the end. `end`: it ends a slice,
 * so it is not an element itself. It may then be before the first element, where it is 0. */
static bool place(Lower *L, const Value *v, Size size, bool end, Size *out, bool *before)
{
    Graph *g = L->g;
    int64_t k;
    if (is_loop_place(L, v, out))
        return place_in_loop(L, v, size, end, out);
    if (v->kind == V_NODE && v->node->op == OP_size)
        return place_run_time(L, v, size, end, out);
    if (!want_whole(L, v, "an index", &k))
        return false;

    /* The number of elements that the axis must have. */
    int64_t needed = k < 0 ? -k : k;
    if (k >= 0 && !end)
        needed++;
    bool outside = needed > size_least(g, size);
    if (outside && !(end && size >= 0)) {
        lower_error(L, ERR_INDEX_RANGE, v->loc, "index %lld is out of range for size %s%s",
                    (long long)k, size_text(g, size, ""), least_text(L, size));
        return false;
    }
    /* x[:100] of fewer elements is all of them */
    /* a slice ends at the end of the axis at the latest, as in NumPy */
    *before = outside && k < 0;
    if (outside)
        k = k < 0 ? 0 : size;
    if (k < 0)
        *out = size_sub(g, size, -k);
    else
        *out = k;
    return true;
}

/* The number of elements that a slice takes of `length`, every step-th: ceil(length / step). */
static bool slice_count(Lower *L, Size length, int64_t step, Size *count)
{
    Size rounded = size_add(L->g, length, step - 1);
    /* numbers; else the polynomial must be divided exactly */
    if (rounded >= 0 || length >= 0) {
        if (length > 0)
            *count = rounded / step;
        else
            *count = 0;
        return true;
    }
    return size_div(L->g, step == 1 ? length : rounded, step, count);
}

static Value *lower_part(Lower *L, const Expr *x)
{
    if (!x)
        return NULL;
    return lower_expr(L, x);
}

/* The number of elements of a range, every step-th of `length` along an axis of this size. It must
 * be known, the same in each pass of a loop, and at least 1. */
static bool range_count(Lower *L, const Expr *r, Size size, Size length, int64_t step, Size *count)
{
    Graph *g = L->g;
    int64_t stride = step < 0 ? -step : step;

    if (!slice_count(L, length, stride, count)) {
        lower_error(L, ERR_SLICE, r->loc,
                    "a step of %lld along the run-time size %s: the length is not known",
                    (long long)step, size_text(g, size, ""));
        return false;
    }
    for (int l = 0; l < L->levels; l++)
        if (size_uses_dim(g, *count, MAX_DIMS + l)) {
            lower_error(L, ERR_SLICE, r->loc, "the length of the slice changes from pass to pass");
            return false;
        }
    if (size_least(g, *count) < 1) {
        lower_error(L, ERR_EMPTY_SLICE, r->loc, "an empty slice%s of an axis of size %s",
                    text_if(size_max(g, *count) > 0, " is possible"), size_text(g, size, ""));
        return false;
    }
    return true;
}

/* a:b:step, of which each part may be left out. With a negative step, from a down to b. */
static bool index_range(Lower *L, Index *ix, const Expr *r)
{
    Graph *g = L->g;
    Size size = ix->x->shape.dim[ix->axis];
    Size lo = 0;
    Size hi = size;
    Size count;
    int64_t step = 1;
    bool before = false;
    Value *a = lower_part(L, r->a);
    Value *b = lower_part(L, r->b);
    Value *c = lower_part(L, r->c);
    if (c && !want_whole(L, c, "a step", &step))
        return false;
    if (step == 0) {
        lower_error(L, ERR_SLICE, c->loc, "a step of 0 goes nowhere");
        return false;
    }

    /* from lo up to hi, or from lo down to above hi */
    if (a && !place(L, a, size, step > 0, &lo, &before))
        return false;
    if (b && !place(L, b, size, true, &hi, &before))
        return false;

    Size length = size_sub(g, hi, lo);
    /* down from the last element, to the first one inclusive */
    if (step < 0) {
        if (!a)
            lo = size_sub(g, size, 1);
        if (b && !before)
            length = size_sub(g, lo, hi);
        else
            length = size_add(g, lo, 1);
    }
    if (!range_count(L, r, size, length, step, &count))
        return false;

    ix->lo[ix->axis] = lo;
    ix->step[ix->axis] = step;
    ix->cut.dim[ix->axis++] = count;
    ix->shape.dim[ix->shape.rank++] = count;
    return true;
}

/* In a constant tensor too, negative indices count from the end. */
static Node *from_end(Lower *L, Node *i, Size size)
{
    if (i->op != OP_data || size < 0)
        return i;

    int64_t count = shape_count(L->g, i->shape);
    /* -1 becomes size - 1, now that the size is known */
    double *x = LIST_COPY(L->ngc, i->attr.data, count);
    for (int64_t k = 0; k < count; k++) {
        bool inside = x[k] + (double)size >= 0; /* a message shows others as they were written */
        if (x[k] < 0 && inside)
            x[k] += (double)size;
    }
    return graph_data(L->g, i->shape, T_INT, x);
}

/* Is the value an element's place that is known now, so that the axis is dropped? */
static bool is_place(const Value *v)
{
    double c;
    if (v->kind != V_NODE || v->node->shape.rank != 0)
        return false;
    return v->node->type == T_FLOAT || node_const(v->node, &c);
}

/* An int tensor: its elements say which elements of the axis are taken. */
static bool index_gather(Lower *L, Index *ix, const Expr *e, const Value *v)
{
    Size size = ix->x->shape.dim[ix->axis];
    Node *i = want_index(L, v, "an index");
    if (!i)
        return false;
    if (ix->gathers > 0 && ix->at + ix->gathers != ix->shape.rank) {
        lower_error(L, ERR_TWO_INT_INDICES, e->loc,
                    "int tensors of one index must be next to each other");
        return false;
    }
    i = index_limit(L, e->loc, from_end(L, i, size), size);
    if (!i)
        return false;

    /* their common axes take the place of the first one's */
    if (ix->gathers == 0)
        ix->at = ix->shape.rank;
    ix->gather[ix->gathers++] = i;
    ix->cut.dim[ix->axis++] = size;
    ix->shape.dim[ix->shape.rank++] = size;
    return true;
}

/* The part of an index that is for the next axis. */
static bool index_axis(Lower *L, Index *ix, const Expr *e)
{
    if (ix->axis == ix->x->shape.rank) {
        lower_error(L, ERR_TOO_MANY_INDICES, e->loc, "too many indices for shape %s",
                    shape_text(L->g, ix->x->shape));
        return false;
    }
    if (e->kind == X_RANGE)
        return index_range(L, ix, e);

    const Value *v = lower_expr(L, e);
    if (v->kind == V_ERROR)
        return false;
    if (!is_place(v))
        return index_gather(L, ix, e, v);
    bool before;
    if (!place(L, v, ix->x->shape.dim[ix->axis], false, &ix->lo[ix->axis], &before))
        return false;
    ix->cut.dim[ix->axis++] = 1;
    return true;
}

/* The number of axes that the parts of an index are for. */
static int count_axes(const Arg *args)
{
    int n = 0;
    for (; args; args = args->next)
        n += args->value->kind != X_NEW && args->value->kind != X_ELLIPSIS;
    return n;
}

/* The next axis is kept whole. */
static void index_whole(Index *ix)
{
    ix->cut.dim[ix->axis] = ix->x->shape.dim[ix->axis];
    ix->shape.dim[ix->shape.rank++] = ix->x->shape.dim[ix->axis++];
}

/* Are the new axes and those of the tensor together few enough? */
static bool check_rank(Lower *L, const Expr *x, const Node *a)
{
    int rank = a->shape.rank, rests = 0; /* rests: the number of `...` */
    for (const Arg *p = x->args; p; p = p->next) {
        rank += p->value->kind == X_NEW;
        rests += p->value->kind == X_ELLIPSIS;
    }
    if (rests > 1) {
        lower_error(L, ERR_TOO_MANY_INDICES, x->loc, "one '...' means all the axes that are left");
        return false;
    }
    if (rank > MAX_RANK)
        lower_error(L, ERR_TOO_MANY_AXES, x->loc, "at most %d axes are allowed", MAX_RANK);
    return rank <= MAX_RANK;
}

/* The int tensors of an index, broadcast to one shape; false: after a message. */
static bool unify_gathers(Lower *L, const Expr *x, Index *ix)
{
    Graph *g = L->g;
    Shape shape = ix->gather[0]->shape;

    for (int i = 1; i < ix->gathers; i++)
        if (!shape_broadcast(shape, ix->gather[i]->shape, &shape)) {
            lower_error(L, ERR_SHAPES, x->loc, "the int tensors of an index have shapes %s and %s",
                        shape_text(g, shape), shape_text(g, ix->gather[i]->shape));
            return false;
        }
    for (int i = 0; i < ix->gathers; i++)
        ix->gather[i] = graph_broadcast(g, ix->gather[i], shape);
    return true;
}

/* x[i, a:b, new, ...] as a slice, a reshape, and a gather if there is an int tensor. */
static Node *index_tensor(Lower *L, const Expr *x, Node *a)
{
    Graph *g = L->g;
    if (!check_rank(L, x, a))
        return NULL;
    Index ix = {.x = a, .cut.rank = a->shape.rank, .loc = x->loc};
    for (int i = 0; i < MAX_RANK; i++)
        ix.step[i] = 1;

    /* a part for each axis of the result; what is left out at the end is whole */
    for (const Arg *p = x->args; p; p = p->next) {
        if (p->value->kind == X_ELLIPSIS) {
            /* `...` is the axes that no other part takes */
            int left = a->shape.rank - ix.axis - count_axes(p->next);
            for (; left > 0; left--)
                index_whole(&ix);
        } else if (p->value->kind == X_NEW) {
            ix.shape.dim[ix.shape.rank++] = 1;
        } else if (!index_axis(L, &ix, p->value)) {
            return NULL;
        }
    }
    while (ix.axis < a->shape.rank)
        index_whole(&ix);

    /* first the ranges, then the tensors of indices */
    g->loc = lower_site(L, x->loc);
    Node *part = graph_slice(g, a, ix.lo, ix.step, ix.cut);
    Node *n = graph_reshape(g, part, ix.shape);
    if (ix.gathers == 0)
        return n;
    if (!unify_gathers(L, x, &ix))
        return NULL;

    int rank = n->shape.rank - ix.gathers + ix.gather[0]->shape.rank;
    if (rank > MAX_RANK) {
        lower_error(L, ERR_TOO_MANY_AXES, x->loc, "at most %d axes are allowed", MAX_RANK);
        return NULL;
    }
    return graph_gather_at(g, n, ix.gather, ix.gathers, ix.at);
}

/* Are there several places, or one that is known only at run time? */
static bool is_int_tensor(Lower *L, const Value *v)
{
    Size place;
    if (is_loop_place(L, v, &place))
        return false;
    if (v->kind == V_LIST)
        return true;
    return v->kind == V_NODE && v->node->type == T_INT &&
           (v->node->shape.rank > 0 || !is_known(L, v->node));
}

/* A list indexed by an int tensor is a tensor. */
static Value *list_gather(Lower *L, const Expr *x, const Value *list, const Value *at)
{
    Node *a = want_node(L, list, "what is indexed");
    Node *i = NULL;
    if (a)
        i = want_index(L, at, "an index");
    if (i)
        i = index_limit(L, at->loc, from_end(L, i, a->shape.dim[0]), a->shape.dim[0]);
    if (i && a->shape.rank - 1 + i->shape.rank > MAX_RANK) {
        lower_error(L, ERR_TOO_MANY_AXES, x->loc, "at most %d axes are allowed", MAX_RANK);
        i = NULL;
    }
    if (!i)
        return value_error(L, x->loc);
    return value_node(L, x->loc, graph_gather(L->g, a, i, 0));
}

/* An end of a slice of a list, where a negative one counts from the end; in least .. most. */
static bool list_place(Lower *L, const Expr *e, const Value *list, int64_t least, int64_t most,
                       int64_t *out)
{
    if (!e)
        return true;
    if (!want_whole(L, lower_expr(L, e), "an index", out))
        return false;
    if (*out < 0)
        *out += list->count;
    *out = max_int64(least, min_int64(*out, most));
    return true;
}

/* list[a:b:step] is a list. */
static Value *list_slice(Lower *L, const Expr *x, const Value *list, const Expr *r)
{
    int64_t step = 1;
    if (r->c && !want_whole(L, lower_expr(L, r->c), "a step", &step))
        return value_error(L, x->loc);
    if (step == 0) {
        lower_error(L, ERR_SLICE, r->c->loc, "a step of 0 goes nowhere");
        return value_error(L, x->loc);
    }

    /* up to before hi, or down to after it */
    int64_t least = step > 0 ? 0 : -1;
    int64_t most = least + list->count;
    int64_t lo = step > 0 ? least : most;
    int64_t hi = step > 0 ? most : least;
    if (!list_place(L, r->a, list, least, most, &lo) ||
        !list_place(L, r->b, list, least, most, &hi))
        return value_error(L, x->loc);

    Value **item = arena_array(L->ngc, list->count + 1, sizeof *item);
    int count = 0;
    for (int64_t i = lo; step > 0 ? i < hi : i > hi; i += step)
        item[count++] = list->item[i];
    return value_list(L, x->loc, item, count);
}

/* list[i] is an element, list[a:b] a list, and list[int tensor] a tensor. */
static Value *index_list(Lower *L, const Expr *x, const Value *list)
{
    const Expr *e = x->args->value;
    if (e->kind == X_RANGE)
        return list_slice(L, x, list, e);

    const Value *at = lower_expr(L, e);
    int64_t k;
    Size place;
    if (is_loop_place(L, at, &place)) {
        Node *a = want_node(L, list, "what is indexed");
        if (!a)
            return value_error(L, x->loc);
        return value_node(L, x->loc, index_tensor(L, x, a));
    }
    if (is_int_tensor(L, at))
        return list_gather(L, x, list, at);
    if (!want_whole(L, at, "an index", &k))
        return value_error(L, x->loc);
    if (k < -list->count || k >= list->count) {
        lower_error(L, ERR_INDEX_RANGE, e->loc, "index %lld is out of range for a list of %d",
                    (long long)k, list->count);
        return value_error(L, x->loc);
    }
    /* counted from the end */
    if (k < 0)
        k += list->count;

    Value *v = arena_copy(L->ngc, list->item[k], sizeof *v);
    v->loc = x->loc;
    return v;
}

Value *lower_index(Lower *L, const Expr *x)
{
    Value *v = lower_expr(L, x->a);
    const Arg *part = x->args;
    if (v->kind == V_LIST && part && !part->next) {
        ExprKind kind = part->value->kind;
        if (kind != X_NEW && kind != X_ELLIPSIS)
            return index_list(L, x, v);
    }
    Node *a = NULL;
    if (v->kind != V_ERROR)
        a = want_node(L, v, "what is indexed");
    if (!a)
        return value_error(L, x->loc);
    return value_node(L, x->loc, index_tensor(L, x, a));
}
