/* emit_loops.c - prints the loops of a kernel: the passes by vectors and the passes left over, and
 * reductions. At -O2 the loops use a function's parameters, at -O0 the
 * model's names. */
#include "emit/emit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TALL = 64,   /* rows that are summed in float before their sum goes to the double */
    BROAD = 256, /* columns that are summed at a time */
};

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

/* Are passes of this loop left out, above a diagonal? */
static bool is_short(const Kernel *k, int axis)
{
    return k->half == HALF_LOOP && axis == k->axes - 1;
}

/* Where the passes end that are done: before those above the diagonal. */
static const char *done_end(Printer *pr, int axis)
{
    const Kernel *k = pr->k;
    const char *end = loop_end(pr, axis);
    if (!is_short(k, axis))
        return end;

    emit_section(pr->e, "upto");
    const char *count = pr->loop[k->row];
    if (k->diagonal != -1)
        count = print_format(pr, "%s + %lld", count, (long long)k->diagonal + 1);
    return print_format(pr, "ngrt_upto(%s, %s)", count, end);
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

/* The loops over axes first .. last - 1, each with its temporaries. */
static void open_loops(Printer *pr, int first, int last, bool *brace)
{
    for (int i = first; i < last; i++) {
        bool several = pr->k->vector || is_short(pr->k, i + 1);
        brace[i] = temps_any(pr, i + 1) || (several && i + 1 == pr->k->axes - 1);
        open_loop(pr, i, brace[i]);
        temps_declare(pr, i + 1);
    }
}

static void close_loops(Printer *pr, int first, int last, const bool *brace)
{
    for (int i = last - 1; i >= first; i--)
        close_loop(pr, brace[i]);
}

/* Prints what one pass of the innermost loop does; `to` is the accumulator, or NULL. */
typedef void PassText(Printer *pr, const char *to);

/* The innermost loop by vectors, from `from` up to `to`, with text before and after it. */
static void print_vector_passes(Printer *pr, const char *before, const char *from, const char *to,
                                PassText *pass, const char *acc, const char *after)
{
    const char *i = pr->loop[pr->k->axes - 1];

    print_line(pr, "%sfor (size_t %s = %s; %s < %s; %s += NGRT_LANES) {", before, i, from, i, to,
               i);
    pr->indent++;
    pr->vector = true;
    temps_declare(pr, pr->k->axes);
    pass(pr, acc);
    temps_forget(pr, pr->k->axes);
    pr->vector = false;
    pr->indent--;
    print_line(pr, "}%s", after);
}

/* The end of the passes that whole vectors hold. */
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
    brace |= temps_any(pr, pr->k->axes);
    open_range(pr, pr->loop[pr->k->axes - 1], from, to, brace);
    temps_declare(pr, pr->k->axes);
    pass(pr, acc);
    close_loop(pr, brace);
}

/* All passes from `from` up to `to`: by vectors, then one at a time those left over. */
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

    print_range(pr, loop_start(pr, last), done_end(pr, last), brace, pass, acc);
}

/* Is the result declared where it is computed? */
static bool is_variable(const Place *place)
{
    return place->kind == P_LOCAL || (place->kind == P_ROW && place->offset <= 1);
}

/* The left side of a store: an element, or the vector that begins with it. */
static const char *stored_text(Printer *pr, const char *element, Type type)
{
    if (!pr->vector)
        return element;
    return print_format(pr, type == T_INT ? "NGRT_STORE_INT(%s)" : "NGRT_STORE(%s)", element);
}

/* The value of a store. One that is the same for all lanes fills a vector. */
static const char *stored_value(Printer *pr, const Store *s)
{
    const char *value = print_val(pr, s->val).text;
    if (!pr->vector || val_is_inner(pr->k, s->val))
        return value;
    return print_format(pr, s->node->type == T_INT ? "NGRT_EACH_INT(%s)" : "NGRT_EACH(%s)", value);
}

