#!/bin/sh
# run.sh - fine-tuning: --weights with --train and --fresh. What is trained gets the gradients and
# updates that it gets where the other params are params too; what is frozen is in no struct that a
# caller has, and nothing is computed for it. NGC is the ngc under test.
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/suite.sh
LC_ALL=C NO_COLOR=1 XDG_CACHE_HOME=$dir/cache
CC=$(cc_with -O0)
export LC_ALL NO_COLOR XDG_CACHE_HOME CC
choose_quick
libs=$(runtime_libs "$build")
cd "$dir" || exit 2

# says STATUS TEXT ARGUMENT...: ngc must end with this status and print this
says() {
    want=$1 text=$2
    shift 2
    "$NGC" "$@" >said 2>&1
    status=$?
    if [ $status = "$want" ] &&
        grep -qF -e "$text" said; then good; else fail "ngc $*: status $status, not $want with '$text': $(head -3 said)"; fi
}
# weights MODEL FILE: a file with seeded numbers for all params, and states other than their start
weights() {
    "$NGC" train "$1" --data table.csv --epochs 2 --batch 8 --quiet --save "$2" >said 2>&1 ||
        fail "weights of $1: $(head -3 said)"
}

awk 'BEGIN { srand(5); for (i = 0; i < 32; i++) printf "%.3f,%.3f,%.3f,%.3f,%d\n", rand() - 0.5, 2*rand(), i % 5/2 - 1, -rand(), i % 3 }' >table.csv

# The models: text that ends before its minimize, what is trained, and sed commands that make of the
# text what is meant.
model() { cat >"$1.ng"; }
head='dim m <= 32
input x[m, 4], t[m]: int'
model norms <<END # batch norms that are frozen, and one that is trained
$head
a = dense(x, 5, relu)
n = batch_norm(a)
b = dense(n, 6, tanh)
top = batch_norm(b)
z = dense(top, 3)
output p = softmax(z)
metric right = accuracy(z, t)
minimize J = cross_entropy(z, t) with sgd(lr = 0.1, weight_decay = 0.01)
END
model blocks <<END # blocks in a loop; one of them is trained
$head
h = dense(x, 4)
for i in 0..6 {
    h = h + dense(h, 4, tanh)
}
z = dense(h, 3)
output p = softmax(z)
minimize J = cross_entropy(z, t) + 0.01*l2(h.3.W) with adam(lr = 0.01, clip_norm = 1)
END
model tied <<END # one table is read at the bottom and is the head's
$head
param E[3, 4] ~ normal(0, 1)
q = dense(x + E[t], 4, tanh)
k = dense(q, 4)
z = k @ E'
output p = softmax(z)
minimize J = cross_entropy(z, t) with sgd(lr = 0.1, momentum = 0.5)
END
model cell <<END # a layer that is called in a loop that stays one
$head
cell = rnn_cell(_, _, 4)
h = zeros([m, 4])
for s in 0..12 {
    h = cell(x*s/12, h)
}
z = dense(h, 3)
output p = softmax(z)
minimize J = cross_entropy(z, t) with rmsprop(lr = 0.01)
END
model images <<END # convolutions, and dropout below the head
$head
u = reshape(x, [m, 1, 2, 2])
c = batch_norm(conv2d(u, 3, 2, padding = 1, act = relu))
d = conv2d(c, 2, 2, act = relu)
z = dense(dropout(flatten(d), 0.3), 3)
output p = softmax(z)
minimize J = cross_entropy(z, t) with sgd(lr = 0.1)
END
model two <<END # two losses in turn; of one, nothing is trained
$head
g = dense(x, 4, tanh)
e = dense(g, 3)
minimize F = mean(e^2) over g.W, g.b with sgd(lr = 0.1)
minimize J = cross_entropy(e, t) over e.* with sgd(lr = 0.2)
END

