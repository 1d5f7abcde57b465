/* emit_loops.c - prints the loops of a kernel: maps, scatters, results that are accumulated in a
 * variable, nests of several kernels over the same rows, and a costly operation done after all
 * loops. At -O2 the loops use a function's parameters, at -O0 the model's names. */
#include "emit/emit_loops.h"

#include <string.h>

enum {
    BLOCK_ROWS = 16,   /* elements of a line that is read: all or many */
    BLOCK_COLUMNS = 8, /* lines: a cache keeps as many, however far apart they are */
    SHORT_ROW = 16,    /* elements that are written: rows of so few lie close to each other, */
    SHORT_ROWS = 64,   /* and a block has as many */
    FOUR_FOLDS = 64,   /* elements of a row */
};

/* Is the result declared where it is computed? */
static bool is_variable(const Place *place)
{
    return place->kind == P_LOCAL || (place->kind == P_ROW && place->offset <= 1);
}

/* The value of a store. One that is the same for all lanes fills a vector. */
static const char *stored_value(Printer *pr, const Store *s)
{
    const char *value = print_val(pr, s->val).text;
    /* the same in all passes: one number, not a vector */
    if (!pr->vector || val_is_inner(pr->k, s->val))
        return value;
    return print_each_lane(pr, s->node->type, value);
}

static void print_stores(Printer *pr, const char *to)
{
    (void)to;
    for (int i = 0; i < pr->k->stores; i++) {
        const Store *s = &pr->k->store[i];
        const Place *place = store_place(pr->p, s);
        Type type = s->node->type;
        const char *value = stored_value(pr, s);

        if (is_variable(place)) {
            print_line(pr, "const %s %s = %s;", emit_type(pr->e, type), place->name, value);
            continue;
        }
        const char *element = print_element(pr, place, s->node, s->at, true);
        if (pr->vector && pr->k->grid) {
            print_line(pr, "NGRT_STORE_EVERY(%s, %d, %s)", element, pr->k->grid, value);
            continue;
        }
        const char *sign = s->add ? "+=" : "=";
        print_line(pr, "%s %s %s;", stored_text(pr, element, type), sign, value);
    }
}

/* The results of the passes that are left out. */
static void print_zeros(Printer *pr, int axis)
{
    const Kernel *k = pr->k;
    bool brace = k->stores > 1;

    range_open(pr, pr->loop[axis], passes_upto(pr, axis), passes_to(pr, axis), brace);
    for (int i = 0; i < k->stores; i++) {
        const Store *s = &k->store[i];
        const char *y = store_element(pr, s);
        print_line(pr, "%s = %s;", y, emit_number(pr->e, 0, T_FLOAT));
    }
    passes_close(pr, brace);
}

/* The head of a loop over blocks of an axis: block `at` ends before `end`. */
static void open_blocks(Printer *pr, int axis, int size, const char *at, const char *end)
{
    const char *to = passes_to(pr, axis);

    print_line(pr, "for (size_t %s = %s; %s < %s; %s += %d) {", at, passes_from(pr, axis), at, to,
               at, size);
    pr->indent++;
    print_line(pr, "const size_t %s = %s - %s < %d ? %s : %s + %d;", end, to, at, size, to, at,
               size);
}

/* The transposition of `rows` rows of a block, from this row and its first column on. */
static void print_turn(Printer *pr, const char *row, const char *rows)
{
    const Kernel *k = pr->k;
    const Store *s = &k->store[0];
    const Val *v = val_guarded(s->val);
    int last = k->axes - 1;
    const char *i = pr->loop[last - 1];
    const char *j = pr->loop[last];

    pr->loop[last - 1] = row;
    pr->loop[last] = "c";
    const char *y = store_element(pr, s);
    const char *x = load_element(pr, v);

    /* elements from one row to the next, in each */
    const char *x_row = emit_size(pr->e, v->at->axis[last].plus, &pr->dims);
    const char *y_row = emit_size(pr->e, s->at->axis[last - 1].plus, &pr->dims);
    print_line(pr, "ngrt_turn((int)%s, (int)(end - c), &%s, %s, &%s, %s);", rows, y, y_row, x,
               x_row);
    pr->loop[last - 1] = i;
    pr->loop[last] = j;
}

