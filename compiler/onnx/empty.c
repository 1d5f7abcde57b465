/* empty.c - tensors without elements. The language has none, so they are never part of the text:
 * such a tensor is known when a model is imported, by its shape alone. What is computed of it by
 * elements has none either; joined to others, it adds nothing; a sum over nothing is 0. */
#include "onnx/onnx.h"

#include <math.h>
#include <string.h>

bool is_empty(const Known *k)
{
    return k && k->count == 0;
}

/* Result i has no elements. It is a problem if another size of it is known only at run time. */
void result_empty(Import *im, int i, int element, const Shape *s)
{
    int64_t dim[MAX_RANK];
    for (int a = 0; a < s->rank; a++)
        if (!size_number(im->g, s->dim[a], &dim[a])) {
            problem(im, "its result has no elements, and a size that is known only at run time");
            return;
        }
    result_known(im, i, known_new(im->ngc, element, s->rank, dim));
}

static bool has_operator(const OnnxOp *table, const char *name)
{
    for (const OnnxOp *op = table; op->name; op++)
        if (same_text(op->name, name))
            return true;
    return false;
}

/* The size of an axis, counted from the last one, which is 1; before the first axis, 1. */
static Size from_end(Shape s, int axis)
{
    if (axis <= s.rank)
        return s.dim[s.rank - axis];
    return 1;
}

/* Broadcasts s and x, a size of 0 as any other: it stays beside a 1. False with a problem. */
static bool broadcast(Import *im, Shape *s, Shape x)
{
    Shape y = *s;
    s->rank = max_int(x.rank, y.rank);
    for (int a = 1; a <= s->rank; a++) {
        Size u = from_end(x, a);
        Size v = from_end(y, a);
        if (u != v && u != 1 && v != 1) {
            problem(im, "the shapes of its operands do not fit");
            return false;
        }
        s->dim[s->rank - a] = u == 1 ? v : u;
    }
    return true;
}

/* The shape to which all operands are broadcast. */
static bool broadcast_all(Import *im, Shape *s)
{
    Shape x;
    *s = (Shape){0};
    for (int i = 0; i < (int)im->at->n_input; i++)
        if (has_input(im->at, i) && (!input_shape(im, i, &x) || !broadcast(im, s, x)))
            return false;
    return true;
}

/* A tensor of one number in place of a sum of nothing. */
static void fill(Import *im, const Shape *s, double value)
{
    int64_t dim[MAX_RANK], count = 1;
    for (int a = 0; a < s->rank; a++)
        if (!size_number(im->g, s->dim[a], &dim[a]) || dim[a] > 1 << 20 ||
            (count *= dim[a]) > 1 << 20) {
            problem(im, "a sum of nothing has a run-time size, or more than 2^20 elements");
            return;
        }
    Known *y = known_new(im->ngc, EL_FLOAT, s->rank, dim);
    for (int64_t i = 0; i < y->count; i++)
        y->number[i] = value;
    result_known(im, 0, y);
}

/* A reduction. */
static void reduce(Import *im)
{
    static const struct {
        const char *op;
        double of_nothing;
    } rows[] = {{"ReduceSum", 0},
                {"ReduceL1", 0},
                {"ReduceL2", 0},
                {"ReduceSumSquare", 0},
                {"ReduceProd", 1},
                {"ReduceLogSum", -INFINITY},
                {"ReduceLogSumExp", -INFINITY}};
    const char *op = im->at->op;
    Shape s, to = {0};
    int64_t axis[MAX_RANK];
    unsigned set = 0;

    if (!input_shape(im, 0, &s))
        return;

    /* the axes are an operand, or an attribute in old opsets */
    int axes = axes_of(im, "axes", 1, axis, s.rank);
    if (im->failed)
        return;
    if (axes <= 0 && attribute_int(im, "noop_with_empty_axes", 0)) {
        result_empty(im, 0, input_element(im, 0), &s);
        return;
    }
    for (int i = 0; i < axes; i++)
        set |= 1u << axis[i];

    /* what is left of the shape; has it elements? */
    bool keep = attribute_int(im, "keepdims", 1);
    bool nothing = true;
    for (int a = 0; a < s.rank; a++) {
        bool reduced = axes <= 0 || set >> a & 1;
        if (!reduced || keep)
            to.dim[to.rank++] = reduced ? 1 : s.dim[a];
        nothing &= reduced || s.dim[a] != 0;
    }
    if (!nothing) {
        result_empty(im, 0, input_element(im, 0), &to);
        return;
    }

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (same_text(op, rows[i].op)) {
            fill(im, &to, rows[i].of_nothing);
            return;
        }
    problem(im, "it has no value for a tensor without elements");
}

