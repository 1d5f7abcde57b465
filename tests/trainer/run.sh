#!/bin/sh
# run.sh - `ngc train`, `eval` and `predict` as a user calls them: tables as they are, what is saved
# with the weights, parts of the data, how a training goes on and ends, and what it shows. The
# models are small, and the C is not optimized.
#
#     sh tests/trainer/run.sh [GROUP...]
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/suite.sh
ngc=$NGC
groups=" $* "
choose_quick
export XDG_CACHE_HOME="$dir/cache" TMPDIR="$dir" OPENBLAS_NUM_THREADS=1
CC=$(cc_with -O0)
export CC
mkdir -p "$dir/work" && cd "$dir/work" || exit 1

# asked NAME: is this group to be run?
asked() {
    [ "$groups" = "  " ] && return 0
    case $groups in *" $1 "*) return 0 ;; esac
    return 1
}

# verdict STATUS TEXT: counts a check; says what failed
verdict() {
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $2"
        sed 's/^/    /' "$dir/out" "$dir/err" | head -n 12
    fi
}

# run STATUS COMMAND...: runs ngc; the status must be this. The output is in $dir/out, the messages
# are in $dir/err.
run() {
    want=$1
    shift
    "$ngc" "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    [ $got = "$want" ]
    verdict $? "ngc $*: status $got, not $want"
}

# says TEXT: is it in the messages?
says() {
    grep -qF -- "$1" "$dir/err"
    verdict $? "no message has: $1"
}

# prints TEXT: is it in the output?
prints() {
    grep -qF -- "$1" "$dir/out"
    verdict $? "the output has no: $1"
}

# same FILE FILE
same() {
    cmp -s "$1" "$2"
    verdict $? "$1 and $2 differ"
}

# same_weights FILE FILE: without what the files say beside the weights, which are at their ends
same_weights() {
    tail -c 800 "$1" >"$dir/weights.1"
    tail -c 800 "$2" | cmp -s "$dir/weights.1" -
    verdict $? "$1 and $2 have other weights"
}

# holds FILE TEXT: is it in the file?
holds() {
    grep -qaF -- "$2" "$1"
    verdict $? "$1 has no: $2"
}

cat >iris.ng <<'END'
dim    m <= 32
input  x[m, 4], t[m]: int
h = dense(x, 8, tanh)
z = dense(h, 3)
output p = softmax(z)
metric accuracy = mean(argmax(z) == t)
minimize J = cross_entropy(z, t) with adam(lr = 0.02)
END

# Three kinds of flowers: numbers.csv has them as numbers, words.csv has names, in columns of which
# each has one.
awk 'BEGIN {
    srand(5); split("rose tulip lily", kind, " "); print "length,width,height,\"the depth, in mm\",kind" >"words.csv"
    for (i = 0; i < 90; i++) {
        k = i % 3; row = ""
        for (j = 0; j < 4; j++) row = row sprintf("%.3f,", (k == j)*2 + k*j + rand())
        print row k >"numbers.csv"; print row kind[k + 1] >"words.csv"
    }
}'

