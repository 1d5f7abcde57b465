/* emit_comment.c - the comments of the emitted C: what a statement computes, the line of the model
 * it comes from, and for derivatives the rule of calculus it applies. */
#include "emit.h"

#include <ctype.h>
#include <string.h>

enum {
    DEPTH = 3,   /* of the expressions that comments show */
    WIDTH = 110, /* characters on a line of them */
    LONG = 30,   /* and in an expression that leaves something out */
};

/* No `*` before `/`, no `??`, no line end, no character that turns the direction of writing. */
const char *comment_text(Ngc *ngc, const char *text)
{
    Text t = {.ngc = ngc};
    text_put(&t, "", 0);
    for (const char *c = text; *c; c++) {
        unsigned char u = (unsigned char)*c;
        if (u == 0xE2 && ((unsigned char)c[1] == 0x80 || (unsigned char)c[1] == 0x81) &&
            c[2] != '\0') {
            text_put(&t, "?", 1);
            c += 2;
            continue;
        }
        text_put(&t, u < ' ' || u == 127 ? " " : c, 1);
        if ((*c == '*' && c[1] == '/') || (*c == '/' && c[1] == '*') ||
            (*c == '?' && c[1] == '?') || (*c == '\\' && c[1] == '\0'))
            text_put(&t, " ", 1);
    }
    return t.at;
}

static const char *own_name(const Node *n)
{
    return n->op == OP_var ? n->attr.var->name : n->name;
}

/* An expression in as many words as are read with pleasure; the copies of a smaller tensor are told
 * from it. */
static const char *node_words(Emit *e, const Node *n, int depth)
{
    bool copies = n->op == OP_expand && !n->name && n->arg[0]->op != OP_const;
    const char *text = node_text(e->graph, n, depth), *dots = "..., ...";
    for (int less = depth - 1; less > 0 && strstr(text, "...") && strlen(text) > LONG; less--)
        text = node_text(e->graph, n, less);
    for (const char *at; (at = strstr(text, dots)) != NULL;)
        text = text_format(e->ngc, "%.*s%s", (int)(at - text), text, at + strlen("..., "));
    for (const char *at; (at = strstr(text, "''")) != NULL;) /* turned twice */
        text = text_format(e->ngc, "%.*s%s", (int)(at - text), text, at + 2);
    return copies ? text_format(e->ngc, "copies of %s", text) : text;
}

const char *comment_label(Emit *e, const Node *n)
{
    return own_name(n) ? own_name(n) : node_text(e->graph, n, 2);
}

/* The user's name for it, or that of an adjoint. */
static const char *kept_name(const Emit *e, const Node *n)
{
    return e->lent && e->lent[n->id] ? NULL : own_name(n);
}

/* Is it called an adjoint, dJ/dz, and not only what it is computed from? */
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

