/* pattern.c - several nodes that together are one function of the library: a normalisation written
 * out, a gelu by erf. The last of them becomes a node for that function; the others stay, and are
 * left out of the text as nothing reads them any more. */
#include "onnx/onnx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Finder {
    Import *im;
    Table maker; /* by name: 1 + the place of the node that computes it */
} Finder;

/* ---- what a name is ---- */

/* The number of a name in a table. */
static int *named(Finder *f, Table *table, const char *name)
{
    return table_at(f->im->ngc, table, intern_str(f->im->ngc, name));
}

/* The node of this operator that computes a name, or NULL. It has the operands that it needs. */
static const Pb__Node *made_by(Finder *f, const char *name, const char *op)
{
    if (!name)
        return NULL;
    int at = *named(f, &f->maker, name);
    if (at == 0)
        return NULL;

    const Pb__Node *n = f->im->node[at - 1];
    size_t least = !same_text(op, "Constant");
    if (has_word("Add Sub Mul Div Pow MatMul Reshape", op))
        least = 2;
    return same_text(n->op, op) && n->n_input >= least ? n : NULL;
}

/* The node that computes the operand of another one. */
static const Pb__Node *operand_by(Finder *f, const Pb__Node *n, int i, const char *op)
{
    if (n && i < (int)n->n_input)
        return made_by(f, n->input[i], op);
    return NULL;
}

/* The attribute of a Constant, where it has only one. */
static const Pb__Attribute *constant_attribute(Finder *f, const char *name)
{
    const Pb__Node *n = made_by(f, name, "Constant");
    if (!n || n->n_attribute != 1)
        return NULL;
    return n->attribute[0];
}

/* The elements of an initializer, or of a Constant with a tensor; NULL: it is neither. */
static const Known *known_of_name(Finder *f, const char *name)
{
    const Meaning *m = meaning_of(f->im, name);
    if (m && m->known)
        return m->known;

    const Pb__Attribute *a = constant_attribute(f, name);
    const char *why;
    if (a && a->t)
        return known_of_tensor(f->im->ngc, a->t, f->im->folder, &why);
    return NULL;
}

/* Is it one number, and which? Also the square root of one, and a cast. */
static bool is_number(Finder *f, const char *name, double *v)
{
    const Known *k = known_of_name(f, name);
    if (k)
        return k->count == 1 && known_number(f->im->g, k, 0, v);

    const Pb__Attribute *a = constant_attribute(f, name);
    if (a && a->has_f) {
        *v = a->f;
        return true;
    }

    const Pb__Node *n = made_by(f, name, "Sqrt");
    if (n && n->n_input == 1 && is_number(f, n->input[0], v)) {
        *v = sqrt(*v);
        return true;
    }
    n = made_by(f, name, "Cast");
    return n && n->n_input == 1 && is_number(f, n->input[0], v);
}

static bool is_about(Finder *f, const char *name, double wanted)
{
    double v;
    return is_number(f, name, &v) && fabs(v - wanted) <= 1e-5 * fabs(wanted);
}

/* The operand of a node of two that is not this number, or NULL. */
static const char *beside_number(Finder *f, const Pb__Node *n, double v)
{
    if (!n || n->n_input != 2)
        return NULL;
    for (int i = 0; i < 2; i++)
        if (is_about(f, n->input[i], v))
            return n->input[1 - i];
    return NULL;
}

static bool same(const char *a, const char *b)
{
    return a && b && same_text(a, b);
}

/* ---- the node that takes their place ---- */

static Pb__Node *join(Finder *f, int at, const char *op, int inputs, const char *const *input)
{
    Ngc *ngc = f->im->ngc;
    Pb__Node *n = arena_copy(ngc, f->im->node[at], sizeof *n);
    n->op = (char *)op;
    n->domain = (char *)joined_domain;
    n->n_attribute = 0;
    n->n_input = (size_t)inputs;
    n->input = arena_array(ngc, inputs + 1, sizeof *n->input);
    for (int i = 0; i < inputs; i++)
        n->input[i] = (char *)input[i];
    f->im->node[at] = n;
    return n;
}