if asked tables; then
    # names of classes are labels, in the order of the alphabet: lily, rose, tulip
    run 0 train iris.ng --data words.csv --epochs 30 --save words.st
    says 'words.csv:1: taken as the names of the columns'
    prints 'accuracy: 1'
    holds words.st 'class \u0022kind\u0022 \u0022lily\u0022 \u0022rose\u0022 \u0022tulip\u0022'
    run 0 eval iris.ng --data words.csv --load words.st
    prints 'accuracy: 1'
    sed 1d words.csv | tac >back.csv
    run 0 eval iris.ng --data back.csv --load words.st
    prints 'accuracy: 1'
    printf '1,2,3,4,rose\n1,2,3,4,"daisy"\n' >daisy.csv
    run 3 eval iris.ng --data daisy.csv --load words.st
    says "daisy.csv:2:10: 'daisy' is none of the 3 words that training knew for t"
    printf '1,2,3,4,rose\n1,2,3,4,tulip\n1,2,3,4,lily\n1,2,3,4,fern\n' >four.csv
    run 3 train iris.ng --data four.csv
    says "four.csv: 4 different words, but t has 3 classes"

    sed 's/,[a-z]*$//' back.csv | head -n 2 >few.csv
    run 0 predict iris.ng --data few.csv --load words.st
    prints 'lily,rose,tulip,kind'
    [ "$(sed 's/.*,//' "$dir/out" | tail -n 2)" = "$(sed 's/.*,//' back.csv | head -n 2)" ]
    verdict $? "predict names other classes"

    # another order of the columns is not overlooked, and a model may have more classes than there
    # are words
    awk -F, '{ print $2 "," $1 "," $3 "," $4 "," $5 }' words.csv |
        sed '1s/.*/width,length,height,depth,kind/' >turned.csv
    run 0 eval iris.ng --data turned.csv --load words.st
    says "turned.csv: column 0 is 'width', but that of training was 'length'"
    grep -v tulip words.csv >two.csv
    run 0 train iris.ng --data two.csv --epochs 30 --quiet --save two.st
    run 0 predict iris.ng --data two.csv --load two.st
    prints 'lily,rose,p_2,kind'

    # columns, by numbers and by names; a table is read once
    run 0 train iris.ng --data numbers.csv --epochs 3 --quiet --save all.st
    run 0 train iris.ng --data x=numbers.csv:0-3 --data t=numbers.csv:4 --epochs 3 --quiet \
        --save part.st
    same_weights all.st part.st
    run 0 train iris.ng --data x=numbers.csv:0,1-2,3,t=numbers.csv:4 --epochs 3 --quiet \
        --save part.st
    same_weights all.st part.st
    run 0 train iris.ng --data 'x=words.csv:length,width,height,"the depth, in mm",t=numbers.csv:4' --epochs 3 --quiet --save part.st
    same_weights all.st part.st
    run 0 train iris.ng --data numbers.csv:0-3,4 --epochs 3 --quiet --save part.st
    same_weights all.st part.st
    run 0 predict iris.ng --data words.csv:0-3 --load all.st
    cp "$dir/out" first
    run 0 predict iris.ng --data x=numbers.csv:0-3,t=none.csv:4 --load all.st
    same first "$dir/out"
    run 3 train iris.ng --data x=numbers.csv:0-4,t=numbers.csv:4
    says 'numbers.csv: 5 columns, but the inputs take 4: x 4'
    run 3 train iris.ng --data x=words.csv:length,size,t=words.csv:kind
    says "words.csv: there is no column 'size'; it has 5 columns, 0 to 4, which its first line names"
    run 3 train iris.ng --data x=numbers.csv:2-7,t=numbers.csv:4
    says "there is no column '2-7'"
    sed '1s/.*/length,width,length,width,/' words.csv >twice.csv # and a column without a name
    run 3 train iris.ng --data x=twice.csv:0,width,2,3,t=twice.csv:4
    says "twice.csv: columns 1 and 3 are both called 'width': write the number of the one that is meant"
    run 3 train iris.ng --data x=twice.csv:0-3,t=twice.csv:
    says "twice.csv: there is no column ''"
    run 0 train iris.ng --data x=twice.csv:0-3,t=twice.csv:4 --epochs 0
    cp numbers.csv a:0
    run 0 train iris.ng --data a:0 --epochs 3 --quiet --save part.st
    same_weights all.st part.st

    # lines before the table, what separates, quotes with separators, quotes and ends of lines in
    # them
    { echo 'Flowers; measured "by hand"'; echo; tr , '|' <numbers.csv; } >bars.txt
    run 0 train iris.ng --data bars.txt --skip-rows 2 --delimiter '|' --epochs 3 --quiet \
        --save part.st
    same_weights all.st part.st
    { echo '"a ""b"", c",d,"two'; echo 'lines",e,f'; sed 's/,/","/g; s/.*/"&"/' numbers.csv; } >quoted.csv
    run 0 train iris.ng --data x=quoted.csv:0-3,t=quoted.csv:f --epochs 3 --quiet --save part.st
    same_weights all.st part.st
    gzip -kf numbers.csv
    run 0 train iris.ng --data x=numbers.csv.gz:0-3,t=numbers.csv.gz:4 --epochs 3 --quiet \
        --save part.st
    same_weights all.st part.st
    # of a large file that holds no weights, only the beginning is read
    truncate -s 1G large
    (
        ulimit -v 700000
        run 3 eval iris.ng --data numbers.csv --load large
        says 'large: holds no weights: it is neither safetensors nor'
        run 3 compile iris.ng --weights=large -o -
        says "neither safetensors nor the 268 bytes of the params, but 1073741824"
        exit $failed
    )
    verdict $? "a large file is read, though it holds no weights"
    rm large
    # no result is written over what is read
    cp numbers.csv kept.csv && cp iris.ng kept.ng && cp all.st kept.st
    for option in --save=./kept.csv "--log kept.csv"; do
        # shellcheck disable=SC2086
        run 2 train iris.ng --data x=kept.csv:0-3,t=kept.csv:4 $option
        says 'kept.csv is data that is read; it is not overwritten'
    done
    run 2 predict iris.ng --data x=kept.csv:0-3 --load all.st -o kept.csv
    run 2 train kept.ng --data numbers.csv --save kept.ng
    says "'kept.ng' is the model itself; it is not overwritten"
    run 2 compile iris.ng --weights=kept.st -o kept.st
    says "'kept.st' is a file of --weights; it is not overwritten"
    run 2 explain iris.ng --data x=kept.csv:0-3,t=kept.csv:4 -o kept.csv
    says "'kept.csv' is a file that is read; it is not overwritten"
    echo '# W=W' >kept.map
    run 2 compile iris.ng --weights=kept.st --map=kept.map -o kept.map
    says "'kept.map' is a file that is read; it is not overwritten"
    run 2 train iris.ng --data numbers.csv --load kept.st --map kept.map --save kept.map
    says 'kept.map is the file of --map; it is not overwritten'
    [ "$(cat kept.map)" = '# W=W' ] && good || fail "the map was written over"
    run 3 train iris.ng --data numbers.csv --save=
    says 'cannot write: No such file'
    grep -q Epoch "$dir/err"; verdict $((! $?)) "a path that is empty is seen only after the training"
    run 0 train iris.ng --data numbers.csv --load kept.st --save kept.st --epochs 3
    cmp -s kept.csv numbers.csv && cmp -s kept.ng iris.ng && good ||
        fail "a file that is read was written over"
    run 2 train iris.ng --data numbers.csv --delimiter ,,
    says "--delimiter cannot be ',,'"
    sed 's/$/x/; 1s/x$//' numbers.csv >odd.csv
    run 3 train iris.ng --data odd.csv
    says "odd.csv:2:25: '1x' is not a finite number"
    printf '1,2,3,4,0\n1,2,-1e39,4,1\n' >odd.csv
    run 3 train iris.ng --data odd.csv
    says "odd.csv:2:5: '-1e39' is too large for a float of 32 bits (--real=double)"
    run 0 train iris.ng --real=double --data odd.csv --epochs 0
    printf 'dim m <= 2\ninput x[m], k[m]: int\noutput y = x*k\n' >mixed.ng # its table has doubles
    printf '1,2\n1e39,1\n' >odd.csv
    run 3 predict mixed.ng --data odd.csv
    says "odd.csv:2:1: x is 1e+39, too large for a float of 32 bits (--real=double)"
    printf '1,2,3,4,a\n1,2,3,4,b\n1,2,3,4,5\n' >odd.csv
    run 3 train iris.ng --data odd.csv
    says "odd.csv:3:9: '5' is a number, but the column has words, as 'a' in line 1"
    printf '1,2,3,4,a\2351234567890123456789012345\n1,2,3,4,b\n1,2,3,4,5\n' >odd.csv
    run 3 train iris.ng --data odd.csv
    says "as 'a?123456789012345678901'... in line 1"
    printf '1,2,3,4,0\n1,2,3,4,3\n' >odd.csv
    run 3 train iris.ng --data odd.csv
    says 'odd.csv:2:9: t is 3, but must be a whole number in [0, 3)'
    for word in '$1' '1_000' '"1,000"' '50%' '-1.2.3'; do # a column of one word is one element
        printf '%s,2,3,4,0\n%s,5,3,4,1\n' "$word" "$word" >odd.csv
        run 0 train iris.ng --data odd.csv --epochs 1
        says "odd.csv: column 0 is taken as words: '$(echo "$word" | tr -d \")' in line 1 is not a number"
    done
    printf 'a;b;c;d;kind\n1,5;2;3;4;0\n2,5;2;3;4;1\n3,5;2;3;4;1\n' >odd.csv
    run 3 train iris.ng --data odd.csv
    says "column 0 has words, '1,5' in line 2, and gives as many numbers as it has different words: 3; numbers are written as 1234.5"
    printf '1,2,3,4,0\n1,2 500,3,4,1\n' >odd.csv
    run 3 train iris.ng --data odd.csv
    says "odd.csv:2:3: '2 500' is not a finite number; numbers are written as 1234.5"
    # a word is shown, but a terminal does not obey it
    printf '1,2,3,4,\033[2J\n1,2,3,4,\302\233b\n1,2,3,4,\233c\n1,2,3,4,caf\303\251\n' >odd.csv
    run 3 train iris.ng --data odd.csv
    says "4 different words, but t has 3 classes: '?[2J', 'caf$(printf '\303\251')', ..."
    run 3 eval iris.ng --data odd.csv --load words.st
    says "odd.csv:1:9: '?[2J' is none of the 3 words"
    printf 'a1,2,3,4,0\na1,5,3,4,1\n' >odd.csv
    run 0 train iris.ng --data odd.csv --epochs 1
    grep -q 'taken as words' "$dir/err"; verdict $((! $?)) "a word without a digit is noted as a number"

    # an archive of one array is not read for two inputs, whatever its name
    printf 'dim m <= 8\ninput y[m]\noutput x = 2*y\n' >double.ng
    seq 6 >six.csv
    run 0 predict double.ng --data six.csv -o one.npz
    printf 'dim m <= 8\ninput x[m], y[m], z[m] = 1\nparam w = 1\nminimize J = mse(w*x, y*z) with sgd(0.01)\n' >two.ng
    run 3 train two.ng --data one.npz
    says "one.npz: holds no array 'y'"
    run 3 train two.ng --data y=one.npz,x=one.npz
    says "one.npz: holds no array 'y'"
    run 0 train two.ng --data y=one.npz,x=six.csv --epochs 1
    printf 'u,v,w,x,kind\n1,2,3,4,rose\n1,2,3,"4",lily\n1,2,3\n' >odd.csv
    run 3 train iris.ng --data odd.csv
    says 'odd.csv:4:6: 3 columns; line 2 has 5'
    printf 'u,v,w,x,kind\nv,w,x,y,z\n' >odd.csv
    run 3 train iris.ng --data odd.csv --no-header
    says 'odd.csv: 5 columns, but the inputs take 5: x 4, t 1; column 0 has words'

    # missing cells
    sed '4s/^[^,]*/NA/; 6s/,[^,]*,/,,/' words.csv >holes.csv
    run 3 train iris.ng --data holes.csv
    says "holes.csv:4:1: 'NA' is not a finite number; --missing=drop leaves out its row, --missing=mean"
    run 3 predict iris.ng --data holes.csv --load words.st
    says "holes.csv:4:1: 'NA' is not a finite number"
    grep -q 'missing=' "$dir/err"; verdict $((! $?)) "predict is told to leave out rows"
    sed '4s/^[^,]*//' words.csv >empty.csv
    run 3 train iris.ng --data empty.csv
    says "empty.csv:4:1: a value is missing; --missing=drop leaves out its row, --missing=mean"
    sed '4s/[a-z]*$/NA/' words.csv >empty.csv # a class like others, if nothing else is said
    sed 's/, 3)/, 4)/' iris.ng >four.ng
    run 0 train four.ng --data empty.csv --epochs 1
    says "empty.csv: column 4 is taken as words, one of them 'NA' in line 4; with --missing, a value is missing there"
    run 0 train four.ng --data empty.csv --epochs 1 --missing drop
    grep -q 'taken as words' "$dir/err"; verdict $((! $?)) "a row that is left out is noted"
    run 0 train iris.ng --data holes.csv --missing drop --epochs 3 --save part.st
    says 'holes.csv: 2 of 90 rows have missing cells and are left out'
    run 2 predict iris.ng --data holes.csv --missing drop --load words.st
    sed '4d; 6d' words.csv >whole.csv
    run 0 train iris.ng --data whole.csv --epochs 3 --save whole.st
    same_weights whole.st part.st
    run 0 train iris.ng --data holes.csv --missing=mean --epochs 3 --save part.st
    says 'holes.csv: 2 cells are missing; each gets its column'"'s mean"
    mean=$(awk -F, 'NR > 1 && NR != 4 { s += $1; n++ } END { printf "%.4f", s/n }' words.csv)
    holds part.st 'number \u0022length\u0022 '"${mean%?}"
    run 0 eval iris.ng --data holes.csv --load part.st
    sed "4s/NA/$(grep -ao 'u0022length.u0022 [0-9.]*' part.st |
        sed 's/.* //')/; 6s/,,/,$(grep -ao 'u0022width.u0022 [0-9.]*' part.st |
        sed 's/.* //'),/" holes.csv >filled.csv
    cp "$dir/out" first
    run 0 eval iris.ng --data filled.csv --load part.st
    same first "$dir/out"
    sed '5s/[a-z]*$//' words.csv >holes.csv
    run 3 train iris.ng --data holes.csv --missing=mean
    says 'holes.csv:5:25: a value of t is missing, and labels have no mean'
    for number in 1e999 0x10 inf; do # not a value that is missing
        sed "4s/^[^,]*/$number/" words.csv >holes.csv
        run 3 train iris.ng --data holes.csv --missing=mean
        says "holes.csv:4:1: '$number' is not a finite number"
    done

    # a file whose lines end with CR is not a single row
    tr '\n' '\r' <words.csv >cr.csv
    run 3 train iris.ng --data x=cr.csv:0-3,t=cr.csv:4
    says 'cr.csv:1:44: a line ends with CR alone'

    # quotes that nothing closes cost no more than other characters
    awk 'BEGIN { for (k = 0; k < 25; k++) { printf "1,2,3,4,0,"
        for (i = 0; i < 7500; i++) printf "long"; print ",\""
        for (i = 0; i < 4000; i++) print "1,2,3,4,1,," } }' >quotes.csv
    limit 1 "$ngc" train iris.ng --data x=quotes.csv:0-3,t=quotes.csv:4 --epochs 0 \
        >"$dir/out" 2>"$dir/err"
    verdict $? "quotes that nothing closes"
    group "tables"

    # an element for each word; two words are one element if just that fits
    cat >pets.ng <<'END'
