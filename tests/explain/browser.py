"""browser.py - headless Chromium, driven through its debugging pipe: pages, their messages on the
console, their requests, the values of expressions in them, and pictures. It needs only Python and
Chromium."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


def processor_time(process):
    """Clock ticks that a process and its children have used."""
    parent, used = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as f:
                field = f.read().rpartition(")")[2].split()
        except OSError:
            continue  # the process has just ended
        parent[int(name)] = int(field[1])
        used[int(name)] = sum(map(int, field[11:15]))
    ours = {process}
    while more := {p for p, of in parent.items() if of in ours} - ours:
        ours |= more
    return sum(used.get(p, 0) for p in ours)


class Browser:
    def __init__(self, program="chromium"):
        self.home = tempfile.mkdtemp()
        ours, theirs = os.pipe(), os.pipe()

        def ends():  # the browser reads commands at 3 and writes answers at 4; descriptors are moved clear of these first
            to, back = os.dup2(ours[0], 60), os.dup2(theirs[1], 61)
            os.dup2(to, 3)
            os.dup2(back, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             "--no-first-run", "--hide-scrollbars",
             "--disable-background-networking", "--disable-component-update", f"--user-data-dir={self.home}", "about:blank"],
            preexec_fn=ends, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(ours[0])
        os.close(theirs[1])
        self.to, self.back, self.rest, self.number, self.events = ours[1], theirs[0], b"", 0, []

    def receive(self, limit):
        """The next message. The browser may use this many seconds of processor time for it, so a
        busy machine does not matter. If the clock says the same number of seconds and it has used
        no processor time, it hangs. Times are read only if it does not answer within a second,
        because that takes longer than most answers."""
        tick = os.sysconf("SC_CLK_TCK")
        first, last = None, -1
        idle = time.monotonic()
        pieces = [self.rest]
        while b"\0" not in pieces[-1]:
            if not select.select([self.back], [], [], 1)[0]:
                now = processor_time(self.process.pid)
                first = now if first is None else first
                if now > last:
                    last, idle = now, time.monotonic()
                if now - first > limit*tick or time.monotonic() - idle > limit:
                    raise TimeoutError(f"the browser does not answer: {(now - first)/tick:.0f} s of the processor")
                continue
            pieces.append(os.read(self.back, 1 << 20))
            if not pieces[-1]:
                raise EOFError("the browser has ended")
        message, self.rest = b"".join(pieces).split(b"\0", 1)
        return json.loads(message)

    def send(self, method, session=None, limit=60, **params):
        self.number += 1
        message = dict(id=self.number, method=method, params=params)
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive(limit)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def close(self):
        try:
            self.send("Browser.close", limit=10)
        except (OSError, EOFError, TimeoutError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.home, ignore_errors=True)


class Page:
    """One page; `faults` collects messages on the console, exceptions, and requests other than for
    the page itself."""

    def __init__(self, browser, width=1400, height=900, dark=False, phone=False):
        self.browser, self.faults = browser, []
        self.target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.send("Target.attachToTarget", targetId=self.target,
                                    flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(domain + ".enable")
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=2 if phone else 1, mobile=phone)
        self.send("Emulation.setEmulatedMedia",
                  features=[dict(name="prefers-color-scheme", value="dark" if dark else "light")])

    def send(self, method, **params):
        return self.browser.send(method, self.session, **params)

    def open(self, path):
        """Opens the file; returns the seconds until it is loaded and drawn."""
        start = time.monotonic()
        url = "file://" + path
        self.send("Page.navigate", url=url)
        while not any(e.get("method") == "Page.loadEventFired"
                      and e.get("sessionId") == self.session for e in self.browser.events):
            self.browser.events.append(self.browser.receive(60))
        self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))")
        seconds = time.monotonic() - start
        self.collect(url)
        return seconds

    def collect(self, url=""):
        for e in self.browser.events:
            if e.get("sessionId") != self.session:
                continue
            method, p = e["method"], e["params"]
            if method == "Runtime.exceptionThrown":
                d = p["exceptionDetails"]
                self.faults.append("exception: " +
                                   d.get("exception", {}).get("description", d["text"]))
            elif method == "Runtime.consoleAPICalled":
                self.faults.append("console: " + json.dumps(p["args"]))
            elif method == "Log.entryAdded":
                self.faults.append("console: " + p["entry"]["text"])
            elif method == "Network.requestWillBeSent" and p["request"]["url"].split("#")[0] != url.split("#")[0] \
                    and not p["request"]["url"].startswith("data:"):
                self.faults.append("request: " + p["request"]["url"])
        self.browser.events = [e for e in self.browser.events if e.get("sessionId") != self.session]

    def value(self, expression):
        """The value of an expression in the page; waits for promises."""
        r = self.send("Runtime.evaluate", expression=expression, returnByValue=True,
                      awaitPromise=True)
        if "exceptionDetails" in r:
            d = r["exceptionDetails"]
            raise RuntimeError(f"{expression}: " +
                               d.get("exception", {}).get("description", d["text"]))
        return r["result"].get("value")

    def key(self, key):
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key)

    def picture(self, path, whole=True):
        r = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        with open(path, "wb") as f:
            f.write(base64.b64decode(r["data"]))

    def close(self):
        self.browser.send("Target.closeTarget", targetId=self.target)
