/* check.c - what is wrong with a file, before its nodes are taken: names that are defined twice,
 * operators and attributes that are not supported, attributes of another type. All problems are
 * listed.
 *
 * A value of another type would otherwise be left out, and the default taken in its place. */
#include "onnx/onnx.h"

#include <string.h>

/* ---- the opset ---- */

enum { FIRST_WITH_OPSET = 3 }; /* version of the format: files before it do not say an opset */

static bool is_own(const char *domain)
{
    return !domain || !*domain || same_text(domain, "ai.onnx");
}

int64_t check_opset(Import *im)
{
    const Pb__Model *m = im->model;
    int64_t version = 0;
    for (size_t i = 0; i < m->n_opset; i++) {
        if (!is_own(m->opset[i]->domain))
            continue;
        int64_t v = m->opset[i]->version;
        if (v < 1 || (version && v != version)) {
            problem(im, "its version of the operators (opset_import) is %s",
                    v < 1 ? "not a positive number" : "given twice");
            return 1;
        }
        version = v;
    }
    if (!version && m->version >= FIRST_WITH_OPSET)
        problem(im, "it does not say which version of the operators it has (opset_import)");
    return max_int64(version, 1);
}

/* ---- names ---- */

/* Is the name in the table? It is then. */
static bool is_again(Import *im, Table *names, const char *name)
{
    int *at = table_at(im->ngc, names, intern_str(im->ngc, name));
    int before = *at;
    *at = 1;
    return before;
}

/* A problem if it was defined before. NULL and "" are not names. */
static void define(Import *im, Table *names, const char *what, const char *name)
{
    im->failed = false;
    if (!name || !*name)
        return;
    if (is_again(im, names, name))
        problem(im, "%s '%s' is defined twice", what, name);
}

/* A graph in a node has names of its own. An initializer may be the default of an input. */
static void check_graph(Import *im, const Pb__Graph *g)
{
    Table weights = {0}, names = {0};
    const Pb__Node *outer = im->at;
    for (size_t i = 0; i < g->n_initializer; i++)
        define(im, &weights, "the tensor", g->initializer[i]->name);
    for (size_t i = 0; i < g->n_input; i++)
        define(im, &names, "the input", g->input[i]->name);
    for (size_t i = 0; i < g->n_initializer; i++) {
        const char *name = g->initializer[i]->name;
        if (name && *name)
            is_again(im, &names, name);
    }

    for (size_t i = 0; i < g->n_node; i++) {
        const Pb__Node *n = g->node[i];
        im->at = n;
        for (size_t k = 0; k < n->n_output; k++)
            define(im, &names, "its result", n->output[k]);
        for (size_t k = 0; k < n->n_attribute; k++)
            if (n->attribute[k]->g)
                check_graph(im, n->attribute[k]->g);
    }
    im->at = outer;
    im->failed = false;
}

void check_names(Import *im)
{
    Table outputs = {0};
    const Pb__Graph *g = im->graph;
    im->at = NULL;
    check_graph(im, g);
    for (size_t i = 0; i < g->n_output; i++)
        define(im, &outputs, "the output", g->output[i]->name);
    for (size_t i = 0; i < g->n_input; i++) {
        im->failed = false;
        if (!g->input[i]->name || !*g->input[i]->name)
            problem(im, "input %zu has no name", i);
    }
}

/* ---- attributes ---- */

