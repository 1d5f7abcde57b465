/* emit_val.c - elements and expressions as C text: what a loop computes, and the indices of what it
 * reads and writes. */
#include "emit/emit.h"

#include <string.h>

enum { FEW_OPS = 32 }; /* operations that take less time than a jump that is guessed wrongly */

/* ---- indices ---- */

/* One term of a sum: what * by, or by alone. */
static void add_term(Printer *pr, Text *t, bool minus, const char *what, Size by)
{
    /* i instead of i*1 */
    const char *factor = by == 1 && what ? NULL : print_factor(pr, by);

    if (t->size > 0)
        text_add(t, minus ? " - " : " + ");
    else if (minus)
        text_add(t, "0 - ");

    if (what && factor)
        text_add(t, "%s*%s", what, factor);
    else
        text_add(t, "%s", what ? what : factor);
}

/* An int value as an index: that of the first lane. */
static const char *index_part(Printer *pr, const Val *v)
{
    bool vector = pr->vector;
    pr->vector = false;
    Part p = print_val(pr, v);
    pr->vector = vector;
    if (v->kind == V_QUOTIENT)
        return p.text;
    return print_cast(pr, "size_t", p).text;
}

static Size coef_side(Coef c, bool minus)
{
    return minus ? c.minus : c.plus;
}

/* The terms of an index that are added, or those that are subtracted. */
static void add_terms(Printer *pr, Text *t, const Index *x, bool minus)
{
    for (int i = 0; i < MAX_AXES; i++) {
        Size by = coef_side(x->axis[i], minus);
        if (by != 0)
            add_term(pr, t, minus, pr->loop[i], by);
    }

    for (int i = 0; i < x->parts; i++) {
        Size by = coef_side(x->part[i].by, minus);
        if (by != 0)
            add_term(pr, t, minus, index_part(pr, x->part[i].val), by);
    }

    Size base = coef_side(x->base, minus);
    if (base != 0)
        add_term(pr, t, minus, NULL, base);
}

/* All that is added comes first, so that no sum on the way is below 0. */
const char *print_index(Printer *pr, const Index *x)
{
    Text t = {.ngc = pr->e->ngc};
    if (x == NULL)
        return "0";
    add_terms(pr, &t, x, false);
    add_terms(pr, &t, x, true);
    return text_or(t.at, "0");
}

/* The strides of a declared array; false: one of them is a run-time size. */
static bool fixed_strides(Graph *g, Shape shape, Size *strides)
{
    Size stride = 1;
    for (int i = shape.rank - 1; i >= 0; i--) {
        strides[i] = stride;
        if (i > 0 && shape.dim[i] < 0)
            return false;
        stride = size_mul(g, stride, shape.dim[i]);
    }
    return true;
}

/* Adds a loop variable that counts `by` elements to the subscripts, and to their largest values. */
static void split_variable(Printer *pr, int axis, Size by, const Size *strides, int rank,
                           Index *sub, int64_t *top)
{
    int64_t last = size_max(pr->e->graph, pr->k->extent[axis]) - 1;
    for (int i = 0; i < rank; i++) {
        sub[i].axis[axis].plus = by / strides[i];
        top[i] += by / strides[i] * last;
        by %= strides[i];
    }
}

/* Splits a linear index into one for each axis of a declared array; false: a subscript might not be
 * within its bound. */
static bool split_index(Printer *pr, const Index *x, Shape shape, Index *sub)
{
    Graph *g = pr->e->graph;
    Index zero = index_zero();
    if (!x)
        x = &zero;

    Size strides[MAX_RANK];
    /* C gives x[i][j] a meaning only for 0 <= j < columns: what might go further is written with a
     * pointer */
    if (x->parts > 0 || x->base.minus != 0 || x->base.plus < 0)
        return false;
    if (!fixed_strides(g, shape, strides))
        return false;

    Size base = x->base.plus;
    int64_t top[MAX_RANK]; /* the largest value of each subscript */
    /* the base as digits in the system of the strides */
    for (int i = 0; i < shape.rank; i++) {
        sub[i] = zero;
        sub[i].base.plus = base / strides[i];
        base %= strides[i];
        top[i] = sub[i].base.plus;
    }

    /* and each loop variable's step likewise; top is where the last pass is */
    for (int a = 0; a < pr->k->axes; a++) {
        Size by = x->axis[a].plus;
        if (x->axis[a].minus != 0 || by < 0)
            return false;
        split_variable(pr, a, by, strides, shape.rank, sub, top);
    }

    for (int i = 0; i < shape.rank; i++)
        if (top[i] >= size_max(g, shape.dim[i]))
            return false;
    return true;
}

