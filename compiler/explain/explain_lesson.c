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
    int at = l->at[n->id];
    return at ? &l->item[at - 1] : NULL;
}

const char *lesson_label(const Lesson *l, const Node *n)
{
    double c;
    if (item_of(l, n))
        return item_of(l, n)->label;
    if (node_const(n, &c))
        return lesson_number(l, c);
    if (node_name(n))
        return node_name(n);
    return node_text(l->g, n, 2);
}

const char *lesson_entry(const Lesson *l, const Node *n, int64_t k)
{
    int64_t dim[MAX_RANK];
    int64_t inner = lesson_count(l, n, dim);
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
    Loc loc = n->loc;
    int column;
    bool is_known = loc.file >= 0 && loc.file < l->ngc->files;
    if (!is_known || l->ngc->file[loc.file]->library)
        return 0;
    return source_line(l->ngc, loc, &column);
}

static bool is_item(const Node *n)
{
    double c;
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
    l->loss = arena_alloc(l->ngc, (size_t)(m->roots + 1) * sizeof *l->loss);
    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        if (r->kind == ROOT_GRAD && !is_loss(l, r->loss))
            l->loss[l->losses++] = r->loss;
    }
}

/* What the losses need, operands first. Without a loss, what the results need. */
static void collect_items(Lesson *l)
{
    const Model *m = l->m;
    Node **from = l->loss;
    int n = l->losses;
    if (n == 0) {
        from = arena_alloc(l->ngc, (size_t)(m->roots + 1) * sizeof *from);
        for (int i = 0; i < m->roots; i++)
            if (m->root[i].kind != ROOT_UPDATE)
                from[n++] = m->root[i].written;
    }

    const int *uses = graph_uses(l->g, from, n);
    l->item = arena_alloc(l->ngc, (size_t)(l->g->count + 1) * sizeof *l->item);
    for (int i = 0; i < l->g->count; i++) {
        Node *node = l->g->node[i];
        if (!uses[i] || !is_item(node))
            continue;
        l->item[l->items++].node = node;
        l->at[i] = l->items;
    }
}

static const char *item_kind(const Lesson *l, const Node *n)
{
    static const char *const kinds[] = {"input", "param", "state"};
    if (is_loss(l, n))
        return "loss";
    if (n->op == OP_var)
        return kinds[n->attr.var->kind];
    return op_info[n->op]->flags & F_LEAF ? "data" : "value";
}

/* Is the label that of an item before this one, or the user's name of another? */
static bool label_taken(const Lesson *l, int before, const char *label)
{
    for (int i = 0; i < l->items; i++) {
        const char *other = i < before ? l->item[i].label : node_name(l->item[i].node);
        if (other && i != before && strcmp(other, label) == 0)
            return true;
    }
    return false;
}

/* Has an item before this one the user's name of it? */
static bool name_used(const Lesson *l, int item, const char *name)
{
    for (int k = 0; k < item; k++)
        if (strcmp(l->item[k].label, name) == 0)
            return true;
    return false;
}

/* The user's names, each once: of two values called h the second is h_2. v1, v2, ... for values
 * without a name. */
static void label_items(Lesson *l)
{
    int number = 0;
    for (int i = 0; i < l->items; i++) {
        const char *own = node_name(l->item[i].node);
        const char *label = own;
        bool taken = !own || name_used(l, i, own);

        for (int again = 2; taken; again++) {
            if (own)
                label = text_format(l->ngc, "%s_%d", own, again);
            else
                label = text_format(l->ngc, "v%d", ++number);
            taken = label_taken(l, i, label);
        }
        l->item[i].label = label;
    }
}

const char *lesson_kind(const Lesson *l, const Item *t)
{
    bool invented = t->node->op == OP_var && t->node->attr.var->invented;
    return invented ? text_format(l->ngc, "%s, invented", t->kind) : t->kind;
}

