/* ngrt_linear_real.h - systems of linear equations by LU factors: solve, det, logdet, and inv as a
 * solve against eye. One text, compiled for float by ngrt_slinear.c and for double by
 * ngrt_dlinear.c; sections and names as in ngrt_gemm_real.h.
 * real_log is logf or log, real_sqrt is sqrtf or sqrt.
 *
 * Golub and Van Loan, Matrix Computations, 3.4 (Gaussian elimination with partial pivoting),
 * and 3.2 (in blocks). Where NGRT_CBLAS is defined, large matrices are factored by LAPACK's getrf,
 * which OpenBLAS has. Where NGRT_PLAIN is defined, the file needs no other one.
 */
#include <math.h>
#include <string.h>

#define NGRT_FN
#ifdef NGRT_PLAIN /* C = alpha op(A) op(B) + C */
static void ngrt_gemm(int ta, int tb, int m, int n, int k, real alpha, const real *a, int lda,
                      const real *b, int ldb, real beta, real *c, int ldc)
{
    const ptrdiff_t ra = ta ? 1 : lda, ca = ta ? lda : 1, rb = tb ? 1 : ldb, cb = tb ? ldb : 1;
    int i, j, l;

    (void)beta;
    for (i = 0; i < m; i++)
        for (l = 0; l < k; l++)
            for (j = 0; j < n; j++)
                c[i * (ptrdiff_t)ldc + j] += alpha * a[i * ra + l * ca] * b[l * rb + j * cb];
}
#else
#define ngrt_gemm NGRT_NAME(gemm)
#endif
#ifdef NGRT_CBLAS /* the public function is at the end */
static void ngrt_lu_large(int batch, int n, const real *a, real *lu);
#else
#define ngrt_lu_large NGRT_NAME(lu_large)
#endif
#define ngrt_lu             NGRT_NAME(lu)
#define ngrt_solve          NGRT_NAME(solve)
#define ngrt_solve_large    NGRT_NAME(solve_large)
#define ngrt_cholesky       NGRT_NAME(cholesky)
#define ngrt_cholesky_large NGRT_NAME(cholesky_large)
#define ngrt_det            NGRT_NAME(det)
#define ngrt_logdet         NGRT_NAME(logdet)
#define ngrt_lup            NGRT_NAME(lup)
#define ngrt_cof            NGRT_NAME(cof)
#define ngrt_cof2           NGRT_NAME(cof2)

/*@ lu_step: */
/* Step k: exchanges row k with that of the largest element of what is left of column k, and divides
 * what is below it. Column c of the matrix is lu[c][0..n]. */
static void ngrt_lu_pivot(int n, int k, real *lu)
{
    const ptrdiff_t ld = n + 1;
    real *col = lu + k * ld;
    int c, i, p = k;

    for (i = k + 1; i < n; i++)
        if ((col[i] < 0 ? -col[i] : col[i]) > (col[p] < 0 ? -col[p] : col[p]))
            p = i;
    col[n] = (real)p;

    for (c = 0; c < n && p != k; c++) {
        real *x = lu + c * ld, swap = x[k];
        x[k] = x[p];
        x[p] = swap;
    }

    for (i = k + 1; i < n && col[k] != 0; i++) /* where it is 0, so are those below */
        col[i] /= col[k];
}

/* Takes the products of step k off elements k + 1 to `end` of columns `from` to `to`. */
static void ngrt_lu_subtract(int n, int k, int end, int from, int to, real *lu)
{
    const ptrdiff_t ld = n + 1;
    const real *col = lu + k * ld;
    int c, i;

    for (c = from; c < to; c++) {
        real *x = lu + c * ld, top = x[k];

        for (i = k + 1; i < end; i++)
            x[i] -= col[i] * top;
    }
}

/* Has the matrix zeros only, before (side 0) or after (side 1) the diagonal of its rows? */
static int ngrt_lu_is_empty(int n, int side, const real *a)
{
    int c, i;

    for (c = 0; c < n; c++)
        for (i = side ? c + 1 : 0; i < (side ? n : c); i++)
            if (a[c * (ptrdiff_t)n + i] != 0)
                return 0;
    return 1;
}

