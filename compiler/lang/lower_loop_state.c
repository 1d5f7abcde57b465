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
        if (r->kind != ROOT_UPDATE || r->var->update != i + 1)
            continue;
        int old = before_of(f, r->var);
        if (old >= 0 && f->before[old] == r->node)
            continue;
        LIST_GROW(f->L->ngc, f->state, f->states, &f->state_room);
        f->state[f->states++] = (LoopState){.var = r->var,
                                            .init = old >= 0 ? f->before[old] : r->var->node,
                                            .first = r->node};
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

void states_end(For *f)
{
    for (int i = 0; i < f->states; i++)
        f->state[i].next = root_of(f, &f->state[i])->node;
}

void states_add(const For *f, Variables *v)
{
    for (int i = 0; i < f->states; i++) {
        v->leaf[v->count] = f->state[i].leaf;
        v->init[v->count] = f->state[i].init;
        v->next[v->count++] = f->state[i].next;
    }
}

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
