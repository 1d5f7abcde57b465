"""python.py NGC DIRECTORY - ngc.py as its users call it, and as they should not; prints how many
checks passed and failed."""
import contextlib
import copy
import gc
import json
import os
import signal
import pickle
import random
import shutil
import subprocess
import sys
import threading
import warnings

import numpy as np

import ngc

warnings.simplefilter("error", ngc.Warning)
counts = [0, 0]
NGC, DIR = sys.argv[1:]
os.environ["NGC"] = NGC
os.chdir(DIR)


def check(right, what):
    counts[not right] += 1
    if not right:
        print("FAIL python:", what)


@contextlib.contextmanager
def raises(kind, text, what=None):
    """The block must raise this kind of error, and say this."""
    try:
        yield
    except kind as error:
        check(text in str(error), f"{what or text}: says {error}")
    except Exception as error:
        check(False, f"{what or text}: {type(error).__name__} {error}")
    else:
        check(False, f"{what or text}: no error")


SIZES = """
dim m <= 6, n <= 5
input x[m, n], w[2*m], k: int = 2, s = 0.5, lambda
param a[3] = [1, 2, 3]
h = x*2 + k
output y = sum(x)*s + w, z = h, c = argmax(x), q = sum(a)*s
metric r = mean(x)
minimize J = sum(a^2)*lambda*sum(z) with adam(lr = 0.1)
"""
CLASSES = """
dim m <= 50
input x[m, 4], t[m]: int
h = dense(x, 8, tanh)
z = dense(h, 3)
output p = softmax(z)
metric accuracy = mean(argmax(z) == t)
minimize J = cross_entropy(z, t) with sgd(lr = 0.1, momentum = 0.9)
"""
WIDE = """
dim m <= 64
input x[m, 784], t[m]: int
h = dense(x, 256, relu)
output p = dense(h, 10)
minimize J = cross_entropy(p, t) with sgd(lr = 0.1)
"""
TWO = """
param a = 1, b = 2
minimize first = (a - 3)^2 over a with sgd(lr = 0.5)
minimize second = (b - a)^2 over b with sgd(lr = 0.25)
"""


