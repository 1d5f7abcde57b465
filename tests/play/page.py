"""page.py NGC PAGE BROWSER [GALLERY] - drives the playground: each lesson is opened, and its
numbers are those of `ngc run`; a model is typed; mistakes have messages under the text, with the
suggested change; the views have what the command line prints; a link carries the text; undo works;
it fits all sizes, its colours have contrast, and nothing is said on the console. BROWSER is
chromium or firefox-esr, which does a part of this. Prints a line for each failure, then "N passed,
N failed"."""
import json
import os
import subprocess
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, os.path.join(here, "..", "explain")]
from browser import Browser, Page
from drive import READY, check, choose, finish, name, put, settled, wait
from firefox import Firefox

ngc, path, program = sys.argv[1:4]
name(program)
path = os.path.abspath(path)
examples = os.path.join(here, "..", "..", "examples")


def near(a, b):
    return all(x == y or abs(float(x) - float(y)) <= 2e-8 * max(1e-3, abs(float(x)))
               for x, y in zip(a.split(), b.split()))


def printed(*command):
    return subprocess.run([ngc, *command], capture_output=True, text=True).stdout


def lessons(page):
    """Each lesson's model, by its number: the values on the page are those of the command line."""
    count = page.value("JSON.parse(document.getElementById('models').textContent).lessons.length")
    check("there are fifteen lessons", count == 15, count)
    for k in range(1, count + 1):
        page.value(f"(document.getElementById('menu').value = 'lesson {k}', document.getElementById('menu').onchange(), 0)")
        page.value("document.getElementById('tab-numbers').click(), 0")
        model = page.value(f"JSON.parse(document.getElementById('models').textContent).lessons[{k - 1}].model")
        said = settled(page, "playground.answer && playground.answer.values !== undefined && playground.answer.lesson.source === playground.editor.text")
        values = page.value("document.querySelector('#panel-numbers pre').textContent")
        want = printed("run", "--fill", os.path.join(examples, model + ".ng"))
        good = values and [l.split(" = ")[0] for l in values.splitlines()] == [l.split(" = ")[0] for l in want.splitlines()]
        for a, b in zip(want.splitlines(), (values or "").splitlines()):
            strip = str.maketrans("[],", "   ")
            good = good and near(a.split(" = ")[-1].translate(strip),
                                 b.split(" = ")[-1].translate(strip))
        check(f"lesson {k}, {model}: the numbers of run ({said})", good, values)
        check(f"lesson {k}: text, exercise and solution", page.value(
            "/Idea/.test(document.getElementById('course').textContent) && /Exercise/.test(document.getElementById('course').textContent)"
            " && !!document.querySelector('#course details.solution')"))
    page.value("document.getElementById('tab-lesson').click(), 0")


IN_FRAME = "document.querySelector('#panel-lesson iframe:not(.coming)').contentWindow"


def typing(page):
    put(page, "")
    page.value("playground.editor.view.focus(), 0")
    for c in "J = 2*(a*b + c":
        page.send("Input.insertText", text=c) if c != "(" else page.send("Input.dispatchKeyEvent", type="char", text="(", key="(")
    page.value("document.getElementById('given').value = 'a=3 b = 2 c=5', document.getElementById('given').dispatchEvent(new Event('input')), 0")
    settled(page)
    check("a typed model: its bracket is closed",
          page.value("playground.editor.text").startswith("J = 2*(a*b + c"),
          page.value("playground.editor.text"))
    check("a typed model has the numbers 22 and 4", page.value(
        "(() => { const l = playground.answer.lesson, n = name => l.nodes.find(e => e.id === name).value[0];"
        " return [n(l.items.find(t => t.name === 'J').node), n(l.items.find(t => t.name === 'a').gradient)] + '' })()") == "22,4")
    frame = IN_FRAME + ".document.getElementById"
    shown = page.value(f"({frame}('last').click(), {frame}('table').textContent)")
    check("the lesson shows dJ/da = 4", "dJ/da 43" in shown.replace("\u00a0", " "), shown)
    page.value(f"({frame}('level').querySelector('[value=layer]').click(), {frame}('first').click(), {frame}('next').click(), {frame}('next').click(), 0)")
    put(page, "J = 2*(a*b + c) + 1", "a=3 b=2 c=5")
    kept = page.value(f"{IN_FRAME}.name")
    check("the step and the level stay when the text changes", '"level":"layer","at":2' in kept,
          kept)
    page.value(f"({frame}('level').querySelector('[value=op]').click(), {frame}('first').click(), 0)")