dim    m <= 32
input  x[m, 5], y[m]
p = sigmoid(sum(x @ [[1], [2], [3], [4], [5]], axis = 1))
output x
minimize J = mean((dense(x, 1)[:, 0] - y)^2) with sgd(lr = 0.1)
END
    printf 'age,colour,size,tame\n1,red,large,yes\n2,blue,small,no\n3,green,small,yes\n' >pets.csv
    run 0 train pets.ng --data pets.csv --epochs 2 --quiet --save pets.st --standardize x
    holds pets.st 'flag \u0022size\u0022 \u0022large\u0022 \u0022small\u0022'
    holds pets.st 'onehot \u0022colour\u0022 \u0022blue\u0022 \u0022green\u0022 \u0022red\u0022'
    run 0 predict pets.ng --data pets.csv:0-2 --load pets.st
    echo '-1.22474492,0,0,1,0
0,1,0,0,1
1.22474492,0,1,0,1' | diff - "$dir/out" >"$dir/err"
    verdict $? "elements of words"

    # scaled and standardized by statistics that are saved
    run 0 train iris.ng --data numbers.csv --scale x=1/4 --epochs 3 --quiet --save part.st
    awk -F, '{ printf "%.9g,%.9g,%.9g,%.9g,%s\n", $1/4, $2/4, $3/4, $4/4, $5 }' numbers.csv \
        >fourth.csv
    cp "$dir/out" first
    run 0 train iris.ng --data fourth.csv --epochs 3 --quiet
    same first "$dir/out"
    run 0 eval iris.ng --data numbers.csv --load part.st
    same first "$dir/out"
    run 0 train iris.ng --data numbers.csv --standardize x --epochs 3 --quiet --save part.npz
    cp "$dir/out" first
    run 0 eval iris.ng --data numbers.csv --load part.npz
    same first "$dir/out"
    head -n 7 numbers.csv >few.csv
    run 0 predict iris.ng --data few.csv --load part.npz
    cp "$dir/out" first
    run 0 predict iris.ng --data numbers.csv --load part.npz
    head -n 7 "$dir/out" >few
    near first few >"$dir/err"
    verdict $? "statistics are not those of the training"
    # as spreadsheets may write it
    awk '{ gsub(/./, "&\n"); printf "%s|", $0 }' numbers.csv | tr '\n|' '\000\n' >half.csv
    { printf '\377\376'; cat half.csv; } >whole.csv
    for table in half.csv whole.csv; do
        run 3 train iris.ng --data $table
        says "$table: a text in UTF-16: save the table in UTF-8"
    done

    # a column of one number has no deviation, whatever the mean of its rows is rounded to
    awk '{ print "0.1," $0 }' numbers.csv | cut -d, -f1-3,5- >same.csv
    cat >tenth.ng <<'END'
