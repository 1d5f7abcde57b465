/* graph.c - nodes. They are made by the builders below and by nothing else: they check shapes, fold
 * constants, apply identities that hold for every value including NaN and infinity, and share equal
 * nodes. */
#include "graph/graph.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* ---- nodes: equal ones are shared ---- */

static uint32_t all_axes(Shape s)
{
    return (1u << s.rank) - 1;
}

Graph *graph_new(Ngc *ngc)
{
    Graph *g = arena_alloc(ngc, sizeof *g);
    g->ngc = ngc;
    g->loc.file = -1;
    g->buckets = 1024;
    g->bucket = arena_alloc(ngc, (size_t)g->buckets * sizeof *g->bucket);
    return g;
}

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 29;
}

static uint64_t node_hash(const Node *n)
{
    uint64_t h = mix((uint64_t)n->op << 8 | n->type, (uint64_t)n->shape.rank);
    for (int i = 0; i < n->shape.rank; i++)
        h = mix(h, (uint64_t)n->shape.dim[i]);

    /* The order of a commutative op's operands must not change the hash: it adds them. */
    bool commutative = op_info[n->op]->flags & F_COMMUTATIVE;
    uint64_t operands = 0;
    for (int i = 0; i < n->nargs; i++) {
        uint64_t x = mix(0, (uint64_t)n->arg[i]->id);
        operands = commutative ? operands + x : mix(operands, x);
    }

    h = mix(h, operands);
    return attr_hash(n, h);
}

static bool node_equal(const Node *a, const Node *b)
{
    if (a->op != b->op || a->type != b->type || a->nargs != b->nargs)
        return false;
    if (!shape_equal(a->shape, b->shape))
        return false;

    bool same = a->nargs == 0 || memcmp(a->arg, b->arg, (size_t)a->nargs * sizeof *a->arg) == 0;
    if (!same && op_info[a->op]->flags & F_COMMUTATIVE)
        same = a->arg[0] == b->arg[1] && a->arg[1] == b->arg[0];
    return same && attr_equal(a, b);
}

static void graph_rehash(Graph *g)
{
    g->buckets *= 4;
    g->bucket = arena_alloc(g->ngc, (size_t)g->buckets * sizeof *g->bucket);
    for (int i = 0; i < g->count; i++) {
        if (g->node[i]->apart)
            continue;
        Node **b = &g->bucket[node_hash(g->node[i]) % (uint64_t)g->buckets];
        g->node[i]->chain = *b;
        *b = g->node[i];
    }
}

static bool leaves_loop(const Node *n)
{
    return n->op == OP_loop || n->op == OP_last || n->op == OP_passes || n->op == OP_collect;
}

/* A node is in the bodies that its operands are in. What leaves a loop is not in its body. */
static void note_loops(Node *n)
{
    for (int k = 0; k < n->nargs; k++)
        for (int l = 0; l < MAX_LEVELS; l++) {
            if (n->in[l] && n->arg[k]->in[l] && n->in[l] != n->arg[k]->in[l])
                ngc_bug("node %d is in two loops of one level", n->id);
            if (n->arg[k]->in[l])
                n->in[l] = n->arg[k]->in[l];
        }

    if (leaves_loop(n))
        n->in[n->attr.loop->level] = NULL;
    else if (n->attr.loop)
        n->in[n->attr.loop->level] = n->attr.loop;
}

/* The node equal to this one, old or new. */
Node *graph_add(Graph *g, Node n, Node *const *arg)
{
    n.arg = (Node **)arg;
    Node **b = &g->bucket[node_hash(&n) % (uint64_t)g->buckets];

    /* In literal mode only leaves are shared. */
    bool apart = g->ngc->opt.literal && n.nargs > 0;
    for (Node *old = *b; old && !apart; old = old->chain) {
        bool shareable = !old->bound || g->final || old->nargs == 0;
        if (shareable && node_equal(old, &n))
            return old;
    }

    Node *made = arena_copy(g->ngc, &n, sizeof n);
    made->arg = arena_copy(g->ngc, arg, (size_t)n.nargs * sizeof *arg);
    attr_keep(g->ngc, made);
    made->id = g->count;
    made->loc = g->loc;
    note_loops(made);
    made->range = range_of(g, made);
    made->chain = *b;
    *b = made;

    g->node = arena_grow(g->ngc, g->node, g->count, &g->room, sizeof *g->node);
    g->node[g->count++] = made;
    if (g->count > 2 * g->buckets)
        graph_rehash(g);
    return made;
}

void graph_adopt(Graph *g, Node *n)
{
    n->id = g->count;
    n->apart = true;
    n->chain = NULL;
    g->node = arena_grow(g->ngc, g->node, g->count, &g->room, sizeof *g->node);
    g->node[g->count++] = n;
}

static Node *add_unary(Graph *g, Op op, Shape shape, Node *a, struct Attr attr)
{
    return graph_add(g, (Node){.op = op, .type = a->type, .shape = shape, .nargs = 1, .attr = attr},
                     &a);
}

/* May a builder look at the operands of n? Only if no gradient with respect to n can be asked for.
 */
static bool open(const Graph *g, const Node *n)
{
    return (!n->bound || g->final) && !g->ngc->opt.literal;
}

static bool is(const Graph *g, const Node *n, Op op)
{
    return n->op == op && open(g, n);
}

const char *node_name(const Node *n)
{
    return n->op == OP_var ? n->attr.var->name : n->name;
}

bool node_const(const Node *n, double *value)
{
    while (n->op == OP_expand)
        n = n->arg[0];
    if (n->op != OP_const)
        return false;
    *value = n->attr.value;
    return true;
}

/* The transpose of a row or column moves nothing: it is a reshape. */
bool node_is_turned(const Node *n)
{
    if (n->op != OP_reshape || n->shape.rank != 2 || n->arg[0]->shape.rank != 2)
        return false;
    const Size *a = n->arg[0]->shape.dim;
    return a[0] != a[1] && n->shape.dim[0] == a[1] && n->shape.dim[1] == a[0];
}

bool node_is(const Node *n, double value)
{
    double v;
    return node_const(n, &v) && v == value;
}

