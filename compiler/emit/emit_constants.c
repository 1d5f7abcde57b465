/* emit_constants.c - arrays of numbers in the C: constants of the model, default values of inputs,
 * and weights. */
#include "emit/emit.h"

enum { ROW = 8 }; /* numbers in a line */

/* Goes before number i of an array. */
static const char *number_separator(int64_t i)
{
    if (i == 0)
        return "\n    ";
    return i % ROW == 0 ? ",\n    " : ", ";
}

/* = {...} with numbers */
static void put_numbers(Emit *e, Text *t, const double *data, int64_t count, Type type)
{
    text_add(t, " = {");
    for (int64_t i = 0; i < count; i++)
        text_add(t, "%s%s", number_separator(i), emit_number(e, data[i], type));
    text_add(t, "\n}");
}

/* ---- constants of the model ---- */

/* Some are double in a model of floats: those of metrics_finish. */
void emit_arrays(Emit *e, Text *t)
{
    bool wide = e->ngc->opt.real_double;

    for (int i = 0; i < e->arrays; i++) {
        const Array *a = &e->array[i];
        emit_set_real(e, a->wide);
        text_add(t, "static const %s data_%d[%lld]", emit_type(e, a->type), i + 1,
                 (long long)a->count);
        put_numbers(e, t, a->data, a->count, a->type);
        text_add(t, ";\n\n");
    }
    emit_set_real(e, wide);
}

/* ---- default values ---- */

/* The elements that a tensor has by default; NULL: the caller gives them. */
const double *default_data(const Var *v)
{
    return v->kind == VAR_INPUT ? v->standard : NULL;
}

/* Elements up to the last one that is not 0: C has zeros after them. */
static int64_t last_written(const double *data, int64_t count)
{
    while (count > 1 && data[count - 1] == 0)
        count--;
    return count;
}

/* Declares or defines the arrays of default values. */
void emit_defaults(Emit *e, Text *t, bool define)
{
    for (int i = 0; i < e->module->model->vars; i++) {
        const Var *v = e->module->model->var[i];
        const double *data = default_data(v);
        if (data == NULL)
            continue;

        int64_t count = size_max(e->graph, shape_count(e->graph, v->shape));
        text_add(t, "%sconst %s %s_default_%s[%lld]", define ? "" : "extern ",
                 emit_type(e, v->type), e->module->name, v->cname, (long long)count);
        if (define)
            put_numbers(e, t, data, last_written(data, count), v->type);
        text_add(t, define ? ";\n\n" : ";\n");
    }
}

/* ---- the weights of --weights ---- */

/* Goes before element i of an axis. Rows begin on a new line, and so do each ROW numbers of the
 * last axis. */
static const char *element_separator(int64_t i, bool last_axis)
{
    if (i == 0)
        return "";
    return last_axis && i % ROW != 0 ? ", " : ",\n     ";
}

/* Elements, with braces for each axis. Returns the elements after them. */
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
        text_add(t, "%s", element_separator(i, last));
        at = put_elements(e, t, v, axis + 1, at);
    }
    text_add(t, "}");
    return at;
}

static bool has_kind(const Model *m, VarKind kind)
{
    for (int i = 0; i < m->vars; i++)
        if (m->var[i]->kind == kind)
            return true;
    return false;
}

/* {...} with the variables of one kind. */
static void put_block(Emit *e, Text *t, VarKind kind)
{
    const char *before = "{\n    ";
    for (int i = 0; i < e->module->model->vars; i++) {
        const Var *v = e->module->model->var[i];
        if (v->kind != kind)
            continue;
        text_add(t, "%s", before);
        put_elements(e, t, v, 0, v->data);
        text_add(t, " /* %s */", comment_text(e->ngc, v->name));
        before = ",\n    ";
    }
    text_add(t, "\n}");
}

/* Declares or defines the constants: iris_weights, and iris_weights_state where predict reads
 * states. */
void emit_weights(Emit *e, Text *t, bool define)
{
    static const struct {
        VarKind kind;
        const char *type, *end;
    } blocks[] = {{VAR_PARAM, "params", ""}, {VAR_STATE, "state", "_state"}};

    for (size_t k = 0; k < sizeof blocks / sizeof *blocks && e->module->model->constant; k++) {
        if (!has_kind(e->module->model, blocks[k].kind))
            continue;
        text_add(t, "%sconst %s_%s %s_weights%s", define ? "" : "extern ", e->module->name,
                 blocks[k].type, e->module->name, blocks[k].end);
        if (define) {
            text_add(t, " = ");
            put_block(e, t, blocks[k].kind);
        }
        text_add(t, ";\n\n");
    }
}

/* An array of one struct, as functions read it like the structs that they are given pointers to:
 * frozen->h_W. */
void emit_frozen(Emit *e, Text *t)
{
    text_add(t, "static const %s_frozen frozen[1] = {", e->module->name);
    put_block(e, t, VAR_FROZEN);
    text_add(t, "};\n\n");
}
