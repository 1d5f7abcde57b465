#!/bin/sh
# run.sh - every model in models/: its emitted C against the reference interpreter, at -O0 and -O2,
# by gcc and clang, with and without sanitizers, with shared memory and without (the same bits),
# in double and in float, standalone, also for ARM; and the warnings of strict compilers.
#
# Each run does every model with a quick compiler, at both levels, and without shared memory.
# Optimizing compilers, sanitizers and warnings take long: each model gets one kind in twelve, and
# warnings by one of the compilers (suite.sh). CHECK_LONG=1 does all kinds, and so do models that
# are named. Then SANITIZED_MODELS random models of tests/random run under the sanitizers. Passes
# that are wrong on purpose must be found.
#
#     tests/emit/run.sh [MODEL...]      from anywhere; needs a built tree
cd "$(dirname "$0")/../.." || exit 2
. tests/suite.sh
strict="-std=c99 -pedantic -Wall -Wextra -Wconversion -Wsign-conversion -Wmissing-prototypes -Wshadow -Werror"
compilers=$(for c in gcc clang; do command -v $c; done)
checks=0
. tests/broken.sh
libs=$(runtime_libs "$build")
choose_quick
[ $# -gt 0 ] && CHECK_LONG=1

# run NAME OPTIONS COMPILER FLAGS: runs the program and sets $hash to the hash of its results. There
# is no warning of those that compilers give without being asked.
run() {
    checks=$((checks + 1))
    "$dir/selfcheck" $2 "$model" > "$dir/p.c" 2> "$dir/log" ||
        { fail "$1 $2: $(head -3 "$dir/log")"; return; }
    $3 $4 -Werror -Iruntime "$dir/p.c" $libs -o "$dir/p" 2> "$dir/log" ||
        { fail "$1 $2: $3 $4: $(head -5 "$dir/log")"; return; }
    "$dir/p" > "$dir/out" 2>&1 || fail "$1 $2 $3 $4: $(head -5 "$dir/out")"
    hash=$(tail -1 "$dir/out")
}

# quick NAME OPTIONS: the same with the quick compiler, which may not be able to link
quick() {
    checks=$((checks + 1))
    "$dir/selfcheck" $2 "$model" >"$dir/p.c" 2>"$dir/log" ||
        { fail "$1 $2: $(head -3 "$dir/log")"; return; }
    $quick -Iruntime -c "$dir/p.c" -o "$dir/p.o" 2>"$dir/log" &&
        cc "$dir/p.o" $libs $quick_libs -o "$dir/p" 2>>"$dir/log" ||
        { fail "$1 $2: $quick: $(head -5 "$dir/log")"; return; }
    "$dir/p" >"$dir/out" 2>&1 || fail "$1 $2 $quick: $(head -5 "$dir/out")"
    hash=$(tail -1 "$dir/out")
}

# crossed NAME: the same standalone, for 64-bit ARM
crossed() {
    command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null || return 0
    checks=$((checks + 1))
    "$dir/selfcheck" --standalone --seed=8 "$model" >"$dir/p.c" 2>"$dir/log" ||
        { fail "$1: $(head -3 "$dir/log")"; return; }
    aarch64-linux-gnu-gcc -std=c99 -O2 -static "$dir/p.c" -lm -o "$dir/p" 2>"$dir/log" ||
        { fail "$1: ARM: $(head -5 "$dir/log")"; return; }
    qemu-aarch64 "$dir/p" >"$dir/out" 2>&1 || fail "$1: ARM: $(head -5 "$dir/out")"
    command -v clang >/dev/null || return 0
    clang --target=aarch64-linux-gnu -Werror -fsyntax-only "$dir/p.c" 2>"$dir/log" ||
        fail "$1: ARM: clang: $(head -5 "$dir/log")"
}

# strict NAME OPTIONS FLAGS NUMBER: the C has no warnings, the header is C++98, all exports have the
# prefix, no .data or .bss. A run takes the compilers in turn.
strict() {
    in_share $often $4 || return 0
    turn=$4
    $build/ngc "$model" --prefix=model $2 -o "$dir/m.c" 2> "$dir/log" ||
        { fail "$1 $2: $(head -3 "$dir/log")"; return; }
    for cc in $compilers; do
        turn=$((turn + 12))
        in_share 24 $turn || continue
        checks=$((checks + 1))
        $cc $strict $3 -Iruntime -c "$dir/m.c" -o "$dir/m.o" 2> "$dir/log" ||
            fail "$1 $2: $cc: $(head -5 "$dir/log")"
        nm "$dir/m.o" | grep ' [TRDBG] ' | grep -v ' model_' > "$dir/log" &&
            fail "$1 $2 exports $(head -3 "$dir/log")"
        if [ "$3" = -O3 ] && [ -n "$native" ] && grep -q '^NGRT_KERNEL_64' "$dir/m.c"; then
            nm "$dir/m.o" | grep -q '_avx512\(\.\|$\)' ||
                fail "$1 $2: $cc: kernels for one processor"
        fi
        size -A "$dir/m.o" |
            awk '($1 == ".data" || $1 == ".bss") && $2 > 0 { print; bad = 1 } END { exit !bad }' &&
            fail "$1 $2: data"
    done
    # GCC 11 and 12 compile these wrongly: see compiler/README.md, Vectors
    grep -qw restrict "$dir/m.c" && fail "$1 $2: a pointer is restrict"
    grep -q 'optimize ("no-tree-vectorize' "$dir/m.c" || fail "$1 $2: GCC's vectoriser is not off"
    echo '#include "m.h"' > "$dir/h.cc"
    command -v g++ > /dev/null &&
        { g++ -std=c++98 -pedantic -Wall -Wextra -Werror -Iruntime -fsyntax-only "$dir/h.cc" || fail "$1 $2: C++"; }
}

cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -Icompiler -c tests/emit/selfcheck.c \
    -o "$dir/selfcheck.o" &&
    cc "$dir/selfcheck.o" $build/libngc.a -lm -o "$dir/selfcheck" || exit 2
first=$(echo $compilers | cut -d' ' -f1)
last=$(echo $compilers | awk '{ print $NF }')
sanitize="-O0 -fsanitize=address,undefined -fno-sanitize-recover=all" # with the optimizer, gcc takes twenty times as long
native= once=
[ "$(uname -m)" = x86_64 ] && native=-march=native once=-march=x86-64-v3
once="-O1 $once" # without kernels for several processors
large=25000      # bytes of C at -O0; above this, gcc -O3 takes up to a minute

# all_kinds NAME NUMBER: the long kinds, each in its turn
all_kinds() {
    often=12 # a model with much C gets one kind in 36
    [ "$($build/ngc -O0 "$model" -o - 2>/dev/null | wc -c)" -lt $large ] || often=36
    if in_share $often $2; then
        case $((($2 / 12 + $2) % 3)) in # kernels for this processor, for AVX2, for any
        0) run "$1" "" $last -O2 ;;
        1) run "$1" "" $last "-O2 -funsafe-math-optimizations -D__builtin_cpu_supports(x)=((x)[3]!='5')" ;;
        2) run "$1" "" $last "-O2 -D__builtin_cpu_supports(x)=0" ;;
        esac
    fi
    if in_share $often $(($2 + 1)); then
        run "$1" "" $first -O2
        shared=$hash
        run "$1" "--no-share" $first -O2
        [ "$shared" = "$hash" ] || fail "$1: other bits without shared memory"
    fi
    if in_share $often $(($2 + 2)) && { [ "$CHECK_LONG" ] || [ $often = 12 ]; }; then
        run "$1" "-O0 --seed=3" $first \
            "-O3 -funsafe-math-optimizations $native" # the C itself switches this off
    fi
    in_share $often $(($2 + 3)) && run "$1" "--seed=5 --dims=1" $first "$sanitize"
    in_share $often $(($2 + 4)) && run "$1" "--seed=6 --standalone" $first "$sanitize"
    in_share $often $(($2 + 5)) && run "$1" "--seed=7 -O0 --dims=3" $first "$sanitize"
    in_share $often $(($2 + 8)) && crossed "$1"
    in_share 4 $2 && run "$1" --float $first -O1
    strict "$1" "-O0" "$once" $(($2 + 6))
    strict "$1" "-O2 --real=double --standalone --comments=derivation" "$once" $(($2 + 7))
    strict "$1" "-O2" -O3 $(($2 + 4))
    return 0
}

