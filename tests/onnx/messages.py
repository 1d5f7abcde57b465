# messages.py NGC FOLDER - small models with rare attributes and operands, each with what the import
# says of it: an error, or a line of the text ("" where it only must end as it should). A case is a
# line of `cases`: what is said, the node (its operator, then attributes), and its operands:
#
#     "2 4:int"         an input of this shape and type; a name is a run-time size
#     [1, 2], 0.5       a constant: an initializer that is not a weight
#     W(4, 4)           a weight of this shape
#     K([1.5, 2])       a constant that is known; K(v, type) with its elements in the field of this type
#     Sizes("m 3")      the sizes of an input of this shape; Sizes("m 3", 0) the first of them
#     None              an operand that is left out
#
# The last line says how many cases passed.
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ngc, folder = sys.argv[1:]
types = {"float": TensorProto.FLOAT, "int": TensorProto.INT64, "bool": TensorProto.BOOL,
         "text": TensorProto.STRING}


class W:
    def __init__(self, *shape):
        self.value = (np.arange(np.prod(shape)).reshape(shape) % 7 + 1).astype(np.float32) / 8


class K:
    def __init__(self, value, kind=None):
        value = np.asarray(value)
        kind = kind or (TensorProto.FLOAT if value.dtype == np.float64 else TensorProto.INT64)
        self.tensor = helper.make_tensor("k", kind, value.shape, value.flatten().tolist())

    def nodes(self, at):
        return [helper.make_node("Constant", [], [at], value=self.tensor)], []


class Sizes:
    def __init__(self, shape, which=None):
        self.shape, self.which = shape, which

    def nodes(self, at):
        of, all_sizes = at + "0", at if self.which is None else at + "1"
        made = [helper.make_node("Shape", [of], [all_sizes])]
        if self.which is not None:
            made += [helper.make_node("Constant", [], [at + "2"], value_int=self.which),
                     helper.make_node("Gather", [all_sizes, at + "2"], [at])]
        return made, [input_of(of, self.shape)]


def number(name, v):
    return numpy_helper.from_array(np.array(v), name)


def input_of(name, text):
    shape, _, kind = text.partition(":")
    shape = [int(s) if s.lstrip("-").isdigit() else None if s == "?" else s for s in shape.split()]
    return helper.make_tensor_value_info(name, types[kind or "float"],
                                         None if shape == ["*"] else shape)


def model_of(op, attributes, operands, opset, outputs, beside):
    inputs, initializers, names, nodes = [], [], [], []
    for i, o in enumerate(operands):
        at = "xabcdefghijkl"[i]
        names.append("" if o is None else at)
        if isinstance(o, W):
            initializers.append(numpy_helper.from_array(o.value, at))
        elif isinstance(o, (K, Sizes)):
            more, needs = o.nodes(at)
            nodes += more
            inputs += needs
        elif isinstance(o, str) and o.startswith("="):
            names[-1] = o[1:]
        elif isinstance(o, str):
            inputs.append(input_of(at, o))
        elif o is not None:
            v = np.asarray(o)
            v = v.astype(np.float32) if v.dtype == np.float64 else v
            initializers.append(numpy_helper.from_array(v, at))
    results = ["y", "y2", "y3"][:outputs]
    node = helper.make_node(op, names, results, **attributes)
    nodes += [node]
    if beside: # for a result without elements
        nodes += [helper.make_node("Relu", ["z"], ["more"])]
        inputs.append(input_of("z", "2"))
        results = results + ["more"]
    g = helper.make_graph(nodes, "g", inputs,
                          [helper.make_tensor_value_info(r, TensorProto.FLOAT, None) for r in results], initializers)
    return helper.make_model(g, opset_imports=[helper.make_opsetid("", opset)])


cases = []


def case(says, op, *operands, opset=17, outputs=1, given=(), **attributes):
    cases.append((says, model_of(op, attributes, operands, opset, outputs, says.startswith("its shape is")), given))


# operands and results
case("operand 1 is missing", "Sub", "2")
case("operand 0 is missing", "Gather", None, "3:int")
case("'q' is not defined before it", "Sub", "2", "=q")
case("operand 1 is not supported: there are at most 1", "Relu", "2", "2")
case("operand 2 is not supported: there are at most 2", "Add", "2", None, "2")
case("operand 2 is not supported: there are at most 2", "Tile", "2 3", [2], [1])
case("operand 1 is missing", "Sub", K([1, 2]))
case("operand 1 is missing", "CastLike", K([1, 2]))
case("operand 1 is missing", "CastLike", "2")
case("operand 3 is not supported: there are at most 3", "Gemm", "2 2", "2 2", "2", "2")
case("relu(x)", "Relu", "2", None)
case("(Attention): the operator is not supported", "Attention", "1 2 4 3", "1 2 4 3", "1 2 4 3",
     "4 4", opset=23)
case("(Silu): the operator is not supported", "Silu", "2")
case("the input 'x' is not a tensor of numbers", "Relu", "2:text")
case("the number of axes of the input 'x' is not known, or larger than 8", "Relu", "*")
case("the number of axes of the input 'x' is not known, or larger than 8", "Relu",
     "1 1 1 1 1 1 1 1 1")
case("x has 6 elements, not 3", "Relu", "2 3", given=["x=[1,2,3]"])
case("input x[batch, n0_1]", "Relu", "? ?")
case("the output 'y2' is not known", "Relu", "2", outputs=2)
case("input x[v1, v2]", "Relu", "v1 v2")

# tensors without elements
case("the input 'x' has no elements, and an axis of run-time size", "Relu", "0 m")
case("its result has no elements, and a size that is known only at run time", "MatMul", "m 4",
     "4 0")
case("the shapes of its operands do not fit", "Add", "2 0", "3 1")
case("its shape is [2, 3, 0]", "Add", "2 1 0", "3 1")
case("it has no value for a tensor without elements", "ReduceMean", "2 0")
case("output y = [[-inf], [-inf]]", "ReduceLogSum", "2 0", axes=[1])
case("its shape is [0]", "ReduceSum", "2 0", [0], keepdims=0)
case("its shape is [2, 0]", "ReduceSum", "2 0", noop_with_empty_axes=1)
case("a sum of nothing has a run-time size, or more than 2^20 elements", "MatMul", "2000 0",
     "0 2000")
case("a product of a tensor without elements is supported only for two matrices", "MatMul", "2 0", "0")
case("a product of a tensor without elements is supported only for two matrices", "Gemm", "2 0", "0 3", "3")
case("the shapes of its operands do not fit", "MatMul", "2 0", "4 5")
case("full([3, 2, 5], 0)", "MatMul", "1 2 0", "3 0 5")
case("the shapes of its operands do not fit", "MatMul", "2 2 0", "3 0 4")
case("full([5, 6], 0)", "Gemm", "0 5", "6 0", transA=1, transB=1)
case("its sizes do not fit", "Tile", "2 0", [2])
case("its shape is [4, 0]", "Tile", "2 0", [2, 3])
case("its shape is [6, 0]", "Flatten", "2 3 0", axis=-1)
case("its shape is [2, 0, 5]", "Reshape", "2 0", [0, 0, 5])
case("a tensor without elements cannot get the shape [2, 3]", "Reshape", "2 0", [2, 3])
case("its shape is [2, 0]", "Softmax", "2 0")
case("its shape is [2, 0]", "Greater", "2 0", "1")

