/* table.c - which operators there are. */
#include "onnx/onnx.h"

#include <string.h>

const OnnxOp *const onnx_tables[] = {onnx_math,   onnx_shape,   onnx_fill,      onnx_reduce,
                                     onnx_layer,  onnx_window,  onnx_recurrent, onnx_quantize,
                                     onnx_signal, onnx_control, onnx_data,      NULL};

const OnnxOp *onnx_find(const char *name)
{
    for (int t = 0; onnx_tables[t]; t++)
        for (const OnnxOp *op = onnx_tables[t]; op->name; op++)
            if (same_text(op->name, name))
                return op;
    return NULL;
}

const char *onnx_refusal(const char *name)
{
    static const char *const why[][2] = {
        {"Bernoulli", "it is random"},
        {"Multinomial", "it is random"},
        {"RandomNormal", "it is random"},
        {"RandomNormalLike", "it is random"},
        {"RandomUniform", "it is random"},
        {"RandomUniformLike", "it is random"},
        {"StringNormalizer", "there are no texts"},
        {"StringConcat", "there are no texts"},
        {"StringSplit", "there are no texts"},
        {"RegexFullMatch", "there are no texts"},
        {"TfIdfVectorizer", "there are no texts"},
        {"SequenceAt", "there are no sequences"},
        {"SequenceConstruct", "there are no sequences"},
        {"SequenceEmpty", "there are no sequences"},
        {"SequenceErase", "there are no sequences"},
        {"SequenceInsert", "there are no sequences"},
        {"SequenceLength", "there are no sequences"},
        {"SequenceMap", "there are no sequences"},
        {"SplitToSequence", "there are no sequences"},
        {"ConcatFromSequence", "there are no sequences"},
        {"Optional", "there are no optional values"},
        {"OptionalGetElement", "there are no optional values"},
        {"OptionalHasElement", "there are no optional values"},
    };
    for (size_t i = 0; i < sizeof why / sizeof *why; i++)
        if (same_text(name, why[i][0]))
            return why[i][1];
    return NULL;
}
