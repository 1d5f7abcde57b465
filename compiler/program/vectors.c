/* vectors.c - decides which kernels walk their innermost loop in vectors (Kernel.vector), how wide
 * the vectors are, and which walk their two innermost loops in blocks (Kernel.blocked).
 *
 * In such a loop each load and store moves by one element from pass to pass, or does not move. Each
 * operation has a vector form in its record. The test of a guard is the same in the whole loop, or
 * in ranges of it: vectors that would cross the end of a range are done one element at a time, and
 * so are all other loops.
 *
 * Requires: places (program_plan), finished kernels. Keeps everything but these two.
 */
#include "program/program.h"

enum {
    NARROW = 16,   /* bytes of the smallest vector */
    WIDE = 64,     /* bytes of the largest */
    MOST_GRID = 4, /* loops that one becomes */
    LATE = 32,     /* elements: from here on it pays to do the last operation by itself */
    TURNED = 4,    /* rows and columns: from here on a transposition has vectors */
    LINE = 64,     /* bytes that a cache moves at a time */
    SETS = 64,     /* of the first cache: a line has its place in one of them, */
    KEPT = 4, /* and this many lines that are read stay in a set, beside those that are written */
};

static const Index zero; /* a NULL index */

/* Does v change from pass to pass of the innermost loop? */
bool val_is_inner(const Kernel *k, const Val *v)
{
    return v->level >= k->axes && k->axes > 0;
}

/* Does the index x move by one element from pass to pass of the innermost loop? */
static bool is_unit(const Kernel *k, const Index *x)
{
    const Coef *by = &(x ? x : &zero)->axis[k->axes - 1];

    /* an index that is loaded anew in each pass jumps */
    for (int i = 0; x && i < x->parts; i++)
        if (val_is_inner(k, x->part[i].val))
            return false;

    return by->plus == 1 && by->minus == 0;
}

static bool is_float32(const Program *p)
{
    return !p->ngc->opt.real_double;
}

/* Do ints take part in v? */
static bool uses_ints(const Val *v)
{
    bool ints = v->type == T_INT;
    for (int i = 0; i < 3 && v->arg[i]; i++)
        ints |= v->arg[i]->type == T_INT;
    return ints;
}

/* The op's text for vectors, or NULL. Ints are as wide as floats only in float32. */
const char *op_vec(const Program *p, const Val *v)
{
    const OpInfo *info = op_info[v->op];
    unsigned wanted = F_VEC_INT;
    if (v->type == T_INT)
        wanted = F_VEC_INT | F_VEC_TO_INT;

    /* an int has 32 bits: as many lanes as floats, half as many as doubles */
    bool has_ints = is_float32(p) && (info->flags & wanted) == wanted;
    if (uses_ints(v) && !has_ints)
        return NULL;

    const struct FastForm *form = op_form(p, v->op);
    return form->vec ? form->vec : info->vec;
}

/* What replaces the op's C in code made for speed. */
const struct FastForm *op_form(const Program *p, Op op)
{
    return &op_info[op]->form[p->ngc->opt.real_double];
}

/* Is the vector form of v an expression that declares no names? The macros of a choice and of a
 * comparison declare none. */
static bool is_plain_form(const Program *p, const Val *v)
{
    const OpInfo *info = op_info[v->op];
    if (op_vec(p, v) == NULL)
        return false;
    return !(info->flags & F_MACRO) || info->flags & F_CONDITION || info->test;
}

/* May v be computed within the text of another value? The operand of a guard has no temporary, and
 * a form that declares names must not be within another one that does. */
static bool is_nameless(const Program *p, const Val *v)
{
    if (v->kind == V_CONST || v->kind == V_SIZE || v->kind == V_LOAD)
        return true;
    if (v->kind != V_OP && v->kind != V_GUARD)
        return false;
    if (v->kind == V_OP && !is_plain_form(p, v))
        return false;

    for (int i = 0; i < 3 && v->arg[i]; i++)
        if (!is_nameless(p, v->arg[i]))
            return false;
    return true;
}

/* Is the test of a guard of the innermost loop, so that it may hold in some lanes only? */
bool guard_is_inner(const Kernel *k, const Val *v)
{
    return v->kind == V_GUARD && v->live && v->test_level >= k->axes && k->axes > 0;
}

/* Can the test of a guard be taken once for all lanes? A range of passes can be found where it is
 * the same; then others are done one at a time (emit_passes.c). */
static bool has_one_test(const Kernel *k, const Val *v)
{
    if (v->test_level < k->axes)
        return true;
    return (v->size == 1 || v->size == k->grid) && is_unit(k, v->at) && !kernel_reduces(k) &&
           k->half == HALF_NONE;
}

