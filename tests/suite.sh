# suite.sh - what the suites share. They go to the top folder and source it. It chooses a share of
# the long tests, limits processor time, and prints lines of progress. It sets
#
#     $top              the top folder
#     $NGC              the compiler that is tested: its path from the root, also for programs that the suite starts
#     $build            the folder of the build, from the root: $BUILD, or that of $NGC
#     $dir              a folder of the suite's own, which is removed at its end, unless $KEEP is set
#     $passed $failed   counts
top=$PWD
case ${NGC:=build/ngc} in /*) ;; *) NGC=$top/$NGC ;; esac
build=${BUILD:-$(dirname "$NGC")}
case $build in /*) ;; *) build=$top/$build ;; esac
dir=$(mktemp -d) || exit 2
[ "${KEEP-}" ] || trap 'rm -rf "$dir"' EXIT
passed=0 failed=0
export NGC

# A run does each kind of test; of the long kinds, it does a share of the models or options.
# CHECK_SEED, a number, chooses the
# share: if it is one in N, N consecutive seeds do everything. CHECK_LONG=1 (`make check-long`) does
# all.
CHECK_SEED=${CHECK_SEED:-1}
CHECK_LONG=${CHECK_LONG-}
export CHECK_SEED CHECK_LONG

# in_share N INDEX: is number INDEX in this run, if the share is one in N?
in_share() {
    [ "$CHECK_LONG" ] || [ $((($2 + CHECK_SEED) % $1)) = 0 ]
}

# good: counts a check that has succeeded; fail WORD...: one that has failed, and says what. With
# STOP_AT_FIRST (mutate.sh), the suite then ends.
good() { passed=$((passed + 1)); }
fail() {
    failed=$((failed + 1))
    echo "FAIL $*"
    [ "${STOP_AT_FIRST-}" ] && exit 1
    return 0
}

# verdict STATUS WORD...: good or fail, by a status
verdict() {
    if [ "$1" = 0 ]; then good; else shift && fail "$@"; fi
}

# check NAME COMMAND...: the command must succeed; a failure is counted, and shown with the
# beginning of what it prints
check() {
    what=$1
    shift
    if "$@" >"$dir/log" 2>&1; then
        good
    else
        fail "$what"
        head -30 "$dir/log"
    fi
}

# near WANTED GOT: are these tables of numbers equal but for rounding? The order of a sum may depend
# on the number of rows.
near() {
    [ "$(wc -l <"$1")" = "$(wc -l <"$2")" ] && [ -s "$1" ] && paste -d, "$1" "$2" | awk -F, '
        function abs(x) { return x < 0 ? -x : x }
        { for (i = 1; i <= NF/2; i++) if (!(abs($i - $(i + NF/2)) <= 2e-6*(1 + abs($i)))) { print NR ": " $0; bad = 1; exit } }
        NF % 2 { bad = 1 }
        END { exit bad }'
}

# limit SECONDS COMMAND...: runs it with a limit of processor time, LIMIT_TIMES as long
limit() {
    seconds=$(($1 * ${LIMIT_TIMES:-1}))
    shift
    [ -x "$dir/limit" ] || cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 "$top/tests/limit.c" \
        -o "$dir/limit" || return 3
    "$dir/limit" $seconds "$@"
}

# Sets $spent to the processor time, in 1/10 s, of all ended children of this shell.
clock() {
    times >"$dir/times"
    spent=$(awk 'END { split($1, u, /[ms]/); split($2, s, /[ms]/); printf "%d", 600*(u[1] + s[1]) + 10*(u[2] + s[2]) }' "$dir/times")
}

group_passed=0 group_failed=0 group_spent=0
# group NAME: ends a group of checks; prints its counts and its processor time
group() {
    clock
    echo "$1: $((passed - group_passed)) checks, $((failed - group_failed)) failed ($(((spent - group_spent) / 10)) s)"
    group_passed=$passed group_failed=$failed group_spent=$spent
}

# The functions of one element that the language has, a line each (functions.c): functions BUILD
functions() {
    cc -std=c11 -O1 -I"$top/compiler" "$top/tests/functions.c" "$1/libngc.a" -lm \
        -o "$dir/functions.run" && "$dir/functions.run"
}

# Sets $quick to a compiler that does not optimize, and $quick_libs to what its objects are linked
# with. They are linked by cc, because tcc may not be able to: it binds what a library asks of the
# processor (__cpu_model) to another object's.
choose_quick() {
    quick="cc -w -O0" quick_libs=
    command -v tcc >/dev/null || return 0
    quick=tcc quick_libs="-z noexecstack $(tcc -print-search-dirs | grep libtcc1.a)"
}

# Prints the name of a C compiler for $CC that is cc with this level, whatever the rest of the
# command says: cc_with -O0. The optimizer takes longer than most tests that train, and the suites
# emit, train and emitted test it.
cc_with() {
    printf '#!/bin/sh\nexec cc "$@" %s\n' "$1" >"$dir/cc$1" && chmod +x "$dir/cc$1" &&
        echo "$dir/cc$1"
}

# Prints what an emitted program is linked with: runtime_libs BUILD. OpenBLAS is large; where gold
# is installed, it takes a third of the time that the usual linker takes.
runtime_libs() {
    echo "$1/libngrt.a"
    nm "$1/libngrt.a" 2>/dev/null | grep -q 'U cblas_sgemm' && echo -lopenblas
    echo -lm
    echo 'int main(void) { return 0; }' | cc -x c - -fuse-ld=gold -o "$dir/gold" 2>/dev/null &&
        echo -fuse-ld=gold
}

# Prints the flags that send calls of the system to faults/wrap.c, which lets them fail.
fault_wraps() {
    for name in malloc calloc realloc open mkstemp fopen fdopen read write fwrite fflush fsync \
        close fclose rename pread mkdir mkdtemp fchmod pipe fork execv fexecve; do
        echo "-Wl,--wrap=$name"
    done
}

# Prints the name of a Python that has NumPy, or nothing.
find_numpy() {
    for name in python3 /usr/bin/python3; do
        "$name" -c 'import numpy' 2>/dev/null && echo "$name" && return
    done
}
