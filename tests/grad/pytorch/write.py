#!/usr/bin/python3
"""Writes the models and expected numbers of this directory, from PyTorch 1.13. The tests need only
what it has written.

    /usr/bin/python3 write.py [FAMILY ...]

A case is an expression of the language, the same in PyTorch, and its operands. As in
primitives.awk, J is a weighted sum of the values and their squares, and K the slope of J along a
fixed direction; both are differentiated with respect to every operand."""
import os
import sys
import torch
import torch.nn.functional as F
import torchvision

torch.set_default_dtype(torch.float64)


def ramp(y, start):
    return torch.sin(start + 1.7*torch.arange(y.numel(), dtype=torch.float64)).reshape(y.shape)


def floats(*shape, low=-2.0, high=2.0):
    """Numbers that look random, with three digits."""
    return ((low + (high - low)*torch.rand(shape))*1000).round()/1000


def ints(limit, *shape):
    return torch.randint(0, limit, shape)


def text(x):
    if isinstance(x, list):
        return "[" + ", ".join(text(e) for e in x) + "]"
    return repr(x)


def shape_text(x):
    return "[" + ", ".join(str(n) for n in x.shape) + "]" if x.dim() else ""


def number(x):
    """A value as expect.c reads it."""
    return text(x.tolist())


class Family:
    """A model and its expected numbers."""

    def __init__(self, name, first=""):
        torch.manual_seed(sum(name.encode()))
        self.name, self.count = name, 0
        self.model = ["# Written by write.py: values and derivatives of PyTorch.", 'import "../weigh.ng"'] + ([first] if first else [])
        self.expected = ["# Written by write.py.",
                         f"ngc run -Wno-unused-name tests/grad/pytorch/{name}.ng",
                         "tolerance 1e-09 relative"]
        self.tolerance = 1e-9

    def case(self, expression, f, second=True, held=(), tolerance=1e-9, **operands):
        """second: are second derivatives compared too? held: operands without derivatives"""
        if tolerance != self.tolerance:
            self.expected.append(f"tolerance {tolerance} relative")
            self.tolerance = tolerance
        k = self.count
        self.count += 1
        leaf = [v for v, x in operands.items() if x.dtype == torch.float64 and v not in held]
        for v, x in operands.items():
            kind = "" if x.dtype == torch.float64 else ": int"
            self.model.append(f"input {v}{k}{shape_text(x)}{kind} = {text(x.tolist())}")
        names = ", ".join(operands)
        over = ", ".join(f"{v}{k}" for v in leaf)
        self.model += [f"def f{k}({names}) = {expression}",
                       f"y{k} = f{k}({', '.join(f'{v}{k}' for v in operands)})"]
        x = {v: t.clone().requires_grad_(v in leaf) for v, t in operands.items()}
        y = f(*x.values())
        self.expected.append(f"y{k} = {number(y)}")
        if not leaf:
            self.model.append(f"output y{k}")
            return
        self.model += [f"J{k} = weigh(y{k})", f"gradient J{k} over {over}"]
        J = (ramp(y, 0.4)*(y + 0.5*y**2)).sum()
        wanted = [x[v] for v in leaf]
        g = torch.autograd.grad(J, wanted, create_graph=second)
        self.expected += [f"dJ{k}/d{v}{k} = {number(d)}" for v, d in zip(leaf, g)]
        if second:
            K = sum((d*ramp(d, 2.3)).sum() for d in g)
            h = torch.autograd.grad(K, wanted)
            self.model += [f"K{k} = along(grad(J{k}, [{over}]))", f"gradient K{k} over {over}"]
            self.expected += [f"dK{k}/d{v}{k} = {number(d)}" for v, d in zip(leaf, h)]

    def layer(self, call, f, x, **weights):
        """A layer, whose weights the command gives; second derivatives too."""
        k = self.count
        self.count += 1
        w = {v: t.clone().requires_grad_() for v, t in weights.items()}
        a = x.clone().requires_grad_()
        y = f(a, *w.values())
        J = (ramp(y, 0.4)*(y + 0.5*y**2)).sum()
        g = torch.autograd.grad(J, [a, *w.values()], create_graph=True)
        K = sum((d*ramp(d, 2.3)).sum() for d in g)
        h = torch.autograd.grad(K, [a, *w.values()])
        names = [f"x{k}"] + [f"y{k}.{v}" for v in w]
        self.model += [f"input x{k}{shape_text(x)} = {text(x.tolist())}",
                       f"y{k} = {call.replace('(x', f'(x{k}')}",
                       f"J{k} = weigh(y{k})", f"gradient J{k} over {', '.join(names)}",
                       f"K{k} = along(grad(J{k}, [{', '.join(names)}]))",
                       f"gradient K{k} over x{k}, y{k}.*"]
        self.expected[1] += "".join(f" y{k}.{v}={text(t.tolist())}".replace(", ", ",")
                                    for v, t in weights.items())
        self.expected.append(f"y{k} = {number(y)}")
        self.expected += [f"dJ{k}/d{n} = {number(d)}" for n, d in zip(names, g)]
        self.expected += [f"dK{k}/d{n} = {number(d)}" for n, d in zip(names, h)]

    def write(self):
        for ending, lines in ("ng", self.model), ("expect", self.expected):
            with open(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                   f"{self.name}.{ending}"), "w") as out:
                out.write("\n".join(lines) + "\n")


