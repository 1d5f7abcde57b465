/* emit_header.c - the declarations of a model: its types, its macros and its functions. */
#include "emit.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* ---- types ---- */

/* "    float p[64][10]; [m, 10]" with what follows in a comment where it says more than the
 * declaration. */
static void declare_member(Emit *e, Text *t, const char *name, Type type, Shape shape,
                           const char *user)
{
    bool flat, run_time = false;
    const char *dims = emit_dims(e, shape, &flat);
    for (int i = 0; i < shape.rank; i++)
        run_time |= shape.dim[i] < 0;
    text_add(t, "    %s %s%s;", emit_type(e, type), name, dims);
    if (run_time || (user && strcmp(user, name) != 0)) {
        text_add(t, " /*");
        if (user && strcmp(user, name) != 0)
            text_add(t, " %s", comment_text(e->ngc, user));
        if (run_time)
            text_add(t, " %s", shape_text(e->graph, shape));
        text_add(t, "%s */", flat ? ", rows end to end" : "");
    }
    text_add(t, "\n");
}

static void declare_vars(Emit *e, Text *t, VarKind kind, const char *what)
{
    if (!module_has_var(e->module, kind))
        return;
    text_add(t, "typedef struct %s_%s {\n", e->module->name, what);
    for (int i = 0; i < e->module->model->vars; i++) {
        const Var *v = e->module->model->var[i];
        if (v->kind == kind)
            declare_member(e, t, v->cname, v->type, v->shape, v->name);
    }
    text_add(t, "} %s_%s;\n\n", e->module->name, what);
}

static void declare_inputs(Emit *e, Text *t)
{
    if (!module_has_var(e->module, VAR_INPUT))
        return;
    text_add(
        t, "typedef struct %s_inputs { /* tensors are dense, row-major, and stay the caller's */\n",
        e->module->name);
    for (int i = 0; i < e->graph->dims; i++)
        text_add(t, "    int %s; /* 1 to %lld */\n", e->module->dim[i],
                 (long long)e->graph->dim[i].max);
    for (int i = 0; i < e->module->model->vars; i++) {
        const Var *v = e->module->model->var[i];
        if (v->kind != VAR_INPUT)
            continue;
        if (v->shape.rank == 0)
            text_add(t, "    %s %s;", emit_type(e, v->type), v->cname);
        else
            text_add(t, "    const %s *%s; /* %s", emit_type(e, v->type), v->cname,
                     shape_text(e->graph, v->shape));
        if (v->limit > 0)
            text_add(t, "%s 0 to %lld", v->shape.rank ? "," : " /*", (long long)v->limit - 1);
        text_add(t, "%s\n", v->limit > 0 || v->shape.rank ? " */" : "");
    }
    text_add(t, "} %s_inputs;\n\n", e->module->name);
}

static void declare_grads(Emit *e, Text *t)
{
    if (!module_has_root(e->module, ROOT_GRAD))
        return;
    text_add(t, "typedef struct %s_grads {\n", e->module->name);
    for (int i = 0; i < e->module->model->roots; i++) {
        const Root *r = &e->module->model->root[i];
        if (r->kind == ROOT_GRAD)
            declare_member(e, t, r->cname, r->node->type, r->node->shape, r->name);
    }
    text_add(t, "} %s_grads;\n\n", e->module->name);
}

static void declare_work(Emit *e, Text *t)
{
    text_add(t, "typedef struct %s_work { /* zeroed once by its owner, then reused */\n",
             e->module->name);
    text_add(t, "    struct ngrt_pool *pool; /* NULL: the caller's thread alone */\n");
    for (int i = 0; i < e->module->members; i++)
        declare_member(e, t, e->module->member[i].name, e->module->member[i].type,
                       e->module->member[i].shape, NULL);
    if (e->module->ispace > 0)
        text_add(t, "    int32_t ispace[%lld];\n", (long long)e->module->ispace);
    if (e->module->spare)
        text_add(t, "    int space_at; /* where a cache line begins in space */\n");
    if (e->module->space > 0)
        text_add(t, "    %s space[%lld];\n", e->real,
                 (long long)e->module->space + e->module->spare);
    text_add(t, "} %s_work;\n\n", e->module->name);
}

/* ---- macros ---- */

