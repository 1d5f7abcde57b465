/* table.c - which operators there are. */
#include "onnx/onnx.h"

#include <string.h>

const OnnxOp *const onnx_tables[] = {onnx_math,  onnx_shape,  onnx_fill,      onnx_reduce,
                                     onnx_layer, onnx_window, onnx_recurrent, NULL};

const OnnxOp *onnx_find(const char *name)
{
    for (int t = 0; onnx_tables[t]; t++)
        for (const OnnxOp *op = onnx_tables[t]; op->name; op++)
            if (strcmp(op->name, name) == 0)
                return op;
    return NULL;
}
