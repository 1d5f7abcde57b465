/* emit_comment.c - the comments of the emitted C: what a statement computes, the line of the model
 * it comes from, and for derivatives the rule of calculus it applies. */
#include "emit/emit.h"

#include <ctype.h>
#include <string.h>

enum {
    DEPTH = 3,   /* of the expressions in comments */
    WIDTH = 110, /* characters on a line of comment */
    LONG = 30,   /* characters in an expression that leaves something out */
};

/* Would the characters a b end the comment, begin one, be a trigraph, or continue the line? */
static bool breaks_comment(char a, char b)
{
    if (a == '\\')
        return b == '\0';
    return (a == '*' && b == '/') || (a == '/' && b == '*') || (a == '?' && b == '?');
}

/* U+2000 .. U+207F in UTF-8. Some of them change the direction of writing. */
static bool is_invisible(const unsigned char *c)
{
    return c[0] == 0xE2 && (c[1] == 0x80 || c[1] == 0x81) && c[2] != '\0';
}

/* A text that is safe within a comment. */
const char *comment_text(Ngc *ngc, const char *text)
{
    Text t = {.ngc = ngc};
    text_put(&t, "", 0);

    for (const char *c = text; *c; c++) {
        unsigned char u = (unsigned char)*c;
        if (is_invisible((const unsigned char *)c)) {
            text_put(&t, "?", 1);
            c += 2;
            continue;
        }
        text_put(&t, u < ' ' || u == 127 ? " " : c, 1);
        if (breaks_comment(c[0], c[1]))
            text_put(&t, " ", 1);
    }
    return t.at;
}

/* The text without each `what`. */
static const char *without(Ngc *ngc, const char *text, const char *what, size_t cut)
{
    for (const char *at = strstr(text, what); at; at = strstr(text, what))
        text = text_format(ngc, "%.*s%s", (int)(at - text), text, at + cut);
    return text;
}

/* An expression, short enough to read. What only repeats a smaller tensor is "copies of" it. */
static const char *node_words(Emit *e, const Node *n, int depth)
{
    bool copies = n->op == OP_expand && !n->name && n->arg[0]->op != OP_const;
    const char *text = node_text(e->graph, n, depth);
    for (int less = depth - 1; less > 0 && strstr(text, "...") && strlen(text) > LONG; less--)
        text = node_text(e->graph, n, less);

    text = without(e->ngc, text, "..., ...", strlen("..., ")); /* one "..." is enough */
    text = without(e->ngc, text, "''", strlen("''"));          /* transposed twice */
    return copies ? text_format(e->ngc, "copies of %s", text) : text;
}

/* "h", "dJ/dh", or what it is computed from. */
static const char *comment_label(Emit *e, const Node *n)
{
    return node_name(n) ? node_name(n) : node_text(e->graph, n, 2);
}

/* Tables by id are of the graph's nodes; a program may have added a copy of one. */
static bool is_in_graph(const Emit *e, const Node *n)
{
    return n->id < e->graph->count;
}

static const char *loss_name(const Emit *e, const Node *n)
{
    return is_in_graph(e, n) ? e->loss_names[n->id] : NULL;
}

/* The user's name of a value, or the name of an adjoint; not a name that comment_names lends. */
static const char *kept_name(const Emit *e, const Node *n)
{
    bool lent = e->has_lent_name && is_in_graph(e, n) && e->has_lent_name[n->id];
    return lent ? NULL : node_name(n);
}

/* Does it have the name of an adjoint, dJ/dz? */
static bool is_adjoint(const Node *n)
{
    return n->derived && n->name && *n->name == 'd' && strstr(n->name, "/d");
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
    return is_scale(n->arg[1], n->arg[0]) ? n->arg[0] : NULL;
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
    return sum->op == OP_sum && sum->arg[0] == n->arg[0] ? n->arg[0]->arg[0] : NULL;
}

