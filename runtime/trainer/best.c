/* best.c - which epoch of a training is the best: the one whose first loss is lowest (of a loss
 * that is maximized: highest), of the validation data if there is any. Then that epoch's weights
 * can be kept, and the training ends when no better epoch has come for some epochs. */
#include <math.h>
#include <string.h>

#include "trainer.h"

int ngrt_best_start(Trainer *t)
{
    t->watched = -1;
    if (!t->keep_best && t->patience == 0)
        return DONE;
    if (t->values == 0 || t->value[0].tensor->role != NGRT_LOSS || t->value[0].tensor->rank > 0)
        return ngrt_trainer_fail(t, USAGE, "--keep-best and --patience want a model with a loss");
    t->watched = 0;
    if (!t->keep_best)
        return DONE;
    t->best = ngrt_trainer_allocate(1, ngrt_state_at(t) + t->model->sizeof_state);
    if (t->best)
        return DONE;
    return ngrt_trainer_no_memory(t);
}

/* Is the value of a loss better than the best so far, by more than the tolerance? Not a number is
 * worse than all others. */
int ngrt_best_is_better(const ngrt_tensor *loss, double value, double best, double tolerance)
{
    if (isnan(best))
        return !isnan(value);
    if (loss->flags & NGRT_RISES)
        return value > best + tolerance;
    return value < best - tolerance;
}

int ngrt_best_update(Trainer *t)
{
    int part = ngrt_watched_part(t);
    const Value *v;

    if (t->watched < 0)
        return DONE;
    v = &t->value[t->watched];
    if (!v->known[part])
        return ngrt_trainer_fail(
            t, USAGE, "%s is a value of one batch: it cannot say which epoch is the best", v->name);

    if (t->best_epoch == 0 ||
        ngrt_best_is_better(v->tensor, v->of[part], t->best_value, t->tolerance)) {
        t->best_value = v->of[part];
        t->best_epoch = (long)t->about.epoch;
        t->best_about = t->about;
        t->waited = 0;
        /* `kept` is of the end of this epoch: run_epoch copies before it measures */
        if (t->best)
            memcpy(t->best, t->kept, ngrt_state_at(t) + t->model->sizeof_state);
    } else {
        t->waited++;
    }
    return ngrt_best_is_over(t) ? ENDED : DONE;
}

int ngrt_best_is_over(const Trainer *t)
{
    return t->patience > 0 && t->waited >= t->patience;
}

void ngrt_best_use(Trainer *t)
{
    if (!t->best || t->best_epoch == 0)
        return;
    memcpy(t->params, t->best, t->model->sizeof_params);
    memcpy(t->state, t->best + ngrt_state_at(t), t->model->sizeof_state);
    ngrt_trainer_note(t, "the weights are those of epoch %ld, the best: %s %.6g", t->best_epoch,
                      t->value[t->watched].name, t->best_value);
}

int ngrt_best_write(const Trainer *t, Bytes *b)
{
    if (t->best_epoch == 0)
        return 1;
    return ngrt_bytes_print(b, "epoch %ld value %a waited %ld", t->best_epoch, t->best_value,
                            t->waited);
}

void ngrt_best_read(Trainer *t, const char *text)
{
    if (sscanf(text, "epoch %ld value %la waited %ld", &t->best_epoch, &t->best_value,
               &t->waited) != 3)
        t->best_epoch = t->waited = 0;
}
