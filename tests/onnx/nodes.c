/* nodes.c - the models of ONNX's own tests: each is imported, its text compiled, and what the
 * interpreter computes of the inputs is compared with the outputs that come with the model.
 *
 *     nodes FOLDER...           a line for each: "ok NAME", "no NAME: why not", "WRONG NAME: ..."
 *
 * Inputs that the text needs to know, such as shapes, are given to the import. */
#include "onnx/onnx.h"
#include "graph/eval.h"
#include "tool/tool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *show = "";
static bool shorts; /* the model has floats of 16 bits that C has no type for */

static Known *read_known(Ngc *ngc, const char *folder, const char *what, int i)
{
    const char *why, *path = text_format(ngc, "%s/test_data_set_0/%s_%d.pb", folder, what, i);
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    fclose(f);
    Pb__Tensor *t = onnx_read_tensor(ngc, path);
    if (t && t->type == EL_UINT16 && shorts) /* the tests of ONNX have the bits */
        t->type = EL_BFLOAT16;
    return t ? known_of_tensor(ngc, t, "", &why) : NULL;
}

/* Is an input or an output of this type? */
static bool has_type(const Pb__Graph *g, int element)
{
    bool has = false;
    for (size_t i = 0; i < g->n_input + g->n_output; i++) {
        const Pb__Value *v = i < g->n_input ? g->input[i] : g->output[i - g->n_input];
        has |= v->type && v->type->tensor && v->type->tensor->element == element;
    }
    return has;
}

/* NAME=[1,2,3] */
static char *given_text(Ngc *ngc, const char *name, const Known *k)
{
    Text t = {.ngc = ngc};
    text_add(&t, "%s=[", name);
    for (int64_t i = 0; i < k->count; i++) {
        double v = 0;
        known_number(NULL, k, i, &v);
        text_add(&t, "%s%.17g", i ? "," : "", v);
    }
    text_add(&t, "]");
    return t.at;
}

/* Which inputs are given to the import: none, then those that are whole or few. */
static int give(Ngc *ngc, const Pb__Graph *g, Known **in, int round, char **given)
{
    int n = 0;
    for (int i = 0; i < (int)g->n_input; i++) {
        bool whole = in[i] && element_is_int(in[i]->element);
        bool few = in[i] && (whole || in[i]->element == EL_BOOL || in[i]->count <= 8);
        if (in[i] && in[i]->count <= 64 &&
            ((round == 1 && whole && i > 0) || (round == 2 && few && i > 0) ||
             (round == 3 && (whole || few)) || round == 4))
            given[n++] = given_text(ngc, g->input[i]->name, in[i]);
    }
    return n;
}

static void set_dims(Eval *e, const Var *v, const Known *k)
{
    for (int i = 0; i < v->shape.rank; i++)
        for (int d = 0; d < e->graph->dims; d++)
            if (v->shape.dim[i] == size_dim(e->graph, d))
                e->dim[d] = k->dim[i];
}

static const double *numbers(Ngc *ngc, const Known *k)
{
    double *out = arena_alloc(ngc, (size_t)(k->count + 1) * sizeof *out);
    for (int64_t i = 0; i < k->count; i++)
        known_number(NULL, k, i, &out[i]);
    return out;
}

static double tolerance = 1e-4; /* outputs of ONNX's tests are float */

static double worst; /* error of an output or a gradient, of the largest element or of 1 */

static bool near(double a, double b)
{
    if (isfinite(a) && isfinite(b))
        worst = fmax(worst, fabs(a - b) / fmax(1, fabs(b)));
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    if (shorts) /* a float keeps its digits in the language */
        return a == b || fabs(a - b) <= fabs(b) / 128;
    return a == b || fabs(a - b) <= tolerance * fmax(1, fabs(b)) ||
           fabs(a - b) <= 10 * tolerance * fabs(b);
}

static const char *compare(Ngc *ngc, Eval *e, const Root *r, const Known *want)
{
    int64_t dim[MAX_RANK], n = eval_shape(e, r->node->shape, dim);
    const double *got = eval_node(e, r->node);
    if (r->node->shape.rank != want->rank || n != want->count)
        return text_format(ngc, "the shape of %s is %s", r->name,
                           shape_text(e->graph, r->node->shape));
    for (int i = 0; i < want->rank; i++)
        if (dim[i] != want->dim[i])
            return text_format(ngc, "the shape of %s is %s", r->name,
                               shape_text(e->graph, r->node->shape));
    for (int64_t i = 0; i < n; i++) {
        double w;
        known_number(e->graph, want, i, &w);
        if (!near(got[i], w))
            return text_format(ngc, "%s: element %lld is %.9g, not %.9g", r->name, (long long)i,
                               got[i], w);
    }
    return NULL;
}

