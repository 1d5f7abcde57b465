/* graph.c - nodes. They are made by the builders below and by nothing else: they check shapes, fold
 * constants, apply identities that hold for every value including NaN and infinity, and share equal
 * nodes. */
#include "graph/build.h"

#include <string.h>

/* ---- nodes: equal ones are shared ---- */

Graph *graph_new(Ngc *ngc)
{
    Graph *g = arena_alloc(ngc, sizeof *g);
    g->ngc = ngc;
    g->loc.file = -1;
    g->buckets = 1024;
    g->bucket = arena_array(ngc, g->buckets, sizeof *g->bucket);
    return g;
}

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 29;
}

static uint64_t node_hash(const Node *n)
{
    uint64_t h = mix((uint64_t)n->op << 8 | n->type, (uint64_t)n->shape.rank);
    for (int i = 0; i < n->shape.rank; i++)
        h = mix(h, (uint64_t)n->shape.dim[i]);

    /* The order of a commutative op's operands must not change the hash: it adds them. */
    bool commutative = node_has(n, F_COMMUTATIVE);
    uint64_t operands = 0;
    for (int i = 0; i < n->nargs; i++) {
        uint64_t x = mix(0, (uint64_t)arg_id(n, i));
        if (commutative)
            operands = operands + x;
        else
            operands = mix(operands, x);
    }

    h = mix(h, operands);
    return attr_hash(n, h);
}

static bool node_equal(const Node *a, const Node *b)
{
    if (a->op != b->op || a->type != b->type || a->nargs != b->nargs)
        return false;
    if (!shape_equal(a->shape, b->shape))
        return false;

    bool same = a->nargs == 0 || memcmp(a->arg, b->arg, (size_t)a->nargs * sizeof *a->arg) == 0;
    /* a + b is b + a */
    if (!same && node_has(a, F_COMMUTATIVE))
        same = a->arg[0] == b->arg[1] && a->arg[1] == b->arg[0];
    return same && attr_equal(a, b);
}

static void graph_rehash(Graph *g)
{
    g->buckets *= 4;
    g->bucket = arena_array(g->ngc, g->buckets, sizeof *g->bucket);
    for (int i = 0; i < g->count; i++) {
        /* not shared, so not found */
        if (g->node[i]->apart)
            continue;
        Node **b = &g->bucket[node_hash(g->node[i]) % (uint64_t)g->buckets];
        g->node[i]->chain = *b;
        *b = g->node[i];
    }
}

static bool leaves_loop(const Node *n)
{
    return n->op == OP_loop || n->op == OP_last || n->op == OP_passes || n->op == OP_collect;
}

/* A node is in the bodies that its operands are in. What leaves a loop is not in its body. */
static void note_loops(Node *n)
{
    for (int k = 0; k < n->nargs; k++)
        for (int l = 0; l < MAX_LEVELS; l++) {
            const Loop *in = n->arg[k]->in[l];
            if (in == NULL)
                continue;
            if (n->in[l] && n->in[l] != in)
                ngc_bug("node %d is in two loops of one level", n->id);
            n->in[l] = in;
        }

    /* after its own loop it is in those around */
    const Loop *own = n->attr.loop;
    if (leaves_loop(n))
        n->in[own->level] = NULL;
    else if (own)
        n->in[own->level] = own;
}

/* The node equal to this one, old or new. */
Node *graph_add(Graph *g, Node n, Node *const *arg)
{
    Ngc *ngc = g->ngc;
    /* the caller's array, until it is known that the node is new */
    n.arg = (Node **)arg;
    Node **b = &g->bucket[node_hash(&n) % (uint64_t)g->buckets];

    /* In literal mode only leaves are shared. */
    bool apart = ngc->opt.literal && n.nargs > 0;
    for (Node *old = *b; old && !apart; old = old->chain) {
        /* a named value keeps its name for itself until nothing can be asked with respect to it */
        bool shareable = !old->bound || g->final || old->nargs == 0;
        if (shareable && node_equal(old, &n))
            return old;
    }

    Node *made = arena_copy(ngc, &n, sizeof n);
    made->arg = LIST_COPY(ngc, arg, n.nargs);
    attr_keep(ngc, made);
    made->id = g->count;
    made->loc = g->loc;
    note_loops(made);
    range_find(g, made);
    made->chain = *b;
    *b = made;

    LIST_GROW(ngc, g->node, g->count, &g->room);
    g->node[g->count++] = made;
    if (g->count > 2 * g->buckets)
        graph_rehash(g);
    return made;
}

