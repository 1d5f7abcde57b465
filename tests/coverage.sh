#!/bin/sh
# coverage.sh - which lines and branches of ngc and of its runtime the tests execute: `make coverage`, or
# `sh tests/coverage.sh [SUITE ...]`. It builds both in build/coverage with gcc's counters, runs the suites, and prints a line for
# each room. LIST=FILE.c prints the lines of a file that no test executes.
#
# The suite runtime compiles the runtime's sources into programs of its own; what only those execute does not count here.
set -u
cd "$(dirname "$0")/.." || exit 1
at=$PWD/build/coverage
mkdir -p "$at/bin"

# Programs that are linked with a library that counts need gcc's library for it.
for name in cc gcc; do
    real=$(command -v $name) || continue
    case $real in "$at"/*) continue ;; esac
    printf '#!/bin/sh\ncase " $* " in *" -shared "* | *" -c "*) exec %s "$@" ;; esac\nexec %s "$@" -lgcov\n' "$real" "$real" >"$at/bin/$name"
    chmod +x "$at/bin/$name"
done

make --no-print-directory -j"$(nproc)" B=build/coverage CC=gcc CFLAGS='-O0 -g --coverage -fprofile-update=atomic' || exit 1
ln -sfn ../runtime build/runtime # where ngc looks for it: beside the directory that it is in
find "$at" -name '*.gcda' -exec rm -f {} +
PATH=$at/bin:$PATH sh tests/run.sh build/coverage/ngc "$@"
status=$?
python3 tests/coverage.py "$at" ${LIST:+"$LIST"} || exit 1
exit $status
