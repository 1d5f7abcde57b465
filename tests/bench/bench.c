/* bench.c - the time of a model's step against the bare matrix products that it needs.
 *
 * Linked with a model twice: as it comes out by default (model_model) and at -O0 (plain_model).
 * Both must give the same params after three steps; then the step, and the products alone by
 * cblas_sgemm on one thread, are timed in turn, and so is the processor's
 * peak (limits.h), of which the products' share in the step's time is told.
 *
 *     bench NAME ROUNDS [THREADS] < MODEL.ng      the products are its lines `# product TIMES: TA
 * TB M N K`
 *
 * With several threads the step is also timed on a pool, which must give the same params, and the
 * products use as many. OpenBLAS's threads live in another process, and get time to fall asleep:
 * they look for work for a while, on the processors that the pool's need.
 */
#include <cblas.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "limits.h"
#include "ngrt_host.h"

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

static void *allocate(size_t size)
{
    void *p = NULL;
    if (posix_memalign(&p, 64, size + 64) != 0)
        exit(2);
    return memset(p, 0, size + 64);
}

static size_t count(const ngrt_tensor *t)
{
    size_t n = 1;
    int i;
    for (i = 0; i < t->rank; i++)
        n *= (size_t)t->shape[i];
    return n;
}

/* Inputs by a small generator: floats in [-1, 1), ints below their limit. */
static void fill(const ngrt_model *m, char *inputs)
{
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

static Run start(const ngrt_model *m)
{
    Run r = {m, allocate(m->sizeof_params), allocate(m->sizeof_state), allocate(m->sizeof_inputs),
             allocate(m->sizeof_work)};
    fill(m, r.inputs);
    m->init(r.params, r.state, 1);
    return r;
}

static void step(const Run *r, long times)
{
    while (times-- > 0)
        if (r->model->step(r->params, r->state, r->inputs, r->work) != NGRT_OK)
            exit(2);
}

/* The largest difference of two runs' losses, and of their params as a part of the largest in the
 * tensor. An optimizer with a state, Adam, makes large steps of gradients that are 0 but for
 * rounding: there only the loss is compared. */
static double difference(const Run *a, const Run *b)
{
    double worst = 0;
    int i;
    for (i = 0; i < a->model->tensors; i++) {
        const ngrt_tensor *t = &a->model->tensor[i];
        const float *x = (const float *)((char *)a->params + t->offset),
                    *y = (const float *)((char *)b->params + t->offset);
        double top = 1e-3, far = 0;
        size_t n = count(t), k;
        for (k = 0; k < n && t->role == NGRT_PARAM && a->model->sizeof_state == 0; k++) {
            double d = fabs((double)x[k] - (double)y[k]);
            top = fabs((double)x[k]) > top ? fabs((double)x[k]) : top;
            far = d > far || d != d ? d : far;
        }
        if (t->role == NGRT_LOSS)
            top = 1.0, far = fabs((double)*(float *)((char *)a->work + t->offset) -
                                  (double)*(float *)((char *)b->work + t->offset));
        worst = far / top > worst || far != far ? far / top : worst;
    }
    return worst;
}

static void multiply(const Product *p, int products, const float *a, const float *b, float *c,
                     long times)
{
    int i, j;
    while (times-- > 0)
        for (i = 0; i < products; i++)
            for (j = 0; j < p[i].times; j++)
                cblas_sgemm(CblasRowMajor, p[i].ta ? CblasTrans : CblasNoTrans,
                            p[i].tb ? CblasTrans : CblasNoTrans, p[i].m, p[i].n, p[i].k, 1.0f, a,
                            p[i].ta ? p[i].m : p[i].k, b, p[i].tb ? p[i].k : p[i].n, 0.0f, c,
                            p[i].n);
}

static int read_products(Product *p)
{
    char line[200];
    int n = 0;
    while (n < PRODUCTS && fgets(line, sizeof line, stdin)) {
        Product *q = &p[n];
        q->times = 1;
        if (sscanf(line, "# product: %d %d %d %d %d", &q->ta, &q->tb, &q->m, &q->n, &q->k) == 5 ||
            sscanf(line, "# product %d: %d %d %d %d %d", &q->times, &q->ta, &q->tb, &q->m, &q->n,
                   &q->k) == 6)
            n++;
    }
    return n;
}

static clockid_t the_clock =
    CLOCK_THREAD_CPUTIME_ID; /* that of the wall, where several threads work */

static double now(void)
{
    struct timespec t;
    clock_gettime(the_clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, by_size);
    return x[n / 2];
}

/* Seconds for the products, so many times. */
static double time_products(const Product *p, int products, const float *a, float *c, long times)
{
    double t = now();
    multiply(p, products, a, a, c, times);
    return now() - t;
}

static double time_step(const Run *r, long times)
{
    double t;
    step(r, 1);
    t = now();
    step(r, times);
    return now() - t;
}

/* ---- several threads ---- */

typedef struct Other { /* a process that times the products */
    int ask, answer;
} Other;

static Other start_other(const Product *p, int products, int threads, const float *a, float *c)
{
    int ask[2], answer[2];
    long times;
    if (pipe(ask) || pipe(answer))
        exit(2);
    if (fork() != 0) {
        close(ask[0]), close(answer[1]);
        return (Other){ask[1], answer[0]};
    }
    close(ask[1]), close(answer[0]);
    openblas_set_num_threads(threads);
    multiply(p, products, a, a, c, 3);
    while (read(ask[0], &times, sizeof times) == sizeof times) {
        double t;
        multiply(p, products, a, a, c, 1);
        t = time_products(p, products, a, c, times);
        if (write(answer[1], &t, sizeof t) != sizeof t)
            break;
    }
    _exit(0);
}

static double ask_other(Other o, long times)
{
    static const struct timespec pause = {0, 40000000};
    double t = 0;
    if (write(o.ask, &times, sizeof times) != sizeof times ||
        read(o.answer, &t, sizeof t) != sizeof t)
        exit(2);
    nanosleep(&pause, NULL);
    return t;
}

/* A task that binds each thread to a processor of its own: on machines with other work the system
 * may put several on one. */
static void bind(void *arg, int id, int threads)
{
    cpu_set_t own;
    (void)arg, (void)threads;
    CPU_ZERO(&own);
    CPU_SET(id, &own);
    sched_setaffinity(0, sizeof own, &own);
}

static void set_pool(const Run *r, ngrt_pool *pool)
{
    memcpy(r->work, &pool, sizeof pool);
}

/* ---- */

static long find_times(const Run *r)
{
    long times = 1, most = 1 << 22;
    for (; times < most; times *= 2) /* about 10 ms a sample */
        if (time_step(r, times) > 0.01)
            break;
    return times;
}

/* On one thread: step and products. */
static void compare(const char *name, const Run *r, const Product *p, int products, const float *a,
                    float *c, int rounds)
{
    static double step_time[ROUNDS], floor_time[ROUNDS], ratio[ROUNDS], of_peak[ROUNDS];
    long times = find_times(r);
    double t, flops = 0;
    int i;
    for (i = 0; i < products; i++)
        flops += 2.0 * p[i].times * p[i].m * p[i].n * p[i].k;
    for (i = 0; i < rounds; i++) {
        step_time[i] = time_step(r, times) / (double)times * 1e6;
        floor_time[i] = time_products(p, products, a, c, times) / (double)times * 1e6;
        ratio[i] = step_time[i] / floor_time[i];
        of_peak[i] = flops / step_time[i] / limit_flops();
    }
    t = median(step_time, rounds);
    printf("%-10s step %10.2f us (best %10.2f)", name, t, step_time[0]);
    t = median(floor_time, rounds);
    if (products > 0)
        printf("   products %10.2f us   step/products %5.2f (best/best %5.2f)   of the peak %4.2f",
               t, median(ratio, rounds), step_time[0] / floor_time[0], median(of_peak, rounds));
    printf("\n");
}

/* On several: step alone, step on a pool, products. */
static void compare_threads(const char *name, const Run *r, ngrt_pool *pool, Other other,
                            int products, int rounds)
{
    static double alone[ROUNDS], pooled[ROUNDS], floor_time[ROUNDS], gain[ROUNDS], ratio[ROUNDS];
    long times = find_times(r);
    double one, all;
    int i;
    for (i = 0; i < rounds; i++) {
        set_pool(r, NULL);
        alone[i] = time_step(r, times) / (double)times * 1e6;
        set_pool(r, pool);
        pooled[i] = time_step(r, times) / (double)times * 1e6;
        floor_time[i] = products > 0 ? ask_other(other, times) / (double)times * 1e6 : 0;
        gain[i] = pooled[i] / alone[i];
        ratio[i] = pooled[i] / floor_time[i];
    }
    one = median(alone, rounds), all = median(pooled, rounds);
    printf(
        "%-10s 1 thread %10.2f us   %d threads %10.2f us (best %10.2f)   %d/1 %5.2f (best/best %5.2f)",
        name, one, pool->threads, all, pooled[0], pool->threads, median(gain, rounds),
        pooled[0] / alone[0]);
    all = median(floor_time, rounds);
    if (products > 0)
        printf("   products %10.2f us   step/products %5.2f (best/best %5.2f)", all,
               median(ratio, rounds), pooled[0] / floor_time[0]);
    printf("\n");
}

/* Do three steps give the same as those of the other model? */
static int agree(const char *name, const char *what, const Run *r, const Run *other)
{
    double far;
    step(r, 3);
    far = difference(r, other);
    if (far < 1e-3)
        return 1;
    printf("%s: %s and -O0 differ by %g after three steps\n", name, what, far);
    return 0;
}

int main(int argc, char **argv)
{
    Product product[PRODUCTS];
    int products = read_products(product), rounds = argc > 2 ? atoi(argv[2]) : 31,
        threads = argc > 3 ? atoi(argv[3]) : 1, i;
    float *a = allocate(ROOM * 4), *c = allocate(ROOM * 4);
    Run run = start(&model_model), pooled = start(&model_model), plain = start(&plain_model);
    ngrt_pool *pool = NULL;
    Other other = {0, 0};
    for (i = 0; i < ROOM; i++)
        a[i] = 1e-3f;
    rounds = rounds < ROUNDS ? rounds : ROUNDS;
    if (threads > 1) {
        the_clock = CLOCK_MONOTONIC;
        other = start_other(product, products, threads, a, c);
        openblas_set_num_threads(1);
        pool = ngrt_pool_create(threads);
        if (pool == NULL)
            return 2;
        pool->run(pool, bind, NULL);
        set_pool(&pooled, pool);
    }
    openblas_set_num_threads(1);
    step(&plain, 3);
    if (!agree(argv[1], "-O2", &run, &plain) || !agree(argv[1], "a pool", &pooled, &plain))
        return 1;
    if (pool)
        compare_threads(argv[1], &run, pool, other, products, rounds);
    else
        compare(argv[1], &run, product, products, a, c, rounds);
    ngrt_pool_destroy(pool);
    return 0;
}
