#!/usr/bin/env python3
"""functions.py - the functions of one element, compared with PyTorch and SLEEF: functions.py NGC
[float|double] [FUNCTION ...]

Each function of ELEMENTS numbers (a multiple of 16) is a model: its value, and with the derivative
of the sum. Values and derivatives must agree with PyTorch's; then the contenders are timed in turn,
on one thread, by the processor's time. SLEEF's vectors, within 1 unit in the last place, compute
the value only; they are left out where libsleef is not installed. ROUNDS=9, ELEMENTS=100000. Look
at the ratios, and at the processor's name: they depend on it. """
import ctypes
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "examples", "embed"))

try:
    import numpy as np
    import torch
except ImportError:
    sys.exit("functions.py: NumPy or PyTorch is missing (Debian's python3-numpy and python3-torch)")

from host import Model

ELEMENTS = int(os.environ.get("ELEMENTS", 100000)) // 16 * 16
ROUNDS = int(os.environ.get("ROUNDS", 9))
SAMPLE = 0.02  # seconds for a measurement

# from where the operands are drawn; for two operands, from where each is
WIDE, UNIT = (-5, 5), (-0.99, 0.99)
FUNCTIONS = {
    "exp": WIDE, "expm1": WIDE, "log": (0.01, 10), "log1p": (-0.9, 10), "sqrt": (0.01, 10),
    "sin": (-10, 10), "cos": (-10, 10), "tan": (-10, 10), "asin": UNIT, "acos": UNIT, "atan": WIDE,
    "sinh": WIDE, "cosh": WIDE, "tanh": WIDE, "erf": (-3, 3), "sigmoid": WIDE, "softplus": WIDE,
    "floor": WIDE, "ceil": WIDE, "round": WIDE,
    "atan2": (WIDE, WIDE), "pow": ((0.1, 5), (-3, 3)),
}
NOT_SLEEF = ("sqrt", "sigmoid", "softplus", "floor", "ceil", "round")


class Ngc:
    def __init__(self, ngc, name, real, operands, directory, sleef):
        base = os.path.join(directory, f"{name}_{real}")
        two = len(operands) == 2
        value = {"pow": "x^y", "atan2": "atan2(x, y)"}.get(name, f"{name}(x)")
        with open(base + ".ng", "w") as f:
            f.write("".join(f"input {x}[{ELEMENTS}]\n" for x in "xy"[:len(operands)]))
            f.write(f"output z = {value}\nJ = sum(z)\ngradient J over {', '.join('xy'[:len(operands)])}\n")
        double = ["--real=double"] if real == "double" else []
        subprocess.run([ngc, *double, "-Wno-zero-gradient", "--prefix=model", "--manifest",
                        base + ".ng", "-o", base + ".c"], check=True)
        lib = os.path.join(os.path.dirname(ngc), "libngrt.a")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-I" + os.path.join(TOP, "runtime"),
                        os.path.join(HERE, "each.c"), base + ".c",
                        lib, "-lopenblas", "-lm", "-lpthread", "-o", base + ".so"], check=True)
        self.model = Model(base + ".so", base + ".json")
        for x, values in zip("xy", operands):
            self.model.set(x, values)
        self.block = {b: ctypes.byref(self.model.block[b]) for b in ("inputs", "work", "grads")}
        self.sleef = None
        if sleef and name not in NOT_SLEEF:
            flags = ["-DDOUBLE"] * (real == "double") + ["-DTWO"] * two + [f"-DSLEEF=Sleef_{name}"]
            subprocess.run(["cc", "-O2", "-march=native", "-shared", "-fPIC",
                            "-I" + os.path.join(TOP, "runtime"), *flags,
                            os.path.join(HERE, "each.c"), base + ".c", lib, "-lsleef",
                            "-lopenblas", "-lm", "-lpthread",
                            "-o", base + "_sleef.so"], check=True)
            self.sleef = ctypes.CDLL(base + "_sleef.so").repeat_sleef
        self.at = [ctypes.c_void_p(v.ctypes.data) for v in (operands[0], operands[-1])]
        self.result = np.empty_like(operands[0])

    def value(self, n):
        if self.model.library.repeat_value(ctypes.c_long(n), self.block["inputs"],
                                           self.block["work"]) != 0:
            raise RuntimeError("predict failed")

    def slope(self, n):
        if self.model.library.repeat_slope(ctypes.c_long(n), self.block["inputs"],
                                           self.block["work"], self.block["grads"]) != 0:
            raise RuntimeError("forward or backward failed")

    def by_sleef(self, n):
        self.sleef(ctypes.c_long(n), ctypes.c_void_p(self.result.ctypes.data), *self.at,
                   ctypes.c_long(ELEMENTS))


