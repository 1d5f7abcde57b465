/* manifest.c - the emitted C described in JSON, for programs in other languages and for tools:
 * blocks, tensors, functions.
 *
 * Offsets are those of a platform whose pointers have 8 bytes and whose types are aligned to their
 * size, as all 64-bit ones do; a program asks iris_sizeof_params() and its like to be sure. */
#include "emit.h"

#include <math.h>
#include <string.h>

enum { POINTER = 8 };

typedef struct Layout { /* of a struct, member after member */
    int64_t size, align;
} Layout;

static int64_t place_member(Layout *l, int64_t size, int64_t align)
{
    int64_t at = (l->size + align - 1) / align * align;
    l->size = at + size;
    l->align = align > l->align ? align : l->align;
    return at;
}

static int64_t layout_size(const Layout *l)
{
    return l->align ? (l->size + l->align - 1) / l->align * l->align : 0;
}

static int64_t count_at_bound(const Emit *e, Shape shape)
{
    return size_max(e->graph, shape_count(e->graph, shape));
}

typedef struct Entry { /* a tensor of the manifest */
    const char *name, *c, *role, *block;
    Type type;
    Shape shape;
    int64_t offset, limit;
    int64_t total; /* where its value for all rows is in totals; 0: nowhere */
    bool pointer;
    const Var *var; /* an input that has a default, or NULL */
} Entry;

/* "[64, 10]" with sizes at their bounds, then what the text says: "[m, 10]". */
static void put_shape(Emit *e, Text *t, Shape shape)
{
    text_add(t, "\"shape\": [");
    for (int i = 0; i < shape.rank; i++)
        text_add(t, "%s%lld", i ? ", " : "", (long long)size_max(e->graph, shape.dim[i]));
    text_add(t, "], \"sizes\": [");
    for (int i = 0; i < shape.rank; i++) {
        text_add(t, i ? ", " : "");
        json_string(t, size_text(e->graph, shape.dim[i], ""));
    }
    text_add(t, "]");
}

/* JSON has no infinities: these are texts. */
static void put_number(Emit *e, Text *t, double x, Type type)
{
    if (type == T_FLOAT && !e->ngc->opt.real_double)
        x = (double)(float)x;
    if (isnan(x))
        text_add(t, "\"nan\"");
    else if (isinf(x))
        text_add(t, x > 0 ? "\"inf\"" : "\"-inf\"");
    else if (type == T_INT)
        text_add(t, "%lld", (long long)x);
    else { /* as C has it, but for the f at its end */
        const char *number = print_shortest(e->ngc, x, !e->ngc->opt.real_double);
        text_add(t, "%.*s", (int)strcspn(number, "f"), number);
    }
}

/* What an input is by default: a number, or all elements in row-major order. */
static void put_default(Emit *e, Text *t, const Var *v)
{
    double x;
    int64_t count = count_at_bound(e, v->shape);

    text_add(t, ", \"default\": ");
    if (v->shape.rank == 0) {
        put_number(e, t, node_const(v->init, &x) ? x : 0, v->type);
        return;
    }
    text_add(t, "[");
    for (int64_t i = 0; i < count; i++) {
        text_add(t, i ? ", " : "");
        put_number(e, t, v->standard[i], v->type);
    }
    text_add(t, "]");
}

static void put_entry(Emit *e, Text *t, Entry n)
{
    text_add(t, "%s\n    {\"name\": ", t->size && t->at[t->size - 1] == '}' ? "," : "");
    json_string(t, n.name);
    text_add(t, ", \"c\": \"%s\", \"role\": \"%s\", \"block\": \"%s\", \"type\": \"%s\", ", n.c,
             n.role, n.block,
             n.type == T_INT           ? "int32"
             : e->ngc->opt.real_double ? "float64"
                                       : "float32");
    put_shape(e, t, n.shape);
    text_add(t, ", \"offset\": %lld, \"bytes\": %lld, \"pointer\": %s", (long long)n.offset,
             (long long)(count_at_bound(e, n.shape) * type_size(e->ngc, n.type)),
             n.pointer ? "true" : "false");
    if (n.limit > 0)
        text_add(t, ", \"limit\": %lld", (long long)n.limit);
    if (n.var && n.var->init)
        put_default(e, t, n.var);
    if (n.total > 0)
        text_add(t, ", \"total\": %lld", (long long)n.total);
    text_add(t, "}");
}

