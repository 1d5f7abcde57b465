/* bench.c - the time of a model's step against the bare matrix products that it needs.
 *
 * Linked with a model twice: as it comes out by default (model_model) and at -O0 (plain_model). Both must give the same params after
 * three steps; then the step, and the products alone by cblas_sgemm on one thread, are timed in turn.
 *
 *     bench NAME ROUNDS < MODEL.ng      the products are its lines `# product TIMES: TA TB M N K`
 */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ngrt.h"

extern const ngrt_model model_model, plain_model;
void openblas_set_num_threads(int);

typedef struct Product {
    int times, ta, tb, m, n, k;
} Product;

typedef struct Run { /* one model with its blocks */
    const ngrt_model *model;
    void *params, *state, *inputs, *work;
} Run;

enum { PRODUCTS = 64, ROOM = 4 << 20, ROUNDS = 201 };

static void *allocate(size_t size) {
    void *p = NULL;
    if (posix_memalign(&p, 64, size + 64) != 0)
        exit(2);
    return memset(p, 0, size + 64);
}

static size_t count(const ngrt_tensor *t) {
    size_t n = 1;
    int i;
    for (i = 0; i < t->rank; i++)
        n *= (size_t)t->shape[i];
    return n;
}

/* Inputs by a small generator: floats in [-1, 1), ints below their limit. */
static void fill(const ngrt_model *m, char *inputs) {
    uint32_t s = 1;
    int i;
    for (i = 0; i < m->tensors; i++) {
        const ngrt_tensor *t = &m->tensor[i];
        size_t n = count(t), k;
        float *f = allocate(n * 4);
        if (t->role != NGRT_INPUT)
            continue;
        for (k = 0; k < n; k++) {
            s = s * 1664525u + 1013904223u;
            if (t->type == NGRT_I32)
                ((int32_t *)f)[k] = (int32_t)((s >> 8) % (unsigned)(t->limit ? t->limit : 2));
            else
                f[k] = (float)(s >> 8) / 8388608.0f - 1.0f;
        }
        memcpy(inputs + t->offset, &f, sizeof f);
    }
}

static Run start(const ngrt_model *m) {
    Run r = {m, allocate(m->sizeof_params), allocate(m->sizeof_state), allocate(m->sizeof_inputs), allocate(m->sizeof_work)};
    fill(m, r.inputs);
    m->init(r.params, r.state, 1);
    return r;
}

static void step(const Run *r, long times) {
    while (times-- > 0)
        if (r->model->step(r->params, r->state, r->inputs, r->work) != NGRT_OK)
            exit(2);
}

/* The largest difference of two runs' losses, and of their params as a part of the largest in the tensor. An optimizer with a state,
 * Adam, makes large steps of gradients that are 0 but for rounding: there only the loss is compared. */
static double difference(const Run *a, const Run *b) {
    double worst = 0;
    int i;
    for (i = 0; i < a->model->tensors; i++) {
        const ngrt_tensor *t = &a->model->tensor[i];
        const float *x = (const float *)((char *)a->params + t->offset), *y = (const float *)((char *)b->params + t->offset);
        double top = 1e-3, far = 0;
        size_t n = count(t), k;
        for (k = 0; k < n && t->role == NGRT_PARAM && a->model->sizeof_state == 0; k++) {
            double d = fabs((double)x[k] - (double)y[k]);
            top = fabs((double)x[k]) > top ? fabs((double)x[k]) : top;
            far = d > far || d != d ? d : far;
        }
        if (t->role == NGRT_LOSS)
            top = 1.0, far = fabs((double)*(float *)((char *)a->work + t->offset) - (double)*(float *)((char *)b->work + t->offset));
        worst = far / top > worst || far != far ? far / top : worst;
    }
    return worst;
}

static void multiply(const Product *p, int products, const float *a, const float *b, float *c, long times) {
    int i, j;
    while (times-- > 0)
        for (i = 0; i < products; i++)
            for (j = 0; j < p[i].times; j++)
                cblas_sgemm(CblasRowMajor, p[i].ta ? CblasTrans : CblasNoTrans, p[i].tb ? CblasTrans : CblasNoTrans,
                            p[i].m, p[i].n, p[i].k, 1.0f, a, p[i].ta ? p[i].m : p[i].k, b,
                            p[i].tb ? p[i].k : p[i].n, 0.0f, c, p[i].n);
}

static int read_products(Product *p) {
    char line[200];
    int n = 0;
    while (n < PRODUCTS && fgets(line, sizeof line, stdin)) {
        Product *q = &p[n];
        q->times = 1;
        if (sscanf(line, "# product: %d %d %d %d %d", &q->ta, &q->tb, &q->m, &q->n, &q->k) == 5 ||
            sscanf(line, "# product %d: %d %d %d %d %d", &q->times, &q->ta, &q->tb, &q->m, &q->n, &q->k) == 6)
            n++;
    }
    return n;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n) {
    qsort(x, (size_t)n, sizeof *x, by_size);
    return x[n / 2];
}

int main(int argc, char **argv) {
    static double step_time[ROUNDS], floor_time[ROUNDS], ratio[ROUNDS];
    Product product[PRODUCTS];
    int products = read_products(product), rounds = argc > 2 ? atoi(argv[2]) : 31, i;
    float *a = allocate(ROOM * 4), *b = allocate(ROOM * 4), *c = allocate(ROOM * 4);
    Run run = start(&model_model), plain = start(&plain_model);
    long times = 1, most;
    double t, far;
    openblas_set_num_threads(1);
    for (i = 0; i < ROOM; i++)
        a[i] = b[i] = 1e-3f;
    step(&run, 3);
    step(&plain, 3);
    far = difference(&run, &plain);
    if (!(far < 1e-3)) {
        printf("%s: -O2 and -O0 differ by %g after three steps\n", argv[1], far);
        return 1;
    }
    for (most = 1 << 22; times < most; times *= 2) { /* about 10 ms a sample */
        t = now();
        step(&run, times);
        if (now() - t > 0.01)
            break;
    }
    for (i = 0; i < rounds && i < ROUNDS; i++) {
        step(&run, 1);
        t = now();
        step(&run, times);
        step_time[i] = (now() - t) / (double)times * 1e6;
        t = now();
        multiply(product, products, a, b, c, times);
        floor_time[i] = (now() - t) / (double)times * 1e6;
        ratio[i] = step_time[i] / floor_time[i];
    }
    rounds = i;
    t = median(step_time, rounds);
    printf("%-3s step %10.2f us (best %10.2f)", argv[1], t, step_time[0]);
    t = median(floor_time, rounds);
    if (products > 0)
        printf("   products %10.2f us   step/products %5.2f (best/best %5.2f)", t, median(ratio, rounds),
               step_time[0] / floor_time[0]);
    printf("\n");
    return 0;
}
