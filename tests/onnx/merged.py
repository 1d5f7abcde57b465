# merged.py - writes small models for run.sh: layers whose equal weights are stored once, a weight
# that is stored twice, elements in another file, and models that are refused.
import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save
from onnx.external_data_helper import set_external_data

folder = sys.argv[1]
rng = np.random.RandomState(1)


def tensor(name, value):
    return numpy_helper.from_array(np.asarray(value, dtype=np.float32), name)


def model(name, nodes, inputs, weights, outputs=(("y", ["m", 4]),)):
    value = lambda n, s: helper.make_tensor_value_info(n, TensorProto.INT64 if n == "ids" else TensorProto.FLOAT, s)
    graph = helper.make_graph(nodes, name, [value(*i) for i in inputs],
                              [value(*o) for o in outputs], weights)
    path = os.path.join(folder, name + ".onnx")
    m = helper.make_model(graph,
                          opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid("other", 1)])
    with open(path, "wb") as f:
        f.write(m.SerializeToString())


node = helper.make_node

# two layers of different modules that have one matrix and one bias; gains of 1 that are stored once
W, b = tensor("W", rng.randn(4, 4)), tensor("b", np.zeros(4))
gain, bias = tensor("gain", np.ones(4)), tensor("bias", np.zeros(4))
model("merged", [node("Gemm", ["x", "W", "b"], ["a"], name="/one/Gemm", transB=1), node("LayerNormalization", ["a", "gain", "bias"], ["c"], name="/norm1/LayerNormalization"),
                 node("Gemm", ["c", "W", "b"], ["d"], name="/two/Gemm", transB=1), node("LayerNormalization", ["d", "gain", "bias"], ["y"], name="/norm2/LayerNormalization")],
      [("x", ["m", 4])], [W, b, gain, bias])

# a table that is the matrix of the last product too, stored twice: once transposed
T = rng.randn(6, 4)
model("tied", [node("Gather", ["table", "ids"], ["a"]), node("Tanh", ["a"], ["c"]), node("MatMul", ["c", "turned"], ["y"])],
      [("ids", ["m"])], [tensor("table", T), tensor("turned", T.T)], [("y", ["m", 6])])


# initializers that are not trained: a mask, cosines and their frequencies, and one that only
# --constant says; those that are
rows = np.arange(9)[:, None] * np.array([1, 0.1, 0.01, 0.001])
model("buffers", [node("Gather", ["angles", "ids"], ["a"]), node("Mul", ["a", "freq"], ["b"]), node("MatMul", ["b", "W"], ["c"]), node("MatMul", ["c", "own"], ["d"]),
                  node("Add", ["d", "mask"], ["e"]), node("Mul", ["e", "steps"], ["f"]), node("MatMul", ["f", "sign"], ["y"])],
      [("ids", [5])],
      [tensor("angles", np.cos(rows)), tensor("freq", rows[1]), tensor("W", rng.randn(4, 5)),
       tensor("own", rng.randn(5, 5)),
       tensor("mask", np.triu(np.full((5, 5), -1e4), 1)), tensor("steps", np.arange(5)), tensor("sign", np.where(rng.rand(5, 4) < 0.5, -2, 0))], [("y", [5, 4])])
# known numbers, as many as there are rows, which is known at run time
model("places", [node("Shape", ["ids"], ["n"]), node("Slice", ["numbers", "zero", "n"], ["at"]), node("Gather", ["table", "at"], ["a"]), node("Tanh", ["a"], ["y"])],
      [("ids", ["m"])], [tensor("table", T), numpy_helper.from_array(np.array([0, 1, 3, 2, 4, 5]), "numbers"), numpy_helper.from_array(np.array([0]), "zero")])

# numbers in place of names
model("nameless", [node("Gather", ["1", "ids"], ["3"]), node("Unsqueeze", ["3", "8"], ["4"]), node("LSTM", ["4", "5", "6"], ["7"], hidden_size=2),
                   node("Reshape", ["7", "9"], ["10"]), node("MatMul", ["10", "11"], ["12"]), node("MatMul", ["12", "2"], ["y"])],
      [("ids", ["m"])],
      [tensor("1", T), tensor("2", T.T), tensor("5", rng.randn(1, 8, 4)),
       tensor("6", rng.randn(1, 8, 2)), numpy_helper.from_array(np.array([1]), "8"),
       numpy_helper.from_array(np.array([-1, 2]), "9"), tensor("11", rng.randn(2, 4))], [("y", ["m", 6])])


