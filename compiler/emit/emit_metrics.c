/* emit_metrics.c - the functions that gather losses and metrics over all rows: metrics_start,
 * metrics_add, metrics_finish.
 *
 * In: the plan of carry.c. In the first walk over the rows, eval puts what a batch contributes into
 * members of work. Later walks have programs of their own. metrics_add puts the contributions into
 * the totals block. At the end of a walk, metrics_finish computes from the totals what the next
 * walk needs, or the losses and metrics. Totals are double, and so is all that is computed from
 * them, whatever the model's floats are.
 */
#include "emit/emit.h"

#include <limits.h>
#include <string.h>

/* ---- declarations ---- */

/* "    double c[3][3]; [3, 3]" */
static void declare_total(Emit *e, Text *t, const Total *m)
{
    bool flat;
    const char *dims = emit_dims(e, *m->shape, &flat);
    text_add(t, "    double %s%s;", m->name, dims);
    if (m->note)
        text_add(t, " /* %s%s */", comment_text(e->ngc, m->note),
                 text_if(flat, ", rows end to end"));
    text_add(t, "\n");
}

void metrics_declare_block(Emit *e, Text *t)
{
    Metrics *x = e->module->metrics;
    if (!x)
        return;

    text_add(t, "typedef struct %s_totals {", e->module->name);
    text_add(t, " /* losses and metrics of all rows, after metrics_finish,");
    text_add(t, " and what they are computed of */\n");
    for (int i = 0; i < x->totals; i++)
        declare_total(e, t, &x->total[i]);

    if (x->carry->walks > 1)
        text_add(t, "    int %s; /* over all rows, from 0 */\n", x->walk);
    for (int i = 1; i < e->graph->dims; i++)
        text_add(t, "    int %s; /* the same for all batches */\n", x->dim[i]);
    if (x->ispace > 0)
        text_add(t, "    int32_t ispace[%lld];\n", (long long)x->ispace);
    if (x->space > 0)
        text_add(t, "    double space[%lld];\n", (long long)x->space);
    text_add(t, "} %s_totals;\n\n", e->module->name);
}

/* The arguments of metrics_add. */
static const char *add_arguments(Emit *e, bool types)
{
    Function f = {.fn = FN_EVAL,
                  .blocks = e->module->metrics->blocks,
                  .writes = e->module->metrics->writes};
    return emit_arguments(e, &f, types);
}

void metrics_declare(Emit *e, Text *t)
{
    const Metrics *x = e->module->metrics;
    const char *name = e->module->name;
    if (!x)
        return;

    text_add(t, "/* losses and metrics of all rows, batch by batch; training = 0 */\n");
    text_add(t, "void %s_metrics_start(%s_totals *t);\n", name, name);
    text_add(t, "int %s_metrics_add(%s);\n", name, add_arguments(e, true));

    const char *again = "; NGRT_AGAIN: all rows must be added once more";
    text_add(t, "/* NGRT_OK: they are in the totals%s */\n", text_if(x->carry->walks > 1, again));
    text_add(t, "int %s_metrics_finish(%s_totals *t);\n", name, name);
    if (e->ngc->opt.ranks) {
        text_add(t, "/* adds what another rank has, before finish: the ranks in order */\n");
        text_add(t, "int %s_metrics_merge(%s_totals *t, const %s_totals *other);\n", name, name,
                 name);
    }
}

/* ---- text of the functions ---- */

/* The member that counts the rows of a walk. */
static const char *counter(const Metrics *x, int walk)
{
    return walk > 0 ? x->seen : x->rows;
}

typedef struct Out { /* a function being printed */
    Emit *e;
    Text text;
    unsigned dims; /* run-time sizes that it uses */
    unsigned used; /* helpers that it calls: bits of Helper */
} Out;

/* Static functions that the emitted functions call. HELPERS + i is helper i for ints. */
typedef enum {
    ADD_TOTALS,
    MAX_TOTALS,
    SET_TOTALS,
    GET_TOTALS,
    HELPERS,
    LARGER = 2 * HELPERS, /* called by MAX_TOTALS */
    WHOLE                 /* called by GET_TOTALS for ints */
} Helper;

