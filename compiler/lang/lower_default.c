/* lower_default.c - the default values of inputs, for callers that give none. The reference
 * interpreter computes them at compile time, so that the emitted C, its manifest and `ngc run` have
 * the same numbers. */
#include "lang/lower.h"
#include "graph/eval.h"

enum { MOST = 10000000 }; /* elements that are written into C */

/* Is every size but the first known? Then the place of an element does not depend on the first. */
static bool only_rows_vary(Shape s)
{
    for (int i = 1; i < s.rank; i++)
        if (s.dim[i] < 0)
            return false;
    return true;
}

/* Does each place, in row-major order, have the same element for every run-time size? The operands
 * are known to have this property. */
static bool keeps_places(const Node *n)
{
    double c;
    bool grows = shape_is_run_time(n->shape);

    for (int i = 0; i < n->nargs; i++)
        if (!grows && shape_is_run_time(n->arg[i]->shape))
            return false;

    if (!grows || node_const(n, &c))
        return true;
    if (n->op == OP_reshape || node_has(n, F_ELEMENTWISE))
        return true;
    if (n->op == OP_iota)
        return only_rows_vary(n->shape);
    return n->op == OP_expand && only_rows_vary(n->shape);
}

/* An int starts at whole numbers that fit into 32 bits. */
static bool is_whole(const double *x, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!is_int32(x[i]))
            return false;
    return true;
}

/* Keeps the numbers of a default: one as a constant, the elements of a tensor in Var.standard. */
static void fold_default(Lower *L, Var *v, const double *x, int64_t count)
{
    if (v->shape.rank > 0)
        v->standard = LIST_COPY(L->ngc, x, count);
    else
        v->init = graph_cast(L->g, graph_const(L->g, *x), v->type);
}

/* Can the default be written into C? With a message, if not. */
static bool can_fold(Lower *L, const Var *v, int64_t count)
{
    if (!holds_below(L, v->init, keeps_places)) {
        lower_error(L, ERR_START_VALUE, v->loc,
                    "the default of '%s' depends on a run-time size "
                    "in more than the number of its rows",
                    v->name);
        return false;
    }
    if (count > MOST) {
        lower_error(L, ERR_TENSOR_SIZE, v->loc,
                    "the default of '%s' has up to %lld elements; the limit is %d", v->name,
                    (long long)count, MOST);
        return false;
    }
    return true;
}

/* An interpreter of the model whose run-time dims are at their bounds. */
static Eval *eval_largest(Lower *L)
{
    Eval *e = eval_new(L->ngc, L->m);
    e->seed = 1;
    for (int d = 0; d < L->g->dims; d++)
        e->dim[d] = L->g->dim[d].max;
    return e;
}

void lower_defaults(Lower *L)
{
    Eval *e = NULL;

    for (int i = 0; i < L->m->vars; i++) {
        Var *v = L->m->var[i];
        if (!v->init || (v->kind != VAR_INPUT && v->type != T_INT))
            continue;

        int64_t count = shape_count_max(L->g, v->shape);
        if (v->kind == VAR_INPUT && !can_fold(L, v, count))
            continue;

        if (!e)
            e = eval_largest(L);
        const double *x = eval_node(e, v->init);
        if (v->type == T_INT && !is_whole(x, count))
            lower_error(L, ERR_NOT_WHOLE, v->loc, "'%s' is int; its starting value must be whole",
                        v->name);
        else if (v->kind == VAR_INPUT)
            fold_default(L, v, x, count);
        v->init = graph_cast(L->g, v->init, v->type);
    }
}
