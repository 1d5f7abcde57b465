/* emit_loops.c - prints the loops of a kernel: its temporaries, the passes over vectors and those
 * left over, and what reductions do. At -O2 they speak of a function's parameters, at -O0 of the
 * model's names. */
#include "emit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CUT = 12,    /* operators in one expression */
    BLOCK = 16,  /* vectors in a block of a long sum */
    TALL = 64,   /* rows in a block of columns' sums */
    BROAD = 256, /* columns that are summed at a time */
};

/* ---- temporaries: what is used twice, long, or the same in every pass of an inner loop ---- */

static const char *new_temp(Printer *pr)
{
    return print_format(pr, "t%d", pr->apart ? pr->temps++ : pr->b->temps++);
}

/* The level at which each value is wanted by those that use it. */
static void note_user(const Val *v, int level, int *wanted, Val *const *val, int vals)
{
    for (int i = 0; v && i < vals; i++)
        if (val[i] == v && level > wanted[i])
            wanted[i] = level;
}

/* Text for vectors may say an operand twice, and one such text cannot be within another: it and its
 * operands are names. */
static void name_operands(Printer *pr, Val *v)
{
    if (strncmp(op_vec(pr->b->p, v), "NGRT_", 5) != 0)
        return;

    if (!op_info[v->op]->test)
        v->temp = "";

    for (int i = 0; i < 3 && v->arg[i]; i++) {
        Val *arg = v->arg[i];
        bool asked = v->op == OP_where && i == 0 && op_info[arg->op]->test;
        if (arg->kind == V_OP && arg->uses > 0 && !asked)
            arg->temp = "";
    }
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
        v->temp = v->test = NULL;
        v->ops = v->kind == V_OP;
        for (int a = 0; a < 3; a++)
            v->ops += v->arg[a] && !v->arg[a]->temp ? v->arg[a]->ops : 0;
        bool hoist = pr->apart && v->level < wanted[i];
        if (v->kind == V_OP && v->uses > 0 && (v->uses > 1 || v->ops > CUT || hoist))
            v->temp = "";
        if (v->kind == V_LOAD && v->uses > 0 && hoist &&
            !place_is_number(program_place(pr->b->p, v->node), v->node))
            v->temp = "";
        if (k->vector && v->kind == V_OP && v->uses > 0 && val_is_inner(k, v))
            name_operands(pr, v);
    }
    if (k->kind == K_LOOP &&
        k->stores >
            1) /* all is computed before any of it is stored: a store may write over a load */
        for (int s = 0; s < k->stores; s++)
            if (k->store[s].val->kind != V_CONST)
                k->store[s].val->temp = "";
}

/* Is what a guard asks answered with so many loops open, and used in more? Only of loop variables:
 * what is loaded may itself be guarded. */
static bool is_test(const Printer *pr, const Val *v, int level)
{
    return pr->apart && v->kind == V_GUARD && v->live && level > 0 && v->test_level == level &&
           v->level > level && v->at->parts == 0;
}

/* The answer of guard number i, or of an earlier one that asks the same. */
static void declare_test(Printer *pr, Val *v, int i)
{
    for (int j = 0; j < i; j++) {
        const Val *w = pr->k->val[j];
        if (is_test(pr, w, v->test_level) && w->size == v->size && w->span == v->span &&
            index_equal(w->at, v->at)) {
            v->test = w->test;
            return;
        }
    }
    const char *text = print_test(pr, v);
    v->test = new_temp(pr);
    print_line(pr, "const int %s = %s;", v->test, text);
}

/* Declares the temporaries that can be computed with so many loops open. */
static void declare_temps(Printer *pr, int level)
{
    for (int i = 0; i < pr->k->vals; i++) {
        Val *v = pr->k->val[i];
        if (is_test(pr, v, level))
            declare_test(pr, v, i);
        if (v->level != level || v->temp == NULL)
            continue;
        v->temp = NULL;
        const char *text = print_val(pr, v).text;
        v->temp = new_temp(pr);
        print_line(pr, "const %s %s = %s;", print_val_type(pr, v), v->temp, text);
    }
}

