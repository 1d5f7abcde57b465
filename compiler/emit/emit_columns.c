/* emit_columns.c - rows that are added to a row of results, one sum for each column. Many floats
 * are added in parts of TALL rows, whose sums go to a double: each term then adds to a small sum.
 */
#include "emit/emit_loops.h"

enum {
    TALL = 64,   /* rows that are summed in float before their sum goes to the double */
    BROAD = 256, /* columns that are summed at a time */
};

/* ---- rows added to a row of results ---- */

static const char *result_text(Printer *pr)
{
    const Store *s = &pr->k->store[0];
    const Place *place = program_place(pr->p, s->node);
    return print_element(pr, place, s->node, s->at, true);
}

/* The row of results before anything is added. */
void columns_start(Printer *pr)
{
    const Kernel *k = pr->k;
    int trail = axes_before(k, AX_TRAIL);

    for (int i = trail; i < k->axes; i++)
        passes_open(pr, i, false);
    print_line(pr, "%s = %s;", result_text(pr), reduction_start(pr, T_FLOAT));
    for (int i = trail; i < k->axes; i++)
        passes_close(pr, false);
}

/* Adds one term to its result, or to the sum `to` if that is not NULL. The parameters in the term
 * come first. */
static void print_add_step(Printer *pr, const char *to)
{
    const Val *v = pr->k->store[0].val;
    Part term = print_val(pr, v);
    if (pr->vector && !val_is_inner(pr->k, v))
        term = (Part){print_format(pr, "NGRT_EACH(%s)", term.text), PREC_CALL};

    const char *sum = to;
    if (!to)
        sum = result_text(pr);
    if (!pr->vector && sum_goes_round(pr)) {
        emit_section(pr->e, "add_int");
        print_line(pr, "%s = ngrt_add_int(%s, %s);", sum, sum, term.text);
        return;
    }
    print_combine(pr, stored_text(pr, sum, T_FLOAT), term, T_FLOAT);
}

/* Adds the terms of the loops over the axes from `from` on to the row of results, or to the sums
 * `to`. */
void columns_add(Printer *pr, int from, const char *to)
{
    int last = pr->k->axes - 1;
    bool brace[MAX_AXES];

    passes_open_all(pr, from, last, brace);
    /* for each row, the columns are the innermost loop: memory is walked in order */
    passes_print(pr, false, print_add_step, to);
    passes_close_all(pr, from, last, brace);
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

    /* TALL rows are few enough that a float holds their sum to nearly all its bits */
    print_line(pr, "for (size_t r = %s; r < %s; r += %d) {", passes_from(pr, first), rows, TALL);
    pr->indent++;
    print_line(pr, "const size_t below = %s - r < %d ? %s : r + %d;", rows, TALL, rows, TALL);
    print_line(pr, "%s part[%d];", pr->e->real, BROAD);
    print_for_columns(pr, j, print_format(pr, "%s = 0;", part));

    range_open(pr, pr->loop[first], "r", "below", true);
    temps_declare(pr, first + 1);
    passes_open_all(pr, first + 1, last, brace);
    passes_range(pr, "c", "end", false, print_add_step, part);
    passes_close_all(pr, first + 1, last, brace);
    passes_close(pr, true);

    print_for_columns(pr, j, print_format(pr, "total[%s - c] += (double)%s;", j, part));
    passes_close(pr, true);
}

static void print_tall(Printer *pr, int first)
{
    int last = pr->k->axes - 1;
    const char *j = pr->loop[last];
    const char *columns = passes_to(pr, last);
    const char *rows = passes_to(pr, first);
    const char *total = print_format(pr, "total[%s - c]", j);

    print_line(pr, "for (size_t c = %s; c < %s; c += %d) {", passes_from(pr, last), columns, BROAD);
    pr->indent++;
    print_line(pr, "const size_t end = %s - c < %d ? %s : c + %d;", columns, BROAD, columns, BROAD);
    print_line(pr, "double total[%d];", BROAD);
    print_for_columns(pr, j, print_format(pr, "%s = 0.0;", total));

    print_tall_rows(pr, first, rows);

    const char *result = result_text(pr);
    print_for_columns(pr, j, print_format(pr, "%s = (%s)%s;", result, pr->e->real, total));
    passes_close(pr, true);
}

