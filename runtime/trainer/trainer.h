/* trainer.h - what train, eval and predict share: the command line, data sets bound to a model's
 * inputs, the state of a training. Not installed.
 *
 * The files are a ladder, each calls only those below it: commands.c; runs.c; train.c, predict.c
 * and results.c; assess.c, scatter.c, accumulate.c and log.c, checkpoint.c, course.c, curve.c;
 * metrics.c; scale.c, split.c and set.c; ahead.c; rows.c; columns.c; source.c and options.c;
 * sizes.c; ranks.c; trainer.c. Functions that can fail return an exit status, DONE or the reason,
 * after they have printed the error. */
#ifndef TRAINER_H
#define TRAINER_H

#include <stdio.h>

#include "../host/host.h"
#include "../host/table.h"

#ifndef NGRT_VERSION /* of ngc; the Makefile sets it */
#define NGRT_VERSION "unknown"
#endif

enum {                /* exit status */
       DONE = 0,      /* all is done */
       FAILED = 1,    /* the model or the machine failed: a loss is NaN, no memory */
       USAGE = 2,     /* the command line is wrong */
       FILES = 3,     /* a file cannot be read or written, or does not fit the model */
       ENDED = 64,    /* not a status: the training ends early, as an option asks for */
       STOPPED = 128, /* plus the number of the signal */
};

enum { TRAINING, VALIDATION, TESTING, PARTS }; /* of the data */
enum { MAX_FOLDS = 64 };                       /* of --folds */
enum { MAX_DIMS = 8 };                         /* run-time sizes of a model */
enum { TRAIN = 1, EVAL = 2, PREDICT = 4 };     /* commands, as a set */

typedef struct Source {       /* a file, for one input or for all that are left */
    const ngrt_tensor *input; /* NULL: the inputs that no file is named for */
    const char *path;
    char *own_path;      /* the same, if it is to be freed */
    const char *columns; /* those that are wanted, as they are written; NULL: all */
    int may_lack;        /* an archive that need not have the input's array */

    Table *table;    /* a table, which other sources may have, too; or: */
    ngrt_data data;  /* an array; its elements are at data.at, or (NULL) in the file: */
    Store file;      /* one that is larger than what may be in memory */
    int swapped;     /* its bytes are in the other order */
    size_t rows;     /* of either */
    size_t *pick;    /* the columns that are wanted; NULL: all, in their order */
    size_t picks;    /* how many */
    size_t in_order; /* the number of the source in its set */
} Source;

typedef struct Piece { /* what a column of a source gives to a row of an input */
    size_t column;     /* in the file */
    size_t at;         /* its place in a row of the source */
    int kind;          /* PREP_NUMBER and so on */
    size_t width;      /* elements */
    uint32_t *index;   /* of words: the index that the model knows each word of the file by */
    double fill;       /* of a missing number */
} Piece;

typedef struct Feed {         /* where an input's elements come from */
    const ngrt_tensor *input; /* that gets them */
    const Source *source;     /* the file */
    int batched;  /* one of its axes runs over rows; otherwise it gets the whole file, once */
    size_t first; /* of the source's columns that are wanted, the first that it takes */
    size_t taken; /* and how many */
    size_t width; /* elements that a row gives */
    size_t outer; /* pieces of a row: the product of the axes before that of the rows */
    Piece *piece; /* for each column; NULL: `width` elements from the first column on */
    int plain;    /* the pieces are numbers that follow each other, and none is missing */
    void
        *sub; /* an element e of a row becomes (e - sub)*mul, in the input's type; NULL: it stays */
    void *mul;
    int fine;     /* it becomes so in double, also where the input's elements are floats */
    void *buffer; /* the input's elements for one batch, in the input's type */
    void *row;    /* room for those of one row, also as doubles */
} Feed;

/* Rows are taken in an order: that of the file, or shuffled. Where a file is too large for memory,
 * blocks of rows are shuffled, and then the rows within a window of several blocks. */
