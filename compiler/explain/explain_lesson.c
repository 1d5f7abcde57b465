/* explain_lesson.c - collects a lesson from a model. Values are those of the graph as the user
 * wrote it. What a lesson says of a step is from the record of its operation, and from the step
 * that the sweep recorded. Requires a model as lowered; adds the nodes of Jacobians, and emits the
 * C first.
 */
#include "explain/explain.h"

#include <math.h>
#include <string.h>

const char *lesson_nth(const Lesson *l, int use)
{
    static const char *const nth[] = {"first", "second", "third", "fourth", "fifth"};
    if (use < 5)
        return text_format(l->ngc, "%s use", nth[use]);
    return text_format(l->ngc, "use %d", use + 1);
}

/* ---- items: the way forward ---- */

/* The item of a node, or NULL. */
static Item *item_of(const Lesson *l, const Node *n)
{
    int at = lesson_at(l, n);
    if (at)
        return &l->item[at - 1];
    return NULL;
}

const char *lesson_entry(const Lesson *l, const Node *n, int64_t k)
{
    int64_t dim[MAX_RANK];
    int64_t inner = lesson_dims(l, n, dim);
    Text t = {.ngc = l->ngc};

    text_add(&t, "%s", lesson_label(l, n));
    for (int i = 0; i < n->shape.rank; i++) {
        inner /= dim[i];
        text_add(&t, "%s%lld", i ? ", " : "[", (long long)(k / inner));
        k %= inner;
    }
    if (n->shape.rank > 0)
        text_add(&t, "]");
    return t.at;
}

int lesson_line(const Lesson *l, const Node *n)
{
    Ngc *ngc = l->ngc;
    Loc loc = n->op == OP_loop ? n->attr.loop->loc : n->loc;
    int column;
    bool is_known = loc.file >= 0 && loc.file < ngc->files;
    if (!is_known || loc_of_library(ngc, loc))
        return 0;
    return source_line(ngc, loc, &column);
}

/* The index of a loop is not an item: formulas have its name. */
static bool is_index(const Node *n)
{
    while (n->op == OP_cast)
        n = n->arg[0];
    return n->op == OP_index;
}

static bool is_item(const Node *n)
{
    double c;
    if (is_index(n) || node_counts(n))
        return false;
    return !node_const(n, &c) && n->op != OP_size && n->op != OP_training;
}

static bool is_loss(const Lesson *l, const Node *n)
{
    for (int i = 0; i < l->losses; i++)
        if (l->loss[i] == n)
            return true;
    return false;
}

/* The losses that a derivative is asked of, each once. */
static void collect_losses(Lesson *l)
{
    const Model *m = l->m;
    l->loss = arena_array(l->ngc, m->roots + 1, sizeof *l->loss);
    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        if (r->kind == ROOT_GRAD && !is_loss(l, r->loss))
            l->loss[l->losses++] = r->loss;
    }
}

/* Makes an item of a node, after the items of its operands. The item of a loop comes after all that
 * is in its body: what is collected may have been made after the loop. */
static void add_item(Lesson *l, const int *uses, bool *done, Node *n)
{
    if (done[n->id] || !uses[n->id])
        return;
    done[n->id] = true;

    for (int k = 0; k < n->nargs; k++)
        add_item(l, uses, done, n->arg[k]);

    /* of its body, what comes after it in the graph */
    const Loop *loop = n->attr.loop;
    for (int i = n->id + 1; n->op == OP_loop && i < l->g->count; i++) {
        Node *later = l->g->node[i];
        if (uses[i] && later->in[loop->level] == loop)
            add_item(l, uses, done, later);
    }

    if (!is_item(n))
        return;
    l->item[l->items++].node = n;
    l->at[n->id] = l->items;
}

/* What the losses need, operands first. Without a loss, what the results need. */
static void collect_items(Lesson *l)
{
    Ngc *ngc = l->ngc;
    Graph *g = l->g;
    const Model *m = l->m;
    Node **from = l->loss;
    int n = l->losses;

    /* what was written, before it was simplified */
    if (n == 0) {
        from = arena_array(ngc, m->roots + 1, sizeof *from);
        for (int i = 0; i < m->roots; i++)
            if (m->root[i].kind != ROOT_UPDATE)
                from[n++] = m->root[i].written;
    }

    const int *uses = graph_uses(g, from, n);
    bool *done = arena_alloc(ngc, (size_t)g->count + 1);
    l->item = arena_array(ngc, g->count + 1, sizeof *l->item);
    for (int i = 0; i < g->count; i++)
        add_item(l, uses, done, g->node[i]);
}

