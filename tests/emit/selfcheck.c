/* selfcheck.c - prints a C program that checks itself: the emitted C of a model, values for its
 * variables, and what the reference interpreter makes of them. It is compiled and run by run.sh.
 * The interpreter is given the literal graph, which no pass but the needed ones has touched, so
 * that a pass that changes what a model computes is found.
 *
 *     selfcheck [OPTION ...] MODEL.ng > program.c
 *
 * Options: -O0, --no-share, --standalone, --unroll=N, --segment=N or N,PART; --dims=N, the most
 * that run-time sizes are; --seed=N; --float, for 32-bit floats, which differ by up to 1e-3 of the
 * largest element of a result (of 1, if all are smaller).
 *
 * --freeze=N: param number i is a constant if bit i % 16 of N is set.
 */
#include "emit/emit_c.h"
#include "program/module.h"
#include "tool/tool.h"

#include "../draw.h"
#include "../literal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A number as C writes it. */
static void print_number(bool whole, double x)
{
    if (isnan(x))
        printf("NAN");
    else if (isinf(x))
        printf(x < 0 ? "-INFINITY" : "INFINITY");
    else
        printf(whole ? "%.0f" : "%.17g", x);
}

static void print_array(const char *type, const char *name, int number, const double *x, int64_t n)
{
    printf("static const %s %s_%d[] = {", type, name, number);
    for (int64_t i = 0; i < n; i++) {
        if (i > 0)
            putchar(',');
        print_number(type[0] == 'i', x[i]);
    }
    printf("};\n");
}

/* An element of a variable: labels are below their limit, parameters around 0, inputs between 0.1
 * and 0.9. */
static double make_value(const Var *v, uint64_t *seed)
{
    int limit = v->limit > 0 ? v->limit : 3;

    if (v->type == T_INT)
        return floor(draw_unit(seed) * limit);
    bool weight = v->kind == VAR_PARAM || v->kind == VAR_FROZEN;
    return weight ? draw_unit(seed) - 0.5 : 0.1 + 0.8 * draw_unit(seed);
}

/* The elements of a variable; a state has its starting value. */
static double *make_values(Ngc *ngc, Eval *e, const Var *v, uint64_t *seed)
{
    int64_t dim[MAX_RANK], n = eval_shape(e, v->shape, dim);
    double *x = arena_alloc(ngc, (size_t)(n + 1) * sizeof *x);

    for (int64_t i = 0; i < n; i++)
        x[i] = make_value(v, seed);
    if (v->kind == VAR_STATE && v->init)
        memcpy(x, eval_node(e, v->init), (size_t)n * sizeof *x);
    return x;
}

static int arrays; /* how many are printed; each has a number of its own */

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

/* The block of the emitted C that holds a root. */
static const char *block_of(const Root *r)
{
    switch (r->kind) {
    case ROOT_GRAD: return "grads";
    case ROOT_UPDATE: return r->var->kind == VAR_PARAM ? "params" : "state";
    default: return "work";
    }
}

