"""firefox.py - headless Firefox, driven by its Marionette protocol: JSON over a local socket, each
message after its length and a colon. It needs only Python and Firefox."""
import json
import shutil
import socket
import subprocess
import tempfile
import time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Firefox:
    def __init__(self, program="firefox-esr"):
        self.home = tempfile.mkdtemp()
        port = free_port()
        with open(self.home + "/user.js", "w") as f:
            f.write(f'user_pref("marionette.port", {port});\nuser_pref("datareporting.policy.dataSubmissionEnabled", false);\n'
                    'user_pref("app.update.enabled", false);\nuser_pref("browser.shell.checkDefaultBrowser", false);\n')
        self.process = subprocess.Popen([program, "--headless", "--marionette", "--no-remote", "--profile", self.home],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
                break
            except OSError:
                time.sleep(0.1)
        self.rest, self.number = b"", 0
        self.receive()
        self.send("WebDriver:NewSession", capabilities={})
        self.send("WebDriver:SetTimeouts", script=120000)  # the machine may be busy

    def receive(self):
        while b":" not in self.rest:
            self.rest += self.socket.recv(1 << 16)
        size, self.rest = self.rest.split(b":", 1)
        while len(self.rest) < int(size):
            self.rest += self.socket.recv(1 << 16)
        message, self.rest = self.rest[:int(size)], self.rest[int(size):]
        return json.loads(message)

    def send(self, command, **params):
        self.number += 1
        text = json.dumps([0, self.number, command, params]).encode()
        self.socket.sendall(str(len(text)).encode() + b":" + text)
        _, _, error, result = self.receive()
        if error:
            raise RuntimeError(f"{command}: {error.get('message')}")
        return result

    def open(self, url):
        self.send("WebDriver:Navigate", url=url)

    def value(self, expression):
        """The value of an expression in the page; waits for promises. `window` is the page's
        own."""
        script = f"const done = arguments[arguments.length - 1]; (async () => ({expression}))().then(done, e => done('FAILED ' + e));"
        return self.send("WebDriver:ExecuteAsyncScript", script=script, args=[],
                         sandbox=None)["value"]

    def close(self):
        try:
            self.send("Marionette:Quit", flags=["eForceQuit"])
        except (OSError, RuntimeError, ValueError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.home, ignore_errors=True)
