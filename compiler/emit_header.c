/* emit_header.c - the declarations of a model: its types, its functions, and the descriptor that
 * tells both to programs. */
#include "emit.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* ---- types ---- */

/* Sizes of an array at the bound; flat: one size, where rows have a length known only at run time
 * and lie end to end.
 */
const char *emit_dims(Emit *e, Shape shape, bool *flat)
{
    Text t = {.ngc = e->ngc};
    *flat = false;
    text_put(&t, "", 0);
    for (int i = 1; i < shape.rank; i++)
        *flat |= shape.dim[i] < 0;
    if (*flat)
        return text_format(e->ngc, "[%lld]",
                           (long long)size_max(e->graph, shape_count(e->graph, shape)));
    for (int i = 0; i < shape.rank; i++)
        text_add(&t, "[%lld]", (long long)size_max(e->graph, shape.dim[i]));
    return t.at;
}

static const char *element_type(const Emit *e, Type type)
{
    return type == T_INT ? "int32_t" : e->real;
}

/* "    float p[64][10]; [m, 10]" with what follows in a comment where it says more than the
 * declaration. */
static void declare_member(Emit *e, Text *t, const char *name, Type type, Shape shape,
                           const char *user)
{
    bool flat, run_time = false;
    const char *dims = emit_dims(e, shape, &flat);
    for (int i = 0; i < shape.rank; i++)
        run_time |= shape.dim[i] < 0;
    text_add(t, "    %s %s%s;", element_type(e, type), name, dims);
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
            text_add(t, "    %s %s;", element_type(e, v->type), v->cname);
        else
            text_add(t, "    const %s *%s; /* %s", element_type(e, v->type), v->cname,
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

/* The elements that a tensor has by default; NULL: the caller gives them. */
static const double *default_data(const Var *v)
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
                 element_type(e, v->type), e->module->name, v->cname, (long long)count);
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

/* The arguments in their fixed order: with their types, or as they are passed on. */
const char *emit_arguments(Emit *e, const Function *f, bool types)
{
    static const struct {
        unsigned use;
        const char *type, *name;
    } all[] = {
        {USES_PARAMS, "params", "params"}, {USES_STATE, "state", "state"},
        {USES_INPUTS, "inputs", "in"},     {USES_WORK, "work", "w"},
        {USES_GRADS, "grads", "grads"},    {USES_TOTALS, "totals", "t"},
    };
    Text t = {.ngc = e->ngc};
    const char *comma = "";
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!(f->blocks & all[i].use))
            continue;
        if (types)
            text_add(&t, "%s%s%s_%s *%s", comma, f->writes & all[i].use ? "" : "const ",
                     e->module->name, all[i].type, all[i].name);
        else
            text_add(&t, "%s%s", comma, all[i].name);
        comma = ", ";
    }
    if (f->fn == FN_INIT)
        text_add(&t, types ? "%suint64_t seed" : "%sseed", comma);
    return t.at ? t.at : types ? "void" : "";
}

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

/* ---- the descriptor ---- */

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
