/* emitted.c - runs emitted models by their descriptors and compares all they compute with what `ngc
 * run` printed.
 *
 * tests/emitted.sh links it with many models and a table of them. For each: init with seed 1, the
 * inputs that were printed, forward, backward, predict, eval, update, step; a block that is to be
 * written is first filled with NaN. */
#include "emitted.h"

#include "element.h"
#include "values.h"

typedef struct Blocks { /* the structs of one model, and room for its input tensors */
    char *params, *state, *inputs, *work, *grads;
} Blocks;

typedef struct Test {
    const Entry *entry;
    const ngrt_model *model;
    Blocks b;
    Values want;
    double tolerance;
    int checks, failures;
} Test;

static void *room(size_t size)
{
    void *p = calloc(size + 1, 1);
    if (!p) {
        fprintf(stderr, "no memory\n");
        exit(3);
    }
    return p;
}

static void *copy(const void *from, size_t size)
{
    return memcpy(room(size), from, size);
}

static void complain(Test *t, const char *what, const char *name, const char *text)
{
    if (t->failures++ < 8)
        printf("%s: %s: %s: %s\n", t->entry->name, what, name, text);
}

/* ---- inputs ---- */

/* `ngc run --fill` has every run-time size at its bound. */
static void set_dims(Test *t)
{
    for (int i = 0; i < t->model->dims; i++)
        memcpy(t->b.inputs + t->model->dim[i].offset, &t->model->dim[i].max,
               sizeof t->model->dim[i].max);
}

static void set_input(Test *t, const ngrt_tensor *x)
{
    const Value *v = values_find(&t->want, x->name);
    if (!v || v->rank != x->rank) {
        complain(t, "input", x->name, "ngc run printed no such input");
        return;
    }
    if (x->rank == 0) {
        element_put(t->b.inputs + x->offset, x->type, 0, v->at[0]);
        return;
    }
    void *at = room(v->count * element_size(x->type));
    for (size_t i = 0; i < v->count; i++)
        element_put(at, x->type, i, v->at[i]);
    memcpy(t->b.inputs + x->offset, &at, sizeof at);
}

static void free_inputs(Test *t)
{
    for (int i = 0; i < t->model->tensors; i++) {
        const ngrt_tensor *x = &t->model->tensor[i];
        void *at;
        if (x->role != NGRT_INPUT || x->rank == 0)
            continue;
        memcpy(&at, t->b.inputs + x->offset, sizeof at);
        free(at);
    }
}

/* ---- comparing ---- */

static void compare(Test *t, const char *what, const char *name, const ngrt_tensor *x,
                    const char *block)
{
    const Value *v = values_find(&t->want, name);
    Value want;
    char text[160];
    if (!v) {
        complain(t, what, name, "ngc run printed no such value");
        return;
    }
    want = *v;
    want.tolerance = t->tolerance;
    want.relative = true;
    double bound = value_bound(&want);
    bool single = x->type == NGRT_F32;
    if (bound == 0) /* all wanted elements are 0: what rounding may leave */
        bound = single ? 1e-6 : 1e-15;
    else /* the slope of a saturated gate, 1 - 1; Adam's step by a gradient that is 0 but for
            rounding */
        bound = fmax(bound, single ? 1e-8 : 1e-14);
    t->checks++;
    for (size_t i = 0; i < want.count; i++) {
        double got = element_get(block + x->offset, x->type, i);
        if (!value_near(got, want.at[i], bound)) {
            snprintf(text, sizeof text, "element %zu: got %.17g, wanted %.17g, may differ by %.2g",
                     i, got, want.at[i], bound);
            complain(t, what, name, text);
            return;
        }
    }
}

/* Compares the tensors of these roles (bits 1 << role) in a block; prefix stands before the printed
 * name. */
static void compare_roles(Test *t, const char *what, int roles, const char *block,
                          const char *prefix)
{
    for (int i = 0; i < t->model->tensors; i++) {
        const ngrt_tensor *x = &t->model->tensor[i];
        char name[300];
        snprintf(name, sizeof name, "%s%s", prefix, x->name);
        if (!(roles >> x->role & 1) || (*prefix && !values_find(&t->want, name)))
            continue; /* what no update changes has no "next" line */
        compare(t, what, name, x, block);
    }
}

/* Fills the results of these roles with NaN, so that one that is not written is seen. */
static void spoil(Test *t, int roles, char *block)
{
    for (int i = 0; i < t->model->tensors; i++) {
        const ngrt_tensor *x = &t->model->tensor[i];
        size_t count = 1;
        for (int k = 0; k < x->rank; k++)
            count *= (size_t)x->shape[k];
        if (roles >> x->role & 1)
            memset(block + x->offset, 0xff, count * element_size(x->type));
    }
}

