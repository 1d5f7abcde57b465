/* op_given.c - record of `given`: a value whose derivative the user gives, by the backward part of
 * a def. Its value is that of operand 0, to which nothing flows back. The other operands are the
 * tensors that the def was called with; the backward part says what flows back to them.
 *
 * A backward part is lowered when the def is called, on leaves (Given). Here it is copied onto the
 * node, its operands and the adjoint that a sweep has found. What is copied are nodes like any
 * others, so it can be differentiated again: the result in it is the node `given` itself. */
#include "graph/eval.h"

#include <string.h>

/* ---- a backward part, when it was lowered ---- */

static bool is_inside(const Given *r, const Node *n)
{
    return n->id >= r->first && n->id < r->end;
}

/* Does each element of dx depend on only that element of the adjoint? It does if all between them
 * are elementwise. on_path: by id - first: is the adjoint used? */
static bool find_by_element(const Graph *g, const Given *r, const Node *dx)
{
    if (!is_inside(r, dx) || !shape_equal(dx->shape, r->dy->shape))
        return false;

    int first = r->first;
    int nodes = r->end - first;
    bool *on_path = arena_array(g->ngc, nodes, sizeof *on_path);
    bool *used = arena_array(g->ngc, nodes, sizeof *used);

    /* what is computed from the adjoint */
    for (int i = 0; i < nodes; i++) {
        const Node *n = g->node[first + i];
        on_path[i] = n == r->dy;
        for (int k = 0; k < n->nargs; k++)
            if (is_inside(r, n->arg[k]))
                on_path[i] |= on_path[arg_id(n, k) - first];
    }

    /* of that, what dx is computed from */
    used[dx->id - first] = true;
    for (int i = dx->id - first; i >= 0; i--) {
        const Node *n = g->node[first + i];
        if (!used[i] || !on_path[i] || n == r->dy)
            continue;
        if (!node_has(n, F_ELEMENTWISE))
            return false;
        for (int k = 0; k < n->nargs; k++)
            if (is_inside(r, n->arg[k]))
                used[arg_id(n, k) - first] = true;
    }
    return true;
}

/* A value of a loop around the call changes from pass to pass, and where the loop is computed again
 * another node has it: so it is an operand. */
static void add_outer(Graph *g, Given *r, Node *n)
{
    if (is_inside(r, n) || !node_loop(n))
        return;
    for (int i = 0; i < r->outers; i++)
        if (r->outer[i] == n)
            return;
    LIST_GROW(g->ngc, r->outer, r->outers, &r->outer_room);
    r->outer[r->outers++] = n;
}

static void find_outers(Graph *g, Given *r)
{
    for (int i = r->first; i < r->end; i++) {
        const Node *n = g->node[i];
        for (int k = 0; k < n->nargs; k++)
            add_outer(g, r, n->arg[k]);
    }
    for (int k = 0; k < r->count; k++)
        add_outer(g, r, r->tensor[k].dx);
}

/* Its nodes have no names: these would be the same in every copy, and no gradient is asked for with
 * respect to them. */
void given_close(Graph *g, Given *r)
{
    r->end = g->count;
    for (int i = r->first; i < r->end; i++)
        g->node[i]->name = NULL;
    for (int k = 0; k < r->count; k++)
        r->tensor[k].by_element = find_by_element(g, r, r->tensor[k].dx);
    find_outers(g, r);
}

/* ---- copied into a sweep ---- */

/* What n means in the derivative of y, if it is a leaf of the backward part or an operand; else
 * NULL.
 */
static Node *meaning(const Given *r, const Node *n, const Node *y, Node *dy)
{
    if (n == r->dy)
        return dy;
    if (n == r->y)
        return (Node *)y;
    for (int k = 0; k < r->count; k++)
        if (n == r->tensor[k].leaf)
            return y->arg[1 + k];
    for (int k = 0; k < r->outers; k++)
        if (n == r->outer[k])
            return y->arg[1 + r->count + k];
    return NULL;
}

