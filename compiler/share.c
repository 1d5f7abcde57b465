/* share.c - how the threads of a pool share a program. Each runs the same straight line of kernels; of a large kernel it does its
 * share, and what is small is done by the first. They wait for each other only where one uses what another wrote, or writes what
 * another uses.
 *
 * A share is a range of one loop's passes, none of which uses what another of them makes, so that every number is computed as by one
 * thread and has the same bits. A nest over rows that also sums over them does so in BLOCKS ranges, each with sums of its own, which are
 * then added in order: that too is the same for any number of threads.
 *
 * program_share decides before memory is planned, program_waits finds the places to wait when it is.
 */
#include "program.h"

#include <string.h>

enum {
    FUNCTION = 100000, /* estimated nanoseconds from which on a program is shared at all */
    KERNEL = 2000,     /* and from which on a kernel is: more than it takes to wait for each other */
    LINE = 16,         /* elements, a line of the cache: threads should not write to the same */
    ENOUGH = 8,        /* pieces of a loop that are enough for any number of threads */
    MANY = 2000,       /* uses of memory behind which threads wait in any case: to compare them all takes time */
};

/* ---- what takes how long ------------------------------------------------------------------------------------ */

static double passes(const Program *p, const Kernel *k)
{
    double n = 1;
    for (int i = 0; i < k->axes; i++)
        n *= (double)size_max(p->graph, k->extent[i]);
    return n;
}

/* Nanoseconds on one thread of a common machine, about. */
static double estimate(const Program *p, const Kernel *k)
{
    double flops = (double)kernel_flops(p, k), time = 0;
    if (k->kind == K_GEMM || k->kind == K_CALL)
        return flops / (p->ngc->opt.real_double ? 40 : 80);
    if (k->kind == K_RANDOM)
        return 5 * (double)size_max(p->graph, shape_count(p->graph, k->store[0].node->shape));
    for (int m = 0; m < k->members; m++)
        time += estimate(p, k->member[m]);
    return k->member ? time : flops / 8 + passes(p, k) * (k->stores ? k->stores : 1) / 8;
}

/* ---- which loop is shared ------------------------------------------------------------------------------------- */

/* Do passes over that axis that come to different numbers touch different elements, whatever place in the tensor is added to? */
static bool adds_apart(const Kernel *k, int axis)
{
    const Index *at = k->store[0].at;
    return at && at->axis[axis].plus == 1 && at->axis[axis].minus == 0 && at->parts == 1 && at->part[0].by.minus == 0 &&
           at->part[0].by.plus == k->extent[axis];
}

/* May the passes over an axis be shared? */
static bool is_free(const Kernel *k, int axis)
{
    if (k->member)
        return true;
    for (int i = 0; i < k->stores; i++)
        if (k->store[i].add)
            return adds_apart(k, axis);
    return !kernel_reduces(k) || k->axis[axis] != AX_REDUCE;
}

static int64_t unit_of(const Program *p, const Kernel *k, int axis)
{
    int64_t inner = 1;
    for (int i = axis + 1; i < k->axes && inner < LINE; i++)
        inner *= size_max(p->graph, k->extent[i]);
    return inner >= LINE || k->member ? 1 : LINE;
}

/* The outermost axis that has enough pieces, or the one that has most. */
static void choose_axis(const Program *p, Kernel *k)
{
    int64_t most = 1;
    for (int i = 0; i < k->axes && most < ENOUGH; i++) {
        int64_t unit = unit_of(p, k, i), pieces = (size_max(p->graph, k->extent[i]) + unit - 1) / unit;
        if (!is_free(k, i) || pieces <= most)
            continue;
        most = pieces;
        k->split = i + 1;
        k->unit = unit;
    }
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
        k->blocks += (size_max(p->graph, shape_count(p->graph, s->node->shape)) + LINE - 1) / LINE * LINE * BLOCKS;
    }
    p->block_room = k->blocks > p->block_room ? k->blocks : p->block_room;
    return true;
}

static void split_kernel(Program *p, Kernel *k)
{
    if (k->kind == K_GEMM || (k->kind == K_CALL && strstr(op_info[k->product->op]->call, "$p"))) {
        k->split = 1;
    } else if (k->kind == K_LOOP && k->axes > 0 && find_blocks(p, k)) {
        choose_axis(p, k);
    }
}

/* Runs of kernels that one thread does. */
static void number_groups(Program *p)
{
    int group = 0;
    for (int i = 0; i < p->kernels; i++) {
        const Kernel *before = i ? p->kernel[i - 1] : NULL;
        Kernel *k = p->kernel[i];
        if (before == NULL || before->split || k->split || before->phase != k->phase || before->part != k->part)
            group++;
        k->group = group;
    }
}

void program_share(Program *p)
{
    double forced = p->ngc->opt.pool_from, time = 0, large = 0;
    if (p->plain || p->init || p->ngc->opt.optimize == 0 || strcmp(p->name, "update") == 0)
        return;
    for (int i = 0; i < p->kernels; i++) {
        double one = p->kernel[i]->time = estimate(p, p->kernel[i]);
        time += one;
        large += one >= KERNEL ? one : 0;
    }
    p->time = time;
    p->worth = forced > 0 ? forced : FUNCTION;
    if (time < p->worth || (forced == 0 && large < time / 4))
        return;
    for (int i = 0; i < p->kernels; i++)
        if (p->kernel[i]->time >= (forced > 0 ? forced : KERNEL))
            split_kernel(p, p->kernel[i]);
    for (int i = 0; i < p->kernels; i++)
        p->shared |= p->kernel[i]->split > 0;
    number_groups(p);
}

