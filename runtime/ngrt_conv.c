/* ngrt_conv.c - convolutions of images whose last axis is the batch, and what changes their kernels; see ngrt.h.
 *
 * With step 1 what a tap of the kernel meets along a row of the result is one piece of memory, since columns and batch are
 * neighbours: a convolution is a matrix product whose right side needs no copy. Where pieces are shorter than a tile, they are
 * copied together.
 *
 * Sections as in ngrt_gemm.c; dconv and dconvk are sconv and sconvk with double for float and half the columns.
 */
#include "ngrt.h"

#include <string.h>

#define NGRT_FN

/*@ sconv: */
enum { NGRT_SC_ROWS = 6, NGRT_SC_COLS = 16, NGRT_SC_PANEL = 192 };

/* n as it came, and distances in memory. */
typedef struct ngrt_sc_shape {
    int g, c, o, h, w, b, kh, kw, oh, ow, sh, sw, dh, dw, ph, pw;
    int taps, depth;        /* of one kernel and channel; of one kernel */
    ptrdiff_t plane, place; /* of a channel of x; of y */
} ngrt_sc_shape;

static ngrt_sc_shape ngrt_sc_read(const int *n) {
    ngrt_sc_shape s = { n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11], n[12], n[13], n[14], n[15],
                        0, 0, 0, 0 };
    s.taps = s.kh * s.kw;
    s.depth = s.c * s.taps;
    s.plane = (ptrdiff_t)s.h * s.w * s.b;
    s.place = (ptrdiff_t)s.oh * s.ow * s.b;
    return s;
}

/* What a tile sums up, for each of c channels: a window of u rows of v numbers of k with what these meet in x. The next channel,
 * row and number are kc, ku, 1 further in k and xc, xu, xv in x; the next kernel is `depth` further. */
typedef struct ngrt_sc_job {
    int c, u, v;
    ptrdiff_t kc, ku, xc, xu, xv, depth;
} ngrt_sc_job;

/* y[i][j] = sum of k x for some rows i, step apart, and all columns j of a tile; added to y if more. */
typedef void ngrt_sc_tile(int rows, const ngrt_sc_job *job, const float *k, const float *x, float *y, ptrdiff_t step, int more);

/* In C alone. */
static void ngrt_sc_plain(int rows, const ngrt_sc_job *job, const float *k, const float *x, float *y, ptrdiff_t step, int more) {
    int i, j, h, c, u, v;
    for (i = 0; i < rows; i++, k += job->depth, y += step)
        for (h = 0; h < NGRT_SC_COLS; h += 8) {
            float s[8] = {0};
            if (more)
                memcpy(s, y + h, sizeof s);
            for (c = 0; c < job->c; c++)
                for (u = 0; u < job->u; u++)
                    for (v = 0; v < job->v; v++) {
                        const float a = k[c * job->kc + u * job->ku + v], *at = x + h + c * job->xc + u * job->xu + v * job->xv;
                        for (j = 0; j < 8; j++)
                            s[j] += a * at[j];
                    }
            memcpy(y + h, s, sizeof s);
        }
}

#if defined __GNUC__ && defined __x86_64__
typedef float ngrt_sc_v __attribute__((vector_size(32), aligned(4), may_alias));
typedef float ngrt_sc_w __attribute__((vector_size(64), aligned(4), may_alias));

/* A tile of two vectors and as many rows as there are; each number of rows is compiled on its own, its sums in registers. */
#define NGRT_SC_ROW(i) \
    if (rows > i) \
        s##i += a[at##i] * p, t##i += a[at##i] * q;
#define NGRT_SC_LOAD(i) \
    if (rows > i) \
        s##i = ((const vector *)(y + i * step))[0], t##i = ((const vector *)(y + i * step))[1];
#define NGRT_SC_KEEP(i) \
    if (rows > i) \
        ((vector *)(y + i * step))[0] = s##i, ((vector *)(y + i * step))[1] = t##i;
#define NGRT_SC_TILE(name, type, isa) \
    __attribute__((target(isa), always_inline)) static inline void name##_rows( \
        const int rows, const ngrt_sc_job *job, const float *k, const float *x, float *y, ptrdiff_t step, int more) { \
        typedef type vector; \
        vector s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}; \
        vector t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0}, t4 = {0}, t5 = {0}; \
        const ptrdiff_t at0 = 0, at1 = job->depth, at2 = 2 * at1, at3 = 3 * at1, at4 = 4 * at1, at5 = 5 * at1, xv = job->xv; \
        int c, u, v; \
        if (more) { \
            NGRT_SC_LOAD(0) NGRT_SC_LOAD(1) NGRT_SC_LOAD(2) NGRT_SC_LOAD(3) NGRT_SC_LOAD(4) NGRT_SC_LOAD(5) \
        } \
        for (c = 0; c < job->c; c++) \
            for (u = 0; u < job->u; u++) { \
                const float *a = k + c * job->kc + u * job->ku, *from = x + c * job->xc + u * job->xu; \
                for (v = job->v; v > 0; v--, a++, from += xv) { \
                    const vector p = ((const vector *)from)[0], q = ((const vector *)from)[1]; \
                    NGRT_SC_ROW(0) NGRT_SC_ROW(1) NGRT_SC_ROW(2) NGRT_SC_ROW(3) NGRT_SC_ROW(4) NGRT_SC_ROW(5) \
                } \
            } \
        NGRT_SC_KEEP(0) NGRT_SC_KEEP(1) NGRT_SC_KEEP(2) NGRT_SC_KEEP(3) NGRT_SC_KEEP(4) NGRT_SC_KEEP(5) \
    } \
    __attribute__((target(isa))) static void name(int rows, const ngrt_sc_job *job, const float *k, const float *x, float *y, \
                                                  ptrdiff_t step, int more) { \
        switch (rows) { \
        case 1: name##_rows(1, job, k, x, y, step, more); break; \
        case 2: name##_rows(2, job, k, x, y, step, more); break; \
        case 3: name##_rows(3, job, k, x, y, step, more); break; \
        case 4: name##_rows(4, job, k, x, y, step, more); break; \
        case 5: name##_rows(5, job, k, x, y, step, more); break; \
        default: name##_rows(6, job, k, x, y, step, more); break; \
        } \
    }

#if !defined __clang__ /* also where a C standard is asked for */
#pragma GCC push_options
#pragma GCC optimize("fp-contract=fast")
#endif
NGRT_SC_TILE(ngrt_sc_avx2, ngrt_sc_v, "avx2,fma")
NGRT_SC_TILE(ngrt_sc_avx512, ngrt_sc_w, "avx512f")
#if !defined __clang__
#pragma GCC pop_options
#endif
#endif