number=0
for model in ${*:-tests/emit/models/*.ng}; do
    name=$(basename "$model" .ng)
    number=$((number + 1))
    quick "$name" ""
    shared=$hash
    quick "$name" "--no-share"
    [ "$shared" = "$hash" ] || fail "$name: other bits without shared memory"
    quick "$name" "-O0 --seed=4 --dims=2"
    if grep -q '^[^#]*for .* in ' "$model"; then # loops that stay, also where expanded ones are better
        quick "$name" "--unroll=0 --seed=8"
        quick "$name" "--unroll=0 -O0 --seed=9 --dims=1"
    fi
    grep -qE '^[^#]*(param |dense|conv|norm|embedding|_cell|attention|block)' "$model" &&
        in_share 3 $number &&
        quick "$name" "--freeze=$((43690 >> number % 2)) --seed=10" # every other param is a constant
    all_kinds "$name" $number
    passed=$((checks - failed))
    group "$name"
done

# Loops that GCC 12 took for endless, and transpositions, which have vectors in float only, at the
# level that embedders use.
[ $# -gt 0 ] || {
    model=tests/emit/models/pools.ng
    run pools "" $first -O2
    model=tests/emit/models/turned.ng
    run turned --float $first -O2
    passed=$((checks - failed))
    group "at -O2: pools; turned, in float"
}

# A loop whose number of passes is known only at run time, for every number up to its bound; whole,
# and in segments.
lengths() {
    model=tests/emit/models/passes.ng
    for n in $(seq 1 30); do
        quick "passes, $n" "--dims=$n"
        in_share 3 "$n" && quick "passes, $n, in segments" "--dims=$n --segment=7"
        in_share 3 $((n + 1)) && quick "passes, $n, in segments of parts" "--dims=$n --segment=8,3"
    done
    model=tests/emit/models/windows.ng
    for n in 1 2 3 4 5; do
        quick "windows, $n, in segments" "--dims=$n --segment=2"
    done
    for name in draws rules; do
        model=tests/emit/models/$name.ng
        quick "$name, in segments" "--unroll=0 --segment=5"
        quick "$name, in segments of parts" "--unroll=0 --segment=5,2"
    done
    passed=$((checks - failed))
    group "each number of passes"
}
[ $# -gt 0 ] || lengths

# Long sums keep their digits in float32, in each form, with the compilers in turn.
long_sums() {
    for way in "-O0|$first -O1" "-O2|$first -O2" "-O2|$last -O2" "-O2 --standalone|$first -O0"; do
        checks=$((checks + 1))
        $build/ngc ${way%|*} tests/emit/sums/sums.ng -o "$dir/sums.c" &&
            ${way#*|} -Iruntime -I"$dir" tests/emit/sums/sums.c "$dir/sums.c" \
            $libs -o "$dir/sums" && "$dir/sums" >"$dir/log" 2>&1 ||
            fail "sums: ${way%|*}, ${way#*|}: $(head -3 "$dir/log")"
    done
    passed=$((checks - failed))
    group "long sums"
}
[ $# -gt 0 ] || long_sums

cc -std=c11 -O1 -o "$dir/random" tests/random/model.c || exit 2
some=${SANITIZED_MODELS:-$([ "$CHECK_LONG" ] && echo 24 || echo 3)}
i=$((1 + some * CHECK_SEED))
last=$((i + some))
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
passed=$((checks - failed))
group "random models"

# The C of conv.ng from a compiler with a broken pass.
by_broken() {
    "$dir/broken" tests/emit/models/conv.ng >"$dir/p.c" &&
        $quick -Iruntime -c "$dir/p.c" -o "$dir/p.o" &&
        cc "$dir/p.o" $libs $quick_libs -o "$dir/p" && limit 20 "$dir/p"
}
if [ $# = 0 ]; then
    cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -Icompiler "$dir/selfcheck.o" $(broken_link) \
        $build/libngc.a -lm -o "$dir/broken" || exit 2
    passed=$((checks - failed))
    broken_each "$broken_passes" by_broken
    checks=$((passed + failed))
fi
echo "$((checks - failed)) passed, $failed failed"
[ $failed -eq 0 ]