# same MODEL TRAINED OVER FROZEN_NORMS: gradients and updates are those of the model whose minimize
# is over these params, and whose batch norms (sed finds them) do not learn. The numbers that run
# prints must be equal.
same() {
    weights "$1.ng" "$1.st"
    sed "s/minimize \(.*\) with/minimize \1 over $3 with/${4:+; $4}" "$1.ng" >by_text.ng
    "$NGC" run "$1.ng" --weights="$1.st" --train="$2" --fill -Wno-unused-name >frozen.out \
        2>said || fail "run $1: $(head -3 said)"
    "$NGC" run by_text.ng --weights="$1.st" --train='*' --fill -Wno-unused-name >open.out \
        2>said || fail "run $1 by its text: $(head -3 said)"
    grep -E '^(d[A-Z]/d|next |J =|p =)' frozen.out >frozen.lines
    grep -E '^(d[A-Z]/d|next |J =|p =)' open.out >open.lines
    if [ -s frozen.lines ] && cmp -s frozen.lines open.lines; then
        good
    else
        fail "$1, $2: $(diff frozen.lines open.lines | head -4)"
    fi
}
freeze='s/batch_norm(\([a-z]*\))$/batch_norm(\1, training = 0)/'
same norms 'z.*' 'z.W, z.b' "$freeze"
same norms 'top,z' 'top.*, z.*' "/^n = /$freeze"
same norms 'a.*' 'a.*' "$freeze"
same norms 'n.gain,z.b' 'n.gain, z.b' "/^top = /$freeze"
same blocks 'h.3.*' 'h.3.W, h.3.b'
same blocks 'h.*.b,z' 'h.*.b, z.*'
same tied 'E' 'E'
same tied 'q' 'q.W, q.b'
same cell 'cell.U' 'cell.U'
same cell 'z' 'z.*'
same images 'z' 'z.W, z.b' 's/conv2d(u, 3, 2, padding = 1, act = relu))/conv2d(u, 3, 2, padding = 1, act = relu), training = 0)/'
group "what is trained"

# The C: training goes as with all params; these are where the text says they are; and the same at
# -O0, standalone, in doubles.
trained() { # trained MODEL TRAINED OVER FROZEN_NORMS
    sed "s/minimize \(.*\) with/minimize \1 over $3 with/; ${4:-}" "$1.ng" >by_text.ng
    "$NGC" train $real "$1.ng" --weights="$1.st" --train="$2" --data table.csv --epochs 3 \
        --batch 8 --no-shuffle --quiet --save tuned.st >tuned.out 2>said ||
        fail "train $1: $(head -3 said)"
    "$NGC" train $real by_text.ng --load "$1.st" --data table.csv --epochs 5 --batch 8 \
        --no-shuffle --quiet --save whole.st >whole.out 2>said ||
        fail "train $1 by its text: $(head -3 said)"
    if cmp -s tuned.out whole.out; then
        good
    else
        fail "training $1: $(diff tuned.out whole.out | head -4)"
    fi
    "$NGC" predict $real "$1.ng" --weights="$1.st" --train="$2" --data x=table.csv:0-3 \
        --load tuned.st --quiet >tuned.csv 2>said || fail "predict $1: $(head -3 said)"
    "$NGC" predict $real by_text.ng --data x=table.csv:0-3 --load whole.st --quiet >whole.csv \
        2>said || fail "predict $1 by its text: $(head -3 said)"
    if [ -s tuned.csv ] && cmp -s tuned.csv whole.csv; then
        good
    else
        fail "predict of $1: $(diff tuned.csv whole.csv | head -4)"
    fi
}
real=
trained norms 'z.*' 'z.W, z.b' "$freeze"
grep -aq '"z.W"' tuned.st && ! grep -aqE '"(a|b|n|top|c|d)\.' tuned.st && good ||
    fail "what is saved: $(head -c 400 tuned.st)"
model big <<END # constants that the trainer's C has as bytes, and a table of whole numbers among them
$head
state seen[3]: int = [4999, 0, 7]
E = embedding(seen[argmax(x[:, :3])], 5000, 6)
z = dense(dense(x, 6) + E, 700)
output p = softmax(z[:, :3])
minimize J = cross_entropy(z, t) with sgd(lr = 0.1)
END
weights big.ng big.st
trained big 'z.1.b,z.0' 'z.1.b, z.0.*'
real=--real=double
trained big 'z.1' 'z.1.*'
real=
in_share 3 1 && trained images 'z' 'z.W, z.b' \
    's/conv2d(u, 3, 2, padding = 1, act = relu))/conv2d(u, 3, 2, padding = 1, act = relu), training = 0)/; s/dropout(flatten(d), 0.3)/flatten(d)/'