static const char *item_kind(const Lesson *l, const Node *n)
{
    static const char *const kinds[] = {"input", "param", "state", "frozen"};
    if (is_loss(l, n))
        return "loss";
    if (n->op == OP_var)
        return kinds[n->attr.var->kind];
    if (n->op == OP_loop)
        return "loop";
    if (n->op == OP_carried)
        return "carried";
    return node_has(n, F_LEAF) ? "data" : "value";
}

/* "h", "for t"; NULL: it has no name. */
static const char *own_name(const Lesson *l, const Node *n)
{
    if (n->op == OP_loop)
        return text_format(l->ngc, "for %s", n->attr.loop->name);
    return node_name(n);
}

/* Has an item before this one the label? */
static bool is_used(const Lesson *l, int item, const char *label)
{
    for (int k = 0; k < item; k++)
        if (same_text(l->item[k].label, label))
            return true;
    return false;
}

/* Has an item before this one the label, or one after it that name? */
static bool is_taken(const Lesson *l, int item, const char *label)
{
    for (int k = item + 1; k < l->items; k++) {
        const char *own = own_name(l, l->item[k].node);
        if (own && same_text(own, label))
            return true;
    }
    return is_used(l, item, label);
}

/* The user's names, each once: of two values called h the second is h_2. v1, v2, ... for values
 * without a name. */
static void label_items(Lesson *l)
{
    int number = 0;
    for (int i = 0; i < l->items; i++) {
        const char *own = own_name(l, l->item[i].node);
        const char *label = own;
        bool taken = !own || is_used(l, i, own);

        for (int again = 2; taken; again++) {
            if (own)
                label = text_format(l->ngc, "%s_%d", own, again);
            else
                label = text_format(l->ngc, "v%d", ++number);
            taken = is_taken(l, i, label);
        }
        l->item[i].label = label;
    }
}

const char *lesson_kind(const Lesson *l, const Item *t)
{
    bool invented = t->node->op == OP_var && t->node->attr.var->invented;
    if (invented)
        return text_format(l->ngc, "%s, invented", t->kind);
    return t->kind;
}

const char *lesson_invented(const Lesson *l)
{
    Text names = {.ngc = l->ngc};
    for (int i = 0; i < l->m->vars; i++) {
        const Var *v = l->m->var[i];
        if (v->invented)
            text_add(&names, "%s%s", text_if(names.at, ", "), v->name);
    }
    if (!names.at)
        return NULL;
    return text_format(l->ngc,
                       "Invented numbers: %s. Give your own with NAME=VALUE or --data FILE.",
                       names.at);
}

/* What a formula does not say: of shapes ", over axis 1". */
static const char *axes_words(const Lesson *l, const Node *n)
{
    Ngc *ngc = l->ngc;
    if (n->op == OP_reshape && n->shape.rank == 0)
        return ", as a number";
    if (n->op == OP_reshape)
        return text_format(ngc, ", in the shape %s", lesson_shape(l, n));
    if (n->op == OP_expand)
        return text_format(ngc, ", copied to %s", lesson_shape(l, n));
    if (n->op == OP_given)
        return text_format(ngc, ", computed as %s", lesson_label(l, n->arg[0]));

    bool reduces = node_has(n, F_REDUCE) && attr_used(n, A_AXES);
    if (!reduces || n->shape.rank == 0)
        return "";
    Text t = {.ngc = ngc};
    for (int i = 0; i < n->arg[0]->shape.rank; i++)
        if (n->attr.axes >> i & 1)
            text_add(&t, "%s%d", t.at ? ", " : ", over axis ", i);
    return text_or(t.at, "");
}

/* 1 + the highest level of an operand; 0 for a leaf. */
static int level_of(const Lesson *l, const Node *n)
{
    const Node **operand = arena_array(l->ngc, n->nargs + 1, sizeof *operand);
    int level = 0;
    int count = lesson_operands(l, n, operand);
    for (int i = 0; i < count; i++) {
        const Item *a = item_of(l, operand[i]);
        if (a && a->level >= level)
            level = a->level + 1;
    }
    return level;
}

/* The value of operand i as a formula needs it: in parentheses where a sign would be misread. In
 * the body of a loop, in the last pass or the first. */
