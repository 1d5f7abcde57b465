/* literal.h - for drivers that compare a model with its literal graph. */
#ifndef TESTS_LITERAL_H
#define TESTS_LITERAL_H

#include "graph/eval.h"

#include <string.h>

/* Lets the literal graph deliver what the other does. A named value that is a number only where
 * constants are folded, such as a gradient that is 0, is a result of the literal graph alone. One
 * that is a number only where loops are expanded is a result of the other alone. */
static inline void literal_match(Model *literal, const Model *m)
{
    int kept = 0, next = 0;

    for (int i = 0; i < literal->roots; i++) {
        const Root *r = &literal->root[i];
        int k = next;
        while (k < m->roots &&
               (m->root[k].kind != r->kind || strcmp(m->root[k].name, r->name) != 0))
            k++;

        if (k < m->roots)
            next = k + 1;
        if (k < m->roots || r->kind != ROOT_NAMED)
            literal->root[kept++] = *r;
    }
    literal->roots = kept;
}

#endif
