/* emit_comment.c - the comments of the emitted C: what a statement computes, the line of the model
 * it comes from, and for derivatives the rule of calculus it applies. */
#include "emit/emit_comment.h"

#include <string.h>

enum { WIDTH = 110 }; /* characters on a line of comment */

/* ---- the lines above a statement ---- */

static void comment_line(const Comments *c, const char *text)
{
    text_add(c->out, "    /* %s */\n", comment_text(c->e->ngc, text));
}

/* "h = relu(z)": what a store keeps. */
static const char *store_text(const Comments *c, const Store *s, bool *named)
{
    Emit *e = c->e;
    const Node *n = s->node;
    const Place *place = store_place(c->p, s);
    const char *own = node_name(n);
    const char *text = node_words(e, n, COMMENT_DEPTH);

    const char *name = place->label ? place->label : own;
    if (!name && place->kind == P_MEMBER)
        name = place->name;
    *named = name != NULL;

    Text t = {.ngc = e->ngc};
    if (name && !same_text(name, text))
        text_add(&t, "%s = ", name);
    if (name && own && !same_text(name, own) && !same_text(own, text))
        text_add(&t, "%s = ", own);
    text_add(&t, "%s", text);
    return t.at;
}

static void comment_why(const Comments *c, const Node *n)
{
    if (n->why && !rule_loss(c->e, n))
        comment_line(c, text_format(c->e->ngc, "simplified: %s", n->why));
}

/* A derivative: the rule, then in parentheses why. A long reason has a line of its own. */
static void comment_step(const Comments *c, const char *step, const char *why)
{
    if (strlen(step) + strlen(why) <= WIDTH) {
        comment_line(c, text_format(c->e->ngc, "%s    (%s)", step, why));
        return;
    }
    comment_line(c, step);
    comment_line(c, text_format(c->e->ngc, "    (%s)", why));
}

/* Where in the model a store comes from. A starting value comes from its declaration. A value with
 * a name comes from where it got the name, though it may be computed elsewhere too. A derivative
 * comes from the value that the step differentiates. */
static Loc store_loc(const Comments *c, const Store *s, const Step *step)
{
    Emit *e = c->e;
    const Place *place = store_place(c->p, s);
    if (c->p->init && place->kind == P_VAR)
        return place->var->loc;
    if (!step && place->label && *line_root(e, place->label))
        return e->module->model->root[*line_root(e, place->label) - 1].loc;

    Loc loc = line_loc(e, step ? step->y : s->node);
    if (place->kind != P_GRAD || line_key(e, loc))
        return loc;

    const Root *r = rule_root(e, place->name); /* a derivative that is 0 */
    return r ? r->loc : loc;
}

/* ": from bce(sigmoid)" of the derivative of a loss. */
static const char *from_text(Emit *e, const Node *n)
{
    if (!rule_loss(e, n))
        return "";
    return text_format(e->ngc, ": from %s", rule_loss(e, n));
}

/* What a rule is about: the text before its arrow. */
static const char *step_formula(Emit *e, const char *step, const char *text)
{
    const char *arrow = NULL;
    if (step)
        arrow = strstr(step, "  =>");
    if (!arrow)
        return text;
    return text_format(e->ngc, "%.*s", (int)(arrow - step), step);
}

/* One store: the user's line if it differs from the last one, then what is stored, with the rule if
 * it is a derivative. In the backward pass each store has the number of its line. */
