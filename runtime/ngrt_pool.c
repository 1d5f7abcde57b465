/* ngrt_pool.c - threads that wait for work: ngrt_pool of ngrt.h.
 *
 * All waiting is for a counter to change. A thread looks at it for a few microseconds, then lets
 * others run, and then sleeps: threads that only looked would stop each other where there are more
 * of them than processors.
 */
#include "ngrt_host.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    LOOKS = 300,  /* before a thread yields */
    YIELDS = 200, /* before it sleeps */
};

typedef struct Pool {
    ngrt_pool pool;        /* what callers see */
    pthread_t *thread;     /* those with id 1 and above */
    pthread_mutex_t turn;  /* of callers */
    pthread_mutex_t mutex; /* for sleep and wake alone */
    pthread_cond_t wake;
    atomic_int sleepers;
    atomic_uint job;                              /* how many there were */
    atomic_uint meets;                            /* how often all have met */
    atomic_int here;                              /* threads that wait for the next meeting */
    void (*task)(void *arg, int id, int threads); /* NULL: the threads end */
    void *arg;
} Pool;

typedef struct Start { /* what a new thread is told */
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

/* Returns when the counter has left this value. A sleeper is counted before it looks for the last
 * time, and who changes a counter looks for sleepers after that: one of them sees the other. */
static void wait_for(Pool *p, atomic_uint *counter, unsigned old)
{
    for (int i = 0; i < LOOKS + YIELDS; i++) {
        if (atomic_load(counter) != old)
            return;
        if (i < LOOKS)
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

static void change(Pool *p, atomic_uint *counter)
{
    atomic_fetch_add(counter, 1);
    if (atomic_load(&p->sleepers) == 0)
        return;
    pthread_mutex_lock(&p->mutex);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->mutex);
}

static void pool_wait(ngrt_pool *pool, int id)
{
    Pool *p = (Pool *)pool;
    unsigned meets = atomic_load(&p->meets);
    (void)id;
    if (atomic_fetch_add(&p->here, 1) + 1 < pool->threads) {
        wait_for(p, &p->meets, meets);
        return;
    }
    atomic_store(&p->here, 0);
    change(p, &p->meets);
}

/* What every thread but the caller's does. */
static void *work(void *arg)
{
    Start start = *(Start *)arg;
    Pool *p = start.pool;
    free(arg);
    for (unsigned job = 0;; job++) {
        wait_for(p, &p->job, job);
        if (p->task == NULL)
            return NULL;
        p->task(p->arg, start.id, p->pool.threads);
        pool_wait(&p->pool, start.id);
    }
}

static void begin(Pool *p, void (*task)(void *, int, int), void *arg)
{
    p->task = task;
    p->arg = arg;
    change(p, &p->job);
}

static void pool_run(ngrt_pool *pool, void (*task)(void *arg, int id, int threads), void *arg)
{
    Pool *p = (Pool *)pool;
    pthread_mutex_lock(&p->turn);
    begin(p, task, arg);
    task(arg, 0, pool->threads);
    pool_wait(pool, 0);
    pthread_mutex_unlock(&p->turn);
}

/* Ends the threads with an id below that, and forgets them. */
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

static int start_thread(Pool *p, int id)
{
    Start *start = malloc(sizeof *start);
    if (start == NULL)
        return -1;
    *start = (Start){p, id};
    if (pthread_create(&p->thread[id], NULL, work, start) == 0)
        return 0;
    free(start);
    return -1;
}

ngrt_pool *ngrt_pool_create(int threads)
{
    Pool *p = threads < 1 || threads > NGRT_POOL_MAX ? NULL : calloc(1, sizeof *p);
    sigset_t all, old;
    int id = 1;
    if (p == NULL)
        return NULL;
    p->pool = (ngrt_pool){threads, pool_run, pool_wait};
    p->thread = calloc((size_t)threads, sizeof *p->thread);
    pthread_mutex_init(&p->turn, NULL);
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->wake, NULL);
    sigfillset(&all); /* signals are the caller's */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (p->thread && id < threads && start_thread(p, id) == 0)
        id++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (p->thread && id == threads)
        return &p->pool;
    stop(p, id);
    return NULL;
}

void ngrt_pool_destroy(ngrt_pool *pool)
{
    if (pool)
        stop((Pool *)pool, pool->threads);
}
