/* lower_expr.c - expressions, executed at compile time: in, a syntax tree; out, a Value. */
#include "lang/lower.h"

#include <string.h>

/* ---- limits: expansion must end, and soon ---- */

enum { MAX_WORK = 200000 };
#ifdef __wasi__
enum { MAX_NEST = 500 }; /* the stack of a browser's worker is small, and cannot be asked for */
#else
enum { MAX_NEST = 2000 };
#endif

static bool stop_here(Lower *L, Loc loc, const char *what, int limit)
{
    const struct Expanding *loop = L->expanding;

    if (!L->stopped) {
        Diag *d = lower_error(L, ERR_MODEL_SIZE, loc,
                              "%s: more than %d; calls and loops are expanded at compile time",
                              what, limit);
        if (loop && loop->why)
            diag_note(L->ngc, d, loop->why_loc, "the loop is expanded: %s", loop->why);
    }
    L->stopped = true;
    return false;
}

const char *stack_place(void)
{
    return __builtin_frame_address(0);
}

/* Does recursion take more of the stack than it may? A stack grows up or down. */
static bool is_stack_full(const Lower *L)
{
    uintptr_t from = (uintptr_t)L->stack;
    uintptr_t to = (uintptr_t)stack_place();

    return L->stack_room && (from > to ? from - to : to - from) > L->stack_room;
}

bool lower_enter(Lower *L, Loc loc)
{
    if (L->nest >= MAX_NEST || is_stack_full(L))
        stop_here(L, loc, "calls, blocks and operations inside one another", L->nest);
    L->nest += !L->stopped;
    return !L->stopped;
}

bool lower_fits(Lower *L, Loc loc)
{
    int given = L->ngc->opt.operations;

    if (L->g->count > L->most)
        stop_here(L, loc, "operations", given ? given : MOST_OPERATIONS);
    return !L->stopped;
}

bool lower_work(Lower *L, Loc loc)
{
    if (++L->work > MAX_WORK)
        stop_here(L, loc, "calls and passes of loops", MAX_WORK);
    return lower_fits(L, loc);
}

/* ---- operators ---- */

static void label_operands(Lower *L, Diag *d, const Expr *x, const Node *a, const Node *b)
{
    label_operand(L, d, x->a, a, "");
    label_operand(L, d, x->b, b, "");
}

static Node *product_error(Lower *L, const Expr *x, Node *a, Node *b, Size inner_a, Size inner_b)
{
    Graph *g = L->g;
    Diag *d = lower_error(L, ERR_INNER_DIMS, x->at, "matmul: inner dimensions differ, %s and %s",
                          size_text(g, inner_a, ""), size_text(g, inner_b, ""));

    /* The shape of b with the size that would fit. */
    Shape fit = b->shape;
    int inner = max_int(fit.rank - 2, 0);
    fit.dim[inner] = inner_a;
    const char *advice = text_format(L->ngc, "; %s would fit", shape_text(g, fit));
    label_operand(L, d, x->a, a, "");
    label_operand(L, d, x->b, b, advice);
    return NULL;
}

/* The shape of the batch of matrices [..., r, c]. */
static Shape batch_shape(const Node *n)
{
    Shape s = n->shape;
    s.rank -= 2;
    return s;
}

/* Copies the batches [..., r, c] of both operands to their common batch. If b is a plain matrix, or
 * the batches are equal, there is nothing to do. false: there is no common batch. */
static bool broadcast_batches(Graph *g, Node **a, Node **b)
{
    Shape batch_a = batch_shape(*a);
    Shape batch_b = batch_shape(*b);
    Shape batch;
    if (!shape_broadcast(batch_a, batch_b, &batch))
        return false;
    if (batch_b.rank == 0 || shape_equal(batch_a, batch_b))
        return true;

    Shape to_a = batch;
    Shape to_b = batch;
    to_a.rank = to_b.rank = batch.rank + 2;
    memcpy(to_a.dim + batch.rank, (*a)->shape.dim + batch_a.rank, 2 * sizeof *to_a.dim);
    memcpy(to_b.dim + batch.rank, (*b)->shape.dim + batch_b.rank, 2 * sizeof *to_b.dim);
    *a = graph_broadcast(g, *a, to_a);
    *b = graph_broadcast(g, *b, to_b);
    return true;
}

/* a @ b by NumPy's rules: a vector becomes a row or a column for the product, and its axis of size
 * 1 is dropped again. */