/* ---- elements ---- */

/* y0, y1, ...: written arrays; a0, a1, ...: others; s0, s1, ...: numbers. */
static const char *param_name(Printer *pr, bool scalar, bool written)
{
    char letter = written ? 'y' : 'a';
    if (scalar)
        letter = 's';

    int same = 0;
    for (int i = 0; i < pr->params; i++)
        same += pr->param[i].name[0] == letter;
    return print_format(pr, "%c%d", letter, same);
}

/* The parameter for a base. It is made when it is first used. Each value in planned memory has its
 * own, even if another value has the same place, for which this one makes room: so the text of a
 * kernel does not depend on the plan. */
Param *print_param(Printer *pr, const char *base, const Place *place, Type type, bool written)
{
    bool scalar = place == NULL;
    if (place && place->kind != P_SPACE)
        place = NULL;

    for (int i = 0; i < pr->params; i++) {
        Param *p = &pr->param[i];
        if (p->type != type || p->scalar != scalar || p->place != place)
            continue;
        if (!same_text(p->base, base))
            continue;
        p->written |= written;
        return p;
    }

    const char *name = param_name(pr, scalar, written);
    LIST_GROW(pr->e->ngc, pr->param, pr->params, &pr->param_room);
    Param *p = &pr->param[pr->params++];
    *p = (Param){base, place, name, type, scalar, written};
    return p;
}

/* A pointer to where x starts. x is then relative to it, so that kernels that differ only in where
 * they start are one function. */