static void give_float(Finder *f, Pb__Node *n, const char *name, double v)
{
    Ngc *ngc = f->im->ngc;
    Pb__Attribute *a = arena_alloc(ngc, sizeof *a);
    pb__attribute__init(a);
    a->name = (char *)name;
    a->has_f = true;
    a->f = (float)v;
    Pb__Attribute **list = arena_array(ngc, n->n_attribute + 1, sizeof *list);
    for (size_t i = 0; i < n->n_attribute; i++)
        list[i] = n->attribute[i];
    list[n->n_attribute++] = a;
    n->attribute = list;
}

static void give_int(Finder *f, Pb__Node *n, const char *name, int64_t v)
{
    give_float(f, n, name, 0);
    Pb__Attribute *a = n->attribute[n->n_attribute - 1];
    a->has_f = false;
    a->has_i = true;
    a->i = v;
}

/* ---- products ---- */

enum { MOST = 8 };

/* The factors of a product: those of its operands, if nothing else reads these. */
static int factors(Finder *f, const Pb__Node *n, const char **out, int count)
{
    for (int i = 0; i < 2; i++) {
        const Pb__Node *inner = operand_by(f, n, i, "Mul");
        if (inner && inner->n_input == 2 && uses_of(f->im, n->input[i]) == 1)
            count = factors(f, inner, out, count);
        else if (count < MOST)
            out[count++] = n->input[i];
    }
    return count;
}

/* The x of 1 + erf(x/sqrt(2)), or NULL. */
static const char *erf_part(Finder *f, const char *name)
{
    const char *inner = beside_number(f, made_by(f, name, "Add"), 1);
    const Pb__Node *erf = made_by(f, inner, "Erf");
    const Pb__Node *div = operand_by(f, erf, 0, "Div");
    const Pb__Node *mul = operand_by(f, erf, 0, "Mul");
    if (div && div->n_input == 2 && is_about(f, div->input[1], sqrt(2)))
        return div->input[0];
    return beside_number(f, mul, sqrt(0.5));
}

/* Is it x^3, in any form? */
static bool is_cube(Finder *f, const char *name, const char *x)
{
    const Pb__Node *power = made_by(f, name, "Pow");
    if (power)
        return same(power->input[0], x) && is_about(f, power->input[1], 3);

    const Pb__Node *mul = made_by(f, name, "Mul");
    const char *factor[MOST];
    if (!mul || factors(f, mul, factor, 0) != 3)
        return false;
    return same(factor[0], x) && same(factor[1], x) && same(factor[2], x);
}

/* The x of 1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)), or NULL. */
static const char *tanh_part(Finder *f, const char *name)
{
    const char *inner = beside_number(f, made_by(f, name, "Add"), 1);
    const Pb__Node *tanh = made_by(f, inner, "Tanh");
    const Pb__Node *mul = operand_by(f, tanh, 0, "Mul");
    const char *sum = beside_number(f, mul, 0.7978845608);
    const Pb__Node *add = made_by(f, sum, "Add");

    for (int i = 0; add && add->n_input == 2 && i < 2; i++) {
        const char *x = add->input[i];
        const Pb__Node *other = operand_by(f, add, 1 - i, "Mul");
        const char *cube = beside_number(f, other, 0.044715);
        if (cube && is_cube(f, cube, x))
            return x;
    }
    return NULL;
}

/* x/2 times one of these parts, or x sigmoid(x). */
static bool find_product(Finder *f, int at)
{
    const char *factor[MOST];
    int count = factors(f, f->im->node[at], factor, 0);

    for (int i = 0; i < count; i++) {
        const Pb__Node *s = made_by(f, factor[i], "Sigmoid");
        if (count == 2 && s && same(s->input[0], factor[1 - i])) {
            join(f, at, "Silu", 1, (const char *const[]){factor[1 - i]});
            return true;
        }

        const char *form = "Gelu";
        const char *x = erf_part(f, factor[i]);
        if (!x) {
            form = "GeluTanh";
            x = tanh_part(f, factor[i]);
        }

        /* the other factors */
        bool half = false, itself = false;
        for (int k = 0; k < count && x; k++) {
            half |= k != i && is_about(f, factor[k], 0.5);
            itself |= k != i && same(factor[k], x);
        }
        if (count == 3 && half && itself) {
            join(f, at, form, 1, &x);
            return true;
        }
    }
    return false;
}

