/* jacobian.c - products with a Jacobian from the left, and Jacobians of which most elements are 0,
 * from a few such products.
 *
 * nonzeros.c finds the places and the colours. For each colour, vjp sends back 1 from all rows of
 * this colour, which gives their sum. The elements are read from these sums: one diagonal after the
 * other, if there are few diagonals, and otherwise at places that are a constant array.
 */
#include "lang/lower.h"

enum {
    MOST_DIAGONALS = 16,
    FEW_ROWS = 16,        /* a smaller matrix is computed row by row, */
    GAIN = 4,             /* and so is one with more colours than rows divided by this */
    MOST_PLACES = 1 << 20 /* of a matrix without a pattern, as triplets */
};

/* ---- products ---- */

/* What is differentiated with respect to: a float value that is not a constant. NULL: after a
 * message. */
static Node *want_free(Lower *L, const Value *v)
{
    double c;
    Node *x = want_node(L, v, "what it is differentiated by");
    if (x && x->type == T_FLOAT && !node_const(x, &c))
        return x;
    if (x)
        lower_error(L, ERR_OVER_INT, v->loc,
                    "grad: %s is %s; a gradient is with respect to float values", value_text(L, v),
                    x->type == T_INT ? "int" : "a constant");
    return NULL;
}

/* Does the way back from y, which changes from pass to pass of a loop, go through an earlier loop
 * of the same level? The passes of both would be one. */
static bool crosses_loop(const Graph *g, const Node *y, const Node *seed, Node *const *x, int count)
{
    int nodes = y->id + 1;
    bool *needed = arena_array(g->ngc, nodes, sizeof *needed);
    bool *depends = arena_array(g->ngc, nodes, sizeof *depends);

    /* what is computed from x */
    for (int i = 0; i < count; i++)
        if (x[i]->id < nodes)
            depends[x[i]->id] = true;
    for (int i = 0; i < nodes; i++) {
        const Node *n = g->node[i];
        for (int k = 0; k < n->nargs; k++)
            depends[i] |= depends[arg_id(n, k)];
    }

    /* on the way from y to x: needed by y, and computed from x */
    needed[y->id] = true;
    for (int i = y->id; i >= 0; i--) {
        const Node *n = g->node[i];
        if (!needed[i])
            continue;
        if (depends[i] && is_loop_result(n)) {
            int level = n->attr.loop->level;
            if (y->in[level] || (seed && seed->in[level]))
                return true;
        }
        for (int k = 0; k < n->nargs; k++)
            needed[arg_id(n, k)] = true;
    }
    return false;
}

/* A gradient that is 0 everywhere is probably not meant. The library may ask for one. */
static void warn_zero(Lower *L, Loc loc, const Value *of, const Value *by)
{
    if (loc_of_library(L->ngc, loc))
        return;
    warn(L->ngc, "zero-gradient", ERR_ZERO_GRADIENT, loc,
         "%s does not depend on %s: its gradient is 0", value_text(L, of), value_text(L, by));
}

Value *send_back(Lower *L, Loc loc, const Value *of, Node *y, Node *seed, const Value *by)
{
    Ngc *ngc = L->ngc;
    Graph *g = L->g;
    int n = value_items(by);
    Node **x = arena_array(ngc, n + 1, sizeof *x);
    Node **dx = arena_array(ngc, n + 1, sizeof *dx);
    Value **out = arena_array(ngc, n + 1, sizeof *out);
    Reach *reach = arena_array(ngc, n + 1, sizeof *reach);

    for (int i = 0; i < n; i++) {
        x[i] = want_free(L, value_item(by, i));
        if (!x[i])
            return value_error(L, loc);
    }

    if (L->levels > 0 && crosses_loop(g, y, seed, x, n)) {
        lower_error(L, ERR_LOOP_NESTING, loc, "a derivative goes back through an earlier loop");
        return value_error(L, loc);
    }
    /* whether this loop may stay is decided when its body is known */
    if (L->levels > 0) {
        LIST_GROW(ngc, L->inner, L->inners, &L->inner_room);
        L->inner[L->inners++] = (struct Inner){.y = y, .x = x, .count = n, .loc = loc};
    }

    /* only what the derivative has made is simplified */
    int from = g->count;
    graph_grad(g, y, seed, x, n, dx, reach);
    graph_simplify(g, dx, n, from, NULL, NULL);

    for (int i = 0; i < n; i++) {
        if (reach[i] != REACH_YES)
            warn_zero(L, loc, of, value_item(by, i));
        out[i] = value_node(L, loc, dx[i]);
    }
    if (by->kind == V_LIST)
        return value_list(L, loc, out, n);
    return out[0];
}