/* The same rows as zeros. */
static void print_zero_rows(Printer *pr, const char *rows)
{
    const Store *s = &pr->k->store[0];
    int last = pr->k->axes - 1;
    const char *j = pr->loop[last];

    pr->loop[last] = "c";
    const char *y = store_element(pr, s);
    const char *y_row = emit_size(pr->e, s->at->axis[last - 1].plus, &pr->dims);
    print_line(pr, "ngrt_zero_rows((int)%s, (int)(end - c), &%s, %s);", rows, y, y_row);
    pr->loop[last] = j;
}

/* The number of rows from this one on, within the block, for which all guards have one result. */
static const char *rows_alike(Printer *pr)
{
    int row = pr->k->axes - 2;
    const char *rows = print_format(pr, "below - %s", pr->loop[row]);

    for (const Val *v = pr->k->store[0].val; v->kind == V_GUARD; v = v->arg[0])
        if (v->at && !coef_zero(v->at->axis[row]))
            rows = print_format(pr, "ngrt_rows_alike(%s, %s, %s)", print_index(pr, v->at),
                                emit_size(pr->e, v->span, &pr->dims), rows);
    return rows;
}

/* The tests of all guards. */
static const char *all_tests(Printer *pr)
{
    Text t = {.ngc = pr->e->ngc};

    for (const Val *v = pr->k->store[0].val; v->kind == V_GUARD; v = v->arg[0])
        text_add(&t, "%s%s", text_if(t.size > 0, " && "), print_known_test(pr, v));
    return t.at;
}

/* A block that is transposed but for rows that guards leave out: runs of rows, by turns. */
static void print_guarded_turn(Printer *pr)
{
    int row = pr->k->axes - 2;
    const char *i = pr->loop[row];

    print_line(pr, "for (size_t %s = r, rows; %s < below; %s += rows) {", i, i, i);
    pr->indent++;
    print_line(pr, "rows = %s;", rows_alike(pr));
    temps_declare(pr, row + 1);
    print_line(pr, "if (%s)", all_tests(pr));
    pr->indent++;
    print_turn(pr, i, "rows");
    pr->indent--;
    print_line(pr, "else");
    pr->indent++;
    print_zero_rows(pr, "rows");
    pr->indent--;
    passes_close(pr, true);
}

static void print_turned_block(Printer *pr)
{
    emit_section(pr->e, "turn");
    if (pr->k->store[0].val->kind == V_GUARD)
        print_guarded_turn(pr);
    else
        print_turn(pr, "r", "(below - r)");
}

/* How many rows a block has. */
static int block_rows(const Printer *pr)
{
    int row = pr->k->axes - 2;
    if (!kernel_turns(pr->p, pr->k))
        return BLOCK_ROWS;

    Size y_row = pr->k->store[0].at->axis[row].plus;
    bool is_short = y_row >= 0 && y_row <= SHORT_ROW;
    return is_short ? SHORT_ROWS : BLOCK_ROWS;
}

/* The two innermost loops, some rows and columns at a time: what is read of a column is still in
 * the cache when the next column is read. */
static void print_blocks(Printer *pr)
{
    int last = pr->k->axes - 1;
    int row = last - 1;
    bool brace[MAX_AXES];

    passes_open_all(pr, 0, row, brace);
    open_blocks(pr, row, block_rows(pr), "r", "below");
    open_blocks(pr, last, BLOCK_COLUMNS, "c", "end");

    if (kernel_turns(pr->p, pr->k)) {
        print_turned_block(pr);
    } else {
        range_open(pr, pr->loop[row], "r", "below", true);
        temps_declare(pr, last);
        passes_one_by_one(pr, "c", "end", pr->k->stores > 1, print_stores, NULL);
        passes_close(pr, true);
    }
    passes_close(pr, true);
    passes_close(pr, true);

    passes_close_all(pr, 0, row, brace);
}

/* Without a reduction: the stores, in the loops over the axes from lead on. */
static void print_map(Printer *pr, int lead)
{
    int last = pr->k->axes - 1;
    bool brace[MAX_AXES];

    /* no loop of its own: one element, or one for each row */
    if (lead > last) {
        print_stores(pr, NULL);
        return;
    }
    if (pr->k->blocked) {
        print_blocks(pr);
        return;
    }

    passes_open_all(pr, lead, last, brace);
    passes_print(pr, pr->k->stores > 1, print_stores, NULL);
    if (passes_are_cut(pr->k, last))
        print_zeros(pr, last);
    passes_close_all(pr, lead, last, brace);
}

