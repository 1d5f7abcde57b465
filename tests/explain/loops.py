"""loops.py NGC MODEL ... - the values in the bodies of loops that stay loops, against the same
model with its loops expanded: each named value h.t in pass 3 is h.3 there, and so are the
gradients; results, derivatives and updates are the same."""
import json
import subprocess
import sys


def lesson(model, passes):
    out = subprocess.run([ngc, "explain", "--json", f"--unroll={passes}", model],
                         capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    return json.loads(out.stdout)


def near(a, b):
    if a is None or b is None:  # too many elements
        return a is b
    return len(a) == len(b) and all(abs(float(x) - float(y)) <= 1e-9 * max(1, abs(float(x)))
                                    for x, y in zip(a, b))


def check_item(item, kept, nodes, expanded):
    """Compares the value and the gradient of a named item of a body in each pass that the lesson
    has. Returns how many."""
    compared, k = 0, item["loop"]
    loops = []
    while k is not None:
        loops.insert(0, kept["loops"][k])
        k = kept["loops"][k]["outer"]
    base = item["name"].rsplit(".", len(loops))[0]
    for key in ("node", "gradient"):
        for at in nodes[item[key]]["passes"] if item[key] is not None else []:
            name = ".".join([base, *(str(p + loop["from"]) for p, loop in zip(at["pass"], loops))])
            other = expanded["items"].get(name)
            if not other or other[key] is None:
                continue
            value = expanded["nodes"][other[key]]["value"]
            assert near(at["value"], value), f"{name}: the {key} is {at['value']}, expanded {value}"
            compared += 1
    return compared


def check(model):
    kept, other = lesson(model, 0), lesson(model, 1000000)
    assert kept["loops"] and not other["loops"], f"{model} has no loop"
    nodes = {n["id"]: n for n in kept["nodes"]}
    expanded = dict(items={i["name"]: i for i in other["items"]},
                    nodes={n["id"]: n for n in other["nodes"]})
    for part in ("results", "derivatives", "updates"):
        for a, b in zip(kept[part], other[part]):
            assert a["name"] == b["name"] and near(a["value"], b["value"]), f"{a['name']} is {a['value']}, expanded {b['value']}"
    compared = 0
    for item in kept["items"]:
        has_name = item["kind"] == "value" and not item["name"].startswith("v")
        leaves = nodes[item["node"]]["op"] == "last"  # has the name of what it began as
        if item["loop"] is not None and has_name and not leaves:
            compared += check_item(item, kept, nodes, expanded)
    assert compared, f"{model}: no value was compared"
    for of_value in (n for n in kept["nodes"] if "passes" in n):
        last = of_value["passes"][-1]
        assert last["value"] == of_value["value"], f"node {of_value['id']}: the value is not that of the last pass"


ngc = sys.argv[1]
for path in sys.argv[2:]:
    try:
        check(path)
    except AssertionError as e:
        sys.exit(f"{path}: {e}")
