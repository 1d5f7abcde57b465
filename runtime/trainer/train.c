/* train.c - mini-batch training of any model by its descriptor: epochs of steps over the data.
 *
 * A step is a call of the model's step function for the rows of a batch. An epoch is a pass over
 * all rows; after it the model is evaluated, the weights are kept, and a line is reported. */
#include <math.h>
#include <unistd.h>

#include "trainer.h"

static int time_is_over(const Trainer *t)
{
    return t->max_time > 0 && ngrt_trainer_seconds() - t->started >= t->max_time;
}

/* Has the training taken the steps or the time that it may take? */
static int is_over(const Trainer *t)
{
    if (t->max_steps > 0 && t->about.step >= t->max_steps)
        return 1;
    if (t->group)
        return t->agreed_over;
    return time_is_over(t);
}

/* Was the training ended by a signal? */
static int is_interrupt(int status)
{
    return status > STOPPED;
}

/* ---- an epoch ---- */

/* Adds the losses of a step of `count` rows to those of the epoch, which has `rows`. */
static int add_losses(Trainer *t, long epoch, size_t count, size_t rows)
{
    int i;

    for (i = 0; i < t->values; i++) {
        Value *v = &t->value[i];
        double value;

        if (v->tensor->role != NGRT_LOSS)
            continue;
        value = ngrt_value_of_batch(t, v);
        if (!isfinite(value))
            return ngrt_trainer_fail(t, FAILED, "step %lld (epoch %ld): %s is %g; training stopped",
                                     (long long)t->about.step, epoch, v->tensor->name, value);

        /* a sum over rows adds up; a mean counts by its share of the rows */
        if (!(v->tensor->flags & NGRT_SUM))
            value *= (double)count / (double)rows;
        v->of[TRAINING] += value;
        v->known[TRAINING] = 1;
    }
    return DONE;
}

/* Says once which states the batch of one row that comes now leaves as they are. */
static void note_one_row(Trainer *t)
{
    const char *name = NULL;
    int i, count = 0;

    for (i = 0; i < t->model->tensors && !t->one_row_said; i++)
        if (t->model->tensor[i].flags & NGRT_STAYS) {
            if (count == 0)
                name = t->model->tensor[i].name;
            count++;
        }
    if (count > 0)
        ngrt_trainer_note(
            t,
            "a batch of one row (with --batch %zu, of %zu rows) leaves %s%s as it is: of one "
            "number there is no variance",
            t->part[TRAINING].batch, t->part[TRAINING].rows, name, count > 1 ? " and others" : "");
    t->one_row_said = 1;
}

/* The rows of the step that begins with row first. */
static size_t step_rows(const Trainer *t, size_t first)
{
    const Set *set = &t->part[TRAINING];
    size_t left = set->rows - first;
    size_t rows = set->batch;

    if (t->accumulate > 1)
        rows *= (size_t)t->accumulate;
    return left < rows ? left : rows;
}

/* Asks for the rows of the steps after this one. */
static void ask_ahead(Trainer *t, size_t next)
{
    Set *set = &t->part[TRAINING];
    size_t first, count, all;

    for (next = ngrt_ahead_next(set, next); next < set->rows && ngrt_ahead_has_room(set);
         next += all) {
        first = next;
        count = all = step_rows(t, next);
        ngrt_ranks_share(t, &first, &count);
        ngrt_ahead_ask(set, first, count, next + all);
    }
}

