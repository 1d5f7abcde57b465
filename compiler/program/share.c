/* share.c - how the threads of a pool share a program. Each thread runs the same straight line of
 * kernels: of a large kernel it does its share, and a small one is done by the first thread alone.
 * They wait for each other only where one uses what another wrote, or writes what another uses.
 *
 * A share is a range of one loop's passes. No pass uses what another makes, so every number is
 * computed as by one thread and has the same bits. A nest over rows that also sums over them does
 * so in BLOCKS ranges, each with sums of its own, which are then added in order: that too is the
 * same for any number of threads.
 *
 * program_share decides before memory is planned. program_waits finds the places to wait after it
 * is planned.
 */
#include "program/program.h"

#include <string.h>

enum {
    /* estimated nanoseconds */
    FUNCTION = 100000, /* from which a program is shared at all */
    KERNEL = 2000,     /* from which a kernel is shared: more than the threads take to meet */

    /* columns and rows of a product: whole tiles of ngrt_gemm_real.h for any processor */
    COLUMN_UNIT = 32,
    ROW_UNIT = 24,

    FEW = 3,     /* a loop of fewer pieces is left to one thread */
    ENOUGH = 8,  /* pieces of a loop that are enough for any number of threads */
    MANY = 2000, /* after more uses of memory threads wait in any case: to compare takes time */
};

/* ---- whose share an element is ---- */

/* The threads share `extent` passes, dealt out by the unit. Pass i uses the elements e with
 *     e / step mod extent = i
 * If one kernel makes what another uses, both with the same layout, then each element is made and
 * used by the same thread. */
typedef struct Layout {
    Size extent;  /* passes that are shared */
    int64_t step; /* elements from one pass to the next; 0: the layout is not known */
    int64_t unit; /* passes dealt out together */
} Layout;

static const Layout unknown;

/* Rows of some elements, and the same elements one by one with a unit of a row, are one layout: the
 * same elements are dealt out together, and begin anew after the same number. */
static bool same_layout(Layout a, Layout b)
{
    if (a.step <= 0 || b.step <= 0 || a.step * a.unit != b.step * b.unit)
        return false;
    if (a.step == b.step)
        return a.extent == b.extent;
    return a.extent > 0 && b.extent > 0 && a.extent * a.step == b.extent * b.step;
}

/* The layout of what a loop uses at x, when the passes over that axis are shared. */
static Layout layout_at(const Kernel *in, const Index *x, int axis, int64_t unit)
{
    if (x == NULL || axis >= in->axes)
        return unknown;
    if (x->base.plus != 0 || x->base.minus != 0 || x->parts > 0)
        return unknown;

    /* axis i moves e by its step: pass i of the shared axis is e / step mod extent only if all
     * smaller steps together stay below step */
    Layout l = {in->extent[axis], x->axis[axis].plus, unit};
    int64_t inner = 0; /* the largest offset that the axes of smaller steps add */
    if (l.step <= 0)
        return unknown;

    for (int i = 0; i < in->axes; i++) {
        int64_t step = x->axis[i].plus;
        if (x->axis[i].minus != 0 || step < 0)
            return unknown;

        /* an axis outside the shared one does not change e / step mod extent */
        bool outer = l.extent > 0 && step % (l.step * l.extent) == 0;
        if (i == axis || step == 0 || outer)
            continue;
        if (in->extent[i] < 0)
            return unknown;
        inner += step * (in->extent[i] - 1);
    }

    /* else an inner axis runs into the elements of the next pass */
    return inner < l.step ? l : unknown;
}

/* Does each thread use all of this operand, or has it no layout that is known? */
static bool operand_is_common(const Kernel *k, Size extent, int operand)
{
    switch (k->split) {
    case SHARE_WHOLE: return true;
    case SHARE_ROWS:
        if (operand == 1)
            return true;
        break;
    case SHARE_COLUMNS:
        if (operand == 0)
            return true;
        break;
    default: break;
    }
    /* in a batch the next product begins after extent rows, which is not a number here */
    return k->product->shape.rank > 2 && extent < 0;
}

