/* finish.c - last changes of a kernel: fewer loops, levels, uses. */
#include "program/program.h"

#include <string.h>

/* ---- last changes: fewer loops, levels, uses ---- */

/* Does x step through loops i and i + 1 at one distance, so that they may become one? */
static bool steps_evenly(Graph *g, const Index *x, int i, Size inner)
{
    return x == NULL || coef_equal(x->axis[i], coef_mul(g, x->axis[i + 1], inner));
}

static const Index *without_axis(Program *p, const Index *x, int i)
{
    if (x == NULL)
        return NULL;

    Index y = *x;
    memmove(y.axis + i, y.axis + i + 1, (MAX_AXES - 1 - (size_t)i) * sizeof *y.axis);
    y.axis[MAX_AXES - 1] = (Coef){0, 0};
    return index_keep(p, &y);
}

bool kernel_joins(Program *p, const Kernel *k, int i)
{
    Size inner = k->extent[i + 1];

    if (k->axis[i] != k->axis[i + 1])
        return false;
    /* an argmax gives the index along its one axis */
    if (k->axis[i] == AX_REDUCE && op_info[k->reduce]->combine == NULL)
        return false;

    for (int s = 0; s < k->stores; s++)
        if (!steps_evenly(p->graph, k->store[s].at, i, inner))
            return false;
    for (int v = 0; v < k->vals; v++)
        if (!steps_evenly(p->graph, k->val[v]->at, i, inner))
            return false;
    return true;
}

/* Axes from `from` on, and what follows them, move to `to`. */
static void move_axes(Kernel *k, int to, int from)
{
    size_t moved = (size_t)(k->axes - from);
    memmove(k->extent + to, k->extent + from, moved * sizeof *k->extent);
    memmove(k->axis + to, k->axis + from, moved * sizeof *k->axis);
    k->axes += to - from;
}

void kernel_join(Program *p, Kernel *k, int i)
{
    for (int s = 0; s < k->stores; s++) {
        Store *store = &k->store[s];
        store->at = without_axis(p, store->at, i);
    }
    for (int v = 0; v < k->vals; v++) {
        Val *val = k->val[v];
        val->at = without_axis(p, val->at, i);
    }

    /* i*inner + j runs from 0 to outer*inner - 1, and each index steps by what j stepped by */
    Size outer = k->extent[i];
    Size inner = k->extent[i + 1];
    k->extent[i + 1] = size_mul(p->graph, outer, inner);
    move_axes(k, i, i + 1);
}

/* loop variable i becomes i*inner + the next one */
static const Index *split_axis(Program *p, const Index *x, int i, Size inner)
{
    if (x == NULL)
        return NULL;

    Index y = *x;
    memmove(y.axis + i + 1, y.axis + i, (MAX_AXES - 1 - (size_t)i) * sizeof *y.axis);
    y.axis[i] = coef_mul(p->graph, y.axis[i + 1], inner);
    return index_keep(p, &y);
}

void kernel_split(Program *p, Kernel *k, int i, Size inner)
{
    for (int s = 0; s < k->stores; s++) {
        Store *store = &k->store[s];
        store->at = split_axis(p, store->at, i, inner);
    }
    for (int v = 0; v < k->vals; v++) {
        Val *val = k->val[v];
        val->at = split_axis(p, val->at, i, inner);
    }

    move_axes(k, i + 1, i);
    k->extent[i + 1] = inner;
    k->extent[i] /= inner;
}

void kernel_collapse(Program *p, Kernel *k)
{
    for (int i = k->axes - 2; i >= 0; i--)
        if (kernel_joins(p, k, i))
            kernel_join(p, k, i);
}

/* ---- a transposition ---- */

/* Loop `from` becomes loop `to`, those between move outwards. */
static const Index *inwards(Program *p, const Index *x, int from, int to)
{
    if (x == NULL)
        return NULL;

    Index y = *x;
    memmove(y.axis + from, y.axis + from + 1, (size_t)(to - from) * sizeof *y.axis);
    y.axis[to] = x->axis[from];
    return index_keep(p, &y);
}

/* Are elements read that are neighbours in loop i, and apart in the innermost one? */
static bool reads_across(const Kernel *k, int i)
{
    int last = k->axes - 1;

    for (int v = 0; v < k->vals; v++) {
        const Index *at = k->val[v]->at;
        if (k->val[v]->kind == V_LOAD && at && at->axis[i].plus == 1 && at->axis[i].minus == 0 &&
            (at->axis[last].plus > 1 || at->parts > 0))
            return true;
    }
    return false;
}

/* The loop over such neighbours goes right around the innermost one: each line that is read is
 * still in the cache when its next element is. It is the first loop where images whose batch is the
 * last axis become images whose batch is the first one. */
