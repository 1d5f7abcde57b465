"""same.py NGC PARTS PROGRAM... <MODELS - is the answer that the page gets (play.h) what the command
line prints? PROGRAM prints the answer for a model and its PARTS. A line of MODELS is a model, and
perhaps values for inputs. Numbers may differ in the ninth digit, as C libraries do. Prints what
differs; the last line counts."""
import json
import re
import subprocess
import sys
import tempfile

ngc, parts, *program = sys.argv[1:]


def printed(*arguments):
    return subprocess.run([ngc, *arguments], capture_output=True, text=True)


NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def alike(a, b):
    if a == b or (a == "" and b == ""):
        return True
    if NUMBER.sub("#", a) != NUMBER.sub("#", b):
        return False
    pairs = zip(NUMBER.findall(a), NUMBER.findall(b))
    return all(x == y or abs(float(x) - float(y)) <= 2e-8 * max(1e-3, abs(float(x)))
               for x, y in pairs)


def compare(answer, faults, member, command):
    mine = answer.get(member)
    if mine is None and any("is not computed here" in m["message"]
                            for m in answer.get("lesson_messages", [])):
        return  # it would take too long in a page
    want = printed(*command).stdout
    if member == "check":  # rounding errors of the differences are those of the C library
        want, mine = (re.sub(r"error [^ \n,]+", "error", t or "") for t in (want, mine))
    if mine is None or not alike(want, mine):
        faults.append(f"{member} differs from ngc {' '.join(command)}")
        for a, b in zip(want.splitlines(), (mine or "").splitlines()):
            if a != b:
                faults.append(f"  {a!r}\n  {b!r}")
                break


def faults_of(model, given, path):
    faults = []
    answer = json.loads(subprocess.run([*program, model, parts, *given], capture_output=True, text=True).stdout)
    said = printed(model, "-o", path, "--diagnostics=json", "--prefix=model",
                   "--comments=derivation")
    want = [json.loads(line) for line in said.stderr.splitlines()]
    for m in want:
        text = json.dumps(m).replace(json.dumps(model)[1:-1], "model.ng")
        if json.loads(text) not in answer["messages"]:
            faults.append("a message is missing: " + text)
    if len(want) != len(answer["messages"]):
        faults.append(f"{len(answer['messages'])} messages, not {len(want)}")
    if said.returncode:
        return faults

    compare(answer, faults, "words", ["explain", "--text", model, *given])
    compare(answer, faults, "values", ["run", "--fill", model, *given])
    compare(answer, faults, "check", ["check", model, *given])
    with open(path) as f:
        if answer["c"].split("\n", 1)[1] != f.read().split("\n", 1)[1]:
            faults.append("the C differs")
    lesson = json.loads(printed("explain", "--json", model, *given).stdout)
    if [i["name"] for i in lesson["items"]] != [i["name"] for i in answer["lesson"]["items"]]:
        faults.append("the lesson has other items")
    return faults


passed = failed = 0
with tempfile.TemporaryDirectory() as folder:
    for line in sys.stdin:
        model, *given = line.split()
        faults = faults_of(model, given, folder + "/model.c")
        passed, failed = passed + (not faults), failed + bool(faults)
        if faults:
            print(f"FAILED {line.strip()}", *faults, sep="\n  ")
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
