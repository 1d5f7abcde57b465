/* emit_passes.c - the passes of the loops of a kernel: where they begin and end, those that vectors
 * do, and those left over; and how a pass stores its value, or combines it with a sum. */
#include "emit/emit_loops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where the passes of a loop begin and end. */
const char *passes_from(const Printer *pr, int axis)
{
    return pr->k->split == axis + 1 ? "from" : "0";
}

const char *passes_to(Printer *pr, int axis)
{
    if (pr->k->split == axis + 1)
        return "to";
    return emit_size(pr->e, pr->k->extent[axis], &pr->dims);
}

/* Are passes of this loop left out, above a diagonal? */
bool passes_are_cut(const Kernel *k, int axis)
{
    return k->half == HALF_LOOP && axis == k->axes - 1;
}

/* Where the passes end that are done: before those above the diagonal. */
const char *passes_upto(Printer *pr, int axis)
{
    const Kernel *k = pr->k;
    const char *end = passes_to(pr, axis);
    if (!passes_are_cut(k, axis))
        return end;

    emit_section(pr->e, "upto");
    /* row r has columns 0 .. r + diagonal */
    const char *count = pr->loop[k->row];
    if (k->diagonal != -1)
        count = print_format(pr, "%s + %lld", count, (long long)k->diagonal + 1);
    return print_format(pr, "ngrt_upto(%s, %s)", count, end);
}

void range_open(Printer *pr, const char *i, const char *from, const char *to, bool brace)
{
    print_line(pr, "for (size_t %s = %s; %s < %s; %s++)%s", i, from, i, to, i,
               text_if(brace, " {"));
    pr->indent++;
}

void passes_open(Printer *pr, int axis, bool brace)
{
    range_open(pr, pr->loop[axis], passes_from(pr, axis), passes_to(pr, axis), brace);
}

void passes_close(Printer *pr, bool brace)
{
    pr->indent--;
    if (brace)
        print_line(pr, "}");
}

/* The loops over axes first .. last - 1, each with its temporaries. */
void passes_open_all(Printer *pr, int first, int last, bool *brace)
{
    for (int i = first; i < last; i++) {
        /* the innermost loop is two loops then: vectors and the rest, or passes done and zeros */
        bool several = pr->k->vector || pr->k->grid || passes_are_cut(pr->k, i + 1);
        brace[i] = temps_any(pr, i + 1) || (several && i + 1 == pr->k->axes - 1);
        passes_open(pr, i, brace[i]);
        temps_declare(pr, i + 1);
    }
}

void passes_close_all(Printer *pr, int first, int last, const bool *brace)
{
    for (int i = last - 1; i >= first; i--)
        passes_close(pr, brace[i]);
}

/* What a vector's pass does. */
static void vector_pass(Printer *pr, PassText *pass, const char *acc)
{
    pr->indent++;
    /* what is printed from here on are vectors; temporaries are declared anew, as those of the loop
     * by elements are other ones */
    pr->vector = true;
    temps_declare(pr, pr->k->axes);
    pass(pr, acc);
    temps_forget(pr, pr->k->axes);
    pr->vector = false;
    pr->indent--;
}

/* A loop by vectors, which i counts, from `from` up to `to`, with text before and after it. */
static void vectors_counted(Printer *pr, const char *before, const char *i, const char *from,
                            const char *to, PassText *pass, const char *acc, const char *after)
{
    print_line(pr, "%sfor (size_t %s = %s; %s < %s; %s += NGRT_LANES) {", before, i, from, i, to,
               i);
    vector_pass(pr, pass, acc);
    print_line(pr, "}%s", after);
}

void passes_in_vectors(Printer *pr, const char *before, const char *from, const char *to,
                       PassText *pass, const char *acc, const char *after)
{
    vectors_counted(pr, before, pr->loop[pr->k->axes - 1], from, to, pass, acc, after);
}

/* The end of the passes that whole vectors hold. */
const char *passes_whole(Printer *pr, const char *from, const char *to)
{
    if (same_text(from, "0"))
        return print_format(pr, "NGRT_WHOLE(%s)", to);
    return print_format(pr, "%s + NGRT_WHOLE(%s - %s)", from, to, from);
}

/* A loop over single passes, which i counts. */
static void singles_counted(Printer *pr, const char *i, const char *from, const char *to,
                            bool brace, PassText *pass, const char *acc)
{
    /* a loop of several statements needs braces */
    brace |= temps_any(pr, pr->k->axes);
    range_open(pr, i, from, to, brace);
    temps_declare(pr, pr->k->axes);
    pass(pr, acc);
    passes_close(pr, brace);
}

void passes_one_by_one(Printer *pr, const char *from, const char *to, bool brace, PassText *pass,
                       const char *acc)
{
    singles_counted(pr, pr->loop[pr->k->axes - 1], from, to, brace, pass, acc);
}

/* Have the tests of all guards one result in the vector that begins with pass i? */
static const char *ragged_test(Printer *pr)
{
    const Kernel *k = pr->k;
    int step = k->grid ? k->grid : 1;
    Text t = {.ngc = pr->e->ngc};

    text_add(&t, "%s", "");
    for (int n = 0; n < k->vals; n++) {
        const Val *v = k->val[n];
        if (!guard_is_inner(k, v))
            continue;
        if (print_test_fails(pr, v) || print_test_holds(pr, v))
            continue;
        const char *test = print_format(pr, " && NGRT_ALIKE(%s, %s, %d)", print_index(pr, v->at),
                                        emit_size(pr->e, v->span, &pr->dims), step);
        if (!strstr(t.at, test))
            text_add(&t, "%s", test);
    }
    return t.at;
}

