/* lower_segments.c - a loop that stays, whole or in segments (--segment): a loop over the passes of
 * each segment, inside one over the segments. The last segment may have fewer passes than the
 * others. Segments may have parts: then there is a loop over the parts between the two. */
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

/* The passes that one pass of loop number i makes: those of all loops inside. */
static int64_t kept_span(const Kept *k, int i)
{
    int64_t span = 1;

    while (++i < k->levels)
        span *= k->loop[i]->passes;
    return span;
}

/* The passes of this segment or part: min(size, passes - those before it), at least 0. */
static Node *segment_count(const For *f, const Kept *k)
{
    Graph *g = f->L->g;
    Node *left = graph_cast(g, graph_size(g, f->passes), T_INT);

    for (int i = 0; i < k->levels - 1; i++) {
        Node *span = graph_int(g, kept_span(k, i));
        Node *before = graph_binary(g, OP_mul, k->index[i], span);
        left = graph_binary(g, OP_sub, left, before);
    }

    Node *size = graph_int(g, kept_innermost(k)->passes);
    left = graph_binary(g, OP_minimum, left, size);
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

    /* floor((passes + size - 1)/size) */
    Size most = size_add(g, f->passes, size - 1);
    Node *passes = graph_cast(g, graph_size(g, most), T_FLOAT);
    Node *segments = graph_binary(g, OP_div, passes, graph_const(g, (double)size));
    return graph_cast(g, graph_unary(g, OP_floor, segments), T_INT);
}

static void add_loop(Kept *k, Loop *loop)
{
    k->loop[k->levels++] = loop;
}

/* A loop over segments, or over the parts of one, around those that are still to come. */
static void add_segments(const For *f, Kept *k, const char *what, int64_t passes)
{
    const char *name = text_format(f->L->ngc, "%s_%s", f->s->name, what);
    Loop *loop = graph_new_loop(f->L->g, name, f->L->levels + k->levels, passes, false);

    loop->segments = true;
    /* places are looked at with the index of the segment as 0, that of the pass as all passes */
    loop->last = 0;
    loop->all = k->levels > 0 ? f->passes : 0;
    add_loop(k, loop);
}

/* The loop over the passes of a segment, or of a part. */
static void add_passes(const For *f, Kept *k, int64_t passes)
{
    Graph *g = f->L->g;
    int level = f->L->levels + k->levels;
    Loop *loop = graph_new_loop(g, f->s->name, level, passes, false);

    loop->last = size_sub(g, f->passes, 1);
    loop->all = f->passes;
    add_loop(k, loop);
}

/* How many pieces of this size hold all; the last may be smaller. */
static int64_t pieces(int64_t all, int64_t size)
{
    return (all + size - 1) / size;
}

static void new_segments(For *f, Kept *k, int64_t asked, int64_t part)
{
    Graph *g = f->L->g;
    int64_t most = size_max(g, f->passes);

    /* the passes of a segment, and of the loop inside it */
    int64_t size = asked;
    if (!for_is_run_time(f))
        size = segment_size(most, asked);
    int64_t inner = size;
    if (part > 0)
        inner = segment_size(size, part);

    int64_t parts = pieces(size, inner);
    size = parts * inner;
    int64_t segments = pieces(most, size);

    add_segments(f, k, "segment", segments);
    if (part > 0)
        add_segments(f, k, "part", parts);
    add_passes(f, k, inner);

    for (int i = 0; i < k->levels; i++)
        k->index[i] = graph_index(g, k->loop[i]);

    k->rows = segments * size;
    if (f->passes != k->rows)
        k->count = segment_count(f, k);
    if (for_is_run_time(f))
        k->segments_made = segments_needed(f, size);
}

Kept kept_new(For *f)
{
    Lower *L = f->L;
    Kept k = {.rows = f->passes};
    int64_t segment = L->ngc->opt.segment;
    int64_t part = L->ngc->opt.part;

    /* segments are one loop more, parts of them another */
    bool fits = L->levels + 2 <= MAX_LEVELS;
    bool is_longer = size_max(L->g, f->passes) > segment;
    if (part >= segment || L->levels + 3 > MAX_LEVELS)
        part = 0;

    if (segment > 0 && fits && is_longer && !f->s->test) {
        new_segments(f, &k, segment, part);
    } else {
        add_loop(&k, graph_new_loop(L->g, f->s->name, L->levels, f->passes, false));
        k.index[0] = graph_index(L->g, k.loop[0]);
    }

    Loop *innermost = kept_innermost(&k);
    innermost->loc = f->s->loc;
    innermost->from = f->lo;
    return k;
}

