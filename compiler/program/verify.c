/* verify.c - checks a program: one check for each fact that passes give.
 *
 * The checks know nothing of how a pass works: they look at kernels and places only.
 */
#include "program/program.h"

#include <stdlib.h>

/* ---- FACT_KERNELS: everything is computed, and before it is read ---- */

/* Is n there before anything is computed: a variable, a constant array, or given? */
static bool is_there(const Program *p, const Node *n)
{
    const Place *at = program_place(p, n);
    return p->given[slot_of(p, n)] || at->kind == P_VAR || at->kind == P_DATA || n->op == OP_var ||
           n->op == OP_data;
}

/* Which values are there, while the kernels are read in order. */
typedef struct Made {
    bool *made;       /* by slot */
    bool *updated;    /* by slot of a loop's variable: it has its value after this pass */
    const Loop *loop; /* whose pass is read, or NULL */
} Made;

/* Is the kernel done in the passes of the loop? */
static bool is_within(const Program *p, const Kernel *k, const Loop *loop)
{
    for (const Loop *l = k->loop; l; l = program_loop(p, l)->outer)
        if (l == loop)
            return true;
    return false;
}

/* A variable's value after the pass takes the place of that before it. What is collected is whole
 * only after the loop; each pass adds to what is there. */
static void note_store(const Program *p, int i, const Kernel *k, const Store *s, Made *m)
{
    const Node *n = s->node;
    int slot = slot_of(p, n);

    if (n->op == OP_collect && s->add && !m->made[slot])
        ngc_bug("program %s: kernel %d adds to %%%d before it is 0", p->name, i, n->id);
    if (n->op == OP_carried && is_within(p, k, n->attr.loop) && !s->target)
        m->updated[slot] = true;
    m->made[slot] = true;
}

/* What the members of a nest store is there for the nest; their own order is checked by rows.c. */
static void note_stores(const Program *p, int i, const Kernel *k, Made *m)
{
    for (int s = 0; s < k->stores; s++)
        note_store(p, i, k, &k->store[s], m);
}

static bool stores_node(const Kernel *k, const Node *n)
{
    for (int s = 0; s < k->stores; s++)
        if (k->store[s].node == n && !k->store[s].target)
            return true;
    return false;
}

static void verify_read(const Program *p, int i, const Node *n, const Made *m)
{
    const Kernel *k = p->kernel[i];
    int slot = slot_of(p, n);

    if (!is_there(p, n) && !m->made[slot])
        ngc_bug("program %s: kernel %d reads %%%d before it is computed", p->name, i, n->id);
    if (m->updated[slot])
        ngc_bug("program %s: kernel %d reads %%%d after it is updated", p->name, i, n->id);
    if (n->op == OP_collect && is_within(p, k, n->attr.loop) && !stores_node(k, n))
        ngc_bug("program %s: kernel %d reads %%%d in the loop that collects it", p->name, i, n->id);
}

static void verify_reads(const Program *p, int i, const Made *m)
{
    const Kernel *k = p->kernel[i];
    bool adds = k->stores > 0 && k->store[0].add; /* it may read its own result */

    for (int v = 0; v < k->vals; v++) {
        const Node *n = k->val[v]->node;
        if (k->val[v]->kind == V_LOAD && !(adds && stores_node(k, n)))
            verify_read(p, i, n, m);
    }
    for (int v = 0; v < 3; v++)
        if (kernel_operand(p, k, v))
            verify_read(p, i, kernel_operand(p, k, v), m);
}

/* What a pass has made is gone after it; its variables have their values for the next one. */
static void end_pass(const Program *p, const Loop *loop, Made *m)
{
    const struct ProgramLoop *l = program_loop(p, loop);
    const Node *node = l->node;

    for (int i = 0; i < loop_variables(node); i++) {
        const Node *leaf = loop_leaf(node, i);
        const Node *next = loop_next(node, i);
        int slot = slot_of(p, leaf);
        bool stays = next == leaf || slot < 0;
        if (!stays && !m->updated[slot] && program_place(p, next) != program_place(p, leaf))
            ngc_bug("program %s: %%%d is not updated in a pass", p->name, leaf->id);
        if (slot >= 0)
            m->updated[slot] = false;
    }
    for (int i = l->begin; i <= l->end; i++)
        for (int k = 0; k < p->kernel[i]->stores; k++) {
            const Node *n = p->kernel[i]->store[k].node;
            if (program_home(p, n) == loop)
                m->made[slot_of(p, n)] = false;
        }
}

