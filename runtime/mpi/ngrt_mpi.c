/* ngrt_mpi.c - ranks that mpirun has started, by MPI. Only this file knows MPI; it is compiled
 * where MPI is installed, into a library of its own.
 *
 * Gradients are gathered in buckets: small ones are copied into a buffer, large ones stay where
 * they are. A bucket that is full goes over the ranks while the model computes. All calls are made
 * on the thread that has called ngrt_mpi_start, and in the same order on all ranks, so that all
 * sums have the same bits each time. */
#define _GNU_SOURCE /* process_vm_readv */
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../ngrt_host.h"

enum {
    BUCKET = 1 << 20, /* bytes: what is at least as large needs no bucket */
    PIECES = 256,     /* tensors in a bucket */
    BUCKETS = 64,     /* on their way at the same time */
};

typedef struct Bucket {
    MPI_Request request;
    char *room; /* BUCKET bytes; NULL: not needed yet */
    size_t used;
    int type;
    int pieces; /* 0: a tensor that stays where it is */
    struct Piece {
        void *x;
        size_t bytes;
    } piece[PIECES];
} Bucket;

typedef struct Group {
    ngrt_group of; /* first: what others see */
    Bucket bucket[BUCKETS];
    int buckets; /* those that are in use; the last may be open */
    int open;    /* the last one takes more */
} Group;

static MPI_Datatype datatype(int type)
{
    if (type == NGRT_F64)
        return MPI_DOUBLE;
    return type == NGRT_F32 ? MPI_FLOAT : MPI_INT32_T;
}

static size_t type_bytes(int type)
{
    return type == NGRT_F64 ? 8 : 4;
}

/* ---- at once ---- */

/* MPI counts by int. */
static void reduce(void *x, int type, size_t n, MPI_Op op)
{
    while (n > 0) {
        int count = n > INT_MAX / 2 ? INT_MAX / 2 : (int)n;

        MPI_Allreduce(MPI_IN_PLACE, x, count, datatype(type), op, MPI_COMM_WORLD);
        x = (char *)x + (size_t)count * type_bytes(type);
        n -= (size_t)count;
    }
}

static void sum(ngrt_ranks *ranks, int type, void *x, size_t n)
{
    (void)ranks;
    reduce(x, type, n, MPI_SUM);
}

/* NaN passes on, as it does in the model: MPI_MAX may lose it. */
static void max_or_nan(void *in, void *inout, int *n, MPI_Datatype *type)
{
    int i;

    for (i = 0; i < *n; i++)
        if (*type == MPI_DOUBLE) {
            double a = ((double *)in)[i];
            double *b = &((double *)inout)[i];
            if (a > *b || a != a)
                *b = a;
        } else if (*type == MPI_FLOAT) {
            float a = ((float *)in)[i];
            float *b = &((float *)inout)[i];
            if (a > *b || a != a)
                *b = a;
        } else {
            int32_t a = ((int32_t *)in)[i];
            int32_t *b = &((int32_t *)inout)[i];
            if (a > *b)
                *b = a;
        }
}

static void max(ngrt_ranks *ranks, int type, void *x, size_t n)
{
    MPI_Op op;

    (void)ranks;
    MPI_Op_create(max_or_nan, 1, &op);
    reduce(x, type, n, op);
    MPI_Op_free(&op);
}

/* ---- in buckets ---- */

static void wait(ngrt_ranks *ranks);

/* Sends the open bucket on its way. */
static void close_bucket(Group *g)
{
    Bucket *b = &g->bucket[g->buckets - 1];

    if (!g->open)
        return;
    g->open = 0;
    MPI_Iallreduce(MPI_IN_PLACE, b->room, (int)(b->used / type_bytes(b->type)), datatype(b->type),
                   MPI_SUM, MPI_COMM_WORLD, &b->request);
}

static Bucket *new_bucket(Group *g)
{
    if (g->buckets == BUCKETS)
        wait(&g->of.of);
    g->bucket[g->buckets].used = 0;
    g->bucket[g->buckets].pieces = 0;
    return &g->bucket[g->buckets++];
}

/* What is on its way moves only while MPI is called. */
static void push(Group *g)
{
    int i, done;

    for (i = 0; i < g->buckets - g->open; i++)
        if (g->bucket[i].request != MPI_REQUEST_NULL)
            MPI_Test(&g->bucket[i].request, &done, MPI_STATUS_IGNORE);
}