static void print_stores(Printer *pr, const char *to)
{
    (void)to;
    for (int i = 0; i < pr->k->stores; i++) {
        const Store *s = &pr->k->store[i];
        const Place *place = store_place(pr->b->p, s);
        Type type = s->node->type;
        const char *value = stored_value(pr, s);

        if (is_variable(place)) {
            print_line(pr, "const %s %s = %s;", emit_type(pr->e, type), place->name, value);
            continue;
        }
        const char *element = print_element(pr, place, s->node, s->at, true);
        const char *sign = s->add ? "+=" : "=";
        print_line(pr, "%s %s %s;", stored_text(pr, element, type), sign, value);
    }
}

/* The results of the passes that are left out. */
static void print_zeros(Printer *pr, int axis)
{
    const Kernel *k = pr->k;
    bool brace = k->stores > 1;

    open_range(pr, pr->loop[axis], done_end(pr, axis), loop_end(pr, axis), brace);
    for (int i = 0; i < k->stores; i++) {
        const Store *s = &k->store[i];
        const char *y = print_element(pr, store_place(pr->b->p, s), s->node, s->at, true);
        print_line(pr, "%s = %s;", y, emit_number(pr->e, 0, T_FLOAT));
    }
    close_loop(pr, brace);
}

/* Without a reduction: the stores, in the loops over the axes from lead on. */
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
    if (is_short(pr->k, last))
        print_zeros(pr, last);
    close_loops(pr, lead, last, brace);
}

static Part as_double(Printer *pr, Part x)
{
    return (Part){print_format(pr, x.prec >= PREC_UNARY ? "(double)%s" : "(double)(%s)", x.text),
                  PREC_UNARY};
}

/* What the innermost loop of a scatter does, which adds to sums in double. */
static void print_scatter_add(Printer *pr, const char *sums)
{
    const Store *s = &pr->k->store[0];
    const char *at = print_index(pr, s->at);
    print_line(pr, "%s[%s] += %s;", sums, at, as_double(pr, print_val(pr, s->val)).text);
}

/* A scatter that may add many floats to an element: in double, and only the sums are stored. */
static void print_scatter(Printer *pr)
{
    int64_t elements = pr->k->hits;
    const Store *s = &pr->k->store[0];
    int last = pr->k->axes - 1;
    bool brace[MAX_AXES];
    Index start = index_zero();
    const char *sums = temp_new(pr), *y = temp_new(pr);

    if (!pr->apart) {
        print_line(pr, "{");
        pr->indent++;
    }
    print_line(pr, "double %s[%lld] = {0};", sums, (long long)elements);
    const char *first = print_element(pr, store_place(pr->b->p, s), s->node, &start, true);
    print_line(pr, "%s *%s = &%s;", pr->e->real, y, first);

    open_loops(pr, 0, last, brace);
    print_passes(pr, false, print_scatter_add, sums);
    close_loops(pr, 0, last, brace);

    print_line(pr, "for (size_t i = 0; i < %lld; i++)", (long long)elements);
    print_line(pr, "    %s[i] += (%s)%s[i];", y, pr->e->real, sums);
    if (!pr->apart) {
        pr->indent--;
        print_line(pr, "}");
    }
}

