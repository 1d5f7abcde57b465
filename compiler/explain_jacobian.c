/* explain_jacobian.c - ngc explain --jacobians: the naive way beside the clever way. For each value
 * that the user named and each named value it is computed from, the full Jacobian, with everything
 * between them; and what it costs to multiply Jacobians against what the sweep does, a vector times
 * each.
 *
 * A Jacobian is made by the derivative rules alone: what lies between x and y is copied onto a new
 * leaf for each x, so that no other way from x to y counts, and is swept back once for each element
 * of y, with 1 for it and 0 for the others. */
#include "explain.h"

#include <math.h>
#include <string.h>

enum {
    COMPUTED = 4096, /* entries up to which a Jacobian is computed */
    TALL = 16,       /* rows and columns up to which it is written out */
    WIDE = 12,
    UNITS = 4096, /* of the layer that is priced */
};

/* ---- pairs: before there are values ---- */

/* Has the user named it, and not the library? A number at the end is a pass of the user's loop. */
static bool is_users(const Node *n)
{
    const char *dot = n->name ? strrchr(n->name, '.') : NULL;
    return n->op == OP_var || (n->name && (!dot || (dot[1] >= '0' && dot[1] <= '9')));
}

typedef struct Copy { /* of what lies between y and the named values it is computed from */
    Lesson *l;
    Node **copy; /* by id, or NULL */
    int *from;   /* items: the named values */
    Node **leaf; /* and what stands for them */
    int count;
} Copy;

static Node *leaf_for(Copy *c, Node *x)
{
    Lesson *l = c->l;
    Var *v = arena_alloc(l->ngc, sizeof *v);
    *v = (Var){.kind = VAR_INPUT,
               .name = l->item[l->at[x->id] - 1].label,
               .type = x->type,
               .shape = x->shape,
               .index = -1};
    return v->node = graph_var(l->g, v);
}

static Node *copy_node(Copy *c, Node *n)
{
    Node **arg = arena_alloc(c->l->ngc, (size_t)(n->nargs + 1) * sizeof *arg);
    for (int k = 0; k < n->nargs; k++)
        arg[k] = c->copy[n->arg[k]->id];
    return n->nargs ? graph_copy(c->l->g, n, arg) : n;
}

/* Marks what y needs down to named values. */
static bool *region_of(const Lesson *l, const Node *y, int count)
{
    bool *in = arena_alloc(l->ngc, (size_t)count + 1);
    in[y->id] = true;
    for (int i = y->id; i >= 0; i--)
        for (int k = 0;
             in[i] && k < l->g->node[i]->nargs && (i == y->id || !is_users(l->g->node[i])); k++)
            in[l->g->node[i]->arg[k]->id] = true;
    return in;
}

/* The pairs of one y: the transposed Jacobian times a seed, by the rules, as a graph. */
static void build_pairs(Lesson *l, int item)
{
    Node *y = l->item[item].node;
    int count = l->g->count, first = y->id;
    bool *in = region_of(l, y, count);
    for (int i = y->id; i >= 0; i--)
        first = in[i] ? i : first;
    Copy c = {.l = l, .copy = arena_alloc(l->ngc, (size_t)(y->id + 1) * sizeof *c.copy)};
    c.from = arena_alloc(l->ngc, (size_t)(y->id + 1) * sizeof *c.from);
    c.leaf = arena_alloc(l->ngc, (size_t)(y->id + 1) * sizeof *c.leaf);
    for (int i = first; i <= y->id; i++) {
        Node *n = l->g->node[i];
        if (!in[i])
            continue;
        if (n == y || !is_users(n) || n->type != T_FLOAT || !l->at[i]) {
            c.copy[i] = n == y || !is_users(n) ? copy_node(&c, n) : n;
            continue;
        }
        c.from[c.count] = l->at[i] - 1;
        c.copy[i] = c.leaf[c.count++] = leaf_for(&c, n);
    }
    Node *seed = leaf_for(&c, y), **g = arena_alloc(l->ngc, (size_t)(c.count + 1) * sizeof *g);
    Reach *reach = arena_alloc(l->ngc, (size_t)(c.count + 1) * sizeof *reach);
    graph_grad(l->g, c.copy[y->id], seed, c.leaf, c.count, g, reach);
    for (int k = 0; k < c.count; k++) {
        if (reach[k] != REACH_YES)
            continue;
        l->jacobian =
            arena_grow(l->ngc, l->jacobian, l->jacobians, &l->jacobian_room, sizeof *l->jacobian);
        l->jacobian[l->jacobians++] = (Jacobian){.y = item,
                                                 .x = c.from[k],
                                                 .seed = seed,
                                                 .back = g[k],
                                                 .first = count,
                                                 .leaf = c.leaf,
                                                 .from = c.from,
                                                 .leaves = c.count};
    }
}

