/* emit_descriptor.c - the descriptor of a model: its tensors, sizes and functions, for programs
 * that know no model. */
#include "emit/emit.h"

#include <limits.h>

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

/* ---- tensors ---- */

enum { FIXED = -1, COMPUTED = -2 }; /* of an axis, in place of a run-time dim */

/* The index of the run-time dim that a size is a multiple of, FIXED or COMPUTED. */
static int run_time_dim(const Emit *e, Size s)
{
    Graph *g = e->graph;

    for (int i = 0; i < g->dims && s < 0; i++)
        if (size_uses_dim(g, s, i)) {
            Size multiple = size_mul(g, size_max(g, s) / g->dim[i].max, size_dim(g, i));
            return s == multiple ? i : COMPUTED;
        }
    return FIXED;
}

typedef struct Row {            /* of the table of tensors */
    const char *name;           /* the user's */
    const char *role;           /* NGRT_... */
    const char *block, *member; /* where it is */
    Type type;
    Shape shape;
    const char *flags; /* NGRT_... | NGRT_... */
    int64_t limit;     /* of labels; 0: none */
    const char *total; /* where its value for all rows is; NULL: nowhere */
} Row;

enum { DESCRIPTOR_RANK = 8 }; /* sizes that a row has room for */

/* The rows of the table, and the lengths of axes that are computed. */
typedef struct Rows {
    Text table;
    int count;
    Text lengths;  /* "    case 8*3 + 0: return (int)(9 - T);\n" */
    unsigned dims; /* that these use */
} Rows;

static void add_length(Emit *e, Rows *rows, int axis, Size s)
{
    text_add(&rows->lengths, "    case 8*%d + %d: return (int)(%s);\n", rows->count, axis,
             emit_size(e, s, &rows->dims));
}

/* {name, role, type, rank, {sizes}, {run-time dims}, offset, flags, limit, total} */
static void add_row(Emit *e, Rows *rows, Row r)
{
    int rank = r.shape.rank;
    Text *t = &rows->table;

    text_add(t, "    {%s, %s, %s, %d, {", quote(e->ngc, r.name), r.role,
             emit_type_constant(e, r.type), rank);
    for (int i = 0; i < DESCRIPTOR_RANK; i++) {
        long long size = i < rank ? size_max(e->graph, r.shape.dim[i]) : 0;
        text_add(t, "%s%lld", comma_before(i), size);
    }
    text_add(t, "}, {");
    for (int i = 0; i < DESCRIPTOR_RANK; i++) {
        int dim = FIXED;
        if (i < rank)
            dim = run_time_dim(e, r.shape.dim[i]);
        text_add(t, "%s%d", comma_before(i), dim);
        if (dim == COMPUTED)
            add_length(e, rows, i, r.shape.dim[i]);
    }

    long long limit = r.limit > INT_MAX ? 0 : r.limit;
    text_add(t, "}, offsetof(%s_%s, %s), %s, %lld, %s},\n", e->module->name, r.block, r.member,
             r.flags, limit, text_or(r.total, "0"));
    rows->count++;
}

/* Is the input only compared with what the model computes? Then predict does not read it. */
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
    if (v->shape.rank > 0)
        return default_data(v) != NULL;
    return node_const(v->init, &d);
}

/* The flags of a variable. */
static const char *var_flags(const Emit *e, int var)
{
    const Var *v = e->module->model->var[var];
    if (v->draws)
        return "NGRT_DRAWS";
    if (module_stays_of_one_row(e->module, v))
        return "NGRT_STAYS";

    bool target = v->kind == VAR_INPUT && is_target(e, var);
    if (has_default(v))
        return target ? "NGRT_TARGET | NGRT_DEFAULT" : "NGRT_DEFAULT";
    return target ? "NGRT_TARGET" : "0";
}

/* The variables of one kind. */
static void add_vars(Emit *e, Rows *rows, VarKind kind, const char *role)
{
    const Model *m = e->module->model;
    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];
        if (v->kind != kind)
            continue;
        add_row(e, rows,
                (Row){.name = v->name,
                      .role = role,
                      .block = block_info[block_of_var[kind]].type,
                      .member = v->cname,
                      .type = v->type,
                      .shape = v->shape,
                      .flags = var_flags(e, i),
                      .limit = v->limit});
    }
}