def arrays():
    """Arrays of any kind, shape and layout, of several run-time sizes."""
    m = ngc.compile(SIZES, name="2 b-x", real="double", options=["--keep=h"])
    x, w = np.arange(12.0).reshape(4, 3), np.arange(8)
    doubled = x*2 + 2
    v = m.predict(x=x, w=w)
    check((v.z == doubled).all() and (v["y"] == 33 + w).all() and v.q == 3
          and v.c.dtype == "int32", "predict")
    check(m.dims == {"m": 4, "n": 3} and (m.values["h"] == doubled).all(), "run-time sizes")
    v = m.eval({"lambda": 2}, x=x[:2], w=w[:4], k=np.int64(5), s=np.float32(2))
    check(v.r == 2.5 and v.J == 14*2*(30 + 30) and v.z.shape == (2, 3), f"eval: {v}")
    views = {"transposed": np.asfortranarray(x), "swapped": x.astype(">f8"),
             "backwards": x[::-1].copy()[::-1], "strided": np.repeat(x, 2, 1)[:, ::2],
             "wide": x.astype(np.longdouble), "half": x.astype("f2"), "list": x.tolist(),
             "bytes": x.astype("u1"), "big integers": x.astype(">i8"), "matrix": x.view(np.matrix),
             "unaligned": np.frombuffer(b"\0" + x.tobytes(), "u1")[1:].view("f8").reshape(4, 3)}
    for name, array in views.items():
        check((m.predict(x=array, w=w).z == doubled).all(), name)
    fixed = x.copy()
    fixed.flags.writeable = False
    check((m.predict(x=fixed, w=w).z == doubled).all()
          and (m.predict(x=np.broadcast_to(1.0, (4, 3)), w=w).z == 4).all(), "fixed")
    check((m.predict(x=np.zeros((1, 1)), w=[1, 2]).z == 2).all() and m.dims == {"m": 1, "n": 1},
          "small again")
    m.predict(x=x, w=w)
    turn = ngc.compile("input v[64]\nparam R[64, 64] ~ normal(0, 1)\noutput o = R @ v")
    once = turn.predict(v=np.ones(64)).o
    check((turn.predict(v=turn.values["o"]).o == turn.predict(v=once).o).all(),
          "its own memory as an input")
    fewer = ngc.compile("dim m <= 8\ninput x[8], u[m], v[9 - m]\noutput part = x[m - 1:8], more = sum(u)*v")
    v = fewer.predict(x=np.arange(8), u=np.ones(3), v=np.ones(6))
    check((v.part == np.arange(2, 8)).all() and (v.more == [3]*6).all() and fewer.dims["m"] == 3,
          "a size that falls")
    with raises(ngc.ShapeError, "v has the shape (5,), not [-m + 9] with m = 3"):
        fewer.predict(x=np.arange(8), u=np.ones(3), v=np.ones(5))
    with raises(ngc.MissingInputError, "needs w"):
        m.predict(x=x[:2])
    with raises(ngc.ShapeError, "w has the shape (8,), not [2*m] with m = 2",
                "shapes of a call that failed"):
        m.predict(x=x[:2], w=w)
    holed = x.copy()
    holed[0, 0] = np.nan
    check(np.isnan(m.predict(x=holed, w=w).y).all() and np.isnan(m.predict(x=x, w=w, s=np.nan).q),
          "NaN")
    before = x.copy()
    m.step({"lambda": 1.0}, x=x, w=w)
    check((x == before).all(), "inputs stay")

    for kind, text, inputs in [
            (ngc.ShapeError, "w has the shape (7,), not [2*m] with m = 4", {"x": x, "w": w[:7]}),
            (ngc.ShapeError, "not [2*m] with m = 4", {"x": x, "w": w[:6]}),
            (ngc.ShapeError, "with m = 3", {"x": x, "w": w, "m": 3}),
            (ngc.ShapeError, "x has the shape (12,), not [m, n]", {"x": x.ravel(), "w": w}),
            (ngc.ShapeError, "m = 0, and it can be 1 to 6", {"x": x[:0], "w": w[:0]}),
            (ngc.ShapeError, "n = 0, and it can be 1 to 5", {"x": x[:, :0], "w": w}),
            (ngc.ShapeError, "m = 7, and it can be 1 to 6; load the model with define={'m': 7}",
             {"x": np.ones((7, 3)), "w": np.ones(14)}),
            (ngc.ShapeError, "m = 1099511627776",
             {"x": np.broadcast_to(np.float32(0), (1 << 40, 3)), "w": w}),
            (ngc.ShapeError, "m = 1048576", {"x": np.ones((1 << 20, 3)), "w": w}),
            (ngc.DtypeError, "k is a whole number, not 2.0", {"x": x, "w": w, "k": 2.0}),
            (ngc.DtypeError, "has no room for 2147483648", {"x": x, "w": w, "k": 1 << 31}),
            (ngc.DtypeError, "s is a number, not list", {"x": x, "w": w, "s": [1, 2]}),
            (ngc.DtypeError, "a number is too large", {"x": x, "w": w, "s": 10**400}),
            (ngc.DtypeError, "complex128", {"x": x + 1j, "w": w}),
            (ngc.DtypeError, "masked", {"x": np.ma.masked_array(x, x > 3), "w": w}),
            (ngc.DtypeError, "object", {"x": None, "w": w}),
            (ngc.DtypeError, "object", {"x": x.astype(object), "w": w}),
            (ngc.DtypeError, "<U1", {"x": [["a"]*3]*4, "w": w}),
            (ngc.DtypeError, "datetime64", {"x": x.astype("M8[s]"), "w": w}),
            (ngc.DtypeError, "not an array", {"x": [[1, 2], [3]], "w": w}),
            (ngc.DtypeError, "whole numbers above", {"x": np.full((4, 3), (1 << 60) + 1), "w": w}),
            (ngc.DtypeError, "m is a size", {"x": x, "w": w, "m": 4.0}),
            (ngc.DtypeError, "m is a size", {"x": x, "w": w, "m": x}),
            (ngc.UnknownNameError, "no input 'X'; did you mean 'x'?", {"X": x, "w": w}),
            (ngc.MissingInputError, "predict() needs w: float64 [2*m]", {"x": x})]:
        with raises(kind, text):
            m.predict(inputs)
        check((m.predict(x=x, w=w).z == doubled).all(), f"after '{text}'")
    with raises(ngc.MissingInputError, "step() needs lambda"):
        m.step(x=x, w=w)
    check(isinstance(ngc.ShapeError("x"), ValueError)
          and isinstance(ngc.UnknownNameError("x"), KeyError), "kinds of errors")


