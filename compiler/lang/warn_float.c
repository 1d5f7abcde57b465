/* warn_float.c - warnings about constants that 32-bit floats do not have: so large that they become
 * infinite, or so small that they lose digits or become 0. ngc itself computes in double, so only
 * a command that makes floats of them asks for these warnings. */
#include "lang/lower.h"

#include <float.h>
#include <math.h>

/* As a float, is the number infinite, or below the numbers that have all digits? */
static bool is_out_of_range(double v)
{
    double single = fabs((double)(float)v);
    return isfinite(v) && v != 0 && (single > FLT_MAX || single < FLT_MIN);
}

/* The first element that is out of range, or 0. */
static double find_out_of_range(const double *x, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (is_out_of_range(x[i]))
            return x[i];
    return 0;
}

/* The first number of the node that is out of range, or 0. */
static double number_of_node(Graph *g, const Node *n)
{
    if (n->type != T_FLOAT)
        return 0;
    if (attr_used(n, A_DATA))
        return find_out_of_range(n->attr.data, shape_count_max(g, n->shape));

    double number[2] = {0, 0};
    if (attr_used(n, A_VALUE))
        number[0] = n->attr.value;
    if (attr_used(n, A_VALUE2))
        number[1] = n->attr.value2;
    return find_out_of_range(number, 2);
}

typedef struct Said {
    Loc loc;
    double number;
} Said;

typedef struct Narrow {
    const Model *m;
    Said *said; /* the warnings */
    int count;  /* of them */
    int room;   /* allocated in `said` */
} Narrow;

/* Was it said of this number in this line, or at a place that overlaps this one? */
static bool is_said(const Narrow *w, Loc loc, double v)
{
    const Ngc *ngc = w->m->graph->ngc;
    for (int i = 0; i < w->count; i++) {
        const Said *s = &w->said[i];
        if (s->number != v || s->loc.file != loc.file || loc.file < 0)
            continue;
        bool overlap = s->loc.at < loc.end && loc.at < s->loc.end;
        if (overlap || source_line(ngc, s->loc, NULL) == source_line(ngc, loc, NULL))
            return true;
    }
    return false;
}

static void warn_number(Narrow *w, Loc loc, double v)
{
    Ngc *ngc = w->m->graph->ngc;
    if (is_said(w, loc, v))
        return;
    LIST_GROW(ngc, w->said, w->count, &w->room);
    w->said[w->count++] = (Said){loc, v};

    const char *to = "0, as 32-bit floats begin at about 1.2e-38";
    if (fabs(v) > 1)
        to = "infinite, as 32-bit floats end at about 3.4e38";
    else if ((float)v != 0)
        to = text_format(ngc, "%.3g, as 32-bit floats have few digits below 1.2e-38",
                         (double)(float)v);

    warn(ngc, "float-range", ERR_FLOAT_RANGE, loc, "%s becomes %s; --real=double has this number",
         text_number(ngc, v, false), to);
}

/* How often each node is used by the results and by the starting values. Those of a tensor that is
 * an input are numbers by then (Var.standard). */
static const int *uses_of_constants(const Model *m)
{
    int roots;
    Node **root = model_take_roots(m, &roots);

    roots = m->roots;
    for (int i = 0; i < m->vars; i++)
        if (m->var[i]->init && !m->var[i]->standard)
            root[roots++] = m->var[i]->init;
    return graph_uses(m->graph, root, roots);
}

/* Where the numbers were written. A constant that ngc made, or one that several places share, has
 * the places of what reads it. */
static void warn_constants(Narrow *w)
{
    Graph *g = w->m->graph;
    Ngc *ngc = g->ngc;
    const int *uses = uses_of_constants(w->m);
    double *number = arena_array(ngc, g->count + 1, sizeof *number);
    bool *placed = arena_array(ngc, g->count + 1, sizeof *placed);

    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];
        if (uses[i])
            number[i] = number_of_node(g, n);
        placed[i] = number[i] != 0 && loc_of_user(ngc, n->loc);
        if (placed[i])
            warn_number(w, n->loc, number[i]);
    }

    for (int i = 0; i < w->m->vars; i++) {
        const Var *v = w->m->var[i];
        if (!v->init || number[v->init->id] == 0)
            continue;
        placed[v->init->id] = true;
        warn_number(w, v->loc, number[v->init->id]);
    }

    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];
        for (int k = 0; uses[i] && k < n->nargs; k++) {
            int a = n->arg[k]->id;
            if (number[a] == 0 || !loc_of_user(ngc, n->loc))
                continue;
            placed[a] = true;
            warn_number(w, n->loc, number[a]);
        }
    }

    for (int i = 0; i < g->count; i++)
        if (number[i] != 0 && !placed[i])
            warn_number(w, (Loc){.file = -1}, number[i]);
}

static void warn_defaults(Narrow *w)
{
    for (int i = 0; i < w->m->vars; i++) {
        const Var *v = w->m->var[i];
        double x = 0;
        if (v->standard && v->type == T_FLOAT)
            x = find_out_of_range(v->standard, shape_count_max(w->m->graph, v->shape));
        if (x != 0)
            warn_number(w, v->loc, x);
    }
}

void warn_float_range(const Model *m)
{
    Narrow w = {.m = m};
    warn_constants(&w);
    warn_defaults(&w);
}