const char *lesson_invented(const Lesson *l)
{
    Text names = {.ngc = l->ngc};
    for (int i = 0; i < l->m->vars; i++) {
        const Var *v = l->m->var[i];
        if (v->invented)
            text_add(&names, "%s%s", names.at ? ", " : "", v->name);
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
    if (n->op == OP_reshape && n->shape.rank == 0)
        return ", as a number";
    if (n->op == OP_reshape)
        return text_format(l->ngc, ", in the shape %s", lesson_shape(l, n));
    if (n->op == OP_expand)
        return text_format(l->ngc, ", copied to %s", lesson_shape(l, n));
    if (n->op == OP_given)
        return text_format(l->ngc, ", computed as %s", lesson_label(l, n->arg[0]));

    bool reduces = op_info[n->op]->flags & F_REDUCE && attr_used(n, A_AXES);
    if (!reduces || n->shape.rank == 0)
        return "";
    Text t = {.ngc = l->ngc};
    for (int i = 0; i < n->arg[0]->shape.rank; i++)
        if (n->attr.axes >> i & 1)
            text_add(&t, "%s%d", t.at ? ", " : ", over axis ", i);
    return t.at ? t.at : "";
}

/* 1 + the highest level of an operand; 0 for a leaf. */
static int level_of(const Lesson *l, const Node *n)
{
    int level = 0;
    for (int i = 0; i < n->nargs; i++) {
        const Item *a = item_of(l, n->arg[i]);
        if (a && a->level >= level)
            level = a->level + 1;
    }
    return level;
}

/* The value of operand i as a formula needs it: in parentheses where a sign would be misread. */
static const char *operand_number(const Lesson *l, const Node *n, int i)
{
    const OpInfo *info = op_info[n->op];
    const char *number = lesson_value(l, n->arg[i]);
    bool is_call = info->prec == 16;
    bool leads = i == 0 && info->flags & F_COMMUTATIVE; /* "-2 + 3", but "(-2)^3" */
    if (*number != '-' || is_call || leads)
        return number;
    return text_format(l->ngc, "(%s)", number);
}

/* The formula with numbers in place of labels. */
static const char *formula_of_numbers(const Lesson *l, const Node *n)
{
    const char **number = arena_alloc(l->ngc, (size_t)(n->nargs + 1) * sizeof *number);
    for (int i = 0; i < n->nargs; i++)
        number[i] = operand_number(l, n, i);
    return math_formula(l, n, number, M_TEXT);
}

static void describe_item(Lesson *l, Item *t)
{
    const Node *n = t->node;
    const OpInfo *info = op_info[n->op];
    t->level = level_of(l, n);
    if (n->op == OP_var || n->op == OP_data)
        return;

    const char **label = arena_alloc(l->ngc, (size_t)(n->nargs + 1) * sizeof *label);
    for (int i = 0; i < n->nargs; i++)
        label[i] = lesson_label(l, n->arg[i]);

    if (info->flags & F_LEAF)
        t->formula = info->name;
    else
        t->formula =
            text_format(l->ngc, "%s%s", math_formula(l, n, label, M_TEXT), axes_words(l, n));
    t->math_tex = math_formula(l, n, label, M_TEX);
    t->math_html = math_formula(l, n, label, M_HTML);
    t->teach = op_teach(l->ngc, n);

    bool scalar = info->flags & F_ELEMENTWISE && n->shape.rank == 0 && n->op != OP_copy;
    if (scalar && n->nargs > 0)
        t->numbers = formula_of_numbers(l, n);
}

/* The part of the model that a label is in: "h.0" for "h.0.W". */
static const char *part_of(const Lesson *l, const char *label)
{
    const char *dot = strrchr(label, '.');
    return dot ? text_format(l->ngc, "%.*s", (int)(dot - label), label) : "";
}

/* A variable is in the part of its name: h.0.W is in h.0. A named value is a part of its own, with
 * what it is computed from: a value without a name is in the part of its first user. */
static void group_items(Lesson *l)
{
    int *user = arena_alloc(l->ngc, (size_t)(l->items + 1) * sizeof *user); /* 1 + item; 0: none */
    for (int i = l->items; i-- > 0;) {
        Item *t = &l->item[i];
        for (int k = 0; k < t->node->nargs; k++) {
            int operand = l->at[t->node->arg[k]->id];
            if (operand)
                user[operand - 1] = i + 1;
        }

        if (t->node->op == OP_var)
            t->group = part_of(l, t->label);
        else if (node_name(t->node))
            t->group = t->label;
        else
            t->group = user[i] ? l->item[user[i] - 1].group : "";
    }
}

/* ---- moves: the way back ---- */

static const char *adjoint_label(const Lesson *l, const Node *loss, const Node *x)
{
    return text_format(l->ngc, "d%s/d%s", lesson_label(l, loss), lesson_label(l, x));
}

static const char *rule_in(const Lesson *l, const Step *s, const char *const *label, Math math)
{
    const char *name[5];
    for (int i = 0; i < 5; i++)
        name[i] = math_name(l, label[i], math);
    return math_rule(l, s, name, false, math);
}

/* The value of the rule with the numbers of a scalar step. */
static double slope_of(const Lesson *l, const Step *s)
{
    double abcy[4] = {0};
    for (int i = 0; i < s->y->nargs; i++)
        abcy[i] = *eval_node(l->e, s->y->arg[i]);
    abcy[3] = *eval_node(l->e, s->y);
    return math_slope(l, s, abcy);
}

static void describe_move(Lesson *l, Move *v)
{
    const Step *s = v->step;
    const OpInfo *info = op_info[s->y->op];
    v->x = l->at[s->x->id] - 1;
    v->y = l->at[s->y->id] - 1;
    v->up = adjoint_label(l, s->loss, s->y);
    v->down = adjoint_label(l, s->loss, s->x);
    v->slope = NAN;

    const char *name[5] = {"", "", "", "", ""}; /* a b c y dy */
    for (int i = 0; i < 3 && i < s->y->nargs; i++)
        name[i] = lesson_label(l, s->y->arg[i]);
    name[3] = lesson_label(l, s->y);
    name[4] = v->up;

    v->rule = math_rule(l, s, name, false, M_TEXT);
    v->rule_tex = rule_in(l, s, name, M_TEX);
    v->rule_html = rule_in(l, s, name, M_HTML);
    if (!(info->flags & F_ELEMENTWISE) || !info->rule[s->operand])
        return;
    v->local = math_rule(l, s, name, true, M_TEXT);
    if (s->y->shape.rank == 0)
        v->slope = slope_of(l, s);
}

/* The steps in the order in which they were taken. The graph has the latest first. */
static const Step **steps_in_order(const Lesson *l, int *count)
{
    int n = 0;
    for (const Step *s = l->g->steps; s; s = s->prev)
        n++;
    *count = n;

    const Step **step = arena_alloc(l->ngc, (size_t)(n + 1) * sizeof *step);
    for (const Step *s = l->g->steps; s; s = s->prev)
        step[--n] = s;
    return step;
}

/* The moves of one loss. Returns, by node id, the last step to each x. */
static const Step **collect_moves_of(Lesson *l, const Node *loss, const Step **step, int steps)
{
    const Step **last = arena_alloc(l->ngc, (size_t)(l->g->count + 1) * sizeof *last);
    int first = l->moves;
    for (int i = 0; i < steps; i++) {
        const Step *s = step[i], *before = last[s->x->id];
        bool has_items = l->at[s->x->id] && l->at[s->y->id];
        bool again = before && s->use <= before->use; /* by a second sweep of the same loss */
        if (s->loss != loss || !has_items || again)
            continue;
        last[s->x->id] = s;
        l->move[l->moves++].step = s;
    }

    for (int i = first; i < l->moves; i++) {
        const Step *s = l->move[i].step;
        l->move[i].last = last[s->x->id] == s;
    }
    return last;
}

/* The moves of all losses, and the gradients of the first. */
static void collect_moves(Lesson *l)
{
    int steps;
    const Step **step = steps_in_order(l, &steps);
    l->move = arena_alloc(l->ngc, (size_t)(steps + 1) * sizeof *l->move);

    for (int k = 0; k < l->losses; k++) {
        const Step **last = collect_moves_of(l, l->loss[k], step, steps);
        if (k > 0)
            continue;
        for (int i = 0; i < l->items; i++) {
            const Step *s = last[l->item[i].node->id];
            if (s)
                l->item[i].adjoint = s->sum;
        }
    }
}

static void describe_moves(Lesson *l)
{
    const Step **last = arena_alloc(l->ngc, (size_t)(l->g->count + 1) * sizeof *last); /* by x */
    for (int i = 0; i < l->moves; i++) {
        Move *v = &l->move[i];
        const Step *s = v->step, *before = last[s->x->id];
        describe_move(l, v);
        bool adds = s->use > 0 && before && before->loss == s->loss;
        if (adds && s->x->shape.rank == 0)
            v->before = lesson_value(l, before->sum);
        last[s->x->id] = s;
    }
}

/* ---- nudges ---- */

/* The loss where entry k of a copy of x is moved by h. `other` computes it, so that the lesson's
 * own interpreter forgets nothing. */
static double nudged_loss(Eval *other, Pool *pool, const Root *r, double *copy, int64_t k, double h)
{
    double *room = other->value[r->x->id];
    int *uses = graph_uses(other->graph, &r->loss, 1);
    bool *keep = arena_alloc(other->ngc, (size_t)other->graph->count + 1);
    keep[r->x->id] = keep[r->loss->id] = true;

    eval_forget(other);
    copy[k] += h;
    other->value[r->x->id] = copy;
    other->known[r->x->id] = true;
    values_compute(other, pool, uses, keep, NULL);

    other->value[r->x->id] = room;
    return *other->value[r->loss->id];
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
    int64_t dim[MAX_RANK];
    int64_t count = lesson_count(l, r->x, dim);
    int64_t k = steepest(slope, count);
    Nudge n = {.root = r,
               .entry = lesson_entry(l, r->x, k),
               .k = k,
               .x = x[k],
               .h = step_at(x[k]),
               .loss = *eval_node(l->e, r->loss),
               .derivative = slope[k]};
    double *copy = arena_copy(l->ngc, x, (size_t)count * sizeof *x);
    n.moved = nudged_loss(other, pool, r, copy, k, n.h);
    return n;
}

/* One for each derivative. Each computes the loss again, so there are few in a large model. */
static void collect_nudges(Lesson *l)
{
    int most = l->cost.all > 1e7 ? 3 : NUDGES;
    Eval *other = second_eval(l);
    Pool *pool = pool_new(l->ngc);
    l->nudge = arena_alloc(l->ngc, NUDGES * sizeof *l->nudge);
    for (int i = 0; i < l->m->roots && l->nudges < most; i++) {
        const Root *r = &l->m->root[i];
        if (r->kind == ROOT_GRAD)
            l->nudge[l->nudges++] = nudge_by(l, r, other, pool);
    }
}

/* ---- the command ---- */

/* Operations of one node, about: one for each element, and one for each product in a sum. */
static double node_cost(const Lesson *l, const Node *n)
{
    int64_t dim[MAX_RANK];
    double count = (double)lesson_count(l, n, dim);
    const OpInfo *info = op_info[n->op];

    if (info->terms)
        count *= (double)size_at(l->g, info->terms(l->g, n), l->e->dim);
    return count;
}

/* Operations of these nodes and of all that they need. */
static double cost_of(const Lesson *l, Node *const *root, int roots)
{
    const int *uses = graph_uses(l->g, root, roots);
    double cost = 0;
    for (int i = 0; i < l->g->count; i++) {
        const Node *n = l->g->node[i];
        if (uses[i] && !(op_info[n->op]->flags & F_LEAF))
            cost += node_cost(l, n);
    }
    return cost;
}

/* Of the first loss, and of all results. */
static void count_costs(Lesson *l)
{
    const Model *m = l->m;
    Node **root = arena_alloc(l->ngc, (size_t)(m->roots + 1) * sizeof *root);
    int n = 0;
    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        int64_t dim[MAX_RANK];
        if (r->kind != ROOT_GRAD || r->loss != l->loss[0])
            continue;
        root[n++] = r->written;
        if (r->var)
            l->cost.numbers += (double)lesson_count(l, r->x, dim);
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

/* ---- the command ---- */

/* The model as the C that a reader follows: -O0, with the derivation in its comments. */
static void emit_readable(Lesson *l)
{
    l->code = (Output){.c = {.ngc = l->ngc}, .h = {.ngc = l->ngc}};
    l->ngc->opt.optimize = 0;
    l->ngc->opt.comments = 2;
    emit_model_c(l->m, text_format(l->ngc, "%s.h", l->m->name), &l->code);
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

/* What can be said before there are values. */
Lesson *lesson_new(Ngc *ngc, Model *m)
{
    Lesson *l = arena_alloc(ngc, sizeof *l);
    l->ngc = ngc;
    l->m = m;
    l->g = m->graph;
    emit_readable(l);
    return_names(l);

    l->at = arena_alloc(ngc, (size_t)(l->g->count + 1) * sizeof *l->at);
    collect_losses(l);
    collect_items(l);
    label_items(l);
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
    count_costs(l);
    describe_moves(l);
    collect_nudges(l);
    jacobians_compute(l);
}
