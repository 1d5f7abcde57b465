/* names.c - no two values of a model share a name. Lowering names a value after the variable that
 * it is assigned to. So a library function that assigns twice, or is called twice, makes several
 * values of one name. The name stays with the value that the model delivers by it, else with the
 * last value, which is what a path means. The others become NAME_1, NAME_2, ... Adjoints follow.
 * Requires lowering to be done. Changes names only. */
#include "lang/lower.h"

#include <string.h>

typedef struct Naming {
    Graph *g;
    Table owner;      /* by name: 1 + the id of the node that has it; 0: none */
    Table next;       /* by name: the last number that was tried after it */
    const char **was; /* by id: the name before, or NULL where it is the same */
} Naming;

static int *owner_of(Naming *n, const char *name)
{
    return table_at(n->g->ngc, &n->owner, intern_str(n->g->ngc, name));
}

/* The name is the node's, unless another has it already. */
static void keep(Naming *n, const char *name, const Node *node)
{
    int *owner = owner_of(n, name);
    if (*owner == 0)
        *owner = 1 + node->id;
}

/* The values of the text, or the adjoints among the derived ones. */
static bool is_named(const Node *node, const int *uses, bool derived)
{
    return uses[node->id] && node->name && node->op != OP_var && node->derived == derived;
}

static void rename_node(Naming *n, Node *node)
{
    Ngc *ngc = n->g->ngc;
    const char *old = intern_str(ngc, node->name);
    int *owner = owner_of(n, old);
    if (*owner == 1 + node->id)
        return;

    do {
        int number = ++*table_at(ngc, &n->next, old);
        node->name = text_format(ngc, "%s_%d", old, number);
    } while (*owner_of(n, node->name));
    *owner_of(n, node->name) = 1 + node->id;
    n->was[node->id] = old;
}

static void rename_all(Naming *n, const int *uses, bool derived)
{
    Graph *g = n->g;
    int nodes = g->count;

    /* the last value keeps the name */
    for (int i = nodes - 1; i >= 0; i--) {
        Node *node = g->node[i];
        if (is_named(node, uses, derived))
            keep(n, node->name, node);
    }
    for (int i = 0; i < nodes; i++) {
        Node *node = g->node[i];
        if (is_named(node, uses, derived))
            rename_node(n, node);
    }
}

/* "dJ/dz", with the names as they are or as they were before. */
static const char *adjoint_name(Naming *n, const Step *s, bool before)
{
    const char *loss = text_or(s->loss->name, "J");
    const char *x = s->x->name;
    if (before && n->was[s->loss->id])
        loss = n->was[s->loss->id];
    if (before && n->was[s->x->id])
        x = n->was[s->x->id];
    return text_format(n->g->ngc, "d%s/d%s", loss, x);
}

/* The adjoint dJ/dz of a z that is now z_1 becomes dJ/dz_1. */
static void rename_adjoints(Naming *n)
{
    for (const Step *s = n->g->steps; s; s = s->prev) {
        bool renamed = n->was[s->x->id] || n->was[s->loss->id];
        if (!renamed || !s->x->name || !s->sum->name)
            continue;
        if (same_text(s->sum->name, adjoint_name(n, s, true)))
            s->sum->name = adjoint_name(n, s, false);
    }
}

void model_names(Model *m)
{
    Graph *g = m->graph;
    Naming n = {.g = g, .was = arena_array(g->ngc, g->count + 1, sizeof *n.was)};
    const int *uses = model_uses(m);

    for (int i = 0; i < m->vars; i++)
        keep(&n, m->var[i]->name, m->var[i]->node);
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind != ROOT_UPDATE) /* h.1 may be delivered as the h that a loop leaves */
            keep(&n, m->root[i].name, m->root[i].node);

    rename_all(&n, uses, false);
    rename_adjoints(&n);
    rename_all(&n, uses, true);
}
