/* functions.c - the functions of one element that the language has, from the records of their ops,
 * so that a test of all of them needs no list of its own. A line each:
 *
 *     NAME OPERANDS MARK SLOPE
 *
 * MARK says from where a test draws operands for which the function is smooth, in the letters of
 * grad/primitives.txt: "-" anywhere, "/" apart from 0, "+" above 0, "~" between -1 and 1, ">"
 * above 1. SLOPE is "flat" where nothing flows back, else "slope".
 */
#include "graph/eval.h"

int main(void)
{
    static const char mark[] = {[DOMAIN_ALL] = '-',
                                [DOMAIN_NONZERO] = '/',
                                [DOMAIN_POSITIVE] = '+',
                                [DOMAIN_UNIT] = '~',
                                [DOMAIN_ABOVE_ONE] = '>'};

    for (int op = 0; op < OP_COUNT; op++) {
        const OpInfo *info = op_info[op];
        if (info->params)
            printf("%s %d %c %s\n", info->name, info->arity, mark[info->domain],
                   info->flags & F_FLAT ? "flat" : "slope");
    }
    return 0;
}
