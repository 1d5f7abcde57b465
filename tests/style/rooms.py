#!/usr/bin/env python3
"""rooms.py - who calls and includes whom, against the table rooms.txt.

    tests/style/rooms.py BUILD [TABLE]      BUILD: where the objects are; prints each fault, and exits with 1 if there is one

With CHECK_LONG in the environment it is also a fault if the table excuses what is not there any
more.

A call is a symbol that one object needs and another has (nm), so tables of functions count too. A
ring is a set of files that reach one another by calls. """
import collections
import fnmatch
import glob
import os
import re
import subprocess
import sys

top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
faults = []


def fault(text):
    faults.append(text)


def stale(text):
    if os.environ.get("CHECK_LONG"):
        fault(text)


def read_table(path):
    """The table's lines as allowed rooms by room, ladders (a list of files each), rings and
    exceptions."""
    allowed, ladders, rings, excepted = {}, {}, [], set()
    for line in open(path):
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "ring":
            rings.append(set(words[1:]))
        elif words[0] == "ladder":
            ladders.setdefault(words[1].rstrip(":"), []).extend(words[2:])
        elif words[0] == "except":
            excepted.add((words[1], words[3]))
        elif words[1:2] == ["->"]:
            allowed[words[0]] = set(words[2:])
        else:
            fault("%s: cannot read '%s'" % (path, line.strip()))
    return allowed, ladders, rings, excepted


def room_of(name):
    """compiler/graph/grad is in the room graph, runtime/ngrt_error in runtime."""
    return os.path.basename(os.path.dirname(name))


def find_sources():
    """The source of each object, without .c: build/fuse.o is of compiler/program/fuse,
    build/rt_train.o of runtime/trainer/train."""
    sources = {"ng.tab": "compiler/syntax/ng.tab", "ng.lex": "compiler/syntax/ng.lex"}
    for pattern, prefix in ("compiler/*/*.c", ""), ("runtime/*.c", "rt_"), ("runtime/*/*.c", "rt_"):
        for path in glob.glob(os.path.join(top, pattern)):
            name = os.path.relpath(path, top)[:-2]
            sources[prefix + os.path.basename(name)] = name
    return sources


def read_calls(build):
    """For each file a dictionary: the files whose symbols it needs, with these symbols."""
    owner, needs, sources = {}, {}, find_sources()
    objects = sorted(glob.glob(build + "/*.o"))
    for line in subprocess.run(["nm", "-A", *objects], capture_output=True, text=True,
                               check=True).stdout.splitlines():
        path, _, rest = line.partition(":")
        name = sources.get(os.path.basename(path)[:-2])
        if name is None:
            continue
        needed = needs.setdefault(name, set())
        kind, symbol = rest.split()[-2:]
        if kind == "U":
            needed.add(symbol)
        elif kind in "TDBRVC":
            owner[symbol] = name
    calls = {name: collections.defaultdict(list) for name in needs}
    for name, symbols in needs.items():
        for symbol in sorted(symbols):
            if owner.get(symbol, name) != name:
                calls[name][owner[symbol]].append(symbol)
    return calls


def read_includes():
    """The same for #include "..." of compiler/, which names paths below it, and of runtime/."""
    includes = {}
    for pattern in "compiler/*/*.[ch]", "runtime/*.[ch]", "runtime/*/*.[ch]":
        for path in glob.glob(os.path.join(top, pattern)):
            name = os.path.relpath(path, top)[:-2]
            includes.setdefault(name, collections.defaultdict(list))
            for header in re.findall(r'^#\s*include "([^"]+)\.h"', open(path).read(), re.M):
                base = "compiler" if name.startswith("compiler/") else os.path.dirname(name)
                other = os.path.normpath(os.path.join(base, header))
                if other != name and os.path.exists(os.path.join(top, other + ".h")):
                    includes[name][other].append(header + ".h")
    return includes


def find_rings(calls):
    """Sets of more than one file that reach one another (Tarjan)."""
    number, low, stack, rings = {}, {}, [], []

    def visit(a):
        number[a] = low[a] = len(number)
        stack.append(a)
        for b in calls[a]:
            if b not in number:
                visit(b)
                low[a] = min(low[a], low[b])
            elif b in stack:
                low[a] = min(low[a], number[b])
        if low[a] == number[a]:
            ring = set(stack[stack.index(a):])
            del stack[stack.index(a):]
            if len(ring) > 1:
                rings.append(ring)

    for a in sorted(calls):
        if a not in number:
            visit(a)
    return rings


def matches(ring, known):
    """Is each file of a ring in the table's line?"""
    return all(any(fnmatch.fnmatchcase(os.path.basename(name), p) for p in known) for name in ring)


def check_arrows(arrows, word, allowed, excepted, used):
    for a in sorted(arrows):
        for b in sorted(arrows[a]):
            from_room, to_room = room_of(a), room_of(b)
            if from_room == to_room or to_room in allowed.get(from_room, ()):
                continue
            pair = (os.path.basename(a), os.path.basename(b))
            if pair in excepted:
                used.add(pair)
                continue
            fault("%s (%s) %s %s (%s): %s"
                  % (a, from_room, word, b, to_room, " ".join(arrows[a][b][:6])))


def check_ladder(room, ladder, calls):
    """Each file of the room is in the ladder, and calls no file after it."""
    files = {os.path.basename(name): name for name in calls if room_of(name) == room}
    for a in sorted(files):
        if a not in ladder:
            fault("%s is not in the ladder of %s" % (files[a], room))
            continue
        for b in sorted(calls[files[a]]):
            step = os.path.basename(b)
            if room_of(b) == room and step in ladder and ladder.index(step) > ladder.index(a):
                fault("%s calls %s, which is above it: %s"
                      % (files[a], b, " ".join(calls[files[a]][b][:6])))
    for name in ladder:
        if name not in files and not os.path.exists("%s/compiler/%s/%s.h" % (top, room, name)):
            stale("the ladder of %s has %s, which is not there any more" % (room, name))


def main():
    build = sys.argv[1]
    allowed, ladders, rings, excepted = read_table(sys.argv[2] if len(sys.argv) > 2 else os.path.join(top, "tests/style/rooms.txt"))
    calls, includes = read_calls(build), read_includes()

    for name in sorted(set(calls) | set(includes)):
        if room_of(name) not in allowed:
            fault("%s is in no room" % name)

    used = set()
    check_arrows(calls, "calls", allowed, excepted, used)
    check_arrows(includes, "includes", allowed, excepted, used)
    for a, b in sorted(excepted - used):
        stale("the exception %s -> %s is not needed any more" % (a, b))

    for room in ladders:
        check_ladder(room, ladders[room], calls)

    found = find_rings(calls)
    for ring in found:
        if not any(matches(ring, known) for known in rings):
            fault("a ring of calls: " + " ".join(sorted(ring)))
            for a in sorted(ring):
                for b in sorted(set(calls[a]) & ring):
                    print("    %s calls %s: %s" % (a, b, " ".join(calls[a][b][:6])))
    for known in rings:
        if not any(matches(ring, known) for ring in found):
            stale("there is no such ring any more: " + " ".join(sorted(known)))

    for text in dict.fromkeys(faults):
        print(text)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