def external(name, location, size):
    t = tensor("fc.weight", rng.randn(4, 3))
    raw = t.raw_data
    set_external_data(t, location, offset=8, length=len(raw))
    t.ClearField("raw_data")
    model(name, [node("Gemm", ["x", "fc.weight"], ["y"], transB=1)], [("x", ["m", 3])], [t])
    if size:
        with open(os.path.join(folder, location), "wb") as f:
            f.write(bytes(8) + raw)


external("external", "external.bin", True)
external("outside", "../external.bin", False)
external("missing", "not_there.bin", False)

model("strange", [node("Foo", ["x"], ["a"], name="/Foo"), node("Bar", ["a"], ["c"], domain="other"), node("Relu", ["c"], ["y"], gain=2.0)], [("x", ["m", 4])], [])

# an attribute without a name, and one whose name is two words that the operator knows
for name, word in ("unnamed", ""), ("words", "axis split"):
    split = node("Split", ["x"], ["y"], name="/Split", axis=1)
    split.attribute[0].name = word
    model(name, [split], [("x", ["m", 4])], [])

# graphs in nodes: a weight inside of a graph is one weight for all passes; nothing is computed for
# a branch that is not taken
value = helper.make_tensor_value_info
body = helper.make_graph([node("Gemm", ["h", "U", "c"], ["p"]), node("Add", ["p", "row"], ["s"]), node("Tanh", ["s"], ["h2"]), node("Mul", ["h2", "h2"], ["o"])],
                         "body", [value("h", 1, None), value("row", 1, None)], [value("h2", 1, None), value("o", 1, None)], [tensor("U", rng.randn(4, 4))])
yes = helper.make_graph([node("Relu", ["last"], ["r1"])], "yes", [], [value("r1", 1, None)])
no = helper.make_graph([node("Exp", ["last"], ["r2"])], "no", [], [value("r2", 1, None)])
number = lambda name, v: numpy_helper.from_array(np.array(v), name)
model("inner", [node("Scan", ["start", "rows"], ["last", "all"], body=body, num_scan_inputs=1, scan_output_axes=[1]),
                node("If", ["true"], ["y"], then_branch=yes, else_branch=no)],
      [("start", [2, 4]), ("rows", [3, 2, 4])], [tensor("c", rng.randn(4)), number("true", True)], [("y", [2, 4]), ("all", [2, 3, 4])])

# a condition on a run-time size, which may be 64
few = helper.make_graph([node("Relu", ["x"], ["few1"])], "few", [], [value("few1", 1, None)])
many = helper.make_graph([node("Exp", ["x"], ["many1"])], "many", [], [value("many1", 1, None)])
model("compared", [node("Shape", ["x"], ["s"]), node("Gather", ["s", "first"], ["m"]), node("Equal", ["m", "most"], ["c"]), node("If", ["c"], ["y"], then_branch=many, else_branch=few)],
      [("x", ["m", 4])], [number("first", 0), number("most", 64)])

# tensors without elements
model("empty", [node("Slice", ["x", "3", "9", "1"], ["none"]), node("Concat", ["none", "x"], ["joined"], axis=1), node("ReduceSum", ["none", "1"], ["zero"]),
                node("Add", ["joined", "zero"], ["y"]), node("Relu", ["none"], ["nothing"])],
      [("x", [2, 3])], [number("3", [3]), number("9", [9]), number("1", [1])], [("nothing", [2, 0]), ("y", [2, 3])])
model("hollow", [node("Relu", ["x"], ["y"])], [("x", [0, 3])], [], [("y", [0, 3])])
model("largest", [node("Slice", ["x", "3", "9", "1"], ["none"]), node("ReduceMax", ["none"], ["y"], axes=[1])],
      [("x", [2, 3])], [number("3", [3]), number("9", [9]), number("1", [1])], [("y", [2, 1])])

# what depends on data
step = helper.make_graph([node("Less", ["v", "ten"], ["go"]), node("Add", ["v", "v"], ["w"])],
                         "step",
                         [value("i", 7, []), value("c", 9, []), value("v", 1, [])], [value("go", 9, []), value("w", 1, [])])
model("endless", [node("Loop", ["", "", "x"], ["y"], body=step)], [("x", [])],
      [number("ten", np.float32(10))], [("y", [])])
model("data", [node("NonZero", ["x"], ["a"]), node("SequenceEmpty", [], ["b"]), node("Bernoulli", ["x"], ["y"])], [("x", [2, 3])], [], [("y", [2, 3])])
model("nonzero", [node("NonZero", ["x"], ["y"])], [("x", [2])], [], [("y", [1, "k"])])
