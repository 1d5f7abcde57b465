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

    LIST_GROW(m->ngc, x->total, x->totals, &x->total_room);
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

/* The total of a result; its note is the user's name, where C has another. */
static const char *add_result(Module *m, const Root *r)
{
    const char *note = NULL;

    if (!same_text(r->cname, r->name))
        note = r->name;
    return add_total(m, r->cname, &r->node->shape, note);
}

/* Carriers that are this result are gathered in its total. */
static void share_total(Metrics *x, const Node *result, const char *total)
{
    const Carry *carry = x->carry;

    for (int k = 0; k < carry->carriers; k++) {
        bool is_result = carry->carrier[k].total == result;
        if (is_result && x->carrier[k].total == NULL)
            x->carrier[k].total = total;
    }
}

/* A total for each result. A result that is a carrier is gathered there. */
static void name_results(Module *m)
{
    Metrics *x = m->metrics;
    Table seen = {0};

    for (int i = 0; i < m->model->roots; i++) {
        const Root *r = &m->model->root[i];
        const Node *result = x->carry->root[i];
        if (result == NULL)
            continue;

        /* roots of one name have one total */
        int *at = table_at(m->ngc, &seen, r->cname);
        if (*at == 0) {
            x->of_root[i] = add_result(m, r);
            *at = 1 + i;
        }
        x->of_root[i] = x->of_root[*at - 1];
        share_total(x, result, x->of_root[i]);
    }
}

/* A member of work and a total for carrier k, which may have a result's total already. */
static void name_carrier(Module *m, Node *const *root, int k)
{
    static const char *const kind[] = {[CARRY_SUM] = "sum",
                                       [CARRY_MAX] = "max",
                                       [CARRY_FIRST] = "first",
                                       [CARRY_LAST] = "last",
                                       [CARRY_SAME] = "same"};
    const Carrier *c = &m->metrics->carry->carrier[k];
    Gathered *to = &m->metrics->carrier[k];
    const char *note = node_text(m->graph, c->node, 3);
    const char *name = NULL;

    /* in eval's own walk, a root may hold it */
    if (c->walk == 0)
        name = to->member = member_of_root(m, root, c->node);

    to->own = name == NULL;
    if (to->own) {
        name = text_format(m->ngc, "%s_%d", kind[c->kind], k + 1);
        to->member = own_member(m, name, c->node);
    }

    if (to->total == NULL)
        to->total = add_total(m, name, &c->node->shape, note);
}

/* Members of work and totals for what later walks know from earlier ones. */
static void name_links(Module *m)
{
    Metrics *x = m->metrics;

    for (int k = 0; k < x->carry->links; k++) {
        const Node *n = x->carry->link[k].node;
        const char *name = text_format(m->ngc, "known_%d", k + 1);
        const char *note = node_text(m->graph, n, 3);

        x->link[k].member = own_member(m, name, n);
        x->link[k].total = add_total(m, name, &n->shape, note);
    }
}

static Metrics *metrics_new(const Module *m, Carry *carry)
{
    Ngc *ngc = m->ngc;
    Metrics *x = arena_alloc(ngc, sizeof *x);

    x->carry = carry;
    x->carrier = arena_array(ngc, carry->carriers + 1, sizeof *x->carrier);
    x->link = arena_array(ngc, carry->links + 1, sizeof *x->link);
    x->of_root = arena_array(ngc, m->model->roots + 1, sizeof *x->of_root);
    x->end = arena_array(ngc, carry->walks + 1, sizeof *x->end);
    return x;
}

/* A name that no other member of totals has. */
static const char *take_name(Module *m, const char *name)
{
    return c_name_distinct(m->ngc, &m->metrics->names, name);
}

void module_metrics(Module *m, Carry *carry, Node *const *root)
{
    static const Shape scalar;
    if (carry == NULL)
        return;

    Metrics *x = m->metrics = metrics_new(m, carry);
    take_name(m, "space");
    take_name(m, "ispace");

    /* the rows come first, so that no loss or metric is at offset 0; their name is not the first
     * that is given out: a result keeps its own */
    LIST_GROW(m->ngc, x->total, 0, &x->total_room);
    x->total[x->totals++] = (Total){.shape = &scalar, .note = "rows in all"};
    name_results(m);
    x->rows = x->total[0].name = take_name(m, m->dim[0]);

    if (carry->walks > 1)
        x->seen = add_total(m, "seen", &scalar, "rows in this walk, where it is not the first");
    x->walk = take_name(m, "walk");
    for (int i = 1; i < m->graph->dims; i++)
        x->dim[i] = take_name(m, m->dim[i]);

    for (int k = 0; k < carry->carriers; k++)
        name_carrier(m, root, k);
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
        if (c->walk == walk && x->carrier[k].own)
            t[n++] = in_member(c->node, x->carrier[k].member);
    }
    return n;
}

Program *metrics_walk(const Module *m, int walk)
{
    Ngc *ngc = m->ngc;
    const Metrics *x = m->metrics;
    const Carry *carry = x->carry;

    Target *t = arena_array(ngc, carry->carriers + 1, sizeof *t);
    int targets = metrics_targets(m, walk, t);

    /* what earlier walks have found out is given */
    Target *given = arena_array(ngc, carry->links + 1, sizeof *given);
    int givens = 0;
    for (int k = 0; k < carry->links; k++)
        if (carry->link[k].walk <= walk)
            given[givens++] = in_member(carry->link[k].node, x->link[k].member);

    return program_build(ngc, m->model, "metrics", t, targets, given, givens, m->plain);
}

/* The links that a walk needs, computed from totals. Returns how many there are. */
static int link_targets(const Metrics *x, int walk, Target *t)
{
    const Carry *carry = x->carry;
    int n = 0;

    for (int k = 0; k < carry->links; k++)
        if (carry->link[k].walk == walk)
            t[n++] = in_member(carry->link[k].total, x->link[k].total);
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
        ++*table_at(m->ngc, &done, x->carrier[k].total);

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
    Ngc *ngc = m->ngc;
    const Metrics *x = m->metrics;
    const Carry *c = x->carry;

    Target *given = arena_array(ngc, c->carriers + 2, sizeof *given);
    int givens = 0;
    for (int k = 0; k < c->carriers; k++)
        given[givens++] = in_member(c->carrier[k].total, x->carrier[k].total);
    given[givens++] = in_member(c->rows, x->rows);

    Target *t = arena_array(ngc, c->links + m->model->roots + 1, sizeof *t);
    int targets;
    if (walk == c->walks - 1)
        targets = result_targets(m, t);
    else
        targets = link_targets(x, walk + 1, t);

    return program_build(ngc, m->model, "metrics_finish", t, targets, given, givens, false);
}

static void build_ends(Module *m)
{
    Metrics *x = m->metrics;
    Options *opt = &m->ngc->opt;
    Options before = *opt;

    /* in double, whatever the options say */
    opt->real_double = true;
    opt->pool_from = INT_MAX; /* totals have no pool */

    for (int walk = 0; walk < x->carry->walks; walk++) {
        Program *p = build_end(m, walk);
        x->end[walk] =
            (Function){.fn = FN_UPDATE, .name = "metrics_finish", .program = p, .phase = -1};
        x->space = max_int64(x->space, p->space);
        x->ispace = max_int64(x->ispace, p->ispace);
    }

    *opt = before;
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
