# hosts.sh - programs that use models: Python from the manifest, other compilers and word sizes,
# what the objects export; a part of run.sh.
mkdir "$dir/hosts" && cd "$dir/hosts" || exit 2
cp "$top"/examples/embed/*.* .
ok "line.c" "$ngc" --standalone --manifest line.ng -o line.c
ok "gate.c" "$ngc" --standalone --manifest gate.ng -o gate.c
# numbers have a point also in a program whose locale has a comma
if have localedef && mkdir locales && localedef -i de_DE -f UTF-8 locales/de_DE.UTF-8 2>"$dir/got"; then
    cat >comma.c <<'END'
#include <locale.h>
#include "ngrt_host.h"
#include "line.h"
int main(int argc, char **argv)
{
    if (!setlocale(LC_ALL, "de_DE.UTF-8"))
        return 9;
    int status = ngrt_train_main(&line_model, argc, argv);
    return status ? status : localeconv()->decimal_point[0] != ',';
}
END
    printf '0.5,1.25\n1.5,2.25\n2.5,3.5\n' >comma.csv
    # shellcheck disable=SC2086
    ok "comma.c" cc -std=gnu11 -I"$top/runtime" comma.c line.c \
        $(runtime_libs "$(dirname "$ngc")") -lz -lpthread -o comma
    ok "a locale with commas" env LOCPATH="$PWD/locales" ./comma --data comma.csv --batch 1 \
        --epochs 2 --log comma.log --val comma.csv
    [ "$(sed -n '2s/[^,]//gp' comma.log)" = "$(sed -n '1s/[^,]//gp' comma.log)" ] && good ||
        bad "$(head -2 comma.log)"
fi
if have python3; then
    ok "libline.so" cc -shared -fPIC line.c -lm -o libline.so
    says 0 '^line: 2.00 x + 1.00' python3 host.py ./libline.so line.json
    grep -q 'u: \[-1.0, 1.0, 3.0, 5.0\]' "$dir/got" && good || bad "Python: outputs"
    if python3 -c 'import numpy' 2>/dev/null ||
        { [ -x /usr/bin/python3 ] && /usr/bin/python3 -c 'import numpy' 2>/dev/null; }; then
        python=python3
        python3 -c 'import numpy' 2>/dev/null || python=/usr/bin/python3
        cat >gate_host.py <<'PY'
import numpy
from host import Model
gate = Model("./libgate.so", "gate.json")
gate.call("init", 1)
x = numpy.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float64")
gate.set("x", x)
gate.set("t", numpy.array([0, 1, 1, 0], "float32"))
for _ in range(300):
    gate.call("step")
gate.call("predict")
assert (gate.array("p").round() == [0, 1, 1, 0]).all(), gate.array("p")
gate.set("h.dense.W", numpy.zeros((8, 2)))
assert (gate.array("h.dense.W") == 0).all()
gate.call("predict")
assert numpy.ptp(gate.array("p")) == 0
PY
        ok "libgate.so" cc -shared -fPIC gate.c -lm -o libgate.so
        ok "arrays of NumPy" $python gate_host.py
        says 0 'NumPy: \[-1. *1. *3. *5.\]' $python host.py ./libline.so line.json
    else
        echo "embed: no NumPy here: its check is left out"
    fi
fi
# two models in two threads: standalone, from C and C++
ok "main.c" cc -std=c99 -O2 -D_POSIX_C_SOURCE=200809L main.c gate.c line.c -o program -lm -lpthread
[ "$(./program)" = "$expected" ] && good || bad "main.c: $(./program)"
if cc -fsanitize=thread -x c -o "$dir/tsan" - 2>/dev/null <<'C'
int main(void) { return 0; }
C
then
    ok "main.c for the thread sanitizer" cc -std=c99 -g -O1 -fsanitize=thread \
        -D_POSIX_C_SOURCE=200809L main.c gate.c line.c -o tsan -lm -lpthread
    says 0 '^xor: 0 1 1 0' setarch -R ./tsan
fi
for std in c++98 c++20; do
    printf '#include "gate.h"\n#include "line.h"\nint main() { return gate_model.version != NGRT_MODEL_VERSION; }\n' >std.cc
    ok "$std" c++ -std=$std -Wall -Wextra -Werror -pedantic -Wno-long-long -c std.cc -o std.o
done
cc -c gate.c line.c
nm -g --defined-only gate.o | awk '{ print $3 }' | grep -v '^gate_' >"$dir/got" &&
    bad "names without the prefix" || good
size -A gate.o line.o | awk '$1 ~ /^\.(data|bss)$/ && $2 > 0' >"$dir/got"
[ -s "$dir/got" ] && bad "writable data" || good
nm -u gate.o line.o | grep -E 'malloc|calloc|free|printf|exit|abort' >"$dir/got" &&
    bad "calls of the system" || good

# a program that does not use the host part does not link it
printf '#include "lone.h"\nstatic lone_params p; static lone_state s; static lone_work w;\nint main(void) { lone_inputs in = LONE_INPUTS; lone_init(&p, &s, 1); return lone_predict(&p, &in, &w) == 7; }\n' >alone.c
ok "lone.c" "$ngc" gate.ng -o lone.c --prefix=lone
ok "alone.c" cc -I"$top/runtime" alone.c lone.c "$(dirname "$ngc")/libngrt.a" -lopenblas -lm \
    -o alone
nm -u alone | grep -E ' (open|fopen|fopen64|rename|malloc|realloc|sigaction|inflate)(@|$)' \
    >"$dir/got" && bad "the host part was linked" || good
nm alone | grep -E 'ngrt_(weights|data|train|file)' >"$dir/got" &&
    bad "the host part was linked" || good

# ---- other compilers, other word sizes ----
for compiler in "clang -std=c99" "tcc" "gcc -m32 -std=c99" "gcc -std=c99 -O3 -flto"; do
    have "${compiler%% *}" || continue
    if [ "$compiler" = "gcc -m32 -std=c99" ] &&
        ! printf '#include <stdio.h>\nint main(void) { return 0; }\n' |
            gcc -m32 -x c -o m32 - 2>/dev/null; then
        echo "embed: gcc has no -m32 here: its check is left out"
        continue
    fi
    if [ "$compiler" = "gcc -m32 -std=c99" ]; then # its floats are wider between operations, and its C has products of a row
        ok "lenet.c" "$ngc" --standalone "$top/examples/lenet.ng" -o lenet.c
        ok "lenet.c by $compiler" $compiler -fsyntax-only lenet.c
        for level in -O1 -O3; do # with the optimizer, static functions have conventions of their own
            ok "gate.c by $compiler $level" $compiler $level -c gate.c -o gate.o
        done
    fi
    # shellcheck disable=SC2086
    ok "$compiler" $compiler -D_POSIX_C_SOURCE=200809L main.c gate.c line.c -o program -lm -lpthread
    by=
    [ "$compiler" != "gcc -m32 -std=c99" ] || ./m32 2>/dev/null ||
        by=qemu-i386 # not every kernel runs programs of 32 bits
    [ "$($by ./program)" = "$expected" ] && good || bad "$compiler: $($by ./program)"
done

# an ngc that another compiler built writes the same bytes, and makes the same nodes in the same
# order
if [ "$by_clang" != none ] && have clang; then
    if [ -z "$by_clang" ]; then # without the part install
        by_clang=$dir/clang/ngc
        ok "ngc by clang" make -C "$top" CC=clang CFLAGS=-O0 B="$dir/clang" "$by_clang"
    fi
    number=0
    for model in "$top"/examples/*.ng "$top"/tests/emit/models/*.ng; do # a run does one in three: suite.sh
        number=$((number + 1))
        in_share 3 $number || continue
        "$ngc" -d ls "$model" -o - >ours.c 2>ours
        "$by_clang" -d ls "$model" -o - >theirs.c 2>theirs
        cmp -s ours theirs && cmp -s ours.c theirs.c && good ||
            bad "$model: gcc's ngc and clang's differ"
    done
fi
