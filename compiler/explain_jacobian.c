/* explain_jacobian.c - ngc explain --jacobians: the naive way beside the clever way. For each value
 * that the user named, the full Jacobian by each named value that it is computed from, with all
 * that lies between them. And the cost: a product of Jacobians against the sweep's product of a
 * vector with each.
 *
 * A Jacobian is made by the derivative rules. What lies between x and y is copied onto a new leaf
 * for each x, so that no other way from x to y counts. The copy is swept back once for each element
 * of y, with 1 as the gradient of that element and 0 of the others. */
#include "explain.h"

#include <math.h>
#include <string.h>

enum {
    COMPUTED = 4096, /* entries up to which a Jacobian is computed */
    TALL = 16,       /* rows and columns up to which it is printed */
    WIDE = 12,
    UNITS = 4096, /* of the layer that serves as an example of costs */
};

/* ---- pairs: before there are values ---- */

/* Has the user named it, and not the library? The library's names have a dot. A number after the
 * last dot is a pass of the user's loop. */
static bool is_users(const Node *n)
{
    if (n->op == OP_var)
        return true;
    if (!n->name)
        return false;
    const char *dot = strrchr(n->name, '.');
    return !dot || (dot[1] >= '0' && dot[1] <= '9');
}

/* A copy of what lies between y and the named values that y is computed from. */
typedef struct Copy {
    Lesson *l;
    Node **copy; /* by the id of the original, or NULL */
    int *from;   /* the items of the named values */
    Node **leaf; /* the leaf in place of each of them */
    int count;   /* of from, and of leaf */
} Copy;

/* A new input with the label, type and shape of x. */
static Node *leaf_for(const Copy *c, const Node *x)
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

static Node *copy_node(const Copy *c, Node *n)
{
    if (n->nargs == 0)
        return n;
    Node **arg = arena_alloc(c->l->ngc, (size_t)(n->nargs + 1) * sizeof *arg);
    for (int k = 0; k < n->nargs; k++)
        arg[k] = c->copy[n->arg[k]->id];
    return graph_copy(c->l->g, n, arg);
}

/* Marks what y is computed from, down to the nearest named values. */
static bool *region_of(const Lesson *l, const Node *y)
{
    bool *in = arena_alloc(l->ngc, (size_t)y->id + 1);
    in[y->id] = true;

    for (int i = y->id; i >= 0; i--) {
        const Node *n = l->g->node[i];
        bool ends = n != y && is_users(n);
        if (!in[i] || ends)
            continue;
        for (int k = 0; k < n->nargs; k++)
            in[n->arg[k]->id] = true;
    }
    return in;
}

/* Copies the region of y onto leaves. */
static Copy copy_region(Lesson *l, const Node *y)
{
    size_t nodes = (size_t)y->id + 1;
    bool *in = region_of(l, y);
    Copy c = {.l = l,
              .copy = arena_alloc(l->ngc, nodes * sizeof *c.copy),
              .from = arena_alloc(l->ngc, nodes * sizeof *c.from),
              .leaf = arena_alloc(l->ngc, nodes * sizeof *c.leaf)};

    for (int i = 0; i <= y->id; i++) {
        Node *n = l->g->node[i];
        if (!in[i])
            continue;
        if (n == y || !is_users(n)) {
            c.copy[i] = copy_node(&c, n);
        } else if (n->type != T_FLOAT || !l->at[i]) { /* no derivative by it: it stays */
            c.copy[i] = n;
        } else {
            c.from[c.count] = l->at[i] - 1;
            c.copy[i] = c.leaf[c.count++] = leaf_for(&c, n);
        }
    }
    return c;
}

static void add_jacobian(Lesson *l, Jacobian j)
{
    l->jacobian =
        arena_grow(l->ngc, l->jacobian, l->jacobians, &l->jacobian_room, sizeof *l->jacobian);
    l->jacobian[l->jacobians++] = j;
}

/* The pairs of one y: the transposed Jacobian times a seed, by the rules, as a graph. */
static void build_pairs(Lesson *l, int item)
{
    Node *y = l->item[item].node;
    int first = l->g->count;
    Copy c = copy_region(l, y);

    Node *seed = leaf_for(&c, y);
    Node **gradient = arena_alloc(l->ngc, (size_t)(c.count + 1) * sizeof *gradient);
    Reach *reach = arena_alloc(l->ngc, (size_t)(c.count + 1) * sizeof *reach);
    graph_grad(l->g, c.copy[y->id], seed, c.leaf, c.count, gradient, reach);

    for (int k = 0; k < c.count; k++)
        if (reach[k] == REACH_YES)
            add_jacobian(l, (Jacobian){.y = item,
                                       .x = c.from[k],
                                       .seed = seed,
                                       .back = gradient[k],
                                       .first = first,
                                       .leaf = c.leaf,
                                       .from = c.from,
                                       .leaves = c.count});
}

