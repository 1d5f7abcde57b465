#!/bin/sh
# vectorised.sh [N] - measures what vectorisation gains: vectorised.ng as plain loops (ngc -O0, cc -O0) against the same model as
# ngc writes it to be fast. With N it fails where the gain is below N times.
set -eu
cd "$(dirname "$0")/.."
ngc=${NGC:-build/ngc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$ngc" --standalone -O0 --comments=none --prefix=loops examples/vectorised.ng -o "$dir/loops.c"
"$ngc" --standalone --prefix=fast examples/vectorised.ng -o "$dir/fast.c"
cc -O0 -c "$dir/loops.c" -o "$dir/loops.o"
cc -O2 -c "$dir/fast.c" -o "$dir/fast.o"
cc -O2 -I"$dir" examples/vectorised.c "$dir/loops.o" "$dir/fast.o" -lm -o "$dir/vectorised"
"$dir/vectorised" "$@"
