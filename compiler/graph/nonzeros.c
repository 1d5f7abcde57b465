/* nonzeros.c - which elements of y are computed from which elements of x, and colours for rows,
 * such that few products with the Jacobian give all its elements (Curtis, Powell and Reid).
 *
 * Each element has the set of elements of x that its value may depend on, node by node. Where an op
 * is not known here, each element of the result depends on all elements of all operands: a pattern
 * may have more places than are needed, but it always has those.
 *
 * Rows of one colour share no column. Then the sum of these rows is a row in which each element is
 * that of one of them. In a symmetric matrix it is enough that of a[i,j] and a[j,i] one is alone in
 * the sum: no two neighbours have one colour, and no path of four uses only two colours (a star
 * colouring).
 */
#include "graph/eval.h"

#include <string.h>

enum {
    MOST_ELEMENTS = 1 << 22, /* of all nodes together */
    MOST_ITEMS = 1 << 23,    /* of all sets together */
    MOST_STEPS = 1 << 26,    /* of a colouring */
};

typedef struct Set { /* numbers of elements of x, ascending */
    int count;
    const int *item;
} Set;

typedef struct Search {
    Graph *g;
    Eval eval;
    const Set ***of;         /* by node id: the sets of its elements; NULL: it has none */
    int64_t elements, items; /* made so far */
    bool failed;             /* too many, or an op that is not looked into */
} Search;

/* ---- sets ---- */

static const Set *new_set(Search *s, const int *item, int count)
{
    s->items += count;
    if (s->items > MOST_ITEMS)
        s->failed = true;
    Set set = {count, LIST_COPY(s->g->ngc, item, count)};
    return arena_copy(s->g->ngc, &set, sizeof set);
}

static bool holds_all(const Set *a, const Set *b)
{
    int i = 0;

    for (int k = 0; k < b->count; k++) {
        while (i < a->count && a->item[i] < b->item[k])
            i++;
        if (i == a->count || a->item[i] != b->item[k])
            return false;
    }
    return true;
}

static const Set *join(Search *s, const Set *a, const Set *b)
{
    if (a == NULL || b == NULL || a == b)
        return a ? a : b;
    if (s->failed || holds_all(a, b))
        return a;
    if (holds_all(b, a))
        return b;

    int *item = arena_array(s->g->ngc, a->count + b->count, sizeof *item);
    int count = 0;
    /* both are sorted: a merge, in which equal items are taken once */
    int i = 0, k = 0;
    while (i < a->count || k < b->count) {
        bool of_a = k == b->count || (i < a->count && a->item[i] <= b->item[k]);
        int x = of_a ? a->item[i] : b->item[k];
        if (i < a->count && a->item[i] == x)
            i++;
        if (k < b->count && b->item[k] == x)
            k++;
        item[count++] = x;
    }
    return new_set(s, item, count);
}

static const Set *join_all(Search *s, const Set *const *of, int64_t count)
{
    const Set *all = NULL;

    for (int64_t i = 0; i < count; i++)
        all = join(s, all, of[i]);
    return all;
}

/* ---- the sets of a node's elements ---- */

static int64_t count_of(const Search *s, const Node *n)
{
    return eval_count(&s->eval, n->shape);
}

/* Does a derivative flow to operand k? */
static bool flows(const Node *n, int k)
{
    const OpInfo *info = op_info[n->op];

    if (info->flags & F_FLAT || n->op == OP_stop)
        return false;
    if (info->flags & F_ELEMENTWISE && !(info->flags & F_SAME))
        return info->rule[k < 3 ? k : 2] != NULL || info->back != NULL;
    return true;
}

static void of_elements(Search *s, const Node *n, const Set **out, int64_t count)
{
    for (int k = 0; k < n->nargs; k++) {
        const Set **a = s->of[arg_id(n, k)];
        for (int64_t i = 0; i < count && a && flows(n, k); i++)
            out[i] = join(s, out[i], a[i]);
    }
}

/* Numbers the elements of all operands, one after the other, from 1 on. The set of element `number`
 * is at number - 1 of what is returned. The interpreter finds numbers in place of values. */
