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
#include "lang/lower.h"

#include <string.h>

enum {
    MAX_PASSES = 100000, /* that are expanded */
    WORTH_PASSES = 4,    /* a loop of fewer passes is expanded */
    WORTH_NODES = 192,   /* one that makes fewer nodes, too */
    MAX_DRAWS = 1 << 28, /* streams of noise of all passes */
};

/* A name that the body assigns, and that has a value outside. */
typedef struct Carried {
    Binding *b;
    Value *init;  /* before the loop */
    Value *first; /* after the first pass */
    Node *leaf;   /* in the general pass; NULL: a list */
    Node *next;
} Carried;

/* A for over a range, while it is lowered. */
typedef struct For {
    Lower *L;
    const Stmt *s;
    int64_t from; /* of the first pass */
    int64_t lo;   /* of the passes that are still to be lowered */
    Size passes;
    int number;    /* of the for */
    int notes[2];  /* Model.loops before its first pass, and after it */
    int64_t start; /* lo of the first pass */
    int streams;   /* of noise, before that pass */
    int draws;     /* those of one pass */
    Carried *carried;
    int count, room;
    Node *test;      /* of while, in the general pass; NULL: there is none */
    const char *why; /* its passes are not alike, or NULL */
    Loc why_loc;
} For;

static bool is_run_time(const For *f)
{
    return f->passes < 0;
}

/* Can it not be expanded? */
static bool must_stay(const For *f)
{
    return is_run_time(f) || f->s->test;
}

/* The passes are not alike, as said. */
static bool differs(For *f, Loc loc, const char *why)
{
    f->why = why;
    f->why_loc = loc;
    return false;
}

/* ---- what the text of the body says ---- */

static bool reads(const Expr *x, const char *name);

static bool args_read(const Arg *a, const char *name)
{
    for (; a; a = a->next)
        if (a->value && reads(a->value, name))
            return true;
    return false;
}

static bool reads(const Expr *x, const char *name)
{
    if (!x)
        return false;
    if (x->kind == X_NAME)
        return x->name == name;
    return reads(x->a, name) || reads(x->b, name) || reads(x->c, name) || args_read(x->args, name);
}

/* Is it `list = append(list, value)`? */
static bool appends(const Stmt *s, const char *list)
{
    const Expr *call = s->value;

    if (s->kind != S_ASSIGN || !call || call->kind != X_CALL || s->names->next ||
        s->names->name != list || call->a->kind != X_NAME || strcmp(call->a->name, "append") != 0)
        return false;
    const Arg *a = call->args;
    return a && a->value->kind == X_NAME && a->value->name == list && !args_read(a->next, list);
}

/* Does a body use the list otherwise than to append to it? */
static bool uses_list(const Stmt *s, const char *list)
{
    for (; s; s = s->next) {
        if (appends(s, list))
            continue;
        for (const Names *t = s->names; t; t = t->next)
            if (t->name == list)
                return true;
        if (reads(s->value, list) || reads(s->to, list) || args_read(s->values, list))
            return true;
        if (uses_list(s->body, list) || uses_list(s->orelse, list))
            return true;
    }
    return false;
}

/* The first statement that does more than give values names; NULL: there is none. */
static const Stmt *special(const Stmt *s)
{
    for (; s; s = s->next) {
        if (s->kind != S_ASSIGN && s->kind != S_FOR && s->kind != S_IF)
            return s;
        const Stmt *inside = special(s->body);
        if (!inside)
            inside = special(s->orelse);
        if (inside)
            return inside;
    }
    return NULL;
}

static void add_carried(For *f, const char *name)
{
    Lower *L = f->L;
    Scope *outer = L->scope;

    L->scope = scope_new(L, SCOPE_PASS, outer);
    Binding *b = name == f->s->name ? NULL : scope_carried(L, name);
    L->scope = outer;
    if (!b || b->declared)
        return;

    for (int i = 0; i < f->count; i++)
        if (f->carried[i].b == b)
            return;
    f->carried = arena_grow(L->ngc, f->carried, f->count, &f->room, sizeof *f->carried);
    f->carried[f->count++] = (Carried){.b = b, .init = b->value};
}