const char *print_shifted(Printer *pr, const Place *place, const Node *n, Index *x)
{
    Body *b = pr->b;
    Size base = x->base.plus;
    /* an index that goes down from its base stays whole: unsigned sums must not pass below 0 */
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

static Index index_copy(const Index *x)
{
    if (x)
        return *x;
    return index_zero();
}

/* An element of an array that lives for one row. */
static const char *row_element(Printer *pr, const Place *place, const Index *x)
{
    if (place->offset <= 1)
        return place->name;

    Index rest = index_copy(x);
    for (int i = 0; i < pr->lead; i++)
        rest.axis[i] = (Coef){0, 0};
    return print_format(pr, "%s[%s]", place->name, print_index(pr, &rest));
}

/* An element by a parameter of the kernel's function. The parameters in its index come first. */
static const char *param_element(Printer *pr, const Place *place, const Node *n, const Index *x,
                                 bool written)
{
    Index rest = index_copy(x);
    const char *pointer = print_shifted(pr, place, n, &rest);
    const char *index = print_index(pr, &rest);
    const char *param = print_param(pr, pointer, place, n->type, written)->name;
    return print_format(pr, "%s[%s]", param, index);
}

static const char *space_element(Printer *pr, const Place *place, const Node *n, const Index *x)
{
    Index at = index_copy(x);
    Index start = index_zero();
    start.base.plus = place->offset;
    index_add(pr->e->graph, &at, &start, 1);

    const char *space = place_space(pr->b, n->type);
    return print_format(pr, "%s[%s]", space, print_index(pr, &at));
}

/* An element of a member: a subscript for each axis if it is declared so. */
static const char *member_element(Printer *pr, const Place *place, const Node *n, const Index *x,
                                  bool written)
{
    Emit *e = pr->e;
    bool flat;
    Index sub[MAX_RANK];
    emit_dims(e, *place->shape, &flat);
    const char *member = place_member(pr->b, place);
    if (flat || place_is_input(place) || place->shape->rank == 1)
        return print_format(pr, "%s[%s]", member, print_index(pr, x));

    /* as one array from the member's start */
    if (!split_index(pr, x, *place->shape, sub)) {
        const char *constant = text_if(!written, "const ");
        const char *type = emit_type(e, n->type);
        const char *index = print_index(pr, x);
        return print_format(pr, "((%s%s *)%s)[%s]", constant, type, member, index);
    }

    Text t = {.ngc = e->ngc};
    text_add(&t, "%s", member);
    for (int i = 0; i < place->shape->rank; i++)
        text_add(&t, "[%s]", print_index(pr, &sub[i]));
    return t.at;
}

/* The element at x of the value at place. Parameters and the like are numbered in the order in
 * which they are asked for, so each is asked for by a statement of its own. */
const char *print_element(Printer *pr, const Place *place, const Node *n, const Index *x,
                          bool written)
{
    if (place->kind == P_ROW)
        return row_element(pr, place, x);

    if (place_is_number(place, n)) {
        const char *text = print_number(pr->b, place, n);
        if (!pr->apart)
            return text;
        /* a number that the loops only read is passed by value */
        if (!written)
            return print_param(pr, text, NULL, n->type, false)->name;
    }
    if (pr->apart)
        return param_element(pr, place, n, x, written);

    if (place->kind == P_DATA) {
        const char *index = print_index(pr, x);
        return print_format(pr, "%s[%s]", print_pointer(pr->b, place, n), index);
    }
    if (place->kind == P_SPACE)
        return space_element(pr, place, n, x);
    return member_element(pr, place, n, x, written);
}

const char *store_element(Printer *pr, const Store *s)
{
    return print_element(pr, store_place(pr->p, s), s->node, s->at, true);
}

const char *load_element(Printer *pr, const Val *v)
{
    return print_element(pr, program_place(pr->p, v->node), v->node, v->at, false);
}

/* ---- expressions ---- */

static bool index_is_int(const Index *x)
{
    if (x == NULL || x->parts > 0)
        return false;
    for (int i = 0; i < MAX_AXES; i++)
        if (x->axis[i].plus != 0 || x->axis[i].minus != 0)
            return false;
    return x->base.minus != 0;
}

/* Is the test of this guard decided by the place in the grid? */
static bool is_on_grid(const Printer *pr, const Val *v)
{
    return pr->k && pr->k->grid && guard_is_inner(pr->k, v) && v->size > 1;
}

bool print_test_fails(const Printer *pr, const Val *v)
{
    if (v->kind == V_GUARD && v->arg[0]->kind == V_GUARD && print_test_fails(pr, v->arg[0]))
        return true;
    if (!is_on_grid(pr, v))
        return false;
    /* numbers, as the innermost loop moves by one */
    Size at = pr->place + v->at->base.plus - v->at->base.minus;
    return at % pr->k->grid != 0;
}

/* Does the test of this guard hold in all passes of this place in the grid? Its index there moves
 * by one from pass to pass, from the place on. */
bool print_test_holds(const Printer *pr, const Val *v)
{
    if (!is_on_grid(pr, v) || print_test_fails(pr, v))
        return false;

    Size passes = pr->k->extent[pr->k->axes - 1];
    if (passes < 0 || v->span < 0)
        return false;
    Size shift = v->at->base.plus - v->at->base.minus;
    Size last = passes - 1 - (passes - 1 - pr->place) % pr->k->grid;
    return pr->place + shift >= 0 && last + shift < v->span;
}

/* Is the index of a guard below its span, and on the grid? It is unsigned, so a negative one is
 * not. */
const char *print_test(Printer *pr, const Val *v)
{
    const char *at = print_index(pr, v->at);
    const char *span = emit_size(pr->e, v->span, &pr->dims);
    /* "3 - 5" of ints is below 0, and not larger than the span */
    if (index_is_int(v->at))
        at = print_format(pr, "(size_t)%s", at);
    if (v->size > 1 && !is_on_grid(pr, v))
        return print_format(pr, "%s < %s && (%s) %% %lld == 0", at, span, at, (long long)v->size);
    return print_format(pr, "%s < %s", at, span);
}

const char *print_known_test(Printer *pr, const Val *v)
{
    if (v->test)
        return v->test;
    return print_test(pr, v);
}

static Part print_guard(Printer *pr, const Val *v)
{
    if (print_test_fails(pr, v))
        return (Part){emit_number(pr->e, 0, T_FLOAT), PREC_CALL};
    if (print_test_holds(pr, v))
        return print_val(pr, v->arg[0]);

    Part inner = print_val(pr, v->arg[0]);
    const char *in = inner.text;
    if (inner.prec < PREC_LOGIC)
        in = print_format(pr, "(%s)", in);

    const char *zero = "0";
    if (v->type != T_INT)
        zero = emit_number(pr->e, 0, T_FLOAT);
    return (Part){print_format(pr, "%s ? %s : %s", print_known_test(pr, v), in, zero), PREC_CHOICE};
}

/* The condition of a choice, without the 1 and 0 of a comparison's value. */
static Part print_condition(Printer *pr, const Val *v)
{
    const char *test = NULL;
    if (v->kind == V_OP && !v->temp)
        test = op_info[v->op]->test;
    Part arg[3] = {{NULL, 0}};

    /* a value that is not a comparison is true where it is not 0 */
    if (!test) {
        arg[0] = print_val(pr, v);
        return print_fill(pr, "$a != 0", 9, T_FLOAT, arg, NULL, "");
    }

    for (int i = 0; i < 3 && v->arg[i]; i++)
        arg[i] = print_val(pr, v->arg[i]);
    Part all = print_fill(pr, test, 10, T_FLOAT, arg, NULL, pr->e->suffix);
    all.prec = PREC_SUM; /* a comparison needs no parentheses before a question mark */
    return all;
}

/* The operands of an operation. The first of a choice is its condition. */
static void print_operands(Printer *pr, const Val *v, Part *arg)
{
    for (int i = 0; i < 3 && v->arg[i]; i++)
        if (i == 0 && op_has(v->op, F_CONDITION))
            arg[i] = print_condition(pr, v->arg[i]);
        else
            arg[i] = print_val(pr, v->arg[i]);
}

/* ---- values of the innermost loop, as vectors ---- */

static bool is_vector(const Printer *pr, const Val *v)
{
    return pr->vector && val_is_inner(pr->k, v);
}

const char *print_val_type(const Printer *pr, const Val *v)
{
    if (!is_vector(pr, v))
        return emit_type(pr->e, v->type);
    return v->type == T_INT ? "ngrt_i" : "ngrt_v";
}

/* The operator on unsigned ints, which go round. */
static Part vector_wrapping(Printer *pr, const Val *v)
{
    const char *op = "-";
    if (v->op == OP_add)
        op = "+";
    if (v->op == OP_mul)
        op = "*";

    /* -a is 0 - a */
    const char *of[2] = {"0u", "0u"};
    int first = v->op == OP_neg;
    for (int i = 0; i < 2 - first; i++) {
        const Val *a = v->arg[i];
        const char *type = is_vector(pr, a) ? "ngrt_u" : "uint32_t";
        of[i + first] = print_format(pr, "(%s)(%s)", type, print_val(pr, a).text);
    }
    return (Part){print_format(pr, "(ngrt_i)(%s %s %s)", of[0], op, of[1]), PREC_UNARY};
}

/* An operation. The test of a choice may be the same for all lanes. */
static Part vector_op(Printer *pr, const Val *v)
{
    const OpInfo *info = op_info[v->op];
    const char *c = op_vec(pr->p, v);
    Part arg[3] = {{NULL, 0}};

    if (bounds_int_form(v))
        return vector_wrapping(pr, v);
    print_operands(pr, v, arg);
    /* one test for all lanes: all bits of each, or none */
    if (info->flags & F_CONDITION && !is_vector(pr, v->arg[0]))
        return print_fill(pr, "NGRT_PICK(NGRT_ALL($a), $b, $c)", PREC_CALL, T_FLOAT, arg, NULL, "");

    int prec = info->flags & F_MACRO ? PREC_CALL : info->prec;
    return print_fill(pr, c, prec, T_FLOAT, arg, NULL, pr->e->suffix);
}

static const char *vector_load(Printer *pr, const Val *v)
{
    const char *element = load_element(pr, v);
    int step = 0;
    if (!pr->k->grid)
        step = index_step(pr->k, v->at);
    if (step)
        return print_format(pr, "NGRT_LOAD_EVERY(%s, %d)", element, step);
    return print_format(pr, "NGRT_LOAD%s(%s)", text_if(v->type == T_INT, "_INT"), element);
}

const char *print_each_lane(Printer *pr, Type type, const char *number)
{
    return print_format(pr, "NGRT_EACH%s(%s)", text_if(type == T_INT, "_INT"), number);
}

static const char *vector_guard(Printer *pr, const Val *v)
{
    if (print_test_fails(pr, v))
        return print_each_lane(pr, v->type, "0");

    const char *inner = print_val(pr, v->arg[0]).text;
    if (print_test_holds(pr, v) && is_vector(pr, v->arg[0]))
        return inner;
    if (print_test_holds(pr, v))
        return print_each_lane(pr, v->type, inner);
    const char *test = print_known_test(pr, v);
    if (v->type == T_INT)
        return print_format(pr, "NGRT_EITHER_INT(%s, %s, 0)", test, inner);
    return print_format(pr, "NGRT_EITHER(%s, %s, 0)", test, inner);
}

static const char *vector_index(Printer *pr, const Val *v)
{
    return print_format(pr, "(int32_t)(%s) + NGRT_LANE", print_index(pr, v->at));
}

static Part print_vector(Printer *pr, const Val *v)
{
    switch (v->kind) {
    case V_LOAD: return (Part){vector_load(pr, v), PREC_CALL};
    case V_INDEX: return (Part){vector_index(pr, v), PREC_SUM};
    case V_GUARD: return (Part){vector_guard(pr, v), PREC_CALL};
    case V_OP: return vector_op(pr, v);
    default: ngc_bug("a value of %s has no vectors", pr->p->name);
    }
}

/* ---- values ---- */

/* A size or an index as a number of that type. */
static Part cast_size(Printer *pr, const char *type, const char *text)
{
    int prec = strpbrk(text, " *") ? PREC_SUM : PREC_CALL;
    return print_cast(pr, type, (Part){text, prec});
}

/* Does computing it cost less than a jump that is guessed wrongly? */
static bool is_cheap(const Val *v)
{
    if (v->temp)
        return true;
    if (v->ops > FEW_OPS || (v->kind == V_OP && !op_has(v->op, F_CHEAP)))
        return false;
    for (int i = 0; i < 3 && v->arg[i]; i++)
        if (!is_cheap(v->arg[i]))
            return false;
    return true;
}

/* Does it depend on elements that the innermost loop loads? Nobody can guess these; a test of loop
 * variables is guessed well. */
static bool depends_on_data(const Kernel *k, const Val *v)
{
    if (!val_is_inner(k, v))
        return false;
    if (v->kind == V_LOAD)
        return true;
    for (int i = 0; i < 3 && v->arg[i]; i++)
        if (depends_on_data(k, v->arg[i]))
            return true;
    return false;
}

/* Is it a choice by data between two values that may both be computed? */
static bool needs_no_jump(const Printer *pr, const Val *v)
{
    return v->op == OP_where && pr->k && depends_on_data(pr->k, v->arg[0]) && is_cheap(v->arg[1]) &&
           is_cheap(v->arg[2]);
}

/* The C of an operation. Some have faster ones, which are not used in the C to read, or for
 * starting values. What vectors leave over is computed as the vectors are. */
static const char *op_text(const Printer *pr, const Val *v)
{
    const struct FastForm *form = op_form(pr->p, v->op);
    const char *c = op_info[v->op]->c;

    /* starting values must be the same on every machine, so they take libm's or the plain form */
    if (v->type != T_FLOAT || pr->e->module->plain || pr->p->init)
        return c;
    if (needs_no_jump(pr, v))
        return "ngrt_pick@($a, $b, $c)";
    if (form->left && pr->k && pr->k->vector && val_is_inner(pr->k, v))
        return form->left;
    return form->c ? form->c : c;
}

static Part print_op(Printer *pr, const Val *v)
{
    const OpInfo *info = op_info[v->op];
    const char *form = bounds_int_form(v);
    Part arg[3] = {{NULL, 0}};

    print_operands(pr, v, arg);
    if (form) {
        Part all = print_fill(pr, form, PREC_UNARY, T_INT, arg, NULL, "");
        all.prec = PREC_CALL;
        return all;
    }
    const char *c = op_text(pr, v);
    int prec = begins(c, "ngrt_") ? PREC_CALL : info->prec;
    return print_fill(pr, c, prec, v->type, arg, NULL, pr->e->suffix);
}

static Part print_constant(Printer *pr, const Val *v)
{
    const char *text = emit_number(pr->e, v->value, v->type);
    return (Part){text, text[0] == '-' ? PREC_UNARY : PREC_CALL};
}

static Part print_load(Printer *pr, const Val *v)
{
    const Place *place = program_place(pr->p, v->node);
    return (Part){print_element(pr, place, v->node, v->at, false), PREC_CALL};
}

static Part print_quotient(Printer *pr, const Val *v)
{
    const char *at = print_index(pr, v->at);
    return (Part){print_format(pr, "(%s)/%lld", at, (long long)v->size), PREC_PRODUCT};
}

Part print_val(Printer *pr, const Val *v)
{
    const char *type = emit_type(pr->e, v->type);
    /* it has been computed already */
    if (v->temp)
        return (Part){v->temp, PREC_CALL};
    if (is_vector(pr, v))
        return print_vector(pr, v);

    switch (v->kind) {
    case V_CONST: return print_constant(pr, v);
    case V_SIZE: return cast_size(pr, type, emit_size(pr->e, v->size, &pr->dims));
    case V_LOAD: return print_load(pr, v);
    case V_INDEX: return cast_size(pr, "int32_t", print_index(pr, v->at));
    case V_QUOTIENT: return print_quotient(pr, v);
    case V_GUARD: return print_guard(pr, v);
    case V_OP: return print_op(pr, v);
    }
    ngc_bug("a value of %s has no kind", pr->p->name);
}
