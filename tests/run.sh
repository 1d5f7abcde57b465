#!/bin/sh
# run.sh - all tests: `make check`, or `sh tests/run.sh build/ngc [SUITE ...]`. Each suite ends with a line
# `N passed, N failed`; the last line here is their sum, and the exit status is 0 only if nothing failed.
set -u
cd "$(dirname "$0")/.." || exit 1
ngc=$PWD/${1:-build/ngc}
[ $# -gt 0 ] && shift
suites=${*:-front err pass runtime examples emit emitted random grad docs train explain embed}
NGC=$ngc
export NGC
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

suite() { # the command of each suite
    case $1 in
    front) sh tests/front/run.sh ;;
    err) sh tests/err/run.sh ;;
    pass) sh tests/pass/run.sh ;;
    runtime) sh tests/runtime/run.sh ;;
    emit) sh tests/emit/run.sh ;;
    examples) sh tests/examples.sh ;;
    emitted) sh tests/emitted.sh ;;
    random) sh tests/random/run.sh ;;
    grad) sh tests/grad/run.sh ;;
    docs) sh tests/docs.sh ;;
    train) sh tests/train.sh ;;
    explain) sh tests/explain/run.sh ;;
    embed) sh tests/embed/run.sh ;;
    *) echo "run.sh: there is no suite '$1'"; false ;;
    esac
}

for name in $suites; do
    start=$(date +%s)
    suite "$name" >"$log" 2>&1
    status=$?
    last=$(grep -E '^([a-z]+: )?[0-9]+ passed, [0-9]+ failed' "$log" | tail -1)
    last=${last#*: }
    p=${last%% passed*} f=${last#*, }
    f=${f%% failed*}
    case $p$f in *[!0-9]* | '') p=0 f=1 ;; esac
    if [ $status -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    if [ "$p" -eq 0 ] && [ "$f" -eq 0 ]; then f=1; fi # a suite that tests nothing has failed
    [ "$f" -ne 0 ] && cat "$log"
    echo "$name: $p passed, $f failed ($(($(date +%s) - start)) s)"
    passed=$((passed + p)) failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