/* Checks of all roots of these kinds, a set of bits. */
static void print_roots(Eval *e, const Model *m, const char *label, double training, unsigned kinds)
{
    e->training = training;
    eval_forget(e);
    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        const char *member = r->kind == ROOT_UPDATE ? r->var->cname : r->cname;

        if (kinds >> r->kind & 1)
            print_check(e, label, block_of(r), member, r->node);
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

/* The axis that holds rows, and in *unit its places for each row. -1: there is none; -2: it cannot
 * be cut into batches. */
static int row_axis(Graph *g, Shape s, Size *unit)
{
    int axis = -1;

    for (int i = 0; i < s.rank; i++) {
        if (!size_uses_dim(g, s.dim[i], 0))
            continue;
        if (axis != -1 || !size_div(g, s.dim[i], size_dim(g, 0), unit) ||
            size_uses_dim(g, *unit, 0))
            return -2;
        axis = i;
    }
    return axis;
}

/* An input in batches: the array part_I, and into t the statement that copies rows to it.
 * `count` elements are `outer` pieces for each row. */
static void print_part_of(Text *t, const Var *v, int i, int64_t count, int64_t outer, int64_t rows)
{
    const char *type = v->type == T_INT ? "int32_t" : "number";
    long long piece = (long long)(count / outer / rows);

    printf("static %s part_%d[%lld];\n", type, i, (long long)count);
    text_add(t,
             "    for (int o = 0; o < %lld; o++)\n"
             "        memcpy(part_%d + o*n*%lld, value_%d + (o*%lld + first)*%lld, "
             "n*%lld*sizeof(%s));\n"
             "    in.%s = part_%d;\n",
             (long long)outer, i, piece, i, (long long)rows, piece, piece, type, v->cname, i);
}

/* The function `part` of the program, which points the inputs to some of the rows. False: there is
 * an input that cannot be cut. */
static bool print_part(Eval *e, const Model *m)
{
    Text t = {.ngc = e->ngc};

    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];
        int64_t dim[MAX_RANK], count = eval_shape(e, v->shape, dim), outer = 1;
        Size unit = 0;
        int axis = v->kind == VAR_INPUT ? row_axis(m->graph, v->shape, &unit) : -1;

        if (axis == -2)
            return false;
        if (axis < 0)
            continue;
        for (int k = 0; k < axis; k++)
            outer *= dim[k];
        print_part_of(&t, v, i, count, outer, e->dim[0]);
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

/* What the program has before its data: note() hashes what is computed, so that two programs can be
 * compared bit by bit; check() allows for rounding. */
static const char *const helpers =
    "\n"
    "#include <stdio.h>\n"
    "static int bad;\n"
    "static unsigned long long bits = 14695981039346656037ull;\n"
    "static void note(const void *x, size_t n)\n"
    "{\n"
    "    for (size_t i = 0; i < n; i++)\n"
    "        bits = (bits ^ ((const unsigned char *)x)[i]) * 1099511628211ull;\n"
    "}\n"
    "static int same(double got, double want, double size)\n"
    "{\n"
    "    if (got != got && want != want)\n"
    "        return 1;\n"
    "    size = sizeof(number) == sizeof(double) && fabs(want) > 1 ? fabs(want) : size;\n"
    "    return got == want || fabs(got - want) <= NEAR * size;\n"
    "}\n"
    "static void check(const char *what, const void *at, const double *want, size_t n)\n"
    "{\n"
    "    const number *got = at;\n"
    "    double size = 1;\n"
    "    note(at, n * sizeof *got);\n"
    "    for (size_t i = 0; i < n && sizeof(number) < sizeof(double); i++)\n"
    "        size = fabs(want[i]) > size ? fabs(want[i]) : size;\n"
    "    for (size_t i = 0; i < n; i++)\n"
    "        if (!same(got[i], want[i], size)) {\n"
    "            printf(\"%s[%d]: %.17g, not %.17g\\n\", what, (int)i, got[i], want[i]);\n"
    "            bad = 1;\n"
    "            return;\n"
    "        }\n"
    "}\n"
    "static void check_int(const char *what, const void *at, const double *want, size_t n)\n"
    "{\n"
    "    const int32_t *got = at;\n"
    "    note(at, n * sizeof *got);\n"
    "    for (size_t i = 0; i < n; i++)\n"
    "        if (got[i] != (int32_t)want[i]) {\n"
    "            printf(\"%s[%d]: %d, not %g\\n\", what, (int)i, (int)got[i], want[i]);\n"
    "            bad = 1;\n"
    "            return;\n"
    "        }\n"
    "}\n";

static const char *const total_helper =
    "static void check_total(const ngrt_model *model, const char *name, const char *totals,\n"
    "                        const double *want, size_t n)\n"
    "{\n"
    "    for (int i = 0; i < model->tensors; i++) {\n"
    "        const ngrt_tensor *t = &model->tensor[i];\n"
    "        if (strcmp(t->name, name) == 0 && t->role >= NGRT_LOSS && t->total)\n"
    "            check(name, totals + t->total, want, n);\n"
    "    }\n"
    "}\n";

/* The blocks of a model as arguments in the program; "NULL": the model has none. */
typedef struct Blocks {
    const char *params, *state, *inputs, *grads;
} Blocks;

static Blocks blocks_of(const Model *m)
{
    return (Blocks){
        .params = has(m, VAR_PARAM) ? "&params" : "NULL",
        .state = has(m, VAR_STATE) ? "&state" : "NULL",
        .inputs = has(m, VAR_INPUT) ? "&in" : "NULL",
        .grads = has_root(m, ROOT_GRAD) ? "&grads" : "NULL",
    };
}

/* Batches of 1, of 2, and all rows: the same losses and metrics. */
static void print_metrics(Eval *e, const Model *m)
{
    Blocks b = blocks_of(m);

    printf("    static double block[1 << 17];\n"
           "    char *totals = (char *)block;\n"
           "    const int rows = %lld;\n"
           "    int batches[] = {1, 2, rows};\n"
           "    for (int b = 0; model->metrics_add && b < 3; b++) {\n"
           "        int more = NGRT_AGAIN;\n"
           "        if (model->sizeof_totals > sizeof block)\n"
           "            return 9;\n"
           "        model->metrics_start(totals);\n"
           "        for (; more == NGRT_AGAIN; more = model->metrics_finish(totals))\n"
           "            for (int i = 0; i < rows; i += batches[b]) {\n"
           "                part(i, rows - i < batches[b] ? rows - i : batches[b]);\n"
           "                status |= model->metrics_add(%s, %s, &in, &work, totals);\n"
           "            }\n"
           "        status |= more;\n",
           (long long)e->dim[0], b.params, b.state);
    print_totals(e, m);
    printf("    }\n");
}

/* ---- the program's main ---- */

/* The blocks as static variables. */
static void print_blocks(const Model *m)
{
    const char *name = m->name;

    printf("static %s_work work;\n", name);
    if (has(m, VAR_PARAM))
        printf("static %s_params params, start_params;\n", name);
    if (has(m, VAR_STATE))
        printf("static %s_state state, start_state;\n", name);
    if (has_root(m, ROOT_GRAD))
        printf("static %s_grads grads;\n", name);
    if (has(m, VAR_INPUT))
        printf("static %s_inputs in = {0};\n", name);
}

/* The call of init, and checks of what it starts with. */
static void print_init(Eval *e, const Model *m)
{
    Blocks b = blocks_of(m);

    if (!has(m, VAR_PARAM) && !has(m, VAR_STATE))
        return;
    printf("    model->init(%s, %s, 7);\n", b.params, b.state);
    e->seed = 7;
    eval_forget(e);
    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];

        if (v->kind != VAR_INPUT && v->kind != VAR_FROZEN && v->init)
            print_check(e, "init", v->kind == VAR_PARAM ? "params" : "state", v->cname, v->init);
    }
}

