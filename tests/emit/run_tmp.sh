#!/bin/sh
# run.sh - every model in models/: its emitted C against the reference interpreter, at -O0 and -O2, by gcc and clang, with and
# without sanitizers, with shared memory and without (the same bits), standalone; and the warnings of strict compilers.
#
# Then a few random models of tests/random, SANITIZED_MODELS of them (24), under the sanitizers.
#
#     tests/emit/run.sh [MODEL...]      from anywhere; needs a built tree
cd "$(dirname "$0")/../.." || exit 2
build=${BUILD:-build}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
strict="-std=c99 -pedantic -Wall -Wextra -Wconversion -Wsign-conversion -Wmissing-prototypes -Wshadow -Werror"
objects=$(ls $build/*.o | grep -v "/rt_\|/main.o")
nm $build/plain_file.o | grep -q "U inflate" && objects="$objects -lz"
libs="$build/libngrt.a $(nm $build/libngrt.a 2>/dev/null | grep -q 'U cblas_sgemm' && echo -lopenblas) -lm"
compilers=$(for c in gcc clang; do command -v $c; done)
failed=0 checks=0 kernels=0

fail() {
    echo "FAIL $*"
    failed=$((failed + 1))
}

# run NAME OPTIONS COMPILER FLAGS: the program's hash of its results into $hash
run() {
    checks=$((checks + 1))
    "$dir/selfcheck" $2 "$model" > "$dir/p.c" 2> "$dir/log" || { fail "$1 $2: $(head -3 "$dir/log")"; return; }
    $3 $4 -Iruntime "$dir/p.c" $libs -o "$dir/p" 2> "$dir/log" || { fail "$1 $2: $3 $4: $(head -5 "$dir/log")"; return; }
    "$dir/p" > "$dir/out" 2>&1 || fail "$1 $2 $3 $4: $(head -5 "$dir/out")"
    hash=$(tail -1 "$dir/out")
}

# strict NAME OPTIONS FLAGS: the C without a warning, the header as C++98, nothing but the prefix exported, no .data or .bss
strict() {
    $build/ngc "$model" --prefix=model $2 -o "$dir/m.c" 2> "$dir/log" || { fail "$1 $2: $(head -3 "$dir/log")"; return; }
    for cc in $compilers; do
        checks=$((checks + 1))
        $cc $strict $3 -Iruntime -c "$dir/m.c" -o "$dir/m.o" 2> "$dir/log" || fail "$1 $2: $cc: $(head -5 "$dir/log")"
        nm "$dir/m.o" | grep ' [TRDBG] ' | grep -v ' model_' > "$dir/log" && fail "$1 $2 exports $(head -3 "$dir/log")"
        if [ "$3" = -O3 ] && [ -n "$native" ] && grep -q '^NGC_CLONES' "$dir/m.c"; then
            nm "$dir/m.o" | grep -q '_avx512$' || fail "$1 $2: $cc: kernels for one processor"
        fi
        size -A "$dir/m.o" | awk '($1 == ".data" || $1 == ".bss") && $2 > 0 { print; bad = 1 } END { exit !bad }' && fail "$1 $2: data"
    done
    echo '#include "m.h"' > "$dir/h.cc"
    command -v g++ > /dev/null && { g++ -std=c++98 -pedantic -Wall -Wextra -Werror -Iruntime -fsyntax-only "$dir/h.cc" || fail "$1 $2: C++"; }
}

cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -Icompiler -o "$dir/selfcheck" tests/emit/selfcheck.c $objects $build/rt_ngrt_random.o -lm || exit 2
first=$(echo $compilers | cut -d' ' -f1)
last=$(echo $compilers | awk '{ print $NF }')
sanitize="-O0 -fsanitize=address,undefined -fno-sanitize-recover=all" # with the optimizer, gcc takes twenty times as long
native= once=
[ "$(uname -m)" = x86_64 ] && native=-march=native once=-march=x86-64-v3
once="-O1 $once" # no kernel for several processors
for model in ${*:-tests/emit/models/*.ng}; do
    name=$(basename "$model" .ng)
    kernels=$(((kernels + 1) % 3)) # those of a model are for this processor, for AVX2, for any
    case $kernels in
    0) run "$name" "" $last -O2 ;;
    1) run "$name" "" $last "-O2 -D__builtin_cpu_supports(x)=((x)[3]!='5')" ;;
    2) run "$name" "" $last "-O2 -D__builtin_cpu_supports(x)=0" ;;
    esac
    run "$name" "" $first -O2
    shared=$hash
    run "$name" "--no-share" $first -O2
    [ "$shared" = "$hash" ] || fail "$name: other bits without shared memory"
    run "$name" "-O0 --seed=3" $first "-O3 $native" # GCC's vectoriser with masks makes wrong code of some loops
    run "$name" "--seed=5 --dims=1" $first "$sanitize"
    run "$name" "--seed=6 --standalone" $first "$sanitize"
    run "$name" "--seed=7 -O0 --dims=3" $first "$sanitize"
    strict "$name" "-O0" "$once"
    strict "$name" "-O2 --real=double --standalone --comments=derivation" "$once"
    strict "$name" "-O2" -O3
done
cc -std=c11 -O1 -o "$dir/random" tests/random/model.c || exit 2
i=1
last=$((i + ${SANITIZED_MODELS:-24}))
[ $# -gt 0 ] && i=$last
while [ $i -lt $last ]; do
    "$dir/random" $i 1 "$dir" || exit 2
    model=$dir/$i.ng
    case $((i % 3)) in
    0) run "random $i" "--seed=$i" $first "$sanitize" ;;
    1) run "random $i" "--seed=$i -O0" $first -O1 ;;
    2) run "random $i" "--seed=$i --dims=3" $first -O2 ;;
    esac
    i=$((i + 1))
done
echo "$((checks - failed)) passed, $failed failed"
[ $failed -eq 0 ]
