/* ngrt_conv_real.h - convolutions of images whose last axis is the batch, and the derivatives with
 * respect to their kernels; see ngrt.h. One text, compiled for float by ngrt_sconv.c and for double
 * by ngrt_dconv.c; sections and names as in ngrt_gemm_real.h.
 *
 * With step 1, what one tap of the kernel meets along a row of the result is one piece of memory,
 * since columns and batch are neighbours. So a convolution is a matrix product whose right side
 * needs no copy. Where pieces are shorter than a tile, they are packed first.
 */
#include <string.h>

#define NGRT_FN
#define ngrt_conv  NGRT_NAME(conv)
#define ngrt_convk NGRT_NAME(convk)

/*@ conv: */
enum {
    NGRT_CONV_ROWS = 12,                /* of a tile, at most: kernels */
    NGRT_CONV_COLS = 64 / sizeof(real), /* of a tile: elements of y */
    NGRT_CONV_PANEL = 192,              /* taps that are packed at a time */
    NGRT_CONV_MANY = 32                 /* channels that do not stay in the first cache */
};

#define NGRT_CONV_LEAST(a, b) ((a) < (b) ? (a) : (b))

/* The sizes as they came, and what follows from them. x is [g c,h,w,b], y is [g o,oh,ow,b]. */
typedef struct ngrt_conv_shape {
    int g, c, o, h, w, b, kh, kw, oh, ow, sh, sw, dh, dw, ph, pw, above, below;
    int taps, depth;                /* elements of a kernel: for one channel, and for all c */
    ptrdiff_t channel_x, channel_y; /* elements of one channel */
} ngrt_conv_shape;

static ngrt_conv_shape ngrt_conv_read(const int *n)
{
    ngrt_conv_shape s = {n[0],  n[1],  n[2],  n[3],  n[4],  n[5],  n[6],  n[7], n[8], n[9], n[10],
                         n[11], n[12], n[13], n[14], n[15], n[16], n[17], 0,    0,    0,    0};

    s.taps = s.kh * s.kw;
    s.depth = s.c * s.taps;
    s.channel_x = (ptrdiff_t)s.h * s.w * s.b;
    s.channel_y = (ptrdiff_t)s.oh * s.ow * s.b;
    return s;
}

/* What a tile sums up: for each of c channels a window of u rows of v elements of k, with what
 * these meet in x. */
typedef struct ngrt_conv_window {
    int c, u, v;
    ptrdiff_t kc, ku;     /* from a channel, or a row, of k to the next; elements are neighbours */
    ptrdiff_t xc, xu, xv; /* from a channel, row or element to the next, in x */
    ptrdiff_t depth;      /* from a kernel to the next */
    ptrdiff_t xgap, ygap; /* of one kernel: from a vector to the next; 0: they are neighbours */
} ngrt_conv_window;

/* y[i][j] = sum over the window of k x, for some kernels i, whose results are `step` apart, and all
 * columns j of a tile; added to y if more. */
typedef void ngrt_conv_tiling(int rows, const ngrt_conv_window *win, const real *k, const real *x,
                              real *y, ptrdiff_t step, int more);

#if !defined __GNUC__ || !(defined __x86_64__ || (defined __aarch64__ && defined __ARM_NEON))
/* In plain C. */
static void ngrt_conv_tile(int rows, const ngrt_conv_window *win, const real *k, const real *x,
                           real *y, ptrdiff_t step, int more)
{
    int i, j, h, c, u, v;

    for (i = 0; i < rows; i++, k += win->depth, y += step)
        for (h = 0; h < NGRT_CONV_COLS; h += 8) {
            real s[8] = {0};

            if (more)
                memcpy(s, y + h, sizeof s);
            for (c = 0; c < win->c; c++)
                for (u = 0; u < win->u; u++)
                    for (v = 0; v < win->v; v++) {
                        const real a = k[c * win->kc + u * win->ku + v];
                        const real *at = x + h + c * win->xc + u * win->xu + v * win->xv;

                        for (j = 0; j < 8; j++)
                            s[j] += a * at[j];
                    }
            memcpy(y + h, s, sizeof s);
        }
}
#else
/* Vectors of 16, 32 and 64 bytes at any element. */
#define NGRT_CONV_VECTOR(bytes) \
    __attribute__((vector_size(bytes), aligned(sizeof(real)), may_alias))
typedef real ngrt_conv_v16 NGRT_CONV_VECTOR(16);
typedef real ngrt_conv_v32 NGRT_CONV_VECTOR(32);
typedef real ngrt_conv_v64 NGRT_CONV_VECTOR(64);

/* What is done for each row i of a tile: its sums are the vectors si and ti, and in a tile of four
 * vectors also ui and vi. */
#define NGRT_CONV_EACH_ROW(step) \
    step(0);                     \
    step(1);                     \
    step(2);                     \
    step(3);                     \
    step(4);                     \
    step(5)
#define NGRT_CONV_MORE_ROWS(step) \
    NGRT_CONV_EACH_ROW(step);     \
    step(6);                      \
    step(7);                      \
    step(8);                      \
    step(9);                      \
    step(10);                     \
    step(11)

/* Row i of some whose rows are `row` apart; b and d are rows 4 and 8, so that few registers hold
 * where rows are. */
#define NGRT_CONV_ROW(i, a, b, d, row) (((i) < 4 ? (a) : (i) < 8 ? (b) : (d)) + (i) % 4 * (row))

#define NGRT_CONV_BEGIN(i) vector s##i = {0}, t##i = {0}, u##i = {0}, v##i = {0}

#define NGRT_CONV_LOAD(i)                                                     \
    if (i < rows) {                                                           \
        const vector *to = (const vector *)NGRT_CONV_ROW(i, y, y4, y8, step); \
        s##i = to[0];                                                         \
        t##i = to[1];                                                         \
        if (vectors > 2) {                                                    \
            u##i = to[2];                                                     \
            v##i = to[3];                                                     \
        }                                                                     \
    }

#define NGRT_CONV_ADD(i)                                    \
    if (i < rows) {                                         \
        const real f = *NGRT_CONV_ROW(i, a, a4, a8, depth); \
        s##i += f * p;                                      \
        t##i += f * q;                                      \
        if (vectors > 2) {                                  \
            u##i += f * p2;                                 \
            v##i += f * q2;                                 \
        }                                                   \
    }

#define NGRT_CONV_STORE(i)                                        \
    if (i < rows) {                                               \
        vector *to = (vector *)NGRT_CONV_ROW(i, y, y4, y8, step); \
        to[0] = s##i;                                             \
        to[1] = t##i;                                             \
        if (vectors > 2) {                                        \
            to[2] = u##i;                                         \
            to[3] = v##i;                                         \
        }                                                         \
    }