/* The value that a reduction begins with. T_INT: in a double that sums ints or many floats. */
static const char *start_text(Printer *pr, Type type)
{
    const char *init = op_info[pr->k->reduce]->init;
    char *end;
    double v = strtod(init, &end);
    bool is_number = end != init && *end == '\0' && !isinf(v);

    if (!is_number)
        return init;
    return type == T_INT ? "0.0" : emit_number(pr->e, v, T_FLOAT);
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
    print_line(pr, "%s = %s;", acc,
               print_fill(pr, combine, PREC_CALL, T_FLOAT, &x, acc, suffix).text);
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

/* Is it a sum of ints that may leave their range? */
static bool sum_goes_round(const Printer *pr)
{
    const Kernel *k = pr->k;
    double terms = 1;

    if (k->reduce != OP_sum || k->store[0].node->type != T_INT)
        return false;
    for (int i = 0; i < k->axes; i++)
        if (k->axis[i] == AX_REDUCE)
            terms *= (double)size_max(pr->b->p->graph, k->extent[i]);
    return print_sum_leaves_ints(k->store[0].val, terms);
}

/* Delivers an accumulated result: in memory, as the function's value, or as a variable, which may
 * be the accumulator itself. */
static void print_result(Printer *pr, const char *acc)
{
    const Store *s = &pr->k->store[0];
    const Place *place = program_place(pr->b->p, s->node);
    bool local = place->kind == P_LOCAL && !pr->apart;
    bool row_variable = place->kind == P_ROW && is_variable(place);
    if (local && strcmp(place->name, acc) == 0)
        return;

    const char *value = acc;
    if (sum_goes_round(pr)) {
        emit_section(pr->e, "sum_int");
        value = print_format(pr, "ngrt_sum_int(%s)", acc);
    } else if (s->node->type == T_INT && op_info[pr->k->reduce]->combine)
        value = print_format(pr, "(int32_t)%s", acc);
    else if (is_long_sum(pr))
        value = print_format(pr, "(%s)%s", pr->e->real, acc);

    if (local || row_variable)
        print_line(pr, "const %s %s = %s;", emit_type(pr->e, s->node->type), place->name, value);
    else if (pr->apart && place_is_number(place, s->node))
        print_line(pr, "return %s;", value);
    else
        print_line(pr, "%s = %s;", print_element(pr, place, s->node, s->at, true), value);
}

/* The index of the first of the largest. A NaN counts as larger than any number. */
static void print_argmax(Printer *pr, int lead, const char *at)
{
    const Kernel *k = pr->k;
    const Val *v = k->store[0].val;
    const char *type = emit_type(pr->e, v->type), *i = pr->loop[lead];
    print_line(pr, "int32_t %s = 0;", at);
    if (lead == k->axes)
        return;

    const char *best = temp_new(pr), *x = temp_new(pr);
    print_line(pr, "%s %s = %s;", type, best, emit_number(pr->e, 0, v->type));
    open_loop(pr, lead, true);
    temps_declare(pr, lead + 1);
    print_line(pr, "const %s %s = %s;", type, x, print_val(pr, v).text);

    if (v->type == T_INT)
        print_line(pr, "if (%s == 0 || %s > %s) {", i, x, best);
    else
        print_line(pr, "if (%s == 0 || %s > %s || (%s != %s && %s == %s)) {", i, x, best, x, x,
                   best, best);
    print_line(pr, "    %s = %s;", best, x);
    print_line(pr, "    %s = (int32_t)%s;", at, i);
    print_line(pr, "}");
    close_loop(pr, true);
}

/* ---- a result accumulated in a variable ---- */

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
    print_single_passes(pr, loop_start(pr, last), done_end(pr, last), false, print_fold_step, acc);
    close_loops(pr, axis, last, brace);
}

/* Combines the accumulator with all lanes of a vector. */
static void print_lanes(Printer *pr, const char *acc, const char *lanes)
{
    if (!is_double(pr) && strcmp(op_info[pr->k->reduce]->combine, "$acc + $x") == 0) {
        print_line(pr, "NGRT_VECTORS(%s += NGRT_TOTAL(%s);)", acc, lanes);
        return;
    }

    print_line(pr, "NGRT_VECTORS(NGRT_EVERY_LANE(");
    pr->indent++;
    Part lane = {print_format(pr, "%s[l]", lanes), PREC_CALL};
    print_combine(pr, acc, is_double(pr) ? as_double(pr, lane) : lane, T_FLOAT);
    pr->indent--;
    print_line(pr, "))");
}

/* The innermost loop of a long sum in blocks of vectors. */
static void print_blocks_of_vectors(Printer *pr, const char *whole, const char *lanes,
                                    const char *acc)
{
    int last = pr->k->axes - 1, indent = pr->indent;
    Text term = {.ngc = pr->e->ngc}, *out = pr->out;
    bool brace = temps_any(pr, last + 1);

    pr->out = &term;
    pr->indent = brace ? indent + 1 : 0;
    pr->vector = true;
    temps_declare(pr, last + 1);
    print_fold_step(pr, lanes);
    temps_forget(pr, last + 1);
    pr->vector = false;
    pr->out = out;
    pr->indent = indent;

    const char *head = print_format(pr, "NGRT_LONG_SUM(%s, %s, %s, %s, %s, ", pr->loop[last],
                                    loop_start(pr, last), whole, acc, lanes);
    if (brace) {
        print_line(pr, "%s{", head);
        text_put(out, term.at, term.size);
        print_line(pr, "})");
    } else {
        print_line(pr, "%s%.*s)", head, (int)term.size - 1, term.at);
    }
}