/* One step on `count` rows from place `first` of the order. */
static int train_step(Trainer *t, long epoch, size_t first, size_t count, size_t rows)
{
    size_t own = first;
    size_t owned = count;
    int error, status;

    /* gradients of several batches are added up; one update follows them */
    if (t->accumulate > 1) {
        status = ngrt_accumulate_step(t, first, count);
        t->about.step++;
        if (status)
            return status;
        return add_losses(t, epoch, count, rows);
    }
    /* each rank fills its share of the rows; the step adds over ranks what they give */
    ngrt_ranks_take(t, &own, &owned);
    status = ngrt_set_fill(t, &t->part[TRAINING], own, owned);
    if (status)
        return status;

    /* the next rows are gathered while this step computes */
    ask_ahead(t, first + count);
    if (count == 1)
        note_one_row(t);
    error = t->model->step(t->params, t->state, t->part[TRAINING].inputs, t->work);
    t->about.step++;
    if (error)
        return ngrt_trainer_fail(t, FAILED, "step %lld: %s", (long long)t->about.step,
                                 ngrt_strerror(error));
    return add_losses(t, epoch, count, rows);
}

/* Shows the bar, ten times a second. An epoch that is shorter has none. */
static void show_bar(Trainer *t, long epoch, size_t done)
{
    double now;

    if (t->bar_at < 0)
        return;
    now = ngrt_trainer_seconds();

    if (done == t->part[TRAINING].rows) {
        if (t->bar_shown)
            ngrt_bar_clear();
        t->bar_shown = 0;
    } else if (now - t->bar_at >= 0.1) {
        ngrt_bar_show(t, epoch, done, t->part[TRAINING].rows);
        t->bar_shown = 1;
    } else {
        return;
    }
    t->bar_at = now;
}

/* One pass of steps over the training data, or the rest of one that a loaded training was in. */
static int run_steps(Trainer *t, long epoch)
{
    Set *set = &t->part[TRAINING];
    size_t first = (size_t)t->about.row;
    size_t rows = set->rows - first;
    size_t count;
    int i;
    int status = ngrt_rows_begin(t, set, t->shuffle, epoch);

    if (status)
        return status;

    /* a loaded training continues the sums of its half epoch, which are shares of all rows */
    for (i = 0; i < t->values && !t->sums_loaded; i++)
        t->value[i].of[TRAINING] = 0.0;
    if (t->sums_loaded)
        rows = set->rows;
    t->sums_loaded = 0;
    t->epoch_at = ngrt_trainer_seconds();
    t->epoch_row = first;

    for (; first < set->rows; first += count) {
        count = step_rows(t, first);
        status = train_step(t, epoch, first, count, rows);
        if (status)
            return status;
        t->about.row = (int64_t)(first + count);
        show_bar(t, epoch, first + count);

        /* the last step: what is asked between two steps is asked below, of the epoch's end */
        if (first + count == set->rows)
            break;

        /* clocks and signals differ between ranks: all must end at the same step */
        status = ngrt_ranks_agree(t, 0, time_is_over(t));
        if (status)
            return status;
        if (ngrt_trainer_stopped(t))
            return STOPPED + ngrt_trainer_stopped(t);
        if (is_over(t))
            return ENDED;
        status = ngrt_checkpoint_after_step(t);
        if (status)
            return status;
    }

    status = ngrt_ranks_agree(t, 1, time_is_over(t));
    if (!status && ngrt_trainer_stopped(t))
        status = STOPPED + ngrt_trainer_stopped(t);
    return status;
}

/* The values of the model after an epoch, if anyone will read them: metrics of the training data,
 * whose losses are known from the steps, and all of the validation data. */
static int evaluate_epoch(Trainer *t)
{
    int status;

    if (t->quiet && !t->log && !t->curve && t->watched < 0)
        return DONE;
    status = ngrt_metrics_evaluate(t, TRAINING, NGRT_METRIC);
    if (!status && ngrt_has_part(t, VALIDATION))
        status = ngrt_metrics_evaluate(t, VALIDATION, NGRT_LOSS);
    return status;
}

/* The same. Whatever ends it, no batch is being gathered then. */
static int train_epoch(Trainer *t, long epoch)
{
    int status;

    ngrt_ahead_start(t, &t->part[TRAINING]);
    status = run_steps(t, epoch);
    ngrt_ahead_settle(&t->part[TRAINING]);
    return status;
}

