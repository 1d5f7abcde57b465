/* explain_loop.c - the loops of a lesson, and what they do in words. */
#include "explain/explain.h"

#include <string.h>

enum {
    SHOWN_PARTS = 3, /* values of a body that are named in a loop's formula */
    DEPTH = 8,       /* of the formulas of these */
};

/* ---- which loops there are ---- */

/* "for t in 2..20" with the dims as numbers */
static const char *range_text(const Lesson *l, const Loop *of)
{
    int64_t passes = size_at(l->g, of->passes, l->e ? l->e->dim : NULL);
    return text_format(l->ngc, "for %s in %lld..%lld", of->name, (long long)of->from,
                       (long long)(of->from + passes));
}

/* Those of the nodes that are needed; those inside others come first. */
void lesson_loops(Lesson *l, const int *uses)
{
    int room = 0;

    /* a loop comes after all that is in its body */
    for (int i = 0; i < l->g->count; i++) {
        Node *n = l->g->node[i];
        if (!uses[i] || n->op != OP_loop || lesson_find_loop(l, n->attr.loop) >= 0)
            continue;
        LIST_GROW(l->ngc, l->loop, l->loops, &room);
        l->loop[l->loops++] = (LessonLoop){
            .loop = n->attr.loop,
            .node = n,
            .item = lesson_at(l, n) - 1,
            .outer = -1,
            .of = -1,
        };
    }

    /* now that all are known: around which they are, and of which they are the derivative */
    for (int i = 0; i < l->loops; i++) {
        LessonLoop *loop = &l->loop[i];
        loop->outer = lesson_loop(l, loop->node);
        loop->of = lesson_find_loop(l, loop->loop->of);
    }
    for (int i = 0; i < l->items; i++)
        l->item[i].loop = lesson_loop(l, l->item[i].node);
}

/* ---- what a loop does, in words ---- */

/* "h.t = tanh(v4)", of the first few parts. */
static void add_part(const Lesson *l, Text *t, int number, const Node *n)
{
    if (number < SHOWN_PARTS)
        text_add(t, "%s %s = %s", number ? "," : ":", lesson_label(l, n),
                 node_text(l->g, n, DEPTH));
}

const char *lesson_loop_text(const Lesson *l, const Node *loop)
{
    const Loop *of = loop->attr.loop;
    Text parts = {.ngc = l->ngc};
    int count = 0;

    /* the variables that its passes change */
    for (int i = 0; i < loop_variables(loop); i++) {
        Node *next = loop_next(loop, i);
        if (next->in[of->level] == of)
            add_part(l, &parts, count++, next);
    }

    /* what is collected from its passes */
    for (int i = 0; i < l->items; i++) {
        const Node *n = l->item[i].node;
        if (n->op == OP_collect && n->arg[1] == loop && node_name(n->arg[0]))
            add_part(l, &parts, count++, n->arg[0]);
    }
    return text_format(l->ngc, "%s%s%s", range_text(l, of), text_or(parts.at, ""),
                       text_if(count > SHOWN_PARTS, ", ..."));
}

const char *lesson_loop_back(const Lesson *l, const LessonLoop *loop)
{
    return text_format(l->ngc, "%s, from the last pass to the first", range_text(l, loop->loop));
}

/* The loop that a leaf is of; NULL: it is not in the lesson. */
static const Node *loop_of_leaf(const Lesson *l, const Node *leaf, int *variable)
{
    int k = lesson_find_loop(l, leaf->attr.loop);
    if (k < 0)
        return NULL;

    const Node *loop = l->loop[k].node;
    *variable = loop_variable(loop, leaf);
    return *variable >= 0 ? loop : NULL;
}

int lesson_operands(const Lesson *l, const Node *n, const Node **out)
{
    int count = 0, i;
    const Node *loop = NULL;
    if (n->op == OP_carried)
        loop = loop_of_leaf(l, n, &i);

    if (loop)
        out[count++] = loop_init(loop, i);
    for (int k = 0; k < n->nargs; k++) {
        bool begins = n->op == OP_loop && k < 2 * loop_variables(n);
        bool leaf = n->op == OP_last && k == 0;
        if (!begins && !leaf)
            out[count++] = n->arg[k];
    }
    return count;
}

const char *lesson_loop_words(const Lesson *l, const Node *n)
{
    int i;

    if (n->op == OP_loop)
        return lesson_loop_text(l, n);
    if (n->op != OP_carried && n->op != OP_last)
        return NULL;

    const Node *loop = loop_of_leaf(l, n->op == OP_last ? n->arg[0] : n, &i);
    if (!loop)
        return NULL;
    const char *next = lesson_label(l, loop_next(loop, i));
    if (n->op == OP_last)
        return text_format(l->ngc, "%s of the last pass", next);
    return text_format(l->ngc, "%s, then %s of the pass before",
                       lesson_label(l, loop_init(loop, i)), next);
}
