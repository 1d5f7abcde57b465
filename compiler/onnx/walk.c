/* walk.c - the walk over the nodes of a graph: what each name of the file means, and the lines
 * that nodes become.
 *
 * Each line is executed as a statement of the language as soon as it is made. So its shape and type
 * are those that it has in the language, and what the language refuses is a problem of the node. */
#include "onnx/onnx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PROBLEMS = 200, BOUND = 64 };

/* ---- problems ---- */

void problem(Import *im, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = text_vformat(im->ngc, format, args);
    va_end(args);
    if (im->failed)
        return;
    im->failed = true;
    if (im->problems++ >= MAX_PROBLEMS)
        return;

    const Pb__Node *n = im->at;
    if (!n)
        complain(im->ngc, "%s: %s", im->path, text);
    else if (n->name && *n->name)
        complain(im->ngc, "%s: node '%s' (%s): %s", im->path, n->name, n->op, text);
    else
        complain(im->ngc, "%s: the node of '%s' (%s): %s", im->path,
                 n->n_output ? n->output[0] : "", n->op, text);
}

/* ---- what names mean ---- */

Meaning *meaning_of(Import *im, const char *name)
{
    int at = *table_at(im->ngc, &im->names, intern_str(im->ngc, name));
    return at ? &im->meaning[at - 1] : NULL;
}