/* Copies an n x n matrix to lu, with a place after each of its columns. A triangular one that is
 * regular is its own factor, which the result says: U with no exchange, or L of whose columns each
 * is divided by its pivot. */
static int ngrt_lu_begin(int n, const real *a, real *lu)
{
    const ptrdiff_t ld = n + 1;
    int c, i, done = ngrt_lu_is_empty(n, 1, a) || ngrt_lu_is_empty(n, 0, a);

    for (c = 0; c < n; c++)
        done = done && a[c * ld] != 0;

    for (c = 0; c < n; c++) {
        const real pivot = done ? a[c * ld] : 1;

        for (i = 0; i < n; i++)
            lu[c * ld + i] = i > c ? a[c * (ptrdiff_t)n + i] / pivot : a[c * (ptrdiff_t)n + i];
        lu[c * ld + n] = (real)c;
    }
    return done;
}

/*@ lu: lu_step */
/* The factors of n x n matrices: of the transpose, by columns, as LAPACK's getrf leaves them, which
 * is the array a as it is stored. lu is [batch, n, n + 1]: the last element of row i is the number
 * of the row that step i exchanged with i. */
NGRT_FN void ngrt_lu(int batch, int n, const real *a, real *lu)
{
    int t, k, done;

    for (t = 0; t < batch; t++) {
        done = ngrt_lu_begin(n, a, lu);
        for (k = 0; k < n && !done; k++) {
            ngrt_lu_pivot(n, k, lu);
            ngrt_lu_subtract(n, k, n, k + 1, n, lu);
        }

        a += (ptrdiff_t)n * n;
        lu += n * (ptrdiff_t)(n + 1);
    }
}

/*@ solve_subtract: */
/* x[j] -= f y[j], for a row of the right sides */
static void ngrt_solve_subtract(int k, real f, const real *y, real *x)
{
    int j;

#ifdef __GNUC__
    typedef real quarter __attribute__((vector_size(16), aligned(sizeof(real)), may_alias));
    const int lanes = 16 / sizeof(real);

    for (; k >= lanes; k -= lanes, x += lanes, y += lanes)
        *(quarter *)x -= f * *(const quarter *)y;
#endif
    for (j = 0; j < k; j++)
        x[j] -= f * y[j];
}

/*@ solve_begin: */
/* Exchanges two rows of the right sides. */
static void ngrt_solve_swap(int k, real *x, real *y)
{
    int j;

    for (j = 0; j < k && x != y; j++) {
        real t = x[j];
        x[j] = y[j];
        y[j] = t;
    }
}

/* Copies the right sides to x; 0: the matrix is singular, that is, has a pivot of 0, and x is NaN.
 */
static int ngrt_solve_begin(int n, int k, const real *lu, const real *b, real *x)
{
    const ptrdiff_t ld = n + 1, size = (ptrdiff_t)n * k;
    int singular = 0, i;
    ptrdiff_t j;

    for (i = 0; i < n; i++)
        singular |= lu[i * ld + i] == 0;
    for (j = 0; j < size; j++)
        x[j] = singular ? (real)NAN : b[j];
    return !singular;
}

/*@ solve: solve_begin solve_subtract */
/* x[j] /= d */
static void ngrt_solve_divide(int k, real d, real *x)
{
    int j;

    for (j = 0; j < k; j++)
        x[j] /= d;
}

/* A' x = b, where x holds b: the exchanges, then L, then U, of the factored transpose. Element
 * (row, col) of the factors is lu[col*(n + 1) + row]. */
static void ngrt_solve_transposed(int n, int k, const real *lu, real *x)
{
    const ptrdiff_t ld = n + 1, ldx = k;
    int i, r;

    for (i = 0; i < n; i++)
        ngrt_solve_swap(k, x + i * ldx, x + (int)lu[i * ld + n] * ldx);

    for (i = 0; i < n; i++)
        for (r = i + 1; r < n; r++)
            ngrt_solve_subtract(k, lu[i * ld + r], x + i * ldx, x + r * ldx);

    for (i = n - 1; i >= 0; i--) {
        ngrt_solve_divide(k, lu[i * ld + i], x + i * ldx);
        for (r = 0; r < i; r++)
            ngrt_solve_subtract(k, lu[i * ld + r], x + i * ldx, x + r * ldx);
    }
}

