#!/bin/sh
# run.sh - the layout of the C: what .clang-format says, and at most 100 columns. And its order: who calls and includes whom, as
# rooms.txt says. `tests/style/figures.py` prints both in numbers.
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
by_hand='runtime/ngrt_small\.h'

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
# Files call downward only, and in no ring but those of the table.
if tests/style/rooms.py "${BUILD:-build}" > "$dir/rooms"; then
    passed=$((passed + 1))
else
    fail "calls and includes are not those of tests/style/rooms.txt: $(cat "$dir/rooms")"
fi

# rooms_find WHAT SCRIPT: is a fault with WHAT found in the table as the sed script changes it?
rooms_find() {
    sed "$2" tests/style/rooms.txt > "$dir/table"
    if tests/style/rooms.py "${BUILD:-build}" "$dir/table" | grep -q "$1"; then
        passed=$((passed + 1))
    else
        fail "rooms.py does not find: $1"
    fi
}
rooms_find 'compiler/main is in no room' 's/: main /: /'
rooms_find 'compiler/grad (graph) calls compiler/ng.tab (syntax)' 's/^graph -> .*/graph -> base runtime/'
rooms_find 'compiler/fuse (program) includes compiler/program (emit)' 's/: program /: /; s/^room emit: /&program /'
rooms_find 'a ring of calls: compiler/lower ' '/^ring lower /d'

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