/* The factor of n that varies least cut away: c*n, n/c, n spread over axes. */
static const Node *unscaled(const Node *n)
{
    for (;;) {
        const Node *left = NULL;
        if (n->op == OP_expand || n->op == OP_reshape)
            left = n->arg[0];
        for (int i = 0; i < 2 && (n->op == OP_mul || (n->op == OP_div && i == 1)); i++)
            if (untied(n->arg[i])->shape.rank == 0 && untied(n->arg[1 - i])->shape.rank > 0 &&
                !left)
                left = n->arg[1 - i];
            else if ((untied(n->arg[i])->op == OP_const || untied(n->arg[i])->op == OP_size) &&
                     !left)
                left = n->arg[1 - i];
        if (!left)
            return n;
        n = left;
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

static bool same_value(Emit *e, const Node *a, const Node *b)
{
    if (a == b || (own_name(a) && own_name(b) && strcmp(own_name(a), own_name(b)) == 0))
        return true;
    return strcmp(node_text(e->graph, a, DEPTH), node_text(e->graph, b, DEPTH)) == 0;
}

/* The z of which d is c*sigmoid(z) - y, or c*softmax(z) - y, or their negative; NULL: of none. */
static const Node *loss_input(const Node *d, const char **loss)
{
    const Node *z = NULL;
    for (int i = 0; i < 2 && d->op == OP_sub && !z; i++) {
        const Node *p = unscaled(d->arg[i]);
        *loss = "bce(sigmoid)";
        z = p->op == OP_sigmoid ? p->arg[0] : NULL;
        if (!z) {
            *loss = "cross_entropy(softmax)";
            z = softmax_of(p);
        }
    }
    return z;
}

/* d loss/dz = c*(sigmoid(z) - y) is the derivative of binary cross-entropy and of no other loss,
 * and c*(softmax(z) - y) that of cross-entropy: by this form they are known however they were
 * written. NULL: n, the derivative by x, is neither. */
static const char *loss_of(Emit *e, const Node *n, const Node *x)
{
    const char *loss;
    const Node *z = loss_input(unscaled(n), &loss);
    if (!z)
        return NULL;
    const Node *shifted = z->op == OP_sub && untied(z->arg[1])->op == OP_max ? z->arg[0] : z;
    return same_value(e, x, z) || same_value(e, x, shifted) ? loss : NULL;
}

/* Marks the differences in such derivatives. */
static void find_losses(Emit *e)
{
    e->from = arena_alloc(e->ngc, (size_t)(e->graph->count + 1) * sizeof *e->from);
    for (int i = 0; i < e->graph->count; i++) {
        const Node *n = e->graph->node[i];
        const char *loss = n->derived && n->step ? loss_of(e, n, n->step->x) : NULL;
        if (loss)
            e->from[n->id] = e->from[unscaled(n)->id] = loss;
    }
}

/* By the id of x: its last step and how many there are. By its name in C: the root that a gradient
 * is. */
static void find_steps(Emit *e)
{
    size_t room = (size_t)(e->graph->count + 1);
    e->step_of = arena_alloc(e->ngc, room * sizeof *e->step_of);
    for (const Step *s = e->graph->steps; s; s = s->prev)
        if (!e->step_of[s->x->id])
            e->step_of[s->x->id] = s; /* the latest of all, so the one of most uses in its sweep */
    for (int i = e->model->roots; i-- > 0;)
        if (e->model->root[i].kind == ROOT_GRAD)
            *table_at(e->ngc, &e->grad_of, e->model->root[i].cname) = i + 1;
}

/* ---- lines of the model ---- */

enum { NAMED_HERE = 1, NEEDED_HERE = 2 };

/* A number for a line of the user's files; 0: the place is in none. */
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

/* 1 + the root of that name, a gradient or an update aside; 0: there is none. */
static int *root_of(Emit *e, const char *name)
{
    return table_at(e->ngc, &e->root_of, intern_str(e->ngc, name));
}

/* What the losses are computed from, as the user wrote it and as forward does it, and which lines
 * name something of that; of derivatives what is computed from them. */
static void find_lines(Emit *e)
{
    const Model *m = e->model;
    Node **loss = arena_alloc(e->ngc, (size_t)(m->roots + 1) * sizeof *loss);
    int losses = 0;
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == ROOT_LOSS)
            loss[losses++] = m->root[i].written;
    int *used = graph_uses(e->graph, loss, losses);
    for (int f = 0; f < e->functions; f++) {
        const Program *p = e->function[f].program;
        for (int i = 0; i < p->nodes && e->function[f].fn == FN_FORWARD; i++)
            if (p->node[i]->id < e->graph->count && (p->phase[i] == 0 || p->node[i]->derived))
                used[p->node[i]->id]++;
    }

    e->user = arena_alloc(e->ngc, (size_t)(e->graph->count + 1) * sizeof *e->user);
    for (int i = e->graph->count; i-- > 0;)
        for (int k = 0; used[i] && k < e->graph->node[i]->nargs; k++)
            e->user[e->graph->node[i]->arg[k]->id] = e->graph->node[i];

    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        if (r->kind == ROOT_GRAD || r->kind == ROOT_UPDATE)
            continue;
        int *root = root_of(e, r->name);
        if (*root == 0 ||
            r->kind == ROOT_NAMED) /* where it is assigned, not where it is delivered */
            *root = i + 1;
        if (losses)
            *line_state(e, line_key(e, r->loc)) |= NAMED_HERE | (r->of_loss ? NEEDED_HERE : 0);
    }
}

/* The place in the model that n is computed for. What a loss shares with a line that it does not
 * need (softmax(z) of an output and of a cross-entropy) belongs to the line that uses it. */
static Loc told_loc(Emit *e, const Node *n)
{
    bool turned = false; /* from what a derivative is computed with to what it is of */
    for (const Node *at = n; at && at->id < e->graph->count; at = e->user[at->id]) {
        if (at->step && turned)
            break;
        if (at->step) {
            at = at->step->y;
            turned = true;
        }
        int key = line_key(e, at->loc);
        if (key && (*line_state(e, key) != NAMED_HERE ||
                    (kept_name(e, at) && *root_of(e, kept_name(e, at)))))
            return at->loc;
    }
    return n->loc;
}

