/* deps.c - which files the C depends on, as a rule for make and ninja. */
#include "tool/tool.h"

#include <string.h>

/* A name as make and ninja read it. A backslash is itself unless a character that can be escaped
 * follows: then each backslash before that character is doubled. */
static void put_name(Text *t, const char *name)
{
    int backslashes = 0;
    for (const char *c = name; *c; c++) {
        if (strchr(" #\t:", *c)) {
            for (int i = 0; i <= backslashes; i++)
                text_put(t, "\\", 1);
        } else if (*c == '$') {
            text_put(t, "$", 1);
        }
        text_put(t, c, 1);
        if (*c == '\\')
            backslashes++;
        else
            backslashes = 0;
    }
}

/* The name of a file that make can look at, or NULL. extra: the name of number ngc->files; after it
 * come those that --weights repeats. */
static const char *name_of(const Ngc *ngc, int i, const char *extra)
{
    if (i > ngc->files)
        return ngc->opt.overlay[i - ngc->files - 1];
    if (i == ngc->files)
        return extra;
    const Source *file = ngc->file[i];
    bool on_disk = file->name && file->name[0] != '<' && !same_text(file->name, "-e");
    return on_disk && !file->library ? file->name : NULL;
}

static bool has_line_end(const char *name)
{
    return name && strpbrk(name, "\r\n") != NULL;
}

/* Has one of the names two lines? A rule cannot have it. */
static bool has_bad_name(const Ngc *ngc, const char *const *target, int targets, const char *extra)
{
    for (int i = 0; i < targets; i++)
        if (has_line_end(target[i]))
            return true;
    for (int i = 0; i <= ngc->files + ngc->opt.overlays; i++)
        if (has_line_end(name_of(ngc, i, extra)))
            return true;
    return false;
}

/* "targets: model.ng imported.ng", then "imported.ng:", so that make continues when an imported
 * file does not exist any more. extra: another file that was read, or NULL. A target that the user
 * gave is written as it is. False with a message. */
bool deps_write(Ngc *ngc, Text *t, const char *given, const char *const *target, int targets,
                const char *extra)
{
    if (given)
        targets = 0;
    if (has_bad_name(ngc, target, targets, extra)) {
        complain(ngc, "a rule for make cannot have a name of two lines in it");
        return false;
    }

    if (given)
        text_add(t, "%s", given);
    for (int i = 0; i < targets; i++) {
        if (i > 0)
            text_add(t, " ");
        put_name(t, target[i]);
    }
    text_add(t, ":");

    for (int i = 0; i <= ngc->files + ngc->opt.overlays; i++) {
        const char *name = name_of(ngc, i, extra);
        if (!name)
            continue;
        text_add(t, " \\\n  ");
        put_name(t, name);
    }
    text_add(t, "\n");

    for (int i = 2; i <= ngc->files + ngc->opt.overlays; i++) { /* 0 is the library, 1 the model */
        const char *name = name_of(ngc, i, extra);
        if (!name)
            continue;
        put_name(t, name);
        text_add(t, ":\n");
    }
    return true;
}
