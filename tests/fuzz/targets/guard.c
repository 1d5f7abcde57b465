/* guard.c - a target with limits, for libFuzzer and for a program of its own: an input that takes
 * too much processor time or memory is a finding, too.
 *
 *     cc -DREPLAY ...: a program that gives the target each of the files named
 */
#define _GNU_SOURCE
#include "target.h"

#include <string.h>
#include <sys/resource.h>
#include <time.h>

#ifdef REPLAY
enum { MILLISECONDS = 1000 };
#else
enum { MILLISECONDS = 4000 }; /* the sanitizers and the counters of branches take their share */
#endif
enum { MEGABYTES = 256 };

static void fail(const char *what, long amount, const char *unit)
{
    fprintf(stderr, "finding: %s: %ld %s\n", what, amount, unit);
    abort();
}

static long milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define COUNTS_MEMORY
#endif
#endif

#ifdef COUNTS_MEMORY
#include <sanitizer/allocator_interface.h>

static size_t used, most;

static void taken(const volatile void *p, size_t size)
{
    (void)p;
    used += size;
    if (used > most)
        most = used;
}

static void given_back(const volatile void *p)
{
    if (p)
        used -= __sanitizer_get_allocated_size((void *)p);
}

/* What there is no memory for is refused, as without the sanitizers. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:quarantine_size_mb=8:detect_stack_use_after_return=0";
}

static void start_counting(void)
{
    static int installed;

    if (!installed++)
        __sanitizer_install_malloc_and_free_hooks(taken, given_back);
    used = most = 0;
}
#else
static size_t most;

static void start_counting(void) {}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    long before = milliseconds(), spent;
    int status;

    start_counting();
    status = target(data, size);
    spent = milliseconds() - before;
    if (spent > MILLISECONDS)
        fail("too slow", spent, "ms");
    if (most > (size_t)MEGABYTES << 20)
        fail("too large", (long)(most >> 20), "MB");
    return status;
}

#ifdef REPLAY
#include <malloc.h>

/* The bytes of memory in use; 0: they are not known. What glibc keeps for a thread counts as used,
 * so this needs GLIBC_TUNABLES=glibc.malloc.tcache_count=0. */
static size_t in_use(void)
{
#ifdef __GLIBC__
    struct mallinfo2 all = mallinfo2();

    if (getenv("GLIBC_TUNABLES"))
        return all.uordblks + all.hblkhd;
#endif
    return 0;
}

/* Once for what a library allocates when it is first called; then nothing may be left. */
static void run_twice(const uint8_t *data, size_t size)
{
    LLVMFuzzerTestOneInput(data, size);
    size_t before = in_use();

    LLVMFuzzerTestOneInput(data, size);
    size_t left = in_use() - before;

    if (left > 0 && left < SIZE_MAX / 2)
        fail("not freed", (long)left, "bytes");
}

static void replay(const char *path)
{
    static uint8_t data[1 << 20];
    FILE *file = fopen(path, "rb");

    if (!file) {
        perror(path);
        exit(2);
    }
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);

    uint8_t *copy = malloc(size + 1); /* of just that size */
    if (!copy)
        exit(2);
    memcpy(copy, data, size);
    fprintf(stderr, "%s\n", path); /* the last one named is the one that failed */
    run_twice(copy, size);
    free(copy);
}

int main(int argc, char **argv)
{
    struct rusage use;

    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    getrusage(RUSAGE_SELF, &use);
    if (use.ru_maxrss > MEGABYTES * 1024)
        fail("too large", use.ru_maxrss / 1024, "MB");
    return 0;
}
#endif