def mistakes(page):
    said = put(page, "input x[3]\nz = sofmax(x)\nw = z**2\n")
    check("a mistake of the scanner",
          said.startswith("errors") and "there is no '**'" in page.value("document.getElementById('messages').textContent"))
    check("is drawn under the text",
          page.value("document.querySelector('.cm-lintRange-error')?.textContent") == "**")
    page.value("document.querySelector('#messages .fix').click(), 0")
    settled(page)
    check("its change by a click",
          page.value("playground.editor.text") == "input x[3]\nz = sofmax(x)\nw = z^2\n",
          page.value("playground.editor.text"))
    check("the next mistake",
          "did you mean 'softmax'" in page.value("document.getElementById('messages').textContent"))
    page.value("document.querySelector('#messages .fix').click(), 0")
    check("both are mended",
          settled(page) == "up to date" and page.value("playground.editor.text") == "input x[3]\nz = softmax(x)\nw = z^2\n")
    put(page, "# \u00e9\U0001f600 x\nq = 'a \U0001f600'\ny = sofmax([1.0, 2.0])\n")
    check("letters of several bytes",
          page.value("playground.editor.text").startswith("# \u00e9\U0001f600"))
    put(page, "s = \"\U0001f600\" ; y = sofmax([1, 2])")
    check("columns after them",
          page.value("document.querySelector('.cm-lintRange-error')?.textContent") == "sofmax",
          page.value("document.querySelector('.cm-lintRange-error')?.textContent"))
    put(page, "(" * 3000 + "1")
    check("the page survives 3,000 brackets", put(page, "y = x + 1", "x=2") == "up to date")
    put(page, "input x[100000, 100000]\noutput y = x + 1")
    check("and 80 GB", put(page, "y = x + 1", "x=2") == "up to date")


def views(page):
    model = os.path.join(examples, "net_221.ng")
    with open(model) as f:
        text = f.read()
    for tab, panel, command in (("words", "words", ["explain", "--text", model]),
                                ("numbers", "numbers", ["check", model])):
        page.value(f"document.getElementById('tab-{tab}').click(), 0")
        put(page, text)
        settled(page, f"playground.answer.{'words' if tab == 'words' else 'check'} !== undefined")
        shown = page.value(f"document.getElementById('panel-{panel}').textContent")
        want = printed(*command).splitlines()
        check(f"the view {tab}", want[0].split(",")[0] in shown and want[-1] in shown, shown)
    page.value("document.getElementById('tab-c').click(), 0")
    settled(page, "playground.answer.c !== undefined")
    check("the C at -O2",
          "int model_step(" in page.value("document.querySelector('#panel-c pre').textContent"))
    page.value("[...document.querySelectorAll('#panel-c .group button')][2].click(), 0")
    marks = page.value("['ins', 'del', 'span'].map(t => document.querySelectorAll('.difference ' + t).length)")
    plain, fast = (page.value(f"playground.answer.{m}.trimEnd().split('\\n').length")
                   for m in ("lesson.c", "c"))
    check("the difference has all lines of both",
          marks[0] + marks[2] == fast and marks[1] + marks[2] == plain, (marks, plain, fast))
    put(page, "input z, y\na = 1/(1 + exp(-z))\ngradient J = -(y*log(a) + (1 - y)*log(1 - a)) over z\n", "z=0.5 y=1")
    settled(page, "playground.answer.why.length")
    check("what was simplified, with its line",
          "1/(1 + exp(-z)) = sigmoid(z)" in page.value("document.querySelector('.reasons').textContent"))
    page.value("document.getElementById('tab-lesson').click(), 0")


