#!/bin/sh
# examples.sh - compares the numbers of `ngc run` for the examples and the published cases with the
# expected ones, which tests/expect.c reads. With `ngc --report` it also checks for each that the
# backward pass costs at most five times the forward pass, and that the memory of all functions is
# at most a tenth (and 1024 bytes, as single numbers share no memory) more than one function needs
# at one time.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/suite.sh
cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 tests/expect.c -lm -o "$dir/expect" || exit 1
"$dir/expect" tests/examples/*.expect tests/cases/*.expect >"$dir/log"
status=$?
last=$(tail -1 "$dir/log")
sed '$d' "$dir/log"
passed=$(echo "$last" | sed 's/.*: \([0-9]*\) passed.*/\1/') \
    failed=$(echo "$last" | sed 's/.* \([0-9]*\) failed/\1/')
[ $status -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
group "values"

for model in examples/*.ng tests/cases/*.ng; do
    if "$NGC" --report "$model" 2>/dev/null >"$dir/report" &&
        awk '/^forward:/ { f = $2 } /^backward:/ { b = $2 } END { exit !(b <= 5*f) }' "$dir/report"; then
        passed=$((passed + 1))
    else
        echo "FAIL $model: the backward pass costs more than five times the forward pass"
        failed=$((failed + 1))
    fi
    if awk '/^  plan:/ { space = $7 > space ? $7 + 0 : space; live = $10 > live ? $10 + 0 : live; n++ }
            END { exit !(n > 0 && space <= 1.1*live + 1024) }' "$dir/report"; then
        passed=$((passed + 1))
    else
        echo "FAIL $model: more memory than is needed: $(grep '^  plan:' "$dir/report")"
        failed=$((failed + 1))
    fi
done
group "costs"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