static Node *product(Lower *L, const Expr *x, Node *a, Node *b)
{
    Graph *g = L->g;
    if (a->shape.rank == 0 || b->shape.rank == 0) {
        Diag *d = lower_error(L, ERR_PRODUCT_WITH_SCALAR, x->at,
                              "matmul: a scalar has no matrix product; use *");
        label_operands(L, d, x, a, b);
        return NULL;
    }

    bool row = a->shape.rank == 1;
    bool column = b->shape.rank == 1;
    Size inner_a = a->shape.dim[a->shape.rank - 1];
    Size inner_b = b->shape.dim[max_int(b->shape.rank - 2, 0)];
    if (inner_a != inner_b)
        return product_error(L, x, a, b, inner_a, inner_b);
    /* a dot product; of ints it is a float, as that of matrices is */
    if (row && column) {
        Node *each = graph_binary(g, OP_mul, graph_cast(g, a, T_FLOAT), graph_cast(g, b, T_FLOAT));
        return graph_reduce(g, OP_sum, each, 1);
    }

    Node *m = a;
    if (row)
        m = node_new_axis(L, a, 0);
    Node *n = b;
    if (column)
        n = node_new_axis(L, b, 1);
    if (!broadcast_batches(g, &m, &n)) {
        Diag *d = lower_error(L, ERR_SHAPES, x->at, "matmul: batch axes %s and %s do not fit",
                              shape_text(g, batch_shape(m)), shape_text(g, batch_shape(n)));
        label_operands(L, d, x, a, b);
        return NULL;
    }

    Node *c = graph_matmul(g, m, n, false, false);
    Shape s = c->shape;
    if (row)
        s.dim[s.rank - 2] = s.dim[s.rank - 1];
    s.rank -= row + column;
    return graph_reshape(g, c, s);
}

static Node *binary(Lower *L, const Expr *x, Node *a, Node *b)
{
    Graph *g = L->g;
    Shape s;
    g->loc = lower_site(L, x->loc);
    if (same_text(x->name, "@"))
        return product(L, x, a, b);
    if (!shape_broadcast(a->shape, b->shape, &s)) {
        Diag *d = lower_error(L, ERR_SHAPES, x->at, "%s: shapes %s and %s do not fit", x->name,
                              shape_text(g, a->shape), shape_text(g, b->shape));
        label_operands(L, d, x, a, b);
        return NULL;
    }
    if (!shape_fits(L, x->loc, s))
        return NULL;

    /* what is legal, but probably not meant */
    bool compares = same_text(x->name, "-") || same_text(x->name, "==") || same_text(x->name, "!=");
    if (compares) {
        warn_each_with_each(L, x, a, b);
        warn_each_with_each(L, x, b, a);
    }

    bool swap;
    Op op = op_of_sign(x->name, &swap);
    if (op == OP_COUNT)
        ngc_bug("operator %s", x->name);
    warn_mask(L, x, op, a, b);
    if (swap)
        return graph_binary(g, op, b, a);
    return graph_binary(g, op, a, b);
}

/* A sum of a million terms is a tree that is a million deep on its left. So the left side is walked
 * and not recursed into. */
static Value *lower_binary(Lower *L, const Expr *x)
{
    int depth = 0;
    for (const Expr *e = x; e->kind == X_BINARY; e = e->a)
        depth++;

    /* a + b + c is (a + b) + c: the left sides, from the innermost on */
    const Expr **spine = arena_array(L->ngc, depth, sizeof *spine);
    const Expr *e = x;
    for (int i = depth - 1; i >= 0; i--, e = e->a)
        spine[i] = e;

    Node *a = want_node(L, lower_expr(L, e), "an operand");
    for (int i = 0; i < depth; i++) {
        Node *b = want_node(L, lower_expr(L, spine[i]->b), "an operand");
        if (a && b)
            a = binary(L, spine[i], a, b);
        else
            a = NULL;
    }
    return value_node(L, x->loc, a);
}

static Value *lower_transpose(Lower *L, const Expr *x)
{
    Node *a = expr_node(L, x->a);
    if (a && a->shape.rank < 2) {
        lower_error(L, ERR_TRANSPOSE, x->at, "transpose: %s has %d axes; two or more are needed",
                    source_text(L->ngc, x->a->loc), a->shape.rank);
        a = NULL;
    }
    if (!a)
        return value_error(L, x->loc);
    return value_node(L, x->loc, graph_transpose(L->g, a));
}

