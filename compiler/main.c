/* main.c - which phase runs when. */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- phases ---- */

/* The prefix of all emitted names: the stem of the file, made an identifier. */
static const char *model_name(Ngc *ngc, const Args *a)
{
    if (ngc->opt.prefix)
        return ngc->opt.prefix;
    const char *file = a->file && strcmp(a->file, "-") == 0 ? ngc->opt.stdin_name : a->file;
    if (!file)
        return "model";
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    size_t n = strlen(base);
    if (n > 3 && strcmp(base + n - 3, ".ng") == 0)
        n -= 3;
    char *name =
        (char *)text_format(ngc, "%s%.*s", *base >= '0' && *base <= '9' ? "m" : "", (int)n, base);
    for (char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9')))
            *c = '_';
    return name;
}

/* -e TEXT: statements, or an expression that is then J. */
static int expression_file(Ngc *ngc, const char *text)
{
    int depth = 0;
    bool statement = strpbrk(text, ";\n") || strncmp(text, "output ", 7) == 0 ||
                     strncmp(text, "gradient ", 9) == 0;
    for (const char *c = text; *c && !statement; c++) {
        depth += *c == '(' || *c == '[';
        depth -= *c == ')' || *c == ']';
        bool compares = c[1] == '=' || (c > text && strchr("<>=!", c[-1]));
        statement = *c == '=' && depth == 0 && !compares;
    }
    const char *all = statement ? text : text_format(ngc, "J = %s", text);
    return source_add(ngc, "-e", all, strlen(all), false);
}

/* Is there a dim for each -D? */
static bool check_defines(Ngc *ngc, const Model *m)
{
    const char *name[MAX_DIMS];
    for (int i = 0; i < m->graph->dims; i++)
        name[i] = m->graph->dim[i].name;
    for (int i = 0; i < ngc->opt.defines; i++) {
        const Define *d = &ngc->opt.define[i];
        if (d->used)
            continue;
        const char *guess = suggest(ngc, d->name, name, m->graph->dims);
        complain(ngc, "-D %s=%.0f: the model has no dim '%s'%s%s%s", d->name, d->value, d->name,
                 guess ? "; did you mean '" : "", guess ? guess : "", guess ? "'?" : "");
        return false;
    }
    return true;
}

/* Is there a value for each --keep? */
static bool check_keeps(Ngc *ngc, const Model *m)
{
    const char **name = arena_alloc(ngc, (size_t)(m->roots + 1) * sizeof *name);
    int names = 0;
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind != ROOT_GRAD && m->root[i].kind != ROOT_UPDATE)
            name[names++] = m->root[i].name;
    for (int i = 0; i < ngc->opt.keeps; i++) {
        bool found = false;
        for (int k = 0; k < names; k++)
            found |= strcmp(name[k], ngc->opt.keep[i]) == 0;
        if (found)
            continue;
        const char *guess = suggest(ngc, ngc->opt.keep[i], name, names);
        complain(ngc, "--keep=%s: the model computes no value of that name%s%s%s", ngc->opt.keep[i],
                 guess ? "; did you mean '" : "", guess ? guess : "", guess ? "'?" : "");
        return false;
    }
    return true;
}

/* Reads, lowers and simplifies; NULL with status where that failed. */
static Model *front(Ngc *ngc, const Args *a, int *status)
{
    int library = source_library(ngc);
    int file = a->expression ? expression_file(ngc, a->expression)
                             : source_read(ngc, a->file, (Loc){.file = -1});
    *status = 1;
    if (library < 0 || file < 0) {
        *status = ngc->diags && ngc->diags->code == 1 ? 3 : 1;
        return NULL;
    }
    Model *m = model_compile(ngc, file);
    if (!m)
        return NULL;
    *status = 2;
    if (!check_defines(ngc, m) || !check_keeps(ngc, m))
        return NULL;
    m->name = model_name(ngc, a);
    carry_check(m);
    *status = 1;
    if (diag_failed(ngc))
        return NULL;
    *status = 0;
    return m;
}

static bool ends_in(const char *path, const char *end)
{
    size_t n = strlen(path), k = strlen(end);
    return n > k && strcmp(path + n - k, end) == 0;
}

/* The file that goes with the C: model.c with another ending, or the model's name with it. */
static const char *beside(Ngc *ngc, const Model *m, const char *path, const char *end)
{
    if (strcmp(path, "-") == 0)
        return text_format(ngc, "%s%s", m->name, end);
    return text_format(ngc, "%.*s%s", (int)strlen(path) - 2 * ends_in(path, ".c"), path, end);
}

