/* emit_val.c - elements and expressions as C text: numbers, sizes, where a stored value is, what a
 * loop computes. */
#include "emit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers, sizes ---- */

/* The shortest text that is read back as the same number. */
const char *print_shortest(Ngc *ngc, double v, bool single)
{
    char text[40];
    if (isnan(v))
        return "NAN";
    if (isinf(v) || (single && isinf((float)v)))
        return v < 0 ? "-INFINITY" : "INFINITY";
    bool whole = v == floor(v) && fabs(v) < 1e7; /* 160, not 1.6e+02 */
    for (int digits = whole ? 0 : 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, whole ? "%.*f" : "%.*g", digits, single ? (double)(float)v : v);
        double back = strtod(text, NULL);
        if (single ? (float)back == (float)v : back == v)
            break;
    }
    return text_format(ngc, "%s%s%s", text, strpbrk(text, ".e") ? "" : ".0", single ? "f" : "");
}

const char *emit_number(Emit *e, double v, Type type)
{
    if (type == T_INT)
        return text_format(e->ngc, "%lld", (long long)v);
    return print_shortest(e->ngc, v, !e->ngc->opt.real_double);
}

const char *emit_size(Emit *e, Size s, unsigned *dims)
{
    for (int i = 0; i < e->graph->dims && s < 0; i++)
        if (size_uses_dim(e->graph, s, i))
            *dims |= 1u << i;
    return size_text(e->graph, s, e->dim_prefix);
}

/* As a factor. */
const char *print_factor(Printer *pr, Size s)
{
    const char *text = emit_size(pr->e, s, &pr->dims);
    return strchr(text, ' ') ? text_format(pr->e->ngc, "(%s)", text) : text;
}

const char *print_type(const Emit *e, Type type)
{
    return type == T_INT ? "int32_t" : e->real;
}

const char *print_format(Printer *pr, const char *f, ...)
{
    va_list args;
    va_start(args, f);
    const char *text = text_vformat(pr->e->ngc, f, args);
    va_end(args);
    return text;
}

/* One line of code. */
void print_line(Printer *pr, const char *f, ...)
{
    va_list args;
    va_start(args, f);
    text_add(pr->out, "%*s%s\n", 4 * pr->indent, "", text_vformat(pr->e->ngc, f, args));
    va_end(args);
}

/* ---- where a stored value is, as text ---- */

static const char *member_text(Body *b, const Place *place)
{
    switch (place->kind) {
    case P_VAR:
        b->blocks |= place->var->kind == VAR_INPUT   ? USES_INPUTS
                     : place->var->kind == VAR_PARAM ? USES_PARAMS
                                                     : USES_STATE;
        return text_format(b->e->ngc, "%s->%s",
                           place->var->kind == VAR_INPUT   ? "in"
                           : place->var->kind == VAR_PARAM ? "params"
                                                           : "state",
                           place->var->cname);
    case P_GRAD: b->blocks |= USES_GRADS; return text_format(b->e->ngc, "grads->%s", place->name);
    case P_MEMBER:
        b->blocks |= USES_WORK;
        return text_format(b->e->ngc, "%s->%s", b->p->block, place->name);
    default: ngc_bug("a value of %s has no member", b->p->name);
    }
}

static bool is_input(const Place *place)
{
    return place->kind == P_VAR && place->var->kind == VAR_INPUT;
}

/* A number with a name: no pointer. */
bool place_is_number(const Place *place, const Node *n)
{
    if (place->kind == P_LOCAL)
        return true;
    if (place->kind == P_VAR || place->kind == P_MEMBER || place->kind == P_GRAD)
        return place->shape->rank == 0;
    return place->kind == P_SPACE && n->shape.rank == 0;
}

/* The array of planned values: work's, or init's own. */
static const char *space_text(Body *b, Type type)
{
    bool init = b->p->init;
    b->blocks |= init ? 0 : USES_WORK;
    if (type == T_INT)
        return init ? "ispace" : text_format(b->e->ngc, "%s->ispace", b->p->block);
    b->space |= b->e->spare && !init;
    return init || b->e->spare ? "space" : text_format(b->e->ngc, "%s->space", b->p->block);
}

