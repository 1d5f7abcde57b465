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

static const char *tex_value(const Lesson *l, Node *n)
{
    if (n->shape.rank == 0)
        return tex_number(l, *eval_node(l->e, n));
    return text_format(l->ngc, "\\text{%s}", tex_words(l, lesson_value(l, n)));
}

static void tex_forward(const Lesson *l, Text *t)
{
    text_add(t, "\\section*{Forward}\n\\begin{itemize}\n");
    for (int i = 0; i < l->items; i++) {
        const Item *n = &l->item[i];
        text_add(t, "\\item $%s", math_name(l, n->label, M_TEX));
        if (n->math_tex)
            text_add(t, " = %s", n->math_tex);
        text_add(t, " = %s$", tex_value(l, n->node));
        if (!n->formula)
            text_add(t, " \\quad %s", lesson_kind(l, n));
        text_add(t, "\n");
    }
    text_add(t, "\\end{itemize}\n");
    if (lesson_invented(l))
        text_add(t, "%s\n", tex_words(l, lesson_invented(l)));
}

/* The value that the next moves are from: "z = x @ W", and what a teacher says of it. */
static void tex_source(const Lesson *l, Text *t, const Item *y)
{
    const char *formula = y->math_tex ? y->math_tex : "";
    const char *teach = y->teach ? y->teach : "";
    text_add(t, "\n\\medskip\\noindent $%s = %s$ \\quad %s\n", math_name(l, y->label, M_TEX),
             formula, tex_words(l, teach));
}

/* One contribution: upstream times local slope, and the sum so far. */
static void tex_move(const Lesson *l, Text *t, const Move *v)
{
    const Step *s = v->step;
    text_add(t, "\n\\noindent\\qquad $\\displaystyle %s %s %s", math_name(l, v->down, M_TEX),
             s->use ? "\\mathrel{+}=" : "=", v->rule_tex);
    if (!isnan(v->slope))
        text_add(t, " = (%s)(%s)", tex_value(l, s->dy), tex_number(l, v->slope));
    text_add(t, " = %s$", tex_value(l, s->dx));

    if (s->use)
        text_add(t, " \\quad %s of $%s$: added, together $%s$", lesson_nth(l, s->use),
                 math_name(l, l->item[v->x].label, M_TEX), tex_value(l, s->sum));
    text_add(t, "\n");
}

static void tex_backward(const Lesson *l, Text *t, const Node *loss)
{
    const Node *last = NULL;
    text_add(t, "\\section*{Backward from $%s$}\n", math_name(l, lesson_label(l, loss), M_TEX));
    for (int i = 0; i < l->moves; i++) {
        const Move *v = &l->move[i];
        if (v->step->loss != loss)
            continue;
        if (v->step->y != last)
            tex_source(l, t, &l->item[v->y]);
        last = v->step->y;
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
        double slope = (n->moved - n->loss) / n->h;
        text_add(t, "\\item %s\n", lesson_nudge(l, n, entry, loss, slope));
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
