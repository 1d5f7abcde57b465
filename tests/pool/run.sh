#!/bin/sh
# run.sh - parallelized functions: models give the same bits with 1 to 4 threads and without a pool
# (pool.c), linked and standalone, in float and in double; the pool itself (threads.c); both under
# ThreadSanitizer if there is one. Small functions do not use a pool, and the C needs no thread
# library. Then --memory, --segment, and the trainer's --threads.
#
#     tests/pool/run.sh      from anywhere; needs a built tree
cd "$(dirname "$0")/../.." || exit 2
. tests/suite.sh
ngc=$NGC
strict="-std=c99 -pedantic -Wall -Wextra -Wconversion -Wsign-conversion -Wmissing-prototypes -Wshadow -Werror"
posix="-std=c11 -D_POSIX_C_SOURCE=200809L"
models=tests/emit/models
blas=$(nm $build/libngrt.a 2>/dev/null | grep -q 'U cblas_sgemm' && echo -lopenblas)

# same MODEL OPTIONS FLAGS LIBRARY [ARGUMENT]: the same bits on any number of threads; even small
# functions are parallelized
same() {
    made "$1" "$2" "$3" "$4" && limit 100 "$dir/m" $5 >"$dir/log" 2>&1
    verdict $? "$1 $2 $3: $(head -5 "$dir/log")"
}

# made MODEL OPTIONS FLAGS LIBRARY: the program of it
made() {
    "$ngc" "$1" --prefix=model --pool-from=1 $2 -o "$dir/m.c" 2>"$dir/log" &&
        cc $strict $3 -Iruntime -c "$dir/m.c" -o "$dir/m.o" 2>"$dir/log" &&
        cc $posix $3 -Iruntime tests/pool/pool.c "$dir/m.o" $4 -lm -lpthread -o "$dir/m" \
            2>"$dir/log"
}

choose_quick
# by_quick: $dir/m, of the C in $dir/m.c by the quick compiler
by_quick() {
    [ -e "$dir/pool.o" ] || cc $posix -O1 -Iruntime -c tests/pool/pool.c -o "$dir/pool.o" ||
        return 1
    $quick -Iruntime -I"$dir" -c "$dir/m.c" -o "$dir/m.o" 2>"$dir/log" &&
        cc "$dir/pool.o" "$dir/m.o" $build/libngrt.a $quick_libs -lm -lpthread -o "$dir/m" \
            2>"$dir/log"
}

same $models/mlp.ng "--standalone" -O2 "$build/libngrt.a"
number=0
for name in adam batched causal conv index lstm reduce rows sparse transformer views; do # a run does one in two: suite.sh
    number=$((number + 1))
    in_share 2 $number && same $models/$name.ng "--standalone" -O0 "$build/libngrt.a"
done
same $models/mlp.ng "--standalone --real=double" -O0 "$build/libngrt.a"
same $models/rows.ng "--standalone --no-share" -O0 "$build/libngrt.a"
for name in momentum linear causal; do # OpenBLAS's own threads: with several, the pool computes the products itself
    made $models/$name.ng "" -O0 "$build/libngrt.a $blas" &&
        OPENBLAS_NUM_THREADS=1 limit 100 "$dir/m" ${blas:+slices} >"$dir/log" 2>&1
    verdict $? "$name.ng, one thread of OpenBLAS: $(head -5 "$dir/log")"
    OPENBLAS_NUM_THREADS=2 limit 100 "$dir/m" ${blas:+cblas} >"$dir/log" 2>&1
    verdict $? "$name.ng, two threads of OpenBLAS: $(head -5 "$dir/log")"
done
for flags in -O0 -O2; do
    same tests/pool/rows.ng "--standalone" $flags "$build/libngrt.a" labels
done
# each thread uses the rows of a convolution that it has made: nobody waits between them
"$ngc" tests/pool/rows.ng --pool-from=1 -d w -o "$dir/m.c" 2>"$dir/log"
sed -n '/^program step/,/^program [^s]/p' "$dir/log" | grep -A1 ' = conv(d.y.conv.y' |
    grep -q 'shared loop'
verdict $? "rows.ng: a wait after a convolution"
group models

# again MODEL OPTIONS PART: with that part of the memory, values are computed again, and everything
# has the same bits
again() {
    whole=$("$ngc" --report --pool-from=100 $2 "$1" | sed -n 's/^bytes of work: \([0-9]*\).*/\1/p')
    for memory in "" "--memory=$((whole * $3 / 100))"; do
        "$ngc" "$1" --standalone --prefix=model --pool-from=100 $2 $memory -o "$dir/m.c" --report \
            >"$dir/report" 2>"$dir/log" &&
            by_quick &&
            limit 100 "$dir/m" >"$dir/bits$memory" 2>&1 || break
    done
    [ "$memory" ] && grep -q 'computed again' "$dir/report" &&
        cmp "$dir/bits" "$dir/bits$memory" >"$dir/log" 2>&1
    verdict $? "$1 $2 with $3% of the memory: $(head -5 "$dir/log")"
}

