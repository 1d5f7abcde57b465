/* emit_c.c - a module as C: the file and its header, put together from their parts. */
#include "emit/emit.h"

#include <string.h>

/* ---- how the C is compiled ---- */

/* Whatever the user's options are: the loops that gain by vectors name them, and all others are
 * compiled as they are written. The vectorisers of GCC 11 and 12 make wrong code of some loops:
 * reversed and strided reads, shifted differences, loads under a condition. Arithmetic is that of
 * IEEE 754: -ffast-math and its parts would undo what makes exp, tanh and sums exact.
 * Clang can switch them off for x86 only. */
static const char pragmas_begin[] =
    "#if defined __clang__ && (defined __x86_64__ || defined __i386__)\n"
    "#pragma float_control(precise, on, push)\n"
    "#elif defined __GNUC__ && defined __OPTIMIZE__ && !defined __clang__\n"
    "#pragma GCC push_options\n"
    "#pragma GCC optimize (\"no-tree-vectorize,no-tree-loop-vectorize,no-tree-slp-vectorize\")\n"
    "#pragma GCC optimize (\"no-fast-math,no-unsafe-math-optimizations,no-associative-math,"
    "no-reciprocal-math\")\n"
    "#pragma GCC optimize (\"no-finite-math-only,signed-zeros\")\n"
    "#elif defined __FAST_MATH__\n"
    "#error \"this C needs the arithmetic of IEEE 754: compile it without -ffast-math\"\n"
    "#endif\n"
    "\n";

static const char pragmas_end[] =
    "#if defined __clang__ && (defined __x86_64__ || defined __i386__)\n"
    "#pragma float_control(pop)\n"
    "#elif defined __GNUC__ && defined __OPTIMIZE__ && !defined __clang__\n"
    "#pragma GCC pop_options\n"
    "#endif\n";

/* ---- names of files ---- */

/* The file of the model. */
static const char *source_name(const Emit *e)
{
    const Ngc *ngc = e->ngc;
    const char *path = ngc->files > 1 ? ngc->file[1]->name : e->module->model->name;
    return comment_text(e->ngc, base_name(path));
}

/* The name of the C: it differs from the header's in its last letter, or it is made of the model's.
 */
static const char *c_file_name(const Emit *e, const char *header)
{
    size_t size = 0;
    if (header)
        size = strlen(header);
    if (size > 2 && same_text(header + size - 2, ".h"))
        return text_format(e->ngc, "%.*sc", (int)size - 1, header);
    return text_format(e->ngc, "%s.c", e->module->name);
}

/* ---- which variable of the C is which value ---- */

static const char *variable_text(Emit *e, const Place *place, const char *function)
{
    Ngc *ngc = e->ngc;
    switch (place->kind) {
    case P_VAR: {
        Block block = block_of_var[place->var->kind];
        return text_format(ngc, "%s->%s", block_info[block].name, place->var->cname);
    }
    case P_MEMBER: return text_format(ngc, "w->%s", place->name);
    case P_GRAD: return text_format(ngc, "grads->%s", place->name);
    case P_LOCAL: return place->name ? text_format(ngc, "%s %s", function, place->name) : NULL;
    default: return NULL;
    }
}

/* Adds a variable, unless there is one for this name. */
static void add_variable(Emit *e, Output *out, Table *known, int *room, const char *name,
                         const char *text)
{
    Ngc *ngc = e->ngc;
    if (!name || !text)
        return;
    int *seen = table_at(ngc, known, intern_str(ngc, name));
    if (*seen)
        return;

    *seen = 1;
    LIST_GROW(ngc, out->variable, out->variables, room);
    out->variable[out->variables++] = (Variable){name, text};
}

/* The variables of what a function stores. */
static void list_stored(Emit *e, Output *out, Table *known, int *room, const Function *f)
{
    const Program *p = f->program;
    for (int i = 0; i < p->nodes; i++) {
        const char *text = variable_text(e, &p->place[i], f->name);
        if (f->phase < 0 || p->phase[i] == f->phase)
            add_variable(e, out, known, room, p->node[i]->name, text);
    }
}

/* For the page, which shows the C: the variables of inputs, results and gradients by their names,
 * then those of all that the functions store, forward and backward first. */
static void list_variables(Emit *e, Output *out)
{
    const Model *m = e->module->model;
    Table known = {0};
    int room = 0;

    for (int i = 0; i < m->vars; i++) {
        Place place = {.kind = P_VAR, .var = m->var[i]};
        add_variable(e, out, &known, &room, m->var[i]->name, variable_text(e, &place, ""));
    }

    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        Place place = root_place(r);
        bool stored = r->kind == ROOT_GRAD || module_keeps(e->module, r);
        if (r->kind != ROOT_UPDATE && stored)
            add_variable(e, out, &known, &room, r->name, variable_text(e, &place, ""));
    }

    for (int first = 1; first >= 0; first--)
        for (int i = 0; i < e->module->functions; i++) {
            const Function *f = &e->module->function[i];
            bool is_first = f->fn == FN_FORWARD || f->fn == FN_BACKWARD;
            if (is_first == first && f->fn != FN_INIT)
                list_stored(e, out, &known, &room, f);
        }
}

