/* dump.c - a graph as text: one node a line for those who look at passes, one expression for those
 * who read comments. */
#include "graph/graph.h"

#include <stdlib.h>
#include <string.h>

/* ---- loops in texts ---- */

typedef struct IndexNames { /* that sizes have for the index of a loop, by level */
    const char *at[MAX_LEVELS];
} IndexNames;

static void use_names(Graph *g, IndexNames names)
{
    for (int l = 0; l < MAX_LEVELS; l++)
        g->dim[MAX_DIMS + l].name = names.at[l];
}

/* Gives the indices of the loops around n their names; returns those that were. */
static IndexNames name_indices(Graph *g, const Node *n)
{
    IndexNames before;

    for (int l = 0; l < MAX_LEVELS; l++) {
        before.at[l] = g->dim[MAX_DIMS + l].name;
        if (n->in[l])
            g->dim[MAX_DIMS + l].name = n->in[l]->name;
    }
    if (n->op == OP_collect)
        g->dim[MAX_DIMS + n->attr.loop->level].name = n->attr.loop->name;
    return before;
}

/* A size that depends on the number of a pass, in terms of the index as it is in the user's text.
 */
static Size by_index(Graph *g, Size s, const Loop *loop)
{
    int dim = MAX_DIMS + loop->level;
    return size_replace(g, s, dim, size_sub(g, size_dim(g, dim), loop->from));
}

/* The places of a slice, pad or collect as in the user's text. */
static struct Attr user_places(Graph *g, const Node *n)
{
    struct Attr attr = n->attr;
    Size *lo = arena_array(g->ngc, MAX_RANK, sizeof *lo);

    for (int i = 0; i < n->shape.rank; i++) {
        lo[i] = n->attr.lo[i];
        for (int l = 0; l < MAX_LEVELS; l++)
            if (n->in[l])
                lo[i] = by_index(g, lo[i], n->in[l]);
        if (n->op == OP_collect)
            lo[i] = by_index(g, lo[i], n->attr.loop);
    }
    attr.lo = lo;
    return attr;
}

/* "t in 2..T" */
static const char *range_of_loop(const Graph *graph, const Loop *l)
{
    Graph *g = (Graph *)graph;
    const char *to = size_text(g, size_add(g, l->passes, l->from), "");
    return text_format(g->ngc, "%s in %lld..%s", l->name, (long long)l->from, to);
}

/* What an op has to do with its loop. */
static const char *loop_attr(const Graph *g, const Node *n)
{
    const Loop *l = n->attr.loop;
    if (n->op != OP_loop)
        return text_format(g->ngc, "of %s", l->name);

    const char *back = l->down ? ", backward" : "";
    const char *test = n->attr.kind & LOOP_WHILE ? ", while the test is not 0" : "";
    const char *count = n->attr.kind & LOOP_COUNT ? ", as many as are counted" : "";
    return text_format(g->ngc, "for %s%s%s%s", range_of_loop(g, l), back, test, count);
}

/* ---- the graph, a node a line: "%7 = matmul [m, 10] %3 %5' ; z" ---- */

/* One number of an attribute. */
static const char *attr_text(const Graph *g, AttrName a, Size number)
{
    if (attr_members[a].kind == ATTR_AXES)
        return text_format(g->ngc, "%x", (unsigned)number);
    if (a == A_STEP) /* may be negative, and is never a polynomial */
        return text_format(g->ngc, "%lld", (long long)number);
    return size_text(g, number, "");
}

/* The attributes, except flags: the transposes of a product are written at its operands. */
static void dump_attr(const Graph *g, const Node *n, Text *t)
{
    for (int a = 0; a < A_COUNT; a++) {
        const AttrMember *m = &attr_members[a];
        if (!attr_used(n, a) || m->kind == ATTR_BOOL ||
            (n->op == OP_loop && (a == A_KIND || a == A_AXIS)))
            continue;

        if (m->name)
            text_add(t, " %s", m->name);
        if (a == A_VAR)
            text_add(t, " %s", n->attr.var->name);
        if (a == A_GIVEN)
            text_add(t, " %s", n->attr.given->name);
        if (a == A_LOOP)
            text_add(t, " %s", loop_attr(g, n));
        if (m->kind == ATTR_REAL)
            text_add(t, " %.17g", a == A_VALUE ? n->attr.value : n->attr.value2);

        Size size[MAX_RANK];
        int count = attr_sizes(n, a, size);
        for (int i = 0; i < count; i++)
            text_add(t, "%s%s", i ? "," : " ", attr_text(g, a, size[i]));
    }
}

