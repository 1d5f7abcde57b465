/* trainer.h - what train, eval and predict share: the command line, data sets bound to a model's
 * inputs, the state of a training. Not installed.
 *
 * The files are a ladder, each calls only those below it: commands.c; train.c and predict.c; log.c,
 * checkpoint.c, curve.c; metrics.c; set.c and options.c; trainer.c. Functions that can fail return
 * an exit status, DONE or the reason, after they have printed the error. */
#ifndef TRAINER_H
#define TRAINER_H

#include <stdio.h>

#include "../host/host.h"

enum {                /* exit status */
       DONE = 0,      /* all is done */
       FAILED = 1,    /* the model or the machine failed: a loss is NaN, no memory */
       USAGE = 2,     /* the command line is wrong */
       FILES = 3,     /* a file cannot be read or written, or does not fit the model */
       STOPPED = 128, /* plus the number of the signal */
};

enum { MAX_DIMS = 8 };                     /* run-time sizes of a model */
enum { TRAIN = 1, EVAL = 2, PREDICT = 4 }; /* commands, as a set */

typedef struct Source {       /* a file, for one input or for all that are left */
    const ngrt_tensor *input; /* NULL: the inputs that no file is named for */
    const char *path;
    int may_lack;   /* an archive that need not have the input's array */
    ngrt_data data; /* what it holds */
} Source;

typedef struct Feed {         /* where an input's elements come from */
    const ngrt_tensor *input; /* that gets them */
    const Source *source;     /* the file */
    int batched;   /* one of its axes runs over rows; otherwise it gets the whole file, once */
    size_t column; /* first column of the source */
    size_t width;  /* elements that a row gives */
    size_t outer;  /* pieces of a row: the product of the axes before that of the rows */
    void *buffer;  /* the input's elements for one batch, in the input's type */
} Feed;

typedef struct Set {    /* a data set, bound to the inputs */
    const char *option; /* that names its files: "--data" */
    Source *source;     /* its files */
    int sources;
    Feed *feed; /* one for each tensor input that gets data */
    int feeds;
    int no_targets;  /* inputs that predict does not read get nothing, unless a file is named for
                        them */
    int no_defaults; /* inputs with a default value keep it, unless a file is named for them */
    size_t rows;     /* of the files */
    size_t batch;    /* rows the buffers have room for */
    char *inputs;    /* the model's inputs block */
} Set;

typedef struct Value { /* a number of a loss or metric */
    const ngrt_tensor *tensor;
    size_t element; /* of it, in row-major order */
    char *name;     /* "J", "c[0,1]" */

    /* Of all rows. `train` of a loss after an epoch is gathered from its steps (NGRT_SUM,
     * NGRT_MEAN). Not known is a value of one batch where the rows are several batches. */
    double train, val;
    int train_known, val_known;
} Value;

typedef struct Trainer {
    const ngrt_model *model;
    const char *program; /* for messages */
    int command;         /* TRAIN, EVAL or PREDICT */

    /* the command line */
    Set train, val; /* --data, --val */
    char **assign;  /* each NAME=value */
    int assigns;
    int size[MAX_DIMS]; /* of each run-time size; that of the batch is set for each batch */
    long epochs, batch, threads;
    uint64_t seed;
    int seeded; /* --seed is given */
    int shuffle, quiet;
    int json; /* messages are JSON */
    const char *log_path, *load_path, *save_path, *map, *out_path;
    int curve;              /* it is shown at the end: */
    const char *curve_path; /* as a picture here, or NULL: in characters */

    /* the model's memory, and who works on it */
    char *params, *state, *work;
    char *totals;    /* sums over the batches of an evaluation */
    ngrt_pool *pool; /* NULL: one thread */
    ngrt_about
        about; /* of params and state as they are now: the seed, and how far the training is */

    /* checkpoint.c */
    char *kept;             /* params and state at the end of the last epoch */
    ngrt_about kept_about;  /* of what is kept */
    ngrt_about saved_about; /* of what the file holds */
    double saved_at;        /* when it was written, in seconds; 0: not yet */

    /* losses and metrics */
    Value *value;
    int values;
    int unknown_said; /* there was a note of what is not known */
    FILE *log;        /* NULL: there is none */
    double
        *history; /* epochs_kept by values by 2: what the curve shows, of training and validation */
    size_t epochs_kept;

    /* within an epoch */
    size_t *order;    /* of the training rows */
    double bar_at;    /* when the bar was shown last; below 0: never */
    int bar_shown;    /* it is on the screen */
    int one_row_said; /* there was a note of what a batch of one row leaves */
} Trainer;

