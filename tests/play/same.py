"""same.py NGC MODEL [NAME=VALUE ...] <ANSWER - is the answer that the page gets (play.h) what the command line prints? Numbers may
differ in the ninth digit, as C libraries do. Prints what differs."""
import json
import re
import subprocess
import sys
import tempfile

ngc, model, *given = sys.argv[1:]
answer = json.load(sys.stdin)
faults = []


def printed(*arguments):
    return subprocess.run([ngc, *arguments], capture_output=True, text=True)


NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def alike(a, b):
    if a == b or (a == "" and b == ""):
        return True
    if NUMBER.sub("#", a) != NUMBER.sub("#", b):
        return False
    pairs = zip(NUMBER.findall(a), NUMBER.findall(b))
    return all(x == y or abs(float(x) - float(y)) <= 2e-8 * max(1e-3, abs(float(x))) for x, y in pairs)


def compare(member, command, name="model"):
    mine = answer.get(member)
    want = printed(*command).stdout
    if member == "check":  # rounding errors of the differences are those of the C library
        want, mine = (re.sub(r"error [^ \n,]+", "error", t or "") for t in (want, mine))
    if mine is None or not alike(want, mine):
        faults.append(f"{member} differs from ngc {' '.join(command)}")
        for a, b in zip(want.splitlines(), (mine or "").splitlines()):
            if a != b:
                faults.append(f"  {a!r}\n  {b!r}")
                break


folder = tempfile.TemporaryDirectory()
path = folder.name + "/model.c"
said = printed(model, "-o", path, "--diagnostics=json", "--prefix=model", "--comments=derivation")
want = [json.loads(line) for line in said.stderr.splitlines()]
for m in want:
    text = json.dumps(m).replace(json.dumps(model)[1:-1], "model.ng")
    if json.loads(text) not in answer["messages"]:
        faults.append("a message is missing: " + text)
if len(want) != len(answer["messages"]):
    faults.append(f"{len(answer['messages'])} messages, not {len(want)}")

if said.returncode == 0:
    compare("words", ["explain", "--text", model, *given])
    compare("values", ["run", "--fill", model, *given])
    compare("check", ["check", model, *given])
    with open(path) as f:
        if answer["c"].split("\n", 1)[1] != f.read().split("\n", 1)[1]:
            faults.append("the C differs")
    lesson = json.loads(printed("explain", "--json", model, *given).stdout)
    if [i["name"] for i in lesson["items"]] != [i["name"] for i in answer["lesson"]["items"]]:
        faults.append("the lesson has other items")
if faults:
    print("\n".join(faults))
sys.exit(bool(faults))