/* The best tile for this processor and so many columns, and how many it has. */
static ngrt_sc_tile *ngrt_sc_choose(ptrdiff_t n, int *cols) {
    *cols = NGRT_SC_COLS;
#if defined __GNUC__ && defined __x86_64__
    if (n >= 2 * NGRT_SC_COLS && __builtin_cpu_supports("avx512f")) {
        *cols = 2 * NGRT_SC_COLS;
        return ngrt_sc_avx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return ngrt_sc_avx2;
#endif
    (void)n;
    return ngrt_sc_plain;
}

/* All kernels of a group for n columns of the result, at least as many as a tile has, where what each tap meets is in one piece.
 * The last tile is moved back onto the one before. */
static void ngrt_sc_piece(const ngrt_sc_shape *s, const ngrt_sc_job *job, ptrdiff_t n, const float *k, const float *x, float *y) {
    int cols, i, even = (s->o - 1) / NGRT_SC_ROWS + 1, rows = (s->o - 1) / even + 1;
    ngrt_sc_tile *tile = ngrt_sc_choose(n, &cols);
    ptrdiff_t j = 0;
    for (;;) {
        for (i = 0; i < s->o; i += rows)
            tile(s->o - i < rows ? s->o - i : rows, job, k + i * job->depth, x + j, y + i * s->place + j, s->place, 0);
        if (j + cols >= n)
            break;
        j = j + 2 * cols <= n ? j + cols : n - cols;
    }
}

/* Which taps, first to *end, meet something of an axis of n, if the first of them all meets place `at`? */
static int ngrt_sc_window(int at, int taps, int step, int n, int *end) {
    int first = at < 0 ? (step - 1 - at) / step : 0;
    *end = at >= n ? 0 : (n - 1 - at) / step + 1;
    *end = *end > taps ? taps : *end;
    return first < *end ? first : *end;
}

/* Row i of the planes of y: of the taps of each place, those that meet something. */
static void ngrt_sc_row(const ngrt_sc_shape *s, int i, ptrdiff_t piece, const float *k, const float *x, float *y) {
    const ptrdiff_t line = (ptrdiff_t)s->w * s->b;
    ngrt_sc_job job = { s->c, 0, 0, s->taps, s->kw, s->plane, s->dh * line, (ptrdiff_t)s->dw * s->b, s->depth };
    int j, u, v, top = i * s->sh - s->ph;
    u = ngrt_sc_window(top, s->kh, s->dh, s->h, &job.u);
    job.u -= u;
    for (j = 0; j < s->ow; j += (int)(piece / s->b)) {
        int left = j * s->sw - s->pw;
        v = ngrt_sc_window(left, s->kw, s->dw, s->w, &job.v);
        job.v -= v;
        ngrt_sc_piece(s, &job, piece, k + u * s->kw + v, job.u > 0 && job.v > 0 ? x + (top + u * s->dh) * line + (ptrdiff_t)(left + v * s->dw) * s->b : x,
                      y + ((ptrdiff_t)i * s->ow + j) * s->b);
    }
}

/* Where in a channel of x the first tap meets what makes element i of a plane of y. */
static ptrdiff_t ngrt_sc_from(const ngrt_sc_shape *s, ptrdiff_t i) {
    ptrdiff_t place = i / s->b;
    return ((place / s->ow * s->sh) * s->w + place % s->ow * s->sw) * s->b + i % s->b;
}

/* How far what tap t meets is from what tap 0 meets. */
static ptrdiff_t ngrt_sc_tap(const ngrt_sc_shape *s, int t) {
    return ((ptrdiff_t)(t / s->kw) * s->dh * s->w + (ptrdiff_t)(t % s->kw) * s->dw) * s->b;
}

/* All kernels of a group for elements first to end of the planes of y, a tile of columns at a time; what is met is copied to
 * a panel, so many taps at a time. Without zeros around. */
static void ngrt_sc_pack(const ngrt_sc_shape *s, const float *k, const float *x, float *y, ptrdiff_t first, ptrdiff_t end) {
    float panel[NGRT_SC_PANEL * NGRT_SC_COLS], sum[NGRT_SC_ROWS * NGRT_SC_COLS];
    ptrdiff_t from[NGRT_SC_COLS];
    int cols, i, j, r, p, q;
    ngrt_sc_tile *tile = ngrt_sc_choose(NGRT_SC_COLS, &cols);
    for (; first < end; first += NGRT_SC_COLS) {
        int some = end - first < NGRT_SC_COLS ? (int)(end - first) : NGRT_SC_COLS;
        for (j = 0; j < NGRT_SC_COLS; j++)
            from[j] = ngrt_sc_from(s, first + (j < some ? j : 0));
        for (p = 0; p < s->depth; p += NGRT_SC_PANEL) {
            ngrt_sc_job job = { 1, 1, s->depth - p < NGRT_SC_PANEL ? s->depth - p : NGRT_SC_PANEL, 0, 0, 0, 0, NGRT_SC_COLS, s->depth };
            for (q = 0; q < job.v; q++) {
                const float *at = x + (p + q) / s->taps * s->plane + ngrt_sc_tap(s, (p + q) % s->taps);
                for (j = 0; j < NGRT_SC_COLS; j++)
                    panel[q * NGRT_SC_COLS + j] = at[from[j]];
            }
            for (i = 0; i < s->o; i += NGRT_SC_ROWS) {
                int rows = s->o - i < NGRT_SC_ROWS ? s->o - i : NGRT_SC_ROWS;
                for (r = 0; r < rows && p > 0; r++)
                    memcpy(sum + r * NGRT_SC_COLS, y + (i + r) * s->place + first, (size_t)some * sizeof *sum);
                tile(rows, &job, k + (ptrdiff_t)i * s->depth + p, panel, sum, NGRT_SC_COLS, p > 0);
                for (r = 0; r < rows; r++)
                    memcpy(y + (i + r) * s->place + first, sum + r * NGRT_SC_COLS, (size_t)some * sizeof *sum);
            }
        }
    }
}

NGRT_FN void ngrt_sconv(const int *n, const float *x, const float *k, float *y, int part, int parts) {
    const ngrt_sc_shape s = ngrt_sc_read(n);
    int inside = s.pw == 0 && (s.ow - 1) * s.sw + (s.kw - 1) * s.dw < s.w;
    ptrdiff_t line = (ptrdiff_t)s.ow * s.b, piece = s.sw == 1 && inside ? line : s.b;
    int first = (int)((ptrdiff_t)s.oh * part / parts), end = (int)((ptrdiff_t)s.oh * (part + 1) / parts), g, i;
    for (g = 0; g < s.g; g++, x += s.c * s.plane, k += (ptrdiff_t)s.o * s.depth, y += s.o * s.place)
        if (piece < NGRT_SC_COLS)
            ngrt_sc_pack(&s, k, x, y, first * line, end * line);
        else
            for (i = first; i < end; i++)
                ngrt_sc_row(&s, i, piece, k, x, y);
}

/*@ sconvk: sconv */
enum { NGRT_SK_ROWS = 6, NGRT_SK_COLS = 4, NGRT_SK_WIDTH = 8, NGRT_SK_LANES = 16, NGRT_SK_BAND = 1024, NGRT_SK_BLOCK = 13 };

/* The sums of a tile, each in parts that are added up at the end. */
typedef float ngrt_sk_sum[NGRT_SK_ROWS][NGRT_SK_COLS][NGRT_SK_LANES];

/* sum[i][j] += sum over lines and places of y[i] x[j], for some rows i of y, `row` apart, and what 4 taps meet; a line has n places,
 * and the next is xline and yline further. Returns how many of the n it could take in whole vectors. */
typedef struct ngrt_sk_job {
    int rows, lines, n;
    ptrdiff_t row, yline, xline;
} ngrt_sk_job;

typedef int ngrt_sk_tile(const ngrt_sk_job *job, const float *y, const float *const *x, float (*sum)[NGRT_SK_COLS][NGRT_SK_LANES]);

/* In C alone. */
static int ngrt_sk_plain(const ngrt_sk_job *job, const float *y, const float *const *x, float (*sum)[NGRT_SK_COLS][NGRT_SK_LANES]) {
    int i, l, c, p, j, whole = job->n / NGRT_SK_WIDTH * NGRT_SK_WIDTH;
    for (i = 0; i < job->rows; i++)
        for (c = 0; c < NGRT_SK_COLS; c++) {
            float s[NGRT_SK_WIDTH] = {0};
            for (l = 0; l < job->lines; l++) {
                const float *a = y + i * job->row + l * job->yline, *b = x[c] + l * job->xline;
                for (p = 0; p < whole; p += NGRT_SK_WIDTH)
                    for (j = 0; j < NGRT_SK_WIDTH; j++)
                        s[j] += a[p + j] * b[p + j];
            }
            for (j = 0; j < NGRT_SK_WIDTH; j++)
                sum[i][c][j] += s[j];
        }
    return whole;
}

#if defined __GNUC__ && defined __x86_64__
/* As many rows as there are, each number of them compiled on its own: a row's four sums, and what is loaded of y, in registers. */
#define NGRT_SK_ZERO(i) vector s##i = {0}, t##i = {0}, u##i = {0}, v##i = {0}, a##i = {0};
#define NGRT_SK_LOAD(i) \
    if (rows > i) \
        a##i = *(const vector *)(from + i * row + p);
#define NGRT_SK_TAP(to, c) \
    b = *(const vector *)(x##c + p); \
    NGRT_SK_ADD(to, 0) NGRT_SK_ADD(to, 1) NGRT_SK_ADD(to, 2) NGRT_SK_ADD(to, 3) NGRT_SK_ADD(to, 4) NGRT_SK_ADD(to, 5)
#define NGRT_SK_ADD(to, i) \
    if (rows > i) \
        to##i += a##i * b;
#define NGRT_SK_KEEP(i) \
    if (rows > i) { \
        vector *to = (vector *)sum[i]; \
        enum { next = NGRT_SK_LANES / width }; \
        to[0] += s##i, to[next] += t##i, to[2 * next] += u##i, to[3 * next] += v##i; \
    }
#define NGRT_SK_TILE(name, type, isa) \
    __attribute__((target(isa), always_inline)) static inline int name##_rows( \
        const int rows, const ngrt_sk_job *job, const float *y, const float *const *x, float (*sum)[NGRT_SK_COLS][NGRT_SK_LANES]) { \
        typedef type vector; \
        enum { width = sizeof(vector) / sizeof(float) }; \
        NGRT_SK_ZERO(0) NGRT_SK_ZERO(1) NGRT_SK_ZERO(2) NGRT_SK_ZERO(3) NGRT_SK_ZERO(4) NGRT_SK_ZERO(5) \
        const float *from = y, *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3]; \
        const ptrdiff_t row = job->row; \
        ptrdiff_t p, whole = job->n / width * width; \
        int l; \
        for (l = 0; l < job->lines; l++) { \
            for (p = 0; p < whole; p += width) { \
                vector b; \
                NGRT_SK_LOAD(0) NGRT_SK_LOAD(1) NGRT_SK_LOAD(2) NGRT_SK_LOAD(3) NGRT_SK_LOAD(4) NGRT_SK_LOAD(5) \
                NGRT_SK_TAP(s, 0) NGRT_SK_TAP(t, 1) NGRT_SK_TAP(u, 2) NGRT_SK_TAP(v, 3) \
            } \
            from += job->yline, x0 += job->xline, x1 += job->xline, x2 += job->xline, x3 += job->xline; \
        } \
        NGRT_SK_KEEP(0) NGRT_SK_KEEP(1) NGRT_SK_KEEP(2) NGRT_SK_KEEP(3) NGRT_SK_KEEP(4) NGRT_SK_KEEP(5) \
        return (int)whole; \
    } \
    __attribute__((target(isa))) static int name(const ngrt_sk_job *job, const float *y, const float *const *x, \
                                                 float (*sum)[NGRT_SK_COLS][NGRT_SK_LANES]) { \
        switch (job->rows) { \
        case 1: return name##_rows(1, job, y, x, sum); \
        case 2: return name##_rows(2, job, y, x, sum); \
        case 3: return name##_rows(3, job, y, x, sum); \
        case 4: return name##_rows(4, job, y, x, sum); \
        case 5: return name##_rows(5, job, y, x, sum); \
        default: return name##_rows(6, job, y, x, sum); \
        } \
    }

