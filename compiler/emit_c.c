/* emit_c.c - a model as C: plans a program for each function of its interface and prints the file.
 */
#include "emit.h"

#include <string.h>

/* ---- programs: which roots each function delivers ---- */

/* ---- functions: which blocks they take, what they check ---- */

/* ---- -O0: every value that is stored is a member of work ---- */

/* ---- printing ---- */

int emit_data(Emit *e, const double *data, Type type, int64_t count)
{
    int *first = table_at(e->ngc, &e->data_of, data);
    for (int i = *first ? *first - 1 : e->datas; i < e->datas; i++)
        if (e->data[i].data == data && e->data[i].type == type &&
            e->data[i].wide == e->ngc->opt.real_double)
            return i + 1;
    *first = *first ? *first : e->datas + 1;
    e->data = arena_grow(e->ngc, e->data, e->datas, &e->data_room, sizeof *e->data);
    e->data[e->datas].data = data;
    e->data[e->datas].type = type;
    e->data[e->datas].wide = e->ngc->opt.real_double;
    e->data[e->datas].count = count;
    return ++e->datas;
}

static void print_data(Emit *e, Text *t)
{
    for (int i = 0; i < e->datas; i++) {
        bool wide = e->data[i].wide, real_double = e->ngc->opt.real_double;
        text_add(t, "static const %s data_%d[%lld] = {",
                 e->data[i].type == T_INT ? "int32_t"
                 : wide                   ? "double"
                                          : e->real,
                 i + 1, (long long)e->data[i].count);
        e->ngc->opt.real_double = wide;
        for (int64_t k = 0; k < e->data[i].count; k++)
            text_add(t, "%s%s",
                     k == 0       ? "\n    "
                     : k % 8 == 0 ? ",\n    "
                                  : ", ",
                     emit_number(e, e->data[i].data[k], e->data[i].type));
        e->ngc->opt.real_double = real_double;
        text_add(t, "\n};\n\n");
    }
}

void emit_run_time_sizes(Emit *e, Text *t, unsigned dims)
{
    for (int i = 0; i < e->graph->dims; i++)
        if (dims >> i & 1)
            text_add(t, "    const size_t %s%s = (size_t)in->%s;\n", e->module->dim_prefix,
                     e->graph->dim[i].name, e->module->dim[i]);
}

void emit_space(const Emit *e, Text *t, const Body *b)
{
    if (b->space)
        text_add(t, "    %s *const space = w->space + w->space_at;\n", e->real);
}

/* Backward reads what forward left. */
static void print_space_start(Emit *e, const Function *f, Text *t)
{
    bool space = f->program->space > 0 || (f->check && f->check->space > 0);
    if (!e->module->spare || !space || !(f->blocks & USES_WORK) || f->fn == FN_BACKWARD)
        return;
    text_add(t, "    w->space_at = line_start(w->space);\n");
    e->lines = true;
}

/* Sizes in range, then labels: a label's tensor has run-time sizes. */
static void print_checks(Emit *e, const Function *f, Text *t, unsigned *dims)
{
    if (!(f->blocks & USES_INPUTS))
        return;
    for (int i = 0; i < e->graph->dims; i++)
        text_add(t, "    if (in->%s < 1 || in->%s > %s)\n        return NGRT_ESIZE;\n",
                 e->module->dim[i], e->module->dim[i], e->module->dim_max[i]);
    for (int i = 0; i < e->module->model->vars; i++) {
        const Var *v = e->module->model->var[i];
        if (v->kind != VAR_INPUT || v->limit <= 0 || !f->reads[i])
            continue;
        if (v->shape.rank == 0)
            text_add(t, "    if (in->%s < 0 || in->%s >= %lld)\n        return NGRT_ELABEL;\n",
                     v->cname, v->cname, (long long)v->limit);
        else
            text_add(t, "    if (!check_labels(in->%s, %s, %lld))\n        return NGRT_ELABEL;\n",
                     v->cname, emit_size(e, shape_count(e->graph, v->shape), dims),
                     (long long)v->limit);
        e->labels |= v->shape.rank > 0;
    }
}

