/* emit_c.c - a module as C: the file and its header, put together from their parts. */
#include "emit.h"

#include <string.h>

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

    text_add(t, "%s", e->uses_small && !copied ? "#include \"ngrt_small.h\"\n" : "");
    text_add(t, "%s\n",
             emit_has_section(e, "vector") && !copied ? "#include \"ngrt_vector.h\"\n" : "");
}

void emit_c(const Module *m, const char *header, Output *out)
{
    Ngc *ngc = m->ngc;
    Emit *e = emit_new(m);
    Text body = {.ngc = ngc};
    emit_functions(e, &body);
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
    emit_arrays(e, &out->c);
    out->numbers = out->c.size - before;
    if (e->uses_line_start)
        text_add(
            &out->c,
            "/* How far into x the first cache line begins, of %d bytes. */\nstatic int line_start(const %s *x)\n{\n"
            "    return (int)((%d - (uintptr_t)x %% %d) %% %d / sizeof *x);\n}\n\n",
            LINE, e->real, LINE, LINE, LINE);
    if (e->uses_check_labels)
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
