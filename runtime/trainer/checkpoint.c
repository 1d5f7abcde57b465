/* checkpoint.c - the weights of a training: what it starts from, what is kept after each epoch, and
 * what the file of --save holds.
 *
 * The kept copy is the last one known to be good. It is what is written, so that a loss that
 * becomes NaN in the middle of an epoch does not spoil the file. */
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

/* Where the state begins in the kept copy: after the params, aligned to 16 bytes. */
static size_t state_at(const Trainer *t)
{
    return (t->model->sizeof_params + 15) / 16 * 16;
}

/* Takes how the columns of the data become elements. */
static int load_notes(Trainer *t, const Notes *notes)
{
    const char *text = ngrt_notes_get(notes, "data");

    if (!text)
        return DONE;
    if (!ngrt_prep_read(&t->prep, text))
        return ngrt_trainer_fail(t, FILES, "%s: what it says of the data is damaged", t->load_path);
    t->prep_loaded = 1;
    if (has_means(&t->prep) && !t->missing_set)
        t->form.missing = MISSING_MEAN;
    return DONE;
}

/* Loads the weights of --load, and how far the training was with them. */
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
    status = load_notes(t, &whole.notes);
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

    if (a->epoch < 0 || a->row < 0 || (uint64_t)a->row >= t->train.rows)
        return ngrt_trainer_fail(t, FILES,
                                 "%s: was saved at row %lld of a pass, but the data has %zu rows",
                                 t->load_path, (long long)a->row, t->train.rows);
    if (a->epoch > 0 && a->epoch >= t->epochs)
        ngrt_trainer_note(t, "%s is from after epoch %lld: --epochs %ld leaves nothing to do",
                          t->load_path, (long long)a->epoch, t->epochs);
    return DONE;
}

int ngrt_checkpoint_start(Trainer *t)
{
    int status = DONE;

    t->kept = ngrt_trainer_allocate(1, state_at(t) + t->model->sizeof_state);
    if (!t->kept)
        return ngrt_trainer_no_memory(t);

    if (t->model->init)
        t->model->init(t->params, t->state, t->seed);
    if (t->load_path)
        status = load(t);
    else if (t->command != TRAIN && t->model->sizeof_params > 0)
        ngrt_trainer_note(t, "no --load: the weights are those that training starts with");
    if (status)
        return status;

    t->about.seed = t->seed;
    return DONE;
}

int ngrt_checkpoint_begin(Trainer *t)
{
    int status = check_progress(t);

    if (!status)
        ngrt_checkpoint_keep(t);
    return status;
}

void ngrt_checkpoint_keep(Trainer *t)
{
    memcpy(t->kept, t->params, t->model->sizeof_params);
    memcpy(t->kept + state_at(t), t->state, t->model->sizeof_state);
    t->kept_about = t->about;
}

/* Does the file hold what is kept? */
static int is_saved(const Trainer *t)
{
    const ngrt_about *kept = &t->kept_about, *saved = &t->saved_about;
    return t->saved_at > 0 && kept->epoch == saved->epoch && kept->row == saved->row;
}

/* What the file says beside the weights. */
static int make_notes(const Trainer *t, Notes *notes)
{
    Bytes data = {0};
    int good = ngrt_prep_write(&t->prep, &data);

    if (good && data.size > 0)
        good = ngrt_notes_set(notes, "data", data.at);
    ngrt_bytes_free(&data);
    return good ? DONE : ngrt_trainer_no_memory(t);
}

static int write_file(Trainer *t, const Notes *notes)
{
    ngrt_message message;

    if (ngrt_weights_write(t->model, t->kept, t->kept + state_at(t), &t->kept_about, notes, NULL,
                           t->save_path, t->map, &message))
        return ngrt_trainer_fail(t, FILES, "%s", message.text);
    return DONE;
}

int ngrt_checkpoint_save(Trainer *t)
{
    Notes notes = {0};
    int status;

    if (!t->save_path || is_saved(t))
        return DONE;
    status = make_notes(t, &notes);
    if (!status)
        status = write_file(t, &notes);
    ngrt_notes_free(&notes);
    if (status)
        return status;

    t->saved_at = ngrt_trainer_seconds();
    t->saved_about = t->kept_about;
    return DONE;
}
