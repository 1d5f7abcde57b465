/* node.c - the node that is being taken: its operands, attributes and results, and the lines that
 * it becomes.
 *
 * Each line is executed as a statement of the language as soon as it is made. So its shape and type
 * are those that it has in the language, and what the language refuses is a problem of the node. */
#include "onnx/onnx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PROBLEMS = 200 };

/* ---- problems ---- */

void problem(Import *im, const char *format, ...)
{
    Ngc *ngc = im->ngc;
    va_list args;
    va_start(args, format);
    const char *text = text_vformat(ngc, format, args);
    va_end(args);
    if (im->failed)
        return;
    im->failed = true;
    if (im->problems++ >= MAX_PROBLEMS)
        return;

    const Pb__Node *n = im->at;
    if (!n)
        complain(ngc, "%s: %s", im->path, text);
    else if (n->name && *n->name)
        complain(ngc, "%s: node '%s' (%s): %s", im->path, n->name, n->op, text);
    else
        complain(ngc, "%s: the node of '%s' (%s): %s", im->path, n->n_output ? n->output[0] : "",
                 n->op, text);
}

bool has_word(const char *words, const char *word)
{
    size_t n = 0;
    if (word)
        n = strlen(word);
    if (n == 0 || strchr(word, ' '))
        return false;

    for (const char *at = words; at; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (strncmp(at, word, n) == 0 && (at[n] == ' ' || at[n] == 0))
            return true;
    }
    return false;
}

/* ---- what names mean ---- */

Meaning *meaning_of(Import *im, const char *name)
{
    if (!name)
        return NULL;
    int at = *table_at(im->ngc, &im->names, intern_str(im->ngc, name));
    if (at)
        return &im->meaning[at - 1];
    return NULL;
}

Meaning *meaning_new(Import *im, const char *name)
{
    Ngc *ngc = im->ngc;
    Meaning *m = meaning_of(im, name);
    if (m)
        return m;
    LIST_GROW(ngc, im->meaning, im->meanings, &im->meaning_room);
    m = &im->meaning[im->meanings++];
    *m = (Meaning){0};
    *table_at(ngc, &im->names, intern_str(ngc, name)) = im->meanings;
    return m;
}

bool has_input(const Pb__Node *n, int i)
{
    return i < (int)n->n_input && *n->input[i];
}

bool wants_output(const Pb__Node *n, int i)
{
    return i < (int)n->n_output && *n->output[i];
}

const Meaning *input_of(Import *im, int i)
{
    if (!has_input(im->at, i)) {
        problem(im, "operand %d is missing", i);
        return NULL;
    }
    const Meaning *m = meaning_of(im, im->at->input[i]);
    if (!m)
        problem(im, "'%s' is not defined before it", im->at->input[i]);
    else if (!m->known && !m->operand.line)
        im->failed = true; /* of a node that failed: that was said */
    return m;
}

/* Of an input that need not be there; NULL: it is not, or the file does not define it. */
static const Meaning *meaning_of_input(Import *im, int i)
{
    if (has_input(im->at, i))
        return meaning_of(im, im->at->input[i]);
    return NULL;
}

Known *input_known(Import *im, int i)
{
    const Meaning *m = meaning_of_input(im, i);
    return m ? m->known : NULL;
}

Known *want_known(Import *im, int i, const char *what)
{
    const Meaning *m = input_of(im, i);
    if (!m || im->failed)
        return NULL;
    if (!m->known)
        problem(im,
                "%s, '%s', is not known at compile time; an input of the model can be given: "
                "%s=[...]",
                what, im->at->input[i], im->at->input[i]);
    return m->known;
}

Known *given_known(Import *im, int i, const char *what)
{
    if (has_input(im->at, i))
        return want_known(im, i, what);
    return NULL;
}

int input_element(Import *im, int i)
{
    const Meaning *m = meaning_of_input(im, i);
    return m ? m->element : 0;
}

int uses_of(Import *im, const char *name)
{
    return *table_at(im->ngc, &im->uses, intern_str(im->ngc, name));
}

bool is_shared(const Known *k)
{
    return k->twin || (!k->merged && k->uses > 1);
}

/* ---- numbers as text ---- */