void print_temps(Printer *pr)
{
    choose_temps(pr);
    declare_temps(pr, 0);
}

/* Temporaries of the levels below belong to another copy of the loops. */
static void forget_temps(Printer *pr, int level)
{
    for (int i = 0; i < pr->k->vals; i++)
        if (pr->k->val[i]->temp && pr->k->val[i]->level >= level)
            pr->k->val[i]->temp = "";
}

/* ---- loops ---- */

/* Where the passes of a loop begin and end. */
static const char *loop_start(const Printer *pr, int axis)
{
    return pr->k->split == axis + 1 ? "from" : "0";
}

static const char *loop_end(Printer *pr, int axis)
{
    return pr->k->split == axis + 1 ? "to" : emit_size(pr->e, pr->k->extent[axis], &pr->dims);
}

static void open_range(Printer *pr, const char *i, const char *from, const char *to, bool brace)
{
    print_line(pr, "for (size_t %s = %s; %s < %s; %s++)%s", i, from, i, to, i, brace ? " {" : "");
    pr->indent++;
}

static void open_loop(Printer *pr, int axis, bool brace)
{
    open_range(pr, pr->loop[axis], loop_start(pr, axis), loop_end(pr, axis), brace);
}

static void close_loop(Printer *pr, bool brace)
{
    pr->indent--;
    if (brace)
        print_line(pr, "}");
}

/* Does level have temporaries to declare? Then its loop needs braces. */
static bool has_temps(const Printer *pr, int level)
{
    for (int i = 0; i < pr->k->vals; i++)
        if ((pr->k->val[i]->level == level && pr->k->val[i]->temp) ||
            is_test(pr, pr->k->val[i], level))
            return true;
    return false;
}

/* The loops over axes first .. last - 1, each with its temporaries. */
static void open_loops(Printer *pr, int first, int last, bool *brace)
{
    for (int i = first; i < last; i++) {
        brace[i] = has_temps(pr, i + 1) || (pr->k->vector && i + 1 == pr->k->axes - 1);
        open_loop(pr, i, brace[i]);
        declare_temps(pr, i + 1);
    }
}

static void close_loops(Printer *pr, int first, int last, const bool *brace)
{
    for (int i = last - 1; i >= first; i--)
        close_loop(pr, brace[i]);
}

/* What one pass of the innermost loop does; `to` is where. */
typedef void PassText(Printer *pr, const char *to);

/* The passes of the innermost loop that whole vectors hold, from `from` up to `to`, by vectors;
 * text before and after it. */
static void print_vector_passes(Printer *pr, const char *before, const char *from, const char *to,
                                PassText *pass, const char *acc, const char *after)
{
    const char *i = pr->loop[pr->k->axes - 1];

    print_line(pr, "%sfor (size_t %s = %s; %s < %s; %s += NGRT_LANES) {", before, i, from, i, to,
               i);
    pr->indent++;
    pr->vector = true;
    declare_temps(pr, pr->k->axes);
    pass(pr, acc);
    forget_temps(pr, pr->k->axes);
    pr->vector = false;
    pr->indent--;
    print_line(pr, "}%s", after);
}

/* Where those end. */
static const char *whole_end(Printer *pr, const char *from, const char *to)
{
    if (strcmp(from, "0") == 0)
        return print_format(pr, "NGRT_WHOLE(%s)", to);
    return print_format(pr, "%s + NGRT_WHOLE(%s - %s)", from, to, from);
}

/* The passes from `from` up to `to`, one at a time. */
static void print_single_passes(Printer *pr, const char *from, const char *to, bool brace,
                                PassText *pass, const char *acc)
{
    brace |= has_temps(pr, pr->k->axes);
    open_range(pr, pr->loop[pr->k->axes - 1], from, to, brace);
    declare_temps(pr, pr->k->axes);
    pass(pr, acc);
    close_loop(pr, brace);
}