/* Counts an epoch. Before that, all of its rows are done, but it is not measured: a training that
 * is interrupted there is still in it. */
static void end_epoch(Trainer *t, long epoch)
{
    t->about.row = 0;
    t->about.epoch = epoch;
    t->kept_about = t->about;
}

/* An epoch and all that is reported of it. */
static int run_epoch(Trainer *t, long epoch)
{
    double start = ngrt_trainer_seconds();
    int status = train_epoch(t, epoch);

    /* a step that failed is not kept: then the file has what was kept before */
    if (!status || status == ENDED || is_interrupt(status)) {
        int kept = ngrt_checkpoint_keep(t);
        if (kept)
            status = kept;
    }
    if (!status)
        status = evaluate_epoch(t);
    if (!status)
        end_epoch(t, epoch);
    if (!status && t->curve)
        status = ngrt_curve_add(t);
    if (!status)
        status = ngrt_log_epoch(t, epoch, ngrt_trainer_seconds() - start);
    if (!status)
        status = ngrt_best_update(t);
    if (!status)
        status = ngrt_checkpoint_after_epoch(t);
    if (!status)
        status = ngrt_ranks_check(t);
    if (!status && is_over(t))
        status = ENDED;
    return status;
}

/* ---- all epochs ---- */

/* Says why the training ends before its last epoch. */
static void note_end(const Trainer *t, long epoch)
{
    if (is_over(t))
        ngrt_trainer_note(t, "ended in epoch %ld, after %lld steps and %.0f s", epoch,
                          (long long)t->about.step, ngrt_trainer_seconds() - t->started);
    else
        ngrt_trainer_note(t, "ended after epoch %ld: %s has not %s for %ld epochs", epoch,
                          t->value[t->watched].name,
                          t->value[t->watched].tensor->flags & NGRT_RISES ? "risen" : "fallen",
                          t->waited);
}

/* Draws the curve and writes the weights: those of the last epoch, or of the last step before a
 * signal. `status` is how the last of `epochs` ended. */
static int finish(Trainer *t, long epochs, int status)
{
    int saved = DONE;

    if (t->bar_shown)
        ngrt_bar_clear();
    if (status == FILES)
        return status; /* the next file would fail too */
    if (status == ENDED) {
        note_end(t, epochs);
        status = DONE;
    }

    if (t->curve && (!status || is_interrupt(status))) {
        int shown = ngrt_curve_show(t);
        if (shown)
            status = shown;
    }
    /* after a failure too: the weights before it are of use */
    if (t->kept_about.step > 0 || !status)
        saved = ngrt_checkpoint_save(t);
    if (saved)
        return saved;

    if (is_interrupt(status))
        ngrt_trainer_note(t, "stopped in epoch %ld; the weights are in %s", epochs, t->save_path);
    if (!status)
        ngrt_best_use(t);
    return status;
}

int ngrt_trainer_train(Trainer *t)
{
    long epoch;
    int status = DONE;

    ngrt_trainer_watch(t);
    t->started = t->time_saved = ngrt_trainer_seconds();
    t->steps_saved = (long)t->about.step;
    t->bar_at = -1;
    if (!t->quiet && !t->json && isatty(STDERR_FILENO))
        t->bar_at = ngrt_trainer_seconds();

    /* ranks begin to agree after each step, until it is known how long a step takes */
    t->agreed_at = t->started;
    t->agreed_step = t->steps_saved;
    t->agree_every = 1;
    status = ngrt_ranks_check(t);
    if (status)
        return status;
    /* a loaded training may have ended already */
    if (ngrt_best_is_over(t) || (t->max_steps > 0 && t->about.step >= t->max_steps))
        status = ENDED;
    for (epoch = (long)t->about.epoch + 1; epoch <= t->epochs && !status; epoch++)
        status = run_epoch(t, epoch);
    return finish(t, epoch - 1, status);
}
