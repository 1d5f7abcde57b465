#!/bin/sh
# campaign.sh - fuzzes ngc's readers: `sh tests/fuzz/campaign.sh SECONDS [TARGET ...]`, so many
# seconds for each target. The targets are in targets/; `data:npy` is the target `data` with files
# of one format. libFuzzer changes the inputs, or AFL++ with `ENGINE=afl`. AFL++ begins with what
# libFuzzer has learned; what it learns is run under the sanitizers, and joins the corpus.
#
# It prints the number of executions, of `data` for each format, and the findings, which are left in
# build/tests/fuzz/found. What it learns is kept in build/tests/fuzz/corpus, where the next campaign
# begins; `KEEP=1` also writes the smallest set of inputs with the same coverage to
# tests/fuzz/corpus.tar.gz, which `make check` replays.
set -u
cd "$(dirname "$0")/../.." || exit 2
[ $# -gt 0 ] || { echo "usage: campaign.sh SECONDS [TARGET ...]" >&2; exit 2; }
seconds=$1
shift
out=$PWD/${FUZZ_OUT:-build/tests/fuzz}
. tests/fuzz/build.sh
. tests/fuzz/seeds.sh
engine=${ENGINE:-libfuzzer}
for t; do
    case " $targets " in *" ${t%%:*} "*) continue ;; esac
    echo "campaign.sh: there is no target '$t'; they are $targets" >&2
    exit 2
done
sh tests/install.sh fuzz || exit 1
mkdir -p "$out/found"

# campaign TARGET: prints a line; findings are files found/TARGET-...
campaign() {
    target=${1%%:*} format=${1#"$target"}
    corpus=$out/corpus/$target
    rm -f "$out/$target.counts"
    for by in $engines; do
        [ -e "$out/$by" ] || echo "building ngc for $by: some minutes, once" >&2
        choose_engine "$by" && build_objects "$by" "$out" && build_target "$by" "$out" "$target" ||
            exit 1
    done
    make_seeds "$target" "$out/seeds/$target"
    make_words "$target" "$out/$target.words"
    # the first time, with what earlier campaigns have kept
    if [ ! -d "$corpus" ]; then
        mkdir -p "$corpus"
        tar -xzf tests/fuzz/corpus.tar.gz -C "$out/corpus" "./$target"
    fi
    executions=0
    "fuzz_$engine"
    findings=$(find "$out/found" -name "$target-*" -newer "$out/$target.words" | wc -l)
    echo "$1: ${executions:-no} executions, $findings findings"
    show_counts
    all=$((all + findings))
    show_findings
}

# The executions of `data`, by format.
show_counts() {
    [ -e "$out/$target.counts" ] &&
        awk '{ n[$1] += $2 } END { for (f in n) print "    " f " " n[f] }' "$out/$target.counts" | sort
}

# The first of each kind, by what the sanitizers say of it.
show_findings() {
    find "$out/found" -name "$target-*" -newer "$out/$target.words" | sort | head -50 |
        while read -r f; do
        kind=$(timeout 100 "$out/$target.libfuzzer" "$f" 2>&1 |
            grep -a -m 1 -e '^SUMMARY' -e 'runtime error' -e '^finding' -e 'internal error')
        echo "$kind: $f"
    done | sed 's/ (BuildId: [0-9a-f]*)//; s/0x[0-9a-f]*/0x/g' | sort |
        awk -F': /' '!seen[$1]++ { print "    " $0 }'
}

# Until the time is over; a finding ends the program, which is then started again. (With -fork=1 it
# would go on by itself, but spends most of its time on starting. -entropic=0: to count how rare
# each branch is takes up to half of the time.)
fuzz_libfuzzer() {
    end=$(($(date +%s) + seconds))
    while left=$((end - $(date +%s))) && [ "$left" -gt 0 ]; do
        env ${format:+DATA_FORMAT="${format#:}"} FUZZ_COUNTS="$out/$target.counts" \
            nice -n "${NICE:-15}" "$out/$target.libfuzzer" -max_total_time="$left" -timeout=60 -entropic=0 \
            -rss_limit_mb=2000 -max_len="$(longest "$target")" \
            -dict="$out/$target.words" -artifact_prefix="$out/found/$target-" -close_fd_mask=3 \
            -print_funcs=0 -print_final_stats=1 \
            "$corpus" "$out/seeds/$target" >"$out/$target.log" 2>&1
        some=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$target.log")
        executions=$((executions + ${some:-0}))
    done
}

# A finding does not end it. New inputs join the corpus, and are run under the sanitizers.
fuzz_afl() {
    from=$out/afl/$target.from to=$out/afl/$target
    rm -rf "$from" "$to"
    mkdir -p "$from"
    find "$corpus" "$out/seeds/$target" -type f -size -"$(longest "$target")"c \
        -exec cp -t "$from" {} +
    AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_NO_UI=1 AFL_FAST_CAL=1 AFL_CMPLOG_ONLY_NEW=1 \
        AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_IGNORE_PROBLEMS=1 nice -n "${NICE:-15}" \
        afl-fuzz -i "$from" -o "$to" -V "$seconds" -t 4000 -m 1000 -G "$(longest "$target")" \
        -x "$out/$target.words" -- "$out/$target.afl" >"$out/$target.log" 2>&1
    executions=$(sed -n 's/^execs_done *: *//p' "$to/default/fuzzer_stats" 2>/dev/null)

    for f in "$to"/default/crashes/id* "$to"/default/hangs/id*; do
        [ ! -e "$f" ] || cp "$f" "$out/found/$target-afl-$(sha1sum <"$f" | cut -c1-12)"
    done
    for f in "$to"/default/queue/id*; do
        [ ! -e "$f" ] || cp "$f" "$corpus/$(sha1sum <"$f" | cut -c1-40)"
    done
    "$out/$target.libfuzzer" -runs=0 -timeout=60 -rss_limit_mb=2000 -close_fd_mask=3 \
        -artifact_prefix="$out/found/$target-" "$corpus" >"$out/$target.replay" 2>&1
}

engines=libfuzzer
[ "$engine" = libfuzzer ] || engines="libfuzzer $engine"
all=0
for t in ${*:-$targets}; do
    campaign "$t"
done
if [ "${KEEP-}" ]; then keep_corpus; fi
[ "$all" = 0 ]
