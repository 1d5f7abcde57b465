#!/bin/sh
# run.sh - all tests: `make check`, or `sh tests/run.sh build/ngc [SUITE ...]`; as many suites at a time as there are
# processors (JOBS). Each suite ends with a line `N passed, N failed`; the last line here is their sum, and the exit status is
# 0 only if nothing failed.
set -u
cd "$(dirname "$0")/.." || exit 1

command_of() { # what runs a suite
    case $1 in
    emitted | examples | docs | train | scale) echo "tests/$1.sh" ;;
    *) echo "tests/$1/run.sh" ;;
    esac
}

# One suite: what failed, and its line, all at once; its counts go to a file.
one() {
    start=$(date +%s)
    sh "$(command_of "$1")" >"$results/$1.log" 2>&1
    status=$?
    last=$(grep -E '^([a-z]+: )?[0-9]+ passed, [0-9]+ failed' "$results/$1.log" | tail -1)
    last=${last#*: }
    p=${last%% passed*} f=${last#*, }
    f=${f%% failed*}
    case $p$f in *[!0-9]* | '') p=0 f=1 ;; esac
    if [ $status -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    if [ "$p" -eq 0 ] && [ "$f" -eq 0 ]; then f=1; fi # a suite that tests nothing has failed
    {
        [ "$f" -eq 0 ] || cat "$results/$1.log"
        echo "$1: $p passed, $f failed ($(($(date +%s) - start)) s)"
    } >"$results/$1.said"
    echo "$p $f" >"$results/$1.counts"
    cat "$results/$1.said"
}

if [ "${1:-}" = --one ]; then
    one "$2"
    exit 0
fi
case ${1:-} in /*) NGC=$1 ;; *) NGC=$PWD/${1:-build/ngc} ;; esac
[ $# -gt 0 ] && shift
results=$(mktemp -d) || exit 1
trap 'rm -rf "$results"' EXIT
export NGC results
# the longest first, so that the last ones are short
for name in ${*:-emit emitted runtime random embed explain train docs pool grad lang examples err scale front pass}; do
    echo "0 1" >"$results/$name.counts" # failed, until it says otherwise
    if [ -e "$(command_of "$name")" ]; then echo "$name"; else echo "run.sh: there is no suite '$name'" >&2; fi
done | xargs -P "${JOBS:-$(nproc)}" -I{} sh tests/run.sh --one {}
awk '{ p += $1; f += $2 } END { print p + 0 " passed, " f + 0 " failed"; exit f > 0 || p == 0 }' "$results"/*.counts
