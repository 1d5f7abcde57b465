# all.sh - one struct of all blocks: the same caller with any optimizer, in C and C++; a part of
# run.sh.
mkdir "$dir/all" && cd "$dir/all" || exit 2
cat >caller.c <<'C'
#include <stdio.h>
#include "net.h"

static net_all net;

int main(void)
{
    static const float x[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    int i, error = 0;
    net_all_init(&net, 7);
    net.inputs.m = 4;
    net.inputs.x = x[0];
#ifdef NET_HAS_STEP
    {
        static const float y[4] = {0, 1, 1, 2};
        net.inputs.y = y;
        for (i = 0; i < 500; i++)
            error |= net_all_step(&net);
    }
#endif
#ifdef NET_HAS_BACKWARD
    {
        static net_grads grads;
        error |= net_all_forward(&net) || net_all_backward(&net) != NGRT_ENOMEM;
        net.grads = &grads;
        error |= net_all_backward(&net) || net_all_update(&net);
    }
#endif
#ifdef NET_HAS_METRICS_ADD
    {
        static net_totals totals;
        error |= net_all_metrics_start(&net) != NGRT_ENOMEM;
        net.totals = &totals;
        error |= net_all_metrics_start(&net);
        do {
            error |= net_all_metrics_add(&net);
            i = net_all_metrics_finish(&net);
        } while (i == NGRT_AGAIN);
        error |= i;
    }
#endif
    error |= net_all_predict(&net);
    printf("error %d:", error);
    for (i = 0; i < 4; i++)
        printf(" %.1f", 10 + (double)net.work.p[i]);
    net.inputs.m = 5;
    printf(", too many rows: %d\n", net_all_predict(&net));
    return 0;
}
C
begin='dim m <= 4
input x[m, 2], y[m]
output p = dense(x, 1)[:, 0]
'
number=0
# same WHAT TEXT OPTION...: the caller compiles with this model, in C and C++, and prints what was
# learned
same() {
    echo "$2" >net.ng
    label=$1
    shift 2
    ok "$label" "$ngc" --standalone "$@" net.ng -o net.c
    for compile in "cc -std=c99" "c++ -std=c++98 -Wno-long-long" "clang++ -std=c++17"; do
        number=$((number + 1))
        case $compile in cc*) ;; *) in_share 3 $number || continue ;; esac
        have "${compile%% *}" >/dev/null || continue
        # shellcheck disable=SC2086
        case $compile in
        cc*) ok "$label, $compile" cc -std=c99 -Wall -Wextra -Wconversion -pedantic \
            -Werror caller.c net.c -lm -o caller ;;
        *) cc -c net.c && ok "$label, $compile" $compile -Wall -Wextra -pedantic -Werror \
            -Wno-deprecated -x c++ caller.c -x none net.o -lm -o caller ;;
        esac
        says 0 '^error 0: 10.0 11.0 11.0 12.0, too many rows: -1' ./caller
    done
}
for optimizer in 'sgd(lr = 0.3)' 'sgd(lr = 0.1, momentum = 0.9)' 'adam(lr = 0.05)' \
    'rmsprop(lr = 0.01)' 'sgd(lr = cosine(0.3, 600))'; do
    same "$optimizer" "${begin}minimize J = mse(p, y) with $optimizer
metric fit = r2(p, y)"
done
same "two losses" "${begin}minimize J = mse(p, y) over p.W with adam(lr = 0.05)
minimize K = mse(p, y) over p.b with sgd(lr = 0.1)"
same "a limit of memory" "${begin}h = dropout(p, 0.001)
minimize J = mse(h, y) with adam(lr = 0.05)" --memory=1K
same "no params" "dim m <= 4
input x[m, 2], y[m]
output p = x[:, 0] + x[:, 1]"
grep -q 'net_params\|_STEP\|BACKWARD' net.h && bad "no params: they are in the header" || good
echo "${begin}minimize J = mse(p, y) with adam(lr = 0.05)" >net.ng
awk 'BEGIN { for (i = 0; i < 4; i++) print int(i / 2) "," i % 2 "," int(i / 2) + i % 2 }' >rows.csv
ok "weights" "$ngc" train net.ng --data rows.csv --epochs 800 --quiet --save net.safetensors
cp net.ng kept.ng
same "weights as constants" "$(cat kept.ng)" --weights=net.safetensors
grep -q 'net_params params' net.h && bad "constant weights are in the struct" || good
ok "no init, no inputs" "$ngc" --standalone -e 'output p = 1' --prefix=net -o net.c
printf '#include "net.h"\nint main(void)\n{\n    static net_all net;\n    net_all_init(&net, 1);\n    return net_all_predict(&net);\n}\n' >none.c
ok "no init, no inputs" cc -std=c99 -Wall -Wextra -pedantic -Werror none.c net.c -lm -o none
says 0 '' ./none
# C90 has the rest of the header
printf '#include "net.h"\nint main(void)\n{\n    return (int)net_sizeof_work() == 0;\n}\n' >old.c
ok "C90" cc -std=c90 -Wall -Wextra -pedantic -Wundef -Werror -c old.c
# who does not call these forms has no code of them
printf '#include "net.h"\nsize_t f(void);\nsize_t f(void)\n{\n    return sizeof(net_all);\n}\n' \
    >unused.c
ok "unused" cc -O0 -std=c99 -Wall -Wextra -pedantic -Werror -c unused.c
[ "$(nm unused.o | grep -c net_)" = 0 ] && good || bad "unused forms are in the object"