def functions():
    """Functions of one element, at ordinary places and at kinks."""
    f = Family("functions")
    f.case("asinh(x)", torch.asinh, x=floats(5, low=-9, high=9))
    f.case("acosh(x)", torch.acosh, x=floats(5, low=1.1, high=9))
    f.case("atanh(x)", torch.atanh, x=floats(5, low=-0.95, high=0.95))
    f.case("erfinv(x)", torch.erfinv, x=floats(5, low=-0.95, high=0.95))
    f.case("lgamma(x)", torch.lgamma, x=floats(6, low=-4, high=9))
    f.case("digamma(x)", torch.digamma, second=False, x=floats(6, low=-4, high=9))
    f.case("polygamma(2, x)", lambda x: torch.polygamma(2, x), x=floats(4, low=0.2, high=9))
    kinks = torch.tensor([-4.0, -3, -0.7, 0, 0.4, 3, 5])
    f.case("celu(x, 0.75)", lambda x: F.celu(x, 0.75), second=False, x=kinks)
    f.case("celu(x, 0.75)", lambda x: F.celu(x, 0.75), x=floats(6))
    f.case("selu(x)", F.selu, second=False, x=kinks)
    # its 1/6 is a float
    f.case("hardsigmoid(x)", F.hardsigmoid, second=False, tolerance=1e-7, x=kinks)
    f.case("hardsigmoid(x, 0.2)", lambda x: torch.clamp(0.2*x + 0.5, 0, 1),
           x=floats(6, low=-4, high=4))
    f.case("leaky_relu(x, slope[:, new])", F.prelu, second=False, x=floats(2, 3, 2),
           slope=floats(3))
    f.write()


def losses():
    """Weights of classes, a label that is ignored, smoothing, and the axis of the classes."""
    f = Family("losses")
    w, t = torch.tensor([0.5, 2.0, 1.25]), torch.tensor([2, 0, -100, 1])
    for how, reduction in ("mean", "mean"), ("sum", "sum"), ("identity", "none"):
        for smoothing in 0, 0.2:
            f.case(f"cross_entropy(z, t, {how}, weight, -100, {smoothing})",
                   lambda z, t, weight: F.cross_entropy(z, t, weight, reduction=reduction, label_smoothing=smoothing),
                   held=("weight",), z=floats(4, 3), t=t, weight=w)
    f.case("cross_entropy(z, t, ignore = 2)", lambda z, t: F.cross_entropy(z, t, ignore_index=2),
           z=floats(4, 3), t=ints(3, 4))
    f.case("cross_entropy(z, t, smoothing = 0.3)",
           lambda z, t: F.cross_entropy(z, t, label_smoothing=0.3), z=floats(4, 3), t=ints(3, 4))
    f.case("cross_entropy(z, t, weight = weight, axis = 1)",
           lambda z, t, weight: F.cross_entropy(z, t, weight),
           held=("weight",), z=floats(2, 3, 2, 2), t=ints(3, 2, 2, 2), weight=w)
    f.case("cross_entropy(z, t, mean, weight, smoothing = 0.1)",
           lambda z, t, weight: F.cross_entropy(z, t, weight, label_smoothing=0.1), z=floats(3, 3),
           t=floats(3, 3, low=0), weight=w, held=("weight",))
    f.case("cross_entropy(z, t, sum, weight, axis = 1)",
           lambda z, t, weight: F.cross_entropy(z, t, weight, reduction="sum"),
           held=("weight",), z=floats(2, 3, 2), t=floats(2, 3, 2, low=0), weight=w)
    f.case("nll(log_softmax(p, 1), t, mean, weight, 1, 1)",
           lambda p, t, weight: F.nll_loss(F.log_softmax(p, 1), t, weight, ignore_index=1),
           held=("weight",), p=floats(2, 3, 2), t=ints(3, 2, 2), weight=w)
    f.case("nll(p, t, identity, ignore = 0)",
           lambda p, t: F.nll_loss(p, t, reduction="none", ignore_index=0), p=floats(4, 3),
           t=ints(3, 4))
    f.write()