/* The variables of one kind; their block's layout. */
static Layout put_vars(Emit *e, Text *t, VarKind kind)
{
    static const char *const role[] = {"input", "param", "state"}, *const block[] = {"inputs",
                                                                                     "params",
                                                                                     "state"};
    Layout l = {0};
    for (int i = 0; kind == VAR_INPUT && i < e->graph->dims; i++)
        place_member(&l, 4, 4);
    for (int i = 0; i < e->model->vars; i++) {
        const Var *v = e->model->var[i];
        int64_t size = type_size(e->ngc, v->type);
        if (v->kind != kind)
            continue;
        bool pointer = kind == VAR_INPUT && v->shape.rank > 0;
        int64_t at = pointer ? place_member(&l, POINTER, POINTER)
                             : place_member(&l, count_at_bound(e, v->shape) * size, size);
        put_entry(e, t,
                  (Entry){.name = v->name,
                          .c = v->cname,
                          .role = role[kind],
                          .block = block[kind],
                          .type = v->type,
                          .shape = v->shape,
                          .offset = at,
                          .limit = v->limit,
                          .pointer = pointer,
                          .var = kind == VAR_INPUT ? v : NULL});
    }
    return l;
}

static Layout put_grads(Emit *e, Text *t)
{
    Layout l = {0};
    for (int i = 0; i < e->model->roots; i++) {
        const Root *r = &e->model->root[i];
        if (r->kind != ROOT_GRAD)
            continue;
        int64_t size = type_size(e->ngc, r->node->type),
                at = place_member(&l, count_at_bound(e, r->node->shape) * size, size);
        put_entry(e, t,
                  (Entry){.name = r->name,
                          .c = r->cname,
                          .role = "grad",
                          .block = "grads",
                          .type = r->node->type,
                          .shape = r->node->shape,
                          .offset = at});
    }
    return l;
}

/* That of work, where a pointer has so many bytes; where each member is in offset, unless it is
 * NULL. */
static Layout place_work(const Emit *e, int64_t pointer, int64_t *offset)
{
    Layout l = {0};
    int64_t real = type_size(e->ngc, T_FLOAT);
    place_member(&l, pointer, pointer);
    for (int i = 0; i < e->members; i++) {
        const Member *m = &e->member[i];
        int64_t size = type_size(e->ngc, m->type),
                at = place_member(&l, count_at_bound(e, m->shape) * size, size);
        if (offset)
            offset[i] = at;
    }
    if (e->ispace > 0)
        place_member(&l, e->ispace * 4, 4);
    if (e->spare)
        place_member(&l, 4, 4);
    if (e->space > 0)
        place_member(&l, (e->space + e->spare) * real, real);
    return l;
}

int64_t emit_work_size(const Emit *e, int64_t pointer)
{
    Layout l = place_work(e, pointer, NULL);
    return layout_size(&l);
}

/* That of totals; where the member of this name is in *offset, unless it is NULL. */
static Layout place_totals(const Emit *e, const char *name, int64_t *offset)
{
    const Metrics *x = e->metrics;
    Layout l = {0};
    for (int i = 0; i < x->totals; i++) {
        int64_t at = place_member(&l, count_at_bound(e, *x->total[i].shape) * 8, 8);
        if (offset && x->total[i].name == name)
            *offset = at;
    }
    if (x->carry->walks > 1)
        place_member(&l, 4, 4);
    for (int i = 1; i < e->graph->dims; i++)
        place_member(&l, 4, 4);
    if (x->ispace > 0)
        place_member(&l, x->ispace * 4, 4);
    if (x->space > 0)
        place_member(&l, x->space * 8, 8);
    return l;
}

int64_t emit_totals_size(const Emit *e)
{
    if (!e->metrics)
        return 0;
    Layout l = place_totals(e, NULL, NULL);
    return layout_size(&l);
}

static int64_t total_at(const Emit *e, int root)
{
    int64_t at = 0;
    if (e->metrics && e->metrics->of_root[root])
        place_totals(e, e->metrics->of_root[root], &at);
    return at;
}

/* Losses, metrics, outputs and kept values among the members of work. */
static Layout put_work(Emit *e, Text *t)
{
    static const char *const role[] = {[ROOT_OUTPUT] = "output",
                                       [ROOT_METRIC] = "metric",
                                       [ROOT_LOSS] = "loss",
                                       [ROOT_NAMED] = "value"};
    int64_t *offset = arena_alloc(e->ngc, (size_t)(e->members + 1) * sizeof *offset);
    Layout l = place_work(e, POINTER, offset);
    for (int i = 0; i < e->members; i++) {
        const Member *m = &e->member[i];
        for (int k = 0; k < e->model->roots; k++) {
            const Root *r = &e->model->root[k];
            if (r->cname == m->name && r->kind != ROOT_GRAD && r->kind != ROOT_UPDATE &&
                emit_keeps(e, r))
                put_entry(e, t,
                          (Entry){.name = r->name,
                                  .c = r->cname,
                                  .role = role[r->kind],
                                  .block = "work",
                                  .type = m->type,
                                  .shape = m->shape,
                                  .offset = offset[i],
                                  .total = r->kind == ROOT_LOSS || r->kind == ROOT_METRIC
                                               ? total_at(e, k)
                                               : 0});
        }
    }
    return l;
}

