"""ngc - models of ngc in Python, on arrays of NumPy.

    m = ngc.load("iris.ng")            # compiles it, once; or a library that `ngc library` wrote
    print(m.step(x=rows, t=kinds))     # a step of training: the losses before it
    p = m.predict(x=rows).p            # an output
    m.params["h.W"][0] = 0             # a view of the model's memory
    m.save("iris.safetensors")

README.md beside this file is the manual. What is called are functions of the emitted C. The
manifest in the library says what the model has, and its descriptor says the same: a manifest that
differs is refused.
"""
import collections
import collections.abc
import ctypes
import difflib
import functools
import html
import json
import operator
import os
import re
import shutil
import subprocess
import tempfile
import threading
import warnings
import weakref

try:
    import numpy
except ImportError as missing:
    why = "ngc needs NumPy: install it (on Debian: apt-get install python3-numpy)"
    raise ImportError(why) from missing

__all__ = ["load", "compile", "Model", "Values", "Tensors", "Lesson", "Error", "CompileError",
           "CheckError", "ManifestError", "UnknownNameError", "MissingInputError", "ShapeError",
           "DtypeError", "LabelError", "FileError", "Warning"]


# ---- errors ----

class Error(Exception):
    """What all errors of this module are. `code`: what the C returned (-1, ...), or the code of
    a message (NG0303)."""

    def __init__(self, text, code=None):
        super().__init__(text)
        self.code = code

    def __str__(self):
        return str(self.args[0])


class CompileError(Error):
    """ngc or the C compiler refused the model. `messages` has ngc's messages: dicts as
    --diagnostics=json writes them."""

    def __init__(self, messages, text=None):
        wrong = [m for m in messages if m.get("severity") == "error"]
        super().__init__(text or "\n".join(_message_text(m) for m in wrong or messages)
                         or "ngc failed", wrong[0].get("code") if wrong else None)
        self.messages = messages
        for member in ("file", "line", "column"):
            setattr(self, member, wrong[0].get(member) if wrong else None)


class CheckError(Error):
    """A derivative is wrong, as `ngc check` says."""


class ManifestError(Error, ValueError):
    """The manifest does not fit the library."""


class UnknownNameError(Error, KeyError):
    """The model has nothing of that name."""


class MissingInputError(Error, TypeError):
    """An input without a value."""


class ShapeError(Error, ValueError):
    """An array of another shape, or a run-time size out of its range."""


class DtypeError(Error, TypeError):
    """An array of a type that is not converted, or a number that does not fit."""


class LabelError(Error, ValueError):
    """A label or an index is out of its range."""


class FileError(Error, OSError):
    """Weights cannot be read or written, or are of another model."""


class Warning(UserWarning):
    """A warning of ngc's about the model, or a note about a file of weights."""


def _message_text(message):
    text = message.get("severity", "error") + ": " + message.get("message", "")
    if "line" in message:
        text = f"{message.get('file')}:{message['line']}:{message.get('column')}: {text}"
    if "code" in message:
        text += f" [{message['code']}]"
    for label in message.get("labels", []):
        if label.get("text"):
            text += f"\n  {label.get('line')}:{label.get('column')}: {label['text']}"
    for note in message.get("notes", []):
        text += "\n" + _message_text(note)
    return text


def _guess(name, known):
    lower = {str(k).lower(): k for k in known}
    close = difflib.get_close_matches(str(name).lower(), lower, 1)
    return f"; did you mean '{lower[close[0]]}'?" if close else ""


# ---- the command ----

def _find_ngc(given=None):
    """Where the command is: given, $NGC, beside this file as it was built or installed, or in
    PATH."""
    here = os.path.dirname(os.path.realpath(__file__))
    for path in (given, os.environ.get("NGC")):
        if path:
            return os.fspath(path)
    for up in ("../../build/ngc", "../../../bin/ngc"):
        path = os.path.normpath(os.path.join(here, up))
        if os.access(path, os.X_OK):
            return path
    path = shutil.which("ngc")
    if path:
        return path
    raise CompileError([], "there is no command ngc: PATH has none, and NGC in the environment "
                           "can say where it is")


