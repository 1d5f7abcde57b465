/* threads.c - a model whose batch is divided among threads that play ranks, against the same batch
 * in one piece. The model is compiled with --ranks --real=double -DMODEL=NAME_model.
 *
 * Losses, gradients, params and states must be equal to 1e-12 of the largest of a tensor, and have
 * the same bits on all ranks. What goes over the ranks later is NaN until the C waits for it. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../element.h"

extern const ngrt_model MODEL;

enum { MOST = 4, LATER = 256, ROUNDS = 3 };

static const ngrt_model *const m = &MODEL;
static int ranks, failures;
static double worst;

/* ---- reductions ---- */

static pthread_barrier_t all;
static struct Shared {
    void *x;
    size_t n;
    int type;
} shared[MOST];

typedef struct Rank {
    ngrt_ranks of; /* first */
    int number, first, count, later, steps;
    struct Late {
        void *x, *kept;
        size_t n;
        int type;
    } late[LATER];
    char *params, *state, *inputs, *work, *grads;
    int status;
} Rank;

static void reduce(Rank *r, int type, void *x, size_t n, int max)
{
    double *out = malloc((n + 1) * sizeof *out);

    shared[r->number] = (struct Shared){x, n, type};
    pthread_barrier_wait(&all);
    for (int k = 0; k < ranks; k++)
        if (shared[k].n != n || shared[k].type != type) {
            fprintf(stderr, "ranks call with different sizes\n");
            exit(1);
        }
    for (size_t i = 0; i < n; i++) {
        out[i] = element_get(shared[0].x, type, i);
        for (int k = 1; k < ranks; k++) {
            double v = element_get(shared[k].x, type, i);
            out[i] = max ? (v > out[i] || v != v ? v : out[i]) : out[i] + v;
        }
    }
    pthread_barrier_wait(&all);
    for (size_t i = 0; i < n; i++)
        element_put(x, type, i, out[i]);
    pthread_barrier_wait(&all);
    free(out);
}

static void do_sum(ngrt_ranks *of, int type, void *x, size_t n)
{
    reduce((Rank *)of, type, x, n, 0);
}

static void do_max(ngrt_ranks *of, int type, void *x, size_t n)
{
    reduce((Rank *)of, type, x, n, 1);
}

static void do_ready(ngrt_ranks *of, int type, void *x, size_t n)
{
    Rank *r = (Rank *)of;
    struct Late *l = &r->late[r->later++];

    *l = (struct Late){x, malloc(n * element_size(type)), n, type};
    memcpy(l->kept, x, n * element_size(type));
    memset(x, 0xff, n * element_size(type));
}

static void do_wait(ngrt_ranks *of)
{
    Rank *r = (Rank *)of;

    for (int i = 0; i < r->later; i++) {
        struct Late *l = &r->late[i];
        memcpy(l->x, l->kept, l->n * element_size(l->type));
        free(l->kept);
        reduce(r, l->type, l->x, l->n, 0);
    }
    r->later = 0;
}

/* ---- rows ---- */

/* The axis of the rows; -1: none. */
static int row_axis(const ngrt_tensor *x)
{
    for (int i = 0; i < x->rank; i++)
        if (x->dim[i] == 0)
            return i;
    return -1;
}

/* Elements before the axis of rows, and of one row at each of these. */
static void row_sizes(const ngrt_tensor *x, size_t *outer, size_t *piece)
{
    int axis = row_axis(x);

    *outer = *piece = 1;
    for (int i = 0; i < x->rank; i++) {
        int size = x->shape[i];
        if (i == axis)
            size /= m->dim[0].max;
        *(i < axis ? outer : piece) *= (size_t)size;
    }
}

/* Rows first to first + count of `rows`, from a whole tensor. */
static void take_rows(const ngrt_tensor *x, const char *from, int rows, int first, int count,
                      char *to)
{
    size_t outer, piece, size = element_size(x->type);

    row_sizes(x, &outer, &piece);
    for (size_t o = 0; o < outer; o++)
        memcpy(to + o * (size_t)count * piece * size,
               from + (o * (size_t)rows + (size_t)first) * piece * size,
               (size_t)count * piece * size);
}

/* ---- a run ---- */

static void *zeroed(size_t n)
{
    return calloc(1, n + 16);
}

static uint64_t random_state = 12345;

static double draw(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(random_state >> 33) / 2147483648.0;
}

/* Fills the inputs of all rows. */
static void fill(char *inputs, int rows)
{
    for (int i = 0; i < m->tensors; i++) {
        const ngrt_tensor *x = &m->tensor[i];
        size_t n = element_count(x);
        char *at = inputs + x->offset;

        if (x->role != NGRT_INPUT || (x->rank == 0 && x->flags & NGRT_DEFAULT))
            continue;
        if (x->rank > 0) {
            char *block = zeroed(n * element_size(x->type));
            memcpy(at, &block, sizeof block);
            at = block;
        }
        for (size_t k = 0; k < n; k++)
            element_put(at, x->type, k,
                        x->type == NGRT_I32 ? floor(draw() * (x->limit ? x->limit : 3))
                                            : 2 * draw() - 0.7);
    }
    for (int d = 0; d < m->dims; d++)
        memcpy(inputs + m->dim[d].offset, d ? &m->dim[d].max : &rows, sizeof(int));
}

