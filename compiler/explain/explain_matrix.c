/* explain_matrix.c - Jacobians and what they cost, as text and for LaTeX. The forms text and tex
 * end with them; --jacobians without another form prints the text only. */
#include "explain/explain.h"

#include <string.h>

enum {
    /* rows and columns up to which a Jacobian is printed */
    TALL = 16,
    WIDE = 12,

    UNITS = 4096, /* of the layer that serves as an example of costs */
};

/* ---- as text ---- */

static const char *short_number(const Lesson *l, double x)
{
    return lesson_digits(l, x, 4);
}

/* 16777216 as "16,777,216". */
static const char *grouped(const Lesson *l, double x)
{
    Ngc *ngc = l->ngc;
    if (x >= 1e15)
        return text_format(ngc, "%.3g", x);

    const char *digits = text_format(ngc, "%.0f", x);
    size_t n = strlen(digits);
    Text t = {.ngc = ngc};
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0 && digits[i - 1] != '-')
            text_put(&t, ",", 1);
        text_put(&t, digits + i, 1);
    }
    return t.at;
}

/* The width of the longest row name. */
static int name_width(const Lesson *l, const JacobianView *v)
{
    int width = 0;
    for (int64_t r = 0; r < v->rows; r++)
        width = max_int(width, (int)strlen(lesson_entry(l, v->down->node, r)));
    return width;
}

/* The width of a column: of its name and its numbers. */
static int column_width(const Lesson *l, const JacobianView *v, int64_t c)
{
    int width = (int)strlen(lesson_entry(l, v->across->node, c));
    for (int64_t r = 0; r < v->rows; r++)
        width = max_int(width, (int)strlen(short_number(l, jacobian_entry(v, r, c))));
    return width;
}

static void text_matrix(const Lesson *l, Text *t, const JacobianView *v)
{
    int left = name_width(l, v);
    int *width = arena_array(l->ngc, v->columns + 1, sizeof *width);

    text_add(t, "    %*s", left, "");
    for (int64_t c = 0; c < v->columns; c++) {
        width[c] = column_width(l, v, c);
        text_add(t, "  %*s", width[c], lesson_entry(l, v->across->node, c));
    }
    text_add(t, "\n");

    for (int64_t r = 0; r < v->rows; r++) {
        text_add(t, "    %-*s", left, lesson_entry(l, v->down->node, r));
        for (int64_t c = 0; c < v->columns; c++)
            text_add(t, "  %*s", width[c], short_number(l, jacobian_entry(v, r, c)));
        text_add(t, "\n");
    }
}

/* "[0.5, 2]"; NULL: all elements are 1. */
static const char *vector_text(const Lesson *l, const double *v, int64_t n)
{
    Text t = {.ngc = l->ngc};
    text_add(&t, "[");
    for (int64_t i = 0; i < n; i++) {
        double x = 1;
        if (v)
            x = v[i];
        text_add(&t, "%s%s", comma_before(i), short_number(l, x));
    }
    text_add(&t, "]");
    return t.at;
}

/* "4 x 6, diagonal: ... (not 0: 4 of 24)": its size and its structure. */
static const char *jacobian_words(const Lesson *l, const Jacobian *j)
{
    JacobianView v = jacobian_view(l, j);
    double rows = (double)v.rows;
    double columns = (double)v.columns;
    const char *numbers = grouped(l, rows * columns);
    Text t = {.ngc = l->ngc};

    text_add(&t, "%s x %s, ", grouped(l, rows), grouped(l, columns));
    if (!j->value)
        text_add(&t, "%s numbers: too many to write out", numbers);
    else if (rows * columns > 1)
        text_add(&t, "%s (not 0: %s of %s)", j->structure, grouped(l, (double)j->filled), numbers);
    else
        text_add(&t, "%s", j->structure);
    return t.at;
}

static bool is_written_out(const Jacobian *j)
{
    return j->value && j->rows <= TALL && j->columns <= WIDE;
}