static Part as_double(Printer *pr, Part x)
{
    return print_cast(pr, "double", x);
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
    const char *sums = temp_new(pr);
    const char *y = temp_new(pr);

    if (!pr->apart) {
        print_line(pr, "{");
        pr->indent++;
    }
    /* sums of this call only; the result has zeros, or what is added to already */
    print_line(pr, "double %s[%lld] = {0};", sums, (long long)elements);
    const char *first = print_element(pr, store_place(pr->p, s), s->node, &start, true);
    print_line(pr, "%s *%s = &%s;", pr->e->real, y, first);

    passes_open_all(pr, 0, last, brace);
    passes_print(pr, false, print_scatter_add, sums);
    passes_close_all(pr, 0, last, brace);

    print_line(pr, "for (size_t i = 0; i < %lld; i++)", (long long)elements);
    print_line(pr, "    %s[i] += (%s)%s[i];", y, pr->e->real, sums);
    if (!pr->apart) {
        pr->indent--;
        print_line(pr, "}");
    }
}

static bool is_long_sum(const Printer *pr)
{
    return kernel_sums_many(pr->p, pr->k);
}

static bool is_double(const Printer *pr)
{
    /* a double holds each sum of ints exactly, up to 2^53 */
    return pr->k->store[0].node->type == T_INT || is_long_sum(pr);
}

/* Delivers an accumulated result: in memory, as the function's value, or as a variable, which may
 * be the accumulator itself. */
static void print_result(Printer *pr, const char *acc)
{
    Emit *e = pr->e;
    const Store *s = &pr->k->store[0];
    const Place *place = program_place(pr->p, s->node);
    /* apart, a local variable belongs to another function, and the result is returned */
    bool local = place->kind == P_LOCAL && !pr->apart;
    bool row_variable = place->kind == P_ROW && is_variable(place);
    if (local && same_text(place->name, acc))
        return;

    const char *value = acc;
    if (sum_goes_round(pr)) {
        emit_section(e, "sum_int");
        value = print_format(pr, "ngrt_sum_int(%s)", acc);
    } else if (s->node->type == T_INT && op_info[pr->k->reduce]->combine) {
        value = print_format(pr, "(int32_t)%s", acc);
    } else if (is_long_sum(pr)) {
        value = print_format(pr, "(%s)%s", e->real, acc);
    }

    if (local || row_variable)
        print_line(pr, "const %s %s = %s;", emit_type(e, s->node->type), place->name, value);
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
    const char *type = emit_type(pr->e, v->type);
    const char *i = pr->loop[lead];
    print_line(pr, "int32_t %s = 0;", at);
    /* all axes have one element, so 0 is the answer */
    if (lead == k->axes)
        return;

    const char *best = temp_new(pr);
    const char *x = temp_new(pr);
    print_line(pr, "%s %s = %s;", type, best, emit_number(pr->e, 0, v->type));
    passes_open(pr, lead, true);
    temps_declare(pr, lead + 1);
    print_line(pr, "const %s %s = %s;", type, x, print_val(pr, v).text);

    /* x > best, or x is the first NaN: x != x, and best is none */
    if (v->type == T_INT)
        print_line(pr, "if (%s == 0 || %s > %s) {", i, x, best);
    else
        print_line(pr, "if (%s == 0 || %s > %s || (%s != %s && %s == %s)) {", i, x, best, x, x,
                   best, best);
    print_line(pr, "    %s = %s;", best, x);
    print_line(pr, "    %s = (int32_t)%s;", at, i);
    print_line(pr, "}");
    passes_close(pr, true);
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

    passes_open_all(pr, axis, last, brace);
    /* not in vectors: the order of additions is that of the text */
    passes_one_by_one(pr, passes_from(pr, last), passes_upto(pr, last), false, print_fold_step,
                      acc);
    passes_close_all(pr, axis, last, brace);
}

