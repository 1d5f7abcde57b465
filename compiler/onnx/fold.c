/* fold.c - nodes whose results are known when a model is imported: constants, shapes, and what is
 * computed from them. Elements are numbers, or sizes that depend on run-time dims.
 *
 * Weights are not folded: what is computed from them is part of the model, and is trained. */
#include "onnx/onnx.h"

/* ---- constants and shapes ---- */

static Known *constant_number(Import *im, int element, double value)
{
    Known *k = known_new(im->ngc, element, 0, NULL);
    k->number[0] = value;
    return k;
}

static Known *constant_ints(Import *im, const Pb__Attribute *a)
{
    int64_t n = (int64_t)a->n_ints;
    Known *k = known_new(im->ngc, EL_INT64, 1, &n);
    for (int64_t i = 0; i < n; i++)
        k->number[i] = (double)a->ints[i];
    return k;
}

static Known *constant_floats(Import *im, const Pb__Attribute *a)
{
    int64_t n = (int64_t)a->n_floats;
    Known *k = known_new(im->ngc, EL_FLOAT, 1, &n);
    for (int64_t i = 0; i < n; i++)
        k->number[i] = a->floats[i];
    return k;
}

/* NULL, perhaps with a message: ngc does not know its value. */
static Known *constant_value(Import *im, const Pb__Attribute *a, const char **why)
{
    if (a->t)
        return known_of_tensor(im->ngc, a->t, im->folder, why);
    if (a->name && same_text(a->name, "value_float"))
        return constant_number(im, EL_FLOAT, attribute_float(im, a->name, 0));
    if (a->name && same_text(a->name, "value_int"))
        return constant_number(im, EL_INT64, (double)a->i);
    if (a->n_ints)
        return constant_ints(im, a);
    if (a->n_floats)
        return constant_floats(im, a);
    return NULL;
}

static Known *fold_constant(Import *im)
{
    const char *why = "it has no value that ngc knows";
    Known *k = NULL;
    if (im->at->n_attribute)
        k = constant_value(im, im->at->attribute[0], &why);

    if (k)
        k->name = NULL;
    else
        problem(im, "%s", why);
    return k;
}

static Known *fold_shape(Import *im)
{
    Shape s;
    if (!input_shape(im, 0, &s))
        return NULL;
    int64_t from = attribute_int(im, "start", 0);
    int64_t to = attribute_int(im, "end", s.rank);
    if (from < 0)
        from += s.rank;
    if (to < 0)
        to += s.rank;
    from = max_int64(from, 0);
    to = min_int64(to, s.rank);
    int64_t n = 0;
    if (to > from)
        n = to - from;
    Known *y = known_sizes(im->ngc, 1, &n);
    for (int64_t i = 0; i < n; i++)
        y->size[i] = s.dim[from + i];
    return y;
}

static Known *fold_size(Import *im)
{
    Shape s;
    if (!input_shape(im, 0, &s))
        return NULL;
    Known *y = known_sizes(im->ngc, 0, NULL);
    y->size[0] = shape_count(im->g, s);
    return y;
}

static Known *fold_fill(Import *im)
{
    const char *why;
    int64_t dim[MAX_RANK];
    const Known *shape = input_known(im, 0);
    const Pb__Attribute *a = attribute(im, "value");
    Known *value = known_new(im->ngc, EL_FLOAT, 0, NULL);
    if (a && a->t) {
        value = known_of_tensor(im->ngc, a->t, im->folder, &why);
        if (!value || value->count != 1) {
            problem(im, "attribute 'value': %s", value ? "is not one number" : why);
            return NULL;
        }
    }
    if (!fold_list(im, shape, dim)) /* a tensor of run-time size: see take_fill */
        return NULL;
    Known *y = fold_new(im, value->element, (int)shape->count, dim, false);
    for (int64_t i = 0; y && i < y->count; i++)
        fold_put(im, y, i, value, 0);
    return y;
}