/* Kernels of a loop are between its begin and its end. */
static void verify_loop(const Program *p, int i, Made *m)
{
    const Kernel *k = p->kernel[i];
    const Loop *outer = k->loop;
    if (k->kind == K_FOR)
        outer = program_loop(p, k->loop)->outer;

    if (outer != m->loop)
        ngc_bug("program %s: kernel %d is not in the loop of which it is part", p->name, i);
    if (k->kind == K_FOR)
        m->loop = k->loop;
    if (k->kind != K_NEXT)
        return;
    m->loop = program_loop(p, k->loop)->outer;
    end_pass(p, k->loop, m);
}

/* Each target is the storage of a value that is computed, or is stored once. */
static void verify_targets(const Program *p, const bool *made, int stored)
{
    int copied = 0;

    for (int i = 0; i < p->targets; i++) {
        const Node *n = program_holder(p, p->target[i].node);
        if (p->target[i].claimed && !made[slot_of(p, n)])
            ngc_bug("program %s: %%%d is never computed", p->name, n->id);
        copied += !p->target[i].claimed;
    }
    if (stored != copied)
        ngc_bug("program %s: not every target is stored once", p->name);
}

static void verify_kernels(const Program *p)
{
    Made m = {.made = arena_alloc(p->ngc, (size_t)(p->nodes + 1)),
              .updated = arena_alloc(p->ngc, (size_t)(p->nodes + 1))};
    int stored = 0; /* targets */

    for (int i = 0; i < p->kernels; i++) {
        const Kernel *k = p->kernel[i];
        verify_loop(p, i, &m);
        for (int n = 0; n < k->members; n++)
            note_stores(p, i, k->member[n], &m);
        verify_reads(p, i, &m);

        note_stores(p, i, k, &m);
        for (int s = 0; s < k->stores; s++)
            stored += k->store[s].target != NULL;
    }
    verify_targets(p, m.made, stored);
}

/* ---- FACT_LEVELS: kernel_finish finds nothing new ---- */

static void verify_kernel_levels(Program *p, Kernel *k)
{
    int *level = arena_array(p->ngc, k->vals + 1, sizeof *level);
    int *uses = arena_array(p->ngc, k->vals + 1, sizeof *uses);

    for (int i = 0; i < k->vals; i++) {
        level[i] = k->val[i]->level;
        uses[i] = k->val[i]->uses;
    }
    kernel_finish(p, k);
    for (int i = 0; i < k->vals; i++)
        if (level[i] != k->val[i]->level || uses[i] != k->val[i]->uses)
            ngc_bug("program %s: a kernel was changed after it was finished", p->name);
}

static void verify_levels(Program *p)
{
    for (int i = 0; i < p->kernels; i++) {
        Kernel *k = p->kernel[i];
        for (int m = 0; m < k->members; m++)
            verify_kernel_levels(p, k->member[m]);
        if (!k->member)
            verify_kernel_levels(p, k);
    }
}

/* ---- FACT_PARTS: functions follow each other, and phases too ---- */

static void verify_parts(const Program *p)
{
    for (int i = 0; i < p->kernels; i++) {
        const Kernel *k = p->kernel[i];
        const Kernel *before = NULL;
        if (i > 0)
            before = p->kernel[i - 1];
        if (k->part < 0 || k->part >= p->parts)
            ngc_bug("program %s: kernel %d is in no function", p->name, i);
        if (before && (before->phase > k->phase || before->part > k->part))
            ngc_bug("program %s: kernel %d is in an earlier function than the one before it",
                    p->name, i);
    }
}

/* ---- FACT_PLACES: values that live at the same time do not overlap ---- */

typedef struct Span { /* one value in memory */
    int64_t at, end;  /* its elements */
    int first, last;  /* its life: positions of kernels; first -1: not stored by this program */
    const Node *node;
} Span;

typedef struct Spans {
    Span *of;   /* by slot */
    int kernel; /* the position that is being read */
} Spans;

