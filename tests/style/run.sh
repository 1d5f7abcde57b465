#!/bin/sh
# run.sh - the layout of the C: what .clang-format says, and at most 100 columns.
#
# Another release of clang-format lays out some lines in another way, so one release is asked for: Debian's clang-format-14.
#
#     tests/style/run.sh                from anywhere
cd "$(dirname "$0")/../.." || exit 2
format=$(command -v clang-format-14 || echo clang-format)
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

fail() {
    echo "FAIL $1"
    failed=$((failed + 1))
}

# Laid out by hand: kernels that are macros of many statements, which the program takes for expressions.
by_hand='runtime/ngrt_(gemm|conv)\.c|runtime/ngrt_small\.h'

# Sources: those of the project, not what a build or a test has made.
sources() {
    find compiler runtime examples tests -name '*.[ch]' -not -path '*/build/*' | grep -v -E "$by_hand" | sort
}

for file in $(sources); do
    if ! "$format" "$file" > "$dir/text" 2> "$dir/log"; then
        fail "$format cannot read $file: $(head -3 "$dir/log")"
    elif ! diff -u "$file" "$dir/text" > "$dir/diff"; then
        fail "$file is laid out otherwise; $format -i $file mends it:"
        head -20 "$dir/diff"
    else
        passed=$((passed + 1))
    fi
done

# What .clang-format leaves long are texts in quotes.
sources | xargs awk 'length > 100 && !/"/ { print FILENAME ":" FNR }' > "$dir/long"
if [ -s "$dir/long" ]; then
    fail "lines of more than 100 columns: $(head -20 "$dir/long")"
else
    passed=$((passed + 1))
fi

# The checker finds what it is for.
printf 'int  f(void) { return 0; }\n' > "$dir/f.c"
if "$format" --style="file:.clang-format" "$dir/f.c" | cmp -s - "$dir/f.c"; then
    fail "$format finds nothing wrong with two blanks"
else
    passed=$((passed + 1))
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
