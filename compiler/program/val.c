/* val.c - the value of one element, as an expression of loads and operations. Views only change the
 * place that is loaded, so that none of them ever moves an element. */
#include "program/program.h"

#include <string.h>

/* ---- values, shared within a kernel ---- */

static bool val_equal(const Val *a, const Val *b)
{
    if (a->kind != b->kind || a->op != b->op || a->type != b->type || a->node != b->node)
        return false;
    if (memcmp(a->arg, b->arg, sizeof a->arg) != 0)
        return false;
    if (memcmp(&a->value, &b->value, sizeof a->value) != 0) /* as bits: 0 is not -0 */
        return false;
    return a->size == b->size && a->span == b->span && index_equal(a->at, b->at);
}

/* The kernel's value that equals v, or v as a new one. */
static Val *val_keep(Program *p, Kernel *k, Val v)
{
    for (int i = 0; i < k->vals; i++)
        if (val_equal(k->val[i], &v))
            return k->val[i];

    LIST_GROW(p->ngc, k->val, k->vals, &k->val_room);
    k->val[k->vals] = arena_copy(p->ngc, &v, sizeof v);
    return k->val[k->vals++];
}

/* An operation. A comparison of numbers, and a choice by one, are decided here: a mask of padding
 * is a number where the padding is cut off again. */
Val *val_op(Program *p, Kernel *k, Op op, Type type, Val *a, Val *b, Val *c)
{
    const OpInfo *info = op_info[op];
    if (info->test && a->kind == V_CONST && b && b->kind == V_CONST)
        return val_const(p, k, type, info->value(a->value, b->value, 0));
    if (op == OP_where && a->kind == V_CONST)
        return a->value != 0 ? b : c;

    return val_keep(p, k, (Val){.kind = V_OP, .op = op, .type = type, .arg = {a, b, c}});
}

Val *val_const(Program *p, Kernel *k, Type type, double value)
{
    return val_keep(p, k, (Val){.kind = V_CONST, .type = type, .value = value});
}

/* ---- views ---- */

bool node_identity(const Node *n)
{
    return node_has(n, F_SAME);
}

bool reshape_is_trivial(Shape a, Shape b)
{
    int i = 0, k = 0;

    for (;;) {
        while (i < a.rank && size_is_one(a.dim[i]))
            i++;
        while (k < b.rank && size_is_one(b.dim[k]))
            k++;
        if (i == a.rank || k == b.rank)
            return i == a.rank && k == b.rank;

        if (a.dim[i] != b.dim[k])
            return false;
        i++;
        k++;
    }
}

/* pad: y[i] = x[(i - lo)/step], where that is an element of x, else 0. `from` is i - lo, `inner`
 * the quotient. A guard for each axis checks `from`. */
static Val *pad_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    Graph *g = p->graph;
    const Node *x = n->arg[0];
    Index inner[MAX_RANK], from[MAX_RANK];

    for (int i = 0; i < n->shape.rank; i++) {
        Index back = index_zero();
        back.base.minus = n->attr.lo[i];
        index_add(g, &back, &idx[i], 1);
        from[i] = inner[i] = back;

        if (n->attr.step[i] > 1) {
            Val quotient = {.kind = V_QUOTIENT,
                            .type = T_INT,
                            .size = n->attr.step[i],
                            .at = index_keep(p, &back)};
            inner[i] = index_val(val_keep(p, k, quotient));
        }
    }

    Val *v = val_of(p, k, x, inner);
    for (int i = n->shape.rank - 1; i >= 0; i--) {
        Size step = n->attr.step[i];
        if (n->attr.lo[i] == 0 && step == 1 && x->shape.dim[i] == n->shape.dim[i])
            continue;

        /* the last element is at (count - 1)*step, so it is before count*step */
        Val guard = {.kind = V_GUARD,
                     .type = n->type,
                     .arg = {v},
                     .size = step,
                     .span = size_mul(g, x->shape.dim[i], step),
                     .at = index_keep(p, &from[i])};
        if (step > 1 || !index_is_within(k, &from[i], guard.span))
            v = val_keep(p, k, guard);
    }
    return v;
}

/* The place that an index of rows chooses. */
Index index_row(Val *row)
{
    if (row->kind != V_INDEX)
        return index_val(row);
    if (row->at)
        return *row->at;
    return index_zero();
}

/* Where the tensor x has the element idx of y[.., i, ..] = x[.., index[i], ..], where n is that
 * gather, or the scatter that is its adjoint. The axes of an index are those of y from `axis` on.
 */
void index_gathered(Program *p, Kernel *k, const Node *n, const Node *x, const Index *idx,
                    Index *at)
{
    int axis = n->attr.axis;
    int count = n->nargs - 1;
    int rank = n->arg[1]->shape.rank;

    for (int i = 0; i < axis; i++)
        at[i] = idx[i];
    for (int i = 0; i < count; i++) {
        at[axis + i] = index_row(val_of(p, k, n->arg[1 + i], idx + axis));
    }
    for (int i = axis + count; i < x->shape.rank; i++)
        at[i] = idx[i + rank - count];
}

/* gather: y[.., i, ..] = x[.., index[i], ..] */
static Val *gather_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    Index at[MAX_RANK];

    index_gathered(p, k, n, n->arg[0], idx, at);
    return val_of(p, k, n->arg[0], at);
}

/* a reshape that only moves axes of size 1 */
static Val *reshape_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    const Node *a = n->arg[0];
    Index at[MAX_RANK];
    int j = 0;

    for (int i = 0; i < a->shape.rank; i++) {
        at[i] = index_zero();
        if (size_is_one(a->shape.dim[i]))
            continue;
        while (size_is_one(n->shape.dim[j]))
            j++;
        at[i] = idx[j++];
    }
    return val_of(p, k, a, at);
}

