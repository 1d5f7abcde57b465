/* selfcheck.c - prints a C program that checks itself: the emitted C of a model, values for its
 * variables, and what the reference interpreter makes of them. It is compiled and run by run.sh.
 * The interpreter is given the literal graph, which no pass but the needed ones has touched, so
 * that a pass that changes what a model computes is found.
 *
 *     selfcheck [-O0] [--no-share] [--standalone] [--dims=N] [--seed=N] MODEL.ng > program.c
 */
#include "program.h"

#include "../literal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Uniform in [0, 1). */
static double draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0;
}

static void print_array(const char *type, const char *name, int number, const double *x, int64_t n)
{
    printf("static const %s %s_%d[] = {", type, name, number);
    for (int64_t i = 0; i < n; i++)
        if (isfinite(x[i]))
            printf(type[0] == 'i' ? "%s%.0f" : "%s%.17g", i ? "," : "", x[i]);
        else
            printf("%s%s", i ? "," : "", isnan(x[i]) ? "NAN" : x[i] < 0 ? "-INFINITY" : "INFINITY");
    printf("};\n");
}

/* Inputs between 0.1 and 0.9, labels below their limit, parameters around 0, states as they start.
 */
static double *make_values(Ngc *ngc, Eval *e, const Var *v, uint64_t *seed)
{
    int64_t dim[MAX_RANK], n = eval_shape(e, v->shape, dim);
    double *x = arena_alloc(ngc, (size_t)(n + 1) * sizeof *x);
    for (int64_t i = 0; i < n; i++)
        x[i] = v->type == T_INT
                   ? (double)(int64_t)(draw(seed) * (double)(v->limit > 0 ? v->limit : 3))
               : v->kind == VAR_PARAM ? draw(seed) - 0.5
                                      : 0.1 + 0.8 * draw(seed);
    if (v->kind == VAR_STATE && v->init)
        memcpy(x, eval_node(e, v->init), (size_t)n * sizeof *x);
    return x;
}

static int arrays;

/* A check of n elements against the interpreter's. */
static void print_check(Eval *e, const char *label, const char *block, const char *member, Node *n)
{
    int64_t dim[MAX_RANK], count = eval_shape(e, n->shape, dim);
    const double *x = eval_node(e, n);
    printf("    {\n        ");
    print_array("double", "want", ++arrays, x, count);
    printf("        check%s(\"%s %s\", &%s.%s, want_%d, %lld);\n    }\n",
           n->type == T_INT ? "_int" : "", label, member, block, member, arrays, (long long)count);
}

static void print_roots(Eval *e, const Model *m, const char *label, double training, unsigned kinds)
{
    e->training = training;
    eval_forget(e);
    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        if (kinds >> r->kind & 1)
            print_check(e, label,
                        r->kind == ROOT_GRAD        ? "grads"
                        : r->kind != ROOT_UPDATE    ? "work"
                        : r->var->kind == VAR_PARAM ? "params"
                                                    : "state",
                        r->kind == ROOT_UPDATE ? r->var->cname : r->cname, r->node);
    }
}

static bool has(const Model *m, VarKind kind)
{
    for (int i = 0; i < m->vars; i++)
        if (m->var[i]->kind == kind)
            return true;
    return kind == VAR_INPUT && m->graph->dims > 0;
}

static bool has_root(const Model *m, RootKind kind)
{
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == kind)
            return true;
    return false;
}

/* ---- losses and metrics of all rows, in batches ---- */

/* The axis that holds rows, and elements of a row in one piece of it; -1: it has none, -2: it
 * cannot be cut into batches. */
static int row_axis(Graph *g, Shape s, Size *unit)
{
    int axis = -1;
    for (int i = 0; i < s.rank; i++)
        if (size_uses_dim(g, s.dim[i], 0))
            axis = axis == -1 && size_div(g, s.dim[i], size_dim(g, 0), unit) &&
                           !size_uses_dim(g, *unit, 0)
                       ? i
                       : -2;
    return axis;
}

/* The function `part` of the program, which points the inputs to some of the rows. False: there is
 * an input that has no rows. */
