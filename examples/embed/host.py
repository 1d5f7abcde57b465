#!/usr/bin/env python3
"""host.py - a model from Python, by ctypes and the manifest: only the last ten lines know this
model.

    ngc --standalone --manifest line.ng -o line.c && cc -O2 -shared -fPIC line.c -lm -o libline.so
    python3 host.py ./libline.so line.json
"""
import ctypes
import json
import sys

CTYPE = {"float32": ctypes.c_float, "float64": ctypes.c_double, "int32": ctypes.c_int32}


class Model:
    """The functions and tensors of an emitted library, by their names."""

    def __init__(self, library, manifest):
        with open(manifest) as f:
            self.about = json.load(f)
        self.library = ctypes.CDLL(library)
        self.block, self.kept = {}, {}
        for name, block in self.about["blocks"].items():
            size = getattr(self.library, self.about["name"] + "_sizeof_" + name)
            size.restype = ctypes.c_size_t
            if size() != block["bytes"]:
                raise RuntimeError(f"{name} has {size()} bytes, and {block['bytes']} in the manifest")
            self.block[name] = ctypes.create_string_buffer(block["bytes"])
        self.tensor = {t["name"]: t for t in self.about["tensors"]}
        self.dim = {d["name"]: d for d in self.about["dims"]}
        self.function = {f["does"]: f for f in reversed(self.about["functions"])}
        for d in self.dim:
            self.set(d, self.dim[d]["max"])

    def _view(self, t, data=None):
        count = 1
        for n in t["shape"]:
            count *= n
        kind = CTYPE[t["type"]] * count
        if data is not None:
            return kind(*data) if len(data) == count else (CTYPE[t["type"]] * len(data))(*data)
        return kind.from_buffer(self.block[t["block"]], t["offset"])

    def set(self, name, value):
        """Sets a run-time size, a scalar, or the elements of a tensor, row by row: a list, or a
        NumPy array. An array of the right type is not copied."""
        if name in self.dim:
            ctypes.c_int.from_buffer(self.block["inputs"], self.dim[name]["offset"]).value = value
            return
        t = self.tensor[name]
        if hasattr(value, "__array_interface__"):
            import numpy
            value = numpy.ascontiguousarray(value, t["type"])
        if t["pointer"] and hasattr(value, "ctypes"):
            self.kept[name] = value
            ctypes.c_void_p.from_buffer(self.block["inputs"], t["offset"]).value = value.ctypes.data
        elif t["pointer"]:
            self.kept[name] = self._view(t, value)
            ctypes.c_void_p.from_buffer(self.block["inputs"], t["offset"]).value = ctypes.addressof(self.kept[name])
        elif hasattr(value, "ctypes"):
            self.array(name)[...] = value
        else:
            view = self._view(t)
            for i, v in enumerate([value] if t["shape"] == [] else value):
                view[i] = v

    def get(self, name):
        """A list of the tensor's elements, or a scalar."""
        view = self._view(self.tensor[name])
        return view[0] if self.tensor[name]["shape"] == [] else list(view)

    def array(self, name):
        """The tensor as a NumPy array on the model's own memory."""
        import numpy
        return numpy.frombuffer(self._view(self.tensor[name]), self.tensor[name]["type"]).reshape(self.tensor[name]["shape"])

    def call(self, does, *numbers):
        f = self.function[does]
        arguments = [self.block[a["block"]] if "block" in a
                     else ctypes.c_uint64(next(iter(numbers))) for a in f["arguments"]]
        call = getattr(self.library, f["name"])
        call.restype = ctypes.c_int if f["returns"] == "int" else None
        error = call(*arguments)
        if error:
            raise RuntimeError(f"{f['name']} returned {error}")


def main():
    line = Model(sys.argv[1], sys.argv[2])
    line.call("init", 1)
    line.set("n", 4)
    line.set("x", [-1, 0, 1, 2])
    line.set("y", [-1, 1, 3, 5])
    for _ in range(1000):
        line.call("step")
    line.call("predict")
    print(f"line: {line.get('a'):.2f} x + {line.get('b'):.2f}")
    print("u:", [round(v, 3) for v in line.get("u")[:4]])
    try:
        print("NumPy:", line.array("u")[:4].round(3))
    except ImportError:
        pass


if __name__ == "__main__":
    main()