dim    m <= 32
input  x[m, 4], t[m]
output y = x[:, 0]
minimize J = mse(dense(x, 1)[:, 0], t) with sgd(lr = 0.01)
END
    run 0 train tenth.ng --real=double --data same.csv --standardize x --epochs 1 --quiet \
        --save part.st
    run 0 predict tenth.ng --real=double --data same.csv --load part.st
    [ "$(sort -u "$dir/out")" = 0 ]
    verdict $? "a column of one number does not become 0"
    # near 1e9, floats are 64 apart: a column is subtracted from in double, as the table has it
    awk 'BEGIN { for (i = 0; i < 30; i++) print 1000000000 + i % 3 "," 100000 + i % 3 "," 3 + i % 3 "," i % 3 "," i }' >far.csv
    run 0 train tenth.ng --data far.csv --standardize x --epochs 1 --quiet --save far.st
    sed 's/x\[:, 0\]/x/' tenth.ng >all.ng
    run 0 predict all.ng --data far.csv --load far.st
    [ "$(awk -F, '{ for (i = 1; i < 5; i++) printf "%.5f\n", $i }' "$dir/out" | sort -u | tr '\n' ' ')" = \
        "$(printf '%s\n' 0.00000 1.22474 -1.22474 | sort | tr '\n' ' ')" ]
    verdict $? "columns that are far from 0 are not standardized"
    run 0 all.ng --weights=far.st -o far.c
    says "all.ng:2:8: warning: element 0 of x was near 1e+09 in training, with a deviation of 0.816, but"
    run 2 train iris.ng --data numbers.csv --standardize t
    says 'the input t has whole numbers: it cannot be scaled'
    run 2 train iris.ng --data numbers.csv --standardize x --scale x=2
    says 'the input x is scaled twice'
    run 2 train iris.ng --data numbers.csv --scale x=0
    says '--scale takes NAME=X'
    run 2 train iris.ng --data numbers.csv --standardize x --save x.npy
    says 'x.npy: a .npy file cannot hold how the data was prepared'

    # the C with the weights as constants does the same to its inputs, with the same bits
    cat >frozen.c <<'END'
#include <stdio.h>
#include "frozen.h"
static frozen_work work;
int main(void)
{
    float x[1][4];
    frozen_inputs in = {.m = 1, .x = x[0]};
    while (scanf("%f,%f,%f,%f,%*d", &x[0][0], &x[0][1], &x[0][2], &x[0][3]) == 4)
        if (frozen_predict(&frozen_weights, &in, &work) == 0)
            printf("%.5f,%.5f,%.5f\n", work.p[0][0], work.p[0][1], work.p[0][2]);
    return 0;
}
END
    for option in --standardize=x --scale=x=1/3; do
        run 0 train iris.ng --data numbers.csv $option --epochs 9 --quiet --save part.st
        run 0 predict iris.ng --data numbers.csv --load part.st
        awk -F, '{ printf "%.5f,%.5f,%.5f\n", $1, $2, $3 }' "$dir/out" >first
        run 0 --standalone --weights=part.st iris.ng --prefix=frozen -o frozen_model.c \
            --header=frozen.h
        $CC frozen.c frozen_model.c -lm -o frozen && ./frozen <numbers.csv >"$dir/out"
        same first "$dir/out"
    done
    # what is drawn for a row differs from batch to batch
    printf 'dim m <= 2\ninput x[m]\noutput y = 0*x + noise([m])\n' >drawn.ng
    seq 6 >six.csv
    run 0 predict drawn.ng --data six.csv
    [ "$(sort -u "$dir/out" | wc -l)" = 6 ]
    verdict $? "batches draw the same numbers"
    group "scales"