/* All passes from `from` up to `to`: by vectors, and what these leave over. */
static void print_range(Printer *pr, const char *from, const char *to, bool brace, PassText *pass,
                        const char *acc)
{
    if (pr->k->vector) {
        const char *whole = whole_end(pr, from, to);
        print_vector_passes(pr, "NGRT_VECTORS(", from, whole, pass, acc, ")");
        from = whole;
    }

    print_single_passes(pr, from, to, brace, pass, acc);
}

static void print_passes(Printer *pr, bool brace, PassText *pass, const char *acc)
{
    int last = pr->k->axes - 1;

    print_range(pr, loop_start(pr, last), loop_end(pr, last), brace, pass, acc);
}

/* Is the result declared where it is computed? */
static bool is_variable(const Place *place)
{
    return place->kind == P_LOCAL || (place->kind == P_ROW && place->offset <= 1);
}

/* An element, or the vector that begins with it, to be stored. */
static const char *stored_text(Printer *pr, const char *element, Type type)
{
    if (!pr->vector)
        return element;
    return print_format(pr, type == T_INT ? "NGRT_STORE_INT(%s)" : "NGRT_STORE(%s)", element);
}

static void print_stores(Printer *pr, const char *to)
{
    (void)to;
    for (int i = 0; i < pr->k->stores; i++) {
        const Store *s = &pr->k->store[i];
        const Place *place = store_place(pr->b->p, s);
        const char *value = print_val(pr, s->val).text;

        if (pr->vector && !val_is_inner(pr->k, s->val))
            value = print_format(pr, s->node->type == T_INT ? "NGRT_EACH_INT(%s)" : "NGRT_EACH(%s)",
                                 value);

        if (is_variable(place))
            print_line(pr, "const %s %s = %s;", print_type(pr->e, s->node->type), place->name,
                       value);
        else
            print_line(pr, "%s %s= %s;",
                       stored_text(pr, print_element(pr, place, s->node, s->at, true),
                                   s->node->type),
                       s->add ? "+" : "", value);
    }
}

/* No reduction: one store or several in each pass of the loops over the axes after lead. */
static void print_map(Printer *pr, int lead)
{
    int last = pr->k->axes - 1;
    bool brace[MAX_AXES];

    if (lead > last) {
        print_stores(pr, NULL);
        return;
    }

    open_loops(pr, lead, last, brace);
    print_passes(pr, pr->k->stores > 1, print_stores, NULL);
    close_loops(pr, lead, last, brace);
}

static const char *start_text(Printer *pr, Type type)
{
    const char *init = op_info[pr->k->reduce]->init;
    char *end;
    double v = strtod(init, &end);
    return *end || end == init || isinf(v) ? init
           : type == T_INT                 ? "0.0"
                                           : emit_number(pr->e, v, T_FLOAT);
}

/* acc = combine(acc, x) */
void print_combine(Printer *pr, const char *acc, Part x, Type type)
{
    const OpInfo *info = op_info[pr->k->reduce];
    const char *combine = pr->vector ? info->combine_vec : info->combine;

    if (strcmp(combine, "$acc + $x") == 0) {
        print_line(pr, "%s += %s;", acc, x.text);
        return;
    }
    const char *suffix = type == T_INT ? "" : pr->e->suffix;
    print_line(pr, "%s = %s;", acc, print_fill(pr, combine, 16, T_FLOAT, &x, acc, suffix).text);
}

static int first_of(const Kernel *k, AxisKind kind)
{
    int i = 0;
    while (i < k->axes && k->axis[i] < kind)
        i++;
    return i;
}

static bool is_long_sum(const Printer *pr)
{
    return kernel_sums_many(pr->b->p, pr->k);
}

static bool is_double(const Printer *pr)
{
    return pr->k->store[0].node->type == T_INT || is_long_sum(pr);
}

/* Stores an accumulated result: into memory, as the function's value, or it is the variable itself.
 */
