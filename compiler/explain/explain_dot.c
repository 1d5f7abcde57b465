/* explain_dot.c - a lesson's graph for Graphviz, from left to right. Inputs are ellipses, params
 * are houses on their side, values are boxes. The value is green. The gradient is red, with "grad"
 * before it, so that it reads without colour. */
#include "explain/explain.h"

#include <string.h>

static const char *html_escape(const Lesson *l, const char *s)
{
    Text t = {.ngc = l->ngc};
    text_put(&t, "", 0);
    for (; *s; s++) {
        if (strchr("<>&\"", *s))
            text_add(&t, "&#%d;", *s);
        else
            text_put(&t, s, 1);
    }
    return t.at;
}

static const char *shape_of_kind(const char *kind)
{
    if (strcmp(kind, "param") == 0 || strcmp(kind, "state") == 0)
        return "house, orientation=270";
    if (strcmp(kind, "input") == 0 || strcmp(kind, "data") == 0)
        return "ellipse";
    return "box, style=rounded";
}

static void dot_gradient(const Lesson *l, Text *t, const Item *n)
{
    const char *gradient;
    if (n->adjoint)
        gradient = html_escape(l, lesson_value(l, n->adjoint));
    else if (strcmp(n->kind, "loss") == 0)
        gradient = "1";
    else
        return;
    text_add(t, "<br/><font color=\"#b30000\">grad %s</font>", gradient);
}

static void dot_item(const Lesson *l, Text *t, const Item *n)
{
    text_add(t, "    n%d [shape=%s, label=<<b>%s</b>", n->node->id, shape_of_kind(n->kind),
             html_escape(l, n->label));
    if (n->formula && strcmp(n->formula, n->label) != 0)
        text_add(t, " = %s", html_escape(l, n->formula));
    if (n->node->op == OP_var && n->node->attr.var->invented)
        text_add(t, "<br/>%s", lesson_kind(l, n));

    text_add(t, "<br/><font color=\"#006d2c\">%s</font>", html_escape(l, lesson_value(l, n->node)));
    dot_gradient(l, t, n);
    text_add(t, ">]\n");
}

static void dot_edges(const Lesson *l, Text *t, const Node *n)
{
    for (int k = 0; k < n->nargs; k++)
        if (l->at[n->arg[k]->id])
            text_add(t, "    n%d -> n%d\n", n->arg[k]->id, n->id);
}

/* Of a graph with more items than this, Graphviz draws straight lines and stops early. */
enum { MANY = 300 };

/* Constants have no node: they are part of the formulas. */
void explain_dot(const Lesson *l, Text *t)
{
    text_add(t,
             "digraph \"%s\" {\n    rankdir=LR\n    node [fontname=\"Helvetica\", fontsize=11]\n",
             l->m->name);
    if (l->items > MANY)
        text_add(t, "    splines=line\n    nslimit=0.1\n    nslimit1=0.1\n    mclimit=0.1\n");

    for (int i = 0; i < l->items; i++)
        dot_item(l, t, &l->item[i]);
    for (int i = 0; i < l->items; i++)
        dot_edges(l, t, l->item[i].node);
    text_add(t, "}\n");
}
