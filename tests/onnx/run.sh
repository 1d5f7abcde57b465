#!/bin/sh
# run.sh - models in the ONNX format: the tests of ONNX, networks of PyTorch with their gradients,
# the texts that an import makes, its messages, exports, damaged files, a build without protobuf-c.
#
#     sh tests/onnx/run.sh      from anywhere; NGC=build/ngc
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/suite.sh
here=tests/onnx
python=/usr/bin/python3
data=/usr/share/libonnx-testdata/data

# build_test NAME: a program of this suite
build_test() {
    cc -std=c11 -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 -O1 -g -Icompiler \
        -I"$build" $here/$1.c "$build/libngc.a" -lprotobuf-c -lm -o "$dir/$1" ||
        exit 2
}

# says STATUS PATTERN COMMAND...: the exit status, and a pattern that the output contains
says() {
    status=$1 pattern=$2
    shift 2
    limit 60 "$@" >"$dir/out" 2>&1
    got=$?
    if [ $got = "$status" ] && grep -q -e "$pattern" "$dir/out"; then
        good
    else
        fail "$* (status $got): $(head -5 "$dir/out")"
    fi
}

# works COMMAND...: it succeeds
works() {
    if limit 60 "$@" >"$dir/out" 2>&1; then good; else fail "$*: $(head -5 "$dir/out")"; fi
}

