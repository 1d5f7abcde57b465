/* walk.c - the walk over a graph: its initializers and inputs, then its nodes in order, then its
 * outputs. */
#include "onnx/onnx.h"

#include <stdlib.h>
#include <string.h>

enum { BOUND = 64 };                               /* of run-time sizes */
static const int64_t MOST_SIZE = (int64_t)1 << 40; /* of an axis, as of a whole tensor */

/* ---- inputs and initializers ---- */

static bool read_initializers(Import *im)
{
    const char *why;
    for (size_t i = 0; i < im->graph->n_initializer; i++) {
        const Pb__Tensor *t = im->graph->initializer[i];
        if (!t->name)
            continue;
        Known *k = known_of_tensor(im->ngc, t, im->folder, &why);
        if (!k) {
            im->failed = false;
            problem(im, "the tensor '%s': %s", t->name, why);
            continue;
        }
        *meaning_new(im, t->name) = (Meaning){.known = k, .element = k->element};
    }
    for (size_t i = 0; i < im->graph->n_sparse; i++) {
        const Pb__Tensor *t = im->graph->sparse[i]->values;
        im->failed = false;
        problem(im, "the tensor '%s': sparse tensors are not supported",
                t ? text_or(t->name, "") : "");
    }
    return im->problems == 0;
}

/* The run-time dim of this name, made when it is first asked for. */
static Size dim_named(Import *im, const char *wanted)
{
    Ngc *ngc = im->ngc;
    Graph *g = im->g;
    const char *name = name_fresh(im, wanted, true);
    for (int i = 0; i < g->dims; i++)
        if (same_text(g->dim[i].name, name))
            return size_dim(g, i);

    int64_t bound = BOUND;
    for (int i = 0; i < ngc->opt.defines; i++)
        if (same_text(ngc->opt.define[i].name, name)) {
            bound = (int64_t)ngc->opt.define[i].value;
            ngc->opt.define[i].used = true;
        }
    Line *l = line_new(im, BIND_ANY, text_format(ngc, " <= %lld", (long long)bound), 0, NULL);
    l->kind = LINE_DIM;
    l->name = intern_str(ngc, name);
    int dims = g->dims;
    emit_line(im, l);
    if (g->dims > dims)
        return size_dim(g, dims);
    return 1;
}

/* The size of an axis of an input. */
static Size axis_size(Import *im, const char *name, const Pb__Axis *a, int input, int axis)
{
    if (a->has_size && a->size > MOST_SIZE)
        problem(im, "the input '%s': a size of %lld is too large", name, (long long)a->size);
    if (a->has_size && a->size >= 0)
        return min_int64(a->size, MOST_SIZE);
    if (a->name && *a->name)
        return dim_named(im, a->name);
    if (axis == 0)
        return dim_named(im, "batch");
    return dim_named(im, text_format(im->ngc, "n%d_%d", input, axis));
}

/* The elements that the user gives for an input: "shape=[2,3]". */
static Known *fixed_input(Import *im, const Pb__Value *v, const Pb__TensorType *type)
{
    const char *text = NULL;
    size_t n = strlen(v->name);
    for (int i = 0; i < im->fixes; i++)
        if (strncmp(im->fixed[i], v->name, n) == 0 && im->fixed[i][n] == '=')
            text = im->fixed[i] + n + 1;
    if (!text)
        return NULL;

    int64_t count = 0;
    int64_t room = (int64_t)strlen(text);
    double *number = arena_array(im->ngc, room + 1, sizeof *number);
    for (const char *c = text; *c;) {
        char *end;
        double x = strtod(c, &end);
        if (end == c) { /* a character between numbers */
            c++;
            continue;
        }
        number[count++] = x;
        c = end;
    }

    int64_t dim[MAX_RANK] = {count};
    int64_t all = 1;
    int rank = 1;
    if (type->shape && type->shape->n_axis <= MAX_RANK) {
        rank = (int)type->shape->n_axis;
        for (int i = 0; i < rank; i++) {
            const Pb__Axis *a = type->shape->axis[i];
            dim[i] = a->has_size && a->size >= 0 ? a->size : count;
            all *= dim[i];
        }
    }
    if (all != count) {
        problem(im, "%s has %lld elements, not %lld", v->name, (long long)all, (long long)count);
        return NULL;
    }
    Known *k = known_new(im->ngc, type->element, rank, dim);
    memcpy(k->number, number, (size_t)count * sizeof *number);
    return k;
}

static Meaning empty_input(Import *im, const char *name, int element, const Shape *s)
{
    int64_t dim[MAX_RANK];
    for (int i = 0; i < s->rank; i++)
        if (!size_number(im->g, s->dim[i], &dim[i])) {
            problem(im, "the input '%s' has no elements, and an axis of run-time size", name);
            dim[i] = 1;
        }
    Known *k = known_new(im->ngc, element, s->rank, dim);
    return (Meaning){.known = k, .element = element};
}

