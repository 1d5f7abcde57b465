/* rows.c - joins kernels that walk the same rows: a softmax, a normalisation, a loss and their
 * derivatives become one nest in which all is done to a row while it is in the cache, and what only
 * the row's own loops read is a variable or a small array.
 *
 *     for each row: sum of the row; its mean taken off; sum of squares; scaled by them          (a
 * reduction's result, a map, ..)
 *
 * Members are maps over [rows, columns], maps over [rows], reductions of each row, and sums over
 * the rows, such as the gradient of a bias, which are complete only behind the last row.
 *
 * Requires: kernels in their final order, not collapsed. Keeps: that order for all that is not
 * joined; a member moves up to the first of its nest, so what it reads must be there by then.
 * Gives: kernels with members (Kernel.member), places of kind P_ROW.
 */
#include "program.h"

enum {
    WINDOW = 24, /* kernels among which members are sought */
    SHORT_ROW =
        16, /* columns below which maps over all elements are better, if no test asks for less */
    ROW_ROOM = 2048,  /* columns of a row in an array of its own */
    NEST_ROOM = 6144, /* elements of all such arrays of a nest */
    MEMBERS = 12,
    SUM_ROOM =
        512, /* columns of a long sum of rows, which has an array of its own beside the result */
};

typedef struct Nest { /* one that is being gathered */
    Kernel *member[MEMBERS];
    int members;
    int lead; /* axes of a row's number, in each member the first; 0: not known before there is a
                 reduction */
    int phase;
} Nest;

static int short_row(const Program *p)
{
    return p->ngc->opt.short_row > 0 ? p->ngc->opt.short_row : SHORT_ROW;
}

static int count_axes(const Kernel *k, AxisKind kind)
{
    int n = 0;
    for (int i = 0; i < k->axes; i++)
        n += k->axis[i] == kind;
    return n;
}

/* Axes that a member's rows can be made of. */
static int row_axes(const Kernel *k)
{
    return !kernel_reduces(k) ? k->axes : count_axes(k, kernel_sums_rows(k) ? AX_REDUCE : AX_LEAD);
}

/* Could it be a member at all? Its results have places of their own, each stored by this kernel
 * alone. */
static bool is_candidate(const Program *p, const Kernel *k)
{
    if (k->kind != K_LOOP || k->axes == 0 || k->axes + 2 > MAX_AXES || row_axes(k) == 0)
        return false;
    if (kernel_reduces(k) && count_axes(k, AX_REDUCE) == 0)
        return false;
    if (kernel_sums_rows(k) && (count_axes(k, AX_LEAD) > 0 || k->store[0].node->type != T_FLOAT))
        return false;
    if (kernel_sums_rows(k) && kernel_sums_many(p, k) &&
        (kernel_columns(k) < 0 || kernel_columns(k) > SUM_ROOM))
        return false;
    for (int i = 0; i < k->stores; i++) {
        const Store *s = &k->store[i];
        PlaceKind kind = s->target ? P_VAR : p->place[p->slot[s->node->id]].kind;
        if (s->add || s->node->op == OP_concat || s->node->op == OP_scatter ||
            (kind != P_SPACE && kind != P_GRAD && kind != P_MEMBER))
            return false;
    }
    return true;
}

/* ---- the same rows ---- */

/* Makes k's first axes those of the nest's rows, cutting axes in two where one side's are whole
 * multiples of the other's. */
static bool align_rows(Program *p, Nest *nest, Kernel *k)
{
    const Kernel *first = nest->member[0];
    int limit = row_axes(k);
    for (int i = 0; i < nest->lead; i++) {
        if (i == limit)
            return false;
        Size a = first->extent[i], b = k->extent[i];
        if (a == b)
            continue;
        if (a < 0 || b < 0 || (a % b != 0 && b % a != 0) || k->axes == MAX_AXES)
            return false;
        if (b > a) {
            kernel_split(p, k, i, b / a);
            limit++;
            continue;
        }
        for (int m = 0; m < nest->members; m++)
            if (nest->member[m]->axes == MAX_AXES)
                return false;
        for (int m = 0; m < nest->members; m++)
            kernel_split(p, nest->member[m], i, a / b);
        nest->lead++;
    }
    return !kernel_reduces(k) || limit == nest->lead;
}

/* The elements from the first to the last that x reaches by k's axes behind the rows'; -1: not
 * known. */
static int64_t span(const Kernel *k, int lead, const Index *x)
{
    int64_t n = 1;
    for (int i = lead; x && i < k->axes; i++) {
        if (x->axis[i].minus != 0 || x->axis[i].plus < 0 ||
            (x->axis[i].plus != 0 && k->extent[i] < 0))
            return -1;
        if (x->axis[i].plus != 0)
            n += x->axis[i].plus * (k->extent[i] - 1);
    }
    return n;
}

