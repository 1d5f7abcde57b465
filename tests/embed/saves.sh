# saves.sh - weights in files: training continues bit for bit, whatever stopped it; eval and
# predict; files of PyTorch and NumPy; a part of run.sh.
mkdir "$dir/saves" && cd "$dir/saves" || exit 2
cp "$top"/tests/embed/*.py .
export PYTHONDONTWRITEBYTECODE=1
cat >net.ng <<'NG'
dim   m <= 16
input x[m, 3], t[m]: int
h = dropout(dense(x, 12, tanh), 0.1)
z = dense(h, 3)
output p = softmax(z)
output k = argmax(z)
metric accuracy = mean(k == t)
minimize J = cross_entropy(z, t) with adam(lr = 0.01*0.5^floor(step/40))
NG
awk 'BEGIN { srand(4); for (i = 0; i < 100; i++) { k = i % 3; printf "%.3f,%.3f,%.3f,%d\n", k + rand(), rand() - k, rand(), k } }' >data.csv
cut -d, -f1-3 data.csv >x.csv
train() { "$ngc" train net.ng --data data.csv --quiet "$@"; }

# ---- continuing: the same bits as without a stop, with the state of the optimizer, schedule and
# dropout ----
ok "train" train --epochs 9 --save all.st
for end in st npz; do
    ok "train" train --epochs 4 --save "part.$end"
    ok "train on" train --epochs 9 --load "part.$end" --save "rest.$end"
    ok "as weights" train --epochs 9 --load "rest.$end" --save again.st
    cmp all.st again.st && good || bad "going on from .$end gives other bits"
done
cmp -s all.st part.st && bad "five epochs changed nothing" || good
says 0 'is from after epoch 9: --epochs 9 leaves nothing' "$ngc" train net.ng --data data.csv \
    --load all.st --epochs 9
train --epochs 9 --seed 2 --save seed.st >/dev/null
cmp -s all.st seed.st && bad "--seed changes nothing" || good
ok "train" train --epochs 4 --seed 2 --save part.st
ok "the seed comes from the file" train --epochs 9 --load part.st --save rest.st
cmp seed.st rest.st && good || bad "the seed was lost"
ok "--real=double" "$ngc" train --real=double net.ng --data data.csv --quiet --epochs 2 \
    --load all.st --save wide.st
says 0 '^accuracy' "$ngc" eval net.ng --data data.csv --load wide.st
# a log continues too
ok "log" train --epochs 2 --log log.csv --save l.st
ok "log" train --epochs 4 --log log.csv --load l.st
[ "$(cut -d, -f1 log.csv | tr '\n' ' ')" = "epoch 1 2 3 4 " ] && good ||
    bad "log.csv: $(cat log.csv)"

# curves
says 0 'epoch 1 to 30' "$ngc" train net.ng --data data.csv --val data.csv --epochs 30 \
    --quiet --curve
[ "$(grep -c '|' "$dir/got")" = 12 ] && grep -q 'J (\*), validation (o)' "$dir/got" &&
    sed -n '3p' "$dir/got" | grep -q '|[o ]*\*' && good || bad "--curve"
says 0 'epoch 1 to 3' "$ngc" train net.ng --data data.csv --epochs 3 --quiet --curve=-
[ ! -e ./- ] && good || bad "--curve: a file was written"
ok "--curve=FILE" "$ngc" train net.ng --data data.csv --val data.csv --epochs 30 --quiet \
    --curve=curve.svg
if have python3; then
    ok "curve.svg" python3 -c 'import xml.dom.minidom as x; p = x.parse("curve.svg").getElementsByTagName("path"); assert len(p) == 6 and p[1].getAttribute("d").count("L") == 29'
fi

# the bar, on a terminal: 1,000 steps of a network that is large enough
if have python3; then
    cat >wide.ng <<'NG'
dim   m <= 1
input x[m, 3], t[m]: int
z = dense(dense(dense(x, 800, tanh), 800, tanh), 3)
minimize J = cross_entropy(z, t) with sgd(lr = 0.001)
NG
    cat >bar.py <<'PY'
import os, pty, sys
text = b""
def read(fd):
    global text
    text += (piece := os.read(fd, 4096))
    return piece
status = pty.spawn(sys.argv[1:], read)
sys.exit(not (status == 0 and b"\rEpoch 1/1 [" in text and b" rows/s 00:" in text and b" left J " in text and b"\r\rEpoch 1/1 - " in text.replace(b" " * 79, b"")))
PY
    for i in 1 2 3 4 5 6 7 8 9 10; do cat data.csv; done >300.csv
    ok "the bar" python3 bar.py "$ngc" train wide.ng --data 300.csv --epochs 1
    ok "a line, without a terminal" "$ngc" train wide.ng --data 300.csv --epochs 1
    grep -q '\[' "$dir/got" && bad "a bar without a terminal" || good
fi

# ---- an interrupt: the weights are those of the last step, and continuing from them gives the same
# bits ----
cat >slow.ng <<'NG'
dim   m <= 2
input x[m, 3], t[m]: int
z = dense(dense(x, 600, tanh), 3)
minimize J = cross_entropy(z, t) with sgd(lr = 0.001, momentum = 0.9)
NG
for signal in INT TERM; do
    "$ngc" train slow.ng --data data.csv --epochs 0 --quiet >"$dir/got" \
        2>&1 # so that it is compiled
    rm -f slow.csv
    "$ngc" train slow.ng --data data.csv --quiet --epochs 100000000 --save stopped.st \
        --log slow.csv >"$dir/got" 2>&1 &
    pid=$!
    for i in $(seq 300); do # until it trains
        [ -e slow.csv ] && [ "$(wc -l <slow.csv)" -gt 2 ] && break
        sleep 0.1
    done
    kill -$signal $pid
    wait $pid
    status=$?
    [ $status = $([ $signal = INT ] && echo 130 || echo 143) ] && good ||
        bad "SIG$signal: status $status"
done
if have python3; then
    steps=$(python3 -c 'import safetensors; print(*(safetensors.read("stopped.st")[1][k] for k in ("epoch", "step", "row")))')
    set -- $steps
    [ "$2" = $(($1 * 50 + $3 / 2)) ] && [ "$2" -gt 10 ] && good ||
        bad "stopped at epoch, step, row: $steps"
    ok "go on" "$ngc" train slow.ng --data data.csv --quiet --epochs $(($1 + 2)) --load stopped.st \
        --save on.st
    ok "without a stop" "$ngc" train slow.ng --data data.csv --quiet --epochs $(($1 + 2)) \
        --save whole.st
    cmp on.st whole.st && good || bad "an interrupt at $steps changes bits"
fi

# ---- what goes wrong ----
rm -f no.st nan.st
says 3 'no/where.st: cannot write: No such' "$ngc" train net.ng --data data.csv --save no/where.st
says 3 'No space left' "$ngc" train net.ng --data data.csv --quiet --epochs 1 --save /dev/full
for more in "--epochs 1" "--epochs 1 --folds 2" --help; do
    "$ngc" train net.ng --data data.csv --quiet $more 2>"$dir/got" >/dev/full
    [ $? = 3 ] && grep -q 'train: error: standard output: No space left' "$dir/got" && good ||
        bad "train $more >/dev/full"
done
# what is read is not written over, nor one result over another
cp all.st one.st
says 2 'one.st has the weights that are read' "$ngc" predict net.ng --data x.csv --load one.st \
    -o one.st
says 2 'two results would be written to one.st' "$ngc" train net.ng --data data.csv --quiet \
    --epochs 1 --save one.st --log one.st
says 2 'two results would be written to ./new' "$ngc" train net.ng --data data.csv --quiet \
    --epochs 1 --save ./new --log ./new
if "$ngc" export net.ng --load all.st -o net.onnx 2>/dev/null; then
    says 2 "'one.st' is the file of --load; it is not" "$ngc" export net.ng --load one.st -o one.st
fi
cmp all.st one.st && good || bad "the weights were overwritten"
if have python3; then # 100,000 names take no longer than their bytes
    python3 - <<'PY'
import json, struct
one = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
for name, header in (("tensors.st", {"t%d" % i: one for i in range(100000)}),
                     ("notes.st", {"__metadata__": {"n%d" % i: "" for i in range(100000)}, "a": one})):
    text = json.dumps(header).encode()
    open(name, "wb").write(struct.pack("<Q", len(text)) + text)
PY
    for file in tensors notes; do
        says 3 'h.W of the model net is not in it' limit 5 "$ngc" eval net.ng --data data.csv \
            --load $file.st
    done
fi
# a stream that is closed is not the next file that is opened
ok "no errors' stream" sh -c "'$ngc' train net.ng --data data.csv --epochs 2 --log alone.csv 2>&-"
[ "$(cut -c1-2 alone.csv | tr '\n' ' ')" = "ep 1, 2, " ] && good ||
    bad "the log has what was for standard error: $(cat alone.csv)"
"$ngc" train net.ng --data data.csv --quiet --epochs 2 --log alone.csv 2>"$dir/got" >&-
[ $? = 3 ] && grep -q 'standard output: Bad file' "$dir/got" && good ||
    bad "results are not printed, and nobody is told"
sed 's/adam.*/sgd(lr = rate)/; 1i input rate' net.ng >wild.ng
ok "two epochs" "$ngc" train wild.ng rate=0.1 --data data.csv --quiet --epochs 2 --save nan.st
cp nan.st before.st
says 1 'step .*: J is .*; training stopped' "$ngc" train wild.ng rate=1e38 --data data.csv --quiet \
    --epochs 9 --load nan.st --save nan.st
