#!/usr/bin/env python3
"""rooms.py - who calls and includes whom, against the table rooms.txt.

    tests/style/rooms.py BUILD [TABLE]      BUILD: where the objects are; prints each fault, and exits with 1 if there is one

With CHECK_LONG in the environment it is also a fault if the table excuses what is not there any more.

A call is a symbol that one object needs and another has (nm), so tables of functions count too. A ring is a set of files that
reach one another by calls.
"""
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
    """The table's lines as rooms (a list of patterns each), allowed rooms, ladders (a list of files each), rings and exceptions."""
    rooms, allowed, ladders, rings, excepted = {}, {}, {}, [], set()
    folder = None
    for line in open(path):
        line = line.strip()
        words = line.split()
        if not words or line[0] == "#":
            continue
        if words[0] == "folder":
            folder = words[1]
        elif words[0] == "room":
            rooms[words[1].rstrip(":")] = [folder + "/" + name for name in words[2:]]
        elif words[0] == "ladder":
            ladders.setdefault(words[1].rstrip(":"), []).extend(folder + "/" + name for name in words[2:])
        elif words[0] == "ring":
            rings.append({folder + "/" + name for name in words[1:]})
        elif words[0] == "except":
            excepted.add((folder + "/" + words[1], folder + "/" + words[3]))
        elif words[1:2] == ["->"]:
            allowed[words[0]] = set(words[2:])
        else:
            fault("%s: cannot read '%s'" % (path, line))
    return rooms, allowed, ladders, rings, excepted


def room_of(rooms, name):
    """The room of a file: an exact name counts before a pattern."""
    for exact in (True, False):
        found = [room for room, patterns in rooms.items() for p in patterns
                 if (p == name if exact else fnmatch.fnmatchcase(name, p))]
        if len(found) > 1:
            fault("%s is in the rooms %s" % (name, " and ".join(found)))
        if found:
            return found[0]
    return None


def source_of(stem):
    """The source of an object: build/fuse.o is compiler/fuse, build/rt_train.o runtime/train. None: another kind of object."""
    if stem.startswith("rt_"):
        return "runtime/" + stem[3:]
    if stem == "texts" or stem.startswith("plain_"):
        return None
    return "compiler/" + stem


def read_calls(build):
    """For each file a dictionary: the files whose symbols it needs, with these symbols."""
    owner, needs = {}, {}
    for path in sorted(glob.glob(build + "/*.o")):
        name = source_of(os.path.basename(path)[:-2])
        if name is None or not source_exists(name):
            continue
        needs[name] = set()
        for line in subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout.splitlines():
            kind, symbol = line.split()[-2:]
            if kind == "U":
                needs[name].add(symbol)
            elif kind in "TDBRVC":
                owner[symbol] = name
    calls = {name: collections.defaultdict(list) for name in needs}
    for name, symbols in needs.items():
        for symbol in sorted(symbols):
            if owner.get(symbol, name) != name:
                calls[name][owner[symbol]].append(symbol)
    return calls


def source_exists(name):
    """Is there a source, or a grammar that it is made of? An object may be left over from another version."""
    made = {"compiler/ng.tab": "grammars/ng.y", "compiler/ng.lex": "grammars/ng.l"}
    return os.path.exists(os.path.join(top, made.get(name, name + ".c")))


def read_includes():
    """The same for #include "..." of compiler/ and runtime/."""
    includes = {}
    for path in glob.glob(top + "/compiler/*.[ch]") + glob.glob(top + "/runtime/*.[ch]"):
        folder = os.path.basename(os.path.dirname(path))
        name = folder + "/" + os.path.basename(path)[:-2]
        includes.setdefault(name, collections.defaultdict(list))
        for header in re.findall(r'^#\s*include "([^"]+)\.h"', open(path).read(), re.M):
            other = os.path.normpath(folder + "/" + header)
            if not os.path.exists(top + "/" + other + ".h"):
                continue
            if other != name:
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
    return all(any(fnmatch.fnmatchcase(name, p) for p in known) for name in ring)


def check_arrows(arrows, word, rooms, allowed, excepted, used):
    for a in sorted(arrows):
        for b in sorted(arrows[a]):
            from_room, to_room = room_of(rooms, a), room_of(rooms, b)
            if from_room == to_room or to_room in allowed.get(from_room, ()):
                continue
            if (a, b) in excepted:
                used.add((a, b))
                continue
            fault("%s (%s) %s %s (%s): %s" % (a, from_room, word, b, to_room, " ".join(arrows[a][b][:6])))


def check_ladder(room, ladder, calls, rooms):
    """Each file of the room is in the ladder, and calls no file after it."""
    for a in sorted(calls):
        if room_of(rooms, a) != room:
            continue
        if a not in ladder:
            fault("%s is not in the ladder of %s" % (a, room))
            continue
        for b in sorted(calls[a]):
            if b in ladder and ladder.index(b) > ladder.index(a):
                fault("%s calls %s, which is above it: %s" % (a, b, " ".join(calls[a][b][:6])))
    for name in ladder:
        if not os.path.exists(os.path.join(top, name + ".c")) and not os.path.exists(os.path.join(top, name + ".h")):
            stale("the ladder of %s has %s, which is not there any more" % (room, name))


def main():
    build = sys.argv[1]
    rooms, allowed, ladders, rings, excepted = read_table(sys.argv[2] if len(sys.argv) > 2 else os.path.join(top, "tests/style/rooms.txt"))
    calls, includes = read_calls(build), read_includes()

    for name in sorted(set(calls) | set(includes)):
        if room_of(rooms, name) is None:
            fault("%s is in no room" % name)

    used = set()
    check_arrows(calls, "calls", rooms, allowed, excepted, used)
    check_arrows(includes, "includes", rooms, allowed, excepted, used)
    for a, b in sorted(excepted - used):
        stale("the exception %s -> %s is not needed any more" % (a, b))

    for room in ladders:
        check_ladder(room, ladders[room], calls, rooms)

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