/* Does the initializer of inputs have an INFINITY or a NAN in it? */
static bool needs_math(const Emit *e)
{
    double d;
    for (int i = 0; i < e->module->model->vars; i++) {
        const Var *v = e->module->model->var[i];
        if (v->kind != VAR_INPUT || v->shape.rank != 0 || !v->init || !node_const(v->init, &d))
            continue;
        if (!isfinite(e->ngc->opt.real_double ? d : (double)(float)d))
            return true;
    }
    return false;
}

static void define_macros(Emit *e, Text *t)
{
    const char *comma = "";
    for (int i = 0; i < e->graph->dims; i++)
        text_add(t, "#define %s %lld\n", e->module->dim_max[i], (long long)e->graph->dim[i].max);
    if (module_has_var(e->module, VAR_INPUT)) {
        text_add(t, "#define %s_INPUTS { ", e->module->upper);
        for (int i = 0; i < e->graph->dims; i++, comma = ", ")
            text_add(t, "%s%lld", comma, (long long)e->graph->dim[i].max);
        for (int i = 0; i < e->module->model->vars; i++) {
            const Var *v = e->module->model->var[i];
            double d = 0;
            if (v->kind != VAR_INPUT)
                continue;
            bool given = v->init && node_const(v->init, &d);
            if (v->shape.rank)
                text_add(t, "%s%s", comma,
                         default_data(v)
                             ? text_format(e->ngc, "%s_default_%s", e->module->name, v->cname)
                             : "0");
            else
                text_add(t, "%s%s", comma, emit_number(e, given ? d : 0, v->type));
            comma = ", ";
        }
        text_add(t, " } /* the default values, as an initializer */\n");
    }
    text_add(t, "\n");
}

/* ---- functions ---- */

static const char *const function_note[] = {
    [FN_INIT] = "the same bits on every machine",
    [FN_PREDICT] = "outputs; training = 0",
    [FN_EVAL] = "outputs, losses, metrics; training = 0",
    [FN_FORWARD] = "losses, and what backward needs; training = 1",
    [FN_BACKWARD] = "after forward, on the same work; overwrites the gradients",
    [FN_UPDATE] = "all updates, simultaneously",
    [FN_STEP] = "forward, backward and update in one",
    [FN_GROUP] = "the same for one minimize",
};

static void declare_functions(Emit *e, Text *t)
{
    for (int i = 0; i < e->module->functions; i++) {
        const Function *f = &e->module->function[i];
        if (f->walk)
            continue;
        text_add(t, "/* %s */\n", function_note[f->fn < FN_GROUP ? f->fn : FN_GROUP]);
        text_add(t, "%s %s_%s(%s);\n", f->fn == FN_INIT ? "void" : "int", e->module->name, f->name,
                 emit_arguments(e, f, true));
    }
    metrics_declare(e, t);
    text_add(t, "\n/* for other languages and generic programs */\n");
    static const char *const block[] = {"params", "state", "inputs", "work", "grads"};
    bool have[] = {module_has_var(e->module, VAR_PARAM), module_has_var(e->module, VAR_STATE),
                   module_has_var(e->module, VAR_INPUT), true,
                   module_has_root(e->module, ROOT_GRAD)};
    for (size_t i = 0; i < sizeof block / sizeof *block; i++)
        if (have[i])
            text_add(t, "size_t %s_sizeof_%s(void);\n", e->module->name, block[i]);
    if (e->module->metrics)
        text_add(t, "size_t %s_sizeof_totals(void);\n", e->module->name);
    text_add(t, "extern const ngrt_model %s_model;\n", e->module->name);
}

void emit_declarations(Emit *e, Text *t)
{
    text_add(t, "%s#include <stddef.h>\n#include <stdint.h>\n\n",
             needs_math(e) ? "#include <math.h>\n" : "");
    if (e->ngc->opt.standalone)
        emit_types(t);
    else
        text_add(t, "#include \"ngrt.h\"\n\n");
    text_add(t, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    define_macros(e, t);
    emit_defaults(e, t, false);
    declare_vars(e, t, VAR_PARAM, "params");
    declare_vars(e, t, VAR_STATE, "state");
    declare_grads(e, t);
    declare_inputs(e, t);
    declare_work(e, t);
    metrics_declare_block(e, t);
    emit_weights(e, t, false);
    text_add(
        t,
        "/* Functions that return int check sizes and labels before they write anything: 0, or a negative "
        "NGRT_E... */\n");
    declare_functions(e, t);
    text_add(t, "\n#ifdef __cplusplus\n}\n#endif\n");
}
