/* main.c - which phase runs when. */
#include "tool/options.h"
#include "tool/tool.h"
#include "../runtime/host/host.h"
#include "lang/lower.h"
#include "emit/emit_c.h"
#include "run/run.h"
#include "explain/explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- phases ---- */

static bool ends_in(const char *path, const char *end)
{
    size_t n = strlen(path);
    size_t k = strlen(end);
    return n > k && same_text(path + n - k, end);
}

/* The prefix of all emitted names: the stem of the file, made an identifier. */
static const char *model_name(Ngc *ngc, const Args *a)
{
    if (ngc->opt.prefix)
        return ngc->opt.prefix;
    const char *file = a->file;
    if (file && same_text(file, "-"))
        file = ngc->opt.stdin_name;
    if (!file)
        return "model";

    const char *base = base_name(file);
    int n = (int)strlen(base);
    if (ends_in(base, ".ng"))
        n -= 3;

    char *name = (char *)text_format(ngc, is_digit(*base) ? "m%.*s" : "%.*s", n, base);
    for (char *c = name; *c; c++)
        if (!is_word_char(*c))
            *c = '_';
    return name;
}

/* Does the text of -e have a statement? "a = b" is one, "a == b" and "f(k=1)" are not. */
static bool has_statement(const char *text)
{
    if (strpbrk(text, ";\n") || begins(text, "output ") || begins(text, "gradient "))
        return true;

    int depth = 0; /* of parentheses and brackets */
    for (const char *c = text; *c; c++) {
        depth += *c == '(' || *c == '[';
        depth -= *c == ')' || *c == ']';
        bool compares = c[1] == '=' || (c > text && strchr("<>=!", c[-1]));
        if (*c == '=' && depth == 0 && !compares)
            return true;
    }
    return false;
}

/* -e TEXT: statements, or an expression that is then J. */
static int expression_file(Ngc *ngc, const char *text)
{
    if (!has_statement(text))
        text = text_format(ngc, "J = %s", text);
    return source_add(ngc, "-e", text, strlen(text), false);
}

/* "; did you mean 'GUESS'?", or nothing. */
static const char *guess_words(Ngc *ngc, const char *wrong, const char *const *known, int count)
{
    const char *guess = suggest(ngc, wrong, known, count);
    if (!guess)
        return "";
    return text_format(ngc, "; did you mean '%s'?", guess);
}

/* Is there a dim for each -D? */
static bool check_defines(Ngc *ngc, const Model *m)
{
    const char *name[MAX_DIMS];
    int dims = m->graph->dims;
    for (int i = 0; i < dims; i++)
        name[i] = m->graph->dim[i].name;

    for (int i = 0; i < ngc->opt.defines; i++) {
        const Define *d = &ngc->opt.define[i];
        if (d->used)
            continue;
        complain(ngc, "-D %s=%.0f: the model has no dim '%s'%s", d->name, d->value, d->name,
                 guess_words(ngc, d->name, name, dims));
        return false;
    }
    return true;
}

/* Is there a value for each --keep? */
static bool check_keeps(Ngc *ngc, const Model *m)
{
    const char **name = arena_array(ngc, m->roots + 1, sizeof *name);
    int names = 0;
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind != ROOT_GRAD && m->root[i].kind != ROOT_UPDATE)
            name[names++] = m->root[i].name;

    for (int i = 0; i < ngc->opt.keeps; i++) {
        const char *wanted = ngc->opt.keep[i];
        bool found = false;
        for (int k = 0; k < names; k++)
            found |= same_text(name[k], wanted);
        if (found)
            continue;
        complain(ngc, "--keep=%s: the model computes no value of that name%s", wanted,
                 guess_words(ngc, wanted, name, names));
        return false;
    }
    return true;
}

/* What is computed again would go over the ranks again. */
static bool check_ranks(Ngc *ngc)
{
    if (ngc->opt.ranks && ngc->opt.memory > 0)
        complain(ngc, "--ranks and --memory do not go together");
    return !(ngc->opt.ranks && ngc->opt.memory > 0);
}

/* The model compiled again with its loops in segments, if only then work fits into --memory. */
static Model *with_segments(Ngc *ngc, Model *m, int file)
{
    const Source text = *ngc->file[file];
    Segments segments = segments_to_fit(ngc, m, file);
    if (segments.passes == 0)
        return m;

    /* its messages come once more */
    ngc->opt.segment = segments.passes;
    ngc->opt.part = segments.part;
    source_restart(ngc);
    return model_compile(ngc, source_add(ngc, text.name, text.text, (size_t)text.size, false));
}

/* Does a program of the runtime do the command? It reads by itself what --weights says of data. */
static bool is_trainer(Command c)
{
    return c == C_TRAIN || c == C_EVAL || c == C_PREDICT;
}

/* Are 32-bit floats made of the model's numbers? run, check and explain compute in double. */
static bool makes_floats(const Ngc *ngc, const Args *a)
{
    switch (a->command) {
    case C_RUN:
    case C_CHECK:
    case C_EXPLAIN: return false;
    default: return !ngc->opt.real_double && !a->deps_only;
    }
}

