broken_loops="update zero escape" # faults in the order of a loop's kernels: for models that have loops
broken_passes="stable simplify training carry layout sparse fuse rows collapse finish parts plan"
# broken.sh - passes that are wrong on purpose, for suites whose drivers are linked with the
# compiler; sourced.

# the flags that link broken.c into a driver
broken_link() {
    echo tests/broken.c
    for name in model_stable model_simplify modes_training modes_carry modes_layout modes_sparse \
        program_fuse program_order program_rows program_collapse \
        program_finish program_parts program_plan; do
        echo "-Wl,--wrap=$name"
    done
}

# broken_each PASSES COMMAND...: broken_found is a check for none and for each of these passes
broken_each() {
    passes="none $1"
    shift
    for pass in $passes; do
        broken_found "$pass" "$@"
        verdict $? "the broken pass $pass was not found, or a fault without one: $(head -3 "$dir/broken.log")"
    done
    group "broken passes"
}

# broken_found PASS COMMAND...: the command must fail if the compiler has that broken pass, and
# succeed if it has none
broken_found() {
    broken=$1
    shift
    if BROKEN=$broken "$@" >"$dir/broken.log" 2>&1; then
        [ "$broken" = none ]
    else
        [ "$broken" != none ]
    fi
}
