/* explain_value.c - the values of a lesson: all of them computed once, in order, the large ones
 * kept no longer than others are computed from them; and values as text. */
#include "explain.h"

#include <math.h>
#include <string.h>

enum {
    SMALL = 12,  /* tensors of so many elements are told in full */
    KEPT = 1024, /* and of so many stay; of larger ones what is told of them does */
};

int64_t lesson_count(const Lesson *l, const Node *n, int64_t *dim)
{
    return eval_shape(l->e, n->shape, dim);
}

/* ---- computing ---- */

/* Memory of values that are needed no more, by their number of elements; the first of a value's
 * bytes lead to the next. */
struct Pool {
    struct Spare {
        int64_t count;
        double *first;
    } * spare;
    int sizes, room;
};

static struct Spare *spare_of(Ngc *ngc, Pool *p, int64_t count)
{
    for (int i = 0; i < p->sizes; i++)
        if (p->spare[i].count == count)
            return &p->spare[i];
    p->spare = arena_grow(ngc, p->spare, p->sizes, &p->room, sizeof *p->spare);
    p->spare[p->sizes] = (struct Spare){count, NULL};
    return &p->spare[p->sizes++];
}

static void release(Eval *e, Pool *p, int id)
{
    int64_t dim[MAX_RANK];
    struct Spare *s = spare_of(e->ngc, p, eval_shape(e, e->graph->node[id]->shape, dim));
    memcpy(e->value[id], &s->first, sizeof s->first);
    s->first = e->value[id];
    e->value[id] = NULL;
    e->known[id] = false;
}

static Stats stats_of(const double *x, int64_t count)
{
    Stats s = {.known = true, .low = INFINITY, .high = -INFINITY};
    bool has_nan = false;
    for (int64_t i = 0; i < count; i++) {
        s.mean += x[i];
        s.low = x[i] < s.low ? x[i] : s.low;
        s.high = x[i] > s.high ? x[i] : s.high;
        has_nan |= isnan(x[i]);
    }
    s.mean /= (double)count;
    if (has_nan) /* it is neither below nor above anything */
        s.low = s.high = NAN;
    return s;
}

Pool *pool_new(Ngc *ngc)
{
    return arena_alloc(ngc, sizeof(Pool));
}

/* Computes what `uses` counts and is not known. What is not to be kept lends its memory to others
 * after its last use; its statistics stay, where they are asked for. */
void values_compute(Eval *e, Pool *p, const int *uses, const bool *keep, Stats *stats)
{
    Graph *g = e->graph;
    int *last = arena_alloc(e->ngc, (size_t)(g->count + 1) *
                                        sizeof *last); /* by id: the last user, or itself */
    int64_t dim[MAX_RANK];
    for (int i = 0; i < g->count; i++) {
        last[i] = i;
        for (int k = 0; uses[i] && k < g->node[i]->nargs; k++)
            last[g->node[i]->arg[k]->id] = i;
    }
    for (int i = 0; i < g->count; i++) {
        Node *n = g->node[i];
        if (!uses[i])
            continue;
        int64_t count = eval_shape(e, n->shape, dim);
        struct Spare *s = e->value[i] || count < 2 ? NULL : spare_of(e->ngc, p, count);
        if (s && s->first) {
            e->value[i] = s->first;
            memcpy(&s->first, e->value[i], sizeof s->first);
        }
        const double *x = eval_node(e, n);
        if (stats && !keep[i])
            stats[i] = stats_of(x, count);
        for (int k = 0; k < n->nargs; k++) {
            int a = n->arg[k]->id;
            if (last[a] == i && !keep[a] && e->value[a])
                release(e, p, a);
        }
        if (last[i] == i && !keep[i])
            release(e, p, i);
    }
}

