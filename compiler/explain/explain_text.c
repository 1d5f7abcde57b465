/* explain_text.c - a lesson as a lecturer writes it on a board: forward with values, backward step
 * by step, the update, and the test by a nudge. */
#include "explain/explain.h"

#include <math.h>
#include <string.h>

/* "  z = x*w = 2*3 = 6", as far as each part says more. */
static void text_item(const Lesson *l, Text *t, const Item *n)
{
    const char *value = lesson_value(l, n->node);
    text_add(t, "  %s", n->label);
    if (n->formula && strcmp(n->formula, n->label) != 0)
        text_add(t, " = %s", n->formula);
    if (n->numbers && strcmp(n->numbers, value) != 0)
        text_add(t, " = %s", n->numbers);
    text_add(t, " = %s", value);

    bool in_full =
        *value == '[' && !strstr(value, " of mean"); /* statistics begin with the shape */
    if (n->node->shape.rank > 0 && in_full)
        text_add(t, "   shape %s", lesson_shape(l, n->node));
    if (!n->formula)
        text_add(t, "   (%s)", lesson_kind(l, n));
    text_add(t, "\n");
}

static void text_forward(const Lesson *l, Text *t)
{
    text_add(t, "Forward: each value from the ones before it\n\n");
    for (int i = 0; i < l->items; i++)
        text_item(l, t, &l->item[i]);
    if (lesson_invented(l))
        text_add(t, "\n  %s\n", lesson_invented(l));
}

/* What a contribution adds up to, where it is not the first. */
static void text_sum(const Lesson *l, Text *t, const Move *v)
{
    const Step *s = v->step;
    const char *x = l->item[v->x].label;
    if (s->use == 0)
        return;

    text_add(t, "        %s of %s: added, ", lesson_nth(l, s->use), x);
    if (v->before)
        text_add(t, "%s + %s = %s\n", v->before, lesson_value(l, s->dx), lesson_value(l, s->sum));
    else
        text_add(t, "together %s\n", lesson_value(l, s->sum));
}

/* One contribution: upstream times local slope is downstream. */
static void text_move(const Lesson *l, Text *t, const Move *v)
{
    const Step *s = v->step;
    text_add(t, "      %s %s %s", v->down, s->use > 0 ? "gets" : "=", v->rule);
    if (v->local && strcmp(v->local, "1") != 0 && *v->rule)
        text_add(t, "\n        = upstream %s x local slope %s", v->up, v->local);

    if (isnan(v->slope))
        text_add(t, "\n        = %s\n", lesson_value(l, s->dx));
    else
        text_add(t, "\n        = %s x %s = %s\n", lesson_value(l, s->dy),
                 lesson_number(l, v->slope), lesson_value(l, s->dx));
    text_sum(l, t, v);
}

static void text_backward(const Lesson *l, Text *t, const Node *loss)
{
    const char *name = lesson_label(l, loss);
    const Node *last = NULL;
    text_add(t,
             "\nBackward: from %s to what it is computed from, "
             "upstream x local slope = downstream\n\n",
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

/* The derivatives that were asked for, with the numbers of `ngc run`. */
static void text_derivatives(const Lesson *l, Text *t)
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
    Loc first;
    const char *given = given_names(l->g, n->root->loss, n->root->x, &first);
    if (given)
        given = text_format(l->ngc, ", by the rule that the user gives in %s", given);
    return text_format(
        l->ngc, "%s from %s to %s moves %s from %s to %s: slope %s; the derivative says %s%s",
        entry, lesson_digits(l, n->x, 6), lesson_digits(l, n->x + n->h, 6), loss,
        lesson_digits(l, n->loss, 6), lesson_digits(l, n->moved, 6), lesson_digits(l, slope, 4),
        lesson_digits(l, n->derivative, 4), given ? given : "");
}

static void text_nudges(const Lesson *l, Text *t)
{
    if (l->nudges == 0)
        return;
    text_add(t, "\nThe test by a nudge: is the slope what the derivative says?\n\n");
    for (int i = 0; i < l->nudges; i++) {
        const Nudge *n = &l->nudge[i];
        const char *loss = lesson_label(l, n->root->loss);
        double slope = (n->moved - n->loss) / n->h;
        if (fabs(slope) < 1e-9) /* rounding */
            slope = 0;
        text_add(t, "  %s\n", lesson_nudge(l, n, n->entry, loss, slope));
    }
}

void explain_text(const Lesson *l, Text *t)
{
    text_forward(l, t);
    for (int i = 0; i < l->losses; i++)
        text_backward(l, t, l->loss[i]);
    text_derivatives(l, t);
    text_update(l, t);
    text_nudges(l, t);
    if (l->ngc->opt.jacobians) {
        text_add(t, "\n");
        explain_jacobians(l, t);
    }
}
