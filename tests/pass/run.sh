#!/bin/sh
# run.sh - the results of the passes: the graph or the programs as text, with nodes numbered from 1,
# against NAME.expect.
# usage: tests/pass/run.sh [--accept]; the first line of a model, `# -d LETTERS OPTIONS: what it
# shows`, says what is printed.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/suite.sh
cd tests/pass || exit 1
ngc=$NGC

for model in *.ng; do
    options=$(sed -n '1s/^# \(-d [^:]*\):.*/\1/p' "$model")
    "$ngc" $options "$model" -o "$dir/out.c" 2>&1 |
        awk '{ out = ""
               while (match($0, /%[0-9]+/)) {
                   id = substr($0, RSTART, RLENGTH)
                   if (!(id in seen)) seen[id] = ++count
                   out = out substr($0, 1, RSTART - 1) "%" seen[id]
                   $0 = substr($0, RSTART + RLENGTH)
               }
               print out $0 }' >"$dir/got"
    if [ "${1-}" = --accept ]; then
        cp "$dir/got" "${model%.ng}.expect"
    elif [ -n "$options" ] && diff -u "${model%.ng}.expect" "$dir/got"; then
        passed=$((passed + 1))
    else
        echo "FAIL tests/pass/$model"
        failed=$((failed + 1))
    fi
done
# The table says which passes are needed; the others can be left out. The model is valid after every
# pass, and with each left out.
words=$(tr '\n' ' ' < ../../compiler/program/passes.c | sed 's/\[PASS_/\n&/g' |
    sed -n '/needed = true/!s/^\[PASS_[A-Z]*\] = {"\([a-z]*\)".*/\1/p' | tr '\n' ' ')
check "the words of --without are those of the table" grep -q "^ *\"${words% }\";" \
    ../../compiler/program/passes.c
for model in programs.ng rows.ng ../emit/models/conv.ng ../emit/models/sparse.ng; do
    check "$model is sound" "$ngc" --verify -d lesxijgtoaurcnmfhpwv "$model" -o "$dir/out.c"
    for word in $words; do
        check "$model without $word" "$ngc" --verify --without=$word "$model" -o "$dir/out.c"
    done
done
changes() { # does leaving out a pass change the result for MODEL?
    "$ngc" "$2" -o "$dir/with.c" && "$ngc" --without=$1 "$2" -o "$dir/without.c" &&
        ! cmp -s "$dir/with.c" "$dir/without.c"
}
check "stable is a pass" changes stable bce_by_hand.ng
check "simplify is a pass" changes simplify rows.ng
check "crop is a pass" changes crop ../emit/models/crop.ng
check "join is a pass" changes join ../emit/models/join.ng
check "gates is a pass" changes gates ../emit/models/rules.ng
check "layout is a pass" changes layout ../emit/models/conv.ng
check "sparse is a pass" changes sparse ../emit/models/sparse.ng
check "loops is a pass" changes loops tidied_loop.ng
check "rows is a pass" changes rows rows.ng
check "merge is a pass" changes merge programs.ng

# The test of a grid is decided before the innermost loop, also where its elements are read across.
printf "input x[5, 40], w[20, 5]\ngradient J = sum(x[:, ::2]'*w) over x\n" >"$dir/across.ng"
without_remainders() {
    "$ngc" "$dir/across.ng" -o "$dir/across.c" && ! grep '%' "$dir/across.c"
}
check "a grid without vectors has a loop for each place" without_remainders
# The loop over a batch that is read across goes inwards.
printf 'input x[2, 3, 8, 8], K[3, 1, 3, 3]\ngradient J = sum(conv(x, K, 2, 1, 1, 3)^2) over x\n' >"$dir/turned.ng"
goes_inwards() {
    "$ngc" -d v "$dir/turned.ng" -o "$dir/turned.c" 2>&1 | grep -q 'loop 3 8 2 8: .* -> grads.dJ_dx'
}
check "the loop over a batch goes inwards" goes_inwards

check "no model costs more than costs.txt says" sh costs.sh