/* 2.0 as 2, 1e-05 as 1e-5. */
static const char *short_number(Import *im, const char *text)
{
    const char *e = strchr(text, 'e');
    int n = (int)strcspn(text, "e");
    if (n > 2 && begins(text + n - 2, ".0"))
        n -= 2;
    if (!e)
        return text_format(im->ngc, "%.*s", n, text);

    /* the exponent, without a plus and without zeros in front */
    const char *sign = text_if(e[1] == '-', "-");
    const char *digits = e + 1;
    if (*digits == '-' || *digits == '+')
        digits++;
    while (*digits == '0' && digits[1])
        digits++;
    return text_format(im->ngc, "%.*se%s%s", n, text, sign, digits);
}

const char *number_text(Import *im, double v)
{
    if (isnan(v))
        return "(inf - inf)";
    if (isinf(v))
        return v < 0 ? "-inf" : "inf";
    return short_number(im, text_number(im->ngc, v, (double)(float)v == v));
}

const char *sizes_text(Import *im, const Size *s, int count)
{
    Text t = {.ngc = im->ngc};
    text_add(&t, "[");
    for (int i = 0; i < count; i++)
        text_add(&t, "%s%s", comma_before(i), size_text(im->g, s[i], ""));
    text_add(&t, "]");
    return t.at;
}

const char *ints_text(Import *im, const int64_t *v, int count)
{
    Text t = {.ngc = im->ngc};
    text_add(&t, "[");
    for (int i = 0; i < count; i++)
        text_add(&t, "%s%lld", comma_before(i), (long long)v[i]);
    text_add(&t, "]");
    return t.at;
}

/* ---- lines ---- */

Line *line_new(Import *im, Binds binds, const char *form, int args, const Operand *arg)
{
    Line *l = arena_alloc(im->ngc, sizeof *l);
    *l = (Line){.form = form, .binds = binds, .args = args, .id = im->lines};
    l->arg = arena_array(im->ngc, args + 1, sizeof *arg);
    for (int i = 0; i < args; i++)
        l->arg[i] = arg[i];
    return l;
}

void line_weight(Import *im, Line *l, Known *value, const int *perm)
{
    Weight *w = arena_array(im->ngc, l->weights + 1, sizeof *w);
    if (l->weights)
        memcpy(w, l->weight, (size_t)l->weights * sizeof *w);
    Weight *new = &w[l->weights++];
    *new = (Weight){.value = value, .perm = perm, .shape = {.rank = value->rank}};
    for (int i = 0; i < value->rank; i++)
        new->shape.dim[i] = value->dim[perm ? perm[i] : i];
    l->weight = w;
}

/* Is it trained? A number that has a name is, if the exporter writes other numbers as nodes. */
bool is_param(const Import *im, const Known *k)
{
    if (!k->name || element_is_int(k->element) || k->element == EL_BOOL)
        return false;
    return k->rank > 0 || (im->named_numbers && weight_label(im->ngc, k));
}

/* The text of a line where each operand is called by its number, as no size of a file is. */
static const char *plain_text(Import *im, const Line *l)
{
    Ngc *ngc = im->ngc;
    static const char *const declares[] = {
        [LINE_DIM] = "dim %s%s",
        [LINE_INPUT] = "input _%d%s",
        [LINE_PARAM] = "param _%d%s",
        [LINE_STATE] = "state _%d%s",
    };
    if (l->kind == LINE_DIM)
        return text_format(ngc, "dim %s%s", l->name, l->form);
    if (declares[l->kind] && l->kind > LINE_LITERAL)
        return text_format(ngc, declares[l->kind], l->id, l->form);

    Text t = {.ngc = ngc};
    text_add(&t, "_%d = ", l->id);
    for (const char *c = l->form; *c; c++) {
        if (*c != '$') {
            text_put(&t, c, 1);
            continue;
        }
        const Operand *o = &l->arg[c[2] - '0'];
        text_add(&t, o->line->parts ? "_%d[%d]" : "_%d", o->line->id, o->part);
        c += 2;
    }
    text_add(&t, "\n");
    return t.at;
}