/* Would a reader say that they are the same? */
static bool same_value(Emit *e, const Node *a, const Node *b)
{
    if (a == b)
        return true;
    if (node_name(a) && node_name(b) && strcmp(node_name(a), node_name(b)) == 0)
        return true;
    return strcmp(node_text(e->graph, a, DEPTH), node_text(e->graph, b, DEPTH)) == 0;
}

/* z, if d is c*sigmoid(z) - y, or c*softmax(z) - y, or the negative of one; else NULL. */
static const Node *loss_input(const Node *d, const char **loss)
{
    for (int i = 0; i < 2 && d->op == OP_sub; i++) {
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
static void find_losses(Emit *e)
{
    e->loss_names = arena_alloc(e->ngc, (size_t)(e->graph->count + 1) * sizeof *e->loss_names);
    for (int i = 0; i < e->graph->count; i++) {
        const Node *n = e->graph->node[i];
        const char *loss = n->derived && n->step ? loss_of(e, n, n->step->x) : NULL;
        if (loss)
            e->loss_names[n->id] = e->loss_names[unscaled(n)->id] = loss;
    }
}

/* The last step to each x, which is the last use of x in its sweep; and for each gradient's name in
 * C the root. */
static void find_steps(Emit *e)
{
    size_t room = (size_t)(e->graph->count + 1);
    e->step_of = arena_alloc(e->ngc, room * sizeof *e->step_of);
    for (const Step *s = e->graph->steps; s; s = s->prev)
        if (!e->step_of[s->x->id])
            e->step_of[s->x->id] = s;

    for (int i = e->module->model->roots; i-- > 0;)
        if (e->module->model->root[i].kind == ROOT_GRAD)
            *table_at(e->ngc, &e->grad_of, e->module->model->root[i].cname) = i + 1;
}

/* ---- lines of the model ---- */

/* What is known of a line; a set of bits. */
enum {
    NAMED_HERE = 1,  /* a value is named there */
    NEEDED_HERE = 2, /* a loss needs such a value */
};

/* A number for a line of the user's files; 0: the place is not in the user's files. */
static int line_key(const Emit *e, Loc loc)
{
    enum { LINES = 1 << 20 };
    if (loc.file < 0 || loc.file >= e->ngc->files || e->ngc->file[loc.file]->library)
        return 0;
    return loc.file * LINES + source_line(e->ngc, loc, NULL) % LINES;
}

static int *line_state(Emit *e, int key)
{
    return table_at(e->ngc, &e->line_state, (const void *)(uintptr_t)key);
}

/* 1 + the root of that name that is not a gradient or an update; 0: there is none. */
static int *root_of(Emit *e, const char *name)
{
    return table_at(e->ngc, &e->root_of, intern_str(e->ngc, name));
}

static int find_losses_written(const Emit *e, Node **loss)
{
    const Model *m = e->module->model;
    int losses = 0;
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == ROOT_LOSS)
            loss[losses++] = m->root[i].written;
    return losses;
}

/* By id: does a loss need it, as the user wrote the loss or as forward computes it? A derivative in
 * forward counts too. */
static int *needed_by_losses(Emit *e, Node *const *loss, int losses)
{
    int *used = graph_uses(e->graph, loss, losses);

    for (int f = 0; f < e->module->functions; f++) {
        const Program *p = e->module->function[f].program;
        if (e->module->function[f].fn != FN_FORWARD)
            continue;
        for (int i = 0; i < p->nodes; i++) {
            const Node *n = p->node[i];
            if (n->id < e->graph->count && (p->phase[i] == 0 || n->derived))
                used[n->id]++;
        }
    }
    return used;
}

/* By id: the first user that a loss needs. By name: the root. By line: what is named there. */
static void find_lines(Emit *e)
{
    const Model *m = e->module->model;
    const Graph *g = e->graph;
    Node **loss = arena_alloc(e->ngc, (size_t)(m->roots + 1) * sizeof *loss);
    int losses = find_losses_written(e, loss);
    int *used = needed_by_losses(e, loss, losses);

    e->first_user = arena_alloc(e->ngc, (size_t)(g->count + 1) * sizeof *e->first_user);
    for (int i = g->count; i-- > 0;)
        for (int k = 0; used[i] && k < g->node[i]->nargs; k++)
            e->first_user[g->node[i]->arg[k]->id] = g->node[i];

    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        if (r->kind == ROOT_GRAD || r->kind == ROOT_UPDATE)
            continue;

        /* The line where it is assigned is better than the line where it is an output. */
        int *root = root_of(e, r->name);
        if (*root == 0 || r->kind == ROOT_NAMED)
            *root = i + 1;

        if (losses > 0) {
            int *line = line_state(e, line_key(e, r->loc));
            *line |= r->of_loss ? NAMED_HERE | NEEDED_HERE : NAMED_HERE;
        }
    }
}

