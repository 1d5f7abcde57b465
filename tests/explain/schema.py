"""schema.py FILE.json ... - is each a lesson as described in compiler/README.md? Prints what is
wrong, and fails."""
import json
import sys

NOT_FINITE = ("inf", "-inf", "nan")
text, number, whole, maybe = str, (int, float, str), int, type(None)
top = dict(version=whole, live=bool, model=text, source=text, items=list, steps=list, loops=list,
           derivatives=list, updates=list, results=list, work=dict, data=dict, nudges=list,
           curves=list,
           nodes=list, variables=dict, c=text)
parts = dict(
    items=dict(node=whole, name=text, kind=text, formula=(str, maybe), numbers=(str, maybe),
               mathml=(str, maybe), teach=(str, maybe),
               line=whole, group=text, level=whole, args=list, loop=(int, maybe), gradient=(int, maybe)),
    steps=dict(x=whole, y=whole, operand=whole, use=whole, loss=text, upstream=text,
               downstream=text, rule=text, mathml=text, local=(str, maybe),
               teach=(str, maybe), loop=(int, maybe), slope=(int, float, str, maybe), dy=whole, dx=whole, sum=whole),
    loops={"name": text, "formula": text, "node": whole, "from": whole, "passes": whole,
           "level": whole, "down": bool, "while": bool, "counted": bool,
           "variables": whole, "item": (int, maybe), "outer": (int, maybe), "of": (int, maybe)},
    derivatives=dict(name=text, formula=text, node=whole, shape=list, value=(list, maybe)),
    updates=dict(name=text, var=whole, formula=text, node=whole, shape=list, value=(list, maybe)),
    nudges={"entry": text, "of": text, "node": whole, "at": whole, "gradient": whole,
            "from": number, "to": number, "loss": number, "moved": number, "slope": number,
            "derivative": number},
    results=dict(name=text, kind=text, node=whole, shape=list, value=(list, maybe)),
    curves={"name": text, "op": text, "rule": text, "from": number, "to": number, "y": list,
            "slope": list},
    nodes=dict(id=whole, op=text, args=list, attr=dict, shape=list, value=(list, maybe)),
)
optional = {"stats", "invented", "loop", "passes"}
with_jacobians = dict(layout=text, jacobians=list, cost=dict)
jacobian = dict(y=whole, x=whole, rows=whole, columns=whole, name=text, structure=(str, maybe),
                downstream=(list, maybe), value=(list, maybe))


def members(where, value, wanted):
    for key, kind in wanted.items():
        assert key in value, f"{where} has no {key}"
        good = isinstance(value[key], kind) and (kind is bool or not isinstance(value[key], bool))
        assert good, f"{where}.{key} is {value[key]!r}"
        if kind is not text and key != "line" and isinstance(value[key], str) and kind != (str, maybe):
            assert value[key] in NOT_FINITE, f"{where}.{key} is {value[key]!r}"
    more = set(value) - set(wanted) - optional
    assert not more, f"{where} has {more}, which the schema does not know"