static bool worked(Test *t, const char *what, int status)
{
    char text[40];
    snprintf(text, sizeof text, "returned %d", status);
    if (status != NGRT_OK)
        complain(t, what, t->model->name, text);
    return status == NGRT_OK;
}

/* ---- one model ---- */

enum {
    LOSSES = 1 << NGRT_LOSS,
    OUTPUTS = 1 << NGRT_OUTPUT,
    METRICS = 1 << NGRT_METRIC,
    GRADS = 1 << NGRT_GRAD,
    PARAMS = 1 << NGRT_PARAM,
    STATES = 1 << NGRT_STATE
};

static void test_values(Test *t)
{
    const ngrt_model *m = t->model;
    Blocks *b = &t->b;
    spoil(t, LOSSES, b->work);
    if (m->forward && worked(t, "forward", m->forward(b->params, b->state, b->inputs, b->work)))
        compare_roles(t, "forward", LOSSES, b->work, "");
    spoil(t, GRADS, b->grads);
    if (m->backward &&
        worked(t, "backward", m->backward(b->params, b->state, b->inputs, b->work, b->grads)))
        compare_roles(t, "backward", GRADS, b->grads, "");
    if (t->entry->differs)
        return;
    spoil(t, OUTPUTS, b->work);
    if (m->predict && worked(t, "predict", m->predict(b->params, b->state, b->inputs, b->work)))
        compare_roles(t, "predict", OUTPUTS, b->work, "");
    spoil(t, LOSSES | OUTPUTS | METRICS, b->work);
    if (m->eval && worked(t, "eval", m->eval(b->params, b->state, b->inputs, b->work)))
        compare_roles(t, "eval", LOSSES | OUTPUTS | METRICS, b->work, "");
}

/* The parameters and the state after an update: by the gradients in grads, or (step) all in one. */
static void test_update(Test *t, bool step)
{
    const ngrt_model *m = t->model;
    const char *what = step ? "step" : "update";
    char *params = copy(t->b.params, m->sizeof_params), *state = copy(t->b.state, m->sizeof_state);
    int status = NGRT_OK;
    if (step) {
        spoil(t, LOSSES, t->b.work);
        status = m->step(params, state, t->b.inputs, t->b.work);
    } else {
        if (m->forward)
            m->forward(params, state, t->b.inputs, t->b.work);
        if (m->backward)
            m->backward(params, state, t->b.inputs, t->b.work, t->b.grads);
        status = m->update(params, state, t->b.inputs, t->b.work, t->b.grads);
    }
    if (worked(t, what, status)) {
        compare_roles(t, what, PARAMS, params, "next ");
        compare_roles(t, what, STATES, state, "next ");
        if (step)
            compare_roles(t, what, LOSSES, t->b.work, "");
    }
    free(params);
    free(state);
}

static bool test(const Entry *entry)
{
    Test t = {.entry = entry, .model = entry->model};
    const ngrt_model *m = t.model;
    char *text = values_file(entry->values);
    if (!text)
        return false;
    t.want = values_of(text);
    /* what is hard in float32, such as a gradient that is 0 but for rounding, leaves a little more
     * than 1e-10 in float64 too */
    t.tolerance = m->real != NGRT_F64 ? entry->tolerance : entry->tolerance > 1e-4 ? 1e-9 : 1e-10;
    t.b = (Blocks){room(m->sizeof_params), room(m->sizeof_state), room(m->sizeof_inputs),
                   room(m->sizeof_work), room(m->sizeof_grads)};
    set_dims(&t);
    for (int i = 0; i < m->tensors; i++)
        if (m->tensor[i].role == NGRT_INPUT)
            set_input(&t, &m->tensor[i]);
    if (m->init)
        m->init(t.b.params, t.b.state, 1);
    if (!t.failures) {
        test_values(&t);
        if (m->update)
            test_update(&t, false);
        if (m->step)
            test_update(&t, true);
        if (!t.checks)
            complain(&t, "model", m->name, "nothing was compared");
    }
    free_inputs(&t);
    values_free(&t.want);
    free(text);
    free(t.b.params);
    free(t.b.state);
    free(t.b.inputs);
    free(t.b.work);
    free(t.b.grads);
    return t.failures == 0;
}

int main(void)
{
    int passed = 0, failed = 0;
    for (const Entry *e = entries; e->name; e++)
        test(e) ? passed++ : failed++;
    printf("%d %d\n", passed, failed);
    return 0;
}