/* The bodies of loops are indented. */
void graph_dump(const Graph *g, Node *const *root, int roots, FILE *out)
{
    int *uses = graph_uses((Graph *)g, root, roots);
    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];
        const Loop *loop = node_loop(n);
        if (!uses[i])
            continue;

        Text t = {.ngc = g->ngc};
        IndexNames before = name_indices((Graph *)g, n);
        text_add(&t, "%*s%%%d = %s%s %s", loop ? 2 * loop->level + 2 : 0, "", i,
                 op_info[n->op]->name, n->type == T_INT ? ":int" : "", shape_text(g, n->shape));
        dump_attr(g, n, &t);
        use_names((Graph *)g, before);
        for (int k = 0; k < n->nargs; k++) {
            bool transposed = (k == 0 && n->attr.ta) || (k == 1 && n->attr.tb);
            text_add(&t, " %%%d%s", n->arg[k]->id, transposed ? "'" : "");
        }

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
    Node **root = arena_array(m->graph->ngc, m->roots + 1, sizeof *root);
    for (int i = 0; i < m->roots; i++) {
        root[i] = m->root[i].node;
        fprintf(out, "# %s = %%%d\n", m->root[i].name, root[i]->id);
    }
    graph_dump(m->graph, root, m->roots, out);
}

/* ---- a node as an expression of the language ---- */

/* How tightly a text binds, as OpInfo.prec. */
enum {
    PROSE = 0,
    COMPARES = 10,
    ABOVE_COMPARES = 11,
    ADDS = 12,
    MULTIPLIES = 13,
    NEGATES = 14,
    FOLLOWS = 15, /* x', x[i] after an operand, x^2 */
    IS_WHOLE = 16,
};

typedef struct Piece {
    const char *text;
    int prec;
} Piece;

static Piece piece(const Graph *g, const Node *n, int depth, bool top);

/* The operand, in parentheses if it binds less tightly than its place requires. */
static const char *operand(const Graph *g, const Node *n, int depth, int prec)
{
    Piece p = piece(g, n, depth, false);
    return p.prec >= prec ? p.text : text_format(g->ngc, "(%s)", p.text);
}

/* The part of an axis from lo in steps, as it is written in brackets after a tensor: "1:3", ":",
 * "::2"; for a dropped axis "1". */
static const char *range_text(Graph *g, Size lo, int64_t step, Size count, Size size, bool dropped)
{
    const char *from = size_text(g, lo, ""), *to = "";
    if (dropped)
        return from;

    /* from lo down to the last; the end is not included */
    if (step < 0) {
        Size last = size_sub(g, lo, size_mul(g, size_sub(g, count, 1), -step));
        if (lo == size_sub(g, size, 1))
            from = "";
        if (last != 0)
            to = size_text(g, size_sub(g, last, 1), "");
        return text_format(g->ngc, "%s:%s:%lld", from, to, (long long)step);
    }

    Size end = size_add(g, lo, size_add(g, size_mul(g, size_sub(g, count, 1), step), 1));
    bool to_the_end = end == size || (end >= 0 && size >= 0 && end + step > size);
    bool one = count == 1 && size != 1;
    if (lo == 0 && !one)
        from = "";
    if (!to_the_end || one)
        to = size_text(g, end, "");
    if (step == 1)
        return text_format(g->ngc, "%s:%s", from, to);
    return text_format(g->ngc, "%s:%s:%lld", from, to, (long long)step);
}

/* "1:3, 0": the part of the shape `whole` that n, a slice, pad or collect, takes or gives; whole
 * axes at the end are left out. dropped: bits of axes. */
