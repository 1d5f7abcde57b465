#!/bin/sh
# run.sh - the layout of the C and of the functions of the grammars: what .clang-format says, and at
# most 100 columns. And its order: who calls and includes whom, as rooms.txt says. Then the words of
# texts and comments: words.awk. `tests/style/figures.py` prints layout and order in numbers.
#
# Other releases of clang-format lay out some lines differently, so this asks for one release:
# Debian's clang-format-14.
#
#     tests/style/run.sh                from anywhere
cd "$(dirname "$0")/../.." || exit 2
. tests/suite.sh
format=$(command -v clang-format-14 || echo clang-format)

# Laid out by hand: kernels that are macros with many statements, which clang-format takes for
# expressions.
by_hand='runtime/ngrt_small\.h'

# The sources of the project, without files that a build or a test has made.
sources() {
    find compiler runtime examples tests \( -name '*.[ch]' -o -name '*.hpp' \) -not \
        -path '*/build/*' | grep -v -E "$by_hand" | sort
}

# Says of each file what is laid out otherwise.
check_each() {
    for file in $(sources); do
        if ! "$format" "$file" > "$dir/text" 2> "$dir/log"; then
            fail "$format cannot read $file: $(head -3 "$dir/log")"
        elif ! diff -u "$file" "$dir/text" > "$dir/diff"; then
            fail "$file is not laid out by $format; run $format -i $file:"
            head -20 "$dir/diff"
        else
            passed=$((passed + 1))
        fi
    done
}

# All files in one process take a fifth of the time that one for each takes.
if sources | xargs "$format" --dry-run --Werror 2> "$dir/log"; then
    passed=$((passed + $(sources | wc -l)))
else
    check_each
fi

# The grammars: their functions, which follow the second `%%`.
for file in grammars/ng.l grammars/ng.y; do
    awk 'sections == 2; /^%%$/ { sections++ }' "$file" > "$dir/functions.c"
    if "$format" --style="file:.clang-format" "$dir/functions.c" |
        diff -u "$dir/functions.c" - > "$dir/diff"; then
        passed=$((passed + 1))
    else
        fail "the functions of $file are laid out otherwise:"
        head -20 "$dir/diff"
    fi
done

# .clang-format leaves long lines only for texts in quotes.
{ sources; ls grammars/ng.[ly]; } |
    xargs awk 'length > 100 && !/"/ { print FILENAME ":" FNR }' > "$dir/long"
if [ -s "$dir/long" ]; then
    fail "lines of more than 100 columns: $(head -20 "$dir/long")"
else
    passed=$((passed + 1))
fi

# The check finds a mistake.
printf 'int  f(void) { return 0; }\n' > "$dir/f.c"
if "$format" --style="file:.clang-format" "$dir/f.c" | cmp -s - "$dir/f.c"; then
    fail "$format finds nothing wrong with two blanks"
else
    passed=$((passed + 1))
fi

# Files call downward only, and in no ring but those of the table.
if tests/style/rooms.py "$build" > "$dir/rooms"; then
    passed=$((passed + 1))
else
    fail "calls and includes are not those of tests/style/rooms.txt: $(cat "$dir/rooms")"
fi

# rooms_find WHAT SCRIPT: is a fault with WHAT found in the table as the sed script changes it?
rooms_find() {
    sed "$2" tests/style/rooms.txt > "$dir/table"
    tests/style/rooms.py "$build" "$dir/table" > "$dir/found"
    if grep -q "$1" "$dir/found"; then
        passed=$((passed + 1))
    else
        fail "rooms.py does not find: $1"
    fi
}
rooms_find 'compiler/tool/main is in no room' '/^tool ->/d'
rooms_find 'compiler/graph/grad_rule (graph) calls compiler/syntax/ng.tab (syntax)' \
    's/^graph -> .*/graph -> base runtime/'
rooms_find 'compiler/emit/emit (emit) includes compiler/program/module (program)' \
    's/^emit -> program/emit ->/'
rooms_find 'a ring of calls: compiler/lang/lower ' '/^ring lower /d'
rooms_find 'compiler/emit/emit_kernel calls compiler/emit/emit_loops, which is above it' \
    's/ emit_loops / /; s/ emit_index / emit_index emit_loops /'
rooms_find 'compiler/emit/emit_body is not in the ladder of emit' 's/ emit_body / /'

# not_named MANUAL FOLDER: the files of C below it that no table of the manual names, by their name
# or by a pattern (`emit_*.c`)
not_named() {
    grep '^|' "$1" | grep -o '`[a-z_0-9*]*\.[ch]`' | tr -d '`' |
        sed 's/\./\\./; s/\*/[a-z_0-9]*/' > "$dir/named"
    find "$2" -name '*.[ch]' | sed 's:.*/::' | grep -vxf "$dir/named"
}
for folder in compiler runtime; do
    if [ "$(not_named $folder/README.md $folder)" ]; then
        fail "$folder/README.md has no row for: $(not_named $folder/README.md $folder)"
    else
        good
    fi
done
sed 's/`graph.c`/graph.c/' compiler/README.md > "$dir/manual"
[ "$(not_named "$dir/manual" compiler)" = graph.c ] && good ||
    fail "a file without a row in compiler/README.md is not found"

# The manual's list of passes is that of passes.c, in order.
sed -n '/pass_table\[/,/^};/s/^ *\[PASS_[A-Z]*\] = {"\([a-z]*\)".*/\1/p' compiler/program/passes.c \
    > "$dir/passes"
sed -n '/^| pass |/,/^$/s/^| \(`[^|]*`\) |.*/\1/p' compiler/README.md | grep -o '[a-z]*' |
    diff "$dir/passes" - > "$dir/diff" &&
    good || fail "compiler/README.md lists other passes than passes.c: $(cat "$dir/diff")"

# What people read: manuals, error pages, models, scripts; and code, which has comments and
# messages.
prose() {
    find . -type d \( -name build -o -name .git -o -path ./tests/style \) -prune -o -type f \
        \( -name '*.md' -o -name '*.ng' -o -name '*.sh' -o -name '*.py' -o -name 'errors.txt' -o \
        -name Makefile -o -name '*.[chly]' -o -name '*.hpp' \
        -o -path './compiler/explain/page/*' \) -print | sort
}

prose | xargs awk -f tests/style/words.awk > "$dir/words"
if [ -s "$dir/words" ]; then
    fail "tests/style/words.awk says what to write instead of: $(head -20 "$dir/words")"
else
    passed=$((passed + 1))
fi

# It finds them, across the end of a line too, and nothing else.
printf '/* What is called is no\n * function, with regard to x. There is no\n * other, it is no longer one and is no faster. */\n' > "$dir/f.c"
if [ "$(awk -f tests/style/words.awk "$dir/f.c" | wc -l)" != 2 ]; then
    fail "tests/style/words.awk finds other phrases than the two in: $(cat "$dir/f.c")"
else
    passed=$((passed + 1))
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