/* ---- few products for many rows ---- */

typedef struct Diagonals {
    int d[MOST_DIAGONALS]; /* ascending */
    int count;
} Diagonals;

typedef struct Triplets { /* of a matrix that is stored as its places */
    Lower *L;
    Loc loc;
    const Value *of, *by; /* y and x, for messages */
    Node *y, *x;
    bool symmetric;

    Pattern p;
    bool known;  /* the places were found */
    bool few;    /* there are few colours */
    bool banded; /* the places are these diagonals: */
    Diagonals bands;

    Node **sum; /* by colour: the sum of its rows, [p.columns] */
    Node *rows, *columns, *values;
} Triplets;

static Node *int_data(Triplets *t, const int *from, int count)
{
    double *x = arena_array(t->L->ngc, count + 1, sizeof *x);

    for (int i = 0; i < count; i++)
        x[i] = from[i];
    return graph_data(t->L->g, (Shape){1, {count}}, T_INT, x);
}

/* False: after a message. */
static bool send_colours_back(Triplets *t, const Node *colour)
{
    Graph *g = t->L->g;

    Shape line = {1, {t->p.columns}};

    t->sum = arena_array(t->L->ngc, t->p.colours + 1, sizeof *t->sum);
    for (int c = 0; c < t->p.colours; c++) {
        /* seed[i] = 1 where row i has colour c: v = seed' J is the sum of these rows */
        Node *chosen = graph_binary(g, OP_eq, (Node *)colour, graph_int(g, c));
        Node *seed = graph_cast(g, chosen, T_FLOAT);
        seed = graph_reshape(g, seed, t->y->shape);
        Value *v = send_back(t->L, t->loc, t->of, t->y, seed, t->by);
        if (v->kind != V_NODE)
            return false;
        t->sum[c] = graph_reshape(g, v->node, line);
    }
    return true;
}

/* ---- any places ---- */

static bool read_places(Triplets *t)
{
    Graph *g = t->L->g;
    const Pattern *p = &t->p;
    int entries = p->first[p->rows];
    int *row = arena_array(t->L->ngc, entries + 1, sizeof *row);

    if (!send_colours_back(t, int_data(t, p->colour, p->rows)))
        return false;
    for (int i = 0; i < p->rows; i++)
        for (int e = p->first[i]; e < p->first[i + 1]; e++)
            row[e] = i;

    Node *all = graph_concat(g, t->sum, p->colours, 0);
    t->rows = int_data(t, row, entries);
    t->columns = int_data(t, p->column, entries);

    /* place = colour*columns + column, in the sums one after another */
    Node *place = int_data(t, p->place, entries);
    t->values = graph_gather(g, all, place, 0);
    return true;
}

/* ---- diagonals: a[i, i + d] for each d ---- */

static int first_row(int d)
{
    return d < 0 ? -d : 0;
}

static int length_of(const Pattern *p, int d)
{
    int end = min_int(p->columns - d, p->rows);
    return end - first_row(d);
}

static bool add_diagonal(Diagonals *all, int d)
{
    int at = 0;

    while (at < all->count && all->d[at] < d)
        at++;
    if (at < all->count && all->d[at] == d)
        return true;
    if (all->count == MOST_DIAGONALS)
        return false;
    for (int i = all->count++; i > at; i--)
        all->d[i] = all->d[i - 1];
    all->d[at] = d;
    return true;
}

/* Are there few, and is at least half of their elements in the pattern? Then all of them are put
 * into it. */
