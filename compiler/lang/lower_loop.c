/* lower_loop.c - for: a loop whose passes are alike becomes one node of the graph, others are
 * expanded.
 *
 * The first pass is executed as any other. It makes the weights of layers that are called, and
 * shows the shapes of what is carried. Then a general pass is lowered, in which the index and
 * the carried values are leaves. If that works, and nothing in it is special to one pass, the loop
 * stays; what the first pass computed is not used.
 *
 * A loop that ends by its data (while) or has a run-time bound cannot be expanded. If its passes
 * are not alike, this is an error with the reason. */
#include "lang/lower_loop.h"

#include <string.h>

enum {
    MAX_PASSES = 100000, /* that are expanded */
    WORTH_PASSES = 4,    /* a loop of fewer passes is expanded */
    WORTH_NODES = 192,   /* one that makes fewer nodes, too */
    MAX_DRAWS = 1 << 28, /* streams of noise of all passes */
};

/* ---- one pass after the other ---- */

/* Passes from number `from` on; true: a return was executed. */
static bool expand(For *f, int64_t from, int64_t to, Value **result)
{
    Lower *L = f->L;
    int errors = L->ngc->errors;
    struct Expanding loop = {f->why, f->why_loc};
    const struct Expanding *outer = L->expanding;
    bool returns = false;

    /* a message in it can say why the loop was expanded */
    if (f->why)
        L->expanding = &loop;
    for (int64_t i = from; i < to && L->ngc->errors == errors && !returns; i++) {
        if (!lower_work(L, f->s->loc))
            break;
        Value *number = value_number(L, f->s->at, (double)i);
        returns = lower_pass(L, f->s, for_pass_at(f, i), number, result);
    }
    L->expanding = outer;
    return returns;
}

/* ---- the general pass ---- */

/* What a pass may not change if all are to be alike. */
typedef struct Counts {
    int vars, streams, var_paths;
    int roots;   /* without those of named values, which a pass may change */
    int updates; /* those of them that are updates */
} Counts;

static int updates(const Lower *L)
{
    int n = 0;

    for (int i = 0; i < L->m->roots; i++)
        n += L->m->root[i].kind == ROOT_UPDATE;
    return n;
}

static Counts counts(const Lower *L)
{
    Counts c = {.vars = L->m->vars,
                .streams = L->streams,
                .var_paths = L->var_paths,
                .updates = updates(L)};

    for (int i = 0; i < L->m->roots; i++)
        c.roots += L->m->root[i].kind != ROOT_NAMED;
    return c;
}

/* Removes the variables and roots that were made since then. */
static void drop_made(For *f, Counts before, int roots)
{
    Lower *L = f->L;

    L->m->vars = before.vars;
    L->var_paths = before.var_paths;
    L->m->roots = roots;
    for (int i = 0; i < f->count; i++)
        if (f->carried[i].b->root > roots)
            f->carried[i].b->root = 0;
}

/* Has a variable that the first pass made a path with the number of the pass in it? */
static bool owns_variables(const For *f, int from)
{
    const Lower *L = f->L;

    for (int i = from; i < L->var_paths; i++)
        /* h.0.W: the number of the pass is in its path */
        for (const Path *p = L->var_path[i].path; p; p = p->up)
            if (p->loop == f->number)
                return true;
    return false;
}

static bool only_assigns(For *f)
{
    const Stmt *s = body_special(f->s->body);
    return !s || for_differs(f, s->loc, "a statement in it is not an assignment");
}

/* May the passes be alike, by what the first one did? */
static bool may_stay(For *f, Counts before)
{
    const Lower *L = f->L;

    if (!only_assigns(f))
        return false;
    if (L->ngc->opt.literal && !for_must_stay(f))
        return for_differs(f, f->s->loc, "the graph is literal");
    if (L->levels == MAX_LEVELS)
        return for_differs(f, f->s->loc, "too many loops are inside each other");
    if (owns_variables(f, before.var_paths))
        return for_differs(f, f->s->loc, "each pass has weights of its own");
    if (counts(L).roots - updates(L) != before.roots - before.updates)
        return for_differs(f, f->s->loc, "a pass makes something of its own");
    if (in_backward(L))
        return for_differs(f, f->s->loc, "it is in a backward part");
    if ((double)f->draws * (double)size_max(L->g, f->passes) > MAX_DRAWS)
        return for_differs(f, f->s->loc, "it draws too many random numbers");
    return true;
}