void jacobians_prepare(Lesson *l)
{
    for (int i = l->items - 1; i >= 0; i--)
        if (l->item[i].node->op != OP_var && l->item[i].node->type == T_FLOAT &&
            (is_users(l->item[i].node) || strcmp(l->item[i].kind, "loss") == 0))
            build_pairs(l, i);
}

/* ---- values ---- */

/* What stands for x gets its value; it is known until the graph forgets. */
static void force(Eval *e, const Node *leaf, const double *value)
{
    e->value[leaf->id] = (double *)value;
    e->known[leaf->id] = true;
}

static void compute(Lesson *l, Jacobian *j)
{
    Eval *e = l->e;
    double *seed = arena_alloc(l->ngc, (size_t)(j->rows + 1) * sizeof *seed);
    j->value = arena_alloc(l->ngc, (size_t)(j->rows * j->columns + 1) * sizeof *j->value);
    for (int64_t r = 0; r < j->rows; r++) {
        memset(e->known + j->first, 0, (size_t)(l->g->count - j->first));
        for (int k = 0; k < j->leaves; k++)
            force(e, j->leaf[k], eval_node(e, l->item[j->from[k]].node));
        seed[r] = 1;
        force(e, j->seed, seed);
        memcpy(j->value + r * j->columns, eval_node(e, j->back), (size_t)j->columns * sizeof *seed);
        seed[r] = 0;
    }
}

typedef struct Seen {                       /* what is true of all entries */
    bool zero, diagonal, ones, equal, full; /* ones: each is 0 or 1 */
    bool copied;                            /* the identity or a diagonal, once below the other */
    bool collected;                         /* the same, side by side */
    bool single;                            /* at most one in a row is not 0 */
    bool blocks;                            /* each first index of y takes from the same one of x */
} Seen;

static Seen look_at(const Lesson *l, const Jacobian *j)
{
    int64_t rows = j->rows, columns = j->columns, dy[MAX_RANK] = {0}, dx[MAX_RANK] = {0};
    lesson_count(l, l->item[j->y].node, dy);
    lesson_count(l, l->item[j->x].node, dx);
    Seen s = {true,
              rows == columns,
              true,
              true,
              true,
              columns > 1 && rows > columns && rows % columns == 0,
              rows > 1 && columns > rows && columns % rows == 0,
              true,
              dy[0] > 1 && dy[0] == dx[0]};
    for (int64_t r = 0; r < rows; r++) {
        int64_t some = 0;
        for (int64_t c = 0; c < columns; c++) {
            double v = j->value[r * columns + c];
            s.zero &= v == 0;
            s.diagonal &= r == c || v == 0;
            s.ones &= v == 0 || v == 1;
            s.equal &= v == j->value[0];
            s.full &= v != 0;
            s.copied &= (v != 0) == (r % columns == c);
            s.collected &= (v != 0) == (c % rows == r);
            s.blocks = s.blocks && (v == 0 || r / (rows / dy[0]) == c / (columns / dx[0]));
            some += v != 0;
        }
        s.single &= some <= 1;
    }
    return s;
}