void jacobians_prepare(Lesson *l)
{
    for (int i = l->items - 1; i >= 0; i--) {
        const Item *t = &l->item[i];
        if (t->node->op == OP_var || t->node->type != T_FLOAT)
            continue;
        if (is_users(t->node) || strcmp(t->kind, "loss") == 0)
            build_pairs(l, i);
    }
}

/* ---- values ---- */

/* Gives a leaf its value. The value is known until eval_forget. */
static void set_leaf(Eval *e, const Node *leaf, const double *value)
{
    e->value[leaf->id] = (double *)value;
    e->known[leaf->id] = true;
}

/* Row by row: each sweep has 1 as the gradient of one element of y. */
static void compute_rows(Lesson *l, Jacobian *j)
{
    Eval *e = l->e;
    double *seed = arena_alloc(l->ngc, (size_t)(j->rows + 1) * sizeof *seed);
    j->value = arena_alloc(l->ngc, (size_t)(j->rows * j->columns + 1) * sizeof *j->value);

    for (int64_t r = 0; r < j->rows; r++) {
        memset(e->known + j->first, 0, (size_t)(l->g->count - j->first));
        for (int k = 0; k < j->leaves; k++)
            set_leaf(e, j->leaf[k], eval_node(e, l->item[j->from[k]].node));

        seed[r] = 1;
        set_leaf(e, j->seed, seed);
        memcpy(j->value + r * j->columns, eval_node(e, j->back), (size_t)j->columns * sizeof *seed);
        seed[r] = 0;
    }

    for (int64_t k = 0; k < j->rows * j->columns; k++)
        j->filled += j->value[k] != 0;
}

/* What is true of all entries of a Jacobian. */
typedef struct Seen {
    bool zero, diagonal, equal, full;
    bool ones;      /* each entry is 0 or 1 */
    bool copied;    /* diagonals one below the other */
    bool collected; /* diagonals side by side */
    bool single;    /* each row has at most one entry that is not 0 */
    bool blocks;    /* index i of y's first axis depends on index i of x's first axis only */
} Seen;

/* Takes one entry into account: v in row r and column c. */
static void see_entry(Seen *s, const Jacobian *j, int64_t r, int64_t c)
{
    double v = j->value[r * j->columns + c];
    bool some = v != 0;

    s->zero &= !some;
    s->full &= some;
    s->ones &= v == 0 || v == 1;
    s->equal &= v == j->value[0];
    s->diagonal &= r == c || !some;
    s->copied &= some == (r % j->columns == c);
    s->collected &= some == (c % j->rows == r);
}

/* What the sizes alone allow: more is ruled out entry by entry. */
static Seen allowed_by_sizes(const Jacobian *j, bool blocks)
{
    int64_t rows = j->rows, columns = j->columns;
    return (Seen){.zero = true,
                  .diagonal = rows == columns,
                  .equal = true,
                  .full = true,
                  .ones = true,
                  .copied = columns > 1 && rows > columns && rows % columns == 0,
                  .collected = rows > 1 && columns > rows && columns % rows == 0,
                  .single = true,
                  .blocks = blocks};
}

static Seen look_at_entries(const Lesson *l, const Jacobian *j)
{
    int64_t dy[MAX_RANK] = {0}, dx[MAX_RANK] = {0};
    lesson_count(l, l->item[j->y].node, dy);
    lesson_count(l, l->item[j->x].node, dx);
    Seen s = allowed_by_sizes(j, dy[0] > 1 && dy[0] == dx[0]);

    for (int64_t r = 0; r < j->rows; r++) {
        int64_t some = 0;
        for (int64_t c = 0; c < j->columns; c++) {
            see_entry(&s, j, r, c);
            if (j->value[r * j->columns + c] == 0)
                continue;
            some++;
            if (s.blocks) /* the same index of the first axes? */
                s.blocks = r / (j->rows / dy[0]) == c / (j->columns / dx[0]);
        }
        s.single &= some <= 1;
    }
    return s;
}