# If, Loop, Scan
def graph(nodes, inputs=(), outputs=("o",), weights=()):
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    return helper.make_graph(list(nodes), "inner", [value(n) for n in inputs],
                             [value(n) for n in outputs], list(weights))


node = helper.make_node
short = helper.make_tensor("w", TensorProto.FLOAT, [1], b"1234", raw=True)
short.dims[0] = 3
relu, double = graph([node("Relu", ["x"], ["o"])]), graph([node("Concat", ["x", "x"], ["o"], axis=0)])
go, stop = number("go", True), number("stop", False)
step = [node("Identity", ["c"], ["c2"]), node("Add", ["v", "v"], ["w"])]
case("the attribute 'else_branch' is missing", "If", False, then_branch=relu)
case("attribute 'then_branch': a graph without inputs and with 1 outputs is needed", "If", True,
     then_branch=graph([], ["i"]), else_branch=relu)
case("its condition is not known, and its branches differ in shape", "If", "1", then_branch=double,
     else_branch=relu)
case("where(reshape(x, []), relu(x), -x)", "If", "1", then_branch=relu,
     else_branch=graph([node("Neg", ["x"], ["o"])]))
case("its graph does not compute 'o'", "If", True, then_branch=graph([]), else_branch=relu)
case("the tensor 'w': its shape has 3 elements, and the file 4 bytes of them", "If", True,
     then_branch=graph(
    [node("Relu", ["w"], ["o"])], weights=[short]), else_branch=relu)
case("its operands do not fit its graph", "Loop", 3, None, "2",
     body=graph(step, ["i", "c"], ["c2", "w"]))
case("the number of passes is known only at run time", "Loop", [1, 2], None, "2",
     body=graph(step, ["i", "c", "v"], ["c2", "w"]))
case("the number of passes, 'x', is not known", "Loop", "1:int", None, "2",
     body=graph(step, ["i", "c", "v"], ["c2", "w"]))
case("its result 1 has no elements", "Loop", 0, None, "2", outputs=2,
     body=graph(step, ["i", "c", "v"], ["c2", "w", "w"]))
case("it has more than 4096 passes", "Loop", None, None, "2",
     body=graph([step[0], node("Identity", ["v"], ["w"])], ["i", "c", "v"], ["c2", "w"]))
endless = graph(step[:1] + [node("Identity", ["v"], ["w"])], ["i", "c", "v"], ["c2", "w", "w"])
case("it has more than 4096 passes", "Loop", 2**63 - 1, None, "2", outputs=2, body=endless)
case("it makes more than 20000 nodes", "Loop", 4000, None, "2",
     body=graph([node("Identity", ["c"], ["c2"])] + [node("Neg", ["v"], ["w%d" % i]) for i in range(9)], ["i", "c", "v"], ["c2", "w0"]))
row = graph([node("Add", ["s", "r"], ["t"])], ["s", "r"], ["t", "t"])
case("its operands do not fit its graph", "Scan", "2", "3 2", outputs=2, num_scan_inputs=3,
     body=row)
case("attribute 'scan_input_axes': there must be 1 numbers", "Scan", "2", "3 2", outputs=2,
     num_scan_inputs=1, body=row, scan_input_axes=[0, 1])
case("attribute 'scan_output_directions': there must be 1 numbers", "Scan", "2", "3 2", outputs=2,
     num_scan_inputs=1, body=row, scan_output_directions=[0, 1])
case("axis 5 of 2", "Scan", "2", "3 2", outputs=2, num_scan_inputs=1, body=row, scan_input_axes=[5])
case("what it goes over has a run-time size, several sizes, or more than 4096", "Scan", "2", "m 2",
     outputs=2, num_scan_inputs=1, body=row)
case("lengths are not supported", "Scan", [2], "1 2", "1 3 2", outputs=2, opset=8,
     num_scan_inputs=1, body=row)
case("the batch has a run-time size, or more than 256 rows", "Scan", None, "m 2", "m 3 2",
     outputs=2, opset=8, num_scan_inputs=1, body=row)

# filling
case("how often it is repeated is not a positive number", "Tile", "2", [0])
case("2 numbers of elements for 2 axes", "Pad", "2 3", [1, 1])
case("-1 numbers of elements for 2 axes", "Pad", "2 3", list(range(17)))
case("-1 numbers of elements for 2 axes", "Pad", "2 3", [1, 1], None, [0, 1], opset=18)
case("pad(x[:, :-1], [[0, 0], [2, 0]])", "Pad", "2 3", [2, -1], None, [1], opset=18)
case("the value is not one number", "Pad", "2 3", [1, 1, 1, 1], [1.0, 2.0])
case("attribute 'mode': 'linear' is not supported", "Pad", "2 3", [1, 1, 1, 1], mode="linear")
case("pad(x, [[1, 1]], value = 3)", "Pad", "m", opset=9, pads=[1, 1], value=3.0)
case("the number of classes, 'a', is not known", "OneHot", "2:int", "1:int", [0.0, 1.0])
case("its result 0 is not supported, or not with such operands", "OneHot", "2:int", 3,
     [0.0, 1.0, 2.0])
case("axis 3 of 2", "OneHot", "2:int", 3, [0.0, 1.0], axis=3)
case("where(one_hot(from_end(as_int(x), 3), 3), 5, 2)", "OneHot", "2", 3, [2.0, 5.0])
case("the diagonal is known only at run time", "Trilu", "3 3", 0.5)
case("tril(x, -1)", "Trilu", "3 3", -1, upper=0)
case("arange(m)[new, :] == arange(m)[:, new] + 1", "EyeLike", "m m", k=1)
case("its operand has 1 axes, not 2", "EyeLike", "m", k=1)
case("its operand has 3 axes, not 2", "EyeLike", "m 2 2")
case("axis 2 of 2", "CumSum", "2 3", 2)
case("cumsum(pad(x, [[0, 0], [1, 0]])[:, :-1], -1)", "CumSum", "2 3", 1, exclusive=1)
case("cumsum(flip(pad(x, [[0, 1], [0, 0]])[1:], 0), 0)", "CumSum", "2 3", 0, exclusive=1,
     reverse=1)
case("its result 0 is not supported, or not with such operands", "CumSum", "2 3", 0.5)
case("no element is chosen", "Compress", "3", [False, False, False], axis=0)
case("axis 1 of 1", "Compress", "3", [True, False, True], axis=1)
case("reshape(x, [-1])[[0, 2]]", "Compress", "3 1", [True, False, True])
case("attributes 'time_axis' and 'batch_axis': they must be 0 and 1", "ReverseSequence", "2 3",
     [1, 2], time_axis=2)

# layers
case("attribute 'spatial': only 1 is supported", "BatchNormalization", "2 3", W(3), W(3), W(3),
     W(3), opset=7, spatial=0)
