#!/bin/sh
# run.sh - ngc and the programs that it trains with, while each call of the system fails in turn,
# while they are killed at each call, and while the disk is full at each byte. The file that a
# command writes is then the old one or the new one (each.c says what must hold). The linker puts
# the failing calls into the programs (wrap.c).
#
# A run does one call in five, CHECK_SEED says which; CHECK_LONG=1 does all.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/suite.sh
ngc=$NGC
choose_quick
step=5
[ "$CHECK_LONG" ] && step=1
strict="-std=c11 -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 -D_DEFAULT_SOURCE -Wall -Wextra -O1"
wraps=$(fault_wraps)
onnx=$(nm "$build/libngc.a" 2>/dev/null | grep -q protobuf_c_message_unpack && echo -lprotobuf-c)
zlib=$(nm "$build/file.zlib" 2>/dev/null | grep -q 'U inflate' && echo -lz)

cc $strict -c tests/faults/wrap.c -o "$dir/wrap.o" &&
    cc $strict tests/faults/each.c -o "$dir/each" || exit 1
cc "$build/main.o" "$build/file.zlib" "$build/libngc.a" "$dir/wrap.o" $wraps $zlib $onnx -lm \
    -o "$dir/ngc" || exit 1
cc $strict -Icompiler tests/play/native.c "$build/libngc.a" "$dir/wrap.o" $wraps -lm \
    -o "$dir/play" || exit 1
# it finds the runtime as build/ngc does
mkdir "$dir/bin" && mv "$dir/ngc" "$dir/bin" && cp "$build/libngrt.a" "$dir/bin" &&
    cp -r runtime "$dir/runtime" || exit 1

# The compiler for programs that train: it adds the failing calls.
printf '#!/bin/sh\nexec cc "$@" -O0 %s\n' "$dir/wrap.o $(echo $wraps)" >"$dir/cc" &&
    chmod +x "$dir/cc"
export CC="$dir/cc" XDG_CACHE_HOME="$dir/cache" TMPDIR="$dir/temp" OPENBLAS_NUM_THREADS=1
mkdir "$dir/work" "$dir/temp" && cd "$dir/work" || exit 1

# each KINDS FILES COMMAND...: counts what each.c tried
each() {
    kinds=$1 written=$2
    shift 2
    "$dir/each" "$kinds" $step "$CHECK_SEED" "$written" "$@" >"$dir/log" 2>&1
    grep -v '^[0-9]* passed, [0-9]* failed$' "$dir/log"
    last=$(tail -1 "$dir/log")
    p=${last%% passed*} f=${last#*, }
    case $last in
    [0-9]*' passed, '[0-9]*' failed') passed=$((passed + p)) failed=$((failed + ${f% failed})) ;;
    *) failed=$((failed + 1)) ;;
    esac
    rm -rf "$dir"/temp/*
}

# ---- the compiler ----

printf 'import "part.ng"\ninput x[3]\nparam w[4, 3]\ny = twice(w@x)\nJ = sum(y^2)\noutput J\ngradient J\n' >m.ng
printf 'def twice(v) = 2*v\n' >part.ng
each fkd m.c,m.h "$dir/bin/ngc" m.ng -o m.c
printf "/* an older text */\n" >m.c
each fkd m.c,m.h "$dir/bin/ngc" m.ng -o m.c
each fkd none "$dir/bin/ngc" run m.ng x=[1,2,3]
each f none "$dir/bin/ngc" check m.ng
each fkd m.html "$dir/bin/ngc" explain m.ng -o m.html x=[1,2,3]
printf 'a   =  1\nb=a+   2\n' >layout.ng
each fkd layout.ng "$dir/bin/ngc" fmt layout.ng
each fkd all.c,all.h,all.d,all.json "$dir/bin/ngc" m.ng -o all.c -MD --manifest
each fk none "$dir/play" m.ng 63 x=[1,2,3]
group "compiler"

# ---- weights as constants, and ONNX ----

