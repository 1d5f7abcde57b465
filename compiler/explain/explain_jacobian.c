/* explain_jacobian.c - ngc explain --jacobians: the naive way beside the clever way. For each value
 * that the user named, the full Jacobian by each named value that it is computed from, with all
 * that lies between them. And the cost: a product of Jacobians against the sweep's product of a
 * vector with each. explain_matrix.c prints them.
 *
 * A Jacobian is made by the derivative rules. What lies between x and y is copied onto a new leaf
 * for each x, so that no other way from x to y counts. The copy is swept back once for each element
 * of y, with 1 as the gradient of that element and 0 of the others. */
#include "explain/explain.h"

#include <string.h>

enum {
    COMPUTED = 4096, /* entries up to which a Jacobian is computed */
};

/* ---- pairs: before there are values ---- */

/* Has the user named it, and not the library? The library's names have a dot. A number after the
 * last dot is a pass of the user's loop. */
static bool is_users(const Node *n)
{
    if (n->op == OP_var)
        return true;
    if (!n->name || node_loop(n)) /* a body has no single value */
        return false;
    const char *dot = strrchr(n->name, '.');
    return !dot || is_digit(dot[1]);
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
               .name = l->item[lesson_at(l, x) - 1].label,
               .type = x->type,
               .shape = x->shape,
               .index = -1};
    return v->node = graph_var(l->g, v);
}

static Node *copy_node(const Copy *c, Node *n)
{
    if (n->nargs == 0)
        return n;
    return graph_copy(c->l->g, n, graph_operands(c->l->g, n, c->copy));
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
            in[arg_id(n, k)] = true;
    }
    return in;
}

/* Copies the region of y onto leaves. */
static Copy copy_region(Lesson *l, const Node *y)
{
    Ngc *ngc = l->ngc;
    size_t nodes = (size_t)y->id + 1;
    bool *in = region_of(l, y);
    Copy c = {.l = l,
              .copy = arena_array(ngc, nodes, sizeof *c.copy),
              .from = arena_array(ngc, nodes, sizeof *c.from),
              .leaf = arena_array(ngc, nodes, sizeof *c.leaf)};

    for (int i = 0; i <= y->id; i++) {
        Node *n = l->g->node[i];
        if (!in[i])
            continue;
        if (n == y || !is_users(n)) {
            c.copy[i] = copy_node(&c, n);
        } else if (n->type != T_FLOAT || !lesson_at(l, n)) { /* no derivative by it: it stays */
            c.copy[i] = n;
        } else {
            c.from[c.count] = lesson_at(l, n) - 1;
            c.copy[i] = c.leaf[c.count++] = leaf_for(&c, n);
        }
    }
    return c;
}

static void add_jacobian(Lesson *l, Jacobian j)
{
    LIST_GROW(l->ngc, l->jacobian, l->jacobians, &l->jacobian_room);
    l->jacobian[l->jacobians++] = j;
}

/* The pairs of one y: the transposed Jacobian times a seed, by the rules, as a graph. */
static void build_pairs(Lesson *l, int item)
{
    Node *y = l->item[item].node;
    int first = l->g->count;
    Copy c = copy_region(l, y);

    /* one sweep, from y to all x that it is computed from */
    Node *seed = leaf_for(&c, y);
    Node **gradient = arena_array(l->ngc, c.count + 1, sizeof *gradient);
    Reach *reach = arena_array(l->ngc, c.count + 1, sizeof *reach);
    graph_grad(l->g, c.copy[y->id], seed, c.leaf, c.count, gradient, reach);

    /* the pairs share the sweep: computed for one seed after another, it gives row after row */
    Jacobian pair = {
        .y = item, .seed = seed, .first = first, .leaf = c.leaf, .from = c.from, .leaves = c.count};
    for (int k = 0; k < c.count; k++) {
        pair.x = c.from[k];
        pair.back = gradient[k];
        if (reach[k] == REACH_YES)
            add_jacobian(l, pair);
    }
}

void jacobians_prepare(Lesson *l)
{
    for (int i = l->items - 1; i >= 0; i--) {
        const Item *t = &l->item[i];
        if (t->node->op == OP_var || t->node->type != T_FLOAT || node_loop(t->node))
            continue;
        if (is_users(t->node) || same_text(t->kind, "loss"))
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
    int64_t elements = j->rows * j->columns;
    double *seed = arena_array(l->ngc, j->rows + 1, sizeof *seed);
    j->value = arena_array(l->ngc, elements + 1, sizeof *j->value);

    for (int64_t r = 0; r < j->rows; r++) {
        double *row = j->value + r * j->columns;

        /* the nodes of the sweep are computed again: they depend on the seed */
        memset(e->known + j->first, 0, (size_t)(l->g->count - j->first));
        for (int k = 0; k < j->leaves; k++)
            set_leaf(e, j->leaf[k], eval_node(e, l->item[j->from[k]].node));

        seed[r] = 1;
        set_leaf(e, j->seed, seed);
        memcpy(row, eval_node(e, j->back), (size_t)j->columns * sizeof *row);
        seed[r] = 0;
    }

    for (int64_t k = 0; k < elements; k++)
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
    int64_t rows = j->rows;
    int64_t columns = j->columns;
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
    lesson_dims(l, l->item[j->y].node, dy);
    lesson_dims(l, l->item[j->x].node, dx);
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
    double *down = arena_array(l->ngc, j->columns + 1, sizeof *down);
    for (int64_t r = 0; r < j->rows; r++) {
        const double *row = j->value + r * j->columns;
        double by = 1;
        if (up)
            by = up[r];
        for (int64_t c = 0; c < j->columns; c++)
            down[c] += by * row[c];
    }
    return down;
}

void jacobians_compute(Lesson *l)
{
    int kept = 0;
    for (int i = 0; i < l->jacobians; i++) {
        Jacobian *j = &l->jacobian[i];
        const Item *y = &l->item[j->y];
        const Item *x = &l->item[j->x];
        bool is_loss = l->loss[0] == y->node;
        bool on_path = y->adjoint || is_loss;
        if (on_path && !x->adjoint) /* no gradient was asked with respect to x */
            continue;

        j->rows = lesson_count(l, y->node);
        j->columns = lesson_count(l, x->node);
        if (j->rows <= COMPUTED && j->columns <= COMPUTED / max_int64(j->rows, 1)) {
            compute_rows(l, j);
            j->structure = structure_of(l, j);
        }
        if (on_path && l->losses && j->value) {
            if (!is_loss)
                j->upstream = eval_node(l->e, y->adjoint);
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
    int *depth = arena_array(l->ngc, l->items + 1, sizeof *depth);
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