/* The same as print_fold, with the innermost loop in vectors. */
static void print_vector_fold(Printer *pr, int first, const char *acc)
{
    int last = pr->k->axes - 1;
    const char *lanes = temp_new(pr);
    const char *from = loop_start(pr, last), *to = done_end(pr, last);
    const char *whole = whole_end(pr, from, to);
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
        print_lanes(pr, acc, lanes);
}

/* One result, accumulated in a variable. */
static void print_fold_row(Printer *pr, int lead)
{
    const Kernel *k = pr->k;
    const Node *n = k->store[0].node;
    const Place *place = program_place(pr->b->p, n);
    bool in_double = is_double(pr);
    bool in_place = place->kind == P_LOCAL && !pr->apart && !in_double;
    const char *acc = in_place ? place->name : temp_new(pr);

    if (op_info[k->reduce]->combine == NULL) {
        print_argmax(pr, lead, acc);
        print_result(pr, acc);
        return;
    }

    if (in_double)
        print_line(pr, "double %s = %s;", acc, start_text(pr, T_INT));
    else
        print_line(pr, "%s %s = %s;", pr->e->real, acc, start_text(pr, T_FLOAT));

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
        temps_declare(pr, i + 1);
    }
    print_fold_row(pr, lead);
    for (int i = lead - 1; i >= 0; i--)
        close_loop(pr, true);
}

/* ---- rows added to a row of results ---- */

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

/* Adds one term to its result, or to the sum `to` if that is not NULL. The parameters in the term
 * come first. */
static void print_add_step(Printer *pr, const char *to)
{
    const Val *v = pr->k->store[0].val;
    Part term = print_val(pr, v);
    if (pr->vector && !val_is_inner(pr->k, v))
        term = (Part){print_format(pr, "NGRT_EACH(%s)", term.text), PREC_CALL};

    const char *sum = to ? to : result_text(pr);
    if (!pr->vector && sum_goes_round(pr)) {
        emit_section(pr->e, "add_int");
        print_line(pr, "%s = ngrt_add_int(%s, %s);", sum, sum, term.text);
        return;
    }
    print_combine(pr, stored_text(pr, sum, T_FLOAT), term, T_FLOAT);
}

/* Adds the terms of the loops over the axes from `from` on to the row of results, or to the sums
 * `to`. */
static void print_add(Printer *pr, int from, const char *to)
{
    int last = pr->k->axes - 1;
    bool brace[MAX_AXES];

    open_loops(pr, from, last, brace);
    print_passes(pr, false, print_add_step, to);
    close_loops(pr, from, last, brace);
}

/* Sums of many rows in a kernel of their own. It may choose the order of its loops: BROAD columns
 * at a time, so that their sums stay in the cache, and TALL rows at a time in float, whose sums are
 * added in double. (Within a nest the loop over the rows is shared with other members, so there the
 * same is done with a LongSum, below.) The emitted loops are
 *
 *     for c, a block of columns, up to end
 *         total[..] = 0
 *         for r, a block of rows, up to below
 *             part[..] = 0
 *             for each row and column: part[j - c] += term
 *             total[..] += part[..]
 *         result[..] = total[..] */

/* A statement for each column of the block. */
static void print_for_columns(Printer *pr, const char *j, const char *statement)
{
    print_line(pr, "for (size_t %s = c; %s < end; %s++)", j, j, j);
    print_line(pr, "    %s", statement);
}

