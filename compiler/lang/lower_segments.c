/* lower_segments.c - a loop that stays, whole or in segments (--segment): a loop over the passes of
 * each segment, inside one over the segments. The last segment may have fewer passes than the
 * others. */
#include "lang/lower_loop.h"

/* A number of passes for a segment: one near that asked for, which divides all if there is one. */
static int64_t segment_size(int64_t passes, int64_t asked)
{
    for (int64_t k = 0; k <= asked / 2; k++) {
        /* equal segments need no test of how many passes are left */
        if (passes % (asked + k) == 0)
            return asked + k;
        if (passes % (asked - k) == 0)
            return asked - k;
    }
    return asked;
}

/* The passes of this segment: min(size, passes - segment*size), at least 0. */
static Node *segment_count(const For *f, const Kept *k, int64_t size)
{
    Graph *g = f->L->g;
    Node *before = graph_binary(g, OP_mul, k->index[0], graph_int(g, size));
    Node *left = graph_cast(g, graph_size(g, f->passes), T_INT);

    left = graph_binary(g, OP_sub, left, before);
    left = graph_binary(g, OP_minimum, left, graph_int(g, size));
    return graph_binary(g, OP_maximum, left, graph_int(g, 0));
}

/* How many segments a run-time number of passes needs, at least 1; NULL: it may be too large for a
 * float to hold, and all segments are gone through. */
static Node *segments_needed(const For *f, int64_t size)
{
    enum { EXACT = 1 << 24 };
    Graph *g = f->L->g;

    if (size_max(g, f->passes) + size > EXACT)
        return NULL;
    Node *most = graph_cast(g, graph_size(g, size_add(g, f->passes, size - 1)), T_FLOAT);
    Node *segments = graph_binary(g, OP_div, most, graph_const(g, (double)size));
    return graph_cast(g, graph_unary(g, OP_floor, segments), T_INT);
}

static void new_segments(For *f, Kept *k, int64_t asked)
{
    Graph *g = f->L->g;
    int64_t most = size_max(g, f->passes);
    int64_t size = for_is_run_time(f) ? asked : segment_size(most, asked);
    int64_t segments = (most + size - 1) / size;
    int level = f->L->levels;

    k->segments =
        graph_new_loop(g, text_format(f->L->ngc, "%s_segment", f->s->name), level, segments, false);
    k->segments->segments = true;
    /* places are looked at with the index of the segment as 0, and that of the pass as all passes
     */
    k->segments->last = 0;
    k->loop = graph_new_loop(g, f->s->name, level + 1, size, false);
    k->loop->last = size_sub(g, f->passes, 1);
    k->loop->all = f->passes;

    k->index[0] = graph_index(g, k->segments);
    k->index[1] = graph_index(g, k->loop);
    k->levels = 2;
    k->rows = segments * size;
    if (f->passes != k->rows)
        k->count = segment_count(f, k, size);
    if (for_is_run_time(f))
        k->segments_made = segments_needed(f, size);
}

Kept kept_new(For *f)
{
    Lower *L = f->L;
    Kept k = {.levels = 1, .rows = f->passes};
    int64_t segment = L->ngc->opt.segment;

    bool fits = size_max(L->g, f->passes) > segment && L->levels + 2 <= MAX_LEVELS;
    if (segment > 0 && fits && !f->s->test) {
        new_segments(f, &k, segment);
    } else {
        k.loop = graph_new_loop(L->g, f->s->name, L->levels, f->passes, false);
        k.index[0] = graph_index(L->g, k.loop);
    }
    k.loop->loc = f->s->loc;
    k.loop->from = f->lo;
    return k;
}

/* The number of the pass, in the user's range. */
Node *kept_pass_number(const For *f, const Kept *k)
{
    Graph *g = f->L->g;
    Node *n = graph_cast(g, k->index[k->levels - 1], T_FLOAT);

    if (k->segments) {
        Node *segment = graph_cast(g, k->index[0], T_FLOAT);
        Node *size = graph_const(g, (double)k->loop->passes);
        n = graph_binary(g, OP_add, graph_binary(g, OP_mul, segment, size), n);
    }
    return graph_binary(g, OP_add, n, graph_const(g, (double)f->lo));
}

/* Each pass has streams of its own: those of the passes before it come before them. */
Size kept_streams_before(const For *f, const Kept *k)
{
    Graph *g = f->L->g;
    Size pass = size_dim(g, MAX_DIMS + k->loop->level);

    if (k->segments) {
        Size segment = size_dim(g, MAX_DIMS + k->segments->level);
        pass = size_add(g, size_mul(g, segment, k->loop->passes), pass);
    }
    /* a first pass that was executed by itself has drawn already */
    pass = size_add(g, pass, f->lo - f->start);
    return size_add(g, f->L->pass_streams, size_mul(g, pass, f->draws));
}

/* n of each pass: [passes, ..]. outer: the loop over segments, or NULL. */
Node *kept_collect(const For *f, const Kept *k, Node *loop, Node *outer, Node *n)
{
    Graph *g = f->L->g;
    Node *all = graph_collect_all(g, loop, n);
    Size lo[MAX_RANK] = {0};

    if (!outer)
        return all;
    Shape rows = all->shape;
    rows.dim[0] = k->rows;
    lo[0] = size_mul(g, size_dim(g, MAX_DIMS + k->segments->level), k->loop->passes);
    Indices before = graph_use_indices(g, k->index, 1);
    all = graph_collect(g, outer, all, lo, size_ones, rows);
    graph_restore_indices(g, before);

    /* without the rows of passes that the last segment does not make */
    rows.dim[0] = f->passes;
    lo[0] = 0;
    return graph_slice(g, all, lo, size_ones, rows);
}

/* The loop over segments: its variables are those of the loop inside, from segment to segment. */
Node *kept_outer_loop(const For *f, const Kept *k, Variables *v, Node **inner)
{
    Graph *g = f->L->g;

    for (int i = 0; i < v->count; i++) {
        v->outer[i] = graph_carried(g, k->segments, v->leaf[i]);
        v->outer[i]->name = v->leaf[i]->name;
    }
    Indices before = graph_use_indices(g, k->index, 1);
    *inner = graph_loop(g, k->loop, v->leaf, v->outer, v->next, v->count, NULL, k->count);
    graph_restore_indices(g, before);
    for (int i = 0; i < v->count; i++)
        v->last[i] = graph_last(g, *inner, v->leaf[i]);
    return graph_loop(g, k->segments, v->outer, v->init, v->last, v->count, NULL, k->segments_made);
}
