/* node_recurrent.c - RNN, GRU and LSTM. */
#include "onnx/onnx.h"

#include <string.h>

/* ", acts = [relu]": the activations, if they are not the usual ones. */
static bool add_acts(Import *im, Text *t, const char *usual)
{
    static const char *const known[][2] = {{"Relu", "relu"},
                                           {"Tanh", "tanh"},
                                           {"Sigmoid", "sigmoid"},
                                           {"Softsign", "softsign"},
                                           {"Softplus", "softplus"}};
    const Pb__Attribute *a = attribute(im, "activations");
    Text acts = {.ngc = im->ngc};
    for (size_t i = 0; a && i < a->n_strings; i++) {
        const char *name = NULL;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            if (a->strings[i].len == strlen(known[k][0]) &&
                memcmp(a->strings[i].data, known[k][0], a->strings[i].len) == 0)
                name = known[k][1];
        if (!name) {
            problem(im, "attribute 'activations': one of them is not supported");
            return false;
        }
        text_add(&acts, "%s%s", comma_before(i), name);
    }
    size_t n = 0;
    if (acts.at)
        n = strlen(acts.at);
    bool same = n == 0 || strncmp(usual, acts.at, n) == 0;
    if (!same)
        text_add(t, ", acts = [%s]", acts.at);
    return true;
}

/* The line that this one copies along new axes. */
static const Line *before_copies(const Line *l)
{
    while (l && l->args == 1 && (begins(l->form, "$60[") || begins(l->form, "broadcast_to(")))
        l = l->arg[0].line;
    return l;
}

/* Is it a tensor of zeros, as exporters make for the first states? */
static bool is_zeros(Import *im, int i)
{
    const Meaning *m = meaning_of(im, im->at->input[i]);
    if (!m)
        return false;
    if (m->known) {
        double v;
        return known_even(im->g, m->known, &v) && v == 0 && !is_param(im, m->known);
    }

    const Line *l = before_copies(m->operand.line);
    if (!l || !begins(l->form, "full("))
        return false;
    size_t n = strlen(l->form);
    return n > 8 && same_text(l->form + n - 4, ", 0)");
}

/* A weight as a param that is named after its layer. */
static Operand weight(Import *im, int i, const char *suffix)
{
    Known *k = input_known(im, i);
    if (!k || is_shared(k) || !is_param(im, k))
        return operand(im, i);
    const char *label = layer_label(im, k, NULL);
    return declare(im, k, label ? text_format(im->ngc, "%s_%s", label, suffix) : suffix);
}

typedef struct Cell {
    const char *function;
    const char *acts; /* the usual ones, of two directions */
    int results;      /* y, h and perhaps c */
    int each;         /* activations of a direction */
} Cell;

/* Is the size of an axis of operand 2, R, this number? Of a size known only at run time: yes. */
static bool has_size(Import *im, int axis, int64_t wanted)
{
    int64_t n;
    Shape s;
    if (!input_shape(im, 2, &s) || s.rank != 3 || !size_number(im->g, s.dim[axis], &n))
        return true;
    return n == wanted;
}

/* The attributes repeat what the shape of the weights says. */
static void check_cell(Import *im, const Cell *c)
{
    bool both = same_text(attribute_text(im, "direction", "forward"), "bidirectional");
    int directions = both ? 2 : 1;
    int64_t hidden = attribute_int(im, "hidden_size", 0);
    const Pb__Attribute *acts = attribute(im, "activations");
    if (!has_size(im, 0, directions))
        problem(im, "attribute 'direction': the weights are not those of %s",
                both ? "two directions" : "one direction");
    if (attribute(im, "hidden_size") && !has_size(im, 2, hidden))
        problem(im, "attribute 'hidden_size': the weights are not those of %lld units",
                (long long)hidden);
    if (acts && acts->n_strings && acts->n_strings != (size_t)(c->each * directions))
        problem(im, "attribute 'activations': there must be %d", c->each * directions);
}

/* The tensor with its first two axes exchanged. */
static Operand rows_exchanged(Import *im, Operand x)
{
    return emit(im, BIND_ATOM, "permute($00, [1, 0, 2])", 1, x);
}

static void add_cell_options(Import *im, Text *t)
{
    double limit = attribute_float(im, "clip", 0);
    if (limit > 0)
        text_add(t, ", limit = %s", number_text(im, limit));
    if (attribute_int(im, "linear_before_reset", 0))
        text_add(t, ", after_reset = 1");
    if (attribute_int(im, "input_forget", 0))
        text_add(t, ", input_forget = 1");
}

