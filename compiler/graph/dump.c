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
    int dim = index_dim(loop);
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

    const char *back = text_if(l->down, ", backward");
    const char *test = text_if(n->attr.kind & LOOP_WHILE, ", while the test is not 0");
    const char *count = text_if(n->attr.kind & LOOP_COUNT, ", as many as are counted");
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

/* Is the attribute written after the op? Not flags: the transposes of a product are written at its
 * operands. */
static bool attr_is_dumped(const Node *n, AttrName a)
{
    if (n->op == OP_loop && (a == A_KIND || a == A_AXIS))
        return false;
    return attr_used(n, a) && attr_members[a].kind != ATTR_BOOL;
}

/* " from=2" */
static void dump_attr(const Graph *g, const Node *n, Text *t)
{
    for (int a = 0; a < A_COUNT; a++) {
        const AttrMember *m = &attr_members[a];
        if (!attr_is_dumped(n, a))
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

/* "%7 = matmul [m, 10] %3 %5'"; in the body of a loop indented. */
static void dump_node(Graph *g, const Node *n, Text *t)
{
    const Loop *loop = node_loop(n);
    int indent = 0;
    if (loop)
        indent = 2 * loop->level + 2;
    const char *type = text_if(n->type == T_INT, ":int");

    IndexNames before = name_indices(g, n);
    const char *shape = shape_text(g, n->shape);
    text_add(t, "%*s%%%d = %s%s %s", indent, "", n->id, op_info[n->op]->name, type, shape);
    dump_attr(g, n, t);
    use_names(g, before);

    for (int k = 0; k < n->nargs; k++) {
        bool transposed = (k == 0 && n->attr.ta) || (k == 1 && n->attr.tb);
        text_add(t, " %%%d%s", arg_id(n, k), text_if(transposed, "'"));
    }
}

/* The bodies of loops are indented. */
void graph_dump(const Graph *g, Node *const *root, int roots, FILE *out)
{
    int *uses = graph_uses((Graph *)g, root, roots);
    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];
        if (!uses[i])
            continue;

        Text t = {.ngc = g->ngc};
        dump_node((Graph *)g, n, &t);
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
    for (int i = 0; i < m->roots; i++)
        fprintf(out, "# %s = %%%d\n", m->root[i].name, m->root[i].node->id);
    graph_dump(m->graph, model_roots(m), m->roots, out);
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

static Piece piece_format(const Graph *g, int prec, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = text_vformat(g->ngc, format, args);
    va_end(args);
    return (Piece){text, prec};
}

/* The operand, in parentheses if it binds less tightly than its place requires. */
static const char *operand(const Graph *g, const Node *n, int depth, int prec)
{
    Piece p = piece(g, n, depth, false);
    if (p.prec >= prec)
        return p.text;
    return text_format(g->ngc, "(%s)", p.text);
}

/* "8:2:-2": from lo down to the last; the end is not included. */
static const char *range_down_text(Graph *g, Size lo, int64_t step, Size count, Size size)
{
    const char *from = size_text(g, lo, "");
    const char *to = "";
    Size steps = size_sub(g, count, 1);
    Size last = size_sub(g, lo, size_mul(g, steps, -step));

    if (lo == size_sub(g, size, 1))
        from = "";
    if (last != 0)
        to = size_text(g, size_sub(g, last, 1), "");
    return text_format(g->ngc, "%s:%s:%lld", from, to, (long long)step);
}

/* The part of an axis from lo in steps, as it is written in brackets after a tensor: "1:3", ":",
 * "::2"; for a dropped axis "1". */
static const char *range_text(Graph *g, Size lo, int64_t step, Size count, Size size, bool dropped)
{
    const char *from = size_text(g, lo, "");
    const char *to = "";
    if (dropped)
        return from;
    if (step < 0)
        return range_down_text(g, lo, step, count, size);

    Size steps = size_sub(g, count, 1);
    Size last = size_add(g, lo, size_mul(g, steps, step));
    Size end = size_add(g, last, 1);
    bool known = end >= 0 && size >= 0;
    bool to_the_end = end == size || (known && end + step > size);
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
        bool drop = dropped >> i & 1;
        const char *range =
            range_text(g, attr.lo[i], attr.step[i], part.dim[i], whole.dim[i], drop);
        text_add(&t, "%s%s", comma_before(i), range);
        if (!same_text(range, ":"))
            end = t.size;
    }
    use_names(g, before);

    if (end == 0)
        return ":";
    return text_format(g->ngc, "%.*s", (int)end, t.at);
}

/* x[i]: the axes of one element out of several in a slice, if the reshape removes exactly these;
 * else 0. */
static unsigned dropped_axes(const Node *reshape, const Node *slice)
{
    const Size *kept = reshape->shape.dim;
    const Size *part = slice->shape.dim;
    const Size *whole = slice->arg[0]->shape.dim;
    unsigned dropped = 0;
    int k = 0;

    for (int i = 0; i < slice->shape.rank; i++) {
        if (part[i] == 1 && whole[i] != 1)
            dropped |= 1u << i;
        else if (k == reshape->shape.rank || kept[k++] != part[i])
            return 0;
    }
    return k == reshape->shape.rank ? dropped : 0;
}

static Piece piece_slice(const Graph *g, const Node *n, int depth, unsigned dropped)
{
    const Node *x = n->arg[0];
    const char *place = place_text(g, n, n->shape, x->shape, dropped);
    return piece_format(g, IS_WHOLE, "%s[%s]", operand(g, x, depth, FOLLOWS), place);
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
    if (*dropped)
        return n->arg[0];
    return NULL;
}

/* Zeros around x, written as `pad`; the adjoint of a slice is "x at [1:3], 0 elsewhere". */
static Piece piece_pad(const Graph *graph, const Node *n, int depth)
{
    Graph *g = (Graph *)graph;
    Text before = {.ngc = g->ngc};
    Text after = {.ngc = g->ngc};
    const Shape inner = n->arg[0]->shape;
    struct Attr attr = user_places(g, n);
    IndexNames names = name_indices(g, n);
    bool apart = n->derived;

    for (int i = 0; i < n->shape.rank; i++) {
        Size rest = size_sub(g, n->shape.dim[i], attr.lo[i]);
        Size end = size_sub(g, rest, inner.dim[i]);
        text_add(&before, "%s%s", comma_before(i), size_text(g, attr.lo[i], ""));
        text_add(&after, "%s%s", comma_before(i), size_text(g, end, ""));
        apart |= n->attr.step[i] != 1;
    }
    use_names(g, names);

    const char *x = operand(g, n->arg[0], depth, apart ? ABOVE_COMPARES : PROSE);
    if (apart) {
        const char *place = place_text(g, n, inner, n->shape, 0);
        return piece_format(g, PROSE, "%s at [%s], 0 elsewhere", x, place);
    }

    if (same_text(before.at, after.at))
        return piece_format(g, IS_WHOLE, "pad(%s, [%s])", x, before.at);
    return piece_format(g, IS_WHOLE, "pad(%s, [%s], [%s])", x, before.at, after.at);
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
        const char *part = "...";
        if (!hidden)
            part = operand(g, n->arg[i], depth, PROSE);
        text_add(&t, "%s%s", comma_before(i), part);
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
        text_add(&t, "%s%s", comma_before(i - 1), operand(g, n->arg[i], depth, PROSE));
    text_add(&t, "]");
    return (Piece){t.at, IS_WHOLE};
}

/* The last two axes exchanged are x', any others permute(x, ...). */
static Piece piece_permute(const Graph *g, const Node *n, int depth)
{
    Text t = {.ngc = g->ngc};
    int r = n->shape.rank;
    const int *perm = n->attr.perm;
    bool last = r >= 2 && perm[r - 1] == r - 2 && perm[r - 2] == r - 1;

    for (int i = 0; i < r; i++) {
        last &= i >= r - 2 || perm[i] == i;
        text_add(&t, "%s%d", comma_before(i), perm[i]);
    }

    const Node *x = n->arg[0];
    if (last)
        return piece_format(g, FOLLOWS, "%s'", operand(g, x, depth, IS_WHOLE));
    return piece_format(g, IS_WHOLE, "permute(%s, [%s])", operand(g, x, depth, PROSE), t.at);
}

/* a @ b, with ' after an operand that is stored transposed */
static Piece piece_matmul(const Graph *g, const Node *n, int depth)
{
    const char *a = operand(g, n->arg[0], depth, n->attr.ta ? NEGATES : MULTIPLIES);
    const char *b = operand(g, n->arg[1], depth, NEGATES);
    const char *ta = text_if(n->attr.ta, "'");
    const char *tb = text_if(n->attr.tb, "'");
    return piece_format(g, MULTIPLIES, "%s%s @ %s%s", a, ta, b, tb);
}

/* The index of a loop; a pass of one that does not begin at 0 has another number. */
static Piece piece_index(const Graph *g, const Node *n)
{
    const Loop *l = n->attr.loop;
    if (l->from == 0)
        return (Piece){l->name, IS_WHOLE};
    const char *sign = l->from < 0 ? "+" : "-";
    return piece_format(g, ADDS, "%s %s %lld", l->name, sign, llabs(l->from));
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
    const Shape all = collect->shape;
    const Shape one = collect->arg[0]->shape;
    if (all.rank == 0 || a->lo[0] != size_dim(g, index_dim(a->loop)))
        return false;
    for (int i = 1; i < all.rank; i++)
        if (a->lo[i] != 0 || all.dim[i] != one.dim[i])
            return false;
    return a->step[0] == 1 && one.dim[0] == 1;
}

/* The variable of an OP_last: what a pass leaves in it, if that has a name. */
static const Node *last_variable(const Node *last)
{
    const Node *leaf = last->arg[0];
    const Node *loop = last->arg[1];
    const Node *variable = leaf;
    for (int i = 0; i < loop_variables(loop); i++)
        if (loop_leaf(loop, i) == leaf && node_name(loop_next(loop, i)))
            variable = loop_next(loop, i);
    return variable;
}

/* What leaves a loop: "h.t of the last pass", "the sum of v over t", "h.t for each t". */
static Piece piece_leaving(const Graph *g, const Node *n, int depth)
{
    const Loop *l = n->attr.loop;
    if (n->op == OP_loop)
        return piece_format(g, PROSE, "for %s", range_of_loop(g, l));
    if (n->op == OP_passes)
        return piece_format(g, PROSE, "the number of passes of %s", l->name);

    if (n->op == OP_last) {
        const char *variable = operand(g, last_variable(n), depth, ABOVE_COMPARES);
        const char *which = l->down ? "first" : "last";
        return piece_format(g, PROSE, "%s of the %s pass", variable, which);
    }

    const char *value = operand(g, n->arg[0], depth, ABOVE_COMPARES);
    if (is_summed(n))
        return piece_format(g, PROSE, "the sum of %s over %s", value, l->name);
    if (is_stacked((Graph *)g, n))
        return piece_format(g, PROSE, "%s for each %s", value, l->name);

    const char *place = place_text(g, n, n->arg[0]->shape, n->shape, 0);
    return piece_format(g, PROSE, "%s at [%s] for each %s", value, place, l->name);
}

/* "arange(3)[:, new]": an axis of size 1 for each one after its own. */
static const char *iota_text(const Graph *g, const Node *n)
{
    Text t = {.ngc = g->ngc};
    int axis = n->attr.axis;
    int later = n->shape.rank - 1 - axis;

    text_add(&t, "arange(%s)", size_text(g, n->shape.dim[axis], ""));
    if (later > 0)
        text_add(&t, "[:");
    for (int i = 0; i < later; i++)
        text_add(&t, ", new");
    if (later > 0)
        text_add(&t, "]");
    return t.at;
}

/* A leaf that has no name, in the words of the language. */
static const char *leaf_text(const Graph *g, const Node *n)
{
    static const char *const kinds[] = {[RANDOM_UNIFORM] = "uniform",
                                        [RANDOM_NORMAL] = "normal",
                                        [RANDOM_TRUNCATED] = "truncated_normal",
                                        [RANDOM_ORTHOGONAL] = "orthogonal"};
    const struct Attr *a = &n->attr;
    if (n->op == OP_iota)
        return iota_text(g, n);
    if (n->op == OP_random && a->kind == RANDOM_ORTHOGONAL)
        return "orthogonal()";
    if (n->op == OP_random)
        return text_format(g->ngc, "%s(%.6g, %.6g)", kinds[a->kind], a->value, a->value2);
    if (n->op == OP_data)
        return n->shape.rank > 1 ? "[[...]]" : "[...]";
    return op_info[n->op]->name;
}

/* The operands that the user gave: factors of a matrix are the compiler's. */
static Piece piece_call(const Graph *g, const Node *n, int depth)
{
    Text t = {.ngc = g->ngc};
    bool factored = node_has(n, F_FACTORED);

    const char *name = op_info[n->op]->name;
    if (n->op == OP_scatter)
        name = "scatter_add";
    if (n->op == OP_lu)
        name = "LU_factors";

    text_add(&t, "%s(", name);
    for (int i = 0; i < n->nargs; i++)
        if (i != 1 || !factored)
            text_add(&t, "%s%s", comma_before(i), operand(g, n->arg[i], depth, PROSE));
    text_add(&t, ")");
    return (Piece){t.at, IS_WHOLE};
}

/* The call of the def, with its tensors: what it is computed as is said elsewhere. */
static Piece piece_given(const Graph *g, const Node *n, int depth)
{
    Text t = {.ngc = g->ngc};
    text_add(&t, "%s(", n->attr.given->name);
    for (int i = 1; i <= n->attr.given->count; i++)
        text_add(&t, "%s%s", comma_before(i - 1), operand(g, n->arg[i], depth, PROSE));
    text_add(&t, ")");
    return (Piece){t.at, IS_WHOLE};
}

/* An elementwise op: a call of the language's function, or its operator. */
static Piece piece_elementwise(const Graph *g, const Node *n, int depth)
{
    const OpInfo *info = op_info[n->op];
    const Node *a = n->arg[0];

    if (n->op == OP_cast || info->flags & F_SAME)
        return piece(g, a, depth, false);
    if (info->params || (!info->sign && n->op != OP_neg))
        return piece_call(g, n, depth);
    if (n->op == OP_neg)
        return piece_format(g, info->prec, "-%s", operand(g, a, depth, info->prec));

    const Node *b = n->arg[1];
    int prec = info->prec;
    int left = prec;
    int right = prec;
    if (!(info->flags & F_COMMUTATIVE))
        right++;
    if (info->test) {
        prec = COMPARES;
        left = right = ABOVE_COMPARES;
    }
    if (n->op == OP_pow) {
        prec = FOLLOWS;
        left = right = IS_WHOLE;
    }

    const char *x = operand(g, a, depth, left);
    const char *y = operand(g, b, depth, right);
    if (n->op == OP_pow)
        return piece_format(g, prec, "%s^%s", x, y);
    return piece_format(g, prec, "%s %s %s", x, info->sign, y);
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
    if (!node_has(n, F_LEAF))
        return false;
    out->text = leaf_text(g, n);
    return true;
}

/* What the kernel of a convolution gets. */
static Piece piece_convk(const Graph *g, const Node *n, int depth)
{
    const char *x = operand(g, n->arg[0], depth, ABOVE_COMPARES);
    const char *y = operand(g, n->arg[1], depth, ABOVE_COMPARES);
    return piece_format(g, COMPARES, "%s against %s", x, y);
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
    case OP_convk: return piece_convk(g, n, depth);
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

    if (node_has(n, F_ELEMENTWISE))
        return piece_elementwise(g, n, depth - 1);
    if (node_is_turned(n))
        return piece_format(g, FOLLOWS, "%s'", operand(g, n->arg[0], depth - 1, IS_WHOLE));
    if (n->op == OP_expand || n->op == OP_reshape)
        return piece(g, n->arg[0], depth, false);
    return piece_op(g, n, depth - 1);
}

const char *node_text(const Graph *g, const Node *n, int depth)
{
    return piece(g, n, depth, true).text;
}