/* Forward, backward and update; every second time a step, where there is one. */
static int train(Rank *r)
{
    int error = NGRT_OK, both = m->forward && m->backward;

    if (r->steps++ % 2 == 1 && m->step)
        return m->step(r->params, r->state, r->inputs, r->work);
    if (m->forward)
        error = m->forward(r->params, r->state, r->inputs, r->work);
    if (!error && both)
        error = m->backward(r->params, r->state, r->inputs, r->work, r->grads);
    if (!error && m->update)
        error = m->update(r->params, r->state, r->inputs, r->work, r->grads);
    return error;
}

static void *run(void *argument)
{
    Rank *r = argument;

    r->status = train(r);
    return NULL;
}

static void start(Rank *r, const char *inputs)
{
    r->params = zeroed(m->sizeof_params);
    r->state = zeroed(m->sizeof_state);
    r->inputs = zeroed(m->sizeof_inputs);
    r->work = zeroed(m->sizeof_work);
    r->grads = zeroed(m->sizeof_grads);
    if (inputs)
        memcpy(r->inputs, inputs, m->sizeof_inputs);
    else if (m->defaults)
        memcpy(r->inputs, m->defaults, m->sizeof_inputs);
    if (m->init)
        m->init(r->params, r->state, 7);
}

/* The rank's own rows. */
static void divide(Rank *r, const Rank *whole, int rows)
{
    ngrt_ranks *of = &r->of;

    r->first = r->number * rows / ranks;
    r->count = (r->number + 1) * rows / ranks - r->first;
    *of = (ngrt_ranks){r->number, rows, do_sum, do_max, do_ready, do_wait};
    memcpy(r->work + sizeof(void *), &of, sizeof of);
    memcpy(r->inputs + m->dim[0].offset, &r->count, sizeof(int));
    for (int i = 0; i < m->tensors; i++) {
        const ngrt_tensor *x = &m->tensor[i];
        if (x->role != NGRT_INPUT || x->rank == 0 || row_axis(x) < 0)
            continue;
        char *from, *own = zeroed(element_count(x) * element_size(x->type));
        memcpy(&from, whole->inputs + x->offset, sizeof from);
        take_rows(x, from, rows, r->first, r->count, own);
        memcpy(r->inputs + x->offset, &own, sizeof own);
    }
}

/* ---- comparison ---- */

static const char *block_of(const Rank *r, int role)
{
    switch (role) {
    case NGRT_PARAM: return r->params;
    case NGRT_STATE: return r->state;
    case NGRT_GRAD: return r->grads;
    case NGRT_LOSS: return r->work;
    default: return NULL;
    }
}

static void compare(const Rank *whole, const Rank *r, int rows)
{
    for (int i = 0; i < m->tensors; i++) {
        const ngrt_tensor *x = &m->tensor[i];
        const char *a = block_of(whole, x->role), *b = block_of(r, x->role);
        size_t n = element_count(x);
        double largest = 1e-30, differs = 0;
        if (!a || x->rank > 8)
            continue;
        a += x->offset;
        b += x->offset;
        if (row_axis(x) >= 0) {
            size_t outer, piece;
            char *own = zeroed(n * element_size(x->type));
            row_sizes(x, &outer, &piece);
            take_rows(x, a, rows, r->first, r->count, own);
            a = own;
            n = outer * piece * (size_t)r->count;
        }
        for (size_t k = 0; k < n; k++) {
            double u = element_get(a, x->type, k), v = element_get(b, x->type, k);
            if (fabs(u) > largest && isfinite(u))
                largest = fabs(u);
            if (fabs(u - v) > differs || isnan(u) != isnan(v))
                differs = isnan(u) != isnan(v) ? INFINITY : fabs(u - v);
        }
        if (largest < 1)
            largest = 1;
        worst = fmax(worst, differs / largest);
        if (differs > 1e-12 * largest && !getenv("DRAWS")) {
            printf("%s: %d rows, rank %d of %d: %s differs by %g of %g\n", m->name, rows, r->number,
                   ranks, x->name, differs, largest);
            failures++;
        }
    }
}

static void compare_ranks(const Rank *rank)
{
    for (int k = 1; k < ranks; k++)
        if (memcmp(rank[0].params, rank[k].params, m->sizeof_params) != 0 ||
            memcmp(rank[0].state, rank[k].state, m->sizeof_state) != 0) {
            printf("%s: ranks 0 and %d have different params or states\n", m->name, k);
            failures++;
        }
}

static void check(int rows)
{
    static Rank rank[MOST];
    Rank whole = {0};
    pthread_t thread[MOST];

    memset(rank, 0, sizeof rank);
    pthread_barrier_init(&all, NULL, (unsigned)ranks);
    start(&whole, NULL);
    fill(whole.inputs, rows);
    for (int k = 0; k < ranks; k++) {
        rank[k].number = k;
        start(&rank[k], whole.inputs);
        divide(&rank[k], &whole, rows);
    }
    for (int round = 0; round < ROUNDS; round++) {
        run(&whole);
        for (int k = 0; k < ranks; k++)
            pthread_create(&thread[k], NULL, run, &rank[k]);
        for (int k = 0; k < ranks; k++)
            pthread_join(thread[k], NULL);
        if (whole.status) {
            printf("%s: error %d\n", m->name, whole.status);
            failures++;
            return;
        }
        for (int k = 0; k < ranks; k++)
            compare(&whole, &rank[k], rows);
        compare_ranks(rank);
    }
}

int main(void)
{
    int most = m->dim[0].max;

    for (ranks = 2; ranks <= 3; ranks++) {
        if (most >= 7)
            check(7);
        if (most >= ranks)
            check(most < 24 ? most : 24);
    }
    printf("%s: %s, %.1e\n", m->name, failures ? "FAILED" : "ok", worst);
    return failures > 0;
}