#if !defined __clang__ /* also where a C standard is asked for */
#pragma GCC push_options
#pragma GCC optimize("fp-contract=fast")
#endif
NGRT_SK_TILE(ngrt_sk_avx2, ngrt_sc_v, "avx2,fma")
NGRT_SK_TILE(ngrt_sk_avx512, ngrt_sc_w, "avx512f")
#if !defined __clang__
#pragma GCC pop_options
#endif
#endif

/* The best tile for this processor and lines of n, and for how many rows it has registers. */
static ngrt_sk_tile *ngrt_sk_choose(ptrdiff_t n, int *rows) {
    *rows = NGRT_SK_ROWS;
#if defined __GNUC__ && defined __x86_64__
    if (n >= 2 * NGRT_SK_WIDTH && __builtin_cpu_supports("avx512f"))
        return ngrt_sk_avx512;
    *rows = NGRT_SK_ROWS / 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return ngrt_sk_avx2;
#endif
    (void)n;
    return ngrt_sk_plain;
}

/* A tile, and what it leaves of each line: not called from it, where GCC would forget to end its use of wide registers. */
static void ngrt_sk_both(ngrt_sk_tile *tile, const ngrt_sk_job *job, const float *y, const float *const *x, ngrt_sk_sum *sum) {
    int whole = tile(job, y, x, *sum), i, l, c, p;
    for (i = 0; i < job->rows && whole < job->n; i++)
        for (c = 0; c < NGRT_SK_COLS; c++)
            for (l = 0; l < job->lines; l++)
                for (p = whole; p < job->n; p++)
                    (*sum)[i][c][0] += y[i * job->row + l * job->yline + p] * x[c][l * job->xline + p];
}