def training():
    """Params, state, gradients, files; a float model."""
    m = ngc.compile(CLASSES, seed=3)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(50, 4)).astype("float32")
    t = (x[:, 0] > 0).astype("int32") + (x[:, 1] > 0)
    check(t.dtype == "int32" and float(m.step(x=x, t=t)) == m.values["J"], "step")
    m.init(3)
    first = m.params["h.W"].copy()
    losses = [m.step(x=x, t=t.astype("int64")).J for _ in range(200)]
    check(losses[-1] < 0.2 < losses[0] and (m.params["h.W"] != first).any(), "training")
    check(m.eval(x=x, t=t).accuracy > 0.9, "accuracy")

    # a step of its parts is the same step
    m.save("w.safetensors")
    m.step(x=x, t=t)
    one = m.params["z.W"].copy()
    m.load("w.safetensors")
    m.forward(x=x, t=t)
    grads = m.backward()
    check(list(grads) == ["dJ/dh.W", "dJ/dh.b", "dJ/dz.W", "dJ/dz.b"]
          and (grads["h.W"] == grads["dJ/dh.W"]).all(), "gradients")
    m.update()
    check(np.allclose(m.params["z.W"], one, 1e-6, 1e-7), "forward, backward, update")
    for call in (m.backward, m.update):
        with raises(ngc.Error, "right before it"):
            call()
    with raises(ngc.Error, "step() keeps none"):
        ngc.compile(CLASSES).grads

    # all rows, whatever the batch
    many, kinds = np.tile(x, (5, 1)), np.tile(t, 5)
    whole = m.eval(x=x, t=t)
    for batch in (50, 7, 1):
        found = m.measure({"x": many}, batch, t=kinds)
        check(abs(found.J - whole.J) < 1e-5 and abs(found.accuracy - whole.accuracy) < 1e-6,
              f"measure by {batch}")
    with raises(ngc.ShapeError, "rows"):
        m.measure(x=many, t=kinds[1:])
    line = ngc.compile("dim n <= 4\ninput x[n]\nmetric total = sum(x)", name="line")
    check(line.measure(x=np.arange(6)).total == 15, "one input of one axis")

    # writes through views, and files
    view = m.params["h.b"]
    view[:] = 5
    check((m.params["h.b"] == 5).all() and np.shares_memory(view, m.params["h.b"]), "a view")
    m.params["h.b"] = range(8)
    check((view == range(8)).all(), "an assignment")
    with raises(ngc.ShapeError, "h.b has the shape (8,), not (7,)"):
        m.params["h.b"] = range(7)
    with raises(ngc.UnknownNameError, "did you mean 'h.W'"):
        m.params["h.w"]
    for name in ("w.npz", "w.safetensors"):
        m.save(name)
        m.params["h.b"] = np.zeros(8)
        m.load(name)
        check((view == range(8)).all(), name)
    m.save("torch.safetensors", map="fc1=h")
    check(b"fc1.weight" in open("torch.safetensors", "rb").read(500), "names of others")
    m.load("torch.safetensors", map="fc1=h")
    for path, text in (("none", "No such file"), (__file__, "holds no weights")):
        with raises(ngc.FileError, text):
            m.load(path)
    with raises(ngc.FileError, "has the shape [8, 4]"):
        ngc.compile(WIDE).load("w.safetensors")
    check((view == range(8)).all(), "a file that is refused changes nothing")

    with raises(ngc.LabelError, "t[1] = 3, and it can be 0 to 2"):
        m.step(x=x[:2], t=[0, 3])
    with raises(ngc.LabelError, "t[0] = -1"):
        m.step(x=x[:1], t=[-1])
    with raises(ngc.DtypeError, "t is int32, and float32 is not converted"):
        m.step(x=x, t=t.astype("float32"))
    with raises(ngc.DtypeError, "too large"):
        m.predict(x=np.full((1, 4), 1e300))
    check(np.isnan(m.predict(x=[[np.inf, -np.inf, np.nan, 0]]).p).all(), "infinity")

    # weights as constants
    frozen = ngc.compile(CLASSES, options="--weights=w.safetensors")
    check((frozen.predict(x=x).p == m.predict(x=x).p).all()
          and (frozen.params["h.b"] == range(8)).all(), "constant weights")
    for wrong in (lambda: frozen.step(x=x, t=t), lambda: frozen.save("x"),
                  lambda: frozen.params.update({"h.b": view})):
        with raises(ngc.Error, "constant"):
            wrong()
    with raises(ValueError, "read-only"):
        frozen.params["h.b"][0] = 1

    # some weights are trained, the others are constants
    tuned = ngc.compile(CLASSES, options=["--weights=w.safetensors", "--train=z.*"])
    before = tuned.params["z.W"].copy()
    check(set(tuned.params) == {"z.W", "z.b"}
          and np.allclose(tuned.predict(x=x).p, m.predict(x=x).p, atol=1e-6), "tuned weights")
    tuned.step(x=x, t=t)
    check((tuned.params["z.W"] != before).any(), "a step of tuned weights")
    five = ngc.compile(CLASSES.replace("(h, 3)", "(h, 5)"),
                       options=["--weights=w.safetensors", "--fresh=z"])
    five.step(x=x, t=t + 2)
    check(five.predict(x=x).p.shape == (len(x), 5), "fresh weights of another shape")


