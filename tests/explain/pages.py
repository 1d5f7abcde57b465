"""pages.py NGC DIRECTORY MODEL ... - opens DIRECTORY/NAME.html of each model in a browser and
checks it: no message, no request; its steps and its own arithmetic give the interpreter's numbers
(DIRECTORY/NAME.json, `ngc run`); sliders recompute; a step of training gives the interpreter's
numbers; boxes do not overlap and are large enough for their texts; it fits a phone, and can be
printed. Prints a line for each failure, then "N passed, N failed"."""
import json
import os
import re
import subprocess
import sys
import time

from browser import Browser, Page

ngc, directory = sys.argv[1:3]
passed = failed = 0


def check(name, what, good, told=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED {name}: {what}", *([f"\n  {str(told)[:600]}"] if told else []))


def near(a, b, tolerance=1e-9):
    """Lists of numbers; "inf", "-inf" and "nan" are strings."""
    def alike(x, y):
        x, y = float(x), float(y)
        return x == y or (x != x and y != y) or abs(x - y) <= tolerance * max(1, abs(x))
    return len(a) == len(b) and all(alike(x, y) for x, y in zip(a, b))


def numbers_of(command, *arguments):
    out = subprocess.run([ngc, *command, *arguments], capture_output=True, text=True).stdout
    return dict(line.split(" = ", 1) for line in out.splitlines() if " = " in line)


VALUES = "JSON.stringify(Object.fromEntries(L.nodes.filter(n => n.v && n.v.length <= 1024).map(n => [n.id, [...n.v].map(x => Number.isFinite(x) ? x : number(x))])))"


def same_values(page, lesson):
    mine = json.loads(page.value(VALUES))
    wrong = [n for n in lesson["nodes"] if n["value"] is not None
             and mine.get(str(n["id"])) is not None and not near(n["value"], mine[str(n["id"])])]
    return [f"node {n['id']} ({n['op']}): {n['value'][:4]} is {mine[str(n['id'])][:4]}"
            for n in wrong]


def steps(name, page):
    """Every scalar derivative of ngc run is in a step, digit by digit."""
    told = page.value("(setLevel('op'), go(steps.length), steps.map((_, k) => tell(k + 1).numbers.join('; ')).join('\\n'))")
    want = {k: v for k, v in numbers_of(["run", "--fill"], *models[name]).items()
            if k.startswith("d") and "/d" in k and "[" not in v}
    short = page.value("JSON.stringify(L.derivatives.map(d => d.name))")
    check(name, "steps tell the derivatives", all(v in told for v in want.values()),
          [k + " = " + v for k, v in want.items() if v not in told])
    check(name, "the last step is the end",
          page.value("at === steps.length && $('next').disabled && !$('back').disabled"))
    check(name, "all derivatives are known", all(k in short for k in want))


def drawing(name, page):
    for level in ("op", "layer", "net"):
        page.value(f"setLevel('{level}'), go(steps.length), 0")
        wide = page.value("""[...document.querySelectorAll('#graph .unit text')].filter(t => t.textContent && t.getBBox().width > BOX_W + 1).map(t => t.textContent)""")
        check(name, f"{level}: texts fit into their boxes", not wide, wide)
        apart = page.value("""(() => { const at = [...document.querySelectorAll('#graph .unit')].map(g => g.transform.baseVal[0].matrix).map(m => [m.e, m.f]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
            return at.every((p, k) => !k || at[k - 1][0] !== p[0] || p[1] - at[k - 1][1] >= BOX_H); })()""")
        check(name, f"{level}: boxes do not overlap", apart)
    before = page.value("place()")
    page.value("setLevel('op'), 0")
    check(name, "folding keeps the place", page.value("place()") == before)
    check(name, "nothing is wider than the page",
          page.value("document.documentElement.scrollWidth <= innerWidth"))
    linked = page.value("""boxes.filter(b => items[b.result].formula && items[b.result].line).every(b => { linkBox(b); return document.querySelectorAll('#graph .hot').length === 1 && document.querySelectorAll('#source b.hot').length > 0; })""")
    check(name, "values are linked with the model's text", linked)
    check(name, "and with the C",
          page.value("boxes.some(b => { linkBox(b); return document.querySelectorAll('#c b.hot').length > 0; })"))
    check(name, "values open",
          page.value("boxes.slice(0, 40).every(b => (openBox(b), !$('detail').hidden && (openBox(b), $('detail').hidden)))"))


def training(name, page, lesson):
    page.value("trainStep(), 0")
    after = json.loads(page.value("JSON.stringify(L.updates.map(u => { const n = node.get(u.var); return n && n.v.length <= 1024 ? [...n.v].map(x => Number.isFinite(x) ? x : number(x)) : null; }))"))
    wrong = [u["name"] for u, mine in zip(lesson["updates"], after) if u["value"] is not None
             and mine is not None and not near(u["value"], mine)]
    check(name, "a step of training is the interpreter's", not wrong, wrong)
    check(name, "something was trained", any(u["value"] is not None for u in lesson["updates"]))
    page.value("renderAll(), trainReset(), renderAll(), 0")
    check(name, "training starts again", not same_values(page, lesson))


def passes(name, page, lesson):
    """The sliders of loops choose the pass whose values are shown, forward and back."""
    loops, wrong = lesson["loops"], []

    def path(k):
        return [] if k is None else path(loops[k]["outer"]) + [k]

    forward = [k for k, loop in enumerate(loops) if loop["of"] is None and loop["item"] is not None]
    check(name, "each loop has a slider",
          page.value("document.querySelectorAll('#passes input').length") == len(forward))
    for p in (0, 2, 1, 1000000):
        page.value("".join(f"showPass({k}, {p}), " for k in forward) + "0")
        mine = json.loads(page.value(VALUES))
        for n in lesson["nodes"]:
            shown = [min(p, loops[k]["passes"] - 1) for k in path(n.get("loop"))]
            for of in n.get("passes", []):
                value = mine.get(str(n["id"]))
                if of["pass"] == shown and of["value"] is not None and value is not None and not near(of["value"], value):
                    wrong.append(f"node {n['id']} ({n['op']}) in pass {shown}: {of['value'][:4]} is {value[:4]}")
        told = page.value("[...document.querySelectorAll('#passes .v')].map(e => e.textContent).join('; ')")
        ends = any(loops[k]["while"] for k in forward)  # by its data: the last pass is known only to the page
        tells = all(f"{loops[k]['name']} = {min(p, loops[k]['passes'] - 1) + loops[k]['from']}" in told for k in forward)
        check(name, f"the sliders tell pass {p}", tells or (ends and p > 2), told)
    check(name, "a slider chooses the pass", not wrong, wrong)


def slider(name, page):
    """Moves the first slider, and gives the interpreter the same number."""
    got = page.value("""(() => { const r = document.querySelector('#knobs input'); if (!r) return null; r.value = +r.value + 0.25; r.dispatchEvent(new Event('input'));
        go(steps.length); return [r.getAttribute('aria-label'), r.value, number(lossItem < 0 ? NaN : nodeOf(lossItem).v[0]), loss]; })()""")
    if got and got[3]:
        want = numbers_of(["run", "--fill"], *models[name], f"{got[0]}={got[1]}").get(got[3])
        check(name, f"slider {got[0]} = {got[1]}", got[2] == want,
              f"{got[3]} = {got[2]}, ngc run says {want}")
        nudges(name, page, f"{got[0]}={got[1]}")
    if got:  # the box beside it takes any number, and the slider moves there
        box = page.value("""(() => { const b = document.querySelector('#knobs input[type=number]'), r = document.querySelector('#knobs input[type=range]'); b.value = 123.4375; b.dispatchEvent(new Event('input'));
            return [node.get(items.find(t => t.name === r.getAttribute('aria-label')).node).v[0], +r.max >= 123.4, +r.value]; })()""")
        check(name, "a number is typed in",
              box[0] == 123.4375 and box[1] and abs(box[2] - box[0]) <= 1, box)


def nudges(name, page, assignment):
    """The table of nudges is that of the lesson for the numbers that the page has now."""
    out = subprocess.run([ngc, "explain", "--text", *models[name], assignment], capture_output=True,
                         text=True).stdout
    word = r"([-+.\w]+)"
    want = re.findall(rf"^  (\S.*) from {word} to {word} moves \S+ from {word} to {word}: slope {word}; the derivative says {word}(?:, by .*)?$", out, re.M)
    shown = json.loads(page.value("JSON.stringify(nudges.map(({shown: n}) => [n.entry, ...[n.from, n.to, n.loss, n.moved, n.slope, n.derivative].map(x => number(x, 6))]))"))
    good = len(want) == len(shown) and all(a[0] == b[0] and near(a[1:5], b[1:5], 1e-5) and near(a[6:], b[6:], 1e-3) for a, b in zip(want, shown))
    check(name, f"nudges at {assignment}", good and want, (want, shown))
    table = page.value("$('nudges').innerText")
    check(name, "the table has them", all(row[0] in table for row in shown), table)


def look(browser, name):
    path, lesson = f"{directory}/{name}.html", json.load(open(f"{directory}/{name}.json"))
    page = Page(browser)
    page.open(path)
    if lesson["live"]:
        wrong = same_values(page, lesson)
        check(name, "the page's arithmetic is the interpreter's", page.value("live") and not wrong,
              wrong)
    texts = json.loads(page.value("JSON.stringify([L.source, L.c, L.items, L.steps.map(s => s.mathml)])"))
    check(name, "the page has the lesson whole",
          texts == [lesson["source"], lesson["c"], lesson["items"], [s["mathml"] for s in lesson["steps"]]])
    steps(name, page)
    drawing(name, page)
    if lesson["loops"]:
        passes(name, page, lesson)
    if lesson["live"]:
        if page.value("canTrain"):
            training(name, page, lesson)
        slider(name, page)
    page.value("$('reverse').click(), go(steps.length), 0")
    if page.value("L.steps.some(s => s.slope !== null)"):
        check(name, "the reversed graph has local slopes",
              page.value("document.querySelectorAll('#graph .slope').length > 0"))
    page.collect("file://" + path)
    check(name, "no message and no request", not page.faults, page.faults)
    page.close()


def edges(browser, name):
    """Infinities are shown like numbers. Inputs without numbers are marked as invented, until a
    slider sets them."""
    page = Page(browser)
    page.open(f"{directory}/{name}.html")
    told = page.value("steps.map((_, k) => tell(k + 1).numbers.join('; ')).join('\\n')")
    check(name, "steps tell infinities",
          "u = log(0) = -inf" in told and "v = [0, -inf]" in told and "dJ/da = 0.102960606 \u00d7 inf = inf" in told, told)
    page.value("go(steps.length), 0")
    check(name, "boxes show them",
          page.value("[...drawn.get(boxOf[items.findIndex(t => t.name === 'v')]).g.querySelectorAll('.v')].some(e => e.textContent === '[0, -inf]')"))
    check(name, "tables show them",
          page.value("/dJ\\/da\\s+inf/.test($('table').innerText) && /-inf/.test($('nudges').innerText)"), page.value("$('table').innerText"))
    check(name, "nothing is blank or null",
          page.value("!/null|undefined|NaN|Infinity/.test(document.querySelector('body').innerText)"))
    page.value("openBox(boxOf[items.findIndex(t => t.name === 'v')]), 0")
    check(name, "a value that is opened has them",
          page.value("/from -inf to 0/.test($('detail').innerText)"),
          page.value("$('detail').innerText"))
    check(name, "invented inputs are called so",
          page.value("go(0), $('words').textContent").startswith("Invented numbers: x, k. "))
    words = "[...document.querySelectorAll('#graph .unit.input')].map(g => g.getAttribute('aria-label')).join('; ')"
    check(name, "in their boxes, too",
          page.value(words) == "a, input; x, input, invented; k, input, invented; y, input",
          page.value(words))
    moved = page.value("""(() => { const r = document.querySelectorAll('#knobs input[type=range]')[1]; r.value = 0.5; r.dispatchEvent(new Event('input')); return %s; })()""" % words)
    check(name, "a slider gives a value",
          moved == "a, input; x, input; k, input, invented; y, input", moved)
    page.collect(f"file://{directory}/{name}.html")
    check(name, "no message and no request", not page.faults, page.faults)
    page.close()


def links(browser, name):
    """A variable highlights the statements of the C that use it, and no others; a statement
    highlights its value."""
    page, lesson = Page(browser), json.load(open(f"{directory}/{name}.json"))
    page.open(f"{directory}/{name}.html")
    lines = [re.sub(r"/\*.*?(\*/|$)", "", s) for s in lesson["c"].rstrip("\n").split("\n")]
    block = dict(input="in->")
    for i, item in enumerate(lesson["items"]):
        if item["name"].startswith("v") and item["kind"] == "value":
            continue
        variable = lesson["variables"].get(item["name"],
                                           block.get(item["kind"], "w->") + item["name"])
        want = [k for k, s in enumerate(lines)
                if re.search(rf"(?<![\w>]){re.escape(variable)}(?!\w)", s)]
        got = json.loads(page.value(f"(linkBox(boxOf[{i}]), JSON.stringify([...document.querySelectorAll('#c b.hot')].map(e => parseInt(e.style.top)/Listing.LINE)))"))
        check(name, f"{item['name']} is {variable} in the C", want and sorted(got) == want,
              (want, sorted(got)))
    for text, box in (("w->accuracy = ", "accuracy"), ("/* line 4: accuracy = ", "accuracy"),
                      ("grads->dJ_dw = ", "w"), ("grads->dJ_dline = ", "line")):
        k = next(k for k, s in enumerate(lesson["c"].split("\n")) if text in s)
        got = page.value(f"(b => b && b.name)(boxOfC({k}))")
        check(name, f"the line of {text} is linked with {box}", got == box, got)
    check(name, "other lines are linked with nothing",
          page.value("code.lines.every((s, k) => /->|=/.test(s) || /^\\s+\\/\\*/.test(s) || boxOfC(k) === null)"))
    now = page.value("(setLevel('op'), steps.map((s, k) => { go(k + 1); return code.marks.now.map(e => code.lines[parseInt(e.style.top)/Listing.LINE].trim()).join(' | '); }))")
    check(name, "a step shows its statement",
          all(any(s.startswith(t) for s in now) for t in ("w->accuracy = ", "w->part = ", "grads->dJ_dline = ", "grads->dJ_di = ")), now)
    page.close()


def course(browser, name):
    """Sliders stop at the numbers of the course: 3.1 and not 3.06."""
    page = Page(browser)
    page.open(f"{directory}/{name}.html")
    for x, steps in ((3, (3.1, 2.9, -1, 0)), (2, (2.1, 1.5)), (0.23, (0.24, 0.82)),
                     (-0.25, (-0.26, 0.5)), (0, (0.5, -0.5)), (784, (790, 700)), (1e-3, (0.01,))):
        got = page.value(f"(() => {{ const s = sliderRange({x}), r = html('input', {{type: 'range', ...s}}); return {json.dumps(list(steps))}.map(v => {{ r.value = v; return +r.value; }}); }})()")
        check(name, f"a slider at {x} reaches {steps}", got == list(steps), got)
    page.close()


def keyboard(browser, name):
    page = Page(browser)
    page.open(f"{directory}/{name}.html")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"):
        page.key(key)
    check(name, "arrow keys step", page.value("at") == 2)
    for key, n in (("3", 1), ("1", 5)):
        page.key(key)
        check(name, f"key {key} folds",
              page.value("boxes.length") >= n if key == "1" else page.value("closed.has(NET)"))
    page.value("document.querySelector('#graph .unit').focus(), 0")
    check(name, "focus links", page.value("document.querySelectorAll('#graph .hot').length === 1"))
    page.value("$('source').focus(), 0")
    before = page.value("[source.cursor, at]")
    page.key("ArrowDown")
    check(name, "arrows move through the model's text",
          page.value("[source.cursor, at]") == [before[0] + 1, before[1]])
    for dark in (False, True):
        phone = Page(browser, 390, 844, dark, True)
        phone.open(f"{directory}/{name}.html")
        check(name, "it fits a phone", phone.value("document.documentElement.scrollWidth <= 390"))
        ink = phone.value("[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor].map(c => c.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0))")
        check(name, "light on dark" if dark else "dark on light",
              (ink[0] > 500 > 200 > ink[1]) if dark else (ink[1] > 500 > 200 > ink[0]), ink)
        phone.close()
    page.send("Emulation.setEmulatedMedia", media="print")
    check(name, "buttons are not printed",
          page.value("getComputedStyle(document.querySelector('header nav')).display === 'none'"))
    check(name, "it prints", len(page.send("Page.printToPDF")["data"]) > 10000)
    page.send("Emulation.setDeviceMetricsOverride", width=720, height=1000, deviceScaleFactor=1,
              mobile=False)
    rows = page.value("(dispatchEvent(new Event('beforeprint')), document.querySelectorAll('#graph > svg').length)")
    check(name, "a wide graph is printed in rows", rows == 2, rows)
    wide = page.value("""[...document.querySelectorAll('body *')].filter(e => { const r = e.getBoundingClientRect(); return !e.closest('math, #c') && (!e.closest('svg') || e.matches('#graph > svg')) && r.width && r.right > innerWidth + 1; }).map(e => e.tagName + '#' + e.id + ' ' + e.textContent.slice(0, 30))""")
    check(name, "nothing is wider than the paper", not wide, wide)
    apart = page.value("$('picture').getBoundingClientRect().bottom + 1 >= [...document.querySelectorAll('#graph > svg')].pop().getBoundingClientRect().bottom")
    check(name, "nothing is printed over the graph", apart)
    check(name, "afterwards the graph is whole",
          page.value("(dispatchEvent(new Event('afterprint')), document.querySelectorAll('#graph > svg').length)") == 1)
    page.close()


def boundary(browser, name):
    page = Page(browser)
    page.open(f"{directory}/{name}.html")
    if name == "two":  # its file has two batches: a step continues with the other
        first = page.value("[...classifier.x[0].v].join()")
        page.value("trainMany(1), 0")
        check(name, "each step gets the next rows",
              page.value("L.data.batches === 2 && L.data.rows === 40") and page.value("[...classifier.x[0].v].join()") != first)
        page.value("trainReset(), 0")
    moved = page.value("(trainMany(2), [nudges[0].shown.loss === lossNode.v[0], nudges[0].shown.derivative === nudges[0].g.v.reduce((a, b) => Math.abs(b) > Math.abs(a) ? b : a)])")
    check(name, "nudges follow steps of training", moved == [True, True], moved)
    page.value("trainMany(198), 0")
    right = page.value("""(() => { const {x: [{v: x}], target: {v: t}, score, m, half} = classifier, p = [...t].map((_, q) => [x[2 * q], x[2 * q + 1]]), s = scoresAt(p);
        return s.filter((v, q) => (score.v.length === m ? +(v > half) : v) === t[q]).length / t.length; })()""")
    check(name, "the boundary tells the points apart", right is not None and right > 0.9, right)
    colours = page.value("new Set($('regions').getContext('2d').getImageData(0, 0, 720, 720).data).size")
    check(name, "it is drawn", colours > 8, colours)
    check(name, "the loss has a curve",
          page.value("document.querySelector('#curve .line').points.length") == 201)
    page.close()


def jacobians(browser, name):
    """The matrices on the page are those of the lesson, and give the downstream gradients."""
    path, lesson = f"{directory}/{name}.html", json.load(open(f"{directory}/{name}.json"))
    page = Page(browser, 390, 844, phone=True)
    page.open(path)
    check(name, "the layout is told",
          page.value("$('layout').textContent").startswith("In numerator" if name.endswith("rows") else "In denominator"))
    for k, j in enumerate(lesson["jacobians"]):
        shown = json.loads(page.value(f"""($('jacobian').value = {k}, $('jacobian').oninput(), JSON.stringify([...document.querySelectorAll('#matrix tr')].slice(1).map(r => [...r.querySelectorAll('td')].map(d => +d.textContent))))"""))
        flat = [x for row in shown for x in row]
        check(name, f"{j['name']} is shown",
              len(shown) == j["rows"] and near(j["value"], flat, 1e-3), flat)
        down = page.value("[...document.querySelectorAll('#jacobian-down .g')].map(e => e.textContent)")
        check(name, f"{j['name']} sends down the gradient",
              near(j["downstream"], json.loads(down[1]), 1e-3), down)
    check(name, "it is priced",
          all(s in page.value("$('jacobian-cost').textContent") for s in ("4,096 units", "137,438,953,472", "33,554,432")))
    check(name, "it fits a phone", page.value("document.documentElement.scrollWidth <= 390"))
    page.collect("file://" + path)
    check(name, "no message and no request", not page.faults, page.faults)
    page.close()


def large(browser, name):
    """Twelve blocks: opened in under 2 s of the page's own time, whatever else the machine does;
    folded; quick at every step."""
    page = Page(browser)
    page.send("Performance.enable", timeDomain="threadTicks")

    def spent():
        return {m["name"]: m["value"]
                for m in page.send("Performance.getMetrics")["metrics"]}["TaskDuration"]

    waited = page.open(f"{directory}/{name}.html")
    seconds = spent()
    page.collect("file://" + f"{directory}/{name}.html")
    check(name, "it opens in under 2 s", seconds < 2, seconds)
    check(name, "no message and no request", not page.faults, page.faults)
    check(name, "its blocks are folded",
          page.value("boxes.filter(b => /^h\\.\\d+$/.test(b.part)).length === 12 && boxes.length < 40"), page.value("boxes.map(b => b.name)"))
    before = spent()
    steps = page.value("(() => { let n = 0; for (; at < steps.length; n++) go(at + 1); return n; })()")
    each = (spent() - before) / steps
    check(name, "a step takes under 100 ms", steps > 30 and each < 0.1, (steps, each))
    check(name, "a block opens",
          page.value("(() => { const n = boxes.length; openBox(boxes.find(b => b.part === 'h.3')); return boxes.length > n + 4; })()"))
    page.close()
    print(f"{name}: opened in {waited:.2f} s, {seconds:.2f} s its own; {steps} steps of {1000*each:.0f} ms")


models = {}
for argument in sys.argv[3:]:  # name, or name=model and what it is given
    name, _, words = argument.partition("=")
    models[name] = words.split()
browser = Browser()
try:
    for name in models:
        if name != "blocks12":
            start = time.time()
            look(browser, name)
            if os.environ.get('TIMES'):
                print(name, round(time.time() - start, 2))
    keyboard(browser, "net_221")
    edges(browser, "edges")
    links(browser, "links")
    course(browser, "chain")
    boundary(browser, "xor")
    boundary(browser, "or_gate")
    boundary(browser, "two")
    jacobians(browser, "jacobians_rows")
    jacobians(browser, "jacobians_columns")
    if "blocks12" in models:
        large(browser, "blocks12")
finally:
    browser.close()
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
