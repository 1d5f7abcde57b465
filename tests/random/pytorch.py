# pytorch.py - exported models, computed by PyTorch: outputs, losses and gradients are those of the
# interpreter of ngc, and so are the gradients that PyTorch itself finds.
#
#     python3 pytorch.py FOLDER      for each NAME.onnx with NAME.json in it (tests/onnx/roundtrip.c, DOUBLE=1): "ok NAME: N
#                                    values, M gradients of PyTorch", "no NAME: why not", "WRONG NAME: ..."
import glob
import json
import sys

import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper

torch.set_num_threads(1)
TYPE = {1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool, 11: torch.float64}


def ints(t):
    return [int(v) for v in (t.reshape(-1).tolist() if isinstance(t, torch.Tensor) else t)]


def strided(x, starts, ends, axes=None, steps=None):
    starts, ends = ints(starts), ints(ends)
    axes = ints(axes) if axes is not None else range(len(starts))
    steps = ints(steps) if steps is not None else [1] * len(starts)
    for a, lo, hi, s in zip(axes, starts, ends, steps):
        places = range(*slice(lo, None if s < 0 and hi < -x.shape[a] else hi, s).indices(x.shape[a]))
        x = x.index_select(a, torch.tensor(list(places), dtype=torch.long))
    return x


def padded(x, pads, value=None):
    pads, n = ints(pads), x.dim()
    flat = [p for a in reversed(range(n)) for p in (pads[a], pads[a + n])]
    return F.pad(x, flat, value=0.0 if value is None else float(value))


def windows(x, a):
    d = x.dim() - 2
    pads = a.get("pads", [0] * 2 * d)
    flat = [p for i in reversed(range(d)) for p in (pads[i], pads[i + d])]
    return flat, a.get("strides", [1] * d), a.get("dilations", [1] * d)


def conv(x, w, b=None, **a):
    flat, strides, dilations = windows(x, a)
    f = (F.conv1d, F.conv2d, F.conv3d)[x.dim() - 3]
    return f(F.pad(x, flat), w, b, strides, 0, dilations, a.get("group", 1))


def max_pool(x, **a):
    flat, strides, dilations = windows(x, a)
    f = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[x.dim() - 3]
    return f(F.pad(x, flat, value=-float("inf")), a["kernel_shape"], strides, 0, dilations)


def reduced(f):
    def of(x, axes=None, **a):
        axes = ints(axes) if axes is not None else list(range(x.dim()))
        return f(x, axes, bool(a.get("keepdims", 1))) if axes else x
    return of


def expanded(x, shape):
    return x.broadcast_to(torch.broadcast_shapes(x.shape, ints(shape)))


def reshaped(x, shape, **a):
    return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(ints(shape))])


def gathered(x, i, **a):
    axis = a.get("axis", 0) % x.dim()
    i = torch.where(i < 0, i + x.shape[axis], i).long()
    return x.index_select(axis, i.reshape(-1)).reshape(x.shape[:axis] + i.shape + x.shape[axis + 1:])


def gathered_nd(x, i, **a):
    assert not a.get("batch_dims")
    return x[tuple(i.long().unbind(-1))]


def scattered_nd(x, i, u, **a):
    place = tuple(i.long().unbind(-1))
    if a.get("reduction", b"none") == b"add":
        return x.index_put(place, u, accumulate=True)
    assert a.get("reduction", b"none") == b"none"
    return x.index_put(place, u)


def layer_norm(x, gain, bias=None, **a):
    axis = a.get("axis", -1) % x.dim()
    return F.layer_norm(x, x.shape[axis:], gain, bias, a.get("epsilon", 1e-5))


def batch_norm(x, gain, bias, mean, var, **a):
    gain, bias, mean, var = (t.reshape([-1] + [1] * (x.dim() - 2)) for t in (gain, bias, mean, var))
    return (x - mean) / torch.sqrt(var + a.get("epsilon", 1e-5)) * gain + bias


def largest(x, k, **a):
    return torch.topk(x, ints(k)[0], a.get("axis", -1), bool(a.get("largest", 1)))


def argmax(x, **a):
    y = torch.argmax(x, a.get("axis", 0), bool(a.get("keepdims", 1)))
    assert not a.get("select_last_index")
    return y


def folded(f):
    def of(*x):
        y = x[0]
        for z in x[1:]:
            y = f(y, z)
        return y
    return of


