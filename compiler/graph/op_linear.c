/* op_linear.c - records of the matrix product and of linear equations.
 *
 * A solve or determinant has two operands for its matrix: the matrix itself for the derivative, and
 * its factors for the value. So solves with one matrix, and their derivatives, factor it once. The
 * derivatives of det are polynomials in the matrix, as det is: cof and cof2. */
#include "graph/eval.h"

#include "../runtime/ngrt.h"

Product product_of(Graph *g, const Node *matmul)
{
    const Shape *y = &matmul->shape;
    const Shape *a = &matmul->arg[0]->shape;
    bool ta = matmul->attr.ta;
    bool tb = matmul->attr.tb;
    int r = y->rank;

    Product p = {.batch = 1, .m = y->dim[r - 2], .n = y->dim[r - 1], .ta = ta, .tb = tb};
    p.k = a->dim[ta ? r - 2 : r - 1];
    for (int i = 0; i < r - 2; i++)
        p.batch = size_mul(g, p.batch, y->dim[i]);
    return p;
}

static Size terms_matmul(Graph *g, const Node *n)
{
    return product_of(g, n).k;
}

/* y[t, i, j] = sum over l of a[t, i, l] b[t, l, j], each operand as it is stored */
static void eval_matmul(const Node *y, Eval *e, double *out)
{
    Graph *g = e->graph;
    Product p = product_of(g, y);
    int64_t batch = size_at(g, p.batch, e->dim);
    int64_t m = size_at(g, p.m, e->dim);
    int64_t n = size_at(g, p.n, e->dim);
    int64_t k = size_at(g, p.k, e->dim);

    for (int64_t t = 0; t < batch; t++)
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                const double *a = e->value[arg_id(y, 0)] + t * m * k;
                const double *b = e->value[arg_id(y, 1)] + t * k * n;
                double sum = 0;
                for (int64_t l = 0; l < k; l++) {
                    int64_t at_a = p.ta ? l * m + i : i * k + l;
                    int64_t at_b = p.tb ? j * k + l : l * n + j;
                    sum += a[at_a] * b[at_b];
                }
                out[(t * m + i) * n + j] = sum;
            }
}

static Node *product_like(Graph *g, const Node *y, Node *a, Node *b, bool ta, bool tb)
{
    if (y->attr.chain)
        return graph_chain(g, a, b, ta, tb, y->attr.down);
    return graph_matmul(g, a, b, ta, tb);
}

/* y = A B;  dA = dy B', dB = A' dy.  Where an operand is stored transposed, so is its gradient: the
 * same two products in the other order. No transpose is ever computed. */
static void back_matmul(Graph *g, const Node *y, Node *dy, Node **dx)
{
    Node *a = y->arg[0];
    Node *b = y->arg[1];
    bool ta = y->attr.ta;
    bool tb = y->attr.tb;

    if (ta)
        dx[0] = product_like(g, y, b, dy, tb, true);
    else
        dx[0] = product_like(g, y, dy, b, false, !tb);

    if (tb)
        dx[1] = product_like(g, y, dy, a, true, ta);
    else
        dx[1] = product_like(g, y, a, dy, !ta, false);
}

/* The rule in terms of the operands as they are stored. */
static const char *said_matmul(Ngc *ngc, const Node *y, int operand)
{
    static const char *const of_a[2][2] = {{"dy @ b'", "dy @ b"}, {"b @ dy'", "b' @ dy'"}};
    static const char *const of_b[2][2] = {{"a' @ dy", "dy' @ a"}, {"a @ dy", "dy' @ a'"}};
    (void)ngc;
    return (operand == 0 ? of_a : of_b)[y->attr.ta][y->attr.tb];
}

/* ---- the same on other operands ----
 * The factors of a matrix are not copied: their builder finds or makes those of the new one. */

static Node *copy_matmul(Graph *g, const Node *n, Node *const *arg)
{
    return product_like(g, n, arg[0], arg[1], n->attr.ta, n->attr.tb);
}

static Node *copy_lu(Graph *g, const Node *n, Node *const *arg)
{
    (void)n;
    return graph_lu(g, arg[0]);
}