def printing(page):
    put(page, NET % 0.1)
    high = f"[parseFloat(document.getElementById('panel-lesson').style.getPropertyValue('--printed')) || 0, {IN_FRAME}.document.documentElement.scrollHeight]"
    page.value("dispatchEvent(new Event('beforeprint')), 0")
    paper, content = page.value(high)
    check("all of the lesson is printed", paper > content > 500, (paper, content))
    pdf = page.send("Page.printToPDF")["data"]
    check("on a few pages", 20000 < len(pdf) < 3000000, len(pdf))
    page.value("dispatchEvent(new Event('afterprint')), 0")
    check("and then the page is as before", page.value(high)[0] == 0)


def helps(page):
    put(page, "input x[4]\nh = dense(x, 3, tanh)\ny = \n")
    page.value("(playground.editor.goto(3, 5), 0)")
    for c in "soft":
        page.send("Input.insertText", text=c)
    page.value("new Promise(done => setTimeout(() => done(0), 400))")
    shown = page.value("document.querySelector('.cm-tooltip-autocomplete')?.textContent || ''")
    check("names are completed", "softmax" in shown and "softplus" in shown, shown)
    page.key("Escape")
    put(page, "input x[4] = 1\nh = dense(x, 3, tanh)\n")
    check("what dense is", page.value("playground.library.dense.text").startswith("def dense("))
    where = page.value("(() => { const r = playground.editor.view.coordsAtPos(playground.editor.text.indexOf('dense') + 2); return [r.left, (r.top + r.bottom)/2]; })()")
    page.send("Input.dispatchMouseEvent", type="mouseMoved", x=where[0], y=where[1])
    page.send("Input.dispatchMouseEvent", type="mouseMoved", x=where[0] + 1, y=where[1])
    page.value("new Promise(done => setTimeout(() => done(0), 700))")
    shown = page.value("document.querySelector('.hover')?.textContent || ''")
    check("a word under the pointer", "dense(" in shown and "def dense" in shown, shown)