/* The layout of A (operand 0), B (1) or the result (2) of a product [m, k] x [k, n]. */
static Layout layout_of_product(const Program *p, const Kernel *k, int operand)
{
    Product x = product_of(p->graph, k->product);
    bool by_rows = k->split == SHARE_ROWS;
    Layout l = {.unit = k->unit};

    l.extent = by_rows ? x.m : x.n;
    if (operand_is_common(k, l.extent, operand))
        return unknown;

    /* one row of A is k elements, or one if A is stored transposed; columns of B likewise */
    switch (operand) {
    case 0: l.step = x.ta ? 1 : x.k; break;
    case 1: l.step = x.tb ? x.k : 1; break;
    default: l.step = by_rows ? x.n : 1; break;
    }
    return l.step > 0 ? l : unknown;
}

/* The layout of the result of a convolution, [channels, rows, columns, batch]: the threads share
 * its rows. Of the other calls with parts it is not known. */
static Layout layout_of_call(const Kernel *k)
{
    const Shape *y = &k->store[0].node->shape;

    if (!k->split || k->product->op != OP_conv || y->dim[2] < 0 || y->dim[3] < 0)
        return unknown;
    return (Layout){y->dim[1], (int64_t)y->dim[2] * y->dim[3], 1};
}

/* ---- which loop is shared ---- */

/* Passes over an axis that are dealt out together: single ones, if each of them writes a cache line
 * or more. */
static int64_t unit_of(const Program *p, const Kernel *k, int axis)
{
    int64_t inner = 1;

    /* a row of a nest is at least SHORT_ROW elements */
    if (k->member)
        return 1;
    for (int i = axis + 1; i < k->axes && inner < CACHE_LINE; i++)
        inner *= size_max(p->graph, k->extent[i]);
    return inner >= CACHE_LINE ? 1 : CACHE_LINE;
}

static int64_t pieces_of(const Program *p, Size extent, int64_t unit)
{
    return (size_max(p->graph, extent) + unit - 1) / unit;
}

/* Counts the loads of a kernel, its members' included, of what earlier kernels made: `good` are
 * those with the layout that they were made with, if the kernel shares that axis, and `bad` the
 * others. */
static void count_fits(const Program *p, const Kernel *in, const Layout *made, int axis,
                       int64_t unit, int *good, int *bad)
{
    for (int m = 0; m < in->members; m++)
        count_fits(p, in->member[m], made, axis, unit, good, bad);
    if (in->member)
        return;

    for (int v = 0; v < in->vals; v++) {
        const Val *x = in->val[v];
        if (x->kind != V_LOAD)
            continue;

        /* made by a kernel of this program, by shares of this layout or not */
        const Layout *l = &made[p->slot[x->node->id]];
        if (l->unit == 0) /* no kernel made it */
            continue;
        if (same_layout(*l, layout_at(in, x->at, axis, unit)))
            ++*good;
        else
            ++*bad;
    }
}

/* Passes over an axis that use what was made as one row, if they are neighbours in it: the largest
 * such number of the loads of a kernel, or 1. */
static int64_t row_of(const Program *p, const Kernel *k, const Layout *made, int axis)
{
    int64_t row = 1;

    for (int v = 0; v < k->vals && !k->member; v++) {
        const Val *x = k->val[v];
        if (x->kind != V_LOAD || x->at == NULL || x->at->axis[axis].plus != 1)
            continue;

        const Layout *l = &made[p->slot[x->node->id]];
        if (l->unit > 0 && l->step * l->unit > row)
            row = l->step * l->unit;
    }
    return row;
}

/* Chooses the axis and the unit by which most loads are of what the same thread has made; for a
 * small loop all of them must be. */
static bool follow(const Program *p, Kernel *k, const Layout *made, bool small)
{
    int best = 0;

    for (int i = 0; i < k->axes; i++) {
        const int64_t unit[] = {1, CACHE_LINE, COLUMN_UNIT, ROW_UNIT, row_of(p, k, made, i)};
        if (!kernel_axis_is_free(k, i))
            continue;

        for (size_t u = 0; u < sizeof unit / sizeof *unit; u++) {
            int good = 0, bad = 0;
            count_fits(p, k, made, i, unit[u], &good, &bad);
            /* each fit saves a barrier, and each misfit costs one */
            if (good - bad <= best || (small && bad > 0))
                continue;
            if (pieces_of(p, k->extent[i], unit[u]) < FEW)
                continue;

            best = good - bad;
            k->split = i + 1;
            k->unit = unit[u];
        }
    }
    return best > 0;
}