/* ---- normalisation ---- */

/* Is it the mean over the last axis? Returns its operand, or NULL. */
static const char *last_mean(Finder *f, const char *name)
{
    const Pb__Node *n = made_by(f, name, "ReduceMean");
    double axis = 0;
    if (!n)
        return NULL;

    bool found = n->n_input > 1 && is_number(f, n->input[1], &axis);
    for (size_t i = 0; i < n->n_attribute; i++) {
        const Pb__Attribute *a = n->attribute[i];
        if (same(a->name, "axes") && a->n_ints == 1) {
            axis = (double)a->ints[0];
            found = true;
        }
        if (same(a->name, "keepdims") && !a->i)
            return NULL;
    }
    if (found && axis == -1)
        return n->input[0];
    return NULL;
}

/* The x of x - mean(x), or NULL. */
static const char *centred(Finder *f, const char *name)
{
    const Pb__Node *n = made_by(f, name, "Sub");
    if (!n || n->n_input != 2)
        return NULL;
    const char *x = last_mean(f, n->input[1]);
    return same(x, n->input[0]) ? x : NULL;
}

/* The x of sqrt(mean(x^2) + eps), or NULL. */
static const char *mean_root(Finder *f, const char *name, double *eps)
{
    const Pb__Node *root = made_by(f, name, "Sqrt");
    const Pb__Node *add = operand_by(f, root, 0, "Add");
    for (int i = 0; add && add->n_input == 2 && i < 2; i++) {
        const char *squares = last_mean(f, add->input[1 - i]);
        const Pb__Node *power = made_by(f, squares, "Pow");
        const Pb__Node *mul = made_by(f, squares, "Mul");
        if (!is_number(f, add->input[i], eps))
            continue;
        if (power && is_about(f, power->input[1], 2))
            return power->input[0];
        if (mul && same(mul->input[0], mul->input[1]))
            return mul->input[0];
    }
    return NULL;
}

/* The x of sqrt(mean((x - mean(x))^2) + eps), or NULL. */
static const char *deviation(Finder *f, const char *name, double *eps)
{
    const char *part = mean_root(f, name, eps);
    if (!part)
        return NULL;
    return centred(f, part);
}

/* Is it a vector that is known? */
static bool is_vector(Finder *f, const char *name)
{
    const Meaning *m = meaning_of(f->im, name);
    return m && m->known && m->known->rank == 1 && m->known->name;
}

/* The operand of a node of two beside a vector, which is set; or NULL. */
static const char *beside_vector(Finder *f, const Pb__Node *n, const char **vector)
{
    for (int i = 0; n && n->n_input == 2 && i < 2; i++)
        if (is_vector(f, n->input[i])) {
            *vector = n->input[i];
            return n->input[1 - i];
        }
    return NULL;
}

/* Is it read once? */
static bool is_read_once(const Finder *f, const char *name)
{
    return uses_of(f->im, name) == 1;
}

/* (x - mean(x))/sqrt(...) gain + bias, which ends in a sum. */
static bool find_norm(Finder *f, int at)
{
    const char *gain, *bias;
    double eps;
    const char *scaled = beside_vector(f, f->im->node[at], &bias);
    if (!scaled || !is_read_once(f, scaled))
        return false;

    const char *quotient = beside_vector(f, made_by(f, scaled, "Mul"), &gain);
    const Pb__Node *div = made_by(f, quotient, "Div");
    if (!div || div->n_input != 2)
        return false;
    const char *x = centred(f, div->input[0]);
    if (!x || !same(deviation(f, div->input[1], &eps), x))
        return false;

    Pb__Node *n = join(f, at, "LayerNormalization", 3, (const char *const[]){x, gain, bias});
    give_float(f, n, "epsilon", eps);
    return true;
}