static bool fill_diagonals(Ngc *ngc, Pattern *p, Diagonals *all)
{
    int64_t whole = 0;
    Pattern full = {.rows = p->rows, .columns = p->columns};

    for (int i = 0; i < p->rows; i++)
        for (int e = p->first[i]; e < p->first[i + 1]; e++)
            if (!add_diagonal(all, p->column[e] - i))
                return false;

    /* stored zeros cost less than places, up to as many as there are elements */
    int64_t entries = p->first[p->rows];
    for (int k = 0; k < all->count; k++)
        whole += length_of(p, all->d[k]);
    if (all->count == 0 || whole > 2 * entries)
        return false;

    full.first = arena_array(ngc, p->rows + 1, sizeof *full.first);
    full.column = arena_array(ngc, whole + 1, sizeof *full.column);
    for (int i = 0; i < p->rows; i++) {
        int e = full.first[i];
        for (int k = 0; k < all->count; k++) {
            int column = i + all->d[k];
            if (column >= 0 && column < p->columns)
                full.column[e++] = column;
        }
        full.first[i + 1] = e;
    }
    *p = full;
    return true;
}

static Node *part_of(Graph *g, Node *n, int from, int count)
{
    return graph_slice(g, n, (Size[]){from}, size_ones, (Shape){1, {count}});
}

/* a[i, i + d] is element i + d of the sum of the rows with the colour of row i. */
static Node *diagonal(const Triplets *t, Node *colour, int d)
{
    Graph *g = t->L->g;
    int from = first_row(d);
    int count = length_of(&t->p, d);
    int last = t->p.colours - 1;
    Node *own = part_of(g, colour, from, count);
    Node *v = part_of(g, t->sum[last], from + d, count);

    /* a choice by colour: of all but the last, which is what is left */
    for (int c = last - 1; c >= 0; c--) {
        Node *has = graph_binary(g, OP_eq, own, graph_int(g, c));
        v = graph_where(g, has, part_of(g, t->sum[c], from + d, count), v);
    }
    return v;
}

static bool read_diagonals(Triplets *t)
{
    Graph *g = t->L->g;
    const Diagonals *all = &t->bands;
    Node *value[MOST_DIAGONALS], *row[MOST_DIAGONALS], *column[MOST_DIAGONALS];
    Node *colour = int_data(t, t->p.colour, t->p.rows);

    if (!send_colours_back(t, colour))
        return false;
    for (int k = all->count - 1; k >= 0; k--) {
        int d = all->d[k];
        int first = first_row(d);
        Shape length = {1, {length_of(&t->p, d)}};
        Node *i = graph_iota(g, length, 0);
        row[k] = graph_binary(g, OP_add, i, graph_int(g, first));
        column[k] = graph_binary(g, OP_add, i, graph_int(g, first + d));

        /* a[i, i + d] = a[i + d, i], so the diagonal of -d has the same values */
        int mirror = all->count - 1 - k;
        bool same = t->symmetric && mirror > k && all->d[mirror] == -d;
        if (same)
            value[k] = value[mirror];
        else
            value[k] = diagonal(t, colour, d);
    }
    t->values = graph_concat(g, value, all->count, 0);
    t->rows = graph_concat(g, row, all->count, 0);
    t->columns = graph_concat(g, column, all->count, 0);
    return true;
}

/* ---- both ---- */

/* A matrix without a pattern: all its places. */
static bool whole_pattern(Triplets *t, Shape y, Shape x)
{
    Graph *g = t->L->g;
    Size rows = shape_count(g, y);
    Size columns = shape_count(g, x);

    if (rows < 0 || columns < 0 || rows * columns > MOST_PLACES)
        return false;

    Pattern p = {.rows = (int)rows, .columns = (int)columns};
    int places = p.rows * p.columns;
    p.first = arena_array(g->ngc, p.rows + 1, sizeof *p.first);
    p.column = arena_array(g->ngc, places + 1, sizeof *p.column);
    for (int e = 0; e < places; e++)
        p.column[e] = e % p.columns;
    for (int i = 0; i <= p.rows; i++)
        p.first[i] = i * p.columns;
    t->p = p;
    return true;
}