case("batch_norm(x, momentum = 0.3, eps = 0.001)", "BatchNormalization", "m 3", W(3), W(3), W(3),
     W(3), momentum=0.7, epsilon=1e-3)
case("(x - c)/sqrt(d + 1e-5)*a + b", "BatchNormalization", "2 3", "3", "3", "3", "3")
case("group_norm(x, 3)", "InstanceNormalization", "m 3 4", W(3), W(3))
case("normalize(x, [2])*a[:, new] + b[:, new]", "InstanceNormalization", "2 3 4", "3", "3")
case("axis 2 of 2", "LayerNormalization", "2 3", W(3), axis=2)
case("normalize(x, [0, 1])*a", "LayerNormalization", "2 3", "2 3", axis=0)
case("a scale that is not one weight for each channel is not supported", "GroupNormalization", "2 4 5", W(2), W(2), opset=18, num_groups=2)
case("a scale that is not one weight for each channel is not supported", "GroupNormalization", "2", W(2), W(2), opset=18, num_groups=2)
case("group_norm(x, 2)", "GroupNormalization", "m 4 5", W(4), W(4), opset=18, num_groups=2)
case("attribute 'size': it must be 1 to 64, and the channels a known number", "LRN", "2 3 4",
     size=65)
case("attribute 'size': it must be 1 to 64, and the channels a known number", "LRN", "2 m 4",
     size=3)
case("attribute 'activations': one of them is not supported", "RNN", "5 2 3", W(1, 4, 3),
     W(1, 4, 4), hidden_size=4, activations=["Affine"])
case("acts = [relu]", "RNN", "5 m 3", W(1, 4, 3), W(1, 4, 4), hidden_size=4, activations=["Relu"])
case("limit = 2, after_reset = 1", "GRU", "5 m 3", W(1, 12, 3), W(1, 12, 4), hidden_size=4,
     clip=2.0, linear_before_reset=1)
case("input_forget = 1", "LSTM", "5 m 3", W(1, 16, 3), W(1, 16, 4), hidden_size=4, input_forget=1)
case("attribute 'direction': 'sideways' is not supported", "RNN", "5 2 3", W(1, 4, 3), W(1, 4, 4),
     hidden_size=4, direction="sideways")

# elements
case("texts are not supported", "Cast", "2", to=TensorProto.STRING)
case("sign(x)*mod(abs(x), abs(a))", "Mod", "2", "2", fmod=1)
case("sign(h)*floor(abs(h))", "Div", "2:int", "2:int")
case("output y = x^a", "Pow", "2:int", "2:int")
case("output y = x^2", "Pow", "2:int", 2)
case("sign(h)*floor(abs(h))", "Pow", "2:int", "2")
case("sign(h)*floor(abs(h))", "Pow", "2:int", [-1])
case("y = zeros(x.shape)", "IsInf", "2", detect_positive=0, detect_negative=0)
case("floor(x/2^a)", "BitShift", "2:int", "2:int", direction="RIGHT")
case("attribute 'direction': 'UP' is not supported", "BitShift", "2:int", "2:int", direction="UP")
case("output y = mod(x, 256)", "Cast", "2:int", to=TensorProto.UINT8)
case("output y = mod(x + 32768, 65536) - 32768", "Cast", "2:int", to=TensorProto.INT16)
case("output y = x", "Cast", "2:int", to=TensorProto.INT32)
case("as_int(sign(x)*floor(abs(x)))", "Cast", "2", to=TensorProto.UINT8)
case("output y = [44, 255, 7]", "Cast", K([300, -1, 7]), to=TensorProto.UINT8)
case("output y = [44, -1, -128]", "Cast", K([300, -1, 128]), to=TensorProto.INT8)
case("output y = [0, 8]", "Pow", K([2, 2]), K([-1, 3]))
case("output y = [(inf - inf), (inf - inf)]", "Max", K([np.nan, 1.0]), K([1.0, np.nan]))
case("sign(h)*floor(abs(h))", "ReduceMean", "2:int")
case("maximum(x, 0.5)", "Clip", "2", 0.5)
case("minimum(x, 0.5)", "Clip", "2", None, 0.5)
case("minimum(x, 6)", "Clip", "2", opset=6, max=6.0)
case("relu6(x)", "Clip", "2", 0.0, 6.0)
case("output y = x", "Clip", "2")
case("selu(x, 2, 3)", "Selu", "2", alpha=2.0, gamma=3.0)
case("hardsigmoid(x, 0.5, 0.25)", "HardSigmoid", "2", alpha=0.5, beta=0.25)
case("x == -inf", "IsInf", "2", detect_positive=0)
case("x == inf", "IsInf", "2", detect_negative=0)
case("gelu_tanh(x)", "Gelu", "2", opset=20, approximate="tanh")
case("attribute 'approximate': 'erf' is not supported", "Gelu", "2", opset=20, approximate="erf")
case("where(x > 0, x, a*x)", "PRelu", "2 3", "3")
case("ones(x.shape)", "Dropout", "2", outputs=2)
case("output y = x", "Dropout", "2", 0.0)
case("the ratio, 'a', is not known", "Dropout", "2", "1")
case("output y = x", "Mul", "2", 1.0)
case("output y = a", "Mul", 1.0, "2")
case("(x + a + b)/3", "Mean", "2", "2", "2")

# reductions
case("the number of elements is known only at run time", "TopK", "5", [1, 2], outputs=2)
case("attribute 'p': only 2 is supported", "GlobalLpPool", "2 3 4 4", p=3)
case("norm(x, [2, 3], keepdims = 1)", "GlobalLpPool", "2 3 4 4")
case("it is supported from opset 13 on", "Hardmax", "2 3 4", opset=11)
case("permute(one_hot(argmax(x, 0), 2), [1, 0])", "Hardmax", "2 3", axis=0)
case("0 operands; there can be 1 to 3", "Einsum", equation="->")
case("nll(x, a, identity)", "NegativeLogLikelihoodLoss", "2 3", "2:int", reduction="none")
case("nll(x, a, sum, weight = b, ignore = 1", "NegativeLogLikelihoodLoss", "2 3", "2:int", "3",
     reduction="sum", ignore_index=1)
case("attribute 'reduction': 'total' is not supported", "NegativeLogLikelihoodLoss", "2 3", "2:int",
     reduction="total")
case("output y = x", "ReduceSum", "2 3", noop_with_empty_axes=1)
case("the list of axes, 'a', is not known", "ReduceSum", "2 3", "1:int")
case("axis 7 of 2", "ReduceSum", "2 3", [7])
case("axis 1 is given twice", "ReduceSum", "2 3", [1, -1])
case("axis 0 is given twice", "ReduceMax", "2 3", axes=[0, 0])
case("axis 0 is given twice", "Squeeze", "1 3", [0, -2])
case("9 axes of 2", "ReduceSum", "2 3", list(range(9)))
case("mean(x, -1, keepdims = 1)", "ReduceMean", "2 3", [1], opset=13)
case("axis 2147483647 of 2", "ReduceSum", "2 3", [0.5])
case("1 - argmin(flip(x, 0), 0, keepdims = 1)", "ArgMin", "2 3", select_last_index=1)

