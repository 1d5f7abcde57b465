/* manifest.c - the emitted C described in JSON, for programs in other languages and for tools:
 * blocks, tensors, functions.
 *
 * In: a module. Out: text. Offsets are for a platform whose pointers have 8 bytes and whose types
 * are aligned to their size. All common 64-bit platforms are like that. To be sure, a program
 * compares the sizes with those that iris_sizeof_params() and the like return. */
#include "program/module.h"
#include "tool/tool.h"

#include <math.h>

enum { POINTER = 8, DIM_BYTES = 4 };

typedef struct Entry { /* a tensor of the manifest */
    const char *name;  /* the user's */
    const char *c;     /* the member in C */
    const char *role;  /* "param" */
    Block block;       /* where it is */
    int64_t offset;    /* in bytes, from the beginning of the block */
    bool pointer;      /* the block has a pointer to it */
    Type type;         /* of an element */
    Shape shape;
    int64_t limit;  /* an index or label must be in [0, limit); 0: any value */
    int64_t total;  /* where its value for all rows is in totals; 0: nowhere */
    const Var *var; /* the variable of an input, which may have a default, or NULL */
} Entry;

/* "shape": [64, 10], with sizes at their bounds; "sizes": ["m", "10"], as in the text. */
static void put_shape(const Module *m, Text *t, Shape shape)
{
    text_add(t, "\"shape\": [");
    for (int i = 0; i < shape.rank; i++)
        text_add(t, "%s%lld", comma_before(i), (long long)size_max(m->graph, shape.dim[i]));
    text_add(t, "], \"sizes\": [");
    for (int i = 0; i < shape.rank; i++) {
        text_add(t, comma_before(i));
        json_string(t, size_text(m->graph, shape.dim[i], ""));
    }
    text_add(t, "]");
}

static const char *real_name(const Module *m)
{
    return m->ngc->opt.real_double ? "float64" : "float32";
}

/* JSON has no infinities: these are texts. */
static void put_number(const Module *m, Text *t, double x, Type type)
{
    Ngc *ngc = m->ngc;
    if (type == T_FLOAT && !ngc->opt.real_double)
        x = (double)(float)x;

    if (isnan(x))
        text_add(t, "\"nan\"");
    else if (isinf(x))
        text_add(t, x > 0 ? "\"inf\"" : "\"-inf\"");
    else if (type == T_INT)
        text_add(t, "%lld", (long long)x);
    else
        text_add(t, "%s", text_number(ngc, x, !ngc->opt.real_double));
}

/* What an input is by default: a number, also of a large tensor that has it in every place, or all
 * elements in row-major order. */
static void put_default(const Module *m, Text *t, const Var *v)
{
    int64_t count = module_count(m, v->shape);

    text_add(t, ", \"default\": ");
    if (v->shape.rank == 0) {
        double x = 0;
        if (!node_const(v->init, &x))
            x = 0;
        put_number(m, t, x, v->type);
        return;
    }

    if (default_is_even(v->standard, count)) {
        put_number(m, t, v->standard[0], v->type);
        return;
    }

    text_add(t, "[");
    for (int64_t i = 0; i < count; i++) {
        text_add(t, comma_before(i));
        put_number(m, t, v->standard[i], v->type);
    }
    text_add(t, "]");
}

static void put_entry(const Module *m, Text *t, Entry n)
{
    bool first = t->size == 0 || t->at[t->size - 1] != '}';
    const char *type = "int32";
    if (n.type != T_INT)
        type = real_name(m);
    int64_t bytes = module_bytes(m, n.type, n.shape);

    text_add(t, "%s\n    {\"name\": ", text_if(!first, ","));
    json_string(t, n.name);
    text_add(t, ", \"c\": \"%s\", \"role\": \"%s\"", n.c, n.role);
    text_add(t, ", \"block\": \"%s\", \"type\": \"%s\", ", block_info[n.block].type, type);
    put_shape(m, t, n.shape);
    text_add(t, ", \"offset\": %lld, \"bytes\": %lld", (long long)n.offset, (long long)bytes);
    text_add(t, ", \"pointer\": %s", true_or_false(n.pointer));

    if (n.limit > 0)
        text_add(t, ", \"limit\": %lld", (long long)n.limit);
    if (n.var && n.var->init)
        put_default(m, t, n.var);
    if (n.total > 0)
        text_add(t, ", \"total\": %lld", (long long)n.total);
    text_add(t, "}");
}