fi

if asked sizes; then
    # the columns of inputs whose lengths are not multiples of a run-time size
    cat >lengths.ng <<'END'
dim m <= 30, T <= 5
input x[m, 9 - T], z[m, T*2 - 1], q[m, T*T], t[m]: int
h = dense(concat([reshape(sum(x, 1), [m, 1]), reshape(sum(z, 1), [m, 1]), reshape(sum(q, 1), [m, 1])], 1), 2)
output o = x
metric e = sum(z, 0)
minimize J = cross_entropy(h, t) with sgd(0.1)
END
    awk 'BEGIN { for (i = 0; i < 40; i++) { for (j = 0; j < 20; j++) printf "%d,", i + j; print i % 2 } }' >lengths.csv
    run 0 train lengths.ng --data lengths.csv --epochs 1 --quiet T=3 --save lengths.st
    run 0 predict lengths.ng --data lengths.csv --load lengths.st T=3
    grep -qx '39,40,41,42,43,44' "$dir/out"
    verdict $? "6 columns of x"
    run 0 eval lengths.ng --data lengths.csv --load lengths.st T=3
    prints "e: [1020, 1060, 1100, 1140, 1180]"
    run 3 train lengths.ng --data lengths.csv --quiet T=4
    says "21 columns, but the inputs take 29: x 5, z 7, q 16, t 1; with T=4"
    printf 'dim m <= 30\ninput x[m + 1, 3], t[m]: int\nminimize J = cross_entropy(dense(x[0:m], 2), t) with sgd(0.1)\n' >longer.ng
    run 2 train longer.ng --data lengths.csv --quiet
    says "the input x has a length that is not a multiple of the batch m, so its rows cannot come from a file"
    group "sizes"
fi

if asked large; then
    # more than memory: tables, arrays, and those that are compressed; in windows, each row once
    cat >sum.ng <<'END'
dim    m <= 7
input  x[m, 8], t[m]: int, lr = 0
param  w[8] = 1
metric all = sum(x)
metric total = sum(t)
minimize J = mean((x @ w - t)^2) with sgd(lr = lr)
END
    awk 'BEGIN { for (i = 0; i < 20000; i++) { s = i % 977; for (j = 0; j < 7; j++) s = s "," (i*(j + 3)) % 1009; print s "," i % 251 } }' >large.csv
    run 0 train sum.ng --data x=large.csv:0-7,t=large.csv:7 --epochs 1
    cp "$dir/out" first
    grep '^Epoch' "$dir/err" | sed 's/.* - all/all/' >line
    run 0 train sum.ng --data x=large.csv:0-7,t=large.csv:7 --epochs 1 --data-memory 800K
    same first "$dir/out"
    says 'it is shuffled by blocks of 512 rows, and then in windows of 1536 rows'
    grep '^Epoch' "$dir/err" | sed 's/.* - all/all/' | diff - line >"$dir/out"
    verdict $? "not each row once"
    gzip -k large.csv
    run 0 train sum.ng --data x=large.csv.gz:0-7,t=large.csv.gz:7 --epochs 1 --data-memory 400K
    same first "$dir/out"
    # arrays, as IDX with the high byte first
    cat >array.ng <<'END'
dim    m <= 7
input  x[m, 8]
param  w[8] = 1
output y = x*w
metric all = sum(x)
minimize J = mean(x @ w) with sgd(lr = 0)
END
    run 0 predict array.ng --data large.csv:0-7 -o large.npy
    run 0 eval array.ng --data large.npy
    cp "$dir/out" first
    run 0 train array.ng --data large.npy --epochs 2 --data-memory 100K
    same first "$dir/out"
    gzip -k large.npy
    run 0 train array.ng --data large.npy.gz --epochs 2 --data-memory 100K
    same first "$dir/out"
    awk 'BEGIN { printf "\\0\\0\\013\\2\\0\\0\\116\\040\\0\\0\\0\\010" }' >head.txt
    { printf "$(cat head.txt)"; awk -F, 'NF { for (j = 1; j <= 8; j++) printf "\\%03o\\%03o", $j/256, $j % 256 } END { print "" }' large.csv | fold -w 4000 | while read -r octal; do printf "$octal"; done; } >large.idx
    run 0 train array.ng --data large.idx --epochs 2 --data-memory 100K
    same first "$dir/out"
    head -c 200000 large.npy >short.npy
    run 3 train array.ng --data short.npy --data-memory 100K
    says 'short.npy: the sizes in the header do not match'
    head -c 30000 large.npy.gz >short.npy.gz
    run 3 train array.ng --data short.npy.gz --data-memory 100K
    says 'short.npy.gz: the compressed data ends too early'
    # a file that another program changes, or cuts, while it is read
    for how in 'conv=notrunc' ''; do
        cp large.npy other.npy
        : >"$dir/err"
        limit 30 "$ngc" train array.ng --data other.npy --epochs 100000000 --data-memory 100K \
            >/dev/null 2>"$dir/err" &
        until grep -q windows "$dir/err" || ! kill -0 $! 2>/dev/null; do sleep 0.05; done
        dd if=large.npy of=other.npy bs=1 count=1000 $how 2>/dev/null
        wait $!
        [ $? = 3 ]
        verdict $? "a file that was changed was read on"
        says 'other.npy: another program has changed it while it is read'
    done
    group "large"
fi

if asked parts; then
    # 90 rows, 30 of each class: each class is divided alike, and no row is in two parts
    run 0 train iris.ng --data words.csv --split 0.7,0.2,0.1 --epochs 30 --save split.st
    grep -q '^rows  *63  *18  *9$' "$dir/err"
    verdict $? "the parts have not 63, 18 and 9 rows"
    prints 'accuracy: 1'
    sed '/^ *training/,$!d' "$dir/err" >table.train
    cp "$dir/out" values.train
    run 0 eval iris.ng --data words.csv --split 0.7,0.2,0.1 --load split.st
    cmp -s values.train "$dir/out" && sed '/^ *training/,$!d' "$dir/err" | cmp -s table.train -
    verdict $? "eval of the parts gives other values than train"
    cp split.st first
    run 0 train iris.ng --data words.csv --split 0.7,0.2,0.1 --epochs 30 --save split.st
    same first split.st
    run 0 train iris.ng --data words.csv --val-split 0.2 --epochs 2
    grep -q '^rows  *72  *18$' "$dir/err"
    verdict $? "the parts have not 72 and 18 rows"
    cat >count.ng <<'END'
