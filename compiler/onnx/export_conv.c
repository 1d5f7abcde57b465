/* export_conv.c - convolutions as ONNX has them. The batch is the last axis of images here, and the
 * first one there. */
#include "onnx/export.h"
#include "onnx/onnx.h"

#include <string.h>

/* A tensor whose axes are in this order of those of the node. */
static const char *ordered(Export *x, const Node *n, const int *order, int rank)
{
    const Placed *p = &x->place[n->id];
    int64_t perm[MAX_RANK];
    for (int i = 0; i < rank; i++)
        perm[i] = p->turned ? p->perm[order[i]] : order[i];
    return put_transposed(x, p->name, perm, rank);
}

static const int batch_first[] = {3, 0, 1, 2};
static const int batch_last[] = {1, 2, 3, 0};

static void put_pairs(Export *x, const Size *stride, const Size *dilation, int groups)
{
    put_ints(x, "strides", stride, 2);
    put_ints(x, "dilations", dilation, 2);
    put_int(x, "group", groups);
}

/* Are these the zeros around images that a convolution can have itself? */
bool export_is_border(Export *x, const Node *n, int64_t *pads)
{
    Graph *g = x->g;
    if (n->op != OP_pad)
        return false;

    for (int i = 0; i < 4; i++) {
        int64_t lo, hi;
        Size before = n->attr.lo[i];
        Size more = size_sub(g, n->shape.dim[i], n->arg[0]->shape.dim[i]);
        Size after = size_sub(g, more, before);
        if (n->attr.step[i] != 1)
            return false;
        if (!size_number(g, before, &lo) || !size_number(g, after, &hi))
            return false;

        bool of_image = i == 1 || i == 2;
        if (of_image) {
            pads[i - 1] = lo;
            pads[i + 1] = hi;
        } else if (lo + hi > 0) {
            return false;
        }
    }
    return true;
}

/* bias: a number for each channel, or NULL */
Placed export_conv(Export *x, const Node *n, const char *bias)
{
    int64_t pads[4] = {0};
    const Node *image = n->arg[0];
    if (export_is_border(x, image, pads))
        image = image->arg[0];

    Placed y = {.turned = true};
    memcpy(y.perm, batch_last, sizeof batch_last);
    const char *k = tensor_of(x, n->arg[1]);
    const char *from = ordered(x, image, batch_first, 4);
    y.name = put(x, "Conv", from, k, bias, NULL);
    put_pairs(x, n->attr.stride, n->attr.dilation, n->attr.groups);
    put_ints(x, "pads", pads, 4);
    return y;
}

/* [groups, in, height, width, batch] as [in, groups*batch, height, width]: channels and batch
 * exchanged, and the groups among the channels. */
static const char *image_by_channels(Export *x, const Node *image, int64_t groups, Size in)
{
    static const int64_t channels_first[] = {1, 0, 4, 2, 3};
    const Size *dim = image->shape.dim;
    Size height = dim[1];
    Size width = dim[2];
    Size batch = dim[3];
    Shape split = {5, {groups, in, height, width, batch}};
    Shape joined = {4, {in, size_mul(x->g, groups, batch), height, width}};

    const char *shape = shape_list(x, split, true);
    const char *a = put_binary(x, "Reshape", tensor_of(x, image), shape);
    a = put_transposed(x, a, channels_first, 5);
    return put_binary(x, "Reshape", a, shape_list(x, joined, true));
}

/* The first elements of all four axes. */
static const char *first_of_each(Export *x, const char *from, const int64_t *size)
{
    static const int64_t zero[] = {0, 0, 0, 0};
    static const int64_t axis[] = {0, 1, 2, 3};
    const char *axes = int_list(x, axis, 4);
    const char *ends = int_list(x, size, 4);
    const char *starts = int_list(x, zero, 4);
    return put(x, "Slice", from, starts, ends, axes, NULL);
}

/* The derivative with respect to the kernel is a convolution of the image by the adjoint: channels
 * are its batch, the batch its channels; steps and dilations change places. Groups of channels are
 * its groups. */
Placed export_convk(Export *x, const Node *n)
{
    static const int channels_first[] = {0, 3, 1, 2};
    int64_t groups = n->attr.groups;
    Size out = n->shape.dim[0];
    Size in = n->shape.dim[1];

    const char *image = image_by_channels(x, n->arg[0], groups, in);
    const char *adjoint = ordered(x, n->arg[1], channels_first, 4);
    const char *k = put_binary(x, "Conv", image, adjoint);
    put_pairs(x, n->attr.dilation, n->attr.stride, (int)groups);

    /* [in, out, kh, kw], perhaps with a few places more */
    int64_t size[] = {in, out, n->shape.dim[2], n->shape.dim[3]};
    k = first_of_each(x, k, size);
    Placed result = {.name = k, .turned = true, .perm = {1, 0, 2, 3}};
    return result;
}