static void note_read(Program *p, const Kernel *k, const Node *n, void *with)
{
    const Spans *s = with;
    Span *span = &s->of[slot_of(p, n)];

    if (span->first < 0)
        return;
    span->last = s->kernel;
    if (p->kernel[span->first]->phase != k->phase)
        span->last = p->kernels; /* backward may be called again */
}

/* A value that a loop uses, and that lives before or after it, lives through all of it. */
static void stay_through(const Program *p, const Kernel *begin, int at, Span *s)
{
    int end = at;
    bool inside = false; /* is it made in the loop? */

    while (p->kernel[end]->kind != K_NEXT || p->kernel[end]->loop != begin->loop)
        end++;
    if (s->first < 0 || s->first > end || s->last < at)
        return;
    for (const Loop *l = program_home(p, s->node); l; l = program_loop(p, l)->outer)
        inside |= l == begin->loop;
    if (inside)
        return;
    s->first = min_int(s->first, at);
    s->last = max_int(s->last, end);
}

/* A value lives from its first store to its last load. */
static Span *find_spans(Program *p)
{
    Spans s = {.of = arena_array(p->ngc, p->nodes + 1, sizeof *s.of)};

    for (int i = 0; i < p->nodes; i++) {
        const Node *n = p->node[i];
        int64_t at = p->place[i].offset;
        s.of[i] = (Span){at, at + shape_count_max(p->graph, n->shape), -1, -1, n};
    }

    for (s.kernel = 0; s.kernel < p->kernels; s.kernel++) {
        const Kernel *k = p->kernel[s.kernel];
        for (int i = 0; i < k->stores; i++) {
            Span *span = &s.of[slot_of(p, k->store[i].node)];
            if (k->store[i].target)
                continue;
            if (span->first < 0)
                span->first = s.kernel;
            if (span->last < s.kernel)
                span->last = s.kernel;
        }
        kernel_each_read(p, k, note_read, &s);
    }

    /* what a loop reads lives until its last pass */
    for (int i = 0; i < p->kernels; i++)
        for (int k = 0; k < p->nodes && p->kernel[i]->kind == K_FOR; k++)
            stay_through(p, p->kernel[i], i, &s.of[k]);
    return s.of;
}

static int compare_at(const void *x, const void *y)
{
    const Span *a = x;
    const Span *b = y;

    if (a->at != b->at)
        return compare_int64(a->at, b->at);
    return a->node->id - b->node->id;
}

/* Is one of them needed when the other is written? A kernel may write over what it is the last to
 * read, and over what it has stored itself and nobody reads. */
static bool live_together(const Span *a, const Span *b)
{
    if (a->first == b->first)
        return a->last > a->first && b->last > b->first;
    return a->first < b->last && b->first < a->last;
}

static void verify_space(Program *p, const Span *of, Type type, int64_t space)
{
    Span *span = arena_array(p->ngc, p->nodes + 1, sizeof *span);
    int count = 0;

    for (int i = 0; i < p->nodes; i++) {
        bool is_stored = p->place[i].kind == P_SPACE && of[i].first >= 0;
        if (is_stored && p->node[i]->type == type)
            span[count++] = of[i];
    }
    qsort(span, (size_t)count, sizeof *span, compare_at);

    for (int i = 0; i < count; i++) {
        const Span *s = &span[i];
        if (s->at < 0 || s->end > space)
            ngc_bug("program %s: %%%d is outside of work.space", p->name, s->node->id);

        /* in the order of their places, only those up to its end can overlap */
        for (int k = i + 1; k < count && span[k].at < s->end; k++)
            if (live_together(s, &span[k]))
                ngc_bug("program %s: %%%d and %%%d overlap", p->name, s->node->id,
                        span[k].node->id);
    }
}

/* At -O0 each value has a member of its own, and there are no offsets to check. */
static void verify_places(Program *p)
{
    if (p->plain)
        return;

    const Span *of = find_spans(p);
    int64_t floats = p->block_room > 0 ? p->block_at : p->space;
    verify_space(p, of, T_FLOAT, floats);
    verify_space(p, of, T_INT, p->ispace);
}

/* ---- all of them ---- */

void program_verify(Program *p)
{
    if (p->facts & FACT_KERNELS)
        verify_kernels(p);
    if (p->facts & FACT_LEVELS)
        verify_levels(p);
    if (p->facts & FACT_PARTS)
        verify_parts(p);
    if (p->facts & FACT_PLACES)
        verify_places(p);
}
