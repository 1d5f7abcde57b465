"""gallery.py NGC OUT [NAME ...] - a page of all examples (or of these): each with its graph as the
lesson page draws it, the first sentence of its text, and a link that opens it in playground.html
beside the page. It needs Chromium. `make gallery` runs it."""
import html
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "tests", "explain"))
from browser import Browser, Page

# Sizes with which a graph can be seen at once.
SMALLER = {"adding": "-D n=4 -D T=4", "wave": "-D n=4 -D T=4", "char_gpt": "-D width=16 m=1",
           "char_rnn": "m=1", "lenet": "m=1", "resnet": "m=1",
           "series": "m=2 T=5", "gan": "-D n=16", "regularised": "-D n=30", "spiral": "-D n=30",
           "vectorised": "m=4"}
WIDEST = 1000  # pixels of a picture in which names can still be read; a wider graph is folded

# The graph with all values and gradients, at the finest level that is not too wide; if all are, or
# it would be one box, by layers.
GRAPH = """(() => {
    const fits = ['op', 'layer', 'net'].find(level => {
        setLevel(level);
        return $('graph').firstChild.natural[0] <= %d;
    });
    if (!fits || boxes.length < 3) setLevel('layer');
    go(steps.length);
    const picture = $('graph').firstChild.cloneNode(true);
    const [w, h] = $('graph').firstChild.natural;
    for (const e of [picture, ...picture.querySelectorAll('*')])
        for (const {name} of [...e.attributes])
            if (/^(tabindex|role|aria-.*|style)$/.test(name)) e.removeAttribute(name);
    for (const name of ['width', 'height']) picture.removeAttribute(name);
    picture.querySelectorAll('.now, .fore, .back').forEach(e => e.classList.remove('now', 'fore', 'back'));
    return [picture.outerHTML, w, h];
})()"""


def sections(readme):
    """The headings of the list of examples, each with the names below it."""
    found, seen, rows = [], set(), readme.split("\n# All examples\n")[1].splitlines()
    for line in rows:
        if line.startswith("## "):
            found.append((line[3:], []))
        elif line.startswith("|") and found:
            new = [n for n in re.findall(r"`(\w+)\.ng`", line.split("|")[1]) if n not in seen]
            found[-1][1].extend(new)
            seen.update(new)
    return [(title, names) for title, names in found if names]


def first_sentence(text):
    about = " ".join(line.lstrip("# ") for line in re.match(r"(?:#.*\n)+", text)[0].splitlines())
    about = re.sub(r"^\w+\.ng - ", "", about)
    return re.match(r".{15,}?[.?!](?= |$)|.*", about[0].upper() + about[1:])[0]


def picture(ngc, page, name, folder):
    path = os.path.join(folder, name + ".html")
    model = os.path.join(here, name + ".ng")
    subprocess.run([ngc, "explain", "--html", model, *SMALLER.get(name, "").split(), "-o", path],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    page.open(path)
    return page.value(GRAPH % WIDEST)


def card(ngc, page, name, folder):
    with open(os.path.join(here, name + ".ng")) as f:
        text = f.read()
    svg, width, height = picture(ngc, page, name, folder)
    svg = svg.replace("<svg ",
                      f'<svg style="max-width: {width:.0f}px; aspect-ratio: {width:.0f}/{height:.0f}" ', 1)
    link = "playground.html#" + urllib.parse.quote(json.dumps({"text": text, "given": ""}), safe="")
    return (f'<a class="card" id="{name}" href="{html.escape(link)}">'
            f'<h3>{name}</h3><p>{html.escape(first_sentence(text))}</p><div class="graph" role="img" aria-label="the graph of {name}">{svg}</div></a>\n')


def main(ngc, out, *only):
    with open(os.path.join(here, "README.md")) as f:
        groups = sections(f.read())
    listed = {n for _, names in groups for n in names}
    every = sorted(f[:-3] for f in os.listdir(here) if f.endswith(".ng"))
    if missing := [n for n in every if n not in listed]:
        sys.exit(f"gallery.py: README.md does not list {', '.join(missing)}")
    with open(os.path.join(here, "..", "compiler", "explain", "page", "page.css")) as f:
        style = f.read()
    with open(os.path.join(here, "gallery.html")) as f:
        frame = f.read()

    parts, browser = [], Browser()
    try:
        page = Page(browser)
        with tempfile.TemporaryDirectory() as folder:
            for title, names in groups:
                chosen = [n for n in names if n in every and (not only or n in only)]
                if chosen:
                    cards = "".join(card(ngc, page, n, folder) for n in chosen)
                    parts.append(f"<h2>{html.escape(title)}</h2>\n<div class=\"cards\">\n{cards}</div>\n")
    finally:
        browser.close()
    with open(out + ".tmp", "w") as f:
        f.write(frame.replace("@STYLE@", style).replace("@CARDS@", "".join(parts)))
    os.replace(out + ".tmp", out)


main(*sys.argv[1:])
