#!/bin/sh
# run.sh - what `ngc explain` says: the lesson of one model word by word; for every example each form is well-formed and has the
# numbers of `ngc run`; the comments of the C (--accept writes them anew). What shows a form (dot, python3, pdflatex, chromium) is used where it is installed.
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

# The comments of a function of the C: the rules above its statements.
comments() { # comments MODEL FUNCTION OPTION...
    model=$1 function=$2
    shift 2
    echo "$model $function $*"
    "$NGC" "$@" "$model" -o - 2>/dev/null | awk -v f="_$function(" '/^int .*[^;]$/ { p = index($0, f) } p && /\/\*/ { print } /^}/ { p = 0 }'
}
for level in derivation source none; do
    for model in tests/explain/chain.ng tests/explain/rules.ng examples/logistic_one.ng examples/two_layers.ng; do
        comments $model forward -O0 --comments=$level
        comments $model backward -O0 --comments=$level
    done
done >"$dir/rules.txt"
[ "${1-}" = --accept ] && cp "$dir/rules.txt" tests/explain/rules.txt
check "the comments of the C" diff -u tests/explain/rules.txt "$dir/rules.txt"
comments tests/explain/rules.ng backward -O2 --comments=derivation >"$dir/fast.txt"
check "what made a line, at -O2" grep -q 'a: from bce(sigmoid)' "$dir/fast.txt"
check "the rule of a product, at -O2" grep -qF "z = x @ W' + b  =>  dJ/dW gets dJ/dz' @ x  [2, 3]" "$dir/fast.txt"
check "a second use, at -O2" grep -q 'second use of W: added' "$dir/fast.txt"
check "-O2 speaks of the source unless it is asked for more" sh -c '! "$1" tests/explain/rules.ng -o - | grep "=>"' sh "$NGC"

"$NGC" explain --jacobians tests/explain/jacobians.ng >"$dir/jacobians.txt"
[ "${1-}" = --accept ] && cp "$dir/jacobians.txt" tests/explain/jacobians.txt
check "the Jacobians" diff -u tests/explain/jacobians.txt "$dir/jacobians.txt"
check "Jacobians after the lesson" sh -c '"$1" explain --text --jacobians tests/explain/jacobians.ng | tail -n "$(wc -l <"$2")" | diff -u "$2" -' sh "$NGC" "$dir/jacobians.txt"
check "in the other layout they are transposed" sh -c '"$1" explain --jacobians --layout=denominator tests/explain/jacobians.ng | grep -q "^  ds/dp: 4 x 2,"' sh "$NGC"
check "a large one is refused with its size" sh -c '"$1" explain --jacobians examples/fashion.ng --fill | grep -qF "dh/dh.W: 8,192 x 100,352, 822,083,584 numbers: too many to write out"' sh "$NGC"
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
    check "$name: the page" "$NGC" explain "$model" -o "$dir/$name.html"
    names="$names $name"
done

if have dot; then
    for name in $names; do check "$name: dot draws it" dot -Tsvg "$dir/$name.dot" -o "$dir/$name.svg"; done
else
    echo "dot is not installed: graphs are not drawn"
fi
if have python3; then
    for name in $names; do check "$name: the JSON fits its schema" python3 tests/explain/schema.py "$dir/$name.json"; done
    for model in tests/explain/jacobians.ng tests/explain/rules.ng examples/two_layers.ng examples/net_221.ng examples/logistic_rows.ng; do
        for layout in rows columns; do
            "$NGC" explain --jacobians --layout=$layout --json --fill $model >"$dir/jacobians.json" 2>/dev/null
            check "$model: the Jacobians by $layout send down the gradients" sh -c 'python3 tests/explain/schema.py "$1" 2>"$1.log" && ! grep "^0 grad" "$1.log"' sh "$dir/jacobians.json"
        done
    done
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

# A page is opened; it walks its steps, computes the graph again in JavaScript, and moves a slider.
page() { # page NAME: no message on the console, no request, the numbers of ngc run, recomputed alike; under 200 KB
    [ "$(wc -c <"$dir/$1.html")" -lt 200000 ] || { echo "the page is too large"; return 1; }
    if grep -E 'src="?http|href="?http|url\(http|@import' "$dir/$1.html"; then return 1; fi
    timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$dir/chromium" --enable-logging=stderr \
        --dump-dom "file://$dir/$1.html#told" >"$dir/dom" 2>"$dir/console"
    if grep CONSOLE "$dir/console"; then return 1; fi
    sed -n '/<pre id="list">/,/<\/pre>/p' "$dir/dom" >"$dir/told"
    grep -q -e '^recomputed: the same$' -e '^not recomputed: ' "$dir/told" || { tail -20 "$dir/told"; return 1; }
    "$NGC" run "examples/$1.ng" 2>/dev/null | grep -E '^d[^ ]+/d[^ ]+ = [^[]*$' | while read -r line; do
        grep -qF -- "${line##* = }" "$dir/told" || { echo "no step tells $line"; exit 1; }
    done
}
if have chromium; then
    for name in chain logistic_one net_221 softmax_regression two_layers; do
        case " $names " in *" $name "*) check "$name: the page in a browser" page "$name" ;; esac
    done
    "$NGC" explain tests/explain/gather.ng -o "$dir/gather.html"
    check "an infinite constant in JSON" sh -c '"$1" explain --json tests/explain/gather.ng | python3 tests/explain/schema.py /dev/stdin' sh "$NGC"
    check "gather, scatter and argmax in a page" page gather
    check "the page computes these again" grep -qx "recomputed: the same" "$dir/told"
    "$NGC" explain tests/explain/chain.ng a=3 b=2 c=5 -o "$dir/moved.html" 2>/dev/null
    check "the page of chain.ng" page moved
    check "the page computes it again" grep -qx 'recomputed: the same' "$dir/told"
    check "a slider moves what is computed from it" grep -qx 'moved J = 209.6832' "$dir/told"
else
    echo "chromium is not installed: pages are not opened"
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
