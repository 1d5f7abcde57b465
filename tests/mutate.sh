#!/bin/sh
# mutate.sh - are the tests strong? Each mutant of tests/mutate.c is compiled in a copy of the tree
# and tested until something fails: random models, interpreted and in C; the models of `emit` and
# the examples whose C is another one than before; quick suites. Only the one object is compiled
# anew. A mutant that nothing notices is printed: either a test is missing, or the mutant changes
# nothing. A mutant that is noticed at once takes less than a second, one that is not about a
# minute.
#
#     sh tests/mutate.sh [WHAT...]      files of the compiler, one line of a file (FILE:LINE), or groups of files: derivatives
#                                       (which is what none means), reverse, shapes, rewrites, fuse, plan
#     MUTATE_COUNT=N MUTATE_SEED=S      only N of each WHAT, chosen by the seed (1), in a random order
#     MUTATE_FIRST_LOOK=1               only random models, interpreted and in C, and costs: quick, but weaker than all tests
#     MUTATE_LOG=FILE                   the result of each mutant, as they come
#     MUTATE_AGAIN=FILE                 only those that survived in such a file
#     MUTATE_JOBS=N                     how many at a time (2)
#
# tests/mutants.txt lists those that change nothing, with the reason: FILE: 'what' -> 'to' in: LINE
# # reason
set -u
cd "$(dirname "$0")/.." || exit 2
jobs=${MUTATE_JOBS:-2}
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
    *) echo "${1%:*}" ;;
    esac
}