/* A x = b: the transposes of U and of L, then the exchanges backwards. */
static void ngrt_solve_plain(int n, int k, const real *lu, real *x)
{
    const ptrdiff_t ld = n + 1, ldx = k;
    int i, r;

    for (i = 0; i < n; i++) {
        for (r = 0; r < i; r++)
            ngrt_solve_subtract(k, lu[i * ld + r], x + r * ldx, x + i * ldx);
        ngrt_solve_divide(k, lu[i * ld + i], x + i * ldx);
    }

    for (i = n - 1; i >= 0; i--)
        for (r = i + 1; r < n; r++)
            ngrt_solve_subtract(k, lu[i * ld + r], x + r * ldx, x + i * ldx);

    for (i = n - 1; i >= 0; i--)
        ngrt_solve_swap(k, x + i * ldx, x + (int)lu[i * ld + n] * ldx);
}

/* x with A x = b, or A' x = b where t is 1, from the factors of A; b and x are [batch, n, k]. Where
 * a matrix is singular, x is NaN. */
NGRT_FN void ngrt_solve(int batch, int n, int k, int t, const real *lu, const real *b, real *x)
{
    const ptrdiff_t size = (ptrdiff_t)n * k;
    int s;

    for (s = 0; s < batch; s++) {
        const int regular = ngrt_solve_begin(n, k, lu, b, x);

        if (regular && t)
            ngrt_solve_transposed(n, k, lu, x);
        else if (regular)
            ngrt_solve_plain(n, k, lu, x);

        lu += n * (ptrdiff_t)(n + 1);
        b += size;
        x += size;
    }
}

/*@ cholesky_begin: */
/* X L' = B for a lower triangular L [n,n], where the rows of X [m,n] hold those of B, which end at
 * the diagonal where X is L itself: x[j] = (b[j] - sum over k < j of x[k] l[j][k]) / l[j][j], and
 * on the diagonal the root of that difference. */
static void ngrt_cholesky_rows(int m, int n, const real *l, real *x, ptrdiff_t ld)
{
    int i, j, k;

    for (i = 0; i < m; i++, x += ld)
        for (j = 0; j < n && (x != l + i * ld || j <= i); j++) {
            const real *row = l + j * ld;
            real sum = x[j];

            for (k = 0; k < j; k++)
                sum -= x[k] * row[k];
            x[j] = x == row ? real_sqrt(sum) : sum / row[j];
        }
}

/* Zeros above the diagonal, where the matrix itself is, or what products have made of it. */
static void ngrt_cholesky_clear(int n, real *l)
{
    int i, j;

    for (i = 0; i < n; i++)
        for (j = i + 1; j < n; j++)
            l[i * (ptrdiff_t)n + j] = 0;
}

/*@ cholesky: cholesky_begin */
/* The lower triangular L with L L' = A of n x n matrices; only the lower triangle of A is read. */
NGRT_FN void ngrt_cholesky(int batch, int n, const real *a, real *l)
{
    const size_t size = (size_t)n * (size_t)n;
    int t;

    for (t = 0; t < batch; t++, a += size, l += size) {
        memcpy(l, a, size * sizeof *l);
        ngrt_cholesky_rows(n, n, l, l, n);
        ngrt_cholesky_clear(n, l);
    }
}

/*@ det: */
/* The determinants of the factored matrices: the product of U's diagonal, its sign changed by each
 * exchange. */
NGRT_FN void ngrt_det(int batch, int n, const real *lu, real *out)
{
    const ptrdiff_t ld = n + 1;
    int t, i;

    for (t = 0; t < batch; t++, lu += n * ld) {
        real d = 1;

        for (i = 0; i < n; i++) {
            const real *row = lu + i * ld;
            d *= (int)row[n] == i ? row[i] : -row[i];
        }
        out[t] = d;
    }
}

/*@ logdet: */
/* The logarithms of the determinants, -inf for 0 and NaN for a negative one, without the overflow
 * that their product may have. */