Node *graph_bind(Graph *g, Node *n, const char *name, int from)
{
    /* There is no gradient with respect to these: they may have several names. */
    double v;
    bool leaf = op_info[n->op]->flags & F_LEAF && n->op != OP_var;
    if (leaf || node_const(n, &v) || n->type == T_INT)
        return n;

    if (n->bound || n->op == OP_var || n->op == OP_expand || n->id < from) {
        Node copy = {.op = OP_copy, .type = n->type, .shape = n->shape, .nargs = 1};
        n = graph_add(g, copy, &n);
    }

    n->bound = true;
    n->name = name;
    return n;
}

/* ---- leaves ---- */

Node *graph_const(Graph *g, double v)
{
    return graph_add(g, (Node){.op = OP_const, .type = T_FLOAT, .attr.value = v}, NULL);
}

Node *graph_int(Graph *g, int64_t v)
{
    return graph_add(g, (Node){.op = OP_const, .type = T_INT, .attr.value = (double)v}, NULL);
}

Node *graph_size(Graph *g, Size s)
{
    int64_t number;
    if (size_number(g, s, &number))
        return graph_const(g, (double)number);
    return graph_add(g, (Node){.op = OP_size, .type = T_FLOAT, .attr.size = s}, NULL);
}

Node *graph_data(Graph *g, Shape shape, Type type, const double *data)
{
    return graph_add(g, (Node){.op = OP_data, .type = type, .shape = shape, .attr.data = data},
                     NULL);
}

Node *graph_var(Graph *g, Var *v)
{
    return graph_add(g, (Node){.op = OP_var, .type = v->type, .shape = v->shape, .attr.var = v},
                     NULL);
}

Node *graph_full(Graph *g, Shape shape, double v)
{
    return graph_expand(g, graph_const(g, v), shape, all_axes(shape));
}

Node *graph_training(Graph *g)
{
    return graph_add(g, (Node){.op = OP_training, .type = T_FLOAT}, NULL);
}

Node *graph_random(Graph *g, Shape shape, Random kind, double a, double b, int stream)
{
    struct Attr attr = {.value = a, .value2 = b, .kind = kind, .stream = stream};
    return graph_add(g, (Node){.op = OP_random, .type = T_FLOAT, .shape = shape, .attr = attr},
                     NULL);
}

Node *graph_noise(Graph *g, Shape shape, Node *draws, int stream, Size pass)
{
    Node *arg[1 + MAX_LEVELS] = {draws};
    Node n = {.op = OP_noise,
              .type = T_FLOAT,
              .shape = shape,
              .nargs = 1 + graph_indices(g, &pass, 1, arg + 1),
              .attr = {.stream = stream, .size = pass}};
    return graph_add(g, n, arg);
}

Node *graph_noise_of_rows(Graph *g, const Node *noise, Node *draws)
{
    Node n = *noise, **arg = arena_copy(g->ngc, noise->arg, (size_t)noise->nargs * sizeof *arg);

    n = (Node){.op = OP_noise, .type = n.type, .shape = n.shape, .nargs = n.nargs, .attr = n.attr};
    n.attr.kind = 1;
    arg[0] = draws;
    return graph_add(g, n, arg);
}

Node *graph_iota(Graph *g, Shape shape, int axis)
{
    return graph_add(g, (Node){.op = OP_iota, .type = T_INT, .shape = shape, .attr.axis = axis},
                     NULL);
}

static Node *number(Graph *g, Type type, double v)
{
    if (type == T_INT)
        v = trunc(v);
    return graph_add(g, (Node){.op = OP_const, .type = type, .attr.value = v}, NULL);
}

/* The number that a constant of any shape holds, in another shape. */
static Node *refill(Graph *g, const Node *a, Shape shape)
{
    double v = 0;
    node_const(a, &v);
    return graph_expand(g, number(g, a->type, v), shape, all_axes(shape));
}

/* ---- elementwise ---- */

Node *graph_cast(Graph *g, Node *a, Type type)
{
    double v;
    if (a->type == type)
        return a;
    if (node_const(a, &v))
        return graph_expand(g, number(g, type, v), a->shape, all_axes(a->shape));

    return graph_add(g, (Node){.op = OP_cast, .type = type, .shape = a->shape, .nargs = 1}, &a);
}

/* Is n an int, or a whole constant, which fits both types? */
static bool fits_int(const Node *n)
{
    double v;
    if (n->type == T_INT)
        return true;
    return node_const(n, &v) && v == floor(v) && fabs(v) < 1e9;
}

/* Is n a run-time size, which beside ints is an int? (But not in a product, which may be too
 * large.) */
static bool fits_size(const Graph *g, Op op, const Node *n)
{
    while (n->op == OP_expand)
        n = n->arg[0];
    return op != OP_mul && n->op == OP_size && size_max(g, n->attr.size) < 1000000000;
}

/* Gives the operands one type, and returns it. It is int only if one is int and all fit int. */
static Type unify(Graph *g, Op op, Node **arg, int n)
{
    bool keeps = op_info[op]->flags & F_INT;
    int first = op_info[op]->flags & F_CONDITION ? 1 : 0;

    bool any_int = false, whole = true;
    for (int i = first; i < n; i++) {
        any_int |= arg[i]->type == T_INT;
        whole &= fits_int(arg[i]) || fits_size(g, op, arg[i]);
    }

    Type t = keeps && any_int && whole ? T_INT : T_FLOAT;
    for (int i = first; i < n; i++)
        arg[i] = graph_cast(g, arg[i], t);
    return t;
}

/* Is n never NaN or infinite, whatever the inputs are? Looks at most `depth` operands deep. */
static bool finite(const Node *n, int depth)
{
    double v;
    if (node_const(n, &v))
        return isfinite(v);
    if (depth == 0)
        return false;
    if (op_info[n->op]->test)
        return true;

    switch (n->op) {
    case OP_size:
    case OP_iota:
    case OP_training: return true;
    case OP_expand:
    case OP_cast:
    case OP_permute:
    case OP_reshape: return finite(n->arg[0], depth - 1);
    case OP_sub:
    case OP_mul: return finite(n->arg[0], depth - 1) && finite(n->arg[1], depth - 1);
    default: return n->type == T_INT;
    }
}

/* The identities of sums, products and powers; NULL: none applies. a and b have one shape and type.
 */
