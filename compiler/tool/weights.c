/* weights.c - `--weights=FILE`: a trained model as constants. The model is cut down to what its
 * outputs need, and the C has predict and a const struct of weights. If some params are trained
 * (tune.c), only the others are constants, and nothing is cut.
 *
 * A file has named tensors, which the runtime's readers check and take apart
 * (runtime/host/archive.c), or it is the memory of the params struct as a program on this machine
 * wrote it. */
#include "program/module.h"

#include "../runtime/host/host.h"
#include "tool/tool.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

typedef struct File {
    Ngc *ngc;
    const char *path;
    Archive tensors; /* none where the file is plain memory */
    Map map;         /* names in the file -> names in the model */
    bool named;      /* the file has named tensors */
    uint64_t hash;   /* of the model, with all its params */
} File;

/* Reports an error of the file, or of the variable `name` in it. */
static bool fail(const File *f, const char *what, const char *name)
{
    if (name)
        complain(f->ngc, "weights '%s': %s: %s", f->path, name, what);
    else
        complain(f->ngc, "weights '%s': %s", f->path, what);
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
    Ngc *ngc = f->ngc;
    ngrt_message message;
    Bytes plain = {0};
    if (ngc->opt.map)
        output_keep(ngc, ngc->opt.map); /* pairs of names, or a file of them */
    if (ngrt_map_read(&f->map, ngc->opt.map, &message) ||
        ngrt_file_read_known(&plain, f->path, ngrt_archive_known, &message))
        return fail_message(ngc, &message);

    /* other bytes are the memory of the params struct, which read_memory reads */
    f->named = ngrt_archive_known(&plain);
    ngrt_bytes_free(&plain);
    if (f->named && ngrt_archive_read(&f->tensors, f->path, &message) != NGRT_OK)
        return fail_message(ngc, &message);
    return true;
}

/* ---- named tensors ---- */

/* The hash that the runtime knows the model by. */
static uint64_t model_hash(const Model *m)
{
    ngrt_tensor *tensor = arena_array(m->graph->ngc, m->vars + 1, sizeof *tensor);
    ngrt_model model = {.tensor = tensor};
    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];
        if (v->kind != VAR_PARAM)
            continue;
        ngrt_tensor *t = &tensor[model.tensors++];
        *t = (ngrt_tensor){.name = v->name,
                           .role = NGRT_PARAM,
                           .type = v->type == T_INT ? NGRT_I32 : NGRT_F32,
                           .rank = v->shape.rank};
        for (int k = 0; k < t->rank; k++)
            t->shape[k] = (int)size_max(m->graph, v->shape.dim[k]);
    }
    return ngrt_model_hash(&model);
}

/* Is the file one array without a name? */
static bool is_single(const File *f)
{
    return f->tensors.count == 1 && !*f->tensors.tensor[0].name;
}

static bool same_shape(const Graph *g, const Stored *s, Shape shape)
{
    if (s->data.rank != shape.rank)
        return false;
    for (int i = 0; i < shape.rank; i++)
        if (s->data.shape[i] != (size_t)size_max(g, shape.dim[i]))
            return false;
    return true;
}

/* The elements of a variable by its name, or NULL with a message. */
static double *read_named(File *f, const Graph *g, const Var *v, int64_t count)
{
    Ngc *ngc = f->ngc;
    const Stored *s = &f->tensors.tensor[0];
    if (!is_single(f))
        s = ngrt_archive_find(&f->tensors, &f->map, v->name);
    if (!s) {
        fail(f, "is not in the file", v->name);
        return NULL;
    }
    if (!same_shape(g, s, v->shape)) {
        fail(f, text_format(ngc, "its shape is not %s", shape_text(g, v->shape)), v->name);
        return NULL;
    }

    double *out = arena_array(ngc, count + 1, sizeof *out);
    bool whole = true, floats = true;
    for (int64_t i = 0; i < count; i++) {
        out[i] = ngrt_data_value(&s->data, (size_t)i);
        whole &= is_int32(out[i]);
        floats &= isinf(out[i]) || !isinf((float)out[i]);
    }
    if (v->type == T_INT && !whole) {
        fail(f, "is int, but its elements in the file are not", v->name);
        return NULL;
    }
    if (v->type == T_FLOAT && !floats && !ngc->opt.real_double) {
        fail(f, "has elements that are too large for a float of 32 bits (--real=double)", v->name);
        return NULL;
    }
    return out;
}

