/* ngrt_pool.c - threads that wait for work: ngrt_pool of ngrt.h.
 *
 * To wait is to wait until a counter changes. A thread spins on it for a few microseconds, then
 * yields to others, and then sleeps. If all threads only spun, they would stop each other where
 * there are more of them than processors.
 */
#include "ngrt_host.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    SPINS = 300,  /* before a thread yields */
    YIELDS = 200, /* before it sleeps */
};

typedef struct Pool {
    ngrt_pool pool;        /* what callers see */
    pthread_t *thread;     /* those with id 1 and above */
    pthread_mutex_t turn;  /* one caller at a time */
    pthread_mutex_t mutex; /* only for sleep and wake */
    pthread_cond_t wake;
    atomic_int sleepers;

    atomic_uint jobs;     /* how many there were */
    atomic_uint barriers; /* how often all threads have met */
    atomic_int arrived;   /* threads at the next barrier */

    void (*task)(void *arg, int id, int threads); /* of the job; NULL: the threads end */
    void *arg;
} Pool;

typedef struct Start { /* what a new thread needs to know */
    Pool *pool;
    int id;
} Start;

static void relax(void)
{
#if defined __GNUC__ && (defined __x86_64__ || defined __i386__)
    __builtin_ia32_pause();
#elif defined __GNUC__ && defined __aarch64__
    __asm__ volatile("yield");
#endif
}

/* Returns when the counter no longer has this value. No wake is lost: a sleeper is counted before
 * it reads the counter for the last time, and `change` reads the count of sleepers after it has
 * changed the counter. One of them sees the other. */
static void wait_for(Pool *p, atomic_uint *counter, unsigned old)
{
    for (int i = 0; i < SPINS + YIELDS; i++) {
        if (atomic_load(counter) != old)
            return;
        if (i < SPINS)
            relax();
        else
            sched_yield();
    }

    pthread_mutex_lock(&p->mutex);
    atomic_fetch_add(&p->sleepers, 1);
    while (atomic_load(counter) == old)
        pthread_cond_wait(&p->wake, &p->mutex);
    atomic_fetch_sub(&p->sleepers, 1);
    pthread_mutex_unlock(&p->mutex);
}

/* Counts up, and wakes those who sleep. */
static void change(Pool *p, atomic_uint *counter)
{
    atomic_fetch_add(counter, 1);
    if (atomic_load(&p->sleepers) == 0)
        return;
    pthread_mutex_lock(&p->mutex);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->mutex);
}

/* The barrier: the last thread that arrives lets all others go. */
static void pool_wait(ngrt_pool *pool, int id)
{
    Pool *p = (Pool *)pool;
    unsigned barriers = atomic_load(&p->barriers);
    int arrived = atomic_fetch_add(&p->arrived, 1) + 1;

    (void)id;
    if (arrived < pool->threads) {
        wait_for(p, &p->barriers, barriers);
        return;
    }
    /* before the others go: they may arrive at the next barrier at once */
    atomic_store(&p->arrived, 0);
    change(p, &p->barriers);
}

/* What every thread but the caller's does. */
static void *work(void *arg)
{
    Start start = *(Start *)arg;
    Pool *p = start.pool;

    free(arg);
    for (unsigned jobs = 0;; jobs++) {
        wait_for(p, &p->jobs, jobs);
        if (p->task == NULL)
            return NULL;
        /* task and arg are written before `jobs` changes, so they are seen here */
        p->task(p->arg, start.id, p->pool.threads);
        pool_wait(&p->pool, start.id);
    }
}

/* Starts a job on all threads but the caller's. */
static void begin(Pool *p, void (*task)(void *, int, int), void *arg)
{
    /* no thread reads these before the counter changes */
    p->task = task;
    p->arg = arg;
    change(p, &p->jobs);
}

static void pool_run(ngrt_pool *pool, void (*task)(void *arg, int id, int threads), void *arg)
{
    Pool *p = (Pool *)pool;

    pthread_mutex_lock(&p->turn);
    /* the caller is thread 0: a pool of n has n - 1 threads of its own */
    begin(p, task, arg);
    task(arg, 0, pool->threads);
    pool_wait(pool, 0);
    pthread_mutex_unlock(&p->turn);
}

/* Ends the first `threads` threads, and frees the pool. */
static void stop(Pool *p, int threads)
{
    begin(p, NULL, NULL);
    for (int i = 1; i < threads; i++)
        pthread_join(p->thread[i], NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->mutex);
    pthread_mutex_destroy(&p->turn);
    free(p->thread);
    free(p);
}

/* Starts a thread; false without memory, or without threads. */
static int start_thread(Pool *p, int id)
{
    Start *start = malloc(sizeof *start);

    if (start == NULL)
        return 0;
    *start = (Start){p, id};
    if (pthread_create(&p->thread[id], NULL, work, start) == 0)
        return 1;
    free(start);
    return 0;
}

/* Starts threads 1 and above. Returns how many the pool then has, with the caller's. */
static int start_threads(Pool *p, int threads)
{
    sigset_t all, old;
    int id = 1;

    sigfillset(&all); /* signals go to the caller's thread */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (id < threads && start_thread(p, id))
        id++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return id;
}

ngrt_pool *ngrt_pool_create(int threads)
{
    Pool *p;
    int started;

    if (threads < 1 || threads > NGRT_POOL_MAX)
        return NULL;
    p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    p->thread = calloc((size_t)threads, sizeof *p->thread);
    if (p->thread == NULL) {
        free(p);
        return NULL;
    }

    p->pool = (ngrt_pool){threads, pool_run, pool_wait};
    pthread_mutex_init(&p->turn, NULL);
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->wake, NULL);

    /* fewer than asked is a failure: work is divided by the number of threads */
    started = start_threads(p, threads);
    if (started == threads)
        return &p->pool;
    stop(p, started);
    return NULL;
}

void ngrt_pool_destroy(ngrt_pool *pool)
{
    if (pool)
        stop((Pool *)pool, pool->threads);
}
