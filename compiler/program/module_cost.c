/* module_cost.c - what a function of a module costs: operations, memory that it reads and writes,
 * and what forward keeps for backward, or backward computes again.
 *
 * In: a function whose program is planned. Out: numbers, with run-time sizes at their bounds. */
#include "program/module.h"

static int64_t node_bytes(const Program *p, const Node *n)
{
    return shape_count_max(p->graph, n->shape) * type_size(p->ngc, n->type);
}

/* ---- tensors that a kernel reads ---- */

/* passes: the loops read or write one element in each; -1: all of the tensor */
typedef void LoadVisit(const Node *, int64_t passes, void *with);

typedef struct Loads { /* of the kernels of a program */
    const Program *p;
    int *seen; /* by slot: 1 + the number of the last kernel that reads it */
    LoadVisit *visit;
    void *with;
} Loads;

static Loads loads_of(const Program *p, LoadVisit *visit, void *with)
{
    int *seen = arena_array(p->ngc, p->nodes + 1, sizeof *seen);

    return (Loads){.p = p, .seen = seen, .visit = visit, .with = with};
}

static void visit_load(Loads *l, int kernel, const Node *n, int64_t passes)
{
    int *seen = &l->seen[slot_of(l->p, n)];

    if (*seen != kernel + 1)
        l->visit(n, passes, l->with);
    *seen = kernel + 1;
}

/* The passes of the innermost loop. */
static int64_t all_passes(const Program *p, const Kernel *k)
{
    int64_t passes = 1;

    for (int i = 0; i < k->axes; i++)
        passes *= size_max(p->graph, k->extent[i]);
    return passes;
}

static void visit_values(Loads *l, int kernel, const Kernel *k)
{
    for (int i = 0; i < k->vals; i++)
        if (k->val[i]->kind == V_LOAD)
            visit_load(l, kernel, program_holder(l->p, k->val[i]->node), all_passes(l->p, k));
}

/* Each tensor is visited once, whatever the kernel uses it for. */
static void visit_loads(Loads *l, int kernel)
{
    const Kernel *k = l->p->kernel[kernel];

    for (int i = 0; i < 3; i++) {
        const Node *n = kernel_operand(l->p, k, i);
        if (n)
            visit_load(l, kernel, n, -1);
    }
    for (int m = 0; m < k->members; m++)
        visit_values(l, kernel, k->member[m]);
    if (!k->member)
        visit_values(l, kernel, k);
}

/* ---- operations and memory ---- */

typedef struct Moved {
    const Program *p;
    int64_t bytes;
} Moved;

/* Of a large table, no more is moved than the elements that the loops reach. */
static int64_t moved_bytes(const Program *p, const Node *n, int64_t passes)
{
    int64_t all = node_bytes(p, n);
    int64_t most = passes * type_size(p->ngc, n->type);
    return passes >= 0 && most < all ? most : all;
}

/* A variable of the function stays in a register, or near. */
static void add_moved(const Node *n, int64_t passes, void *with)
{
    Moved *m = with;
    PlaceKind kind = program_place(m->p, n)->kind;

    if (kind != P_LOCAL && kind != P_ROW)
        m->bytes += moved_bytes(m->p, n, passes);
}

static void add_stores(Moved *m, const Kernel *k)
{
    int64_t passes = -1;
    if (k->kind == K_LOOP && !k->member)
        passes = all_passes(m->p, k);

    for (int i = 0; i < k->members; i++)
        add_stores(m, k->member[i]);
    for (int i = 0; i < k->stores && !k->member; i++) {
        const Store *s = &k->store[i];
        if (s->target)
            m->bytes += moved_bytes(m->p, s->node, passes);
        else
            add_moved(s->node, passes, m);
    }
}

