/* emit_interface.c - the functions of a module's interface, with the checks of their arguments. */
#include "emit/emit.h"

/* ---- before the statements ---- */

/* Looks for a cache line in space. Backward reads what forward left, so it does not look again. */
static void print_space_start(Emit *e, const Function *f, Text *t)
{
    bool space = f->program->space > 0 || (f->check && f->check->space > 0);
    if (!e->module->spare || !space || !(f->blocks & USES_WORK) || f->fn == FN_BACKWARD)
        return;

    text_add(t, "    w->space_at = line_start(w->space);\n");
    e->uses_line_start = true;
}

/* Are the labels of an input in their range? */
static void print_label_check(Emit *e, const Var *v, Text *t, unsigned *dims)
{
    long long limit = v->limit;

    if (v->shape.rank == 0) {
        text_add(t, "    if (in->%s < 0 || in->%s >= %lld)\n", v->cname, v->cname, limit);
    } else {
        const char *count = emit_size(e, shape_count(e->graph, v->shape), dims);
        text_add(t, "    if (!check_labels(in->%s, %s, %lld))\n", v->cname, count, limit);
        e->uses_check_labels = true;
    }
    text_add(t, "        return NGRT_ELABEL;\n");
}

/* First of run-time sizes, then of labels, whose tensors have such sizes. */
static void print_checks(Emit *e, const Function *f, Text *t, unsigned *dims)
{
    if (!(f->blocks & USES_INPUTS))
        return;

    for (int i = 0; i < e->graph->dims; i++) {
        const char *dim = e->module->dim[i];
        text_add(t, "    if (in->%s < 1 || in->%s > %s)\n", dim, dim, e->module->dim_max[i]);
        text_add(t, "        return NGRT_ESIZE;\n");
    }

    for (int i = 0; i < e->module->model->vars; i++) {
        const Var *v = e->module->model->var[i];
        if (v->kind == VAR_INPUT && v->limit > 0 && f->reads[i])
            print_label_check(e, v, t, dims);
    }
}

static void print_unused(const Function *f, Text *t, unsigned used)
{
    for (int i = 0; i < MODEL_BLOCKS; i++)
        if (f->blocks & ~used & block_info[i].use)
            text_add(t, "    (void)%s;\n", block_info[i].name);
    if (f->fn == FN_INIT && !(used & USES_SEED))
        text_add(t, "    (void)seed;\n");
}

/* ---- the statements ---- */

/* The arguments that a part needs besides those of its function, with types or without. */
static const char *thread_arguments(const Body *b, bool types)
{
    if (b->uses_threads)
        return types ? ", int id, int threads" : ", id, threads";
    if (b->uses_id)
        return types ? ", int id" : ", id";
    return "";
}

/* A part as a function of its own, and its call in `whole`. */
static void print_part_apart(Emit *e, const Function *f, int part, int number, Text *out,
                             Body *whole)
{
    Body b = emit_part(e, f, part);
    Function own = *f;
    own.blocks = b.blocks & ~(unsigned)USES_SEED;
    own.fn = b.blocks & USES_SEED ? FN_INIT : FN_STEP;

    const char *params = emit_arguments(e, &own, true);
    text_add(out, "static void %s_%d(%s%s)\n", f->name, number, params, thread_arguments(&b, true));
    text_add(out, "{\n");
    emit_run_time_sizes(e, out, b.dims);
    emit_space(e, out, &b);
    text_add(out, "%s", b.text.at);
    text_add(out, "}\n\n");

    const char *args = emit_arguments(e, &own, false);
    text_add(&whole->text, "    %s_%d(%s%s);\n", f->name, number, args,
             thread_arguments(&b, false));
    whole->blocks |= b.blocks;
    whole->uses_id |= b.uses_id;
    whole->uses_threads |= b.uses_threads;
}

/* The first and the last part that have kernels of this function; -1: it has none. */
static void find_parts(const Function *f, int *first, int *last)
{
    const Program *p = f->program;

    *first = *last = -1;
    for (int i = 0; i < p->kernels; i++) {
        if (!function_has(f, p->kernel[i]))
            continue;
        if (*first < 0)
            *first = p->kernel[i]->part;
        *last = p->kernel[i]->part;
    }
}

/* The statements of all parts. If there are several, each is a function, and they are calls. */
static Body print_parts(Emit *e, const Function *f, Text *out)
{
    Body b = {.e = e, .p = f->program, .text.ngc = e->ngc};
    int first, last;

    text_put(&b.text, "", 0);
    find_parts(f, &first, &last);

    comment_names(e, f->program, true);
    e->ready = false;
    if (first == last && first >= 0)
        b = emit_part(e, f, first);
    for (int part = first; part <= last && first < last; part++)
        print_part_apart(e, f, part, part - first + 1, out, &b);
    print_wait(&b, NULL);
    comment_names(e, f->program, false);
    return b;
}

/* ---- a function ---- */

