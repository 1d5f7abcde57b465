#!/usr/bin/env python3
"""frameworks.py - the steps of models a to f, compared with PyTorch and NumPy: frameworks.py NGC [MODEL ...]

Each model is compiled as the README says and loaded by its manifest; PyTorch and NumPy start from the same params. First the losses
of a few steps must agree. Then the contenders are timed in turn, on one thread. PyTorch also runs on all processors, and its best
time counts. ROUNDS=15. Look at the ratios: the times depend on the machine and the moment.
"""
import ctypes
import os
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OPENBLAS_THREAD_TIMEOUT"] = "22"  # idle threads sleep after 2^22 ticks, about 1 ms, otherwise they disturb the next contender
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "examples", "embed"))

try:
    import numpy as np
except ImportError:
    sys.exit("frameworks.py: NumPy is missing (Debian's python3-numpy)")
try:
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = None
    print("PyTorch is missing (Debian's python3-torch): only NumPy is compared", file=sys.stderr)

from host import Model

STEPS = 3          # steps whose losses are compared
SAMPLE = 0.02      # seconds for a measurement


# ---- ngc ------------------------------------------------------------------------------------------------------------


class Ngc:
    def __init__(self, ngc, name, directory):
        base = os.path.join(directory, name)
        lib = os.path.join(os.path.dirname(ngc), "libngrt.a")
        subprocess.run([ngc, "--prefix=model", "--manifest", os.path.join(HERE, name + ".ng"), "-o", base + ".c"], check=True)
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-I" + os.path.join(TOP, "runtime"), os.path.join(HERE, "repeat.c"),
                        base + ".c", lib, "-lopenblas", "-lm", "-lpthread", "-o", base + ".so"], check=True)
        self.model = Model(base + ".so", base + ".json")
        self.model.call("init", 1)
        block = [self.model.block.get(b) for b in ("params", "state", "inputs", "work")]
        self.arguments = [ctypes.byref(b) if b is not None else None for b in block]
        random = np.random.default_rng(1)
        self.inputs = {}
        for t in self.model.about["tensors"]:
            if t["role"] == "input":
                whole = t["type"] == "int32"
                x = random.integers(0, t.get("limit", 2), t["shape"]) if whole else random.uniform(-1, 1, t["shape"])
                self.inputs[t["name"]] = x.astype(t["type"])
                self.model.set(t["name"], self.inputs[t["name"]])

    def params(self):
        return [self.model.array(t["name"]).copy() for t in self.model.about["tensors"] if t["role"] == "param"]

    def steps(self, n):
        if self.model.library.repeat(ctypes.c_long(n), *self.arguments) != 0:
            raise RuntimeError("the step failed")

    def loss(self):
        self.steps(1)
        return self.model.get("J")


# ---- PyTorch: the loss of each model, from its params in their order ---------------------------------------------------


def dense_net(p, x, act):
    for i in range(0, len(p) - 2, 2):
        x = act(F.linear(x, p[i], p[i + 1]))
    return F.linear(x, p[-2], p[-1])


def loss_a(p, x, t):
    return ((torch.sigmoid(dense_net(p, x[None, :], torch.sigmoid))[0] - t) ** 2).mean()


def loss_b(p, x, t):
    return F.cross_entropy(dense_net(p, x, torch.tanh), t)


def loss_c(p, x, t):
    return F.cross_entropy(dense_net(p, x, torch.relu), t)


def loss_d(p, x, t):
    return F.mse_loss(dense_net(p, x, torch.relu), t)


def loss_e(p, x, t):
    c = F.relu(F.conv2d(x, p[0], p[1], padding=2))
    d = F.relu(F.conv2d(F.max_pool2d(c, 2), p[2], p[3]))
    return F.cross_entropy(dense_net(p[4:], F.max_pool2d(d, 2).flatten(1), torch.relu), t)


