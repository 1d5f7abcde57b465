# cli.sh - depfiles, the manifest, warnings, messages in JSON, fmt, explain-error; a part of run.sh.
mkdir "$dir/cli" && cd "$dir/cli" || exit 2
mkdir lib 'a dir'
printf 'def twice(x) = 2*x\n' >lib/l.ng
printf 'import "l.ng"\ninput a\nJ = twice(a)\n' >m.ng

# ---- depfiles ----
says 0 '^m.c m.h: ' "$ngc" -M -I lib m.ng
[ ! -e m.c ] && grep -q '^lib/l.ng:$' "$dir/got" && good || bad "-M"
says 0 '^t.o: ' "$ngc" -M -MT t.o -I lib m.ng
ok "-MD" "$ngc" -MD -I lib m.ng -o out.c
grep -q '^out.c out.h:' out.d && grep -q ' lib/l.ng' out.d && good || bad "out.d"
ok "-MF" "$ngc" -MD -MF 'a dir/x.d' -I lib m.ng -o 'a dir/x.c'
grep -q '^a\\ dir/x.c a\\ dir/x.h:' 'a dir/x.d' && good || bad "names with blanks"
printf 'all: a\\ dir/x.c\n\t@:\ninclude a\\ dir/x.d\n' >Makefile
ok "make reads the rule" make -s
# names that make could misread: it finds the imported file, notices a change, and continues if the
# file is gone
mkdir names
printf 'all: m.c\n%%.c %%.h: %%.ng\n\t%s -MD -o $*.c $<\n-include m.d\n' "'$ngc'" >names/Makefile
for name in 'a b' 'a$b' 'a#b' 'a:b' 'a\b' 'a\ b' 'a\#b' "it's" 'a&b' '~a' '[x]*?'; do
    cp lib/l.ng "names/$name.ng"
    printf 'import "./%s.ng"\ninput a\nJ = twice(a)\n' "$name" >names/m.ng
    rm -f names/m.c names/m.d
    ok "import $name" make -C names
    touch -d '2 seconds ago' names/m.ng "names/$name.ng" && touch -d '1 second ago' names/m.[cd]
    says 0 'Nothing to be done' make -C names
    touch "names/$name.ng"
    says 0 'ngc.* -MD' make -C names
    rm "names/$name.ng" && printf 'J = 2*a\n' >names/m.ng
    ok "$name is gone" make -C names
done
printf 'J = 2*a\n' >'two
lines.ng'
says 2 'name of two lines' "$ngc" -MD 'two
lines.ng' -o lines.c
[ ! -e lines.c ] && good || bad "lines.c was written"
says 2 'wants -M or -MD' "$ngc" -MF x.d m.ng
says 2 'is the model itself' "$ngc" -MD -MF m.ng -I lib m.ng -o out.c

# ---- names, bytes ----
says 0 'gate.h - from here.ng' sh \
    -c "printf 'input a\nJ = 2*a\n' | '$ngc' - --stdin-name=sub/here.ng -o gate.c && head -1 gate.h"
grep -q 'here_predict\|here_eval' gate.c && good || bad "the prefix is the stem of --stdin-name"
says 1 'sub/here.ng:1:7: error' sh \
    -c "printf 'J = a*\n' | '$ngc' - --stdin-name=sub/here.ng -o gate.c"
"$ngc" "$top/examples/iris.ng" -o 1.c
cp "$top/examples/iris.ng" 'a dir/iris.ng'
(cd 'a dir' && HOME=/nowhere LC_ALL=C.UTF-8 LANG=de_DE.UTF-8 "$ngc" iris.ng -o 1.c) &&
    cmp 1.c 'a dir/1.c' && cmp 1.h 'a dir/1.h' && good || bad "the same bytes from anywhere"