for form in '' '-O0' '--standalone' '--real=double --comments=derivation'; do
    "$NGC" norms.ng --prefix=c --weights=norms.st --train=z $form -o c.c 2>said ||
        fail "ngc $form: $(head -3 said)"
    cc -std=c99 -pedantic -Wall -Wextra -Werror -O1 -I"$top/runtime" -c c.c -o c.o 2>said ||
        fail "$form: $(head -3 said)"
    size -A c.o | awk '($1 == ".data" || $1 == ".bss") && $2 > 0 { bad = 1 } END { exit bad }' ||
        fail "$form: constants are not in .rodata"
    sed -n '/^typedef struct c_params/,/^}/p; /^typedef struct c_state/,/^}/p; /^typedef struct c_grads/,/^}/p' c.h >structs
    if grep -q 'z_W' structs && ! grep -qE 'a_W|b_b|gain|running' structs &&
        grep -q 'top_running_mean' \
            c.c; then good; else fail "$form: the structs: $(cat structs)"; fi
done
"$NGC" norms.ng --weights=norms.st --train=z --report >said 2>&1
grep -q '^parameters: 21$' said && grep -q '^bytes of constants: 420$' said && good ||
    fail "the report: $(cat said)"
# with over in the text, --weights is enough; with all params in it, only predict is left, as
# without a pattern
sed 's/minimize \(.*\) with/minimize \1 over z.* with/' norms.ng >over.ng
"$NGC" over.ng --weights=norms.st -o over.c 2>said && grep -q 'over_step(over_params' over.h &&
    ! grep -q a_W over.h && good || fail "over in the text: $(cat said)"
for none in "norms.ng" "over.ng --train="; do
    "$NGC" $none --weights=norms.st --prefix=none -o none.c 2>said &&
        ! grep -q none_step none.h && grep -q 'none_weights' none.h && good ||
            fail "$none: $(cat said)"
done
"$NGC" two.ng --weights=/dev/null --train=e -o two.c >/dev/null 2>&1
weights two.ng two.st
"$NGC" two.ng --weights=two.st --train=e -o two.c 2>said && grep -q 'F;' two.h &&
    ! grep -q 'dF' two.h && good || fail "a loss that trains nothing: $(cat said)"
group "the C"

# Adapters: at first the outputs are those of the model. Params that are fresh are not read.
sed 's/dense(x, 5, relu)/lora(x, 5, relu, rank = 2)/; s/dense(n, 6, tanh)/lora(n, 6, tanh)/; s/ with/ over *.A, *.B with/' norms.ng >adapted.ng
"$NGC" predict norms.ng --data x=table.csv:0-3 --load norms.st --quiet >plain.csv 2>said ||
    fail "predict: $(head -3 said)"
"$NGC" predict adapted.ng --weights=norms.st --fresh='*.A,*.B' --data x=table.csv:0-3 --quiet \
    >first.csv 2>said || fail "predict: $(head -3 said)"
[ -s plain.csv ] && cmp -s plain.csv first.csv && good ||
    fail "adapters change the first output: $(diff plain.csv first.csv | head -4)"
# put together by --weights: only predict, of the adapted model
"$NGC" train adapted.ng --weights=norms.st --fresh='*.A,*.B' --data table.csv --epochs 3 --quiet \
    --save adapters.st >said 2>&1 || fail "train: $(head -3 said)"
"$NGC" predict adapted.ng --weights=norms.st --fresh='*.A,*.B' --load adapters.st \
    --data x=table.csv:0-3 --quiet >want.csv 2>said || fail "predict: $(head -3 said)"
"$NGC" predict adapted.ng --weights=norms.st --weights=adapters.st --train= --data x=table.csv:0-3 \
    --quiet >got.csv 2>said || fail "predict: $(head -3 said)"
[ -s want.csv ] && cmp -s want.csv got.csv && ! cmp -s plain.csv got.csv && good ||
    fail "files put together: $(diff want.csv got.csv | head -4)"
"$NGC" adapted.ng --weights=norms.st --weights=adapters.st --train= --prefix=c -MD -o c.c \
    2>said && grep -q '^extern const c_params c_weights' c.h && ! grep -q c_step c.h &&
    grep -q adapters.st c.d && good || fail "constants of two files: $(cat said)"
if "$NGC" --version | grep -q +onnx; then
    "$NGC" export adapted.ng --load norms.st --load adapters.st -o both.onnx >said 2>&1 &&
        "$NGC" export adapted.ng --load norms.st -o one.onnx >one.said 2>&1
    [ -s both.onnx ] && [ ! -s one.onnx ] && grep -q 'a.A: is not in the file' one.said && good ||
        fail "export of two files: $(cat said one.said)"
