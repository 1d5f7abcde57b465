/* export_put.c - the nodes of a file that is written, its constants, sizes known only at run time,
 * and what nodes of the graph are in it. */
#include "onnx/export.h"
#include "onnx/onnx.h"

#include <math.h>
#include <string.h>

/* ---- names, nodes, initializers ---- */

const char *fresh_name(Export *x, const char *wanted)
{
    const char *name = text_or(wanted, "t");
    if (!wanted)
        name = text_format(x->ngc, "t%d", ++x->names);
    for (int i = 1;; i++) {
        int *taken = table_at(x->ngc, &x->taken, intern_str(x->ngc, name));
        if (!*taken) {
            *taken = 1;
            return name;
        }
        name = text_format(x->ngc, "%s_%d", text_or(wanted, "t"), wanted ? i : ++x->names);
    }
}

const char *put(Export *x, const char *op, ...)
{
    Ngc *ngc = x->ngc;
    Pb__Node *n = arena_alloc(ngc, sizeof *n);
    const char *in[64];
    va_list args;
    pb__node__init(n);
    va_start(args, op);
    while (n->n_input < 64 && (in[n->n_input] = va_arg(args, const char *)) != NULL)
        n->n_input++;
    va_end(args);

    n->op = (char *)op;
    n->input = arena_copy(ngc, in, (n->n_input + 1) * sizeof *in);
    n->n_output = 1;
    n->output = arena_alloc(ngc, sizeof *n->output);
    n->output[0] = (char *)fresh_name(x, NULL);
    LIST_GROW(ngc, x->node, x->nodes, &x->node_room);
    x->node[x->nodes++] = n;
    return n->output[0];
}

const char *put_unary(Export *x, const char *op, const char *a)
{
    return put(x, op, a, NULL);
}

const char *put_binary(Export *x, const char *op, const char *a, const char *b)
{
    return put(x, op, a, b, NULL);
}

Pb__Node *last_put(Export *x)
{
    return x->node[x->nodes - 1];
}

static Pb__Attribute *new_attribute(Export *x, const char *name, int type)
{
    Pb__Node *n = last_put(x);
    Pb__Attribute *a = arena_alloc(x->ngc, sizeof *a);
    Pb__Attribute **list = arena_array(x->ngc, n->n_attribute + 1, sizeof *list);
    pb__attribute__init(a);
    a->name = (char *)name;
    a->has_type = true;
    a->type = type;
    for (size_t i = 0; i < n->n_attribute; i++)
        list[i] = n->attribute[i];
    list[n->n_attribute++] = a;
    n->attribute = list;
    return a;
}

void put_int(Export *x, const char *name, int64_t v)
{
    Pb__Attribute *a = new_attribute(x, name, AT_INT);
    a->has_i = true;
    a->i = v;
}

void put_ints(Export *x, const char *name, const int64_t *v, int count)
{
    Pb__Attribute *a = new_attribute(x, name, AT_INTS);
    a->n_ints = (size_t)count;
    a->ints = LIST_COPY(x->ngc, v, count);
}

void put_text(Export *x, const char *name, const char *text)
{
    Pb__Attribute *a = new_attribute(x, name, AT_STRING);
    a->has_s = true;
    a->s.len = strlen(text);
    a->s.data = (uint8_t *)text;
}

void put_real(Export *x, const char *name, double v)
{
    Pb__Attribute *a = new_attribute(x, name, AT_FLOAT);
    a->has_f = true;
    a->f = (float)v;
}

int element_of(const Export *x, Type type)
{
    return type == T_INT ? EL_INT64 : x->element;
}

/* A number as an int64, a float or a double. */
static void put_element(char *to, double v, Type type, size_t size)
{
    if (size == sizeof(float)) {
        float single = (float)v;
        memcpy(to, &single, size);
    } else if (type == T_INT) {
        int64_t whole = (int64_t)v;
        memcpy(to, &whole, size);
    } else {
        memcpy(to, &v, size);
    }
}

/* A tensor with these elements. */
Pb__Tensor *new_tensor(Export *x, const char *name, Type type, int rank, const int64_t *dim,
                       const double *v)
{
    Ngc *ngc = x->ngc;
    Pb__Tensor *t = arena_alloc(ngc, sizeof *t);
    int64_t count = 1;
    pb__tensor__init(t);
    for (int i = 0; i < rank; i++)
        count *= dim[i];
    t->name = (char *)name;
    t->has_type = true;
    t->type = element_of(x, type);
    t->n_dims = (size_t)rank;
    t->dims = LIST_COPY(ngc, dim, rank);

    /* the elements as bytes, little-endian */
    size_t size = t->type == EL_FLOAT ? 4 : 8;
    char *raw = arena_alloc(ngc, (size_t)count * size + 1);
    for (int64_t i = 0; i < count; i++) {
        char *to = raw + (size_t)i * size;
        put_element(to, v[i], type, size);
        if (!ngrt_little_endian())
            ngrt_swap_bytes(to, 1, size);
    }
    t->has_raw = true;
    t->raw.data = (uint8_t *)raw;
    t->raw.len = (size_t)count * size;
    return t;
}

/* A constant. */
const char *put_constant(Export *x, Type type, int rank, const int64_t *dim, const double *v)
{
    const char *name = put(x, "Constant", NULL);
    new_attribute(x, "value", AT_TENSOR)->t = new_tensor(x, NULL, type, rank, dim, v);
    return name;
}

