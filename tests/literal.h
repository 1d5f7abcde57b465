/* literal.h - for drivers that compare a model with its literal graph. */
#ifndef TESTS_LITERAL_H
#define TESTS_LITERAL_H

#include "graph/eval.h"

#include <string.h>

/* Lets the literal graph deliver what the other does: a named value that is a number only where
 * constants are folded, such as a gradient that is 0, is a result of the literal graph alone. */
static inline void literal_match(Model *literal, const Model *m)
{
    int kept = 0;

    for (int i = 0; i < literal->roots; i++) {
        const Root *r = &literal->root[i];
        const Root *other = kept < m->roots ? &m->root[kept] : NULL;
        bool same = other && other->kind == r->kind && strcmp(other->name, r->name) == 0;
        if (same || r->kind != ROOT_NAMED)
            literal->root[kept++] = *r;
    }
    literal->roots = kept;
}

#endif
