#!/bin/sh
# try.sh - trains an example on its data with one command, and shows what it reaches on rows that it
# has not seen.
#
#     sh examples/try.sh NAME [OPTION...]     iris wine cancer digits diabetes, fashion lenet resnet, series, text
#
# Options are those of `ngc train`, such as --seed 2. Where a data set is missing, a message says
# what to install.
set -eu
here=$(dirname "$0")
ngc=${NGC:-$here/../build/ngc}
name=${1:-}
[ $# -gt 0 ] && shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ ! -x "$ngc" ]; then
    echo "try.sh: the compiler is not built: make" >&2
    exit 1
fi

# table FILE: where a table of scikit-learn is
table() {
    sh "$here/../tests/data.sh" table "$1"
}

# show OPTION...: trains the example, after it has shown the command
show() {
    echo "ngc train examples/$name.ng $*"
    "$ngc" train "$here/$name.ng" "$@"
}

# windows N: from lines of one number each, windows of N + 1 numbers that begin one line apart
windows() {
    awk -v n="$1" '{ v[NR] = $1 } END { for (i = 1; i + n <= NR; i++) { row = v[i]; for (j = 1; j <= n; j++) row = row "," v[i + j]; print row } }'
}

case $name in
iris)
    data=$(table iris.csv)
    show --data "$data" --split 0.8,0.2 --standardize x --epochs 100 "$@"
    ;;
wine)
    data=$(table wine_data.csv)
    show --data "$data" --split 0.8,0.2 --standardize x --epochs 60 "$@"
    ;;
cancer)
    data=$(table breast_cancer.csv)
    show --data "$data" --split 0.8,0.2 --standardize x --epochs 60 "$@"
    ;;
digits)
    data=$(table digits.csv.gz)
    show --data "$data" --split 0.8,0.2 --scale x=1/16 --epochs 30 "$@"
    ;;
diabetes)
    data=$(table diabetes_data_raw.csv.gz)
    target=$(table diabetes_target.csv.gz)
    show --data "x=$data,y=$target" --split 0.8,0.2 --standardize x,y --epochs 100 "$@"
    ;;
fashion | lenet | resnet)
    data=$(sh "$here/../tests/data.sh" fashion)
    case $name in fashion) epochs=12 ;; lenet) epochs=4 ;; resnet) epochs=8 ;; esac
    show --data "x=$data/train-images-idx3-ubyte.gz,t=$data/train-labels-idx1-ubyte.gz" \
        --val "x=$data/t10k-images-idx3-ubyte.gz,t=$data/t10k-labels-idx1-ubyte.gz" \
        --epochs $epochs "$@"
    ;;
series)
    awk 'BEGIN { srand(1); for (i = 0; i < 1500; i++) print sin(i/5) + 0.5*sin(i/17) + 0.1*(rand() - 0.5) }' >"$work/wave"
    windows 24 <"$work/wave" >"$work/short.csv"
    windows 60 <"$work/wave" >"$work/long.csv"
    show --data "x=$work/short.csv:0-23,y=$work/short.csv:24" --split 0.8,0.2 --epochs 20 \
        --save "$work/series" T=24 "$@"
    echo "on windows of 60:"
    "$ngc" eval "$here/series.ng" --data "x=$work/long.csv:0-59,y=$work/long.csv:60" \
        --load "$work/series" T=60 --quiet
    ;;
text)
    name=char_rnn
    # symbols: 0 to 94 are the printable characters, 95 is the end of a line
    od -An -v -t u1 -w1 "${TEXT:-$here/../grammars/README.md}" |
        awk '$1 == 10 { print 95 } $1 >= 32 && $1 <= 126 { print $1 - 32 }' |
        awk '{ v = v (n ? "," : "") $1; last = $1 } ++n == 49 { print v; v = last; n = 1 }' >"$work/text.csv"
    show --data "x=$work/text.csv:0-47,t=$work/text.csv:1-48" --val-split 0.1 --epochs 10 "$@"
    echo "J is in nats for each character; guessing blindly gives ln 96 = 4.56"
    ;;
*)
    sed -n 's/^#     sh/usage: sh/p' "$0" >&2
    exit 2
    ;;
esac
