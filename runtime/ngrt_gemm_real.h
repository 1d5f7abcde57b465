/* ngrt_gemm_real.h - C = alpha op(A) op(B) + beta C: one text, compiled for float by ngrt_sgemm.c
 * and for double by ngrt_dgemm.c.
 *
 * They include ngrt.h, and define `real` and NGRT_NAME(gemm), the public name of ngrt_gemm. Where
 * NGRT_CBLAS is defined too, the public functions are those at the end. They call CBLAS
 * (cblas_gemm) where it is faster than the kernels here.
 *
 * The kernels are in sections, from a line "/" "*@ NAME: SECTIONS IT NEEDS" to the next such line.
 * ngc copies the sections that a model uses into a standalone file, with float or double for
 * `real`, and s or d after the prefixes ngrt_ and NGRT_: ngrt_gemm becomes ngrt_sgemm. Sections
 * need <stddef.h>, <string.h> and NGRT_FN, which is static there.
 */
#include <string.h>

#ifdef NGRT_CBLAS
#define NGRT_FN static
#else
#define NGRT_FN
#define ngrt_gemm             NGRT_NAME(gemm)
#define ngrt_gemm_share       NGRT_NAME(gemm_share)
#define ngrt_gemm_chain       NGRT_NAME(gemm_chain)
#define ngrt_gemm_chain_share NGRT_NAME(gemm_chain_share)
#define ngrt_gemm_half        NGRT_NAME(gemm_half)
#endif

/*@ gemm_tile: */
enum {
    NGRT_GEMM_COLS = 64 / sizeof(real),     /* of a tile: a line of the cache */
    NGRT_GEMM_ROWS = 6,                     /* of a tile, whose sums are in registers */
    NGRT_GEMM_MOST_ROWS = 8,                /* of a tile with twice as many columns, for AVX-512 */
    NGRT_GEMM_DEPTH = 256,                  /* of the inner size, at a time */
    NGRT_GEMM_BAND = 3072 * NGRT_GEMM_COLS, /* elements of A that stay in the second cache */
    NGRT_GEMM_THIN = 4 * NGRT_GEMM_COLS,    /* columns of B for which A is not packed */
    NGRT_GEMM_LARGE = 10 * NGRT_GEMM_BAND,  /* elements of B that do not stay in that cache */
    NGRT_GEMM_DOTS = 8, /* columns of B that are multiplied with a row together */
    NGRT_GEMM_ACROSS = 16 * NGRT_GEMM_COLS, /* columns of a product with one row, at a time */
    NGRT_GEMM_SUMMED = 64,                  /* terms of one sum; more are the sum of two halves */
    NGRT_GEMM_LONG = 16384, /* terms; of more, sums of pieces are added without loss */
    NGRT_GEMM_PIECE = 1024, /* terms of a piece */
    NGRT_GEMM_TALL = 96,    /* rows and columns of C for which this is done at a time */
    NGRT_GEMM_WIDE = 64,
    NGRT_GEMM_SLACK = 16 /* more than a buffer needs of the inner size, and of rows */
};

#define NGRT_GEMM_LEAST(a, b) ((a) < (b) ? (a) : (b))

/* The length of a buffer on the stack: as much as is needed, where a compiler surely has arrays of
 * a length that is computed. Small machines have little stack. */
#ifdef __GNUC__
#define NGRT_GEMM_LENGTH(needed, most) (needed)
#else
#define NGRT_GEMM_LENGTH(needed, most) (most)
#endif

#ifdef __GNUC__
/* A quarter of a line of the cache, at any element. */
typedef real ngrt_gemm_quarter __attribute__((vector_size(16), aligned(sizeof(real)), may_alias));
#endif

/* A matrix in memory: element (i, j) is at[i*row + j*col]. */
typedef struct ngrt_gemm_matrix {
    const real *at;
    ptrdiff_t row, col;
} ngrt_gemm_matrix;

/* The part of a matrix that begins with element (i, j). */
static ngrt_gemm_matrix ngrt_gemm_from(ngrt_gemm_matrix a, ptrdiff_t i, ptrdiff_t j)
{
    a.at += i * a.row + j * a.col;
    return a;
}

/* c(i, j) = alpha (sum over p < k of a(i, p) b(p, j)) + beta c(i, j), for `rows` rows and all
 * columns of a tile; beta = 0 overwrites. Element (i, p) of A is a[i*row + p*col], and (p, j) of B
 * is b[p*step + j]. panel: the rows of B are copied there one after the other, unless it is NULL.
 * onto: the sums begin with c(i, j). */
typedef void ngrt_gemm_tiling(int rows, int k, const real *a, ptrdiff_t row, ptrdiff_t col,
                              const real *b, ptrdiff_t step, real *panel, real alpha, real beta,
                              real *c, ptrdiff_t ldc, int onto);

/* How products are computed on one kind of processor. */
typedef struct ngrt_gemm_kernel {
    int rows, cols;         /* of a tile */
    int packs;              /* must B be packed? (Other tiles read its rows, and pack them.) */
    ngrt_gemm_tiling *tile; /* computes one */
    ngrt_gemm_tiling *half; /* computes one with half the columns, or NULL */

    /* out[p][j] = from[j][p] for p < k and j < cols; rows of `from` are `row` apart, those of out
     * `width`. Returns how many columns of out it filled: cols, or some more. */
    int (*transpose)(int cols, int k, const real *from, ptrdiff_t row, real *out, int width);
} ngrt_gemm_kernel;

/* c[j step] = alpha sum[j] + beta c[j step] for j < cols; beta = 0 overwrites. C with chains of
 * sums alone does not call it. */
#ifdef __GNUC__
__attribute__((unused))
#endif
static void
ngrt_gemm_store(int cols, real alpha, const real *sum, real beta, real *c, ptrdiff_t step)
{
    int j;

    for (; cols >= NGRT_GEMM_COLS && step == 1; cols -= NGRT_GEMM_COLS) {
        if (beta == 0)
            for (j = 0; j < NGRT_GEMM_COLS; j++)
                c[j] = alpha * sum[j];
        else
            for (j = 0; j < NGRT_GEMM_COLS; j++)
                c[j] = alpha * sum[j] + beta * c[j];

        sum += NGRT_GEMM_COLS;
        c += NGRT_GEMM_COLS;
    }

    if (beta == 0)
        for (j = 0; j < cols; j++)
            c[j * step] = alpha * sum[j];
    else
        for (j = 0; j < cols; j++)
            c[j * step] = alpha * sum[j] + beta * c[j * step];
}

/* ---- tiles in plain C ---- */

#if !defined __GNUC__ || !(defined __x86_64__ || (defined __aarch64__ && defined __ARM_NEON))
static void ngrt_gemm_tile(int rows, int k, const real *a, ptrdiff_t row, ptrdiff_t col,
                           const real *b, ptrdiff_t step, real *panel, real alpha, real beta,
                           real *c, ptrdiff_t ldc, int onto)
{
    const real *from[NGRT_GEMM_ROWS];
    real sum[NGRT_GEMM_ROWS * NGRT_GEMM_COLS];
    int h, i, j, p;

    (void)step;
    (void)panel;
    for (i = 0; i < NGRT_GEMM_ROWS; i++)
        from[i] = a + (i < rows ? i : rows - 1) * row;

    for (h = 0; h < NGRT_GEMM_COLS; h += 4) {
        real s[NGRT_GEMM_ROWS][4] = {{0}};

        for (i = 0; i < rows && onto; i++)
            for (j = 0; j < 4; j++)
                s[i][j] = c[i * ldc + h + j];

        for (p = 0; p < k; p++)
            for (i = 0; i < NGRT_GEMM_ROWS; i++)
                for (j = 0; j < 4; j++)
                    s[i][j] += from[i][p * col] * b[p * NGRT_GEMM_COLS + h + j];

        for (i = 0; i < NGRT_GEMM_ROWS; i++)
            for (j = 0; j < 4; j++)
                sum[i * NGRT_GEMM_COLS + h + j] = s[i][j];
    }

    for (i = 0; i < rows; i++)
        ngrt_gemm_store(NGRT_GEMM_COLS, alpha, sum + i * NGRT_GEMM_COLS, beta, c + i * ldc, 1);
}
#endif

/* Reads a line of the cache of each row at a time. */
static int ngrt_gemm_transpose(int cols, int k, const real *from, ptrdiff_t row, real *out,
                               int width)
{
    int j, p, q;

    for (p = 0; p < k; p += NGRT_GEMM_COLS)
        for (j = 0; j < cols; j++) {
            int end = k - p < NGRT_GEMM_COLS ? k : p + NGRT_GEMM_COLS;
            for (q = p; q < end; q++)
                out[q * width + j] = from[j * row + q];
        }
    return cols;
}

/* ---- tiles in vectors, for x86 and for ARM ---- */

#if defined __GNUC__ && (defined __x86_64__ || (defined __aarch64__ && defined __ARM_NEON))
/* Compiles a function for one kind of processor, or for all that the compiler's code is for. Where
 * a*b + c is one operation, GCC uses it under -std=c99 only if it is told to. */
#ifdef __clang__
#define NGRT_GEMM_TARGET(isa) __attribute__((target(isa)))
#define NGRT_GEMM_ANY
#else
#define NGRT_GEMM_TARGET(isa) __attribute__((target(isa), optimize("fp-contract=fast")))
#define NGRT_GEMM_ANY         __attribute__((optimize("fp-contract=fast", "no-schedule-insns")))
#endif

/* Vectors of 32 and of 64 bytes at any element, and of 4 and of 8 elements. */
#define NGRT_GEMM_VECTOR(bytes) \
    __attribute__((vector_size(bytes), aligned(sizeof(real)), may_alias))
typedef real ngrt_gemm_v32 NGRT_GEMM_VECTOR(32);
typedef real ngrt_gemm_v64 NGRT_GEMM_VECTOR(64);
typedef real ngrt_gemm_four NGRT_GEMM_VECTOR(4 * sizeof(real));
typedef real ngrt_gemm_eight NGRT_GEMM_VECTOR(8 * sizeof(real));

/* What is done for each row i of a tile. Row i of A is ai; its sums are xi and, in a tile of two or
 * four vectors, yi, zi and wi. Past the last row, that one is read again. */
#define NGRT_GEMM_FOUR_ROWS(step) \
    step(0);                      \
    step(1);                      \
    step(2);                      \
    step(3)
#define NGRT_GEMM_ALL_ROWS(step) \
    NGRT_GEMM_FOUR_ROWS(step);   \
    step(4);                     \
    step(5);                     \
    step(6);                     \
    step(7)

#define NGRT_GEMM_BEGIN(i)                                  \
    const real *a##i = a + (i < rows ? i : rows - 1) * row; \
    vector x##i = {0}, y##i = {0}, z##i = {0}, w##i = {0}