/* The matrix, and the gradient of the loss times it. */
static void text_jacobian(const Lesson *l, Text *t, const Jacobian *j)
{
    const Node *y = l->item[j->y].node;
    const Node *x = l->item[j->x].node;
    const char *local = lesson_derivative(l, y, x);
    text_add(t, "\n  %s: %s\n", local, jacobian_words(l, j));
    if (!j->value)
        return;
    if (!is_written_out(j)) {
        text_add(t, "    too large to print; --json has its numbers\n");
        return;
    }

    JacobianView v = jacobian_view(l, j);
    text_matrix(l, t, &v);
    if (!j->downstream)
        return;

    /* what it does on the way back */
    const char *upstream = lesson_derivative(l, l->loss[0], y);
    const char *up = vector_text(l, j->upstream, j->rows);
    const char *down = vector_text(l, j->downstream, j->columns);
    if (v.transposed)
        text_add(t, "    %s times %s: the matrix times %s is %s\n", local, upstream, up, down);
    else
        text_add(t, "    %s times %s: %s times the matrix is %s\n", upstream, local, up, down);
}

/* The longest chain at its own sizes. Returns whether there is one. */
static bool text_chain_cost(const Lesson *l, Text *t)
{
    int *chain = arena_array(l->ngc, l->items + 1, sizeof *chain);
    int pairs = jacobian_chain(l, chain) - 1;
    if (pairs <= 0)
        return false;

    /* the values from the loss down, with their numbers of elements */
    double *size = arena_array(l->ngc, pairs + 1, sizeof *size);
    text_add(t, "  the longest chain:");
    for (int i = 0; i <= pairs; i++) {
        const Item *item = &l->item[chain[i]];
        size[i] = (double)lesson_count(l, item->node);
        text_add(t, "%s %s (%s)", text_if(i, " <-"), item->label, grouped(l, size[i]));
    }

    double naive, clever;
    jacobian_cost(size, pairs, &naive, &clever);
    text_add(t, "\n  naive: Jacobian times Jacobian, from the last of these up: %s operations\n",
             grouped(l, naive));
    text_add(t,
             "  clever: a vector times each Jacobian, from the first of these down: "
             "%s operations\n",
             grouped(l, clever));
    return true;
}

/* The same with UNITS elements for each value: a layer of a network. */
static void text_layer_cost(const Lesson *l, Text *t)
{
    double n = UNITS;
    double mib = 1048576, gib = 1073741824;
    const char *units = grouped(l, n);
    const char *square = grouped(l, n * n);

    text_add(t, "  Priced for a layer of n = %s units, in float32:\n", units);
    text_add(t, "    a Jacobian of the layer, n x n: %s numbers, %s MiB\n", square,
             grouped(l, n * n * 4 / mib));
    text_add(t, "    naive, Jacobian times Jacobian, 2 n^3 = O(n^3): %s operations\n",
             grouped(l, 2 * n * n * n));
    text_add(t,
             "    clever, vector times Jacobian, 2 n^2 = O(n^2): %s operations, %s times fewer\n",
             grouped(l, 2 * n * n), units);
    text_add(t,
             "    of an activation the Jacobian is diagonal: %s of its %s numbers count; "
             "slope by slope, O(n): %s operations\n",
             units, square, units);
    text_add(t,
             "    by the layer's weights it is n x n^2: %s numbers, %s GiB; "
             "the rule dz' @ x is n^2 = %s multiplications\n",
             grouped(l, n * n * n), grouped(l, n * n * n * 4 / gib), square);
}

static void text_cost(const Lesson *l, Text *t)
{
    text_add(t, "\nWhat it costs: the naive way and the clever way\n\n");
    if (text_chain_cost(l, t))
        text_add(t, "\n");
    text_layer_cost(l, t);
}

static const char *layout_words(const Lesson *l)
{
    if (l->ngc->opt.columns)
        return "in denominator layout: of dy/dx a row for each element of x, "
               "a column for each of y (--layout=rows: the other way)";
    return "in numerator layout: of dy/dx a row for each element of y, "
           "a column for each of x (--layout=columns: the other way)";
}

