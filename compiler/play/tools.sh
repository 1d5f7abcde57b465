#!/bin/sh
# tools.sh - can this machine build the playground? Says which of Debian's packages are missing: `sh
# tools.sh CLANG`.
set -u
clang=$1
need=
want() { # want PACKAGE COMMAND...: the package is missing if the command fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || need="$need $package"
}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
printf '#include <stdlib.h>\nint main(void) { return abs(1); }\n' >"$dir/a.c"
release=$("$clang" -dumpversion 2>/dev/null | sed 's/\..*//')

want clang command -v "$clang"
want lld command -v wasm-ld
want wasi-libc "$clang" --target=wasm32-wasi -E "$dir/a.c"
want "libclang-rt-${release:-14}-dev-wasm32" "$clang" --target=wasm32-wasi \
    -o "$dir/a.wasm" "$dir/a.c"
want nodejs command -v node
want npm command -v npm
[ -n "$need" ] || exit 0
echo "the playground cannot be built; these of Debian's packages are missing:$need" >&2
exit 1
