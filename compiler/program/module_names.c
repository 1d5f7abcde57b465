/* module_names.c - names of what the outside sees: the model, its run-time sizes, its variables,
 * its roots.
 *
 * In: a model. Out: Module.name, dim, dim_max; Var.cname and Root.cname: identifiers of C and C++,
 * distinct within their block. A warning for each name that is not the one in the text. */
#include "program/module.h"

#include <ctype.h>
#include <string.h>

/* Does a function of the emitted C use this name for something else? */
static bool is_local_name(const char *name)
{
    static const char *const local[] = {
        "params", "state",      "in",   "w",     "grads",   "seed",         "i",
        "j",      "k",          "l",    "dims",  "tensors", "check_labels", "arg",
        "id",     "threads",    "call", "from",  "to",      "share_of",     "meet",
        "space",  "line_start", "t",    "error", "larger",  "whole",        "frozen"};
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if (same_text(local[i], name))
            return true;

    /* t12, data_3, relu_1 */
    size_t letters = strspn(name, "abcdefghijklmnopqrstuvwxyz_");
    return letters > 0 && is_whole_number(name + letters);
}

static const char *upper(Ngc *ngc, const char *name)
{
    char *s = arena_copy(ngc, name, strlen(name) + 1);

    for (char *c = s; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return s;
}

/* May code use the name of a dim as it is? */
static bool dim_name_is_free(const Module *m, int dim)
{
    const char *name = m->graph->dim[dim].name;

    if (is_local_name(name) || !same_text(m->dim[dim], name))
        return false;
    return !begins(name, m->name);
}

/* If the name of one dim is taken, all dims get the prefix in code. */
static void name_dims(Module *m, Taken *inputs)
{
    Ngc *ngc = m->ngc;
    Taken bounds = {0};

    m->dim_prefix = "";
    m->upper = upper(ngc, m->name);
    for (int i = 0; i < m->graph->dims; i++) {
        m->dim[i] = c_name_distinct(ngc, inputs, m->graph->dim[i].name);

        const char *bound = text_format(ngc, "%s_%s_MAX", m->upper, upper(ngc, m->dim[i]));
        m->dim_max[i] = c_name_distinct(ngc, &bounds, bound);

        if (!dim_name_is_free(m, i))
            m->dim_prefix = "n_";
    }
}

/* ---- roots ---- */

/* An earlier root with the same name and value, or NULL: both are one member. */
static const Root *same_root(Module *m, Table *seen, Root *r)
{
    Ngc *ngc = m->ngc;
    const char *key = text_format(ngc, "%d %s", r->node->id, r->name);
    int *at = table_at(ngc, seen, intern_str(ngc, key));

    if (*at)
        return &m->model->root[*at - 1];

    *at = 1 + (int)(r - m->model->root);
    return NULL;
}

static void name_grads(Module *m)
{
    Taken grads = {0};

    for (int i = 0; i < m->model->roots; i++) {
        Root *r = &m->model->root[i];
        r->cname = NULL;
        if (r->kind == ROOT_GRAD)
            r->cname = c_name_distinct(m->ngc, &grads, r->name);
    }
}

/* Where two want one name, the loss gets it before the metric, and so on. */
static void name_results(Module *m)
{
    static const RootKind order[] = {ROOT_LOSS, ROOT_METRIC, ROOT_OUTPUT, ROOT_NAMED};
    static const char *const own[] = {"pool", "ranks", "space", "ispace", "space_at"};
    Table seen = {0};

    /* members of work that are not results */
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        c_name_distinct(m->ngc, &m->member_names, own[i]);

    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        for (int i = 0; i < m->model->roots; i++) {
            Root *r = &m->model->root[i];
            if (r->kind != order[k])
                continue;

            const Root *same = same_root(m, &seen, r);
            if (same)
                r->cname = same->cname;
            else
                r->cname = c_name_distinct(m->ngc, &m->member_names, r->name);
        }
}

/* ---- warnings ---- */

/* Is it the same name, but for points and slashes that are underscores in C? */
static bool is_same_name(const char *name, const char *cname)
{
    if (strlen(name) != strlen(cname))
        return false;

    for (; *name; name++, cname++) {
        bool point = *name == '.' || *name == '/';
        if (*name != *cname && !(point && *cname == '_'))
            return false;
    }
    return true;
}

static void warn_renamed(Module *m, const char *name, const char *cname, Loc loc)
{
    if (!is_same_name(name, cname))
        warn(m->ngc, "renamed-identifier", ERR_RENAMED, loc,
             "'%s' is called %s in C: the name is taken there", name, cname);
}

static void warn_names(Module *m)
{
    for (int i = 0; i < m->graph->dims; i++) {
        const Dim *dim = &m->graph->dim[i];
        warn_renamed(m, dim->name, m->dim[i], dim->loc);
    }
    for (int i = 0; i < m->model->vars; i++) {
        const Var *v = m->model->var[i];
        warn_renamed(m, v->name, v->cname, v->loc);
    }
    for (int i = 0; i < m->model->roots; i++) {
        const Root *r = &m->model->root[i];
        if (r->kind == ROOT_GRAD || module_keeps(m, r))
            warn_renamed(m, r->name, r->cname, r->loc);
    }
}

void module_names(Module *m)
{
    Taken var[VAR_KINDS] = {{0}}; /* by VarKind: a block of its own each */

    if (m->model->name)
        m->name = c_name(m->ngc, m->model->name);
    else
        m->name = "model";
    name_dims(m, &var[VAR_INPUT]);
    for (int i = 0; i < m->model->vars; i++) {
        Var *v = m->model->var[i];
        v->cname = c_name_distinct(m->ngc, &var[v->kind], v->name);
    }
    name_grads(m);
    name_results(m);
    warn_names(m);
}