/* Executes a line. False with the language's message. */
static bool execute(Import *im, Line *l, const char **why)
{
    Ngc *ngc = im->ngc;
    Trial trial;
    const char *text = plain_text(im, l);
    const char *name = text_format(ngc, "_%d", l->id);
    trial_begin(ngc, &trial);

    const Value *v = NULL;
    int file = source_add(ngc, "a line", text, strlen(text), false);
    if (file >= 0) {
        parse(ngc, file);
        if (ngc->errors == trial.errors)
            v = lower_more(im->lower, file, intern_str(ngc, name));
    }
    int count = l->parts ? l->parts : 1;
    l->node = arena_array(ngc, count, sizeof *l->node);
    if (v && l->parts && (v->kind != V_LIST || v->count != l->parts))
        v = NULL;
    for (int i = 0; v && v->kind != V_ERROR && i < count; i++)
        l->node[i] = want_node(im->lower, l->parts ? v->item[i] : v, "a value");

    bool good = trial_end(ngc, &trial) && (l->kind == LINE_DIM || l->node[count - 1]);
    *why =
        trial.first ? trial.first->text : text_format(ngc, "the line '%s' is not possible", text);
    return good;
}

Operand emit_line(Import *im, Line *l)
{
    const Operand none = {0};
    const char *why;
    for (int i = 0; i < l->args; i++)
        if (!l->arg[i].line)
            im->failed = true;
    if (im->failed)
        return none;

    l->id = im->lines;
    LIST_GROW(im->ngc, im->line, im->lines, &im->line_room);
    im->line[im->lines++] = l;
    if (execute(im, l, &why))
        return (Operand){l, 0};
    problem(im, "%s", why);
    return none;
}

static Operand emit_list(Import *im, Binds binds, const char *form, int args, va_list list)
{
    Operand arg[10];
    for (int i = 0; i < args; i++)
        arg[i] = va_arg(list, Operand);
    return emit_line(im, line_new(im, binds, form, args, arg));
}

Operand emit(Import *im, Binds binds, const char *form, int args, ...)
{
    va_list list;
    va_start(list, args);
    Operand y = emit_list(im, binds, form, args, list);
    va_end(list);
    return y;
}

/* ---- operands ---- */

Operand literal(Import *im, double v)
{
    Line *l = line_new(im, v < 0 ? BIND_NEG : BIND_ATOM, number_text(im, v), 0, NULL);
    l->kind = LINE_LITERAL;
    return emit_line(im, l);
}

static void list_text(Import *im, Text *t, const Known *k, int axis, int64_t *at)
{
    Graph *g = im->g;
    double v;
    if (axis == k->rank) {
        int64_t i = (*at)++;
        if (k->size || element_is_int(k->element))
            text_add(t, "%s", size_text(g, known_size(g, k, i), ""));
        else if (known_number(g, k, i, &v))
            text_add(t, "%s", number_text(im, v));
        return;
    }
    text_add(t, "[");
    for (int64_t i = 0; i < k->dim[axis]; i++) {
        if (i)
            text_add(t, ", ");
        list_text(im, t, k, axis + 1, at);
    }
    text_add(t, "]");
}

/* A param or state with the elements of k. */
Operand declare(Import *im, Known *k, const char *label)
{
    Size dim[MAX_RANK];
    for (int i = 0; i < k->rank; i++)
        dim[i] = k->dim[i];
    bool whole = element_is_int(k->element);
    const char *shape = "";
    if (k->rank)
        shape = sizes_text(im, dim, k->rank);
    if (k->rank == 0 && !k->name)
        shape = "[]";
    Line *l = line_new(im, BIND_ATOM, text_format(im->ngc, "%s%s", shape, text_if(whole, ": int")),
                       0, NULL);
    bool param = is_param(im, k);
    l->kind = param ? LINE_PARAM : LINE_STATE;
    if (label)
        l->label = label;
    else
        l->label = weight_label(im->ngc, k);
    line_weight(im, l, k, NULL);
    l->weight->state = !param;
    return emit_line(im, l);
}

/* The declared weight that others are once more. */
static Operand *twin_operand(Import *im, Known *k)
{
    Meaning *m = meaning_of(im, k->name);
    if (!m->operand.line)
        m->operand = declare(im, k, NULL);
    return &m->operand;
}

bool is_triangle(Import *im, const Known *k, double *lower, double *upper)
{
    Graph *g = im->g;
    if (k->rank < 2)
        return false;
    int row = k->rank - 2;
    int column = k->rank - 1;
    if (k->dim[row] != k->dim[column] || k->dim[row] < 2)
        return false;
    known_number(g, k, 0, lower);
    known_number(g, k, 1, upper);

    int64_t at[MAX_RANK] = {0};
    for (int64_t i = 0; i < k->count; i++) {
        double v;
        double wanted = *lower;
        if (at[column] > at[row])
            wanted = *upper;
        if (!known_number(g, k, i, &v) || v != wanted)
            return false;
        index_next(k->rank, k->dim, at);
    }
    return true;
}

