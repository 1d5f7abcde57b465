"""student.py NGC PAGE [PART ...] - drives the playground as those who use it do, and worse: the
keyboard keeps its place when a control changes the text; another language changes all texts and
loses nothing; what has errors or is too large is marked as such; links and files that are broken
are refused with a reason; and whatever is in the text, the page answers. The last line counts."""
import json
import os
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, os.path.join(here, "..", "explain")]
from browser import Browser, Page
from drive import READY, check, choose, finish, name, put, settled, wait

path = os.path.abspath(sys.argv[2])
name("student")
NET = """# a net of mine
dim m <= 16
input pos[m, 2], t[m]
def bump(v) = exp(-v^2)
first = dense(pos, 4, bump)   # the first layer
out = dense(first, 1)[:, 0]
output p = sigmoid(out)
minimize J = bce_logits(out, t) with adam(0.01, beta1 = 0.8) # end
"""
T = "playground.train"
STATE = "document.getElementById('state').textContent"
FOCUS = "document.activeElement.getAttribute('aria-label') || document.activeElement.closest('label')?.querySelector('span')?.textContent || document.activeElement.id"


def tab(page, which):
    page.value(f"document.getElementById('tab-{which}').click(), 0")
    return settled(page)


def drop(page, file, text):
    """A file is dropped on the page; text may be a list of bytes."""
    data = f"new Uint8Array({json.dumps(text)})" if isinstance(text, list) else json.dumps(text)
    page.value(f"""(() => {{
        const data = new DataTransfer();
        data.items.add(new File([{data}], {json.dumps(file)}));
        dispatchEvent(new DragEvent('drop', {{dataTransfer: data, cancelable: true}}));
        return 0;
    }})()""")
    time.sleep(0.2)
    return settled(page)


def responds(page, what):
    """Does the thread of the page answer within the second, whatever the worker does?"""
    worst = page.value("""new Promise(done => {
        let last = performance.now(), worst = 0, count = 0;
        const look = () => {
            const now = performance.now();
            worst = Math.max(worst, now - last);
            last = now;
            if (++count < 20) setTimeout(look, 50);
            else done(worst);
        };
        look();
    })""")
    limit = 1000 * max(1, os.getloadavg()[0] / os.cpu_count())
    check(f"the page answers: {what}", worst < limit, worst)


def keyboard(page):
    """The focus stays on a control although it is painted anew; a slider is not replaced while it
    is held."""
    tab(page, "train")
    put(page, NET)
    wait(page, READY)
    for label in ("one unit of first more", "one layer more", "one layer less", "one layer less",
                  "one layer less"):
        page.value(f"document.querySelector('[aria-label=\"{label}\"]').focus(), document.activeElement.click(), 0")
        settled(page), wait(page, READY)
        check(f"{label}: the focus stays", page.value(FOCUS) == label, page.value(FOCUS))
        check(f"{label}: no mistake", page.value(STATE) == "up to date",
              page.value("playground.editor.text"))
    put(page, NET)
    wait(page, READY)
    page.value("(() => { const s = [...document.querySelectorAll('.controls label')].find(l => l.firstChild.textContent === 'rate').querySelector('select'); s.focus(); s.value = '0.3'; s.onchange(); return 0 })()")
    settled(page), wait(page, READY)
    check("a choice: the focus stays", page.value(FOCUS) == "rate", page.value(FOCUS))
    check("it is in the text, with the comment",
          "with adam(0.3, beta1 = 0.8) # end" in page.value("playground.editor.text"),
          page.value("playground.editor.text"))
    same = page.value("""new Promise(done => {
        const slider = document.querySelector('.slide input');
        slider.focus();
        slider.value = 0.2;
        slider.oninput();
        setTimeout(() => done(slider.isConnected && document.activeElement === slider && playground.train.settings.noise === 0.2), 300);
    })""")
    check("a slider stays while it is moved", same)
    tab(page, "c")
    page.value("(() => { const b = document.querySelectorAll('#panel-c .group button')[0]; b.focus(); b.click(); return 0 })()")
    check("the views of the C keep the focus",
          page.value("document.activeElement.textContent") == "to read (-O0)",
          page.value("document.activeElement.textContent"))
    page.value("document.getElementById('tab-c').focus(), 0")
    page.key("End")
    check("End goes to the last view", page.value("document.activeElement.id") == "tab-numbers")
    page.key("Home")
    check("Home to the first", page.value("document.activeElement.id") == "tab-lesson")
    settled(page)


