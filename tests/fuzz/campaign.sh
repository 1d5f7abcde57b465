#!/bin/sh
# campaign.sh - fuzzes ngc's readers: `sh tests/fuzz/campaign.sh SECONDS [TARGET ...]`, so many
# seconds for each target. The targets are in targets/; libFuzzer changes the inputs.
#
# It prints the number of executions and the findings, which are left in build/tests/fuzz/found.
# What it learns is kept in build/tests/fuzz/corpus, where the next campaign begins; `KEEP=1` also
# writes the smallest set of inputs with the same coverage to tests/fuzz/corpus.tar.gz, which `make
# check` replays.
set -u
cd "$(dirname "$0")/../.." || exit 2
[ $# -gt 0 ] || { echo "usage: campaign.sh SECONDS [TARGET ...]" >&2; exit 2; }
seconds=$1
shift
out=$PWD/${FUZZ_OUT:-build/tests/fuzz}
. tests/fuzz/build.sh
. tests/fuzz/seeds.sh
sh tests/install.sh fuzz || exit 1
mkdir -p "$out/found"
choose_engine libfuzzer && build_objects libfuzzer "$out" || exit 1

# campaign TARGET: prints a line; findings are files found/TARGET-...
campaign() {
    target=$1 corpus=$out/corpus/$1
    build_target libfuzzer "$out" "$target" || exit 1
    make_seeds "$target" "$out/seeds/$target"
    make_words "$target" "$out/$target.words"
    mkdir -p "$corpus"
    fuzz
    findings=$(find "$out/found" -name "$target-*" -newer "$out/$target.words" | wc -l)
    echo "$target: $executions executions, $findings findings"
    all=$((all + findings))
    show_findings
}

# The first of each kind, by what the sanitizers say of it.
show_findings() {
    find "$out/found" -name "$target-*" -newer "$out/$target.words" | sort | head -50 |
        while read -r f; do
        kind=$(timeout 100 "$out/$target.libfuzzer" "$f" 2>&1 | grep -a -m 1 -e '^SUMMARY' -e 'runtime error' -e '^finding' -e 'internal error')
        echo "$kind: $f"
    done | sed 's/ (BuildId: [0-9a-f]*)//; s/0x[0-9a-f]*/0x/g' | sort |
        awk -F': /' '!seen[$1]++ { print "    " $0 }'
}

# Until the time is over; a finding ends the program, which is then started again. (With -fork=1 it
# would go on by itself, but spends most of its time on starting.)
fuzz() {
    executions=0 end=$(($(date +%s) + seconds))
    while left=$((end - $(date +%s))) && [ "$left" -gt 0 ]; do
        nice -n "${NICE:-15}" "$out/$target.libfuzzer" -max_total_time="$left" -timeout=60 \
            -rss_limit_mb=2000 -max_len="$(longest "$target")" \
            -dict="$out/$target.words" -artifact_prefix="$out/found/$target-" -close_fd_mask=3 \
            -print_funcs=0 -print_final_stats=1 \
            "$corpus" "$out/seeds/$target" >"$out/$target.log" 2>&1
        some=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$target.log")
        executions=$((executions + ${some:-0}))
    done
}

all=0
for t in ${*:-$targets}; do
    campaign "$t"
done
if [ "${KEEP-}" ]; then keep_corpus; fi
[ "$all" = 0 ]
