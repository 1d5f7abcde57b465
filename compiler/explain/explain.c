/* explain.c - ngc explain: makes a lesson of a model, and writes it in the form that is asked for.
 */
#include "explain/explain.h"

#include <string.h>
#include <sys/stat.h>

typedef struct Form {
    const char *name;
    const char *end; /* of the file that is written without -o; "-": standard output */
    void (*print)(const Lesson *, Text *);
} Form;

/* NULL: a page, or the Jacobians where they are asked for. */
static const Form *find_form(const Ngc *ngc, const char *name)
{
    static const Form forms[] = {
        {"html", ".html", explain_html}, {"text", "-", explain_text},
        {"dot", "-", explain_dot},       {"json", "-", explain_json},
        {"tex", "-", explain_tex},       {"jacobians", "-", explain_jacobians},
    };
    if (!name)
        name = ngc->opt.jacobians ? "jacobians" : "html";
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (same_text(forms[i].name, name))
            return &forms[i];
    return &forms[0];
}

static bool is_regular(const char *path)
{
    struct stat s;
    return !same_text(path, "-") && stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

/* Writes the text to the path. NULL: to the form's own place, where only a page of ngc's is
 * overwritten. Adds to `said` which file it wrote. Returns the exit status. */
static int write_lesson(Ngc *ngc, const Model *m, const Form *form, const char *path, const Text *t,
                        Text *said)
{
    OutFile file = {.path = path, .text = t->at, .size = t->size};
    if (!path && same_text(form->end, "-")) {
        file.path = "-";
    } else if (!path) {
        file.path = text_format(ngc, "%s%s", m->name, form->end);
        file.ours.begins = "<!DOCTYPE html>";
        file.ours.holds = "<title>ngc explain</title>";
    }

    /* nothing is written over the model, or over what ngc did not write */
    if (output_clash(ngc, &file, 1) || output_foreign(ngc, &file, 1))
        return 2;
    if (!output_write(ngc, &file, 1))
        return 3;

    if (is_regular(file.path))
        text_add(said, "wrote %s%s\n", file.path,
                 text_if(form->print == explain_html, ": open it in a browser"));
    return 0;
}

int explain_main(Ngc *ngc, Model *m, const char *form, const char *path, const char *files,
                 char **assign, int count, Text *said)
{
    int status;
    Lesson *l = lesson_new(ngc, m);
    l->e = run_eval(ngc, m, assign, count, files, &l->data, &status);
    if (!l->e)
        return status;
    lesson_describe(l);
    if (ngc->errors)
        return 1;

    const Form *f = find_form(ngc, form);
    Text t = {.ngc = ngc};
    f->print(l, &t);
    return write_lesson(ngc, m, f, path, &t, said);
}