/* Rows are added to a row of results. */
void columns_print(Printer *pr)
{
    const Kernel *k = pr->k;
    int lead = axes_before(k, AX_REDUCE);
    bool one_column_axis = axes_before(k, AX_TRAIL) == k->axes - 1;
    bool tall = kernel_sums_many(pr->p, k) && one_column_axis;

    for (int i = 0; i < lead; i++) {
        passes_open(pr, i, true);
        temps_declare(pr, i + 1);
    }
    if (tall) {
        print_tall(pr, lead);
    } else {
        columns_start(pr);
        columns_add(pr, lead, NULL);
    }
    for (int i = lead - 1; i >= 0; i--)
        passes_close(pr, true);
}

/* ---- long sums of rows within a nest: some rows in float, whose sum goes to a double ---- */

/* The element of such an array for the result of the open loops. */
const char *long_sum_text(Printer *pr, const char *array)
{
    const Kernel *k = pr->k;
    const char *at = "";

    for (int i = axes_before(k, AX_TRAIL); i < k->axes; i++) {
        /* the place of the result among all: i*stride + ..., strides as in memory */
        const char *term = pr->loop[i];
        int64_t stride = 1;
        for (int q = i + 1; q < k->axes; q++)
            stride *= k->extent[q];
        if (stride > 1)
            term = print_format(pr, "%s*%lld", term, (long long)stride);
        at = print_format(pr, "%s%s%s", at, text_if(*at, " + "), term);
    }
    return print_format(pr, "%s[%s]", array, at);
}

/* A statement for each result, or two; then may be NULL. */
static void print_for_results(Printer *pr, const char *statement, const char *then)
{
    const Kernel *k = pr->k;
    int trail = axes_before(k, AX_TRAIL);

    for (int i = trail; i < k->axes; i++)
        passes_open(pr, i, i == k->axes - 1);
    print_line(pr, "%s", statement);
    if (then)
        print_line(pr, "%s", then);
    for (int i = k->axes - 1; i >= trail; i--)
        passes_close(pr, i == k->axes - 1);
}

LongSum long_sum_start(Printer *pr)
{
    LongSum sum = {.part = temp_new(pr), .total = temp_new(pr)};
    long long columns = (long long)kernel_columns(pr->k);

    print_line(pr, "%s %s[%lld];", pr->e->real, sum.part, columns);
    print_line(pr, "double %s[%lld];", sum.total, columns);
    print_for_results(pr, print_format(pr, "%s = 0;", long_sum_text(pr, sum.part)),
                      print_format(pr, "%s = 0;", long_sum_text(pr, sum.total)));
    return sum;
}

/* After every TALL rows the part is added to the total. A pass of the outermost loop may be several
 * rows. */
void long_sum_take(Printer *pr, const LongSum *sum)
{
    int64_t rows = 1; /* in a pass */
    for (int i = 1; i < pr->lead && rows < TALL; i++)
        rows *= size_max(pr->e->graph, pr->k->extent[i]);
    /* so that a part is taken every TALL rows, or somewhat less often */
    long long passes = rows < TALL ? TALL / rows : 1;

    const char *total = long_sum_text(pr, sum->total);
    const char *part = long_sum_text(pr, sum->part);
    print_line(pr, "if (%s %% %lld == %lld) {", pr->loop[0], passes, passes - 1);
    pr->indent++;
    print_for_results(pr, print_format(pr, "%s += (double)%s;", total, part),
                      print_format(pr, "%s = 0;", part));
    passes_close(pr, true);
}

void long_sum_end(Printer *pr, const LongSum *sum)
{
    const char *total = long_sum_text(pr, sum->total);
    const char *part = long_sum_text(pr, sum->part);
    print_for_results(pr,
                      print_format(pr, "%s = (%s)(%s + (double)%s);", result_text(pr), pr->e->real,
                                   total, part),
                      NULL);
}
