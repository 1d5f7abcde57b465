#!/bin/sh
# run.sh - C of --ranks, and `ngc train` under mpirun.
#
# threads: models, also random ones, whose batch is divided among threads that play ranks, against
# the batch in one piece (threads.c); models that cannot be divided get an error at the right line.
# mpi: trainings on two and three processes, where MPI is installed: the weights of one process, to
# rounding; a rank that is killed, interrupts, --resume with the same bits.
#
#     tests/ranks/run.sh [threads|mpi ...]      from anywhere; needs a built tree
cd "$(dirname "$0")/../.." || exit 2
. tests/suite.sh
libs=$(runtime_libs "$build")
choose_quick
export OPENBLAS_NUM_THREADS=1

# same NAME EXPECTED ACTUAL
same() {
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else fail "$1: expected '$2', got '$3'"; fi
}

# ---- threads ----

# divided MODEL OPTIONS: compiles it, and compares
divided() {
    "$NGC" --verify --ranks --real=double --prefix=model -Wno-all $2 "$1" -o "$dir/m.c" \
        2>"$dir/log" &&
        $quick -Iruntime -c "$dir/m.c" -o "$dir/m.o" 2>>"$dir/log" &&
        cc "$dir/threads.o" "$dir/m.o" $libs $quick_libs -lpthread -o "$dir/m" 2>>"$dir/log" &&
        limit 20 "$dir/m" >>"$dir/log" 2>&1 && passed=$((passed + 1)) ||
            fail "$1 $2: $(tail -3 "$dir/log")"
}

# refused MODEL LINE
refused() {
    "$NGC" --ranks "$1" -Wno-all -o "$dir/m.c" 2>"$dir/log"
    same "$1" "1 $2" "$? $(sed -n 's/^[^ ]*\.ng:\([0-9]*\):.* error: .*NG0422.$/\1/p' "$dir/log")"
}

# Random models: those that cannot be divided say so. CHECK_LONG=1 takes 400, in place of 40.
random_models() {
    first=$((40 * (CHECK_SEED % 10))) count=40
    [ "$CHECK_LONG" ] && first=0 count=400
    cc -std=c11 -D_POSIX_C_SOURCE=200809L -w -O1 tests/random/model.c -lm -o "$dir/model" &&
        functions "$build" >"$dir/functions.txt" &&
        mkdir "$dir/random" && "$dir/model" $first $count "$dir/random" \
            "$dir/functions.txt" || exit 2
    can=0
    for model in "$dir"/random/*.ng; do
        if "$NGC" --ranks --real=double "$model" -Wno-all -o "$dir/m.c" 2>"$dir/log"; then
            divided "$model"
            can=$((can + 1))
        else
            same "$(basename "$model")" "all errors are NG0422" \
                "$(grep ' error: ' "$dir/log" | grep -vq 'NG0422.$' ||
                echo 'all errors are NG0422')"
        fi
    done
    [ $can -ge $((count / 2)) ] || fail "only $can of $count random models can be divided"
}

threads() {
    cc -std=c11 -D_POSIX_C_SOURCE=200809L -w -O1 -Iruntime -DMODEL=model_model \
        -c tests/ranks/threads.c -o "$dir/threads.o" || exit 2
    for model in tests/ranks/models/*.ng; do
        case $model in
        */dropout.ng) DRAWS=1 divided "$model" ;; # the draws are not those of the whole batch
        *) divided "$model" ;;
        esac
    done
    "$NGC" --ranks tests/ranks/models/dropout.ng -o "$dir/m.c"
    same "draws differ by rank" 2 "$(grep -c 'ngrt_uniformf(.*ranks->rank << 32' "$dir/m.c")"
    divided tests/ranks/models/norms.ng -O0
    divided tests/ranks/models/norms.ng --no-share
    number=0
    for model in adam batched blocks conv gan lstm measures momentum rows sparse totals volumes \
        windows; do
        number=$((number + 1))
        case $model in windows) continue ;; esac
        in_share 3 $number && divided tests/emit/models/$model.ng
    done
    random_models
    refused tests/emit/models/windows.ng 7
    refused tests/emit/models/peeled.ng 8
    refused tests/emit/models/sorted.ng 6
    refused tests/emit/models/transformer.ng 8
    "$NGC" --ranks tests/emit/models/alone.ng -o "$dir/m.c" 2>"$dir/log"
    same "no batch" "1 1" "$? $(grep -c 'no run-time size.*NG0422' "$dir/log")"
    "$NGC" --ranks --memory=1M tests/ranks/models/norms.ng -o "$dir/m.c" 2>"$dir/log"
    same "--memory" "2 1" "$? $(grep -c 'do not go together' "$dir/log")"
    "$NGC" --ranks --standalone tests/ranks/models/norms.ng -o "$dir/m.c" &&
        cc -std=c99 -pedantic -Wall -Wextra -Werror -c "$dir/m.c" -o "$dir/m.o" 2>"$dir/log"
    same "standalone, strict" "0 0" "$? $(nm "$dir/m.o" | grep -c ' U ngrt_')"
    group threads
}

# ---- mpi ----

