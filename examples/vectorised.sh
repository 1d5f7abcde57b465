#!/bin/sh
# vectorised.sh [N] - measures what vectorisation gains. It compiles vectorised.ng as plain loops
# (ngc -O0), without and with the C compiler's optimizer (cc -O0, cc -O2), and as fast C (ngc -O2).
# With N, it fails if the gain over plain loops is below N times.
set -eu
cd "$(dirname "$0")/.."
ngc=${NGC:-build/ngc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$ngc" --standalone -O0 --comments=none --prefix=loops examples/vectorised.ng -o "$dir/loops.c"
"$ngc" --standalone --prefix=fast examples/vectorised.ng -o "$dir/fast.c"
"$ngc" --standalone -O0 --comments=none --prefix=helped examples/vectorised.ng -o "$dir/helped.c"
cc -O0 -c "$dir/loops.c" -o "$dir/loops.o"
cc -O2 -c "$dir/helped.c" -o "$dir/helped.o"
cc -O2 -c "$dir/fast.c" -o "$dir/fast.o"
cc -O2 -I"$dir" examples/vectorised.c "$dir/loops.o" "$dir/helped.o" "$dir/fast.o" -lm \
    -o "$dir/vectorised"
"$dir/vectorised" "$@"