# ---- warnings ----
printf 'input a\nparam w = 1\nJ = 2*a\ngradient J over w\n' >w.ng
says 0 'warning: .*-Wzero-gradient' "$ngc" w.ng -o w.c
says 1 'error: .*-Wzero-gradient' "$ngc" -Werror w.ng -o w.c
says 0 '' "$ngc" -Werror -Wno-zero-gradient w.ng -o w.c
[ ! -s "$dir/got" ] && good || bad "-Wno-zero-gradient"
says 1 'zero-gradient' "$ngc" -Werror -Wno-all -Wzero-gradient w.ng -o w.c
says 2 "did you mean '-Wno-zero-gradient'" "$ngc" -Wno-zero-gradent w.ng
says 2 "did you mean 'train'" "$ngc" trian m.ng
says 2 "cannot be 'xml'; it is one of text json" "$ngc" --diagnostics=xml m.ng
for flag in $(grep -rhoE 'warn\([^"]*"[a-z-]+"' "$top/compiler" "$top/grammars" | sed 's/.*"\(.*\)"/\1/' | sort -u); do
    says 0 "$flag" "$ngc" --help
    says 0 '' "$ngc" -Wno-"$flag" "$top/examples/iris.ng" -o w.c
done

# ---- what is not there ----
printf 'dim m <= 8, rows = 3\ninput x[m, rows]\nhalf = x/2\noutput y = sum(half, axis = 1)\n' >d.ng
says 0 'define D_M_MAX 5' sh -c "'$ngc' -Dm=5 -D rows=2 d.ng -o d.c && cat d.h"
says 2 "^ngc: error: -D n=5: the model has no dim 'n'$" "$ngc" -D n=5 d.ng -o d.c
says 2 "has no dim 'mm'" "$ngc" train d.ng -D mm=5 --data d.ng
says 2 'keep=halv: the model computes no value of that name; did you mean .half' "$ngc" \
    --keep=halv d.ng -o d.c
says 0 'half\[8\]\[3\]' sh -c "'$ngc' --keep=half d.ng -o d.c && cat d.h"

# ---- where it cannot write ----
for command in "d.ng -o -" "-M d.ng" "--help" "--man" "--completion=zsh" "run --fill d.ng" "fmt -" \
    "explain --text --fill d.ng" "--report d.ng" "explain-error NG0301"; do
    # shellcheck disable=SC2086
    "$ngc" $command <d.ng 2>"$dir/got" >/dev/full
    [ $? = 3 ] &&
        [ "$(grep -c 'error: cannot write standard output: No space left' "$dir/got")" = 1 ] &&
        good || bad "ngc $command >/dev/full"
    # shellcheck disable=SC2086
    "$ngc" $command <d.ng 2>"$dir/got" >&-
    [ $? = 3 ] && [ "$(grep -c 'error: cannot write standard output: ' "$dir/got")" = 1 ] &&
        good || bad "ngc $command >&-"
done
says 0 '^141$' sh -c "{ '$ngc' $top/examples/lenet.ng -o - --standalone; echo \$? >status; } | true; cat status"
says 0 '^141$' sh -c "mkdir piped && cd piped && { '$ngc' --header=- $top/examples/lenet.ng -o l.c; echo \$? >status; } | true; cat status"
[ "$(ls piped)" = status ] && good || bad "a closed pipe leaves files: $(ls piped)"
cp d.ng keep.ng && ln -s keep.ng link.c
for to in keep.ng link.c ./keep.ng; do says 2 'is the model itself' "$ngc" keep.ng -o "$to"; done
cmp d.ng keep.ng && good || bad "the model was overwritten"
"$ngc" d.ng -o was.c && cp was.c old.c && cp was.h old.h
printf 'J = nope(1)\n' >no.ng
says 1 'error' "$ngc" no.ng -o was.c
(ulimit -f 1 && trap '' XFSZ && "$ngc" "$top/examples/lenet.ng" -o was.c) >"$dir/got" 2>&1
[ $? = 3 ] && cmp was.c old.c && cmp was.h old.h &&
    [ -z "$(ls | grep 'was.*\.\(tmp\|......\)$')" ] && good ||
        bad "a full disk changed the old files"
