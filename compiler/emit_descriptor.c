/* emit_descriptor.c - the descriptor of a model: its tensors, sizes and functions, for programs
 * that know no model. */
#include "emit.h"

#include <limits.h>
#include <string.h>

/* A string literal of any text. */
static const char *quote(Ngc *ngc, const char *text)
{
    Text t = {.ngc = ngc};
    text_add(&t, "\"");
    for (const char *c = text; *c; c++)
        if (*c == '"' || *c == '\\' || *c == '?')
            text_add(&t, "\\%c", *c);
        else if (*c < ' ' || *c > '~')
            text_add(&t, "\\%03o", (unsigned char)*c);
        else
            text_put(&t, c, 1);
    text_add(&t, "\"");
    return t.at;
}

static int run_time_dim(const Emit *e, Size s)
{
    for (int i = 0; i < e->graph->dims && s < 0; i++)
        if (size_uses_dim(e->graph, s, i))
            return i;
    return -1;
}

typedef struct Row { /* of the table of tensors */
    const char *name, *role, *block, *member;
    Type type;
    Shape shape;
    const char *flags;
    int64_t limit;
    const char *total; /* where its value for all rows is; NULL: nowhere */
} Row;

static void add_row(Emit *e, Text *t, Row r)
{
    text_add(t, "    {%s, %s, %s, %d, {", quote(e->ngc, r.name), r.role,
             r.type == T_INT           ? "NGRT_I32"
             : e->ngc->opt.real_double ? "NGRT_F64"
                                       : "NGRT_F32",
             r.shape.rank);
    for (int i = 0; i < 8; i++)
        text_add(t, "%s%lld", i ? ", " : "",
                 i < r.shape.rank ? (long long)size_max(e->graph, r.shape.dim[i]) : 0LL);
    text_add(t, "}, {");
    for (int i = 0; i < 8; i++)
        text_add(t, "%s%d", i ? ", " : "", i < r.shape.rank ? run_time_dim(e, r.shape.dim[i]) : -1);
    text_add(t, "}, offsetof(%s_%s, %s), %s, %lld, %s},\n", e->module->name, r.block, r.member,
             r.flags, r.limit > INT_MAX ? 0LL : (long long)r.limit, r.total ? r.total : "0");
}

/* Is the input's value no part of what predict reads? */
static bool is_target(const Emit *e, int var)
{
    for (int i = 0; i < e->module->functions; i++)
        if (e->module->function[i].fn == FN_PREDICT)
            return !e->module->function[i].reads[var];
    return false;
}

/* Does the model give the input a value? */
static bool has_default(const Var *v)
{
    double d;
    if (v->kind != VAR_INPUT || !v->init)
        return false;
    return v->shape.rank > 0 ? default_data(v) != NULL : node_const(v->init, &d);
}

/* The flags of a variable. */
static const char *var_flags(const Emit *e, int var)
{
    bool target = e->module->model->var[var]->kind == VAR_INPUT && is_target(e, var);
    if (has_default(e->module->model->var[var]))
        return target ? "NGRT_TARGET | NGRT_DEFAULT" : "NGRT_DEFAULT";
    return target ? "NGRT_TARGET" : "0";
}

static int add_rows(Emit *e, Text *t)
{
    static const struct {
        const char *role, *block;
    } of_var[] = {[VAR_INPUT] = {"NGRT_INPUT", "inputs"},
                  [VAR_PARAM] = {"NGRT_PARAM", "params"},
                  [VAR_STATE] = {"NGRT_STATE", "state"}};
    static const struct {
        RootKind kind;
        const char *role, *block;
    } of_root[] = {{ROOT_GRAD, "NGRT_GRAD", "grads"},
                   {ROOT_OUTPUT, "NGRT_OUTPUT", "work"},
                   {ROOT_LOSS, "NGRT_LOSS", "work"},
                   {ROOT_METRIC, "NGRT_METRIC", "work"}};
    int rows = 0;
    for (int k = VAR_INPUT; k <= VAR_STATE; k++)
        for (int i = 0; i < e->module->model->vars; i++) {
            const Var *v = e->module->model->var[i];
            if (v->kind != (VarKind)k)
                continue;
            add_row(e, t,
                    (Row){v->name, of_var[k].role, of_var[k].block, v->cname, v->type, v->shape,
                          var_flags(e, i), v->limit});
            rows++;
        }
    for (size_t k = 0; k < sizeof of_root / sizeof *of_root; k++)
        for (int i = 0; i < e->module->model->roots; i++) {
            const Root *r = &e->module->model->root[i];
            if (r->kind != of_root[k].kind)
                continue;
            add_row(e, t,
                    (Row){r->name, of_root[k].role, of_root[k].block, r->cname, r->node->type,
                          r->node->shape, metrics_flags(e, i), 0, metrics_offset(e, i)});
            rows++;
        }
    return rows;
}