def losses():
    """Several losses, and models without params or inputs."""
    m = ngc.compile(TWO)
    check(dict(m.steps["first"]()) == {"first": 4} and m.params["a"] == 3 and m.params["b"] == 2,
          "the step of a loss")
    check(dict(m.step()) == {"first": 0, "second": 1} and m.params["b"] == 2.5, "the step of all")
    with raises(ngc.Error, "declares no output"):
        m.predict()
    none = ngc.compile("input a, b\noutput y = a*b\ngradient y over a")
    check(none.predict(a=3, b=2).y == 6 and len(none.params) == 0, "no params")
    with raises(ngc.Error, "updates nothing"):
        none.step(a=1, b=2)
    none.forward(a=3, b=2)
    check(none.backward()["dy/da"] == 2, "the gradient of an input")
    one = ngc.compile("input a[2]\noutput y = 2*a\n").predict(a=[1, 2])
    check(one.__array__(copy=False) is one.y and one.__array__() is one.y
          and one.__array__(copy=True) is not one.y, "as NumPy 2 asks for arrays")
    with raises(ValueError, "has to be a copy"):
        one.__array__("f8", copy=False)
    check(np.asarray(none.predict(a=[3][0], b=np.array(2))) == 6
          and float(none.predict(a=True, b=2)) == 2, "one value")


def texts():
    """Errors of ngc with their places; warnings; explain and check."""
    with raises(ngc.CompileError,
                "my.ng:2:5: error: unknown function 'sofmax'; did you mean 'softmax'?"):
        ngc.compile("a = 1\ny = sofmax(a)\n", name="my")
    try:
        ngc.compile("y = a +")
    except ngc.CompileError as error:
        check(error.line == 1 and error.code == "NG0101"
              and error.messages[0]["severity"] == "error", "the place of an error")
    with raises(ngc.Warning, "[NG"):
        ngc.compile("param a = 1\nunused = 3\nminimize J = a^2 with sgd(lr = 1)")
    for call, text in ((lambda: ngc.load("none.ng"), "cannot read"),
                       (lambda: ngc.load("x.ng", ngc="/none"), "cannot run '/none'"),
                       (lambda: ngc.compile("y = 1", options="--frob"), "unknown option '--frob'")):
        with raises(ngc.CompileError, text):
            call()
    with raises(ngc.FileError, "cannot load"):
        ngc.load("none.so")
    os.environ["CC"], kept = "none-such", os.environ.get("CC")
    with raises(ngc.CompileError, "cannot run the C compiler 'none-such'"):
        ngc.compile("y = 17.25")
    os.environ.pop("CC") if kept is None else os.environ.update(CC=kept)

    open("my.ng", "w").write(CLASSES)
    m = ngc.load("my.ng")
    check("4 derivatives, 0 wrong" in m.check(), "check")
    page = m.explain(x=np.ones((2, 4)), t=[0, 1])
    shown = page._repr_html_()
    check(shown.startswith("<iframe srcdoc=") and shown.count("<") == 2 and "Forward" in page.text,
          "explain")
    m.params["h.W"][...], m.state["sgd.h.W.v"][...] = 0.125, 0.375
    now = m.explain(x=np.ones((2, 4)), t=[0, 1])
    m.params["h.W"][...] = 0
    check("from 0.125 to 0.125" in now.text and "from 0.375 to 0.375" in now.text
          and "0.125" in now.html, "the weights of a lesson")
    check("from 0.125 to 0.125" not in page.text, "the weights before")
    page.save("lesson.html")
    check(open("lesson.html").read() == page.html and "sofmax" not in page.html, "the page")
    check("dJ/da: 4" in str(ngc.compile("J = (a + 1)^2").explain(a=1)).replace(" = ", ": "),
          "a number to explain")
    rule = ngc.compile("input a = 1\ndef f(x) = x*x backward(dy) = dy*x\noutput y = f(a)\ngradient y over a\n")
    check("1 by rules of defs" in rule.check(), "a rule of the user's")
    with open("faulty", "w") as f:
        f.write(f'#!/bin/sh\n[ "$1" != check ] || {{ echo "dJ/da: 1 wrong"; exit 1; }}\nexec {NGC} "$@"\n')
    os.chmod("faulty", 0o755)
    with raises(ngc.CheckError, "dJ/da: 1 wrong"):
        ngc.compile("J = (a + 1)^2", ngc="./faulty").check()


