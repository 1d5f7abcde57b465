/* weights.c - `--weights=FILE`: a trained model as constants. The model is cut down to what its
 * outputs need, and the C has predict and a const struct of weights.
 *
 * A file is one of named tensors, which the runtime's readers check and take apart
 * (runtime/archive.c), or the memory of the params struct as a program of this machine wrote it. */
#include "emit.h"

#include "../runtime/host.h"

#include <string.h>

typedef struct File {
    Ngc *ngc;
    const char *path;
    Archive tensors; /* none where the file is plain memory */
    Map map;
    bool named;
    uint64_t hash; /* of the model, with all its params */
} File;

static bool fail(const File *f, const char *what, const char *name)
{
    complain(f->ngc, "weights '%s': %s%s%s", f->path, name ? name : "", name ? ": " : "", what);
    return false;
}

static bool fail_message(Ngc *ngc, const ngrt_message *message)
{
    complain(ngc, "weights: %s", message->text);
    return false;
}

/* Reads the file, as tensors if it is of a format that has them. */
static bool read_file(File *f)
{
    ngrt_message message;
    Bytes plain = {0};
    if (ngrt_map_read(&f->map, f->ngc->opt.map, &message) ||
        ngrt_file_read(&plain, f->path, &message))
        return fail_message(f->ngc, &message);
    f->named = ngrt_is_npy(&plain) || ngrt_is_zip(&plain) || ngrt_is_safetensors(&plain);
    if (f->named) {
        ngrt_bytes_free(&plain);
        return ngrt_archive_read(&f->tensors, f->path, &message) == NGRT_OK
                   ? true
                   : fail_message(f->ngc, &message);
    }
    f->tensors.file = plain;
    return true;
}

/* ---- named tensors ---- */

/* The hash that the runtime knows the model by. */
static uint64_t model_hash(const Model *m)
{
    ngrt_tensor *tensor = arena_alloc(m->graph->ngc, (size_t)(m->vars + 1) * sizeof *tensor);
    ngrt_model model = {.tensor = tensor};
    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];
        ngrt_tensor t = {.name = v->name,
                         .role = v->kind == VAR_PARAM ? NGRT_PARAM : NGRT_STATE,
                         .type = v->type == T_INT ? NGRT_I32 : NGRT_F32,
                         .rank = v->shape.rank};
        for (int k = 0; v->kind == VAR_PARAM && k < t.rank; k++)
            t.shape[k] = (int)size_max(m->graph, v->shape.dim[k]);
        if (v->kind == VAR_PARAM)
            tensor[model.tensors++] = t;
    }
    return ngrt_model_hash(&model);
}

/* The elements of a variable by its name, after a check of its shape. */
static double *read_named(File *f, const Graph *g, const Var *v, int64_t count)
{
    bool single = f->tensors.count == 1 && !*f->tensors.tensor[0].name;
    const Stored *s =
        single ? &f->tensors.tensor[0] : ngrt_archive_find(&f->tensors, &f->map, v->name);
    if (!s)
        return fail(f, "is not in the file", v->name), NULL;
    bool same = s->data.rank == v->shape.rank;
    for (int i = 0; same && i < v->shape.rank; i++)
        same = s->data.shape[i] == (size_t)size_max(g, v->shape.dim[i]);
    if (!same)
        return fail(f, text_format(f->ngc, "its shape is not %s", shape_text(g, v->shape)),
                    v->name),
               NULL;
    double *out = arena_alloc(f->ngc, (size_t)(count + 1) * sizeof *out);
    for (int64_t i = 0; i < count; i++)
        out[i] = ngrt_data_value(&s->data, (size_t)i);
    return out;
}

/* Is the file as a whole one of this model? */
static bool check_named(const File *f, const Model *m)
{
    int params = 0;
    for (int i = 0; i < m->vars; i++)
        params += m->var[i]->kind == VAR_PARAM;
    if (f->tensors.count == 1 && !*f->tensors.tensor[0].name && params != 1)
        return fail(f, text_format(f->ngc, "is one array, but the model needs %d params", params),
                    NULL);
    if (f->tensors.about.hash && f->tensors.about.hash != f->hash && f->map.count == 0)
        return fail(
            f,
            text_format(
                f->ngc,
                "was saved by another model: its hash is %016llx, that of this one is %016llx",
                (unsigned long long)f->tensors.about.hash, (unsigned long long)f->hash),
            NULL);
    return true;
}

/* ---- plain memory ---- */

/* The elements of a param at a place of the file. */
static double *read_plain(const File *f, const Var *v, size_t at, int64_t count)
{
    double *out = arena_alloc(f->ngc, (size_t)(count + 1) * sizeof *out);
    for (int64_t i = 0; i < count; i++) {
        float single;
        int32_t whole;
        if (v->type == T_INT) {
            memcpy(&whole, f->tensors.file.at + at + (size_t)i * 4, 4);
            out[i] = whole;
        } else if (f->ngc->opt.real_double) {
            memcpy(&out[i], f->tensors.file.at + at + (size_t)i * 8, 8);
        } else {
            memcpy(&single, f->tensors.file.at + at + (size_t)i * 4, 4);
            out[i] = (double)single;
        }
    }
    return out;
}