/* The run-time sizes and the values of variables, put into the blocks. */
static void print_values(Eval *e, const Model *m)
{
    for (int d = 0; d < m->graph->dims; d++)
        printf("    in.%s = %lld;\n", m->graph->dim[d].name, (long long)e->dim[d]);
    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];
        const char *block = v->kind == VAR_PARAM ? "params" : "state";

        if (v->kind == VAR_FROZEN)
            continue;
        if (v->kind != VAR_INPUT)
            printf("    memcpy(&%s.%s, value_%d, sizeof value_%d);\n", block, v->cname, i, i);
        else if (v->shape.rank > 0)
            printf("    in.%s = value_%d;\n", v->cname, i);
        else
            printf("    in.%s = value_%d[0];\n", v->cname, i);
    }
    if (has(m, VAR_PARAM))
        printf("    start_params = params;\n");
    if (has(m, VAR_STATE))
        printf("    start_state = state;\n");
}

/* Undoes an update. */
static void print_restart(const Model *m)
{
    if (has(m, VAR_PARAM))
        printf("    params = start_params;\n");
    if (has(m, VAR_STATE))
        printf("    state = start_state;\n");
}

/* Each function and what it must give. */
static void print_calls(Eval *e, const Model *m)
{
    Blocks b = blocks_of(m);
    const char *p = b.params, *s = b.state, *in = b.inputs, *g = b.grads;
    unsigned output = 1u << ROOT_OUTPUT, loss = 1u << ROOT_LOSS, metric = 1u << ROOT_METRIC;
    unsigned grad = 1u << ROOT_GRAD, update = 1u << ROOT_UPDATE;

    printf("    if (model->predict) {\n");
    printf("    status |= model->predict(%s, %s, %s, &work);\n", p, s, in);
    print_roots(e, m, "predict", 0, output);
    printf("    }\n    if (model->eval) {\n");
    printf("    status |= model->eval(%s, %s, %s, &work);\n", p, s, in);
    print_roots(e, m, "eval", 0, output | loss | metric);
    printf("    }\n    if (model->forward) {\n");
    printf("    status |= model->forward(%s, %s, %s, &work);\n", p, s, in);
    print_roots(e, m, "forward", 1, loss);
    printf("    }\n    for (int twice = 0; model->backward && twice < 2; twice++) {\n");
    printf("    status |= model->backward(%s, %s, %s, &work, %s);\n", p, s, in, g);
    print_roots(e, m, "backward", 1, grad);
    printf("    }\n    if (model->update) {\n");
    printf("    status |= model->update(%s, %s, %s, &work, %s);\n", p, s, in, g);
    print_roots(e, m, "update", 1, update);
    print_restart(m);
    printf("    }\n    if (model->step) {\n");
    printf("    status |= model->step(%s, %s, %s, &work);\n", p, s, in);
    print_roots(e, m, "step", 1, loss | update);
    printf("    }\n");
    print_restart(m);
}

