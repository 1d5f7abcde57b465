"""schema.py FILE.json ... - is each a lesson as compiler/README.md describes it? Says what is not, and fails."""
import json
import sys

text, number, whole, maybe = str, (int, float), int, type(None)
top = dict(version=whole, model=text, source=text, items=list, steps=list, derivatives=list, updates=list, nudges=list, nodes=list, c=text)
parts = dict(
    items=dict(node=whole, name=text, kind=text, formula=(str, maybe), numbers=(str, maybe), mathml=(str, maybe), teach=(str, maybe),
               line=whole, level=whole, args=list, gradient=(int, maybe)),
    steps=dict(x=whole, y=whole, use=whole, loss=text, upstream=text, downstream=text, rule=text, mathml=text, local=(str, maybe),
               teach=(str, maybe), slope=(int, float, maybe), dy=whole, dx=whole, sum=whole),
    derivatives=dict(name=text, formula=text, node=whole, shape=list, value=(list, maybe)),
    updates=dict(name=text, formula=text, node=whole, shape=list, value=(list, maybe)),
    nudges={"entry": text, "of": text, "from": number, "to": number, "loss": number, "moved": number, "slope": number,
            "derivative": number},
    nodes=dict(id=whole, op=text, args=list, attr=dict, shape=list, value=(list, maybe)),
)
optional = {"stats"}


def members(where, value, wanted):
    for key, kind in wanted.items():
        assert key in value, f"{where} has no {key}"
        assert isinstance(value[key], kind) and not isinstance(value[key], bool), f"{where}.{key} is {value[key]!r}"
    more = set(value) - set(wanted) - optional
    assert not more, f"{where} has {more}, which the schema does not know"


def check(lesson):
    members("lesson", lesson, top)
    for part, wanted in parts.items():
        for i, value in enumerate(lesson[part]):
            members(f"{part}[{i}]", value, wanted)
    ids = [n["id"] for n in lesson["nodes"]]
    assert ids == sorted(set(ids)), "nodes are not in order"
    known = set()
    for n in lesson["nodes"]:
        assert set(n["args"]) <= known, f"node {n['id']} stands before an operand"
        known.add(n["id"])
        count = 1
        for d in n["shape"]:
            count *= d
        assert n["value"] is None and "stats" in n or len(n["value"]) == count, f"node {n['id']} has not {count} elements"
    assert all(i["node"] in known and all(a < k for a in i["args"]) for k, i in enumerate(lesson["items"]))
    assert all({s["dy"], s["dx"], s["sum"]} <= known for s in lesson["steps"])
    value = {n["id"]: n["value"] for n in lesson["nodes"]}
    for s in lesson["steps"]:
        if s["slope"] is not None and None not in value[s["dy"]] + value[s["dx"]]:
            want = value[s["dx"]][0]
            assert abs(value[s["dy"]][0] * s["slope"] - want) <= 1e-9 * max(1, abs(want)), f"{s['downstream']} is no product"


for path in sys.argv[1:]:
    try:
        with open(path, encoding="utf-8") as f:
            check(json.load(f))
    except AssertionError as e:
        sys.exit(f"{path}: {e}")