class Torch:
    def __init__(self, name, operands):
        self.of = torch.nn.functional.softplus if name == "softplus" else getattr(torch, name)
        self.x = [torch.tensor(v) for v in operands]
        self.p = [torch.tensor(v, requires_grad=True) for v in operands]

    def value(self, n):
        with torch.no_grad():
            for _ in range(n):
                self.z = self.of(*self.x)

    def slope(self, n):
        for _ in range(n):
            for p in self.p:
                p.grad = None
            self.of(*self.p).sum().backward()


def close(got, want, real):
    """Within some units in the last place, or of the largest."""
    far = np.abs(got.astype(np.float64) - want) / np.maximum(np.abs(want), 0.1 * np.abs(want).max() + 1e-30)
    return far.max() < (5e-6 if real == "float" else 1e-14)


def timed(call, n):
    start = time.process_time()
    call(n)
    return (time.process_time() - start) / n


def measure(contenders):
    """Nanoseconds for an element of the first, and the others' times divided by its own."""
    count, times = [], [[] for _ in contenders]
    for call in contenders:
        call(2)
        count.append(max(1, int(SAMPLE / max(timed(call, 3), 1e-7))))
    for _ in range(ROUNDS):
        for i, call in enumerate(contenders):
            times[i].append(timed(call, count[i]))
    first = statistics.median(times[0]) * 1e9 / ELEMENTS
    return first, [statistics.median(t / o for t, o in zip(other, times[0])) for other in times[1:]]


def compare(ngc, name, real, directory, sleef):
    random = np.random.default_rng(1)
    ranges = FUNCTIONS[name] if isinstance(FUNCTIONS[name][0], tuple) else (FUNCTIONS[name],)
    operands = [random.uniform(*r, ELEMENTS).astype("float32" if real == "float" else "float64")
                for r in ranges]
    ours, theirs = Ngc(ngc, name, real, operands, directory, sleef), Torch(name, operands)
    for contender in (ours, theirs):
        contender.value(1)
        contender.slope(1)
    got = [ours.model.array("z")] + [ours.model.array("dJ/d" + x) for x in "xy"[:len(operands)]]
    want = [theirs.z.numpy()] + [p.grad.numpy() for p in theirs.p]
    if not all(close(g, w, real) for g, w in zip(got, want)):
        print(f"{name}, {real}: PyTorch's results are not ours")
        return None
    value, ratios = measure([ours.value, theirs.value] + ([ours.by_sleef] if ours.sleef else []))
    slope, slope_ratios = measure([ours.slope, theirs.slope])
    by_sleef = f"{ratios[1]:6.2f}" if ours.sleef else "     -"
    print(f"{name:8} {real:6}  ngc {value:6.2f} ns   PyTorch / ngc {ratios[0]:6.2f}   SLEEF / ngc {by_sleef}   "
          f"with slope: ngc {slope:6.2f} ns   PyTorch / ngc {slope_ratios[0]:6.2f}", flush=True)
    return min(ratios[0], slope_ratios[0])


def processor():
    try:
        with open("/proc/cpuinfo") as f:
            return next(line.split(":", 1)[1].strip() for line in f
                        if line.startswith("model name"))
    except (OSError, StopIteration):
        return "unknown"


def has_sleef():
    done = subprocess.run(["cc", "-x", "c", "-", "-fsyntax-only", "-mavx2"],
                          input="#include <sleef.h>\n#include <immintrin.h>\n",
                          text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode == 0


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    given = sys.argv[2:]
    reals = [r for r in ("float", "double") if r in given] or ["float", "double"]
    names = [n for n in given if n in FUNCTIONS] or list(FUNCTIONS)
    print(f"{ELEMENTS} elements on one thread of {processor()}; PyTorch {torch.__version__}")
    sleef = has_sleef()
    with tempfile.TemporaryDirectory() as directory:
        ratios = [compare(os.path.abspath(sys.argv[1]), n, r, directory, sleef) for r in reals
                  for n in names]
    if None in ratios:
        sys.exit(1)
    print(f"the lowest ratio is {min(ratios):.2f}")


if __name__ == "__main__":
    main()
