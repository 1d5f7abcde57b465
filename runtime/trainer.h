/* trainer.h - what train, eval and predict share: the command line, and data sets bound to a
 * model's inputs. Not installed. */
#ifndef TRAINER_H
#define TRAINER_H

#include <stdio.h>

#include "host.h"

enum {
    DONE = 0,
    FAILED = 1,
    USAGE = 2,
    FILES = 3,
    STOPPED = 128
}; /* exit status; STOPPED and the signal's number */
enum { MAX_DIMS = 8 };
enum { TRAIN = 1, EVAL = 2, PREDICT = 4 }; /* commands, as a set */

typedef struct Source {       /* a file, for one input or for all that are left */
    const ngrt_tensor *input; /* NULL: the inputs that no file is named for */
    const char *path;
    int may_lack; /* an archive that need not have the input's array */
    ngrt_data data;
} Source;

typedef struct Feed { /* where an input's elements come from */
    const ngrt_tensor *input;
    const Source *source;
    int batched;   /* one of its axes runs over rows; otherwise it gets the whole file, once */
    size_t column; /* first column of the source */
    size_t width;  /* elements that a row gives */
    size_t outer;  /* pieces of a row: the product of the axes before that of the rows */
    void *buffer;
} Feed;

typedef struct Set {    /* a data set, bound to the inputs */
    const char *option; /* "--data" */
    Source *source;
    int sources;
    Feed *feed;
    int feeds;
    int no_targets;  /* inputs that predict does not read get nothing, unless a file is named for
                        them */
    int no_defaults; /* inputs with a default value keep it, unless a file is named for them */
    size_t rows;
    size_t batch; /* rows the buffers have room for */
    char *inputs; /* the model's inputs block */
} Set;

typedef struct Value { /* a number of a loss or metric */
    const ngrt_tensor *tensor;
    size_t element;    /* of it, in row-major order */
    char *name;        /* "J", "c[0,1]" */
    double train, val; /* of all rows; train of a loss after an epoch: gathered from its steps (see
                          NGRT_SUM, NGRT_MEAN) */
    int train_known, val_known; /* 0: it is a value of one batch, and the rows are several */
} Value;

typedef struct Trainer {
    const ngrt_model *model;
    const char *program;
    int command; /* TRAIN, EVAL or PREDICT */
    Set train, val;
    char **assign; /* NAME=value */
    int assigns;
    int size[MAX_DIMS]; /* of each run-time size; that of the batch is set for each batch */
    long epochs, batch, threads;
    uint64_t seed;
    int seeded; /* --seed is given */
    int shuffle, quiet;
    int json; /* messages are JSON */
    const char *log_path, *load_path, *save_path, *map, *out_path;
    FILE *log;
    char *params, *state, *work;
    ngrt_pool *pool;  /* NULL: one thread */
    char *kept;       /* params and state at the end of the last epoch */
    ngrt_about about; /* of them as they are now: the seed, and how far the training is */
    ngrt_about kept_about, saved_about; /* of what is kept, of what the file holds */
    double saved_at;                    /* when it was written; 0: not yet */
    Value *value;
    int values;
    char *totals;           /* the model's totals block */
    int unknown_said;       /* there was a note of what is not known */
    size_t *order;          /* of the training rows */
    int curve;              /* it is shown at the end: */
    const char *curve_path; /* as a picture here, or NULL: in characters */
    double *history;        /* of each epoch, for each value: that of training, of validation */
    size_t epochs_kept;
    double bar_at; /* when the bar was shown last; below 0: never */
    int bar_shown;
} Trainer;

int ngrt_trainer_fail(const Trainer *t, int status, const char *format,
                      ...); /* prints an error; returns the status */
void ngrt_trainer_note(const Trainer *t, const char *format, ...);
int ngrt_trainer_no_memory(const Trainer *t);
void *ngrt_trainer_allocate(size_t count, size_t size); /* zeroed, also for a size of 0 */
const ngrt_tensor *ngrt_find_input(
    const ngrt_model *m, const char *text); /* whose name is the part before '=', or NULL */

/* options.c */
int ngrt_trainer_options(Trainer *t, int argc,
                         char **argv); /* the command line, and the run-time sizes */
int ngrt_trainer_help(const char *program, int command);

/* set.c */
int ngrt_set_bind(const Trainer *t, Set *set,
                  long batch); /* reads a set's files and binds them to the inputs */
void ngrt_set_fill(const Trainer *t, Set *set, const size_t *order, size_t first, size_t count);
void ngrt_set_free(Set *set);

/* train.c */
int ngrt_trainer_stopped(void); /* by this signal, or 0 */

/* metrics.c; val: into .val, else into .train */
int ngrt_metrics_list(Trainer *t);
void ngrt_metrics_free(Trainer *t);
double ngrt_value_of_batch(const Trainer *t, const Value *v); /* as the model left it in work */
int ngrt_metrics_evaluate(Trainer *t, Set *set, int val,
                          int role); /* of the role and above: losses come before metrics */
int ngrt_value_count(const Trainer *t,
                     int first); /* elements of the tensor whose first value this is */
void ngrt_value_print(FILE *to, const Trainer *t, int first, int val,
                      const char *format); /* the whole tensor */
void ngrt_number_print(FILE *to, const char *format, double value);

/* curve.c */
int ngrt_curve_add(Trainer *t); /* an epoch */
int ngrt_curve_show(const Trainer *t);
void ngrt_bar_show(const Trainer *t, long epoch, size_t done,
                   size_t rows); /* on stderr; rows 0: no more */

/* predict.c */
int ngrt_trainer_predict(Trainer *t); /* the outputs for all rows, to where they are wanted */

#endif
