/* checkpoint.c - the weights of a training: what it starts from, what is kept of it, and what the
 * file of --save holds.
 *
 * The kept copy is the last one known to be good. It is what is written, so that a loss that
 * becomes NaN in the middle of an epoch does not spoil the file. With --keep-best the file holds
 * the weights of the best epoch, and besides, with names that begin with last/, those that training
 * continues from. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

/* Has the preparation means for missing numbers? */
static int has_means(const Prep *p)
{
    int i;
    size_t k;

    for (i = 0; i < p->inputs; i++)
        for (k = 0; k < p->input[i].columns; k++)
            if (p->input[i].column[k].fill == p->input[i].column[k].fill) /* it is not NaN */
                return 1;
    return 0;
}

/* Takes how the columns of the data become elements. */
static int load_prep(Trainer *t, const Notes *notes, const char *path)
{
    const char *text = ngrt_notes_get(notes, "data");

    if (!text)
        return DONE;
    if (!ngrt_prep_read(&t->prep, text))
        return ngrt_trainer_fail(t, FILES, "%s: what it says of the data is damaged", path);
    t->prep_loaded = 1;
    if (has_means(&t->prep) && !t->missing_set)
        t->form.missing = MISSING_MEAN;
    return DONE;
}

/* The sums of losses in an epoch that is not at its end, as "0x1p-1 ...". */
static void load_sums(Trainer *t, const char *text)
{
    int i;

    for (i = 0; i < t->values && text; i++) {
        char *end;

        t->value[i].of[TRAINING] = strtod(text, &end);
        if (end == text)
            return;
        t->value[i].known[TRAINING] = t->value[i].tensor->role == NGRT_LOSS;
        text = end;
    }
    t->sums_loaded = text != NULL;
}

/* Takes what --resume needs: the weights that training continues from, and which epoch was best. */
static int load_training(Trainer *t, const Archive *whole)
{
    const char *last = ngrt_notes_get(&whole->notes, "last");
    const char *best = ngrt_notes_get(&whole->notes, "best");
    long long epoch, step, row;

    if (best)
        ngrt_best_read(t, best);
    /* the file has the best weights under their plain names; last/ has the others */
    t->best_about = t->about;
    if (t->best) {
        memcpy(t->best, t->params, t->model->sizeof_params);
        memcpy(t->best + ngrt_state_at(t), t->state, t->model->sizeof_state);
    }
    if (last) {
        if (sscanf(last, "%lld %lld %lld", &epoch, &step, &row) != 3 ||
            !ngrt_weights_fill(whole, t->model, t->params, t->state, "last/"))
            return ngrt_trainer_fail(t, FILES, "%s: what it says of the training is damaged",
                                     t->load_path);
        t->about.epoch = epoch;
        t->about.step = step;
        t->about.row = row;
    }
    load_sums(t, ngrt_notes_get(&whole->notes, "sums"));
    t->loaded_seed = t->about.seed;
    if (ngrt_notes_get(&whole->notes, "course")) {
        t->course_loaded = ngrt_text_copy(ngrt_notes_get(&whole->notes, "course"));
        if (t->course_loaded)
            return DONE;
        return ngrt_trainer_no_memory(t);
    }
    return DONE;
}

/* A number for the names and values in a file of weights, in whatever order it has them. */
static uint64_t hash_weights(const Archive *a)
{
    uint64_t sum = 0;
    size_t i, k;

    for (i = 0; i < (size_t)a->count; i++) {
        const Stored *s = &a->tensor[i];
        uint64_t hash = 14695981039346656037u;

        for (k = 0; s->name[k]; k++)
            hash = (hash ^ (unsigned char)s->name[k]) * 1099511628211u;
        for (k = 0; k < s->data.rows * s->data.columns; k++) {
            double value = ngrt_data_value(&s->data, k);
            uint64_t bits;

            memcpy(&bits, &value, sizeof bits);
            hash = (hash ^ bits ^ bits >> 32) * 1099511628211u;
        }
        /* a sum over tensors does not depend on their order */
        sum += hash;
    }
    return sum;
}

