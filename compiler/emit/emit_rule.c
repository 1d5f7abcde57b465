/* emit_rule.c - the comment of a derivative: the step that made it as a rule of calculus, with the
 * names of the values that the rule is applied to. */
#include "emit/emit_comment.h"

#include <ctype.h>
#include <string.h>

const char *rule_loss(const Emit *e, const Node *n)
{
    if (is_in_graph(e, n))
        return e->loss_names[n->id];
    return NULL;
}

/* ---- where adjoints come from ---- */

static const Node *untied(const Node *n)
{
    while (n->op == OP_expand || n->op == OP_reshape || node_identity(n))
        n = n->arg[0];
    return n;
}

/* Is c only a scale of x: one number where x is a tensor, a constant, or a size? */
static bool is_scale(const Node *c, const Node *x)
{
    c = untied(c);
    if (c->op == OP_const || c->op == OP_size)
        return true;
    /* one number where x is a tensor */
    return c->shape.rank == 0 && untied(x)->shape.rank > 0;
}

/* x of n = c*x or x*c, where c is a scale; NULL: n is not such a product. A quotient is not looked
 * through, as a softmax is one. */
static const Node *scaled_factor(const Node *n)
{
    if (n->op != OP_mul)
        return NULL;
    if (is_scale(n->arg[0], n->arg[1]))
        return n->arg[1];
    if (is_scale(n->arg[1], n->arg[0]))
        return n->arg[0];
    return NULL;
}

/* n without scales and copies: the x of c*x, and of x spread over axes. */
static const Node *unscaled(const Node *n)
{
    for (;;) {
        bool view = n->op == OP_expand || n->op == OP_reshape;
        const Node *x = view ? n->arg[0] : scaled_factor(n);
        if (!x)
            return n;
        n = x;
    }
}

/* exp(u)/sum(exp(u)): the u, else NULL. */
static const Node *softmax_of(const Node *n)
{
    if (n->op != OP_div || n->arg[0]->op != OP_exp)
        return NULL;
    const Node *sum = untied(n->arg[1]);
    if (sum->op == OP_sum && sum->arg[0] == n->arg[0])
        return n->arg[0]->arg[0];
    return NULL;
}

/* Would a reader say that they are the same? */
static bool same_value(Emit *e, const Node *a, const Node *b)
{
    if (a == b)
        return true;
    if (node_name(a) && node_name(b) && same_text(node_name(a), node_name(b)))
        return true;
    const char *text_of_a = node_text(e->graph, a, COMMENT_DEPTH);
    const char *text_of_b = node_text(e->graph, b, COMMENT_DEPTH);
    return same_text(text_of_a, text_of_b);
}

/* z, if d is c*sigmoid(z) - y, or c*softmax(z) - y, or the negative of one; else NULL. */
static const Node *loss_input(const Node *d, const char **loss)
{
    for (int i = 0; i < 2 && d->op == OP_sub; i++) {
        /* p - y or y - p, with factors such as 1/rows in front of either */
        const Node *p = unscaled(d->arg[i]);
        if (p->op == OP_sigmoid) {
            *loss = "bce(sigmoid)";
            return p->arg[0];
        }

        const Node *z = softmax_of(p);
        if (z) {
            *loss = "cross_entropy(softmax)";
            return z;
        }
    }
    return NULL;
}

/* Only the derivative of binary cross-entropy has the form c*(sigmoid(z) - y), and only that of
 * cross-entropy the form c*(softmax(z) - y). So the form shows which loss it is, however the loss
 * was written. NULL: n, the derivative with respect to x, is neither. */
static const char *loss_of(Emit *e, const Node *n, const Node *x)
{
    const char *loss;
    const Node *z = loss_input(unscaled(n), &loss);
    if (!z)
        return NULL;

    if (same_value(e, x, z))
        return loss;
    bool shifted = z->op == OP_sub && untied(z->arg[1])->op == OP_max; /* z = u - max(u) */
    return shifted && same_value(e, x, z->arg[0]) ? loss : NULL;
}

/* Marks such derivatives, and the differences in them. */
void rule_find_losses(Emit *e)
{
    Graph *g = e->graph;
    e->loss_names = arena_array(e->ngc, g->count + 1, sizeof *e->loss_names);
    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];
        const char *loss = NULL;
        if (n->derived && n->step)
            loss = loss_of(e, n, n->step->x);
        /* the derivative, and the difference in it, which may be the node that is stored */
        if (loss)
            e->loss_names[n->id] = e->loss_names[unscaled(n)->id] = loss;
    }
}

/* The last step to each x, which is the last use of x in its sweep; and for each gradient's name in
 * C the root. */
void rule_find_steps(Emit *e)
{
    /* from the last step to the first */
    e->step_of = arena_array(e->ngc, e->graph->count + 1, sizeof *e->step_of);
    for (const Step *s = e->graph->steps; s; s = s->prev) {
        int x = s->x->id;
        if (!e->step_of[x])
            e->step_of[x] = s;
    }

    /* of several roots with one name, the first remains */
    const Model *m = e->module->model;
    for (int i = m->roots - 1; i >= 0; i--)
        if (m->root[i].kind == ROOT_GRAD)
            *table_at(e->ngc, &e->grad_of, m->root[i].cname) = i + 1;
}