static void print_result(Printer *pr, const char *acc)
{
    const Store *s = &pr->k->store[0];
    const Place *place = program_place(pr->b->p, s->node);
    const char *value = acc;

    if (s->node->type == T_INT && op_info[pr->k->reduce]->combine)
        value = print_format(pr, "(int32_t)%s", acc);
    else if (is_long_sum(pr))
        value = print_format(pr, "(%s)%s", pr->e->real, acc);

    if (place->kind == P_LOCAL && !pr->apart && strcmp(place->name, acc) == 0)
        return;
    if (place->kind == P_ROW ? place->offset <= 1 : place->kind == P_LOCAL && !pr->apart)
        print_line(pr, "const %s %s = %s;", print_type(pr->e, s->node->type), place->name, value);
    else if (pr->apart && place_is_number(place, s->node))
        print_line(pr, "return %s;", value);
    else
        print_line(pr, "%s = %s;", print_element(pr, place, s->node, s->at, true), value);
}

/* The index of the first of the largest; a NaN is larger than any number. */
static void print_argmax(Printer *pr, int lead, const char *at)
{
    const Kernel *k = pr->k;
    const Val *v = k->store[0].val;
    print_line(pr, "int32_t %s = 0;", at);
    if (lead == k->axes)
        return;
    const char *best = new_temp(pr), *x = new_temp(pr);
    print_line(pr, "%s %s = %s;", print_type(pr->e, v->type), best, emit_number(pr->e, 0, v->type));
    open_loop(pr, lead, true);
    declare_temps(pr, lead + 1);
    print_line(pr, "const %s %s = %s;", print_type(pr->e, v->type), x, print_val(pr, v).text);
    print_line(pr, "if (%s == 0 || %s > %s || (%s != %s && %s == %s)) {", pr->loop[lead], x, best,
               x, x, best, best);
    print_line(pr, "    %s = %s;", best, x);
    print_line(pr, "    %s = (int32_t)%s;", at, pr->loop[lead]);
    print_line(pr, "}");
    close_loop(pr, true);
}

/* ---- a result folded in a variable ---- */

static Part as_double(Printer *pr, Part x)
{
    return (Part){print_format(pr, x.prec >= 14 ? "(double)%s" : "(double)(%s)", x.text), 14};
}

static void print_fold_step(Printer *pr, const char *acc)
{
    Type type = pr->k->store[0].node->type;
    Part x = print_val(pr, pr->k->store[0].val);

    print_combine(pr, acc, is_double(pr) && !pr->vector ? as_double(pr, x) : x, type);
}

/* The loops over reduced axes from axis on, down to the fold. */
static void print_fold(Printer *pr, int axis, const char *acc)
{
    int last = pr->k->axes - 1;
    bool brace[MAX_AXES];

    if (axis > last) {
        print_fold_step(pr, acc);
        return;
    }

    open_loops(pr, axis, last, brace);
    print_single_passes(pr, loop_start(pr, last), loop_end(pr, last), false, print_fold_step, acc);
    close_loops(pr, axis, last, brace);
}

/* acc takes in all lanes of a vector. */
static void print_lanes(Printer *pr, const char *before, const char *acc, const char *lanes,
                        const char *after)
{
    print_line(pr, "%sfor (size_t l = 0; l < NGRT_LANES; l++) {", before);
    pr->indent++;
    Part lane = {print_format(pr, "%s[l]", lanes), 16};
    print_combine(pr, acc, is_double(pr) ? as_double(pr, lane) : lane, T_FLOAT);
    pr->indent--;
    print_line(pr, "}%s", after);
}

static void declare_lanes(Printer *pr, const char *lanes)
{
    print_line(pr, "ngrt_v %s = NGRT_EACH(%s);", lanes, start_text(pr, T_FLOAT));
}

/* A long innermost loop's vectors in blocks, so that few floats are added to one before it goes to
 * the double. */