/* Chooses the outermost axis that has enough pieces, or the one that has most. */
static void choose_axis(const Program *p, Kernel *k)
{
    int64_t most = 1;

    for (int i = 0; i < k->axes && most < ENOUGH; i++) {
        int64_t unit = unit_of(p, k, i);
        int64_t pieces = pieces_of(p, k->extent[i], unit);
        /* the outermost axis keeps what a thread writes together; an inner one is better only if it
         * gives more pieces */
        if (!kernel_axis_is_free(k, i) || pieces <= most)
            continue;

        most = pieces;
        k->split = i + 1;
        k->unit = unit;
    }
}

/* In a nest that only maps elements and sums over rows, the threads share the columns: the axis
 * after those of the nest. */
static bool choose_columns(const Program *p, Kernel *k)
{
    int axis = k->axes;
    bool sums = false;

    for (int m = 0; m < k->members; m++) {
        const Kernel *in = k->member[m];
        bool sums_rows = kernel_sums_rows(in);
        /* all members must have the same columns, right after the rows */
        if (in->axes != axis + 1 || in->extent[axis] != k->member[0]->extent[axis])
            return false;
        /* a reduction of a row needs all its columns, and a half row has no even shares */
        if ((kernel_reduces(in) && !sums_rows) || in->half)
            return false;
        sums |= sums_rows;
    }
    if (!sums || pieces_of(p, k->member[0]->extent[axis], COLUMN_UNIT) < FEW)
        return false;

    for (int m = 0; m < k->members; m++)
        k->member[m]->split = axis + 1;
    k->split = axis + 1;
    k->unit = COLUMN_UNIT;
    return true;
}

/* Elements that the sums of one block take: whole cache lines. */
int64_t share_block(const Program *p, const Kernel *member)
{
    Size sums = shape_count(p->graph, member->store[0].node->shape);

    return pieces_of(p, sums, CACHE_LINE) * CACHE_LINE;
}

/* Counts the memory for the sums of each block, if members sum over rows. False: one of them does
 * not store its sums from the beginning. */
static bool find_blocks(Program *p, Kernel *k)
{
    for (int m = 0; m < k->members; m++) {
        const Index *at = k->member[m]->store[0].at;
        if (!kernel_sums_rows(k->member[m]))
            continue;
        if (at == NULL || at->base.plus != 0 || at->base.minus != 0)
            return false;
        k->blocks += share_block(p, k->member[m]) * BLOCKS;
    }

    /* one piece of memory for all kernels: the sums of one are added up before the next begins */
    if (k->blocks > p->block_room)
        p->block_room = k->blocks;
    return true;
}

/* How far from equal the shares of n pieces are, for two threads and for four: the sum over t = 2,
 * 4 of ceil(n / t) * t / n - 1. */
static double uneven(int64_t pieces)
{
    double of_two = (double)((pieces + 1) / 2) * 2;
    double of_four = (double)((pieces + 3) / 4) * 4;

    return (of_two + of_four) / (double)pieces - 2;
}

/* Rows or columns of a product? What is shared more evenly; if that is nearly equal, the longer. */
static bool prefers_columns(const Program *p, const Product *x, double by_rows, double by_columns)
{
    const double nearly = 0.05;

    if (by_columns > by_rows + nearly)
        return false;
    if (by_columns + nearly < by_rows)
        return true;
    return size_max(p->graph, x->n) >= size_max(p->graph, x->m);
}

/* The threads share the products of a batch, or the columns, or the rows of one. Each thread copies
 * what of B belongs to its columns, and what of A belongs to its rows. */
static void split_product(const Program *p, Kernel *k)
{
    Product x = product_of(p->graph, k->product);
    int64_t batch = size_max(p->graph, x.batch);
    int64_t row_unit = ROW_UNIT;
    if (size_is_one(x.n))
        row_unit = 2 * ROW_UNIT;
    if (k->half)
        row_unit = HALF_ROWS; /* the pieces that are computed at a time */
    int64_t rows = pieces_of(p, x.m, row_unit);
    int64_t columns = pieces_of(p, x.n, COLUMN_UNIT);
    double by_rows = uneven(rows);
    double by_columns = uneven(columns);

    k->unit = 1;
    /* whole products need no copies of the same operand */
    if (batch > 1 && uneven(batch) <= by_rows && uneven(batch) <= by_columns) {
        k->split = SHARE_WHOLE;
        return;
    }
    /* too few pieces, and too little work, to be worth a barrier */
    if (rows < FEW && columns < FEW && k->time < 10 * KERNEL)
        return;

    if (!k->half && prefers_columns(p, &x, by_rows, by_columns)) {
        k->split = SHARE_COLUMNS;
        k->unit = COLUMN_UNIT;
    } else {
        k->split = SHARE_ROWS;
        k->unit = row_unit;
    }
}