static const Set **number_elements(Search *s, const Node *n, int operands)
{
    Ngc *ngc = s->g->ngc;
    int64_t all = 0;
    for (int k = 0; k < operands; k++)
        all += count_of(s, n->arg[k]);

    const Set **from = arena_array(ngc, all + 1, sizeof *from);
    int64_t numbers = 0;
    for (int k = 0; k < operands; k++) {
        const Node *a = n->arg[k];
        const Set **of = s->of[a->id]; /* NULL: no element depends on x */
        int64_t own = count_of(s, a);
        double *number = arena_array(ngc, own + 1, sizeof *number);

        for (int64_t i = 0; i < own; i++) {
            if (of)
                from[numbers] = of[i];
            number[i] = (double)++numbers;
        }
        s->eval.value[a->id] = number;
    }
    return from;
}

/* Of an op that only moves elements: the interpreter moves their numbers. 0 is none: a zero that
 * the op puts there. */
static void of_moved(Search *s, const Node *n, const Set **out, int64_t count)
{
    double *moved = arena_array(s->g->ngc, count + 1, sizeof *moved);
    int operands = n->op == OP_concat ? n->nargs : 1;
    const Set **from = number_elements(s, n, operands);

    for (int k = 1; n->op == OP_gather && k < n->nargs; k++) {
        const Node *index = n->arg[k];
        s->eval.value[index->id] = (double *)index->attr.data;
    }
    op_info[n->op]->eval(n, &s->eval, moved);

    for (int64_t i = 0; i < count; i++) {
        int64_t number = (int64_t)moved[i];
        if (number > 0)
            out[i] = from[number - 1];
        else
            out[i] = NULL;
    }
}

static void of_reduced(Search *s, const Node *n, const Set **out)
{
    const Node *a = n->arg[0];
    int64_t dim[MAX_RANK], small[MAX_RANK], index[MAX_RANK] = {0}, i = 0;
    int rank = a->shape.rank;
    int kept = 0;

    eval_shape(&s->eval, a->shape, dim);
    eval_shape(&s->eval, n->shape, small);
    do {
        int64_t at[MAX_RANK] = {0};
        kept = 0;
        for (int k = 0; k < rank; k++) {
            bool removed = n->attr.axes >> k & 1;
            if (!removed)
                at[kept++] = index[k];
        }
        const Set **to = &out[index_at(kept, small, at)];
        *to = join(s, *to, s->of[a->id][i++]);
    } while (index_next(rank, dim, index));
}

/* What a row or column of a matrix depends on: the elements first + k*step, k < count. */
static const Set *of_line(Search *s, const Set **of, int64_t first, int64_t step, int64_t count)
{
    const Set *all = NULL;

    for (int64_t k = 0; of && k < count; k++)
        all = join(s, all, of[first + k * step]);
    return all;
}

/* A matrix of a batch, as it is stored: [rows, columns], or the transpose of that. */
typedef struct Stored {
    const Set **of; /* of its elements; NULL: none depends on anything */
    int64_t rows, columns;
    bool transposed;
} Stored;

static const Set *of_row(Search *s, const Stored *a, int64_t row)
{
    if (a->transposed)
        return of_line(s, a->of, row, a->rows, a->columns);
    return of_line(s, a->of, row * a->columns, 1, a->columns);
}

static const Set *of_column(Search *s, const Stored *a, int64_t column)
{
    if (a->transposed)
        return of_line(s, a->of, column * a->rows, 1, a->rows);
    return of_line(s, a->of, column, a->columns, a->rows);
}

/* Matrix `batch` of an operand. */
static Stored stored_matrix(const Search *s, const Node *x, int64_t batch, Stored like)
{
    const Set **of = s->of[x->id];
    if (of)
        like.of = of + batch * like.rows * like.columns;
    return like;
}

