/* defaults.c - a caller that leaves the inputs of defaults.ng alone has what `ngc run` has, for
 * each run-time size. argv: the size, then the values that are wanted. */
#include "defaults.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static defaults_work work;

int main(int argc, char **argv)
{
    defaults_inputs in = DEFAULTS_INPUTS;
    int failed = argc != 8;

    if (in.k != 2 || in.n != 6 || !(in.top > 1e30) || in.odd == in.odd || in.plain != 4)
        failed = 1;
    if (in.m != 3 || in.w[1] != 1 || in.t[2] != 3 || in.z[999] != 0)
        failed = 1;
    in.m = failed ? 1 : atoi(argv[1]);
    failed |= defaults_predict(&in, &work) != 0;
    const double got[] = {work.y, work.known, work.drawn, work.zero, work.large, work.angle};
    for (int i = 0; i < 6 && !failed; i++)
        failed |= !(fabs(got[i] - atof(argv[2 + i])) <= 1e-6 * fabs(got[i]));
    puts(failed ? "FAIL a default" : "ok");
    return failed;
}
