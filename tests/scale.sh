#!/bin/sh
# scale.sh - the cost of compiling is proportional to the size of the model: ngc's processor time
# for ten times the nodes.
#
# It is about 10 times as long. If a list were searched for each node, it would be 100 times. The
# best of three attempts counts, because other programs disturb.
#
# Then gcc's time for the C of a long sum. Then the C of deep networks: its lines, and the time of
# cc, in times of that for runtime/ngrt_sgemm.c. In each run one network is compiled, with
# CHECK_LONG=1 (suite.sh) each.
cd "$(dirname "$0")/.." || exit 2
. tests/suite.sh
ngc=$NGC checks=0

# A model with about $2 nodes in the forward pass.
write() {
    awk -v form="$1" -v n="$2" 'BEGIN {
        if (form == "sum") {
            printf "input a, b\nJ = a"
            for (i = 1; i < n / 3; i++)
                printf i % 2 ? " + a*%d" : " + sin(b*%d)", i + 1
            print "\ngradient J"
        } else if (form == "product") {
            printf "input a\nJ = a"
            for (i = 1; i < n / 12; i++)
                printf "*(a + %d)", i
            print "\ngradient J"
        } else if (form == "chain") {
            print "input a, b\nv0 = a"
            for (i = 0; i < n / 4; i++)
                printf "v%d = tanh(v%d*%d + b)\n", i + 1, i, i % 7 + 1
            printf "gradient J = v%d over a\n", i
        } else if (form == "tensors") {
            printf "input x[4]\nparam w[4]\nh = x\nfor i in 0..%d {\n    h = tanh(h*w + x)\n}\n", n / 4
            print "minimize J = sum(h) with sgd(lr = 0.1)"
        } else if (form == "loops") {
            print "input x[64]\nparam a = 0.3\nh = 0.1"
            for (i = 0; i < n / 25; i++)
                print "for t in 0..64 { h = tanh(a*h + x[t]) }"
            print "gradient J = h^2"
        } else {
            printf "input x[8, 16], t[8]: int\nh = x\nfor i in 0..%d {\n    h = dense(h, 16, tanh)\n}\n", n / 8
            print "minimize J = cross_entropy(h, t) with sgd(lr = 0.1)"
        }
    }' > "$dir/$1$2.ng"
}

# Sets $spent to the processor time of all children so far, in 1/100 s.
clock() {
    times > "$dir/times"
    spent=$(awk 'END { split($1, u, /[ms]/); split($2, s, /[ms]/); printf "%d", 6000*(u[1] + s[1]) + 100*(u[2] + s[2]) }' "$dir/times")
}

# Sets $taken to that of a command.
timed() {
    clock
    taken=$spent
    "$@" > "$dir/log" 2>&1 || { echo "FAIL $*"; tail -3 "$dir/log"; failed=$((failed + 1)); }
    clock
    taken=$((spent - taken))
}

compile() {
    timed "$ngc" "$1" $2 -o "$dir/m.c"
}

# deep NUMBER LINES RATIO MODEL...: bounds for the C of a deep network, which cc compiles at $level
level=-O2
deep() {
    number=$1 most=$2 times=$3
    shift 3
    checks=$((checks + 1))
    timed "$ngc" "$@" -o "$dir/deep.c"
    lines=$(wc -l < "$dir/deep.c")
    [ -z "$SHOW" ] || echo "$*: $lines lines"
    [ "$lines" -le "$most" ] ||
        { echo "FAIL $*: $lines lines, more than $most"; failed=$((failed + 1)); }
    [ -n "$CHECK_LONG" ] || [ $((${CHECK_SEED:-1} % 4)) = "$number" ] || return

    checks=$((checks + 1)) least=
    for attempt in 1 2; do
        timed ${CC:-cc} -O2 -Iruntime -c runtime/ngrt_sgemm.c -o "$dir/m.o"
        short=$taken
        timed ${CC:-cc} $level -Iruntime -c "$dir/deep.c" -o "$dir/m.o"
        ratio=$((taken / (short > 5 ? short : 5)))
        [ -n "$least" ] && [ $least -le $ratio ] || least=$ratio
        [ $least -gt "$times" ] || break
    done
    [ -z "$SHOW" ] || echo "$*: cc takes $least times as long as for ngrt_sgemm.c"
    [ $least -le "$times" ] ||
        { echo "FAIL $*: cc takes $least times as long as for ngrt_sgemm.c"; failed=$((failed + 1)); }
}

