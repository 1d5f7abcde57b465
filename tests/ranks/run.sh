#!/bin/sh
# run.sh - C of --ranks.
#
# threads: models whose batch is divided among threads that play ranks, against the batch in one piece (threads.c); models that
# cannot be divided get an error at the right line.
#
#     tests/ranks/run.sh      from anywhere; needs a built tree
cd "$(dirname "$0")/../.." || exit 2
case ${NGC:=build/ngc} in /*) ;; *) NGC=$PWD/$NGC ;; esac
build=$(dirname "$NGC")
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
failed=0 passed=0
. tests/suite.sh
libs=$(runtime_libs "$build")
choose_quick
export OPENBLAS_NUM_THREADS=1

fail() {
    failed=$((failed + 1))
    echo "FAIL $*"
}

# same NAME EXPECTED ACTUAL
same() {
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else fail "$1: expected '$2', got '$3'"; fi
}

# ---- threads ----

# divided MODEL OPTIONS: compiles it, and compares
divided() {
    "$NGC" --verify --ranks --real=double --prefix=model -Wno-all $2 "$1" -o "$dir/m.c" 2>"$dir/log" &&
        $quick -Iruntime -c "$dir/m.c" -o "$dir/m.o" 2>>"$dir/log" &&
        cc "$dir/threads.o" "$dir/m.o" $libs $quick_libs -lpthread -o "$dir/m" 2>>"$dir/log" &&
        limit 20 "$dir/m" >>"$dir/log" 2>&1 && passed=$((passed + 1)) || fail "$1 $2: $(tail -3 "$dir/log")"
}

# refused MODEL LINE
refused() {
    "$NGC" --ranks "$1" -Wno-all -o "$dir/m.c" 2>"$dir/log"
    same "$1" "1 $2" "$? $(sed -n 's/^[^ ]*\.ng:\([0-9]*\):.* error: .*NG0422.$/\1/p' "$dir/log")"
}

threads() {
    cc -std=c11 -D_POSIX_C_SOURCE=200809L -w -O1 -Iruntime -DMODEL=model_model -c tests/ranks/threads.c -o "$dir/threads.o" || exit 2
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
    for model in adam batched blocks conv gan lstm measures momentum rows sparse totals volumes windows; do
        number=$((number + 1))
        case $model in windows) continue ;; esac
        in_share 3 $number && divided tests/emit/models/$model.ng
    done
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

threads
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