/* A function with the descriptor's arguments. */
static void add_wrapper(Emit *e, Text *t, const Function *f)
{
    static const struct {
        unsigned use;
        const char *name, *own;
    } all[] = {{USES_PARAMS, "params", "params"},
               {USES_STATE, "state", "state"},
               {USES_INPUTS, "inputs", "in"},
               {USES_WORK, "work", "w"},
               {USES_GRADS, "grads", "grads"}};
    bool init = f->fn == FN_INIT, writes = init || f->fn == FN_UPDATE || f->fn == FN_STEP;
    const char *comma = "";
    text_add(t, "static %s call_%s(%svoid *params, void *state, ", init ? "void" : "int", f->name,
             writes ? "" : "const ");
    text_add(t, init ? "uint64_t seed" : "const void *inputs, void *work");
    text_add(t, "%s)\n{\n",
             f->fn == FN_BACKWARD ? ", void *grads"
             : f->fn == FN_UPDATE ? ", const void *grads"
                                  : "");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        bool there = i < 2 || (i < 4 && !init) || f->fn == FN_BACKWARD || f->fn == FN_UPDATE;
        if (there && !(f->blocks & all[i].use))
            text_add(t, "    (void)%s;\n", all[i].name);
    }
    text_add(t, "    %s%s_%s(", init ? "" : "return ", e->module->name, f->name);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (f->blocks & all[i].use) {
            text_add(t, "%s%s", comma, all[i].name);
            comma = ", ";
        }
    text_add(t, "%s);\n}\n\n", init ? text_format(e->ngc, "%sseed", comma) : "");
}

void emit_model(Emit *e, Text *t)
{
    Text rows = {.ngc = e->ngc};
    int count = add_rows(e, &rows);
    static const char *const block[] = {"params", "state", "inputs", "work", "grads"};
    bool have[] = {module_has_var(e->module, VAR_PARAM), module_has_var(e->module, VAR_STATE),
                   module_has_var(e->module, VAR_INPUT), true,
                   module_has_root(e->module, ROOT_GRAD)};
    const char *name[FN_GROUP] = {NULL};
    for (size_t i = 0; i < sizeof block / sizeof *block; i++)
        if (have[i])
            text_add(t, "size_t %s_sizeof_%s(void)\n{\n    return sizeof(%s_%s);\n}\n\n",
                     e->module->name, block[i], e->module->name, block[i]);
    for (int i = 0; i < e->module->functions; i++)
        if (e->module->function[i].fn < FN_GROUP && !e->module->function[i].walk) {
            add_wrapper(e, t, &e->module->function[i]);
            name[e->module->function[i].fn] = e->module->function[i].name;
        }
    metrics_wrappers(e, t);
    if (e->graph->dims > 0) {
        text_add(t, "static const ngrt_dim dims[] = {\n");
        for (int i = 0; i < e->graph->dims; i++)
            text_add(t, "    {%s, %lld, offsetof(%s_inputs, %s)},\n",
                     quote(e->ngc, e->graph->dim[i].name), (long long)e->graph->dim[i].max,
                     e->module->name, e->module->dim[i]);
        text_add(t, "};\n\n");
    }
    if (count > 0)
        text_add(t, "static const ngrt_tensor tensors[] = {\n%s};\n\n", rows.at);
    if (module_has_var(e->module, VAR_INPUT))
        text_add(t, "static const %s_inputs defaults = %s_INPUTS;\n\n", e->module->name,
                 e->module->upper);
    text_add(t, "const ngrt_model %s_model = {\n    NGRT_MODEL_VERSION, %s, %s,\n    ",
             e->module->name, quote(e->ngc, e->module->model->name),
             e->ngc->opt.real_double ? "NGRT_F64" : "NGRT_F32");
    for (size_t i = 0; i < sizeof block / sizeof *block; i++)
        text_add(t, have[i] ? "sizeof(%s_%s),%s" : "0,%.0s%.0s%s", e->module->name, block[i],
                 i < 4 ? " " : "");
    text_add(t, "\n    %d, %s, %d, %s,\n    ", e->graph->dims, e->graph->dims ? "dims" : "NULL",
             count, count ? "tensors" : "NULL");
    for (int fn = FN_INIT; fn <= FN_STEP; fn++)
        text_add(t, name[fn] ? "%scall_%s" : "%sNULL", fn ? ", " : "", name[fn]);
    if (e->module->metrics)
        text_add(
            t,
            ",\n    sizeof(%s_totals), call_metrics_start, call_metrics_add, call_metrics_finish",
            e->module->name);
    else
        text_add(t, ",\n    0, NULL, NULL, NULL");
    text_add(t, ",\n    %s\n};\n", module_has_var(e->module, VAR_INPUT) ? "&defaults" : "NULL");
}