/* Is the file as a whole one of this model? */
static bool check_named(const File *f, const Model *m)
{
    Ngc *ngc = f->ngc;
    int params = 0;
    for (int i = 0; i < m->vars; i++)
        params += m->var[i]->kind == VAR_PARAM;
    if (is_single(f) && params != 1)
        return fail(f, text_format(ngc, "is one array, but the model needs %d params", params),
                    NULL);

    uint64_t hash = f->tensors.about.hash;
    const Options *opt = &ngc->opt;
    /* a hash is of all params by name, so it can only fit a whole file of this model */
    bool other = f->map.count + opt->freshes + opt->overlays > 0; /* it is of another model */
    if (hash && hash != f->hash && !other)
        return fail(f,
                    text_format(ngc,
                                "was saved by another model: its hash is %016llx, "
                                "this model's is %016llx",
                                (unsigned long long)hash, (unsigned long long)f->hash),
                    NULL);
    return true;
}

/* ---- plain memory ---- */

/* The elements of a param from byte `at` of the file. */
static double *read_plain(const File *f, const Var *v, size_t at, int64_t count)
{
    const unsigned char *from = (const unsigned char *)f->tensors.file.at + at;
    double *out = arena_array(f->ngc, count + 1, sizeof *out);

    /* the struct has the types of the C that is written now */
    if (v->type != T_INT && f->ngc->opt.real_double) {
        memcpy(out, from, (size_t)count * sizeof *out);
        return out;
    }
    for (int64_t i = 0; i < count; i++) {
        float single;
        int32_t whole;
        if (v->type == T_INT) {
            memcpy(&whole, from + i * 4, sizeof whole);
            out[i] = whole;
        } else {
            memcpy(&single, from + i * 4, sizeof single);
            out[i] = (double)single;
        }
    }
    return out;
}

static size_t var_bytes(const File *f, const Model *m, const Var *v)
{
    return (size_t)shape_count_max(m->graph, v->shape) * (size_t)type_size(f->ngc, v->type);
}

/* Reads a file that has this size; another one only as far as its size is known. */
static bool read_bytes(File *f, size_t wanted)
{
    ngrt_message message;
    struct stat st;
    bool known = stat(f->path, &st) == 0 && S_ISREG(st.st_mode);
    size_t size = known ? (size_t)st.st_size : wanted;

    if (size == wanted) {
        if (ngrt_file_read(&f->tensors.file, f->path, &message))
            return fail_message(f->ngc, &message);
        size = f->tensors.file.size;
    }
    if (size == wanted)
        return true;
    return fail(f,
                text_format(f->ngc, "neither safetensors nor the %zu bytes of the params, but %zu",
                            wanted, size),
                NULL);
}

/* The params in the order of the struct. */
static bool read_memory(File *f, Model *m)
{
    size_t total = 0;
    int params = 0;
    for (int i = 0; i < m->vars; i++)
        if (m->var[i]->kind == VAR_PARAM) {
            total += var_bytes(f, m, m->var[i]);
            params++;
        }
    if (params > 0 && !read_bytes(f, total))
        return false;

    size_t at = 0;
    for (int i = 0; i < m->vars; i++) {
        Var *v = m->var[i];
        if (v->kind != VAR_PARAM)
            continue;
        v->data = read_plain(f, v, at, shape_count_max(m->graph, v->shape));
        at += var_bytes(f, m, v);
    }
    return true;
}

/* ---- the model ---- */

/* All that the roots need, with y where x is read. */
static void replace_in_roots(Model *m, Node *x, Node *y)
{
    Node **root = model_roots(m);
    graph_simplify(m->graph, root, m->roots, 0, x, y);
    for (int i = 0; i < m->roots; i++)
        m->root[i].node = root[i];
}