/* A small loop is shared only where no thread has to wait for it. */
static void split_loop(Program *p, Kernel *k, const Layout *made, bool small)
{
    if (k->axes == 0 || (small && k->member))
        return;
    /* by columns no sums are divided; else each block of rows has sums of its own */
    if (k->member && (choose_columns(p, k) || !find_blocks(p, k)))
        return;
    /* blocks fix how rows are dealt out, so there is no layout to follow */
    if (k->blocks == 0 && follow(p, k, made, small))
        return;
    if (!small)
        choose_axis(p, k);
}

static void split_kernel(Program *p, Kernel *k, const Layout *made, bool small)
{
    switch (k->kind) {
    case K_GEMM:
        if (!small)
            split_product(p, k);
        break;
    case K_CALL:
        if (!small && op_info[k->product->op]->flags & F_PARTS)
            k->split = 1;
        break;
    case K_LOOP: split_loop(p, k, made, small); break;
    case K_FOR:
    case K_TEST:
    case K_NEXT:
    case K_RANDOM: break;
    }
}

/* Notes the layouts of what k makes, for the kernels after it. A unit of -1: made, but in a layout
 * that is not known. */
static void note_made(const Program *p, const Kernel *k, const Kernel *in, Layout *made)
{
    for (int m = 0; m < in->members; m++)
        note_made(p, k, in->member[m], made);
    if (in->member)
        return;

    for (int s = 0; s < in->stores; s++) {
        Layout l = unknown;
        if (k->split && k->kind == K_GEMM)
            l = layout_of_product(p, k, 2);
        else if (k->split && k->kind == K_CALL)
            l = layout_of_call(k);
        else if (k->split && k->kind == K_LOOP && k->blocks == 0)
            l = layout_at(in, in->store[s].at, k->split - 1, k->unit);

        if (l.unit == 0)
            l.unit = -1;
        made[p->slot[in->store[s].node->id]] = l;
    }
}

/* Do threads share kernels of the loop that k begins, tests or ends? Then each of them goes through
 * its passes. */
static bool loop_is_shared(const Program *p, const Kernel *k)
{
    const struct ProgramLoop *l = program_loop(p, k->loop);

    if (k->kind != K_FOR && k->kind != K_TEST && k->kind != K_NEXT)
        return false;
    for (int i = l->begin + 1; i < l->end; i++)
        if (p->kernel[i]->split)
            return true;
    return false;
}

/* Numbers the groups: a shared kernel is one, and a run of kernels that one thread does is one. */
static void number_groups(Program *p)
{
    int group = 0;

    for (int i = 0; i < p->kernels; i++) {
        const Kernel *before = NULL;
        if (i)
            before = p->kernel[i - 1];
        Kernel *k = p->kernel[i];

        /* each thread goes through the passes, so each of them tests and counts */
        if (k->loop && loop_is_shared(p, k))
            k->split = k->split || k->kind == K_FOR || k->kind == K_TEST || k->kind == K_NEXT;
        bool shared = k->split || (before && before->split);
        if (before == NULL || shared || before->phase != k->phase || before->part != k->part)
            group++;
        k->group = group;
    }
}

/* Is the program to be shared at all? */
static bool may_share(const Program *p)
{
    if (p->plain || p->ngc->opt.optimize == 0)
        return false;
    if (p->init || p->alone)
        return false;
    return !same_text(p->name, "update");
}

/* Estimates the times. Does the program take long enough, and a quarter of it in large kernels?
 * What is computed again does not count: whether sums are shared must not depend on it. */
static bool is_worth_sharing(Program *p)
{
    double forced = p->ngc->opt.pool_from; /* the user's limit, for programs and kernels; 0: none */
    double large = 0;

    p->time = 0;
    for (int i = 0; i < p->kernels; i++) {
        Kernel *k = p->kernel[i];
        k->time = kernel_time(p, k);
        if (k->again || (k->loop && k->loop->again))
            continue;
        /* the product for all passes of a loop is large even where each segment does a part of it
         */
        bool chain = k->kind == K_GEMM && k->product->attr.chain;
        p->time += k->time * k->times;
        if (k->time * (chain ? k->times : 1) >= KERNEL)
            large += k->time * k->times;
    }

    p->worth = forced > 0 ? forced : FUNCTION;
    if (p->time < p->worth)
        return false;
    /* a quarter of the time in large kernels: by Amdahl's law, two threads then save an eighth */
    return forced != 0 || large >= p->time / 4;
}