# shapes
case("axis 4 of 2", "Flatten", "2 3", axis=4)
case("the shape is not a list of at most 8 sizes", "Reshape", "2 3", [[2, 3]])
case("operand 1 is missing", "Reshape", "2 3", opset=6)
case("the axes are not given, or there are too many", "Unsqueeze", "2 3", opset=11)
case("the axes are not given, or there are too many", "Unsqueeze", "2 3", list(range(7)))
case("axis 1 is given twice", "Unsqueeze", "2 3", [1, 1])
case("axis 0 has the size 2, not 1", "Squeeze", "2 1", [0, 1])
case("axis 1 has the size m, not 1", "Squeeze", "2 m", [1])
case("squeeze(x, -1)", "Squeeze", "2 1", [1])
case("x[0, :, 0]", "Squeeze", "1 m 1")
case("[2, 3] cannot be expanded to [4]", "Expand", "2 3", [4])
case("attribute 'perm': 1 axes of 2", "Transpose", "2 3", perm=[0])

# too many numbers are not as if there were none
case("attribute 'perm': 100000 numbers, more than the 8 that can be", "Transpose", "2 3",
     perm=list(range(100000)))
case("attribute 'perm': 9 numbers, more than", "Transpose", K([[1, 2]]), perm=list(range(9)))
case("attribute 'strides': 7 numbers, more than", "MaxPool", "1 1 5 5", kernel_shape=[2, 2],
     strides=[2]*7)
case("the parts do not fit, or are of an axis of run-time size", "Split", "2 m", outputs=2, axis=1)
case("the parts do not fit, or are of an axis of run-time size", "Split", "2 4", [1, 1, 2],
     outputs=2, axis=1)
case("the parts are larger than the axis", "Split", "2 4", [3, 3], outputs=2, axis=1)
case("the parts are larger than the axis", "Split", "2 4", [-1, 3], outputs=2, axis=1)
case("its starts, ends, axes and steps do not fit", "Slice", "2 4", [0, 1], [2])
case("its starts, ends, axes and steps do not fit", "Slice", "2 4", opset=9, ends=[1])
case("a step of 0", "Slice", "2 4", [0], [2], [0], [0])
case("axis 2147483647 of 2", "Slice", "2 4", [0], [2], [0.5])
case("a slice without elements that cuts another axis too is not supported", "Slice", "2 4", [0, 3],
     [1, 1])
case("x[..., 2::-1]", "Slice", "2 3 4", [2], [-9], [2], [-1])
case("x[:, ::-1]", "Slice", "2 m", [-1], [-(2**62)], [1], [-1])
case("its indices do not fit the axes of what they are for", "GatherND", "2 3", "2 3:int")
case("its indices do not fit the axes of what they are for", "ScatterND", "2 3", "2 3:int", "2")
case("attribute 'reduction': 'mean' is not supported", "ScatterElements", "2 3", "2 3:int", "2 3",
     reduction="mean")
case("scatter_elements_add(x, from_end(a, 3), b, 1)", "ScatterElements", "2 3", "2 3:int", "2 3",
     axis=1, reduction="add")
case("x[:, 1:3]", "Gather", "2 4", [1, 2], axis=1)
case("an index is out of range", "Gather", "2 4", [3, 4], axis=1)
case("x[new]", "Gather", "2 4", [[0, 1]])
case("axis 2 of 2", "GatherElements", "2 3", "2 3:int", axis=2)
case("concat([concat([x, x, x, x, x, x, x, x, x, x]), x, x])", "Concat", *(["2"] + ["=x"] * 11),
     axis=0)

# windows
case("attribute 'strides': there must be 2 numbers", "MaxPool", "1 1 5 5", kernel_shape=[2, 2],
     strides=[1])
case("4 directions are not supported, only 1 to 3", "MaxPool", "1 1 5 5 5 5",
     kernel_shape=[2, 2, 2, 2])
case("a size, stride, dilation or padding is out of range", "MaxPool", "1 1 5 5",
     kernel_shape=[2, 0])
case("attribute 'auto_pad': 'SAME' is not supported", "MaxPool", "1 1 5 5", kernel_shape=[2, 2],
     auto_pad="SAME")
case("max_pool(x, 2, stride = 1, padding = same_lower)", "MaxPool", "m 1 5 5", kernel_shape=[2, 2],
     auto_pad="SAME_LOWER")
case("the kernel has 3 axes, the image 4", "Conv", "1 1 5 5", W(1, 1, 3))
case("the kernel has 2 axes, the image 2", "Conv", "5 5", W(1, 1))
case("conv(x, a, stride = 2) + b[:, new]", "Conv", "1 1 5", "1 1 3", "1", strides=[2])
case("attributes 'pads' and 'auto_pad' are both given", "MaxPool", "1 1 5", kernel_shape=[2],
     auto_pad="VALID", pads=[0, 1])
case("max_pool(x, 2, stride = 1)", "MaxPool", "1 1 5", kernel_shape=[2], auto_pad="VALID",
     pads=[0, 0])
case("stride = 2, padding = [[1, 0]], bias = 0", "ConvTranspose", "1 1 5", W(1, 1, 3),
     output_shape=[1, 1, 10], strides=[2])
case("attribute 'output_shape': there must be 2 numbers", "ConvTranspose", "1 1 5 5",
     W(1, 1, 3, 3), output_shape=[10])
case("the image has a run-time size", "ConvTranspose", "1 1 m", W(1, 1, 3), output_shape=[9])
case("attribute 'storage_order': only 0 is supported for run-time sizes", "MaxPool", "1 1 5 m", outputs=2, kernel_shape=[2, 1], storage_order=1)
case("the image has a run-time size", "MaxUnpool", "1 1 m", "1 1 m:int", kernel_shape=[2])
case("the sizes do not fit the window", "MaxUnpool", "1 1 2", "1 1 2:int", [1, 1, 1],
     kernel_shape=[2], strides=[2])
case("attribute 'mode': only 'avg' is supported", "RoiAlign", "1 1 5 5", "3 4", "3:int", mode="max",
     sampling_ratio=2)
case("attribute 'sampling_ratio': 0, a number that depends on the boxes, is not supported",
     "RoiAlign", "1 1 5 5", "3 4", "3:int")
case("attributes 'output_height' and 'output_width' are out of range", "RoiAlign", "1 1 5 5", "3 4",
     "3:int", sampling_ratio=2, output_height=0)
case("3 numbers for 4 axes", "Resize", "1 1 2 2", None, [1.0, 1.0, 2.0])
case("only the axes after the first two can be resized, to known sizes", "Resize", "1 1 2 2", None,
     [2.0, 1.0, 2.0, 2.0])
case("only the axes after the first two can be resized, to known sizes", "Resize", "1 1 2 2", None,
     None, [1, 2, 4, 4])
case("the region has 2 numbers for 3 axes", "Resize", "1 1 4", [0.0, 1.0], None, [1, 1, 2], mode="linear", coordinate_transformation_mode="tf_crop_and_resize")
case("only the axes after the first two can be cut", "Resize", "1 1 4",
     [0.5, 0.0, 0.0, 1.0, 1.0, 1.0], None, [1, 1, 2], mode="linear", coordinate_transformation_mode="tf_crop_and_resize")