cmp nan.st before.st && good || bad "a loss that is not finite changed the last good weights"
says 3 'h.W of the model net is not in it; it holds z.0.W, z.0.b' "$ngc" eval net.ng \
    --data data.csv --load stopped.st --map q=z
sed 's/12/8/' net.ng >small.ng
says 3 'h.W: has the shape \[12, 3\], but h.W of the model small has \[8, 3\]' "$ngc" eval \
    small.ng --data data.csv --load all.st
sed 's/^h = .*/h = x/; s/dense(h, 3)/dense(x, 3)/' net.ng >other.ng
says 3 'z.W: has the shape \[3, 12\]' "$ngc" eval other.ng --data data.csv --load all.st
says 3 'z.W: its shape is not' "$ngc" --weights=all.st other.ng -o no.c
sed 's/^z = dense(h, 3)/z = h[:, :3]/' net.ng >other.ng
says 3 'was saved by another model: its hash is' "$ngc" eval other.ng --data data.csv --load all.st
says 3 'was saved by another model: its hash is' "$ngc" --weights=all.st other.ng -o no.c
says 3 'data.csv: holds no weights' "$ngc" eval net.ng --data data.csv --load data.csv
says 2 '.--data. is an option of train\|--data is an option of train' "$ngc" net.ng --data data.csv
says 2 "did you mean '--epochs'" "$ngc" train net.ng --data data.csv --epoks 3
says 2 'unknown argument: --save' "$ngc" eval net.ng --data data.csv --save x.st
says 2 'nothing to predict: no output' "$ngc" predict slow.ng --data data.csv
head -c 700 all.st >cut.st
says 3 'cut.st: ' "$ngc" predict net.ng --data x.csv --load cut.st
[ -e no.c ] && bad "no.c was written" || good
[ -z "$(ls ./*.tmp 2>/dev/null)" ] && good || bad "temporary files are left: $(ls ./*.tmp)"