/* How often the loss of s depends on x. */
static int uses_of(const Emit *e, const Step *s)
{
    const Step *last = e->step_of[s->x->id];
    return last && last->loss == s->loss && last->use >= s->use ? last->use + 1 : s->use + 1;
}

/* Does s hand its adjoint on to x unchanged, or only in another shape? */
static bool is_handed_on(const Step *s)
{
    const char *rule = op_info[s->y->op]->rule[s->operand < 3 ? s->operand : 2];
    if (s->use > 0 || s->y->op == OP_mod)
        return false;
    return (rule && strcmp(rule, "dy") == 0) || (s->y->op == OP_reshape && !node_is_turned(s->y));
}

/* A value without a name whose adjoint is handed on unchanged by one sum has the sum's: with z = x
 * @ W' + b, the product's adjoint is dz. So has one that is only put into another shape. By id:
 * that sum, or the value itself; as it comes later its own is known. */
static void find_holders(Emit *e)
{
    e->holder = arena_alloc(e->ngc, (size_t)(e->graph->count + 1) * sizeof *e->holder);
    for (int i = e->graph->count; i-- > 0;) {
        const Node *x = e->graph->node[i];
        const Step *s = e->step_of[i], *next;
        e->holder[i] = x;
        if (kept_name(e, x) || !s || s->loss == x || !is_handed_on(s))
            continue;
        next = e->step_of[s->y->id];
        e->holder[i] =
            next && next->loss == s->loss && s->y != s->loss ? e->holder[s->y->id] : s->y;
    }
}

static const Node *adjoint_holder(const Emit *e, const Node *loss, const Node *y)
{
    const Step *s = e->step_of[y->id];
    return s && s->loss == loss ? e->holder[y->id] : y;
}

static const char *adjoint_label(Emit *e, const Node *loss, const Node *x)
{
    const char *of = loss->name ? loss->name : "J", *name;
    x = adjoint_holder(e, loss, x);
    name = own_name(x);
    return name ? text_format(e->ngc, "d%s/d%s", of, name)
                : text_format(e->ngc, "d%s/d(%s)", of, node_words(e, x, 2));
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

static const char *operand_text(Emit *e, const Node *n, bool alone)
{
    const char *text = own_name(n) ? own_name(n) : node_words(e, n, 2);
    return !alone && (is_compound(text) || n->op == OP_size) ? text_format(e->ngc, "(%s)", text)
                                                             : text;
}

/* A rule with the names of what it is applied to: a, b, c the operands, y the result, dy its
 * adjoint. */
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
        bool words = c[n] == ' ' && isalpha((unsigned char)c[n + 1]) && c > rule && c[-1] == ' ' &&
                     isalpha((unsigned char)c[-2]);
        const Node *operand = n != 1 || words                       ? NULL
                              : *c >= 'a' && *c < 'a' + s->y->nargs ? s->y->arg[*c - 'a']
                              : *c == 'y'                           ? s->y
                                                                    : NULL;
        if (n == 2 && strncmp(c, "dy", 2) == 0)
            text_add(&t, "%s", s->y == s->loss ? "1" : adjoint_label(e, s->loss, s->y));
        else if (operand)
            text_add(&t, "%s", operand_text(e, operand, c == rule && c[n] == '\0'));
        else
            text_put(&t, c, n);
        c += n;
        if (*c == '\'' && t.at[t.size - 1] == '\'') { /* w'' is w */
            t.at[--t.size] = '\0';
            c++;
        }
    }
    return t.at;
}

/* "second use of v: added"; a contribution that is not added yet is the "second use of v". "":
 * there is one use. */
static const char *use_text(Emit *e, const Step *s, bool added)
{
    static const char *const nth[] = {"first", "second", "third", "fourth", "fifth"};
    const char *x = comment_label(e, s->x), *and = added && s->use > 0 ? ": added" : "";
    if (uses_of(e, s) == 1)
        return "";
    if (s->use < 5)
        return text_format(e->ngc, "; %s use of %s%s", nth[s->use], x, and);
    return text_format(e->ngc, "; use %d of %s%s", s->use + 1, x, and);
}

/* The step that made what is stored. One node may be several gradients: that of a root is told by
 * the root's own step. */