fi
says 3 "two.st': has no weight of the model" norms.ng --weights=norms.st --weights=two.st -o c.c
sed 's/dense(top, 3)/dense(top, 4)/' norms.ng >classes.ng
says 3 "z.W: its shape is not [4, 6]" classes.ng --weights=norms.st --train=z -o c.c
"$NGC" classes.ng --weights=norms.st --train=z --fresh=z -o classes.c 2>said &&
    grep -q 'z_W\[4\]' classes.h && good || fail "other classes: $(cat said)"
"$NGC" run classes.ng --weights=norms.st --fresh=z --fill -Wno-unused-name >fresh.out 2>said &&
    "$NGC" run classes.ng --fill -Wno-unused-name >whole.out 2>said
[ "$(grep -c '^d' fresh.out)" = "$(grep -c '^d' whole.out)" ] && good ||
    fail "--fresh without --train trains what the model does"
group "adapters"

# What the first training did to the data is done to the new data; labels may be other words.
awk 'BEGIN { srand(3); split("cat cow dog", w, " "); print "a,b,c,d,kind"; for (i = 0; i < 60; i++) { k = i % 3; printf "%.2f,%.1f,%.2f,%.2f,%s\n", 100 + 9*k + rand(), 5*k, rand(), -rand(), w[k + 1] } }' >old.csv
sed 's/cat/ant/; s/cow/bee/; s/dog/fly/' old.csv >new.csv
"$NGC" train norms.ng --data x=old.csv:0-3,t=old.csv:kind --standardize x --epochs 20 --quiet \
    --save words.st >said 2>&1 || fail "words: $(cat said)"
"$NGC" train norms.ng --weights=words.st --train=z --data x=new.csv:0-3,t=new.csv:kind --epochs 20 \
    --quiet --save tuned.st >said 2>&1 || fail "other words: $(cat said)"
grep -qE '^right: (1|0.9)' said && good || fail "other words: $(cat said)"
"$NGC" predict norms.ng --weights=words.st --train=z --data new.csv:0-3 --load tuned.st --quiet \
    >words.out 2>&1
sed -n 2p words.out | grep -q ',ant$' && good || fail "the words of predict: $(head -3 words.out)"
# the option again: the numbers are those of the first training; of an input that it did not change,
# an error
"$NGC" train norms.ng --weights=words.st --train=z --data x=new.csv:0-3,t=new.csv:kind \
    --standardize x --epochs 20 --save twice.st >said 2>&1
grep -q "note: x is scaled as in the training of words.st, not by the new data" said &&
    tail -c 60 tuned.st >once && tail -c 60 twice.st | cmp -s once - && good ||
        fail "--standardize again: $(cat said)"
"$NGC" train norms.ng --data x=old.csv:0-3,t=old.csv:kind --epochs 1 --quiet --save raw.st >said \
    2>&1 || fail "raw: $(cat said)"
for how in --weights=raw.st --load=raw.st; do
    "$NGC" train norms.ng $how --data x=old.csv:0-3,t=old.csv:kind --standardize x --epochs 1 \
        --quiet >said 2>&1
    [ $? = 2 ] && grep -q "the input x is to be scaled, but it was not in the training of raw.st" \
        said && good || fail "--standardize of what was not: $(cat said)"
done
# the C does it to its inputs: its loss is that of eval
cat >loss.c <<'C'
#include "c.h"
#include <stdio.h>
static c_params params; static c_state state; static c_work work;
int main(void)
{
    static float x[30][4]; static int32_t t[30];
    c_inputs in = {.m = 30, .x = x[0], .t = t};
    for (int i = 0; i < 30; i++)
        if (scanf("%f,%f,%f,%f,%d", &x[i][0], &x[i][1], &x[i][2], &x[i][3], &t[i]) != 5) return 2;
    c_init(&params, &state, 1);
    if (c_eval(&params, &state, &in, &work)) return 1;
    printf("J: %.6g\n", (double)work.J);
    return 0;
}
C
head -31 old.csv >thirty.csv
"$NGC" eval norms.ng --data x=thirty.csv:0-3,t=thirty.csv:kind --load words.st --quiet >want.out \
    2>said || fail "eval: $(head -3 said)"
"$NGC" norms.ng --prefix=c --weights=words.st --train='top,z' -o c.c 2>said &&
    cc -w -I"$top/runtime" loss.c c.c $libs -o loss 2>said &&
    sed '1d; s/cat/0/; s/cow/1/; s/dog/2/' thirty.csv | ./loss >got.out 2>>said ||
        fail "the C with prepared inputs: $(head -3 said)"
