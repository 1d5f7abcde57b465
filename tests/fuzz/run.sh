#!/bin/sh
# run.sh - fuzzes the compiler from text to C (lower.c): tests/fuzz/run.sh [SECONDS [SEED]].
# Findings are left in build/tests/fuzz.
#
# With SECONDS of processor time, or CHECK_LONG=1 (suite.sh), it builds an ngc with the sanitizers.
# Otherwise, as a part of `make check`, it runs for some seconds with the objects of the build, and
# CHECK_SEED is the seed. Passes that are wrong on purpose must be found. Then the targets of
# campaign.sh are given what campaigns have kept, and every text of the tests that is not a model:
# nothing may crash, take over a second or 256 MB, or leave memory behind. CHECK_LONG=1 fuzzes them,
# too.
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/suite.sh
out=${FUZZ_OUT:-$build/tests/fuzz}
. tests/broken.sh
mkdir -p "$out"
models=$(find examples tests/emit tests/err tests/examples tests/cases -name '*.ng' -size -12k | sort)
[ $# -gt 0 ] && CHECK_LONG=1

flags='-O1 -g' compiler=$build/libngc.a seconds=4
if [ "$CHECK_LONG" ]; then
    flags='-O1 -g -fsanitize=address,undefined' seconds=${1:-60}
    compiler=$out/ngc/libngc.a
    make -s B="$out/ngc" CFLAGS="$flags" "$compiler" || exit 1
fi
cc="${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra $flags -Icompiler"
# shellcheck disable=SC2086
$cc -c tests/fuzz/lower.c -o "$dir/lower.o" && $cc "$dir/lower.o" "$compiler" -lm -o "$out/lower" &&
    $cc "$dir/lower.o" $(broken_link) "$compiler" -lm -o "$dir/broken" || exit 1

# The last line is: N models, N of them compiled, N findings.
# shellcheck disable=SC2086
"$out/lower" "$seconds" "${2:-$CHECK_SEED}" "$out" $models >"$dir/log"
cat "$dir/log"
last=$(tail -1 "$dir/log")
failed=${last##*compiled, }
failed=${failed%% *}
passed=$((${last%% *} - failed))
group "models"
broken_each "simplify rows" "$dir/broken" 2 5 "$dir" $models

# ---- what campaigns have kept ----
. tests/fuzz/build.sh
. tests/fuzz/seeds.sh
tar -xzf tests/fuzz/corpus.tar.gz -C "$dir" || exit 1
choose_engine replay && build_objects replay "$dir" || exit 1
for target in $targets; do
    if ! build_target replay "$dir" "$target"; then
        fail "$target cannot be built"
        continue
    fi
    set -- $(find "$dir/$target" "$PWD/tests/fuzz/found" \( -path "$dir/*" -o -name "$target-*" \) -type f | sort)
    case $target in parse | model) set \
        -- "$@" $(find "$PWD/tests/err" "$PWD/tests/front/err" -name '*.ng') ;; esac
    if GLIBC_TUNABLES=glibc.malloc.tcache_count=0 "$dir/$target.replay" "$@" >/dev/null 2>"$dir/log"; then
        passed=$((passed + $#))
    else
        fail "$target: $(tail -2 "$dir/log")"
    fi
    group "$target"
done
if [ "$CHECK_LONG" ]; then
    sh tests/fuzz/campaign.sh 20
    verdict $? "a campaign has found something"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