static void print_blocks_of_vectors(Printer *pr, const char *whole, const char *lanes,
                                    const char *acc)
{
    int last = pr->k->axes - 1;
    const char *from = loop_start(pr, last), *j = print_format(pr, "j%d", pr->temps++),
               *end = print_format(pr, "e%d", pr->temps++);

    print_line(pr, "NGRT_VECTORS(for (size_t %s = %s; %s < %s; %s += %d*NGRT_LANES) {", j, from, j,
               whole, j, BLOCK);
    pr->indent++;
    print_line(pr, "const size_t %s = %s - %s < %d*NGRT_LANES ? %s : %s + %d*NGRT_LANES;", end,
               whole, j, BLOCK, whole, j, BLOCK);
    declare_lanes(pr, lanes);
    print_vector_passes(pr, "", j, end, print_fold_step, lanes, "");
    print_lanes(pr, "", acc, lanes, "");
    pr->indent--;
    print_line(pr, "})");
}

/* The same as print_fold, with the innermost loop in vectors. */
static void print_vector_fold(Printer *pr, int first, const char *acc)
{
    int last = pr->k->axes - 1;
    const char *lanes = new_temp(pr), *from = loop_start(pr, last), *to = loop_end(pr, last),
               *whole = whole_end(pr, from, to);
    bool blocks = is_long_sum(pr), brace[MAX_AXES];

    if (!blocks)
        print_line(pr, "NGRT_VECTORS(ngrt_v %s = NGRT_EACH(%s);)", lanes, start_text(pr, T_FLOAT));
    open_loops(pr, first, last, brace);

    if (blocks)
        print_blocks_of_vectors(pr, whole, lanes, acc);
    else
        print_vector_passes(pr, "NGRT_VECTORS(", from, whole, print_fold_step, lanes, ")");
    print_single_passes(pr, whole, to, false, print_fold_step, acc);

    close_loops(pr, first, last, brace);
    if (!blocks)
        print_lanes(pr, "NGRT_VECTORS(", acc, lanes, ")");
}

/* A result is folded in a variable. */
static void print_fold_row(Printer *pr, int lead)
{
    const Kernel *k = pr->k;
    const Node *n = k->store[0].node;
    const Place *place = program_place(pr->b->p, n);
    bool whole = is_double(pr), own = place->kind == P_LOCAL && !pr->apart && !whole;
    const char *acc = own ? place->name : new_temp(pr);

    if (op_info[k->reduce]->combine == NULL) {
        print_argmax(pr, lead, acc);
        print_result(pr, acc);
        return;
    }

    print_line(pr, "%s %s = %s;", whole ? "double" : pr->e->real, acc,
               start_text(pr, whole ? T_INT : T_FLOAT));
    if (k->vector)
        print_vector_fold(pr, lead, acc);
    else
        print_fold(pr, lead, acc);
    print_result(pr, acc);
}

static void print_rows(Printer *pr)
{
    int lead = first_of(pr->k, AX_REDUCE);

    for (int i = 0; i < lead; i++) {
        open_loop(pr, i, true);
        declare_temps(pr, i + 1);
    }
    print_fold_row(pr, lead);
    for (int i = lead - 1; i >= 0; i--)
        close_loop(pr, true);
}

/* ---- rows folded into a row of results ---- */

static const char *result_text(Printer *pr)
{
    const Store *s = &pr->k->store[0];
    return print_element(pr, program_place(pr->b->p, s->node), s->node, s->at, true);
}

/* The row of results before anything is added. */
static void print_start(Printer *pr)
{
    const Kernel *k = pr->k;
    int trail = first_of(k, AX_TRAIL);

    for (int i = trail; i < k->axes; i++)
        open_loop(pr, i, false);
    print_line(pr, "%s = %s;", result_text(pr), start_text(pr, T_FLOAT));
    for (int i = trail; i < k->axes; i++)
        close_loop(pr, false);
}