def _run(line, text="", may_fail=False):
    """Runs ngc: what it prints, and its exit status. Its warnings become Python's."""
    try:
        done = subprocess.run(line, input=text.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    except OSError as error:
        raise CompileError([], f"cannot run '{line[0]}': {error.strerror}") from error
    messages = []
    for said in done.stderr.decode("utf-8", "replace").splitlines():
        try:
            messages.append(json.loads(said))
        except ValueError:
            messages.append({"severity": "error", "message": said})
    wrong = any(m.get("severity") == "error" for m in messages)
    if wrong or (done.returncode and not may_fail):
        raise CompileError(messages, None if messages
                           else f"'{line[0]}' ended with status {done.returncode}")
    for message in messages:
        if message.get("severity") == "warning":
            warnings.warn(_message_text(message), Warning, stacklevel=5)
    return done.stdout.decode("utf-8", "replace"), done.returncode


class _Source:
    """The text of a model, and how it is compiled."""

    def __init__(self, path, text, name, options, ngc):
        self.path, self.text, self.name, self.options, self.ngc = path, text, name, options, ngc

    def run(self, command, *options, rest=(), may_fail=False):
        line = [_find_ngc(self.ngc), command, "--diagnostics=json", *self.options, *options]
        line += ["--stdin-name=" + self.name + ".ng"] if self.text is not None else []
        line += ["--", "-" if self.text is not None else self.path, *rest]
        return _run(line, self.text or "", may_fail)

    def library(self):
        """The model as a library that is loaded. It is made in a private directory, which is
        then removed."""
        with tempfile.TemporaryDirectory(prefix="ngc-") as private:
            path = os.path.join(private, "lib" + re.sub(r"\W", "_", self.name) + ".so")
            self.run("library", "-o", path)
            try:
                return ctypes.CDLL(path)
            except OSError as error:
                raise FileError(f"cannot load what was compiled: {error}; "
                                "TMPDIR can name another directory") from error


def _options(real, define, options):
    words = [f"--real={real}"] if real else []
    for name, value in (define or {}).items():
        words.append(f"-D{name}={int(value)}")
    return words + ([options] if isinstance(options, str) else list(options))


def load(path, *, real=None, define=None, options=(), manifest=None, threads=1, seed=1, ngc=None,
         loss=None, optimizer=None):
    """The model in a file: a text (.ng), which is compiled; a library (.so); or a model of another
    program (.onnx), with its weights.

    real: "float" or "double". define: other values for dims, or other bounds. options: of ngc,
    as "--keep=h". manifest: the file for a library that has none inside; by default NAME.json
    beside NAME.so or libNAME.so. threads: that share the work of large functions. seed: of the
    starting values. ngc: the command. loss, optimizer: of `ngc import`."""
    path = os.path.abspath(os.fspath(path))
    if path.endswith(".onnx"):
        return _load_onnx(path, loss, optimizer, real=real, define=define, options=options,
                          threads=threads, seed=seed, ngc=ngc)
    if loss or optimizer:
        raise Error(f"loss and optimizer are for .onnx files: '{path}' has its own")
    if path.endswith(".ng"):
        name = os.path.basename(path)[:-3]
        source = _Source(path, None, name, _options(real, define, options), ngc)
        return Model(source.library(), None, source=source, threads=threads, seed=seed)
    if real or define or options:
        raise Error(f"'{path}' is compiled already: it has no more options")
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise FileError(f"cannot load '{path}': {error}") from error
    return Model(library, _read_manifest(path, manifest), threads=threads, seed=seed)


def _load_onnx(path, loss, optimizer, **how):
    """Imports the model, compiles its text, and loads its weights."""
    name = re.sub(r"\W", "_", os.path.basename(path)[:-5])
    with tempfile.TemporaryDirectory(prefix="ngc-") as private:
        text = os.path.join(private, name + ".ng")
        weights = os.path.join(private, "weights.safetensors")
        line = [_find_ngc(how["ngc"]), "import", "--diagnostics=json", "-o", text, "--save",
                weights]
        line += [f"--loss={loss}"] if loss else []
        line += [f"--optimizer={optimizer}"] if optimizer else []
        _run([*line, "--", path])
        with open(text, encoding="utf-8") as f:
            model = compile(f.read(), name=name, **how)
        if os.path.exists(weights):
            with warnings.catch_warnings():
                # states of the optimizer are not in the file
                warnings.simplefilter("ignore", Warning)
                model.load(weights)
        return model


def compile(text, *, name="model", real=None, define=None, options=(), threads=1, seed=1, ngc=None):
    """The same of a text."""
    source = _Source(None, text, name, _options(real, define, options), ngc)
    return Model(source.library(), None, source=source, threads=threads, seed=seed)


def _read_manifest(library, manifest):
    """The manifest as text, or None: the library has it inside."""
    if manifest is None:
        stem = library[:-3] if library.endswith(".so") else library
        names = [stem + ".json"]
        base = os.path.basename(stem)
        if base.startswith("lib"):
            names.append(os.path.join(os.path.dirname(stem), base[3:] + ".json"))
        manifest = next((n for n in names if os.path.exists(n)), None)
        if manifest is None:
            return None
    try:
        with open(manifest, encoding="utf-8") as f:
            return f.read()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"cannot read '{manifest}': {error}") from error


# ---- the descriptor (ngrt.h) ----

class _Tensor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("role", ctypes.c_int), ("type", ctypes.c_int),
                ("rank", ctypes.c_int), ("shape", ctypes.c_int * 8), ("dim", ctypes.c_int * 8),
                ("offset", ctypes.c_size_t), ("flags", ctypes.c_int),
                ("limit", ctypes.c_int), ("total", ctypes.c_size_t)]


class _Dim(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("max", ctypes.c_int), ("offset", ctypes.c_size_t)]


_BLOCKS = ("params", "state", "inputs", "work", "grads")
_FUNCTIONS = ("init", "predict", "eval", "forward", "backward", "update", "step")


class _Descriptor(ctypes.Structure):
    _fields_ = ([("version", ctypes.c_int), ("name", ctypes.c_char_p), ("real", ctypes.c_int)]
                + [("sizeof_" + b, ctypes.c_size_t) for b in _BLOCKS]
                + [("dims", ctypes.c_int), ("dim", ctypes.POINTER(_Dim)),
                   ("tensors", ctypes.c_int), ("tensor", ctypes.POINTER(_Tensor))]
                + [(f, ctypes.c_void_p) for f in _FUNCTIONS]
                + [("sizeof_totals", ctypes.c_size_t), ("metrics_start", ctypes.c_void_p),
                   ("metrics_add", ctypes.c_void_p), ("metrics_finish", ctypes.c_void_p),
                   ("defaults", ctypes.c_void_p), ("axis_length", ctypes.c_void_p)])


    def manifest(self, name):
        """What a manifest would say, as far as the descriptor says it. Of a size such as 2*m it
        has only the largest."""
        dims = [self.dim[i] for i in range(self.dims)]
        tensors = [self.tensor[i] for i in range(self.tensors)]
        inputs = [t for t in tensors if _ROLES[t.role] == "input"]

        def size(t, k):
            if t.dim[k] == _FIXED:
                return str(t.shape[k])
            if t.dim[k] == _COMPUTED or t.shape[k] != dims[t.dim[k]].max:
                raise ManifestError("without a manifest, it is not known what size "
                                    f"{t.name.decode()} has: ngc --manifest writes one")
            return dims[t.dim[k]].name.decode()
        return {
            "manifest": 1, "pointer": ctypes.sizeof(ctypes.c_void_p),
            "blocks": {b: {"type": f"{name}_{b}", "bytes": getattr(self, "sizeof_" + b)}
                       for b in (*_BLOCKS, "totals")},
            "dims": [{"name": d.name.decode(), "max": d.max, "offset": d.offset} for d in dims],
            "tensors": [{"name": t.name.decode(), "role": _ROLES[t.role], "type": _TYPES[t.type],
                         "offset": t.offset, "shape": t.shape[:t.rank],
                         "sizes": [size(t, k) for k in range(t.rank)],
                         **({"default": None} if t.flags & _DEFAULT else {})} for t in tensors],
            "functions": [{"does": f, "name": f"{name}_{f}",
                           "reads": [t.name.decode() for t in inputs
                                     if not (f == "predict" and t.flags & _TARGET)]}
                          for f in _FUNCTIONS if getattr(self, f)]}


