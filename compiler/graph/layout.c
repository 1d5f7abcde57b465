/* layout.c - keeps the batch as the last axis from one convolution to the next. The transpose after
 * a convolution moves past all ops that do not depend on the order of axes. There it meets the
 * transpose before the next convolution, and the two cancel.
 *
 * Requires: the final graph; no gradient is asked after it. Keeps: every root's value and shape;
 * what is computed from a root that `stays` is computed from that same node.
 *
 * `inner` is a value whose first axis has become its last. Node by node, f(last_to_front(inner),
 * ..) becomes last_to_front(f(inner, ..)).
 */
#include "graph/carry.h"

typedef struct Layout { /* all by id of an old node */
    Graph *g;
    Node **now;      /* the node that replaces it */
    Node **inner;    /* now is last_to_front(inner); or NULL */
    bool *from_conv; /* it is made from a convolution, with the batch as its last axis */
    const int *uses;
} Layout;

/* [a, .., y, z] -> [z, a, .., y] */
static Node *last_to_front(Graph *g, Node *n)
{
    return graph_move_axis(g, n, n->shape.rank - 1, 0);
}

/* [z, a, .., y] -> [a, .., y, z] */
static Node *front_to_last(Graph *g, Node *n)
{
    return graph_move_axis(g, n, 0, n->shape.rank - 1);
}

/* What front_to_last does to sizes, and to a set of axes. */
static void sizes_to_last(const Size *from, int rank, Size *to)
{
    for (int i = 0; i < rank - 1; i++)
        to[i] = from[i + 1];
    if (rank > 0)
        to[rank - 1] = from[0];
}

static Shape shape_to_last(Shape from)
{
    Shape to = {.rank = from.rank};

    sizes_to_last(from.dim, from.rank, to.dim);
    return to;
}

static uint32_t axes_to_last(uint32_t axes, int rank)
{
    return axes >> 1 | (axes & 1) << (rank - 1);
}

/* Is n made by last_to_front? */
static bool is_last_to_front(const Node *n)
{
    int rank = n->shape.rank;

    if (n->op != OP_permute || rank <= 2 || n->attr.perm[0] != rank - 1)
        return false;
    for (int i = 1; i < rank; i++)
        if (n->attr.perm[i] != i - 1)
            return false;
    return true;
}

static Node *without_reshape(Node *n)
{
    if (n->op == OP_reshape)
        return n->arg[0];
    return n;
}

/* A product that nothing else reads, perhaps reshaped, is computed transposed: (A B)' = B' A'.
 * NULL: a is not such a product. */
static Node *transposed_product(const Layout *l, Node *a)
{
    const Node *now = l->now[a->id];
    const Node *product = without_reshape(l->now[a->id]);
    const Node *old = without_reshape(a);

    /* if others read it, it would be computed twice */
    if (old->op != OP_matmul || old->attr.chain || l->uses[old->id] != 1)
        return NULL;
    if (product->op != OP_matmul || product->shape.rank != 2 ||
        product->shape.dim[0] != now->shape.dim[0])
        return NULL;

    Node *transposed =
        graph_matmul(l->g, product->arg[1], product->arg[0], !product->attr.tb, !product->attr.ta);
    return graph_reshape(l->g, transposed, shape_to_last(now->shape));
}

/* An operand of an op whose other operands have their first axis last. */
static Node *operand(const Layout *l, Node *a)
{
    if (l->inner[a->id])
        return l->inner[a->id];

    Node *product = transposed_product(l, a);
    if (product)
        return product;
    return front_to_last(l->g, l->now[a->id]);
}

static Node *pass_elements(const Layout *l, const Node *n)
{
    Node *arg[3] = {0};

    for (int k = 0; k < n->nargs; k++)
        arg[k] = operand(l, n->arg[k]);
    return graph_copy(l->g, n, arg);
}

static Node *pass_window(const Layout *l, const Node *n, Node *a)
{
    Graph *g = l->g;
    Size lo[MAX_RANK], step[MAX_RANK];
    Shape s = shape_to_last(n->shape);
    bool pads = n->op == OP_pad;

    sizes_to_last(n->attr.lo, s.rank, lo);
    sizes_to_last(n->attr.step, s.rank, step);
    Indices before = graph_use_indices(g, n->arg + 1, n->nargs - 1);
    Node *moved;
    if (pads)
        moved = graph_pad(g, a, lo, step, s);
    else
        moved = graph_slice(g, a, lo, step, s);
    graph_restore_indices(g, before);
    return moved;
}

static Node *pass_concat(const Layout *l, const Node *n)
{
    Node **arg = arena_array(l->g->ngc, n->nargs, sizeof *arg);
    int axis = n->attr.axis - 1;
    if (n->attr.axis == 0)
        axis = n->shape.rank - 1;

    for (int k = 0; k < n->nargs; k++)
        arg[k] = operand(l, n->arg[k]);
    return graph_concat(l->g, arg, n->nargs, axis);
}

/* The first inner value among those of n's operands, or NULL. */
static Node *first_inner(const Layout *l, const Node *n)
{
    for (int k = 0; k < n->nargs; k++)
        if (l->inner[arg_id(n, k)])
            return l->inner[arg_id(n, k)];
    return NULL;
}

/* n computed from its operands' inner values; NULL: it depends on the order of axes. *moved: the
 * result is an inner value, too. */