/* The x of x times 1/sqrt(mean(x^2) + eps), or NULL. */
static const char *over_mean_root(Finder *f, const Pb__Node *mul, double *eps)
{
    for (int i = 0; mul && mul->n_input == 2 && i < 2; i++) {
        const Pb__Node *over = operand_by(f, mul, i, "Reciprocal");
        const Pb__Node *one = operand_by(f, mul, i, "Div");
        const char *x = mul->input[1 - i];

        const char *root = NULL;
        if (over)
            root = over->input[0];
        if (one && is_about(f, one->input[0], 1))
            root = one->input[1];
        if (root && same(mean_root(f, root, eps), x))
            return x;
    }
    return NULL;
}

/* x/sqrt(mean(x^2) + eps) gain, or x times 1/sqrt(...). */
static bool find_mean_square(Finder *f, int at)
{
    const char *gain;
    double eps;
    const char *name = beside_vector(f, f->im->node[at], &gain);
    const Pb__Node *div = made_by(f, name, "Div");

    const char *x = NULL;
    if (div && same(mean_root(f, div->input[1], &eps), div->input[0]))
        x = div->input[0];
    if (!x)
        x = over_mean_root(f, made_by(f, name, "Mul"), &eps);
    if (!x || centred(f, x)) /* see find_norm */
        return false;

    Pb__Node *n = join(f, at, "RmsNormalization", 2, (const char *const[]){x, gain});
    give_float(f, n, "epsilon", eps);
    return true;
}

/* A tensor that is known before the walk, or NULL. */
static const Known *known_tensor(Finder *f, const char *name)
{
    const char *why;
    const Meaning *m = meaning_of(f->im, name);
    const Pb__Node *n = NULL;
    if (!m)
        n = made_by(f, name, "Constant");
    if (n && n->n_attribute == 1 && n->attribute[0]->t)
        return known_of_tensor(f->im->ngc, n->attribute[0]->t, f->im->folder, &why);
    return m ? m->known : NULL;
}

/* Are all elements of a tensor this number? */
static bool is_even(Finder *f, const char *name, double wanted)
{
    double v;
    const Known *k = known_tensor(f, name);
    return k && known_even(f->im->g, k, &v) && v == wanted;
}

/* The operand of a node of two beside a weight with a number for each channel, which is set; or
 * NULL. */
static const char *beside_channels(Finder *f, const Pb__Node *n, const char **weight)
{
    for (int i = 0; n && n->n_input == 2 && i < 2; i++) {
        const Meaning *m = meaning_of(f->im, n->input[i]);
        const Known *k = m ? m->known : NULL;
        if (k && k->name && k->rank > 0 && k->dim[0] == k->count) {
            *weight = n->input[i];
            return n->input[1 - i];
        }
    }
    return NULL;
}

/* Is it [0, groups, -1]? */
static bool is_split(Finder *f, const char *shape, int64_t groups)
{
    const Known *k = known_tensor(f, shape);
    int64_t v[3] = {0};
    if (!k || k->count != 3)
        return false;
    for (int i = 0; i < 3; i++)
        known_whole(f->im->g, k, i, &v[i]);
    return v[0] == 0 && v[1] == groups && v[2] == -1;
}

static double epsilon_of(const Pb__Node *n)
{
    double eps = 1e-5;
    for (size_t i = 0; i < n->n_attribute; i++)
        if (same(n->attribute[i]->name, "epsilon"))
            eps = n->attribute[i]->f;
    return eps;
}

/* A normalisation of groups of channels: x is reshaped to [m, groups, -1], normalized, reshaped
 * back, and each channel gets a gain and a bias. */