static const struct {
    const char *name;
    const char *statement; /* for element i; NULL: it depends on the type */
    const char *comment;
} helper_of[HELPERS] = {
    [ADD_TOTALS] = {"add_totals", "to[i] += (double)from[i]", "What a batch adds to totals."},
    [MAX_TOTALS] = {"max_totals", "to[i] = larger(to[i], (double)from[i])", "The largest so far."},
    [SET_TOTALS] = {"set_totals", "to[i] = (double)from[i]", "What a batch says of all rows."},
    [GET_TOTALS] = {"get_totals", NULL, "Totals for the rows of a batch."},
};

static void use(Out *o, int helper)
{
    o->used |= 1u << helper;
}

/* A pointer to the first element of a member of a block. */
static const char *first_element(Emit *e, const char *block, const char *name, Shape shape)
{
    bool flat;
    Text t = {.ngc = e->ngc};
    emit_dims(e, shape, &flat);
    text_add(&t, "%s->%s", block, name);
    for (int i = 1; i < shape.rank && !flat; i++)
        text_add(&t, "[0]");
    return t.at;
}

/* helper(to, from, count): the same for each element. */
static void call_helper(Out *o, Helper h, bool is_int, const char *to, const char *from,
                        Shape shape)
{
    /* only the helpers that are called are printed */
    use(o, is_int ? HELPERS + h : h);
    if (h == MAX_TOTALS)
        use(o, LARGER);
    if (h == GET_TOTALS && is_int)
        use(o, WHOLE);

    const char *count = emit_size(o->e, shape_count(o->e->graph, shape), &o->dims);
    text_add(&o->text, "%s%s(%s, %s, %s);\n", helper_of[h].name, text_if(is_int, "_int"), to, from,
             count);
}

/* Adds lines one level deeper. */
static void add_indented(Text *to, const char *lines)
{
    size_t from = to->size;
    text_add(to, "%s", lines);
    emit_indent(to, from);
}

/* The same as the helpers for one number. */
static void carry_number(Out *o, CarryKind kind, const char *to, const char *from)
{
    switch (kind) {
    case CARRY_SUM: text_add(&o->text, "t->%s += (double)w->%s;\n", to, from); break;
    case CARRY_MAX:
        text_add(&o->text, "t->%s = larger(t->%s, (double)w->%s);\n", to, to, from);
        use(o, LARGER);
        break;
    default: text_add(&o->text, "t->%s = (double)w->%s;\n", to, from);
    }
}

/* The statement that puts what a batch contributes into the totals. */
static void print_carrier(Out *o, int k)
{
    static const Helper helper[] = {[CARRY_SUM] = ADD_TOTALS,
                                    [CARRY_MAX] = MAX_TOTALS,
                                    [CARRY_FIRST] = SET_TOTALS,
                                    [CARRY_LAST] = SET_TOTALS,
                                    [CARRY_SAME] = SET_TOTALS};
    const Metrics *x = o->e->module->metrics;
    const Carrier *c = &x->carry->carrier[k];
    Shape shape = c->node->shape;
    const char *to = x->carrier[k].total;
    const char *from = x->carrier[k].member;

    text_add(&o->text, "    ");
    /* only before any rows are counted */
    if (c->kind == CARRY_FIRST) {
        text_add(&o->text, "if (t->%s == 0)\n", counter(x, c->walk));
        text_add(&o->text, "        ");
    }

    if (shape.rank == 0) {
        carry_number(o, c->kind, to, from);
        return;
    }
    to = first_element(o->e, "t", to, shape);
    from = first_element(o->e, "w", from, shape);
    call_helper(o, helper[c->kind], c->node->type == T_INT, to, from, shape);
}

/* The statement that hands a known total to the rows of a batch. */
static void print_link(Out *o, int k)
{
    const Metrics *x = o->e->module->metrics;
    const Node *n = x->carry->link[k].node;
    const char *to = x->link[k].member;
    const char *from = x->link[k].total;
    bool is_int = n->type == T_INT;

    text_add(&o->text, "        ");
    /* work has the model's floats, totals have doubles */
    if (n->shape.rank > 0) {
        to = first_element(o->e, "w", to, n->shape);
        from = first_element(o->e, "t", from, n->shape);
        call_helper(o, GET_TOTALS, is_int, to, from, n->shape);
    } else if (is_int) {
        text_add(&o->text, "w->%s = whole(t->%s);\n", to, from);
        use(o, WHOLE);
    } else {
        text_add(&o->text, "w->%s = (%s)t->%s;\n", to, o->e->real, from);
    }
}