case("attribute 'coordinate_transformation_mode': 'corners' is not supported", "Resize", "1 1 2",
     None, [1.0, 1.0, 2.0], coordinate_transformation_mode="corners")
case("attribute 'nearest_mode': 'up' is not supported", "Resize", "1 1 2", None, [1.0, 1.0, 2.0],
     nearest_mode="up")
case("there are no sizes and no scales", "Resize", "1 1 2")
case("attribute 'exclude_outside' is supported only for cubic", "Resize", "1 1 2", None, [1.0, 1.0, 2.0], exclude_outside=1)
case("attribute 'mode': 'round' is not supported", "Resize", "1 1 2", None, [1.0, 1.0, 2.0],
     mode="round")
case("resize_cubic(x, scale = 2, a = -0.5, exclude_outside = 1)", "Resize", "1 1 3", None,
     [1.0, 1.0, 2.0], mode="cubic", cubic_coeff_a=-0.5, exclude_outside=1)
case("resize_linear(x, scale = [2, 2.5], at = align_scaled)", "Resize", "1 1 3 3", None,
     [1.0, 1.0, 2.0, 2.5], mode="linear", coordinate_transformation_mode="align_corners")
case("attribute 'padding_mode': 'zero' is not supported", "GridSample", "1 1 2 2", "1 2 2 2",
     padding_mode="zero")
case("the mode 'wrap' with 'zeros' is not supported", "GridSample", "1 1 2 2", "1 2 2 2",
     mode="wrap")

# signals
case("the size must be a number from 2 on", "HannWindow", [1])
case("the size, 'x', is not known", "HannWindow", "1:int")
case("the numbers of bands and of elements, or the frequencies, are out of range",
     "MelWeightMatrix", 0, 8, 8192, 0.0, 4096.0)
case("a parameter, 'x', is not known", "MelWeightMatrix", "1:int", 8, 8192, 0.0, 4096.0)
case("the length or the axis is known only at run time", "DFT", "1 8 1", 0.5)
case("axis 3 of 3", "DFT", "1 8 1", axis=3)
case("inverse = 1", "DFT", "1 8 2", inverse=1)
case("the signal, its step and the length of a piece do not fit", "STFT", "1 8 1", 0, None, 4)
case("the signal, its step and the length of a piece do not fit", "STFT", "1 8 1", 2, None, 9)
case("the step, 'a', is not known", "STFT", "1 8 1", "1:int", None, 4)

# what is known
case("output y = [1, 2]", "Mod", K([7, -7]), K([3, 3]))
case("output y = [1, -1]", "Mod", K([7, -7]), K([3, 3]), fmod=1)
case("output y = [3, 5]", "Max", K([1, 5]), K([3, 2]))
case("output y = [1, 2]", "Min", K([1, 5]), K([3, 2]))
case("output y = [0, 1, 0]", "Greater", K([1, 5, 2]), K([3, 2, 2]))
case("output y = [0, 1, 1]", "GreaterOrEqual", K([1, 5, 2]), K([3, 2, 2]))
case("output y = [0, 1]", "And", K([1, 1], TensorProto.BOOL), K([0, 1], TensorProto.BOOL))
case("output y = [0, 1]", "Or", K([0, 0], TensorProto.BOOL), K([0, 1], TensorProto.BOOL))
case("output y = [0, 1]", "Not", K([1, 0], TensorProto.BOOL))
case("output y = [2, 0.5]", "Sqrt", K([4.0, 0.25]))
case("output y = [0.25, -2]", "Reciprocal", K([4.0, -0.5]))
case("output y = [4, 0.5]", "Abs", K([4.0, -0.5]))
case("output y = [(inf - inf), inf, -inf]", "Neg", K([np.nan, -np.inf, np.inf]))
case("output y = [[1, 1], [2, 2]]", "Expand", K([[1], [2]]), K([2, 2]))
case("output y = [1, 9, 3, 8]", "ScatterND", K([1, 2, 3, 4]), K([[1], [-1]]), K([9, 8]))
case("output y = [[1, 2], [5, 6]]", "ScatterND", K([[1, 2], [3, 4]]), K([[1]]), K([[5, 6]]))
case("output y = [[3], [5]]", "Unsqueeze", K([3, 5]), K([1]))
case("axis 1 is given twice", "Unsqueeze", K([3, 5]), K([1, 1]))
case("output y = [3, 4]", "Constant", value_ints=[3, 4])
case("output y = [0.5, 4]", "Constant", value_floats=[0.5, 4.0])
case("output y = 0.5", "Constant", value_float=0.5)
case("it has no value that ngc knows", "Constant")
case("attribute 'value': is not one number", "ConstantOfShape", K([2]),
     value=helper.make_tensor("v", 1, [2], [3.0, 4.0]))
case("output y = [[1, 2, 3, 4]]", "Reshape", K([[1, 2], [3, 4]]), K([1, -1]))
case("output y = [1, 2]", "Squeeze", K([[[1], [2]]]))
case("output y = [[1], [2]]", "Squeeze", K([[[1], [2]]]), K([0]))
case("output y = [[2, 1], [4, 3]]", "Gather", K([[1, 2], [3, 4]]), K([1, 0]), axis=1)
case("an index is out of range", "Gather", K([1, 2]), K([2]))
case("output y = [[2], [4]]", "Slice", K([[1, 2], [3, 4]]), opset=9, starts=[1], ends=[9], axes=[1])
case("output y = 10", "ReduceSum", K([1, 2, 3, 4]), keepdims=0)
case("output y = [24]", "ReduceProd", K([1, 2, 3, 4]))
case("output y = [1, 2, 3, 4]", "ReduceSum", K([1, 2, 3, 4]), noop_with_empty_axes=1)
case("output y = [1, 2]", "Relu", K([1, 2], TensorProto.DOUBLE))
case("output y = [4000000000, 2]", "Identity", K([4000000000, 2], TensorProto.UINT32))
case("output y = [5000000000, 2]", "Identity", K([5000000000, 2], TensorProto.UINT64))
case("output y = [-5, 2]", "Identity", K([-5, 2], TensorProto.INT8))
case("output y = [-500, 2]", "Identity", K([-500, 2], TensorProto.INT16))
case("output y = [-70000, 2]", "Identity", K([-70000, 2], TensorProto.INT32))
case("output y = [0.5, 2]", "Identity", K([0.5, 2.0], TensorProto.FLOAT16))
case("of type 14, which ngc does not have", "Identity", K([0.5, 2.0], TensorProto.COMPLEX64))