static void read_input(Import *im, const Pb__Value *v, int number)
{
    const Pb__TensorType *type = v->type ? v->type->tensor : NULL;
    im->failed = false;
    if (!v->name || meaning_of(im, v->name)) /* an initializer */
        return;
    if (!type || type->element == EL_STRING) {
        problem(im, "the input '%s' is not a tensor of numbers", v->name);
        return;
    }
    Known *k = fixed_input(im, v, type);
    if (k) {
        *meaning_new(im, v->name) = (Meaning){.known = k, .element = k->element};
        return;
    }
    if (!element_is_number(type->element)) {
        problem(im, "the input '%s': elements of type %d are not supported", v->name,
                type->element);
        return;
    }
    if (!type->shape || type->shape->n_axis > MAX_RANK) {
        problem(im, "the number of axes of the input '%s' is not known, or larger than %d", v->name,
                MAX_RANK);
        return;
    }

    Size size[MAX_RANK] = {0};
    bool empty = false;
    int rank = (int)type->shape->n_axis;
    for (int i = 0; i < rank; i++) {
        const Pb__Axis *a = type->shape->axis[i];
        size[i] = axis_size(im, v->name, a, number, i);
        empty |= size[i] == 0;
    }
    if (empty) { /* there is nothing to give */
        Shape s = {.rank = rank};
        memcpy(s.dim, size, sizeof size);
        *meaning_new(im, v->name) = empty_input(im, v->name, type->element, &s);
        return;
    }
    const char *form = text_format(im->ngc, "%s%s", rank ? sizes_text(im, size, rank) : "",
                                   text_if(element_is_int(type->element), ": int"));
    Line *l = line_new(im, BIND_ATOM, form, 0, NULL);
    l->kind = LINE_INPUT;
    l->label = v->name;
    Operand o = emit_line(im, l);
    *meaning_new(im, v->name) = (Meaning){.operand = o, .element = type->element};
}

/* ---- nodes ---- */

/* The operand with axes of size 1 after it, as a name of its own. */
static const char *with_axes_after(Import *im, const char *name, Operand y, int rank, int axes)
{
    const char *part[MAX_RANK] = {0};
    for (int i = 0; i < axes; i++)
        part[rank + i] = "new";
    const char *wider = text_format(im->ngc, "%s/aligned", name);
    Operand o = emit(im, BIND_ATOM, index_form(im, part, rank + axes), 1, y);
    *meaning_new(im, wider) = (Meaning){.operand = o, .element = input_element(im, 1)};
    return wider;
}

/* Before opset 7, an attribute says at which axis of the first operand the second one begins. The
 * current node becomes one whose second operand has axes of size 1 after that. */
static void align_operand(Import *im)
{
    const Pb__Node *n = im->at;
    bool slope = same_text(n->op, "PRelu");
    if (im->opset >= 7 || n->n_input != 2)
        return;
    if (!slope && !attribute(im, "broadcast"))
        return;

    int a = input_rank(im, 0);
    int b = input_rank(im, 1);
    int64_t axis = attribute_int(im, "axis", slope ? 1 : a - b);
    if (axis < 0)
        axis += a;
    Operand y = operand(im, 1);
    if (im->failed || b == 0 || axis < 0 || axis + b >= a)
        return;
    if (b == 1 && operand_node(y)->shape.dim[0] == 1)
        return;

    int after = (int)(a - axis) - b;
    const char *wider = with_axes_after(im, n->input[1], y, b, after);
    Pb__Node *same = arena_copy(im->ngc, n, sizeof *n);
    same->input = arena_copy(im->ngc, n->input, 2 * sizeof *n->input);
    same->input[1] = (char *)wider;
    im->at = same;
}

/* A problem for each result that is read and was not given. */
static void check_results(Import *im)
{
    const Pb__Node *n = im->at;

    for (int i = 0; i < (int)n->n_output && !im->failed; i++) {
        const Meaning *m = NULL;
        if (wants_output(n, i))
            m = meaning_of(im, n->output[i]);
        bool missing = m && !m->known && !m->operand.line;
        if (missing && uses_of(im, n->output[i]))
            problem(im, "its result %d is not supported, or not with such operands", i);
    }
}

/* The node as an expression of its operands. */
static void take_form(Import *im, const OnnxOp *op)
{
    enum { MOST_OPERANDS = 4 };
    const Pb__Node *n = im->at;
    Operand arg[MOST_OPERANDS];
    int args = 0;

    for (; args < MOST_OPERANDS && has_input(n, args); args++)
        arg[args] = operand(im, args);

    /* each $BI of the form needs operand I */
    for (const char *c = op->form; *c; c++)
        if (*c == '$' && c[2] - '0' >= args)
            input_of(im, c[2] - '0'); /* reports that it is missing */
    if (im->failed)
        return;

    Line *l = line_new(im, op->binds, op->form, args, arg);
    result(im, 0, emit_line(im, l));
    if (gives_truth(n->op) && wants_output(n, 0))
        meaning_of(im, n->output[0])->element = EL_BOOL;
}

/* Functions of the language give floats of ints. In the file they are whole numbers, and so is a
 * quotient of them. */
