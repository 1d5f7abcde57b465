#!/bin/sh
# examples.sh - the numbers of the examples and of the published cases, by `ngc run`: tests/expect.c reads what is expected.
set -u
cd "$(dirname "$0")/.." || exit 1
NGC=${NGC:-$PWD/build/ngc}
export NGC
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 tests/expect.c -lm -o "$dir/expect" || exit 1
"$dir/expect" tests/examples/*.expect tests/cases/*.expect
