/* report_cost.c - of each emitted function: the memory it moves and the time below which a common
 * machine cannot do it; how its values became kernels and share memory; and what forward keeps for
 * backward, with the statement that wants it. */
#include "emit.h"

#include <string.h>

enum { BYTES = 10 }; /* a nanosecond, between memory and one core of a common machine */

static int64_t node_bytes(const Program *p, const Node *n)
{
    return size_max(p->graph, shape_count(p->graph, n->shape)) * type_size(p->ngc, n->type);
}

/* What a kernel has in memory and reads is called once for each tensor, whatever it is used for. */
static void each_load(const Program *p, const Kernel *k, int *seen, int mark,
                      void (*f)(const Node *, void *), void *with)
{
    for (int i = -3; i < k->vals; i++) {
        const Node *n = i < 0                       ? kernel_operand(p, k, i + 3)
                        : k->val[i]->kind == V_LOAD ? program_holder(p, k->val[i]->node)
                                                    : NULL;
        if (n == NULL || seen[p->slot[n->id]] == mark)
            continue;
        seen[p->slot[n->id]] = mark;
        f(n, with);
    }
}

typedef struct Moved {
    const Program *p;
    int64_t bytes;
} Moved;

/* A variable of the function stays in a register, or near. */
static void add_moved(const Node *n, void *with)
{
    Moved *m = with;
    PlaceKind kind = program_place(m->p, n)->kind;
    m->bytes += kind == P_LOCAL || kind == P_ROW ? 0 : node_bytes(m->p, n);
}

static int64_t bytes_read(const Function *f)
{
    const Program *p = f->program;
    int *seen = arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *seen);
    Moved m = {p, 0};
    for (int i = 0; i < p->kernels; i++)
        if (emit_in_function(f, p->kernel[i]))
            each_load(p, p->kernel[i], seen, i + 1, add_moved, &m);
    return m.bytes;
}

static int64_t bytes_written(const Function *f)
{
    Moved m = {f->program, 0};
    for (int i = 0; i < f->program->kernels; i++)
        for (int s = 0;
             s < f->program->kernel[i]->stores && emit_in_function(f, f->program->kernel[i]); s++) {
            const Store *store = &f->program->kernel[i]->store[s];
            if (store->target)
                m.bytes += node_bytes(m.p, store->node);
            else
                add_moved(store->node, &m);
        }
    return m.bytes;
}

void report_moves(const Function *f, int64_t flops, FILE *out)
{
    int64_t read = bytes_read(f), written = bytes_written(f);
    double rate = common_rate(f->program->ngc), work = (double)flops / rate,
           move = (double)(read + written) / BYTES;
    fprintf(out, "  moves: %lld bytes read, %lld written\n", (long long)read, (long long)written);
    fprintf(out, "  limit: %.3g us by arithmetic at %g Gflop/s, %.3g us by memory at %d GB/s\n",
            work / 1e3, rate, move / 1e3, BYTES);
}

/* What fusing and planning made of a program. */
void report_passes(const Function *f, FILE *out)
{
    const Program *p = f->program;
    int stored = 0, products = 0, nests = 0, inside = 0, merged = 0;
    int64_t size = type_size(p->ngc, T_FLOAT);
    for (int i = 0; i < p->nodes; i++)
        stored += p->place[i].kind != P_NONE && p->place[i].kind != P_ALIAS &&
                  p->place[i].kind != P_FOLDED;
    for (int i = 0; i < p->kernels; i++) {
        const Kernel *k = p->kernel[i];
        products += k->kind == K_GEMM;
        nests += k->members > 0;
        inside += k->members;
        merged += k->stores > 1 && !k->members;
    }
    fprintf(
        out,
        "  fuse: %d values, %d of them stored; %d kernels: %d matrix products, %d loops that store several values\n",
        p->nodes, stored, p->kernels, products, merged);
    if (nests > 0)
        fprintf(out, "  rows: %d nests over rows in place of %d loops\n", nests, inside);
    fprintf(out, "  plan: %lld bytes of values in %lld; at most %lld at one time\n",
            (long long)(p->stored * size), (long long)(p->space * size),
            (long long)(p->live * size));
}

typedef struct Saved {
    const Program *p;
    const Kernel *by;
    const Kernel **wanted; /* by slot: the first kernel of backward that reads it */
} Saved;

static void note_saved(const Node *n, void *with)
{
    Saved *s = with;
    int slot = s->p->slot[n->id];
    if (s->p->phase[slot] == 0 && !s->p->given[slot] && !s->wanted[slot])
        s->wanted[slot] = s->by;
}

/* "h = tanh(z)" */
static const char *statement(const Program *p, const Node *n)
{
    const char *text = node_text(p->graph, n, 3);
    return n->name ? text_format(p->ngc, "%s = %s", n->name, text) : text;
}

/* Values of forward that backward reads, each with what it is wanted for. */
void report_saved(const Function *backward, FILE *out)
{
    const Program *p = backward->program;
    int *seen = arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *seen);
    Saved s = {p, NULL, arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *s.wanted)};
    int64_t bytes = 0;
    int count = 0;
    for (int i = 0; i < p->kernels; i++) {
        s.by = p->kernel[i];
        if (emit_in_function(backward, s.by))
            each_load(p, s.by, seen, i + 1, note_saved, &s);
    }
    for (int i = 0; i < p->nodes; i++) {
        PlaceKind kind = p->place[i].kind;
        if (!s.wanted[i] || kind == P_VAR || kind == P_DATA || kind == P_NONE || kind == P_ALIAS)
            s.wanted[i] = NULL;
        else
            count++, bytes += node_bytes(p, p->node[i]);
    }
    if (count == 0)
        return;
    fprintf(out, "  saved by forward: %d values, %lld bytes\n", count, (long long)bytes);
    for (int i = 0; i < p->nodes; i++)
        if (s.wanted[i])
            fprintf(out, "    %s %s, %lld bytes: for %s\n", statement(p, p->node[i]),
                    shape_text(p->graph, p->node[i]->shape), (long long)node_bytes(p, p->node[i]),
                    statement(p, s.wanted[i]->store[0].node));
}
