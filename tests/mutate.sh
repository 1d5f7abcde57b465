#!/bin/sh
# mutate.sh - are the tests strong? Each mutant of tests/mutate.c is built in a copy of the tree and
# tested with the quick suites until one fails. A mutant that no suite notices is printed: either a
# test is missing, or the mutant changes nothing. This takes long.
#
#     sh tests/mutate.sh [WHAT...]      files of the compiler, or groups of them: derivatives (which is what none means), reverse,
#                                       shapes, rewrites, fuse, plan
#     MUTATE_EVERY=K                    only each Kth mutant
#     MUTATE_COUNT=N MUTATE_SEED=S      only N of each WHAT, chosen by the seed (1)
#     MUTATE_FIRST_LOOK=1               only random models, interpreted and in C: quick, but weaker than all tests
#     MUTATE_LOG=FILE                   the result of each mutant
#
# tests/mutants.txt lists those that change nothing, with the reason: FILE: 'what' -> 'to' in: LINE
# # reason
set -u
cd "$(dirname "$0")/.." || exit 2
every=${MUTATE_EVERY:-1}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cc -std=c11 -O1 -o "$dir/mutate" tests/mutate.c || exit 2

files_of() { # the files of a group, or the file itself
    case $1 in
    derivatives) echo compiler/graph/op_*.c ;;
    reverse) echo compiler/graph/grad*.c ;;
    shapes) echo compiler/lang/builtin_shape.c compiler/lang/einsum.c compiler/lang/lower_index.c \
        compiler/graph/size.c compiler/graph/graph_map.c compiler/graph/graph_view.c \
        compiler/graph/graph_index.c ;;
    rewrites) echo compiler/graph/simplify*.c compiler/graph/stable*.c compiler/graph/range.c \
        compiler/graph/graph.c ;;
    fuse) echo compiler/program/fuse.c compiler/program/demand.c compiler/program/folded.c \
        compiler/program/stored.c compiler/program/merge.c compiler/program/parts.c \
        compiler/program/rows.c compiler/program/index.c compiler/program/val.c \
        compiler/program/loops.c compiler/program/finish.c compiler/program/order.c ;;
    plan) echo compiler/program/plan.c compiler/program/share.c compiler/program/coming.c \
        compiler/program/recompute.c compiler/program/flow*.c compiler/program/budget.c ;;
    *) echo "$1" ;;
    esac
}

# All mutants of some files, or, with MUTATE_COUNT, those with the least random numbers, in their
# order.
for what in ${*:-derivatives}; do
    for file in $(files_of "$what"); do
        "$dir/mutate" "$file" | awk -v every="$every" \
            -v file="$file" '(NR - 1) % every == 0 { print file, $0 }'
    done | awk -v seed="${MUTATE_SEED:-1}" \
        'BEGIN { x = (seed*7919 + 12345) % 2147483647; for (i = 0; i < 9; i++) x = x*16807 % 2147483647 }
        { x = x*16807 % 2147483647; print x, NR, $0 }' | sort -n | sed "${MUTATE_COUNT:-1000000}q" | sort -n -k2 | cut -d' ' -f3-
done >"$dir/all"
echo "$(wc -l <"$dir/all") mutants"

cat >"$dir/worker" <<'END'
cd "$dir/tree$1" || exit 2
NGC=$PWD/build/ngc BUILD=$PWD/build CC=cc
command -v tcc >/dev/null && RANDOM_CC=tcc && export RANDOM_CC
export NGC BUILD
ulimit -v 8000000
build() {
    make -s CFLAGS='-O1 -w' build/ngc build/libngrt.a >log 2>&1
}
flags="-std=c11 -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 -O1 -w -Icompiler -Ibuild"
prepare() { # for the first look: 300 random models, and a program that checks them, without its mutated object
    mkdir -p models && cc $flags -o model tests/random/model.c && ./model 1 300 models && cc $flags -c -o check.o tests/random/check.c
    cc $flags -o limit tests/limit.c
}
look() { # without make: does it compile, do the models still agree, in the interpreter and in C?
    cc $flags -DNGC_LIBS='""' -c -o "$object" "$1" 2>log && cc -o check check.o $object build/libngc.a build/rt_ngrt_error.o -lm -ldl 2>log || return 2
    ./limit 60 ./check -n models 1 40 >log 2>&1 && ./limit 60 ./check -n models 41 260 >log 2>&1 &&
        ./limit 60 ./check models 1 36 "$quick" "$quick_libs $libs" >log 2>&1
}
suite() { # adds a suite, by its command, if the unchanged tree passes it
    grep -q "^$1 " weak 2>/dev/null && return 0
    ./limit 600 sh "tests/$1" >log 2>&1
}
killer() { # the first suite that fails, into $by
    for by in $suites; do
        suite $by || return 0
    done
    return 1
}
suites="pass/run.sh lang/run.sh err/run.sh examples.sh grad/run.sh emit/run.sh"
mutants=$dir dir=$PWD # of suite.sh
. tests/suite.sh
choose_quick
object=build/ops.o
build && prepare || { echo "the tree does not build"; cat log; exit 2; }
libs=$(runtime_libs build | tr '\n' ' ')
look compiler/graph/ops.c || { echo "the random models fail without a mutant"; cat log; exit 2; }
for by in $suites; do
    suite $by && continue
    echo "$by fails without a mutant, and is left out: $(tail -1 log)"
    echo "$by " >>weak
done
awk -v n="$1" 'NR % 2 == n' "$mutants/all" | while read -r file number line rest; do
    cp "$file" original
    object=build/$(basename "$file" .c).o
    cp "$object" original.o
    "$mutants/mutate" "$file" "$number" >mutated && cp mutated "$file"
    look "$file"
    case $? in
    0)
        if build && ! killer; then
            echo "SURVIVED $file:$line $rest"
        else
            echo "killed $file:$line $rest (by $by)"
        fi ;;
    2) echo "unfit $file:$line $rest" ;;
    *) echo "killed $file:$line $rest (at once)" ;;
    esac
    cp original "$file"
    cp original.o "$object" && ar r build/libngc.a "$object"
done
END
export dir
[ -n "${MUTATE_FIRST_LOOK:-}" ] && sed -i 's/^suites=.*/suites=/' "$dir/worker"
for n in 0 1; do
    mkdir "$dir/tree$n"
    cp -r Makefile compiler grammars runtime tests examples README.md "$dir/tree$n"
    sh "$dir/worker" $n >"$dir/log$n" 2>&1 &
done
wait
grep -hv '^killed\|^unfit\|^SURVIVED' "$dir"/log?
[ -n "${MUTATE_LOG:-}" ] && cat "$dir"/log? >"$MUTATE_LOG"
grep -h '^SURVIVED' "$dir"/log? | while read -r _ place rest; do
    known="${place%%:*}: $rest"
    if grep -qF -e "$known #" tests/mutants.txt 2>/dev/null; then
        echo "changes nothing: $place $rest"
    else
        echo "SURVIVED $place $rest"
    fi
done | tee "$dir/left"
killed=$(cat "$dir"/log? | grep -c '^killed')
left=$(grep -c '^SURVIVED' "$dir/left")
echo "$(cat "$dir"/log? | grep -c '^unfit') do not build, $(grep -c '^changes' "$dir/left") change nothing"
echo "$killed passed, $left failed"
[ "$left" -eq 0 ] && [ "$killed" -gt 0 ]