says 3 'No such file' "$ngc" d.ng -o nowhere/d.c
says 3 'Is a directory' "$ngc" d.ng -o lib
(umask 027 && "$ngc" d.ng -o mode.c) && [ "$(stat -c %a mode.c)" = 640 ] && good || bad "the umask"
if [ "$(id -u)" = 0 ] && have setpriv; then
    mkdir -m 755 rootly && "$ngc" d.ng -o rootly/d.c && cp rootly/d.c d.old
    chmod 755 "$dir" "$dir/cli" && says 3 'Permission denied' setpriv --reuid=65534 \
        --clear-groups "$ngc" m.ng -I lib -o rootly/d.c
    cmp rootly/d.c d.old && [ "$(ls rootly | wc -l)" = 2 ] && good ||
        bad "a directory that is read-only"
fi

# ---- messages in JSON, the manifest ----
printf 'input a[2, 3], b[2]\ny = a + b\nz = sofmax("\\\\")\n' >e.ng
"$ngc" --diagnostics=json e.ng -o e.c 2>e.json
if have python3; then
    ok "messages in JSON" python3 - e.json <<'PY'
import json, sys
m = [json.loads(line) for line in open(sys.argv[1])]
assert m[0]["code"] == "NG0303" and m[0]["severity"] == "error" and m[0]["file"] == "e.ng", m
assert (m[0]["line"], m[0]["column"], m[0]["end_line"], m[0]["end_column"]) == (2, 7, 2, 8), m[0]
assert len(m[0]["labels"]) == 2 and len(m[0]["notes"]) == 2 and len(m) >= 2, m
PY
    # the manifest's offsets are those of the descriptor
    for model in iris fashion or_gate; do
        for options in "" --real=double "-O0 --standalone"; do
            ok "manifest $model $options" "$ngc" $options --prefix=model \
                --manifest "$top/examples/$model.ng" -o model.c
            ok "manifest $model $options" cc -I"$top/runtime" \
                -o layout "$top/tests/embed/layout.c" model.c "$(dirname "$ngc")/libngrt.a" \
                -lopenblas -lm -lz
            ./layout >layout.txt
            ok "manifest $model $options" python3 "$top/tests/embed/layout.py" model.json layout.txt
        done
    done
fi

# ---- a library ----
ok "library" "$ngc" library "$top/examples/iris.ng" -o lib.so
ok "library, from the cache" env PATH=/nowhere "$ngc" library "$top/examples/iris.ng" -o again.so
cmp -s lib.so again.so && good || bad "the library from the cache has other bytes"
ok "library without the runtime" "$ngc" library --standalone "$top/examples/iris.ng" -o alone.so
nm -D alone.so | grep -q ngrt_ && bad "a standalone library calls the runtime" || good
says 2 '^ngc: error: -o names the library' "$ngc" library "$top/examples/iris.ng"
cp "$top/examples/iris.ng" mine.ng
says 2 'is the model itself' "$ngc" library mine.ng -o mine.ng
says 3 'cannot run the C compiler' env CC=none-such "$ngc" library --real=double mine.ng -o none.so
[ -e none.so ] && bad "a library without a compiler" || good
says 1 'NG0201' "$ngc" library -e 'y = sofmax(x)' -o none.so
if have python3; then
    "$ngc" --manifest --prefix=iris "$top/examples/iris.ng" -o iris.c
    ok "the manifest inside" python3 - ./lib.so iris.json <<'PY'
import ctypes, json, sys
library = ctypes.CDLL(sys.argv[1])
inside = ctypes.string_at(ctypes.addressof(ctypes.c_char.in_dll(library, "ngc_manifest")))
beside = json.load(open(sys.argv[2]))
assert json.loads(inside) == {**beside, "standalone": False}, inside
reads = {f["name"]: f.get("reads") for f in beside["functions"]}
assert reads["iris_predict"] == ["x"] and reads["iris_step"] == ["x", "t"] and reads["iris_init"] is None, reads
PY
fi

# ---- work keeps its values wherever it is in memory, also between forward and backward ----
printf 'input x[8, 64], t[8]: int\nh = dense(dense(x, 128, tanh), 64, relu)\nminimize J = cross_entropy(dense(h, 3), t) with sgd(lr = 0.1)\n' >moved.ng
ok "C for work that is moved" "$ngc" --standalone --prefix=model moved.ng -o model.c
once= # without kernels for several processors
[ "$(uname -m)" = x86_64 ] && once=-march=x86-64-v3
number=0
for options in "-O2" "-O0 -fsanitize=address,alignment -fno-sanitize-recover=all"; do # one in each run
    number=$((number + 1))
    in_share 2 $number || continue
    ok "work that is moved, $options" cc $once $options -I. -o moved "$top/tests/embed/moved.c" \
        model.c -lm
    says 0 'the same' ./moved