def padding():
    """Values, reflections, edges and other ends around a tensor."""
    f = Family("padding")
    x = floats(1, 2, 3, 4)
    f.case("pad(x, [[0, 0], [0, 0], [1, 2], [3, 0]], value = -1.5)",
           lambda x: F.pad(x, (3, 0, 1, 2), value=-1.5), x=x)
    f.case("pad_reflect(x, [0, 0, 2, 1], [0, 0, 1, 3])",
           lambda x: F.pad(x, (1, 3, 2, 1), mode="reflect"), x=x)
    f.case("pad_edge(x, [[0, 0], [0, 0], [1, 0], [2, 3]])",
           lambda x: F.pad(x, (2, 3, 1, 0), mode="replicate"), x=x)
    f.case("pad_wrap(x, [0, 0, 2, 3])", lambda x: F.pad(x, (3, 3, 2, 2), mode="circular"), x=x)
    f.case("pad_reflect(x, [0, 0, 2])", lambda x: F.pad(x, (2, 2), mode="reflect"),
           x=floats(1, 2, 3))
    f.write()


def convolution():
    """Convolutions in one to three directions: strides, paddings, dilations, groups,
    output_padding."""
    f = Family("convolution")
    f.case("conv(x, k, 2, [[1, 2]], 2)", lambda x, k: F.conv1d(F.pad(x, (1, 2)), k, None, 2, 0, 2),
           x=floats(2, 3, 7), k=floats(2, 3, 3))
    f.case("conv(x, k, [2, 1], [[0, 1], [2, 0]], 1, 2)",
           lambda x, k: F.conv2d(F.pad(x, (2, 0, 0, 1)), k, None, (2, 1), groups=2),
           x=floats(1, 2, 4, 3), k=floats(4, 1, 2, 3))
    f.case("conv(x, k, padding = same_upper)", lambda x, k: F.conv2d(x, k, padding="same"),
           x=floats(1, 1, 3, 4), k=floats(2, 1, 2, 3))
    f.case("conv(x, k, 2, same_lower)", lambda x, k: F.conv1d(F.pad(x, (2, 1)), k, None, 2),
           x=floats(1, 1, 6), k=floats(2, 1, 5))
    f.case("conv(x, k, [1, 2, 1], [1, 0, 2], [2, 1, 1])",
           lambda x, k: F.conv3d(x, k, None, (1, 2, 1), (1, 0, 2), (2, 1, 1)),
           x=floats(2, 2, 3, 4, 2), k=floats(3, 2, 2, 3, 2))
    f.case("conv(x, k, 1, 1, 1, 2)", lambda x, k: F.conv3d(x, k, padding=1, groups=2),
           x=floats(1, 4, 2, 2, 3), k=floats(2, 2, 2, 3, 2))
    f.case("conv_transpose(x, k, 3, 1, 2, 1, 2)",
           lambda x, k: F.conv_transpose1d(x, k, None, 3, 1, 2, 1, 2), x=floats(2, 2, 3),
           k=floats(2, 3, 2))
    f.case("conv_transpose(x, k, [2, 3], [1, 0], 1, 2, [1, 2])",
           lambda x, k: F.conv_transpose2d(x, k, None, (2, 3), (1, 0), (1, 2), 2),
           x=floats(1, 2, 2, 2), k=floats(2, 2, 3, 2))
    f.case("conv_transpose(x, k, 2, 1, 1, 1, [1, 0, 1])",
           lambda x, k: F.conv_transpose3d(x, k, None, 2, 1, (1, 0, 1)), x=floats(1, 2, 2, 3, 2),
           k=floats(2, 1, 3, 2, 2))
    f.write()