/* By how many elements the index x moves from pass to pass of the innermost loop, if that is a
 * small number above 1; else 0. */
int index_step(const Kernel *k, const Index *x)
{
    if (!x)
        return 0;
    for (int i = 0; i < x->parts; i++)
        if (val_is_inner(k, x->part[i].val))
            return 0;

    const Coef *by = &x->axis[k->axes - 1];
    if (by->plus >= 2 && by->plus <= MOST_GRID && by->minus == 0)
        return (int)by->plus;
    return 0;
}

/* Is a vector made of elements that are not neighbours? It pays where much is computed of them. */
static bool is_spaced(const Kernel *k, const Val *v)
{
    return v->kind == V_LOAD && v->live && v->type == T_FLOAT && index_step(k, v->at) > 0;
}

static bool computes_much(const Kernel *k)
{
    int loads = 0, operations = 0;

    for (int i = 0; i < k->vals; i++) {
        loads += is_spaced(k, k->val[i]);
        operations += k->val[i]->kind == V_OP && k->val[i]->live && val_is_inner(k, k->val[i]);
    }
    return operations > 2 * loads && !kernel_reduces(k);
}

/* Does the index x move by one element, from one pass to that `grid` passes later? It does where
 * what the innermost loop adds is its number divided by grid. */
static bool is_unit_on_grid(const Kernel *k, const Index *x)
{
    int moving = 0;

    if (!x || !coef_zero(x->axis[k->axes - 1]))
        return false;
    for (int i = 0; i < x->parts; i++) {
        const Val *v = x->part[i].val;
        if (!val_is_inner(k, v))
            continue;
        bool quotient = v->kind == V_QUOTIENT && v->size == k->grid && is_unit(k, v->at);
        if (!quotient || x->part[i].by.plus != 1 || x->part[i].by.minus != 0)
            return false;
        moving++;
    }
    return moving == 1;
}

/* The same where the innermost loop is one loop for each place in a grid. */
static bool val_is_vector_on_grid(const Program *p, const Kernel *k, const Val *v)
{
    switch (v->kind) {
    case V_LOAD: return v->type == T_FLOAT && is_unit_on_grid(k, v->at);
    case V_QUOTIENT: return true; /* of an index */
    case V_GUARD: return v->type == T_FLOAT && is_nameless(p, v->arg[0]) && has_one_test(k, v);
    case V_OP: return !uses_ints(v) && op_vec(p, v) != NULL;
    default: return false;
    }
}

/* Has a value of the innermost loop a form for vectors? */
static bool val_is_vector(const Program *p, const Kernel *k, const Val *v)
{
    bool whole = v->type == T_FLOAT || is_float32(p);

    if (k->grid)
        return val_is_vector_on_grid(p, k, v);
    switch (v->kind) {
    case V_LOAD:
        if (is_spaced(k, v))
            return computes_much(k);
        return whole && is_unit(k, v->at);
    case V_INDEX: return is_float32(p) && is_unit(k, v->at);
    case V_GUARD: return whole && is_nameless(p, v->arg[0]) && has_one_test(k, v);
    case V_OP: return op_vec(p, v) != NULL;
    default: return false;
    }
}

/* ---- results that are stored over operands ---- */

/* May x at a and y at b share memory? */
static bool places_overlap(const Program *p, const Place *a, const Node *x, const Place *b,
                           const Node *y)
{
    if (a->kind != b->kind)
        return false;

    /* two ranges [offset, offset + elements) of one array */
    if (a->kind == P_SPACE) {
        int64_t n = shape_count_max(p->graph, x->shape);
        int64_t m = shape_count_max(p->graph, y->shape);
        return x->type == y->type && a->offset < b->offset + m && b->offset < a->offset + n;
    }

    if (a->kind == P_ROW)
        return a == b;

    return a->var == b->var && a->name == b->name && a->kind != P_DATA;
}

/* A pass may overwrite only what no other pass reads: the same element of the same array. */
static bool writes_safely(const Program *p, const Kernel *k, const Store *s)
{
    const Place *to = store_place(p, s);

    for (int i = 0; i < k->vals; i++) {
        const Val *v = k->val[i];
        if (v->kind != V_LOAD || !v->live)
            continue;

        const Place *from = program_place(p, v->node);
        if (!places_overlap(p, to, s->node, from, v->node))
            continue;
        if (!index_equal(s->at, v->at) || (to->kind == P_SPACE && to->offset != from->offset))
            return false;
    }
    return true;
}

/* ---- kernels ---- */

