/* module_row.c - which states a step on a batch of one row leaves as they are: a variance needs
 * more than one number. In: a module. Out: for each state, yes or no; the trainer says so. */
#include "program/module.h"

/* Is n the same number in every batch of one row? */
static bool number_of_one_row(Graph *g, const Node *n, double *v)
{
    double a, b;
    int64_t size;

    if (node_const(n, v))
        return true;
    if (n->op == OP_size) {
        bool known = size_number(g, size_replace(g, n->attr.size, 0, 1), &size);
        *v = (double)size;
        return known;
    }
    if (n->op == OP_expand || n->op == OP_cast)
        return number_of_one_row(g, n->arg[0], v);
    if (n->op != OP_eq || !number_of_one_row(g, n->arg[0], &a) ||
        !number_of_one_row(g, n->arg[1], &b))
        return false;
    *v = a == b;
    return true;
}

/* Is n, a value of training, the variable itself in every batch of one row, though not in all? */
static bool stays_of_one_row(Graph *g, const Node *n, const Var *v, bool by_size)
{
    double chosen;

    if (n == v->node)
        return by_size;
    if (n->op != OP_where)
        return false;
    if (number_of_one_row(g, n->arg[0], &chosen))
        return stays_of_one_row(g, n->arg[chosen != 0 ? 1 : 2], v, true);

    const Node *c = n->arg[0];
    while (c->op == OP_expand)
        c = c->arg[0];
    return c->op == OP_training && stays_of_one_row(g, n->arg[1], v, by_size);
}

bool module_stays_of_one_row(const Module *m, const Var *v)
{
    if (v->kind != VAR_STATE || m->graph->dims == 0)
        return false;
    for (int i = 0; i < m->model->roots; i++) {
        const Root *r = &m->model->root[i];
        if (r->kind == ROOT_UPDATE && r->var == v)
            return stays_of_one_row(m->graph, r->node, v, false);
    }
    return false;
}