[ -s got.out ] && [ "$(grep J: want.out)" = "$(cat got.out)" ] && good ||
    fail "the C with prepared inputs: $(cat got.out), eval: $(cat want.out)"
# what was trained on one net is not loaded on another; the file's format does not matter
"$NGC" train norms.ng --data table.csv --epochs 1 --batch 8 --quiet --save less.st >said 2>&1
says 3 "tuned.st: was trained with other --weights than less.st" predict norms.ng \
    --weights=less.st --train=z --load tuned.st --data x=table.csv:0-3
says 3 "tuned.st: was trained with other --weights" train norms.ng --weights=norms.st --train=z \
    --load tuned.st --data table.csv
"$NGC" train norms.ng --load words.st --data x=old.csv:0-3,t=old.csv:kind --epochs 1 --quiet \
    --save words.npz >said 2>&1
"$NGC" eval norms.ng --weights=words.npz --train=z --data x=new.csv:0-3,t=new.csv:kind \
    --load tuned.st --quiet >said 2>&1 && good || fail "another format: $(cat said)"
group "data"

# Messages.
says 2 "--train: no param is called 'heads'" norms.ng --weights=norms.st --train=heads -o c.c
says 2 "did you mean 'top.gain'?" norms.ng --weights=norms.st --train='z,top.gian' -o c.c
says 2 "--fresh: no param is called 'q.*'" norms.ng --weights=norms.st --fresh='q.*' -o c.c
says 2 "--train and --fresh want --weights" norms.ng --train=z -o c.c
says 2 "no minimize of the model is over what it names" over.ng --weights=norms.st --train=a -o c.c
says 2 "export reads weights by --load" export norms.ng --weights=norms.st -o c.onnx
says 3 "none.st: No such file" norms.ng --weights=none.st --train=z -o c.c
says 3 "none.st: No such file" train norms.ng --weights=none.st --train=z --data table.csv
sed 's/^a = dense(x, 5/a = dense(x, 7/' norms.ng >wide.ng
says 3 "a.W: its shape is not [7, 4]" wide.ng --weights=norms.st --train=z -o c.c
sed 's/top = batch_norm(b)/top = layer_norm(b)/; s/^a = /more = /; s/batch_norm(a)/batch_norm(more)/' norms.ng >other.ng
says 3 "more.W: is not in the file" other.ng --weights=norms.st --train=z -o c.c
says 1 "no param is called 'q.*'" run over.ng -D m=3 --fill \
    -e 'input x; param w = 1; minimize J = (w*x)^2 over q.* with sgd(0.1)'
says 1 "'x' is not a param" run \
    -e 'input x; param w = 1; minimize J = (w*x)^2 over w, x with sgd(0.1)' x=1
says 3 "a.W of the model norms is not in it" eval norms.ng --data table.csv --load tuned.st
group "messages"

# Damaged files: an error or a model, and never a crash.
size=$(wc -c <norms.st)
n=0
while [ $n -lt 24 ]; do
    n=$((n + 1))
    at=$(((n * 7919 + CHECK_SEED * 104729) % (n < 18 ? 900 : size)))
    { head -c $at norms.st; printf "\\$(printf %o $(((n * 37) % 256)))"; tail -c +$((at + 2)) norms.st; } >damaged.st
    [ $((n % 6)) = 0 ] && head -c $at norms.st >damaged.st
    "$NGC" norms.ng --weights=damaged.st --train=z -o c.c >said 2>&1
    status=$?
    case $status in 0 | 3) good ;; *) \
        fail "byte $at damaged: status $status: $(head -3 said)" ;; esac
done
group "damaged files"

# The lesson says what is frozen.
"$NGC" explain --text norms.ng --weights=norms.st --train=z --data table.csv >lesson 2>said
grep -q 'a.W = .*(frozen)$' lesson && grep -q 'z.W = .*(param)$' lesson &&
    ! grep -q 'dJ/da.W' lesson && good || fail "the lesson: $(grep -m3 ' W' lesson; head -3 said)"
"$NGC" -O0 norms.ng --weights=norms.st --train=z -o - >said 2>&1
grep -q 'frozen->a_W' said && grep -q '^/\* weights that are not trained \*/' said && good ||
    fail "the C of -O0"
group "lessons"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