/* Do comments take this node's line? Not if the line only names values that no loss needs, unless
 * the node is such a value. */
static bool has_line(Emit *e, const Node *n)
{
    int key = line_key(e, n->loc);
    if (key == 0)
        return false;
    if (*line_state(e, key) != NAMED_HERE)
        return true;
    const char *name = kept_name(e, n);
    return name && *root_of(e, name);
}

/* The place in the model that n is computed for. A value that a loss shares with a line that it
 * does not need (the softmax(z) of an output and of a cross-entropy) gets the line of its user. */
static Loc model_loc(Emit *e, const Node *n)
{
    bool crossed = false; /* from a value of the backward pass to the value that it is for */

    for (const Node *at = n; at && at->id < e->graph->count; at = e->first_user[at->id]) {
        if (at->step && crossed)
            break;
        if (at->step) {
            at = at->step->y;
            crossed = true;
        }
        if (has_line(e, at))
            return at->loc;
    }
    return n->loc;
}

/* How often the loss of s depends on x. */
static int uses_of(const Emit *e, const Step *s)
{
    const Step *last = e->step_of[s->x->id];
    if (last && last->loss == s->loss && last->use >= s->use)
        return last->use + 1;
    return s->use + 1;
}

/* Does y pass its adjoint to x unchanged, or only in another shape? */
static bool is_passed_on(const Step *s)
{
    const char *rule = op_info[s->y->op]->rule[s->operand < 3 ? s->operand : 2];
    if (s->use > 0 || s->y->op == OP_mod)
        return false;
    if (rule && strcmp(rule, "dy") == 0)
        return true;
    return s->y->op == OP_reshape && !node_is_turned(s->y);
}

/* By id: the value whose adjoint a node's adjoint is. That is the node itself, except for a value
 * without a name whose adjoint is passed to it unchanged by one sum or reshape. It has the adjoint
 * of that user: with z = x @ W' + b, the adjoint of the product is dz. Users come later, so theirs
 * are known. */
static void find_holders(Emit *e)
{
    e->holder = arena_alloc(e->ngc, (size_t)(e->graph->count + 1) * sizeof *e->holder);

    for (int i = e->graph->count; i-- > 0;) {
        const Node *x = e->graph->node[i];
        const Step *s = e->step_of[i];
        e->holder[i] = x;
        if (kept_name(e, x) || !s || s->loss == x || !is_passed_on(s))
            continue;

        const Node *y = s->y;
        const Step *next = e->step_of[y->id];
        bool same_loss = next && next->loss == s->loss && y != s->loss;
        e->holder[i] = same_loss ? e->holder[y->id] : y;
    }
}

static const Node *adjoint_holder(const Emit *e, const Node *loss, const Node *y)
{
    const Step *s = e->step_of[y->id];
    return s && s->loss == loss ? e->holder[y->id] : y;
}

static const char *adjoint_label(Emit *e, const Node *loss, const Node *x)
{
    const char *of = loss->name ? loss->name : "J";
    x = adjoint_holder(e, loss, x);
    if (node_name(x))
        return text_format(e->ngc, "d%s/d%s", of, node_name(x));
    return text_format(e->ngc, "d%s/d(%s)", of, node_words(e, x, 2));
}

/* ---- a step as a rule ---- */

