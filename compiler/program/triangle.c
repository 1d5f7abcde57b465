/* triangle.c - products and loops of which nearly one half need not be computed. In causal
 * attention the weights of a text [T, T] are 0 above the diagonal, and the scores there are not
 * used:
 *
 *     w = softmax(where(column <= row, q @ k', -inf))     C: columns after a row's own are not used
 *     y = w @ v                                           A: and are 0
 *
 * The diagonal is a number d: above it are the elements whose column is larger than the row + d.
 * Elements of C that are not used become 0, so that no other kernel meets what is not a number.
 * A product with 0 is 0 here, also where the other factor is infinite, as in derivatives of what
 * was not chosen.
 *
 * Requires: finished kernels. Gives: Kernel.half and Kernel.diagonal.
 */
#include "program/program.h"

#include <math.h>

enum {
    DEEP = 16,       /* nodes on a way that is followed */
    LONG_ROW = 64,   /* columns: of shorter rows a half gains too little */
    FAR = 1000000000 /* more than any number of columns */
};

typedef struct Triangles {
    const Program *p;
    int *first; /* by slot: its first use, or -1 */
    int *next;  /* by use: the next use of the same node, or -1 */
    const Node **user;
} Triangles;

/* A whole number that is linear in the coordinates: the sum of by[axis] coordinate, and more. */
typedef struct Linear {
    int64_t by[MAX_RANK], more;
} Linear;

static bool find_linear(const Node *n, Linear *x, int depth)
{
    Linear y;
    double value;
    int own = 0;

    *x = (Linear){.more = 0};
    if (depth > DEEP || n->type != T_INT)
        return false;
    if (node_const(n, &value)) {
        x->more = (int64_t)value;
        return fabs(value) < 1e9;
    }

    switch (n->op) {
    case OP_iota: x->by[n->attr.axis] = 1; return true;
    case OP_expand:
        if (!find_linear(n->arg[0], &y, depth + 1))
            return false;
        x->more = y.more;
        for (int i = 0; i < n->shape.rank; i++)
            if (!(n->attr.axes >> i & 1))
                x->by[i] = y.by[own++];
        return true;
    case OP_add:
    case OP_sub:
        if (!find_linear(n->arg[0], x, depth + 1) || !find_linear(n->arg[1], &y, depth + 1))
            return false;
        for (int i = 0; i < n->shape.rank; i++)
            x->by[i] += n->op == OP_add ? y.by[i] : -y.by[i];
        x->more += n->op == OP_add ? y.more : -y.more;
        return x->more < 1000000000 && x->more > -1000000000;
    default: return false;
    }
}

/* Does n repeat its operand for axes before the last two? */
static bool adds_axes_before(const Node *n)
{
    int rank = n->shape.rank;
    return n->op == OP_expand && rank > 2 && n->arg[0]->shape.rank >= 2 &&
           !(n->attr.axes >> (rank - 2));
}

/* Is it a reshape of axes before the last two? */
static bool reshapes_before(const Node *n)
{
    if (n->op != OP_reshape)
        return false;

    const Shape *y = &n->shape;
    const Shape *x = &n->arg[0]->shape;
    if (y->rank < 2 || x->rank < 2)
        return false;
    for (int i = 1; i <= 2; i++)
        if (y->dim[y->rank - i] != x->dim[x->rank - i])
            return false;
    return true;
}

/* A comparison of row*i + column*j + more with 0, for element (i, j): < 0 if `less`, else <= 0. Is
 * it the same everywhere above a diagonal? */
static bool find_diagonal(int64_t row, int64_t column, int64_t more, bool less, bool *value,
                          int64_t *diagonal)
{
    if (column == 1 && row == -1) { /* j - i < -more, or <= */
        *value = false;
        *diagonal = -more - less;
        return true;
    }
    if (column == -1 && row == 1) { /* j - i > more, or >= */
        *value = true;
        *diagonal = more - !less;
        return true;
    }
    return false;
}

