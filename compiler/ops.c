/* ops.c - the table of records, in the order of ops.h. */
#include "ngc.h"

#define X(op) extern const OpInfo op_##op;
#include "ops.h"
#undef X

const OpInfo *const op_info[OP_COUNT] = {
#define X(op) [OP_##op] = &op_##op,
#include "ops.h"
#undef X
};
