"""coverage.py - lines and branches that were executed, by room, from gcc's counters in a build:
coverage.py BUILD [FILE.c]. A source that is compiled several times counts once: what any of its
objects executed was executed. With FILE.c, prints the lines of this file that were not, and those
of whose branches some were not taken. Calls of ngc_bug are not counted, nor are branches of the
condition above one that nothing takes: they are the program's checks of itself."""

import collections
import glob
import json
import os
import re
import subprocess
import sys


def counts(build):
    """For each source: {line: times}, {(line, branch): times}."""
    lines = collections.defaultdict(dict)
    branches = collections.defaultdict(dict)
    own = {os.path.basename(name): name for name in glob.glob("runtime/**/*.[ch]", recursive=True)}
    build = os.path.abspath(build)
    for data in sorted(glob.glob(os.path.join(build, "data", "*", "*.gcda"))):
        notes = os.path.basename(data)[:-5] + ".gcno"  # gcov wants them beside the counts
        if not os.path.exists(os.path.join(build, notes)):
            continue
        link = os.path.join(os.path.dirname(data), notes)
        if not os.path.exists(link):
            os.symlink(os.path.join(build, notes), link)
        text = subprocess.run(
            ["gcov", "--json-format", "--stdout", "--branch-probabilities", data],
            capture_output=True, check=True).stdout
        for part in map(json.loads, text.splitlines()):
            for source in part["files"]:
                path = os.path.join(part["current_working_directory"], source["file"])
                name = os.path.relpath(path)
                if name.startswith(".."):  # a copy for another processor, line by line
                    name = own.get(os.path.basename(path), name)
                for line in source["lines"]:
                    at = line["line_number"]
                    lines[name][at] = lines[name].get(at, 0) + line["count"]
                    for number, branch in enumerate(line["branches"]):
                        key = at, number
                        branches[name][key] = branches[name].get(key, 0) + branch["count"]
    return lines, branches


def own_checks(text):
    """The lines of calls of ngc_bug, and those of the conditions right above them."""
    calls, conditions = set(), set()
    for at, line in enumerate(text):
        if not re.search(r"\bngc_bug\(", line):
            continue
        end = at
        while ";" not in text[end]:
            end += 1
        calls.update(range(at + 1, end + 2))
        above = at - ("if (" not in line)
        while above > at - 4 and not re.search(r"\b(if|switch) \(", text[above]):
            above -= 1
        if above > at - 4:
            conditions.update(range(above + 1, at + 2))
    return calls, conditions


def leave_out(text, lines, branches):
    calls, conditions = own_checks(text)
    for at in calls & set(lines):
        if not lines[at]:
            del lines[at]
    for key in list(branches):
        if key[0] in calls | conditions and not branches[key]:
            del branches[key]


def show(name, text, lines, branches):
    missed = collections.Counter(at for (at, _), times in branches.items() if not times)
    for at, times in sorted(lines.items()):
        if not times or missed[at]:
            what = "never" if not times else "%d not taken" % missed[at]
            print("%s:%d: %s: %s" % (name, at, what, text[at - 1]))


def share(table):
    executed = sum(1 for times in table if times)
    return "%6.2f %% of %6d" % (100 * executed / max(1, len(table)), len(table))


def main():
    lines, branches = counts(sys.argv[1])
    ours = [name for name in lines if name.split("/")[0] in ("compiler", "runtime")]
    for name in ours:
        with open(name) as f:
            text = f.read().split("\n")
        leave_out(text, lines[name], branches[name])
        if any(name.endswith(wanted) for wanted in sys.argv[2:]):
            show(name, text, lines[name], branches[name])

    print("%-24s %19s %19s" % ("room", "lines", "branches"))
    rooms = collections.defaultdict(list)
    for name in ours:
        rooms[os.path.dirname(name)].append(name)
    for room, names in sorted(rooms.items()) + [("all", ours)]:
        print("%-24s %19s %19s" % (
            room,
            share([times for name in names for times in lines[name].values()]),
            share([times for name in names for times in branches[name].values()])))
    for name in sorted(ours, key=lambda n: -sum(1 for t in lines[n].values() if not t))[:10]:
        print("%5d lines of %s are not executed" % (
            sum(1 for times in lines[name].values() if not times), name))
    for name in sorted(ours, key=lambda n: -sum(1 for t in branches[n].values() if not t))[:25]:
        print("%5d branches of %s are not taken" % (
            sum(1 for times in branches[name].values() if not times), name))


main()
