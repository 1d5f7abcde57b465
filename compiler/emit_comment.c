/* emit_comment.c - the comments of the emitted C: what a statement computes, the line of the model it comes from, and
 * for derivatives the rule of calculus it applies. */
#include "emit.h"

#include <ctype.h>
#include <string.h>

enum { DEPTH = 3 }; /* of the expressions that comments show */

/* No `*` before `/`, no `??`, no line end, no character that turns the direction of writing. */
const char *comment_text(Ngc *ngc, const char *text)
{
    Text t = {.ngc = ngc};
    text_put(&t, "", 0);
    for (const char *c = text; *c; c++) {
        unsigned char u = (unsigned char)*c;
        if (u == 0xE2 && ((unsigned char)c[1] == 0x80 || (unsigned char)c[1] == 0x81) && c[2] != '\0') {
            text_put(&t, "?", 1);
            c += 2;
            continue;
        }
        text_put(&t, u < ' ' || u == 127 ? " " : c, 1);
        if ((*c == '*' && c[1] == '/') || (*c == '/' && c[1] == '*') || (*c == '?' && c[1] == '?') ||
            (*c == '\\' && c[1] == '\0'))
            text_put(&t, " ", 1);
    }
    return t.at;
}

static const char *own_name(const Node *n)
{
    return n->op == OP_var ? n->attr.var->name : n->name;
}

const char *comment_label(Emit *e, const Node *n)
{
    return own_name(n) ? own_name(n) : node_text(e->graph, n, 2);
}

static const char *adjoint_label(Emit *e, const Node *loss, const Node *x)
{
    const char *of = loss->name ? loss->name : "J", *name = own_name(x);
    return name ? text_format(e->ngc, "d%s/d%s", of, name)
                : text_format(e->ngc, "d%s/d(%s)", of, node_text(e->graph, x, 2));
}

/* A rule with the names of what it is applied to: a, b, c the operands, y the result, dy its adjoint. */
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
        const Node *operand = n == 1 && *c >= 'a' && *c < 'a' + s->y->nargs ? s->y->arg[*c - 'a']
                              : n == 1 && *c == 'y'                         ? s->y
                                                                            : NULL;
        if (n == 2 && strncmp(c, "dy", 2) == 0)
            text_add(&t, "%s", s->y == s->loss ? "1" : adjoint_label(e, s->loss, s->y));
        else if (operand) {
            const char *text = own_name(operand) ? own_name(operand) : node_text(e->graph, operand, 2);
            text_add(&t, strchr(text, ' ') ? "(%s)" : "%s", text);
        } else
            text_put(&t, c, n);
        c += n;
    }
    return t.at;
}

/* The step of the chain rule that made n. */
static void comment_step(Emit *e, Text *out, const Node *n)
{
    static const char *const nth[] = {"first", "second", "third", "fourth", "fifth"};
    const Step *s = n->step;
    const OpInfo *info = op_info[s->y->op];
    const char *rule = info->rule[s->operand] ? info->rule[s->operand] : info->rule[0];
    if (rule == NULL)
        return;
    const char *dx = adjoint_label(e, s->loss, s->x);
    text_add(out, "    /* %s %s %s", comment_text(e->ngc, dx), s->use > 0 ? "gets" : "=",
             comment_text(e->ngc, rule_text(e, s, rule)));
    if (own_name(s->y) && !(op_info[s->y->op]->flags & F_LEAF))
        text_add(out, "     (%s = %s: d%c = %s)", comment_text(e->ngc, own_name(s->y)),
                 comment_text(e->ngc, node_text(e->graph, s->y, 2)), 'a' + s->operand % 3, comment_text(e->ngc, rule));
    else
        text_add(out, "     (%s)", comment_text(e->ngc, info->teach ? info->teach : info->name));
    if (s->use > 0 && s->use < 5)
        text_add(out, "; %s use of %s: added", nth[s->use], comment_text(e->ngc, comment_label(e, s->x)));
    else if (s->use > 0)
        text_add(out, "; use %d of %s: added", s->use + 1, comment_text(e->ngc, comment_label(e, s->x)));
    text_add(out, " */\n");
}

/* The user's line that n comes from, once. */
static void comment_source(Emit *e, Text *out, const Node *n, int *last)
{
    int column;
    if (n->loc.file < 0 || n->loc.file >= e->ngc->files || e->ngc->file[n->loc.file]->library)
        return;
    const Source *source = e->ngc->file[n->loc.file];
    int line = source_line(e->ngc, n->loc, &column), at = n->loc.at;
    if (line == *last)
        return;
    *last = line;
    while (at > 0 && source->text[at - 1] != '\n')
        at--;
    while (source->text[at] == ' ' || source->text[at] == '\t')
        at++;
    int end = at;
    while (end < source->size && source->text[end] != '\n' && source->text[end] != '\r' && end - at < 100)
        end++;
    text_add(out, "    /* line %d: %s */\n", line,
             comment_text(e->ngc, text_format(e->ngc, "%.*s", end - at, source->text + at)));
}

/* "h = relu(z)  [m, 128]" for each value that the kernel stores. */
static void comment_values(Emit *e, Text *out, const Program *p, const Kernel *k)
{
    for (int i = 0; i < k->stores; i++) {
        const Node *n = k->store[i].node;
        const Place *place = k->store[i].target ? &k->store[i].target->place : program_place(p, n);
        const char *own = own_name(n), *name = place->label ? place->label : own;
        const char *text = node_text(e->graph, n, DEPTH);
        if (n->shape.rank == 0 && !name)
            continue;
        text_add(out, "    /* ");
        if (name && strcmp(name, text) != 0)
            text_add(out, "%s = ", comment_text(e->ngc, name));
        if (name && own && strcmp(name, own) != 0 && strcmp(own, text) != 0)
            text_add(out, "%s = ", comment_text(e->ngc, own));
        text_add(out, "%s", comment_text(e->ngc, text));
        if (n->shape.rank > 0)
            text_add(out, "  %s", shape_text(e->graph, n->shape));
        text_add(out, " */\n");
    }
}

void comment_kernel(Emit *e, Text *out, const Program *p, const Kernel *k, int *line)
{
    int level = e->ngc->opt.comments;
    if (level == 0)
        return;
    if (level == 2)
        for (int i = 0; i < k->stores; i++)
            if (!k->store[i].node->step)
                comment_source(e, out, k->store[i].node, line);
    comment_values(e, out, p, k);
    for (int i = 0; i < k->stores && level == 2; i++) {
        const Node *n = k->store[i].node;
        if (n->step)
            comment_step(e, out, n);
        if (n->why)
            text_add(out, "    /* simplified: %s */\n", comment_text(e->ngc, n->why));
    }
}
