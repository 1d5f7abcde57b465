/* emit_header.c - the declarations of a model: its types, its macros and its functions. */
#include "emit/emit.h"

#include <math.h>
#include <string.h>

/* ---- types ---- */

/* "    float p[64][10];" with a comment if there is more to say: the user's name, the shape with
 * run-time sizes. */
static void declare_member(Emit *e, Text *t, const char *name, Type type, Shape shape,
                           const char *user)
{
    bool flat, run_time = false;
    bool renamed = user && !same_text(user, name);
    const char *dims = emit_dims(e, shape, &flat);
    for (int i = 0; i < shape.rank; i++)
        run_time |= shape.dim[i] < 0;

    text_add(t, "    %s %s%s;", emit_type(e, type), name, dims);
    if (run_time || renamed) {
        text_add(t, " /*");
        if (renamed)
            text_add(t, " %s", comment_text(e->ngc, user));
        if (run_time)
            text_add(t, " %s", shape_text(e->graph, shape));
        text_add(t, "%s */", text_if(flat, ", rows end to end"));
    }
    text_add(t, "\n");
}

/* The struct of the variables of one kind. */
void emit_vars(Emit *e, Text *t, VarKind kind, const char *what)
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

/* "    const float *x; [m, 4]": the shape of a tensor, and the range of labels. */
static void declare_input(Emit *e, Text *t, const Var *v)
{
    const char *type = emit_type(e, v->type);
    long long last = v->limit - 1;

    if (v->shape.rank > 0) {
        text_add(t, "    const %s *%s; /* %s", type, v->cname, shape_text(e->graph, v->shape));
        if (v->limit > 0)
            text_add(t, ", 0 to %lld", last);
        text_add(t, " */\n");
    } else {
        text_add(t, "    %s %s;", type, v->cname);
        if (v->limit > 0)
            text_add(t, " /* 0 to %lld */", last);
        text_add(t, "\n");
    }
}

static void declare_inputs(Emit *e, Text *t)
{
    const Module *m = e->module;
    if (!module_has_var(m, VAR_INPUT))
        return;

    text_add(t, "typedef struct %s_inputs {", m->name);
    text_add(t, " /* tensors are dense, row-major, and stay the caller's */\n");
    for (int i = 0; i < e->graph->dims; i++)
        text_add(t, "    int %s; /* 1 to %lld */\n", m->dim[i], (long long)e->graph->dim[i].max);
    for (int i = 0; i < m->model->vars; i++)
        if (m->model->var[i]->kind == VAR_INPUT)
            declare_input(e, t, m->model->var[i]);
    text_add(t, "} %s_inputs;\n\n", m->name);
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
    const Module *m = e->module;

    text_add(t, "typedef struct %s_work { /* zeroed once by its owner, then reused */\n", m->name);
    text_add(t, "    struct ngrt_pool *pool; /* NULL: the caller's thread alone */\n");
    if (e->ngc->opt.ranks)
        text_add(t, "    struct ngrt_ranks *ranks; /* NULL: all rows are this process's */\n");
    for (int i = 0; i < m->members; i++) {
        const Member *member = &m->member[i];
        declare_member(e, t, member->name, member->type, member->shape, NULL);
    }

    if (m->ispace > 0)
        text_add(t, "    int32_t ispace[%lld];\n", (long long)m->ispace);
    if (m->spare)
        text_add(t, "    int space_at; /* where a cache line begins in space */\n");
    if (m->space > 0)
        text_add(t, "    %s space[%lld];\n", e->real, (long long)m->space + m->spare);
    text_add(t, "} %s_work;\n\n", m->name);
}

/* ---- macros ---- */

/* The value that an input has by default: 0 if the model gives none. */
static double default_number(const Var *v)
{
    double d;
    return v->init && node_const(v->init, &d) ? d : 0;
}