static Node *fold_binary(Graph *g, Op op, Node *a, Node *b)
{
    double v = 0, w = 0;
    bool ca = node_const(a, &v), cb = node_const(b, &w);
    switch (op) {
    case OP_add:
        if (cb && w == 0)
            return a;
        if (ca && v == 0)
            return b;
        if (is(g, b, OP_neg))
            return graph_binary(g, OP_sub, a, b->arg[0]);
        if (is(g, a, OP_neg))
            return graph_binary(g, OP_sub, b, a->arg[0]);
        break;
    case OP_sub:
        if (cb && w == 0)
            return a;
        if (ca && v == 0)
            return graph_unary(g, OP_neg, b);
        if (is(g, b, OP_neg))
            return graph_binary(g, OP_add, a, b->arg[0]);
        break;
    case OP_mul:
        if (cb && w == 1)
            return a;
        if (ca && v == 1)
            return b;
        if (cb && w == -1)
            return graph_unary(g, OP_neg, a);
        if (ca && v == -1)
            return graph_unary(g, OP_neg, b);
        if (cb && w == 0 && finite(a, 8))
            return b;
        if (ca && v == 0 && finite(b, 8))
            return a;
        if (is(g, a, OP_neg) && is(g, b, OP_neg))
            return graph_binary(g, OP_mul, a->arg[0], b->arg[0]);
        if (is(g, a, OP_neg) && cb)
            return graph_binary(g, OP_mul, a->arg[0], graph_unary(g, OP_neg, b));
        if (is(g, b, OP_neg) && ca)
            return graph_binary(g, OP_mul, graph_unary(g, OP_neg, a), b->arg[0]);
        break;
    case OP_div:
        if (cb && w == 1)
            return a;
        if (cb && w == -1)
            return graph_unary(g, OP_neg, a);
        break;
    case OP_pow:
        if (cb && w == 1)
            return a;
        if (cb && w == 0)
            return graph_full(g, a->shape, 1); /* as in C, NumPy and PyTorch, also for NaN */
        if (g->final && cb && w == 2)
            return graph_binary(g, OP_mul, a, a);
        if (g->final && cb && w == 3)
            return graph_binary(g, OP_mul, graph_binary(g, OP_mul, a, a), a);
        if (g->final && cb && w == -1)
            return graph_binary(g, OP_div, graph_full(g, a->shape, 1), a);
        break;
    default: break;
    }
    return NULL;
}

/* Does the reshape from a to b only insert and remove axes of size 1? */
static bool trivial(Shape a, Shape b)
{
    int i = 0, k = 0;
    for (;;) {
        while (i < a.rank && a.dim[i] == 1)
            i++;
        while (k < b.rank && b.dim[k] == 1)
            k++;
        if (i == a.rank || k == b.rank)
            return i == a.rank && k == b.rank;
        if (a.dim[i++] != b.dim[k++])
            return false;
    }
}

static Node *elementwise(Graph *g, Op op, Node **arg, int n);

/* op(reshape x, reshape y) = reshape op(x, y) where the reshapes only insert axes of size 1, as
 * keepdims does: the reshape moves down to one that removes these axes, and they cancel. Operands
 * that are copies of one number take any shape. NULL: the operands are not of this form. */
static Node *fold_reshape(Graph *g, Op op, Node **arg, int n, Shape shape)
{
    Node *like = NULL; /* an operand of the reshapes */
    for (int i = 0; i < n; i++) {
        if (is(g, arg[i], OP_expand) && arg[i]->arg[0]->shape.rank == 0)
            continue;
        if (!is(g, arg[i], OP_reshape))
            return NULL;

        Node *x = arg[i]->arg[0];
        if (x->shape.rank >= shape.rank || !trivial(shape, x->shape))
            return NULL;
        if (like && !shape_equal(like->shape, x->shape))
            return NULL;
        like = x;
    }

    if (!like)
        return NULL;

    Node *in[3];
    for (int i = 0; i < n; i++) {
        in[i] = arg[i]->arg[0];
        if (arg[i]->op != OP_reshape)
            in[i] = graph_expand(g, in[i], like->shape, all_axes(like->shape));
    }
    return graph_reshape(g, elementwise(g, op, in, n), shape);
}

/* op(expand x, expand y) = expand op(x, y): computed once instead of once per copy. NULL: the
 * operands are not copies along the same axes. */
static Node *fold_expand(Graph *g, Op op, Node **arg, int n, Shape shape)
{
    uint32_t axes = 0;
    for (int i = 0; i < n; i++) {
        double v;
        if (node_const(arg[i], &v))
            continue;
        if (!is(g, arg[i], OP_expand) || (axes && arg[i]->attr.axes != axes))
            return NULL;
        axes = arg[i]->attr.axes;
    }

    if (!axes)
        return NULL;

    Node *in[3];
    Shape small = shape_without(shape, axes);
    for (int i = 0; i < n; i++) {
        double v;
        if (node_const(arg[i], &v))
            in[i] = refill(g, arg[i], small);
        else
            in[i] = arg[i]->arg[0];
    }
    return graph_expand(g, elementwise(g, op, in, n), shape, axes);
}

/* Sizes are computed as sizes as long as they are whole: m*10 is a size, m/2 is a float. */
static Node *fold_size(Graph *g, Op op, Node *a, Node *b)
{
    double v = 0;
    Size s[2];
    Node *arg[2] = {a, b};

    if (a->op != OP_size && b->op != OP_size)
        return NULL;

    for (int i = 0; i < 2; i++) {
        if (arg[i]->op == OP_size)
            s[i] = arg[i]->attr.size;
        else if (node_const(arg[i], &v) && v == floor(v) && fabs(v) < 1e15)
            s[i] = (Size)v;
        else
            return NULL;
    }

    /* A negative number is not a Size, but m + -1 is m - 1. */
    if (a->op == OP_const && s[0] < 0)
        return NULL;
    if (b->op == OP_const && s[1] < 0) {
        if (op != OP_add)
            return NULL;
        return graph_size(g, size_sub(g, s[0], -s[1]));
    }

    switch (op) {
    case OP_add: return graph_size(g, size_add(g, s[0], s[1]));
    case OP_sub: return graph_size(g, size_sub(g, s[0], s[1]));
    case OP_mul: return graph_size(g, size_mul(g, s[0], s[1]));

    case OP_div:
        if (s[1] == 0 || !size_div(g, s[0], s[1], &s[0]))
            return NULL;
        return graph_size(g, s[0]);

    default: return NULL;
    }
}

