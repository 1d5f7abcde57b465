/* emit_words.c - the words of comments: expressions and names, short enough to read. */
#include "emit/emit_comment.h"

#include <string.h>

enum { LONG = 30 }; /* characters in an expression that leaves something out */

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
    Text t = text_empty(ngc);

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
const char *node_words(Emit *e, const Node *n, int depth)
{
    Ngc *ngc = e->ngc;
    bool copies = n->op == OP_expand && !n->name && n->arg[0]->op != OP_const;
    const char *text = node_text(e->graph, n, depth);
    for (int less = depth - 1; less > 0 && strstr(text, "...") && strlen(text) > LONG; less--)
        text = node_text(e->graph, n, less);

    text = without(ngc, text, "..., ...", strlen("..., ")); /* one "..." is enough */
    text = without(ngc, text, "''", strlen("''"));          /* transposed twice */
    if (!copies)
        return text;
    return text_format(ngc, "copies of %s", text);
}

/* "h", "dJ/dh", or what it is computed from. */
const char *comment_label(Emit *e, const Node *n)
{
    if (node_name(n))
        return node_name(n);
    return node_text(e->graph, n, 2);
}

/* Tables by id are of the graph's nodes; a program may have added a copy of one. */
bool is_in_graph(const Emit *e, const Node *n)
{
    return n->id < e->graph->count;
}

/* The user's name of a value, or the name of an adjoint; not a name that comment_names lends. */
const char *kept_name(const Emit *e, const Node *n)
{
    bool lent = e->has_lent_name && is_in_graph(e, n) && e->has_lent_name[n->id];
    if (lent)
        return NULL;
    return node_name(n);
}

/* Does it have the name of an adjoint, dJ/dz? */
bool is_adjoint(const Node *n)
{
    return n->derived && n->name && *n->name == 'd' && strstr(n->name, "/d");
}

/* Do two texts differ in more than blanks? */
bool words_differ(const char *a, const char *b)
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

/* "  [10, 784]"; "": n is a number. */
const char *shape_words(Emit *e, const Node *n)
{
    if (n->shape.rank == 0)
        return "";
    return text_format(e->ngc, "  %s", shape_text(e->graph, n->shape));
}