again tests/pool/deep.ng "" 50
again tests/pool/deep.ng "--real=double" 40
again tests/pool/mixed.ng "--unroll=0" 75
in_share 3 1 && again examples/lenet.ng "-D m=2" 60
in_share 3 2 && again $models/conv.ng "" 50
group "values that are computed again"

# whole MODEL OPTIONS SEGMENT...: loops in segments of these lengths have the bits of whole loops
whole() {
    model=$1 options=$2
    shift 2
    for length in 0 "$@"; do
        segment=
        [ $length = 0 ] || segment=--segment=$length
        "$ngc" "$model" --standalone --prefix=model --unroll=0 $options $segment -o "$dir/m.c" \
            --report >"$dir/report" 2>"$dir/log" &&
            by_quick &&
            limit 100 "$dir/m" >"$dir/bits$length" 2>&1
        [ $length = 0 ] && continue
        grep -q 'in segments of' "$dir/report" &&
            cmp "$dir/bits0" "$dir/bits$length" >"$dir/log" 2>&1
        verdict $? "$model $options in segments of $length: $(head -5 "$dir/log")"
    done
}

# Random models and networks have the same bits on any number of threads. Not every int of theirs is
# a label.
cc -std=c11 -O1 -o "$dir/model" tests/random/model.c &&
    cc -std=c11 -O1 -o "$dir/net" tests/random/net.c || exit 2
some=2
[ "$CHECK_LONG" ] && some=100
number=0
for by in model net; do
    mkdir "$dir/$by.d" && "$dir/$by" $((1 + some * CHECK_SEED)) $some "$dir/$by.d" || exit 2
    for model in "$dir/$by.d"/*.ng; do
        number=$((number + 1))
        real=$([ $((number % 2)) = 0 ] && echo "--real=double")
        "$ngc" "$model" --prefix=model --pool-from=1 --standalone $real -o "$dir/m.c" \
            2>"$dir/log" &&
            by_quick &&
            limit 100 "$dir/m" labels >"$dir/log" 2>&1
        verdict $? "$by $(basename "$model") $real: $(head -5 "$dir/log")"
    done
done
group "random models"

whole tests/pool/segments.ng "" 1 4 5 6,2
whole tests/pool/segments.ng "--real=double --pool-from=100" 3 5,2
whole tests/pool/segments.ng "-O0" 2 5 6,3
number=0
for name in passes windows equal draws; do
    number=$((number + 1))
    in_share 3 $number && whole $models/$name.ng "" 2 3
    in_share 3 $((number + 1)) && whole $models/$name.ng "-O0 --real=double" 2
done
group "loops in segments"

# updates of only the rows that were read have the bits of whole updates; a norm adds up its squares
# in another order
sed 's/, clip_norm = [0-9.]*//' $models/sparse.ng >"$dir/read.ng"
for without in "" --without=sparse; do
    "$ngc" "$dir/read.ng" --standalone --prefix=model $without -o "$dir/m.c" 2>"$dir/log" &&
        by_quick &&
        limit 100 "$dir/m" >"$dir/bits$without" 2>&1 || break
done
cmp "$dir/bits" "$dir/bits--without=sparse" >"$dir/log" 2>&1
verdict $? "rows that were read: $(head -5 "$dir/log")"
group "rows that were read"

printf 'int main(void) { return 0; }\n' >"$dir/t.c"
if cc -fsanitize=thread "$dir/t.c" -o "$dir/t" 2>/dev/null && "$dir/t" 2>/dev/null; then
    sanitize="-O0 -g1 -fsanitize=thread"
    cc $posix $sanitize -Iruntime -c runtime/ngrt_pool.c -o "$dir/sanitized.o"
    same $models/transformer.ng "--standalone" "$sanitize" "$dir/sanitized.o"
    same tests/pool/until.ng "--standalone" "$sanitize" "$dir/sanitized.o"
    in_share 2 1 && same tests/pool/shapes.ng "--standalone" "$sanitize" "$dir/sanitized.o"
    in_share 2 2 && same tests/pool/shapes.ng "--standalone --without=rows --no-share" "$sanitize" \
        "$dir/sanitized.o"
