# cross.sh - the runtime built for other machines, as its README says, and a program with it; a part
# of run.sh. A run does one of the three.
mkdir "$dir/cross" && cp -R "$top/examples/embed" "$dir/cross" && cd "$dir/cross/embed" || exit 2
for model in gate line; do ok "$model.c" "$ngc" $model.ng -o $model.c; done
# archive DIRECTORY ARGUMENT...: builds it
archive() {
    name=$1
    shift
    ok "the runtime for $name" make -C "$top" B="$PWD/$name" "$@" "$PWD/$name/libngrt.a"
}
if in_share 3 1 && have arm-none-eabi-gcc && have qemu-system-arm; then
    flags="-Os -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16"
    archive m4 CC=arm-none-eabi-gcc AR=arm-none-eabi-ar HOST=0 BLAS=builtin CFLAGS="$flags"
    limit 10 true # builds it
    cp gate.c gate.h firmware && cd firmware || exit 2
    # shellcheck disable=SC2086
    ok "learn.c with the runtime" arm-none-eabi-gcc $flags --specs=nano.specs -nostartfiles \
        -T device.ld -I"$top/runtime" learn.c gate.c device.c ../m4/libngrt.a -lm -o learn.elf
    says 0 '^xor: 0.000[0-9] 0.99[0-9]* 0.99[0-9]* 0.00' "$dir/limit" 60 qemu-system-arm \
        -M mps2-an386 -nographic -monitor none -serial none \
        -semihosting-config enable=on,target=native -kernel learn.elf
    cd ..
fi
if in_share 3 2 && have aarch64-linux-gnu-gcc && have qemu-aarch64; then
    archive arm64 CC=aarch64-linux-gnu-gcc AR=aarch64-linux-gnu-ar CFLAGS=-O0
    ok "main.c for arm64" aarch64-linux-gnu-gcc -std=c99 -O1 -D_POSIX_C_SOURCE=200809L \
        -I"$top/runtime" main.c gate.c line.c arm64/libngrt.a -lm -lpthread -o program
    [ "$(qemu-aarch64 -L /usr/aarch64-linux-gnu ./program)" = "$expected" ] && good ||
        bad "main.c for arm64"
fi
if in_share 3 3 && have x86_64-w64-mingw32-gcc; then
    archive win CC=x86_64-w64-mingw32-gcc AR=x86_64-w64-mingw32-ar HOST=0 CFLAGS=-O0
    printf '#include "line.h"\nint main(void) { static line_all line; line_all_init(&line, 1); line.inputs.n = 0; return line_all_predict(&line) != NGRT_ESIZE; }\n' >small.c
    ok "a program for Windows" x86_64-w64-mingw32-gcc -O1 -I"$top/runtime" small.c line.c \
        win/libngrt.a -lm -o small.exe
    if have wine64; then WINEPREFIX=$PWD/wine WINEDEBUG=-all says 0 '' wine64 ./small.exe; fi
fi