/* Takes what the file of --weights says of the data, unless --load does. But not the words of
 * labels: those are of other data. The program has the weights. */
static int load_base(Trainer *t)
{
    ngrt_message message;
    Archive base = {0};
    int i;
    int status = DONE;

    if (ngrt_archive_read(&base, t->weights_path, &message)) /* it has only numbers */
        return DONE;
    snprintf(t->base, sizeof t->base, "%016llx", (unsigned long long)hash_weights(&base));
    if (!t->load_path)
        status = load_prep(t, &base.notes, t->weights_path);
    for (i = 0; i < t->model->tensors && !status && !t->load_path; i++) {
        const ngrt_tensor *x = &t->model->tensor[i];
        if (x->role == NGRT_INPUT && x->type == NGRT_I32 && x->flags & NGRT_TARGET)
            ngrt_prep_drop(&t->prep, x->name);
    }
    ngrt_archive_free(&base);
    return status;
}

/* Are the weights that are not trained those with which the file was trained? */
static int check_base(const Trainer *t, const Notes *notes)
{
    const char *base = ngrt_notes_get(notes, "base");

    if (!base || strcmp(base, t->base) == 0)
        return DONE;
    return ngrt_trainer_fail(t, FILES, "%s: was trained with other --weights than %s", t->load_path,
                             t->weights_path ? t->weights_path : "none");
}

/* Loads the weights of --load or --resume, and how far the training was with them. */
static int load(Trainer *t)
{
    ngrt_message message;
    Archive whole = {0};
    int status;

    if (ngrt_weights_read(t->model, t->params, t->state, &t->about, &whole, t->load_path, t->map,
                          &message))
        return ngrt_trainer_fail(t, FILES, "%s", message.text);
    if (message.text[0])
        ngrt_trainer_note(t, "%s", message.text);
    status = check_base(t, &whole.notes);
    if (!status)
        status = load_prep(t, &whole.notes, t->load_path);

    /* only --resume takes up the last weights, and knows which epoch was best */
    if (!status && t->resume_path)
        status = load_training(t, &whole);
    else if (!status && t->about.row > 0)
        load_sums(t, ngrt_notes_get(&whole.notes, "sums"));
    if (!status && t->curve)
        status = ngrt_curve_read(t, ngrt_notes_get(&whole.notes, "history"));
    ngrt_archive_free(&whole);
    if (status)
        return status;

    /* the same seed gives dropout and the order of rows the same bits again */
    if (t->about.hash && !t->seeded)
        t->seed = t->about.seed;
    return DONE;
}

/* Can the training go on where the file's was? */
static int check_progress(const Trainer *t)
{
    const ngrt_about *a = &t->about;

    if (a->epoch < 0 || a->row < 0 || (uint64_t)a->row > t->part[TRAINING].rows)
        return ngrt_trainer_fail(t, FILES,
                                 "%s: was saved at row %lld of a pass, but the data has %zu rows",
                                 t->load_path, (long long)a->row, t->part[TRAINING].rows);
    if (a->epoch > 0 && a->epoch >= t->epochs)
        ngrt_trainer_note(t, "%s is from after epoch %lld: --epochs %ld leaves nothing to do",
                          t->load_path, (long long)a->epoch, t->epochs);
    return DONE;
}

int ngrt_checkpoint_start(Trainer *t)
{
    int status = DONE;

    t->kept = ngrt_trainer_allocate(1, ngrt_state_at(t) + t->model->sizeof_state);
    t->kept_sums = ngrt_trainer_allocate((size_t)t->values, sizeof *t->kept_sums);
    if (!t->kept || !t->kept_sums)
        return ngrt_trainer_no_memory(t);
    status = ngrt_best_start(t);
    if (status)
        return status;
    return ngrt_checkpoint_load(t);
}