/* A tile of two or four vectors. It is compiled for each number of rows, so that its sums are in
 * registers. */
#define NGRT_CONV_TARGET(isa) __attribute__((target(isa)))
#define NGRT_CONV_INLINE      __attribute__((always_inline)) static inline
#define NGRT_CONV_TILE(name, target, type, tile_vectors, each)                                    \
    target NGRT_CONV_INLINE void name(const int rows, const ngrt_conv_window *win, const real *k, \
                                      const real *x, real *y, ptrdiff_t step, int more)           \
    {                                                                                             \
        typedef type vector;                                                                      \
        enum { vectors = tile_vectors };                                                          \
        const ptrdiff_t depth = win->depth, ku = win->ku, xu = win->xu, xv = win->xv;             \
        const ptrdiff_t b4 = rows > 4 ? 4 * depth : 0, b8 = rows > 8 ? 8 * depth : 0;             \
        real *y4 = y + (rows > 4 ? 4 * step : 0), *y8 = y + (rows > 8 ? 8 * step : 0);            \
        int c, u, v;                                                                              \
        each(NGRT_CONV_BEGIN);                                                                    \
        if (more) {                                                                               \
            each(NGRT_CONV_LOAD);                                                                 \
        }                                                                                         \
        for (c = 0; c < win->c; c++, k += win->kc, x += win->xc) {                                \
            const real *ac = k, *xc = x;                                                          \
            for (u = win->u; u > 0; u--, ac += ku, xc += xu) {                                    \
                const real *a = ac, *a4 = a + b4, *a8 = a + b8, *from = xc;                       \
                for (v = win->v; v > 0; v--, a++, a4++, a8++, from += xv) {                       \
                    const vector p = ((const vector *)from)[0];                                   \
                    const vector q = ((const vector *)from)[1];                                   \
                    const vector p2 = ((const vector *)from)[vectors > 2 ? 2 : 0];                \
                    const vector q2 = ((const vector *)from)[vectors - 1];                        \
                    each(NGRT_CONV_ADD);                                                          \
                }                                                                                 \
            }                                                                                     \
        }                                                                                         \
        each(NGRT_CONV_STORE);                                                                    \
    }
/* The same for one kernel, whose sums are eight vectors: fewer would wait for each other. */
#define NGRT_CONV_LINE(name, target, type)                                                       \
    target static void name(int rows, const ngrt_conv_window *win, const real *k, const real *x, \
                            real *y, ptrdiff_t step, int more)                                   \
    {                                                                                            \
        typedef type vector;                                                                     \
        enum { width = sizeof(vector) / sizeof(real) };                                          \
        const ptrdiff_t ku = win->ku, xu = win->xu, xv = win->xv;                                \
        const ptrdiff_t next = win->xgap > 0 ? win->xgap : width;                                \
        const ptrdiff_t to = win->ygap > 0 ? win->ygap : width;                                  \
        vector s0 = {0}, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;          \
        int c, u, v;                                                                             \
        (void)rows;                                                                              \
        (void)step;                                                                              \
        (void)more;                                                                              \
        for (c = 0; c < win->c; c++)                                                             \
            for (u = 0; u < win->u; u++) {                                                       \
                const real *a = k + c * win->kc + u * ku, *from = x + c * win->xc + u * xu;      \
                for (v = win->v; v > 0; v--, a++, from += xv) {                                  \
                    s0 += *a * *(const vector *)from;                                            \
                    s1 += *a * *(const vector *)(from + next);                                   \
                    s2 += *a * *(const vector *)(from + 2 * next);                               \
                    s3 += *a * *(const vector *)(from + 3 * next);                               \
                    s4 += *a * *(const vector *)(from + 4 * next);                               \
                    s5 += *a * *(const vector *)(from + 5 * next);                               \
                    s6 += *a * *(const vector *)(from + 6 * next);                               \
                    s7 += *a * *(const vector *)(from + 7 * next);                               \
                }                                                                                \
            }                                                                                    \
        *(vector *)y = s0;                                                                       \
        *(vector *)(y + to) = s1;                                                                \
        *(vector *)(y + 2 * to) = s2;                                                            \
        *(vector *)(y + 3 * to) = s3;                                                            \
        *(vector *)(y + 4 * to) = s4;                                                            \
        *(vector *)(y + 5 * to) = s5;                                                            \
        *(vector *)(y + 6 * to) = s6;                                                            \
        *(vector *)(y + 7 * to) = s7;                                                            \
    }
#define NGRT_CONV_CASE(name, n)            \
    case n:                                \
        name(n, win, k, x, y, step, more); \
        break

/* a*b + c in one operation, also under -std=c99; a schedule may need more registers than there are
 */
#if !defined __clang__
#pragma GCC push_options
#pragma GCC optimize("fp-contract=fast", "no-schedule-insns")
#endif
/* For all processors that the compiler's code is for. On ARM the sums are in 24 of 32 registers. */
#ifdef __aarch64__
#define NGRT_CONV_VECTORS 4
#else
#define NGRT_CONV_VECTORS 2
#endif
#define NGRT_CONV_ANY
NGRT_CONV_TILE(ngrt_conv_rows, NGRT_CONV_ANY, ngrt_conv_v16, NGRT_CONV_VECTORS, NGRT_CONV_EACH_ROW)
NGRT_CONV_LINE(ngrt_conv_line, NGRT_CONV_ANY, ngrt_conv_v16)
static void ngrt_conv_tile(int rows, const ngrt_conv_window *win, const real *k, const real *x,
                           real *y, ptrdiff_t step, int more)
{
    switch (rows) {
        NGRT_CONV_CASE(ngrt_conv_rows, 1);
        NGRT_CONV_CASE(ngrt_conv_rows, 2);
        NGRT_CONV_CASE(ngrt_conv_rows, 3);
        NGRT_CONV_CASE(ngrt_conv_rows, 4);
        NGRT_CONV_CASE(ngrt_conv_rows, 5);
        NGRT_CONV_CASE(ngrt_conv_rows, 6);
    }
}

#ifdef __x86_64__
NGRT_CONV_TILE(ngrt_conv_rows_avx2, NGRT_CONV_TARGET("avx2,fma"), ngrt_conv_v32, 2,
               NGRT_CONV_EACH_ROW)