#define NGRT_GEMM_ONTO(i)                                                \
    if (i < most && i < rows) {                                          \
        x##i = ((const vector *)(c + i * ldc))[0];                       \
        if (vectors > 1)                                                 \
            y##i = ((const vector *)(c + i * ldc))[vectors > 1];         \
        if (vectors > 2) {                                               \
            z##i = ((const vector *)(c + i * ldc))[vectors > 2 ? 2 : 0]; \
            w##i = ((const vector *)(c + i * ldc))[vectors - 1];         \
        }                                                                \
    }

#define NGRT_GEMM_PREFETCH(i)                                                       \
    if (i < most && i < rows && vectors > 1) {                                      \
        __builtin_prefetch(c + i * ldc, 1);                                         \
        __builtin_prefetch(c + i * ldc + vectors * (sizeof b0 / sizeof *c) - 1, 1); \
    }

#define NGRT_GEMM_ADD(i)           \
    if (i < most) {                \
        x##i += a##i[at] * b0;     \
        if (vectors > 1)           \
            y##i += a##i[at] * b1; \
        if (vectors > 2) {         \
            z##i += a##i[at] * b2; \
            w##i += a##i[at] * b3; \
        }                          \
    }

#define NGRT_GEMM_STORE(i)                           \
    if (i < most && i < rows) {                      \
        to = (vector *)(c + i * ldc);                \
        if (beta == 0) {                             \
            to[0] = alpha * x##i;                    \
            if (vectors > 1)                         \
                to[1] = alpha * y##i;                \
            if (vectors > 2) {                       \
                to[2] = alpha * z##i;                \
                to[3] = alpha * w##i;                \
            }                                        \
        } else {                                     \
            to[0] = alpha * x##i + beta * to[0];     \
            if (vectors > 1)                         \
                to[1] = alpha * y##i + beta * to[1]; \
            if (vectors > 2) {                       \
                to[2] = alpha * z##i + beta * to[2]; \
                to[3] = alpha * w##i + beta * to[3]; \
            }                                        \
        }                                            \
    }

/* One step of the sums of a tile, for some rows. */
#define NGRT_GEMM_STEPS(each, copy)                    \
    for (p = 0; p < k; p++, at += col, b += step) {    \
        b0 = ((const vector *)b)[0];                   \
        b1 = ((const vector *)b)[vectors > 1];         \
        b2 = ((const vector *)b)[vectors > 2 ? 2 : 0]; \
        b3 = ((const vector *)b)[vectors - 1];         \
        copy;                                          \
        each(NGRT_GEMM_ADD);                           \
    }

/* Copies the row of B to the panel. */
#define NGRT_GEMM_COPY                \
    to[vectors - 1] = b3;             \
    if (vectors > 2)                  \
        to[vectors > 2 ? 2 : 0] = b2; \
    if (vectors > 2)                  \
        to[vectors > 1] = b1;         \
    to[0] = b0;                       \
    to += vectors

/* A tile of at most `most` rows and one, two or four vectors. */
#define NGRT_GEMM_TILE(name, target, type, tile_rows, tile_vectors)                            \
    target static void name(int rows, int k, const real *a, ptrdiff_t row, ptrdiff_t col,      \
                            const real *b, ptrdiff_t step, real *panel, real alpha, real beta, \
                            real *c, ptrdiff_t ldc, int onto)                                  \
    {                                                                                          \
        typedef type vector;                                                                   \
        enum { most = tile_rows, vectors = tile_vectors };                                     \
        vector *to = (vector *)panel;                                                          \
        vector b0, b1, b2, b3;                                                                 \
        ptrdiff_t at = 0;                                                                      \
        int p;                                                                                 \
        NGRT_GEMM_ALL_ROWS(NGRT_GEMM_BEGIN);                                                   \
        NGRT_GEMM_ALL_ROWS(NGRT_GEMM_PREFETCH);                                                \
        if (onto) {                                                                            \
            NGRT_GEMM_ALL_ROWS(NGRT_GEMM_ONTO);                                                \
        }                                                                                      \
        if (to)                                                                                \
            NGRT_GEMM_STEPS(NGRT_GEMM_ALL_ROWS, NGRT_GEMM_COPY)                                \
        else if (rows > 4)                                                                     \
            NGRT_GEMM_STEPS(NGRT_GEMM_ALL_ROWS, (void)0)                                       \
        else                                                                                   \
            NGRT_GEMM_STEPS(NGRT_GEMM_FOUR_ROWS, (void)0)                                      \
        NGRT_GEMM_ALL_ROWS(NGRT_GEMM_STORE);                                                   \
    }

/* On ARM the sums of a tile are in 24 of its 32 registers. */
#ifdef __aarch64__
#define NGRT_GEMM_VECTORS 4
#else
#define NGRT_GEMM_VECTORS 2
#endif
NGRT_GEMM_TILE(ngrt_gemm_tile, NGRT_GEMM_ANY, ngrt_gemm_quarter, NGRT_GEMM_ROWS, NGRT_GEMM_VECTORS)
NGRT_GEMM_TILE(ngrt_gemm_tile_half, NGRT_GEMM_ANY, ngrt_gemm_quarter, NGRT_GEMM_ROWS,
               NGRT_GEMM_VECTORS / 2)

#ifdef __x86_64__
NGRT_GEMM_TILE(ngrt_gemm_tile_avx2, NGRT_GEMM_TARGET("avx2,fma"), ngrt_gemm_v32, NGRT_GEMM_ROWS, 2)
NGRT_GEMM_TILE(ngrt_gemm_half_avx2, NGRT_GEMM_TARGET("avx2,fma"), ngrt_gemm_v32, NGRT_GEMM_ROWS, 1)
NGRT_GEMM_TILE(ngrt_gemm_tile_avx512, NGRT_GEMM_TARGET("avx512f"), ngrt_gemm_v64,
               NGRT_GEMM_MOST_ROWS, 2)
NGRT_GEMM_TILE(ngrt_gemm_half_avx512, NGRT_GEMM_TARGET("avx512f"), ngrt_gemm_v64,
               NGRT_GEMM_MOST_ROWS, 1)

#ifdef __has_builtin
#if __has_builtin(__builtin_shufflevector)
#define NGRT_GEMM_SQUARES
#endif
#endif

#ifdef NGRT_GEMM_SQUARES
/* Row j + i of `from`; past the last one, that is read again. Four of its elements. */
#define NGRT_GEMM_LINE(i) (from + (j + i < cols ? j + i : cols - 1) * row)
#define NGRT_GEMM_FOUR(r) (*(const ngrt_gemm_four *)((r) + p))

/* Four elements of one row, then four of another. */
#define NGRT_GEMM_JOIN(r, s) \
    __builtin_shufflevector(NGRT_GEMM_FOUR(r), NGRT_GEMM_FOUR(s), 0, 1, 2, 3, 4, 5, 6, 7)

/* Elements of a and b in turn, and pairs of them: of the first half, then of the second; those of
 * eight elements do it in each half. */
#define NGRT_GEMM_LOW4(a, b)   __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define NGRT_GEMM_HIGH4(a, b)  __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define NGRT_GEMM_FIRST4(a, b) __builtin_shufflevector(a, b, 0, 1, 4, 5)
#define NGRT_GEMM_LAST4(a, b)  __builtin_shufflevector(a, b, 2, 3, 6, 7)
#define NGRT_GEMM_LOW8(a, b)   __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define NGRT_GEMM_HIGH8(a, b)  __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define NGRT_GEMM_FIRST8(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define NGRT_GEMM_LAST8(a, b)  __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)

/* Writes four rows of a panel, from j on, of the rows a, b, c and d. */
#define NGRT_GEMM_TURN(vector, low, high, first, last) \
    do {                                               \
        real *to = out + p * width + j;                \
        vector ab = low(a, b), cd = low(c, d);         \
        *(vector *)to = first(ab, cd);                 \
        *(vector *)(to + width) = last(ab, cd);        \
        ab = high(a, b);                               \
        cd = high(c, d);                               \
        *(vector *)(to + 2 * width) = first(ab, cd);   \
        *(vector *)(to + 3 * width) = last(ab, cd);    \
    } while (0)

/* Eight columns of a panel from j on, by two squares of 4 by 4 side by side. */
NGRT_GEMM_TARGET("avx2,fma")
static void ngrt_gemm_two_squares(int j, int cols, int k, const real *from, ptrdiff_t row,
                                  real *out, int width)
{
    const real *r0 = NGRT_GEMM_LINE(0), *r1 = NGRT_GEMM_LINE(1);
    const real *r2 = NGRT_GEMM_LINE(2), *r3 = NGRT_GEMM_LINE(3);
    const real *r4 = NGRT_GEMM_LINE(4), *r5 = NGRT_GEMM_LINE(5);
    const real *r6 = NGRT_GEMM_LINE(6), *r7 = NGRT_GEMM_LINE(7);
    int p;

    for (p = 0; p + 4 <= k; p += 4) {
        ngrt_gemm_eight a = NGRT_GEMM_JOIN(r0, r4), b = NGRT_GEMM_JOIN(r1, r5);
        ngrt_gemm_eight c = NGRT_GEMM_JOIN(r2, r6), d = NGRT_GEMM_JOIN(r3, r7);
        NGRT_GEMM_TURN(ngrt_gemm_eight, NGRT_GEMM_LOW8, NGRT_GEMM_HIGH8, NGRT_GEMM_FIRST8,
                       NGRT_GEMM_LAST8);
    }
}

/* Four columns, by one square. */
NGRT_GEMM_TARGET("avx2,fma")
static void ngrt_gemm_square(int j, int cols, int k, const real *from, ptrdiff_t row, real *out,
                             int width)
{
    const real *r0 = NGRT_GEMM_LINE(0), *r1 = NGRT_GEMM_LINE(1);
    const real *r2 = NGRT_GEMM_LINE(2), *r3 = NGRT_GEMM_LINE(3);
    int p;

    for (p = 0; p + 4 <= k; p += 4) {
        ngrt_gemm_four a = NGRT_GEMM_FOUR(r0), b = NGRT_GEMM_FOUR(r1);
        ngrt_gemm_four c = NGRT_GEMM_FOUR(r2), d = NGRT_GEMM_FOUR(r3);
        NGRT_GEMM_TURN(ngrt_gemm_four, NGRT_GEMM_LOW4, NGRT_GEMM_HIGH4, NGRT_GEMM_FIRST4,
                       NGRT_GEMM_LAST4);
    }
}
#endif

/* Transposes by squares whose rows fill a vector of 32 bytes, then by smaller ones, and what is
 * left over in plain C. */
