/* ngrt.h - what C code emitted by ngc calls, and how it describes itself. C99 and C++98.
 *
 * All tensors are dense and row-major. No function allocates memory, prints, exits or keeps state
 * between calls.
 */
#ifndef NGRT_H
#define NGRT_H

#include <stddef.h>
#include <stdint.h>

#include "ngrt_math.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef NGRT_TYPES /* a standalone model's header has these too */
#define NGRT_TYPES

/*@ types: */
/* ---- errors ---- */

/* Emitted functions return NGRT_OK or, before they have written anything, NGRT_ESIZE or
 * NGRT_ELABEL. */
enum ngrt_error {
    NGRT_AGAIN = 1, /* of metrics_finish, not an error: all rows must be added once more */
    NGRT_OK = 0,
    NGRT_ESIZE = -1,   /* a run-time size is below 1 or above its bound */
    NGRT_ELABEL = -2,  /* an integer input holds a label or index out of its range */
    NGRT_ENOMEM = -3,  /* no memory (host part), or no block for the result (NAME_all) */
    NGRT_EIO = -4,     /* a file cannot be opened, read or written (host part only) */
    NGRT_EFORMAT = -5, /* a file is damaged or not of a known format (host part only) */
    NGRT_EMODEL = -6   /* data does not fit the model (host part only) */
};

/* ---- threads ---- */

/* Threads for one call of an emitted function at a time. The function finds them in the member
 * `pool` of its work block. ngrt_pool_create of the host part makes a pool; any other threads can
 * be given this form. */
typedef struct ngrt_pool {
    int threads; /* at least 1 */
    /* Calls task(arg, id, threads) for every id from 0 to threads - 1 at the same time, 0 on the
     * caller's thread, and returns when all have returned. Callers on several threads take turns.
     */
    void (*run)(struct ngrt_pool *pool, void (*task)(void *arg, int id, int threads), void *arg);
    /* A barrier, within a task: returns when every thread has called it as often as this one. What
     * they wrote before can then be read. */
    void (*wait)(struct ngrt_pool *pool, int id);
} ngrt_pool;

/* ---- the model descriptor ---- */

#define NGRT_MODEL_VERSION 3

enum ngrt_role {
    NGRT_INPUT,
    NGRT_PARAM,
    NGRT_STATE,
    NGRT_GRAD,
    NGRT_OUTPUT,
    NGRT_LOSS,
    NGRT_METRIC
};
enum ngrt_type { NGRT_F32, NGRT_F64, NGRT_I32 };

enum ngrt_flag {
    NGRT_SUM = 1,     /* loss: of all rows, it is the sum of the batches' losses */
    NGRT_TARGET = 2,  /* input: predict does not read it */
    NGRT_MEAN = 4,    /* loss: of all rows, it is the mean of the batches' losses, weighted by rows;
                         a loss with neither flag: see total */
    NGRT_DEFAULT = 8, /* input: the model gives it a value, which is in `defaults` */
    NGRT_STAYS = 16,  /* state: a step on a batch of one row leaves it as it is */
    NGRT_RISES = 32,  /* loss: it is maximized */
    NGRT_DRAWS = 64   /* state: counts the draws of random numbers, and chooses them */
};

/* A size known only at run time: 1 <= size <= max. */
typedef struct ngrt_dim {
    const char *name;
    int max;
    size_t offset; /* of the int in the inputs struct */
} ngrt_dim;

typedef struct ngrt_tensor {
    const char *name; /* the user's: "h.0.W" */
    int role;         /* enum ngrt_role */
    int type;         /* enum ngrt_type */
    int rank;
    int shape[8]; /* the most that it can be */
    int dim[8];   /* the index of the run-time size that shape[i] is a multiple of; -1: it is fixed;
                     -2: axis_length computes it */
    size_t offset; /* in its struct: params, state, inputs, grads, or work for outputs, losses and
                      metrics. In inputs a tensor is a pointer there and a scalar (rank 0) the value
                      itself. */
    int flags;     /* enum ngrt_flag */
    int limit;     /* int input: its values must be in [0, limit); 0: any */
    size_t total;  /* loss, metric: the place of its value for all rows in the totals struct, as
                      doubles; 0: it has none */
} ngrt_tensor;

/* What a generic caller (a loader, a trainer, another language) knows of a model. The functions are
 * those of the model's own header, all with the same arguments. Blocks that the model does not have
 * are ignored and may be NULL. Functions that it does not have are NULL. The owner of the work
 * block sets it to zero once, then it is reused. */