__attribute__((target("avx2,fma"))) static void ngrt_conv_tile_avx2(int rows,
                                                                    const ngrt_conv_window *win,
                                                                    const real *k, const real *x,
                                                                    real *y, ptrdiff_t step,
                                                                    int more)
{
    switch (rows) {
        NGRT_CONV_CASE(ngrt_conv_rows_avx2, 1);
        NGRT_CONV_CASE(ngrt_conv_rows_avx2, 2);
        NGRT_CONV_CASE(ngrt_conv_rows_avx2, 3);
        NGRT_CONV_CASE(ngrt_conv_rows_avx2, 4);
        NGRT_CONV_CASE(ngrt_conv_rows_avx2, 5);
        NGRT_CONV_CASE(ngrt_conv_rows_avx2, 6);
    }
}

NGRT_CONV_TILE(ngrt_conv_rows_avx512, NGRT_CONV_TARGET("avx512f"), ngrt_conv_v64, 2,
               NGRT_CONV_MORE_ROWS)
__attribute__((target("avx512f"))) static void ngrt_conv_tile_avx512(int rows,
                                                                     const ngrt_conv_window *win,
                                                                     const real *k, const real *x,
                                                                     real *y, ptrdiff_t step,
                                                                     int more)
{
    switch (rows) {
        NGRT_CONV_CASE(ngrt_conv_rows_avx512, 1);
        NGRT_CONV_CASE(ngrt_conv_rows_avx512, 2);
        NGRT_CONV_CASE(ngrt_conv_rows_avx512, 3);
        NGRT_CONV_CASE(ngrt_conv_rows_avx512, 4);
        NGRT_CONV_CASE(ngrt_conv_rows_avx512, 5);
        NGRT_CONV_CASE(ngrt_conv_rows_avx512, 6);
        NGRT_CONV_CASE(ngrt_conv_rows_avx512, 7);
        NGRT_CONV_CASE(ngrt_conv_rows_avx512, 8);
        NGRT_CONV_CASE(ngrt_conv_rows_avx512, 9);
        NGRT_CONV_CASE(ngrt_conv_rows_avx512, 10);
        NGRT_CONV_CASE(ngrt_conv_rows_avx512, 11);
        NGRT_CONV_CASE(ngrt_conv_rows_avx512, 12);
    }
}
NGRT_CONV_LINE(ngrt_conv_line_avx2, NGRT_CONV_TARGET("avx2,fma"), ngrt_conv_v32)
NGRT_CONV_LINE(ngrt_conv_line_avx512, NGRT_CONV_TARGET("avx512f"), ngrt_conv_v64)
#endif
#if !defined __clang__
#pragma GCC pop_options
#endif
#endif

/* A way to compute tiles: the function, and how many rows and columns it takes. */
typedef struct ngrt_conv_way {
    ngrt_conv_tiling *tile;
    int rows, cols;
} ngrt_conv_way;

/* The best way for this processor and n columns. */
static ngrt_conv_way ngrt_conv_choose(ptrdiff_t n)
{
#ifdef NGRT_CONV_VECTORS
    ngrt_conv_way way = {ngrt_conv_tile, NGRT_CONV_ROWS / 2,
                         NGRT_CONV_COLS * NGRT_CONV_VECTORS / 4};
#else
    ngrt_conv_way way = {ngrt_conv_tile, NGRT_CONV_ROWS / 2, NGRT_CONV_COLS};
#endif

#if defined __GNUC__ && defined __x86_64__
    if (n >= 2 * NGRT_CONV_COLS && __builtin_cpu_supports("avx512f")) {
        way.tile = ngrt_conv_tile_avx512;
        way.rows = NGRT_CONV_ROWS;
        way.cols = 2 * NGRT_CONV_COLS;
    } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        way.tile = ngrt_conv_tile_avx2;
        way.cols = NGRT_CONV_COLS;
    }
#endif
    (void)n;
    return way;
}

/* The best way for this processor, one kernel and n columns; if there is none, `way`. */
static ngrt_conv_way ngrt_conv_choose_line(ptrdiff_t n, ngrt_conv_way way)
{
#ifdef NGRT_CONV_VECTORS
    if (way.tile == ngrt_conv_tile && n >= 2 * NGRT_CONV_COLS) {
        way.tile = ngrt_conv_line;
        way.cols = 2 * NGRT_CONV_COLS;
    }
#ifdef __x86_64__
    if (way.tile == ngrt_conv_tile_avx512 && n >= 8 * NGRT_CONV_COLS) {
        way.tile = ngrt_conv_line_avx512;
        way.cols = 8 * NGRT_CONV_COLS;
    } else if (way.tile != ngrt_conv_line && n >= 4 * NGRT_CONV_COLS) {
        way.tile = ngrt_conv_line_avx2;
        way.cols = 4 * NGRT_CONV_COLS;
    }
#endif
#endif
    (void)n;
    return way;
}

/* All kernels of a group for n elements of y, at least as many as a tile has columns; what each tap
 * meets is in one piece. The last tile is moved back, onto the one before it. */
static void ngrt_conv_piece(const ngrt_conv_shape *s, const ngrt_conv_window *win, ptrdiff_t n,
                            const real *k, const real *x, real *y)
{
    const ngrt_conv_way usual = ngrt_conv_choose(n);
    const ngrt_conv_way way = s->o == 1 ? ngrt_conv_choose_line(n, usual) : usual;
    const int tiles = (s->o - 1) / way.rows + 1, rows = (s->o - 1) / tiles + 1, cols = way.cols;
    ptrdiff_t j = 0;
    int i;

    for (;;) {
        for (i = 0; i < s->o; i += rows)
            way.tile(NGRT_CONV_LEAST(s->o - i, rows), win, k + i * win->depth, x + j,
                     y + i * s->channel_y + j, s->channel_y, 0);
        if (j + cols >= n)
            break;
        j = j + 2 * cols <= n ? j + cols : n - cols;
    }
}

/* Which taps meet an element of an axis of size n, if tap t meets element at + t step? From the one
 * that is returned to *end. */
static int ngrt_conv_inside(int at, int taps, int step, int n, int *end)
{
    int first = 0;

    if (at < 0)
        first = (step - 1 - at) / step;

    *end = 0;
    if (at < n)
        *end = (n - 1 - at) / step + 1;
    if (*end > taps)
        *end = taps;
    return first < *end ? first : *end;
}

enum { NGRT_CONV_LINES = 8 }; /* vectors of a tile of one kernel: columns that are apart */

/* The way to compute columns of one kernel that are apart in x, a vector of each at a time. Its
 * tile is NULL if columns are too few, or vectors do not fill the batch. */