/* Eval, or its form for a later walk. */
static const Function *find_walk(const Module *m, int walk)
{
    const Function *found = NULL;
    for (int i = 0; i < m->functions; i++)
        if (m->function[i].fn == FN_EVAL && m->function[i].walk == walk)
            found = &m->function[i];
    return found;
}

/* What metrics_add calls in a walk, after it has handed over the totals of earlier walks. The first
 * walk has none, and needs no braces. */
static void print_walk(Out *o, int walk)
{
    Emit *e = o->e;
    const Metrics *x = e->module->metrics;
    const Function *f = find_walk(e->module, walk);
    bool braces = walk > 0;
    bool indented = x->carry->walks > 1;

    if (indented)
        text_add(&o->text, "    if (t->%s == %d)%s\n", x->walk, walk, text_if(braces, " {"));
    /* what the walks before have found out goes to this batch */
    for (int k = 0; k < x->carry->links; k++)
        if (x->carry->link[k].walk <= walk)
            print_link(o, k);
    text_add(&o->text, "%s    error = %s_%s(%s);\n", text_if(indented, "    "), e->module->name,
             f->name, emit_arguments(e, f, false));
    if (braces)
        text_add(&o->text, "    }\n");
}

static void print_carriers(Out *o, int walk)
{
    const Metrics *x = o->e->module->metrics;
    for (int k = 0; k < x->carry->carriers; k++)
        if (x->carry->carrier[k].walk == walk)
            print_carrier(o, k);
    text_add(&o->text, "    t->%s += in->%s;\n", counter(x, walk), o->e->module->dim[0]);
}

/* The other run-time sizes are those of the first batch. */
static void print_same_dims(Out *o)
{
    const Module *m = o->e->module;
    const Metrics *x = m->metrics;

    for (int i = 1; i < m->graph->dims; i++) {
        text_add(&o->text, "    if (t->%s > 0 && in->%s != t->%s)\n", x->rows, m->dim[i],
                 x->dim[i]);
        text_add(&o->text, "        return NGRT_ESIZE;\n");
    }
}

/* What a batch contributes in a walk that is not the first. */
static void print_later_carriers(Out *o, int walk)
{
    Out inner = {.e = o->e, .text.ngc = o->e->ngc};
    print_carriers(&inner, walk);

    text_add(&o->text, "    if (t->%s == %d) {\n", o->e->module->metrics->walk, walk);
    add_indented(&o->text, inner.text.at);
    text_add(&o->text, "        return NGRT_OK;\n");
    text_add(&o->text, "    }\n");
    o->dims |= inner.dims;
    o->used |= inner.used;
}

static void print_add(Emit *e, Text *text, unsigned *used)
{
    const Metrics *x = e->module->metrics;
    Out o = {.e = e, .text.ngc = e->ngc};
    int walks = x->carry->walks;

    print_same_dims(&o);
    for (int walk = 0; walk < walks; walk++)
        print_walk(&o, walk);
    text_add(&o.text, "    if (error)\n");
    text_add(&o.text, "        return error;\n");

    for (int i = 1; i < e->graph->dims; i++)
        text_add(&o.text, "    t->%s = in->%s;\n", x->dim[i], e->module->dim[i]);
    /* those of later walks return; what is left is the first walk */
    for (int walk = walks - 1; walk > 0; walk--)
        print_later_carriers(&o, walk);
    print_carriers(&o, 0);

    /* The declarations are known now. */
    text_add(text, "int %s_metrics_add(%s)\n", e->module->name, add_arguments(e, true));
    text_add(text, "{\n");
    emit_run_time_sizes(e, text, o.dims);
    text_add(text, "    int error%s;\n", text_if(walks > 1, " = NGRT_ESIZE"));
    text_add(text, "%s", o.text.at);
    text_add(text, "    return NGRT_OK;\n");
    text_add(text, "}\n\n");
    *used |= o.used;
}