/* Adds the sums of the tiles of kernels i.. from tap l on, and forgets them. */
static void ngrt_sk_add(const ngrt_sc_shape *s, int i, int rows, int l, int tiles, ngrt_sk_sum *sum, float *k) {
    int t, r, c, j, h;
    for (t = 0; t < tiles; t++, l += NGRT_SK_COLS)
        for (r = 0; r < rows; r++)
            for (c = 0; c < NGRT_SK_COLS && l + c < s->depth; c++) {
                float all[4] = {0};
                for (j = 0; j < NGRT_SK_LANES; j += 4)
                    for (h = 0; h < 4; h++)
                        all[h] += sum[t][r][c][j + h];
                k[(ptrdiff_t)(i + r) * s->depth + l + c] += (all[0] + all[1]) + (all[2] + all[3]);
            }
    memset(sum, 0, (size_t)tiles * sizeof *sum);
}

/* Where in x what tap l of a kernel, channels and taps counted together, first meets. */
static ptrdiff_t ngrt_sk_tap(const ngrt_sc_shape *s, int l) {
    return l < s->depth ? l / s->taps * s->plane + ngrt_sc_tap(s, l % s->taps) : 0;
}

/* Kernels first to end of a group, where lines of y are long: a band of lines at a time, so that it stays in the first cache, and
 * the taps of a block. */
static void ngrt_sk_lines(const ngrt_sc_shape *s, const float *x, const float *y, float *k, int first, int end) {
    int by_rows = s->sw == 1, lines = by_rows ? s->oh : s->ow, outer = by_rows ? 1 : s->oh, i, l, c, r, q, t;
    int n = by_rows ? s->ow * s->b : s->b, band = n < NGRT_SK_BAND ? NGRT_SK_BAND / n : 1;
    int most, even, rows;
    const ptrdiff_t down = (ptrdiff_t)s->sh * s->w * s->b;
    ngrt_sk_job job = { 0, 0, n, s->place, n, by_rows ? down : (ptrdiff_t)s->sw * s->b };
    ngrt_sk_sum sum[NGRT_SK_BLOCK] = {{{{0}}}};
    ngrt_sk_tile *tile = ngrt_sk_choose(n, &most);
    even = (end - first - 1) / most + 1, rows = (end - first - 1) / even + 1;
    for (i = first; i < end; i += rows)
        for (l = 0; l < s->depth; l += NGRT_SK_COLS * NGRT_SK_BLOCK) {
            ptrdiff_t tap[NGRT_SK_COLS * NGRT_SK_BLOCK];
            int tiles = (s->depth - l - 1) / NGRT_SK_COLS + 1;
            tiles = tiles > NGRT_SK_BLOCK ? NGRT_SK_BLOCK : tiles;
            for (c = 0; c < tiles * NGRT_SK_COLS; c++)
                tap[c] = ngrt_sk_tap(s, l + c);
            job.rows = end - i < rows ? end - i : rows;
            for (r = 0; r < outer; r++)
                for (q = 0; q < lines; q += band) {
                    const float *at = x + r * down + q * job.xline;
                    job.lines = lines - q < band ? lines - q : band;
                    for (t = 0; t < tiles; t++) {
                        const ptrdiff_t *o = tap + t * NGRT_SK_COLS;
                        const float *from[NGRT_SK_COLS] = { at + o[0], at + o[1], at + o[2], at + o[3] };
                        ngrt_sk_both(tile, &job, y + i * s->place + ((ptrdiff_t)r * lines + q) * n, from, &sum[t]);
                    }
                }
            ngrt_sk_add(s, i, job.rows, l, tiles, sum, k);
        }
}

/* The same where they are short: what the taps meet is copied together first. */
static void ngrt_sk_pack(const ngrt_sc_shape *s, const float *x, const float *y, float *k, int first, int end) {
    float panel[NGRT_SK_COLS][NGRT_SK_BAND];
    const float *from[NGRT_SK_COLS] = { panel[0], panel[1], panel[2], panel[3] };
    ngrt_sk_sum sum = {{{0}}};
    int i, l, c, p, rows;
    ngrt_sk_tile *tile = ngrt_sk_choose(s->place, &rows);
    ptrdiff_t at;
    for (at = 0; at < s->place; at += NGRT_SK_BAND) {
        int some = s->place - at < NGRT_SK_BAND ? (int)(s->place - at) : NGRT_SK_BAND;
        for (l = 0; l < s->depth; l += NGRT_SK_COLS) {
            ngrt_sk_job job = { 0, 1, some, s->place, 0, 0 };
            ptrdiff_t tap[NGRT_SK_COLS];
            for (c = 0; c < NGRT_SK_COLS; c++)
                tap[c] = ngrt_sk_tap(s, l + c);
            for (p = 0; p < some; p++) {
                ptrdiff_t place = ngrt_sc_from(s, at + p);
                for (c = 0; c < NGRT_SK_COLS; c++)
                    panel[c][p] = x[tap[c] + place];
            }
            for (i = first; i < end; i += rows) {
                job.rows = end - i < rows ? end - i : rows;
                ngrt_sk_both(tile, &job, y + i * s->place + at, from, &sum);
                ngrt_sk_add(s, i, job.rows, l, 1, &sum, k);
            }
        }
    }
}

NGRT_FN void ngrt_sconvk(const int *n, const float *x, const float *y, float *k, int part, int parts) {
    const ngrt_sc_shape s = ngrt_sc_read(n);
    int all = s.g * s.o, first = (int)((ptrdiff_t)all * part / parts), end = (int)((ptrdiff_t)all * (part + 1) / parts), g;
    memset(k + (ptrdiff_t)first * s.depth, 0, (size_t)(end - first) * (size_t)s.depth * sizeof *k);
    for (g = first / s.o; g * s.o < end; g++) { /* of each group, the kernels that are in this part */
        int from = first > g * s.o ? first - g * s.o : 0, to = end - g * s.o < s.o ? end - g * s.o : s.o;
        const float *gx = x + g * s.c * s.plane, *gy = y + g * s.o * s.place;
        float *gk = k + (ptrdiff_t)g * s.o * s.depth;
        if ((s.sw == 1 ? s.ow * s.b : s.b) >= NGRT_SC_COLS)
            ngrt_sk_lines(&s, gx, gy, gk, from, to);
        else
            ngrt_sk_pack(&s, gx, gy, gk, from, to);
    }
}

