# object.sh - ngc.hpp: a C++ program with models as objects, by several standards and compilers; a
# part of run.sh.
mkdir "$dir/object" && cd "$dir/object" || exit 2
cat >classes.ng <<'NG'
dim m <= 50
input x[m, 4], t[m]: int
h = dense(x, 8, tanh)
z = dense(h, 3)
output p = softmax(z)
metric accuracy = mean(argmax(z) == t)
minimize J = cross_entropy(z, t) with sgd(lr = 0.5)
NG
cat >sizes.ng <<'NG'
dim m <= 4, n <= 3
input x[m, n], w[2*m], b[n], k: int = 2, f = 0.5
output s = f*sum(x) + sum(b) + sum(w), k2 = k*2
NG
awk 'BEGIN { for (i = 0; i < 9; i++) print i % 3 ",1,0,1," i % 3 }' >rows.csv
ok "weights" "$ngc" train classes.ng --data rows.csv --epochs 1 --quiet --save w.safetensors
ok "classes.c" "$ngc" --standalone classes.ng -o classes.c
ok "sizes.c" "$ngc" --standalone --real=double sizes.ng -o sizes.c
ok "fixed.c" "$ngc" --standalone --weights=w.safetensors --prefix=fixed classes.ng -o fixed.c
number=0
cc -c -O0 classes.c sizes.c fixed.c
for compile in "g++ -std=c++98" "g++ -std=c++20 -O2 -D_GLIBCXX_DEBUG" \
    "clang++ -std=c++98 -Wno-c++11-long-long" \
    "clang++ -std=c++17 -fsanitize=address,undefined -fno-sanitize-recover=all"; do
    number=$((number + 1))
    in_share 2 $number || continue
    have "${compile%% *}" || continue
    # shellcheck disable=SC2086
    ok "object.cc, $compile" $compile -Wall -Wextra -pedantic -Wshadow -Wconversion -Werror -I. \
        -I"$top/runtime" "$top/tests/embed/object.cc" classes.o sizes.o fixed.o -lm -o object
    says 0 '^0 failed' ./object
done
# without exceptions, and with the host part
cat >plain.cc <<'CC'
#include "ngrt_host.h"
#include "classes.h"
#include "ngc.hpp"
int main(int argc, char **argv)
{
    ngc::Model m(classes_model);
    m.load(argv[argc - 1]);
    m.save("again.safetensors");
    return 0;
}
CC
ok "classes.c with the runtime" "$ngc" classes.ng -o classes.c
ok "plain.cc" cc -I"$top/runtime" -c classes.c
# shellcheck disable=SC2046
ok "plain.cc" c++ -std=c++98 -fno-exceptions -Wall -Wextra -pedantic -Werror \
    -I"$top/runtime" plain.cc classes.o $(runtime_libs "$(dirname "$ngc")") -lz -lpthread -o plain
says 0 '' ./plain w.safetensors
[ -s again.safetensors ] && good || bad "plain.cc: no weights"
says 134 'ngc: error -4: none: No such file' ./plain none