def pooling():
    """Pooling in one to three directions, with dilation, ceil_mode and indices."""
    f = Family("pooling")
    f.case("max_pool(x, 3, 2, 1, 2)", lambda x: F.max_pool1d(x, 3, 2, 1, 2), x=floats(2, 2, 9))
    f.case("max_pool(x, [2, 3], [2, 2], [1, 1], [1, 2], 1)",
           lambda x: F.max_pool2d(x, (2, 3), (2, 2), (1, 1), (1, 2), True), x=floats(1, 2, 4, 6))
    f.case("max_pool(x, 2, 2, 0, 1, 1)", lambda x: F.max_pool3d(x, 2, 2, 0, 1, True),
           x=floats(1, 2, 3, 2, 5))
    f.case("max_pool_index(x, [2, 3], [2, 2], [1, 1], [1, 2], 1)",
           lambda x: F.max_pool2d(x, (2, 3), (2, 2), (1, 1), (1, 2), True, return_indices=True)[1],
           held=("x",), x=floats(1, 2, 4, 6))
    f.case("max_pool_index(x, 2)", lambda x: F.max_pool3d(x, 2, return_indices=True)[1],
           held=("x",), x=floats(2, 1, 4, 2, 3))
    f.case("avg_pool(x, 3, 2, 1)", lambda x: F.avg_pool1d(x, 3, 2, 1), x=floats(2, 2, 6))
    for counted in 0, 1:
        f.case(f"avg_pool(x, 3, 2, 1, {counted}, 1, 1)",
               lambda x: F.avg_pool2d(x, 3, 2, 1, True, bool(counted)), x=floats(1, 2, 6, 4))
    f.case("avg_pool(x, 2, 2, [1, 0, 1], 0)",
           lambda x: F.avg_pool3d(x, 2, 2, (1, 0, 1), False, False), x=floats(1, 1, 3, 4, 2))
    f.write()


def images():
    """Resizing by every method and every rule for places; pixel shuffle."""
    f = Family("images")

    def resized(mode, **options):
        return lambda x: F.interpolate(x, mode=mode, **options)

    f.case("resize_nearest(x, [7, 2])", resized("nearest", size=(7, 2)), x=floats(1, 2, 3, 4))
    f.case("resize_nearest(x, scale = 2)", resized("nearest", scale_factor=2), x=floats(1, 1, 2, 3))
    f.case("resize_nearest(x, 5, at = half_pixel, rounding = half_up)",
           resized("nearest-exact", size=5), x=floats(1, 2, 3))
    f.case("resize_linear(x, [5, 3])", resized("bilinear", size=(5, 3)), x=floats(1, 2, 3, 4))
    f.case("resize_linear(x, [5, 3], at = align_corners)",
           resized("bilinear", size=(5, 3), align_corners=True), x=floats(1, 2, 3, 4))
    f.case("resize_linear(x, scale = [2, 1.7])",
           resized("bilinear", scale_factor=(2, 1.7), recompute_scale_factor=False),
           x=floats(1, 2, 2, 4))
    f.case("resize_linear(x, 7)", resized("linear", size=7), x=floats(2, 1, 3))
    f.case("resize_linear(x, [3, 2, 5])", resized("trilinear", size=(3, 2, 5)),
           x=floats(1, 1, 2, 2, 3))
    f.case("resize_cubic(x, [5, 3])", resized("bicubic", size=(5, 3)), x=floats(1, 1, 4, 5))
    f.case("resize_cubic(x, [7, 6], at = align_corners)",
           resized("bicubic", size=(7, 6), align_corners=True), x=floats(1, 1, 3, 4))
    f.case("pixel_shuffle(x, 2)", lambda x: F.pixel_shuffle(x, 2), x=floats(1, 8, 2, 3))
    f.case("pixel_unshuffle(x, 3)", lambda x: F.pixel_unshuffle(x, 3), x=floats(1, 2, 3, 6))
    f.case("pixel_unshuffle(pixel_shuffle(x, 2, 1), 2, 1)", lambda x: x + 0, x=floats(1, 8, 1, 2))
    corners = lambda x: F.interpolate(x, size=(3, 5), mode="bilinear", align_corners=True)
    f.case("resize_linear(x, [3, 5], at = [cropped(_, _, _, _, _, 0, 1), cropped(_, _, _, _, _, 0, 1)], outside = 7)", corners, x=floats(1, 1, 2, 4))
    f.case("resize_linear(x, [2, 5], at = cropped(_, _, _, _, _, -1, 1), outside = 7)",
           lambda x: torch.cat([torch.full((1, 1, 2, 2), 7.0), x], 3)[:, :, :1].repeat(1, 1, 2, 1).index_put(
               (torch.tensor(0), torch.tensor(0), torch.tensor(0)),
               torch.full((5,), 7.0)).index_put(
               (torch.tensor(0), torch.tensor(0), torch.tensor(1)), torch.cat([torch.full((2,), 7.0), x[0, 0, 1]])), x=floats(1, 1, 2, 3))
    boxes = torch.tensor([[0.5, 1.2, 7.3, 6.1], [-3.0, 2.0, 4.0, 9.5], [5.0, 5.0, 5.5, 5.25]])
    images_ = torch.tensor([1, 0, 1])
    for aligned in 0, 1:
        f.case(f"roi_align(x, boxes, k, [2, 3], scale = 0.75, samples = {2 + aligned}, offset = {aligned/2})",
               lambda x, boxes, k: torchvision.ops.roi_align(x, torch.cat([k[:, None].double(), boxes], 1), (2, 3), 0.75, 2 + aligned, bool(aligned)),
               second=False, held=("boxes",), x=floats(2, 2, 5, 6), boxes=boxes, k=images_)
    f.write()