# sizes that are known only at run time
case("output y = [m + 1, 4]", "Add", Sizes("m 3"), K([1, 1]))
case("output y = [m, 2]", "Sub", Sizes("m 3"), K([0, 1]))
case("output y = [m, 6]", "Div", Sizes("m 6"), K([1, 1]))
case("output y = 3*m", "ReduceProd", Sizes("m 3"), keepdims=0)
case("output y = [m + 3]", "ReduceSum", Sizes("m 3"))
case("output y = m", "Max", Sizes("m", 0), Sizes("m", 0))
case("output y = m", "Min", Sizes("m", 0), Sizes("m", 0))
case("output y = 0", "Less", Sizes("m", 0), Sizes("m", 0))
case("output y = 0", "Greater", Sizes("m", 0), Sizes("m", 0))
case("output y = 1", "Equal", Sizes("m", 0), Sizes("m", 0))
case("output y = 0", "Equal", Sizes("m", 0), K(-1))
case("a fraction beside a size that is known only at run time is not supported", "Concat",
     Sizes("m 3"), K([0.5]), axis=0)
case("y = arange(m)", "Range", K(0), Sizes("m", 0), K(1))
case("a range of run-time size, or of more than 2^20 elements, has whole numbers and a step of 1",
     "Range", K(0), Sizes("m", 0), K(2))
case("full([m, 2], 3)", "ConstantOfShape", Sizes("m 2"),
     value=helper.make_tensor("v", 1, [1], [3.0]))
case("the size of its result depends on 'x', which is not known", "NonZero", "m")

# quantized numbers
case("clip(round(x/0.5) + 3, -128, 127)", "QuantizeLinear", "2", 0.5, K(3, TensorProto.INT8))
case("clip(round(x/a) + 3, 0, 255)", "QuantizeLinear", "2", "", K(3, TensorProto.UINT8))
case("clip(round(x/a[:, new]), 0, 255)", "QuantizeLinear", "2 3", "2", axis=0)
case("axis 2 of 2", "QuantizeLinear", "2 3", "2", axis=2)
case("axis 2 of 2", "DequantizeLinear", "2 3", "2", axis=2)
case("(x - b[:, new])*a[:, new]", "DequantizeLinear", "2 3:int", "2", "2:int", axis=0)

# graphs
case("softmax(x, [1, 2])", "Softmax", "2 3 4", opset=11, axis=1)
case("resize_linear(x, scale = 2, at = asymmetric)", "Upsample", "1 1 2", opset=8,
     scales=[1.0, 1.0, 2.0], mode="linear")
case("resize_linear(x, scale = 2", "Upsample", "1 1 2 2", [1.0, 1.0, 2.0, 2.0], opset=9,
     mode="bilinear")
case("roi_align(x, a, as_int(b), [3, 2], scale = 0.5, samples = 4)", "RoiAlign", "1 1 5 5", "3 4",
     "3", output_height=3, output_width=2, spatial_scale=0.5, sampling_ratio=4)
case("dft(x, 1, n = 4, half = 1)", "DFT", "1 8 1", 4, onesided=1)
case("dft(x, 0)", "DFT", "4 8 1", None, 0, opset=20)
case("take_along(x, broadcast_to(h2[:, :, new], x.shape), 0)", "ReverseSequence", "3 2 4", "2:int")
case("axis 7 of 2", "MeanVarianceNormalization", "2 3", axes=[7])
case("reverse = 1", "GRU", "5 m 3", W(1, 12, 3), W(1, 12, 4), hidden_size=4, direction="reverse")
case("h = permute(e, [1, 0, 2])", "GRU", "m 5 3", W(1, 12, 3), W(1, 12, 4), None, None, "m 1 4",
     hidden_size=4, layout=1)


def nested(depth):
    inner = graph([node("Relu", ["x"], ["o"])])
    for _ in range(depth):
        inner = graph([node("If", ["t"], ["o"], then_branch=inner, else_branch=relu)])
    return inner


case("has too many graphs inside each other", "If", "1", then_branch=nested(40), else_branch=relu)

# ---- names, types and sizes that contradict each other ----

def broken(says, change, *operands, op="Softmax", opset=17, **attributes):
    """A model that is right, after a change."""
    model = model_of(op, attributes, operands or ("2 3",), opset, 1, False)
    change(model.graph, model)
    cases.append((says, model, ()))


def attribute(change):
    return lambda g, m: change(g.node[0].attribute[0])


def weights(name, **fields):
    """Another initializer; its fields are those of the format."""
    def add(g, m):
        g.initializer.add(name=name, dims=[2], data_type=TensorProto.FLOAT).MergeFrom(
            TensorProto(**fields))
    return add


def external(says, **pairs):
    def add(g, m):
        t = g.initializer.add(name="w", dims=[2], data_type=TensorProto.FLOAT, data_location=1)
        for key, value in pairs.items():
            t.external_data.add(key=key, value=value)
    broken(says, add)


def then(says, op, other, *operands, **attributes):
    """The result is an operand of another node, with x."""
    def add(g, m):
        g.node.append(node(other, ["y", "x"], ["z"]))
        g.output[0].name = "z"
    broken(says, add, *operands, op=op, **attributes)


# what is computed of whole numbers is one, also where the language has it as a float
for op in "Abs", "Sign", "Neg", "ReduceMax", "ReduceSumSquare":
    then("sign(h)*floor(abs(h))", op, "Div", "2:int")
then("sign(h)*floor(abs(h))", "Mod", "Div", "2:int", "2:int", fmod=1)
then("sign(h)*floor(abs(h))", "Pow", "Div", "2:int", "2:int")
then("output z = (x == a)/x", "Equal", "Div", "2", "2")
# before opset 7, the second operand has axes of size 1 after it
case("x + a[:, :, new]", "Add", "1 3 3", "1 3", opset=6, broadcast=1, axis=0)
case("x + a", "Add", "2 3", "1", opset=6, broadcast=1, axis=0)

# what looks like an attention, and is another one
def attention(says, scaled, number, *masked, **inputs):
    """softmax of what `scaled` and `masked` compute of q, k' and c; the last one computes p."""
    nodes = [node("Transpose", ["k"], ["t"], perm=[0, 2, 1])] + scaled + list(masked)
    nodes += [node("Softmax", ["p"], ["s"], axis=-1), node("MatMul", ["s", "v"], ["y"])]
    shapes = dict({"q": "2 4 4", "k": "2 4 4", "v": "2 4 4"}, **inputs)
    g = helper.make_graph(nodes, "g", [input_of(n, s) for n, s in shapes.items()],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], number)
    cases.append((says, helper.make_model(g, opset_imports=[helper.make_opsetid("", 17)]), ()))


def outside(result, operator="Div"):
    return [node("MatMul", ["q", "t"], ["d"]), node(operator, ["d", "c"], [result])]


def inside(*operands):
    return [node("Mul", operands, ["d"]), node("MatMul", ["d", "t"], ["p"])]


where = node("Where", ["m", "h", "low"], ["p"])
c = lambda v: number("c", np.float32(v))
low = lambda v: number("low", np.float32(v))
full = number("m", np.tri(4) > 0)
attention("y = scaled_dot_attention(q, k, v)", outside("p"), [c(2)])
attention("softmax(q @ k'/-2) @ v", outside("p"), [c(-2)])
attention("softmax(q @ k'*-0.5) @ v", outside("p", "Mul"), [c(-.5)])
attention("y = scaled_dot_attention(q, k, v)", inside("q", "c"), [c(.5)])
attention("softmax(q*c @ k') @ v", inside("q", "c"), [], c="4")
attention("softmax(c*q @ k') @ v", inside("c", "q"), [], c="4 4")
attention("scaled_dot_attention(q, k, v, m)", outside("h"), [c(2), low(-np.inf)], where, m="4 4:bool")
attention("softmax(where(m, q @ k'/2, -1e10)) @ v", outside("h"), [c(2), low(-1e10)], where,
          m="4 4:bool")