NGRT_FN void ngrt_logdet(int batch, int n, const real *lu, real *out)
{
    const ptrdiff_t ld = n + 1;
    int t, i;

    for (t = 0; t < batch; t++, lu += n * ld) {
        real sum = 0;
        int minus = 0, singular = 0;

        for (i = 0; i < n; i++) {
            const real *row = lu + i * ld;
            minus ^= ((int)row[n] != i) ^ (row[i] < 0);
            singular |= row[i] == 0;
            sum += real_log(row[i] < 0 ? -row[i] : row[i]);
        }
        out[t] = minus && !singular ? (real)NAN : sum;
    }
}

/*@ lup: */
/* Exchanges two rows of an n x n matrix, or two columns. */
static void ngrt_lup_swap_rows(int n, real *x, int i, int k)
{
    real *xi = x + i * (ptrdiff_t)n, *xk = x + k * (ptrdiff_t)n;
    int j;

    for (j = 0; j < n && i != k; j++) {
        real swap = xi[j];
        xi[j] = xk[j];
        xk[j] = swap;
    }
}

static void ngrt_lup_swap_columns(int n, real *x, int i, int k)
{
    int j;

    for (j = 0; j < n && i != k; j++) {
        real *row = x + j * (ptrdiff_t)n, swap = row[i];
        row[i] = row[k];
        row[k] = swap;
    }
}

/* Where in f the largest element from (k, k) on is; NaN is the largest. */
static ptrdiff_t ngrt_lup_pivot(int n, const real *f, int k)
{
    ptrdiff_t at, pivot = k * (ptrdiff_t)(n + 1);
    real most = -1;
    int i, j;

    for (i = k; i < n; i++)
        for (j = k; j < n; j++) {
            real x;

            at = i * (ptrdiff_t)n + j;
            x = f[at] < 0 ? -f[at] : f[at];
            if (x > most || x != x) {
                most = x;
                pivot = at;
            }
        }
    return pivot;
}

/* Factors that show the rank: P A Q = L D U, where L and U have ones on the diagonal and no larger
 * elements, because each pivot in D is the largest element of what is left; where all that is 0, so
 * are the pivots. f is [batch, n (n + 2)]: L, D and U in one matrix, then the numbers of the rows,
 * and of the columns, that step i exchanged with i. */
NGRT_FN void ngrt_lup(int batch, int n, const real *a, real *f)
{
    const ptrdiff_t size = (ptrdiff_t)n * n;
    ptrdiff_t s;
    int t, i, j, k;

    for (t = 0; t < batch; t++, a += size, f += size + 2 * n) {
        real *p = f + size, *q = p + n;

        for (s = 0; s < size; s++)
            f[s] = a[s];

        for (k = 0; k < n; k++) {
            const ptrdiff_t pivot = ngrt_lup_pivot(n, f, k);
            const int row = (int)(pivot / n), column = (int)(pivot % n);
            real *top = f + k * (ptrdiff_t)n, d;

            p[k] = (real)row;
            q[k] = (real)column;
            ngrt_lup_swap_rows(n, f, k, row);
            ngrt_lup_swap_columns(n, f, k, column);

            d = top[k];
            for (j = k + 1; j < n && d != 0; j++)
                top[j] /= d;
            for (i = k + 1; i < n && d != 0; i++) {
                real *x = f + i * (ptrdiff_t)n, l = x[k];
                for (j = k + 1; j < n; j++)
                    x[j] -= l * top[j];
                x[k] = l / d;
            }
        }
    }
}

/*@ cof: lup */
/* The product of the pivots except those of steps i and k. */
static real ngrt_cof_pivots(int n, const real *f, int i, int k)
{
    real all = 1;
    int j;

    for (j = 0; j < n; j++)
        if (j != i && j != k)
            all *= f[j * (ptrdiff_t)(n + 1)];
    return all;
}

/* From the cofactors x of L^-1 P A Q U^-1 those of A: det(P) det(Q) P' L'^-1 x U'^-1 Q' */
static void ngrt_cof_restore(int n, const real *f, real *x)
{
    const ptrdiff_t ld = n;
    const real *p = f + n * ld, *q = p + n;
    int i, j, k, minus = 0;

    /* L'^-1 x */
    for (i = n - 1; i >= 0; i--)
        for (k = i + 1; k < n; k++)
            for (j = 0; j < n; j++)
                x[i * ld + j] -= f[k * ld + i] * x[k * ld + j];

    /* x U'^-1 */
    for (i = 0; i < n; i++) {
        real *row = x + i * ld;
        for (j = n - 1; j >= 0; j--)
            for (k = j + 1; k < n; k++)
                row[j] -= f[j * ld + k] * row[k];
    }

    /* P' x Q', and the sign */
    for (i = n - 1; i >= 0; i--) {
        ngrt_lup_swap_rows(n, x, i, (int)p[i]);
        ngrt_lup_swap_columns(n, x, i, (int)q[i]);
        minus ^= ((int)p[i] != i) ^ ((int)q[i] != i);
    }
    for (i = 0; i < n * n && minus; i++)
        x[i] = -x[i];
}