/* The roots of one kind. */
static void add_roots(Emit *e, Rows *rows, RootKind kind, const char *role, Block block)
{
    const Model *m = e->module->model;
    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        if (r->kind != kind)
            continue;
        add_row(e, rows,
                (Row){.name = r->name,
                      .role = role,
                      .block = block_info[block].type,
                      .member = r->cname,
                      .type = r->node->type,
                      .shape = r->node->shape,
                      .flags = metrics_flags(e, i),
                      .total = metrics_offset(e, i)});
    }
}

/* All tensors of the interface. */
static void add_rows(Emit *e, Rows *rows)
{
    add_vars(e, rows, VAR_INPUT, "NGRT_INPUT");
    add_vars(e, rows, VAR_PARAM, "NGRT_PARAM");
    add_vars(e, rows, VAR_STATE, "NGRT_STATE");
    add_roots(e, rows, ROOT_GRAD, "NGRT_GRAD", BLOCK_GRADS);
    add_roots(e, rows, ROOT_OUTPUT, "NGRT_OUTPUT", BLOCK_WORK);
    add_roots(e, rows, ROOT_LOSS, "NGRT_LOSS", BLOCK_WORK);
    add_roots(e, rows, ROOT_METRIC, "NGRT_METRIC", BLOCK_WORK);
}

/* ---- functions with the descriptor's arguments ---- */

/* Is the block an argument of this member of ngrt_model? */
static bool takes_block(const Function *f, unsigned use)
{
    switch (use) {
    case USES_PARAMS:
    case USES_STATE: return true;
    case USES_GRADS: return f->fn == FN_BACKWARD || f->fn == FN_UPDATE;
    default: return f->fn != FN_INIT;
    }
}

static void add_wrapper_head(const Function *f, Text *t)
{
    bool init = f->fn == FN_INIT;
    bool writes = init || f->fn == FN_UPDATE || f->fn == FN_STEP;

    text_add(t, "static %s call_%s(", init ? "void" : "int", f->name);
    text_add(t, "%svoid *params, void *state", text_if(!writes, "const "));
    text_add(t, init ? ", uint64_t seed" : ", const void *inputs, void *work");
    if (f->fn == FN_BACKWARD)
        text_add(t, ", void *grads");
    if (f->fn == FN_UPDATE)
        text_add(t, ", const void *grads");
    text_add(t, ")\n");
}

static void add_wrapper(Emit *e, Text *t, const Function *f)
{
    bool init = f->fn == FN_INIT;
    const char *comma = "";

    add_wrapper_head(f, t);
    text_add(t, "{\n");
    for (int i = 0; i < MODEL_BLOCKS; i++) {
        const BlockInfo *block = &block_info[i];
        if (takes_block(f, block->use) && !(f->blocks & block->use))
            text_add(t, "    (void)%s;\n", block->type);
    }

    text_add(t, "    %s%s_%s(", text_if(!init, "return "), e->module->name, f->name);
    for (int i = 0; i < MODEL_BLOCKS; i++) {
        if (!(f->blocks & block_info[i].use))
            continue;
        text_add(t, "%s%s", comma, block_info[i].type);
        comma = ", ";
    }
    if (init)
        text_add(t, "%sseed", comma);
    text_add(t, ");\n");
    text_add(t, "}\n\n");
}

/* ---- the descriptor ---- */

static void print_sizes(const Emit *e, Text *t)
{
    for (int i = 0; i < MODEL_BLOCKS; i++) {
        const char *type = block_info[i].type;
        if (!module_has_block(e->module, i))
            continue;
        text_add(t, "size_t %s_sizeof_%s(void)\n", e->module->name, type);
        text_add(t, "{\n");
        text_add(t, "    return sizeof(%s_%s);\n", e->module->name, type);
        text_add(t, "}\n\n");
    }
}