static ngrt_conv_way ngrt_conv_choose_apart(const ngrt_conv_shape *s, int columns)
{
    const int widest = s->b % NGRT_CONV_COLS == 0;
    const ptrdiff_t most = (widest ? 8 : 4) * (ptrdiff_t)NGRT_CONV_COLS;
    const ngrt_conv_way usual = ngrt_conv_choose(most);
    ngrt_conv_way way = ngrt_conv_choose_line(most, usual);

    if (way.tile == usual.tile || s->o > 1 || s->sw == 1 || columns < NGRT_CONV_LINES ||
        s->b % (way.cols / NGRT_CONV_LINES) > 0 || s->b >= way.cols)
        way.tile = NULL;
    return way;
}

/* Computes such columns. 0: there is no tile for them, and nothing is computed. */
static int ngrt_conv_columns(const ngrt_conv_shape *s, const ngrt_conv_window *window, int columns,
                             const real *k, const real *x, real *y)
{
    const ngrt_conv_way way = ngrt_conv_choose_apart(s, columns);
    const int width = way.cols / NGRT_CONV_LINES;
    const ptrdiff_t gap = (ptrdiff_t)s->sw * s->b;
    ngrt_conv_window win = *window;
    int j = 0, h;

    if (way.tile == NULL)
        return 0;

    win.xgap = gap;
    win.ygap = s->b;
    for (;;) {
        for (h = 0; h < s->b; h += width)
            way.tile(1, &win, k, x + j * gap + h, y + (ptrdiff_t)j * s->b + h, 0, 0);
        if (j + NGRT_CONV_LINES >= columns)
            return 1;
        j = j + 2 * NGRT_CONV_LINES <= columns ? j + NGRT_CONV_LINES : columns - NGRT_CONV_LINES;
    }
}

/* How many columns from j on meet all taps? 1 if j does not. */
static int ngrt_conv_run(const ngrt_conv_shape *s, int j)
{
    const int left = j * s->sw - s->pw, right = left + (s->kw - 1) * s->dw;
    int run = 1;

    if (left >= 0 && right < s->w)
        run = (s->w - 1 - right) / s->sw + 1;
    return NGRT_CONV_LEAST(run, s->ow - j);
}

/* Row i of the channels of y, a piece at a time, by the taps that meet an element of x. */
static void ngrt_conv_row(const ngrt_conv_shape *s, int i, const real *k, const real *x, real *y)
{
    const ptrdiff_t row_x = (ptrdiff_t)s->w * s->b;
    const int top = i * s->sh - s->ph;
    ngrt_conv_window win = {
        s->c,     0, 0, s->taps, s->kw, s->channel_x, s->dh * row_x, (ptrdiff_t)s->dw * s->b,
        s->depth, 0, 0};
    int j, u, v, run;

    u = ngrt_conv_inside(top, s->kh, s->dh, s->h, &win.u);
    win.u -= u;
    for (j = 0; j < s->ow; j += run) {
        const int left = j * s->sw - s->pw;
        const real *from = x, *taps;
        real *to;

        run = ngrt_conv_run(s, j);
        v = ngrt_conv_inside(left, s->kw, s->dw, s->w, &win.v);
        win.v -= v;
        if (win.u > 0 && win.v > 0)
            from = x + (top + u * s->dh) * row_x + (ptrdiff_t)(left + v * s->dw) * s->b;

        taps = k + u * s->kw + v;
        to = y + ((ptrdiff_t)i * s->ow + j) * s->b;
        if (ngrt_conv_columns(s, &win, run, taps, from, to))
            continue;
        if (s->sw > 1)
            run = 1;
        ngrt_conv_piece(s, &win, (ptrdiff_t)run * s->b, taps, from, to);
    }
}

/* Where in a channel of x the first tap is for element i of a channel of y. */
static ptrdiff_t ngrt_conv_first(const ngrt_conv_shape *s, ptrdiff_t i)
{
    const ptrdiff_t place = i / s->b;
    return ((place / s->ow * s->sh) * s->w + place % s->ow * s->sw) * s->b + i % s->b;
}

/* The same for the n elements from i on: from[j] for element i + j. */
static void ngrt_conv_firsts(const ngrt_conv_shape *s, ptrdiff_t i, int n, ptrdiff_t *from)
{
    ptrdiff_t column = i / s->b % s->ow, at = ngrt_conv_first(s, i);
    int rest = s->b - (int)(i % s->b), j, end;

    for (j = 0; j < n; j = end) {
        for (end = n - j < rest ? n : j + rest; j < end; j++)
            from[j] = at++;

        rest = s->b;
        at += (ptrdiff_t)(s->sw - 1) * s->b;
        if (++column == s->ow) {
            column = 0;
            at += ((ptrdiff_t)s->sh * s->w - (ptrdiff_t)s->ow * s->sw) * s->b;
        }
    }
}

/* How far tap t is from tap 0, in a channel of x. */
static ptrdiff_t ngrt_conv_tap(const ngrt_conv_shape *s, int t)
{
    return ((ptrdiff_t)(t / s->kw) * s->dh * s->w + (ptrdiff_t)(t % s->kw) * s->dw) * s->b;
}

/* All rows of k against a panel of `taps` lines of `cols` elements: y[i][j] for the first `some` of
 * them, added to y if more. Rows of k are `depth` apart, and those of y `step`. */
static void ngrt_conv_panel(const ngrt_conv_way *way, int o, int taps, const real *k,
                            ptrdiff_t depth, const real *panel, real *y, ptrdiff_t step, int some,
                            int more)
{
    const int cols = way->cols;
    const ngrt_conv_window win = {1, 1, taps, 0, 0, 0, 0, cols, depth, 0, 0};
    const size_t bytes = (size_t)some * sizeof *y;
    real sum[NGRT_CONV_ROWS * 2 * NGRT_CONV_COLS];
    int i, r;

    for (i = 0; i < o; i += way->rows) {
        const int rows = NGRT_CONV_LEAST(o - i, way->rows);
        const real *a = k + i * depth;
        real *to = y + i * step;

        if (some == cols) {
            way->tile(rows, &win, a, panel, to, step, more);
            continue;
        }
        for (r = 0; r < rows && more; r++)
            memcpy(sum + r * cols, to + r * step, bytes);
        way->tile(rows, &win, a, panel, sum, cols, more);
        for (r = 0; r < rows; r++)
            memcpy(to + r * step, sum + r * cols, bytes);
    }
}

/* All kernels of a group for elements first to end of the channels of y, a tile of columns at a
 * time. What the taps meet is packed, some taps at a time. Without zeros around the images. */