/* A list as a tensor; NULL: its elements have different shapes, or are not tensors. */
static Value *as_tensor(For *f, const Value *v)
{
    Lower *L = f->L;
    Trial trial;

    trial_begin(L->ngc, &trial);
    Node *n = want_node(L, v, "a value");
    if (trial_end(L->ngc, &trial) && n)
        return value_node(L, v->loc, n);
    return NULL;
}

/* A list that becomes a tensor in the first pass is a tensor from the beginning. So is each list
 * that a loop with while carries, as it cannot grow there. */
static bool fit_lists(For *f, Carried *c)
{
    const char *name = c->b->name;
    bool to_tensor = c->first->kind == V_NODE || f->s->test;

    /* it stays a list, to which passes append */
    if (c->init->kind != V_LIST || !to_tensor)
        return true;
    if (c->first->kind == V_LIST && c->first->count != c->init->count)
        return for_differs(f, c->b->loc,
                           text_format(f->L->ngc,
                                       "the list '%s' grows, by a number of elements that is not "
                                       "known; carry a tensor and replace its elements, as in "
                                       "%s = where(arange(100) == i, value, %s)",
                                       name, name, name));

    Value *init = as_tensor(f, c->init);
    Value *first = as_tensor(f, c->first);
    if (!init || !first)
        return for_differs(f, c->b->loc, text_format(f->L->ngc, "'%s' is not a tensor", name));
    c->init = init;
    c->first = first;
    return true;
}

/* A list to which passes only append: a pass begins with the items from before the loop. */
static bool begin_list(For *f, const Carried *c)
{
    Lower *L = f->L;
    const char *name = c->b->name;
    if (body_uses_list(f->s->body, name))
        return for_differs(f, c->b->loc, text_format(L->ngc, "it reads the list '%s'", name));

    Value *list = arena_copy(L->ngc, c->init, sizeof *list);
    list->used = NULL; /* what it appends is not the list's */
    c->b->value = list;
    return true;
}

/* Has a tensor the same shape and type before the loop and after the first pass? A number gets the
 * type that it becomes. */
static bool is_of_one_kind(For *f, const Carried *c)
{
    Lower *L = f->L;
    const char *name = c->b->name;
    const Node *init = c->init->node;
    const Node *first = c->first->node;
    double number;

    if (!shape_equal(init->shape, first->shape)) {
        const char *advice = text_if(for_must_stay(f), "; give it that shape before the loop");
        const char *before = shape_text(L->g, init->shape);
        const char *after = shape_text(L->g, first->shape);
        return for_differs(f, c->b->loc,
                           text_format(L->ngc, "'%s' is %s and becomes %s%s", name, before, after,
                                       advice));
    }
    if (init->type != first->type && !node_const(init, &number))
        return for_differs(f, c->b->loc, text_format(L->ngc, "'%s' changes its type", name));
    return true;
}

/* The values with which a loop begins, as leaves of the shape and type that they keep. */
static bool begin_variable(For *f, const Loop *loop, Carried *c)
{
    Lower *L = f->L;
    const char *name = c->b->name;

    if (!fit_lists(f, c))
        return false;
    if (c->init->kind == V_LIST && c->first->kind == V_LIST)
        return begin_list(f, c);
    if (c->init->kind != V_NODE || c->first->kind != V_NODE)
        return for_differs(f, c->b->loc, text_format(L->ngc, "'%s' is not a tensor", name));
    if (!is_of_one_kind(f, c))
        return false;

    /* a leaf: its value before a pass */
    const Path *path = path_passes(L, path_new(L, L->path, name));
    c->leaf = graph_carried(L->g, loop, c->first->node);
    c->leaf->name = text_format(L->ngc, "%s.before", path_text(L, path, NULL, false));
    c->b->value = value_node(L, c->init->loc, c->leaf);
    return true;
}