attention("scaled_dot_attention(q, k, v, [[1, 0, 0, 0],", outside("h"), [c(2), low(-1e10), full],
          where)
attention("h = where([[0, 0, 0, 0],", outside("h"), [c(2), low(-1e10), number("m", np.tri(4, k=-1) > 0)],
          where)

# gains and biases along the last axis, and not along the channels, after a normalisation of groups
def groups(says, *shape):
    nodes = [node("Reshape", ["x", "apart"], ["a"]),
             node("InstanceNormalization", ["a", "one", "none"], ["n"]),
             node("Reshape", ["n", "whole"], ["h"]),
             node("Mul", ["h", "gain"], ["g"]), node("Add", ["g", "bias"], ["y"])]
    given = {"apart": [0, 2, -1], "whole": [2, 4, 4, 4], "one": np.ones(2, np.float32),
             "none": np.zeros(2, np.float32), "gain": W(*shape).value, "bias": -W(*shape).value}
    g = helper.make_graph(nodes, "g", [input_of("x", "2 4 4 4")],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                          [number(n, v) for n, v in given.items()])
    cases.append((says, helper.make_model(g, opset_imports=[helper.make_opsetid("", 17)]), ()))


groups("group_norm(x, 2)", 4, 1, 1)
groups("reshape(normalize(reshape(x, [2, 2, -1]), [2]), x.shape)*gain + bias", 4)

again = node("Neg", ["x"], ["y"])
broken("the node of 'y' (Neg): its result 'y' is defined twice", lambda g, m: g.node.append(again))
broken("its result 'x' is defined twice",
       lambda g, m: g.node.append(node("Neg", ["y"], ["x"])))
broken("its result 'w' is defined twice", lambda g, m: (
    weights("w", raw_data=bytes(8))(g, m), g.node.append(node("Neg", ["y"], ["w"]))))
broken("its result 'y' is defined twice", lambda g, m: g.node[0].output.append("y"))
broken("the output 'y' is defined twice", lambda g, m: g.output.append(g.output[0]))
broken("the input 'x' is defined twice", lambda g, m: g.input.append(g.input[0]))
broken("the tensor 'w' is defined twice", lambda g, m: (
    weights("w", raw_data=bytes(8))(g, m), weights("w", raw_data=bytes(8))(g, m)))
broken("input 1 has no name", lambda g, m: g.input.append(input_of("", "2")))
broken("the tensor 'w': sparse tensors are not supported", lambda g, m: g.sparse_initializer.add(
    dims=[2]).values.MergeFrom(helper.make_tensor("w", 1, [1], [2.0])))
broken("# the output 'e?minimize J' has no elements: its shape is [0]", lambda g, m: (
    g.input.append(input_of("n", "0")), g.node.append(node("Relu", ["n"], ["e\nminimize J"])),
    g.output.append(input_of("e\nminimize J", "0"))))
case("its result 'o' is defined twice", "If", True, else_branch=relu,
     then_branch=graph([node("Relu", ["x"], ["o"]), node("Neg", ["x"], ["o"])]))
broken("'b' is not defined before it", lambda g, m: g.node.extend(
    [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])]))

broken("attribute 'axis' is FLOAT, not INT", lambda g, m: None, axis=0.0)
broken("attribute 'axis' is INTS, not INT", lambda g, m: None, axis=[0])
broken("attribute 'axis' is of another type, not INT", attribute(lambda a: setattr(a, "type", 9)),
       axis=0)
broken("attribute 'axis' is FLOAT, not INT", attribute(lambda a: setattr(a, "type", 1)), axis=0)
broken("attribute 'axis' does not have one value of type INT",
       attribute(lambda a: setattr(a, "f", 0)), axis=0)
broken("the attribute 'axis' is given twice",
       lambda g, m: g.node[0].attribute.append(helper.make_attribute("axis", 1)), axis=0)
broken("an attribute has no name", attribute(lambda a: a.ClearField("name")), axis=0)
# of a program that leaves out zeros, and of one that leaves out types
broken("softmax(x, 0)", attribute(lambda a: a.ClearField("i")), axis=0)
broken("softmax(x, 0)", attribute(lambda a: a.ClearField("type")), axis=0)
broken("output y = sum(x)", attribute(lambda a: a.ClearField("i")), op="ReduceSum", keepdims=0)
case("attribute 'to': elements of type 99 are not supported", "Cast", "2", to=99)

broken("does not say which version of the operators it has", lambda g, m: m.ClearField("opset_import"))
broken("its version of the operators (opset_import) is not a positive number",
       lambda g, m: setattr(m.opset_import[0], "version", -3))
broken("its version of the operators (opset_import) is given twice",
       lambda g, m: m.opset_import.append(helper.make_opsetid("", 7)))

broken("the tensor 'w': it has its elements in two places",
       weights("w", raw_data=bytes(8), float_data=[1, 2]))
broken("the tensor 'w': it has no elements", weights("w", int32_data=[1, 2]))
broken("the tensor 'w': its shape has 2 elements, and the file 9 bytes of them",
       weights("w", raw_data=bytes(9)))
broken("the tensor 'w': its shape is not possible", weights("w", dims=[-1], raw_data=bytes(8)))
broken("the tensor 'w': its shape is not possible", weights("w", dims=[2**62, 2], raw_data=bytes(8)))
broken("the tensor 'w': its elements are of type 99, which ngc does not have",
       weights("w", data_type=99, raw_data=bytes(8)))
for path in "../w", "/etc/passwd", "a/../../w", "":
    external("its elements are said to be in '%s', which is not a file in the folder" % path,
             location=path)
external("which is not a file in the folder", location="w", offset="-1")
external("does not have its elements", location="case0.onnx", offset="9" * 30)
external("its shape has 2 elements, and the file 7 bytes", location="case0.onnx", length="7")
external("does not have its elements", location="none")
broken("the input 'x': elements of type 17 are not supported",
       lambda g, m: setattr(g.input[0].type.tensor_type, "elem_type", 17))
case("the input 'x': a size of 4611686018427387904 is too large", "Relu", "%d" % 2**62)
case("is larger than 2^40 bytes", "Relu", "%d %d" % (2**40, 2**40))

for hidden in 5, 0, -1:
    case("attribute 'hidden_size': the weights are not those of %d units" % hidden, "LSTM",
         "5 2 3", W(1, 16, 3), W(1, 16, 4), hidden_size=hidden)
case("the weights are not those of one direction", "GRU", "5 2 3", W(2, 12, 3), W(2, 12, 4),
     hidden_size=4)
case("the weights are not those of two directions", "RNN", "5 2 3", W(1, 4, 3), W(1, 4, 4),
     direction="bidirectional")