def lives():
    """Views outlive models; threads, forks, two models; what cannot be copied."""
    m = ngc.compile(SIZES, real="double")
    x = np.ones((6, 5))
    m.forward({"lambda": 1}, x=x, w=np.ones(12))
    views = [m.params["a"], m.backward()["a"], m.values["z"], m.state["adam.a.m"]]
    del m, x
    gc.collect()
    for view in views:
        view[...] = 7
    check(all((view == 7).all() for view in views), "views without their model")

    a, b = ngc.compile(WIDE), ngc.compile(WIDE)
    x, t = np.random.default_rng(0).normal(size=(64, 784)).astype("f4"), np.arange(64, dtype="i4") % 10
    ends = []

    def steps(m):
        for _ in range(20):
            m.step(x=x, t=t)
        ends.append(m)
    threads = [threading.Thread(target=steps, args=(m,)) for m in (a, a, a)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(3):
        steps(b)
    check(len(ends) == 6 and (a.params["h.W"] == b.params["h.W"]).all(),
          "threads that share a model")

    wide, x, t = ngc.compile(WIDE, threads=2), np.ones((64, 784), "f4"), np.zeros(64, "i4")
    one = ngc.compile(WIDE)
    same = wide.step(x=x, t=t).J, one.step(x=x, t=t).J
    check(abs(same[0] - same[1]) < 1e-5, f"a pool: {same}")
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # a call that waits for threads which are not here ends the test
        good = wide.predict(x=x).p.shape == (64, 10) and a.predict(x=x[:2]).p.shape == (2, 10)
        other = ngc.compile(WIDE, threads=2)
        other.step(x=x, t=t)
        if os.fork() == 0:
            del other  # the threads of its pool are not here
            gc.collect()
            os._exit(0)
        good = good and os.wait()[1] == 0
        os._exit(0 if good else 1)
    check(os.waitpid(child, 0)[1] == 0, "a fork")
    check(np.isfinite(wide.step(x=x, t=t).J), "after a fork")
    wide.threads = 1
    check(np.isfinite(wide.step(x=x, t=t).J), "without its pool")
    for wrong in (0, 257, True, "2"):
        with raises(ValueError, "threads are 1 to 256"):
            wide.threads = wrong
    for call in (copy.copy, copy.deepcopy, pickle.dumps):
        with raises(TypeError, "not copied or pickled"):
            call(a)


def manifests():
    """A library with its manifest in a file: right, of another model, damaged in any way."""
    open("hand.ng", "w").write(CLASSES)
    subprocess.run([NGC, "--standalone", "--manifest", "hand.ng", "-o", "hand.c"], check=True)
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "hand.c", "-lm", "-o", "libhand.so"],
                   check=True)
    m = ngc.load("libhand.so")
    x, t = np.ones((3, 4), "f4"), [0, 1, 2]
    m.step(x=x, t=t)
    m.save("hand.safetensors")
    kept = m.params["h.W"].copy()
    m.init(9)
    m.load("hand.safetensors")
    check((m.params["h.W"] == kept).all(), "weights of a library without the host part")
    m.threads = 2
    m.step(x=x, t=t)
    with raises(ngc.Error, "a library has no text"):
        m.check()
    with raises(ngc.Error, "compiled already"):
        ngc.load("libhand.so", real="double")

    text = open("hand.json").read()
    os.rename("hand.json", "aside.json")
    m = ngc.load("libhand.so")  # by its descriptor
    m.load("hand.safetensors")
    check((m.params["h.W"] == kept).all() and m.predict(x=x).p.shape == (3, 3)
          and m.step(x=x, t=t).J > 0, "no manifest")
    with raises(ngc.ShapeError, "with m = 3"):
        m.step(x=x, t=[0])
    with raises(ngc.MissingInputError, "step() needs t"):
        m.step(x=x)
    shutil.copy("libhand.so", "other.so")
    with raises(ngc.ManifestError, "no descriptor has its name"):
        ngc.load("other.so")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-x", "c", "-", "-o", "libtwice.so"],
                   check=True, input=subprocess.run(
        [NGC, "--standalone", "--prefix=twice", "-o", "-", "-"], capture_output=True,
        input=b"dim m <= 4\ninput x[2*m]\ny = x").stdout)
    with raises(ngc.ManifestError, "it is not known what size x has"):
        ngc.load("libtwice.so")
    check(ngc.load("libhand.so", manifest="aside.json").name == "hand", "a manifest that is named")
    open("bad.json", "w").write(text.replace('["m", "4"]', '["50", "4"]'))
    with raises(ngc.ManifestError, "'x' has other run-time sizes"):
        ngc.load("libhand.so", manifest="bad.json")
    numbers = random.Random(1)
    refused = 0
    for i in range(400):
        about = json.loads(text)
        damage(about, numbers)
        open("bad.json", "w").write(json.dumps(about))
        try:
            bad = ngc.load("libhand.so", manifest="bad.json")
            bad.step(x=x, t=t)
            bad.predict(x=x)
            bad.forward(x=x, t=t)
            bad.backward()
        except ngc.Error as error:
            refused += isinstance(error, ngc.ManifestError)
        except Exception as error:
            check(False, f"damage {i}: {type(error).__name__} {error}")
    check(refused > 150, f"{refused} damaged manifests were refused")
    for i in range(0, len(text), 211):
        open("bad.json", "w").write(text[:i])
        with raises(ngc.ManifestError, "damaged", f"cut to {i} bytes"):
            ngc.load("libhand.so", manifest="bad.json")


