/* explain.c - ngc explain: collects a lesson from a model. Values are those of the graph as the
 * user wrote it; what is said of a step comes from the record of its operation and from the step
 * that the sweep wrote down. Changes nothing of the graph but that the C is emitted from it first.
 */
#include "explain.h"

#include <math.h>
#include <string.h>

const char *lesson_nth(const Lesson *l, int use)
{
    static const char *const nth[] = {"first", "second", "third", "fourth", "fifth"};
    return use < 5 ? text_format(l->ngc, "%s use", nth[use])
                   : text_format(l->ngc, "use %d", use + 1);
}

/* ---- items: the way forward ---- */

static const char *own_name(const Node *n)
{
    return n->op == OP_var ? n->attr.var->name : n->name;
}

const char *lesson_label(const Lesson *l, const Node *n)
{
    double c;
    if (l->at[n->id])
        return l->item[l->at[n->id] - 1].label;
    if (node_const(n, &c))
        return lesson_number(l, c);
    return own_name(n) ? own_name(n) : node_text(l->g, n, 2);
}

static bool is_item(const Node *n)
{
    double c;
    return !node_const(n, &c) && n->op != OP_size && n->op != OP_training;
}

/* What the losses need, in order; without a loss, what is delivered. */
static void collect_items(Lesson *l)
{
    Model *m = l->m;
    Node **from = arena_alloc(l->ngc, (size_t)(m->roots + 1) * sizeof *from);
    int n = 0;
    l->loss = arena_alloc(l->ngc, (size_t)(m->roots + 1) * sizeof *l->loss);
    for (int i = 0; i < m->roots; i++) {
        Root *r = &m->root[i];
        bool known = r->kind != ROOT_GRAD;
        for (int k = 0; k < l->losses && !known; k++)
            known = l->loss[k] == r->loss;
        if (!known)
            l->loss[l->losses++] = r->loss;
    }
    for (int i = 0; i < l->losses; i++)
        from[n++] = l->loss[i];
    for (int i = 0; i < m->roots && l->losses == 0; i++)
        if (m->root[i].kind != ROOT_UPDATE)
            from[n++] = m->root[i].written;
    int *uses = graph_uses(l->g, from, n);
    l->item = arena_alloc(l->ngc, (size_t)(l->g->count + 1) * sizeof *l->item);
    for (int i = 0; i < l->g->count; i++)
        if (uses[i] && is_item(l->g->node[i])) {
            l->item[l->items++].node = l->g->node[i];
            l->at[i] = l->items;
        }
}

static const char *item_kind(const Lesson *l, const Node *n)
{
    static const char *const kinds[] = {"input", "param", "state"};
    for (int i = 0; i < l->losses; i++)
        if (l->loss[i] == n)
            return "loss";
    return n->op == OP_var                  ? kinds[n->attr.var->kind]
           : op_info[n->op]->flags & F_LEAF ? "data"
                                            : "value";
}

/* Is the label taken by a name of the user's or by an item before this one? */
static bool label_taken(const Lesson *l, int before, const char *label)
{
    for (int i = 0; i < l->items; i++) {
        const char *other = i < before ? l->item[i].label : own_name(l->item[i].node);
        if (other && i != before && strcmp(other, label) == 0)
            return true;
    }
    return false;
}