/* A pointer to the first element. */
const char *print_pointer(Body *b, const Place *place, const Node *n)
{
    bool flat;
    Emit *e = b->e;
    if (place->kind == P_DATA)
        return text_format(e->ngc, "data_%d",
                           emit_data(e, n->attr.data, n->type, shape_count(e->graph, n->shape)));
    if (place->kind == P_SPACE && place->offset == 0)
        return space_text(b, n->type);
    if (place->kind == P_SPACE)
        return text_format(e->ngc, "%s + %lld", space_text(b, n->type), (long long)place->offset);
    const char *member = member_text(b, place);
    if (place->shape->rank == 0)
        return text_format(e->ngc, "&%s", member);
    emit_dims(e, *place->shape, &flat);
    Text t = {.ngc = e->ngc};
    text_add(&t, "%s", member);
    for (int i = 1; i < place->shape->rank && !flat && !is_input(place); i++)
        text_add(&t, "[0]");
    return t.at;
}

/* A number's own text. */
const char *print_number(Body *b, const Place *place, const Node *n)
{
    if (place->kind == P_LOCAL)
        return place->name;
    if (place->kind == P_SPACE)
        return text_format(b->e->ngc, "%s[%lld]", space_text(b, n->type), (long long)place->offset);
    return member_text(b, place);
}

/* ---- indices ---- */

/* One term of a sum. */
static void add_term(Printer *pr, Text *t, bool minus, const char *what, Size by)
{
    const char *times = by == 1 && what ? NULL : print_factor(pr, by);
    text_add(t, "%s", t->size ? minus ? " - " : " + " : minus ? "0 - " : "");
    if (what == NULL)
        text_add(t, "%s", times);
    else
        text_add(t, times ? "%s*%s" : "%s", what, times);
}

/* An int value as an index. */
static const char *index_part(Printer *pr, const Val *v)
{
    Part p = print_val(pr, v);
    if (v->kind == V_QUOTIENT)
        return p.text;
    return print_format(pr, p.prec >= 14 ? "(size_t)%s" : "(size_t)(%s)", p.text);
}

/* What is added first, so that a difference of sizes never passes below 0 on its way. */
static const char *index_text(Printer *pr, const Index *x)
{
    Text t = {.ngc = pr->e->ngc};
    if (x == NULL)
        return "0";
    for (int minus = 0; minus < 2; minus++) {
        for (int i = 0; i < MAX_AXES; i++) {
            Size by = minus ? x->axis[i].minus : x->axis[i].plus;
            if (by != 0)
                add_term(pr, &t, minus, pr->loop[i], by);
        }
        for (int i = 0; i < x->parts; i++) {
            Size by = minus ? x->part[i].by.minus : x->part[i].by.plus;
            if (by != 0)
                add_term(pr, &t, minus, index_part(pr, x->part[i].val), by);
        }
        if ((minus ? x->base.minus : x->base.plus) != 0)
            add_term(pr, &t, minus, NULL, minus ? x->base.minus : x->base.plus);
    }
    return t.at ? t.at : "0";
}

/* Splits a linear index into one for each axis of a declared array; false where some subscript
 * might pass its bound. */
static bool split_index(Printer *pr, const Index *x, Shape shape, Index *sub)
{
    Graph *g = pr->e->graph;
    Index zero = index_zero();
    x = x ? x : &zero;
    Size stride = 1, strides[MAX_RANK];
    if (x->parts > 0 || x->base.minus != 0 || x->base.plus < 0)
        return false;
    for (int i = shape.rank - 1; i >= 0; i--) {
        strides[i] = stride;
        if (i > 0 && shape.dim[i] < 0)
            return false;
        stride = size_mul(g, stride, shape.dim[i]);
    }
    Size base = x->base.plus;
    int64_t top[MAX_RANK];
    for (int i = 0; i < shape.rank; i++) {
        sub[i] = zero;
        sub[i].base.plus = base / strides[i];
        base %= strides[i];
        top[i] = sub[i].base.plus;
    }
    for (int a = 0; a < pr->k->axes; a++) {
        Size by = x->axis[a].plus;
        if (x->axis[a].minus != 0 || by < 0)
            return false;
        for (int i = 0; i < shape.rank; i++) {
            sub[i].axis[a].plus = by / strides[i];
            top[i] += by / strides[i] * (size_max(g, pr->k->extent[a]) - 1);
            by %= strides[i];
        }
    }
    for (int i = 0; i < shape.rank; i++)
        if (top[i] >= size_max(g, shape.dim[i]))
            return false;
    return true;
}

/* ---- elements ---- */