static void ngrt_conv_pack(const ngrt_conv_shape *s, const real *k, const real *x, real *y,
                           ptrdiff_t first, ptrdiff_t end)
{
    real panel[NGRT_CONV_PANEL * 2 * NGRT_CONV_COLS];
    ptrdiff_t from[2 * NGRT_CONV_COLS];
    const ngrt_conv_way way = ngrt_conv_choose(end - first);
    const int cols = way.cols, by_four = s->b % 4 == 0 && first % 4 == 0; /* neighbours in x */
    int j, p, q;

    for (; first < end; first += cols) {
        const int some = end - first < cols ? (int)(end - first) : cols;

        ngrt_conv_firsts(s, first, some, from);
        for (j = some; j < cols; j++)
            from[j] = from[0];

        for (p = 0; p < s->depth; p += NGRT_CONV_PANEL) {
            const int taps = NGRT_CONV_LEAST(s->depth - p, NGRT_CONV_PANEL);

            for (q = 0; q < taps; q++) {
                const real *at =
                    x + (p + q) / s->taps * s->channel_x + ngrt_conv_tap(s, (p + q) % s->taps);
                real *to = panel + q * cols;

                if (by_four)
                    for (j = 0; j < cols; j += 4)
                        memcpy(to + j, at + from[j], 4 * sizeof *to);
                else
                    for (j = 0; j < cols; j++)
                        to[j] = at[from[j]];
            }
            ngrt_conv_panel(&way, s->o, taps, k + p, s->depth, panel, y + first, s->channel_y, some,
                            p > 0);
        }
    }
}

/* Does packing pay, though the lines of y that meet neighbours in x are as long as a tile? A line
 * that does not fill its last tile takes as long as if it did. Packed, tiles continue in the next
 * line, but taps that fall on rows of zeros are not left out. And what a tile reads is together:
 * many channels of x are too far apart to stay in the first cache, which was measured to cost a
 * half with one tap, and a quarter with more; not so where elements are packed one by one, nor with
 * the tiles of AVX-512, which read whole lines of the cache. */
static int ngrt_conv_pays_packed(const ngrt_conv_shape *s)
{
    const ptrdiff_t row = (ptrdiff_t)s->ow * s->b, all = row * s->oh;
    const ptrdiff_t line = s->sw == 1 ? row : s->b, cols = ngrt_conv_choose(line).cols;
    const int height = s->h - s->above - s->below;
    ptrdiff_t taps = 0, by_lines, packed;
    int i;

    if (s->sw > 1 && s->b % 4 != 0)
        return 0;
    for (i = 0; i < s->oh; i++) {
        int end, first = ngrt_conv_inside(i * s->sh - s->above, s->kh, s->dh, height, &end);
        taps += end - first;
    }
    by_lines = row / line * ((line + cols - 1) / cols) * taps;
    packed = (all + cols - 1) / cols * s->kh;
    if (s->c >= NGRT_CONV_MANY && s->b % 4 == 0 && cols <= NGRT_CONV_COLS)
        by_lines += by_lines / (s->taps == 1 ? 2 : 4);
    return packed + packed * 8 / s->o < by_lines;
}

/* y[o,i,j,b] = sum over c, u, v of k[o,c,u,v] x[c, i sh + u dh - ph, j sw + v dw - pw, b], for part
 * `part` of `parts` of the rows i. */
NGRT_FN void ngrt_conv(const int *n, const real *x, const real *k, real *y, int part, int parts)
{
    ngrt_conv_shape s = ngrt_conv_read(n);
    const int first = (int)((ptrdiff_t)s.oh * part / parts);
    const int end = (int)((ptrdiff_t)s.oh * (part + 1) / parts);
    const int inside = s.pw == 0 && (s.ow - 1) * s.sw + (s.kw - 1) * s.dw < s.w;
    const ptrdiff_t row_y = (ptrdiff_t)s.ow * s.b;
    const ptrdiff_t piece = s.sw == 1 && inside ? row_y : s.b;
    const int apart = inside && ngrt_conv_choose_apart(&s, s.ow).tile != NULL;
    const int short_piece = piece < NGRT_CONV_COLS && !apart;
    const int whole = inside && s.ph == 0 && (s.oh - 1) * s.sh + (s.kh - 1) * s.dh < s.h;
    const int packs = short_piece || (whole && !apart && ngrt_conv_pays_packed(&s));
    int g, i;

    if (!packs) { /* taps that fall on rows of zeros are left out */
        x += (ptrdiff_t)s.above * s.w * s.b;
        s.h -= s.above + s.below;
        s.ph += s.above;
    }
    for (g = 0; g < s.g; g++) {
        if (packs)
            ngrt_conv_pack(&s, k, x, y, first * row_y, end * row_y);
        else
            for (i = first; i < end; i++)
                ngrt_conv_row(&s, i, k, x, y);

        x += s.c * s.channel_x;
        k += (ptrdiff_t)s.o * s.depth;
        y += s.o * s.channel_y;
    }
}

/*@ convk: conv */
enum {
    NGRT_CONVK_ROWS = 6,                  /* of a tile: kernels, channels of y */
    NGRT_CONVK_COLS = 4,                  /* of a tile: taps */
    NGRT_CONVK_WIDTH = 32 / sizeof(real), /* elements of a vector of AVX2 */
    NGRT_CONVK_LANES = 64 / sizeof(real), /* partial sums of each sum */
    NGRT_CONVK_BAND = 1024,               /* elements of a channel that stay in the first cache */
    NGRT_CONVK_SUMMED = 32768,            /* terms after which the partial sums are added up */
    NGRT_CONVK_BLOCK = 13,                /* tiles of taps against one band */
    NGRT_CONVK_PANEL = 192,               /* elements of y, for which x is packed at a time */
    NGRT_CONVK_SHORT = 12                 /* elements of y for each kernel: packing pays */
};

/* The sums of a tile, each in partial sums that are added up now and then: long ones lose digits.
 */
typedef real ngrt_convk_sum[NGRT_CONVK_ROWS][NGRT_CONVK_COLS][NGRT_CONVK_LANES];

/* Where a tile's elements are: rows channels of y, and of each `lines` lines of n elements. */
typedef struct ngrt_convk_lines {
    int rows, lines, n;
    ptrdiff_t row;          /* from a channel of y to the next */
    ptrdiff_t yline, xline; /* from a line to the next */
} ngrt_convk_lines;

/* sum[i][j] += sum over all elements of y[i] x[j], for some rows i and the 4 taps j. A vector that
 * ends with a line may begin before it: its first elements can be read, and they are not used. */
