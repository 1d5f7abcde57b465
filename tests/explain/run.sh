#!/bin/sh
# run.sh - the output of `ngc explain`: the lesson of one model word by word; for every example,
# each form is well-formed and has the numbers of `ngc run`; the comments of the C (--accept writes
# them). The programs that read a form (dot, python3, pdflatex, chromium) are used if they are
# installed.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/suite.sh

have() { command -v "$1" >/dev/null 2>&1; }

# Every scalar derivative that `ngc run` prints is in the lesson, digit by digit.
same_numbers() { # same_numbers LESSON RUN
    grep -E '^d[^ ]+/d[^ ]+ = [^[]*$' "$2" | while read -r line; do
        grep -qFx "  $line" "$1" || { echo "missing: $line"; exit 1; }
    done
}

"$NGC" explain --text tests/explain/chain.ng a=3 b=2 c=5 >"$dir/chain.txt" 2>/dev/null
check "the lesson of chain.ng" diff -u tests/explain/chain.txt "$dir/chain.txt"
"$NGC" explain --text --unroll=0 tests/explain/loop.ng >"$dir/loop.txt" 2>/dev/null
[ "${1-}" = --accept ] && cp "$dir/loop.txt" tests/explain/loop.txt
check "the lesson of loop.ng" diff -u tests/explain/loop.txt "$dir/loop.txt"

# Prints the comments of a function of the C: the rules above its statements.
comments() { # comments MODEL FUNCTION OPTION...
    model=$1 function=$2
    shift 2
    echo "$model $function $*"
    "$NGC" "$@" "$model" -o - 2>/dev/null |
        awk -v f="_$function(" '/^int .*[^;]$/ { p = index($0, f) } p && /\/\*/ { print } /^}/ { p = 0 }'
}
for level in derivation source none; do
    for model in tests/explain/chain.ng tests/explain/rules.ng examples/logistic_one.ng examples/two_layers.ng; do
        comments $model forward -O0 --comments=$level
        comments $model backward -O0 --comments=$level
    done