typedef struct ngrt_model {
    int version; /* NGRT_MODEL_VERSION */
    const char *name;
    int real; /* type of its floats: NGRT_F32 or NGRT_F64 */
    /* bytes of the blocks; work begins with its ngrt_pool * */
    size_t sizeof_params, sizeof_state, sizeof_inputs, sizeof_work, sizeof_grads;
    int dims;
    const ngrt_dim *dim;
    int tensors;
    const ngrt_tensor *tensor;
    void (*init)(void *params, void *state, uint64_t seed);
    int (*predict)(const void *params, void *state, const void *inputs, void *work);
    int (*eval)(const void *params, void *state, const void *inputs, void *work);
    int (*forward)(const void *params, void *state, const void *inputs, void *work);
    int (*backward)(const void *params, void *state, const void *inputs, void *work, void *grads);
    int (*update)(void *params, void *state, const void *inputs, void *work, const void *grads);
    int (*step)(void *params, void *state, const void *inputs, void *work);
    /* Losses and metrics of all rows, which come in batches: start, then add for each batch, then
     * finish. While finish returns NGRT_AGAIN, add all batches once more and finish again. Then the
     * values are in the totals block. NULL: no run-time size, or nothing to measure. */
    size_t sizeof_totals;
    void (*metrics_start)(void *totals);
    int (*metrics_add)(const void *params, void *state, const void *inputs, void *work,
                       void *totals);
    int (*metrics_finish)(void *totals);
    const void *defaults; /* an inputs struct with the default values, as NAME_INPUTS; NULL: there
                             are no inputs */
    int (*axis_length)(int tensor, int axis, const int *size); /* with these run-time sizes, of an
                             axis whose dim is -2; NULL: there is none */
} ngrt_model;

/*@ end: */
#endif

#ifndef NGRT_RANKS /* so has that of C that was made with --ranks */
#define NGRT_RANKS

/*@ ranks: */
/* ---- ranks ---- */

/* Processes that share the rows of each batch. C that was made with --ranks finds this in the
 * member `ranks` of the work block, and calls the functions on the caller's thread. All ranks make
 * the same calls, with the same n, in the same order. type is an enum ngrt_type. */
typedef struct ngrt_ranks {
    int rank; /* the number of this process, from 0: the draws of dropout depend on it */
    int rows; /* of the batch, on all ranks together */
    /* x becomes the sum, or the maximum, of the x of all ranks, with the same bits on each. */
    void (*sum)(struct ngrt_ranks *ranks, int type, void *x, size_t n);
    void (*max)(struct ngrt_ranks *ranks, int type, void *x, size_t n);
    /* A gradient is ready: the same as sum, but it may be done later. Nothing reads or changes x
     * before wait, which returns when all of it is done. */
    void (*ready)(struct ngrt_ranks *ranks, int type, void *x, size_t n);
    void (*wait)(struct ngrt_ranks *ranks);
} ngrt_ranks;

/*@ end: */
#endif

/* One lower-case phrase for an error code, never NULL. */
const char *ngrt_strerror(int error);

/* ---- matrix product ---- */

/* C[m,n] = alpha op(A) op(B) + beta C, where op(A) is [m,k] and op(B) is [k,n].
 *
 * A is stored [m,k], or [k,m] if ta is not 0; B is stored [k,n], or [n,k] if tb is not 0. lda, ldb,
 * ldc are the distances between rows as stored, at least the stored row's length. C may not overlap
 * A or B. Sizes may be 0: for k = 0 the product is 0. beta = 0 overwrites C whatever it holds, NaN
 * included; alpha = 0 does not read A and B. By OpenBLAS, or by ngc's own kernel where the library
 * was built without it. */
void ngrt_sgemm(int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
                const float *b, int ldb, float beta, float *c, int ldc);
void ngrt_dgemm(int ta, int tb, int m, int n, int k, double alpha, const double *a, int lda,
                const double *b, int ldb, double beta, double *c, int ldc);

/* A part of such a product, or of `batch` products of matrices that follow each other, dense: from
 * begin to end of the products (by is 0), of the rows of C (1), or of its columns (2). Threads that
 * compute parts of one product need no barrier. With more than one thread, CBLAS's own threads are
 * not used. The bits are then the same for any number of threads above 1 if parts of columns begin
 * at multiples of 32, and parts of rows at multiples of 24, or 48 of a single column. */
