#!/bin/sh
# run.sh - how fast the steps of the models of this folder are: tests/bench/run.sh [MODEL | FILE.ng
# ...]; BUILD=build, ROUNDS=31, THREADS=1, KEEP=DIRECTORY.
#
# Each is compiled as the README says and timed on one thread, in turn with only its matrix products
# by OpenBLAS (bench.c). With THREADS=2 it is also timed on a pool of two, with OpenBLAS on two
# threads. Times depend on the machine: look at the ratios.
here=$(cd "$(dirname "$0")/../.." && pwd) || exit 2
build=${BUILD:-$here/build}
cc=${CC:-cc}
dir=${KEEP:-$(mktemp -d)}
[ -n "$KEEP" ] || trap 'rm -rf "$dir"' EXIT
failed=0
export OPENBLAS_NUM_THREADS="${THREADS:-1}" \
    OPENBLAS_THREAD_TIMEOUT=22 # 2^22 ticks until its idle threads sleep, about 1 ms
for model in ${*:-a b c1 c2 d e f embedding hessian}; do
    name=$(basename "$model" .ng)
    [ -f "$model" ] || model=$here/tests/bench/$name.ng
    "$build/ngc" "$model" --prefix=model -o "$dir/$name.c" &&
        "$build/ngc" "$model" -O0 --prefix=plain -o "$dir/plain.c" &&
        $cc -O2 -fPIC -I"$here/runtime" -c "$dir/$name.c" -o "$dir/$name.o" &&
            $cc -O1 -fPIC -I"$here/runtime" -c "$dir/plain.c" -o "$dir/plain.o" &&
        $cc -O2 -fPIC -I"$here/runtime" -D_GNU_SOURCE "$here/tests/bench/bench.c" \
            "$here/tests/bench/limits.c" "$dir/$name.o" "$dir/plain.o" "$build/libngrt.a" \
            -lopenblas -lm -lpthread -o "$dir/$name" &&
        "$dir/$name" "$name" "${ROUNDS:-31}" "${THREADS:-1}" < "$model" || failed=1
done
exit $failed