void graph_adopt(Graph *g, Node *n)
{
    n->id = g->count;
    n->apart = true;
    n->chain = NULL;
    LIST_GROW(g->ngc, g->node, g->count, &g->room);
    g->node[g->count++] = n;
}

const char *node_name(const Node *n)
{
    return n->op == OP_var ? n->attr.var->name : n->name;
}

bool node_const(const Node *n, double *value)
{
    while (n->op == OP_expand)
        n = n->arg[0];
    if (n->op != OP_const)
        return false;
    *value = n->attr.value;
    return true;
}

/* The transpose of a row or column moves nothing: it is a reshape. */
bool node_is_turned(const Node *n)
{
    if (n->op != OP_reshape || n->shape.rank != 2 || n->arg[0]->shape.rank != 2)
        return false;

    const Size *a = n->arg[0]->shape.dim;
    const Size *y = n->shape.dim;
    bool is_line = (a[0] == 1) != (a[1] == 1);
    return is_line && y[0] == a[1] && y[1] == a[0];
}

bool node_is(const Node *n, double value)
{
    double v;
    return node_const(n, &v) && v == value;
}

Node *graph_bind(Graph *g, Node *n, const char *name, int from)
{
    /* There is no gradient with respect to these: they may have several names. */
    double v;
    bool given = n->op == OP_var || n->op == OP_carried;
    bool leaf = node_has(n, F_LEAF) && !given;
    if (leaf || node_const(n, &v) || n->type == T_INT)
        return n;

    /* it has a name, or is older than this statement: the new name gets a node of its own */
    if (n->bound || given || n->op == OP_expand || n->id < from) {
        Node copy = {.op = OP_copy, .type = n->type, .shape = n->shape, .nargs = 1};
        n = graph_add(g, copy, &n);
    }

    n->bound = true;
    n->name = name;
    return n;
}

/* ---- leaves ---- */

Node *graph_const(Graph *g, double v)
{
    return graph_add(g, (Node){.op = OP_const, .type = T_FLOAT, .attr.value = v}, NULL);
}

Node *graph_int(Graph *g, int64_t v)
{
    return graph_add(g, (Node){.op = OP_const, .type = T_INT, .attr.value = (double)v}, NULL);
}

Node *graph_size(Graph *g, Size s)
{
    int64_t number;
    if (size_number(g, s, &number))
        return graph_const(g, (double)number);
    return graph_add(g, (Node){.op = OP_size, .type = T_FLOAT, .attr.size = s}, NULL);
}

Node *graph_data(Graph *g, Shape shape, Type type, const double *data)
{
    return graph_add(g, (Node){.op = OP_data, .type = type, .shape = shape, .attr.data = data},
                     NULL);
}

Node *graph_var(Graph *g, Var *v)
{
    return graph_add(g, (Node){.op = OP_var, .type = v->type, .shape = v->shape, .attr.var = v},
                     NULL);
}

Node *graph_full(Graph *g, Shape shape, double v)
{
    return graph_expand(g, graph_const(g, v), shape, all_axes(shape));
}

Node *graph_training(Graph *g)
{
    return graph_add(g, (Node){.op = OP_training, .type = T_FLOAT}, NULL);
}

Node *graph_random(Graph *g, Shape shape, Random kind, double a, double b, int stream)
{
    struct Attr attr = {.value = a, .value2 = b, .kind = kind, .stream = stream};
    return graph_add(g, (Node){.op = OP_random, .type = T_FLOAT, .shape = shape, .attr = attr},
                     NULL);
}

Node *graph_noise(Graph *g, Shape shape, Node *draws, int stream, Size pass)
{
    Node *arg[1 + MAX_LEVELS] = {draws};
    Node n = {.op = OP_noise,
              .type = T_FLOAT,
              .shape = shape,
              .nargs = 1 + graph_indices(g, &pass, 1, arg + 1),
              .attr = {.stream = stream, .size = pass}};
    return graph_add(g, n, arg);
}