/* The graph of predict: what training needs only, such as dropout, is simplified away. */
static void simplify_for_predict(Model *m)
{
    replace_in_roots(m, m->training, graph_const(m->graph, 0));
    m->training = NULL;
}

/* Drops variables that no root needs. */
static void drop_variables(Model *m)
{
    const int *uses = model_uses(m);
    int vars = 0;
    for (int i = 0; i < m->vars; i++) {
        if (uses[m->var[i]->node->id] == 0)
            continue;
        m->var[vars] = m->var[i];
        /* indices stay those of the list */
        m->var[vars]->index = vars;
        vars++;
    }
    m->vars = vars;
}

/* Drops what the outputs do not need: losses, metrics, updates, and the variables of these only. */
static void cut_down(Model *m)
{
    int roots = 0;
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == ROOT_OUTPUT)
            m->root[roots++] = m->root[i];
    m->roots = roots;
    m->groups = 0;

    if (m->training)
        simplify_for_predict(m);
    drop_variables(m);
}

/* ---- what training did to the inputs ---- */

/* The axis of an input that runs over rows, if a row has this number of elements; else -1. */
static int row_axis(const Model *m, const Var *x, size_t elements)
{
    int axis = 0;
    int64_t count = 1;
    for (int i = 0; i < x->shape.rank; i++)
        /* a size that is negative stands for one known at run time: the batch */
        if (x->shape.dim[i] < 0) {
            axis = i;
            break;
        }
    for (int i = 0; i < x->shape.rank; i++)
        if (i != axis)
            count *= size_max(m->graph, x->shape.dim[i]);
    return x->shape.rank > 0 && (size_t)count == elements ? axis : -1;
}

/* What is done to the elements of a row by these numbers: a scalar, or a tensor of one row. */
static Node *row_node(Model *m, const Var *x, const PrepInput *p, int axis, const double *from)
{
    Graph *g = m->graph;
    if (p->same)
        return graph_const(g, from[0]);

    /* one row, [1, ...], broadcast over all rows */
    Shape shape = x->shape;
    shape.dim[axis] = 1;
    double *data = arena_array(g->ngc, p->elements + 1, sizeof *data);
    memcpy(data, from, p->elements * sizeof *data);
    Node *row = graph_data(g, shape, T_FLOAT, data);
    return graph_broadcast(g, row, x->shape);
}

/* Warns if the floats that a caller gives are far apart, compared with a deviation. */
static void warn_few_digits(Ngc *ngc, const Var *x, const PrepInput *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float near = fabsf((float)p->sub[i]);
        double step = (double)(nextafterf(near, INFINITY) - near);
        if (step * p->mul[i] < 0.02)
            continue;
        warn(ngc, "float-range", ERR_FLOAT_RANGE, x->loc,
             "element %zu of %s was near %.3g in training, with a deviation of %.3g, but 32-bit "
             "floats there are about %.2g apart: --real=double has more digits",
             i, x->name, p->sub[i], 1 / p->mul[i], step);
        return;
    }
}

/* Subtracts in floats what the trainer subtracts in double: the float next to it, then the rest. */
static Node *subtract(Model *m, const Var *x, const PrepInput *p, int axis)
{
    Graph *g = m->graph;
    size_t count = p->same ? 1 : p->elements;
    double *rest = arena_array(g->ngc, p->elements + 1, sizeof *rest);
    Node *value = graph_binary(g, OP_sub, x->node, row_node(m, x, p, axis, p->sub));
    if (g->ngc->opt.real_double)
        return value;

    warn_few_digits(g->ngc, x, p, count);
    for (size_t i = 0; i < count; i++)
        rest[i] = p->sub[i] - (double)(float)p->sub[i];
    if (ngrt_prep_is_fine(p))
        value = graph_binary(g, OP_sub, value, row_node(m, x, p, axis, rest));
    return value;
}

