# weights.sh - models frozen into their C by --weights, from memory and from safetensors; a part of
# run.sh.
mkdir "$dir/weights" && cd "$dir/weights" || exit 2
cp "$top"/examples/embed/*.ng .
cat >learn.c <<'C'
#include <stdio.h>
#include "gate.h"

int main(int argc, char **argv)
{
    static const REAL x[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, t[4] = {0, 1, 1, 0};
    static gate_params p;
    static gate_state s;
    static gate_work w;
    gate_inputs in = GATE_INPUTS;
    FILE *f = argc > 1 ? fopen(argv[1], "wb") : NULL;
    in.x = x[0];
    in.t = t;
    gate_init(&p, &s, 1);
    for (int i = 0; i < 300; i++)
        gate_step(&p, &s, &in, &w);
    gate_predict(&p, &in, &w);
    printf("%a %a %a %a\n", w.p[0], w.p[1], w.p[2], w.p[3]);
    return !f || fwrite(&p, sizeof p, 1, f) != 1 || fclose(f);
}
C
cat >use.c <<'C'
#include <stdio.h>
#include "frozen.h"

int main(void)
{
    static const REAL x[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    static frozen_work w;
    frozen_inputs in = FROZEN_INPUTS;
    in.x = x[0];
    if (frozen_predict(&frozen_weights, &in, &w))
        return 1;
    printf("%a %a %a %a\n", w.p[0], w.p[1], w.p[2], w.p[3]);
    return 0;
}
C
for real in float double; do
    for level in 0 2; do # each level against itself, because -O0 adds up in another order
        ok "gate.c" "$ngc" --standalone -O$level --real=$real gate.ng -o gate.c
        ok "learn.c" cc -std=c99 -O1 -DREAL=$real learn.c gate.c -lm -o learn
        ./learn gate.raw >want.txt || bad "learn"
        ok "--weights -O$level" "$ngc" --standalone -O$level --real=$real --prefix=frozen \
            --weights=gate.raw -MD gate.ng -o frozen.c
        ok "use.c" cc -std=c99 -O1 -Wall -Wextra -Werror -DREAL=$real use.c frozen.c -lm -o use
        ./use >got.txt && cmp -s want.txt got.txt && good ||
            bad "$real -O$level: frozen $(cat got.txt), not $(cat want.txt)"
    done
    grep -q gate.raw frozen.d && good || bad "the rule has no weights"
    cc -std=c99 -c frozen.c && nm --defined-only -g frozen.o |
        grep -E 'step|backward|init|eval' >"$dir/got" && bad "more than predict" || good
done
says 3 'neither safetensors nor' "$ngc" --weights=gate.ng gate.ng -o no.c
says 3 'No such file' "$ngc" --weights=nowhere gate.ng -o no.c
says 2 'with an output' "$ngc" --weights=gate.raw -e 'J = a*a' -o no.c
[ -e no.c ] && bad "no.c was written" || good

if have python3; then
    ok "gate.c" "$ngc" --standalone gate.ng -o gate.c
    ok "learn.c" cc -std=c99 -DREAL=float learn.c gate.c -lm -o learn
    ./learn gate.raw >want.txt || bad "learn"
    cat >pack.py <<'PY'
"""The memory of gate_params as safetensors, under ngc's names and PyTorch's; and damaged ones, which must be refused."""
import json, random, struct
raw = open("gate.raw", "rb").read()
shapes = {"h.dense.W": [8, 2], "h.dense.b": [8], "z.W": [1, 8], "z.b": [1]}
def pack(path, kind, names=lambda n: n):
    head, data, at = {"__metadata__": {"a \\\"}": "{[b"}}, b"", 0
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        values = struct.unpack_from("<%df" % count, raw, at)
        at += 4 * count
        piece = struct.pack("<%d%s" % (count, "f" if kind == "F32" else "d"), *values)
        head[names(name)] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(piece)]}
        data += piece
    text = json.dumps(head).encode()
    file = struct.pack("<Q", len(text)) + text + data
    open(path, "wb").write(file)
    return file, len(text)
file, n = pack("plain.st", "F32")
pack("double.st", "F64")
pack("torch.st", "F32", lambda n: n.replace(".W", ".weight").replace(".b", ".bias"))
random.seed(1)
for i in range(60):
    bad = bytearray(file[: random.randrange(len(file))] if i % 2 else file)
    for _ in range(random.randrange(1, 4)):
        if bad:
            bad[random.randrange(min(len(bad), n + 8))] = random.choice(b'{}[]",:0123456789x\0\xff')
    open("bad%d.st" % i, "wb").write(bad)
PY
    ok "pack.py" python3 pack.py
    "$ngc" --standalone --weights=gate.raw gate.ng -o raw.c --prefix=frozen --header=frozen.h
    for form in plain double torch; do
        ok "$form.st" "$ngc" --standalone --weights=$form.st gate.ng -o frozen.c --prefix=frozen
        sed 1d frozen.c >a && sed 1d raw.c >b && cmp a b && good || bad "$form.st: other C"
    done
    sane=1
    for i in $(seq 0 59); do
        "$ngc" --weights="bad$i.st" gate.ng -o bad.c >"$dir/got" 2>&1
        status=$?
        [ $status = 3 ] || [ $status = 0 ] || { sane=0 && bad "bad$i.st: status $status"; }
    done
    [ $sane = 1 ] && good
fi

# ---- a network for images on a small device: code below 100 KB without its weights, only work is
# writable ----
cat >blank.c <<'C'
#include <stdio.h>
#include "lenet.h"

int main(void)
{
    static lenet_params p;
    return fwrite(&p, sizeof p, 1, stdout) != 1;
}
C
ok "lenet.c" "$ngc" --standalone "$top/examples/lenet.ng" -o lenet.c
ok "blank.c" cc -std=c99 blank.c -o blank
./blank >lenet.raw
ok "lenet frozen" "$ngc" --standalone -D m=1 --prefix=small \
    --weights=lenet.raw "$top/examples/lenet.ng" -o small.c
cc -std=c99 -Os -c small.c
size -A small.o | awk '$1 ~ /^\.text/ { text += $2 } $1 ~ /^\.(data|bss)$/ { written += $2 }
    END { printf "LeNet: %d bytes of code\n", text; exit !(text > 0 && text < 100000 && written == 0) }' >"$dir/got" && good || bad "LeNet's size"
cat "$dir/got"
