/* roundtrip.c - models are exported, checked to be the same after an import: outputs, losses and
 * gradients for random inputs, by the interpreter.
 *
 *     roundtrip MODEL.ng ...         a line for each: "ok NAME: N values", "no NAME: why not",
 *                                    "WRONG NAME: ..."
 *     DUMP=FOLDER roundtrip ...      writes FOLDER/NAME.onnx with floats (with DOUBLE=1: doubles),
 * and FOLDER/NAME.json: inputs, and what the interpreter computes, for other programs
 */
#include "onnx/export.h"
#include "onnx/onnx.h"
#include "tool/tool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t seed;

static double draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(seed >> 11) / 9007199254740992.0;
}

/* Gives variables values, and dims sizes below their bounds. */
static void fill(Eval *e)
{
    const Model *m = e->model;
    for (int d = 0; d < e->graph->dims; d++)
        e->dim[d] = e->graph->dim[d].max < 5 + d ? e->graph->dim[d].max : 5 + d;
    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];
        int64_t dim[MAX_RANK], n = eval_shape(e, v->shape, dim);
        double *x = arena_alloc(e->ngc, (size_t)(n + 1) * sizeof *x);
        int limit = v->limit > 0 ? (int)v->limit : 3;
        for (int64_t k = 0; k < n; k++)
            x[k] = v->type == T_INT ? floor(draw() * limit) : 0.1 + 0.8 * draw();
        if (v->kind == VAR_PARAM)
            for (int64_t k = 0; k < n; k++)
                x[k] = 0.6 * (x[k] - 0.5); /* small, so that long recurrences are stable */
        e->var[i] = x;
    }
}

static const char *differ(Ngc *ngc, const double *a, const double *b, int64_t n, const char *name)
{
    double most = 1e-6;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(a[i]))
            most = fmax(most, fabs(a[i]));
    for (int64_t i = 0; i < n; i++) {
        bool same = a[i] == b[i] || (isnan(a[i]) && isnan(b[i]));
        if (!same && !(fabs(a[i] - b[i]) <= 1e-7 * most))
            return text_format(ngc, "%s: element %lld is %.12g, not %.12g", name, (long long)i,
                               b[i], a[i]);
    }
    return NULL;
}

/* Is it that name, or, where the library has that, len1? */
static bool is_renamed(const char *from, const char *to)
{
    size_t n = strlen(from);
    return strncmp(from, to, n) == 0 && (!to[n] || strcmp(to + n, "1") == 0);
}

/* The imported model, with the inputs of the first one. NULL: *why says why not. */
static Eval *import(Ngc *ngc, const char *path, const Eval *from, bool *refused, const char **why)
{
    Written made = {.text = {.ngc = ngc}};
    ImportOptions options = {.flat = seed % 2};
    source_restart(ngc);
    parse(ngc, 0);
    if (!onnx_import(ngc, path, NULL, 0, &options, &made)) {
        *refused = true;
        *why = ngc->diags->text;
        return NULL;
    }
    source_restart(ngc);
    int file = source_add(ngc, "model.ng", made.text.at, made.text.size, false);
    Model *m = model_compile(ngc, file);
    const Var **var = m ? weights_match(ngc, m, &made) : NULL;
    if (!var) {
        *why = text_format(ngc, "%s\n%s", ngc->diags->text, made.text.at);
        return NULL;
    }
    Eval *e = eval_new(ngc, m);
    for (int i = 0; i < made.weights; i++) {
        int64_t n = made.weight[i]->value->count;
        double *x = arena_alloc(ngc, (size_t)(n + 1) * sizeof *x);
        for (int64_t k = 0; k < n; k++)
            x[k] = weight_at(m->graph, made.weight[i], k);
        e->var[var[i]->index] = x;
    }
    for (int i = 0; i < m->vars && m->var[i]->kind == VAR_INPUT; i++)
        for (int k = 0; k < from->model->vars; k++)
            if (is_renamed(from->model->var[k]->name, m->var[i]->name))
                e->var[i] = from->var[k];
    for (int d = 0; d < m->graph->dims; d++)
        for (int k = 0; k < from->graph->dims; k++)
            if (strncmp(from->graph->dim[k].name, m->graph->dim[d].name,
                        strlen(from->graph->dim[k].name)) == 0) /* i is i1 */
                e->dim[d] = from->dim[k];
    for (int i = 0; i < m->vars; i++)
        if (!e->var[i])
            *why = text_format(ngc, "'%s' has no value", m->var[i]->name);
    return *why ? NULL : e;
}