static const Step *step_of_store(Emit *e, const Program *p, const Store *s)
{
    const Place *place = store_place(p, s);
    int root = place->kind == P_GRAD ? *table_at(e->ngc, &e->grad_of, place->name) : 0;
    const Root *r = root ? &e->model->root[root - 1] : NULL;
    return r && e->step_of[r->x->id] && e->step_of[r->x->id]->loss == r->loss ? e->step_of[r->x->id]
                                                                              : s->node->step;
}

/* What y is computed from, in words that have the operands of `from` in them, which hands its
 * adjoint on to it. */
static const char *formula_text(Emit *e, const Node *y, Node *from)
{
    const char *name = from->name, *text;
    if (from != y)
        from->name = NULL;
    text = node_words(e, y, DEPTH);
    from->name = name;
    name = own_name(y);
    return name && strcmp(name, text) != 0 ? text_format(e->ngc, "%s = %s", name, text) : text;
}

/* "z = x @ W' + b  =>  dJ/dW = dJ/dz' @ x  [10, 784]", and why; of a sum of contributions what is
 * added. NULL: n is no step. */
static const char *step_text(Emit *e, const Node *n, const Step *s, const char *stored,
                             const char **why)
{
    const char *rule = s ? op_rule(e->ngc, s->y, s->operand) : NULL;
    if (!rule)
        return NULL;
    const OpInfo *info = op_info[s->y->op];
    const Node *y = adjoint_holder(e, s->loss, s->y);
    const char *does = rule_text(e, s, rule), *value = node_words(e, n, DEPTH),
               *use = use_text(e, s, is_adjoint(n));
    const char *shape =
        s->x->shape.rank > 0 ? text_format(e->ngc, "  %s", shape_text(e->graph, s->x->shape)) : "";
    bool whole = shape_equal(n->shape, s->x->shape);
    const char *from = loss_of(e, n, s->x);
    Text t = {.ngc = e->ngc};
    if (n->op == OP_add && is_adjoint(n) && *use) {
        *why = use + 2;
        return text_format(e->ngc, "%s%s", stored, shape);
    }
    *why = text_format(e->ngc, "%s%s", info->teach ? info->teach : info->name, use);
    text_add(&t, "%s  =>  %s %s %s", formula_text(e, y, s->y), adjoint_label(e, s->loss, s->x),
             *use ? "gets" : "=", does);
    const char *is = *use ? ", in all" : " ="; /* a sum of contributions */
    if (from)
        text_add(&t, "%s %s: from %s", is, value, from);
    else if (whole && differ(value, does) && (!*use || is_adjoint(n)))
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
    const char *name = e->ngc->file[loc.file]->name;
    int number = source_line(e->ngc, loc, NULL);
    if (loc.file == 1) /* the model itself comes after the library */
        return text_format(e->ngc, "line %d: ", number);
    return text_format(e->ngc, "%s, line %d: ", strrchr(name, '/') ? strrchr(name, '/') + 1 : name,
                       number);
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

/* "h = relu(z)": what store i of the kernel keeps. */
static const char *store_text(Emit *e, const Program *p, const Store *s, bool *named)
{
    const Node *n = s->node;
    const Place *place = s->target ? &s->target->place : program_place(p, n);
    const char *own = own_name(n), *name = place->label ? place->label : own,
               *text = node_words(e, n, DEPTH);
    Text t = {.ngc = e->ngc};
    if (!name && place->kind == P_MEMBER)
        name = place->name;
    *named = name != NULL;
    if (name && strcmp(name, text) != 0)
        text_add(&t, "%s = ", name);
    if (name && own && strcmp(name, own) != 0 && strcmp(own, text) != 0)
        text_add(&t, "%s = ", own);
    text_add(&t, "%s", text);
    return t.at;
}

static void comment_why(Emit *e, Text *out, const Node *n)
{
    if (n->why && !e->from[n->id])
        comment_line(e, out, text_format(e->ngc, "simplified: %s", n->why));
}

/* A derivative: the rule, and in parentheses why, on a line of its own where it would be long. */
static void comment_step(Emit *e, Text *out, const char *step, const char *why)
{
    bool apart = strlen(step) + strlen(why) > WIDTH;
    comment_line(e, out, apart ? step : text_format(e->ngc, "%s    (%s)", step, why));
    if (apart)
        comment_line(e, out, text_format(e->ngc, "    (%s)", why));
}

/* Where in the model a store comes from: a starting value from its declaration, a value with a name
 * from where it got that, though the same may be computed elsewhere, a derivative from what is
 * differentiated. */
static Loc store_loc(Emit *e, const Program *p, const Store *s, const Step *step)
{
    const Place *place = store_place(p, s);
    if (p->init && place->kind == P_VAR)
        return place->var->loc;
    if (!step && place->label && *root_of(e, place->label))
        return e->model->root[*root_of(e, place->label) - 1].loc;
    Loc loc = told_loc(e, step ? step->y : s->node);
    int root = place->kind == P_GRAD && !line_key(e, loc)
                   ? *table_at(e->ngc, &e->grad_of, place->name)
                   : 0;
    return root ? e->model->root[root - 1].loc : loc; /* of a derivative that is 0 */
}

/* One store: the user's line where it is another than the last, then what is stored, with the rule
 * if it is a derivative. On the way back each has the number of its line. */
static void comment_store(Emit *e, Text *out, const Program *p, const Store *s, int phase,
                          int level, int *line)
{
    const Node *n = s->node;
    bool named, back = level == 2 && (phase == 1 || n->derived);
    const char *text = store_text(e, p, s, &named), *why = NULL, *source = NULL, *prefix = "";
    const char *shape =
        n->shape.rank > 0 ? text_format(e->ngc, "  %s", shape_text(e->graph, n->shape)) : "";
    const Step *made_by = step_of_store(e, p, s);
    const char *step = level == 2 ? step_text(e, n, made_by, text, &why) : NULL;
    Loc loc = store_loc(e, p, s, step ? made_by : NULL);
    int key = level == 2 ? line_key(e, loc) : 0, last = *line;
    if (key) {
        source = source_words(e, loc);
        prefix = line_words(e, loc);
        *line = key;
    }

    const char *formula = text; /* of a rule what stands before the arrow */
    if (step && strstr(step, "  =>"))
        formula = text_format(e->ngc, "%.*s", (int)(strstr(step, "  =>") - step), step);
    bool same = source && !differ(source, formula);
    if (source && key != last && !(same && back))
        comment_line(e, out, text_format(e->ngc, "%s%s%s", prefix, source, same ? shape : ""));
    if (!back)
        prefix = "";

    if (step)
        comment_step(e, out, text_format(e->ngc, "%s%s", prefix, step), why);
    else if (back || (*shape ? !same || key == last : named && !same))
        comment_line(e, out,
                     text_format(e->ngc, "%s%s%s%s", prefix, text,
                                 e->from[n->id] ? text_format(e->ngc, ": from %s", e->from[n->id])
                                                : "",
                                 shape));
    if (level == 2)
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
    if (k->kind != K_LOOP || k->stores != 1 || s->target || n->shape.rank > 0 ||
        n->id >= e->graph->count)
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

/* At -O0 comments speak of what the function has: a value that has no name of its own is called by
 * the member of work that holds it, t4, and one that is not stored here is told by what it is,
 * whatever its name. Names are lent, and hidden, while a function is printed. */
void comment_names(Emit *e, Program *p, bool lend)
{
    if (!e->plain)
        return;
    if (!e->lent) {
        e->lent = arena_alloc(e->ngc, (size_t)(e->graph->count + 1) * sizeof *e->lent);
        e->hidden = arena_alloc(e->ngc, (size_t)(e->graph->count + 1) * sizeof *e->hidden);
        prepare_comments(e);
    }
    e->told = NULL;
    for (int i = 0; i < p->nodes; i++) {
        Node *n = p->node[i];
        if (n->id >= e->graph->count)
            continue;
        bool member = p->place[i].kind == P_MEMBER && n->shape.rank > 0;
        if (lend ? member && !own_name(n) : e->lent[n->id]) {
            n->name = lend ? p->place[i].name : NULL;
            e->lent[n->id] = lend;
        }
        if (lend && p->place[i].kind == P_NONE && n->op != OP_var && n->name &&
            !*root_of(e, n->name)) {
            e->hidden[n->id] = n->name;
            n->name = NULL;
        } else if (!lend && e->hidden[n->id]) {
            n->name = e->hidden[n->id];
            e->hidden[n->id] = NULL;
        }
    }
}

void comment_kernel(Emit *e, Text *out, const Program *p, const Kernel *k, int level, int *line)
{
    if (level == 0)
        return;
    prepare_comments(e);
    for (int i = 0; i < k->stores; i++) {
        const Node *n = k->store[i].node;
        if (n->op != OP_concat || n != e->told) /* its pieces come one after another */
            comment_store(e, out, p, &k->store[i], k->phase, level, line);
        e->told = n;
    }
}