/* ---- names ---- */

/* The expression as "h.0.W", or NULL if it is more than names and dots. */
static const char *dotted(Lower *L, const Expr *x)
{
    if (x->kind == X_NAME)
        return x->name;
    if (x->kind != X_FIELD)
        return NULL;
    const char *left = dotted(L, x->a);
    if (!left)
        return NULL;
    return intern_str(L->ngc, text_format(L->ngc, "%s.%s", left, x->name));
}

/* Is this a name of the library's own that its defs use, such as _margins? */
static bool is_internal(const Lower *L, const Binding *b)
{
    return *b->name == '_' && loc_of_library(L->ngc, b->loc);
}

/* The known name that is most like this one, or NULL. Only a name that begins with _ is like one of
 * the library's internal functions. */
static const char *similar_name(Lower *L, const char *name)
{
    enum { BUILTINS = 256, MOST = 512 };
    const char *known[MOST];
    int n = 0;
    int builtins = builtin_names(known, BUILTINS);

    for (int i = 0; i < builtins; i++)
        if (*known[i] != '_' || *name == '_')
            known[n++] = known[i];
    /* all names that could be meant here */
    for (const Scope *s = L->scope; s; s = s->up)
        for (int i = 0; i < s->buckets; i++)
            for (const Binding *b = s->bucket[i]; b && n < MOST; b = b->next)
                if (*name == '_' || !is_internal(L, b))
                    known[n++] = b->name;
    return suggest(L->ngc, name, known, n);
}

/* Reports a name that means nothing: what to write instead, if it is a word of another library, or
 * a similar name. `what` is "name" or "function". */
Value *unknown_name(Lower *L, const Expr *x, const char *what)
{
    Ngc *ngc = L->ngc;
    const char *advice;
    if (same_text(what, "function") && x->name[1])
        advice = foreign_function(ngc, x->name, "x");
    else
        advice = foreign_constant(ngc, x->name);
    if (advice) {
        lower_error(L, ERR_UNKNOWN_NAME, x->at, "unknown %s '%s': %s", what, x->name, advice);
        return value_error(L, x->loc);
    }

    const Frame *f = L->frame;
    if (f && f->backward && scope_own(f->body, x->name)) {
        lower_error(L, ERR_UNKNOWN_NAME, x->at,
                    "unknown %s '%s': the backward part of %s sees its parameters and its result, "
                    "not the names of its body",
                    what, x->name, f->func->name);
        return value_error(L, x->loc);
    }

    const char *guess = similar_name(L, x->name);
    if (!guess) {
        lower_error(L, ERR_UNKNOWN_NAME, x->at, "unknown %s '%s'", what, x->name);
        return value_error(L, x->loc);
    }
    Diag *d = lower_error(L, ERR_UNKNOWN_NAME, x->at, "unknown %s '%s'; did you mean '%s'?", what,
                          x->name, guess);
    diag_fix(d, x->at, guess);
    const Binding *b = scope_find(L, guess);
    if (b && loc_of_user(ngc, b->loc))
        diag_note(ngc, d, b->loc, "'%s' is defined here", guess);
    return value_error(L, x->loc);
}

static Value *func_value(Lower *L, Loc loc, const Func *f)
{
    Value *v = value_new(L, V_FUNC, loc);
    v->func = f;
    return v;
}

/* In formula mode, an unknown name is a scalar input of the whole file, wherever it is met first.
 */
static Value *formula_input(Lower *L, const Expr *x)
{
    Var *v = lower_var(L, VAR_INPUT, x->name, x->loc, (Shape){0}, T_FLOAT, NULL);
    Value *value = value_node(L, x->loc, v->node);

    Scope *here = L->scope;
    L->scope = L->file;
    Binding *b = scope_bind(L, x->name, value, x->loc);
    b->declared = true;
    b->var = v;
    L->scope = here;
    return value;
}

static Value *lower_name(Lower *L, const Expr *x)
{
    Ngc *ngc = L->ngc;
    const Binding *b = scope_find(L, x->name);
    if (b) {
        /* the same value at another place in the text */
        Value *v = arena_copy(ngc, b->value, sizeof *b->value);
        v->loc = x->loc;
        return v;
    }

    if (same_text(x->name, "training"))
        return value_node(L, x->loc, graph_training(L->g));
    if (same_text(x->name, "step")) {
        Node *count = lower_counter(L, lower_site(L, x->loc))->node;
        return value_node(L, x->loc, graph_cast(L->g, count, T_FLOAT));
    }

    const Builtin *f = builtin_find(ngc, x->name);
    if (f) {
        Func *func = arena_alloc(ngc, sizeof *func);
        func->name = f->name;
        func->builtin = f;
        return func_value(L, x->loc, func);
    }
    if (L->formula && !L->frame)
        return formula_input(L, x);
    return unknown_name(L, x, "name");
}

