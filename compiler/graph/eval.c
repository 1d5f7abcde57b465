/* eval.c - the reference interpreter. It computes the value of a node in double precision, by the
 * node's record, as plainly as possible. Emitted code is tested against it, and `ngc run` and
 * `ngc check` print its values. */
#include "graph/eval.h"

#include <string.h>

static void eval_leaf(Eval *e, const Node *n, double *out, int64_t count)
{
    const struct Attr *at = &n->attr;
    size_t bytes = (size_t)count * sizeof *out;

    switch (n->op) {
    case OP_const: *out = at->value; break;
    case OP_size: *out = (double)size_at(e->graph, at->size, e->dim); break;
    case OP_training: *out = e->training; break;
    case OP_index: *out = (double)e->dim[index_dim(at->loop)]; break;
    case OP_data: memcpy(out, at->data, bytes); break;
    case OP_var: memcpy(out, e->var[at->var->index], bytes); break;
    default: op_info[n->op]->eval(n, e, out);
    }
}

/* The sum of ints is taken modulo 2^32. */
static void eval_sum_around(const Node *n, double *out, int64_t count)
{
    for (int64_t i = 0; n->op == OP_sum && i < count; i++)
        out[i] = int_around(out[i]);
}

/* ---- values that are held ---- */

/* The values of an OP_stop, in the order in which they were computed. */
typedef struct Held {
    double **value;
    int count, room;
    int next; /* how many were asked for since eval_forget */
} Held;

void eval_hold(Eval *e)
{
    e->held = arena_array(e->ngc, e->nodes + 1, sizeof *e->held);
}

void eval_release(Eval *e)
{
    e->held = NULL;
}

bool eval_holds(const Eval *e)
{
    for (int i = 0; e->held && i < e->nodes; i++)
        if (e->held[i].count > 0)
            return true;
    return false;
}

/* The value of an OP_stop: out is what its operand is now. */
static void hold(Eval *e, const Node *n, double *out, int64_t count)
{
    Held *h = &e->held[n->id];
    size_t size = (size_t)count * sizeof *out;

    if (h->next == h->count) {
        LIST_GROW(e->ngc, h->value, h->count, &h->room);
        h->value[h->count++] = arena_copy(e->ngc, out, size);
    }
    memcpy(out, h->value[h->next++], size);
}

static void eval_one(Eval *e, const Node *n, double *out)
{
    const OpInfo *info = op_info[n->op];
    int64_t count = eval_count(e, n->shape);

    if (info->flags & F_LEAF) {
        eval_leaf(e, n, out, count);
        return;
    }
    bool around = n->type == T_INT && !e->exact_ints;
    if (info->eval) {
        info->eval(n, e, out);
        if (around)
            eval_sum_around(n, out, count);
        return;
    }

    /* Elementwise: up to three operands of the result's shape. */
    for (int64_t i = 0; i < count; i++) {
        double in[3] = {0};
        for (int k = 0; k < n->nargs; k++)
            in[k] = e->value[arg_id(n, k)][i];
        if (around)
            out[i] = op_value_int(n->op, in);
        else
            out[i] = info->value(in[0], in[1], in[2]);
    }
    if (n->op == OP_stop && e->held)
        hold(e, n, out, count);
}

Eval *eval_new(Ngc *ngc, Model *m)
{
    Graph *g = m->graph;
    Eval *e = arena_alloc(ngc, sizeof *e);
    e->ngc = ngc;
    e->graph = g;
    e->nodes = g->count;
    e->model = m;
    e->var = arena_array(ngc, m->vars + 1, sizeof *e->var);
    e->value = arena_array(ngc, g->count + 1, sizeof *e->value);
    e->known = arena_alloc(ngc, (size_t)(g->count + 1));
    e->need = arena_alloc(ngc, (size_t)(g->count + 1));
    e->loop = arena_array(ngc, g->count + 1, sizeof *e->loop);
    return e;
}

/* Marks what is needed for the nodes that are marked, and is not known. Returns the first such
 * node; end: there is none. open: the number of marked nodes, all of them before end. */
static int mark_needed(Eval *e, int open, int end)
{
    Graph *g = e->graph;
    int first = end;

    for (int i = end - 1; open > 0; i--) {
        if (!e->need[i])
            continue;
        open--;
        first = i;

        for (int k = 0; k < g->node[i]->nargs; k++) {
            int a = arg_id(g->node[i], k);
            bool again = g->node[a]->op == OP_loop; /* another value leaves it */
            if ((e->known[a] && !again) || e->need[a])
                continue;
            e->need[a] = true;
            open++;
        }
    }
    return first;
}

/* Room for the elements of n. */
static double *room_of(Eval *e, const Node *n)
{
    if (!e->value[n->id]) {
        size_t count = (size_t)eval_count(e, n->shape) + 1;
        e->value[n->id] = arena_array(e->ngc, count, sizeof **e->value);
    }
    return e->value[n->id];
}