static Node *elementwise(Graph *g, Op op, Node **arg, int n)
{
    const OpInfo *info = op_info[op];
    Shape shape = arg[0]->shape;
    for (int i = 1; i < n; i++)
        if (!shape_broadcast(shape, arg[i]->shape, &shape))
            ngc_bug("%s: shapes %s and %s", info->name, shape_text(g, shape),
                    shape_text(g, arg[i]->shape));
    Type type = unify(g, op, arg, n);
    if (info->test)
        type = T_FLOAT;
    double v[3] = {0};
    bool constant = true;
    for (int i = 0; i < n; i++) {
        constant &= node_const(arg[i], &v[i]);
        arg[i] = graph_broadcast(g, arg[i], shape);
    }

    if (constant) {
        double r = type == T_INT ? op_value_int(op, v) : info->value(v[0], v[1], v[2]);
        return graph_expand(g, number(g, type, r), shape, all_axes(shape));
    }

    Node *folded = fold_expand(g, op, arg, n, shape);
    if (!folded)
        folded = fold_reshape(g, op, arg, n, shape);
    if (!folded && n == 2)
        folded = fold_size(g, op, arg[0], arg[1]);
    if (!folded && n == 2 && !g->ngc->opt.literal)
        folded = fold_binary(g, op, arg[0], arg[1]);
    if (folded)
        return folded;
    return graph_add(g, (Node){.op = op, .type = type, .shape = shape, .nargs = n}, arg);
}

/* floor and ceil of a size, or of a size divided by a whole number, where that is a size again;
 * else NULL. */
static Node *round_size(Graph *g, Op op, Node *a)
{
    double v;
    Size s;

    if (op != OP_floor && op != OP_ceil)
        return NULL;
    if (a->op == OP_size)
        return a;
    if (!is(g, a, OP_div) || a->arg[0]->op != OP_size || !node_const(a->arg[1], &v))
        return NULL;
    if (v < 1 || v != floor(v) || v > 1e9)
        return NULL;

    s = a->arg[0]->attr.size;
    if (op == OP_ceil)
        s = size_add(g, s, (Size)v - 1);
    return size_floor(g, s, (int64_t)v, &s) ? graph_size(g, s) : NULL;
}

Node *graph_as_int(Graph *g, Node *a)
{
    double v;
    if (a->type == T_INT)
        return a;
    if (node_const(a, &v)) {
        double whole = op_info[OP_as_int]->value(v, 0, 0);
        return graph_expand(g, number(g, T_INT, whole), a->shape, all_axes(a->shape));
    }
    return graph_add(g, (Node){.op = OP_as_int, .type = T_INT, .shape = a->shape, .nargs = 1}, &a);
}

Node *graph_unary(Graph *g, Op op, Node *a)
{
    Node *size = round_size(g, op, a);
    if (size)
        return size;
    if (op == OP_neg && is(g, a, OP_neg))
        return a->arg[0];
    if (op == OP_neg && is(g, a, OP_sub))
        return graph_binary(g, OP_sub, a->arg[1], a->arg[0]);
    if (op == OP_neg && (is(g, a, OP_mul) || is(g, a, OP_div)) && is(g, a->arg[0], OP_sub))
        return graph_binary(g, a->op, graph_unary(g, OP_neg, a->arg[0]), a->arg[1]);
    if (op == OP_copy)
        return a;
    return elementwise(g, op, &a, 1);
}

Node *graph_binary(Graph *g, Op op, Node *a, Node *b)
{
    return elementwise(g, op, (Node *[]){a, b}, 2);
}

/* Are c and d comparisons of the same two operands of which at most one is true? */
static bool exclude_each_other(const Node *c, const Node *d)
{
    if (c->op == OP_le || c->op == OP_ne) {
        const Node *first = c;
        c = d;
        d = first;
    }
    if (c->op != OP_lt && c->op != OP_eq)
        return false;
    if (d->op != OP_lt && d->op != OP_le && d->op != OP_eq && d->op != OP_ne)
        return false;

    bool same = c->arg[0] == d->arg[0] && c->arg[1] == d->arg[1];
    bool swapped = c->arg[0] == d->arg[1] && c->arg[1] == d->arg[0];
    if (c->op == OP_lt)
        return d->op == OP_eq ? same || swapped : swapped && d->op != OP_ne;
    return d->op == OP_ne && (same || swapped);
}

Node *graph_where(Graph *g, Node *c, Node *a, Node *b)
{
    double v;
    if (node_const(c, &v)) {
        Shape shape;
        if (!shape_broadcast(c->shape, a->shape, &shape) ||
            !shape_broadcast(shape, b->shape, &shape))
            ngc_bug("where: shapes do not fit");
        Node *arg[3] = {c, a, b};
        unify(g, OP_where, arg, 3);
        return graph_broadcast(g, v != 0 ? arg[1] : arg[2], shape);
    }

    if (a == b && shape_equal(a->shape, c->shape))
        return a;
    if (is(g, a, OP_where) && a->arg[0] == c) /* the same condition again */
        return graph_where(g, c, a->arg[1], b);
    if (is(g, b, OP_where) && b->arg[0] == c)
        return graph_where(g, c, a, b->arg[2]);
    if (is(g, b, OP_where) && b->arg[2] == a && exclude_each_other(c, b->arg[0]))
        return b;
    return elementwise(g, OP_where, (Node *[]){c, a, b}, 3);
}

Node *graph_stop(Graph *g, Node *a)
{
    double v;
    if (g->final || node_const(a, &v))
        return a;
    return graph_add(g, (Node){.op = OP_stop, .type = a->type, .shape = a->shape, .nargs = 1}, &a);
}

Node *graph_given(Graph *g, const Given *given, Node *const *arg)
{
    Node n = {.op = OP_given,
              .type = arg[0]->type,
              .shape = arg[0]->shape,
              .nargs = 1 + given->count + given->outers,
              .attr.given = given};
    return graph_add(g, n, arg);
}

/* ---- views ---- */

Node *graph_expand(Graph *g, Node *a, Shape shape, uint32_t axes)
{
    if (!shape_equal(shape_without(shape, axes), a->shape))
        ngc_bug("expand: %s without axes %x is not %s", shape_text(g, shape), axes,
                shape_text(g, a->shape));
    if (axes == 0)
        return a;

    /* Of two expands one is made: the axes of the inner one, as they are numbered in the outer. */
    if (is(g, a, OP_expand)) {
        uint32_t inner = 0;
        for (int i = 0, k = 0; i < shape.rank; i++)
            if (!(axes >> i & 1))
                inner |= (a->attr.axes >> k++ & 1) << i;
        return graph_expand(g, a->arg[0], shape, axes | inner);
    }
    return add_unary(g, OP_expand, shape, a, (struct Attr){.axes = axes});
}

