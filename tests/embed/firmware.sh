# firmware.sh - examples/embed/firmware on a Cortex-M4 in qemu: training on the device, and a
# trained network with its weights in flash, give the same output there as here; flash and RAM; a
# part of run.sh.
mkdir "$dir/firmware" && cp -R "$top/examples/embed" "$dir/firmware" &&
    cp "$top/examples/lenet.ng" "$dir/firmware" && cd "$dir/firmware/embed/firmware" || exit 2
if have arm-none-eabi-gcc && have qemu-system-arm; then
    # 64 images in files of their own
    data=$(sh "$top/tests/data.sh" fashion)
    { printf '\0\0\10\3\0\0\0\100\0\0\0\34\0\0\0\34' && gzip -dc "$data/t10k-images-idx3-ubyte.gz" | tail -c +17 | head -c $((64*784)); } >images
    { printf '\0\0\10\1\0\0\0\100' && gzip -dc "$data/t10k-labels-idx1-ubyte.gz" | tail -c +9 | head -c 64; } >labels
    ok "train LeNet a little" "$ngc" train ../../lenet.ng --data x=images,t=labels --epochs 8 \
        --quiet --save net.st

    cat >host.c <<'C'
#include "device.h"
#include <stdio.h>

void say(const char *text) { fputs(text, stdout); }
void say_number(double value) { printf("%.4f", value); }
C
    limit 10 true # builds it
    for program in learn see tune; do
        ok "make $program" make "$program" NGC="$ngc" \
            CFLAGS='-Os -Wall -Wextra -Werror -ffunction-sections -fdata-sections' \
            QEMU='$(LIMIT) $(QEMU_ALONE)' LIMIT="$dir/limit 60" \
            QEMU_ALONE="$(sed -n 's/^QEMU *= *//p' Makefile)"
        grep -v '^arm\|/limit \|ngc \|^{\|sed\|^make' "$dir/got" >"$program.said"
        case $program in learn) model=gate ;; see) model=net ;; tune) model=head ;; esac
        ok "$program here" cc -std=c99 "$program.c" host.c "$model.c" -lm -o "$program"
        ./"$program" >"$program.here"
        [ -s "$program.here" ] && cmp "$program.here" "$program.said" && good ||
            bad "$program on the device: $(cat "$program.said"), here: $(cat "$program.here")"
    done
    grep -q '^xor: 0.000[0-9] 0.99[0-9]* 0.99[0-9]* 0.00' learn.said && good ||
        bad "the device did not learn: $(cat learn.said)"
    ok "make size" make -s size
    cat "$dir/got"
    # LeNet whose last layer learns there: at most 16 KB of RAM more than predict needs, for params,
    # optimizer and workspace
    ram() { sed -n "s/^$1.elf:.*RAM \([0-9]*\) bytes.*/\1/p" "$dir/got"; }
    static_see=$(ram see) static_tune=$(ram tune)
    cp "$dir/got" sizes
    rm -f *.o *.elf
    for program in see tune; do
        make -s "$program" NGC="$ngc" CFLAGS='-Os -DSTACK -ffunction-sections -fdata-sections' \
            QEMU='$(LIMIT) $(QEMU_ALONE)' LIMIT="$dir/limit 60" \
            QEMU_ALONE="$(sed -n 's/^QEMU *= *//p' Makefile)" >"$program.stack" 2>&1
    done
    stack() { sed -n 's/^stack: \([0-9]*\).*/\1/p' "$1.stack"; }
    more=$((static_tune + $(stack tune) - static_see - $(stack see)))
    echo "LeNet on the device: RAM of predict $static_see bytes and $(stack see) of stack; with steps of its last layer $static_tune and $(stack tune), $more more"
    [ "$(stack see)" -lt 32768 ] && good || bad "the stack of predict: $(stack see)"
    cp sizes "$dir/got"
    [ "$more" -gt 0 ] && [ "$more" -le 16384 ] && good ||
        bad "a step of the last layer takes $more bytes of RAM more than predict"
    awk '$1 == "loss:" { exit !($4 < 0.7*$2) }' tune.said && good ||
        bad "the last layer did not learn on the device: $(cat tune.said)"
    # LeNet's predict: below 100 KB of flash besides its weights, and in RAM only the workspace that
    # --report describes
    report=$("$ngc" --report -D m=1 --weights=net.st ../../lenet.ng |
        sed -n 's/^bytes of work.*4 bytes: \([0-9]*\)).*/\1/p')
    set -- $(sed -n 's/^see.elf: flash \([0-9]*\) bytes besides \([0-9]*\) of weights; RAM \([0-9]*\) bytes, workspace \([0-9]*\)$/\1 \2 \3 \4/p' "$dir/got")
    [ $# = 4 ] && [ "$1" -lt 100000 ] && [ "$2" = 246824 ] && [ "$3" = "$4" ] &&
        [ "$3" = "$report" ] && good || bad "flash, weights, RAM, workspace: $*; reported: $report"
fi
cd "$dir" || exit 2
