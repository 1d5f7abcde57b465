#!/bin/sh
# run.sh - random models: the literal graph, the simplified one, C at -O0 and -O2 and without shared memory must agree, and
# gradients with differences. RANDOM_MODELS of them (2000) from number RANDOM_FIRST (1) on, a hundred to a C file.
#
# Every tenth hundred is compiled by gcc -O1, the others by tcc, which is a hundred times faster, where there is tcc; every
# twentieth for AVX2, if it can be run, whatever more the processor has, as the C's own kernels choose the best. With
# RANDOM_CC=none nothing is compiled: enough for derivatives and rewrites, and quick. Every op of ops.h must occur.
#
#     tests/random/run.sh               from anywhere; needs a built tree; BUILD says where
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-$(dirname "${NGC:-build/ngc}")}
models=${RANDOM_MODELS:-2000} first=${RANDOM_FIRST:-1}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
objects=$(ls "$build"/*.o | grep -v "/rt_\|/main.o")
libs="$PWD/$build/libngrt.a"
case $build in /*) libs=$build/libngrt.a ;; esac
nm "$libs" 2>/dev/null | grep -q 'U cblas_sgemm' && libs="$libs -lopenblas"
OPENBLAS_NUM_THREADS=1
export OPENBLAS_NUM_THREADS

cc -std=c11 -O1 -o "$dir/model" tests/random/model.c || exit 2
cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -Icompiler -o "$dir/check" tests/random/check.c $objects "$build/rt_ngrt_random.o" \
    "$build/rt_ngrt_error.o" -lm -ldl || exit 2
quick=$(command -v tcc || echo "gcc -w -O0")
case ${RANDOM_CC:-} in
none) none=-n ;;
'') none= ;;
*) quick=$RANDOM_CC none= ;;
esac

narrow=
grep -qw avx2 /proc/cpuinfo 2>/dev/null && narrow=-march=x86-64-v3
# a hundred models in a directory of their own, removed unless something failed
cat > "$dir/batch" <<'END'
at=$dir/$1
mkdir -p "$at"
count=$((first + models - $1))
[ $count -gt 100 ] && count=100
cc=$quick
case $((($1 - first) / 100 % 20)) in
0) cc="gcc -w" ;;
10) cc="gcc -w $narrow" ;;
esac
case $cc in *tcc*) libs="$(tcc -print-search-dirs | grep libtcc1.a) $libs" ;; esac
"$dir/model" "$1" $count "$at" || echo "FAIL model $1"
"$dir/check" $none "$at" "$1" $count "$cc" "$libs -lm" > "$at/log" 2>&1
status=$?
[ $status -gt 1 ] && echo "the run of models $1 to $(($1 + count - 1)) ended with status $status" >> "$at/log"
rm -f "$at"/*.c "$at"/*.so
END
export dir first models quick none libs narrow
seq "$first" 100 $((first + models - 1)) | xargs -P 2 -I{} sh "$dir/batch" {}

cat "$dir"/*/log | grep -v '^[0-9]* passed, [0-9]* failed$' | head -60
passed=$(cat "$dir"/*/log | awk '/^[0-9]+ passed, / { n += $1 } END { print n + 0 }')
failed=$((models - passed))
cat "$dir"/*/*.ops | awk '{ n[$1] += $2 } END { for (op in n) print op, n[op] }' | sort -k2n > "$dir/ops"
awk '{ printf "%s %d%s", $1, $2, NR % 8 ? "  " : "\n" } END { print "" }' "$dir/ops"
for op in $(sed -n 's/\/\*.*\*\///; s/X(\([a-z0-9_]*\))/\1/gp' compiler/ops.h); do
    grep -q "^$op [1-9]" "$dir/ops" || { echo "FAIL no model has the op $op"; failed=$((failed + 1)); }
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
