/* eval.c - the reference interpreter: the value of a node in double precision, by its record, as
 * plainly as can be. It is what emitted code is tested against, and what `ngc run` and `ngc check`
 * print. */
#include "ngc.h"

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
    int64_t dim[MAX_RANK], count = eval_shape(e, n->shape, dim);
    if (info->flags & F_LEAF) {
        eval_leaf(e, n, out, count);
        return;
    }
    if (info->eval) {
        info->eval(n, e, out);
        return;
    }
    const double *in[3] = {0};
    for (int k = 0; k < n->nargs; k++)
        in[k] = e->value[n->arg[k]->id];
    for (int64_t i = 0; i < count; i++)
        out[i] = info->value(in[0][i], n->nargs > 1 ? in[1][i] : 0, n->nargs > 2 ? in[2][i] : 0);
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

/* Arguments precede users: one loop down marks what is needed and not known, one loop up computes
 * it. */
const double *eval_node(Eval *e, Node *n)
{
    int open = !e->known[n->id], first = n->id;
    e->need[n->id] = open;
    for (int i = n->id; open > 0; i--) {
        if (!e->need[i])
            continue;
        open--;
        first = i;
        for (int k = 0; k < e->graph->node[i]->nargs; k++) {
            int a = e->graph->node[i]->arg[k]->id;
            open += !e->known[a] && !e->need[a];
            e->need[a] = !e->known[a];
        }
    }
    for (int i = first; i <= n->id; i++) {
        int64_t dim[MAX_RANK];
        Node *x = e->graph->node[i];
        if (!e->need[i])
            continue;
        if (!e->value[i])
            e->value[i] =
                arena_alloc(e->ngc, (size_t)(eval_shape(e, x->shape, dim) + 1) * sizeof **e->value);
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