/* One term goes to its result, or to the sum `to` in place of it. */
static void print_add_step(Printer *pr, const char *to)
{
    Part term = print_val(pr, pr->k->store[0].val); /* its params come first */

    if (pr->vector && !val_is_inner(pr->k, pr->k->store[0].val))
        term = (Part){print_format(pr, "NGRT_EACH(%s)", term.text), 16};
    print_combine(pr, stored_text(pr, to ? to : result_text(pr), T_FLOAT), term, T_FLOAT);
}

/* What the loops over the axes after `from` add to the row of results, or of sums `to`. */
static void print_add(Printer *pr, int from, const char *to)
{
    int last = pr->k->axes - 1;
    bool brace[MAX_AXES];

    open_loops(pr, from, last, brace);
    print_passes(pr, false, print_add_step, to);
    close_loops(pr, from, last, brace);
}

/* Sums of many rows: BROAD columns at a time, TALL rows at a time in floats, whose sums are added
 * in double. */
static void print_tall(Printer *pr, int first)
{
    const Kernel *k = pr->k;
    int last = k->axes - 1;
    const char *j = pr->loop[last], *i = pr->loop[first], *to = loop_end(pr, last),
               *rows = loop_end(pr, first);
    bool brace[MAX_AXES];

    print_line(pr, "for (size_t c = %s; c < %s; c += %d) {", loop_start(pr, last), to, BROAD);
    pr->indent++;
    print_line(pr, "const size_t end = %s - c < %d ? %s : c + %d;", to, BROAD, to, BROAD);
    print_line(pr, "double total[%d];", BROAD);
    print_line(pr, "for (size_t %s = c; %s < end; %s++)", j, j, j);
    print_line(pr, "    total[%s - c] = 0.0;", j);
    print_line(pr, "for (size_t r = %s; r < %s; r += %d) {", loop_start(pr, first), rows, TALL);
    pr->indent++;
    print_line(pr, "const size_t below = %s - r < %d ? %s : r + %d;", rows, TALL, rows, TALL);
    print_line(pr, "%s part[%d];", pr->e->real, BROAD);
    print_line(pr, "for (size_t %s = c; %s < end; %s++)", j, j, j);
    print_line(pr, "    part[%s - c] = 0;", j);
    open_range(pr, i, "r", "below", true);
    declare_temps(pr, first + 1);
    open_loops(pr, first + 1, last, brace);
    print_range(pr, "c", "end", false, print_add_step, print_format(pr, "part[%s - c]", j));
    close_loops(pr, first + 1, last, brace);
    close_loop(pr, true);
    print_line(pr, "for (size_t %s = c; %s < end; %s++)", j, j, j);
    print_line(pr, "    total[%s - c] += (double)part[%s - c];", j, j);
    close_loop(pr, true);
    print_line(pr, "for (size_t %s = c; %s < end; %s++)", j, j, j);
    print_line(pr, "    %s = (%s)total[%s - c];", result_text(pr), pr->e->real, j);
    close_loop(pr, true);
}

/* Rows are folded into the row of results. */
static void print_columns(Printer *pr)
{
    const Kernel *k = pr->k;
    int lead = first_of(k, AX_REDUCE);
    bool tall = kernel_sums_many(pr->b->p, k) && first_of(k, AX_TRAIL) == k->axes - 1;

    for (int i = 0; i < lead; i++) {
        open_loop(pr, i, true);
        declare_temps(pr, i + 1);
    }
    if (tall) {
        print_tall(pr, lead);
    } else {
        print_start(pr);
        print_add(pr, lead, NULL);
    }
    for (int i = lead - 1; i >= 0; i--)
        close_loop(pr, true);
}

/* ---- long sums of rows within a nest: of some rows in float, which go to a total in double ----
 */

typedef struct LongSum {
    const char *part, *total; /* arrays of as many elements as the row of results has; NULL: it is
                                 not a long sum */
} LongSum;