static bool stores_vectors(const Program *p, const Kernel *k)
{
    bool folds_last = kernel_reduces(k) && !kernel_sums_rows(k);

    for (int i = 0; i < k->stores; i++) {
        const Store *s = &k->store[i];
        if (s->node->type == T_INT && !is_float32(p))
            return false;
        /* a fold of the last axis stores one number, after the loop */
        if (!folds_last && (!is_unit(k, s->at) || !writes_safely(p, k, s)))
            return false;
    }

    if (!kernel_reduces(k))
        return true;
    if (!op_info[k->reduce]->combine_vec || k->store[0].node->type != T_FLOAT)
        return false;
    return !folds_last || (k->axis[k->axes - 1] == AX_REDUCE && val_is_inner(k, k->store[0].val));
}

/* The widest vectors that this number of elements fills, in bytes; 0: none. */
static int widest(const Program *p, int64_t elements)
{
    int64_t bytes = elements * (is_float32(p) ? 4 : 8);

    if (bytes < NARROW)
        return 0;
    for (int width = WIDE; width > NARROW; width /= 2)
        if (bytes >= width)
            return width;
    return NARROW;
}

/* Is the index a number more than that of the innermost loop? */
static bool is_inner_and_number(const Kernel *k, const Index *x)
{
    for (int i = 0; x && i < k->axes - 1; i++)
        if (!coef_zero(x->axis[i]))
            return false;
    return x && x->parts == 0 && x->base.plus >= 0 && x->base.minus >= 0 && is_unit(k, x);
}

/* The distance of the elements that guards of the innermost loop let through: the gradient of every
 * second element is 0 between them. 0: there is none, or several. */
static int grid_of(const Kernel *k)
{
    Size grid = 0;

    for (int i = 0; i < k->vals; i++) {
        const Val *v = k->val[i];
        if (!guard_is_inner(k, v) || v->size == 1)
            continue;
        if (v->size < 2 || v->size > MOST_GRID || (grid && v->size != grid))
            return 0;
        if (!is_inner_and_number(k, v->at))
            return 0;
        grid = v->size;
    }
    for (int i = 0; i < k->stores; i++)
        if (k->store[i].add || k->store[i].node->type != T_FLOAT)
            return 0;
    if (k->split == k->axes)
        return 0;
    return (int)grid;
}

static int vector_of(const Program *p, const Kernel *k, int lead)
{
    if (k->kind != K_LOOP || k->hits > 0 || k->axes <= lead || !stores_vectors(p, k))
        return 0;

    /* one value without a form for vectors, and the whole loop goes by elements */
    for (int i = 0; i < k->vals; i++) {
        const Val *v = k->val[i];
        if (v->live && val_is_inner(k, v) && !val_is_vector(p, k, v))
            return 0;
    }

    int64_t passes = size_max(p->graph, k->extent[k->axes - 1]);
    if (k->grid > 0)
        passes /= k->grid;
    return widest(p, passes);
}

/* Does a grid pay where elements are computed one at a time? No test of it is left in its loops. */
static bool grid_pays_alone(const Program *p, const Kernel *k, int lead)
{
    if (lead > 0 || !kernel_is_map(k) || k->half != HALF_NONE)
        return false;
    for (int i = 0; i < k->stores; i++)
        if (!writes_safely(p, k, &k->store[i]))
            return false;
    return true;
}

/* Decides it for a kernel, whose first `lead` loops belong to a nest. */
static void choose_vectors(const Program *p, Kernel *k, int lead)
{
    k->grid = 0;
    if (k->kind == K_LOOP && k->axes > lead)
        k->grid = grid_of(k);
    k->vector = vector_of(p, k, lead);
    if (k->vector == 0 && !grid_pays_alone(p, k, lead))
        k->grid = 0;
}

/* The number of elements of a kernel's result, if its loops walk them in the order of memory,
 * without gaps; else 0. */
static int64_t dense_count(const Program *p, const Kernel *k)
{
    const Index *at = k->store[0].at;
    Size n = 1;

    if (!at || at->parts > 0 || at->base.minus != 0)
        return 0;
    for (int i = k->axes - 1; i >= 0; i--) {
        if (at->axis[i].plus != n || at->axis[i].minus != 0)
            return 0;
        n = size_mul(p->graph, n, k->extent[i]);
    }
    return size_max(p->graph, n);
}

/* Is v a costly function of one float? */
static bool is_costly(const Program *p, const Val *v)
{
    if (v->kind != V_OP || v->type != T_FLOAT || v->arg[0]->type != T_FLOAT)
        return false;
    return op_form(p, v->op)->left && op_info[v->op]->arity == 1;
}

/* If rows are too short for vectors, a costly last operation (exp, tanh) is done after all others,
 * on all elements in vectors. */