static Node *copy_solve(Graph *g, const Node *n, Node *const *arg)
{
    return graph_solve(g, arg[0], arg[2], n->attr.ta);
}

static Node *copy_det(Graph *g, const Node *n, Node *const *arg)
{
    return graph_det(g, n->op, arg[0]);
}

static Node *copy_cholesky(Graph *g, const Node *n, Node *const *arg)
{
    (void)n;
    return graph_cholesky(g, arg[0]);
}

static Node *copy_lup(Graph *g, const Node *n, Node *const *arg)
{
    (void)n;
    return graph_lup(g, arg[0]);
}

static Node *copy_cof(Graph *g, const Node *n, Node *const *arg)
{
    (void)n;
    return graph_cof(g, arg[0]);
}

static Node *copy_cof2(Graph *g, const Node *n, Node *const *arg)
{
    (void)n;
    return graph_cof2(g, arg[0], arg[2]);
}

const OpInfo op_matmul = {.name = "matmul",
                          .attrs = 1 << A_TA | 1 << A_TB | 1 << A_CHAIN | 1 << A_DOWN,
                          .arity = 2,
                          .copy = copy_matmul,
                          .eval = eval_matmul,
                          .terms = terms_matmul,
                          .back = back_matmul,
                          .said = said_matmul,
                          .rule = {"dy @ b'", "a' @ dy"},
                          .teach = "matrix product: the other operand, transposed"};

/* ---- linear equations ---- */

/* $0: matrices in the batch; $1: n; $2: columns of the right side; $3: transposed */
static void sizes_square(Graph *g, const Node *n, Size *out)
{
    Shape s = n->arg[0]->shape;
    out[1] = s.dim[s.rank - 1];
    if (n->op == OP_solve)
        out[2] = n->shape.dim[n->shape.rank - 1];
    else
        out[2] = 1;
    out[3] = n->attr.ta;

    s.rank -= 2; /* the batch */
    out[0] = shape_count(g, s);
}

static void int_sizes(const Node *n, const Eval *e, int *out)
{
    Size s[4];
    sizes_square(e->graph, n, s);
    for (int i = 0; i < 4; i++)
        out[i] = (int)size_at(e->graph, s[i], e->dim);
}

static void eval_lu(const Node *n, Eval *e, double *out)
{
    int s[4];
    int_sizes(n, e, s);
    ngrt_dlu(s[0], s[1], e->value[arg_id(n, 0)], out);
}

static void eval_solve(const Node *n, Eval *e, double *out)
{
    int s[4];
    int_sizes(n, e, s);
    ngrt_dsolve(s[0], s[1], s[2], s[3], e->value[arg_id(n, 1)], e->value[arg_id(n, 2)], out);
}

static void eval_det(const Node *n, Eval *e, double *out)
{
    int s[4];
    int_sizes(n, e, s);
    if (n->op == OP_det)
        ngrt_ddet(s[0], s[1], e->value[arg_id(n, 1)], out);
    else
        ngrt_dlogdet(s[0], s[1], e->value[arg_id(n, 1)], out);
}

/* A X = B;   dB = A'^-1 dX, dA = -dB X'
 * A' X = B;  dB = A^-1 dX,  dA = -X dB' */
static void back_solve(Graph *g, const Node *y, Node *dy, Node **dx)
{
    bool transposed = y->attr.ta;
    Node *x = (Node *)y;
    Node *db = graph_solve(g, y->arg[0], dy, !transposed);
    Node *product;
    if (transposed)
        product = graph_matmul(g, x, db, false, true);
    else
        product = graph_matmul(g, db, x, false, true);

    dx[0] = graph_unary(g, OP_neg, product);
    dx[2] = db;
}

static void eval_cholesky(const Node *n, Eval *e, double *out)
{
    int s[4];
    int_sizes(n, e, s);
    ngrt_dcholesky(s[0], s[1], e->value[n->arg[0]->id], out);
}

static void eval_lup(const Node *n, Eval *e, double *out)
{
    int s[4];
    int_sizes(n, e, s);
    ngrt_dlup(s[0], s[1], e->value[arg_id(n, 0)], out);
}