Node *graph_noise_of_rows(Graph *g, const Node *noise, Node *draws)
{
    Node n = *noise;
    Node **arg = LIST_COPY(g->ngc, noise->arg, noise->nargs);

    n = (Node){.op = OP_noise, .type = n.type, .shape = n.shape, .nargs = n.nargs, .attr = n.attr};
    n.attr.kind = 1;
    arg[0] = draws;
    return graph_add(g, n, arg);
}

Node *graph_iota(Graph *g, Shape shape, int axis)
{
    return graph_add(g, (Node){.op = OP_iota, .type = T_INT, .shape = shape, .attr.axis = axis},
                     NULL);
}

/* ---- rebuilding, order, checks ---- */

Node **graph_operands(Graph *g, const Node *n, Node *const *now)
{
    Node **arg = arena_array(g->ngc, n->nargs + 1, sizeof *arg);

    for (int k = 0; k < n->nargs; k++)
        arg[k] = now[arg_id(n, k)];
    return arg;
}

Node *graph_rebuild(Graph *g, Node *n, Node *const *now)
{
    Node **arg = graph_operands(g, n, now);

    for (int k = 0; k < n->nargs; k++)
        if (arg[k] != n->arg[k])
            return graph_copy(g, n, arg);
    return n;
}

Node *graph_copy(Graph *g, const Node *n, Node *const *arg)
{
    const OpInfo *info = op_info[n->op];
    /* attributes are in the record's own copy */
    if (info->copy)
        return info->copy(g, n, arg);

    if (info->flags & F_LEAF)
        return (Node *)n;
    if (n->nargs == 1)
        return graph_unary(g, n->op, arg[0]);
    return graph_binary(g, n->op, arg[0], arg[1]);
}

int *graph_uses(Graph *g, Node *const *root, int roots)
{
    int *uses = arena_array(g->ngc, g->count + 1, sizeof *uses);
    for (int i = 0; i < roots; i++)
        uses[root[i]->id]++;

    /* only what is used uses others */
    for (int i = g->count - 1; i >= 0; i--) {
        const Node *n = g->node[i];
        for (int k = 0; uses[i] && k < n->nargs; k++)
            uses[arg_id(n, k)]++;
    }
    return uses;
}

/* Is it a leaf of this loop, with one shape before, in and after a pass? */
static void verify_variable(const Graph *g, const Node *loop, int i)
{
    const Node *leaf = loop_leaf(loop, i);
    Shape init = loop_init(loop, i)->shape;
    Shape next = loop_next(loop, i)->shape;
    bool is_own = leaf->op == OP_carried && leaf->attr.loop == loop->attr.loop;

    if (!is_own || !shape_equal(leaf->shape, init) || !shape_equal(leaf->shape, next))
        ngc_bug("node %d (loop): variable %d is not one: %s, %s", loop->id, i, shape_text(g, init),
                shape_text(g, next));
}

/* What leaves a loop leaves it alone: the loops around are the same. A variable keeps its shape. */
static void verify_loop(const Graph *g, const Node *n)
{
    const char *name = op_info[n->op]->name;
    const Node *loop = n;
    if (n->op == OP_passes)
        loop = n->arg[0];
    else if (n->op != OP_loop)
        loop = n->arg[1];

    if (loop->op != OP_loop || loop->attr.loop != n->attr.loop)
        ngc_bug("node %d (%s): it is of another loop", n->id, name);
    for (int k = 0; k < n->nargs; k++)
        for (int l = 0; l < n->attr.loop->level; l++) {
            const Node *x = n->arg[k];
            if (x->in[l] && x->in[l] != loop->in[l])
                ngc_bug("node %d (%s): operand %d changes in a loop around it", n->id, name, x->id);
        }

    for (int i = 0; n->op == OP_loop && i < loop_variables(n); i++)
        verify_variable(g, n, i);
}

/* Operands come before their users; those of an elementwise op have its shape. */
static void verify_operand(const Graph *g, const Node *n, int k)
{
    const OpInfo *info = op_info[n->op];
    const Node *x = n->arg[k];

    if (x->id >= n->id)
        ngc_bug("node %d (%s): operand %d comes later", n->id, info->name, x->id);
    if (info->flags & F_ELEMENTWISE && !shape_equal(n->shape, x->shape))
        ngc_bug("node %d (%s): operand %d has shape %s, not %s", n->id, info->name, k,
                shape_text(g, x->shape), shape_text(g, n->shape));
}