/* The list of sizes that `.shape` is. */
static Value *shape_value(Lower *L, Loc loc, Shape s)
{
    Value *item[MAX_RANK];
    for (int i = 0; i < s.rank; i++)
        item[i] = value_node(L, loc, graph_size(L->g, s.dim[i]));
    return value_list(L, loc, item, s.rank);
}

/* Does a builtin need more than its first argument? params: "x axis? keepdims?" */
static bool builtin_needs_more(const char *params)
{
    for (const char *p = strchr(params, ' '); p; p = strchr(p + 1, ' '))
        if (p[1 + strcspn(p + 1, " ?")] != '?')
            return true;
    return false;
}

static bool def_needs_more(const Stmt *def)
{
    for (const Arg *p = def->values ? def->values->next : NULL; p; p = p->next)
        if (!p->value)
            return true;
    return false;
}

/* "write NAME(of)" if there is a function of that name, or NULL. */
static const char *call_advice(Lower *L, const char *name, const char *of)
{
    const Builtin *f = builtin_find(L->ngc, name);
    const Binding *b = scope_find(L, name);
    bool more;
    if (f)
        more = builtin_needs_more(f->params);
    else if (b && b->value->kind == V_FUNC && b->value->func->def)
        more = def_needs_more(b->value->func->def);
    else
        return NULL;
    return text_format(L->ngc, "write %s(%s%s)", name, of, text_if(more, ", ..."));
}

/* Reports a member that does not exist, and what to write instead if it looks like a method, or
 * like a function in another library's module. */
static void unknown_member(Lower *L, const Expr *x, const char *path)
{
    Ngc *ngc = L->ngc;
    const Expr *left = x->a;
    while (left->kind == X_FIELD)
        left = left->a;
    /* x.relu of a value, or torch.relu of a module? */
    bool named = left->kind == X_NAME;
    bool bound = named && scope_find(L, left->name);

    const char *of = x->a->kind == X_NAME && bound ? x->a->name : "x";
    const char *advice = foreign_function(ngc, x->name, of);
    if (!advice)
        advice = call_advice(L, x->name, of);
    if (!advice)
        advice = foreign_constant(ngc, x->name);
    if (!advice && scope_find(L, x->name) && !bound)
        advice = text_format(ngc, "write %s", x->name);

    if (!path)
        path = x->name;
    if (named && !bound && foreign_module(left->name)) {
        if (!advice)
            advice = "the library's functions are called only by their names, as in relu(x)";
        lower_error(L, ERR_UNKNOWN_MEMBER, x->at, "there is no '%s', as there are no modules: %s",
                    path, advice);
    } else if (advice && (bound || !named)) {
        lower_error(L, ERR_UNKNOWN_MEMBER, x->at, "there is no '%s', as a value has no methods: %s",
                    path, advice);
    } else {
        lower_error(L, ERR_UNKNOWN_MEMBER, x->at,
                    "there is no '%s'; "
                    "a value has .shape, and a weight is named by its path, as in h.W",
                    path);
    }
}

/* x.shape, or a path: of a declared name, of a weight, or of a named value. */
static Value *lower_field(Lower *L, const Expr *x)
{
    if (same_text(x->name, "shape")) {
        const Node *a = expr_node(L, x->a);
        if (a)
            return shape_value(L, x->loc, a->shape);
        return value_error(L, x->loc);
    }

    const char *path = dotted(L, x);
    if (!path) {
        unknown_member(L, x, NULL);
        return value_error(L, x->loc);
    }

    const Binding *b = scope_find(L, path); /* param layer1.w */
    if (b)
        return value_node(L, x->loc, b->value->kind == V_NODE ? b->value->node : NULL);
    const Var *v = lower_find_var(L, path);
    if (v)
        return value_node(L, x->loc, v->node);
    for (int i = 0; i < L->g->count; i++) {
        Node *n = L->g->node[i];
        if (n->name && same_text(n->name, path))
            return value_node(L, x->loc, n);
    }
    unknown_member(L, x, path);
    return value_error(L, x->loc);
}