def damage(about, numbers):
    """Changes one place of a value of JSON."""
    places = []

    def walk(value):
        for key in value if isinstance(value, dict) else range(len(value)):
            places.append((value, key))
            if isinstance(value[key], (dict, list)):
                walk(value[key])
    walk(about)
    holder, key = numbers.choice(places)
    others = [0, -1, 3, 1 << 40, 1.5, "", "m", "150", "x", None, [], {}, True, holder[key]]
    if numbers.random() < 0.3:
        del holder[key]
    elif numbers.random() < 0.3:
        other, k = numbers.choice(places)
        holder[key] = copy.deepcopy(other[k])
    else:
        holder[key] = numbers.choice(others)


def others():
    """A model of another program, with its weights."""
    open("own.ng", "w").write("dim m <= 8\ninput x[m, 4]\noutput p = dense(x, 3)\n")
    own = ngc.load("own.ng")
    own.save("own.safetensors")
    made = subprocess.run([NGC, "export", "own.ng", "--load", "own.safetensors", "-o", "own net.onnx"], capture_output=True)
    if b"protobuf-c" in made.stderr:
        print("python: this ngc was built without protobuf-c: .onnx is not tested")
        return
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("f4")
    net = ngc.load("own net.onnx", loss="cross_entropy", optimizer="sgd(lr = 0.1)",
                   define={"m": 20})
    check(np.allclose(net.predict(x=x).p, own.predict(x=x).p), "a model of another program")
    before = net.step(x=x, t=[0, 1, 2, 0, 1]).values()
    check(sum(net.step(x=x, t=[0, 1, 2, 0, 1]).values()) < sum(before), "it is trained")
    check(not ngc.load("own net.onnx").predict(x=x) is None, "without a loss")
    with raises(ngc.CompileError, "not a file in the ONNX format"):
        open("bad.onnx", "w").write("x")
        ngc.load("bad.onnx")
    with raises(ngc.Error, "for .onnx files"):
        ngc.load("own.ng", loss="mse")


for part in (others, arrays, training, losses, texts, lives, manifests):
    part()
print(*counts)
sys.exit(counts[1] > 0)