NGRT_GEMM_TARGET("avx2,fma")
static int ngrt_gemm_transpose_avx2(int cols, int k, const real *from, ptrdiff_t row, real *out,
                                    int width)
{
    int j = 0;

#ifdef NGRT_GEMM_SQUARES
    const int whole = k - k % 4;

    for (; sizeof(real) == 4 && j < cols && j + 8 <= width; j += 8)
        ngrt_gemm_two_squares(j, cols, k, from, row, out, width);
    for (; j < cols && j + 4 <= width; j += 4)
        ngrt_gemm_square(j, cols, k, from, row, out, width);

    ngrt_gemm_transpose(NGRT_GEMM_LEAST(j, cols), k - whole, from + whole, row, out + whole * width,
                        width);
#endif
    if (j < cols)
        j += ngrt_gemm_transpose(cols - j, k, from + j * row, row, out + j, width);
    return j;
}
#endif
#endif

/* ---- the product by tiles ---- */

/* The best kernel for this processor. */
static ngrt_gemm_kernel ngrt_gemm_choose(void)
{
#ifdef NGRT_GEMM_VECTORS
    static const ngrt_gemm_kernel plain = {NGRT_GEMM_ROWS,
                                           NGRT_GEMM_COLS * NGRT_GEMM_VECTORS / 4,
                                           0,
                                           ngrt_gemm_tile,
                                           ngrt_gemm_tile_half,
                                           ngrt_gemm_transpose};
#else
    static const ngrt_gemm_kernel plain = {NGRT_GEMM_ROWS, NGRT_GEMM_COLS, 1,
                                           ngrt_gemm_tile, NULL,           ngrt_gemm_transpose};
#endif
#if defined __GNUC__ && defined __x86_64__
    static const ngrt_gemm_kernel avx2 = {
        NGRT_GEMM_ROWS,      NGRT_GEMM_COLS,      0,
        ngrt_gemm_tile_avx2, ngrt_gemm_half_avx2, ngrt_gemm_transpose_avx2};
    static const ngrt_gemm_kernel avx512 = {
        NGRT_GEMM_MOST_ROWS,   2 * NGRT_GEMM_COLS,    0,
        ngrt_gemm_tile_avx512, ngrt_gemm_half_avx512, ngrt_gemm_transpose_avx2};

    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return __builtin_cpu_supports("avx512f") ? avx512 : avx2;
#endif
    return plain;
}

/* Asks for a line of memory that will be read. */
#if defined __GNUC__
#define NGRT_GEMM_SOON(at) __builtin_prefetch(at)
#define NGRT_GEMM_INLINE   static inline __attribute__((always_inline))
#else
#define NGRT_GEMM_SOON(at) (void)(at)
#define NGRT_GEMM_INLINE   static
#endif

/* Packs rows p to end of b as wide as a tile. */
static void ngrt_gemm_pack_rows(int width, int p, int end, ngrt_gemm_matrix b, real *out)
{
    if (width == 2 * NGRT_GEMM_COLS)
        for (; p < end; p++)
            memcpy(out + p * width, b.at + p * b.row, 2 * NGRT_GEMM_COLS * sizeof *out);
    else if (width == NGRT_GEMM_COLS)
        for (; p < end; p++)
            memcpy(out + p * width, b.at + p * b.row, NGRT_GEMM_COLS * sizeof *out);
    else if (width == NGRT_GEMM_COLS / 2)
        for (; p < end; p++)
            memcpy(out + p * width, b.at + p * b.row, NGRT_GEMM_COLS / 2 * sizeof *out);
    else
        for (; p < end; p++)
            memcpy(out + p * width, b.at + p * b.row, NGRT_GEMM_COLS / 4 * sizeof *out);
}

/* How many rows of b, as wide as a tile though only `cols` of their elements are asked for, end
 * after b does: the last ones, or the first ones if rows go backward. */
static int ngrt_gemm_outside(int width, int cols, int k, ngrt_gemm_matrix b)
{
    const ptrdiff_t row = b.row < 0 ? -b.row : b.row, more = width - cols;

    return more <= (k - 1) * row ? (int)((more + row - 1) / row) : k;
}

/* Packs a panel: k rows of `cols` columns of b, as wide as a tile. Columns that b does not have
 * hold other numbers. */
static void ngrt_gemm_pack_b(const ngrt_gemm_kernel *kernel, int cols, int k, ngrt_gemm_matrix b,
                             real *out)
{
    const int width = kernel->cols;
    int j, p = 0, end = k; /* the rows that are not packed at once */

    if (b.row == 1) {
        cols = kernel->transpose(cols, k, b.at, b.col, out, width);
        p = cols < width ? 0 : k;
    } else if (b.col == 1) {
        const int outside = cols < width ? ngrt_gemm_outside(width, cols, k, b) : 0;
        if (b.row < 0)
            end = outside;
        else
            p = k - outside;
        ngrt_gemm_pack_rows(width, b.row < 0 ? end : 0, b.row < 0 ? k : p, b, out);
    }

    for (; p < end; p++) {
        const real *from = b.at + p * b.row;
        real *to = out + p * width;

        for (j = 0; j < cols && b.row != 1; j++)
            to[j] = from[j * b.col];
        for (j = cols; j < width; j++)
            to[j] = 0;
    }
}

/* Copies some rows of cols elements. */
static void ngrt_gemm_copy(int rows, int cols, const real *from, ptrdiff_t ldfrom, real *to,
                           ptrdiff_t ldto)
{
    int i, j;

    for (i = 0; i < rows; i++) {
        for (j = 0; j + 8 <= cols; j += 8)
            memcpy(to + j, from + j, 8 * sizeof *to);
        if (cols & 4) {
            memcpy(to + j, from + j, 4 * sizeof *to);
            j += 4;
        }
        if (cols & 2) {
            memcpy(to + j, from + j, 2 * sizeof *to);
            j += 2;
        }
        if (cols & 1)
            to[j] = from[j];

        from += ldfrom;
        to += ldto;
    }
}

/* Asks for lines l to end of the next panel of B. They are `per` in each run of elements that are
 * neighbours; runs are `step` apart. It must be inline: GCC takes a call away that has no result.
 */
NGRT_GEMM_INLINE void ngrt_gemm_prefetch(const real *next, ptrdiff_t step, int per, int l, int end)
{
    for (; l < end; l++)
        NGRT_GEMM_SOON(next + l / per * step + l % per * NGRT_GEMM_COLS);
}

/* The tiles of some rows of C against as many columns of B as a tile has, or less. `packed` is A,
 * packed, or NULL. All tiles but the first read these columns from `panel`, where they follow each
 * other. Meanwhile the next panel of B is asked for, a part before each tile. */
static void ngrt_gemm_band(const ngrt_gemm_kernel *kernel, int rows, int cols, int k, real alpha,
                           ngrt_gemm_matrix a, const real *packed, ngrt_gemm_matrix b, real *panel,
                           ngrt_gemm_matrix next, real beta, real *c, ptrdiff_t ldc, int onto)
{
    real sum[NGRT_GEMM_MOST_ROWS * 2 * NGRT_GEMM_COLS];
    const ptrdiff_t row = packed ? 1 : a.row, col = packed ? kernel->rows : a.col;
    const int per = ((next.row == 1 ? k : kernel->cols) - 1) / NGRT_GEMM_COLS + 1;
    const int lines = (next.row == 1 ? kernel->cols : k) * per;
    const int packs = kernel->packs || b.col != 1 || cols < kernel->cols;
    const int fills = !packs && rows > kernel->rows;
    const real *from = b.at;
    ptrdiff_t step = b.row;
    int i;

    /* whole rows are copied by the first tile, or not at all if it is the only one */
    if (packs) {
        ngrt_gemm_pack_b(kernel, cols, k, b, panel);
        from = panel;
        step = kernel->cols;
    }

    for (i = 0; i < rows; i += kernel->rows) {
        const int own = NGRT_GEMM_LEAST(rows - i, kernel->rows);
        const real *at = packed ? packed + i * k : a.at + i * a.row;

        if (next.at)
            ngrt_gemm_prefetch(next.at, next.row == 1 ? next.col : next.row, per,
                               (int)((ptrdiff_t)lines * i / rows),
                               (int)((ptrdiff_t)lines * (i + own) / rows));
        if (cols == kernel->cols) {
            kernel->tile(own, k, at, row, col, from, step, fills && i == 0 ? panel : NULL, alpha,
                         beta, c + i * ldc, ldc, onto);
            if (fills) {
                from = panel;
                step = kernel->cols;
            }
            continue;
        }

        /* less than a tile is rounded as a tile is */
        if (beta != 0 || onto) {
            memset(sum, 0, sizeof sum);
            ngrt_gemm_copy(own, cols, c + i * ldc, ldc, sum, kernel->cols);
        }
        kernel->tile(own, k, at, row, col, from, step, NULL, alpha, beta, sum, kernel->cols, onto);
        ngrt_gemm_copy(own, cols, sum, kernel->cols, c + i * ldc, ldc);
    }
}

/* op(X), whose rows as stored are ld apart. */
static ngrt_gemm_matrix ngrt_gemm_op(int transposed, const real *x, ptrdiff_t ld)
{
    ngrt_gemm_matrix op = {x, ld, 1};

    if (transposed) {
        op.row = 1;
        op.col = ld;
    }
    return op;
}

/* The kernel for half as many columns; its tile is NULL if there is none. */
static ngrt_gemm_kernel ngrt_gemm_halved(const ngrt_gemm_kernel *kernel)
{
    const ngrt_gemm_kernel half = {kernel->rows, kernel->cols / 2, kernel->packs, kernel->half,
                                   NULL,         kernel->transpose};

    return half;
}

/*@ gemm_product: gemm_tile */
/* Packs whole tiles of `rows` rows of a, where a column's elements are neighbours: out[p][i] =
 * a(i, p), for one tile's rows after the other's. */
static void ngrt_gemm_pack_columns(int width, int rows, int k, ngrt_gemm_matrix a, real *out)
{
    enum { ahead = 12 }; /* columns */
    int i, j, p;

    for (p = 0; p < k; p++, out += width) {
        const real *from = a.at + p * a.col;
        real *to = out;

        for (j = 0; j < rows && p + ahead < k; j += NGRT_GEMM_COLS)
            NGRT_GEMM_SOON(from + ahead * a.col + j);

        if (width == NGRT_GEMM_ROWS)
            for (i = 0; i < rows; i += NGRT_GEMM_ROWS, to += k * NGRT_GEMM_ROWS)
                memcpy(to, from + i, NGRT_GEMM_ROWS * sizeof *to);
        else
            for (i = 0; i < rows; i += NGRT_GEMM_MOST_ROWS, to += k * NGRT_GEMM_MOST_ROWS)
                memcpy(to, from + i, NGRT_GEMM_MOST_ROWS * sizeof *to);
    }
}