static const char *operand_number(const Lesson *l, const Node *n, int i, bool first)
{
    const OpInfo *info = op_info[n->op];
    const char *number = lesson_value_of(l, n->arg[i], first);
    bool is_call = info->prec == 16;
    bool leads = i == 0 && info->flags & F_COMMUTATIVE; /* "-2 + 3", but "(-2)^3" */
    if (*number != '-' || is_call || leads)
        return number;
    return text_format(l->ngc, "(%s)", number);
}

const char *lesson_in_numbers(const Lesson *l, const Item *t, bool first)
{
    const Node *n = t->node;
    const char **number = arena_array(l->ngc, n->nargs + 1, sizeof *number);
    bool scalar = node_has(n, F_ELEMENTWISE) && n->shape.rank == 0 && n->op != OP_copy;

    if (!scalar || n->nargs == 0)
        return NULL;
    for (int i = 0; i < n->nargs; i++)
        number[i] = operand_number(l, n, i, first);
    return math_formula(l, n, number, M_TEXT);
}

static void describe_item(Lesson *l, Item *t)
{
    Ngc *ngc = l->ngc;
    const Node *n = t->node;
    const OpInfo *info = op_info[n->op];
    t->level = level_of(l, n);
    if (n->op == OP_var || n->op == OP_data)
        return;

    const char **label = arena_array(ngc, n->nargs + 1, sizeof *label);
    for (int i = 0; i < n->nargs; i++)
        label[i] = lesson_label(l, n->arg[i]);

    /* the formula in text, TeX and MathML, then what is said of it, and its numbers */
    if (info->flags & F_LEAF && n->op != OP_carried) {
        t->formula = info->name;
    } else {
        const char *formula = math_formula(l, n, label, M_TEXT);
        t->formula = text_format(ngc, "%s%s", formula, axes_words(l, n));
    }
    t->math_tex = math_formula(l, n, label, M_TEX);
    t->math_html = math_formula(l, n, label, M_HTML);
    t->teach = op_teach(ngc, n);
    t->numbers = lesson_in_numbers(l, t, false);
}

/* The part of the model that a label is in: "h.0" for "h.0.W". */
static const char *part_of(const Lesson *l, const char *label)
{
    const char *dot = strrchr(label, '.');
    if (!dot)
        return "";
    return text_format(l->ngc, "%.*s", (int)(dot - label), label);
}

/* A variable is in the part of its name: h.0.W is in h.0. A named value is a part of its own, with
 * what it is computed from: a value without a name is in the part of its first user. */
static void group_items(Lesson *l)
{
    int *user = arena_array(l->ngc, l->items + 1, sizeof *user); /* 1 + item; 0: none */

    /* users before operands: the first user of each item remains */
    for (int i = l->items - 1; i >= 0; i--) {
        Item *t = &l->item[i];
        const Node *n = t->node;
        for (int k = 0; k < n->nargs; k++) {
            int operand = lesson_at(l, n->arg[k]);
            if (operand)
                user[operand - 1] = i + 1;
        }

        t->group = "";
        if (n->op == OP_var)
            t->group = part_of(l, t->label);
        else if (node_name(n))
            t->group = t->label;
        else if (user[i] > 0)
            t->group = l->item[user[i] - 1].group;
    }
}

/* ---- moves: the way back ---- */

const char *lesson_derivative(const Lesson *l, const Node *of, const Node *by)
{
    return text_format(l->ngc, "d%s/d%s", lesson_label(l, of), lesson_label(l, by));
}

/* Of what a loop sends to x, the gradient that arrives in each of its passes. */
static const char *loop_upstream(const Lesson *l, const Step *s)
{
    const Node *loop = s->y;

    /* x is used in the body */
    if (s->operand >= loop->nargs)
        return text_format(l->ngc, "%s in each pass", lesson_derivative(l, s->loss, s->x));

    /* x is the value of a variable before the first pass */
    const Node *leaf = loop_leaf(loop, s->operand - loop_variables(loop));
    return text_format(l->ngc, "%s in the first pass", lesson_derivative(l, s->loss, leaf));
}

static const char *rule_in(const Lesson *l, const Step *s, const char *const *label, Math math)
{
    const char *name[5];
    for (int i = 0; i < 5; i++)
        name[i] = math_name(l, label[i], math);
    return math_rule(l, s, name, false, math);
}

/* The only element of a node, in the last pass or the first. */
static double scalar_of(const Lesson *l, Node *n, bool first)
{
    const double *x = lesson_elements_of(l, n, first);
    if (x)
        return *x;
    return NAN;
}