/* What a lecturer says of it at a glance. */
static const char *structure_of(const Lesson *l, const Jacobian *j)
{
    Seen s = look_at(l, j);
    return j->rows * j->columns == 1 ? "a single slope"
           : s.zero                  ? "zero: nothing flows back here"
           : s.diagonal && s.ones    ? "the identity, or a part of it: the gradient passes as it is"
           : s.diagonal              ? "diagonal: element by element, slope times gradient"
           : s.equal                 ? "one number everywhere: each x gets the same"
           : s.copied && s.ones
               ? "identities one below the other: x was copied, the gradients of the copies are added"
           : s.copied
               ? "diagonals one below the other: each x is used several times, the gradients are added"
           : s.collected && s.ones
               ? "identities side by side: a sum, each of its terms gets the gradient"
           : s.collected        ? "diagonals side by side: each y collects several x"
           : s.single && s.ones ? "a choice: each y routes to one x"
           : s.single           ? "one entry in each row: each y has one x"
           : j->rows == 1       ? "a row: the gradient itself"
           : s.blocks           ? "blocks on the diagonal: each example by itself"
           : s.full             ? "full: each y depends on each x"
                                : "in part: each y depends on some x";
}

void jacobians_compute(Lesson *l)
{
    int kept = 0;
    for (int i = 0; i < l->jacobians; i++) {
        Jacobian *j = &l->jacobian[i];
        const Item *y = &l->item[j->y], *x = &l->item[j->x];
        int64_t dim[MAX_RANK];
        bool on_path = y->adjoint || l->loss[0] == y->node;
        if (on_path && !x->adjoint)
            continue; /* no gradient was asked by it */
        j->rows = lesson_count(l, y->node, dim);
        j->columns = lesson_count(l, x->node, dim);
        if (j->rows <= COMPUTED && j->columns <= COMPUTED / (j->rows ? j->rows : 1)) {
            compute(l, j);
            j->structure = structure_of(l, j);
            for (int64_t k = 0; k < j->rows * j->columns; k++)
                j->filled += j->value[k] != 0;
        }
        if (on_path && l->losses && j->value)
            j->upstream = y->node == l->loss[0] ? NULL : eval_node(l->e, y->adjoint);
        if (on_path && l->losses && j->value) {
            double *down = arena_alloc(l->ngc, (size_t)(j->columns + 1) * sizeof *down);
            for (int64_t r = 0; r < j->rows; r++)
                for (int64_t c = 0; c < j->columns; c++)
                    down[c] += (j->upstream ? j->upstream[r] : 1) * j->value[r * j->columns + c];
            j->downstream = down;
        }
        l->jacobian[kept++] = *j;
    }
    l->jacobians = kept;
}

/* The longest chain of pairs from the first loss down: item by item. Returns how many. */
int jacobian_chain(const Lesson *l, int *chain)
{
    int *depth = arena_alloc(l->ngc, (size_t)(l->items + 1) * sizeof *depth), n = 0, top = -1;
    for (int i = l->jacobians - 1; i >= 0; i--) { /* those of early values stand last */
        const Jacobian *j = &l->jacobian[i];
        depth[j->y] = depth[j->x] + 1 > depth[j->y] ? depth[j->x] + 1 : depth[j->y];
    }
    for (int i = 0; i < l->items; i++)
        if (l->losses ? l->item[i].node == l->loss[0] : top < 0 || depth[i] > depth[top])
            top = i;
    while (top >= 0) {
        int next = -1;
        chain[n++] = top;
        for (int i = 0; i < l->jacobians; i++)
            if (l->jacobian[i].y == top && depth[l->jacobian[i].x] == depth[top] - 1 && next < 0)
                next = l->jacobian[i].x;
        top = next;
    }
    return n;
}

/* Operations along a chain of sizes s[0] (the loss) to s[n]: Jacobian times Jacobian from the
 * inputs up, or a row times each. */
void jacobian_cost(const double *s, int n, double *naive, double *clever)
{
    *naive = *clever = 0;
    for (int i = 0; i < n; i++) {
        *clever += i == 0 ? 0 : 2 * s[0] * s[i] * s[i + 1];
        *naive += i == n - 1 ? 0 : 2 * s[i] * s[i + 1] * s[n];
    }
}