Node *graph_broadcast(Graph *g, Node *a, Shape shape)
{
    uint32_t axes = 0;
    Shape kept = {0};
    if (shape_equal(a->shape, shape))
        return a;

    double v;
    if (node_const(a, &v))
        return refill(g, a, shape);

    int lead = shape.rank - a->shape.rank;
    for (int i = 0; i < shape.rank; i++) {
        if (i < lead || a->shape.dim[i - lead] != shape.dim[i])
            axes |= 1u << i;
        else
            kept.dim[kept.rank++] = shape.dim[i];
    }
    return graph_expand(g, graph_reshape(g, a, kept), shape, axes);
}

/* reshape(expand x), where the reshape only inserts and removes axes of size 1, as
 * expand(reshape x), with the inserted axes among the copies. */
static Node *reshape_expand(Graph *g, Node *a, Shape shape)
{
    Shape from = a->shape, small = {0};
    uint32_t axes = 0;
    int i = 0;

    for (int k = 0; k < shape.rank; k++) {
        if (shape.dim[k] == 1) {
            axes |= 1u << k;
            continue;
        }
        while (from.dim[i] == 1)
            i++;
        if (a->attr.axes >> i++ & 1)
            axes |= 1u << k;
        else
            small.dim[small.rank++] = shape.dim[k];
    }
    return graph_expand(g, graph_reshape(g, a->arg[0], small), shape, axes);
}

Node *graph_reshape(Graph *g, Node *a, Shape shape)
{
    double v;
    if (shape_equal(a->shape, shape))
        return a;
    if (shape_count(g, a->shape) != shape_count(g, shape))
        ngc_bug("reshape: %s to %s", shape_text(g, a->shape), shape_text(g, shape));
    if (node_const(a, &v))
        return refill(g, a, shape);
    if (is(g, a, OP_reshape))
        return graph_reshape(g, a->arg[0], shape);
    if (is(g, a, OP_expand) && trivial(a->shape, shape))
        return reshape_expand(g, a, shape);
    return add_unary(g, OP_reshape, shape, a, (struct Attr){0});
}

/* Does the permutation move only axes of size 1? Then it moves no element. */
static bool keeps_order(Shape s, const int *perm)
{
    int last = -1; /* the last axis of another size */
    for (int i = 0; i < s.rank; i++) {
        if (s.dim[perm[i]] == 1)
            continue;
        if (perm[i] < last)
            return false;
        last = perm[i];
    }
    return true;
}

Node *graph_permute(Graph *g, Node *a, const int *perm)
{
    Shape shape = {.rank = a->shape.rank};
    bool same = true;
    double v;

    for (int i = 0; i < shape.rank; i++) {
        shape.dim[i] = a->shape.dim[perm[i]];
        same &= perm[i] == i;
    }

    if (same)
        return a;
    if (node_const(a, &v))
        return refill(g, a, shape);
    if (is(g, a, OP_permute)) {
        int both[MAX_RANK] = {0};
        for (int i = 0; i < shape.rank; i++)
            both[i] = a->attr.perm[perm[i]];
        return graph_permute(g, a->arg[0], both);
    }

    if (trivial(a->shape, shape) && keeps_order(a->shape, perm))
        return graph_reshape(g, a, shape);
    return add_unary(g, OP_permute, shape, a, (struct Attr){.perm = perm});
}

Node *graph_transpose(Graph *g, Node *a)
{
    int perm[MAX_RANK], r = a->shape.rank;
    for (int i = 0; i < r; i++)
        perm[i] = i < r - 2 ? i : 2 * r - 3 - i;
    return graph_permute(g, a, perm);
}

/* slice or pad: the index of each loop that lo depends on is an operand. */
static Node *add_moved(Graph *g, Op op, Shape shape, Node *a, const Size *lo, const Size *step)
{
    Node *arg[1 + MAX_LEVELS] = {a};
    int nargs = 1 + graph_indices(g, lo, shape.rank, arg + 1);

    Node n = {.op = op,
              .type = a->type,
              .shape = shape,
              .nargs = nargs,
              .attr = {.lo = lo, .step = step}};
    return graph_add(g, n, arg);
}

Node *graph_slice(Graph *g, Node *a, const Size *lo, const Size *step, Shape shape)
{
    bool all = true;
    double v;
    for (int i = 0; i < shape.rank; i++)
        all &= lo[i] == 0 && step[i] == 1 && shape.dim[i] == a->shape.dim[i];
    if (all)
        return a;
    if (node_const(a, &v))
        return refill(g, a, shape);
    return add_moved(g, OP_slice, shape, a, lo, step);
}

Node *graph_pad(Graph *g, Node *a, const Size *lo, const Size *step, Shape shape)
{
    bool all = true;
    for (int i = 0; i < shape.rank; i++)
        all &= lo[i] == 0 && step[i] == 1 && shape.dim[i] == a->shape.dim[i];
    if (all)
        return a;
    if (node_is(a, 0))
        return graph_full(g, shape, 0);
    return add_moved(g, OP_pad, shape, a, lo, step);
}

/* Is b the slice of the same tensor that follows the slice a along this axis? */
static bool follows(Graph *g, const Node *a, const Node *b, int axis)
{
    if (!is(g, a, OP_slice) || !is(g, b, OP_slice) || a->arg[0] != b->arg[0] ||
        a->nargs != b->nargs)
        return false;
    if (memcmp(a->arg, b->arg, (size_t)a->nargs * sizeof *a->arg) != 0)
        return false;

    for (int i = 0; i < a->shape.rank; i++) {
        Size end = size_add(g, a->attr.lo[i], i == axis ? a->shape.dim[i] : 0);
        if (a->attr.step[i] != 1 || b->attr.step[i] != 1 || b->attr.lo[i] != end)
            return false;
    }
    return true;
}

/* Slices that follow each other become one. Returns how many operands are left. */
static int join_slices(Graph *g, Node **arg, int count, int axis)
{
    int kept = 0;

    for (int i = 0, end; i < count; i = end) {
        Shape shape = arg[i]->shape;
        for (end = i + 1; end < count && follows(g, arg[end - 1], arg[end], axis); end++)
            shape.dim[axis] = size_add(g, shape.dim[axis], arg[end]->shape.dim[axis]);

        Node *one = arg[i];
        if (end > i + 1) {
            Indices before = graph_use_indices(g, one->arg + 1, one->nargs - 1);
            one = graph_slice(g, one->arg[0], one->attr.lo, one->attr.step, shape);
            graph_restore_indices(g, before);
        }
        arg[kept++] = one;
    }
    return kept;
}

