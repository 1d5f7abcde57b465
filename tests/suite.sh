# suite.sh - what suites share, sourced by them: the part of the long tests that a run does, limits of processor time, and lines
# of progress. Wants $dir, a directory of the suite's own, and the counts $passed and $failed.
#
# A run does each kind of test, the long kinds with a share of the models or options. CHECK_SEED, a number, says which share: N
# seeds in a row do everything that one in N of is done. CHECK_LONG=1 (`make check-long`) does all.
CHECK_SEED=${CHECK_SEED:-1}
CHECK_LONG=${CHECK_LONG-}
export CHECK_SEED CHECK_LONG

# in_share N INDEX: does this run do number INDEX of a kind of which one in N is done?
in_share() {
    [ "$CHECK_LONG" ] || [ $((($2 + CHECK_SEED) % $1)) = 0 ]
}

# limit SECONDS COMMAND...: with a limit of processor time
limit() {
    [ -x "$dir/limit" ] || cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 "${suite_top:-.}/tests/limit.c" -o "$dir/limit" || return 3
    "$dir/limit" "$@"
}

# Processor time of all that this shell ran and that has ended, in 1/10 s, into $spent.
clock() {
    times >"$dir/times"
    spent=$(awk 'END { split($1, u, /[ms]/); split($2, s, /[ms]/); printf "%d", 600*(u[1] + s[1]) + 10*(u[2] + s[2]) }' "$dir/times")
}

group_passed=0 group_failed=0 group_spent=0
# group NAME: a group of checks has ended: says what came of it, and its processor time
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

# What a driver that is linked with the compiler's objects needs: compiler_libs BUILD
compiler_libs() {
    nm "$1/plain_file.o" 2>/dev/null | grep -q 'U inflate' && echo -lz
    echo -lm
}