void kernel_turn_inwards(Program *p, Kernel *k)
{
    int from = 0;
    int to = k->axes - 2;

    if (k->axes < 3 || !kernel_is_unordered(k))
        return;
    while (from < to && !reads_across(k, from))
        from++;
    if (from == to)
        return;
    for (int s = 0; s < k->stores; s++)
        k->store[s].at = inwards(p, k->store[s].at, from, to);
    for (int v = 0; v < k->vals; v++)
        k->val[v]->at = inwards(p, k->val[v]->at, from, to);

    Size extent = k->extent[from];
    memmove(k->extent + from, k->extent + from + 1, (size_t)(to - from) * sizeof *k->extent);
    k->extent[to] = extent;
}

/* In how many loops does x change? */
static int index_level(const Index *x)
{
    int level = 0;
    if (x == NULL)
        return 0;

    for (int i = 0; i < MAX_AXES; i++)
        if (!coef_zero(x->axis[i]))
            level = i + 1;
    for (int i = 0; i < x->parts; i++)
        if (x->part[i].val->level > level)
            level = x->part[i].val->level;
    return level;
}

/* Counts a use of v. What a guard protects is not used until the guard has been passed, so it gets
 * no temporary. */
static void count_use(Val *v)
{
    /* operands are counted once for each value, not once for each path to it */
    if (v == NULL || v->uses++ > 0)
        return;

    for (int i = 0; v->at && i < v->at->parts; i++)
        count_use(v->at->part[i].val);
    if (v->kind == V_GUARD)
        return;
    for (int i = 0; i < 3; i++)
        count_use(v->arg[i]);
}

static void mark_live(Val *v)
{
    if (v == NULL || v->live)
        return;

    v->live = true;
    for (int i = 0; v->at && i < v->at->parts; i++)
        mark_live(v->at->part[i].val);
    for (int i = 0; i < 3; i++)
        mark_live(v->arg[i]);
}

static void note_use(Val *v)
{
    count_use(v);
    mark_live(v);
}

bool kernel_sums_rows(const Kernel *k)
{
    return kernel_reduces(k) && k->axes > 0 && k->axis[k->axes - 1] == AX_TRAIL;
}

/* Each addition to a sum of many floats would lose what is below the last place of the sum so far.
 */
bool kernel_sums_many(const Program *p, const Kernel *k)
{
    int64_t terms = 1;

    /* a float has 24 bits: after 256 terms of one size, 8 of the next term's bits are lost */
    if (k->reduce != OP_sum || k->store[0].node->type != T_FLOAT || p->ngc->opt.real_double)
        return false;

    for (int i = 0; i < k->axes && terms <= LONG_SUM; i++)
        if (k->axis[i] == AX_REDUCE)
            terms *= size_max(p->graph, k->extent[i]);
    return terms > LONG_SUM;
}

static int64_t scatter_hits(const Program *p, const Kernel *k)
{
    Graph *g = p->graph;
    const Node *n = NULL;
    if (k->stores > 0)
        n = k->store[0].node;
    if (!n || n->op != OP_scatter || !k->store[0].add)
        return 0;

    int64_t elements;
    bool known = size_number(g, shape_count(g, n->shape), &elements);
    if (!known || n->type != T_FLOAT || p->ngc->opt.real_double)
        return 0;

    bool many = shape_count_max(g, n->arg[1]->shape) > LONG_SUM;
    /* the sums are doubles on the stack, so their number has to be small */
    return many && elements <= SCATTER_SUMS ? elements : 0;
}

int64_t kernel_columns(const Kernel *k)
{
    int64_t n = 1;

    for (int i = 0; i < k->axes; i++)
        if (k->axis[i] == AX_TRAIL) {
            if (k->extent[i] < 0)
                return -1;
            n *= k->extent[i];
        }
    return n;
}

void kernel_finish(Program *p, Kernel *k)
{
    k->hits = scatter_hits(p, k);

    /* arguments come before their users */
    for (int i = 0; i < k->vals; i++) {
        Val *v = k->val[i];
        v->id = i;
        v->uses = 0;
        v->live = false;
        /* the innermost loop in which its index changes, then that of its operands: it can be
         * computed outside of all deeper loops */
        v->level = v->test_level = index_level(v->at);
        for (int a = 0; a < 3; a++)
            if (v->arg[a] && v->arg[a]->level > v->level)
                v->level = v->arg[a]->level;
    }

    for (int i = 0; i < k->stores; i++) {
        const Index *at = k->store[i].at;
        note_use(k->store[i].val);
        for (int j = 0; at && j < at->parts; j++)
            note_use(at->part[j].val);
    }
    note_use(k->alpha);
}
