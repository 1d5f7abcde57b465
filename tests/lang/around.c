/* around.c - calls the C of around.ng with ints that go round: an error, and nothing undefined. */
#include "around.h"

#include <stdio.h>

static around_work work;

/* What predict returns for k, s[0], m and place. */
static int code(int k, int s, int m, int place)
{
    around_inputs in = AROUND_INPUTS;
    int32_t all[4] = {0, 1, 2, 3};
    all[0] = s;
    in.m = m;
    in.place = place;
    in.k = k;
    in.s = all;
    work.y = -1;
    int error = around_predict(&in, &work);
    return error && work.y != -1 ? 99 : error;
}

int main(void)
{
    static const struct {
        int k, s, error;
    } calls[] = {
        {1, 0, NGRT_OK},
        {1, 3, NGRT_OK},
        {1, 4, NGRT_ELABEL},
        {2, 0, NGRT_ELABEL},
        {42950, 0, NGRT_ELABEL},     /* k*100000 is 32704 after it went round */
        {INT32_MAX, 0, NGRT_ELABEL}, /* k*100000, -(k - 3) */
        {INT32_MIN, 0, NGRT_ELABEL}, /* 2 - k, k - 3 */
        {1, INT32_MAX, NGRT_ELABEL}, /* s*65536 */
        {1, -INT32_MAX, NGRT_ELABEL},
    };
    int bad = 0;
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
        int error = code(calls[i].k, calls[i].s, 4, 0);
        if (error != calls[i].error) {
            printf("k %d, s %d: %d, not %d\n", calls[i].k, calls[i].s, error, calls[i].error);
            bad = 1;
        }
    }
    for (int m = 1; m <= 4; m++)
        for (int place = -1; place <= 5; place++) {
            int right = place >= 0 && place < m ? NGRT_OK : NGRT_ELABEL;
            if (code(1, 0, m, place) != right) {
                printf("m %d, place %d: not %d\n", m, place, right);
                bad = 1;
            }
        }
    return bad;
}
