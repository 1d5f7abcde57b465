/* explain_html.c - a lesson as one page: the texts of page/, with the lesson's JSON between them.
 */
#include "explain/explain.h"

#include <string.h>

extern const char page_text[], page_style_text[], page_script_text[];

enum { PLAIN = 64000 }; /* bytes; a longer lesson is packed, so that pages stay small */

/* Adds the page up to the mark. Returns what comes after the mark. */
static const char *put_before(Text *t, const char *page, const char *mark)
{
    const char *hole = strstr(page, mark);
    if (!hole)
        ngc_bug("the page has no place for %s", mark);
    text_put(t, page, (size_t)(hole - page));
    return hole + strlen(mark);
}

static void put_lesson(const Lesson *l, Text *t)
{
    Text lesson = {.ngc = l->ngc};
    explain_json_page(l, &lesson);
    if (lesson.size <= PLAIN) {
        text_put(t, lesson.at, lesson.size);
        return;
    }
    text_put(t, "~", 1); /* JSON does not begin with it */
    explain_pack(l->ngc, t, lesson.at, lesson.size);
}

/* The script, with the function of each elementwise op as its record has it: "exp:Math.exp,". */
static void put_script(Text *t)
{
    const char *rest = put_before(t, page_script_text, "/*@ELEMENTWISE@*/");

    for (int op = 0; op < OP_COUNT; op++)
        if (op_info[op]->js)
            text_add(t, "%s:%s,", op_info[op]->name, op_info[op]->js);

    text_put(t, rest, strlen(rest));
}

void explain_page(Text *t, const char *lesson, size_t size)
{
    const char *rest = put_before(t, page_text, "@STYLE@");
    text_put(t, page_style_text, strlen(page_style_text));
    rest = put_before(t, rest, "@LESSON@");
    text_put(t, lesson, size);
    rest = put_before(t, rest, "@SCRIPT@");
    put_script(t);
    text_put(t, rest, strlen(rest));
}

void explain_html(const Lesson *l, Text *t)
{
    Text lesson = {.ngc = l->ngc};
    put_lesson(l, &lesson);
    explain_page(t, lesson.at, lesson.size);
}