/* Their types, as the operators of ONNX have them. `value` is another one in some operators. */
static const char *const typed[] = {
    [AT_FLOAT] = "alpha beta bias clip cubic_coeff_a epsilon extrapolation_value gamma "
                 "lambd max min momentum ratio spatial_scale value_float",
    [AT_INT] =
        "align_corners allowzero antialias axis batch_axis batch_dims blocksize broadcast "
        "ceil_mode center_point_box count_include_pad detect_negative detect_positive dtype "
        "end exclude_outside exclusive fmod group hidden_size ignore_index input_as_shape "
        "input_forget inverse is_test k keepdims largest layout linear_before_reset "
        "noop_with_empty_axes num_groups num_outputs num_scan_inputs onesided "
        "output_datatype output_height output_width p periodic reverse sampling_ratio "
        "saturate select_last_index size sorted spatial start stash_type storage_order time_axis "
        "to training_mode transA transB upper value_int",
    [AT_STRING] = "approximate auto_pad coordinate_transformation_mode direction equation mode "
                  "nearest_mode padding_mode reduction",
    [AT_TENSOR] = "value",
    [AT_GRAPH] = "body else_branch then_branch",
    [AT_FLOATS] = "activation_alpha activation_beta scales value_floats",
    [AT_INTS] = "axes dilations directions ends extra_shape kernel_shape output_padding "
                "output_shape pads perm scan_input_axes scan_input_directions scan_output_axes "
                "scan_output_directions split starts strides value_ints",
    [AT_STRINGS] = "activations",
};

/* 0: any, of one that is not read, such as the seed of random numbers. */
static int type_of(const char *op, const char *attribute)
{
    if (same_text(attribute, "value") && has_word("ConstantFill Pad", op))
        return AT_FLOAT;
    for (int type = AT_FLOAT; type <= AT_STRINGS; type++)
        if (has_word(typed[type], attribute))
            return type;
    return 0;
}

/* Of which types does it have a value? A bit for each. */
static unsigned types_given(const Pb__Attribute *a)
{
    unsigned given = 0;
    given |= (unsigned)(a->has_f != 0) << AT_FLOAT;
    given |= (unsigned)(a->has_i != 0) << AT_INT;
    given |= (unsigned)(a->has_s != 0) << AT_STRING;
    given |= (unsigned)(a->t != NULL) << AT_TENSOR;
    given |= (unsigned)(a->g != NULL) << AT_GRAPH;
    given |= (unsigned)(a->n_floats > 0) << AT_FLOATS;
    given |= (unsigned)(a->n_ints > 0) << AT_INTS;
    given |= (unsigned)(a->n_strings > 0) << AT_STRINGS;
    return given;
}

/* Programs that write the format as "proto3" leave out a number that is 0, and a text that is
 * empty: the type says that it is there. */
static void set_zero(Pb__Attribute *a)
{
    a->has_f |= a->type == AT_FLOAT;
    a->has_i |= a->type == AT_INT;
    a->has_s |= a->type == AT_STRING;
}

static void check_element(Import *im, const char *what, int64_t element)
{
    if (element != (int)element || !element_is_number((int)element))
        problem(im, "%s: elements of type %lld are not supported", what, (long long)element);
}

static void check_type(Import *im, const char *op, Pb__Attribute *a)
{
    static const char *const called[] = {"of another type", "FLOAT",  "INT",  "STRING", "TENSOR",
                                         "GRAPH",           "FLOATS", "INTS", "STRINGS"};
    int wanted = type_of(op, a->name);
    if (!wanted)
        return;

    unsigned given = types_given(a);
    int type = a->type;
    for (int t = AT_FLOAT; !type && t <= AT_STRINGS; t++)
        if (given >> t & 1)
            type = t;
    if (type && type != wanted) {
        bool known = type >= AT_FLOAT && type <= AT_STRINGS;
        problem(im, "attribute '%s' is %s, not %s", a->name, called[known ? type : 0],
                called[wanted]);
        return;
    }
    set_zero(a);
    bool list = wanted >= AT_FLOATS;
    if (types_given(a) != 1u << wanted && (given || !list))
        problem(im, "attribute '%s' does not have one value of type %s", a->name, called[wanted]);
    if (has_word("dtype output_datatype to", a->name) && a->i != EL_STRING)
        check_element(im, text_format(im->ngc, "attribute '%s'", a->name), a->i);
}