/*@ dconv: */
enum { NGRT_DC_ROWS = 6, NGRT_DC_COLS = 8, NGRT_DC_PANEL = 192 };

/* n as it came, and distances in memory. */
typedef struct ngrt_dc_shape {
    int g, c, o, h, w, b, kh, kw, oh, ow, sh, sw, dh, dw, ph, pw;
    int taps, depth;        /* of one kernel and channel; of one kernel */
    ptrdiff_t plane, place; /* of a channel of x; of y */
} ngrt_dc_shape;

static ngrt_dc_shape ngrt_dc_read(const int *n) {
    ngrt_dc_shape s = { n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11], n[12], n[13], n[14], n[15],
                        0, 0, 0, 0 };
    s.taps = s.kh * s.kw;
    s.depth = s.c * s.taps;
    s.plane = (ptrdiff_t)s.h * s.w * s.b;
    s.place = (ptrdiff_t)s.oh * s.ow * s.b;
    return s;
}

/* What a tile sums up, for each of c channels: a window of u rows of v numbers of k with what these meet in x. The next channel,
 * row and number are kc, ku, 1 further in k and xc, xu, xv in x; the next kernel is `depth` further. */
typedef struct ngrt_dc_job {
    int c, u, v;
    ptrdiff_t kc, ku, xc, xu, xv, depth;
} ngrt_dc_job;

/* y[i][j] = sum of k x for some rows i, step apart, and all columns j of a tile; added to y if more. */
typedef void ngrt_dc_tile(int rows, const ngrt_dc_job *job, const double *k, const double *x, double *y, ptrdiff_t step, int more);

/* In C alone. */
static void ngrt_dc_plain(int rows, const ngrt_dc_job *job, const double *k, const double *x, double *y, ptrdiff_t step, int more) {
    int i, j, h, c, u, v;
    for (i = 0; i < rows; i++, k += job->depth, y += step)
        for (h = 0; h < NGRT_DC_COLS; h += 8) {
            double s[8] = {0};
            if (more)
                memcpy(s, y + h, sizeof s);
            for (c = 0; c < job->c; c++)
                for (u = 0; u < job->u; u++)
                    for (v = 0; v < job->v; v++) {
                        const double a = k[c * job->kc + u * job->ku + v], *at = x + h + c * job->xc + u * job->xu + v * job->xv;
                        for (j = 0; j < 8; j++)
                            s[j] += a * at[j];
                    }
            memcpy(y + h, s, sizeof s);
        }
}

#if defined __GNUC__ && defined __x86_64__
typedef double ngrt_dc_v __attribute__((vector_size(32), aligned(8), may_alias));
typedef double ngrt_dc_w __attribute__((vector_size(64), aligned(8), may_alias));

/* A tile of two vectors and as many rows as there are; each number of rows is compiled on its own, its sums in registers. */
#define NGRT_DC_ROW(i) \
    if (rows > i) \
        s##i += a[at##i] * p, t##i += a[at##i] * q;
#define NGRT_DC_LOAD(i) \
    if (rows > i) \
        s##i = ((const vector *)(y + i * step))[0], t##i = ((const vector *)(y + i * step))[1];
#define NGRT_DC_KEEP(i) \
    if (rows > i) \
        ((vector *)(y + i * step))[0] = s##i, ((vector *)(y + i * step))[1] = t##i;
#define NGRT_DC_TILE(name, type, isa) \
    __attribute__((target(isa), always_inline)) static inline void name##_rows( \
        const int rows, const ngrt_dc_job *job, const double *k, const double *x, double *y, ptrdiff_t step, int more) { \
        typedef type vector; \
        vector s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}; \
        vector t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0}, t4 = {0}, t5 = {0}; \
        const ptrdiff_t at0 = 0, at1 = job->depth, at2 = 2 * at1, at3 = 3 * at1, at4 = 4 * at1, at5 = 5 * at1, xv = job->xv; \
        int c, u, v; \
        if (more) { \
            NGRT_DC_LOAD(0) NGRT_DC_LOAD(1) NGRT_DC_LOAD(2) NGRT_DC_LOAD(3) NGRT_DC_LOAD(4) NGRT_DC_LOAD(5) \
        } \
        for (c = 0; c < job->c; c++) \
            for (u = 0; u < job->u; u++) { \
                const double *a = k + c * job->kc + u * job->ku, *from = x + c * job->xc + u * job->xu; \
                for (v = job->v; v > 0; v--, a++, from += xv) { \
                    const vector p = ((const vector *)from)[0], q = ((const vector *)from)[1]; \
                    NGRT_DC_ROW(0) NGRT_DC_ROW(1) NGRT_DC_ROW(2) NGRT_DC_ROW(3) NGRT_DC_ROW(4) NGRT_DC_ROW(5) \
                } \
            } \
        NGRT_DC_KEEP(0) NGRT_DC_KEEP(1) NGRT_DC_KEEP(2) NGRT_DC_KEEP(3) NGRT_DC_KEEP(4) NGRT_DC_KEEP(5) \
    } \
    __attribute__((target(isa))) static void name(int rows, const ngrt_dc_job *job, const double *k, const double *x, double *y, \
                                                  ptrdiff_t step, int more) { \
        switch (rows) { \
        case 1: name##_rows(1, job, k, x, y, step, more); break; \
        case 2: name##_rows(2, job, k, x, y, step, more); break; \
        case 3: name##_rows(3, job, k, x, y, step, more); break; \
        case 4: name##_rows(4, job, k, x, y, step, more); break; \
        case 5: name##_rows(5, job, k, x, y, step, more); break; \
        default: name##_rows(6, job, k, x, y, step, more); break; \
        } \
    }

#if !defined __clang__ /* also where a C standard is asked for */
#pragma GCC push_options
#pragma GCC optimize("fp-contract=fast")
#endif
NGRT_DC_TILE(ngrt_dc_avx2, ngrt_dc_v, "avx2,fma")
NGRT_DC_TILE(ngrt_dc_avx512, ngrt_dc_w, "avx512f")
#if !defined __clang__
#pragma GCC pop_options
#endif
#endif