/* Reads, lowers and simplifies; NULL with status where that failed. */
static Model *front(Ngc *ngc, const Args *a, int *status)
{
    int file;
    int library = source_library(ngc);
    if (a->expression)
        file = expression_file(ngc, a->expression);
    else
        file = source_read(ngc, a->file, (Loc){.file = -1});

    *status = 1;
    if (library < 0 || file < 0) {
        bool unreadable = ngc->diags && ngc->diags->code == ERR_FILE;
        if (unreadable)
            *status = 3;
        return NULL;
    }
    bool weights = ngc->opt.weights && !a->deps_only;
    Model *whole = model_compile(ngc, file);
    Model *m = whole;
    if (m && weights)
        m = tune_model(ngc, m, file, a->command, status);
    if (m && ngc->opt.memory > 0 && ngc->opt.segment == 0)
        m = with_segments(ngc, m, file);
    if (!m)
        return NULL;

    *status = 3;
    if (ngc->opt.frozen && !weights_tune(ngc, whole, m, !is_trainer(a->command)))
        return NULL;
    *status = 2;
    if (!check_defines(ngc, m) || !check_keeps(ngc, m) || !check_ranks(ngc))
        return NULL;
    m->name = model_name(ngc, a);
    carry_check(m);
    if (makes_floats(ngc, a))
        warn_float_range(m);

    *status = 1;
    if (diag_failed(ngc))
        return NULL;
    *status = 0;
    return m;
}

/* ---- the files of a compilation ---- */

/* What ngc writes for one model. `ours` is set for a file whose name is the model's: it is not
 * written over a file that ngc did not write. */
typedef struct Files {
    Ngc *ngc;
    const Args *a;
    Model *m;
    const Module *module; /* NULL: only the rule for make is asked for */
    const char *path;     /* of the C */
    const char *header;   /* or NULL */
    Output out;           /* the C, if it was made */
    OutFile file[4];
    int count;
} Files;

/* The file that goes with the C: model.c with another ending, or the model's name with it. */
static const char *beside(const Files *f, const char *end)
{
    if (same_text(f->path, "-"))
        return text_format(f->ngc, "%s%s", f->m->name, end);
    int stem = (int)strlen(f->path);
    if (ends_in(f->path, ".c"))
        stem -= 2;
    return text_format(f->ngc, "%.*s%s", stem, f->path, end);
}

static OutFile *add_file(Files *f, const char *path, const Text *t)
{
    OutFile *file = &f->file[f->count++];
    *file = (OutFile){.path = path, .text = t->at, .size = t->size};
    return file;
}

/* The C and its header. */
static bool add_c(Files *f)
{
    Ngc *ngc = f->ngc;
    const char *header = f->header;
    if (header)
        header = base_name(header);
    emit_c(f->module, header, &f->out);
    warn_large(f->m, f->out.c.size - f->out.numbers);
    if (diag_failed(ngc))
        return false;

    add_file(f, f->path, &f->out.c);
    if (f->header)
        add_file(f, f->header, &f->out.h);
    for (int i = 0; i < f->count && !f->a->output; i++) {
        bool named = i == 1 && f->a->header;
        f->file[i].ours.begins = named ? NULL : "/* ";
        f->file[i].ours.holds = " by ngc ";
        f->file[i].ours.first_line = true;
    }
    return true;
}

static void add_manifest(Files *f)
{
    Text manifest = {.ngc = f->ngc};
    manifest_write(f->module, &manifest);

    const char *path = f->a->manifest;
    OutFile *file = add_file(f, path ? path : beside(f, ".json"), &manifest);
    if (f->a->output || path)
        return;
    file->ours.begins = "{\n  \"manifest\": ";
    file->ours.holds = "\"ngc\"";
}

/* The rule's targets, with which a file of such rules begins. */
static const char *rule_targets(Ngc *ngc, const Text *deps)
{
    return text_format(ngc, "%.*s", (int)strcspn(deps->at, "\n"), deps->at);
}

/* The rule for make: what the C depends on. */
static void add_deps(Files *f, const Text *deps)
{
    const Args *a = f->a;
    const char *path = a->deps_file;
    if (!path && a->deps_only)
        path = "-";
    else if (!path)
        path = beside(f, ".d");

    OutFile *file = add_file(f, path, deps);
    if (a->output || a->deps_file || a->deps_only)
        return;
    file->ours.begins = rule_targets(f->ngc, deps);
    file->ours.holds = ":";
}

/* Can the C include a file of this name? In quotes, some characters have another meaning. */
static bool can_include(const char *path)
{
    const char *name = base_name(path);
    for (const char *c = name; *c; c++)
        if (*c == '"' || (unsigned char)*c < 0x20)
            return false;
    return strstr(name, "??") == NULL;
}

