/* node_control.c - operators with graphs inside of them. What is known when a model is imported
 * decides which graph of an If is taken, and how often the body of a Loop or a Scan is repeated;
 * the nodes then take the place of the operator.
 *
 * A name of an inner graph gets a prefix, another one in each pass. Its initializers have one for
 * all passes, as they are one weight. */
#include "onnx/onnx.h"

#include <string.h>

enum { MOST_PASSES = 4096, MOST_NODES = 20000 };

struct GraphScope {
    Table inner;        /* names that the graph defines: 1, and 2 for its initializers */
    const char *prefix; /* of the first ones */
    const char *shared; /* of the second ones */
    GraphScope *around;
};

/* ---- names ---- */

static const char *resolve(Import *im, const char *name)
{
    Ngc *ngc = im->ngc;
    for (GraphScope *s = im->scope; s; s = s->around) {
        int kind = 0;
        if (*name)
            kind = *table_at(ngc, &s->inner, intern_str(ngc, name));
        if (kind)
            return text_format(ngc, "%s%s", kind == 1 ? s->prefix : s->shared, name);
    }
    return name;
}

static void define(Import *im, const char *name, int kind)
{
    if (name && *name)
        *table_at(im->ngc, &im->scope->inner, intern_str(im->ngc, name)) = kind;
}

/* Enters a graph: what it defines, and its initializers. */
static void enter(Import *im, const Pb__Graph *g)
{
    const char *why;
    GraphScope *s = arena_alloc(im->ngc, sizeof *s);
    *s = (GraphScope){.around = im->scope, .shared = text_format(im->ngc, "%d/", ++im->scopes)};
    im->scope = s;
    for (size_t i = 0; i < g->n_input; i++)
        define(im, g->input[i]->name, 1);
    for (size_t i = 0; i < g->n_node; i++)
        for (size_t k = 0; k < g->node[i]->n_output; k++)
            define(im, g->node[i]->output[k], 1);
    for (size_t i = 0; i < g->n_initializer && !im->failed; i++) {
        const Pb__Tensor *t = g->initializer[i];
        if (!t->name)
            continue;
        Known *k = known_of_tensor(im->ngc, t, im->folder, &why);
        if (!k) {
            problem(im, "the tensor '%s': %s", t->name, why);
            return;
        }
        define(im, t->name, 2);
        k->name = resolve(im, t->name);
        k->uses = 2; /* one weight, however often the graph is repeated */
        *meaning_new(im, k->name) = (Meaning){.known = k, .element = k->element};
    }
}

/* ---- one pass ---- */