/* The best tile for this processor and so many columns, and how many it has. */
static ngrt_dc_tile *ngrt_dc_choose(ptrdiff_t n, int *cols) {
    *cols = NGRT_DC_COLS;
#if defined __GNUC__ && defined __x86_64__
    if (n >= 2 * NGRT_DC_COLS && __builtin_cpu_supports("avx512f")) {
        *cols = 2 * NGRT_DC_COLS;
        return ngrt_dc_avx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return ngrt_dc_avx2;
#endif
    (void)n;
    return ngrt_dc_plain;
}

/* All kernels of a group for n columns of the result, at least as many as a tile has, where what each tap meets is in one piece.
 * The last tile is moved back onto the one before. */
static void ngrt_dc_piece(const ngrt_dc_shape *s, const ngrt_dc_job *job, ptrdiff_t n, const double *k, const double *x, double *y) {
    int cols, i, even = (s->o - 1) / NGRT_DC_ROWS + 1, rows = (s->o - 1) / even + 1;
    ngrt_dc_tile *tile = ngrt_dc_choose(n, &cols);
    ptrdiff_t j = 0;
    for (;;) {
        for (i = 0; i < s->o; i += rows)
            tile(s->o - i < rows ? s->o - i : rows, job, k + i * job->depth, x + j, y + i * s->place + j, s->place, 0);
        if (j + cols >= n)
            break;
        j = j + 2 * cols <= n ? j + cols : n - cols;
    }
}

/* Which taps, first to *end, meet something of an axis of n, if the first of them all meets place `at`? */
static int ngrt_dc_window(int at, int taps, int step, int n, int *end) {
    int first = at < 0 ? (step - 1 - at) / step : 0;
    *end = at >= n ? 0 : (n - 1 - at) / step + 1;
    *end = *end > taps ? taps : *end;
    return first < *end ? first : *end;
}

/* Row i of the planes of y: of the taps of each place, those that meet something. */
static void ngrt_dc_row(const ngrt_dc_shape *s, int i, ptrdiff_t piece, const double *k, const double *x, double *y) {
    const ptrdiff_t line = (ptrdiff_t)s->w * s->b;
    ngrt_dc_job job = { s->c, 0, 0, s->taps, s->kw, s->plane, s->dh * line, (ptrdiff_t)s->dw * s->b, s->depth };
    int j, u, v, top = i * s->sh - s->ph;
    u = ngrt_dc_window(top, s->kh, s->dh, s->h, &job.u);
    job.u -= u;
    for (j = 0; j < s->ow; j += (int)(piece / s->b)) {
        int left = j * s->sw - s->pw;
        v = ngrt_dc_window(left, s->kw, s->dw, s->w, &job.v);
        job.v -= v;
        ngrt_dc_piece(s, &job, piece, k + u * s->kw + v, job.u > 0 && job.v > 0 ? x + (top + u * s->dh) * line + (ptrdiff_t)(left + v * s->dw) * s->b : x,
                      y + ((ptrdiff_t)i * s->ow + j) * s->b);
    }
}

/* Where in a channel of x the first tap meets what makes element i of a plane of y. */
static ptrdiff_t ngrt_dc_from(const ngrt_dc_shape *s, ptrdiff_t i) {
    ptrdiff_t place = i / s->b;
    return ((place / s->ow * s->sh) * s->w + place % s->ow * s->sw) * s->b + i % s->b;
}

/* How far what tap t meets is from what tap 0 meets. */
static ptrdiff_t ngrt_dc_tap(const ngrt_dc_shape *s, int t) {
    return ((ptrdiff_t)(t / s->kw) * s->dh * s->w + (ptrdiff_t)(t % s->kw) * s->dw) * s->b;
}

/* All kernels of a group for elements first to end of the planes of y, a tile of columns at a time; what is met is copied to
 * a panel, so many taps at a time. Without zeros around. */
static void ngrt_dc_pack(const ngrt_dc_shape *s, const double *k, const double *x, double *y, ptrdiff_t first, ptrdiff_t end) {
    double panel[NGRT_DC_PANEL * NGRT_DC_COLS], sum[NGRT_DC_ROWS * NGRT_DC_COLS];
    ptrdiff_t from[NGRT_DC_COLS];
    int cols, i, j, r, p, q;
    ngrt_dc_tile *tile = ngrt_dc_choose(NGRT_DC_COLS, &cols);
    for (; first < end; first += NGRT_DC_COLS) {
        int some = end - first < NGRT_DC_COLS ? (int)(end - first) : NGRT_DC_COLS;
        for (j = 0; j < NGRT_DC_COLS; j++)
            from[j] = ngrt_dc_from(s, first + (j < some ? j : 0));
        for (p = 0; p < s->depth; p += NGRT_DC_PANEL) {
            ngrt_dc_job job = { 1, 1, s->depth - p < NGRT_DC_PANEL ? s->depth - p : NGRT_DC_PANEL, 0, 0, 0, 0, NGRT_DC_COLS, s->depth };
            for (q = 0; q < job.v; q++) {
                const double *at = x + (p + q) / s->taps * s->plane + ngrt_dc_tap(s, (p + q) % s->taps);
                for (j = 0; j < NGRT_DC_COLS; j++)
                    panel[q * NGRT_DC_COLS + j] = at[from[j]];
            }
            for (i = 0; i < s->o; i += NGRT_DC_ROWS) {
                int rows = s->o - i < NGRT_DC_ROWS ? s->o - i : NGRT_DC_ROWS;
                for (r = 0; r < rows && p > 0; r++)
                    memcpy(sum + r * NGRT_DC_COLS, y + (i + r) * s->place + first, (size_t)some * sizeof *sum);
                tile(rows, &job, k + (ptrdiff_t)i * s->depth + p, panel, sum, NGRT_DC_COLS, p > 0);
                for (r = 0; r < rows; r++)
                    memcpy(y + (i + r) * s->place + first, sum + r * NGRT_DC_COLS, (size_t)some * sizeof *sum);
            }
        }
    }
}

NGRT_FN void ngrt_dconv(const int *n, const double *x, const double *k, double *y, int part, int parts) {
    const ngrt_dc_shape s = ngrt_dc_read(n);
    int inside = s.pw == 0 && (s.ow - 1) * s.sw + (s.kw - 1) * s.dw < s.w;
    ptrdiff_t line = (ptrdiff_t)s.ow * s.b, piece = s.sw == 1 && inside ? line : s.b;
    int first = (int)((ptrdiff_t)s.oh * part / parts), end = (int)((ptrdiff_t)s.oh * (part + 1) / parts), g, i;
    for (g = 0; g < s.g; g++, x += s.c * s.plane, k += (ptrdiff_t)s.o * s.depth, y += s.o * s.place)
        if (piece < NGRT_DC_COLS)
            ngrt_dc_pack(&s, k, x, y, first * line, end * line);
        else
            for (i = first; i < end; i++)
                ngrt_dc_row(&s, i, piece, k, x, y);
}

/*@ dconvk: dconv */
enum { NGRT_DK_ROWS = 6, NGRT_DK_COLS = 4, NGRT_DK_WIDTH = 4, NGRT_DK_LANES = 8, NGRT_DK_BAND = 1024, NGRT_DK_BLOCK = 13 };

/* The sums of a tile, each in parts that are added up at the end. */
typedef double ngrt_dk_sum[NGRT_DK_ROWS][NGRT_DK_COLS][NGRT_DK_LANES];

/* sum[i][j] += sum over lines and places of y[i] x[j], for some rows i of y, `row` apart, and what 4 taps meet; a line has n places,
 * and the next is xline and yline further. Returns how many of the n it could take in whole vectors. */
typedef struct ngrt_dk_job {
    int rows, lines, n;
    ptrdiff_t row, yline, xline;
} ngrt_dk_job;

typedef int ngrt_dk_tile(const ngrt_dk_job *job, const double *y, const double *const *x, double (*sum)[NGRT_DK_COLS][NGRT_DK_LANES]);

/* In C alone. */
static int ngrt_dk_plain(const ngrt_dk_job *job, const double *y, const double *const *x, double (*sum)[NGRT_DK_COLS][NGRT_DK_LANES]) {
    int i, l, c, p, j, whole = job->n / NGRT_DK_WIDTH * NGRT_DK_WIDTH;
    for (i = 0; i < job->rows; i++)
        for (c = 0; c < NGRT_DK_COLS; c++) {
            double s[NGRT_DK_WIDTH] = {0};
            for (l = 0; l < job->lines; l++) {
                const double *a = y + i * job->row + l * job->yline, *b = x[c] + l * job->xline;
                for (p = 0; p < whole; p += NGRT_DK_WIDTH)
                    for (j = 0; j < NGRT_DK_WIDTH; j++)
                        s[j] += a[p + j] * b[p + j];
            }
            for (j = 0; j < NGRT_DK_WIDTH; j++)
                sum[i][c][j] += s[j];
        }
    return whole;
}

#if defined __GNUC__ && defined __x86_64__
/* As many rows as there are, each number of them compiled on its own: a row's four sums, and what is loaded of y, in registers. */
#define NGRT_DK_ZERO(i) vector s##i = {0}, t##i = {0}, u##i = {0}, v##i = {0}, a##i = {0};
#define NGRT_DK_LOAD(i) \
    if (rows > i) \
        a##i = *(const vector *)(from + i * row + p);
#define NGRT_DK_TAP(to, c) \
    b = *(const vector *)(x##c + p); \
    NGRT_DK_ADD(to, 0) NGRT_DK_ADD(to, 1) NGRT_DK_ADD(to, 2) NGRT_DK_ADD(to, 3) NGRT_DK_ADD(to, 4) NGRT_DK_ADD(to, 5)
#define NGRT_DK_ADD(to, i) \
    if (rows > i) \
        to##i += a##i * b;
#define NGRT_DK_KEEP(i) \
    if (rows > i) { \
        vector *to = (vector *)sum[i]; \
        enum { next = NGRT_DK_LANES / width }; \
        to[0] += s##i, to[next] += t##i, to[2 * next] += u##i, to[3 * next] += v##i; \
    }
#define NGRT_DK_TILE(name, type, isa) \
    __attribute__((target(isa), always_inline)) static inline int name##_rows( \
        const int rows, const ngrt_dk_job *job, const double *y, const double *const *x, double (*sum)[NGRT_DK_COLS][NGRT_DK_LANES]) { \
        typedef type vector; \
        enum { width = sizeof(vector) / sizeof(double) }; \
        NGRT_DK_ZERO(0) NGRT_DK_ZERO(1) NGRT_DK_ZERO(2) NGRT_DK_ZERO(3) NGRT_DK_ZERO(4) NGRT_DK_ZERO(5) \
        const double *from = y, *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3]; \
        const ptrdiff_t row = job->row; \
        ptrdiff_t p, whole = job->n / width * width; \
        int l; \
        for (l = 0; l < job->lines; l++) { \
            for (p = 0; p < whole; p += width) { \
                vector b; \
                NGRT_DK_LOAD(0) NGRT_DK_LOAD(1) NGRT_DK_LOAD(2) NGRT_DK_LOAD(3) NGRT_DK_LOAD(4) NGRT_DK_LOAD(5) \
                NGRT_DK_TAP(s, 0) NGRT_DK_TAP(t, 1) NGRT_DK_TAP(u, 2) NGRT_DK_TAP(v, 3) \
            } \
            from += job->yline, x0 += job->xline, x1 += job->xline, x2 += job->xline, x3 += job->xline; \
        } \
        NGRT_DK_KEEP(0) NGRT_DK_KEEP(1) NGRT_DK_KEEP(2) NGRT_DK_KEEP(3) NGRT_DK_KEEP(4) NGRT_DK_KEEP(5) \
        return (int)whole; \
    } \
    __attribute__((target(isa))) static int name(const ngrt_dk_job *job, const double *y, const double *const *x, \
                                                 double (*sum)[NGRT_DK_COLS][NGRT_DK_LANES]) { \
        switch (job->rows) { \
        case 1: return name##_rows(1, job, y, x, sum); \
        case 2: return name##_rows(2, job, y, x, sum); \
        case 3: return name##_rows(3, job, y, x, sum); \
        case 4: return name##_rows(4, job, y, x, sum); \
        case 5: return name##_rows(5, job, y, x, sum); \
        default: return name##_rows(6, job, y, x, sum); \
        } \
    }