fi
for flags in "-O2" "${sanitize:+$sanitize}"; do
    [ "$flags" ] || continue
    cc $posix -Wall -Wextra -Werror $flags -Iruntime tests/pool/threads.c runtime/ngrt_pool.c \
        -lpthread -o "$dir/threads" &&
        limit 100 "$dir/threads" >"$dir/log" 2>&1
    verdict $? "threads.c $flags: $(head -5 "$dir/log")"
done
group "the thread sanitizer, the pool by itself"

# c1 is large enough for a pool, b is not; emitted C needs no thread library
"$ngc" tests/bench/c1.ng --standalone -o "$dir/large.c" &&
    "$ngc" tests/bench/b.ng --standalone -o "$dir/small.c"
[ "$(grep -c 'pool->run' "$dir/large.c")" -ge 2 ] && ! grep -q 'w->pool' "$dir/small.c"
verdict $? "what is large has a pool, what is small has none"
cc -std=c99 -O0 -c "$dir/large.c" -o "$dir/large.o" && ! nm -u "$dir/large.o" |
    grep -q 'pthread\|ngrt'
verdict $? "the C of a large model needs no thread library: $(nm -u "$dir/large.o")"
size -A "$dir/large.o" |
    awk '($1 == ".data" || $1 == ".bss") && $2 > 0 { bad = 1 } END { exit bad }'
verdict $? "no data that is written"
"$ngc" --report tests/bench/c1.ng | grep -q '^  with a pool: [1-9][0-9]* kernels' &&
    ! "$ngc" --report tests/bench/b.ng | grep -q 'with a pool'
verdict $? "--report describes it"
group "large and small"

# the trainer
awk 'BEGIN { for (i = 0; i < 300; i++) { s = i*7919 % 997/997; for (j = 0; j < 200; j++) printf "%.3f,", (s*(j + 1)*3.7) % 1; print i % 3 } }' >"$dir/table.csv"
cat >"$dir/wide.ng" <<'END'
dim m <= 100
input x[m, 200], t[m]: int
z = dense(dense(x, 256, tanh), 3)
minimize J = cross_entropy(z, t) with adam()
END
export XDG_CACHE_HOME="$dir/cache"
CC=$(cc_with -O0) && export CC # what train compiles with
for threads in 1 2 3 3; do
    "$ngc" train "$dir/wide.ng" --data "$dir/table.csv" --epochs 2 --quiet --threads $threads \
        --save "$dir/$threads.safetensors" >>"$dir/J"
done
[ "$(wc -l <"$dir/J")" = 4 ] &&
    awk '{ if (NR > 1 && ($2 - first)^2 > 1e-8) bad = 1; first = $2 } END { exit bad }' "$dir/J"
verdict $? "train --threads: $(cat "$dir/J")"
"$ngc" train "$dir/wide.ng" --data "$dir/table.csv" --epochs 2 --quiet --threads 3 \
    --save "$dir/again.safetensors" >/dev/null
cmp "$dir/3.safetensors" "$dir/again.safetensors"
verdict $? "train --threads 3 again: the same bits"
# a run-time number of passes; a limit of memory, with segments and without
awk 'BEGIN { for (i = 0; i < 90; i++) { for (j = 0; j < 6; j++) printf "%.3f,", (i*7919 + j*104729) % 997/997; print i % 2 } }' >"$dir/steps.csv"
cat >"$dir/steps.ng" <<'END'
dim m <= 30, T <= 20
input x[m, T], t[m]: int
cell = gru_cell(_, _, 6)
h = zeros([m, 6])
for s in 0..T { h = cell(x[:, s:s + 1], h) }
minimize J = cross_entropy(dense(dense(h, 24, tanh), 2), t) with sgd(lr = 0.1)
END
for options in "" "--memory=50K" "--segment=4"; do
    "$ngc" train "$dir/steps.ng" --data "$dir/steps.csv" --epochs 2 --quiet T=6 $options \
        >>"$dir/J6" 2>&1
done
awk '{ if ($1 != "J:" || (NR > 1 && ($2 - first)^2 > 1e-8)) bad = 1; first = $2 } END { exit bad || NR != 3 }' "$dir/J6"
verdict $? "train with a run-time number of passes and --memory: $(cat "$dir/J6")"
"$ngc" train "$dir/steps.ng" --data "$dir/steps.csv" --quiet >"$dir/log" 2>&1
grep -q '7 columns, but the inputs take 21: x 20, t 1; with T=20$' "$dir/log"
verdict $? "a run-time size that does not fit the data: $(cat "$dir/log")"
for bad in 0 257 x; do
    "$ngc" train "$dir/wide.ng" --data "$dir/table.csv" --threads $bad 2>"$dir/log"
    [ $? = 2 ] && grep -q -- '--threads takes' "$dir/log"
    verdict $? "--threads $bad: $(cat "$dir/log")"
done
group "the trainer"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
