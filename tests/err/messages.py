#!/usr/bin/env python3
"""messages.py - each message with a code must occur in the tests, drawn with its place:
messages.py TOP MESSAGES... Prints those that do not, and, to stderr, how many there are.

The messages are the formats in the calls of diag, lower_error and warn, and what the library's
fail() says. A format matches a line if its fixed parts are in the line, in their order."""
import glob
import os
import re
import sys

# These have no place in a text, or no text leads to them.
NOWHERE = {
    "%s: a source file has at most %d MB": "no text to draw",
    "the work struct does not fit into %lld bytes; the least is %lld%s": "an option",
    "--ranks: over %d run-time sizes": "an option",
    "%s has no run-time size that is a batch of rows: "
    "there is nothing to divide among ranks": "an option",
    "a gradient in it goes through a loop outside": "for lowering, which expands the loop",
    "the matrix has too few zeros for its size": "over 2^31 places",
    "this belongs inside an index": "the parser sees it first",
    "%s of a convolution: a number, or two, from 1 on": "the library sees it first",
}
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[(){}\[\],?:]|[^"\'(){}\[\],?:]+')


def arguments(text, at):
    """The arguments of the call whose bracket is before `at`."""
    depth, found = 0, [""]
    for m in TOKEN.finditer(text, at):
        token = m.group()
        depth += (token in "([{") - (token in ")]}")
        if depth < 0:
            break
        if token == "," and depth == 0:
            found.append("")
        else:
            found[-1] += token
    return found


def alternatives(argument):
    """The texts of `a ? "b" "c" : "d"`: bc and d."""
    found = [""]
    for m in TOKEN.finditer(argument):
        if m.group()[0] == '"':
            found[-1] += m.group()[1:-1]
        elif m.group() in "?:":
            found.append("")
    return [text for text in found if text]


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def formats(top):
    calls = re.compile(r"\b(?:lower_error|diag|warn)\(")
    for path in sorted(glob.glob(top + "/compiler/*/*.c") + glob.glob(top + "/grammars/*.[ly]")):
        text = open(path).read()
        for m in calls.finditer(text):
            args = arguments(text, m.end())
            code = [i for i, a in enumerate(args) if re.match(r"\s*ERR_", a)]
            if code and len(args) > code[0] + 2:
                place = f"{os.path.relpath(path, top)}:{line_of(text, m.start())}"
                for format in alternatives(args[code[0] + 2]):
                    yield place, format
    text = open(top + "/compiler/lang/prelude.ng").read()
    for m in re.finditer(r'fail\("((?:[^"\\]|\\.)*)"', text):
        yield f"compiler/lang/prelude.ng:{line_of(text, m.start())}", m.group(1)


def pattern(format):
    text = format.replace('\\"', '"').replace("\\\\", "\\").replace("%%", "%")
    return re.compile(".*".join(map(re.escape, re.split(r"%[-0-9.*]*(?:ll|l|z)?[a-zA-Z]", text))))


def drawn(paths):
    """The lines of messages that have ^ below them."""
    for path in paths:
        line = open(path, errors="replace").read().split("\n")
        for i, text in enumerate(line):
            if re.search(r"\[NG\d+[],]", text) and re.match(r" *\|.*\^", "".join(line[i + 2:i + 3])):
                yield text


def main():
    lines, found = "\n".join(drawn(sys.argv[2:])), list(formats(sys.argv[1]))

    for place, format in found:
        shown = pattern(format).search(lines)
        if not shown and format not in NOWHERE:
            print(f"{place}: no test shows the place of: {format}")
        if shown and format in NOWHERE:
            print(f"{place}: a test shows the place of: {format}")
    for format in NOWHERE.keys() - {format for _, format in found}:
        print(f"messages.py: no message says: {format}")
    print(len(found), file=sys.stderr)


main()