static const char *compare_gradients(Ngc *, Eval *, const Written *, const char *folder);

/* What is wrong with the values of the imported model, or NULL. */
static const char *run(Ngc *ngc, Import *im, const Written *made, const Model *m, Known **in,
                       const char *folder)
{
    Eval *e = eval_new(ngc, (Model *)m);
    const Var **var = weights_match(ngc, m, made);
    const Pb__Graph *g = im->graph;
    if (!var)
        return "weights";
    for (int i = 0; i < made->weights; i++) {
        int64_t n = made->weight[i]->value->count;
        double *x = arena_alloc(ngc, (size_t)(n + 1) * sizeof *x);
        for (int64_t k = 0; k < n; k++)
            x[k] = weight_at(m->graph, made->weight[i], k);
        e->var[var[i]->index] = x;
    }
    int v = 0;
    for (int i = 0; i < (int)g->n_input; i++) {
        Meaning *meaning = meaning_of(im, g->input[i]->name);
        if (!meaning || meaning->known)
            continue;
        if (!in[i])
            return "an input has no data";
        e->var[v] = numbers(ngc, in[i]);
        for (int64_t k = 0; k < in[i]->count && m->var[v]->limit > 0; k++)
            if (e->var[v][k] < 0 || e->var[v][k] >= (double)m->var[v]->limit)
                return "an index is negative, or too large";
        set_dims(e, m->var[v++], in[i]);
    }
    for (int i = 0; i < m->vars; i++)
        if (!e->var[i] && m->var[i]->kind == VAR_STATE && m->var[i]->init)
            e->var[i] = eval_node(e, m->var[i]->init);
    int k = 0;
    for (int i = 0; i < m->roots; i++) {
        if (m->root[i].kind != ROOT_OUTPUT)
            continue;
        Known *want = read_known(ngc, folder, "output", k++);
        while (want && want->count == 0)
            want = read_known(ngc, folder, "output", k++);
        if (!want)
            return "an output has no data";
        const char *why = compare(ngc, e, &m->root[i], want);
        if (e->outside)
            return "an index is negative, or too large";
        if (why)
            return why;
    }
    Known *target = read_known(ngc, folder, "target", 0);
    if (!target)
        return NULL;
    e->var[v] = numbers(ngc, target);
    e->training = 1;
    eval_forget(e);
    return compare_gradients(ngc, e, made, folder);
}

/* What is wrong with the shapes of outputs without elements, or NULL. */
static const char *compare_empty(Ngc *ngc, Import *im, const char *folder)
{
    for (int i = 0; i < (int)im->graph->n_output; i++) {
        const Meaning *m = meaning_of(im, im->graph->output[i]->name);
        const Known *want = read_known(ngc, folder, "output", i);
        if (!want || !m || !is_empty(m->known) != (want->count > 0))
            return "an output without elements has some, or the other way round";
        if (want->count == 0 &&
            (want->rank != m->known->rank ||
             memcmp(want->dim, m->known->dim, (size_t)want->rank * sizeof *want->dim) != 0))
            return text_format(ngc, "the shape of the output %d is %s", i,
                               ints_text(im, m->known->dim, m->known->rank));
    }
    return NULL;
}

/* ---- gradients ---- */

/* The gradient that the file has for an initializer, or NULL. */
static Known *gradient_of(Ngc *ngc, const char *folder, const char *name)
{
    for (int i = 0;; i++) {
        Known *k = read_known(ngc, folder, "gradient", i);
        if (!k || (k->name && strcmp(k->name, name) == 0))
            return k;
    }
}