/* Puts (x - sub)*mul in the place of an input. */
static bool prepare_input(const File *f, Model *m, Var *x, const PrepInput *p)
{
    int axis = row_axis(m, x, p->elements);
    if (p->elements == 0)
        return true;
    if (x->type != T_FLOAT || (!p->same && axis < 0))
        return fail(f, "the shape of the input is not that of the training", x->name);

    Graph *g = m->graph;
    Node *value = subtract(m, x, p, axis);
    value = graph_binary(g, OP_mul, value, row_node(m, x, p, axis, p->mul));

    replace_in_roots(m, x->node, value);
    return true;
}

/* Does to the inputs what the trainer did to them by --scale and --standardize. */
static bool prepare_inputs(const File *f, Model *m)
{
    const char *text = ngrt_notes_get(&f->tensors.notes, "data");
    Prep prep;
    if (!text)
        return true;
    if (!ngrt_prep_read(&prep, text))
        return fail(f, "what it says of the data is damaged", NULL);

    bool good = true;
    for (int i = 0; i < m->vars && good; i++) {
        const PrepInput *p = ngrt_prep_find(&prep, m->var[i]->name);
        if (m->var[i]->kind == VAR_INPUT && p)
            good = prepare_input(f, m, m->var[i], p);
    }
    ngrt_prep_free(&prep);
    return good;
}

/* ---- several files ---- */

/* Does --fresh say that the model starts it, whatever the file has? States of optimizers do too. */
static bool is_fresh(const Ngc *ngc, const Var *v)
{
    bool fresh = v->fresh && !ngc->opt.as_saved;
    for (int i = 0; i < ngc->opt.freshes; i++)
        fresh |= v->kind == VAR_PARAM && name_matches(v->name, ngc->opt.fresh[i]);
    return fresh;
}

/* Takes from the file what it has of the model. */
static bool overlay_file(File *over, Model *m)
{
    bool found = false;
    if (!read_file(over))
        return false;
    for (int i = 0; i < m->vars && over->named; i++) {
        Var *v = m->var[i];
        bool wanted = v->kind != VAR_INPUT && !is_fresh(over->ngc, v);
        if (!wanted || !ngrt_archive_find(&over->tensors, &over->map, v->name))
            continue;
        v->data = read_named(over, m->graph, v, shape_count_max(m->graph, v->shape));
        if (!v->data)
            return false;
        found = true;
    }
    return found || fail(over, "has no weight of the model by its name", NULL);
}

/* What the files of --weights after the first have goes before what that has. */
static bool overlay(Ngc *ngc, Model *m)
{
    bool good = true;
    for (int i = 0; i < ngc->opt.overlays && good; i++) {
        File over = {.ngc = ngc, .path = ngc->opt.overlay[i]};
        good = overlay_file(&over, m);
        ngrt_archive_free(&over.tensors);
        ngrt_map_free(&over.map);
    }
    return good;
}

/* ---- freezing ---- */

/* Gives a variable its elements. */
static bool freeze_variable(File *f, const Model *m, Var *v)
{
    if (!f->named)
        return fail(f, "a state that predict needs is not in the memory of params", v->name);
    v->data = read_named(f, m->graph, v, shape_count_max(m->graph, v->shape));
    return v->data != NULL;
}

/* Gives the weights that are left their elements. */
static bool freeze(File *f, Model *m)
{
    /* before variables are dropped: the file's hash is of all params */
    f->hash = model_hash(m);
    if (!read_file(f))
        return false;
    if ((!f->named && !read_memory(f, m)) || !overlay(f->ngc, m))
        return false;

    /* plain memory was read by the order of all params, so only now */
    cut_down(m);
    for (int i = 0; i < m->vars; i++) {
        Var *v = m->var[i];
        if (v->kind != VAR_INPUT && !v->data && !freeze_variable(f, m, v))
            return false;
    }
    return (!f->named || check_named(f, m)) && prepare_inputs(f, m);
}

