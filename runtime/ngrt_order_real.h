/* ngrt_order_real.h - the order of elements, for sorting. One text, compiled for float, double and
 * ints by ngrt_order.c; sections and names as in ngrt_gemm_real.h. An int has more digits than a
 * float, so ints are compared as ints.
 */
#define NGRT_FN
#define ngrt_order        NGRT_NAME(order)
#define ngrt_order_differ NGRT_NAME(order_differ)
#define ngrt_order_before NGRT_NAME(order_before)
#define ngrt_order_sift   NGRT_NAME(order_sift)

/*@ order: */
static int ngrt_order_differ(real a, real b)
{
    return a != b;
}

/* Does element i come before element k: is it larger, or equal and earlier? NaN is larger than any
 * number. */
static int ngrt_order_before(const real *x, int32_t i, int32_t k)
{
    const int not_i = ngrt_order_differ(x[i], x[i]), not_k = ngrt_order_differ(x[k], x[k]);

    if (not_i != not_k)
        return not_i;
    if (x[i] > x[k])
        return 1;
    if (x[i] < x[k])
        return 0;
    return i < k;
}

/* Moves element `at` of a heap down. The last one in the order is on top. */
static void ngrt_order_sift(const real *x, int32_t *heap, int n, int at)
{
    int child;

    while ((child = 2 * at + 1) < n) {
        int32_t swap = heap[at];
        if (child + 1 < n && ngrt_order_before(x, heap[child], heap[child + 1]))
            child++;
        if (!ngrt_order_before(x, swap, heap[child]))
            return;
        heap[at] = heap[child];
        heap[child] = swap;
        at = child;
    }
}

/* y [rows, k]: where the k largest of each row of x [rows, n] are, the largest first. A heap has
 * the k largest so far. */
NGRT_FN void ngrt_order(int rows, int n, int k, const real *x, int32_t *y)
{
    int t, i;

    for (t = 0; t < rows; t++, x += n, y += k) {
        for (i = 0; i < k; i++)
            y[i] = i;
        for (i = k / 2 - 1; i >= 0; i--)
            ngrt_order_sift(x, y, k, i);
        for (i = k; i < n; i++)
            if (ngrt_order_before(x, i, y[0])) {
                y[0] = i;
                ngrt_order_sift(x, y, k, 0);
            }
        for (i = k - 1; i > 0; i--) { /* the last in the order goes to the end */
            int32_t swap = y[0];
            y[0] = y[i];
            y[i] = swap;
            ngrt_order_sift(x, y, i, 0);
        }
    }
}

/*@ end: */
#undef NGRT_FN
#undef ngrt_order
#undef ngrt_order_differ
#undef ngrt_order_before
#undef ngrt_order_sift