def directions(step, x, lengths, reverse, *weights):
    """Runs step(x_t, state, *weights of the direction) as ONNX says; the state is a tuple whose
    first part is the output."""
    s, m = x.shape[:2]
    ys, lasts = [], []
    for d in range(weights[0].shape[0]):
        w = [v[d] for v in weights]
        n = w[1].shape[1]
        state = tuple(torch.zeros(m, n) for _ in range(step.states))
        out = [None]*s
        for t in range(s)[::-1] if d or reverse else range(s):
            live = (t < lengths)[:, None]
            new = step(x[t], state, *w)
            out[t] = torch.where(live, new[0], torch.zeros(()))
            state = tuple(torch.where(live, a, b) for a, b in zip(new, state))
        ys.append(torch.stack(out))
        lasts.append(state)
    return torch.stack(ys, 1), [torch.stack(part) for part in zip(*lasts)]


def sequences():
    """LSTM, GRU and RNN, by PyTorch's layers where they have it, by the equations of ONNX's
    documentation elsewhere."""
    f = Family("sequences")

    def layer(kind, order, n, back=False, **options):
        """PyTorch's layer, whose gates have another order."""
        def run(x, W, R, B):
            net = kind(x.shape[2], n, bidirectional=back, **options)
            parts = []
            for d in range(W.shape[0]):
                pick = lambda v: torch.cat([v[g*n:(g + 1)*n] for g in order])
                size = B.shape[1]//2
                parts += [pick(W[d]), pick(R[d]), pick(B[d, :size]), pick(B[d, size:])]
            state = torch.zeros(W.shape[0], x.shape[1], n)
            states = (state, state) if kind is torch.nn.LSTM else state
            call = {torch.nn.LSTM: torch._VF.lstm, torch.nn.GRU: torch._VF.gru,
                    torch.nn.RNN: torch._VF.rnn_tanh}[kind]
            y = call(x, states, parts, True, 1, 0.0, False, back, False)[0]
            return y.reshape(x.shape[0], x.shape[1], W.shape[0], n).transpose(1, 2)
        return run

    f.case("lstm_sequence(x, W, R, B)[0]", layer(torch.nn.LSTM, [0, 2, 3, 1], 2, True),
           x=floats(3, 2, 3), W=floats(2, 8, 3), R=floats(2, 8, 2),
           B=floats(2, 16))
    f.case("gru_sequence(x, W, R, B, after_reset = 1)[0]", layer(torch.nn.GRU, [1, 0, 2], 2, True),
           x=floats(3, 2, 3), W=floats(2, 6, 3), R=floats(2, 6, 2), B=floats(2, 12))
    f.case("rnn_sequence(x, W, R, B)[0]", layer(torch.nn.RNN, [0], 2), x=floats(3, 2, 3),
           W=floats(1, 2, 3), R=floats(1, 2, 2), B=floats(1, 4))

    def lstm(x, state, W, R, B, P):
        h, c = state
        n = h.shape[1]
        a = x @ W.T + h @ R.T + B[:4*n] + B[4*n:]
        i = torch.sigmoid(a[:, :n] + P[:n]*c)
        keep = torch.sigmoid(a[:, 2*n:3*n] + P[2*n:]*c)
        c = keep*c + i*torch.tanh(a[:, 3*n:])
        return torch.sigmoid(a[:, n:2*n] + P[n:2*n]*c)*torch.tanh(c), c

    def gru(x, state, W, R, B):
        h, = state
        n = h.shape[1]
        a, b = x @ W.T + B[:3*n], B[3*n:]
        u = torch.sigmoid(a[:, :n] + h @ R[:n].T + b[:n])
        r = torch.sigmoid(a[:, n:2*n] + h @ R[n:2*n].T + b[n:2*n])
        return (1 - u)*torch.tanh(a[:, 2*n:] + (r*h) @ R[2*n:].T + b[2*n:]) + u*h,

    lstm.states, gru.states = 2, 1
    lengths = torch.tensor([2, 3, 1])
    f.case("lstm_sequence(x, W, R, B, P = P, lengths = lengths)[0]",
           lambda x, W, R, B, P, lengths: directions(lstm, x, lengths, False, W, R, B, P)[0],
           x=floats(3, 3, 2), W=floats(2, 8, 2), R=floats(2, 8, 2), B=floats(2, 16),
           P=floats(2, 6), lengths=lengths)
    f.case("lstm_sequence(x, W, R, B, 0, 0, P, lengths, 1)[2]",
           lambda x, W, R, B, P, lengths: directions(lstm, x, lengths, True, W, R, B, P)[1][1],
           x=floats(3, 3, 2), W=floats(1, 8, 2), R=floats(1, 8, 2), B=floats(1, 16),
           P=floats(1, 6), lengths=lengths)
    f.case("gru_sequence(x, W, R, B, lengths = lengths)[1]",
           lambda x, W, R, B, lengths: directions(gru, x, lengths, False, W, R, B)[1][0],
           x=floats(3, 3, 2), W=floats(2, 6, 2), R=floats(2, 6, 2), B=floats(2, 12),
           lengths=lengths)
    f.write()


