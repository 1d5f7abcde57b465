#!/bin/sh
# train.sh - training on real data through the emitted C: Fashion-MNIST to 86% of images not seen, iris to 96% of all rows.
set -u
cd "$(dirname "$0")/.." || exit 1
ngc=${NGC:-build/ngc}
passed=0 failed=0

# at_least NAME LIMIT OUTPUT: is the accuracy in the output at least that?
at_least() {
    value=$(printf '%s\n' "$3" | sed -n 's/^accuracy: //p')
    if [ -n "$value" ] && awk "BEGIN { exit !($value >= $2) }"; then
        echo "$1: accuracy $value, at least $2 wanted"
        passed=$((passed + 1))
    else
        echo "$1: accuracy '$value', at least $2 wanted"
        failed=$((failed + 1))
    fi
}

iris=$(sh tests/data.sh iris)
for seed in 1 2; do
    at_least "iris, seed $seed" 0.96 "$("$ngc" train examples/iris.ng --data "$iris" --epochs 500 --seed $seed --quiet)"
done
fashion=$(sh tests/data.sh fashion)
at_least fashion 0.86 "$("$ngc" train examples/fashion.ng --epochs 12 --quiet \
    --data "x=$fashion/train-images-idx3-ubyte.gz,t=$fashion/train-labels-idx1-ubyte.gz" \
    --val "x=$fashion/t10k-images-idx3-ubyte.gz,t=$fashion/t10k-labels-idx1-ubyte.gz")"

# a column too many is an error with its line, and nothing is trained
printf '1,2,3,4,0\n2,3,4,5,1\n1,2,3,4,5,0\n' >"${TMPDIR:-/tmp}/ngc-bad-$$.csv"
if message=$("$ngc" train examples/iris.ng --data "${TMPDIR:-/tmp}/ngc-bad-$$.csv" 2>&1); then
    echo "a bad table was accepted"
    failed=$((failed + 1))
else
    case $message in *:3*) passed=$((passed + 1)) ;; *) echo "no line in: $message"; failed=$((failed + 1)) ;; esac
fi
rm -f "${TMPDIR:-/tmp}/ngc-bad-$$.csv"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