/* The element of such an array that belongs to the result where the loops are. */
static const char *sum_text(Printer *pr, const char *array)
{
    const Kernel *k = pr->k;
    const char *at = "";

    for (int i = first_of(k, AX_TRAIL); i < k->axes; i++) {
        int64_t stride = 1;
        for (int q = i + 1; q < k->axes; q++)
            stride *= k->extent[q];
        at = print_format(pr, stride > 1 ? "%s%s%s*%lld" : "%s%s%s", at, *at ? " + " : "",
                          pr->loop[i], (long long)stride);
    }
    return print_format(pr, "%s[%s]", array, at);
}

/* A statement for each result. */
static void print_for_results(Printer *pr, const char *statement)
{
    const Kernel *k = pr->k;
    int trail = first_of(k, AX_TRAIL);

    for (int i = trail; i < k->axes; i++)
        open_loop(pr, i, i == k->axes - 1);
    print_line(pr, "%s", statement);
    for (int i = k->axes - 1; i >= trail; i--)
        close_loop(pr, i == k->axes - 1);
}

static LongSum start_long_sum(Printer *pr)
{
    LongSum sum = {.part = new_temp(pr), .total = new_temp(pr)};
    long long columns = (long long)kernel_columns(pr->k);

    print_line(pr, "%s %s[%lld];", pr->e->real, sum.part, columns);
    print_line(pr, "double %s[%lld];", sum.total, columns);
    print_for_results(pr, print_format(pr, "%s = 0;", sum_text(pr, sum.part)));
    print_for_results(pr, print_format(pr, "%s = 0;", sum_text(pr, sum.total)));
    return sum;
}

/* Every TALL rows; the outermost loop's passes may be more than a row each. */
static void take_part(Printer *pr, const LongSum *sum)
{
    int64_t rows = 1;

    for (int i = 1; i < pr->lead && rows < TALL; i++)
        rows *= size_max(pr->e->graph, pr->k->extent[i]);

    int64_t passes = rows < TALL ? TALL / rows : 1;
    print_line(pr, "if (%s %% %lld == %lld) {", pr->loop[0], (long long)passes,
               (long long)passes - 1);
    pr->indent++;
    print_for_results(pr, print_format(pr, "%s += (double)%s;", sum_text(pr, sum->total),
                                       sum_text(pr, sum->part)));
    print_for_results(pr, print_format(pr, "%s = 0;", sum_text(pr, sum->part)));
    close_loop(pr, true);
}

static void end_long_sum(Printer *pr, const LongSum *sum)
{
    print_for_results(pr,
                      print_format(pr, "%s = (%s)(%s + (double)%s);", result_text(pr), pr->e->real,
                                   sum_text(pr, sum->total), sum_text(pr, sum->part)));
}

/* Variables and arrays for what only a row's own loops read: arrays are declared here. */
static void name_row_places(Printer *pr, const Kernel *nest)
{
    for (int i = 0; i < nest->stores; i++) {
        const Node *n = nest->store[i].node;
        Place *place = program_place(pr->b->p, n);
        if (place->kind != P_ROW)
            continue;
        place->name = new_temp(pr);
        if (place->offset > 1)
            print_line(pr, "%s %s[%lld];", print_type(pr->e, n->type), place->name,
                       (long long)place->offset);
    }
}

/* All members' loops behind those over the rows, in order; what a member needs once in a row is
 * computed where its turn comes, as it may use results of those before it. */