/* Lengths of axes that are not multiples of one run-time size. */
static void print_lengths(const Emit *e, const Rows *rows, Text *t)
{
    if (rows->lengths.size == 0)
        return;
    text_add(t, "static int axis_length(int tensor, int axis, const int *size)\n{\n");
    for (int i = 0; i < e->graph->dims; i++)
        if (rows->dims >> i & 1)
            text_add(t, "    const size_t %s%s = (size_t)size[%d];\n", e->module->dim_prefix,
                     e->graph->dim[i].name, i);
    text_add(t, "    switch (8*tensor + axis) {\n%s    }\n    return 0;\n}\n\n", rows->lengths.at);
}

/* The tables that the descriptor has pointers to. */
static void print_tables(const Emit *e, const Rows *rows, Text *t)
{
    Graph *g = e->graph;
    const Module *m = e->module;

    if (g->dims > 0) {
        text_add(t, "static const ngrt_dim dims[] = {\n");
        for (int i = 0; i < g->dims; i++) {
            const char *name = quote(e->ngc, g->dim[i].name);
            text_add(t, "    {%s, %lld, offsetof(%s_inputs, %s)},\n", name,
                     (long long)g->dim[i].max, m->name, m->dim[i]);
        }
        text_add(t, "};\n\n");
    }
    if (rows->count > 0)
        text_add(t, "static const ngrt_tensor tensors[] = {\n%s};\n\n", rows->table.at);
    print_lengths(e, rows, t);
    if (module_has_var(m, VAR_INPUT))
        text_add(t, "static const %s_inputs defaults = %s_INPUTS;\n\n", m->name, m->upper);
}

/* The members for blocks: their sizes. */
static void print_block_sizes(const Emit *e, Text *t)
{
    text_add(t, "    ");
    for (int i = 0; i < MODEL_BLOCKS; i++) {
        if (i > 0)
            text_add(t, " ");
        if (module_has_block(e->module, i))
            text_add(t, "sizeof(%s_%s),", e->module->name, block_info[i].type);
        else
            text_add(t, "0,");
    }
    text_add(t, "\n");
}

/* The members for functions. */
static void print_functions(const Emit *e, const char *const *name, Text *t)
{
    text_add(t, "    ");
    for (int fn = FN_INIT; fn <= FN_STEP; fn++) {
        if (fn > FN_INIT)
            text_add(t, ", ");
        if (name[fn])
            text_add(t, "call_%s", name[fn]);
        else
            text_add(t, "NULL");
    }
    text_add(t, ",\n");

    if (e->module->metrics)
        text_add(t,
                 "    sizeof(%s_totals), call_metrics_start, call_metrics_add, "
                 "call_metrics_finish,\n",
                 e->module->name);
    else
        text_add(t, "    0, NULL, NULL, NULL,\n");
}

void emit_model(Emit *e, Text *t)
{
    Ngc *ngc = e->ngc;
    const Module *m = e->module;
    const char *name[FN_GROUP] = {NULL}; /* of functions, by Fn */
    Rows rows = {.table.ngc = ngc, .lengths.ngc = ngc};
    add_rows(e, &rows);

    print_sizes(e, t);
    for (int i = 0; i < m->functions; i++) {
        const Function *f = &m->function[i];
        if (f->fn >= FN_GROUP || f->walk)
            continue;
        add_wrapper(e, t, f);
        name[f->fn] = f->name;
    }
    metrics_wrappers(e, t);
    print_tables(e, &rows, t);

    text_add(t, "const ngrt_model %s_model = {\n", m->name);
    text_add(t, "    NGRT_MODEL_VERSION, %s, %s,\n", quote(ngc, m->model->name),
             emit_type_constant(e, T_FLOAT));
    print_block_sizes(e, t);
    text_add(t, "    %d, %s, %d, %s,\n", e->graph->dims, e->graph->dims ? "dims" : "NULL",
             rows.count, rows.count ? "tensors" : "NULL");
    print_functions(e, name, t);
    text_add(t, "    %s, %s\n", module_has_var(m, VAR_INPUT) ? "&defaults" : "NULL",
             rows.lengths.size ? "axis_length" : "NULL");
    text_add(t, "};\n");
}
