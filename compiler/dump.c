/* dump.c - a graph as text: one node a line for those who look at passes, one expression for those who read comments. */
#include "ngc.h"

#include <string.h>

/* ---- the graph, a node a line: "%7 = matmul [m, 10] %3 %5' ; z" ------------------------------------------ */

static void dump_attr(const Graph *g, const Node *n, Text *t)
{
    const struct Attr *a = &n->attr;
    switch (n->op) {
    case OP_const: text_add(t, " %.17g", a->value); break;
    case OP_size: text_add(t, " %s", size_text(g, a->size, "")); break;
    case OP_var: text_add(t, " %s", a->var->name); break;
    case OP_random: text_add(t, " kind %d (%g, %g) stream %d", a->kind, a->value, a->value2, a->axis); break;
    case OP_argmax: case OP_gather: case OP_scatter: case OP_concat: case OP_iota: text_add(t, " axis %d", a->axis); break;
    case OP_conv: case OP_convk:
        text_add(t, " groups %d step %lld,%lld dilation %lld,%lld", a->axis, (long long)a->step[0], (long long)a->step[1],
                 (long long)a->lo[0], (long long)a->lo[1]);
        break;
    default: break;
    }
    if (a->axes)
        text_add(t, " axes %x", a->axes);
    for (int i = 0; n->op == OP_permute && i < n->shape.rank; i++)
        text_add(t, "%s%d", i ? "," : " order ", a->perm[i]);
    for (int i = 0; (n->op == OP_slice || n->op == OP_pad) && i < n->shape.rank; i++)
        text_add(t, "%s%s:%lld", i ? "," : " from:step ", size_text(g, a->lo[i], ""), (long long)a->step[i]);
}

void graph_dump(const Graph *g, Node *const *root, int roots, FILE *out)
{
    int *uses = graph_uses((Graph *)g, root, roots);
    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];
        Text t = {.ngc = g->ngc};
        if (!uses[i])
            continue;
        text_add(&t, "%%%d = %s%s %s", i, op_info[n->op]->name, n->type == T_INT ? ":int" : "", shape_text(g, n->shape));
        dump_attr(g, n, &t);
        for (int k = 0; k < n->nargs; k++)
            text_add(&t, " %%%d%s", n->arg[k]->id, (k == 0 && n->attr.ta) || (k == 1 && n->attr.tb) ? "'" : "");
        if (n->name)
            text_add(&t, " ; %s", n->name);
        if (n->why)
            text_add(&t, " ; %s", n->why);
        fprintf(out, "%s\n", t.at);
    }
}

/* The roots by name, then what they need. */
void model_dump(const Model *m, FILE *out)
{
    Node **root = arena_alloc(m->graph->ngc, (size_t)(m->roots + 1) * sizeof *root);
    for (int i = 0; i < m->roots; i++) {
        root[i] = m->root[i].node;
        fprintf(out, "# %s = %%%d\n", m->root[i].name, root[i]->id);
    }
    graph_dump(m->graph, root, m->roots, out);
}

/* ---- a node as an expression of the language ---------------------------------------------------------------- */

typedef struct Piece { /* text and how tightly it binds, as OpInfo.prec */
    const char *text;
    int prec;
} Piece;

static Piece piece(const Graph *g, const Node *n, int depth, bool top);

/* The operand, in parentheses where it binds less tightly than its place wants. */
static const char *operand(const Graph *g, const Node *n, int depth, int prec)
{
    Piece p = piece(g, n, depth, false);
    return p.prec >= prec ? p.text : text_format(g->ngc, "(%s)", p.text);
}

