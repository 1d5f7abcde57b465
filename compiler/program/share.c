/* share.c - how the threads of a pool share a program. Each runs the same straight line of kernels;
 * of a large kernel it does its share, and what is small is done by the first. They wait for each
 * other only where one uses what another wrote, or writes what another uses.
 *
 * A share is a range of one loop's passes, none of which uses what another of them makes, so that
 * every number is computed as by one thread and has the same bits. A nest over rows that also sums
 * over them does so in BLOCKS ranges, each with sums of its own, which are then added in order:
 * that too is the same for any number of threads.
 *
 * program_share decides before memory is planned, program_waits finds the places to wait when it
 * is.
 */
#include "program/program.h"

#include <string.h>

enum {
    FUNCTION = 100000, /* estimated nanoseconds from which on a program is shared at all */
    KERNEL = 2000, /* and from which on a kernel is: more than it takes to wait for each other */
    COLUMN_UNIT =
        32, /* columns and rows of a product: whole tiles of ngrt_gemm_real.h for any processor */
    ROW_UNIT = 24,
    FEW = 3,     /* pieces below which it is one thread's */
    ENOUGH = 8,  /* pieces of a loop that are enough for any number of threads */
    MANY = 2000, /* uses of memory behind which threads wait in any case: to compare them all takes
                    time */
};

/* ---- whose share an element is ---- */

/* The threads share `extent` passes, dealt out by the unit, of which one uses the elements with
 * that (number / step) mod extent. So what one makes and another uses, both with one layout, is
 * made and used by the same thread. */
typedef struct Layout {
    Size extent;
    int64_t step, unit; /* step 0: not known */
} Layout;

static bool same_layout(Layout a, Layout b)
{
    return a.step > 0 && a.step == b.step && a.extent == b.extent && a.unit == b.unit;
}

/* Of what a loop uses at x when passes over that axis are shared. */
static Layout layout_at(const Kernel *in, const Index *x, int axis, int64_t unit)
{
    Layout none = {0, 0, 0}, l = {axis < in->axes ? in->extent[axis] : 0,
                                  x && axis < in->axes ? x->axis[axis].plus : 0, unit};
    int64_t inner = 0;
    if (l.step <= 0 || x->base.plus != 0 || x->base.minus != 0 || x->parts > 0)
        return none;
    for (int i = 0; i < in->axes; i++) {
        int64_t step = x->axis[i].plus;
        if (x->axis[i].minus != 0 || step < 0)
            return none;
        if (i == axis || step == 0 || (l.extent > 0 && step % (l.step * l.extent) == 0))
            continue;
        if (in->extent[i] < 0)
            return none;
        inner += step * (in->extent[i] - 1);
    }
    return inner < l.step ? l : none;
}

/* Of an operand of a product: 0 and 1, or 2 for the result. */
static Layout layout_of_product(const Program *p, const Kernel *k, int operand)
{
    bool by_rows = k->split == SHARE_ROWS;
    Product x = product_of(p->graph, k->product);
    Layout none = {0, 0, 0}, l = {by_rows ? x.m : x.n, 0, k->unit};
    if (k->split == SHARE_WHOLE || (by_rows && operand == 1) ||
        (k->split == SHARE_COLUMNS && operand == 0) || (k->product->shape.rank > 2 && l.extent < 0))
        return none;

    if (operand == 2)
        l.step = by_rows ? x.n : 1;
    else if (operand == 0)
        l.step = x.ta ? 1 : x.k;
    else
        l.step = x.tb ? x.k : 1;
    return l.step > 0 ? l : none;
}

/* ---- which loop is shared ---- */

static int64_t unit_of(const Program *p, const Kernel *k, int axis)
{
    int64_t inner = 1;
    for (int i = axis + 1; i < k->axes && inner < CACHE_LINE; i++)
        inner *= size_max(p->graph, k->extent[i]);
    return inner >= CACHE_LINE || k->member ? 1 : CACHE_LINE;
}

static int64_t pieces_of(const Program *p, Size extent, int64_t unit)
{
    return (size_max(p->graph, extent) + unit - 1) / unit;
}

/* Loads of k, its members among them, of what earlier kernels made: those that fit when it shares
 * that axis, and those that do not. */
static void count_fits(const Program *p, const Kernel *in, const Layout *made, int axis,
                       int64_t unit, int *good, int *bad)
{
    for (int m = 0; m < in->members; m++)
        count_fits(p, in->member[m], made, axis, unit, good, bad);
    for (int v = 0; v < in->vals && !in->member; v++) {
        const Val *x = in->val[v];
        const Layout *l = x->kind == V_LOAD ? &made[p->slot[x->node->id]] : NULL;
        if (l == NULL || l->unit == 0)
            continue;
        if (same_layout(*l, layout_at(in, x->at, axis, unit)))
            ++*good;
        else
            ++*bad;
    }
}

