/* op_linear.c - records of the matrix product and of linear equations. A solve or determinant has
 * the matrix as its operand for the derivative and the matrix's factors for the value: solves with
 * one matrix, and their derivatives, factor it once. The derivatives of det are polynomials in the
 * matrix, as det is: cof and cof2. */
#include "ngc.h"

#include "../runtime/ngrt.h"

Product product_of(Graph *g, const Node *matmul)
{
    const Shape *y = &matmul->shape, *a = &matmul->arg[0]->shape;
    bool ta = matmul->attr.ta, tb = matmul->attr.tb;
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

static void eval_matmul(const Node *y, Eval *e, double *out)
{
    Product p = product_of(e->graph, y);
    int64_t batch = size_at(e->graph, p.batch, e->dim);
    int64_t m = size_at(e->graph, p.m, e->dim);
    int64_t n = size_at(e->graph, p.n, e->dim);
    int64_t k = size_at(e->graph, p.k, e->dim);

    for (int64_t t = 0; t < batch; t++)
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                const double *a = e->value[y->arg[0]->id] + t * m * k;
                const double *b = e->value[y->arg[1]->id] + t * k * n;
                double sum = 0;
                for (int64_t l = 0; l < k; l++) {
                    int64_t at_a = p.ta ? l * m + i : i * k + l;
                    int64_t at_b = p.tb ? j * k + l : l * n + j;
                    sum += a[at_a] * b[at_b];
                }
                out[(t * m + i) * n + j] = sum;
            }
}

/* y = A B;  dA = dy B', dB = A' dy.  Where an operand is stored transposed, so is its gradient: the
 * same two products in the other order. No transpose is ever computed. */
static void back_matmul(Graph *g, const Node *y, Node *dy, Node **dx)
{
    Node *a = y->arg[0], *b = y->arg[1];
    bool ta = y->attr.ta, tb = y->attr.tb;
    dx[0] = ta ? graph_matmul(g, b, dy, tb, true) : graph_matmul(g, dy, b, false, !tb);
    dx[1] = tb ? graph_matmul(g, dy, a, true, ta) : graph_matmul(g, a, dy, !ta, false);
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
    return graph_matmul(g, arg[0], arg[1], n->attr.ta, n->attr.tb);
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
                          .attrs = 1 << A_TA | 1 << A_TB,
                          .arity = 2,
                          .copy = copy_matmul,
                          .eval = eval_matmul,
                          .terms = terms_matmul,
                          .back = back_matmul,
                          .said = said_matmul,
                          .rule = {"dy @ b'", "a' @ dy"},
                          .teach = "matrix product: the other operand, transposed"};

/* ---- linear equations ---- */

/* $0: matrices in the batch; $1: n; $2: right sides; $3: transposed */
static void sizes_square(Graph *g, const Node *n, Size *out)
{
    Shape s = n->arg[0]->shape;
    out[1] = s.dim[s.rank - 1];
    out[2] = n->op == OP_solve ? n->shape.dim[n->shape.rank - 1] : 1;
    out[3] = n->attr.ta;
    s.rank -= 2;
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
    ngrt_dlu(s[0], s[1], e->value[n->arg[0]->id], out);
}

static void eval_solve(const Node *n, Eval *e, double *out)
{
    int s[4];
    int_sizes(n, e, s);
    ngrt_dsolve(s[0], s[1], s[2], s[3], e->value[n->arg[1]->id], e->value[n->arg[2]->id], out);
}

static void eval_det(const Node *n, Eval *e, double *out)
{
    int s[4];
    int_sizes(n, e, s);
    (n->op == OP_det ? ngrt_ddet : ngrt_dlogdet)(s[0], s[1], e->value[n->arg[1]->id], out);
}

/* A X = B;  dB = A'^-1 dX, dA = -dB X'.  With A' X = B: dB = A^-1 dX, dA = -X dB' */
static void back_solve(Graph *g, const Node *y, Node *dy, Node **dx)
{
    bool t = y->attr.ta;
    dx[2] = graph_solve(g, y->arg[0], dy, !t);
    dx[0] = graph_unary(g, OP_neg,
                        t ? graph_matmul(g, (Node *)y, dx[2], false, true)
                          : graph_matmul(g, dx[2], (Node *)y, false, true));
}