/* An elementwise op: its C text, less what belongs to C alone. */
static Piece piece_elementwise(const Graph *g, const Node *n, int depth)
{
    const OpInfo *info = op_info[n->op];
    Text t = {.ngc = g->ngc};
    const char *c = info->c;
    if (n->op == OP_where || (info->flags & F_FLAT && info->arity == 2)) {
        const char *sign = n->op == OP_lt ? "<" : n->op == OP_le ? "<=" : n->op == OP_eq ? "==" : "!=";
        if (n->op == OP_where)
            text_add(&t, "where(%s, %s, %s)", operand(g, n->arg[0], depth, 0), operand(g, n->arg[1], depth, 0),
                     operand(g, n->arg[2], depth, 0));
        else
            text_add(&t, "%s %s %s", operand(g, n->arg[0], depth, 11), sign, operand(g, n->arg[1], depth, 11));
        return (Piece){t.at, n->op == OP_where ? 16 : 10};
    }
    if (n->op == OP_cast || n->op == OP_copy || n->op == OP_stop || n->op == OP_checked)
        return piece(g, n->arg[0], depth, false);
    if (n->op == OP_pow) {
        text_add(&t, "%s^%s", operand(g, n->arg[0], depth, 16), operand(g, n->arg[1], depth, 16));
        return (Piece){t.at, 15};
    }
    if (strncmp(c, "ngrt_", 5) == 0)
        c += 5;
    for (; *c; c++)
        if (*c == '$') {
            int k = *++c - 'a', tight = info->prec == 16 ? 0 : info->prec + (k == 1 && !(info->flags & F_COMMUTATIVE));
            text_add(&t, "%s", operand(g, n->arg[k], depth, tight));
        } else if (*c != '@') {
            text_put(&t, c, 1);
        }
    return (Piece){t.at, info->prec};
}

/* The transpose of a row or column moves nothing: it is a reshape. */
bool node_is_turned(const Node *n)
{
    if (n->op != OP_reshape || n->shape.rank != 2 || n->arg[0]->shape.rank != 2)
        return false;
    const Size *a = n->arg[0]->shape.dim;
    return a[0] != a[1] && n->shape.dim[0] == a[1] && n->shape.dim[1] == a[0];
}

static Piece piece(const Graph *g, const Node *n, int depth, bool top)
{
    const char *name = n->op == OP_var ? n->attr.var->name : n->name;
    const char *op = op_info[n->op]->name;
    if (n->op == OP_const)
        return (Piece){text_format(g->ngc, "%.6g", n->attr.value), n->attr.value < 0 ? 14 : 16};
    if (n->op == OP_size)
        return (Piece){size_text(g, n->attr.size, ""), strpbrk(size_text(g, n->attr.size, ""), " *") ? 12 : 16};
    if (name && !top)
        return (Piece){name, 16};
    if (name && n->op == OP_var)
        return (Piece){name, 16};
    if (op_info[n->op]->flags & F_LEAF)
        return (Piece){op, 16};
    if (depth == 0)
        return (Piece){"...", 16};
    if (op_info[n->op]->flags & F_ELEMENTWISE)
        return piece_elementwise(g, n, depth - 1);
    if (node_is_turned(n))
        return (Piece){text_format(g->ngc, "%s'", operand(g, n->arg[0], depth - 1, 16)), 15};
    if (n->op == OP_expand || n->op == OP_reshape)
        return piece(g, n->arg[0], depth, false);
    if (n->op == OP_matmul)
        return (Piece){text_format(g->ngc, "%s%s @ %s%s", operand(g, n->arg[0], depth - 1, 13 + n->attr.ta), n->attr.ta ? "'" : "",
                                   operand(g, n->arg[1], depth - 1, 14), n->attr.tb ? "'" : ""), 13};
    if (n->op == OP_permute)
        return (Piece){text_format(g->ngc, "%s'", operand(g, n->arg[0], depth - 1, 16)), 15};
    return (Piece){text_format(g->ngc, "%s(%s)", op, operand(g, n->arg[0], depth - 1, 0)), 16};
}

const char *node_text(const Graph *g, const Node *n, int depth)
{
    return piece(g, n, depth, true).text;
}