def training(page):
    """The view that trains: data, controls and the text, and what is drawn."""
    t = "playground.train"
    choose(page, "net spiral")
    wait(page, READY)
    page.value(f"{t}.set('noise', 0.1), {t}.toggle(), 0")
    took = wait(page, f"{t}.frame.steps > 0 && {t}.frame.train.accuracy >= 0.99", 60)
    check("the spiral at noise 0.1 is learned to 99 %", took is not None,
          page.value(f"JSON.stringify({t}.frame.train)"))
    check("in 10 s", took is not None and took < 10, took)
    page.value(f"{t}.toggle(), 0")
    wait(page, f"!{t}.frame.running")
    time.sleep(0.15)
    check("what has paused can be run again",
          page.value("document.querySelector('.bar-row .main').textContent") == "Run")
    drawn = page.value("(() => { const c = document.querySelector('.big'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; return new Set(d).size; })()")
    check("a picture of the output", drawn > 50, drawn)
    check("a line for each weight",
          page.value("document.querySelectorAll('.weight').length") == 2*16 + 16*8 + 8)

    # the controls and the text
    choose(page, "net circle")
    wait(page, READY)
    text = "playground.editor.text"
    page.value("document.querySelector('[aria-label=\"one layer more\"]').click(), 0")
    settled(page), wait(page, READY)
    check("one layer more is a line more",
          "h3 = dense(h2, 2, tanh)\nz = dense(h3, 1)" in page.value(text), page.value(text))
    page.value("document.querySelector('[aria-label=\"one unit of h3 more\"]').click(), 0")
    settled(page), wait(page, READY)
    check("one unit more", "h3 = dense(h2, 3, tanh)" in page.value(text), page.value(text))
    for name, value, want in (("activation", "relu", "h1 = dense(x, 4, relu)"),
                              ("optimizer", "adam", "with adam(lr = 0.1)"),
                              ("rate", "0.003", "lr = 0.003"),
                              ("penalty", "l2", "+ 0.001*(l2(h1.W) + l2(h2.W) + l2(h3.W) + l2(z.W)) with"), ("batch", "50", "m <= 50")):
        page.value(f"(() => {{ const s = [...document.querySelectorAll('.controls label')].find(l => l.firstChild.textContent === '{name}').querySelector('select');"
                   f" s.value = '{value}'; s.onchange(); }})()")
        settled(page), wait(page, READY)
        check(f"the control {name}", want in page.value(text), page.value(text))
    page.value("document.querySelector('[aria-label=\"one layer less\"]').click(), 0")
    settled(page), wait(page, READY)
    check("a penalty names the layers that there are",
          "(l2(h1.W) + l2(h2.W) + l2(z.W)) with" in page.value(text), page.value(text))
    page.value("[...document.querySelectorAll('.features input')][2].click(), 0")
    settled(page), wait(page, READY)
    check("a feature",
          "u = stack([x[:, 0], x[:, 1], x[:, 0]^2], 1)\nh1 = dense(u, 4" in page.value(text),
          page.value(text))
    check("no control makes a mistake",
          page.value("document.getElementById('state').textContent") == "up to date")
    page.value(f"(playground.editor.edit({text}.replace('lr = 0.003', 'lr = 0.3').replace('relu', 'sigmoid')), 0)")
    settled(page), wait(page, READY)
    shown = page.value("[...document.querySelectorAll('.controls label')].filter(l => /rate|activation/.test(l.firstChild.textContent)).map(l => l.querySelector('select').value)")
    check("the text moves the controls", shown == ["sigmoid, relu", "0.3"], shown)

    # data: a step, a click, a table, another kind
    steps = page.value(f"{t}.frame.steps")
    page.value(f"{t}.step(), 0")
    check("a step is one", wait(page, f"{t}.frame.steps === {steps} + 1") is not None,
          page.value(f"{t}.frame.steps"))
    points = page.value(f"{t}.data.train.length")
    page.value("document.querySelector('.big').dispatchEvent(new MouseEvent('click', {clientX: 5, clientY: 5})), 0")
    check("a click adds a point", page.value(f"{t}.data.train.length") == points + 1)
    page.value("document.querySelector('.big').focus(), 0")
    for key in ("ArrowRight", "ArrowUp", "Enter", "ArrowLeft", "Enter", "Backspace"):
        page.key(key)
    last = page.value(f"{t}.data.train[{t}.data.train.length - 1]")
    check("and so do keys",
          len(last) == 3 and abs(last[0] - 0.3) < 1e-9 and abs(last[1] - 0.3) < 1e-9 and last[2] == 1, last)
    check("one of which takes a point away", page.value(f"{t}.data.train.length") == points + 2)
    said = page.value("document.querySelector('.out [role=status]').textContent")
    check("a screen reader hears where", said == "x1 = 0, x2 = 0.3; 2 points of your own", said)
    page.value("""(() => {
        const text = 'a,b,kind\\n' + Array.from({length: 60}, (_, k) => `${k % 7},${k % 5},${k % 7 > k % 5 ? 'yes' : 'no'}`).join('\\n');
        const data = new DataTransfer();
        data.items.add(new File([text], 'points.csv', {type: 'text/csv'}));
        dispatchEvent(new DragEvent('drop', {dataTransfer: data, cancelable: true}));
        return 0;
    })()""")
    check("a table with words is dropped on the page",
          wait(page, f"{t}.classes && {t}.data.train.length + {t}.data.test.length === 60") is not None,
          page.value(f"{t}.data.train.length + {t}.data.test.length"))
    choose(page, "net circle")
    put(page, page.value(text).replace("tanh", "relu").replace("lr = 0.1", "lr = 30"))
    wait(page, READY)
    page.value(f"{t}.send({{kind: 'step', count: 200}}), 0")
    wait(page, f"{t}.frame.steps === 200")
    check("a unit that is 0 for all points is marked and named",
          page.value("[...document.querySelectorAll('.unit-map.dead')].filter(e => /dead/.test(e.getAttribute('aria-label'))).length") > 0)
    choose(page, "lesson 15")
    wait(page, READY)
    check("the lesson about a curve begins where it can be seen",
          page.value("document.getElementById('panel-train').hidden") is False)
    check("which has no features of a plane",
          page.value("document.querySelectorAll('.features input').length") == 0)
    page.value("document.querySelector('.big').dispatchEvent(new MouseEvent('click', {clientX: 50, clientY: 50})), 0")
    check("a point can be added to a curve",
          page.value(f"{t}.clicked.length === 1 && {t}.clicked[0].length === 2"))
    for name in ("sine", "hills", "plane", "gauss", "xor"):
        choose(page, "net " + name)
        wait(page, READY)
        page.value(f"{t}.restart(), 0")
        wait(page, f"{t}.frame.steps === 0")
        before = page.value(f"{t}.frame.train.J")
        page.value(f"{t}.send({{kind: 'step', count: 300}}), 0")
        wait(page, f"{t}.frame.steps === 300")
        after = page.value(f"{t}.frame.train.J")
        check(f"{name}: the loss falls", after < 0.9*before, (before, after))
    page.value("[...document.querySelectorAll('.side .row button')].pop().click(), 0")
    page.value("[...document.querySelectorAll('.side .row button')][0].click(), 0")
    check("five rates are compared",
          wait(page, "!!document.querySelector('[data-done]')") is not None
          and page.value("document.querySelectorAll('[data-done] path.line').length") == 5)
    check("the loss over two params",
          wait(page, "!!document.querySelector('canvas.surface')") is not None)
    choose(page, "net circle")
    put(page, "param A[3, 3] = [[2, 1, 0], [0, 1, 3], [1, 0, 1]]\nminimize J = (det(A) - 1)^2 with sgd(lr = 0.01)")
    wait(page, READY)
    page.value(f"{t}.send({{kind: 'step', count: 100}}), 0")
    check("factors of matrices",
          wait(page, f"{t}.frame.steps === 100") is not None and page.value(f"{t}.frame.train.J") < 1e-6)
    page.value(f"{t}.load({{reason: 'a stone', text: '', arrays: [], results: []}}, '', ''), 0")
    check("what cannot be trained here is said",
          "does not train in a page: it uses a stone" in page.value("document.getElementById('panel-train').textContent"))
    for model, words in (("chain", "minimizes nothing"), ("iris", "take 5 columns"), ("gan", ""),
                         ("wave", "")):
        choose(page, model)
        if not words:
            wait(page, READY)
            page.value(f"{t}.send({{kind: 'step', count: 3}}), 0")
        note = wait(page, "document.querySelector('#panel-train p.soft').textContent.includes(%s)" %
                    json.dumps(words), 5)
        check(f"{model} in the view that trains",
              note is not None and (words or wait(page, f"{t}.frame.steps === 3") is not None))
    page.value("document.getElementById('tab-lesson').click(), 0")