static void find_carried(For *f, const Stmt *s)
{
    for (; s; s = s->next) {
        for (const Names *t = s->kind == S_ASSIGN ? s->names : NULL; t; t = t->next)
            add_carried(f, t->name);
        find_carried(f, s->body);
        find_carried(f, s->orelse);
    }
}

/* ---- one pass after the other ---- */

static struct PassAt pass_at(const For *f, int64_t i)
{
    return (struct PassAt){.number = (int)i, .from = (int)f->from, .loop = f->number};
}

/* Passes from number `from` on; true: a return was executed. */
static bool expand(For *f, int64_t from, int64_t to, Value **result)
{
    Lower *L = f->L;
    int errors = L->ngc->errors;
    struct Expanding loop = {f->why, f->why_loc};
    const struct Expanding *outer = L->expanding;
    bool returns = false;

    if (f->why)
        L->expanding = &loop;
    for (int64_t i = from; i < to && L->ngc->errors == errors && !returns; i++)
        returns = lower_work(L, f->s->loc) &&
                  lower_pass(L, f->s, pass_at(f, i), value_number(L, f->s->at, (double)i), result);
    L->expanding = outer;
    return returns;
}

/* ---- while ---- */

static bool assigns(const Stmt *s, const char *name)
{
    for (; s; s = s->next) {
        for (const Names *t = s->kind == S_ASSIGN ? s->names : NULL; t; t = t->next)
            if (t->name == name)
                return true;
        if (assigns(s->body, name) || assigns(s->orelse, name))
            return true;
    }
    return false;
}

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
        bool local = x->name != f->s->name && assigns(f->s->body, x->name);
        return local && !is_carried(f, x->name) ? x : NULL;
    }
    for (const Arg *a = x->args; a && !found; a = a->next)
        found = read_too_early(f, a->value);
    if (!found)
        found = read_too_early(f, x->a);
    if (!found)
        found = read_too_early(f, x->b);
    return found ? found : read_too_early(f, x->c);
}

/* The condition before a pass in which the loop's name has this value; NULL: a message was given.
 */
static Node *lower_test(For *f, struct PassAt at, Value *index)
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

static bool is_always(const Node *test)
{
    double v;
    return node_const(test, &v) && v != 0;
}

/* Is there a first pass, as far as is known? The message about a wrong condition is given here. */
static bool begins(For *f)
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
    Node *test = lower_test(f, pass_at(f, f->lo), first);
    return test && !(node_const(test, &v) && v == 0);
}

/* In the first pass, which shows shapes, no carried value is a constant, as in all others. */
static void hide_constants(For *f)
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

/* ---- the general pass ---- */

/* What a pass may not change if all are to be alike. */
typedef struct Counts {
    int vars, streams, var_paths;
    int roots; /* without those of named values, which a pass may change */
} Counts;

static Counts counts(const Lower *L)
{
    Counts c = {.vars = L->m->vars, .streams = L->streams, .var_paths = L->var_paths};

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
        for (const Path *p = L->var_path[i].path; p; p = p->up)
            if (p->loop == f->number)
                return true;
    return false;
}

static bool only_assigns(For *f)
{
    const Stmt *s = special(f->s->body);
    return !s || differs(f, s->loc, "a statement in it is not an assignment");
}

/* May the passes be alike, by what the first one did? */
static bool may_stay(For *f, Counts before)
{
    const Lower *L = f->L;

    if (!only_assigns(f))
        return false;
    if (L->ngc->opt.literal && !must_stay(f))
        return differs(f, f->s->loc, "the graph is literal");
    if (L->levels == MAX_LEVELS)
        return differs(f, f->s->loc, "too many loops are inside each other");
    if (owns_variables(f, before.var_paths))
        return differs(f, f->s->loc, "each pass has weights of its own");
    if (counts(L).roots != before.roots)
        return differs(f, f->s->loc, "a pass updates a state");
    if (in_backward(L))
        return differs(f, f->s->loc, "it is in a backward part");
    if ((double)f->draws * (double)size_max(L->g, f->passes) > MAX_DRAWS)
        return differs(f, f->s->loc, "it draws too many random numbers");
    return true;
}

/* A list as a tensor; NULL: its elements have different shapes, or are not tensors. */
static Value *as_tensor(For *f, const Value *v)
{
    Lower *L = f->L;
    Trial trial;

    trial_begin(L->ngc, &trial);
    Node *n = want_node(L, v, "a value");
    return trial_end(L->ngc, &trial) && n ? value_node(L, v->loc, n) : NULL;
}