static const char *place_text(const Graph *graph, const Node *n, Shape part, Shape whole,
                              unsigned dropped)
{
    Graph *g = (Graph *)graph;
    struct Attr attr = user_places(g, n);
    IndexNames before = name_indices(g, n);
    Text t = {.ngc = g->ngc};
    size_t end = 0;

    for (int i = 0; i < part.rank; i++) {
        const char *range =
            range_text(g, attr.lo[i], attr.step[i], part.dim[i], whole.dim[i], dropped >> i & 1);
        text_add(&t, "%s%s", i ? ", " : "", range);
        if (strcmp(range, ":") != 0)
            end = t.size;
    }
    use_names(g, before);
    return end ? text_format(g->ngc, "%.*s", (int)end, t.at) : ":";
}

/* x[i]: the axes of one element out of several in a slice, if the reshape removes exactly these;
 * else 0. */
static unsigned dropped_axes(const Node *reshape, const Node *slice)
{
    unsigned dropped = 0;
    int k = 0;
    for (int i = 0; i < slice->shape.rank; i++) {
        if (slice->shape.dim[i] == 1 && slice->arg[0]->shape.dim[i] != 1)
            dropped |= 1u << i;
        else if (k == reshape->shape.rank || reshape->shape.dim[k++] != slice->shape.dim[i])
            return 0;
    }
    return k == reshape->shape.rank ? dropped : 0;
}

static Piece piece_slice(const Graph *g, const Node *n, int depth, unsigned dropped)
{
    const char *place = place_text(g, n, n->shape, n->arg[0]->shape, dropped);
    return (Piece){text_format(g->ngc, "%s[%s]", operand(g, n->arg[0], depth, FOLLOWS), place),
                   IS_WHOLE};
}

/* The slice that n is, or is a reshape of that only drops axes; NULL: n is not a slice. */
static const Node *as_slice(const Node *n, unsigned *dropped)
{
    *dropped = 0;
    if (n->op == OP_slice)
        return n;
    if (n->op != OP_reshape || n->arg[0]->name || n->arg[0]->op != OP_slice)
        return NULL;

    *dropped = dropped_axes(n, n->arg[0]);
    return *dropped ? n->arg[0] : NULL;
}

/* Zeros around x, written as `pad`; the adjoint of a slice is "x at [1:3], 0 elsewhere". */
static Piece piece_pad(const Graph *g, const Node *n, int depth)
{
    Text before = {.ngc = g->ngc}, after = {.ngc = g->ngc};
    struct Attr attr = user_places((Graph *)g, n);
    IndexNames names = name_indices((Graph *)g, n);
    bool apart = n->derived;
    for (int i = 0; i < n->shape.rank; i++) {
        Size end = size_sub((Graph *)g, size_sub((Graph *)g, n->shape.dim[i], attr.lo[i]),
                            n->arg[0]->shape.dim[i]);
        text_add(&before, "%s%s", i ? ", " : "", size_text(g, attr.lo[i], ""));
        text_add(&after, "%s%s", i ? ", " : "", size_text(g, end, ""));
        apart |= n->attr.step[i] != 1;
    }
    use_names((Graph *)g, names);

    const char *x = operand(g, n->arg[0], depth, apart ? ABOVE_COMPARES : PROSE);
    if (apart) {
        const char *place = place_text(g, n, n->arg[0]->shape, n->shape, 0);
        return (Piece){text_format(g->ngc, "%s at [%s], 0 elsewhere", x, place), PROSE};
    }

    if (strcmp(before.at, after.at) == 0)
        return (Piece){text_format(g->ngc, "pad(%s, [%s])", x, before.at), IS_WHOLE};
    return (Piece){text_format(g->ngc, "pad(%s, [%s], [%s])", x, before.at, after.at), IS_WHOLE};
}

/* "concat([a, b], 1)"; of many pieces the first two and the last. */
static Piece piece_concat(const Graph *g, const Node *n, int depth)
{
    enum { SHOWN = 4 };
    Text t = {.ngc = g->ngc};
    text_add(&t, "concat([");
    for (int i = 0; i < n->nargs; i++) {
        bool hidden = n->nargs > SHOWN && i >= 2 && i < n->nargs - 1;
        if (hidden && i > 2)
            continue;
        text_add(&t, "%s%s", i ? ", " : "", hidden ? "..." : operand(g, n->arg[i], depth, PROSE));
    }

    text_add(&t, n->attr.axis ? "], %d)" : "])", n->attr.axis);
    return (Piece){t.at, IS_WHOLE};
}

