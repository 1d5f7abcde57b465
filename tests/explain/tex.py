"""tex.py FILE.tex ... - is each a document whose braces, environments and formulas are closed?
Prints what is wrong, and fails."""
import re
import sys


def check(text):
    text = text.replace(r"\\", "")
    assert text.startswith(r"\documentclass") and text.rstrip().endswith(r"\end{document}"), "no document"
    depth, math, open_environments = 0, False, []
    for m in re.finditer(r"\\begin\{(\w+)\}|\\end\{(\w+)\}|\\left|\\right|\\.|[{}$]|\n\n", text):
        s = m.group()
        depth += (s == "{") - (s == "}")
        assert depth >= 0, f"a brace too many at {m.start()}"
        if s == "$":
            math = not math
        assert not (s == "\n\n" and math), f"a formula is open at {m.start()}"
        if m.group(1):
            open_environments.append(m.group(1))
        if m.group(2):
            assert open_environments and open_environments.pop() == m.group(2), f"{m.group(2)} ends at {m.start()}"
    assert depth == 0 and not math and not open_environments, "something is left open"
    plain = re.sub(r"\$[^$]*\$", "", re.sub(r"\\.", "", text))
    assert not re.search(r"[_^]", plain), "an index stands outside of a formula"


for path in sys.argv[1:]:
    try:
        with open(path, encoding="utf-8") as f:
            check(f.read())
    except AssertionError as e:
        sys.exit(f"{path}: {e}")