/* The value of the rule with the numbers of a scalar step, in the last pass or the first. */
static double slope_of(const Lesson *l, const Step *s, bool first)
{
    double abcy[4] = {0};
    for (int i = 0; i < s->y->nargs; i++)
        abcy[i] = scalar_of(l, s->y->arg[i], first);
    abcy[3] = scalar_of(l, s->y, first);
    return math_slope(l, s, abcy);
}

double lesson_slope(const Lesson *l, const Move *v, bool first)
{
    if (isnan(v->slope) || !first)
        return v->slope;
    return slope_of(l, v->step, true);
}

static void describe_move(Lesson *l, Move *v)
{
    const Step *s = v->step;
    const Node *y = s->y;
    const OpInfo *info = op_info[y->op];

    /* from where to where */
    v->x = lesson_at(l, s->x) - 1;
    v->y = lesson_at(l, y) - 1;
    if (y->op == OP_loop)
        v->up = loop_upstream(l, s);
    else
        v->up = lesson_derivative(l, s->loss, y);
    v->down = lesson_derivative(l, s->loss, s->x);

    if (v->loop >= 0 && lesson_loop(l, s->x) != l->loop[v->loop].of)
        v->down = text_format(l->ngc, "%s in this pass", v->down);
    v->slope = NAN;

    /* what a rule calls a b c y dy */
    const char *name[5] = {"", "", "", "", ""};
    for (int i = 0; i < 3 && i < y->nargs; i++)
        name[i] = lesson_label(l, y->arg[i]);
    name[3] = lesson_label(l, y);
    name[4] = v->up;

    /* by which rule */
    v->rule = math_rule(l, s, name, false, M_TEXT);
    v->rule_tex = rule_in(l, s, name, M_TEX);
    v->rule_html = rule_in(l, s, name, M_HTML);
    if (!(info->flags & F_ELEMENTWISE) || !info->rule[s->operand])
        return;

    /* the slope of an elementwise op by itself */
    v->local = math_rule(l, s, name, true, M_TEXT);
    if (y->shape.rank == 0)
        v->slope = slope_of(l, s, false);
}

/* The steps in the order in which they were taken. The graph has the latest first. */
static const Step **steps_in_order(const Lesson *l, int *count)
{
    int n = 0;
    for (const Step *s = l->g->steps; s; s = s->prev)
        n++;
    *count = n;

    const Step **step = arena_array(l->ngc, n + 1, sizeof *step);
    for (const Step *s = l->g->steps; s; s = s->prev)
        step[--n] = s;
    return step;
}

/* The last step to each x, on its own in the body of each loop. */
typedef struct LastSteps {
    const Lesson *l;
    const Step **at; /* by loop and node id */
} LastSteps;

static LastSteps last_steps(const Lesson *l)
{
    size_t count = (size_t)(l->loops + 1) * (size_t)(l->g->count + 1);
    return (LastSteps){l, arena_array(l->ngc, count, sizeof(const Step *))};
}

/* The number of the loop that goes back in this step. */
static int loop_of_step(const Lesson *l, const Step *s)
{
    return lesson_find_loop(l, s->within);
}

static const Step **last_step(const LastSteps *s, int loop, const Node *x)
{
    return &s->at[(size_t)(loop + 1) * (size_t)(s->l->g->count + 1) + (size_t)x->id];
}

/* The moves of one loss. */
static LastSteps collect_moves_of(Lesson *l, const Node *loss, const Step **step, int steps)
{
    LastSteps last = last_steps(l);
    int first = l->moves;
    for (int i = 0; i < steps; i++) {
        const Step *s = step[i];
        int loop = loop_of_step(l, s);
        const Step **before = last_step(&last, loop, s->x);
        bool has_items = lesson_at(l, s->x) && lesson_at(l, s->y);
        bool again = *before && s->use <= (*before)->use; /* by a second sweep of the same loss */
        if (s->loss != loss || !has_items || again)
            continue;
        *before = s;
        l->move[l->moves++] = (Move){.step = s, .loop = loop};
    }

    for (int i = first; i < l->moves; i++) {
        const Step *s = l->move[i].step;
        l->move[i].last = *last_step(&last, l->move[i].loop, s->x) == s;
    }
    return last;
}

/* The gradient of an item: of one in a loop, that in its pass. */
static Node *adjoint_of(const Lesson *l, const LastSteps *last, const Item *t)
{
    const Step *s = *last_step(last, -1, t->node);
    for (int i = 0; !s && i < l->loops; i++)
        if (t->loop >= 0 && l->loop[i].of == t->loop)
            s = *last_step(last, i, t->node);
    return s ? s->sum : NULL;
}

