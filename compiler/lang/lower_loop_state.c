/* lower_loop_state.c - states of layers that the passes of a loop update.
 *
 * Each call of a layer reads a state as the call before left it. So in a loop that stays, such a
 * state is carried from pass to pass as a variable is, and its update is its value after the last
 * pass. Between passes, the value is in the root of the update. */
#include "lang/lower_loop.h"

static Root *root_of(const For *f, const LoopState *s)
{
    return &f->L->m->root[s->var->update - 1];
}

/* The update of the variable when the loop begins: its number among f->before, or -1. */
static int before_of(const For *f, const Var *v)
{
    if (v->update > 0 && v->update <= f->befores)
        return v->update - 1;
    return -1;
}

/* Notes what the roots are before the first pass. */
void states_before(For *f)
{
    const Model *m = f->L->m;

    f->befores = m->roots;
    f->before = arena_array(f->L->ngc, m->roots + 1, sizeof(Node *));
    for (int i = 0; i < m->roots; i++)
        f->before[i] = m->root[i].node;
}

/* Notes the states that the first pass has updated. */
void states_of_first_pass(For *f)
{
    const Model *m = f->L->m;

    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        bool is_last = r->kind == ROOT_UPDATE && r->var->update == i + 1;
        if (!is_last)
            continue;

        /* its value when the loop begins: that of an update before the loop, or of the variable */
        Node *init = r->var->node;
        int old = before_of(f, r->var);
        if (old >= 0)
            init = f->before[old];
        if (old >= 0 && init == r->node) /* the pass did not update it */
            continue;

        LIST_GROW(f->L->ngc, f->state, f->states, &f->state_room);
        f->state[f->states++] = (LoopState){.var = r->var, .init = init, .first = r->node};
    }
}

/* In the general pass, a state begins with what the pass before left. */
void states_begin(For *f, const Loop *loop)
{
    for (int i = 0; i < f->states; i++) {
        LoopState *s = &f->state[i];
        s->leaf = graph_carried(f->L->g, loop, s->first);
        s->leaf->name = text_format(f->L->ngc, "%s.before", s->var->name);
        root_of(f, s)->node = s->leaf;
    }
}

/* What the general pass leaves of each state. */
void states_end(For *f)
{
    for (int i = 0; i < f->states; i++)
        f->state[i].next = root_of(f, &f->state[i])->node;
}

/* Adds the states to the variables of the loop. */
void states_add(const For *f, Variables *v)
{
    for (int i = 0; i < f->states; i++) {
        v->leaf[v->count] = f->state[i].leaf;
        v->init[v->count] = f->state[i].init;
        v->next[v->count++] = f->state[i].next;
    }
}

/* After the loop, a state has its value after the last pass. */
void states_finish(For *f, Node *loop, Node *const *leaf)
{
    for (int i = 0; i < f->states; i++)
        root_of(f, &f->state[i])->node = graph_last(f->L->g, loop, leaf[i]);
}

/* The loop does not stay: they are as the first pass left them. */
void states_undo(For *f)
{
    for (int i = 0; i < f->states; i++)
        root_of(f, &f->state[i])->node = f->state[i].first;
}