Node *graph_concat(Graph *g, Node **arg, int count, int axis)
{
    count = join_slices(g, arg, count, axis);

    Shape shape = arg[0]->shape;
    Type type = arg[0]->type;
    for (int i = 1; i < count; i++) {
        shape.dim[axis] = size_add(g, shape.dim[axis], arg[i]->shape.dim[axis]);
        type = arg[i]->type == T_FLOAT ? T_FLOAT : type;
    }

    if (count == 1)
        return arg[0];

    for (int i = 0; i < count; i++)
        arg[i] = graph_cast(g, arg[i], type);
    return graph_add(
        g, (Node){.op = OP_concat, .type = type, .shape = shape, .nargs = count, .attr.axis = axis},
        arg);
}

/* ---- reductions ---- */

/* The sum of an expand: copies become a factor, the other axes are summed in the small operand. */
static Node *sum_expand(Graph *g, Node *a, uint32_t axes)
{
    Size copies = 1;
    uint32_t inner = 0, outer = 0;
    for (int i = 0, k = 0, kept = 0; i < a->shape.rank; i++) {
        bool copy = a->attr.axes >> i & 1, gone = axes >> i & 1;
        if (copy && gone)
            copies = size_mul(g, copies, a->shape.dim[i]);
        if (!copy)
            inner |= (uint32_t)gone << k++;
        if (!gone)
            outer |= (uint32_t)copy << kept++;
    }

    Node *times = graph_size(g, copies);
    Node *s = graph_binary(g, OP_mul, graph_reduce(g, OP_sum, a->arg[0], inner), times);
    return graph_expand(g, s, shape_without(a->shape, axes), outer);
}

Node *graph_reduce(Graph *g, Op op, Node *a, uint32_t axes)
{
    Shape shape = shape_without(a->shape, axes);
    bool ones = true;
    if (axes == 0)
        return a;

    for (int i = 0; i < a->shape.rank; i++)
        ones &= !(axes >> i & 1) || a->shape.dim[i] == 1;
    if (ones)
        return graph_reshape(g, a, shape);
    if (is(g, a, OP_expand) && op == OP_sum)
        return sum_expand(g, a, axes);
    if (is(g, a, OP_expand) && (a->attr.axes & axes) == axes) { /* the largest of equal copies */
        uint32_t outer = 0;
        for (int i = 0, kept = 0; i < a->shape.rank; i++)
            if (!(axes >> i & 1))
                outer |= (a->attr.axes >> i & 1) << kept++;
        return graph_expand(g, a->arg[0], shape, outer);
    }
    return graph_add(
        g, (Node){.op = op, .type = a->type, .shape = shape, .nargs = 1, .attr.axes = axes}, &a);
}

Node *graph_argmax(Graph *g, Node *a, int axis)
{
    Node n = {.op = OP_argmax,
              .type = T_INT,
              .shape = shape_without(a->shape, 1u << axis),
              .nargs = 1,
              .attr.axis = axis};
    return graph_add(g, n, &a);
}

/* ---- matrix product, indexing ---- */

/* Does n exchange the last two axes of its operand, and nothing else? */
static bool is_transpose(const Graph *g, const Node *n)
{
    if (!is(g, n, OP_permute))
        return false;
    for (int i = 0, r = n->shape.rank; i < r; i++)
        if (n->attr.perm[i] != (i < r - 2 ? i : 2 * r - 3 - i))
            return false;
    return true;
}

static Node *untranspose(const Graph *g, Node *n, bool *flag)
{
    if (!is_transpose(g, n))
        return n;
    *flag = !*flag;
    return n->arg[0];
}

static Node *matmul(Graph *g, Node *a, Node *b, struct Attr attr);

/* A batch of matrices times one matrix is one product of a taller matrix. */
static Node *matmul_flat(Graph *g, Node *a, Node *b, struct Attr attr)
{
    if (attr.ta)
        a = graph_transpose(g, a);

    Shape shape = a->shape, flat = {.rank = 2, .dim = {1}};
    for (int i = 0; i < shape.rank - 1; i++)
        flat.dim[0] = size_mul(g, flat.dim[0], shape.dim[i]);
    flat.dim[1] = shape.dim[shape.rank - 1];
    attr.ta = false;
    Node *c = matmul(g, graph_reshape(g, a, flat), b, attr);
    shape.dim[shape.rank - 1] = c->shape.dim[1];
    return graph_reshape(g, c, shape);
}

static Node *matmul(Graph *g, Node *a, Node *b, struct Attr attr)
{
    a = untranspose(g, graph_cast(g, a, T_FLOAT), &attr.ta);
    b = untranspose(g, graph_cast(g, b, T_FLOAT), &attr.tb);
    int r = a->shape.rank;
    if (r > 2 && b->shape.rank == 2)
        return matmul_flat(g, a, b, attr);
    if (r == 2 && b->shape.rank > 2) {
        Shape s = b->shape;
        memcpy(s.dim + s.rank - 2, a->shape.dim, 2 * sizeof *s.dim);
        a = graph_broadcast(g, a, s);
        r = s.rank;
    }

    Shape shape = a->shape;
    shape.dim[r - 2] = a->shape.dim[r - 2 + attr.ta];
    shape.dim[r - 1] = b->shape.dim[r - 1 - attr.tb];
    if (b->shape.rank != r || a->shape.dim[r - 1 - attr.ta] != b->shape.dim[r - 2 + attr.tb])
        ngc_bug("matmul: %s and %s", shape_text(g, a->shape), shape_text(g, b->shape));
    Node n = {.op = OP_matmul, .type = T_FLOAT, .shape = shape, .nargs = 2, .attr = attr};
    return graph_add(g, n, (Node *[]){a, b});
}

Node *graph_matmul(Graph *g, Node *a, Node *b, bool ta, bool tb)
{
    return matmul(g, a, b, (struct Attr){.ta = ta, .tb = tb});
}

Node *graph_chain(Graph *g, Node *a, Node *b, bool ta, bool tb, bool down)
{
    return matmul(g, a, b, (struct Attr){.ta = ta, .tb = tb, .chain = true, .down = down});
}