/* x[:, i] with an int tensor i: one ":" for each axis before the gathered one. */
static Piece piece_gather(const Graph *g, const Node *n, int depth)
{
    Text t = {.ngc = g->ngc};
    text_add(&t, "%s[", operand(g, n->arg[0], depth, FOLLOWS));
    for (int i = 0; i < n->attr.axis; i++)
        text_add(&t, ":, ");
    for (int i = 1; i < n->nargs; i++)
        text_add(&t, "%s%s", i > 1 ? ", " : "", operand(g, n->arg[i], depth, PROSE));
    text_add(&t, "]");
    return (Piece){t.at, IS_WHOLE};
}

/* The last two axes exchanged are x', any others permute(x, ...). */
static Piece piece_permute(const Graph *g, const Node *n, int depth)
{
    Text t = {.ngc = g->ngc};
    int r = n->shape.rank;
    bool last = r >= 2 && n->attr.perm[r - 1] == r - 2 && n->attr.perm[r - 2] == r - 1;

    for (int i = 0; i < r; i++) {
        last &= i >= r - 2 || n->attr.perm[i] == i;
        text_add(&t, "%s%d", i ? ", " : "", n->attr.perm[i]);
    }

    if (last)
        return (Piece){text_format(g->ngc, "%s'", operand(g, n->arg[0], depth, IS_WHOLE)), FOLLOWS};
    return (
        Piece){text_format(g->ngc, "permute(%s, [%s])", operand(g, n->arg[0], depth, PROSE), t.at),
               IS_WHOLE};
}

/* a @ b, with ' after an operand that is stored transposed */
static Piece piece_matmul(const Graph *g, const Node *n, int depth)
{
    const char *a = operand(g, n->arg[0], depth, n->attr.ta ? NEGATES : MULTIPLIES);
    const char *b = operand(g, n->arg[1], depth, NEGATES);
    const char *ta = n->attr.ta ? "'" : "";
    const char *tb = n->attr.tb ? "'" : "";
    return (Piece){text_format(g->ngc, "%s%s @ %s%s", a, ta, b, tb), MULTIPLIES};
}

/* The index of a loop; a pass of one that does not begin at 0 has another number. */
static Piece piece_index(const Graph *g, const Node *n)
{
    const Loop *l = n->attr.loop;
    if (l->from == 0)
        return (Piece){l->name, IS_WHOLE};
    const char *sign = l->from < 0 ? "+" : "-";
    return (Piece){text_format(g->ngc, "%s %s %lld", l->name, sign, llabs(l->from)), ADDS};
}

/* Is a collected value put into its place whole, the same in each pass? */
static bool is_summed(const Node *collect)
{
    for (int i = 0; i < collect->shape.rank; i++)
        if (collect->attr.lo[i] != 0)
            return false;
    return shape_equal(collect->shape, collect->arg[0]->shape);
}

/* Is it one row for each pass? */
static bool is_stacked(Graph *g, const Node *collect)
{
    const struct Attr *a = &collect->attr;
    if (collect->shape.rank == 0 || a->lo[0] != size_dim(g, MAX_DIMS + a->loop->level))
        return false;
    for (int i = 1; i < collect->shape.rank; i++)
        if (a->lo[i] != 0 || collect->shape.dim[i] != collect->arg[0]->shape.dim[i])
            return false;
    return a->step[0] == 1 && collect->arg[0]->shape.dim[0] == 1;
}

