/* explain_dot.c - a lesson's graph for Graphviz, from left to right. Inputs are ellipses, params
 * are houses on their side, values are boxes. The value is green. The gradient is red, with "grad"
 * before it, so that it reads without colour. The body of a loop is in a frame, with the values of
 * the last pass. */
#include "explain/explain.h"

#include <string.h>

static const char *shape_of_kind(const char *kind)
{
    if (same_text(kind, "param") || same_text(kind, "state") || same_text(kind, "frozen"))
        return "house, orientation=270";
    if (same_text(kind, "input") || same_text(kind, "data"))
        return "ellipse";
    return "box, style=rounded";
}

static void dot_gradient(const Lesson *l, Text *t, const Item *n)
{
    const char *gradient;
    if (n->adjoint)
        gradient = html_words(l, lesson_value(l, n->adjoint));
    else if (same_text(n->kind, "loss"))
        gradient = "1";
    else
        return;
    text_add(t, "<br/><font color=\"#b30000\">grad %s</font>", gradient);
}

static void dot_item(const Lesson *l, Text *t, const Item *n)
{
    Node *node = n->node;
    bool is_loop = node->op == OP_loop;

    /* the name, and the formula if it says more */
    text_add(t, "    n%d [shape=%s, label=<<b>%s</b>", node->id, shape_of_kind(n->kind),
             html_words(l, n->label));
    if (n->formula && !same_text(n->formula, n->label) && !is_loop)
        text_add(t, " = %s", html_words(l, n->formula));
    if (node->op == OP_var && node->attr.var->invented)
        text_add(t, "<br/>%s", lesson_kind(l, n));

    /* the value, then the gradient */
    const char *value = html_words(l, lesson_value(l, node));
    text_add(t, "<br/><font color=\"#006d2c\">%s%s</font>", value, text_if(is_loop, " passes"));
    dot_gradient(l, t, n);
    text_add(t, ">]\n");
}

/* The items in the body of a loop (-1: in none), and the loops in it. */
static void dot_body(const Lesson *l, Text *t, int loop)
{
    for (int i = 0; i < l->items; i++)
        if (l->item[i].loop == loop)
            dot_item(l, t, &l->item[i]);

    for (int k = 0; k < l->loops; k++) {
        if (l->loop[k].outer != loop || l->loop[k].item < 0)
            continue;
        text_add(t, "    subgraph cluster_%d {\n    style=dashed\n    label=\"%s\"\n", k,
                 html_words(l, l->item[l->loop[k].item].formula));
        dot_body(l, t, k);
        text_add(t, "    }\n");
    }
}

static void dot_edges(const Lesson *l, Text *t, const Node *n)
{
    const Node **operand = arena_array(l->ngc, n->nargs + 1, sizeof *operand);
    int count = lesson_operands(l, n, operand);

    for (int k = 0; k < count; k++)
        if (lesson_at(l, operand[k]))
            text_add(t, "    n%d -> n%d\n", operand[k]->id, n->id);

    /* what a pass leaves in a variable is its value before the next one */
    for (int i = 0; n->op == OP_loop && i < loop_variables(n); i++) {
        const Node *next = loop_next(n, i);
        const Node *leaf = loop_leaf(n, i);
        if (lesson_at(l, next) && lesson_at(l, leaf))
            text_add(t, "    n%d -> n%d [style=dashed, constraint=false, label=\"next pass\"]\n",
                     next->id, leaf->id);
    }
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

    dot_body(l, t, -1);
    for (int i = 0; i < l->items; i++)
        dot_edges(l, t, l->item[i].node);
    text_add(t, "}\n");
}