def meaning(page):
    """A word of the student's own, under the pointer."""
    put(page, NET)
    where = page.value("(() => { const r = playground.editor.view.coordsAtPos(playground.editor.text.indexOf('bump)') + 2); return [r.left, (r.top + r.bottom)/2]; })()")
    page.send("Input.dispatchMouseEvent", type="mouseMoved", x=where[0], y=where[1])
    page.send("Input.dispatchMouseEvent", type="mouseMoved", x=where[0] + 1, y=where[1])
    check("a function of the text", wait(page, "!!document.querySelector('.hover')", 5) is not None
          and "def bump(v) = exp(-v^2)" in page.value("document.querySelector('.hover').textContent"))
    page.send("Input.dispatchMouseEvent", type="mouseMoved", x=1300, y=20)
    wait(page, "!document.querySelector('.hover')", 5)
    page.value("playground.editor.goto(6, 2), 0")
    page.send("Input.dispatchKeyEvent", type="keyDown", key="i", code="KeyI",
              windowsVirtualKeyCode=73, modifiers=2)
    shown = page.value("document.querySelector('.hover')?.textContent || ''")
    check("by a key, the word at the cursor",
          "out" in shown and "value" in shown and page.value("document.getElementById('said').textContent").startswith("out"), shown)
    page.key("Escape")
    check("Escape closes it", page.value("!document.querySelector('.hover')"))


def hearing(page):
    """What a screen reader is told: not each change, but what holds, with the first mistake."""
    put(page, "y = 2*x", "x=1")
    wait(page, "document.getElementById('said').textContent === 'up to date'", 10)
    page.value("globalThis.told = [], new MutationObserver(() => told.push(document.getElementById('said').textContent)).observe(document.getElementById('said'), {childList: true}), 0")
    for k in range(6):
        put(page, f"y = {k + 3}*x + 1", "x=1")
    time.sleep(1.5)
    check("changes without mistakes are not told", page.value("told.length") == 0,
          page.value("told"))
    put(page, "y = 2*sofmax(x)", "x=1")
    check("a mistake is told once, with its line",
          wait(page, "told.length === 1", 10) is not None and "line 1: unknown function" in page.value("told[0]"), page.value("told"))
    live = page.value("document.querySelectorAll('[aria-live]:not([aria-live=off]), [role=status], [role=alert]').length")
    check("few regions speak", live <= 4, live)


def marked(page):
    """What is shown of an earlier text, or not at all, is marked so."""
    tab(page, "lesson")
    put(page, "y = 3*x", "x=2")
    put(page, "y = 3*x +", "x=2")
    check("old views are marked", page.value("document.body.classList.contains('stale')"))
    tab(page, "c")
    check("another view shows the last good text",
          wait(page, "/in->x \\* 3|3.0f \\* in->x/.test(document.getElementById('panel-c').textContent)", 10) is not None,
          page.value("document.getElementById('panel-c').textContent"))
    tab(page, "lesson")
    said = put(page, "input x[3000, 3000]\noutput y = x @ x\n")
    check("a model that is not computed",
          said == "not computed: see the messages" and page.value("document.body.classList.contains('stale')"), said)
    tab(page, "c")
    page.value("document.querySelectorAll('#panel-c .group button')[1].click(), 0")
    check("has its C all the same",
          page.value("document.getElementById('panel-c').textContent").count("y") > 3 and page.value(STATE) == "up to date", page.value(STATE))
    tab(page, "lesson")
    choose(page, "net circle")
    put(page, page.value("playground.editor.text").replace("tanh", "identity").replace("lr = 0.1", "lr = 1e9").replace("bce_logits", "mse"))
    wait(page, READY)
    page.value(f"{T}.toggle(), 0")
    check("a loss that is not finite is said",
          wait(page, "/not finite/.test(document.querySelector('#panel-train p.soft').textContent)", 20) is not None)
    page.value(f"{T}.restart(), 0")
    check("until Restart",
          wait(page, "document.querySelector('#panel-train p.soft').hidden", 10) is not None)