/* The blocks of rows. */
static void print_tall_rows(Printer *pr, int first, const char *rows)
{
    int last = pr->k->axes - 1;
    const char *j = pr->loop[last];
    const char *part = print_format(pr, "part[%s - c]", j);
    bool brace[MAX_AXES];

    print_line(pr, "for (size_t r = %s; r < %s; r += %d) {", loop_start(pr, first), rows, TALL);
    pr->indent++;
    print_line(pr, "const size_t below = %s - r < %d ? %s : r + %d;", rows, TALL, rows, TALL);
    print_line(pr, "%s part[%d];", pr->e->real, BROAD);
    print_for_columns(pr, j, print_format(pr, "%s = 0;", part));

    open_range(pr, pr->loop[first], "r", "below", true);
    temps_declare(pr, first + 1);
    open_loops(pr, first + 1, last, brace);
    print_range(pr, "c", "end", false, print_add_step, part);
    close_loops(pr, first + 1, last, brace);
    close_loop(pr, true);

    print_for_columns(pr, j, print_format(pr, "total[%s - c] += (double)%s;", j, part));
    close_loop(pr, true);
}

static void print_tall(Printer *pr, int first)
{
    int last = pr->k->axes - 1;
    const char *j = pr->loop[last];
    const char *columns = loop_end(pr, last), *rows = loop_end(pr, first);
    const char *total = print_format(pr, "total[%s - c]", j);

    print_line(pr, "for (size_t c = %s; c < %s; c += %d) {", loop_start(pr, last), columns, BROAD);
    pr->indent++;
    print_line(pr, "const size_t end = %s - c < %d ? %s : c + %d;", columns, BROAD, columns, BROAD);
    print_line(pr, "double total[%d];", BROAD);
    print_for_columns(pr, j, print_format(pr, "%s = 0.0;", total));

    print_tall_rows(pr, first, rows);

    const char *result = result_text(pr);
    print_for_columns(pr, j, print_format(pr, "%s = (%s)%s;", result, pr->e->real, total));
    close_loop(pr, true);
}