/* The moves of all losses, and the gradients of the first. */
static void collect_moves(Lesson *l)
{
    int steps;
    const Step **step = steps_in_order(l, &steps);
    l->move = arena_array(l->ngc, steps + 1, sizeof *l->move);

    for (int k = 0; k < l->losses; k++) {
        LastSteps last = collect_moves_of(l, l->loss[k], step, steps);
        if (k > 0)
            continue;
        for (int i = 0; i < l->items; i++)
            l->item[i].adjoint = adjoint_of(l, &last, &l->item[i]);
    }
}

static void describe_moves(Lesson *l)
{
    LastSteps last = last_steps(l);
    for (int i = 0; i < l->moves; i++) {
        Move *v = &l->move[i];
        const Step *s = v->step;
        const Step **before = last_step(&last, v->loop, s->x);
        describe_move(l, v);
        bool adds = s->use > 0 && *before && (*before)->loss == s->loss;
        if (adds && s->x->shape.rank == 0)
            v->before = lesson_value(l, (*before)->sum);
        *before = s;
    }
}

/* ---- nudges ---- */

/* The loss where entry k of a copy of x is moved by h. `other` computes it, so that the lesson's
 * own interpreter forgets nothing. */
static double nudged_loss(Eval *other, Pool *pool, const Root *r, double *copy, int64_t k, double h)
{
    const Graph *g = other->graph;
    int x = r->x->id;
    int loss = r->loss->id;
    double *room = other->value[x];
    int *uses = graph_uses(other->graph, &r->loss, 1);
    bool *keep = arena_array(other->ngc, g->count + 1, sizeof *keep);
    keep[x] = keep[loss] = true;

    /* x is known: nothing that it is computed from is computed */
    eval_forget(other);
    copy[k] += h;
    other->value[x] = copy;
    other->known[x] = true;
    values_compute(other, pool, uses, keep, NULL);

    double moved = *other->value[loss]; /* x itself may be the loss */
    other->value[x] = room;
    return moved;
}

/* An interpreter of its own, with the same values given. */
static Eval *second_eval(const Lesson *l)
{
    Eval *e = eval_new(l->ngc, l->m);
    memcpy(e->var, l->e->var, (size_t)l->m->vars * sizeof *e->var);
    memcpy(e->dim, l->e->dim, sizeof e->dim);
    e->training = l->e->training;
    e->seed = l->e->seed;
    return e;
}

/* The entry with the steepest slope. */
static int64_t steepest(const double *slope, int64_t count)
{
    int64_t best = 0;
    for (int64_t k = 1; k < count; k++)
        if (fabs(slope[k]) > fabs(slope[best]))
            best = k;
    return best;
}

/* A step of one digit: 0.1 at 3.7, 0.001 at 0.02. */
static double step_at(double x)
{
    if (x == 0 || !isfinite(x))
        return 0.1;
    return pow(10, floor(log10(fabs(x))) - 1);
}

static Nudge nudge_by(const Lesson *l, const Root *r, Eval *other, Pool *pool)
{
    const double *slope = eval_node(l->e, r->node);
    const double *x = eval_node(l->e, r->x);
    int64_t count = lesson_count(l, r->x);
    int64_t k = steepest(slope, count);
    Nudge n = {.root = r,
               .entry = lesson_entry(l, r->x, k),
               .k = k,
               .x = x[k],
               .h = step_at(x[k]),
               .loss = *eval_node(l->e, r->loss),
               .derivative = slope[k]};
    double *copy = LIST_COPY(l->ngc, x, count);
    n.moved = nudged_loss(other, pool, r, copy, k, n.h);
    n.slope = (n.moved - n.loss) / n.h;
    return n;
}

/* One for each derivative. Each computes the loss again, so there are few in a large model. */
static void collect_nudges(Lesson *l)
{
    int most = l->cost.all > 1e7 ? 3 : NUDGES;
    Eval *other = second_eval(l);
    Pool *pool = pool_new(l->ngc);
    l->nudge = arena_array(l->ngc, NUDGES, sizeof *l->nudge);
    for (int i = 0; i < l->m->roots && l->nudges < most; i++) {
        const Root *r = &l->m->root[i];
        if (r->kind == ROOT_GRAD)
            l->nudge[l->nudges++] = nudge_by(l, r, other, pool);
    }
}

