/* emit_metrics.c - the functions that gather losses and metrics over all rows: metrics_start,
 * metrics_add, metrics_finish.
 *
 * In: the plan of carry.c. What a batch contributes in the first walk over the rows are further
 * members of work, which eval fills; later walks have programs of their own. metrics_add puts the
 * contributions into the totals block. At the end of a walk metrics_finish computes of the totals
 * what the next one needs, or the losses and metrics. Totals are double, and so is all that is
 * computed of them, whatever the model's floats are.
 */
#include "emit.h"

#include <limits.h>
#include <string.h>

/* ---- members ---- */

/* ---- programs ---- */

/* ---- declarations ---- */

/* "    double c[3][3]; [3, 3]" */
static void declare_total(Emit *e, Text *t, const Total *m)
{
    bool flat;
    const char *dims = emit_dims(e, *m->shape, &flat);
    text_add(t, "    double %s%s;", m->name, dims);
    if (m->note)
        text_add(t, " /* %s%s */", comment_text(e->ngc, m->note), flat ? ", rows end to end" : "");
    text_add(t, "\n");
}

void metrics_declare_block(Emit *e, Text *t)
{
    Metrics *x = e->module->metrics;
    if (!x)
        return;
    text_add(
        t,
        "typedef struct %s_totals { /* losses and metrics of all rows, after metrics_finish, and what they are computed of */\n",
        e->module->name);
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
    if (!x)
        return;
    text_add(t, "/* losses and metrics of all rows, batch by batch; training = 0 */\n");
    text_add(t, "void %s_metrics_start(%s_totals *t);\n", e->module->name, e->module->name);
    text_add(t, "int %s_metrics_add(%s);\n", e->module->name, add_arguments(e, true));
    text_add(t, "/* NGRT_OK: they are in the totals%s */\n",
             x->carry->walks > 1 ? "; NGRT_AGAIN: all rows must be added once more" : "");
    text_add(t, "int %s_metrics_finish(%s_totals *t);\n", e->module->name, e->module->name);
}

/* ---- text of the functions ---- */

typedef struct Out { /* a function being printed */
    Emit *e;
    Text text;
    unsigned dims; /* run-time sizes that it speaks of */
    unsigned used; /* helpers that it calls: bits of Helper */
} Out;

/* Those for ints follow, then what these call. */
typedef enum {
    ADD_TOTALS,
    MAX_TOTALS,
    SET_TOTALS,
    GET_TOTALS,
    HELPERS,
    LARGER = 2 * HELPERS,
    WHOLE
} Helper;

static const struct {
    const char *name, *does, *note;
} helper_of[HELPERS] = {
    [ADD_TOTALS] = {"add_totals", "to[i] += (double)from[i]", "What a batch adds to totals."},
    [MAX_TOTALS] = {"max_totals", "to[i] = larger(to[i], (double)from[i])", "The largest so far."},
    [SET_TOTALS] = {"set_totals", "to[i] = (double)from[i]", "What a batch says of all rows."},
    [GET_TOTALS] = {"get_totals", NULL, "Totals for the rows of a batch."},
};

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

/* helper(to, from, how many), with a number given where it stands. */
static void call_helper(Out *o, Helper h, bool whole, const char *to, const char *from, Shape shape)
{
    o->used |= 1u << (h + whole * HELPERS);
    o->used |= h == MAX_TOTALS ? 1u << LARGER : 0;
    o->used |= h == GET_TOTALS && whole ? 1u << WHOLE : 0;
    text_add(&o->text, "%s%s(%s, %s, %s);\n", helper_of[h].name, whole ? "_int" : "", to, from,
             emit_size(o->e, shape_count(o->e->graph, shape), &o->dims));
}

