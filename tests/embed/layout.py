"""layout.py MANIFEST LAYOUT - does the manifest agree with the compiler?"""
import json
import sys

manifest = json.load(open(sys.argv[1]))
said = [f"{b} {manifest['blocks'].get(b, {}).get('bytes', 0)}"
        for b in ("params", "state", "inputs", "work", "grads")]
said += [f"dim {d['name']} {d['max']} {d['offset']}" for d in manifest["dims"]]
rows = [" ".join(map(str, [t["role"], t["name"], t["offset"]] + t["shape"]))
        for t in manifest["tensors"] if t["role"] != "value"]
is_so = open(sys.argv[2]).read().splitlines()
head = len(said)
if said != is_so[:head] or sorted(rows) != sorted(is_so[head:]):
    sys.exit("\n".join(sorted(set(said + rows) ^ set(is_so))))
