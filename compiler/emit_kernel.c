/* emit_kernel.c - prints kernels. At -O2 the loops of a kernel are a static function on pointers with canonical names, so that
 * kernels of equal text are one function; at -O0, and for single numbers, they stand in the program's function and speak
 * of the model's names. */
#include "emit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CUT = 12,           /* operators in one expression */
    LANES = 8,          /* partial results of a long reduction */
    LONG = 32,          /* elements from which on a reduction has them */
};

typedef struct Part { /* a piece of text and how tightly it binds */
    const char *text;
    int prec;
} Part;

typedef struct Param { /* of a kernel's function */
    const char *base, *name;
    Type type;
    bool scalar, written;
} Param;

typedef struct Printer {
    Body *b;
    Emit *e;
    const Kernel *k;
    Text *out;
    int indent;
    bool apart;         /* in a function of its own */
    const char *loop[MAX_AXES];
    Param *param;
    int params, param_room;
    int temps;          /* within the kernel's function */
    unsigned dims;
} Printer;

/* ---- numbers, sizes ----------------------------------------------------------------------------------- */

/* The shortest text that is read back as the same number. */
static const char *shortest(Ngc *ngc, double v, bool single)
{
    char text[40];
    if (isnan(v))
        return "NAN";
    if (isinf(v) || (single && isinf((float)v)))
        return v < 0 ? "-INFINITY" : "INFINITY";
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, single ? (double)(float)v : v);
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
    return shortest(e->ngc, v, !e->ngc->opt.real_double);
}

const char *emit_size(Emit *e, Size s, unsigned *dims)
{
    for (int i = 0; i < e->graph->dims && s < 0; i++)
        if (size_uses_dim(e->graph, s, i))
            *dims |= 1u << i;
    return size_text(e->graph, s, e->dim_prefix);
}

/* As a factor. */
static const char *size_factor(Printer *pr, Size s)
{
    const char *text = emit_size(pr->e, s, &pr->dims);
    return strchr(text, ' ') ? text_format(pr->e->ngc, "(%s)", text) : text;
}

static const char *type_name(const Emit *e, Type type)
{
    return type == T_INT ? "int32_t" : e->real;
}

static const char *format(Printer *pr, const char *f, ...)
{
    va_list args;
    va_start(args, f);
    const char *text = text_vformat(pr->e->ngc, f, args);
    va_end(args);
    return text;
}

/* One line of code. */
static void line(Printer *pr, const char *f, ...)
{
    va_list args;
    va_start(args, f);
    text_add(pr->out, "%*s%s\n", 4 * pr->indent, "", text_vformat(pr->e->ngc, f, args));
    va_end(args);
}

/* ---- where a stored value is, as text -------------------------------------------------------------------- */

static const char *member_text(Body *b, const Place *place)
{
    switch (place->kind) {
    case P_VAR:
        b->blocks |= place->var->kind == VAR_INPUT ? USES_INPUTS : place->var->kind == VAR_PARAM ? USES_PARAMS : USES_STATE;
        return text_format(b->e->ngc, "%s->%s", place->var->kind == VAR_INPUT ? "in" : place->var->kind == VAR_PARAM ? "params" : "state",
                           place->var->cname);
    case P_GRAD:
        b->blocks |= USES_GRADS;
        return text_format(b->e->ngc, "grads->%s", place->name);
    case P_MEMBER:
        b->blocks |= USES_WORK;
        return text_format(b->e->ngc, "w->%s", place->name);
    default:
        ngc_bug("a value of %s has no member", b->p->name);
    }
}

static bool is_input(const Place *place)
{
    return place->kind == P_VAR && place->var->kind == VAR_INPUT;
}

/* A number with a name: no pointer. */
static bool is_number(const Place *place, const Node *n)
{
    if (place->kind == P_LOCAL)
        return true;
    if (place->kind == P_VAR || place->kind == P_MEMBER || place->kind == P_GRAD)
        return place->shape.rank == 0;
    return place->kind == P_SPACE && n->shape.rank == 0;
}

/* The array of planned values: work's, or init's own. */
static const char *space_text(Body *b, Type type)
{
    b->blocks |= b->p->init ? 0 : USES_WORK;
    return type == T_INT ? b->p->init ? "ispace" : "w->ispace" : b->p->init ? "space" : "w->space";
}