static bool print_part(Eval *e, const Model *m)
{
    Text t = {.ngc = e->ngc};
    long long rows = (long long)e->dim[0];
    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];
        int64_t dim[MAX_RANK], count = eval_shape(e, v->shape, dim), outer = 1;
        Size unit = 0;
        int axis = v->kind == VAR_INPUT ? row_axis(m->graph, v->shape, &unit) : -1;
        const char *type = v->type == T_INT ? "int32_t" : "double";
        if (axis == -2)
            return false;
        if (axis < 0)
            continue;
        for (int k = 0; k < axis; k++)
            outer *= dim[k];
        printf("static %s part_%d[%lld];\n", type, i, (long long)count);
        text_add(
            &t,
            "    for (int o = 0; o < %lld; o++)\n        memcpy(part_%d + o*n*%lld, value_%d + (o*%lld + first)*%lld, n*%lld*sizeof(%s));\n"
            "    in.%s = part_%d;\n",
            (long long)outer, i, (long long)(count / outer / rows), i, rows,
            (long long)(count / outer / rows), (long long)(count / outer / rows), type, v->cname,
            i);
    }
    printf("static void part(int first, int n)\n{\n    in.%s = n;\n%s}\n", m->graph->dim[0].name,
           t.at ? t.at : "    (void)first;\n");
    return true;
}

/* The totals of a loss or metric against the interpreter's, which sees all rows at once. */
static void print_totals(Eval *e, const Model *m)
{
    e->training = 0;
    eval_forget(e);
    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        int64_t dim[MAX_RANK], count = eval_shape(e, r->node->shape, dim);
        if (r->kind != ROOT_LOSS && r->kind != ROOT_METRIC)
            continue;
        printf("    {\n        ");
        print_array("double", "want", ++arrays, eval_node(e, r->node), count);
        printf("        check_total(model, \"%s\", totals, want_%d, %lld);\n    }\n", r->name,
               arrays, (long long)count);
    }
}

static const char *const helpers =
    "\n#include <stdio.h>\n"
    "static int bad;\nstatic unsigned long long bits = 14695981039346656037ull;\n"
    "static void note(const void *x, size_t n)\n{\n    for (size_t i = 0; i < n; i++)\n"
    "        bits = (bits ^ ((const unsigned char *)x)[i]) * 1099511628211ull;\n}\n"
    "static void check(const char *what, const void *at, const double *want, size_t n)\n{\n    const double *got = "
    "at;\n"
    "    note(at, n * sizeof *got);\n    for (size_t i = 0; i < n; i++) {\n        double size = fabs(want[i]) > 1 ? "
    "fabs(want[i]) : 1;\n"
    "        if (!(fabs(got[i] - want[i]) <= 1e-10 * size) && !(got[i] != got[i] && want[i] != want[i]) && got[i] != "
    "want[i]) {\n"
    "            printf(\"%s[%d]: %.17g, not %.17g\\n\", what, (int)i, got[i], want[i]);\n            bad = 1;\n       "
    "     return;\n        }\n    }\n}\n"
    "static void check_int(const char *what, const void *at, const double *want, size_t n)\n{\n    const int32_t *got "
    "= at;\n"
    "    note(at, n * sizeof *got);\n    for (size_t i = 0; i < n; i++)\n        if (got[i] != (int32_t)want[i]) {\n"
    "            printf(\"%s[%d]: %d, not %g\\n\", what, (int)i, (int)got[i], want[i]);\n            bad = 1;\n        "
    "    return;\n        }\n}\n";

static const char *const total_helper =
    "static void check_total(const ngrt_model *model, const char *name, const char *totals, const double *want, size_t n)\n{\n"
    "    for (int i = 0; i < model->tensors; i++)\n"
    "        if (strcmp(model->tensor[i].name, name) == 0 && model->tensor[i].role >= NGRT_LOSS && model->tensor[i].total)\n"
    "            check(name, totals + model->tensor[i].total, want, n);\n}\n";