int ngrt_checkpoint_load(Trainer *t)
{
    int status = DONE;

    memset(&t->about, 0, sizeof t->about);
    t->best_epoch = t->waited = 0;
    if (t->model->init)
        t->model->init(t->params, t->state, t->seed);
    if (t->weights_path)
        status = load_base(t);
    if (t->load_path && !status)
        status = load(t);
    else if (t->command != TRAIN && t->model->sizeof_params > 0)
        ngrt_trainer_note(t, "no --load: the weights are those that training starts with");
    t->about.seed = t->seed;
    return status;
}

int ngrt_checkpoint_begin(Trainer *t)
{
    int status = ngrt_course_find(t);

    if (!status && t->course_loaded)
        status = ngrt_course_check(t, t->course_loaded);
    if (!status)
        status = check_progress(t);
    if (t->load_path && t->save_path && strcmp(t->load_path, t->save_path) == 0) {
        t->saved_at = ngrt_trainer_seconds(); /* the file has what is loaded */
        t->saved_about = t->about;
    }
    if (status)
        return status;
    return ngrt_checkpoint_keep(t);
}

/* ---- keeping ---- */

/* The first param that has an element that is not finite, or NULL. */
static const ngrt_tensor *find_bad(const Trainer *t)
{
    int i;

    for (i = 0; i < t->model->tensors; i++) {
        const ngrt_tensor *x = &t->model->tensor[i];
        ngrt_data data = {.type = ngrt_element_of(x->type), .at = t->params + x->offset};
        size_t count = 1, k;
        int axis;

        /* whole numbers are always finite */
        if (x->role != NGRT_PARAM || x->type == NGRT_I32)
            continue;
        for (axis = 0; axis < x->rank; axis++)
            count *= (size_t)x->shape[axis];
        for (k = 0; k < count; k++)
            if (!isfinite(ngrt_data_value(&data, k)))
                return x;
    }
    return NULL;
}

int ngrt_checkpoint_keep(Trainer *t)
{
    const ngrt_tensor *bad = find_bad(t);
    int i;

    if (bad)
        return ngrt_trainer_fail(t, FAILED, "step %lld: %s is not finite; training stopped",
                                 (long long)t->about.step, bad->name);
    memcpy(t->kept, t->params, t->model->sizeof_params);
    memcpy(t->kept + ngrt_state_at(t), t->state, t->model->sizeof_state);
    t->kept_about = t->about;
    for (i = 0; i < t->values; i++)
        t->kept_sums[i] = t->value[i].of[TRAINING];
    return DONE;
}

/* ---- the file ---- */

/* Does the file hold what is kept? */
static int is_saved(const Trainer *t)
{
    const ngrt_about *kept = &t->kept_about;
    const ngrt_about *saved = &t->saved_about;
    return t->saved_at > 0 && kept->epoch == saved->epoch && kept->row == saved->row;
}

/* Is there an epoch whose weights the file has in place of the last ones? */
static int has_best(const Trainer *t)
{
    return t->best && t->best_epoch > 0;
}

/* The sums of the losses, if the kept weights are of the middle of an epoch. Their bits count: they
 * are written in base 16. */
static int add_sums(const Trainer *t, Bytes *b)
{
    int i, good = 1;

    for (i = 0; i < t->values && t->kept_about.row > 0 && good; i++)
        good = ngrt_bytes_print(b, i ? " %a" : "%a", t->kept_sums[i]);
    return good;
}

/* Adds a text of this key, unless it is empty; false without memory. */
static int set_note(Notes *notes, const char *key, int good, Bytes *b)
{
    if (good && b->size > 0)
        good = ngrt_notes_set(notes, key, b->at);
    ngrt_bytes_free(b);
    return good;
}