/* Do two texts differ in more than blanks? */
static bool differ(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, " ");
        b += strspn(b, " ");
        if (*a != *b)
            return true;
        if (*a == '\0')
            return false;
    }
}

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
    const char *text = node_name(n) ? node_name(n) : node_words(e, n, 2);
    if (!alone && (is_compound(text) || n->op == OP_size))
        return text_format(e->ngc, "(%s)", text);
    return text;
}

/* Is the word of n letters at c part of a sentence, between two other words? */
static bool is_prose(const char *rule, const char *c, size_t n)
{
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

    if (n == 2 && strncmp(c, "dy", 2) == 0)
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
        size_t n = 0;
        while (isalnum((unsigned char)c[n]) || c[n] == '_')
            n++;
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
    const char *and = added && s->use > 0 ? ": added" : "";

    if (uses_of(e, s) == 1)
        return "";
    if (s->use < 5)
        return text_format(e->ngc, "; %s use of %s%s", nth[s->use], x, and);
    return text_format(e->ngc, "; use %d of %s%s", s->use + 1, x, and);
}

/* The root of the gradient with this name in C; NULL: there is none. */
static const Root *gradient_root(Emit *e, const char *cname)
{
    int root = *table_at(e->ngc, &e->grad_of, cname);
    return root ? &e->module->model->root[root - 1] : NULL;
}

/* The step that made what is stored. One node may be several gradients, so the gradient of a root
 * is explained by the step to that root's own x. */
static const Step *step_of_store(Emit *e, const Program *p, const Store *s)
{
    const Place *place = store_place(p, s);
    const Root *r = place->kind == P_GRAD ? gradient_root(e, place->name) : NULL;
    if (r) {
        const Step *step = e->step_of[r->x->id];
        if (step && step->loss == r->loss)
            return step;
    }
    return s->node->step;
}

/* "  [10, 784]"; "": n is a number. */
static const char *shape_suffix(Emit *e, const Node *n)
{
    if (n->shape.rank == 0)
        return "";
    return text_format(e->ngc, "  %s", shape_text(e->graph, n->shape));
}

/* The formula of y. `from`, whose adjoint y holds, is written out in it. */
static const char *formula_text(Emit *e, const Node *y, Node *from)
{
    const char *name = from->name;
    if (from != y)
        from->name = NULL;
    const char *text = node_words(e, y, DEPTH);
    from->name = name;

    const char *own = node_name(y);
    if (own && strcmp(own, text) != 0)
        return text_format(e->ngc, "%s = %s", own, text);
    return text;
}

/* "z = x @ W' + b  =>  dJ/dW = dJ/dz' @ x  [10, 784]", and why. NULL: n is not a step. A node that
 * adds up contributions is shown as it is stored. */
static const char *step_text(Emit *e, const Node *n, const Step *s, const char *stored,
                             const char **why)
{
    const char *rule = s ? op_rule(e->ngc, s->y, s->operand) : NULL;
    if (!rule)
        return NULL;

    const char *use = use_text(e, s, is_adjoint(n));
    const char *shape = shape_suffix(e, s->x);
    bool several = *use != '\0';
    if (n->op == OP_add && is_adjoint(n) && several) {
        *why = use + strlen("; ");
        return text_format(e->ngc, "%s%s", stored, shape);
    }
    const char *teach = op_teach(e->ngc, s->y);
    *why = text_format(e->ngc, "%s%s", teach ? teach : op_info[s->y->op]->name, use);

    /* The rule. */
    Text t = {.ngc = e->ngc};
    const char *formula = formula_text(e, adjoint_holder(e, s->loss, s->y), s->y);
    const char *does = rule_text(e, s, rule);
    text_add(&t, "%s  =>  %s %s %s", formula, adjoint_label(e, s->loss, s->x),
             several ? "gets" : "=", does);

    /* The value, if it is in another form. */
    const char *value = node_words(e, n, DEPTH);
    const char *is = several ? ", in all" : " =";
    const char *from = loss_of(e, n, s->x);
    bool whole = shape_equal(n->shape, s->x->shape) && (!several || is_adjoint(n));
    if (from)
        text_add(&t, "%s %s: from %s", is, value, from);
    else if (whole && differ(value, does))
        text_add(&t, "%s %s", is, value);
    text_add(&t, "%s", shape);
    return t.at;
}