/* ---- expressions ---- */

static Value *lower_list(Lower *L, const Expr *x)
{
    int n = 0;
    for (const Arg *a = x->args; a; a = a->next)
        n++;

    Value **item = arena_array(L->ngc, n + 1, sizeof *item);
    n = 0;
    for (const Arg *a = x->args; a; a = a->next) {
        item[n] = lower_expr(L, a->value);
        if (item[n++]->kind == V_ERROR)
            return value_error(L, x->loc);
    }
    return value_list(L, x->loc, item, n);
}

static Value *expr_value(Lower *L, const Expr *x)
{
    Value *v;
    Node *n;
    switch (x->kind) {
    case X_NUM: return value_number(L, x->loc, x->num);
    case X_STR:
        v = value_new(L, V_TEXT, x->loc);
        v->text = x->name;
        return v;
    case X_NAME: return lower_name(L, x);
    case X_FIELD: return lower_field(L, x);
    case X_CALL: return lower_call(L, x, NULL, 0, NULL);
    case X_INDEX: return lower_index(L, x);
    case X_LIST: return lower_list(L, x);
    case X_NEG:
        n = expr_node(L, x->a);
        L->g->loc = lower_site(L, x->loc);
        if (!n)
            return value_error(L, x->loc);
        return value_node(L, x->loc, graph_unary(L->g, OP_neg, n));
    case X_TRANSPOSE: return lower_transpose(L, x);
    case X_BINARY: return lower_binary(L, x);
    case X_HOLE:
        lower_error(L, ERR_PLACE, x->loc,
                    "'_' means an argument of a call that is left open, "
                    "as in cell = rnn_cell(_, _, 64)");
        return value_error(L, x->loc);
    case X_RANGE:
    case X_NEW:
    case X_ELLIPSIS: break;
    }
    lower_error(L, ERR_PLACE, x->loc, "this belongs inside an index");
    return value_error(L, x->loc);
}

Value *lower_expr(Lower *L, const Expr *x)
{
    if (!lower_enter(L, x->loc))
        return value_error(L, x->loc);
    Value *v = expr_value(L, x);
    L->nest--;
    return v;
}

/* ---- expressions that must have a value of a certain kind ---- */

Node *expr_node(Lower *L, const Expr *x)
{
    return want_node(L, lower_expr(L, x), "this");
}

bool expr_number(Lower *L, const Expr *x, double *out)
{
    return want_number(L, lower_expr(L, x), "this", out);
}

/* Reports a name in a size that is not declared. Users of frameworks whose shapes are found at run
 * time make this mistake. */
static bool size_undeclared(Lower *L, const Expr *x)
{
    /* all names of the expression: down the left, and recursively to the right */
    for (; x; x = x->a) {
        bool known = x->kind != X_NAME || scope_find(L, x->name) || builtin_find(L->ngc, x->name) ||
                     foreign_constant(L->ngc, x->name);
        if (!known) {
            lower_error(L, ERR_UNKNOWN_NAME, x->at,
                        "unknown name '%s': declare the size above: dim %s <= 64, "
                        "known at run time, or dim %s = 64",
                        x->name, x->name, x->name);
            return true;
        }
        if (size_undeclared(L, x->b))
            return true;
    }
    return false;
}

/* Appends the sizes of one part of a shape: a size, or a list of them, as in state v[p.shape]. */
static bool add_sizes(Lower *L, const Arg *a, Shape *s)
{
    Value *v = lower_expr(L, a->value);
    for (int i = 0; i < value_items(v); i++) {
        if (s->rank == MAX_RANK) {
            lower_error(L, ERR_TOO_MANY_AXES, a->loc, "at most %d axes are allowed", MAX_RANK);
            return false;
        }
        if (!want_size(L, value_item(v, i), "a size", &s->dim[s->rank++]))
            return false;
    }
    return true;
}

bool expr_shape(Lower *L, const Arg *sizes, Shape *s)
{
    *s = (Shape){0};
    bool undeclared = false;
    for (const Arg *a = sizes; a; a = a->next)
        undeclared |= !L->formula && size_undeclared(L, a->value);
    if (undeclared)
        return false;

    for (const Arg *a = sizes; a; a = a->next)
        if (!add_sizes(L, a, s))
            return false;
    return !sizes || shape_fits(L, sizes->loc, *s);
}