/* Does the element at x, in k, belong to the row in which `of` stores at y? */
static bool in_row(const Kernel *k, const Index *x, const Kernel *of, const Index *y, int lead)
{
    Index zero = index_zero();
    x = x ? x : &zero;
    y = y ? y : &zero;
    if (x->parts > 0 || y->parts > 0 || x->base.plus != y->base.plus ||
        x->base.minus != y->base.minus)
        return false;
    for (int i = 0; i < lead; i++)
        if (x->axis[i].plus != y->axis[i].plus || x->axis[i].minus != y->axis[i].minus)
            return false;
    int64_t mine = span(k, lead, x), whole = span(of, lead, y);
    if (mine >= 0 && whole >= 0)
        return mine <= whole;
    for (int i = lead; i < MAX_AXES;
         i++) { /* sizes that are known at run time alone: the very same walk */
        bool walked = x->axis[i].plus != 0 || x->axis[i].minus != 0 || y->axis[i].plus != 0 ||
                      y->axis[i].minus != 0;
        if (walked && (i >= k->axes || i >= of->axes || k->extent[i] != of->extent[i] ||
                       x->axis[i].plus != y->axis[i].plus || x->axis[i].minus != y->axis[i].minus))
            return false;
    }
    return true;
}

/* The member that stores n, and where; NULL: none does. */
static const Kernel *find_store(Kernel *const *member, int members, const Node *n,
                                const Store **store)
{
    for (int m = 0; m < members; m++)
        for (int s = 0; s < member[m]->stores; s++)
            if (member[m]->store[s].node == n) {
                *store = &member[m]->store[s];
                return member[m];
            }
    return NULL;
}

bool kernel_reads_row(const Kernel *k, const Store *s, const Node *n)
{
    int own = 0;
    for (int m = 0; m < k->members; m++)
        for (int i = 0; i < k->member[m]->stores; i++)
            if (k->member[m]->store[i].node == s->node)
                own = m;
    if (kernel_sums_rows(k->member[own]))
        return false;
    for (int m = 0; m < k->members; m++)
        for (int v = 0; v < k->member[m]->vals; v++) {
            const Val *x = k->member[m]->val[v];
            if (x->kind != V_LOAD || x->node != n)
                continue;
            if (m > own || !in_row(k->member[m], x->at, k->member[own], s->at, k->axes) ||
                (m == own && !index_equal(x->at, s->at)))
                return false;
        }
    return true;
}

/* ---- gathering ---- */

/* Does k read what the members store, each in its own row, or at least what they read too? */
static bool fits(const Nest *nest, const Kernel *k, int lead)
{
    bool shares = false;
    for (int v = 0; v < k->vals; v++) {
        const Val *x = k->val[v];
        const Store *store;
        if (x->kind != V_LOAD)
            continue;
        const Kernel *of = find_store(nest->member, nest->members, x->node, &store);
        if (of && (kernel_sums_rows(of) || !in_row(k, x->at, of, store->at, lead)))
            return false;
        shares |= of != NULL;
        for (int m = 0; m < nest->members && !shares && x->at; m++)
            for (int w = 0; w < nest->member[m]->vals && !shares; w++) {
                const Val *y = nest->member[m]->val[w];
                shares = y->kind == V_LOAD && y->node == x->node && y->at &&
                         span(k, lead, x->at) >= SHORT_ROW &&
                         in_row(k, x->at, nest->member[m], y->at, lead);
            }
    }
    return shares;
}

/* Columns of k's rows at the bound of run-time sizes. */
static int64_t columns(const Program *p, const Kernel *k, int lead)
{
    int64_t n = 1;
    for (int i = lead; i < k->axes; i++)
        n *= size_max(p->graph, k->extent[i]);
    return n;
}

static bool try_join(Program *p, Nest *nest, Kernel *k)
{
    if (nest->members == MEMBERS || k->phase != nest->phase || !is_candidate(p, k))
        return false;
    if (nest->lead == 0) { /* a map so far: its rows are those of the first reduction */
        Nest turned = {.member = {k}, .members = 1, .lead = row_axes(k), .phase = k->phase};
        if (!kernel_reduces(k) || columns(p, k, turned.lead) < short_row(p))
            return false;
        if (!align_rows(p, &turned, nest->member[0]) || !fits(nest, k, turned.lead))
            return false;
        nest->lead = turned.lead;
    } else {
        if (!align_rows(p, nest, k))
            return false;
        int64_t n = columns(p, k, nest->lead);
        if ((n > 1 && n < short_row(p)) || !fits(nest, k, nest->lead))
            return false;
    }
    nest->member[nest->members++] = k;
    return true;
}

/* Does k read what a kernel stores that stays behind the nest's first? */
static bool reads_later(const Program *p, const Kernel *k, const bool *later)
{
    for (int v = 0; v < k->vals; v++)
        if (k->val[v]->kind == V_LOAD && later[p->slot[k->val[v]->node->id]])
            return true;
    return false;
}

static void mark_stores(const Program *p, const Kernel *k, bool *later, bool on)
{
    for (int s = 0; s < k->stores; s++)
        later[p->slot[k->store[s].node->id]] = on;
}

/* ---- one kernel of the members ---- */

static void count_reads(const Program *p, const Kernel *k, int *reads, int by)
{
    for (int v = 0; v < k->vals; v++)
        if (k->val[v]->kind == V_LOAD)
            reads[p->slot[k->val[v]->node->id]] += by;
    for (int i = 0; i < 3; i++)
        if (kernel_operand(p, k, i))
            reads[p->slot[kernel_operand(p, k, i)->id]] += by;
}