/* ---- as text ---- */

/* "z[0, 1]" for element k. */
static const char *entry_name(const Lesson *l, const Item *t, int64_t k)
{
    int64_t dim[MAX_RANK], inner = lesson_count(l, t->node, dim);
    Text out = {.ngc = l->ngc};
    text_add(&out, "%s", t->label);
    for (int i = 0; i < t->node->shape.rank; i++) {
        inner /= dim[i];
        text_add(&out, "%s%lld%s", i ? ", " : "[", (long long)(k / inner),
                 i + 1 == t->node->shape.rank ? "]" : "");
        k %= inner;
    }
    return out.at;
}

static const char *short_number(const Lesson *l, double x)
{
    return lesson_digits(l, x, 4);
}

/* 16777216 as "16,777,216". */
static const char *grouped(const Lesson *l, double x)
{
    const char *digits = text_format(l->ngc, "%.0f", x);
    size_t n = strlen(digits);
    Text t = {.ngc = l->ngc};
    if (x >= 1e15)
        return text_format(l->ngc, "%.3g", x);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0 && digits[i - 1] != '-')
            text_put(&t, ",", 1);
        text_put(&t, digits + i, 1);
    }
    return t.at;
}

static void text_matrix(const Lesson *l, Text *t, const Jacobian *j, bool by_columns)
{
    const Item *down = &l->item[by_columns ? j->x : j->y],
               *across = &l->item[by_columns ? j->y : j->x];
    int64_t rows = by_columns ? j->columns : j->rows, columns = by_columns ? j->rows : j->columns;
    int left = 0, *width = arena_alloc(l->ngc, (size_t)(columns + 1) * sizeof *width);
    for (int64_t r = 0; r < rows; r++) {
        int n = (int)strlen(entry_name(l, down, r));
        left = n > left ? n : left;
    }
    for (int64_t c = 0; c < columns; c++) {
        width[c] = (int)strlen(entry_name(l, across, c));
        for (int64_t r = 0; r < rows; r++) {
            int n =
                (int)strlen(short_number(l, j->value[by_columns ? c * rows + r : r * columns + c]));
            width[c] = n > width[c] ? n : width[c];
        }
    }
    text_add(t, "    %*s", left, "");
    for (int64_t c = 0; c < columns; c++)
        text_add(t, "  %*s", width[c], entry_name(l, across, c));
    text_add(t, "\n");
    for (int64_t r = 0; r < rows; r++) {
        text_add(t, "    %-*s", left, entry_name(l, down, r));
        for (int64_t c = 0; c < columns; c++)
            text_add(t, "  %*s", width[c],
                     short_number(l, j->value[by_columns ? c * rows + r : r * columns + c]));
        text_add(t, "\n");
    }
}

static const char *vector_text(const Lesson *l, const double *v, int64_t n)
{
    Text t = {.ngc = l->ngc};
    for (int64_t i = 0; i < n; i++)
        text_add(&t, "%s%s", i ? ", " : "[", short_number(l, v ? v[i] : 1));
    text_add(&t, "]");
    return t.at;
}

/* "4 x 6, diagonal: ... (not 0: 4 of 24)": its size and what it is like. */
static const char *jacobian_words(const Lesson *l, const Jacobian *j)
{
    bool by_columns = l->ngc->opt.columns;
    double rows = (double)(by_columns ? j->columns : j->rows),
           columns = (double)(by_columns ? j->rows : j->columns);
    Text t = {.ngc = l->ngc};
    text_add(&t, "%s x %s, ", grouped(l, rows), grouped(l, columns));
    if (!j->value)
        text_add(&t, "%s numbers: too many to write out", grouped(l, rows * columns));
    else if (rows * columns > 1)
        text_add(&t, "%s (not 0: %s of %s)", j->structure, grouped(l, (double)j->filled),
                 grouped(l, rows * columns));
    else
        text_add(&t, "%s", j->structure);
    return t.at;
}

