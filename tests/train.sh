#!/bin/sh
# train.sh - trains the examples with the emitted C: iris to 96% of all rows, Fashion-MNIST to 89%
# of unseen images, sequences, a GAN, a net that obeys a differential equation, a GPT that predicts
# a text better than a table of pairs.
#
#     sh tests/train.sh [NAME...]      LONG=1 also trains the GPT of 12 blocks
#
# A run does a share (suite.sh): half of the small models, one of the image models, one of the text
# models. CHECK_LONG=1 does all. Sequences and small models are compiled with -O1, because with -O2
# gcc takes longer for them than training does.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/suite.sh
ngc=$NGC cc=cc
names=" $* "
[ $# -gt 0 ] && CHECK_LONG=1

# asked NAME: is this test to be run?
asked() {
    [ "$names" = "  " ] && return 0
    case $names in *" $1 "*) return 0 ;; esac
    return 1
}

# verdict STATUS TEXT
verdict() {
    if [ "$1" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    echo "$([ "$1" = 0 ] && echo ok || echo FAIL) $2"
}

# within TITLE VALUE LOW HIGH OUTPUT: is the value with that name in the output between the two?
within() {
    got=$(printf '%s\n' "$5" | sed -n "s/^$2: //p")
    [ -n "$got" ] && awk "BEGIN { exit !($got >= $3 && $got <= $4) }"
    verdict $? "$1: $2 is '$got', from $3 to $4 wanted"
}

# learns NAME EPOCHS VALUE LOW HIGH [ARGUMENT...]: trains the example; then a value must be between
# the two
learns() {
    name=$1 epochs=$2 value=$3 low=$4 high=$5
    shift 5
    asked "$name" || return 0
    out=$(CC=$cc "$ngc" train "examples/$name.ng" --epochs "$epochs" --quiet "$@")
    within "$name" "$value" "$low" "$high" "$out"
}

# also VALUE LOW HIGH: the same for another value of the last example
also() {
    [ "$out" ] && asked "$name" && within "$name" "$1" "$2" "$3" "$out"
}

# small NAME ...: as learns; a run does one in three of these
turn=0
small() {
    turn=$((turn + 1)) out= cc=$(cc_with -O1)
    in_share 3 $turn && learns "$@"
    cc=cc
}

small xor 500 accuracy 1 1
small xor 500 accuracy 1 1 --seed 2
small spiral 1000 accuracy 0.97 1
small moons 500 net 0.98 1
also line 0.8 0.95
small regularised 500 accuracy 0.99 1
small rate 20 J 0 0.5
small newton 7 J 0 1e-9
small mixture 500 error 0 0.05
small oscillator 3000 error 0 0.01
small wave 500 error 0 0.05
also lazy 0.2 0.3
small adding 1500 J 0 0.02
small gan 3000 average 2.8 3.2
also spread 0.35 0.65

group "small models"
if asked iris; then
    iris=$(sh tests/data.sh iris)
    learns iris 500 accuracy 0.96 1 --data "$iris" --seed 1
    learns iris 500 accuracy 0.96 1 --data "$iris" --seed 2

    # an extra column is an error with its line, and nothing is trained
    printf '1,2,3,4,0\n2,3,4,5,1\n1,2,3,4,5,0\n' >"$dir/bad.csv"
    message=$("$ngc" train examples/iris.ng --data "$dir/bad.csv" 2>&1)
    [ $? = 3 ] && case $message in *:3*) true ;; *) false ;; esac
    verdict $? "a bad table is refused: $message"
fi

if asked fashion || asked lenet || asked autoencoder; then
    data=$(sh tests/data.sh fashion)
    images="x=$data/train-images-idx3-ubyte.gz" others="x=$data/t10k-images-idx3-ubyte.gz"
    kinds="t=$data/train-labels-idx1-ubyte.gz" other_kinds="t=$data/t10k-labels-idx1-ubyte.gz"
    in_share 3 0 && learns fashion 12 accuracy 0.86 1 --data "$images,$kinds" \
        --val "$others,$other_kinds"
    in_share 3 1 && learns lenet 4 accuracy 0.895 1 --data "$images,$kinds" \
        --val "$others,$other_kinds"
    in_share 3 2 && learns autoencoder 3 kept 0.83 1 --data "$images" --val "$others"
    group "models of images"
fi

# writes NAME STEPS [OPTION...]: char_train.c with this model must get below the table of pairs, and
# writes a sample
writes() {
    name=$1 steps=$2
    shift 2
    asked "$name" || return 0
    "$ngc" --standalone "$@" "examples/$name.ng" --prefix=chars -o "$dir/chars.c" &&
        cc -std=c99 -O1 -I"$dir" examples/char_train.c "$dir/chars.c" -lm -o "$dir/chars" &&
        "$dir/chars" README.md "$steps" >"$dir/out" &&
        [ "$(sed '1,/table of pairs [0-9.]*$/d' "$dir/out" | wc -c)" -ge 300 ]
    verdict $? "$name $*: $(grep '^loss' "$dir/out")"
}

in_share 2 0 && writes char_rnn 300
in_share 2 1 && writes char_gpt 300
group "models of text"
[ -z "${LONG-}" ] || writes char_gpt 300 -D blocks=12

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