static void comment_store(Comments *c, const Store *s, int phase)
{
    Emit *e = c->e;
    const Node *n = s->node;
    bool full = c->level == 2;
    bool backward = full && (phase == 1 || n->derived);
    bool named;
    const char *text = store_text(c, s, &named);
    const char *shape = shape_words(e, n);

    const Step *made_by = rule_step(e, c->p, s);
    const char *why = NULL;
    const char *step = NULL;
    if (full)
        step = rule_text_of_step(e, n, made_by, text, &why);

    Loc loc = store_loc(c, s, step ? made_by : NULL);
    int key = 0;
    if (full)
        key = line_key(e, loc);
    bool new_line = key && key != c->line;
    const char *source = NULL;
    const char *prefix = "";
    if (key) {
        source = line_source(e, loc);
        prefix = line_words(e, loc);
        c->line = key;
    }

    /* the line of the model; if it says the same as the formula, it is shown only once */
    bool same = source && !words_differ(source, step_formula(e, step, text));
    if (new_line && !(same && backward))
        comment_line(c, text_format(e->ngc, "%s%s%s", prefix, source, text_if(same, shape)));
    if (!backward)
        prefix = "";

    /* what is stored */
    bool shown = *shape ? !same || !new_line : named && !same;
    if (step)
        comment_step(c, text_format(e->ngc, "%s%s", prefix, step), why);
    else if (backward || shown)
        comment_line(c, text_format(e->ngc, "%s%s%s%s", prefix, text, from_text(e, n), shape));
    if (full)
        comment_why(c, n);
}

static void prepare_comments(Emit *e)
{
    if (e->step_of)
        return;
    rule_find_steps(e);
    rule_find_holders(e);
    rule_find_losses(e);
    lines_find(e);
}

bool comment_is_helper(const Comments *c, const Kernel *k)
{
    Emit *e = c->e;
    const Store *s = &k->store[0];
    const Node *n = s->node;
    bool one_number = k->kind == K_LOOP && k->stores == 1 && n->shape.rank == 0;
    if (!one_number || s->target || n->id >= e->graph->count)
        return false;

    const Place *place = program_place(c->p, n);
    if ((place->kind != P_LOCAL && place->kind != P_MEMBER) || place->label)
        return false;

    prepare_comments(e);
    return !kept_name(e, n) && !(n->step && op_rule(e->ngc, n->step->y, n->step->operand));
}

void comment_helper(const Comments *c, const Kernel *k)
{
    if (c->level == 2)
        comment_why(c, k->store[0].node);
}

/* While a function is printed: a tensor without a name has the name of its member of work, and a
 * value that is not stored here has no name, unless the model delivers it. */
static void lend_name(Emit *e, Node *n, const Place *place)
{
    if (place->kind == P_MEMBER && n->shape.rank > 0 && !node_name(n)) {
        n->name = place->name;
        e->has_lent_name[n->id] = true;
    }
    if (place->kind == P_NONE && n->op != OP_var && n->name && !*line_root(e, n->name)) {
        e->hidden_name[n->id] = n->name;
        n->name = NULL;
    }
}

static void restore_name(Emit *e, Node *n)
{
    if (e->has_lent_name[n->id]) {
        n->name = NULL;
        e->has_lent_name[n->id] = false;
    }
    if (e->hidden_name[n->id]) {
        n->name = e->hidden_name[n->id];
        e->hidden_name[n->id] = NULL;
    }
}

/* At -O0 comments use the names that the printed function has: lend them, and later restore. */
void comment_names(Emit *e, Program *p, bool lend)
{
    Graph *g = e->graph;
    if (!e->module->plain)
        return;
    if (!e->has_lent_name) {
        e->has_lent_name = arena_array(e->ngc, g->count + 1, sizeof *e->has_lent_name);
        e->hidden_name = arena_array(e->ngc, g->count + 1, sizeof *e->hidden_name);
        prepare_comments(e);
    }

    e->last_comment = NULL;
    for (int i = 0; i < p->nodes; i++) {
        Node *n = p->node[i];
        if (n->id >= g->count)
            continue;
        if (lend)
            lend_name(e, n, &p->place[i]);
        else
            restore_name(e, n);
    }
}

/* ---- loops over kernels ---- */

/* The name of a variable of a loop, or of what a loop collects. */
static const char *name_in_loop(const Program *p, const Node *n)
{
    const Place *place = program_place(p, n);

    if (place->label)
        return place->label;
    if (!node_name(n))
        return "it";
    return node_name(n);
}

