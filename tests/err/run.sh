#!/bin/sh
# Checks the messages of ngc for models with errors, and that it writes nothing then: each NAME.ng
# against NAME.expect, which has the messages and the exit status. Then come models with warnings,
# command lines, files that are not models, and generated texts.
# usage: tests/err/run.sh [--accept]; NGC is the compiler. --accept writes the .expect files: read
# the diff.
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/suite.sh
cd tests/err || exit 2
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
ngc=$NGC accept=0
[ "${1-}" = --accept ] && accept=1
export LC_ALL=C NO_COLOR=1
ulimit -t 20 -v 2000000 2>/dev/null

bad() { failed=$((failed + 1)); echo "FAIL $*"; }

# as_expected MODEL: checks the messages for it; leaves the files that ngc wrote
as_expected() {
    name=${1%.ng}
    rm -f "$dir/out.c" "$dir/out.h"
    "$ngc" "$1" -o "$dir/out.c" >"$dir/got" 2>&1
    echo "exit status $?" >>"$dir/got"
    if [ $accept = 1 ]; then
        cp "$dir/got" "$name.expect"
    elif diff -u "$name.expect" "$dir/got"; then
        good
    else
        bad "$name"
    fi
}
for model in *.ng; do
    as_expected "$model"
    [ -e "$dir/out.c" ] || [ -e "$dir/out.h" ] && bad "$name: a file was written"
done

# says STATUS PATTERN ARGUMENT...: ngc, run in $dir, must end with this status and a message that
# matches
says() {
    want=$1 pattern=$2
    shift 2
    (cd "$dir" && "$ngc" "$@") >"$dir/got" 2>&1 </dev/null
    status=$?
    head -20 "$dir/got" >>"$dir/messages"
    if [ $status = "$want" ] && { [ -z "$pattern" ] || grep -q -e "$pattern" "$dir/got"; }; then
        good
    else
        bad "ngc $*: status $status, not $want with '$pattern'"
        cut -c1-200 "$dir/got" | head -5
    fi
}

group "models with errors"
# ---- warnings ----
repeat() { awk -v n="$1" -v t="$2" 'BEGIN { for (i = 0; i < n; i++) printf "%s", t }'; }
numbered() { awk -v n="$1" -v t="$2" 'BEGIN { for (i = 0; i < n; i++) { s = t; gsub(/@/, i, s); gsub(/#/, i + 1, s); printf "%s\n", s } }'; }
for model in warn/*.ng; do
    as_expected "$model"
    [ -s "$dir/out.c" ] && good || bad "$name: nothing was written"
done
for case in unused:209:unused-name softmax:410:log-softmax batch:421:batch-value \
    logits:411:not-logits broadcast:412:broadcast renamed:601:renamed-identifier \
    singular:512:singular-matrix product:413:mask-product range:604:float-range; do
    name=${case%%:*} flag=${case##*:}
    code=${case#*:}
    code=NG0${code%:*}
    cp -R "warn/$name.ng" warn/lib "$dir"
    says 1 "error: .*\[$code, -W$flag\]" -Wno-all -Werror "-W$flag" "$name.ng" -o "$name.c"
    [ ! -e "$dir/$name.c" ] && good || bad "-Werror: a file was written"
    (cd "$dir" && "$ngc" "-Wno-$flag" "$name.ng" -o "$name.c") >"$dir/got" 2>&1
    [ $? = 0 ] && ! grep -q "$code" "$dir/got" && good || bad "-Wno-$flag"
done
# what a training subtracted from an input, in its file of weights
data='{"__metadata__":{"data":"input x\nall 1000000001 1\n"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
printf "\\$(printf %o ${#data})\\0\\0\\0\\0\\0\\0\\0%s\\0\\0\\0\\0" "$data" >"$dir/far.st"
printf 'dim m <= 4\ninput x[m, 1]\nparam w[1] = 1\noutput y = x @ w\n' >"$dir/far.ng"
says 0 'far.ng:2:7: warning: element 0 of x .*NG0604' --weights=far.st far.ng -o far.c
says 0 '' --real=double --weights=far.st far.ng -o far.c
[ ! -s "$dir/got" ] && good || bad "a warning about digits that a double has"
# with -Werror, the text is the same as without it
(cd warn && "$ngc" -Werror unused.ng -o "$dir/never.c") >"$dir/got" 2>&1
[ "$(grep -c 'error: ' "$dir/got")" = "$(grep -c 'warning: .*NG0[25]' warn/unused.expect)" ] &&
    [ ! -e "$dir/never.c" ] && good || bad "-Werror: not all is said"
# there are no warnings for the course and for models from elsewhere
for model in ../../examples/*.ng ../../examples/embed/*.ng ../cases/*.ng; do
    case $model in */lstm_1023_steps.ng) continue ;; esac # takes a second
    "$ngc" -M "$model" >"$dir/got" 2>&1
    grep 'unused-name\|log-softmax\|not-logits\|broadcast' "$dir/got" &&
        bad "$model: warned of" || good
