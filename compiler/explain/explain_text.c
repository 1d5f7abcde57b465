/* explain_text.c - a lesson as a lecturer writes it on a board: forward with values, backward step
 * by step, the update, and the test by a nudge. */
#include "explain/explain.h"

#include <math.h>
#include <string.h>

/* The spaces before what is said inside this many loops. */
static const char *indent(const Lesson *l, int loops)
{
    return text_format(l->ngc, "%*s", 2 + 2 * loops, "");
}

/* "shape [2, 3]", of a tensor that is written in full */
static void text_shape(const Lesson *l, Text *t, const Node *n, const char *value)
{
    bool in_full =
        *value == '[' && !strstr(value, " of mean"); /* statistics begin with the shape */
    if (n->shape.rank > 0 && in_full)
        text_add(t, "   shape %s", lesson_shape(l, n));
}

/* "2*3 = 6", as far as each part says more. */
static void text_numbers(Text *t, const char *numbers, const char *value)
{
    if (numbers && !same_text(numbers, value))
        text_add(t, "%s = ", numbers);
    text_add(t, "%s", value);
}

/* Are there two passes to show? */
static bool has_two(const PassValue *first, const PassValue *last)
{
    return last && memcmp(first->pass, last->pass, sizeof first->pass) != 0;
}

/* "t = 0: 2*3 = 6" */
static void text_item_pass(const Lesson *l, Text *t, const Item *n, const PassValue *v, bool first)
{
    const char *value = lesson_value_in(l, n->node, v);
    const char *space = indent(l, lesson_depth(l, n->loop) + 1);

    text_add(t, "%s%s: ", space, lesson_pass_name(l, n->loop, v));
    text_numbers(t, lesson_in_numbers(l, n, first), value);
    text_shape(l, t, n->node, value);
    text_add(t, "\n");
}

/* The first pass of a loop and the last, a line each. */
static void text_item_passes(const Lesson *l, Text *t, const Item *n)
{
    const PassValue *first = lesson_pass(l, n->node, true);
    const PassValue *last = lesson_pass(l, n->node, false);

    if (has_two(first, last))
        text_item_pass(l, t, n, first, true);
    if (last)
        text_item_pass(l, t, n, last, false);
}

static void text_loop(const Lesson *l, Text *t, int item);

/* "  z = x*w = 2*3 = 6" */
static void text_item(const Lesson *l, Text *t, int item)
{
    const Item *n = &l->item[item];
    if (n->node->op == OP_loop) {
        text_loop(l, t, item);
        return;
    }

    const char *space = indent(l, lesson_depth(l, n->loop));
    text_add(t, "%s%s", space, n->label);
    if (n->formula && !same_text(n->formula, n->label))
        text_add(t, " = %s", n->formula);

    /* in a loop it has a value in each pass */
    if (n->loop >= 0) {
        text_add(t, "\n");
        text_item_passes(l, t, n);
        return;
    }

    const char *value = lesson_value(l, n->node);
    text_add(t, " = ");
    text_numbers(t, n->numbers, value);
    text_shape(l, t, n->node, value);
    if (!n->formula)
        text_add(t, "   (%s)", lesson_kind(l, n));
    text_add(t, "\n");
}

/* The items of a body are said once, with the values of the first pass and of the last. */
static void text_loop(const Lesson *l, Text *t, int item)
{
    const Item *n = &l->item[item];
    const char *space = indent(l, lesson_depth(l, n->loop));
    const char *passes = lesson_value(l, n->node);
    const char *es = text_if(!same_text(passes, "1"), "es");

    text_add(t, "%s%s   (%s pass%s)\n", space, n->formula, passes, es);
    for (int i = 0; i < l->items; i++) {
        int loop = l->item[i].loop;
        if (loop >= 0 && l->loop[loop].item == item)
            text_item(l, t, i);
    }
}

static void text_forward(const Lesson *l, Text *t)
{
    text_add(t, "Forward: each value from the ones before it\n\n");
    for (int i = 0; i < l->items; i++)
        if (l->item[i].loop < 0)
            text_item(l, t, i);
    if (lesson_invented(l))
        text_add(t, "\n  %s\n", lesson_invented(l));
}

/* What a contribution adds up to, where it is not the first. */
static void text_sum(const Lesson *l, Text *t, const Move *v, const char *space)
{
    const Step *s = v->step;
    const char *x = l->item[v->x].label;
    if (s->use == 0)
        return;

    text_add(t, "%s  %s of %s: added, ", space, lesson_nth(l, s->use), x);
    if (v->loop >= 0)
        text_add(t, "together %s in the last pass, %s in the first\n",
                 lesson_value_of(l, s->sum, false), lesson_value_of(l, s->sum, true));
    else if (v->before)
        text_add(t, "%s + %s = %s\n", v->before, lesson_value(l, s->dx), lesson_value(l, s->sum));
    else
        text_add(t, "together %s\n", lesson_value(l, s->sum));
}