/* The user's names, each once; v1, v2, ... for what has none. */
static void label_items(Lesson *l)
{
    int number = 0;
    for (int i = 0; i < l->items; i++) {
        const char *own = own_name(l->item[i].node), *label = own;
        bool taken = !own;
        for (int k = 0; own && k < i && !taken; k++)
            taken = strcmp(l->item[k].label, own) == 0;
        for (int again = 2; taken; again++) {
            label = own ? text_format(l->ngc, "%s_%d", own, again)
                        : text_format(l->ngc, "v%d", ++number);
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
    int count = 0;
    for (int i = 0; i < l->m->vars; i++)
        if (l->m->var[i]->invented && ++count)
            text_add(&names, "%s%s", count > 1 ? ", " : "", l->m->var[i]->name);
    if (count == 0)
        return NULL;
    return text_format(
        l->ngc,
        "Invented, as nobody gave %s: the numbers of %s. NAME=VALUE or --data FILE gives them.",
        count > 1 ? "them" : "it", names.at);
}

static const char *axes_words(const Lesson *l, const Node *n)
{
    Text t = {.ngc = l->ngc};
    if (n->op == OP_reshape && n->shape.rank == 0)
        return ", as a number";
    if (n->op == OP_expand || n->op == OP_reshape)
        return text_format(l->ngc, n->op == OP_expand ? ", copied to %s" : ", in the shape %s",
                           lesson_shape(l, n));
    if (!(op_info[n->op]->flags & F_REDUCE) || n->op == OP_argmax || n->shape.rank == 0)
        return "";
    for (int i = 0; i < n->arg[0]->shape.rank; i++)
        if (n->attr.axes >> i & 1)
            text_add(&t, "%s%d", t.at ? ", " : ", over axis ", i);
    return t.at ? t.at : "";
}

static void describe_item(Lesson *l, Item *t)
{
    const Node *n = t->node;
    const OpInfo *info = op_info[n->op];
    const char **label = arena_alloc(l->ngc, (size_t)(n->nargs + 1) * sizeof *label);
    const char **number = arena_alloc(l->ngc, (size_t)(n->nargs + 1) * sizeof *number);
    bool scalar = info->flags & F_ELEMENTWISE && n->shape.rank == 0 && n->op != OP_copy;
    for (int i = 0; i < n->nargs; i++) {
        const Item *a = l->at[n->arg[i]->id] ? &l->item[l->at[n->arg[i]->id] - 1] : NULL;
        label[i] = lesson_label(l, n->arg[i]);
        t->level = a && a->level >= t->level ? a->level + 1 : t->level;
        if (scalar) {
            number[i] = lesson_value(l, n->arg[i]);
            if (*number[i] == '-' && info->prec != 16 && !(i == 0 && info->flags & F_COMMUTATIVE))
                number[i] = text_format(l->ngc, "(%s)", number[i]);
        }
    }
    if (n->op == OP_var || n->op == OP_data)
        return;
    t->formula =
        info->flags & F_LEAF
            ? info->name
            : text_format(l->ngc, "%s%s", math_formula(l, n, label, M_TEXT), axes_words(l, n));
    t->numbers = scalar && n->nargs > 0 ? math_formula(l, n, number, M_TEXT) : NULL;
    t->math_tex = math_formula(l, n, label, M_TEX);
    t->math_html = math_formula(l, n, label, M_HTML);
    t->teach = info->teach;
}

/* A value that has no name belongs to the first one computed from it, a variable to where it is
 * declared, a named value to its own name: "h.0.W" is in h.0, and so is what h.0.z is summed up
 * from in h.0.z. */
static void group_items(Lesson *l)
{
    int *user =
        arena_alloc(l->ngc, (size_t)(l->items + 1) * sizeof *user); /* 1 + the first; 0: none */
    for (int i = l->items; i-- > 0;) {
        Item *t = &l->item[i];
        const char *dot = strrchr(t->label, '.');
        for (int k = 0; k < t->node->nargs; k++)
            if (l->at[t->node->arg[k]->id])
                user[l->at[t->node->arg[k]->id] - 1] = i + 1;
        if (t->node->op == OP_var)
            t->group = dot ? text_format(l->ngc, "%.*s", (int)(dot - t->label), t->label) : "";
        else
            t->group = own_name(t->node) ? t->label : user[i] ? l->item[user[i] - 1].group : "";
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

static void describe_move(Lesson *l, Move *v)
{
    const Step *s = v->step;
    const OpInfo *info = op_info[s->y->op];
    const char *name[5] = {"", "", "", "", ""};
    v->x = l->at[s->x->id] - 1;
    v->y = l->at[s->y->id] - 1;
    v->up = adjoint_label(l, s->loss, s->y);
    v->down = adjoint_label(l, s->loss, s->x);
    v->slope = NAN;
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
    if (s->y->shape.rank > 0)
        return;
    double at[4] = {0};
    for (int i = 0; i < s->y->nargs; i++)
        at[i] = *eval_node(l->e, s->y->arg[i]);
    at[3] = *eval_node(l->e, s->y);
    v->slope = math_slope(l, s, at);
}

/* The steps, in the order they were taken; the latest sweep stands first in the list. */
static void collect_moves(Lesson *l)
{
    int n = 0;
    for (const Step *s = l->g->steps; s; s = s->prev)
        n++;
    l->move = arena_alloc(l->ngc, (size_t)(n + 1) * sizeof *l->move);
    const Step **step = arena_alloc(l->ngc, (size_t)(n + 1) * sizeof *step), **seen;
    int i = n;
    for (const Step *s = l->g->steps; s; s = s->prev)
        step[--i] = s;
    for (int k = 0; k < l->losses; k++) {
        seen = arena_alloc(l->ngc,
                           (size_t)(l->g->count + 1) * sizeof *seen); /* the last step to each x */
        for (i = 0; i < n; i++) {
            bool first = !seen[step[i]->x->id] || step[i]->use > seen[step[i]->x->id]->use;
            if (step[i]->loss != l->loss[k] || !l->at[step[i]->x->id] || !l->at[step[i]->y->id] ||
                !first)
                continue; /* of a loss that is differentiated twice, the first sweep is told */
            seen[step[i]->x->id] = step[i];
            l->move[l->moves++].step = step[i];
        }
        for (i = 0; i < l->moves; i++)
            if (l->move[i].step->loss == l->loss[k])
                l->move[i].last = seen[l->move[i].step->x->id] == l->move[i].step;
        for (i = 0; i < l->items && k == 0; i++)
            if (seen[l->item[i].node->id])
                l->item[i].adjoint = seen[l->item[i].node->id]->sum;
    }
}

static void describe_moves(Lesson *l)
{
    const Step **seen =
        arena_alloc(l->ngc, (size_t)(l->g->count + 1) * sizeof *seen); /* the last step to each x */
    for (int i = 0; i < l->moves; i++) {
        const Step *s = l->move[i].step, *before = seen[s->x->id];
        describe_move(l, &l->move[i]);
        if (s->use > 0 && s->x->shape.rank == 0 && before && before->loss == s->loss)
            l->move[i].before = lesson_value(l, before->sum);
        seen[s->x->id] = s;
    }
}

/* ---- nudges ---- */

/* The loss where one entry of x is moved by h; `other` computes it, so that what is known stays
 * known. */
static double nudged(Eval *other, Pool *pool, const Root *r, double *copy, int64_t k, double h)
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

/* Each value that a derivative is asked by: its entry with the steepest slope, moved by a step of
 * one digit. */
static void collect_nudges(Lesson *l)
{
    int most = l->cost.all > 1e7 ? 3 : NUDGES; /* each computes the loss again */
    Eval *other = second_eval(l);
    Pool *pool = pool_new(l->ngc);
    l->nudge = arena_alloc(l->ngc, NUDGES * sizeof *l->nudge);
    for (int i = 0; i < l->m->roots && l->nudges < most; i++) {
        Root *r = &l->m->root[i];
        int64_t dim[MAX_RANK], count, k = 0;
        if (r->kind != ROOT_GRAD)
            continue;
        const double *d = eval_node(l->e, r->node), *x = eval_node(l->e, r->x);
        count = lesson_count(l, r->x, dim);
        for (int64_t q = 0; q < count; q++)
            k = fabs(d[q]) > fabs(d[k]) ? q : k;
        Nudge *n = &l->nudge[l->nudges++];
        *n = (Nudge){.root = r,
                     .entry = lesson_label(l, r->x),
                     .k = k,
                     .x = x[k],
                     .loss = *eval_node(l->e, r->loss),
                     .derivative = d[k]};
        n->h = x[k] == 0 || !isfinite(x[k]) ? 0.1 : pow(10, floor(log10(fabs(x[k]))) - 1);
        if (r->x->shape.rank > 0) {
            Text t = {.ngc = l->ngc};
            int64_t rest = k, inner = count;
            for (int a = 0; a < r->x->shape.rank; a++) {
                inner /= dim[a];
                text_add(&t, "%s%lld", a ? ", " : "[", (long long)(rest / inner));
                rest %= inner;
            }
            n->entry = text_format(l->ngc, "%s%s]", n->entry, t.at);
        }
        n->moved =
            nudged(other, pool, r, arena_copy(l->ngc, x, (size_t)count * sizeof *x), k, n->h);
    }
}

/* ---- the command ---- */

/* What computes these nodes: an operation for each element, and for each product of a matrix
 * product. */
static double cost_of(const Lesson *l, Node *const *root, int roots)
{
    const int *uses = graph_uses(l->g, root, roots);
    int64_t dim[MAX_RANK];
    double cost = 0;
    for (int i = 0; i < l->g->count; i++) {
        const Node *n = l->g->node[i];
        if (!uses[i] || op_info[n->op]->flags & F_LEAF)
            continue;
        double count = (double)lesson_count(l, n, dim);
        if (n->op == OP_matmul) {
            lesson_count(l, n->arg[0], dim);
            count *= (double)dim[n->arg[0]->shape.rank - 1 - n->attr.ta];
        } else if ((n->op == OP_conv || n->op == OP_convk) &&
                   count > 0) { /* as many products as one output channel has of these */
            double all = (double)lesson_count(l, n->arg[1], dim);
            count *= all / (double)dim[0];
        }
        cost += count;
    }
    return cost;
}

/* Of the first loss, and of all that is delivered. */
static void count_costs(Lesson *l)
{
    Node **root = arena_alloc(l->ngc, (size_t)(l->m->roots + 1) * sizeof *root);
    int n = 0;
    int64_t dim[MAX_RANK];
    for (int i = 0; i < l->m->roots; i++) {
        const Root *r = &l->m->root[i];
        if (r->kind == ROOT_GRAD && r->loss == l->loss[0]) {
            root[n++] = r->written;
            l->cost.numbers += r->var ? (double)lesson_count(l, r->x, dim) : 0;
        }
    }
    l->cost.forward = l->losses ? cost_of(l, l->loss, 1) : 0;
    root[n] = l->losses ? l->loss[0] : NULL;
    l->cost.both = l->losses ? cost_of(l, root, n + 1) : 0;
    for (int i = 0; i < l->m->roots; i++)
        root[i] = l->m->root[i].written;
    l->cost.all = cost_of(l, root, l->m->roots);
}

static Lesson *lesson_new(Ngc *ngc, Model *m, const char *files, char **assign, int count,
                          int *status)
{
    Lesson *l = arena_alloc(ngc, sizeof *l);
    l->ngc = ngc;
    l->m = m;
    l->g = m->graph;
    l->code = (Output){.c = {.ngc = ngc}, .h = {.ngc = ngc}};
    ngc->opt.optimize = 0;
    ngc->opt.comments = 2;
    emit_c(ngc, m, text_format(ngc, "%s.h", m->name), &l->code);
    l->at = arena_alloc(ngc, (size_t)(l->g->count + 1) * sizeof *l->at);
    collect_items(l);
    label_items(l);
    group_items(l);
    for (int i = 0; i < l->items; i++)
        l->item[i].kind = item_kind(l, l->item[i].node);
    if (ngc->opt.jacobians)
        jacobians_prepare(l);
    l->e = run_eval(ngc, m, assign, count, files, &l->data, status);
    if (!l->e)
        return NULL;
    collect_moves(l);
    lesson_compute(l);
    for (int i = 0; i < l->items; i++)
        describe_item(l, &l->item[i]);
    count_costs(l);
    describe_moves(l);
    collect_nudges(l);
    jacobians_compute(l);
    return l;
}

int explain_main(Ngc *ngc, Model *m, const char *form, const char *path, const char *files,
                 char **assign, int count)
{
    static const struct {
        const char *form, *end;
        void (*tell)(const Lesson *, Text *);
    } forms[] = {
        {"html", ".html", explain_html}, {"text", "-", explain_text},
        {"dot", "-", explain_dot},       {"json", "-", explain_json},
        {"tex", "-", explain_tex},       {"jacobians", "-", explain_jacobians},
    };
    if (!form && ngc->opt.jacobians)
        form = "jacobians";
    Text t = {.ngc = ngc};
    int status;
    Lesson *l = lesson_new(ngc, m, files, assign, count, &status);
    if (!l || ngc->errors)
        return status ? status : 1;
    size_t k = 0;
    for (size_t i = 0; form && i < sizeof forms / sizeof *forms; i++)
        k = strcmp(forms[i].form, form) == 0 ? i : k;
    forms[k].tell(l, &t);
    bool named = path != NULL;
    if (!named)
        path =
            strcmp(forms[k].end, "-") == 0 ? "-" : text_format(ngc, "%s%s", m->name, forms[k].end);
    OutFile file = {.path = path, .text = t.at, .size = t.size};
    if (!named && strcmp(path, "-") != 0) {
        file.ours.begins = "<!DOCTYPE html>";
        file.ours.holds = "<title>ngc explain</title>";
    }
    if (output_clash(ngc, &file, 1) || output_foreign(ngc, &file, 1))
        return 2;
    return output_write(ngc, &file, 1) ? 0 : 3;
}