static void print_nest(Printer *pr)
{
    const Kernel *nest = pr->k;
    LongSum *sum = arena_alloc(pr->e->ngc, (size_t)nest->members * sizeof *sum);

    name_row_places(pr, nest);
    pr->lead = nest->axes;
    for (int m = 0; m < nest->members; m++) {
        pr->k = nest->member[m];
        print_temps(pr);
        if (kernel_sums_rows(pr->k) && kernel_sums_many(pr->b->p, pr->k))
            sum[m] = start_long_sum(pr);
        else if (kernel_sums_rows(pr->k))
            print_start(pr);
    }
    for (int i = 0; i < pr->lead; i++) {
        pr->k = nest;
        open_loop(pr, i, true);
        for (int m = 0; m < nest->members && i + 1 < pr->lead; m++) {
            pr->k = nest->member[m];
            declare_temps(pr, i + 1);
        }
    }
    for (int m = 0; m < nest->members; m++) {
        pr->k = nest->member[m];
        declare_temps(pr, pr->lead);
        if (!kernel_reduces(pr->k))
            print_map(pr, pr->lead);
        else if (kernel_sums_rows(pr->k))
            print_add(pr, pr->lead, sum[m].part ? sum_text(pr, sum[m].part) : NULL);
        else
            print_fold_row(pr, pr->lead);
    }

    pr->k = nest;
    for (int i = pr->lead - 1; i > 0; i--)
        close_loop(pr, true);
    for (int m = 0; m < nest->members; m++) {
        pr->k = nest->member[m];
        if (sum[m].part)
            take_part(pr, &sum[m]);
    }
    close_loop(pr, true);
    for (int m = 0; m < nest->members; m++) {
        pr->k = nest->member[m];
        if (sum[m].part)
            end_long_sum(pr, &sum[m]);
    }
    pr->k = nest;
}

/* The loops over all but the last operation, whose operand is stored in place of its result; then
 * the operation on all elements. */
static void print_late(Printer *pr)
{
    const Kernel *whole = pr->k;
    Kernel first = *whole;
    Store store = whole->store[0];
    Index start = *store.at;
    Graph *g = pr->e->graph;
    Size row = 1, count;

    store.val = whole->late->arg[0];
    first.store = &store;
    first.vector = 0;
    pr->k = &first;
    print_temps(pr);
    print_map(pr, 0);
    pr->k = whole;

    for (int i = 1; i < whole->axes; i++)
        row = size_mul(g, row, whole->extent[i]);
    count = size_mul(g, row, whole->extent[0]);
    const char *from = "0", *to = emit_size(pr->e, count, &pr->dims);
    if (whole->split) {
        from = print_format(pr, "from*%s", print_factor(pr, row));
        to = print_format(pr, "to*%s", print_factor(pr, row));
    }

    for (int i = 0; i < MAX_AXES; i++)
        start.axis[i] = (Coef){0, 0};
    const Place *place = store_place(pr->b->p, &store);
    const char *pointer = print_shifted(pr, place, store.node, &start);
    const char *y = print_param(pr, pointer, T_FLOAT, false, true)->name,
               *end = whole_end(pr, from, to);
    const OpInfo *info = op_info[whole->late->op];
    Part element = {print_format(pr, "%s[i]", y), 16},
         vector = {print_format(pr, "NGRT_LOAD(%s[i])", y), 16};

    print_line(pr, "NGRT_VECTORS(for (size_t i = %s; i < %s; i += NGRT_LANES) {", from, end);
    print_line(pr, "    NGRT_STORE(%s[i]) = %s;", y,
               print_fill(pr, info->vec_float, 16, T_FLOAT, &vector, NULL, pr->e->suffix).text);
    print_line(pr, "})");
    print_line(pr, "for (size_t i = %s; i < %s; i++)", end, to);
    print_line(pr, "    %s[i] = %s;", y,
               print_fill(pr, info->c_float, 16, T_FLOAT, &element, NULL, pr->e->suffix).text);
}

void print_loops(Printer *pr)
{
    const Kernel *k = pr->k;
    static const char *const names[] = {"i", "j", "k", "l"};
    for (int i = 0; i < MAX_AXES; i++)
        pr->loop[i] = !pr->apart && i < 4 ? names[i] : print_format(pr, "i%d", i);
    if (k->member) {
        print_nest(pr);
        return;
    }
    if (k->late) {
        print_late(pr);
        return;
    }
    print_temps(pr);
    if (!kernel_reduces(k))
        print_map(pr, 0);
    else if (kernel_sums_rows(k))
        print_columns(pr);
    else
        print_rows(pr);
}
