/* crop.c - convolutions compute only what is read of them. The derivative of a padded image has
 * elements where its zeros are, and a slice leaves them out:
 *
 *   slice(conv(pad(x), k)) = conv(a smaller pad(x), k)
 *
 * With a step, the derivative is a sum of convolutions whose results are put between each other,
 * and each becomes smaller.
 *
 * Requires: the final graph; no gradient is asked after it. Keeps: the values of all roots. */
#include "graph/graph.h"

enum { DEEP = 64 }; /* sums and pads within each other that are looked into, at most */

typedef struct Crop {
    Graph *g;
    const int *uses;
    Node *const *now; /* by id of an old node: what has taken its place */
    int *depth;       /* by id: of the sums and pads within each other that the node is made of */
} Crop;

/* What is read of a value: a piece of this shape, from lo on. */
typedef struct Window {
    Size lo[MAX_RANK];
    Shape shape;
} Window;

static bool is_whole_axis(const Node *n, const Window *w, int axis)
{
    return w->lo[axis] == 0 && w->shape.dim[axis] == n->shape.dim[axis];
}

static bool is_whole(const Node *n, const Window *w)
{
    for (int i = 0; i < n->shape.rank; i++)
        if (!is_whole_axis(n, w, i))
            return false;
    return true;
}

/* Is all about this axis of a pad, and of what is read of it, known as numbers? */
static bool has_numbers(const Node *pad, const Window *w, int axis)
{
    bool of_pad = pad->attr.lo[axis] >= 0 && pad->attr.step[axis] >= 1;
    bool of_window = w->lo[axis] >= 0 && w->shape.dim[axis] >= 0;

    return of_pad && of_window && pad->arg[0]->shape.dim[axis] >= 0;
}

static Node *slice_of(const Crop *c, const Node *n, const Window *w)
{
    return graph_slice(c->g, c->now[n->id], w->lo, size_ones, w->shape);
}

static Node *crop(const Crop *c, Node *n, const Window *w);

/* Element i of the operand is element lo + step i of the pad. The first and the last one that are
 * in the window. */
static Node *crop_pad(const Crop *c, const Node *n, const Window *w, bool of_image)
{
    Node *a = n->arg[0];
    Window inner = {.shape = a->shape};
    Size lo[MAX_RANK] = {0};

    for (int i = 0; i < n->shape.rank; i++) {
        Size step = n->attr.step[i];
        Size from = w->lo[i] - n->attr.lo[i];

        lo[i] = n->attr.lo[i];
        if (is_whole_axis(n, w, i))
            continue;
        if (!has_numbers(n, w, i))
            return NULL;

        Size to = from + w->shape.dim[i] - 1;
        Size first = 0;
        if (from > 0)
            first = (from + step - 1) / step;
        Size last = -1;
        if (to >= 0)
            last = min_int64(to / step, a->shape.dim[i] - 1);
        if (last < first)
            return graph_full(c->g, w->shape, 0);
        inner.lo[i] = first;
        inner.shape.dim[i] = last - first + 1;
        lo[i] = first * step - from;
    }

    Node *cropped;
    if (of_image)
        cropped = slice_of(c, a, &inner);
    else
        cropped = crop(c, a, &inner);
    if (cropped == NULL)
        return NULL;
    return graph_pad(c->g, cropped, lo, n->attr.step, w->shape);
}

/* The taps of a kernel meet more rows and columns of the image than the result has. */
static Node *crop_conv(const Crop *c, const Node *n, const Window *w)
{
    const Node *x = n->arg[0];
    const Node *k = n->arg[1];
    Window read = {.shape = x->shape};

    if (x->op != OP_pad || x->nargs > 1)
        return NULL;
    if (!is_whole_axis(n, w, 0) || !is_whole_axis(n, w, 3))
        return NULL;

    for (int i = 0; i < 2; i++) {
        int axis = 1 + i; /* of the image and of the result */
        Size taps = k->shape.dim[2 + i];
        Size size = w->shape.dim[axis];
        Size step = n->attr.stride[i];
        Size dilation = n->attr.dilation[i];

        if (is_whole_axis(n, w, axis))
            continue;
        if (taps < 0 || size < 0 || w->lo[axis] < 0)
            return NULL;
        read.lo[axis] = w->lo[axis] * step;
        read.shape.dim[axis] = (size - 1) * step + (taps - 1) * dilation + 1;
    }

    Node *image = crop_pad(c, x, &read, true);
    if (image == NULL)
        return NULL;
    return graph_conv(c->g, image, c->now[k->id], &n->attr);
}

/* What is read of n, without the rest; NULL: all of it is computed, as something else reads it too,
 * or as it is not made of convolutions. */
static Node *crop(const Crop *c, Node *n, const Window *w)
{
    if (is_whole(n, w))
        return c->now[n->id];
    if (c->uses[n->id] != 1 || c->depth[n->id] > DEEP)
        return NULL;

    if (n->op == OP_conv)
        return crop_conv(c, n, w);
    if (n->op == OP_pad && n->nargs == 1)
        return crop_pad(c, n, w, false);
    if (n->op != OP_add)
        return NULL;

    Node *a = crop(c, n->arg[0], w);
    Node *b = crop(c, n->arg[1], w);
    if (a == NULL && b == NULL)
        return NULL;
    if (a == NULL)
        a = slice_of(c, n->arg[0], w);
    if (b == NULL)
        b = slice_of(c, n->arg[1], w);
    return graph_binary(c->g, OP_add, a, b);
}

/* A slice of convolutions, or NULL. */
static Node *crop_slice(const Crop *c, const Node *n)
{
    Window w = {.shape = n->shape};

    if (n->op != OP_slice || n->nargs > 1)
        return NULL;
    for (int i = 0; i < n->shape.rank; i++) {
        if (n->attr.step[i] != 1)
            return NULL;
        w.lo[i] = n->attr.lo[i];
    }
    return crop(c, n->arg[0], &w);
}

static int depth_of(const Crop *c, const Node *n)
{
    int most = 0;

    if (n->op != OP_add && n->op != OP_pad)
        return 0;
    for (int i = 0; i < n->nargs; i++)
        most = max_int(most, c->depth[n->arg[i]->id]);
    return most + 1;
}

static Node *crop_node(Graph *g, Node *n, Node *const *now, void *with)
{
    Crop *c = with;

    c->g = g;
    c->now = now;
    c->depth[n->id] = depth_of(c, n);
    return crop_slice(c, n);
}

void model_crop(Model *m)
{
    int count;
    Node **root = model_take_roots(m, &count);

    Graph *g = m->graph;
    Crop c = {.uses = graph_uses(g, root, count),
              .depth = arena_array(g->ngc, g->count + 1, sizeof *c.depth)};
    graph_replace(g, root, count, c.uses, crop_node, &c);
    model_put_roots(m, root);
}