Node *graph_lu(Graph *g, Node *a)
{
    Shape s = a->shape;
    s.dim[s.rank - 1] = size_add(g, s.dim[s.rank - 1], 1);
    return graph_add(g, (Node){.op = OP_lu, .type = T_FLOAT, .shape = s, .nargs = 1}, &a);
}

/* The derivative needs the matrix, the value its factors: both are operands. Equal factors are
 * shared. */
Node *graph_solve(Graph *g, Node *a, Node *b, bool transposed)
{
    Node n = {
        .op = OP_solve, .type = T_FLOAT, .shape = b->shape, .nargs = 3, .attr.ta = transposed};
    return graph_add(g, n, (Node *[]){a, graph_lu(g, a), b});
}

/* [.., n, n + 2]: see ngrt_linear_real.h */
Node *graph_lup(Graph *g, Node *a)
{
    Shape s = a->shape;
    s.dim[s.rank - 1] = size_add(g, s.dim[s.rank - 1], 2);
    return graph_add(g, (Node){.op = OP_lup, .type = T_FLOAT, .shape = s, .nargs = 1}, &a);
}

Node *graph_cof(Graph *g, Node *a)
{
    Node n = {.op = OP_cof, .type = T_FLOAT, .shape = a->shape, .nargs = 2};
    return graph_add(g, n, (Node *[]){a, graph_lup(g, a)});
}

Node *graph_cof2(Graph *g, Node *a, Node *w)
{
    Node n = {.op = OP_cof2, .type = T_FLOAT, .shape = a->shape, .nargs = 3};
    return graph_add(g, n, (Node *[]){a, graph_lup(g, a), w});
}

Node *graph_det(Graph *g, Op op, Node *a)
{
    Shape s = a->shape;
    s.rank -= 2;
    memset(s.dim + s.rank, 0, 2 * sizeof *s.dim);
    return graph_add(g, (Node){.op = op, .type = T_FLOAT, .shape = s, .nargs = 2},
                     (Node *[]){a, graph_lu(g, a)});
}

/* The number of places of a window of `taps` along an axis of n:
 * (n - dilation (taps - 1) - 1) / step + 1. */
static Size window_places(Graph *g, Size n, Size taps, Size step, Size dilation)
{
    Size rest = size_sub(g, n, size_add(g, size_mul(g, dilation, size_sub(g, taps, 1)), 1));
    Size count;
    if (!size_floor(g, rest, step, &count))
        ngc_bug("conv: a step of %lld along an axis of unknown size", (long long)step);
    return size_add(g, count, 1);
}

Node *graph_conv(Graph *g, Node *x, Node *k, const struct Attr *at)
{
    Shape shape = {.rank = 4, .dim = {k->shape.dim[0], 0, 0, x->shape.dim[3]}};
    for (int i = 0; i < 2; i++)
        shape.dim[1 + i] = window_places(g, x->shape.dim[1 + i], k->shape.dim[2 + i], at->stride[i],
                                         at->dilation[i]);
    Node n = {.op = OP_conv, .type = T_FLOAT, .shape = shape, .nargs = 2, .attr = *at};
    x = graph_cast(g, x, T_FLOAT);
    k = graph_cast(g, k, T_FLOAT);
    return graph_add(g, n, (Node *[]){x, k});
}

Node *graph_convk(Graph *g, Node *x, Node *y, const struct Attr *at, Shape shape)
{
    Node n = {.op = OP_convk, .type = T_FLOAT, .shape = shape, .nargs = 2, .attr = *at};
    return graph_add(g, n, (Node *[]){x, y});
}

Node *graph_checked(Graph *g, Node *i, Size size)
{
    double v;
    if (node_const(i, &v) && v >= 0 && size >= 0 && v < (double)size)
        return i;
    Node n = {.op = OP_checked, .type = T_INT, .shape = i->shape, .nargs = 1, .attr.size = size};
    return graph_add(g, n, &i);
}

Node *graph_order_of(Graph *g, Node *x, Size k)
{
    Shape shape = x->shape;

    shape.dim[shape.rank - 1] = k;
    x = graph_cast(g, x, T_FLOAT);
    return graph_add(g, (Node){.op = OP_order, .type = T_INT, .shape = shape, .nargs = 1}, &x);
}

Node *graph_gather_at(Graph *g, Node *x, Node *const *index, int count, int axis)
{
    int rank = index[0]->shape.rank, end = axis + rank; /* the index's axes replace `count` */
    Shape shape = {.rank = x->shape.rank - count + rank};
    Node **arg = arena_alloc(g->ngc, (size_t)(1 + count) * sizeof *arg);

    for (int k = 0; k < shape.rank; k++) {
        if (k < axis)
            shape.dim[k] = x->shape.dim[k];
        else if (k < end)
            shape.dim[k] = index[0]->shape.dim[k - axis];
        else
            shape.dim[k] = x->shape.dim[k - rank + count];
    }

    arg[0] = x;
    memcpy(arg + 1, index, (size_t)count * sizeof *arg);
    Node n = {.op = OP_gather, .type = x->type, .shape = shape, .nargs = 1 + count};
    n.attr.axis = axis;
    return graph_add(g, n, arg);
}

Node *graph_gather(Graph *g, Node *x, Node *i, int axis)
{
    return graph_gather_at(g, x, &i, 1, axis);
}

Node *graph_scatter_at(Graph *g, Node *dy, Node *const *index, int count, Shape shape, int axis)
{
    Node **arg = arena_alloc(g->ngc, (size_t)(1 + count) * sizeof *arg);

    arg[0] = dy;
    memcpy(arg + 1, index, (size_t)count * sizeof *arg);
    Node n = {.op = OP_scatter, .type = dy->type, .shape = shape, .nargs = 1 + count};
    n.attr.axis = axis;
    return graph_add(g, n, arg);
}

Node *graph_scatter(Graph *g, Node *dy, Node *i, Shape shape, int axis)
{
    return graph_scatter_at(g, dy, &i, 1, shape, axis);
}

Node *graph_assign(Graph *g, Node *onto, Node *rows, Node *i, Shape shape)
{
    Node n = {.op = OP_assign, .type = rows->type, .shape = shape, .nargs = onto ? 3 : 2};
    return graph_add(g, n, (Node *[]){rows, i, onto});
}

/* ---- rebuilding, order, checks ---- */

