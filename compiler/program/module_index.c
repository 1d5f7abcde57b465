/* module_index.c - a program that checks indices which are computed from inputs and states, before
 * a function computes anything with them.
 *
 * In: a function's program, in which `checked` marks each of them. Out: a second program of one
 * number, `outside`, which is 0 where all are in their ranges. It writes nothing but the scratch
 * space of work. */
#include "program/module.h"

/* 1 where an index is not in [0, size), of all its elements. */
static Node *is_outside(Graph *g, Node *i, Size size)
{
    Node *low = graph_binary(g, OP_lt, i, graph_int(g, 0));
    Node *bad = low;

    if (size < 0)
        bad = graph_binary(g, OP_maximum, low,
                           graph_binary(g, OP_le, graph_cast(g, graph_size(g, size), T_INT), i));
    else if (size <= INT32_MAX)
        bad = graph_binary(g, OP_maximum, low, graph_binary(g, OP_le, graph_int(g, size), i));
    return bad->shape.rank ? graph_reduce(g, OP_max, bad, (1u << bad->shape.rank) - 1) : bad;
}

/* An index that is certain to be in [0, size): for what is read by it while others are checked. */
static Node *kept_inside(Graph *g, Node *i, Size size)
{
    Node *last = graph_cast(g, graph_size(g, size_sub(g, size, 1)), T_INT);
    return graph_binary(g, OP_maximum, graph_binary(g, OP_minimum, i, last), graph_int(g, 0));
}

/* Nodes up to `last` with the indices in them kept inside; by id. What has no index in it stays. */
static Node **without_indices(const Module *m, const bool *needed, int last)
{
    Node **now = arena_alloc(m->ngc, (size_t)(last + 1) * sizeof *now);

    for (int i = 0; i <= last; i++) {
        Node *n = m->graph->node[i];
        bool same = true;
        if (!needed[i])
            continue;
        Node **arg = arena_alloc(m->ngc, (size_t)(n->nargs + 1) * sizeof *arg);
        for (int k = 0; k < n->nargs; k++) {
            arg[k] = now[n->arg[k]->id];
            same &= arg[k] == n->arg[k];
        }
        now[i] = n;
        if (n->op == OP_checked)
            now[i] = kept_inside(m->graph, arg[0], n->attr.size);
        else if (!same)
            now[i] = graph_copy(m->graph, n, arg);
    }
    return now;
}

static void need(Graph *g, bool *needed, const Node *n)
{
    needed[n->id] = true;
    for (int i = n->id; i >= 0; i--)
        for (int k = 0; needed[i] && k < g->node[i]->nargs; k++)
            needed[g->node[i]->arg[k]->id] = true;
}

/* Is it arithmetic on ints that may leave the range of an int32, or what passes the result on? */
static bool passes_ints(const Node *n, bool *may_leave)
{
    switch (n->op) {
    case OP_mul:
    case OP_sum:
    case OP_add:
    case OP_sub:
    case OP_neg: *may_leave = true; return true;
    case OP_maximum:
    case OP_minimum:
    case OP_where:
    case OP_max:
    case OP_copy:
    case OP_stop: return true;
    default: return op_info[n->op]->flags & F_VIEW && n->op != OP_gather;
    }
}

/* 1 where an index, computed in reals, is so large that ints have gone round and came back into the
 * range; NULL: they cannot. */
static Node *is_around(const Module *m, Node *index)
{
    Graph *g = m->graph;
    bool *needed = arena_alloc(m->ngc, (size_t)index->id + 1), may_leave = false;
    Node **real = arena_alloc(m->ngc, (size_t)(index->id + 1) * sizeof *real);

    needed[index->id] = true;
    for (int i = index->id; i >= 0; i--) {
        const Node *n = g->node[i];
        for (int k = 0; needed[i] && passes_ints(n, &may_leave) && k < n->nargs; k++)
            needed[n->arg[k]->id] |= n->arg[k]->type == T_INT;
    }
    if (!may_leave)
        return NULL;

    bool some;
    for (int i = 0; i <= index->id; i++) {
        Node *n = g->node[i], *arg[3];
        if (!needed[i])
            continue;
        bool arithmetic = passes_ints(n, &some) && n->nargs > 0;
        for (int k = 0; arithmetic && k < n->nargs; k++)
            arg[k] = n->arg[k]->type == T_INT ? real[n->arg[k]->id] : n->arg[k];
        real[i] = arithmetic ? graph_copy(g, n, arg) : graph_cast(g, n, T_FLOAT);
    }
    Node *far =
        graph_binary(g, OP_le, graph_const(g, 0x1p30), graph_unary(g, OP_abs, real[index->id]));
    return far->shape.rank ? graph_reduce(g, OP_max, far, (1u << far->shape.rank) - 1) : far;
}

Program *index_program(const Module *m, const Program *p)
{
    Graph *g = m->graph;
    int last = -1;
    bool *needed = arena_alloc(m->ngc, (size_t)g->count + 1);
    const Node **index = arena_alloc(m->ngc, (size_t)(p->nodes + 1) * sizeof *index);
    int count = 0;

    for (int i = 0; i < p->nodes; i++)
        if (p->node[i]->op == OP_checked) {
            index[count++] = p->node[i];
            need(g, needed, p->node[i]);
            last = p->node[i]->id > last ? p->node[i]->id : last;
        }
    if (count == 0)
        return NULL;

    Node **now = without_indices(m, needed, last), *outside = graph_const(g, 0);
    for (int i = 0; i < count; i++) {
        Node *n = now[index[i]->arg[0]->id], *around = is_around(m, n);
        outside = graph_binary(g, OP_maximum, outside, is_outside(g, n, index[i]->attr.size));
        if (around)
            outside = graph_binary(g, OP_maximum, outside, around);
    }

    Target *t = arena_alloc(m->ngc, sizeof *t);
    *t = (Target){.node = outside,
                  .place = {.kind = P_LOCAL, .name = "outside", .shape = &outside->shape}};
    return program_build(m->ngc, m->model, "check", t, 1, NULL, 0, false);
}