def drawn(page):
    """The view that trains shows what belongs to the text, and says what is missing."""
    tab(page, "train")
    put(page, NET.replace("output p = sigmoid(out)\n", ""))
    wait(page, READY)
    check("a text without an output",
          "has no output" in page.value("document.querySelector('.out').textContent"))
    check("has its points all the same",
          wait(page, "(() => { const c = document.querySelector('.big'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; return new Set(d).size; })() > 20", 10) is not None)
    put(page, "param w = 1\nminimize J = (w - 3)^2 with sgd(lr = 0.1)\n")
    wait(page, READY + " && playground.train.frame.train.J === 4")
    check("a text without inputs has no data",
          page.value("document.querySelectorAll('.big, .slide').length") == 0 and page.value(f"{T}.frame.train.J") == 4)
    put(page, NET.replace("dense(pos, 4, bump)", "dropout(dense(pos, 4, relu), 0.1)"))
    wait(page, READY)
    names = page.value("[...document.querySelectorAll('.column > span')].map(e => e.textContent)")
    check("each layer is there once", len(names) == len(set(names)) > 2, names)
    choose(page, "net circle")
    wait(page, READY)
    first = page.value(f"JSON.stringify({T}.frame.weights)")
    for other in ("net xor", "net spiral", "net circle"):
        page.value(f"{T}.step(), {T}.send({{kind: 'step', count: 50}}), 0")
        wait(page, f"{T}.frame.steps > 50")
        choose(page, other)
        wait(page, READY + " && playground.train.frame.steps === 0", 5)
        check(f"{other} begins anew", page.value(f"{T}.frame.steps") == 0)
    check("with the weights of its own start",
          page.value(f"JSON.stringify({T}.frame.weights)") == first)
    put(page, NET.replace("0.01", "0.1*0.9^step"))
    wait(page, READY)
    shown = page.value("[...document.querySelectorAll('.controls label')].find(l => l.firstChild.textContent === 'rate').querySelector('select').value")
    check("a rate that is a formula is shown as it is", shown == "0.1*0.9^step", shown)


def tongues(page):
    """Another language: all texts, also those of messages and of the editor; the training goes
    on."""
    choose(page, "net circle")
    wait(page, READY)
    english = set(page.value(TEXTS))
    for code, word, title in (("de", "Lernrate", "ein unbekannter Name"),
                              ("fr", "taux d'apprentissage", "un nom inconnu"),
                              ("es", "tasa de aprendizaje", "un nombre desconocido"),
                              ("vi", "tốc độ học", "tên không biết"), ("zh", "学习率", "未知的名字")):
        page.value(f"{T}.send({{kind: 'step', count: 7}}), 0")
        wait(page, f"{T}.frame.steps === 7", 10)
        page.value(f"(document.getElementById('language').value = '{code}', document.getElementById('language').onchange(), 0)")
        settled(page)
        texts = page.value(TEXTS)
        left = [t for t in texts if t in english and t not in SAME and not t.startswith("test ")]
        check(f"{code}: no text is left in English", not left, left)
        check(f"{code}: {word}",
              word in page.value("document.getElementById('panel-train').textContent"), texts)
        check(f"{code}: the steps stay",
              page.value(f"{T}.frame.steps") == 7 and page.value(f"{T}.isReady"))
        check(f"{code}: the editor's own texts",
              page.value("playground.editor.view.state.phrase('Find')") != "Find"
              and page.value("playground.editor.view.contentDOM.getAttribute('aria-label')") != "the text of the model")
        put(page, "y = sofmax(x)", "x=1")
        check(f"{code}: the controls of the last good text stay",
              page.value("document.querySelectorAll('.controls select').length") >= 5)
        said = page.value("document.getElementById('messages').textContent")
        check(f"{code}: the title of a message", title in said, said)
        wide = page.value("[...document.querySelectorAll('#panel-train .controls *, .bar-row *, .side *, header *')].filter(e => e.scrollWidth > e.clientWidth + 1"
                          " && e.clientWidth && getComputedStyle(e).overflowX !== 'visible' && !['SELECT', 'OPTION', 'INPUT'].includes(e.tagName) && !e.classList.contains('unseen')).map(e => e.outerHTML.slice(0, 80))")
        check(f"{code}: no text is cut", not wide, wide)
        page.value("(document.getElementById('language').value = 'en', document.getElementById('language').onchange(), 0)")
        choose(page, "net circle")
        wait(page, READY)


# every text, title and name of the page, except those of the text's own names, of the course and of
# the compiler
TEXTS = """(() => {
    const out = [];
    const walk = e => {
        if (['SCRIPT', 'STYLE'].includes(e.tagName) || e.lang === 'en' || e.hidden || e.matches('#licences pre, .cm-editor, #language, #panel-lesson, optgroup, .unseen')) return;
        for (const a of ['title', 'aria-label', 'aria-description', 'placeholder', 'label', 'alt']) if (e.getAttribute(a)) out.push(e.getAttribute(a));
        for (const c of e.childNodes) c.nodeType === 1 ? walk(c) : c.nodeType === 3 && c.textContent.trim() && out.push(c.textContent.trim());
    };
    walk(document.body);
    return [...out, document.title].filter(t => /[a-z]{2}/i.test(t) && t[0] !== '|');
})()"""
SAME = {"ngc", "xor", "C", "tanh", "relu", "sigmoid", "leaky_relu", "gelu", "identity", "sgd",
        "adam", "rmsprop", "adagrad", "adamw", "L1", "L2", "h1", "h2", "accuracy", "J", "x1", "x2",
        "a=3 b=2", "Link", "Pause", "Test", "Training", "test", "Solution", "messages", "points", "activation", "sin x1", "sin x2", "x1 x2", "training"}