/* A product of matrices: without rows or columns it has no elements, and a sum over nothing is 0.
 */
static void product(Import *im)
{
    Shape a, b, to = {0};
    bool gemm = same_text(im->at->op, "Gemm");
    if (!input_shape(im, 0, &a) || !input_shape(im, 1, &b))
        return;
    if (a.rank < 2 || b.rank < 2 || (gemm && has_input(im->at, 2))) {
        problem(im, "a product of a tensor without elements is supported only for two matrices");
        return;
    }

    /* a [.., rows, terms] and b [.., terms, columns], each perhaps transposed */
    bool ta = gemm && attribute_int(im, "transA", 0);
    bool tb = gemm && attribute_int(im, "transB", 0);
    Size rows = from_end(a, ta ? 1 : 2);
    Size terms = from_end(a, ta ? 2 : 1);
    Size terms_of_b = from_end(b, tb ? 1 : 2);
    Size columns = from_end(b, tb ? 2 : 1);
    if (terms != terms_of_b) {
        problem(im, "the shapes of its operands do not fit");
        return;
    }
    a.rank -= 2;
    b.rank -= 2;
    if (!broadcast(im, &to, a) || !broadcast(im, &to, b))
        return;
    to.dim[to.rank++] = rows;
    to.dim[to.rank++] = columns;
    bool nothing = false;
    for (int i = 0; i < to.rank; i++)
        nothing |= to.dim[i] == 0;
    if (nothing)
        result_empty(im, 0, EL_FLOAT, &to);
    else
        fill(im, &to, 0);
}

/* The sizes that Reshape, Flatten and Tile make. */
static void reshaped(Import *im)
{
    const Pb__Node *n = im->at;
    Graph *g = im->g;
    Shape s, to = {0};
    if (!input_shape(im, 0, &s))
        return;
    if (same_text(n->op, "Flatten")) {
        int64_t axis = attribute_int(im, "axis", 1);
        if (axis < 0)
            axis += s.rank;

        /* the axes before this one, and those from it on */
        to = (Shape){.rank = 2, .dim = {1, 1}};
        for (int i = 0; i < s.rank; i++) {
            Size *side = &to.dim[i < axis ? 0 : 1];
            *side = size_mul(g, *side, s.dim[i]);
        }
        result_empty(im, 0, input_element(im, 0), &to);
        return;
    }

    const Known *list = want_known(im, 1, "the list of sizes");
    bool tile = same_text(n->op, "Tile");
    bool nothing = false;
    if (!list || list->count > MAX_RANK || (tile && list->count != s.rank)) {
        problem(im, "its sizes do not fit");
        return;
    }

    /* a size of 0 is that of x, unless it is allowed */
    bool copies = !tile && !attribute_int(im, "allowzero", 0);
    to.rank = (int)list->count;
    for (int i = 0; i < to.rank; i++) {
        Size size = known_size(g, list, i);
        if (tile)
            size = size_mul(g, size, s.dim[i]);
        else if (copies && size == 0 && i < s.rank)
            size = s.dim[i];
        to.dim[i] = size;
        nothing |= size == 0;
    }

    if (nothing)
        result_empty(im, 0, input_element(im, 0), &to);
    else
        problem(im, "a tensor without elements cannot get the shape %s", shape_text(g, to));
}

/* Takes a node of which an operand has no elements. False: nothing is known of such a node. */
bool take_empty(Import *im)
{
    const Pb__Node *n = im->at;
    static const char same[] =
        "Trilu Softmax LogSoftmax CumSum LRN Hardmax BatchNormalization InstanceNormalization "
        "Dropout ReverseSequence LayerNormalization MeanVarianceNormalization Identity Clip "
        "CastLike";
    Shape s;
    bool all = has_operator(onnx_math, n->op) || same_text(n->op, "Add");
    bool some = false;
    for (int i = 0; i < (int)n->n_input && (all || i < 2); i++)
        some |= has_input(n, i) && is_empty(input_known(im, i));
    if (!some)
        return false;

    bool first = is_empty(input_known(im, 0));
    int element = EL_BOOL;
    if (!gives_truth(n->op))
        element = input_element(im, 0);
    if (first && has_word(same, n->op)) {
        if (input_shape(im, 0, &s))
            result_empty(im, 0, element, &s);
    } else if (all) {
        if (broadcast_all(im, &s))
            result_empty(im, 0, element, &s);
    } else if (has_word("MatMul Gemm", n->op)) {
        product(im);
    } else if (first && begins(n->op, "Reduce")) {
        reduce(im);
    } else if (first && has_word("Reshape Flatten Tile", n->op)) {
        reshaped(im);
    } else {
        return false;
    }
    return true;
}