/* A large constant that the language has a function for: one number, or a causal mask. */
static const char *regular_form(Import *im, const Known *k)
{
    Ngc *ngc = im->ngc;
    double v, upper;
    Size dim[MAX_RANK];
    for (int i = 0; i < k->rank; i++)
        dim[i] = k->dim[i];
    const char *shape = sizes_text(im, dim, k->rank);
    if (known_even(im->g, k, &v))
        return text_format(ngc, "full(%s, %s)", shape, number_text(im, v));
    if (!is_triangle(im, k, &v, &upper))
        return NULL;
    if (v == 1 && upper == 0)
        return text_format(ngc, "tril(ones(%s))", shape);
    if (v == 0)
        return text_format(ngc, "triu(full(%s, %s), 1)", shape, number_text(im, upper));
    return NULL;
}

Operand operand_of_known(Import *im, Known *k)
{
    const int64_t most = k->called ? 8 : 24; /* elements of a list that is written out */
    int64_t at = 0;
    if (k->count == 0) {
        problem(im, "a tensor without elements");
        return (Operand){0};
    }
    bool param = is_param(im, k);
    if (!param && k->count > most && k->rank > 0) {
        const char *form = regular_form(im, k);
        if (form)
            return emit(im, BIND_ATOM, form, 0);
    }
    if (k->twin) {
        Operand o = *twin_operand(im, k->twin);
        if (k->turned && o.line)
            return emit(im, BIND_ATOM, "$60'", 1, o);
        return o;
    }
    if (!k->size && (param || k->count > most)) {
        Operand o;
        if (k->line)
            o = (Operand){k->line, 0};
        else
            o = declare(im, k, NULL);
        if (k->name && !k->merged) /* it may have other names, by an Identity */
            k->line = o.line;
        return o;
    }

    Text t = {.ngc = im->ngc};
    list_text(im, &t, k, 0, &at);
    Binds binds = BIND_ATOM;
    if (k->rank == 0 && k->size && strpbrk(t.at, "+-*"))
        binds = BIND_SUM;
    else if (k->rank == 0 && *t.at == '-')
        binds = BIND_NEG;
    Line *l = line_new(im, binds, t.at, 0, NULL);
    l->kind = LINE_LITERAL;
    return emit_line(im, l);
}

Operand operand(Import *im, int i)
{
    const Meaning *m = input_of(im, i);
    if (!m || im->failed)
        return (Operand){0};
    if (m->operand.line)
        return m->operand;
    Operand o = operand_of_known(im, m->known);
    if (!m->known->merged) /* otherwise each use is a weight of its own */
        meaning_of(im, im->at->input[i])->operand = o;
    return o;
}

Node *operand_node(Operand o)
{
    return o.line->node[o.part];
}

bool input_shape(Import *im, int i, Shape *s)
{
    const Meaning *m = input_of(im, i);
    if (!m || im->failed)
        return false;
    if (m->operand.line) {
        *s = operand_node(m->operand)->shape;
        return true;
    }
    s->rank = m->known->rank;
    for (int k = 0; k < s->rank; k++)
        s->dim[k] = m->known->dim[k];
    return true;
}

int input_rank(Import *im, int i)
{
    Shape s;
    return input_shape(im, i, &s) ? s.rank : -1;
}

/* ---- results ---- */

bool gives_truth(const char *name)
{
    return has_word("Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor Not IsNaN IsInf",
                    name);
}

void result(Import *im, int i, Operand o)
{
    if (!wants_output(im->at, i))
        return;
    Meaning *m = meaning_new(im, im->at->output[i]);
    *m = (Meaning){.operand = o};
    if (o.line && o.line->kind != LINE_DIM)
        m->element = operand_node(o)->type == T_INT ? EL_INT64 : EL_FLOAT;
}

Operand emit_of(Import *im, Operand x, Binds binds, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    const char *form = text_vformat(im->ngc, format, list);
    va_end(list);
    return emit(im, binds, form, 1, x);
}

