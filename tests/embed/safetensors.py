"""safetensors.py - the format for the tests: read(path) and write(path, tensors, metadata), with
only the standard library.

A tensor is (shape, list of elements); written as F32, or as KIND of (shape, elements, KIND)."""
import json
import struct

CODE = {"F64": "d", "F32": "f", "I64": "q", "I32": "i", "U8": "B"}


def count(shape):
    n = 1
    for s in shape:
        n *= s
    return n


def write(path, tensors, metadata=None):
    head, data = {}, b""
    if metadata:
        head["__metadata__"] = metadata
    for name, (shape, elements, *kind) in tensors.items():
        kind = kind[0] if kind else "F32"
        piece = struct.pack(f"<{count(shape)}{CODE[kind]}", *elements)
        head[name] = {"dtype": kind, "shape": list(shape),
                      "data_offsets": [len(data), len(data) + len(piece)]}
        data += piece
    text = json.dumps(head).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def read(path):
    """The tensors and the metadata. It asserts the rules of the format, and so tests the
    writers."""
    with open(path, "rb") as f:
        file = f.read()
    (n,) = struct.unpack_from("<Q", file)
    head, data = json.loads(file[8:8 + n]), file[8 + n:]
    metadata, tensors, end = head.pop("__metadata__", {}), {}, 0
    for name, entry in head.items():
        assert set(entry) == {"dtype", "shape", "data_offsets"}, entry
        first, last = entry["data_offsets"]
        assert first == end and last <= len(data), (name, entry)
        end = last
        elements = struct.unpack(f"<{count(entry['shape'])}{CODE[entry['dtype']]}",
                                 data[first:last])
        tensors[name] = (entry["shape"], list(elements))
    assert end == len(data)
    return tensors, metadata