# The mutants in a random order, a first of each group, then a second: also a run that is ended
# early has a fair share of each.
for what in ${*:-derivatives}; do
    line=
    case $what in *:*) line=${what##*:} ;; esac
    for file in $(files_of "$what"); do
        "$dir/mutate" "$file" |
            awk -v file="$file" -v line="$line" 'line == "" || $2 == line { print file, $0 }'
    done | awk -v seed="${MUTATE_SEED:-1}" '
        function next_one() { x = x*16807 % 2147483647 }
        BEGIN { x = (seed*7919 + 12345) % 2147483647; for (i = 0; i < 9; i++) next_one() }
        { next_one(); print x, $0 }' | sort -n | sed "${MUTATE_COUNT:-1000000}q" |
        awk '{ $1 = ""; print NR $0 }'
done | sort -s -n -k1,1 | cut -d' ' -f2- >"$dir/all"
if [ "${MUTATE_AGAIN-}" ]; then
    awk 'FNR == NR { if (sub(/^SURVIVED /, "")) again[$0] = 1; next }
        { text = $0; sub(/^[^ ]* [^ ]* [^ ]* /, "", text) }
        $1 ":" $3 " " text in again' "$MUTATE_AGAIN" "$dir/all" >"$dir/again"
    mv "$dir/again" "$dir/all"
fi
echo "$(wc -l <"$dir/all") mutants"

cat >"$dir/worker" <<'END'
mutants=$dir
cd "$dir/tree$1" || exit 2
NGC=$PWD/build/ngc BUILD=$PWD/build STOP_AT_FIRST=1 # of suite.sh, which sets $dir
export NGC BUILD STOP_AT_FIRST
unset KEEP
ulimit -v 8000000
. tests/suite.sh
choose_quick
flags="-std=c11 -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 -w -Icompiler -Ibuild"
suites="pass lang err grad examples"

# What is made once: random models and networks, and the programs that check them and the models of
# emit, without the object that is mutated.
prepare() {
    make -s build/ngc build/libngrt.a || return
    libs=$(runtime_libs build | tr '\n' ' ')
    gold=$(runtime_libs build | grep gold)
    more=$(nm build/file.zlib | grep -q 'U inflate' && echo -lz)
    more="$more $([ -e build/format.pb-c.o ] && echo -lprotobuf-c) -lm"
    mkdir models nets before
    cc -O1 -w -o model tests/random/model.c && ./model 1 100 models &&
        cc $flags -o functions tests/functions.c build/libngc.a -lm && ./functions >functions.txt &&
        cc -O1 -w -o net tests/random/net.c && ./net 1 40 nets functions.txt &&
        cc $flags -O1 -c -o check.o tests/random/check.c &&
        cc $flags -O1 -c -o selfcheck.o tests/emit/selfcheck.c && cc $flags -o limit tests/limit.c &&
        print_forms before
}

# The C of the models of emit and of the examples, into a folder.
print_forms() {
    for form in "" -O0 --unroll=0; do
        for m in tests/emit/models/*.ng examples/*.ng; do
            case $m in *char_* | *resnet* | *lenet* | *vectorised* | *autoencoder* | *fashion* | *series* | *mirror*) continue ;; esac
            ./limit 10 build/ngc $form "$m" --prefix=m -o - >"$1/$(basename "$m")$form" 2>&1
            [ $? -gt 1 ] && return 1
        done
    done
    return 0
}

# Does the program for a form of a model compute what the interpreter does? Sets $hash.
computes() {
    ./limit 20 ./selfcheck "$@" >p.c && $quick -Iruntime -c p.c -o p.o &&
        cc p.o $libs $quick_libs -o p && ./limit 20 ./p >out && hash=$(tail -1 out)
}

# Those whose C has changed compute the same, also without shared memory.
emitted() {
    rm -rf now && mkdir now && print_forms now || return 1
    diff -rq before now | sed -n 's/^Files before\/\(.*\) and .*/\1/p' >changed
    [ -s changed ] || return 0
    cc selfcheck.o $object build/libngc.a -lm $gold -o selfcheck || return 1
    while read -r name <&3; do
        m=tests/emit/models/${name%.ng*}.ng
        [ -e "$m" ] || m=examples/${name%.ng*}.ng
        computes ${name#*.ng} "$m" || return 1
        shared=$hash
        computes ${name#*.ng} --no-share "$m" || return 1
        [ "$shared" = "$hash" ] || return 1
    done 3<changed
    return 0
}

# Random models, in the interpreter and in C.
interpreted() { ./limit 30 ./check -n "$@"; }
compiled() { ./limit 60 ./check "$@" "$quick -Iruntime" "$quick_libs $libs"; }
random() {
    cc check.o $object build/libngc.a build/rt_ngrt_error.o $gold -lm -ldl -o check &&
        interpreted models 1 12 && compiled models 1 6 && interpreted nets 1 12 &&
        interpreted models 13 88 && compiled nets 1 4 && compiled models 7 18
}

suite() {
    script=tests/$1/run.sh
    [ -e $script ] || script=tests/$1.sh
    ./limit 300 sh $script
}

# Sets $by to what notices the mutant, or to nothing.
killer() {
    by=random
    random >log 2>&1 || return
    by=costs
    cc build/main.o $object build/file.zlib build/libngc.a $more $gold -o build/ngc >log 2>&1 &&
        ./limit 60 sh tests/pass/costs.sh >log 2>&1 || return
    by=
    [ "${MUTATE_FIRST_LOOK-}" ] && return
    by=emitted
    ar r build/libngc.a $object 2>>log && emitted >log 2>&1 || return
    for by in $suites; do
        suite $by >log 2>&1 || return
    done
    by=
}

object=build/ops.o
prepare >log 2>&1 || { echo "the tree does not build: $(tail -3 log)"; exit 2; }
random >log 2>&1 || { echo "the random models fail without a mutant: $(tail -3 log)"; exit 2; }
[ "${MUTATE_FIRST_LOOK-}" ] && suites=
for by in $suites; do
    suite $by >log 2>&1 && continue
    echo "$by fails without a mutant, and is left out: $(tail -1 log)"
    suites=$(echo " $suites " | sed "s/ $by / /")
done
awk -v n="$1" -v jobs="$jobs" 'NR % jobs == n' "$mutants/all" >mine
while read -r file number line rest <&4; do
    object=build/$(basename "$file" .c).o
    cp "$file" original
    cp "$object" original.o
    "$mutants/mutate" "$file" "$number" >mutated && cp mutated "$file"
    if ! cc $flags -O0 -DNGC_LIBS='""' -c -o "$object" "$file" >log 2>&1; then
        echo "unfit $file:$line $rest"
    else
        killer
        if [ "$by" ]; then
            echo "killed $file:$line $rest (by $by)"
        else
            echo "SURVIVED $file:$line $rest"
        fi
    fi
    cp original "$file"
    cp original.o "$object" && ar r build/libngc.a "$object" 2>/dev/null
done 4<mine
END
export dir jobs
log=${MUTATE_LOG:-$dir/log}
: >"$log"
n=0
while [ $n -lt "$jobs" ]; do
    mkdir "$dir/tree$n"
    cp -r Makefile compiler grammars runtime tests examples README.md "$dir/tree$n"
    sh "$dir/worker" $n >>"$log" 2>&1 &
    n=$((n + 1))
done
wait
# (-a: a mutant may have a byte that is not of a text)
grep -av '^killed\|^unfit\|^SURVIVED' "$log"
grep -a '^SURVIVED' "$log" | while read -r _ place rest; do
    known="${place%%:*}: $rest"
    if grep -aqF -e "$known #" tests/mutants.txt 2>/dev/null; then
        echo "changes nothing: $place $rest"
    else
        echo "SURVIVED $place $rest"
    fi
done | tee "$dir/left"
killed=$(grep -ac '^killed' "$log")
left=$(grep -ac '^SURVIVED' "$dir/left")
echo "$(grep -ac '^unfit' "$log") do not build, $(grep -ac '^changes' "$dir/left") change nothing"
echo "$killed passed, $left failed"
[ "$left" -eq 0 ] && [ "$killed" -gt 0 ]