Operand permuted(Import *im, Operand x, const int64_t *perm, int rank)
{
    return emit_of(im, x, BIND_ATOM, "permute($00, %s)", ints_text(im, perm, rank));
}

Operand last_axis_to(Import *im, Operand x, int64_t axis, int rank)
{
    int64_t perm[MAX_RANK];
    int last = rank - 1;
    if (axis == last)
        return x;

    for (int i = 0, from = 0; i < rank; i++)
        perm[i] = i == axis ? last : from++;
    return permuted(im, x, perm, rank);
}

void result_emit(Import *im, Binds binds, const char *form, int args, ...)
{
    if (im->failed)
        return;
    va_list list;
    va_start(list, args);
    result(im, 0, emit_list(im, binds, form, args, list));
    va_end(list);
}

void result_known(Import *im, int i, Known *k)
{
    if (wants_output(im->at, i))
        *meaning_new(im, im->at->output[i]) = (Meaning){.known = k, .element = k->element};
}

/* ---- attributes ---- */

const Pb__Attribute *attribute(const Import *im, const char *name)
{
    for (size_t i = 0; i < im->at->n_attribute; i++) {
        const Pb__Attribute *a = im->at->attribute[i];
        if (a->name && same_text(a->name, name))
            return a;
    }
    return NULL;
}

int64_t attribute_int(const Import *im, const char *name, int64_t otherwise)
{
    const Pb__Attribute *a = attribute(im, name);
    return a && a->has_i ? a->i : otherwise;
}

double attribute_float(const Import *im, const char *name, double otherwise)
{
    const Pb__Attribute *a = attribute(im, name);
    double v = 0;
    if (!a || !a->has_f)
        return otherwise;
    /* the number that was meant: 1e-5 and not 9.99999974737875e-06 */
    if (isfinite(a->f))
        v = strtod(text_number(im->ngc, a->f, true), NULL);
    return isfinite(a->f) ? v : a->f;
}

const char *attribute_text(const Import *im, const char *name, const char *otherwise)
{
    const Pb__Attribute *a = attribute(im, name);
    if (!a || !a->has_s)
        return otherwise;
    return text_format(im->ngc, "%.*s", (int)min_int64(a->s.len, 1000),
                       a->s.data ? (const char *)a->s.data : "");
}

int attribute_ints(Import *im, const char *name, int64_t *out, int room)
{
    const Pb__Attribute *a = attribute(im, name);
    if (!a)
        return -1;
    /* it is not as if it were not there: its default is another result */
    if (a->n_ints > (size_t)room) {
        problem(im, "attribute '%s': %zu numbers, more than the %d that can be", name, a->n_ints,
                room);
        return -1;
    }
    for (size_t i = 0; i < a->n_ints; i++)
        out[i] = a->ints[i];
    return (int)a->n_ints;
}

int64_t axis_of(Import *im, int64_t axis, int rank)
{
    if (axis < -rank || axis >= rank) {
        problem(im, "axis %lld of %d", (long long)axis, rank);
        return -1;
    }
    if (axis < 0)
        return axis + rank;
    return axis;
}

int64_t axis_attribute(Import *im, int64_t otherwise, int rank)
{
    if (im->failed)
        return -1;
    return axis_of(im, attribute_int(im, "axis", otherwise), rank);
}

int axes_of(Import *im, const char *name, int input, int64_t *out, int rank)
{
    int count;
    if (input >= 0 && has_input(im->at, input)) {
        const Known *k = want_known(im, input, "the list of axes");
        if (k && k->count > MAX_RANK)
            problem(im, "%lld axes of %d", (long long)k->count, rank);
        if (!k || im->failed)
            return -2;
        count = (int)k->count;
        for (int i = 0; i < count; i++)
            if (!known_whole(im->g, k, i, &out[i]))
                out[i] = INT32_MAX;
    } else {
        count = attribute_ints(im, name, out, MAX_RANK);
        if (count < 0)
            return -1;
    }
    unsigned set = 0;
    for (int i = 0; i < count; i++) {
        out[i] = axis_of(im, out[i], rank);
        if (out[i] < 0)
            return -2;
        if (set >> out[i] & 1) {
            problem(im, "axis %lld is given twice", (long long)out[i]);
            return -2;
        }
        set |= 1u << out[i];
    }
    return count;
}