# The tests of ONNX: a line of unsupported.txt is the start of names that do not pass, and why.
nodes() {
    [ -d $data ] || { fail "libonnx-testdata is not installed"; return; }
    limit 120 "$dir/nodes" $data/*/* >"$dir/nodes.log" 2>&1 ||
        fail "nodes: status $?: $(tail -1 "$dir/nodes.log")"
    awk '
        FNR == NR { if ($1 != "" && $1 !~ /^#/) start[$1] = 0; next }
        $1 == "ok" || $1 == "no" || $1 == "WRONG" {
            name = $2; sub(/:$/, "", name)
            listed = ""
            for (s in start) if (index(name, s) == 1) { listed = s; start[s] += $1 != "ok" }
            if ($1 == "ok") passed++
            else if (listed == "") print "FAIL " $0
        }
        END {
            for (s in start) if (start[s] == 0) print "FAIL " s " is in unsupported.txt, but there is no such failure"
            print passed + 0 }' $here/unsupported.txt "$dir/nodes.log" >"$dir/out"
    grep FAIL "$dir/out" | head -20
    failed=$((failed + $(grep -c FAIL "$dir/out")))
    passed=$((passed + $(tail -1 "$dir/out")))
    group "tests of ONNX"
}

# 2.5/(5/255) is a half for a double, and less for a float, as in the data of two tests: the C computes as the data says.
halves() {
    cat >"$dir/use.c" <<'END'
#include "halves.c"
#include <stdio.h>
int main(void)
{
    static const float x[6] = {0, 2, -3, -2.5f, 1.34f, 0.5f};
    static halves_work w;
    int status = halves_predict(&(halves_inputs){.x = x}, &w);
    for (int i = 0; i < 6; i++)
        printf("%g ", (double)w.y[i]);
    printf("%g\n", (double)w.y_zero_point);
    return status;
}
END
    for test in test_dynamicquantizelinear test_dynamicquantizelinear_expanded; do
        works "$NGC" import $data/node/$test/model.onnx -o "$dir/halves.ng"
        works "$NGC" "$dir/halves.ng" -o "$dir/halves.c"
        works cc -O0 -w -Iruntime -I"$dir" "$dir/use.c" $build/libngrt.a -lm -o "$dir/use"
        says 0 "^153 255 0 26 221 179 153$" "$dir/use"
    done
    group "a half"
}

# Networks of PyTorch: outputs, and the gradient of each weight. Small ones in each run, a share of
# those of some size; the largest take the interpreter minutes, and are only in check-long.
networks() {
    $python -c 'import torch, torchvision, onnx' 2>/dev/null ||
        { fail "PyTorch, torchvision or onnx is not installed for $python"; return; }
    list="mnist_cnn lenet gpt2 again lstm gru looped grouped resized llama gpt2_any" i=0
    for name in unet encoder bert squeezenet vgg11_bn resnet18 densenet; do
        in_share 7 $i && list="$list $name"
        i=$((i + 1))
    done
    [ "$CHECK_LONG" ] && list="$list mobilenet_v2 efficientnet_b0 resnet50"
    $python $here/networks.py "$dir/nets" $list >"$dir/out" 2>&1 ||
        fail "networks.py: $(tail -3 "$dir/out")"
    for name in $list; do
        limit 120 "$dir/nodes" "$dir/nets/$name" >"$dir/out" 2>&1
        grep -q "^[1-9][0-9]* gradients, .* ok " "$dir/out" && good ||
            fail "$name: $(head -1 "$dir/out")"
        FLAT=1 limit 120 "$dir/nodes" "$dir/nets/$name" >"$dir/out" 2>&1
        grep -q "^[1-9][0-9]* gradients, .* ok " "$dir/out" && good ||
            fail "$name --flat: $(head -1 "$dir/out")"
    done
    group "networks of PyTorch"
}

# The texts of two networks, word by word, and what they are used for.
texts() {
    for name in mnist_cnn gpt2 llama; do
        "$NGC" import "$dir/nets/$name/model.onnx" -o "$dir/$name.ng" \
            --save "$dir/$name.safetensors" >"$dir/out" 2>&1 ||
            fail "$name: $(cat "$dir/out")"
        diff -u $here/$name.ng "$dir/$name.ng" && good || fail "the text of $name"
        "$NGC" fmt --check "$dir/$name.ng" >"$dir/out" && good || fail "the layout of $name"
        "$NGC" --weights="$dir/$name.safetensors" "$dir/$name.ng" -o "$dir/$name.c" \
            >"$dir/out" 2>&1 &&
            good || fail "the weights of $name: $(head -3 "$dir/out")"
    done
    works "$NGC" import "$dir/nets/mnist_cnn/model.onnx" -o "$dir/head.ng" --loss=cross_entropy \
        --optimizer='sgd(lr = 0.01)'
    sed 's/dense(fc1, 10)/dense(fc1, 4)/' "$dir/head.ng" >"$dir/four.ng"
    works "$NGC" --weights="$dir/mnist_cnn.safetensors" --train='fc2.*' \
        --fresh=fc2 "$dir/four.ng" -o "$dir/four.c"
    grep -q 'fc2_W\[4\]\[32\]' "$dir/four.h" && ! grep -q fc1_W "$dir/four.h" && good ||
        fail "fine-tuning of an import"
    $python $here/merged.py "$dir" >"$dir/out" 2>&1 || fail "merged.py: $(tail -3 "$dir/out")"
    for name in merged tied nameless external inner empty; do
        "$NGC" import "$dir/$name.onnx" >"$dir/$name.ng" 2>&1
        diff -u $here/$name.ng "$dir/$name.ng" && good || fail "the text of $name"
    done
    "$NGC" import "$dir/buffers.onnx" --constant='own' >"$dir/buffers.ng" 2>&1
    diff -u $here/buffers.ng "$dir/buffers.ng" && good || fail "the text of buffers"
    says 0 "embedding(numbers\[:m\], 6, 4)" "$NGC" import "$dir/places.onnx" -D m=6
    says 0 "where(m == 64, exp(x), relu(x))" "$NGC" import "$dir/compared.onnx"
    says 0 "output y = relu(x)" "$NGC" import "$dir/compared.onnx" -D m=63
    says 1 "--constant='other': there is no initializer of that name" "$NGC" import \
        "$dir/buffers.onnx" --constant='own,other'
    group "texts"
}

# 20,000 nodes, each a line of the text, need memory for their number, not its square.
long_chain() {
    /usr/bin/python3 - "$dir/long.onnx" <<'END'
import sys
import onnx
from onnx import helper, TensorProto
name = ["x"] + ["v%d" % i for i in range(19999)] + ["y"]
value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [2, 3]) for n in ("x", "y")]
nodes = [helper.make_node("Tanh", [name[i]], [name[i + 1]]) for i in range(20000)]
open(sys.argv[1], "wb").write(helper.make_model(
    helper.make_graph(nodes, "g", value[:1], value[1:])).SerializeToString())
END
    (ulimit -v 262144 && limit 5 "$NGC" import "$dir/long.onnx" -o "$dir/long.ng")
}

messages() {
    check "20,000 nodes in 256 MB" long_chain
    model=$dir/nets/mnist_cnn/model.onnx
    says 1 "no such run-time size\|there is no run-time size" "$NGC" import "$model" -D m=3 \
        -o "$dir/none.ng"
    "$NGC" import "$model" -o "$dir/again.ng" >"$dir/out" 2>&1
    works "$NGC" import "$model" -o "$dir/again.ng" --loss=mse
    works "$NGC" import "$model" -o "$dir/again.ng" # over one with other options
    echo "# mine" >>"$dir/again.ng"
    says 2 "again.ng' is there already, and not as an import wrote it" "$NGC" import "$model" \
        -o "$dir/again.ng" --save "$dir/again.st"
    tail -1 "$dir/again.ng" | grep -q mine && [ ! -e "$dir/again.st" ] && good ||
        fail "a changed text was written over"
    says 2 "not as an import wrote it" "$NGC" import "$model" -o "$dir/merged.ng" # which has no sum
    works "$NGC" import "$model" -o "$dir/again.ng" --force
    grep -q mine "$dir/again.ng" && fail "--force" || good
    says 1 "there is no input of that name" "$NGC" import "$model" z=3 -o "$dir/none.ng"
    says 1 "No such file" "$NGC" import "$dir/nothing.onnx" -o "$dir/none.ng"
    says 1 "not a file in the ONNX format, or is damaged" "$NGC" import $here/run.sh \
        -o "$dir/none.ng"
    says 1 "'ngc import' makes a text" "$NGC" "$model" -o "$dir/none.c"
    says 2 "is the model itself" "$NGC" import "$model" -o "$model"
    says 0 "dim batch <= 7" "$NGC" import "$model" -D batch=7
    says 0 "minimize J = mse(y, t) with adam(lr = 0.5)" "$NGC" import "$model" --loss=mse \
        --optimizer='adam(lr = 0.5)'
    says 3 "cannot write" "$NGC" import "$model" -o "$dir/none.ng" \
        --save "$dir/nowhere/w.safetensors"
    says 2 "no model is named" "$NGC" import
    says 1 "node '/Foo' (Foo): the operator is not supported" "$NGC" import "$dir/strange.onnx" \
        -o "$dir/none.ng"
    for pattern in "(Bar): operators of the domain 'other' are not supported" "(Relu): the attribute 'gain' is not supported"; do
        grep -q "$pattern" "$dir/out" && good || fail "strange.onnx: $(cat "$dir/out")"
    done
    says 1 "node '/Split' (Split): an attribute has no name" "$NGC" import "$dir/unnamed.onnx" \
        -o "$dir/none.ng"
    says 1 "(Split): the attribute 'axis split' is not supported" "$NGC" import "$dir/words.onnx" \
        -o "$dir/none.ng"
    says 1 "SequenceEmpty): the operator is not supported: there are no sequences" "$NGC" import \
        "$dir/data.onnx" -o "$dir/none.ng"
    grep -q "Bernoulli): the operator is not supported: it is random" "$dir/out" && good ||
        fail "data.onnx: $(cat "$dir/out")"
    says 1 "depends on 'x', which is not known; an input of the model can be given" "$NGC" import \
        "$dir/nonzero.onnx" -o "$dir/none.ng"
    says 0 "output y = " "$NGC" import "$dir/nonzero.onnx" 'x=[0,3]'
    says 1 "how often it is repeated depends on data" "$NGC" import "$dir/endless.onnx" \
        -o "$dir/none.ng"
    says 0 "output y = 24" "$NGC" import "$dir/endless.onnx" x=3
    says 1 "no output has elements" "$NGC" import "$dir/hollow.onnx" -o "$dir/none.ng"
    says 1 "it has no value for a tensor without elements" "$NGC" import "$dir/largest.onnx" \
        -o "$dir/none.ng"
    says 1 "is not a file in the folder of the model" "$NGC" import "$dir/outside.onnx" \
        -o "$dir/none.ng"
    says 1 "does not have its elements" "$NGC" import "$dir/missing.onnx" -o "$dir/none.ng"
    [ ! -e "$dir/none.ng" ] && good || fail "a text was written after an error"
    mkdir "$dir/cases"
    limit 60 $python $here/messages.py "$NGC" "$dir/cases" >"$dir/out" 2>&1
    grep FAIL "$dir/out"
    now=$(sed -n '$s/ passed, .*//p' "$dir/out")
    [ "${now:-0}" -gt 0 ] || fail "messages.py: $(tail -3 "$dir/out")"
    passed=$((passed + ${now:-0})) failed=$((failed + $(grep -c FAIL "$dir/out")))
    "$dir/operators" >"$dir/got"
    sed -n '/^| operator | becomes/,/^$/p' compiler/onnx/README.md | sed '1,2d;$d' |
        diff - "$dir/got" >"$dir/out" && good ||
        fail "the table of operators in compiler/onnx/README.md: $(head -5 "$dir/out")"
    group "messages"
}

