/* deps.c - which files the C depends on, as a rule for make and ninja. */
#include "ngc.h"

#include <string.h>

/* A name as make and ninja read it: a backslash is one unless it stands before what can be escaped.
 */
static void put_name(Text *t, const char *name)
{
    int backslashes = 0;
    for (const char *c = name; *c; c++) {
        bool escaped = strchr(" #\t:", *c) != NULL;
        for (int i = 0; escaped && i < backslashes; i++)
            text_add(t, "\\");
        if (*c == '$')
            text_add(t, "$$");
        else
            text_add(t, escaped ? "\\%c" : "%c", *c);
        backslashes = *c == '\\' ? backslashes + 1 : 0;
    }
}

/* The name of a file that make can look at, or NULL. Number ngc->files is the extra one. */
static const char *name_of(const Ngc *ngc, int i, const char *extra)
{
    const char *name = i < ngc->files ? ngc->file[i]->name : extra;
    bool library = i < ngc->files && ngc->file[i]->library;
    return name && !library && name[0] != '<' && strcmp(name, "-e") != 0 ? name : NULL;
}

/* "targets: model.ng imported.ng", then "imported.ng:", so that make goes on when an imported file
 * is no longer there. extra: another file that was read, or NULL. A target that the user gave
 * stands as it is. False with a message. */
bool deps_write(Ngc *ngc, Text *t, const char *given, const char *const *target, int targets,
                const char *extra)
{
    for (int i = 0; i < targets + ngc->files + 1; i++) {
        const char *name = i < targets ? given ? "" : target[i] : name_of(ngc, i - targets, extra);
        if (name && strpbrk(name, "\r\n")) {
            complain(ngc, "a rule for make cannot have a name of two lines in it");
            return false;
        }
    }
    if (given)
        text_add(t, "%s", given);
    for (int i = 0; i < targets && !given; i++) {
        text_add(t, i ? " " : "");
        put_name(t, target[i]);
    }
    text_add(t, ":");
    for (int i = 0; i <= ngc->files; i++)
        if (name_of(ngc, i, extra)) {
            text_add(t, " \\\n  ");
            put_name(t, name_of(ngc, i, extra));
        }
    text_add(t, "\n");
    for (int i = 2; i <= ngc->files; i++)
        if (name_of(ngc, i, extra)) {
            put_name(t, name_of(ngc, i, extra));
            text_add(t, ":\n");
        }
    return true;
}
