#!/bin/sh
# run.sh - builds and runs the runtime's tests with every compiler that is installed: strict
# warnings, then sanitizers, then -O3 with the machine's own instructions; the matrix product with
# CBLAS, without it, and without vectors; the data files with and without zlib; each section by
# itself, as it is copied into a standalone file; the headers as C++98. A run builds a program with
# one compiler, with sanitizers or with -O3, in turn (suite.sh), and only one of those for products
# and convolutions. CHECK_LONG=1, or naming compilers, does everything. With COVERAGE (coverage.sh),
# which leaves optimizers and sanitizers out, each program is built in one way.
# Usage: tests/runtime/run.sh [compiler...]     Result: 0 if all checks hold.
cd "$(dirname "$0")/../.." || exit 2
. tests/suite.sh
here=$top/tests/runtime rt=$top/runtime out=$dir
strict="-std=c99 -pedantic -Wall -Wextra -Wconversion -Wsign-conversion -Wmissing-prototypes -Wshadow -Werror"
posix="-std=c11 -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 -Wall -Wextra -Wconversion -Wno-sign-conversion -Wmissing-prototypes -Wshadow -Werror"
plain="-Wall -Wextra -Werror -I$rt -I$here"
[ $# -gt 0 ] && CHECK_LONG=1

# Runs the rest of the line; shows its output only if it fails.
try() {
    if "$@" >"$out/log" 2>&1; then
        passed=$((passed + 1))
        return 0
    fi
    echo "failed: $*"
    cat "$out/log"
    failed=$((failed + 1))
    return 1
}

files="file stream prep element numpy safetensors csv table archive weights data large" # of the rooms host and trainer
trainer="trainer ranks sizes options picture source columns ahead rows set scale split metrics curve log best course checkpoint accumulate train scatter assess boundary finder results runs predict commands ngrt_pool"
# The sources of these names, in whichever room of the runtime they are.
sources() { for f; do ls "$rt/$f.c" "$rt"/*/"$f.c" 2>/dev/null; done; }

# Is it the next program's turn in this run?
due() {
    turn=$((turn + 1))
    in_share $ways $((turn + step * way))
}

# build_run NAME COMPILER FLAGS... FILES...: builds one program and runs it.
build_run() {
    name=$1
    shift
    if try "$@" -o "$out/$name" -lm; then
        cd "$out" && try ${COVERAGE:+env -u CHECK_LONG} "./$name" && cat "$out/log"
        cd "$here" || exit 3
    fi
}

# objects_of NAME...: sets $objects to the sanitized objects of these sources, each compiled once
# for all programs of a compiler. file_z is file with zlib.
objects_of() {
    objects=
    for f; do
        object=$out/$cc.$f.o flags=
        [ "$f" = file_z ] && f=file flags=-DNGRT_ZLIB
        [ -e "$object" ] || try "$cc" $opt $plain $flags -c "$(sources "$f")" -o "$object"
        objects="$objects $object"
    done
}

# has COMPILER LIBRARY HEADER: can a program be built with it?
has() {
    printf '#include <%s>\nint main(void) { return 0; }\n' "$3" >"$out/has.c"
    "$1" "$out/has.c" -o "$out/has" "$2" 2>"$out/log"
}

# A text for float and double names neither type in its sections, nor has numbers of one.
for file in "$rt"/ngrt_*_real.h; do
    sed '/^\/\*@ end:/,$d' "$file" | sed '1,/^\/\*@/d' |
        grep -n -w -E 'float|double|[0-9.]+f' >"$out/types"
    try test ! -s "$out/types" || { echo "$file is for one type:"; cat "$out/types"; }
done

# take FILE NAME: prints the section of that name, and before it the sections it needs, in the order
# of the file.
take() {
    awk -v want="$2" '
        { line[NR] = $0 }
        /^\/\*@ / { name = $2; sub(":", "", name); if (name != "end") { order[++count] = name; at[name] = NR }
                   for (i = 3; i < NF; i++) needs[name] = needs[name] " " $i }
        { section[NR] = name }
        function mark(name, part, i, n) { if (!(name in at)) { print "#error no section " name; return }
            taken[name] = 1; n = split(needs[name], part, " "); for (i = 1; i <= n; i++) mark(part[i]) }
        END { mark(want); for (i = 1; i <= NR; i++) if (section[i] in taken) print line[i] }' "$1"
}

# Every section compiles with only the sections that its first line names, for each type; and all of
# them together, so that no two have the same names. In a run, the compilers take sections in turn.
check_section() {
    turn=$((turn + 1))
    in_share 2 $((turn + number)) || return 0
    { printf "$heads"; take "$2" "$3"; echo 'typedef int not_empty;'; } >"$out/section.c"
    try "$1" $strict $4 -Wno-unused-function -Wno-unused-const-variable -fsyntax-only \
        "$out/section.c" || echo "section $3 of $2"
}

check_sections() {
    turn=0
    : >"$out/texts"
    heads='#include <math.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <string.h>\n#define NGRT_FN static\n'
    # these may need sections of those before them
    for file in ngrt_math.h ngrt_float.h ngrt_double.h ngrt_vector.h ngrt_small.h ngrt_random.c; do
        cat "$rt/$file" >>"$out/texts"
        for name in $(sed -n 's/^\/\*@ \([a-z_0-9]*\):.*/\1/p' "$rt/$file"); do
            [ "$name" = end ] || check_section "$1" "$out/texts" "$name" ""
        done
    done
    for file in "$rt"/ngrt_*_real.h; do
        sed '/^\/\*@ end:/,$d' "$file" | sed -n '/^\/\*@/,$p'
    done >"$out/texts"
    for type in "-Dreal=float -Dreal_log=logf -Dreal_sqrt=sqrtf -Dreal_key=uint32_t" \
        "-Dreal=double -Dreal_log=log -Dreal_sqrt=sqrt -Dreal_key=uint64_t"; do
        for name in $(sed -n 's/^\/\*@ \([a-z_0-9]*\):.*/\1/p' "$out/texts"); do
            check_section "$1" "$out/texts" "$name" "$type"
        done
        { printf "$heads"; cat "$out/texts"; } >"$out/all.c"
        try "$1" $strict $type -Wno-unused-function -fsyntax-only "$out/all.c" ||
            echo "all sections together, $type"
    done
}

# the flags of each file, in turn
compile() {
    turn=$((turn + 1))
    in_share 3 $((turn + number)) && try "$@"
}

number=0
for cc in ${*:-gcc clang}; do
    command -v "$cc" >/dev/null || continue
    turn=0
    for f in ngrt_sgemm ngrt_dgemm ngrt_sconv ngrt_dconv ngrt_slinear ngrt_dlinear ngrt_order \
        ngrt_random ngrt_error; do
        compile "$cc" $strict -O2 -c "$rt/$f.c" -o "$out/$f.o"
    done
    zlib=
    if has "$cc" -lz zlib.h; then zlib="-DNGRT_ZLIB -lz"; fi
    for f in $files $trainer; do
        compile "$cc" $posix -O2 -c "$(sources "$f")" -o "$out/$f.o"
    done
    if [ "$zlib" ]; then
        compile "$cc" $posix -DNGRT_ZLIB -O2 -c "$(sources file)" -o "$out/file.o"
    fi
    group "$cc: warnings"
    check_sections "$cc"
    group "$cc: sections"
    for f in ngrt.h ngrt_small.h ngrt_host.h; do
        printf '#include "%s"\nint main() { return 0; }\n' $f >"$out/header.cc"
        try "$cc" -x c++ -std=c++98 -pedantic -Wall -Wextra -Wconversion -Werror -I"$rt" \
            -fsyntax-only "$out/header.cc"
    done
    mkdir -p "$out/avx2" "$out/plain" \
        "$out/scalar" # for older processors, and for compilers without vectors
    for name in gemm conv; do
        sed 's/__builtin_cpu_supports("avx512f")/0/' "$rt/ngrt_${name}_real.h" \
            >"$out/avx2/ngrt_${name}_real.h"
        sed 's/__builtin_cpu_supports("[a-z0-9]*")/0/' "$rt/ngrt_${name}_real.h" \
            >"$out/plain/ngrt_${name}_real.h"
        sed 's/__GNUC__/NGRT_NONE/' "$rt/ngrt_${name}_real.h" >"$out/scalar/ngrt_${name}_real.h"
        cp "$rt/ngrt_s$name.c" "$rt/ngrt_d$name.c" "$out/scalar"
        cp "$rt/ngrt_s$name.c" "$rt/ngrt_d$name.c" "$out/avx2"
        cp "$rt/ngrt_s$name.c" "$rt/ngrt_d$name.c" "$out/plain"
    done
    way=$((2 * number))
    for opt in "-std=c99 -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined" \
        "-std=gnu11 -O3 -march=native"; do
        case ${COVERAGE:+$opt} in *sanitize*) continue ;; esac
        turn=0
        ways=4 step=7
        due && build_run math "$cc" $opt $plain "$here/math.c" "$rt/ngrt_error.c"
        due && build_run functions "$cc" $opt $plain "$here/functions.c"
        due && build_run random "$cc" $opt $plain "$here/random.c"
        due && build_run order "$cc" $opt $plain "$here/order.c" "$rt/ngrt_order.c"
        due && build_run order "$cc" $opt $plain -U__unix__ "$here/order.c" "$rt/ngrt_order.c"
        due && build_run linear "$cc" $opt $plain -DNGRT_PLAIN "$here/linear.c" \
            $(sources ngrt_slinear ngrt_dlinear)
        ways=32 step=8
        for name in gemm conv; do
            for part in "$rt" "$out/avx2" "$out/plain" "$out/scalar"; do
                due && build_run $name "$cc" $opt $plain -Wno-unused-function "$here/$name.c" \
                    "$part/ngrt_s$name.c" "$part/ngrt_d$name.c"
            done
        done
        way=$((way + 1))
    done
    group "$cc: products, convolutions, functions"
    way=0 ways=3 step=0 turn=$number
    # with the optimizer, clang takes six times as long, and gcc twice
    opt="-std=c11 -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 -O0 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined"
    due && objects_of $files && build_run data "$cc" $opt $plain "$here/data.c" $objects
    zipped=$files
    [ "$zlib" ] && zipped=$(echo $files | sed 's/\<file\>/file_z/')
    [ "$zlib" ] && due && objects_of $zipped &&
        build_run data "$cc" $opt $plain "$here/data.c" $objects $zlib
    due && objects_of $zipped && build_run weights "$cc" $opt $plain $(fault_wraps) \
        "$here/weights.c" "$top/tests/faults/wrap.c" $objects $zlib
    due && objects_of $files $trainer ngrt_random ngrt_error &&
        build_run train "$cc" $opt $plain $(fault_wraps) "$here/train.c" \
        "$top/tests/faults/wrap.c" \
            $objects
    if has "$cc" -lopenblas cblas.h; then
        due && build_run gemm "$cc" -std=c99 -O2 $plain -DNGRT_CBLAS "$here/gemm.c" \
            $(sources ngrt_sgemm ngrt_dgemm) -lopenblas
        due && build_run linear "$cc" -std=c99 -O2 $plain -DNGRT_CBLAS "$here/linear.c" \
            $(sources ngrt_sgemm ngrt_dgemm ngrt_slinear ngrt_dlinear) -lopenblas
    fi
    group "$cc: files, weights, trainer"
    number=$((number + 1))
done

# For 64-bit ARM, by an emulator, which takes long: only in check-long.
if [ "$CHECK_LONG" ] && ! [ "${COVERAGE-}" ] && command -v aarch64-linux-gnu-gcc >/dev/null &&
    command -v qemu-aarch64 >/dev/null; then
    for name in math functions gemm conv; do
        case $name in
        math) parts=$rt/ngrt_error.c ;;
        functions) parts= ;;
        *) parts="$rt/ngrt_s$name.c $rt/ngrt_d$name.c" ;;
        esac
        try aarch64-linux-gnu-gcc -std=c99 -O2 -static $plain "$here/$name.c" $parts \
            -o "$out/$name" -lm &&
            try qemu-aarch64 "$out/$name" && cat "$out/log"
    done
    group "ARM"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