static Known *fold_range(Import *im)
{
    double v[3];
    for (int i = 0; i < 3; i++)
        if (input_known(im, i)->count != 1 || !known_number(im->g, input_known(im, i), 0, &v[i]))
            return NULL;
    double steps = ceil((v[1] - v[0]) / v[2]);
    if (!(steps <= FOLD_MOST) || v[2] == 0)
        return NULL;
    int64_t n = 0;
    if (steps > 0)
        n = (int64_t)steps;
    Known *y = fold_new(im, input_known(im, 0)->element, 1, &n, false);
    for (int64_t i = 0; i < n; i++)
        y->number[i] = v[0] + (double)i * v[2];
    return y;
}

/* ---- which node ---- */

static const struct Fold {
    const char *op;
    Known *(*fold)(Import *);
    bool any;     /* its operands need not be known */
    bool weights; /* and may be weights */
    int least;    /* operands that it must have, if more than one */
} folds[] = {
    {"Constant", fold_constant, .any = true},
    {"Shape", fold_shape, .any = true},
    {"Size", fold_size, .any = true},
    {"Identity", fold_same, .weights = true},
    {"ConstantOfShape", fold_fill},
    {"Range", fold_range, .least = 3},
    {"Gather", fold_gather, .least = 2},
    {"Slice", fold_slice},
    {"Concat", fold_concat},
    {"Unsqueeze", fold_unsqueeze},
    {"Squeeze", fold_squeeze},
    {"Reshape", fold_to_shape, .least = 2},
    {"Transpose", fold_transpose},
    {"Cast", fold_cast},
    {"CastLike", fold_cast, .least = 2},
    {"Expand", fold_expand, .least = 2},
    {"Where", fold_where, .least = 3},
    {"ReduceProd", fold_reduce},
    {"ReduceSum", fold_reduce},
    {"Add", fold_binary, .least = 2},
    {"Sub", fold_binary, .least = 2},
    {"Mul", fold_binary, .least = 2},
    {"Div", fold_binary, .least = 2},
    {"Mod", fold_binary, .least = 2},
    {"Pow", fold_binary, .least = 2},
    {"Max", fold_binary},
    {"Min", fold_binary},
    {"Equal", fold_binary, .least = 2},
    {"Less", fold_binary, .least = 2},
    {"LessOrEqual", fold_binary, .least = 2},
    {"Greater", fold_binary, .least = 2},
    {"GreaterOrEqual", fold_binary, .least = 2},
    {"And", fold_binary, .least = 2},
    {"Or", fold_binary, .least = 2},
    {"Neg", fold_unary},
    {"Not", fold_unary},
    {"Floor", fold_unary},
    {"Ceil", fold_unary},
    {"Sqrt", fold_unary},
    {"Abs", fold_unary},
    {"Relu", fold_unary},
    {"ScatterND", fold_scatter},
    {"NonZero", fold_nonzero},
    {"Unique", fold_unique},
    {"NonMaxSuppression", fold_suppression},
    {"Reciprocal", fold_unary},
};

bool fold(Import *im)
{
    const Pb__Node *n = im->at;
    const struct Fold *f = NULL;
    for (size_t i = 0; i < sizeof folds / sizeof *folds && !f; i++)
        if (same_text(n->op, folds[i].op))
            f = &folds[i];
    if (!f || (!f->any && n->n_input == 0))
        return false;

    /* all operands must be known, and be constants */
    for (int i = 0; i < (int)n->n_input && !f->any; i++) {
        const Known *k = NULL;
        if (has_input(n, i))
            k = input_known(im, i);
        if (has_input(n, i) && (!k || (is_param(im, k) && !f->weights)))
            return false;
        if (!k && (i < 2 || i < f->least))
            return false;
    }
    if ((int)n->n_input < f->least)
        return false;

    Known *y = f->fold(im);
    if (im->failed)
        return true;
    if (y)
        result_known(im, 0, y);
    return y != NULL;
}
