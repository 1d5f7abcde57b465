#!/bin/sh
# mutate.sh - are the tests strong? Each mutant of tests/mutate.c is built in a copy of the tree and tested with the quick
# suites until one fails. A mutant that no suite notices is printed: either a test is missing, or the mutant changes nothing.
# This takes long.
#
#     sh tests/mutate.sh [FILE...]      the derivatives in compiler/graph/op_*.c; or compiler/graph/simplify*.c, compiler/graph/graph.c ...
#     MUTATE_EVERY=K                    only each Kth mutant
#     MUTATE_FIRST_LOOK=1               only random models, interpreted: a minute or two, but weaker than all tests
#     MUTATE_LOG=FILE                   the result of each mutant
#
# tests/mutants.txt lists those that change nothing, with the reason: FILE: 'what' -> 'to' in: LINE # reason
set -u
cd "$(dirname "$0")/.." || exit 2
files=${*:-compiler/graph/op_*.c}
every=${MUTATE_EVERY:-1}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cc -std=c11 -O1 -o "$dir/mutate" tests/mutate.c || exit 2
for file in $files; do
    "$dir/mutate" "$file" | awk -v every="$every" -v file="$file" '(NR - 1) % every == 0 { print file, $0 }'
done >"$dir/all"
echo "$(wc -l <"$dir/all") mutants"

cat >"$dir/worker" <<'END'
cd "$dir/tree$1" || exit 2
NGC=$PWD/build/ngc BUILD=$PWD/build RANDOM_MODELS=400 CC=cc
command -v tcc >/dev/null && RANDOM_CC=tcc && export RANDOM_CC
export NGC BUILD RANDOM_MODELS
ulimit -v 4000000
build() {
    make -s CFLAGS='-O1 -w' build/ngc build/libngrt.a >log 2>&1
}
flags="-std=c11 -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 -O1 -w -Icompiler -Ibuild"
prepare() { # for the first look: 300 random models, and a program that checks them, without its mutated object
    mkdir -p models && cc $flags -o model tests/random/model.c && ./model 1 300 models && cc $flags -c -o check.o tests/random/check.c
    cc $flags -o limit tests/limit.c
}
look() { # without make: does it compile, do the models still agree?
    cc $flags -DNGC_LIBS='""' -c -o "$object" "$1" 2>log && cc -o check check.o $object build/libngc.a build/rt_ngrt_error.o -lm -ldl 2>log || return 2
    ./limit 60 ./check -n models 1 100 >log 2>&1 && ./limit 60 ./check -n models 101 200 >log 2>&1
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
suites="grad/run.sh pass/run.sh random/run.sh examples.sh"
object=build/ops.o
build && prepare || { echo "the tree does not build"; cat log; exit 2; }
look compiler/graph/ops.c || { echo "the random models fail without a mutant"; cat log; exit 2; }
for by in $suites; do
    suite $by && continue
    echo "$by fails without a mutant, and is left out: $(tail -1 log)"
    echo "$by " >>weak
done
awk -v n="$1" 'NR % 2 == n' "$dir/all" | while read -r file number line rest; do
    cp "$file" original
    object=build/$(basename "$file" .c).o
    cp "$object" original.o
    "$dir/mutate" "$file" "$number" >mutated && cp mutated "$file"
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