def places():
    """Several indices, gather, scatter, grid_sample."""
    f = Family("places")
    i, j = torch.tensor([[2, 0], [1, 2]]), torch.tensor([[3, 1]])
    f.case("x[i, j]", lambda x, i, j: x[i, j], x=floats(3, 4, 2), i=i, j=j)
    f.case("x[:, i, j, 1]", lambda x, i, j: x[:, i, j, 1], x=floats(2, 3, 4, 2), i=i, j=j)
    f.case("gather_nd(x, i)", lambda x, i: x[i[:, 0], i[:, 1]], x=floats(3, 3, 2), i=ints(3, 4, 2))
    f.case("gather_nd(x, i, 1)", lambda x, i: torch.stack([x[b][i[b, :, 0]] for b in range(2)]),
           x=floats(2, 3, 2), i=ints(3, 2, 4, 1))
    f.case("gather_elements(x, i, 1)", lambda x, i: x.gather(1, i), x=floats(3, 4), i=ints(4, 2, 5))
    k = torch.tensor([[2, 0], [1, 3]])
    f.case("scatter_nd_set(x, i, u)", lambda x, i, u: x.index_put((i[:, 0], i[:, 1]), u),
           x=floats(3, 4, 2), i=k, u=floats(2, 2))
    f.case("scatter_nd_add(x, i, u)", lambda x, i, u: x.index_put((i[:, 0],), u, accumulate=True),
           x=floats(3, 2), i=ints(3, 5, 1), u=floats(5, 2))
    f.case("scatter_elements_set(x, i, u, 1)", lambda x, i, u: x.scatter(1, i, u), x=floats(3, 4),
           i=torch.tensor([[0, 3], [2, 1]]), u=floats(2, 2))
    f.case("scatter_elements_add(x, i, u)", lambda x, i, u: x.scatter_add(0, i, u), x=floats(3, 4),
           i=ints(3, 5, 4), u=floats(5, 4))
    f.case("scatter_elements_max(x, i, u, 1)", lambda x, i, u: x.scatter_reduce(1, i, u, "amax"),
           second=False, x=floats(2, 3), i=ints(3, 2, 6), u=floats(2, 6))
    f.case("scatter_elements_min(x, from_end(i, 3), u, 1)",
           lambda x, i, u: x.scatter_reduce(1, i % 3, u, "amin"), second=False, x=floats(2, 3),
           i=ints(3, 2, 6) - 3, u=floats(2, 6))
    f.case("scatter_elements_mul(x, i, u, 1)",
           lambda x, i, u: torch.stack([torch.stack([x[r, c]*u[r][i[r] == c].prod() for c in range(3)]) for r in range(2)]),
           x=floats(2, 3), i=ints(3, 2, 4), u=floats(2, 4))
    f.case("scatter_nd_mul(x, i, u)",
           lambda x, i, u: torch.stack([x[c]*u[i[:, 0] == c].prod(0) for c in range(3)]), x=floats(3, 2), i=ints(3, 4, 1), u=floats(4, 2))
    f.case("scatter_nd_min(x, i, u)",
           lambda x, i, u: torch.minimum(x,
                   torch.stack([torch.cat([u[i[:, 0] == c], x[c:c + 1] + 1]).amin(0) for c in range(3)])),
           second=False, x=floats(3, 2), i=ints(3, 4, 1), u=floats(4, 2))
    modes = {"nearest": 0, "bilinear": 1, "bicubic": 3}
    rules = {"zeros": "zeros", "border": "pad_edge", "reflection": "pad_reflect"}
    for mode, degree in modes.items():
        for rule, outside in rules.items():
            for corners in 0, 1:
                f.case(f"grid_sample(x, g, {degree}, {outside}, {corners})",
                       lambda x, g: F.grid_sample(x, g, mode, rule, bool(corners)), second=False,
                       held=("g",) if degree == 0 else (), x=floats(1, 2, 3, 4),
                       g=floats(1, 2, 2, 2, low=-1.7, high=1.7))
    f.case("grid_sample(x, g)", lambda x, g: F.grid_sample(x, g, align_corners=False),
           second=False, x=floats(2, 1, 2, 3, 2), g=floats(2, 1, 2, 2, 3, low=-1.2, high=1.2))
    f.write()