/* ---- the lines above a statement ---- */

static void comment_line(Emit *e, Text *out, const char *text)
{
    text_add(out, "    /* %s */\n", comment_text(e->ngc, text));
}

/* "line 7: ", of an imported file "layers.ng, line 7: ". */
static const char *line_words(Emit *e, Loc loc)
{
    enum { MODEL = 1 }; /* the file after the library */
    const char *path = e->ngc->file[loc.file]->name;
    const char *slash = strrchr(path, '/');
    int number = source_line(e->ngc, loc, NULL);

    if (loc.file == MODEL)
        return text_format(e->ngc, "line %d: ", number);
    return text_format(e->ngc, "%s, line %d: ", slash ? slash + 1 : path, number);
}

/* The text of the user's line there: "z = w*x + b". */
static const char *source_words(Emit *e, Loc loc)
{
    const Source *source = e->ngc->file[loc.file];
    int at = source->line[source_line(e->ngc, loc, NULL) - 1];
    while (source->text[at] == ' ' || source->text[at] == '\t')
        at++;

    int end = at;
    while (end < source->size && !strchr("\n\r#", source->text[end]) && end - at < 100)
        end++;
    while (end > at && source->text[end - 1] == ' ')
        end--;
    return text_format(e->ngc, "%.*s", end - at, source->text + at);
}

/* "h = relu(z)": what a store keeps. */
static const char *store_text(Emit *e, const Program *p, const Store *s, bool *named)
{
    const Node *n = s->node;
    const Place *place = s->target ? &s->target->place : program_place(p, n);
    const char *own = node_name(n);
    const char *text = node_words(e, n, DEPTH);

    const char *name = place->label ? place->label : own;
    if (!name && place->kind == P_MEMBER)
        name = place->name;
    *named = name != NULL;

    Text t = {.ngc = e->ngc};
    if (name && strcmp(name, text) != 0)
        text_add(&t, "%s = ", name);
    if (name && own && strcmp(name, own) != 0 && strcmp(own, text) != 0)
        text_add(&t, "%s = ", own);
    text_add(&t, "%s", text);
    return t.at;
}

static void comment_why(Emit *e, Text *out, const Node *n)
{
    if (n->why && !loss_name(e, n))
        comment_line(e, out, text_format(e->ngc, "simplified: %s", n->why));
}

/* A derivative: the rule, then in parentheses why. A long reason has a line of its own. */
static void comment_step(Emit *e, Text *out, const char *step, const char *why)
{
    if (strlen(step) + strlen(why) <= WIDTH) {
        comment_line(e, out, text_format(e->ngc, "%s    (%s)", step, why));
        return;
    }
    comment_line(e, out, step);
    comment_line(e, out, text_format(e->ngc, "    (%s)", why));
}

/* Where in the model a store comes from. A starting value comes from its declaration. A value with
 * a name comes from where it got the name, though it may be computed elsewhere too. A derivative
 * comes from the value that the step differentiates. */
static Loc store_loc(Emit *e, const Program *p, const Store *s, const Step *step)
{
    const Place *place = store_place(p, s);
    if (p->init && place->kind == P_VAR)
        return place->var->loc;
    if (!step && place->label && *root_of(e, place->label))
        return e->module->model->root[*root_of(e, place->label) - 1].loc;

    Loc loc = model_loc(e, step ? step->y : s->node);
    if (place->kind != P_GRAD || line_key(e, loc))
        return loc;

    const Root *r = gradient_root(e, place->name); /* a derivative that is 0 */
    return r ? r->loc : loc;
}

/* ": from bce(sigmoid)" of the derivative of a loss. */
static const char *from_text(Emit *e, const Node *n)
{
    return loss_name(e, n) ? text_format(e->ngc, ": from %s", loss_name(e, n)) : "";
}

