/* emit_c.h - a module as C */
#ifndef EMIT_C_H
#define EMIT_C_H

#include "graph/graph.h"

typedef struct Module Module;

typedef struct Variable { /* of the C at -O0 */
    const char *name;     /* "h.z", "dJ/dh.z": the value's */
    const char *text;     /* "w->h_z"; of a function's own "forward t7" */
} Variable;

typedef struct Output {
    Text c, h;
    size_t numbers; /* bytes of c that are the elements of constants */
    Variable *variable;
    int variables;
    int repeats; /* loops in c that do what is repeated one after another, as blocks of a network */
    int passes;  /* and how many passes they have altogether */
} Output;

/* header: name of the header to include, or NULL to have the declarations in the C itself */
void emit_c(const Module *, const char *header, Output *);
void emit_model_c(Model *, const char *header, Output *); /* of its module */

/* Has a large tensor one number in every place? It is written once then. */
bool default_is_even(const double *data, int64_t count);

#endif