dim    m <= 32
input  x[m, 4], t[m]: int
param  w[4] = 0
metric n = sum(t >= 0)
metric one = sum(t == 1)
metric all = sum(x)
minimize J = mean((x @ w - t)^2) with sgd(lr = 0)
END
    run 0 train count.ng --data numbers.csv --epochs 1 --quiet
    whole=$(sed -n 's/^all: //p' "$dir/out")
    run 0 train count.ng --data numbers.csv --split 0.5,0.3,0.2 --epochs 1
    awk -v whole="$whole" '/^n / { n = $2 " " $3 " " $4 } /^one / { one = $2 " " $3 " " $4 } /^all / { sum = $2 + $3 + $4 }
        END { exit !(n == "45 27 18" && one == "15 9 6" && (sum - whole)^2 < 1e-2) }' "$dir/err"
    verdict $? "the parts are not of each class alike, or not of all rows"
    # statistics are those of the training part
    run 0 train count.ng --data numbers.csv --split 0.5,0.5 --epochs 1 --standardize x
    awk '/^all / { exit !($2^2 < 1e-3 && $3^2 > 1e-3) }' "$dir/err"
    verdict $? "standardized by other rows than those of the training"
    run 0 train iris.ng --data words.csv --folds 5 --epochs 20
    prints 'accuracy: 1 +- 0'
    [ "$(grep -c '^Fold [1-5]/5 - J: ' "$dir/err")" = 5 ]
    verdict $? "there are not five folds"
    for bad in '--split 0.7' '--split 0.9,0.2' '--val-split 1' '--folds 1' '--folds 65' \
        '--split 0.5,0.5 --folds 3' \
        '--val-split 0.2 --val numbers.csv' '--folds 3 --save x.st'; do
        run 2 train iris.ng --data numbers.csv $bad
    done
    head -n 3 numbers.csv >few.csv
    run 2 train iris.ng --data few.csv --split 0.5,0.4,0.1
    says '--data has 3 rows: too few'
    run 2 train iris.ng --data few.csv --folds 4
    says '--data has 3 rows: too few for 4 folds'
    grep -q Fold "$dir/err"; verdict $((! $?)) "folds are trained before the last one is found empty"
    head -n 1 numbers.csv >one.csv
    run 2 train iris.ng --data one.csv --split 0.5,0.5
    says '--data has 1 rows: too few'
    printf 'input x[2, 2]\nparam w = 1\nminimize J = mean(w*x^2) with sgd(0.1)\n' >whole.ng
    printf '1,2\n3,4\n' >whole.csv
    run 2 train whole.ng --data whole.csv --split 0.5,0.5
    says 'the data cannot be split: the model whole takes all rows at once'
    group "parts of the data"
fi

if asked ends; then
    # a rate that grows: J falls, then rises
    cat >rise.ng <<'END'
dim    m <= 30
input  x[m, 4], t[m]: int, lr = 0.1
z = dense(x, 3)
metric accuracy = mean(argmax(z) == t)
minimize J = cross_entropy(z, t) with sgd(lr = lr)
END
    run 0 train rise.ng --data words.csv --val-split 0.3 --epochs 500 lr=30 --patience 5 \
        --keep-best --save best.st --log log.csv
    says 'has not fallen for 5 epochs'
    says 'the weights are those of epoch'
    cp "$dir/out" first
    # the weights are those of the row of the log whose val_J is lowest
    low=$(awk -F, 'NR > 1 && (!n || $5 < low) { low = $5; n = $1 } END { print n }' log.csv)
    rows=$(awk 'END { print NR - 1 }' log.csv)
    [ "$rows" = $((low + 5)) ] && grep -q "epoch $low, the best" "$dir/err"
    verdict $? "the best is not epoch $low of $rows"
    run 0 train rise.ng --data words.csv --val-split 0.3 --epochs "$low" lr=30 --quiet
    same first "$dir/out"
    run 0 train rise.ng --data words.csv --epochs 500 --max-steps 7 --save steps.st
    holds steps.st '"step":"7"'
    run 0 train rise.ng --data words.csv --epochs 1000000 --max-time 0.3s --quiet
    run 0 train rise.ng --data words.csv --epochs 10000 --tolerance 1e-3 --quiet --save tolerance.st
    grep -qa '"epoch":"[0-9]\{2,3\}"' tolerance.st
    verdict $? "--tolerance did not end the training"
    run 0 train rise.ng --data words.csv --grid lr=0.001,0.1,0.3 --epochs 5 --save grid.st
    says 'the best is lr=0.3'
    [ "$(grep -c '^lr=' "$dir/err")" = 3 ]
    verdict $? "there are not three runs"
    cp "$dir/out" first
    run 0 train rise.ng --data words.csv --set lr=0.3 --epochs 5 --quiet
    same first "$dir/out"
    run 0 eval rise.ng --data words.csv --load grid.st
    same first "$dir/out"
    holds grid.st '"options":"--data words.csv --grid lr=0.001,0.1,0.3 --epochs 5"'
    holds grid.st 'training J '
    run 1 train rise.ng --data words.csv --epochs 50 lr=1e38 --save nan.st
    says 'training stopped'
    run 2 train rise.ng --data words.csv --grid x=1
    run 2 train rise.ng --data words.csv --checkpoint 5
    run 2 train rise.ng --data words.csv --max-time 5x

    # what is maximized is better if it is higher: all is as with the loss of the other sign
    sed 's/minimize J = /maximize J = -/' rise.ng >fall.ng
    for options in '--val-split 0.3 --epochs 500 lr=30 --patience 5 --keep-best' \
        '--grid lr=0.001,0.1,0.3 --epochs 5' '--epochs 10000 --tolerance 1e-3' '--find-rate lr'; do
        run 0 train rise.ng --data words.csv $options --quiet
        awk '{ printf "%s %.3g\n", $1, $2 }' "$dir/out" >first
        run 0 train fall.ng --data words.csv $options --quiet
        awk '{ printf "%s %.3g\n", $1, ($1 == "J:" ? -$2 : $2) }' "$dir/out" >second
        same first second
    done
    run 0 train fall.ng --data words.csv --val-split 0.3 --epochs 500 lr=30 --patience 5
    says 'J has not risen for 5 epochs'

    # batches together are a batch: to rounding, and whatever their sizes
    run 0 train rise.ng --data words.csv --no-shuffle --batch 28 --epochs 3 --quiet
    cp "$dir/out" first
    run 0 train rise.ng --data words.csv --no-shuffle --batch 7 --accumulate 4 --epochs 3 --quiet
    paste first "$dir/out" | awk '{ d = $2 - $4; if (d*d > 1e-10) exit 1 }'
    verdict $? "four batches of 7 are not a batch of 28"
    group "ends"
