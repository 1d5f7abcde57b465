#!/bin/sh
# install.sh - makes sure that this machine has what a goal of make needs: `sh tests/install.sh
# demo|check|long|bench|fuzz`. Installs missing packages if it can (Debian's apt-get, as root or by
# sudo). Otherwise it prints the command and fails.
set -u

need=
want() { # want PACKAGE TEST...: the package is missing if the test fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || need="$need $package"
}
header() { # header NAME [-lLIBRARY]
    printf '#include <%s>\nint main(void) { return 0; }\n' "$1" | cc -x c - -o /dev/null ${2:+"$2"}
}
sanitizers() {
    echo 'int main(void) { return 0; }' | clang -x c -fsanitize=address,undefined - -o /dev/null
}

word32() { # on x86_64, gcc can also compile for 32 bits
    [ "$(uname -m)" != x86_64 ] || { echo '#include <stdio.h>' | cc -m32 -E -; }
}

wasm() { # clang compiles and links for WebAssembly
    echo 'int main(void) { return 0; }' | clang --target=wasm32-wasi -x c - -o /dev/null
}

device() { # a microcontroller's C library
    echo '#include <math.h>' | arm-none-eabi-gcc --specs=nano.specs -x c -E -
}

want gcc command -v cc
want libc6-dev header stdio.h
want flex command -v flex
want bison command -v bison
want libopenblas-dev header cblas.h -lopenblas
want zlib1g-dev header zlib.h -lz
want dataset-fashion-mnist test -e /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
case ${1:-demo} in
check | long)
    want clang command -v clang
    want clang-format-14 command -v clang-format-14
    want graphviz command -v dot
    want chromium command -v chromium
    want libclang-rt-dev sanitizers
    want lld command -v wasm-ld
    want wasi-libc test -d /usr/include/wasm32-wasi
    want "libclang-rt-$(clang -dumpversion 2>/dev/null | sed 's/\..*//; s/^$/14/')-dev-wasm32" wasm
    want nodejs command -v node
    want npm command -v npm
    want firefox-esr command -v firefox-esr
    want g++ command -v g++
    want tcc command -v tcc
    # not gcc-multilib, which Debian does not install beside a compiler for another processor
    want "gcc-$(gcc -dumpversion 2>/dev/null | sed 's/\..*//; s/^$/12/')-multilib" word32
    want cmake command -v cmake
    want ninja-build command -v ninja
    want meson command -v meson
    want pkg-config command -v pkg-config
    want dpkg-dev command -v dpkg-buildpackage
    want man-db command -v man
    want zsh command -v zsh
    want fish command -v fish
    want gcc-arm-none-eabi command -v arm-none-eabi-gcc
    want libnewlib-arm-none-eabi device
    want qemu-system-arm command -v qemu-system-arm
    [ "$(uname -m)" != x86_64 ] || want qemu-user command -v qemu-i386
    want libopenmpi-dev command -v mpicc
    want openmpi-bin command -v mpirun
    [ "$(uname -m)" != x86_64 ] || want gcc-aarch64-linux-gnu command -v aarch64-linux-gnu-gcc
    [ "$(uname -m)" != x86_64 ] || want libc6-dev-arm64-cross test \
        -e /usr/aarch64-linux-gnu/lib/libm.a
    want libprotobuf-c-dev header protobuf-c/protobuf-c.h -lprotobuf-c
    want protobuf-c-compiler command -v protoc-c
    want libonnx-testdata test -d /usr/share/libonnx-testdata
    want python3-onnx /usr/bin/python3 -c 'import onnx'
    want python3-torch /usr/bin/python3 -c 'import torch'
    want python3-torchvision /usr/bin/python3 -c 'import torchvision'
    want python3 command -v python3
    want python3-numpy /usr/bin/python3 -c 'import numpy'
    ;;
esac
if [ "${1:-demo}" = long ] && [ "$(uname -m)" = x86_64 ]; then # tests/random/targets.sh
    for version in 11 12; do want gcc-$version command -v gcc-$version; done
    for version in 13 14 15 16 19; do want clang-$version command -v clang-$version; done
    want gcc-arm-linux-gnueabihf command -v arm-linux-gnueabihf-gcc
    want gcc-riscv64-linux-gnu command -v riscv64-linux-gnu-gcc
    want gcc-s390x-linux-gnu command -v s390x-linux-gnu-gcc
    want libc6-dev-armhf-cross test -e /usr/arm-linux-gnueabihf/lib/libm.a
    want libc6-dev-riscv64-cross test -e /usr/riscv64-linux-gnu/lib/libm.a
    want libc6-dev-s390x-cross test -e /usr/s390x-linux-gnu/lib/libm.a
    want gcc-mingw-w64-x86-64 command -v x86_64-w64-mingw32-gcc
    want wine64 test -e /usr/lib/wine/wine64
    want wine command -v wine
fi
if [ "${1:-demo}" = bench ]; then
    want python3-numpy /usr/bin/python3 -c 'import numpy'
    want python3-torch /usr/bin/python3 -c 'import torch'
    want python3-sklearn /usr/bin/python3 -c 'import sklearn'
fi
if [ "${1:-demo}" = fuzz ]; then # tests/fuzz/campaign.sh
    want clang command -v clang
    want libclang-rt-dev sanitizers
    want afl++ command -v afl-clang-fast
    want libprotobuf-c-dev header protobuf-c/protobuf-c.h -lprotobuf-c
    want protobuf-c-compiler command -v protoc-c
    want libonnx-testdata test -d /usr/share/libonnx-testdata
    want python3-numpy /usr/bin/python3 -c 'import numpy'
fi
[ -n "$need" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "install.sh: missing:$need (these are the names of Debian's packages)" >&2
    exit 1
fi
root=
if [ "$(id -u)" != 0 ]; then
    root="sudo -n"
    if ! $root true 2>/dev/null; then
        echo "install.sh: some packages are missing; this command installs them:" >&2
        echo "    sudo apt-get install$need" >&2
        exit 1
    fi
fi
echo "installing$need" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# shellcheck disable=SC2086
if $root apt-get update >"$log" 2>&1 &&
    $root apt-get install -y --no-install-recommends $need >>"$log" 2>&1; then
    rm -f "$log"
    exit 0
fi
tail -20 "$log" >&2
rm -f "$log"
echo "install.sh: apt-get could not install$need" >&2
exit 1