/* Is a mask the same everywhere above a diagonal? */
static bool find_mask(const Node *n, bool *value, int64_t *diagonal, int depth)
{
    Linear x, y;
    int rank = n->shape.rank;

    if (depth > DEEP || rank < 2)
        return false;
    if (adds_axes_before(n) || reshapes_before(n))
        return find_mask(n->arg[0], value, diagonal, depth + 1);
    if (n->op != OP_lt && n->op != OP_le)
        return false;
    if (!find_linear(n->arg[0], &x, depth + 1) || !find_linear(n->arg[1], &y, depth + 1))
        return false;
    for (int i = 0; i < rank - 2; i++)
        if (x.by[i] != y.by[i])
            return false;

    /* x - y < 0 as a form in the coordinates; along axes before the last two it must not change */
    int64_t column = x.by[rank - 1] - y.by[rank - 1];
    int64_t row = x.by[rank - 2] - y.by[rank - 2];
    return find_diagonal(row, column, x.more - y.more, n->op == OP_lt, value, diagonal);
}

/* Is n the same for all columns of a row? */
static bool is_of_row(const Node *n)
{
    double value;
    return node_const(n, &value) || (n->op == OP_expand && n->attr.axes >> (n->shape.rank - 1) & 1);
}

/* Is n one number everywhere above a diagonal? */
static bool find_above(const Node *n, double *value, int64_t *diagonal, int depth)
{
    const Node *a = NULL;
    if (n->nargs > 0)
        a = n->arg[0];
    const Node *b = NULL;
    if (n->nargs > 1)
        b = n->arg[1];
    bool mask;

    if (depth > DEEP || n->shape.rank < 2 || a == NULL)
        return false;
    if (n->op == OP_where)
        /* above the diagonal the mask is one value, so one branch is taken there */
        return find_mask(a, &mask, diagonal, 0) && node_const(n->arg[mask ? 1 : 2], value);
    if (adds_axes_before(n) || reshapes_before(n))
        return find_above(a, value, diagonal, depth + 1);

    switch (n->op) {
    case OP_exp:
        if (!find_above(a, value, diagonal, depth + 1))
            return false;
        *value = exp(*value);
        return true;
    case OP_neg:
        if (!find_above(a, value, diagonal, depth + 1))
            return false;
        *value = -*value;
        return true;
    case OP_sub: /* from -inf; every row has other elements, or all of it would be NaN */
        return is_of_row(b) && find_above(a, value, diagonal, depth + 1) && *value == -INFINITY &&
               *diagonal >= 0;
    case OP_mul:
        /* 0 times anything is 0 here */
        if (is_of_row(a))
            return find_above(b, value, diagonal, depth + 1) && *value == 0;
        return is_of_row(b) && find_above(a, value, diagonal, depth + 1) && *value == 0;
    case OP_div:
        return is_of_row(b) && !node_is(b, 0) && find_above(a, value, diagonal, depth + 1) &&
               *value == 0;
    default: return false;
    }
}

static bool is_unused(const Triangles *t, const Node *n, int64_t *diagonal, int depth);

/* Is operand i of a user not used above a diagonal, and no matter if it is 0 there? */
static bool is_unused_by(const Triangles *t, const Node *user, int i, int64_t *diagonal, int depth)
{
    double value;
    bool mask;

    switch (user->op) {
    case OP_where: return i > 0 && find_mask(user->arg[0], &mask, diagonal, 0) && mask == (i == 2);
    case OP_mul:
        /* times 0: whatever n is there */
        if (find_above(user->arg[1 - i], &value, diagonal, 0) && value == 0)
            return true;
        return is_unused(t, user, diagonal, depth + 1);
    case OP_div:
        return i == 0 && is_of_row(user->arg[1]) && is_unused(t, user, diagonal, depth + 1);
    case OP_add:
    case OP_sub:
    case OP_neg: return is_unused(t, user, diagonal, depth + 1);
    case OP_reshape: return reshapes_before(user) && is_unused(t, user, diagonal, depth + 1);
    default: return false;
    }
}