static void print_unused(const Function *f, Text *t, unsigned used)
{
    static const struct {
        unsigned use;
        const char *name;
    } all[] = {{USES_PARAMS, "params"},
               {USES_STATE, "state"},
               {USES_INPUTS, "in"},
               {USES_WORK, "w"},
               {USES_GRADS, "grads"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (f->blocks & ~used & all[i].use)
            text_add(t, "    (void)%s;\n", all[i].name);
}

/* At -O0 the rules stand in forward, backward and update, once: the other functions are made of the
 * same statements. */
static int comment_level(const Emit *e, const Function *f)
{
    int level = e->ngc->opt.comments;
    bool again = f->fn == FN_PREDICT || f->fn == FN_EVAL || f->fn >= FN_STEP;
    for (int i = 0; i < e->module->functions && again; i++)
        if (e->module->function[i].fn == FN_FORWARD && e->module->plain)
            return level > 1 ? 1 : level;
    return level;
}

/* Where a part's kernels begin; parts come one after another. */
static int first_kernel(const Program *p, int part)
{
    int low = 0, high = p->kernels;
    while (low < high) {
        int middle = (low + high) / 2;
        if (p->kernel[middle]->part < part)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool writes_var(const Program *p, const Kernel *k)
{
    for (int i = 0; i < k->stores; i++)
        if (store_place(p, &k->store[i])->kind == P_VAR)
            return true;
    return false;
}

/* In a plain program, where only variables are written twice: numbers that have no name wait for
 * the first statement that they are computed for, to stand below its comment. */
typedef struct Waiting {
    Emit *e;
    const Program *p;
    const Kernel **kernel; /* in order; NULL: printed */
    bool *needed;
    int count, room, left; /* left: how many are not printed yet */
} Waiting;

static bool waits(Waiting *w, const Kernel *k, int level)
{
    Emit *e = w->e;
    if (!w->p->plain || level == 0 || !comment_is_helper(e, w->p, k))
        return false;
    if (!e->waiting)
        e->waiting = arena_alloc(e->ngc, (size_t)(e->graph->count + 1) * sizeof *e->waiting);
    if (w->left == 0)
        w->count = 0;
    int room = w->room;
    w->kernel = arena_grow(e->ngc, w->kernel, w->count, &w->room, sizeof *w->kernel);
    w->needed = arena_grow(e->ngc, w->needed, w->count, &room, sizeof *w->needed);
    w->needed[w->count] = false;
    w->kernel[w->count++] = k;
    w->left++;
    e->waiting[k->store[0].node->id] = w->count;
    return true;
}

static void mark_needed(Waiting *w, const Node *n)
{
    const Node *holder = program_holder(w->p, n);
    int at = holder->id < w->e->graph->count ? w->e->waiting[holder->id] : 0;
    if (at)
        w->needed[at - 1] = true;
}

/* Marks what k reads of them. */
static void mark_operands(Waiting *w, const Kernel *k)
{
    for (int i = 0; i < k->vals; i++)
        if (k->val[i]->kind == V_LOAD)
            mark_needed(w, k->val[i]->node);
    for (int i = 0; i < 3; i++)
        if (kernel_operand(w->p, k, i))
            mark_needed(w, kernel_operand(w->p, k, i));
    for (int i = 0; i < k->stores && k->kind != K_LOOP;
         i++) /* what a call or a draw is given as numbers */
        for (int a = 0; a < k->store[i].node->nargs; a++)
            mark_needed(w, k->store[i].node->arg[a]);
}

/* Those that k needs; all of them where k could change what they read, and at the end (k is NULL),
 * when what they are is said. */
static void print_waiting(Body *b, Waiting *w, const Kernel *k, int level, int *line)
{
    bool all = w->left && (!k || writes_var(b->p, k));
    if (w->left == 0)
        return;
    if (!all)
        mark_operands(w, k);
    for (int i = w->count;
         i-- > 0 && !all;) /* they are in order: what one needs stands before it */
        if (w->kernel[i] && w->needed[i])
            mark_operands(w, w->kernel[i]);
    for (int i = 0; i < w->count; i++) {
        const Kernel *helper = w->kernel[i];
        if (!helper || !(all || w->needed[i]))
            continue;
        if (k)
            comment_helper(b->e, &b->text, helper, level);
        else
            comment_kernel(b->e, &b->text, b->p, helper, level, line);
        emit_kernel(b, helper);
        w->e->waiting[helper->store[0].node->id] = 0;
        w->kernel[i] = NULL;
        w->left--;
    }
}

/* The statements of one part. */
Body emit_part(Emit *e, const Function *f, int part)
{
    Body b = {.e = e, .p = f->program, .text.ngc = e->ngc, .temps = e->module->temps};
    int line = 0, level = comment_level(e, f);
    Waiting waiting = {.e = e, .p = f->program};
    text_put(&b.text, "", 0);
    for (int i = first_kernel(f->program, part); i < f->program->kernels; i++) {
        const Kernel *k = f->program->kernel[i];
        if (k->part != part)
            break;
        if (!function_has(f, k))
            continue;
        if (waits(&waiting, k, level))
            continue;
        if (f->shared)
            share_kernel(&b, k);
        comment_kernel(e, &b.text, f->program, k, level, &line);
        print_waiting(&b, &waiting, k, level, &line);
        emit_kernel(&b, k);
    }
    print_waiting(&b, &waiting, NULL, level, &line);
    share_end(&b);
    if (b.dims)
        b.blocks |= USES_INPUTS;
    return b;
}

/* A part as a function of its own, and its call. */
static void print_part_apart(Emit *e, const Function *f, int part, int number, Text *out,
                             Body *whole)
{
    Body b = emit_part(e, f, part);
    Function own = *f;
    own.blocks = b.blocks & ~(unsigned)USES_SEED;
    own.fn = b.blocks & USES_SEED ? FN_INIT : FN_STEP;
    const char *more = b.threads ? ", int id, int threads"
                       : b.id    ? ", int id"
                                 : "",
               *pass = b.threads ? ", id, threads"
                       : b.id    ? ", id"
                                 : "";
    text_add(out, "static void %s_%d(%s%s)\n{\n", f->name, number, emit_arguments(e, &own, true),
             more);
    emit_run_time_sizes(e, out, b.dims);
    emit_space(e, out, &b);
    text_add(out, "%s}\n\n", b.text.at);
    text_add(&whole->text, "    %s_%d(%s%s);\n", f->name, number, emit_arguments(e, &own, false),
             pass);
    whole->blocks |= b.blocks;
    whole->id |= b.id;
    whole->threads |= b.threads;
}

static void print_function(Emit *e, const Function *f, Text *out)
{
    Program *p = f->program;
    int first = -1, last = -1;
    unsigned dims = 0;
    Text checks = {.ngc = e->ngc};
    for (int i = 0; i < p->kernels; i++)
        if (function_has(f, p->kernel[i])) {
            first = first < 0 ? p->kernel[i]->part : first;
            last = p->kernel[i]->part;
        }
    Body b = {.e = e, .p = f->program, .text.ngc = e->ngc};
    text_put(&b.text, "", 0);
    text_put(&checks, "", 0);
    comment_names(e, p, true);
    if (first == last && first >= 0)
        b = emit_part(e, f, first);
    for (int part = first; part <= last && first < last; part++)
        print_part_apart(e, f, part, part - first + 1, out, &b);
    comment_names(e, p, false);
    if (f->shared)
        share_function(e, f, &b, out);
    print_checks(e, f, &checks, &dims);
    const char *outside = "";
    if (f->check)
        b.blocks |= emit_index_function(e, f, out, &outside);
    if (checks.size)
        b.blocks |= USES_INPUTS;
    if (comment_level(e, f) < e->ngc->opt.comments && !f->walk)
        text_add(out, "/* the same statements as in %s; the rules stand there */\n",
                 f->fn >= FN_STEP ? "forward, backward and update" : "forward");
    text_add(out, "%s%s %s_%s(%s)\n{\n", f->walk ? "static " : "",
             f->fn == FN_INIT ? "void" : "int", e->module->name, f->name,
             emit_arguments(e, f, true));
    emit_run_time_sizes(e, out, dims | b.dims);
    if (f->fn == FN_INIT && p->space > 0)
        text_add(out, "    %s space[%lld];\n", e->real, (long long)p->space);
    if (f->fn == FN_INIT && p->ispace > 0)
        text_add(out, "    int32_t ispace[%lld];\n", (long long)p->ispace);
    print_unused(f, out, b.blocks);
    if (f->fn == FN_INIT && !(b.blocks & USES_SEED))
        text_add(out, "    (void)seed;\n");
    text_add(out, "%s", checks.at);
    print_space_start(e, f, out);
    text_add(out, "%s", outside);
    emit_space(e, out, &b);
    text_add(out, "%s", b.text.at);
    text_add(out, f->fn == FN_INIT ? "}\n\n" : "    return NGRT_OK;\n}\n\n");
}

/* Does init compute anything that a compiler might round differently? */
static bool needs_exact(const Function *f)
{
    for (int i = 0; i < f->program->kernels; i++)
        for (int v = 0; v < f->program->kernel[i]->vals; v++)
            if (f->program->kernel[i]->val[v]->kind == V_OP)
                return f->fn == FN_INIT;
    return false;
}

static void print_functions(Emit *e, Text *out)
{
    for (int i = 0; i < e->module->functions; i++) {
        bool exact = needs_exact(&e->module->function[i]);
        if (exact)
            text_add(
                out,
                "/* the same bits everywhere: a*b + c is not to be rounded once */\n#if defined(__clang__)\n"
                "#pragma clang fp contract(off)\n#elif defined(__GNUC__)\n#pragma GCC push_options\n"
                "#pragma GCC optimize (\"fp-contract=off,no-tree-vectorize\")\n#endif\n");
        print_function(e, &e->module->function[i], out);
        if (exact)
            text_add(
                out,
                "#if defined(__clang__)\n#pragma clang fp contract(on)\n#elif defined(__GNUC__)\n#pragma GCC "
                "pop_options\n#endif\n\n");
    }
}

/* How the C is compiled, whatever the user's options are. Loops that gain by vectors name them; all
 * others are as they are written, as the vectorisers of GCC 11 and 12 make wrong code of some: of
 * reversed and strided reads, of shifted differences, of loads under a condition. And arithmetic is
 * IEEE's: -ffast-math and its parts would undo what makes exp, tanh and sums exact. */
static void print_pragmas(Text *t, bool begin)
{
    if (!begin) {
        text_add(
            t,
            "#if defined __clang__\n#pragma float_control(pop)\n#elif defined __GNUC__ && defined __OPTIMIZE__\n"
            "#pragma GCC pop_options\n#endif\n");
        return;
    }

    text_add(
        t,
        "#if defined __clang__\n"
        "#pragma float_control(precise, on, push)\n"
        "#elif defined __GNUC__ && defined __OPTIMIZE__\n"
        "#pragma GCC push_options\n"
        "#pragma GCC optimize (\"no-tree-vectorize,no-tree-loop-vectorize,no-tree-slp-vectorize\")\n"
        "#pragma GCC optimize (\"no-fast-math,no-unsafe-math-optimizations,no-associative-math,no-reciprocal-math\")\n"
        "#pragma GCC optimize (\"no-finite-math-only,signed-zeros\")\n"
        "#elif defined __FAST_MATH__\n"
        "#error \"this C needs the arithmetic of IEEE 754: compile it without -ffast-math\"\n"
        "#endif\n\n");
}

/* The model's file, without directories. */
static const char *source_name(const Emit *e)
{
    const char *name = e->ngc->files > 1 ? e->ngc->file[1]->name : e->module->model->name,
               *slash = strrchr(name, '/');
    return comment_text(e->ngc, slash ? slash + 1 : name);
}

static void print_first_line(Emit *e, Text *t, const char *file)
{
    text_add(t, "/* %s - from %s by ngc " NGC_VERSION ". Generated code is yours: MIT-0. */\n",
             comment_text(e->ngc, file), source_name(e));
}

static void print_header(Emit *e, const char *name, Text *t)
{
    print_first_line(e, t, name);
    text_add(t, "#ifndef NGC_%s_H\n#define NGC_%s_H\n\n", e->module->name, e->module->name);
    emit_declarations(e, t);
    text_add(t, "\n#endif\n");
}

/* ---- which variable of the C is which value ---- */

static const char *variable_text(Emit *e, const Place *place, const char *function)
{
    static const char *const block[] = {
        [VAR_INPUT] = "in", [VAR_PARAM] = "params", [VAR_STATE] = "state"};
    switch (place->kind) {
    case P_VAR: return text_format(e->ngc, "%s->%s", block[place->var->kind], place->var->cname);
    case P_MEMBER: return text_format(e->ngc, "w->%s", place->name);
    case P_GRAD: return text_format(e->ngc, "grads->%s", place->name);
    case P_LOCAL: return place->name ? text_format(e->ngc, "%s %s", function, place->name) : NULL;
    default: return NULL;
    }
}

static void add_variable(Emit *e, Output *out, Table *known, int *room, const char *name,
                         const char *text)
{
    int *seen = name && text ? table_at(e->ngc, known, intern_str(e->ngc, name)) : NULL;
    if (!seen || (*seen)++)
        return;
    out->variable = arena_grow(e->ngc, out->variable, out->variables, room, sizeof *out->variable);
    out->variable[out->variables++] = (Variable){name, text};
}

/* For the page, which shows the C: by their names the variables of inputs, results and gradients,
 * then of all that the functions store, forward and backward first. */
static void list_variables(Emit *e, Output *out)
{
    Table known = {0};
    int room = 0;
    for (int i = 0; i < e->module->model->vars; i++) {
        const Var *v = e->module->model->var[i];
        Place place = {.kind = P_VAR, .var = (Var *)v};
        add_variable(e, out, &known, &room, v->name, variable_text(e, &place, ""));
    }
    for (int i = 0; i < e->module->model->roots; i++) {
        const Root *r = &e->module->model->root[i];
        Place place = root_place(r);
        if (r->kind != ROOT_UPDATE && (r->kind == ROOT_GRAD || module_keeps(e->module, r)))
            add_variable(e, out, &known, &room, r->name, variable_text(e, &place, ""));
    }
    for (int first = 1; first >= 0; first--)
        for (int i = 0; i < e->module->functions; i++) {
            const Function *f = &e->module->function[i];
            if ((f->fn == FN_FORWARD || f->fn == FN_BACKWARD) != first || f->fn == FN_INIT)
                continue;
            for (int k = 0; k < f->program->nodes; k++)
                if (f->phase < 0 || f->program->phase[k] == f->phase)
                    add_variable(e, out, &known, &room, f->program->node[k]->name,
                                 variable_text(e, &f->program->place[k], f->name));
        }
}

/* The runtime's headers whose texts are compiled into the model, where these are not copied. */
static void print_includes(const Emit *e, Text *t)
{
    bool copied = e->ngc->opt.standalone;

    text_add(t, "%s", e->small && !copied ? "#include \"ngrt_small.h\"\n" : "");
    text_add(t, "%s\n",
             emit_has_section(e, "vector") && !copied ? "#include \"ngrt_vector.h\"\n" : "");
}

static Emit *emit_new(const Module *m)
{
    Emit *e = arena_alloc(m->ngc, sizeof *e);

    *e = (Emit){.ngc = m->ngc, .graph = m->graph, .module = m, .kernels.ngc = m->ngc};
    emit_set_real(e, m->ngc->opt.real_double);
    return e;
}

void emit_c(const Module *m, const char *header, Output *out)
{
    Ngc *ngc = m->ngc;
    Emit *e = emit_new(m);
    Text body = {.ngc = ngc};
    print_functions(e, &body);
    metrics_print(e, &body);
    *out = (Output){.c = {.ngc = ngc}, .h = {.ngc = ngc}};
    if (header)
        print_header(e, header, &out->h);
    size_t stem = header ? strlen(header) : 0;
    if (stem > 2 && strcmp(header + stem - 2, ".h") == 0)
        print_first_line(e, &out->c, text_format(ngc, "%.*sc", (int)stem - 1, header));
    else
        print_first_line(e, &out->c, text_format(ngc, "%s.c", e->module->name));
    print_pragmas(&out->c, true);
    if (header) {
        const char *slash = strrchr(header, '/');
        text_add(&out->c, "#include \"%s\"\n\n", slash ? slash + 1 : header);
    } else {
        emit_declarations(e, &out->c);
    }
    text_add(&out->c, "#include <math.h>\n#include <string.h>\n");
    print_includes(e, &out->c);
    share_helpers(e, &out->c);
    if (ngc->opt.standalone)
        emit_runtime(e, &out->c);
    size_t before = out->c.size;
    emit_defaults(e, &out->c, true);
    emit_weights(e, &out->c, true);
    print_data(e, &out->c);
    out->numbers = out->c.size - before;
    if (e->lines)
        text_add(
            &out->c,
            "/* How far into x the first cache line begins, of %d bytes. */\nstatic int line_start(const %s *x)\n{\n"
            "    return (int)((%d - (uintptr_t)x %% %d) %% %d / sizeof *x);\n}\n\n",
            LINE, e->real, LINE, LINE, LINE);
    if (e->labels)
        text_add(
            &out->c,
            "/* Are all of x in [0, limit)? */\nstatic int check_labels(const int32_t *x, size_t n, int32_t limit)\n{\n"
            "    for (size_t i = 0; i < n; i++)\n        if (x[i] < 0 || x[i] >= limit)\n            return 0;\n"
            "    return 1;\n}\n\n");
    if (e->kernels.size)
        text_put(&out->c, e->kernels.at, e->kernels.size);
    text_put(&out->c, body.at, body.size);
    emit_model(e, &out->c);
    print_pragmas(&out->c, false);
    if (e->module->plain)
        list_variables(e, out);
}

void emit_model_c(Model *m, const char *header, Output *out)
{
    emit_c(module_build(m), header, out);
}