static char **resolve_all(Import *im, char *const *name, size_t count)
{
    char **list = arena_array(im->ngc, count + 1, sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = (char *)resolve(im, name[i]);
    return list;
}

/* A copy of a node with the names of this pass. */
static Pb__Node *renamed(Import *im, const Pb__Node *from)
{
    Ngc *ngc = im->ngc;
    Pb__Node *n = arena_copy(ngc, from, sizeof *n);
    n->input = resolve_all(im, from->input, n->n_input);
    n->output = resolve_all(im, from->output, n->n_output);

    for (size_t i = 0; i < n->n_input; i++) {
        const char *name = intern_str(ngc, n->input[i]);
        ++*table_at(ngc, &im->uses, name);
    }
    return n;
}

/* Takes the nodes of the graph in place of the current node; `in` is what its inputs mean. False
 * with a problem. */
static bool take_pass(Import *im, const Pb__Graph *g, const Meaning *in)
{
    const Pb__Node *outer = im->at;
    Pb__Node **node = arena_array(im->ngc, g->n_node + 1, sizeof *node);
    im->scope->prefix = text_format(im->ngc, "%d/", ++im->scopes);
    im->inner_nodes += 1 + (int64_t)g->n_node;
    if (im->inner_nodes > MOST_NODES) {
        problem(im, "it makes more than %d nodes", MOST_NODES);
        return false;
    }

    /* names of this pass: inputs, nodes, results */
    for (size_t i = 0; i < g->n_input; i++) {
        const char *name = g->input[i]->name;
        if (name)
            *meaning_new(im, resolve(im, name)) = in[i];
    }
    for (size_t i = 0; i < g->n_node; i++)
        node[i] = renamed(im, g->node[i]);
    for (size_t i = 0; i < g->n_output; i++) {
        const char *name = g->output[i]->name;
        if (name)
            ++*table_at(im->ngc, &im->uses, intern_str(im->ngc, resolve(im, name)));
    }

    int problems = im->problems;
    for (size_t i = 0; i < g->n_node && im->problems == problems; i++)
        im->take(im, node[i]);
    im->at = outer;
    im->failed = im->problems > problems;
    return !im->failed;
}

/* What output i of the graph means after a pass. */
static Meaning output_of(Import *im, const Pb__Graph *g, size_t i)
{
    const char *name = "";
    if (i < g->n_output && g->output[i]->name)
        name = g->output[i]->name;
    const Meaning *m = meaning_of(im, resolve(im, name));
    if (m && (m->known || m->operand.line))
        return *m;
    problem(im, "its graph does not compute '%s'", name);
    return (Meaning){0};
}

static Operand operand_of(Import *im, Meaning *m)
{
    if (!m->operand.line && m->known && !im->failed)
        m->operand = operand_of_known(im, m->known);
    return m->operand;
}

static void give(Import *im, int i, const Meaning *m)
{
    if (wants_output(im->at, i) && !im->failed)
        *meaning_new(im, im->at->output[i]) = *m;
}

/* The graph in an attribute; NULL with a problem. */
static const Pb__Graph *graph_in(Import *im, const char *name)
{
    const Pb__Attribute *a = attribute(im, name);
    if (!a || !a->g)
        problem(im, "the attribute '%s' is missing", name);
    return a ? a->g : NULL;
}

/* Is it one truth that is known, and which? */
static bool known_truth(Import *im, const Known *k, bool *yes)
{
    double v;
    if (!k || k->count != 1 || !known_number(im->g, k, 0, &v))
        return false;
    *yes = v != 0;
    return true;
}

/* ---- If ---- */

/* The results of one branch. */
static bool take_branch(Import *im, const char *name, Meaning *out, size_t outs)
{
    const Pb__Graph *g = graph_in(im, name);
    GraphScope *around = im->scope;
    if (!g)
        return false;
    if (g->n_input || g->n_output != outs) {
        problem(im, "attribute '%s': a graph without inputs and with %zu outputs is needed", name,
                outs);
        return false;
    }
    enter(im, g);
    if (!im->failed && take_pass(im, g, NULL))
        for (size_t i = 0; i < outs; i++)
            out[i] = output_of(im, g, i);
    im->scope = around;
    return !im->failed;
}

/* A condition that is computed: both branches are, and one of them is chosen. */
static void choose(Import *im, const Pb__Node *n, Meaning *yes, Meaning *no)
{
    Operand c = operand(im, 0);
    if (!im->failed && operand_node(c)->shape.rank > 0)
        c = emit(im, BIND_ATOM, "reshape($00, [])", 1, c);
    for (int i = 0; i < (int)n->n_output && !im->failed; i++) {
        Operand a = operand_of(im, &yes[i]);
        Operand b = operand_of(im, &no[i]);
        if (im->failed)
            return;
        if (!shape_equal(operand_node(a)->shape, operand_node(b)->shape)) {
            problem(im, "its condition is not known, and its branches differ in shape");
            return;
        }
        int element = yes[i].element;
        result(im, i, emit(im, BIND_ATOM, "where($00, $01, $02)", 3, c, a, b));
        if (!im->failed && wants_output(n, i))
            meaning_of(im, n->output[i])->element = element;
    }
}

static void take_if(Import *im)
{
    const Pb__Node *n = im->at;
    bool yes;
    const Meaning *c = input_of(im, 0);
    Meaning *out[2];
    if (!c || im->failed)
        return;
    bool known = known_truth(im, c->known, &yes);
    for (int i = 0; i < 2; i++) {
        out[i] = arena_array(im->ngc, n->n_output + 1, sizeof **out);
        bool taken = !known || yes == (i == 0);
        if (taken && !take_branch(im, i == 0 ? "then_branch" : "else_branch", out[i], n->n_output))
            return;
    }
    if (!known) {
        choose(im, n, out[0], out[1]);
        return;
    }
    for (int i = 0; i < (int)n->n_output; i++)
        give(im, i, &out[yes ? 0 : 1][i]);
}

/* ---- what passes collect ---- */

/* One result of each pass, along a new axis, or as they are joined along the first. */
static Operand joined(Import *im, Operand *part, int count, bool stacked, int64_t axis)
{
    enum { MOST = 10 }; /* operands of a line */
    while (count > 0 && !im->failed) {
        int left = 0;
        for (int i = 0; i < count && !im->failed; i += MOST) {
            int few = min_int(count - i, MOST);
            Text t = {.ngc = im->ngc};
            text_add(&t, "%s([", stacked ? "stack" : "concat");
            for (int k = 0; k < few; k++)
                text_add(&t, "%s$0%d", comma_before(k), k);
            text_add(&t, axis ? "], %lld)" : "])", (long long)axis);
            bool same = few == 1 && !stacked;
            part[left++] =
                same ? part[i] : emit_line(im, line_new(im, BIND_ATOM, t.at, few, part + i));
        }
        stacked = false;
        count = left;
        if (count == 1)
            break;
    }
    return part[0];
}

static bool same_dims(const Known *a, const Known *b)
{
    size_t bytes = (size_t)a->rank * sizeof *a->dim;
    return a->rank == b->rank && memcmp(a->dim, b->dim, bytes) == 0;
}

/* The same of tensors that are known. NULL: they are not, or differ in shape. */
static Known *joined_known(Import *im, const Meaning *part, int count)
{
    const Known *first = part[0].known;
    if (!first || first->rank == MAX_RANK || first->count > (1 << 20) / count)
        return NULL;

    int64_t dim[MAX_RANK] = {count};
    memcpy(dim + 1, first->dim, (size_t)first->rank * sizeof *dim);
    Known *y = known_new(im->ngc, first->element, first->rank + 1, dim);
    double *to = y->number;
    for (int i = 0; i < count; i++) {
        const Known *k = part[i].known;
        if (!k || !same_dims(k, first))
            return NULL;
        for (int64_t e = 0; e < k->count; e++)
            if (!known_number(im->g, k, e, to++))
                return NULL;
    }
    return y;
}

/* Result i of the node, from what each pass made. */
static void give_collected(Import *im, int i, Meaning *part, int count, int64_t axis)
{
    if (!wants_output(im->at, i) || im->failed)
        return;
    if (count == 0) {
        problem(im, "its result %d has no elements", i);
        return;
    }
    Known *k = NULL;
    if (axis == 0)
        k = joined_known(im, part, count);
    if (k) {
        result_known(im, i, k);
        return;
    }
    Operand *list = arena_array(im->ngc, count, sizeof *list);
    for (int p = 0; p < count; p++)
        list[p] = operand_of(im, &part[p]);
    int element = part[0].element;
    result(im, i, joined(im, list, count, true, axis));
    if (!im->failed)
        meaning_of(im, im->at->output[i])->element = element;
}

/* ---- Loop ---- */

/* How many passes there are at most, where more than MOST_PASSES are one more; -1 with a problem.
 */
static int64_t trip_count(Import *im)
{
    int64_t passes = MOST_PASSES + 1;
    const Known *k = given_known(im, 0, "the number of passes");
    if (im->failed)
        return -1;
    if (k && (k->count != 1 || !known_whole(im->g, k, 0, &passes))) {
        problem(im, "the number of passes is known only at run time");
        return -1;
    }
    return min_int64(max_int64(passes, 0), MOST_PASSES + 1);
}

static Meaning meaning_of_number(Import *im, int element, double v)
{
    Known *k = known_new(im->ngc, element, 0, NULL);
    k->number[0] = v;
    return (Meaning){.known = k, .element = element};
}

/* What a loop gives to each pass: its number, whether to go on, and the values carried. */
static Meaning *loop_inputs(Import *im, int carried)
{
    Meaning *in = arena_array(im->ngc, carried + 2, sizeof *in);
    in[1] = meaning_of_number(im, EL_BOOL, 1);
    if (has_input(im->at, 1) && input_of(im, 1))
        in[1] = *input_of(im, 1);
    for (int i = 0; i < carried && !im->failed; i++)
        if (input_of(im, 2 + i))
            in[2 + i] = *input_of(im, 2 + i);
    return in;
}

/* Is there a pass after this number of passes? Also false with a problem. */
static bool goes_on(Import *im, const Meaning *condition, int passes)
{
    bool go;
    if (!known_truth(im, condition->known, &go)) {
        problem(im, "how often it is repeated depends on data, which is not known");
        return false;
    }
    if (go && passes == MOST_PASSES) {
        problem(im, "it has more than %d passes", MOST_PASSES);
        return false;
    }
    return go;
}

static void take_loop(Import *im)
{
    const Pb__Node *n = im->at;
    const Pb__Graph *g = graph_in(im, "body");
    int64_t most = -1;
    if (!im->failed)
        most = trip_count(im);
    if (most < 0)
        return;

    int carried = (int)n->n_input - 2;
    int collects = (int)g->n_output - 1 - carried;
    bool inputs_fit = carried >= 0 && (int)g->n_input == carried + 2;
    if (!inputs_fit || collects < 0 || n->n_output > g->n_output - 1) {
        problem(im, "its operands do not fit its graph");
        return;
    }
    Meaning *in = loop_inputs(im, carried);
    Meaning **part = arena_array(im->ngc, collects + 1, sizeof *part);
    for (int i = 0; i < collects; i++)
        part[i] = arena_array(im->ngc, most + 1, sizeof **part);

    GraphScope *around = im->scope;
    enter(im, g);
    int passes = 0;
    for (; passes < most && !im->failed; passes++) {
        if (!goes_on(im, &in[1], passes))
            break;
        in[0] = meaning_of_number(im, EL_INT64, passes);
        if (!take_pass(im, g, in))
            break;

        for (int i = 0; i <= carried && !im->failed; i++)
            in[1 + i] = output_of(im, g, (size_t)i);
        for (int i = 0; i < collects && !im->failed; i++)
            part[i][passes] = output_of(im, g, (size_t)(1 + carried + i));
    }
    im->scope = around;

    for (int i = 0; i < carried; i++)
        give(im, i, &in[2 + i]);
    for (int i = 0; i < collects; i++)
        give_collected(im, carried + i, part[i], passes, 0);
}

/* ---- Scan ---- */

typedef struct Scan {
    const Pb__Graph *g;
    int states, scanned, collects, first; /* the operand with which the states begin */
    int64_t passes;
    int64_t axis[64], back[64];         /* of what is scanned */
    int64_t out_axis[64], out_back[64]; /* of what is collected */
} Scan;

/* A list with a number for each; all 0 if it is not there. */
static bool read_list(Import *im, const char *name, int64_t *out, int count)
{
    memset(out, 0, 64 * sizeof *out);
    int n = 0;
    if (count <= 64)
        n = attribute_ints(im, name, out, 64);
    if (n == count || (n < 0 && !attribute(im, name) && count <= 64))
        return true;
    problem(im, "attribute '%s': there must be %d numbers", name, count);
    return false;
}

/* The axis of each tensor that is scanned, and the number of passes: its size in all of them. */
static bool read_scan_sizes(Import *im, Scan *s, bool batched)
{
    for (int i = 0; i < s->scanned; i++) {
        Shape shape;
        if (!input_shape(im, s->first + s->states + i, &shape))
            return false;
        if (batched)
            s->axis[i] = 1;
        s->axis[i] = axis_of(im, s->axis[i], shape.rank);
        if (s->axis[i] < 0)
            return false;

        int64_t size = 0;
        bool number = size_number(im->g, shape.dim[s->axis[i]], &size);
        bool differs = s->passes >= 0 && size != s->passes;
        if (!number || differs || size > MOST_PASSES) {
            problem(im,
                    "what it goes over has a run-time size, several sizes, or more than %d "
                    "elements",
                    MOST_PASSES);
            return false;
        }
        s->passes = size;
    }
    return true;
}

/* The number of passes is the size of what is scanned. */
static bool read_scan(Import *im, const Pb__Node *n, Scan *s)
{
    bool batched = im->opset < 9;
    *s = (Scan){.g = graph_in(im, "body"), .first = batched, .passes = -1};
    s->scanned = (int)attribute_int(im, "num_scan_inputs", 0);
    s->states = (int)n->n_input - s->first - s->scanned;
    if (im->failed)
        return false;

    s->collects = (int)s->g->n_output - s->states;
    if (batched && has_input(n, 0)) {
        problem(im, "lengths are not supported");
        return false;
    }
    bool inputs_fit = s->states >= 0 && (int)s->g->n_input == s->states + s->scanned;
    bool outputs_fit = s->collects >= 0 && n->n_output <= s->g->n_output;
    if (s->scanned < 1 || !inputs_fit || !outputs_fit) {
        problem(im, "its operands do not fit its graph");
        return false;
    }

    const char *directions = "scan_input_directions";
    if (batched)
        directions = "directions";
    if (!read_list(im, "scan_input_axes", s->axis, s->scanned) ||
        !read_list(im, directions, s->back, s->scanned) ||
        !read_list(im, "scan_output_axes", s->out_axis, s->collects) ||
        !read_list(im, "scan_output_directions", s->out_back, s->collects))
        return false;
    return read_scan_sizes(im, s, batched);
}

/* Which element pass p has, if the first pass has the first one or (back) the last. */
static int64_t element_of_pass(const Scan *s, int64_t p, bool back)
{
    if (back)
        return s->passes - 1 - p;
    return p;
}

/* What pass p gets of each tensor x that is scanned. */
static void take_elements(Import *im, const Scan *s, int64_t p, int64_t row, const Operand *x,
                          Meaning *in)
{
    for (int i = 0; i < s->scanned; i++) {
        int64_t at = element_of_pass(s, p, s->back[i]);
        int64_t axis = s->axis[i] - (row >= 0); /* a row has no axis for the batch */
        const char *form = range_form(im, axis, text_format(im->ngc, "%lld", (long long)at));
        in[i].operand = emit(im, BIND_ATOM, form, 1, x[i]);
    }
}

/* What the first pass is given: the states, and places for what is scanned. x: as operands. */
static void scan_inputs(Import *im, const Scan *s, int64_t row, Operand *x, Meaning *in)
{
    int all = s->states + s->scanned;
    for (int i = 0; i < all && !im->failed; i++) {
        x[i] = operand(im, s->first + i);
        if (row >= 0 && !im->failed)
            x[i] = emit_of(im, x[i], BIND_ATOM, "$60[%lld]", (long long)row);
        in[i] = (Meaning){.operand = x[i], .element = input_element(im, s->first + i)};
    }
}

/* The passes over one row of a batch (of opset 8), or over all, for row < 0. out: what the results
 * are. */
static bool scan_once(Import *im, const Scan *s, int64_t row, Meaning *out)
{
    Ngc *ngc = im->ngc;
    const Pb__Graph *g = s->g;
    int all = s->states + s->scanned;
    Operand *x = arena_array(ngc, all + 1, sizeof *x);
    Meaning *in = arena_array(ngc, all + 1, sizeof *in);
    Operand *part = arena_array(ngc, s->collects * s->passes + 1, sizeof *part);
    Meaning *collected = out + s->states;
    scan_inputs(im, s, row, x, in);

    for (int64_t p = 0; p < s->passes && !im->failed; p++) {
        take_elements(im, s, p, row, x + s->states, in + s->states);
        if (im->failed || !take_pass(im, g, in))
            return false;

        /* states go to the next pass */
        for (int i = 0; i < s->states && !im->failed; i++)
            in[i] = output_of(im, g, (size_t)i);

        /* the other results are one element of all */
        for (int i = 0; i < s->collects && !im->failed; i++) {
            Meaning m = output_of(im, g, (size_t)(s->states + i));
            int64_t to = element_of_pass(s, p, s->out_back[i]);
            part[i * s->passes + to] = operand_of(im, &m);
            collected[i].element = m.element;
        }
    }

    memcpy(out, in, (size_t)s->states * sizeof *out);
    for (int i = 0; i < s->collects && !im->failed; i++) {
        Operand *parts = part + i * s->passes;
        collected[i].operand = joined(im, parts, (int)s->passes, true, s->out_axis[i]);
    }
    return !im->failed;
}

/* Of opset 8 only: false with a problem. */
static bool count_rows(Import *im, const Scan *s, int64_t *rows)
{
    Shape shape;
    bool good = input_shape(im, s->first, &shape) && shape.rank >= 1;
    if (good)
        good = size_number(im->g, shape.dim[0], rows) && *rows <= 256;
    if (!good)
        problem(im, "the batch has a run-time size, or more than 256 rows");
    return good;
}

static void take_scan(Import *im)
{
    const Pb__Node *n = im->at;
    Scan s;
    int64_t rows = 1;
    bool batched = im->opset < 9;
    if (!read_scan(im, n, &s))
        return;
    if (batched && !count_rows(im, &s, &rows))
        return;

    int outs = s.states + s.collects;
    Meaning *out = arena_array(im->ngc, outs + 1, sizeof *out);
    Operand *row = arena_array(im->ngc, (size_t)outs * (size_t)rows + 1, sizeof *row);
    GraphScope *around = im->scope;
    enter(im, s.g);
    for (int64_t r = 0; r < rows && !im->failed; r++) {
        int64_t which = r;
        if (!batched)
            which = -1;
        if (!scan_once(im, &s, which, out))
            break;
        for (int i = 0; i < outs && !im->failed; i++)
            row[i * rows + r] = operand_of(im, &out[i]);
    }
    im->scope = around;

    for (int i = 0; i < outs && !im->failed; i++) {
        if (batched) {
            out[i].operand = joined(im, row + i * rows, (int)rows, true, 0);
            out[i].known = NULL;
        }
        give(im, i, &out[i]);
    }
}

const OnnxOp onnx_control[] = {
    {"If", .take = take_if, .typed_by = OWN_TYPE, .attributes = "then_branch else_branch",
     .says = "one of its graphs; by `where` if the condition is computed"},
    {"Loop", .take = take_loop, .operands = ANY_NUMBER, .typed_by = OWN_TYPE, .attributes = "body",
     .says = "its graph, as often as is known when the model is imported"},
    {"Scan", .take = take_scan, .operands = ANY_NUMBER, .typed_by = OWN_TYPE,
     .attributes = "body num_scan_inputs scan_input_axes scan_input_directions scan_output_axes "
                   "scan_output_directions directions",
     .needs = "num_scan_inputs", .says = "its graph, for each element"},
    {NULL},
};