/* A value's name and shape, and its line in the user's source. */
static void text_heading(const Lesson *l, Text *t, const Item *y)
{
    int line = lesson_line(l, y->node);
    text_add(t, "\n%s  %s", y->label, lesson_shape(l, y->node));
    if (line > 0)
        text_add(t, "   (line %d)", line);
    text_add(t, "\n");
}

void explain_jacobians(const Lesson *l, Text *t)
{
    text_add(t, "The Jacobians, %s\n", layout_words(l));
    if (lesson_invented(l))
        text_add(t, "%s\n", lesson_invented(l));

    int last = -1;
    for (int i = 0; i < l->jacobians; i++) {
        const Jacobian *j = &l->jacobian[i];
        if (j->y != last)
            text_heading(l, t, &l->item[j->y]);
        last = j->y;
        text_jacobian(l, t, j);
    }
    if (l->jacobians == 0)
        text_add(t, "\n  There are none: no value with a name is computed from another.\n");
    text_cost(l, t);
}

/* ---- for LaTeX ---- */

/* The matrix, its rows and columns labelled. */
static void tex_matrix(const Lesson *l, Text *t, const JacobianView *v)
{
    const char *size = v->columns > 8 ? "tiny" : "footnotesize";

    /* the head: a name for each column */
    text_add(t, "\\noindent{\\%s\\setlength{\\tabcolsep}{3pt}\\begin{tabular}{r|*{%lld}{r}}\n",
             size, (long long)v->columns);
    for (int64_t c = 0; c < v->columns; c++)
        text_add(t, " & %s", tex_words(l, lesson_entry(l, v->across->node, c)));
    text_add(t, " \\\\ \\hline\n");

    for (int64_t r = 0; r < v->rows; r++) {
        text_add(t, "%s", tex_words(l, lesson_entry(l, v->down->node, r)));
        for (int64_t c = 0; c < v->columns; c++)
            text_add(t, " & $%s$", short_number(l, jacobian_entry(v, r, c)));
        text_add(t, " \\\\\n");
    }
    text_add(t, "\\end{tabular}}\n");
}

static void tex_jacobian(const Lesson *l, Text *t, const Jacobian *j)
{
    const char *name = lesson_derivative(l, l->item[j->y].node, l->item[j->x].node);
    text_add(t, "\n\\medskip\\noindent $\\displaystyle %s$: %s\n", math_name(l, name, M_TEX),
             tex_words(l, jacobian_words(l, j)));
    if (!is_written_out(j))
        return;

    JacobianView v = jacobian_view(l, j);
    text_add(t, "\n\\smallskip");
    tex_matrix(l, t, &v);
    if (!j->downstream)
        return;
    const char *product = v.transposed ? "the matrix times %s" : "%s times the matrix";
    const char *up = text_format(l->ngc, product, vector_text(l, j->upstream, j->rows));
    const char *down = vector_text(l, j->downstream, j->columns);
    text_add(t, "\n\\smallskip\\noindent %s is %s\n", tex_words(l, up), tex_words(l, down));
}

/* Lines of text as paragraphs: without what indents them, and with a gap for an empty line. */
static void tex_lines(const Lesson *l, Text *t, const char *text)
{
    for (const char *line = text; *line; line++) {
        line += strspn(line, " ");
        int length = (int)strcspn(line, "\n");
        if (length > 0)
            text_add(t, "\\noindent %s\\par\n",
                     tex_words(l, text_format(l->ngc, "%.*s", length, line)));
        else
            text_add(t, "\\medskip\n");
        line += length;
    }
}

void explain_jacobians_tex(const Lesson *l, Text *t)
{
    text_add(t, "\\section*{The Jacobians}\nThe matrices are %s\n", tex_words(l, layout_words(l)));
    for (int i = 0; i < l->jacobians; i++)
        tex_jacobian(l, t, &l->jacobian[i]);

    Text cost = {.ngc = l->ngc};
    text_cost(l, &cost);
    text_add(t, "\n");
    tex_lines(l, t, cost.at);
}