/* ---- totals of ranks ---- */

/* The statement that adds what other rows contribute to a carrier's total. */
static void merge_carrier(Emit *e, Text *t, int k)
{
    Ngc *ngc = e->ngc;
    const Metrics *x = e->module->metrics;
    const Carrier *c = &x->carry->carrier[k];
    const char *name = x->carrier[k].total;
    const char *count = counter(x, c->walk);
    long long n = shape_count_max(e->graph, c->node->shape);
    const char *to = text_format(ngc, "t->%s", name);
    const char *from = text_format(ngc, "other->%s", name);

    if (c->node->shape.rank > 0) {
        text_add(t, "    for (size_t i = 0; i < %lld; i++)\n    ", n);
        to = text_format(ngc, "((double *)t->%s)[i]", name);
        from = text_format(ngc, "((const double *)other->%s)[i]", name);
    }
    switch (c->kind) {
    case CARRY_SUM: text_add(t, "    %s += %s;\n", to, from); break;
    case CARRY_MAX: text_add(t, "    %s = larger(%s, %s);\n", to, to, from); break;
    case CARRY_FIRST: text_add(t, "    %s = t->%s > 0 ? %s : %s;\n", to, count, to, from); break;
    default: text_add(t, "    %s = other->%s > 0 ? %s : %s;\n", to, count, from, to);
    }
}

static void merge_walk(Emit *e, Text *t, int walk)
{
    const Metrics *x = e->module->metrics;
    const char *count = counter(x, walk);

    for (int k = 0; k < x->carry->carriers; k++)
        if (x->carry->carrier[k].walk == walk)
            merge_carrier(e, t, k);
    text_add(t, "    t->%s += other->%s;\n", count, count);
}

/* In a later walk, all that the walks before have left is the same on all ranks. */
static void print_merge(Emit *e, Text *text, unsigned *used)
{
    const Module *m = e->module;
    const Metrics *x = m->metrics;

    text_add(text, "int %s_metrics_merge(%s_totals *t, const %s_totals *other)\n", m->name, m->name,
             m->name);
    text_add(text, "{\n");
    for (int i = 1; i < m->graph->dims; i++) {
        text_add(text, "    if (t->%s > 0 && other->%s > 0 && t->%s != other->%s)\n", x->rows,
                 x->rows, x->dim[i], x->dim[i]);
        text_add(text, "        return NGRT_ESIZE;\n");
        text_add(text, "    if (other->%s > 0)\n        t->%s = other->%s;\n", x->rows, x->dim[i],
                 x->dim[i]);
    }
    for (int walk = x->carry->walks - 1; walk > 0; walk--) {
        Text inner = {.ngc = e->ngc};
        merge_walk(e, &inner, walk);
        text_add(text, "    if (t->%s == %d) {\n", x->walk, walk);
        add_indented(text, inner.at);
        text_add(text, "        return NGRT_OK;\n    }\n");
    }
    merge_walk(e, text, 0);
    text_add(text, "    return NGRT_OK;\n");
    text_add(text, "}\n\n");
    for (int k = 0; k < x->carry->carriers; k++)
        if (x->carry->carrier[k].kind == CARRY_MAX)
            *used |= 1u << LARGER;
}

/* Sums begin with 0, maxima with -INFINITY. */
static void print_start(Emit *e, Text *text)
{
    const Metrics *x = e->module->metrics;
    const char *name = e->module->name;

    text_add(text, "void %s_metrics_start(%s_totals *t)\n", name, name);
    text_add(text, "{\n");
    text_add(text, "    memset(t, 0, sizeof *t);\n");
    for (int k = 0; k < x->carry->carriers; k++) {
        const Carrier *c = &x->carry->carrier[k];
        const char *total = x->carrier[k].total;
        if (c->kind != CARRY_MAX)
            continue;
        if (c->node->shape.rank == 0) {
            text_add(text, "    t->%s = -INFINITY;\n", total);
            continue;
        }
        long long count = shape_count_max(e->graph, c->node->shape);
        text_add(text, "    for (size_t i = 0; i < %lld; i++)\n", count);
        text_add(text, "        ((double *)t->%s)[i] = -INFINITY;\n", total);
    }
    text_add(text, "}\n\n");
}