/* Packs `rows` rows of a, k long. */
static void ngrt_gemm_pack_a(const ngrt_gemm_kernel *kernel, int rows, int k, ngrt_gemm_matrix a,
                             real *out)
{
    const int width = kernel->rows, some = 4 * width;
    int i = 0, j, p, own;

    /* few tiles at a time: their places may be in each other's way in the cache */
    for (; i + width <= rows && a.row == 1; i += own) {
        own = rows - i < some ? (rows - i) / width * width : some;
        ngrt_gemm_pack_columns(width, own, k, ngrt_gemm_from(a, i, 0), out + i * k);
    }

    /* the other rows */
    for (; i < rows; i += width) {
        const real *from = a.at + i * a.row;
        real *to = out + i * k;

        own = NGRT_GEMM_LEAST(rows - i, width);
        if (a.col == 1)
            kernel->transpose(own, k, from, a.row, to, width);
        else
            for (p = 0; p < k; p++)
                for (j = 0; j < own; j++)
                    to[p * width + j] = from[j * a.row + p * a.col];
    }
}

/* A size is cut into pieces of at most `most`: their size, if all are as equal as multiples of
 * `unit` can be. */
static int ngrt_gemm_piece(int size, int most, int unit)
{
    int pieces = (size - 1) / most + 1, piece = (size - 1) / pieces + 1;
    return (piece + unit - 1) / unit * unit;
}

/* The first line of the cache that begins in x. */
static real *ngrt_gemm_line(real *x)
{
    const size_t line = NGRT_GEMM_COLS * sizeof *x;

    return x + (line - (uintptr_t)x % line) % line / sizeof *x;
}

/* Some rows of C by all panels of B, which are asked for ahead if B is large; packed is A, packed,
 * or NULL. */
static void ngrt_gemm_panels(const ngrt_gemm_kernel *kernel, int rows, int n, int k, real alpha,
                             ngrt_gemm_matrix a, const real *packed, ngrt_gemm_matrix b, real beta,
                             real *c, ptrdiff_t ldc, int onto, int is_large)
{
    const ngrt_gemm_kernel half = ngrt_gemm_halved(kernel);
    real space[NGRT_GEMM_LENGTH((k + NGRT_GEMM_SLACK) * 2 * NGRT_GEMM_COLS,
                                (NGRT_GEMM_DEPTH + NGRT_GEMM_SLACK) * 2 * NGRT_GEMM_COLS)];
    real *panel = ngrt_gemm_line(space);
    int cols, j;

    for (j = 0; j < n; j += cols) {
        const ngrt_gemm_kernel *used = n - j <= half.cols && half.tile ? &half : kernel;
        ngrt_gemm_matrix next;

        cols = NGRT_GEMM_LEAST(n - j, used->cols);
        next = ngrt_gemm_from(b, 0, j + cols);
        if (!is_large || (b.row != 1 && b.col != 1) || j + cols + kernel->cols > n)
            next.at = NULL;
        ngrt_gemm_band(used, rows, cols, k, alpha, a, packed, ngrt_gemm_from(b, 0, j), panel, next,
                       beta, c + j, ldc, onto);
    }
}

/* Is A packed in a product of n columns? It is where the elements that a tile reads together would
 * be far apart, or in each other's way in the cache. */
static int ngrt_gemm_packs(int n, ngrt_gemm_matrix a)
{
    if (n <= NGRT_GEMM_THIN)
        return 0;
    return a.row == 1 || (a.col == 1 && a.row % (64 * NGRT_GEMM_COLS) == 0);
}

/* How much of the inner size is taken at a time. If A is packed, it is less where that makes all
 * rows one band, so that B is read once. If its columns are read as they are, it is so little that
 * their lines stay in the first cache until the next tile reads the rest of them. */
static int ngrt_gemm_depth(int m, int k, ngrt_gemm_matrix a, int packs)
{
    const int rows = m < NGRT_GEMM_BAND ? m + NGRT_GEMM_SLACK : NGRT_GEMM_BAND;
    int depth = NGRT_GEMM_DEPTH;

    if (packs && NGRT_GEMM_BAND / rows >= NGRT_GEMM_DEPTH / 2 &&
        NGRT_GEMM_BAND / rows < NGRT_GEMM_DEPTH)
        depth = NGRT_GEMM_BAND / rows;
    if (!packs && a.row == 1)
        depth = NGRT_GEMM_DEPTH / 4;
    return k > depth ? ngrt_gemm_piece(k, depth, 1) : k;
}

/* How many elements `rows` rows of A take, packed. */
static int ngrt_gemm_room(int rows, int depth)
{
    const ptrdiff_t needed = (ptrdiff_t)(rows + NGRT_GEMM_SLACK) * (depth + NGRT_GEMM_SLACK);

    return needed < NGRT_GEMM_BAND ? (int)needed : NGRT_GEMM_BAND;
}

/* The product in general, of a band of rows of A after the other. B is taken in panels as wide as a
 * tile. A panel stays in the first cache while the tiles of the band pass over it. A is packed in
 * `room`, if that is not NULL. chain: sums begin with C, where the part of k before has left them;
 * those of the first part do if beta is 1. */
static void ngrt_gemm_product(int m, int n, int k, int depth, real alpha, ngrt_gemm_matrix a,
                              ngrt_gemm_matrix b, real beta, real *c, ptrdiff_t ldc, int chain,
                              real *room)
{
    const ngrt_gemm_kernel kernel = ngrt_gemm_choose();
    const int is_large = (ptrdiff_t)n * k > NGRT_GEMM_LARGE;
    int band = m, i, p;

    /* one panel of B needs no bands of an A that is not packed */
    if ((ptrdiff_t)(m + kernel.rows) * depth > NGRT_GEMM_BAND && (room || n > kernel.cols))
        band = ngrt_gemm_piece(m, NGRT_GEMM_BAND / depth / kernel.rows * kernel.rows, kernel.rows);

    for (i = 0; i < m; i += band)
        for (p = 0; p < k; p += depth) {
            const int kp = NGRT_GEMM_LEAST(k - p, depth), rows = NGRT_GEMM_LEAST(m - i, band);
            const ngrt_gemm_matrix ap = ngrt_gemm_from(a, i, p);
            const real before = p == 0 ? beta : 1;

            if (room)
                ngrt_gemm_pack_a(&kernel, rows, kp, ap, room);
            ngrt_gemm_panels(&kernel, rows, n, kp, alpha, ap, room, ngrt_gemm_from(b, p, 0),
                             chain ? 0 : before, c + i * ldc, ldc, chain && before != 0, is_large);
        }
}

/* Some rows of C, or of some of its columns; the whole C has m rows. */
static void ngrt_gemm_by_rows(int rows, int m, int n, int k, int packs, real alpha,
                              ngrt_gemm_matrix a, ngrt_gemm_matrix b, real beta, real *c,
                              ptrdiff_t ldc, int chain)
{
    const int depth = ngrt_gemm_depth(m, k, a, packs);
    real space[NGRT_GEMM_LENGTH(packs ? ngrt_gemm_room(rows, depth) : 0, NGRT_GEMM_BAND) +
               NGRT_GEMM_COLS];

    ngrt_gemm_product(rows, n, k, depth, alpha, a, b, beta, c, ldc, chain,
                      packs ? ngrt_gemm_line(space) : NULL);
}

/*@ gemm_part: gemm_product */
/* sum += piece; what rounding loses of it is in `rest`, and is added with the next piece. */
static void ngrt_gemm_add_piece(int count, const real *piece, real *sum, real *rest)
{
    int i;

    for (i = 0; i < count; i++) {
        const real more = piece[i] + rest[i], whole = sum[i] + more;
        rest[i] = more - (whole - sum[i]);
        sum[i] = whole;
    }
}

/* The product of very long rows and columns, for as many elements of C at a time as there is room
 * for: sums of pieces of the inner size are added without loss. C itself, whose elements are large,
 * would lose digits at each piece. Its buffers are large, so no other function takes it in. */
#ifdef __GNUC__
__attribute__((noinline))
#endif
static void
ngrt_gemm_long(int m, int n, int k, real alpha, ngrt_gemm_matrix a, ngrt_gemm_matrix b, real beta,
               real *c, ptrdiff_t ldc)
{
    enum { ROOM = NGRT_GEMM_TALL * NGRT_GEMM_WIDE };
    const int depth = ngrt_gemm_depth(m, NGRT_GEMM_PIECE, a, 0);
    real piece[ROOM], sum[ROOM], rest[ROOM];
    int i, j, p;

    for (i = 0; i < m; i += NGRT_GEMM_TALL)
        for (j = 0; j < n; j += NGRT_GEMM_WIDE) {
            const int rows = NGRT_GEMM_LEAST(m - i, NGRT_GEMM_TALL);
            const int cols = NGRT_GEMM_LEAST(n - j, NGRT_GEMM_WIDE);

            memset(sum, 0, sizeof sum);
            memset(rest, 0, sizeof rest);
            for (p = 0; p < k; p += NGRT_GEMM_PIECE) {
                const int kp = NGRT_GEMM_LEAST(k - p, NGRT_GEMM_PIECE);

                ngrt_gemm_product(rows, cols, kp, depth, 1, ngrt_gemm_from(a, i, p),
                                  ngrt_gemm_from(b, p, j), 0, piece, cols, 0, NULL);
                ngrt_gemm_add_piece(rows * cols, piece, sum, rest);
            }

            for (p = 0; p < rows; p++)
                ngrt_gemm_store(cols, alpha, sum + p * cols, beta, c + (i + p) * ldc + j, 1);
        }
}

/* ---- products with a vector ---- */

/* s[j] += x[p + j] y[p + j] for p = 0, COLS, .. as long as all j < COLS are below k. */
static void ngrt_gemm_add_products(int k, const real *x, const real *y, real *s)
{
    int p = 0;
#ifdef __GNUC__
    ngrt_gemm_quarter s0 = {0}, s1 = s0, s2 = s0, s3 = s0;

    for (; p + NGRT_GEMM_COLS <= k; p += NGRT_GEMM_COLS) {
        const ngrt_gemm_quarter *a = (const ngrt_gemm_quarter *)(x + p);
        const ngrt_gemm_quarter *b = (const ngrt_gemm_quarter *)(y + p);
        s0 += a[0] * b[0];
        s1 += a[1] * b[1];
        s2 += a[2] * b[2];
        s3 += a[3] * b[3];
    }
    ((ngrt_gemm_quarter *)s)[0] = s0;
    ((ngrt_gemm_quarter *)s)[1] = s1;
    ((ngrt_gemm_quarter *)s)[2] = s2;
    ((ngrt_gemm_quarter *)s)[3] = s3;
#else
    for (; p + NGRT_GEMM_COLS <= k; p += NGRT_GEMM_COLS) {
        int j;
        for (j = 0; j < NGRT_GEMM_COLS; j++)
            s[j] += x[p + j] * y[p + j];
    }
#endif
}