/* An element depends on a row of a and a column of b. */
static void of_product(Search *s, const Node *n, const Set **out, int64_t count)
{
    Product p = product_of(s->g, n);
    const Node *a = n->arg[0];
    const Node *b = n->arg[1];
    int64_t size = p.m * p.n;
    bool common = count_of(s, b) == p.k * p.n && p.batch > 1;
    const Set **right = arena_array(s->g->ngc, p.n + 1, sizeof *right);

    for (int64_t batch = 0; batch * size < count; batch++) {
        Stored left = {.rows = p.m, .columns = p.k, .transposed = p.ta};
        left = stored_matrix(s, a, batch, left);

        int64_t batch_of_b = common ? 0 : batch;
        Stored other = {.rows = p.k, .columns = p.n, .transposed = p.tb};
        other = stored_matrix(s, b, batch_of_b, other);

        /* the columns of b, once for each matrix of the batch */
        for (int64_t j = 0; j < p.n; j++)
            right[j] = of_column(s, &other, j);

        for (int64_t i = 0; i < p.m; i++) {
            const Set *row = of_row(s, &left, i);
            for (int64_t j = 0; j < p.n; j++)
                *out++ = join(s, row, right[j]);
        }
    }
}

/* All of all operands. */
static void of_anything(Search *s, const Node *n, const Set **out, int64_t count)
{
    const Set *all = NULL;

    for (int k = 0; k < n->nargs; k++) {
        const Node *a = n->arg[k];
        if (s->of[a->id])
            all = join(s, all, join_all(s, s->of[a->id], count_of(s, a)));
    }
    for (int64_t i = 0; i < count; i++)
        out[i] = all;
}

static bool only_moves(const Node *n)
{
    for (int k = 1; n->op == OP_gather && k < n->nargs; k++)
        if (n->arg[k]->op != OP_data)
            return false;
    if (n->op == OP_gather || n->op == OP_pad || n->op == OP_concat)
        return true;
    return node_has(n, F_VIEW);
}

static void find_sets(Search *s, const Node *n)
{
    int64_t count = count_of(s, n);
    unsigned flags = op_info[n->op]->flags;
    bool depends = false;

    for (int k = 0; k < n->nargs; k++)
        depends |= s->of[arg_id(n, k)] != NULL && flows(n, k);
    /* without a set no element of it depends on x */
    if (!depends || s->of[n->id])
        return;
    s->elements += count;
    if (s->elements > MOST_ELEMENTS || n->op == OP_loop || n->op == OP_collect) {
        s->failed = true;
        return;
    }

    const Set **out = arena_array(s->g->ngc, count + 1, sizeof *out);
    s->of[n->id] = out;
    if (flags & F_ELEMENTWISE)
        of_elements(s, n, out, count);
    else if (only_moves(n))
        of_moved(s, n, out, count);
    else if ((n->op == OP_sum || n->op == OP_max) && count_of(s, n->arg[0]) > 0)
        of_reduced(s, n, out);
    else if (n->op == OP_matmul)
        of_product(s, n, out, count);
    else
        of_anything(s, n, out, count);
}

/* The nodes between x and y, by id. */
static bool *nodes_between(const Graph *g, const Node *y, const Node *x)
{
    int last = max_int(y->id, x->id);
    bool *needed = arena_alloc(g->ngc, (size_t)last + 1);

    needed[y->id] = true;
    for (int i = y->id; i > x->id; i--) {
        const Node *n = g->node[i];
        for (int k = 0; needed[i] && k < n->nargs; k++)
            needed[arg_id(n, k)] = true;
    }
    return needed;
}

static bool is_in_loop(const Node *n)
{
    for (int l = 0; l < MAX_LEVELS; l++)
        if (n->in[l])
            return true;
    return false;
}

/* The sets of y's elements; NULL: they are not known. */
static const Set **sets_of(Search *s, const Node *y, const Node *x)
{
    Graph *g = s->g;
    const bool *needed = nodes_between(g, y, x);
    int64_t count = count_of(s, x);
    const Set **own = arena_array(g->ngc, count + 1, sizeof *own);

    for (int i = 0; i < count; i++)
        own[i] = new_set(s, &i, 1);
    s->of[x->id] = own;
    for (int i = x->id + 1; i <= y->id && !s->failed; i++) {
        if (!needed[i])
            continue;
        if (is_in_loop(g->node[i]))
            s->failed = true;
        else
            find_sets(s, g->node[i]);
    }
    if (s->failed)
        return NULL;
    return s->of[y->id];
}

