/* report.c - what a model costs: arithmetic, parameters, memory. Counted on the programs that are
 * emitted, with run-time sizes at their bounds. */
#include "emit.h"

#include <string.h>

static int64_t function_flops(const Function *f)
{
    int64_t sum = 0;
    for (int i = 0; i < f->program->kernels; i++)
        if (emit_in_function(f, f->program->kernel[i]))
            sum += kernel_flops(f->program, f->program->kernel[i]);
    return sum;
}

static int function_kernels(const Function *f)
{
    int count = 0;
    for (int i = 0; i < f->program->kernels; i++)
        count += emit_in_function(f, f->program->kernel[i]);
    return count;
}

static int64_t var_count(const Emit *e, const Var *v)
{
    return size_max(e->graph, shape_count(e->graph, v->shape));
}

/* The part of a name before its last point: the layer. */
static size_t layer_size(const char *name)
{
    const char *point = strrchr(name, '.');
    return point ? (size_t)(point - name) : strlen(name);
}

/* How the threads of a pool would work on a function. */
static void report_shares(const Function *f, FILE *out)
{
    int split = 0, alone = 0, waits = 0;
    double time = 0, all = 0;
    for (int i = 0; i < f->program->kernels; i++) {
        const Kernel *k = f->program->kernel[i];
        if (!emit_in_function(f, k))
            continue;
        split += k->split > 0;
        alone += k->split == 0;
        waits += k->waits + (k->split && k->blocks);
        time += k->split ? k->time : 0;
        all += k->time;
    }
    if (f->shared)
        fprintf(
            out,
            "  with a pool: %d kernels are shared by the threads, %.0f%% of the work; %d are done by one; the threads meet %d times\n",
            split, 100 * time / all, alone, waits);
}

/* A line for each layer; its variables stand together. */
static void report_params(const Emit *e, FILE *out)
{
    int64_t all = 0;
    for (int i = 0; i < e->model->vars; i++)
        all += e->model->var[i]->kind == VAR_PARAM ? var_count(e, e->model->var[i]) : 0;
    fprintf(out, "parameters: %lld\n", (long long)all);
    for (int i = 0; i < e->model->vars;) {
        const Var *v = e->model->var[i++];
        size_t size = layer_size(v->name);
        if (v->kind != VAR_PARAM)
            continue;
        int64_t count = var_count(e, v);
        Text shapes = {.ngc = e->ngc};
        text_add(&shapes, "%s %s", v->name, shape_text(e->graph, v->shape));
        while (i < e->model->vars && e->model->var[i]->kind == VAR_PARAM &&
               layer_size(e->model->var[i]->name) == size &&
               strncmp(e->model->var[i]->name, v->name, size) == 0 && v->name[size] == '.') {
            count += var_count(e, e->model->var[i]);
            text_add(&shapes, ", %s %s", e->model->var[i]->name,
                     shape_text(e->graph, e->model->var[i]->shape));
            i++;
        }
        fprintf(out, "  %.*s: %lld (%s)\n", (int)size, v->name, (long long)count, shapes.at);
    }
}

static void report_structs(const Emit *e, FILE *out)
{
    static const struct {
        VarKind kind;
        const char *name;
    } of[] = {{VAR_PARAM, "params"}, {VAR_STATE, "state"}};
    int64_t bytes;
    for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
        bytes = 0;
        for (int i = 0; i < e->model->vars; i++)
            if (e->model->var[i]->kind == of[k].kind)
                bytes += var_count(e, e->model->var[i]) * type_size(e->ngc, e->model->var[i]->type);
        if (bytes > 0)
            fprintf(out, "bytes of %s: %lld\n", of[k].name, (long long)bytes);
    }
    bytes = 0;
    for (int i = 0; i < e->model->roots; i++)
        if (e->model->root[i].kind == ROOT_GRAD)
            bytes += size_max(e->graph, shape_count(e->graph, e->model->root[i].node->shape)) *
                     type_size(e->ngc, T_FLOAT);
    if (bytes > 0)
        fprintf(out, "bytes of grads: %lld\n", (long long)bytes);
    fprintf(out, "bytes of work: %lld (planned space: %lld; where pointers have 4 bytes: %lld)\n",
            (long long)emit_work_size(e, 8),
            (long long)(e->space * type_size(e->ngc, T_FLOAT) + e->ispace * 4),
            (long long)emit_work_size(e, 4));
    if (e->metrics)
        fprintf(out, "bytes of totals: %lld, of %d walk%s over the rows\n",
                (long long)emit_totals_size(e), e->metrics->carry->walks,
                e->metrics->carry->walks > 1 ? "s" : "");
}

void report(Ngc *ngc, Model *m, FILE *out)
{
    Emit *e = emit_prepare(ngc, m);
    fprintf(out, "model: %s\n", e->name);
    for (int i = 0; i < e->graph->dims; i++)
        fprintf(out, "size %s: 1 to %lld (counted at its bound)\n", e->graph->dim[i].name,
                (long long)e->graph->dim[i].max);
    report_params(e, out);
    report_structs(e, out);
    for (int i = 0; i < e->functions; i++) {
        const Function *f = &e->function[i];
        int64_t flops = function_flops(f);
        fprintf(out, "%s: %lld flops, %d kernels\n", f->name, (long long)flops,
                function_kernels(f));
        report_moves(f, flops, out);
        if (f->phase == 1)
            report_saved(f, out);
        else
            report_passes(f, out);
        report_shares(f, out);
    }
}