/* sum[j] = sum over p < k of x[p] b[p row + j] for j < COLS. */
static void ngrt_gemm_add_rows(int k, const real *x, const real *b, ptrdiff_t row, real *sum)
{
    int p;
    /* where C computes with more digits than the type has, a number and a vector have no product */
#if defined __GNUC__ && __FLT_EVAL_METHOD__ == 0
    ngrt_gemm_quarter s0 = {0}, s1 = s0, s2 = s0, s3 = s0;

    for (p = 0; p < k; p++, b += row) {
        const ngrt_gemm_quarter *from = (const ngrt_gemm_quarter *)b;
        s0 += x[p] * from[0];
        s1 += x[p] * from[1];
        s2 += x[p] * from[2];
        s3 += x[p] * from[3];
    }
    ((ngrt_gemm_quarter *)sum)[0] = s0;
    ((ngrt_gemm_quarter *)sum)[1] = s1;
    ((ngrt_gemm_quarter *)sum)[2] = s2;
    ((ngrt_gemm_quarter *)sum)[3] = s3;
#else
    int i;

    for (i = 0; i < NGRT_GEMM_COLS; i++)
        sum[i] = 0;
    for (p = 0; p < k; p++, b += row)
        for (i = 0; i < NGRT_GEMM_COLS; i++)
            sum[i] += x[p] * b[i];
#endif
}

/* s[i][j] = sum over p = j, j + COLS, .. of x[p] b[i][p], for NGRT_GEMM_DOTS columns b[i] of B, as
 * far as whole lines go. s is 0 before. */
typedef void ngrt_gemm_dotting(int k, const real *x, const real *const *b, real *s);

/* sum[j] = sum over p < k of x[p] b[p row + j] for j < lines COLS. */
typedef void ngrt_gemm_summing(int lines, int k, const real *x, const real *b, ptrdiff_t row,
                               real *sum);

static void ngrt_gemm_dots(int k, const real *x, const real *const *b, real *s)
{
    int i;

    for (i = 0; i < NGRT_GEMM_DOTS; i++)
        ngrt_gemm_add_products(k, x, b[i], s + i * NGRT_GEMM_COLS);
}

static void ngrt_gemm_down(int lines, int k, const real *x, const real *b, ptrdiff_t row, real *sum)
{
    int i;

    for (i = 0; i < lines; i++)
        ngrt_gemm_add_rows(k, x, b + i * NGRT_GEMM_COLS, row, sum + i * NGRT_GEMM_COLS);
}

#if defined __GNUC__ && defined __x86_64__
/* What is done for each column i of B, and for each line. The sums are si and, where a line is two
 * vectors, ti. */
#define NGRT_GEMM_EMPTY(i) vector s##i = {0}, t##i = {0}
#define NGRT_GEMM_DOT(i)                            \
    s##i += y[0] * ((const vector *)(b[i] + p))[0]; \
    if (vectors > 1)                                \
    t##i += y[vectors - 1] * ((const vector *)(b[i] + p))[vectors - 1]
#define NGRT_GEMM_DOWN(i)             \
    s##i += x[p] * from[i * vectors]; \
    if (vectors > 1)                  \
    t##i += x[p] * from[(i + 1) * vectors - 1]
#define NGRT_GEMM_KEEP(i)   \
    to[i * vectors] = s##i; \
    if (vectors > 1)        \
    to[(i + 1) * vectors - 1] = t##i

/* Both, with `vectors` vectors a line; `some` columns of B at a time. */
#define NGRT_GEMM_VECTOR_BY(dots, down, target, type, some, each)                          \
    target static void dots(int k, const real *x, const real *const *b, real *s)           \
    {                                                                                      \
        typedef type vector;                                                               \
        enum { vectors = NGRT_GEMM_COLS * sizeof(real) / sizeof(vector) };                 \
        vector *to = (vector *)s;                                                          \
        int i, p;                                                                          \
        for (i = 0; i < NGRT_GEMM_DOTS; i += some, b += some, to += some * vectors) {      \
            each(NGRT_GEMM_EMPTY);                                                         \
            for (p = 0; p + NGRT_GEMM_COLS <= k; p += NGRT_GEMM_COLS) {                    \
                const vector *y = (const vector *)(x + p);                                 \
                each(NGRT_GEMM_DOT);                                                       \
            }                                                                              \
            each(NGRT_GEMM_KEEP);                                                          \
        }                                                                                  \
    }                                                                                      \
    target static void down(int lines, int k, const real *x, const real *b, ptrdiff_t row, \
                            real *sum)                                                     \
    {                                                                                      \
        typedef type vector;                                                               \
        enum { vectors = NGRT_GEMM_COLS * sizeof(real) / sizeof(vector) };                 \
        vector *to = (vector *)sum;                                                        \
        int p;                                                                             \
        for (; lines >= 4; lines -= 4, b += 4 * NGRT_GEMM_COLS, to += 4 * vectors) {       \
            NGRT_GEMM_FOUR_ROWS(NGRT_GEMM_EMPTY);                                          \
            for (p = 0; p < k; p++) {                                                      \
                const vector *from = (const vector *)(b + p * row);                        \
                NGRT_GEMM_FOUR_ROWS(NGRT_GEMM_DOWN);                                       \
            }                                                                              \
            NGRT_GEMM_FOUR_ROWS(NGRT_GEMM_KEEP);                                           \
        }                                                                                  \
        for (; lines > 0; lines--, b += NGRT_GEMM_COLS, to += vectors) {                   \
            NGRT_GEMM_EMPTY(0);                                                            \
            for (p = 0; p < k; p++) {                                                      \
                const vector *from = (const vector *)(b + p * row);                        \
                NGRT_GEMM_DOWN(0);                                                         \
            }                                                                              \
            NGRT_GEMM_KEEP(0);                                                             \
        }                                                                                  \
    }
NGRT_GEMM_VECTOR_BY(ngrt_gemm_dots_avx2, ngrt_gemm_down_avx2, NGRT_GEMM_TARGET("avx2,fma"),
                    ngrt_gemm_v32, 4, NGRT_GEMM_FOUR_ROWS)
NGRT_GEMM_VECTOR_BY(ngrt_gemm_dots_avx512, ngrt_gemm_down_avx512, NGRT_GEMM_TARGET("avx512f"),
                    ngrt_gemm_v64, 8, NGRT_GEMM_ALL_ROWS)
#endif

/* The best of them for this processor. */
static void ngrt_gemm_choose_vector(ngrt_gemm_dotting **dots, ngrt_gemm_summing **down)
{
    *dots = ngrt_gemm_dots;
    *down = ngrt_gemm_down;
#if defined __GNUC__ && defined __x86_64__
    if (__builtin_cpu_supports("avx512f")) {
        *dots = ngrt_gemm_dots_avx512;
        *down = ngrt_gemm_down_avx512;
    } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        *dots = ngrt_gemm_dots_avx2;
        *down = ngrt_gemm_down_avx2;
    }
#endif
}

/* The sum of the partial sums of a line, by halves. */
static real ngrt_gemm_total(const real *s)
{
    real sum[NGRT_GEMM_COLS / 4];
    int count, j;
#ifdef __GNUC__
    const ngrt_gemm_quarter *all = (const ngrt_gemm_quarter *)s;

    *(ngrt_gemm_quarter *)sum = (all[0] + all[2]) + (all[1] + all[3]);
#else
    for (j = 0; j < NGRT_GEMM_COLS / 4; j++)
        sum[j] = (s[j] + s[j + NGRT_GEMM_COLS / 2]) +
                 (s[j + NGRT_GEMM_COLS / 4] + s[j + 3 * NGRT_GEMM_COLS / 4]);
#endif
    for (count = NGRT_GEMM_COLS / 8; count > 0; count /= 2)
        for (j = 0; j < count; j++)
            sum[j] += sum[j + count];
    return sum[0];
}

/* Pointers to `count` rows of a, where it has `rows`: past the last row, that one again. */
static void ngrt_gemm_rows(int count, int rows, const real *a, ptrdiff_t row, const real **to)
{
    int i;

    for (i = 0; i < count; i++)
        to[i] = a + (i < rows ? i : rows - 1) * row;
}

/* sum[i] = sum over p < k of x[p] b[i col + p] for i < cols, at most NGRT_GEMM_DOTS, in partial
 * sums. What is lost to rounding grows with the logarithm of k. */
static void ngrt_gemm_dot(ngrt_gemm_dotting *dots, int cols, int k, const real *x, const real *b,
                          ptrdiff_t col, real *sum)
{
    real s[NGRT_GEMM_DOTS * NGRT_GEMM_COLS] = {0}, more[NGRT_GEMM_DOTS];
    const real *from[NGRT_GEMM_DOTS];
    int i, p;

    if (k > NGRT_GEMM_SUMMED * NGRT_GEMM_COLS) {
        const int half = k / (2 * NGRT_GEMM_COLS) * NGRT_GEMM_COLS;

        ngrt_gemm_dot(dots, cols, half, x, b, col, sum);
        ngrt_gemm_dot(dots, cols, k - half, x + half, b + half, col, more);
        for (i = 0; i < cols; i++)
            sum[i] += more[i];
        return;
    }

    ngrt_gemm_rows(NGRT_GEMM_DOTS, cols, b, col, from);
    dots(k, x, from, s);
    for (i = 0; i < cols; i++) {
        sum[i] = 0;
        for (p = k / NGRT_GEMM_COLS * NGRT_GEMM_COLS; p < k; p++)
            sum[i] += x[p] * from[i][p];
        sum[i] += ngrt_gemm_total(s + i * NGRT_GEMM_COLS);
    }
}

/* sum[j] = sum over p < k of x[p] b[p row + j] for j < cols, less than NGRT_GEMM_ACROSS and a line.
 */
static void ngrt_gemm_sums(ngrt_gemm_summing *down, int cols, int k, const real *x, const real *b,
                           ptrdiff_t row, real *sum)
{
    const int whole = cols - cols % NGRT_GEMM_COLS;
    real last[NGRT_GEMM_COLS];
    int i;

    if (k > NGRT_GEMM_SUMMED) {
        real more[NGRT_GEMM_ACROSS + NGRT_GEMM_COLS];

        ngrt_gemm_sums(down, cols, k / 2, x, b, row, sum);
        ngrt_gemm_sums(down, cols, k - k / 2, x + k / 2, b + k / 2 * row, row, more);
        for (i = 0; i < cols; i++)
            sum[i] += more[i];
        return;
    }

    /* less than a line is rounded as a line is: it is moved back, or gets zeros */
    down(whole / NGRT_GEMM_COLS, k, x, b, row, sum);
    if (whole == 0) {
        real panel[NGRT_GEMM_SUMMED * NGRT_GEMM_COLS] = {0};

        ngrt_gemm_copy(k, cols, b, row, panel, NGRT_GEMM_COLS);
        down(1, k, x, panel, NGRT_GEMM_COLS, last);
        memcpy(sum, last, (size_t)cols * sizeof *sum);
    } else if (whole < cols) {
        down(1, k, x, b + cols - NGRT_GEMM_COLS, row, last);
        memcpy(sum + whole, last + NGRT_GEMM_COLS - (cols - whole),
               (size_t)(cols - whole) * sizeof *sum);
    }
}