/* The cofactors of n x n matrices, the derivatives of the determinants, from their factors f. Those
 * of D are the products of the other pivots: nothing is divided by one, so that they are right
 * where a matrix is singular. */
NGRT_FN void ngrt_cof(int batch, int n, const real *f, real *out)
{
    const ptrdiff_t size = (ptrdiff_t)n * n;
    int t, i;

    for (t = 0; t < batch; t++, f += size + 2 * n, out += size) {
        for (i = 0; i < n * n; i++)
            out[i] = 0;
        for (i = 0; i < n; i++)
            out[i * (ptrdiff_t)(n + 1)] = ngrt_cof_pivots(n, f, i, i);
        ngrt_cof_restore(n, f, out);
    }
}

/*@ cof2: cof */
/* x = L^-1 P x Q U^-1 */
static void ngrt_cof2_reduce(int n, const real *f, real *x)
{
    const ptrdiff_t ld = n;
    const real *p = f + n * ld, *q = p + n;
    int i, j, k;

    /* P x Q */
    for (i = 0; i < n; i++) {
        ngrt_lup_swap_rows(n, x, i, (int)p[i]);
        ngrt_lup_swap_columns(n, x, i, (int)q[i]);
    }

    /* L^-1 x */
    for (i = 0; i < n; i++)
        for (k = 0; k < i; k++)
            for (j = 0; j < n; j++)
                x[i * ld + j] -= f[i * ld + k] * x[k * ld + j];

    /* x U^-1 */
    for (i = 0; i < n; i++) {
        real *row = x + i * ld;
        for (j = 0; j < n; j++)
            for (k = 0; k < j; k++)
                row[j] -= row[k] * f[k * ld + j];
    }
}

/* How the cofactors of D change as D changes by v, which they overwrite: by -d v[j, i] at [i, j], d
 * the product of the other pivots; at [i, i] by the sum over j != i of d v[j, j]. */
static void ngrt_cof2_change(int n, const real *f, real *v)
{
    const ptrdiff_t ld = n, diagonal = n + 1;
    real all = 1, change = 0; /* the product of the pivots before step i; how it changes */
    int i, j, k;

    for (i = 0; i < n; i++) {
        const real pivot = f[i * diagonal], vi = v[i * diagonal];
        real rest = all, sum = change;

        /* by the product rule, with the pivots of the steps after i */
        for (k = i + 1; k < n; k++) {
            const real d = f[k * diagonal];
            sum = sum * d + rest * v[k * diagonal];
            rest *= d;
        }
        v[i * diagonal] = sum;

        change = change * pivot + all * vi;
        all *= pivot;

        for (j = i + 1; j < n; j++) {
            const real x = v[i * ld + j], pivots = -ngrt_cof_pivots(n, f, i, j);
            v[i * ld + j] = pivots * v[j * ld + i];
            v[j * ld + i] = pivots * x;
        }
    }
}

/* How the cofactors change as the matrix changes by w: those of D, where v = L^-1 P w Q U^-1. */
NGRT_FN void ngrt_cof2(int batch, int n, const real *f, const real *w, real *out)
{
    const ptrdiff_t size = (ptrdiff_t)n * n;
    int t, i;

    for (t = 0; t < batch; t++, f += size + 2 * n, w += size, out += size) {
        for (i = 0; i < n * n; i++)
            out[i] = w[i];
        ngrt_cof2_reduce(n, f, out);
        ngrt_cof2_change(n, f, out);
        ngrt_cof_restore(n, f, out);
    }
}