/* The index maps of the views: which element of its operand is the element idx of n? */
static Val *view_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    const Node *a = n->arg[0];
    Index at[MAX_RANK];
    int j = 0;

    switch (n->op) {
    case OP_expand:
        for (int i = 0; i < n->shape.rank; i++)
            if (!(n->attr.axes >> i & 1))
                at[j++] = idx[i];
        return val_of(p, k, a, at);
    case OP_permute:
        for (int i = 0; i < n->shape.rank; i++)
            at[n->attr.perm[i]] = idx[i];
        return val_of(p, k, a, at);
    case OP_slice:
        for (int i = 0; i < n->shape.rank; i++)
            at[i] = index_strided(p->graph, &idx[i], n->attr.lo[i], n->attr.step[i]);
        return val_of(p, k, a, at);
    case OP_gather: return gather_val(p, k, n, idx);
    case OP_reshape: return reshape_val(p, k, n, idx);
    default: ngc_bug("%s has no index map", op_info[n->op]->name);
    }
}

/* ---- one element of a node ---- */

static Val *iota_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    Val v = {.kind = V_INDEX, .type = n->type, .at = index_keep(p, &idx[n->attr.axis])};
    return val_keep(p, k, v);
}

/* The number of the pass of a loop around the kernel. */
static Val *index_leaf_val(Program *p, Kernel *k, const Node *n)
{
    Size pass = size_dim(p->graph, MAX_DIMS + n->attr.loop->level);

    return val_keep(p, k, (Val){.kind = V_SIZE, .type = n->type, .size = pass});
}

static Val *elementwise_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    Val *arg[3] = {0};

    if (!node_has(n, F_ELEMENTWISE))
        ngc_bug("%s has no value of one element", op_info[n->op]->name);
    if (node_identity(n))
        return val_of(p, k, n->arg[0], idx);

    for (int i = 0; i < n->nargs; i++)
        arg[i] = val_of(p, k, n->arg[i], idx);
    return val_op(p, k, n->op, n->type, arg[0], arg[1], arg[2]);
}

/* ---- sums of which one term is not 0 ---- */

/* The labels i, if n is the sum over k of where(i == k, x, 0); else NULL. */
static const Node *labels_of(Graph *g, const Node *n)
{
    const Node *chosen = n->arg[0];

    if (n->op != OP_sum || n->type != T_FLOAT || chosen->op != OP_where)
        return NULL;
    const Node *test = chosen->arg[0];
    if (test->op != OP_eq || !node_is(chosen->arg[2], 0))
        return NULL;

    for (int i = 0; i < 2; i++) {
        const Node *label = test->arg[1 - i];
        int axis = node_counted_axis(g, test->arg[i]);
        if (axis < 0 || n->attr.axes != 1u << axis)
            continue;
        if (label->op == OP_expand && label->type == T_INT && label->attr.axes & n->attr.axes)
            return label;
    }
    return NULL;
}

bool picks_term(const Program *p, const Node *n)
{
    return !p->plain && labels_of(p->graph, n) && !program_stored(p, n->arg[0]);
}

/* That term: x[.., i], or 0 where there is no such element. */
static Val *picked_val(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    const Node *x = n->arg[0]->arg[1];
    const Node *label = labels_of(p->graph, n);
    Index at[MAX_RANK];
    int axis = 0, j = 0;

    for (int i = 0; i < x->shape.rank; i++) {
        at[i] = index_zero();
        if (n->attr.axes >> i & 1)
            axis = i;
        else
            at[i] = idx[j++];
    }
    at[axis] = index_row(val_of(p, k, label, at));

    Val guard = {.kind = V_GUARD,
                 .type = n->type,
                 .arg = {val_of(p, k, x, at)},
                 .size = 1,
                 .span = x->shape.dim[axis],
                 .at = index_keep(p, &at[axis])};
    /* the sum of -0 and zeros is 0 */
    return val_op(p, k, OP_add, n->type, val_keep(p, k, guard), val_const(p, k, n->type, 0), NULL);
}

Val *val_definition(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    double value;

    if (node_const(n, &value))
        return val_const(p, k, n->type, value);
    if (node_has(n, F_VIEW))
        return view_val(p, k, n, idx);

    switch (n->op) {
    case OP_pad: return pad_val(p, k, n, idx);
    case OP_index: return index_leaf_val(p, k, n);
    case OP_size:
        return val_keep(p, k, (Val){.kind = V_SIZE, .type = n->type, .size = n->attr.size});
    case OP_iota: return iota_val(p, k, n, idx);
    case OP_sum: return picked_val(p, k, n, idx);
    default: return elementwise_val(p, k, n, idx);
    }
}

/* What the kernel itself stores at this place of the node; NULL: it does not. */
static Val *stored_val(const Kernel *k, const Node *n, const Index *at)
{
    for (int i = 0; i < k->stores; i++) {
        const Store *s = &k->store[i];
        if (s->node == n && !s->target && !s->add && s->val && index_equal(s->at, at))
            return s->val;
    }
    return NULL;
}

Val *val_of(Program *p, Kernel *k, const Node *n, const Index *idx)
{
    double value;
    if (!program_stored(p, n) || node_const(n, &value))
        return val_definition(p, k, n, idx);

    const Node *holder = program_holder(p, n);
    Index at = index_of_element(p, idx, n->shape);
    Val *stored = stored_val(k, holder, &at);
    if (stored)
        return stored;

    Val load = {.kind = V_LOAD, .type = n->type, .node = holder, .at = index_keep(p, &at)};
    return val_keep(p, k, load);
}