# Exported models: imported again they compute the same; ONNX's checker accepts them; onnxruntime
# computes the same.
exports() {
    sed 's/^dim m <= 4, n <= 6/dim m = 4, n = 6/' tests/emit/models/sorted.ng >"$dir/ordered.ng"
    printf 'input a[6], b[6], M[3, 3]\noutput y = atan2(a - 0.5, b - 0.5), u = atan2(a^2 + 1, -(0*b^2)), i = as_int(a*9)*2, d = det(M)\n' >"$dir/angles.ng"
    models="tests/emit/models/*.ng examples/*.ng $dir/ordered.ng $dir/angles.ng"
    limit 120 "$dir/roundtrip" $models >"$dir/out" 2>&1 || fail "roundtrip: status $?"
    passed=$((passed + $(grep -c '^ok ' "$dir/out")))
    [ "$(grep -c '^ok ' "$dir/out")" -ge 60 ] && good ||
        fail "few models are exported and imported: $(head -3 "$dir/out")"
    grep -q '^ok ordered.ng' "$dir/out" && good ||
        fail "sorted elements: $(grep ordered "$dir/out")"
    grep -q '^ok angles.ng' "$dir/out" && good ||
        fail "angles and a determinant: $(grep angles "$dir/out")"
    grep '^WRONG' "$dir/out" >"$dir/got" && fail "$(head -5 "$dir/got")"

    # what an export has as one node each is read as what it was: the same text again
    "$NGC" export $here/again.ng -o "$dir/again.onnx" >"$dir/out" 2>&1 &&
        "$NGC" import "$dir/again.onnx" 2>&1 | diff -u $here/again.ng - && good ||
        fail "again.ng: $(head -3 "$dir/out")"

    mkdir "$dir/dump"
    DUMP=$dir/dump limit 120 "$dir/roundtrip" $models >"$dir/out" 2>&1
    $python $here/check.py "$dir/dump" >"$dir/out" 2>&1 && good ||
        fail "ONNX's checker: $(tail -3 "$dir/out")"
    if in_share 8 1 && command -v npm >/dev/null &&
        npm install --prefix "$dir/npm" --ignore-scripts --no-audit --no-fund onnxruntime-node@1.17.3 >"$dir/log" 2>&1; then
        NODE_PATH=$dir/npm/node_modules limit 120 node $here/runtime.js "$dir/dump" \
            >"$dir/out" 2>&1 ||
            fail "runtime.js: $(tail -3 "$dir/out")"
        passed=$((passed + $(grep -c '^ok ' "$dir/out")))
        grep -v '^ok ' "$dir/out" >"$dir/got" && fail "onnxruntime: $(head -5 "$dir/got")"
    fi

    "$NGC" export "$dir/gpt2.ng" --load "$dir/gpt2.safetensors" -o "$dir/again.onnx" \
        >"$dir/out" 2>&1 &&
        good || fail "export: $(head -3 "$dir/out")"
    "$NGC" import "$dir/again.onnx" -o "$dir/again.ng" --save "$dir/again.safetensors" \
        >"$dir/out" 2>&1 &&
        good || fail "import after export: $(head -3 "$dir/out")"
    # what the trainer did to the inputs is a part of what predict computes
    printf 'dim m <= 9\ninput x[m, 2], y[m]\nparam w[2] = [1, 2]\noutput p = x @ w\nminimize J = mse(p, y) with sgd(0)\n' >"$dir/far.ng"
    awk 'BEGIN { for (i = 0; i < 9; i++) print 4000 + i*i "," i % 2 "," i }' >"$dir/far.csv"
    works env CC="$(cc_with -O0)" "$NGC" train "$dir/far.ng" --data "$dir/far.csv" --standardize x \
        --epochs 1 --save "$dir/far.safetensors"
    works "$NGC" export "$dir/far.ng" --load "$dir/far.safetensors" -o "$dir/far.onnx"
    works "$NGC" import "$dir/far.onnx" -o "$dir/near.ng" --save "$dir/near.safetensors"
    for name in far near; do
        CC="$(cc_with -O0)" "$NGC" predict "$dir/$name.ng" --data x="$dir/far.csv":0-1 \
            --load "$dir/$name.safetensors" 2>/dev/null | awk '{ printf "%.4f\n", $1 }' >"$dir/$name.out"
    done
    [ "$(wc -l <"$dir/far.out")" = 9 ] && cmp -s "$dir/far.out" "$dir/near.out" && good ||
        fail "an export without --standardize: $(head -3 "$dir/near.out")"
    says 2 "names the file" "$NGC" export "$dir/gpt2.ng"
    says 3 "No such file" "$NGC" export "$dir/gpt2.ng" --load "$dir/nothing" -o "$dir/none.onnx"
    printf 'input a = 2\nx = a\nfor i in 0..50 while abs(x^2 - a) > 1e-9 { x = (x + a/x)/2 }\noutput x\n' >"$dir/loop.ng"
    echo 'input x[3]; output y = asinh(x) + acosh(x) + atanh(x)' >"$dir/arc.ng"
    works "$NGC" export "$dir/arc.ng" -o "$dir/arc.onnx"
    "$NGC" import "$dir/arc.onnx" | grep -q 'asinh(x) + acosh(x) + atanh(x)' && good || fail "arc.ng"
    says 1 "its loop ends by data" "$NGC" export "$dir/loop.ng" -o "$dir/none.onnx"
    says 1 "(noise) cannot be exported: it is random" "$NGC" export --training examples/gan.ng \
        -o "$dir/none.onnx"
    echo 'input x[3]; output t1 = x*2 + 1, t2 = exp(x)' >"$dir/names.ng"
    works "$NGC" export "$dir/names.ng" -o "$dir/names.onnx"
    says 0 "output t1 = x\*2 + 1" "$NGC" import "$dir/names.onnx"
    printf 'param a[6]\nminimize J = sum(a^2) with sgd(0.1)\n' >"$dir/silent.ng"
    says 1 "the model has no output" "$NGC" export "$dir/silent.ng" -o "$dir/none.onnx"
    [ ! -e "$dir/none.onnx" ] && good || fail "a file was written after an error"
    group "exports"
}