static bool is_written_out(const Jacobian *j)
{
    return j->value && j->rows <= TALL && j->columns <= WIDE;
}

static void text_jacobian(const Lesson *l, Text *t, const Jacobian *j)
{
    bool by_columns = l->ngc->opt.columns;
    const char *y = l->item[j->y].label, *x = l->item[j->x].label;
    text_add(t, "\n  d%s/d%s: %s\n", y, x, jacobian_words(l, j));
    if (!is_written_out(j)) {
        text_add(t, j->value ? "    too large to print; --json has its numbers\n" : "");
        return;
    }
    text_matrix(l, t, j, by_columns);
    if (!j->downstream)
        return;
    const char *up = vector_text(l, j->upstream, j->rows),
               *down = vector_text(l, j->downstream, j->columns),
               *loss = lesson_label(l, l->loss[0]);
    if (by_columns)
        text_add(t, "    d%s/d%s times d%s/d%s: the matrix times %s is %s\n", y, x, loss, y, up,
                 down);
    else
        text_add(t, "    d%s/d%s times d%s/d%s: %s times the matrix is %s\n", loss, y, y, x, up,
                 down);
}

/* The same chain at its own sizes and with UNITS for each that is more than one number. */
static void text_cost(const Lesson *l, Text *t)
{
    int *chain = arena_alloc(l->ngc, (size_t)(l->items + 1) * sizeof *chain),
        n = jacobian_chain(l, chain) - 1;
    double *s = arena_alloc(l->ngc, (size_t)(n + 2) * sizeof *s), naive, clever, u = UNITS;
    int64_t dim[MAX_RANK];
    text_add(t, "\nWhat it costs: the naive way and the clever way\n\n");
    for (int i = 0; i <= n; i++)
        s[i] = (double)lesson_count(l, l->item[chain[i]].node, dim);
    if (n > 0) {
        text_add(t, "  the longest chain:");
        for (int i = 0; i <= n; i++)
            text_add(t, "%s %s (%s)", i ? " <-" : "", l->item[chain[i]].label, grouped(l, s[i]));
        jacobian_cost(s, n, &naive, &clever);
        text_add(t,
                 "\n  naive: Jacobian times Jacobian, from the last of these up: %s operations\n",
                 grouped(l, naive));
        text_add(
            t,
            "  clever: a vector times each Jacobian, from the first of these down: %s operations\n",
            grouped(l, clever));
    }
    text_add(t, "%s  Priced for a layer of n = %s units, in float32:\n", n > 0 ? "\n" : "",
             grouped(l, u));
    text_add(t, "    a Jacobian of the layer, n x n: %s numbers, %s MiB\n", grouped(l, u * u),
             grouped(l, u * u * 4 / 1048576));
    text_add(t, "    naive, Jacobian times Jacobian, 2 n^3 = O(n^3): %s operations\n",
             grouped(l, 2 * u * u * u));
    text_add(t,
             "    clever, vector times Jacobian, 2 n^2 = O(n^2): %s operations, %s times fewer\n",
             grouped(l, 2 * u * u), grouped(l, u));
    text_add(
        t,
        "    of an activation the Jacobian is diagonal: %s of its %s numbers count; slope by slope, O(n): %s operations\n",
        grouped(l, u), grouped(l, u * u), grouped(l, u));
    text_add(
        t,
        "    by the layer's weights it is n x n^2: %s numbers, %s GiB; the rule dz' @ x is n^2 = %s multiplications\n",
        grouped(l, u * u * u), grouped(l, u * u * u * 4 / 1073741824), grouped(l, u * u));
}

static const char *layout_words(const Lesson *l)
{
    return l->ngc->opt.columns
               ? "in denominator layout: of dy/dx a row for each element of x, a column for each of y (--layout=rows: the other way)"
               : "in numerator layout: of dy/dx a row for each element of y, a column for each of x (--layout=columns: the other way)";
}