/* ---- whose adjoint it is ---- */

/* How often the loss of s depends on x. */
static int uses_of(const Emit *e, const Step *s)
{
    /* steps count uses from 0, so the last one says how many there are */
    const Step *last = e->step_of[s->x->id];
    if (last && last->loss == s->loss && last->use >= s->use)
        return last->use + 1;
    return s->use + 1;
}

/* Does y pass its adjoint to x unchanged, or only in another shape? */
static bool is_passed_on(const Step *s)
{
    /* dx = dy */
    const char *rule = op_info[s->y->op]->rule[s->operand < 3 ? s->operand : 2];
    if (s->use > 0 || s->y->op == OP_mod)
        return false;
    if (rule && same_text(rule, "dy"))
        return true;
    return s->y->op == OP_reshape && !node_is_turned(s->y);
}

/* By id: the value whose adjoint a node's adjoint is. That is the node itself, except for a value
 * without a name whose adjoint is passed to it unchanged by one sum or reshape. It has the adjoint
 * of that user: with z = x @ W' + b, the adjoint of the product is dz. Users come later, so theirs
 * are known. */
void rule_find_holders(Emit *e)
{
    Graph *g = e->graph;
    e->holder = arena_array(e->ngc, g->count + 1, sizeof *e->holder);

    for (int i = g->count; i-- > 0;) {
        const Node *x = g->node[i];
        const Step *s = e->step_of[i];
        e->holder[i] = x;
        if (kept_name(e, x) || !s || s->loss == x || !is_passed_on(s))
            continue;

        const Node *y = s->y;
        const Step *next = e->step_of[y->id];
        /* z's adjoint is dz only within the sweep of this loss */
        bool same_loss = next && next->loss == s->loss && y != s->loss;
        if (same_loss)
            e->holder[i] = e->holder[y->id];
        else
            e->holder[i] = y;
    }
}

static const Node *adjoint_holder(const Emit *e, const Node *loss, const Node *y)
{
    const Step *s = e->step_of[y->id];
    if (s && s->loss == loss)
        return e->holder[y->id];
    return y;
}

static const char *adjoint_label(Emit *e, const Node *loss, const Node *x)
{
    const char *of = text_or(loss->name, "J");
    x = adjoint_holder(e, loss, x);
    if (node_name(x))
        return text_format(e->ngc, "d%s/d%s", of, node_name(x));
    return text_format(e->ngc, "d%s/d(%s)", of, node_words(e, x, 2));
}

/* ---- a step as a rule ---- */

/* Is there an operator in it, outside of brackets? */
static bool is_compound(const char *text)
{
    int depth = 0;
    for (; *text; text++) {
        depth += (*text == '[' || *text == '(') - (*text == ']' || *text == ')');
        if (*text == ' ' && depth == 0)
            return true;
    }
    return false;
}

/* An operand in a rule, in parentheses where it needs them; alone: it is the whole rule. */
static const char *operand_text(Emit *e, const Node *n, bool alone)
{
    const char *text;
    if (node_name(n))
        text = node_name(n);
    else
        text = node_words(e, n, 2);
    if (!alone && (is_compound(text) || n->op == OP_size))
        return text_format(e->ngc, "(%s)", text);
    return text;
}

/* Is the word of n letters at c part of a sentence, between two other words? */
static bool is_prose(const char *rule, const char *c, size_t n)
{
    /* "a" in "the slope of a ramp" is an article, not an operand */
    bool word_after = c[n] == ' ' && isalpha((unsigned char)c[n + 1]);
    bool word_before = c > rule && c[-1] == ' ' && isalpha((unsigned char)c[-2]);
    return word_before && word_after;
}

/* The operand that a letter of a rule means, or the result y; NULL: it means neither. */
static const Node *rule_operand(const Step *s, char letter)
{
    if (letter >= 'a' && letter < 'a' + s->y->nargs)
        return s->y->arg[letter - 'a'];
    return letter == 'y' ? s->y : NULL;
}

/* Adds the word of n letters at c, or the name of the value that it means. */
static void add_rule_word(Emit *e, Text *t, const Step *s, const char *rule, const char *c,
                          size_t n)
{
    const Node *operand = NULL;
    if (n == 1 && !is_prose(rule, c, n))
        operand = rule_operand(s, *c);

    if (is_word(c, n, "dy"))
        text_add(t, "%s", s->y == s->loss ? "1" : adjoint_label(e, s->loss, s->y));
    else if (operand)
        text_add(t, "%s", operand_text(e, operand, c == rule && c[n] == '\0'));
    else
        text_put(t, c, n);
}

/* A rule with the names of the values that it is applied to. In the rule a, b, c are the operands,
 * y is the result, and dy its adjoint. */
