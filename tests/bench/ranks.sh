#!/bin/sh
# ranks.sh - what two ranks on this machine make of a step of c2 and of LeNet, and what MPI takes
# for a sum over the ranks by its size. On a busy machine look at the shortest times: there, both
# ranks had a processor.
#
#     [RANKS=2 STEPS=1000 ROUNDS=3] sh tests/bench/ranks.sh build
cd "$(dirname "$0")/../.." || exit 2
build=${1:-build}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
export OPENBLAS_NUM_THREADS=1
export OMPI_MCA_plm_rsh_agent=sh OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
ranks=${RANKS:-2}

sed 's/\[128/[m/g; /^# product/d; s/^input/dim m <= 128\ninput/' tests/bench/c2.ng >"$dir/c2.ng"
sed 's/m <= 32/m <= 128/' examples/lenet.ng >"$dir/lenet.ng"
for model in c2 lenet; do
    "$build/ngc" --ranks --prefix=model "$dir/$model.ng" -o "$dir/m.c" &&
        mpicc -O2 -march=native -Iruntime -I"$dir" tests/bench/ranks.c "$dir/m.c" \
            "$build/libngrt_mpi.a" "$build/libngrt.a" \
            -lopenblas -lz -lm -lpthread -o "$dir/$model" || exit 1
    for round in $(seq "${ROUNDS:-3}"); do
        echo "$(mpirun --oversubscribe -n 1 "$dir/$model" "${STEPS:-1000}") $(mpirun --oversubscribe -n "$ranks" "$dir/$model" "${STEPS:-1000}")"
    done | awk -v m=$model -v n="$ranks" '
        NR == 1 || $1 < a { a = $1 } NR == 1 || $4 < d { d = $4 }
        { b += $2; c += $3; e += $5; f += $6 }
        END { printf "%s: a step of 128 rows on one process %.0f us (middle %.0f, processor %.0f), on %d ranks %.0f us (middle %.0f, processor %.0f); efficiency by the shortest %.2f, by processor time %.2f\n",
            m, a, b/NR, c/NR, n, d, e/NR, f/NR, a/(n*d), c/(n*f) }'
done

cat >"$dir/sums.c" <<'END'
#include <mpi.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    static float x[1 << 22];
    int rank, n, i;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (n = 1; n <= 1 << 22; n *= 16) {
        double best = 1, start;
        for (i = 0; i < 400 && (i < 20 || n < 1 << 18); i++) {
            int k, times = n < 1 << 14 ? 20 : 1;
            MPI_Barrier(MPI_COMM_WORLD);
            start = MPI_Wtime();
            for (k = 0; k < times; k++)
                MPI_Allreduce(MPI_IN_PLACE, x, n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
            start = (MPI_Wtime() - start)/times;
            best = start < best ? start : best;
        }
        if (rank == 0)
            printf("sum of %8d bytes over the ranks: %8.1f us, %.2f GB/s\n", 4*n, best*1e6, 4e-9*n/best);
    }
    MPI_Finalize();
}
END
mpicc -O2 "$dir/sums.c" -o "$dir/sums" && mpirun --oversubscribe -n "$ranks" "$dir/sums"