static OutFile out_file(const char *path, const Text *t)
{
    return (OutFile){.path = path, .text = t->at, .size = t->size};
}

/* The rule's targets, with which a file of such rules begins. */
static const char *rule_targets(Ngc *ngc, const Text *deps)
{
    return text_format(ngc, "%.*s", (int)strcspn(deps->at, "\n"), deps->at);
}

/* The C, and what is asked for beside it: all are written, or none. A file that has its name from
 * the model's alone is not written over another's. */
static int compile(Ngc *ngc, const Args *a, Model *m)
{
    OutFile file[4];
    int files = 0;
    Output out = {.c = {.ngc = ngc}, .h = {.ngc = ngc}};
    Text deps = {.ngc = ngc}, manifest = {.ngc = ngc};
    const char *path = a->output, *header = a->header;
    int status = ngc->opt.weights && !a->deps_only ? weights_freeze(ngc, m) : 0;
    if (status)
        return status;
    if (!path && a->report) {
        report(ngc, m, stdout);
        return 0;
    }
    if (!path)
        path = text_format(ngc, "%s.c", m->name);
    if (!header && (ends_in(path, ".c") || a->want_header))
        header = beside(ngc, m, path, ".h");
    const char *target[] = {path, header};
    if ((a->deps_only || a->deps) &&
        !deps_write(ngc, &deps, a->deps_target, target, header ? 2 : 1, ngc->opt.weights))
        return 2;
    if (!a->deps_only) {
        const char *slash = header ? strrchr(header, '/') : NULL;
        emit_c(ngc, m, slash ? slash + 1 : header, &out);
        warn_large(m, out.c.size - out.numbers);
        if (diag_failed(ngc))
            return 1;
        file[files++] = out_file(path, &out.c);
        if (header)
            file[files++] = out_file(header, &out.h);
        for (int i = 0; i < files && !a->output; i++) {
            file[i].ours.begins = i == 1 && a->header ? NULL : "/* ";
            file[i].ours.holds = " by ngc ";
            file[i].ours.first_line = true;
        }
    }
    if (a->want_manifest && !a->deps_only) {
        manifest_write(ngc, m, &manifest);
        file[files++] =
            out_file(a->manifest ? a->manifest : beside(ngc, m, path, ".json"), &manifest);
        if (!a->output && !a->manifest) {
            file[files - 1].ours.begins = "{\n  \"manifest\": ";
            file[files - 1].ours.holds = "\"ngc\"";
        }
    }
    if (a->deps_only || a->deps)
        file[files++] = out_file(a->deps_file   ? a->deps_file
                                 : a->deps_only ? "-"
                                                : beside(ngc, m, path, ".d"),
                                 &deps);
    if (!a->output && !a->deps_file && a->deps && !a->deps_only) {
        file[files - 1].ours.begins = rule_targets(ngc, &deps);
        file[files - 1].ours.holds = ":";
    }
    if (output_clash(ngc, file, files) || output_foreign(ngc, file, files))
        return 2;
    if (!output_write(ngc, file, files))
        return 3;
    if (a->report)
        report(ngc, m, strcmp(path, "-") == 0 ? stderr : stdout);
    return 0;
}

static int model_command(Ngc *ngc, const Args *a)
{
    int status;
    Model *m = front(ngc, a, &status);
    diag_flush(ngc, stderr);
    if (!m)
        return status;
    switch (a->command) {
    case C_RUN: status = run_main(ngc, m, a->rest, a->rests, a->fill); break;
    case C_CHECK: status = check_main(ngc, m, a->rest, a->rests); break;
    case C_EXPLAIN:
        status = explain_main(ngc, m, a->form, a->output, a->data, a->rest, a->rests);
        break;
    case C_TRAIN:
    case C_EVAL:
    case C_PREDICT: status = train_main(ngc, m, a->command_name, a->rest, a->rests); break;
    default: status = compile(ngc, a, m); break;
    }
    diag_flush(ngc, stderr);
    return status;
}

static int command(Ngc *ngc, const Args *a)
{
    switch (a->command) {
    case C_FMT: return fmt_main(ngc, a);
    case C_EXPLAIN_ERROR: return explain_error_main(ngc, a);
    default: return model_command(ngc, a);
    }
}

int main(int argc, char **argv)
{
    Ngc ngc = {.opt = {.optimize = 2, .comments = -1, .color = 2, .digits = 9}};
    Args a = {0};
    a.rest = arena_alloc(&ngc, (size_t)(argc + 1) * sizeof *a.rest);
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
    diag_flush(&ngc, stderr);
    arena_free(&ngc);
    return status;
}
