#!/bin/sh
# costs.sh - what each model costs, by `ngc --report`, is at most what costs.txt says: a rewrite, a
# fusion or a plan that has become worse changes no number that a model computes. For each model,
# and for its loops as loops where it has any, the sums over all functions of
#
#     FLOPs, bytes that are read and written, stored values, kernels, planned bytes, kernels that
#     are not shared by the threads of a pool, barriers
#
# And a plan of memory is at most a quarter larger than what is there at one time. The threads of a
# pool meet exactly as often as costs.txt says.
#
# Some models are also compiled within a limit of memory, and of some the least memory is asked for:
# a worse order of the groups, or a search that ends early, finds more.
#
#     sh tests/pass/costs.sh [--accept]     prints the lines that are larger, or writes costs.txt
set -u
cd "$(dirname "$0")/../.." || exit 2
ngc=${NGC:-build/ngc}
wanted=tests/pass/costs.txt
got=$(mktemp) || exit 2
trap 'rm -f "$got"' EXIT

report() { # MODEL [OPTION]
    "$ngc" --report ${2-} -Wno-all "$1" 2>&1 | awk -v name="$1${2:+ $2}" '
        function after(word,   text) { text = $0; return sub(".*" word, "", text) ? text + 0 : 0 }
        /^  plan: / && $7 + 0 > 1.25*$10 { print name ": planned " $7 + 0 " bytes, though at most " $10 " are there at one time" }
        / flops, .* kernels$/ { flops += $2; kernels += $4 }
        /^  moves: / { bytes += $2 + $5 }
        /^  fuse: / { stored += $4 }
        /planned space: / { space += after("planned space: ") }
        /^  with a pool: / { alone += after("work; "); meets += after("meet ") }
        END {
            if (kernels)
                printf "%s: %.0f %.0f %.0f %.0f %.0f %.0f %.0f\n", name, flops, bytes, stored, kernels, space, alone, meets
            else
                print name ": failed"
        }'
}

{
    for model in tests/emit/models/*.ng examples/*.ng; do
        report "$model"
        grep -q '^[^#]*for .* in ' "$model" && report "$model" --unroll=0
    done
    # how often the threads of a pool meet, also in small loops
    for model in choices conv join lstm ragged transformer; do
        "$ngc" --report --pool-from=1 -Wno-all tests/emit/models/$model.ng 2>&1 | awk -v name=$model '
            /^  with a pool: / { sub(/.* meet /, ""); meets += $0 }
            END { print name " in all meets: " meets + 0 }'
    done
    # what is computed again within limits of memory
    for limit in adam:14000 conv:8000 lstm:6500 passes:6000 transformer:9000 volumes:14000; do
        report tests/emit/models/${limit%:*}.ng --memory=${limit#*:}
    done
    report tests/pass/costs/onto.ng --memory=163000
    for model in examples/spiral.ng examples/moons.ng tests/emit/models/momentum.ng \
        tests/emit/models/passes.ng tests/emit/models/resize.ng tests/emit/models/rules.ng \
        tests/emit/models/sorted.ng tests/emit/models/triangle.ng; do
        "$ngc" --memory=1 -Wno-all "$model" -o - 2>&1 >/dev/null | sed -n "s/.*; the least is \([0-9]*\).*/$(basename $model) --memory=1: \1/p"
    done
} >"$got"
if [ "${1-}" = --accept ]; then
    cp "$got" $wanted
    exit 0
fi
awk -F': ' 'FNR == NR { most[$1] = $2; next }
    / bytes, though / { print; bad = 1; next }
    {
        n = split($2, now, " ")
        split(most[$1], limit, " ")
        for (i = 1; i <= n; i++) {
            # where threads do not meet any more, one may read what another has not written
            few = ($1 ~ / meets$/) && (now[i] + 0 != limit[i] + 0)
            if (few || limit[i] == "" || now[i] > limit[i]) {
                print (few ? "other" : "more") " than " most[$1] ": " $0
                bad = 1
                next
            }
        }
    }
    END { exit bad }' $wanted "$got"