_VERSION = 3
_ROLES = ("input", "param", "state", "grad", "output", "loss", "metric")
_TYPES = ("float32", "float64", "int32")
_TARGET, _DEFAULT = 2, 8  # flags
_FIXED, _COMPUTED = -1, -2  # in the place of the run-time size of an axis
_CTYPE = {"float32": ctypes.c_float, "float64": ctypes.c_double, "int32": ctypes.c_int32}


class _About(ctypes.Structure):
    _fields_ = [("hash", ctypes.c_uint64), ("seed", ctypes.c_uint64), ("epoch", ctypes.c_int64),
                ("step", ctypes.c_int64), ("row", ctypes.c_int64)]


# ---- sizes ----

class _Size:
    """A size as in the text: 4, m, 2*m*n - 1. Terms are (number, names)."""

    def __init__(self, text, dims):
        self.text, self.terms = text, []
        if not re.fullmatch(r"-?[\w*]+( [+-] [\w*]+)*", text):
            raise ValueError(f"'{text}' is not a size")
        for sign, term in re.findall(r"(-|\+ |- |)([\w*]+)", text):
            number, names = -1 if sign.startswith("-") else 1, []
            for factor in term.split("*"):
                if factor.isdecimal():
                    number *= int(factor)
                elif factor in dims:
                    names.append(factor)
                else:
                    raise ValueError(f"'{text}' is not a size")
            self.terms.append((number, names))

    def at(self, dims):
        total = 0
        for number, names in self.terms:
            for name in names:
                number *= dims[name]
            total += number
        return total

    def grows(self):
        """Is it largest where all run-time sizes are?"""
        return all(number >= 0 or not names for number, names in self.terms)

    def names(self):
        return {name for _, names in self.terms for name in names}

    def solve(self, size, dims):
        """(name, value) of the one size that is not yet known, if `size` says it; None: it does
        not."""
        unknown = self.names() - dims.keys()
        if len(unknown) != 1:
            return None
        name = unknown.pop()
        if any(names.count(name) > 1 for _, names in self.terms):
            return None
        rest = self.at({**dims, name: 0})
        slope = self.at({**dims, name: 1}) - rest
        if slope == 0 or (size - rest) % slope:
            return None
        return name, (size - rest) // slope


# ---- tensors ----

class _Slot:
    """A tensor of the model: where it is, and how it is read."""

    def __init__(self, name, role, block, dtype, sizes, shape, offset, limit, default, total):
        self.name, self.role, self.block, self.sizes, self.shape = name, role, block, sizes, shape
        self.dtype, self.offset, self.limit = numpy.dtype(dtype), offset, limit
        self.default, self.total = default, total
        self.ctype = _CTYPE[dtype]
        self.fixed = not any(s.names() for s in sizes)
        self.pointer = role == "input" and bool(shape)
        self.last = None  # inputs: the shape of the last call

    def view(self, memory, dims):
        """An array on the block's memory; with run-time sizes it has the elements that are in
        use."""
        shape = self.shape if self.fixed else tuple(s.at(dims) for s in self.sizes)
        count = 1
        for n in shape:
            count *= n
        return numpy.ndarray(shape, self.dtype,
                             memory[self.offset:self.offset + count * self.dtype.itemsize])

    def form(self):
        return "[" + ", ".join(s.text for s in self.sizes) + "]"


def _memory(size):
    """Zeroed bytes that begin on a cache line."""
    whole = numpy.zeros(size + 64, numpy.uint8)
    start = -whole.ctypes.data % 64
    return whole[start:start + size]


def _convert(value, dtype, name):
    """An array of the type, row by row in memory, without a copy where it is that already. Only
    conversions that keep the numbers: between floats with rounding, whole numbers to what has
    room for them; never a float to a whole number."""
    if isinstance(value, numpy.ma.MaskedArray) and numpy.ma.is_masked(value):
        raise DtypeError(f"{name}: a masked array has no number where it is masked; fill it first")
    try:
        array = numpy.asarray(value)
    except Exception as error:
        raise DtypeError(f"{name}: this is not an array: {error}") from error
    if array.dtype != dtype:
        array = _cast(array, dtype, name)
    return numpy.require(array, dtype, ["C", "A"])


def _cast(array, dtype, name):
    kind = array.dtype.kind
    if array.size == 0 and kind in "biuf":
        return array.astype(dtype)
    if kind not in "biuf" or (dtype.kind == "i" and kind == "f"):
        why = ""
        if kind == "f":
            why = ": a float would lose its fraction; round it yourself, with astype"
        raise DtypeError(f"{name} is {dtype}, and {array.dtype} is not converted to it{why}")
    if dtype.kind == "i":
        limits = numpy.iinfo(dtype)
        if array.min() < limits.min or array.max() > limits.max:
            raise DtypeError(f"{name} is {dtype}, which has no room for {array.min()} to "
                             f"{array.max()}")
    with numpy.errstate(over="ignore"):
        out = array.astype(dtype)
    exact = 1 << numpy.finfo(dtype).nmant + 1 if dtype.kind == "f" else 0
    if exact and kind in "iu" and (array.min() < -exact or array.max() > exact):
        raise DtypeError(f"{name} is {dtype}, which does not hold whole numbers above {exact} "
                         "exactly: use astype where that is meant")
    narrows = kind == "f" and array.dtype.itemsize > dtype.itemsize
    if narrows and (numpy.isinf(out) & ~numpy.isinf(array)).any():
        raise DtypeError(f"{name} is {dtype}, and a number is too large for it")
    return out


class Tensors(collections.abc.MutableMapping):
    """Tensors of the model by their names, as views of its memory: m.params["h.W"] is not a
    copy, and it may outlive the model. An assignment copies numbers into it."""

    def __init__(self, model, slots, memory, writable=True):
        self._model, self._slots, self._block, self._writable = model, slots, memory, writable

    def _slot(self, name):
        try:
            return self._slots[name]
        except (KeyError, TypeError):
            raise UnknownNameError(f"there is no '{name}'{_guess(name, self._slots)}") from None

    def __getitem__(self, name):
        view = self._slot(name).view(self._block, self._model._dims)
        if not self._writable:
            view.flags.writeable = False
        return view

    def __setitem__(self, name, value):
        if not self._writable:
            raise Error(f"'{name}' is a constant of the library")
        view = self[name]
        array = _convert(value, view.dtype, name)
        if array.shape != view.shape:
            raise ShapeError(f"{name} has the shape {view.shape}, not {array.shape}")
        view[...] = array

    def __delitem__(self, name):
        raise Error(f"'{name}' belongs to the model")

    def __iter__(self):
        return iter(self._slots)

    def __len__(self):
        return len(self._slots)

    def __repr__(self):
        return "\n".join(f"{name}: {slot.dtype} {slot.form()}"
                         for name, slot in self._slots.items()) or "(none)"

    def _ipython_key_completions_(self):
        return list(self._slots)