/* ---- loops ---- */

/* One loop, while it is run. */
typedef struct EvalLoop {
    Eval *e;
    int round; /* of eval_node, for which this was found out */
    const Node *loop;
    const Loop *of;
    const Node *
        *in; /* its body, without the bodies of loops inside it; first what the test needs */
    int count, room;
    int tested;       /* what the test needs */
    const Node **out; /* the nodes that collect from it, and are needed */
    int outs, out_room;
    double **next; /* by variable: its next value */
} EvalLoop;

static void eval_body(Eval *e, const Node *n);

/* By id: what is collected from the loop, and made after it. A node of the body that is neither of
 * these nor older than the loop is of another form of it, with the same leaves. */
static bool *collected_later(const EvalLoop *p)
{
    const Eval *e = p->e;
    bool *later = arena_alloc(e->ngc, (size_t)e->nodes + 1);

    for (int i = e->nodes - 1; i > p->loop->id; i--) {
        const Node *n = e->graph->node[i];
        bool collects = n->op == OP_collect && n->arg[1] == p->loop && e->need[i];
        for (int k = 0; (collects || later[i]) && k < n->nargs; k++)
            later[arg_id(n, k)] = true;
    }
    return later;
}

/* Of the nodes that are needed: the body of the loop, and what collects from it. */
static void find_body(EvalLoop *p)
{
    const Graph *g = p->e->graph;
    Eval *e = p->e;
    const bool *later = collected_later(p);

    p->count = p->outs = 0;
    for (int i = 0; i < e->nodes; i++) {
        const Node *n = g->node[e->order[i]];
        if (!e->need[n->id])
            continue;
        LIST_GROW(e->ngc, p->in, p->count, &p->room);
        LIST_GROW(e->ngc, p->out, p->outs, &p->out_room);
        bool of_this = n->id < p->loop->id || later[n->id];
        if (node_loop(n) == p->of && n->op != OP_carried && of_this)
            p->in[p->count++] = n;
        if (n->op == OP_collect && n->arg[1] == p->loop)
            p->out[p->outs++] = n;
    }
}

/* What the test needs comes first: without a further pass, the rest of it may not be computable, as
 * an index may be out of range. */
static void put_test_first(EvalLoop *p)
{
    Eval *e = p->e;
    const Node *test = loop_test(p->loop);
    const Node **in;
    bool *needs;
    int n = 0;

    p->tested = 0;
    if (!test)
        return;
    needs = arena_alloc(e->ngc, (size_t)e->nodes);
    in = arena_array(e->ngc, p->room + 1, sizeof *in);
    needs[test->id] = true;
    for (int i = e->nodes - 1; i >= 0; i--) {
        const Node *x = e->graph->node[e->order[i]];
        for (int k = 0; needs[x->id] && k < x->nargs; k++)
            needs[arg_id(x, k)] = true;
    }

    for (int i = 0; i < p->count; i++)
        if (needs[p->in[i]->id])
            in[n++] = p->in[i];
    p->tested = n;
    for (int i = 0; i < p->count; i++)
        if (!needs[p->in[i]->id])
            in[n++] = p->in[i];
    p->in = in;
}

/* out += the value of this pass at its place */
static void add_part(Eval *e, const Node *collect)
{
    const Node *a = collect->arg[0];
    const double *in = e->value[a->id];
    double *out = e->value[collect->id];
    int64_t dim[MAX_RANK], from[MAX_RANK], index[MAX_RANK] = {0}, at[MAX_RANK], i = 0;

    eval_shape(e, collect->shape, dim);
    if (eval_shape(e, a->shape, from) == 0)
        return;
    do {
        strided_place(collect, e, index, at);
        out[index_at(a->shape.rank, dim, at)] += in[i++];
    } while (index_next(a->shape.rank, from, index));
}

static void copy_value(Eval *e, const Node *to, const Node *from)
{
    size_t count = (size_t)eval_count(e, from->shape);

    memcpy(room_of(e, to), e->value[from->id], count * sizeof **e->value);
}

/* All variables at once: a new value may be another's old one. */
static void next_values(EvalLoop *p)
{
    Eval *e = p->e;

    for (int i = 0; i < loop_variables(p->loop); i++) {
        const Node *n = loop_next(p->loop, i);
        memcpy(p->next[i], e->value[n->id], (size_t)eval_count(e, n->shape) * sizeof **p->next);
    }
    for (int i = 0; i < loop_variables(p->loop); i++) {
        const Node *leaf = loop_leaf(p->loop, i);
        memcpy(e->value[leaf->id], p->next[i],
               (size_t)eval_count(e, leaf->shape) * sizeof **p->next);
    }
}

