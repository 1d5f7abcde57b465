#!/bin/sh
# run.sh - the meaning of the language: names of weights, layers that are called several times and
# their states, indices, defaults.
#
#     sh tests/lang/run.sh      from anywhere; NGC=build/ngc, CC=cc
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/suite.sh
CC=${CC:-cc}
libs=$(runtime_libs "$build")

# program MODEL OPTIONS [FLAGS]: builds MODEL.c, a program of tests/lang, with the C of MODEL.ng
program() {
    "$NGC" --manifest $2 "tests/lang/$1.ng" -o "$dir/$1.c" 2>"$dir/log" &&
        $CC -std=c99 -O1 -Wall -Wextra -Werror ${3:-} -Iruntime -I"$dir" "tests/lang/$1.c" "$dir/$1.c" \
            $libs -o "$dir/$1" 2>>"$dir/log"
}

# The results of a caller that does not set inputs, against `ngc run`.
defaults() {
    for options in "-O0" "--standalone --real=double"; do
        program defaults "$options" ||
            { fail "defaults $options: $(head -5 "$dir/log")"; continue; }
        for m in 1 3; do
            values=$("$NGC" run --digits=17 tests/lang/defaults.ng m=$m | sed 's/.* = //')
            "$dir/defaults" $m $values >"$dir/log" && good ||
                fail "defaults $options m=$m: $(cat "$dir/log")"
        done
    done
    # a large one with equal elements is short, also for compilers without ranges
    [ "$(wc -c <"$dir/defaults.c")" -lt 45000 ] && good || fail "the C of defaults.ng is long"
    sed 's/defined __GNUC__ && !defined __cplusplus/0/' "$dir/defaults.c" >"$dir/macros.c"
    values=$("$NGC" run --digits=17 tests/lang/defaults.ng m=2 | sed 's/.* = //')
    $CC -std=c99 -pedantic-errors -Iruntime -I"$dir" tests/lang/defaults.c "$dir/macros.c" $libs \
        -o "$dir/macros" 2>"$dir/log" && "$dir/macros" 2 $values >>"$dir/log" && good ||
        fail "defaults by macros: $(cat "$dir/log")"
    for text in '"default": [1, 2, 3, 0]' '"default": 2.0' '"default": "inf"' '"default": "nan"' \
        '"default": 1.5' '"default": [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]'; do
        grep -qF "$text" "$dir/defaults.json" && good || fail "defaults.json has no $text"
    done
}

# Computed indices are checked first.
indices() {
    for options in "-O0 --standalone" "-O2" "-O2 --real=double"; do
        program indices "$options" && "$dir/indices" >"$dir/log" 2>&1 && good ||
            fail "indices $options: $(head -5 "$dir/log")"
    done
    undefined="-fsanitize=undefined -fno-sanitize-recover=all"
    for options in "-O0" "-O2 --standalone"; do
        CC="$CC $undefined" program around "$options" && "$dir/around" >"$dir/log" 2>&1 && good ||
            fail "around $options: $(head -5 "$dir/log")"
    done
}

# What a loop left in the name of an input is what output delivers.
left() {
    printf 'input x\nfor i in 0..3 { x = x*2 }\noutput x\n' >"$dir/left.ng"
    "$NGC" -O0 "$dir/left.ng" -o "$dir/left.c" 2>"$dir/log" &&
        ! grep -q 'w->x = in->x;' "$dir/left.c" && [ ! -s "$dir/log" ] &&
        good || fail "output x after a loop: $(head -5 "$dir/log")"
}

# Several losses that are minimized in turn.
turns() {
    for options in "-O0" "-O2 --real=double"; do
        program turns "$options" && "$dir/turns" >"$dir/log" 2>&1 && good ||
            fail "turns $options: $(head -5 "$dir/log")"
    done
}

# The ends of a function, also where a compiler joins a product and a sum.
ends() {
    for options in "-O0" "-O2 --real=double"; do
        program ends "$options" "-O2 -ffp-contract=fast" && "$dir/ends" >"$dir/log" 2>&1 && good ||
            fail "ends $options: $(head -5 "$dir/log")"
    done
}

$CC -std=c11 -D_POSIX_C_SOURCE=200809L -O1 tests/expect.c -lm -o "$dir/expect" || exit 1
"$dir/expect" tests/lang/*.expect >"$dir/expected"
# Jacobians and Hessians with many zeros are those that are computed row by row.
sparse() {
    for seed in $(seq $((${CHECK_SEED:-1} * 25)) $((${CHECK_SEED:-1} * 25 + 24))); do
        awk -v seed="$seed" -f tests/lang/sparse.awk >"$dir/sparse.ng"
        "$NGC" run --fill "$dir/sparse.ng" 2>"$dir/log" |
            awk '/^[ahst] = / { n += $3 < 1e-12 } END { exit n != 4 }' &&
            good || fail "sparse.awk seed=$seed: $(head -3 "$dir/log")"
    done
}

last=$(tail -1 "$dir/expected")
sed '$d' "$dir/expected"
passed=$(echo "$last" | sed 's/.*: \([0-9]*\) passed.*/\1/') \
    failed=$(echo "$last" | sed 's/.* \([0-9]*\) failed/\1/')
defaults
indices
left
turns
ends
sparse
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