/* An axis by which the loop goes on with what its threads have made, for the most part or, for a
 * small one, all of it. */
static bool follow(const Program *p, Kernel *k, const Layout *made, bool small)
{
    static const int64_t unit[] = {1, CACHE_LINE, COLUMN_UNIT, ROW_UNIT};
    int best = 0;
    for (int i = 0; i < k->axes; i++)
        for (size_t u = 0; u < sizeof unit / sizeof *unit && kernel_axis_is_free(k, i); u++) {
            int good = 0, bad = 0;
            count_fits(p, k, made, i, unit[u], &good, &bad);
            if (good - bad <= best || (small && bad > 0) ||
                pieces_of(p, k->extent[i], unit[u]) < FEW)
                continue;
            best = good - bad;
            k->split = i + 1;
            k->unit = unit[u];
        }
    return best > 0;
}

/* The outermost axis that has enough pieces, or the one that has most. */
static void choose_axis(const Program *p, Kernel *k)
{
    int64_t most = 1;
    for (int i = 0; i < k->axes && most < ENOUGH; i++) {
        int64_t unit = unit_of(p, k, i), pieces = pieces_of(p, k->extent[i], unit);
        if (!kernel_axis_is_free(k, i) || pieces <= most)
            continue;
        most = pieces;
        k->split = i + 1;
        k->unit = unit;
    }
}

/* Nests that only map elements and sum over rows: the threads share the columns. */
static bool choose_columns(const Program *p, Kernel *k)
{
    int axis = k->axes;
    bool sums = false;
    for (int m = 0; m < k->members; m++) {
        const Kernel *in = k->member[m];
        if (in->axes != axis + 1 || in->extent[axis] != k->member[0]->extent[axis] ||
            (kernel_reduces(in) && !kernel_sums_rows(in)))
            return false;
        sums |= kernel_sums_rows(in);
    }
    if (!sums || pieces_of(p, k->member[0]->extent[axis], COLUMN_UNIT) < FEW)
        return false;
    for (int m = 0; m < k->members; m++)
        k->member[m]->split = axis + 1;
    k->split = axis + 1;
    k->unit = COLUMN_UNIT;
    return true;
}

int64_t share_block(const Program *p, const Kernel *member)
{
    return pieces_of(p, shape_count(p->graph, member->store[0].node->shape), CACHE_LINE) *
           CACHE_LINE;
}

/* Members that fold rows together need memory for the sums of each block. */
static bool find_blocks(Program *p, Kernel *k)
{
    for (int m = 0; m < k->members; m++) {
        const Store *s = &k->member[m]->store[0];
        if (!kernel_sums_rows(k->member[m]))
            continue;
        if (s->at == NULL || s->at->base.plus != 0 || s->at->base.minus != 0)
            return false;
        k->blocks += share_block(p, k->member[m]) * BLOCKS;
    }
    p->block_room = k->blocks > p->block_room ? k->blocks : p->block_room;
    return true;
}

/* How far from equal the shares of so many pieces are, for two threads and for four. */
static double uneven(int64_t pieces)
{
    double n = (double)pieces;
    return ((double)((pieces + 1) / 2) * 2 + (double)((pieces + 3) / 4) * 4) / n - 2;
}

/* Whole products, columns or rows. Each thread copies what of B belongs to its columns, and what of
 * A belongs to its rows. */
static void split_product(const Program *p, Kernel *k)
{
    Product x = product_of(p->graph, k->product);
    int64_t batch = size_max(p->graph, x.batch);
    int64_t unit = size_is_one(x.n) ? 2 * ROW_UNIT : ROW_UNIT;
    int64_t rows = pieces_of(p, x.m, unit), columns = pieces_of(p, x.n, COLUMN_UNIT);
    double by_rows = uneven(rows), by_columns = uneven(columns);
    k->unit = 1;
    if (batch > 1 && uneven(batch) <= by_rows && uneven(batch) <= by_columns)
        k->split = SHARE_WHOLE;
    else if (rows < FEW && columns < FEW && k->time < 10 * KERNEL)
        return;
    else if (by_columns <= by_rows + 0.05 &&
             (by_columns + 0.05 < by_rows || size_max(p->graph, x.n) >= size_max(p->graph, x.m)))
        k->split = SHARE_COLUMNS, k->unit = COLUMN_UNIT;
    else
        k->split = SHARE_ROWS, k->unit = unit;
}

