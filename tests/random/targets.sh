#!/bin/sh
# targets.sh - random models and networks, compiled for many processors, by many compilers, at each
# level; what they compute must be what the interpreter computes (tests/emit/selfcheck.c). Each
# target has models of its own.
#
#     sh tests/random/targets.sh [TARGET...]    from anywhere; needs a built tree; BUILD says where. None: all targets
#     TARGET_MODELS=24 TARGET_FIRST=1           how many for each target; where their numbers begin
#     TARGET_REAL=float                         all of them with 32-bit floats
#
# A target is a line of the list below: its name, the command that compiles, and what runs the
# program. `sh tests/install.sh long` installs all that they need. Every second model is a network;
# every third has 32-bit floats.
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/suite.sh
count=${TARGET_MODELS:-24} first=${TARGET_FIRST:-1} real=${TARGET_REAL-}

all='
gcc-11-O0|gcc-11 -O0|
gcc-11-O2|gcc-11 -O2|
gcc-11-O3|gcc-11 -O3 -march=x86-64-v3|
gcc-12-O1|gcc-12 -O1 -march=x86-64|
gcc-12-O2|gcc-12 -O2 -march=x86-64-v3|
gcc-12-O3|gcc-12 -O3 -march=x86-64-v4|
gcc-12-native|gcc-12 -O3 -march=native|
gcc-12-m32|gcc-12 -m32 -O2 -msse2 -mfpmath=sse|
clang-13-O1|clang-13 -O1|
clang-13-O3|clang-13 -O3 -march=x86-64-v3|
clang-14-O0|clang-14 -O0|
clang-14-O2|clang-14 -O2 -march=x86-64-v4|
clang-14-O3|clang-14 -O3 -march=native|
clang-15-O2|clang-15 -O2|
clang-16-O2|clang-16 -O2 -march=x86-64-v3|
clang-16-O3|clang-16 -O3 -march=x86-64-v4|
clang-19-O2|clang-19 -O2|
clang-19-O3|clang-19 -O3 -march=native|
aarch64|aarch64-linux-gnu-gcc -O2 -static|qemu-aarch64
armhf|arm-linux-gnueabihf-gcc -O2 -static|qemu-arm
riscv64|riscv64-linux-gnu-gcc -O2 -static|qemu-riscv64
s390x|s390x-linux-gnu-gcc -O2 -static|qemu-s390x
wasm32|clang-14 --target=wasm32-wasi -O2 -Wl,-z,stack-size=1048576|node --no-warnings tests/random/wasi.mjs
windows|x86_64-w64-mingw32-gcc -O2 -D__USE_MINGW_ANSI_STDIO=1|wine
'
WINEPREFIX=$dir/wine WINEDEBUG=-all
export WINEPREFIX WINEDEBUG

for name; do
    echo "$all" | grep -q "^$name|" && continue
    echo "targets.sh: there is no target '$name'; they are $(echo "$all" | sed '/|/!d; s/|.*//' | xargs)" >&2
    exit 2
done

cc -std=c11 -O1 -o "$dir/model" tests/random/model.c &&
    cc -std=c11 -O1 -o "$dir/net" tests/random/net.c || exit 2
functions "$build" >"$dir/functions" || exit 2
cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -Icompiler tests/emit/selfcheck.c "$build/libngc.a" -lm \
    -o "$dir/selfcheck" || exit 2

# runs_here FLAGS: has this processor what they ask for?
runs_here() {
    case $1 in
    *x86-64-v4*) grep -qw avx512vl /proc/cpuinfo ;;
    *x86-64-v3*) grep -qw avx2 /proc/cpuinfo ;;
    *) true ;;
    esac
}

# one TARGET COMMAND RUNNER NUMBER: a model, as a program that checks itself; it prints ok, or what
# is wrong
cat >"$dir/one" <<'END'
at=$dir/$1_$4
by=model
[ $(($4 % 2)) = 0 ] && by=net
options="--standalone --seed=$4"
[ $(($4 % 3)) = 0 ] || [ "$real" = float ] && options="$options --float"
[ $(($4 % 5)) = 0 ] && options="$options --dims=1"
[ $(($4 % 7)) = 0 ] && options="$options -O0"
[ $(($4 % 4)) = 1 ] && options="$options --unroll=0"
mkdir "$at" && "$dir/$by" "$4" 1 "$at" "$dir/functions" && "$dir/selfcheck" $options "$at/$4.ng" >"$at/p.c" 2>"$at/log" &&
    $2 -std=c99 -w "$at/p.c" -lm -o "$at/p.exe" >"$at/log" 2>&1 && "$dir/limit" 60 $3 "$at/p.exe" >"$at/log" 2>&1 && echo ok && rm -rf "$at" && exit
echo "$by $4 $options: $(grep -v '^[0-9a-f]*$' "$at/log" | head -3)"
END
export dir real
limit 10 true

number=$first
echo "$all" >"$dir/all"
while IFS='|' read -r name command runner; do
    [ "$name" ] || continue
    from=$number
    number=$((number + count))
    case " $* " in '  ' | *" $name "*) ;; *) continue ;; esac
    for program in ${command%% *} ${runner%% *}; do
        command -v "$program" >/dev/null && continue
        failed=$((failed + 1))
        echo "FAIL $name: $program is not installed"
        continue 2
    done
    runs_here "$command" || { echo "$name: not for this processor"; continue; }
    seq "$from" $((number - 1)) | xargs -P 2 -I{} sh "$dir/one" "$name" "$command" "$runner" {} \
        >"$dir/results"
    passed=$((passed + $(grep -c '^ok$' "$dir/results")))
    failed=$((failed + $(grep -vc '^ok$' "$dir/results")))
    grep -v '^ok$' "$dir/results" | sed "s/^/FAIL $name: /" | head -20
    group "$name"
done <"$dir/all"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