OPS = {
    "Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Neg": torch.neg, "Pow": torch.pow,
    "Div": lambda a, b: a / b if a.is_floating_point() else torch.div(a, b, rounding_mode="trunc"),
    "Max": folded(torch.maximum), "Min": folded(torch.minimum), "Exp": torch.exp, "Log": torch.log,
    "Sqrt": torch.sqrt, "Abs": torch.abs, "Sign": torch.sign, "Floor": torch.floor,
    "Ceil": torch.ceil, "Round": torch.round, "Sin": torch.sin,
    "Cos": torch.cos, "Tan": torch.tan, "Asin": torch.asin, "Acos": torch.acos, "Atan": torch.atan,
    "Sinh": torch.sinh, "Cosh": torch.cosh, "Tanh": torch.tanh, "Asinh": torch.asinh,
    "Acosh": torch.acosh, "Atanh": torch.atanh, "Erf": torch.erf,
    "Sigmoid": torch.sigmoid, "Softplus": F.softplus, "Relu": F.relu, "And": torch.logical_and,
    "Or": torch.logical_or, "Not": torch.logical_not, "Equal": torch.eq, "Less": torch.lt,
    "LessOrEqual": torch.le, "Greater": torch.gt, "GreaterOrEqual": torch.ge, "Where": torch.where,
    "Identity": lambda x: x, "MatMul": torch.matmul, "Det": torch.det,
    "Cast": lambda x, **a: x.to(TYPE[a["to"]]), "Concat": lambda *x, **a: torch.cat(x, a["axis"]),
    "Shape": lambda x, **a: torch.tensor(x.shape)[a.get("start", 0):a.get("end", x.dim())],
    "Reshape": reshaped, "Expand": expanded,
    "Transpose": lambda x, **a: x.permute(a.get("perm", list(reversed(range(x.dim()))))),
    "Squeeze": lambda x, axes: x.reshape([n for i, n in enumerate(x.shape)
                                          if i not in [k % x.dim() for k in ints(axes)]]),
    "Slice": strided, "Pad": lambda x, p, v=None, **a: padded(x, p, v), "Conv": conv,
    "MaxPool": max_pool, "Range": lambda a, b, c: torch.arange(a.item(), b.item(), c.item(), dtype=a.dtype), "Gather": gathered,
    "GatherND": gathered_nd, "ScatterND": scattered_nd, "TopK": largest, "ArgMax": argmax,
    "GatherElements": lambda x, i, **a: torch.gather(x, a.get("axis", 0), i.long()),
    "ReduceSum": reduced(lambda x, axes, keep: torch.sum(x, axes, keep)),
    "ReduceMean": reduced(lambda x, axes, keep: torch.mean(x, axes, keep)),
    "ReduceMax": reduced(lambda x, axes, keep: torch.amax(x, axes, keep)),
    "ReduceMin": reduced(lambda x, axes, keep: torch.amin(x, axes, keep)),
    "Softmax": lambda x, **a: torch.softmax(x, a.get("axis", -1)),
    "LogSoftmax": lambda x, **a: torch.log_softmax(x, a.get("axis", -1)),
    "LayerNormalization": layer_norm, "BatchNormalization": batch_norm,
    "Mod": lambda a, b, **k: torch.fmod(a, b) if k.get("fmod") else torch.remainder(a, b),
    "ConstantOfShape": lambda s, **a: torch.full(ints(s), a["value"].item(),
                                                 dtype=a["value"].dtype),
}


def unsqueeze(x, axes):
    n = x.dim() + len(ints(axes))
    for a in sorted(k % n for k in ints(axes)):
        x = x.unsqueeze(a)
    return x


OPS["Unsqueeze"] = unsqueeze


def tensor(t):
    return torch.from_numpy(numpy_helper.to_array(t).copy())


def attributes(node):
    of = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    return {k: tensor(v) if isinstance(v, onnx.TensorProto) else v for k, v in of.items()}


def compute(graph, value):
    """All values by name; their history is kept."""
    for node in graph.node:
        a = attributes(node)
        if node.op_type == "Constant":
            value[node.output[0]] = a["value"]
            continue
        results = OPS[node.op_type](*[value[n] if n else None for n in node.input], **a)
        if isinstance(results, torch.Tensor):
            results = (results,)
        for name, result in zip(node.output, results):
            value[name] = result


def differ(name, want, got):
    """Why they differ, or None."""
    want = torch.tensor([float("nan") if v is None else v for v in want["data"]],
                        dtype=torch.float64)
    got = got.detach().to(torch.float64).reshape(-1)
    if want.shape != got.shape:
        return "%s has another shape" % name
    finite = torch.isfinite(want)
    if not finite.any():
        return None
    apart = ((want - got).abs()[finite]).max().item()
    most = max(0.01, want[finite].abs().max().item())
    return None if apart <= 1e-7 * most else "%s: differ by %g of %g" % (name, apart, most)


def check(path):
    model = onnx.load(path)
    data = json.load(open(path[:-5] + ".json"))
    value, moved = {}, {}
    for t in model.graph.initializer:
        value[t.name] = tensor(t)
    kind = {i.name: TYPE[i.type.tensor_type.elem_type] for i in model.graph.input}
    for t in data["inputs"]:
        if t["name"] in kind:
            value[t["name"]] = torch.tensor(t["data"], dtype=kind[t["name"]]).reshape(t["dims"])
    for name, t in value.items():
        if t.is_floating_point():
            moved[name] = t.requires_grad_()
    compute(model.graph, value)

    count = gradients = 0
    for t in data["outputs"]:
        name = t["name"]
        if name not in value:
            continue
        why = differ(name, t, value[name])
        if why:
            return "WRONG", why
        count += 1
        loss, _, x = name.partition("/d")
        if not loss.startswith("d") or x not in moved or loss[1:] not in value or name.startswith("dS/"):
            continue # S has a stop, which the file has not
        found = None
        if value[loss[1:]].requires_grad:
            found, = torch.autograd.grad(value[loss[1:]].sum(), moved[x], retain_graph=True,
                                         allow_unused=True)
        why = differ("PyTorch's " + name, t, torch.zeros_like(moved[x]) if found is None else found)
        if why:
            return "WRONG", why
        gradients += 1
    return "ok", "%d values, %d gradients of PyTorch" % (count, gradients)


def main():
    for path in sorted(glob.glob(sys.argv[1] + "/*.onnx")):
        name = path.split("/")[-1][:-5]
        try:
            word, text = check(path)
        except KeyError as e:
            word, text = "no", "no operator or value %s" % e
        except Exception as e:
            word, text = "no", "%s: %s" % (type(e).__name__, str(e).split("\n")[0])
        print("%s %s: %s" % (word, name, text), flush=True)


main()
