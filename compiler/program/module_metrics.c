/* module_metrics.c - what gathers losses and metrics over all rows: members, programs, and what is
 * computed at the end of each walk over the rows.
 *
 * In: the plan of carry.c. Out: Module.metrics, and further members of work. In the first walk over
 * the rows eval fills them with what a batch contributes; later walks have programs of their own.
 * What is gathered of them over all batches are totals. At the end of a walk a program computes
 * from the totals what the next walk needs, or the losses and metrics. Totals are double, and so is
 * all that is computed from them, whatever the model's floats are. */
#include "program/module.h"

#include <limits.h>
#include <string.h>

/* ---- members ---- */

/* Shapes must stay where they are: places point to them. */
static const char *add_total(Module *m, const char *name, const Shape *shape, const char *note)
{
    Metrics *x = m->metrics;

    x->total = arena_grow(m->ngc, x->total, x->totals, &x->total_room, sizeof *x->total);
    name = c_name_distinct(m->ngc, &x->names, name);
    x->total[x->totals++] = (Total){.name = name, .shape = shape, .note = note};
    return name;
}

/* The member of work that holds this node after eval anyway, or NULL. */
static const char *member_of_root(const Module *m, Node *const *root, const Node *n)
{
    for (int i = 0; i < m->model->roots; i++) {
        const Root *r = &m->model->root[i];
        if (module_keeps(m, r) && root[i] == n && r->node->type == n->type)
            return r->cname;
    }
    return NULL;
}

/* A member of work that no other value may share. */
static const char *own_member(Module *m, const char *name, const Node *n)
{
    name = c_name_distinct(m->ngc, &m->member_names, name);
    module_add_member(m, (Member){.name = name,
                                  .type = n->type,
                                  .shape = n->shape,
                                  .named = true,
                                  .note = text_format(m->ngc, "%s (of a batch)", name)});
    return name;
}

/* A total for each result. A result that is a carrier is gathered there. */
static void name_results(Module *m)
{
    Metrics *x = m->metrics;
    const Carry *carry = x->carry;
    Table seen = {0};

    for (int i = 0; i < m->model->roots; i++) {
        const Root *r = &m->model->root[i];
        if (!carry->root[i])
            continue;

        int *at = table_at(m->ngc, &seen, r->cname);
        if (!*at) {
            const char *note = strcmp(r->cname, r->name) ? r->name : NULL;
            x->of_root[i] = add_total(m, r->cname, &r->node->shape, note);
            *at = 1 + i;
        }
        x->of_root[i] = x->of_root[*at - 1];

        for (int k = 0; k < carry->carriers; k++)
            if (carry->carrier[k].total == carry->root[i] && !x->of_carrier[k])
                x->of_carrier[k] = x->of_root[i];
    }
}

/* Members of work and totals for each carrier. */
static void name_carriers(Module *m, Node *const *root)
{
    static const char *const kind[] = {[CARRY_SUM] = "sum",
                                       [CARRY_MAX] = "max",
                                       [CARRY_FIRST] = "first",
                                       [CARRY_LAST] = "last",
                                       [CARRY_SAME] = "same"};
    Metrics *x = m->metrics;

    for (int k = 0; k < x->carry->carriers; k++) {
        const Carrier *c = &x->carry->carrier[k];
        const char *note = node_text(m->graph, c->node, 3);
        const char *name = NULL;

        if (c->walk == 0) /* eval's own walk: a root may hold it */
            name = x->member[k] = member_of_root(m, root, c->node);
        x->own[k] = name == NULL;
        if (name == NULL) {
            name = text_format(m->ngc, "%s_%d", kind[c->kind], k + 1);
            x->member[k] = own_member(m, name, c->node);
        }

        if (!x->of_carrier[k])
            x->of_carrier[k] = add_total(m, name, &c->node->shape, note);
    }
}

/* Members of work and totals for what later walks know from earlier ones. */
static void name_links(Module *m)
{
    Metrics *x = m->metrics;

    for (int k = 0; k < x->carry->links; k++) {
        const Node *n = x->carry->link[k].node;
        const char *name = text_format(m->ngc, "known_%d", k + 1);
        x->link_member[k] = own_member(m, name, n);
        x->of_link[k] = add_total(m, name, &n->shape, node_text(m->graph, n, 3));
    }
}

static Metrics *metrics_new(const Module *m, Carry *carry)
{
    Ngc *ngc = m->ngc;
    Metrics *x = arena_alloc(ngc, sizeof *x);
    size_t carriers = (size_t)carry->carriers + 1, links = (size_t)carry->links + 1;

    x->carry = carry;
    x->member = arena_array(ngc, carriers, sizeof *x->member);
    x->own = arena_array(ngc, carriers, sizeof *x->own);
    x->of_carrier = arena_array(ngc, carriers, sizeof *x->of_carrier);
    x->link_member = arena_array(ngc, links, sizeof *x->link_member);
    x->of_link = arena_array(ngc, links, sizeof *x->of_link);
    x->of_root = arena_array(ngc, m->model->roots + 1, sizeof *x->of_root);
    x->end = arena_array(ngc, carry->walks + 1, sizeof *x->end);
    return x;
}

