#!/usr/bin/env python3
"""frameworks.py - the steps of models compared with PyTorch and NumPy: frameworks.py NGC [WORKLOAD
...]

The workloads are models of this directory, some with other sizes (WORKLOADS below). Each is
compiled as the README says and loaded by its manifest; PyTorch and NumPy start from the same
params. First the results of a few calls must agree. Then the contenders are timed in turn, on one
thread. PyTorch also runs on all processors; there the wall's time counts. ROUNDS=15. Look at the
ratios: the times depend on the machine and the moment. """
import ctypes
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"
# idle threads sleep after 2^22 ticks, about 1 ms, otherwise they disturb the next contender
os.environ["OPENBLAS_THREAD_TIMEOUT"] = "22"
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

STEPS = 3          # calls whose results are compared
SAMPLE = 0.02      # seconds for a measurement


# ---- ngc -----------------------------------------------------------------------------------------


class Ngc:
    def __init__(self, ngc, name, directory):
        work = WORKLOADS[name]
        self.what = work.what
        base = os.path.join(directory, name)
        lib = os.path.join(os.path.dirname(ngc), "libngrt.a")
        sizes = ["-D" + size for size in work.sizes.split()]
        model = os.path.join(HERE, work.model + ".ng")
        report = subprocess.run([ngc, "--prefix=model", "--manifest", "--report", *sizes, model,
                                 "-o", base + ".c"],
                                check=True, capture_output=True, text=True).stdout
        self.flops, self.bytes = self.costs(report)
        sources = [os.path.join(HERE, "repeat.c"), os.path.join(HERE, "limits.c"), base + ".c"]
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-DWHAT=" + work.what,
                        "-I" + os.path.join(TOP, "runtime"), *sources,
                        lib, "-lopenblas", "-lm", "-lpthread", "-o", base + ".so"], check=True)
        self.model = Model(base + ".so", base + ".json")
        self.model.call("init", 1)
        block = [self.model.block.get(b) for b in ("params", "state", "inputs", "work")]
        self.arguments = [ctypes.byref(b) if b is not None else None for b in block]
        random = np.random.default_rng(1)
        self.inputs = {}
        for t in self.model.about["tensors"]:
            if t["role"] == "input":
                whole = t["type"] == "int32"
                if whole:
                    x = random.integers(0, t.get("limit", 2), t["shape"])
                else:
                    x = random.uniform(-1, 1, t["shape"])
                self.inputs[t["name"]] = x.astype(t["type"])
                self.model.set(t["name"], self.inputs[t["name"]])

    def costs(self, report):
        """The operations of a call, and the bytes that it moves: two lines of the report."""
        found = re.search(rf"^{self.what}: (\d+) flops.*\n  moves: (\d+) bytes read, (\d+) written",
                          report, re.M)
        return int(found[1]), int(found[2]) + int(found[3])

    def limits(self):
        """What a thread can do at most just now: operations and bytes in a second."""
        value = []
        for limit in (self.model.library.limit_flops, self.model.library.limit_bytes):
            limit.restype = ctypes.c_double
            value.append(limit() * 1e6)
        return value

    def params(self):
        return [self.model.array(t["name"]).copy() for t in self.model.about["tensors"]
                if t["role"] == "param"]

    def steps(self, n):
        if self.model.library.repeat(ctypes.c_long(n), *self.arguments) != 0:
            raise RuntimeError("the step failed")

    def result(self):
        """What a call leaves: the loss of a step, or the output of predict."""
        self.steps(1)
        return self.model.array("J" if self.what == "step" else "y").copy()


# ---- PyTorch: the loss of each model, from its params in their order -----------------------------


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