/* Puts a tensor into the open bucket, or into a new one. */
static void put_piece(Group *g, int type, void *x, size_t bytes)
{
    Bucket *b = NULL;
    if (g->open)
        b = &g->bucket[g->buckets - 1];

    if (b && (b->type != type || b->used + bytes > BUCKET || b->pieces == PIECES)) {
        close_bucket(g);
        b = NULL;
    }
    if (!b) {
        b = new_bucket(g);
        if (!b->room)
            b->room = malloc(BUCKET);
        if (!b->room) { /* the others would wait for ever */
            fprintf(stderr, "rank %d: error: out of memory\n", g->of.of.rank);
            MPI_Abort(MPI_COMM_WORLD, 1);
        }
        b->type = type;
        g->open = 1;
    }
    memcpy(b->room + b->used, x, bytes);
    b->piece[b->pieces].x = x;
    b->piece[b->pieces++].bytes = bytes;
    b->used += bytes;
}

static void ready(ngrt_ranks *ranks, int type, void *x, size_t n)
{
    Group *g = (Group *)ranks;
    size_t bytes = n * type_bytes(type);

    if (n > INT_MAX / 2) {
        reduce(x, type, n, MPI_SUM);
    } else if (bytes < BUCKET) {
        put_piece(g, type, x, bytes);
    } else {
        Bucket *b;

        close_bucket(g);
        b = new_bucket(g);
        MPI_Iallreduce(MPI_IN_PLACE, x, (int)n, datatype(type), MPI_SUM, MPI_COMM_WORLD,
                       &b->request);
    }
    push(g);
}

static void wait(ngrt_ranks *ranks)
{
    Group *g = (Group *)ranks;
    int i, k;

    close_bucket(g);
    for (i = 0; i < g->buckets; i++) {
        Bucket *b = &g->bucket[i];
        size_t at = 0;

        MPI_Wait(&b->request, MPI_STATUS_IGNORE);
        for (k = 0; k < b->pieces; k++) {
            memcpy(b->piece[k].x, b->room + at, b->piece[k].bytes);
            at += b->piece[k].bytes;
        }
    }
    g->buckets = 0;
}

/* ---- the group ---- */

static void gather(ngrt_group *group, const void *own, size_t bytes, void *all)
{
    (void)group;
    MPI_Allgather(own, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, MPI_COMM_WORLD);
}

/* Open MPI copies from the memory of other processes, and complains where the system forbids that,
 * as in a container. */
static void choose_copying(void)
{
    static const char name[] = "OMPI_MCA_btl_vader_single_copy_mechanism";
    char from = 1, to = 0;
    struct iovec here = {&to, 1};
    struct iovec there = {&from, 1};
    FILE *scope = fopen("/proc/sys/kernel/yama/ptrace_scope", "r");
    int restricted = 0;
    if (scope)
        restricted = fgetc(scope) != '0';

    if (scope)
        fclose(scope);
    if (restricted || process_vm_readv(getpid(), &here, 1, &there, 1, 0) != 1)
        setenv(name, "none", 0);
}

ngrt_group *ngrt_mpi_start(void)
{
    Group *g = calloc(1, sizeof *g);
    int provided, i;

    if (!g)
        return NULL;
    choose_copying();
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
        free(g);
        return NULL;
    }
    for (i = 0; i < BUCKETS; i++)
        g->bucket[i].request = MPI_REQUEST_NULL;
    MPI_Comm_rank(MPI_COMM_WORLD, &g->of.of.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &g->of.ranks);
    g->of.of.sum = sum;
    g->of.of.max = max;
    g->of.of.ready = ready;
    g->of.of.wait = wait;
    g->of.gather = gather;
    return &g->of;
}

void ngrt_mpi_finish(ngrt_group *group, int status)
{
    Group *g = (Group *)group;
    int i;

    /* those who were interrupted have all saved */
    fflush(stdout);
    fflush(stderr);
    if (status != 0 && status < 128)
        MPI_Abort(MPI_COMM_WORLD, status);
    MPI_Finalize();
    for (i = 0; i < BUCKETS; i++)
        free(g->bucket[i].room);
    free(g);
}