static Meaning *meaning_new(Import *im, const char *name)
{
    Meaning *m = meaning_of(im, name);
    if (m)
        return m;
    im->meaning = arena_grow(im->ngc, im->meaning, im->meanings, &im->meaning_room, sizeof *m);
    m = &im->meaning[im->meanings++];
    *m = (Meaning){0};
    *table_at(im->ngc, &im->names, intern_str(im->ngc, name)) = im->meanings;
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

Known *input_known(Import *im, int i)
{
    const Meaning *m = has_input(im->at, i) ? meaning_of(im, im->at->input[i]) : NULL;
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

int input_element(Import *im, int i)
{
    const Meaning *m = has_input(im->at, i) ? meaning_of(im, im->at->input[i]) : NULL;
    return m ? m->element : 0;
}

/* ---- numbers as text ---- */

/* 2.0 as 2, 1e-05 as 1e-5. */
static const char *short_number(Import *im, const char *text)
{
    const char *e = strchr(text, 'e');
    int n = (int)(e ? e - text : (int)strlen(text));
    if (n > 2 && strncmp(text + n - 2, ".0", 2) == 0)
        n -= 2;
    if (!e)
        return text_format(im->ngc, "%.*s", n, text);
    const char *sign = e[1] == '-' ? "-" : "", *digits = e + 1 + (e[1] == '-' || e[1] == '+');
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
        text_add(&t, "%s%s", i ? ", " : "", size_text(im->g, s[i], ""));
    text_add(&t, "]");
    return t.at;
}

const char *ints_text(Import *im, const int64_t *v, int count)
{
    Text t = {.ngc = im->ngc};
    text_add(&t, "[");
    for (int i = 0; i < count; i++)
        text_add(&t, "%s%lld", i ? ", " : "", (long long)v[i]);
    text_add(&t, "]");
    return t.at;
}

/* ---- lines ---- */

Line *line_new(Import *im, Binds binds, const char *form, int args, const Operand *arg)
{
    Line *l = arena_alloc(im->ngc, sizeof *l);
    *l = (Line){.form = form, .binds = binds, .args = args, .id = im->lines};
    l->arg = arena_alloc(im->ngc, (size_t)(args + 1) * sizeof *arg);
    for (int i = 0; i < args; i++)
        l->arg[i] = arg[i];
    return l;
}

void line_weight(Import *im, Line *l, Known *value, const int *perm)
{
    Weight *w = arena_alloc(im->ngc, (size_t)(l->weights + 1) * sizeof *w);
    if (l->weights)
        memcpy(w, l->weight, (size_t)l->weights * sizeof *w);
    Weight *new = &w[l->weights++];
    *new = (Weight){.value = value, .perm = perm, .shape = {.rank = value->rank}};
    for (int i = 0; i < value->rank; i++)
        new->shape.dim[i] = value->dim[perm ? perm[i] : i];
    l->weight = w;
}

/* The text of a line where each operand is called by its number. */
static const char *plain_text(Import *im, const Line *l)
{
    static const char *const declares[] = {
        [LINE_DIM] = "dim %s%s",
        [LINE_INPUT] = "input v%d%s",
        [LINE_PARAM] = "param v%d%s",
        [LINE_STATE] = "state v%d%s",
    };
    if (l->kind == LINE_DIM)
        return text_format(im->ngc, "dim %s%s", l->name, l->form);
    if (declares[l->kind] && l->kind > LINE_LITERAL)
        return text_format(im->ngc, declares[l->kind], l->id, l->form);

    Text t = {.ngc = im->ngc};
    text_add(&t, "v%d = ", l->id);
    for (const char *c = l->form; *c; c++) {
        if (*c != '$') {
            text_put(&t, c, 1);
            continue;
        }
        const Operand *o = &l->arg[c[2] - '0'];
        text_add(&t, o->line->parts ? "v%d[%d]" : "v%d", o->line->id, o->part);
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
    const char *text = plain_text(im, l), *name = text_format(ngc, "v%d", l->id);
    trial_begin(ngc, &trial);

    const Value *v = NULL;
    int file = source_add(ngc, "a line", text, strlen(text), false);
    if (file >= 0) {
        parse(ngc, file);
        if (ngc->errors == trial.errors)
            v = lower_more(im->lower, file, intern_str(ngc, name));
    }
    int count = l->parts ? l->parts : 1;
    l->node = arena_alloc(ngc, (size_t)count * sizeof *l->node);
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
    im->line = arena_grow(im->ngc, im->line, im->lines, &im->line_room, sizeof *im->line);
    im->line[im->lines++] = l;
    if (execute(im, l, &why))
        return (Operand){l, 0};
    problem(im, "%s", why);
    return none;
}

Operand emit(Import *im, Binds binds, const char *form, int args, ...)
{
    Operand arg[10];
    va_list list;
    va_start(list, args);
    for (int i = 0; i < args; i++)
        arg[i] = va_arg(list, Operand);
    va_end(list);
    return emit_line(im, line_new(im, binds, form, args, arg));
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
    double v;
    if (axis == k->rank) {
        int64_t i = (*at)++;
        if (k->size || element_is_int(k->element))
            text_add(t, "%s", size_text(im->g, known_size(im->g, k, i), ""));
        else if (known_number(im->g, k, i, &v))
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
static Operand declare(Import *im, Known *k)
{
    Size dim[MAX_RANK];
    for (int i = 0; i < k->rank; i++)
        dim[i] = k->dim[i];
    bool whole = element_is_int(k->element);
    const char *shape = k->rank ? sizes_text(im, dim, k->rank) : "";
    if (k->rank == 0 && !k->name)
        shape = "[]";
    Line *l =
        line_new(im, BIND_ATOM, text_format(im->ngc, "%s%s", shape, whole ? ": int" : ""), 0, NULL);
    bool param = k->name && !whole && k->element != EL_BOOL;
    l->kind = param ? LINE_PARAM : LINE_STATE;
    l->label = weight_label(im, k);
    line_weight(im, l, k, NULL);
    l->weight->state = !param;
    return emit_line(im, l);
}

/* The declared weight that others are once more. */
static Operand *twin_operand(Import *im, Known *k)
{
    Meaning *m = meaning_of(im, k->name);
    if (!m->operand.line)
        m->operand = declare(im, k);
    return &m->operand;
}

/* A large constant that the language has a function for: one number, or a causal mask. */
static const char *regular_form(Import *im, const Known *k)
{
    double v;
    Size dim[MAX_RANK];
    int64_t at[MAX_RANK] = {0};
    bool lower = k->rank >= 2 && k->dim[k->rank - 1] == k->dim[k->rank - 2];
    for (int i = 0; i < k->rank; i++)
        dim[i] = k->dim[i];
    const char *shape = sizes_text(im, dim, k->rank);
    if (known_even(im->g, k, &v))
        return text_format(im->ngc, "full(%s, %s)", shape, number_text(im, v));
    for (int64_t i = 0; i < k->count && lower; i++, index_next(k->rank, k->dim, at))
        lower = known_number(im->g, k, i, &v) && v == (at[k->rank - 1] <= at[k->rank - 2]);
    return lower ? text_format(im->ngc, "tril(ones(%s))", shape) : NULL;
}

Operand operand_of_known(Import *im, Known *k)
{
    enum { MOST = 24 }; /* elements of a list that is written out */
    int64_t at = 0;
    if (k->count == 0) {
        problem(im, "a tensor without elements");
        return (Operand){0};
    }
    bool param = k->name && !element_is_int(k->element) && k->element != EL_BOOL && k->rank > 0;
    if (!param && k->count > MOST && k->rank > 0) {
        const char *form = regular_form(im, k);
        if (form)
            return emit(im, BIND_ATOM, form, 0);
    }
    if (k->twin) {
        Operand o = *twin_operand(im, k->twin);
        return k->turned && o.line ? emit(im, BIND_ATOM, "$60'", 1, o) : o;
    }
    if (!k->size && (param || k->count > MOST))
        return declare(im, k);

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

void result(Import *im, int i, Operand o)
{
    if (!wants_output(im->at, i))
        return;
    Meaning *m = meaning_new(im, im->at->output[i]);
    *m = (Meaning){.operand = o};
    if (o.line && o.line->kind != LINE_DIM)
        m->element = operand_node(o)->type == T_INT ? EL_INT64 : EL_FLOAT;
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
        if (a->name && strcmp(a->name, name) == 0)
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
    return text_format(im->ngc, "%.*s", (int)(a->s.len < 1000 ? a->s.len : 1000),
                       a->s.data ? (const char *)a->s.data : "");
}

int attribute_ints(const Import *im, const char *name, int64_t *out, int room)
{
    const Pb__Attribute *a = attribute(im, name);
    if (!a || (int64_t)a->n_ints > room)
        return -1;
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
    return axis < 0 ? axis + rank : axis;
}

int axes_of(Import *im, const char *name, int input, int64_t *out, int rank)
{
    int count;
    if (input >= 0 && has_input(im->at, input)) {
        const Known *k = want_known(im, input, "the list of axes");
        if (!k)
            return -2;
        count = k->count > MAX_RANK ? MAX_RANK : (int)k->count;
        for (int i = 0; i < count; i++)
            if (!known_whole(im->g, k, i, &out[i]))
                out[i] = INT32_MAX;
    } else {
        count = attribute_ints(im, name, out, MAX_RANK);
        if (count < 0)
            return -1;
    }
    for (int i = 0; i < count; i++) {
        out[i] = axis_of(im, out[i], rank);
        if (out[i] < 0)
            return -2;
    }
    return count;
}

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
    return im->problems == 0;
}

/* The run-time dim of this name, made when it is first asked for. */
static Size dim_named(Import *im, const char *wanted)
{
    const char *name = name_fresh(im, wanted, true);
    for (int i = 0; i < im->g->dims; i++)
        if (strcmp(im->g->dim[i].name, name) == 0)
            return size_dim(im->g, i);

    int64_t bound = BOUND;
    for (int i = 0; i < im->ngc->opt.defines; i++)
        if (strcmp(im->ngc->opt.define[i].name, name) == 0) {
            bound = (int64_t)im->ngc->opt.define[i].value;
            im->ngc->opt.define[i].used = true;
        }
    Line *l = line_new(im, BIND_ANY, text_format(im->ngc, " <= %lld", (long long)bound), 0, NULL);
    l->kind = LINE_DIM;
    l->name = intern_str(im->ngc, name);
    int dims = im->g->dims;
    emit_line(im, l);
    return im->g->dims > dims ? size_dim(im->g, dims) : 1;
}

/* The size of an axis of an input. */
static Size axis_size(Import *im, const Pb__Axis *a, int input, int axis)
{
    if (a->has_size && a->size > 0)
        return a->size;
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

    int64_t count = 0, room = (int64_t)strlen(text);
    double *number = arena_alloc(im->ngc, (size_t)(room + 1) * sizeof *number);
    for (const char *c = text; *c;) {
        char *end;
        double x = strtod(c, &end);
        if (end != c)
            number[count++] = x;
        c = end != c ? end : c + 1;
    }

    int64_t dim[MAX_RANK] = {count}, all = 1;
    int rank = 1;
    if (type->shape && type->shape->n_axis <= MAX_RANK) {
        rank = (int)type->shape->n_axis;
        for (int i = 0; i < rank; i++) {
            const Pb__Axis *a = type->shape->axis[i];
            dim[i] = a->has_size && a->size > 0 ? a->size : count;
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
    if (!type->shape || type->shape->n_axis > MAX_RANK) {
        problem(im, "the number of axes of the input '%s' is not known, or larger than %d", v->name,
                MAX_RANK);
        return;
    }

    Size size[MAX_RANK];
    int rank = (int)type->shape->n_axis;
    for (int i = 0; i < rank; i++) {
        const Pb__Axis *a = type->shape->axis[i];
        if (a->has_size && a->size == 0) {
            problem(im, "the input '%s' has no elements", v->name);
            return;
        }
        size[i] = axis_size(im, a, number, i);
    }
    const char *form = text_format(im->ngc, "%s%s", rank ? sizes_text(im, size, rank) : "",
                                   element_is_int(type->element) ? ": int" : "");
    Line *l = line_new(im, BIND_ATOM, form, 0, NULL);
    l->kind = LINE_INPUT;
    l->label = v->name;
    Operand o = emit_line(im, l);
    *meaning_new(im, v->name) = (Meaning){.operand = o, .element = type->element};
}

/* ---- nodes ---- */

static bool has_word(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = words; (at = strstr(at, word)); at += n)
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == 0))
            return true;
    return false;
}

static bool own_domain(const Pb__Node *n)
{
    return !n->domain || !*n->domain || strcmp(n->domain, "ai.onnx") == 0;
}

/* Operators and attributes that are not supported: all of them are listed. */
static void check_nodes(Import *im)
{
    for (int i = 0; i < im->nodes; i++) {
        const Pb__Node *n = im->at = im->node[i];
        const OnnxOp *op = n->op && own_domain(n) ? onnx_find(n->op) : NULL;
        im->failed = false;
        if (!op) {
            problem(im,
                    own_domain(n) ? "the operator is not supported"
                                  : "operators of the domain '%s' are not supported",
                    n->domain);
            continue;
        }
        for (size_t k = 0; k < n->n_attribute; k++) {
            const char *name = n->attribute[k]->name;
            im->failed = false;
            if (name && !has_word(op->attributes ? op->attributes : "", name))
                problem(im, "the attribute '%s' is not supported", name);
        }
    }
    im->at = NULL;
}

static void take_node(Import *im, const Pb__Node *n)
{
    const OnnxOp *op = onnx_find(n->op);
    im->at = n;
    im->failed = false;
    im->opset = n->domain && strcmp(n->domain, joined_domain) == 0 ? JOINED_OPSET : im->own_opset;
    for (size_t i = 0; i < n->n_output; i++)
        if (*n->output[i])
            *meaning_new(im, n->output[i]) = (Meaning){0};

    if (fold(im, n))
        return;
    if (op->take) {
        op->take(im, n);
        return;
    }
    Operand arg[4];
    int args = 0;
    for (; args < 4 && has_input(n, args); args++)
        arg[args] = operand(im, args);
    for (const char *c = op->form; *c; c++)
        if (*c == '$' && c[2] - '0' >= args)
            input_of(im, c[2] - '0'); /* says that it is missing */
    if (!im->failed)
        result(im, 0, emit_line(im, line_new(im, op->binds, op->form, args, arg)));
}

static void take_outputs(Import *im)
{
    im->at = NULL;
    im->output = arena_alloc(im->ngc, (im->graph->n_output + 1) * sizeof *im->output);
    for (size_t i = 0; i < im->graph->n_output; i++) {
        const char *name = im->graph->output[i]->name;
        Meaning *m = name ? meaning_of(im, name) : NULL;
        im->failed = false;
        if (!m) {
            problem(im, "no node computes the output '%s'", name ? name : "");
            continue;
        }
        if (m->known)
            m->operand = operand_of_known(im, m->known);
        im->output[im->outputs++] = m->operand;
    }
}

static int64_t opset_of(const Pb__Model *m)
{
    int64_t version = 1;
    for (size_t i = 0; i < m->n_opset; i++) {
        const char *domain = m->opset[i]->domain;
        if (!domain || !*domain || strcmp(domain, "ai.onnx") == 0)
            version = m->opset[i]->version;
    }
    return version;
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
            size_t n = name ? strlen(name) : 0;
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
    im->opset = im->own_opset = opset_of(im->model);
    im->lower = lower_begin(im->ngc);
    im->g = im->lower->g;
    im->nodes = (int)im->graph->n_node;
    im->node = arena_alloc(im->ngc, (size_t)(im->nodes + 1) * sizeof *im->node);
    for (int i = 0; i < im->nodes; i++)
        im->node[i] = im->graph->node[i];

    read_initializers(im);
    for (size_t i = 0; i < im->graph->n_input; i++)
        read_input(im, im->graph->input[i], (int)i);
    check_given(im);
    check_nodes(im);
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
    im->folder = slash ? text_format(ngc, "%.*s", (int)(slash + 1 - path), path) : "";
    im->model = onnx_read(ngc, path);
    if (!im->model || !import_graph(im))
        return NULL;
    import_print(im, options, made);
    return im->problems ? NULL : im;
}