static const char *compare_gradients(Ngc *ngc, Eval *e, const Written *made, const char *folder)
{
    const Model *m = e->model;
    const Var **var = weights_match(ngc, m, made);
    int compared = 0;
    for (int i = 0; i < made->weights; i++) {
        const Weight *w = made->weight[i];
        Known *want = w->value->name && !w->state ? gradient_of(ngc, folder, w->value->name) : NULL;
        if (w->state)
            continue;
        if (!want)
            return text_format(ngc, "there is no gradient of '%s'", w->value->name);
        double most = 0;
        Weight as = {.value = want, .perm = w->perm, .shape = w->shape};
        for (int64_t k = 0; k < want->count; k++)
            most = fmax(most, fabs(weight_at(m->graph, &as, k)));
        for (int r = 0; r < m->roots; r++) {
            if (m->root[r].kind != ROOT_GRAD || m->root[r].var != var[i])
                continue;
            const double *got = eval_node(e, m->root[r].node);
            compared++;
            for (int64_t k = 0; k < want->count && most > 1e-7; k++)
                worst = fmax(worst, fabs(got[k] - weight_at(m->graph, &as, k)) / most);
            for (int64_t k = 0; k < want->count; k++)
                if (!(fabs(got[k] - weight_at(m->graph, &as, k)) <= 1e-6 * most + 1e-13))
                    return text_format(ngc, "the gradient of %s: element %lld is %.12g, not %.12g",
                                       var[i]->name, (long long)k, got[k],
                                       weight_at(m->graph, &as, k));
        }
    }
    printf("%d gradients, largest error %.0e, ", compared, worst);
    return NULL;
}

static void print_first(const Ngc *ngc, const char *word, const char *name)
{
    const char *text = ngc->diags ? ngc->diags->text : "?";
    const char *at = strstr(text, "model.onnx: ");
    printf("%s %s: %s\n", word, name, at ? at + 12 : text);
}

static void test(const char *folder)
{
    Ngc ngc = {.opt = {.optimize = 2, .digits = 9}};
    const char *name = strrchr(folder, '/') ? strrchr(folder, '/') + 1 : folder;
    const char *path = text_format(&ngc, "%s/model.onnx", folder);
    Pb__Model *file = onnx_read(&ngc, path);
    if (!file) {
        print_first(&ngc, "no", name);
        return;
    }
    shorts = has_type(file->graph, EL_BFLOAT16);
    Known **in = arena_alloc(&ngc, (file->graph->n_input + 1) * sizeof *in);
    char **given = arena_alloc(&ngc, (file->graph->n_input + 1) * sizeof *given);
    for (int i = 0, k = 0; i < (int)file->graph->n_input; i++) {
        bool initial = false;
        for (size_t t = 0; t < file->graph->n_initializer; t++)
            initial |= strcmp(file->graph->initializer[t]->name, file->graph->input[i]->name) == 0;
        if (!initial)
            in[i] = read_known(&ngc, folder, "input", k++);
    }

    Import *im = NULL;
    Written made;
    ImportOptions options = {.flat = getenv("FLAT") != NULL};
    if (read_known(&ngc, folder, "target", 0))
        options.loss = "mse";
    tolerance = options.loss ? 1e-7 : 1e-4;
    worst = 0;
    for (int round = 0; round < 5 && !im; round++) {
        int n = give(&ngc, file->graph, in, round, given);
        if (round > 0 && n == 0)
            continue;
        source_restart(&ngc);
        parse(&ngc, 0);
        made = (Written){.text = {.ngc = &ngc}};
        im = onnx_import(&ngc, path, given, n, &options, &made);
    }
    if (!im) {
        print_first(&ngc, "no", name);
        arena_free(&ngc);
        return;
    }
    if (*show)
        printf("%s", made.text.at);
    const char *empty = compare_empty(&ngc, im, folder);
    if (empty || im->outputs == 0) {
        printf(empty ? "WRONG %s: %s\n" : "ok %s\n", name, empty);
        arena_free(&ngc);
        return;
    }
    source_restart(&ngc);
    int text = source_add(&ngc, "model.ng", made.text.at, made.text.size, false);
    const Model *m = model_compile(&ngc, text);
    if (!m) {
        print_first(&ngc, "WRONG", name);
        printf("%s", made.text.at);
    } else {
        const char *why = run(&ngc, im, &made, m, in, folder);
        printf(why ? "WRONG %s: %s\n" : "ok %s\n", name, why);
        if (why && !*show)
            printf("%s", made.text.at);
    }
    arena_free(&ngc);
}

int main(int argc, char **argv)
{
    show = getenv("SHOW") ? getenv("SHOW") : "";
    for (int i = 1; i < argc; i++) {
        test(argv[i]);
        fflush(stdout);
    }
    return 0;
}