/* The results of a line with parts; batch: the rows of the batch come first in them. */
static void cell_results(Import *im, const Cell *c, Operand y, bool batch)
{
    for (int i = 0; i < c->results && y.line; i++) {
        Operand part = {y.line, i};
        if (batch && wants_output(im->at, i)) {
            if (i == 0)
                part = emit(im, BIND_ATOM, "permute($00, [2, 0, 1, 3])", 1, part);
            else
                part = rows_exchanged(im, part);
        }
        result(im, i, part);
    }
}

static bool is_lstm(const Cell *c)
{
    return c->results == 3;
}

/* The operands of a recurrent node; of RNN and GRU, without the last two. */
enum { IN_X, IN_W, IN_R, IN_BIAS, IN_LENGTHS, IN_STATE, IN_CELL, IN_PEEPHOLES, INPUTS };

/* The states before the first pass, ", h = $03", unless they are zeros. */
static int add_states(Import *im, Text *t, const Cell *c, Operand *arg, int args)
{
    static const char *const state[] = {[IN_STATE] = "h", [IN_CELL] = "c"};
    bool rows_first = attribute_int(im, "layout", 0);
    int end = is_lstm(c) ? IN_CELL + 1 : IN_STATE + 1;

    for (int i = IN_STATE; i < end; i++) {
        if (!has_input(im->at, i) || is_zeros(im, i))
            continue;
        Operand o = operand(im, i);
        if (rows_first)
            o = rows_exchanged(im, o);
        text_add(t, ", %s = $0%d", state[i], args);
        arg[args++] = o;
    }
    return args;
}

static void take_cell(Import *im, const Cell *c)
{
    const Pb__Node *n = im->at;
    Operand arg[INPUTS] = {operand(im, IN_X), weight(im, IN_W, "W"), weight(im, IN_R, "R")};
    int args = 3;
    const char *direction = attribute_text(im, "direction", "forward");
    bool rows_first = attribute_int(im, "layout", 0);
    check_cell(im, c);
    if (im->failed)
        return;
    if (rows_first)
        arg[IN_X] = rows_exchanged(im, arg[IN_X]);

    Text t = {.ngc = im->ngc};
    text_add(&t, "%s($00, $01, $02", c->function);
    if (has_input(n, IN_BIAS)) {
        text_add(&t, ", $03");
        arg[args++] = weight(im, IN_BIAS, "B");
    }
    args = add_states(im, &t, c, arg, args);
    if (is_lstm(c) && has_input(n, IN_PEEPHOLES)) {
        text_add(&t, ", P = $0%d", args);
        arg[args++] = weight(im, IN_PEEPHOLES, "P");
    }
    if (has_input(n, IN_LENGTHS)) {
        text_add(&t, ", lengths = $0%d", args);
        arg[args++] = operand(im, IN_LENGTHS);
    }
    if (same_text(direction, "reverse"))
        text_add(&t, ", reverse = 1");
    if (im->failed || !add_acts(im, &t, c->acts))
        return;
    add_cell_options(im, &t);
    text_add(&t, ")");

    Line *l = line_new(im, BIND_ATOM, t.at, args, arg);
    l->parts = c->results;
    cell_results(im, c, emit_line(im, l), rows_first);
}

static void take_rnn(Import *im)
{
    take_cell(im, &(Cell){"rnn_sequence", "tanh, tanh", 2, 1});
}

static void take_gru(Import *im)
{
    take_cell(im, &(Cell){"gru_sequence", "sigmoid, tanh, sigmoid, tanh", 2, 2});
}

static void take_lstm(Import *im)
{
    take_cell(im, &(Cell){"lstm_sequence", "sigmoid, tanh, tanh, sigmoid, tanh, tanh", 3, 3});
}

#define CELL "activation_alpha activation_beta activations clip direction hidden_size layout"

const OnnxOp onnx_recurrent[] = {
    {"GRU", .take = take_gru, .operands = 6, .attributes = CELL " linear_before_reset",
     .says = "`gru_sequence`"},
    {"LSTM", .take = take_lstm, .operands = 8, .attributes = CELL " input_forget",
     .says = "`lstm_sequence`"},
    {"RNN", .take = take_rnn, .operands = 6, .attributes = CELL, .says = "`rnn_sequence`"},
    {NULL},
};