class Values(dict):
    """What a call computed, by name: a dict whose members are attributes too. Numbers are
    Python's, arrays are copies. With just one value it is that number, or array, for float() and
    numpy.asarray()."""

    __slots__ = ()

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no '{name}'{_guess(name, self)}") from None

    def _one(self):
        if len(self) != 1:
            raise TypeError(f"there are {len(self)} values: {', '.join(self)}")
        return next(iter(self.values()))

    def __float__(self):
        return float(self._one())

    def __array__(self, dtype=None, copy=None):
        """NumPy 2 says whether it wants a copy: True, False (rather an error), or None (only
        where one is needed)."""
        value = self._one()
        array = numpy.asarray(value, dtype)
        if copy is False and array is not value:
            raise ValueError("an array of this type has to be a copy of the value")
        return array.copy() if copy and array is value else array

    def __dir__(self):
        return [*super().__dir__(), *self]


class Lesson:
    """What `ngc explain` says: a notebook shows the page. `html` is the page, `text` the lesson
    as text."""

    def __init__(self, page, text):
        self.html, self._text = page, text

    @property
    def text(self):
        if callable(self._text):
            self._text = self._text()
        return self._text

    def save(self, path):
        """Writes the page to a file, for a browser."""
        with open(path, "w", encoding="utf-8") as f:
            f.write(self.html)

    def __str__(self):
        return self.text

    def _repr_html_(self):
        return ('<iframe srcdoc="' + html.escape(self.html, quote=True)
                + '" style="width: 100%; height: 40em; border: 1px solid #ccc"'
                ' sandbox="allow-scripts"></iframe>')


# ---- the manifest, compared with the descriptor ----

class _Manifest:
    """The parts of a manifest that are used, all of them checked."""

    def __init__(self, library, text):
        try:
            self._read(library, json.loads(text) if text is not None else self._inside(library))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError,
                RecursionError) as error:
            if isinstance(error, ManifestError):
                raise
            raise ManifestError(f"the manifest is damaged: {error!r}") from error

    def _inside(self, library):
        """The manifest in the library; or what the descriptor of NAME says, if the library is
        NAME.so or libNAME.so."""
        try:
            first = ctypes.c_char.in_dll(library, "ngc_manifest")
            return json.loads(ctypes.string_at(ctypes.addressof(first)))
        except ValueError:
            pass
        stem = os.path.basename(library._name).split(".")[0]
        for self.name in (stem, stem[3:] if stem.startswith("lib") else stem):
            if hasattr(library, self.name + "_model"):
                return self._find_descriptor(library).manifest(self.name)
        raise ManifestError("the library has no manifest inside, there is no file of it beside, "
                            "and no descriptor has its name")

    def _read(self, library, about):
        self._want(about["manifest"] == 1, "its version is not 1")
        self._want(about["pointer"] == ctypes.sizeof(ctypes.c_void_p),
                   "it is for pointers of another size")
        self.name = re.fullmatch(r"(\w+)_work", about["blocks"]["work"]["type"])[1]
        d = self.descriptor = self._find_descriptor(library)
        self.bytes = {b: getattr(d, "sizeof_" + b) for b in _BLOCKS}
        self.bytes["totals"] = d.sizeof_totals
        for block, size in self.bytes.items():
            said = about["blocks"].get(block, {"bytes": 0})["bytes"]
            self._want(said == size, f"{block} has {size} bytes there, not {said}")
        self.real = _TYPES[d.real]
        self._read_dims(about["dims"], d)
        self._read_tensors(about["tensors"], d)
        self._read_functions(library, about["functions"], d)

    @staticmethod
    def _want(right, text):
        if not right:
            raise ManifestError("the manifest does not fit the library: " + text)

    def _find_descriptor(self, library):
        try:
            version = ctypes.c_int.in_dll(library, self.name + "_model").value
        except ValueError:
            self._want(False, f"it has no {self.name}_model")
        self._want(version == _VERSION, f"its descriptor has version {version}, not {_VERSION}")
        return _Descriptor.in_dll(library, self.name + "_model")

    def _read_dims(self, dims, d):
        there = [(d.dim[i].name.decode(), d.dim[i].max, d.dim[i].offset) for i in range(d.dims)]
        self._want([(x["name"], x["max"], x["offset"]) for x in dims] == there,
                   "other run-time sizes")
        self.dim = {name: (largest, offset) for name, largest, offset in there}

    def _read_tensors(self, tensors, d):
        there = {}
        for i in range(d.tensors):
            t = d.tensor[i]
            there[_ROLES[t.role], t.name.decode()] = t
        self.slots, self.flags, found = [], {}, set()
        most = {name: largest for name, (largest, _) in self.dim.items()}
        for t in tensors:
            key = t["role"], t["name"]
            slot = self._read_tensor(t, most)
            if t["role"] == "value":
                self.slots.append(slot)
                continue
            self._want(key in there and key not in found, f"it has no {t['role']} '{t['name']}'")
            found.add(key)
            real = there[key]
            row = slot.offset, str(slot.dtype), slot.shape
            self._want(row == (real.offset, _TYPES[real.type], tuple(real.shape[:real.rank])),
                       f"'{t['name']}' is not the same")
            for size, dim in zip(slot.sizes, real.dim):
                first = next((k for k, name in enumerate(self.dim) if name in size.names()), _FIXED)
                same = dim == first or (dim == _COMPUTED and first != _FIXED)
                self._want(same, f"'{t['name']}' has other run-time sizes")
            slot.limit = real.limit
            slot.total = real.total
            self.flags[slot.name] = real.flags
            self.slots.append(slot)
        self._want(found == there.keys(), "tensors are missing")

    def _read_tensor(self, t, most):
        sizes = [_Size(s, self.dim) for s in t["sizes"]]
        # a size such as 9 - m is largest elsewhere; what it is then is compared with the descriptor
        shape = tuple(s.at(most) if s.grows() else int(n) for s, n in zip(sizes, t["shape"]))
        blocks = {"input": "inputs", "param": "params", "state": "state", "grad": "grads"}
        block = blocks.get(t["role"], "work")
        slot = _Slot(str(t["name"]), t["role"], block, t["type"], sizes, shape, t["offset"], 0,
                     "default" in t, 0)
        count = 1
        for n in shape:
            count *= n
        size = ctypes.sizeof(ctypes.c_void_p) if slot.pointer else count * slot.dtype.itemsize
        fits = isinstance(slot.offset, int) and min(shape, default=0) >= 0
        fits = fits and 0 <= slot.offset <= self.bytes[block] - size
        self._want(fits and list(shape) == t["shape"], f"'{slot.name}' has no place in {block}")
        return slot

    def _read_functions(self, library, functions, d):
        self.call, self.reads, self.groups = {}, {}, {}
        inputs = {s.name for s in self.slots if s.role == "input"}
        for f in functions:
            does, name = f["does"], f["name"]
            reads = f.get("reads", inputs)
            self._want(set(reads) <= inputs, f"{name} reads what is not an input")
            if does == "step" and name != self.name + "_step":
                group = name[len(self.name + "_step_"):]
                blocks = [a["block"] for a in f["arguments"]]
                known = [b for b in _BLOCKS[:4] if b in blocks and self.bytes[b]]
                self._want(name.startswith(self.name + "_step_") and blocks == known,
                           f"{name} is not a step")
                self.groups[group] = getattr(library, name), blocks
                self.reads["step_" + group] = set(reads)
            elif does in _FUNCTIONS:
                self.reads[does] = set(reads)
        for does in _FUNCTIONS:
            address = getattr(d, does)
            self._want(bool(address) == (does in self.reads), f"the function {does}")
            if address:
                self.call[does] = address