/* ---- costs ---- */

/* Operations of one node, about: one for each element, and one for each product in a sum. */
static double node_cost(const Lesson *l, const Node *n)
{
    double count = (double)lesson_count(l, n);
    const OpInfo *info = op_info[n->op];

    if (info->terms)
        count *= (double)size_at(l->g, info->terms(l->g, n), l->e->dim);
    return count * lesson_times(l, n);
}

/* Operations of these nodes and of all that they need. */
static double cost_of(const Lesson *l, Node *const *root, int roots)
{
    Graph *g = l->g;
    const int *uses = graph_uses(g, root, roots);
    double cost = 0;
    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];
        if (uses[i] && !node_has(n, F_LEAF))
            cost += node_cost(l, n);
    }
    return cost;
}

/* Of the first loss, and of all results. Needs only the sizes. */
void lesson_costs(Lesson *l)
{
    const Model *m = l->m;
    l->cost = (LessonCost){0};
    Node **root = arena_array(l->ngc, m->roots + 1, sizeof *root);
    int n = 0;

    /* the gradients of the first loss, and how many numbers they are for */
    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        if (r->kind != ROOT_GRAD || r->loss != l->loss[0])
            continue;
        root[n++] = r->written;
        if (r->var)
            l->cost.numbers += (double)lesson_count(l, r->x);
    }
    if (l->losses) {
        root[n++] = l->loss[0];
        l->cost.forward = cost_of(l, l->loss, 1);
        l->cost.both = cost_of(l, root, n);
    }

    for (int i = 0; i < m->roots; i++)
        root[i] = m->root[i].written;
    l->cost.all = cost_of(l, root, m->roots);
}

/* ---- the lesson ---- */

/* The model as the C that a reader follows: -O0, with the derivation in its comments. */
static void emit_readable(Lesson *l)
{
    Ngc *ngc = l->ngc;
    l->code = (Output){.c = {.ngc = ngc}, .h = {.ngc = ngc}};
    ngc->opt.optimize = 0;
    ngc->opt.comments = 2;
    emit_model_c(l->m, text_format(ngc, "%s.h", l->m->name), &l->code);
}

/* When backward parts are dropped, the value of a body takes the name of the call that it is the
 * result of. The lesson has both: the name is that of the call. */
static void return_names(const Lesson *l)
{
    for (int i = 0; i < l->g->count; i++) {
        const Node *n = l->g->node[i];
        if (n->op == OP_given && n->arg[0]->name == n->name && n->arg[0]->op != OP_var)
            n->arg[0]->name = NULL;
    }
}

/* The loops that items and steps are in. */
static void find_loops(Lesson *l)
{
    int count = 0, steps;
    const Step **step = steps_in_order(l, &steps);
    Node **node = arena_array(l->ngc, l->items + steps + l->m->roots + 1, sizeof *node);

    /* all that the lesson shows: items, adjoints, roots */
    for (int i = 0; i < l->items; i++)
        node[count++] = l->item[i].node;
    for (int i = 0; i < steps; i++) {
        const Step *s = step[i];
        if (lesson_at(l, s->x) && lesson_at(l, s->y))
            node[count++] = s->sum;
    }
    for (int i = 0; i < l->m->roots; i++)
        node[count++] = l->m->root[i].written;

    lesson_loops(l, graph_uses(l->g, node, count));
}

/* What can be said before there are values. */
Lesson *lesson_new(Ngc *ngc, Model *m)
{
    Lesson *l = arena_alloc(ngc, sizeof *l);
    l->ngc = ngc;
    l->m = m;
    l->g = m->graph;
    emit_readable(l);
    return_names(l);

    /* items are nodes that are there now: Jacobians and nudges add others */
    l->placed = l->g->count;
    l->at = arena_array(ngc, l->placed + 1, sizeof *l->at);
    collect_losses(l);
    collect_items(l);
    label_items(l);
    find_loops(l);
    group_items(l);
    for (int i = 0; i < l->items; i++)
        l->item[i].kind = item_kind(l, l->item[i].node);
    if (ngc->opt.jacobians)
        jacobians_prepare(l);
    return l;
}

void lesson_describe(Lesson *l)
{
    collect_moves(l);
    lesson_compute(l);
    for (int i = 0; i < l->items; i++)
        describe_item(l, &l->item[i]);
    lesson_costs(l);
    describe_moves(l);
    collect_nudges(l);
    jacobians_compute(l);
}