#if !defined __clang__ /* also where a C standard is asked for */
#pragma GCC push_options
#pragma GCC optimize("fp-contract=fast")
#endif
NGRT_DK_TILE(ngrt_dk_avx2, ngrt_dc_v, "avx2,fma")
NGRT_DK_TILE(ngrt_dk_avx512, ngrt_dc_w, "avx512f")
#if !defined __clang__
#pragma GCC pop_options
#endif
#endif

/* The best tile for this processor and lines of n, and for how many rows it has registers. */
static ngrt_dk_tile *ngrt_dk_choose(ptrdiff_t n, int *rows) {
    *rows = NGRT_DK_ROWS;
#if defined __GNUC__ && defined __x86_64__
    if (n >= 2 * NGRT_DK_WIDTH && __builtin_cpu_supports("avx512f"))
        return ngrt_dk_avx512;
    *rows = NGRT_DK_ROWS / 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return ngrt_dk_avx2;
#endif
    (void)n;
    return ngrt_dk_plain;
}

/* A tile, and what it leaves of each line: not called from it, where GCC would forget to end its use of wide registers. */
static void ngrt_dk_both(ngrt_dk_tile *tile, const ngrt_dk_job *job, const double *y, const double *const *x, ngrt_dk_sum *sum) {
    int whole = tile(job, y, x, *sum), i, l, c, p;
    for (i = 0; i < job->rows && whole < job->n; i++)
        for (c = 0; c < NGRT_DK_COLS; c++)
            for (l = 0; l < job->lines; l++)
                for (p = whole; p < job->n; p++)
                    (*sum)[i][c][0] += y[i * job->row + l * job->yline + p] * x[c][l * job->xline + p];
}