/* A list that becomes a tensor in the first pass is a tensor from the beginning. So is each list
 * that a loop with while carries, as it cannot grow there. */
static bool fit_lists(For *f, Carried *c)
{
    const char *name = c->b->name;
    bool to_tensor = c->first->kind == V_NODE || f->s->test;

    if (c->init->kind != V_LIST || !to_tensor)
        return true;
    if (c->first->kind == V_LIST && c->first->count != c->init->count)
        return differs(f, c->b->loc,
                       text_format(f->L->ngc,
                                   "the list '%s' grows, by a number of elements that is not "
                                   "known; carry a tensor and replace its elements, as in "
                                   "%s = where(arange(100) == i, value, %s)",
                                   name, name, name));

    Value *init = as_tensor(f, c->init), *first = as_tensor(f, c->first);
    if (!init || !first)
        return differs(f, c->b->loc, text_format(f->L->ngc, "'%s' is not a tensor", name));
    c->init = init;
    c->first = first;
    return true;
}

/* The values with which a loop begins, as leaves of the shape and type that they keep. */
static bool begin_variable(For *f, const Loop *loop, Carried *c)
{
    Lower *L = f->L;
    const char *name = c->b->name;

    if (!fit_lists(f, c))
        return false;
    if (c->init->kind == V_LIST && c->first->kind == V_LIST) {
        if (uses_list(f->s->body, name))
            return differs(f, c->b->loc, text_format(L->ngc, "it reads the list '%s'", name));
        Value *list = arena_copy(L->ngc, c->init, sizeof *list);
        list->used = NULL; /* what it appends is not the list's */
        c->b->value = list;
        return true;
    }
    if (c->init->kind != V_NODE || c->first->kind != V_NODE)
        return differs(f, c->b->loc, text_format(L->ngc, "'%s' is not a tensor", name));

    Node *init = c->init->node, *first = c->first->node;
    double v;
    if (!shape_equal(init->shape, first->shape))
        return differs(f, c->b->loc,
                       text_format(L->ngc, "'%s' is %s and becomes %s%s", name,
                                   shape_text(L->g, init->shape), shape_text(L->g, first->shape),
                                   must_stay(f) ? "; give it that shape before the loop" : ""));
    if (init->type != first->type && !node_const(init, &v))
        return differs(f, c->b->loc, text_format(L->ngc, "'%s' changes its type", name));

    const Path *path = path_passes(L, path_new(L, L->path, name));
    c->leaf = graph_carried(L->g, loop, first);
    c->leaf->name = text_format(L->ngc, "%s.before", path_text(L, path, NULL, false));
    c->b->value = value_node(L, c->init->loc, c->leaf);
    return true;
}

/* What the pass leaves of a carried value. */
static bool end_variable(For *f, Carried *c)
{
    Lower *L = f->L;
    const Value *v = c->b->value;
    const char *name = c->b->name;

    if (c->leaf && v->kind == V_LIST)
        v = as_tensor(f, v);
    if (!c->leaf) {
        for (int i = c->init->count; i < v->count; i++)
            if (v->item[i]->kind != V_NODE)
                return differs(f, c->b->loc, text_format(L->ngc, "'%s' is a list of lists", name));
        return true;
    }
    if (!v || v->kind != V_NODE || !shape_equal(v->node->shape, c->leaf->shape))
        return differs(f, c->b->loc, text_format(L->ngc, "'%s' changes its shape", name));
    c->next = graph_cast(L->g, v->node, c->leaf->type);
    return true;
}

/* One loop, or one over the passes of each segment inside one over the segments. */
typedef struct Kept {
    Loop *loop, *segments; /* segments: or NULL */
    Node *index[2];        /* of the outer and of the inner */
    int levels;
    Size rows;   /* of what is collected: with segments, there may be more than passes */
    Node *count; /* the passes of this segment; NULL: all have the same number */
} Kept;

/* A number of passes for a segment: one near that asked for, which divides all if there is one. */
static int64_t segment_size(int64_t passes, int64_t asked)
{
    for (int64_t k = 0; k <= asked / 2; k++) {
        if (passes % (asked + k) == 0)
            return asked + k;
        if (passes % (asked - k) == 0)
            return asked - k;
    }
    return asked;
}