/* A list of tensors can be collected from all passes; true also if the pass appended nothing. */
static bool end_list(For *f, const Carried *c)
{
    const Value *v = c->b->value;

    for (int i = c->init->count; i < v->count; i++)
        if (v->item[i]->kind != V_NODE)
            return for_differs(f, c->b->loc,
                               text_format(f->L->ngc, "'%s' is a list of lists", c->b->name));
    return true;
}

/* What the pass leaves of a carried value. */
static bool end_variable(For *f, Carried *c)
{
    Lower *L = f->L;
    const Value *v = c->b->value;
    if (!c->leaf)
        return end_list(f, c);

    if (v->kind == V_LIST)
        v = as_tensor(f, v);
    if (!v || v->kind != V_NODE || !shape_equal(v->node->shape, c->leaf->shape))
        return for_differs(f, c->b->loc, text_format(L->ngc, "'%s' changes its shape", c->b->name));
    c->next = graph_cast(L->g, v->node, c->leaf->type);
    return true;
}

/* Lowers that pass. */
static bool lower_any_pass(For *f, const Kept *k)
{
    Lower *L = f->L;
    Value *result = NULL;
    Counts before = counts(L);
    int roots = L->m->roots;
    struct PassAt at = {.number = -1, .name = f->s->name, .loop = f->number};
    Trial trial;

    /* messages, work and draws of a pass that is only tried do not count */
    int work = L->work;
    bool stopped = L->stopped;
    Size outer = L->pass_streams;
    /* the same streams of noise as the first pass had, so that their number can be compared */
    L->streams = f->streams;
    L->pass_streams = kept_streams_before(f, k);
    trial_begin(L->ngc, &trial);

    Value *v = value_node(L, f->s->at, kept_pass_number(f, k));
    if (f->s->test)
        f->test = while_test(f, at, v);
    if (f->test && while_is_always(f->test))
        f->test = NULL;
    lower_pass(L, f->s, at, v, &result);

    L->work = work;
    L->stopped = stopped;
    L->pass_streams = outer;
    bool same_draws = L->streams - f->streams == f->draws;
    L->streams = before.streams;
    if (!trial_end(L->ngc, &trial)) {
        const Diag *d = trial.first;
        return for_differs(f, d->loc, d->text);
    }

    Counts after = counts(L);
    /* a general pass must leave nothing behind but values */
    if (memcmp(&before, &after, sizeof before) != 0 || !same_draws) {
        drop_made(f, before, roots);
        return for_differs(f, f->s->loc, "a pass makes something of its own");
    }
    return true;
}

static Origin later(Origin a, Origin b)
{
    return max_int(a, b);
}

/* Finds what nodes are computed from: those that there are more of than the last time. */
static void find_origins(Lower *L)
{
    const Graph *g = L->g;

    while (L->origins < g->count) {
        const Node *n = g->node[L->origins];
        bool leaf = node_has(n, F_RUN_TIME) && n->op != OP_training;
        Origin of = OF_NUMBERS;
        if (leaf && n->op != OP_carried && n->op != OP_index)
            of = n->op == OP_size ? OF_SIZES : OF_DATA;

        /* operands come first: numbers < sizes < data */
        for (int k = 0; k < n->nargs; k++)
            of = later(of, L->origin[arg_id(n, k)]);
        LIST_GROW(L->ngc, L->origin, L->origins, &L->origin_room);
        L->origin[L->origins++] = of;
    }
}

/* What n is computed from. What differs in the passes of a loop around this one is data. */
static Origin origin_of(const For *f, const Loop *loop, const Node *n)
{
    for (int l = 0; l < loop->level; l++)
        if (n->in[l])
            return OF_DATA;
    return f->L->origin[n->id];
}

/* The most that anything of a pass is computed from. */
static Origin origin_of_pass(const For *f, const Loop *loop)
{
    Origin most = OF_NUMBERS;

    find_origins(f->L);
    for (int i = 0; i < f->count; i++) {
        const Carried *c = &f->carried[i];
        const Value *v = c->b->value;
        if (c->leaf)
            most =
                later(most, later(origin_of(f, loop, c->next), origin_of(f, loop, c->init->node)));
        for (int k = c->init->count; !c->leaf && k < v->count; k++)
            most = later(most, origin_of(f, loop, v->item[k]->node));
    }
    return most;
}

