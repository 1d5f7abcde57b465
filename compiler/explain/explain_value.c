/* explain_value.c - the values of a lesson. All of them are computed once, in order. A large one is
 * kept until the last value that is computed from it. Also: values as text. */
#include "explain/explain.h"

#include <math.h>
#include <string.h>

enum {
    SMALL = 12,  /* elements up to which a tensor is written in full */
    KEPT = 1024, /* elements up to which it is kept; of a larger one its statistics are */
};

int64_t lesson_count(const Lesson *l, const Node *n)
{
    return eval_count(l->e, n->shape);
}

int64_t lesson_dims(const Lesson *l, const Node *n, int64_t *dim)
{
    return eval_shape(l->e, n->shape, dim);
}

/* ---- computing ---- */

/* Memory of values of one size that are not needed any more. The first bytes of each are a pointer
 * to the next. */
typedef struct Spare {
    int64_t count; /* elements */
    double *first; /* or NULL */
} Spare;

struct Pool {
    Spare *spare; /* one for each size */
    int sizes, room;
};

static Spare *spare_of(Ngc *ngc, Pool *p, int64_t count)
{
    for (int i = 0; i < p->sizes; i++)
        if (p->spare[i].count == count)
            return &p->spare[i];
    LIST_GROW(ngc, p->spare, p->sizes, &p->room);
    p->spare[p->sizes] = (Spare){count, NULL};
    return &p->spare[p->sizes++];
}

/* Gives the node memory from the pool, if there is some of its size. */
static void reuse(Eval *e, Pool *p, int id, int64_t count)
{
    Spare *s = spare_of(e->ngc, p, count);
    if (!s->first)
        return;
    e->value[id] = s->first;
    memcpy(&s->first, e->value[id], sizeof s->first);
}

/* Gives the node's memory to the pool. */
static void release(Eval *e, Pool *p, int id)
{
    Spare *s = spare_of(e->ngc, p, eval_count(e, e->graph->node[id]->shape));
    memcpy(e->value[id], &s->first, sizeof s->first);
    s->first = e->value[id];
    e->value[id] = NULL;
    e->known[id] = false;
}

Pool *pool_new(Ngc *ngc)
{
    return arena_alloc(ngc, sizeof(Pool));
}

/* By node id: the last user, or the node itself where nothing uses it. What the body of a loop uses
 * has no last user: it stays. */
static int *last_users(const Eval *e, const int *uses)
{
    const Graph *g = e->graph;
    int *last = arena_array(e->ngc, g->count + 1, sizeof *last);
    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];
        last[i] = i;
        for (int k = 0; uses[i] && k < n->nargs; k++)
            if (last[arg_id(n, k)] < g->count)
                last[arg_id(n, k)] = node_loop(n) ? g->count : i;
    }
    return last;
}

/* The loops among the nodes that are used: of each, its first OP_loop. */
typedef struct Loops {
    Node **node;
    int count, room;
} Loops;

static Node *node_of_loop(const Loops *all, const Loop *of)
{
    for (int i = 0; i < all->count; i++)
        if (all->node[i]->attr.loop == of)
            return all->node[i];
    return NULL;
}

static Loops loops_of(const Eval *e, const int *uses)
{
    Loops all = {0};
    for (int i = 0; i < e->graph->count; i++) {
        Node *n = e->graph->node[i];
        if (!uses[i] || n->op != OP_loop || node_of_loop(&all, n->attr.loop))
            continue;
        LIST_GROW(e->ngc, all.node, all.count, &all.room);
        all.node[all.count++] = n;
    }
    return all;
}

/* Is n computed in the passes of this loop, or of a loop inside it? */
static bool is_inside(const Loops *all, const Node *n, const Node *loop)
{
    while (n && node_loop(n)) {
        n = node_of_loop(all, node_loop(n));
        if (n == loop)
            return true;
    }
    return false;
}

static bool leaves_loop(const Node *n, const Node *loop)
{
    switch (n->op) {
    case OP_last:
    case OP_collect: return n->arg[1] == loop;
    case OP_passes: return n->arg[0] == loop;
    default: return false;
    }
}

/* Runs a loop once, for all that is computed in its body, and for all that leaves it. */
static void compute_loop(Eval *e, const int *uses, const Loops *all, Node *loop)
{
    const Graph *g = e->graph;
    Node **node = arena_array(e->ngc, g->count + 1, sizeof *node);
    int count = 0;

    node[count++] = loop;
    for (int i = 0; i < g->count; i++)
        if (uses[i] && (leaves_loop(g->node[i], loop) || is_inside(all, g->node[i], loop)))
            node[count++] = g->node[i];
    eval_nodes(e, node, count);
}

/* Computes each node that `uses` counts. A value that is not in `keep` lends its memory to others
 * after its last use. Its statistics stay, where they are asked for. */
void values_compute(Eval *e, Pool *p, const int *uses, const bool *keep, Stats *stats)
{
    const int *last = last_users(e, uses);
    const Loops loops = loops_of(e, uses);
    for (int i = 0; i < e->graph->count; i++) {
        Node *n = e->graph->node[i];
        if (!uses[i] || node_loop(n))
            continue;
        if (n->op == OP_loop)
            compute_loop(e, uses, &loops, n);

        /* in memory that another value has left */
        int64_t count = eval_count(e, n->shape);
        if (!e->value[i] && count >= 2)
            reuse(e, p, i, count);
        const double *x = eval_node(e, n);
        if (stats && !keep[i])
            stats[i] = stats_of(x, count);

        /* operands of which this is the last user, and what has no user, leave theirs */
        for (int k = 0; k < n->nargs; k++) {
            int a = arg_id(n, k);
            if (last[a] == i && !keep[a] && e->value[a] && !node_loop(n->arg[k]))
                release(e, p, a);
        }
        if (last[i] == i && !keep[i])
            release(e, p, i);
    }
}