/* "int iris_predict(...)", with a comment if this function has fewer comments than others. */
static void print_signature(Emit *e, const Function *f, Text *out)
{
    if (emit_comment_level(e, f) < e->ngc->opt.comments && !f->walk)
        text_add(out, "/* the same statements as in %s; the rules are there */\n",
                 f->fn >= FN_STEP ? "forward, backward and update" : "forward");

    const char *linkage = text_if(f->walk, "static ");
    const char *result = f->fn == FN_INIT ? "void" : "int";
    text_add(out, "%s%s %s_%s(%s)\n", linkage, result, e->module->name, f->name,
             emit_arguments(e, f, true));
}

/* Init has no work: its space is its own. */
static void declare_own_space(const Emit *e, const Function *f, Text *out)
{
    if (f->fn != FN_INIT)
        return;
    if (f->program->space > 0)
        text_add(out, "    %s space[%lld];\n", e->real, (long long)f->program->space);
    if (f->program->ispace > 0)
        text_add(out, "    int32_t ispace[%lld];\n", (long long)f->program->ispace);
}

static void print_function(Emit *e, const Function *f, Text *out)
{
    /* First the functions that it calls. */
    Body b = print_parts(e, f, out);
    if (f->shared)
        share_function(e, f, &b, out);

    Text checks = text_empty(e->ngc);
    unsigned dims = 0;
    print_checks(e, f, &checks, &dims);
    if (checks.size)
        b.blocks |= USES_INPUTS;

    const char *index_check = "";
    if (f->check)
        b.blocks |= emit_index_function(e, f, out, &index_check);

    /* Then its own text. Nothing is written before all checks are done. */
    print_signature(e, f, out);
    text_add(out, "{\n");
    emit_run_time_sizes(e, out, dims | b.dims);
    declare_own_space(e, f, out);
    print_unused(f, out, b.blocks);
    text_add(out, "%s", checks.at);
    print_space_start(e, f, out);
    text_add(out, "%s", index_check);
    emit_space(e, out, &b);
    text_add(out, "%s", b.text.at);

    if (f->fn != FN_INIT)
        text_add(out, "    return NGRT_OK;\n");
    text_add(out, "}\n\n");
}

/* ---- all functions ---- */

/* Does init compute anything that a compiler might round differently? */
static bool needs_exact(const Function *f)
{
    for (int i = 0; i < f->program->kernels; i++)
        for (int v = 0; v < f->program->kernel[i]->vals; v++)
            if (f->program->kernel[i]->val[v]->kind == V_OP)
                return f->fn == FN_INIT;
    return false;
}

static const char exact_begin[] =
    "/* the same bits everywhere: a*b + c is not to be rounded once */\n"
    "#if defined(__clang__)\n"
    "#pragma clang fp contract(off)\n"
    "#elif defined(__GNUC__)\n"
    "#pragma GCC push_options\n"
    "#pragma GCC optimize (\"fp-contract=off,no-tree-vectorize\")\n"
    "#endif\n";

static const char exact_end[] = "#if defined(__clang__)\n"
                                "#pragma clang fp contract(on)\n"
                                "#elif defined(__GNUC__)\n"
                                "#pragma GCC pop_options\n"
                                "#endif\n"
                                "\n";

/* At -O0 a long function consists of short loops. Compilers would unroll each, and then work on all
 * at once: GCC 12 at -O3 took minutes for the 900 lines of a recurrence, clang 14 47 s. */
static const char loops_begin[] =
    "/* many short loops: to unroll them all takes much time and gains little */\n"
    "#if defined __clang__\n"
    "#pragma clang attribute push(__attribute__((minsize)), apply_to = function)\n"
    "#elif defined __GNUC__ && defined __OPTIMIZE__\n"
    "#pragma GCC push_options\n"
    "#pragma GCC optimize (\"O1,no-tree-pta,no-tree-fre\")\n"
    "#endif\n";

static const char loops_end[] = "#if defined __clang__\n"
                                "#pragma clang attribute pop\n"
                                "#elif defined __GNUC__ && defined __OPTIMIZE__\n"
                                "#pragma GCC pop_options\n"
                                "#endif\n"
                                "\n";

/* Else a long function consists of calls. Most of the compiler's work on it would be for nothing,
 * and some of it grows faster than the function does. */
static bool is_long(const Function *f)
{
    enum { LONG = 64 }; /* kernels */
    int kernels = 0;
    for (int i = 0; i < f->program->kernels; i++)
        kernels += function_has(f, f->program->kernel[i]);
    return kernels >= LONG;
}

void emit_functions(Emit *e, Text *out)
{
    for (int i = 0; i < e->module->functions; i++) {
        const Function *f = &e->module->function[i];
        const bool exact = needs_exact(f);
        const bool plain = f->program->plain;
        const bool is_long_one = is_long(f);
        const char *begin = plain ? loops_begin : long_begin;
        const char *end = plain ? loops_end : long_end;

        text_add(out, "%s%s", text_if(is_long_one, begin), text_if(exact, exact_begin));
        print_function(e, f, out);
        text_add(out, "%s%s", text_if(exact, exact_end), text_if(is_long_one, end));
    }
}