done >"$dir/rules.txt"
[ "${1-}" = --accept ] && cp "$dir/rules.txt" tests/explain/rules.txt
check "the comments of the C" diff -u tests/explain/rules.txt "$dir/rules.txt"
{
    comments tests/explain/words.ng forward -O0
    comments tests/explain/words.ng backward -O0
} >"$dir/words.txt"
[ "${1-}" = --accept ] && cp "$dir/words.txt" tests/explain/words.txt
check "the words of comments" diff -u tests/explain/words.txt "$dir/words.txt"
{
    "$NGC" explain --text tests/explain/given.ng 2>/dev/null
    comments tests/explain/given.ng backward -O0
    echo
    "$NGC" explain --text tests/explain/library_rule.ng 2>/dev/null | grep rule
} >"$dir/given.txt"
[ "${1-}" = --accept ] && cp "$dir/given.txt" tests/explain/given.txt
check "rules of the user" diff -u tests/explain/given.txt "$dir/given.txt"
# Rules for every example: each backward statement has its line, no words are internal to the
# compiler, and no two values share a name.
for model in examples/*.ng tests/explain/*.ng; do
    case $model in *edges.ng | *loop_dim.ng) continue ;; esac
    "$NGC" -O0 "$model" -o - >"$dir/$(basename "$model" .ng).plain.c" 2>/dev/null
done
check "lines, words and names of the C" python3 tests/explain/comments.py "$dir"/*.plain.c
# Local numbers of a statement are below its comment: before each of them is the comment, or another
# one.
for model in net_221 logistic_one; do
    "$NGC" -O0 --comments=derivation examples/$model.ng -o - 2>/dev/null >"$dir/plain.c"
    check "$model: helpers are below the comment" awk '/const (float|int32_t) t[0-9]+ =/ { n++; if (last !~ /\*\/$|^    const|^    w->t[0-9]+ =/) { print last; print; bad = 1 } } { last = $0 } END { exit bad || !n }' "$dir/plain.c"
done
comments tests/explain/rules.ng backward -O2 --comments=derivation >"$dir/fast.txt"
check "what made a line, at -O2" grep -q 'a: from bce(sigmoid)' "$dir/fast.txt"
check "the rule of a product, at -O2" grep -qF "z = x @ W' + b  =>  dJ/dW gets dJ/dz' @ x  [2, 3]" "$dir/fast.txt"
check "a second use, at -O2" grep -q 'second use of W: added' "$dir/fast.txt"
check "-O2 has only the comments of the source unless more are asked for" sh \
    -c '! "$1" tests/explain/rules.ng -o - | grep "=>"' sh "$NGC"

"$NGC" explain --jacobians tests/explain/jacobians.ng >"$dir/jacobians.txt" 2>/dev/null
[ "${1-}" = --accept ] && cp "$dir/jacobians.txt" tests/explain/jacobians.txt
check "the Jacobians" diff -u tests/explain/jacobians.txt "$dir/jacobians.txt"
check "Jacobians after the lesson" sh -c '"$1" explain --text --jacobians tests/explain/jacobians.ng | tail -n "$(wc -l <"$2")" | diff -u "$2" -' sh "$NGC" "$dir/jacobians.txt"
check "in the other layout they are transposed" sh \
    -c '"$1" explain --jacobians --layout=denominator tests/explain/jacobians.ng | grep -q "^  ds/dp: 4 x 2,"' sh "$NGC"
for layout in rows columns; do
    for form in html json tex; do
        check "Jacobians by $layout in --$form" "$NGC" explain --$form --jacobians \
            --layout=$layout tests/explain/jacobians.ng -o "$dir/jacobians_$layout.$form"
    done
done
check "the TeX has the matrices" grep -qF 'z[0, 1] & $-0.1$ & $0.4$ & $0.2$' \
    "$dir/jacobians_rows.tex"
check "--dot has none, and says so" sh -c '"$1" explain --dot --jacobians tests/explain/jacobians.ng 2>&1 >"$2" | grep -qFx "ngc: error: --dot draws no Jacobians; --html, --text, --tex and --json have them" && [ ! -s "$2" ]' sh "$NGC" "$dir/none.dot"
check "a large one is refused with its size" sh -c '"$1" explain --jacobians examples/fashion.ng --fill | grep -qF "dh/dh.W: 8,192 x 100,352, 822,083,584 numbers: too many to write out"' sh "$NGC"
group "comments, Jacobians"
# Options that make the larger examples smaller, so that they can be read.
sizes() {
    case $1 in
    adding | wave) echo "-D n=4 -D T=4" ;;
    char_gpt) echo "-D width=16 m=1" ;;
    char_rnn | lenet | resnet) echo "m=1" ;;
    series) echo "m=2 T=5" ;;
    fashion | autoencoder | wine | cancer | digits | diabetes) echo "m=4" ;;
    gan) echo "-D n=16" ;;
    regularised | spiral) echo "-D n=30" ;;
    vectorised) echo "m=4" ;;
    loop*) echo "--unroll=0" ;; # all loops stay loops
    blocks12) echo "-D blocks=12 -D width=16 m=1" ;;
    esac
}
cp tests/explain/chain.ng "$dir/named.ng"
check "it says what file it wrote" sh -c 'cd "$2" && [ "$("$1" explain named.ng a=3 b=2 c=5)" = "wrote named.html: open it in a browser" ] && [ -s named.html ]' sh "$NGC" "$dir"
check "also one that is named" sh -c '[ "$("$1" explain --dot "$2/named.ng" -o "$2/named.dot" a=3 b=2 c=5)" = "wrote $2/named.dot" ]' sh "$NGC" "$dir"
check "and nothing on standard output" sh -c '"$1" explain --text "$2/named.ng" a=3 b=2 c=5 -o - | ( ! grep wrote )' sh "$NGC" "$dir"

names=
explain() { # explain NAME MODEL [FORM...]: writes each form, or these
    name=$1 model=$2
    shift 2
    for form in ${*:-text dot tex json html}; do
        # shellcheck disable=SC2046
        check "$name: --$form" "$NGC" explain --$form "$model" $(sizes "$name") \
            -o "$dir/$name.$form"
    done
    names="$names $name"
}
# A run does one example in three (suite.sh), and all those that have a check of their own.
number=0
for model in examples/*.ng; do
    name=$(basename "$model" .ng)
    number=$((number + 1))
    case $name in
    chain | moons | newton | net_221 | xor | or_gate | deep | char_gpt) ;;
    *) in_share 3 $number || continue ;;
    esac
    explain "$name" "$model"
    # shellcheck disable=SC2046
    "$NGC" run --fill "$model" $(sizes "$name") >"$dir/run" 2>/dev/null
    check "$name: the numbers of run" same_numbers "$dir/$name.text" "$dir/run"
done
group "the forms of examples"
explain gather tests/explain/gather.ng
explain every_op tests/explain/every_op.ng
explain given tests/explain/given.ng
# every function of one element, by its record
functions "$(dirname "$NGC")" | awk '
    function operand(mark, k) { return mark == "+" || mark == "/" ? "(0.4 + x^2)" : mark == "~" ? "0.8*sin(x + " k ")" : mark == ">" ? "(1.4 + x^2)" : "(x + " k ")" }
    BEGIN { print "input x[3] = [0.3, -1.2, 0.8]"; sum = "0" }
    { a = operand($3, "0.05"); b = operand($3, "0.45"); c = operand($3, "0.65")
      print "y" NR " = " $1 "(" a ($2 > 1 ? ", " b : "") ($2 > 2 ? ", " c : "") ")"; sum = sum " + sum(y" NR "*x)" }
    END { print "J = " sum "\ngradient J over x" }' >"$dir/functions.ng"
explain functions "$dir/functions.ng"
explain edges tests/explain/edges.ng
explain links tests/explain/links.ng
loops="loop loop_nested loop_second loop_list loop_dim loop_large loop_draws"
for name in $loops; do
    explain "$name" "tests/explain/$name.ng"
done
# twelve blocks: the page; the other forms, and all the numbers of the example as it is, in one run
# in four each
in_share 4 0 && forms= || forms=html
explain blocks12 examples/char_gpt.ng $forms
in_share 4 2 &&
    check "large values do not stay in memory" sh -c 'ulimit -v 600000; "$1" explain --json examples/char_gpt.ng -o "$2"' sh "$NGC" "$dir/full.json"
{ # a compressed page whose text has the marks of the compression, and letters of one to four bytes
    for i in 1 2 3 4 5 6 7 8 9; do printf '# ~ ~~ ~#$%%& \\ "</script>" <!-- \303\251\303\251\303\251 \342\202\254\342\202\254 \360\237\230\200\360\237\230\200 ~ %s\n' $i; done
    cat examples/newton.ng
} >"$dir/letters.ng"
explain letters "$dir/letters.ng"

# Data from a file: the lesson uses the first batch, and the page trains on all.
awk 'BEGIN { print "x1,x2,above"; for (i = 0; i < 40; i++) { a = i*7%10/5 - 1; b = i*3%8/4 - 1; print a "," b "," (b > a) } }' >"$dir/points.csv"
check "--data: the page" "$NGC" explain --data "$dir/points.csv" tests/explain/two.ng \
    -o "$dir/two.html"
check "--data: JSON" "$NGC" explain --data="$dir/points.csv" --json tests/explain/two.ng \
    -o "$dir/two.json"
check "--data: JSON fits its schema" python3 tests/explain/schema.py "$dir/two.json"
"$NGC" run --digits=6 tests/explain/two.ng "x=$(awk -F, 'NR > 1 && NR < 22 { printf "%s[%s,%s]", (NR > 2 ? "," : "["), $1, $2 } END { print "]" }' "$dir/points.csv")" \
    "t=$(awk -F, 'NR > 1 && NR < 22 { printf "%s%s", (NR > 2 ? "," : "["), $3 } END { print "]" }' "$dir/points.csv")" >"$dir/run" 2>&1
"$NGC" explain --text --data "$dir/points.csv" tests/explain/two.ng >"$dir/two.text" 2>/dev/null
check "--data: the numbers of run" grep -qFx "  $(grep '^dJ/dz.b' "$dir/run")" "$dir/two.text"
gzip -c "$dir/points.csv" >"$dir/points.csv.gz"
check "--data: a compressed file is the same" sh -c '"$1" explain --text --data "$2" tests/explain/two.ng | diff "$3" -' sh "$NGC" "$dir/points.csv.gz" "$dir/two.text"
awk -F, 'NR > 1 { print $3 ",0," $1 "," $2 }' "$dir/points.csv" >"$dir/wide.csv"
for columns in "x=$dir/wide.csv:2-3,t=$dir/wide.csv:0" "$dir/wide.csv:2-3,0"; do
    check "--data: columns" sh -c '"$1" explain --text --data "$2" tests/explain/two.ng | diff "$3" -' sh "$NGC" "$columns" "$dir/two.text"
done
check "--data: no such column" sh -c '"$1" explain --data "$2:2-4,0" tests/explain/two.ng 2>&1 | grep -q "wide.csv has columns 0 to 3, not 2-4,0"' sh "$NGC" "$dir/wide.csv"
# Every form shows numbers that are not finite, and marks inputs without numbers as invented.
for form in text tex dot; do
    check "edges in --$form: invented inputs" sh -c '[ "$(grep -c "input, invented" "$1")" -eq 2 ]' sh "$dir/edges.$form"
    check "edges in --$form: infinities" grep -qE '(-inf|-\\infty)' "$dir/edges.$form"
done
for form in text jacobians; do
    check "edges in --$form: who is invented" sh -c '"$1" explain "--$2" tests/explain/edges.ng | grep -q "^ *Invented numbers: x, k\."' sh "$NGC" $form
done
check "edges in --json" grep -q '"name":"x","kind":"input","invented":true,' "$dir/edges.json"
check "edges in --json: infinities" grep -qF '"value":[0,"-inf"]' "$dir/edges.json"
check "given inputs are not invented" sh -c '! "$1" explain --text tests/explain/edges.ng x=1 "k=[0,1]" | grep -i invented' sh "$NGC"
printf '1,2\n' >"$dir/narrow.csv"
check "--data: too few columns" sh -c '"$1" explain --data "$2" tests/explain/two.ng 2>&1 | grep -q "narrow.csv: 2 columns, but the inputs take 3"' sh "$NGC" "$dir/narrow.csv"
check "--data: no such input" sh -c '! "$1" explain --data q=x.csv tests/explain/two.ng -o "$2" 2>/dev/null && [ ! -e "$2" ]' sh "$NGC" "$dir/none.html"
files() { for name in $names; do [ -e "$dir/$name.$1" ] && echo "$dir/$name.$1"; done; }

for name in $names; do
    case $name in blocks12) continue ;; deep | adding | char_gpt | char_rnn) most=420000 ;; digits) most=290000 ;; *) most=220000 ;; esac # thousands of weights, or of statements
    check "$name: the page is small" test "$(wc -c <"$dir/$name.html")" -lt $most
done
check "a short lesson is plain text" grep -qF 'u = a*b\n' "$dir/chain.html"
check "a long one is packed" sh -c '! grep -qF "\"steps\":[" "$1"' sh "$dir/moons.html"
# shellcheck disable=SC2046
check "pages are whole in themselves" sh -c '! grep -lE "src=|href=\"?http|url\(http|@import" "$@"' sh $(files html)
for op in $(sed -n 's/^X/X/p' compiler/graph/ops.h | grep -o 'X([a-z0-9]*)' | tr -d 'X()'); do
    case $op in const | size | data | var | training | random) continue ;; esac # given to the page as values
    [ "$op" != assign ] || continue # made after all that a lesson shows
    check "the page computes $op" grep -qE "(^|[ {,])$op(:|\(n|,)" compiler/explain/page/ops.js \
        "$dir/chain.html"
done
group "data, pages by themselves"

if have dot; then
    for name in $names; do
        [ "$name" = blocks12 ] ||
            check "$name: dot draws it" dot -Tsvg "$dir/$name.dot" -o "$dir/$name.svg"
    done
else
    echo "dot is not installed: graphs are not drawn"
fi
if have python3; then
    # a step is in a loop that no result needs
    for form in json text tex dot html; do
        check "a loop without results in --$form" "$NGC" explain \
            --$form tests/emit/models/choice.ng -o "$dir/choice.$form"
    done
    # shellcheck disable=SC2046
    check "JSON fits its schema" python3 tests/explain/schema.py $(files json) "$dir/choice.json"
    set --
    for name in $loops; do
        [ "$name" = loop_dim ] || set -- "$@" "tests/explain/$name.ng" # its loop cannot be expanded
    done
    check "values of passes are those of expanded loops" python3 tests/explain/loops.py "$NGC" "$@"
    # shellcheck disable=SC2046
    check "TeX is well-formed" python3 tests/explain/tex.py $(files tex) "$dir"/jacobians_*.tex
    for model in tests/explain/jacobians.ng tests/explain/given.ng tests/explain/rules.ng examples/two_layers.ng examples/net_221.ng examples/logistic_rows.ng; do
        for layout in rows columns; do
            "$NGC" explain --jacobians --layout=$layout --json --fill $model \
                >"$dir/jacobians.json" 2>/dev/null
            check "$model: the Jacobians by $layout send down the gradients" sh \
                -c 'python3 tests/explain/schema.py "$1" 2>"$1.log" && ! grep "^0 grad" "$1.log"' \
                sh "$dir/jacobians.json"
        done
    done
else
    echo "python3 is not installed: JSON and TeX are not checked"
fi
if have pdflatex; then
    for name in $names jacobians_rows jacobians_columns; do
        [ "$name" = blocks12 ] ||
            check "$name: pdflatex sets it" pdflatex -halt-on-error -interaction=batchmode \
            -output-directory "$dir" "$dir/$name.tex"
    done
else
    echo "pdflatex is not installed: TeX is not set"
fi
group "DOT, JSON, TeX"

# Opens pages, steps through them and trains them; their numbers must be those of the interpreter. A
# run opens one in three of the examples' pages (suite.sh), and all those that have a check of their
# own.
if have chromium && have python3; then
    set --
    number=0
    for name in $names; do
        number=$((number + 1))
        case $name in
        gather | every_op | given | functions | letters | blocks12 | net_221 | xor | or_gate | \
            loop_nested | loop_large) ;;
        *) in_share 3 $number || continue ;;
        esac
        case $name in
        gather | every_op | given | edges | links | loop*) model=tests/explain/$name.ng ;;
        letters | functions) model=$dir/$name.ng ;;
        blocks12) model=examples/char_gpt.ng ;;
        *) model=examples/$name.ng ;;
        esac
        set -- "$@" "$name=$model $(sizes "$name")"
    done
    python3 -u tests/explain/pages.py "$NGC" "$dir" "$@" 2>&1 | tee "$dir/pages" |
        sed -u '/^[0-9]* passed, [0-9]* failed$/d'
    # the last line: N passed, N failed
    set -- $(tail -1 "$dir/pages" | grep -E '^[0-9]+ passed, [0-9]+ failed$' ||
        echo "0 passed, 1 failed, the pages:" "$(tail -1 "$dir/pages")")
    passed=$((passed + $1)) failed=$((failed + ${3%,}))
    group "pages in a browser"
else
    echo "chromium or python3 is not installed: pages are not opened"
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