static bool find_groups(Finder *f, int at)
{
    const char *gain, *bias;
    const char *scaled = beside_channels(f, f->im->node[at], &bias);
    if (!scaled || !is_read_once(f, scaled))
        return false;
    const char *whole = beside_channels(f, made_by(f, scaled, "Mul"), &gain);
    if (!whole || !is_read_once(f, whole))
        return false;

    const Pb__Node *back = made_by(f, whole, "Reshape");
    const Pb__Node *norm = operand_by(f, back, 0, "InstanceNormalization");
    const Pb__Node *parts = operand_by(f, norm, 0, "Reshape");
    if (!parts || norm->n_input != 3)
        return false;
    if (!is_even(f, norm->input[1], 1) || !is_even(f, norm->input[2], 0))
        return false;
    int64_t groups = known_tensor(f, norm->input[1])->count;
    if (!is_split(f, parts->input[1], groups))
        return false;

    const char *input[] = {parts->input[0], gain, bias, back->input[1]};
    Pb__Node *n = join(f, at, "GroupNormalization", 4, input);
    give_float(f, n, "epsilon", epsilon_of(norm));
    give_int(f, n, "num_groups", groups);
    return true;
}

/* ---- attention ---- */

/* A product with a number, or a quotient by one: its operand, and the number's name. */
static const char *scaled_by(Finder *f, const char *name, const char **number, bool *divided)
{
    const Pb__Node *div = made_by(f, name, "Div");
    const Pb__Node *mul = made_by(f, name, "Mul");
    const Pb__Node *n = div ? div : mul;
    *number = "";
    *divided = div != NULL;
    if (!n || n->n_input != 2 || uses_of(f->im, name) != 1)
        return name;
    *number = n->input[1];
    return n->input[0];
}

/* A softmax over the last axis that nothing else reads: its operand. */
static const char *softmax_operand(Finder *f, const char *name, int rank)
{
    const Pb__Node *n = made_by(f, name, "Softmax");
    if (!n || n->n_input != 1 || uses_of(f->im, name) != 1)
        return NULL;
    int64_t axis = f->im->opset < 13 ? 1 : -1;
    for (size_t i = 0; i < n->n_attribute; i++)
        if (same(n->attribute[i]->name, "axis"))
            axis = n->attribute[i]->i;
    if (axis == -1 || axis == rank - 1)
        return n->input[0];
    return NULL;
}

static void give_ints(Finder *f, Pb__Node *n, const char *name, int64_t *v, size_t count)
{
    give_float(f, n, name, 0);
    Pb__Attribute *a = n->attribute[n->n_attribute - 1];
    a->has_f = false;
    a->n_ints = count;
    a->ints = v;
}

/* The product of scores, q k' times a number, where k' is a transpose; or NULL. inside: it is q
 * that is scaled. */
static const Pb__Node *scores_of(Finder *f, const char *name, const char **input, bool *divided,
                                 bool *inside, const Pb__Node **turn)
{
    const char *product = scaled_by(f, name, &input[3], divided);
    const Pb__Node *n = made_by(f, product, "MatMul");
    *turn = operand_by(f, n, 1, "Transpose");
    if (!n || !*turn || (*turn)->n_attribute != 1)
        return NULL;
    input[0] = n->input[0];
    *inside = !*input[3];
    if (*inside)
        input[0] = scaled_by(f, n->input[0], &input[3], divided);
    input[1] = (*turn)->input[0];
    return *input[3] ? n : NULL;
}

/* softmax(where(mask, q k'/sqrt(d), -inf)) v: operands q, what k' is a transpose of, v, the number
 * that scales, and the mask. */