/* small: only where no thread has to wait for it. */
static void split_kernel(Program *p, Kernel *k, const Layout *made, bool small)
{
    if (k->kind == K_GEMM && !small)
        split_product(p, k);
    if (k->kind == K_CALL && !small && op_info[k->product->op]->flags & F_PARTS)
        k->split = 1;
    if (k->kind != K_LOOP || k->axes == 0 || (small && k->member))
        return;
    if ((k->member && choose_columns(p, k)) || (k->member && !find_blocks(p, k)))
        return;
    if ((k->blocks == 0 && follow(p, k, made, small)) || small)
        return;
    choose_axis(p, k);
}

/* What k makes, for those that follow. */
static void note_made(const Program *p, const Kernel *k, const Kernel *in, Layout *made)
{
    for (int m = 0; m < in->members; m++)
        note_made(p, k, in->member[m], made);
    for (int s = 0; s < in->stores && !in->member; s++) {
        Layout *l = &made[p->slot[in->store[s].node->id]];
        *l = (Layout){0, 0, 0};
        if (k->split && k->kind == K_GEMM)
            *l = layout_of_product(p, k, 2);
        else if (k->split && k->kind == K_LOOP && k->blocks == 0)
            *l = layout_at(in, in->store[s].at, k->split - 1, k->unit);
        l->unit = l->unit ? l->unit : -1;
    }
}

/* Runs of kernels that one thread does. */
static void number_groups(Program *p)
{
    int group = 0;
    for (int i = 0; i < p->kernels; i++) {
        const Kernel *before = i ? p->kernel[i - 1] : NULL;
        Kernel *k = p->kernel[i];
        if (before == NULL || before->split || k->split || before->phase != k->phase ||
            before->part != k->part)
            group++;
        k->group = group;
    }
}

void program_share(Program *p)
{
    double forced = p->ngc->opt.pool_from, time = 0, large = 0;
    if (p->plain || p->init || p->alone || p->ngc->opt.optimize == 0 ||
        strcmp(p->name, "update") == 0)
        return;
    for (int i = 0; i < p->kernels; i++) {
        double one = p->kernel[i]->time = kernel_time(p, p->kernel[i]);
        time += one;
        large += one >= KERNEL ? one : 0;
    }
    p->time = time;
    p->worth = forced > 0 ? forced : FUNCTION;
    if (time < p->worth || (forced == 0 && large < time / 4))
        return;
    Layout *made = arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *made);
    for (int i = 0; i < p->kernels; i++) {
        split_kernel(p, p->kernel[i], made, p->kernel[i]->time < (forced > 0 ? forced : KERNEL));
        note_made(p, p->kernel[i], p->kernel[i], made);
    }
    for (int i = 0; i < p->kernels; i++)
        p->shared |= p->kernel[i]->split > 0;
    number_groups(p);
}

/* ---- where they wait ---- */

typedef struct Use { /* of memory, by a kernel */
    PlaceKind kind;
    const void *base; /* the variable, or the name of the member; NULL: space */
    Type type;
    int64_t from, to;   /* elements */
    bool writes, alone; /* alone: by the first thread */
    const Node *piece;  /* a part of this node is written, which no other kernel writes */
    Layout layout;
} Use;

typedef struct Uses {
    Use *use;
    int count, room;
} Uses;

static void add_use(Program *p, Uses *list, const Kernel *k, const Place *place, const Node *n,
                    Layout layout, bool writes)
{
    Use u = {.kind = place->kind,
             .type = n->type,
             .writes = writes,
             .alone = !k->split,
             .layout = layout};
    u.to = size_max(p->graph, shape_count(p->graph, n->shape));
    if (place->kind == P_VAR && place->var->kind != VAR_INPUT)
        u.base = place->var, u.to = INT64_MAX;
    else if (place->kind == P_MEMBER || place->kind == P_GRAD)
        u.base = place->name, u.to = INT64_MAX;
    else if (place->kind == P_SPACE)
        u.from = place->offset, u.to += place->offset;
    else
        return;
    u.piece = writes && n->op == OP_concat ? n : NULL;
    list->use = arena_grow(p->ngc, list->use, list->count, &list->room, sizeof *list->use);
    list->use[list->count++] = u;
}

static Layout layout_in_loop(const Kernel *k, const Kernel *in, const Index *x)
{
    return k->split && k->kind == K_LOOP && k->blocks == 0 ? layout_at(in, x, k->split - 1, k->unit)
                                                           : (Layout){0, 0, 0};
}

/* Is what a product is added to copied before, which is shared otherwise? */
static bool copies(const Program *p, const Kernel *k)
{
    const Place *from = k->onto ? program_place(p, k->onto) : NULL,
                *to = program_place(p, k->store[0].node);
    return from && (from->kind != to->kind || from->var != to->var || from->offset != to->offset ||
                    from->name != to->name);
}