/* Does it leave anything? */
static bool leaves_something(const For *f)
{
    for (int i = 0; i < f->count; i++) {
        const Carried *c = &f->carried[i];
        if (c->leaf ? c->next != c->leaf : c->b->value->count > c->init->count)
            return true;
    }
    return false;
}

/* Has the loop enough passes, or enough in them, to be shorter than its expanded form? */
static bool is_long(For *f, const Loop *loop, int from)
{
    const Graph *g = f->L->g;
    int64_t nodes = 0;
    int64_t passes = f->passes;

    if (g->ngc->opt.unroll > 0)
        return passes >= g->ngc->opt.unroll || for_differs(f, f->s->loc, "it is short");
    /* nodes of the body: the expanded form has them once for each pass */
    for (int i = from; i < g->count; i++)
        nodes += g->node[i]->in[loop->level] == loop;
    if (passes >= WORTH_PASSES && passes * nodes >= WORTH_NODES)
        return true;
    return for_differs(f, f->s->loc, "it is short");
}

/* Is a loop better than its expanded form? One that computes sizes, such as a list of those of a
 * new tensor, is expanded: its results can be sizes then. */
static bool is_worth_it(For *f, const Loop *loop, int from)
{
    if (for_must_stay(f) || f->states > 0)
        return for_must_stay(f) || is_long(f, loop, from);
    if (!leaves_something(f))
        return for_differs(f, f->s->loc, "no value outside of it changes");
    Origin of = origin_of_pass(f, loop);
    if (of == OF_NUMBERS)
        return for_differs(f, f->s->loc, "what it computes is known at compile time");
    if (of == OF_SIZES && f->passes <= MAX_PASSES)
        return for_differs(f, f->s->loc, "it computes with sizes only");
    return is_long(f, loop, from);
}

/* Can a list grow in this loop? With a run-time number of passes it becomes a tensor. */
static bool lists_fit(For *f)
{
    for (int i = 0; i < f->count; i++) {
        const Carried *c = &f->carried[i];
        int each = 0;
        if (!c->leaf)
            each = c->b->value->count - c->init->count;
        bool peeled = c->init == c->first && c->init->count == 1; /* it was empty */
        if (for_is_run_time(f) && (each > 1 || (each == 1 && c->init->count > 0 && !peeled)))
            return for_differs(
                f, c->b->loc,
                text_format(f->L->ngc,
                            "'%s' would be a list of unknown length: in a loop with a "
                            "run-time bound, one element is appended to an empty list",
                            c->b->name));
        if (!for_is_run_time(f) && each > 0 && f->passes > MAX_PASSES)
            return for_differs(f, c->b->loc,
                               text_format(f->L->ngc, "'%s' would have an element for each pass",
                                           c->b->name));
    }
    return true;
}

/* What all passes append, after what the first one did if that was executed by itself. */
static Node *after_first(const For *f, const Carried *c, Node *all)
{
    Graph *g = f->L->g;
    Shape one = all->shape;

    if (c->init->count == 0)
        return all;
    one.dim[0] = 1;
    Node *first = graph_reshape(g, graph_cast(g, c->init->item[0]->node, all->type), one);
    return graph_concat(g, (Node *[]){first, all}, 2, 0);
}

/* The elements that each pass appends to a list, as a tensor [passes, ..] that is cut apart. */
static Value *appended(const For *f, const Kept *k, const Carried *c)
{
    Lower *L = f->L;
    const Value *list = c->b->value;
    Graph *g = L->g;
    int each = list->count - c->init->count;
    Value *v = value_list(L, f->s->loc, c->init->item, c->init->count);

    v->name = c->b->name;
    if (each == 0)
        return v;

    Node **all = arena_array(L->ngc, each, sizeof *all);
    for (int i = 0; i < each; i++)
        all[i] = kept_collect(f, k, list->item[c->init->count + i]->node);
    if (for_is_run_time(f))
        return value_node(L, f->s->loc, after_first(f, c, all[0]));

    /* element i of pass t is row t of all[i] */
    for (int64_t t = 0; t < f->passes; t++)
        for (int i = 0; i < each; i++) {
            const Value *item = list->item[c->init->count + i];
            Shape one = all[i]->shape;
            one.dim[0] = 1;
            Size lo[MAX_RANK] = {t};
            Node *row = graph_slice(g, all[i], lo, size_ones, one);
            row = graph_reshape(g, row, item->node->shape);
            LIST_GROW(L->ngc, v->item, v->count, &v->room);
            v->item[v->count++] = value_node(L, item->loc, row);
        }
    v->used = arena_alloc(L->ngc, sizeof *v->used);
    *v->used = v->count;
    return v;
}

