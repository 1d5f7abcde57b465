"""coverage.py - lines and branches that were executed, by room, from gcc's counters in a build:
coverage.py BUILD [FILE.c]. A source that is compiled several times counts once: what any of its
objects executed was executed. With FILE.c, prints the lines of this file that were not."""

import collections
import glob
import json
import os
import subprocess
import sys


def counts(build):
    """For each source: {line: times}, {(line, branch): times}."""
    lines = collections.defaultdict(dict)
    branches = collections.defaultdict(dict)
    for data in sorted(glob.glob(os.path.join(build, "data", "*", "*.gcda"))):
        notes = os.path.basename(data)[:-5] + ".gcno"  # gcov wants them beside the counts
        link = os.path.join(os.path.dirname(data), notes)
        if not os.path.exists(link):
            os.symlink(os.path.join(build, notes), link)
        text = subprocess.run(
            ["gcov", "--json-format", "--stdout", "--branch-probabilities", data],
            capture_output=True, check=True).stdout
        for part in text.splitlines():
            for source in json.loads(part)["files"]:
                name = os.path.relpath(source["file"])
                for line in source["lines"]:
                    at = line["line_number"]
                    lines[name][at] = lines[name].get(at, 0) + line["count"]
                    for number, branch in enumerate(line["branches"]):
                        key = at, number
                        branches[name][key] = branches[name].get(key, 0) + branch["count"]
    return lines, branches


def share(table):
    executed = sum(1 for times in table if times)
    return "%6.2f %% of %6d" % (100 * executed / max(1, len(table)), len(table))


def main():
    lines, branches = counts(sys.argv[1])
    ours = [name for name in lines if name.split("/")[0] in ("compiler", "runtime")]
    if len(sys.argv) > 2:
        for name in ours:
            if name.endswith(sys.argv[2]):
                text = open(name).read().split("\n")
                for at, times in sorted(lines[name].items()):
                    if not times:
                        print("%s:%d: %s" % (name, at, text[at - 1]))

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


main()