/* All params, and the states that the file has. */
static bool load(File *f, Model *m)
{
    f->hash = model_hash(m);
    if (!read_file(f) || (!f->named && !read_memory(f, m)) || !overlay(f->ngc, m))
        return false;
    for (int i = 0; i < m->vars; i++) {
        Var *v = m->var[i];
        if (f->named && is_fresh(f->ngc, v))
            continue;
        /* a param must be there; a state may be missing, and starts as the model says */
        bool there = f->named && (is_single(f) || ngrt_archive_find(&f->tensors, &f->map, v->name));
        if (v->kind == VAR_INPUT || v->data || (v->kind == VAR_STATE && !there))
            continue;
        v->data = read_named(f, m->graph, v, shape_count_max(m->graph, v->shape));
        if (!v->data)
            return false;
    }
    return !f->named || check_named(f, m);
}

/* ---- fine-tuning ---- */

static bool has_update(const Model *m, const Var *v)
{
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == ROOT_UPDATE && m->root[i].var == v)
            return true;
    return false;
}

static const Var *var_named(const Model *m, const char *name)
{
    for (int i = 0; i < m->vars; i++)
        if (same_text(m->var[i]->name, name))
            return m->var[i];
    return NULL;
}

/* A state of a frozen layer has no update any more, and keeps its value. */
static bool is_kept(const Model *m, const Model *whole, const Var *v)
{
    const Var *w = var_named(whole, v->name);
    return v->kind == VAR_STATE && w && has_update(whole, w) && !has_update(m, v);
}

/* The node of a variable's elements. */
static Node *data_node(Graph *g, const Var *v)
{
    if (v->shape.rank > 0)
        return graph_data(g, v->shape, v->type, v->data);
    if (v->type == T_INT)
        return graph_int(g, (int64_t)v->data[0]);
    return graph_const(g, v->data[0]);
}

/* Gives a variable what the file has for it. */
static bool tune_variable(const File *f, const Model *whole, Model *m, Var *v)
{
    const Var *w = var_named(whole, v->name);
    /* it is read only, so it is a constant */
    if (is_kept(m, whole, v))
        v->kind = VAR_FROZEN;
    if (v->kind == VAR_FROZEN && (!w || !w->data))
        return fail(f, "is not in the file", v->name);
    if (v->kind == VAR_INPUT || is_fresh(f->ngc, v) || !w || !w->data)
        return true;

    v->data = w->data;
    v->init = data_node(m->graph, v);
    return true;
}

/* Drops constants that nothing reads. */
static void drop_unread(Model *m)
{
    int count, vars = 0;
    Node **root = model_take_roots(m, &count);
    const int *uses = graph_uses(m->graph, root, count);
    for (int i = 0; i < m->vars; i++)
        if (m->var[i]->kind != VAR_FROZEN || uses[m->var[i]->node->id] > 0)
            m->var[vars++] = m->var[i];
    m->vars = vars;
}

bool weights_tune(Ngc *ngc, Model *whole, Model *m, bool prepared)
{
    File f = {.ngc = ngc, .path = ngc->opt.weights};
    bool good = load(&f, whole);
    for (int i = 0; i < m->vars && good; i++)
        good = tune_variable(&f, whole, m, m->var[i]);
    drop_unread(m);
    model_order_vars(m);
    good = good && (!prepared || prepare_inputs(&f, m));
    ngrt_archive_free(&f.tensors);
    ngrt_map_free(&f.map);
    return good;
}

bool weights_load(Ngc *ngc, Model *m, const char *path)
{
    File f = {.ngc = ngc, .path = path};
    bool good = load(&f, m) && prepare_inputs(&f, m);
    ngrt_archive_free(&f.tensors);
    ngrt_map_free(&f.map);
    return good;
}

int weights_freeze(Ngc *ngc, Model *m)
{
    bool output = false;
    for (int i = 0; i < m->roots; i++)
        output |= m->root[i].kind == ROOT_OUTPUT;
    if (!output) {
        complain(ngc, "--weights needs a model with an output");
        return 2;
    }
    m->constant = true;

    File f = {.ngc = ngc, .path = ngc->opt.weights};
    bool good = freeze(&f, m);
    ngrt_archive_free(&f.tensors);
    ngrt_map_free(&f.map);
    return good ? 0 : 3;
}