/* A line about a loop itself. In the backward pass it has the number of the line of the for. */
static void comment_loop_line(const Comments *c, const Kernel *k, const Loop *loop,
                              const char *text)
{
    Emit *e = c->e;
    bool backward = c->level == 2 && k->phase == 1 && line_key(e, loop->loc);
    if (backward)
        text = text_format(e->ngc, "%s%s", line_words(e, loop->loc), text);
    comment_line(c, text);
}

/* Above a for: what goes from pass to pass. */
static const char *words_of_for(Emit *e, const Node *loop)
{
    Text t = {.ngc = e->ngc};
    int named = 0;

    text_add(&t, loop->attr.loop->down ? "from the last pass to the first" : "in each pass");
    for (int i = 0; i < loop_variables(loop); i++) {
        const char *name = node_name(loop_leaf(loop, i));
        if (name)
            text_add(&t, "%s%s", named++ ? ", " : "; from pass to pass: ", name);
    }
    return t.at;
}

/* A variable of a loop: its value before the first pass, or for the next one. */
static const char *words_of_variable(const Comments *c, const Kernel *k, const Node *leaf)
{
    const Node *loop = program_loop(c->p, leaf->attr.loop)->node;
    int i = loop_variable(loop, leaf);
    const Node *value = loop_init(loop, i);
    const char *when = "before the first pass";

    if (k->loop == leaf->attr.loop) {
        value = loop_next(loop, i);
        when = "for the next pass";
    }
    return text_format(c->e->ngc, "%s = %s, %s", name_in_loop(c->p, leaf),
                       node_words(c->e, value, COMMENT_DEPTH), when);
}

/* What a pass adds to a sum, or keeps. The value itself is explained first, unless it was. */
static const char *words_of_part(Comments *c, const Kernel *k)
{
    Ngc *ngc = c->e->ngc;
    const Node *n = k->store[0].node;
    Node *part = n->arg[0];

    while (part->op == OP_collect && program_own_place(c->p, part)->kind == P_FOLDED)
        part = part->arg[0];
    const char *words = node_words(c->e, part, COMMENT_DEPTH);
    if (!program_stored(c->p, part))
        comment_store(c, &(Store){.node = part}, k->phase);
    if (k->store[0].val && !k->store[0].add)
        return text_format(ngc, "%s of this pass is kept", words);
    return text_format(ngc, "%s += %s", name_in_loop(c->p, n), words);
}

/* Is it a kernel of a loop itself? Then this is its comment. */
static bool comment_of_loop(Comments *c, const Kernel *k)
{
    const Node *n = NULL;
    if (k->stores)
        n = k->store[0].node;
    const char *text = NULL;

    if (k->kind == K_TEST || k->kind == K_NEXT)
        return true;
    if (k->kind == K_FOR)
        text = words_of_for(c->e, k->product);
    else if (n && n->op == OP_carried)
        text = words_of_variable(c, k, n);
    else if (n && n->op == OP_collect && (k->loop == n->attr.loop || k->store[0].add || k->onto))
        text = words_of_part(c, k);
    else if (n && n->op == OP_collect)
        text = text_format(c->e->ngc, "%s = 0: each pass adds to it", name_in_loop(c->p, n));
    if (!text)
        return false;

    const Loop *loop = k->kind == K_FOR ? k->loop : n->attr.loop;
    comment_loop_line(c, k, loop, text);
    return true;
}

void comment_kernel(Comments *c, const Kernel *k)
{
    Emit *e = c->e;
    if (c->level == 0)
        return;
    prepare_comments(e);
    if (comment_of_loop(c, k))
        return;

    if (k->again)
        comment_line(c, "computed again:");
    for (int i = 0; i < k->stores; i++) {
        const Node *n = k->store[i].node;
        if (n->op != OP_concat || n != e->last_comment) /* its pieces come one after another */
            comment_store(c, &k->store[i], k->phase);
        e->last_comment = n;
    }
}