/* Adds the sums of the tiles of kernels i.. from tap l on, and forgets them. */
static void ngrt_dk_add(const ngrt_dc_shape *s, int i, int rows, int l, int tiles, ngrt_dk_sum *sum, double *k) {
    int t, r, c, j, h;
    for (t = 0; t < tiles; t++, l += NGRT_DK_COLS)
        for (r = 0; r < rows; r++)
            for (c = 0; c < NGRT_DK_COLS && l + c < s->depth; c++) {
                double all[4] = {0};
                for (j = 0; j < NGRT_DK_LANES; j += 4)
                    for (h = 0; h < 4; h++)
                        all[h] += sum[t][r][c][j + h];
                k[(ptrdiff_t)(i + r) * s->depth + l + c] += (all[0] + all[1]) + (all[2] + all[3]);
            }
    memset(sum, 0, (size_t)tiles * sizeof *sum);
}

/* Where in x what tap l of a kernel, channels and taps counted together, first meets. */
static ptrdiff_t ngrt_dk_tap(const ngrt_dc_shape *s, int l) {
    return l < s->depth ? l / s->taps * s->plane + ngrt_dc_tap(s, l % s->taps) : 0;
}

/* Kernels first to end of a group, where lines of y are long: a band of lines at a time, so that it stays in the first cache, and
 * the taps of a block. */
static void ngrt_dk_lines(const ngrt_dc_shape *s, const double *x, const double *y, double *k, int first, int end) {
    int by_rows = s->sw == 1, lines = by_rows ? s->oh : s->ow, outer = by_rows ? 1 : s->oh, i, l, c, r, q, t;
    int n = by_rows ? s->ow * s->b : s->b, band = n < NGRT_DK_BAND ? NGRT_DK_BAND / n : 1;
    int most, even, rows;
    const ptrdiff_t down = (ptrdiff_t)s->sh * s->w * s->b;
    ngrt_dk_job job = { 0, 0, n, s->place, n, by_rows ? down : (ptrdiff_t)s->sw * s->b };
    ngrt_dk_sum sum[NGRT_DK_BLOCK] = {{{{0}}}};
    ngrt_dk_tile *tile = ngrt_dk_choose(n, &most);
    even = (end - first - 1) / most + 1, rows = (end - first - 1) / even + 1;
    for (i = first; i < end; i += rows)
        for (l = 0; l < s->depth; l += NGRT_DK_COLS * NGRT_DK_BLOCK) {
            ptrdiff_t tap[NGRT_DK_COLS * NGRT_DK_BLOCK];
            int tiles = (s->depth - l - 1) / NGRT_DK_COLS + 1;
            tiles = tiles > NGRT_DK_BLOCK ? NGRT_DK_BLOCK : tiles;
            for (c = 0; c < tiles * NGRT_DK_COLS; c++)
                tap[c] = ngrt_dk_tap(s, l + c);
            job.rows = end - i < rows ? end - i : rows;
            for (r = 0; r < outer; r++)
                for (q = 0; q < lines; q += band) {
                    const double *at = x + r * down + q * job.xline;
                    job.lines = lines - q < band ? lines - q : band;
                    for (t = 0; t < tiles; t++) {
                        const ptrdiff_t *o = tap + t * NGRT_DK_COLS;
                        const double *from[NGRT_DK_COLS] = { at + o[0], at + o[1], at + o[2], at + o[3] };
                        ngrt_dk_both(tile, &job, y + i * s->place + ((ptrdiff_t)r * lines + q) * n, from, &sum[t]);
                    }
                }
            ngrt_dk_add(s, i, job.rows, l, tiles, sum, k);
        }
}

/* The same where they are short: what the taps meet is copied together first. */
static void ngrt_dk_pack(const ngrt_dc_shape *s, const double *x, const double *y, double *k, int first, int end) {
    double panel[NGRT_DK_COLS][NGRT_DK_BAND];
    const double *from[NGRT_DK_COLS] = { panel[0], panel[1], panel[2], panel[3] };
    ngrt_dk_sum sum = {{{0}}};
    int i, l, c, p, rows;
    ngrt_dk_tile *tile = ngrt_dk_choose(s->place, &rows);
    ptrdiff_t at;
    for (at = 0; at < s->place; at += NGRT_DK_BAND) {
        int some = s->place - at < NGRT_DK_BAND ? (int)(s->place - at) : NGRT_DK_BAND;
        for (l = 0; l < s->depth; l += NGRT_DK_COLS) {
            ngrt_dk_job job = { 0, 1, some, s->place, 0, 0 };
            ptrdiff_t tap[NGRT_DK_COLS];
            for (c = 0; c < NGRT_DK_COLS; c++)
                tap[c] = ngrt_dk_tap(s, l + c);
            for (p = 0; p < some; p++) {
                ptrdiff_t place = ngrt_dc_from(s, at + p);
                for (c = 0; c < NGRT_DK_COLS; c++)
                    panel[c][p] = x[tap[c] + place];
            }
            for (i = first; i < end; i += rows) {
                job.rows = end - i < rows ? end - i : rows;
                ngrt_dk_both(tile, &job, y + i * s->place + at, from, &sum);
                ngrt_dk_add(s, i, job.rows, l, 1, &sum, k);
            }
        }
    }
}

NGRT_FN void ngrt_dconvk(const int *n, const double *x, const double *y, double *k, int part, int parts) {
    const ngrt_dc_shape s = ngrt_dc_read(n);
    int all = s.g * s.o, first = (int)((ptrdiff_t)all * part / parts), end = (int)((ptrdiff_t)all * (part + 1) / parts), g;
    memset(k + (ptrdiff_t)first * s.depth, 0, (size_t)(end - first) * (size_t)s.depth * sizeof *k);
    for (g = first / s.o; g * s.o < end; g++) { /* of each group, the kernels that are in this part */
        int from = first > g * s.o ? first - g * s.o : 0, to = end - g * s.o < s.o ? end - g * s.o : s.o;
        const double *gx = x + g * s.c * s.plane, *gy = y + g * s.o * s.place;
        double *gk = k + (ptrdiff_t)g * s.o * s.depth;
        if ((s.sw == 1 ? s.ow * s.b : s.b) >= NGRT_DC_COLS)
            ngrt_dk_lines(&s, gx, gy, gk, from, to);
        else
            ngrt_dk_pack(&s, gx, gy, gk, from, to);
    }
}

/*@ end: */
