/* explain_html.c - a lesson as one page: the texts of page/ with the lesson's JSON in their midst. */
#include "explain.h"

#include <string.h>

extern const char page_text[], page_style_text[], page_script_text[];

/* The page up to the mark; what stands behind it. */
static const char *put_before(Text *t, const char *page, const char *mark)
{
    const char *hole = strstr(page, mark);
    if (!hole)
        ngc_bug("the page has no place for %s", mark);
    text_put(t, page, (size_t)(hole - page));
    return hole + strlen(mark);
}

void explain_html(const Lesson *l, Text *t)
{
    const char *rest = put_before(t, page_text, "@STYLE@");
    text_put(t, page_style_text, strlen(page_style_text));
    rest = put_before(t, rest, "@LESSON@");
    explain_json_page(l, t);
    rest = put_before(t, rest, "@SCRIPT@");
    text_put(t, page_script_text, strlen(page_script_text));
    text_put(t, rest, strlen(rest));
}