typedef void ngrt_convk_tiling(const ngrt_convk_lines *at, const real *y, const real *const *x,
                               ngrt_convk_sum *sum);

#ifndef NGRT_CONV_VECTORS
/* In plain C. */
static void ngrt_convk_tile(const ngrt_convk_lines *at, const real *y, const real *const *x,
                            ngrt_convk_sum *sum)
{
    const int whole = at->n / NGRT_CONVK_WIDTH * NGRT_CONVK_WIDTH;
    int i, l, c, p, j;

    for (i = 0; i < at->rows; i++)
        for (c = 0; c < NGRT_CONVK_COLS; c++) {
            real s[NGRT_CONVK_WIDTH] = {0};

            for (l = 0; l < at->lines; l++) {
                const real *a = y + i * at->row + l * at->yline, *b = x[c] + l * at->xline;

                for (p = 0; p < whole; p += NGRT_CONVK_WIDTH)
                    for (j = 0; j < NGRT_CONVK_WIDTH; j++)
                        s[j] += a[p + j] * b[p + j];
                for (j = 0; whole + j < at->n; j++)
                    s[j] += a[whole + j] * b[whole + j];
            }
            for (j = 0; j < NGRT_CONVK_WIDTH; j++)
                (*sum)[i][c][j] += s[j];
        }
}
#else
/* What is done for each row i of a tile: its four sums are the vectors si, ti, ui and vi, and ai is
 * what is loaded of y. */
#define NGRT_CONVK_BEGIN(i) vector s##i = {0}, t##i = {0}, u##i = {0}, v##i = {0}, a##i = {0}

#define NGRT_CONVK_LOAD(i) \
    if (i < rows)          \
    a##i = *(const vector *)(from + i * row + p)

#define NGRT_CONVK_ADD_S(i) \
    if (i < rows)           \
    s##i += a##i * b
#define NGRT_CONVK_ADD_T(i) \
    if (i < rows)           \
    t##i += a##i * b
#define NGRT_CONVK_ADD_U(i) \
    if (i < rows)           \
    u##i += a##i * b
#define NGRT_CONVK_ADD_V(i) \
    if (i < rows)           \
    v##i += a##i * b

/* The last lanes of a vector, and 0 for those before: with the mask `last`. */
#define NGRT_CONVK_LAST(v) ((vector)((ints)(v)&last))
#define NGRT_CONVK_LOAD_LAST(i) \
    if (i < rows)               \
    a##i = NGRT_CONVK_LAST(*(const vector *)(from + i * row + p))

#define NGRT_CONVK_STORE(i)               \
    if (i < rows) {                       \
        vector *to = (vector *)(*sum)[i]; \
        to[0] += s##i;                    \
        to[next] += t##i;                 \
        to[2 * next] += u##i;             \
        to[3 * next] += v##i;             \
    }

/* The mask that keeps the last n bytes of a vector begins n bytes after the vector of 0 that ends
 * in the middle. */
static const int ngrt_convk_mask[32] = {0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
                                        0,  0,  0,  0,  0,  -1, -1, -1, -1, -1, -1,
                                        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

/* It is compiled for each number of rows, so that a tile's sums are in registers. What whole
 * vectors leave of a line is in the last lanes of a vector that ends with the line. */
#define NGRT_CONVK_TILE(name, target, type)                                                   \
    target NGRT_CONV_INLINE void name##_rows(const int rows, const ngrt_convk_lines *at,      \
                                             const real *y, const real *const *x,             \
                                             ngrt_convk_sum *sum)                             \
    {                                                                                         \
        typedef type vector;                                                                  \
        typedef int ints __attribute__((vector_size(sizeof(vector)), aligned(4), may_alias)); \
        enum { width = sizeof(vector) / sizeof(real), next = NGRT_CONVK_LANES / width };      \
        const real *from = y, *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];                 \
        const ptrdiff_t row = at->row;                                                        \
        const ptrdiff_t whole = at->n / width * width;                                        \
        const ptrdiff_t rest = (at->n - whole) * (ptrdiff_t)sizeof(real);                     \
        const ints last =                                                                     \
            *(const ints *)((const char *)(ngrt_convk_mask + 16) + rest - sizeof(vector));    \
        ptrdiff_t p;                                                                          \
        vector b;                                                                             \
        int l;                                                                                \
        NGRT_CONV_EACH_ROW(NGRT_CONVK_BEGIN);                                                 \
        for (l = 0; l < at->lines; l++) {                                                     \
            for (p = 0; p < whole; p += width) {                                              \
                NGRT_CONV_EACH_ROW(NGRT_CONVK_LOAD);                                          \
                b = *(const vector *)(x0 + p);                                                \
                NGRT_CONV_EACH_ROW(NGRT_CONVK_ADD_S);                                         \
                b = *(const vector *)(x1 + p);                                                \
                NGRT_CONV_EACH_ROW(NGRT_CONVK_ADD_T);                                         \
                b = *(const vector *)(x2 + p);                                                \
                NGRT_CONV_EACH_ROW(NGRT_CONVK_ADD_U);                                         \
                b = *(const vector *)(x3 + p);                                                \
                NGRT_CONV_EACH_ROW(NGRT_CONVK_ADD_V);                                         \
            }                                                                                 \
            if (rest > 0) {                                                                   \
                p = at->n - width;                                                            \
                NGRT_CONV_EACH_ROW(NGRT_CONVK_LOAD_LAST);                                     \
                b = NGRT_CONVK_LAST(*(const vector *)(x0 + p));                               \
                NGRT_CONV_EACH_ROW(NGRT_CONVK_ADD_S);                                         \
                b = NGRT_CONVK_LAST(*(const vector *)(x1 + p));                               \
                NGRT_CONV_EACH_ROW(NGRT_CONVK_ADD_T);                                         \
                b = NGRT_CONVK_LAST(*(const vector *)(x2 + p));                               \
                NGRT_CONV_EACH_ROW(NGRT_CONVK_ADD_U);                                         \
                b = NGRT_CONVK_LAST(*(const vector *)(x3 + p));                               \
                NGRT_CONV_EACH_ROW(NGRT_CONVK_ADD_V);                                         \
            }                                                                                 \
            from += at->yline;                                                                \
            x0 += at->xline;                                                                  \
            x1 += at->xline;                                                                  \
            x2 += at->xline;                                                                  \
            x3 += at->xline;                                                                  \
        }                                                                                     \
        NGRT_CONV_EACH_ROW(NGRT_CONVK_STORE);                                                 \
    }                                                                                         \
    target static void name(const ngrt_convk_lines *at, const real *y, const real *const *x,  \
                            ngrt_convk_sum *sum)                                              \
    {                                                                                         \
        switch (at->rows) {                                                                   \
        case 1: name##_rows(1, at, y, x, sum); break;                                         \
        case 2: name##_rows(2, at, y, x, sum); break;                                         \
        case 3: name##_rows(3, at, y, x, sum); break;                                         \
        case 4: name##_rows(4, at, y, x, sum); break;                                         \
        case 5: name##_rows(5, at, y, x, sum); break;                                         \
        default: name##_rows(6, at, y, x, sum); break;                                        \
        }                                                                                     \
    }

