#!/bin/sh
# run.sh - what the passes make of models: the graph or the programs as text, nodes numbered from 1, against NAME.expect.
# usage: tests/pass/run.sh [--accept]; the first line of a model, `# -d LETTERS: what it shows`, says what is printed.
set -u
cd "$(dirname "$0")" || exit 1
ngc=${NGC:-../../build/ngc}
passed=0 failed=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

for model in *.ng; do
    letters=$(sed -n '1s/^# -d \([a-z]*\):.*/\1/p' "$model")
    "$ngc" -d "$letters" "$model" -o "$dir/out.c" 2>&1 |
        awk '{ out = ""
               while (match($0, /%[0-9]+/)) {
                   id = substr($0, RSTART, RLENGTH)
                   if (!(id in seen)) seen[id] = ++count
                   out = out substr($0, 1, RSTART - 1) "%" seen[id]
                   $0 = substr($0, RSTART + RLENGTH)
               }
               print out $0 }' >"$dir/got"
    if [ "${1-}" = --accept ]; then
        cp "$dir/got" "${model%.ng}.expect"
    elif [ -n "$letters" ] && diff -u "${model%.ng}.expect" "$dir/got"; then
        passed=$((passed + 1))
    else
        echo "FAIL tests/pass/$model"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
