#!/bin/sh
# run.sh - derivatives: every primitive against differences, for first and second derivatives;
# kinks; digits at large numbers; optimizers; the order of computation.
#
#     sh tests/grad/run.sh      from anywhere; NGC=build/ngc, CC=cc
#
# The comment of each function says what its section does. Last line: "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/suite.sh
CC=${CC:-cc}
here=tests/grad
libs=$(runtime_libs "$build")
choose_quick

# Adds the results of a section: a file that says what failed, with "N passed, N failed" as its last
# line.
take() {
    last=$(grep -E '^[a-z: ]*[0-9]+ passed, [0-9]+ failed' "$1" | tail -1)
    [ -n "$last" ] || { fail "$1: $(tail -3 "$1")"; return; }
    grep -vF "$last" "$1"
    last=${last#*: }
    passed=$((passed + ${last%% *}))
    last=${last#*, }
    failed=$((failed + ${last%% *}))
}

# One model: its first derivatives (dJ..) agree with differences to 1e-7, the second derivatives
# (dK..) to 1e-5, and its pairs of products (D..) with each other to 1e-12. Says which case of
# $dir/cases a failure is.
differences() {
    "$NGC" check -I $here "$1" >"$dir/check" 2>"$dir/err" ||
        fail "ngc check $1: $(grep -h error "$dir/err" | head -3)"
    "$NGC" run --fill --digits=17 -I $here "$1" >"$dir/$(basename "$1" .ng).values" 2>/dev/null
    grep '^D' "$dir/$(basename "$1" .ng).values" >"$dir/pairs"
    awk -v cases="$dir/cases" '
        function result(good, number) {
            if (good) { passed++; return }
            failed++
            print "FAIL " $0 (number in text ? "   " text[number] : "")
        }
        function absolute(x) { return x < 0 ? -x : x }
        BEGIN { while ((getline line < cases) > 0) text[substr(line, 1, index(line, "|") - 1)] = line }
        /relative error/ {
            match($1, /[0-9]+/)
            match($0, /error [^ ]+/)
            error = substr($0, RSTART + 6, RLENGTH - 6)
            match($1, /[0-9]+/)
            result($2 == "ok," && error + 0 <= ($1 ~ /^dJ/ ? 1e-7 : 1e-5), substr($1, RSTART, RLENGTH))
        }
        /^D/ {
            gsub(/[][,]/, "")
            match($1, /[0-9]+/)
            result(absolute($3 - $4) <= 1e-12*(absolute($3) + 1), substr($1, RSTART, RLENGTH))
        }
        END { print passed + 0 " passed, " failed + 0 " failed" }' "$dir/check" "$dir/pairs" >"$dir/log"
    take "$dir/log"
}

# Every primitive, in every pattern of operands.
primitives() {
    functions "$(dirname "$NGC")" >"$dir/functions" || fail "functions.c"
    awk -v dir="$dir" -v functions="$dir/functions" \
        -f $here/primitives.awk $here/primitives.txt || fail "primitives.awk"
    for model in "$dir"/part*.ng "$dir/training.ng" $here/layers.ng; do
        differences "$model"
    done
}

# Each op of ops.h has a line in primitives.txt or a pattern, and is in the graph of some of these
# models, whose C emitted() takes. (random occurs only in starting values, which are not in the
# dump.)
coverage() {
    : >"$dir/used"
    for model in "$dir"/part*.ng "$dir/training.ng"; do
        name=$(basename "$model" .ng)
        "$NGC" -I $here --real=double --prefix="$name" -d l "$model" -o "$dir/$name.c" \
            2>"$dir/dump" || fail "ngc $model"
        sed -n 's/^ *%[0-9]* = \([a-z0-9_]*\).*/\1/p' "$dir/dump" >>"$dir/used"
    done
    for op in $(sed 's/)/)\n/g' compiler/graph/ops.h | sed -n 's/.*X(\([a-z0-9]*\)).*/\1/p'); do
        [ $op != assign ] || continue # made after all derivatives
        if ! grep -qx "$op" "$dir/ops"; then
            fail "$here/primitives.txt has no case for $op"
        elif [ "$op" != random ] && ! grep -qx "$op" "$dir/used"; then
            fail "no case of $here/primitives.txt makes a node $op"
        else
            passed=$((passed + 1))
        fi
    done
}

# The C of the same models in double precision against the interpreter: by a quick compiler, and in
# each run one part in six by $CC (suite.sh).
emitted() {
    printf '#include "emitted.h"\n' >"$dir/table.c"
    for model in $here/layers.ng $here/pytorch/*.ng; do
        name=$(basename "$model" .ng)
        "$NGC" --real=double --prefix="$name" "$model" -o "$dir/more_$name.c" 2>/dev/null ||
            fail "ngc $model"
        [ -e "$dir/$name.values" ] || "$NGC" run --fill --digits=17 "$model" >"$dir/$name.values" \
            2>/dev/null
    done
    number=0
    for c in "$dir"/part*.c "$dir"/more_*.c; do
        name=$(basename "$c" .c)
        name=${name#more_}
        number=$((number + 1))
        in_share 6 $number && by="$CC -O0 -w" || by=$quick
        $by -Iruntime -c "$c" -o "$c.o" || fail "$name.c by $by"
        echo "extern const ngrt_model ${name}_model;" >>"$dir/table.c"
        echo "{\"$name\", &${name}_model, \"$dir/$name.values\", 1e-4}," >>"$dir/rows"
    done
    { echo 'const Entry entries[] = {'; cat "$dir/rows"; echo '{0, 0, 0, 0}};'; } >>"$dir/table.c"
    $CC -std=c11 -O1 -Iruntime -Itests tests/emitted.c "$dir/table.c" "$dir"/*.c.o $quick_libs \
        $libs -o "$dir/emitted" ||
        { fail "the emitted C does not link"; return; }
    "$dir/emitted" >"$dir/log"
    sed '$d' "$dir/log" | cut -c1-200
    passed=$((passed + $(tail -1 "$dir/log" | cut -d' ' -f1)))
    failed=$((failed + $(tail -1 "$dir/log" | cut -d' ' -f2)))
}

# Exact values and slopes: kinks and ties, derivatives of derivatives, several losses in a model.
# Values and derivatives of PyTorch: pytorch/write.py writes them.
expected() {
    $CC -std=c11 -D_POSIX_C_SOURCE=200809L -O1 tests/expect.c -lm -o "$dir/expect" ||
        { fail "expect.c"; return; }
    "$dir/expect" $here/*.expect $here/pytorch/*.expect >"$dir/log"
    take "$dir/log"
}

# floats MODEL LEVEL COMPILER [double]: prints the results of the C of a model with 32-bit floats,
# or with doubles
floats() {
    real=${4-float}
    mkdir -p "$dir/floats" && "$NGC" "$2" --real="$real" --prefix=model "$1" \
        -o "$dir/floats/model.c" &&
        $3 -std=c99 -Iruntime -c "$dir/floats/model.c" -o "$dir/floats/model.o" &&
        $quick -std=c99 -DNUMBER="$real" -Iruntime -I"$dir/floats" -c $here/floats.c \
            -o "$dir/floats/floats.o" &&
        $CC "$dir/floats/floats.o" "$dir/floats/model.o" $quick_libs $libs -o "$dir/floats/model" &&
        "$dir/floats/model" || fail "$1 in C" >&2
}

# Digits at large numbers and near zero: the interpreter, and C with 32-bit floats.
digits() {
    "$NGC" run --digits=17 $here/stability.ng >"$dir/got" || fail "stability.ng"
    awk -v relative=1e-13 -v tiny=1e-300 -f $here/digits.awk $here/stability.txt "$dir/got" \
        >"$dir/log"
    take "$dir/log"
    floats $here/stability.ng -O2 "$CC -O1 -w" >"$dir/got"
    awk -v relative=1e-5 -v tiny=1e-37 -f $here/digits.awk $here/stability.txt "$dir/got" \
        >"$dir/log"
    take "$dir/log"
}

# The functions of masks.txt and spellings.txt are in parts: in models of hundreds of gradients,
# each takes longer.
parts="0 1 2 3 4 5 6 7"

# results NAME: the results of the models that NAME.awk makes of NAME.txt, by the interpreter
results() {
    name=$1
    for part in $parts; do
        awk -v parts=8 -v part="$part" -f "$here/$name.awk" "$here/$name.txt" >"$dir/$name.ng" ||
            fail "$name.awk" >&2
        "$NGC" run --digits=17 "$dir/$name.ng" 2>"$dir/err" || fail "$name.ng, part $part" >&2
    done
}

# results_in_c NAME LEVEL REAL OPTION-OF-AWK...: the same by C with floats or doubles; a run does
# half of the parts at each level with floats, and one with doubles
results_in_c() {
    name=$1 level=$2 real=$3
    shift 3
    [ "$real" = float ] && share=2 || share=4
    for part in $parts; do
        in_share $share $((part + ${level#-O} / 2)) || continue
        awk "$@" -v parts=8 -v part="$part" -f "$here/$name.awk" "$here/$name.txt" >"$dir/$name.ng"
        floats "$dir/$name.ng" "$level" "$quick" "$real" 2>"$dir/err"
    done
}

# Operands that are not chosen pass nothing back: the interpreter, and C with 32-bit floats at both
# levels.
masks() {
    results masks >"$dir/got"
    awk -v relative=1e-12 -f $here/masked.awk "$dir/got" >"$dir/log"
    take "$dir/log"
    for level in -O0 -O2; do
        results_in_c masks $level float -v few=1 >"$dir/in_c"
        sed 's/-nan/nan/g' "$dir/in_c" >"$dir/got"
        awk -v relative=1e-4 -f $here/masked.awk "$dir/got" >"$dir/log"
        take "$dir/log"
    done
}

# The same across the passes of loops: they give the numbers of their expanded form.
loops() {
    awk -v few=1 -f $here/loops.awk $here/masks.txt >"$dir/loops.ng"
    for unroll in 0 1000; do
        "$NGC" run --digits=6 --unroll=$unroll "$dir/loops.ng" |
            sed 's/[0-9.]*e-1[5-9]/0/g; s/-0,/0,/g; s/-0]/0]/g' >"$dir/got$unroll"
    done
    if [ -s "$dir/got0" ] && cmp "$dir/got0" "$dir/got1000"; then
        passed=$((passed + 1))
    else
        fail "loops.ng"
    fi
}

# Functions written by hand have the values of the library's functions, to 4 units in the last
# place.
spellings() {
    results spellings >"$dir/got"
    awk -v relative=8.9e-16 -v tiny=1e-30 -f $here/spelled.awk $here/spellings.txt "$dir/got" \
        >"$dir/log"
    take "$dir/log"
    for level in -O0 -O2; do
        results_in_c spellings $level double >"$dir/got"
        awk -v relative=8.9e-16 -v tiny=1e-30 -f $here/spelled.awk $here/spellings.txt "$dir/got" \
            >"$dir/log"
        take "$dir/log"
        results_in_c spellings $level float >"$dir/got"
        awk -v relative=4.8e-7 -v tiny=1e-30 -f $here/spelled.awk $here/spellings.txt "$dir/got" \
            >"$dir/log"
        take "$dir/log"
    done
}

# Random quotients of sums of exponentials: their logs, slopes and curvatures. Seed 1 makes 80, of
# which 64 are also right where an exponential overflows; the seed of the run makes others.
exponentials() {
    for seed in 1 $((CHECK_SEED + 1)); do
        least=0
        [ "$seed" = 1 ] && least=64
        awk -v seed=$seed -v count=80 -v numbers="$dir/right" -f $here/exps.awk >"$dir/exps.ng" &&
            "$NGC" run -Wno-all --digits=17 "$dir/exps.ng" >"$dir/got" 2>"$dir/err" ||
            fail "exps.ng, seed $seed: $(head -3 "$dir/err")"
        awk -v least=$least -f $here/exact.awk "$dir/right" "$dir/got" >"$dir/log"
        take "$dir/log"
    done
}

# Ten steps of each optimizer and schedule, with the emitted C in double precision.
optimizers() {
    "$NGC" --real=double $here/optimizers.ng -o "$dir/optimizers.c" &&
        $CC -std=c99 -O1 -Iruntime -I"$dir" $here/optimizers.c "$dir/optimizers.c" $libs \
            -o "$dir/optimizers" ||
        { fail "optimizers.ng in C"; return; }
    "$dir/optimizers" >"$dir/log"
    take "$dir/log"
}

# What is computed and what is not: few nodes where many paths join, no gradient for a frozen param.
nodes() {
    for level in -O0 -O2; do
        count=$("$NGC" $level -d s $here/doubling.ng -o "$dir/doubling.c" 2>&1 | grep -c '^%')
        if [ "$count" -gt 0 ] &&
            [ "$count" -lt 200 ]; then passed=$((passed + 1)); else fail "doubling.ng: $count nodes"; fi
    done
    "$NGC" $here/several.ng -o "$dir/several.c" || fail "several.ng"
    for name in dJ_da dK_db dU_dup dS_dW dS_dx; do
        if grep -q "$name" "$dir/several.h"; then
            passed=$((passed + 1))
        else
            fail "several.ng: no $name"
        fi
    done
    if grep -qE 'dJ_d(b|frozen|W)|dK_da|frozen_v' "$dir/several.h"; then fail "several.ng: a gradient of what is frozen"
    else passed=$((passed + 1)); fi
}

primitives
coverage
emitted
expected
digits
masks
loops
spellings
exponentials
optimizers
nodes
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