cat >net.ng <<'END'
dim m <= 8
input x[m, 2]
input t[m]: int
z = x |> dense(3, tanh) |> dense(2)
metric right = mean(argmax(z) == t)
output p = softmax(z)
minimize J = cross_entropy(z, t) with sgd(lr = 0.1)
END
for i in 1 2 3 4 5 6 7 8; do echo "$i,$((i * i % 5)),$((i % 2))"; done >d.csv
"$ngc" train net.ng --data d.csv --quiet --epochs 1 --save w.st >/dev/null 2>"$dir/log" ||
    cat "$dir/log"
each fkd net.c,net.h "$dir/bin/ngc" net.ng --weights w.st -o net.c
if [ "$onnx" ]; then
    each fkd net.onnx "$dir/bin/ngc" export net.ng --load w.st -o net.onnx
    "$dir/bin/ngc" export net.ng --load w.st -o given.onnx
    each fkd back.ng,back.st "$dir/bin/ngc" import given.onnx -o back.ng --save back.st
    cp given.onnx net.onnx
    each fkd net.onnx "$dir/bin/ngc" export net.ng --training -D m=4 --diagnostics=json -o net.onnx
fi
group "weights"

# ---- libraries and the cache of programs ----

# A compiler that has done its work already: what ngc does with the result is tested, many times.
made() { # PROGRAM: what is made by it
    printf '#!/bin/sh\nfor to; do :; done\necho a note >&2\ncp "%s" "$to" && chmod +x "$to"\n' "$1" >"$dir/done"
    chmod +x "$dir/done"
    rm -rf "$dir/kept"
}

# each, where nothing is kept before a run; what it keeps is what a run after it finds
each_anew() {
    real=$CC CC=$dir/done XDG_CACHE_HOME=$dir/kept
    EACH_BEFORE="rm -rf ../kept ../temp/ngc-*" EACH_LEFT="../kept/ngc/ngc-* ../temp/ngc-*"
    export CC XDG_CACHE_HOME EACH_BEFORE EACH_LEFT
    each "$@"
    CC=$real XDG_CACHE_HOME=$dir/cache
    unset EACH_BEFORE EACH_LEFT
}

"$ngc" library net.ng -o given.so 2>"$dir/log" || cat "$dir/log"
made given.so
EACH_AFTER="'$dir/bin/ngc' library net.ng -o again.so 2>/dev/null && cmp -s again.so given.so"
EACH_AFTER="$EACH_AFTER && rm again.so"
export EACH_AFTER
each_anew fk net.so "$dir/bin/ngc" library net.ng -o net.so
cp d.csv net.so
each_anew fk net.so "$dir/bin/ngc" library net.ng --weights w.st -o net.so
unset EACH_AFTER
cp given.so net.so
each fd net.so "$dir/bin/ngc" library net.ng -o net.so

kept=$(ls -t "$XDG_CACHE_HOME"/ngc/net-* | while read -r f; do
    "$f" eval --data d.csv --load w.st >/dev/null 2>&1 && echo "$f" && break
done)
made "$kept"
EACH_WHOLE="'$kept' eval --data d.csv --load w.st >/dev/null 2>&1"
export EACH_WHOLE
each_anew fk w.st "$dir/bin/ngc" train net.ng --data d.csv --quiet --epochs 1 --save w.st
unset EACH_WHOLE
group "libraries, and what is kept"

# ---- programs that train ----

EACH_WHOLE="'$ngc' eval net.ng --data d.csv --load w.st >/dev/null 2>&1"
export EACH_WHOLE
each fkd w.st "$ngc" train net.ng --data d.csv --quiet --epochs 1 --save w.st
each fk w.st "$ngc" train net.ng --data d.csv --quiet --epochs 1 --save w.st --keep-best \
    --val-split 0.25 --patience 2
each f log.csv,w.st "$ngc" train net.ng --data d.csv --quiet --epochs 1 --save w.st --log log.csv
unset EACH_WHOLE
each f none "$ngc" eval net.ng --data d.csv --load w.st
each fd c.svg,a.svg,b.png "$ngc" train net.ng --data d.csv --quiet --epochs 1 --curve=c.svg \
    --assess=a.svg --boundary=b.png
cut -d, -f1,2 d.csv >x.csv
each fkd p.csv "$ngc" predict net.ng --data x=x.csv --load w.st -o p.csv
each fkd p.npy "$ngc" predict net.ng --data x=x.csv --load w.st -o p.npy
group "training"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