static void verify_node(const Graph *g, const Node *n)
{
    const OpInfo *info = op_info[n->op];

    if (info->arity >= 0 && info->arity != n->nargs)
        ngc_bug("node %d (%s): bad place or arity", n->id, info->name);
    for (int k = 0; k < n->nargs; k++)
        verify_operand(g, n, k);

    if (info->flags & F_REDUCE && attr_used(n, A_AXES)) {
        Shape left = shape_without(n->arg[0]->shape, n->attr.axes);
        if (!shape_equal(n->shape, left))
            ngc_bug("node %d (%s): wrong shape", n->id, info->name);
    }
    if (leaves_loop(n))
        verify_loop(g, n);

    /* Attributes that the record does not list are not compared: different nodes would be shared.
     */
    AttrName stray = attr_stray(n);
    if (stray != A_COUNT)
        ngc_bug("node %d (%s): attribute %d is not in its record", n->id, info->name, stray);
}

void graph_verify(const Graph *g)
{
    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];

        if (n->id != i)
            ngc_bug("node %d (%s): bad place or arity", i, op_info[n->op]->name);
        verify_node(g, n);
    }
}

/* ---- a model's roots ---- */

/* Otherwise they stay in the order they were made in. */
void model_order_vars(Model *m)
{
    Var **old = LIST_COPY(m->graph->ngc, m->var, m->vars);
    int n = 0;
    for (VarKind k = VAR_INPUT; k < VAR_KINDS; k++)
        for (int i = 0; i < m->vars; i++)
            if (old[i]->kind == k) {
                old[i]->index = n;
                m->var[n++] = old[i];
            }
}

Node **model_roots(const Model *m)
{
    Node **root = arena_array(m->graph->ngc, m->roots + 1, sizeof *root);
    for (int i = 0; i < m->roots; i++)
        root[i] = m->root[i].node;
    return root;
}

int *model_uses(const Model *m)
{
    return graph_uses(m->graph, model_roots(m), m->roots);
}

Node **model_take_roots(const Model *m, int *count)
{
    Node **root = arena_array(m->graph->ngc, m->roots + m->vars + 1, sizeof *root);
    int n = 0;

    for (int i = 0; i < m->roots; i++)
        root[n++] = m->root[i].node;
    for (int i = 0; i < m->vars; i++)
        if (m->var[i]->init)
            root[n++] = m->var[i]->init;
    *count = n;
    return root;
}

void model_put_roots(Model *m, Node *const *root)
{
    int n = 0;

    for (int i = 0; i < m->roots; i++)
        m->root[i].node = root[n++];
    for (int i = 0; i < m->vars; i++)
        if (m->var[i]->init)
            m->var[i]->init = root[n++];
}

/* ---- provenance: what readers learn about a node ---- */

/* m takes n's name and place in the text, if it has no name. A user's name is worth more than that
 * of a derivative. */
static void take_name(Node *m, const Node *n)
{
    bool users = m->derived && !n->derived;
    if ((m->name && !users) || !n->name || m->op == OP_var || m->bound)
        return;
    m->name = n->name;
    m->loc = n->loc;
    /* it is now the value of a line of the text */
    m->derived = false;
}

void node_rewrites(Node *m, const Node *n, int first)
{
    if (m == n || m->id < first)
        return;
    if (!m->step)
        m->step = n->step;
    if (!m->why)
        m->why = n->why;
    m->derived |= n->derived;
    m->scaled |= n->scaled;
    m->again |= n->again;
}

Node *node_because(Node *n, const char *why)
{
    if (!n->why)
        n->why = why;
    return n;
}

void node_replaces(Node *m, const Node *n, int first)
{
    if (m != n)
        take_name(m, n);
    node_rewrites(m, n, first);
}

void graph_replace(Graph *g, Node **root, int roots, const int *uses, Better *better, void *with)
{
    int count = g->count;
    Node **now = arena_array(g->ngc, count + 1, sizeof *now);
    Loc loc = g->loc;

    for (int i = 0; i < count; i++) {
        Node *n = g->node[i];
        int made = g->count;
        if (!uses[i])
            continue;

        g->loc = n->loc;
        now[i] = better(g, n, now, with);
        if (now[i] == NULL)
            now[i] = graph_rebuild(g, n, now);
        node_replaces(now[i], n, made);
    }

    g->loc = loc;
    for (int i = 0; i < roots; i++)
        root[i] = now[root[i]->id];
}