static bool find_attention(Finder *f, int at)
{
    const Pb__Node *n = f->im->node[at];
    const Pb__Node *soft = made_by(f, n->input[0], "Softmax");
    const Pb__Node *turn;
    const char *input[5] = {"", "", n->input[1], "", ""};
    if (!soft)
        return false;

    /* a mask, if there is one */
    const Pb__Node *where = operand_by(f, soft, 0, "Where");
    const char *scores = soft->input[0];
    double fill = 0;
    if (where && where->n_input == 3 && is_number(f, where->input[2], &fill) && fill < -1e9) {
        input[4] = where->input[0];
        scores = where->input[1];
    }

    bool divided, inside;
    if (!scores_of(f, scores, input, &divided, &inside, &turn))
        return false;
    const Pb__Attribute *perm = turn->attribute[0];
    if (perm->n_ints < 2 || !softmax_operand(f, n->input[0], (int)perm->n_ints))
        return false;

    /* k is the same transpose with its last axes exchanged */
    size_t rank = perm->n_ints;
    int64_t *order = arena_copy(f->im->ngc, perm->ints, rank * sizeof *order);
    order[rank - 1] = perm->ints[rank - 2];
    order[rank - 2] = perm->ints[rank - 1];
    Pb__Node *joined = join(f, at, "Attention", 5, input);
    give_ints(f, joined, "perm", order, rank);
    give_float(f, joined, "divided", divided);
    give_float(f, joined, "inside", inside);
    give_float(f, joined, "fill", fill);
    return true;
}

/* ---- weights that are stored transposed ---- */

/* Does a transpose exchange the two axes of a matrix? */
static bool exchanges_axes(const Pb__Node *turn)
{
    for (size_t i = 0; i < turn->n_attribute; i++) {
        const Pb__Attribute *a = turn->attribute[i];
        if (!same(a->name, "perm"))
            continue;
        if (a->n_ints != 2 || a->ints[0] != 1 || a->ints[1] != 0)
            return false;
    }
    return true;
}

/* x W' for a weight, as an export writes it. */
static bool find_linear(Finder *f, int at)
{
    const Pb__Node *n = f->im->node[at];
    const Pb__Node *turn = operand_by(f, n, 1, "Transpose");
    if (!turn || !exchanges_axes(turn))
        return false;

    const Meaning *m = meaning_of(f->im, turn->input[0]);
    const Known *k = m ? m->known : NULL;
    if (!k || !k->name || k->rank != 2)
        return false;

    const char *input[] = {n->input[0], turn->input[0]};
    Pb__Node *joined = join(f, at, "Gemm", 2, input);
    give_int(f, joined, "transB", 1);
    return true;
}

/* Is all that it reads computed by nodes before it? */
static bool reads_earlier(Finder *f, Table *all, const Pb__Node *n, int at)
{
    for (size_t k = 0; k < n->n_input; k++) {
        const char *name = n->input[k];
        if (*name && *named(f, all, name) > at)
            return false;
    }
    return true;
}

/* Which node computes each name. A node that reads what is computed after it is left out, so that
 * no pattern goes round in a circle. */
static void find_makers(Finder *f)
{
    const Import *im = f->im;
    Table all = {0};
    for (int i = 0; i < im->nodes; i++)
        for (size_t k = 0; k < im->node[i]->n_output; k++)
            *named(f, &all, im->node[i]->output[k]) = i + 1;

    for (int i = 0; i < im->nodes; i++) {
        const Pb__Node *n = im->node[i];
        if (!reads_earlier(f, &all, n, i))
            continue;
        for (size_t k = 0; k < n->n_output; k++) {
            const char *name = n->output[k];
            bool last = *named(f, &all, name) == i + 1;
            if (last)
                *named(f, &f->maker, name) = i + 1;
        }
    }
}

void patterns_find(Import *im)
{
    Finder f = {.im = im};
    find_makers(&f);
    for (int i = 0; i < im->nodes; i++) {
        const Pb__Node *n = im->node[i];
        if (n->n_input != 2 || n->n_output != 1)
            continue;
        if (same_text(n->op, "Mul"))
            (void)(find_product(&f, i) || find_mean_square(&f, i));
        else if (same_text(n->op, "MatMul"))
            (void)(find_attention(&f, i) || find_linear(&f, i));
        else if (same_text(n->op, "Add"))
            (void)(find_norm(&f, i) || find_groups(&f, i));
    }
}