static Node *pass_through(const Layout *l, const Node *n, bool *moved)
{
    Graph *g = l->g;
    const OpInfo *info = op_info[n->op];
    Node *a = first_inner(l, n);
    int rank = n->shape.rank;
    if (a == NULL)
        return NULL;

    /* a vector has one order only */
    *moved = rank > 1;
    if (info->flags & F_ELEMENTWISE)
        return pass_elements(l, n);
    if (n->op == OP_concat)
        return pass_concat(l, n);

    if (l->inner[arg_id(n, 0)] == NULL)
        return NULL;
    if (n->op == OP_pad || n->op == OP_slice)
        return pass_window(l, n, a);
    if (info->flags & F_REDUCE && info->combine) {
        if (n->attr.axes & 1)
            *moved = false; /* the axis is gone */
        return graph_reduce(g, n->op, a, axes_to_last(n->attr.axes, a->shape.rank));
    }
    /* the first axis stays the first, so it can stay last */
    if (n->op == OP_reshape && rank > 1 && n->shape.dim[0] == n->arg[0]->shape.dim[0])
        return graph_reshape(g, a, shape_to_last(n->shape));
    if (n->op == OP_expand && !(n->attr.axes & 1))
        return graph_expand(g, a, shape_to_last(n->shape), axes_to_last(n->attr.axes, rank));
    return NULL;
}

static bool keeps_order(const Node *n)
{
    return node_has(n, F_ELEMENTWISE) || n->op == OP_pad || n->op == OP_slice;
}

static bool same_operands(const Layout *l, const Node *n)
{
    for (int k = 0; k < n->nargs; k++)
        if (l->now[arg_id(n, k)] != n->arg[k])
            return false;
    return true;
}

static Node *copy_node(const Layout *l, const Node *n)
{
    return graph_copy(l->g, n, graph_operands(l->g, n, l->now));
}

/* Is n made from a convolution, with the batch as its last axis? */
static bool is_from_conv(const Layout *l, const Node *n)
{
    if (n->op == OP_conv)
        return true;
    for (int k = 0; k < n->nargs && keeps_order(n); k++)
        if (l->from_conv[arg_id(n, k)])
            return true;
    return false;
}

static void place_node(Layout *l, Node *n)
{
    bool moved = false;
    Node *passed = pass_through(l, n, &moved);

    l->from_conv[n->id] = is_from_conv(l, n);
    /* two forms: inner for those that can use it, now for all others; what nobody reads costs
     * nothing */
    if (passed && moved) {
        l->inner[n->id] = passed;
        l->now[n->id] = last_to_front(l->g, passed);
    } else if (passed) {
        l->now[n->id] = passed;
    } else {
        Node *now = n;
        if (!same_operands(l, n))
            now = copy_node(l, n);
        if (is_last_to_front(n) && l->from_conv[arg_id(n, 0)])
            l->inner[n->id] = l->now[arg_id(n, 0)];
        l->now[n->id] = now;
    }
}

static Layout new_layout(Graph *g, Node **root, int roots)
{
    Ngc *ngc = g->ngc;
    size_t room = (size_t)g->count + 1;

    return (Layout){.g = g,
                    .uses = graph_uses(g, root, roots),
                    .now = arena_array(ngc, room, sizeof(Node *)),
                    .inner = arena_array(ngc, room, sizeof(Node *)),
                    .from_conv = arena_alloc(ngc, room)};
}

static void graph_layout(Graph *g, Node **root, int roots, const bool *stays)
{
    Layout l = new_layout(g, root, roots);
    bool *end = arena_alloc(g->ngc, (size_t)g->count + 1);
    Loc loc = g->loc;
    int count = g->count;

    for (int i = 0; i < roots; i++)
        if (stays[i])
            end[root[i]->id] = true;

    for (int i = 0; i < count; i++) {
        Node *n = g->node[i];
        l.now[i] = n;
        if (!l.uses[i])
            continue;

        int made = g->count;
        g->loc = n->loc;
        place_node(&l, n);
        if (l.inner[i] && l.inner[i]->id >= made)
            node_replaces(l.inner[i], n, made);
        node_replaces(l.now[i], n, made);
        /* what follows a root that stays reads that very node */
        if (end[i])
            l.inner[i] = NULL;
    }

    g->loc = loc;
    for (int i = 0; i < roots; i++)
        root[i] = l.now[root[i]->id];
}

/* Both modes together. Two kinds of roots stay as they are: gradients, which `update` gets, and
 * totals, which walks over the rows get. */
void modes_layout(Modes *modes)
{
    Model *m = modes->model;
    Carry *c = modes->carry;
    Ngc *ngc = m->graph->ngc;
    int carriers = c ? c->carriers : 0;
    int links = c ? c->links : 0;
    int use = 0;
    int learn = m->roots;
    int carrier = 2 * m->roots;
    int link = carrier + carriers;
    int roots = link + links;
    Node **root = arena_array(ngc, roots + 1, sizeof *root);
    bool *stays = arena_alloc(ngc, (size_t)(roots + 1));

    /* one array: the roots of both modes, then the totals */
    for (int i = 0; i < m->roots; i++) {
        root[use + i] = modes->use[i];
        root[learn + i] = modes->learn[i];
        stays[use + i] = stays[learn + i] = m->root[i].kind == ROOT_GRAD;
    }
    for (int i = 0; i < carriers; i++)
        root[carrier + i] = c->carrier[i].node;
    for (int i = 0; i < links; i++)
        root[link + i] = c->link[i].node;
    for (int i = carrier; i < roots; i++)
        stays[i] = true;

    graph_layout(m->graph, root, roots, stays);

    modes->use = root + use;
    modes->learn = root + learn;
    for (int i = 0; i < carriers; i++)
        c->carrier[i].node = root[carrier + i];
    for (int i = 0; i < links; i++)
        c->link[i].node = root[link + i];
}
