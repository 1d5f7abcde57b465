/* onnx_export.c - a graph as an ONNX file: its variables, then its nodes in order, then its roots.
 */
#include "onnx/export.h"
#include "onnx/onnx.h"

/* ---- variables and roots ---- */

/* A weight: its values are an initializer. */
static void add_initial(Export *x, const char *name, Type type, int rank, const int64_t *dim,
                        const double *v)
{
    Pb__Tensor *t = new_tensor(x, name, type, rank, dim, v);
    LIST_GROW(x->ngc, x->initial, x->initials, &x->initial_room);
    x->initial[x->initials++] = t;
}

/* A size: a number, or its text in the dims of run time. */
static Pb__Axis *axis_info(Export *x, Size size)
{
    Pb__Axis *a = arena_alloc(x->ngc, sizeof *a);
    int64_t number;

    pb__axis__init(a);
    if (size_number(x->g, size, &number)) {
        a->has_size = true;
        a->size = number;
    } else {
        a->name = (char *)size_text(x->g, size, "");
    }
    return a;
}

/* The name, type and shape of an input or output. */
static Pb__Value *value_info(Export *x, const char *name, Type type, Shape s)
{
    Ngc *ngc = x->ngc;
    Pb__Value *v = arena_alloc(ngc, sizeof *v);
    Pb__Type *t = arena_alloc(ngc, sizeof *t);
    Pb__TensorType *tensor = arena_alloc(ngc, sizeof *tensor);
    Pb__Shape *shape = arena_alloc(ngc, sizeof *shape);
    pb__value__init(v);
    pb__type__init(t);
    pb__tensor_type__init(tensor);
    pb__shape__init(shape);

    v->name = (char *)name;
    v->type = t;
    t->tensor = tensor;
    tensor->has_element = true;
    tensor->element = element_of(x, type);

    tensor->shape = shape;
    shape->axis = arena_array(ngc, s.rank + 1, sizeof *shape->axis);
    for (int i = 0; i < s.rank; i++)
        shape->axis[shape->n_axis++] = axis_info(x, s.dim[i]);
    return v;
}

/* Names all variables that are used, and adds the values of those that are not inputs. */
static void add_variables(Export *x, const double *const *var)
{
    for (int i = 0; i < x->m->vars; i++) {
        const Var *v = x->m->var[i];
        if (!x->uses[v->node->id] && v->kind != VAR_INPUT)
            continue;
        x->place[v->node->id].name = fresh_name(x, v->name);
        if (v->kind == VAR_INPUT)
            continue;

        int64_t dim[MAX_RANK];
        for (int k = 0; k < v->shape.rank; k++)
            dim[k] = size_max(x->g, v->shape.dim[k]);
        add_initial(x, v->name, v->type, v->shape.rank, dim, var[i]);
    }
}

/* The inputs whose elements, or sizes, the nodes read. */
static void add_inputs(Export *x, Pb__Graph *graph)
{
    graph->input = arena_array(x->ngc, x->m->vars + 1, sizeof *graph->input);
    for (int i = 0; i < x->m->vars; i++) {
        const Var *v = x->m->var[i];
        bool is_read = x->uses[v->node->id] || x->measured[i];
        if (v->kind == VAR_INPUT && is_read)
            graph->input[graph->n_input++] = value_info(x, v->name, v->type, v->shape);
    }
}

static const char *data_constant(Export *x, const Node *n)
{
    int64_t dim[MAX_RANK];

    for (int k = 0; k < n->shape.rank; k++)
        dim[k] = n->shape.dim[k];
    return put_constant(x, n->type, n->shape.rank, dim, n->attr.data);
}

static void add_nodes(Export *x)
{
    for (int i = 0; i < x->g->count; i++) {
        const Node *n = x->g->node[i];
        if (!x->uses[i] || n->op == OP_var)
            continue;

        if (n->op == OP_data)
            x->place[i].name = data_constant(x, n);
        else
            x->place[i] = export_node(x, n);
        if (!x->place[i].name) /* it was reported */
            x->place[i].name = "";
    }
}

/* By node id: does what is written read it? `left` has the nodes whose operands are still to be
 * marked. */
static int *find_needed(Export *x, Node *const *root, int roots)
{
    Ngc *ngc = x->ngc;
    int *need = arena_array(ngc, x->g->count + 1, sizeof *need);
    const Node **left = arena_array(ngc, x->g->count + roots + 1, sizeof *left);
    int count = 0;

    for (int i = 0; i < roots; i++)
        if (!need[root[i]->id]++)
            left[count++] = root[i];

    while (count > 0) {
        const Node *n = left[--count];
        const Node **operand = arena_array(ngc, n->nargs + 3, sizeof *operand);
        int operands = export_operands(x, n, operand);
        for (int i = 0; i < operands; i++)
            if (!need[operand[i]->id]++)
                left[count++] = operand[i];
    }
    return need;
}