static void put_block(Emit *e, Text *t, const char *name, Layout l)
{
    if (l.align)
        text_add(t, "%s\n    \"%s\": {\"type\": \"%s_%s\", \"bytes\": %lld}", t->size ? "," : "",
                 name, e->name, name, (long long)layout_size(&l));
}

static void put_function(Emit *e, Text *t, const Function *f, const char *returns)
{
    static const struct {
        unsigned use;
        const char *name;
    } all[] = {{USES_PARAMS, "params"}, {USES_STATE, "state"}, {USES_INPUTS, "inputs"},
               {USES_WORK, "work"},     {USES_GRADS, "grads"}, {USES_TOTALS, "totals"}};
    const char *comma = "";
    text_add(
        t, "%s\n    {\"name\": \"%s_%s\", \"does\": \"%s\", \"returns\": \"%s\", \"arguments\": [",
        t->size ? "," : "", e->name, f->name, f->fn < FN_GROUP ? f->name : "step", returns);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (f->blocks & all[i].use) {
            text_add(t, "%s{\"block\": \"%s\", \"const\": %s}", comma, all[i].name,
                     f->writes & all[i].use ? "false" : "true");
            comma = ", ";
        }
    text_add(t, f->fn == FN_INIT ? "%s{\"type\": \"uint64\", \"name\": \"seed\"}]}" : "%.0s]}",
             comma);
}

/* The block and the functions of losses and metrics over all rows. */
static void put_metrics(Emit *e, Text *blocks, Text *functions)
{
    Function start = {.fn = FN_EVAL,
                      .name = "metrics_start",
                      .blocks = USES_TOTALS,
                      .writes = USES_TOTALS},
             add = start, finish = start;
    add.name = "metrics_add";
    add.blocks = e->metrics->blocks;
    add.writes = e->metrics->writes;
    finish.name = "metrics_finish";
    put_block(e, blocks, "totals", place_totals(e, NULL, NULL));
    put_function(e, functions, &start, "void");
    put_function(e, functions, &add, "int");
    put_function(e, functions, &finish, "int");
}

void manifest_write(Ngc *ngc, Model *m, Text *t)
{
    Emit *e = emit_prepare(ngc, m);
    Text tensors = {.ngc = ngc}, blocks = {.ngc = ngc}, functions = {.ngc = ngc};
    put_block(e, &blocks, "inputs", put_vars(e, &tensors, VAR_INPUT));
    put_block(e, &blocks, "params", put_vars(e, &tensors, VAR_PARAM));
    put_block(e, &blocks, "state", put_vars(e, &tensors, VAR_STATE));
    put_block(e, &blocks, "grads", put_grads(e, &tensors));
    put_block(e, &blocks, "work", put_work(e, &tensors));
    for (int i = 0; i < e->functions; i++)
        if (!e->function[i].walk)
            put_function(e, &functions, &e->function[i],
                         e->function[i].fn == FN_INIT ? "void" : "int");
    if (e->metrics)
        put_metrics(e, &blocks, &functions);
    text_add(
        t,
        "{\n  \"manifest\": 1,\n  \"ngc\": \"" NGC_VERSION
        "\",\n  \"name\": \"%s\",\n  \"real\": \"%s\",\n  \"standalone\": %s,\n  \"pointer\": %d,\n",
        m->name, ngc->opt.real_double ? "float64" : "float32",
        ngc->opt.standalone ? "true" : "false", POINTER);
    text_add(t, "  \"dims\": [");
    for (int i = 0; i < e->graph->dims; i++) {
        text_add(t, "%s\n    {\"name\": ", i ? "," : "");
        json_string(t, e->graph->dim[i].name);
        text_add(t, ", \"c\": \"%s\", \"max\": %lld, \"offset\": %d}", e->dim[i],
                 (long long)e->graph->dim[i].max, 4 * i);
    }
    text_add(t, "%s],\n  \"blocks\": {%s\n  },\n", e->graph->dims ? "\n  " : "",
             blocks.at ? blocks.at : "");
    text_add(t, "  \"tensors\": [%s\n  ],\n  \"functions\": [%s\n  ]\n}\n",
             tensors.at ? tensors.at : "", functions.at ? functions.at : "");
}
