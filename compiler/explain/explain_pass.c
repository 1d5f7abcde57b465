/* explain_pass.c - the values in the bodies of loops. A body has other values in each pass. A
 * lesson keeps those of the first few passes and of the last: the interpreter calls back after each
 * pass. */
#include "explain/explain.h"

#include <math.h>
#include <string.h>

enum {
    EARLY = 3,            /* passes at the beginning that are kept, of each loop */
    PASSES = EARLY + 1,   /* and the last */
    KEPT_ELEMENTS = 1024, /* of a larger value the statistics are kept */
};

/* ---- the loop that a node is in ---- */

int lesson_find_loop(const Lesson *l, const Loop *of)
{
    for (int i = 0; of && i < l->loops; i++)
        if (l->loop[i].loop == of)
            return i;
    return -1;
}

int lesson_loop(const Lesson *l, const Node *n)
{
    return lesson_find_loop(l, node_loop(n));
}

int lesson_depth(const Lesson *l, int loop)
{
    int depth = 0;
    for (; loop >= 0; loop = l->loop[loop].outer)
        depth++;
    return depth;
}

/* The loops around, from the outermost to this one. Returns how many. */
static int path_of(const Lesson *l, int loop, int *path)
{
    int depth = lesson_depth(l, loop);
    for (int i = depth; i-- > 0; loop = l->loop[loop].outer)
        path[i] = loop;
    return depth;
}

/* ---- values of passes ---- */

Stats stats_of(const double *x, int64_t count)
{
    Stats s = {.known = true, .low = INFINITY, .high = -INFINITY};
    bool has_nan = false;
    for (int64_t i = 0; i < count; i++) {
        s.mean += x[i];
        if (x[i] < s.low)
            s.low = x[i];
        if (x[i] > s.high)
            s.high = x[i];
        has_nan |= isnan(x[i]);
    }
    s.mean /= (double)count;

    if (has_nan) /* it is neither below nor above anything */
        s.low = s.high = NAN;
    return s;
}

/* A node in a body, and where its values are. */
typedef struct Recorder {
    Lesson *l;
    int depth, path[MAX_LEVELS]; /* of the loop whose pass this is */
    int64_t pass[MAX_LEVELS];
    int slot; /* of this pass among those that are kept */
} Recorder;

/* Is this pass before that one? */
static bool is_before(const int64_t *a, const int64_t *b, int depth)
{
    for (int i = 0; i < depth; i++)
        if (a[i] != b[i])
            return a[i] < b[i];
    return false;
}

static int slots(int depth)
{
    int n = 1;
    while (depth-- > 0)
        n *= PASSES;
    return n;
}

/* All passes after the early ones have one place: the last of them stays there. */
static void keep_value(const Recorder *r, const Node *n)
{
    Lesson *l = r->l;
    PassValue **kept = &l->kept[n->id];
    int64_t count = eval_count(l->e, n->shape);

    if (!*kept)
        *kept = arena_alloc(l->ngc, (size_t)slots(r->depth) * sizeof **kept);
    PassValue *v = &(*kept)[r->slot];
    if (v->known && is_before(r->pass, v->pass, r->depth))
        return;

    /* the pass, and what is known of large values, too */
    const double *x = l->e->value[n->id];
    v->known = true;
    memcpy(v->pass, r->pass, sizeof v->pass);
    v->stats = stats_of(x, count);

    /* the elements of small ones */
    if (count > KEPT_ELEMENTS)
        return;
    if (!v->value)
        v->value = arena_array(l->ngc, count + 1, sizeof *v->value);
    memcpy(v->value, x, (size_t)count * sizeof *x);
}

/* After a pass. */
static void record_pass(void *watcher, const Node *n, const Node *const *body, int count)
{
    Lesson *l = watcher;
    Recorder r = {.l = l};
    int loop = lesson_find_loop(l, n->attr.loop);

    if (loop < 0)
        return;
    r.depth = path_of(l, loop, r.path);
    for (int i = 0; i < r.depth; i++) {
        r.pass[i] = l->e->dim[MAX_DIMS + l->loop[r.path[i]].loop->level];
        r.slot = r.slot * PASSES + (int)min_int64(r.pass[i], EARLY);
    }
    for (int i = 0; i < loop_variables(n); i++)
        keep_value(&r, loop_leaf(n, i));
    for (int i = 0; i < count; i++)
        keep_value(&r, body[i]);
}

void lesson_record(Lesson *l, const int *uses)
{
    Graph *g = l->g;
    l->kept = arena_array(l->ngc, g->count + 1, sizeof *l->kept);
    for (int i = 0; i < g->count; i++) {
        Node *n = g->node[i];
        int loop = -1;
        if (uses[i])
            loop = lesson_loop(l, n);
        if (loop < 0)
            continue;
        LessonLoop *in = &l->loop[loop];
        LIST_GROW(l->ngc, in->body, in->nodes, &in->room);
        in->body[in->nodes++] = n;
    }
    l->e->watch = record_pass;
    l->e->watcher = l;
}

const PassValue *lesson_passes(const Lesson *l, const Node *n, int *count, int *depth)
{
    int path[MAX_LEVELS];
    *depth = path_of(l, lesson_loop(l, n), path);
    *count = slots(*depth);
    return l->kept[n->id];
}

const PassValue *lesson_pass(const Lesson *l, const Node *n, bool first)
{
    int count, depth;
    const PassValue *all = lesson_passes(l, n, &count, &depth);
    const PassValue *found = NULL;

    for (int i = 0; all && i < count; i++) {
        if (!all[i].known)
            continue;
        if (!found || is_before(all[i].pass, found->pass, depth) == first)
            found = &all[i];
    }
    return found;
}

const char *lesson_pass_name(const Lesson *l, int loop, const PassValue *v)
{
    int path[MAX_LEVELS];
    int depth = path_of(l, loop, path);
    Text t = {.ngc = l->ngc};

    for (int i = 0; i < depth; i++) {
        const Loop *of = l->loop[path[i]].loop;
        text_add(&t, "%s%s = %lld", comma_before(i), of->name, (long long)(v->pass[i] + of->from));
    }
    return t.at;
}

double lesson_times(const Lesson *l, const Node *n)
{
    double times = 1;
    for (int k = lesson_loop(l, n); k >= 0; k = l->loop[k].outer)
        times *= (double)size_at(l->g, l->loop[k].loop->passes, l->e->dim);
    return times;
}
