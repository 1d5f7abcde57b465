/* emit_index.c - indices that are computed from inputs and states are checked before a function
 * computes anything with them.
 *
 * In: a function's program, in which `checked` marks each of them. Out: a second program of one
 * number, which is 0 where all are in their ranges, printed as a static function that is called
 * first. It writes nothing but the scratch space of work. */
#include "emit.h"

/* ---- the program ---- */

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
static Node **without_indices(Emit *e, const bool *needed, int last)
{
    Node **now = arena_alloc(e->ngc, (size_t)(last + 1) * sizeof *now);

    for (int i = 0; i <= last; i++) {
        Node *n = e->graph->node[i];
        bool same = true;
        if (!needed[i])
            continue;
        Node **arg = arena_alloc(e->ngc, (size_t)(n->nargs + 1) * sizeof *arg);
        for (int k = 0; k < n->nargs; k++) {
            arg[k] = now[n->arg[k]->id];
            same &= arg[k] == n->arg[k];
        }
        now[i] = n;
        if (n->op == OP_checked)
            now[i] = kept_inside(e->graph, arg[0], n->attr.size);
        else if (!same)
            now[i] = graph_copy(e->graph, n, arg);
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
    default: return op_info[n->op]->flags & F_VIEW && n->op != OP_gather && n->op != OP_concat;
    }
}

/* 1 where an index, computed in reals, is so large that ints have gone round and came back into the
 * range; NULL: they cannot. */
static Node *is_around(Emit *e, Node *index)
{
    Graph *g = e->graph;
    bool *needed = arena_alloc(e->ngc, (size_t)index->id + 1), may_leave = false;
    Node **real = arena_alloc(e->ngc, (size_t)(index->id + 1) * sizeof *real);

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

Program *emit_index_program(Emit *e, const Program *p)
{
    Graph *g = e->graph;
    int last = -1;
    bool *needed = arena_alloc(e->ngc, (size_t)g->count + 1);
    const Node **index = arena_alloc(e->ngc, (size_t)(p->nodes + 1) * sizeof *index);
    int count = 0;

    for (int i = 0; i < p->nodes; i++)
        if (p->node[i]->op == OP_checked) {
            index[count++] = p->node[i];
            need(g, needed, p->node[i]);
            last = p->node[i]->id > last ? p->node[i]->id : last;
        }
    if (count == 0)
        return NULL;

    Node **now = without_indices(e, needed, last), *outside = graph_const(g, 0);
    for (int i = 0; i < count; i++) {
        Node *n = now[index[i]->arg[0]->id], *around = is_around(e, n);
        outside = graph_binary(g, OP_maximum, outside, is_outside(g, n, index[i]->attr.size));
        if (around)
            outside = graph_binary(g, OP_maximum, outside, around);
    }

    Target *t = arena_alloc(e->ngc, sizeof *t);
    *t = (Target){.node = outside,
                  .place = {.kind = P_LOCAL, .name = "outside", .shape = &outside->shape}};
    return program_build(e->ngc, e->model, "check", t, 1, NULL, 0, false);
}

/* ---- its function ---- */

/* The function with the check of f as its program. */
static Function own_function(const Function *f)
{
    Function own = *f;
    own.program = f->check;
    own.phase = -1;
    own.shared = false;
    return own;
}

unsigned emit_index_function(Emit *e, const Function *f, Text *out, const char **call)
{
    Function own = own_function(f);
    Body b = {.e = e, .p = f->check, .text.ngc = e->ngc};

    text_put(&b.text, "", 0);
    for (int i = 0; i < f->check->kernels; i++)
        emit_kernel(&b, f->check->kernel[i]);
    if (b.dims)
        b.blocks |= USES_INPUTS;
    own.blocks = b.blocks;

    text_add(out,
             "/* Is an index that is computed out of its range? */\nstatic int %s_outside(%s)\n{\n",
             f->name, own.blocks ? emit_arguments(e, &own, true) : "void");
    emit_run_time_sizes(e, out, b.dims);
    emit_space(e, out, &b);
    text_add(out, "%s    return outside > 0;\n}\n\n", b.text.at);
    *call = text_format(e->ngc, "    if (%s_outside(%s))\n        return NGRT_ELABEL;\n", f->name,
                        own.blocks ? emit_arguments(e, &own, false) : "");
    return b.blocks;
}