/* A pointer to the first element. */
static const char *pointer_text(Body *b, const Place *place, const Node *n)
{
    bool flat;
    Emit *e = b->e;
    if (place->kind == P_DATA)
        return text_format(e->ngc, "data_%d", emit_data(e, n->attr.data, n->type, shape_count(e->graph, n->shape)));
    if (place->kind == P_SPACE && place->offset == 0)
        return space_text(b, n->type);
    if (place->kind == P_SPACE)
        return text_format(e->ngc, "%s + %lld", space_text(b, n->type), (long long)place->offset);
    const char *member = member_text(b, place);
    if (place->shape.rank == 0)
        return text_format(e->ngc, "&%s", member);
    emit_dims(e, place->shape, &flat);
    Text t = {.ngc = e->ngc};
    text_add(&t, "%s", member);
    for (int i = 1; i < place->shape.rank && !flat && !is_input(place); i++)
        text_add(&t, "[0]");
    return t.at;
}

/* A number's own text. */
static const char *number_text(Body *b, const Place *place, const Node *n)
{
    if (place->kind == P_LOCAL)
        return place->name;
    if (place->kind == P_SPACE)
        return text_format(b->e->ngc, "%s[%lld]", space_text(b, n->type), (long long)place->offset);
    return member_text(b, place);
}

/* ---- indices ------------------------------------------------------------------------------------------------ */

static Part print_val(Printer *pr, const Val *v);

