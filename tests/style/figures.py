#!/usr/bin/env python3
"""figures.py - how the C of compiler/ and runtime/ is laid out, in numbers.

    tests/style/figures.py [FILE ...]       of these files, or of both folders

Functions are found by their layout, which clang-format keeps: the body begins with `{` and ends
with `}` in the first column. A function's lines are those from its name to that `}`. Its tokens are
words and single signs: `->` is two, and so is each quote of a text, which is one word. Comments and
lines of the preprocessor have no tokens. """
import glob
import os
import re
import sys

top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.S)
TEXT = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'')
TOKEN = re.compile(r"\w+|[^\s\w]")


def without_comments(text):
    """The text with its comments as blanks, line for line, and the lines that hold nothing but a
    comment."""
    def blank(m):
        if m.group()[0] in "\"'":
            return m.group()
        return re.sub(r"[^\n]", " ", m.group())
    bare = COMMENT.sub(blank, text)
    lines, bare_lines = text.split("\n"), bare.split("\n")
    return bare_lines, [bool(a.strip()) and not b.strip() for a, b in zip(lines, bare_lines)]


def functions(lines):
    """For each function its first line, the line of its `{` and the line of its `}`."""
    head = brace = None
    for i, line in enumerate(lines):
        if line[:1].isalpha() or line[:1] == "_":
            head = i if head is None else head
        elif not line.strip():
            head = head if brace is not None else None
        if line.rstrip() == "{" and head is not None and lines[i - 1].rstrip().endswith((")", ",")):
            brace = i
        elif line.startswith("}"):
            if brace is not None:
                yield head, brace, i
            head = brace = None
        elif brace is None and line.rstrip().endswith(";"):
            head = None


def without_texts(line):
    return TEXT.sub(lambda m: m.group()[0] + "text" + m.group()[0], line)


def tokens(lines):
    return TOKEN.findall("\n".join(without_texts(line) for line in lines
                                   if not line.lstrip().startswith("#")))


def choices_in(line):
    """How often `a ? b : c` is on the line."""
    return without_texts(line).count("?")


def at(values, share):
    values = sorted(values) or [0]
    return values[min(len(values) - 1, int(len(values) * share))]


LONG = 60  # lines of a function
FILES = 5  # that are printed: those with most tokens a line, without the short ones


def print_figures(name, paths):
    length, weight, widths, long, dense = [], [], [], [], []
    code_lines = code_tokens = choices = nested = comments = blanks = inside = 0
    for path in paths:
        text = open(path).read().replace("\\\n", " \n")
        lines, comment_only = without_comments(text)
        widths += [len(line) for line in text.split("\n") if line.strip()]
        code = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
        code_lines += len(code)
        choices += sum(choices_in(line) > 0 for line in code)
        nested += sum(choices_in(line) > 1 for line in code)
        code_tokens += len(tokens(lines))
        if len(code) > 100:
            dense.append((len(tokens(lines)) / len(code), os.path.relpath(path, top)))
        for head, brace, end in functions(lines):
            body = slice(brace + 1, end)
            length.append(end - head + 1)
            if length[-1] > LONG:
                long.append("%s:%d" % (os.path.relpath(path, top), head + 1))
            weight.append(len(tokens(lines[head:end + 1])))
            inside += end - brace - 1
            comments += sum(comment_only[body])
            blanks += sum(not line.strip() for line in text.split("\n")[body])

    lines = max(code_lines, 1)
    print("%s: %d files, %d lines of code, %d functions"
          % (name, len(paths), code_lines, len(length)))
    print("  lines a function    median %d, 95%% %d, most %d"
          % (at(length, 0.5), at(length, 0.95), at(length, 1)))
    print("  tokens a function   median %d, 95%% %d, most %d"
          % (at(weight, 0.5), at(weight, 0.95), at(weight, 1)))
    print("  tokens a line       %.1f" % (code_tokens / lines))
    print("  columns             95%% %d, most %d" % (at(widths, 0.95), at(widths, 1)))
    print("  lines with ?:       %.2f%%, with two or more %.2f%%"
          % (100 * choices / lines, 100 * nested / lines))
    print("  in bodies           %.1f lines of comment in 100, %.1f%% blank" % (
        100 * comments / max(inside, 1), 100 * blanks / max(inside, 1)))
    print("  over %d lines       %s" % (LONG, " ".join(long) or "none"))
    print("  densest files       " + ", ".join("%s %.1f" % (path, share)
                                               for share, path in sorted(dense)[:-FILES - 1:-1]))


def main():
    if len(sys.argv) > 1:
        print_figures("these", sys.argv[1:])
        return
    for folder in "compiler", "runtime":
        print_figures(folder, sorted(glob.glob("%s/%s/**/*.[ch]" % (top, folder), recursive=True)))

    sys.dont_write_bytecode = True
    import rooms

    rings = rooms.find_rings(rooms.read_calls(os.environ.get("BUILD", top + "/build")))
    print("files in rings of calls: %d of %d rings" % (sum(map(len, rings)), len(rings)))
    for ring in rings:
        print("  " + " ".join(sorted(ring)))


if __name__ == "__main__":
    main()
