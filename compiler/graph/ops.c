/* ops.c - the table of records, in the order of ops.h, and what is found in it by a name. */
#include "graph/graph.h"

#include <string.h>

#define X(op) extern const OpInfo op_##op;
#include "graph/ops.h"
#undef X

const OpInfo *const op_info[OP_COUNT] = {
#define X(op) [OP_##op] = &op_##op,
#include "graph/ops.h"
#undef X
};

Op op_of_sign(const char *sign, bool *swap)
{
    /* a > b is b < a */
    *swap = sign[0] == '>';
    if (*swap)
        sign = sign[1] == '=' ? "<=" : "<";

    int op = 0;
    while (op < OP_COUNT && !(op_info[op]->sign && same_text(op_info[op]->sign, sign)))
        op++;
    return (Op)op;
}

double int_around(double x)
{
    return (double)(int32_t)(uint32_t)(int64_t)x;
}

double op_value_int(Op op, const double *in)
{
    if (op == OP_mul)
        return (double)(int32_t)((uint32_t)(int64_t)in[0] * (uint32_t)(int64_t)in[1]);
    if (op == OP_mod) {
        /* an int is never -0, nor NaN */
        if (in[1] == 0)
            return 0;
        return op_info[op]->value(in[0], in[1], 0) + 0;
    }
    double y = op_info[op]->value(in[0], in[1], in[2]);
    if (op == OP_add || op == OP_sub || op == OP_neg)
        return int_around(y);
    return y;
}