def links(page):
    put(page, "y = 3*x\n# \u00e9\U0001f600", "x=2")
    page.value("document.getElementById('link').click(), 0")
    time.sleep(0.1)
    url = page.value("location.href")
    page.open("about:blank") if program != "chromium" else page.send("Page.navigate", url="about:blank")
    go(page, url.split(".html", 1)[1])
    settled(page)
    check("a link has the text",
          page.value("playground.editor.text + document.getElementById('given').value") == "y = 3*x\n# \u00e9\U0001f600x=2")
    page.value("playground.editor.view.focus(), 0")
    before = page.value("playground.editor.text")
    put(page, "y = 4*x", "x=2")
    if program == "chromium":
        page.value("playground.editor.view.contentDOM.focus(), 0")
        for kind in ("keyDown", "keyUp"):
            page.send("Input.dispatchKeyEvent", type=kind, key="z", code="KeyZ",
                      windowsVirtualKeyCode=90, modifiers=2)
        check("undo", page.value("playground.editor.text") == before,
              page.value("playground.editor.text"))


def go(page, hash=""):
    page.open((path if program == "chromium" else "file://" + path) + hash)


NET = """dim m <= 32
input x[m, 2], t[m]
h1 = dense(x, 8, tanh)
h2 = dense(h1, 8, tanh)
z = dense(h2, 1)[:, 0]
minimize J = bce_logits(z, t) with sgd(lr = %s)
"""


