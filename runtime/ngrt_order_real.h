/* ngrt_order_real.h - the order of elements, for sorting. One text, compiled for float, double and
 * ints by ngrt_order.c; sections and names as in ngrt_gemm_real.h. An int has more digits than a
 * float, so ints are compared as ints.
 *
 * An element becomes a key, a whole number that is smaller the earlier it comes. Keys are sorted by
 * their bytes, so no two elements are compared. All elements of a long row do not fit into the
 * memory that a call may take: they are first dealt out by their first bytes, in place.
 * Microcontrollers have no such memory; they take a heap.
 */
#define NGRT_FN
#define ngrt_order_pair    NGRT_NAME(order_pair)
#define ngrt_order_differ  NGRT_NAME(order_differ)
#define ngrt_order         NGRT_NAME(order)
#define ngrt_order_key_of  NGRT_NAME(order_key_of)
#define ngrt_order_earlier NGRT_NAME(order_earlier)
#define ngrt_order_sift    NGRT_NAME(order_sift)
#define ngrt_order_few     NGRT_NAME(order_few)
#define ngrt_order_bytes   NGRT_NAME(order_bytes)
#define ngrt_order_block   NGRT_NAME(order_block)
#define ngrt_order_byte    NGRT_NAME(order_byte)
#define ngrt_order_deal    NGRT_NAME(order_deal)
#define ngrt_order_all     NGRT_NAME(order_all)
#define ngrt_order_first   NGRT_NAME(order_first)
#define ngrt_order_part    NGRT_NAME(order_part)

/*@ order: */
#define NGRT_ORDER_FEW   40   /* elements that are compared with each other */
#define NGRT_ORDER_BLOCK 2048 /* elements that are sorted by their bytes at once */
/* Has the stack room for blocks? That of a microcontroller has not: there a heap has all. */
#if defined __unix__ || defined __APPLE__ || defined _WIN32 || defined __wasm__
#define NGRT_ORDER_ROOM 1
#else
#define NGRT_ORDER_ROOM 0
#endif

/* an element: its key, and where it is */
typedef struct ngrt_order_pair {
    real_key key;
    int32_t at;
} ngrt_order_pair;

static int ngrt_order_differ(real a, real b)
{
    return a != b;
}

/* NaN is larger than any number, so it comes first; -0 is 0. */
static real_key ngrt_order_key_of(real x)
{
    const real_key sign = (real_key)1 << (8 * sizeof(real_key) - 1);
    const int is_int = (real)0.5 <= 0;
    real_key bits;

    if (ngrt_order_differ(x, x))
        return 0;
    x += 0;
    memcpy(&bits, &x, sizeof bits);
    if (is_int)
        return ~(bits ^ sign);
    return bits & sign ? bits : ~(bits | sign);
}

/* Does element i come before element k: is it larger, or equal and earlier? */
static int ngrt_order_earlier(const real *x, int32_t i, int32_t k)
{
    const real_key a = ngrt_order_key_of(x[i]), b = ngrt_order_key_of(x[k]);
    return a < b || (a == b && i < k);
}

/* Moves element `at` of a heap down. The last one in the order is on top. */
static void ngrt_order_sift(const real *x, int32_t *heap, int n, int at)
{
    int child;

    while ((child = 2 * at + 1) < n) {
        int32_t swap = heap[at];
        if (child + 1 < n && ngrt_order_earlier(x, heap[child], heap[child + 1]))
            child++;
        if (!ngrt_order_earlier(x, swap, heap[child]))
            return;
        heap[at] = heap[child];
        heap[child] = swap;
        at = child;
    }
}

/* The k first of n elements. A heap has the k first so far. */
static void ngrt_order_first(int n, int k, const real *x, int32_t *y)
{
    real limit;
    int i;

    for (i = 0; i < k; i++)
        y[i] = i;
    for (i = k / 2 - 1; i >= 0; i--)
        ngrt_order_sift(x, y, k, i);
    limit = x[y[0]];
    for (i = k; i < n; i++)
        if (!(x[i] <= limit) && ngrt_order_earlier(x, i, y[0])) {
            y[0] = i;
            ngrt_order_sift(x, y, k, 0);
            limit = x[y[0]];
        }
    for (i = k - 1; i > 0; i--) { /* the last in the order goes to the end */
        int32_t swap = y[0];
        y[0] = y[i];
        y[i] = swap;
        ngrt_order_sift(x, y, i, 0);
    }
}

/* Sorts y[n], places of elements of x: each is moved to the left as far as it goes. */
static void ngrt_order_few(int n, const real *x, int32_t *y)
{
    ngrt_order_pair part[NGRT_ORDER_FEW];
    int i, k;

    for (i = 0; i < n; i++) {
        const ngrt_order_pair p = {ngrt_order_key_of(x[y[i]]), y[i]};
        for (k = i; k > 0; k--) {
            const ngrt_order_pair q = part[k - 1];
            if (q.key < p.key || (q.key == p.key && q.at < p.at))
                break;
            part[k] = q;
        }
        part[k] = p;
    }
    for (i = 0; i < n; i++)
        y[i] = part[i].at;
}

/* Sorts n pairs by their keys, from the last byte to the first; equal ones stay in their order. b
 * is as large as a. Returns where they are then. */