static void eval_cof(const Node *n, Eval *e, double *out)
{
    int s[4];
    int_sizes(n, e, s);
    if (n->op == OP_cof)
        ngrt_dcof(s[0], s[1], e->value[arg_id(n, 1)], out);
    else
        ngrt_dcof2(s[0], s[1], e->value[arg_id(n, 1)], e->value[arg_id(n, 2)], out);
}

/* The identity: ones on the diagonals of matrices of this shape. */
static Node *eye(Graph *g, Shape s)
{
    Node *column = graph_iota(g, s, s.rank - 1);
    Node *row = graph_iota(g, s, s.rank - 2);
    return graph_binary(g, OP_eq, row, column);
}

/* A number for each matrix, in the shape of the matrices. */
static Node *for_each_matrix(Graph *g, Node *number, Shape s)
{
    return graph_expand(g, number, s, 3u << (s.rank - 2));
}

/* y = det A: dA = dy cof A */
static void back_det(Graph *g, const Node *y, Node *dy, Node **dx)
{
    Node *a = y->arg[0];
    dx[0] = graph_binary(g, OP_mul, for_each_matrix(g, dy, a->shape), graph_cof(g, a));
}

/* y = log det A: dA = dy A'^-1 */
static void back_logdet(Graph *g, const Node *y, Node *dy, Node **dx)
{
    Node *a = y->arg[0];
    Node *inverse = graph_solve(g, a, eye(g, a->shape), true);
    dx[0] = graph_binary(g, OP_mul, for_each_matrix(g, dy, a->shape), inverse);
}

/* y = cof A, the first derivative of det A. The second derivative is symmetric, so dA is the change
 * of cof A in the direction dy: dA = cof2(A, dy). */
static void back_cof(Graph *g, const Node *y, Node *dy, Node **dx)
{
    dx[0] = graph_cof2(g, y->arg[0], dy);
}

/* x on the diagonals, 0 elsewhere. */
static Node *on_diagonal(Graph *g, Node *x, Shape s)
{
    Node *zero = graph_const(g, 0);
    return graph_where(g, eye(g, s), x, zero);
}

/* The sums of the diagonals, in the shape of the matrices. */
static Node *traces(Graph *g, Node *x)
{
    Node *diagonal = on_diagonal(g, x, x->shape);
    Node *sum = graph_reduce(g, OP_sum, diagonal, 3u << (x->shape.rank - 2));
    return for_each_matrix(g, sum, x->shape);
}

/* T = (tr X tr Z - tr XZ) I - tr Z X - tr X Z + XZ + ZX */
static Node *third_factor(Graph *g, Node *x, Node *z)
{
    Node *tx = traces(g, x);
    Node *tz = traces(g, z);
    Node *xz = graph_matmul(g, x, z, false, false);
    Node *zx = graph_matmul(g, z, x, false, false);

    Node *txz = traces(g, xz);
    Node *scale = graph_binary(g, OP_sub, graph_binary(g, OP_mul, tx, tz), txz);
    Node *sum = graph_binary(g, OP_add, xz, zx);
    sum = graph_binary(g, OP_add, sum, on_diagonal(g, scale, x->shape));
    sum = graph_binary(g, OP_sub, sum, graph_binary(g, OP_mul, tz, x));
    return graph_binary(g, OP_sub, sum, graph_binary(g, OP_mul, tx, z));
}

/* y = cof2(A, W): the second derivative is symmetric, so dW = cof2(A, dy).
 *
 * dA is the third derivative of det A in the directions V = dy and W. Below 3 x 3 it is 0. At
 * 3 x 3 it does not depend on A: sum(V cof2(A, W)) stays the same if A and V change places, so
 * dA = cof2(V, W). Above, only for regular matrices: with X = A^-1 V and Z = A^-1 W,
 * dA = det A A'^-1 T', where third_factor has T. */