done
# the message names the line that makes most of a large C; constants do not count
{ echo 'input x[3]; h = x'; echo 'k = x + 1'; echo 'for i in 0..4000 { h = h*(x + i) + sin(k*i) }'; echo 'output h'; } >"$dir/loop.ng"
says 0 'loop.ng:3:.*warning: the C is [0-9.]* MB, .*this line alone makes [0-9]* of the [0-9]* operations.*-Wlarge-output' -O0 --unroll=4000 loop.ng -o loop.c
[ "$(wc -c <"$dir/loop.c")" -gt 4194304 ] && good || bad "it is not large"
says 1 'error.*NG0602' -Werror -O0 --unroll=4000 loop.ng -o never.c
[ ! -e "$dir/never.c" ] && good || bad "-Werror: large C was written"
{ printf 'input x\ntable = ['; repeat 500000 '1.2345678, '; printf '0]\noutput y = x*table\n'; } >"$dir/table.ng"
"$ngc" "$dir/table.ng" -o "$dir/table.c" >"$dir/got" 2>&1
[ $? = 0 ] && [ ! -s "$dir/got" ] && [ "$(wc -c <"$dir/table.c")" -gt 4194304 ] && good ||
    bad "a table of numbers is warned of"

group warnings
# ---- the command line ----
printf 'J = 2*a\n' >"$dir/m.ng"
printf 'J = 2*a + b*\n' >"$dir/broken.ng"
# No option is forgotten by what reads them, which ends with status 4.
for option in $("$ngc" --completion=bash | sed -n "s/.*compgen -W '\(-[^']*\)' .*/\1/p"); do
    case $option in *=) option=${option}x ;; esac
    (cd "$dir" && mkdir -p each && cp m.ng each && cd each && "$ngc" $option m.ng) >"$dir/got" \
        2>&1 </dev/null
    if [ $? -le 3 ]; then good; else bad "$option: $(head -3 "$dir/got")"; fi