/* What leaves a loop: "h.t of the last pass", "the sum of v over t", "h.t for each t". */
static Piece piece_leaving(const Graph *g, const Node *n, int depth)
{
    const Loop *l = n->attr.loop;
    const Node *value = n->arg[0];
    Ngc *ngc = g->ngc;

    if (n->op == OP_loop)
        return (Piece){text_format(ngc, "for %s", range_of_loop(g, l)), PROSE};
    if (n->op == OP_passes)
        return (Piece){text_format(ngc, "the number of passes of %s", l->name), PROSE};

    for (int i = 0; n->op == OP_last && i < loop_variables(n->arg[1]); i++)
        if (loop_leaf(n->arg[1], i) == n->arg[0] && node_name(loop_next(n->arg[1], i)))
            value = loop_next(n->arg[1], i);
    const char *text = operand(g, value, depth, ABOVE_COMPARES);
    if (n->op == OP_last)
        return (Piece){text_format(ngc, "%s of the %s pass", text, l->down ? "first" : "last"),
                       PROSE};
    if (is_summed(n))
        return (Piece){text_format(ngc, "the sum of %s over %s", text, l->name), PROSE};
    if (is_stacked((Graph *)g, n))
        return (Piece){text_format(ngc, "%s for each %s", text, l->name), PROSE};

    const char *place = place_text(g, n, n->arg[0]->shape, n->shape, 0);
    return (Piece){text_format(ngc, "%s at [%s] for each %s", text, place, l->name), PROSE};
}

/* A leaf that has no name, in the words of the language. */
static const char *leaf_text(const Graph *g, const Node *n)
{
    static const char *const kinds[] = {[RANDOM_UNIFORM] = "uniform",
                                        [RANDOM_NORMAL] = "normal",
                                        [RANDOM_TRUNCATED] = "truncated_normal",
                                        [RANDOM_ORTHOGONAL] = "orthogonal"};
    if (n->op == OP_iota) {
        Text t = {.ngc = g->ngc};
        int later = n->shape.rank - 1 - n->attr.axis;
        text_add(&t, "arange(%s)%s", size_text(g, n->shape.dim[n->attr.axis], ""),
                 later ? "[:" : "");
        for (int i = 0; i < later; i++)
            text_add(&t, ", new%s", i + 1 == later ? "]" : "");
        return t.at;
    }

    if (n->op == OP_random && n->attr.kind == RANDOM_ORTHOGONAL)
        return "orthogonal()";
    if (n->op == OP_random)
        return text_format(g->ngc, "%s(%.6g, %.6g)", kinds[n->attr.kind], n->attr.value,
                           n->attr.value2);
    if (n->op == OP_data)
        return n->shape.rank > 1 ? "[[...]]" : "[...]";
    return op_info[n->op]->name;
}

/* The operands that the user gave: factors of a matrix are the compiler's. */
static Piece piece_call(const Graph *g, const Node *n, int depth)
{
    Text t = {.ngc = g->ngc};
    bool factored = op_info[n->op]->flags & F_FACTORED;

    const char *name = op_info[n->op]->name;
    if (n->op == OP_scatter)
        name = "scatter_add";
    if (n->op == OP_lu)
        name = "LU_factors";

    text_add(&t, "%s(", name);
    for (int i = 0; i < n->nargs; i++)
        if (i != 1 || !factored)
            text_add(&t, "%s%s", i ? ", " : "", operand(g, n->arg[i], depth, PROSE));
    text_add(&t, ")");
    return (Piece){t.at, IS_WHOLE};
}

/* The call of the def, with its tensors: what it is computed as is said elsewhere. */
static Piece piece_given(const Graph *g, const Node *n, int depth)
{
    Text t = {.ngc = g->ngc};
    text_add(&t, "%s(", n->attr.given->name);
    for (int i = 1; i <= n->attr.given->count; i++)
        text_add(&t, "%s%s", i > 1 ? ", " : "", operand(g, n->arg[i], depth, PROSE));
    text_add(&t, ")");
    return (Piece){t.at, IS_WHOLE};
}