/* ---- blocks and their tensors ---- */

/* The variables of one kind. Returns the size of their block. */
static StructSize put_vars(const Module *m, Text *t, VarKind kind)
{
    static const char *const role[] = {
        [VAR_INPUT] = "input", [VAR_PARAM] = "param", [VAR_STATE] = "state"};
    StructSize s = {0};

    /* the run-time sizes are the first members of inputs */
    for (int i = 0; kind == VAR_INPUT && i < m->graph->dims; i++)
        struct_add(&s, DIM_BYTES, DIM_BYTES);

    for (int i = 0; i < m->model->vars; i++) {
        const Var *v = m->model->var[i];
        if (v->kind != kind)
            continue;

        bool pointer = kind == VAR_INPUT && v->shape.rank > 0;
        int64_t bytes = POINTER;
        if (!pointer)
            bytes = module_bytes(m, v->type, v->shape);
        int64_t align = POINTER;
        if (!pointer)
            align = type_size(m->ngc, v->type);
        put_entry(m, t,
                  (Entry){.name = v->name,
                          .c = v->cname,
                          .role = role[kind],
                          .block = block_of_var[kind],
                          .type = v->type,
                          .shape = v->shape,
                          .offset = struct_add(&s, bytes, align),
                          .limit = v->limit,
                          .pointer = pointer,
                          .var = kind == VAR_INPUT ? v : NULL});
    }
    return s;
}

static StructSize put_grads(const Module *m, Text *t)
{
    StructSize s = {0};

    for (int i = 0; i < m->model->roots; i++) {
        const Root *r = &m->model->root[i];
        if (r->kind != ROOT_GRAD)
            continue;

        Type type = r->node->type;
        int64_t at = struct_add(&s, module_bytes(m, type, r->node->shape), type_size(m->ngc, type));
        put_entry(m, t,
                  (Entry){.name = r->name,
                          .c = r->cname,
                          .role = "grad",
                          .block = BLOCK_GRADS,
                          .type = type,
                          .shape = r->node->shape,
                          .offset = at});
    }
    return s;
}

/* The roots that are delivered in one member of work. */
static void put_member(const Module *m, Text *t, const Member *member, int64_t offset)
{
    static const char *const role[] = {[ROOT_OUTPUT] = "output",
                                       [ROOT_METRIC] = "metric",
                                       [ROOT_LOSS] = "loss",
                                       [ROOT_NAMED] = "value"};

    for (int i = 0; i < m->model->roots; i++) {
        const Root *r = &m->model->root[i];
        bool has_total = r->kind == ROOT_LOSS || r->kind == ROOT_METRIC;
        if (r->cname != member->name || !module_keeps(m, r))
            continue;

        put_entry(m, t,
                  (Entry){.name = r->name,
                          .c = r->cname,
                          .role = role[r->kind],
                          .block = BLOCK_WORK,
                          .type = member->type,
                          .shape = member->shape,
                          .offset = offset,
                          .total = has_total ? module_total_at(m, i) : 0});
    }
}

/* Losses, metrics, outputs and kept values among the members of work. */
static StructSize put_work(const Module *m, Text *t)
{
    int64_t *offset = arena_array(m->ngc, m->members + 1, sizeof *offset);
    StructSize s = module_work(m, POINTER, offset);

    for (int i = 0; i < m->members; i++)
        put_member(m, t, &m->member[i], offset[i]);
    return s;
}

static void put_block(const Module *m, Text *t, Block block, StructSize s)
{
    const char *name = block_info[block].type;
    if (s.align == 0) /* it has no members */
        return;

    text_add(t, "%s\n    \"%s\": ", text_if(t->size, ","), name);
    text_add(t, "{\"type\": \"%s_%s\", \"bytes\": %lld}", m->name, name,
             (long long)struct_bytes(&s));
}

/* ---- functions ---- */

/* The inputs that a function reads. */
static void put_reads(const Module *m, Text *t, const Function *f)
{
    const char *comma = "";

    text_add(t, ", \"reads\": [");
    for (int i = 0; i < m->model->vars; i++) {
        const Var *v = m->model->var[i];
        if (v->kind != VAR_INPUT || !f->reads[i])
            continue;
        text_add(t, "%s", comma);
        json_string(t, v->name);
        comma = ", ";
    }
    text_add(t, "]");
}