/* Is n not used above a diagonal in the whole program? */
static bool is_unused(const Triangles *t, const Node *n, int64_t *diagonal, int depth)
{
    const Program *p = t->p;
    int slot = slot_of(p, n);
    int uses = 0;

    if (depth > DEEP || slot < 0)
        return false;
    for (int i = 0; i < p->targets; i++)
        /* the caller sees it */
        if (p->target[i].node == n)
            return false;

    for (int u = t->first[slot]; u >= 0; u = t->next[u]) {
        for (int i = 0; i < t->user[u]->nargs; i++) {
            int64_t of_this;
            if (t->user[u]->arg[i] != n)
                continue;
            if (!is_unused_by(t, t->user[u], i, &of_this, depth))
                return false;
            /* the largest of all: above it no use needs n */
            if (uses++ == 0 || of_this > *diagonal)
                *diagonal = of_this;
        }
    }
    return uses > 0;
}

/* The uses of all nodes. */
static Triangles find_uses(Program *p)
{
    Ngc *ngc = p->ngc;
    Triangles t = {.p = p};
    size_t uses = 0;

    for (int i = 0; i < p->nodes; i++)
        uses += (size_t)p->node[i]->nargs;
    t.first = arena_array(ngc, p->nodes + 1, sizeof *t.first);
    t.next = arena_array(ngc, uses + 1, sizeof *t.next);
    t.user = arena_array(ngc, uses + 1, sizeof *t.user);
    for (int i = 0; i < p->nodes; i++)
        t.first[i] = -1;

    int use = 0;
    for (int i = 0; i < p->nodes; i++) {
        const Node *n = p->node[i];
        /* a list for each node, in two arrays: the first use, and from each use the next */
        for (int a = 0; a < n->nargs; a++) {
            int slot = slot_of(p, n->arg[a]);
            if (slot < 0 || (a > 0 && n->arg[a] == n->arg[0]))
                continue;
            t.user[use] = n;
            t.next[use] = t.first[slot];
            t.first[slot] = use++;
        }
    }
    return t;
}

/* Products of a few blocks gain too little. */
static bool is_large(const Program *p, const Kernel *k)
{
    Graph *g = p->graph;
    Product x = product_of(g, k->product);
    int64_t m = size_max(g, x.m);
    int64_t n = size_max(g, x.n);
    int64_t inner = size_max(g, x.k);
    /* C is [m, n], A is [m, k]: the half is of one of them */
    int64_t second = max_int64(n, inner);

    return m >= 2 * HALF_ROWS && second >= 2 * HALF_ROWS;
}

/* ---- loops over the columns of each row ---- */

/* A value in the innermost loop, which goes over columns. */
typedef struct Above {
    bool of_row; /* it is the same for all columns */
    bool known;  /* it is this value above this diagonal */
    double value;
    int64_t diagonal;
} Above;

static const Above unknown;

static bool is_number(Coef a, int64_t n)
{
    return a.plus == n && a.minus == 0;
}

/* Adds c, or -c, to a sum; false: it is not a number, or a large one. */
static bool add_coef(Coef c, int sign, int64_t *sum)
{
    if (c.plus < 0 || c.minus < 0 || c.plus > FAR || c.minus > FAR)
        return false;
    *sum += sign * (c.plus - c.minus);
    return true;
}