# From PyTorch to onnxruntime: exported, imported, trained on real images, exported.
sequence() {
    images=/usr/share/datasets/fashion-mnist
    [ -d $images ] || { fail "dataset-fashion-mnist is not installed"; return; }
    test=image=$images/t10k-images-idx3-ubyte.gz,t=$images/t10k-labels-idx1-ubyte.gz
    $python $here/fashion.py "$dir/fashion.onnx" >"$dir/out" 2>&1 ||
        fail "fashion.py: $(tail -3 "$dir/out")"
    works "$NGC" import "$dir/fashion.onnx" -o "$dir/fashion.ng" \
        --save "$dir/fashion.safetensors" --loss=cross_entropy --optimizer='adam(lr = 0.002)'
    says 0 "^hits: 0.[789]" env CC="$(cc_with -O1)" "$NGC" train "$dir/fashion.ng" \
        --data image=$images/train-images-idx3-ubyte.gz,t=$images/train-labels-idx1-ubyte.gz \
        --val $test --load "$dir/fashion.safetensors" --save "$dir/trained.safetensors" --epochs 1
    hits=$(sed -n 's/^hits: //p' "$dir/out")
    works "$NGC" export "$dir/fashion.ng" --load "$dir/trained.safetensors" -o "$dir/trained.onnx"
    if [ -d "$dir/npm" ]; then
        there=$(NODE_PATH=$dir/npm/node_modules limit 60 node $here/accuracy.js \
            "$dir/trained.onnx" $images/t10k-images-idx3-ubyte.gz $images/t10k-labels-idx1-ubyte.gz)
        awk -v a="$hits" -v b="$there" 'BEGIN { exit !(a > 0 && a - b < 3e-4 && b - a < 3e-4) }' &&
            good || fail "onnxruntime: accuracy $there, not $hits"
    fi
    "$NGC" import "$dir/trained.onnx" -o "$dir/again.ng" --save "$dir/again.safetensors" \
        >"$dir/out" 2>&1 &&
        good || fail "import after export: $(head -3 "$dir/out")"
    group "from PyTorch to onnxruntime"
}