def files(page):
    """Tables as other programs write them, and what is none."""
    rows = "\n".join(f"{k % 7 + 0.5:.1f};{1000*(k % 5)};{('no', 'yes', 'perhaps')[k % 3]}".replace(".", ",") for k in range(60))
    drop(page, "my table.csv", "\ufefflength;width;kind\n" + rows + "\n;3;no\n")
    wait(page, READY)
    text = page.value("playground.editor.text")
    check("a table of three classes has a net of three outputs",
          "z = dense(h2, 3)" in text and "cross_entropy(z, t)" in text and page.value(STATE) == "up to date", text)
    check("its columns are brought to one size", "u = (x - [" in text, text)
    check("where the data is from",
          page.value("document.querySelector('.controls select').selectedOptions[0].textContent") == "a file")
    check("classes have shapes of their own",
          "triangles: class 1" in page.value("document.querySelector('.out').textContent"))
    check("what is left out is said",
          "60 rows of a file; 1 rows left out" in page.value("document.querySelector('.controls').textContent"), page.value("document.querySelector('.controls').textContent"))
    before = page.value(f"{T}.frame.train.J")
    page.value(f"{T}.send({{kind: 'step', count: 200}}), 0")
    wait(page, f"{T}.frame.steps === 200")
    check("and it learns", page.value(f"{T}.frame.train.J") < before)
    drop(page, "wide.csv",
         "a,b,c,y\n" + "\n".join(f"{k % 3},{k % 5},{k % 7},{k % 4}.5" for k in range(40)))
    wait(page, READY)
    check("of three columns there is no plane",
          page.value("document.querySelectorAll('.big').length") == 0 and "x[m, 3]" in page.value("playground.editor.text"))
    text = page.value("playground.editor.text")
    for file, content, said in (("empty.csv", "", "no table"),
                                ("words.csv", "This is not a table.\nIt has lines.\n", "no table"),
                                ("one.csv", "1\n2\n3\n", "no table"),
                                ("picture.ng", [137, 80, 78, 71, 0, 255, 254], "not a text")):
        drop(page, file, content)
        check(f"{file} is refused",
              said in page.value(STATE) and page.value("playground.editor.text") == text,
              page.value(STATE))
    check("still", page.value(f"{T}.data.train.length + {T}.data.test.length") == 40)


def links(page):
    """A link that was cut, or is of another page, is said; the text stays."""
    put(page, "y = 2*x", "x=1")
    for hash in ("#%7B%22text%22%3A%22y%20%3D", "#%E0%A4%A", "#5", "#null", "#[]",
                 "#%7B%22a%22%3A1%7D", "#lesson-999", "#constructor", "#eyJ0ZXh0Ijoi"):
        page.value(f"(location.hash = {json.dumps(hash)}, 0)")
        time.sleep(0.1)
        check(f"{hash} is refused",
              "cannot be read" in page.value(STATE) and page.value("playground.editor.text") == "y = 2*x", page.value("playground.editor.text"))
    page.value("(document.getElementById('link').click(), document.getElementById('link').click(), 0)")
    time.sleep(0.1)
    page.value("(location.hash = '#xor', 0)")
    time.sleep(0.3)
    check("a link after two copies of another",
          "xor" in page.value("playground.editor.text").lower(),
          page.value("playground.editor.text"))
    put(page, "y = 7*x # kept", "x=1")
    time.sleep(0.7)
    page.send("Page.navigate", url="about:blank")
    page.open(path)
    settled(page)
    check("the text is there when the page is opened again",
          page.value("playground.editor.text + document.getElementById('given').value") == "y = 7*x # keptx=1")