typedef struct Pass {
    int shuffled;
    uint64_t seed;
    uint32_t stream; /* of random bits */
    size_t window;   /* rows of a window; all of them, if they are in memory */
    size_t loaded;   /* the number of the window that is loaded; SIZE_MAX: none */
    uint32_t *block; /* the order of blocks; NULL: all rows are in memory */
    uint32_t *order; /* of the rows in the window */
    uint32_t *row;   /* the number in the file of each row of the window */
    char **buffer;   /* for each source, its rows of the window; NULL: they are in memory */
} Pass;

typedef struct Ahead Ahead; /* ahead.c */

typedef struct Set {    /* a data set, bound to the inputs */
    const char *option; /* that names its files: "--data" */
    Source *source;     /* its files */
    int sources;
    Table **table; /* those of them that are tables */
    int tables;
    int borrowed; /* the files are those of another set, of which this is a part */
    Feed *feed;   /* one for each tensor input that gets data */
    int feeds;
    int no_targets;  /* inputs that predict does not read get nothing, unless a file is named for
                        them */
    int no_defaults; /* inputs with a default value keep it, unless a file is named for them */
    size_t rows;     /* of the set */
    uint32_t *index; /* which rows of the files they are; NULL: all */
    size_t batch;    /* rows the buffers have room for */
    char *inputs;    /* the model's inputs block */
    Pass pass;
    struct Ahead *ahead; /* the thread that gathers the next batch; NULL: there is none */
} Set;

/* The number in the files of a row of the set. */
static inline size_t ngrt_set_row(const Set *set, size_t row)
{
    if (set->index)
        return set->index[row];
    return row;
}

typedef struct Value { /* a number of a loss or metric */
    const ngrt_tensor *tensor;
    size_t element; /* of it, in row-major order */
    char *name;     /* "J", "c[0,1]" */

    /* Of all rows of each part of the data. That of the training for a loss after an epoch is
     * gathered from its steps (NGRT_SUM, NGRT_MEAN). Not known is a value of one batch where the
     * rows are several batches. */
    double of[PARTS];
    int known[PARTS];
} Value;

typedef struct Change { /* what is done to the elements of an input: --scale, --standardize */
    const ngrt_tensor *input;
    double scale; /* 0: they are standardized */
} Change;

typedef struct Grid { /* the values of a scalar input that are tried: --grid */
    char *name;
    char **value;
    int values;
    char assign[200]; /* NAME=value, for the run that is on */
} Grid;

