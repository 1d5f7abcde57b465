/* run_values.h - shared by the files of `ngc run` and `ngc check`: what a run knows, and its start
 */
#ifndef RUN_VALUES_H
#define RUN_VALUES_H

#include "run/run.h"

typedef struct Run {
    Ngc *ngc;
    Model *m;
    Eval *e;
    double **var;         /* by index of Model.var: room for the elements, or NULL */
    bool given[MAX_DIMS]; /* the run-time dims whose size is known */
    const char *files;    /* of data, or NULL */
    DataRows *rows;       /* what they hold */
    Text *out;            /* what is printed */
} Run;

/* ---- run_values.c ---- */

Run *run_new(Ngc *, Model *);

/* Gives every variable a value; the exit status, or 0. Fill: inputs not given get seeded values. */
int run_start(Run *, char **assign, int count, bool fill);

/* The values of variables have changed. */
void run_ready(Run *);

#endif