/* The program after the emitted C: blocks, the variables' values, and main. */
static void print_main(Eval *e, const Model *m, const double *const *value)
{
    print_blocks(m);
    for (int i = 0; i < m->vars; i++) {
        int64_t dim[MAX_RANK], count = eval_shape(e, m->var[i]->shape, dim);
        const char *type = m->var[i]->type == T_INT ? "int32_t" : "number";

        if (m->var[i]->kind != VAR_FROZEN)
            print_array(type, "value", i, value[i], count);
    }
    bool batches = e->ngc->opt.real_double && m->graph->dims > 0 && print_part(e, m);
    if (batches)
        printf("%s", total_helper);

    printf("int main(void)\n{\n    const ngrt_model *model = &%s_model;\n    int status = 0;\n",
           m->name);
    print_init(e, m);
    print_values(e, m);
    print_calls(e, m);
    if (batches)
        print_metrics(e, m);
    printf("    if (status || bad)\n"
           "        printf(\"status %%d\\n\", status);\n"
           "    printf(\"%%llx\\n\", bits);\n"
           "    return status || bad;\n"
           "}\n");
}

/* ---- the two models ---- */

enum { FREEZES = 4096 }; /* params that can be constants */

static bool frozen[FREEZES];

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

/* The command line; returns the model's path. */
static const char *read_arguments(int argc, char **argv, Options *opt, int64_t *dims,
                                  uint64_t *seed)
{
    const char *path = NULL;

    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];

        if (strcmp(arg, "-O0") == 0) {
            opt->optimize = 0;
            opt->comments = 2;
        } else if (strcmp(arg, "--no-share") == 0) {
            opt->no_share = true;
        } else if (strcmp(arg, "--standalone") == 0) {
            opt->standalone = true;
        } else if (strcmp(arg, "--float") == 0) {
            opt->real_double = false;
        } else if (strncmp(arg, "--dims=", 7) == 0) {
            *dims = atoll(arg + 7);
        } else if (strncmp(arg, "--unroll=", 9) == 0) {
            opt->unroll = atoi(arg + 9) + 1;
        } else if (strncmp(arg, "--segment=", 10) == 0) {
            opt->segment = atoi(arg + 10);
            opt->part = strchr(arg, ',') ? atoi(strchr(arg, ',') + 1) : 0;
        } else if (strncmp(arg, "--freeze=", 9) == 0) {
            for (int k = 0; k < FREEZES; k++)
                frozen[k] = atoi(arg + 9) >> k % 16 & 1;
            opt->frozen = frozen;
            opt->params = FREEZES;
        } else if (strncmp(arg, "--seed=", 7) == 0) {
            *seed = (uint64_t)atoll(arg + 7);
        } else {
            path = arg;
        }
    }
    return path;
}

/* Prints the emitted C; the literal model gets the names that the C gives to roots and variables.
 */
static void print_code(Model *made, Model *m)
{
    Ngc *ngc = made->graph->ngc;
    Output out = {.c = {.ngc = ngc}, .h = {.ngc = ngc}};

    emit_c(module_build(made), NULL, &out);
    for (int i = 0; i < m->roots; i++)
        m->root[i].cname = made->root[i].cname;
    for (int i = 0; i < m->vars; i++)
        m->var[i]->cname = made->var[i]->cname;
    printf("%s\ntypedef %s number;\n#define NEAR %s%s", out.c.at,
           ngc->opt.real_double ? "double" : "float", ngc->opt.real_double ? "1e-10" : "1e-3",
           helpers);
}

int main(int argc, char **argv)
{
    int64_t dims = 1 << 30; /* run-time sizes are at most this */
    uint64_t seed = 1;
    Options opt = {.optimize = 2, .real_double = true, .comments = 1, .verify = true};
    const char *path = read_arguments(argc, argv, &opt, &dims, &seed);
    Model *made = read_model(&opt, path, false);
    Model *m = made ? read_model(&opt, path, true) : NULL;

    if (m)
        literal_match(m, made);
    if (!m || m->roots != made->roots || m->vars != made->vars) {
        fprintf(stderr, "%s: no model, or the literal graph has other roots\n", path ? path : "");
        return 1;
    }

    Ngc *ngc = m->graph->ngc;
    Eval *e = eval_new(ngc, m);
    for (int d = 0; d < m->graph->dims; d++)
        e->dim[d] = m->graph->dim[d].max < dims ? m->graph->dim[d].max : dims;
    const double **value = arena_alloc(ngc, (size_t)(m->vars + 1) * sizeof *value);
    for (int i = 0; i < m->vars; i++) {
        value[i] = make_values(ngc, e, m->var[i], &seed);
        e->var[i] = made->var[i]->data = value[i];
    }
    print_code(made, m);
    print_main(e, m, value);
    return 0;
}