# ---- killed while saving, again and again: there is always a whole file, of one save or another
# ----
cat >saver.c <<'C'
#include "ngrt_host.h"
#include "net.h"

static net_params params;
static net_state state;

int main(int argc, char **argv)
{
    ngrt_message message;
    ngrt_about about = {0};
    if (argc > 2) { /* check: all elements are those of one save */
        if (ngrt_weights_load(&net_model, &params, &state, &about, argv[1], NULL, &message))
            return 1;
        for (size_t i = 0; i < sizeof params / sizeof(float); i++)
            if (((float *)&params)[i] != (float)about.step)
                return 1;
        return 0;
    }
    for (;; about.step++) {
        for (size_t i = 0; i < sizeof params / sizeof(float); i++)
            ((float *)&params)[i] = (float)about.step;
        if (ngrt_weights_save(&net_model, &params, &state, &about, argv[1], NULL, &message))
            return 1;
    }
}
C
build=$(dirname "$ngc")
libraries=$(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --libs ngrt 2>/dev/null) ||
    libraries="$build/libngrt.a -lopenblas -lz -lm -lpthread"
ok "net.c" "$ngc" net.ng -o net.c
ok "saver.c" cc -O0 -I"$top/runtime" saver.c net.c -o saver $libraries
for end in st npz; do
    for time in 0.1 0.17 0.23; do
        ./saver killed.$end &
        pid=$!
        for i in $(seq 100); do [ -e killed.$end ] && break || sleep 0.1; done
        sleep $time
        kill -9 $pid
        wait $pid 2>/dev/null
        ./saver killed.$end check || bad "killed while saving: killed.$end is not whole"
    done
    good
