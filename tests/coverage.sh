#!/bin/sh
# coverage.sh - which lines and branches of ngc and of its runtime the tests execute: `make
# coverage`, or `sh tests/coverage.sh [SUITE ...]`. It builds both in build/coverage with gcc's
# counters, runs the suites, and prints a line for each room. LIST=FILE.c prints the lines of a file
# that no test executes.
#
# The suite runtime compiles the runtime's sources into programs of its own; what only those execute
# does not count here. Each suite counts in a directory of its own: programs that are killed while
# they write, or whose writing fails on purpose, spoil files there, and gcc's library then says that
# they do not fit.
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

make --no-print-directory -j"$(nproc)" B=build/coverage CC=gcc \
    CFLAGS='-O0 -g --coverage -fprofile-update=atomic' || exit 1
ln -sfn ../runtime build/runtime # where ngc looks for it: beside the directory that it is in
find "$at" -name '*.gcda' -exec rm -f {} +
GCOV_PREFIX_STRIP=$(echo "$at" | tr -dc / | wc -c)
BUILD=build/coverage COVERAGE=$at/data # of the suites; run.sh gives each a part of the second
export GCOV_PREFIX_STRIP BUILD COVERAGE
PATH=$at/bin:$PATH sh tests/run.sh build/coverage/ngc "$@"
status=$?
python3 tests/coverage.py "$at" ${LIST:+"$LIST"} || exit 1
exit $status