case("attribute 'activations': there must be 6", "LSTM", "5 2 3", W(2, 16, 3), W(2, 16, 4),
     direction="bidirectional", activations=["Sigmoid", "Tanh", "Tanh"])

cases.append(("its graph is empty", helper.make_model(helper.make_graph([], "g", [], [])), ()))
lone = model_of("Relu", {}, ["2"], 17, 1, False)
lone.graph.output[0].name = "q"
cases.append(("no node computes the output 'q'", lone, ()))

# what is known, and does not fit
case("shapes [2] and [3]", "Add", K([1, 2]), K([1, 2, 3]))
case("", "Where", K([1, 0]), K([1, 2, 3]), K([1, 2]))
case("", "Where", K([1, 0]), K([1, 2, 3]), K([1, 2, 3]))
case("", "Expand", K([1, 2]), K([3]))
case("", "Reshape", K([1, 2, 3]), K([2, -1]))
case("", "Reshape", K([1, 2, 3]), K([0, -2]))
case("", "Reshape", K([1, 2, 3]), K([-1, 0, 0, 0, 0, 0, 0, 0, 0]))
case("", "Transpose", K([[1, 2]]), perm=[0])
case("", "Transpose", K([[1, 2]]), perm=[0, 2])
case("", "Concat", K([1, 2]), K([[1]]), axis=0)
case("", "Concat", K([[1, 2]]), K([[1]]), axis=0)
case("", "Concat", K([1, 2]), K([1]), axis=1)
case("", "Slice", K([1, 2]), K([0]), K([1]), K([0]), K([0]))
case("", "Slice", K([1, 2]), K([0]), K([1]), K([3]))
case("", "Slice", K([1, 2]), K([0, 1]), K([1]))
case("", "Slice", K([1, 2]), K([0]), K([1]), K([0, 1]))
case("", "Gather", K([1, 2]), K([0.5]))
case("", "Gather", K([1, 2]), K([0]), axis=1)
case("has whole numbers and a step of 1", "Range", K([1, 2]), K(3), K(1))
case("has whole numbers and a step of 1", "Range", K(0), K(3), K(0))
case("has whole numbers and a step of 1", "Range", K(0), K(1 << 22), K(2))
case("y = arange(4194304)", "Range", K(0), K(1 << 22), K(1))
case("", "ConstantOfShape", K([-1]))
case("", "ConstantOfShape", K([1 << 12, 1 << 12]))
case("", "Div", Sizes("m 3"), K([0, 0]))
case("", "Div", Sizes("m 3"), K([2, 2]))
case("", "Max", Sizes("m 3"), K([2, 2]))
case("", "Less", Sizes("m 3"), K([2, 2]))
case("", "Mod", Sizes("m 3"), K([2, 2]))
case("", "Sqrt", Sizes("m 3"))
case("", "Cast", Sizes("m 3"), to=TensorProto.BOOL)
case("output y = [m, 3]", "Cast", Sizes("m 3"), to=TensorProto.FLOAT)
case("output y = [m, 3]", "CastLike", Sizes("m 3"), K([1, 2]))
case("", "ScatterND", K([1, 2]), K([[2]]), K([5]))
case("", "ScatterND", K([1, 2]), K([[0]]), K([5, 6]))
case("", "Unsqueeze", K([1, 2]), K(list(range(8))))
case("", "Squeeze", K([[1, 2]]), K([5]))


# attributes without a default
needed = {"AveragePool": "kernel_shape", "BitShift": "direction", "Cast": "to", "Concat": "axis",
          "DepthToSpace": "blocksize", "Einsum": "equation", "GroupNormalization": "num_groups",
          "LRN": "size", "MaxPool": "kernel_shape", "MaxUnpool": "kernel_shape",
          "Scan": "num_scan_inputs", "SpaceToDepth": "blocksize"}
values = {"kernel_shape": [1], "direction": "LEFT", "equation": "..."}


def with_needed(op, names, results):
    made = node(op, names, results)
    if op in needed:
        name = needed[op]
        made.attribute.append(helper.make_attribute(name, values.get(name, 1)))
    return made


for op, name in needed.items():
    case("the attribute '%s' is missing" % name, op, "2")


def most_operands(op):
    if onnx.defs.has(op):
        return onnx.defs.get_schema(op).max_input
    return 3 if op == "GroupNormalization" else 1


def nodes_of(operators, operands):
    """All operators in one model: one problem does not hide another."""
    inputs = [input_of(name, text) for name, text in operands.items() if name != "q"]
    nodes = [with_needed(op, list(operands)[:most_operands(op)], ["y%d" % i, "", ""])
             for i, op in enumerate(operators)]
    g = helper.make_graph(nodes, "g", inputs,
                          [helper.make_tensor_value_info("y0", TensorProto.FLOAT, None)])
    return helper.make_model(g, opset_imports=[helper.make_opsetid("", 17)])


with open("compiler/onnx/README.md") as f:
    operators = [line.split("|")[1].strip() for line in f if line.startswith("| ")
                 and line.count("|") == 4]
operators = [op for op in operators if op not in ("operator", "Constant")]

# every attribute that an operator has in the format has a type here
for op in operators:
    known = onnx.defs.has(op) and onnx.defs.get_schema(op).attributes or {}
    text = {a: 1 if known[a].type == known[a].type.STRING else "text" for a in known}
    if text:
        cases.append((["attribute '%s' is " % a for a in text if a not in ("seed", "sparse_value")],
                      model_of(op, text, ["2"], 17, 1, False), ()))
for i in range(4):
    names = {"xabc"[k] if k != i else "q": "2 3 4" for k in range(i + 1)}
    cases.append(("(Abs): 'q' is not defined before it" if i == 0 else "'q' is not defined before it", nodes_of(operators, names), ()))
for shape in ("", "3", "3:int", "2 2", "2 2 3:int", "m 2 3 3", "1 1 2 2 2", "m"):
    cases.append(("", nodes_of(operators, {"x": shape}), ()))
    cases.append(("", nodes_of(operators, {"x": shape, "a": shape}), ()))
    cases.append(("", nodes_of(operators, {"x": shape, "a": shape, "b": "3", "c": "1:int"}), ()))

# what depends on data
case("the size of its result depends on 'x', which is not known", "Unique", "3")
case("the size of its result depends on 'x', which is not known", "NonMaxSuppression", "1 2 4",
     "1 1 2")


def said(i, model, given):
    path = "%s/case%d.onnx" % (folder, i)
    with open(path, "wb") as f:
        f.write(model.SerializeToString())
    run = subprocess.run([ngc, "import", path, *given], capture_output=True, encoding="utf-8",
                         errors="replace")
    return run.stdout + run.stderr, run.returncode


failed = 0
for i, (wanted, model, given) in enumerate(cases):
    text, status = said(i, model, given)
    said_all = all(w in text for w in (wanted if isinstance(wanted, list) else [wanted]))
    if status not in (0, 1) or not said_all:
        failed += 1
        print("FAIL %s, status %d: '%s' is not in: %s" %
              (model.graph.node and model.graph.node[-1].op_type, status, wanted, text[:600]))
print("%d passed, %d failed" % (len(cases) - failed, failed))
sys.exit(failed > 0)
