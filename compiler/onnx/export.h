/* export.h - `ngc export`: a model as an ONNX file. */
#ifndef ONNX_EXPORT_H
#define ONNX_EXPORT_H

#include "graph/eval.h"

#include "format.pb-c.h"

enum { EXPORT_OPSET = 17 };

/* What a node is in the file: a tensor, or one whose axes are in another order. */
typedef struct Placed {
    const char *name;   /* NULL: not yet */
    int perm[MAX_RANK]; /* axis i of the node is axis perm[i] of the tensor */
    bool turned;        /* perm is not the usual order */
    const char *truth;  /* of a comparison: the same as a bool */
} Placed;

/* A node that one operator gives, with all that is below it down to its operands. */
typedef struct Form {
    const char *op; /* of ONNX */
    const Node *arg[5];
    int args;
    double eps;
    int axis;    /* MaxPool: how many axes a window has */
    bool turned; /* MatMul: the second operand is stored transposed */
    Shape shape; /* MatMul: of the first operand */
    uint32_t axes;
    int64_t size[MAX_RANK], stride[MAX_RANK], dilation[MAX_RANK], pads[2 * MAX_RANK];
} Form;

typedef struct Export {
    Ngc *ngc;
    Graph *g;
    const Model *m;
    Placed *place;             /* by node id */
    Form **form;               /* by node id, or NULL */
    const int *uses;           /* by node id: is it read? */
    bool *measured;            /* by index of a variable: an input of which a size is read */
    const char *dim[MAX_DIMS]; /* the tensors with the sizes */
    int element;               /* of a float */
    Table taken;               /* names of tensors */
    int names;
    Pb__Node **node;
    int nodes, node_room;
    Pb__Tensor **initial;
    int initials, initial_room;
    int problems;
    Table reported; /* ops */
} Export;

/* ---- export_put.c ---- */

/* Adds a node with these operands (NULL ends them) and returns its result. */
const char *put(Export *, const char *op, ...);
const char *put_unary(Export *, const char *op, const char *a);
const char *put_binary(Export *, const char *op, const char *a, const char *b);

Pb__Node *last_put(Export *); /* for attributes */
void put_int(Export *, const char *name, int64_t);
void put_ints(Export *, const char *name, const int64_t *, int count);
void put_text(Export *, const char *name, const char *);
void put_real(Export *, const char *name, double);

Pb__Tensor *new_tensor(Export *, const char *name, Type, int rank, const int64_t *dim,
                       const double *);
const char *put_constant(Export *, Type, int rank, const int64_t *dim, const double *);
const char *int_list(Export *, const int64_t *, int count); /* a constant */
const char *number(Export *, double, Type);                 /* a scalar */
const char *fresh_name(Export *, const char *wanted);
void cannot(Export *, const Node *, const char *why);

const char *tensor_of(Export *, const Node *);          /* in its own order of axes */
const char *tensor_as(Export *, const Node *, Type);    /* the same, cast */
const char *operand_as(Export *, const Node *, Type);   /* a number may be a scalar */
const char *truth_of(Export *, const Node *);           /* as a bool: is it not 0? */
const char *shape_list(Export *, Shape, bool one_open); /* one run-time size may be -1 */
const char *size_list(Export *, const Size *, int count);
int element_of(const Export *, Type);
/* Its axes in the order of `perm`; itself, if that is the usual order. */
const char *put_transposed(Export *, const char *name, const int64_t *perm, int rank);

/* ---- export_pattern.c ---- */

void forms_find(Export *, const int *uses); /* sets form; by node id: is it used? */

/* ---- export_conv.c ---- */

/* Are these the zeros around images that a convolution can have itself? */
bool export_is_border(Export *, const Node *, int64_t *pads);
/* bias: a number for each channel, or NULL */
Placed export_conv(Export *, const Node *, const char *bias);
Placed export_convk(Export *, const Node *);

/* ---- export_op.c ---- */

/* The nodes that the operators for a node read; returns how many, at most its operands and 3. */
int export_operands(Export *, const Node *, const Node **operand);

Placed export_node(Export *, const Node *); /* its operands are there */

/* ---- onnx_export.c ---- */

/* A model with its outputs, or also its losses and gradients; var: the elements of its variables,
 * by index. NULL with messages. */
Pb__Model *onnx_export(Ngc *, Model *, const double *const *var, bool training);

#endif