/* Batches of 1, of 2, and all rows: the same losses and metrics. */
static void print_metrics(Eval *e, const Model *m, const char *p, const char *s)
{
    printf(
        "    static double block[1 << 17];\n    char *totals = (char *)block;\n"
        "    const int rows = %lld;\n    int batches[] = {1, 2, rows};\n"
        "    for (int b = 0; model->metrics_add && b < 3; b++) {\n"
        "        int more = NGRT_AGAIN;\n        if (model->sizeof_totals > sizeof block)\n            return 9;\n"
        "        for (model->metrics_start(totals); more == NGRT_AGAIN; more = model->metrics_finish(totals))\n"
        "            for (int i = 0; i < rows; i += batches[b]) {\n"
        "                part(i, rows - i < batches[b] ? rows - i : batches[b]);\n"
        "                status |= model->metrics_add(%s, %s, &in, &work, totals);\n            }\n"
        "        status |= more;\n",
        (long long)e->dim[0], p, s);
    print_totals(e, m);
    printf("    }\n");
}

/* main of the program: blocks as static variables, the variables' values, then each function and
 * what it must give. */
static void print_main(Ngc *ngc, Model *m, Eval *e, const double *const *value)
{
    const char *name = m->name;
    (void)ngc;
    printf("static %s_work work;\n", name);
    if (has(m, VAR_PARAM))
        printf("static %s_params params, start_params;\n", name);
    if (has(m, VAR_STATE))
        printf("static %s_state state, start_state;\n", name);
    if (has_root(m, ROOT_GRAD))
        printf("static %s_grads grads;\n", name);
    if (has(m, VAR_INPUT))
        printf("static %s_inputs in = %s;\n", name, "{0}");
    const char *p = has(m, VAR_PARAM) ? "&params" : "NULL",
               *s = has(m, VAR_STATE) ? "&state" : "NULL", *in = has(m, VAR_INPUT) ? "&in" : "NULL",
               *g = has_root(m, ROOT_GRAD) ? "&grads" : "NULL";
    for (int i = 0; i < m->vars; i++) {
        int64_t dim[MAX_RANK];
        print_array(m->var[i]->type == T_INT ? "int32_t" : "double", "value", i, value[i],
                    eval_shape(e, m->var[i]->shape, dim));
    }
    bool batches = m->graph->dims > 0 && print_part(e, m);
    printf("%sint main(void)\n{\n    const ngrt_model *model = &%s_model;\n    int status = 0;\n",
           batches ? total_helper : "", name);
    if (has(m, VAR_PARAM) || has(m, VAR_STATE)) {
        printf("    model->init(%s, %s, 7);\n", p, s);
        e->seed = 7;
        eval_forget(e);
        for (int i = 0; i < m->vars; i++)
            if (m->var[i]->kind != VAR_INPUT && m->var[i]->init)
                print_check(e, "init", m->var[i]->kind == VAR_PARAM ? "params" : "state",
                            m->var[i]->cname, m->var[i]->init);
    }
    for (int d = 0; d < m->graph->dims; d++)
        printf("    in.%s = %lld;\n", m->graph->dim[d].name, (long long)e->dim[d]);
    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];
        if (v->kind == VAR_INPUT)
            printf(v->shape.rank ? "    in.%s = value_%d;\n" : "    in.%s = value_%d[0];\n",
                   v->cname, i);
        else
            printf("    memcpy(&%s.%s, value_%d, sizeof value_%d);\n",
                   v->kind == VAR_PARAM ? "params" : "state", v->cname, i, i);
    }
    if (has(m, VAR_PARAM))
        printf("    start_params = params;\n");
    if (has(m, VAR_STATE))
        printf("    start_state = state;\n");
    printf("    if (model->predict) {\n    status |= model->predict(%s, %s, %s, &work);\n", p, s,
           in);
    print_roots(e, m, "predict", 0, 1u << ROOT_OUTPUT);
    printf("    }\n    if (model->eval) {\n    status |= model->eval(%s, %s, %s, &work);\n", p, s,
           in);
    print_roots(e, m, "eval", 0, 1u << ROOT_OUTPUT | 1u << ROOT_LOSS | 1u << ROOT_METRIC);
    printf("    }\n    if (model->forward) {\n    status |= model->forward(%s, %s, %s, &work);\n",
           p, s, in);
    print_roots(e, m, "forward", 1, 1u << ROOT_LOSS);
    printf(
        "    }\n    for (int twice = 0; model->backward && twice < 2; twice++) {\n    status |= model->backward(%s, "
        "%s, %s, &work, %s);\n",
        p, s, in, g);
    print_roots(e, m, "backward", 1, 1u << ROOT_GRAD);
    printf("    }\n    if (model->update) {\n    status |= model->update(%s, %s, %s, &work, %s);\n",
           p, s, in, g);
    print_roots(e, m, "update", 1, 1u << ROOT_UPDATE);
    if (has(m, VAR_PARAM))
        printf("    params = start_params;\n");
    if (has(m, VAR_STATE))
        printf("    state = start_state;\n");
    printf("    }\n    if (model->step) {\n    status |= model->step(%s, %s, %s, &work);\n", p, s,
           in);
    print_roots(e, m, "step", 1, 1u << ROOT_LOSS | 1u << ROOT_UPDATE);
    printf("    }\n");
    if (has(m, VAR_PARAM))
        printf("    params = start_params;\n");
    if (has(m, VAR_STATE))
        printf("    state = start_state;\n");
    if (batches)
        print_metrics(e, m, p, s);
    printf(
        "    if (status || bad)\n        printf(\"status %%d\\n\", status);\n    printf(\"%%llx\\n\", bits);\n"
        "    return status || bad;\n}\n");
}