static Variables variables_of(const For *f)
{
    Lower *L = f->L;
    size_t most = (size_t)(f->count + f->states) + 1;
    Variables v = {.leaf = arena_array(L->ngc, most, sizeof *v.leaf),
                   .init = arena_array(L->ngc, most, sizeof *v.init),
                   .next = arena_array(L->ngc, most, sizeof *v.next)};

    for (int i = 0; i < f->count; i++) {
        const Carried *c = &f->carried[i];
        if (!c->leaf)
            continue;
        v.leaf[v.count] = c->leaf;
        v.init[v.count] = graph_cast(L->g, c->init->node, c->leaf->type);
        v.next[v.count++] = c->next;
    }
    states_add(f, &v);
    return v;
}

/* The value of a carried name after the last pass. A number that is known now may be a size, or
 * decide an if. */
static Node *last_value(For *f, const Carried *c, Node *last)
{
    Lower *L = f->L;
    Path *path = path_passes(L, path_new(L, L->path, c->b->name));

    if (last->shape.rank == 0 && is_known(L, last)) {
        Node *number = graph_const(L->g, *known_value(L, last));
        return graph_cast(L->g, number, last->type);
    }
    const char *name = path_text(L, path, NULL, false);
    return graph_bind(L->g, last, name, L->g->count - 1);
}

/* The loop as a node, and what it leaves. */
static void finish(For *f, Kept *k)
{
    Lower *L = f->L;
    Variables v = variables_of(f);
    Node *loop = kept_make(f, k, &v);

    for (int i = 0, n = 0; i < f->count; i++) {
        const Carried *c = &f->carried[i];
        Value *value;
        if (c->leaf) {
            Node *last = graph_last(L->g, loop, v.leaf[n++]);
            value = value_node(L, c->b->value->loc, last_value(f, c, last));
        } else {
            value = appended(f, k, c);
        }
        lower_rebind(L, c->b, value);
    }
    states_finish(f, loop, v.leaf + v.count - f->states);
}

/* Of loops inside, the notes of the general pass are true if the loop stays; those of the first
 * pass are true if that is executed. */
static void settle_notes(const For *f, bool stays)
{
    Model *m = f->L->m;
    int first = f->notes[1] - f->notes[0];
    int general = m->loops - f->notes[1];
    bool peeled = f->lo > f->start;

    if (!stays) {
        m->loops = f->notes[1];
    } else if (!peeled) {
        if (general > 0)
            memmove(m->loop + f->notes[0], m->loop + f->notes[1],
                    (size_t)general * sizeof *m->loop);
        m->loops -= first;
    }
}

/* As if the general pass had not been lowered: names mean what the first pass left. */
static void undo(For *f)
{
    states_undo(f);
    for (int i = 0; i < f->count; i++) {
        lower_rebind(f->L, f->carried[i].b, f->carried[i].first);
        f->carried[i].leaf = NULL;
    }
}

/* Lowers passes from f->lo on as a loop, with the carried values `init`; false: they are not alike.
 */