/* Is v, an int, linear in the passes of the loops? */
static bool find_linear_val(const Val *v, int64_t *by, int64_t *more, int sign, int depth)
{
    if (depth > DEEP || v == NULL || v->type != T_INT)
        return false;

    if (v->kind == V_CONST) {
        *more += sign * (int64_t)v->value;
        return fabs(v->value) < FAR;
    }
    if (v->kind == V_OP && (v->op == OP_add || v->op == OP_sub)) {
        int other = v->op == OP_add ? sign : -sign;
        return find_linear_val(v->arg[0], by, more, sign, depth + 1) &&
               find_linear_val(v->arg[1], by, more, other, depth + 1);
    }
    if (v->kind != V_INDEX || v->at == NULL || v->at->parts > 0)
        return false;

    if (!add_coef(v->at->base, sign, more))
        return false;
    for (int i = 0; i < MAX_AXES; i++)
        if (!add_coef(v->at->axis[i], sign, &by[i]))
            return false;
    return true;
}

/* Is the test v the same everywhere above a diagonal? */
static bool find_test(const Kernel *k, int row, const Val *v, bool *value, int64_t *diagonal)
{
    int64_t by[MAX_AXES] = {0}, more = 0;
    int column = k->axes - 1;

    if (v->kind != V_OP || (v->op != OP_lt && v->op != OP_le))
        return false;
    if (!find_linear_val(v->arg[0], by, &more, 1, 0) ||
        !find_linear_val(v->arg[1], by, &more, -1, 0))
        return false;
    for (int i = 0; i < MAX_AXES; i++)
        if (i != row && i != column && by[i] != 0)
            return false;

    return find_diagonal(by[row], by[column], more, v->op == OP_lt, value, diagonal);
}

/* A load of a tensor whose rows and columns are those of the loops. */
static Above load_above(const Kernel *k, int row, const Val *v)
{
    const Shape *shape = &v->node->shape;
    const Index *at = v->at;
    Above a = {.known = true};

    if (at == NULL || at->parts > 0 || !is_number(at->base, 0) || shape->rank < 2)
        return unknown;
    Size columns = shape->dim[shape->rank - 1];
    Size rows = shape->dim[shape->rank - 2];
    bool known = rows > 0 && columns > 0;
    for (int i = 0; i < k->axes; i++) {
        Coef by = at->axis[i];
        bool whole = known && by.plus >= 0 && by.plus % (rows * columns) == 0;
        bool walks;

        if (i == k->axes - 1)
            walks = is_number(by, 1) && k->extent[i] == columns;
        else if (i == row)
            walks = is_number(by, columns) && k->extent[i] == rows;
        else /* from one matrix of a batch to another */
            walks = by.minus == 0 && (by.plus == 0 || whole);
        if (!walks)
            return unknown;
    }

    if (!find_above(v->node, &a.value, &a.diagonal, 0))
        return unknown;
    return a;
}

static Above of_both(double value, const Above *a, const Above *b)
{
    return (Above){.known = true,
                   .value = value,
                   .diagonal = a->diagonal > b->diagonal ? a->diagonal : b->diagonal};
}

/* A value that is computed from x, y and z. `above`: by the id of a value. */
static Above op_above(const Kernel *k, int row, const Val *v, const Above *above)
{
    const Above *x = &above[v->arg[0]->id];
    const Above *y = v->arg[1] ? &above[v->arg[1]->id] : &unknown;
    bool both = x->known && y->known;
    bool mask;
    Above test = {.known = true};

    switch (v->op) {
    case OP_where:
        if (!find_test(k, row, v->arg[0], &mask, &test.diagonal))
            return unknown;
        /* above both diagonals: where the test is known, and the branch that it takes */
        y = &above[v->arg[mask ? 1 : 2]->id];
        if (!y->known)
            return unknown;
        return of_both(y->value, &test, y);
    case OP_exp: return x->known ? of_both(exp(x->value), x, x) : unknown;
    case OP_neg: return x->known ? of_both(-x->value, x, x) : unknown;
    case OP_add: return both ? of_both(x->value + y->value, x, y) : unknown;
    case OP_sub: /* from -inf; every row has other elements, or all of it would be NaN */
        if (x->known && x->value == -INFINITY && x->diagonal >= 0 && y->of_row)
            return *x;
        if (!both)
            return unknown;
        return of_both(x->value - y->value, x, y);
    case OP_mul:
        if (x->known && x->value == 0)
            return *x;
        if (y->known && y->value == 0)
            return *y;
        return unknown;
    case OP_div: /* 0 by a number that is not 0 */
        if (!x->known || x->value != 0 || !y->of_row)
            return unknown;
        if (y->known && y->value == 0)
            return unknown;
        return *x;
    default: return unknown;
    }
}

