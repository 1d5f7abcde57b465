"""seeds.py DIRECTORY - writes small files of each format of data that the runtime reads."""
import gzip
import io
import json
import os
import struct
import sys

import numpy as np

directory = sys.argv[1]


def put(name, data):
    with open(os.path.join(directory, name), "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def npz(save, **arrays):
    out = io.BytesIO()
    save(out, **arrays)
    return out.getvalue()


def safetensors(tensors, notes):
    head, data = {"__metadata__": notes} if notes else {}, b""
    for name, (kind, array) in tensors.items():
        raw = array.tobytes()
        head[name] = {"dtype": kind, "shape": list(array.shape),
                      "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + data


table = "1,2,3\n4,5,6\n7,8,9\n"
named = 'a,b,"the kind"\n1.5,2,rose\n-3e2,NA,"li""ly"\n\n4,5,rose\n'
put("table.csv", table)
put("named.csv", named)
put("semicolon.csv", named.replace(",", ";").replace("\n", "\r\n"))
put("blanks.txt", "# x y\n1 2  3\n 4 5 6\n")
put("counts.csv", "2,2,one,two\n1,2,0\n3,4,1\n")
put("bom.csv", "\ufeffx\ty\n1\t2\n")
put("table.csv.gz", gzip.compress(table.encode(), mtime=0))
put("two.gz", gzip.compress(b"1,2\n", mtime=0) + gzip.compress(b"3,4\n", mtime=0))

array = np.arange(6, dtype=np.float32).reshape(2, 3)
for code, size, kind in ((8, 1, "u1"), (9, 1, "i1"), (0xB, 2, ">i2"), (0xC, 4, ">i4"),
                         (0xD, 4, ">f4"), (0xE, 8, ">f8")):
    put("idx%x" % code, bytes([0, 0, code, 2]) + struct.pack(">II", 2, 3)
        + array.astype(kind).tobytes())
put("idx.gz", gzip.compress(bytes([0, 0, 8, 1]) + struct.pack(">I", 4) + b"abcd", mtime=0))

for kind in ("<f2", "<f4", ">f8", "<i2", ">i4", "<i8", "|u1", "|b1", "<u4"):
    put("npy" + kind.strip("<>|") + ("b" if kind[0] == ">" else ""), npy(array.astype(kind)))
put("fortran.npy", npy(np.asfortranarray(array)))
put("scalar.npy", npy(np.float32(3)))
put("npy2", npy(array).replace(b"\x93NUMPY\x01\x00v\x00", b"\x93NUMPY\x02\x00v\x00\x00\x00", 1))
put("two.npz", npz(np.savez, x=array, t=np.array([1, 2])))
put("packed.npz", npz(np.savez_compressed, x=array))

tensors = {"h.W": ("F32", array), "h.b": ("F64", np.zeros(3)), "k": ("I64", np.array(7)),
           "half": ("BF16", np.zeros(2, np.uint16))}
put("safetensors", safetensors(tensors, {"format": "pt", "seed": "1", "epoch": "2"}))
put("safetensors_plain", safetensors({"W": ("F16", array.astype("<f2"))}, None))
put("notes", safetensors({"W": ("U8", array.astype("u1"))},
                         {"data": "x 4 1\nnumber 0x1p-1 a\nclass 2 rose lily\n", "last": "1 2 3"}))