table() {
    awk 'BEGIN { srand(3); for (i = 0; i < 103; i++) printf "%g,%g,%g,%g,%d\n", i % 3 + rand(), i % 5/5, rand(), i % 7/7, i % 3 }' >"$dir/table.csv"
    cat >"$dir/tiny.ng" <<'END'
dim m <= 50
input x[m, 4], t[m]: int
h = batch_norm(dense(x, 6, tanh))
z = dense(h, 3)
metric accuracy = mean(argmax(z) == t), c = confusion(z, t), far = max(abs(z))
minimize J = cross_entropy(z, t) with adam(lr = 0.01)
END
}

# started N COMMAND...: on N processes. Where there is no ssh, mpirun needs none on one machine.
started() {
    ranks=$1
    shift
    OMPI_MCA_plm_rsh_agent=sh OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
        mpirun --oversubscribe -n "$ranks" "$@" >out 2>log
}

# many N ARGUMENTS...: `ngc train` on N processes
many() {
    ranks=$1
    shift
    started "$ranks" "$NGC" train --real=double tiny.ng --data table.csv "$@"
}

one() {
    "$NGC" train --real=double tiny.ng --data table.csv "$@" >out.one 2>log
}

# near NAME A B: two files of weights are equal to 1e-12
near() {
    cat >near.py <<'END'
import sys, numpy
a, b = numpy.load(sys.argv[1]), numpy.load(sys.argv[2])
d = max(abs(a[k] - b[k]).max() for k in a.files if not k.startswith('__'))
print('near' if d <= 1e-12 and a.files == b.files else 'differs by %g' % d)
END
    same "$1" near "$(/usr/bin/python3 near.py "$2" "$3" 2>&1 | tail -n 1)"
}

# strike NUMBER SIGNAL: when part.npz was written anew, sends the signal to a rank of the training
# that writes it
strike() {
    for wait in $(seq 200); do
        sleep 0.05
        [ part.npz -nt mark ] && break
    done
    rank=$(ps -eo pid,args | awk -v f="$dir/part.npz" '$2 == "ngc" && index($0, f) { print $1 }' | sed -n "$((2 - $1 % 2))p")
    [ "$rank" ] && kill -"$2" "$rank" 2>/dev/null
}

mpi() {
    table
    cd "$dir" || exit 2
    export CC="$(cc_with -O0)" XDG_CACHE_HOME="$dir"
    if [ ! -e "$build/libngrt_mpi.a" ] || ! command -v mpirun >/dev/null; then
        OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=0 one
        same "without MPI" 1 "$(grep -c 'built without MPI.*libopenmpi-dev' log)"
        return
    fi
    cc -std=c11 -D_POSIX_C_SOURCE=200809L -w -O1 -I"$top/runtime" "$top/tests/ranks/buckets.c" \
        "$build/libngrt_mpi.a" $(mpicc --showme:link) -lm -o buckets || exit 2
    started 3 ./buckets
    same "sums, maxima and buckets" "0 " "$? $(head -3 out)"
    for n in 2 3; do
        args="--epochs 4 --batch 20 --val-split 0.2 --standardize x --seed $n"
        one $args --save one.npz
        many $n $args --save many.npz
        same "$n ranks" 0 "$?"
        same "$n ranks: results" "$(cat out.one)" "$(cat out)"
        near "$n ranks: weights" one.npz many.npz
    done
    one --epochs 2 --batch 8 --accumulate 3 --save one.npz --assess
    many 2 --epochs 2 --batch 8 --accumulate 3 --save many.npz --assess
    same "--assess" "$(cat out.one)" "$(cat out)"
    near "--accumulate" one.npz many.npz
    one --epochs 3 --folds 3
    many 2 --epochs 3 --folds 3
    same "--folds" "$(cat out.one)" "$(cat out)"
    group "mpi: as one process"

    many 2 --epochs 4 --load none.npz
    same "an error of all ranks" "3 1" "$? $(grep -c 'error: .*none.npz' log)"
    many 2 --epochs 4 --threads 2
    same "--threads" 1 "$(grep -c 'ngc train: error: --threads' log)"
    started 2 "$NGC" eval tiny.ng --data table.csv
    same "eval" 1 "$(grep -c 'eval is one process' log)"
    group "mpi: errors"

    # each time a rank gets a signal, and the training is resumed: at the end the file has the same
    # bits
    args="--epochs 100 --batch 20 --keep-best --val-split 0.2 --checkpoint 7"
    many 2 $args --resume "$dir/whole.npz"
    strikes=0
    while [ $strikes -lt "${INTERRUPTIONS:-$([ "$CHECK_LONG" ] && echo 50 || echo 3)}" ]; do
        signal=$(echo KILL INT TERM | cut -d ' ' -f $((strikes % 3 + 1)))
        touch mark
        many 2 $args --resume "$dir/part.npz" &
        strike $strikes $signal
        wait $!
        status=$?
        if [ $status = 0 ]; then # it was at its end: once more from the start
            same "interrupted and resumed" "" "$(cmp whole.npz part.npz 2>&1)"
            rm -f part.npz
            continue
        fi
        strikes=$((strikes + 1))
        case $signal in
        KILL) same "a rank is killed" 137 $status ;;
        INT) same "interrupt" 130 $status ;;
        TERM) same "terminate" 143 $status ;;
        esac
    done
    many 2 $args --resume "$dir/part.npz"
    same "interrupted and resumed" "" "$(cmp whole.npz part.npz 2>&1)"
    group "mpi: interruptions"
}

number=0
for part in ${*:-threads mpi}; do
    case $part in threads | mpi) $part ;; *) echo "run.sh: there is no part '$part'" \
        >&2; exit 2 ;; esac
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