static bool keep(For *f)
{
    Lower *L = f->L;
    Graph *g = L->g;
    int from = g->count;
    int levels = L->levels;
    int inners = L->inners;
    Kept k = kept_new(f);
    Indices before = graph_use_indices(g, k.index, k.levels);
    const Loop *innermost = kept_innermost(&k);
    bool good = true; /* so far */

    /* from here on names mean leaves: their values before any pass */
    for (int i = 0; i < f->count; i++)
        good = good && begin_variable(f, innermost, &f->carried[i]);
    states_begin(f, innermost);

    /* the body, once for all passes */
    L->levels += k.levels;
    good = good && lower_any_pass(f, &k);
    L->levels = levels;

    for (int i = 0; i < f->count; i++)
        good = good && end_variable(f, &f->carried[i]);
    states_end(f);
    graph_restore_indices(g, before);

    /* was a pass like the first one, and is a loop better? */
    good = good && lists_fit(f) && body_derivatives_stay(f, innermost, inners);
    if (good && f->states > 0 && L->inners > inners)
        good = for_differs(f, f->s->loc, "a pass updates a state, and there is a derivative in it");
    good = good && is_worth_it(f, innermost, from);

    if (!good || levels == 0)
        L->inners = inners;
    if (good)
        finish(f, &k);
    settle_notes(f, good);
    if (!good)
        undo(f);
    return good;
}

/* The loop from its second pass on: the first one gave a carried value its shape. */
static bool keep_rest(For *f)
{
    for (int i = 0; i < f->count; i++)
        f->carried[i].init = f->carried[i].first;
    for (int i = 0; i < f->states; i++)
        f->state[i].init = f->state[i].first;
    /* the first pass stays what it was executed as */
    f->lo++;
    f->passes = size_sub(f->L->g, f->passes, 1);
    return keep(f);
}

/* ---- for ---- */

/* The bounds of `for i in lo..hi`, where hi is not included; false with a message. */
static bool for_range(For *f, const Value *from)
{
    Lower *L = f->L;
    int64_t hi;
    if (!want_whole(L, from, "the start of a range", &f->lo))
        return false;

    Value *to = lower_expr(L, f->s->to);
    if (to->kind == V_NODE && to->node->op == OP_size) {
        f->passes = size_sub(L->g, to->node->attr.size, f->lo);
        if (size_least(L->g, f->passes) >= 1)
            return true;
        lower_error(L, ERR_NUMBER_TOO_SMALL, to->loc, "%s passes may be none",
                    size_text(L->g, f->passes, ""));
        return false;
    }
    if (!want_whole(L, to, "the end of a range", &hi))
        return false;
    if (hi > f->lo)
        f->passes = hi - f->lo;
    else
        f->passes = 0;
    return true;
}

static bool too_many(const For *f)
{
    if (f->passes <= MAX_PASSES)
        return false;
    Diag *d =
        lower_error(f->L, ERR_MODEL_SIZE, f->s->value->loc,
                    "%lld passes: loops are expanded at compile time, so the limit is %d passes",
                    (long long)f->passes, MAX_PASSES);
    if (f->why)
        diag_note(f->L->ngc, d, f->why_loc, "the loop is expanded: %s", f->why);
    return true;
}

/* What --report says about the loop. */
static void note_loop(const For *f, bool stays)
{
    Model *m = f->L->m;

    LIST_GROW(f->L->ngc, m->loop, m->loops, &m->loop_room);
    m->loop[m->loops++] = (struct LoopNote){.loc = f->s->loc,
                                            .passes = size_max(f->L->g, f->passes),
                                            .stays = stays,
                                            .why = stays ? NULL : f->why,
                                            .why_loc = f->why_loc};
}

/* It cannot be expanded, and its passes are not alike. */
static bool refuse(const For *f)
{
    if (f->s->test)
        lower_error(f->L, ERR_WHILE, f->why_loc,
                    "the passes of a loop with while must be alike: %s", f->why);
    else
        lower_error(f->L, ERR_NOT_CONSTANT, f->why_loc,
                    "the passes of a loop with a run-time bound must be alike: %s", f->why);
    return false;
}

/* In formula mode, the first pass may have met a name that it assigns: an input, which is carried
 * from then on. */
static void carry_inputs(For *f)
{
    Lower *L = f->L;
    int known = f->count;

    body_find_carried(f, f->s->body);
    for (int i = known; i < f->count; i++) {
        const Var *v = lower_find_var(L, f->carried[i].b->name);
        f->carried[i].init = value_node(L, f->s->loc, v->node);
    }
}