def gallery(browser, where):
    """The page of examples: each has a graph, and its link opens its text."""
    page = Page(browser)
    page.open(where)
    cards = page.value("[...document.querySelectorAll('.card')].map(e => [e.id, e.querySelectorAll('.unit').length, e.querySelector('p').textContent])")
    check("the gallery has graphs and sentences",
          cards and all(boxes >= 1 and len(words) > 10 for _, boxes, words in cards), cards)
    check("it fits", page.value("document.documentElement.scrollWidth - innerWidth") <= 0)
    faults = list(page.faults)
    check("it asks for nothing and says nothing", not faults, faults)
    page.value("document.querySelector('#xor').click(), 0")
    wait(page, "!!window.playground")
    settled(page)
    with open(os.path.join(examples, "xor.ng")) as f:
        check("its link opens the example", page.value("playground.editor.text") == f.read())
    check("which the menu names", page.value("document.getElementById('menu').value") == "xor")
    page.close()


def speed(page):
    """From an edit to the new lesson on the page, the best of some. The limit is that of a
    processor that does nothing else: it is longer by as much as more programs want to run than
    there are processors."""
    with open(os.path.join(examples, "lenet.ng")) as f:
        lenet = f.read()
    for what, texts, most in (("a net of 2-8-8-1", [NET % (0.1 + k / 10) for k in range(31)], 300),
                              ("LeNet", [lenet + "# %d\n" % k for k in range(7)], 2000)):
        fast_enough(page, what, texts, most)


def fast_enough(page, what, texts, most):
    limit = (most + 100) * max(1, os.getloadavg()[0] / os.cpu_count())
    put(page, texts[0])
    times = []
    while len(times) < len(texts) - 1 and min(times, default=limit) >= limit:
        times.append(page.value("""new Promise(done => {
            const start = performance.now();
            playground.frame.done = () => done(performance.now() - start);
            playground.editor.edit(%s);
        })""" % json.dumps(texts[len(times) + 1])))
    page.value("playground.frame.done = null, 0")
    print(f"{what}: {min(times):.0f} ms from an edit to the page, with a pause of 100; load {os.getloadavg()[0]:.1f}")
    check(f"{what}: from an edit to the page in {limit - 100:.0f} ms, after a pause of 100: {min(times):.0f} ms", min(times) < limit, times)


PAIRS = [("fg", "bg"), ("fg", "card"), ("soft", "bg"), ("soft", "card"), ("value", "card"),
         ("grad", "card"), ("accent", "card"), ("comment", "card"),
         ("call", "card"), ("on-accent", "accent"), ("fg", "hot"), ("fg", "now"), ("fg", "add"), ("fg", "less"), ("soft", "fill"), ("value", "bg")]


def contrast(page, mode):
    colours = page.value("(() => { const s = getComputedStyle(document.documentElement); return Object.fromEntries(%s.map(n => [n, s.getPropertyValue('--' + n).trim()])); })()"
                         % json.dumps(sorted({n for pair in PAIRS for n in pair})))

    def light(name):
        c = colours[name].lstrip("#")
        c = c if len(c) == 6 else "".join(2 * d for d in c)
        part = [int(c[k:k + 2], 16) / 255 for k in (0, 2, 4)]
        part = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in part]
        return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2]

    for a, b in PAIRS:
        high, low = sorted((light(a), light(b)), reverse=True)
        ratio = (high + 0.05) / (low + 0.05)
        check(f"{mode}: contrast of {a} on {b} is {ratio:.2f}", ratio >= 4.5)