def matrices():
    """Cholesky factors and triangular equations."""
    f = Family("matrices")
    f.case("cholesky(a @ a' + eye(3))", lambda a: torch.linalg.cholesky(a @ a.T + torch.eye(3)),
           a=floats(3, 3))
    f.case("cholesky(a @ a' + eye(2))",
           lambda a: torch.linalg.cholesky(a @ a.transpose(1, 2) + torch.eye(2)), a=floats(2, 2, 3))
    A = floats(3, 3) + 3*torch.eye(3)
    f.case("solve_triangular(A, b)", lambda A, b: torch.linalg.solve_triangular(A, b, upper=False),
           A=A, b=floats(3, 2))
    f.case("solve_triangular(A, b, 1)",
           lambda A, b: torch.linalg.solve_triangular(A, b, upper=True), A=A, b=floats(3, 2))
    f.case("solve_triangular(A, b, 1, 1)",
           lambda A, b: torch.linalg.solve_triangular(A, b, upper=True, unitriangular=True), A=A,
           b=floats(3, 2))
    f.case("solve_triangular(A, b, unit = 1)",
           lambda A, b: torch.linalg.solve_triangular(A, b, upper=False, unitriangular=True),
           A=floats(2, 2, 2), b=floats(2, 2, 1))
    f.write()