void program_share(Program *p)
{
    if (!may_share(p) || !is_worth_sharing(p))
        return;

    double forced = p->ngc->opt.pool_from;
    double limit = forced > 0 ? forced : KERNEL;
    Layout *made = arena_alloc(p->ngc, (size_t)(p->nodes + 1) * sizeof *made); /* by slot */

    for (int i = 0; i < p->kernels; i++) {
        Kernel *k = p->kernel[i];
        split_kernel(p, k, made, k->time < limit);
        note_made(p, k, k, made);
        p->shared |= k->split > 0;
    }
    number_groups(p);
}

/* ---- where they wait ---- */

typedef struct Use { /* of memory, by a kernel */
    PlaceKind kind;
    const void *base;  /* the variable, or the name of the member; NULL: space */
    Type type;         /* space of reals and of ints are two */
    int64_t from, to;  /* elements */
    bool writes;       /* or reads */
    bool alone;        /* by the first thread */
    const Node *piece; /* a part of this node is written, which no other kernel writes */
    Layout layout;     /* which thread uses which elements */
} Use;

typedef struct Uses {
    Use *use;
    int count, room;
} Uses;

static void append_use(Program *p, Uses *list, Use u)
{
    LIST_GROW(p->ngc, list->use, list->count, &list->room);
    list->use[list->count++] = u;
}

static void append_uses(Program *p, Uses *to, const Uses *from)
{
    for (int i = 0; i < from->count; i++)
        append_use(p, to, from->use[i]);
}

/* Sets base and elements of a use of `count` elements. False: no kernel of the program writes
 * there, or only for itself, so no thread waits for it. */
static bool locate_use(Use *u, const Place *place, int64_t count)
{
    switch (place->kind) {
    case P_VAR:
        if (place->var->kind == VAR_INPUT || place->var->kind == VAR_FROZEN)
            return false;
        u->base = place->var;
        u->to = INT64_MAX;
        return true;
    case P_MEMBER:
    case P_GRAD:
        u->base = place->name;
        u->to = INT64_MAX;
        return true;
    case P_SPACE:
        u->from = place->offset;
        u->to = place->offset + count;
        return true;
    default: return false;
    }
}

static void add_use(Program *p, Uses *list, const Kernel *k, const Place *place, const Node *n,
                    Layout layout, bool writes)
{
    Use u = {.kind = place->kind,
             .type = n->type,
             .writes = writes,
             .alone = !k->split,
             .layout = layout};

    if (!locate_use(&u, place, shape_count_max(p->graph, n->shape)))
        return;
    /* pieces of one concatenation never overlap */
    if (writes && n->op == OP_concat)
        u.piece = n;
    append_use(p, list, u);
}

static void add_read(Program *p, Uses *list, const Kernel *k, const Node *n, Layout layout)
{
    add_use(p, list, k, program_place(p, n), n, layout, false);
}

static void add_write(Program *p, Uses *list, const Kernel *k, const Store *store, Layout layout)
{
    add_use(p, list, k, store_place(p, store), store->node, layout, true);
}

static Layout layout_in_loop(const Kernel *k, const Kernel *in, const Index *x)
{
    if (!k->split || k->kind != K_LOOP || k->blocks > 0)
        return unknown;
    return layout_at(in, x, k->split - 1, k->unit);
}

static Layout layout_of_store(const Kernel *k, const Kernel *in, const Store *store)
{
    if (k->kind == K_CALL)
        return layout_of_call(k);
    return layout_in_loop(k, in, store->at);
}

/* Is what a product is added to copied first? The copy is shared in another way. */
static bool copies(const Program *p, const Kernel *k)
{
    if (k->onto == NULL)
        return false;

    const Place *from = program_place(p, k->onto);
    const Place *to = program_place(p, k->store[0].node);
    if (from == NULL)
        return false;
    return from->kind != to->kind || from->var != to->var || from->offset != to->offset ||
           from->name != to->name;
}

static void add_product(Program *p, Uses *list, const Kernel *k)
{
    bool known = k->split && !copies(p, k);

    for (int i = 0; i < 3; i++) {
        const Node *n = kernel_operand(p, k, i);
        if (n)
            add_read(p, list, k, n, known ? layout_of_product(p, k, i) : unknown);
    }
    add_write(p, list, k, &k->store[0], known ? layout_of_product(p, k, 2) : unknown);
}

