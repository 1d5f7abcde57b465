# rewrite.py - random models, written in another way that changes no number.
#
#     python3 rewrite.py FIRST COUNT FROM TO      reads FROM/FIRST.ng ..., writes TO/FIRST.ng ...
#
# The number chooses what is done: other names; independent statements in another order; a*b as b*a;
# a reduction in two parts; a part of an expression with a name of its own; 0*x added; a loop as
# several loops, one after another. The first line of what is written says what: "# names", and so
# on; "# nothing" if the model has no place for it. check.c compares.
import random
import re
import sys

CALLS = ("sin cos tanh exp sigmoid softplus erf gelu silu atan log sqrt abs mean sum softmax permute reshape").split()
# what makes params, or draws numbers: in its order
EFFECTS = re.compile(r"dense|conv\d|norm\(|_cell|embedding|block\(|attention\(|prelu|layer\d|f\d+\(|noise|dropout|rrelu")
NAME = r"[A-Za-z_]\w*"


def pieces(line):
    """The line in parts; every second one is a string."""
    return re.split(r'("[^"]*")', line)


def outside_strings(line, change):
    parts = pieces(line)
    parts[::2] = [change(p) for p in parts[::2]]
    return "".join(parts)


def declared(lines):
    names = set()
    for line in map(str.strip, lines):
        m = re.match(r"(?:input|param|state) (.*)", line)
        if m:
            names.update(re.findall(r"(?:^|, )(%s)(?=[\[,:= ]|$)" % NAME,
                                    re.sub(r"\[[^]]*\]", "[]", m.group(1).split("~")[0])))
        names.update(re.findall(r"^for (%s) in " % NAME, line))
        for list_ in re.findall(r"(?:^|[{;] )((?:%s, )*%s) = " % (NAME, NAME), line):
            names.update(list_.split(", "))
    return names


def rename(lines, r):
    new = {n: r.choice("abkqz") + "__" + n for n in declared(lines)}
    word = re.compile(r"(?<!\w)(?<![^.]\.)(%s)\b" % NAME)

    def change(text):
        return word.sub(lambda m: new.get(m.group(1), m.group(1)), text)

    # the name of an argument, as in f(x, k = 2), stays
    keep = re.compile(r"([(,] ?)(%s)( = )(?!=)" % NAME)
    done = []
    for line in lines:
        if re.match(r"(input|param|state|update|minimize|gradient|output|metric) ", line):
            held, rest = line, ""
            if " with " in line:
                held, rest = line.split(" with ", 1)
                rest = " with " + keep.sub(lambda m: m.group(1) + "\0" + m.group(2) + m.group(3),
                                           rest)
            text = outside_strings(held, change) + outside_strings(rest, change)
        else:
            head, sep, tail = line.partition(" = ")
            tail = keep.sub(lambda m: m.group(1) + "\0" + m.group(2) + m.group(3), tail)
            text = outside_strings(head + sep + tail,
                                   lambda t: re.sub(r"(?<![\w\0])(?<![^.]\.)(%s)\b" % NAME, lambda m: new.get(m.group(1), m.group(1)), t))
        done.append(text.replace("\0", ""))
    return done


def statements(lines):
    """Lists of lines: a statement, or a block with all in it."""
    done, depth = [], 0
    for line in lines:
        if depth == 0:
            done.append([])
        done[-1].append(line)
        depth += line.count("{") - line.count("}")
    return done


def movable(s):
    head = s[0]
    if re.match(r"(dim|input|param|state|update|minimize|gradient|output|metric|def) ",
                head) or "grad(" in head:
        return False
    return re.match(r"for |(%s, )*%s = " % (NAME, NAME), head) is not None


def reorder(lines, r):
    done, run = [], []

    def flush():
        left = [(i, s, set(re.findall(NAME, "\n".join(s))), declared(s)) for i, s in enumerate(run)]
        while left:
            ready = [a for k, a in enumerate(left)
                     if not any(b[3] & a[2] or a[3] & b[2]
                                or (EFFECTS.search("".join(a[1])) and EFFECTS.search("".join(b[1])))
                                for b in left[:k])]
            a = r.choice(ready)
            left.remove(a)
            done.extend(a[1])
        run.clear()

    for s in statements(lines):
        if movable(s):
            run.append(s)
        else:
            flush()
            done.extend(s)
    flush()
    return done