/* One term of a sum. */
static void add_term(Printer *pr, Text *t, bool minus, const char *what, Size by)
{
    const char *times = by == 1 && what ? NULL : size_factor(pr, by);
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
    return format(pr, p.prec >= 14 ? "(size_t)%s" : "(size_t)(%s)", p.text);
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

/* Splits a linear index into one for each axis of a declared array; false where some subscript might pass its bound. */
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

/* ---- elements --------------------------------------------------------------------------------------------------- */

/* The parameter for a base; made when it is first met. */
static Param *find_param(Printer *pr, const char *base, Type type, bool scalar, bool written)
{
    for (int i = 0; i < pr->params; i++)
        if (pr->param[i].type == type && pr->param[i].scalar == scalar && strcmp(pr->param[i].base, base) == 0) {
            pr->param[i].written |= written;
            return &pr->param[i];
        }
    int same = 0;
    for (int i = 0; i < pr->params; i++)
        same += pr->param[i].scalar == scalar && (scalar || pr->param[i].name[0] == (written ? 'y' : 'a'));
    pr->param = arena_grow(pr->e->ngc, pr->param, pr->params, &pr->param_room, sizeof *pr->param);
    Param *p = &pr->param[pr->params++];
    *p = (Param){base, format(pr, "%c%d", scalar ? 's' : written ? 'y' : 'a', same), type, scalar, written};
    return p;
}

/* A pointer to where x starts, which x then counts from: kernels that differ in that alone are one function. */
static const char *shifted_text(Printer *pr, const Place *place, const Node *n, Index *x)
{
    Body *b = pr->b;
    Size base = x->base.plus;
    if (base == 0 || x->base.minus != 0)
        return pointer_text(b, place, n);
    for (int i = 0; i < MAX_AXES; i++)
        if (x->axis[i].minus != 0)
            return pointer_text(b, place, n);
    x->base.plus = 0;
    if (place->kind == P_SPACE && base > 0) {
        Place at = *place;
        at.offset += base;
        return pointer_text(b, &at, n);
    }
    return format(pr, "%s + %s", pointer_text(b, place, n), emit_size(b->e, base, &b->dims));
}

/* The element at x of what lives at place. */
static const char *element_text(Printer *pr, const Place *place, const Node *n, const Index *x, bool written)
{
    Body *b = pr->b;
    if (is_number(place, n)) {
        const char *text = number_text(b, place, n);
        if (!pr->apart)
            return text;
        if (!written)
            return find_param(pr, text, n->type, true, false)->name;
    }
    if (pr->apart) {
        Index rest = x ? *x : index_zero();
        const char *pointer = shifted_text(pr, place, n, &rest);
        return format(pr, "%s[%s]", find_param(pr, pointer, n->type, false, written)->name, index_text(pr, &rest));
    }
    if (place->kind == P_DATA)
        return format(pr, "%s[%s]", pointer_text(b, place, n), index_text(pr, x));
    if (place->kind == P_SPACE) {
        Index at = x ? *x : index_zero(), off = index_zero();
        off.base.plus = place->offset;
        index_add(pr->e->graph, &at, &off, 1);
        return format(pr, "%s[%s]", space_text(b, n->type), index_text(pr, &at));
    }
    bool flat;
    Index sub[MAX_RANK];
    emit_dims(pr->e, place->shape, &flat);
    const char *member = member_text(b, place);
    if (flat || is_input(place) || place->shape.rank == 1)
        return format(pr, "%s[%s]", member, index_text(pr, x));
    if (!split_index(pr, x, place->shape, sub))
        return format(pr, "((%s%s *)%s)[%s]", written ? "" : "const ", type_name(pr->e, n->type), member, index_text(pr, x));
    Text t = {.ngc = pr->e->ngc};
    text_add(&t, "%s", member);
    for (int i = 0; i < place->shape.rank; i++)
        text_add(&t, "[%s]", index_text(pr, &sub[i]));
    return t.at;
}

/* ---- expressions -------------------------------------------------------------------------------------------------- */

/* An operand in its place in a C text: between parentheses and commas anything may stand; elsewhere what binds less tightly
 * gets parentheses, and so does a minus behind a minus. */
static const char *operand_text(Printer *pr, Part p, int prec, char before, char after, bool first)
{
    bool enclosed = (before == '(' || before == ',' || before == ' ') && (after == ')' || after == ',') && prec == 16;
    if (enclosed || p.prec == 16)
        return p.text;
    bool loose = p.prec < prec || (p.prec == prec && !first) || p.prec < 12 || (p.text[0] == '-' && before == '-');
    return loose ? format(pr, "(%s)", p.text) : p.text;
}

void emit_section(Emit *e, const char *name)
{
    name = intern_str(e->ngc, name);
    for (int i = 0; i < e->sections; i++)
        if (e->section[i] == name)
            return;
    e->section = arena_grow(e->ngc, e->section, e->sections, &e->section_room, sizeof *e->section);
    e->section[e->sections++] = name;
}

void emit_calls(Emit *e, const char *c)
{
    for (c = strstr(c, "ngrt_"); c; c = strstr(c + 1, "ngrt_")) {
        size_t n = strspn(c + 5, "abcdefghijklmnopqrstuvwxyz0123456789_");
        emit_section(e, intern(e->ngc, c + 5, n));
    }
}

/* Fills $a $b $c, @ and $t in a record's C text. An int result of a function of floats is cast, operands likewise. */
static Part fill_text(Printer *pr, const char *c, int prec, Type type, const Part *arg, const char *acc, const char *suffix)
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
            text_add(&t, "%s", type_name(e, type));
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

static Part print_guard(Printer *pr, const Val *v)
{
    const char *at = index_text(pr, v->at), *span = emit_size(pr->e, v->span, &pr->dims);
    Part inner = print_val(pr, v->arg[0]);
    const char *in = inner.prec < 4 ? format(pr, "(%s)", inner.text) : inner.text, *zero = v->type == T_INT ? "0" : emit_number(pr->e, 0, T_FLOAT);
    if (v->size > 1)
        return (Part){format(pr, "%s < %s && (%s) %% %lld == 0 ? %s : %s", at, span, at, (long long)v->size, in, zero), 3};
    return (Part){format(pr, "%s < %s ? %s : %s", at, span, in, zero), 3};
}

/* What decides a choice, without the 1 and 0 of a comparison's value; false: v is no comparison, or has a name. */
static bool print_condition(Printer *pr, const Val *v, Part *out)
{
    const char *c = v->kind == V_OP ? op_info[v->op]->c : "", *end = strstr(c, " ? 1.0@ : 0.0@");
    if (v->temp || end == NULL || end[strlen(" ? 1.0@ : 0.0@")] != '\0')
        return false;
    Part arg[3] = {{NULL, 0}};
    for (int i = 0; i < 3 && v->arg[i]; i++)
        arg[i] = print_val(pr, v->arg[i]);
    *out = fill_text(pr, text_format(pr->e->ngc, "%.*s", (int)(end - c), c), 10, T_FLOAT, arg, NULL, pr->e->suffix);
    out->prec = 12; /* a comparison needs no parentheses before a question mark */
    return true;
}

static Part print_val(Printer *pr, const Val *v)
{
    Emit *e = pr->e;
    Part arg[3] = {{NULL, 0}};
    const char *text;
    if (v->temp)
        return (Part){v->temp, 16};
    switch (v->kind) {
    case V_CONST:
        text = emit_number(e, v->value, v->type);
        return (Part){text, text[0] == '-' ? 14 : 16};
    case V_SIZE:
        text = emit_size(e, v->size, &pr->dims);
        return (Part){format(pr, strpbrk(text, " *") ? "(%s)(%s)" : "(%s)%s", type_name(e, v->type), text), 14};
    case V_LOAD: {
        Place *place = program_place(pr->b->p, v->node);
        return (Part){element_text(pr, place, v->node, v->at, false), 16};
    }
    case V_INDEX:
        text = index_text(pr, v->at);
        return (Part){format(pr, strpbrk(text, " *") ? "(int32_t)(%s)" : "(int32_t)%s", text), 14};
    case V_QUOTIENT:
        return (Part){format(pr, "(%s)/%lld", index_text(pr, v->at), (long long)v->size), 13};
    case V_GUARD:
        return print_guard(pr, v);
    case V_OP:
        break;
    }
    const char *choice = "$a != 0 ? ", *c = op_info[v->op]->c;
    for (int i = 0; i < 3 && v->arg[i]; i++)
        arg[i] = print_val(pr, v->arg[i]);
    if (strncmp(c, choice, strlen(choice)) == 0 && print_condition(pr, v->arg[0], &arg[0]))
        return fill_text(pr, text_format(e->ngc, "$a ? %s", c + strlen(choice)), op_info[v->op]->prec, v->type, arg, NULL, e->suffix);
    return fill_text(pr, op_info[v->op]->c, op_info[v->op]->prec, v->type, arg, NULL, pr->e->suffix);
}

/* ---- temporaries: what is used twice, long, or the same in every pass of an inner loop ----------------------------- */

static const char *new_temp(Printer *pr)
{
    return format(pr, "t%d", pr->apart ? pr->temps++ : pr->b->temps++);
}

/* The level at which each value is wanted by those that use it. */
static void note_user(const Val *v, int level, int *wanted, Val *const *val, int vals)
{
    for (int i = 0; v && i < vals; i++)
        if (val[i] == v && level > wanted[i])
            wanted[i] = level;
}

/* Chooses which values get a temporary, marked by an empty name until it is declared. */
static void choose_temps(Printer *pr)
{
    const Kernel *k = pr->k;
    int *wanted = arena_alloc(pr->e->ngc, (size_t)(k->vals + 1) * sizeof *wanted);
    for (int i = k->vals - 1; i >= 0; i--) {
        const Val *v = k->val[i];
        for (int a = 0; a < 3; a++)
            note_user(v->arg[a], v->level, wanted, k->val, i);
    }
    for (int s = 0; s < k->stores; s++)
        note_user(k->store[s].val, k->axes, wanted, k->val, k->vals);
    for (int i = 0; i < k->vals; i++) {
        Val *v = k->val[i];
        v->temp = NULL;
        v->ops = v->kind == V_OP;
        for (int a = 0; a < 3; a++)
            v->ops += v->arg[a] && !v->arg[a]->temp ? v->arg[a]->ops : 0;
        bool hoist = pr->apart && v->level < wanted[i];
        if (v->kind == V_OP && v->uses > 0 && (v->uses > 1 || v->ops > CUT || hoist))
            v->temp = "";
    }
    if (k->kind == K_LOOP && k->stores > 1) /* all is computed before any of it is stored: a store may write over a load */
        for (int s = 0; s < k->stores; s++)
            if (k->store[s].val->kind != V_CONST)
                k->store[s].val->temp = "";
}

/* Declares the temporaries that can be computed with so many loops open. */
static void declare_temps(Printer *pr, int level)
{
    for (int i = 0; i < pr->k->vals; i++) {
        Val *v = pr->k->val[i];
        if (v->level != level || v->temp == NULL)
            continue;
        v->temp = NULL;
        const char *text = print_val(pr, v).text;
        v->temp = new_temp(pr);
        line(pr, "const %s %s = %s;", type_name(pr->e, v->type), v->temp, text);
    }
}

/* Temporaries of the levels below belong to another copy of the loops. */
static void forget_temps(Printer *pr, int level)
{
    for (int i = 0; i < pr->k->vals; i++)
        if (pr->k->val[i]->temp && pr->k->val[i]->level >= level)
            pr->k->val[i]->temp = "";
}

/* ---- loops ------------------------------------------------------------------------------------------------------------ */

static void open_loop(Printer *pr, int axis, bool brace)
{
    const char *i = pr->loop[axis];
    line(pr, "for (size_t %s = 0; %s < %s; %s++)%s", i, i, emit_size(pr->e, pr->k->extent[axis], &pr->dims), i, brace ? " {" : "");
    pr->indent++;
}

static void close_loop(Printer *pr, bool brace)
{
    pr->indent--;
    if (brace)
        line(pr, "}");
}

/* Does level have temporaries to declare? Then its loop needs braces. */
static bool has_temps(const Printer *pr, int level)
{
    for (int i = 0; i < pr->k->vals; i++)
        if (pr->k->val[i]->level == level && pr->k->val[i]->temp)
            return true;
    return false;
}

static void print_stores(Printer *pr)
{
    for (int i = 0; i < pr->k->stores; i++) {
        const Store *s = &pr->k->store[i];
        const Place *place = s->target ? &s->target->place : program_place(pr->b->p, s->node);
        const char *value = print_val(pr, s->val).text;
        if (place->kind == P_LOCAL)
            line(pr, "const %s %s = %s;", type_name(pr->e, s->node->type), place->name, value);
        else
            line(pr, "%s %s= %s;", element_text(pr, place, s->node, s->at, true), s->add ? "+" : "", value);
    }
}

/* No reduction: one store or several in each pass. A loop whose body is one statement has no braces. */
static void print_map(Printer *pr)
{
    int n = pr->k->axes;
    declare_temps(pr, 0);
    bool brace[MAX_AXES];
    for (int i = 0; i < n; i++) {
        brace[i] = i == n - 1 ? has_temps(pr, n) || pr->k->stores > 1 : has_temps(pr, i + 1);
        open_loop(pr, i, brace[i]);
        declare_temps(pr, i + 1);
    }
    print_stores(pr);
    for (int i = n - 1; i >= 0; i--)
        close_loop(pr, brace[i]);
}

static const char *start_text(Printer *pr, Type type)
{
    const char *init = op_info[pr->k->reduce]->init;
    char *end;
    double v = strtod(init, &end);
    return *end || end == init || isinf(v) ? init : type == T_INT ? "0.0" : emit_number(pr->e, v, T_FLOAT);
}

/* acc = combine(acc, x) */
static void print_combine(Printer *pr, const char *acc, Part x, Type type)
{
    const OpInfo *info = op_info[pr->k->reduce];
    if (strcmp(info->combine, "$acc + $x") == 0) {
        line(pr, "%s += %s;", acc, x.text);
        return;
    }
    const char *suffix = type == T_INT ? "" : pr->e->suffix;
    line(pr, "%s = %s;", acc, fill_text(pr, info->combine, 16, T_FLOAT, &x, acc, suffix).text);
}

static int first_of(const Kernel *k, AxisKind kind)
{
    int i = 0;
    while (i < k->axes && k->axis[i] < kind)
        i++;
    return i;
}

/* Stores an accumulated result: into memory, as the function's value, or it is the variable itself. */
static void print_result(Printer *pr, const char *acc)
{
    const Store *s = &pr->k->store[0];
    const Place *place = program_place(pr->b->p, s->node);
    const char *value = s->node->type == T_INT && op_info[pr->k->reduce]->combine ? format(pr, "(int32_t)%s", acc) : acc;
    if (place->kind == P_LOCAL && !pr->apart && strcmp(place->name, acc) == 0)
        return;
    if (place->kind == P_LOCAL && !pr->apart)
        line(pr, "const %s %s = %s;", type_name(pr->e, s->node->type), place->name, value);
    else if (pr->apart && is_number(place, s->node))
        line(pr, "return %s;", value);
    else
        line(pr, "%s = %s;", element_text(pr, place, s->node, s->at, true), value);
}

/* The index of the first of the largest. */
static void print_argmax(Printer *pr, int lead, const char *at)
{
    const Kernel *k = pr->k;
    const Val *v = k->store[0].val;
    line(pr, "int32_t %s = 0;", at);
    if (lead == k->axes)
        return;
    const char *best = new_temp(pr), *x = new_temp(pr);
    line(pr, "%s %s = %s;", type_name(pr->e, v->type), best, emit_number(pr->e, 0, v->type));
    open_loop(pr, lead, true);
    declare_temps(pr, lead + 1);
    line(pr, "const %s %s = %s;", type_name(pr->e, v->type), x, print_val(pr, v).text);
    line(pr, "if (%s == 0 || %s > %s) {", pr->loop[lead], x, best);
    line(pr, "    %s = %s;", best, x);
    line(pr, "    %s = (int32_t)%s;", at, pr->loop[lead]);
    line(pr, "}");
    close_loop(pr, true);
}

/* The loops over reduced axes from axis on, down to the fold. */
static void print_fold(Printer *pr, int axis, const char *acc)
{
    const Kernel *k = pr->k;
    Type type = k->store[0].node->type;
    if (axis == k->axes) {
        Part x = print_val(pr, k->store[0].val);
        if (type == T_INT)
            x = (Part){format(pr, x.prec >= 14 ? "(double)%s" : "(double)(%s)", x.text), 14};
        print_combine(pr, acc, x, type);
        return;
    }
    bool brace = has_temps(pr, axis + 1);
    open_loop(pr, axis, brace);
    declare_temps(pr, axis + 1);
    print_fold(pr, axis + 1, acc);
    close_loop(pr, brace);
}

/* A long fold over neighbours: several partial results, so that a C compiler can compute them side by side. */
static bool is_long(const Printer *pr)
{
    const Kernel *k = pr->k;
    int last = k->axes - 1;
    bool near = false;
    for (int i = 0; i < k->vals; i++)
        near |= k->val[i]->at && k->val[i]->at->axis[last].plus == 1;
    return pr->apart && near && k->store[0].node->type == T_FLOAT && size_max(pr->e->graph, k->extent[last]) >= LONG;
}

static void print_lanes(Printer *pr, int first, const char *acc)
{
    const Kernel *k = pr->k;
    int last = k->axes - 1;
    const char *lane = new_temp(pr), *i = pr->loop[last], *j = format(pr, "j%d", last), *n = emit_size(pr->e, k->extent[last], &pr->dims);
    line(pr, "%s %s[%d];", pr->e->real, lane, LANES);
    line(pr, "for (size_t l = 0; l < %d; l++)", LANES);
    line(pr, "    %s[l] = %s;", lane, start_text(pr, T_FLOAT));
    for (int a = first; a < last; a++) {
        open_loop(pr, a, true);
        declare_temps(pr, a + 1);
    }
    Size extent = k->extent[last], whole = extent - extent % LANES; /* a known extent tells what is left over */
    if (extent > 0) {
        line(pr, "for (size_t %s = 0; %s < %lld; %s += %d)", j, j, (long long)whole, j, LANES);
    } else {
        line(pr, "size_t %s = 0;", j);
        line(pr, "for (; %s + %d <= %s; %s += %d)", j, LANES, n, j, LANES);
    }
    line(pr, "    for (size_t l = 0; l < %d; l++) {", LANES);
    pr->indent += 2;
    line(pr, "const size_t %s = %s + l;", i, j);
    declare_temps(pr, k->axes);
    print_combine(pr, format(pr, "%s[l]", lane), print_val(pr, k->store[0].val), T_FLOAT);
    forget_temps(pr, k->axes);
    pr->indent -= 2;
    line(pr, "    }");
    if (extent < 0 || extent > whole) {
        if (extent > 0)
            line(pr, "for (size_t %s = %lld; %s < %s; %s++) {", i, (long long)whole, i, n, i);
        else
            line(pr, "for (; %s < %s; %s++) {", j, n, j);
        pr->indent++;
        if (extent < 0)
            line(pr, "const size_t %s = %s;", i, j);
        declare_temps(pr, k->axes);
        print_combine(pr, format(pr, "%s[0]", lane), print_val(pr, k->store[0].val), T_FLOAT);
        close_loop(pr, true);
    }
    for (int a = first; a < last; a++)
        close_loop(pr, true);
    line(pr, "%s %s = %s[0];", pr->e->real, acc, lane);
    line(pr, "for (size_t l = 1; l < %d; l++)", LANES);
    pr->indent++;
    print_combine(pr, acc, (Part){format(pr, "%s[l]", lane), 16}, T_FLOAT);
    pr->indent--;
}

/* Each result is folded in a variable. */
static void print_rows(Printer *pr)
{
    const Kernel *k = pr->k;
    int lead = first_of(k, AX_REDUCE);
    const Node *n = k->store[0].node;
    declare_temps(pr, 0);
    for (int i = 0; i < lead; i++) {
        open_loop(pr, i, true);
        declare_temps(pr, i + 1);
    }
    const Place *place = program_place(pr->b->p, n);
    bool own = place->kind == P_LOCAL && !pr->apart && n->type == T_FLOAT;
    const char *acc = own ? place->name : new_temp(pr);
    if (op_info[k->reduce]->combine == NULL) {
        print_argmax(pr, lead, acc);
    } else if (lead < k->axes && is_long(pr)) {
        print_lanes(pr, lead, acc);
    } else {
        line(pr, "%s %s = %s;", n->type == T_INT ? "double" : pr->e->real, acc, start_text(pr, n->type));
        print_fold(pr, lead, acc);
    }
    print_result(pr, acc);
    for (int i = lead - 1; i >= 0; i--)
        close_loop(pr, true);
}

/* Rows are folded into the row of results. */
static void print_columns(Printer *pr)
{
    const Kernel *k = pr->k;
    int lead = first_of(k, AX_REDUCE), trail = first_of(k, AX_TRAIL);
    const Store *s = &k->store[0];
    declare_temps(pr, 0);
    for (int i = 0; i < lead; i++) {
        open_loop(pr, i, true);
        declare_temps(pr, i + 1);
    }
    const Place *place = program_place(pr->b->p, s->node);
    for (int i = trail; i < k->axes; i++)
        open_loop(pr, i, false);
    line(pr, "%s = %s;", element_text(pr, place, s->node, s->at, true), start_text(pr, T_FLOAT));
    for (int i = trail; i < k->axes; i++)
        close_loop(pr, false);
    bool brace[MAX_AXES];
    for (int i = lead; i < k->axes; i++) {
        brace[i] = has_temps(pr, i + 1);
        open_loop(pr, i, brace[i]);
        declare_temps(pr, i + 1);
    }
    print_combine(pr, element_text(pr, place, s->node, s->at, true), print_val(pr, s->val), T_FLOAT);
    for (int i = k->axes - 1; i >= lead; i--)
        close_loop(pr, brace[i]);
    for (int i = lead - 1; i >= 0; i--)
        close_loop(pr, true);
}

static bool is_reduction(const Kernel *k)
{
    return op_info[k->reduce]->flags & F_REDUCE;
}

static void print_loops(Printer *pr)
{
    const Kernel *k = pr->k;
    static const char *const names[] = {"i", "j", "k", "l"};
    for (int i = 0; i < MAX_AXES; i++)
        pr->loop[i] = !pr->apart && i < 4 ? names[i] : format(pr, "i%d", i);
    choose_temps(pr);
    if (!is_reduction(k))
        print_map(pr);
    else if (k->axes > 0 && k->axis[k->axes - 1] == AX_TRAIL)
        print_columns(pr);
    else
        print_rows(pr);
}

/* ---- kernels as functions ------------------------------------------------------------------------------------------------- */

/* "sum", "relu": what the function is called but for its number. */
static const char *kernel_word(const Kernel *k)
{
    if (is_reduction(k))
        return op_info[k->reduce]->name;
    if (k->store[0].add)
        return "scatter";
    if (k->stores > 1)
        return "map";
    const Val *v = k->store[0].val;
    return v->kind == V_OP ? op_info[v->op]->name : v->kind == V_CONST ? "fill" : "copy";
}

/* The name of the function with this body, which is printed if it is new. */
static const char *find_kernel(Emit *e, const char *result, const char *word, const char *body)
{
    for (int i = 0; i < e->kernel_count; i++)
        if (strcmp(e->kernel[i].body, body) == 0)
            return e->kernel[i].name;
    const char *name = text_format(e->ngc, "%s_%d", word, e->kernel_count + 1);
    e->kernel = arena_grow(e->ngc, e->kernel, e->kernel_count, &e->kernel_room, sizeof *e->kernel);
    e->kernel[e->kernel_count].body = body;
    e->kernel[e->kernel_count++].name = name;
    text_add(&e->kernels, "static %s %s%s\n", result, name, body);
    return name;
}

/* Adds to a list, on a new line where the last is full. */
static void add_item(Text *t, const char *comma, const char *item)
{
    size_t column = t->size;
    for (size_t i = 0; i < t->size; i++)
        if (t->at[i] == '\n')
            column = t->size - 1 - i;
    bool full = *comma && column + strlen(item) > 90;
    text_add(t, "%s%s", full ? ",\n        " : comma, item);
}

/* Prints the loops as a function, and its call. */
static void print_apart(Body *b, const Kernel *k)
{
    Emit *e = b->e;
    Text inner = {.ngc = e->ngc}, head = {.ngc = e->ngc}, call = {.ngc = e->ngc};
    Printer pr = {.b = b, .e = e, .k = k, .out = &inner, .indent = 1, .apart = true};
    const Place *place = k->store[0].target ? &k->store[0].target->place : program_place(b->p, k->store[0].node);
    bool number = is_reduction(k) && is_number(place, k->store[0].node);
    const char *result = number ? type_name(e, k->store[0].node->type) : "void", *comma = "";
    for (int i = 0; i < k->stores && !number; i++) { /* results come first, as in memcpy */
        const Place *to = k->store[i].target ? &k->store[i].target->place : program_place(b->p, k->store[i].node);
        Index rest = k->store[i].at ? *k->store[i].at : index_zero();
        find_param(&pr, shifted_text(&pr, to, k->store[i].node, &rest), k->store[i].node->type, false, true);
    }
    print_loops(&pr);
    b->dims |= pr.dims;
    text_add(&head, "(");
    for (int i = 0; i < e->graph->dims; i++)
        if (pr.dims >> i & 1) {
            add_item(&head, comma, text_format(e->ngc, "size_t %s%s", e->dim_prefix, e->graph->dim[i].name));
            add_item(&call, comma, text_format(e->ngc, "%s%s", e->dim_prefix, e->graph->dim[i].name));
            comma = ", ";
        }
    for (int i = 0; i < pr.params; i++) {
        const Param *p = &pr.param[i];
        const char *type = type_name(e, p->type);
        if (p->scalar)
            add_item(&head, comma, text_format(e->ngc, "%s %s", type, p->name));
        else
            add_item(&head, comma, text_format(e->ngc, "%s%s *restrict %s", p->written ? "" : "const ", type, p->name));
        add_item(&call, comma, p->base);
        comma = ", ";
    }
    text_add(&head, "%s)\n{\n%s}\n", *comma ? "" : "void", inner.at);
    const char *name = find_kernel(e, result, kernel_word(k), head.at);
    if (!number)
        text_add(&b->text, "    %s(%s);\n", name, call.at ? call.at : "");
    else if (place->kind == P_LOCAL)
        text_add(&b->text, "    const %s %s = %s(%s);\n", result, place->name, name, call.at ? call.at : "");
    else
        text_add(&b->text, "    %s = %s(%s);\n", number_text(b, place, k->store[0].node), name, call.at ? call.at : "");
}

static void print_here(Body *b, const Kernel *k)
{
    Printer pr = {.b = b, .e = b->e, .k = k, .out = &b->text, .indent = 1};
    print_loops(&pr);
    b->dims |= pr.dims;
}

/* ---- calls of the runtime ---------------------------------------------------------------------------------------------------- */

static const char *int_text(Printer *pr, Size s)
{
    const char *text = emit_size(pr->e, s, &pr->dims);
    return s >= 0 ? text : format(pr, strpbrk(text, " *") ? "(int)(%s)" : "(int)%s", text);
}

static const char *shifted(Printer *pr, const char *pointer, Size stride)
{
    return format(pr, "%s + i*%s", pointer, size_factor(pr, stride));
}

/* C = onto + alpha A B, once for each matrix of a batch. */
static void print_gemm(Body *b, const Kernel *k)
{
    Emit *e = b->e;
    Graph *g = e->graph;
    Printer pr = {.b = b, .e = e, .k = k, .out = &b->text, .indent = 1};
    const Node *x = k->product, *a = x->arg[0], *c = k->store[0].node;
    int r = x->shape.rank;
    Size m = x->shape.dim[r - 2], n = x->shape.dim[r - 1], inner = a->shape.dim[r - 1 - x->attr.ta], batch = 1;
    const Place *place = program_place(b->p, c);
    const char *to = pointer_text(b, place, c), *alpha = emit_number(e, 1, T_FLOAT), *beta = emit_number(e, k->onto != NULL, T_FLOAT);
    const char *pa = pointer_text(b, program_place(b->p, a), program_holder(b->p, a));
    const char *pb = pointer_text(b, program_place(b->p, x->arg[1]), program_holder(b->p, x->arg[1]));
    choose_temps(&pr);
    declare_temps(&pr, 0);
    if (k->alpha)
        alpha = print_val(&pr, k->alpha).text;
    if (k->onto) {
        const char *from = pointer_text(b, program_place(b->p, k->onto), program_holder(b->p, k->onto));
        Size count = shape_count(g, c->shape);
        if (strcmp(from, to) != 0)
            line(&pr, "memcpy(%s, %s, %s*sizeof(%s));", to, from, size_factor(&pr, count), e->real);
    }
    for (int i = 0; i < r - 2; i++)
        batch = size_mul(g, batch, x->shape.dim[i]);
    if (batch != 1) {
        line(&pr, "for (size_t i = 0; i < %s; i++)", emit_size(e, batch, &pr.dims));
        pr.indent++;
        pa = shifted(&pr, pa, size_mul(g, m, inner));
        pb = shifted(&pr, pb, size_mul(g, inner, n));
        to = shifted(&pr, to, size_mul(g, m, n));
    }
    const char *call = e->ngc->opt.real_double ? "dgemm" : "sgemm";
    emit_section(e, call);
    line(&pr, "ngrt_%s(%d, %d, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s);", call, x->attr.ta, x->attr.tb, int_text(&pr, m),
         int_text(&pr, n), int_text(&pr, inner), alpha, pa, int_text(&pr, x->attr.ta ? m : inner), pb,
         int_text(&pr, x->attr.tb ? inner : n), beta, to, int_text(&pr, n));
    b->dims |= pr.dims;
}

static void print_random(Body *b, const Kernel *k)
{
    static const char *const name[] = {[RANDOM_UNIFORM] = "uniform", [RANDOM_NORMAL] = "normal", [RANDOM_TRUNCATED] = "truncated"};
    Emit *e = b->e;
    Printer pr = {.b = b, .e = e, .k = k, .out = &b->text, .indent = 1};
    const Node *n = k->store[0].node;
    const char *call = text_format(e->ngc, "%s%s", name[n->attr.kind], e->suffix);
    const char *to = pointer_text(b, program_place(b->p, n), n);
    emit_section(e, call);
    line(&pr, "ngrt_%s(%s, %s, %s, %d, %s, %s);", call, to, emit_size(e, shape_count(e->graph, n->shape), &pr.dims),
         b->p->init ? "seed" : "0", n->attr.axis, shortest(e->ngc, n->attr.value, false), shortest(e->ngc, n->attr.value2, false));
    b->blocks |= b->p->init ? USES_SEED : 0;
    b->dims |= pr.dims;
}

void emit_kernel(Body *b, const Kernel *k)
{
    for (int i = 0; i < k->stores; i++) {
        Place *place = k->store[i].target ? &k->store[i].target->place : program_place(b->p, k->store[i].node);
        if (place->kind == P_LOCAL && place->name == NULL)
            place->name = text_format(b->e->ngc, "t%d", b->temps++);
    }
    if (k->kind == K_GEMM)
        print_gemm(b, k);
    else if (k->kind == K_RANDOM)
        print_random(b, k);
    else if (k->axes == 0 || b->e->plain || b->p->init)
        print_here(b, k);
    else
        print_apart(b, k);
}