/* Are the sums of a kernel made in blocks, which are added up after it? */
static bool sums_in_blocks(const Kernel *k)
{
    return k->split && k->blocks > 0;
}

/* What a kernel does before the threads meet within it: all but the sums of blocks. */
static void add_kernel(Program *p, Uses *list, const Kernel *k, const Kernel *in)
{
    for (int m = 0; m < in->members; m++)
        add_kernel(p, list, k, in->member[m]);

    for (int v = 0; v < in->vals && !in->member; v++) {
        const Val *x = in->val[v];
        if (x->kind == V_LOAD)
            add_read(p, list, k, x->node, layout_in_loop(k, in, x->at));
    }

    if (k->kind == K_GEMM) {
        add_product(p, list, k);
        return;
    }

    /* the sums of blocks go to memory of their own first, and to their place by add_sums */
    bool later = sums_in_blocks(k) && kernel_sums_rows(in);
    for (int s = 0; s < in->stores && !in->member && !later; s++)
        add_write(p, list, k, &in->store[s], layout_of_store(k, in, &in->store[s]));

    for (int i = 0; i < 3; i++) {
        const Node *n = kernel_operand(p, in, i);
        if (n)
            add_read(p, list, k, n, unknown);
    }
}

/* The memory for the sums of blocks. */
static void add_blocks(Program *p, Uses *list, bool writes)
{
    append_use(p, list,
               (Use){.kind = P_SPACE,
                     .from = p->block_at,
                     .to = p->block_at + p->block_room,
                     .type = T_FLOAT,
                     .writes = writes});
}

/* Do both use the same memory, and one of them writes it? */
static bool same_memory(const Use *a, const Use *b)
{
    if (a->kind != b->kind || (!a->writes && !b->writes))
        return false;
    /* ranges [from, to) that do not meet */
    if (a->from >= b->to || b->from >= a->to)
        return false;
    if (a->piece && a->piece == b->piece)
        return false;

    if (a->kind == P_MEMBER || a->kind == P_GRAD)
        return same_text(a->base, b->base);
    if (a->kind == P_SPACE)
        return a->type == b->type;
    return a->base == b->base;
}

/* Might one thread do the one, and another the other? */
static bool by_others(const Use *a, const Use *b)
{
    if (a->alone && b->alone)
        return false;
    /* the same element belongs to the same thread only if both begin at the same place and are
     * dealt out alike */
    return a->from != b->from || !same_layout(a->layout, b->layout);
}

static bool conflicts(const Uses *before, const Uses *now)
{
    for (int i = 0; i < before->count; i++)
        for (int j = 0; j < now->count; j++) {
            const Use *a = &before->use[i];
            const Use *b = &now->use[j];
            if (same_memory(a, b) && by_others(a, b))
                return true;
        }
    return before->count > MANY;
}

/* The threads have met before the sums of blocks are added: what came before does not matter. */
static void add_sums(Program *p, Uses *before, const Kernel *k)
{
    before->count = 0;
    add_blocks(p, before, false);
    for (int m = 0; m < k->members; m++)
        if (kernel_sums_rows(k->member[m]))
            add_write(p, before, k, &k->member[m]->store[0], unknown);
}

void program_waits(Program *p)
{
    Uses before = {0}; /* since the threads last met */
    Uses now = {0};    /* by the group that begins with k */
    if (!p->shared)
        return;

    for (int i = 0, end; i < p->kernels; i = end) {
        Kernel *k = p->kernel[i];
        /* between forward and backward the functions return, which is a barrier */
        if (i > 0 && p->kernel[i - 1]->phase != k->phase)
            before.count = 0;

        now.count = 0;
        for (end = i; end < p->kernels && p->kernel[end]->group == k->group; end++)
            add_kernel(p, &now, p->kernel[end], p->kernel[end]);
        if (sums_in_blocks(k))
            add_blocks(p, &now, true);

        /* a pass uses what the one before made */
        bool turns = k->kind == K_FOR || k->kind == K_TEST || k->kind == K_NEXT;
        /* a barrier orders all uses before it, so only those since the last one matter */
        k->waits = (turns && k->split) || conflicts(&before, &now);
        if (k->waits)
            before.count = 0;
        append_uses(p, &before, &now);

        if (sums_in_blocks(k))
            add_sums(p, &before, k);
    }
}
