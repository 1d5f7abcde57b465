"""comments.py FILE.c ... - checks the C of -O0. Each statement of a backward function has the
model's line above it, each comment uses the user's words, and each name in a function belongs to
one value. Prints what is wrong, and fails."""
import re
import sys

FUNCTION = re.compile(r"^(?:int|static void|void) (\w+)\(.*[^;]$")
INTERNAL = re.compile(r"\b(?:iota|convk|lu|gather|scatter|slice)\b(?!:)|(?<![\w.])_[a-z]\w*\.|\._[a-z]|\bngrt_|\bfabs\b|\brint\b")
HELPER = re.compile(r"^    (?:const )?(?:float|double|int32_t) (\w+) = |^    w->t\d+ = ")
PROLOGUE = re.compile(r"^    (?:\(void\)|const size_t |if \(in->|if \(!check_|return |\w*_\d+\()|^        return ")
faults = []


def functions(path):
    """The functions: a name and the lines of the body."""
    name, body = None, []
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if name and line == "}":
            yield name, body
            name = None
        elif name:
            body.append(line)
        elif FUNCTION.match(line):
            name, body = FUNCTION.match(line).group(1), []


def statements(where, body):
    """In backward, each statement is below a comment with its line; helpers may be between."""
    below = numbered = in_loop = False
    for line in body:
        if line.startswith("    /*"):
            numbered = (numbered and below) or bool(re.search(r"line \d+: ", line))
            below = True
        elif line.startswith("    }"):
            below = False
        elif not line.startswith("     ") and line not in ("", "{") and line[0] == " " and not PROLOGUE.match(line):
            if not below or not numbered:
                faults.append(f"{where}: {'no line of the model' if below else 'no comment'}: {line.strip()[:100]}")
            in_loop = line.startswith("    for")
            below = in_loop or bool(HELPER.match(line))


def words(where, body, own):
    for line in body:
        if line.startswith("    /* ") and not re.match(r"    /\* (?:\S+, )?line \d+: [^=]*$", line):
            for word in INTERNAL.findall(line):
                if not any(word.startswith(name) for name in own):
                    faults.append(f"{where}: {word} is not a word of the language: {line.strip()[:120]}")


def names(where, body):
    """Local numbers and members have different names, and a name never has two meanings."""
    local = {m.group(1) for line in body
             for m in [re.match(r" *(?:const )?(?:float|double|int32_t) (\w+)(?:\[\w+\])? = ", line)] if m}
    member = {name for line in body
              for name in re.findall(r"(?:w|in|params|state|grads)->(t\d+)\b", line)}
    for name in sorted(local & member):
        faults.append(f"{where}: {name} is a number of its own and a member")
    said = {}
    for line, following in zip(body, body[1:] + [""]):
        m = re.match(r"    /\* (?:line \d+: )?([A-Za-z_][\w.]*) = (?!.*  =>)(.*) \*/", line)
        if line.startswith("    /* line") and ("backward" not in where
                                               or following.startswith("    /* line")):
            continue  # the model's own text
        if m and said.setdefault(m.group(1), m.group(2)) != m.group(2) and "update" not in where:
            faults.append(f"{where}: {m.group(1)} is {said[m.group(1)]} and {m.group(2)}")


for path in sys.argv[1:]:
    text = open(path, encoding="utf-8").read()
    own = set(re.findall(r"/\* line \d+: (_\w+)", text))
    for name, body in functions(path):
        where = f"{path}: {name}"
        if re.search(r"backward(_\d+)?$", name):
            statements(where, body)
        if re.search(r"_(forward|backward|predict|eval|update|step)(_\d+)?$|^(forward|backward)_\d+$", name):
            words(where, body, own)
            names(where, body)
for fault in faults[:20]:
    print(fault)
if faults:
    sys.exit(f"{len(faults)} faults")
