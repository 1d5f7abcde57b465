/* runs.c - several trainings in one: each fold of the data left out in turn, or each combination of
 * values of scalar inputs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

/* Trains anew, without lines of epochs. */
static int train_quietly(Trainer *t)
{
    int quiet = t->quiet;
    int status = ngrt_checkpoint_load(t);

    if (!status)
        status = ngrt_checkpoint_begin(t);
    t->quiet = 1;
    if (!status)
        status = ngrt_trainer_train(t);
    t->quiet = quiet;
    return status;
}

/* Prints the scalar values of a part on a line that begins with a title. */
static void print_run(const Trainer *t, const char *title, int part)
{
    int i;

    if (t->quiet || t->json)
        return;
    fprintf(stderr, "%s", title);
    for (i = 0; i < t->values; i++)
        if (t->value[i].tensor->rank == 0 && t->value[i].known[part])
            fprintf(stderr, " - %s: %.6g", t->value[i].name, t->value[i].of[part]);
    fputc('\n', stderr);
}

/* ---- folds ---- */

/* Trains without a fold, and adds what it gives to sums and squares. */
static int run_fold(Trainer *t, int fold, double *value)
{
    char title[40];
    int i;
    int status = ngrt_split(t, fold);

    if (!status)
        status = ngrt_scale_start(t, &t->part[TRAINING]);
    if (!status)
        status = ngrt_scale_apply(t, &t->part[VALIDATION]);
    if (!status)
        status = train_quietly(t);
    if (!status)
        status = ngrt_metrics_evaluate(t, VALIDATION, NGRT_LOSS);
    if (status)
        return status;

    snprintf(title, sizeof title, "Fold %d/%ld", fold + 1, t->folds);
    print_run(t, title, VALIDATION);
    for (i = 0; i < t->values; i++)
        value[i] = t->value[i].known[VALIDATION] ? t->value[i].of[VALIDATION] : (double)NAN;
    return DONE;
}

/* Prints the mean of each value over the folds, and its deviation from fold to fold. */
static void print_folds(const Trainer *t, const double *value)
{
    int i, k;
    int folds = (int)t->folds;

    for (i = 0; i < t->values; i++) {
        double mean = value[i];
        double square = 0;
        double rest = 0;

        /* differences from the first: the mean of equal values is that value */
        for (k = 0; k < folds; k++)
            rest += value[k * t->values + i] - mean;
        mean += rest / folds;
        for (k = 0; k < folds; k++)
            square += pow(value[k * t->values + i] - mean, 2);
        /* a value that one fold does not know has no mean */
        if (!isnan(mean))
            printf("%s: %.6g +- %.3g\n", t->value[i].name, mean, sqrt(square / (folds - 1)));
    }
}

int ngrt_runs_folds(Trainer *t)
{
    double *value = ngrt_trainer_allocate((size_t)t->folds * (size_t)t->values, sizeof *value);
    int k;
    int status = value ? DONE : ngrt_trainer_no_memory(t);

    for (k = 0; k < t->folds && !status; k++)
        status = run_fold(t, k, value + k * t->values);
    if (!status)
        print_folds(t, value);
    free(value);
    return status;
}

/* ---- a grid ---- */

/* Sets the inputs to the combination of this number; the text says which. False: there is none. */
static int choose(Trainer *t, long number, char *text, size_t room)
{
    size_t used = 0;
    int i;

    text[0] = 0;
    for (i = 0; i < t->grids; i++) {
        Grid *g = &t->grid[i];
        const char *value = g->value[number % g->values];

        /* the number in a mixed base: a digit for each input of the grid */
        number /= g->values;
        snprintf(g->assign, sizeof g->assign, "%s=%s", g->name, value);
        snprintf(text + used, room - used, "%s%s", i ? " " : "", g->assign);
        used = strlen(text);
    }
    return number == 0;
}

/* Keeps params and state of the best run. */
typedef struct BestRun {
    char *kept;
    ngrt_about about;
    double value;
    char text[300];
} BestRun;

/* Trains with a combination. */
static int run_combination(Trainer *t, const char *text, BestRun *best)
{
    int part = ngrt_watched_part(t);
    int i;
    int status = DONE;
    const Value *first = &t->value[0];

    for (i = 0; i < PARTS && !status; i++)
        if (ngrt_has_part(t, i))
            status = ngrt_set_scalars(t, &t->part[i]);
    if (!status)
        status = train_quietly(t);
    if (status == FAILED) {
        ngrt_trainer_note(t, "%s: failed", text);
        return DONE; /* a rate may be too large: the others are tried */
    }
    if (!status)
        status = ngrt_metrics_evaluate(t, part, NGRT_LOSS);
    if (status)
        return status;

    print_run(t, text, part);
    /* the first value is the loss: the best of validation, if there is any */
    if (first->known[part] &&
        (best->text[0] == 0 ||
         ngrt_best_is_better(first->tensor, first->of[part], best->value, 0))) {
        best->value = first->of[part];
        memcpy(best->kept, t->params, t->model->sizeof_params);
        memcpy(best->kept + ngrt_state_at(t), t->state, t->model->sizeof_state);
        best->about = t->about;
        snprintf(best->text, sizeof best->text, "%s", text);
    }
    return DONE;
}

/* Makes the best run the model's. */
static int use_best(Trainer *t, const BestRun *best)
{
    if (!best->text[0])
        return ngrt_trainer_fail(t, FAILED, "no combination of --grid could be trained");
    memcpy(t->params, best->kept, t->model->sizeof_params);
    memcpy(t->state, best->kept + ngrt_state_at(t), t->model->sizeof_state);
    t->about = best->about;
    t->best_epoch = 0;
    ngrt_trainer_note(t, "the best is %s", best->text);
    return ngrt_checkpoint_keep(t);
}

int ngrt_runs_grid(Trainer *t)
{
    const char *save = t->save_path;
    BestRun best = {0};
    char text[300];
    long number;
    int status = DONE;

    best.kept = ngrt_trainer_allocate(1, ngrt_state_at(t) + t->model->sizeof_state);
    if (!best.kept)
        return ngrt_trainer_no_memory(t);
    /* only the best run is written, when it is known */
    t->save_path = NULL;
    for (number = 0; choose(t, number, text, sizeof text) && !status; number++)
        status = run_combination(t, text, &best);
    t->save_path = save;
    if (!status)
        status = use_best(t, &best);
    free(best.kept);
    return status;
}