/*@ triangle: solve_subtract gemm */
enum {
    NGRT_TRIANGLE_ROWS = 8,  /* that are solved without products */
    NGRT_TRIANGLE_UPPER = 1, /* op(F) is upper triangular, not lower */
    NGRT_TRIANGLE_UNIT = 2,  /* its diagonal is 1 */
    NGRT_TRIANGLE_TURNED = 4 /* op(F) is the transpose of F */
};

/* op(F) X = B for a few rows, where X holds B: row by row, in the order in which they are known. */
static void ngrt_triangle_rows(int n, int k, int form, const real *f, ptrdiff_t ld, real *x,
                               ptrdiff_t ldx)
{
    const int upper = form & NGRT_TRIANGLE_UPPER, turned = form & NGRT_TRIANGLE_TURNED;
    int s, u, j;

    for (s = 0; s < n; s++) {
        const int i = upper ? n - 1 - s : s;
        const real pivot = f[i * (ld + 1)];

        for (u = 0; u < s; u++) {
            const int r = upper ? n - 1 - u : u;
            const real by = turned ? f[r * ld + i] : f[i * ld + r];
            ngrt_solve_subtract(k, by, x + r * ldx, x + i * ldx);
        }

        for (j = 0; j < k && !(form & NGRT_TRIANGLE_UNIT); j++)
            x[i * ldx + j] /= pivot;
    }
}

/* op(F) X = B, where X [n,k] holds B: one half of the rows, whose products are taken off the other
 * half, then that half. Nearly all of the work is in the products. */
static void ngrt_triangle(int n, int k, int form, const real *f, int ld, real *x, int ldx)
{
    const int turned = (form & NGRT_TRIANGLE_TURNED) != 0, half = n / 2, rest = n - half;
    const ptrdiff_t below = turned ? half : half * (ptrdiff_t)ld;
    const ptrdiff_t right = turned ? half * (ptrdiff_t)ld : half;
    const real *corner = f + half * ((ptrdiff_t)ld + 1);
    real *second = x + half * (ptrdiff_t)ldx;

    if (n <= NGRT_TRIANGLE_ROWS) {
        ngrt_triangle_rows(n, k, form, f, ld, x, ldx);
    } else if (form & NGRT_TRIANGLE_UPPER) {
        ngrt_triangle(rest, k, form, corner, ld, second, ldx);
        ngrt_gemm(turned, 0, half, k, rest, -1, f + right, ld, second, ldx, 1, x, ldx);
        ngrt_triangle(half, k, form, f, ld, x, ldx);
    } else {
        ngrt_triangle(half, k, form, f, ld, x, ldx);
        ngrt_gemm(turned, 0, rest, k, half, -1, f + below, ld, x, ldx, 1, second, ldx);
        ngrt_triangle(rest, k, form, corner, ld, second, ldx);
    }
}

/*@ solve_large: solve_begin triangle */
/* As ngrt_solve, for matrices that are worth products. */
NGRT_FN void ngrt_solve_large(int batch, int n, int k, int t, const real *lu, const real *b,
                              real *x)
{
    const int lower = t ? NGRT_TRIANGLE_UNIT | NGRT_TRIANGLE_TURNED : 0;
    const int upper = NGRT_TRIANGLE_UPPER | (t ? NGRT_TRIANGLE_TURNED : NGRT_TRIANGLE_UNIT);
    const ptrdiff_t ld = n + 1, size = (ptrdiff_t)n * k;
    int s, i;

    for (s = 0; s < batch; s++, lu += n * ld, b += size, x += size) {
        if (!ngrt_solve_begin(n, k, lu, b, x))
            continue;

        for (i = 0; i < n && t; i++)
            ngrt_solve_swap(k, x + i * (ptrdiff_t)k, x + (int)lu[i * ld + n] * (ptrdiff_t)k);
        ngrt_triangle(n, k, lower, lu, n + 1, x, k);
        ngrt_triangle(n, k, upper, lu, n + 1, x, k);
        for (i = n - 1; i >= 0 && !t; i--)
            ngrt_solve_swap(k, x + i * (ptrdiff_t)k, x + (int)lu[i * ld + n] * (ptrdiff_t)k);
    }
}

/*@ lu_large: lu_step gemm */
enum { NGRT_LU_COLUMNS = 32 }; /* that are factored without products */