/* What each value of the kernel is above a diagonal. */
static void find_values(const Kernel *k, int row, Above *above)
{
    for (int i = 0; i < k->vals; i++) {
        const Val *v = k->val[i];
        Above *a = &above[v->id];

        *a = unknown;
        if (v->kind == V_CONST)
            /* a number is known everywhere: above any diagonal */
            *a = (Above){.of_row = true, .known = true, .value = v->value, .diagonal = -FAR};
        else if (!val_is_inner(k, v))
            a->of_row = true;
        else if (v->kind == V_LOAD)
            *a = load_above(k, row, v);
        else if (v->kind == V_OP)
            *a = op_above(k, row, v, above);
    }
}

/* Does the kernel do nothing but store 0, or add nothing to its result, above the diagonal? */
static bool gains_nothing(const Kernel *k, const Above *above, int64_t *diagonal)
{
    /* what changes no result: 0 for a sum and for a map, -inf for a maximum */
    double nothing = kernel_reduces(k) && k->reduce == OP_max ? -INFINITY : 0;

    *diagonal = -FAR;
    for (int i = 0; i < k->stores; i++) {
        const Store *s = &k->store[i];
        const Above *a = &above[s->val->id];
        if (s->add || s->target || s->node->op == OP_assign || s->node->type != T_FLOAT ||
            !val_is_inner(k, s->val) || !a->known || a->value != nothing)
            return false;
        if (a->diagonal > *diagonal)
            *diagonal = a->diagonal;
    }
    return k->stores > 0;
}

static void find_short_rows(Program *p, Kernel *k)
{
    int column = k->axes - 1;
    int64_t diagonal;

    if (k->member || column < 1 || size_max(p->graph, k->extent[column]) < LONG_ROW)
        return;
    if (kernel_reduces(k) &&
        (k->axis[column] != AX_REDUCE || (k->reduce != OP_sum && k->reduce != OP_max)))
        return;

    Above *above = arena_array(p->ngc, k->vals + 1, sizeof *above);
    for (int row = 0; row < column; row++) {
        if (k->extent[row] != k->extent[column] || (kernel_reduces(k) && k->axis[row] != AX_LEAD))
            continue;
        find_values(k, row, above);
        /* row + diagonal + 1 passes are done, which must not be below 0 in row 0 */
        if (!gains_nothing(k, above, &diagonal) || diagonal < -1 || diagonal > 0)
            continue;

        k->half = HALF_LOOP;
        k->row = row;
        k->diagonal = diagonal;
        return;
    }
}

/* ---- the pass ---- */

static void find_product(Program *p, Kernel *k, Triangles *t)
{
    double value;

    if (k->onto || k->store[0].target || !is_large(p, k))
        return;
    if (find_above(k->product->arg[0], &value, &k->diagonal, 0) && value == 0) {
        k->half = HALF_A;
        return;
    }
    if (t->p == NULL)
        *t = find_uses(p);
    if (is_unused(t, k->store[0].node, &k->diagonal, 0))
        k->half = HALF_C;
}

void program_triangles(Program *p)
{
    Triangles t = {.p = NULL};

    for (int i = 0; i < p->kernels; i++) {
        Kernel *k = p->kernel[i];

        if (k->kind == K_GEMM)
            find_product(p, k, &t);
        if (k->kind == K_LOOP)
            find_short_rows(p, k);
        for (int m = 0; m < k->members; m++)
            find_short_rows(p, k->member[m]);
    }
}