void module_metrics(Module *m, Carry *carry, Node *const *root)
{
    static const Shape scalar;
    if (!carry)
        return;

    Metrics *x = m->metrics = metrics_new(m, carry);
    c_name_distinct(m->ngc, &x->names, "space");
    c_name_distinct(m->ngc, &x->names, "ispace");

    /* the rows come first, so that no loss or metric is at offset 0; their name is not the first
     * that is given out: a result keeps its own */
    x->total = arena_grow(m->ngc, x->total, 0, &x->total_room, sizeof *x->total);
    x->total[x->totals++] = (Total){.shape = &scalar, .note = "rows in all"};
    name_results(m);
    x->rows = x->total[0].name = c_name_distinct(m->ngc, &x->names, m->dim[0]);

    if (carry->walks > 1)
        x->seen = add_total(m, "seen", &scalar, "rows in this walk, where it is not the first");
    x->walk = c_name_distinct(m->ngc, &x->names, "walk");
    for (int i = 1; i < m->graph->dims; i++)
        x->dim[i] = c_name_distinct(m->ngc, &x->names, m->dim[i]);

    name_carriers(m, root);
    name_links(m);
}

/* ---- programs ---- */

static Target in_member(Node *n, const char *name)
{
    return (Target){.node = n, .place = {.kind = P_MEMBER, .name = name, .shape = &n->shape}};
}

int metrics_targets(const Module *m, int walk, Target *t)
{
    const Metrics *x = m->metrics;
    int n = 0;
    if (x == NULL)
        return 0;

    for (int k = 0; k < x->carry->carriers; k++) {
        const Carrier *c = &x->carry->carrier[k];
        if (c->walk == walk && x->own[k])
            t[n++] = in_member(c->node, x->member[k]);
    }
    return n;
}

Program *metrics_walk(const Module *m, int walk)
{
    const Metrics *x = m->metrics;
    Target *t = arena_array(m->ngc, x->carry->carriers + 1, sizeof *t);
    Target *given = arena_array(m->ngc, x->carry->links + 1, sizeof *given);
    int targets = metrics_targets(m, walk, t);
    int givens = 0;

    for (int k = 0; k < x->carry->links; k++)
        if (x->carry->link[k].walk <= walk)
            given[givens++] = in_member(x->carry->link[k].node, x->link_member[k]);

    return program_build(m->ngc, m->model, "metrics", t, targets, given, givens, m->plain);
}

/* The links that a walk needs, computed from totals. Returns how many there are. */
static int link_targets(const Metrics *x, int walk, Target *t)
{
    int n = 0;

    for (int k = 0; k < x->carry->links; k++)
        if (x->carry->link[k].walk == walk)
            t[n++] = in_member(x->carry->link[k].total, x->of_link[k]);
    return n;
}

/* The results, computed from totals; one that is a carrier is there already. Returns how many there
 * are. */
static int result_targets(const Module *m, Target *t)
{
    const Metrics *x = m->metrics;
    Table done = {0};
    int n = 0;

    for (int k = 0; k < x->carry->carriers; k++)
        ++*table_at(m->ngc, &done, x->of_carrier[k]);

    for (int i = 0; i < m->model->roots; i++) {
        Node *root = x->carry->root[i];
        if (root && ++*table_at(m->ngc, &done, x->of_root[i]) == 1)
            t[n++] = in_member(root, x->of_root[i]);
    }
    return n;
}

/* What is computed from the carriers at the end of a walk: links for the next, or the results. */
static Program *build_end(const Module *m, int walk)
{
    const Metrics *x = m->metrics;
    const Carry *c = x->carry;
    Target *t = arena_array(m->ngc, c->links + m->model->roots + 1, sizeof *t);
    Target *given = arena_array(m->ngc, c->carriers + 2, sizeof *given);
    int targets, givens = 0;

    for (int k = 0; k < c->carriers; k++)
        given[givens++] = in_member(c->carrier[k].total, x->of_carrier[k]);
    given[givens++] = in_member(c->rows, x->rows);

    if (walk == c->walks - 1)
        targets = result_targets(m, t);
    else
        targets = link_targets(x, walk + 1, t);

    return program_build(m->ngc, m->model, "metrics_finish", t, targets, given, givens, false);
}

static void build_ends(Module *m)
{
    Metrics *x = m->metrics;
    Options own = m->ngc->opt;

    /* in double, whatever the options say */
    m->ngc->opt.real_double = true;
    m->ngc->opt.pool_from = INT_MAX; /* totals have no pool */

    for (int walk = 0; walk < x->carry->walks; walk++) {
        Program *p = build_end(m, walk);
        x->end[walk] =
            (Function){.fn = FN_UPDATE, .name = "metrics_finish", .program = p, .phase = -1};
        if (p->space > x->space)
            x->space = p->space;
        if (p->ispace > x->ispace)
            x->ispace = p->ispace;
    }

    m->ngc->opt = own;
}

/* The blocks of metrics_add are those of eval and of the later walks. */
void metrics_ends(Module *m)
{
    Metrics *x = m->metrics;

    x->blocks = USES_INPUTS | USES_WORK | USES_TOTALS;
    x->writes = USES_WORK | USES_TOTALS;
    for (int i = 0; i < m->functions; i++)
        if (m->function[i].fn == FN_EVAL)
            x->blocks |= m->function[i].blocks;
    build_ends(m);
}