/* The sets of y's elements as rows, one after the other; false: they are too large. */
static bool fill_pattern(Ngc *ngc, Pattern *p, const Set **of, int64_t rows, int64_t columns)
{
    int64_t entries = 0;
    for (int64_t i = 0; i < rows && of; i++)
        if (of[i])
            entries += of[i]->count;
    if (rows > MOST_ELEMENTS || entries > MOST_ITEMS)
        return false;

    p->rows = (int)rows;
    p->columns = (int)columns;
    p->first = arena_array(ngc, rows + 1, sizeof *p->first);
    p->column = arena_array(ngc, entries + 1, sizeof *p->column);
    for (int i = 0; i < p->rows; i++) {
        const Set *row = NULL;
        if (of)
            row = of[i];

        int count = row ? row->count : 0;
        if (count > 0)
            memcpy(p->column + p->first[i], row->item, (size_t)count * sizeof *p->column);
        p->first[i + 1] = p->first[i] + count;
    }
    return true;
}

bool graph_pattern(Graph *g, const Node *y, const Node *x, Pattern *p)
{
    Ngc *ngc = g->ngc;
    Search s = {.g = g, .eval = {.ngc = ngc, .graph = g}};
    *p = (Pattern){0};
    if (shape_is_run_time(y->shape) || shape_is_run_time(x->shape) || is_in_loop(x))
        return false;

    /* shapes between them may be run-time sizes */
    const bool *needed = nodes_between(g, y, x);
    for (int i = x->id; i <= y->id; i++)
        if (needed[i] && shape_is_run_time(g->node[i]->shape))
            return false;

    s.of = arena_array(ngc, g->count, sizeof *s.of);
    s.eval.value = arena_array(ngc, g->count, sizeof *s.eval.value);
    const Set **of = sets_of(&s, y, x);
    if (s.failed)
        return false;

    return fill_pattern(ngc, p, of, count_of(&s, y), count_of(&s, x));
}

/* ---- colours ---- */

/* The rows that have an element in each column. */
static Pattern turned(Graph *g, const Pattern *p)
{
    Pattern t = {.rows = p->columns, .columns = p->rows};
    int entries = p->first[p->rows];

    t.first = arena_array(g->ngc, t.rows + 2, sizeof *t.first);
    t.column = arena_array(g->ngc, entries + 1, sizeof *t.column);
    for (int e = 0; e < entries; e++)
        /* counts, two places on: sums turn them into starts one place on, and filling moves these
         * to their own place */
        t.first[p->column[e] + 2]++;
    for (int j = 0; j < t.rows; j++)
        t.first[j + 1] += t.first[j];
    for (int i = 0; i < p->rows; i++)
        for (int e = p->first[i]; e < p->first[i + 1]; e++)
            t.column[t.first[p->column[e] + 1]++] = i;
    return t;
}

typedef struct Colouring {
    int *colour;    /* by row; -1: none yet */
    int *forbidden; /* by colour: the last row that must not have it */
    int colours;
    int64_t steps;
} Colouring;

static Colouring new_colouring(Graph *g, int rows)
{
    Colouring c = {0};

    c.colour = arena_array(g->ngc, rows + 1, sizeof *c.colour);
    c.forbidden = arena_array(g->ngc, rows + 1, sizeof *c.forbidden);
    for (int i = 0; i < rows; i++)
        c.colour[i] = c.forbidden[i] = -1;
    return c;
}

static void forbid(Colouring *c, int colour, int row)
{
    c->steps++;
    if (colour >= 0)
        c->forbidden[colour] = row;
}

/* The first colour that the row may have. */
static void take_colour(Colouring *c, int row)
{
    int colour = 0;

    while (c->forbidden[colour] == row)
        colour++;
    c->colour[row] = colour;
    if (colour >= c->colours)
        c->colours = colour + 1;
}

/* Rows of one colour share no column. */
static Colouring colour_rows(Graph *g, const Pattern *p, const Pattern *t)
{
    Colouring c = new_colouring(g, p->rows);

    for (int i = 0; i < p->rows && c.steps < MOST_STEPS; i++) {
        for (int e = p->first[i]; e < p->first[i + 1]; e++) {
            int j = p->column[e];
            /* earlier rows with an element in one of its columns */
            for (int f = t->first[j]; f < t->first[j + 1] && t->column[f] < i; f++)
                forbid(&c, c.colour[t->column[f]], i);
        }
        take_colour(&c, i);
    }
    return c;
}

