/* conv.c - convolutions and their kernels' derivatives against the sums that define them: shapes on
 * both sides of every limit of the tiles, at once and in parts that are computed alone. */
#include "check.h"

#include "ngrt.h"

#include <string.h>

enum {
    G,
    C,
    O,
    H,
    W,
    B,
    KH,
    KW,
    OH,
    OW,
    SH,
    SW,
    DH,
    DW,
    PH,
    PW,
    ABOVE,
    BELOW,
    SIZES,
    ROOM = 40000
};

static double x[ROOM], k[ROOM], y[ROOM], want[ROOM];
static float x_f[ROOM], k_f[ROOM], y_f[ROOM];
static uint32_t state = 1;

static int draw(int from, int to)
{
    state = state * 1664525u + 1013904223u;
    return from + (int)((state >> 8) % (uint32_t)(to - from + 1));
}

/* Small whole numbers: every sum is exact in float, whatever its order. */
static void fill(double *a, float *f, int n)
{
    int i;
    for (i = 0; i < n; i++)
        f[i] = (float)(a[i] = draw(-4, 4));
}

/* The sums of ngrt.h, into y or, if `kernel`, into k. */
static void define(const int *n, int kernel)
{
    int o, c, u, v, i, j, b;
    memset(want, 0, sizeof want);
    for (o = 0; o < n[G] * n[O]; o++)
        for (c = 0; c < n[C]; c++)
            for (u = 0; u < n[KH]; u++)
                for (v = 0; v < n[KW]; v++)
                    for (i = 0; i < n[OH]; i++)
                        for (j = 0; j < n[OW]; j++) {
                            int row = i * n[SH] + u * n[DH] - n[PH],
                                col = j * n[SW] + v * n[DW] - n[PW];
                            int at_x = (((o / n[O] * n[C] + c) * n[H] + row) * n[W] + col) * n[B];
                            int at_k = ((o * n[C] + c) * n[KH] + u) * n[KW] + v,
                                at_y = ((o * n[OH] + i) * n[OW] + j) * n[B];
                            if (row < 0 || row >= n[H] || col < 0 || col >= n[W])
                                continue;
                            for (b = 0; b < n[B]; b++)
                                if (kernel)
                                    want[at_k] += x[at_x + b] * y[at_y + b];
                                else
                                    want[at_y + b] += x[at_x + b] * k[at_k];
                        }
}

static void compare(const int *n, const char *what, const double *got, const float *got_f,
                    int count)
{
    int i, bad = -1;
    for (i = 0; i < count; i++)
        if (got[i] != want[i] || (double)got_f[i] != want[i])
            bad = i;
    CHECK(bad < 0 && got[count] == 77 && got_f[count] == 77);
    if (bad < 0)
        return;
    fprintf(stderr, "%s, element %d:", what, bad);
    for (i = 0; i < SIZES; i++)
        fprintf(stderr, " %d", n[i]);
    fprintf(stderr, "\n");
}

/* Rows of the images that are said to be 0. */
static void clear_rows(const int *n)
{
    int channel, i, p, row = n[W] * n[B];
    for (channel = 0; channel < n[G] * n[C]; channel++)
        for (i = 0; i < n[H]; i++)
            for (p = 0; p < row && (i < n[ABOVE] || i >= n[H] - n[BELOW]); p++) {
                int at = (channel * n[H] + i) * row + p;
                x_f[at] = (float)(x[at] = 0);
            }
}

static void check_shape(const int *n, int zeros)
{
    int images = n[G] * n[C] * n[H] * n[W] * n[B], kernels = n[G] * n[O] * n[C] * n[KH] * n[KW];
    int results = n[G] * n[O] * n[OH] * n[OW] * n[B], parts = draw(1, 3), p;
    if (images >= ROOM || kernels >= ROOM || results >= ROOM)
        return;
    fill(x, x_f, images);
    clear_rows(n);
    fill(k, k_f, kernels);
    define(n, 0);
    for (p = 0; p <= results; p++)
        y_f[p] = (float)(y[p] = 77);
    for (p = parts - 1; p >= 0; p--) {
        ngrt_dconv(n, x, k, y, p, parts);
        ngrt_sconv(n, x_f, k_f, y_f, p, parts);
    }
    compare(n, "conv", y, y_f, results);
    if (zeros)
        return;
    fill(y, y_f, results);
    define(n, 1);
    for (p = 0; p <= kernels; p++)
        k_f[p] = (float)(k[p] = 77);
    for (p = parts - 1; p >= 0; p--) {
        ngrt_dconvk(n, x, y, k, p, parts);
        ngrt_sconvk(n, x_f, y_f, k_f, p, parts);
    }
    compare(n, "convk", k, k_f, kernels);
}

int main(void)
{
    static const int batch[] = {1, 2, 3, 4, 8, 15, 16, 17, 31, 32, 33, 40, 64};
    int round, a;
    for (round = 0; round < 400; round++) {
        int n[SIZES], zeros = draw(0, 1), wide = draw(0, 3) == 0;
        n[G] = draw(0, 2) ? 1 : draw(1, 3);
        n[C] = draw(1, 9);
        n[O] = draw(0, 3) ? draw(1, 14) : 1; /* one kernel has tiles of its own */
        n[B] = batch[draw(zeros ? 6 : 0, 12)];
        if (wide) { /* columns of one kernel that are apart, eight at a time */
            n[C] = draw(1, 2);
            n[O] = 1;
            if (!zeros && draw(0, 1)) /* fewer images than a tile of several kernels has columns */
                n[B] = 8;
        }
        for (a = 0; a < 2; a++) {
            n[KH + a] = draw(1, 4);
            n[OH + a] = wide && a == 1 ? draw(7, 20) : draw(1, 6);
            n[SH + a] = draw(1, 3);
            n[DH + a] = draw(1, 3);
            n[PH + a] = zeros ? draw(0, 4) : 0;
            n[H + a] = (n[OH + a] - 1) * n[SH + a] + (n[KH + a] - 1) * n[DH + a] + 1 + draw(0, 2) -
                       n[PH + a] - (zeros ? draw(0, 4) : 0);
            n[H + a] = n[H + a] < 1 ? 1 : n[H + a];
        }
        n[ABOVE] = draw(0, n[H] - 1 < 3 ? n[H] - 1 : 3);
        n[BELOW] = draw(0, n[H] - 1 - n[ABOVE] < 3 ? n[H] - 1 - n[ABOVE] : 3);
        check_shape(n, zeros);

        /* so many kernels that rows of y which do not fill their tiles are packed together */
        n[C] = draw(1, 3);
        n[O] = draw(32, 60);
        n[B] = draw(4, 7);
        n[SH] = n[SW] = 1;
        n[PH] = n[PW] = n[ABOVE] = n[BELOW] = 0;
        for (a = 0; a < 2; a++) {
            n[OH + a] = draw(4, 6);
            n[H + a] = n[OH + a] + (n[KH + a] - 1) * n[DH + a];
        }
        if (round % 8 == 0)
            check_shape(n, 0);

        /* so many channels that it pays also where rows fill their tiles, with any stride */
        n[G] = 1;
        n[C] = draw(32, 34);
        n[O] = draw(32, 40);
        n[B] = draw(16, 18);
        for (a = 0; a < 2; a++) {
            n[KH + a] = draw(1, 2);
            n[DH + a] = 1;
            n[SH + a] = draw(1, 2);
            n[OH + a] = draw(1, 2);
            n[H + a] = (n[OH + a] - 1) * n[SH + a] + n[KH + a];
        }
        if (round % 8 == 4)
            check_shape(n, 0);
    }
    return check_end("conv");
}