fi

if asked assess; then
    # four rows of two classes: the scores 0.1 0.4 0.35 0.8 of 0 0 1 1 have an area of 3/4
    cat >score.ng <<'END'
dim    m <= 3
input  x[m], t[m]: int
output p = x
metric right = mean((x > 0.5) == t)
END
    printf '0.1,no\n0.4,no\n0.35,yes\n0.8,yes\n' >score.csv
    run 0 eval score.ng --data score.csv --no-header --assess
    prints 'no                    2        0'
    prints 'yes                   1        1'
    prints 'no                    2    0.6667    1.0000    0.8000    0.7500'
    prints 'yes                   2    1.0000    0.5000    0.6667    0.7500'
    prints 'mean                  4    0.8333    0.7500    0.7333    0.7500'
    printf '0.1,no\n0.8,\033[31m\n' >red.csv # no word may control the terminal
    run 0 eval score.ng --data red.csv --no-header --assess
    prints '?[31m                 0        1'
    cat >line.ng <<'END'
dim    m <= 3
input  x[m], y[m]
output p = 2*x
metric r2 = r2(p, y)
END
    printf '1,2\n2,5\n3,6\n4,7\n' >line.csv
    run 0 eval line.ng --data line.csv --assess
    prints 'rows 4, R2 0.8571, root of the mean square error 0.707107, mean absolute error 0.5'
    printf 'dim m <= 3\ninput x[m], y[m]\nmetric s = sum(x*y)\n' >none.ng
    run 2 eval none.ng --data line.csv --assess # it has no output
    run 0 eval line.ng --data line.csv --assess=line.svg
    [ "$(grep -c circle line.svg)" = "$(grep -c . line.csv)" ]
    verdict $? "line.svg has not a dot for each row"
    run 0 eval score.ng --data score.csv --no-header --assess=score.png
    [ "$(head -c 4 score.png | od -An -t x1 | tr -d ' ')" = 89504e47 ]
    verdict $? "score.png is not a PNG"
    run 3 eval line.ng --data line.csv --assess=/no/such/place.svg
    group "assess"
fi

if asked pictures; then
    # three rings around a middle; a picture has the signature of its format
    awk 'BEGIN { split("in mid out", kind, " "); for (i = 0; i < 300; i++) { k = i % 3; r = k*2 + (i*7 % 11)/11
        print 10 + r*cos(i*1.7) "," 100*r*sin(i*1.7) "," kind[k + 1] } }' >rings.csv
    cat >rings.ng <<'END'
dim    m <= 32
input  x[m, 2], t[m]: int, lr = 0.02
h = dense(x, 16, tanh)
z = dense(h, 3)
output p = softmax(z)
metric accuracy = mean(argmax(z) == t)
minimize J = cross_entropy(z, t) with adam(lr = lr)
END
    run 0 train rings.ng --data rings.csv --standardize x --epochs 100 --val-split 0.2 \
        --save rings.st --curve=c.png
    run 0 eval rings.ng --data rings.csv --load rings.st --boundary b.png
    run 0 eval rings.ng --data rings.csv --load rings.st --boundary b.svg
    [ "$(head -c 8 b.png | od -An -t x1 | tr -d ' ')" = 89504e470d0a1a0a ] &&
        cmp -s -n 8 b.png c.png
    verdict $? "b.png or c.png is not a PNG"
    grep -c circle b.svg | grep -q '^300$' && grep -q '</svg>' b.svg
    verdict $? "b.svg has not a dot for each row"
    if /usr/bin/python3 -c 'import zlib' 2>/dev/null; then
        /usr/bin/python3 - b.png c.png >"$dir/out" 2>"$dir/err" <<'END'
import struct, sys, zlib
for path in sys.argv[1:]:
    data = open(path, "rb").read()
    at, parts = 8, {}
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0]
        parts[kind] = body
        at += 12 + size
    width, height = struct.unpack(">II", parts[b"IHDR"][:8])
    pixels = zlib.decompress(parts[b"IDAT"])
    assert len(pixels) == height*(1 + 3*width) and len(set(pixels)) > 20
END
        verdict $? "a PNG is damaged"
    fi
    run 0 train iris.ng --data numbers.csv --epochs 1 --quiet --save all.st
    run 2 eval iris.ng --data numbers.csv --load all.st --boundary b.svg
    run 3 train rings.ng --data rings.csv --epochs 1 --boundary /no/such/place.svg
    run 0 train rings.ng --data rings.csv --standardize x --find-rate lr --curve=f.svg
    awk '/^lr: / { ok = $2 > 1e-3 && $2 < 3 } END { exit !ok }' "$dir/out"
    verdict $? "the rate that was found"
    # with labels that nobody can predict well, the losses of small batches differ more than the
    # rate changes them
    awk 'BEGIN { srand(5); for (i = 0; i < 150; i++) { k = int(3*rand())
        print k + 4*rand() "," 3*rand() - k/2 "," k } }' >noisy.csv
    cat >noisy.ng <<'END'
dim m <= 8
input x[m, 2], t[m]: int, lr
h = dense(x, 16, tanh)
z = dense(h, 3)
minimize J = cross_entropy(z, t) with sgd(lr = lr)
END
    for seed in 1 2 3 4 5 6; do
        run 0 train noisy.ng --data noisy.csv --seed $seed --find-rate lr --quiet
        awk '/^lr: / { ok = $2 > 1e-3 && $2 < 3 } END { exit !ok }' "$dir/out"
        verdict $? "the rate that was found in noise: $(cat "$dir/out")"
    done
    for bad in '--find-rate x' '--find-rate lr --save x.st' '--folds 3 --assess' \
        '--grid lr=1,2 --log x.csv' '--grid lr=1,2 --folds 3' '--curve=c.pdf' '--curve=c' \
        '--boundary b.jpg' '--assess=a.gif'; do
        run 2 train rings.ng --data rings.csv $bad
    done
    group "pictures"
fi