/* ---- where they wait ------------------------------------------------------------------------------------------- */

typedef struct Use { /* of memory, by a kernel */
    PlaceKind kind;
    const void *base;     /* the variable, or the name of the member; NULL: space */
    Type type;
    int64_t from, to;     /* elements */
    bool writes, alone;   /* alone: by the first thread */
    const Node *piece;    /* a part of this node is written, which no other kernel writes */
    Size rows;            /* a thread's share is a share of so many rows of this length; 0: not known */
    int64_t length, unit;
} Use;

typedef struct Uses {
    Use *use;
    int count, room;
} Uses;

/* Is what k reads or writes at x, over the axis that is shared, rows from the first element on? */
static void note_rows(const Kernel *k, const Kernel *in, const Index *x, Use *u)
{
    int axis = k->split - 1;
    int64_t length = x && k->split ? x->axis[axis].plus : 0, end = 1;
    if (k->kind != K_LOOP || k->blocks > 0 || length <= 0 || x->base.plus != 0 || x->base.minus != 0 || x->parts > 0)
        return;
    for (int i = 0; i < in->axes; i++) {
        if (x->axis[i].minus != 0 || x->axis[i].plus < 0 || in->extent[i] < 0)
            return;
        end += i == axis ? 0 : x->axis[i].plus * (in->extent[i] - 1);
    }
    if (end > length || in->extent[axis] < 0)
        return;
    u->rows = in->extent[axis];
    u->length = length;
    u->unit = k->unit;
}

static void add_use(Program *p, Uses *list, const Kernel *k, const Kernel *in, const Place *place, const Node *n, const Index *x, bool writes)
{
    Use u = {.kind = place->kind, .type = n->type, .writes = writes, .alone = !k->split};
    u.to = size_max(p->graph, shape_count(p->graph, n->shape));
    if (place->kind == P_VAR && place->var->kind != VAR_INPUT)
        u.base = place->var, u.to = INT64_MAX;
    else if (place->kind == P_MEMBER || place->kind == P_GRAD)
        u.base = place->name, u.to = INT64_MAX;
    else if (place->kind == P_SPACE)
        u.from = place->offset, u.to += place->offset;
    else
        return;
    note_rows(k, in, x, &u);
    u.piece = writes && n->op == OP_concat ? n : NULL;
    list->use = arena_grow(p->ngc, list->use, list->count, &list->room, sizeof *list->use);
    list->use[list->count++] = u;
}

static const Place *store_place(const Program *p, const Store *s)
{
    return s->target ? &s->target->place : program_place(p, s->node);
}

/* What a kernel does before the threads meet within it: all, but for sums that are added up behind it. */
static void add_kernel(Program *p, Uses *list, const Kernel *k, const Kernel *in)
{
    for (int m = 0; m < in->members; m++)
        add_kernel(p, list, k, in->member[m]);
    for (int s = 0; s < in->stores && !in->member; s++)
        if (!(k->split && k->member && kernel_sums_rows(in)))
            add_use(p, list, k, in, store_place(p, &in->store[s]), in->store[s].node, in->store[s].at, true);
    for (int v = 0; v < in->vals && !in->member; v++)
        if (in->val[v]->kind == V_LOAD)
            add_use(p, list, k, in, program_place(p, in->val[v]->node), in->val[v]->node, in->val[v]->at, false);
    for (int i = 0; i < 3; i++)
        if (kernel_operand(p, in, i))
            add_use(p, list, k, in, program_place(p, kernel_operand(p, in, i)), kernel_operand(p, in, i), NULL, false);
}

/* The memory for the sums of blocks. */
static void add_blocks(Program *p, Uses *list, bool writes)
{
    list->use = arena_grow(p->ngc, list->use, list->count, &list->room, sizeof *list->use);
    list->use[list->count++] =
        (Use){.kind = P_SPACE, .from = p->block_at, .to = p->block_at + p->block_room, .type = T_FLOAT, .writes = writes};
}

static bool same_memory(const Use *a, const Use *b)
{
    if (a->kind != b->kind || (!a->writes && !b->writes) || a->from >= b->to || b->from >= a->to || (a->piece && a->piece == b->piece))
        return false;
    if (a->kind == P_MEMBER || a->kind == P_GRAD)
        return strcmp(a->base, b->base) == 0;
    return a->kind == P_SPACE ? a->type == b->type : a->base == b->base;
}

/* Might one thread do the one, and another the other? */
static bool by_others(const Use *a, const Use *b)
{
    bool same_rows = a->rows && a->rows == b->rows && a->length == b->length && a->unit == b->unit && a->from == b->from;
    return !(a->alone && b->alone) && !same_rows;
}

static bool conflicts(const Uses *before, const Uses *now)
{
    for (int i = 0; i < before->count; i++)
        for (int j = 0; j < now->count; j++)
            if (same_memory(&before->use[i], &now->use[j]) && by_others(&before->use[i], &now->use[j]))
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
            add_use(p, before, k, k->member[m], store_place(p, &k->member[m]->store[0]), k->member[m]->store[0].node, NULL, true);
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
