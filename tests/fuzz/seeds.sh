# seeds.sh - what the fuzzers begin with: inputs, made of examples and tests, and words; sourced by
# campaign.sh.

# longest TARGET: bytes of an input
longest() {
    case $1 in
    parse | data) echo 2000 ;;
    *) echo 3000 ;;
    esac
}

# make_words TARGET FILE: a dictionary, of the tables of the language and of the command line
make_words() {
    # shellcheck disable=SC2086
    $fuzz_cc $fuzz_flags $fuzz_std tests/fuzz/words.c "$objects/libngc.a" $fuzz_libs \
        -o "$out/words" || exit 1
    case $1 in
    parse | model) "$out/words" text ;;
    command | train) "$out/words" command ;;
    data) printf '"\\x93NUMPY"\n"descr"\n"fortran_order"\n"shape"\n"<f4"\n"<i8"\n"PK\\x03\\x04"\n"PK\\x01\\x02"\n"PK\\x05\\x06"\n"dtype"\n"F32"\n"BF16"\n"data_offsets"\n"__metadata__"\n"\\x1f\\x8b\\x08"\n"1e999"\n"nan"\n"NA"\n"\\"\\""\n' ;;
    onnx) sed -n 's/^ *{*"\([A-Z][A-Za-z]*\)".*/"\1"/p' compiler/onnx/node_*.c ;;
    esac >"$2"
    case $1 in parse | model | command) sed -n 's/^    {"\([a-z]*\)", [A-Z]*},$/"\1 "/p' \
        grammars/ng.l >>"$2" ;; esac
    case $1 in train) sed -n 's/^ *X("\(--[a-z-]*\)",.*/"\1="/p' runtime/trainer/trainer_options.h \
        >>"$2" ;; esac
}

# make_seeds TARGET DIRECTORY
make_seeds() {
    mkdir -p "$2"
    for f in tests/fuzz/found/"$1"-*; do
        [ ! -e "$f" ] || cp "$f" "$2"
    done
    case $1 in
    parse | model)
        for f in $(find examples tests/emit tests/err tests/front tests/pass tests/lang tests/cases tests/grad tests/explain -name '*.ng' -size -3k); do
            cp "$f" "$2/$(echo "$f" | tr / _)"
        done
        ;;
    command) seeds_command "$2" ;;
    data) /usr/bin/python3 tests/fuzz/seeds.py "$2" ;;
    onnx)
        # one in eight: they are much alike
        for f in $(find /usr/share/libonnx-testdata -name '*.onnx' -size -3k | sort | awk 'NR % 8 == 0'); do
            cp "$f" "$2/$(echo "$f" | tr / _)"
        done
        ;;
    train) seeds_train "$2" ;;
    esac
}

# Each command, with most of its options, on a few models.
seeds_command() {
    n=0
    while read -r words; do
        for f in examples/chain.ng examples/xor.ng tests/err/shapes.ng tests/emit/models/lists.ng \
            tests/explain/loop.ng tests/front/expressions.ng; do
            [ -e "$f" ] || continue
            n=$((n + 1))
            { echo "$words"; cat "$f"; } >"$1/$n"
        done
    done <<'END'
m.ng -o - --report
m.ng -o m.c -O0 --comments=derivation --standalone --manifest -MD
m.ng -o - --real=double --memory=1K --verify --no-share
m.ng -d les --unroll=0 --segment=3 -Wno-all -Werror
run --fill --digits=17 m.ng
run m.ng a=3 b=2 c=[1,2]
run -e 2*(a*b+c) a=3 b=2 c=5
check m.ng a=1
explain m.ng --text -o -
explain m.ng --tex -o - --jacobians --layout=columns
explain m.ng --dot -o -
explain m.ng --json -o - --jacobians a=3 b=2 c=1
explain m.ng -o m.html
fmt m.ng
fmt --check m.ng
fmt -
export m.ng -o m.onnx --training
import m.ng -o n.ng --save w --loss=mse --optimizer=sgd(0.1)
train m.ng --data x=m.ng --epochs 3 --save w
eval m.ng --data m.ng --load w
predict m.ng --data m.ng --weights=m.ng
library m.ng -o m.so
m.ng --weights=m.ng --train=W,b.* --fresh=b --map=a=b
explain-error NG0301 nothing
--help
--version
--man
--completion=zsh
m.ng -M -MT x -MF y -I . -D m=3
m.ng --diagnostics=json --color=always --keep=h --prefix=q --header=m.h -o m.c --ranks
END
}

seeds_train() {
    n=0
    rows='5.1,3.5,1.4,0.2,0
4.9,3.0,1.4,0.2,1
6.2,2.9,4.3,1.3,2
'
    named='a,b,c,d,kind
5.1,3.5,1.4,0.2,rose
4.9,NA,1.4,0.2,lily
6.2,2.9,4.3,1.3,lily
'
    while read -r words; do
        for text in "$rows" "$named"; do
            n=$((n + 1))
            { echo "$words"; printf '%s' "$text"; } >"$1/$n"
        done
    done <<'END'
train --data d
train --data d --epochs 2 --save w --quiet
train --data x=d:0-3,t=d:4 --standardize x --split 0.5,0.25,0.25 --assess
train --data x=d:a,b,c,d,t=d:kind --missing mean --seed 7 --keep-best --patience 2
train --data d --folds 3 --scale x=1/255 --no-header --delimiter ,
train --data d --val d --log l --curve=c.svg --checkpoint 1 --resume w
train --data d --accumulate 2 --batch 2 --no-shuffle --threads 1
train --data d --grid lr=0.1,0.2 --find-rate lr --max-time 1s
train --data d --load d --map a=b
eval --data d --load d --diagnostics=json
predict --data x=d:0-3 -o p.npy
predict --data d -o p.csv --boundary=b.svg
train --help
END
}

# The smallest inputs with the coverage of all that campaigns have made: tests/fuzz/corpus.tar.gz.
keep_corpus() {
    rm -rf "$out/kept"
    for t in $targets; do
        mkdir -p "$out/kept/$t" "$out/corpus/$t" "$out/seeds/$t"
        nice -n "${NICE:-15}" "$out/$t.libfuzzer" -merge=1 -timeout=60 -rss_limit_mb=2000 \
            -close_fd_mask=3 "$out/kept/$t" "$out/corpus/$t" >"$out/merge-$t.log" 2>&1
        n=0
        for f in "$out/kept/$t"/*; do # short names: the archive is smaller
            n=$((n + 1))
            [ ! -e "$f" ] || mv "$f" "$out/kept/$t/$n"
        done
    done
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$out/kept" -cf - . |
        gzip -n9 >tests/fuzz/corpus.tar.gz
}