/* Does an attribute that chooses between words have one of them? Other values would be left out. */
static void check_word(Import *im, const Pb__Attribute *a)
{
    static const char *const choices[][2] = {
        {"approximate", "none tanh"},
        {"auto_pad", "NOTSET SAME_UPPER SAME_LOWER VALID"},
        {"direction", "forward reverse bidirectional LEFT RIGHT"},
        {"mode", "DCR CRD constant edge reflect wrap nearest linear bilinear trilinear cubic "
                 "bicubic avg max"},
        {"nearest_mode", "round_prefer_floor round_prefer_ceil floor ceil"},
        {"padding_mode", "zeros border reflection"},
        {"reduction", "none mean sum add mul max min"},
    };
    const char *word = attribute_text(im, a->name, "");
    for (size_t i = 0; a->has_s && i < sizeof choices / sizeof *choices; i++)
        if (same_text(a->name, choices[i][0]) && !has_word(choices[i][1], word))
            problem(im, "attribute '%s': '%s' is not supported", a->name, word);
}

static void check_attribute(Import *im, const OnnxOp *op, Pb__Attribute *a, Table *names)
{
    bool old = im->own_opset < 7 && has_word("axis broadcast is_test", a->name);
    if (!a->name || !*a->name)
        problem(im, "an attribute has no name");
    else if (!old && !has_word(op->attributes, a->name))
        problem(im, "the attribute '%s' is not supported", a->name);
    else if (is_again(im, names, a->name))
        problem(im, "the attribute '%s' is given twice", a->name);
    else
        check_type(im, op->name, a);
    if (!im->failed)
        check_word(im, a);
}

/* ---- nodes ---- */

static void check_node(Import *im, const Pb__Node *n);

/* Attributes without a default, in words separated by blanks. */
static void check_needs(Import *im, const char *needs)
{
    for (const char *at = needs; at && *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        const char *name = text_format(im->ngc, "%.*s", (int)length, at);
        im->failed = false;
        if (!attribute(im, name))
            problem(im, "the attribute '%s' is missing", name);
        at += length;
    }
}

static void check_attributes(Import *im, const OnnxOp *op, const Pb__Node *n)
{
    Table names = {0};
    for (size_t k = 0; k < n->n_attribute; k++) {
        const Pb__Graph *g = n->attribute[k]->g;
        im->at = n;
        im->failed = false;
        check_attribute(im, op, n->attribute[k], &names);
        for (size_t i = 0; g && i < g->n_node; i++)
            check_node(im, g->node[i]);
    }
    im->at = n;
    check_needs(im, op->needs);
}

/* How many operands may there be? Those of a form are $BI, I from 0 to 9. */
static int most_operands(const OnnxOp *op)
{
    int most = 1;
    if (op->operands)
        return op->operands;
    for (const char *c = op->form; c && *c; c++)
        if (*c == '$')
            most = max_int(most, c[2] - '0' + 1);
    return most;
}

/* Is there an operand that would not be read? Newer versions of an operator may have it. */
static void check_operands(Import *im, const OnnxOp *op, const Pb__Node *n)
{
    int most = most_operands(op);
    im->failed = false;
    for (int i = most; i < (int)n->n_input; i++)
        if (has_input(n, i))
            problem(im, "operand %d is not supported: there are at most %d", i, most);
}

static void check_node(Import *im, const Pb__Node *n)
{
    const OnnxOp *op = NULL;
    bool own = is_own(n->domain);
    if (n->op && own)
        op = onnx_find(n->op);
    im->at = n;
    im->failed = false;
    if (op && !op->joined) {
        check_attributes(im, op, n);
        check_operands(im, op, n);
        return;
    }

    const char *why = NULL;
    if (own && n->op)
        why = onnx_refusal(n->op);
    if (why)
        problem(im, "the operator is not supported: %s", why);
    else if (own)
        problem(im, "the operator is not supported");
    else
        problem(im, "operators of the domain '%s' are not supported", n->domain);
}

void check_nodes(Import *im)
{
    for (int i = 0; i < im->nodes; i++)
        check_node(im, im->node[i]);
    im->at = NULL;
}