/* Rows are added to a row of results. */
static void print_columns(Printer *pr)
{
    const Kernel *k = pr->k;
    int lead = first_of(k, AX_REDUCE);
    bool one_column_axis = first_of(k, AX_TRAIL) == k->axes - 1;
    bool tall = kernel_sums_many(pr->b->p, k) && one_column_axis;

    for (int i = 0; i < lead; i++) {
        open_loop(pr, i, true);
        temps_declare(pr, i + 1);
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

/* ---- long sums of rows within a nest: some rows in float, whose sum goes to a double ---- */

/* Two arrays with an element for each result. Both NULL: it is not a long sum. */
typedef struct LongSum {
    const char *part;  /* floats: the sum of the last rows, at most TALL */
    const char *total; /* doubles: the sum of the rows before */
} LongSum;

/* The element of such an array for the result of the open loops. */
static const char *sum_text(Printer *pr, const char *array)
{
    const Kernel *k = pr->k;
    const char *at = "";

    for (int i = first_of(k, AX_TRAIL); i < k->axes; i++) {
        const char *term = pr->loop[i];
        int64_t stride = 1;
        for (int q = i + 1; q < k->axes; q++)
            stride *= k->extent[q];
        if (stride > 1)
            term = print_format(pr, "%s*%lld", term, (long long)stride);
        at = print_format(pr, "%s%s%s", at, *at ? " + " : "", term);
    }
    return print_format(pr, "%s[%s]", array, at);
}

/* A statement for each result, or two; then may be NULL. */
static void print_for_results(Printer *pr, const char *statement, const char *then)
{
    const Kernel *k = pr->k;
    int trail = first_of(k, AX_TRAIL);

    for (int i = trail; i < k->axes; i++)
        open_loop(pr, i, i == k->axes - 1);
    print_line(pr, "%s", statement);
    if (then)
        print_line(pr, "%s", then);
    for (int i = k->axes - 1; i >= trail; i--)
        close_loop(pr, i == k->axes - 1);
}

static LongSum start_long_sum(Printer *pr)
{
    LongSum sum = {.part = temp_new(pr), .total = temp_new(pr)};
    long long columns = (long long)kernel_columns(pr->k);

    print_line(pr, "%s %s[%lld];", pr->e->real, sum.part, columns);
    print_line(pr, "double %s[%lld];", sum.total, columns);
    print_for_results(pr, print_format(pr, "%s = 0;", sum_text(pr, sum.part)),
                      print_format(pr, "%s = 0;", sum_text(pr, sum.total)));
    return sum;
}

/* After every TALL rows the part is added to the total. A pass of the outermost loop may be several
 * rows. */
static void take_part(Printer *pr, const LongSum *sum)
{
    int64_t rows = 1; /* in a pass */
    for (int i = 1; i < pr->lead && rows < TALL; i++)
        rows *= size_max(pr->e->graph, pr->k->extent[i]);
    long long passes = rows < TALL ? TALL / rows : 1;

    const char *total = sum_text(pr, sum->total), *part = sum_text(pr, sum->part);
    print_line(pr, "if (%s %% %lld == %lld) {", pr->loop[0], passes, passes - 1);
    pr->indent++;
    print_for_results(pr, print_format(pr, "%s += (double)%s;", total, part),
                      print_format(pr, "%s = 0;", part));
    close_loop(pr, true);
}

static void end_long_sum(Printer *pr, const LongSum *sum)
{
    const char *total = sum_text(pr, sum->total), *part = sum_text(pr, sum->part);
    print_for_results(pr,
                      print_format(pr, "%s = (%s)(%s + (double)%s);", result_text(pr), pr->e->real,
                                   total, part),
                      NULL);
}

/* ---- a nest: several members in one loop over the rows ---- */

/* Names the values that live for one row, and declares those that are arrays. */
static void name_row_places(Printer *pr, const Kernel *nest)
{
    for (int i = 0; i < nest->stores; i++) {
        const Node *n = nest->store[i].node;
        Place *place = program_place(pr->b->p, n);
        if (place->kind != P_ROW)
            continue;
        place->name = temp_new(pr);
        if (place->offset > 1)
            print_line(pr, "%s %s[%lld];", emit_type(pr->e, n->type), place->name,
                       (long long)place->offset);
    }
}

/* Before the loops: the members' temporaries, and the starts of sums over the rows. */
static void start_members(Printer *pr, const Kernel *nest, LongSum *sum)
{
    for (int m = 0; m < nest->members; m++) {
        pr->k = nest->member[m];
        print_temps(pr);
        if (!kernel_sums_rows(pr->k))
            continue;
        if (kernel_sums_many(pr->b->p, pr->k))
            sum[m] = start_long_sum(pr);
        else
            print_start(pr);
    }
    pr->k = nest;
}

/* The loops over the rows, with the members' temporaries of all but the last of them. */
static void open_nest(Printer *pr, const Kernel *nest)
{
    for (int i = 0; i < nest->axes; i++) {
        open_loop(pr, i, true);
        for (int m = 0; m < nest->members && i + 1 < nest->axes; m++) {
            pr->k = nest->member[m];
            temps_declare(pr, i + 1);
        }
        pr->k = nest;
    }
}

/* In a row: the loops of each member, in order. What a member computes once in a row is computed
 * right before its loops, as it may use results of the members before it. */
static void print_members(Printer *pr, const Kernel *nest, const LongSum *sum)
{
    for (int m = 0; m < nest->members; m++) {
        pr->k = nest->member[m];
        temps_declare(pr, pr->lead);
        if (!kernel_reduces(pr->k))
            print_map(pr, pr->lead);
        else if (kernel_sums_rows(pr->k))
            print_add(pr, pr->lead, sum[m].part ? sum_text(pr, sum[m].part) : NULL);
        else
            print_fold_row(pr, pr->lead);
    }
    pr->k = nest;
}

/* Does `what` for the members that are long sums. */
static void for_long_sums(Printer *pr, const Kernel *nest, const LongSum *sum,
                          void what(Printer *, const LongSum *))
{
    for (int m = 0; m < nest->members; m++) {
        pr->k = nest->member[m];
        if (sum[m].part)
            what(pr, &sum[m]);
    }
    pr->k = nest;
}

static void print_nest(Printer *pr)
{
    const Kernel *nest = pr->k;
    LongSum *sum = arena_alloc(pr->e->ngc, (size_t)nest->members * sizeof *sum);

    name_row_places(pr, nest);
    pr->lead = nest->axes;
    start_members(pr, nest, sum);

    open_nest(pr, nest);
    print_members(pr, nest, sum);
    for (int i = pr->lead - 1; i > 0; i--)
        close_loop(pr, true);
    for_long_sums(pr, nest, sum, take_part);
    close_loop(pr, true);

    for_long_sums(pr, nest, sum, end_long_sum);
}

/* ---- a costly operation on short rows: it is done on all elements at once ---- */

/* The loops without the last operation: they store its operand in place of its result. */
static void print_operand_loops(Printer *pr, Store *store)
{
    const Kernel *whole = pr->k;
    Kernel first = *whole;
    store->val = whole->late->arg[0];
    first.store = store;
    first.vector = 0;

    pr->k = &first;
    print_temps(pr);
    print_map(pr, 0);
    pr->k = whole;
}

/* The elements of all rows, or of the rows of this part. */
static void late_range(Printer *pr, const char **from, const char **to)
{
    const Kernel *k = pr->k;
    Graph *g = pr->e->graph;
    Size row = 1;
    for (int i = 1; i < k->axes; i++)
        row = size_mul(g, row, k->extent[i]);

    *from = "0";
    *to = emit_size(pr->e, size_mul(g, row, k->extent[0]), &pr->dims);
    if (k->split) {
        *from = print_format(pr, "from*%s", print_factor(pr, row));
        *to = print_format(pr, "to*%s", print_factor(pr, row));
    }
}

/* The operation in place on y[from] .. y[to - 1]. */
static void print_late_op(Printer *pr, const char *y, const char *from, const char *to)
{
    const struct FastForm *form = op_form(pr->b->p, pr->k->late->op);
    const char *suffix = pr->e->suffix, *end = whole_end(pr, from, to);
    Part element = {print_format(pr, "%s[i]", y), PREC_CALL};
    Part vector = {print_format(pr, "NGRT_LOAD(%s[i])", y), PREC_CALL};
    Part by_vector = print_fill(pr, form->vec, PREC_CALL, T_FLOAT, &vector, NULL, suffix);
    Part by_element = print_fill(pr, form->left, PREC_CALL, T_FLOAT, &element, NULL, suffix);

    print_line(pr, "NGRT_VECTORS(for (size_t i = %s; i < %s; i += NGRT_LANES) {", from, end);
    print_line(pr, "    NGRT_STORE(%s[i]) = %s;", y, by_vector.text);
    print_line(pr, "})");
    print_line(pr, "for (size_t i = %s; i < %s; i++)", end, to);
    print_line(pr, "    %s[i] = %s;", y, by_element.text);
}

static void print_late(Printer *pr)
{
    Store store = pr->k->store[0];
    Index start = *store.at;
    const char *from, *to;

    print_operand_loops(pr, &store);
    late_range(pr, &from, &to);

    for (int i = 0; i < MAX_AXES; i++)
        start.axis[i] = (Coef){0, 0};
    const Place *place = store_place(pr->b->p, &store);
    const char *pointer = print_shifted(pr, place, store.node, &start);
    const char *y = print_param(pr, pointer, place, T_FLOAT, true)->name;
    print_late_op(pr, y, from, to);
}

void print_loops(Printer *pr)
{
    const Kernel *k = pr->k;
    static const char *const names[] = {"i", "j", "k", "l"};
    for (int i = 0; i < MAX_AXES; i++)
        if (!pr->apart && i < 4)
            pr->loop[i] = names[i];
        else
            pr->loop[i] = print_format(pr, "i%d", i);

    if (k->member) {
        print_nest(pr);
        return;
    }
    if (k->late) {
        print_late(pr);
        return;
    }
    print_temps(pr);
    if (k->hits > 0)
        print_scatter(pr);
    else if (!kernel_reduces(k))
        print_map(pr, 0);
    else if (kernel_sums_rows(k))
        print_columns(pr);
    else
        print_rows(pr);
}