def check_jacobians(lesson):
    """The gradient of each named value is the sum of the downstream gradients of its users'
    Jacobians."""
    assert lesson["layout"] in ("numerator", "denominator")
    members("cost", lesson["cost"], dict(chain=list, naive=number, clever=number))
    value = {n["id"]: n["value"] for n in lesson["nodes"]}
    count = [1] * len(lesson["items"])
    for k, item in enumerate(lesson["items"]):
        for d in next(n["shape"] for n in lesson["nodes"] if n["id"] == item["node"]):
            count[k] *= d
    got, whole_sum = {}, {}
    for j in lesson["jacobians"]:
        members(j["name"], j, jacobian)
        sizes = [count[j["y"]], count[j["x"]]]
        if lesson["layout"] != "numerator":
            sizes = sizes[::-1]
        assert [j["rows"], j["columns"]] == sizes, f"{j['name']} has another shape"
        assert (j["value"] is None) == (j["structure"] is None)
        assert j["value"] is None or len(j["value"]) == j["rows"] * j["columns"]
        whole_sum[j["x"]] = whole_sum.get(j["x"], True) and j["downstream"] is not None
        if j["downstream"]:
            old = got.get(j["x"], [0] * count[j["x"]])
            got[j["x"]] = [float(a) + float(b) for a, b in zip(old, j["downstream"])]
    compared = 0
    for x, sum_ in got.items():
        want = value.get(lesson["items"][x]["gradient"])
        if want is None or not whole_sum[x] or any(isinstance(v, str) for v in [*want, *sum_]):
            continue
        compared += 1
        for a, b in zip(sum_, want):
            assert abs(a - b) <= 1e-9 * max(1, abs(b)), f"the Jacobians send {a} to {lesson['items'][x]['name']}, whose gradient is {b}"
    print(f"{compared} gradients compared", file=sys.stderr)


def check_loops(lesson):
    """A body's nodes have values by pass; loops are in loops that come before them."""
    loops = lesson["loops"]
    for k, loop in enumerate(loops):
        assert loop["outer"] is None or loop["outer"] != k
        assert loop["item"] is None or lesson["items"][loop["item"]]["node"] == loop["node"]
        assert loop["of"] is None or loop["down"] != loops[loop["of"]]["down"]
    for n in lesson["nodes"]:
        if "loop" not in n:
            assert "passes" not in n, f"node {n['id']} is in no loop"
            continue
        depth, k = 0, n["loop"]
        while k is not None:
            depth, k = depth + 1, loops[k]["outer"]
        for p in n["passes"]:
            assert len(p["pass"]) == depth and ("stats" in p if p["value"] is None else True)
        assert n["passes"] == sorted(n["passes"], key=lambda p: p["pass"])
    assert all(i["loop"] is None or i["loop"] < len(loops)
               for i in lesson["items"] + lesson["steps"])


def check(lesson):
    members("lesson", lesson, dict(top, **with_jacobians) if "jacobians" in lesson else top)
    if "jacobians" in lesson:
        check_jacobians(lesson)
    for part, wanted in parts.items():
        for i, value in enumerate(lesson[part]):
            members(f"{part}[{i}]", value, wanted)
    members("work", lesson["work"], dict(forward=number, all=number, numbers=number))
    members("data", lesson["data"], dict(rows=whole, batches=whole, inputs=list))
    assert lesson["work"]["all"] >= lesson["work"]["forward"] >= 0
    assert all(i["kind"] in ("input", "param", "state", "frozen", "data", "value", "loss", "loop", "carried") for i in lesson["items"])
    assert all(len(c["y"]) == len(c["slope"]) > 1 for c in lesson["curves"])
    for i in lesson["items"]:
        assert "?" not in (i["mathml"] or ""), f"{i['name']} = {i['formula']} has no MathML"
    check_loops(lesson)
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
        for v in n["value"] or []:
            assert isinstance(v, (int, float)) or v in NOT_FINITE, f"node {n['id']} holds {v!r}"
    assert all(i["node"] in known and all(a < k for a in i["args"])
               for k, i in enumerate(lesson["items"]))
    assert all({s["dy"], s["dx"], s["sum"]} <= known for s in lesson["steps"])
    value = {n["id"]: n["value"] for n in lesson["nodes"]}
    for s in lesson["steps"]:
        if s["slope"] is not None and not any(isinstance(v, str)
                                              for v in [s["slope"], *value[s["dy"]], *value[s["dx"]]]):
            want = value[s["dx"]][0]
            assert abs(value[s["dy"]][0] * s["slope"] - want) <= 1e-9 * max(1, abs(want)), f"{s['downstream']} is not a product"


for path in sys.argv[1:]:
    try:
        with open(path, encoding="utf-8") as f:
            check(json.load(f))
    except AssertionError as e:
        sys.exit(f"{path}: {e}")
