/* explain_text.c - a lesson as a lecturer writes it on a board: forward with values, backward step
 * by step, the update, and the test by a nudge. */
#include "explain.h"

#include <math.h>
#include <string.h>

static void text_forward(const Lesson *l, Text *t)
{
    text_add(t, "Forward: each value from the ones before it\n\n");
    for (int i = 0; i < l->items; i++) {
        const Item *n = &l->item[i];
        const char *value = lesson_value(l, n->node);
        text_add(t, "  %s", n->label);
        if (n->formula && strcmp(n->formula, n->label) != 0)
            text_add(t, " = %s", n->formula);
        if (n->numbers && strcmp(n->numbers, value) != 0)
            text_add(t, " = %s", n->numbers);
        text_add(t, " = %s", value);
        if (n->node->shape.rank > 0 && *value == '[' && !strstr(value, " of mean"))
            text_add(t, "   shape %s", lesson_shape(l, n->node));
        if (!n->formula)
            text_add(t, "   (%s)", lesson_kind(l, n));
        text_add(t, "\n");
    }
    if (lesson_invented(l))
        text_add(t, "\n  %s\n", lesson_invented(l));
}

/* One contribution: upstream times local is downstream, and what it adds up to. */
static void text_move(const Lesson *l, Text *t, const Move *v)
{
    const Step *s = v->step;
    const char *x = l->item[v->x].label;
    const char *down = lesson_value(l, s->dx);
    text_add(t, "      %s %s %s", v->down, s->use > 0 ? "gets" : "=", v->rule);
    if (v->local && strcmp(v->local, "1") != 0 && *v->rule)
        text_add(t, "\n        = upstream %s x local slope %s", v->up, v->local);
    if (!isnan(v->slope))
        text_add(t, "\n        = %s x %s", lesson_value(l, s->dy), lesson_number(l, v->slope));
    text_add(t, "%s= %s\n", isnan(v->slope) ? "\n        " : " ", down);
    if (s->use > 0 && v->before)
        text_add(t, "        %s of %s: added, %s + %s = %s\n", lesson_nth(l, s->use), x, v->before,
                 down, lesson_value(l, s->sum));
    else if (s->use > 0)
        text_add(t, "        %s of %s: added, together %s\n", lesson_nth(l, s->use), x,
                 lesson_value(l, s->sum));
}

static void text_backward(const Lesson *l, Text *t, const Node *loss)
{
    const char *name = lesson_label(l, loss);
    const Node *last = NULL;
    text_add(
        t,
        "\nBackward: from %s to what it is computed from, upstream x local slope = downstream\n\n",
        name);
    text_add(t, "  d%s/d%s = 1\n", name, name);
    for (int i = 0; i < l->moves; i++) {
        const Move *v = &l->move[i];
        const Item *y = &l->item[v->y];
        if (v->step->loss != loss)
            continue;
        if (v->step->y != last)
            text_add(t, "\n  %s = %s     %s\n", y->label, y->formula, y->teach ? y->teach : "");
        last = v->step->y;
        text_move(l, t, v);
    }
}

/* The table of derivatives that were asked for: the same numbers as those of ngc run. */
static void text_asked(const Lesson *l, Text *t)
{
    bool any = false;
    for (int i = 0; i < l->m->roots; i++) {
        Root *r = &l->m->root[i];
        if (r->kind != ROOT_GRAD)
            continue;
        if (!any)
            text_add(t, "\nThe derivatives\n\n");
        any = true;
        text_add(t, "  %s = %s\n", r->name, lesson_value(l, r->node));
    }
}

static void text_update(const Lesson *l, Text *t)
{
    bool any = false;
    for (int i = 0; i < l->m->roots; i++) {
        Root *r = &l->m->root[i];
        if (r->kind != ROOT_UPDATE)
            continue;
        if (!any)
            text_add(t, "\nThe update\n\n");
        any = true;
        text_add(t, "  %s becomes %s: from %s to %s\n", r->name, node_text(l->g, r->written, 3),
                 lesson_value(l, r->var->node), lesson_value(l, r->node));
    }
}

const char *lesson_nudge(const Lesson *l, const Nudge *n, const char *entry, const char *loss,
                         double slope)
{
    return text_format(l->ngc,
                       "%s from %s to %s moves %s from %s to %s: slope %s; the derivative says %s",
                       entry, lesson_digits(l, n->x, 6), lesson_digits(l, n->x + n->h, 6), loss,
                       lesson_digits(l, n->loss, 6), lesson_digits(l, n->moved, 6),
                       lesson_digits(l, slope, 4), lesson_digits(l, n->derivative, 4));
}

static void text_nudges(const Lesson *l, Text *t)
{
    if (l->nudges)
        text_add(t, "\nThe test by a nudge: is the slope what the derivative says?\n\n");
    for (int i = 0; i < l->nudges; i++) {
        const Nudge *n = &l->nudge[i];
        double slope = (n->moved - n->loss) / n->h;
        text_add(t, "  %s\n",
                 lesson_nudge(l, n, n->entry, lesson_label(l, n->root->loss),
                              fabs(slope) < 1e-9 ? 0 : slope));
    }
}

void explain_text(const Lesson *l, Text *t)
{
    text_forward(l, t);
    for (int i = 0; i < l->losses; i++)
        text_backward(l, t, l->loss[i]);
    text_asked(l, t);
    text_update(l, t);
    text_nudges(l, t);
    if (l->ngc->opt.jacobians) {
        text_add(t, "\n");
        explain_jacobians(l, t);
    }
}