def hostile(page):
    """Whatever is in the text, the page answers, says why, and goes on."""
    tab(page, "lesson")
    large = {
        "1 MB of text": "# " + "x" * 60 + "\ny = 1\n" * 3 + "".join(f"v{k} = {k} + 1\n" for k in range(60000)),
        "one line of 1 MB": "y = " + "+".join(["x"] * 500000),
        "100,000 values": "input x\ny = " + " + ".join(f"x*{k}" for k in range(30000)),
        "a loop of 10^9 passes": "input x\ns = x\nfor k in 0..1000000000 {\n    s = 0.5*s + 1\n}\ny = s\n",
        "loops in loops": "input x\ns = x\n" + "".join(f"for a{k} in 0..1000 {{\n"
                                                       for k in range(6)) + "s = 0.5*s + 1\n" + "}\n" * 6 + "y = s\n",
        "deep brackets": "y = " + "(" * 200000 + "1" + ")" * 200000,
        "deep functions": "def f0(x) = x + 1\n" + "".join(f"def f{k}(x) = f{k - 1}(f{k - 1}(x))\n"
                                                          for k in range(1, 40)) + "y = f39(1)\n",
        "a tensor of 1 TB": "input x[1000000, 1000000]\ny = sum(x @ x)\n",
    }
    for what, text in large.items():
        page.value("(playground.editor.text = %s, 0)" % json.dumps(text))
        time.sleep(0.3)
        responds(page, what)
        said = settled(page)
        check(f"{what}: something is said", said and said not in ("computing …",), said)
        check(f"{what}: and then all is well", put(page, "y = x + 1", "x=2") == "up to date",
              page.value(STATE))
    tab(page, "train")
    put(page, "param w = 1\ns = w\nfor k in 0..300000000 {\n    s = 0.5*s + w\n}\nminimize J = (s - 1)^2 with sgd(lr = 0.1)\n")
    responds(page, "a step that does not end")
    choose(page, "net circle")
    check("after a step that does not end", wait(page, READY) is not None)


# texts whose contrast with what is below them is less than 4.5: {element: text}
FAINT = """(() => {
    const parse = c => { const m = c.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
    const part = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const light = c => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
    const over = (a, b) => [0, 1, 2].map(k => a[k] * a[3] + b[k] * (1 - a[3]));
    const style = getComputedStyle;
    const around = e => (e ? [e, ...around(e.parentElement)] : []);
    const out = {};
    for (const e of document.body.querySelectorAll('*')) {
        const text = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
        if (!text || !e.checkVisibility() || e.closest('script, style, option, .unseen, [disabled], [aria-disabled=true]')) continue;
        const below = around(e).reverse().reduce((b, x) => over(parse(style(x).backgroundColor), b), [255, 255, 255]);
        const colour = e.namespaceURI.includes('svg') ? style(e).fill : style(e).color;
        const c = parse(colour);
        c[3] *= around(e).reduce((t, x) => t * style(x).opacity, 1);
        const [high, low] = [light(over(c, below)), light(below)].sort((x, y) => y - x);
        if ((high + 0.05) / (low + 0.05) < 4.5) out[e.tagName + '.' + e.getAttribute('class')] = e.textContent.trim().slice(0, 40);
    }
    return out;
})()"""


def readable(browser):
    """Each text that is drawn has contrast, light and dark, on the line of the cursor too."""
    for dark in (False, True):
        page = Page(browser, 1440, 900, dark)
        page.open(path + "#lesson-5")
        settled(page)
        for which in ("lesson", "train", "c", "words", "numbers"):
            tab(page, which)
            faint = page.value(FAINT)
            check(f"contrast of texts, {'dark' if dark else 'light'}, {which}", not faint, faint)
        put(page, "# a comment\ny = sofmax(x) + 1\n", "x=1")
        faint = page.value(FAINT)
        check(f"contrast of messages, {'dark' if dark else 'light'}", not faint, faint)
        page.value("playground.editor.view.focus(), 0")
        page.send("Input.dispatchKeyEvent", type="keyDown", key="f", code="KeyF",
                  windowsVirtualKeyCode=70, modifiers=2)
        drawn = page.value("[...document.querySelectorAll('.cm-panel button, .cm-panel input')].filter(e => getComputedStyle(e).backgroundImage !== 'none').length")
        faint = page.value(FAINT)
        check(f"contrast of the search, {'dark' if dark else 'light'}",
              page.value("!!document.querySelector('.cm-panel')") and not drawn and not faint,
              faint)
        page.close()


browser = Browser()
try:
    page = Page(browser, 1440, 900)
    page.open(path)
    settled(page)
    for part in (keyboard, meaning, hearing, marked, drawn, tongues, files, links, hostile):
        if sys.argv[3:] and part.__name__ not in sys.argv[3:]:
            continue
        part(page)
        page.collect("file://" + path)
        faults = [f for f in page.faults if not f.startswith("request: blob:")
                  and not f.startswith("request: about:")]
        check(f"{part.__name__}: nothing is said on the console", not faults, faults)
        page.faults.clear()
    readable(browser)
finally:
    browser.close()
finish()