/* One pass; false: the test says that there is none. */
static bool eval_pass(EvalLoop *p, int64_t number)
{
    Eval *e = p->e;
    const Node *test = loop_test(p->loop);

    e->dim[index_dim(p->of)] = number;
    for (int i = 0; i < p->tested; i++)
        eval_body(e, p->in[i]);
    if (test && e->value[test->id][0] == 0)
        return false;
    for (int i = p->tested; i < p->count; i++)
        eval_body(e, p->in[i]);

    for (int i = 0; i < p->outs; i++)
        add_part(e, p->out[i]);
    if (e->watch)
        e->watch(e->watcher, p->loop, p->in, p->count);
    next_values(p);
    return true;
}

/* What is known of a loop in this round. A loop in the body of another is run many times. */
static EvalLoop *loop_of(Eval *e, const Node *loop)
{
    Ngc *ngc = e->ngc;
    EvalLoop *p = e->loop[loop->id];
    int count = loop_variables(loop);

    if (!p) {
        p = e->loop[loop->id] = arena_alloc(ngc, sizeof *p);
        *p = (EvalLoop){.e = e, .loop = loop, .of = loop->attr.loop};
        p->next = arena_array(ngc, count + 1, sizeof *p->next);
        for (int i = 0; i < count; i++) {
            size_t size = (size_t)eval_count(e, loop_next(loop, i)->shape) + 1;
            p->next[i] = arena_array(ngc, size, sizeof **p->next);
        }
    }
    if (p->round != e->round) {
        p->round = e->round;
        find_body(p);
        put_test_first(p);
    }
    return p;
}

/* The passes of a loop, and what they collect. */
static void eval_loop(Eval *e, const Node *loop)
{
    EvalLoop *p = loop_of(e, loop);
    const Node *count = loop_count(loop);
    int64_t *index = &e->dim[index_dim(p->of)];
    int64_t before = *index;
    int64_t passes = size_at(e->graph, p->of->passes, e->dim);
    if (count)
        passes = (int64_t)e->value[count->id][0];

    /* before the first pass: starting values, and zeros for what is collected */
    for (int i = 0; i < loop_variables(loop); i++)
        copy_value(e, loop_leaf(loop, i), loop_init(loop, i));
    for (int i = 0; i < p->outs; i++) {
        const Node *out = p->out[i];
        size_t elements = (size_t)eval_count(e, out->shape);
        memset(room_of(e, out), 0, elements * sizeof **e->value);
    }

    int64_t done = 0;
    while (done < passes) {
        int64_t pass = done;
        if (p->of->down)
            pass = passes - 1 - done;
        if (!eval_pass(p, pass))
            break;
        done++;
    }
    room_of(e, loop)[0] = (double)done;
    *index = before;
}

/* ---- all that a node needs ---- */

static void eval_body(Eval *e, const Node *n)
{
    if (n->op == OP_loop)
        eval_loop(e, n);
    else if (n->op == OP_last)
        copy_value(e, n, n->arg[0]);
    else if (n->op == OP_passes)
        copy_value(e, n, n->arg[0]);
    else if (n->op != OP_collect)
        eval_one(e, n, room_of(e, n));
}

static bool needs_loop(const Eval *e, int first, int end)
{
    for (int i = first; i < end; i++)
        if (e->need[i] && e->graph->node[i]->op == OP_loop)
            return true;
    return false;
}

/* Marks the nodes that are not known. Returns how many; *end: they are before it. */
static int mark_asked(Eval *e, Node *const *n, int count, int *end)
{
    int open = 0;

    *end = 0;
    for (int i = 0; i < count; i++) {
        if (e->known[n[i]->id] || e->need[n[i]->id])
            continue;
        e->need[n[i]->id] = true;
        open++;
        if (n[i]->id >= *end)
            *end = n[i]->id + 1;
    }
    return open;
}

/* Operands precede their users: one loop down marks what is needed, one loop up computes it. What
 * is in the body of a loop is computed in its passes, and not known after it. */
void eval_nodes(Eval *e, Node *const *n, int count)
{
    int last;
    int open = mark_asked(e, n, count, &last);
    int first = mark_needed(e, open, last);
    bool loops = needs_loop(e, first, last); /* then the order is not that of the ids */
    int from = loops ? 0 : first;
    int end = loops ? e->nodes : last;

    if (loops && !e->order)
        e->order = graph_order(e->graph);
    e->round++;
    for (int i = from; i < end; i++) {
        const Node *x = e->graph->node[loops ? e->order[i] : i];
        if (!e->need[x->id] || node_loop(x))
            continue;
        eval_body(e, x);
        e->known[x->id] = true;
    }
    memset(e->need + first, 0, (size_t)(last - first));
}

const double *eval_node(Eval *e, Node *n)
{
    eval_nodes(e, &n, 1);
    return e->value[n->id];
}

void eval_forget(Eval *e)
{
    memset(e->known, 0, (size_t)e->nodes);
    for (int i = 0; e->held && i < e->nodes; i++)
        e->held[i].next = 0;
}