damage() {
    count=1500
    [ "$CHECK_LONG" ] && count=50000
    limit 600 "$dir/damage" "$CHECK_SEED" $count "$dir/nets/gpt2/model.onnx" \
        "$dir/nets/lenet/model.onnx" $(ls $data/node/*/model.onnx |
        awk 'NR % 6 == 1') >"$dir/out" 2>&1 &&
        good || fail "damaged files: status $?: $(tail -3 "$dir/out")"
    group "damaged files"
}

# Random models and networks as PyTorch computes them, with the gradients that it finds itself; the
# same by onnxruntime, if it is there. Those with random numbers or loops that end by data are not
# exported, nor those where nothing has a slope.
random() {
    count=20 enough=24
    [ "$CHECK_LONG" ] && count=1000 enough=1200
    cc -std=c11 -O1 -o "$dir/model" tests/random/model.c &&
        cc -std=c11 -O1 -o "$dir/net" tests/random/net.c || exit 2
    first=$((1 + count * CHECK_SEED))
    mkdir "$dir/random" "$dir/floats"
    for by in model net; do
        mkdir "$dir/$by.d" && "$dir/$by" $first $count "$dir/$by.d"
        for i in $(seq $first $((first + count - 1))); do mv "$dir/$by.d/$i.ng" "$dir/random/$by$i.ng"; done
    done
    mkdir "$dir/doubles"
    DOUBLE=1 DUMP=$dir/doubles limit 600 "$dir/roundtrip" "$dir"/random/*.ng >"$dir/out" 2>&1 ||
        fail "roundtrip: status $?: $(tail -2 "$dir/out")"
    limit 600 $python tests/random/pytorch.py "$dir/doubles" >"$dir/out" 2>&1 ||
        fail "pytorch.py: $(tail -3 "$dir/out")"
    passed=$((passed + $(grep -c '^ok ' "$dir/out")))
    [ "$(grep -c '^ok ' "$dir/out")" -ge $enough ] && good ||
        fail "PyTorch computes few models: $(grep -v '^ok ' "$dir/out" | head -3)"
    grep -v '^ok ' "$dir/out" >"$dir/got" && fail "PyTorch: $(head -5 "$dir/got")"
    if [ -d "$dir/npm" ]; then
        DUMP=$dir/floats limit 600 "$dir/roundtrip" "$dir"/random/*.ng >"$dir/out" 2>&1
        NODE_PATH=$dir/npm/node_modules limit 600 node $here/runtime.js "$dir/floats" \
            >"$dir/out" 2>&1 ||
            fail "runtime.js: $(tail -3 "$dir/out")"
        passed=$((passed + $(grep -c '^ok ' "$dir/out")))
        grep -v '^ok ' "$dir/out" >"$dir/got" && fail "onnxruntime: $(head -5 "$dir/got")"
    fi
    group "random models in PyTorch"
}

# Without protobuf-c, ngc works, and import says what is missing.
without() {
    in_share 8 0 || return
    make -s B="$dir/without" ONNX=0 CFLAGS=-O0 "$dir/without/ngc" >"$dir/out" 2>&1 && good ||
        fail "ONNX=0: $(tail -3 "$dir/out")"
    says 2 "libprotobuf-c-dev" "$dir/without/ngc" import "$dir/nets/lenet/model.onnx"
    says 0 "[-]onnx" "$dir/without/ngc" --version
    says 0 "J = 7" "$dir/without/ngc" run -e 'a*2 + 1' a=3
    group "without protobuf-c"
}

if ! [ -e "$build/format.pb-c.h" ]; then
    echo "FAIL ngc was built without protobuf-c"
    echo "0 passed, 1 failed"
    exit 1
fi
for program in nodes operators damage roundtrip; do build_test $program; done
nodes
halves
networks
texts
messages
exports
sequence
damage
random
without
echo "$passed passed, $failed failed"
[ $failed = 0 ]
