#!/bin/sh
# run.sh - all tests: `make check`, or `sh tests/run.sh build/ngc [SUITE ...]`. It runs as many
# suites at a time as there are processors (JOBS), and shows the lines of a suite as they come,
# after the suite's name. Each suite ends with a line `N passed, N failed`. The last line here is
# their sum, and the exit status is 0 only if nothing failed.
#
# Of the long kinds of tests, CHECK_SEED chooses a share; CHECK_LONG=1, which is `make check-long`,
# does all: see suite.sh.
set -u
cd "$(dirname "$0")/.." || exit 1

command_of() { # the script of a suite
    case $1 in
    emitted | examples | docs | train | scale) echo "tests/$1.sh" ;;
    *) echo "tests/$1/run.sh" ;;
    esac
}

# Sets $spent to the processor time, in seconds, of all ended children of this shell.
clock() {
    times >"$results/$1.times"
    spent=$(awk 'END { split($1, u, /[ms]/); split($2, s, /[ms]/); printf "%.1f", 60*(u[1] + s[1]) + u[2] + s[2] }' "$results/$1.times")
}

# Runs one suite. Shows its lines at once, except the counts, which go to a file.
one() {
    options=
    if [ "${COVERAGE-}" ]; then # tests/coverage.sh
        GCOV_PREFIX=$COVERAGE/$1 && export GCOV_PREFIX
        [ "$1" = runtime ] && options=gcc
    fi
    {
        sh "$(command_of "$1")" $options 2>&1
        echo $? >"$results/$1.status"
    } | tee "$results/$1.log" | sed -u -e '/^[0-9]* passed, [0-9]* failed$/d' -e "s/^/$1: /"
    status=$(cat "$results/$1.status")
    last=$(grep -E '^([a-z]+: )?[0-9]+ passed, [0-9]+ failed' "$results/$1.log" | tail -1)
    last=${last#*: }
    p=${last%% passed*} f=${last#*, }
    f=${f%% failed*}
    case $p$f in *[!0-9]* | '') p=0 f=1 ;; esac
    if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    if [ "$p" -eq 0 ] && [ "$f" -eq 0 ]; then f=1; fi # a suite that tests nothing has failed
    clock "$1"
    echo "$p $f $spent" >"$results/$1.counts"
    echo "$1: $p passed, $f failed ($spent s of processor time)"
}

if [ "${1:-}" = --one ]; then
    one "$2"
    exit 0
fi
case ${1:-} in /*) NGC=$1 ;; *) NGC=$PWD/${1:-build/ngc} ;; esac
[ $# -gt 0 ] && shift
CHECK_SEED=${CHECK_SEED:-1} CHECK_LONG=${CHECK_LONG-}
results=$(mktemp -d) || exit 1
trap 'rm -rf "$results"' EXIT
export NGC CHECK_SEED CHECK_LONG results
[ "$CHECK_LONG" ] && echo "all tests" || echo \
    "the long kinds of tests by shares: CHECK_SEED=$CHECK_SEED"
# the longest first, so that the last ones are short
for name in ${*:-emit random emitted embed explain play train trainer runtime onnx fuzz docs faults pool grad lang tune examples ranks err scale front style pass}; do
    echo "0 1 0" >"$results/$name.counts" # counts as failed until it has run
    if [ -e "$(command_of "$name")" ]; then
        echo "$name"
    else
        echo "run.sh: there is no suite '$name'" >&2
    fi
done | xargs -P "${JOBS:-$(nproc)}" -I{} sh tests/run.sh --one {}
awk '{ s += $3 } END { print "processor time of the suites: " s " s" }' "$results"/*.counts
awk '{ p += $1; f += $2 } END { print p + 0 " passed, " f + 0 " failed"; exit f > 0 || p == 0 }' "$results"/*.counts