done
says 2 "did you mean '--standalone'" --standalon m.ng
says 2 "did you mean '--report'" --reprot m.ng
says 2 "unknown option '-q'" -q m.ng
says 0 "^[-+]openblas [-+]zlib [-+]onnx [-+]mpi$" --version
says 0 "^built by [A-Za-z]* .*, for [0-9]* bits" --version
says 2 "--max-operations wants a number, 1 to 1000000000, not '0'" --max-operations=0 m.ng
says 1 "m.ng:1:1: error: operations: more than 2; .*NG0221" --max-operations=2 m.ng
says 0 "^bytes of work" --max-operations=20 --report m.ng
printf 'dim m <= 8\ninput x[m, 2]\nparam w[3] = 1\nminimize J = sum(w)*sum(sort(x)) with sgd(0.1)\n' >"$dir/rows.ng"
says 1 "cannot be divided among ranks" --ranks rows.ng
says 2 "no model is named"
says 2 "no model is named" run
says 2 "is another" m.ng m.ng
says 2 "wants a value" m.ng -o
says 2 "cannot be 'half'" --real=half m.ng
says 2 "cannot be '3'" -O3 m.ng
says 2 "no pass has the letter 'Q'; there are les" -d Qz m.ng
says 2 "no pass has the letter 'z'" -d lz m.ng
says 2 "cannot be 'lower'; it is one of stable simplify " --without=lower m.ng
says 2 "wants a number of bytes, as 64M, not '12Q'" --memory=12Q m.ng
says 2 "wants a number of bytes" --memory=0 m.ng
says 2 "wants a number of bytes" --memory=M m.ng
says 2 "wants a number of bytes" --memory=9999999999G m.ng
says 2 "wants NAME=INT" -D m m.ng
says 2 "wants NAME=INT" -D m=1.5 m.ng
says 2 "C identifier" --prefix=a-b m.ng
says 3 "nowhere.ng" nowhere.ng
says 3 "irectory" .
says 3 "No such file or directory" m.ng -o nowhere/m.c
says 3 "irectory" m.ng -o .
says 2 "is not name=value" run m.ng a
printf 'input alpha\nJ = 2*alpha\n' >"$dir/alpha.ng"
says 2 "did you mean 'alpha'" run alpha.ng alhpa=1
says 2 "is not given" run m.ng
says 2 "not a number" run m.ng a=x
"$ngc" run -e 'input a, b; J = a*b' 'a=x' b=2 >"$dir/got" 2>&1
[ "$(grep -c "not a number" "$dir/got")" = 1 ] && good ||
    bad "a wrong value makes those after it wrong"
says 0 "J = 6" run -e '2*3'
says 0 "J = .1, 2." run -e '[1, 2]'
says 2 "has shape" run m.ng "a=[1, 2]"
says 1 "expected" broken.ng -o broken.c
[ -e "$dir/broken.c" ] && bad "broken.c was written" || good

# a limit that cannot be kept names one that can
cat >"$dir/deep.ng" <<'END'
dim m <= 64
input x[m, 32], t[m]: int
h1 = dense(x, 64, tanh)
h2 = dense(h1, 64, tanh)
h3 = dense(h2, 64, tanh)
minimize J = cross_entropy(dense(h3, 4), t) with sgd(lr = 0.1)
END
says 1 "does not fit into 1024 bytes; the least is [0-9]* \[NG0603\]" --memory=1K deep.ng -o deep.c
least=$(sed -n 's/.*the least is \([0-9]*\).*/\1/p' "$dir/got")
[ -e "$dir/deep.c" ] && bad "--memory=1K: a file was written"
says 0 "^bytes of work: $least " --memory="$least" --report deep.ng
says 0 "computed again: " --memory="$least" --report deep.ng
says 1 "the least is $least " --memory=$((least - 1)) deep.ng
says 1 "at -O0 each value has a member of work" --memory="$least" -O0 deep.ng
says 1 "with --no-share" --memory="$least" --no-share deep.ng
says 0 "^" --memory=1G -O0 deep.ng -o -

# a deep network of equal layers: what backward computes of forward's values alone does not live
# before it is needed
printf 'input x[8, 32], t[8]: int\nh = x\nfor i in 0..60 { h = dense(h, 32, tanh) }\nminimize J = cross_entropy(h, t) with sgd(0.1)\n' >"$dir/layers.ng"
says 0 "computed again: [0-9]* values, by [0-9]* kernels: [0-9]* flops, [0-9][.][0-9]% of the time of forward and backward" \
    --memory=77000 --report layers.ng -o "$dir/layers.c"

# with sums to what goes past the layers, and an optimizer with moments: gradients do not live to
# the end
printf 'input x[16, 32], y[16, 32]\nh = x\nfor i in 0..25 { h = h + dense(dense(h, 32, tanh), 32) }\nminimize J = mse(h, y) with adam(0.01)\n' >"$dir/past.ng"
says 0 "computed again: [0-9]* values, by [0-9]* kernels: [0-9]* flops, [0-9]*[.][0-9]% of the time of the step" \
    --memory=70K --report past.ng -o "$dir/past.c"
awk '/of the time of the step/ { sub(/%.*/, ""); exit $NF > 40 }' "$dir/got" && good ||
    bad "--memory=70K: $(grep 'of the step' "$dir/got")"