/* What n is now; now: of the nodes inside, by id - first. */
static Node *now_of(const Node *y, Node *n, Node *const *now)
{
    const Given *r = y->attr.given;
    if (is_inside(r, n))
        return now[n->id - r->first];

    Node *operand = meaning(r, n, y, NULL);
    return operand ? operand : n;
}

/* n with its operands as they are now. */
static Node *copied(Graph *g, const Node *y, Node *n, Node *const *now)
{
    Node **arg = arena_array(g->ngc, n->nargs + 1, sizeof *arg);
    bool same = true;
    int made = g->count;

    for (int k = 0; k < n->nargs; k++) {
        arg[k] = now_of(y, n->arg[k], now);
        same &= arg[k] == n->arg[k];
    }
    if (same)
        return n;

    Node *m = graph_copy(g, n, arg);
    if (m->id >= made)
        m->scaled |= n->scaled;
    return m;
}

/* Marks what the adjoints need, by id - first. */
static bool *needed_of(const Graph *g, const Given *r)
{
    int first = r->first;
    bool *needed = arena_array(g->ngc, r->end - first + 1, sizeof *needed);

    for (int k = 0; k < r->count; k++) {
        const Node *dx = r->tensor[k].dx;
        if (is_inside(r, dx))
            needed[dx->id - first] = true;
    }

    for (int i = r->end - 1; i >= first; i--) {
        const Node *n = g->node[i];
        for (int k = 0; needed[i - first] && k < n->nargs; k++)
            if (is_inside(r, n->arg[k]))
                needed[arg_id(n, k) - first] = true;
    }
    return needed;
}

static void back_given(Graph *g, const Node *y, Node *dy, Node **dx)
{
    const Given *r = y->attr.given;
    bool *needed = needed_of(g, r);
    Node **now = arena_array(g->ngc, r->end - r->first + 1, sizeof *now);

    for (int i = r->first; i < r->end; i++) {
        Node *n = g->node[i];
        if (!needed[i - r->first])
            continue;
        Node *leaf = meaning(r, n, y, dy);
        now[i - r->first] = leaf ? leaf : copied(g, y, n, now);
    }

    dx[0] = NULL;
    for (int k = 0; k < r->count; k++)
        dx[1 + k] = now_of(y, r->tensor[k].dx, now);
}

/* Is operand k one of the tensors that the def was called with? */
static bool is_tensor(const Node *y, int k)
{
    return y->op == OP_given && k > 0 && k <= y->attr.given->count;
}

bool given_by_element(const Node *y, int k)
{
    return is_tensor(y, k) && y->attr.given->tensor[k - 1].by_element;
}

static Risk risk_given(const Node *y, int operand)
{
    if (!given_by_element(y, operand))
        return RISK_NONE;
    return y->attr.given->tensor[operand - 1].dx->trained.risk;
}

/* ---- where backward parts are ---- */

static bool has_given(const Graph *g, const int *uses)
{
    for (int i = 0; i < g->count; i++)
        if (uses[i] && g->node[i]->op == OP_given)
            return true;
    return false;
}

/* The first operand to which something may flow back. */
static int first_way(const Node *n)
{
    return n->op == OP_given ? 1 : 0;
}

/* By id: does y flow back to it? */
static bool *below_of(const Graph *g, const Node *y)
{
    bool *below = arena_array(g->ngc, g->count + 1, sizeof *below);

    below[y->id] = true;
    for (int i = y->id; i >= 0; i--) {
        const Node *n = g->node[i];
        for (int k = first_way(n); below[i] && k < n->nargs; k++)
            below[arg_id(n, k)] = true;
    }
    return below;
}

/* Does something flow back to x from a variable of the loop, by what it is before the first pass or
 * after one? Marks it; true: there is a new one. */
static bool mark_variables(bool *above, const Node *loop)
{
    bool more = false;

    for (int v = 0; v < loop_variables(loop); v++) {
        bool *leaf = &above[loop_leaf(loop, v)->id];
        bool some = above[loop_init(loop, v)->id] || above[loop_next(loop, v)->id];
        more |= some && !*leaf;
        *leaf |= some;
    }
    return more;
}