/* The parameter for a base; made when it is first met. */
Param *print_param(Printer *pr, const char *base, Type type, bool scalar, bool written)
{
    for (int i = 0; i < pr->params; i++)
        if (pr->param[i].type == type && pr->param[i].scalar == scalar &&
            strcmp(pr->param[i].base, base) == 0) {
            pr->param[i].written |= written;
            return &pr->param[i];
        }
    int same = 0;
    for (int i = 0; i < pr->params; i++)
        same += pr->param[i].scalar == scalar &&
                (scalar || pr->param[i].name[0] == (written ? 'y' : 'a'));
    pr->param = arena_grow(pr->e->ngc, pr->param, pr->params, &pr->param_room, sizeof *pr->param);
    Param *p = &pr->param[pr->params++];
    *p = (Param){base,
                 print_format(pr, "%c%d",
                              scalar    ? 's'
                              : written ? 'y'
                                        : 'a',
                              same),
                 type, scalar, written};
    return p;
}

/* A pointer to where x starts, which x then counts from: kernels that differ in that alone are one
 * function. */
const char *print_shifted(Printer *pr, const Place *place, const Node *n, Index *x)
{
    Body *b = pr->b;
    Size base = x->base.plus;
    if (base == 0 || x->base.minus != 0)
        return print_pointer(b, place, n);
    for (int i = 0; i < MAX_AXES; i++)
        if (x->axis[i].minus != 0)
            return print_pointer(b, place, n);
    x->base.plus = 0;
    if (place->kind == P_SPACE && base > 0) {
        Place at = *place;
        at.offset += base;
        return print_pointer(b, &at, n);
    }
    return print_format(pr, "%s + %s", print_pointer(b, place, n), emit_size(b->e, base, &b->dims));
}

/* The element at x of what lives at place. What is numbered as it is met is met here in one order,
 * whatever the compiler of ngc makes of a call's arguments. */
const char *print_element(Printer *pr, const Place *place, const Node *n, const Index *x,
                          bool written)
{
    Body *b = pr->b;
    if (place->kind == P_ROW) { /* within the row */
        Index rest = x ? *x : index_zero();
        for (int i = 0; i < pr->lead; i++)
            rest.axis[i] = (Coef){0, 0};
        return place->offset > 1 ? print_format(pr, "%s[%s]", place->name, index_text(pr, &rest))
                                 : place->name;
    }
    if (place_is_number(place, n)) {
        const char *text = print_number(b, place, n);
        if (!pr->apart)
            return text;
        if (!written)
            return print_param(pr, text, n->type, true, false)->name;
    }
    if (pr->apart) {
        Index rest = x ? *x : index_zero();
        const char *pointer = print_shifted(pr, place, n, &rest),
                   *index = index_text(pr, &rest); /* its params come first */
        return print_format(pr, "%s[%s]", print_param(pr, pointer, n->type, false, written)->name,
                            index);
    }
    if (place->kind == P_DATA) {
        const char *index = index_text(pr, x);
        return print_format(pr, "%s[%s]", print_pointer(b, place, n), index);
    }
    if (place->kind == P_SPACE) {
        Index at = x ? *x : index_zero(), off = index_zero();
        off.base.plus = place->offset;
        index_add(pr->e->graph, &at, &off, 1);
        return print_format(pr, "%s[%s]", space_text(b, n->type), index_text(pr, &at));
    }
    bool flat;
    Index sub[MAX_RANK];
    emit_dims(pr->e, *place->shape, &flat);
    const char *member = member_text(b, place);
    if (flat || is_input(place) || place->shape->rank == 1)
        return print_format(pr, "%s[%s]", member, index_text(pr, x));
    if (!split_index(pr, x, *place->shape, sub))
        return print_format(pr, "((%s%s *)%s)[%s]", written ? "" : "const ",
                            print_type(pr->e, n->type), member, index_text(pr, x));
    Text t = {.ngc = pr->e->ngc};
    text_add(&t, "%s", member);
    for (int i = 0; i < place->shape->rank; i++)
        text_add(&t, "[%s]", index_text(pr, &sub[i]));
    return t.at;
}

/* ---- expressions ---- */

/* An operand in its place in a C text: between parentheses and commas anything may stand; elsewhere
 * what binds less tightly gets parentheses, and so does a minus behind a minus. */
static const char *operand_text(Printer *pr, Part p, int prec, char before, char after, bool first)
{
    bool enclosed = (before == '(' || before == ',' || before == ' ') &&
                    (after == ')' || after == ',') && prec == 16;
    if (enclosed || p.prec == 16)
        return p.text;
    bool loose = p.prec < prec || (p.prec == prec && !first) || p.prec < 12 ||
                 (p.text[0] == '-' && before == '-');
    return loose ? print_format(pr, "(%s)", p.text) : p.text;
}

