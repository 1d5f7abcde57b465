/* report.c - --report: what a model costs. Parameters and memory, and of each function its
 * operations, the memory it moves, what it keeps for backward, and how threads would work on it.
 *
 * In: a module. Out: text. Counts are with run-time sizes at their bounds. */
#include "program/module.h"
#include "tool/tool.h"

#include <string.h>

enum { BYTES = 10 }; /* a nanosecond, between memory and one core of a common machine */

/* ---- parameters ---- */

/* The part of a name before its last point: the layer. */
static size_t layer_size(const char *name)
{
    const char *point = strrchr(name, '.');

    if (point)
        return (size_t)(point - name);
    return strlen(name);
}

/* Is v another parameter of the layer that `first` is in? */
static bool is_of_layer(const Var *v, const Var *first)
{
    size_t size = layer_size(first->name);

    return v->kind == VAR_PARAM && first->name[size] == '.' && layer_size(v->name) == size &&
           strncmp(v->name, first->name, size) == 0;
}

/* Adds the elements of v to count, and "fc.w [64, 10]" to shapes. */
static void add_param(const Module *m, const Var *v, int64_t *count, Text *shapes)
{
    *count += module_count(m, v->shape);
    text_add(shapes, "%s%s %s", text_if(shapes->size, ", "), v->name,
             shape_text(m->graph, v->shape));
}

/* A line for each layer; its variables come one after another. */
static void report_params(const Module *m, FILE *out)
{
    const Model *model = m->model;
    int64_t all = 0;

    for (int i = 0; i < model->vars; i++)
        if (model->var[i]->kind == VAR_PARAM)
            all += module_count(m, model->var[i]->shape);
    fprintf(out, "parameters: %lld\n", (long long)all);

    for (int i = 0; i < model->vars;) {
        const Var *first = model->var[i++];
        if (first->kind != VAR_PARAM)
            continue;

        int64_t count = 0;
        Text shapes = {.ngc = m->ngc};
        add_param(m, first, &count, &shapes);
        while (i < model->vars && is_of_layer(model->var[i], first))
            add_param(m, model->var[i++], &count, &shapes);
        fprintf(out, "  %.*s: %lld (%s)\n", (int)layer_size(first->name), first->name,
                (long long)count, shapes.at);
    }
}

/* ---- memory ---- */

static void report_block(const char *name, int64_t bytes, FILE *out)
{
    if (bytes > 0)
        fprintf(out, "bytes of %s: %lld\n", name, (long long)bytes);
}

static int64_t vars_bytes(const Module *m, VarKind kind)
{
    int64_t bytes = 0;

    for (int i = 0; i < m->model->vars; i++) {
        const Var *v = m->model->var[i];
        if (v->kind == kind)
            bytes += module_bytes(m, v->type, v->shape);
    }
    return bytes;
}

static int64_t grads_bytes(const Module *m)
{
    int64_t bytes = 0;

    for (int i = 0; i < m->model->roots; i++) {
        const Root *r = &m->model->root[i];
        if (r->kind == ROOT_GRAD)
            bytes += module_bytes(m, T_FLOAT, r->node->shape);
    }
    return bytes;
}

static void report_memory(const Module *m, FILE *out)
{
    StructSize work = module_work(m, 8, NULL);
    StructSize small = module_work(m, 4, NULL);
    StructSize totals = module_totals(m);
    int64_t space = m->space * type_size(m->ngc, T_FLOAT) + m->ispace * type_size(m->ngc, T_INT);

    report_block("params", vars_bytes(m, VAR_PARAM), out);
    report_block("state", vars_bytes(m, VAR_STATE), out);
    report_block("constants", vars_bytes(m, VAR_FROZEN), out);
    report_block("grads", grads_bytes(m), out);
    fprintf(out, "bytes of work: %lld (planned space: %lld; where pointers have 4 bytes: %lld)\n",
            (long long)struct_bytes(&work), (long long)space, (long long)struct_bytes(&small));

    if (m->metrics) {
        int walks = m->metrics->carry->walks;
        fprintf(out, "bytes of totals: %lld, of %d walk%s over the rows\n",
                (long long)struct_bytes(&totals), walks, plural(walks));
    }
}