static void find_late(const Program *p, Kernel *k)
{
    const Store *s = &k->store[0];
    Val *v = s->val;

    /* rows that are too short, and results that lie without gaps: one loop over all of them */
    bool nested = k->kind == K_LOOP && k->axes >= 2 && k->split <= 1;
    bool one_store = !kernel_reduces(k) && k->stores == 1 && !s->add;
    if (k->vector || k->half || !nested || !one_store)
        return;
    if (!is_costly(p, v) || v->uses != 1)
        return;

    int64_t n = dense_count(p, k);
    if (n < LATE || !writes_safely(p, k, s))
        return;

    k->vector = widest(p, n);
    k->late = v;
    v->uses = 0; /* no name of its own */
}

/* ---- blocks ---- */

/* Does v read a column, whose neighbour is read in the next pass of the loop around it? */
static bool reads_column(const Kernel *k, const Val *v)
{
    const int last = k->axes - 1;
    if (v->kind != V_LOAD || !v->live || !v->at || v->at->parts > 0)
        return false;

    Coef along = v->at->axis[last];
    Coef across = v->at->axis[last - 1];
    bool next_is_neighbour = across.plus == 1 && across.minus == 0;
    return next_is_neighbour && along.plus != 0 && along.minus == 0;
}

/* Do guards leave out whole rows, in runs of neighbours? */
static bool guards_rows(const Kernel *k, const Val *v)
{
    const int last = k->axes - 1;

    for (; v->kind == V_GUARD; v = v->arg[0]) {
        const Index *at = v->at ? v->at : &zero;
        if (v->size != 1 || at->parts > 0 || !coef_zero(at->axis[last]))
            return false;
        Coef across = at->axis[last - 1];
        if (across.plus > 1 || across.plus < 0 || across.minus != 0)
            return false;
    }
    return true;
}

const Val *val_guarded(const Val *v)
{
    while (v->kind == V_GUARD)
        v = v->arg[0];
    return v;
}

bool kernel_turns(const Program *p, const Kernel *k)
{
    const Store *s = &k->store[0];
    const int last = k->axes - 1;

    if (k->stores != 1 || s->val->type != T_FLOAT || !is_float32(p) || !is_unit(k, s->at))
        return false;
    if (s->at->parts > 0 || s->at->axis[last - 1].minus != 0)
        return false;
    return guards_rows(k, s->val) && reads_column(k, val_guarded(s->val));
}

/* How many lines that are `bytes` apart stay in the first cache? */
static int64_t lines_kept(int64_t bytes)
{
    int64_t sets = SETS;

    for (int64_t lines = bytes / LINE; sets > 1 && lines % 2 == 0; lines /= 2)
        sets /= 2;
    return sets * KEPT;
}

/* Is a column more lines than the first cache keeps? A processor fetches others ahead well. */
static bool overflows(const Program *p, const Kernel *k, const Val *v)
{
    const int last = k->axes - 1;
    int64_t size = v->type == T_INT || is_float32(p) ? 4 : 8;
    int64_t bytes = v->at->axis[last].plus * size;

    if (bytes <= 0 || bytes % LINE != 0)
        return false;
    return size_max(p->graph, k->extent[last]) > lines_kept(bytes);
}

/* A transposition, and what is computed of it: rows are written, and columns are read. In blocks
 * each line is read once, not once for each of its elements. */
static bool pays_in_blocks(const Program *p, const Kernel *k)
{
    bool some = false;

    if (!kernel_is_unordered(k) || k->axes < 2 || k->vector || k->half || k->late)
        return false;
    for (int i = 0; i < k->stores; i++)
        if (!writes_safely(p, k, &k->store[i]))
            return false;

    int64_t rows = size_max(p->graph, k->extent[k->axes - 2]);
    int64_t columns = size_max(p->graph, k->extent[k->axes - 1]);
    if (kernel_turns(p, k) && rows >= TURNED && columns >= TURNED)
        return true;
    for (int i = 0; i < k->vals; i++)
        some |= reads_column(k, k->val[i]) && overflows(p, k, k->val[i]);
    return some;
}

/* Not in the C of -O0, which is for readers, and not for starting values, which must have the same
 * bits everywhere. */
void program_vectors(Program *p)
{
    if (p->init || p->ngc->opt.optimize == 0)
        return;

    for (int i = 0; i < p->kernels; i++) {
        Kernel *k = p->kernel[i];
        if (!k->member) {
            choose_vectors(p, k, 0);
            find_late(p, k);
            k->blocked = pays_in_blocks(p, k);
            /* neither walks the innermost loop by itself */
            if (k->blocked || k->late)
                k->grid = 0;
        }

        for (int m = 0; m < k->members; m++) {
            Kernel *member = k->member[m];
            choose_vectors(p, member, k->axes);
            if (member->vector > k->vector)
                k->vector = member->vector;
        }
    }
}