/* The matrix with all its zeros, in the shape of y and then x. */
static Node *dense(const Triplets *t, Shape x)
{
    Graph *g = t->L->g;
    Shape shape = t->y->shape;
    for (int i = 0; i < x.rank; i++)
        shape.dim[shape.rank++] = x.dim[i];

    /* element [i, j] is at i*columns + j */
    Node *columns = graph_int(g, t->p.columns);
    Node *start = graph_binary(g, OP_mul, t->rows, columns);
    Node *at = graph_binary(g, OP_add, start, t->columns);
    Shape line = {1, {(Size)t->p.rows * t->p.columns}};
    Node *all = graph_scatter(g, t->values, at, line, 0);
    return graph_reshape(g, all, shape);
}

/* Is the dense matrix computed faster from these colours? */
static bool gains(const Pattern *p)
{
    int64_t elements = (int64_t)p->rows * p->columns;

    return p->rows >= FEW_ROWS && (int64_t)p->colours * GAIN <= p->rows && elements <= INT32_MAX;
}

/* Finds few colours for the places. */
static void colour(Triplets *t)
{
    t->banded = fill_diagonals(t->L->ngc, &t->p, &t->bands);
    /* a star colouring reads some elements from their mirror, which diagonals do by themselves */
    t->few = graph_colour(t->L->g, &t->p, t->symmetric && !t->banded);
}

static bool is_empty(const Triplets *t)
{
    return t->p.first[t->p.rows] == 0;
}

/* Computes the elements. False: after a message. */
static bool read_elements(Triplets *t)
{
    if (t->banded)
        return read_diagonals(t);
    return read_places(t);
}

/* The whole matrix in a list, or 0 if it has too few zeros. */
static Value *whole_matrix(Triplets *t)
{
    if (!t->known || t->y->shape.rank + t->x->shape.rank > MAX_RANK)
        return value_number(t->L, t->loc, 0);

    colour(t);
    if (!t->few || !gains(&t->p) || is_empty(t))
        return value_number(t->L, t->loc, 0);
    if (!read_elements(t))
        return value_error(t->L, t->loc);
    return value_list(t->L, t->loc, (Value *[]){value_node(t->L, t->loc, dense(t, t->x->shape))},
                      1);
}

/* Finds the places and colours of a matrix that the user asks for. False: after a message. */
static bool find_places(Triplets *t)
{
    Lower *L = t->L;

    if (t->y->type != T_FLOAT) {
        lower_error(L, ERR_LOSS_INT, t->of->loc, "an int has no gradient");
        return false;
    }
    if (!t->known && !whole_pattern(t, t->y->shape, t->x->shape)) {
        lower_error(L, ERR_LIBRARY_ARGUMENTS, t->loc,
                    "the places of a sparse matrix are found before the model runs: the shapes %s "
                    "and %s must be numbers, and not too large",
                    shape_text(L->g, t->y->shape), shape_text(L->g, t->x->shape));
        return false;
    }

    colour(t);
    if (!t->few) {
        lower_error(L, ERR_LIBRARY_ARGUMENTS, t->loc, "the matrix has too few zeros for its size");
        return false;
    }
    if (is_empty(t)) {
        lower_error(L, ERR_LIBRARY_ARGUMENTS, t->loc, "all elements of the matrix are 0");
        return false;
    }
    return true;
}

/* _sparse(y, x, symmetric, dense): [rows, columns, values] of dy/dx. With `dense`, the whole matrix
 * in a list, or 0 if it has too few zeros. */
Value *builtin_sparse(Lower *L, Loc loc, Value **arg)
{
    Node *y = want_node(L, arg[0], "what is differentiated");
    Node *x = want_node(L, arg[1], "what it is differentiated by");
    double symmetric, whole;
    if (!y || !x || !want_number(L, arg[2], "this", &symmetric) ||
        !want_number(L, arg[3], "this", &whole))
        return value_error(L, loc);

    Triplets t = {.L = L,
                  .loc = loc,
                  .of = arg[0],
                  .by = arg[1],
                  .y = y,
                  .x = x,
                  .symmetric = symmetric != 0};
    t.known = y->type == T_FLOAT && x->type == T_FLOAT && graph_pattern(L->g, y, x, &t.p);
    if (whole != 0)
        return whole_matrix(&t);

    if (!find_places(&t) || !read_elements(&t))
        return value_error(L, loc);
    Value *part[] = {value_node(L, loc, t.rows), value_node(L, loc, t.columns),
                     value_node(L, loc, t.values)};
    return value_list(L, loc, part, 3);
}