# interrupted N: ends trainings N times with signals at random times and resumes them; the file at
# the end must be the same as without
interrupted() {
    args="drop.ng --data words.csv --epochs 600 --standardize x --val-split 0.2 --keep-best --patience 100000 --checkpoint 7 --quiet"
    run 0 train $args --resume once.st
    ends=0
    rm -f often.st
    while [ $ends -lt "$1" ]; do
        "$ngc" train $args --resume often.st >"$dir/out" 2>"$dir/err" &
        child=$!
        sleep "$(awk -v s="$ends" 'BEGIN { srand(s); print 0.02 + rand()*0.06 }')"
        signal=$(echo KILL TERM INT | cut -d ' ' -f $((ends % 3 + 1)))
        kill -s "$signal" $child 2>/dev/null
        wait $child 2>/dev/null
        status=$?
        if [ $status = 0 ]; then # it was at its end: once more from the start
            same once.st often.st
            rm -f often.st
            continue
        fi
        ends=$((ends + 1))
        case $status in 137 | 143 | 130) true ;; *) false ;; esac
        verdict $? "SIG$signal: status $status"
    done
    run 0 train $args --resume often.st
    same once.st often.st
}

if asked resume; then
    cat >drop.ng <<'END'
dim    m <= 16
input  x[m, 4], t[m]: int
h = dropout(dense(x, 16, tanh), 0.2)
z = dense(h, 3)
minimize J = cross_entropy(z, t) with adam(lr = cosine(0.002, 1500))
END
    interrupted "${INTERRUPTIONS:-$([ "$CHECK_LONG" ] && echo 50 || echo 6)}"
    # the log has each epoch once, also one that was written after the last checkpoint
    run 0 train drop.ng --data words.csv --epochs 5 --save log.st --log log.csv --quiet
    echo '6,0,1' >>log.csv
    run 0 train drop.ng --data words.csv --epochs 8 --load log.st --log log.csv --quiet
    [ "$(cut -d, -f1 log.csv | tr '\n' ' ')" = 'epoch 1 2 3 4 5 6 7 8 ' ]
    verdict $? "the log has not each epoch once"
    # "-" is standard output, for weights an error, and never a file of that name
    run 0 train drop.ng --data words.csv --epochs 8 --log - --quiet
    [ "$(cut -d, -f1 "$dir/out" | sed 8q | tr '\n' ' ')" = 'epoch 1 2 3 4 5 6 7 ' ]
    verdict $? "--log - does not print the log"
    for option in --save --resume; do
        run 2 train drop.ng --data words.csv $option -
        says "$option - is not standard output: weights go to a file; ./- is one of that name"
    done
    [ ! -e ./- ]
    verdict $? "a file named - is there"
    run 0 train drop.ng --data words.csv --epochs 4 --checkpoint 2 --resume new.st
    says 'new.st: there is no such file yet; the training starts anew'
    run 2 train drop.ng --data words.csv --resume new.st --save other.st

    # what would give other bits than the training that is resumed
    run 2 train drop.ng --data words.csv --batch 8 --resume new.st
    says 'new.st: its training has --batch 16, and not 8'
    run 2 train drop.ng --data words.csv --seed 2 --resume new.st
    says 'has --seed 1, and not 2'
    run 2 train drop.ng --data words.csv --accumulate 2 --resume new.st
    says 'has --accumulate 1, and not 2'
    run 2 train drop.ng --data words.csv --no-shuffle --resume new.st
    says 'without --no-shuffle'
    run 2 train drop.ng --data words.csv --val-split 0.2 --resume new.st
    says 'rows of data'
    awk 'NR == 40 { sub(/^[^,]*/, "9.75") } 1' words.csv >changed.csv
    run 3 train drop.ng --data changed.csv --resume new.st
    says 'its training has other data, in as many rows'
    run 0 train drop.ng --data words.csv --seed 1 --epochs 5 --resume new.st

    # the curve of a training that was continued begins with its first epoch
    run 0 train drop.ng --data words.csv --epochs 3 --resume drawn.st --curve=part.svg
    run 0 train drop.ng --data words.csv --epochs 7 --resume drawn.st --curve=part.svg
    run 0 train drop.ng --data words.csv --epochs 7 --resume full.st --curve=full.svg
    same part.svg full.svg
    same drawn.st full.st
    holds part.svg 'epoch 1 to 7'
    group "resume"
fi

# reaches NAME VALUE LEAST [OPTION...]: the mean of five seeds that an example of examples/try.sh
# reaches
reaches() {
    name=$1 value=$2 least=$3
    shift 3
    : >"$dir/reached"
    for seed in 1 2 3 4 5; do
        CC=cc sh "$top/examples/try.sh" "$name" --quiet --seed $seed "$@" >"$dir/out" 2>"$dir/err"
        sed -n "s/^$value: //p" "$dir/out" >>"$dir/reached"
    done
    mean=$(awk '{ s += $1 } END { printf "%.4f", NR == 5 ? s/NR : 0 }' "$dir/reached")
    awk "BEGIN { exit !($mean >= $least) }"
    verdict $? "$name: the mean of $value is $mean, not at least $least"
    echo "$name: $value $mean"
}

if asked examples; then
    export NGC="$ngc"
    if sh "$top/tests/data.sh" table iris.csv >/dev/null 2>&1; then
        reaches iris accuracy 0.95
        reaches wine accuracy 0.97
        reaches cancer accuracy 0.965
        in_share 2 0 && reaches digits accuracy 0.97
        in_share 2 1 && reaches diabetes r2 0.35
    else
        echo "examples: left out, because python3-sklearn is missing"
    fi
    if in_share 3 1; then
        CC=cc sh "$top/examples/try.sh" series --quiet >"$dir/out" 2>"$dir/err"
        awk '/^r2: / { n++; if ($2 < 0.97) bad = 1 } END { exit bad || n != 2 }' "$dir/out"
        verdict $? "series"
    fi
    if in_share 3 2; then
        TEXT=$top/README.md CC=cc sh "$top/examples/try.sh" text --quiet --epochs 3 >"$dir/out" \
            2>"$dir/err"
        awk '/^J: / { ok = $2 < 3 } END { exit !ok }' "$dir/out"
        verdict $? "text"
    fi
    sh "$top/examples/try.sh" nothing >"$dir/out" 2>"$dir/err"
    [ $? = 2 ]
    verdict $? "an example that there is not"
    group "examples"
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