Node **lesson_nodes(const Lesson *l, int *count)
{
    Node **node =
        arena_alloc(l->ngc, (size_t)(l->items + 3 * l->moves + l->m->roots + 1) * sizeof *node);
    *count = 0;
    for (int i = 0; i < l->items; i++)
        node[(*count)++] = l->item[i].node;
    for (int i = 0; i < l->moves; i++) {
        node[(*count)++] = l->move[i].step->dy;
        node[(*count)++] = l->move[i].step->dx;
        node[(*count)++] = l->move[i].step->sum;
    }
    for (int i = 0; i < l->m->roots; i++)
        node[(*count)++] = l->m->root[i].written;
    return node;
}

/* The numbers of small values, of given ones and of those that are delivered stay. */
void lesson_compute(Lesson *l)
{
    int n;
    Node **node = lesson_nodes(l, &n);
    int *uses = graph_uses(l->g, node, n);
    bool *keep = arena_alloc(l->ngc, (size_t)l->g->count + 1);
    int64_t dim[MAX_RANK];
    for (int i = 0; i < l->g->count; i++)
        keep[i] = uses[i] && (lesson_count(l, l->g->node[i], dim) <= KEPT ||
                              op_info[l->g->node[i]->op]->flags & F_LEAF);
    for (int i = 0; i < l->m->roots; i++) {
        const Root *r = &l->m->root[i];
        keep[r->written->id] = keep[r->node->id] = true;
        if (r->kind == ROOT_GRAD)
            keep[r->x->id] = true;
    }
    l->stats = arena_alloc(l->ngc, (size_t)(l->g->count + 1) * sizeof *l->stats);
    values_compute(l->e, pool_new(l->ngc), uses, keep, l->stats);
}

Stats lesson_stats(const Lesson *l, Node *n)
{
    int64_t dim[MAX_RANK], count = lesson_count(l, n, dim);
    return l->stats[n->id].known ? l->stats[n->id] : stats_of(eval_node(l->e, n), count);
}

/* ---- values as text ---- */

const char *lesson_digits(const Lesson *l, double x, int digits)
{
    if (isnan(x))
        return "nan"; /* C libraries disagree about its sign */
    return text_format(l->ngc, "%.*g", digits, x == 0 ? 0 : x);
}

const char *lesson_number(const Lesson *l, double x)
{
    return lesson_digits(l, x, 9);
}

const char *lesson_shape(const Lesson *l, const Node *n)
{
    int64_t dim[MAX_RANK];
    Text t = {.ngc = l->ngc};
    lesson_count(l, n, dim);
    text_put(&t, "", 0);
    for (int i = 0; i < n->shape.rank; i++)
        text_add(&t, "%s%lld%s", i ? ", " : "[", (long long)dim[i],
                 i + 1 == n->shape.rank ? "]" : "");
    return t.at;
}

static void add_rows(const Lesson *l, Text *t, const double *x, const int64_t *dim, int rank)
{
    int64_t inner = 1;
    if (rank == 0) {
        text_add(t, "%s", lesson_digits(l, *x, 6));
        return;
    }
    for (int i = 1; i < rank; i++)
        inner *= dim[i];
    for (int64_t i = 0; i < dim[0]; i++) {
        text_add(t, i ? ", " : "[");
        add_rows(l, t, x + i * inner, dim + 1, rank - 1);
    }
    text_add(t, "]");
}

const char *lesson_value(const Lesson *l, Node *n)
{
    int64_t dim[MAX_RANK], count = lesson_count(l, n, dim);
    Text t = {.ngc = l->ngc};
    if (n->shape.rank == 0)
        return lesson_number(l, *eval_node(l->e, n));
    if (count <= SMALL) {
        add_rows(l, &t, eval_node(l->e, n), dim, n->shape.rank);
        return t.at;
    }
    Stats s = lesson_stats(l, n);
    return text_format(l->ngc, "%s of mean %s, from %s to %s", lesson_shape(l, n),
                       lesson_digits(l, s.mean, 4), lesson_digits(l, s.low, 4),
                       lesson_digits(l, s.high, 4));
}