/* What a lecturer says at a glance: the first that applies. */
static const char *structure_of(const Lesson *l, const Jacobian *j)
{
    Seen s = look_at_entries(l, j);
    if (j->rows * j->columns == 1)
        return "a single slope";
    if (s.zero)
        return "zero: nothing flows back here";
    if (s.diagonal && s.ones)
        return "the identity, or a part of it: the gradient passes as it is";
    if (s.diagonal)
        return "diagonal: element by element, slope times gradient";
    if (s.equal)
        return "one number everywhere: each x gets the same";
    if (s.copied && s.ones)
        return "identities one below the other: x was copied, "
               "the gradients of the copies are added";
    if (s.copied)
        return "diagonals one below the other: each x is used several times, "
               "the gradients are added";
    if (s.collected && s.ones)
        return "identities side by side: a sum, each of its terms gets the gradient";
    if (s.collected)
        return "diagonals side by side: each y collects several x";
    if (s.single && s.ones)
        return "a choice: each y routes to one x";
    if (s.single)
        return "one entry in each row: each y has one x";
    if (j->rows == 1)
        return "a row: the gradient itself";
    if (s.blocks)
        return "blocks on the diagonal: each example by itself";
    if (s.full)
        return "full: each y depends on each x";
    return "in part: each y depends on some x";
}

/* The vector times the matrix: what y sends to x. A NULL vector is the loss itself, one element 1.
 */
static const double *times_jacobian(const Lesson *l, const double *up, const Jacobian *j)
{
    double *down = arena_alloc(l->ngc, (size_t)(j->columns + 1) * sizeof *down);
    for (int64_t r = 0; r < j->rows; r++)
        for (int64_t c = 0; c < j->columns; c++)
            down[c] += (up ? up[r] : 1) * j->value[r * j->columns + c];
    return down;
}

void jacobians_compute(Lesson *l)
{
    int kept = 0;
    for (int i = 0; i < l->jacobians; i++) {
        Jacobian *j = &l->jacobian[i];
        const Item *y = &l->item[j->y], *x = &l->item[j->x];
        bool is_loss = l->loss[0] == y->node;
        bool on_path = y->adjoint || is_loss;
        if (on_path && !x->adjoint) /* no gradient was asked with respect to x */
            continue;

        int64_t dim[MAX_RANK];
        j->rows = lesson_count(l, y->node, dim);
        j->columns = lesson_count(l, x->node, dim);
        if (j->rows <= COMPUTED && j->columns <= COMPUTED / (j->rows ? j->rows : 1)) {
            compute_rows(l, j);
            j->structure = structure_of(l, j);
        }
        if (on_path && l->losses && j->value) {
            j->upstream = is_loss ? NULL : eval_node(l->e, y->adjoint);
            j->downstream = times_jacobian(l, j->upstream, j);
        }
        l->jacobian[kept++] = *j;
    }
    l->jacobians = kept;
}

JacobianView jacobian_view(const Lesson *l, const Jacobian *j)
{
    JacobianView v = {.j = j,
                      .transposed = l->ngc->opt.columns,
                      .down = &l->item[j->y],
                      .across = &l->item[j->x],
                      .rows = j->rows,
                      .columns = j->columns};
    if (v.transposed) {
        v.down = &l->item[j->x];
        v.across = &l->item[j->y];
        v.rows = j->columns;
        v.columns = j->rows;
    }
    return v;
}

double jacobian_entry(const JacobianView *v, int64_t row, int64_t column)
{
    if (v->transposed)
        return v->j->value[column * v->j->columns + row];
    return v->j->value[row * v->j->columns + column];
}

/* By item: the number of pairs on the longest chain down from it. */
static int *chain_depths(const Lesson *l)
{
    int *depth = arena_alloc(l->ngc, (size_t)(l->items + 1) * sizeof *depth);
    for (int i = l->jacobians - 1; i >= 0; i--) { /* early values come last */
        const Jacobian *j = &l->jacobian[i];
        if (depth[j->y] < depth[j->x] + 1)
            depth[j->y] = depth[j->x] + 1;
    }
    return depth;
}

/* The first loss; without one, the deepest item. -1: there is none. */
static int chain_top(const Lesson *l, const int *depth)
{
    int top = -1;
    for (int i = 0; i < l->items; i++) {
        if (l->losses && l->item[i].node == l->loss[0])
            top = i;
        if (!l->losses && (top < 0 || depth[i] > depth[top]))
            top = i;
    }
    return top;
}

/* The longest chain of pairs from the first loss down: item by item. Returns how many. */
int jacobian_chain(const Lesson *l, int *chain)
{
    const int *depth = chain_depths(l);
    int n = 0;

    for (int at = chain_top(l, depth); at >= 0;) {
        int next = -1;
        chain[n++] = at;
        for (int i = 0; i < l->jacobians && next < 0; i++) {
            const Jacobian *j = &l->jacobian[i];
            if (j->y == at && depth[j->x] == depth[at] - 1)
                next = j->x;
        }
        at = next;
    }
    return n;
}