# ---- the model ----

class _Function:
    """A function of the C, with what it reads and computes."""

    def __init__(self, call, arguments, reads, results):
        self.call, self.arguments, self.reads, self.results = call, arguments, reads, results


_INT4 = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 4)
_INT5 = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 5)
_INIT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64)
_BYTE = ctypes.c_char
_MISSING = object()
_models = weakref.WeakSet()


def _host_library():
    """A library with the host part of the runtime, for models that were linked without it."""
    global _host
    if _host is None:
        _host = _Source(None, "output y = 1\n", "host", [], None).library()
    return _host


_host = None


class Model:
    """A model with its memory: params, state, gradients and results. See load()."""

    def __init__(self, library, manifest, source=None, threads=1, seed=1):
        about = self._about = _Manifest(library, manifest)
        self._library, self._source = library, source
        self.name = about.name
        self._memory = {b: _memory(about.bytes[b]) for b in ("inputs", "work")}
        self._frozen = self._find_constants(library)
        for b in ("params", "state"):
            self._memory.setdefault(b, self._frozen.get(b, _memory(about.bytes[b])))
        self._dims = {name: largest for name, (largest, _) in about.dim.items()}
        self._given = {}     # run-time sizes that the last call named
        self._shapes = None  # of its inputs; None: they are worked out again
        self._kept = []      # arrays that backward reads after forward
        self._phase = 0      # 1: forward is done, 2: backward too
        self._lock, self._busy = threading.RLock(), False
        self._pool, self._end_pool, self._saved = None, None, _About()
        self._bind()
        self.threads = threads
        _models.add(self)
        self.init(seed)

    # -- what it consists of --

    def _find_constants(self, library):
        """The blocks that --weights wrote into the library."""
        found = {}
        for block, name in (("params", "_weights"), ("state", "_weights_state")):
            size = self._about.bytes[block]
            try:
                at = (ctypes.c_uint8 * size).in_dll(library, self._about.name + name)
            except ValueError:
                continue
            found[block] = numpy.frombuffer(at, numpy.uint8) if size else _memory(0)
            found[block].flags.writeable = False
        return found

    def _bind(self):
        """Prepares what each call needs."""
        about, inputs, work = self._about, self._memory["inputs"], self._memory["work"]
        self._inputs = []
        for slot in about.slots:
            if slot.role != "input":
                continue
            at = ctypes.c_void_p if slot.pointer else slot.ctype
            default = None
            if about.flags[slot.name] & _DEFAULT:
                default = at.from_address(about.descriptor.defaults + slot.offset).value
            self._inputs.append((slot.name, slot, at.from_buffer(inputs, slot.offset), default))
        self._input = {name: slot for name, slot, _, _ in self._inputs}
        self._dim_at = {n: ctypes.c_int.from_buffer(inputs, offset)
                        for n, (_, offset) in about.dim.items()}
        for name, at in self._dim_at.items():
            at.value = self._dims[name]
        self._pool_at = ctypes.c_void_p.from_buffer(work, 0)

        self._address = {b: m.ctypes.data for b, m in self._memory.items()}
        four = [self._address[b] for b in _BLOCKS[:4]]
        losses, measured = self._results("loss"), self._results("metric")
        outputs = self._results("output")
        results = {"predict": outputs, "eval": outputs + losses + measured, "forward": losses,
                   "step": losses}
        self._functions = {}
        for does, address in about.call.items():
            if does != "init":
                call = _INT5 if does in ("backward", "update") else _INT4
                self._functions[does] = _Function(call(address), four, about.reads[does],
                                                  results.get(does, []))
        for group, (call, blocks) in about.groups.items():
            call.argtypes, call.restype = [ctypes.c_void_p] * len(blocks), ctypes.c_int
            own = [r for r in losses if re.sub(r"\W", "_", r[0]) == group]
            address = [self._address[b] for b in blocks]
            self._functions["step_" + group] = _Function(call, address,
                                                         about.reads["step_" + group],
                                                         own or losses)

    def _results(self, role):
        """(name, its number in memory or None, its slot) of the members of work with this role."""
        work = self._memory["work"]
        return [(s.name, None if s.shape else s.ctype.from_buffer(work, s.offset), s)
                for s in self._about.slots if s.role == role]

    def _tensors(self, block, roles):
        slots = {s.name: s for s in self._about.slots if s.role in roles}
        return Tensors(self, slots, self._memory[block], block not in self._frozen)

    @property
    def params(self):
        """The params by name, as views."""
        return self._tensors("params", ("param",))

    @property
    def state(self):
        """What is kept between steps and not trained, by name, as views."""
        return self._tensors("state", ("state",))

    @property
    def values(self):
        """Outputs, losses, metrics and kept values of the last call, as views: the next call
        writes over them."""
        return self._tensors("work", ("output", "loss", "metric", "value"))

    @property
    def grads(self):
        """The gradients that backward() computed, as views: by their names, or that of the param
        if there is one loss."""
        if "grads" not in self._memory:
            raise Error("gradients are computed by backward(), after forward(); step() keeps none")
        slots = {s.name: s for s in self._about.slots if s.role == "grad"}
        short = collections.Counter(n.split("/d", 1)[-1] for n in slots)
        return Tensors(self, _Aliases(slots,
                                      {n.split("/d", 1)[-1]: n for n in slots
                                       if short[n.split("/d", 1)[-1]] == 1}),
                       self._memory["grads"])

    @property
    def inputs(self):
        """The inputs: their types and shapes, as text."""
        return {s.name: f"{s.dtype} {s.form()}" for s in self._input.values()}

    @property
    def dims(self):
        """The run-time sizes of the last call; before, their bounds."""
        return dict(self._dims)

    def __repr__(self):
        takes = ", ".join(f"{n}: {t}" for n, t in self.inputs.items())
        return f"<ngc model {self.name} ({takes})>"

    def __reduce__(self):
        raise TypeError("a model is not copied or pickled: save its weights, "
                        "and load the model again")

    # -- threads --

    @property
    def threads(self):
        """How many threads share the work of large functions."""
        return self._threads

    @threads.setter
    def threads(self, number):
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 256:
            raise ValueError(f"threads are 1 to 256, not {number!r}")
        with self._lock:
            if self._busy:
                raise Error("the model is in use")
            if self._end_pool:
                self._end_pool()
            self._threads = number
            self._pool = self._end_pool = self._pool_at.value = None

    def _start_pool(self):
        host = self._host()
        create, destroy = host.ngrt_pool_create, host.ngrt_pool_destroy
        create.restype, create.argtypes = ctypes.c_void_p, [ctypes.c_int]
        destroy.restype, destroy.argtypes = None, [ctypes.c_void_p]
        self._pool = host.ngrt_pool_create(self._threads)
        if not self._pool:
            raise Error(f"cannot start {self._threads} threads")
        self._pool_at.value = self._pool
        self._end_pool = weakref.finalize(self, host.ngrt_pool_destroy, self._pool)

    def _host(self):
        return self._library if hasattr(self._library, "ngrt_weights_save") else _host_library()

    def _after_fork(self):
        """In the child, only the thread that forked is there: no lock is held, and the pool is
        gone."""
        self._lock, self._busy = threading.RLock(), False
        if self._end_pool:
            self._end_pool.detach()
            self._pool, self._end_pool, self._pool_at.value = None, None, None

    # -- a call --

    def _call(self, does, inputs, named):
        if inputs:
            named = {**inputs, **named}
        with self._lock:
            if self._busy:
                raise Error(f"{does}() is called while another call is under way on the same "
                            "thread")
            self._busy = True
            try:
                function = self._functions[does]
                kept = self._set(does, function, named)
                if self._threads > 1 and self._pool is None:
                    self._start_pool()
                self._phase = 0
                status = function.call(*function.arguments)
                if status:
                    self._fail(does, status, kept)
                if does == "forward":
                    self._phase, self._kept = 1, kept
                return self._read(function)
            except KeyError:
                if does in self._functions:
                    raise
                raise Error(f"the model has no {does}{self._why_not(does)}") from None
            finally:
                self._busy = False

    def _read(self, function):
        values = Values()
        for name, number, slot in function.results:
            if number is not None:
                values[name] = number.value
            else:
                values[name] = slot.view(self._memory["work"], self._dims).copy()
        return values

    def _why_not(self, does):
        if self._frozen:
            return ": its weights are constants, so it only predicts"
        return {"predict": ": it declares no output", "step": ": it updates nothing",
                "update": ": it updates nothing"}.get(does, "")

    def _set(self, does, function, named):
        """Writes the inputs of a call. Returns the arrays that must live as long as the call."""
        kept, same = [], self._shapes is not None
        self._shapes = None  # until all is right
        for name, slot, at, default in self._inputs:
            value = named.pop(name, _MISSING)
            if value is _MISSING:
                if default is None and name in function.reads:
                    self._known(named)
                    raise MissingInputError(f"{does}() needs {name}: {slot.dtype} {slot.form()}")
                at.value = default if default is not None else (None if slot.pointer else 0)
                same = same and slot.last is None
                slot.last = None
            elif not slot.pointer:
                at.value = _number(value, slot)
            else:
                as_it_is = (type(value) is numpy.ndarray and value.dtype is slot.dtype
                            and value.flags.carray)
                if not as_it_is:
                    shape = getattr(value, "shape", ())
                    limits = zip(shape, slot.shape)
                    if len(shape) == len(slot.shape) and any(n > most for n, most in limits):
                        slot.last = tuple(shape)  # larger than it can be: it is not converted first
                        self._solve({n: v for n, v in named.items() if n in self._about.dim})
                    value = _convert(value, slot.dtype, name)
                if value.base is not None and self._overlaps(value):
                    value = value.copy()
                shape = value.shape
                if shape != slot.last:
                    slot.last, same = shape, False
                kept.append(value)
                if value.size and value.flags.writeable:
                    at.value = ctypes.addressof(_BYTE.from_buffer(value))
                else:
                    at.value = value.ctypes.data
        if not same or named or self._given:
            self._solve(named)
        self._shapes = True
        return kept

    def _overlaps(self, array):
        """Is the array a view of the model's own memory? A call may write there while it reads
        its inputs."""
        first = array.ctypes.data
        return any(first < m.ctypes.data + m.size and first + array.nbytes > m.ctypes.data
                   for m in self._memory.values())

    def _known(self, names):
        for name in names:
            if name not in self._input and name not in self._about.dim:
                guess = _guess(name, [*self._input, *self._about.dim])
                raise UnknownNameError(f"the model has no input '{name}'{guess}")

    def _solve(self, named):
        """Finds the run-time sizes by the shapes of the inputs and the names given."""
        dims = {}
        self._known(named)
        for name, value in named.items():
            try:
                dims[name] = operator.index(value)
            except TypeError:
                raise DtypeError(f"{name} is a size: a whole number, not {value!r}") from None
        self._check_dims(dims)
        slots = [s for s in self._input.values() if s.last is not None]
        for s in slots:
            if len(s.last) != len(s.sizes):
                raise ShapeError(f"{s.name} has the shape {s.last}, not {s.form()}")
        left, more = [(s, i) for s in slots for i in range(len(s.sizes))], True
        while left and more:
            before, left, more = left, [], False
            for s, i in before:
                if s.sizes[i].names() <= dims.keys():
                    self._compare(s, i, dims)
                    continue
                found = s.sizes[i].solve(s.last[i], dims)
                if found:
                    self._check_dims(dict([found]), s)
                    dims[found[0]] = found[1]
                    more = True
                left.append((s, i))
        for s, i in left:
            unknown = s.sizes[i].names() - dims.keys()
            raise ShapeError(f"{s.name} has the shape {s.last}, and {s.form()} does not say what "
                             f"{' and '.join(sorted(unknown))} is then: give it by its name")
        for name, (largest, _) in self._about.dim.items():
            self._dims[name] = dims.get(name, largest)
            self._dim_at[name].value = self._dims[name]
        self._given = dict(named)

    def _compare(self, slot, axis, dims):
        if slot.sizes[axis].at(dims) != slot.last[axis]:
            sizes = ", ".join(f"{n} = {dims[n]}" for n in sorted(slot.sizes[axis].names()))
            raise ShapeError(f"{slot.name} has the shape {slot.last}, not {slot.form()}"
                             + (f" with {sizes}" if sizes else ""))

    def _check_dims(self, dims, slot=None):
        for name, value in dims.items():
            largest = self._about.dim[name][0]
            if not 1 <= value <= largest:
                of = f"{slot.name} has the shape {slot.last}: " if slot else ""
                larger = ""
                if value > largest and self._source:
                    larger = f"; load the model with define={{'{name}': {value}}} for more"
                raise ShapeError(f"{of}{name} = {value}, and it can be 1 to {largest}{larger}", -1)

    def _fail(self, does, status, kept):
        if status == -2:
            arrays = iter(kept)
            for slot in (s for s in self._input.values() if s.pointer and s.last is not None):
                array = next(arrays)
                wrong = numpy.argwhere((array < 0) | (array >= slot.limit)) if slot.limit else ()
                if len(wrong):
                    place = ", ".join(map(str, wrong[0]))
                    value = array[tuple(wrong[0])]
                    raise LabelError(f"{slot.name}[{place}] = {value}, and it can be 0 to "
                                     f"{slot.limit - 1}", status)
            raise LabelError(f"{does}(): a label or an index is out of its range", status)
        if status == -1:
            raise ShapeError(f"{does}(): a run-time size is out of its range", status)
        raise Error(f"{does}() returned {status}", status)

    # -- the functions --

    def init(self, seed=1):
        """Starting values for params and state: the same for the same seed."""
        whole = hasattr(seed, "__index__") and not isinstance(seed, bool)
        if not whole or not 0 <= seed.__index__() < 1 << 64:
            raise ValueError(f"a seed is a whole number from 0 to 2^64 - 1, not {seed!r}")
        with self._lock:
            self._phase = 0
            if "init" in self._about.call:
                _INIT(self._about.call["init"])(self._address["params"], self._address["state"],
                                                seed.__index__())
            self._saved = _About(seed=seed.__index__())

    def step(self, inputs={}, /, **named):
        """A step of training on a batch: forward, backward, update. Returns the losses before
        the update."""
        return self._call("step", inputs, named)

    @property
    def steps(self):
        """The step of each loss, where the model minimizes several: m.steps["judge"](x=...)."""
        return {group: functools.partial(self._step_of, "step_" + group)
                for group in self._about.groups}

    def _step_of(self, does, inputs={}, /, **named):
        return self._call(does, inputs, named)

    def predict(self, inputs={}, /, **named):
        """The outputs. Inputs that only losses and metrics read may be missing."""
        return self._call("predict", inputs, named)

    def eval(self, inputs={}, /, **named):
        """Outputs, losses and metrics of a batch, without training."""
        return self._call("eval", inputs, named)

    def forward(self, inputs={}, /, **named):
        """The losses, and what backward() needs. The arrays must stay as they are until then."""
        return self._call("forward", inputs, named)

    def backward(self):
        """The gradients, after forward(): m.grads."""
        with self._lock:
            if self._phase < 1:
                raise Error("backward() goes with a forward() right before it")
            self._whole("backward")
            self._phase = 2
            return self.grads

    def update(self):
        """All updates, by the gradients of backward() as they are in m.grads now."""
        with self._lock:
            if self._phase < 2:
                raise Error("update() goes with a backward() right before it")
            self._whole("update")
            self._phase, self._kept = 0, []

    def _whole(self, does):
        if does not in self._functions:
            raise Error(f"the model has no {does}{self._why_not(does)}")
        if "grads" not in self._memory:
            self._memory["grads"] = _memory(self._about.bytes["grads"])
        function = self._functions[does]
        status = function.call(*function.arguments, self._memory["grads"].ctypes.data)
        if status:
            self._fail(does, status, self._kept)

    def measure(self, inputs={}, batch=None, /, **named):
        """Losses and metrics of all rows, whatever their number: inputs whose first axis is the
        first run-time size are taken `batch` rows at a time, by default as many as it can be."""
        d = self._about.descriptor
        if not d.metrics_start:
            raise Error("the model has no losses or metrics of all rows: eval() measures a batch")
        name, (most, _) = next(iter(self._about.dim.items()))
        inputs = {**inputs, **named}
        rows = {n: _convert(v, self._input[n].dtype, n) for n, v in inputs.items()
                if n in self._input and self._input[n].shape
                and self._input[n].sizes[0].text == name}
        count = {len(v) if v.ndim else 0 for v in rows.values()}
        batch = most if batch is None else batch
        if len(count) != 1 or 0 in count:
            raise ShapeError(f"these inputs have {sorted(count) or 'no'} rows: " + ", ".join(rows))
        if not 1 <= batch <= most:
            raise ShapeError(f"a batch has 1 to {most} rows, not {batch}")
        with self._lock:
            return self._gather(rows, {n: v for n, v in inputs.items() if n not in rows},
                                count.pop(), batch)

    def _gather(self, rows, others, count, batch):
        d, totals = self._about.descriptor, _memory(self._about.bytes["totals"])
        at = totals.ctypes.data
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(d.metrics_start)(at)
        function = _Function(_INT5(d.metrics_add), [*self._functions["eval"].arguments, at],
                             self._functions["eval"].reads, [])
        self._functions["measure"] = function
        try:
            again = 1
            while again == 1:
                for first in range(0, count, batch):
                    self._call("measure",
                               {**others, **{n: v[first:first + batch] for n, v in rows.items()}},
                               {})
                again = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(d.metrics_finish)(at)
            if again:
                self._fail("measure", again, [])
        finally:
            del self._functions["measure"]
        values = Values()
        for slot in self._about.slots:
            if slot.total:
                shape = tuple(s.at(self._dims) for s in slot.sizes)
                value = numpy.ndarray(shape, numpy.float64, totals[slot.total:])
                values[slot.name] = value.copy() if shape else float(value)
        return values

    # -- files --

    def _weights(self, path):
        if self._frozen:
            raise FileError("the weights are constants of the library")
        host = self._host()
        p = ctypes.c_void_p
        host.ngrt_weights_save.argtypes = [p, p, p, p, ctypes.c_char_p, ctypes.c_char_p, p]
        host.ngrt_weights_load.argtypes = [p, p, p, p, ctypes.c_char_p, ctypes.c_char_p, p]
        return host, os.fsencode(path), ctypes.create_string_buffer(512)

    def _finish(self, status, message):
        text = message.value.decode("utf-8", "replace")
        if status:
            raise FileError(text or f"status {status}", status)
        if text:
            warnings.warn(text, Warning, stacklevel=4)

    def save(self, path, map=None):
        """Writes params and state: safetensors, or .npz or .npy by the end of the name. map:
        "theirs=ours,...", other names."""
        host, name, message = self._weights(path)
        with self._lock:
            status = host.ngrt_weights_save(ctypes.addressof(self._about.descriptor),
                                            self._address["params"],
                                            self._address["state"], ctypes.addressof(self._saved),
                                            name, map.encode() if map else None, message)
        self._finish(status, message)

    def load(self, path, map=None):
        """Reads params and state: nothing changes unless all of it fits."""
        host, name, message = self._weights(path)
        about = _About()
        with self._lock:
            status = host.ngrt_weights_load(ctypes.addressof(self._about.descriptor),
                                            self._address["params"],
                                            self._address["state"], ctypes.addressof(about), name,
                                            map.encode() if map else None, message)
            if not status:
                self._saved, self._phase = about, 0
        self._finish(status, message)

    # -- what ngc says of the model --

    def _text(self):
        if self._source is None:
            raise Error("a library has no text: load the .ng")
        return self._source

    def check(self, **named):
        """Compares every derivative with differences: returns what `ngc check` says, or raises
        CheckError. Numbers that are given are values of scalar inputs."""
        words = [f"{name}={value}" for name, value in named.items()]
        said, status = self._text().run("check", rest=words, may_fail=True)
        if status:
            raise CheckError(said.strip() or "a derivative is wrong")
        return said

    def explain(self, inputs={}, /, **named):
        """The lesson of `ngc explain`, for these inputs and the params and states as they are
        now. A notebook shows it."""
        named, weights = {**inputs, **named}, self._weights_now()
        return Lesson(self._lesson("--html", named, weights),
                      lambda: self._lesson("--text", named, weights))

    def _weights_now(self):
        """Params and states as a file has them, or None: the model has none, or they are
        constants."""
        if self._frozen or not (self.params or self.state):
            return None
        with tempfile.TemporaryDirectory(prefix="ngc-") as private:
            path = os.path.join(private, "now.safetensors")
            self.save(path)
            with open(path, "rb") as f:
                return f.read()

    def _lesson(self, form, named, weights):
        with tempfile.TemporaryDirectory(prefix="ngc-") as private:
            words, files = [], []
            for number, (name, value) in enumerate(named.items()):
                self._known([name])
                slot = self._input.get(name)
                if slot is not None and slot.pointer:
                    path = os.path.join(private, f"{number}.npy")
                    numpy.save(path, _convert(value, slot.dtype, name), allow_pickle=False)
                    files.append(f"{name}={path}")
                else:
                    words.append(f"{name}={value}")
            options = ["--data", ",".join(files)] if files else []
            if weights is not None:
                path = os.path.join(private, "now.safetensors")
                with open(path, "wb") as f:
                    f.write(weights)
                # it goes before files that the model was loaded with
                options.append("--weights=" + path)
            return self._text().run("explain", form, "-o", "-", *options, rest=words)[0]