/* The passes of this segment: min(size, passes - segment*size), at least 0. */
static Node *segment_count(const For *f, const Kept *k, int64_t size)
{
    Graph *g = f->L->g;
    Node *before = graph_binary(g, OP_mul, k->index[0], graph_int(g, size));
    Node *left = graph_cast(g, graph_size(g, f->passes), T_INT);

    left = graph_binary(g, OP_sub, left, before);
    left = graph_binary(g, OP_minimum, left, graph_int(g, size));
    return graph_binary(g, OP_maximum, left, graph_int(g, 0));
}

static void new_segments(For *f, Kept *k, int64_t asked)
{
    Graph *g = f->L->g;
    int64_t most = size_max(g, f->passes);
    int64_t size = is_run_time(f) ? asked : segment_size(most, asked);
    int64_t segments = (most + size - 1) / size;
    int level = f->L->levels;

    k->segments =
        graph_new_loop(g, text_format(f->L->ngc, "%s_segment", f->s->name), level, segments, false);
    k->segments->segments = true;
    k->segments->last = 0;
    k->loop = graph_new_loop(g, f->s->name, level + 1, size, false);
    k->loop->last = size_sub(g, f->passes, 1);

    k->index[0] = graph_index(g, k->segments);
    k->index[1] = graph_index(g, k->loop);
    k->levels = 2;
    k->rows = segments * size;
    if (f->passes != k->rows)
        k->count = segment_count(f, k, size);
}

static Kept new_kept(For *f)
{
    Lower *L = f->L;
    Kept k = {.levels = 1, .rows = f->passes};
    int64_t segment = L->ngc->opt.segment;

    bool fits = size_max(L->g, f->passes) > segment && L->levels + 2 <= MAX_LEVELS;
    if (segment > 0 && fits && !f->s->test) {
        new_segments(f, &k, segment);
    } else {
        k.loop = graph_new_loop(L->g, f->s->name, L->levels, f->passes, false);
        k.index[0] = graph_index(L->g, k.loop);
    }
    k.loop->loc = f->s->loc;
    k.loop->from = f->lo;
    return k;
}

/* The number of the pass, in the user's range. */
static Node *pass_number(const For *f, const Kept *k)
{
    Graph *g = f->L->g;
    Node *n = graph_cast(g, k->index[k->levels - 1], T_FLOAT);

    if (k->segments) {
        Node *segment = graph_cast(g, k->index[0], T_FLOAT);
        Node *size = graph_const(g, (double)k->loop->passes);
        n = graph_binary(g, OP_add, graph_binary(g, OP_mul, segment, size), n);
    }
    return graph_binary(g, OP_add, n, graph_const(g, (double)f->lo));
}

/* Each pass has streams of its own: those of the passes before it come before them. */
static Size streams_before(const For *f, const Kept *k)
{
    Graph *g = f->L->g;
    Size pass = size_dim(g, MAX_DIMS + k->loop->level);

    if (k->segments) {
        Size segment = size_dim(g, MAX_DIMS + k->segments->level);
        pass = size_add(g, size_mul(g, segment, k->loop->passes), pass);
    }
    pass = size_add(g, pass, f->lo - f->start);
    return size_add(g, f->L->pass_streams, size_mul(g, pass, f->draws));
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

    int work = L->work;
    bool stopped = L->stopped;
    Size outer = L->pass_streams;
    L->streams = f->streams;
    L->pass_streams = streams_before(f, k);
    trial_begin(L->ngc, &trial);
    Value *v = value_node(L, f->s->at, pass_number(f, k));
    if (f->s->test)
        f->test = lower_test(f, at, v);
    if (f->test && is_always(f->test))
        f->test = NULL;
    lower_pass(L, f->s, at, v, &result);
    L->work = work;
    L->stopped = stopped;
    L->pass_streams = outer;
    bool same_draws = L->streams - f->streams == f->draws;
    L->streams = before.streams;
    if (!trial_end(L->ngc, &trial)) {
        const Diag *d = trial.first;
        return differs(f, d->loc, d->text);
    }

    Counts after = counts(L);
    if (memcmp(&before, &after, sizeof before) != 0 || !same_draws) {
        drop_made(f, before, roots);
        return differs(f, f->s->loc, "a pass makes something of its own");
    }
    return true;
}