/* What no other kernel reads lives in the row's loops. reads: by slot, over all kernels. */
static void keep_in_row(Program *p, const Nest *nest, const int *reads)
{
    int64_t room = 0;
    for (int m = 0; m < nest->members; m++)
        for (int s = 0; s < nest->member[m]->stores; s++) {
            const Node *n = nest->member[m]->store[s].node;
            Place *place = &p->place[p->slot[n->id]];
            int inside = 0;
            for (int r = 0; r < nest->members; r++)
                for (int v = 0; v < nest->member[r]->vals; v++)
                    inside += nest->member[r]->val[v]->kind == V_LOAD &&
                              nest->member[r]->val[v]->node == n;
            int64_t size = span(nest->member[m], nest->lead, nest->member[m]->store[s].at);
            if (place->kind != P_SPACE || kernel_sums_rows(nest->member[m]) || inside == 0 ||
                inside != reads[p->slot[n->id]] || size < 0 || size > ROW_ROOM ||
                (size > 1 && room + size > NEST_ROOM))
                continue;
            room += size > 1 ? size : 0;
            place->kind = P_ROW;
            place->offset = size;
        }
}

/* Loops over rows that step evenly in every member become one. */
static void collapse_rows(Program *p, Nest *nest)
{
    for (int i = nest->lead - 2; i >= 0; i--) {
        bool even = true;
        for (int m = 0; m < nest->members; m++)
            even = even && kernel_joins(p, nest->member[m], i);
        for (int m = 0; m < nest->members && even; m++)
            kernel_join(p, nest->member[m], i);
        nest->lead -= even;
    }
}

static Kernel *make_kernel(Program *p, Nest *nest)
{
    Kernel *k = arena_alloc(p->ngc, sizeof *k);
    int vals = 0, stores = 0;
    for (int m = 0; m < nest->members; m++)
        for (int i = nest->lead; i < nest->member[m]->axes && !kernel_reduces(nest->member[m]); i++)
            nest->member[m]->axis[i] = AX_TRAIL; /* not to be joined with the rows */
    collapse_rows(p, nest);
    for (int m = 0; m < nest->members; m++) {
        for (int i = nest->member[m]->axes - 2; i >= nest->lead; i--)
            if (kernel_joins(p, nest->member[m], i))
                kernel_join(p, nest->member[m], i);
        vals += nest->member[m]->vals;
        stores += nest->member[m]->stores;
    }
    k->kind = K_LOOP;
    k->phase = nest->phase;
    k->axes = nest->lead;
    k->extent = arena_copy(p->ngc, nest->member[0]->extent, MAX_AXES * sizeof *k->extent);
    k->axis = arena_alloc(p->ngc, MAX_AXES * sizeof *k->axis);
    k->member = arena_copy(p->ngc, nest->member, sizeof nest->member);
    k->members = nest->members;
    k->val = arena_alloc(p->ngc, (size_t)(vals + 1) * sizeof *k->val);
    k->store = arena_alloc(p->ngc, (size_t)(stores + 1) * sizeof *k->store);
    for (int m = 0; m < nest->members; m++) {
        for (int v = 0; v < nest->member[m]->vals; v++)
            k->val[k->vals++] = nest->member[m]->val[v];
        for (int s = 0; s < nest->member[m]->stores; s++)
            k->store[k->stores++] = nest->member[m]->store[s];
    }
    return k;
}

void program_rows(Program *p)
{
    bool *later = arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *later);
    int *reads = arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *reads), kept = 0;
    if (p->init || p->alone)
        return;
    for (int i = 0; i < p->kernels; i++)
        count_reads(p, p->kernel[i], reads, 1);
    for (int i = 0; i < p->kernels; i++) {
        Kernel *k = p->kernel[i];
        int end = i + WINDOW < p->kernels ? i + WINDOW : p->kernels;
        if (k == NULL || !is_candidate(p, k))
            continue;
        Nest nest = {.member = {k},
                     .members = 1,
                     .lead = kernel_reduces(k) ? row_axes(k) : 0,
                     .phase = k->phase};
        if (nest.lead > 0 && columns(p, k, nest.lead) < short_row(p))
            continue;
        for (int j = i + 1; j < end; j++) {
            if (p->kernel[j] == NULL)
                continue;
            if (!reads_later(p, p->kernel[j], later) && try_join(p, &nest, p->kernel[j]))
                p->kernel[j] = NULL;
            else
                mark_stores(p, p->kernel[j], later, true);
        }
        for (int j = i + 1; j < end; j++)
            if (p->kernel[j])
                mark_stores(p, p->kernel[j], later, false);
        if (nest.members == 1)
            continue;
        keep_in_row(p, &nest, reads);
        p->kernel[i] = make_kernel(p, &nest);
    }
    for (int i = 0; i < p->kernels; i++)
        if (p->kernel[i])
            p->kernel[kept++] = p->kernel[i];
    p->kernels = kept;
}