/* "2 x 3 = 6": upstream times slope, where both are numbers. */
static void text_product(const Lesson *l, Text *t, const Move *v, bool first)
{
    const Step *s = v->step;
    double slope = lesson_slope(l, v, first);

    if (!isnan(v->slope))
        text_add(t, "%s x %s = ", lesson_value_of(l, s->dy, first), lesson_number(l, slope));
    text_add(t, "%s\n", lesson_value_of(l, s->dx, first));
}

/* The same in the last pass and in the first, which a loop that goes back does last. */
static void text_products(const Lesson *l, Text *t, const Move *v, const char *space)
{
    Node *dx = v->step->dx;
    const PassValue *first = lesson_pass(l, dx, true);
    const PassValue *last = lesson_pass(l, dx, false);

    text_add(t, "%s  %s: ", space, lesson_pass_name(l, v->loop, last));
    text_product(l, t, v, false);
    if (!has_two(first, last))
        return;
    text_add(t, "%s  %s: ", space, lesson_pass_name(l, v->loop, first));
    text_product(l, t, v, true);
}

/* One contribution: upstream times local slope is downstream. */
static void text_move(const Lesson *l, Text *t, const Move *v)
{
    const Step *s = v->step;
    const char *space = indent(l, 2 + lesson_depth(l, v->loop));

    /* the rule; of an elementwise op also as a product, unless the slope is 1 */
    const char *gets = s->use > 0 ? "gets" : "=";
    text_add(t, "%s%s %s %s", space, v->down, gets, v->rule);
    if (v->local && !same_text(v->local, "1") && *v->rule)
        text_add(t, "\n%s  = upstream %s x local slope %s", space, v->up, v->local);
    text_add(t, "\n");

    /* the numbers: of a value in a loop for several passes, a line each */
    if (v->loop >= 0 && lesson_loop(l, s->dx) == v->loop && lesson_pass(l, s->dx, false)) {
        text_products(l, t, v, space);
    } else {
        text_add(t, "%s  = ", space);
        text_product(l, t, v, false);
    }
    text_sum(l, t, v, space);
}

/* Where the moves go into a loop that goes back. */
static void text_enter(const Lesson *l, Text *t, int loop, int before)
{
    if (loop < 0 || loop == before)
        return;
    for (int k = before; k >= 0; k = l->loop[k].outer)
        if (k == loop) /* out of a loop inside it */
            return;
    text_enter(l, t, l->loop[loop].outer, before);
    text_add(t, "\n%s%s\n", indent(l, lesson_depth(l, loop) - 1),
             lesson_loop_back(l, &l->loop[loop]));
}

/* The value that the next moves are from. */
static void text_source(const Lesson *l, Text *t, const Move *v)
{
    const Item *y = &l->item[v->y];
    const char *space = indent(l, lesson_depth(l, v->loop));
    const char *teach = text_or(y->teach, "");

    if (y->node->op == OP_loop)
        text_add(t, "\n%s%s     %s\n", space, y->label, teach);
    else
        text_add(t, "\n%s%s = %s     %s\n", space, y->label, y->formula, teach);
}

static void text_backward(const Lesson *l, Text *t, const Node *loss)
{
    const char *name = lesson_label(l, loss);
    const Move *last = NULL;
    text_add(t,
             "\nBackward: from %s to what it is computed from, "
             "upstream x local slope = downstream\n\n",
             name);
    text_add(t, "  d%s/d%s = 1\n", name, name);
    for (int i = 0; i < l->moves; i++) {
        const Move *v = &l->move[i];
        if (v->step->loss != loss)
            continue;

        /* the moves of one y follow one another: y is said once */
        text_enter(l, t, v->loop, last ? last->loop : -1);
        bool is_next = last && v->step->y == last->step->y && v->loop == last->loop;
        if (!is_next)
            text_source(l, t, v);
        last = v;
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
        given = text_format(l->ngc, ", by the rule %s", given);
    return text_format(
        l->ngc, "%s from %s to %s moves %s from %s to %s: slope %s; the derivative says %s%s",
        entry, lesson_digits(l, n->x, 6), lesson_digits(l, n->x + n->h, 6), loss,
        lesson_digits(l, n->loss, 6), lesson_digits(l, n->moved, 6), lesson_digits(l, slope, 4),
        lesson_digits(l, n->derivative, 4), text_or(given, ""));
}

static void text_nudges(const Lesson *l, Text *t)
{
    if (l->nudges == 0)
        return;
    text_add(t, "\nThe test by a nudge: is the slope what the derivative says?\n\n");
    for (int i = 0; i < l->nudges; i++) {
        const Nudge *n = &l->nudge[i];
        const char *loss = lesson_label(l, n->root->loss);
        double slope = n->slope;
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