Node **lesson_nodes(const Lesson *l, int *count)
{
    int roots = l->m->roots;
    int n = 0;
    Node **node = arena_array(l->ngc, l->items + 3 * l->moves + roots + 1, sizeof *node);

    for (int i = 0; i < l->items; i++)
        node[n++] = l->item[i].node;
    for (int i = 0; i < l->moves; i++) {
        const Step *s = l->move[i].step;
        node[n++] = s->dy;
        node[n++] = s->dx;
        node[n++] = s->sum;
    }
    for (int i = 0; i < roots; i++)
        node[n++] = l->m->root[i].written;

    *count = n;
    return node;
}

/* The small values, the given ones and the results are kept. */
static bool *kept_values(const Lesson *l, const int *uses)
{
    Graph *g = l->g;
    bool *keep = arena_alloc(l->ngc, (size_t)g->count + 1);
    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];
        bool given = node_has(n, F_LEAF);
        keep[i] = uses[i] && (given || lesson_count(l, n) <= KEPT);
    }

    for (int i = 0; i < l->m->roots; i++) {
        const Root *r = &l->m->root[i];
        keep[r->written->id] = keep[r->node->id] = true;
        if (r->kind == ROOT_GRAD)
            keep[r->x->id] = true;
    }
    return keep;
}

void lesson_compute(Lesson *l)
{
    int n;
    Node **node = lesson_nodes(l, &n);
    const int *uses = graph_uses(l->g, node, n);
    l->stats = arena_array(l->ngc, l->g->count + 1, sizeof *l->stats);
    lesson_record(l, uses);
    values_compute(l->e, pool_new(l->ngc), uses, kept_values(l, uses), l->stats);
    l->e->watch = NULL;
}

Stats lesson_stats(const Lesson *l, Node *n)
{
    const Stats none = {.mean = NAN, .low = NAN, .high = NAN};
    if (l->stats[n->id].known)
        return l->stats[n->id];
    if (lesson_loop(l, n) >= 0) {
        const PassValue *last = lesson_pass(l, n, false);
        return last ? last->stats : none;
    }

    /* a variable of a loop that no result needs has no value */
    const double *x = eval_node(l->e, n);
    if (!x)
        return none;
    return stats_of(x, lesson_count(l, n));
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
    Text t = text_empty(l->ngc);
    lesson_dims(l, n, dim);
    for (int i = 0; i < n->shape.rank; i++)
        text_add(&t, i ? ", %lld" : "[%lld", (long long)dim[i]);
    if (n->shape.rank > 0)
        text_put(&t, "]", 1);
    return t.at;
}

/* "[[1, 2], [3, 4]]" */
static void add_rows(const Lesson *l, Text *t, const double *x, const int64_t *dim, int rank)
{
    if (rank == 0) {
        text_add(t, "%s", lesson_digits(l, *x, 6));
        return;
    }

    int64_t inner = 1;
    for (int i = 1; i < rank; i++)
        inner *= dim[i];
    for (int64_t i = 0; i < dim[0]; i++) {
        text_add(t, i ? ", " : "[");
        add_rows(l, t, x + i * inner, dim + 1, rank - 1);
    }
    text_add(t, "]");
}

const double *lesson_elements_of(const Lesson *l, Node *n, bool first)
{
    if (lesson_loop(l, n) < 0)
        return eval_node(l->e, n);
    const PassValue *v = lesson_pass(l, n, first);
    return v ? v->value : NULL;
}

const double *lesson_elements(const Lesson *l, Node *n)
{
    return lesson_elements_of(l, n, false);
}

/* A value by its elements, or by its statistics where there are many; x may be NULL then. */
static const char *value_text(const Lesson *l, const Node *n, const double *x, Stats s)
{
    if (n->shape.rank == 0)
        return lesson_number(l, *x);

    int64_t dim[MAX_RANK];
    if (lesson_dims(l, n, dim) <= SMALL) {
        Text t = {.ngc = l->ngc};
        add_rows(l, &t, x, dim, n->shape.rank);
        return t.at;
    }
    return text_format(l->ngc, "%s of mean %s, from %s to %s", lesson_shape(l, n),
                       lesson_digits(l, s.mean, 4), lesson_digits(l, s.low, 4),
                       lesson_digits(l, s.high, 4));
}

const char *lesson_value_in(const Lesson *l, Node *n, const PassValue *v)
{
    if (v)
        return value_text(l, n, v->value, v->stats);
    if (lesson_count(l, n) <= SMALL)
        return value_text(l, n, eval_node(l->e, n), (Stats){0});
    return value_text(l, n, NULL, lesson_stats(l, n));
}

const char *lesson_value_of(const Lesson *l, Node *n, bool first)
{
    const PassValue *v = NULL;
    if (lesson_loop(l, n) >= 0)
        v = lesson_pass(l, n, first);
    if (node_loop(n) && !v)
        return "no pass";
    return lesson_value_in(l, n, v);
}

const char *lesson_value(const Lesson *l, Node *n)
{
    return lesson_value_of(l, n, false);
}

const char *lesson_label(const Lesson *l, const Node *n)
{
    double c;
    if (lesson_at(l, n))
        return l->item[lesson_at(l, n) - 1].label;
    if (node_const(n, &c))
        return lesson_number(l, c);
    if (node_name(n))
        return node_name(n);
    return node_text(l->g, n, 2);
}