#if !defined __clang__
#pragma GCC push_options
#pragma GCC optimize("fp-contract=fast", "no-schedule-insns")
#endif
NGRT_CONVK_TILE(ngrt_convk_tile, NGRT_CONV_ANY, ngrt_conv_v16)
#ifdef __x86_64__
NGRT_CONVK_TILE(ngrt_convk_tile_avx2, NGRT_CONV_TARGET("avx2,fma"), ngrt_conv_v32)
NGRT_CONVK_TILE(ngrt_convk_tile_avx512, NGRT_CONV_TARGET("avx512f"), ngrt_conv_v64)
#endif
#if !defined __clang__
#pragma GCC pop_options
#endif
#endif

/* The best tile for this processor and lines of n, and for how many rows it has registers. */
static ngrt_convk_tiling *ngrt_convk_choose(ptrdiff_t n, int *rows)
{
    *rows = NGRT_CONVK_ROWS;
#if defined __GNUC__ && defined __x86_64__
    if (n >= 2 * NGRT_CONVK_WIDTH && __builtin_cpu_supports("avx512f"))
        return ngrt_convk_tile_avx512;
    *rows = NGRT_CONVK_ROWS / 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return ngrt_convk_tile_avx2;
#endif
    (void)n;
    return ngrt_convk_tile;
}

#if defined __GNUC__
typedef real ngrt_convk_v4
    __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));

/* The partial sums of a sum, added up. */
static real ngrt_convk_total(const real *sum)
{
    ngrt_convk_v4 all = *(const ngrt_convk_v4 *)sum;
    int j;

    for (j = 4; j < NGRT_CONVK_LANES; j += 4)
        all += *(const ngrt_convk_v4 *)(sum + j);
    return (all[0] + all[1]) + (all[2] + all[3]);
}
#else
static real ngrt_convk_total(const real *sum)
{
    real all[4] = {0};
    int j, h;

    for (j = 0; j < NGRT_CONVK_LANES; j += 4)
        for (h = 0; h < 4; h++)
            all[h] += sum[j + h];
    return (all[0] + all[1]) + (all[2] + all[3]);
}
#endif

/* Adds the sums of some tiles to kernels i.. from tap l on, and makes them 0 again. */
static void ngrt_convk_add(const ngrt_conv_shape *s, int i, int rows, int l, int tiles,
                           ngrt_convk_sum *sum, real *k)
{
    int t, r, c;

    for (t = 0; t < tiles; t++, l += NGRT_CONVK_COLS) {
        const int cols = NGRT_CONV_LEAST(s->depth - l, NGRT_CONVK_COLS);

        for (r = 0; r < rows; r++) {
            real *to = k + (ptrdiff_t)(i + r) * s->depth + l;

            for (c = 0; c < cols; c++)
                to[c] += ngrt_convk_total(sum[t][r][c]);
        }
    }
    memset(sum, 0, (size_t)tiles * sizeof *sum);
}

/* Where in x tap l of a kernel first is; l counts the taps of all channels. */
static ptrdiff_t ngrt_convk_tap(const ngrt_conv_shape *s, int l)
{
    if (l >= s->depth)
        return 0;
    return l / s->taps * s->channel_x + ngrt_conv_tap(s, l % s->taps);
}

/* All tiles of a block against some lines: `from_x` is where they are for tap 0. */
static void ngrt_convk_block(ngrt_convk_tiling *tile, const ngrt_convk_lines *at, int tiles,
                             const ptrdiff_t *tap, const real *from_y, const real *from_x,
                             ngrt_convk_sum *sum)
{
    int t;

    for (t = 0; t < tiles; t++, tap += NGRT_CONVK_COLS) {
        const real *from[NGRT_CONVK_COLS] = {from_x + tap[0], from_x + tap[1], from_x + tap[2],
                                             from_x + tap[3]};
        tile(at, from_y, from, &sum[t]);
    }
}

/* Kernels first to end of a group, where lines of y are long. A line is a row of y with step 1,
 * else one place of it. A band of lines, or a piece of one, stays in the first cache while the
 * tiles of a block pass over it. */
static void ngrt_convk_long(const ngrt_conv_shape *s, const real *x, const real *y, real *k,
                            int first, int end)
{
    const int by_rows = s->sw == 1;
    const int n = by_rows ? s->ow * s->b : s->b;
    const int lines = by_rows ? s->oh : s->ow, outer = by_rows ? 1 : s->oh;
    const int band = n < NGRT_CONVK_BAND ? NGRT_CONVK_BAND / n : 1;
    const ptrdiff_t down = (ptrdiff_t)s->sh * s->w * s->b;
    ngrt_convk_lines at = {0, 0, n, s->channel_y, n, by_rows ? down : (ptrdiff_t)s->sw * s->b};
    ngrt_convk_sum sum[NGRT_CONVK_BLOCK] = {{{{0}}}};
    int most, i, l, c, r, q, p, summed = 0;
    ngrt_convk_tiling *tile = ngrt_convk_choose(n, &most);
    const int pieces = (end - first - 1) / most + 1, rows = (end - first - 1) / pieces + 1;
    const size_t elements = (size_t)(end - first) * (size_t)s->depth;

    memset(k + (ptrdiff_t)first * s->depth, 0, elements * sizeof *k);
    for (i = first; i < end; i += rows)
        for (l = 0; l < s->depth; l += NGRT_CONVK_COLS * NGRT_CONVK_BLOCK) {
            ptrdiff_t tap[NGRT_CONVK_COLS * NGRT_CONVK_BLOCK];
            int tiles = (s->depth - l - 1) / NGRT_CONVK_COLS + 1;

            if (tiles > NGRT_CONVK_BLOCK)
                tiles = NGRT_CONVK_BLOCK;
            for (c = 0; c < tiles * NGRT_CONVK_COLS; c++)
                tap[c] = ngrt_convk_tap(s, l + c);

            at.rows = NGRT_CONV_LEAST(end - i, rows);
            for (r = 0; r < outer; r++)
                for (q = 0; q < lines; q += band) {
                    const real *from_x = x + r * down + q * at.xline;
                    const real *from_y = y + i * s->channel_y + ((ptrdiff_t)r * lines + q) * n;

                    at.lines = NGRT_CONV_LEAST(lines - q, band);
                    for (p = 0; p < n; p += NGRT_CONVK_BAND) {
                        at.n = NGRT_CONV_LEAST(n - p, NGRT_CONVK_BAND);
                        ngrt_convk_block(tile, &at, tiles, tap, from_y + p, from_x + p, sum);
                    }

                    summed += at.lines * n;
                    if (summed >= NGRT_CONVK_SUMMED) {
                        ngrt_convk_add(s, i, at.rows, l, tiles, sum, k);
                        summed = 0;
                    }
                }
            ngrt_convk_add(s, i, at.rows, l, tiles, sum, k);
            summed = 0;
        }
}