/* Is a neighbour of x other than w of the colour of w? */
static bool closes_path(const Pattern *p, Colouring *c, int x, int w)
{
    for (int e = p->first[x]; e < p->first[x + 1]; e++) {
        int y = p->column[e];
        c->steps++;
        if (y != w && c->colour[y] == c->colour[w])
            return true;
    }
    return false;
}

/* A star colouring of a symmetric matrix. */
static Colouring colour_star(Graph *g, const Pattern *p)
{
    Colouring c = new_colouring(g, p->rows);

    for (int v = 0; v < p->rows && c.steps < MOST_STEPS; v++) {
        for (int e = p->first[v]; e < p->first[v + 1]; e++) {
            int w = p->column[e];
            if (w == v)
                continue;
            forbid(&c, c.colour[w], v);
            for (int f = p->first[w]; f < p->first[w + 1] && c.steps < MOST_STEPS; f++) {
                int x = p->column[f];
                if (x == v || x == w || c.colour[x] < 0)
                    continue;
                /* v - w - x - y of two colours must not be; while w has no colour, x and v must
                 * differ */
                if (c.colour[w] < 0 || closes_path(p, &c, x, w))
                    forbid(&c, c.colour[x], v);
            }
        }
        take_colour(&c, v);
    }
    return c;
}

/* By element of the sums of rows: how many rows have an element there? */
static int *count_rows(Graph *g, const Pattern *p)
{
    int64_t elements = (int64_t)p->colours * p->columns;
    int *rows = arena_array(g->ngc, elements + 1, sizeof *rows);

    for (int i = 0; i < p->rows; i++) {
        int *sum = rows + (int64_t)p->colour[i] * p->columns;
        for (int e = p->first[i]; e < p->first[i + 1]; e++)
            sum[p->column[e]]++;
    }
    return rows;
}

/* The places of all elements in the sums of rows: one sum of p->columns elements for each colour.
 * False: an element is alone in no sum. */
static bool find_places(Graph *g, Pattern *p, bool symmetric)
{
    if ((int64_t)p->colours * p->columns > MOST_ITEMS)
        return false;

    const int *rows = count_rows(g, p);
    p->place = arena_array(g->ngc, p->first[p->rows] + 1, sizeof *p->place);

    for (int i = 0; i < p->rows; i++)
        for (int e = p->first[i]; e < p->first[i + 1]; e++) {
            int j = p->column[e];
            int own = p->colour[i] * p->columns + j;
            /* a[i, j] may be read as a[j, i] */
            int other = own;
            if (symmetric)
                other = p->colour[j] * p->columns + i;
            if (rows[own] != 1 && rows[other] != 1)
                return false;
            p->place[e] = rows[own] == 1 ? own : other;
        }
    return true;
}

static bool is_symmetric(const Pattern *p, const Pattern *t)
{
    if (p->rows != p->columns)
        return false;
    for (int i = 0; i <= p->rows; i++)
        if (p->first[i] != t->first[i])
            return false;
    return memcmp(p->column, t->column, (size_t)p->first[p->rows] * sizeof *p->column) == 0;
}

bool graph_colour(Graph *g, Pattern *p, bool symmetric)
{
    Pattern t = turned(g, p);
    Colouring rows = colour_rows(g, p, &t);
    bool star = symmetric && is_symmetric(p, &t);

    if (star) {
        Colouring c = colour_star(g, p);
        bool fewer = c.steps < MOST_STEPS && (c.colours < rows.colours || rows.steps >= MOST_STEPS);
        p->colour = c.colour;
        p->colours = c.colours;
        if (fewer && find_places(g, p, true))
            return true;
    }

    p->colour = rows.colour;
    p->colours = rows.colours;
    for (int i = 0; i < p->rows && rows.steps >= MOST_STEPS; i++)
        p->colour[i] = i; /* one row at a time */
    if (rows.steps >= MOST_STEPS)
        p->colours = p->rows;
    return find_places(g, p, false);
}
