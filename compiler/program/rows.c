/* rows.c - row fusion: kernels that walk the same rows are joined. A softmax, a normalisation, a
 * loss and their derivatives become one nest in which all is done to a row while it is in the
 * cache. What only the nest reads is a variable, or a small array for one row.
 *
 *     for each row:
 *         s = the sum of its elements             a reduction of each row
 *         m = s/n                                 a map over [rows]
 *         d[j] = x[j] - m                         a map over [rows, columns]
 *         v = the sum of d[j]*d[j]                a reduction of each row
 *         db[j] += d[j]                           a sum over the rows
 *
 * These four kinds of kernels can be members of a nest. Sums over the rows, such as the gradient of
 * a bias, are complete only after the last row.
 *
 * Requires: kernels in their final order, not collapsed. Keeps: that order for all that is not
 * joined; a member moves up to the first of its nest, so what it reads must be there by then.
 * Gives: kernels with members (Kernel.member), places of kind P_ROW.
 */
#include "program/program.h"

enum {
    WINDOW = 24,      /* kernels among which members are sought */
    SHORT_ROW = 16,   /* columns: shorter rows are better done by loops over all elements */
    ROW_ROOM = 4096,  /* columns of a row in an array of its own */
    NEST_ROOM = 8192, /* elements of all such arrays of a nest */
    MEMBERS = 12,     /* of one nest */
    SUM_ROOM = 512,   /* columns of a long sum of rows, which is taken in an array of doubles */
};

typedef struct Nest { /* one that is being gathered */
    Kernel *member[MEMBERS];
    int members;
    int lead;  /* axes of the rows, the first of each member; 0: not known before a reduction */
    int phase; /* of all members */
} Nest;

/* Shortest rows that are fused; tests ask for shorter ones. */
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

/* The number of axes that the rows can be made of: those of a map's elements, of a reduction's
 * results, or those that a sum of rows reduces. */
static int row_axes(const Kernel *k)
{
    if (!kernel_reduces(k))
        return k->axes;
    return count_axes(k, kernel_sums_rows(k) ? AX_REDUCE : AX_LEAD);
}

/* Can its sum of rows be a member: are its loops only over rows and columns, and is there room for
 * a sum in double? */
static bool sums_rows_fit(const Program *p, const Kernel *k)
{
    int64_t columns = kernel_columns(k);

    if (count_axes(k, AX_LEAD) > 0 || k->store[0].node->type != T_FLOAT)
        return false;
    return !kernel_sums_many(p, k) || (columns >= 0 && columns <= SUM_ROOM);
}

/* Has a result a place of its own, stored by one kernel only? */
static bool is_own_result(const Program *p, const Store *s)
{
    Op op = s->node->op;
    if (s->target || s->add || op == OP_concat || op == OP_scatter || op == OP_assign ||
        op == OP_carried)
        return false;

    PlaceKind kind = program_own_place(p, s->node)->kind;
    return kind == P_SPACE || kind == P_GRAD || kind == P_MEMBER;
}

/* Could it be a member at all? */
static bool is_candidate(const Program *p, const Kernel *k)
{
    if (k->kind != K_LOOP || k->axes == 0 || k->axes + 2 > MAX_AXES || row_axes(k) == 0)
        return false;
    if (kernel_reduces(k) && count_axes(k, AX_REDUCE) == 0)
        return false;
    if (kernel_sums_rows(k) && !sums_rows_fit(p, k))
        return false;

    for (int i = 0; i < k->stores; i++)
        if (!is_own_result(p, &k->store[i]))
            return false;
    return true;
}

/* ---- the same rows ---- */

/* Splits axis i of all members. */
static bool split_members(Program *p, Nest *nest, int i, Size inner)
{
    for (int m = 0; m < nest->members; m++)
        if (nest->member[m]->axes == MAX_AXES)
            return false;
    for (int m = 0; m < nest->members; m++)
        kernel_split(p, nest->member[m], i, inner);
    nest->lead++;
    return true;
}

/* Makes k's first axes the same as those of the nest's rows. Where one of two axes is a whole
 * multiple of the other, it is split in two. */
static bool align_rows(Program *p, Nest *nest, Kernel *k)
{
    const Kernel *first = nest->member[0];
    int limit = row_axes(k);

    for (int i = 0; i < nest->lead; i++) {
        if (i == limit)
            return false;

        Size a = first->extent[i];
        Size b = k->extent[i];
        if (a == b)
            continue;
        if (a < 0 || b < 0 || k->axes == MAX_AXES)
            return false;

        /* k walks [b] where the nest walks [a, b/a]: loop i becomes two */
        if (b > a && b % a == 0) {
            kernel_split(p, k, i, b / a);
            limit++;
        } else if (a % b != 0 || !split_members(p, nest, i, a / b)) {
            return false;
        }
    }
    /* a reduction must have exactly these rows; a map may go on, into the columns */
    return !kernel_reduces(k) || limit == nest->lead;
}