/* Compares the roots of the exported model with the outputs of the imported one, in order. */
static const char *compare(Ngc *ngc, Eval *a, Eval *b, int *values)
{
    int k = 0;
    for (int i = 0; i < a->model->roots; i++) {
        const Root *r = &a->model->root[i];
        if (r->kind != ROOT_OUTPUT && r->kind != ROOT_LOSS && r->kind != ROOT_GRAD)
            continue;
        while (k < b->model->roots && b->model->root[k].kind != ROOT_OUTPUT)
            k++;
        if (k == b->model->roots)
            return "an output is missing";
        double training = r->kind != ROOT_OUTPUT;
        if (a->training != training)
            eval_forget(a);
        a->training = training;
        int64_t dim[MAX_RANK], there[MAX_RANK], n = eval_shape(a, r->node->shape, dim);
        Node *other = b->model->root[k++].node;
        if (eval_shape(b, other->shape, there) != n || other->shape.rank != r->node->shape.rank)
            return text_format(ngc, "%s: another shape", r->name);
        const double *x = eval_node(a, r->node);
        const char *why = differ(ngc, x, eval_node(b, other), n, r->name);
        if (why)
            return why;
        ++*values;
    }
    return NULL;
}

/* ---- for other programs ---- */

static void add_tensor(Text *t, const char *name, Type type, int rank, const int64_t *dim,
                       const double *x)
{
    int64_t n = 1;
    text_add(t, "{\"name\": ");
    const char *element = t->ngc->opt.real_double ? "float64" : "float32";
    if (type == T_INT)
        element = "int64";
    json_string(t, name);
    text_add(t, ", \"type\": \"%s\", \"dims\": [", element);
    for (int i = 0; i < rank; i++) {
        text_add(t, "%s%lld", i ? ", " : "", (long long)dim[i]);
        n *= dim[i];
    }
    text_add(t, "], \"data\": [");
    for (int64_t i = 0; i < n; i++)
        text_add(t, isfinite(x[i]) ? "%s%.17g" : "%snull", i ? ", " : "", x[i]);
    text_add(t, "]}");
}

static void write_file(const char *path, const Text *t)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(t->at, 1, t->size, f) != t->size || fclose(f) != 0)
        exit(2);
}

static void dump(Eval *e, const Text *model, const char *folder, const char *name)
{
    Text t = {.ngc = e->ngc};
    int64_t dim[MAX_RANK];
    const char *between = "";
    text_add(&t, "{\"inputs\": [");
    for (int i = 0; i < e->model->vars; i++) {
        const Var *v = e->model->var[i];
        if (v->kind != VAR_INPUT)
            continue;
        text_add(&t, "%s", between);
        eval_shape(e, v->shape, dim);
        add_tensor(&t, v->name, v->type, v->shape.rank, dim, e->var[i]);
        between = ", ";
    }
    text_add(&t, "], \"outputs\": [");
    between = "";
    for (int i = 0; i < e->model->roots; i++) {
        const Root *r = &e->model->root[i];
        if (r->kind != ROOT_OUTPUT && r->kind != ROOT_LOSS && r->kind != ROOT_GRAD)
            continue;
        double training = r->kind != ROOT_OUTPUT;
        if (e->training != training)
            eval_forget(e);
        e->training = training;
        eval_shape(e, r->node->shape, dim);
        text_add(&t, "%s", between);
        add_tensor(&t, r->name, r->node->type, r->node->shape.rank, dim, eval_node(e, r->node));
        between = ", ";
    }
    text_add(&t, "]}");
    write_file(text_format(e->ngc, "%s/%s.onnx", folder, name), model);
    write_file(text_format(e->ngc, "%s/%s.json", folder, name), &t);
}

static void test(const char *file)
{
    Ngc ngc = {.opt = {.optimize = 2,
                       .digits = 9,
                       .real_double = !getenv("DUMP") || getenv("DOUBLE"),
                       .unroll = INT32_MAX}};
    Ngc other = ngc;
    const char *name = strrchr(file, '/') ? strrchr(file, '/') + 1 : file, *why = NULL;
    source_restart(&ngc);
    Model *m = model_compile(&ngc, source_read(&ngc, file, (Loc){.file = -1}));
    if (!m) {
        printf("no %s: it does not compile\n", name);
        return;
    }
    m->name = "model";
    Eval *e = eval_new(&ngc, m);
    fill(e);
    const Pb__Model *exported = onnx_export(&ngc, m, e->var, true);
    if (!exported) {
        printf("no %s: %s\n", name, ngc.diags->text);
        return;
    }
    Text bytes = {.ngc = &ngc};
    onnx_write(&ngc, exported, &bytes);
    if (getenv("DUMP")) {
        dump(e, &bytes, getenv("DUMP"), name);
        return;
    }
    char path[] = "/tmp/roundtrip.XXXXXX";
    int fd = mkstemp(path), values = 0;
    if (fd < 0 || write(fd, bytes.at, bytes.size) != (ssize_t)bytes.size)
        exit(2);
    close(fd);
    bool refused = false;
    Eval *back = import(&other, path, e, &refused, &why);
    remove(path);
    if (back)
        why = compare(&ngc, e, back, &values);
    if (refused)
        printf("no %s: %s\n", name, strchr(why, ':') + 2);
    else if (why)
        printf("WRONG %s: %s\n", name, why);
    else
        printf("ok %s: %d values\n", name, values);
    arena_free(&ngc);
    arena_free(&other);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        seed = (uint64_t)i;
        test(argv[i]);
        fflush(stdout);
    }
    return 0;
}
