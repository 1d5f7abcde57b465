broken_passes="simplify layout rows collapse parts plan"
# broken.sh - passes that are wrong on purpose, for suites whose drivers are linked with the compiler; sourced.

# the flags that link broken.c into a driver
broken_link() {
    echo tests/broken.c
    for name in model_simplify modes_layout program_rows program_collapse program_parts program_plan; do
        echo "-Wl,--wrap=$name"
    done
}

# broken_found PASS COMMAND...: the command must fail if the compiler has that broken pass, and succeed if it has none
broken_found() {
    broken=$1
    shift
    if BROKEN=$broken "$@" >"$dir/broken.log" 2>&1; then
        [ "$broken" = none ]
    else
        [ "$broken" != none ]
    fi
}