/* Combines the accumulator with all lanes of a vector. */
static void print_lanes(Printer *pr, const char *acc, const char *lanes)
{
    if (!is_double(pr) && same_text(op_info[pr->k->reduce]->combine, "$acc + $x")) {
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

/* The innermost loop as a macro, of which `head` is the beginning. Its last argument is the step of
 * a vector, which is printed aside, as the macro repeats it for several folds. */
static void print_repeated(Printer *pr, const char *head, const char *lanes)
{
    int last = pr->k->axes - 1;
    int indent = pr->indent;
    Text term = {.ngc = pr->e->ngc};
    Text *out = pr->out;
    bool brace = temps_any(pr, last + 1);

    pr->out = &term;
    if (brace)
        pr->indent = indent + 1;
    else
        pr->indent = 0;
    pr->vector = true;
    temps_declare(pr, last + 1);
    print_fold_step(pr, lanes);
    temps_forget(pr, last + 1);
    pr->vector = false;
    pr->out = out;
    pr->indent = indent;

    if (brace) {
        print_line(pr, "%s{", head);
        text_put(out, term.at, term.size);
        print_line(pr, "})");
    } else {
        print_line(pr, "%s%.*s)", head, (int)term.size - 1, term.at);
    }
}

/* The innermost loop of a long sum in blocks of vectors. */
static void print_blocks_of_vectors(Printer *pr, const char *whole, const char *lanes,
                                    const char *acc)
{
    int last = pr->k->axes - 1;
    const char *head = print_format(pr, "NGRT_LONG_SUM(%s, %s, %s, %s, %s, ", pr->loop[last],
                                    passes_from(pr, last), whole, acc, lanes);

    print_repeated(pr, head, lanes);
}

/* combine(a, b) of vectors */
static const char *combined_vectors(Printer *pr, const char *a, const char *b)
{
    Part x = {b, PREC_CALL};

    return print_fill(pr, op_info[pr->k->reduce]->combine_vec, PREC_CALL, T_FLOAT, &x, a,
                      pr->e->suffix)
        .text;
}

/* The innermost loop as four folds, which are combined. */
static void print_four_folds(Printer *pr, const char *whole, const char *lanes)
{
    int last = pr->k->axes - 1;
    const char *head =
        print_format(pr, "NGRT_FOUR_FOLDS(%s, %s, %s, %s, %s, ", pr->loop[last],
                     passes_from(pr, last), whole, lanes, reduction_start(pr, T_FLOAT));
    print_repeated(pr, head, lanes);

    const char *ab =
        combined_vectors(pr, print_format(pr, "%s_a", lanes), print_format(pr, "%s_b", lanes));
    const char *cd =
        combined_vectors(pr, print_format(pr, "%s_c", lanes), print_format(pr, "%s_d", lanes));
    print_line(pr, "NGRT_VECTORS(const ngrt_v %s = %s;)", lanes, combined_vectors(pr, ab, cd));
}

/* Do four folds pay? Only where their order does not matter: a choice rounds nothing. */
static bool has_four_folds(const Printer *pr, int first)
{
    int last = pr->k->axes - 1;

    return first == last && op_has(pr->k->reduce, F_CHOICE) &&
           size_max(pr->p->graph, pr->k->extent[last]) >= FOUR_FOLDS;
}

/* The same as print_fold, with the innermost loop in vectors: one fold for each lane, over all open
 * loops. Lanes are combined at the end. */
static void print_vector_fold(Printer *pr, int first, const char *acc)
{
    int last = pr->k->axes - 1;
    const char *lanes = temp_new(pr);
    const char *from = passes_from(pr, last);
    const char *to = passes_upto(pr, last);
    const char *whole = passes_whole(pr, from, to);
    bool blocks = is_long_sum(pr);
    bool four = has_four_folds(pr, first);
    bool brace[MAX_AXES];

    if (!blocks && !four)
        print_line(pr, "NGRT_VECTORS(ngrt_v %s = NGRT_EACH(%s);)", lanes,
                   reduction_start(pr, T_FLOAT));
    passes_open_all(pr, first, last, brace);

    if (blocks)
        print_blocks_of_vectors(pr, whole, lanes, acc);
    else if (four)
        print_four_folds(pr, whole, lanes);
    else
        passes_in_vectors(pr, "NGRT_VECTORS(", from, whole, print_fold_step, lanes, ")");
    passes_one_by_one(pr, whole, to, false, print_fold_step, acc);

    passes_close_all(pr, first, last, brace);
    if (!blocks)
        print_lanes(pr, acc, lanes);
}

/* One result, accumulated in a variable. */
static void print_fold_row(Printer *pr, int lead)
{
    const Kernel *k = pr->k;
    const Node *n = k->store[0].node;
    const Place *place = program_place(pr->p, n);
    bool in_double = is_double(pr);
    /* the accumulator is the result's variable, if types agree */
    bool in_place = place->kind == P_LOCAL && !pr->apart && !in_double;
    const char *acc = place->name;
    if (!in_place)
        acc = temp_new(pr);

    if (op_info[k->reduce]->combine == NULL) {
        print_argmax(pr, lead, acc);
        print_result(pr, acc);
        return;
    }

    if (in_double)
        print_line(pr, "double %s = %s;", acc, reduction_start(pr, T_INT));
    else
        print_line(pr, "%s %s = %s;", pr->e->real, acc, reduction_start(pr, T_FLOAT));

    if (k->vector)
        print_vector_fold(pr, lead, acc);
    else
        print_fold(pr, lead, acc);
    print_result(pr, acc);
}

static void print_rows(Printer *pr)
{
    int lead = axes_before(pr->k, AX_REDUCE);

    for (int i = 0; i < lead; i++) {
        passes_open(pr, i, true);
        temps_declare(pr, i + 1);
    }
    print_fold_row(pr, lead);
    for (int i = lead - 1; i >= 0; i--)
        passes_close(pr, true);
}

/* ---- a nest: several members in one loop over the rows ---- */

/* Names the values that live for one row, and declares those that are arrays. */
static void name_row_places(Printer *pr, const Kernel *nest)
{
    for (int i = 0; i < nest->stores; i++) {
        const Node *n = nest->store[i].node;
        Place *place = program_place(pr->p, n);
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
        /* a member's values outside of all loops come before the rows */
        print_temps(pr);
        if (!kernel_sums_rows(pr->k))
            continue;
        if (kernel_sums_many(pr->p, pr->k))
            sum[m] = long_sum_start(pr);
        else
            columns_start(pr);
    }
    pr->k = nest;
}

/* The loops over the rows, with the members' temporaries of all but the last of them. */
static void open_nest(Printer *pr, const Kernel *nest)
{
    for (int i = 0; i < nest->axes; i++) {
        passes_open(pr, i, true);
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
            columns_add(pr, pr->lead, sum[m].part ? long_sum_text(pr, sum[m].part) : NULL);
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
    LongSum *sum = arena_array(pr->e->ngc, nest->members, sizeof *sum);

    name_row_places(pr, nest);
    pr->lead = nest->axes;
    start_members(pr, nest, sum);

    open_nest(pr, nest);
    print_members(pr, nest, sum);
    for (int i = pr->lead - 1; i > 0; i--)
        passes_close(pr, true);
    for_long_sums(pr, nest, sum, long_sum_take);
    passes_close(pr, true);

    for_long_sums(pr, nest, sum, long_sum_end);
}

/* ---- a costly operation on short rows: it is done on all elements at once ---- */

/* The loops without the last operation: they store its operand in place of its result. */
static void print_operand_loops(Printer *pr, Store *store)
{
    const Kernel *whole = pr->k;
    Kernel first = *whole;
    /* y = x now, y = f(y) later */
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
    /* threads share the first axis: from and to count rows */
    if (k->split) {
        *from = print_format(pr, "from*%s", print_factor(pr, row));
        *to = print_format(pr, "to*%s", print_factor(pr, row));
    }
}

/* The operation in place on y[from] .. y[to - 1]. */
static void print_late_op(Printer *pr, const char *y, const char *from, const char *to)
{
    const struct FastForm *form = op_form(pr->p, pr->k->late->op);
    const char *suffix = pr->e->suffix;
    const char *end = passes_whole(pr, from, to);
    Part element = {print_format(pr, "%s[i]", y), PREC_CALL};
    Part vector = {print_format(pr, "NGRT_LOAD(%s[i])", y), PREC_CALL};
    Part by_vector = print_fill(pr, form->vec, PREC_CALL, T_FLOAT, &vector, NULL, suffix);
    Part by_element = print_fill(pr, form->left, PREC_CALL, T_FLOAT, &element, NULL, suffix);

    print_line(pr, "NGRT_VECTORS(for (size_t i = %s; i < %s; i += NGRT_LANES) {", from, end);
    print_line(pr, "    NGRT_STORE(%s[i]) = %s;", y, by_vector.text);
    print_line(pr, "})");

    /* elements that fill no vector */
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

    /* the whole result as one row of elements, from its start */
    for (int i = 0; i < MAX_AXES; i++)
        start.axis[i] = (Coef){0, 0};
    const Place *place = store_place(pr->p, &store);
    const char *pointer = print_shifted(pr, place, store.node, &start);
    const char *y = print_param(pr, pointer, place, T_FLOAT, true)->name;
    print_late_op(pr, y, from, to);
}

void print_loops(Printer *pr)
{
    const Kernel *k = pr->k;
    static const char *const names[] = {"i", "j", "k", "l"};
    /* apart, names are numbered, so that equal kernels have equal texts */
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
        columns_print(pr);
    else
        print_rows(pr);
}