/* By id: does it flow back to x? */
static bool *above_of(const Graph *g, const Node *x)
{
    bool *above = arena_alloc(g->ngc, (size_t)g->count + 1);
    bool more = true;

    above[x->id] = true;
    while (more) {
        more = false;
        for (int i = 0; i < g->count; i++) {
            const Node *n = g->node[i];
            for (int k = first_way(n); k < n->nargs; k++)
                above[i] |= above[arg_id(n, k)];
            more |= n->op == OP_loop && mark_variables(above, n);
        }
    }
    return above;
}

/* Is the rule the library's own, and not the user's? */
static bool is_of_library(const Ngc *ngc, const Given *r)
{
    return loc_of_library(ngc, r->loc);
}

const char *given_names(Graph *g, Node *y, const Node *x, Loc *first)
{
    Ngc *ngc = g->ngc;
    if (!has_given(g, graph_uses(g, &y, 1)))
        return NULL;
    const bool *below = below_of(g, y);
    const bool *above = above_of(g, x);
    Table seen = {0};
    Text of[2] = {{.ngc = ngc}, {.ngc = ngc}}; /* the user's, the library's */

    for (int i = 0; i <= y->id; i++) {
        const Node *n = g->node[i];
        if (n->op != OP_given || !below[i] || !above[i])
            continue;

        const Given *r = n->attr.given;
        if (++*table_at(ngc, &seen, r->name) > 1)
            continue;
        bool is_library = is_of_library(ngc, r);
        if (!of[0].at && !of[1].at)
            *first = is_library ? n->loc : r->loc;

        Text *list = &of[is_library];
        text_add(list, "%s%s", text_if(list->at, ", "), r->name);
    }

    const char *users = of[0].at;
    const char *library = of[1].at;
    if (!users && !library)
        return NULL;
    if (!library)
        return text_format(ngc, "that the user gives in %s", users);
    if (!users)
        return text_format(ngc, "of the library for %s", library);
    return text_format(ngc, "that the user gives in %s, and of the library for %s", users, library);
}

/* ---- when no gradient is asked for any more ---- */

static Node *without_given(Graph *g, Node *n, Node *const *now, void *with)
{
    (void)g;
    (void)with;
    if (n->op == OP_given)
        return now[arg_id(n, 0)];
    return NULL;
}

void graph_drop_given(Graph *g, Node **root, int roots)
{
    int *uses = graph_uses(g, root, roots);

    if (has_given(g, uses))
        graph_replace(g, root, roots, uses, without_given, NULL);
}

/* ---- the record ---- */

static void eval_given(const Node *n, Eval *e, double *out)
{
    size_t count = (size_t)eval_count(e, n->shape);
    memcpy(out, e->value[arg_id(n, 0)], count * sizeof *out);
}

static Node *copy_given(Graph *g, const Node *n, Node *const *arg)
{
    return graph_given(g, n->attr.given, arg);
}

static const char *said_given(Ngc *ngc, const Node *y, int operand)
{
    (void)ngc;
    if (is_tensor(y, operand))
        return y->attr.given->tensor[operand - 1].said;
    return NULL;
}

static const char *taught_given(Ngc *ngc, const Node *n)
{
    const Given *r = n->attr.given;
    if (is_of_library(ngc, r))
        return text_format(ngc, "rule of the library for %s: %s", r->name, r->text);
    return text_format(ngc, "rule given by the user in %s, line %d: %s", r->name,
                       source_line(ngc, r->loc, NULL), r->text);
}

const OpInfo op_given = {.name = "given",
                         .attrs = 1 << A_GIVEN,
                         .arity = -1,
                         .copy = copy_given,
                         .flags = F_SAME,
                         .eval = eval_given,
                         .back = back_given,
                         .said = said_given,
                         .risk = risk_given,
                         .taught = taught_given};