static void eval_lup(const Node *n, Eval *e, double *out)
{
    int s[4];
    int_sizes(n, e, s);
    ngrt_dlup(s[0], s[1], e->value[n->arg[0]->id], out);
}

static void eval_cof(const Node *n, Eval *e, double *out)
{
    int s[4];
    int_sizes(n, e, s);
    if (n->op == OP_cof)
        ngrt_dcof(s[0], s[1], e->value[n->arg[1]->id], out);
    else
        ngrt_dcof2(s[0], s[1], e->value[n->arg[1]->id], e->value[n->arg[2]->id], out);
}

/* ones on the diagonals of matrices of this shape */
static Node *eye(Graph *g, Shape s)
{
    Node *column = graph_iota(g, s, s.rank - 1), *row = graph_iota(g, s, s.rank - 2);
    return graph_binary(g, OP_eq, row, column);
}

/* a number for each matrix, in the shape of the matrices */
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

/* y = cof A, the first derivative of det A. The second is symmetric: dA is how cof A changes as A
 * does by dy. */
static void back_cof(Graph *g, const Node *y, Node *dy, Node **dx)
{
    dx[0] = graph_cof2(g, y->arg[0], dy);
}

/* the sums of the diagonals, in the shape of the matrices */
static Node *traces(Graph *g, Node *x)
{
    Node *diagonal = graph_where(g, eye(g, x->shape), x, graph_const(g, 0));
    return for_each_matrix(g, graph_reduce(g, OP_sum, diagonal, 3u << (x->shape.rank - 2)),
                           x->shape);
}

/* y = cof2(A, W): as the second derivative is symmetric, dW = cof2(A, dy).
 * dA is the third derivative of det A in the directions V = dy and W: 0 below 3 x 3, and the same
 * for every 3 x 3 matrix, where sum(V cof2(A, W)) does not change if A and V change places. With X
 * = A^-1 V and Z = A^-1 W, for regular matrices alone, dA = det A A'^-1 T', T = (tr X tr Z - tr XZ)
 * I - tr Z X - tr X Z + XZ + ZX. */
static void back_cof2(Graph *g, const Node *y, Node *dy, Node **dx)
{
    Node *a = y->arg[0], *w = y->arg[2];
    Shape s = a->shape;
    dx[2] = graph_cof2(g, a, dy);
    Size rows = s.dim[s.rank - 1];
    if (rows == 3)
        dx[0] = graph_cof2(g, dy, w);
    if (rows >= 1 && rows <= 3)
        return;

    Node *x = graph_solve(g, a, dy, false), *z = graph_solve(g, a, w, false);
    Node *tx = traces(g, x), *tz = traces(g, z);
    Node *xz = graph_matmul(g, x, z, false, false), *zx = graph_matmul(g, z, x, false, false);
    Node *first = graph_binary(g, OP_sub, graph_binary(g, OP_mul, tx, tz), traces(g, xz));
    Node *sum = graph_binary(g, OP_add, xz, zx);
    sum = graph_binary(g, OP_add, sum, graph_where(g, eye(g, s), first, graph_const(g, 0)));
    sum = graph_binary(g, OP_sub, sum, graph_binary(g, OP_mul, tz, x));
    sum = graph_binary(g, OP_sub, sum, graph_binary(g, OP_mul, tx, z));
    Node *det = for_each_matrix(g, graph_det(g, OP_det, a), s);
    dx[0] = graph_binary(g, OP_mul, det, graph_solve(g, a, graph_transpose(g, sum), true));
}

const OpInfo op_lu = {.name = "lu",
                      .arity = 1,
                      .copy = copy_lu,
                      .eval = eval_lu,
                      .call = "ngrt_%lu($0, $1, $a, $y)",
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
                         .call = "ngrt_%solve($0, $1, $2, $3, $b, $c, $y)",
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