/* Operations along a chain of sizes s[0] (the loss) to s[n].
 *
 * naive: Jacobian times Jacobian, from the inputs up: (s[i], s[i+1]) times (s[i+1], s[n]).
 * clever: a row times each Jacobian, from the loss down: (s[0], s[i]) times (s[i], s[i+1]). */
void jacobian_cost(const double *s, int n, double *naive, double *clever)
{
    *naive = *clever = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0)
            *clever += 2 * s[0] * s[i] * s[i + 1];
        if (i < n - 1)
            *naive += 2 * s[i] * s[i + 1] * s[n];
    }
}

/* ---- as text ---- */

static const char *short_number(const Lesson *l, double x)
{
    return lesson_digits(l, x, 4);
}

/* 16777216 as "16,777,216". */
static const char *grouped(const Lesson *l, double x)
{
    if (x >= 1e15)
        return text_format(l->ngc, "%.3g", x);

    const char *digits = text_format(l->ngc, "%.0f", x);
    size_t n = strlen(digits);
    Text t = {.ngc = l->ngc};
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
    for (int64_t r = 0; r < v->rows; r++) {
        int n = (int)strlen(lesson_entry(l, v->down->node, r));
        if (n > width)
            width = n;
    }
    return width;
}

/* The width of a column: of its name and its numbers. */
static int column_width(const Lesson *l, const JacobianView *v, int64_t c)
{
    int width = (int)strlen(lesson_entry(l, v->across->node, c));
    for (int64_t r = 0; r < v->rows; r++) {
        int n = (int)strlen(short_number(l, jacobian_entry(v, r, c)));
        if (n > width)
            width = n;
    }
    return width;
}

static void text_matrix(const Lesson *l, Text *t, const JacobianView *v)
{
    int left = name_width(l, v);
    int *width = arena_alloc(l->ngc, (size_t)(v->columns + 1) * sizeof *width);

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
        double x = v ? v[i] : 1;
        text_add(&t, "%s%s", i ? ", " : "", short_number(l, x));
    }
    text_add(&t, "]");
    return t.at;
}

/* "4 x 6, diagonal: ... (not 0: 4 of 24)": its size and its structure. */
static const char *jacobian_words(const Lesson *l, const Jacobian *j)
{
    JacobianView v = jacobian_view(l, j);
    double rows = (double)v.rows, columns = (double)v.columns;
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
    const char *y = l->item[j->y].label, *x = l->item[j->x].label;
    text_add(t, "\n  d%s/d%s: %s\n", y, x, jacobian_words(l, j));
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
    const char *loss = lesson_label(l, l->loss[0]);
    const char *up = vector_text(l, j->upstream, j->rows);
    const char *down = vector_text(l, j->downstream, j->columns);
    if (v.transposed)
        text_add(t, "    d%s/d%s times d%s/d%s: the matrix times %s is %s\n", y, x, loss, y, up,
                 down);
    else
        text_add(t, "    d%s/d%s times d%s/d%s: %s times the matrix is %s\n", loss, y, y, x, up,
                 down);
}

/* The longest chain at its own sizes. Returns whether there is one. */
static bool text_chain_cost(const Lesson *l, Text *t)
{
    int *chain = arena_alloc(l->ngc, (size_t)(l->items + 1) * sizeof *chain);
    int pairs = jacobian_chain(l, chain) - 1;
    if (pairs <= 0)
        return false;

    double *size = arena_alloc(l->ngc, (size_t)(pairs + 1) * sizeof *size);
    text_add(t, "  the longest chain:");
    for (int i = 0; i <= pairs; i++) {
        const Item *item = &l->item[chain[i]];
        int64_t dim[MAX_RANK];
        size[i] = (double)lesson_count(l, item->node, dim);
        text_add(t, "%s %s (%s)", i ? " <-" : "", item->label, grouped(l, size[i]));
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
    double n = UNITS, mib = 1048576, gib = 1073741824;
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
    text_add(t, "\\noindent{\\%s\\setlength{\\tabcolsep}{3pt}\\begin{tabular}{r|*{%lld}{r}}\n",
             v->columns > 8 ? "tiny" : "footnotesize", (long long)v->columns);
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
    const char *y = l->item[j->y].label, *x = l->item[j->x].label;
    text_add(t, "\n\\medskip\\noindent $\\displaystyle %s$: %s\n",
             math_name(l, text_format(l->ngc, "d%s/d%s", y, x), M_TEX),
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