def languages(page):
    """Every text is there in each language; nothing is wider than a phone."""
    for code in ("de", "fr", "es", "vi", "zh"):
        page.value(f"(document.getElementById('language').value = '{code}', document.getElementById('language').onchange(), 0)")
        settled(page)
        frame = page.value(f"[...{IN_FRAME}.document.querySelectorAll('button, h2, th, p, #board')].map(e => e.textContent).join('|')")
        check(f"{code}: the lesson has no English text",
              not any(t in frame for t in ("Step", "The model", "First forward", "Gradients,", "The neurons", "derivative")), frame[:300])
        check(f"{code}: nor the state",
              page.value("document.getElementById('state').textContent") != "up to date")
        page.value("document.getElementById('tab-train').click(), 0")
        settled(page)
        texts = page.value("[...document.querySelectorAll('button, h1, h2, summary, label span')].map(e => e.textContent.trim()).join('|')")
        check(f"{code}: the page has no English text",
              "New weights" not in texts and "Losses" not in texts and "undefined" not in texts,
              texts)
        wide = page.value("document.documentElement.scrollWidth - innerWidth")
        check(f"{code}: nothing is wider than the page", wide <= 0, wide)
        page.value("document.getElementById('tab-lesson').click(), 0")
    page.value("(document.getElementById('language').value = 'en', document.getElementById('language').onchange(), 0)")


def sizes(browser):
    for width, height, phone, dark in ((390, 844, True, False), (820, 1180, False, True),
                                       (2560, 1440, False, False)):
        page = Page(browser, width, height, dark, phone)
        page.open(path + "#net_221")
        settled(page)
        wide = page.value("document.documentElement.scrollWidth - innerWidth")
        check(f"{width} x {height}: nothing is wider than the page", wide <= 0, wide)
        contrast(page, "dark" if dark else "light")
        unnamed = page.value("[...document.querySelectorAll('button, select, input:not([hidden]), iframe, [role=tabpanel]')].filter(e => !(e.textContent.trim() || e.getAttribute('aria-label')"
                             " || e.title || e.labels?.length || e.getAttribute('aria-labelledby'))).map(e => e.outerHTML)")
        check(f"{width} x {height}: everything has a name", not unnamed, unnamed)
        if phone:
            languages(page)
        quiet(page)


def quiet(page):
    page.collect("file://" + path)
    faults = [f for f in page.faults if not f.startswith("request: blob:")
              and not f.startswith("request: about:")]
    check("no message on the console, and no request", not faults, faults)


if program == "chromium":
    browser = Browser()
    try:
        page = Page(browser)
        go(page)
        check("the page opens", settled(page) == "up to date")
        lessons(page)
        typing(page)
        mistakes(page)
        views(page)
        printing(page)
        helps(page)
        links(page)
        training(page)
        speed(page)
        quiet(page)
        sizes(browser)
        if len(sys.argv) > 4:
            gallery(browser, os.path.abspath(sys.argv[4]))
    finally:
        browser.close()
else:
    page = Firefox(program)
    try:
        go(page)
        check("the page opens", settled(page) == "up to date")
        lessons(page)
        check("a mistake", put(page, "y = sofmax(x)", "x=1").startswith("errors"))
        page.value("document.querySelector('#messages .fix').click(), 0")
        settled(page)
        check("mended", page.value("playground.editor.text") == "y = softmax(x)",
              page.value("playground.editor.text"))
        choose(page, "net spiral")
        wait(page, READY)
        page.value("playground.train.toggle(), 0")
        check("the spiral is learned",
              wait(page, "playground.train.frame.train.accuracy >= 0.99", 60) is not None)
        links(page)
    finally:
        page.close()
finish()