done
rm -f killed*

# ---- eval, predict ----
says 0 '^accuracy: 0\.[0-9]*$\|^accuracy: 1$' "$ngc" eval net.ng --data data.csv --load all.st
cp "$dir/got" want
"$ngc" train net.ng --data data.csv --quiet --epochs 9 --load all.st 2>/dev/null | cmp - want &&
    good || bad "eval and the end of train differ"
says 0 'note: no --load' "$ngc" eval net.ng --data data.csv
"$ngc" predict net.ng --data x.csv --load all.st >p.csv && [ "$(wc -l <p.csv)" = 100 ] && good ||
    bad "predict: $(wc -l <p.csv) lines"
"$ngc" predict net.ng --data data.csv --load all.st --batch 7 >few.csv && near p.csv few.csv &&
    good || bad "predict with a column of targets, in other batches"
awk -F, 'FNR == NR { want[FNR] = $NF; next } { good += $4 == want[FNR]; sum = $1 + $2 + $3; if (sum < 0.99999 || sum > 1.00001 || NF != 4) exit 1 }
    END { exit !(good/100 == '"$(sed -n 's/accuracy: //p' want)"') }' data.csv p.csv && good || bad "predict's rows are not eval's"
ok "to .npz" "$ngc" predict net.ng --data x.csv --load all.st -o p.npz
says 3 'one tensor, and here are 2' "$ngc" predict net.ng --data x.csv --load all.st -o p.npy
says 3 'No space left' "$ngc" predict net.ng --data x.csv --load all.st -o /dev/full
says 0 'usage: ngc predict' "$ngc" predict net.ng --help
# the compiler lists the same options as the programs
for command in train eval predict; do
    "$ngc" "$command" net.ng --help | sed -n 's/^  \(--*[a-z-]*\).*/\1/p' | sort -u >theirs
    for option in $(cat theirs); do "$ngc" --help | grep -q -e "^  $option[[ =]" && good || bad "--help of ngc has no $option"; done
done

# ---- other programs ----
cat >foreign.py <<'PY'
"""Weights of ngc in Python, and back: shapes, order of elements, metadata, types."""
import safetensors
tensors, about = safetensors.read("all.st")
assert about["epoch"] == "9" and about["seed"] == "1" and about["step"] == "63" and len(about["hash"]) == 16, about
assert tensors["h.W"][0] == [12, 3] and tensors["z.b"][0] == [3] and tensors["step"] == ([], [63]), tensors
assert sum(1 for n in tensors if n.startswith("adam.")) == 8, list(tensors)
torch = {"fc." + n[2:].replace("W", "weight").replace("b", "bias"): t for n, t in tensors.items() if n.startswith("h.")}
torch.update({"out" + n[1:]: (s, v, "F64") for n, (s, v) in tensors.items() if n.startswith("z.")})
safetensors.write("fc.st", torch)
PY
if have python3; then
    ok "Python reads and writes" python3 foreign.py
    ok "and ngc reads" "$ngc" predict net.ng --data x.csv --load fc.st --map fc=h,out=z -o fc.csv
    cmp fc.csv p.csv && good || bad "weights by other names predict other things"
    printf 'fc = h  # a layer\nout = z\n' >map.txt
    for weights in all.st "fc.st --map=map.txt" "fc.st --map=fc=h,out=z"; do
        # shellcheck disable=SC2086
        ok "--weights=$weights" "$ngc" --standalone net.ng -o frozen.c --prefix=frozen \
            --weights=$weights
        [ -e frozen.1 ] || cp frozen.c frozen.1
        cmp frozen.c frozen.1 && good || bad "--weights=$weights"
    done
fi
python=/usr/bin/python3
if $python -c 'import numpy' 2>/dev/null; then
    cat >np.py <<'PY'
import numpy
p = numpy.load("p.npz")
table = numpy.loadtxt("p.csv", delimiter=",", dtype="float32")
assert (p["p"] == table[:, :3]).all() and (p["k"] == table[:, 3]).all() and p["k"].dtype == "int32"
w = numpy.load("rest.npz")
assert w["h.W"].shape == (12, 3) and int(w["__epoch__"]) == 9 and int(w["__seed__"]) == 1 and w["__step__"] == 63
weights = {n: w[n] for n in w if n[:2] in ("h.", "z.")}
weights["h.W"] = numpy.asfortranarray(weights["h.W"]).astype(">f8")
numpy.savez_compressed("fortran.npz", **weights)
data = numpy.loadtxt("data.csv", delimiter=",")
numpy.savez("data.npz", x=data[:, :3], t=data[:, 3].astype("int64"))
numpy.savez("x.npz", x=data[:, :3].T.copy().T)
numpy.savez("short.npz", x=data[:, :3], t=data[:5, 3].astype("int64"))
large = data[:, :3].copy()
large[4, 1] = numpy.inf
numpy.savez("inf.npz", x=large)
large[6, 2] = -1e39
numpy.savez("large.npz", x=large)
weights["h.W"] = numpy.full((12, 3), 1e39)
numpy.savez("wide.npz", **weights)
PY
    ok "NumPy reads and writes" $python np.py
    "$ngc" eval net.ng --data data.npz --load fortran.npz >got.txt 2>"$dir/got" &&
        cmp got.txt want && good || bad "NumPy's compressed archive: $(cat got.txt)"
    "$ngc" predict net.ng --data x.npz --load fortran.npz 2>"$dir/got" | cmp - p.csv && good ||
        bad "data from a .npz"
    says 3 "short.npz: x has .* rows, t has 5" "$ngc" eval net.ng --data short.npz \
        --load fortran.npz
    says 3 "large.npz: row 7: x is -1e+39, too large for a float of 32 bits (--real=double)" \
        "$ngc" predict net.ng --data large.npz --load fortran.npz
    ok "the same in double" "$ngc" predict --real=double net.ng --data large.npz --load fortran.npz
    ok "infinity is read" "$ngc" predict net.ng --data inf.npz --load fortran.npz
    says 3 "wide.npz: h.W: element 0 is 1e+39, too large for a float of 32 bits" \
        "$ngc" predict net.ng --data x.npz --load wide.npz
    says 3 'h.W: has elements that are too large for a float' "$ngc" --weights=wide.npz net.ng \
        -o no.c
    says 3 "fortran.npz: holds no array 't'" "$ngc" eval net.ng --data t=fortran.npz,x=x.npz \
        --load all.st
else
    echo "embed: no NumPy here: its checks are left out"
fi
if $python -c 'import importlib.util, sys; sys.exit(not importlib.util.find_spec("torch"))'; then # starting it takes long
    cat >conv.ng <<'NG'
dim   m <= 8
input x[m, 1, 6, 6], t[m]: int
c = conv2d(x, 3, 3)
n = batch_norm(c)
f = dense(flatten(relu(n)), 10)
l = layer_norm(f)
z = dense(tanh(l), 4)
output p = softmax(z)
minimize J = cross_entropy(z, t) with sgd(lr = 0.1)
NG
    map=0=c,1=n,4=f,5=l,7=z
    ok "PyTorch trains" $python torch_there.py make
    says 0 'has no use for 1.num_batches_tracked' "$ngc" predict conv.ng --data x=x.npy \
        --load net.st --map $map -o got.npy
    ok "PyTorch's network predicts the same by ngc: $(cat "$dir/got")" $python torch_there.py same \
        want.npy got.npy
    ok "ngc trains it on" "$ngc" train conv.ng --data x=x.npy,t=t.npy --quiet --load net.st \
        --map $map --save back.st --epochs 3
    ok "predict" "$ngc" predict conv.ng --data x=x.npy --load back.st --map $map -o got.npy
    ok "ngc's weights predict the same by PyTorch" $python torch_there.py compare
else
    echo "embed: no PyTorch here: its checks are left out"
fi
