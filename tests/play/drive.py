"""drive.py - what the tests of the playground share: a check, waiting until the page has followed
its text, another text, a choice in the menu."""
import json
import sys
import time

counts = {True: 0, False: 0}
about = []


def name(program):
    """Names the program in what is said of a failure."""
    about[:] = [program]


def check(what, good, told=""):
    counts[bool(good)] += 1
    if not good:
        print("FAILED", *about, what, *([f"\n  {str(told)[:600]}"] if told else []))


def finish():
    print(f"{counts[True]} passed, {counts[False]} failed")
    sys.exit(counts[False] > 0)


def settled(page, what="true"):
    """Waits until the page has followed the text. Returns what its status says."""
    return page.value("""new Promise(done => {
        const start = performance.now();
        const look = () => {
            const ready = window.playground && !playground.busy && (%s);
            if (ready || performance.now() - start > 40000) done(document.getElementById('state').textContent);
            else setTimeout(look, 15);
        };
        look();
    })""" % what)


SET = "(playground.editor.text = %s, document.getElementById('given').value = %s, document.getElementById('given').dispatchEvent(new Event('input')), 0)"


def put(page, text, given=""):
    page.value(SET % (json.dumps(text), json.dumps(given)))
    return settled(page)


def wait(page, condition, seconds=40):
    """Until the condition holds in the page, which may be on its way to another; returns the
    seconds that it took, or None."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        try:
            if page.value(condition):
                return time.monotonic() - start
        except RuntimeError as error:
            if "navigated" not in str(error):
                raise
        time.sleep(0.05)
    return None


READY = "!playground.busy && playground.train.isReady && !!playground.train.frame"


def choose(page, value):
    page.value(f"(document.getElementById('menu').value = {json.dumps(value)}, document.getElementById('menu').onchange(), 0)")
    settled(page)
