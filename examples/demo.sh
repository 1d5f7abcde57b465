#!/bin/sh
# demo.sh - trains examples/fashion.ng on Fashion-MNIST through the emitted C and shows the result:
# `make demo`.
set -eu
ngc=${1:-build/ngc}
here=$(dirname "$0")
data=$(sh "$here/../tests/data.sh" fashion)

echo "The model, examples/fashion.ng:"
grep -v '^#' "$here/fashion.ng" | sed 's/^/    /'
"$ngc" "$here/fashion.ng" -o "$(dirname "$ngc")/fashion.c"
echo
echo "as C with its backward pass and training step: $(dirname "$ngc")/fashion.c, $(wc -l <"$(dirname "$ngc")/fashion.c") lines"
"$ngc" --report "$here/fashion.ng" | sed -n 's/^\(parameters\|step\|bytes of work\)/    &/p'
echo
echo "Twelve epochs over 60,000 images; val_accuracy is on 10,000 others:"
"$ngc" train "$here/fashion.ng" --epochs 12 \
    --data "x=$data/train-images-idx3-ubyte.gz,t=$data/train-labels-idx1-ubyte.gz" \
    --val "x=$data/t10k-images-idx3-ubyte.gz,t=$data/t10k-labels-idx1-ubyte.gz"