/* The distance from the first to the last element that x reaches by k's axes after those of the
 * rows, plus 1; -1: not known. */
static int64_t span(const Kernel *k, int lead, const Index *x)
{
    int64_t n = 1;

    for (int i = lead; x && i < k->axes; i++) {
        Coef by = x->axis[i];
        if (by.minus != 0 || by.plus < 0)
            return -1;
        if (by.plus == 0)
            continue;
        if (k->extent[i] < 0)
            return -1;
        n += by.plus * (k->extent[i] - 1);
    }
    return n;
}

/* Do x in k and y in `of` walk a row's elements in the same way? */
static bool same_walk(const Kernel *k, const Index *x, const Kernel *of, const Index *y, int lead)
{
    const Coef still = {0, 0};

    for (int i = lead; i < MAX_AXES; i++) {
        /* neither moves along this axis */
        if (coef_equal(x->axis[i], still) && coef_equal(y->axis[i], still))
            continue;
        if (i >= k->axes || i >= of->axes || k->extent[i] != of->extent[i])
            return false;
        if (!coef_equal(x->axis[i], y->axis[i]))
            return false;
    }
    return true;
}

/* Does the element at x, in k, belong to the row in which `of` stores at y? */
static bool in_row(const Kernel *k, const Index *x, const Kernel *of, const Index *y, int lead)
{
    Index zero = index_zero();
    if (!x)
        x = &zero;
    if (!y)
        y = &zero;

    /* the row begins at the same element */
    if (x->parts > 0 || y->parts > 0 || !coef_equal(x->base, y->base))
        return false;
    for (int i = 0; i < lead; i++)
        if (!coef_equal(x->axis[i], y->axis[i]))
            return false;

    /* and is not left; where sizes are known at run time only, both must walk it alike */
    int64_t mine = span(k, lead, x);
    int64_t whole = span(of, lead, y);
    if (mine >= 0 && whole >= 0)
        return mine <= whole;
    return same_walk(k, x, of, y, lead);
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

/* The number of the last member that stores n; 0 if none does. */
static int storing_member(const Kernel *k, const Node *n)
{
    int own = 0;

    for (int m = 0; m < k->members; m++)
        for (int i = 0; i < k->member[m]->stores; i++)
            if (k->member[m]->store[i].node == n)
                own = m;
    return own;
}

/* May store s of member `own` overwrite what member m loads with x? It may if m has done its work
 * on the row, or does it on the very element. */
static bool may_overwrite(const Kernel *k, int own, const Store *s, int m, const Val *x)
{
    if (m > own || !in_row(k->member[m], x->at, k->member[own], s->at, k->axes))
        return false;
    /* an earlier member is done with the row; in the same member the element itself is read first
     */
    return m < own || index_equal(x->at, s->at);
}

bool kernel_reads_row(const Kernel *k, const Store *s, const Node *n)
{
    int own = storing_member(k, s->node);
    if (kernel_sums_rows(k->member[own]))
        return false;

    for (int m = 0; m < k->members; m++)
        for (int v = 0; v < k->member[m]->vals; v++) {
            const Val *x = k->member[m]->val[v];
            if (x->kind == V_LOAD && x->node == n && !may_overwrite(k, own, s, m, x))
                return false;
        }
    return true;
}

/* ---- gathering ---- */

/* Do the members load the same part of a row as the load x of k? A part shorter than SHORT_ROW does
 * not count. */
static bool is_loaded(const Nest *nest, const Kernel *k, const Val *x, int lead)
{
    /* joining pays where a row is read once from memory instead of twice */
    if (!x->at || span(k, lead, x->at) < SHORT_ROW)
        return false;

    for (int m = 0; m < nest->members; m++)
        for (int w = 0; w < nest->member[m]->vals; w++) {
            const Val *y = nest->member[m]->val[w];
            if (y->kind == V_LOAD && y->node == x->node && y->at &&
                in_row(k, x->at, nest->member[m], y->at, lead))
                return true;
        }
    return false;
}

/* Does k read what the members store, each in its own row, or at least what they read too? */
static bool fits(const Nest *nest, const Kernel *k, int lead)
{
    bool shares = false;

    for (int v = 0; v < k->vals; v++) {
        const Val *x = k->val[v];
        const Store *store;
        if (x->kind != V_LOAD)
            continue;

        /* what a member makes must be complete when k reads it: the row is, sums over rows are not
         */
        const Kernel *of = find_store(nest->member, nest->members, x->node, &store);
        if (of && (kernel_sums_rows(of) || !in_row(k, x->at, of, store->at, lead)))
            return false;
        if (of || (!shares && is_loaded(nest, k, x, lead)))
            shares = true;
    }
    return shares;
}

/* Columns of k's rows; of run-time sizes, the bound. */
static int64_t columns(const Program *p, const Kernel *k, int lead)
{
    int64_t n = 1;

    for (int i = lead; i < k->axes; i++)
        n *= size_max(p->graph, k->extent[i]);
    return n;
}

/* Joins the reduction k to a nest that is one map so far: the rows are those of k's results. */
static bool join_reduction(Program *p, Nest *nest, Kernel *k)
{
    Nest own = {.member = {k}, .members = 1, .lead = row_axes(k), .phase = k->phase};

    if (!kernel_reduces(k) || columns(p, k, own.lead) < short_row(p))
        return false;
    /* the reduction says what a row is, and the map is cut to these rows */
    if (!align_rows(p, &own, nest->member[0]) || !fits(nest, k, own.lead))
        return false;
    nest->lead = own.lead;
    return true;
}

/* Joins k to a nest whose rows are known. A map of one element a row joins, too. */
static bool join_rows(Program *p, Nest *nest, Kernel *k)
{
    if (!align_rows(p, nest, k))
        return false;

    int64_t n = columns(p, k, nest->lead);
    bool is_short = n > 1 && n < short_row(p);
    return !is_short && fits(nest, k, nest->lead);
}

static bool try_join(Program *p, Nest *nest, Kernel *k)
{
    if (nest->members == MEMBERS || k->phase != nest->phase || !is_candidate(p, k))
        return false;

    /* a map alone does not say where its rows end */
    bool joined = nest->lead == 0 ? join_reduction(p, nest, k) : join_rows(p, nest, k);
    if (joined)
        nest->member[nest->members++] = k;
    return joined;
}

/* Does k read what is stored by a kernel that comes after the nest's first and is not a member? */
static bool reads_later(const Program *p, const Kernel *k, const bool *later)
{
    for (int v = 0; v < k->vals; v++)
        if (k->val[v]->kind == V_LOAD && later[slot_of(p, k->val[v]->node)])
            return true;
    return false;
}

static void mark_stores(const Program *p, const Kernel *k, bool *later, bool on)
{
    for (int s = 0; s < k->stores; s++)
        later[slot_of(p, k->store[s].node)] = on;
}

/* ---- one kernel of the members ---- */

static int count_loads(const Kernel *k, const Node *n)
{
    int loads = 0;

    for (int v = 0; v < k->vals; v++)
        loads += k->val[v]->kind == V_LOAD && k->val[v]->node == n;
    return loads;
}

/* Is n read, and by members only? reads: by slot, over all kernels. */
static bool is_internal(const Program *p, const Nest *nest, const Node *n, const int *reads)
{
    int inside = 0;

    for (int m = 0; m < nest->members; m++)
        inside += count_loads(nest->member[m], n);
    return inside > 0 && inside == reads[slot_of(p, n)];
}

/* What no other kernel reads is kept in a variable, or in an array for one row. */
static void keep_in_row(Program *p, const Nest *nest, const int *reads)
{
    int64_t room = 0; /* elements of all arrays so far */

    for (int m = 0; m < nest->members; m++) {
        const Kernel *k = nest->member[m];
        for (int s = 0; s < k->stores; s++) {
            Place *place = program_own_place(p, k->store[s].node);
            /* sums over rows live longer than a row */
            if (place->kind != P_SPACE || kernel_sums_rows(k) ||
                !is_internal(p, nest, k->store[s].node, reads))
                continue;

            /* the elements of one row, from its first to its last; in C an array on the stack */
            int64_t size = span(k, nest->lead, k->store[s].at);
            if (size < 0 || size > ROW_ROOM || (size > 1 && room + size > NEST_ROOM))
                continue;

            place->kind = P_ROW;
            place->offset = size;
            if (size > 1)
                room += size;
        }
    }
}

/* Two adjacent loops over rows become one, if every member steps through both at one distance. */
static void collapse_rows(Program *p, Nest *nest)
{
    for (int i = nest->lead - 2; i >= 0; i--) {
        bool even = true;
        /* the members share these loops, so all of them or none */
        for (int m = 0; m < nest->members; m++)
            even = even && kernel_joins(p, nest->member[m], i);
        if (!even)
            continue;

        for (int m = 0; m < nest->members; m++)
            kernel_join(p, nest->member[m], i);
        nest->lead--;
    }
}

/* The same for a member's loops over the columns. */
static void collapse_columns(Program *p, const Nest *nest, Kernel *k)
{
    for (int i = k->axes - 2; i >= nest->lead; i--)
        if (kernel_joins(p, k, i))
            kernel_join(p, k, i);
}

/* A map's columns get another kind of axis than its rows, so that the two are not joined. */
static void mark_columns(const Nest *nest, Kernel *k)
{
    for (int i = nest->lead; i < k->axes; i++)
        k->axis[i] = AX_TRAIL;
}

void kernel_gather_members(Program *p, Kernel *k)
{
    int vals = 0, stores = 0;

    for (int m = 0; m < k->members; m++) {
        vals += k->member[m]->vals;
        stores += k->member[m]->stores;
    }
    k->val = arena_array(p->ngc, vals + 1, sizeof *k->val);
    k->store = arena_array(p->ngc, stores + 1, sizeof *k->store);
    k->vals = k->stores = 0;

    for (int m = 0; m < k->members; m++) {
        const Kernel *member = k->member[m];
        for (int v = 0; v < member->vals; v++)
            k->val[k->vals++] = member->val[v];
        for (int s = 0; s < member->stores; s++)
            k->store[k->stores++] = member->store[s];
    }
}

static Kernel *make_kernel(Program *p, Nest *nest)
{
    Ngc *ngc = p->ngc;
    for (int m = 0; m < nest->members; m++)
        if (!kernel_reduces(nest->member[m]))
            mark_columns(nest, nest->member[m]);
    collapse_rows(p, nest);
    for (int m = 0; m < nest->members; m++)
        collapse_columns(p, nest, nest->member[m]);

    Kernel *k = arena_alloc(ngc, sizeof *k);
    k->kind = K_LOOP;
    k->phase = nest->phase;
    k->loop = nest->member[0]->loop;
    k->times = nest->member[0]->times;
    k->axes = nest->lead;
    k->extent = arena_copy(ngc, nest->member[0]->extent, MAX_AXES * sizeof *k->extent);
    k->axis = arena_array(ngc, MAX_AXES, sizeof *k->axis);
    k->member = arena_copy(ngc, nest->member, sizeof nest->member);
    k->members = nest->members;
    kernel_gather_members(p, k);
    return k;
}

/* Are both done in the same passes, with no begin or end of a loop between them? */
static bool same_pass(const Kernel *k, const Kernel *later)
{
    if (!later)
        return true;
    return later->loop == k->loop && later->kind != K_FOR && later->kind != K_NEXT &&
           later->kind != K_TEST;
}

/* A nest of kernel i and those of the next WINDOW kernels that fit. They are taken out of
 * p->kernel. later: by slot, all false before and after. */
static void gather_nest(Program *p, Nest *nest, int i, bool *later)
{
    int end = i + 1;

    while (end < p->kernels && end < i + WINDOW && same_pass(p->kernel[i], p->kernel[end]))
        end++;

    for (int j = i + 1; j < end; j++) {
        if (p->kernel[j] == NULL)
            continue;
        /* a member moves up to the nest: what it reads must not be made by a kernel that stays
         * behind */
        if (!reads_later(p, p->kernel[j], later) && try_join(p, nest, p->kernel[j]))
            p->kernel[j] = NULL;
        else
            mark_stores(p, p->kernel[j], later, true);
    }

    for (int j = i + 1; j < end; j++)
        if (p->kernel[j])
            mark_stores(p, p->kernel[j], later, false);
}

void program_rows(Program *p)
{
    bool *later = arena_array(p->ngc, p->nodes + 1, sizeof *later);
    int *reads = arena_array(p->ngc, p->nodes + 1, sizeof *reads);
    if (p->init || p->alone)
        return;

    for (int i = 0; i < p->kernels; i++)
        kernel_count_reads(p, p->kernel[i], reads, 1);

    for (int i = 0; i < p->kernels; i++) {
        Kernel *k = p->kernel[i];
        if (k == NULL || !is_candidate(p, k))
            continue;

        /* k is the first member; those after it may join */
        Nest nest = {.member = {k}, .members = 1, .phase = k->phase};
        if (kernel_reduces(k))
            nest.lead = row_axes(k);
        if (nest.lead > 0 && columns(p, k, nest.lead) < short_row(p))
            continue;

        gather_nest(p, &nest, i, later);
        if (nest.members > 1) {
            keep_in_row(p, &nest, reads);
            p->kernel[i] = make_kernel(p, &nest);
        }
    }

    int kept = 0;
    for (int i = 0; i < p->kernels; i++)
        if (p->kernel[i])
            p->kernel[kept++] = p->kernel[i];
    p->kernels = kept;
    program_positions(p);
}