/* As ngrt_lu, some columns at a time: they are factored, then their rows to the right are those of
 * U, and then their product is taken off the rest. */
NGRT_FN void ngrt_lu_large(int batch, int n, const real *a, real *lu)
{
    const ptrdiff_t ld = n + 1;
    int t, k;

    for (t = 0; t < batch; t++, a += (ptrdiff_t)n * n, lu += n * ld) {
        int from = ngrt_lu_begin(n, a, lu) ? n : 0, to;

        for (; from < n; from = to) {
            to = n - from < NGRT_LU_COLUMNS ? n : from + NGRT_LU_COLUMNS;

            for (k = from; k < to; k++) {
                ngrt_lu_pivot(n, k, lu);
                ngrt_lu_subtract(n, k, n, k + 1, to, lu);
            }
            for (k = from; k < to; k++)
                ngrt_lu_subtract(n, k, to, to, n, lu);
            ngrt_gemm(0, 0, n - to, n - to, to - from, -1, lu + to * ld + from, n + 1,
                      lu + from * ld + to, n + 1, 1, lu + to * ld + to, n + 1);
        }
    }
}

/*@ cholesky_large: cholesky_begin gemm */
enum { NGRT_CHOLESKY_ROWS = 16 }; /* and columns, that are computed without products */

/* X L' = B, where X [m,n] holds B: one half of the columns, whose products are taken off the other
 * half, then that half. */
static void ngrt_cholesky_right(int m, int n, const real *l, real *x, int ld)
{
    const int half = n / 2;
    const real *below = l + half * (ptrdiff_t)ld;

    if (n <= NGRT_CHOLESKY_ROWS) {
        ngrt_cholesky_rows(m, n, l, x, ld);
        return;
    }
    ngrt_cholesky_right(m, half, l, x, ld);
    ngrt_gemm(0, 1, m, n - half, half, -1, x, ld, below, ld, 1, x + half, ld);
    ngrt_cholesky_right(m, n - half, below + half, x + half, ld);
}

/* L of a matrix that is in its place: of the first half of its rows and columns, then what is below
 * it, whose square is taken off the rest. */
static void ngrt_cholesky_half(int n, real *l, int ld)
{
    const int half = n / 2, rest = n - half;
    real *below = l + half * (ptrdiff_t)ld;

    if (n <= NGRT_CHOLESKY_ROWS) {
        ngrt_cholesky_rows(n, n, l, l, ld);
        return;
    }
    ngrt_cholesky_half(half, l, ld);
    ngrt_cholesky_right(rest, half, l, below, ld);
    ngrt_gemm(0, 1, rest, rest, half, -1, below, ld, below, ld, 1, below + half, ld);
    ngrt_cholesky_half(rest, below + half, ld);
}

/* As ngrt_cholesky, for matrices that are worth products. */
NGRT_FN void ngrt_cholesky_large(int batch, int n, const real *a, real *l)
{
    const size_t size = (size_t)n * (size_t)n;
    int t;

    for (t = 0; t < batch; t++, a += size, l += size) {
        memcpy(l, a, size * sizeof *l);
        ngrt_cholesky_half(n, l, n);
        ngrt_cholesky_clear(n, l);
    }
}

/*@ end: */
#ifdef NGRT_CBLAS
enum {
    LAPACK_FROM = 48,  /* smaller matrices are faster without LAPACK */
    LAPACK_MOST = 2048 /* the exchanges are on the stack */
};

extern void getrf(const int *m, const int *n, real *a, const int *lda, int *ipiv, int *info);

void NGRT_NAME(lu_large)(int batch, int n, const real *a, real *lu)
{
    const int lda = n + 1;
    const ptrdiff_t ld = lda;
    int ipiv[LAPACK_MOST], info, t, i;

    if (n < LAPACK_FROM || n > LAPACK_MOST) {
        ngrt_lu_large(batch, n, a, lu);
        return;
    }

    for (t = 0; t < batch; t++, a += (ptrdiff_t)n * n, lu += n * ld) {
        if (ngrt_lu_begin(n, a, lu))
            continue;
        getrf(&n, &n, lu, &lda, ipiv, &info);
        for (i = 0; i < n; i++)
            lu[i * ld + n] = (real)(ipiv[i] - 1);
    }
}
#endif