done

# ---- explain-error: every code has a page, and its examples are wrong and right ----
for code in $(sed -n 's/^    ERR_[A-Z_]* = \([0-9]*\),.*/\1/p' "$top/compiler/base/errors.h"); do
    code=$(printf NG%04d "$code")
    [ "$code" = NG0000 ] || says 0 "^$code " "$ngc" explain-error "$code"
done
says 0 'NG0301' "$ngc" explain-error 301
says 2 "no error 'NG9999'" "$ngc" explain-error NG9999
awk '/^NG/ { code = $1 } /^    (wrong|right):/ { kind = $1; sub(/^ *[a-z]*: */, ""); print code, kind, $0 }' "$top/compiler/tool/errors.txt" >pages
printf 'def two(x) = 2*x\n' >layers.ng
while read -r code kind text; do
    printf '%s\n' "$text" >page.ng
    if [ "$kind" = wrong: ]; then says 1 "$code" "$ngc" -Werror page.ng -o page.c; else
        "$ngc" page.ng -o page.c >"$dir/got" 2>&1
        if [ $? -le 1 ] && ! grep -q "$code" "$dir/got"; then good; else bad "$code: $text"; fi
    fi
done <pages

# ---- fmt ----
printf '# c\n\n\n\ndef f(x,n=2){\n\n\ny=x^n+ -x*( n-1 )   # kept\n\n\n   return y\n\n}\ninput   a[ 2,3 ],b\nJ=sum(f(a))+b\n    |> tanh\nminimize K=J over*.W,h . *.b,h.3.*\nz=a*b\n\n' >f.ng
cat >f.want <<'NG'
# c

def f(x, n = 2) {
    y = x^n + -x*(n - 1)   # kept

    return y
}
input   a[2, 3], b
J = sum(f(a)) + b
    |> tanh
minimize K = J over *.W, h.*.b, h.3.*
z = a*b
NG
says 1 '^f.ng$' "$ngc" fmt --check f.ng
ok fmt "$ngc" fmt f.ng
cmp f.ng f.want >/dev/null && good || { diff f.ng f.want; bad "fmt f.ng"; }
says 0 '' "$ngc" fmt --check f.ng
cp e.ng e2.ng && printf 'J = (\n' >broken.ng
says 1 'NG0101\|NG0102' "$ngc" fmt broken.ng
[ "$(cat broken.ng)" = 'J = (' ] && good || bad "fmt changed a broken file"
says 3 'cannot read' "$ngc" fmt nowhere.ng
number=0
for model in "$top"/examples/*.ng "$top"/examples/embed/*.ng "$top"/tests/cases/*.ng "$top"/tests/emit/models/*.ng "$top"/tests/front/*.ng "$top"/compiler/lang/prelude.ng; do # a run does one in three: suite.sh
    number=$((number + 1))
    in_share 3 $number || continue
    "$ngc" fmt - <"$model" >once.ng 2>/dev/null || continue
    "$ngc" fmt - <once.ng >twice.ng && cmp -s once.ng twice.ng && good ||
        bad "fmt $model is not stable"
    case $model in */cases/nist* | */cases/gmm* | */cases/lstm* | */front/* | */prelude.ng) continue ;; esac # the C of these takes long
    (cd "$(dirname "$model")" && "$ngc" -O0 --comments=none - -o - <"$model" >"$dir/cli/before.c" \
        2>/dev/null &&
        "$ngc" -O0 --comments=none - -o - <"$dir/cli/once.ng" >"$dir/cli/after.c" 2>/dev/null) ||
            continue
    cmp -s before.c after.c && good || bad "fmt changed what $model says"
done
for model in "$top"/examples/*.ng "$top"/examples/embed/*.ng; do
    says 0 '' "$ngc" fmt --check "$model"
done
