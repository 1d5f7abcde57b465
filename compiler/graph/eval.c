/* eval.c - the reference interpreter. It computes the value of a node in double precision, by the
 * node's record, as plainly as possible. Emitted code is tested against it, and `ngc run` and
 * `ngc check` print its values. */
#include "graph/eval.h"

#include <string.h>

static void eval_leaf(Eval *e, const Node *n, double *out, int64_t count)
{
    switch (n->op) {
    case OP_const: *out = n->attr.value; break;
    case OP_size: *out = (double)size_at(e->graph, n->attr.size, e->dim); break;
    case OP_training: *out = e->training; break;
    case OP_data: memcpy(out, n->attr.data, (size_t)count * sizeof *out); break;
    case OP_var: memcpy(out, e->var[n->attr.var->index], (size_t)count * sizeof *out); break;
    default: op_info[n->op]->eval(n, e, out);
    }
}

static void eval_one(Eval *e, const Node *n, double *out)
{
    const OpInfo *info = op_info[n->op];
    int64_t dim[MAX_RANK];
    int64_t count = eval_shape(e, n->shape, dim);

    if (info->flags & F_LEAF) {
        eval_leaf(e, n, out, count);
        return;
    }
    if (info->eval) {
        info->eval(n, e, out);
        return;
    }

    /* Elementwise: up to three operands of the result's shape. */
    for (int64_t i = 0; i < count; i++) {
        double in[3] = {0};
        for (int k = 0; k < n->nargs; k++)
            in[k] = e->value[n->arg[k]->id][i];
        out[i] = info->value(in[0], in[1], in[2]);
    }
}

Eval *eval_new(Ngc *ngc, Model *m)
{
    Eval *e = arena_alloc(ngc, sizeof *e);
    e->ngc = ngc;
    e->graph = m->graph;
    e->model = m;
    e->var = arena_alloc(ngc, (size_t)(m->vars + 1) * sizeof *e->var);
    e->value = arena_alloc(ngc, (size_t)(m->graph->count + 1) * sizeof *e->value);
    e->known = arena_alloc(ngc, (size_t)(m->graph->count + 1));
    e->need = arena_alloc(ngc, (size_t)(m->graph->count + 1));
    return e;
}

/* Marks what n needs and what is not known. Returns the first such node; n->id: there is none
 * before n. */
static int mark_needed(Eval *e, const Node *n)
{
    int open = !e->known[n->id]; /* needed nodes that the loop has not come to */
    int first = n->id;
    e->need[n->id] = open;

    for (int i = n->id; open > 0; i--) {
        if (!e->need[i])
            continue;
        open--;
        first = i;

        for (int k = 0; k < e->graph->node[i]->nargs; k++) {
            int a = e->graph->node[i]->arg[k]->id;
            if (e->known[a] || e->need[a])
                continue;
            e->need[a] = true;
            open++;
        }
    }
    return first;
}

/* Operands precede their users: one loop down marks what is needed, one loop up computes it. */
const double *eval_node(Eval *e, Node *n)
{
    int first = mark_needed(e, n);

    for (int i = first; i <= n->id; i++) {
        const Node *x = e->graph->node[i];
        if (!e->need[i])
            continue;

        if (!e->value[i]) {
            int64_t dim[MAX_RANK];
            size_t count = (size_t)eval_shape(e, x->shape, dim) + 1;
            e->value[i] = arena_alloc(e->ngc, count * sizeof **e->value);
        }
        eval_one(e, x, e->value[i]);
        e->known[i] = true;
        e->need[i] = false;
    }
    return e->value[n->id];
}

void eval_forget(Eval *e)
{
    memset(e->known, 0, (size_t)e->graph->count);
}
