/* builtin.h - functions that the table of builtin.c names, and that other files define. Each takes
 * the values of its arguments, which the table describes, and returns its value. */
#ifndef BUILTIN_H
#define BUILTIN_H

#include "lang/lower.h"

/* ---- builtin_shape.c ---- */

Value *b_reshape(Lower *L, Loc loc, Value **arg);
Value *b_permute(Lower *L, Loc loc, Value **arg);
Value *b_broadcast_to(Lower *L, Loc loc, Value **arg);
Value *b_concat(Lower *L, Loc loc, Value **arg);
Value *b_pad(Lower *L, Loc loc, Value **arg);
Value *b_narrow(Lower *L, Loc loc, Value **arg);
Value *b_full(Lower *L, Loc loc, Value **arg);
Value *b_constant(Lower *L, Loc loc, Value **arg);
Value *b_arange(Lower *L, Loc loc, Value **arg);
Value *b_eye(Lower *L, Loc loc, Value **arg);
const char *labels_text(Lower *L, const Value *v, const Node *n, const Shape *rows);
Value *b_one_hot(Lower *L, Loc loc, Value **arg);
Value *b_scatter_add(Lower *L, Loc loc, Value **arg);
Value *b_order(Lower *L, Loc loc, Value **arg);
Value *b_checked(Lower *L, Loc loc, Value **arg);
Value *b_gather(Lower *L, Loc loc, Value **arg);
Value *b_scatter(Lower *L, Loc loc, Value **arg);
Value *b_noise(Lower *L, Loc loc, Value **arg);
Value *b_uniform(Lower *L, Loc loc, Value **arg);
Value *b_normal(Lower *L, Loc loc, Value **arg);
Value *b_truncated(Lower *L, Loc loc, Value **arg);
Value *b_orthogonal(Lower *L, Loc loc, Value **arg);

#endif