bool emit_has_section(const Emit *e, const char *name)
{
    for (int i = 0; i < e->sections; i++)
        if (strcmp(e->section[i], name) == 0)
            return true;
    return false;
}

void emit_section(Emit *e, const char *name)
{
    if (emit_has_section(e, name))
        return;

    name = intern_str(e->ngc, name);
    e->section = arena_grow(e->ngc, e->section, e->sections, &e->section_room, sizeof *e->section);
    e->section[e->sections++] = name;
}

void emit_calls(Emit *e, const char *c)
{
    const char *of = "NGRT_OF(";

    for (const char *at = strstr(c, of); at; at = strstr(at + 1, of))
        emit_section(e, intern(e->ngc, at + strlen(of), strcspn(at + strlen(of), ",")));

    for (c = strstr(c, "ngrt_"); c; c = strstr(c + 1, "ngrt_")) {
        size_t n = strspn(c + 5, "abcdefghijklmnopqrstuvwxyz0123456789_");
        emit_section(e, intern(e->ngc, c + 5, n));
    }
}

/* Fills $a $b $c, @ and $t in a record's C text. An int result of a function of floats is cast,
 * operands likewise. */
Part print_fill(Printer *pr, const char *c, int prec, Type type, const Part *arg, const char *acc,
                const char *suffix)
{
    Emit *e = pr->e;
    Text t = {.ngc = e->ngc};
    bool whole = type == T_INT && prec == 16;
    const char *start = c;
    if (whole)
        text_add(&t, "(int32_t)");
    for (; *c; c++) {
        if (*c == '@') {
            text_add(&t, "%s", whole ? "" : suffix);
        } else if (*c == '$' && c[1] == 't') {
            text_add(&t, "%s", print_type(e, type));
            c++;
        } else if (*c == '$' && strncmp(c, "$acc", 4) == 0) {
            text_add(&t, "%s", acc);
            c += 3;
        } else if (*c == '$') {
            Part p = arg[c[1] == 'x' ? 0 : c[1] - 'a'];
            char before = c > start ? c[-1] : '\0';
            if (whole)
                text_add(&t, p.prec >= 14 ? "(double)%s" : "(double)(%s)", p.text);
            else
                text_add(&t, "%s", operand_text(pr, p, prec, before, c[2], c == start));
            c++;
        } else {
            text_put(&t, c, 1);
        }
    }
    emit_calls(e, t.at);
    return (Part){t.at, whole ? 14 : prec};
}

/* An index without a loop variable is an int in C, and would not wrap below 0. */
static bool index_is_int(const Index *x)
{
    if (x == NULL || x->parts > 0)
        return false;
    for (int i = 0; i < MAX_AXES; i++)
        if (x->axis[i].plus != 0 || x->axis[i].minus != 0)
            return false;
    return x->base.minus != 0;
}

const char *print_test(Printer *pr, const Val *v)
{
    const char *at = index_text(pr, v->at), *span = emit_size(pr->e, v->span, &pr->dims);
    if (index_is_int(v->at))
        at = print_format(pr, "(size_t)%s", at);
    if (v->size > 1)
        return print_format(pr, "%s < %s && (%s) %% %lld == 0", at, span, at, (long long)v->size);
    return print_format(pr, "%s < %s", at, span);
}

static Part print_guard(Printer *pr, const Val *v)
{
    Part inner = print_val(pr, v->arg[0]);
    const char *in = inner.prec < 4 ? print_format(pr, "(%s)", inner.text) : inner.text,
               *zero = v->type == T_INT ? "0" : emit_number(pr->e, 0, T_FLOAT);
    return (Part){print_format(pr, "%s ? %s : %s", v->test ? v->test : print_test(pr, v), in, zero),
                  3};
}

/* What decides a choice, without the 1 and 0 of a comparison's value. */
static Part print_condition(Printer *pr, const Val *v)
{
    const char *test = v->kind == V_OP && !v->temp ? op_info[v->op]->test : NULL;
    Part arg[3] = {{NULL, 0}};

    if (!test) {
        arg[0] = print_val(pr, v);
        return print_fill(pr, "$a != 0", 9, T_FLOAT, arg, NULL, "");
    }

    for (int i = 0; i < 3 && v->arg[i]; i++)
        arg[i] = print_val(pr, v->arg[i]);
    Part all = print_fill(pr, test, 10, T_FLOAT, arg, NULL, pr->e->suffix);
    all.prec = 12; /* a comparison needs no parentheses before a question mark */
    return all;
}