static void put_function(const Module *m, Text *t, const Function *f, const char *returns)
{
    const char *does = f->fn < FN_GROUP ? f->name : "step";
    const char *comma = "";

    text_add(t, "%s\n    {\"name\": \"%s_%s\", ", text_if(t->size, ","), m->name, f->name);
    text_add(t, "\"does\": \"%s\", \"returns\": \"%s\", ", does, returns);

    text_add(t, "\"arguments\": [");
    for (int i = 0; i < BLOCK_COUNT; i++) {
        const BlockInfo *block = &block_info[i];
        if (!(f->blocks & block->use))
            continue;

        const char *is_const = f->writes & block->use ? "false" : "true";
        text_add(t, "%s{\"block\": \"%s\", \"const\": %s}", comma, block->type, is_const);
        comma = ", ";
    }
    if (f->fn == FN_INIT)
        text_add(t, "%s{\"type\": \"uint64\", \"name\": \"seed\"}", comma);
    text_add(t, "]");
    if (f->reads && f->blocks & USES_INPUTS)
        put_reads(m, t, f);
    text_add(t, "}");
}

/* The block and the functions of losses and metrics over all rows. */
static void put_metrics(const Module *m, Text *blocks, Text *functions)
{
    Function start = {.fn = FN_EVAL,
                      .name = "metrics_start",
                      .blocks = USES_TOTALS,
                      .writes = USES_TOTALS};
    Function add = start;
    Function finish = start;

    add.name = "metrics_add";
    add.blocks = m->metrics->blocks;
    add.writes = m->metrics->writes;
    finish.name = "metrics_finish";

    put_block(m, blocks, BLOCK_TOTALS, module_totals(m));
    put_function(m, functions, &start, "void");
    put_function(m, functions, &add, "int");
    put_function(m, functions, &finish, "int");
}

/* ---- the whole ---- */

static void put_dims(const Module *m, Text *t)
{
    Graph *g = m->graph;
    text_add(t, "  \"dims\": [");
    for (int i = 0; i < g->dims; i++) {
        text_add(t, "%s\n    {\"name\": ", text_if(i, ","));
        json_string(t, g->dim[i].name);
        text_add(t, ", \"c\": \"%s\", \"max\": %lld, \"offset\": %d}", m->dim[i],
                 (long long)g->dim[i].max, DIM_BYTES * i);
    }
    text_add(t, "%s],\n", text_if(g->dims, "\n  "));
}

void manifest_write(const Module *m, Text *t)
{
    Ngc *ngc = m->ngc;
    Text tensors = {.ngc = ngc};
    Text blocks = {.ngc = ngc};
    Text functions = {.ngc = ngc};

    put_block(m, &blocks, BLOCK_INPUTS, put_vars(m, &tensors, VAR_INPUT));
    put_block(m, &blocks, BLOCK_PARAMS, put_vars(m, &tensors, VAR_PARAM));
    put_block(m, &blocks, BLOCK_STATE, put_vars(m, &tensors, VAR_STATE));
    put_block(m, &blocks, BLOCK_GRADS, put_grads(m, &tensors));
    put_block(m, &blocks, BLOCK_WORK, put_work(m, &tensors));

    for (int i = 0; i < m->functions; i++) {
        const Function *f = &m->function[i];
        if (!f->walk)
            put_function(m, &functions, f, f->fn == FN_INIT ? "void" : "int");
    }
    if (m->metrics)
        put_metrics(m, &blocks, &functions);

    text_add(t, "{\n  \"manifest\": 1,\n  \"ngc\": \"" NGC_VERSION "\",\n");
    text_add(t, "  \"name\": \"%s\",\n", m->name);
    text_add(t, "  \"real\": \"%s\",\n", real_name(m));
    text_add(t, "  \"standalone\": %s,\n", true_or_false(ngc->opt.standalone));
    text_add(t, "  \"pointer\": %d,\n", POINTER);
    put_dims(m, t);
    text_add(t, "  \"blocks\": {%s\n  },\n", text_or(blocks.at, ""));
    text_add(t, "  \"tensors\": [%s\n  ],\n", text_or(tensors.at, ""));
    text_add(t, "  \"functions\": [%s\n  ]\n}\n", text_or(functions.at, ""));
}
