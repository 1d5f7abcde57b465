/* emit_constants.c - arrays of numbers in the C: constants of the model, default values of inputs,
 * and weights. */
#include "emit.h"

/* ---- constants of the model ---- */

void emit_arrays(Emit *e, Text *t)
{
    for (int i = 0; i < e->arrays; i++) {
        bool wide = e->array[i].wide, real_double = e->ngc->opt.real_double;
        text_add(t, "static const %s data_%d[%lld] = {",
                 e->array[i].type == T_INT ? "int32_t"
                 : wide                    ? "double"
                                           : e->real,
                 i + 1, (long long)e->array[i].count);
        e->ngc->opt.real_double = wide;
        for (int64_t k = 0; k < e->array[i].count; k++)
            text_add(t, "%s%s",
                     k == 0       ? "\n    "
                     : k % 8 == 0 ? ",\n    "
                                  : ", ",
                     emit_number(e, e->array[i].data[k], e->array[i].type));
        e->ngc->opt.real_double = real_double;
        text_add(t, "\n};\n\n");
    }
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
        int64_t count = data ? size_max(e->graph, shape_count(e->graph, v->shape)) : 0;
        if (data == NULL)
            continue;
        text_add(t, "%sconst %s %s_default_%s[%lld]", define ? "" : "extern ",
                 emit_type(e, v->type), e->module->name, v->cname, (long long)count);
        int64_t written = last_written(data, count);
        for (int64_t k = 0; define && k < written; k++) {
            const char *before = ", ";
            if (k % 8 == 0)
                before = k ? ",\n    " : " = {\n    ";
            text_add(t, "%s%s", before, emit_number(e, data[k], v->type));
        }
        text_add(t, define ? "\n};\n\n" : ";\n");
    }
}

/* ---- the weights of --weights ---- */

/* What separates element i of an axis from the one before: rows, and 8 numbers of the last axis,
 * are on lines of their own. */
static const char *separator(int64_t i, bool last_axis)
{
    if (i == 0)
        return "";
    return last_axis && i % 8 != 0 ? ", " : ",\n     ";
}

/* Elements in as many braces as there are axes. Returns the elements after them. */
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
        text_add(t, "%s", separator(i, last));
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

/* = {...} with the variables of one kind. */
static void put_block(Emit *e, Text *t, VarKind kind)
{
    const char *before = " = {\n    ";
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

    for (size_t k = 0; k < sizeof blocks / sizeof *blocks && e->ngc->opt.weights; k++) {
        if (!has_kind(e->module->model, blocks[k].kind))
            continue;
        text_add(t, "%sconst %s_%s %s_weights%s", define ? "" : "extern ", e->module->name,
                 blocks[k].type, e->module->name, blocks[k].end);
        if (define)
            put_block(e, t, blocks[k].kind);
        text_add(t, ";\n\n");
    }
}
