/* sink.c - in C to read (-O0), what backward computes beside its adjoints, such as a local slope,
 * is right above the first statement that reads it.
 *
 * The order of kernels is valid before. It stays so: what sinks only passes kernels that do not
 * read it, and reads no variable, which one of them might overwrite. A loop is passed as a whole.
 *
 * Requires: kernels in order. Gives: another order of those outside loops.
 */
#include "program/program.h"

typedef struct Sink {
    int *made_by; /* by slot: 1 + the place of what sinks and stores it; else 0 */
    int *to;      /* by place of what sinks: the first place that reads it; the end: none does */
    int here;     /* the place before which the kernel comes whose reads are looked at */
} Sink;

static void find_variable(Program *p, const Kernel *k, const Node *n, void *found)
{
    (void)p;
    (void)k;
    if (n->op == OP_var)
        *(bool *)found = true;
}

/* Is it of backward, outside loops, and neither an adjoint nor what is asked for? */
static bool may_sink(Program *p, const Kernel *k, const int *stores)
{
    const Store *s = &k->store[0];
    bool variable = false;

    if (k->loop || k->phase == 0 || k->stores != 1 || s->target || s->node->step)
        return false;

    /* what several kernels store, piece by piece, stays where it is */
    int slot = slot_of(p, s->node);
    if (p->place[slot].kind != P_SPACE || stores[slot] > 1)
        return false;

    kernel_each_read(p, k, find_variable, &variable);
    return !variable;
}

static void find_sinking(Program *p, Sink *sink)
{
    int *stores = arena_array(p->ngc, p->nodes + 1, sizeof *stores);

    for (int i = 0; i < p->kernels; i++) {
        const Kernel *k = p->kernel[i];
        for (int s = 0; s < k->stores; s++)
            stores[slot_of(p, k->store[s].node)]++;
    }

    for (int i = 0; i < p->kernels; i++) {
        const Kernel *k = p->kernel[i];
        if (may_sink(p, k, stores))
            sink->made_by[slot_of(p, k->store[0].node)] = i + 1;
    }
}

static void note_read(Program *p, const Kernel *k, const Node *n, void *with)
{
    Sink *sink = with;
    int place = sink->made_by[slot_of(p, n)] - 1;

    (void)k;
    if (place >= 0 && sink->to[place] > sink->here)
        sink->to[place] = sink->here;
}

static bool sinks(const Program *p, const Sink *sink, int place)
{
    const Node *n = p->kernel[place]->store[0].node;
    return n && sink->made_by[slot_of(p, n)] == place + 1;
}

/* By place: the first kernel of the outermost loop that it is in, or the place itself. */
static int *find_starts(const Program *p)
{
    int *start = arena_array(p->ngc, p->kernels + 1, sizeof *start);

    for (int i = 0, end = -1; i < p->kernels; i++) {
        const Kernel *k = p->kernel[i];
        if (i <= end)
            start[i] = start[i - 1];
        else
            start[i] = i;
        if (i > end && k->kind == K_FOR)
            end = program_loop(p, k->loop)->end;
    }
    return start;
}

/* Where each of them goes. From the end on, as readers come after what they read: where a reader
 * goes is known then. */
static void find_places(Program *p, Sink *sink)
{
    const int *start = find_starts(p);

    for (int i = 0; i < p->kernels; i++)
        sink->to[i] = p->kernels;
    for (int i = p->kernels; i-- > 0;) {
        if (sinks(p, sink, i))
            sink->here = sink->to[i];
        else
            sink->here = start[i];
        kernel_each_read(p, p->kernel[i], note_read, sink);
    }
}

void program_sink(Program *p)
{
    Ngc *ngc = p->ngc;
    size_t room = (size_t)(p->kernels + p->nodes + 1);
    Sink sink = {0};

    sink.made_by = arena_array(ngc, room, sizeof *sink.made_by);
    sink.to = arena_array(ngc, room, sizeof *sink.to);
    find_sinking(p, &sink);
    find_places(p, &sink);

    /* those that go to one place, in their old order */
    int *first = arena_array(ngc, room, sizeof *first);
    int *next = arena_array(ngc, room, sizeof *next);
    for (int i = p->kernels; i-- > 0;)
        if (sinks(p, &sink, i)) {
            next[i] = first[sink.to[i]];
            first[sink.to[i]] = i + 1;
        }

    Kernel **order = arena_array(ngc, room, sizeof *order);
    int count = 0;
    for (int i = 0; i <= p->kernels; i++) {
        for (int k = first[i]; k > 0; k = next[k - 1])
            order[count++] = p->kernel[k - 1];
        if (i < p->kernels && !sinks(p, &sink, i))
            order[count++] = p->kernel[i];
    }
    p->kernel = order;
    p->kernel_room = p->kernels;
}