/* ---- functions ---- */

/* The time that a common machine needs at least. */
static void report_moves(const Function *f, Cost cost, FILE *out)
{
    double rate = common_rate(f->program->ngc);
    double work = (double)cost.flops / rate;
    double move = (double)(cost.read + cost.written) / BYTES;

    fprintf(out, "  moves: %lld bytes read, %lld written\n", (long long)cost.read,
            (long long)cost.written);
    fprintf(out, "  limit: %.3g us by arithmetic at %g Gflop/s, %.3g us by memory at %d GB/s\n",
            work / 1e3, rate, move / 1e3, BYTES);
}

static bool is_stored(PlaceKind kind)
{
    return kind != P_NONE && kind != P_ALIAS && kind != P_FOLDED;
}

/* The kernels that fusion made of the values of a program, by their kind. */
static void report_kernels(const Program *p, FILE *out)
{
    int stored = 0, products = 0, nests = 0, inside = 0, merged = 0;

    for (int i = 0; i < p->nodes; i++)
        stored += is_stored(p->place[i].kind);

    for (int i = 0; i < p->kernels; i++) {
        const Kernel *k = p->kernel[i];
        products += k->kind == K_GEMM;
        nests += k->members > 0;
        inside += k->members;
        merged += k->stores > 1 && !k->members;
    }

    fprintf(out,
            "  fuse: %d values, %d of them stored; %d kernels: %d matrix products, "
            "%d loops that store several values\n",
            p->nodes, stored, p->kernels, products, merged);
    if (nests > 0)
        fprintf(out, "  rows: %d nests over rows in place of %d loops\n", nests, inside);
}

/* What fusing and planning made of a program. */
static void report_passes(const Function *f, FILE *out)
{
    const Program *p = f->program;
    int64_t size = type_size(p->ngc, T_FLOAT);

    report_kernels(p, out);
    fprintf(out, "  plan: %lld bytes of values in %lld; at most %lld at one time\n",
            (long long)(p->stored * size), (long long)(p->space * size),
            (long long)(p->live * size));
}

/* "h = tanh(z)" */
static const char *statement(const Program *p, const Node *n)
{
    const char *text = node_text(p->graph, n, 3);

    if (!n->name)
        return text;
    return text_format(p->ngc, "%s = %s", n->name, text);
}

/* Values of forward that backward reads, each with what it is wanted for. */
static void report_saved(const Function *backward, FILE *out)
{
    const Program *p = backward->program;
    SavedCost saved = function_saved(backward);

    if (saved.count == 0)
        return;
    fprintf(out, "  saved by forward: %d values, %lld bytes\n", saved.count,
            (long long)saved.bytes);

    for (int i = 0; i < p->nodes; i++) {
        const Node *n = p->node[i];
        if (!saved.wanted[i])
            continue;

        int64_t count = shape_count_max(p->graph, n->shape);
        int64_t bytes = count * type_size(p->ngc, n->type);
        const Kernel *k = saved.wanted[i];
        const Node *user =
            k->stores > 0 ? k->store[0].node : k->product; /* a loop stores nothing */
        fprintf(out, "    %s %s, %lld bytes: for %s\n", statement(p, n),
                shape_text(p->graph, n->shape), (long long)bytes, statement(p, user));
    }
}

/* What backward computes again so that work is smaller (--memory). */
static void report_again(const Function *f, FILE *out)
{
    const Program *p = f->program;
    AgainCost cost = function_again(f);
    const char *all = f->phase == 1 ? "forward and backward" : "the step";

    if (cost.loop_flops > 0)
        fprintf(out, "  passes computed again, by segments: %lld flops, %.1f%% of the time of %s\n",
                (long long)cost.loop_flops, 100 * cost.loop_part, all);
    if (cost.kernels == 0)
        return;
    fprintf(out,
            "  computed again: %d values, by %d kernels: %lld flops, %.1f%% of the time of %s; "
            "%lld bytes of space in place of %lld\n",
            cost.values, cost.kernels, (long long)cost.flops, 100 * cost.part, all,
            (long long)program_bytes(p), (long long)p->whole);

    for (int i = 0; i < p->nodes; i++) {
        const Node *n = p->node[i];
        if (p->again[i] == 0)
            continue;

        int64_t count = shape_count_max(p->graph, n->shape);
        fprintf(out, "    %s %s, %lld bytes%s\n", statement(p, n), shape_text(p->graph, n->shape),
                (long long)(count * type_size(p->ngc, n->type)),
                p->again[i] > 1 ? text_format(p->ngc, ", %d times", p->again[i]) : "");
    }
}