/* What the file says beside the weights; false without memory. */
static int make_notes(const Trainer *t, Notes *notes)
{
    const ngrt_about *a = &t->kept_about;
    Bytes b = {0};
    int good = set_note(notes, "data", ngrt_prep_write(&t->prep, &b), &b);

    if (good && t->command_line)
        good = ngrt_notes_set(notes, "options", t->command_line);
    good = good && ngrt_notes_set(notes, "version", NGRT_VERSION);
    if (good && t->base[0])
        good = ngrt_notes_set(notes, "base", t->base);
    if (good && t->course)
        good = ngrt_notes_set(notes, "course", t->course);
    good = good && set_note(notes, "metrics", ngrt_metrics_write(t, &b), &b);
    good = good && set_note(notes, "best", ngrt_best_write(t, &b), &b);
    good = good && set_note(notes, "sums", add_sums(t, &b), &b);
    good = good && set_note(notes, "history", ngrt_curve_write(t, &b), &b);
    if (good && has_best(t)) {
        good = ngrt_bytes_print(&b, "%lld %lld %lld", (long long)a->epoch, (long long)a->step,
                                (long long)a->row);
        good = set_note(notes, "last", good, &b);
    }
    return good;
}

/* Writes the file: the weights that are of use, and those that training continues from. */
static int write_file(const Trainer *t, const Notes *notes)
{
    ngrt_message message = {"out of memory"};
    const char *use = has_best(t) ? t->best : t->kept;
    Archive more = {0};
    int error = NGRT_OK;

    /* plain names are what predict reads; the weights of last/ are those of --resume */
    if (has_best(t) &&
        !ngrt_weights_add(&more, t->model, t->kept, t->kept + ngrt_state_at(t), "last/"))
        error = NGRT_ENOMEM;
    if (!error)
        error = ngrt_weights_write(t->model, use, use + ngrt_state_at(t),
                                   has_best(t) ? &t->best_about : &t->kept_about, notes, &more,
                                   t->save_path, t->map, &message);
    ngrt_archive_free(&more);
    if (error)
        return ngrt_trainer_fail(t, FILES, "%s", message.text);
    return DONE;
}

int ngrt_checkpoint_write(Trainer *t)
{
    Notes notes = {0};
    int status = DONE;

    if (!t->save_path)
        return DONE;
    if (ngrt_ranks_number(t) > 0) { /* rank 0 writes it */
        t->saved_about = t->kept_about;
        return DONE;
    }
    if (make_notes(t, &notes))
        status = write_file(t, &notes);
    else
        status = ngrt_trainer_no_memory(t);
    ngrt_notes_free(&notes);
    if (status)
        return status;

    /* from after the write: a slow disk does not make the next one due at once */
    t->saved_at = ngrt_trainer_seconds();
    t->saved_about = t->kept_about;
    return DONE;
}

int ngrt_checkpoint_save(Trainer *t)
{
    if (is_saved(t))
        return DONE;
    return ngrt_checkpoint_write(t);
}

/* ---- when ---- */

int ngrt_checkpoint_after_step(Trainer *t)
{
    int due = 0, status;

    if (t->save_steps > 0)
        due = t->about.step - t->steps_saved >= t->save_steps;
    else if (t->save_time > 0)
        due = ngrt_trainer_seconds() - t->time_saved >= t->save_time;
    if (!due)
        return DONE;

    t->steps_saved = (long)t->about.step;
    t->time_saved = ngrt_trainer_seconds();
    status = ngrt_checkpoint_keep(t);
    if (status)
        return status;
    return ngrt_checkpoint_save(t);
}

int ngrt_checkpoint_after_epoch(Trainer *t)
{
    if (t->save_steps > 0 || t->save_time > 0)
        return ngrt_checkpoint_after_step(t);
    if (ngrt_trainer_seconds() - t->saved_at >= 1.0)
        return ngrt_checkpoint_save(t);
    return DONE;
}