/* Does the initializer of inputs have an INFINITY or a NAN in it? */
static bool needs_math(const Emit *e)
{
    for (int i = 0; i < e->module->model->vars; i++) {
        const Var *v = e->module->model->var[i];
        if (v->kind != VAR_INPUT || v->shape.rank != 0)
            continue;

        double d = default_number(v);
        if (!isfinite(e->ngc->opt.real_double ? d : (double)(float)d))
            return true;
    }
    return false;
}

/* An input in the initializer: a number, or an array of default values. */
static const char *default_text(Emit *e, const Var *v)
{
    if (v->shape.rank == 0)
        return emit_number(e, default_number(v), v->type);
    if (default_data(v))
        return text_format(e->ngc, "%s_default_%s", e->module->name, v->cname);
    return "0";
}

/* "#define IRIS_INPUTS { 150, 0 }" */
static void define_inputs(Emit *e, Text *t)
{
    const Module *m = e->module;
    const char *comma = "";

    text_add(t, "#define %s_INPUTS { ", m->upper);
    for (int i = 0; i < e->graph->dims; i++) {
        text_add(t, "%s%lld", comma, (long long)e->graph->dim[i].max);
        comma = ", ";
    }
    for (int i = 0; i < m->model->vars; i++) {
        const Var *v = m->model->var[i];
        if (v->kind != VAR_INPUT)
            continue;
        text_add(t, "%s%s", comma, default_text(e, v));
        comma = ", ";
    }
    text_add(t, " } /* the default values, as an initializer */\n");
}

static void define_macros(Emit *e, Text *t)
{
    for (int i = 0; i < e->graph->dims; i++)
        text_add(t, "#define %s %lld\n", e->module->dim_max[i], (long long)e->graph->dim[i].max);
    if (module_has_var(e->module, VAR_INPUT))
        define_inputs(e, t);
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
    const Module *m = e->module;

    for (int i = 0; i < m->functions; i++) {
        const Function *f = &m->function[i];
        if (f->walk)
            continue;
        const char *result = f->fn == FN_INIT ? "void" : "int";
        text_add(t, "/* %s */\n", function_note[f->fn < FN_GROUP ? f->fn : FN_GROUP]);
        text_add(t, "%s %s_%s(%s);\n", result, m->name, f->name, emit_arguments(e, f, true));
    }
    metrics_declare(e, t);

    text_add(t, "\n/* for other languages and generic programs */\n");
    for (int i = 0; i < BLOCK_COUNT; i++)
        if (module_has_block(e->module, i))
            text_add(t, "size_t %s_sizeof_%s(void);\n", m->name, block_info[i].type);
    text_add(t, "extern const ngrt_model %s_model;\n", m->name);
}

/* ---- all declarations ---- */

static void print_includes(Emit *e, Text *t)
{
    if (needs_math(e))
        text_add(t, "#include <math.h>\n");
    text_add(t, "#include <stddef.h>\n");
    text_add(t, "#include <stdint.h>\n\n");

    if (e->ngc->opt.standalone)
        emit_types(t, e->ngc->opt.ranks);
    else
        text_add(t, "#include \"ngrt.h\"\n\n");
}

static const char cplusplus_begin[] = "#ifdef __cplusplus\n"
                                      "extern \"C\" {\n"
                                      "#endif\n"
                                      "\n";

static const char cplusplus_end[] = "\n"
                                    "#ifdef __cplusplus\n"
                                    "}\n"
                                    "#endif\n";

void emit_declarations(Emit *e, Text *t, bool is_header)
{
    print_includes(e, t);
    text_add(t, "%s", cplusplus_begin);

    define_macros(e, t);
    emit_defaults(e, t, false);
    emit_vars(e, t, VAR_PARAM, "params");
    emit_vars(e, t, VAR_STATE, "state");
    declare_grads(e, t);
    declare_inputs(e, t);
    declare_work(e, t);
    metrics_declare_block(e, t);
    emit_weights(e, t, false);

    text_add(t, "/* Functions that return int check sizes and labels before they write anything: "
                "0, or a negative NGRT_E... */\n");
    declare_functions(e, t);
    if (is_header)
        emit_all(e, t);
    text_add(t, "%s", cplusplus_end);
}