/* The first pass, always on its own. false: no other follows. */
static bool first_pass(For *f, Value **result, bool *returned)
{
    Lower *L = f->L;
    bool tests = f->s->test != NULL;
    int errors = L->ngc->errors;

    body_find_carried(f, f->s->body);
    f->notes[0] = L->m->loops;
    states_before(f);
    /* before anything is executed: a loop with while cannot be expanded instead */
    if (tests && f->passes != 0 && !only_assigns(f))
        return refuse(f);
    if (tests && f->passes != 0 && !while_begins(f))
        return false;
    if (tests)
        while_hide_constants(f);
    if (f->passes == 0)
        return false;

    *returned = expand(f, f->lo, f->lo + 1, result);
    if (*returned || L->ngc->errors > errors)
        return false;
    return tests || f->passes != 1;
}

/* What the first pass has shown, which the general pass is compared with. */
static void note_first_pass(For *f, Counts before)
{
    Lower *L = f->L;

    if (L->formula)
        carry_inputs(f);
    for (int i = 0; i < f->count; i++)
        f->carried[i].first = f->carried[i].b->value;

    f->start = f->lo;
    f->notes[1] = L->m->loops;
    f->streams = before.streams;
    f->draws = L->streams - before.streams;
    states_of_first_pass(f);
}

/* Do the other passes stay a loop? If not, For.why says why. The reason is kept by the text of the
 * loop, so that it is not tried again where the text is lowered once more. */
static bool stays(For *f, Counts before)
{
    Lower *L = f->L;
    Size passes = f->passes;
    int known = *table_at(L->ngc, &L->unrolled, f->s);

    if (known && !for_must_stay(f)) {
        f->why = L->reason[known - 1].why;
        f->why_loc = L->reason[known - 1].why_loc;
        if (L->levels > 0) /* the note of the first pass around it is dropped */
            note_loop(f, false);
        return false;
    }

    /* two passes without the first are one, which is not a loop */
    bool peels = passes != 2 && !f->s->test;
    bool kept = may_stay(f, before) && (keep(f) || (peels && keep_rest(f)));
    note_loop(f, kept);
    if (kept) {
        L->streams = f->streams + f->draws * (int)size_max(L->g, passes);
        return true;
    }

    LIST_GROW(L->ngc, L->reason, L->reasons, &L->reason_room);
    L->reason[L->reasons++] = (struct Expanding){f->why, f->why_loc};
    *table_at(L->ngc, &L->unrolled, f->s) = L->reasons;
    return false;
}

static bool lower_range(Lower *L, const Stmt *s, const Value *from, Value **result)
{
    For f = {.L = L, .s = s, .number = ++L->fors};
    bool returned = false;
    if (!for_range(&f, from))
        return false;
    f.from = f.lo;

    Counts before = counts(L);
    if (!first_pass(&f, result, &returned))
        return returned;
    note_first_pass(&f, before);

    /* To try whether it stays may change which passes are to be lowered. */
    int64_t lo = f.lo;
    Size passes = f.passes;
    /* the first pass has been executed, and is either part of the loop or before it */
    if (stays(&f, before))
        return false;
    f.lo = lo;
    f.passes = passes;
    if (for_must_stay(&f))
        return refuse(&f);
    return !too_many(&f) && expand(&f, lo + 1, lo + passes, result);
}

static bool lower_list(Lower *L, const Stmt *s, const Value *list, Value **result)
{
    int errors = L->ngc->errors;
    int number = ++L->fors;

    for (int i = 0; i < list->count && L->ngc->errors == errors && lower_work(L, s->loc); i++)
        if (lower_pass(L, s, (struct PassAt){.number = i, .loop = number}, list->item[i], result))
            return true;
    return false;
}

bool lower_for(Lower *L, const Stmt *s, Value **result)
{
    enum { MAX_LOOPS = sizeof L->pass / sizeof *L->pass };
    Value *from = lower_expr(L, s->value);
    if (L->passes == MAX_LOOPS) {
        lower_error(L, ERR_LOOP_NESTING, s->loc, "more than %d loops inside each other", MAX_LOOPS);
        return false;
    }

    if (s->to)
        return lower_range(L, s, from, result);
    if (from->kind == V_LIST)
        return lower_list(L, s, from, result);
    if (from->kind != V_ERROR)
        lower_error(L, ERR_NOT_A_RANGE, from->loc, "for goes over a range a..b or a list");
    return false;
}