/* c[j step] = alpha (sum over p < k of x[p] b(p, j)) + beta c[j step] for j < n: a C of one row or
 * one column. */
static void ngrt_gemm_vector(int n, int k, real alpha, const real *x, ngrt_gemm_matrix b, real beta,
                             real *c, ptrdiff_t step)
{
    ngrt_gemm_dotting *dots;
    ngrt_gemm_summing *down;
    int cols, i, j;

    ngrt_gemm_choose_vector(&dots, &down);
    for (j = 0; j < n; j += cols) {
        const real *from = b.at + j * b.col;
        real sum[NGRT_GEMM_ACROSS + NGRT_GEMM_COLS];

        cols = n - j < NGRT_GEMM_ACROSS + NGRT_GEMM_COLS ? n - j : NGRT_GEMM_ACROSS;
        for (i = 0; i < cols && b.row == 1; i += NGRT_GEMM_DOTS)
            ngrt_gemm_dot(dots, NGRT_GEMM_LEAST(cols - i, NGRT_GEMM_DOTS), k, x, from + i * b.col,
                          b.col, sum + i);
        if (b.row != 1)
            ngrt_gemm_sums(down, cols, k, x, from, b.row, sum);
        ngrt_gemm_store(cols, alpha, sum, beta, c + j * step, step);
    }
}

/* ---- few rows by a matrix that is stored transposed ---- */

enum {
    NGRT_GEMM_FEW = 8 /* rows of C that are computed so, at most */
};

/* Is C so flat that to transpose a B that is stored so, for tiles, would take longer than all sums?
 * Then each element of C is a sum along a row of A and a row of the stored B. */
static int ngrt_gemm_is_flat(int m, int n, int k)
{
    const int inner = sizeof(real) == 4 && m > 4 ? 64 : 32;

    return m <= NGRT_GEMM_FEW && n > 1 && k >= inner * m;
}

/* sum[4 i + j] = sum over p < k of x[i][p] y[j][p] for i < 2, j < 4; k is at least 8. */
typedef void ngrt_gemm_pairing(int k, const real *const *x, const real *const *y, real *sum);

#ifdef __GNUC__
/* sum[i] = the sum of elements lanes*i to lanes*(i + 1) of s, by halves, for i < 8. */
static void ngrt_gemm_add_lanes(int lanes, real *s, real *sum)
{
    int count, i, j;

    for (i = 0; i < 8; i++, s += lanes) {
        for (count = lanes / 2; count > 0; count /= 2)
            for (j = 0; j < count; j++)
                s[j] += s[j + count];
        sum[i] = s[0];
    }
}

/* GCC would read a vector that is used twice from memory twice. */
#ifdef __x86_64__
#define NGRT_GEMM_READ(v) __asm__("" : "+x"(v))
#else
#define NGRT_GEMM_READ(v) (void)0
#endif

/* One step of the sums of y[j], and of all. */
#define NGRT_GEMM_PAIR(j, part)            \
    v = part(*(const vector *)(y[j] + p)); \
    NGRT_GEMM_READ(v);                     \
    s##j += x0 * v;                        \
    t##j += x1 * v
#define NGRT_GEMM_PAIRS(part)               \
    x0 = part(*(const vector *)(x[0] + p)); \
    x1 = part(*(const vector *)(x[1] + p)); \
    NGRT_GEMM_PAIR(0, part);                \
    NGRT_GEMM_PAIR(1, part);                \
    NGRT_GEMM_PAIR(2, part);                \
    NGRT_GEMM_PAIR(3, part)

/* All of a vector, and the lanes that is_new has; the others become 0. */
#define NGRT_GEMM_ALL(v) (v)
#define NGRT_GEMM_NEW(v) ((vector)((__typeof__(is_new))(v)&is_new))

/* The last vectors reach back to elements that are counted. */
#define NGRT_GEMM_PAIRING(name, target, type, add)                                        \
    target static void name(int k, const real *const *x, const real *const *y, real *sum) \
    {                                                                                     \
        typedef type vector;                                                              \
        enum { lanes = sizeof(vector) / sizeof(real) };                                   \
        static const real late[16] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1};    \
        vector s0 = {0}, s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;   \
        vector all[8], x0, x1, v;                                                         \
        int p;                                                                            \
        for (p = 0; p + lanes <= k; p += lanes) {                                         \
            NGRT_GEMM_PAIRS(NGRT_GEMM_ALL);                                               \
        }                                                                                 \
        if (p < k) {                                                                      \
            const vector added = *(const vector *)(late + 8 - lanes + k - p), none = {0}; \
            const __typeof__(added > none) is_new = added > none;                         \
            p = k - lanes;                                                                \
            NGRT_GEMM_PAIRS(NGRT_GEMM_NEW);                                               \
        }                                                                                 \
        all[0] = s0;                                                                      \
        all[1] = s1;                                                                      \
        all[2] = s2;                                                                      \
        all[3] = s3;                                                                      \
        all[4] = t0;                                                                      \
        all[5] = t1;                                                                      \
        all[6] = t2;                                                                      \
        all[7] = t3;                                                                      \
        add(lanes, (real *)all, sum);                                                     \
    }

#ifdef __x86_64__
/* The same by vectors. */
NGRT_GEMM_TARGET("avx2,fma")
static inline void ngrt_gemm_add_vectors(int lanes, real *s, real *sum)
{
#ifdef NGRT_GEMM_SQUARES
    const int parts = lanes / 4;
    ngrt_gemm_four *four = (ngrt_gemm_four *)s;
    int i;

    for (i = 0; i < 8 && parts > 1; i++)
        four[i] = four[parts * i] + four[parts * i + parts - 1];

    for (i = 0; i < 8; i += 4) {
        const ngrt_gemm_four a = four[i], b = four[i + 1], c = four[i + 2], d = four[i + 3];
        const ngrt_gemm_four ab = NGRT_GEMM_LOW4(a, b) + NGRT_GEMM_HIGH4(a, b);
        const ngrt_gemm_four cd = NGRT_GEMM_LOW4(c, d) + NGRT_GEMM_HIGH4(c, d);
        *(ngrt_gemm_four *)(sum + i) = NGRT_GEMM_FIRST4(ab, cd) + NGRT_GEMM_LAST4(ab, cd);
    }
#else
    ngrt_gemm_add_lanes(lanes, s, sum);
#endif
}

NGRT_GEMM_PAIRING(ngrt_gemm_pair_avx2, NGRT_GEMM_TARGET("avx2,fma"), ngrt_gemm_v32,
                  ngrt_gemm_add_vectors)
#endif

#ifndef NGRT_GEMM_ANY
#define NGRT_GEMM_ANY
#endif
NGRT_GEMM_PAIRING(ngrt_gemm_pair, NGRT_GEMM_ANY, ngrt_gemm_quarter, ngrt_gemm_add_lanes)
#else
static void ngrt_gemm_pair(int k, const real *const *x, const real *const *y, real *sum)
{
    int i, p;

    for (i = 0; i < 8; i++) {
        sum[i] = 0;
        for (p = 0; p < k; p++)
            sum[i] += x[i / 4][p] * y[i % 4][p];
    }
}
#endif

/* The best function of this kind for this processor. */
static ngrt_gemm_pairing *ngrt_gemm_choose_pairing(void)
{
#if defined __GNUC__ && defined __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return ngrt_gemm_pair_avx2;
#endif
    return ngrt_gemm_pair;
}

/* C = alpha A B + beta C, of at most two rows and four columns, or four rows and two columns. */
static void ngrt_gemm_few_sums(ngrt_gemm_pairing *pair, int rows, int cols, int k, real alpha,
                               ngrt_gemm_matrix a, ngrt_gemm_matrix b, real beta, real *c,
                               ptrdiff_t ldc)
{
    const real *x[2], *y[4];
    real sum[8];
    int i;

    if (rows > 2) {
        ngrt_gemm_rows(2, cols, b.at, b.col, x);
        ngrt_gemm_rows(4, rows, a.at, a.row, y);
        pair(k, x, y, sum);
        for (i = 0; i < cols; i++)
            ngrt_gemm_store(rows, alpha, sum + 4 * i, beta, c + i, ldc);
    } else {
        ngrt_gemm_rows(2, rows, a.at, a.row, x);
        ngrt_gemm_rows(4, cols, b.at, b.col, y);
        pair(k, x, y, sum);
        for (i = 0; i < rows; i++)
            ngrt_gemm_store(cols, alpha, sum + 4 * i, beta, c + i * ldc, 1);
    }
}

/* The same of at most four rows and four columns. What rounding loses grows with the length of a
 * sum, so long ones are taken in pieces. */
static void ngrt_gemm_few_columns(ngrt_gemm_pairing *pair, int rows, int cols, int k, real alpha,
                                  ngrt_gemm_matrix a, ngrt_gemm_matrix b, real beta, real *c,
                                  ptrdiff_t ldc)
{
    const int piece = ngrt_gemm_piece(k, NGRT_GEMM_PIECE, NGRT_GEMM_COLS);
    const int most = rows > 2 ? 2 : 4;
    int j, p;

    for (j = 0; j < cols; j += most)
        for (p = 0; p < k; p += piece)
            ngrt_gemm_few_sums(pair, rows, NGRT_GEMM_LEAST(cols - j, most),
                               NGRT_GEMM_LEAST(k - p, piece), alpha, ngrt_gemm_from(a, 0, p),
                               ngrt_gemm_from(b, p, j), p > 0 ? 1 : beta, c + j, ldc);
}

/* C = alpha A B + beta C, for a flat C: four columns of B at a time, which stay in the cache for
 * all rows. */
static void ngrt_gemm_few(int m, int n, int k, real alpha, ngrt_gemm_matrix a, ngrt_gemm_matrix b,
                          real beta, real *c, ptrdiff_t ldc)
{
    ngrt_gemm_pairing *pair = ngrt_gemm_choose_pairing();
    int i, j;

    for (j = 0; j < n; j += 4)
        for (i = 0; i < m; i += 4)
            ngrt_gemm_few_columns(pair, NGRT_GEMM_LEAST(m - i, 4), NGRT_GEMM_LEAST(n - j, 4), k,
                                  alpha, ngrt_gemm_from(a, i, 0), ngrt_gemm_from(b, 0, j), beta,
                                  c + i * ldc + j, ldc);
}