void ngrt_sgemm_share(int threads, int by, int begin, int end, int batch, int ta, int tb, int m,
                      int n, int k, float alpha, const float *a, const float *b, float beta,
                      float *c);
void ngrt_dgemm_share(int threads, int by, int begin, int end, int batch, int ta, int tb, int m,
                      int n, int k, double alpha, const double *a, const double *b, double beta,
                      double *c);

/* C[m,n] = op(A) op(B), or C + op(A) op(B) if onto is 1; all are dense. Each element is a chain of
 * sums, from the first product of k to the last, or from the last if down is 1. So it has the same
 * bits whether rows of C, and consecutive parts of k, are computed together or not. By ngc's own
 * kernel. */
void ngrt_sgemm_chain(int ta, int tb, int m, int n, int k, int down, const float *a, const float *b,
                      int onto, float *c);
void ngrt_dgemm_chain(int ta, int tb, int m, int n, int k, int down, const double *a,
                      const double *b, int onto, double *c);

/* From begin to end of its rows (by is 1) or of its columns (2). */
void ngrt_sgemm_chain_share(int by, int begin, int end, int ta, int tb, int m, int n, int k,
                            int down, const float *a, const float *b, int onto, float *c);
void ngrt_dgemm_chain_share(int by, int begin, int end, int ta, int tb, int m, int n, int k,
                            int down, const double *a, const double *b, int onto, double *c);

/* A share, as above and with beta = 0, of products of which a half is not computed, `rows` rows at
 * a time from whole multiples of that on. Above a diagonal are the elements whose column is larger
 * than the row + diagonal. half = 1: those of A, as it is stored, are 0. 2: those of C are not
 * used, and become 0. Products of a batch or rows are shared, not columns. */
void ngrt_sgemm_half(int threads, int by, int begin, int end, int rows, int half, int diagonal,
                     int batch, int ta, int tb, int m, int n, int k, float alpha, const float *a,
                     const float *b, float *c);
void ngrt_dgemm_half(int threads, int by, int begin, int end, int rows, int half, int diagonal,
                     int batch, int ta, int tb, int m, int n, int k, double alpha, const double *a,
                     const double *b, double *c);

/* ---- sorting ---- */

/* y [rows,k]: where the k largest of each row of x [rows,n] are, the largest first, equal ones in
 * their order. NaN is larger than any number. */
void ngrt_sorder(int rows, int n, int k, const float *x, int32_t *y);
void ngrt_dorder(int rows, int n, int k, const double *x, int32_t *y);
void ngrt_iorder(int rows, int n, int k, const int32_t *x, int32_t *y);

/* ---- linear equations ---- */

/* The factors lu [batch,n,n+1] of the matrices a [batch,n,n]. Row i holds column i of L and U of
 * the transpose, as LAPACK's getrf leaves them, and after them the number of the row that was
 * exchanged with row i. A singular matrix has a 0 on the diagonal. The large form computes products
 * of blocks, or calls LAPACK, where the library was built with OpenBLAS. */
void ngrt_slu(int batch, int n, const float *a, float *lu);
void ngrt_dlu(int batch, int n, const double *a, double *lu);
void ngrt_slu_large(int batch, int n, const float *a, float *lu);
void ngrt_dlu_large(int batch, int n, const double *a, double *lu);

/* x [batch,n,k] with A x = b, or A' x = b if t is not 0, from the factors of A; NaN where A is
 * singular. x may not overlap b. */
void ngrt_ssolve(int batch, int n, int k, int t, const float *lu, const float *b, float *x);
void ngrt_dsolve(int batch, int n, int k, int t, const double *lu, const double *b, double *x);
void ngrt_ssolve_large(int batch, int n, int k, int t, const float *lu, const float *b, float *x);
void ngrt_dsolve_large(int batch, int n, int k, int t, const double *lu, const double *b,
                       double *x);

/* l [batch,n,n]: the lower triangular factors with L L' = A, of which the lower triangles are read;
 * NaN from the column on at which A is not positive definite. */
void ngrt_scholesky(int batch, int n, const float *a, float *l);
void ngrt_dcholesky(int batch, int n, const double *a, double *l);
void ngrt_scholesky_large(int batch, int n, const float *a, float *l);
void ngrt_dcholesky_large(int batch, int n, const double *a, double *l);