static void back_cof2(Graph *g, const Node *y, Node *dy, Node **dx)
{
    Node *a = y->arg[0];
    Node *w = y->arg[2];
    Shape s = a->shape;
    Size rows = s.dim[s.rank - 1];

    dx[2] = graph_cof2(g, a, dy);
    if (rows == 3)
        dx[0] = graph_cof2(g, dy, w);
    if (rows >= 1 && rows <= 3)
        return;
    if (!g->warned_of_det)
        warn(g->ngc, "singular-matrix", ERR_THIRD_OF_DET, g->loc,
             "this third derivative of det is right only where the matrix is regular: det and its "
             "first and second derivatives are right everywhere");
    g->warned_of_det = true;

    Node *x = graph_solve(g, a, dy, false);
    Node *z = graph_solve(g, a, w, false);
    Node *factor = third_factor(g, x, z);
    Node *det = for_each_matrix(g, graph_det(g, OP_det, a), s);
    Node *solved = graph_solve(g, a, graph_transpose(g, factor), true);
    dx[0] = graph_binary(g, OP_mul, det, solved);
}

const OpInfo op_lu = {.name = "lu",
                      .arity = 1,
                      .copy = copy_lu,
                      .eval = eval_lu,
                      .call = "ngrt_%lu$l($0, $1, $a, $y)",
                      .sizes = sizes_square,
                      .teach = "LU factors"};

const OpInfo op_solve = {.name = "solve",
                         .attrs = 1 << A_TA,
                         .arity = 3,
                         .copy = copy_solve,
                         .flags = F_FACTORED,
                         .eval = eval_solve,
                         .back = back_solve,
                         .sizes = sizes_square,
                         .call = "ngrt_%solve$l($0, $1, $2, $3, $b, $c, $y)",
                         .rule = {"-solve(a', dy) @ y'", NULL, "solve(a', dy)"},
                         .teach = "solve: solves with the transpose"};

const OpInfo op_det = {.name = "det",
                       .arity = 2,
                       .copy = copy_det,
                       .flags = F_FACTORED,
                       .eval = eval_det,
                       .back = back_det,
                       .sizes = sizes_square,
                       .call = "ngrt_%det($0, $1, $b, $y)",
                       .rule = {"dy*cof(a)"},
                       .teach = "determinant: its slopes are the cofactors"};

const OpInfo op_logdet = {.name = "logdet",
                          .arity = 2,
                          .copy = copy_det,
                          .flags = F_FACTORED,
                          .eval = eval_det,
                          .back = back_logdet,
                          .sizes = sizes_square,
                          .call = "ngrt_%logdet($0, $1, $b, $y)",
                          .rule = {"dy*inv(a)'"},
                          .teach = "log of the determinant"};

const OpInfo op_cholesky = {.name = "cholesky",
                            .arity = 1,
                            .copy = copy_cholesky,
                            .eval = eval_cholesky,
                            .call = "ngrt_%cholesky$l($0, $1, $a, $y)",
                            .sizes = sizes_square,
                            .teach = "Cholesky factor"};

/* The cofactors have factors of their own, with rows and columns exchanged, which are right for
 * singular matrices too. */
const OpInfo op_lup = {.name = "lup",
                       .arity = 1,
                       .copy = copy_lup,
                       .eval = eval_lup,
                       .call = "ngrt_%lup($0, $1, $a, $y)",
                       .sizes = sizes_square,
                       .teach = "LU factors"};

const OpInfo op_cof = {.name = "cof",
                       .arity = 2,
                       .copy = copy_cof,
                       .flags = F_FACTORED,
                       .eval = eval_cof,
                       .back = back_cof,
                       .sizes = sizes_square,
                       .call = "ngrt_%cof($0, $1, $b, $y)",
                       .rule = {"cof2(a, dy)"},
                       .teach = "cofactors: how they change with a"};

const OpInfo op_cof2 = {.name = "cof2",
                        .arity = 3,
                        .copy = copy_cof2,
                        .flags = F_FACTORED,
                        .eval = eval_cof,
                        .back = back_cof2,
                        .sizes = sizes_square,
                        .call = "ngrt_%cof2($0, $1, $b, $c, $y)",
                        .rule = {"the third derivative of det(a)", NULL, "cof2(a, dy)"},
                        .teach = "change of cofactors: symmetric"};