/* What a rule is about: the text before its arrow. */
static const char *step_formula(Emit *e, const char *step, const char *text)
{
    const char *arrow = step ? strstr(step, "  =>") : NULL;
    return arrow ? text_format(e->ngc, "%.*s", (int)(arrow - step), step) : text;
}

/* One store: the user's line if it differs from the last one, then what is stored, with the rule if
 * it is a derivative. In the backward pass each store has the number of its line. */
static void comment_store(Emit *e, Text *out, const Program *p, const Store *s, int phase,
                          int level, int *line)
{
    const Node *n = s->node;
    bool full = level == 2, backward = full && (phase == 1 || n->derived), named;
    const char *text = store_text(e, p, s, &named);
    const char *shape = shape_suffix(e, n);

    const Step *made_by = step_of_store(e, p, s);
    const char *why = NULL;
    const char *step = full ? step_text(e, n, made_by, text, &why) : NULL;

    Loc loc = store_loc(e, p, s, step ? made_by : NULL);
    int key = full ? line_key(e, loc) : 0;
    bool new_line = key && key != *line;
    const char *source = NULL, *prefix = "";
    if (key) {
        source = source_words(e, loc);
        prefix = line_words(e, loc);
        *line = key;
    }

    /* The line of the model. If it says the same as the formula, it is shown only once. */
    bool same = source && !differ(source, step_formula(e, step, text));
    if (new_line && !(same && backward))
        comment_line(e, out, text_format(e->ngc, "%s%s%s", prefix, source, same ? shape : ""));
    if (!backward)
        prefix = "";

    /* What is stored. */
    bool shown = *shape ? !same || !new_line : named && !same;
    if (step)
        comment_step(e, out, text_format(e->ngc, "%s%s", prefix, step), why);
    else if (backward || shown)
        comment_line(e, out, text_format(e->ngc, "%s%s%s%s", prefix, text, from_text(e, n), shape));
    if (full)
        comment_why(e, out, n);
}

static void prepare_comments(Emit *e)
{
    if (e->step_of)
        return;
    find_steps(e);
    find_holders(e);
    find_losses(e);
    find_lines(e);
}

bool comment_is_helper(Emit *e, const Program *p, const Kernel *k)
{
    const Store *s = &k->store[0];
    const Node *n = s->node;
    bool one_number = k->kind == K_LOOP && k->stores == 1 && n->shape.rank == 0;
    if (!one_number || s->target || n->id >= e->graph->count)
        return false;

    const Place *place = program_place(p, n);
    if ((place->kind != P_LOCAL && place->kind != P_MEMBER) || place->label)
        return false;

    prepare_comments(e);
    return !kept_name(e, n) && !(n->step && op_rule(e->ngc, n->step->y, n->step->operand));
}

void comment_helper(Emit *e, Text *out, const Kernel *k, int level)
{
    if (level == 2)
        comment_why(e, out, k->store[0].node);
}

/* While a function is printed: a tensor without a name has the name of its member of work, and a
 * value that is not stored here has no name, unless the model delivers it. */