/* The number of the pass, in the user's range. */
Node *kept_pass_number(const For *f, const Kept *k)
{
    Graph *g = f->L->g;
    Node *n = graph_cast(g, k->index[k->levels - 1], T_FLOAT);

    for (int i = k->levels - 2; i >= 0; i--) {
        Node *segment = graph_cast(g, k->index[i], T_FLOAT);
        Node *span = graph_const(g, (double)kept_span(k, i));
        Node *before = graph_binary(g, OP_mul, segment, span);
        n = graph_binary(g, OP_add, before, n);
    }

    Node *first = graph_const(g, (double)f->lo);
    return graph_binary(g, OP_add, n, first);
}

/* The passes before this one that each pass of loop number i has made. */
static Size passes_before(const For *f, const Kept *k, int i)
{
    Graph *g = f->L->g;
    Size index = size_dim(g, MAX_DIMS + k->loop[i]->level);

    return size_mul(g, index, kept_span(k, i));
}

/* Each pass has streams of its own: those of the passes before it come before them. */
Size kept_streams_before(const For *f, const Kept *k)
{
    Graph *g = f->L->g;
    Size pass = f->lo - f->start; /* a first pass that was executed by itself has drawn already */

    for (int i = 0; i < k->levels; i++)
        pass = size_add(g, pass, passes_before(f, k, i));

    Size drawn = size_mul(g, pass, f->draws);
    return size_add(g, f->L->pass_streams, drawn);
}

Node *kept_collect(const For *f, const Kept *k, Node *n)
{
    Graph *g = f->L->g;
    Node *all = graph_collect_all(g, k->made[k->levels - 1], n);
    Size lo[MAX_RANK] = {0};
    Shape rows = all->shape;

    /* what a pass of loop i has collected goes into the rows of all its passes */
    for (int i = k->levels - 2; i >= 0; i--) {
        rows.dim[0] = kept_span(k, i) * k->loop[i]->passes;
        lo[0] = passes_before(f, k, i);

        Indices before = graph_use_indices(g, k->index, i + 1);
        all = graph_collect(g, k->made[i], all, lo, size_ones, rows);
        graph_restore_indices(g, before);
    }
    if (k->levels == 1)
        return all;

    /* without the rows of passes that the last segment does not make */
    rows.dim[0] = f->passes;
    lo[0] = 0;
    return graph_slice(g, all, lo, size_ones, rows);
}

/* The variables of a loop as those of a loop around it. */
static Node **leaves_around(const For *f, const Loop *around, const Variables *v)
{
    Node **leaf = arena_array(f->L->ngc, v->count + 1, sizeof *leaf);

    for (int i = 0; i < v->count; i++) {
        leaf[i] = graph_carried(f->L->g, around, v->leaf[i]);
        leaf[i]->name = v->leaf[i]->name;
    }
    return leaf;
}

/* The variables of a loop after its last pass. */
static Node **last_values(const For *f, Node *loop, const Variables *v)
{
    Node **last = arena_array(f->L->ngc, v->count + 1, sizeof *last);

    for (int i = 0; i < v->count; i++)
        last[i] = graph_last(f->L->g, loop, v->leaf[i]);
    return last;
}

/* From the innermost to the outermost: the variables go from segment to segment. */
Node *kept_make(const For *f, Kept *k, Variables *v)
{
    Graph *g = f->L->g;
    Node *count = k->count; /* only the passes of the innermost may end before the bound */

    for (int i = k->levels - 1; i > 0; i--) {
        Node **around = leaves_around(f, k->loop[i - 1], v);

        Indices before = graph_use_indices(g, k->index, i);
        k->made[i] = graph_loop(g, k->loop[i], v->leaf, around, v->next, v->count, NULL, count);
        graph_restore_indices(g, before);

        v->next = last_values(f, k->made[i], v);
        v->leaf = around;
        count = NULL;
    }

    k->made[0] =
        graph_loop(g, k->loop[0], v->leaf, v->init, v->next, v->count, f->test, k->segments_made);
    return k->made[0];
}