static bool read_memory(File *f, Model *m)
{
    size_t at = 0, total = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < m->vars; i++) {
            Var *v = m->var[i];
            int64_t count = size_max(m->graph, shape_count(m->graph, v->shape));
            size_t bytes = (size_t)count * (size_t)type_size(f->ngc, v->type);
            if (v->kind != VAR_PARAM)
                continue;
            if (pass == 0) {
                total += bytes;
                continue;
            }
            if (total != f->tensors.file.size)
                return fail(
                    f,
                    text_format(f->ngc,
                                "neither safetensors nor the %zu bytes of the params, but %zu",
                                total, f->tensors.file.size),
                    NULL);
            v->data = read_plain(f, v, at, count);
            at += bytes;
        }
    return true;
}

/* ---- the model ---- */

/* Drops what the outputs do not need: losses, metrics, updates, and the variables that nothing else
 * reads. */
static void cut_down(Model *m)
{
    Node **root = arena_alloc(m->graph->ngc, (size_t)(m->roots + 1) * sizeof *root);
    int roots = 0, vars = 0;
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == ROOT_OUTPUT)
            m->root[roots++] = m->root[i];
    m->roots = roots;
    m->groups = 0;
    for (int i = 0; i < roots; i++)
        root[i] = m->root[i].node;
    if (m->training) /* what predict does not do, dropout say, needs no state */
        graph_simplify(m->graph, root, roots, 0, m->training, graph_const(m->graph, 0));
    m->training = NULL;
    for (int i = 0; i < roots; i++)
        m->root[i].node = root[i];
    int *uses = graph_uses(m->graph, root, roots);
    for (int i = 0; i < m->vars; i++)
        if (uses[m->var[i]->node->id] > 0) {
            m->var[vars] = m->var[i];
            m->var[vars]->index = vars;
            vars++;
        }
    m->vars = vars;
}

/* Gives the weights that are left their elements; the exit status. */
static int freeze(File *f, Model *m)
{
    f->hash = model_hash(m);
    if (!read_file(f))
        return 3;
    if (!f->named && !read_memory(f, m))
        return 3;
    cut_down(m);
    for (int i = 0; i < m->vars; i++) {
        Var *v = m->var[i];
        if (v->kind == VAR_INPUT || v->data)
            continue;
        if (!f->named)
            return fail(f, "a state that predict needs is not in the memory of params", v->name), 3;
        v->data = read_named(f, m->graph, v, size_max(m->graph, shape_count(m->graph, v->shape)));
        if (!v->data)
            return 3;
    }
    return f->named && !check_named(f, m) ? 3 : 0;
}

int weights_freeze(Ngc *ngc, Model *m)
{
    File f = {.ngc = ngc, .path = ngc->opt.weights};
    bool output = false;
    for (int i = 0; i < m->roots; i++)
        output |= m->root[i].kind == ROOT_OUTPUT;
    if (!output) {
        complain(ngc, "--weights wants a model with an output");
        return 2;
    }
    int status = freeze(&f, m);
    ngrt_archive_free(&f.tensors);
    ngrt_map_free(&f.map);
    return status;
}

/* ---- the C ---- */

/* Elements in as many braces as there are axes. Returns those behind them. */
static const double *put_elements(Emit *e, Text *t, const Var *v, int axis, const double *at)
{
    if (axis == v->shape.rank) {
        text_add(t, "%s", emit_number(e, *at, v->type));
        return at + 1;
    }
    int64_t count = size_max(e->graph, v->shape.dim[axis]);
    bool last = axis == v->shape.rank - 1;
    text_add(t, "{");
    for (int64_t i = 0; i < count; i++) {
        text_add(t, i == 0 ? "" : !last || i % 8 == 0 ? ",\n     " : ", ");
        at = put_elements(e, t, v, axis + 1, at);
    }
    text_add(t, "}");
    return at;
}

/* Declares or defines the constants: iris_weights, and iris_weights_state where predict reads
 * states. */
void emit_weights(Emit *e, Text *t, bool define)
{
    static const char *const block[] = {[VAR_PARAM] = "params", [VAR_STATE] = "state"},
                             *const end[] = {[VAR_PARAM] = "", [VAR_STATE] = "_state"};
    for (int kind = VAR_PARAM; kind <= VAR_STATE && e->ngc->opt.weights; kind++) {
        const char *before = define ? " = {\n    " : "";
        bool any = false;
        for (int i = 0; i < e->model->vars; i++) {
            const Var *v = e->model->var[i];
            if ((int)v->kind != kind)
                continue;
            if (!any)
                text_add(t, "%sconst %s_%s %s_weights%s", define ? "" : "extern ", e->name,
                         block[kind], e->name, end[kind]);
            any = true;
            if (!define)
                break;
            text_add(t, "%s", before);
            put_elements(e, t, v, 0, v->data);
            text_add(t, " /* %s */", comment_text(e->ngc, v->name));
            before = ",\n    ";
        }
        text_add(t, !any ? "" : define ? "\n};\n\n" : ";\n\n");
    }
}