/* The passes from `from` up to `to`, where guards have tests that differ: by vectors as long as all
 * of a vector's lanes are alike, and one at a time where they are not. */
static void passes_ragged(Printer *pr, const char *i, const char *from, const char *to,
                          const char *test, PassText *pass, const char *acc)
{
    range_open(pr, i, from, to, true);
    print_line(pr, "NGRT_VECTORS(for (; %s + NGRT_LANES <= %s%s; %s += NGRT_LANES) {", i, to, test,
               i);
    vector_pass(pr, pass, acc);
    print_line(pr, "}");
    print_line(pr, "if (%s >= %s)", i, to);
    print_line(pr, "    break;)");
    temps_declare(pr, pr->k->axes);
    pass(pr, acc);
    passes_close(pr, true);
}

/* All passes of a loop, or of one place in the grid, which i counts from `from` up to `to`: by
 * vectors, then one at a time those left over. */
static void passes_counted(Printer *pr, const char *i, const char *from, const char *to, bool brace,
                           PassText *pass, const char *acc)
{
    if (pr->k->vector) {
        const char *test = ragged_test(pr);
        if (*test) {
            passes_ragged(pr, i, from, to, test, pass, acc);
            return;
        }
        const char *whole = passes_whole(pr, from, to);
        vectors_counted(pr, "NGRT_VECTORS(", i, from, whole, pass, acc, ")");
        from = whole;
    }
    singles_counted(pr, i, from, to, brace, pass, acc);
}

/* All passes as one loop for each place in the grid. */
static void passes_on_grid(Printer *pr, const char *to, PassText *pass, const char *acc)
{
    int last = pr->k->axes - 1;
    int grid = pr->k->grid;
    const char *name = pr->loop[last];
    Size passes = pr->k->extent[last];

    for (pr->place = 0; pr->place < grid; pr->place++) {
        int more = grid - 1 - pr->place;
        const char *count = print_format(pr, "(%s + %d)/%d", to, more, grid);
        if (passes >= 0)
            count = print_format(pr, "%lld", (long long)((passes + more) / grid));

        pr->loop[last] = print_format(pr, "%s*%d", name, grid);
        if (pr->place > 0) {
            pr->loop[last] = print_format(pr, "(%s + %d)", pr->loop[last], pr->place);
            temps_forget(pr, pr->k->axes);
        }

        passes_counted(pr, name, "0", count, pr->k->stores > 1, pass, acc);
    }
    pr->loop[last] = name;
    pr->place = 0;
}

/* All passes from `from` up to `to`. */
void passes_range(Printer *pr, const char *from, const char *to, bool brace, PassText *pass,
                  const char *acc)
{
    if (pr->k->grid)
        passes_on_grid(pr, to, pass, acc);
    else
        passes_counted(pr, pr->loop[pr->k->axes - 1], from, to, brace, pass, acc);
}

void passes_print(Printer *pr, bool brace, PassText *pass, const char *acc)
{
    int last = pr->k->axes - 1;

    passes_range(pr, passes_from(pr, last), passes_upto(pr, last), brace, pass, acc);
}

/* The left side of a store: an element, or the vector that begins with it. */
const char *stored_text(Printer *pr, const char *element, Type type)
{
    if (!pr->vector)
        return element;
    return print_format(pr, "NGRT_STORE%s(%s)", text_if(type == T_INT, "_INT"), element);
}

/* The value that a reduction begins with. T_INT: in a double that sums ints or many floats. */
const char *reduction_start(Printer *pr, Type type)
{
    const char *init = op_info[pr->k->reduce]->init;
    char *end;
    double v = strtod(init, &end);
    bool is_number = end != init && *end == '\0' && !isinf(v);

    /* a name, such as -INFINITY, is as good for float as for double */
    if (!is_number)
        return init;
    if (type == T_INT)
        return "0.0";
    return emit_number(pr->e, v, T_FLOAT);
}

/* acc = combine(acc, x) */
void print_combine(Printer *pr, const char *acc, Part x, Type type)
{
    const OpInfo *info = op_info[pr->k->reduce];
    const char *combine = pr->vector ? info->combine_vec : info->combine;

    if (same_text(combine, "$acc + $x")) {
        print_line(pr, "%s += %s;", acc, x.text);
        return;
    }
    /* ints are combined in a double */
    const char *suffix = type == T_INT ? "" : pr->e->suffix;
    print_line(pr, "%s = %s;", acc,
               print_fill(pr, combine, PREC_CALL, T_FLOAT, &x, acc, suffix).text);
}

int axes_before(const Kernel *k, AxisKind kind)
{
    int i = 0;
    while (i < k->axes && k->axis[i] < kind)
        i++;
    return i;
}

/* Is it a sum of ints that may leave their range? */
bool sum_goes_round(const Printer *pr)
{
    const Kernel *k = pr->k;
    double terms = 1;

    if (k->reduce != OP_sum || k->store[0].node->type != T_INT)
        return false;
    /* terms of one result */
    for (int i = 0; i < k->axes; i++)
        if (k->axis[i] == AX_REDUCE)
            terms *= (double)size_max(pr->p->graph, k->extent[i]);
    return bounds_sum_leaves(k->store[0].val, terms);
}
