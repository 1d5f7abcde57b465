#!/bin/sh
# coverage.sh - which lines and branches of ngc and of its runtime the tests execute: `make
# coverage`, or `sh tests/coverage.sh [SUITE ...]`. It builds both in build/coverage with gcc's
# counters, runs the suites, and prints a line for each room. LIST=FILE.c prints the lines of a file
# that no test executes, and those with a branch that none takes. KEEP=1 adds to the counts of the
# last run.
#
# The suite runtime compiles the runtime's sources into programs of its own: coverage_cc.py lets
# these count too. Each suite counts in a directory of its own: programs that are killed while
# they write, or whose writing fails on purpose, spoil files there, and gcc's library then says that
# they do not fit.
set -u
cd "$(dirname "$0")/.." || exit 1
at=$PWD/build/coverage
mkdir -p "$at/bin"

# Programs that are linked with a library that counts need gcc's library for it. Only the runtime
# has threads, whose counters must be atomic: they take several times as long.
for name in cc gcc; do
    real=$(PATH=$(echo "$PATH" | sed 's|[^:]*/ccache:||g') command -v $name) || continue
    case $real in "$at"/*) continue ;; esac
    cat >"$at/bin/$name" <<END
#!/bin/sh
case " \$* " in
*" -fsyntax-only "*) exec $real "\$@" ;;
*" runtime/"*" -o build/coverage/"* | *" -o build/coverage/"*" runtime/"*) exec $real "\$@" -fprofile-update=atomic ;;
*/runtime/*.c" "* | */avx2/*.c" "* | */plain/*.c" "* | */scalar/*.c" "*) exec python3 "$PWD/tests/coverage_cc.py" "$at" $real "\$@" ;;
*" -c "*) exec $real "\$@" ;;
esac
exec $real "\$@" -lgcov
END
    chmod +x "$at/bin/$name"
done

make --no-print-directory -j"$(nproc)" B=build/coverage CC="$at/bin/gcc" \
    CFLAGS='-O0 -g --coverage' ||
    exit 1
ln -sfn ../runtime build/runtime # where ngc looks for it: beside the directory that it is in
[ "${KEEP-}" ] || find "$at" -name '*.gcda' -exec rm -f {} +
unset KEEP
GCOV_PREFIX_STRIP=$(echo "$at" | tr -dc / | wc -c)
BUILD=build/coverage COVERAGE=$at/data # of the suites; run.sh gives each a part of the second
LIMIT_TIMES=5                          # programs that count are slower
export GCOV_PREFIX_STRIP BUILD COVERAGE LIMIT_TIMES
PATH=$at/bin:$PATH sh tests/run.sh build/coverage/ngc "$@"
status=$?
python3 tests/coverage.py "$at" ${LIST:+"$LIST"} || exit 1
exit $status
