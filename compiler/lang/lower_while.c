/* lower_while.c - for .. while: the condition, before the first pass and in a general one. */
#include "lang/lower_loop.h"

static bool is_carried(const For *f, const char *name)
{
    for (int i = 0; i < f->count; i++)
        if (f->carried[i].b->name == name)
            return true;
    return false;
}

/* A name of the condition that gets its value only within a pass; NULL: there is none. */
static const Expr *read_too_early(const For *f, const Expr *x)
{
    const Expr *found = NULL;

    if (!x)
        return NULL;
    if (x->kind == X_NAME) {
        bool local = x->name != f->s->name && body_assigns(f->s->body, x->name);
        return local && !is_carried(f, x->name) ? x : NULL;
    }
    for (const Arg *a = x->args; a && !found; a = a->next)
        found = read_too_early(f, a->value);
    if (!found)
        found = read_too_early(f, x->a);
    if (!found)
        found = read_too_early(f, x->b);
    if (found)
        return found;
    return read_too_early(f, x->c);
}

/* The condition before a pass in which the loop's name has this value; NULL: a message was given.
 */
Node *while_test(For *f, struct PassAt at, Value *index)
{
    Lower *L = f->L;
    Scope *outer = L->scope;

    L->scope = scope_new(L, SCOPE_PASS, outer);
    scope_bind(L, f->s->name, index, f->s->at);
    L->pass[L->passes++] = at;
    Node *test = want_node(L, lower_expr(L, f->s->test), "the condition of a loop");
    L->passes--;
    L->scope = outer;

    if (!test || test->shape.rank == 0)
        return test;
    lower_error(L, ERR_WHILE, f->s->test->loc,
                "the condition of a loop is one number, and this has shape %s: write any(..), "
                "all(..) or norm(..)",
                shape_text(L->g, test->shape));
    return NULL;
}

bool while_is_always(const Node *test)
{
    double v;
    return node_const(test, &v) && v != 0;
}

/* Is there a first pass, as far as is known? The message about a wrong condition is given here. */
bool while_begins(For *f)
{
    Lower *L = f->L;
    const Expr *early = read_too_early(f, f->s->test);
    double v;

    if (early) {
        lower_error(L, ERR_WHILE, early->loc,
                    "'%s' has no value before the first pass, when the condition is evaluated: "
                    "give it one before the loop, in the same %s",
                    early->name, L->frame ? "def" : "file");
        return false;
    }
    Value *first = value_number(L, f->s->at, (double)f->lo);
    Node *test = while_test(f, for_pass_at(f, f->lo), first);
    return test && !(node_const(test, &v) && v == 0);
}

/* In the first pass, which shows shapes, no carried value is a constant, as in all others. */
void while_hide_constants(For *f)
{
    Lower *L = f->L;
    double v;

    for (int i = 0; i < f->count; i++) {
        Binding *b = f->carried[i].b;
        Node *n = b->value->kind == V_NODE ? b->value->node : NULL;
        if (!n || n->type == T_INT || !node_const(n, &v))
            continue;
        const double *number = arena_copy(L->ngc, &v, sizeof v);
        Node *data = graph_data(L->g, (Shape){0}, T_FLOAT, number);
        data = graph_bind(L->g, graph_broadcast(L->g, data, n->shape), NULL, L->g->count);
        b->value = value_node(L, b->value->loc, data);
    }
}