def spectra():
    """The discrete Fourier transform, of lengths with several prime factors."""
    f = Family("spectra")
    pair = lambda x: torch.view_as_complex(x.contiguous())
    f.case("dft(x, 1)", lambda x: torch.view_as_real(torch.fft.fft(pair(x), dim=1)),
           x=floats(2, 6, 2))
    f.case("dft(x, n = 17)", lambda x: torch.view_as_real(torch.fft.fft(pair(x), n=17)),
           x=floats(9, 2))
    f.case("dft(x, 0, 5, 1)", lambda x: torch.view_as_real(torch.fft.ifft(pair(x), n=5, dim=0)),
           x=floats(8, 2, 2))
    f.case("dft(x, half = 1)", lambda x: torch.view_as_real(torch.fft.rfft(x[..., 0])),
           x=floats(2, 34, 1))
    f.write()


def sorting():
    """Sorted elements, the largest ones, and where they are, with equal ones among them."""
    f = Family("sorting")
    f.case("sort(x)", lambda x: x.sort(-1)[0], x=floats(2, 5))
    f.case("sort(x, 0, 1)", lambda x: x.sort(0, descending=True)[0], x=floats(4, 2))
    f.case("argsort(x)", lambda x: x.sort(dim=-1, stable=True)[1], held=("x",), x=ints(3, 2, 6)*1.0)
    f.case("argsort(x, descending = 1)", lambda x: x.sort(dim=-1, descending=True, stable=True)[1],
           held=("x",), x=ints(3, 2, 6)*1.0)
    f.case("largest(x, 3)[0]", lambda x: x.topk(3)[0], x=floats(2, 7))
    f.case("largest(x, 2, 1)[1]", lambda x: x.topk(2, 1)[1], held=("x",), x=floats(2, 7, 2))
    f.case("smallest(x, 2, 0)[0]", lambda x: x.topk(2, 0, False)[0], x=floats(5, 2))
    f.write()


def adapters():
    """Layers with a product of low rank."""
    f = Family("adapters")
    f.layer("lora(x, 3, tanh, rank = 2, alpha = 5)",
            lambda x, W, A, B, b: torch.tanh(x @ W.T + b + 5/2*(x @ A.T @ B.T)),
            floats(2, 2, 4), W=floats(3, 4), A=floats(2, 4), B=floats(3, 2), b=floats(3))
    f.layer("lora(x, 2, bias = 0)", lambda x, W, A, B: x @ W.T + 16/8*(x @ A.T @ B.T),
            floats(2, 3), W=floats(2, 3), A=floats(8, 3), B=floats(2, 8))
    f.layer("lora_conv2d(x, 4, 3, 2, 1, groups = 2, act = tanh, rank = 3)",
            lambda x, W, A, B, b: torch.tanh(F.conv2d(x, W, b, 2, 1, 1, 2)
                                             + 16/3*F.conv2d(F.conv2d(x, A, None, 2, 1), B)),
            floats(2, 2, 4, 5), W=floats(4, 1, 3, 3), A=floats(3, 2, 3, 3), B=floats(4, 3, 1, 1),
            b=floats(4))

    def attend(x, W, A, B, b, V, C, D, c):
        q, k, v = (x @ W.T + b + 16/2*(x @ A.T @ B.T)).reshape(2, 3, 3, 2, 2).permute(2, 0, 3, 1, 4)
        y = torch.softmax(q @ k.transpose(-1, -2)/2**0.5, -1) @ v
        y = y.transpose(1, 2).reshape(x.shape)
        return y @ V.T + c + 16/2*(y @ C.T @ D.T)

    f.layer("multi_head_attention(x, 2, rank = 2)", attend, floats(2, 3, 4),
            **{"qkv.W": floats(12, 4), "qkv.A": floats(2, 4),
               "qkv.B": floats(12, 2, low=-0.2, high=0.2), "qkv.b": floats(12),
               "out.W": floats(4, 4), "out.A": floats(2, 4), "out.B": floats(4, 2),
               "out.b": floats(4)})
    f.write()


FAMILIES = [adapters, functions, losses, padding, convolution, pooling, images, sequences, places,
            matrices, spectra, sorting]

if __name__ == "__main__":
    for family in FAMILIES:
        if len(sys.argv) == 1 or family.__name__ in sys.argv[1:]:
            family()
