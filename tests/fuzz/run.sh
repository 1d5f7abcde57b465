#!/bin/sh
# Fuzzes the compiler from text to C: tests/fuzz/run.sh [SECONDS [SEED]]. Findings are left in build/tests/fuzz.
set -u
cd "$(dirname "$0")/../.." || exit 2
out=${FUZZ_OUT:-build/tests/fuzz}
flags='-O1 -g -fsanitize=address,undefined'
mkdir -p "$out"
make -s B="$out/ngc" CFLAGS="$flags" "$out/ngc/ngc" || exit 1
objects=$(find "$out/ngc" -name '*.o' ! -name main.o)
# shellcheck disable=SC2086
${CC:-cc} -std=c11 -D_GNU_SOURCE $flags -Icompiler -o "$out/lower" tests/fuzz/lower.c $objects -lm || exit 1
# shellcheck disable=SC2046
"$out/lower" "${1:-60}" "${2:-1}" "$out" $(find examples tests/emit tests/err tests/examples tests/cases -name '*.ng' -size -12k | sort)