/* trainer.c */

/* Prints an error; returns the status. */
int ngrt_trainer_fail(const Trainer *t, int status, const char *format, ...);
/* Prints what is good to know and is not an error; nothing with --quiet. */
void ngrt_trainer_note(const Trainer *t, const char *format, ...);
int ngrt_trainer_no_memory(const Trainer *t);
void *ngrt_trainer_allocate(size_t count, size_t size); /* zeroed, also for a size of 0 */
double ngrt_trainer_seconds(void);                      /* by a clock that is never set */
/* With weights to save, an interrupt ends the training after its step. A second one ends the
 * program. */
void ngrt_trainer_watch(const Trainer *t);
int ngrt_trainer_stopped(void); /* by this signal, or 0 */
/* The input whose name is the part of text before '=', or NULL. */
const ngrt_tensor *ngrt_find_input(const ngrt_model *m, const char *text);

/* options.c */
int ngrt_trainer_options(Trainer *t, int argc, char **argv); /* sets the run-time sizes, too */
int ngrt_trainer_help(const char *program, int command);

/* set.c */

/* Reads a set's files and binds them to the inputs. batch: rows at a time; 0: what the model takes
 */
int ngrt_set_bind(const Trainer *t, Set *set, long batch);
/* The rows of the batch that begins with row first: those of a batch, or what is left. */
size_t ngrt_set_batch(const Set *set, size_t first);
/* Gathers count rows from place first of the order (NULL: as in the file) into the inputs. */
void ngrt_set_fill(const Trainer *t, Set *set, const size_t *order, size_t first, size_t count);
void ngrt_set_free(Set *set);

/* metrics.c; val: into .val, else into .train */
int ngrt_metrics_list(Trainer *t);
void ngrt_metrics_free(Trainer *t);
double ngrt_value_of_batch(const Trainer *t, const Value *v); /* as the model left it in work */
/* Evaluates what has this role or a higher one: losses come before metrics. */
int ngrt_metrics_evaluate(Trainer *t, Set *set, int val, int role);
/* The number of elements of the tensor whose first value this is. */
int ngrt_value_count(const Trainer *t, int first);
/* The whole tensor: "0.5", or "[[1, 0], [0, 2]]". */
void ngrt_value_print(FILE *to, const Trainer *t, int first, int val, const char *format);
void ngrt_number_print(FILE *to, const char *format, double value); /* whole numbers in full */

/* curve.c */
int ngrt_curve_add(Trainer *t); /* the values of an epoch */
int ngrt_curve_show(const Trainer *t);
void ngrt_bar_show(const Trainer *t, long epoch, size_t done, size_t rows); /* on stderr */
void ngrt_bar_clear(void);

/* checkpoint.c */
int ngrt_checkpoint_start(Trainer *t); /* sets the weights: from the seed, or from --load */
void ngrt_checkpoint_keep(Trainer *t); /* the weights, and how far the training was with them */
int ngrt_checkpoint_save(Trainer *t);  /* writes what is kept, unless the file holds it */

/* log.c */
int ngrt_log_open(Trainer *t); /* the file of --log */
int ngrt_log_epoch(Trainer *t, long epoch, double time);

/* train.c */
int ngrt_trainer_train(Trainer *t); /* all epochs */

/* predict.c */
int ngrt_trainer_predict(Trainer *t); /* the outputs for all rows, to where they are wanted */

#endif
