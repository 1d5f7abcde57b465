#!/bin/sh
# run.sh - random models: the literal graph, the simplified one, C at -O0 and -O2, without shared
# memory and without passes must agree, and gradients with differences. RANDOM_MODELS of them (2000)
# from number RANDOM_FIRST (1) on, a hundred to a C file.
#
# Every second hundred is checked without C, which is quick, and enough for derivatives and
# rewrites. One half of a hundred in 26 is compiled by tcc, if it is installed, which is a hundred
# times faster than gcc; 3 models are compiled by gcc -O1, and 3 for AVX2, if the processor has it,
# because the C's own kernels would choose AVX-512 (suite.sh: CHECK_SEED chooses the models). With
# CHECK_LONG=1 or RANDOM_MODELS, all are compiled, every tenth hundred by gcc, the others by
# RANDOM_CC, or all if it is given; none means no compiler. RANDOM_ONCE=1 compiles each model in one
# way only, and tests nothing else, for campaigns on compilers. Of 1,000 models and more, every op
# of ops.h must occur. Passes that are wrong on purpose must be found. Half as many random networks
# (net.c) are tested in the same way: one hundred in ten without C, and 10 networks by the quick
# compiler.
#
#     tests/random/run.sh               from anywhere; needs a built tree; BUILD says where
cd "$(dirname "$0")/../.." || exit 2
. tests/suite.sh
models=${RANDOM_MODELS:-2000} first=${RANDOM_FIRST:-1}
[ "${RANDOM_MODELS-}" ] && CHECK_LONG=1
. tests/broken.sh
libs=$(runtime_libs "$build" | tr '\n' ' ')
choose_quick
OPENBLAS_NUM_THREADS=1
export OPENBLAS_NUM_THREADS

cc -std=c11 -O1 -o "$dir/model" tests/random/model.c &&
    cc -std=c11 -O1 -o "$dir/net" tests/random/net.c || exit 2
functions "$build" > "$dir/functions" || exit 2
cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -Icompiler -c tests/random/check.c -o "$dir/check.o" &&
    cc "$dir/check.o" "$build/libngc.a" "$build/rt_ngrt_error.o" -lm -ldl -o "$dir/check" || exit 2
none= once=${RANDOM_ONCE:+-1}
case ${RANDOM_CC:-} in
none) none=-n ;;
'' | tcc) ;;
*) quick=$RANDOM_CC quick_libs= ;;
esac

