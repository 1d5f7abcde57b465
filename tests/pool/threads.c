/* threads.c - ngrt_pool by itself: numbers of threads that make no sense, many short tasks,
 * meetings within a task, callers on several threads, several pools at a time, long pauses in which
 * the threads sleep. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "../runtime/check.h"
#include "ngrt_host.h"

enum { MEETINGS = 50, ROUNDS = 400, CALLERS = 3 };

typedef struct Sum { /* what a task works on */
    ngrt_pool *pool;
    long part[NGRT_POOL_MAX], total;
    int wrong;
} Sum;

/* Each thread changes its own number and, when they have met, reads those of all. */
static void add_up(void *arg, int id, int threads)
{
    Sum *s = arg;
    if (threads != s->pool->threads || id < 0 || id >= threads)
        s->wrong = 1;
    for (int m = 0; m < MEETINGS; m++) {
        long sum = 0;
        s->part[id]++;
        s->pool->wait(s->pool, id);
        for (int i = 0; i < threads; i++)
            sum += s->part[i];
        if (id == 0)
            s->total += sum;
        s->pool->wait(s->pool, id);
    }
}

static void nothing(void *arg, int id, int threads)
{
    (void)arg, (void)id, (void)threads;
}

static void count(void *arg, int id, int threads)
{
    (void)threads;
    ((long *)arg)[id]++;
}

/* After n meetings the sums were threads, 2 threads, ... */
static int sums(ngrt_pool *pool)
{
    static const long each = (long)MEETINGS * (MEETINGS + 1) / 2;
    Sum s = {.pool = pool};
    pool->run(pool, add_up, &s);
    return !s.wrong && s.total == each * pool->threads;
}

typedef struct Caller {
    ngrt_pool *pool;
    int good;
} Caller;

static void *call(void *arg)
{
    Caller *c = arg;
    c->good = 1;
    for (int i = 0; i < 20; i++)
        c->good &= sums(c->pool);
    return NULL;
}

/* Callers take turns on one pool; own: each has a pool. */
static int together(int own)
{
    pthread_t thread[CALLERS];
    Caller caller[CALLERS];
    ngrt_pool *shared = ngrt_pool_create(3);
    int good = 1;
    for (int i = 0; i < CALLERS; i++) {
        caller[i] = (Caller){own ? ngrt_pool_create(2) : shared, 0};
        if (pthread_create(&thread[i], NULL, call, &caller[i]) != 0)
            exit(2);
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(thread[i], NULL);
        good &= caller[i].good;
        if (own)
            ngrt_pool_destroy(caller[i].pool);
    }
    ngrt_pool_destroy(shared);
    return good;
}

int main(void)
{
    static const int none[] = {0, -1, NGRT_POOL_MAX + 1, 1000000, -2147483647};
    static const struct timespec pause = {0, 20000000};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        CHECK(ngrt_pool_create(none[i]) == NULL);
    ngrt_pool_destroy(NULL);
    for (int threads = 1; threads <= 8; threads++) {
        ngrt_pool *pool = ngrt_pool_create(threads);
        long done[8] = {0};
        CHECK(pool && pool->threads == threads);
        if (pool == NULL)
            continue;
        for (int i = 0; i < ROUNDS; i++)
            pool->run(pool, count, done);
        for (int i = 0; i < threads; i++)
            CHECK(done[i] == ROUNDS);
        CHECK(sums(pool));
        nanosleep(&pause, NULL);
        CHECK(sums(pool));
        ngrt_pool_destroy(pool);
    }
    for (int i = 0; i < 20; i++) { /* ended at once, and after a task */
        ngrt_pool *pool = ngrt_pool_create(4);
        if (i % 2)
            pool->run(pool, nothing, NULL);
        ngrt_pool_destroy(pool);
    }
    CHECK(together(0));
    CHECK(together(1));
    return check_end("threads");
}