static void lend_name(Emit *e, Node *n, const Place *place)
{
    if (place->kind == P_MEMBER && n->shape.rank > 0 && !node_name(n)) {
        n->name = place->name;
        e->has_lent_name[n->id] = true;
    }
    if (place->kind == P_NONE && n->op != OP_var && n->name && !*root_of(e, n->name)) {
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
    if (!e->module->plain)
        return;
    if (!e->has_lent_name) {
        e->has_lent_name =
            arena_alloc(e->ngc, (size_t)(e->graph->count + 1) * sizeof *e->has_lent_name);
        e->hidden_name =
            arena_alloc(e->ngc, (size_t)(e->graph->count + 1) * sizeof *e->hidden_name);
        prepare_comments(e);
    }

    e->last_comment = NULL;
    for (int i = 0; i < p->nodes; i++) {
        Node *n = p->node[i];
        if (n->id >= e->graph->count)
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
    return node_name(n) ? node_name(n) : "it";
}

/* A line about a loop itself. In the backward pass it has the number of the line of the for. */
static void comment_loop_line(Emit *e, Text *out, const Kernel *k, const Loop *loop, int level,
                              const char *text)
{
    bool backward = level == 2 && k->phase == 1 && line_key(e, loop->loc);
    comment_line(e, out,
                 text_format(e->ngc, "%s%s", backward ? line_words(e, loop->loc) : "", text));
}

/* Above a for: what goes from pass to pass. */
static const char *words_of_for(Emit *e, const Node *loop)
{
    Text t = {.ngc = e->ngc};
    int named = 0;

    text_add(&t, loop->attr.loop->down ? "from the last pass to the first" : "in each pass");
    for (int i = 0; i < loop_variables(loop); i++)
        if (node_name(loop_leaf(loop, i)))
            text_add(&t, "%s%s",
                     named++ ? ", " : "; from pass to pass: ", node_name(loop_leaf(loop, i)));
    return t.at;
}

/* A variable of a loop: its value before the first pass, or for the next one. */
static const char *words_of_variable(Emit *e, const Program *p, const Kernel *k, const Node *leaf)
{
    const Node *loop = program_loop(p, leaf->attr.loop)->node;
    bool next = k->loop == leaf->attr.loop;
    int i = 0;

    while (loop_leaf(loop, i) != leaf)
        i++;
    const Node *value = next ? loop_next(loop, i) : loop_init(loop, i);
    return text_format(e->ngc, "%s = %s, %s", name_in_loop(p, leaf), node_words(e, value, DEPTH),
                       next ? "for the next pass" : "before the first pass");
}

/* What a pass adds to a sum, or keeps. The value itself is explained first, unless it was. */
static const char *words_of_part(Emit *e, Text *out, const Program *p, const Kernel *k, int level,
                                 int *line)
{
    const Node *n = k->store[0].node;
    Node *part = n->arg[0];

    while (part->op == OP_collect && program_own_place(p, part)->kind == P_FOLDED)
        part = part->arg[0];
    const char *words = node_words(e, part, DEPTH);
    if (!program_stored(p, part))
        comment_store(e, out, p, &(Store){.node = part}, k->phase, level, line);
    if (k->store[0].val && !k->store[0].add)
        return text_format(e->ngc, "%s of this pass is kept", words);
    return text_format(e->ngc, "%s += %s", name_in_loop(p, n), words);
}

/* Is it a kernel of a loop itself? Then this is its comment. */
static bool comment_of_loop(Emit *e, Text *out, const Program *p, const Kernel *k, int level,
                            int *line)
{
    const Node *n = k->stores ? k->store[0].node : NULL;
    const char *text = NULL;

    if (k->kind == K_TEST || k->kind == K_NEXT)
        return true;
    if (k->kind == K_FOR)
        text = words_of_for(e, k->product);
    else if (n && n->op == OP_carried)
        text = words_of_variable(e, p, k, n);
    else if (n && n->op == OP_collect && (k->loop == n->attr.loop || k->store[0].add || k->onto))
        text = words_of_part(e, out, p, k, level, line);
    else if (n && n->op == OP_collect)
        text = text_format(e->ngc, "%s = 0: each pass adds to it", name_in_loop(p, n));
    if (!text)
        return false;

    const Loop *loop = k->kind == K_FOR ? k->loop : n->attr.loop;
    comment_loop_line(e, out, k, loop, level, text);
    return true;
}

void comment_kernel(Emit *e, Text *out, const Program *p, const Kernel *k, int level, int *line)
{
    if (level == 0)
        return;
    prepare_comments(e);
    if (comment_of_loop(e, out, p, k, level, line))
        return;
    if (k->again)
        comment_line(e, out, "computed again:");
    for (int i = 0; i < k->stores; i++) {
        const Node *n = k->store[i].node;
        if (n->op != OP_concat || n != e->last_comment) /* its pieces come one after another */
            comment_store(e, out, p, &k->store[i], k->phase, level, line);
        e->last_comment = n;
    }
}
