"""pictures.py NGC PLAYGROUND FOLDER [NAME ...] - makes the pictures of the course and of the README
(or these) from the pages themselves: the playground and lessons of `ngc explain`, in Chromium.
Graphs and curves are SVG with the colours of the pages, in light and dark; all else is PNG. `make
pictures` runs it. It needs Chromium and PIL (Debian: chromium, python3-pil)."""
import base64
import io
import json
import os
import re
import subprocess
import sys
import tempfile

from PIL import Image

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "tests", "explain"))
from browser import Browser, Page

LIMIT = 40000  # bytes of a picture


def style():
    """What page.css says of drawings, so that an SVG has its colours without the page."""
    with open(os.path.join(here, "..", "compiler", "explain", "page", "page.css")) as f:
        text = f.read()
    rules = [text[m.start():text.index("}", m.end()) + 1]
             for m in re.finditer(r"^(?:svg |\.v |\.g |\.soft |\.unit|\.wire|\.tip|\.plot|\.line|\.synapse|\.neuron|\.halo|\.slope|\.dashed|\.dot)", text, re.M)]
    light = text[text.index(":root {"):text.index("}") + 1]
    dark = text[text.index("@media screen and (prefers-color-scheme: dark)"):]
    dark = dark[:dark.index("}\n}") + 3]
    with open(os.path.join(here, "..", "compiler", "play", "page", "play.css")) as f:
        rates = [line for line in f if line.startswith(".rate0")]
    return re.sub(r"\s+", " ", light + dark + "".join(rules) + "".join(rates)
                  + ":root{--call:#7a3e9d}svg{color:var(--fg)}")


STYLE = style()


def svg_of(page, selector):
    text, width, height = page.value("""(() => {
        const e = document.querySelector(%s).cloneNode(true);
        e.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
        for (const c of [e, ...e.querySelectorAll('*')]) {
            for (const {name} of [...c.attributes]) if (/^(tabindex|role|aria-.*)$/.test(name)) c.removeAttribute(name);
            c.classList.remove('now', 'fore', 'back');
        }
        e.querySelectorAll('title').forEach(t => t.remove());
        const [,, w, h] = e.getAttribute('viewBox').split(' ').map(Number);
        e.setAttribute('width', w), e.setAttribute('height', h);
        return [new XMLSerializer().serializeToString(e), w, h];
    })()""" % json.dumps(selector))
    return re.sub(r"(<svg[^>]*>)", rf"\1<style>{STYLE}</style>", text, count=1).encode()


