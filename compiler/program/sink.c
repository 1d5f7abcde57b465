/* sink.c - in C to read (-O0), what backward computes beside its adjoints, such as a local slope,
 * stands right above the first statement that reads it.
 *
 * The order of kernels is valid before. It stays so: what sinks only passes kernels that do not
 * read it, and reads no variable, which one of them might overwrite. A loop is passed as a whole.
 *
 * Requires: kernels in order. Gives: another order of those outside loops.
 */
#include "program/program.h"

typedef struct Sink {
    Kernel **old;
    Kernel **kernel; /* in their new order */
    int count;
    int *made_by; /* by slot: 1 + the place in `old` of what sinks and stores it; else 0 */
} Sink;

static void find_variable(Program *p, const Kernel *k, const Node *n, void *found)
{
    (void)p, (void)k;
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
    int slot = p->slot[s->node->id];
    if (p->place[slot].kind != P_SPACE || stores[slot] > 1)
        return false;

    kernel_each_read(p, k, find_variable, &variable);
    return !variable;
}

static void find_sinking(Program *p, Sink *sink)
{
    int *stores = arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *stores);

    for (int i = 0; i < p->kernels; i++)
        for (int s = 0; s < p->kernel[i]->stores; s++)
            stores[p->slot[p->kernel[i]->store[s].node->id]]++;

    for (int i = 0; i < p->kernels; i++)
        if (may_sink(p, p->kernel[i], stores))
            sink->made_by[p->slot[p->kernel[i]->store[0].node->id]] = i + 1;
}

/* What sinks and is read here comes now, after what it reads itself. */
static void put_what_it_reads(Program *p, const Kernel *k, const Node *n, void *with)
{
    Sink *sink = with;
    int place = sink->made_by[p->slot[n->id]] - 1;

    (void)k;
    if (place < 0)
        return;
    sink->made_by[p->slot[n->id]] = 0;
    kernel_each_read(p, sink->old[place], put_what_it_reads, sink);
    sink->kernel[sink->count++] = sink->old[place];
}

static bool sinks(const Program *p, const Sink *sink, int place)
{
    const Node *n = sink->old[place]->store[0].node;
    return n && sink->made_by[p->slot[n->id]] == place + 1;
}

/* The number of kernels of the loop that begins here; of any other kernel 1. */
static int length_at(const Program *p, int place)
{
    const Kernel *k = p->kernel[place];
    return k->kind == K_FOR ? program_loop(p, k->loop)->end - place + 1 : 1;
}

void program_sink(Program *p)
{
    Sink sink = {.old = p->kernel};

    sink.kernel = arena_alloc(p->ngc, (size_t)(p->kernels + 1) * sizeof *sink.kernel);
    sink.made_by = arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *sink.made_by);
    find_sinking(p, &sink);

    for (int i = 0, next; i < p->kernels; i = next) {
        next = i + length_at(p, i);
        if (sinks(p, &sink, i))
            continue;
        for (int k = i; k < next; k++)
            kernel_each_read(p, sink.old[k], put_what_it_reads, &sink);
        for (int k = i; k < next; k++)
            sink.kernel[sink.count++] = sink.old[k];
    }

    /* what nothing reads */
    for (int i = 0; i < p->kernels; i++)
        if (sinks(p, &sink, i))
            sink.kernel[sink.count++] = sink.old[i];
    p->kernel = sink.kernel;
    p->kernel_room = p->kernels;
}