/* to[q][j] = from[tap[j] + q] for 4 taps j and q < n; rows of `to` are `cols` apart. */
static void ngrt_convk_turn(int n, const real *from, const ptrdiff_t *tap, real *to, int cols)
{
    int q = 0, j;
#if defined __GNUC__ && defined __has_builtin
#if __has_builtin(__builtin_shufflevector)
    for (; q + 4 <= n; q += 4, to += 4 * (ptrdiff_t)cols) {
        const ngrt_convk_v4 a = *(const ngrt_convk_v4 *)(from + tap[0] + q);
        const ngrt_convk_v4 b = *(const ngrt_convk_v4 *)(from + tap[1] + q);
        const ngrt_convk_v4 c = *(const ngrt_convk_v4 *)(from + tap[2] + q);
        const ngrt_convk_v4 d = *(const ngrt_convk_v4 *)(from + tap[3] + q);
        const ngrt_convk_v4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
        const ngrt_convk_v4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
        const ngrt_convk_v4 ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
        const ngrt_convk_v4 cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);

        *(ngrt_convk_v4 *)to = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
        *(ngrt_convk_v4 *)(to + cols) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
        *(ngrt_convk_v4 *)(to + 2 * cols) = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
        *(ngrt_convk_v4 *)(to + 3 * cols) = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
    }
#endif
#endif
    for (; q < n; q++, to += cols)
        for (j = 0; j < 4; j++)
            to[j] = from[tap[j] + q];
}

/* panel[p][j] = what a tap meets with element begin + p of a channel of y, for n elements and
 * `taps` taps; tap[j] is where the tap first is in x. 0 for other j. */
static void ngrt_convk_gather(const ngrt_conv_shape *s, const real *x, ptrdiff_t begin, int n,
                              const ptrdiff_t *tap, int taps, int cols, real *panel)
{
    const int line = s->sw == 1 ? s->ow * s->b : s->b; /* neighbours in y and in x */
    int p, q, j;

    for (p = 0; p < n; p += q) {
        const int rest = line - (int)((begin + p) % line), run = NGRT_CONV_LEAST(n - p, rest);
        const real *from = x + ngrt_conv_first(s, begin + p);
        real *to = panel + (ptrdiff_t)p * cols;

        for (j = 0; j + 4 <= taps; j += 4)
            ngrt_convk_turn(run, from, tap + j, to + j, cols);
        for (; j < taps; j++)
            for (q = 0; q < run; q++)
                to[(ptrdiff_t)q * cols + j] = from[tap[j] + q];
        for (q = 0; q < run && taps < cols; q++)
            memset(to + (ptrdiff_t)q * cols + taps, 0, (size_t)(cols - taps) * sizeof *to);
        q = run;
    }
}

/* The same where lines or sums are short: what some taps meet is packed, so that each lane of a
 * tile is another tap, and no partial sums are left to be added up. */
static void ngrt_convk_pack(const ngrt_conv_shape *s, const real *x, const real *y, real *k,
                            int first, int end)
{
    real panel[NGRT_CONVK_PANEL * 2 * NGRT_CONV_COLS];
    const ngrt_conv_way way = ngrt_conv_choose(s->depth);
    const int cols = way.cols;
    ptrdiff_t begin;
    int l, j;

    for (l = 0; l < s->depth; l += cols) {
        const int taps = NGRT_CONV_LEAST(s->depth - l, cols);
        ptrdiff_t tap[2 * NGRT_CONV_COLS];

        for (j = 0; j < taps; j++)
            tap[j] = ngrt_convk_tap(s, l + j);
        for (begin = 0; begin < s->channel_y; begin += NGRT_CONVK_PANEL) {
            const ptrdiff_t rest = s->channel_y - begin;
            const int n = rest < NGRT_CONVK_PANEL ? (int)rest : NGRT_CONVK_PANEL;

            ngrt_convk_gather(s, x, begin, n, tap, taps, cols, panel);
            ngrt_conv_panel(&way, end - first, n, y + first * s->channel_y + begin, s->channel_y,
                            panel, k + (ptrdiff_t)first * s->depth + l, s->depth, taps, begin > 0);
        }
    }
}

/* k[o,c,u,v] = sum over i, j, b of x[c, i sh + u dh, j sw + v dw, b] y[o,i,j,b], for part `part` of
 * `parts` of the kernels o of all groups. */
NGRT_FN void ngrt_convk(const int *n, const real *x, const real *y, real *k, int part, int parts)
{
    const ngrt_conv_shape s = ngrt_conv_read(n);
    const int all = s.g * s.o;
    const int first = (int)((ptrdiff_t)all * part / parts);
    const int end = (int)((ptrdiff_t)all * (part + 1) / parts);
    const int line = s.sw == 1 ? s.ow * s.b : s.b; /* neighbours in y and in x */
    const int shortest = s.o < 4 ? NGRT_CONVK_WIDTH : NGRT_CONV_COLS;
    int g;

    for (g = first / s.o; g * s.o < end; g++) {
        /* the kernels of this group that are in this part */
        const int from = first > g * s.o ? first - g * s.o : 0;
        const int to = NGRT_CONV_LEAST(end - g * s.o, s.o);
        const real *gx = x + g * s.c * s.channel_x, *gy = y + g * s.o * s.channel_y;
        real *gk = k + (ptrdiff_t)g * s.o * s.depth;

        if (line >= shortest && s.channel_y > (ptrdiff_t)NGRT_CONVK_SHORT * s.o)
            ngrt_convk_long(&s, gx, gy, gk, from, to);
        else
            ngrt_convk_pack(&s, gx, gy, gk, from, to);
    }
}

/*@ end: */
