/* emitted.h - the table of emitted models that tests/emitted.c goes through; tests/emitted.sh
 * writes it. */
#ifndef EMITTED_H
#define EMITTED_H

#include "ngrt.h"

typedef struct Entry {
    const char *name; /* model and options; NULL ends the table */
    const ngrt_model *model;
    const char *values; /* the file of what `ngc run` printed */
    double tolerance;   /* in float32, of a tensor's largest element; in float64 it is 1e-10 */
    int differs; /* predict and eval compute otherwise than training, which is what ngc run shows */
} Entry;

extern const Entry entries[];

#endif
