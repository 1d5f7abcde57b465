#!/bin/sh
# build.sh - functions that build the targets of the fuzzers; campaign.sh and run.sh source it. An
# engine is one of
#
#   libfuzzer   by clang, with the sanitizers
#   afl         by AFL++, without them
#   replay      by cc, with the objects of the build: programs that read the files named

targets="parse model command data onnx train"

# The compiler of an engine, its flags for objects, and its flags for a target.
choose_engine() {
    pieces=-DNGRT_PIECE=64 # small files have many pieces, too
    sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
    case $1 in
    libfuzzer) # counters only: comparisons that are traced, too, take four times as long
        fuzz_cc=${CLANG:-clang} \
            fuzz_flags="-O1 -g $pieces $sanitizers -fsanitize-coverage=inline-8bit-counters,pc-table" \
            fuzz_link="-fsanitize=fuzzer" ;;
    afl) fuzz_cc=afl-clang-fast fuzz_flags="-O2 -g $pieces" fuzz_link="-fsanitize=fuzzer" ;;
    replay) fuzz_cc=${CC:-cc} fuzz_flags="-O1 -g" fuzz_link=-DREPLAY ;;
    *)
        echo "build.sh: there is no engine '$1'" >&2
        return 2
        ;;
    esac
}

# build_objects ENGINE OUT: ngc and the runtime, compiled for the engine, in $objects
build_objects() {
    objects=$2/$1
    if [ "$1" = replay ]; then
        objects=${BUILD:-build}
    else
        make -s B="$objects" CC="$fuzz_cc" CFLAGS="$fuzz_flags" MPI=0 BLAS=builtin all || return 1
    fi
    onnx=$(nm "$objects/libngc.a" 2>/dev/null | grep -q protobuf_c_message_unpack &&
        echo -lprotobuf-c)
    fuzz_libs="$onnx $(nm "$objects/file.zlib" 2>/dev/null | grep -q 'U inflate' &&
        echo -lz) -lm -lpthread"
    [ "$onnx" ] || targets="parse model data train"
}

# build_target ENGINE OUT TARGET: the program $2/TARGET.ENGINE
build_target() {
    more='' libs="$objects/file.zlib $objects/libngc.a"
    case $3 in
    data) libs=$objects/libngrt.a ;;
    command)
        # shellcheck disable=SC2086
        $fuzz_cc $fuzz_flags $fuzz_std -Dmain=ngc_main -c compiler/tool/main.c \
            -o "$2/main.$1.o" || return 1
        more="$2/main.$1.o -Wl,--wrap=model_compile"
        ;;
    train)
        "$objects/ngc" examples/iris.ng --prefix=m -o "$2/iris.c" || return 1
        more=$2/iris.c libs=$objects/libngrt.a
        nm "$objects/libngrt.a" 2>/dev/null | grep -q 'U cblas_sgemm' && libs="$libs -lopenblas"
        ;;
    esac
    # shellcheck disable=SC2086
    $fuzz_cc $fuzz_flags $fuzz_std -I"$objects" -Iruntime $fuzz_link tests/fuzz/targets/$3.c \
        tests/fuzz/targets/guard.c tests/fuzz/targets/files.c $more $libs $fuzz_libs -o "$2/$3.$1"
}

fuzz_std="-std=c11 -D_GNU_SOURCE -w -Icompiler"