typedef struct Trainer {
    const ngrt_model *model;
    const char *program; /* for messages */
    ngrt_group *group;   /* of the ranks; NULL: this is the only process */
    FILE *errors;        /* of a rank that prints nothing else; NULL: stderr */
    int command;         /* TRAIN, EVAL or PREDICT */

    /* the command line */
    Set whole;       /* --data, if it is split into these: */
    Set part[PARTS]; /* what there is no data for has no sources */
    Form form;       /* how tables are read */
    int missing_set; /* --missing is given */
    Prep prep;       /* how columns become elements: saved with the weights */
    int prep_loaded; /* it is from --load or --weights */
    Change *change;  /* --scale, --standardize */
    int changes;
    char **assign; /* each NAME=value */
    int assigns;
    int size[MAX_DIMS]; /* of each run-time size; that of the batch is set for each batch */
    long epochs, batch, threads;
    double split[PARTS]; /* the shares of the parts; all 0: it is not split */
    long folds;          /* 0: it is not for folds */
    uint64_t seed;
    int seeded; /* --seed is given */
    int shuffle, quiet;
    int json; /* messages are JSON */
    Grid *grid;
    int grids;
    long accumulate;   /* batches of a step */
    char *grads, *sum; /* gradients of a batch, and of those of a step so far */
    long patience;     /* epochs to wait for a better one; 0: all */
    double tolerance;  /* by how much it must be better */
    int keep_best;     /* the weights of the best epoch are saved */
    long max_steps;    /* 0: any */
    double max_time;   /* seconds; 0: any */
    long save_steps;   /* between checkpoints; 0: by time */
    double save_time;  /* seconds between checkpoints; 0: after epochs, at most one a second */
    const char *resume_path;
    char *command_line; /* what is saved of it */
    const char *log_path, *load_path, *save_path, *map, *out_path, *weights_path;
    char base[17]; /* the hash of the weights of --weights; "": they have no names */
    const char *boundary_path;
    const char *find_rate;   /* the input whose value is looked for */
    char rate_text[140];     /* NAME=value, for the step that is on */
    int assess;              /* what is predicted is compared with what is true, */
    const char *assess_path; /* and drawn here; NULL: it is not */
    int curve;               /* it is shown at the end: */
    const char *curve_path;  /* as a picture here, or NULL: in characters */

    /* the model's memory, and who works on it */
    char *params, *state, *work;
    char *totals;    /* sums over the batches of an evaluation */
    ngrt_pool *pool; /* NULL: one thread */
    ngrt_about
        about; /* of params and state as they are now: the seed, and how far the training is */

    /* course.c */
    char *course;         /* what this training must be continued with */
    char *course_loaded;  /* the same of the one that --resume continues, or NULL */
    uint64_t loaded_seed; /* and its seed */

    /* checkpoint.c */
    char *kept;             /* params and state at the end of the last epoch, or later */
    ngrt_about kept_about;  /* of what is kept */
    double *kept_sums;      /* of losses, for an epoch that is not at its end */
    int sums_loaded;        /* the values of the losses are those of such an epoch */
    long steps_saved;       /* the step of the last checkpoint */
    double time_saved;      /* and its time */
    ngrt_about saved_about; /* of what the file holds */
    double saved_at;        /* when it was written, in seconds; 0: not yet */

    /* losses and metrics */
    Value *value;
    int values;
    int measured;     /* the values are those of the end of the training */
    int unknown_said; /* there was a note of what is not known */
    FILE *log;        /* NULL: there is none */
    double
        *history; /* epochs_kept by values by 2: what the curve shows, of training and validation */
    size_t epochs_kept;

    /* best.c */
    int watched;           /* the value that should fall: its index, or -1 */
    char *best;            /* params and state of the best epoch; NULL: they are not kept */
    ngrt_about best_about; /* of them */
    double best_value;
    long best_epoch; /* 0: there is none yet */
    long waited;     /* epochs since then */

    /* ranks.c */
    int agreed_stop;  /* the signal that stops all ranks, or 0 */
    int agreed_over;  /* the time is over */
    long agreed_step; /* the step after which they agreed last, */
    double agreed_at; /* the time, */
    long agree_every; /* and how many steps later they do again */

    /* within an epoch */
    double epoch_at;  /* when this epoch began, */
    size_t epoch_row; /* and with which row */
    double started;   /* when the training began */
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
size_t ngrt_state_at(const Trainer *t); /* where the state is in a copy, after the params */
double ngrt_trainer_seconds(void);      /* by a clock that is never set */
/* Each batch of eval and predict draws random numbers of its own: adds to the counter of draws. */
void ngrt_draws_shift(Trainer *t, int64_t rows);
/* With weights to save, an interrupt ends the training after its step. A second one ends the
 * program. */
void ngrt_trainer_watch(const Trainer *t);
int ngrt_trainer_signal(void); /* that was caught, or 0 */
/* The signal by which the training stops, or 0; on ranks, that on which all agree. */
int ngrt_trainer_stopped(const Trainer *t);
/* The input whose name is the part of text before '=', or NULL. */
const ngrt_tensor *ngrt_find_input_name(const ngrt_model *m, const char *name);
const ngrt_tensor *ngrt_find_input(const ngrt_model *m, const char *text);

/* ranks.c: a training on several processes; with one process, these do nothing */
int ngrt_ranks_number(const Trainer *t); /* of this one */
int ngrt_ranks_start(Trainer *t);        /* only rank 0 prints */
/* The part of the rows that this rank evaluates. */
void ngrt_ranks_part(const Trainer *t, size_t rows, size_t *first, size_t *end);
/* The part of a batch that is this rank's. A batch of fewer rows than ranks is computed by each. */
void ngrt_ranks_share(const Trainer *t, size_t *first, size_t *count);
/* The same; the next call of the model is on these rows. */
void ngrt_ranks_take(Trainer *t, size_t *first, size_t *count);
int ngrt_ranks_merge(Trainer *t); /* the totals become those of all ranks */
/* Do all go on? Asks them once in some steps, or now. over: by this rank's clock. */
int ngrt_ranks_agree(Trainer *t, int now, int over);
int ngrt_ranks_check(Trainer *t); /* have all ranks the same weights? */

/* options.c */
int ngrt_trainer_options(Trainer *t, int argc, char **argv); /* sets the run-time sizes, too */
void ngrt_trainer_help(const char *program, int command);

/* sizes.c */
int ngrt_trainer_sizes(Trainer *t);
size_t ngrt_axis_length(const Trainer *t, const ngrt_tensor *x, int axis);   /* at these sizes */
int ngrt_axis_is_of_batch(const Trainer *t, const ngrt_tensor *x, int axis); /* but no multiple? */
int ngrt_read_count(const char *text, long *value); /* a whole number that is not negative */

/* source.c */
int ngrt_source_read(const Trainer *t, Set *set); /* all files of a set */
void ngrt_source_free(Set *set);
const Source *ngrt_source_shared(const Set *set); /* that no input is named for, or NULL */
/* The file for an input: the one of its name, else the one without a name. */
const Source *ngrt_source_find(const Set *set, const ngrt_tensor *x);
/* Has an archive without a name an array for this tensor? It has one for each input that has no
 * file of its own. */
int ngrt_source_takes_array(const Set *set, const ngrt_tensor *x);
int ngrt_source_on_disk(const Source *s);
size_t ngrt_source_row_bytes(const Trainer *t, const Source *s);

/* columns.c */

/* Finds the columns that a feed takes of a table, from the source's column f->first on. *fits:
 * there are as many as give its elements; f->taken says how many. */
int ngrt_columns_match(const Trainer *t, Feed *f, int *fits);
/* Makes the pieces of a feed whose source is a table, or chosen columns of an array. */
int ngrt_columns_bind(Trainer *t, Feed *f);
/* Says which value of a feed is bad, with its place. */
int ngrt_columns_fail(const Trainer *t, const Feed *f, size_t row, size_t element,
                      const char *format, ...);

/* set.c */

/* Reads a set's files and binds them to the inputs. batch: rows at a time; 0: what the model takes
 */
int ngrt_set_bind(Trainer *t, Set *set, long batch);
int ngrt_set_scalars(const Trainer *t, Set *set); /* puts NAME=value into the inputs */
/* Makes a set of the rows of another that are in a list, which it takes. */
int ngrt_set_part(const Trainer *t, const Set *whole, Set *part, uint32_t *index, size_t rows,
                  long batch);
void ngrt_set_free(Set *set);

/* scale.c */

/* Finds what becomes of the elements of each input: as it is saved, or as the options say, by
 * statistics of this set. */
int ngrt_scale_start(Trainer *t, Set *set);
int ngrt_scale_subtracts(const Trainer *t);       /* is anything subtracted from an element? */
int ngrt_scale_apply(const Trainer *t, Set *set); /* the same for another set */

/* rows.c */

/* Begins a pass over a set: in the order of its rows, or shuffled by the seed and the epoch. */
int ngrt_rows_begin(const Trainer *t, Set *set, int shuffled, long epoch);
/* The rows of the batch that begins with row first: those of a batch, or what is left. */
size_t ngrt_set_batch(const Set *set, size_t first);
/* Gathers count rows from place first of the pass into the inputs. */
int ngrt_set_fill(const Trainer *t, Set *set, size_t first, size_t count);
/* The elements of one row of a feed, as the model gets them, but before they are changed; by its
 * number in the file. */
int ngrt_rows_read(const Trainer *t, const Feed *f, size_t row, double *value);
/* The same without changing the inputs: into buffers for the feeds, or (NULL) into their own. */
int ngrt_rows_gather(const Trainer *t, Set *set, size_t first, size_t count, void *const *to);
/* Puts the elements of a row into the buffer of a feed whose row is one piece, and changes them. */
void ngrt_rows_put(const Feed *f, const double *element, size_t r);
void ngrt_rows_free(Set *set);

/* ahead.c: gathers batches in another thread while the model computes. Between asking for a batch
 * and taking it, or settling, nothing else may read the set. */
void ngrt_ahead_start(const Trainer *t, Set *set); /* where it is of use */
int ngrt_ahead_has_room(const Set *set);           /* may one more be asked for? */
/* The place after all that was asked for and is not taken; if there is none, this one. */
size_t ngrt_ahead_next(const Set *set, size_t place);
void ngrt_ahead_ask(Set *set, size_t first, size_t count, size_t end); /* of the pass up to `end` */
void ngrt_ahead_settle(Set *set); /* forgets what was asked for */
void ngrt_ahead_end(Set *set);

/* split.c: makes the parts that --split or --folds asks for; of folds, that of this number */
int ngrt_split(Trainer *t, int fold);

/* metrics.c */
int ngrt_metrics_list(Trainer *t);
void ngrt_metrics_free(Trainer *t);
double ngrt_value_of_batch(const Trainer *t, const Value *v); /* as the model left it in work */
/* Evaluates what has this role or a higher one: losses come before metrics. */
int ngrt_metrics_evaluate(Trainer *t, int part, int role);
int ngrt_has_part(const Trainer *t, int part);
int ngrt_watched_part(const Trainer *); /* of the data: VALIDATION if there is any, else TRAINING */
/* The number of elements of the tensor whose first value this is. */
int ngrt_value_count(const Trainer *t, int first);
/* The whole tensor: "0.5", or "[[1, 0], [0, 2]]". */
void ngrt_value_print(FILE *to, const Trainer *t, int first, int part, const char *format);
/* The values of all parts that are known, a line for each; false without memory. */
int ngrt_metrics_write(const Trainer *t, Bytes *b);
void ngrt_number_print(FILE *to, const char *format, double value); /* whole numbers in full */

/* picture.c: a drawing in a file */
typedef struct Picture {
    int width, height;
    int good;             /* there was memory for all */
    Bytes svg;            /* what is drawn, or, for PNG: */
    unsigned char *pixel; /* [height][width][red, green, blue] */
} Picture;

void ngrt_picture_start(Picture *p, int width, int height, const char *path);
/* Colours are 0xRRGGBB. A line has points x, y, x, y, ... */
void ngrt_picture_line(Picture *p, const double *point, size_t points, unsigned colour,
                       double width);
void ngrt_picture_box(Picture *p, double x, double y, double width, double height, unsigned colour);
void ngrt_picture_dot(Picture *p, double x, double y, double radius, unsigned colour);
/* right: x is the right end */
void ngrt_picture_text(Picture *p, double x, double y, int right, unsigned colour,
                       const char *text);
int ngrt_picture_write(const Trainer *t, Picture *p, const char *path); /* frees it, too */

/* curve.c */
int ngrt_curve_add(Trainer *t); /* the values of an epoch */
int ngrt_curve_show(const Trainer *t);
int ngrt_curve_write(const Trainer *t, Bytes *b); /* the history; false without memory */
int ngrt_curve_read(Trainer *t, const char *text);
void ngrt_bar_show(const Trainer *t, long epoch, size_t done, size_t rows); /* on stderr */
void ngrt_bar_clear(void);

/* scatter.c: draws what is predicted against what is true, into the file of --assess */
int ngrt_scatter_numbers(const Trainer *t, const char *name, const double *is, const double *said,
                         size_t rows);
/* count: [true class][predicted class] */
int ngrt_scatter_classes(const Trainer *t, const size_t *count, const char *const *name,
                         size_t classes);

/* assess.c: can there be an --assess of a part of the data? A message where not; prints it */
int ngrt_assess_check(Trainer *t, int part);
int ngrt_assess(Trainer *t, int part);

/* boundary.c: the same for --boundary; its picture, with the rows of a part of the data */
int ngrt_boundary_check(Trainer *t, int part);
int ngrt_boundary(Trainer *t, int part);

/* finder.c: --find-rate */
int ngrt_find_rate(Trainer *t);

/* results.c */
int ngrt_results_check(Trainer *t);   /* before a training: can all that is asked for be shown? */
int ngrt_results_measure(Trainer *t); /* evaluates the parts of the data that are printed */
int ngrt_results_print(Trainer *t);

/* runs.c */
int ngrt_runs_folds(Trainer *t); /* all folds; prints means and deviations */
int ngrt_runs_grid(Trainer *t);  /* all combinations; then the model is the best of them */

/* accumulate.c */
int ngrt_accumulate_start(Trainer *t);
int ngrt_accumulate_step(Trainer *t, size_t first, size_t count); /* one on rows of the pass */

/* best.c: which epoch is the best, by the first loss: of the validation data if there is any */
int ngrt_best_start(Trainer *t);
int ngrt_best_is_better(const ngrt_tensor *loss, double value, double best, double tolerance);
int ngrt_best_update(Trainer *t);        /* after an epoch; ENDED: the patience is at its end */
int ngrt_best_is_over(const Trainer *t); /* it was when the training was loaded */
void ngrt_best_use(Trainer *t);          /* its weights become those of the model */
int ngrt_best_write(const Trainer *t, Bytes *b); /* what is saved of it; false without memory */
void ngrt_best_read(Trainer *t, const char *text);

/* course.c */
int ngrt_course_find(Trainer *t); /* the data is known */
/* Is it the one that is saved? If not, says what differs. */
int ngrt_course_check(const Trainer *t, const char *saved);

/* checkpoint.c */
int ngrt_checkpoint_start(Trainer *t); /* sets the weights: from the seed, or from --load */
int ngrt_checkpoint_begin(Trainer *t); /* the data is known: does the training fit it? */
/* Keeps the weights, and how far the training is with them. Fails if one is not finite. */
int ngrt_checkpoint_keep(Trainer *t);
int ngrt_checkpoint_after_step(Trainer *t);  /* where --checkpoint asks for it */
int ngrt_checkpoint_after_epoch(Trainer *t); /* if it does not, and the last is a second ago */
size_t ngrt_state_at(
    const Trainer *t);                 /* where the state begins in a kept copy, after the params */
int ngrt_checkpoint_load(Trainer *t);  /* the same once more */
int ngrt_checkpoint_write(Trainer *t); /* writes what is kept */
int ngrt_checkpoint_save(Trainer *t);  /* writes what is kept, unless the file holds it */

/* log.c */
int ngrt_log_open(Trainer *t); /* the file of --log */
int ngrt_log_epoch(Trainer *t, long epoch, double time);

/* train.c */
int ngrt_trainer_train(Trainer *t); /* all epochs */

/* predict.c */
int ngrt_trainer_predict(Trainer *t); /* the outputs for all rows, to where they are wanted */

#endif