void explain_jacobians(const Lesson *l, Text *t)
{
    int last = -1;
    text_add(t, "The Jacobians, %s\n", layout_words(l));
    if (lesson_invented(l))
        text_add(t, "%s\n", lesson_invented(l));
    for (int i = 0; i < l->jacobians; i++) {
        const Jacobian *j = &l->jacobian[i];
        const Item *y = &l->item[j->y];
        int column;
        if (j->y != last) {
            text_add(t, "\n%s  %s", y->label, lesson_shape(l, y->node));
            if (y->node->loc.file >= 0 && !l->ngc->file[y->node->loc.file]->library)
                text_add(t, "   (line %d)", source_line(l->ngc, y->node->loc, &column));
            text_add(t, "\n");
        }
        last = j->y;
        text_jacobian(l, t, j);
    }
    if (l->jacobians == 0)
        text_add(t, "\n  There are none: no value with a name is computed from another.\n");
    text_cost(l, t);
}

/* ---- for LaTeX ---- */

/* The matrix, its rows and columns labelled. */
static void tex_matrix(const Lesson *l, Text *t, const Jacobian *j, bool by_columns)
{
    const Item *down = &l->item[by_columns ? j->x : j->y],
               *across = &l->item[by_columns ? j->y : j->x];
    int64_t rows = by_columns ? j->columns : j->rows, columns = by_columns ? j->rows : j->columns;
    text_add(t, "\\noindent{\\%s\\setlength{\\tabcolsep}{3pt}\\begin{tabular}{r|*{%lld}{r}}\n",
             columns > 8 ? "tiny" : "footnotesize", (long long)columns);
    for (int64_t c = 0; c < columns; c++)
        text_add(t, " & %s", tex_words(l, entry_name(l, across, c)));
    text_add(t, " \\\\ \\hline\n");
    for (int64_t r = 0; r < rows; r++) {
        text_add(t, "%s", tex_words(l, entry_name(l, down, r)));
        for (int64_t c = 0; c < columns; c++)
            text_add(t, " & $%s$",
                     short_number(l, j->value[by_columns ? c * rows + r : r * columns + c]));
        text_add(t, " \\\\\n");
    }
    text_add(t, "\\end{tabular}}\n");
}

static void tex_jacobian(const Lesson *l, Text *t, const Jacobian *j)
{
    bool by_columns = l->ngc->opt.columns;
    const char *y = l->item[j->y].label, *x = l->item[j->x].label;
    text_add(t, "\n\\medskip\\noindent $\\displaystyle %s$: %s\n",
             math_name(l, text_format(l->ngc, "d%s/d%s", y, x), M_TEX),
             tex_words(l, jacobian_words(l, j)));
    if (!is_written_out(j))
        return;
    text_add(t, "\n\\smallskip");
    tex_matrix(l, t, j, by_columns);
    if (!j->downstream)
        return;
    const char *up = vector_text(l, j->upstream, j->rows),
               *down = vector_text(l, j->downstream, j->columns);
    text_add(t, "\n\\smallskip\\noindent %s is %s\n",
             tex_words(l,
                       text_format(l->ngc,
                                   by_columns ? "the matrix times %s" : "%s times the matrix", up)),
             tex_words(l, down));
}

void explain_jacobians_tex(const Lesson *l, Text *t)
{
    Text cost = {.ngc = l->ngc};
    text_add(t, "\\section*{The Jacobians}\nThe matrices are %s\n", tex_words(l, layout_words(l)));
    for (int i = 0; i < l->jacobians; i++)
        tex_jacobian(l, t, &l->jacobian[i]);
    text_cost(l, &cost);
    text_add(t, "\n");
    for (const char *line = cost.at; *line; line++) {
        int lead = (int)strspn(line, " "), length = (int)strcspn(line, "\n") - lead;
        line += lead;
        if (length > 0)
            text_add(t, "\\noindent %s\\par\n",
                     tex_words(l, text_format(l->ngc, "%.*s", length, line)));
        else
            text_add(t, "\\medskip\n");
        line += length;
    }
}