def commute(lines, r):
    factor = r"(%s(?:\([^()]*\))?|\d+(?:\.\d+)?)" % NAME
    product = re.compile(r"(?<![\w.*/^@'\])-])%s\*%s(?![\w.(^'\[])" % (factor, factor))
    return [line if line.startswith(("dim", "input", "param", "state", "def")) else
            outside_strings(line, lambda t: product.sub(lambda m: m.group(2) + "*" + m.group(1), t)) for line in lines]


def in_parts(lines, r):
    def change(line):
        m = re.match(r"(v\d+ = )(sum|mean|max|min|logsumexp)(\(.*), axis = \[(-?\d+)(.*)$", line)
        if not m:
            return line
        return "%s%s(%s%s, axis = %s, keepdims = 1), axis = [%s%s" % (
            m.group(1), m.group(2), m.group(2), m.group(3), m.group(4), m.group(4), m.group(5))
    return [change(line) for line in lines]


def call_at(line):
    """A call of a plain function, but not the whole expression: where it begins and ends."""
    for m in re.finditer(r"(?<![\w.])(%s)\(" % "|".join(CALLS), line):
        depth, at = 1, m.end()
        while at < len(line) and depth:
            depth += (line[at] == "(") - (line[at] == ")")
            at += 1
        yield m.start(), at


def split(lines, r):
    done, count, depth = [], 0, 0
    for line in lines:
        m = re.match(r"[vy]\d+ = ", line)
        places = [p for p in call_at(line) if m and p[0] > m.end() and "{" not in line
                  and '"' not in line and p[1] - p[0] > 8]
        places = [p for p in places if "noise" not in line and "dropout" not in line
                  and "_" not in re.findall(NAME, line)]
        if places and depth == 0:
            a, b = r.choice(places)
            count += 1
            done.append("part__%d = %s" % (count, line[a:b]))
            line = "%spart__%d%s" % (line[:a], count, line[b:])
        depth += line.startswith("def ") and line.endswith("{")
        if depth and line.startswith("}"):
            depth = 0
        done.append(line)
    return done


def add_zero(lines, r):
    done, known, depth = [], [], 0
    for line in lines:
        m = re.match(r"(v\d+|y\d+) = (.+)$", line)
        if m and known and r.randrange(3) == 0 and "{" not in line and not re.search(r"append|argmax|\[\]|^\d", m.group(2)):
            line = "%s = (%s) + 0*sin(mean(%s))" % (m.group(1), m.group(2), r.choice(known))
        done.append(line)
        if depth == 0 and m and not re.search(r"append|\[\]", line):
            known.append(m.group(1))
        depth += line.count("{") - line.count("}")
    return done


def loops(lines, r):
    done = []
    for s in statements(lines):
        m = re.match(r"for (%s) in (\d+)\.\.(\d+)( \+ 1)? \{$" % NAME, s[0])
        if not m or re.search(r"dense\((?!_)|norm\(|block\(|prelu", "".join(s)):
            done.extend(s)
            continue
        lo, hi = int(m.group(2)), int(m.group(3)) + (m.group(4) is not None)
        while lo < hi:
            end = r.randrange(lo + 1, hi + 1)
            done += ["for %s in %d..%d {" % (m.group(1), lo, end)] + s[1:]
            lo = end
    return done


KINDS = [("names", rename), ("order", reorder), ("products", commute), ("reductions", in_parts),
         ("parts", split), ("zero", add_zero), ("loops", loops)]


def main():
    first, count, source, to = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    for number in range(first, first + count):
        lines = open("%s/%d.ng" % (source, number)).read().split("\n")[:-1]
        r = random.Random(number)
        # every third model has loops
        name, change = KINDS[-1] if number % 9 == 0 else KINDS[number // 3 % len(KINDS)]
        done = change(lines, r)
        if done == lines: # there is no place for it
            name, change = KINDS[number % 2]
            done = change(lines, r)
        if done == lines:
            name = "nothing"
        open("%s/%d.ng" % (to, number), "w").write("\n".join(["# " + name] + done) + "\n")


main()