const char *int_list(Export *x, const int64_t *v, int count)
{
    int64_t n = count;
    double *d = arena_array(x->ngc, count + 1, sizeof *d);
    for (int i = 0; i < count; i++)
        d[i] = (double)v[i];
    return put_constant(x, T_INT, 1, &n, d);
}

const char *number(Export *x, double v, Type type)
{
    int64_t none[1] = {0};
    return put_constant(x, type, 0, none, &v);
}

void cannot(Export *x, const Node *n, const char *why)
{
    int *reported = table_at(x->ngc, &x->reported, op_info[n->op]->name);
    x->problems++;
    if ((*reported)++)
        return;
    complain(x->ngc, "%s (%s) cannot be exported: %s", text_or(n->name, "a value"),
             op_info[n->op]->name, why);
}

/* ---- sizes ---- */

/* An input with this size, and the axis: rather one whose elements are read too. */
static const Var *find_sized(const Export *x, int dim, int *axis)
{
    const Var *found = NULL;

    for (int i = 0; i < x->m->vars; i++) {
        const Var *v = x->m->var[i];
        if (v->kind != VAR_INPUT || (found && !x->uses[v->node->id]))
            continue;
        for (int k = 0; k < v->shape.rank; k++) {
            if (v->shape.dim[k] != size_dim(x->g, dim))
                continue;
            *axis = k;
            if (x->uses[v->node->id])
                return v;
            found = v;
        }
    }
    return found;
}

/* The tensor [1] with a run-time dim. */
static const char *dim_value(Export *x, int dim)
{
    int axis = 0;
    int64_t at, one = 1;
    if (x->dim[dim])
        return x->dim[dim];

    const Var *v = find_sized(x, dim, &axis);
    if (v) {
        x->measured[v->index] = true;
        at = axis;
        const char *shape = put_unary(x, "Shape", v->name);
        return x->dim[dim] = put_binary(x, "Gather", shape, int_list(x, &at, 1));
    }
    complain(x->ngc, "the size %s cannot be exported: no input has it", x->g->dim[dim].name);
    x->problems++;
    return x->dim[dim] = int_list(x, &one, 1);
}

/* The tensor [1] with a size, by Horner's rule in each dim. */
static const char *size_value(Export *x, Size s)
{
    Graph *g = x->g;
    int64_t n;
    if (size_number(g, s, &n))
        return int_list(x, &n, 1);
    int d = 0;
    while (d < g->dims && !size_uses_dim(g, s, d))
        d++;
    if (d == g->dims)
        ngc_bug("a size of no dim: %s", size_text(g, s, ""));
    if (s == size_dim(g, d))
        return dim_value(x, d);
    Size coef[256];
    int count = size_powers(g, s, d, coef);
    const char *dim = dim_value(x, d);
    const char *all = size_value(x, coef[count - 1]);
    for (int k = count - 2; k >= 0; k--) {
        all = put_binary(x, "Mul", all, dim);
        if (coef[k] != 0)
            all = put_binary(x, "Add", all, size_value(x, coef[k]));
    }
    return all;
}

const char *size_list(Export *x, const Size *s, int count)
{
    int64_t v[64];
    bool known = true;
    for (int i = 0; i < count; i++)
        known &= size_number(x->g, s[i], &v[i]);
    if (known)
        return int_list(x, v, count);
    const char *all = NULL;
    for (int i = 0; i < count; i++) {
        const char *one = size_value(x, s[i]);
        if (!all) {
            all = one;
            continue;
        }
        all = put_binary(x, "Concat", all, one);
        put_int(x, "axis", 0);
    }
    return all;
}

const char *shape_list(Export *x, Shape s, bool one_open)
{
    Graph *g = x->g;
    Size dim[MAX_RANK];
    int64_t n;
    int open = 0;
    for (int i = 0; i < s.rank; i++)
        open += !size_number(g, s.dim[i], &n);
    for (int i = 0; i < s.rank; i++) {
        bool is_open = one_open && open == 1 && !size_number(g, s.dim[i], &n);
        if (is_open)
            dim[i] = size_of_number(g, -1);
        else
            dim[i] = s.dim[i];
    }
    return size_list(x, dim, s.rank);
}

/* ---- operands ---- */

const char *tensor_of(Export *x, const Node *n)
{
    Placed *p = &x->place[n->id];
    if (!p->turned)
        return p->name;
    int64_t perm[MAX_RANK];
    for (int i = 0; i < n->shape.rank; i++)
        perm[i] = p->perm[i];
    p->name = put_unary(x, "Transpose", p->name);
    put_ints(x, "perm", perm, n->shape.rank);
    p->turned = false;
    return p->name;
}

const char *tensor_as(Export *x, const Node *n, Type type)
{
    const char *name = tensor_of(x, n);
    if (n->type == type)
        return name;
    name = put_unary(x, "Cast", name);
    put_int(x, "to", element_of(x, type));
    return name;
}

const char *operand_as(Export *x, const Node *n, Type type)
{
    double v;
    if (node_const(n, &v))
        return number(x, v, type);
    return tensor_as(x, n, type);
}

const char *truth_of(Export *x, const Node *n)
{
    Placed *p = &x->place[n->id];
    if (p->truth)
        return p->truth;
    const char *name = put_unary(x, "Cast", tensor_of(x, n));
    put_int(x, "to", EL_BOOL);
    return name;
}

/* With its axes in another order. */
const char *put_transposed(Export *x, const char *name, const int64_t *perm, int rank)
{
    bool same = true;
    for (int i = 0; i < rank; i++)
        same &= perm[i] == i;
    if (same)
        return name;
    name = put_unary(x, "Transpose", name);
    put_ints(x, "perm", perm, rank);
    return name;
}