/* Sets the names of the C and its header; false with a message. */
static bool name_files(Files *f)
{
    const Args *a = f->a;
    f->path = a->output;
    if (!f->path)
        f->path = text_format(f->ngc, "%s.c", f->m->name);
    f->header = a->header;
    if (!f->header && (a->want_header || ends_in(f->path, ".c")))
        f->header = beside(f, ".h");
    if (!f->header || can_include(f->header))
        return true;
    complain(f->ngc, "the C cannot include a header of the name '%s'; --header=FILE gives another",
             f->header);
    return false;
}

/* The texts of the files. Returns the status of the command: 0, or why there are none. */
static int make_texts(Files *f)
{
    Ngc *ngc = f->ngc;
    const Args *a = f->a;
    Text deps = {.ngc = ngc};
    const char *target[] = {f->path, f->header};
    int targets = f->header ? 2 : 1;

    bool want_deps = a->deps_only || a->deps;
    if (want_deps && !deps_write(ngc, &deps, a->deps_target, target, targets, ngc->opt.weights))
        return 2;

    if (!a->deps_only && !add_c(f))
        return 1;
    if (!a->deps_only && a->want_manifest)
        add_manifest(f);
    if (want_deps)
        add_deps(f, &deps);
    return 0;
}

/* The C, and what is asked for with it: all files are written, or none. */
static int compile(Ngc *ngc, const Args *a, Model *m)
{
    if (ngc->opt.weights && !ngc->opt.frozen && !a->deps_only) {
        int status = weights_freeze(ngc, m);
        if (status)
            return status;
    }

    /* what is computed; a report without a file is all that is printed */
    Files f = {.ngc = ngc, .a = a, .m = m};
    if (a->report || !a->deps_only)
        f.module = module_build(m);
    if (ngc->errors)
        return 1;
    if (!a->output && a->report) {
        emit_c(f.module, NULL, &f.out);
        report(f.module, &f.out, stdout);
        return 0;
    }

    if (!name_files(&f))
        return 2;
    int status = make_texts(&f);
    if (status)
        return status;

    /* the files; then the report, which must not be in the C on stdout */
    if (output_clash(ngc, f.file, f.count) || output_foreign(ngc, f.file, f.count))
        return 2;
    if (!output_write(ngc, f.file, f.count))
        return 3;
    if (a->report)
        report(f.module, &f.out, same_text(f.path, "-") ? stderr : stdout);
    return 0;
}

/* ---- commands ---- */

static int model_command(Ngc *ngc, const Args *a)
{
    int status;
    Text out = {.ngc = ngc};
    if (a->command == C_EXPORT && ngc->opt.unroll == 0)
        ngc->opt.unroll = INT32_MAX; /* the format has no loops with derivatives */
    Model *m = front(ngc, a, &status);
    rank_messages(ngc);
    if (!m)
        return status;

    switch (a->command) {
    case C_RUN: status = run_main(ngc, m, a->rest, a->rests, a->fill, &out); break;
    case C_CHECK: status = check_main(ngc, m, a->rest, a->rests, &out); break;
    case C_EXPLAIN:
        status = explain_main(ngc, m, a->form, a->output, a->data, a->rest, a->rests, &out);
        break;
    case C_TRAIN:
    case C_EVAL:
    case C_PREDICT: status = train_main(ngc, m, a->command_name, a->rest, a->rests); break;
    case C_LIBRARY: status = library_main(ngc, m, a->output); break;
    case C_EXPORT: status = export_main(ngc, a, m); break;
    default: status = compile(ngc, a, m); break;
    }

    if (out.size)
        fwrite(out.at, 1, out.size, stdout);
    rank_messages(ngc);
    return status;
}

/* Returns the exit status. */
static int command(Ngc *ngc, const Args *a)
{
    switch (a->command) {
    case C_IMPORT: return import_main(ngc, a);
    case C_FMT: return fmt_main(ngc, a);
    case C_EXPLAIN_ERROR: return explain_error_main(ngc, a);
    default: return model_command(ngc, a);
    }
}

int main(int argc, char **argv)
{
    static char room[1 << 16];
    Ngc ngc = {.opt = {.optimize = 2, .comments = -1, .color = 2, .digits = 9}};
    Args a = {0};
    a.rest = arena_alloc(&ngc, (size_t)(2 * argc + 1) * sizeof *a.rest);
    ngrt_streams_hold();
    if (!isatty(1)) /* what fits is written at the end, where an error is reported */
        setvbuf(stdout, room, _IOFBF, sizeof room);
    int status = options_read(&ngc, &a, argc, argv);

    if (ngc.opt.color == 2)
        ngc.opt.color = isatty(2) && !getenv("NO_COLOR");
    if (ngc.opt.comments < 0)
        ngc.opt.comments = ngc.opt.optimize ? 1 : 2;

    if (status < 0)
        status = command(&ngc, &a);

    if ((fflush(stdout) != 0 || ferror(stdout)) && status != 3) {
        complain(&ngc, "cannot write standard output: %s", strerror(errno));
        status = 3;
    }

    rank_messages(&ngc);
    arena_free(&ngc);
    return status;
}