/* The roots that are asked for: outputs, and for training losses and gradients. */
static int choose_roots(const Export *x, bool training, int *root)
{
    int n = 0;
    for (int i = 0; i < x->m->roots; i++) {
        RootKind k = x->m->root[i].kind;
        if (k == ROOT_OUTPUT || (training && (k == ROOT_LOSS || k == ROOT_GRAD)))
            root[n++] = i;
    }
    return n;
}

/* The names of outputs, which are taken before a node has the name by chance. */
static const char **output_names(Export *x, const int *root, int count)
{
    const char **name = arena_array(x->ngc, count + 1, sizeof *name);
    for (int i = 0; i < count; i++)
        name[i] = fresh_name(x, x->m->root[root[i]].name);
    return name;
}

/* Each output is a copy, so that it has its own name. */
static void add_outputs(Export *x, Pb__Graph *graph, const char *const *names, int count,
                        Node *const *node)
{
    graph->output = arena_array(x->ngc, count + 1, sizeof *graph->output);
    for (int i = 0; i < count; i++) {
        const Node *n = node[i];
        const char *name = names[i];
        put_unary(x, "Identity", tensor_of(x, n));
        last_put(x)->output[0] = (char *)name;

        Pb__Value *info = value_info(x, name, n->type, n->shape);
        graph->output[graph->n_output++] = info;
    }
}

static bool is_read(Export *x, Table *read, const char *name)
{
    return *name && *table_at(x->ngc, read, intern_str(x->ngc, name));
}

/* Leaves out nodes whose results nobody reads: a constant that a shape might have needed. Readers
 * come after what they read, so one walk from the end finds all. The nodes that stay move to the
 * end of the list, from `first` on. */
static void drop_unread(Export *x, const Pb__Graph *graph)
{
    Ngc *ngc = x->ngc;
    Table read = {0};
    int first = x->nodes;

    for (size_t i = 0; i < graph->n_output; i++)
        *table_at(ngc, &read, intern_str(ngc, graph->output[i]->name)) = 1;

    for (int i = x->nodes - 1; i >= 0; i--) {
        Pb__Node *n = x->node[i];
        bool wanted = false;
        for (size_t k = 0; k < n->n_output; k++)
            wanted |= is_read(x, &read, n->output[k]);
        if (!wanted)
            continue;

        x->node[--first] = n;
        for (size_t k = 0; k < n->n_input; k++)
            *table_at(ngc, &read, intern_str(ngc, n->input[k])) = 1;
    }
    x->node += first;
    x->nodes -= first;
}

/* The graph as a file's one message: with the version of the format, the opset and the producer. */
static Pb__Model *wrap(Export *x, Pb__Graph *graph)
{
    enum { FORMAT_VERSION = 8 };
    Ngc *ngc = x->ngc;

    Pb__Opset *opset = arena_alloc(ngc, sizeof *opset);
    pb__opset__init(opset);
    opset->domain = "";
    opset->has_version = true;
    opset->version = EXPORT_OPSET;

    Pb__Model *m = arena_alloc(ngc, sizeof *m);
    pb__model__init(m);
    m->has_version = true;
    m->version = FORMAT_VERSION;
    m->producer = "ngc";
    m->producer_version = NGC_VERSION;
    m->graph = graph;
    m->n_opset = 1;
    m->opset = arena_alloc(ngc, sizeof *m->opset);
    m->opset[0] = opset;
    return m;
}

Pb__Model *onnx_export(Ngc *ngc, Model *m, const double *const *var, bool training)
{
    Graph *g = m->graph;
    Export x = {.ngc = ngc, .g = g, .m = m};
    x.element = ngc->opt.real_double ? EL_DOUBLE : EL_FLOAT;

    /* outputs are those of predict, which is not training; losses and gradients are of training */
    Node **predict = model_with_training(m, 0);
    Node **train = model_with_training(m, 1);
    int *root = arena_array(ngc, m->roots + 1, sizeof *root);
    int count = choose_roots(&x, training, root);
    Node **node = arena_array(ngc, count + 1, sizeof *node);
    for (int i = 0; i < count; i++) {
        Node **of = m->root[root[i]].kind == ROOT_OUTPUT ? predict : train;
        node[i] = of[root[i]];
    }
    if (count == 0) {
        complain(ngc, "the model has no output");
        return NULL;
    }

    /* what is needed, after the nodes that several ops become are known */
    forms_find(&x, graph_uses(g, node, count));
    x.uses = find_needed(&x, node, count);
    x.measured = arena_array(ngc, m->vars + 1, sizeof *x.measured);
    x.place = arena_array(ngc, g->count + 1, sizeof *x.place);

    Pb__Graph *graph = arena_alloc(ngc, sizeof *graph);
    pb__graph__init(graph);
    graph->name = (char *)m->name;
    add_variables(&x, var);
    const char **names = output_names(&x, root, count);
    add_nodes(&x);
    add_outputs(&x, graph, names, count, node);
    add_inputs(&x, graph);
    if (x.problems)
        return NULL;

    drop_unread(&x, graph);
    graph->n_node = (size_t)x.nodes;
    graph->node = x.node;
    graph->n_initializer = (size_t)x.initials;
    graph->initializer = x.initial;
    return wrap(&x, graph);
}