static void keep_whole(Import *im, const OnnxOp *op)
{
    const Pb__Node *n = im->at;
    int element = 0;
    if (op->typed_by != OWN_TYPE)
        element = input_element(im, op->typed_by);
    if (!element || !element_is_int(element))
        return;

    for (int i = 0; i < (int)n->n_output; i++) {
        Meaning *m = NULL;
        if (wants_output(n, i))
            m = meaning_of(im, n->output[i]);
        if (m && m->operand.line && m->element == EL_FLOAT)
            m->element = element;
    }
}

static void take_node(Import *im, const Pb__Node *n)
{
    const OnnxOp *op = onnx_find(n->op);
    im->at = n;
    im->failed = false;
    im->opset = im->own_opset;
    if (n->domain && same_text(n->domain, joined_domain))
        im->opset = JOINED_OPSET;
    for (size_t i = 0; i < n->n_output; i++)
        if (*n->output[i])
            *meaning_new(im, n->output[i]) = (Meaning){0};

    align_operand(im);
    if (im->failed || fold(im) || take_empty(im))
        return;

    if (op->take) {
        op->take(im);
        check_results(im);
    } else {
        take_form(im, op);
    }
    if (!im->failed)
        keep_whole(im, op);
}

static void take_outputs(Import *im)
{
    Ngc *ngc = im->ngc;
    im->at = NULL;
    im->output = arena_array(ngc, im->graph->n_output + 1, sizeof *im->output);
    im->output_name = arena_array(ngc, im->graph->n_output + 1, sizeof *im->output_name);
    im->remarks.ngc = ngc;
    for (size_t i = 0; i < im->graph->n_output; i++) {
        const char *name = im->graph->output[i]->name;
        Meaning *m = meaning_of(im, name);
        im->failed = false;
        if (!m) {
            problem(im, "no node computes the output '%s'", text_or(name, ""));
            continue;
        }
        if (is_empty(m->known)) {
            text_add(&im->remarks, "# the output '");
            text_clean(&im->remarks, name, strlen(name));
            text_add(&im->remarks, "' has no elements: its shape is %s\n",
                     ints_text(im, m->known->dim, m->known->rank));
            continue;
        }
        if (m->known)
            m->operand = operand_of_known(im, m->known);
        if (!m->operand.line && im->problems == 0)
            problem(im, "the output '%s' is not known", name);
        im->output_name[im->outputs] = name;
        im->output[im->outputs++] = m->operand;
    }
}

/* Is there a run-time size for each -D, and an input for each NAME=VALUE? */
static void check_given(Import *im)
{
    im->at = NULL;
    for (int i = 0; i < im->ngc->opt.defines; i++) {
        const Define *d = &im->ngc->opt.define[i];
        im->failed = false;
        if (!d->used)
            problem(im, "-D %s=%.0f: there is no run-time size of that name", d->name, d->value);
    }
    for (int i = 0; i < im->fixes; i++) {
        bool found = false;
        for (size_t k = 0; k < im->graph->n_input; k++) {
            const char *name = im->graph->input[k]->name;
            size_t n = 0;
            if (name)
                n = strlen(name);
            found |= name && strncmp(im->fixed[i], name, n) == 0 && im->fixed[i][n] == '=';
        }
        im->failed = false;
        if (!found)
            problem(im, "%s: there is no input of that name", im->fixed[i]);
    }
}

static bool import_graph(Import *im)
{
    im->graph = im->model->graph;
    const char *producer = text_or(im->model->producer, "");
    im->named_numbers = same_text(producer, "pytorch") || same_text(producer, "ngc");
    im->opset = im->own_opset = check_opset(im);
    im->take = take_node;
    im->lower = lower_begin(im->ngc);
    im->g = im->lower->g;
    im->nodes = (int)im->graph->n_node;
    im->node = arena_array(im->ngc, im->nodes + 1, sizeof *im->node);
    for (int i = 0; i < im->nodes; i++)
        im->node[i] = im->graph->node[i];

    check_names(im);
    read_initializers(im);
    for (size_t i = 0; i < im->graph->n_input; i++)
        read_input(im, im->graph->input[i], (int)i);
    check_given(im);
    check_nodes(im);
    if (im->problems)
        return false;

    constants_find(im);
    if (im->problems)
        return false;

    weights_find(im);
    patterns_find(im);
    for (int i = 0; i < im->nodes; i++)
        take_node(im, im->node[i]);
    take_outputs(im);
    return im->problems == 0;
}

Import *onnx_import(Ngc *ngc, const char *path, char **given, int count,
                    const ImportOptions *options, Written *made)
{
    Import *im = arena_alloc(ngc, sizeof *im);
    const char *slash = strrchr(path, '/');
    *im = (Import){.ngc = ngc, .path = path, .fixed = given, .fixes = count};
    if (slash)
        im->folder = text_format(ngc, "%.*s", (int)(slash + 1 - path), path);
    else
        im->folder = "";
    im->model = onnx_read(ngc, path);
    if (!im->model || !import_graph(im))
        return NULL;
    import_print(im, options, made);
    return im->problems ? NULL : im;
}
