/* run.h - values for the variables; ngc run, ngc check */
#ifndef RUN_H
#define RUN_H

#include "graph/eval.h"

typedef struct DataRows { /* what files hold for the inputs */
    int64_t rows, batch;  /* of the files; as many as the model takes at once */
    double **all;         /* by index of Model.var: all rows, or NULL */
} DataRows;

/* data.c: gives inputs the first rows of files; the exit status, or 0. Dims not given must stand at
 * their bounds. */
int data_bind(Ngc *, Model *, Eval *, const char *files, double **var, DataRows *);

/* Fill: inputs not given get seeded values. */
int run_main(Ngc *, Model *, char **assign, int count, bool fill, Text *out);

int check_main(Ngc *, Model *, char **assign, int count, Text *out);

/* Every variable has a value; NULL with an exit status. */
Eval *run_eval(Ngc *, Model *, char **assign, int count, const char *files, DataRows *,
               int *status);

#endif
