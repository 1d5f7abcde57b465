/* deps.c - which files the C depends on, as a rule for make and ninja. */
#include "ngc.h"

#include <string.h>

/* A name as make reads it. */
static void put_name(Text *t, const char *name)
{
    for (const char *c = name; *c; c++) {
        if (*c == '$')
            text_add(t, "$$");
        else if (strchr(" #\t", *c))
            text_add(t, "\\%c", *c);
        else
            text_put(t, c, 1);
    }
}

/* Is it a file that make can look at? Number ngc->files is the extra one. */
static bool is_named(const Ngc *ngc, int i, const char *extra)
{
    const char *name = i < ngc->files ? ngc->file[i]->name : extra;
    bool library = i < ngc->files && ngc->file[i]->library;
    return name && !library && name[0] != '<' && strcmp(name, "-e") != 0;
}

/* "targets: model.ng imported.ng", then "imported.ng:", so that make goes on when an imported file is no longer there. extra:
 * another file that was read, or NULL. A target that the user gave stands as it is. */
void deps_write(Ngc *ngc, Text *t, const char *given, const char *const *target, int targets, const char *extra)
{
    if (given)
        text_add(t, "%s", given);
    for (int i = 0; i < targets && !given; i++) {
        text_add(t, i ? " " : "");
        put_name(t, target[i]);
    }
    text_add(t, ":");
    for (int i = 0; i <= ngc->files; i++)
        if (is_named(ngc, i, extra)) {
            text_add(t, " \\\n  ");
            put_name(t, i < ngc->files ? ngc->file[i]->name : extra);
        }
    text_add(t, "\n");
    for (int i = 2; i <= ngc->files; i++)
        if (is_named(ngc, i, extra)) {
            put_name(t, i < ngc->files ? ngc->file[i]->name : extra);
            text_add(t, ":\n");
        }
}