Node **graph_operands(Graph *g, const Node *n, Node *const *now)
{
    Node **arg = arena_alloc(g->ngc, (size_t)(n->nargs + 1) * sizeof *arg);

    for (int k = 0; k < n->nargs; k++)
        arg[k] = now[n->arg[k]->id];
    return arg;
}

Node *graph_rebuild(Graph *g, Node *n, Node *const *now)
{
    Node **arg = graph_operands(g, n, now);

    for (int k = 0; k < n->nargs; k++)
        if (arg[k] != n->arg[k])
            return graph_copy(g, n, arg);
    return n;
}

Node *graph_copy(Graph *g, const Node *n, Node *const *arg)
{
    const OpInfo *info = op_info[n->op];
    if (info->copy)
        return info->copy(g, n, arg);

    if (info->flags & F_LEAF)
        return (Node *)n;
    if (n->nargs == 1)
        return graph_unary(g, n->op, arg[0]);
    return graph_binary(g, n->op, arg[0], arg[1]);
}

int *graph_uses(Graph *g, Node *const *root, int roots)
{
    int *uses = arena_alloc(g->ngc, (size_t)(g->count + 1) * sizeof *uses);
    for (int i = 0; i < roots; i++)
        uses[root[i]->id]++;
    for (int i = g->count - 1; i >= 0; i--)
        for (int k = 0; uses[i] && k < g->node[i]->nargs; k++)
            uses[g->node[i]->arg[k]->id]++;
    return uses;
}

/* What leaves a loop leaves it alone: the loops around are the same. A variable keeps its shape. */
static void verify_loop(const Graph *g, const Node *n)
{
    const Node *loop = n->op == OP_loop ? n : n->arg[n->op != OP_passes];

    if (loop->op != OP_loop || loop->attr.loop != n->attr.loop)
        ngc_bug("node %d (%s): it is of another loop", n->id, op_info[n->op]->name);
    for (int k = 0; k < n->nargs; k++)
        for (int l = 0; l < n->attr.loop->level; l++)
            if (n->arg[k]->in[l] && n->arg[k]->in[l] != loop->in[l])
                ngc_bug("node %d (%s): operand %d changes in a loop around it", n->id,
                        op_info[n->op]->name, n->arg[k]->id);

    for (int i = 0; n->op == OP_loop && i < loop_variables(n); i++)
        if (loop_leaf(n, i)->op != OP_carried || loop_leaf(n, i)->attr.loop != n->attr.loop ||
            !shape_equal(loop_leaf(n, i)->shape, loop_init(n, i)->shape) ||
            !shape_equal(loop_leaf(n, i)->shape, loop_next(n, i)->shape))
            ngc_bug("node %d (loop): variable %d is not one: %s, %s", n->id, i,
                    shape_text(g, loop_init(n, i)->shape), shape_text(g, loop_next(n, i)->shape));
}

void graph_verify(const Graph *g)
{
    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];
        const OpInfo *info = op_info[n->op];
        if (n->id != i || (info->arity >= 0 && info->arity != n->nargs))
            ngc_bug("node %d (%s): bad place or arity", i, info->name);
        for (int k = 0; k < n->nargs; k++) {
            if (n->arg[k]->id >= i)
                ngc_bug("node %d (%s): operand %d comes later", i, info->name, n->arg[k]->id);
            if (info->flags & F_ELEMENTWISE && !shape_equal(n->shape, n->arg[k]->shape))
                ngc_bug("node %d (%s): operand %d has shape %s, not %s", i, info->name, k,
                        shape_text(g, n->arg[k]->shape), shape_text(g, n->shape));
        }
        if (info->flags & F_REDUCE && attr_used(n, A_AXES) &&
            !shape_equal(n->shape, shape_without(n->arg[0]->shape, n->attr.axes)))
            ngc_bug("node %d (%s): wrong shape", i, info->name);
        if (leaves_loop(n))
            verify_loop(g, n);

        /* Attributes that the record does not list are not compared: different nodes would be
         * shared. */
        AttrName stray = attr_stray(n);
        if (stray != A_COUNT)
            ngc_bug("node %d (%s): attribute %d is not in its record", i, info->name, stray);
    }
}

/* ---- a model's roots ---- */

/* Otherwise they stay in the order they were made in. */
void model_order_vars(Model *m)
{
    Var **old = arena_copy(m->graph->ngc, m->var, (size_t)m->vars * sizeof *old);
    int n = 0;
    for (VarKind k = VAR_INPUT; k < VAR_KINDS; k++)
        for (int i = 0; i < m->vars; i++)
            if (old[i]->kind == k) {
                old[i]->index = n;
                m->var[n++] = old[i];
            }
}

Node **model_take_roots(const Model *m, int *count)
{
    Node **root = arena_alloc(m->graph->ngc, (size_t)(m->roots + m->vars + 1) * sizeof *root);
    int n = 0;

    for (int i = 0; i < m->roots; i++)
        root[n++] = m->root[i].node;
    for (int i = 0; i < m->vars; i++)
        if (m->var[i]->init)
            root[n++] = m->var[i]->init;
    *count = n;
    return root;
}

void model_put_roots(Model *m, Node *const *root)
{
    int n = 0;

    for (int i = 0; i < m->roots; i++)
        m->root[i].node = root[n++];
    for (int i = 0; i < m->vars; i++)
        if (m->var[i]->init)
            m->var[i]->init = root[n++];
}

/* ---- provenance: what readers learn about a node ---- */

/* m takes n's name and place in the text, if it has no name. A user's name is worth more than that
 * of a derivative. */
static void take_name(Node *m, const Node *n)
{
    bool users = m->derived && !n->derived;
    if ((m->name && !users) || !n->name || m->op == OP_var || m->bound)
        return;
    m->name = n->name;
    m->loc = n->loc;
    m->derived = false;
}

void node_rewrites(Node *m, const Node *n, int first)
{
    if (m == n || m->id < first)
        return;
    m->step = m->step ? m->step : n->step;
    m->why = m->why ? m->why : n->why;
    m->derived |= n->derived;
    m->scaled |= n->scaled;
    m->again |= n->again;
}

Node *node_because(Node *n, const char *why)
{
    if (!n->why)
        n->why = why;
    return n;
}

void node_replaces(Node *m, const Node *n, int first)
{
    if (m != n)
        take_name(m, n);
    node_rewrites(m, n, first);
}