def png_of(page, selector, colours=64, width=None):
    """The part of the page, with few colours."""
    box = page.value(f"(() => {{ const r = document.querySelector({json.dumps(selector)}).getBoundingClientRect(); return [r.left + scrollX, r.top + scrollY, r.width, r.height]; }})()")
    clip = dict(zip(("x", "y", "width", "height"), box), scale=1)
    shot = page.send("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
    image = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
    if width and image.width > width:
        image = image.resize((width, round(image.height * width / image.width)), Image.LANCZOS)
    out = io.BytesIO()
    image.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def settled(page, what="true"):
    page.value("""new Promise((done, fail) => {
        const start = performance.now();
        const look = () => {
            if (window.playground && !playground.busy && (%s)) done(0);
            else if (performance.now() - start > 60000) fail(Error('the page is not ready'));
            else setTimeout(look, 20);
        };
        look();
    })""" % what)


class Pictures:
    def __init__(self, ngc, playground, browser, folder):
        self.ngc, self.playground, self.browser, self.folder = ngc, os.path.abspath(playground), browser, folder

    def lesson(self, name, *given):
        """The lesson page of an example, after its last step."""
        path = os.path.join(self.folder, name + ".html")
        subprocess.run([self.ngc, "explain", os.path.join(here, name + ".ng"), *given, "-o", path],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        page = Page(self.browser, 1400, 900)
        page.open(path)
        page.value("(go(steps.length), 0)")
        return page

    def net(self, name, text=None, steps=0, width=1250, height=850, change=""):
        """The view that trains, after a number of steps."""
        page = Page(self.browser, width, height)
        page.open(self.playground + "#net-" + name)
        settled(page)
        if text:
            page.value(f"(playground.editor.text = {json.dumps(text)}, 0)")
        page.value("(document.getElementById('tab-train').click(), 0)")
        settled(page, "playground.train.isReady && playground.train.frame")
        page.value(f"({change or 0}, 0)")
        page.value("(playground.train.send({kind: 'reset'}), 0)")
        for _ in range(steps // 100):  # a report for each hundred, for the chart of losses
            page.value("(playground.train.send({kind: 'step', count: 100}), 0)")
        settled(page, f"playground.train.frame.steps === {steps}")
        return page

    # ---- each returns the bytes of a picture, by the name of its file ----

    def playground_png(self):
        text = ("# Two classes of points in the plane: press Run.\ndim    m <= 20\ninput  x[m, 2], t[m]\nh1 = dense(x, 8, tanh)\nh2 = dense(h1, 8, tanh)\n"
                "z = dense(h2, 1)[:, 0]\noutput p = sigmoid(z)\nmetric accuracy = mean((z > 0) == t)\nminimize J = bce_logits(z, t) with adam(lr = 0.03)\n")
        page = self.net("spiral", text, 3000, width=1280, height=800,
                        change="playground.train.set('share', 0.8)")
        return png_of(page, "body", 28, 760)

    def chain_svg(self):
        return svg_of(self.lesson("chain"), "#graph svg")

    def net_221_svg(self):
        return svg_of(self.lesson("net_221"), "#neurons svg")

    def sigmoid_svg(self):
        return svg_of(self.lesson("net_221"), "#curves svg")

    def relu_svg(self):
        page = self.lesson("net_221")
        page.value("(() => { const f = document.getElementById('function'); f.value = [...f.options].find(o => /relu/.test(o.textContent)).value; f.oninput(); return 0; })()")
        return svg_of(page, "#curves svg")

    def rates_svg(self):
        page = self.net("circle")
        page.value("([...document.querySelectorAll('.side .row button')][0].click(), 0)")
        settled(page, "!!document.querySelector('[data-done]')")
        return svg_of(page, "[data-done] svg")

    def overfit_png(self):
        text = "dim    m <= 20\ninput  x[m, 1], t[m]\nh1 = dense(x, 16, tanh)\nh2 = dense(h1, 16, tanh)\nz = dense(h2, 1)[:, 0]\noutput y = z\nminimize J = mse(z, t) with adam(lr = 0.01)\n"
        change = "(playground.train.set('count', 40), playground.train.set('noise', 0.4))"
        return png_of(self.net("sine", text, 6000, change=change), ".big", 32)

    def price_png(self):
        return png_of(self.lesson("price", "-D", "units=66"), "#card-cost", 16)

    def units_png(self):
        return png_of(self.net("spiral", steps=1500, height=1100), ".picture", 32)

    def curve_png(self):
        with open(os.path.join(here, "sine.ng")) as f:
            return png_of(self.net("sine", f.read(), 4000), ".picture", 32)


def main(ngc, playground, folder, *only):
    browser = Browser()
    os.makedirs(folder, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as work:
            pictures = Pictures(ngc, playground, browser, work)
            for method in [m for m in dir(pictures) if re.fullmatch(r"\w+_(svg|png)", m)]:
                name = re.sub(r"_(svg|png)$", r".\1", method)
                if only and name not in only:
                    continue
                data = getattr(pictures, method)()
                print(f"{name}: {len(data)} bytes")
                if len(data) > LIMIT:
                    sys.exit(f"pictures.py: {name} is larger than {LIMIT} bytes")
                with open(os.path.join(folder, name), "wb") as f:
                    f.write(data)
    finally:
        browser.close()


main(*sys.argv[1:])