/* out [batch]: the determinants from the factors; or their logarithms, -inf for 0 and NaN for a
 * negative determinant. */
void ngrt_sdet(int batch, int n, const float *lu, float *out);
void ngrt_ddet(int batch, int n, const double *lu, double *out);
void ngrt_slogdet(int batch, int n, const float *lu, float *out);
void ngrt_dlogdet(int batch, int n, const double *lu, double *out);

/* lup: f [batch,n,n+2], factors of a [batch,n,n] by exchanges of rows and columns, which are also
 * right for singular matrices. cof: from them the cofactors [batch,n,n], the derivatives of the
 * determinants. cof2: the derivative of the cofactors of a + t w with respect to t at t = 0,
 * w [batch,n,n]. */
void ngrt_slup(int batch, int n, const float *a, float *f);
void ngrt_dlup(int batch, int n, const double *a, double *f);
void ngrt_scof(int batch, int n, const float *f, float *out);
void ngrt_dcof(int batch, int n, const double *f, double *out);
void ngrt_scof2(int batch, int n, const float *f, const float *w, float *out);
void ngrt_dcof2(int batch, int n, const double *f, const double *w, double *out);

/* ---- convolutions ---- */

/* Of images x [g c,h,w,b], kernels k [g o,c,kh,kw] and y [g o,oh,ow,b] in g groups, with steps sh,
 * sw and dilations dh, dw:
 *
 *   y[o,i,j,b] = sum over c, u, v of k[o,c,u,v] x[c, i sh + u dh - ph, j sw + v dw - pw, b]
 *   k[o,c,u,v] = sum over i, j, b of x[c, i sh + u dh, j sw + v dw, b] y[o,i,j,b]
 *
 * n holds g c o h w b kh kw oh ow sh sw dh dw ph pw, and how many of x's first and of its last rows
 * are 0, so that they need not be read. x is 0 outside of its h rows and w columns; with a pw that
 * is not 0, b must be at least 16. Computes part number `part` of `parts`: some rows
 * of y, or some kernels. The parts are disjoint, and different threads may compute them. */
void ngrt_sconv(const int *n, const float *x, const float *k, float *y, int part, int parts);
void ngrt_dconv(const int *n, const double *x, const double *k, double *y, int part, int parts);
void ngrt_sconvk(const int *n, const float *x, const float *y, float *k, int part, int parts);
void ngrt_dconvk(const int *n, const double *x, const double *y, double *k, int part, int parts);

/* ---- random numbers ---- */

/* Element i depends only on (seed, stream, i) and has the same bits on every machine: only
 * arithmetic that IEEE 754 defines exactly is used, rounded after every operation. The float forms
 * give the double forms' values, rounded.
 *
 * Generator: SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
 * 2014), started at a hash of seed and stream. Normal: the inverse of the distribution function by
 * Wichura's algorithm AS 241 (PPND16, 1988). */

/* 64 random bits. */
uint64_t ngrt_random_bits(uint64_t seed, uint32_t stream, uint64_t i);

/* Uniform in [lo, hi); in the float form a value may round to hi. */
void ngrt_uniform(double *out, size_t n, uint64_t seed, uint32_t stream, double lo, double hi);
void ngrt_uniformf(float *out, size_t n, uint64_t seed, uint32_t stream, double lo, double hi);

/* Normal with this mean and standard deviation; within 8.3 deviations. */
void ngrt_normal(double *out, size_t n, uint64_t seed, uint32_t stream, double mean, double sd);
void ngrt_normalf(float *out, size_t n, uint64_t seed, uint32_t stream, double mean, double sd);

/* Normal, conditioned on being within two deviations of the mean (sd is that of the normal before
 * the cut). */
void ngrt_truncated(double *out, size_t n, uint64_t seed, uint32_t stream, double mean, double sd);
void ngrt_truncatedf(float *out, size_t n, uint64_t seed, uint32_t stream, double mean, double sd);

/* A random matrix of `rows` rows, n elements in all. Its rows, or its columns if there are fewer,
 * are orthogonal and have the length gain. */
void ngrt_orthogonal(double *out, size_t n, uint64_t seed, uint32_t stream, double gain,
                     double rows);
void ngrt_orthogonalf(float *out, size_t n, uint64_t seed, uint32_t stream, double gain,
                      double rows);

#ifdef __cplusplus
}
#endif

#endif