/* ---- the parts of the file ---- */

static void print_first_line(Emit *e, Text *t, const char *file)
{
    text_add(t, "/* %s - from %s by ngc " NGC_VERSION ". Generated code is yours: MIT-0. */\n",
             comment_text(e->ngc, file), source_name(e));
}

static void print_header(Emit *e, const char *name, Text *t)
{
    print_first_line(e, t, name);
    text_add(t, "#ifndef NGC_%s_H\n", e->module->name);
    text_add(t, "#define NGC_%s_H\n\n", e->module->name);
    emit_declarations(e, t, true);
    text_add(t, "\n#endif\n");
}

/* The declarations: in the header, or here. */
static void print_declarations(Emit *e, const char *header, Text *t)
{
    if (header)
        text_add(t, "#include \"%s\"\n\n", base_name(header));
    else
        emit_declarations(e, t, false);
}

/* The runtime's headers whose texts are compiled into the model, unless they are copied. */
static void print_includes(const Emit *e, Text *t)
{
    bool copied = e->ngc->opt.standalone;

    text_add(t, "#include <math.h>\n");
    text_add(t, "#include <string.h>\n");
    if (e->uses_small && !copied)
        text_add(t, "#include \"ngrt_small.h\"\n");
    if (!copied)
        emit_function_headers(e, t);
    text_add(t, "\n");
}

static const char check_labels_text[] =
    "/* Are all of x in [0, limit)? */\n"
    "static int check_labels(const int32_t *x, size_t n, int32_t limit)\n"
    "{\n"
    "    for (size_t i = 0; i < n; i++)\n"
    "        if (x[i] < 0 || x[i] >= limit)\n"
    "            return 0;\n"
    "    return 1;\n"
    "}\n"
    "\n";

/* What goes over the ranks, if there are several. */
static void print_ranks(const Emit *e, Text *t)
{
    for (int kind = RANKS_SUM; kind <= RANKS_LATER; kind++) {
        const char *word = ranks_word[kind];
        if (!(e->uses_ranks >> kind & 1))
            continue;
        text_add(t, "static void ranks_%s(struct ngrt_ranks *r, int type, void *x, size_t n)\n",
                 word);
        text_add(t, "{\n");
        text_add(t, "    if (r)\n        r->%s(r, type, x, n);\n", word);
        text_add(t, "}\n\n");
    }
    if (e->uses_ranks & RANKS_WAIT)
        text_add(t, "static void ranks_wait(struct ngrt_ranks *r)\n{\n"
                    "    if (r)\n        r->wait(r);\n}\n\n");
}

static void print_helpers(const Emit *e, Text *t)
{
    print_ranks(e, t);
    if (e->uses_line_start) {
        text_add(t, "/* How far into x the first cache line begins, of %d bytes. */\n", LINE);
        text_add(t, "static int line_start(const %s *x)\n", e->real);
        text_add(t, "{\n");
        text_add(t, "    return (int)((%d - (uintptr_t)x %% %d) %% %d / sizeof *x);\n", LINE, LINE,
                 LINE);
        text_add(t, "}\n\n");
    }
    if (e->uses_check_labels)
        text_add(t, "%s", check_labels_text);
}

/* What is frozen while the rest is trained. */
static void print_frozen(Emit *e, Text *t)
{
    if (!module_has_var(e->module, VAR_FROZEN))
        return;
    text_add(t, "/* weights that are not trained */\n");
    emit_vars(e, t, VAR_FROZEN, "frozen");
    emit_frozen(e, t);
}

/* The arrays of numbers; returns how many bytes they are. */
static size_t print_numbers(Emit *e, Text *t)
{
    size_t before = t->size;
    emit_defaults(e, t, true);
    emit_weights(e, t, true);
    print_frozen(e, t);
    emit_arrays(e, t);
    return t->size - before;
}

void emit_c(const Module *m, const char *header, Output *out)
{
    Ngc *ngc = m->ngc;
    Emit *e = emit_new(m);
    Text *c = &out->c;
    Text functions = {.ngc = ngc};
    *out = (Output){.c = {.ngc = ngc}, .h = {.ngc = ngc}};

    /* The functions first: they decide what goes before them. */
    emit_functions(e, &functions);
    metrics_print(e, &functions);
    alike_join(e);
    if (!m->plain)
        functions = runs_of(e, functions.at, out);
    functions = alike_calls(e, functions.at);
    if (header)
        print_header(e, header, &out->h);

    print_first_line(e, c, c_file_name(e, header));
    text_add(c, "%s", pragmas_begin);
    print_declarations(e, header, c);
    print_includes(e, c);
    share_helpers(e, c);
    if (ngc->opt.standalone)
        emit_runtime(e, c);
    out->numbers = print_numbers(e, c);
    print_helpers(e, c);

    alike_print(e, c);
    text_put(c, functions.at, functions.size);
    emit_model(e, c);
    text_add(c, "%s", pragmas_end);

    if (m->plain)
        list_variables(e, out);
}

void emit_model_c(Model *m, const char *header, Output *out)
{
    emit_c(module_build(m), header, out);
}