class _Aliases(dict):
    """A dict that knows some members by other names too, which it does not list."""

    def __init__(self, members, other):
        super().__init__(members)
        self._other = other

    def __missing__(self, name):
        return super().__getitem__(self._other[name])


def _number(value, slot):
    """A scalar input: a number of Python or NumPy, of a type that keeps its value."""
    kind = type(value)
    if kind is float or kind is int:
        pass
    elif isinstance(value, (bool, numpy.generic)) or getattr(value, "shape", None) == ():
        value = _convert(value, slot.dtype, slot.name)[()].item()
    else:
        raise DtypeError(f"{slot.name} is a number, not {kind.__name__}")
    if slot.dtype.kind == "i":
        if type(value) is not int:
            raise DtypeError(f"{slot.name} is a whole number, not {value}")
        if not -1 << 31 <= value < 1 << 31:
            raise DtypeError(f"{slot.name} is {slot.dtype}, which has no room for {value}")
        return value
    try:
        value = float(value)
    except OverflowError:
        raise DtypeError(f"{slot.name} is {slot.dtype}, and a number is too large for it") from None
    single = slot.ctype is ctypes.c_float
    if single and numpy.isfinite(value) and abs(value) > 3.4028235677973362e38:
        raise DtypeError(f"{slot.name} is {slot.dtype}, and {value} is too large for it")
    return value


def _after_fork():
    for model in list(_models):
        model._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