# the same with a loop, whose passes are computed again by segments
cat >"$dir/long.ng" <<'END'
input x[60, 4]
e = dense(dense(x, 12, tanh), 6, tanh)
cell = gru_cell(_, _, 5)
h = zeros([5])
for t in 0..60 { h = cell(e[t], h) }
minimize J = sum(dense(h, 40, tanh)^2) with sgd(lr = 0.1)
END
says 1 "the least is [0-9]*, with loops in segments of about [0-9]* passes, in parts of about [0-9]* \[NG0603\]" \
    --memory=1 long.ng
least=$(sed -n 's/.*the least is \([0-9]*\).*/\1/p' "$dir/got")
says 0 "^bytes of work: $least " --memory="$least" --report long.ng
says 0 "passes computed again, by segments: [1-9][0-9]* flops, [1-9][0-9]*[.][0-9]% of the time of the step" --memory="$least" \
    --report long.ng
says 1 "the least is $least, " --memory=$((least - 1)) long.ng

# parts of segments, where segments alone need too much; passes twice again
printf 'input x[4000, 2]\nparam W[2, 2] = 0.1\nh = zeros([2])\nfor t in 0..4000 { h = tanh(h @ W + x[t]) }\nJ = sum(h^2)\ngradient J over W\n' \
    >"$dir/parts.ng"
says 0 "^loop in line 4: for t in 0..4000 stays a loop, in segments of about [0-9]* passes$" \
    --memory=4K --report parts.ng
says 0 "^loop in line 4: for t in 0..4000 stays a loop, in segments of about [0-9]* passes, in parts of about [0-9]*$" \
    --memory=2K --report parts.ng
says 1 "the least is [0-9]*, with loops in segments of about [0-9]* passes, in parts of about [0-9]* \[NG0603\]" --memory=100 parts.ng
says 2 "--segment wants a number of passes.* not '5,7'" --segment=5,7 parts.ng
says 2 "--segment wants a number of passes.* not '5,'" --segment=5, parts.ng

# what --report says of loops
cat >"$dir/five.ng" <<'END'
input x
h = x
for a in 0..6 { for b in 0..6 { for c in 0..6 { for d in 0..6 { for e in 0..6 { h = sin(h + a*b + c*d*e) } } } } }
for i in 0..4 { }
output h
END
says 0 "^loop in line 3: for e in 0..6 is expanded: line 3: too many loops are inside each other" \
    --unroll=0 --report five.ng
grep -q '^loop in line 3: for e in 0..6 stays' "$dir/got" &&
    bad "--report: a loop that is expanded stays" || good
says 0 "^loop in line 3: for d in 0..6 stays a loop" --unroll=0 --report five.ng
says 0 "^loop in line 4: for i in 0..4 is expanded: line 4: no value outside of it changes" \
    --report five.ng

group "the command line"
# ---- what is written, and what is not ----
says 2 "is the model itself" m.ng -o m.ng
ln -s m.ng "$dir/link.ng"
says 2 "is the model itself" m.ng -o link.ng
says 2 "is the model itself" link.ng -o m.ng
ln "$dir/m.ng" "$dir/hard.c"
says 2 "is the model itself" m.ng -o hard.c
says 2 "is the model itself" m.ng -o other.c --header=m.ng
says 2 "the same file" m.ng -o other.c --header=other.c

# ---- a file that ngc did not write is not overwritten, unless it is named ----
cp "$dir/m.ng" "$dir/mine.ng"
for end in c h json d html; do
    rm -f "$dir"/mine.[chjd]*
    echo "/* my own */" >"$dir/mine.$end"
    cp "$dir/mine.$end" "$dir/own"
    if [ $end = html ]; then set -- explain mine.ng a=1; else set -- mine.ng --manifest -MD; fi
    says 2 "'mine.$end' is there already, and ngc did not write it: -o FILE names another" "$@"
    cmp -s "$dir/own" "$dir/mine.$end" && [ "$(ls "$dir"/mine.[chjd]*)" = "$dir/mine.$end" ] &&
        good || bad "mine.$end was overwritten"