# Loops that stay loops: results, totals of batches and warnings are those of the expanded loops.
objects=$(ls "$(dirname "$ngc")"/*.o | grep -v '/rt_\|/main.o')
lib() {
    nm "$(dirname "$ngc")/plain_file.o" 2>/dev/null | grep -q 'U inflate' && echo -lz
    [ -e "$(dirname "$ngc")/format.pb-c.o" ] && echo -lprotobuf-c
}
check "kept.c compiles" ${CC:-cc} -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -Wall -Wextra -Werror \
    -I../../compiler -o "$dir/kept" kept.c \
    $objects "$(dirname "$ngc")/rt_ngrt_random.o" "$(dirname "$ngc")/rt_ngrt_error.o" $(lib) -lm
expanded() { # does MODEL have the same warnings with its loops expanded?
    "$ngc" run --fill --unroll=0 "$1" 2>&1 >/dev/null | sed 's/[0-9]*:[0-9]*: //' >"$dir/kept.log"
    "$ngc" run --fill --unroll=1000000 "$1" 2>&1 >/dev/null |
        sed 's/[0-9]*:[0-9]*: //' >"$dir/expanded.log"
    diff "$dir/kept.log" "$dir/expanded.log"
}
for model in loops/*.ng; do
    check "$model: what its loops leave" "$dir/kept" "$model"
    check "$model: warnings" expanded "$model"
done

printf 'dim T <= 40\ninput x[T]\nparam a = 0.5\nh = 0\nfor t in 0..T { h = tanh(a*h + x[t]) }\nminimize J = h^2 with sgd(0.1)\n' >"$dir/length.ng"
printf 'input x[4, 8]\nh = x\nfor i in 0..9 { h = h + dense(h, 8, tanh) }\nminimize J = mean(h*h) with adam(0.1)\n' >"$dir/blocks.ng"
prints() { # prints PATTERN MODEL OPTIONS...: is the line in its C?
    pattern=$1
    shift
    "$ngc" "$@" -o "$dir/printed.c" && grep -q "$pattern" "$dir/printed.c"
}
check "no segment after the last pass" prints \
    'for (size_t t_segment = 0; t_segment < (size_t)[^0-9]' "$dir/length.ng" --segment=7
check "a table for blocks says what it holds" prints \
    '^/\* Tables for loops over blocks: row i is for pass i' "$dir/blocks.ng"
check "each table has its name there" prints \
    '^static const size_t blocks_1.*{ /\* at\[0\], .. in each pass \*/$' "$dir/blocks.ng"

# The functions that suites share: limits of processor time, and shares.
ends() { # ends STATUS PATTERN COMMAND...: under a limit of one second
    wanted=$1 pattern=$2
    shift 2
    (unset LIMIT_TIMES && limit 1 "$@") >"$dir/ended" 2>&1
    status=$?
    [ $status = "$wanted" ] && { [ -z "$pattern" ] || grep -q "$pattern" "$dir/ended"; } && return
    echo "status $status, not $wanted: $(cat "$dir/ended")"
    return 1
}
check "a limit ends what computes" ends 124 'after 1 s of processor time' sh \
    -c 'while :; do :; done'
check "and all that it starts" ends 124 'after 1 s of processor time' sh \
    -c 'while :; do (i=0; while [ $i -lt 50000 ]; do i=$((i + 1)); done); done'
check "a limit says how a program ended" ends 3 '' sh -c 'exit 3'
check "and by which signal" ends 139 '' sh -c 'kill -SEGV $$'
check "time by the clock is not counted" ends 0 '' sleep 2
export LIMIT_IDLE=2
check "what only waits is ended too" ends 124 'after 2 s in which it computed nothing' sleep 20
unset LIMIT_IDLE
shares() { # do 6 seeds in a row do each of 20 numbers once?
    for CHECK_SEED in 11 12 13 14 15 16; do
        CHECK_LONG=
        for i in $(seq 20); do in_share 6 $i && echo "$i"; done
    done | sort -n | tr '\n' ' ' | grep -qx "$(seq -s ' ' 20) "
}
check "seeds in a row do everything" shares
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
