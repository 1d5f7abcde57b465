#!/bin/sh
# emitted.sh - the emitted C of every example and published case against the reference interpreter.
#
#     tests/emitted.sh [MODEL.ng...]      from anywhere; needs a built tree: BUILD=build
#
# Every model is compiled in two ways: gcc, -O2, double, linked with libngrt; clang, -O0, float,
# standalone. A sample of the models, and models that are named, are compiled in all ways: {-O0,
# -O2} x {float, double} x {linked, standalone} x {gcc, clang}. Warnings are failures.
# A run does one of the two ways for every third model, and one in sixteen of all ways for the
# sample. The C of -O0 is optimized only for the sample, and where it is not long. With CHECK_LONG=1
# (suite.sh) everything is done and optimized. Then one program runs them all (emitted.c) and
# compares. Last line: "N passed, N failed".
strict="-std=c99 -pedantic -Wall -Wextra -Wconversion -Wmissing-prototypes -Werror"

# One model with one compiler: emitted.sh --one COMPILER LEVEL REAL LINK MODEL. Makes an object, or
# a file with the reason.
if [ "$1" = --one ]; then
    name=$(basename "$6" .ng)
    id=${name}_$2_$3_$4_$5
    options="-O$3 --real=$4" optimize=-O1
    [ "$5" = standalone ] && options="$options --standalone"
    if ! "$build/ngc" "$6" $options --prefix="$id" -o "$dir/$id.c" 2>"$dir/$id.log"; then
        { echo "$name $options: ngc:"; head -5 "$dir/$id.log"; } >"$dir/$id.fail"
    else
        if [ "$3" = 0 ] && [ -z "$CHECK_LONG" ]; then # the optimizer takes long for the many loops of -O0
            case " $sample " in *" $name "*) ;; *) optimize=-O0 ;; esac
            [ "$(wc -c <"$dir/$id.c")" -lt 100000 ] || optimize=-O0
        fi
        "$dir/limit" 300 "$2" $strict $optimize -Iruntime -c "$dir/$id.c" -o "$dir/$id.o" \
            2>"$dir/$id.log"
        status=$?
        [ $status = 0 ] ||
            { echo "$name $options: $2: status $status"; head -8 "$dir/$id.log"; } >"$dir/$id.fail"
    fi
    exit 0
fi

cd "$(dirname "$0")/.." || exit 2
. tests/suite.sh
[ -x "$build/ngc" ] || { echo "emitted: there is no $build/ngc; run make first"; exit 2; }
export dir build sample
[ $# -gt 0 ] && CHECK_LONG=1
limit 10 true || exit 2 # builds it
compilers=$(for c in gcc clang; do command -v $c >/dev/null && echo $c; done)
first=$(echo $compilers | cut -d' ' -f1)
last=${compilers##*[!a-z]}
sample="product net_221 logistic_rows two_layers upstream symmetry micrograd two_layer_net rnn_embedding gmm_small"

# The ways to compile each model go to $dir/jobs, its expected values to $dir/NAME.values. Where a
# run has no way for a model, it needs none.
number=0
: >"$dir/jobs"
for model in ${*:-examples/*.ng tests/cases/*.ng}; do
    name=$(basename "$model" .ng)
    level=0
    case $name in
    lstm_1023_steps) level=none ;; # 7 MB of C: only one compiler
    lstm_40_steps) level=2 ;;      # 12 MB at -O0: its second derivatives have a loop for every value
    esac
    number=$((number + 1)) way=$number
    case $name in lstm_*_steps) in_share 6 $number || continue ;; esac # takes a compiler a minute
    case " $sample " in *" $name "*) all=1 ;; *) all=$# ;; esac
    if [ "$all" = 0 ]; then
        in_share 9 $number && echo "$first 2 double linked $model"
        [ $level = none ] ||
            { in_share 9 $((number + 3)) && echo "$last $level float standalone $model"; }
        continue
    fi >>"$dir/jobs"
    for cc in $compilers; do for level in 0 2; do for real in float double; do for link in linked standalone; do
        way=$((way + 1))
        in_share 24 $way && echo "$cc $level $real $link $model"
    done; done; done; done >>"$dir/jobs"
done
for model in $(awk '{ print $NF }' "$dir/jobs" | sort -u); do
    "$build/ngc" run --fill --digits=17 "$model" >"$dir/$(basename "$model" .ng).values" \
        2>"$dir/log" || fail "$model: $(head -3 "$dir/log")"
done
passed=0
group "$(ls "$dir"/*.values | wc -l) models by the interpreter"
xargs -P "$(nproc)" -L 1 sh "$0" --one <"$dir/jobs"
group "$(wc -l <"$dir/jobs") ways of them compiled"

# The tolerance if float32 must lose more than 1e-4: differences of nearly equal numbers.
tolerance() {
    case $1 in
    bundle_adjustment) echo 3e-3 ;; # a pixel's position minus the measured one; PyTorch loses 4e-4
    newton) echo 1e-3 ;; # far from the minimum, where the valley is narrow
    wave) echo 1e-3 ;; # Adam's first step is the gradient's sign, even of gradients near 0,
    overfit) echo 1 ;; # a matrix that is singular except for 1e-12; only float64 tests it
    char_gpt | mirror) echo 0.5 ;; # and the gradient of the keys' bias is 0 except for rounding; only float64 tests it
    *) echo 1e-4 ;;
    esac
}

# Does the model behave differently in training, so that `ngc run` does not show its values?
differs() {
    grep -qE '^[^#]*(training|dropout|batch_norm|rrelu)' "$1" && echo 1 || echo 0
}

{
    echo '#include "emitted.h"'
    sort -u "$dir/jobs" | while read -r cc level real link model; do
        name=$(basename "$model" .ng)
        id=${name}_${cc}_${level}_${real}_${link}
        [ -f "$dir/$id.o" ] || continue
        echo "extern const ngrt_model ${id}_model;"
        title="$name -O$level $real $link $cc"
        numbers="$(tolerance "$name"), $(differs "$model")"
        echo "    {\"$title\", &${id}_model, \"$dir/$name.values\", $numbers}," >>"$dir/rows"
    done
    echo 'const Entry entries[] = {'
    cat "$dir/rows"
    echo '    {0, 0, 0, 0, 0}};'
} >"$dir/table.c"
for f in "$dir"/*.fail; do
    [ -f "$f" ] && fail "$(cat "$f")"
done

libs=$(runtime_libs "$build")
if $first -std=c11 -Wall -Wextra -O1 -g -Iruntime -Itests tests/emitted.c "$dir/table.c" "$dir"/*_linked.o \
    "$dir"/*_standalone.o $libs -o "$dir/emitted"; then
    "$dir/emitted" >"$dir/out"
    status=$?
    sed '$d' "$dir/out"
    [ $status = 0 ] || fail "the driver ended with status $status"
    passed=$(tail -1 "$dir/out" | cut -d' ' -f1)
    failed=$((failed + $(tail -1 "$dir/out" | cut -d' ' -f2)))
else
    fail "the models do not link into one program"
fi

# The OR gate, trained by its example program.
if "$build/ngc" examples/or_gate.ng --standalone -o "$dir/or_gate.c" &&
    $first $strict -O1 -I"$dir" examples/or_gate_train.c "$dir/or_gate.c" -lm -o "$dir/or_gate" &&
    "$dir/or_gate" >"$dir/log"; then
    passed=$((passed + 1))
else
    fail "examples/or_gate_train.c does not learn the OR gate"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