for form in sum product chain tensors layers loops; do
    write $form 2500
    write $form 25000
    for option in -O2 -O0; do
        case $form$option in tensors-O0 | layers-O0) continue ;; esac # their C is short
        checks=$((checks + 1)) least=
        for attempt in 1 2 3; do
            compile "$dir/${form}2500.ng" $option
            short=$((taken > 2 ? taken : 3)) # the least that the clock can measure
            compile "$dir/${form}25000.ng" $option
            ratio=$((taken / short))
            [ -n "$least" ] && [ $least -le $ratio ] || least=$ratio
            [ $least -ge 20 ] || break
        done
        [ -z "$SHOW" ] || echo "$form $option: $least"
        [ $least -lt 20 ] ||
            { echo "FAIL $form $option: 10 times the nodes take $least times as long"; failed=$((failed + 1)); }
    done
done
# The C compiler, too: functions of many long expressions of numbers are cut.
if in_share 4 1; then
    checks=$((checks + 1)) least=
    write sum 8000
    write sum 2000
    for attempt in 1 2 3; do
        "$ngc" "$dir/sum2000.ng" -o "$dir/m.c" &&
            timed gcc -O2 -Iruntime -c "$dir/m.c" -o "$dir/m.o"
        short=$((taken > 5 ? taken : 5))
        "$ngc" "$dir/sum8000.ng" -o "$dir/m.c" &&
            timed gcc -O2 -Iruntime -c "$dir/m.c" -o "$dir/m.o"
        ratio=$((10 * taken / short))
        [ -n "$least" ] && [ $least -le $ratio ] || least=$ratio
        [ $least -ge 60 ] || break
    done
    [ -z "$SHOW" ] || echo "gcc: $least / 10"
    [ $least -lt 60 ] ||
        { echo "FAIL 4 times the numbers take gcc $least / 10 times as long"; failed=$((failed + 1)); }
fi
# An LSTM stays a loop: its C does not grow with the number of steps, or where they are known only
# at run time.
for steps in "= 10" "= 1000" "= 100000" "<= 1000"; do
    cat > "$dir/lstm.ng" <<END
dim m <= 8, T $steps
input x[T, m, 16], t[m]: int
cell = lstm_cell(_, _, _, 32)
h = zeros([m, 32])
c = zeros([m, 32])
for i in 0..T { h, c = cell(x[i], h, c) }
minimize J = cross_entropy(dense(h, 4), t) with adam(lr = 0.01)
END
    checks=$((checks + 1))
    compile "$dir/lstm.ng"
    lines=$(wc -l < "$dir/m.c")
    [ -z "$SHOW" ] || echo "an LSTM of T $steps: $lines lines"
    [ "$lines" -le 1300 ] ||
        { echo "FAIL an LSTM of T $steps: $lines lines, more than 1300"; failed=$((failed + 1)); }
done
# At -O0 a loop is written out, and has the loops of all its passes.
cat > "$dir/second.ng" <<END
input x[4, 4]
v = x
for i in 0..4 { v = sin(v) + dense(dense(v, 3, tanh), 4) }
d = grad(mean(v), x)
minimize J = sum(sin(d)) with adam(lr = 0.1)
END
deep 0 6000 16 tests/deep/resnet50.ng
deep 1 4200 9 examples/char_gpt.ng -D blocks=12
level=-O3 deep 2 3900 6 "$dir/second.ng" -O0
deep 2 3800 10 tests/deep/mobilenet.ng
deep 3 8500 24 tests/deep/efficientnet.ng
echo "$((checks - failed)) passed, $failed failed"
[ $failed = 0 ]