static ngrt_order_pair *ngrt_order_bytes(int n, ngrt_order_pair *a, ngrt_order_pair *b)
{
    int count[sizeof(real_key)][256] = {{0}}, i;
    size_t byte;

    for (i = 0; i < n; i++)
        for (byte = 0; byte < sizeof(real_key); byte++)
            count[byte][a[i].key >> 8 * byte & 255]++;

    for (byte = 0; byte < sizeof(real_key); byte++) {
        ngrt_order_pair *swap = a;
        int *to = count[byte], sum = 0;
        if (to[a[0].key >> 8 * byte & 255] == n) /* the same in all */
            continue;
        for (i = 0; i < 256; i++) {
            const int here = to[i];
            to[i] = sum;
            sum += here;
        }
        for (i = 0; i < n; i++)
            b[to[a[i].key >> 8 * byte & 255]++] = a[i];
        a = b;
        b = swap;
    }
    return a;
}

/* Sorts y[n], places of at most BLOCK elements of x. Its buffers are large, so no other function
 * takes it in. */
#ifdef __GNUC__
__attribute__((noinline))
#endif
static void
ngrt_order_block(int n, const real *x, int32_t *y)
{
    ngrt_order_pair one[NGRT_ORDER_BLOCK], other[NGRT_ORDER_BLOCK], *p = one;
    int i, sorted = 1;

    for (i = 1; i < n; i++)
        sorted &= y[i - 1] < y[i];
    if (!sorted) { /* by their places first, which decide between equal ones */
        for (i = 0; i < n; i++) {
            one[i].key = (real_key)y[i];
            one[i].at = y[i];
        }
        p = ngrt_order_bytes(n, one, other);
    } else {
        for (i = 0; i < n; i++)
            one[i].at = y[i];
    }

    for (i = 0; i < n; i++)
        p[i].key = ngrt_order_key_of(x[p[i].at]);
    p = ngrt_order_bytes(n, p, p == one ? other : one);
    for (i = 0; i < n; i++)
        y[i] = p[i].at;
}

/* A byte of an element, from its key's first to its place's last. */
static int ngrt_order_byte(const real *x, int32_t at, int level)
{
    const int bytes = (int)sizeof(real_key);

    if (level < bytes)
        return (int)(ngrt_order_key_of(x[at]) >> 8 * (bytes - 1 - level) & 255);
    return (int)((uint32_t)at >> 8 * (bytes + 3 - level) & 255);
}

/* Deals out y[n] by one of their bytes, in place. end[b]: where those with byte b end. */
static void ngrt_order_deal(int n, const real *x, int32_t *y, int level, int *end)
{
    int next[256], b, i, sum = 0;

    memset(end, 0, 256 * sizeof *end);
    for (i = 0; i < n; i++)
        end[ngrt_order_byte(x, y[i], level)]++;
    for (b = 0; b < 256; b++) {
        next[b] = sum;
        sum += end[b];
        end[b] = sum;
    }

    for (b = 0; b < 256; b++)
        while (next[b] < end[b]) {
            /* each element that is moved makes room for itself, until one belongs here */
            int32_t at = y[next[b]];
            int to;
            while ((to = ngrt_order_byte(x, at, level)) != b) {
                const int32_t swap = y[next[to]];
                y[next[to]++] = at;
                at = swap;
            }
            y[next[b]++] = at;
        }
}

/* Sorts y[n], places of elements of x that are equal in all bytes above the level. */
static void ngrt_order_all(int n, const real *x, int32_t *y, int level)
{
    int end[256], b, from = 0;

    if (n <= NGRT_ORDER_FEW) {
        ngrt_order_few(n, x, y);
        return;
    }
    if (n <= NGRT_ORDER_BLOCK) {
        ngrt_order_block(n, x, y);
        return;
    }

    ngrt_order_deal(n, x, y, level, end);
    for (b = 0; b < 256; b++) {
        if (end[b] - from > 1)
            ngrt_order_all(end[b] - from, x, y + from, level + 1);
        from = end[b];
    }
}

/* The k first of n elements, at most BLOCK, if k is a large part of n: all are sorted. */
#ifdef __GNUC__
__attribute__((noinline))
#endif
static void
ngrt_order_part(int n, int k, const real *x, int32_t *y)
{
    int32_t place[NGRT_ORDER_BLOCK];
    int i;

    for (i = 0; i < n; i++)
        place[i] = i;
    ngrt_order_all(n, x, place, 0);
    memcpy(y, place, (size_t)k * sizeof *y);
}

/* y [rows, k]: where the k largest of each row of x [rows, n] are, the largest first. */
NGRT_FN void ngrt_order(int rows, int n, int k, const real *x, int32_t *y)
{
    int t, i;

    for (t = 0; t < rows; t++, x += n, y += k) {
        if (NGRT_ORDER_ROOM && k < n && n <= NGRT_ORDER_BLOCK && n / 8 < k) {
            ngrt_order_part(n, k, x, y);
        } else if (!NGRT_ORDER_ROOM || k < n) {
            ngrt_order_first(n, k, x, y);
        } else {
            for (i = 0; i < n; i++)
                y[i] = i;
            ngrt_order_all(n, x, y, 0);
        }
    }
}

/*@ end: */
#undef NGRT_FN
#undef ngrt_order_pair
#undef ngrt_order_differ
#undef ngrt_order
#undef ngrt_order_key_of
#undef ngrt_order_earlier
#undef ngrt_order_sift
#undef ngrt_order_few
#undef ngrt_order_bytes
#undef ngrt_order_block
#undef ngrt_order_byte
#undef ngrt_order_deal
#undef ngrt_order_all
#undef ngrt_order_first
#undef ngrt_order_part