/* Adds lines one level deeper. */
static void add_indented(Text *to, const char *lines)
{
    for (const char *end; *lines; lines = end) {
        end = strchr(lines, '\n') + 1;
        text_add(to, "    %.*s", (int)(end - lines), lines);
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
    Emit *e = o->e;
    const char *to = x->of_carrier[k], *from = x->member[k];
    text_add(&o->text, "    ");
    if (c->kind == CARRY_FIRST)
        text_add(&o->text, "if (t->%s == 0)\n        ", c->walk ? x->seen : x->rows);
    if (c->node->shape.rank > 0) {
        call_helper(o, helper[c->kind], c->node->type == T_INT,
                    first_element(e, "t", to, c->node->shape),
                    first_element(e, "w", from, c->node->shape), c->node->shape);
        return;
    }
    if (c->kind == CARRY_SUM)
        text_add(&o->text, "t->%s += (double)w->%s;\n", to, from);
    else if (c->kind == CARRY_MAX)
        text_add(&o->text, "t->%s = larger(t->%s, (double)w->%s);\n", to, to, from);
    else
        text_add(&o->text, "t->%s = (double)w->%s;\n", to, from);
    o->used |= c->kind == CARRY_MAX ? 1u << LARGER : 0;
}

/* The statements that hand a known total to the rows of a batch. */
static void print_link(Out *o, int k)
{
    const Metrics *x = o->e->module->metrics;
    const Node *n = x->carry->link[k].node;
    const char *to = x->link_member[k], *from = x->of_link[k];
    text_add(&o->text, "        ");
    if (n->shape.rank > 0) {
        call_helper(o, GET_TOTALS, n->type == T_INT, first_element(o->e, "w", to, n->shape),
                    first_element(o->e, "t", from, n->shape), n->shape);
        return;
    }
    text_add(&o->text, n->type == T_INT ? "w->%s = whole(t->%s);\n" : "w->%s = (%s)t->%s;\n", to,
             n->type == T_INT ? from : o->e->real, from);
    o->used |= n->type == T_INT ? 1u << WHOLE : 0;
}

/* What metrics_add does in a walk: the call of the model, then what it left goes into the totals.
 */
static void print_walk(Out *o, int walk)
{
    Emit *e = o->e;
    const Metrics *x = e->module->metrics;
    const Function *f = NULL;
    for (int i = 0; i < e->module->functions; i++)
        f = e->module->function[i].fn == FN_EVAL && e->module->function[i].walk == walk
                ? &e->module->function[i]
                : f;
    if (x->carry->walks > 1)
        text_add(&o->text, walk ? "    if (t->%s == %d) {\n" : "    if (t->%s == %d)\n    ",
                 x->walk, walk);
    for (int k = 0; k < x->carry->links; k++)
        if (x->carry->link[k].walk <= walk)
            print_link(o, k);
    text_add(&o->text, "%s    error = %s_%s(%s);\n", walk ? "    " : "", e->module->name, f->name,
             emit_arguments(e, f, false));
    text_add(&o->text, walk ? "    }\n" : "");
}

static void print_carriers(Out *o, int walk)
{
    const Metrics *x = o->e->module->metrics;
    for (int k = 0; k < x->carry->carriers; k++)
        if (x->carry->carrier[k].walk == walk)
            print_carrier(o, k);
    text_add(&o->text, "    t->%s += in->%s;\n", walk ? x->seen : x->rows, o->e->module->dim[0]);
}

/* The other run-time sizes are those of the first batch. */
static void print_same_dims(Out *o)
{
    const Emit *e = o->e;
    for (int i = 1; i < e->graph->dims; i++)
        text_add(&o->text, "    if (t->%s > 0 && in->%s != t->%s)\n        return NGRT_ESIZE;\n",
                 e->module->metrics->rows, e->module->dim[i], e->module->metrics->dim[i]);
}

static void print_add(Emit *e, Text *text, unsigned *used)
{
    const Metrics *x = e->module->metrics;
    Out o = {.e = e, .text.ngc = e->ngc};
    int walks = x->carry->walks;
    print_same_dims(&o);
    for (int walk = 0; walk < walks; walk++)
        print_walk(&o, walk);
    text_add(&o.text, "    if (error)\n        return error;\n");
    for (int i = 1; i < e->graph->dims; i++)
        text_add(&o.text, "    t->%s = in->%s;\n", x->dim[i], e->module->dim[i]);
    for (int walk = walks - 1; walk > 0; walk--) {
        text_add(&o.text, "    if (t->%s == %d) {\n", x->walk, walk);
        Out inner = {.e = e, .text.ngc = e->ngc};
        print_carriers(&inner, walk);
        add_indented(&o.text, inner.text.at);
        text_add(&o.text, "        return NGRT_OK;\n    }\n");
        o.dims |= inner.dims;
        o.used |= inner.used;
    }
    print_carriers(&o, 0);
    text_add(text, "int %s_metrics_add(%s)\n{\n", e->module->name, add_arguments(e, true));
    emit_run_time_sizes(e, text, o.dims);
    text_add(text, "    int error%s;\n", walks > 1 ? " = NGRT_ESIZE" : "");
    text_add(text, "%s    return NGRT_OK;\n}\n\n", o.text.at);
    *used |= o.used;
}

/* Sums begin with 0, maxima with -INFINITY. */
static void print_start(Emit *e, Text *text)
{
    const Metrics *x = e->module->metrics;
    text_add(text, "void %s_metrics_start(%s_totals *t)\n{\n    memset(t, 0, sizeof *t);\n",
             e->module->name, e->module->name);
    for (int k = 0; k < x->carry->carriers; k++) {
        const Carrier *c = &x->carry->carrier[k];
        if (c->kind != CARRY_MAX)
            continue;
        if (c->node->shape.rank == 0)
            text_add(text, "    t->%s = -INFINITY;\n", x->of_carrier[k]);
        else
            text_add(
                text,
                "    for (size_t i = 0; i < %lld; i++)\n        ((double *)t->%s)[i] = -INFINITY;\n",
                (long long)size_max(e->graph, shape_count(e->graph, c->node->shape)),
                x->of_carrier[k]);
    }
    text_add(text, "}\n\n");
}

/* The statements at the end of a walk. */
static void print_end(Emit *e, Text *text, int walk, unsigned *dims)
{
    const Function *f = &e->module->metrics->end[walk];
    comment_names(e, f->program, true);
    for (int part = 0; part < f->program->parts; part++) {
        Body b = emit_part(e, f, part);
        bool apart = f->program->parts > 1;
        text_add(text, apart ? "    {\n" : "");
        if (apart)
            add_indented(text, b.text.at);
        else
            text_add(text, "%s", b.text.at);
        text_add(text, apart ? "    }\n" : "");
        *dims |= b.dims;
    }
    comment_names(e, f->program, false);
}

static void print_finish(Emit *e, Text *text)
{
    const Metrics *x = e->module->metrics;
    Text body = {.ngc = e->ngc};
    unsigned dims = 0;
    int walks = x->carry->walks;
    bool wide = e->ngc->opt.real_double;

    emit_set_real(e, true); /* totals are double, and what is computed of them */
    if (walks > 1)
        text_add(
            &body,
            "    if (t->%s > 0 && t->%s != t->%s)\n        return NGRT_ESIZE; /* not the rows of the first walk */\n"
            "    t->%s = 0;\n    t->%s++;\n",
            x->walk, x->seen, x->rows, x->seen, x->walk);
    for (int walk = 0; walk < walks - 1; walk++) {
        Text inner = {.ngc = e->ngc};
        print_end(e, &inner, walk, &dims);
        text_add(&body, "    if (t->%s == %d) { /* what the next walk over the rows needs */\n",
                 x->walk, walk + 1);
        add_indented(&body, inner.at ? inner.at : "");
        text_add(&body, "        return NGRT_AGAIN;\n    }\n");
    }
    print_end(e, &body, walks - 1, &dims);
    emit_set_real(e, wide);

    text_add(text, "int %s_metrics_finish(%s_totals *t)\n{\n", e->module->name, e->module->name);
    for (int i = 0; i < e->graph->dims; i++)
        if (dims >> i & 1)
            text_add(text, "    const size_t %s%s = (size_t)t->%s;\n", e->module->dim_prefix,
                     e->graph->dim[i].name, i ? x->dim[i] : x->rows);
    text_add(text, "%s%s    return NGRT_OK;\n}\n\n", body.size ? body.at : "",
             body.size ? "" : "    (void)t;\n");
}

static void print_helpers(Emit *e, Text *text, unsigned used)
{
    if (used >> LARGER & 1)
        text_add(
            text,
            "/* NaN passes on. */\nstatic double larger(double a, double b)\n{\n    return b > a || b != b ? b : a;\n}\n\n");
    if (used >> WHOLE & 1)
        text_add(
            text,
            "/* The int that a total is, or the nearest. */\nstatic int32_t whole(double x)\n{\n"
            "    return x >= 2147483647.0 ? INT32_MAX : x > -2147483648.0 ? (int32_t)x : INT32_MIN;\n}\n\n");
    for (int h = 0; h < 2 * HELPERS; h++) {
        bool is_int = h >= HELPERS, get = h % HELPERS == GET_TOTALS;
        const char *own = is_int ? "int32_t" : e->real, *does = helper_of[h % HELPERS].does;
        if (!(used >> h & 1))
            continue;
        if (get)
            does =
                is_int ? "to[i] = whole(from[i])" : text_format(e->ngc, "to[i] = (%s)from[i]", own);
        text_add(
            text,
            "/* %s */\nstatic void %s%s(%s *to, const %s *from, size_t n)\n{\n    for (size_t i = 0; i < n; i++)\n        %s;\n}\n\n",
            helper_of[h % HELPERS].note, helper_of[h % HELPERS].name, is_int ? "_int" : "",
            get ? own : "double", get ? "double" : own, does);
    }
}

void metrics_print(Emit *e, Text *out)
{
    Text body = {.ngc = e->ngc};
    unsigned used = 0;
    if (!e->module->metrics)
        return;
    print_start(e, &body);
    print_add(e, &body, &used);
    print_finish(e, &body);
    print_helpers(e, out, used);
    text_add(out, "%s", body.at);
}

/* ---- the descriptor ---- */

void metrics_wrappers(Emit *e, Text *t)
{
    if (!e->module->metrics)
        return;
    text_add(t, "size_t %s_sizeof_totals(void)\n{\n    return sizeof(%s_totals);\n}\n\n",
             e->module->name, e->module->name);
    text_add(
        t, "static void call_metrics_start(void *totals)\n{\n    %s_metrics_start(totals);\n}\n\n",
        e->module->name);
    text_add(
        t,
        "static int call_metrics_add(const void *params, void *state, const void *inputs, void *work, void *totals)\n{\n");
    if (!(e->module->metrics->blocks & USES_PARAMS))
        text_add(t, "    (void)params;\n");
    if (!(e->module->metrics->blocks & USES_STATE))
        text_add(t, "    (void)state;\n");
    text_add(t, "    return %s_metrics_add(%s%sinputs, work, totals);\n}\n\n", e->module->name,
             e->module->metrics->blocks & USES_PARAMS ? "params, " : "",
             e->module->metrics->blocks & USES_STATE ? "state, " : "");
    text_add(
        t,
        "static int call_metrics_finish(void *totals)\n{\n    return %s_metrics_finish(totals);\n}\n\n",
        e->module->name);
}

/* Where the descriptor's reader finds the result of root i in totals; 0: nowhere. */
const char *metrics_offset(Emit *e, int root)
{
    const char *name = e->module->metrics ? e->module->metrics->of_root[root] : NULL;
    return name ? text_format(e->ngc, "offsetof(%s_totals, %s)", e->module->name, name) : "0";
}

/* How a trainer that sees a loss of each batch gathers that of all; a model without run-time sizes
 * has one batch. */
const char *metrics_flags(Emit *e, int root)
{
    static const char *const flag[] = {
        [OF_TOTALS] = "0", [OF_SUM] = "NGRT_SUM", [OF_MEAN] = "NGRT_MEAN"};
    return e->module->metrics ? flag[e->module->metrics->carry->gathering[root]] : "0";
}