/* The statements at the end of a walk. Parts may use the same names, so each has its own braces. */
static void print_end(Emit *e, Text *text, int walk, unsigned *dims)
{
    const Function *f = &e->module->metrics->end[walk];

    comment_names(e, f->program, true);
    for (int part = 0; part < f->program->parts; part++) {
        Body b = emit_part(e, f, part);
        *dims |= b.dims;
        if (f->program->parts == 1) {
            text_add(text, "%s", b.text.at);
            continue;
        }
        /* braces of its own: parts may declare the same names */
        text_add(text, "    {\n");
        add_indented(text, b.text.at);
        text_add(text, "    }\n");
    }
    comment_names(e, f->program, false);
}

/* At the end of each walk but the last: what the next walk needs. */
static void print_between_walks(Emit *e, Text *body, unsigned *dims)
{
    const Metrics *x = e->module->metrics;
    int walks = x->carry->walks;
    if (walks == 1)
        return;

    /* a later walk must have seen as many rows as the first */
    text_add(body, "    if (t->%s > 0 && t->%s != t->%s)\n", x->walk, x->seen, x->rows);
    text_add(body, "        return NGRT_ESIZE; /* not the rows of the first walk */\n");
    text_add(body, "    t->%s = 0;\n", x->seen);
    text_add(body, "    t->%s++;\n", x->walk);

    for (int walk = 0; walk < walks - 1; walk++) {
        Text inner = {.ngc = e->ngc};
        print_end(e, &inner, walk, dims);
        text_add(body, "    if (t->%s == %d) { /* what the next walk over the rows needs */\n",
                 x->walk, walk + 1);
        add_indented(body, text_or(inner.at, ""));
        text_add(body, "        return NGRT_AGAIN;\n");
        text_add(body, "    }\n");
    }
}

static void print_finish(Emit *e, Text *text)
{
    const Module *m = e->module;
    const Metrics *x = m->metrics;
    Text body = {.ngc = e->ngc};
    unsigned dims = 0;
    bool wide = e->ngc->opt.real_double;

    emit_set_real(e, true); /* totals are double, and what is computed from them */
    print_between_walks(e, &body, &dims);
    print_end(e, &body, x->carry->walks - 1, &dims);
    /* the rest of the file has the model's floats again */
    emit_set_real(e, wide);

    text_add(text, "int %s_metrics_finish(%s_totals *t)\n", m->name, m->name);
    text_add(text, "{\n");
    for (int i = 0; i < e->graph->dims; i++)
        if (dims >> i & 1)
            text_add(text, "    const size_t %s%s = (size_t)t->%s;\n", m->dim_prefix,
                     e->graph->dim[i].name, i ? x->dim[i] : x->rows);
    text_add(text, "%s", body.size ? body.at : "    (void)t;\n");
    text_add(text, "    return NGRT_OK;\n");
    text_add(text, "}\n\n");
}

static const char larger_text[] = "/* NaN passes on. */\n"
                                  "static double larger(double a, double b)\n"
                                  "{\n"
                                  "    return b > a || b != b ? b : a;\n"
                                  "}\n"
                                  "\n";

static const char whole_text[] =
    "/* The int that a total is, or the nearest. */\n"
    "static int32_t whole(double x)\n"
    "{\n"
    "    return x >= 2147483647.0 ? INT32_MAX : x > -2147483648.0 ? (int32_t)x : INT32_MIN;\n"
    "}\n"
    "\n";