/* C[m,n] = alpha a b + beta C, for a column a and a row b, which is contiguous. */
static void ngrt_gemm_outer(int m, int n, real alpha, ngrt_gemm_matrix a, const real *b, real beta,
                            real *c, ptrdiff_t ldc)
{
    int i;

    for (i = 0; i < m; i++) {
        const real x = a.at[i * a.row];
        real *to = c + i * ldc;
        int j = 0;

        /* where C computes with more digits than the type has, a number and a vector have no
         * product */
#if defined __GNUC__ && __FLT_EVAL_METHOD__ == 0
        enum { QUARTER = NGRT_GEMM_COLS / 4 };

        for (; j + QUARTER <= n && alpha == 1 && beta == 0; j += QUARTER)
            *(ngrt_gemm_quarter *)(to + j) = x * *(const ngrt_gemm_quarter *)(b + j);
#endif
        for (; j < n; j++)
            to[j] = beta == 0 ? alpha * (x * b[j]) : alpha * (x * b[j]) + beta * to[j];
    }
}

/* ---- all products ---- */

/* Is it better to compute C' = B' A'? It is where B is a layer's, with contiguous columns, and
 * larger than A: then rows of A become the columns, and C', which is small, is transposed. */
static int ngrt_gemm_is_transposed(int m, int n, int k, ngrt_gemm_matrix a, ngrt_gemm_matrix b)
{
    return a.col == 1 && b.row == 1 && m % NGRT_GEMM_COLS == 0 && m < n && m <= k / 4 &&
           m <= NGRT_GEMM_DEPTH && b.col % (32 * NGRT_GEMM_COLS) != 0;
}

/* C[m,n] = alpha T' + beta C; T is [n,m]. The tiles that wrote T were not given alpha: in a share
 * of C's columns, a column may be in another row of its tile than in the whole C. */
static void ngrt_gemm_untranspose(int m, int n, real alpha, real *t, real beta, real *c,
                                  ptrdiff_t ldc)
{
    int i, j = 0;

    for (i = 0; i < m * n && alpha != 1; i++)
        t[i] *= alpha;

    if (beta == 0)
        j = ngrt_gemm_choose().transpose(n / 8 * 8, m, t, m, c, (int)ldc);
    for (; j < n; j++)
        for (i = 0; i < m; i++) {
            real *to = c + i * ldc + j;
            *to = beta == 0 ? t[j * m + i] : t[j * m + i] + beta * *to;
        }
}

/* Are sums of pieces to be added without loss? It takes up to twice as long where C is large, so
 * there only if the sums are very long. The larger of the two types has digits to spare. */
static int ngrt_gemm_is_long(int m, int n, int k)
{
    const ptrdiff_t large = 4 * NGRT_GEMM_TALL * NGRT_GEMM_WIDE;

    return sizeof(real) == 4 && k > ((ptrdiff_t)m * n > large ? 8 : 1) * NGRT_GEMM_LONG;
}

/* C[m,n] = alpha A B + beta C by C' = B' A', some columns of C at a time. */
static void ngrt_gemm_by_columns(int m, int n, int k, real alpha, ngrt_gemm_matrix a,
                                 ngrt_gemm_matrix b, real beta, real *c, ptrdiff_t ldc)
{
    const ngrt_gemm_matrix bt = {b.at, b.col, 1}, at = {a.at, 1, a.row};
    const int depth = ngrt_gemm_depth(n, k, bt, 0), unit = 4 * NGRT_GEMM_ROWS;
    const int most = NGRT_GEMM_BAND / m / unit * unit;
    const int cols = n > most ? ngrt_gemm_piece(n, most, unit) : n;
    real space[NGRT_GEMM_LENGTH(m * cols, NGRT_GEMM_BAND) + NGRT_GEMM_COLS];
    real *room = ngrt_gemm_line(space);
    int j;

    for (j = 0; j < n; j += cols) {
        const int some = NGRT_GEMM_LEAST(n - j, cols);

        ngrt_gemm_product(some, m, k, depth, 1, ngrt_gemm_from(bt, j, 0), at, 0, room, m, 0, NULL);
        ngrt_gemm_untranspose(m, some, alpha, room, beta, c + j, ldc);
    }
}

/* Columns j0 to j1 of rows i0 to i1 of C = alpha A B + beta C. An element has the same bits in
 * whatever share of C it is computed, if shares begin where tiles do (compilers may round the rows
 * of a tile differently). So the whole C, and not the share, decides how it is computed. */
static void ngrt_gemm_part(int i0, int i1, int j0, int j1, int m, int n, int k, real alpha,
                           ngrt_gemm_matrix a, ngrt_gemm_matrix b, real beta, real *c,
                           ptrdiff_t ldc)
{
    const int rows = i1 - i0, cols = j1 - j0;
    int i, j;

    if (rows <= 0 || cols <= 0)
        return;
    a = ngrt_gemm_from(a, i0, 0);
    b = ngrt_gemm_from(b, 0, j0);
    c += i0 * ldc + j0;

    if (k <= 0 || alpha == 0) {
        for (i = 0; i < rows; i++)
            for (j = 0; j < cols; j++)
                c[i * ldc + j] = beta == 0 ? 0 : beta * c[i * ldc + j];
    } else if (k == 1 && b.col == 1) {
        ngrt_gemm_outer(rows, cols, alpha, a, b.at, beta, c, ldc);
    } else if (m == 1 && a.col == 1) {
        ngrt_gemm_vector(cols, k, alpha, a.at, b, beta, c, 1);
    } else if (n == 1 && b.row == 1) {
        const ngrt_gemm_matrix at = {a.at, a.col, a.row};
        ngrt_gemm_vector(rows, k, alpha, b.at, at, beta, c, ldc);
    } else if (ngrt_gemm_is_long(m, n, k)) {
        ngrt_gemm_long(rows, cols, k, alpha, a, b, beta, c, ldc);
    } else if (a.col == 1 && b.row == 1 && ngrt_gemm_is_flat(m, n, k)) {
        ngrt_gemm_few(rows, cols, k, alpha, a, b, beta, c, ldc);
    } else if (ngrt_gemm_is_transposed(m, n, k, a, b)) {
        ngrt_gemm_by_columns(rows, cols, k, alpha, a, b, beta, c, ldc);
    } else {
        ngrt_gemm_by_rows(rows, m, cols, k, ngrt_gemm_packs(n, a), alpha, a, b, beta, c, ldc, 0);
    }
}

/*@ gemm: gemm_part */
/* C[m,n] = alpha op(A) op(B) + beta C; A is [m,k], or [k,m] if ta; B is [k,n], or [n,k] if tb;
 * beta = 0 overwrites. */
NGRT_FN void ngrt_gemm(int ta, int tb, int m, int n, int k, real alpha, const real *a, int lda,
                       const real *b, int ldb, real beta, real *c, int ldc)
{
    ngrt_gemm_part(0, m, 0, n, m, n, k, alpha, ngrt_gemm_op(ta, a, lda), ngrt_gemm_op(tb, b, ldb),
                   beta, c, ldc);
}

/*@ gemm_share: gemm_part */
/* A share of `batch` products whose matrices follow each other in memory: from begin to end, of the
 * products (by is 0), of the rows of each C (1) or of its columns (2). */
NGRT_FN void ngrt_gemm_share(int threads, int by, int begin, int end, int batch, int ta, int tb,
                             int m, int n, int k, real alpha, const real *a, const real *b,
                             real beta, real *c)
{
    const ptrdiff_t rows = m, cols = n;
    const int first = by == 0 ? begin : 0, last = by == 0 ? end : batch;
    const int i0 = by == 1 ? begin : 0, i1 = by == 1 ? end : m;
    const int j0 = by == 2 ? begin : 0, j1 = by == 2 ? end : n;
    int t;

    (void)threads;
    for (t = first; t < last; t++)
        ngrt_gemm_part(i0, i1, j0, j1, m, n, k, alpha,
                       ngrt_gemm_op(ta, a + t * rows * k, ta ? m : k),
                       ngrt_gemm_op(tb, b + t * cols * k, tb ? k : n), beta, c + t * rows * cols,
                       n);
}

/*@ gemm_chain_part: gemm_product */
/* Columns j0 to j1 of rows i0 to i1 of C = A B, or of C + A B if onto is 1. The sums of a part of
 * k begin with those of the part before. If down is 1, they begin with the last column of A. */
static void ngrt_gemm_chain_part(int i0, int i1, int j0, int j1, int k, int down,
                                 ngrt_gemm_matrix a, ngrt_gemm_matrix b, int onto, real *c,
                                 ptrdiff_t ldc)
{
    int i, j;

    for (i = i0; i < i1 && k <= 0 && !onto; i++)
        for (j = j0; j < j1; j++)
            c[i * ldc + j] = 0;
    if (k <= 0 || i0 >= i1 || j0 >= j1)
        return;

    a = ngrt_gemm_from(a, i0, down ? k - 1 : 0);
    b = ngrt_gemm_from(b, down ? k - 1 : 0, j0);
    if (down) {
        a.col = -a.col;
        b.row = -b.row;
    }
    ngrt_gemm_by_rows(i1 - i0, i1 - i0, j1 - j0, k, ngrt_gemm_packs(j1 - j0, a), 1, a, b,
                      onto ? 1 : 0, c + i0 * ldc + j0, ldc, 1);
}

/*@ gemm_chain: gemm_chain_part */
/* C[m,n] = op(A) op(B), or C + op(A) op(B) if onto is 1, of matrices whose rows follow each other.
 * Each element is a chain of sums, from the first product to the last, or the other way if down is
 * 1. So it has the same bits whether rows of C, and parts of k one after the other, are computed
 * together or not: as the passes of a loop, and those of its segments. */
NGRT_FN void ngrt_gemm_chain(int ta, int tb, int m, int n, int k, int down, const real *a,
                             const real *b, int onto, real *c)
{
    ngrt_gemm_chain_part(0, m, 0, n, k, down, ngrt_gemm_op(ta, a, ta ? m : k),
                         ngrt_gemm_op(tb, b, tb ? k : n), onto, c, n);
}

/*@ gemm_chain_share: gemm_chain_part */
/* A share of it: from begin to end, of its rows (by is 1) or of its columns (2). */
NGRT_FN void ngrt_gemm_chain_share(int by, int begin, int end, int ta, int tb, int m, int n, int k,
                                   int down, const real *a, const real *b, int onto, real *c)
{
    ngrt_gemm_chain_part(by == 1 ? begin : 0, by == 1 ? end : m, by == 2 ? begin : 0,
                         by == 2 ? end : n, k, down, ngrt_gemm_op(ta, a, ta ? m : k),
                         ngrt_gemm_op(tb, b, tb ? k : n), onto, c, n);
}

/*@ gemm_half: gemm */
typedef void ngrt_gemm_function(int ta, int tb, int m, int n, int k, real alpha, const real *a,
                                int lda, const real *b, int ldb, real beta, real *c, int ldc);

static int ngrt_gemm_within(int at, int most)
{
    if (at < 0)
        return 0;
    return NGRT_GEMM_LEAST(at, most);
}

