/* ops.h - the primitive operations, once. Each has a record (OpInfo) in an op_*.c file; what the
 * language can say with these is in prelude.ng. Order groups them by file. */
/* clang-format off */
/* op_leaf.c */
X(const) X(size) X(data) X(var) X(training) X(iota) X(random) X(noise)
/* op_arith.c */
X(add) X(sub) X(mul) X(div) X(neg) X(pow) X(mod) X(maximum) X(minimum) X(where)
X(cast) X(as_int) X(stop) X(copy) X(lt) X(le) X(eq) X(ne)
/* op_math.c */
X(exp) X(expm1) X(log) X(log1p) X(sqrt) X(abs) X(sign) X(floor) X(ceil) X(round)
X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) X(atan2) X(sinh) X(cosh) X(asinh) X(acosh) X(atanh)
X(tanh) X(erf) X(erfc) X(erfinv) X(lgamma) X(polygamma) X(sigmoid) X(softplus)
/* op_shape.c */
X(expand) X(reshape) X(permute) X(slice) X(pad) X(concat)
/* op_reduce.c */
X(sum) X(max) X(argmax)
/* op_linear.c */
X(matmul) X(lu) X(solve) X(det) X(logdet) X(lup) X(cof) X(cof2) X(cholesky)
/* op_ranks.c */
X(over_ranks)
/* op_given.c */
X(given)
/* op_conv.c */
X(conv) X(convk)
/* loop.c */
X(index) X(carried) X(loop) X(last) X(passes) X(collect)
/* op_index.c */
X(checked) X(gather) X(scatter) X(assign) X(order)
