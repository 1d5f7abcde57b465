/* explain_dot.c - a lesson's graph for Graphviz, layered left to right: inputs as ellipses, params
 * as houses on their side, values as boxes; the value in green, the gradient in red and with "grad"
 * before it, so that it reads without colour. */
#include "explain.h"

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

static void dot_item(const Lesson *l, Text *t, const Item *n)
{
    const char *shape =
        strcmp(n->kind, "param") == 0 || strcmp(n->kind, "state") == 0  ? "house, orientation=270"
        : strcmp(n->kind, "input") == 0 || strcmp(n->kind, "data") == 0 ? "ellipse"
                                                                        : "box, style=rounded";
    text_add(t, "    n%d [shape=%s, label=<<b>%s</b>", n->node->id, shape,
             html_escape(l, n->label));
    if (n->formula && strcmp(n->formula, n->label) != 0)
        text_add(t, " = %s", html_escape(l, n->formula));
    if (n->node->op == OP_var && n->node->attr.var->invented)
        text_add(t, "<br/>%s", lesson_kind(l, n));
    text_add(t, "<br/><font color=\"#006d2c\">%s</font>", html_escape(l, lesson_value(l, n->node)));
    if (n->adjoint)
        text_add(t, "<br/><font color=\"#b30000\">grad %s</font>",
                 html_escape(l, lesson_value(l, n->adjoint)));
    else if (strcmp(n->kind, "loss") == 0)
        text_add(t, "<br/><font color=\"#b30000\">grad 1</font>");
    text_add(t, ">]\n");
}

enum {
    MANY = 300
}; /* items from which on Graphviz is told to look for a good layout less long, and to draw straight
      lines */

/* Constants have no node: they stand in the formulas. */
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
        for (int k = 0; k < l->item[i].node->nargs; k++)
            if (l->at[l->item[i].node->arg[k]->id])
                text_add(t, "    n%d -> n%d\n", l->item[i].node->arg[k]->id, l->item[i].node->id);
    text_add(t, "}\n");
}