static void add_product(Program *p, Uses *list, const Kernel *k)
{
    for (int i = 0; i < 3; i++) {
        const Node *n = kernel_operand(p, k, i);
        if (n)
            add_use(p, list, k, program_place(p, n), n,
                    k->split && !copies(p, k) ? layout_of_product(p, k, i) : (Layout){0, 0, 0},
                    false);
    }
    add_use(p, list, k, store_place(p, &k->store[0]), k->store[0].node,
            k->split && !copies(p, k) ? layout_of_product(p, k, 2) : (Layout){0, 0, 0}, true);
}

/* What a kernel does before the threads meet within it: all, but for sums that are added up behind
 * it. */
static void add_kernel(Program *p, Uses *list, const Kernel *k, const Kernel *in)
{
    for (int m = 0; m < in->members; m++)
        add_kernel(p, list, k, in->member[m]);
    for (int v = 0; v < in->vals && !in->member; v++)
        if (in->val[v]->kind == V_LOAD)
            add_use(p, list, k, program_place(p, in->val[v]->node), in->val[v]->node,
                    layout_in_loop(k, in, in->val[v]->at), false);
    if (k->kind == K_GEMM) {
        add_product(p, list, k);
        return;
    }
    for (int s = 0; s < in->stores && !in->member; s++)
        if (!(k->split && k->blocks && kernel_sums_rows(in)))
            add_use(p, list, k, store_place(p, &in->store[s]), in->store[s].node,
                    layout_in_loop(k, in, in->store[s].at), true);
    for (int i = 0; i < 3; i++)
        if (kernel_operand(p, in, i))
            add_use(p, list, k, program_place(p, kernel_operand(p, in, i)),
                    kernel_operand(p, in, i), (Layout){0, 0, 0}, false);
}

/* The memory for the sums of blocks. */
static void add_blocks(Program *p, Uses *list, bool writes)
{
    list->use = arena_grow(p->ngc, list->use, list->count, &list->room, sizeof *list->use);
    list->use[list->count++] = (Use){.kind = P_SPACE,
                                     .from = p->block_at,
                                     .to = p->block_at + p->block_room,
                                     .type = T_FLOAT,
                                     .writes = writes};
}

static bool same_memory(const Use *a, const Use *b)
{
    if (a->kind != b->kind || (!a->writes && !b->writes) || a->from >= b->to || b->from >= a->to ||
        (a->piece && a->piece == b->piece))
        return false;
    if (a->kind == P_MEMBER || a->kind == P_GRAD)
        return strcmp(a->base, b->base) == 0;
    return a->kind == P_SPACE ? a->type == b->type : a->base == b->base;
}

/* Might one thread do the one, and another the other? */
static bool by_others(const Use *a, const Use *b)
{
    return !(a->alone && b->alone) && !(a->from == b->from && same_layout(a->layout, b->layout));
}

static bool conflicts(const Uses *before, const Uses *now)
{
    for (int i = 0; i < before->count; i++)
        for (int j = 0; j < now->count; j++)
            if (same_memory(&before->use[i], &now->use[j]) &&
                by_others(&before->use[i], &now->use[j]))
                return true;
    return before->count > MANY;
}

static void append(Program *p, Uses *to, const Uses *from)
{
    for (int i = 0; i < from->count; i++) {
        to->use = arena_grow(p->ngc, to->use, to->count, &to->room, sizeof *to->use);
        to->use[to->count++] = from->use[i];
    }
}

/* Behind the sums of blocks the threads have met. */
static void add_sums(Program *p, Uses *before, const Kernel *k)
{
    before->count = 0;
    add_blocks(p, before, false);
    for (int m = 0; m < k->members; m++)
        if (kernel_sums_rows(k->member[m]))
            add_use(p, before, k, store_place(p, &k->member[m]->store[0]),
                    k->member[m]->store[0].node, (Layout){0, 0, 0}, true);
}

void program_waits(Program *p)
{
    Uses before = {0}, now = {0};
    if (!p->shared)
        return;
    for (int i = 0, end; i < p->kernels; i = end) {
        Kernel *k = p->kernel[i];
        now.count = 0;
        if (i > 0 && p->kernel[i - 1]->phase != k->phase)
            before.count = 0;
        for (end = i; end < p->kernels && p->kernel[end]->group == k->group; end++)
            add_kernel(p, &now, p->kernel[end], p->kernel[end]);
        if (k->split && k->blocks)
            add_blocks(p, &now, true);
        k->waits = conflicts(&before, &now);
        if (k->waits)
            before.count = 0;
        append(p, &before, &now);
        if (k->split && k->blocks)
            add_sums(p, &before, k);
    }
}