Cost function_cost(const Function *f)
{
    const Program *p = f->program;
    Moved read = {p, 0};
    Moved written = {p, 0};
    Loads loads = loads_of(p, add_moved, &read);
    Cost cost = {0};

    for (int i = 0; i < p->kernels; i++) {
        const Kernel *k = p->kernel[i];
        if (!function_has(f, k))
            continue;
        cost.kernels++;
        cost.flops += (int64_t)k->times * kernel_flops(p, k);
        visit_loads(&loads, i);
        add_stores(&written, k);
    }

    cost.read = read.bytes;
    cost.written = written.bytes;
    return cost;
}

/* ---- what forward keeps for backward ---- */

typedef struct Saved {
    const Program *p;
    const Kernel *by;      /* the kernel of backward at hand */
    const Kernel **wanted; /* by slot: the first that reads it */
} Saved;

/* Is it a value of forward that lies in memory? */
static bool is_kept(const Program *p, int slot)
{
    PlaceKind kind = p->place[slot].kind;

    return p->phase[slot] == 0 && !p->given[slot] && kind != P_VAR && kind != P_DATA &&
           kind != P_NONE && kind != P_ALIAS;
}

static void note_saved(const Node *n, int64_t passes, void *with)
{
    (void)passes;
    Saved *s = with;
    int slot = slot_of(s->p, n);

    if (is_kept(s->p, slot) && !s->wanted[slot])
        s->wanted[slot] = s->by;
}

SavedCost function_saved(const Function *backward)
{
    const Program *p = backward->program;
    Saved saved = {.p = p, .wanted = arena_array(p->ngc, p->nodes + 1, sizeof *saved.wanted)};
    Loads loads = loads_of(p, note_saved, &saved);

    for (int i = 0; i < p->kernels; i++) {
        saved.by = p->kernel[i];
        if (function_has(backward, saved.by))
            visit_loads(&loads, i);
    }

    SavedCost cost = {.wanted = saved.wanted};
    for (int i = 0; i < p->nodes; i++)
        if (saved.wanted[i]) {
            cost.count++;
            cost.bytes += node_bytes(p, p->node[i]);
        }
    return cost;
}

/* ---- what backward computes again ---- */

/* Adds the kernels of a loop; returns their time. Not in this program: 0. */
static double add_passes(const Program *p, const Loop *loop, AgainCost *cost)
{
    double time = 0;

    for (int i = 0; i < p->loops; i++)
        for (int k = p->loop[i].begin; p->loop[i].of == loop && k <= p->loop[i].end; k++) {
            int64_t times = (int64_t)p->kernel[k]->times;
            cost->loop_flops += times * kernel_flops(p, p->kernel[k]);
            time += (double)times * kernel_time(p, p->kernel[k]);
        }
    return time;
}

/* The way back through the segments of a loop does all kernels of that loop again. */
static void add_segments(const Program *p, double all, AgainCost *cost)
{
    double again = 0;

    for (int i = 0; i < p->loops; i++) {
        const Loop *of = p->loop[i].of->of;
        if (of && of->segments)
            again += add_passes(p, of, cost);
    }
    if (again > 0)
        cost->loop_part = again / (all - again);
    else
        cost->loop_part = 0;
}

AgainCost function_again(const Function *f)
{
    const Program *p = f->program;
    AgainCost cost = {0};
    double again = 0, other = 0;

    for (int i = 0; i < p->kernels; i++) {
        const Kernel *k = p->kernel[i];
        if (!k->again) {
            other += k->times * kernel_time(p, k);
            continue;
        }
        cost.kernels++;
        cost.flops += kernel_flops(p, k);
        again += kernel_time(p, k);
    }
    for (int i = 0; i < p->nodes && p->again; i++)
        cost.values += p->again[i] > 0;
    if (other > 0)
        cost.part = again / other;
    else
        cost.part = 0;
    add_segments(p, other, &cost);
    return cost;
}

double module_time(const Module *m)
{
    double time = 0;

    for (int i = 0; i < m->functions; i++) {
        const Function *f = &m->function[i];
        const Program *p = f->program;
        for (int k = 0; p && k < p->kernels; k++)
            if (function_has(f, p->kernel[k]))
                time += p->kernel[k]->times * kernel_time(p, p->kernel[k]);
    }
    return time;
}