/* Rows i to end of C = alpha op(A) op(B). Elements whose column is larger than the row + diagonal
 * are 0 in A, as it is stored, if half is 1; if it is 2, those of C are not computed, and become 0.
 */
static void ngrt_gemm_half_rows(ngrt_gemm_function *gemm, int i, int end, int half, int diagonal,
                                int ta, int tb, int m, int n, int k, real alpha, const real *a,
                                const real *b, real *c)
{
    const ptrdiff_t lda = ta ? m : k, ldb = tb ? k : n;
    int cols = n, first = 0, last = k;

    if (half == 2)
        cols = ngrt_gemm_within(end + diagonal, n);
    else if (ta)
        first = ngrt_gemm_within(i - diagonal, k);
    else
        last = ngrt_gemm_within(end + diagonal, k);

    gemm(ta, tb, end - i, cols, last - first, alpha, a + (ta ? first * lda + i : i * lda + first),
         (int)lda, b + (tb ? first : first * ldb), (int)ldb, 0, c + (ptrdiff_t)i * n, n);
    for (; i < end && cols < n; i++)
        memset(c + (ptrdiff_t)i * n + cols, 0, (size_t)(n - cols) * sizeof *c);
}

/* A share as of ngrt_gemm_share, of the products of a batch or of rows; they are computed `rows`
 * rows at a time, from whole multiples of that on. */
static void ngrt_gemm_half_share(ngrt_gemm_function *gemm, int by, int begin, int end, int rows,
                                 int half, int diagonal, int batch, int ta, int tb, int m, int n,
                                 int k, real alpha, const real *a, const real *b, real *c)
{
    const ptrdiff_t size_a = (ptrdiff_t)m * k, size_b = (ptrdiff_t)k * n, size_c = (ptrdiff_t)m * n;
    const int first = by == 0 ? begin : 0, last = by == 0 ? end : batch;
    const int from = by == 1 ? begin : 0, to = by == 1 ? end : m;
    int t, i;

    for (t = first; t < last; t++)
        for (i = from; i < to; i += rows)
            ngrt_gemm_half_rows(gemm, i, to - i < rows ? to : i + rows, half, diagonal, ta, tb, m,
                                n, k, alpha, a + t * size_a, b + t * size_b, c + t * size_c);
}

NGRT_FN void ngrt_gemm_half(int threads, int by, int begin, int end, int rows, int half,
                            int diagonal, int batch, int ta, int tb, int m, int n, int k,
                            real alpha, const real *a, const real *b, real *c)
{
    (void)threads;
    ngrt_gemm_half_share(ngrt_gemm, by, begin, end, rows, half, diagonal, batch, ta, tb, m, n, k,
                         alpha, a, b, c);
}

/*@ end: */
#ifdef NGRT_CBLAS
#include <cblas.h>

#if defined __GNUC__ && defined __x86_64__
/* OpenBLAS has these; another CBLAS need not. */
int openblas_get_num_threads(void) __attribute__((weak));
int openblas_get_parallel(void) __attribute__((weak));
char *openblas_get_corename(void) __attribute__((weak));

/* The kernel here against OpenBLAS's kernels with vectors of 64 bytes, for a large inner size, if C
 * has enough rows. OpenBLAS's are faster where all is large, and
 * where few columns meet an A that is transposed and tall: it is read with steps here. */
static int beats_long(int ta, int m, int n, double work)
{
    if (n <= 32)
        return 1;
    if (n < 64 || work > 134217728.0)
        return 0;
    return !ta || (m <= 512 && n > 64);
}

/* The same for all products. OpenBLAS's kernels have special forms for small ones; for larger ones
 * they pack too much. */
static int beats_wide(int ta, int tb, int m, int n, int k, double work)
{
    const int is_double = sizeof(real) == sizeof(double);

    /* they pack a matrix that is multiplied with a vector, which costs more than the product where
     * it is not in the cache */
    if (m == 1 || n == 1)
        return work > 524288.0;
    if (!__builtin_cpu_supports("avx512f") || n < 16)
        return 0;
    if (k >= 1000)
        return !is_double && m >= 32 && beats_long(ta, m, n, work);
    if (is_double)
        return m >= 16 && work > 1e6 && k <= 800;
    if (work <= 1e6)
        return tb && !ta && k <= 256;
    if (m < 4)
        return tb;
    return !ta || n % 16 == 0;
}

/* Against its kernels for AVX2. */
static int beats_narrow(int ta, int tb, int m, int n, int k, double work)
{
    const int is_double = sizeof(real) == sizeof(double);

    /* With vectors of 64 bytes it is, where there is more to do than to store C. */
    if (__builtin_cpu_supports("avx512f"))
        return k > 2;

    /* With AVX2 it is where little of A and B is to be read for each element of C, so that packing
     * is what costs, and for all that stays in the caches. Few rows do not repay a B that is to be
     * transposed. */
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return 0;
    if (!ta && tb && ngrt_gemm_is_flat(m, n, k))
        return 1;
    if (k > 800 || (k > 128 && work > 67108864.0))
        return 0;
    if (is_double)
        return (k <= 256 || n < 48) && (!tb || m >= 64);
    if (ta)
        return k <= 128 || (m >= 32 && work <= 262144.0);
    return !tb || m >= 16 || k > 64;
}

/* How many bytes the vectors of OpenBLAS's kernels have. It chooses them when it is loaded; on a
 * processor that is newer than itself, these may be its oldest. */
static int blas_vector(void)
{
    static const char *const wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    static const char *const narrow[] = {"Haswell", "Zen"};
    const char *core = openblas_get_corename();
    size_t i;

    for (i = 0; i < sizeof wide / sizeof *wide; i++)
        if (strcmp(core, wide[i]) == 0)
            return 64;
    for (i = 0; i < sizeof narrow / sizeof *narrow; i++)
        if (strcmp(core, narrow[i]) == 0)
            return 32;
    return 16;
}

/* How many bytes the vectors of the kernel here have. */
static int own_vector(void)
{
    if (__builtin_cpu_supports("avx512f"))
        return 64;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 32 : 16;
}

/* Is the kernel here the faster one? That was measured for each shape. Where CBLAS has several
 * threads, and enough for them to do, it is not, unless all their vectors together are not longer
 * than one here. */
static int is_own(int ta, int tb, int m, int n, int k)
{
    const double work = (double)m * n * k;

    if (m == 1 && n == 1) /* a sum, which is exact to more digits here */
        return 1;
    if (k == 1) /* CBLAS packs both factors, which takes longer than the product */
        return 1;
    if (!openblas_get_corename || !openblas_get_num_threads)
        return 0;
    if (openblas_get_num_threads() > 1 && work > 1048576.0 &&
        openblas_get_num_threads() * blas_vector() > own_vector())
        return 0;

    switch (blas_vector()) {
    case 64: return beats_wide(ta, tb, m, n, k, work);
    case 32: return m == 1 || n == 1 || beats_narrow(ta, tb, m, n, k, work);
    default: return own_vector() > 16;
    }
}

/* May several threads call CBLAS, so that each computes what it asks for by itself? That is known
 * of an OpenBLAS that is made for threads and set to use one. */
static int is_quiet(void)
{
    return openblas_get_num_threads && openblas_get_parallel && openblas_get_num_threads() == 1 &&
           openblas_get_parallel() == 1;
}
#else
static int is_own(int ta, int tb, int m, int n, int k)
{
    (void)ta;
    (void)tb;
    return (m == 1 && n == 1) || k == 1;
}

static int is_quiet(void)
{
    return 0;
}
#endif

/* CBLAS wants row lengths of at least 1. */
void NGRT_NAME(gemm)(int ta, int tb, int m, int n, int k, real alpha, const real *a, int lda,
                     const real *b, int ldb, real beta, real *c, int ldc)
{
    const enum CBLAS_TRANSPOSE op_a = ta ? CblasTrans : CblasNoTrans;
    const enum CBLAS_TRANSPOSE op_b = tb ? CblasTrans : CblasNoTrans;

    if (is_own(ta, tb, m, n, k))
        ngrt_gemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    else if (m > 0 && n > 0)
        cblas_gemm(CblasRowMajor, op_a, op_b, m, n, k, alpha, a, lda > 0 ? lda : 1, b,
                   ldb > 0 ? ldb : 1, beta, c, ldc);
}

/* A share by CBLAS where it computes on the calling thread alone. */
void NGRT_NAME(gemm_share)(int threads, int by, int begin, int end, int batch, int ta, int tb,
                           int m, int n, int k, real alpha, const real *a, const real *b, real beta,
                           real *c)
{
    const ptrdiff_t rows = m, cols = n;
    const int first = by == 0 ? begin : 0, last = by == 0 ? end : batch;
    const ptrdiff_t i0 = by == 1 ? begin : 0, j0 = by == 2 ? begin : 0;
    const int own_rows = by == 1 ? end - begin : m, own_cols = by == 2 ? end - begin : n;
    int t;

    if (threads > 1 && (!is_quiet() || is_own(ta, tb, m, n, k))) {
        ngrt_gemm_share(threads, by, begin, end, batch, ta, tb, m, n, k, alpha, a, b, beta, c);
        return;
    }

    a += i0 * (ta ? 1 : k);
    b += j0 * (tb ? k : 1);
    c += i0 * cols + j0;
    for (t = first; t < last; t++)
        NGRT_NAME(gemm)
    (ta, tb, own_rows, own_cols, k, alpha, a + t * rows * k, ta ? m : k, b + t * cols * k,
     tb ? k : n, beta, c + t * rows * cols, n);
}

void NGRT_NAME(gemm_chain)(int ta, int tb, int m, int n, int k, int down, const real *a,
                           const real *b, int onto, real *c)
{
    ngrt_gemm_chain(ta, tb, m, n, k, down, a, b, onto, c);
}

void NGRT_NAME(gemm_chain_share)(int by, int begin, int end, int ta, int tb, int m, int n, int k,
                                 int down, const real *a, const real *b, int onto, real *c)
{
    ngrt_gemm_chain_share(by, begin, end, ta, tb, m, n, k, down, a, b, onto, c);
}

void NGRT_NAME(gemm_half)(int threads, int by, int begin, int end, int rows, int half, int diagonal,
                          int batch, int ta, int tb, int m, int n, int k, real alpha, const real *a,
                          const real *b, real *c)
{
    ngrt_gemm_function *gemm = threads > 1 && !is_quiet() ? ngrt_gemm : NGRT_NAME(gemm);

    if (gemm == ngrt_gemm)
        ngrt_gemm_half(threads, by, begin, end, rows, half, diagonal, batch, ta, tb, m, n, k, alpha,
                       a, b, c);
    else
        ngrt_gemm_half_share(gemm, by, begin, end, rows, half, diagonal, batch, ta, tb, m, n, k,
                             alpha, a, b, c);
}
#endif