/* An elementwise op: a call of the language's function, or its operator. */
static Piece piece_elementwise(const Graph *g, const Node *n, int depth)
{
    const OpInfo *info = op_info[n->op];
    Text t = {.ngc = g->ngc};

    if (n->op == OP_cast || info->flags & F_SAME)
        return piece(g, n->arg[0], depth, false);
    if (info->params || (!info->sign && n->op != OP_neg))
        return piece_call(g, n, depth);

    if (n->op == OP_neg) {
        text_add(&t, "-%s", operand(g, n->arg[0], depth, info->prec));
        return (Piece){t.at, info->prec};
    }

    if (n->op == OP_pow) {
        text_add(&t, "%s^%s", operand(g, n->arg[0], depth, IS_WHOLE),
                 operand(g, n->arg[1], depth, IS_WHOLE));
        return (Piece){t.at, FOLLOWS};
    }

    if (info->test) {
        text_add(&t, "%s %s %s", operand(g, n->arg[0], depth, ABOVE_COMPARES), info->sign,
                 operand(g, n->arg[1], depth, ABOVE_COMPARES));
        return (Piece){t.at, COMPARES};
    }

    int right = info->flags & F_COMMUTATIVE ? info->prec : info->prec + 1;
    text_add(&t, "%s %s %s", operand(g, n->arg[0], depth, info->prec), info->sign,
             operand(g, n->arg[1], depth, right));
    return (Piece){t.at, info->prec};
}

/* Is it written as a name? */
static bool is_short(const Node *n)
{
    return node_name(n) != NULL;
}

/* What is written without its operands: numbers, names, leaves. false: n is not such a node. */
static bool piece_alone(const Graph *g, const Node *n, bool top, Piece *out)
{
    const char *name = node_name(n);
    const Loop *counted = node_counts(n);
    *out = (Piece){name, IS_WHOLE};

    if (n->op == OP_const) {
        int prec = n->attr.value < 0 ? NEGATES : IS_WHOLE;
        *out = (Piece){text_format(g->ngc, "%.6g", n->attr.value), prec};
        return true;
    }
    if (n->op == OP_size) {
        const char *size = size_text(g, n->attr.size, "");
        *out = (Piece){size, strpbrk(size, " *") ? ADDS : IS_WHOLE};
        return true;
    }

    if (counted) {
        out->text = counted->name;
        return true;
    }
    if (n->op == OP_index) {
        *out = piece_index(g, n);
        return true;
    }

    if (name && (!top || n->op == OP_var))
        return true;
    if (!(op_info[n->op]->flags & F_LEAF))
        return false;
    out->text = leaf_text(g, n);
    return true;
}

/* An op that is not elementwise, by its operands. */
static Piece piece_op(const Graph *g, const Node *n, int depth)
{
    switch (n->op) {
    case OP_matmul: return piece_matmul(g, n, depth);
    case OP_permute: return piece_permute(g, n, depth);
    case OP_pad: return piece_pad(g, n, depth);
    case OP_concat: return piece_concat(g, n, depth);
    case OP_gather: return piece_gather(g, n, depth);
    case OP_given: return piece_given(g, n, depth);
    case OP_loop:
    case OP_last:
    case OP_passes:
    case OP_collect: return piece_leaving(g, n, depth);
    case OP_convk: /* what the kernel of a convolution gets */
        return (Piece){text_format(g->ngc, "%s against %s",
                                   operand(g, n->arg[0], depth, ABOVE_COMPARES),
                                   operand(g, n->arg[1], depth, ABOVE_COMPARES)),
                       COMPARES};
    default: return piece_call(g, n, depth);
    }
}

static Piece piece(const Graph *g, const Node *n, int depth, bool top)
{
    Piece alone;
    unsigned dropped;
    if (piece_alone(g, n, top, &alone))
        return alone;

    /* a slice of a name is as short as a name */
    const Node *slice = as_slice(n, &dropped);
    if (slice && (depth > 0 || is_short(slice->arg[0])))
        return piece_slice(g, slice, depth > 0 ? depth - 1 : 0, dropped);
    if (depth == 0)
        return (Piece){"...", IS_WHOLE};

    if (op_info[n->op]->flags & F_ELEMENTWISE)
        return piece_elementwise(g, n, depth - 1);
    if (node_is_turned(n))
        return (Piece){text_format(g->ngc, "%s'", operand(g, n->arg[0], depth - 1, IS_WHOLE)),
                       FOLLOWS};
    if (n->op == OP_expand || n->op == OP_reshape)
        return piece(g, n->arg[0], depth, false);
    return piece_op(g, n, depth - 1);
}

const char *node_text(const Graph *g, const Node *n, int depth)
{
    return piece(g, n, depth, true).text;
}