done
rm -f "$dir"/mine.[chjd]*
echo mine >"$dir/mine.h"
says 0 "" mine.ng --header=mine.h # it is named
says 0 "" mine.ng --manifest -MD # ngc wrote these
says 0 "" mine.ng --manifest -MD
echo mine >"$dir/mine.c"
says 2 "'mine.c' is there already" mine.ng
says 0 "" mine.ng -o mine.c
: >"$dir/mine.h"
says 0 "" mine.ng
rm "$dir/mine.c" && ln -s own "$dir/mine.c"
says 2 "'mine.c' is there already" mine.ng
awk 'BEGIN { printf "def f("; for (i = 0; i < 100000; i++) printf "p%d, ", i; print "q) = q" }' >"$dir/params.ng"
limit 2 "$ngc" "$dir/params.ng" -o - 2>"$dir/got"
[ $? = 1 ] && grep -q 'error: more than 32 parameters' "$dir/got" && good ||
    bad "100,000 parameters: $(cut -c1-200 "$dir/got")"
rm -f "$dir"/mine.*

# ---- with --diagnostics=json, all messages of all commands are JSON ----
json() { # json STATUS ARGUMENT...
    want=$1
    shift
    (cd "$dir" && CC=none-such "$ngc" "$@" --diagnostics=json) 2>"$dir/got" >/dev/null </dev/null
    status=$?
    if [ $status = "$want" ] && [ -s "$dir/got" ] &&
        ! grep -v '^{"severity": "[a-z]*", .*"message": ".*}$' "$dir/got"; then
        good
    else
        bad "ngc $* --diagnostics=json: status $status, not $want, with"
        cat "$dir/got"
    fi
}
echo 'other' >"$dir/mine.c"
cp "$dir/m.ng" "$dir/mine.ng"
json 1 broken.ng
json 2 --frob
json 2 m.ng -o m.ng
json 2 m.ng -o other.c --header=other.c
json 2 mine.ng
json 3 m.ng -o nowhere/m.c
json 3 nowhere.ng
json 2
json 2 m.ng m.ng
json 2 trian m.ng
json 2 -D mm=3 m.ng
json 2 -D m m.ng
json 2 -d qz m.ng
json 2 --keep=zz m.ng
json 2 --real=half m.ng
json 2 -Wfoo m.ng
json 2 -MF x m.ng
json 2 --digits=99 run m.ng
json 2 --weights=none.st m.ng -o -
json 2 run m.ng
json 2 run m.ng a=x
json 2 run m.ng q=3
json 2 explain m.ng q=1
json 3 explain m.ng --data none.csv
json 2 explain-error 7
json 3 fmt nowhere.ng
json 1 fmt broken.ng
json 1 check broken.ng
json 3 train m.ng
json 2 train m.ng --epoks 3
json 2 m.ng --data x
[ -e /dev/full ] && json 3 m.ng -o /dev/full
# what may be meant, and where: editors offer it
fix() { # fix TEXT "LINE COLUMN END" MODEL
    printf '%s' "$3" | "$ngc" --diagnostics=json - -o "$dir/fix.c" 2>"$dir/got"
    line=${2%% *} columns=${2#* }
    grep -qF "\"fix\": {\"text\": \"$1\", \"file\": \"<stdin>\", \"line\": $line, \"column\": ${columns% *}, \"end_line\": $line, \"end_column\": ${columns#* }}" "$dir/got" && good || {
        bad "the fix $1 of $3"
        cat "$dir/got"
    }
}
fix softmax "2 5 11" 'input x[3]
z = sofmax(x)'
fix rate "2 12 15" 'def f(x, rate = 1) = x*rate
z = f(3.0, rat = 2)'
fix ^ "1 6 8" 'J = a**2'
fix = "1 3 5" 'J := a'
rm -f "$dir"/mine.*
[ "$(cat "$dir/m.ng")" = 'J = 2*a' ] && good || bad "the model was overwritten"
rm "$dir/hard.c"
if [ -c /dev/full ]; then
    says 3 "No space left" m.ng -o /dev/full
    "$ngc" "$dir/m.ng" -o - >/dev/full 2>"$dir/got"
    [ $? = 3 ] && grep -q "No space left" "$dir/got" && good || bad "-o - to a full disk"
    "$ngc" run "$dir/m.ng" a=1 >/dev/full 2>"$dir/got"
    [ $? = 3 ] && grep -q "No space left" "$dir/got" && good || bad "run to a full disk"
fi
"$ngc" run "$dir/m.ng" a=1 >&- 2>"$dir/got"
[ $? = 3 ] && good || bad "run with standard output closed"
"$ngc" "$dir/m.ng" -o - >&- 2>"$dir/got"
[ $? = 3 ] && good || bad "-o - with standard output closed"
"$ngc" "$dir/m.ng" -o "$dir/m.c" >&- 2>&- <&-
[ $? = 0 ] && [ -s "$dir/m.c" ] && good || bad "everything closed"
echo old >"$dir/old.c"
"$ngc" "$dir/broken.ng" -o "$dir/old.c" 2>/dev/null
[ "$(cat "$dir/old.c")" = old ] && good || bad "an error overwrote the old file"
[ -z "$(find "$dir" -name '*.c.*' -o -name '*.h.*')" ] && good || bad "temporary files are left"

# the last words of an ngc that cannot continue, as text and as JSON
starved() {
    (ulimit -v 300000; "$ngc" run --fill "$@" -e 'input x[8000, 8000]; y = x + 1; output z = sum(y)') >"$dir/got" 2>&1
    echo $? >>"$dir/got"
}
starved
[ "$(cat "$dir/got")" = "ngc: error: out of memory
4" ] && good || bad "without memory: $(cat "$dir/got")"
starved --diagnostics=json
[ "$(cat "$dir/got")" = '{"severity": "error", "message": "out of memory"}
4' ] && good || bad "without memory, as JSON: $(cat "$dir/got")"
cat >"$dir/bug.c" <<'END'
#include "base/ngc.h"
int main(void) { last_words_are_json(true); ngc_bug("a \"%s\"\n\\ \xc3", "text"); }
END
cc -std=c11 -I../../compiler "$dir/bug.c" "$(dirname "$ngc")/libngc.a" -lm -o "$dir/bug" &&
    "$dir/bug" >"$dir/got" 2>&1
[ "$?$(cat "$dir/got")" = '4{"severity": "error", "message": "internal error: a \"text\"\u000a\\ \u00c3"}' ] &&
    good ||
    bad "an internal error as JSON: $(cat "$dir/got")"

# a new file has the mode that the umask leaves, a file that was there keeps its own
mode_of() { ls -l "$1" | cut -c2-10; }
rm -f "$dir/mode.c" "$dir/mode.h"
(umask 027 && "$ngc" "$dir/m.ng" -o "$dir/mode.c" 2>/dev/null) &&
    [ "$(mode_of "$dir/mode.c")" = rw-r----- ] && good || bad "the mode of a new file"
chmod 600 "$dir/mode.c" && chmod 664 "$dir/mode.h"
(umask 022 && "$ngc" "$dir/m.ng" -o "$dir/mode.c" 2>/dev/null) &&
    [ "$(mode_of "$dir/mode.c")" = rw------- ] &&
        [ "$(mode_of "$dir/mode.h")" = rw-rw-r-- ] && good ||
    bad "the mode of an old file"

group "what is written"
# ---- names of files: no shell sees them, and they get into no text as more than a name ----
hostile() { # hostile NAME: a model and data of this name, by every command
    odd=$1
    printf '# </script><img src=x onerror=alert(1)> \"*/ ??/ \140\ndim m <= 4\ninput x[m, 2], t[m]: int\nz = dense(x, 2)\noutput p = softmax(z)\nminimize J = cross_entropy(z, t) with sgd(0.1)\n' >"$dir/$odd.ng"
    printf '1,2,0\n2,3,1\n' >"$dir/$odd.csv"
    says 0 "" "./$odd.ng" -o "./$odd.c" --header=plain.h --manifest
    says 0 "^z = " run --fill "./$odd.ng"
    says 0 "" explain "./$odd.ng" -o "./$odd.html"
    says 0 "" fmt --check "./$odd.ng"
    says 0 "Epoch 1" train "./$odd.ng" --data "./$odd.csv" --epochs 1 --save "./$odd.st"
    says 0 "" predict "./$odd.ng" --data "./$odd.csv" --load "./$odd.st"
    if "$ngc" --version | grep -q +onnx; then
        says 0 "" export "./$odd.ng" -o "./$odd.onnx"
        says 0 "" import "./$odd.onnx" -o "./$odd.2.ng"
        says 0 "" run --fill "./$odd.2.ng"
    fi
    cc -std=c99 -Wall -Werror -I../../runtime -c "$dir/$odd.c" -o "$dir/odd.o" >"$dir/got" 2>&1 &&
        good || bad "$odd: its C"
    [ -e "$dir/hacked" ] && bad "$odd: a shell has run it" || good
    grep -q -e '<script>alert' -e '<img' "$dir/$odd.html" &&
        bad "$odd: it is in the page as it is" || good
}
CC="$(cc_with -O0)" XDG_CACHE_HOME="$dir/cache" TMPDIR="$dir"
export CC XDG_CACHE_HOME TMPDIR
hostile "-o \$(touch hacked)\`touch hacked\`;touch hacked; 'x\" %s ?? \\ <script>alert(1)<"
says 2 "cannot include a header of the name 'a\"b.h'" m.ng -o 'a"b.c'
unset CC XDG_CACHE_HOME TMPDIR
if "$ngc" --version | grep -q +onnx; then # a line of its own would be a statement
    says 0 "" export -e 'input x; output y = 2*x' -o "$(printf 'a\nb = 1.onnx')"
    says 0 "^# imported from a?b = 1.onnx$" import "$(printf 'a\nb = 1.onnx')" -o -
fi

group "names of files"
# ---- generated texts: refuse NAME PATTERN, with the model on standard input ----
refuse() {
    cat >"$dir/large.ng"
    says 1 "$2" large.ng -o large.c
}
compiles() {
    cat >"$dir/large.ng"
    says 0 "" run --fill large.ng
}
repeat 500 'x = ,
' | refuse 'five hundred errors' 'error'
{ echo 'input x'; numbered 500 'y@ = nothing@'; } | refuse 'five hundred names' "nothing0"
{ echo 'input x'; echo 'def f0(x) = x'; numbered 5000 'def f#(x) = f@(x + 1)'; echo 'output y = f5000(x)'; } |
    refuse 'a tower of calls' 'inside one another'
{ echo 'def f0(x) = x'; numbered 60 'def f#(x) = f@(x) + f@(x)'; echo 'J = f60(a)'; } |
    refuse 'a tree of calls' 'more than 200000'
{ echo 'input x'; echo 'h0 = x'; numbered 60 'h# = h@ + h@'; echo 'J = h60'; } |
    compiles 'sixty doublings'
{ echo 'input x'; echo 'h0 = x'; numbered 60 'h# = h@*h@ + h@'; echo 'J = h60'; echo 'gradient J'; } |
    compiles 'sixty squarings'
{ echo 'input x = 1'; echo 'h0 = x'; numbered 10000 'h# = h@ + x'; echo 'output h10000'; } |
    compiles 'ten thousand statements'
{ echo 'input x = 1'; echo 'h0 = x'; numbered 2000 'h# = 1/(1 + exp(-h@))'; echo 'J = h2000'; echo 'gradient J'; } |
    compiles 'two thousand sigmoids'
{ echo 'input x = 1'; printf 'output y = x'; repeat 100000 '*x'; echo; } |
    compiles 'a hundred thousand factors'
{ echo 'l = []'; echo 'for i in 0..20000 { l = append(l, i) }'; echo 'output s = sum(l)'; } |
    compiles 'a long list'
{ echo 'input x'; repeat 300 'if training { '; echo 'y = x'; repeat 300 '}'; echo; echo 'output x'; } >"$dir/large.ng"
"$ngc" "$dir/large.ng" -o "$dir/large.c" >"$dir/got" 2>&1
[ $? -le 1 ] && good || bad "many blocks"
{ printf "J = "; repeat 2000 "("; } | refuse "brackets" 'nested too deeply'

group "generated texts"
# ---- the stack has a bound at any nesting: texts of 100,000 levels, and of 900, which the parser
# takes, on a small stack ----
deep() { # deep NAME BEFORE OPEN INNER CLOSE AFTER
    for levels in 100000 900; do
        { printf '%s' "$2"; repeat $levels "$3"; printf '%s' "$4"; repeat $levels "$5"; printf '%s\n' "$6"; } >"$dir/deep.ng"
        for kilobytes in 128 1024; do
            (ulimit -s $kilobytes && "$ngc" "$dir/deep.ng" -o "$dir/deep.c") >"$dir/got" 2>&1
            [ $? -le 1 ] && good ||
                bad "$1: $levels levels, a stack of $kilobytes KB: $(head -c 300 "$dir/got")"
        done
        head -4 "$dir/got" >>"$dir/messages"
    done
}
deep parentheses 'J = ' '(' a ')' ''
deep lists 'x = ' '[' 1 ']' '; J = sum(x)'
deep calls 'J = ' 'sin(' a ')' ''
deep minus 'J = ' '-' a '' ''
deep powers 'J = ' 'a^' 2 '' ''
deep pipes 'J = a' ' |> sin' '' '' ''
deep choices 'input x; J = ' 'where(x > 0, ' x ', 1)' ''
deep blocks 'input x; ' 'if 1 { ' 'y = x' ' }' '; output y'
deep loops 'input x; ' 'for i in 0..2 { ' 'y = x' ' }' '; output x'
deep definitions 'input x; ' 'def f(x) { ' 'return x' ' }' '; output y = f(x)'
deep rules 'def r(x) = round(x) backward(dy) = dy; J = ' 'r(' a ')' ''
numbered 3000 'def f#(x) = f@(x)+1' |
    { echo 'def f0(x) = x'; cat; echo 'J = f3000(a)'; } >"$dir/deep.ng"
(ulimit -s 128 && "$ngc" "$dir/deep.ng" -o "$dir/deep.c") >"$dir/got" 2>&1
[ $? = 1 ] && grep -q 'inside one another' "$dir/got" && good ||
    bad "a tower of calls on a small stack"
n=0
while [ $n -le 65 ]; do
    echo "import \"in$((n + 1)).ng\"" >"$dir/in$n.ng"
    n=$((n + 1))
done
says 1 'more than 64 imports inside one another' in0.ng -o in.c
{ printf '\105\015\003\0\0\0\0\0{"a":'; repeat 100000 '['; repeat 100000 ']'; } >"$dir/deep.st"
(ulimit -s 128 && "$ngc" -e 'param W[2] = 0; output y = 2*W' --weights="$dir/deep.st" \
    -o "$dir/deep.c") >"$dir/got" 2>&1
[ $? = 3 ] && grep -q 'header is damaged' "$dir/got" && good ||
    bad "lists in the header of safetensors: $(cat "$dir/got")"

group "small stacks"
# ---- every code, and every message, has a test that shows its place ----
awk -f codes.awk ../../compiler/base/errors.h ./*.expect warn/*.expect ../front/err/*.expect \
    "$dir/messages" >"$dir/got" 2>"$dir/count"
[ $? = 0 ] && [ ! -s "$dir/got" ] && [ "$(cat "$dir/count")" -ge 100 ] && good ||
    bad "codes: $(cat "$dir/got" "$dir/count")"
python3 messages.py ../.. ./*.expect warn/*.expect ../front/err/*.expect "$dir/messages" \
    >"$dir/got" 2>"$dir/count"
[ $? = 0 ] && [ ! -s "$dir/got" ] && [ "$(cat "$dir/count")" -ge 270 ] && good ||
    bad "messages: $(cat "$dir/got" "$dir/count")"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
