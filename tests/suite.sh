# suite.sh - functions that the suites share; they source it. It chooses a share of the long tests, limits processor time, and
# prints lines of progress. It needs $dir, a directory of the suite's own, and the counts $passed and $failed.
#
# A run does each kind of test; of the long kinds, it does a share of the models or options. CHECK_SEED, a number, chooses the
# share: if it is one in N, N consecutive seeds do everything. CHECK_LONG=1 (`make check-long`) does all.
CHECK_SEED=${CHECK_SEED:-1}
CHECK_LONG=${CHECK_LONG-}
export CHECK_SEED CHECK_LONG

# in_share N INDEX: is number INDEX in this run, if the share is one in N?
in_share() {
    [ "$CHECK_LONG" ] || [ $((($2 + CHECK_SEED) % $1)) = 0 ]
}

# limit SECONDS COMMAND...: runs it with a limit of processor time
limit() {
    [ -x "$dir/limit" ] || cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 "${suite_top:-.}/tests/limit.c" -o "$dir/limit" || return 3
    "$dir/limit" "$@"
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
    # shellcheck disable=SC2046
    cc -std=c11 -O1 -I"${suite_top:-.}/compiler" "${suite_top:-.}/tests/functions.c" $(find "$1" -maxdepth 1 -name '*.o' ! -name 'rt_*' ! -name main.o) \
        "$1/rt_ngrt_random.o" $(compiler_libs "$1") -o "$dir/functions.run" && "$dir/functions.run"
}

# compiler_libs BUILD: the libraries of a driver that is linked with the compiler's objects
compiler_libs() {
    nm "$1/plain_file.o" 2>/dev/null | grep -q 'U inflate' && echo -lz
    echo -lm
}
