#!/bin/sh
# Checks the front end: trees and messages against the .expect files of the inputs, and generated
# texts.
# usage: tests/front/run.sh [--accept]; CC and CFLAGS are honoured. --accept writes the .expect
# files: read the diff.
set -u
cd "$(dirname "$0")/../.." || exit 2
out=build/tests/front
mkdir -p $out
flex -o $out/ng.lex.c grammars/ng.l && bison -d -o $out/ng.tab.c grammars/ng.y || exit 1
for program in ast diag; do
    ${CC:-cc} -std=c11 -D_POSIX_C_SOURCE=200809L ${CFLAGS:--O1 -g} -Icompiler -I$out \
        -o $out/$program \
        tests/front/$program.c compiler/base/util.c compiler/base/source.c \
        compiler/syntax/foreign.c compiler/base/json.c compiler/syntax/ast.c $out/ng.lex.c \
        $out/ng.tab.c || exit 1
done
top=$PWD
passed=0 failed=0

# result STATUS NAME: counts a check
result() {
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        echo "FAIL $2"
        failed=$((failed + 1))
    fi
}

# check NAME: compares $out/got with NAME.expect
check() {
    if [ "$accept" = 1 ]; then
        cp $out/got "$1.expect"
    else
        diff -u "$1.expect" $out/got
        result $? "$1"
    fi
}

# refuse NAME MESSAGE: the text on stdin must be refused with one error that has this message
refuse() {
    cat > $out/large.ng
    $out/ast $out/large.ng > $out/got 2>&1
    [ $? = 1 ] && [ "$(grep -c ': error: ' $out/got)" = 1 ] && grep -q "$2" $out/got
    result $? "$1: $(cut -c1-200 $out/got | head -5)"
}

# repeat COUNT TEXT
repeat() {
    awk -v n="$1" -v t="$2" 'BEGIN { for (i = 0; i < n; i++) printf "%s", t }'
}

accept=0
[ "${1-}" = --accept ] && accept=1
for f in tests/front/*.ng tests/front/err/*.ng; do
    want=0
    case $f in tests/front/err/*) want=1 ;; esac
    (cd "$(dirname "$f")" && "$top/$out/ast" "$(basename "$f")") > $out/got 2>&1
    status=$?
    [ $status = $want ]
    result $? "$f: status $status"
    check "${f%.ng}"
done
$out/diag > $out/got 2>&1
check tests/front/diag

# All of the library: ngc parses only the defs that a model uses.
$out/ast -q compiler/lang/prelude.ng > $out/got 2>&1 && ! [ -s $out/got ]
result $? "prelude.ng: $(head -3 $out/got)"

{ printf 'x = '; repeat 100000 '('; } | refuse parentheses 'nested too deeply'
{ printf 'x = '; repeat 100000 '-'; echo 1; } | refuse minus 'nested too deeply'
{ printf 'x = a'; repeat 100000 "'"; echo; } | refuse transposes 'nested too deeply'
{ printf 'x = a'; repeat 100000 ' |> f'; echo; } | refuse pipe 'nested too deeply'
{ printf 'x = '; repeat 100000 '2^'; echo 1; } | refuse powers 'nested too deeply'
{ repeat 5000 'if a { '; } | refuse blocks 'nested too deeply'
{ printf 'x = a'; repeat 1000000 a; echo ' $'; } | refuse name "has no '\\$'"
{ printf 'x = ['; repeat 1000000 '1, '; echo '$]'; } | refuse line "has no '\\$'"
{ printf 'x = a'; repeat 999999 '+a'; echo; } > $out/large.ng
$out/ast -q $out/large.ng
result $? "a sum of 1,000,000 terms"
$out/ast tests > $out/got 2>&1
grep -q 'ngc: error: cannot read "tests": ' $out/got
result $? directory
rm -f $out/large.ng

echo "$passed passed, $failed failed"
[ $failed = 0 ]
