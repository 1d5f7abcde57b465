/* accumulate.c - a step whose gradient is that of several batches together: for a batch that memory
 * has no room for. */
#include <string.h>

#include "trainer.h"

/* Adds the gradients of a batch, times a factor, to those of the step. */
static void add_gradients(const Trainer *t, double factor)
{
    int i;

    for (i = 0; i < t->model->tensors; i++) {
        const ngrt_tensor *x = &t->model->tensor[i];
        size_t count = 1, k;
        int axis;

        if (x->role != NGRT_GRAD)
            continue;
        for (axis = 0; axis < x->rank; axis++)
            count *= (size_t)x->shape[axis];
        if (x->type == NGRT_F32) {
            const float *from = (const float *)(void *)(t->grads + x->offset);
            float *to = (float *)(void *)(t->sum + x->offset);
            for (k = 0; k < count; k++)
                to[k] += (float)factor * from[k];
        } else {
            const double *from = (const double *)(void *)(t->grads + x->offset);
            double *to = (double *)(void *)(t->sum + x->offset);
            for (k = 0; k < count; k++)
                to[k] += factor * from[k];
        }
    }
}

/* The loss of the model; NULL: it has none, or several. */
static const ngrt_tensor *only_loss(const ngrt_model *m)
{
    const ngrt_tensor *loss = NULL;
    int i;

    for (i = 0; i < m->tensors; i++)
        if (m->tensor[i].role == NGRT_LOSS) {
            if (loss)
                return NULL;
            loss = &m->tensor[i];
        }
    return loss;
}

int ngrt_accumulate_start(Trainer *t)
{
    const ngrt_model *m = t->model;
    const ngrt_tensor *loss = only_loss(m);

    if (t->accumulate <= 1)
        return DONE;
    if (!m->forward || !m->backward || !m->update || !loss ||
        !(loss->flags & (NGRT_SUM | NGRT_MEAN)))
        return ngrt_trainer_fail(t, USAGE,
                                 "--accumulate wants a model with one loss that is a mean or a sum "
                                 "over the rows");
    t->grads = ngrt_trainer_allocate(1, m->sizeof_grads);
    t->sum = ngrt_trainer_allocate(1, m->sizeof_grads);
    if (t->grads && t->sum)
        return DONE;
    return ngrt_trainer_no_memory(t);
}

/* Adds factor times the gradients of the batch that the inputs hold, and factor times its loss to
 * *total. Returns an error of the model. */
static int add_batch(Trainer *t, const ngrt_tensor *loss, double factor, double *total)
{
    const ngrt_model *m = t->model;
    const void *inputs = t->part[TRAINING].inputs;
    ngrt_data value = {.type = ngrt_element_of(loss->type), .at = t->work + loss->offset};
    int error = m->forward(t->params, t->state, inputs, t->work);

    *total += factor * ngrt_data_value(&value, 0);
    if (!error)
        error = m->backward(t->params, t->state, inputs, t->work, t->grads);
    if (!error)
        add_gradients(t, factor);
    return error;
}

/* Puts the loss of the step where it is read, as that of one batch would be. */
static void put_loss(Trainer *t, const ngrt_tensor *loss, double total)
{
    float single = (float)total;

    if (loss->type == NGRT_F32)
        memcpy(t->work + loss->offset, &single, sizeof single);
    else
        memcpy(t->work + loss->offset, &total, sizeof total);
}

int ngrt_accumulate_step(Trainer *t, size_t first, size_t count)
{
    const ngrt_model *m = t->model;
    Set *set = &t->part[TRAINING];
    const ngrt_tensor *loss = only_loss(m);
    int mean = (loss->flags & NGRT_SUM) == 0;
    int error = NGRT_OK;
    size_t done, rows;
    double total = 0;

    memset(t->sum, 0, m->sizeof_grads);
    for (done = 0; done < count && !error; done += rows) {
        size_t own = first + done, owned; /* the rows of this rank */
        double factor = 1.0;
        int status;

        rows = ngrt_set_batch(set, first + done);
        if (rows > count - done)
            rows = count - done;
        owned = rows;
        ngrt_ranks_take(t, &own, &owned);
        status = ngrt_set_fill(t, set, own, owned);
        if (status)
            return status;

        /* mean over count rows = sum of batch means * rows/count; sums just add up */
        if (mean)
            factor = (double)rows / (double)count;
        error = add_batch(t, loss, factor, &total);
    }

    if (!error)
        error = m->update(t->params, t->state, set->inputs, t->work, t->sum);
    if (error)
        return ngrt_trainer_fail(t, FAILED, "step %lld: %s", (long long)t->about.step + 1,
                                 ngrt_strerror(error));
    put_loss(t, loss, total);
    return DONE;
}