def conv(p, x, stride=1, groups=1, act=None):
    """A convolution of 3 x 3 or 1 x 1 with the next weights; without `act` it has no bias."""
    w = next(p)
    y = F.conv2d(x, w, next(p) if act else None, stride, w.shape[-1] // 2, groups=groups)
    return act(y) if act else y


def norm(p, x):
    """Batch norm with the next gain and bias; the running mean and variance are moved too, as a
    layer's are."""
    gain, bias = next(p), next(p)
    if not hasattr(gain, "running"):
        gain.running = torch.zeros(len(gain)), torch.ones(len(gain))
    return F.batch_norm(x, *gain.running, gain, bias, training=True)


def loss_vgg(p, x, t):
    p = iter(p)
    for _ in range(3):
        x = F.max_pool2d(conv(p, conv(p, x, act=F.relu), act=F.relu), 2)
    return F.cross_entropy(dense_net(list(p), x.flatten(1), F.relu), t)


def loss_resnet18(p, x, t):
    p = iter(p)
    h = F.relu(norm(p, conv(p, x)))
    for stage in range(4):
        for i in range(2):
            stride = 2 if stage > 0 and i == 0 else 1
            y = F.relu(norm(p, conv(p, h, stride)))
            y = norm(p, conv(p, y))
            h = F.relu(y + (norm(p, conv(p, h, 2)) if stride == 2 else h))
    return F.cross_entropy(F.linear(h.mean((2, 3)), *p), t)


def loss_mobilenet(p, x, t):
    p = iter(p)
    h = F.relu(norm(p, conv(p, x)))
    for stride in (1, 2, 1, 2, 1, 2, 1, 1):
        h = F.relu(norm(p, conv(p, h, stride, h.shape[1])))
        h = F.relu(norm(p, conv(p, h)))
    return F.cross_entropy(F.linear(h.mean((2, 3)), *p), t)


def loss_lstm(p, x, t):
    zero = torch.zeros(1, len(x), p[1].shape[1])
    y, _, _ = torch.lstm(x, (zero, zero), [p[0], p[1], p[2], torch.zeros_like(p[2])], True, 1, 0.0,
                         True, False, True)
    return F.cross_entropy(F.linear(y[:, -1], p[3], p[4]), t)


def loss_gru(p, x, t):
    zero = torch.zeros(1, len(x), p[1].shape[1])
    y, _ = torch.gru(x, zero, p[:4], True, 1, 0.0, True, False, True)
    return F.cross_entropy(F.linear(y[:, -1], p[4], p[5]), t)


def loss_embedding(p, i, t):
    return F.mse_loss(F.embedding(i, p[0], sparse=True), t)


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def loss_hessian(p):
    torch.autograd.functional.hessian(rosenbrock, p[0].detach(), vectorize=True)
    return rosenbrock(p[0])


def loss_kmeans(p, x):
    return ((x[:, None] - p[0]) ** 2).sum(-1).min(1)[0].mean()


def loss_gmm(p, x):
    alphas, means, logs, lower = p
    q = torch.diag_embed(torch.exp(logs)) + torch.tril(lower, -1)
    y = torch.einsum("kij,nkj->nki", q, x[:, None] - means)
    inner = alphas + logs.sum(1) - 0.5 * (y ** 2).sum(2)
    return torch.logsumexp(alphas, 0) - torch.logsumexp(inner, 1).mean()


def loss_gp(p, x, t):
    scale, length, noise = p[0]
    d = ((x[:, None] - x) ** 2).sum(-1)
    k = torch.exp(2 * scale) * torch.exp(-0.5 * d * torch.exp(-2 * length)) + torch.exp(2 * noise) * torch.eye(len(x))
    factor = torch.linalg.cholesky(k)
    z = torch.linalg.solve_triangular(factor, t[:, None], upper=False)
    return 0.5 * (z ** 2).sum() + torch.log(torch.diag(factor)).sum()


def predict_c(p, x):
    with torch.no_grad():
        return torch.softmax(dense_net(p, x, torch.relu), 1)


class Work:
    """A workload: a model with sizes, what is called of its C, and the loss (or the output) by
    PyTorch."""

    def __init__(self, model, torch_loss, sizes="", what="step", adam=None, rate=0.1):
        self.model, self.torch_loss, self.sizes = model, torch_loss, sizes
        self.what, self.adam, self.rate = what, adam, rate


WORKLOADS = {
    "a": Work("a", loss_a),
    "b": Work("b", loss_b),
    "c1": Work("c1", loss_c),
    "c2": Work("c2", loss_c),
    "d": Work("d", loss_d),
    "e": Work("e", loss_e, rate=0.05),
    "f": Work("f", loss_f, adam=0.0003),
    "gpt256": Work("f", loss_f, "T=256", adam=0.0003),
    "gpt1024": Work("f", loss_f, "m=1 T=1024", adam=0.0003),
    "vgg8": Work("vgg", loss_vgg, rate=0.05),
    "vgg32": Work("vgg", loss_vgg, "m=32", rate=0.05),
    "resnet18": Work("resnet18", loss_resnet18, rate=0.001),
    "mobilenet8": Work("mobilenet", loss_mobilenet, rate=0.001),
    "mobilenet32": Work("mobilenet", loss_mobilenet, "m=32", rate=0.001),
    "lstm1": Work("lstm", loss_lstm, "m=1"),
    "lstm32": Work("lstm", loss_lstm),
    "gru1": Work("gru", loss_gru, "m=1"),
    "gru32": Work("gru", loss_gru),
    "embedding": Work("embedding", loss_embedding),
    "classes": Work("classes", loss_c),
    "predict1": Work("predict", predict_c, what="predict"),
    "kmeans": Work("kmeans", loss_kmeans),
    "gmm": Work("gmm", loss_gmm, rate=0.01),
    "gp": Work("gp", loss_gp, rate=1e-5),
    "hessian": Work("hessian", loss_hessian, rate=1e-5),
}


class Torch:
    def __init__(self, name, params, inputs):
        self.work = WORKLOADS[name]
        self.p = [torch.tensor(v, requires_grad=True) for v in params]
        self.x = {k: torch.tensor(v.astype(np.int64) if v.dtype == np.int32 else v)
                  for k, v in inputs.items()}
        adam, rate = self.work.adam, self.work.rate
        self.optimizer = torch.optim.Adam(self.p, lr=adam) if adam else torch.optim.SGD(self.p, lr=rate)

    def predict(self):
        return self.work.torch_loss(self.p, **self.x)

    def loss(self):
        self.optimizer.zero_grad()
        loss = self.work.torch_loss(self.p, **self.x)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def result(self):
        return self.loss() if self.work.what == "step" else self.predict().numpy()

    def steps(self, n):
        do = self.loss if self.work.what == "step" else self.predict
        for _ in range(n):
            do()


# ---- NumPy: dense nets, by hand ------------------------------------------------------------------


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

    def result(self):
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
            self.result()


# ---- measuring -----------------------------------------------------------------------------------


def threads(n):
    """For PyTorch and for the OpenBLAS that it calls."""
    torch.set_num_threads(n)
    ctypes.CDLL("libopenblas.so.0").openblas_set_num_threads(n)


def processor():
    """The processor's name, with the numbers by which its maker tells generations apart."""
    try:
        with open("/proc/cpuinfo") as f:
            about = dict(re.findall(r"^(model name|cpu family|model)\s*: (.*)$", f.read(), re.M))
    except OSError:
        about = {}
    return f"{about.get('model name', 'unknown')}, family {about.get('cpu family', '?')}, model {about.get('model', '?')}"


def timed(contender, n):
    """Seconds of a call: this thread's processor time, which other work on the machine does not
    change much, and the wall's."""
    start = time.thread_time(), time.perf_counter()
    contender.steps(n)
    return np.array([time.thread_time() - start[0], time.perf_counter() - start[1]]) / n


def compare(ngc, name, directory, rounds):
    ours = Ngc(ngc, name, directory)
    params = ours.params()
    others = {}
    if name in ("a", "b", "c1", "c2", "d"):
        others["NumPy"] = Numpy(name, params, ours.inputs)
    if torch:
        others["PyTorch"] = Torch(name, params, ours.inputs)
    want = [ours.result() for _ in range(STEPS)]
    for title, other in others.items():
        got = [other.result() for _ in range(STEPS)]
        if not all(np.allclose(x, y, rtol=1e-3, atol=1e-3) for x, y in zip(want, got)):
            print(f"{name}: {title}'s results {got} are not ours, {want}")
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
        count[title] = max(1, int(SAMPLE / timed(contender, 1)[1]))
    for _ in range(rounds):
        for title, (contender, n) in contenders.items():
            if torch:
                threads(n)
            contender.steps(1)
            times[title].append(timed(contender, count[title]))
            if n > 1:
                time.sleep(0.05)
    once = statistics.median(t[0] for t in times["ngc"])
    share = [cost / once / limit for cost, limit in zip((ours.flops, ours.bytes), ours.limits())]
    line = f"{name:11} ngc {once * 1e6:10.2f} us, {share[0]:4.2f} of the peak, {share[1]:5.2f} of the bandwidth"
    for title in list(contenders)[1:]:
        clock = 0 if contenders[title][1] == 1 else 1
        ratio = statistics.median(t[clock] / o[clock] for t, o in zip(times[title], times["ngc"]))
        line += f"   {title} / ngc {ratio:7.2f}"
    print(line, flush=True)
    return True


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    names = sys.argv[2:] or list(WORKLOADS)
    print("processor: " + processor())
    with tempfile.TemporaryDirectory() as directory:
        good = [compare(os.path.abspath(sys.argv[1]), name, directory, int(os.environ.get("ROUNDS", 15))) for name in names]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
