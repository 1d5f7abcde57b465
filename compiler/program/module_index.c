/* module_index.c - a program that checks indices which are computed from inputs and states, before
 * a function computes anything with them.
 *
 * In: a function's program, in which `checked` marks each of them. Out: a second program of one
 * number, `outside`, which is 0 where all are in their ranges. It writes nothing but the scratch
 * space of work. */
#include "program/module.h"

/* The largest of all elements. */
static Node *largest(Graph *g, Node *n)
{
    if (n->shape.rank == 0)
        return n;
    return graph_reduce(g, OP_max, n, (1u << n->shape.rank) - 1);
}

/* 1 if any element of an index is not in [0, size): max over i of (i < 0 or size <= i). */
static Node *is_outside(Graph *g, Node *i, Size size)
{
    Node *low = graph_binary(g, OP_lt, i, graph_int(g, 0));
    if (size > INT32_MAX) /* no int is too large */
        return largest(g, low);

    Node *end;
    if (size < 0) /* a run-time size */
        end = graph_cast(g, graph_size(g, size), T_INT);
    else
        end = graph_int(g, size);
    return largest(g, graph_binary(g, OP_maximum, low, graph_binary(g, OP_le, end, i)));
}

/* max(min(i, size - 1), 0): an index that is certain to be in [0, size), for what is read by it
 * while others are checked. */
static Node *kept_inside(Graph *g, Node *i, Size size)
{
    Node *last = graph_cast(g, graph_size(g, size_sub(g, size, 1)), T_INT);

    return graph_binary(g, OP_maximum, graph_binary(g, OP_minimum, i, last), graph_int(g, 0));
}

/* By id: the needed nodes up to `last`, with the indices in them kept inside. What has no index in
 * it is the same node. */
static Node **without_indices(const Module *m, const bool *needed, int last)
{
    Graph *g = m->graph;
    Node **now = arena_array(m->ngc, last + 1, sizeof *now);

    for (int i = 0; i <= last; i++) {
        Node *n = g->node[i];
        if (!needed[i])
            continue;

        if (n->op == OP_checked)
            now[i] = kept_inside(g, now[arg_id(n, 0)], n->attr.size);
        else
            now[i] = graph_rebuild(g, n, now);
    }
    return now;
}

/* Marks n and all that it is computed from. */
static void need(const Graph *g, bool *needed, const Node *n)
{
    needed[n->id] = true;
    for (int i = n->id; i >= 0; i--) {
        const Node *user = g->node[i];
        for (int k = 0; needed[i] && k < user->nargs; k++)
            needed[arg_id(user, k)] = true;
    }
}

/* The same, and all loops that n is made in. Returns the largest id of these and `last`. */
static int need_all(const Program *p, bool *needed, const Node *n, int last)
{
    need(p->graph, needed, n);
    last = max_int(n->id, last);

    const struct ProgramLoop *loop = NULL;
    if (node_loop(n))
        loop = program_loop(p, node_loop(n));
    if (!loop)
        return last;
    return need_all(p, needed, loop->node, last);
}

/* Is it arithmetic on ints, or does it pass such a result on? Sets *may_leave for arithmetic: the
 * result may be outside the range of an int32. */
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
    default: return node_has(n, F_VIEW) && n->op != OP_gather;
    }
}

/* By id: the ints that an index is computed from by arithmetic, and the index itself; NULL: no
 * arithmetic is among it. */
static bool *arithmetic_of(const Module *m, const Node *index)
{
    bool *needed = arena_alloc(m->ngc, (size_t)index->id + 1);
    bool may_leave = false;

    needed[index->id] = true;
    for (int i = index->id; i >= 0; i--) {
        const Node *n = m->graph->node[i];
        if (!needed[i] || !passes_ints(n, &may_leave))
            continue;
        for (int k = 0; k < n->nargs; k++)
            if (n->arg[k]->type == T_INT)
                needed[arg_id(n, k)] = true;
    }
    return may_leave ? needed : NULL;
}

/* An int computed in reals; real: by id, its operands in reals. */
static Node *in_reals(Graph *g, Node *n, Node *const *real)
{
    Node *arg[3];
    bool may_leave;

    if (!passes_ints(n, &may_leave) || n->nargs == 0)
        return graph_cast(g, n, T_FLOAT);

    for (int k = 0; k < n->nargs; k++) {
        arg[k] = n->arg[k];
        if (arg[k]->type == T_INT)
            arg[k] = real[arg[k]->id];
    }
    return graph_copy(g, n, arg);
}

/* An int that leaves the range of an int32 goes round, and may come back into the range of the
 * index. So it is computed in reals too: 1 if that is 2^30 or more for any element. NULL: no
 * arithmetic can leave the range. */
static Node *is_around(const Module *m, Node *index)
{
    Graph *g = m->graph;
    bool *needed = arithmetic_of(m, index);
    if (needed == NULL)
        return NULL;

    Node **real = arena_array(m->ngc, index->id + 1, sizeof *real);
    for (int i = 0; i <= index->id; i++)
        if (needed[i])
            real[i] = in_reals(g, g->node[i], real);

    Node *size = graph_unary(g, OP_abs, real[index->id]);
    return largest(g, graph_binary(g, OP_le, graph_const(g, 0x1p30), size));
}

/* What is made in each pass of a loop, added up over all passes of all loops around it. */
static Node *over_all_passes(const Module *m, const Program *p, Node *n, Node *const *now)
{
    for (const Loop *l = node_loop(n); l; l = node_loop(n))
        n = graph_collect_sum(m->graph, now[program_loop(p, l)->node->id], n);
    return n;
}

/* Not 0 if any of these indices is outside its range. now: by id, with other indices kept inside.
 */
static Node *any_outside(const Module *m, const Program *p, const Node *const *index, int count,
                         Node *const *now)
{
    Graph *g = m->graph;
    Node *outside = graph_const(g, 0);

    for (int i = 0; i < count; i++) {
        Node *n = now[arg_id(index[i], 0)];
        Node *around = is_around(m, n);

        Node *own = is_outside(g, n, index[i]->attr.size);
        if (around)
            own = graph_binary(g, OP_maximum, own, around);
        own = over_all_passes(m, p, own, now);
        outside = graph_binary(g, OP_maximum, outside, own);
    }
    return outside;
}

Program *index_program(const Module *m, const Program *p)
{
    Ngc *ngc = m->ngc;
    Graph *g = m->graph;
    bool *needed = arena_alloc(ngc, (size_t)g->count + 1);
    const Node **index = arena_array(ngc, p->nodes + 1, sizeof *index);
    int count = 0, last = -1;

    for (int i = 0; i < p->nodes; i++) {
        const Node *n = p->node[i];
        if (n->op != OP_checked)
            continue;

        index[count++] = n;
        last = need_all(p, needed, n, last);
    }
    if (count == 0)
        return NULL;

    Node *outside = any_outside(m, p, index, count, without_indices(m, needed, last));
    Target t = {.node = outside,
                .place = {.kind = P_LOCAL, .name = "outside", .shape = &outside->shape}};
    Target *target = arena_copy(ngc, &t, sizeof t);
    return program_build(ngc, m->model, "check", target, 1, NULL, 0, false);
}