/* ---- values of the innermost loop, as vectors ---- */

static bool is_vector(const Printer *pr, const Val *v)
{
    return pr->vector && val_is_inner(pr->k, v);
}

const char *print_val_type(const Printer *pr, const Val *v)
{
    if (!is_vector(pr, v))
        return print_type(pr->e, v->type);
    return v->type == T_INT ? "ngrt_i" : "ngrt_v";
}

/* An operation; a choice that is the same for all lanes stays a choice in C. */
static Part vector_op(Printer *pr, const Val *v)
{
    const OpInfo *info = op_info[v->op];
    const char *c = op_vec(pr->b->p, v);
    Part arg[3] = {{NULL, 0}};

    for (int i = 0; i < 3 && v->arg[i]; i++)
        arg[i] =
            i == 0 && v->op == OP_where ? print_condition(pr, v->arg[0]) : print_val(pr, v->arg[i]);
    if (v->op == OP_where && !is_vector(pr, v->arg[0]))
        return print_fill(pr, "NGRT_EITHER($a, $b, $c)", 16, T_FLOAT, arg, NULL, "");

    int prec = strncmp(c, "NGRT_", 5) == 0 ? 16 : info->prec;
    return print_fill(pr, c, prec, T_FLOAT, arg, NULL, pr->e->suffix);
}

static Part print_vector(Printer *pr, const Val *v)
{
    const char *load = v->type == T_INT ? "NGRT_LOAD_INT(%s)" : "NGRT_LOAD(%s)";

    switch (v->kind) {
    case V_LOAD: {
        Place *place = program_place(pr->b->p, v->node);
        return (Part){print_format(pr, load, print_element(pr, place, v->node, v->at, false)), 16};
    }
    case V_INDEX:
        return (Part){print_format(pr, "(int32_t)(%s) + NGRT_LANE", index_text(pr, v->at)), 12};
    case V_GUARD: {
        const char *inner = print_val(pr, v->arg[0]).text,
                   *test = v->test ? v->test : print_test(pr, v);
        const char *either =
            v->type == T_INT ? "NGRT_EITHER_INT(%s, %s, 0)" : "NGRT_EITHER(%s, %s, 0)";
        return (Part){print_format(pr, either, test, inner), 16};
    }
    case V_OP: return vector_op(pr, v);
    default: ngc_bug("a value of %s has no vectors", pr->b->p->name);
    }
}

Part print_val(Printer *pr, const Val *v)
{
    Emit *e = pr->e;
    Part arg[3] = {{NULL, 0}};
    const char *text;
    if (v->temp)
        return (Part){v->temp, 16};
    if (is_vector(pr, v))
        return print_vector(pr, v);
    switch (v->kind) {
    case V_CONST:
        text = emit_number(e, v->value, v->type);
        return (Part){text, text[0] == '-' ? 14 : 16};
    case V_SIZE:
        text = emit_size(e, v->size, &pr->dims);
        return (Part){print_format(pr, strpbrk(text, " *") ? "(%s)(%s)" : "(%s)%s",
                                   print_type(e, v->type), text),
                      14};
    case V_LOAD: {
        Place *place = program_place(pr->b->p, v->node);
        return (Part){print_element(pr, place, v->node, v->at, false), 16};
    }
    case V_INDEX:
        text = index_text(pr, v->at);
        return (Part){print_format(pr, strpbrk(text, " *") ? "(int32_t)(%s)" : "(int32_t)%s", text),
                      14};
    case V_QUOTIENT:
        return (Part){print_format(pr, "(%s)/%lld", index_text(pr, v->at), (long long)v->size), 13};
    case V_GUARD: return print_guard(pr, v);
    case V_OP: break;
    }
    const char *c = op_info[v->op]->c;
    for (int i = 0; i < 3 && v->arg[i]; i++)
        arg[i] =
            i == 0 && v->op == OP_where ? print_condition(pr, v->arg[0]) : print_val(pr, v->arg[i]);
    if (v->op == OP_where)
        return print_fill(pr, "$a ? $b : $c", op_info[v->op]->prec, v->type, arg, NULL, e->suffix);
    if (op_info[v->op]->c_float && v->type == T_FLOAT && !e->ngc->opt.real_double && !e->plain &&
        !pr->b->p->init)
        c = op_info[v->op]->c_float;
    return print_fill(pr, c, op_info[v->op]->prec, v->type, arg, NULL, pr->e->suffix);
}