/* The model as the passes leave it, or (literal) as the text says it. */
static Model *read_model(const Options *opt, const char *path, bool literal)
{
    Ngc *ngc = calloc(1, sizeof *ngc);

    ngc->opt = *opt;
    ngc->opt.literal = literal;
    source_library(ngc);
    int file = path ? source_read(ngc, path, (Loc){.file = -1}) : -1;
    Model *m = file >= 0 ? model_compile(ngc, file) : NULL;
    if (m)
        m->name = "model";
    else
        diag_flush(ngc, stderr);
    return m;
}

int main(int argc, char **argv)
{
    int64_t dims = 1 << 30;
    uint64_t seed = 1;
    const char *path = NULL;
    Options opt = {.optimize = 2, .real_double = true, .comments = 1, .verify = true};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-O0") == 0)
            opt.optimize = 0, opt.comments = 2;
        else if (strcmp(argv[i], "--no-share") == 0)
            opt.no_share = true;
        else if (strcmp(argv[i], "--standalone") == 0)
            opt.standalone = true;
        else if (strncmp(argv[i], "--dims=", 7) == 0)
            dims = atoll(argv[i] + 7);
        else if (strncmp(argv[i], "--seed=", 7) == 0)
            seed = (uint64_t)atoll(argv[i] + 7);
        else
            path = argv[i];
    }
    Model *made = read_model(&opt, path, false);
    Model *m = made ? read_model(&opt, path, true) : NULL;
    if (m)
        literal_match(m, made);
    if (!m || m->roots != made->roots || m->vars != made->vars) {
        fprintf(stderr, "%s: no model, or the literal graph has other roots\n", path ? path : "");
        return 1;
    }
    Output out = {.c = {.ngc = made->graph->ngc}, .h = {.ngc = made->graph->ngc}};
    emit_c(made->graph->ngc, made, NULL, &out);
    for (int i = 0; i < m->roots; i++)
        m->root[i].cname = made->root[i].cname;
    for (int i = 0; i < m->vars; i++)
        m->var[i]->cname = made->var[i]->cname;
    Ngc *ngc = m->graph->ngc;
    Eval *e = eval_new(ngc, m);
    for (int d = 0; d < m->graph->dims; d++)
        e->dim[d] = m->graph->dim[d].max < dims ? m->graph->dim[d].max : dims;
    const double **value = arena_alloc(ngc, (size_t)(m->vars + 1) * sizeof *value);
    for (int i = 0; i < m->vars; i++) {
        value[i] = make_values(ngc, e, m->var[i], &seed);
        e->var[i] = value[i];
    }
    printf("%s%s", out.c.at, helpers);
    print_main(ngc, m, e, value);
    return 0;
}
