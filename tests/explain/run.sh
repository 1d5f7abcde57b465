#!/bin/sh
# run.sh - what `ngc explain` says: the lesson of one model word by word; for every example each form is well-formed and has the
# numbers of `ngc run`. What shows a form (dot, python3, pdflatex, chromium) is used where it is installed.
set -u
cd "$(dirname "$0")/../.." || exit 1
NGC=${NGC:-$PWD/build/ngc}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

check() { # check NAME COMMAND...: the command succeeds
    what=$1
    shift
    if "$@" >"$dir/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $what"
        head -20 "$dir/log"
    fi
}
have() { command -v "$1" >/dev/null 2>&1; }

# Every scalar derivative that `ngc run` prints stands in the lesson, digit by digit.
same_numbers() { # same_numbers LESSON RUN
    grep -E '^d[^ ]+/d[^ ]+ = [^[]*$' "$2" | while read -r line; do
        grep -qFx "  $line" "$1" || { echo "not told: $line"; exit 1; }
    done
}

"$NGC" explain --text tests/explain/chain.ng a=3 b=2 c=5 >"$dir/chain.txt" 2>/dev/null
check "the lesson of chain.ng" diff -u tests/explain/chain.txt "$dir/chain.txt"
names=
for model in tests/examples/*.expect; do
    name=$(basename "$model" .expect)
    case $name in char_* | lenet) continue ;; esac # too large to be read
    model=examples/$name.ng
    "$NGC" run --fill "$model" >"$dir/run" 2>/dev/null || continue
    check "$name: --text" "$NGC" explain --text "$model" -o "$dir/$name.txt"
    check "$name: the numbers of run" same_numbers "$dir/$name.txt" "$dir/run"
    check "$name: --dot" "$NGC" explain --dot "$model" -o "$dir/$name.dot"
    check "$name: --tex" "$NGC" explain --tex "$model" -o "$dir/$name.tex"
    check "$name: --json" "$NGC" explain --json "$model" -o "$dir/$name.json"
    names="$names $name"
done

if have dot; then
    for name in $names; do check "$name: dot draws it" dot -Tsvg "$dir/$name.dot" -o "$dir/$name.svg"; done
else
    echo "dot is not installed: graphs are not drawn"
fi
if have python3; then
    for name in $names; do check "$name: the JSON fits its schema" python3 tests/explain/schema.py "$dir/$name.json"; done
else
    echo "python3 is not installed: JSON is not checked"
fi
if have pdflatex; then
    for name in $names; do
        check "$name: pdflatex sets it" pdflatex -halt-on-error -interaction=batchmode -output-directory "$dir" "$dir/$name.tex"
    done
else
    echo "pdflatex is not installed: TeX is not set"
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
