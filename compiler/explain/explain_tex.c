/* explain_tex.c - a lesson as a LaTeX document of its own, which needs amsmath only. */
#include "explain/explain.h"

#include <math.h>
#include <string.h>

/* A number in a formula: "-\infty". */
static const char *tex_number(const Lesson *l, double x)
{
    if (isnan(x))
        return "\\mathrm{nan}";
    if (isinf(x))
        return x < 0 ? "-\\infty" : "\\infty";
    return lesson_number(l, x);
}

/* A value in the first pass of a loop or in the last; of a node in no loop the same. */
static const char *tex_value_of(const Lesson *l, Node *n, bool first)
{
    if (n->shape.rank == 0) {
        const double *x = lesson_elements_of(l, n, first);
        if (x)
            return tex_number(l, *x);
    }
    return text_format(l->ngc, "\\text{%s}", tex_words(l, lesson_value_of(l, n, first)));
}

static const char *tex_value(const Lesson *l, Node *n)
{
    return tex_value_of(l, n, false);
}

/* A value; in a body, that of the first pass and of the last: "1 at t = 0, 2 at t = 3". */
static const char *tex_values(const Lesson *l, Node *n)
{
    int loop = lesson_loop(l, n);
    const PassValue *first = NULL;
    if (loop >= 0)
        first = lesson_pass(l, n, true);

    if (!first)
        return tex_value(l, n);
    return text_format(l->ngc, "%s \\text{ at $%s$, } %s \\text{ at $%s$}",
                       tex_value_of(l, n, true), lesson_pass_name(l, loop, first),
                       tex_value_of(l, n, false),
                       lesson_pass_name(l, loop, lesson_pass(l, n, false)));
}

enum { LISTS = 4 }; /* LaTeX has no more lists inside each other */

static void tex_body(const Lesson *l, Text *t, int loop);

/* "\item $v = a + b = 3$", of a loop with its body. */
static void tex_item(const Lesson *l, Text *t, int item)
{
    const Item *n = &l->item[item];
    if (n->node->op == OP_loop) {
        text_add(t, "\\item %s\n", tex_words(l, n->formula));
        tex_body(l, t, lesson_find_loop(l, n->node->attr.loop));
        return;
    }

    text_add(t, "\\item $%s", math_name(l, n->label, M_TEX));
    if (n->math_tex)
        text_add(t, " = %s", n->math_tex);
    text_add(t, " = %s$", tex_values(l, n->node));
    if (!n->formula)
        text_add(t, " \\quad %s", lesson_kind(l, n));
    text_add(t, "\n");
}

/* The items in the body of a loop (-1: in none). */
static void tex_body(const Lesson *l, Text *t, int loop)
{
    bool any = false;
    bool list = lesson_depth(l, loop) < LISTS;
    for (int i = 0; i < l->items; i++) {
        if (l->item[i].loop != loop)
            continue;
        if (!any && list)
            text_add(t, "\\begin{itemize}\n");
        any = true;
        tex_item(l, t, i);
    }
    if (any && list)
        text_add(t, "\\end{itemize}\n");
}

static void tex_forward(const Lesson *l, Text *t)
{
    text_add(t, "\\section*{Forward}\n");
    tex_body(l, t, -1);
    if (lesson_invented(l))
        text_add(t, "%s\n", tex_words(l, lesson_invented(l)));
}

/* The value that the next moves are from: "z = x @ W", and what a teacher says of it. */
static void tex_source(const Lesson *l, Text *t, const Item *y)
{
    const char *formula = text_or(y->math_tex, "");
    const char *teach = text_or(y->teach, "");
    if (y->node->op == OP_loop)
        text_add(t, "\n\\medskip\\noindent %s \\quad %s\n", tex_words(l, y->label),
                 tex_words(l, teach));
    else
        text_add(t, "\n\\medskip\\noindent $%s = %s$ \\quad %s\n", math_name(l, y->label, M_TEX),
                 formula, tex_words(l, teach));
}

/* One contribution: upstream times local slope, and the sum so far. In a loop, in its last pass,
 * with which it begins, and in the first. */
static void tex_move(const Lesson *l, Text *t, const Move *v)
{
    const Step *s = v->step;
    const char *down = math_name(l, v->down, M_TEX);
    const char *gets = s->use ? "\\mathrel{+}=" : "=";

    /* the rule, and its value */
    text_add(t, "\n\\noindent\\qquad $\\displaystyle %s %s %s", down, gets, v->rule_tex);
    if (!isnan(v->slope))
        text_add(t, " = (%s)(%s)", tex_value(l, s->dy), tex_number(l, v->slope));
    text_add(t, " = %s$", tex_value(l, s->dx));
    if (lesson_loop(l, s->dx) >= 0)
        text_add(t, "; in the first pass $%s$", tex_value_of(l, s->dx, true));

    /* the sum so far, if x has several users */
    if (s->use)
        text_add(t, " \\quad %s of $%s$: added, together $%s$", lesson_nth(l, s->use),
                 math_name(l, l->item[v->x].label, M_TEX), tex_value(l, s->sum));
    text_add(t, "\n");
}

static void tex_backward(const Lesson *l, Text *t, const Node *loss)
{
    const Node *last = NULL;
    int loop = -1;
    text_add(t, "\\section*{Backward from $%s$}\n", math_name(l, lesson_label(l, loss), M_TEX));
    for (int i = 0; i < l->moves; i++) {
        const Move *v = &l->move[i];
        if (v->step->loss != loss)
            continue;
        if (v->loop >= 0 && v->loop != loop)
            text_add(t, "\n\\medskip\\noindent In the last pass of %s:\n",
                     tex_words(l, lesson_loop_back(l, &l->loop[v->loop])));
        if (v->step->y != last || v->loop != loop)
            tex_source(l, t, &l->item[v->y]);
        last = v->step->y;
        loop = v->loop;
        tex_move(l, t, v);
    }
}

static void tex_nudges(const Lesson *l, Text *t)
{
    if (l->nudges == 0)
        return;
    text_add(t, "\\section*{The test by a nudge}\n\\begin{itemize}\n");
    for (int i = 0; i < l->nudges; i++) {
        const Nudge *n = &l->nudge[i];
        const char *entry = tex_words(l, n->entry);
        const char *loss = tex_words(l, lesson_label(l, n->root->loss));
        text_add(t, "\\item %s\n", lesson_nudge(l, n, entry, loss, n->slope));
    }
    text_add(t, "\\end{itemize}\n");
}

void explain_tex(const Lesson *l, Text *t)
{
    text_add(t,
             "\\documentclass[11pt]{article}\n\\usepackage{amsmath}\n"
             "\\setlength{\\emergencystretch}{3em}\n"
             "\\title{%s}\\date{}\n\\begin{document}\n\\raggedright\n\\maketitle\n",
             tex_words(l, l->m->name));

    tex_forward(l, t);
    for (int i = 0; i < l->losses; i++)
        tex_backward(l, t, l->loss[i]);
    tex_nudges(l, t);
    if (l->ngc->opt.jacobians)
        explain_jacobians_tex(l, t);
    text_add(t, "\\end{document}\n");
}
