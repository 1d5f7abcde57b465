#!/bin/sh
# scale.sh - the costs of compiling and running as networks grow in layers, in width, in the batch.
# BUILD=build, ROUNDS=7.
#
# Prints a line for each network: ngc's time, the size of its C, the time of cc -O2, then the line
# of run.sh. Then it prints ngc's time for graphs of 1,000, 10,000 and 100,000 nodes.
here=$(cd "$(dirname "$0")/../.." && pwd) || exit 2
build=${BUILD:-$here/build}
cc=${CC:-cc}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
failed=0

# write NAME LAYERS WIDTH BATCH: writes a network, with the products of its step as comments
write() {
    awk -v layers="$2" -v w="$3" -v m="$4" 'BEGIN {
        printf "# product %d: 0 1 %d %d %d\n# product %d: 0 0 %d %d %d\n# product %d: 1 0 %d %d %d\n", layers, m, w, w, layers - 1, m, w, w, layers, w, w, m
        printf "input x[%d, %d], y[%d, %d]\nh = x\nfor i in 0..%d {\n    h = dense(h, %d, tanh)\n}\n", m, w, m, w, layers, w
        print "minimize J = mse(h, y) with sgd(lr = 0.01)"
    }' >"$dir/$1.ng"
}
# taken COMMAND...: prints its milliseconds, or nothing if it fails
taken() {
    begin=$(date +%s%N)
    "$@" >"$dir/log" 2>&1 || { cat "$dir/log" >&2; failed=1; return; }
    echo $((($(date +%s%N) - begin) / 1000000))
}
measure() {
    write "$@"
    emitted=$(taken "$build/ngc" "$dir/$1.ng" --prefix=model -o "$dir/model.c")
    compiled=$(taken "$cc" -O2 -I"$here/runtime" -c "$dir/model.c" -o "$dir/model.o")
    printf 'ngc %4s ms   C %5s kB   cc -O2 %5s ms   ' "$emitted" \
        "$(($(wc -c <"$dir/model.c") / 1000))" "$compiled"
    ROUNDS=${ROUNDS:-7} BUILD=$build KEEP=$dir sh "$here/tests/bench/run.sh" "$dir/$1.ng" ||
        failed=1
}
for n in 1 4 16 64 256; do measure layers=$n $n 64 32; done
for n in 8 32 128 512 2048; do measure width=$n 4 $n 64; done
for n in 2 16 128 1024 8192; do measure batch=$n 4 64 $n; done
for n in 1000 10000 100000; do
    awk -v n=$n 'BEGIN { printf "input a, b\nJ = a"; for (i = 1; i < n / 3; i++) printf i % 2 ? " + a*%d" : " + sin(b*%d)", i + 1; print "\ngradient J" }' >"$dir/sum.ng"
    printf 'ngc %4s ms   nodes=%d\n' "$(taken "$build/ngc" "$dir/sum.ng" -o "$dir/model.c")" $n
done
exit $failed
