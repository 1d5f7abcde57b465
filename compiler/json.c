/* json.c - texts and messages as JSON: one object on a line for each message, so that several runs
 * can be read as one. */
#include "ngc.h"

#include <string.h>

/* A JSON string. Bytes that are no UTF-8, as a file's name may have, become U+FFFD. */
void json_string(Text *t, const char *text)
{
    text_put(t, "\"", 1);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        int more = *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : *c >= 0xc2 ? 1 : 0, n = 0;
        while (n < more && (c[n + 1] & 0xc0) == 0x80)
            n++;
        if (*c == '"' || *c == '\\')
            text_add(t, "\\%c", *c);
        else if (*c < 0x20 || *c == 0x7f)
            text_add(t, "\\u%04x", *c);
        else if (*c < 0x80)
            text_put(t, (const char *)c, 1);
        else if (more == 0 || n < more)
            text_add(t, "\\ufffd");
        else
            text_put(t, (const char *)c, (size_t)more + 1);
        c += n == more ? n : 0;
    }
    text_put(t, "\"", 1);
}

/* "file": ..., "line": ..., "column": ..., and where the place ends: lines and columns from 1,
 * columns in characters, the end behind the last one. A message without a place has none of them.
 */
static void put_place(Ngc *ngc, Text *t, Loc loc)
{
    int column, line;
    if (loc.file < 0)
        return;
    text_add(t, ", \"file\": ");
    json_string(t, ngc->file[loc.file]->name);
    line = source_line(ngc, loc, &column);
    text_add(t, ", \"line\": %d, \"column\": %d", line, column);
    line = source_line(ngc, (Loc){loc.file, loc.end, loc.end}, &column);
    text_add(t, ", \"end_line\": %d, \"end_column\": %d", line, column);
}

static void put_message(Ngc *ngc, Text *t, const Diag *d)
{
    static const char *const severity[] = {
        [SEV_ERROR] = "error", [SEV_WARNING] = "warning", [SEV_NOTE] = "note"};
    text_add(t, "{\"severity\": \"%s\"", severity[d->severity]);
    if (d->code > 0)
        text_add(t, ", \"code\": \"NG%04d\"", d->code);
    if (d->flag)
        text_add(t, ", \"flag\": \"%s\"", d->flag);
    text_add(t, ", \"message\": ");
    json_string(t, d->text);
    put_place(ngc, t, d->loc);
    const char *before = ", \"labels\": [";
    for (const Label *l = d->labels; l; l = l->next, before = ", ") {
        text_add(t, "%s{\"text\": ", before);
        json_string(t, l->text);
        put_place(ngc, t, l->loc);
        text_add(t, "}");
    }
    text_add(t, d->labels ? "]" : "");
    before = ", \"notes\": [";
    for (const Diag *n = d->notes; n; n = n->next, before = ", ") {
        text_add(t, "%s", before);
        put_message(ngc, t, n);
    }
    text_add(t, d->notes ? "]}" : "}");
}

void json_message(Ngc *ngc, Text *t, const Diag *d)
{
    put_message(ngc, t, d);
    text_add(t, "\n");
}