/* How the threads of a pool would work on a function. */
static void report_shares(const Function *f, FILE *out)
{
    int split = 0, alone = 0, waits = 0;
    double time = 0, all = 0;

    if (!f->shared)
        return;
    for (int i = 0; i < f->program->kernels; i++) {
        const Kernel *k = f->program->kernel[i];
        if (!function_has(f, k))
            continue;

        all += k->time;
        if (k->split) {
            split++;
            time += k->time;
        } else {
            alone++;
        }

        waits += k->waits;
        if (k->split && k->blocks) /* within the kernel, before the sums of blocks are added */
            waits++;
    }

    fprintf(out,
            "  with a pool: %d kernels are shared by the threads, %.0f%% of the work; "
            "%d are done by one; the threads meet %d times\n",
            split, 100 * time / all, alone, waits);
}

/* The first line of a piece of the text. */
static const char *first_line(const Ngc *ngc, Loc loc)
{
    const char *text = source_text((Ngc *)ngc, loc);
    return text_format((Ngc *)ngc, "%.*s", (int)strcspn(text, "{"), text);
}

static bool same_note(const struct LoopNote *a, const struct LoopNote *b)
{
    return a->loc.file == b->loc.file && a->loc.at == b->loc.at && a->stays == b->stays;
}

/* What became of each loop over a range; of a loop in a function, once. */
static void report_loops(const Module *m, FILE *out)
{
    Ngc *ngc = m->ngc;
    const Model *model = m->model;

    for (int i = 0; i < model->loops; i++) {
        const struct LoopNote *n = &model->loop[i];
        int first = 0;
        while (!same_note(&model->loop[first], n))
            first++;
        if (first < i || loc_of_library(ngc, n->loc))
            continue;

        fprintf(out, "loop in line %d: %s", source_line(ngc, n->loc, NULL),
                first_line(ngc, n->loc));
        int segment = ngc->opt.segment;
        if (n->stays && segment > 0 && n->passes > segment)
            fprintf(out, "stays a loop, in %s\n", segments_text(ngc));
        else if (n->stays)
            fprintf(out, "stays a loop\n");
        else
            fprintf(out, "is expanded: line %d: %s\n", source_line(ngc, n->why_loc, NULL), n->why);
    }
}

/* Loops of the C that the graph does not have. */
static void report_repeats(const Output *c, FILE *out)
{
    if (c->repeats > 0)
        fprintf(out,
                "C: %d loops do what is repeated one after another, as by blocks with weights of "
                "their own; %d passes\n",
                c->repeats, c->passes);
}

void report(const Module *m, const Output *c, FILE *out)
{
    Graph *g = m->graph;
    fprintf(out, "model: %s\n", m->name);
    for (int i = 0; i < g->dims; i++)
        fprintf(out, "size %s: 1 to %lld (counted at its bound)\n", g->dim[i].name,
                (long long)g->dim[i].max);
    report_loops(m, out);
    report_repeats(c, out);
    report_params(m, out);
    report_memory(m, out);

    for (int i = 0; i < m->functions; i++) {
        const Function *f = &m->function[i];
        Cost cost = function_cost(f);
        fprintf(out, "%s: %lld flops, %d kernels\n", f->name, (long long)cost.flops, cost.kernels);
        report_moves(f, cost, out);
        if (f->phase == 1)
            report_saved(f, out);
        else
            report_passes(f, out);
        if (f->phase != 0)
            report_again(f, out);
        report_shares(f, out);
    }
}
