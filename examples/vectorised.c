/* vectorised.c - the same training step three times: as plain loops, one multiplication after the
 * other, without and with the C compiler's optimizer; and as fast C from ngc. All must give the
 * same weights. `sh examples/vectorised.sh` builds and runs it. */
#include "fast.h"
#include "helped.h"
#include "loops.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROWS = FAST_M_MAX, UNITS = 512 };

static float x[ROWS * UNITS], t[ROWS * UNITS];
static loops_params slow;
static helped_params helped;
static fast_params quick;
static loops_work slow_work;
static helped_work helped_work_space;
static fast_work quick_work;

static double now(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* The largest difference between two weights. */
static double apart(void)
{
    double most = 0;
    for (int i = 0; i < UNITS; i++)
        for (int k = 0; k < UNITS; k++)
            most = fmax(most, fmax(fabs((double)slow.h_W[i][k] - (double)quick.h_W[i][k]),
                                   fabs((double)helped.h_W[i][k] - (double)quick.h_W[i][k])));
    return most;
}

/* vectorised [N]: fails if the gain is below N. */
int main(int argc, char **argv)
{
    loops_inputs slow_in = {ROWS, x, t};
    helped_inputs helped_in = {ROWS, x, t};
    fast_inputs quick_in = {ROWS, x, t};
    for (int i = 0; i < ROWS * UNITS; i++) {
        x[i] = (float)sin(i);
        t[i] = (float)cos(i);
    }
    loops_init(&slow, 1);
    helped_init(&helped, 1);
    fast_init(&quick, 1);

    double start = now();
    loops_step(&slow, &slow_in, &slow_work);
    double loops = now() - start;
    start = now();
    helped_step(&helped, &helped_in, &helped_work_space);
    double with_help = now() - start;
    fast_step(&quick, &quick_in, &quick_work);
    double difference = apart(), fast = 1e9;
    for (int i = 0; i < 50; i++) {
        start = now();
        fast_step(&quick, &quick_in, &quick_work);
        fast = fmin(fast, now() - start);
    }
    double gain = loops / fast;
    printf("plain loops, cc -O0:  %8.2f ms a step\n", 1000 * loops);
    printf("plain loops, cc -O2:  %8.2f ms a step\n", 1000 * with_help);
    printf("vectorised:           %8.2f ms a step\n", 1000 * fast);
    printf("gain:  %.0f times, and %.0f times over cc -O2; weights differ by at most %.1g\n", gain,
           with_help / fast, difference);
    return difference > 1e-5 || gain < (argc > 1 ? atof(argv[1]) : 1);
}