def loss_f(p, x, t):
    width, heads = p[0].shape[1], 4
    mask = torch.tril(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool))
    h = F.embedding(x, p[1]) + p[0]
    for i in range(2, len(p) - 4, 12):
        u_gain, u_bias, qkv_w, qkv_b, out_w, out_b, v_gain, v_bias, w1, b1, w2, b2 = p[i:i + 12]
        u = F.layer_norm(h, (width,), u_gain, u_bias)
        qkv = F.linear(u, qkv_w, qkv_b).reshape(*x.shape, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        scores = qkv[0] @ qkv[1].transpose(-1, -2) / (width // heads) ** 0.5
        y = torch.softmax(scores.masked_fill(~mask, float("-inf")), -1) @ qkv[2]
        h = h + F.linear(y.permute(0, 2, 1, 3).reshape(h.shape), out_w, out_b)
        v = F.layer_norm(h, (width,), v_gain, v_bias)
        h = h + F.linear(F.gelu(F.linear(v, w1, b1), approximate="tanh"), w2, b2)
    y = F.linear(F.layer_norm(h, (width,), p[-4], p[-3]), p[-2], p[-1])
    return F.cross_entropy(y.flatten(0, 1), t.flatten())


class Torch:
    def __init__(self, name, params, inputs):
        self.of = {"a": loss_a, "b": loss_b, "c1": loss_c, "c2": loss_c, "d": loss_d, "e": loss_e, "f": loss_f}[name]
        self.p = [torch.tensor(v, requires_grad=True) for v in params]
        self.x = {k: torch.tensor(v.astype(np.int64) if v.dtype == np.int32 else v) for k, v in inputs.items()}
        rate = {"e": 0.05}.get(name, 0.1)
        self.optimizer = torch.optim.Adam(self.p, lr=0.0003) if name == "f" else torch.optim.SGD(self.p, lr=rate)

    def loss(self):
        self.optimizer.zero_grad()
        loss = self.of(self.p, **self.x)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def steps(self, n):
        for _ in range(n):
            self.loss()


# ---- NumPy: dense nets, by hand ----------------------------------------------------------------------------------------


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


ACTIVATIONS = {  # and the slope, computed from the activation's value
    "a": (sigmoid, lambda a: a * (1 - a)),
    "b": (np.tanh, lambda a: 1 - a * a),
    "relu": (lambda z: np.maximum(z, 0), lambda a: a > 0),
}


class Numpy:
    def __init__(self, name, params, inputs):
        self.name, self.p = name, [v.copy() for v in params]
        self.x, self.t = inputs["x"].reshape(-1, inputs["x"].shape[-1]), inputs["t"]
        self.act, self.slope = ACTIVATIONS.get(name, ACTIVATIONS["relu"])

    def last(self, z):
        """The loss and its derivative with respect to the last layer's sums."""
        if self.name == "a":
            y = sigmoid(z)
            d = y - self.t
            return float((d * d).mean()), 2 * d * y * (1 - y)
        if self.name == "d":
            d = z - self.t
            return float((d * d).mean()), 2 * d / d.size
        rows = np.arange(len(z))
        e = np.exp(z - z.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
        loss = float(-np.log(p[rows, self.t]).mean())
        p[rows, self.t] -= 1
        return loss, p / len(z)

    def loss(self):
        layers, a = len(self.p) // 2, [self.x]
        for i in range(layers):
            z = a[i] @ self.p[2 * i].T + self.p[2 * i + 1]
            a.append(self.act(z) if i < layers - 1 else z)
        loss, dz = self.last(a[-1])
        for i in reversed(range(layers)):
            dw, db = dz.T @ a[i], dz.sum(0)
            if i > 0:
                dz = dz @ self.p[2 * i] * self.slope(a[i])
            self.p[2 * i] -= np.float32(0.1) * dw
            self.p[2 * i + 1] -= np.float32(0.1) * db
        return loss

    def steps(self, n):
        for _ in range(n):
            self.loss()


# ---- measuring ---------------------------------------------------------------------------------------------------------


def threads(n):
    """For PyTorch and for the OpenBLAS that it calls."""
    torch.set_num_threads(n)
    ctypes.CDLL("libopenblas.so.0").openblas_set_num_threads(n)


def timed(contender, n):
    start = time.perf_counter()
    contender.steps(n)
    return (time.perf_counter() - start) / n


def compare(ngc, name, directory, rounds):
    ours = Ngc(ngc, name, directory)
    params = ours.params()
    others = {}
    if name in ("a", "b", "c1", "c2", "d"):
        others["NumPy"] = Numpy(name, params, ours.inputs)
    if torch:
        others["PyTorch"] = Torch(name, params, ours.inputs)
    want = [ours.loss() for _ in range(STEPS)]
    for title, other in others.items():
        got = [other.loss() for _ in range(STEPS)]
        if not all(abs(x - y) <= 1e-3 * max(1, abs(x)) for x, y in zip(want, got)):
            print(f"{name}: {title}'s losses {got} are not ours, {want}")
            return False
    contenders = {"ngc": (ours, 1)}
    contenders.update({title: (other, 1) for title, other in others.items()})
    if torch:
        contenders["PyTorch, all threads"] = (others["PyTorch"], os.cpu_count())
    count, times = {}, {title: [] for title in contenders}
    for title, (contender, n) in contenders.items():
        if torch:
            threads(n)
        contender.steps(2)
        once = timed(contender, 1)
        count[title] = max(1, int(SAMPLE / once))
    for _ in range(rounds):
        for title, (contender, n) in contenders.items():
            if torch:
                threads(n)
            contender.steps(1)
            times[title].append(timed(contender, count[title]))
            if n > 1:
                time.sleep(0.05)
    line = f"{name:3} ngc {statistics.median(times['ngc']) * 1e6:10.2f} us"
    for title in list(contenders)[1:]:
        ratio = statistics.median(t / o for t, o in zip(times[title], times["ngc"]))
        line += f"   {title} / ngc {ratio:7.2f}"
    print(line, flush=True)
    return True


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    names = sys.argv[2:] or ["a", "b", "c1", "c2", "d", "e", "f"]
    with tempfile.TemporaryDirectory() as directory:
        good = [compare(os.path.abspath(sys.argv[1]), name, directory, int(os.environ.get("ROUNDS", 15))) for name in names]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