/* Finds which nodes are computed from what is known only at run time: those that there are more of
 * than the last time. */
static void find_run_time(Lower *L)
{
    const Graph *g = L->g;

    while (L->run_times < g->count) {
        const Node *n = g->node[L->run_times];
        bool leaf = op_info[n->op]->flags & F_RUN_TIME && n->op != OP_training;
        bool is = leaf && n->op != OP_carried && n->op != OP_index;
        for (int k = 0; k < n->nargs; k++)
            is |= L->run_time[n->arg[k]->id];
        L->run_time = arena_grow(L->ngc, L->run_time, L->run_times, &L->run_time_room, 1);
        L->run_time[L->run_times++] = is;
    }
}

/* Is n known only at run time, or only in a pass of a loop around this one? */
static bool is_run_time_value(const For *f, const Loop *loop, const Node *n)
{
    for (int l = 0; l < loop->level; l++)
        if (n->in[l])
            return true;
    return f->L->run_time[n->id];
}

/* Does a pass depend on anything that is known only at run time? */
static bool uses_run_time(const For *f, const Loop *loop)
{
    find_run_time(f->L);
    for (int i = 0; i < f->count; i++) {
        const Carried *c = &f->carried[i];
        const Value *v = c->b->value;
        if (c->leaf && is_run_time_value(f, loop, c->next))
            return true;
        if (c->leaf && is_run_time_value(f, loop, c->init->node))
            return true;
        for (int k = c->init->count; !c->leaf && k < v->count; k++)
            if (is_run_time_value(f, loop, v->item[k]->node))
                return true;
    }
    return false;
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

/* Is a loop better than its expanded form? */
static bool is_worth_it(For *f, const Loop *loop, int from)
{
    const Graph *g = f->L->g;
    int64_t nodes = 0, passes = f->passes;

    if (must_stay(f))
        return true;
    if (!leaves_something(f))
        return differs(f, f->s->loc, "no value outside of it changes");
    if (!uses_run_time(f, loop))
        return differs(f, f->s->loc, "what it computes is known at compile time");
    if (g->ngc->opt.unroll > 0)
        return passes >= g->ngc->opt.unroll || differs(f, f->s->loc, "it is short");
    for (int i = from; i < g->count; i++)
        nodes += g->node[i]->in[loop->level] == loop;
    if (passes >= WORTH_PASSES && passes * nodes >= WORTH_NODES)
        return true;
    return differs(f, f->s->loc, "it is short");
}

/* Can a list grow in this loop? With a run-time number of passes it becomes a tensor. */
static bool lists_fit(For *f)
{
    for (int i = 0; i < f->count; i++) {
        const Carried *c = &f->carried[i];
        int each = c->leaf ? 0 : c->b->value->count - c->init->count;
        bool peeled = c->init == c->first && c->init->count == 1; /* it was empty */
        if (is_run_time(f) && (each > 1 || (each == 1 && c->init->count > 0 && !peeled)))
            return differs(f, c->b->loc,
                           text_format(f->L->ngc,
                                       "'%s' would be a list of unknown length: in a loop with a "
                                       "run-time bound, one element is appended to an empty list",
                                       c->b->name));
    }
    return true;
}

/* n of each pass: [passes, ..]. outer: the loop over segments, or NULL. */
static Node *of_all_passes(const For *f, const Kept *k, Node *loop, Node *outer, Node *n)
{
    Graph *g = f->L->g;
    Node *all = graph_collect_all(g, loop, n);
    Size lo[MAX_RANK] = {0};

    if (!outer)
        return all;
    Shape rows = all->shape;
    rows.dim[0] = k->rows;
    lo[0] = size_mul(g, size_dim(g, MAX_DIMS + k->segments->level), k->loop->passes);
    Indices before = graph_use_indices(g, k->index, 1);
    all = graph_collect(g, outer, all, lo, size_ones, rows);
    graph_restore_indices(g, before);

    rows.dim[0] = f->passes;
    lo[0] = 0;
    return graph_slice(g, all, lo, size_ones, rows);
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
static Value *appended(const For *f, const Kept *k, const Carried *c, Node *loop, Node *outer)
{
    Lower *L = f->L;
    const Value *list = c->b->value;
    Graph *g = L->g;
    int each = list->count - c->init->count;
    Value *v = value_list(L, f->s->loc, c->init->item, c->init->count);

    v->name = c->b->name;
    if (each == 0)
        return v;

    Node **all = arena_alloc(L->ngc, (size_t)each * sizeof *all);
    for (int i = 0; i < each; i++)
        all[i] = of_all_passes(f, k, loop, outer, list->item[c->init->count + i]->node);
    if (is_run_time(f))
        return value_node(L, f->s->loc, after_first(f, c, all[0]));

    for (int64_t t = 0; t < f->passes; t++)
        for (int i = 0; i < each; i++) {
            const Value *item = list->item[c->init->count + i];
            Shape one = all[i]->shape;
            Size lo[MAX_RANK] = {t};
            one.dim[0] = 1;
            Node *row =
                graph_reshape(g, graph_slice(g, all[i], lo, size_ones, one), item->node->shape);
            v->item = arena_grow(L->ngc, v->item, v->count, &v->room, sizeof *v->item);
            v->item[v->count++] = value_node(L, item->loc, row);
        }
    v->used = arena_alloc(L->ngc, sizeof *v->used);
    *v->used = v->count;
    return v;
}

/* Lists of nodes by carried tensor. */
typedef struct Variables {
    Node **leaf, **outer, **init, **next, **last;
    int count;
} Variables;

static Variables variables_of(const For *f)
{
    Lower *L = f->L;
    size_t most = (size_t)f->count + 1;
    Variables v = {.leaf = arena_alloc(L->ngc, most * sizeof *v.leaf),
                   .outer = arena_alloc(L->ngc, most * sizeof *v.outer),
                   .init = arena_alloc(L->ngc, most * sizeof *v.init),
                   .next = arena_alloc(L->ngc, most * sizeof *v.next),
                   .last = arena_alloc(L->ngc, most * sizeof *v.last)};

    for (int i = 0; i < f->count; i++) {
        const Carried *c = &f->carried[i];
        if (!c->leaf)
            continue;
        v.leaf[v.count] = c->leaf;
        v.init[v.count] = graph_cast(L->g, c->init->node, c->leaf->type);
        v.next[v.count++] = c->next;
    }
    return v;
}

/* The loop over segments: its variables are those of the loop inside, from segment to segment. */
static Node *outer_loop(const For *f, const Kept *k, Variables *v, Node **inner)
{
    Graph *g = f->L->g;

    for (int i = 0; i < v->count; i++) {
        v->outer[i] = graph_carried(g, k->segments, v->leaf[i]);
        v->outer[i]->name = v->leaf[i]->name;
    }
    Indices before = graph_use_indices(g, k->index, 1);
    *inner = graph_loop(g, k->loop, v->leaf, v->outer, v->next, v->count, NULL, k->count);
    graph_restore_indices(g, before);
    for (int i = 0; i < v->count; i++)
        v->last[i] = graph_last(g, *inner, v->leaf[i]);
    return graph_loop(g, k->segments, v->outer, v->init, v->last, v->count, NULL, NULL);
}

/* The value of a carried name after the last pass. A number that is known now may be a size, or
 * decide an if. */
static Node *last_value(For *f, const Carried *c, Node *last)
{
    Lower *L = f->L;
    Path *path = path_passes(L, path_new(L, L->path, c->b->name));

    if (last->shape.rank == 0 && is_known(L, last))
        return graph_cast(L->g, graph_const(L->g, *known_value(L, last)), last->type);
    return graph_bind(L->g, last, path_text(L, path, NULL, false), L->g->count - 1);
}

/* The loop as a node, and what it leaves. */
static void finish(For *f, const Kept *k)
{
    Lower *L = f->L;
    Graph *g = L->g;
    Variables v = variables_of(f);
    Node *loop, *outer = NULL;

    if (k->segments)
        outer = outer_loop(f, k, &v, &loop);
    else
        loop = graph_loop(g, k->loop, v.leaf, v.init, v.next, v.count, f->test, NULL);

    for (int i = 0, n = 0; i < f->count; i++) {
        const Carried *c = &f->carried[i];
        Value *value;
        if (c->leaf) {
            Node *last = outer ? graph_last(g, outer, v.outer[n]) : graph_last(g, loop, v.leaf[n]);
            value = value_node(L, c->b->value->loc, last_value(f, c, last));
            n++;
        } else {
            value = appended(f, k, c, loop, outer);
        }
        lower_rebind(L, c->b, value);
    }
}

/* ---- derivatives in the body ----
 *
 * A derivative in a pass is that of the operations of this pass: what is carried into it is a leaf.
 * If a carried value also depends on x, the derivative with respect to x goes on through the passes
 * before, whose number differs from pass to pass. */

/* Marks what a leaf of a loop gets from marked values; true: there is something new. */
static bool mark_leaf(bool *mark, const Node *leaf, const Node *init, const Node *next)
{
    if (mark[leaf->id] || !(mark[init->id] || mark[next->id]))
        return false;
    mark[leaf->id] = true;
    return true;
}

/* What depends on x, by node id, through the loops inside of this one; all: through its own passes
 * too. */
static bool *mark_below(const For *f, const Node *x, bool all)
{
    const Graph *g = f->L->g;
    bool *mark = arena_alloc(g->ngc, (size_t)g->count + 1), again = true;

    mark[x->id] = true;

    while (again) {
        again = false;
        for (int i = 0; i < g->count; i++) {
            const Node *n = g->node[i];
            bool holds = n->op == OP_stop || (n->type == T_INT && n->op != OP_loop);
            for (int k = 0; k < n->nargs && !holds; k++)
                mark[i] |= mark[n->arg[k]->id];
            for (int k = 0; n->op == OP_loop && k < loop_variables(n); k++)
                again |= mark_leaf(mark, loop_leaf(n, k), loop_init(n, k), loop_next(n, k));
        }
        for (int i = 0; all && i < f->count; i++) {
            const Carried *c = &f->carried[i];
            if (c->leaf)
                again |= mark_leaf(mark, c->leaf, c->init->node, c->next);
        }
    }
    return mark;
}

static const Carried *carried_by(const For *f, const Node *leaf)
{
    for (int i = 0; i < f->count; i++)
        if (f->carried[i].leaf == leaf)
            return &f->carried[i];
    return NULL;
}

/* Does another carried value depend on x before the pass begins, by node id of their leaves? */
static bool *mark_before(const For *f, const Loop *loop, const Node *x)
{
    const Carried *own = carried_by(f, x);
    bool *before = arena_alloc(f->L->ngc, (size_t)f->L->g->count + 1);

    if (!own && x->in[loop->level] == loop)
        return before;
    const bool *below = mark_below(f, own ? own->next : x, !own);
    const bool *first = own ? mark_below(f, own->init->node, false) : below;
    for (int i = 0; i < f->count; i++) {
        const Carried *c = &f->carried[i];
        if (c->leaf && c != own)
            before[c->leaf->id] = below[c->next->id] || first[c->init->node->id];
    }
    return before;
}

/* Is each derivative in the body, from number `from` on, one of a single pass? */
static bool derivatives_stay(For *f, const Loop *loop, int from)
{
    Lower *L = f->L;

    for (int d = from; d < L->inners; d++)
        for (int k = 0; k < L->inner[d].count; k++) {
            const Node *x = L->inner[d].x[k];
            const bool *before = mark_before(f, loop, x);
            for (int i = 0; i < f->count; i++) {
                const Carried *c = &f->carried[i];
                if (c->leaf && before[c->leaf->id] &&
                    mark_below(f, c->leaf, false)[L->inner[d].y->id])
                    return differs(f, f->s->loc,
                                   text_format(L->ngc,
                                               "a derivative in it goes back through earlier "
                                               "passes, by '%s'; stop(%s) would hold that",
                                               c->b->name, c->b->name));
            }
        }
    return true;
}

/* Of loops inside, the notes of the general pass are true if the loop stays; those of the first
 * pass are true if that is executed. */
static void settle_notes(const For *f, bool stays)
{
    Model *m = f->L->m;
    int first = f->notes[1] - f->notes[0], general = m->loops - f->notes[1];
    bool peeled = f->lo > f->start;

    if (!stays) {
        m->loops = f->notes[1];
    } else if (!peeled) {
        memmove(m->loop + f->notes[0], m->loop + f->notes[1], (size_t)general * sizeof *m->loop);
        m->loops -= first;
    }
}

/* Lowers passes from f->lo on as a loop, with the carried values `init`; false: they are not alike.
 */
static bool keep(For *f)
{
    Lower *L = f->L;
    Graph *g = L->g;
    int from = g->count, levels = L->levels, inners = L->inners;
    Kept k = new_kept(f);
    Indices before = graph_use_indices(g, k.index, k.levels);
    bool good = true; /* so far */

    for (int i = 0; i < f->count; i++)
        good = good && begin_variable(f, k.loop, &f->carried[i]);

    L->levels += k.levels;
    good = good && lower_any_pass(f, &k);
    L->levels = levels;

    for (int i = 0; i < f->count; i++)
        good = good && end_variable(f, &f->carried[i]);
    graph_restore_indices(g, before);
    good = good && lists_fit(f) && derivatives_stay(f, k.loop, inners);
    good = good && is_worth_it(f, k.loop, from);
    if (!good || levels == 0)
        L->inners = inners;
    if (good)
        finish(f, &k);
    settle_notes(f, good);
    for (int i = 0; i < f->count && !good; i++) {
        lower_rebind(L, f->carried[i].b, f->carried[i].first);
        f->carried[i].leaf = NULL;
    }
    return good;
}

/* The loop from its second pass on: the first one gave a carried value its shape. */
static bool keep_rest(For *f)
{
    for (int i = 0; i < f->count; i++)
        f->carried[i].init = f->carried[i].first;
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
    f->passes = hi > f->lo ? hi - f->lo : 0;
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

    m->loop = arena_grow(f->L->ngc, m->loop, m->loops, &m->loop_room, sizeof *m->loop);
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

static bool lower_range(Lower *L, const Stmt *s, const Value *from, Value **result)
{
    For f = {.L = L, .s = s, .number = ++L->fors};
    if (!for_range(&f, from))
        return false;
    f.from = f.lo;

    /* the first pass */
    Counts before = counts(L);
    int errors = L->ngc->errors;
    find_carried(&f, s->body);
    f.notes[0] = L->m->loops;
    if (s->test && f.passes != 0 && !only_assigns(&f))
        return refuse(&f);
    if (s->test && f.passes != 0 && !begins(&f))
        return false;
    if (s->test)
        hide_constants(&f);
    if (f.passes == 0 || expand(&f, f.lo, f.lo + 1, result))
        return f.passes != 0;
    if (L->ngc->errors > errors || (f.passes == 1 && !s->test))
        return false;
    for (int i = 0; i < f.count; i++)
        f.carried[i].first = f.carried[i].b->value;
    f.start = f.lo;
    f.notes[1] = L->m->loops;
    f.streams = before.streams;
    f.draws = L->streams - before.streams;

    /* the others, as a loop or not */
    int64_t lo = f.lo;
    Size passes = f.passes;
    int *unrolled = table_at(L->ngc, &L->unrolled, s);
    if (!*unrolled || must_stay(&f)) {
        bool peels = f.passes != 2 && !s->test;
        bool stays = may_stay(&f, before) && (keep(&f) || (peels && keep_rest(&f)));
        note_loop(&f, stays);
        if (stays) {
            L->streams = f.streams + f.draws * (int)size_max(L->g, passes);
            return false;
        }
        L->reason = arena_grow(L->ngc, L->reason, L->reasons, &L->reason_room, sizeof *L->reason);
        L->reason[L->reasons++] = (struct Expanding){f.why, f.why_loc};
        *table_at(L->ngc, &L->unrolled, s) = L->reasons;
    } else {
        f.why = L->reason[*unrolled - 1].why;
        f.why_loc = L->reason[*unrolled - 1].why_loc;
        if (L->levels > 0) /* the note of the first pass around it is dropped */
            note_loop(&f, false);
    }
    f.lo = lo;
    f.passes = passes;
    if (must_stay(&f))
        return refuse(&f);
    return !too_many(&f) && expand(&f, lo + 1, lo + passes, result);
}

static bool lower_list(Lower *L, const Stmt *s, const Value *list, Value **result)
{
    int errors = L->ngc->errors, number = ++L->fors;

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