narrow=
grep -qw avx2 /proc/cpuinfo 2>/dev/null && narrow=-march=x86-64-v3
# job GENERATOR FIRST COUNT COMPILER: models in a directory of their own, removed unless something
# failed
cat > "$dir/job" <<'END'
at=$dir/$1_$2_$4
mkdir -p "$at"
by=$quick n=$once
case $4 in
none) n=-n ;;
gcc) by="gcc -w" quick_libs= ;;
narrow) by="gcc -w $narrow" quick_libs= ;;
esac
"$dir/$1" "$2" "$3" "$at" "$dir/functions" || echo "FAIL $1 $2"
"$dir/check" $n "$at" "$2" "$3" "$by" "$quick_libs $libs" > "$at/log" 2>&1
status=$?
[ $status -gt 1 ] && echo "the run of $1s $2 to $(($2 + $3 - 1)) ended with status $status" >> "$at/log"
rm -f "$at"/*.c "$at"/*.so
grep -v '^[0-9]* passed, [0-9]* failed$' "$at/log" | head -20
echo "$1s $2 to $(($2 + $3 - 1)), $4: $(tail -1 "$at/log")"
END
# jobs GENERATOR MODELS SHARE: hundreds of models, and the compiler for each. One hundred in SHARE
# is tested without C; a run does not compile it.
jobs() {
    number=0
    for start in $(seq "$first" 100 $((first + $2 - 1))); do
        count=$((first + $2 - start))
        [ $count -gt 100 ] && count=100
        by=none
        [ "$CHECK_LONG" ] && by=quick
        [ "$CHECK_LONG" ] && ! [ "${RANDOM_CC-}" ] &&
            case $((number % 20)) in 0) by=gcc ;; 10) by=narrow ;; esac
        [ "$none" ] && by=none
        in_share $3 $number && echo "$1 $start $count $by"
        number=$((number + 1))
    done
}
# halves: of the hundreds of models, the halves that a run compiles
halves() {
    for number in $(seq 0 $((models / 50 - 1))); do
        in_share 26 $((number % 2 * 13 + number / 2)) &&
            echo "model $((first + 50 * number)) 50 quick"
    done
}
export dir first quick quick_libs libs narrow once
{
    jobs model $models 2
    jobs net $((models / 2)) 10
    if ! [ "$CHECK_LONG" ]; then
        halves
        echo "model $((first + CHECK_SEED * 3 % models)) 3 gcc"
        echo "model $((first + (CHECK_SEED * 3 + models / 2) % models)) 3 narrow"
        [ "$none" ] || echo "net $((first + CHECK_SEED * 10 % models)) 10 quick"
    fi
} > "$dir/jobs"
xargs -P 2 -L 1 sh "$dir/job" < "$dir/jobs"

total=$(awk '{ n += $3 } END { print n }' "$dir/jobs")
passed=$(cat "$dir"/*/log | awk '/^[0-9]+ passed, / { n += $1 } END { print n + 0 }')
failed=$((total - passed))
cat "$dir"/*/*.ops | awk '{ n[$1] += $2 } END { for (op in n) print op, n[op] }' |
    sort -k2n > "$dir/ops"
awk '{ printf "%s %d%s", $1, $2, NR % 8 ? "  " : "\n" } END { print "" }' "$dir/ops"
[ $models -ge 1000 ] &&
    for op in $(sed -n 's/\/\*.*\*\///; s/X(\([a-z0-9_]*\))/\1/gp' compiler/graph/ops.h); do
    [ $op = over_ranks ] && continue # only with --ranks, which tests/ranks tests
    grep -q "^$op [1-9]" "$dir/ops" ||
        { echo "FAIL no model has the op $op"; failed=$((failed + 1)); }
done
group "models"

[ "$once" ] && { echo "$passed passed, $failed failed"; exit $((failed > 0)); }

# Texts that are written in another way, with the same numbers. Numbers 1 to 21 are of each kind.
some=30
[ "$CHECK_LONG" ] && some=$models
for by in model net; do
    at=$dir/$by.texts from=$((first + some * CHECK_SEED))
    [ "$CHECK_LONG" ] && from=$first
    mkdir "$at" "$at/new" && "$dir/$by" $from $some "$at" "$dir/functions" &&
        python3 tests/random/rewrite.py $from $some "$at" "$at/new" || exit 2
    "$dir/check" -r "$at/new" "$at" $from $some >"$at/log" 2>&1
    grep -v ' passed, ' "$at/log" | head -20
    now=$(sed -n '$s/ passed, .*//p' "$at/log")
    passed=$((passed + ${now:-0}))
    failed=$((failed + some - ${now:-0}))
done
group "other texts"

# Passes that are wrong on purpose: two models are enough, or one that has loops.
broken_models() { limit 100 "$dir/broken" "$dir/few" "$@" "$quick" "$quick_libs $libs"; }
if [ -z "$none" ]; then
    cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -Icompiler "$dir/check.o" $(broken_link) \
        "$build/libngc.a" "$build/rt_ngrt_error.o" \
        -lm -ldl -o "$dir/broken" || exit 2
    mkdir "$dir/few" && "$dir/model" 7 6 "$dir/few" "$dir/functions"
    broken_each "$broken_passes" broken_models 7 2
    broken_each "$broken_loops" broken_models 12 1
fi
# Other processors and compilers.
if [ "$CHECK_LONG" ] && ! [ "${RANDOM_MODELS-}" ] && [ "$(uname -m)" = x86_64 ]; then
    BUILD=$build sh tests/random/targets.sh >"$dir/targets.log" 2>&1
    grep -v ' passed, ' "$dir/targets.log"
    passed=$((passed + $(tail -1 "$dir/targets.log" | sed 's/ passed.*//')))
    failed=$((failed + $(tail -1 "$dir/targets.log" | sed 's/.*, \([0-9]*\) failed/\1/')))
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