static const char *rule_text(Emit *e, const Step *s, const char *rule)
{
    Text t = {.ngc = e->ngc};
    for (const char *c = rule; *c;) {
        size_t n = word_size(c);
        if (n == 0) {
            text_put(&t, c++, 1);
            continue;
        }

        add_rule_word(e, &t, s, rule, c, n);
        c += n;
        if (*c == '\'' && t.at[t.size - 1] == '\'') { /* w'' is w */
            t.at[--t.size] = '\0';
            c++;
        }
    }
    return t.at;
}

/* "second use of v: added", or "second use of v" if the contribution is not added yet. "": x has
 * only one use. */
static const char *use_text(Emit *e, const Step *s, bool added)
{
    static const char *const nth[] = {"first", "second", "third", "fourth", "fifth"};
    const char *x = comment_label(e, s->x);
    const char *and = text_if(added && s->use > 0, ": added");

    if (uses_of(e, s) == 1)
        return "";
    if (s->use < 5)
        return text_format(e->ngc, "; %s use of %s%s", nth[s->use], x, and);
    return text_format(e->ngc, "; use %d of %s%s", s->use + 1, x, and);
}

/* The root of the gradient with this name in C; NULL: there is none. */
const Root *rule_root(Emit *e, const char *cname)
{
    int root = *table_at(e->ngc, &e->grad_of, cname);
    if (root)
        return &e->module->model->root[root - 1];
    return NULL;
}

/* The step that made what is stored. One node may be several gradients, so the gradient of a root
 * is explained by the step to that root's own x. */
const Step *rule_step(Emit *e, const Program *p, const Store *s)
{
    const Place *place = store_place(p, s);
    const Root *r = NULL;
    if (place->kind == P_GRAD)
        r = rule_root(e, place->name);
    if (r) {
        const Step *step = e->step_of[r->x->id];
        if (step && step->loss == r->loss)
            return step;
    }
    return s->node->step;
}

/* The formula of y. `from`, whose adjoint y holds, is written out in it. */
static const char *formula_text(Emit *e, const Node *y, Node *from)
{
    const char *name = from->name;
    /* without its name it is written out */
    if (from != y)
        from->name = NULL;
    const char *text = node_words(e, y, COMMENT_DEPTH);
    from->name = name;

    const char *own = node_name(y);
    if (own && !same_text(own, text))
        return text_format(e->ngc, "%s = %s", own, text);
    return text;
}

/* Is n the contribution of s, whose rule is shown above it, added to those before it? */
static bool is_sum_so_far(const Node *n, const Step *s)
{
    if (s->use == 0 || (n->op != OP_add && n->op != OP_sub))
        return false;

    for (int i = 0; i < 2; i++) {
        const Step *before = n->arg[i]->step;
        const Step *now = n->arg[1 - i]->step;
        bool to_same = before && before != s && before->x == s->x;
        if (now == s && (to_same || (n == s->sum && n != s->dx)))
            return true;
    }
    return false;
}

/* "z = x @ W' + b  =>  dJ/dW = dJ/dz' @ x  [10, 784]", and why. NULL: n is not a step. A node that
 * adds up contributions is shown as it is stored. */
const char *rule_text_of_step(Emit *e, const Node *n, const Step *s, const char *stored,
                              const char **why)
{
    Ngc *ngc = e->ngc;
    const char *rule = NULL;
    if (s)
        rule = op_rule(ngc, s->y, s->operand);
    if (!rule)
        return NULL;

    bool shown = is_sum_so_far(n, s);
    const char *use = use_text(e, s, shown || is_adjoint(n));
    const char *shape = shape_words(e, s->x);
    bool several = *use != '\0'; /* contributions */

    /* the sum of the contributions: the rule of one of them would not be the value */
    if (several && (shown || (n->op == OP_add && is_adjoint(n)))) {
        *why = use + strlen("; ");
        return text_format(ngc, "%s%s", stored, shape);
    }

    const char *teach = text_or(op_teach(ngc, s->y), op_info[s->y->op]->name);
    *why = text_format(ngc, "%s%s", teach, use);

    /* the rule */
    Text t = {.ngc = ngc};
    const char *formula = formula_text(e, adjoint_holder(e, s->loss, s->y), s->y);
    const char *does = rule_text(e, s, rule);
    const char *adjoint = adjoint_label(e, s->loss, s->x);
    const char *gets = several ? "gets" : "=";
    text_add(&t, "%s  =>  %s %s %s", formula, adjoint, gets, does);

    /* the value, if it is in another form */
    const char *value = node_words(e, n, COMMENT_DEPTH);
    const char *is = several ? ", in all" : " =";
    const char *from = loss_of(e, n, s->x);
    bool whole = shape_equal(n->shape, s->x->shape) && (!several || is_adjoint(n));
    if (from)
        text_add(&t, "%s %s: from %s", is, value, from);
    else if (whole && words_differ(value, does))
        text_add(&t, "%s %s", is, value);
    text_add(&t, "%s", shape);
    return t.at;
}
