#!/bin/sh
# run.sh - what the text of a model means: names of weights, layers that are called again and their states, indices, defaults.
#
#     sh tests/lang/run.sh      from anywhere; NGC=build/ngc, CC=cc
set -u
cd "$(dirname "$0")/../.." || exit 2
NGC=${NGC:-$PWD/build/ngc}
CC=${CC:-cc}
export NGC
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT

$CC -std=c11 -D_POSIX_C_SOURCE=200809L -O1 tests/expect.c -lm -o "$dir/expect" || exit 1
"$dir/expect" tests/lang/*.expect