/* The helper for the model's floats, or for ints. */
static void print_helper(Emit *e, Text *text, Helper h, bool is_int)
{
    const char *own = is_int ? "int32_t" : e->real;
    const char *to = "double";
    const char *from = own;
    const char *statement = helper_of[h].statement;

    if (h == GET_TOTALS) {
        to = own;
        from = "double";
        statement = text_format(e->ngc, "to[i] = (%s)from[i]", own);
        if (is_int)
            statement = "to[i] = whole(from[i])";
    }

    text_add(text, "/* %s */\n", helper_of[h].comment);
    text_add(text, "static void %s%s(%s *to, const %s *from, size_t n)\n", helper_of[h].name,
             text_if(is_int, "_int"), to, from);
    text_add(text, "{\n");
    text_add(text, "    for (size_t i = 0; i < n; i++)\n");
    text_add(text, "        %s;\n", statement);
    text_add(text, "}\n\n");
}

static void print_helpers(Emit *e, Text *text, unsigned used)
{
    if (used >> LARGER & 1)
        text_add(text, "%s", larger_text);
    if (used >> WHOLE & 1)
        text_add(text, "%s", whole_text);
    for (int h = 0; h < 2 * HELPERS; h++)
        if (used >> h & 1)
            print_helper(e, text, (Helper)(h % HELPERS), h >= HELPERS);
}

void metrics_print(Emit *e, Text *out)
{
    if (!e->module->metrics)
        return;

    Text body = {.ngc = e->ngc};
    unsigned used = 0;
    print_start(e, &body);
    print_add(e, &body, &used);
    print_finish(e, &body);
    if (e->ngc->opt.ranks)
        print_merge(e, &body, &used);

    print_helpers(e, out, used);
    text_add(out, "%s", body.at);
}

/* ---- the descriptor ---- */

/* A function of the totals only: start or finish. */
static void print_wrapper(const Emit *e, Text *t, const char *result, const char *what)
{
    bool returns = !same_text(result, "void");

    text_add(t, "static %s call_metrics_%s(void *totals)\n", result, what);
    text_add(t, "{\n");
    text_add(t, "    %s%s_metrics_%s(totals);\n", text_if(returns, "return "), e->module->name,
             what);
    text_add(t, "}\n\n");
}

static void print_add_wrapper(const Emit *e, Text *t)
{
    unsigned blocks = e->module->metrics->blocks;

    text_add(t, "static int call_metrics_add(const void *params, void *state, const void *inputs, "
                "void *work, void *totals)\n");
    text_add(t, "{\n");
    if (!(blocks & USES_PARAMS))
        text_add(t, "    (void)params;\n");
    if (!(blocks & USES_STATE))
        text_add(t, "    (void)state;\n");

    text_add(t, "    return %s_metrics_add(", e->module->name);
    if (blocks & USES_PARAMS)
        text_add(t, "params, ");
    if (blocks & USES_STATE)
        text_add(t, "state, ");
    text_add(t, "inputs, work, totals);\n");
    text_add(t, "}\n\n");
}

void metrics_wrappers(Emit *e, Text *t)
{
    const char *name = e->module->name;
    if (!e->module->metrics)
        return;

    text_add(t, "size_t %s_sizeof_totals(void)\n", name);
    text_add(t, "{\n");
    text_add(t, "    return sizeof(%s_totals);\n", name);
    text_add(t, "}\n\n");

    print_wrapper(e, t, "void", "start");
    print_add_wrapper(e, t);
    print_wrapper(e, t, "int", "finish");
}

/* C: where the result of a root is in totals; 0: it has none. */
const char *metrics_offset(Emit *e, int root)
{
    const Metrics *x = e->module->metrics;
    if (!x || !x->of_root[root])
        return "0";
    return text_format(e->ngc, "offsetof(%s_totals, %s)", e->module->name, x->of_root[root]);
}

/* How a trainer gathers the loss of all rows from those of batches, and whether it shall rise. A
 * model without run-time sizes has one batch. */
const char *metrics_flags(Emit *e, int root)
{
    static const char *const flag[] = {
        [OF_TOTALS] = "0", [OF_SUM] = "NGRT_SUM", [OF_MEAN] = "NGRT_MEAN"};
    const Metrics *x = e->module->metrics;
    const char *gathered = "0";

    if (x)
        gathered = flag[x->carry->gathering[root]];
    if (!e->module->model->root[root].rises)
        return gathered;
    if (same_text(gathered, "0"))
        return "NGRT_RISES";
    return text_format(e->ngc, "%s | NGRT_RISES", gathered);
}
